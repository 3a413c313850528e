"""From the bytes of a radiology report to clean text, whatever system wrote it."""

import re
import unicodedata
from html.parser import HTMLParser

from lucency.errors import SourceError

_SPELLINGS = str.maketrans(
    {
        **dict.fromkeys("‘’‚‛′`´", "'"),
        **dict.fromkeys("“”„‟″«»", '"'),
        **dict.fromkeys("‐‑‒–—―−", "-"),
        **dict.fromkeys(
            "\u00a0\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000", " "
        ),
        **dict.fromkeys("\u200b\u200c\u200d\u2060\ufeff\u00ad", ""),
        **dict.fromkeys("•‣◦▪●■∙⁃·", "*"),
        "ﬀ": "ff",
        "ﬁ": "fi",
        "ﬂ": "fl",
        "ﬃ": "ffi",
        "ﬄ": "ffl",
        "…": "...",
        "\u2028": "\n",
        "\u2029": "\n",
        "\v": "\n",
        "\f": "\n",
        "\x85": "\n",
    }
)
"""Typographic forms of what the rules know in one form."""

_ESCAPED_BREAK = re.compile(r"\\X0[AD]\\|\\\.(?:br|sp|ce)\+?\d*\\|\\r\\n|\\n(?![a-z])|\\r(?![a-z])", re.IGNORECASE)
_HL7_ESCAPE = re.compile(r"\\([FSTRE])\\")
_HL7_LETTERS = {"F": "|", "S": "^", "T": "&", "R": "~", "E": "\\"}
_CONTROL = bytes(code for code in range(32) if code not in b"\t\n\v\f\r\x1b")
"""Bytes that no text holds."""
_TILDE = re.compile(r"~(?! ?\d)")
"""A line end of HL7, unless it says "about"."""
_TERMINAL = re.compile(r"\x1b\[[0-9;]{0,20}[A-Za-z]")
_HL7_MARK = re.compile(r"\\[HN]\\")
_TAG = re.compile(r"<(?:/?[A-Za-z][\w:.-]{0,40}[\s/>]|!doctype|!--|\?xml)", re.IGNORECASE)
_UNCLOSED = re.compile(r"<(?![^<>]{1,2000}>)")
"""A smaller-than sign that opens no tag; the parser would look for its end again and again."""
_BREAKING_TAGS = {
    *("p", "br", "div", "tr", "li", "ul", "ol", "table", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "section", "title"),
    *("paragraph", "item", "list", "text", "content", "caption", "pre", "body", "component"),
}
_SILENT_TAGS = {"script", "style", "head"}


def read_text(content: bytes, name: str) -> str:
    """Return the clean text of one report; lines end as on Unix, and marks of RTF, HTML and HL7 are gone.

    Raises:
        SourceError: the content is no text (E_NOT_TEXT).
    """
    text, _ = read_text_with_notes(content, name)
    return text


def read_text_with_notes(content: bytes, name: str) -> tuple[str, tuple[str, ...]]:
    """Return the clean text of one report, and the codes (N_…) of what had to be repaired.

    Raises:
        SourceError: the content is no text (E_NOT_TEXT).
    """
    text, notes = _decode(content, name)
    if text.lstrip().startswith("{\\rtf"):
        text, notes = _without_rtf(text), (*notes, "N_RTF")
    elif _TAG.search(text):
        text, notes = _without_tags(text), (*notes, "N_HTML")
    return clean_text(text), notes


def clean_text(text: str) -> str:
    """Bring line ends, quotes, dashes, blanks and ligatures to one form, and drop control characters."""
    if "\\" in text:
        text = _ESCAPED_BREAK.sub("\n", text)
        text = _HL7_MARK.sub("", text)
        text = _HL7_ESCAPE.sub(lambda found: _HL7_LETTERS[found.group(1)], text)
    text = _TERMINAL.sub("", _TILDE.sub("\n", text))
    text = unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n")).translate(_SPELLINGS)
    return "".join(c if c.isprintable() or c == "\n" else " " for c in text).strip()


def _decode(content: bytes, name: str) -> tuple[str, tuple[str, ...]]:
    for mark, encoding in (
        (b"\xff\xfe\0\0", "utf-32"),
        (b"\xef\xbb\xbf", "utf-8-sig"),
        (b"\xff\xfe", "utf-16"),
        (b"\xfe\xff", "utf-16"),
    ):
        if content.startswith(mark):
            return content.decode(encoding, "replace"), () if encoding == "utf-8-sig" else ("N_UTF16",)
    encoding = _wide_encoding(content)
    if encoding:
        return content.decode(encoding, "replace"), ("N_UTF16",)
    _refuse_binary(content, name)
    try:
        return content.decode("utf-8"), ()
    except UnicodeDecodeError:
        # cp1252 leaves five bytes without a letter, and Latin-1 gives those to control characters
        return "".join(_cp1252(byte) for byte in content), ("N_NOT_UTF8",)


def _wide_encoding(content: bytes) -> str:
    """Recognise UTF-16 without a mark by its zero bytes, which stand in every other place."""
    body = content.rstrip(b"\0")
    n_even, n_odd = body[::2].count(0), body[1::2].count(0)
    if max(n_even, n_odd) * 4 < len(body) or min(n_even, n_odd) * 4 > max(n_even, n_odd) or not body:
        return ""
    return "utf-16-le" if n_odd > n_even else "utf-16-be"


def _refuse_binary(content: bytes, name: str) -> None:
    """Tell text from pictures, archives and PDFs by their first bytes and by bytes that no text holds."""
    is_known = content.startswith(
        (b"%PDF", b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"\x89PNG", b"\xff\xd8\xff", b"\x1f\x8b")
    )
    content = content.rstrip(b"\0")
    n_control = len(content) - len(content.translate(None, _CONTROL))
    if is_known or content[128:132] == b"DICM" or n_control * 20 > len(content):
        suffix = name.rpartition(".")[2] if "." in name else "no suffix"
        raise SourceError(
            f"A report ({suffix}) is no text (E_NOT_TEXT). Save it as plain text, HTML or RTF, and put it in its place."
        )


def _cp1252(byte: int) -> str:
    return bytes([byte]).decode("cp1252", "ignore") or chr(byte)


def _without_rtf(text: str) -> str:
    from striprtf.striprtf import rtf_to_text

    return str(rtf_to_text(text, errors="ignore"))


def _without_tags(text: str) -> str:
    reader = _TextOfTags()
    reader.feed(_UNCLOSED.sub("&lt;", _without_comments(text)))
    reader.close()
    return "".join(reader.pieces)


def _without_comments(text: str) -> str:
    """Take comments out; what begins one and never ends it goes alone."""
    if "-->" not in text:
        return text.replace("<!--", " ")
    pieces = text.split("<!--")
    return pieces[0] + "".join(piece.partition("-->")[2] if "-->" in piece else piece for piece in pieces[1:])


class _TextOfTags(HTMLParser):
    """Collects the text between tags; tags that break lines become line ends, script and style are left out."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []
        self._n_silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002 - by contract
        """Break the line, or fall silent."""
        self._n_silent += tag in _SILENT_TAGS
        self.pieces.append(_trace(tag))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002 - by contract
        """Break the line."""
        self.pieces.append(_trace(tag))

    def handle_endtag(self, tag: str) -> None:
        """Break the line, or speak again."""
        if tag in _SILENT_TAGS and self._n_silent:
            self._n_silent -= 1
        self.pieces.append(_trace(tag))

    def handle_data(self, data: str) -> None:
        """Keep the text."""
        if not self._n_silent:
            self.pieces.append(data)


def _trace(tag: str) -> str:
    """Return what a tag leaves behind: a line end, a blank between cells, nothing inside a word."""
    if tag in _BREAKING_TAGS:
        return "\n"
    return " " if tag in ("td", "th", "dt", "dd") else ""
