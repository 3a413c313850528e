"""Reports in odd files: each gives the labels of the clean text or a coded refusal, and none takes long."""

import codecs
import gzip
import re
import time
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from lucency.data.codes import REFUSALS
from lucency.data.ground_truth.reports.findings import load_findings
from lucency.data.ground_truth.reports.rules import label_report
from lucency.data.ground_truth.reports.texts import read_text
from lucency.errors import LucencyError

CLEAN = """INDICATION: Cough, rule out pneumonia.

FINDINGS: The heart is enlarged. There is no pneumothorax. Small left pleural effusion. The nodule in the right upper
lobe is unchanged; consolidation cannot be excluded. PICC tip in the SVC.

IMPRESSION:
1. Cardiomegaly.
2. Small left pleural effusion. No pneumothorax.
"""
LABELS = {
    "Cardiomegaly": "positive",
    "Pneumothorax": "negative",
    "Pleural Effusion": "positive",
    "Lung Lesion": "positive",
    "Consolidation": "uncertain",
    "Support Devices": "positive",
}
ACCENTED = CLEAN.replace("FINDINGS:", "Referrer: Dr Müller-Lüdenscheidt, Orléans. Temperature 38°C – 39°C. FINDINGS:")
LIMIT_SECONDS = 10.0
"""Two seconds on a quiet core, five times that for a busy one; what grows with the square of the length takes minutes."""
CODE = re.compile(r"E_[A-Z_]+")
HALF_MEGABYTE = 500_000


@dataclass(frozen=True)
class OddText:
    """A file and what may come of it."""

    name: str
    content: bytes
    file_name: str = "report.txt"
    labels: dict[str, str] | None = None
    """The labels that must come out; None allows any, where nobody can say what the text states."""
    may_be_refused: bool = False


def plain(text: str = CLEAN) -> bytes:
    return text.encode("utf-8")


def html(body: str, head: str = "") -> str:
    return f"<!DOCTYPE html>\n<html><head><title>Report</title>{head}</head>\n<body>{body}</body></html>"


def paragraphs(text: str = CLEAN) -> str:
    return "".join(f"<p>{part}</p>\n" for part in text.strip().split("\n\n"))


def rtf(text: str = CLEAN, header: str = r"{\fonttbl{\f0\fswiss Arial;}}") -> bytes:
    body = text.replace("\n\n", "\\par\n\\par\n").replace("\nlobe", " lobe").replace("\n2", "\\par\n2")
    body = body.replace("IMPRESSION:\n", "IMPRESSION:\\par\n")
    return (rf"{{\rtf1\ansi\ansicpg1252\deff0{header}\viewkind4\uc1\pard\f0\fs20 " + body + "}").encode("ascii")


def encodings() -> list[OddText]:
    """Bytes of other alphabets and other machines."""
    return [
        OddText("UTF-8", plain(), labels=LABELS),
        OddText("UTF-8 with accents", ACCENTED.encode(), labels=LABELS),
        OddText("UTF-8 with byte order mark", codecs.BOM_UTF8 + ACCENTED.encode(), labels=LABELS),
        OddText("UTF-8 with two byte order marks", codecs.BOM_UTF8 * 2 + ACCENTED.encode(), labels=LABELS),
        OddText("UTF-16 LE with mark", codecs.BOM_UTF16_LE + ACCENTED.encode("utf-16-le"), labels=LABELS),
        OddText("UTF-16 BE with mark", codecs.BOM_UTF16_BE + ACCENTED.encode("utf-16-be"), labels=LABELS),
        OddText("UTF-16 LE without mark", ACCENTED.encode("utf-16-le"), labels=LABELS),
        OddText("UTF-16 BE without mark", ACCENTED.encode("utf-16-be"), labels=LABELS),
        OddText("UTF-16 cut in the middle of a character", ACCENTED.encode("utf-16")[:-1], labels=LABELS),
        OddText("UTF-32 with mark", ACCENTED.encode("utf-32"), labels=LABELS, may_be_refused=True),
        OddText("Windows 1252", ACCENTED.encode("cp1252"), labels=LABELS),
        OddText("Latin 1", ACCENTED.replace("–", "-").encode("latin-1"), labels=LABELS),
        OddText("Macintosh Roman", ACCENTED.encode("mac-roman"), labels=LABELS),
        OddText("code page 850", ACCENTED.replace("–", "-").encode("cp850"), labels=LABELS),
        OddText("UTF-8 and Windows 1252 in one file", ACCENTED.encode() + "\nGruß".encode("cp1252"), labels=LABELS),
        OddText("UTF-8 read as Latin 1 and saved again", ACCENTED.encode().decode("latin-1").encode(), labels=LABELS),
        OddText("UTF-8 cut in the middle of a character", ACCENTED.encode() + b"Dr M\xc3", labels=LABELS),
        OddText("ligatures and typographic spaces", plain(spaced_like_print()), labels=LABELS),
        OddText(
            "zero-width characters",
            plain(CLEAN.replace("pleural", "pleu\u200bral").replace(" no ", " no\u200b ")),
            labels=LABELS,
        ),
        OddText("soft hyphens", plain(CLEAN.replace("pneumothorax", "pneumo\u00adthorax")), labels=LABELS),
        OddText("letters with their accents apart", plain(CLEAN + "\nDr Mu\u0308ller"), labels=LABELS),
    ]


def spaced_like_print() -> str:
    return (
        CLEAN.replace("effusion", "e\ufb00usion")
        .replace(" left ", "\u00a0left\u2009")
        .replace("There is", "There\u00a0is")
    )


def whitespace() -> list[OddText]:
    """Line ends, blanks, and characters that no one can see."""
    return [
        OddText("CRLF", plain(CLEAN.replace("\n", "\r\n")), labels=LABELS),
        OddText("old Macintosh line ends", plain(CLEAN.replace("\n", "\r")), labels=LABELS),
        OddText("doubled line ends", plain(CLEAN.replace("\n", "\r\r\n")), labels=LABELS),
        OddText("line and paragraph separators", plain(CLEAN.replace("\n", "\u2028")), labels=LABELS),
        OddText(
            "vertical tabs and form feeds",
            plain(CLEAN.replace("\n\n", "\n\x0c\n").replace("\nlobe", "\x0blobe")),
            labels=LABELS,
        ),
        OddText("tabs", plain(CLEAN.replace(" ", "\t")), labels=LABELS),
        OddText("blanks at every line's end", plain(CLEAN.replace("\n", "   \n")), labels=LABELS),
        OddText("indented", plain("\n".join(f"        {line}" for line in CLEAN.split("\n"))), labels=LABELS),
        OddText("many blanks between words", plain(CLEAN.replace(" ", "    ")), labels=LABELS),
        OddText("zero bytes at the end", plain() + b"\0" * 512, labels=LABELS),
        OddText("a zero byte inside", plain(CLEAN.replace("left pleural", "left\0 pleural")), labels=LABELS),
        OddText(
            "control characters",
            plain(CLEAN.replace("\n\n", "\n\x01\x02\x1f\n").replace("PICC", "\x07PICC")),
            labels=LABELS,
        ),
        OddText(
            "escape sequences of a terminal", plain(CLEAN.replace("FINDINGS", "\x1b[1mFINDINGS\x1b[0m")), labels=LABELS
        ),
        OddText("end-of-file mark of DOS", plain() + b"\x1a", labels=LABELS),
        OddText("a thousand blank lines before", b"\n" * 1000 + plain(), labels=LABELS),
        OddText("wrapped at 30 characters", plain(wrapped(30)), labels=LABELS),
        OddText("wrapped at 12 characters", plain(wrapped(12)), labels=LABELS),
        OddText("on one line", plain(" ".join(CLEAN.split())), labels=LABELS),
    ]


def wrapped(width: int) -> str:
    """Break the lines of every paragraph, and never its words."""
    lines = []
    for paragraph in CLEAN.replace("\n1.", "\n\n1.").replace("\n2.", "\n\n2.").split("\n\n"):
        line = ""
        for word in paragraph.split():
            if line and len(line) + len(word) > width:
                lines.append(line)
                line = ""
            line = f"{line} {word}".strip()
        lines += [line, ""]
    return "\n".join(lines)


def markup() -> list[OddText]:
    """HTML, RTF and HL7, whole and in pieces."""
    style = "<style>p.no-pneumonia {color: red}</style><script>var fracture = 'edema';</script>"
    table = "<table><tr><td>FINDINGS:</td><td>" + CLEAN.split("FINDINGS: ")[1].split("\n\n")[0] + "</td></tr></table>"
    breaks = CLEAN.replace("\n\n", "<br><br/>").replace("\n", " ")
    nested = rtf(header=r"{\fonttbl{\f0 Arial;}{\f1 Times;}}{\colortbl;\red0\green0\blue0;}{\*\generator Msftedit;}")
    hl7 = "MSH|^~\\&|RIS|HOSP|||202401010900||ORU^R01|1|P|2.3\rOBR|1|||71020^CHEST\r"
    return [
        OddText("HTML document", html(paragraphs()).encode(), "report.html", LABELS),
        OddText("HTML named .txt", html(paragraphs()).encode(), labels=LABELS),
        OddText("HTML with style and script", html(paragraphs(), style).encode(), "report.html", LABELS),
        OddText(
            "HTML with a comment",
            html("<!-- large pneumonia, rib fracture -->" + paragraphs()).encode(),
            "a.html",
            LABELS,
        ),
        OddText(
            "HTML with bold words", html(paragraphs().replace("no ", "<b>no</b> ")).encode(), "report.html", LABELS
        ),
        OddText(
            "HTML with a word in two colours",
            html(paragraphs().replace("effusion", "effu<i>sion</i>")).encode(),
            "r.html",
            LABELS,
        ),
        OddText("HTML broken by <br>", html(breaks).encode(), "report.html", LABELS),
        OddText("HTML table", html(table).encode(), "report.html", LABELS),
        OddText("HTML with entities", html(paragraphs().replace(" ", "&nbsp;")).encode(), "report.html", LABELS),
        OddText(
            "HTML with numbered entities", html(paragraphs().replace("no ", "&#110;o ")).encode(), "report.html", LABELS
        ),
        OddText(
            "HTML in capitals without its end", f"<HTML><BODY>{paragraphs().upper()}".encode(), "report.htm", LABELS
        ),
        OddText("HTML in UTF-16", html(paragraphs()).encode("utf-16"), "report.html", LABELS),
        OddText("a fragment with <p> and <br>", plain(breaks.replace("FINDINGS", "<p>FINDINGS")), labels=LABELS),
        OddText(
            "escaped line breaks",
            plain(CLEAN.replace("\n\n", "&lt;br&gt;&lt;br&gt;").replace("\n", " ")),
            labels=LABELS,
        ),
        OddText(
            "entities in plain text",
            plain(CLEAN.replace("left ", "left&nbsp;").replace(";", "&semi;") + "&amp; &lt;"),
            labels=LABELS,
        ),
        OddText("a smaller-than sign in plain text", plain(CLEAN + "\nSize < 3 cm and > 1 cm.\n"), labels=LABELS),
        OddText("HTML that never closes", plain("<div>" * 2000 + CLEAN), "report.html", LABELS),
        OddText("RTF", rtf(), "report.rtf", LABELS),
        OddText("RTF named .txt", rtf(), labels=LABELS),
        OddText("RTF with tables of fonts and colours", nested, "report.rtf", LABELS),
        OddText("RTF with bold words", rtf(CLEAN.replace("no ", "{\\b no} ")), "report.rtf", LABELS),
        OddText(
            "RTF with characters by number", rtf(CLEAN.replace("PICC", r"\u8211? \'e9 PICC")), "report.rtf", LABELS
        ),
        OddText("RTF cut short", rtf()[:-1], "report.rtf", LABELS, may_be_refused=True),
        OddText(
            "RTF with a hundred open groups", rtf().replace(b"\\fs20 ", b"\\fs20 " + b"{" * 100), "r.rtf", LABELS, True
        ),
        OddText("remains of RTF", plain(CLEAN.replace("\n\n", "\\par \n") + "\\pard}"), labels=LABELS),
        OddText("HL7 line breaks", plain(CLEAN.replace("\n\n", "\\.br\\\\.br\\").replace("\n", " ")), labels=LABELS),
        OddText("HL7 escapes", plain(CLEAN.replace("FINDINGS", "\\H\\FINDINGS\\N\\") + "A \\T\\ B"), labels=LABELS),
        OddText("HL7 tildes", plain(CLEAN.replace("\n\n", "~~").replace("\n", " ")), labels=LABELS),
        OddText(
            "HL7 message",
            plain(hl7 + "".join(f"OBX|{i}|TX|||{line}\r" for i, line in enumerate(CLEAN.split("\n")))),
            labels=LABELS,
            may_be_refused=True,
        ),
        OddText(
            "markdown",
            plain(CLEAN.replace("FINDINGS:", "**FINDINGS:**").replace("IMPRESSION:", "## IMPRESSION")),
            labels=LABELS,
        ),
        OddText("quotation marks of a table", plain('"' + CLEAN.replace("\n\n", "\n") + '"'), labels=LABELS),
    ]


def sizes() -> list[OddText]:
    """Texts that are far too long or deep."""
    one_line = " ".join(CLEAN.split())
    blanks = " " * HALF_MEGABYTE
    return [
        OddText("500 kB on one line", plain(one_line + " Comment " * (HALF_MEGABYTE // 9)), labels=LABELS),
        OddText("500 kB of one word", b"a" * HALF_MEGABYTE, labels={}),
        OddText("500 kB of one word before", b"a" * HALF_MEGABYTE + b"\n\n" + plain(), labels=LABELS),
        OddText("500 kB of commas", b"," * HALF_MEGABYTE, labels={}),
        OddText("500 kB of no", b"no " * (HALF_MEGABYTE // 3), labels={}),
        OddText(
            "500 kB of no effusion", b"no effusion, " * (HALF_MEGABYTE // 13), labels={"Pleural Effusion": "negative"}
        ),
        OddText("500 kB of effusions in one list", b"no " + b"effusion, " * (HALF_MEGABYTE // 10), labels=None),
        OddText("500 kB of cannot exclude", b"cannot exclude " * (HALF_MEGABYTE // 15), labels={}),
        OddText("500 kB of versus", b"pneumonia versus " * (HALF_MEGABYTE // 17), labels=None),
        OddText("500 kB of colons", b"a: " * (HALF_MEGABYTE // 3), labels={}),
        OddText("500 kB of headings", b"FINDINGS:\n" * (HALF_MEGABYTE // 10), labels={}),
        OddText("500 kB of full stops", b"." * HALF_MEGABYTE, labels={}),
        OddText("500 kB of blank lines", b"\n" * HALF_MEGABYTE, labels={}, may_be_refused=True),
        OddText("500 kB of blanks inside", plain(CLEAN.replace("no pneumo", f"no{blanks}pneumo", 1)), labels=LABELS),
        OddText("500 kB of opened brackets", b"(" * HALF_MEGABYTE, labels={}),
        OddText("500 kB of smaller-than signs", b"<" * HALF_MEGABYTE, labels=None, may_be_refused=True),
        OddText("500 kB of ampersands", b"&" * HALF_MEGABYTE, labels={}),
        OddText("500 kB of backslashes", b"\\" * HALF_MEGABYTE, labels={}, may_be_refused=True),
        OddText("500 kB of opened RTF groups", b"{\\rtf1 " + b"{" * HALF_MEGABYTE, "r.rtf", {}, may_be_refused=True),
        OddText(
            "100,000 nested divisions", b"<html>" + b"<div>" * 100_000 + plain(), "r.html", LABELS, may_be_refused=True
        ),
        OddText("500 kB of digits", b"1234567890" * (HALF_MEGABYTE // 10), labels={}),
        OddText("500 kB of underscores", b"_" * HALF_MEGABYTE + b"\n" + plain(), labels=LABELS),
        OddText("the report five hundred times", plain(CLEAN) * 500, labels=None),
    ]


def nothing() -> list[OddText]:
    """Files without a report."""
    return [
        OddText("empty", b"", labels={}, may_be_refused=True),
        OddText("blank", b" \t\r\n \n", labels={}, may_be_refused=True),
        OddText("a byte order mark alone", codecs.BOM_UTF8, labels={}, may_be_refused=True),
        OddText("headings alone", b"INDICATION:\n\nFINDINGS:\n\nIMPRESSION:\n", labels={}, may_be_refused=True),
        OddText("an empty HTML document", html("").encode(), "report.html", {}, may_be_refused=True),
        OddText("an empty RTF document", b"{\\rtf1}", "report.rtf", {}, may_be_refused=True),
        OddText("one letter", b"x", labels={}, may_be_refused=True),
        OddText("one full stop", b".", labels={}, may_be_refused=True),
        OddText("every byte", bytes(range(256)) * 20, labels={}, may_be_refused=True),
        OddText(
            "a JPEG",
            b"\xff\xd8\xff\xe0\x00\x10JFIF\x00" + bytes(range(255, 0, -1)) * 50,
            labels={},
            may_be_refused=True,
        ),
        OddText(
            "a DICOM file",
            b"\0" * 128 + b"DICM\x02\x00\x00\x00UL\x04\x00" + b"\0" * 900,
            labels={},
            may_be_refused=True,
        ),
        OddText("a packed file", gzip.compress(plain(), mtime=0), labels={}, may_be_refused=True),
        OddText("a PDF", b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<< >>\nendobj\n", labels={}, may_be_refused=True),
        OddText("zero bytes alone", b"\0" * 4096, labels={}, may_be_refused=True),
        OddText("half of UTF-16", codecs.BOM_UTF16_LE + b"\x00\xd8" * 50, labels={}, may_be_refused=True),
        OddText("another language", b"Herz und Lunge o. B. Kein Erguss.", labels=None),
        OddText("another alphabet", "Лёгкие без очаговых теней.".encode(), labels={}),
        OddText("pictures for words", "🫁👍".encode(), labels={}, may_be_refused=True),
    ]


ODD_TEXTS = [*encodings(), *whitespace(), *markup(), *sizes(), *nothing()]


@pytest.fixture(scope="module")
def label_file() -> Callable[[OddText], dict[str, str]]:
    """Return a function that reads a file and labels it, without "No Finding", which follows from the others."""
    findings = load_findings()

    def label(odd: OddText) -> dict[str, str]:
        labels = label_report(read_text(odd.content, odd.file_name), findings)
        return {finding: label for finding, label in labels.items() if finding in LABELS or label != "negative"}

    return label


def test_odd_files_are_read_or_refused(
    label_file: Callable[[OddText], dict[str, str]], tally: Callable[..., None]
) -> None:
    """Reports come out of forty years of machines; a traceback, or a wrong label in silence, would cost a patient."""
    faults = [fault for odd in ODD_TEXTS if (fault := first_fault(odd, label_file))]
    assert not faults, "\n".join(faults)
    tally("odd report files with the right labels or a coded refusal", len(ODD_TEXTS) - len(faults), len(ODD_TEXTS))


def first_fault(odd: OddText, label_file: Callable[[OddText], dict[str, str]]) -> str:
    """Say what is wrong with what came of a file; empty where nothing is."""
    started = time.process_time()
    try:
        labels = label_file(odd)
    except Exception as error:
        codes = CODE.findall(str(error))
        if not isinstance(error, LucencyError) or not codes or not REFUSALS.keys() >= set(codes):
            return f"{odd.name}: {type(error).__name__}: {error}"[:300]
        return "" if odd.may_be_refused else f"{odd.name}: refused ({error})"[:300]
    seconds = time.process_time() - started
    if seconds > LIMIT_SECONDS:
        return f"{odd.name}: took {seconds:.1f} s"
    said = {finding: label for finding, label in labels.items() if finding != "No Finding"}
    if odd.labels is not None and said != odd.labels:
        return f"{odd.name}: {sorted(set(said.items()) ^ set(odd.labels.items()))}"
    return ""


def test_there_are_many_odd_files() -> None:
    """The promise is worth as much as the list is long."""
    assert len({odd.name for odd in ODD_TEXTS}) == len(ODD_TEXTS) >= 60
