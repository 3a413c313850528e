"""Made-up lesions and marks for the tests of detection."""

import numpy as np

from lucency.domain.detections import Detections, Lesion, Mark

SHAPE = (64, 64)


def runs_of(edges, shape=SHAPE):
    """Write the ellipse in a box as runs down the columns, beginning with background."""
    left, top, right, bottom = edges
    rows, columns = np.indices(shape) + 0.5
    inside = ((columns - (left + right) / 2) / (right - left)) ** 2 + (
        (rows - (top + bottom) / 2) / (bottom - top)
    ) ** 2
    pixels = (inside <= 0.25).T.ravel()
    edges_at = np.flatnonzero(np.diff(pixels, prepend=False))
    return tuple(np.diff(edges_at, prepend=0, append=pixels.size).tolist())


def random_detections(seed, n_images=40, kinds=("mass",), n_patients=None, with_masks=True, part="test"):
    """Draw images with none to three lesions, marks near most of them, and false alarms."""
    random = np.random.default_rng(seed)
    lesions, marks = [], []
    for _ in range(n_images):
        of_image, found = [], []
        for _ in range(random.integers(0, 4)):
            kind = kinds[random.integers(len(kinds))]
            edges = _box(random)
            of_image.append(Lesion(kind, edges, runs_of(edges) if with_masks else None))
            for _ in range(random.integers(0, 3)):
                near = tuple(np.clip(np.array(edges) + random.normal(0, 2, 4), 0, 64))
                if near[2] - near[0] > 2 and near[3] - near[1] > 2:
                    found.append(_mark(random, kind, near, 0.4, with_masks))
        found += [
            _mark(random, kinds[random.integers(len(kinds))], _box(random), 0.0, with_masks)
            for _ in range(random.integers(0, 3))
        ]
        lesions.append(tuple(of_image))
        marks.append(tuple(sorted(found, key=lambda mark: -mark.score)))
    patients = random.integers(0, n_patients, n_images) if n_patients else np.arange(n_images)
    return Detections(
        part,
        "ensemble",
        tuple(kinds),
        SHAPE,
        tuple(f"image-{number:03d}" for number in range(n_images)),
        tuple(f"P{number:04d}" for number in patients),
        tuple(lesions),
        tuple(marks),
    )


def _box(random):
    left, top = random.uniform(0, 44, 2)
    width, height = random.uniform(6, 20, 2)
    return (float(left), float(top), float(left + width), float(top + height))


def _mark(random, kind, edges, surplus, with_masks):
    edges = tuple(map(float, edges))
    return Mark(kind, float(random.uniform(0, 0.6) + surplus), edges, runs_of(edges) if with_masks else None)
