"""Every error a user can meet, on one page.

A message is one sentence or two that say what happened, where, and what to do next. It never contains patient data.

    LucencyError
    ├── PlanError            the plan or an argument is wrong                        exit 2
    ├── SourceError          the images or labels named by the plan cannot be used   exit 2
    ├── StudyError           the study says no                                       exit 1
    │   ├── PatientLeakError     a patient or image stands in more than one part
    │   ├── SealError            the sealed test set was asked for too early
    │   ├── RecordError          the record or a file it vouches for was changed
    │   └── DivergenceError      the cost became infinite or undefined
    ├── StorageError         the disk is full or the folder is read-only             exit 1
    └── Interrupted          stopped by the user; run again to go on                 exit 130
"""

from typing import ClassVar


class LucencyError(Exception):
    """An expected failure, told to the user in plain words without a traceback."""

    exit_code: ClassVar[int] = 1


class PlanError(LucencyError):
    """The plan or an argument is wrong."""

    exit_code = 2


class SourceError(LucencyError):
    """The images or labels that the plan names cannot be used."""

    exit_code = 2


class StudyError(LucencyError):
    """The study says no: going on would give a result that cannot be trusted."""


class PatientLeakError(StudyError):
    """A patient or an image stands in more than one part of the split."""


class SealError(StudyError):
    """The sealed test set was asked for outside the evaluation."""


class RecordError(StudyError):
    """The record, or a file that it vouches for, was changed after it was written."""


class DivergenceError(StudyError):
    """Training ran away: the cost became infinite or undefined."""


class StorageError(LucencyError):
    """The study folder cannot be written."""


class Interrupted(LucencyError):  # noqa: N818 - stopping a study is a decision, not an error
    """The user stopped the study; what was finished is safe."""

    exit_code = 130
