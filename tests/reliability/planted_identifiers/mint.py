"""Tokens: words, numbers, dates and UIDs that occur once in the world, legal for the place that they are written to."""

import random
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from pydicom.dataset import Dataset

CONSONANTS, VOWELS = "bdfgklmnprstvz", "aeiou"
FIRST_DAY, LAST_DAY = date(1931, 1, 1), date(2019, 12, 31)
ROOT = "1.2.826.0.1.3680043.10"


@dataclass(frozen=True)
class Token:
    """A value to write, and the forms under which it could be found again."""

    value: Any
    """For a data element of its value representation."""
    forms: tuple[str | bytes, ...]
    """Each of them alone would give the identifier away."""
    day: date | None = None
    """The date that it tells, if it tells one."""
    is_short: bool = False
    """Too short to be unique in the world: it proves something only in what became of its own file."""


class Mint:
    """Coin tokens from a seed; never the same one twice."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self._coined: set[str] = set()

    def word(self, n_syllables: int = 5) -> str:
        """Coin a pronounceable word of two letters a syllable."""
        draw = self.random.choice
        return self._once(lambda: "".join(draw(CONSONANTS) + draw(VOWELS) for _ in range(n_syllables)))

    def digits(self, n_digits: int) -> str:
        """Coin a number without leading zero."""
        return self._once(lambda: str(self.random.randrange(10 ** (n_digits - 1), 10**n_digits)))

    def number(self) -> str:
        """Coin a hospital's number: two letters and eight digits."""
        return self.random.choice("VWX") + self.random.choice("QKJ") + self.digits(8)

    def day(self, earliest: date = FIRST_DAY, latest: date = LAST_DAY) -> date:
        """Coin a date between two days."""
        n_days = (latest - earliest).days
        return date.fromisoformat(self._once(lambda: f"{earliest + timedelta(days=self.random.randrange(n_days))}"))

    def clock(self) -> str:
        """Coin a time of the day with microseconds that do not end in zero, as in DICOM's TM."""
        draw = self.random.randrange
        return self._once(lambda: f"{draw(7, 20):02d}{draw(60):02d}{draw(60):02d}.{draw(10_000, 99_999)}{draw(1, 10)}")

    def uid(self) -> str:
        """Coin a unique identifier; its last component is unique by itself."""
        return f"{ROOT}.{self.random.randrange(100, 999)}.{self.digits(14)}"

    def token(self, vr: str, name: str = "") -> Token:
        """Coin a token for a value representation; the name of the attribute says what a sequence holds."""
        if vr == "SQ":
            return self._item(name)
        if vr == "PN":
            family, given = self.word().capitalize(), self.word().capitalize()
            return Token(f"{family}^{given}", (family, given))
        if vr == "UI":
            uid = self.uid()
            return Token(uid, (uid.rpartition(".")[2],))
        if vr == "AS":
            age = f"{self.random.randrange(91, 120):03d}Y"
            return Token(age, (age,), is_short=True)
        if vr == "DA":
            return tell_day(self.day())
        if vr == "TM":
            clock = self.clock()
            return Token(clock, (clock,))
        if vr == "DT":
            day, clock = self.day(), self.clock()
            return Token(f"{day:%Y%m%d}{clock}", (*written_forms(day), clock), day)
        if vr in ("DS", "IS"):
            number = self.digits(9)
            number = f"{number[:2]}.{number[2:]}" if vr == "DS" else number
            return Token(number, (number,))
        word = self.word()
        if vr in ("AE", "CS", "SH"):
            return Token(word.upper(), (word,))
        if vr == "UR":
            return Token(f"https://{word}.example/exam", (word,))
        if vr in ("OB", "UN", "OW"):
            return Token(word.encode(), (word,))
        return Token(f"{word.capitalize()} of ward 3", (word,))

    def _item(self, name: str) -> Token:
        item = Dataset()
        if name.startswith(("Referenced", "Source")):
            token = self.token("UI")
            item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = "1.2.840.10008.5.1.4.1.1.2", token.value
        else:
            token = self.token("LO")
            item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = "L-1", "99LOCAL", token.value
        return Token([item], token.forms)

    def _once(self, draw: Any) -> str:
        while (text := draw()) in self._coined:
            pass
        self._coined.add(text)
        return text


def tell_day(day: date) -> Token:
    """Return the token of a date in the form of a DA."""
    return Token(f"{day:%Y%m%d}", written_forms(day), day)


def written_forms(day: date) -> tuple[str, ...]:
    """Return the usual ways of writing a date out of which nobody could read another one."""
    return (f"{day:%Y%m%d}", f"{day:%Y-%m-%d}", f"{day:%d.%m.%Y}")
