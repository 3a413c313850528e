"""The networks that make images and judge them."""

import pytest
import torch
from torch import nn

from lucency.domain.synthesis_plan import Synthesis, fits_generator, sides_that_fit
from lucency.errors import PlanError
from lucency.network.gan import ADVERSARIES, adversarial_layers, image_with_class, noise_with_class

SMALL = {"n_kernels": 4, "noise_size": 6}


@pytest.mark.parametrize("model", list(ADVERSARIES))
@pytest.mark.parametrize("shape", [(28, 28), (32, 32), (64, 64), (128, 128), (64, 48)])
@pytest.mark.parametrize(("n_channels", "n_classes"), [(1, 2), (3, 0)])
def test_both_networks_fit_each_other(model, shape, n_channels, n_classes):
    """What the generator makes is what the discriminator judges; both have gradients in all their parameters."""
    settings = Synthesis(model=model, **SMALL)
    makes, judges = (build(settings, n_channels, shape, n_classes) for build in ADVERSARIES[model])
    targets = torch.tensor([0, 1, 1]) if n_classes else torch.zeros(3, dtype=torch.long)
    images = makes(noise_with_class(torch.randn(3, 6), targets, n_classes))
    assert images.shape == (3, n_channels, *shape)
    assert images.abs().max() <= 1
    answers = judges(image_with_class(images, targets, n_classes))
    assert answers.shape == (3,)
    answers.sum().backward()
    assert all(p.grad is not None for network in (makes, judges) for p in network.parameters())


def test_parameters_are_those_of_the_paper():
    """DCGAN for 64 pixels in colour, 100 numbers of noise, 64 kernels: 3,576,704 and 2,765,568.

    So PyTorch's DCGAN tutorial, without biases; here the layers without a normalisation behind them have one.
    """
    settings = Synthesis(model="dcgan", noise_size=100, n_kernels=64)
    makes, judges = (build(settings, 3, (64, 64), 0) for build in ADVERSARIES["dcgan"])
    assert sum(p.numel() for p in makes.parameters()) == 3_576_704 + 3
    assert sum(p.numel() for p in judges.parameters()) == 2_765_568 + 64 + 1


def test_the_critic_judges_each_image_by_itself():
    """The penalty of WGAN-GP is about single images, so that no layer of the critic may mix those of a batch."""
    images = torch.randn(4, 1, 28, 28)
    critic = ADVERSARIES["wgan_gp"][1](Synthesis(model="wgan_gp", **SMALL), 1, (28, 28), 0)
    together = critic(images)
    alone = torch.cat([critic(image[None]) for image in images])
    assert torch.allclose(together, alone, atol=1e-6)
    assert not any(isinstance(layer, nn.BatchNorm2d) for layer in critic.modules())


def test_the_class_reaches_both_networks():
    """The same noise makes another image for another class, and the same image is judged otherwise."""
    torch.manual_seed(0)
    settings = Synthesis(**SMALL)
    makes, judges = (build(settings, 1, (28, 28), 2).eval() for build in ADVERSARIES["dcgan"])
    noise, first, second = torch.randn(1, 6), torch.tensor([0]), torch.tensor([1])
    one, other = (makes(noise_with_class(noise, target, 2)) for target in (first, second))
    assert not torch.equal(one, other)
    assert judges(image_with_class(one, first, 2)) != judges(image_with_class(one, second, 2))


@pytest.mark.parametrize("model", list(ADVERSARIES))
def test_layer_tables_count_every_parameter(model):
    """A layer that the table leaves out would be hidden from whoever reads the report."""
    settings = Synthesis(model=model, **SMALL)
    tables = adversarial_layers(settings, 1, (28, 28), 2)
    for build, rows in zip(ADVERSARIES[model], tables, strict=True):
        assert sum(row.n_parameters for row in rows) == sum(
            p.numel() for p in build(settings, 1, (28, 28), 2).parameters()
        )
        assert not any(row.kind[0].isupper() for row in rows), "a kind of layer has no name in plain words"
    assert tables[0][-1].output_shape == (1, 28, 28)
    assert tables[1][-1].output_shape in ((), (1,))


@pytest.mark.parametrize(
    ("side", "fitting"), [(30, (28, 32)), (8, (16,)), (200, (128,)), (100, (96, 112)), (28, (28,))]
)
def test_the_nearest_sizes_that_fit_are_named(side, fitting):
    """A refusal names the way out."""
    assert sides_that_fit(side) == fitting
    assert fits_generator((side, side)) == (fitting == (side,))


def test_other_sizes_are_refused():
    """Rather than cut or padded in silence."""
    for build in ADVERSARIES["dcgan"]:
        with pytest.raises(PlanError, match="Set `data.image.size` to 28 or 32"):
            build(Synthesis(), 1, (30, 30), 0)
