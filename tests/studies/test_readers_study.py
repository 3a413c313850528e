"""Whole studies whose labels come from readers: disputes go out and decisions come back; cheap labels teach, good ones judge."""

import csv
import json
import re
from collections import defaultdict
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import pytest
import yaml

from lucency.data.phantoms.cohort import write_cohort
from studies.commands import done, lucency, record, refused

PLAN = """\
task: classification
data:
  images: images
  labels:
    from: readers
    readers: {tables: [readers.csv], date_column: date}
  patient: {from: dicom}
  image: {size: 32}
network: {architecture: small_cnn, n_kernels: [4, 8]}
training: {epochs: 2, batch_size: 16, learning_rate: 0.01}
augmentation: null
describe: {probes: false}
explanation: {n_cases: 2}
"""
DATA = """\
data:
  images: images
  labels: {from: table, table: cheap.csv, corrections: corrected.csv}
  reference:
    from: readers
    readers: {tables: [half.csv]}
    consensus: {adjudicated: adjudication.csv}
"""


def table(path: Path, separator: str = ",") -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8-sig") as file:
        return list(csv.DictReader(file, delimiter=separator))


def write(path: Path, rows: list[dict[str, str]], separator: str = ",") -> Path:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), delimiter=separator)
        writer.writeheader()
        writer.writerows(rows)
    return path


def votes_in(path: Path) -> dict[str, dict[str, str]]:
    """Return what each reader said of each image: image → reader → answer."""
    votes: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for row in table(path):
        votes[row["image"]][row["reader"]] = row["label"]
    return votes


def by_source(folder: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """Return the image's name and its label of every kept image."""
    source = {row["image_id"]: row["source"] for row in table(folder / "cohort.csv")}
    for row in table(folder / "labels.csv"):
        yield source[row["image_id"]], row


def text_of(page: Path) -> str:
    """Return the words of a page."""
    words = re.sub(r"<style.*?</style>|<svg.*?</svg>|<[^>]*>", " ", page.read_text(), flags=re.DOTALL)
    return re.sub(r"\s+", " ", unescape(words))


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write eighty invented patients that two readers read, and the plan of a study of their labels."""
    folder = tmp_path_factory.mktemp("readers")
    write_cohort(folder, n_patients=80, image_size=64)
    (folder / "plan.yaml").write_text(PLAN)
    return folder


@pytest.fixture(scope="module")
def read_by_two(cohort: Path) -> Path:
    """Carry out the study and return its folder."""
    done("run", cohort / "plan.yaml", "--out", cohort / "two")
    return cohort / "two"


@pytest.fixture(scope="module")
def judged_by_readers(cohort: Path) -> Path:
    """Learn from a table that often errs, of which one row is corrected, and be judged by readers of half of the patients."""
    cheap = table(cohort / "labels.csv")
    for row in cheap[::4]:
        row["label"] = {"pneumonia": "no_pneumonia", "no_pneumonia": "pneumonia"}[row["label"]]
    write(cohort / "cheap.csv", cheap)
    half = [row for row in table(cohort / "readers.csv") if int(row["image"].split("/")[1][1:5]) % 2]
    write(cohort / "half.csv", half)
    correction = {
        "image": "site-a/a0001-1.dcm",
        "correct_label": "pneumonia",
        "decided_by": "C",
        "decided_on": "2026-03-01",
    }
    write(cohort / "corrected.csv", [correction])
    plan = yaml.safe_load(PLAN)
    plan["data"] |= yaml.safe_load(DATA)["data"]
    (cohort / "judged.yaml").write_text(yaml.safe_dump(plan))
    done("run", cohort / "judged.yaml", "--out", cohort / "judged")
    return cohort / "judged"


def test_readers_who_agree_make_the_label_and_the_rest_is_set_aside(cohort: Path, read_by_two: Path) -> None:
    """Every label is that of the readers' table, which the test reads by itself."""
    votes = votes_in(cohort / "readers.csv")
    n_ties = 0
    for image, row in by_source(read_by_two):
        said = set(votes.get(image, {}).values())
        if row["status"] == "kept":
            assert {row["target"]} == said
        elif len(said) == 2:
            n_ties += 1
            assert (row["target"], row["reason"]) == ("", "E_TIE")
        else:
            assert row["reason"] in ("E_NOT_READ", "E_DUPLICATE", "E_CONFLICT")
    assert n_ties > 10


def test_disputed_images_are_written_down_with_their_pictures(cohort: Path, read_by_two: Path) -> None:
    """Somebody has to look at them, so the sheet shows each image and what was said of it."""
    votes = votes_in(cohort / "readers.csv")
    rows = table(read_by_two / "adjudication.csv")
    kept = {image for image, _ in by_source(read_by_two)}
    assert {row["image"] for row in rows} == {image for image in kept if len(set(votes[image].values())) == 2}
    for row in rows:
        assert row["votes"] == "; ".join(f"{reader}={votes[row['image']][reader]}" for reader in "AB")
        assert row["decision"] == row["decided_by"] == ""
    page = (read_by_two / "adjudication.html").read_text()
    assert page.count("<img") == len(rows)
    assert "<script" not in page


def test_the_report_tells_agreement_and_what_other_rules_would_give(read_by_two: Path) -> None:
    """CLAIM asks how readers varied and how that was resolved."""
    words = text_of(read_by_two / "report.html")
    rows = table(read_by_two / "adjudication.csv")
    assert "Reader A read" in words
    assert "by the majority vote" in words
    assert f"disagree on {len(rows)} (" in words
    assert f"{len(rows)} images stayed without a label" in words
    for name in (
        "Krippendorff's alpha",
        "Cohen's kappa",
        "positive by any reader",
        "positive by all readers",
        "reader B",
    ):
        assert name in words
    told = json.loads((read_by_two / "ground_truth.json").read_text())["readers"][0]
    assert told["consensus"]["n_disputed"] == told["consensus"]["n_open"] == len(rows)


def test_other_rules_judge_the_same_answers(read_by_two: Path) -> None:
    """Each line of the table by rule counts the test images by that rule's own labels."""
    test = {row["image_id"] for row in table(read_by_two / "split.csv") if row["part"] == "test"}
    labels: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for row in table(read_by_two / "tables" / "labels_by_rule.csv"):
        if row["image_id"] in test:
            labels[row["rule"]][row["image_id"]] = row["target"]
    outcomes = {one["rule"]: one for one in json.loads((read_by_two / "results_by_rule.json").read_text())}
    assert set(outcomes) == {"as in this study", *labels}
    for rule, found in labels.items():
        assert outcomes[rule]["n_images"] == len(found)
        assert dict(outcomes[rule]["counts"])["pneumonia"] == list(found.values()).count("pneumonia")
    assert outcomes["as in this study"]["n_images"] == len(test)


@pytest.mark.parametrize("name", ["read_by_two", "judged_by_readers"])
def test_the_record_is_whole_and_a_second_run_does_nothing(
    name: str, cohort: Path, request: pytest.FixtureRequest
) -> None:
    """A study that is done is done."""
    folder = request.getfixturevalue(name)
    done("audit", folder)
    n_entries = len(record(folder))
    done("run", cohort / ("plan.yaml" if name == "read_by_two" else "judged.yaml"), "--out", folder)
    assert len(record(folder)) == n_entries


def test_decisions_come_back_and_leave_nothing_open(cohort: Path, read_by_two: Path, tmp_path: Path) -> None:
    """The very sheet that lucency wrote, filled in by a third reader and saved by a German spreadsheet."""
    votes = votes_in(cohort / "readers.csv")
    senior = {row["image"]: row["decision"] for row in table(cohort / "adjudication.csv")}
    sheet = table(read_by_two / "adjudication.csv")
    filled = write(tmp_path / "decided.csv", [row | {"decision": senior[row["image"]]} for row in sheet], ";")
    decided = ("--set", f"data.labels.consensus.adjudicated={filled}")
    half = write(tmp_path / "half.csv", table(filled, ";")[: len(sheet) // 2])
    out = tmp_path / "s"
    done("label", cohort / "plan.yaml", "--out", out, "--set", f"data.labels.consensus.adjudicated={half}")
    assert {row["image"] for row in table(out / "adjudication.csv")} == {
        row["image"] for row in sheet[len(sheet) // 2 :]
    }
    done("label", cohort / "plan.yaml", "--out", out, *decided)
    labels = dict(by_source(out))
    for row in sheet:
        label = labels[row["image"]]
        assert label["status"] == "kept" or label["reason"] in ("E_DUPLICATE", "E_CONFLICT")
        assert (label["target"], label["notes"]) == (senior[row["image"]], "N_ADJUDICATED")
    for image, label in labels.items():
        if image not in senior and label["status"] == "kept":
            assert {label["target"]} == set(votes[image].values())
    assert not (out / "adjudication.csv").exists()
    assert not (out / "adjudication.html").exists()


def test_the_sheet_in_the_folder_is_not_read_back(cohort: Path, read_by_two: Path) -> None:
    """It would be written anew at once, and the decisions lost."""
    before = (read_by_two / "adjudication.csv").read_bytes()
    setting = f"data.labels.consensus.adjudicated={read_by_two / 'adjudication.csv'}"
    refused(
        lucency("label", cohort / "plan.yaml", "--out", read_by_two, "--set", setting), 2, "Save it under another name"
    )
    assert (read_by_two / "adjudication.csv").read_bytes() == before


def test_cheap_labels_teach_and_good_ones_judge(cohort: Path, judged_by_readers: Path) -> None:
    """The training part learns the table, the test part is judged by the readers, and nobody is judged by a cheap label."""
    cheap = {row["image"]: row["label"] for row in table(cohort / "cheap.csv")}
    votes = votes_in(cohort / "half.csv")
    senior = {row["image"]: row["decision"] for row in table(cohort / "adjudication.csv")}
    part = {row["image_id"]: row["part"] for row in table(judged_by_readers / "split.csv")}
    answers = table(judged_by_readers / "predictions.csv")
    answered = {row["image_id"]: row["target"] for row in answers if row["part"] == "test"}
    judged = set()
    for image, row in by_source(judged_by_readers):
        place, said = part.get(row["image_id"], ""), set(votes.get(image, {}).values())
        truth = senior.get(image) or (said.pop() if said else "")
        if row["status"] == "kept" and image != "site-a/a0001-1.dcm":
            assert (row["target"], row["reference"]) == (cheap[image], truth)
        if place in ("tuning", "test"):
            assert truth
        if place == "test":
            judged.add(row["image_id"])
            assert answered[row["image_id"]] == truth
    assert judged == set(answered)
    assert any(
        row["target"] != row["reference"] for _, row in by_source(judged_by_readers) if row["image_id"] in judged
    )
    unread = [
        part.get(row["image_id"]) for image, row in by_source(judged_by_readers) if image not in {*votes, *senior}
    ]
    assert set(unread) <= {"training", None}
    assert unread.count("training") > 30
    words = text_of(judged_by_readers / "report.html")
    assert "readers made the labels to be judged by" in words
    assert "Labels to learn from (from table), held against the reference (from readers)" in words


def test_corrections_are_applied_and_told(judged_by_readers: Path) -> None:
    """One label was wrong and somebody said so."""
    label = dict(by_source(judged_by_readers))["site-a/a0001-1.dcm"]
    assert (label["target"], label["notes"]) == ("pneumonia", "N_CORRECTED")
    assert json.loads((judged_by_readers / "ground_truth.json").read_text())["n_corrected"] == 1
    assert "1 image had its label corrected by hand" in text_of(judged_by_readers / "report.html")


def test_doubt_changes_what_the_network_learns(cohort: Path, tmp_path: Path) -> None:
    """Two readers who differ teach one half; the weights must know it, and the test part still has one class each."""
    weights = {}
    ties = ("--set", "data.labels.consensus.ties=positive", "--set", "training.epochs=1")
    for soft in ("false", "true"):
        out = tmp_path / soft
        done("train", cohort / "plan.yaml", "--out", out, *ties, "--set", f"data.labels.consensus.soft={soft}")
        weights[soft] = sorted(path.read_bytes() for path in out.glob("training/*/weights.safetensors"))
    assert len(weights["true"]) == 1
    assert weights["true"] != weights["false"]
    rows = {soft: table(tmp_path / soft / "labels.csv") for soft in weights}
    assert {row["soft"] for row in rows["false"]} == {""}
    assert {row["soft"] for row in rows["true"] if row["target"]} == {"1 0", "0 1", "0.5 0.5"}
    assert [row["target"] for row in rows["true"]] == [row["target"] for row in rows["false"]]
    assert (tmp_path / "true" / "split.csv").read_bytes() == (tmp_path / "false" / "split.csv").read_bytes()
