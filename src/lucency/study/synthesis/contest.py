"""The stage of training: a generator and a discriminator compete, watched by a sheet of images from the same noise."""

from collections.abc import Iterable
from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lucency.domain.parts import Part
from lucency.domain.plan import Plan
from lucency.domain.synthesis_plan import Synthesis
from lucency.randomness import generator as random_of
from lucency.randomness import key as counted_key
from lucency.study.cohort import classes_of
from lucency.study.naming.classification import NAMING
from lucency.study.plan import as_settings
from lucency.study.stage import Stage, Study
from lucency.study.synthesis.generator import WEIGHTS, Maker, as_examples, maker_of, n_told, untrained_rivals
from lucency.study.synthesis.sheets import mosaic, rows_of_classes, sheet_png
from lucency.study.synthesis.sight import CLASSIFIER, Sight, images_of, real_pictures, sight_of

if TYPE_CHECKING:  # torch takes seconds to import; only stages that need it do
    from torch import nn

    from lucency.training.adversarial_course import Contest
    from lucency.training.device import Device

HISTORY, OUTCOME = "training/synthesis/history.csv", "training/synthesis/outcome.json"
GENERATOR_LAYERS, DISCRIMINATOR_LAYERS = "tables/generator.json", "tables/discriminator.json"
SHEETS = "figures/epochs.json"
N_COLUMNS, N_ROWS = 10, 4
"""Of a sheet; its rows are shared among the classes."""
MOST_JUDGED = 1000
"""Images of the tuning part that each epoch is judged by."""


def settings_of_contest(plan: Plan) -> dict[str, Any]:
    """Return what the two networks depend on."""
    settings = as_settings(plan.synthesis)
    for later in ("n_samples", "suspect_share", "ablation"):
        del settings[later]
    training = as_settings(plan.training)
    where = {name: training[name] for name in ("device", "n_threads")}
    return {"synthesis": settings, "training": where, "image": as_settings(plan.data.image), "seed": plan.seed}


def epochs_shown(settings: Synthesis) -> list[int]:
    """Return the epochs of which a sheet is kept: the first, every so many, and the last."""
    return sorted({1, *range(settings.sheet_epochs, settings.epochs + 1, settings.sheet_epochs), settings.epochs})


def sheet_file(epoch: int) -> str:
    """Say where the sheet of an epoch lies."""
    return f"figures/epoch-{epoch:05d}.png"


def _train(study: Study, key: str) -> Iterable[str]:
    from safetensors.torch import save

    from lucency.training.adversarial_loop import compete

    folder, settings = study.folder, study.plan.synthesis
    contest = _contest(study, key)
    outcome = compete(*untrained_rivals(study), contest, (folder.path / WEIGHTS).parent, study.desk)
    best = outcome.history[outcome.best_epoch - 1]
    by = "which chose it" if settings.select_by == "kid" else "the plan takes the last"
    study.desk.say(
        f"{contest.title}: {len(outcome.history)} epochs; kept is epoch {outcome.best_epoch} (KID {best.tuning_kid:.3f} to the "
        f"tuning part, {by})."
    )
    return [
        folder.write(WEIGHTS, save(outcome.weights)),
        folder.write_rows(HISTORY, outcome.history),
        folder.write_json(OUTCOME, {"best_epoch": outcome.best_epoch, "seed": contest.seed}),
        *_write_layers(study),
        *(sheet_file(epoch) for epoch in epochs_shown(settings)),
        folder.write_json(
            SHEETS,
            [
                {"file": sheet_file(epoch), "caption": caption_of_sheet(study, epoch)}
                for epoch in epochs_shown(settings)
            ],
        ),
    ]


def _contest(study: Study, key: str) -> "Contest":
    """Put together what the two networks learn from, and by whom they are judged."""
    from lucency.training.adversarial_course import Contest

    return Contest(
        title="Generator and discriminator",
        settings=study.plan.synthesis,
        training=study.plan.training,
        images=images_of(study, Part.TRAINING),
        n_classes=n_told(study),
        judge=_judge(study),
        show=partial(_show, study),
        seed=counted_key(study.plan.seed, "contest") >> 1,
        key=key,
    )


def _judge(study: Study) -> Any:
    """Measure the distance to the tuning part: as many synthetic images, of the same classes, and the same noise each time."""
    from lucency.evaluation.synthesis.kernel_distance import kernel_distance
    from lucency.evaluation.synthesis.pictures import synthetic

    sight, tuning = sight_of(study), images_of(study, Part.TUNING)
    seen = real_pictures(sight.see(tuning), study, Part.TUNING)
    chosen = np.sort(random_of(study.plan.seed, "images that judge").permutation(len(tuning))[:MOST_JUDGED])
    targets, unseen = tuning.targets.numpy()[chosen], seen.some(chosen)

    def distance(network: "nn.Module", device: "Device") -> float:
        return kernel_distance(synthetic(_seen(study, sight, network, device, targets)), unseen)

    return distance


def _seen(
    study: Study, sight: Sight, network: "nn.Module", device: "Device", targets: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return what the classifier sees in images that a generator makes for judging it."""
    maker = maker_of(study, network, device)
    images = maker.numbered(np.arange(len(targets)), targets, "noise that judges")
    return sight.see(as_examples(images, targets))


def _show(study: Study, network: "nn.Module", device: "Device", epoch: int) -> None:
    """Write the sheet of an epoch, if it is one that is shown."""
    if epoch in epochs_shown(study.plan.synthesis):
        study.folder.write(sheet_file(epoch), sheet_of(study, maker_of(study, network, device)))


def sheet_of(study: Study, maker: Maker) -> bytes:
    """Make the images that every sheet shows, always of the same noise."""
    classes = classes_of(study)
    targets = np.repeat(np.arange(len(classes)), N_COLUMNS * _rows_each(len(classes)))
    images = maker.numbered(np.arange(len(targets)), targets, "noise that is shown")
    return sheet_png(mosaic(images, N_COLUMNS))


def caption_of_sheet(study: Study, epoch: int) -> str:
    """Say whose images a sheet shows, and which rows are which class."""
    if not study.plan.synthesis.conditional:
        return f"epoch {epoch}"
    classes = classes_of(study)
    return f"epoch {epoch} ({rows_of_classes(classes, _rows_each(len(classes)))})"


def _rows_each(n_classes: int) -> int:
    return max(1, N_ROWS // n_classes)


def _write_layers(study: Study) -> list[str]:
    from lucency.network.gan import adversarial_layers

    image = study.plan.data.image
    tables = adversarial_layers(study.plan.synthesis, image.n_channels, image.shape, n_told(study))
    files = (GENERATOR_LAYERS, DISCRIMINATOR_LAYERS)
    return [
        study.folder.write_json(file, [asdict(row) for row in rows]) for file, rows in zip(files, tables, strict=True)
    ]


TRAIN = Stage(
    "train",
    "The generator is trained.",
    lambda study: settings_of_contest(study.plan),
    lambda plan: [*NAMING.reads(plan), CLASSIFIER],
    _train,
)
