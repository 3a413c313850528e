"""Draw the reports that a person reads again, so many of each answer, whatever the answers' shares are."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lucency.randomness import generator

NEITHER = "negative or not mentioned"
STRATA = ("positive", "uncertain", NEITHER)
"""Answers of the rules; what is denied and what is not mentioned mean the same to most studies and share their places."""
BY_ANSWER = "by answer"
"""Says in the sheet that the sample was drawn by answer, so that rates have to be weighted back."""


@dataclass(frozen=True)
class Chosen:
    """A report that is to be read again for one finding."""

    report: str
    finding: str
    answer: str
    """What the rules say; whoever reads again must not see it."""


def choose_to_reread(
    labels: Mapping[str, Mapping[str, str]], findings: Sequence[str], n_each: int, seed: int
) -> list[Chosen]:
    """Draw `n_each` reports for each finding, evenly over the answers; `labels` maps report → finding → answer.

    An answer that fewer reports have leaves its places to the others. The order is drawn too, so that it tells nothing.
    """
    chosen = []
    for finding in findings:
        strata: defaultdict[str, list[str]] = defaultdict(list)
        for report in sorted(labels):
            answer = labels[report].get(finding, NEITHER)
            strata[answer if answer in STRATA else NEITHER].append(report)
        draw = generator(seed, f"reports to read again: {finding}")
        for answer, n_places in _places({answer: len(strata[answer]) for answer in STRATA}, n_each).items():
            names = draw.permutation(strata[answer])[:n_places]
            chosen += [Chosen(str(name), finding, answer) for name in names]
    order = generator(seed, "order of the reports to read again").permutation(len(chosen))
    return [chosen[place] for place in order]


def _places(sizes: Mapping[str, int], n_all: int) -> dict[str, int]:
    """Share places out one by one among the answers that have reports left."""
    places = dict.fromkeys(sizes, 0)
    while n_all > 0 and any(places[answer] < sizes[answer] for answer in sizes):
        for answer, size in sizes.items():
            if places[answer] < size and n_all > 0:
                places[answer] += 1
                n_all -= 1
    return places
