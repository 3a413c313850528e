"""Whole small studies of radiology reports, through the command line."""

import csv
import gzip
import html
import json
import re
from pathlib import Path

import numpy as np
import pytest
from commands import done, lucency, record, refused, stages
from PIL import Image
from safetensors.numpy import load_file

from lucency.data.phantoms.reports import compose_reports
from lucency.errors import PlanError, RecordError
from lucency.study.reading.labelling_texts import label_texts

FINDINGS = ("Pneumonia", "Pneumothorax", "Cardiomegaly")
CODES = {"positive": "1", "negative": "0", "uncertain": "-1"}
PLAN = """\
title: Pneumonia in radiology reports
task: report_labelling
data:
  reports: reports.csv
  labels: {from: table, table: reports.csv, image_column: report, label_column: stated, names: {uncertain: positive}}
  patient: {from: table, column: patient}
split: {training: 0.5, tuning: 0.25, test: 0.25}
network: {recurrent: {embedding_size: 12, hidden_units: 12}}
training: {epochs: 3, batch_size: 16, learning_rate: 0.02}
explanation: {n_cases: 4}
report: {n_worst: 3}
"""
OF_FINDINGS = PLAN.replace(
    "label_column: stated, names: {uncertain: positive}}", f"findings: [{', '.join(FINDINGS)}]}}"
).replace("Pneumonia in", "Three findings in")


def write_reports(folder: Path, n: int = 240, **changed: str) -> Path:
    """Write a table of made-up reports, some of them changed by name."""
    path = folder / "reports.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["report", "patient", "stated", *FINDINGS, "text"])
        for number, report in enumerate(compose_reports(n, seed=5)):
            name = f"R{number:03d}"
            told = [CODES.get(str(report.statements.get(finding, "")), "") for finding in FINDINGS]
            writer.writerow([name, f"P{number // 2:03d}", report.stated, *told, changed.get(name, report.text)])
    return path


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a finished study with one question."""
    folder = tmp_path_factory.mktemp("one")
    write_reports(folder)
    (folder / "study.yaml").write_text(PLAN)
    done("run", folder / "study.yaml", "--out", folder / "out")
    return folder / "out"


@pytest.fixture(scope="module")
def findings_study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a finished study of three findings at once."""
    folder = tmp_path_factory.mktemp("several")
    write_reports(folder)
    (folder / "study.yaml").write_text(OF_FINDINGS)
    done("run", folder / "study.yaml", "--out", folder / "out", "--set", "training.n_members=2")
    return folder / "out"


def rows_of(folder: Path, file: str) -> list[dict[str, str]]:
    with (folder / file).open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def page(folder: Path) -> str:
    return (folder / "report.html").read_text(encoding="utf-8")


def metrics(folder: Path) -> dict[tuple[str, str, str], dict[str, object]]:
    return {(m["part"], m["group"], m["name"]): m for m in json.loads((folder / "metrics.json").read_text())}


def test_a_whole_study_of_reports_ends_in_a_report(study: Path) -> None:
    """By the same stages, split, seal and statistics as images."""
    assert stages(study) == [
        "curate",
        "label",
        "split",
        "describe",
        "train",
        "predict",
        "evaluate",
        "explain",
        "report",
    ]
    assert len([entry for entry in record(study) if entry["event"] == "test set opened"]) == 1
    auc = metrics(study)["test", "all", "AUC"]
    assert auc["unit"] == "report"
    assert auc["value"] > 0.6
    parts = {row["image_id"]: row["part"] for row in rows_of(study, "split.csv")}
    patients = {row["image_id"]: row["patient_id"] for row in rows_of(study, "cohort.csv")}
    of_part = {part: {patients[i] for i, p in parts.items() if p == part} for part in ("training", "tuning", "test")}
    assert not of_part["training"] & of_part["test"]
    assert not of_part["training"] & of_part["tuning"]


def test_the_page_speaks_of_reports(study: Path) -> None:
    """A clinician who reads “images” on a page about texts stops believing the page."""
    own = re.sub(r'<style>.*?</style>|<span class="tip".*?</span>', "", page(study), flags=re.DOTALL)
    text = re.sub(r"<[^>]+>", "", own[: own.index('<section id="hyperparameters">')])
    assert "240 reports were found" in text
    assert [text[at.start() - 60 : at.end()] for at in re.finditer(r"\b[Ii]mages?\b", text)] == []
    for words in ("vocabulary", "long short-term memory", "attention over the words", "Which words carried the answer"):
        assert words in text


def test_a_second_run_does_nothing_and_the_audit_agrees(study: Path) -> None:
    """As for images."""
    n_entries = len(record(study))
    done("run", study)
    assert len(record(study)) == n_entries
    assert "✗" not in done("audit", study).out


def test_words_outside_the_training_part_change_no_weight(study: Path, tmp_path: Path) -> None:
    """Neither by being known nor by the order of the words: the network must not see the test set in any way."""
    test_ids = {row["image_id"] for row in rows_of(study, "split.csv") if row["part"] != "training"}
    names = [row["source"] for row in rows_of(study, "cohort.csv") if row["image_id"] in test_ids]
    outside = {name: f"FINDINGS: Aardvark zebra {name} pneumonia quagga." for name in names[::3]}
    weights, vocabularies, tuning_costs = [], [], []
    for folder, changed in ((tmp_path / "as it was", {}), (tmp_path / "changed", outside)):
        folder.mkdir()
        write_reports(folder, **changed)
        (folder / "study.yaml").write_text(PLAN)
        # with one epoch, the tuning part has no choice to make either
        done("train", folder / "study.yaml", "--out", folder / "out", "--set", "training.epochs=1")
        weights.append(load_file(folder / "out/training/member-0/weights.safetensors"))
        vocabularies.append((folder / "out/training/vocabulary.json").read_text())
        tuning_costs.append(rows_of(folder / "out", "training/member-0/history.csv")[0]["tuning_cost"])
    assert vocabularies[0] == vocabularies[1]
    assert all(np.array_equal(weights[0][name], weights[1][name]) for name in weights[0])
    assert tuning_costs[0] != tuning_costs[1]  # the change was felt where it may be


def test_the_page_shows_no_word_that_may_name_somebody(study: Path) -> None:
    """Only words that reports of two training patients hold; numbers, dates and all else are ▢."""
    known = {
        word
        for word, _, n_patients, is_shown in json.loads((study / "training/vocabulary.json").read_text())
        if is_shown
    }
    facts = json.loads((study / "figures/words.json").read_text())
    shown = {word for case in facts["cases"] + facts["errors"] for word, *_ in case["words"]}
    assert len(shown) > 20
    assert shown - {"▢"} <= known
    assert "▢" in shown
    on_page = re.findall(r'<span class="(?:for|against)\d look\d">([^<]*)</span>', page(study))
    assert {html.unescape(word) for word in on_page} == shown


def test_several_findings_are_learnt_and_judged_at_once(findings_study: Path) -> None:
    """Each by itself with its own threshold, and all together with an interval over patients."""
    found = metrics(findings_study)
    for finding in FINDINGS:
        assert found["test", finding, "AUC"]["unit"] == "report"
        assert found["test", finding, "sensitivity"]["denominator"] > 0
    mean = found["test", "all", "macro-average AUC"]
    assert mean["value"] == pytest.approx(np.mean([found["test", finding, "AUC"]["value"] for finding in FINDINGS]))
    assert mean["low"] <= mean["value"] <= mean["high"]
    assert "bootstrap over patients" in mean["method"]
    points = json.loads((findings_study / "operating_point.json").read_text())["findings"]
    assert set(points) == set(FINDINGS)
    assert {point["part"] for point in points.values()} == {"tuning"}
    text = page(findings_study)
    assert all(finding in text for finding in FINDINGS)
    assert "Averaged over the 3 findings" in text


def test_reports_of_which_a_finding_is_not_known_do_not_count_for_it(findings_study: Path) -> None:
    """An empty cell is no “no”, and −1 is left out unless the plan says otherwise."""
    told = {row["report"]: row for row in rows_of(findings_study.parent, "reports.csv")}
    sources = {row["image_id"]: row["source"] for row in rows_of(findings_study, "cohort.csv")}
    predicted = [row for row in rows_of(findings_study, "predictions.csv") if row["member"] == "ensemble"]
    for finding in FINDINGS:
        cells = {sources[row["image_id"]]: row["target"] for row in predicted if row["finding"] == finding}
        assert cells
        assert all(told[name][finding] == {"positive": "1", "negative": "0"}[target] for name, target in cells.items())
    assert {row["member"] for row in rows_of(findings_study, "predictions.csv")} == {"member-0", "member-1", "ensemble"}


def test_doubt_counts_as_the_plan_says(tmp_path: Path) -> None:
    """Uncertain findings can count as there, or as absent."""
    write_reports(tmp_path, 90)
    (tmp_path / "study.yaml").write_text(OF_FINDINGS)
    counts = {}
    for policy in ("refuse", "positive", "negative"):
        out = tmp_path / policy
        done("label", tmp_path / "study.yaml", "--out", out, "--set", f"data.labels.uncertain={policy}")
        cells = [row["Pneumonia"] for row in rows_of(out, "findings.csv")]
        counts[policy] = {answer: cells.count(answer) for answer in ("positive", "negative", "")}
    n_doubts = sum(row["Pneumonia"] == "-1" for row in rows_of(tmp_path, "reports.csv"))
    assert n_doubts > 0
    assert counts["positive"]["positive"] - counts["refuse"]["positive"] == n_doubts
    assert counts["negative"]["negative"] - counts["refuse"]["negative"] == n_doubts


def test_a_finished_study_labels_new_texts(study: Path) -> None:
    """By its frozen threshold, with the words that carried the answer; what holds no words has no label."""
    said = label_texts(study, ["FINDINGS: Lobar pneumonia in the right lower lobe.", "", "12 345", "No pneumonia."])
    answer = said.of("Pneumonia")
    threshold = json.loads((study / "operating_point.json").read_text())["threshold"]
    assert answer.classes == ("negative", "positive")
    assert np.isnan(answer.probabilities[1:3]).all()
    assert np.allclose(answer.probabilities[[0, 3]].sum(1), 1)
    assert answer.called[1:3] == ("", "")
    for place in (0, 3):
        assert answer.called[place] == answer.classes[int(answer.probabilities[place, 1] >= threshold)]
    assert set(answer.carrying[0]) <= {"Lobar", "pneumonia", "in", "the", "right", "lower", "lobe", "."}
    assert answer.probabilities[0, 1] > answer.probabilities[3, 1]


def test_the_labeller_says_of_its_own_test_reports_what_the_study_said(study: Path) -> None:
    """The same texts, one by one in another order, by the same network."""
    texts = {row["report"]: row["text"] for row in rows_of(study.parent, "reports.csv")}
    sources = {row["image_id"]: row["source"] for row in rows_of(study, "cohort.csv")}
    rows = [r for r in rows_of(study, "predictions.csv") if r["member"] == "ensemble" and r["part"] == "test"][:20]
    said = label_texts(study, [texts[sources[row["image_id"]]] for row in rows]).of("")
    assert said.probabilities[:, 1] == pytest.approx([float(row["p_positive"]) for row in rows], abs=1e-5)


def test_a_labeller_of_findings_is_asked_by_name(findings_study: Path) -> None:
    """And says so when it does not know one."""
    said = label_texts(findings_study, ["Heart is enlarged. No pneumothorax."])
    assert [question.finding for question in said.questions] == list(FINDINGS)
    assert said.of("cardiomegaly").classes == ("negative", "positive")
    with pytest.raises(PlanError, match="it was taught: Pneumonia, Pneumothorax, Cardiomegaly"):
        said.of("Fracture")
    nothing = label_texts(findings_study, ["", "  "])
    assert nothing.of("Pneumonia").called == ("", "")


def test_what_is_no_labeller_is_refused(study: Path, tmp_path: Path) -> None:
    """A folder of something else, or a network that somebody changed."""
    with pytest.raises(PlanError, match="no finished study"):
        label_texts(tmp_path, ["x"])
    copy = tmp_path / "copy"
    for file in study.rglob("*"):
        if file.is_file():
            (copy / file.relative_to(study)).parent.mkdir(parents=True, exist_ok=True)
            (copy / file.relative_to(study)).write_bytes(file.read_bytes())
    weights = copy / "training/member-0/weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"\0")
    with pytest.raises(RecordError, match="not as it was"):
        label_texts(copy, ["x"])


def test_word_vectors_are_taken_from_a_file(tmp_path: Path) -> None:
    """What the file knows of the vocabulary begins there; the study stays whole where the file is gone."""
    write_reports(tmp_path, 120)
    draw = np.random.default_rng(1)
    lines = [f"{word} {' '.join(f'{x:.4f}' for x in draw.normal(size=12))}" for word in ("pneumonia", "no", "zebra")]
    vectors = tmp_path / "vectors.txt.gz"
    vectors.write_bytes(gzip.compress("\n".join(lines).encode()))
    (tmp_path / "study.yaml").write_text(PLAN)
    setting = f"network.recurrent.vectors={vectors}"
    answer = done(
        "train",
        tmp_path / "study.yaml",
        "--out",
        tmp_path / "out",
        "--set",
        setting,
        "--set",
        "network.architecture=gru",
    )
    assert re.search(r"Word vectors: 2 of \d+ words of the vocabulary have one", answer.out)
    vectors.unlink()
    done("report", tmp_path / "out")
    refused(
        lucency(
            "train", tmp_path / "study.yaml", "--out", tmp_path / "other", "--set", "network.recurrent.vectors=none.txt"
        ),
        2,
        "network.recurrent.vectors",
    )


def test_several_classes_and_folders_work_too(tmp_path: Path) -> None:
    """Reports in folders that are called by their class; three classes; no network or thread is named."""
    for number, report in enumerate(compose_reports(150, seed=2)):
        path = tmp_path / "reports" / report.stated / f"p{number:03d}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(report.text, encoding="utf-8")
    plan = PLAN[: PLAN.index("  labels:")].replace("reports.csv", "reports") + "  patient: each_report\n"
    (tmp_path / "study.yaml").write_text(plan + PLAN[PLAN.index("split:") :])
    done("run", tmp_path / "study.yaml", "--out", tmp_path / "out")
    assert json.loads((tmp_path / "out/classes.json").read_text())["classes"] == ["negative", "positive", "uncertain"]
    assert ("test", "uncertain", "AUC") in metrics(tmp_path / "out")
    assert "✗" not in done("audit", tmp_path / "out").out


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("network.architecture=resnet18", "does not fit `task: report_labelling`"),
        ("augmentation={}", "`augmentation` is for images"),
        ("data.labels.from=archive", "the labels of reports come from a table"),
        ("data.reports=nothing.csv", "nothing.csv"),
        ("data.text.id_column=nr", "no column “nr”"),
        ("data.labels.label_column=pneumonia", "no column “pneumonia”"),
        ("task=classification", "does not fit `task: classification`"),
    ],
)
def test_a_wrong_plan_is_refused_in_words(tmp_path: Path, setting: str, said: str) -> None:
    """Before anybody waits for a network."""
    write_reports(tmp_path, 40)
    plan = PLAN if "task" not in setting else PLAN.replace("network: {", "network: {architecture: lstm, ")
    (tmp_path / "study.yaml").write_text(plan)
    refused(lucency("run", tmp_path / "study.yaml", "--out", tmp_path / "out", "--set", setting), 2, said)


def test_reports_of_one_class_and_of_unknown_words_end_well(tmp_path: Path) -> None:
    """One class is refused; reports of which no word is known are predicted like any other."""
    write_reports(tmp_path, 120, R007="Aardvark quagga.", R008="Zebra.", R009="", R010="x" * 500_000)
    (tmp_path / "study.yaml").write_text(PLAN)
    done("run", tmp_path / "study.yaml", "--out", tmp_path / "out")
    reasons = {row["source"]: row["reason"] for row in rows_of(tmp_path / "out", "cohort.csv")}
    assert reasons["R009"] == "E_EMPTY_REPORT"
    assert reasons["R010"] == ""
    (tmp_path / "one.yaml").write_text(
        PLAN.replace("names: {", "names: {positive: negative, ").replace("uncertain: positive", "uncertain: negative")
    )
    refused(lucency("run", tmp_path / "one.yaml", "--out", tmp_path / "two"), 2, "All images have the label")


def test_a_finished_study_labels_the_images_of_another(study: Path, tmp_path: Path) -> None:
    """The labels of the imaging study are what the network says of each report; a report without words gives none."""
    texts = [*(row["text"] for row in rows_of(study.parent, "reports.csv")[:12]), "12 345"]
    draw = np.random.default_rng(3)
    for folder in ("images", "reports"):
        (tmp_path / folder).mkdir()
    for number, text in enumerate(texts):
        (tmp_path / "reports" / f"p{number:02}.txt").write_text(text)
        Image.fromarray(draw.integers(0, 255, (28, 28), np.uint8)).save(tmp_path / "images" / f"p{number:02}.png")
    (tmp_path / "study.yaml").write_text(
        "task: classification\n"
        "data:\n"
        "  images: images\n"
        "  patient: each_image\n"
        "  image: {size: 28}\n"
        f"  labels: {{from: reports, reports: {{folder: reports, network: {study}}}}}\n"
    )
    answer = done("label", tmp_path / "study.yaml", "--out", tmp_path / "s")
    assert "The network tells negative from positive; the last of them counts as Pneumonia." in answer.out
    source = {row["image_id"]: row["source"] for row in rows_of(tmp_path / "s", "cohort.csv")}
    labels = {source[row["image_id"]]: row for row in rows_of(tmp_path / "s", "labels.csv")}
    called = label_texts(study, texts).of("").called
    names = {"positive": "pneumonia", "negative": "no_pneumonia", "": ""}
    assert [labels[f"p{number:02}.png"]["target"] for number in range(13)] == [names[said] for said in called]
    assert labels["p12.png"]["reason"] == "E_EMPTY_REPORT"


def test_the_search_for_wrong_labels_is_for_images(study: Path) -> None:
    """Suspect reports cannot be looked at on a sheet of pictures; the way out is named."""
    refused(lucency("suspects", study.parent / "study.yaml", "--out", study), 2, "this study is of reports")
