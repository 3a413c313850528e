"""Read the ground truth that a plan names, from wherever it comes."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from lucency.domain.cohort import CohortRow
from lucency.domain.labels_plan import Labels
from lucency.study.images import naming_of
from lucency.study.stage import Study

if TYPE_CHECKING:  # pandas takes time to import; only stages that need it do
    from lucency.data.ground_truth.verdicts import Verdicts


def read_ground_truth(study: Study, kept: Sequence[CohortRow], labels: Labels) -> "Verdicts":
    """Return what one ground truth says about the kept images.

    Raises:
        SourceError: a table, report or mask cannot be used.
    """
    from lucency.data.ground_truth.one_source import from_archive, from_folders, from_table
    from lucency.data.sources import archive_labels

    if labels.from_ == "table":
        return from_table(kept, labels, naming_of(study))
    if labels.from_ == "archive":
        return from_archive(kept, labels, archive_labels(study.plan.data))
    if labels.drawings is not None and labels.from_ in ("masks", "boxes"):
        from lucency.study.drawings import read_drawn_ground_truth

        return read_drawn_ground_truth(study, kept, labels.drawings)
    return from_folders(kept, labels, naming_of(study))
