"""Find the sentences of a section, in prose, hard-wrapped lines, lists and telegraphic style."""

import re

_ABBREVIATIONS = {
    *(
        "dr",
        "drs",
        "mr",
        "mrs",
        "ms",
        "prof",
        "st",
        "approx",
        "vs",
        "e.g",
        "eg",
        "i.e",
        "ie",
        "etc",
        "cf",
        "fig",
        "no",
        "nos",
    ),
    *("resp", "incl", "min", "max", "ca", "est", "dept", "p.m", "a.m", "pt", "pts", "ant", "post", "lat", "sup", "inf"),
    *("temp", "avg", "hx", "dx", "rt", "lt", "bilat", "ext", "int", "poss", "prob", "susp", "r", "l"),
}
"""Words that a full stop shortens; all but these, and single letters, end a sentence with it."""
_ENDS_ANYHOW = {"no", "min", "max", "st", "post", "ant", "lat", "pt", "int", "l", "r", "rt", "lt", "eg", "ie", "resp"}
"""Of those, the ones that are words of their own: a capital letter behind them begins a sentence."""

_END = re.compile(r"[.!?]+[\"')\]]*|\n+")
_BULLET = re.compile(r"[ \t]*(?:[*+>#-]{1,3}[ \t]|\(?\d{1,2}[.)](?!\d)|\(?[a-hA-H][.)][ \t]|[ivx]{1,4}[.)][ \t])")
_LABEL = re.compile(r"[ \t]*[A-Z][\w /&-]{1,40}:")
"""The beginning of a line of a template: "Pleural effusion: none"."""
_LAST_WORD = re.compile(r"([A-Za-z][A-Za-z.]*)$")
_GOES_ON = re.compile(
    r"(?:[,(/&-]|\b(?:the|an?|of|in|at|on|to|with|without|and|or|nor|no|not|for|from|by|is|are|was|were|be|been|has|have|may|"
    r"right|left|upper|lower|mid|middle|small|mild|bilateral|pleural|than|as|its|this|that|which|also))[ \t]*$",
    re.IGNORECASE,
)
"""A line that ends like this is a sentence that goes on in the next one."""
_NARROWEST = 28
"""Characters of the longest line from which on capitals are taken for wrapped prose and not for a list."""
_WORDS_BACK = 40
"""Characters looked at before a full stop."""


def split_sentences(text: str, start: int = 0, end: int | None = None) -> list[tuple[int, int]]:
    """Return where the sentences of text[start:end] begin and end."""
    end = len(text) if end is None else end
    longest = max((len(line) for line in text[start:end].split("\n")), default=0)
    sentences, begin = [], start
    for mark in _END.finditer(text, start, end):
        if mark.start() < begin:
            continue
        ends = _line_ends(text, mark, start, end, longest) if mark.group()[0] == "\n" else _stop_ends(text, mark, end)
        if ends:
            sentences.append((begin, mark.end()))
            begin = mark.end()
    sentences.append((begin, end))
    trimmed = (_trimmed(text, first, last) for first, last in sentences)
    return [(first, last) for first, last in trimmed if last > first]


def _stop_ends(text: str, mark: re.Match[str], end: int) -> bool:
    """Tell the end of a sentence from a full stop inside it."""
    if mark.group()[0] == "?":
        return _question_ends(text, mark, end)
    if mark.group()[0] != ".":
        return True
    after = text[mark.end() : mark.end() + 3]
    before = _LAST_WORD.search(text, max(0, mark.start() - _WORDS_BACK), mark.start())
    if mark.end() >= end or after[:1] == "\n":
        return not (before and before.group(1).lower() in _ABBREVIATIONS - _ENDS_ANYHOW and len(mark.group()) == 1)
    is_spaced = after[:1].isspace()
    if not is_spaced and (after[:1].isdigit() or not after[:1].isalpha()):
        return text[mark.start() - 1 : mark.start()].isalpha() and after[:1].isdigit()
    word = before.group(1) if before else ""
    is_shortened = word.lower() in _ABBREVIATIONS or (len(word) == 1 and word.isupper())
    opens = after.strip()[:1]
    if is_shortened:
        return word.lower() in _ENDS_ANYHOW and is_spaced and opens.isupper() and len(word) > 1
    if _is_list_number(text, mark.start()):
        return False
    return is_spaced or opens.isupper() or len(word) > 3


def _question_ends(text: str, mark: re.Match[str], end: int) -> bool:
    """Tell "pneumonia?" from "?pneumonia"."""
    return mark.end() >= end or (text[mark.end()].isspace() and not text[mark.start() - 1 : mark.start()].isspace())


def _is_list_number(text: str, stop: int) -> bool:
    """Tell the number of an item ("2. No effusion") from the end of a sentence ("at T12. No effusion")."""
    first = stop
    while first > 0 and text[first - 1].isdigit() and stop - first < 3:
        first -= 1
    return first < stop and (
        first == 0 or text[first - 1] == "\n" or text[max(0, first - 9) : first].rstrip(" \t")[-1:] in ".:;\n"
    )


def _line_ends(text: str, mark: re.Match[str], start: int, end: int, longest: int) -> bool:
    """Tell the end of a statement from a line that was wrapped."""
    if mark.end() >= end or _BULLET.match(text, mark.end(), end) or _LABEL.match(text, mark.end(), end):
        return True
    if len(mark.group()) > 1:
        return not (text[mark.start() - 1 : mark.start()] == "," and text[mark.end()].islower())
    begin = text.rfind("\n", start, mark.start()) + 1 or start
    line, following = text[max(begin, start) : mark.start()].rstrip(), text[mark.end() : mark.end() + 60].lstrip()
    if not line or not following or line[-1] in ";." or (line[-1] == ":" and not following[0].islower()):
        return True
    if following[0].islower() or following[0] in ",;)" or _GOES_ON.search(line[-20:]):
        return False
    first_word = following.split()[0]
    if len(line) + 1 + len(first_word) <= longest:
        return True  # the word would have fitted: whoever wrote it broke the line on purpose
    if following[0].isupper() and not first_word.isupper():
        return True
    return not (longest >= _NARROWEST and (line.isupper() or first_word.isupper() or not following[0].isalpha()))


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    while start < end and text[start].isspace():
        start += 1
    bullet = _BULLET.match(text, start, end)
    start = bullet.end() if bullet else start
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return start, end
