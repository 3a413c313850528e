"""Counted randomness: every draw is a function of (seed, purpose, epoch, sample), never of what was drawn before.

A resumed run, another batch size or another machine therefore draws the same numbers. The draws are SplitMix64
(Steele, Lea and Flood, OOPSLA 2014) applied to the counters; whole generators for shuffling are Philox (Salmon et al.,
SC 2011) keyed by the same counters.
"""

import hashlib

import numpy as np
from numpy.typing import NDArray

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)


def key(seed: int, purpose: str, epoch: int = 0) -> int:
    """Return the 64-bit key of one purpose in one epoch."""
    digest = hashlib.sha256(f"{seed}/{purpose}/{epoch}".encode()).digest()
    return int.from_bytes(digest[:8], "little")


def sample_keys(image_ids: list[str]) -> NDArray[np.uint64]:
    """Return one 64-bit key per image, a function of its identifier alone, so that the cohort's order cannot matter."""
    digests = (hashlib.sha256(image_id.encode()).digest()[:8] for image_id in image_ids)
    return np.fromiter((int.from_bytes(digest, "little") for digest in digests), np.uint64, len(image_ids))


def uniforms(seed: int, purpose: str, epoch: int, samples: NDArray[np.uint64], n_draws: int) -> NDArray[np.float64]:
    """Draw numbers in [0, 1), axes (sample, draw); row i depends on samples[i] and never on the other rows."""
    start = _mix(samples.astype(np.uint64) ^ np.uint64(key(seed, purpose, epoch)))
    counters = np.arange(1, n_draws + 1, dtype=np.uint64) * _GOLDEN
    return (_mix(start[:, None] + counters) >> np.uint64(11)).astype(np.float64) * 2.0**-53


def generator(seed: int, purpose: str, epoch: int = 0) -> np.random.Generator:
    """Return a NumPy generator for one purpose in one epoch."""
    return np.random.Generator(np.random.Philox(key=key(seed, purpose, epoch)))


def _mix(x: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Finalise SplitMix64; overflow of the unsigned product is meant."""
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))
