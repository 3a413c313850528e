import numpy as np
import pytest

from lucency.lab.activation import FUNCTIONS, describe_activations, largest_gradient_left


def test_values_at_known_points():
    """σ(0) = 1/2, tanh(0) = 0, and ReLU is x above zero."""
    x = [-2.0, 0.0, 2.0]
    np.testing.assert_allclose(FUNCTIONS["sigmoid"].value(x), [1 / (1 + np.e**2), 0.5, 1 / (1 + np.e**-2)])
    np.testing.assert_allclose(FUNCTIONS["tanh"].value(x), np.tanh(x))
    np.testing.assert_array_equal(FUNCTIONS["relu"].value(x), [0, 0, 2])


@pytest.mark.parametrize("name", FUNCTIONS)
def test_derivatives_are_slopes(name: str):
    """Each derivative agrees with a central difference, away from the corner of ReLU."""
    x, h = np.array([-5.0, -1.3, -0.2, 0.4, 1.0, 4.0]), 1e-6
    value = FUNCTIONS[name].value
    np.testing.assert_allclose(FUNCTIONS[name].derivative(x), (value(x + h) - value(x - h)) / (2 * h), atol=1e-8)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_large_inputs_stay_finite(name: str):
    """e^1000 does not fit into a number; the functions must not notice (warnings are errors here)."""
    with np.errstate(all="raise"):
        assert np.isfinite(FUNCTIONS[name].value([-1000.0, 1000.0])).all()


def test_the_sigmoid_lets_the_gradient_fade():
    """At best a quarter is left by each layer: 0.25¹⁰ after ten."""
    assert largest_gradient_left("sigmoid", 10) == pytest.approx(0.25**10)
    assert largest_gradient_left("relu", 10) == 1


def test_the_description_has_every_function():
    """The table on the terminal."""
    text = describe_activations()
    assert "sigmoid" in text
    assert "0.2500" in text
    assert "9.5e-07" in text
