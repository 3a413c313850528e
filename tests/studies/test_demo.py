"""The demonstration, as a stranger runs it."""

import csv
import json
import re
from pathlib import Path

import pytest

from lucency.cli.terminal import guarded
from lucency.data.phantoms import planted_identifiers


@pytest.mark.slow
def test_the_demo_runs_and_names_nobody(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A whole study from one command; no invented name, date or number of a person reaches any of its outputs."""
    assert guarded(["demo", "--out", str(tmp_path / "demo")]) == 0
    shown = capsys.readouterr()
    study = tmp_path / "demo" / "study"
    auc = json.loads((study / "metrics.json").read_text())[0]
    assert auc["name"] == "AUC"
    assert auc["value"] > 0.8
    assert guarded(["audit", str(study)]) == 0
    with (study / "cohort.csv").open() as table:
        sites = {row["site"] for row in csv.DictReader(table)}
    # institutions are shown on purpose, as sites; the default seed happens to look like a date
    words = set(planted_identifiers(tmp_path / "demo" / "cohort")) - sites - {"20200101"}
    paths = [path for path in study.rglob("*") if path.suffix in (".csv", ".json", ".jsonl", ".html", ".yaml", ".svg")]
    text = " ".join([*(path.read_text() for path in paths), shown.out, shown.err])
    written = words & set(re.findall(r"\w+", text)) | {word for word in words if not word.isalnum() and word in text}
    assert len(words) > 1000
    assert not written, f"{len(written)} identifiers were written"
