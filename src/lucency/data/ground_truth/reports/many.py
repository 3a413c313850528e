"""Read many reports, on all cores where there are enough of them."""

import functools
import multiprocessing
import os
import signal
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import chain
from pathlib import Path

from lucency.data.ground_truth.reports.findings import Findings, load_findings
from lucency.data.ground_truth.reports.rules import Mention, find_mentions
from lucency.data.in_order import map_in_order

FEWEST_FOR_CHILDREN = 1500
"""Fewer reports are read sooner than other processes have started."""
N_REPORTS_A_BATCH = 100


def find_mentions_of_all(texts: Sequence[str], findings: Path | None = None) -> Iterator[list[Mention]]:
    """Return the mentions of each report, in their order; `findings` is a list of one's own."""
    n_workers = os.cpu_count() or 1
    if len(texts) < FEWEST_FOR_CHILDREN or n_workers == 1:
        known = load_findings(findings)
        yield from (find_mentions(text, known) for text in texts)
        return
    batches = (
        (findings, texts[first : first + N_REPORTS_A_BATCH]) for first in range(0, len(texts), N_REPORTS_A_BATCH)
    )
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(n_workers, context, initializer=_leave_stopping_to_the_parent) as pool:
        yield from chain.from_iterable(map_in_order(pool, _read_batch, batches, 4 * n_workers))


def _read_batch(batch: tuple[Path | None, Sequence[str]]) -> list[list[Mention]]:
    path, texts = batch
    known = _load_once(path)
    return [find_mentions(text, known) for text in texts]


@functools.cache
def _load_once(path: Path | None) -> Findings:
    return load_findings(path)


def _leave_stopping_to_the_parent() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
