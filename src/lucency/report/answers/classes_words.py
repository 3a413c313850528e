"""The results of classes as sentences; no result without its interval."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Literal

from lucency.domain.estimate import Estimate
from lucency.domain.parts import Part
from lucency.domain.plan import Plan
from lucency.report.material import Material
from lucency.report.words import aside, find, quote

if TYPE_CHECKING:
    from lucency.report.answers.classes import Classes

AUC = ("auc", "macro-average auc")
SENSITIVITY = ("sensitivity",)
SPECIFICITY = ("specificity",)
ACCURACY = ("accuracy",)
BALANCED = ("balanced accuracy",)
MEANS_OF_FINDINGS = ("macro-average auc", "macro-average sensitivity", "macro-average specificity")


def key_estimates(answers: "Classes", estimates: Iterable[Estimate]) -> tuple[Estimate, ...]:
    """Choose the numbers of the key box: AUC, sensitivity and specificity; AUC and accuracy for several classes."""
    listed = tuple(estimates)
    if answers.findings:
        means = (find(listed, (name,), Part.TEST, ("all",)) for name in MEANS_OF_FINDINGS)
        return tuple(estimate for estimate in means if estimate)
    positive = answers.positive
    wanted = (AUC, SENSITIVITY, SPECIFICITY) if positive else (AUC, ACCURACY, BALANCED)
    groups = ("all", positive, "macro") if positive else ("all", "macro")
    found = (find(listed, names, Part.TEST, groups) for names in wanted)
    return tuple(estimate for estimate in found if estimate)


def result_sentences(answers: "Classes", material: Material) -> list[str]:
    """Say the results of the test part in words that need no statistics."""
    if answers.findings:
        return _several_findings(answers, material)
    return _two_classes(answers, material) if answers.positive else _several_classes(answers, material)


def decision_sentence(answers: "Classes", plan: Plan) -> str:
    """Say how a probability becomes an answer, and that the test part had no say in it."""
    point = answers.operating_point
    if answers.findings:
        return (
            "Each finding has a threshold of its own, chosen on the tuning part before the test part was opened, by the rule: "
            f"{point.rule if point else ''}."
        )
    if point is None or answers.positive is None:
        return "The class with the highest probability is the answer."
    subject = "An image" if plan.unit == "image" else "A report"
    return (
        f"{subject} counts as {answers.positive} from a probability of {point.threshold:.3f}. This threshold was chosen "
        f"on the tuning part before the test part was opened, by the rule: {point.rule}."
    )


def of_finding(estimates: Iterable[Estimate], finding: str) -> tuple[Estimate | None, ...]:
    """Return AUC, sensitivity and specificity of one finding on the test part."""
    listed = tuple(estimates)
    return tuple(find(listed, names, Part.TEST, (finding,)) for names in (AUC, SENSITIVITY, SPECIFICITY))


def join(names: tuple[str, ...]) -> str:
    """Write names one after the other: a, b and c."""
    return " and ".join((", ".join(names[:-1]), names[-1])) if len(names) > 1 else names[0]


def _two_classes(answers: "Classes", material: Material) -> list[str]:
    negative, positive = answers.classes
    auc, sensitivity, specificity = (
        find(material.estimates, names, Part.TEST, ("all", positive)) for names in (AUC, SENSITIVITY, SPECIFICITY)
    )
    sentences = []
    if sensitivity:
        sentences.append(_counted(sensitivity, f"with {positive}", "found", "sensitivity"))
    if specificity:
        sentences.append(_counted(specificity, f"without it ({negative})", "cleared", "specificity"))
    if auc and auc.value is not None:
        sentences.append(
            f"The AUC was {quote(auc)}: of all pairs of one {material.plan.unit} of each kind, this is the share in which the "
            f"one with {positive} gets the higher probability."
        )
    return sentences


def _several_classes(answers: "Classes", material: Material) -> list[str]:
    accuracy = find(material.estimates, ACCURACY, Part.TEST, ("all",))
    auc = find(material.estimates, AUC, Part.TEST, ("all", "macro"))
    sentences = []
    if accuracy and accuracy.value is not None:
        right = f"{accuracy.numerator:,} of {accuracy.denominator:,}" if accuracy.numerator is not None else "a share"
        sentences.append(
            f"The network named the right class for {right} test {material.plan.unit}s (accuracy {aside(accuracy)})."
        )
    recalls = [
        e
        for e in material.estimates
        if e.part == Part.TEST and e.name.lower() in SENSITIVITY and e.group in answers.classes and e.value is not None
    ]
    if recalls:
        best, worst = max(recalls, key=_value_of), min(recalls, key=_value_of)
        sentences.append(
            f"It found {best.group} most reliably (sensitivity {aside(best)}) and {worst.group} least "
            f"(sensitivity {aside(worst)})."
        )
    if auc and auc.value is not None:
        sentences.append(f"Averaged over the classes, each against the rest, the AUC was {quote(auc)}.")
    return sentences


def _several_findings(answers: "Classes", material: Material) -> list[str]:
    mean = find(material.estimates, ("macro-average auc",), Part.TEST, ("all",))
    found = (of_finding(material.estimates, one.finding)[0] for one in answers.findings)
    aucs = [auc for auc in found if auc and auc.value is not None]
    sentences = []
    if mean and mean.value is not None:
        sentences.append(f"Averaged over the {len(answers.findings)} findings, the AUC was {quote(mean)}.")
    best, worst = (max(aucs, key=_value_of), min(aucs, key=_value_of)) if aucs else (None, None)
    if best and worst and _value_of(best) > _value_of(worst):
        sentences.append(
            f"The network told {best.group} most reliably (AUC {aside(best)}) and {worst.group} least (AUC {aside(worst)})."
        )
    return sentences


def _counted(estimate: Estimate, kind: str, verb: Literal["found", "cleared"], name: str) -> str:
    if estimate.numerator is None or estimate.denominator is None:
        return f"On test {estimate.unit}s {kind}, the network reached a {name} of {quote(estimate)}."
    return (
        f"Of {estimate.denominator:,} test {estimate.unit}s {kind}, the network {verb} {estimate.numerator:,} "
        f"({name} {aside(estimate)})."
    )


def _value_of(estimate: Estimate) -> float:
    return estimate.value or 0.0
