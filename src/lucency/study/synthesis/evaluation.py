"""The stage of evaluation: what the synthetic images are worth. The sealed test part is opened once, for everything together."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lucency.domain.estimate import Estimate
from lucency.domain.parts import Part
from lucency.domain.predictions import Predictions
from lucency.evaluation.intervals import patient_codes
from lucency.evaluation.synthesis.ablation import Arm, compare_arms, verdict_on_ablation
from lucency.evaluation.synthesis.kernel_distance import excess_estimate, kernel_distance_estimate, verdict_on_distance
from lucency.evaluation.synthesis.memorisation import Memorisation, find_memorisation, verdict_on_memorisation
from lucency.evaluation.synthesis.pictures import Pictures, synthetic
from lucency.evaluation.synthesis.variety import (
    COVERAGE,
    COVERAGE_OF_REAL,
    coverage,
    told_apart,
    too_alike,
    verdict_on_variety,
)
from lucency.study.cohort import classes_of
from lucency.study.folder import Opening
from lucency.study.medium import labelled_images
from lucency.study.naming.classes import METRICS, PREDICTIONS
from lucency.study.stage import Study
from lucency.study.synthesis.ablation import arms, load_classifier, weights_of_arms
from lucency.study.synthesis.files import FACTS, NEAREST, SYNTHETIC_TABLE
from lucency.study.synthesis.generator import WEIGHTS, as_examples, synthetic_id
from lucency.study.synthesis.making import MADE, MADE_TABLE, made_images
from lucency.study.synthesis.sheets import mosaic, sheet_png
from lucency.study.synthesis.sight import CLASSIFIER, images_of, real_pictures, sight_of, thumbnails_of
from lucency.study.tables import write_predictions

if TYPE_CHECKING:  # torch takes seconds to import; only stages that need it do
    from lucency.training.examples import ImageExamples

N_PAIRS = 8
"""Synthetic images that are shown beside their nearest training image: the nearest of all, and as many from the middle."""
PAIR_WIDTH = 240
KID_FLOOR = "KID of training images"
FEWEST_OF_CLASS = 10
"""Patients that a class must have to be measured by itself."""


def evaluate(study: Study, key: str) -> Iterable[str]:
    """Judge the synthetic images by themselves, beside real ones, and as lessons for a classifier."""
    folder, plan = study.folder, study.plan
    memory = _memorisation(study)  # needs no test image, and so comes before the seal is broken
    frozen = [WEIGHTS, CLASSIFIER, *MADE, *weights_of_arms(plan)]
    opening = folder.open_test_set(key, weights={file: folder.hash(file) for file in frozen})
    seen = _see(study, opening)
    distances, variety = list(_distances(study, seen)), _variety(study, seen)
    answers, compared = _ablation(study, opening)
    verdicts = {
        "distance": verdict_on_distance(distances[0], distances[1], distances[2], variety[3]),
        "memorisation": verdict_on_memorisation(memory.estimates, memory.n_identical),
        "variety": verdict_on_variety(variety[0], variety[1], variety[2], plan.synthesis.suspect_share),
        "ablation": verdict_on_ablation(compared[1].difference) if compared and compared[1].difference else "",
    }
    study.desk.say(
        f"Test set opened (evaluation no. {opening.n_openings})." if opening.n_openings > 1 else "Test set opened."
    )
    for verdict in filter(None, verdicts.values()):
        study.desk.say(verdict)
    table = [asdict(estimate) for estimate in (*distances, *memory.estimates, *variety, *_of_arms(compared))]
    return [
        folder.write_json(FACTS, {"verdicts": verdicts, **_facts(memory, compared)}),
        folder.write_json(METRICS, table),
        folder.write_table("tables/metrics.csv", list(table[0]), [row.values() for row in table]),
        *([write_predictions(folder, PREDICTIONS, answers)] if answers else []),
        _write_synthetic(study, memory),
        *_show_nearest(study, memory),
    ]


@dataclass(frozen=True)
class _Seen:
    """Synthetic, training and test images as the classifier sees them, and the class of each, axis (image)."""

    made: Pictures
    learnt: Pictures
    unseen: Pictures
    targets: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]

    def of_class(self, number: int) -> tuple[Pictures, Pictures, Pictures]:
        """Return the images of one class."""
        made, learnt, unseen = (
            pictures.some(targets == number)
            for pictures, targets in zip((self.made, self.learnt, self.unseen), self.targets, strict=True)
        )
        return made, learnt, unseen


def _see(study: Study, opening: Opening) -> _Seen:
    """Let the classifier look at everything once."""
    sight = sight_of(study)
    made, learnt = _judged(study), images_of(study, Part.TRAINING)
    unseen = images_of(study, Part.TEST, opening)
    return _Seen(
        synthetic(sight.see(made)),
        real_pictures(sight.see(learnt), study, Part.TRAINING),
        real_pictures(sight.see(unseen), study, Part.TEST, opening),
        (made.targets.numpy(), learnt.targets.numpy(), unseen.targets.numpy()),
    )


def _judged(study: Study) -> "ImageExamples":
    """Return the synthetic images that are judged: as many as the plan says."""
    made, n = made_images(study), study.plan.synthesis.n_samples
    return as_examples(made.store[:n], made.targets.numpy()[:n])


def _memorisation(study: Study) -> Memorisation:
    """Compare thumbnails of synthetic images with those of the training part, and of the tuning part as unseen ones."""
    made = synthetic(thumbnails_of(_judged(study)))
    learnt, unseen = (
        real_pictures(thumbnails_of(images_of(study, part)), study, part) for part in (Part.TRAINING, Part.TUNING)
    )
    found = find_memorisation(made, learnt, unseen, study.plan.synthesis.suspect_share, study.plan.evaluation.level)
    return replace(found, estimates=tuple(replace(one, part=str(Part.TUNING)) for one in found.estimates))


def _distances(study: Study, seen: _Seen) -> Iterator[Estimate]:
    """Measure how far synthetic images are from the test part, how far training images are, and the difference; by class too."""
    level = study.plan.evaluation.level
    yield kernel_distance_estimate(seen.made, seen.unseen, level)
    yield replace(kernel_distance_estimate(seen.learnt, seen.unseen, level), name=KID_FLOOR)
    yield excess_estimate(seen.made, seen.learnt, seen.unseen, level)
    for number, name in enumerate(classes_of(study) if study.plan.synthesis.conditional else ()):
        made, learnt, unseen = seen.of_class(number)
        if min(made.n_patients, learnt.n_patients, unseen.n_patients) >= FEWEST_OF_CLASS:
            yield replace(kernel_distance_estimate(made, unseen, level), group=name)
            yield replace(kernel_distance_estimate(learnt, unseen, level), name=KID_FLOOR, group=name)


def _variety(study: Study, seen: _Seen) -> list[Estimate]:
    """Measure how varied the synthetic images are, and whether the nearest neighbour tells them from real ones."""
    level, seed, share = study.plan.evaluation.level, study.plan.seed, study.plan.synthesis.suspect_share
    return [
        coverage(seen.made, seen.unseen, COVERAGE, level, seed),
        coverage(seen.learnt, seen.unseen, COVERAGE_OF_REAL, level, seed),
        too_alike(seen.made, seen.learnt, share, level, seed),
        told_apart(seen.made, seen.unseen, level, seed),
    ]


def _ablation(study: Study, opening: Opening) -> tuple[list[Predictions], tuple[Arm, ...]]:
    """Let every classifier of the ablation answer the test part; nothing where the plan has no ablation."""
    names, n_seeds = arms(study.plan.synthesis), study.plan.synthesis.ablation.n_seeds
    answers = [_answers(study, arm, number, opening) for arm in names for number in range(n_seeds)]
    if not answers:
        return [], ()
    said = {
        arm: np.stack([one.probabilities for one in answers[start : start + n_seeds]])
        for arm, start in zip(names, range(0, len(answers), n_seeds), strict=True)
    }
    patients = patient_codes(answers[0].patient_ids)
    return answers, compare_arms(answers[0].targets, said, patients, study.plan.evaluation.level)


def _answers(study: Study, arm: str, number: int, opening: Opening) -> Predictions:
    from lucency.training.cost import probabilities_of
    from lucency.training.device import make_device
    from lucency.training.prediction import predict

    device = make_device(study.plan.training)
    test, rows = images_of(study, Part.TEST, opening), labelled_images(study, Part.TEST, opening)
    logits = predict(device.setup(load_classifier(study, arm, number)), test, device)
    return Predictions(
        part=str(Part.TEST),
        member=f"{arm}, no. {number + 1}",
        classes=classes_of(study),
        image_ids=tuple(row.image_id for row in rows),
        patient_ids=tuple(row.patient_id for row in rows),
        targets=test.targets.numpy(),
        probabilities=probabilities_of(logits, test.targets),
    )


def _of_arms(compared: Sequence[Arm]) -> Iterator[Estimate]:
    yield from (arm.auc for arm in compared)
    yield from (arm.difference for arm in compared if arm.difference)


def _facts(memory: Memorisation, compared: Sequence[Arm]) -> dict[str, Any]:
    """Return what the report shows beside the estimates."""
    return {
        "distance_of_synthetic": memory.distance.tolist(),
        "distance_of_unseen": memory.unseen_distance.tolist(),
        "suspect_below": memory.suspect_below,
        "n_identical": memory.n_identical,
        "arms": [asdict(arm) for arm in compared],
    }


def _write_synthetic(study: Study, memory: Memorisation) -> str:
    """List each synthetic image with its nearest training image."""
    learnt = [row.image_id for row in labelled_images(study, Part.TRAINING)]
    targets = [row["target"] for row in study.folder.read_table(MADE_TABLE)]
    rows = (
        (synthetic_id(n + 1), targets[n], learnt[near], f"{distance:.5f}", int(distance < memory.suspect_below))
        for n, (near, distance) in enumerate(zip(memory.nearest, memory.distance, strict=True))
    )
    return study.folder.write_table(
        SYNTHETIC_TABLE, ["image_id", "target", "nearest_training_image", "distance", "is_suspect"], rows
    )


def _show_nearest(study: Study, memory: Memorisation) -> Iterator[str]:
    """Write synthetic images beside their nearest training image: the nearest of all, and as many from the middle."""
    made, learnt = _judged(study), images_of(study, Part.TRAINING)
    order, middle = np.argsort(memory.distance, kind="stable"), len(memory.distance) // 2
    chosen = [*order[:N_PAIRS], *order[middle : middle + N_PAIRS]]
    facts = []
    for place, number in enumerate(chosen):
        pair = np.concatenate([made.store[[number]], learnt.store[learnt.rows[[memory.nearest[number]]]]])
        file = study.folder.write(f"figures/nearest-{place:02d}.png", sheet_png(mosaic(pair, 2, gap=2), PAIR_WIDTH))
        words = f"{synthetic_id(int(number) + 1)}, {100 * memory.distance[number]:.1f} % of the grey scale apart"
        facts.append({"file": file, "caption": words})
        yield file
    yield study.folder.write_json(NEAREST, facts)
