"""Make labels of drawings: an image in which something is drawn is positive, or how much is drawn is its number."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from lucency.data.ground_truth.drawings.amounts import amount_drawn
from lucency.data.ground_truth.drawings.consensus import CONSENSUS, PairCounts, compare_readers, consensus_of
from lucency.data.ground_truth.drawings.finding import Found, find_drawings
from lucency.data.ground_truth.drawings.images import ImageOnDisk
from lucency.data.ground_truth.drawings.marks import Marks
from lucency.data.ground_truth.drawings.measuring import DrawingRow, measure
from lucency.data.ground_truth.drawings.reading import DrawnOn, read_drawings
from lucency.data.ground_truth.numbers import as_target
from lucency.data.reading import RefusedImage
from lucency.domain.labels_plan import Drawings
from lucency.domain.progress import Desk
from lucency.errors import SourceError


@dataclass(frozen=True)
class DrawnLabel:
    """The label of one image, or the reason why it has none."""

    image_id: str
    target: str
    """"pneumonia" or "no_pneumonia", or the number that is measured; empty when refused."""
    code: str = ""
    notes: tuple[str, ...] = ()
    n_voxels: int = 0
    """Pixels or voxels that were drawn and count."""
    votes: Mapping[str, bool] = field(default_factory=dict)
    """Whether each of several readers drew anything that counts."""

    @property
    def agreement(self) -> float | None:
        """Share of the readers who said what counts; None with a single reader."""
        if not self.votes:
            return None
        is_positive = not self.target.startswith("no_")
        return sum(vote == is_positive for vote in self.votes.values()) / len(self.votes)


@dataclass(frozen=True)
class DrawnLabels:
    """What the drawings of a study tell."""

    labels: tuple[DrawnLabel, ...]
    """One for each image that was kept, in their order."""
    rows: tuple[DrawingRow, ...]
    """What was drawn, one for each lesion (`drawings.csv`)."""
    pairs: tuple[PairCounts, ...]
    """How far each pair of readers agrees on each image; empty with one reader."""
    found: Found
    """The drawings of each image, and those that belong to none."""


Take = Callable[[DrawnOn, Marks], str]
"""Takes what counts of one image, and returns the code of a reason to refuse it."""


def labels_from_drawings(
    images: Sequence[ImageOnDisk], settings: Drawings, desk: Desk, take: Take = lambda *_: ""
) -> DrawnLabels:
    """Read all drawings and label every image that was kept; images that were refused keep their drawings to themselves.

    Whoever wants the drawings themselves gives a function that takes them as they are read.

    Raises:
        SourceError: the drawings are not there, or none shows a structure that counts.
        Interrupted: the user asked to stop.
    """
    found = find_drawings(images, settings)
    labels, rows, pairs = [], [], []
    for drawn in read_drawings(images, found, settings, desk):
        label, of_image, agreement = _label(drawn, settings, take)
        labels.append(label)
        rows += of_image
        pairs += agreement
    _refuse_misspelt(labels, rows, settings)
    return DrawnLabels(tuple(labels), tuple(rows), tuple(pairs), found)


def finding_of(settings: Drawings) -> str:
    """Return the name of the positive class; the other is called no_…."""
    return settings.structures[0] if len(settings.structures) == 1 else settings.finding


def marks_that_count(drawn: DrawnOn) -> Marks:
    """Return what was drawn by one reader, or the consensus of several."""
    if list(drawn.marks) in ([], [""]) or drawn.grid is None:
        return drawn.marks.get("", Marks())
    return consensus_of(drawn.marks, drawn.grid.shape)


def count_drawn(marks: Marks) -> int:
    """Count the pixels or voxels of all masks, and of boxes without one."""
    in_masks = sum(int((mask.voxels >= 0.5).sum()) for mask in marks.masks)
    return in_masks + sum(round(box.area) for box in marks.boxes)


def _label(drawn: DrawnOn, settings: Drawings, take: Take) -> tuple[DrawnLabel, list[DrawingRow], list[PairCounts]]:
    image_id, finding = drawn.image.image_id, finding_of(settings)
    if drawn.code:
        return DrawnLabel(image_id, "", drawn.code), [], []
    if settings.measure:
        return _measured(drawn, settings, settings.measure)
    if drawn.grid is None:
        code = take(drawn, Marks()) if settings.missing == "empty" else "E_NO_LABEL"
        return DrawnLabel(image_id, "" if code else f"no_{finding}", code), [], []
    marks = marks_that_count(drawn)
    if code := take(drawn, marks):
        return DrawnLabel(image_id, "", code), [], []
    n_voxels = count_drawn(marks)
    target = finding if n_voxels >= settings.at_least_pixels else f"no_{finding}"
    votes = {reader: count_drawn(one) >= settings.at_least_pixels for reader, one in drawn.marks.items() if reader}
    label = DrawnLabel(image_id, target, "", drawn.notes, n_voxels, votes)
    pairs = compare_readers(image_id, drawn.marks, drawn.grid.shape)
    return label, list(_rows(drawn, marks)), pairs


def _measured(
    drawn: DrawnOn, settings: Drawings, measure: str
) -> tuple[DrawnLabel, list[DrawingRow], list[PairCounts]]:
    """Label an image with how much was drawn; where nobody looked and that means nothing is there, with 0."""
    image_id = drawn.image.image_id
    if drawn.grid is None:
        is_empty = settings.missing == "empty"
        return DrawnLabel(image_id, as_target(0) if is_empty else "", "" if is_empty else "E_NO_LABEL"), [], []
    marks = marks_that_count(drawn)
    rows, pairs = list(_rows(drawn, marks)), compare_readers(image_id, drawn.marks, drawn.grid.shape)
    try:
        amount = amount_drawn(marks, measure, drawn.grid.shape, drawn.spacing_mm)
    except RefusedImage as reason:
        return DrawnLabel(image_id, "", reason.code), rows, pairs
    return DrawnLabel(image_id, as_target(amount), "", drawn.notes, count_drawn(marks)), rows, pairs


def _rows(drawn: DrawnOn, counting: Marks) -> Iterator[DrawingRow]:
    several = [counting] if any(mask.reader == CONSENSUS for mask in counting.masks) else []
    for marks in (*drawn.marks.values(), *several):
        yield from measure(drawn.image.image_id, marks, drawn.spacing_mm)


def _refuse_misspelt(labels: Sequence[DrawnLabel], rows: Sequence[DrawingRow], settings: Drawings) -> None:
    """Stop where nothing that was drawn bears a name that counts: all images would be negative."""
    if settings.structures and not rows and any(label.target for label in labels):
        raise SourceError(
            f"Nothing in the drawings is called {' or '.join(settings.structures)}. Check "
            "`data.labels.drawings.structures` against the names of segments, categories or `names`."
        )
