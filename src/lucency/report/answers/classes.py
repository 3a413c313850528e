"""Answers that are classes: one of two, one of several, or several findings at once; of images and of radiology reports."""

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lucency.domain.estimate import Estimate
from lucency.domain.ground_truth import RuleOutcome
from lucency.domain.parts import Part
from lucency.domain.predictions import Predictions
from lucency.evaluation.classification import called_classes
from lucency.evaluation.operating_point import OperatingPoint
from lucency.report.answers import classes_figures, classes_limitations, classes_words
from lucency.report.answers.reading import Reading
from lucency.report.answers.saliency import Explanation
from lucency.report.counts import rows_of
from lucency.report.limitations import Limitation
from lucency.report.material import Material


@dataclass(frozen=True)
class ErrorCase:
    """A test image that the network got wrong with confidence."""

    image_id: str
    target: str
    """The class that the ground truth names."""
    predicted: str
    """The class that the network named."""
    probability: float
    """What the network gave to the class that it named."""
    png: bytes


@dataclass(frozen=True)
class FindingResult:
    """One of several findings that were asked at once."""

    finding: str
    tuning: Predictions
    test: Predictions
    operating_point: OperatingPoint | None
    n_present: Mapping[str, int]
    """Part → images or reports in which it is there; those of which it is not known count nowhere."""
    n_absent: Mapping[str, int]


@dataclass(frozen=True)
class Classes:
    """What the networks said on the tuning and test parts, and what the report shows of it."""

    tuning: Predictions
    """The ensemble's predictions for the tuning part."""
    test: Predictions
    """The ensemble's predictions for the test part."""
    operating_point: OperatingPoint | None
    """None for more than two classes, where the likeliest class is the answer."""
    by_rule: tuple[RuleOutcome, ...] = ()
    """The results by the labels of other consensus rules; those of the study come first."""
    findings: tuple[FindingResult, ...] = ()
    """Where several findings were asked at once; `tuning`, `test` and `operating_point` are those of the first then."""
    errors: tuple[ErrorCase, ...] = ()
    explanation: Explanation | None = None
    reading: Reading | None = None
    """None for images."""

    ensemble = "the mean of their probabilities is the answer"

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names; of two, the second is the positive one. The findings, where several were asked at once."""
        return tuple(one.finding for one in self.findings) or self.test.classes

    @property
    def positive(self) -> str | None:
        """The positive class where there are two."""
        return self.classes[1] if len(self.classes) == 2 and not self.findings else None

    @property
    def threshold(self) -> float | None:
        """The probability from which on an image counts as positive."""
        return self.operating_point.threshold if self.operating_point else None

    @property
    def template(self) -> str:
        """Return the template that shows classes; that of radiology reports adds to it."""
        return "answers/reports.html.j2" if self.reading else "answers/classes.html.j2"

    @property
    def shares_told(self) -> tuple[str, ...]:
        """Of two classes, the share of one tells all."""
        return (self.positive,) if self.positive else self.classes

    def sections(self) -> tuple[tuple[str, str], ...]:
        """List the errors, and the explanation where there is one."""
        is_explained = self.explanation or (self.reading and self.reading.cases)
        return (("errors", "Errors"), *((("explanation", "Explanation"),) if is_explained else ()))

    def counts(self, material: Material, part: Part) -> dict[str, int]:
        """Count the images of each class; where several findings were asked at once, those with each of them."""
        if self.findings:
            return {one.finding: one.n_present[part] for one in self.findings}
        label_of = {row.image_id: row for row in material.labels}
        rows = rows_of(material.split, part)
        found = Counter(label_of[row.image_id].in_part(part) for row in rows if row.image_id in label_of)
        return {name: found[name] for name in self.classes}

    def n_iterations(self, material: Material) -> int:
        """Count the batches that hold each training image once."""
        return math.ceil(len(rows_of(material.split, Part.TRAINING)) / material.plan.training.batch_size)

    def aim(self) -> str:
        """Say which classes are told apart, or which findings are looked for."""
        listed = classes_words.join(self.classes)
        return f"find {listed}" if self.findings else f"tell {listed} apart"

    def decision_sentence(self, material: Material) -> str:
        """Say how a probability becomes an answer."""
        return classes_words.decision_sentence(self, material.plan)

    def result_sentences(self, material: Material) -> list[str]:
        """Say the results in the words that suit two classes, several, or several findings."""
        return classes_words.result_sentences(self, material)

    def key_estimates(self, material: Material) -> tuple[Estimate, ...]:
        """Choose AUC, sensitivity and specificity; AUC and accuracy for several classes."""
        return classes_words.key_estimates(self, material.estimates)

    def ruler(self, estimate: Estimate) -> tuple[float, float]:
        """Begin at 0, but at chance for an AUC that lies above it."""
        return (0.5 if "AUC" in estimate.name and (estimate.low or 0) >= 0.5 else 0.0), 1.0

    def everything(self, material: Material) -> str:
        """Name all images or reports, or all findings."""
        return "All findings together" if self.findings else f"All {material.plan.unit}s"

    def figures(self, material: Material) -> dict[str, str]:
        """Draw ROC curves, histograms of the probabilities and the confusion matrix."""
        return classes_figures.figures(self, material.plan)

    def limitations(self, material: Material) -> Iterator[Limitation]:
        """Look at numbers, intervals, balance and threshold."""
        return classes_limitations.limitations(self, material)

    def matrix(self) -> NDArray[np.int64]:
        """Count the test images, axes (true class, answer)."""
        return classes_figures.confusion_matrix(self)

    def of_finding(self, material: Material, finding: str) -> tuple[Estimate | None, ...]:
        """Return AUC, sensitivity and specificity of one finding on the test part."""
        return classes_words.of_finding(material.estimates, finding)

    def count_answers(self) -> tuple[int, int]:
        """Count the answers about all findings on the test part, and how many of them are wrong."""
        wrong = [
            int((called_classes(one.test, one.operating_point) != one.test.targets).sum()) for one in self.findings
        ]
        return sum(len(one.test) for one in self.findings), sum(wrong)
