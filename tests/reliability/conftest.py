"""Count promises: a suite says how many of its cases came out right, and `make reliability` writes the counts down."""

from collections.abc import Callable
from pathlib import Path

import pytest

Tally = Callable[..., None]


@pytest.fixture
def tally(request: pytest.FixtureRequest) -> Tally:
    """Return a function (promise, n_kept, n_all) that notes a count and fails unless every case came out right.

    Where the best there is errs too, `least` is the share of the cases that has to come out right.
    """

    def count(promise: str, n_kept: int, n_all: int, least: float = 1.0) -> None:
        request.node.user_properties.append((TALLY, (promise, n_kept, n_all)))
        assert n_kept >= least * n_all, f"{promise}: {n_kept} of {n_all}"

    return count


TALLY = "tally"
"""Under this name a test's report carries its counts, also from one process to another."""


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print the counts, and write them into the page that the option names."""
    reports = [*terminalreporter.stats.get("passed", []), *terminalreporter.stats.get("failed", [])]
    tallies = [value for report in reports for name, value in report.user_properties if name == TALLY]
    counts = {promise: (n_kept, n_all) for promise, n_kept, n_all in tallies}
    for promise, (n_kept, n_all) in counts.items():
        terminalreporter.write_line(f"{promise}: {n_kept:,} of {n_all:,}")
    page = config.getoption("--reliability")
    if page and counts:
        write_counts(page, counts)


BEGIN, END = "<!-- counts -->", "<!-- end of counts -->"


def write_counts(page: str, counts: dict[str, tuple[int, int]]) -> None:
    """Put the table of counts between the two marks of a page."""
    path = Path(page)
    before, _, rest = path.read_text().partition(BEGIN)
    rows = [f"| {promise} | {n_kept:,} of {n_all:,} |" for promise, (n_kept, n_all) in sorted(counts.items())]
    table = "\n".join(["| Promise | Kept |", "|---|---|", *rows])
    path.write_text(f"{before}{BEGIN}\n{table}\n{END}{rest.partition(END)[2]}")
