"""Take identifiers out of a text: those that the headers know, and what looks like one anywhere.

Matching is by word, without regard to case, accents, punctuation and order, so that “JOHN DOE”, “Doe, John” and
“doe_john” are all found when the header says DOE^JOHN. It cannot find a name that no header holds.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from functools import cached_property

REMOVED, DATE, NUMBER = "[removed]", "[date]", "[number]"


@dataclass(frozen=True)
class Identifiers:
    """What is known about a person, or about several."""

    names: frozenset[str] = frozenset()
    """Names of persons as they stand in headers, for example DOE^JOHN^A."""
    numbers: frozenset[str] = frozenset()
    """Patient numbers, accession numbers, telephone numbers and the like."""
    places: frozenset[str] = frozenset()
    """Names and addresses of institutions and homes."""
    dates: frozenset[date] = frozenset()
    """Dates of birth and of examinations."""
    has_initials: bool = True
    """False where initials shall not be looked for."""

    def __or__(self, other: "Identifiers") -> "Identifiers":
        """Put together what is known about two."""
        return Identifiers(
            self.names | other.names,
            self.numbers | other.numbers,
            self.places | other.places,
            self.dates | other.dates,
            self.has_initials and other.has_initials,
        )

    @cached_property
    def words(self) -> frozenset[str]:
        """Every form in which one of them may stand as a word, plain (lower case, no accents, no punctuation)."""
        return frozenset(_name_words(self.names) | _number_words(self.numbers) | _place_words(self.places)) | frozenset(
            form for day in self.dates for form in _digits_of(day)
        )

    @cached_property
    def runs(self) -> tuple[str, ...]:
        """Names in scripts that put no space between words, longest first."""
        found = {run for name in self.names | self.places for run in _unspaced_runs(name)}
        return tuple(sorted(found, key=lambda run: (-len(run), run)))

    @cached_property
    def initials(self) -> frozenset[str]:
        """Initials of the names, two letters or more."""
        return frozenset(form for name in self.names for form in _initials_of(name) if self.has_initials)


def scrub(text: str, identifiers: Identifiers) -> tuple[str, int]:
    """Replace identifiers, dates, long numbers, UIDs, addresses of mail and titled names; return the text and the count."""
    n_replaced = 0

    def put(replacement: str) -> Callable[[re.Match[str]], str]:
        def replace(_: re.Match[str]) -> str:
            nonlocal n_replaced
            n_replaced += 1
            return replacement

        return replace

    def check_word(match: re.Match[str]) -> str:
        nonlocal n_replaced
        checked, n_found = _without_words(match.group(), identifiers.words)
        n_replaced += n_found
        return checked

    def check_initials(match: re.Match[str]) -> str:
        nonlocal n_replaced
        if not _are_initials(match.group(), identifiers):
            return match.group()
        n_replaced += 1
        return REMOVED

    def cap_age(match: re.Match[str]) -> str:
        nonlocal n_replaced
        n_replaced += 1
        return f"90+{match.group(2)}"

    text = unicodedata.normalize("NFC", text)
    for run in identifiers.runs:
        n_replaced += text.count(run)
        text = text.replace(run, REMOVED)
    text = _MAIL.sub(put(REMOVED), text)
    text = _UID.sub(put(NUMBER), text)
    text = _DATES.sub(put(DATE), text)
    text = _INITIALS.sub(check_initials, text)
    text = _TOKEN.sub(check_word, text)
    text = _TITLED_NAME.sub(lambda match: match.group(1) + put(REMOVED)(match), text)
    text = _LONG_NUMBER.sub(put(NUMBER), text)
    text = _HIGH_AGE.sub(cap_age, text)
    return text, n_replaced


def names_somebody(text: str, identifiers: Identifiers) -> bool:
    """Tell whether a text holds one of the known identifiers."""
    if any(run in text for run in identifiers.runs):
        return True
    if any(_are_initials(found, identifiers) for found in _DOTTED.findall(text)):
        return True
    return any(_without_words(token.group(), identifiers.words)[1] for token in _TOKEN.finditer(text))


_WORD = r"(?:[^\W_][\u0300-\u036F]*)+"


def _are_initials(found: str, identifiers: Identifiers) -> bool:
    """Say whether letters are somebody's initials; without dots they may be a word of the trade."""
    letters = re.sub(r"\W", "", found).upper()
    return letters in identifiers.initials and ("." in found or letters not in _ABBREVIATIONS)


_TOKEN = re.compile(rf"{_WORD}(?:[-./_^,+]{_WORD})*")
"""Letters (with accents that stand apart) and digits, with single marks between them."""

_MONTHS = (
    "jan(?:uary|uar)?|feb(?:ruary|ruar)?|mar(?:ch)?|mär(?:z)?|apr(?:il)?|may|mai|june?|juni?|july?|juli?|aug(?:ust)?|"
    "sept?(?:ember)?|o[ck]t(?:ober)?|nov(?:ember)?|de[cz](?:ember)?"
)

_DATES = re.compile(
    r"(?<!\d)(?:"
    r"(?:19|20)\d\d[-./](?:0?[1-9]|1[0-2])[-./](?:[12]\d|3[01]|0?[1-9])"
    r"|(?:[12]\d|3[01]|0?[1-9])\s?[-./]\s?(?:[12]\d|3[01]|0?[1-9])\s?[-./]\s?(?:(?:19|20)\d\d|\d\d)"
    r"|(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?:\d{6}(?:\.\d+)?)?"
    r"|(?:0[1-9]|[12]\d|3[01])(?:0[1-9]|1[0-2])(?:19|20)\d\d"
    rf"|(?:[12]\d|3[01]|0?[1-9])(?:st|nd|rd|th|\.)?[-\s]*(?:of\s)?(?:{_MONTHS})\.?[-,\s]*(?:(?:19|20)\d\d|['’]?\d\d(?!\d))"
    r")(?!\d)"
    rf"|\b(?:{_MONTHS})\.?\s*(?:[12]\d|3[01]|0?[1-9])(?:st|nd|rd|th)?,?\s+(?:19|20)\d\d(?!\d)",
    re.IGNORECASE,
)

_MAIL = re.compile(r"[^\s@<>]+@[^\s@<>]+\.\w+|\b(?:https?://|www\.)\S+")

_UID = re.compile(r"(?<![\w.])[0-2](?:\.\d+){4,}(?!\w)")

_LONG_NUMBER = re.compile(r"(?<![\w.])\+?(?:\(?\d[\d()]*(?:[ /-]?\d[\d()]*){6,})(?!\w)")
"""Seven digits and more, possibly in groups: telephone and patient numbers; no measurement is written like this."""

_INITIALS = re.compile(r"(?<![^\W_])(?:[^\W\d_]\s?\.\s?-?){2,4}|(?<![^\W_])[A-ZÄÖÜ]{2,4}(?![^\W_])")

_DOTTED = re.compile(r"(?<![^\W_])(?:[^\W\d_]\s?\.\s?-?){2,4}")
"""Initials in a technical text; without the dots they would be taken for the abbreviations that such texts are full of."""

_TITLED_NAME = re.compile(
    r"\b((?:Dr|Prof|Mr|Mrs|Ms|Miss|Herrn?|Frau|Mme|Sr|Sra|PD|OA|Pat(?:ient)?(?:in)?\s+name[:d]?|Name:|Dictated by:?|"
    r"Signed by:?|Referred by:?|Referring physician:?|Radiologist:|Patient:)\.?\s+(?:(?:Dr|Prof|med|Dipl)\.?\s+)*)"
    r"(?:[A-ZÄÖÜÀ-Þ][\w'’-]+|[A-ZÄÖÜ]\.)(?:[ ,]+(?:(?:van|von|de|der|den|la|di)\s)*(?:[A-ZÄÖÜÀ-Þ][\w'’-]+|[A-ZÄÖÜ]\.)){0,2}"
)

_HIGH_AGE = re.compile(
    r"(?<![\d.,])(9\d|1[0-2]\d)((?:\s|-)?(?:years?|yrs?|y\.?\s?o\.?|jähr|Jahre|ans\b|años))", re.IGNORECASE
)


def _without_words(token: str, words: frozenset[str]) -> tuple[str, int]:
    """Check a token as a whole, then part by part."""
    if _is_known(token, words):
        return REMOVED, 1
    n_found = 0
    parts = re.split(r"([-./_^,+])", token)
    for i in range(0, len(parts), 2):
        pieces = [parts[i]] if _is_known(parts[i], words) else re.findall(r"\d+|\D+", parts[i])
        checked = [REMOVED if _is_known(piece, words) else piece for piece in pieces]
        n_found += checked.count(REMOVED)
        parts[i] = "".join(checked)
    return "".join(parts), n_found


def _is_known(word: str, words: frozenset[str]) -> bool:
    plain = _plain(word)
    if len(plain) <= 3 and plain.isalpha() and word.islower():
        return False  # “in”, “so” and “an” are words before they are names
    if plain in words or (plain.isdigit() and len(plain) > 3 and plain.lstrip("0") in words):
        return True
    return len(plain) > 4 and plain.endswith("s") and plain[:-1] in words


def _plain(text: str) -> str:
    """Return lower-case letters and digits without accents and punctuation."""
    decomposed = unicodedata.normalize("NFKD", text.upper().casefold())  # by way of capitals: ı becomes I becomes i
    return "".join(character for character in decomposed if character.isalnum())


# The forms of identifiers -------------------------------------------------------------------------------------------------

_WORDS_NO_NAMES = (
    "dr prof professor md phd mr mrs ms miss jr sr ii iii iv herr frau anonymous anonymized anonymised anon unknown none test "
    "patient name no na not available male female van von der den de la le du di da del dos el al bin ben ibn of the and und "
    "removed unnamed null nil ct mr mri us cr dx mg pt nm xa rf pet xr"
)
_NO_NAMES = frozenset(_WORDS_NO_NAMES.split())

_WORDS_NO_PLACES = (
    "hospital clinic clinics klinik klinikum university universitat universitats medical medicine center centre department "
    "dept radiology radiologie imaging institute institut health general city county national regional saint street road "
    "avenue lane strasse north south east west main unit ward room building floor diagnostic and the for with ct mr mri xray "
    "head neck chest thorax abdomen pelvis spine brain lung breast hand foot knee"
)
_NO_PLACES = frozenset(_WORDS_NO_PLACES.split())


def _name_words(names: Iterable[str]) -> set[str]:
    words: set[str] = set()
    for name in names:
        parts = [part for part in map(_plain, re.split(r"[\s^=,;\-./_'’()]+", name)) if part not in _NO_NAMES]
        parts += [part for part in map(_plain, re.split(r"[\s^=,;()]+", name)) if part not in _NO_NAMES]
        parts = [part for part in dict.fromkeys(parts) if len(part) > 1]
        words.update(parts)
        words.update(first + second for first in parts for second in parts)
        words.update(part[::-1] for part in parts if len(part) > 3)
        transliterated = name.casefold().replace("ä", "ae").replace("ö", "oe").replace("ü", "ue")
        words.update(part for part in map(_plain, re.split(r"[\s^=,;\-]+", transliterated)) if len(part) > 3)
    return words - _NO_NAMES


def _number_words(numbers: Iterable[str]) -> set[str]:
    words: set[str] = set()
    for number in numbers:
        plain = _plain(number)
        if len(plain) < 3 or (not any(character.isdigit() for character in plain) and len(plain) < 5):
            continue
        words |= {plain, plain[::-1]} if len(plain) > 3 else {plain}
        if plain.isdigit() and len(plain.lstrip("0")) > 3:
            words.add(plain.lstrip("0"))
        words.update(run for run in re.findall(r"\d+", number) if len(run) > 4)
    return words - _NO_NAMES


def _place_words(places: Iterable[str]) -> set[str]:
    words = {_plain(word) for place in places for word in re.split(r"[\s^=,;\-./_()]+", place)}
    whole = {_plain(place) for place in places}
    return {word for word in words | whole if len(word) > 3} - _NO_PLACES - _NO_NAMES


def _digits_of(day: date) -> tuple[str, ...]:
    """Return a date in digits, in the orders in use."""
    forms = ("%Y%m%d", "%d%m%Y", "%m%d%Y", "%y%m%d", "%d%m%y", "%m%d%y")
    return tuple(day.strftime(form).zfill(len(form)) for form in forms)


def _initials_of(name: str) -> set[str]:
    parts = [
        part for part in re.split(r"[\s^,\-]+", name.split("=")[0]) if _plain(part) and _plain(part) not in _NO_NAMES
    ]
    letters = "".join(_plain(part)[0] for part in parts).upper()
    if not 2 <= len(letters) <= 4:
        return set()
    return {letters, letters[::-1], letters[1:] + letters[0], letters[:2], letters[1::-1]}


_WORDS_ABBREVIATIONS = (
    "CT MR MRI US CR DX MG PT NM XA RF AP PA LL RL IV IM PO BP HR RV LV RA LA ED ER OR OP ICU MS DM CA PE TB GE TE TR FA SI "
    "AC IC LR CM MM ML MG KG HU"
)
_ABBREVIATIONS = frozenset(_WORDS_ABBREVIATIONS.split())
"""Initials that are words of the trade are looked for only with dots."""


def _unspaced_runs(name: str) -> set[str]:
    """Return the ideographic and Hangul parts of a name, alone and joined, two characters and longer."""
    found: set[str] = set()
    for group in unicodedata.normalize("NFC", name).split("="):
        parts = [part for part in re.split(r"[\s^,]+", group) if part and all(_is_unspaced(letter) for letter in part)]
        found.update(parts)
        found.update(a + b for a in parts for b in parts if a != b)
    return {run for run in found if len(run) > 1}


def _is_unspaced(character: str) -> bool:
    return any(low <= ord(character) <= high for low, high in ((0x3040, 0x30FF), (0x3400, 0x9FFF), (0xAC00, 0xD7AF)))
