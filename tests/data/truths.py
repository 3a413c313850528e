"""Label a cohort as the stage of a study does, without a study."""

from collections.abc import Mapping, Sequence

from lucency.data.ground_truth.labelling import Labelling, label
from lucency.data.ground_truth.one_source import from_archive, from_folders, from_table
from lucency.data.ground_truth.verdicts import Verdicts
from lucency.data.naming import SAME_NAMES
from lucency.domain.cohort import KEPT, CohortRow
from lucency.domain.labels_plan import Labels


def verdicts_on(cohort: Sequence[CohortRow], labels: Labels, archive: Mapping[str, str] | None = None) -> Verdicts:
    """Ask the ground truth about the kept images."""
    kept = [row for row in cohort if row.status == KEPT]
    if labels.from_ == "archive":
        return from_archive(kept, labels, archive or {})
    return (from_table if labels.from_ == "table" else from_folders)(kept, labels, SAME_NAMES)


def labelling_of(cohort: Sequence[CohortRow], labels: Labels, archive: Mapping[str, str] | None = None) -> Labelling:
    """Label the kept images."""
    kept = [row for row in cohort if row.status == KEPT]
    return label(kept, labels, verdicts_on(cohort, labels, archive).verdicts)
