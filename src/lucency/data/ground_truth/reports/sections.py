"""Split a radiology report into its sections, and say which of them tell what the image shows."""

import re
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

from lucency.data.ground_truth.reports.sentences import split_sentences


class Kind(StrEnum):
    """What a section of a report is about."""

    CLINICAL = "clinical"
    """Indication, history, question: what was known or feared before."""
    TECHNIQUE = "technique"
    COMPARISON = "comparison"
    FINDINGS = "findings"
    IMPRESSION = "impression"
    OTHER = "other"
    """Signature, recommendation, notification: not about the image."""
    BODY = "body"
    """Text without any heading."""


@dataclass(frozen=True)
class Section:
    """One section: its kind, and where its text stands in the report."""

    kind: Kind
    start: int
    end: int


_NAMES: dict[Kind, tuple[str, ...]] = {
    Kind.CLINICAL: (
        *("indication", "indications", "history", "clinical history", "clinical information", "clinical indication"),
        *("clinical details", "clinical data", "clinical statement", "clinical question", "clinical context"),
        *(
            "clinical background",
            "clinical presentation",
            "clinical diagnosis",
            "clinical",
            "reason",
            "medical condition",
        ),
        *("reason for exam", "reason for examination", "reason for study", "reason for this examination"),
        *(
            "reason for the exam",
            "reason for test",
            "reason for visit",
            "reason for request",
            "relevant clinical details",
        ),
        *("patient history", "medical history", "past medical history", "brief history", "history and indication"),
        *("indication and history", "history/indication", "indication/history", "signs and symptoms", "symptoms"),
        *(
            "admitting diagnosis",
            "diagnosis code",
            "working diagnosis",
            "hx",
            "clinical hx",
            "indic",
            "clin",
            "clin info",
            "clin hx",
            "clinicals",
            "request",
            "clinical problem",
            "icd code",
            "icd 10 code",
            "icd",
            "question",
            "pre-op diagnosis",
        ),
        *("clinical notes", "clinical history/indication", "presenting complaint", "chief complaint", "complaint"),
        *(
            "klinische angaben",
            "klinische fragestellung",
            "fragestellung",
            "indikation",
            "anamnese",
            "renseignements cliniques",
        ),
        *(
            "motif",
            "datos clinicos",
            "datos clínicos",
            "indicación",
            "indicazione",
            "quesito clinico",
            "klinische gegevens",
        ),
    ),
    Kind.TECHNIQUE: (
        *(
            "technique",
            "procedure",
            "exam",
            "examination",
            "study",
            "views",
            "view",
            "projection",
            "type of exam",
            "protocol",
        ),
        *(
            "exam type",
            "procedure comments",
            "technical factors",
            "type of study",
            "type of examination",
            "procedure description",
            "part",
            "body part",
            "technical quality",
            "exam description",
            "modality",
        ),
        *("examination performed", "study performed", "exam performed", "procedures performed", "number of views"),
        *("technical information", "technical details", "contrast", "radiation dose", "dose", "exposure", "title"),
        *("technik", "untersuchung", "technica", "técnica", "tecnica", "techniek", "image quality"),
    ),
    Kind.COMPARISON: (
        *("comparison", "comparisons", "comparison study", "comparison studies", "comparison exam", "comparison films"),
        *("compared to", "compared with", "prior studies", "prior study", "prior exams", "previous examination"),
        *("previous studies", "prior examinations", "prior", "priors", "previous exams", "previous", "correlation"),
        *("voraufnahmen", "vergleich", "comparaison", "comparación", "confronto", "vergelijking"),
    ),
    Kind.FINDINGS: (
        *("findings", "finding", "report", "description", "observations", "observation", "body", "result", "results"),
        *(
            "radiographic findings",
            "imaging findings",
            "chest",
            "narrative",
            "interpretation of findings",
            "full result",
        ),
        *(
            "xr chest",
            "x-ray chest",
            "cxr report",
            "cxr findings",
            "chest xr",
            "radiology report",
            "x ray chest",
            "portable chest",
        ),
        *("chest findings", "cxr", "chest x-ray", "chest xray", "chest radiograph", "details", "discussion", "detail"),
        *("findings and comparison", "comparison and findings", "technique and findings", "text", "report text"),
        *("befund", "befunde", "résultats", "resultats", "hallazgos", "reperti", "referto", "bevindingen"),
    ),
    Kind.IMPRESSION: (
        *(
            "impression",
            "impressions",
            "conclusion",
            "conclusions",
            "opinion",
            "interpretation",
            "summary",
            "assessment",
        ),
        *("findings/impression", "impression/findings", "findings and impression", "impression and findings", "imp"),
        *("findings & impression", "final impression", "diagnosis", "radiological diagnosis", "overall impression"),
        *(
            "radiologic diagnosis",
            "comment",
            "comments",
            "wet read",
            "preliminary report",
            "preliminary read",
            "addendum",
        ),
        *("preliminary impression", "final interpretation", "key findings", "bottom line", "reading", "final read"),
        *("critical results", "addendum findings", "impression and recommendation", "impression and recommendations"),
        *("impression/recommendation", "impression/recommendations", "impression and plan", "major findings"),
        *("beurteilung", "zusammenfassung", "conclusión", "impresión", "conclusioni", "conclusie"),
    ),
    Kind.OTHER: (
        *(
            "recommendation",
            "recommendations",
            "notification",
            "signed",
            "signature",
            "electronically signed by",
            "author",
        ),
        *(
            "dictated by",
            "dictated",
            "transcribed",
            "transcribed by",
            "approved by",
            "attending",
            "resident",
            "radiologist",
        ),
        *("reported by", "read by", "verified by", "reviewed by", "interpreted by", "workstation", "accession", "date"),
        *("patient", "patient name", "name", "mrn", "dob", "sex", "age", "ordering physician", "referring physician"),
        *(
            "referrer",
            "location",
            "ward",
            "hospital",
            "department",
            "time",
            "accession number",
            "exam date",
            "study date",
        ),
        *(
            "date of exam",
            "date of study",
            "final report",
            "end of report",
            "attestation",
            "disclaimer",
            "communication",
        ),
        *("follow-up", "followup", "plan", "report date", "report status", "status", "cc", "physician", "provider"),
        *("electronically signed", "report electronically signed by", "critical result communication", "reviewer"),
        *("empfehlung", "unterschrift", "recommandation", "recomendación"),
    ),
}
"""What sections are called, in lower case. A name that opens both kinds of text counts as the more telling one."""

_KIND_OF = {name: kind for kind, names in _NAMES.items() for name in names}
_CONTINUES = {"final report", "report status", "status"}
"""Headings above which, and below which, the same report goes on."""

_IN_FRONT = re.compile(r"(?:^|[\n.!?;:)\]|]|  )[ \t*_#\[<=\"'>-]{0,20}(?:\d{1,2}[.)] ?)?([A-Za-zÀ-ÿ][^\n.!?;:|]*)$")
"""What stands between the last end of a line or sentence and a colon."""
_COLON = re.compile(r"(?<=[\w)*\]\"' ]):")
_ASIDE = re.compile(r"\([^()]*\)| of (?:the )?(?:chest|exam|examination|study)$")
_LINE = re.compile(r"^[ \t*_#\[=<>-]{0,20}([A-Za-zÀ-ÿ][^\n:.]{2,60})$", re.MULTILINE)
_BARE = re.compile(
    r"(?:^|[\n.!?;:)])[ \t*_]{0,6}((?:CLINICAL )?(?:INDICATIONS?|HISTORY|INFORMATION|TECHNIQUE|COMPARISON|FINDINGS|IMPRESSION|"
    r"CONCLUSION|OPINION|RECOMMENDATIONS?))(?:[*_]{2}[ \t]?|[ \t]{1,3}-{0,2}[ \t]{0,3}(?=[A-Z0-9*]))"
)
"""Headings in capitals that the text follows without a colon."""
_EVERYDAY = {
    "chest",
    "prior",
    "previous",
    "time",
    "age",
    "view",
    "views",
    "body",
    "text",
    "clinical",
    "correlation",
    "question",
}
"""Names that are everyday words, too: on a line of their own they need a colon."""
_LONGEST = 60
"""Characters of the longest heading."""


def split_sections(text: str) -> list[Section]:
    """Return the sections of a report in their order; a report without headings is one section of kind BODY."""
    sections, kind, start = [], Kind.BODY, 0
    for heading in _headings(text):
        sections.append(Section(kind, start, heading.start))
        kind, start = heading.kind, heading.end
    sections.append(Section(kind, start, len(text)))
    return [section for section in sections if text[section.start : section.end].strip(" \n\t*:-_.")]


def telling_sections(text: str) -> list[Section]:
    """Return the sections that tell what the image shows: findings and impression, else all that is about nothing else.

    Text under no heading counts only where no section is called findings.
    """
    sections = split_sections(text)
    if any(section.kind is Kind.FINDINGS for section in sections):
        return [section for section in sections if section.kind in (Kind.FINDINGS, Kind.IMPRESSION)]
    sections = [piece for section in sections for piece in _without_its_rest(text, section)]
    return [section for section in sections if section.kind in (Kind.BODY, Kind.IMPRESSION)]


def _without_its_rest(text: str, section: Section) -> list[Section]:
    """Cut a short section (history, technique, signature …) where its line or paragraph ends; what follows is body.

    Reports that never say “findings” begin to describe the image on a line of its own.
    """
    if section.kind in (Kind.BODY, Kind.IMPRESSION):
        return [section]
    first = section.start
    while first < section.end and text[first].isspace():
        first += 1
    lines = split_sentences(text, first, section.end)
    for (_, last), (following, _) in pairwise(lines):
        if "\n" in text[last:following]:
            return [Section(section.kind, section.start, last), Section(Kind.BODY, following, section.end)]
    return [section]


def _headings(text: str) -> list[Section]:
    """Find the headings: their places, and the kinds of the sections that they open."""
    found = [heading for colon in _COLON.finditer(text) if (heading := _before_colon(text, colon.start()))]
    for match in _LINE.finditer(text):
        if _key(match.group(1)) in _KIND_OF and _key(match.group(1)) not in _EVERYDAY:
            found.append(_heading(match.group(1), match.start(), match.end()))
    found += [_heading(match.group(1), match.start(1), match.end()) for match in _BARE.finditer(text)]
    found.sort(key=lambda heading: (heading.start, -heading.end))
    return [
        heading
        for before, heading in zip([None, *found], found, strict=False)
        if not before or heading.start >= before.end
    ]


def _before_colon(text: str, colon: int) -> Section | None:
    """Return the heading that ends in a colon, or None where the words before it are none."""
    first = max(0, colon - _LONGEST)
    match = _IN_FRONT.search(("\n" if first == 0 else "") + text[first:colon])
    if not match or _key(match.group(1)) not in _KIND_OF:
        return None
    name, shift = match.group(1), first - (first == 0)
    start = match.start(1) + shift
    begins_line = not text[text.rfind("\n", first, start) + 1 or first : start].strip(" \t*_#[<=\"'>-0123456789.)")
    if not (name[0].isupper() or begins_line):
        return None
    end = colon + 1
    while end < len(text) and text[end] in " \t*_":
        end += 1
    return _heading(name, start, end)


def _heading(name: str, start: int, end: int) -> Section:
    key = _key(name)
    return Section(Kind.BODY if key in _CONTINUES else _KIND_OF[key], start, end)


def _key(name: str) -> str:
    """Write a heading as the list above does."""
    words = _ASIDE.sub("", name.lower().replace("_", " ").strip("*#]>=\"'- "))
    return " ".join(words.replace(" / ", "/").split())


def is_heading(name: str) -> bool:
    """Tell whether a text is the name of a section, such as a column of a table may have."""
    return _key(name) in _KIND_OF and _KIND_OF[_key(name)] is not Kind.OTHER
