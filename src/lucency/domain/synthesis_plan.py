"""The plan's part about making images: two networks that compete, and how their images are judged."""

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from lucency.domain.section import Section

SUITED: dict[str, dict[str, Any]] = {
    "dcgan": {"learning_rate": 2e-4, "betas": (0.5, 0.999), "critic_steps": 1},
    "wgan_gp": {"learning_rate": 2e-4, "betas": (0.0, 0.9), "critic_steps": 5},
}
"""What each model's authors found to work, where the plan does not say."""
SMALLEST_SIDE_PIXELS, LARGEST_SIDE_PIXELS = 16, 128
REAL, BOTH, SYNTHETIC = "real", "real and synthetic", "synthetic"
"""The arms of the ablation: what a classifier learnt from."""


class Ablation(Section):
    """Do synthetic images help a classifier? It is trained without and with them, and judged on real images alone."""

    n_seeds: Annotated[int, Field(ge=0, le=20)] = 3
    """How often each arm is trained, from different random beginnings; 0 leaves the ablation out, and below 3 chance in the
    training cannot be told from an effect."""
    synthetic_per_real: Annotated[float, Field(gt=0, le=10)] = 1.0
    """Synthetic images for each real training image, in the arm that has both."""
    synthetic_only: bool = True
    """Also train on synthetic images alone."""


class Synthesis(Section):
    """Two networks that compete: a generator makes images, a discriminator tells them from real ones."""

    model: Literal["dcgan", "wgan_gp"] = "dcgan"
    """`dcgan`: the discriminator says real or synthetic (Radford 2016). `wgan_gp`: a critic measures how far the two are apart,
    with a penalty on its gradient (Gulrajani 2017); steadier, and several times slower."""
    conditional: bool = True
    """Tell both networks the class, so that images of a class can be asked for. Without it the synthetic images have no label,
    and the ablation is left out."""
    noise_size: Annotated[int, Field(ge=2, le=1024)] = 64
    """Random numbers from which the generator makes one image."""
    n_kernels: Annotated[int, Field(ge=4, le=256)] = 32
    """Kernels at half the size of the image; twice as many each time the image is halved again, up to eight times."""
    epochs: Annotated[int, Field(ge=1)] = 100
    """How often the discriminator sees the whole training part."""
    batch_size: Annotated[int, Field(ge=2)] = 64
    """Real images per step of the discriminator; as many synthetic ones go with them."""
    learning_rate: Annotated[float, Field(gt=0)] = 2e-4
    """Size of a step of the generator."""
    discriminator_learning_rate: Annotated[float, Field(gt=0)] | None = None
    """Size of a step of the discriminator; null takes `learning_rate`."""
    betas: tuple[Annotated[float, Field(ge=0, lt=1)], Annotated[float, Field(ge=0, lt=1)]] = (0.5, 0.999)
    """How much of the last steps, and of their squares, lives on in Adam. Without a say of the plan 0.5 and 0.999 for
    `dcgan`, 0 and 0.9 for `wgan_gp`."""
    critic_steps: Annotated[int, Field(ge=1, le=50)] = 1
    """Steps of the discriminator for each one of the generator. Without a say of the plan 1 for `dcgan`, 5 for `wgan_gp`."""
    penalty_weight: Annotated[float, Field(gt=0)] = 10.0
    """Weight of the penalty on the gradient of the critic, for `wgan_gp`."""
    label_smoothing: Annotated[float, Field(ge=0, lt=0.5)] = 0.1
    """How far the discriminator's target for real images lies below 1, against overconfidence, for `dcgan` (Salimans 2016)."""
    average: Annotated[float, Field(ge=0, lt=1)] = 0.999
    """How much of the generator's running mean lives on at each of its steps. The mean makes the images: it is steadier than the
    last step. 0 takes the last step itself."""
    select_by: Literal["kid", "last"] = "kid"
    """Which epoch's generator is kept: that with the lowest kernel inception distance to the tuning part, or the last."""
    sheet_epochs: Annotated[int, Field(ge=1)] = 10
    """A sheet of images from the same noise is kept each time so many epochs have passed, and of the first and the last."""
    n_samples: Annotated[int, Field(ge=50, le=100_000)] = 2000
    """Synthetic images that are made and judged."""
    suspect_share: Annotated[float, Field(gt=0, le=0.2)] = 0.01
    """A synthetic image is suspected to be a copy when it lies nearer to a training image than all but this share of unseen
    real images do."""
    ablation: Ablation = Ablation()
    """Do synthetic images help a classifier?"""

    @model_validator(mode="before")
    @classmethod
    def _suit_the_model(cls, value: Any) -> Any:
        """Choose what suits the model where the plan does not say."""
        if not isinstance(value, dict):
            return value
        return SUITED.get(value.get("model", "dcgan"), {}) | value


def n_doublings(side_pixels: int) -> int:
    """Return how often a generator doubles its first 4 to 7 pixels until a side is reached."""
    return (side_pixels // 4).bit_length() - 1


def fits_generator(shape: tuple[int, int]) -> bool:
    """Tell whether 4 to 7 pixels, doubled again and again, become the shorter of these sides, and the longer goes along."""
    step = 2 ** n_doublings(min(shape))
    return min(shape) >= SMALLEST_SIDE_PIXELS and max(shape) <= LARGEST_SIDE_PIXELS and not any(s % step for s in shape)


def sides_that_fit(side_pixels: int) -> tuple[int, ...]:
    """Return the nearest sides, below and above, that a generator can make."""
    fitting = [side for side in range(SMALLEST_SIDE_PIXELS, LARGEST_SIDE_PIXELS + 1) if fits_generator((side, side))]
    below = [side for side in fitting if side <= side_pixels]
    above = [side for side in fitting if side >= side_pixels]
    return tuple(sorted({*below[-1:], *above[:1]}))
