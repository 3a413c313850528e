"""Numbers as a journal writes them, and the results as sentences; no result without its interval."""

from collections.abc import Iterable
from datetime import datetime
from typing import Literal

from lucency.domain.estimate import Estimate
from lucency.domain.parts import Part
from lucency.evaluation.classification import called_classes
from lucency.report.counts import count_parts
from lucency.report.material import Material

NARROW_SPACE = "\u202f"
AS_PERCENT = {
    "sensitivity",
    "specificity",
    "accuracy",
    "balanced accuracy",
    "positive predictive value",
    "negative predictive value",
    "positive predictive value at declared prevalence",
    "negative predictive value at declared prevalence",
    "no-information rate",
    "prevalence",
    "false-positive rate",
    "false-negative rate",
    "macro-average sensitivity",
    "macro-average specificity",
    "label noise",
    "label noise by label",
    "label noise by true class",
}
"""Measures that journals print as percentages."""

MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
"""In English, whatever the machine speaks."""

ARCHITECTURES = {
    "logistic": "logistic regression",
    "fully_connected": "a fully connected network",
    "lenet5": "LeNet-5",
    "small_cnn": "a small convolutional network",
    "resnet18": "ResNet-18",
    "lstm": "a network with long short-term memory (LSTM)",
    "gru": "a network of gated recurrent units (GRU)",
}
OPTIMIZERS = {"adam": "Adam", "sgd": "SGD"}


def count(n: int) -> str:
    """Write a count, with a comma at the thousands."""
    return f"{n:,}"


def of_images(n: int) -> str:
    """Write a number of images."""
    return of_units(n, "image")


def of_units(n: int, unit: str) -> str:
    """Write a number of images or reports."""
    return f"{n:,} {unit if n == 1 else f'{unit}s'}"


def of_patients(n: int) -> str:
    """Write a number of patients."""
    return f"{n:,} {'patient' if n == 1 else 'patients'}"


def proportion(share: float, digits: int = 1) -> str:
    """Write a share as a percentage."""
    return f"{100 * share:.{digits}f}{NARROW_SPACE}%"


def number(value: float, digits: int) -> str:
    """Write a number with a true minus sign, and none before a zero."""
    return f"{value:z.{digits}f}".replace("-", "−")


def duration(seconds: float) -> str:
    """Write a time in the unit that suits it."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    if seconds < 3600:
        return f"{seconds // 60:.0f} min {seconds % 60:.0f} s"
    return f"{seconds // 3600:.0f} h {seconds % 3600 // 60:.0f} min"


def moment(time: str) -> str:
    """Write a time of the record as a letter would: 14 March 2026, 10:22 UTC."""
    try:
        when = datetime.fromisoformat(time)
    except ValueError:
        return time
    zone = f" {when.tzname()}" if when.tzinfo else ""
    return f"{when.day} {MONTHS[when.month - 1]} {when.year}, {when:%H:%M}{zone}"


def is_percent(estimate: Estimate) -> bool:
    """Tell whether a measure is printed as a percentage."""
    return estimate.numerator is not None or estimate.name.lower() in AS_PERCENT


def value(estimate: Estimate) -> str:
    """Write the value alone, for a place where the interval stands beside it."""
    if estimate.value is None:
        return "not computable"
    return proportion(estimate.value) if is_percent(estimate) else number(estimate.value, 3)


def interval(estimate: Estimate) -> str:
    """Write the bounds of the interval."""
    if estimate.low is None or estimate.high is None:
        return "no interval"
    if is_percent(estimate):
        return f"{100 * estimate.low:.1f}–{100 * estimate.high:.1f}{NARROW_SPACE}%"
    dash = " to " if estimate.low < 0 else "–"
    return f"{number(estimate.low, 3)}{dash}{number(estimate.high, 3)}"


def standardised(estimate: Estimate) -> str:
    """Write a standardised difference with its interval: 0.12 (−0.03 to 0.27)."""
    if estimate.value is None:
        return "no overlap" if estimate.n else "–"
    if estimate.low is None or estimate.high is None:
        return number(estimate.value, 2)
    return f"{number(estimate.value, 2)} ({number(estimate.low, 2)} to {number(estimate.high, 2)})"


def level(estimate: Estimate) -> str:
    """Write the level of an interval: 95 % CI."""
    return f"{100 * estimate.level:g}{NARROW_SPACE}%\u00a0CI"


def quote(estimate: Estimate) -> str:
    """Write a value as a journal quotes it: 0.941 (95 % CI 0.913–0.962)."""
    if estimate.value is None:
        return f"not computable: {estimate.note or 'no reason given'}"
    return f"{value(estimate)} ({level(estimate)} {interval(estimate)})"


def aside(estimate: Estimate) -> str:
    """Write a value as it stands within brackets: 0.941, 95 % CI 0.913–0.962."""
    return f"{value(estimate)}, {level(estimate)} {interval(estimate)}"


def sample_size(estimate: Estimate) -> str:
    """Write n/N of a proportion, or the number of units, and the patients where there are fewer."""
    if estimate.numerator is not None and estimate.denominator is not None:
        shown = f"{estimate.numerator:,}/{estimate.denominator:,}"
    else:
        shown = f"n = {estimate.n:,}"
    if estimate.n_clusters is not None and estimate.unit != "patient":
        shown += f" ({of_patients(estimate.n_clusters)})"
    return shown


def find(estimates: Iterable[Estimate], names: tuple[str, ...], part: str, groups: tuple[str, ...]) -> Estimate | None:
    """Return the first estimate that bears one of the names, in the order of the groups."""
    wanted = [e for e in estimates if e.part == part and e.name.lower() in names]
    return next((e for group in groups for e in wanted if e.group == group), None)


AUC = ("auc", "macro-average auc")
SENSITIVITY = ("sensitivity",)
SPECIFICITY = ("specificity",)
ACCURACY = ("accuracy",)
BALANCED = ("balanced accuracy",)
MEANS_OF_FINDINGS = ("macro-average auc", "macro-average sensitivity", "macro-average specificity")


def key_estimates(material: Material, part: Part = Part.TEST) -> tuple[Estimate, ...]:
    """Choose the numbers of the key box: AUC, sensitivity and specificity; AUC and accuracy for several classes."""
    if material.findings:
        means = (find(material.estimates, (name,), part, ("all",)) for name in MEANS_OF_FINDINGS)
        return tuple(estimate for estimate in means if estimate)
    wanted = (AUC, SENSITIVITY, SPECIFICITY) if material.positive else (AUC, ACCURACY, BALANCED)
    groups = ("all", material.positive, "macro") if material.positive else ("all", "macro")
    named = tuple(group for group in groups if group)
    found = (find(material.estimates, names, part, named) for names in wanted)
    return tuple(estimate for estimate in found if estimate)


def is_exploratory(material: Material) -> bool:
    """Tell whether the test set was opened more than once, so that its numbers may have been chosen."""
    return material.n_openings > 1


def result_sentences(material: Material) -> list[str]:
    """Say the results of the test part in words that need no statistics."""
    if material.findings:
        return _several_findings(material)
    return _two_classes(material) if material.positive else _several_classes(material)


def data_sentence(material: Material) -> str:
    """Say how many images and patients were used, refused and split."""
    parts = count_parts(material)
    n_images, n_patients = len(material.split), len({row.patient_id for row in material.split})
    n_refused = len(material.cohort) - n_images
    refused = (
        "none was refused"
        if n_refused == 0
        else f"{count(n_refused)} {'was' if n_refused == 1 else 'were'} not used, each with its reason"
    )
    unit = material.plan.unit
    found = f"{of_units(len(material.cohort), unit)} were found; {refused}."
    patient = material.plan.data.patient
    if patient is not None and patient.from_ == "each_image":
        shares = ", ".join(f"{part.title.lower()} {of_units(part.n_images, unit)}" for part in parts)
        return f"{found} Patients are not known: the {of_units(n_images, unit)} were split as if each were of another: {shares}."
    shares = ", ".join(f"{part.title.lower()} {of_patients(part.n_patients)}" for part in parts)
    return f"{found} The {of_units(n_images, unit)} of {of_patients(n_patients)} were split by patient: {shares}."


def network_sentence(material: Material) -> str:
    """Say what was trained."""
    architecture = material.plan.network.architecture
    name = ARCHITECTURES.get(architecture, architecture)
    n_parameters = sum(layer.n_parameters for layer in material.layers)
    n_members = len(material.members)
    size = f"{count(n_parameters)} parameters"
    task = f"find {_join(material.classes)}" if material.findings else f"tell {_join(material.classes)} apart"
    if n_members == 1:
        return f"{name[0].upper()}{name[1:]} with {size} learnt to {task}."
    return (
        f"An ensemble of {n_members} networks ({name}, {size} each) learnt to {task}; "
        "the mean of their probabilities is the answer."
    )


def operating_point_sentence(material: Material) -> str:
    """Say how a probability becomes an answer, and that the test part had no say in it."""
    if material.findings:
        return (
            "Each finding has a threshold of its own, chosen on the tuning part before the test part was opened, by the rule: "
            f"{material.operating_point.rule if material.operating_point else ''}."
        )
    point = material.operating_point
    if point is None or material.positive is None:
        return "The class with the highest probability is the answer."
    subject = "An image" if material.plan.unit == "image" else "A report"
    return (
        f"{subject} counts as {material.positive} from a probability of {point.threshold:.3f}. This threshold was chosen "
        f"on the tuning part before the test part was opened, by the rule: {point.rule}."
    )


def _two_classes(material: Material) -> list[str]:
    positive, negative = material.classes[1], material.classes[0]
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


def _several_classes(material: Material) -> list[str]:
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
        if e.part == Part.TEST and e.name.lower() in SENSITIVITY and e.group in material.classes and e.value is not None
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


def of_finding(material: Material, finding: str) -> tuple[Estimate | None, ...]:
    """Return AUC, sensitivity and specificity of one finding on the test part."""
    return tuple(find(material.estimates, names, Part.TEST, (finding,)) for names in (AUC, SENSITIVITY, SPECIFICITY))


def count_answers(material: Material) -> tuple[int, int]:
    """Count the answers about all findings on the test part, and how many of them are wrong."""
    wrong = [
        int((called_classes(one.test, one.operating_point) != one.test.targets).sum()) for one in material.findings
    ]
    return sum(len(one.test) for one in material.findings), sum(wrong)


def likeness(correlation: Estimate) -> str:
    """Say how much one order of words resembles another."""
    value = correlation.value or 0.0
    return "much as" if value >= 0.5 else "somewhat as" if value >= 0.3 else "hardly as"


def _several_findings(material: Material) -> list[str]:
    mean = find(material.estimates, ("macro-average auc",), Part.TEST, ("all",))
    aucs = [e for one in material.findings if (e := of_finding(material, one.finding)[0]) and e.value is not None]
    sentences = []
    if mean and mean.value is not None:
        sentences.append(f"Averaged over the {len(material.findings)} findings, the AUC was {quote(mean)}.")
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


def _join(names: tuple[str, ...]) -> str:
    return " and ".join((", ".join(names[:-1]), names[-1])) if len(names) > 1 else names[0]
