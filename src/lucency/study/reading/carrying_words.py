"""The words that carried the answers: test reports with their words shaded, as the report's page shows them.

A page may be printed or sent, so that it shows a word only if reports of several patients of the training part hold it and
write it in small letters too. Everything else, with all numbers and dates, is shown as ▢.
"""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from lucency.domain.parts import Part
from lucency.domain.predictions import Predictions
from lucency.domain.questions import PRESENT
from lucency.study.cohort import COHORT, questions_of
from lucency.study.medium import labelled_images
from lucency.study.naming.classes import ENSEMBLE, OPERATING_POINT, PREDICTIONS, examples_of, read_operating_points
from lucency.study.plan import as_settings
from lucency.study.reading.report_labelling import NAMING, REPORTS, read_vocabulary
from lucency.study.stage import Stage, Study
from lucency.study.tables import read_predictions
from lucency.study.training import files_of_networks, load_member, members

if TYPE_CHECKING:  # torch takes seconds to import; only stages that need it do
    from lucency.evaluation.operating_point import OperatingPoint
    from lucency.explanation.words import Answer, WordWeights
    from lucency.network.recurrent import ReadingNetwork
    from lucency.training.reports import ReportExamples

CARRYING_WORDS, VOCABULARY_FACTS = "figures/words.json", "tables/vocabulary.json"
HIDDEN = "▢"
N_SHADES = 3
"""Steps of the shading to either side."""


def _explain(study: Study, key: str) -> Iterable[str]:  # noqa: ARG001 - every stage is given its key
    """Show the most confident errors and the surest answers, with the words that carried them."""
    predictions = [
        answer
        for answer in read_predictions(study.folder, PREDICTIONS)
        if answer.part == Part.TEST and answer.member == ENSEMBLE
    ]
    shown = _Shown(study, predictions)
    errors = [shown.case(*chosen) for chosen in _worst(study, predictions)]
    surest = list(_surest(study, predictions))
    facts = {
        "errors": errors,
        "cases": [shown.case(*chosen) for chosen in surest],
        **_checked(study, shown, surest),
    }
    return [
        study.folder.write_json(CARRYING_WORDS, facts),
        study.folder.write_json(VOCABULARY_FACTS, _vocabulary_facts(study)),
    ]


class _Shown:
    """The test reports with the network that reads them, and the words that may be shown."""

    def __init__(self, study: Study, predictions: Sequence[Predictions]) -> None:
        opening = study.folder.last_opening()
        self.examples = cast("ReportExamples", examples_of(REPORTS, study, Part.TEST, opening))
        self.network = cast("ReadingNetwork", load_member(NAMING, study, members(study.plan)[0]))
        self._numbers = _numbers_of_reports(study)
        self._vocabulary = read_vocabulary(study.folder)
        self._points = read_operating_points(study.folder)
        self._outputs = {question.finding: n for n, question in enumerate(questions_of(study))}
        self._called = {p.finding: _called(p, self._points[p.finding]) for p in predictions}

    def words(self, image_id: str) -> NDArray[np.int64]:
        """Return the words of one report as numbers of the vocabulary."""
        return self.examples.words(self._numbers[image_id])

    def answer(self, predictions: Predictions, number: int) -> "Answer":
        """Return what the network said of one report, as something to explain."""
        from lucency.explanation.words import Answer

        called = int(self._called[predictions.finding][number])
        if not predictions.finding:
            return Answer(called)
        return Answer(self._outputs[predictions.finding], True, predictions.classes[called] == PRESENT)

    def case(self, predictions: Predictions, number: int) -> dict[str, Any]:
        """Return one report with its answer and its shaded words."""
        from lucency.explanation.words import weigh_words

        words, answer = self.words(predictions.image_ids[number]), self.answer(predictions, number)
        called = int(self._called[predictions.finding][number])
        return {
            "image_id": predictions.image_ids[number],
            "finding": predictions.finding,
            "target": predictions.classes[predictions.targets[number]],
            "predicted": predictions.classes[called],
            "probability": float(predictions.probabilities[number, called]),
            "words": self._shaded(words, weigh_words(self.network, words, answer)),
        }

    def _shaded(self, words: NDArray[np.int64], weighed: "WordWeights") -> list[list[Any]]:
        """Return each word as it may be shown, with its shade from −3 to 3 and its attention from 0 to 3."""
        shades = _steps(weighed.weights)
        attention = np.zeros(len(words), int) if weighed.attention is None else _steps(weighed.attention)
        texts = [self._vocabulary.shown(number) or HIDDEN for number in words]
        return [list(row) for row in zip(texts, shades.tolist(), attention.tolist(), strict=True)]


def _steps(weights: NDArray[np.float64]) -> NDArray[np.int64]:
    """Bring the largest weight of a report to the last shade, and the others to theirs."""
    largest = np.abs(weights).max()
    return np.rint(N_SHADES * weights / largest).astype(int) if largest > 0 else np.zeros(len(weights), int)


def _numbers_of_reports(study: Study) -> dict[str, int]:
    images = labelled_images(study, Part.TEST, study.folder.last_opening())
    return {image.image_id: number for number, image in enumerate(images)}


def _called(predictions: Predictions, point: "OperatingPoint | None") -> NDArray[np.int64]:
    from lucency.evaluation.classification import called_classes

    return called_classes(predictions, point)


def _worst(study: Study, predictions: Sequence[Predictions]) -> list[tuple[Predictions, int]]:
    """Return the errors that the network was most sure of, of all findings together."""
    points, found = read_operating_points(study.folder), []
    for one in predictions:
        called = _called(one, points[one.finding])
        sure = one.probabilities[np.arange(len(one)), called]
        margin = sure - one.probabilities[np.arange(len(one)), one.targets]
        found += [(-margin[number], one.finding, int(number), one) for number in np.flatnonzero(called != one.targets)]
    found.sort(key=lambda error: error[:3])
    return [(one, number) for *_, number, one in found[: study.plan.report.n_worst]]


def _surest(study: Study, predictions: Sequence[Predictions]) -> Iterable[tuple[Predictions, int]]:
    """Return the surest answers of each class, taking turns, until the plan's number of cases is reached."""
    piles = []
    for one in predictions:
        # of a finding, its presence tells more than its absence
        labels = [1] if one.finding else range(len(one.classes) - 1, -1, -1)
        for label in labels:
            of_class = np.flatnonzero(one.targets == label)
            piles.append(
                [(one, int(n)) for n in of_class[np.argsort(-one.probabilities[of_class, label], kind="stable")]]
            )
    n_cases = study.plan.explanation.n_cases
    turns = [pile[turn] for turn in range(n_cases) for pile in piles if turn < len(pile)]
    return turns[:n_cases]


def _checked(study: Study, shown: _Shown, surest: Sequence[tuple[Predictions, int]]) -> dict[str, Any]:
    """Hold the weights against networks that know nothing, and attention against the weights."""
    from lucency.explanation.words import LEFT_OUT, check_words

    if not surest:
        return {"check": None}
    check = check_words(
        shown.network,
        [shown.words(one.image_ids[number]) for one, number in surest],
        [shown.answer(one, number) for one, number in surest],
        [one.patient_ids[number] for one, number in surest],
        study.plan.seed,
        study.plan.evaluation.level,
    )
    return {
        "check": {
            "method": LEFT_OUT,
            "verdict": check.verdict,
            "similarity": asdict(check.median) | {"unit": study.plan.unit},
            "attention": asdict(check.attention) | {"unit": study.plan.unit} if check.attention else None,
        }
    }


def _vocabulary_facts(study: Study) -> dict[str, Any]:
    """Count the words that the network knows, and how many of each part it does not."""
    from lucency.data.texts.vocabulary import share_unknown

    opening = study.folder.last_opening()
    unknown = {}
    for part in Part:
        examples = cast("ReportExamples", examples_of(REPORTS, study, part, opening))
        unknown[str(part)] = list(share_unknown(examples.words(number) for number in range(len(examples))))
    vocabulary = read_vocabulary(study.folder)
    return {
        "n_words": len(vocabulary.known),
        "n_shown": sum(known.is_shown for known in vocabulary.known),
        "least_count": study.plan.data.text.least_count,
        "unknown": unknown,
    }


EXPLAIN_WORDS = Stage(
    "explain",
    "The explanations are drawn.",
    lambda study: {
        "explanation": as_settings(study.plan.explanation),
        "n_worst": study.plan.report.n_worst,
        "level": study.plan.evaluation.level,
        "seed": study.plan.seed,
    },
    lambda plan: [COHORT, *REPORTS.store, *files_of_networks(NAMING, plan), PREDICTIONS, OPERATING_POINT],
    _explain,
)
