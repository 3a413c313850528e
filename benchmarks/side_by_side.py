"""Time candidates side by side: in turn, over several rounds, by the median."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Candidate:
    """One way to do the job that is timed."""

    name: str
    run: Callable[[], object]
    """Does the job once."""
    n_items: int
    """Images (or whatever is counted) that one run treats."""
    remark: str = ""
    """What a reader must know to judge the figure."""


def items_per_second(candidates: list[Candidate], n_rounds: int = 7, seconds: float = 0.2) -> list[float]:
    """Return the median rate of each candidate, per second of processor time.

    The candidates take turns, so that a slow spell of the machine strikes all. Processor time instead of wall time
    keeps other work on the machine out, and counts threads that a candidate starts on its own.
    """
    for candidate in candidates:
        candidate.run()
    rates: list[list[float]] = [[] for _ in candidates]
    for _ in range(n_rounds):
        for candidate, measured in zip(candidates, rates, strict=True):
            measured.append(_measure(candidate, seconds))
    return [statistics.median(measured) for measured in rates]


def print_table(title: str, unit: str, candidates: list[Candidate], rates: list[float]) -> None:
    """Print a Markdown table of rates, the first candidate being ours."""
    print(f"\n### {title}\n\n| | {unit} | ours is faster by | |\n|:--|--:|--:|:--|")
    for candidate, rate in zip(candidates, rates, strict=True):
        ratio = "" if candidate is candidates[0] else f"{rates[0] / rate:.2f} ×"
        print(f"| {candidate.name} | {rate:,.0f} | {ratio} | {candidate.remark} |")


def _measure(candidate: Candidate, seconds: float) -> float:
    n_runs, start = 0, time.process_time()
    while (spent := time.process_time() - start) < seconds:
        candidate.run()
        n_runs += 1
    return n_runs * candidate.n_items / spent
