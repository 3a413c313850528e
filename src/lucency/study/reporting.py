"""Gather a finished study for the report."""

from collections.abc import Iterable

from lucency.study.stage import Stage, Study


def _report(study: Study, key: str) -> Iterable[str]:
    return []


REPORT = Stage("report", "The report is written.", lambda study: {}, lambda plan: [], _report)
