"""What lucency asks of a PACS, whatever protocol it speaks."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from pydicom import Dataset

Level = Literal["STUDY", "SERIES", "IMAGE"]
Answer = dict[str, str]
"""What a PACS says of one exam, series or instance: DICOM keyword → value, several values joined by a backslash."""

Keep = Callable[["Instance", Iterable[bytes]], None]
"""Writes the bytes of an instance to its place; raises `RefusedInstance` when they are not what was asked for."""

NOT_FOUND = "NOT_FOUND"
NOT_SENT = "NOT_SENT"
OTHER_INSTANCE = "OTHER_INSTANCE"
NOT_DICOM = "NOT_DICOM"
TOO_LARGE = "TOO_LARGE"
REASONS = {
    NOT_FOUND: "not found any more",
    NOT_SENT: "not sent",
    OTHER_INSTANCE: "another instance was sent instead",
    NOT_DICOM: "what was sent is no DICOM file",
    TOO_LARGE: "larger than any image",
}
"""Why an instance that the PACS listed could not be fetched."""


@dataclass(frozen=True)
class Instance:
    """One image or other object in a PACS. Its UIDs come from outside: they are digits and dots, and never a path."""

    exam: str
    """Study Instance UID."""
    series: str
    """Series Instance UID."""
    uid: str
    """SOP Instance UID."""
    sop_class: str
    """SOP Class UID; empty where the PACS does not tell it."""
    n_in_series: int
    """Instances of its series, so that a whole series can be asked for as one."""


class Archive(Protocol):
    """A PACS with which one can speak."""

    def search(self, level: Level, match: Mapping[str, str], tell: Sequence[str]) -> list[Answer]:
        """Return all that matches, with the keywords of `match` and `tell`.

        Raises:
            PassingFault: it may go better later.
            SourceError: the PACS refuses.
        """

    def retrieve(self, wanted: Sequence[Instance], keep: Keep) -> Iterator[tuple[Instance, str]]:
        """Yield each instance when it has been kept, with "", or when it cannot be had, with the reason.

        Raises:
            PassingFault: it may go better later; what was yielded stays.
            SourceError: the PACS refuses.
        """

    def store(self, dataset: Dataset) -> bool:
        """Send a dataset with its file meta; tell whether the PACS has taken it.

        Raises:
            PassingFault: it may go better later.
            SourceError: the PACS refuses all files.
        """

    def close(self) -> None:
        """Hang up."""


class PassingFault(Exception):  # noqa: N818 - not a failure before it has lasted
    """Something that may pass (no connection, a busy server), with the sentence for the user should it last."""


class RefusedInstance(Exception):  # noqa: N818 - an outcome, as a refused image is
    """An instance that cannot be used, with the reason from `REASONS`."""

    def __init__(self, reason: str) -> None:
        super().__init__(REASONS[reason])
        self.reason = reason
