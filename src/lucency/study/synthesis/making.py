"""The stage of prediction: the generator is frozen, and makes the images that will be judged."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lucency.domain.cohort import SplitRow
from lucency.domain.parts import Part
from lucency.domain.plan import Plan
from lucency.domain.synthesis_plan import Synthesis
from lucency.study.cohort import CLASSES, LABELS, SPLIT, classes_of, targets_of
from lucency.study.stage import Stage, Study
from lucency.study.synthesis.generator import WEIGHTS, as_examples, drawn_classes, load_maker, synthetic_id

if TYPE_CHECKING:  # torch takes seconds to import; only stages that need it do
    from lucency.training.examples import ImageExamples

MADE = ["synthetic/images.bin", "synthetic/store.json"]
MADE_TABLE = "synthetic/images.csv"
AT_ONCE = 256


def _make(study: Study, key: str) -> Iterable[str]:  # noqa: ARG001 - every stage is given its key
    """Make the images that are judged, and those that a classifier shall learn from."""
    from lucency.data.store import StoreWriter

    maker = load_maker(study)
    n_images = n_made(study)
    numbers = np.arange(1, n_images + 1)
    targets = drawn_classes(numbers, class_shares(study), study.plan.seed)
    store = StoreWriter(study.folder.path / "synthetic", study.plan.data.image, 0, str(maker.dtype))
    with study.desk.progress("Making synthetic images", n_images) as progress:
        for start in range(0, n_images, AT_ONCE):
            some = slice(start, start + AT_ONCE)
            for image in maker.numbered(numbers[some], targets[some], "noise of the study"):
                store.append(image)
            progress.advance(len(numbers[some]))
    store.finish()
    classes = classes_of(study)
    rows = [(synthetic_id(number), classes[target]) for number, target in enumerate(targets, start=1)]
    study.desk.say(f"{n_images} synthetic images were made; the generator is frozen.")
    return [*MADE, study.folder.write_table(MADE_TABLE, ["image_id", "target"], rows)]


def n_made(study: Study) -> int:
    """Count the images to be made: those that are judged, and no fewer than the ablation learns from."""
    settings = study.plan.synthesis
    return max(settings.n_samples, n_learnt_from(settings, _n_training(study)))


def n_learnt_from(settings: Synthesis, n_training: int) -> int:
    """Count the synthetic images that a classifier learns from."""
    return round(settings.ablation.synthetic_per_real * n_training) if has_ablation(settings) else 0


def has_ablation(settings: Synthesis) -> bool:
    """Tell whether classifiers are trained on synthetic images; those without a class cannot teach."""
    return settings.conditional and settings.ablation.n_seeds > 0


def made_images(study: Study) -> "ImageExamples":
    """Return all synthetic images of the study, in their order."""
    from lucency.data.store import open_store

    classes = classes_of(study)
    targets = np.array([classes.index(row["target"]) for row in study.folder.read_table(MADE_TABLE)])
    return as_examples(open_store(study.folder.path / "synthetic").images, targets)


def class_shares(study: Study) -> NDArray[np.float64]:
    """Return how frequent each class is in the training part, axis (class)."""
    classes, target = classes_of(study), targets_of(study.folder)
    names = [target[row.image_id] for row in _training_rows(study)]
    counts = np.array([names.count(name) for name in classes], np.float64)
    return counts / counts.sum()


def _n_training(study: Study) -> int:
    return len(_training_rows(study))


def _training_rows(study: Study) -> list[SplitRow]:
    return [row for row in study.folder.read_rows(SPLIT, SplitRow) if row.part == Part.TRAINING]


def _settings(plan: Plan) -> dict[str, object]:
    settings = plan.synthesis
    share = settings.ablation.synthetic_per_real if has_ablation(settings) else 0
    return {"n_samples": settings.n_samples, "synthetic_per_real": share, "seed": plan.seed}


PREDICT = Stage(
    "predict",
    "The synthetic images are made.",
    lambda study: _settings(study.plan),
    lambda _: [LABELS, CLASSES, SPLIT, WEIGHTS],
    _make,
)
