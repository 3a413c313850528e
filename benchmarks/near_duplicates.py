"""Near-duplicates, speed and truth: `python -m benchmarks.near_duplicates`.

Speed: every pair within 11 bits among 100,000 hashes whose bits hang together as those of real chest radiographs do.
Truth: copies planted among the 5,216 chest radiographs of Kermany, and pairs of different radiographs that were linked.
The peer is the perceptual hash of imagehash, compared at the radii that its users choose.
"""

import importlib.util
import io
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lucency.data.looks.duplicates import RADIUS, near_duplicates
from lucency.data.looks.fingerprint import fingerprint
from lucency.data.looks.hamming import pairs_within

KERMANY = Path(__file__).parents[2] / "shared" / "data" / "kermany_cxr224" / "train"
N_HASHES = 100_000
N_ASKED = 2_000
"""Queries of the slow ways, whose time is multiplied up."""
N_PLANTED = 300
PEER_RADII = (4, 8, 12)

Film = NDArray[np.uint8]
Change = Callable[[Film, np.random.Generator], Film]


def _jpeg(film: Film, quality: int) -> Film:
    buffer = io.BytesIO()
    Image.fromarray(film).save(buffer, "JPEG", quality=quality)
    return np.asarray(Image.open(buffer))


def _resized(film: Film, rows: int, columns: int) -> Film:
    return np.asarray(Image.fromarray(film).resize((columns, rows), Image.Resampling.BICUBIC))


def _shaded(film: Film, shade: Callable[[NDArray[np.float64]], NDArray[np.float64]]) -> Film:
    return np.rint(np.clip(shade(np.arange(256) / 255), 0, 1) * 255).astype(np.uint8)[film]


def _cropped(film: Film, shares: NDArray[np.float64]) -> Film:
    rows, columns = film.shape
    top, bottom, left, right = shares
    return film[
        round(top * rows) : rows - round(bottom * rows), round(left * columns) : columns - round(right * columns)
    ]


def _noisy(film: Film, draw: np.random.Generator) -> Film:
    return np.clip(np.rint(film + draw.normal(0, 10, film.shape)), 0, 255).astype(np.uint8)


CHANGES: dict[str, Change] = {
    "JPEG, quality 30": lambda film, _: _jpeg(film, 30),
    "JPEG, quality 10": lambda film, _: _jpeg(film, 10),
    "resized to 100 × 130": lambda film, _: _resized(film, 100, 130),
    "gamma 0.6": lambda film, _: _shaded(film, lambda level: level**0.6),
    "gamma 1.7": lambda film, _: _shaded(film, lambda level: level**1.7),
    "narrower window": lambda film, _: _shaded(film, lambda level: (level - 0.15) / 0.6),
    "noise of 4 %": _noisy,
    "padded to a square": lambda film, _: np.pad(film, ((0, 0), (34, 34))),
    "inverted": lambda film, _: 255 - film,
    "mirrored, smaller, JPEG": lambda film, _: _jpeg(_resized(film[:, ::-1], 150, 140), 50),
    "turned by 1°": lambda film, _: np.asarray(Image.fromarray(film).rotate(1, Image.Resampling.BILINEAR)),
    "turned by 2°": lambda film, _: np.asarray(Image.fromarray(film).rotate(2, Image.Resampling.BILINEAR)),
    "cropped by up to 2 % a side": lambda film, draw: _cropped(film, draw.uniform(0, 0.02, 4)),
    "cropped by 3 % on all sides": lambda film, _: _cropped(film, np.full(4, 0.03)),
    "cropped by up to 5 % a side": lambda film, draw: _cropped(film, draw.uniform(0, 0.05, 4)),
    "cropped by 5 % on all sides": lambda film, _: _cropped(film, np.full(4, 0.05)),
    "cropped by up to 10 % a side": lambda film, draw: _cropped(film, draw.uniform(0, 0.1, 4)),
}


def made_up_hashes(n_hashes: int) -> NDArray[np.uint64]:
    """Draw hashes of 64 bits that hang together in groups of eight, as neighbouring waves of radiographs do."""
    draw = np.random.default_rng(1)
    shared = np.repeat(draw.standard_normal((n_hashes, 8), dtype=np.float32), 8, axis=1)
    bits = 0.6 * shared + draw.standard_normal((n_hashes, 64), dtype=np.float32) > 0
    return np.packbits(bits, axis=1, bitorder="little").view(np.uint64)[:, 0]


def measure_speed() -> None:
    """Time the search on one core, beside comparing all and a BK-tree."""
    hashes = made_up_hashes(N_HASHES)
    start = time.process_time()
    pairs = pairs_within(RADIUS, hashes, hashes)
    ours = time.process_time() - start
    start = time.process_time()
    block = 500
    found = [
        np.argwhere(np.bitwise_count(hashes[first : first + block, None] ^ hashes) <= RADIUS)
        for first in range(0, N_ASKED, block)
    ]
    compared = (time.process_time() - start) * N_HASHES / N_ASKED
    assert sum(map(len, found)) == int((pairs[:, 0] < N_ASKED).sum())
    print(f"\n### Search\n\nAll {len(pairs):,} pairs within {RADIUS} bits among {N_HASHES:,} hashes, one core.\n")
    print("| | seconds | ours is faster by | |\n|:--|--:|--:|:--|")
    print(f"| **lucency** | {ours:.1f} | | the same pairs |")
    print(f"| NumPy, each with each | {compared:.0f} | {compared / ours:.0f} × | from {N_ASKED:,} queries |")
    if importlib.util.find_spec("pybktree"):
        import pybktree

        words = [int(word) for word in hashes]
        tree = pybktree.BKTree(lambda one, other: (one ^ other).bit_count(), words)
        start = time.process_time()
        for word in words[:20]:
            tree.find(word, RADIUS)
        walked = (time.process_time() - start) * N_HASHES / 20
        print(f"| BK-tree (pybktree) | {walked:,.0f} | {walked / ours:,.0f} × | from 20 queries, without building |")


def measure_truth() -> None:
    """Plant copies among real radiographs; count those that are found, and different radiographs that are linked."""
    files = sorted(KERMANY.rglob("*.jpeg"))
    films = [np.asarray(Image.open(file).convert("L")) for file in files]
    draw = np.random.default_rng(1)
    prints = [fingerprint(film) for film in films]
    start = time.process_time()
    alone = near_duplicates(prints)
    seconds = time.process_time() - start
    equal = {(pair.first, pair.second) for pair in alone if np.array_equal(films[pair.first], films[pair.second])}
    n_pairs = len(films) * (len(films) - 1) / 2
    peer = _Peer(films) if importlib.util.find_spec("imagehash") else None
    names = [f"imagehash, {radius} bits" for radius in PEER_RADII] if peer else []
    print(
        f"\n### Copies found among {len(films):,} chest radiographs\n\nSearching them took {seconds:.1f} s on one core.\n"
    )
    print(
        f"| {N_PLANTED} copies of each kind, % found | lucency | {' | '.join(names)} |\n|:--|--:|{'--:|' * len(names)}"
    )
    for name, change in CHANGES.items():
        chosen = draw.choice(len(films), N_PLANTED, replace=False)
        copies = [change(films[place], draw) for place in chosen]
        found = near_duplicates([*prints, *map(fingerprint, copies)])
        linked = {(pair.first, pair.second) for pair in found}
        n_found = sum((place, len(films) + n) in linked for n, place in enumerate(chosen))
        rates = [n_found / N_PLANTED, *(peer.recall(chosen, copies) if peer else [])]
        print(f"| {name} | {' | '.join(f'{100 * rate:.0f}' for rate in rates)} |", flush=True)
    false = [len(alone) - len(equal), *(peer.false_pairs() if peer else [])]
    print(f"| **wrong pairs a million** | {' | '.join(f'{1e6 * n / n_pairs:.2g}' for n in false)} |")


class _Peer:
    """The DCT hash of imagehash with a limit on the differing bits."""

    def __init__(self, films: list[Film]) -> None:
        self._hashes = self._of(films)
        self._films = films

    def recall(self, originals: NDArray[np.int64], copies: list[Film]) -> list[float]:
        apart = np.bitwise_count(self._of(copies) ^ self._hashes[originals])
        return [float((apart <= radius).mean()) for radius in PEER_RADII]

    def false_pairs(self) -> list[int]:
        counts = []
        for radius in PEER_RADII:
            pairs = pairs_within(radius, self._hashes, self._hashes)
            pairs = pairs[pairs[:, 0] < pairs[:, 1]]
            counts.append(sum(not np.array_equal(self._films[one], self._films[other]) for one, other in pairs))
        return counts

    @staticmethod
    def _of(films: list[Film]) -> NDArray[np.uint64]:
        import imagehash

        bits = np.stack([imagehash.phash(Image.fromarray(film)).hash.ravel() for film in films])
        return np.packbits(bits, axis=1, bitorder="little").view(np.uint64)[:, 0]


def main() -> None:
    """Print both tables; the second needs the real radiographs beside the project."""
    measure_speed()
    if KERMANY.is_dir():
        measure_truth()
    else:
        print("\nThe chest radiographs (../shared/data/kermany_cxr224) are not here.")


if __name__ == "__main__":
    main()
