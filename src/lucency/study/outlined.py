"""Pictures of outlines for the report: what is learnt from, and what came out."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lucency.domain.cohort import CohortRow
from lucency.domain.segmentation import Configuration
from lucency.randomness import generator
from lucency.study.configuring import is_of_volumes, prepared_image
from lucency.study.pictures import AUGMENTED, LARGEST_SIDE, N_DRAWS, N_SAMPLES, SAMPLES, write_pictures
from lucency.study.stage import Study
from lucency.study.structures import placement_of, structures_of

if TYPE_CHECKING:
    from lucency.training.patches import Cases

OUTLINED = "figures/outlined.json"
Outlined = tuple[CohortRow, float, NDArray[np.uint8], NDArray[np.uint8]]
"""An image, its mean Dice, its true and its predicted label map, axes (slice, row, column) on its own grid."""


def show_samples(study: Study, training: "Cases") -> Iterable[str]:
    """Write a few training images with the outlines of their structures, and one augmented several times."""
    from lucency.data.ground_truth.drawings.outlines import COLOURS

    structures = structures_of(study)
    order = generator(study.plan.seed, "sample sheet").permutation(len(training))
    chosen = sorted(int(number) for number in order[:N_SAMPLES])
    legend = ", ".join(f"{name}: {colour}" for name, colour in zip(structures, list(COLOURS) * 99, strict=False))
    pictures = [
        (picture_of(training.images[i], training.labels[i], len(structures)), {"caption": legend}) for i in chosen
    ]
    files = write_pictures(study, SAMPLES, "sample", pictures)
    if not study.plan.augmentation:
        return [*files, study.folder.write_json(AUGMENTED, [])]
    sheet = [(picture, {"caption": caption}) for picture, caption in _augmented(study, training, chosen[0])]
    return [*files, *write_pictures(study, AUGMENTED, "augmented", sheet)]


def show_outlined(study: Study, configuration: Configuration, cases: Sequence[Outlined]) -> list[str]:
    """Write the cases that came out worst, and some evenly taken from all, the drawn truth before the prediction.

    Cases are given in the order of their mean Dice, the worst first.
    """
    n_worst, n_others = study.plan.report.n_worst // 2, study.plan.explanation.n_cases // 2
    others = np.linspace(0, len(cases) - 1, n_others if cases else 0).astype(int)
    pictures: list[tuple[NDArray[np.float32], Mapping[str, object]]] = []
    for number in sorted({*range(min(n_worst, len(cases))), *others.tolist()}):
        image, dice, truth, predicted = cases[number]
        shown, label_maps = _at_own_grid(study, configuration, image, (truth, predicted))
        # both are shown in the slice that holds most of the truth, or of the prediction where nothing is drawn
        place = (truth if truth.any() else predicted) > 0
        for name, labels in zip(("truth", "prediction"), label_maps, strict=True):
            picture = picture_of(shown, labels, len(configuration.structures), place)
            caption = f"{image.image_id}, {name} (mean Dice {dice:.3f})"
            facts = {"caption": caption, "image_id": image.image_id, "shows": name, "dice": dice}
            pictures.append((picture, facts | {"is_among_worst": number < n_worst}))
    return write_pictures(study, OUTLINED, "outlined", pictures)


def _at_own_grid(
    study: Study, configuration: Configuration, image: CohortRow, labels: Sequence[NDArray[np.uint8]]
) -> tuple[NDArray, list[NDArray[np.uint8]]]:
    """Return an image as it is looked at, with its label maps: a volume on its own grid, a picture on that of the plan."""
    from lucency.data.preparing import prepared_volume
    from lucency.data.volume_store import open_volumes

    if is_of_volumes(study.plan):
        volume = open_volumes(study.folder.path / "store")[image.store_row]
        return prepared_volume(volume, configuration.grey_scale, None), list(labels)
    placement = placement_of(study, image)
    return prepared_image(study, configuration, image), [placement.labels(one[0]) for one in labels]


def picture_of(
    image: NDArray, labels: NDArray[np.uint8], n_structures: int, most: NDArray[np.bool_] | None = None
) -> NDArray[np.float32]:
    """Draw the outlines of all structures on one slice: that which holds most of them, or of `most`, or the only one.

    Image with axes (channel, [slice,] row, column), labels ([slice,] row, column); out come fractions of white, axes
    (colour, row, column).
    """
    from lucency.data.ground_truth.drawings.outlines import largest_slice, outlined

    if labels.ndim == 3:
        place = largest_slice(labels > 0 if most is None else most)
        image, labels = image[:, place], labels[place]
    white = np.iinfo(image.dtype).max if image.dtype.kind == "u" else 1
    plane = image[0] if len(image) != 3 else np.moveaxis(image, 0, -1)
    levels = np.rint(np.clip(plane / np.float32(white), 0, 1) * 255).astype(np.uint8)
    masks = [labels == label for label in range(1, n_structures + 1)]
    shown = outlined(levels, masks, LARGEST_SIDE)
    return np.moveaxis(shown, -1, 0).astype(np.float32) / np.float32(255)


def _augmented(study: Study, training: "Cases", number: int) -> Iterable[tuple[NDArray[np.float32], str]]:
    """Change one image again and again, and its label map with it."""
    import torch

    from lucency.data.augmentation import Batch, make_augmenter
    from lucency.randomness import sample_keys

    assert study.plan.augmentation is not None
    augment = make_augmenter(study.plan.augmentation, study.plan.seed)
    image, labels = np.array(training.images[number]), np.array(training.labels[number])
    keys, n_structures = sample_keys([training.image_ids[number]]), _n_structures(training.labels)
    yield picture_of(image, labels, n_structures), "original"
    batch = Batch(torch.from_numpy(image)[None], torch.from_numpy(labels)[None])
    for epoch in range(N_DRAWS):
        changed = augment(batch, keys, epoch)
        assert changed.masks is not None
        picture = picture_of(changed.images[0].numpy(), changed.masks[0].numpy(), n_structures)
        yield picture, f"epoch {epoch + 1}"


def _n_structures(labels: Sequence[NDArray[np.uint8]]) -> int:
    return max(int(one.max(initial=0)) for one in labels)
