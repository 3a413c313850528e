"""Pictures of lesions and marks: a lesion is drawn solid, a mark dashed, so that nobody needs colours to tell them apart."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from scipy import ndimage

from lucency.domain.detections import Detections, Lesion, Mark, pixels_of
from lucency.domain.plan import Plan
from lucency.randomness import generator
from lucency.study.pictures import AUGMENTED, LARGEST_SIDE, SAMPLES, write_pictures
from lucency.study.stage import Study

if TYPE_CHECKING:  # torch takes seconds to import; only stages that need it do
    from lucency.evaluation.detection.operating_point import MarkThreshold
    from lucency.training.drawn_images import DrawnImages

MARKED = "figures/marked.json"
"""Index of the pictures of hits, misses and false alarms."""
N_SAMPLES, N_DRAWS = 8, 7
_TRUTH, _MARK, _HALO = (255, 214, 0), (0, 229, 255), (0, 0, 0)
_DASH_PIXELS = 6

Picture = tuple[NDArray[np.float32], Mapping[str, object]]


def show_drawn_samples(study: Study, training: "DrawnImages") -> list[str]:
    """Write a few training images with their lesions, and two of them changed at random, lesions and all."""
    draw = generator(study.plan.seed, "sample sheet")
    with_lesions = np.array([n for n, lesions in enumerate(training.lesions) if lesions])
    without = np.array([n for n, lesions in enumerate(training.lesions) if not lesions], np.int64)
    n_without = min(len(without), N_SAMPLES // 4)
    chosen = [
        *np.sort(draw.permutation(with_lesions)[: N_SAMPLES - n_without]),
        *np.sort(draw.permutation(without)[:n_without]),
    ]
    images = training.images.inputs(np.array(chosen)).numpy()
    samples: list[Picture] = [
        (drawn_on(image, training.lesions[number], ()), {"caption": _kinds_in(training.lesions[number])})
        for number, image in zip(chosen, images, strict=True)
    ]
    files = write_pictures(study, SAMPLES, "sample", samples)
    sheet = list(_augmented(study.plan, training, [int(number) for number in chosen[:2]]))
    return [*files, *write_pictures(study, AUGMENTED, "augmented", sheet)]


def show_marks(study: Study, test: Detections, point: "MarkThreshold") -> list[str]:
    """Write pictures of the surest hits, of misses, and of the surest false alarms, at the frozen threshold."""
    from lucency.data.store import open_store
    from lucency.domain.cohort import CohortRow

    store = open_store(study.folder.path / "store")
    row_of = {row.image_id: row.store_row for row in study.folder.read_rows("cohort.csv", CohortRow)}
    pictures: list[Picture] = []
    for number, group in _cases(study.plan, test, point):
        image_id, lesions = test.image_ids[number], test.lesions[number]
        image = store.images[row_of[image_id]] / np.float32(store.white)
        marks = [mark for mark in test.marks[number] if mark.score >= point.threshold]
        caption = f"{image_id}: {_counted(len(lesions), 'lesion')}, {_counted(len(marks), 'mark')} above the threshold"
        facts = {"caption": caption, "group": group, "image_id": image_id}
        pictures.append((drawn_on(image, lesions, marks, is_named=len(test.kinds) > 1), facts))
    return write_pictures(study, MARKED, "marked", pictures)


def drawn_on(
    image: NDArray[np.float32], lesions: Sequence[Lesion], marks: Sequence[Mark], *, is_named: bool = False
) -> NDArray[np.float32]:
    """Return an image, axes (channel, row, column), with lesions solid and marks dashed, their scores beside them.

    With `is_named`, what a mark is taken for stands there too.

    Small images are enlarged first, so that lines stay thin. Fractions of white, axes (colour, row, column).
    """
    levels = np.rint(np.clip(image, 0, 1) * 255).astype(np.uint8)
    grey = levels[0] if len(levels) != 3 else np.moveaxis(levels, 0, -1)
    picture = Image.fromarray(grey).convert("RGB")
    scale = LARGEST_SIDE / max(picture.size)
    picture = picture.resize((round(picture.width * scale), round(picture.height * scale)), Image.Resampling.BICUBIC)
    pen = ImageDraw.Draw(picture)
    shape = (image.shape[1], image.shape[2])
    for lesion in lesions:
        _outline(picture, lesion, shape, scale, dashed=False)
    for mark in marks:
        _outline(picture, mark, shape, scale, dashed=True)
        left, top = mark.edges[0] * scale, max(mark.edges[1] * scale - 12, 0)
        name = f"{mark.kind} " if mark.kind and is_named else ""
        pen.text((left + 2, top), f"{name}{mark.score:.2f}", fill=_MARK, stroke_width=1, stroke_fill=_HALO)
    return np.moveaxis(np.asarray(picture), -1, 0).astype(np.float32) / np.float32(255)


def _augmented(plan: Plan, training: "DrawnImages", chosen: Sequence[int]) -> Iterator[Picture]:
    """Show images as they are, and as the first epochs change them."""
    from lucency.training.drawn_images import drawn_lessons

    if not plan.augmentation:
        return
    import torch

    from lucency.data.augmentation import make_augmenter

    lesson = drawn_lessons(training, make_augmenter(plan.augmentation, plan.seed))
    for number in chosen:
        batch = np.array([number])
        yield drawn_on(training.images.inputs(batch).numpy()[0], training.lesions[number], ()), {"caption": "original"}
        for epoch in range(N_DRAWS):
            images, lessons = lesson(batch, epoch, torch.device("cpu"))
            moved = [
                Lesion("", (left, top, right, bottom)) for left, top, right, bottom in lessons[0]["boxes"].tolist()
            ]
            yield drawn_on(images.numpy()[0], moved, ()), {"caption": f"epoch {epoch + 1}"}


def _cases(plan: Plan, test: Detections, point: "MarkThreshold") -> Iterator[tuple[int, str]]:
    """Choose images: with hits, evenly from the surest to the least sure; with misses; with false alarms, the surest first."""
    from lucency.evaluation.detection.matching import match

    matched = match(test, plan.detection.hit)
    counts = matched.scores >= point.threshold
    hits = _each_once(matched.image_of_mark[counts & matched.is_hit])
    step = max(1, len(hits) // max(1, plan.explanation.n_cases))
    yield from ((image, "hit") for image in hits[::step][: plan.explanation.n_cases])
    n_false = plan.report.n_worst // 2
    missed = _each_once(matched.image_of_lesion[matched.score_of_lesion < point.threshold])
    yield from ((image, "miss") for image in missed[: plan.report.n_worst - n_false])
    false = _each_once(matched.image_of_mark[counts & ~matched.is_hit])
    yield from ((image, "false alarm") for image in false[:n_false])


def _each_once(images: NDArray[np.int64]) -> list[int]:
    return list(dict.fromkeys(images.tolist()))


def _outline(picture: Image.Image, one: Lesion | Mark, shape: tuple[int, int], scale: float, *, dashed: bool) -> None:
    """Draw the border of a mask, or the edges of a box, with a dark halo."""
    line = _border(one, shape, picture.size, scale)
    if dashed:
        rows, columns = np.indices(line.shape)
        line = line & ((rows + columns) // _DASH_PIXELS % 2 == 0)
    pixels = np.asarray(picture).copy()
    pixels[ndimage.binary_dilation(line)] = _HALO
    pixels[line] = _MARK if dashed else _TRUTH
    picture.paste(Image.fromarray(pixels))


def _border(one: Lesion | Mark, shape: tuple[int, int], size: tuple[int, int], scale: float) -> NDArray[np.bool_]:
    if one.runs is None:
        canvas = Image.new("1", size)
        left, top, right, bottom = (edge * scale for edge in one.edges)
        ImageDraw.Draw(canvas).rectangle((left, top, max(right - 1, left), max(bottom - 1, top)), outline=1)
        return np.asarray(canvas)
    mask = Image.fromarray(pixels_of(one.runs, shape)).resize(size, Image.Resampling.NEAREST)
    pixels = np.asarray(mask)
    return pixels & ~ndimage.binary_erosion(pixels)


def _kinds_in(lesions: Sequence[Lesion]) -> str:
    return ", ".join(sorted({lesion.kind for lesion in lesions})) or "no lesion"


def _counted(n: int, noun: str) -> str:
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"
