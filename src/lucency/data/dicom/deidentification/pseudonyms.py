"""New names for patients, UIDs and files, as a function of a secret key: the same key always gives the same names."""

import hmac
import os
import secrets
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

from lucency.errors import PlanError
from lucency.provenance import storage_errors

KEY_BYTES = 32

_MOST_DAYS, _MOST_MINUTES = 365, 180


@dataclass(frozen=True)
class Offset:
    """How far dates and times of day are moved back."""

    days: int = 0
    minutes: int = 0
    """Later instead of earlier where negative."""

    def away_from_midnight(self, hour: int) -> "Offset":
        """Return the offset for an exam that began in some hour: times of the morning move later, all others earlier.

        So no time of an exam is moved over midnight, where its distance from the others would be lost.
        """
        return replace(self, minutes=-self.minutes) if hour < 12 else self


@dataclass(frozen=True)
class Pseudonyms:
    """Keyed names; whoever lacks the key can neither make nor undo them (HMAC-SHA256, RFC 2104)."""

    key: bytes

    def patient(self, identity: str) -> str:
        """Return for example P7K2M9QX4TD3 for a patient's identity."""
        return "P" + self._letters("patient", identity, 11)

    def site(self, institution: str) -> str:
        """Return for example “Site K7M2QX”, so that sites can be compared without being named."""
        return f"Site {self._letters('site', ' '.join(institution.upper().split()), 6)}"

    def uid(self, old: str) -> str:
        """Return the new UID of an old one: 2.25 followed by a number of 128 bits, as PS3.5, B.2 allows."""
        return f"2.25.{int.from_bytes(self._digest('uid', old)[:16])}"

    def offset(self, identity: str) -> "Offset":
        """Return by how much all dates and times of a patient are moved: 1 to 365 days, 1 to 180 minutes."""
        digest = self._digest("dates", identity)
        days, minutes = int.from_bytes(digest[:8]), int.from_bytes(digest[8:16])
        return Offset(1 + days % _MOST_DAYS, 1 + minutes % _MOST_MINUTES)

    def name(self, purpose: str, old: str) -> str:
        """Return a short name for a folder, a file or a path."""
        return self._letters(purpose, old, 13).lower()

    @property
    def fingerprint(self) -> str:
        """A name for the key itself, from which the key cannot be found."""
        return self.name("fingerprint", "")

    def _letters(self, purpose: str, text: str, n: int) -> str:
        number = int.from_bytes(self._digest(purpose, text)[:16])
        letters = []
        for _ in range(n):
            number, digit = divmod(number, len(_ALPHABET))
            letters.append(_ALPHABET[digit])
        return "".join(letters)

    def _digest(self, purpose: str, text: str) -> bytes:
        return hmac.digest(self.key, f"{purpose}\0{text}".encode("utf-8", "surrogateescape"), sha256)


_ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
"""Digits and letters that are not mistaken for each other."""


def read_or_make_key(path: Path) -> bytes:
    """Return the key of a file (64 hexadecimal digits); make the file, for its owner's eyes only, if there is none.

    Raises:
        PlanError: the file is no key, or others may read it.
        StorageError: the file cannot be written.
    """
    if not path.exists():
        key = secrets.token_bytes(KEY_BYTES)
        with storage_errors(path):
            path.parent.mkdir(0o700, parents=True, exist_ok=True)
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w") as file:
                file.write(key.hex() + "\n")
        return key
    if os.name == "posix" and path.stat().st_mode & 0o077:
        raise PlanError(f"The key {path.name} can be read by others. Make it yours alone: chmod 600 {path.name}")
    try:
        key = bytes.fromhex(path.read_text("ascii").strip())
    except (ValueError, OSError):
        key = b""
    if len(key) != KEY_BYTES:
        raise PlanError(f"{path.name} is not a key of lucency (64 hexadecimal digits). Name another file with --key.")
    return key
