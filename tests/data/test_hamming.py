"""Search among hashes: exact, without comparing each with each."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from lucency.data.looks.hamming import pairs_within

words = st.lists(st.integers(0, 2**64 - 1), max_size=12)


def by_comparing_all(radius: int, queries: np.ndarray, hashes: np.ndarray) -> np.ndarray:
    return np.argwhere(np.bitwise_count(queries[:, None] ^ hashes[None]) <= radius)


def with_flipped_bits(hashes: np.ndarray, most: int, draw: np.random.Generator) -> np.ndarray:
    changed = hashes.copy()
    for place in range(len(hashes)):
        for bit in draw.choice(64, draw.integers(0, most + 1), replace=False):
            changed[place] ^= np.uint64(1) << np.uint64(bit)
    return changed


def test_the_search_finds_what_comparing_all_finds() -> None:
    """Exact within every radius, also where its four bands share the bits unevenly."""
    draw = np.random.default_rng(1)
    hashes = draw.integers(0, 2**64, 600, dtype=np.uint64)
    queries = with_flipped_bits(hashes[:400], 18, draw)
    for radius in (0, 1, 2, 3, 4, 7, 10, 11, 14):
        assert np.array_equal(pairs_within(radius, queries, hashes), by_comparing_all(radius, queries, hashes))


@settings(max_examples=25)
@given(queries=words, hashes=words, radius=st.integers(0, 11), seed=st.integers(0, 999))
def test_the_search_is_exact_for_any_hashes(queries: list[int], hashes: list[int], radius: int, seed: int) -> None:
    """Few hashes, many equal ones, none at all."""
    table = np.array(hashes, np.uint64)
    near = with_flipped_bits(table, radius + 2, np.random.default_rng(seed))
    asked = np.concatenate([np.array(queries, np.uint64), near])
    assert np.array_equal(pairs_within(radius, asked, table), by_comparing_all(radius, asked, table).reshape(-1, 2))


def test_a_crowded_drawer_is_looked_through_in_parts() -> None:
    """Two thousand equal hashes are four million pairs; all are found, in bounded memory."""
    hashes = np.full(2100, 7, np.uint64)
    assert len(pairs_within(0, hashes, hashes)) == 4_410_000
