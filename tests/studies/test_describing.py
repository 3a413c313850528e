"""The description of a cohort through the command line: clinical table, target population, shortcuts, report."""

import csv
import json
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from data.dicom_files import write_dicom
from lucency.report.representativeness import tables_of
from lucency.study.describing import read_description
from lucency.study.folder import StudyFolder
from studies.commands import done, refused, stages
from studies.commands import lucency as run_lucency

N_PATIENTS = 80
NAMES = [f"Zyx{number:03d}quon" for number in range(N_PATIENTS)]


def write_cohort(folder: Path) -> Path:
    """Write DICOM files of patients of two sites; the second site sees more of the ill, and its scanner is brighter."""
    draw = np.random.default_rng(4)
    (folder / "images").mkdir()
    labels, clinical = ["image,label"], ["MRN,Name,smoker,crp,seen on"]
    for patient, name in enumerate(NAMES):
        site = patient % 2
        ill = draw.random() < (0.85 if site else 0.15)
        identifier = f"{patient:06d}"
        for number in range(2):
            pixels = draw.integers(0, 120, (32, 32)) + 60 * site
            pixels[10:18, 10:18] += 40 * ill
            file = f"{patient:03d}-{number}.dcm"
            write_dicom(
                folder / "images" / file, pixels.astype(np.uint8), PatientID=identifier, PatientName=name,
                SOPInstanceUID=f"1.2.{patient}.{number}", StudyInstanceUID=f"1.3.{patient}", SeriesInstanceUID=f"1.4.{patient}",
                InstitutionName=("North", "South")[site], Manufacturer="Acme", ManufacturerModelName=("X", "Y")[site],
                StudyDate=f"20{18 + patient % 3}0412", PatientSex="FM"[patient // 2 % 2], PatientAge=f"{30 + patient % 50:03d}Y",
                KVP="110",
            )  # fmt: skip
            labels.append(f"{file},{'ill' if ill else 'well'}")
        if patient % 8:
            clinical.append(
                f"{patient},{name},{('yes', 'no')[patient % 3 > 0]},{draw.normal(50, 9):.1f},2019-03-{patient % 28 + 1:02d}"
            )
    clinical.append("987654,Nobodyelse,no,3.0,2019-01-01")
    (folder / "labels.csv").write_text("\n".join(labels) + "\n")
    (folder / "clinical.csv").write_text("\n".join(clinical) + "\n")
    plan = folder / "study.yaml"
    plan.write_text(
        """\
task: classification
data:
  images: images
  labels: {from: table, table: labels.csv, positive: ill}
  image: {size: 32}
  clinical: {table: clinical.csv, patient_column: MRN}
  population: {name: a register, age: {mean: 35, sd: 10}, sex: {F: 0.5, M: 0.5}, prevalence: {ill: 0.05}}
split: {training: 0.5, tuning: 0.25, test: 0.25}
network: {architecture: small_cnn, n_kernels: [4, 8]}
training: {epochs: 1, batch_size: 16}
explanation: {n_cases: 1}
report: {n_worst: 1}
"""
    )
    return plan


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("described")
    plan = write_cohort(folder)
    answer = done("run", plan, "--out", folder / "s")
    assert (
        "Clinical table: smoker, crp for 70 of 80 patients; 1 of its rows name no patient of the cohort." in answer.out
    )
    assert "Does the image tell its site?" in answer.out
    return folder / "s"


def table(study: Path, name: str) -> list[dict[str, str]]:
    with (study / "tables" / f"{name}.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_the_report_has_the_section(study: Path) -> None:
    """Every part of it, and the terms that it uses in the glossary."""
    page = (study / "report.html").read_text()
    section = page.split('<section id="representativeness">')[1].split("</section>")[0]
    for words in ("a register", "The patients of the training and tuning parts by class", "Probes for shortcuts",
                  "Where the images come from", "Acme X", "Missing data", "crp", "stand in it, 10 patients do not",
                  "Name (its name says", "seen on (it holds dates)",
                  "unevenly spread over the sites (p &lt; 0.001)"):  # fmt: skip
        assert words in section, words
    for term in ("shortcut", "target-population", "missing-data", "acquisition-protocol"):
        assert f'id="term-{term}"' in page


def test_the_limitations_tell_what_was_found(study: Path) -> None:
    """The site goes with the label, and the cohort is not the declared population."""
    limitations = (study / "report.html").read_text().split('<ol class="limitations">')[1]
    assert "Something else than the finding tells the label (shortcut)" in limitations
    assert "The site goes with the label, and the image tells the site" in limitations
    assert "The cohort differs from the target population" in limitations


def test_the_tables_are_those_of_the_description(study: Path) -> None:
    """What is written as JSON and as CSV is one and the same, and the record vouches for it."""
    for name, (header, rows) in tables_of(read_description(StudyFolder(study))).items():
        assert len(table(study, name)) == len(rows)
        assert not rows or list(table(study, name)[0]) == list(header)
    assert stages(study)[3] == "describe"
    done("audit", study)


def test_no_identifier_reaches_the_folder(study: Path) -> None:
    """Names, dates and numbers of patients of the clinical table are used for joining and forgotten."""
    files = [f for f in study.rglob("*") if f.suffix in (".csv", ".json", ".jsonl", ".html", ".yaml", ".svg")]
    text = " ".join(file.read_text() for file in files)
    assert not set(NAMES) & set(re.findall(r"\w+", text))
    assert not re.search(r"\b0000[1-7]\d\b|2019-03-\d\d|2019-01-01|(?<![\d.])987654\b|Nobodyelse", text)


def test_the_clinical_table_speaks_of_the_right_patients(study: Path) -> None:
    """Joined over the file names, which the cohort keeps, every value is where it was in the hospital's table."""
    with (study.parent / "clinical.csv").open() as file:
        crp = {int(row["MRN"]): row["crp"] for row in csv.DictReader(file)}
    with (study / "clinical.csv").open() as file:
        joined = {row["patient_id"]: row["crp"] for row in csv.DictReader(file)}
    with (study / "cohort.csv").open() as file:
        for row in csv.DictReader(file):
            assert joined[row["patient_id"]] == crp.get(int(row["source"][:3]), "")


def test_an_edited_table_is_joined_anew_and_training_stays(study: Path) -> None:
    """The cohort comes out the same, so that nothing after the description has to be repeated."""
    clinical = study.parent / "clinical.csv"
    before = clinical.read_text()
    clinical.write_text(before.replace(",yes,", ",former,"))
    n_before = len(stages(study))
    done("run", study.parent / "study.yaml", "--out", study)
    clinical.write_text(before)
    again = stages(study)[n_before:]
    assert again == ["curate", "describe", "report"]
    assert "former" in (study / "clinical.csv").read_text()


def test_de_identified_patients_are_joined_by_their_old_numbers(study: Path, tmp_path: Path) -> None:
    """The hospital's table knows the hospital's numbers; the key leads from them to the new ones, in memory only."""
    out = tmp_path / "s"
    answer = done("describe", study.parent / "study.yaml", "--out", out, "--set", "data.deidentify={}")
    assert "for 70 of 80 patients; 1 of its rows name no patient of the cohort." in answer.out
    with (study.parent / "clinical.csv").open() as file:
        expected = [row["crp"] for row in csv.DictReader(file) if row["Name"] in NAMES]
    with (out / "clinical.csv").open() as file:
        assert sorted(row["crp"] for row in csv.DictReader(file)) == sorted([*expected, *[""] * 10])


def test_probes_can_be_left_out(study: Path, tmp_path: Path) -> None:
    """A plan that wants none gets none, and the report says so."""
    out = tmp_path / "s"
    done("describe", study.parent / "study.yaml", "--out", out, "--set", "describe.probes=false")
    assert json.loads((out / "description.json").read_text())["probes"] == []
    assert table(out, "probes") == []


def test_a_clinical_table_that_is_not_there_is_refused(study: Path, tmp_path: Path) -> None:
    """Before any image is read, with the setting to correct."""
    answer = run_lucency(
        "describe", study.parent / "study.yaml", "--out", tmp_path / "s", "--set", "data.clinical.table=none.csv"
    )
    refused(answer, 2, "There is no table", "`data.clinical.table`")
    answer = run_lucency(
        "describe", study.parent / "study.yaml", "--out", tmp_path / "t", "--set", "data.clinical.patient_column=Names"
    )
    refused(answer, 2, "no column “Names”", "Did you mean “Name”?")


def test_ordinary_images_are_described_too(plan_file: Path, tmp_path: Path) -> None:
    """Without header, table and population there is little to say, and it is said."""
    done("describe", plan_file, "--out", tmp_path / "s")
    missing = {row["variable"]: row["all share"] for row in table(tmp_path / "s", "missing")}
    assert missing["Age in years"] == missing["Sex"] == missing["Site"] == "1.0"
    assert table(tmp_path / "s", "population") == []


def test_a_marker_in_the_corner_is_found_in_a_study(tmp_path: Path) -> None:
    """From files to the sentence on the terminal."""
    draw = np.random.default_rng(2)
    for patient in range(60):
        pixels = draw.integers(40, 160, (64, 64))
        if patient % 2:
            pixels[2:5, 58:62] = 255
        file = tmp_path / "images" / ("ill" if patient % 2 else "well") / f"p{patient:03d}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels.astype(np.uint8)).save(file)
    plan = tmp_path / "study.yaml"
    plan.write_text("task: classification\ndata: {images: images, patient: each_image, image: {size: 64}}\n")
    answer = done("describe", plan, "--out", tmp_path / "s")
    assert "Does the border alone (outer 8 %) tell the label? AUC 1.00" in answer.out
