"""The results of numbers as sentences; no result without its interval."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from lucency.domain.estimate import Estimate
from lucency.domain.parts import Part
from lucency.report.material import Material
from lucency.report.words import aside, find, interval, level, quote, rounded, value

if TYPE_CHECKING:
    from lucency.report.answers.numbers import Numbers

MEAN, HEADER = "against the mean of the training part", "against the header alone"


def key_estimates(estimates: Iterable[Estimate]) -> tuple[Estimate, ...]:
    """Choose the numbers of the key box."""
    listed = tuple(estimates)
    wanted = (("mean absolute error", "all"), ("reduction of the mean absolute error", MEAN), ("icc(2,1)", "all"))
    found = (find(listed, (name,), Part.TEST, (group,)) for name, group in wanted)
    return tuple(estimate for estimate in found if estimate)


def result_sentences(answers: "Numbers", material: Material) -> list[str]:
    """Say the results of the test part in words that need no statistics."""
    listed = material.estimates
    error, bias, low, high, within = (
        find(listed, (name,), Part.TEST, ("all",))
        for name in (
            *("mean absolute error", "bias", "lower limit of agreement", "upper limit of agreement"),
            "share within the tolerance",
        )
    )
    sentences = []
    if error and error.value is not None:
        sentences.append(f"On average the network is off by {quote(error)}.")
    sentences.append(_against(listed, MEAN, "always answering the mean of the training part"))
    sentences.append(_against(listed, HEADER, "a regression on the header of the image alone"))
    if within and within.value is not None and answers.regression.tolerance is not None:
        sentences.append(
            f"It stays within {written(answers.regression.tolerance, answers.unit)} on {within.numerator:,} of "
            f"{within.denominator:,} test images ({aside(within)})."
        )
    if bias and low and high and None not in (bias.value, low.value, high.value):
        sentences.append(
            f"Its answers are {_direction(bias)} (bias {aside(bias)}); 19 of 20 differences from the reference standard are "
            f"expected between {value(low)} and {value(high)}."
        )
    return [sentence for sentence in sentences if sentence]


def written(number: float, unit: str) -> str:
    """Write one number with its unit, to four digits."""
    return f"{rounded(number, 4)} {unit}".strip()


def _direction(bias: Estimate) -> str:
    if bias.low is None or bias.high is None or bias.low <= 0 <= bias.high:
        return "neither clearly too high nor too low on the whole"
    return "too high on the whole" if bias.low > 0 else "too low on the whole"


def _against(estimates: Iterable[Estimate], group: str, simple: str) -> str:
    """Say how much smaller the error is than that of a simple answer; nothing where it was not asked."""
    listed = tuple(estimates)
    reduction = find(listed, ("reduction of the mean absolute error",), Part.TEST, (group,))
    error = find(listed, ("mean absolute error",), Part.TEST, (group,))
    if not reduction or not error or reduction.value is None or reduction.low is None or error.value is None:
        return ""
    off = f"which is off by {value(error)}"
    between = f"{level(reduction)} {interval(reduction)}"
    if reduction.low > 0:
        return f"Its error is {value(reduction)} ({between}) smaller than by {simple}, {off}."
    if (reduction.high or 0) < 0:
        return f"It is worse than {simple}, {off} (reduction of the error {value(reduction)}, {between})."
    return f"It is not shown to be better than {simple}, {off} (reduction of the error {value(reduction)}, {between})."
