import numpy as np
import pytest

from lucency.errors import PlanError
from lucency.lab.convolution import (
    ARTICLE_IMAGE,
    ARTICLE_KERNEL,
    convolve,
    describe_convolution,
    describe_pooling,
    pool,
)

ARTICLE_MAP = [[14, 18, 22], [30, 34, 38], [46, 50, 54]]


def test_the_article_s_convolution_comes_out():
    """Figure 3A of the article: 4 × 4 numbers from 1 to 16, a 2 × 2 kernel of ones."""
    np.testing.assert_array_equal(convolve(ARTICLE_IMAGE, ARTICLE_KERNEL).output, ARTICLE_MAP)


def test_the_first_step_is_written_as_the_article_writes_it():
    """The caption of figure 3A spells 1×1 + 2×1 + 5×1 + 6×1 = 14."""
    first = convolve(ARTICLE_IMAGE, ARTICLE_KERNEL).steps[0]
    assert first.arithmetic == "1×1 + 2×1 + 5×1 + 6×1 = 14"
    assert (first.row, first.column, first.value) == (0, 0, 14)


@pytest.mark.parametrize("stride", [1, 2])
def test_max_pooling_gives_34_at_the_article_s_place(stride: int):
    """The largest of 14, 18, 30 and 34, whichever stride the figure had in mind."""
    worked = pool(ARTICLE_MAP, 2, stride)
    assert worked.output[0, 0] == 34
    assert worked.steps[0].arithmetic == "largest of 14, 18, 30, 34 = 34"


def test_average_pooling_gives_the_mean():
    """(14 + 18 + 30 + 34) / 4 = 24."""
    assert pool(ARTICLE_MAP, kind="average").output.tolist() == [[24]]


@pytest.mark.parametrize(("stride", "padding"), [(1, 0), (2, 0), (1, 1), (2, 1), (3, 2)])
def test_convolution_agrees_with_torch(stride: int, padding: int):
    """The experiment must be the operation that the networks use, sign of the kernel included."""
    import torch  # slow to import; no other test of the lab needs it

    random = np.random.default_rng(1)
    image, kernel = random.normal(size=(7, 6)), random.normal(size=(3, 2))
    expected = torch.nn.functional.conv2d(
        torch.tensor(image)[None, None], torch.tensor(kernel)[None, None], stride=stride, padding=padding
    )[0, 0]
    np.testing.assert_allclose(convolve(image, kernel, stride, padding).output, expected.numpy(), atol=1e-12)


def test_every_step_stands_in_its_place():
    """The steps and the output must tell the same story."""
    worked = convolve(np.arange(20).reshape(4, 5), np.ones((2, 2)), stride=2)
    assert worked.output.shape == (2, 2)
    for step in worked.steps:
        assert worked.output[step.row, step.column] == step.value


def test_a_kernel_that_does_not_fit_is_refused():
    """A sentence, not NumPy's traceback."""
    with pytest.raises(PlanError, match="2 × 2 does not fit on 1 × 4"):
        convolve([[1, 2, 3, 4]], np.ones((2, 2)))


def test_an_image_without_columns_is_refused():
    """One line of numbers is no image."""
    with pytest.raises(PlanError, match="rows and columns"):
        convolve([1, 2, 3], np.ones((2, 2)))


def test_a_stride_of_zero_is_refused():
    """The window would never move."""
    with pytest.raises(PlanError, match="stride"):
        convolve(ARTICLE_IMAGE, ARTICLE_KERNEL, stride=0)


def test_the_descriptions_show_the_article_s_numbers():
    """What the terminal shows is what was computed."""
    assert "1×1 + 2×1 + 5×1 + 6×1 = 14" in describe_convolution()
    assert "  46  50  54" in describe_convolution()
    assert describe_pooling().endswith("Result\n  34")
    assert "mean of 14, 18, 30, 34 = 24" in describe_pooling(kind="average")
