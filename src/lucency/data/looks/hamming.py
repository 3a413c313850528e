"""Find hashes that differ in few bits without comparing each with each (multi-index hashing).

Two 64-bit hashes that differ in at most `radius` bits differ in at most radius // 4 bits in one of their four bands of
16 bits (pigeonhole). So each band is a table of 65,536 drawers, and a hash only meets those that lie in drawers whose
number differs in so few bits (Norouzi, Punjani & Fleet, CVPR 2012). The result is exact.
"""

from collections.abc import Iterator
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

Hashes = NDArray[np.uint64]
IndexPairs = NDArray[np.int64]
"""Axes (pair, 2): places of the query and of the hash."""
_Numbers = NDArray[np.int64]

N_BANDS, BAND_BITS = 4, 16
_MOST_AT_ONCE = 2**22
"""Comparisons held in memory at a time."""


def pairs_within(radius: int, queries: Hashes, hashes: Hashes) -> IndexPairs:
    """Return every (query, hash) whose hashes differ in at most `radius` bits, each once, in order."""
    found = [_pairs_by_band(band, radius, queries, hashes) for band in range(N_BANDS)]
    joined = np.unique(np.concatenate([first * len(hashes) + second for first, second in found]))
    return np.stack(np.divmod(joined, max(len(hashes), 1)), axis=1)


def _pairs_by_band(band: int, radius: int, queries: Hashes, hashes: Hashes) -> tuple[_Numbers, _Numbers]:
    """Return the pairs within the radius whose numbers in one band differ in as few bits as its share allows."""
    query_keys, keys = _keys(queries, band), _keys(hashes, band)
    order = np.argsort(keys, kind="stable")
    counts = np.bincount(keys, minlength=2**BAND_BITS)
    starts = np.cumsum(counts) - counts
    # radius = 4 share + rest: were the first rest + 1 bands all above `share` and the others above `share` - 1, the
    # sum would be above the radius
    share, rest = divmod(radius, N_BANDS)
    firsts, seconds = [], []
    for mask in _masks(share if band <= rest else share - 1):
        drawers = query_keys ^ mask
        for first, position in _meetings(counts[drawers], starts[drawers]):
            second = order[position]
            is_near = np.bitwise_count(queries[first] ^ hashes[second]) <= radius
            firsts.append(first[is_near])
            seconds.append(second[is_near])
    nothing = [np.empty(0, np.int64)]
    return np.concatenate(firsts or nothing), np.concatenate(seconds or nothing)


def _keys(hashes: Hashes, band: int) -> _Numbers:
    return ((hashes >> np.uint64(band * BAND_BITS)) & np.uint64(2**BAND_BITS - 1)).astype(np.int64)


def _masks(n_bits: int) -> list[int]:
    """Return the numbers with at most `n_bits` of 16 bits set; none for a negative number."""
    return [
        sum(1 << bit for bit in bits) for number in range(n_bits + 1) for bits in combinations(range(BAND_BITS), number)
    ]


def _meetings(counts: _Numbers, starts: _Numbers) -> Iterator[tuple[_Numbers, _Numbers]]:
    """Yield (query, place in the table) for all members of each query's drawer, a bounded number at a time."""
    ends = np.cumsum(counts)
    first = 0
    while first < len(counts):
        done = ends[first] - counts[first]
        last = max(first + 1, int(np.searchsorted(ends, done + _MOST_AT_ONCE, side="right")))
        n_members = counts[first:last]
        query = np.repeat(np.arange(first, last), n_members)
        within = np.arange(len(query)) - np.repeat(ends[first:last] - n_members - done, n_members)
        yield query, np.repeat(starts[first:last], n_members) + within
        first = last
