"""What the training images look like, so that an image which is unlike them can be pointed out.

It is learnt from the training part, and where a limit is needed, from the tuning part, whose patients did not train.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, cast

import numpy as np
from numpy.typing import NDArray

from lucency.domain.cohort import CohortRow
from lucency.domain.parts import Part
from lucency.randomness import generator
from lucency.study.folder import StudyFolder
from lucency.study.medium import labelled_images
from lucency.study.stage import Study
from lucency.study.training import Task, load_member, members

if TYPE_CHECKING:  # torch takes seconds to import; only stages that need it do
    from torch import Tensor, nn

    from lucency.evaluation.likeness import Spread
    from lucency.training.standardised import Standardised

LIKENESS, SEEN = "application/likeness.json", "application/seen.safetensors"
MOST_IMAGES = 5_000
"""Training images that a new one is compared with one by one."""
BATCH = 256
ROOM = 1.25
"""A side may be so many times larger or smaller than any in the training part before it is pointed out."""
NEARLY_ALL = 0.95
"""Of the training images: from here on it is odd that a new one does not tell its modality or view."""


@dataclass(frozen=True)
class Likeness:
    """What is typical of the training part."""

    modalities: dict[str, int]
    """Modality → training images; "" for those that do not tell."""
    views: dict[str, int]
    shortest_side: int
    """In pixels, of the file and not of the store."""
    longest_side: int
    aspects: tuple[float, float]
    """Smallest and largest number of rows over columns."""
    brightness_limit: float
    """Largest usual distance to the nearest training images, by the curve of brightness."""
    look_limit: float
    """The same, by the thumbnail."""
    seen_limit: float
    """Largest usual distance from the middle of what the first network saw in the training part."""
    n_kept: int
    """Training images whose curves and thumbnails new ones are compared with."""


@dataclass(frozen=True)
class Unlikeness:
    """One way in which an image is unlike the training part."""

    code: str
    words: str


def learn_likeness(study: Study, task: Task) -> Iterable[str]:
    """Look at the training and tuning parts; return the files written."""
    from safetensors.numpy import save

    from lucency.evaluation.likeness import curve_distances, limit, neighbour_distances, spread_of

    rows = labelled_images(study, Part.TRAINING)
    training = _looked_at(study, task, rows)
    tuning = _looked_at(study, task, labelled_images(study, Part.TUNING))
    few = _few(study, len(rows))
    curves, looks, spread = training.curves[few], training.looks[few], spread_of(training.seen)
    sides = np.array([(row.rows, row.columns) for row in rows])
    likeness = Likeness(
        modalities=dict(Counter(row.modality for row in rows)),
        views=dict(Counter(row.view for row in rows)),
        shortest_side=int(sides.min()),
        longest_side=int(sides.max()),
        aspects=(float((sides[:, 0] / sides[:, 1]).min()), float((sides[:, 0] / sides[:, 1]).max())),
        brightness_limit=limit(curve_distances(tuning.curves, curves)),
        look_limit=limit(neighbour_distances(tuning.looks, looks)),
        seen_limit=limit(spread.distances(tuning.seen)),
        n_kept=len(few),
    )
    arrays = {
        "curves": curves,
        "looks": looks,
        "mean": spread.mean,
        "directions": spread.directions,
        "variances": spread.variances,
        "rest": np.array([spread.rest]),
    }
    content = save({name: np.ascontiguousarray(array) for name, array in arrays.items()})
    return [study.folder.write_json(LIKENESS, asdict(likeness)), study.folder.write(SEEN, content)]


@dataclass(frozen=True)
class Comparison:
    """Compares new images with the training part."""

    likeness: Likeness
    curves: NDArray[np.float64]
    looks: NDArray[np.float32]
    spread: "Spread"
    network: "nn.Module"

    def __call__(self, rows: Sequence[CohortRow], images: NDArray) -> list[list[Unlikeness]]:
        """Return what is unlike in each image; stored images have axes (image, channel, row, column)."""
        from lucency.evaluation.likeness import curve_distances, neighbour_distances

        known, new = self.likeness, _look_at(self.network, images)
        brightness = curve_distances(new.curves, self.curves)
        look = neighbour_distances(new.looks, self.looks)
        seen = self.spread.distances(new.seen)
        return [
            [
                *_of_header(row, known),
                *_beyond("N_UNLIKE_BRIGHTNESS", "brightness", brightness[i], known.brightness_limit),
                *_beyond("N_UNLIKE_LOOK", "look from afar", look[i], known.look_limit),
                *_beyond("N_UNLIKE_LEARNT", "what the network sees", seen[i], known.seen_limit),
            ]
            for i, row in enumerate(rows)
        ]


def read_comparison(study: Study, task: Task) -> Comparison:
    """Read what `learn_likeness` wrote."""
    from safetensors.numpy import load_file

    from lucency.evaluation.likeness import Spread

    facts = study.folder.read_json(LIKENESS)
    likeness = Likeness(**facts | {"aspects": tuple(facts["aspects"])})
    arrays = load_file(study.folder.path / SEEN)
    spread = Spread(arrays["mean"], arrays["directions"], arrays["variances"], float(arrays["rest"][0]))
    network = load_member(task, study, members(study.plan)[0])
    return Comparison(likeness, arrays["curves"], arrays["looks"], spread, network)


@dataclass(frozen=True)
class _Looks:
    """Images in the three forms in which they are compared, the first axis being the image."""

    curves: NDArray[np.float64]
    looks: NDArray[np.float32]
    seen: NDArray[np.float32]


def _look_at(network: "nn.Module", images: NDArray) -> _Looks:
    from lucency.data.looks.from_afar import brightness_curves, thumbnails

    return _Looks(brightness_curves(images), thumbnails(images), seen_images(network, images))


def seen_images(network: "nn.Module", images: NDArray) -> NDArray[np.float32]:
    """Return stored images as a network sees them before its last layer, axes (image, feature)."""
    import torch

    from lucency.network.penultimate import seen_by_last_layer

    network.eval()
    with torch.inference_mode():
        batches = [
            seen_by_last_layer(network, _fractions(images[i : i + BATCH]), cast("Standardised", network).network)
            for i in range(0, len(images), BATCH)
        ]
    return torch.cat(batches).float().numpy()


def _fractions(images: NDArray) -> "Tensor":
    import torch

    from lucency.data.augmentation import to_unit_range

    return to_unit_range(torch.from_numpy(np.ascontiguousarray(images)))


def known_images(folder: StudyFolder) -> dict[str, str]:
    """Return the part of each image of the study, by the hash of its pixels."""
    from lucency.domain.cohort import SplitRow
    from lucency.study.cohort import COHORT, SPLIT

    part = {row.image_id: row.part for row in folder.read_rows(SPLIT, SplitRow)}
    rows = [row for row in folder.read_rows(COHORT, CohortRow) if row.image_id in part and row.pixel_sha256]
    return {row.pixel_sha256: part[row.image_id] for row in rows}


def _looked_at(study: Study, task: Task, rows: Sequence[CohortRow]) -> _Looks:
    """Look at images of the study, batch by batch."""
    from lucency.data.store import open_store

    store = open_store(study.folder.path / "store").images
    network = load_member(task, study, members(study.plan)[0])
    looked = []
    with study.desk.progress("Looking at what was learnt", len(rows)) as progress:
        for start in range(0, len(rows), BATCH):
            batch = rows[start : start + BATCH]
            looked.append(_look_at(network, np.take(store, [row.store_row for row in batch], axis=0)))
            progress.advance(len(batch))
    return _Looks(*(np.concatenate([getattr(one, name) for one in looked]) for name in ("curves", "looks", "seen")))


def _few(study: Study, n_images: int) -> NDArray[np.int64]:
    """Choose so many training images that comparing stays quick."""
    return np.sort(generator(study.plan.seed, "images to compare with").permutation(n_images)[:MOST_IMAGES])


def _of_header(row: CohortRow, known: Likeness) -> Iterable[Unlikeness]:
    size = f"{row.rows} × {row.columns} pixels"
    learnt = f"the training images have sides of {known.shortest_side} to {known.longest_side}"
    low, high = known.aspects
    if (
        min(row.rows, row.columns) * ROOM < known.shortest_side
        or max(row.rows, row.columns) > ROOM * known.longest_side
    ):
        yield Unlikeness("N_UNLIKE_SIZE", f"it has {size}; {learnt}")
    elif not low / ROOM <= row.rows / row.columns <= high * ROOM:
        yield Unlikeness("N_UNLIKE_SIZE", f"its shape ({size}) is none of the training images'")
    yield from _unknown_word("N_UNLIKE_MODALITY", "modality", row.modality, known.modalities)
    yield from _unknown_word("N_UNLIKE_VIEW", "view", row.view, known.views)


def _unknown_word(code: str, name: str, word: str, known: dict[str, int]) -> Iterable[Unlikeness]:
    told = {other: n for other, n in known.items() if other}
    if not told:
        return
    often = " and ".join(sorted(told, key=lambda other: -told[other])[:3])
    if word and word not in told:
        yield Unlikeness(code, f"its {name} is {word}; that of the training images is {often}")
    if not word and sum(told.values()) >= NEARLY_ALL * sum(known.values()):
        yield Unlikeness(code, f"it does not tell its {name}; that of the training images is {often}")


def _beyond(code: str, name: str, value: float, limit: float) -> Iterable[Unlikeness]:
    if value > limit:
        yield Unlikeness(code, f"{name}: distance {value:.3g}, where 99 of 100 tuning images stay below {limit:.3g}")
