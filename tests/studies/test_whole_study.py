"""Whole small studies through the command line, with their numbers worked out a second time by scikit-learn."""

import csv
import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from PIL import Image
from sklearn.metrics import accuracy_score, brier_score_loss, confusion_matrix, roc_auc_score, roc_curve

from data.dicom_files import write_dicom
from lucency.provenance import sha256_of_file
from lucency.study.plan import read_plan
from studies.commands import done, lucency, record, refused, stages

TRAINING = """\
network: {architecture: small_cnn, n_kernels: [4, 8]}
training: {epochs: 4, batch_size: 8, learning_rate: 0.01}
explanation: {n_cases: 4}
report: {n_worst: 3}
"""
EXAMPLES = Path(__file__).parents[2] / "examples"
SPLIT = "split: {training: 0.5, tuning: 0.25, test: 0.25}\n"


def write_plan(folder: Path, data: str, more: str = SPLIT) -> Path:
    path = folder / "plan.yaml"
    path.write_text("task: classification\ndata:\n" + data + more + TRAINING)
    return path


def predictions(folder: Path, part: str, member: str = "ensemble") -> tuple[list[str], np.ndarray, np.ndarray]:
    """Return classes, true class numbers and probabilities as they stand in predictions.csv."""
    with (folder / "predictions.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if (row["part"], row["member"]) == (part, member)]
    classes = [name.removeprefix("p_") for name in rows[0] if name.startswith("p_")]
    truth = np.array([classes.index(row["target"]) for row in rows])
    return classes, truth, np.array([[float(row[f"p_{name}"]) for name in classes] for row in rows])


def metrics(folder: Path, part: str = "test", group: str = "all") -> dict[str, dict[str, Any]]:
    """Return the estimates of one part and group by name."""
    found = json.loads((folder / "metrics.json").read_text())
    return {entry["name"]: entry for entry in found if entry["part"] == part and entry["group"] == group}


def certify(folder: Path) -> None:
    """Check what holds for every finished study: whole record, files, split and report."""
    done("audit", folder)
    assert stages(folder) == [
        *("curate", "label", "split", "describe"),
        *("train", "predict", "evaluate", "explain", "report"),
    ]
    with (folder / "split.csv").open(newline="") as file:
        parts = defaultdict(set)
        for row in csv.DictReader(file):
            parts[row["patient_id"]].add(row["part"])
    assert all(len(found) == 1 for found in parts.values())
    for entry in json.loads((folder / "metrics.json").read_text()):
        if entry["value"] is not None and entry["low"] is not None:
            assert entry["low"] <= entry["value"] <= entry["high"], entry
    report = (folder / "report.html").read_text()
    assert report.rstrip().endswith("</html>")
    assert "https://" not in report.replace("https://creativecommons", "").split("</head>")[0]


def pattern(draw: np.random.Generator, label: int, shape: tuple[int, ...] = (28, 28)) -> np.ndarray:
    """Draw noise from 0 to 1; class 1 has a bright square, class 2 a bright line, in colour images a red one."""
    pixels = draw.uniform(0, 0.45, shape)
    row, column = draw.integers(2, 16, 2)
    if label == 1:
        pixels[row : row + 10, column : column + 10, ...] += 0.5
    if label == 2:
        pixels[row : row + 3] += 0.5
    return pixels


def write_images(folder: Path, classes: list[str], shape: tuple[int, ...] = (28, 28), n_patients: int = 36) -> Path:
    """Write PNG images folder/<class>/p<patient>-<number>.png, two a patient; a depth of 16 bits where it is grey."""
    draw = np.random.default_rng(3)
    for patient in range(n_patients):
        label = patient % len(classes)
        for number in range(2):
            path = folder / classes[label] / f"p{patient:03d}-{number}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            pixels = pattern(draw, label, shape)
            if len(shape) == 3:
                Image.fromarray((pixels * 255).astype(np.uint8)).save(path)
            else:
                Image.fromarray((pixels * 65535).astype(np.uint16)).save(path)
    return folder


# Two and three classes


def test_numbers_of_two_classes_are_those_of_scikit_learn(tmp_path: Path, plan_file: Path) -> None:
    """A second program, given predictions.csv alone, comes to the same numbers."""
    out = tmp_path / "s"
    # a short training and a small rate leave errors, so that the numbers are not all 1
    plan_file.write_text(plan_file.read_text().replace("0.01", "0.0003"))
    done("run", plan_file, "--out", out, "--set", "training.epochs=2")
    certify(out)
    classes, truth, probabilities = predictions(out, "test")
    assert classes == ["healthy", "ill"]
    threshold = json.loads((out / "operating_point.json").read_text())["threshold"]
    called = (probabilities[:, 1] >= threshold).astype(int)
    ((tn, fp), (fn, tp)) = confusion_matrix(truth, called, labels=[0, 1])
    ours = metrics(out)
    expected = {
        "AUC": roc_auc_score(truth, probabilities[:, 1]),
        "accuracy": accuracy_score(truth, called),
        "sensitivity": tp / (tp + fn),
        "specificity": tn / (tn + fp),
        "prevalence": truth.mean(),
    }
    for name, value in expected.items():
        assert ours[name]["value"] == pytest.approx(value, abs=1e-12), name
        assert ours[name]["n"] == {"sensitivity": tp + fn, "specificity": tn + fp}.get(name, len(truth))
    brier = next(entry for name, entry in ours.items() if "brier" in name.lower())
    assert brier["value"] == pytest.approx(brier_score_loss(truth, probabilities[:, 1]), abs=1e-12)
    np.testing.assert_allclose(probabilities.sum(1), 1, atol=1e-12)


def test_the_threshold_comes_from_the_tuning_part_alone(tmp_path: Path, plan_file: Path) -> None:
    """A threshold chosen on the test part would flatter every number that depends on it."""
    out = tmp_path / "s"
    done("train", plan_file, "--out", out)
    done("run", plan_file, "--out", out)
    _, truth, probabilities = predictions(out, "tuning")
    rate_false, rate_true, _ = roc_curve(truth, probabilities[:, 1], drop_intermediate=False)
    point = json.loads((out / "operating_point.json").read_text())
    called = probabilities[:, 1] >= point["threshold"]
    youden = called[truth == 1].mean() - called[truth == 0].mean()
    assert youden == pytest.approx(max(rate_true - rate_false))
    opened = next(entry["payload"] for entry in record(out) if entry["event"] == "test set opened")
    assert opened["operating_point"] == sha256_of_file(out / "operating_point.json"), "frozen before the opening"
    assert stages(out).index("predict") < stages(out).index("evaluate")


def test_numbers_of_three_classes_are_those_of_scikit_learn(tmp_path: Path) -> None:
    """More than two classes: the most probable is called, and each is judged against the others."""
    names = ["normal", "nodule", "effusion"]
    write_images(tmp_path / "images", names)
    out = tmp_path / "s"
    plan = write_plan(
        tmp_path, "  images: images\n  patient: {from: filename, pattern: '^(p\\d+)'}\n  image: {size: 28}\n"
    )
    done("run", plan, "--out", out)
    certify(out)
    classes, truth, probabilities = predictions(out, "test")
    assert classes == sorted(names)
    assert json.loads((out / "operating_point.json").read_text()) is None
    called = probabilities.argmax(1)
    overall = metrics(out)
    areas = [roc_auc_score(truth == number, probabilities[:, number]) for number in range(3)]
    assert overall["accuracy"]["value"] == pytest.approx(accuracy_score(truth, called))
    macro = next(entry for name, entry in overall.items() if "AUC" in name)
    assert macro["value"] == pytest.approx(np.mean(areas))
    for number, name in enumerate(classes):
        ours = metrics(out, group=name)
        assert ours["AUC"]["value"] == pytest.approx(areas[number])
        assert ours["sensitivity"]["value"] == pytest.approx((called[truth == number] == number).mean())
        assert ours["specificity"]["value"] == pytest.approx((called[truth != number] != number).mean())


# Kinds of images and labels


def test_colour_images_keep_their_colours(tmp_path: Path) -> None:
    """A study of photographs or slides: three channels from the file to the report."""
    write_images(tmp_path / "images", ["benign", "malignant"], shape=(28, 28, 3), n_patients=24)
    plan = write_plan(
        tmp_path,
        "  images: images\n  patient: {from: filename, pattern: '^(p\\d+)'}\n  image: {size: 28, channels: colour}\n",
    )
    done("run", plan, "--out", tmp_path / "s")
    certify(tmp_path / "s")
    store = json.loads((tmp_path / "s" / "store" / "store.json").read_text())
    assert store == {"dtype": "uint8", "shape": [48, 3, 28, 28]}
    rows = list(csv.DictReader((tmp_path / "s" / "cohort.csv").open(newline="")))
    kept = np.fromfile(tmp_path / "s" / "store" / "images.bin", np.uint8).reshape(store["shape"])
    original = np.asarray(Image.open(tmp_path / "images" / rows[7]["source"]))
    np.testing.assert_array_equal(kept[int(rows[7]["store_row"])], np.moveaxis(original, -1, 0))


def test_sixteen_bits_stay_sixteen_bits(tmp_path: Path) -> None:
    """A radiograph of 16 bits must not be cut down to 256 grey levels."""
    write_images(tmp_path / "images", ["normal", "ill"], n_patients=24)
    plan = write_plan(
        tmp_path,
        "  images: images\n  patient: {from: filename, pattern: '^(p\\d+)'}\n  image: {size: 28, window: full}\n",
    )
    done("run", plan, "--out", tmp_path / "s")
    certify(tmp_path / "s")
    store = json.loads((tmp_path / "s" / "store" / "store.json").read_text())
    assert store["dtype"] == "uint16"
    rows = list(csv.DictReader((tmp_path / "s" / "cohort.csv").open(newline="")))
    kept = np.fromfile(tmp_path / "s" / "store" / "images.bin", np.uint16).reshape(store["shape"])
    original = np.asarray(Image.open(tmp_path / "images" / rows[7]["source"]))
    np.testing.assert_array_equal(kept[int(rows[7]["store_row"])][0], original)


def test_an_ensemble_answers_with_the_mean_of_its_members(tmp_path: Path, plan_file: Path) -> None:
    """Two networks from different beginnings; adding a third must not change the first two."""
    out = tmp_path / "s"
    done("run", plan_file, "--out", out, "--set", "training.n_members=2")
    certify(out)
    weights = [(out / "training" / f"member-{number}" / "weights.safetensors").read_bytes() for number in (0, 1)]
    assert weights[0] != weights[1]
    for part in ("tuning", "test"):
        first, second, mean = (predictions(out, part, name)[2] for name in ("member-0", "member-1", "ensemble"))
        np.testing.assert_allclose(mean, (first + second) / 2, atol=1e-12)
    done("train", plan_file, "--out", tmp_path / "alone")
    assert (tmp_path / "alone" / "training" / "member-0" / "weights.safetensors").read_bytes() == weights[0]


def write_exams(folder: Path) -> list[tuple[str, str, int]]:
    """Write DICOM files of 24 patients with one or two exams each; return (file, SOP Instance UID, class)."""
    folder.mkdir()
    draw = np.random.default_rng(5)
    written = []
    for number in range(36):
        patient = number % 24
        uid = f"1.2.826.0.1.{number + 1}"
        path = folder / f"IM{number:04d}"
        stored = (pattern(draw, patient % 2, (32, 32)) * 4095).astype(np.uint16)
        write_dicom(
            path,
            stored,
            bits_stored=12,
            PatientID=f"X{patient:03d}",
            PatientName="Secret^Name",
            PatientBirthDate="19500101",
            SOPInstanceUID=uid,
            StudyInstanceUID=f"{uid}.1",
            SeriesInstanceUID=f"{uid}.2",
        )
        written.append((path.name, uid, patient % 2))
    return written


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_dicom_images_with_a_table_of_labels(tmp_path: Path, kind: str) -> None:
    """The radiologist's own case: exams from the archive, a table from the ward; no name reaches the study folder."""
    exams = write_exams(tmp_path / "exams")
    if kind == "csv":
        lines = [f"{uid},{('no', 'yes')[label]}" for _, uid, label in exams]
        (tmp_path / "labels.csv").write_text("uid,pneumonia\n" + "\n".join(lines) + "\n")
    else:
        import pandas

        pandas.DataFrame(
            {"uid": [name for name, _, _ in exams], "pneumonia": [("no", "yes")[label] for _, _, label in exams]}
        ).to_excel(tmp_path / "labels.xlsx", index=False)
    plan = write_plan(
        tmp_path,
        f"  images: exams\n  labels: {{from: table, table: labels.{kind}, image_column: uid, label_column: pneumonia}}\n"
        "  image: {size: 32}\n",
    )
    out = tmp_path / "s"
    done("run", plan, "--out", out)
    certify(out)
    assert json.loads((out / "classes.json").read_text())["classes"] == ["no", "yes"]
    assert json.loads((out / "certificate.json").read_text())["n_patients_shared"] == 0
    for file in out.rglob("*"):
        if file.is_file():
            content = file.read_bytes()
            assert b"Secret" not in content, file
            assert b"X003" not in content, file
            assert b"1.2.826.0.1" not in content, file


def write_archive(path: Path) -> dict[str, np.ndarray]:
    """Write an .npz file as MedMNIST does, with three parts."""
    draw = np.random.default_rng(9)
    arrays = {}
    for part, n_images in (("train", 32), ("val", 12), ("test", 16)):
        labels = np.arange(n_images) % 2
        images = np.stack([pattern(draw, label) for label in labels])
        arrays |= {f"{part}_images": (images * 255).astype(np.uint8), f"{part}_labels": labels[:, None]}
    np.savez(path, **arrays)
    return arrays


def test_an_archive_keeps_its_official_parts(tmp_path: Path) -> None:
    """A published split is what makes numbers comparable."""
    arrays = write_archive(tmp_path / "chest.npz")
    plan = write_plan(
        tmp_path,
        "  images: chest.npz\n  labels: {from: archive, names: {'0': normal, '1': pneumonia}}\n"
        "  patient: each_image\n  image: {size: 28}\n",
        "split: {official: true}\n",
    )
    out = tmp_path / "s"
    done("run", plan, "--out", out)
    certify(out)
    certificate = json.loads((out / "certificate.json").read_text())
    assert certificate["n_images"] == {"training": 32, "tuning": 12, "test": 16}
    classes, truth, _ = predictions(out, "test")
    assert classes == ["normal", "pneumonia"]
    assert sorted(truth) == sorted(arrays["test_labels"].ravel())


# The seal


def test_training_leaves_the_test_set_sealed(tmp_path: Path, plan_file: Path) -> None:
    """Nobody can peek by stopping after training, and the record proves it."""
    out = tmp_path / "s"
    done("train", plan_file, "--out", out)
    assert "test set opened" not in [entry["event"] for entry in record(out)]
    assert not (out / "predictions.csv").exists()
    assert not (out / "metrics.json").exists()
    with (out / "split.csv").open(newline="") as file:
        test = {row["image_id"] for row in csv.DictReader(file) if row["part"] == "test"}
    assert test
    for file in out.rglob("*"):
        if file.is_file() and file.name not in ("cohort.csv", "0001.csv", "labels.csv", "split.csv"):
            content = file.read_bytes()
            assert not [image for image in test if image.encode() in content], file


# The other verbs


def test_the_schema_is_a_json_schema_that_knows_good_from_bad(plan_file: Path) -> None:
    """Editors complete and check a plan with it as one types."""
    jsonschema = pytest.importorskip("jsonschema")
    schema = json.loads(done("schema").out)
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    plan = yaml.safe_load(plan_file.read_text())
    assert not list(validator.iter_errors(plan))
    assert list(validator.iter_errors(plan | {"training": {"epohs": 3}}))
    assert list(validator.iter_errors({"data": {"images": "x"}}))


def test_the_schema_describes_every_setting() -> None:
    """The schema is the manual: each setting has a type and a sentence."""
    schema = json.loads(done("schema").out)
    assert {"task", "data", "split", "training"} <= set(schema["properties"])
    sections = {f"#/$defs/{name}": entry for name, entry in schema["$defs"].items()} | {"": schema}
    settings = [(name, field) for section in sections.values() for name, field in section.get("properties", {}).items()]
    assert not [name for name, field in settings if not {**sections.get(field.get("$ref"), {}), **field}["description"]]


def propose(source: Path, plan: Path) -> str:
    """Let lucency propose a plan, and make sure that it reads back."""
    answer = done("init", source, "--out", plan)
    read_plan(plan)
    refused(lucency("init", source, "--out", plan), 2, "exists already", "--out")
    return answer.out


def test_init_proposes_a_plan_for_folders_of_classes(tmp_path: Path, images: Path) -> None:
    """Sizes, classes and the likely patient are seen; what is a guess is marked."""
    said = propose(images, tmp_path / "new.yaml")
    assert "48 .png" in said
    assert "24 healthy" in said
    assert "24 patients with 48 images" in said
    assert "CHECK" in (tmp_path / "new.yaml").read_text()
    assert read_plan(tmp_path / "new.yaml").data.image.size == 28
    done("split", tmp_path / "new.yaml", "--out", tmp_path / "s")
    assert json.loads((tmp_path / "s" / "certificate.json").read_text())["n_components"] == 24


def test_init_proposes_a_plan_for_an_archive_that_runs(tmp_path: Path) -> None:
    """The archive says all but the names of its classes."""
    write_archive(tmp_path / "chest.npz")
    said = propose(tmp_path / "chest.npz", tmp_path / "new.yaml")
    assert "60 images" in said
    assert read_plan(tmp_path / "new.yaml").split.official
    plan = (tmp_path / "new.yaml").read_text()
    (tmp_path / "new.yaml").write_text(plan.replace("  # patient: each_image", "  patient: each_image"))
    small = ("--set", "network.architecture=lenet5", "--set", "training.epochs=1")
    done("run", tmp_path / "new.yaml", "--out", tmp_path / "s", *small)
    certify(tmp_path / "s")


def test_init_proposes_a_plan_for_dicom_images(tmp_path: Path) -> None:
    """The headers name the patient; the labels have to be told."""
    write_exams(tmp_path / "exams")
    said = propose(tmp_path / "exams", tmp_path / "new.yaml")
    assert "The DICOM headers name the patients." in said
    assert "name a table" in said
    patient = read_plan(tmp_path / "new.yaml").data.patient
    assert patient is not None
    assert patient.from_ == "dicom"


def test_init_proposes_a_plan_that_runs_for_dicom_images_in_folders(tmp_path: Path) -> None:
    """Where the folders are the classes, as the proposal guesses, it is a study as it stands."""
    for name, _, label in write_exams(tmp_path / "all"):
        path = tmp_path / "exams" / ("normal", "ill")[label] / name
        path.parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "all" / name).rename(path)
    assert "The DICOM headers name the patients." in propose(tmp_path / "exams", tmp_path / "new.yaml")
    small = ("--set", "network.architecture=lenet5", "--set", "training.epochs=1")
    done("run", tmp_path / "new.yaml", "--out", tmp_path / "s", *small)
    certify(tmp_path / "s")


@pytest.mark.parametrize("name", ["with space", "it's", "colon: hash #", "Löwe 肺", "{brace}", "- dash", "'quoted'"])
def test_init_writes_odd_folder_names_so_that_they_read_back(tmp_path: Path, images: Path, name: str) -> None:
    """A folder may be called anything."""
    images.rename(tmp_path / name)
    propose(tmp_path / name, tmp_path / "new.yaml")
    assert read_plan(tmp_path / "new.yaml").data.images == str(tmp_path / name)


# Real images


@pytest.mark.real
@pytest.mark.parametrize("name", ["pneumonia_cxr", "pneumoniamnist"])
def test_the_examples_are_right(real_data: Path, name: str) -> None:
    """What is copied first must work."""
    plan = read_plan(EXAMPLES / f"{name}.yaml")
    assert Path(plan.data.images).exists()


@pytest.mark.real
def test_the_small_example_runs(real_data: Path, tmp_path: Path) -> None:
    """PneumoniaMNIST with its own parts, from the archive to the report, with a quick network."""
    quick = ("--set", "training.epochs=1", "--set", "network.architecture=lenet5")
    out = tmp_path / "s"
    answer = done("run", EXAMPLES / "pneumoniamnist.yaml", "--out", out, *quick)
    certify(out)
    assert "29 set aside (E_DUPLICATE)" in answer.out
    certificate = json.loads((out / "certificate.json").read_text())
    assert certificate["n_images"] == {"training": 4682, "tuning": 524, "test": 621}, "3 of 624 are copies of others"
    assert certificate["n_images_shared"] == 0
    _, truth, probabilities = predictions(out, "test")
    ours = metrics(out)["AUC"]
    assert ours["value"] == pytest.approx(roc_auc_score(truth, probabilities[:, 1]), abs=1e-12)
    assert ours["value"] > 0.75
    assert ours["n"] == 621


@pytest.mark.real
def test_init_sees_the_patients_of_a_real_folder(real_data: Path, tmp_path: Path) -> None:
    """The proposal for 5,216 radiographs has the right classes and a pattern to check."""
    said = propose(real_data / "kermany_cxr224" / "train", tmp_path / "new.yaml")
    assert "5216 .jp" in said
    assert "3875 PNEUMONIA" in said
    assert "1341 NORMAL" in said
    patient = read_plan(tmp_path / "new.yaml").data.patient
    assert patient is not None
    assert patient.from_ == "filename"
    assert "CHECK" in said


@pytest.mark.real
@pytest.mark.slow
def test_a_real_cohort_is_curated_and_split_without_a_leak(real_data: Path, tmp_path: Path) -> None:
    """All 5,216 radiographs: 24 groups of copies (50 files), several images of a patient, and no patient on two sides."""
    out = tmp_path / "s"
    done("split", EXAMPLES / "pneumonia_cxr.yaml", "--out", out)
    with (out / "cohort.csv").open(newline="") as file:
        cohort = {row["image_id"]: row for row in csv.DictReader(file)}
    with (out / "labels.csv").open(newline="") as file:
        labels = list(csv.DictReader(file))
    assert len(cohort) == 5216
    assert all(row["status"] == "kept" for row in cohort.values())
    groups = defaultdict(list)
    for image, row in cohort.items():
        groups[row["sha256"]].append(image)
    copies = [set(images) for images in groups.values() if len(images) > 1]
    assert (len(copies), sum(map(len, copies))) == (24, 50)
    refused_labels = {row["image_id"] for row in labels if row["status"] == "refused"}
    assert all(len(images - refused_labels) == 1 for images in copies), "of each group one stays"
    assert refused_labels <= set().union(*copies)
    with (out / "split.csv").open(newline="") as file:
        split = list(csv.DictReader(file))
    assert len(split) == 5216 - len(refused_labels)
    for key in ("patient_id", "sha256", "pixel_sha256"):
        parts = defaultdict(set)
        for row in split:
            parts[cohort[row["image_id"]][key]].add(row["part"])
        assert all(len(found) == 1 for found in parts.values()), key
    shares = {part: sum(row["part"] == part for row in split) / len(split) for part in ("training", "tuning", "test")}
    assert shares == pytest.approx({"training": 0.7, "tuning": 0.1, "test": 0.2}, abs=0.02)
