"""Find near-duplicates: one image re-encoded, resized, windowed anew, inverted, mirrored, padded, or cropped a little.

A hash of 64 bits finds the pairs that may be copies; those that stay alike on a closer look are aligned and compared in
their fine details. Radiographs of different patients look alike, and linked patients go to the same part, so precision
comes first.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.fft import dct

from lucency.data.looks.alignment import Pictures, agreement, blurred
from lucency.data.looks.fingerprint import SIDE, Fingerprint
from lucency.data.looks.hamming import Hashes, IndexPairs, pairs_within

Kind = Literal["copy", "mirrored", "inverted", "crop"]

RADIUS = 11
"""Bits of 64 in which the hashes of two copies may differ."""
ALIKE = 0.7
"""Correlation of their longer waves from which on two images are worth aligning; copies have more."""
ENOUGH = 0.9
"""Correlation of fine details from which on two images are taken for one."""


@dataclass(frozen=True)
class Pair:
    """Two images that are one."""

    first: int
    second: int
    """Places in the sequence that was searched; `first` is the smaller one."""
    kind: Kind
    similarity: float
    """Correlation of the fine details after alignment, up to 1."""


@dataclass(frozen=True)
class _Look:
    """One way in which a copy may have been changed."""

    kind: Kind
    scale: float = 1.0
    """Share of the height and width of the original that the copy shows."""
    step: int = 1
    """−1 to mirror left and right."""
    sign: int = 1
    """−1 to turn white to black."""


_SAME = _Look("copy")
_LOOKS = (
    _SAME,
    _Look("mirrored", step=-1),
    _Look("inverted", sign=-1),
    _Look("crop", scale=0.93),
    _Look("crop", scale=0.87),
)
_N_BITS, _N_WAVES = 64, 16
_AT_ONCE = 2048
_COMPARED_AT_ONCE = 2**16

Thumbnails = NDArray[np.uint8]
"""Axes (image, row, column)."""
Coefficients = NDArray[np.float32]
"""Strength of cosine waves from the longest to a sixteenth of the image, axes (image, wave)."""


def near_duplicates(fingerprints: Sequence[Fingerprint], enough: float = ENOUGH) -> list[Pair]:
    """Return pairs that show the same image, in order of their places: as few as connect all that belong together.

    `enough` is the least correlation of fine details.
    """
    if not fingerprints:
        return []
    thumbnails, first, which = _distinct(fingerprints)
    pairs = [Pair(int(first[n]), place, "copy", 1.0) for place, n in enumerate(which) if first[n] != place]
    groups = _Groups(len(thumbnails))
    for look, candidates in _candidates(thumbnails):
        for start in range(0, len(candidates), _AT_ONCE):
            some = groups.apart(candidates[start : start + _AT_ONCE])
            for (original, copy), similarity in zip(some, _similarity(thumbnails, some, look), strict=True):
                if similarity >= enough and groups.join(original, copy):
                    one, other = sorted((int(first[original]), int(first[copy])))
                    pairs.append(Pair(one, other, look.kind, float(similarity)))
    return sorted(pairs, key=lambda pair: (pair.first, pair.second))


def grouped(pairs: Sequence[Pair], n_images: int) -> list[list[int]]:
    """Return the places of the images that are linked directly or by way of others: groups of two and more, in order."""
    groups = _Groups(n_images)
    for pair in pairs:
        groups.join(pair.first, pair.second)
    members: dict[int, list[int]] = {}
    for place in range(n_images):
        members.setdefault(groups.root(place), []).append(place)
    return [found for found in members.values() if len(found) > 1]


class _Groups:
    """Images joined to groups; each group is known by its root (union-find)."""

    def __init__(self, n_images: int) -> None:
        self._parent = list(range(n_images))

    def root(self, image: int) -> int:
        parent = self._parent
        while parent[image] != image:
            parent[image] = parent[parent[image]]
            image = parent[image]
        return image

    def join(self, one: int, other: int) -> bool:
        """Join two groups; return False where they are one already."""
        root, other_root = self.root(one), self.root(other)
        self._parent[max(root, other_root)] = min(root, other_root)
        return root != other_root

    def apart(self, pairs: IndexPairs) -> IndexPairs:
        """Keep the pairs that are not joined yet."""
        return pairs[[self.root(one) != self.root(other) for one, other in pairs.tolist()]]


def _distinct(fingerprints: Sequence[Fingerprint]) -> tuple[Thumbnails, NDArray[np.intp], NDArray[np.intp]]:
    """Return the different thumbnails, the first place of each, and which one each image has."""
    known: dict[bytes, int] = {}
    which = [known.setdefault(found.thumbnail.tobytes(), len(known)) for found in fingerprints]
    first = np.unique(which, return_index=True)[1]
    return np.stack([fingerprints[place].thumbnail for place in first]), first, np.array(which)


def _candidates(thumbnails: Thumbnails) -> Iterator[tuple[_Look, IndexPairs]]:
    """Yield, look by look, the pairs (original, copy) that are near each other once the original looks so."""
    coefficients = _coefficients(thumbnails, _SAME)
    typical = _typical(coefficients)
    coefficients -= typical
    hashes = _hashes(coefficients)
    for look in _LOOKS:
        seen = _coefficients(thumbnails, look) - typical
        pairs = pairs_within(RADIUS, _hashes(seen), hashes)
        # a copy of a copy is the original; only a crop knows which of the two it was made from
        is_wanted = pairs[:, 0] != pairs[:, 1] if look.scale < 1 else pairs[:, 0] < pairs[:, 1]
        yield look, _alike(pairs[is_wanted], seen, coefficients)


def _alike(pairs: IndexPairs, originals: Coefficients, copies: Coefficients) -> IndexPairs:
    """Keep the pairs whose waves correlate."""
    kept = []
    for start in range(0, len(pairs), _COMPARED_AT_ONCE):
        some = pairs[start : start + _COMPARED_AT_ONCE]
        original, copy = originals[some[:, 0]], copies[some[:, 1]]
        lengths = np.linalg.norm(original, axis=1) * np.linalg.norm(copy, axis=1)
        kept.append(some[np.einsum("pw,pw->p", original, copy) >= ALIKE * lengths])
    return np.concatenate(kept) if kept else pairs


def _coefficients(thumbnails: Thumbnails, look: _Look) -> Coefficients:
    """Measure the long waves of the images as they would be if they looked so."""
    centre = (SIDE - 1) / 2
    seen = centre + (np.arange(SIDE) - centre) * look.scale
    enlarge = np.stack([np.interp(seen, np.arange(SIDE), one) for one in np.eye(SIDE)], axis=1)
    waves = (dct(np.eye(SIDE), axis=0, norm="ortho")[:_N_WAVES] @ enlarge).astype(np.float32)
    parts = [
        waves @ _even(thumbnails[start : start + _AT_ONCE])[:, :, :: look.step] @ waves.T
        for start in range(0, len(thumbnails), _AT_ONCE)
    ]
    n_waves = np.hypot(*np.mgrid[:_N_WAVES, :_N_WAVES]).ravel()
    longest_first = np.argsort(n_waves, kind="stable")[1 : np.count_nonzero(n_waves < _N_WAVES)]  # without the mean
    return look.sign * np.concatenate(parts).reshape(len(thumbnails), -1)[:, longest_first]


def _even(thumbnails: Thumbnails) -> Pictures:
    """Take slow changes of brightness away and give all regions about the same contrast."""
    pictures = thumbnails.astype(np.float32)
    pictures -= blurred(pictures, SIDE / 12)
    local = np.sqrt(np.maximum(blurred(pictures**2, SIDE / 8), 0))
    overall = np.sqrt((pictures**2).mean(axis=(1, 2), keepdims=True))
    return pictures / (local + 0.3 * overall + 1e-3)


def _typical(coefficients: Coefficients) -> Coefficients:
    """Return what the images of a cohort have in common, so that hashes tell them apart by the rest, axes (wave).

    Images that look alike in their 16 longest waves count as one, or a thousand copies of an image would be typical.
    """
    _, kind, n_alike = np.unique(_hashes(coefficients) & np.uint64(0xFFFF), return_inverse=True, return_counts=True)
    return np.average(coefficients, axis=0, weights=1 / n_alike[kind]).astype(np.float32)


def _hashes(coefficients: Coefficients) -> Hashes:
    """Take the signs of the 64 longest waves."""
    bits = np.packbits(coefficients[:, :_N_BITS] > 0, axis=1, bitorder="little")
    return np.ascontiguousarray(bits).view(np.uint64)[:, 0]


def _similarity(thumbnails: Thumbnails, pairs: IndexPairs, look: _Look) -> NDArray[np.float32]:
    """Compare (original, copy) pairs; the copy is laid over the original, whose thumbnail has no finer details."""
    original = _even(thumbnails[pairs[:, 0]])[:, :, :: look.step] * np.float32(look.sign)
    return agreement(original, _even(thumbnails[pairs[:, 1]]))
