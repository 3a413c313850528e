"""The verbs that only print."""

import json
from pathlib import Path

import pytest

from lucency.cli.terminal import guarded


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert guarded(arguments) == 0
    return capsys.readouterr().out


def test_the_lab_gives_the_numbers_of_the_article(capsys: pytest.CaptureFixture[str]) -> None:
    """Figures 3A and 8, and the count of a fully connected layer."""
    assert "14  18  22" in printed(capsys, "lab", "conv")
    assert "34" in printed(capsys, "lab", "pool", "--stride", "1")
    assert "4,294,967,296" in printed(capsys, "lab", "count")
    for arguments, n in (("6 3 1", 2), ("6 2 1", 3), ("6 2 2", 6)):
        assert f"= {n} iterations in all" in printed(capsys, "lab", "batches", *arguments.split())
    assert "0.2500" in printed(capsys, "lab", "activation")
    assert "rate" in printed(capsys, "lab", "descent")
    assert "3 × 3 feature map" in printed(capsys, "lab", "size")


def test_the_lab_takes_ones_own_numbers(capsys: pytest.CaptureFixture[str]) -> None:
    """Any matrix, stride and padding; a wrong one is told."""
    assert "10" in printed(capsys, "lab", "conv", "--image", "1 2; 3 4", "--kernel", "1 1; 1 1")
    assert guarded(["lab", "conv", "--image", "1 2; 3"]) == 2
    assert "equally long" in capsys.readouterr().err
    assert guarded(["lab", "conv", "--image", "a b"]) == 2
    assert "not a matrix" in capsys.readouterr().err


def test_the_glossary_explains_and_suggests(capsys: pytest.CaptureFixture[str]) -> None:
    """Synonyms lead to the term, a misspelt one to the nearest."""
    assert printed(capsys, "glossary", "recall").startswith("sensitivity")
    assert "epoch" in printed(capsys, "glossary")
    assert guarded(["glossary", "sensitivty"]) == 2
    assert "sensitivity" in capsys.readouterr().err


def test_version_help_and_schema_answer(capsys: pytest.CaptureFixture[str]) -> None:
    """Without a study."""
    assert printed(capsys, "--version").startswith("lucency ")
    assert "run" in printed(capsys, "--help")
    assert json.loads(printed(capsys, "schema"))["title"] == "Plan"
    assert guarded(["nonsense"]) == 2
    assert "nonsense" in capsys.readouterr().err


def test_weights_are_listed_with_source_licence_and_hash(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Whoever begins with others' work must be able to name it."""
    monkeypatch.setenv("LUCENCY_WEIGHTS", str(tmp_path))
    listed = printed(capsys, "weights")
    assert "resnet18: resnet18, 224 px, torchvision, BSD 3-Clause" in listed
    assert "f37072fd, not here" in listed
    assert str(tmp_path) in listed
    assert guarded(["weights", "lenet5"]) == 2
    assert "no ImageNet weights of lenet5" in capsys.readouterr().err
