"""Write synthetic images of a finished study, each marked so that nobody takes it for a patient's.

An image that lies nearer to a training image than nearly all unseen real ones do is not given: it may be a copy.
"""

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from lucency import __version__
from lucency.domain.parts import Part
from lucency.domain.tasks import SYNTHESIS
from lucency.errors import PlanError, RecordError, StudyError
from lucency.provenance import head_code, write_atomically
from lucency.study.cohort import classes_of
from lucency.study.folder import STAGE_DONE, StudyFolder
from lucency.study.stage import Study
from lucency.study.synthesis.files import FACTS
from lucency.study.synthesis.generator import WEIGHTS, Maker, drawn_classes, load_maker
from lucency.study.synthesis.making import AT_ONCE, class_shares

TABLE = "images.csv"
MOST_TRIES = 10
"""Images made for each one asked for, before the study says that its generator copies too much."""
WARNING = "Synthetic image, made by a network. It shows no patient and must not be used for a diagnosis."


@dataclass(frozen=True)
class Given:
    """One synthetic image that was written (`images.csv`)."""

    file: str
    number: int
    """The same number of the same study is always the same image."""
    target: str
    """Class that was asked for; empty where the generator is told none."""
    distance: str
    """To the nearest training image, as a share of the grey scale."""


def give_images(study: Study, n_images: int, target: str | None, first: int, out: Path) -> tuple[Given, ...]:
    """Write synthetic images as PNG files with a table beside them; return what was written.

    `first` is the number of the first image, so that another call can go on where one ended.

    Raises:
        PlanError: the study is of another task, knows no such class, or the folder is not empty.
        StudyError: the images were not judged yet, or too many of them are near to a training image.
    """
    _refuse(study, target, out)
    learnt, limit = _learnt(study), study.folder.read_json(FACTS)["suspect_below"]
    maker, head = load_maker(study), head_code(study.folder.record.head)
    given: list[Given] = []
    with study.desk.progress("Writing synthetic images", n_images) as progress:
        for number, name, image, distance in _images(study, maker, target, first, n_images, learnt):
            if distance >= limit:
                file = f"synthetic-{_plain(name)}{'-' if name else ''}{number:06d}.png"
                write_atomically(out / file, _marked_png(image, name, f"{head} no. {number}"))
                given.append(Given(file, number, name, f"{distance:.5f}"))
                progress.advance()
            if len(given) == n_images:
                break
    if len(given) < n_images:
        raise StudyError(
            f"Of {MOST_TRIES * n_images} images only {len(given)} were far enough from every training image to be given. The "
            "generator copies: train it with more patients or fewer epochs."
        )
    write_atomically(out / TABLE, _table(given))
    return tuple(given)


def _refuse(study: Study, target: str | None, out: Path) -> None:
    """Stop before any work when something does not fit."""
    folder = study.folder
    if study.plan.task != SYNTHESIS:
        raise PlanError(f"This is a study of {study.plan.task}, and has no generator. Give one with `task: synthesis`.")
    done = folder.record.last(STAGE_DONE, stage="train")
    if done is None or not (folder.path / FACTS).exists():
        raise StudyError("The images of this study were not judged yet. Run `lucency run` on it first.")
    if folder.hash(WEIGHTS) != done.payload["writes"][WEIGHTS]:
        raise RecordError(f"{WEIGHTS} was changed after it was written. Run `lucency run` to make it again.")
    classes = classes_of(study)
    if target is not None and not study.plan.synthesis.conditional:
        raise PlanError("This generator was told no classes, so that none can be asked for. Leave --class out.")
    if target is not None and target not in classes:
        raise PlanError(f"“{target}” is no class of this study. Choose one of: {', '.join(classes)}.")
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise PlanError(f"{out} is not empty. Choose another folder with --out.")


def _images(
    study: Study, maker: Maker, target: str | None, first: int, n_images: int, learnt: NDArray[np.float64]
) -> Iterator[tuple[int, str, NDArray, float]]:
    """Make numbered images, each with its class and its distance to the nearest training image."""
    from lucency.evaluation.synthesis.pictures import nearest, thumbnails

    classes, shares = classes_of(study), class_shares(study)
    for start in range(first, first + MOST_TRIES * n_images, AT_ONCE):
        numbers = np.arange(start, min(start + AT_ONCE, first + MOST_TRIES * n_images))
        targets = drawn_classes(numbers, shares, study.plan.seed)
        if target is not None:
            targets = np.full(len(numbers), classes.index(target))
        images = maker.numbered(numbers, targets, "noise of images to give")
        found, _ = nearest(thumbnails(images, int(np.iinfo(maker.dtype).max)), learnt)
        names = [classes[index] if study.plan.synthesis.conditional else "" for index in targets]
        yield from zip(numbers.tolist(), names, images, found.tolist(), strict=True)


def _learnt(study: Study) -> NDArray[np.float64]:
    """Return thumbnails of the images that the generator learnt from."""
    from lucency.study.synthesis.sight import images_of, thumbnails_of

    return thumbnails_of(images_of(study, Part.TRAINING))


def _marked_png(image: NDArray, name: str, origin: str) -> bytes:
    """Encode an image, axes (channel, row, column), with what it is in the file's own text."""
    marks = PngInfo()
    marks.add_text("Description", WARNING)
    marks.add_text("Synthetic", "yes")
    marks.add_text("Class", name)
    marks.add_text("Source", f"lucency {__version__}, study {origin}")
    picture = Image.fromarray(image[0] if len(image) == 1 else np.moveaxis(_eight_bits(image), 0, -1))
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", pnginfo=marks)
    return buffer.getvalue()


def _eight_bits(image: NDArray) -> NDArray[np.uint8]:
    """Bring colours to the depth that PNG files of colours are written in."""
    return (image // 257 if image.dtype == np.uint16 else image).astype(np.uint8)


def _plain(name: str) -> str:
    """Write the name of a class with letters that every system takes in a file's name."""
    return re.sub(r"[^A-Za-z0-9]+", "-", name).strip("-")


def _table(given: list[Given]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(asdict(given[0])), lineterminator="\n")
    writer.writeheader()
    writer.writerows(asdict(one) for one in given)
    return text.getvalue()


def open_finished(path: Path) -> StudyFolder:
    """Return the folder of a study.

    Raises:
        PlanError: the folder holds no study.
    """
    if not (path / "record.jsonl").exists():
        raise PlanError(f"{path} holds no study (there is no record.jsonl). Give the folder that `lucency run` wrote.")
    return StudyFolder(path.resolve())
