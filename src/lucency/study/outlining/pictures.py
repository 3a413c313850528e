"""Pictures of predicted masks beside the truth: the worst, middling and best cases of a segmentation."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from lucency.domain.cohort import CohortRow
from lucency.domain.segmentation import Configuration
from lucency.study.outlining.configuring import is_of_volumes, prepared_image
from lucency.study.outlining.structures import placement_of
from lucency.study.pictures import LARGEST_SIDE, write_pictures
from lucency.study.stage import Study

if TYPE_CHECKING:
    from lucency.evaluation.overlap.case import CaseResult

OUTLINED = "figures/outlined.json"
Masks = tuple[NDArray[np.uint8], NDArray[np.uint8]]
"""The true and the predicted label map of an image, axes (slice, row, column) on its own grid."""
N_OTHERS = 4
"""Middling cases shown, and as many of the best; the plan says how many of the worst, but no more than a quarter."""
BEST, MIDDLING, WORST, FALSE_ALARM = "best", "middling", "worst", "false alarm"

_PAIRS = (("sky blue", "orange"), ("green", "pink"), ("yellow", "red"))
"""Colours of truth and prediction, for one structure after another."""
_DASH = 8
"""Pixels after which a dashed line begins anew."""


def choose_cases(results: "Sequence[CaseResult]", n_worst: int) -> list[tuple[str, str]]:
    """Choose images to look at, each with its kind: by the mean Dice of the structures that are there.

    The worst come first, then middling, best, and the largest of what was marked where nothing was.
    """
    of_image: dict[str, list[float]] = {}
    for result in results:
        if result.n_truth and result.dice is not None:
            of_image.setdefault(result.image_id, []).append(result.dice)
    ranked = sorted(of_image, key=lambda image: (np.mean(of_image[image]), image))
    n_bad = min(n_worst, -(-len(ranked) // 4))
    n_good = min(N_OTHERS, len(ranked) // 4)
    between = ranked[n_bad : len(ranked) - n_good]
    start = max(0, (len(between) - N_OTHERS) // 2)
    alarms: dict[str, int] = {}
    for result in results:
        if result.image_id not in of_image and result.n_predicted:
            alarms[result.image_id] = alarms.get(result.image_id, 0) + result.n_predicted
    largest = sorted(alarms, key=lambda image: (-alarms[image], image))[:N_OTHERS]
    kinds = (
        (WORST, ranked[:n_bad]),
        (MIDDLING, between[start : start + N_OTHERS]),
        (BEST, ranked[len(ranked) - n_good :][::-1]),
        (FALSE_ALARM, largest),
    )
    return [(image, kind) for kind, images in kinds for image in images]


def show_outlines(
    study: Study,
    configuration: Configuration,
    images: Sequence[CohortRow],
    masks: Mapping[str, Masks],
    results: "Sequence[CaseResult]",
) -> list[str]:
    """Write the chosen cases with the outlines of truth (solid) and prediction (dashed)."""
    row_of, pictures = {image.image_id: image for image in images}, []
    for image_id, kind in choose_cases(results, study.plan.report.n_worst):
        of_image = [result for result in results if result.image_id == image_id]
        plane, truth, predicted = _plane(study, configuration, row_of[image_id], masks[image_id])
        picture = draw_outlines(plane, truth, predicted, len(configuration.structures))
        facts = {"kind": kind, "image_id": image_id, "group": of_image[0].group, "caption": _caption(of_image)}
        pictures.append((picture, facts))
    return write_pictures(study, OUTLINED, "outlined", pictures)


def draw_outlines(
    plane: NDArray[np.float32], truth: NDArray[np.uint8], predicted: NDArray[np.uint8], n_structures: int
) -> NDArray[np.float32]:
    """Enlarge what lies around the outlines, and draw them: the truth solid, the prediction dashed.

    Fractions of white, axes (row, column) or (row, column, colour), and label maps, axes (row, column); out come axes
    (colour, row, column).
    """
    from lucency.data.ground_truth.drawings.outlines import COLOURS, window_around

    window = window_around((truth > 0) | (predicted > 0))
    levels = np.rint(np.clip(plane[window], 0, 1) * 255).astype(np.uint8)
    scale = LARGEST_SIDE / max(levels.shape[:2])
    size = max(1, round(levels.shape[1] * scale)), max(1, round(levels.shape[0] * scale))
    canvas = np.array(Image.fromarray(levels).convert("RGB").resize(size, Image.Resampling.BILINEAR))
    on_dash = _dashes(canvas.shape[:2])
    for label in range(1, n_structures + 1):
        solid, dashed = _PAIRS[(label - 1) % len(_PAIRS)]
        canvas[_outline(truth[window] == label, size)] = COLOURS[solid]
        canvas[_outline(predicted[window] == label, size) & on_dash] = COLOURS[dashed]
    return np.moveaxis(canvas, -1, 0).astype(np.float32) / np.float32(255)


def colours_of(structures: Sequence[str]) -> list[tuple[str, str, str]]:
    """Name each structure with the colours of its truth and its prediction."""
    return [(structure, *_PAIRS[number % len(_PAIRS)]) for number, structure in enumerate(structures)]


def _plane(
    study: Study, configuration: Configuration, image: CohortRow, masks: Masks
) -> tuple[NDArray[np.float32], NDArray[np.uint8], NDArray[np.uint8]]:
    """Return an image as it is looked at, with both label maps; of a volume, the slice that holds most."""
    from lucency.data.ground_truth.drawings.outlines import largest_slice
    from lucency.data.preparing import prepared_volume
    from lucency.data.volume_store import open_volumes

    truth, predicted = masks
    if is_of_volumes(study.plan):
        volume = open_volumes(study.folder.path / "store")[image.store_row]
        place = largest_slice((truth > 0) | (predicted > 0))
        shown = prepared_volume(volume, configuration.grey_scale, None)[0, place]
        return _brightness(shown), truth[place], predicted[place]
    placement, shown = placement_of(study, image), prepared_image(study, configuration, image)
    plane = np.moveaxis(shown, 0, -1) if len(shown) == 3 else shown[0]
    return _brightness(plane), placement.labels(truth[0]), placement.labels(predicted[0])


def _brightness(levels: NDArray) -> NDArray[np.float32]:
    """Return grey levels from 0 (black) to 1 (white)."""
    return (levels / np.float32(np.iinfo(levels.dtype).max)).astype(np.float32)


def _outline(mask: NDArray[np.bool_], size: tuple[int, int]) -> NDArray[np.bool_]:
    """Return the inner edge of a mask, two pixels wide, at the size of the picture (width, height)."""
    shown = np.asarray(Image.fromarray(mask).resize(size, Image.Resampling.NEAREST))
    return shown & ~ndimage.binary_erosion(shown, np.ones((3, 3)), iterations=2)


def _dashes(shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Return where a dashed line is drawn, whichever way it runs: no usual edge follows the stripes' own direction."""
    rows, columns = np.ogrid[: shape[0], : shape[1]]
    return (rows + 2 * columns) // _DASH % 2 == 0


def _caption(results: "Iterable[CaseResult]") -> str:
    told = []
    for result in results:
        if result.n_truth:
            told.append(f"{result.structure} {result.dice:.2f}")
        else:
            told.append(f"{result.structure} {'marked, though not there' if result.n_predicted else 'not there'}")
    return "; ".join(told)
