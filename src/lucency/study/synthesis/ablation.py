"""The stage of ablation: classifiers that learn from real images, from real and synthetic ones, and from synthetic ones alone.

All are the network of the plan, take as many steps, and choose their best epoch on the same real tuning part. Arms with the same
number begin with the same weights. What each is worth is told when the sealed test part is opened, for all of them together.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from lucency.domain.parts import Part
from lucency.domain.plan import Plan
from lucency.domain.synthesis_plan import BOTH, REAL, SYNTHETIC, Synthesis
from lucency.randomness import key as counted_key
from lucency.study.naming.classification import NAMING
from lucency.study.plan import as_settings
from lucency.study.stage import Stage, Study
from lucency.study.synthesis.making import MADE, MADE_TABLE, has_ablation, made_images, n_learnt_from
from lucency.study.synthesis.sight import images_of
from lucency.study.training import settings_of_training

if TYPE_CHECKING:  # torch takes seconds to import; only stages that need it do
    from torch import nn

    from lucency.training.examples import ImageExamples
    from lucency.training.joined import JoinedImages


def arms(settings: Synthesis) -> list[str]:
    """Name what classifiers learn from; nothing where there is no ablation."""
    if not has_ablation(settings):
        return []
    return [REAL, BOTH, *([SYNTHETIC] if settings.ablation.synthetic_only else [])]


def folder_of(arm: str, number: int) -> str:
    """Say where a classifier of the ablation lies."""
    return f"ablation/{arm.replace(' ', '-')}-{number}"


def weights_of_arms(plan: Plan) -> list[str]:
    """Name the weights of all classifiers of the ablation."""
    settings = plan.synthesis
    return [
        f"{folder_of(arm, number)}/weights.safetensors"
        for arm in arms(settings)
        for number in range(settings.ablation.n_seeds)
    ]


def load_classifier(study: Study, arm: str, number: int) -> "nn.Module":
    """Load a classifier of the ablation."""
    from safetensors.torch import load_file

    network = NAMING.untrained(study, 0)
    network.load_state_dict(load_file(study.folder.path / folder_of(arm, number) / "weights.safetensors"))
    return network


def _ablate(study: Study, key: str) -> Iterable[str]:
    settings = study.plan.synthesis
    if not has_ablation(settings):
        study.desk.say("No ablation: the plan leaves it out, or the synthetic images have no class.")
        return []
    training, tuning, made = images_of(study, Part.TRAINING), images_of(study, Part.TUNING), made_images(study)
    sources = _sources(training, made, n_learnt_from(settings, len(training)))
    written: list[str] = []
    for number in range(settings.ablation.n_seeds):
        for arm in arms(settings):
            written += _train_one(study, arm, number, (sources[arm], tuning), training, key)
    return written


def _sources(training: "ImageExamples", made: "ImageExamples", n_learnt: int) -> "dict[str, JoinedImages]":
    """Return what each arm learns from; epochs are as long as those of the real images."""
    from lucency.study.synthesis.generator import as_examples
    from lucency.training.joined import JoinedImages

    learnt = as_examples(made.store[:n_learnt], made.targets.numpy()[:n_learnt])
    n = len(training)
    return {
        REAL: JoinedImages((training,), n),
        BOTH: JoinedImages((training, learnt), n),
        SYNTHETIC: JoinedImages((learnt,), min(n, n_learnt)),
    }


def _train_one(
    study: Study,
    arm: str,
    number: int,
    parts: "tuple[JoinedImages, ImageExamples]",
    real: "ImageExamples",
    key: str,
) -> Iterable[str]:
    """Train one classifier; grey levels are brought to the scale of the real images in every arm."""
    from safetensors.torch import save

    from lucency.training.loop import train_member

    folder = folder_of(arm, number)
    title = f"Classifier on {arm} images, no. {number + 1}"
    seed = counted_key(study.plan.seed, "ablation", number) >> 1
    network = NAMING.untrained(study, seed)
    NAMING.fit(study, network, real)
    outcome = train_member(
        network, NAMING.course(study, title, parts, seed, key), study.folder.path / folder, study.desk
    )
    best = outcome.history[outcome.best_epoch - 1]
    study.desk.say(f"{title}: AUC {best.tuning_measure:.3f} on the tuning part in epoch {outcome.best_epoch}.")
    return [
        study.folder.write(f"{folder}/weights.safetensors", save(outcome.weights)),
        study.folder.write_rows(f"{folder}/history.csv", outcome.history),
    ]


def _settings(study: Study) -> dict[str, Any]:
    return settings_of_training(NAMING, study) | {"ablation": as_settings(study.plan.synthesis.ablation)}


ABLATE = Stage(
    "ablate",
    "The classifiers of the ablation are trained.",
    _settings,
    lambda plan: [*NAMING.reads(plan), *MADE, MADE_TABLE],
    _ablate,
)
