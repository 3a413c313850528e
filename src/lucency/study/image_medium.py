"""Networks that look at images, whatever they answer."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from lucency.domain.cohort import CohortRow
from lucency.domain.plan import Plan
from lucency.randomness import key as counted_key
from lucency.randomness import sample_keys
from lucency.study.cohort import STORE, questions_of
from lucency.study.medium import Medium
from lucency.study.plan import as_settings
from lucency.study.stage import Study
from lucency.study.transfer import begin, paces_of_plan, transfer_settings, write_beginning

if TYPE_CHECKING:  # torch takes seconds to import; only stages that need it do
    from torch import Tensor, nn

    from lucency.network.layer_table import LayerRow
    from lucency.training.examples import Augment, Examples, ImageExamples
    from lucency.training.standardised import Standardised


def _settings(study: Study) -> dict[str, Any]:
    plan = study.plan
    return {
        "augmentation": as_settings(plan.augmentation) if plan.augmentation else None,
        "image": as_settings(plan.data.image),
        **transfer_settings(study),
    }


def _examples(study: Study, images: Sequence[CohortRow], targets: "Tensor", soft: "Tensor | None") -> "ImageExamples":
    from lucency.data.store import open_store
    from lucency.training.examples import ImageExamples

    return ImageExamples(
        store=open_store(study.folder.path / "store").images,
        rows=np.array([image.store_row for image in images]),
        targets=targets,
        sample_keys=sample_keys([image.image_id for image in images]),
        soft=soft,
    )


def _untrained(study: Study, seed: int, n_outputs: int) -> "Standardised":
    import torch

    from lucency.network.catalogue import build
    from lucency.training.standardised import Standardised

    plan, image = study.plan, study.plan.data.image
    torch.manual_seed(counted_key(seed, "initial weights") >> 1)
    return Standardised(build(plan.network, image.n_channels, image.shape, n_outputs), image.n_channels)


def _fit(study: Study, network: "nn.Module", training: "Examples") -> None:
    """Measure the grey levels of the training part, and take over weights from elsewhere if the plan says so."""
    begin(study, cast("Standardised", network), cast("ImageExamples", training))


def _augment(plan: Plan, seed: int) -> "Augment | None":
    from lucency.data.augmentation import Batch, make_augmenter

    if not plan.augmentation:
        return None
    augmenter = make_augmenter(plan.augmentation, seed)
    return lambda images, keys, epoch: augmenter(Batch(images), keys, epoch).images


def _show_samples(study: Study, training: "Examples") -> list[str]:
    from lucency.study.pictures import show_samples

    return show_samples(study, cast("ImageExamples", training), questions_of(study))


def _layers(study: Study, n_outputs: int) -> "list[LayerRow]":
    from lucency.network.layer_table import layer_table
    from lucency.training.freezing import let_learn

    image, network = study.plan.data.image, _untrained(study, 0, n_outputs)
    let_learn(paces_of_plan(study.plan)(network), study.plan.training.epochs - 1)
    return layer_table(network.network, image.n_channels, image.shape)


IMAGES = Medium(
    store=tuple(STORE),
    learnt=(),
    settings=_settings,
    prepare=write_beginning,
    examples=_examples,
    untrained=_untrained,
    fit=_fit,
    augment=_augment,
    show_samples=_show_samples,
    layers=_layers,
)
