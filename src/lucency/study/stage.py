"""What a stage is, and what it works on."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from lucency.domain.plan import Plan
from lucency.domain.progress import Desk
from lucency.study.folder import StudyFolder


@dataclass(frozen=True)
class Study:
    """One study under way."""

    plan: Plan
    folder: StudyFolder
    desk: Desk


@dataclass(frozen=True)
class Stage:
    """One chapter of a study: it reads files of the folder, depends on some settings, and writes files."""

    name: str
    """The verb that the command line knows it by."""
    done_already: str
    """What to say when nothing has to be done."""
    settings: Callable[[Study], Any]
    """The part of the plan (and of the world outside) that it depends on, as plain JSON."""
    reads: Callable[[Plan], list[str]]
    """Files of earlier stages."""
    work: Callable[[Study, str], Iterable[str]]
    """Do it; gets the key of the stage and returns the files written."""
