"""Whether saliency maps can be believed: they must change when what was learnt is destroyed (Adebayo et al., NeurIPS 2018).

Some maps look convincing on a network that knows nothing, because they trace the edges of the image. So the weights are
drawn afresh, the same images are mapped again, and the maps before and after are compared.
"""

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from lucency.domain.estimate import Estimate
from lucency.explanation.saliency import saliency
from lucency.randomness import generator, key

Network = TypeVar("Network", bound=nn.Module)

N_RANDOM_NETWORKS = 5
"""Networks with fresh weights that each case is compared with, so that no verdict hangs on one lucky draw."""
N_RESAMPLES = 2000
SIMILAR_FROM = 0.5
"""Rank correlation from which two maps count as alike: the usual border of a strong correlation (Cohen 1988)."""
FEWEST_CASES = 5
"""Below this, an interval of the median means nothing."""


@dataclass(frozen=True)
class SanityCheck:
    """How much saliency maps resemble those of networks that have learnt nothing."""

    method: str
    """How the maps were made."""
    similarity: NDArray[np.float64]
    """Spearman rank correlation of the map before and after randomisation, axis (case), mean over the random networks.
    0 where a random network gives an empty map; NaN where the map of the trained network itself is empty."""
    structural_similarity: NDArray[np.float64]
    """The same for the structural similarity index (Wang 2004), which compares patches."""
    median: Estimate
    """Median of the rank correlation over the cases, with a bootstrap interval."""
    verdict: str
    """What follows, in plain words."""


def check_by_randomisation(
    network: nn.Module,
    images: Tensor,
    seed: int,
    patient_ids: Sequence[str] | None = None,
    level: float = 0.95,
    n_networks: int = N_RANDOM_NETWORKS,
    classes: Sequence[int] | None = None,
) -> SanityCheck:
    """Compare the maps of `images`, axes (image, channel, row, column), with those of randomised copies of the network.

    Both maps explain the output that `classes` names for each image, or the one that the trained network predicts.
    `patient_ids`, one for each image, lets the bootstrap draw patients; when left out, each image counts as another patient.
    The network is left as it was.
    """
    trained = saliency(network, images, classes)
    explained = trained.classes.tolist()
    similarity = np.zeros((n_networks, len(images)))
    structure = np.zeros((n_networks, len(images)))
    for number in range(n_networks):
        ignorant = saliency(randomised(network, key(seed, "sanity check weights", number)), images, explained)
        pairs = list(zip(trained.maps, ignorant.maps, strict=True))
        similarity[number] = [rank_correlation(before, after) for before, after in pairs]
        structure[number] = [structural_similarity(before, after) for before, after in pairs]
    is_empty = ~trained.maps.any(axis=(1, 2))
    per_case = np.where(is_empty, np.nan, similarity.mean(0))
    median = median_over_cases(per_case, patient_ids, seed, level)
    return SanityCheck(
        method=trained.method,
        similarity=per_case,
        structural_similarity=np.where(is_empty, np.nan, structure.mean(0)),
        median=median,
        verdict=verdict_on(median, int(is_empty.sum()), "map"),
    )


def rank_correlation(before: NDArray, after: NDArray) -> float:
    """Return Spearman's rank correlation of two maps (1904), ties sharing their mean rank; 0 where a map is constant."""
    x, y = (_ranks(a) - (a.size + 1) / 2 for a in (before, after))
    scale = np.sqrt((x @ x) * (y @ y))
    return float(x @ y / scale) if scale > 0 else 0.0


def structural_similarity(before: NDArray[np.float32], after: NDArray[np.float32]) -> float:
    """Return the mean structural similarity of two maps in [0, 1] over windows of 7 × 7 pixels (Wang et al., 2004).

    Maps smaller than the window are compared as one.
    """
    window = tuple(min(7, side) for side in before.shape)
    x, y = (torch.from_numpy(a).double()[None, None] for a in (before, after))
    mean_x, mean_y, mean_xx, mean_yy, mean_xy = (F.avg_pool2d(a, window, stride=1) for a in (x, y, x * x, y * y, x * y))
    variance_x, variance_y, covariance = mean_xx - mean_x**2, mean_yy - mean_y**2, mean_xy - mean_x * mean_y
    c1, c2 = 0.01**2, 0.03**2
    luminance = (2 * mean_x * mean_y + c1) / (mean_x**2 + mean_y**2 + c1)
    structure = (2 * covariance + c2) / (variance_x + variance_y + c2)
    return float((luminance * structure).mean())


def randomised(network: Network, seed: int) -> Network:
    """Return a copy with fresh weights in every layer; torch's own random state is left as it was."""
    copy = deepcopy(network)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        for layer in copy.cpu().modules():
            draw_afresh = getattr(layer, "reset_parameters", None)  # torch's name; layers without weights have none
            if draw_afresh is not None:
                draw_afresh()
    copy.to(next(network.parameters()).device)
    return copy


def _ranks(values: NDArray) -> NDArray[np.float64]:
    """Return the rank of each value, counted from 1, as one line; equal values share their mean rank."""
    _, position, counts = np.unique(values.ravel(), return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts - 1) / 2)[position]


def median_over_cases(
    similarity: NDArray[np.float64], patient_ids: Sequence[str] | None, seed: int, level: float
) -> Estimate:
    """Return the median over the cases that have a map, with a percentile interval over resampled patients."""
    has_map = ~np.isnan(similarity)
    values = similarity[has_map]
    owners = np.arange(len(similarity)) if patient_ids is None else np.asarray(patient_ids)
    patients, owner = np.unique(owners[has_map], return_inverse=True)
    low, value, high = None, None, None
    if len(values) >= FEWEST_CASES:
        random = generator(seed, "sanity check bootstrap")
        of_patient = [values[owner == number] for number in range(len(patients))]
        medians = [
            np.median(np.concatenate([of_patient[number] for number in drawn]))
            for drawn in random.integers(len(patients), size=(N_RESAMPLES, len(patients)))
        ]
        low, high = (float(q) for q in np.quantile(medians, [(1 - level) / 2, (1 + level) / 2]))
    if len(values):
        value = float(np.median(values))
    return Estimate(
        name="median rank correlation with randomised networks",
        value=value,
        low=low,
        high=high,
        n=len(values),
        unit="image",
        method=f"percentile bootstrap over patients, {N_RESAMPLES} resamples (Efron 1979)",
        level=level,
        n_clusters=len(patients),
        note="" if len(values) >= FEWEST_CASES else f"an interval needs at least {FEWEST_CASES} cases",
    )


def verdict_on(median: Estimate, n_empty: int, what: str) -> str:
    """Say what the check found; `what` names one explanation: a map of an image, or the shading of a report."""
    empty = f" {n_empty} further {_cases(n_empty)} had an empty {what} and could not be compared." if n_empty else ""
    if median.value is None:
        return f"Undecided: no case had a {what}.{empty}"
    found = f"median rank correlation {median.value:.2f} in {median.n} {_cases(median.n)}"
    if median.low is None or median.high is None:
        return f"Undecided: {found}, too few for an interval; {FEWEST_CASES} are needed.{empty}"
    found += f", {median.level:.0%} interval {median.low:.2f} to {median.high:.2f}"
    if median.high < SIMILAR_FROM:
        return f"Passed: the {what}s change when what the network learnt is destroyed ({found}).{empty}"
    if median.low >= SIMILAR_FROM:
        return (
            f"Failed: networks that have learnt nothing give much the same {what}s ({found}). The {what}s show the input, "
            f"not what was learnt; draw no conclusion from them.{empty}"
        )
    return f"Undecided: the {what}s may not depend on what the network learnt ({found}). Show more cases.{empty}"


def _cases(n: int) -> str:
    """Return the noun for `n` cases."""
    return "case" if n == 1 else "cases"
