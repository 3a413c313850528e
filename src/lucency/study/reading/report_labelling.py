"""The task of report labelling: what is special about networks that read radiology reports."""

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from lucency.domain.cohort import KEPT, REFUSED, CohortRow
from lucency.domain.parts import Part
from lucency.randomness import key as counted_key
from lucency.randomness import sample_keys
from lucency.study.cohort import COHORT, clinical_settings, join_clinical_table, outside, questions_of
from lucency.study.folder import StudyFolder
from lucency.study.medium import Medium, labelled_images
from lucency.study.naming.classes import naming_classes, stages_of_classes
from lucency.study.plan import as_settings
from lucency.study.stage import Stage, Study
from lucency.study.versions import keep_version

if TYPE_CHECKING:  # torch takes seconds to import; only stages that need it do
    from torch import Tensor, nn

    from lucency.data.texts.vocabulary import Vocabulary
    from lucency.network.layer_table import LayerRow
    from lucency.network.recurrent import ReadingNetwork
    from lucency.training.examples import Examples
    from lucency.training.reports import ReportExamples

TEXT_STORE = ("store/words.json", "store/tokens.bin", "store/reports.json")
VOCABULARY = "training/vocabulary.json"
VECTORS = "training/vectors.safetensors"
"""Word vectors that training began with, of the words in the vocabulary."""


def _curation_settings(study: Study) -> dict[str, Any]:
    """Depend on the reports, on the tables that name their patients, and on how they are read."""
    from lucency.data.ground_truth.tables import hash_table
    from lucency.data.texts.finding import fingerprint_of_reports

    data = study.plan.data
    table = data.labels.table if data.patient and data.patient.from_ == "table" else None
    text = as_settings(data.text)
    del text["least_count"]  # of the vocabulary, which is learnt later
    return {
        "fingerprint": outside(study, CURATE, "fingerprint", data.images, lambda: fingerprint_of_reports(data)),
        "text": text,
        "patient": as_settings(data.patient) if data.patient else None,
        "criteria": [[as_settings(criterion) for criterion in criteria] for criteria in (data.include, data.exclude)],
        "table": outside(study, CURATE, "table", table, lambda: hash_table(Path(table))) if table else None,
        **clinical_settings(study),
    }


def _curate(study: Study, key: str) -> Iterable[str]:  # noqa: ARG001 - every stage is given its key
    from lucency.data.texts.curation import curate_reports

    curation = curate_reports(study.plan.data, study.folder.path / "store", study.desk)
    rows = curation.rows
    refused = Counter(row.reason for row in rows if row.status == REFUSED)
    reasons = "".join(f", {n} refused ({code})" for code, n in sorted(refused.items()))
    study.desk.say(
        f"Reports: {sum(row.status == KEPT for row in rows)} of {len(rows)} kept{reasons}; "
        f"{len({row.patient_id for row in rows} - {''})} patients."
    )
    cohort = study.folder.write_rows(COHORT, rows)
    return [cohort, keep_version(study.folder, cohort), *TEXT_STORE, *join_clinical_table(study, curation)]


CURATE = Stage("curate", "The reports are read.", _curation_settings, lambda _: [], _curate)


def read_vocabulary(folder: StudyFolder) -> "Vocabulary":
    """Return the words that the networks of a study know."""
    from lucency.data.texts.vocabulary import Vocabulary

    return Vocabulary.from_json(folder.read_json(VOCABULARY))


def _settings(study: Study) -> dict[str, Any]:
    from lucency.data.ground_truth.tables import hash_table
    from lucency.data.texts.word_vectors import SETTING

    settings: dict[str, Any] = {"least_count": study.plan.data.text.least_count}
    vectors = study.plan.network.recurrent.vectors
    if vectors:
        settings["vectors"] = outside(study, TRAIN, "vectors", vectors, lambda: hash_table(Path(vectors), SETTING))
    return settings


def _prepare(study: Study) -> list[str]:
    """Learn the words of the training part, and look them up among the word vectors if the plan names any."""
    from lucency.data.texts.store import open_text_store
    from lucency.data.texts.vocabulary import learn_vocabulary

    store, training = open_text_store(study.folder.path / "store"), labelled_images(study, Part.TRAINING)
    rows, patients = [one.store_row for one in training], [one.patient_id for one in training]
    vocabulary = learn_vocabulary(store, rows, patients, study.plan.data.text.least_count)
    study.desk.say(f"Vocabulary: {len(vocabulary.known)} words of the training part.")
    written = [study.folder.write_json(VOCABULARY, vocabulary.as_json())]
    return written + _look_up_vectors(study, vocabulary)


def _look_up_vectors(study: Study, vocabulary: "Vocabulary") -> list[str]:
    from safetensors.numpy import save

    from lucency.data.texts.word_vectors import read_word_vectors

    settings = study.plan.network.recurrent
    if not settings.vectors:
        return []
    words = vocabulary.plain_words()
    found = read_word_vectors(Path(settings.vectors), words, settings.embedding_size)
    numbers = vocabulary.numbers_of(list(found))
    study.desk.say(f"Word vectors: {len(found)} of {len(words)} words of the vocabulary have one.")
    vectors = np.array(list(found.values()), np.float32).reshape(len(found), settings.embedding_size)
    return [study.folder.write(VECTORS, save({"numbers": numbers, "vectors": vectors}))]


def _examples(study: Study, reports: Sequence[CohortRow], targets: "Tensor", soft: "Tensor | None") -> "ReportExamples":
    from lucency.data.texts.store import open_text_store
    from lucency.training.reports import ReportExamples

    store = open_text_store(study.folder.path / "store")
    return ReportExamples(
        store=store,
        numbers=read_vocabulary(study.folder).numbers_of(store.words),
        rows=np.array([report.store_row for report in reports]),
        targets=targets,
        sample_keys=sample_keys([report.image_id for report in reports]),
        soft=soft,
    )


def _untrained(study: Study, seed: int, n_outputs: int) -> "ReadingNetwork":
    import torch

    from lucency.network.recurrent import recurrent_network

    torch.manual_seed(counted_key(seed, "initial weights") >> 1)
    n_words = len(read_vocabulary(study.folder))
    return recurrent_network(study.plan.network, n_words, n_outputs, bool(questions_of(study)[0].finding))


def _fit(study: Study, network: "nn.Module", training: "Examples") -> None:  # noqa: ARG001 - as every medium
    """Begin with the word vectors of the plan where it names any."""
    import torch
    from safetensors.torch import load_file

    if not study.plan.network.recurrent.vectors:
        return
    found = load_file(study.folder.path / VECTORS)
    with torch.no_grad():
        cast("ReadingNetwork", network).embedding.weight[found["numbers"]] = found["vectors"]


def _layers(study: Study, n_outputs: int) -> "list[LayerRow]":
    from lucency.network.recurrent import reading_layers

    return reading_layers(_untrained(study, 0, n_outputs))


REPORTS = Medium(
    store=TEXT_STORE,
    learnt=(VOCABULARY,),
    settings=_settings,
    prepare=_prepare,
    examples=_examples,
    untrained=_untrained,
    fit=_fit,
    augment=lambda _plan, _seed: None,
    show_samples=lambda _study, _training: [],
    layers=_layers,
)

NAMING = naming_classes(REPORTS)
TRAIN, PREDICT, EVALUATE = stages_of_classes(REPORTS, NAMING)
