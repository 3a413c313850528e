"""Pictures of outlines for the report: what the network learns from."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lucency.randomness import generator
from lucency.study.outlining.structures import structures_of
from lucency.study.pictures import AUGMENTED, LARGEST_SIDE, N_DRAWS, N_SAMPLES, SAMPLES, write_pictures
from lucency.study.stage import Study

if TYPE_CHECKING:
    from lucency.training.patches import Cases


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


def picture_of(image: NDArray, labels: NDArray[np.uint8], n_structures: int) -> NDArray[np.float32]:
    """Draw the outlines of all structures on one slice: that which holds most of them, or the only one.

    Image with axes (channel, [slice,] row, column), labels ([slice,] row, column); out come fractions of white, axes
    (colour, row, column).
    """
    from lucency.data.ground_truth.drawings.outlines import largest_slice, outlined

    if labels.ndim == 3:
        place = largest_slice(labels > 0)
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
