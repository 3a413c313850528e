"""Labels that somebody made already: in the names of folders, in one table, in an archive."""

from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath

from lucency.data.ground_truth.tables import image_matcher, read_table, require_table, with_hashed_uids
from lucency.data.ground_truth.verdicts import Verdict, Verdicts, say
from lucency.data.naming import Naming
from lucency.domain.cohort import CohortRow
from lucency.domain.labels_plan import Labels


def from_folders(kept: Sequence[CohortRow], labels: Labels, naming: Naming) -> Verdicts:
    """Take the name of the folder that an image lies in."""
    return Verdicts([say(PurePosixPath(naming.path(row.source)).parent.name, labels.names) for row in kept])


def from_archive(kept: Sequence[CohortRow], labels: Labels, archive_labels: Mapping[str, str]) -> Verdicts:
    """Take the labels of a MedMNIST archive, by the source of each image."""
    return Verdicts([say(archive_labels.get(row.source, ""), labels.names) for row in kept])


def from_table(kept: Sequence[CohortRow], labels: Labels, naming: Naming) -> Verdicts:
    """Look each image up in the table; an image that stands there twice with different labels has none.

    Raises:
        SourceError: the table is missing, unreadable, empty, or lacks a column.
    """
    table = read_table(require_table(labels.table), [labels.image_column, labels.label_column])
    match = image_matcher(with_hashed_uids(table, labels.image_column, naming), labels.image_column)
    verdicts, matched = [], set()
    for row in kept:
        numbers = match(naming.path(row.source), row.instance_sha256, row.n_files > 1)
        matched.update(numbers)
        targets = {table[number][labels.label_column] for number in numbers}
        two = Verdict(code="E_DOUBLE_LABEL")
        verdicts.append(two if len(targets) > 1 else say("".join(targets), labels.names))
    return Verdicts(verdicts, tuple(number + 2 for number in range(len(table)) if number not in matched))
