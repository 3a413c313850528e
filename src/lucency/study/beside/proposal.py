"""Look at a source of images and propose a plan, with comments and with what is unclear."""

import os
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from lucency.data.reading import ImageFile, RefusedImage
from lucency.data.sources import Candidate, find_images
from lucency.domain.data_plan import PACS_SCHEMES, Data
from lucency.errors import SourceError
from lucency.study.beside.table_proposal import TableGuess, find_table

N_LOOKED_AT = 40
"""Images opened to learn sizes and headers; enough to propose, and quick on a network drive."""
N_SLICES = 16
"""Slices of a volume in a proposal: enough to see an organ, and quick to train."""
CROSS_SECTIONS = {"CT", "MR", "PT"}
"""Modalities whose files are slices of a volume."""
NAME_RULES = (
    (r"^(.+)[-_ ]\d+\.[^.]+$", "everything before the last number of the file name"),
    (r"^([A-Za-z]*[-_ ]?\d+)", "the beginning of the file name up to the end of its first number"),
)
"""Where file names usually hide the patient."""


@dataclass(frozen=True)
class Proposal:
    """A plan to read and correct."""

    plan: str
    """study.yaml with comments."""
    remarks: tuple[str, ...]
    """What was seen, and what must be checked."""


@dataclass(frozen=True)
class _Guess:
    """A section of the plan with the remark that goes with it."""

    lines: tuple[str, ...]
    remark: str
    task: str = "classification"
    more: tuple[str, ...] = ()
    """Lines of the plan that follow those of the data."""


def propose(source: Path, plan_folder: Path) -> Proposal:
    """Propose a plan for the images in `source`, to be saved in `plan_folder`.

    Raises:
        SourceError: there are no readable images, or the source is a PACS.
    """
    if f"{str(source).partition('/')[0]}//" in PACS_SCHEMES:  # a path has lost its second slash
        raise SourceError(
            "`lucency init` looks at folders, not into a PACS. Write the plan by hand: give the address as `data.images`, the "
            "exams in `data.pacs` and the labels in a table; the documentation shows one under “Fetch images from a PACS”."
        )
    found = find_images(Data(images=str(source.resolve())))
    looks = _look(found.candidates)
    sizes = Counter(look.pixels.shape[:2] for look in looks)
    labels = _guess_labels(found.candidates, looks, source, plan_folder)
    patient = _guess_patient(found.candidates, looks)
    size = _guess_size(sizes)
    has_volumes = _are_slices(looks)
    path = Path(os.path.relpath(source.resolve(), plan_folder)).as_posix()
    official = any(candidate.official_part for candidate in found.candidates)
    plan = [
        f"# A plan for the images in {path}. Settings that are left out keep their defaults: `lucency schema` lists them all.",
        "title: A deep-learning study",
        f"task: {labels.task}",
        "data:",
        f"  images: {_quoted(path)}",
        *labels.lines,
        *patient.lines,
        _image_line(size, has_volumes),
        *labels.more,
        *(
            ["split: {official: true}".ljust(40) + "# the parts that the data set itself prescribes"]
            if official
            else []
        ),
        "network: {architecture: resnet18}".ljust(40) + "# or small_cnn, which trains in minutes without a GPU",
        "training: {epochs: 30}",
    ]
    kinds = Counter(_suffix(candidate.source) for candidate in found.candidates)
    seen = (
        ", ".join(f"{n} {kind}" for kind, n in kinds.most_common(4))
        if not official
        else f"{len(found.candidates)} images"
    )
    kind = " (slices of volumes: CHECK)" if has_volumes else ""
    shapes = ", ".join(f"{rows}×{columns}" for (rows, columns), _ in sizes.most_common(3))
    remarks = (
        f"Found {seen}; sizes {shapes}{' …' if len(sizes) > 3 else ''} pixels{kind}.",
        labels.remark,
        patient.remark,
    )
    return Proposal("\n".join(plan) + "\n", remarks)


def _look(candidates: tuple[Candidate, ...]) -> list[ImageFile]:
    """Open images spread evenly over the whole source."""
    step = max(1, len(candidates) // N_LOOKED_AT)
    looks = []
    for candidate in candidates[::step][:N_LOOKED_AT]:
        try:
            looks.append(candidate.read()[0])
        except RefusedImage:
            continue
    if not looks:
        raise SourceError(
            f"None of {min(len(candidates), N_LOOKED_AT)} images could be read. Check that they are whole."
        )
    return looks


def _suffix(source: str) -> str:
    path = PurePosixPath(source.lower())
    return "".join(path.suffixes[-2:]) if path.suffix == ".gz" else path.suffix or "no suffix"


def _guess_size(sizes: Counter[tuple[int, ...]]) -> int:
    """Keep small images as they are, and bring larger ones to the usual 224 pixels."""
    return min(224, max(max(shape) for shape in sizes))


def _are_slices(looks: list[ImageFile]) -> bool:
    """Tell whether the images are slices of volumes, several in a file or in a series."""
    series = {look.facts.series for look in looks if look.facts.modality in CROSS_SECTIONS}
    return any(look.frame for look in looks) or 0 < len(series) < len(looks)


def _image_line(size: int, has_volumes: bool) -> str:
    if has_volumes:
        form = f"  image: {{size: {size}, n_slices: {N_SLICES}}}".ljust(40)
        return form + "# CHECK: volumes of slices; without n_slices every slice or frame is an image of its own"
    return f"  image: {{size: {size}}}".ljust(40) + "# height and width in pixels that every image is brought to"


def _guess_labels(candidates: tuple[Candidate, ...], looks: list[ImageFile], source: Path, plan_folder: Path) -> _Guess:
    if any(candidate.archive_label for candidate in candidates):
        counts = Counter(candidate.archive_label for candidate in candidates)
        names = "{" + ", ".join(f"'{name}': class_{name}" for name in sorted(counts)) + "}"
        return _Guess(
            (f"  labels: {{from: archive, names: {names}}}  # CHECK: give the codes their names",),
            f"Labels lie in the archive: {_counted(counts)}.",
        )
    counts = Counter(PurePosixPath(candidate.source).parent.name for candidate in candidates)
    if any(look.facts.instance for look in looks) and len(counts) > 1:
        return _Guess(
            (
                "  # CHECK: are these folders the classes, and not sites or patients? If not: {from: table, table: labels.csv}",
                "  labels: {from: folder}",
            ),
            f"The DICOM files lie in folders ({_counted(counts)}): CHECK whether these are the classes.",
        )
    if 2 <= len(counts) <= 50 and "" not in counts and min(counts.values()) > 1:
        return _Guess(
            ("  labels: {from: folder}".ljust(40) + "# the folder of an image is its class",),
            f"The folders look like classes: {_counted(counts)}.",
        )
    table = find_table(source, plan_folder, candidates)
    if table:
        return _of_table(table)
    return _Guess(
        (
            "  # CHECK: name the table and its columns",
            "  labels: {from: table, table: labels.csv, image_column: image, label_column: label}",
        ),
        "The folders do not look like classes: name a table with the labels in the plan (CHECK).",
    )


def _of_table(table: TableGuess) -> _Guess:
    """Propose to learn the column of a table: a number where it holds many, else a class."""
    columns = f"image_column: {_text(table.image_column)}, label_column: {_text(table.label_column)}"
    lines = (
        "  # CHECK: is this the column that shall be learnt?",
        f"  labels: {{from: table, table: {_text(table.path)}, {columns}}}",
    )
    seen = f"The table {table.path} names the images, and its column “{table.label_column}” holds {table.n_values} different"
    if not table.is_number:
        return _Guess(lines, f"{seen} values: CHECK whether these are the classes.")
    measured = f"regression: {{quantity: {_text(table.label_column)}, unit: ''}}".ljust(40) + "# CHECK: name the unit"
    return _Guess(lines, f"{seen} numbers: CHECK whether they shall be measured.", "regression", (measured,))


def _guess_patient(candidates: tuple[Candidate, ...], looks: list[ImageFile]) -> _Guess:
    if all(look.facts.patient for look in looks):
        return _Guess(("  patient: dicom",), "The DICOM headers name the patients.")
    if any(candidate.archive_label for candidate in candidates):
        return _Guess(
            ("  patient: each_image".ljust(40) + "# CHECK: archives do not say which images are of one patient",),
            "The archive does not name patients: CHECK that each image is from another one.",
        )
    names = [PurePosixPath(candidate.source).name for candidate in candidates]
    is_archive = any(candidate.archive_label for candidate in candidates)  # its numbers count images, not patients
    for pattern, words in NAME_RULES if not is_archive else ():
        caught = [match.group(1) for match in (re.search(pattern, name) for name in names) if match]
        if len(caught) == len(names) and 1 < len(set(caught)) < len(names):
            return _Guess(
                (f"  # CHECK: {words}, is that the patient?", f"  patient: {{from: filename, pattern: '{pattern}'}}"),
                f"The patient may be {words} ({len(set(caught))} patients with {len(names)} images): CHECK the pattern.",
            )
    return _Guess(
        (
            "  # CHECK: the patient is not known. Give a pattern or a column, or say that every image is from another patient:",
            "  # patient: each_image",
        ),
        "The patient of an image is not known, and the split must be by patient: answer CHECK in the plan.",
    )


def _counted(counts: Counter[str]) -> str:
    return ", ".join(f"{n} {name}" for name, n in counts.most_common(6)) + (" …" if len(counts) > 6 else "")


def _text(text: str) -> str:
    """Write a text into YAML so that it stays a text, whatever it says: no, 1, 2024-03-01."""
    return "'" + text.replace("'", "''") + "'"


def _quoted(path: str) -> str:
    return path if re.fullmatch(r"[\w./-]+", path) else _text(path)
