"""Compare what several people drew on the same images: overlap, sizes, the consensus, and a page to look at."""

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from lucency.data.codes import EXPLANATIONS
from lucency.data.ground_truth.drawings.consensus import compare_readers, consensus_of
from lucency.data.ground_truth.drawings.finding import find_drawings
from lucency.data.ground_truth.drawings.images import ImageOnDisk
from lucency.data.ground_truth.drawings.pictures import write_picture
from lucency.data.ground_truth.drawings.reading import DrawnOn, read_drawings
from lucency.data.ground_truth.drawings.volumes import write_nifti
from lucency.data.reading import RefusedImage
from lucency.domain.estimate import Estimate
from lucency.domain.labels_plan import Drawings
from lucency.domain.progress import Desk, Silence
from lucency.domain.readings import Readings, Scale
from lucency.errors import PlanError, SourceError
from lucency.evaluation.agreement.bland_altman import bland_altman
from lucency.evaluation.agreement.drawn import Average, DrawnPair, Overlap, overlap_of_masks
from lucency.provenance import write_atomically
from lucency.report import words
from lucency.report.sheet import Card, Chapter, Sheet, Table, render_sheet
from lucency.study.beside.masks import (
    REFUSED,
    TABLE,
    Fate,
    as_file_name,
    images_below,
    name_of,
    take_folder,
    write_rows,
)
from lucency.study.ground_truth.drawings import show_outlines
from lucency.study.pictures import png

AGREEMENT, ESTIMATES, PAGE = "agreement.csv", "agreement.json", "masks.html"
N_CASES = 24
"""Images on the page; all of them stand in the table."""
PICTURE_SIDE = 256
N_REFUSED = 100
"""Refused drawings on the page; all of them stand in the table."""
COMPARED = "compared"
MEDIAN_DICE = "median Dice"


@dataclass(frozen=True)
class PairRow:
    """How far two readers agree on one structure of one image (`agreement.csv`)."""

    image: str
    patient: str
    """P0001, P0002 …"""
    structure: str
    reader_1: str
    reader_2: str
    size_1: float
    """In `unit`, as is `difference`."""
    size_2: float
    difference: float
    """The first minus the second."""
    unit: str
    """mm³ of volumes, mm² of pictures, pixels where the spacing is not known."""
    n_1: int
    """Pixels or voxels."""
    n_2: int
    n_both: int
    dice: str
    """Empty where both drew nothing."""
    jaccard: str


@dataclass(frozen=True)
class Comparison:
    """What came out."""

    rows: tuple[PairRow, ...]
    estimates: tuple[Estimate, ...]
    fates: tuple[Fate, ...]
    n_images: int
    """Images on which at least two readers drew."""


def compare_masks(settings: Drawings, images: Path, out: Path, patient: str | None, desk: Desk) -> Comparison:
    """Compare the drawings of `settings.readers`, write tables, consensus masks and a page.

    Raises:
        SourceError: images or drawings are not there, or no image was drawn on by two readers.
        PlanError: the folder of results holds something else.
        StorageError: it cannot be written.
        Interrupted: the user asked to stop.
    """
    on_disk = images_below(images, desk)
    patients = _patients(on_disk, patient)
    found = find_drawings(on_disk, settings)
    take_folder(out)
    fates = [Fate(one.file, "", REFUSED, one.code, EXPLANATIONS[one.code]) for one in found.unmatched]
    rows: list[PairRow] = []
    drawn_on = [image for image in on_disk if image.source in found.of_source]
    for drawn in read_drawings(drawn_on, found, settings, desk):
        fates += _fates(drawn, _write_consensus(drawn, out) if len(drawn.marks) > 1 else "")
        rows += _pair_rows(drawn, patients[drawn.image.source])
    if not rows:
        raise SourceError(
            "No image was drawn on by two readers. Give each reader a folder of masks that are named after the images."
        )
    estimates = tuple(_estimates(rows))
    write_rows(out / AGREEMENT, PairRow, rows)
    write_atomically(
        out / ESTIMATES, json.dumps([asdict(one) for one in estimates], indent=1, ensure_ascii=False) + "\n"
    )
    cases = _least_first(rows)
    images_of = {image.source: image for image in on_disk}
    chosen = [images_of[source] for source in cases[:N_CASES]]
    shown = [next(read_drawings([image], found, settings, Silence())) for image in chosen]
    fates.sort(key=lambda fate: (fate.drawing, fate.image))
    comparison = Comparison(tuple(rows), estimates, tuple(fates), len(cases))
    write_atomically(out / PAGE, render_sheet(_sheet(comparison, list(_cards(shown, rows)), settings)))
    write_rows(out / TABLE, Fate, fates)
    return comparison


def _patients(images: Sequence[ImageOnDisk], pattern: str | None) -> dict[str, str]:
    """Give each patient a number: by a pattern on the file name, by the DICOM header, or each image one of its own.

    Raises:
        PlanError: the pattern is no regular expression, or does not find the patient of an image.
    """
    named = {image.source: image.patient_id or image.source for image in images}
    if pattern is not None:
        named = {image.source: _caught(pattern, image.source) for image in images}
    numbers = {name: f"P{n:04d}" for n, name in enumerate(sorted(set(named.values())), start=1)}
    return {source: numbers[name] for source, name in named.items()}


def _caught(pattern: str, source: str) -> str:
    try:
        match = re.search(pattern, source.rpartition("/")[2]) or re.search(pattern, source)
    except re.error as error:
        raise PlanError(f"--patient is not a regular expression: {error}. Try it on one file name.") from None
    if match is None:
        raise PlanError("--patient does not find the patient in the name of every image. Correct the pattern.")
    return "-".join(filter(None, match.groups())) or match.group()


def _write_consensus(drawn: DrawnOn, out: Path) -> str:
    """Write the consensus of one image, a file for each structure; return their names below the folder of results."""
    assert drawn.grid is not None
    files = []
    for mask in consensus_of(drawn.marks, drawn.grid.shape).masks:
        name = f"consensus/{name_of(drawn.image)}_{as_file_name(mask.name)}"
        if drawn.grid.shape[0] == 1:
            write_picture(out / f"{name}.png", mask.voxels[0])
        else:
            like = drawn.image.files[0] if len(drawn.image.files) == 1 else None
            write_nifti(out / f"{name}.nii.gz", mask.voxels, drawn.grid, like)
        files.append(f"{name}.png" if drawn.grid.shape[0] == 1 else f"{name}.nii.gz")
    return "; ".join(files)


def _fates(drawn: DrawnOn, output: str) -> list[Fate]:
    if drawn.code:
        why = EXPLANATIONS[drawn.code]
        return [Fate(file, drawn.image.source, REFUSED, drawn.code, why) for file in drawn.files]
    names = "; ".join(sorted({name for marks in drawn.marks.values() for name in marks.names}))
    notes = " ".join(drawn.notes)
    return [Fate(file, drawn.image.source, COMPARED, "", "", notes, names, output=output) for file in drawn.files]


def _pair_rows(drawn: DrawnOn, patient: str) -> Iterator[PairRow]:
    """Measure each pair of readers on one image."""
    if drawn.grid is None or len(drawn.marks) < 2:
        return
    voxel, unit = _voxel(drawn)
    for pair in compare_readers(drawn.image.source, drawn.marks, drawn.grid.shape):
        union = pair.n_first + pair.n_second - pair.n_both
        yield PairRow(
            image=pair.image_id,
            patient=patient,
            structure=pair.structure,
            reader_1=pair.first,
            reader_2=pair.second,
            size_1=round(pair.n_first * voxel, 4),
            size_2=round(pair.n_second * voxel, 4),
            difference=round((pair.n_first - pair.n_second) * voxel, 4),
            unit=unit,
            n_1=pair.n_first,
            n_2=pair.n_second,
            n_both=pair.n_both,
            dice=f"{2 * pair.n_both / (pair.n_first + pair.n_second):.4f}" if union else "",
            jaccard=f"{pair.n_both / union:.4f}" if union else "",
        )


def _voxel(drawn: DrawnOn) -> tuple[float, str]:
    """Return the size of one voxel or pixel, and its unit."""
    if drawn.spacing_mm is None:
        return 1.0, "pixels"
    if drawn.grid is not None and drawn.grid.shape[0] > 1:
        return float(np.prod(drawn.spacing_mm)), "mm³"
    return float(np.prod(drawn.spacing_mm[1:])), "mm²"


def _estimates(rows: Sequence[PairRow]) -> Iterator[Estimate]:
    """Estimate overlap and difference in size of each pair of readers, structure by structure."""
    for structure, first, second in sorted({(row.structure, row.reader_1, row.reader_2) for row in rows}):
        of_pair = [row for row in rows if (row.structure, row.reader_1, row.reader_2) == (structure, first, second)]
        counts = np.array([(row.n_1, row.n_2, row.n_both) for row in of_pair], np.int64)
        silent = [reader for reader, n in zip((first, second), counts.sum(axis=0), strict=False) if n == 0]
        if len(silent) == 1:
            yield _not_comparable(structure, first, second, silent[0], len(of_pair))
            continue
        drawn = DrawnPair((first, second), tuple(row.patient for row in of_pair), counts)
        found = [
            overlap_of_masks(drawn, Overlap.DICE, Average.MEDIAN),
            overlap_of_masks(drawn, Overlap.DICE, Average.MEAN),
            overlap_of_masks(drawn, Overlap.JACCARD, Average.MEDIAN),
            *_differences(structure, of_pair),
        ]
        yield from (replace(one, group=f"{structure}: {one.group}") for one in found)


def _not_comparable(structure: str, first: str, second: str, silent: str, n: int) -> Estimate:
    """Say that one of two readers drew nothing of this name anywhere: then the names differ, and not the masks."""
    note = (
        f"{silent} drew nothing that is called “{structure}” on any image. Structures are compared by name: give masks the "
        "name of the boxes or segments, with --set finding=… or --set names=…"
    )
    return Estimate(
        MEDIAN_DICE, None, None, None, n, "image", "", group=f"{structure}: {first} and {second}", note=note
    )


def _differences(structure: str, rows: Sequence[PairRow]) -> Iterator[Estimate]:
    """Estimate the bias of the sizes and its limits, in one unit; images without spacing do not mix with others."""
    unit = Counter(row.unit for row in rows).most_common(1)[0][0]
    alike = [row for row in rows if row.unit == unit]
    readings = Readings(
        structure,
        tuple(row.image for row in alike),
        tuple(row.patient for row in alike),
        (rows[0].reader_1, rows[0].reader_2),
        Scale.RATIO,
        np.array([(row.size_1, row.size_2) for row in alike], float),
    )
    for one in bland_altman(readings, rows[0].reader_1, rows[0].reader_2):
        yield replace(one, name=f"{one.name} of size ({unit})")


def _least_first(rows: Sequence[PairRow]) -> list[str]:
    """Order the images by the least Dice of any pair and structure; those on which nobody drew come last."""
    least: dict[str, float] = {}
    for row in rows:
        least[row.image] = min(least.get(row.image, 2.0), float(row.dice) if row.dice else 2.0)
    return sorted(least, key=lambda image: (least[image], image))


def _cards(shown: Sequence[DrawnOn], rows: Sequence[PairRow]) -> Iterator[Card]:
    for drawn in shown:
        try:
            picture, colours = show_outlines(drawn, PICTURE_SIDE, close=True)
        except RefusedImage:  # gone since: the page does without
            continue
        of_image = [row for row in rows if row.image == drawn.image.source]
        facts = [(reader, f"{colour} line") for reader, colour in colours.items()]
        facts += [
            (f"Dice {row.reader_1}–{row.reader_2}, {row.structure}", row.dice or "both empty") for row in of_image
        ]
        yield Card(png(picture), drawn.image.source, tuple(facts))


def _sheet(comparison: Comparison, cards: Sequence[Card], settings: Drawings) -> Sheet:
    readers = list(settings.readers)
    refused = [fate for fate in comparison.fates if fate.fate == REFUSED]
    chapters = [
        Chapter(
            "Agreement",
            "Dice is twice the common part over the sum of both; 1 is the same mask, 0 nothing in common. Intervals come from "
            "resampling patients. The bias says how much more the first reader draws; 95 % of differences lie within the limits "
            "of agreement.",
            tables=tuple(_tables(comparison.estimates)),
        ),
        Chapter(
            "Where they agree least",
            "Where lines of two readers run together, they are dashed in both colours. The slice shown is the one on which "
            "most is drawn, enlarged around the outlines.",
            cards=tuple(cards),
        ),
    ]
    if refused:
        lines = tuple((fate.drawing, fate.code, fate.reason) for fate in refused[:N_REFUSED])
        text = f"{len(refused)} drawings were not compared; {TABLE} lists all of them."
        chapters.append(Chapter("Refused", text, tables=(Table(("Drawing", "Code", "Why"), lines),)))
    return Sheet(
        f"What {' and '.join((', '.join(readers[:-1]), readers[-1]))} drew",
        (
            f"{len(readers)} readers, {comparison.n_images} images drawn on by at least two of them. The consensus (STAPLE, "
            "Warfield 2004) stands in the folder consensus; every image stands in agreement.csv.",
        ),
        chapters=tuple(chapters),
    )


def _tables(estimates: Sequence[Estimate]) -> Iterator[Table]:
    for group in dict.fromkeys(one.group for one in estimates):
        lines = tuple((one.name, *_value_and_interval(one), str(one.n)) for one in estimates if one.group == group)
        notes = " ".join(dict.fromkeys(one.note for one in estimates if one.group == group and one.note))
        yield Table(("", "Value", "95 % interval", "Images"), lines, f"{group}. {notes}".strip())


def _value_and_interval(estimate: Estimate) -> tuple[str, str]:
    """Write an overlap with three digits behind the point, and a size with no more than tell something."""
    if " of size " not in estimate.name or estimate.value is None:
        return words.value(estimate), words.interval(estimate)
    n_digits = 0 if abs(estimate.value) >= 100 else 1
    low, high = (words.number(end, n_digits) if end is not None else "–" for end in (estimate.low, estimate.high))
    return words.number(estimate.value, n_digits), f"{low} to {high}"
