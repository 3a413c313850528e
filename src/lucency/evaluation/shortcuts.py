"""Probes for shortcuts: whether the label can be told from what should tell nothing of the disease.

A network takes the easiest way. If the scanner, a marker in the corner or the mere exposure give the label away, it may
learn these instead of the finding, and fail where they are different (Zech 2018; DeGrave 2021). Each probe is a logistic
regression on a few simple features, asked about patients that it has not seen (cross-validation by patient). It finds
what is coarse; that it finds nothing proves nothing. Where the study measures a number, the two classes are the halves below
and above its median.
"""

import warnings
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lucency.domain.cohort import CohortRow
from lucency.domain.description import Probe
from lucency.domain.estimate import Estimate
from lucency.domain.parts import Part
from lucency.errors import SealError
from lucency.evaluation.discrimination import auc_estimate, macro_auc
from lucency.evaluation.intervals import patient_codes
from lucency.evaluation.representativeness import METADATA, SOURCES
from lucency.evaluation.table_one import Variable

BORDER = 0.08
"""Width of the frame, as a share of the shorter side."""
N_THUMBNAIL = 8
"""Rows and columns of the thumbnail."""
FOUND = 0.6
"""A shortcut is found when even the lower end of the interval of the AUC is above."""
FOUND_IN_THUMBNAIL = 0.75
"""The same for a thumbnail, in which a large finding may honestly be seen."""
TRACE = 0.55
"""Above it, but below what counts as found, there is a trace."""
WIDE = 0.7
"""Where the upper end is above and nothing was found, the patients are too few to say."""
FEWEST_PATIENTS = 10
"""A class or a source with fewer patients is not asked for."""

_N_FOLDS = 5
_N_BINS = 5
_RARE = 3
"""Levels of a category with fewer patients are pooled."""
_C = 0.1
"""Inverse strength of the penalty on standardised features."""


@dataclass(frozen=True)
class ProbedImages:
    """The images that probes may look at, with their classes and their coarse features, axis (image) throughout.

    Raises:
        SealError: there is an image of the test part among them.
    """

    images: Sequence[CohortRow]
    parts: Sequence[str]
    targets: NDArray[np.int64]
    """Number of the class."""
    border: NDArray[np.float32]
    """From `border_features`, axes (image, feature)."""
    thumbnail: NDArray[np.float32]
    """From `thumbnail_features`, axes (image, feature)."""

    def __post_init__(self) -> None:
        if Part.TEST in self.parts:
            raise SealError(
                "A probe was given images of the test part, which is sealed. Give training and tuning images."
            )


def border_features(pictures: NDArray[Any], white: int) -> NDArray[np.float32]:
    """Return mean, maximum and minimum of each cell of a frame around each image; axes (image, …, row, column) in.

    The frame is 8 % of the shorter side wide, at least one pixel, and is cut into cells that are about square.
    """
    grey = _grey(pictures, white)
    width = max(1, round(BORDER * min(grey.shape[1:])))
    bands = (grey[:, :width].swapaxes(1, 2), grey[:, -width:].swapaxes(1, 2), grey[:, :, :width], grey[:, :, -width:])
    features = []
    for band in bands:  # axes (image, along, across)
        starts = _starts(band.shape[1], max(1, round(band.shape[1] / width)))
        features.append(np.maximum.reduceat(band.max(axis=2), starts, axis=1))
        features.append(np.minimum.reduceat(band.min(axis=2), starts, axis=1))
        features.append(_means(band.mean(axis=2), starts, axis=1))
    return np.concatenate(features, axis=1)


def thumbnail_features(pictures: NDArray[Any], white: int) -> NDArray[np.float32]:
    """Return each image averaged down to 8 × 8 pixels; axes (image, …, row, column) in, (image, 64) out."""
    grey = _grey(pictures, white)
    rows, columns = (_starts(side, min(side, N_THUMBNAIL)) for side in grey.shape[1:])
    return _means(_means(grey, rows, axis=1), columns, axis=2).reshape(len(grey), -1)


def find_shortcuts(probed: ProbedImages, seed: int, level: float = 0.95, asked: str = "the label") -> tuple[Probe, ...]:
    """Ask each probe in turn: the label from the header, the border and a thumbnail, and the source from the image.

    `asked` says what the targets are, in words.
    """
    patients = patient_codes([row.patient_id for row in probed.images])
    label = _question(probed.targets, patients, seed, level)
    probes = [_ask_header(probed, label, asked)]
    border = label.answer(probed.border)
    probes.append(_probe("border", f"Does the border alone (outer 8 %) tell {asked}?", border, _BORDER_WORDS))
    thumbnail = label.answer(probed.thumbnail)
    question = f"Does a thumbnail of 8×8 pixels tell {asked}?"
    probes.append(_probe("thumbnail", question, thumbnail, _THUMBNAIL_WORDS, FOUND_IN_THUMBNAIL))
    coarse = np.concatenate([probed.border, probed.thumbnail], axis=1)
    for kind in ("site", "scanner"):
        probes += _ask_source(kind, probed, coarse, label)
    return tuple(probes)


_BORDER_WORDS = (
    "The border alone tells the label. Look at it for markers, text, collimation, black bars, or another way of "
    "positioning the ill."
)
_THUMBNAIL_WORDS = (
    "A thumbnail in which hardly any finding can be seen tells the label: exposure, body shape or positioning differ with "
    "the label, unless the disease itself changes the whole image."
)


@dataclass(frozen=True)
class _Question:
    """Something to be told, axis (image), and the folds in which it is asked."""

    targets: NDArray[np.int64]
    patients: NDArray[np.int64]
    seed: int
    level: float
    folds: tuple[tuple[NDArray[np.int64], NDArray[np.int64]], ...]
    """Images that a model is fitted to, and images of other patients that it is asked about. Empty where there are too
    few patients."""

    def answer(self, features: NDArray[np.float32]) -> Estimate:
        """Estimate how well a logistic regression tells the targets of patients that it was not fitted to."""
        n = len(self.targets)
        blank = Estimate("AUC", None, None, None, n, "image", "not asked", self.level, part="all")
        if not self.folds:
            return replace(blank, note=f"Not asked: a class has fewer than {FEWEST_PATIENTS} patients.")
        features = features[:, np.ptp(features, axis=0) > 0] if features.size else features
        if not features.shape[1]:
            return replace(blank, note="Not asked: all images are alike in this, or nothing is recorded.")
        codes, scores = np.unique(self.targets), self._out_of_fold(features)
        if len(codes) == 2:
            estimate = auc_estimate(self.targets == codes[1], scores[:, 1], self.patients, self.level)
        else:
            estimate = macro_auc(np.searchsorted(codes, self.targets), scores, self.patients, self.level)
        return replace(estimate, part="all", note="")

    def _out_of_fold(self, features: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return the log-probabilities of each class, axes (image, class), from the model that did not see the patient."""
        from sklearn.linear_model import LogisticRegression
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler

        codes = np.unique(self.targets)
        scores = np.full((len(self.targets), len(codes)), -np.inf)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a probe that has not quite converged is as good
            for known, asked in self.folds:
                model = make_pipeline(StandardScaler(), LogisticRegression(C=_C, max_iter=100, tol=1e-3))
                model.fit(features[known], self.targets[known])
                columns = np.searchsorted(codes, model.classes_)
                scores[np.ix_(asked, columns)] = model.predict_log_proba(features[asked])
        return scores


def _question(targets: NDArray[np.int64], patients: NDArray[np.int64], seed: int, level: float) -> _Question:
    """Deal the patients into folds, each with the same mix of targets."""
    from sklearn.model_selection import StratifiedGroupKFold

    n_patients = np.unique(np.unique(np.stack([targets, patients]), axis=1)[0], return_counts=True)[1]
    if n_patients.size < 2 or n_patients.min() < FEWEST_PATIENTS:
        return _Question(targets, patients, seed, level, ())
    folds = StratifiedGroupKFold(_N_FOLDS, shuffle=True, random_state=seed % 2**32)
    return _Question(targets, patients, seed, level, tuple(folds.split(targets, targets, patients)))


def _ask_header(probed: ProbedImages, label: _Question, asked: str) -> Probe:
    """Ask whether all that the header says tells the label, and which part of it alone tells it best."""
    tables = {variable.name: indicators(probed.images, variable, label.patients) for variable in METADATA}
    tables = {name: table for name, table in tables.items() if table.shape[1]}
    question = f"Does the header alone tell {asked}?"
    if not tables:
        return _probe("header", question, label.answer(np.zeros((len(label.targets), 0), np.float32)), "")
    together = label.answer(np.concatenate(list(tables.values()), axis=1))
    alone = {name: label.answer(table).value or 0.0 for name, table in tables.items()}
    best = sorted(alone, key=lambda name: -alone[name])[:3]
    telling = ", ".join(f"{name.lower()} ({alone[name]:.2f})" for name in best if alone[name] > FOUND)
    which = f" The most telling alone, with their AUC: {telling}." if telling else ""
    return _probe("header", question, together, f"How, where and of whom an image was made tells the label.{which}")


def _ask_source(kind: str, probed: ProbedImages, features: NDArray[np.float32], label: _Question) -> list[Probe]:
    """Ask whether the image tells where it was made; nothing where there are no two sources with enough patients.

    That is a shortcut only where the source in turn tells the label.
    """
    texts = np.array([SOURCES[kind].text(row) for row in probed.images])
    n_patients = _patients_a_level(texts, label.patients)
    frequent = [name for name, n in n_patients.items() if name and n >= FEWEST_PATIENTS]
    if len(frequent) < 2:
        return []
    among = np.isin(texts, frequent)
    codes = np.unique(texts[among], return_inverse=True)[1]
    question = _question(codes, label.patients[among], label.seed, label.level)
    words = f"Border and thumbnail tell the {kind}, and the {kind} tells the label: see the table of sources."
    probe = _probe(kind, f"Does the image tell its {kind}?", question.answer(features[among]), words)
    label_by_source = label.answer(indicators(probed.images, SOURCES[kind], label.patients))
    if probe.verdict == "found" and (label_by_source.low or 0.0) <= TRACE:
        words = f"Border and thumbnail tell the {kind}. Harmless as long as the labels are alike at each, as here."
        return [replace(probe, verdict="harmless", text=words)]
    return [probe]


def _probe(name: str, question: str, estimate: Estimate, found: str, threshold: float = FOUND) -> Probe:
    """Give the verdict on an AUC in plain words; it is `found` when its lower end is above the threshold."""
    if estimate.value is None or estimate.low is None or estimate.high is None:
        return Probe(name, question, estimate, "unknown", estimate.note or "Not asked.")
    if estimate.low > threshold:
        return Probe(name, question, estimate, "found", found)
    if estimate.low > TRACE:
        text = "A trace: more than chance, but too weak to speak of a shortcut."
        return Probe(name, question, estimate, "trace", text)
    if estimate.high > WIDE:
        return Probe(name, question, estimate, "unknown", "Nothing seen, but the patients are too few to rule it out.")
    return Probe(name, question, estimate, "none", "No shortcut seen, as far as this probe can tell.")


# Features ------------------------------------------------------------------------------------------------------------


def _grey(pictures: NDArray[Any], white: int) -> NDArray[np.float32]:
    """Average over channels (and slices), scale to 0 … 1; axes (image, row, column) out."""
    rows, columns = pictures.shape[-2:]
    grey = pictures.reshape(len(pictures), -1, rows, columns).mean(axis=1, dtype=np.float32)
    return (grey / np.float32(white)).astype(np.float32)


def _starts(n: int, n_cells: int) -> NDArray[np.int64]:
    """Return where each of some cells of nearly equal length begins."""
    return np.linspace(0, n, n_cells, endpoint=False).round().astype(np.int64)


def _means(values: NDArray[np.float32], starts: NDArray[np.int64], axis: int) -> NDArray[np.float32]:
    shape = [1] * values.ndim
    shape[axis] = -1
    lengths = np.diff(np.append(starts, values.shape[axis])).reshape(shape)
    return (np.add.reduceat(values, starts, axis=axis) / lengths).astype(np.float32)


def indicators(images: Sequence[CohortRow], variable: Variable, patients: NDArray[np.int64]) -> NDArray[np.float32]:
    """Return one column of 0 and 1 for each level of a variable, "not recorded" included; rare levels share one.

    A number is cut into fifths first, so that any shape of dependence can be seen.
    """
    texts = np.array([variable.text(row) for row in images], dtype=object)
    if variable.is_number:
        texts = _fifths(texts)
    n_patients = _patients_a_level(texts, patients)
    texts = np.array([text if n_patients[text] >= _RARE else "\0rare" for text in texts], dtype=object)
    levels = sorted(set(texts.tolist()))
    if len(levels) < 2:
        return np.zeros((len(images), 0), np.float32)
    return np.stack([texts == level for level in levels], axis=1).astype(np.float32)


def _patients_a_level(texts: NDArray[Any], patients: NDArray[np.int64]) -> Counter[str]:
    return Counter(text for text, _ in set(zip(texts.tolist(), patients.tolist(), strict=True)))


def _fifths(texts: NDArray[np.object_]) -> NDArray[np.object_]:
    known = np.array([bool(text) for text in texts])
    numbers = np.array([float(text) for text in texts[known]])
    if np.unique(numbers).size <= _N_BINS:
        return texts
    edges = np.quantile(numbers, np.arange(1, _N_BINS) / _N_BINS)
    cut = np.full(texts.shape, "", dtype=object)
    cut[known] = [f"fifth {number}" for number in np.searchsorted(edges, numbers, "right")]
    return cut
