"""A finished study of reports as a labeller: its networks read texts that nobody has labelled.

Nothing leaves this computer, and nothing is written down.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np
from numpy.typing import NDArray

from lucency.domain.plan import Plan
from lucency.domain.predictions import Predictions
from lucency.domain.progress import Desk, Silence
from lucency.domain.questions import Question
from lucency.domain.tasks import REPORT_LABELLING
from lucency.errors import PlanError, RecordError
from lucency.study.cohort import questions_of
from lucency.study.folder import STAGE_DONE, StudyFolder
from lucency.study.naming.classes import OPERATING_POINT, read_operating_points
from lucency.study.plan import read_plan
from lucency.study.reading.report_labelling import NAMING, read_vocabulary
from lucency.study.stage import Study
from lucency.study.training import load_member, members

if TYPE_CHECKING:  # torch takes seconds to import; only who labels needs it
    from lucency.network.recurrent import ReadingNetwork
    from lucency.training.reports import ReportExamples

N_CARRYING = 5
"""Words that are named for each answer."""
N_AT_ONCE = 64
"""Texts whose words are weighed at a time."""


@dataclass(frozen=True)
class LabelledQuestion:
    """What the networks of a study say about one question, for each text in their order."""

    finding: str
    """The finding, where the study asked several at once; empty where it asked one thing only."""
    classes: tuple[str, ...]
    probabilities: NDArray[np.float64]
    """Axes (text, class); not a number for a text without words."""
    called: tuple[str, ...]
    """The class by the frozen threshold of the study, or the likeliest of several; empty for a text without words."""
    carrying: tuple[tuple[str, ...], ...]
    """The words that spoke most for the answer, as they are written, the strongest first (gradient × input, Shrikumar 2016).
    Of a finding among several, only for the texts in which it is called present."""


@dataclass(frozen=True)
class LabelledTexts:
    """What the networks of a study say about texts."""

    questions: tuple[LabelledQuestion, ...]

    def of(self, finding: str) -> LabelledQuestion:
        """Return the answers about one finding, whatever its capitals; those of a study that asked one thing for any name.

        Raises:
            PlanError: the study did not ask about it.
        """
        named = {question.finding.lower(): question for question in self.questions}
        if "" in named:
            return named[""]
        if finding.lower() not in named:
            known = ", ".join(question.finding for question in self.questions)
            raise PlanError(f"The labeller knows nothing of “{finding}”; it was taught: {known}.")
        return named[finding.lower()]


def label_texts(study_folder: Path, texts: Sequence[str], desk: Desk | None = None) -> LabelledTexts:
    """Let the networks of a finished study label radiology reports.

    Raises:
        PlanError: the folder holds no finished study of reports.
        RecordError: its networks were changed after they were trained.
    """
    study = _finished(study_folder, desk or Silence())
    examples, written, is_read = _read(study, texts)
    questions = questions_of(study)
    if not is_read.any():
        return LabelledTexts(tuple(_nothing_read(question, len(texts)) for question in questions))
    said = _answers(study, examples)
    return LabelledTexts(tuple(_labelled(study, n, said, examples, written, is_read) for n in range(len(questions))))


def _finished(path: Path, desk: Desk) -> Study:
    if not (path / OPERATING_POINT).exists():
        raise PlanError(
            f"{path} holds no finished study that could label reports. Give the folder that `lucency run` wrote for a plan with "
            f"`task: {REPORT_LABELLING}`."
        )
    plan = read_plan(path / "study.yaml")
    if plan.task != REPORT_LABELLING:
        raise PlanError(
            f"{path.name} is a study with `task: {plan.task}`; labels of reports need `task: {REPORT_LABELLING}`."
        )
    study = Study(plan, StudyFolder(path), desk)
    _refuse_changed(study.folder, plan)
    return study


def _refuse_changed(folder: StudyFolder, plan: Plan) -> None:
    trained = folder.record.last(STAGE_DONE, stage="train")
    recorded = trained.payload["writes"] if trained else {}
    for file in (*(f"training/{member}/weights.safetensors" for member in members(plan)), *NAMING.learnt):
        if not (folder.path / file).exists() or folder.hash(file) != recorded.get(file):
            raise RecordError(
                f"{file} in {folder.path.name} is not as it was when the network was trained. Run `lucency run` there again."
            )


def _read(study: Study, texts: Sequence[str]) -> "tuple[ReportExamples, list[tuple[str, ...]], NDArray[np.bool_]]":
    """Return the texts that hold words as examples, their words as they are written, and which texts those are."""
    import torch

    from lucency.data.texts.curation import read_words
    from lucency.data.texts.store import number_words
    from lucency.training.reports import ReportExamples

    words = []
    with study.desk.progress("Reading reports", len(texts)) as progress:
        for text in texts:
            words.append(read_words(text.encode(errors="replace"), "text", study.plan.data.text)[0])
            progress.advance()
    is_read = np.array([bool(one) for one in words], bool)
    written = [one for one in words if one]
    store = number_words(written)
    # no truth is known; what is asked decides how logits become probabilities
    truth = torch.full((len(written), len(questions_of(study))), torch.nan)
    targets = truth if questions_of(study)[0].finding else torch.zeros(len(written), dtype=torch.int64)
    examples = ReportExamples(
        store=store,
        numbers=read_vocabulary(study.folder).numbers_of(store.words),
        rows=np.arange(len(written)),
        targets=targets,
        sample_keys=np.zeros(len(written), np.uint64),
    )
    return examples, written, is_read


def _answers(study: Study, examples: "ReportExamples") -> NDArray[np.float64]:
    """Return the mean of what all members say, axes (text, class or finding)."""
    from lucency.training.cost import probabilities_of
    from lucency.training.device import fix_arithmetic, make_device
    from lucency.training.prediction import predict

    fix_arithmetic(study.plan.training)
    device = make_device(study.plan.training)
    said = []
    with study.desk.progress("Labelling reports", study.plan.training.n_members) as progress:
        for member in members(study.plan):
            network = device.setup(load_member(NAMING, study, member))
            said.append(probabilities_of(predict(network, examples, device), examples.targets))
            progress.advance()
    return np.mean(said, axis=0)


def _labelled(
    study: Study,
    number: int,
    said: NDArray[np.float64],
    examples: "ReportExamples",
    written: Sequence[tuple[str, ...]],
    is_read: NDArray[np.bool_],
) -> LabelledQuestion:
    from lucency.evaluation.classification import called_classes

    question = questions_of(study)[number]
    probabilities = np.stack([1 - said[:, number], said[:, number]], 1) if question.finding else said
    ids = ("",) * len(written)
    no_truth = np.zeros(len(written), np.int64)
    answer = Predictions("new", "ensemble", question.classes, ids, ids, no_truth, probabilities, question.finding)
    called = called_classes(answer, read_operating_points(study.folder)[question.finding])
    carrying = _carrying(study, number, called, examples, written)
    blank = _nothing_read(question, len(is_read))
    blank.probabilities[is_read] = probabilities
    named, words = list(blank.called), list(blank.carrying)
    for place, one, those in zip(np.flatnonzero(is_read), called, carrying, strict=True):
        named[place], words[place] = question.classes[one], those
    return LabelledQuestion(question.finding, question.classes, blank.probabilities, tuple(named), tuple(words))


def _nothing_read(question: Question, n_texts: int) -> LabelledQuestion:
    unknown = np.full((n_texts, len(question.classes)), np.nan)
    return LabelledQuestion(question.finding, question.classes, unknown, ("",) * n_texts, ((),) * n_texts)


def _carrying(
    study: Study, number: int, called: NDArray[np.int64], examples: "ReportExamples", written: Sequence[tuple[str, ...]]
) -> list[tuple[str, ...]]:
    """Name the words that spoke most for each answer, by the first member; of a finding, only where it is called present."""
    from lucency.explanation.words import Answer, gradient_times_input

    question = questions_of(study)[number]
    network = cast("ReadingNetwork", load_member(NAMING, study, members(study.plan)[0]))
    chosen = np.flatnonzero(called == 1) if question.finding else np.arange(len(written))
    some = replace(examples, rows=examples.rows[chosen])
    found: list[tuple[str, ...]] = [()] * len(written)
    for batch in some.in_order(N_AT_ONCE) if len(chosen) else ():
        answers = [Answer(number, True) if question.finding else Answer(int(called[chosen[n]])) for n in batch]
        for n, weights in zip(chosen[batch], gradient_times_input(network, some.inputs(batch), answers), strict=True):
            order = np.argsort(-weights[: len(written[n])], kind="stable")[:N_CARRYING]
            found[n] = tuple(written[n][place] for place in order if weights[place] > 0)
    return found
