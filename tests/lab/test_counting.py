import pytest

from lucency.errors import PlanError
from lucency.lab.counting import (
    count_convolution,
    count_fully_connected,
    describe_counting,
    describe_output_size,
    output_size,
)


def test_the_article_s_fully_connected_layer_has_four_thousand_million_parameters():
    """The article, CNN section: [256 × 256] × [256 × 256], printed with misplaced commas."""
    assert count_fully_connected(256 * 256, 256 * 256) == 4_294_967_296


def test_the_article_s_convolution_has_nine_parameters():
    """One 3 × 3 kernel, one grey channel, no bias."""
    assert count_convolution(3) == 9


def test_biases_are_one_for_each_output():
    """LeNet-5's first layer has 6 × (5 × 5 + 1) = 156 parameters (LeCun 1998), its F6 84 × 121 = 10,164."""
    assert count_convolution(5, 1, 6, has_bias=True) == 156
    assert count_fully_connected(120, 84, has_bias=True) == 10_164


@pytest.mark.parametrize(
    ("size", "kernel", "stride", "padding", "expected"),
    [(4, 2, 1, 0, 3), (32, 5, 1, 0, 28), (224, 7, 2, 3, 112), (112, 3, 2, 1, 56), (3, 2, 2, 0, 1)],
)
def test_output_sizes_are_those_of_known_networks(size: int, kernel: int, stride: int, padding: int, expected: int):
    """The article's figure 3A, LeNet-5's C1, ResNet's stem and its pooling, and a map that does not divide."""
    assert output_size(size, kernel, stride, padding) == expected


def test_impossible_sizes_are_refused():
    """A count below one has no meaning, a kernel larger than the image no place."""
    with pytest.raises(PlanError, match="n_inputs"):
        count_fully_connected(0, 3)
    with pytest.raises(PlanError, match="does not fit"):
        output_size(2, 5)
    with pytest.raises(PlanError, match="padding"):
        output_size(5, 2, padding=-1)


def test_the_description_corrects_the_article_only_where_it_speaks_of_it():
    """The remark on the commas belongs to the article's own case."""
    assert "65,536 × 65,536 = 4,294,967,296 parameters" in describe_counting()
    assert "3 × 3 × 1 × 1 = 9 parameters" in describe_counting()
    assert "42,9496,7296" in describe_counting()
    other = describe_counting(28, 5, 3, 6, has_bias=True)
    assert "5 × 5 × 3 × 6 + 6 = 456 parameters" in other
    assert "42,9496,7296" not in other


def test_the_size_is_written_out():
    """The formula with the numbers in it."""
    assert describe_output_size().startswith("⌊(4 + 2 × 0 − 2) / 1⌋ + 1 = 3")
