"""Numbers as a journal writes them, and what all studies say of their data and networks."""

import math
from collections.abc import Iterable
from datetime import datetime

from lucency.domain.architectures import architecture_of
from lucency.domain.estimate import Estimate
from lucency.domain.network_plan import Network
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
    "share within the tolerance",
    "reduction of the mean absolute error",
}
"""Measures that journals print as percentages."""

MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
"""In English, whatever the machine speaks."""

OTHER_NETWORKS = {
    "lstm": "a network with long short-term memory (LSTM)",
    "gru": "a network of gated recurrent units (GRU)",
    "unet": "a U-Net",
    "residual_unet": "a residual U-Net",
    "segresnet": "SegResNet",
}
"""Networks that answer otherwise than with a class or a number for an image."""
BEHIND_SLICES = {
    "lstm": ", on each slice, with a long short-term memory (LSTM) that goes through the slices,",
    "gru": ", on each slice, with gated recurrent units (GRU) that go through the slices,",
    "none": ", on each slice, with their features pooled,",
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
    return f"{number(100 * share, digits)}{NARROW_SPACE}%"


def number(value: float, digits: int) -> str:
    """Write a number with a true minus sign, and none before a zero."""
    return f"{value:z.{digits}f}".replace("-", "−")


def quantity(value: float, digits: int) -> str:
    """Write a measured quantity, with a comma at the thousands."""
    return f"{value:z,.{digits}f}".replace("-", "−")


def rounded(value: float, n_digits: int) -> str:
    """Write a measured quantity to so many digits, and never fewer than those before the decimal point."""
    digits = max(0, n_digits - 1 - math.floor(math.log10(abs(value)))) if value else 0
    written = quantity(value, digits)
    return written.rstrip("0").rstrip(".") if "." in written else written


def digits_of(estimate: Estimate) -> int:
    """Return how many decimals show three digits of the largest of value and limits, and none that nobody measures."""
    largest = max(abs(one) for one in (estimate.value, estimate.low, estimate.high) if one is not None)
    return max(0, 2 - math.floor(math.log10(largest))) if largest else 0


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
    if is_percent(estimate):
        return proportion(estimate.value)
    if estimate.measured_in is None:
        return number(estimate.value, _digits(estimate.value))
    return f"{amount(estimate)} {estimate.measured_in}".strip()


def amount(estimate: Estimate) -> str:
    """Write the value alone, without the unit of a measured quantity."""
    if estimate.value is None or estimate.measured_in is None:
        return value(estimate)
    return quantity(estimate.value, digits_of(estimate))


def interval(estimate: Estimate) -> str:
    """Write the bounds of the interval."""
    if estimate.low is None or estimate.high is None:
        return "no interval"
    dash = " to " if estimate.low < 0 else "–"
    if is_percent(estimate):
        return f"{number(100 * estimate.low, 1)}{dash}{number(100 * estimate.high, 1)}{NARROW_SPACE}%"
    if estimate.measured_in is not None:
        digits = digits_of(estimate)
        return f"{quantity(estimate.low, digits)}{dash}{quantity(estimate.high, digits)}"
    digits = _digits(estimate.value or estimate.high)
    return f"{number(estimate.low, digits)}{dash}{number(estimate.high, digits)}"


def _digits(size: float) -> int:
    """Return how many digits behind the point tell something: three below 10, and none of hundreds of cubic millimetres."""
    return next((digits for bound, digits in ((10, 3), (100, 2), (1000, 1)) if abs(size) < bound), 0)


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


def is_exploratory(material: Material) -> bool:
    """Tell whether the test set was opened more than once, so that its numbers may have been chosen."""
    return material.n_openings > 1


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


def name_of_network(network: Network) -> str:
    """Return how a network is called in a sentence."""
    if network.architecture in OTHER_NETWORKS:
        return OTHER_NETWORKS[network.architecture]
    name = architecture_of(network.architecture).title
    if network.batch_norm and network.architecture != "small_cnn":
        name += " with batch normalisation"
    if network.volumes == "3d":
        name += " in three dimensions"
    return name + (BEHIND_SLICES[network.slice_memory] if network.volumes == "slice_by_slice" else "")


def network_sentence(material: Material) -> str:
    """Say what was trained."""
    name = name_of_network(material.plan.network)
    n_parameters = sum(layer.n_parameters for layer in material.layers)
    n_members = len(material.members)
    size = f"{count(n_parameters)} parameters"
    answers = material.answers
    if n_members == 1:
        return f"{name[0].upper()}{name[1:]} with {size} learnt to {answers.aim()}."
    return f"An ensemble of {n_members} networks ({name}, {size} each) learnt to {answers.aim()}; {answers.ensemble}."
