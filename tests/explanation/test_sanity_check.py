import numpy as np
import pytest
import torch
from scipy.stats import spearmanr
from torch import nn

from lucency.domain.network_plan import Network
from lucency.explanation.saliency import saliency
from lucency.explanation.sanity_check import check_by_randomisation, rank_correlation, structural_similarity
from lucency.network.catalogue import build


class ShowsTheImage(nn.Module):
    """A network whose gradient × input traces the image whatever its weight is: the kind of map that fools a reader."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Linear(1, 1, bias=False)
        with torch.no_grad():
            self.scale.weight.fill_(1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Score an image by its brightness."""
        total = x.flatten(1).sum(1, keepdim=True) * (self.scale.weight.abs() + 1)
        return torch.cat([total, -total], 1)


def lenet() -> nn.Module:
    torch.manual_seed(4)
    return build(Network(architecture="lenet5"), 1, (28, 28), 2)


def images(n: int = 8) -> torch.Tensor:
    return torch.rand(n, 1, 28, 28, generator=torch.Generator().manual_seed(n))


def test_rank_correlation_is_spearman_s():
    """Ties, as in the many zeros of a saliency map, share their mean rank."""
    random = np.random.default_rng(0)
    before, after = random.random((9, 11)).astype(np.float32), random.integers(0, 4, (9, 11)).astype(np.float32)
    assert rank_correlation(before, after) == pytest.approx(spearmanr(before.ravel(), after.ravel()).statistic)
    assert rank_correlation(before, before**3) == pytest.approx(1)
    assert rank_correlation(before, -before) == pytest.approx(-1)
    assert rank_correlation(before, np.zeros_like(before)) == 0


def test_structural_similarity_follows_wang():
    """1 for equal maps; for two even maps of a and b, (2ab + c₁) / (a² + b² + c₁); below 0 for opposite patterns."""
    random = np.random.default_rng(0)
    pattern = random.random((20, 20)).astype(np.float32)
    assert structural_similarity(pattern, pattern) == pytest.approx(1)
    even = [np.full((9, 9), value, np.float32) for value in (0.25, 0.75)]
    assert structural_similarity(*even) == pytest.approx((2 * 0.25 * 0.75 + 1e-4) / (0.25**2 + 0.75**2 + 1e-4))
    assert structural_similarity(pattern, 1 - pattern) < 0
    assert structural_similarity(pattern[:3, :4], pattern[:3, :4]) == pytest.approx(1)


def test_maps_that_only_show_the_image_fail():
    """The check exists for these: the same map with and without learning."""
    check = check_by_randomisation(ShowsTheImage(), images(), seed=1)
    assert check.median.value is not None
    assert check.median.value > 0.99
    assert check.verdict.startswith("Failed")
    assert "in 8 cases" in check.verdict


def test_maps_that_depend_on_the_weights_pass():
    """The maps of logistic regression are its weights; new weights give other maps."""
    network = build(Network(architecture="logistic"), 1, (28, 28), 2)
    check = check_by_randomisation(network, images(), seed=1)
    assert check.verdict.startswith("Passed")
    assert check.median.high is not None
    assert check.median.high < 0.5
    assert check.similarity.shape == check.structural_similarity.shape == (8,)


def test_the_seed_decides_everything():
    """The report must be the same tomorrow."""
    network = lenet()
    first, same, other = (check_by_randomisation(network, images(), seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.similarity, same.similarity)
    assert first.median == same.median
    assert first.verdict == same.verdict
    assert not np.array_equal(first.similarity, other.similarity)


def test_the_network_is_not_disturbed():
    """The check destroys a copy, never the study's network, and leaves torch's random state alone."""
    network = lenet().train()
    before = {key: value.clone() for key, value in network.state_dict().items()}
    state = torch.get_rng_state()
    check_by_randomisation(network, images(), seed=1)
    assert all(layer.training for layer in network.modules())
    assert all(torch.equal(before[key], value) for key, value in network.state_dict().items())
    assert torch.equal(state, torch.get_rng_state())


@pytest.mark.parametrize("name", ["small_cnn", "resnet18"])
def test_networks_with_normalisation_can_be_randomised(name: str):
    """Fresh weights and fresh running means give finite, non-empty maps."""
    torch.manual_seed(0)
    check = check_by_randomisation(build(Network(architecture=name), 1, (28, 28), 2), images(5), seed=3, n_networks=1)
    counted = check.similarity[~np.isnan(check.similarity)]
    assert len(counted) == check.median.n
    assert np.abs(counted).max() > 0


def test_empty_maps_are_left_out_and_told():
    """A blank image raises no score through a network without biases; it has no map to compare."""
    network = build(Network(architecture="logistic"), 1, (28, 28), 2)
    some = images(7)
    some[2] = 0
    assert not saliency(network, some).maps[2].any()
    check = check_by_randomisation(network, some, seed=1)
    assert np.isnan(check.similarity[2])
    assert check.median.n == 6
    assert "1 further case had an empty map" in check.verdict


def test_few_cases_decide_nothing():
    """No interval, no verdict; no case, no number."""
    few = check_by_randomisation(lenet(), images(3), seed=1)
    assert few.median.low is None
    assert few.verdict.startswith("Undecided")
    assert "too few" in few.verdict
    network = build(Network(architecture="logistic"), 1, (28, 28), 2)
    none = check_by_randomisation(network, torch.zeros(2, 1, 28, 28), seed=1)
    assert none.median.value is None
    assert none.verdict.startswith("Undecided: no case had a map")


def test_a_patient_s_images_are_drawn_together():
    """Eight images of two patients are two draws, not eight: the interval must widen to the patients' extremes."""
    network = lenet()
    alone = check_by_randomisation(network, images(), seed=1)
    shared = check_by_randomisation(network, images(), seed=1, patient_ids=["a"] * 4 + ["b"] * 4)
    assert alone.median.n_clusters == 8
    assert shared.median.n_clusters == 2
    assert shared.median.value == alone.median.value
    by_patient = [np.median(shared.similarity[:4]), np.median(shared.similarity[4:])]
    assert (shared.median.low, shared.median.high) == pytest.approx((min(by_patient), max(by_patient)))
