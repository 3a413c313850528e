"""Whatever goes wrong, lucency says in a sentence what, where and what next, and loses nothing."""

import contextlib
import csv
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from data.dicom_files import write_dicom
from studies.commands import Running, done, lucency, record, refused, stages


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def outcomes(path: Path) -> dict[str, str]:
    """Return the reason of each refused row of a table, by image."""
    key = "image_id" if path.name == "labels.csv" else "source"
    return {row[key]: row["reason"] for row in rows_of(path) if row["status"] == "refused"}


def with_table(plan_file: Path, images: Path, table: str) -> Path:
    """Let the plan take its labels from a table."""
    (images.parent / "labels.csv").write_text(table)
    plan = plan_file.read_text().replace(
        "  patient:",
        "  labels: {from: table, table: labels.csv, image_column: file, label_column: finding}\n  patient:",
    )
    plan_file.write_text(plan)
    return plan_file


# The plan and the arguments


def test_a_missing_plan_is_named(tmp_path: Path) -> None:
    """The first typing error everybody makes."""
    refused(lucency("run", tmp_path / "studdy.yaml"), 2, "There is no plan", "studdy.yaml", "lucency init")


def test_a_binary_file_is_no_plan(tmp_path: Path, images: Path) -> None:
    """Shell completion picks an image instead of the plan."""
    image = next(images.rglob("*.png"))
    refused(lucency("run", image, "--out", tmp_path / "s"), 2, "is not a text file", "study.yaml")


def test_a_folder_without_a_study_is_no_plan(tmp_path: Path, images: Path) -> None:
    """The folder of the images is given where the plan belongs."""
    refused(lucency("run", images), 2, "There is no plan", "lucency init")
    refused(lucency("audit", images), 2, "holds no study")


def test_a_plan_from_a_newer_lucency_is_not_guessed_at(tmp_path: Path, plan_file: Path) -> None:
    """A setting of tomorrow could mean something else today."""
    plan_file.write_text("lucency: 2\n" + plan_file.read_text())
    refused(lucency("run", plan_file, "--out", tmp_path / "s"), 2, "newer lucency", "Upgrade")
    assert not (tmp_path / "s").exists()


def test_a_misspelt_key_is_refused_before_any_work(tmp_path: Path, plan_file: Path) -> None:
    """A misspelt hyperparameter that is silently ignored would falsify a study."""
    plan_file.write_text(plan_file.read_text().replace("epochs", "epoch"))
    answer = lucency("run", plan_file, "--out", tmp_path / "s")
    refused(answer, 2, "study.yaml, line 8", "“epoch” is not a setting of training", "Did you mean “epochs”?")
    assert not (tmp_path / "s").exists()


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("training.epohs=3", "Did you mean “epochs”?"),
        ("training.epochs=many", "--set training.epochs"),
        ("training.epochs", "--set training.epochs is not of the form"),
        ("training.epochs=0", "greater than or equal to 1"),
        ("training.epochs.x=1", "should be a valid integer"),
        ("network.architecture=resnet", "resnet18"),
        ("data.image.size=two", "--set data.image.size"),
        ("split.training=0.9", "must add up to 1"),
        ("title=", "--set title"),
    ],
)
def test_a_wrong_set_is_refused(tmp_path: Path, plan_file: Path, override: str, said: str) -> None:
    """The command line is checked like the file."""
    refused(lucency("run", plan_file, "--out", tmp_path / "s", "--set", override), 2, said)
    assert not (tmp_path / "s").exists()


@pytest.mark.parametrize("arguments", [["rnu"], ["run"], ["run", "a", "b"], ["run", "--outt", "x"], ["schema", "x"]])
def test_a_wrong_argument_is_refused(arguments: list[str]) -> None:
    """Wrong usage has the code of a wrong plan."""
    answer = lucency(*arguments)
    assert answer.code == 2
    assert "Traceback" not in answer.err
    assert answer.err


def test_images_too_small_for_the_network_are_refused(tmp_path: Path, plan_file: Path) -> None:
    """The message of torch would speak of kernels and padding."""
    small = ("--set", "data.image.size=8", "--set", "network.architecture=lenet5")
    refused(lucency("run", plan_file, "--out", tmp_path / "s", *small), 2, "8 × 8", "LeNet-5", "data.image.size")


# The images


def test_a_missing_folder_is_named(tmp_path: Path, plan_file: Path) -> None:
    """The image folder was moved, or the plan was."""
    answer = lucency("run", plan_file, "--out", tmp_path / "s", "--set", "data.images=imges")
    refused(answer, 2, "There is no", "imges", "data.images")
    done("split", plan_file, "--out", tmp_path / "s")


def test_an_empty_folder_is_named(tmp_path: Path, plan_file: Path) -> None:
    """The network drive is not mounted."""
    (tmp_path / "void").mkdir()
    answer = lucency("run", plan_file, "--out", tmp_path / "s", "--set", "data.images=void")
    refused(answer, 2, "is empty", "void")
    refused(lucency("init", tmp_path / "void", "--out", tmp_path / "new.yaml"), 2, "is empty")
    assert not (tmp_path / "new.yaml").exists()


def test_a_folder_of_text_files_is_named(tmp_path: Path, plan_file: Path) -> None:
    """The folder of the reports is given instead of that of the images."""
    (tmp_path / "texts").mkdir()
    for number in range(3):
        (tmp_path / "texts" / f"{number}.txt").write_text("The heart is not enlarged.")
    answer = lucency("run", plan_file, "--out", tmp_path / "s", "--set", "data.images=texts")
    refused(answer, 2, "None of the 3 files", ".txt", "JPEG and TIFF")
    refused(lucency("init", tmp_path / "texts", "--out", tmp_path / "new.yaml"), 2, "None of the 3 files")


def test_a_truncated_jpeg_is_set_aside_with_its_code(tmp_path: Path, plan_file: Path, images: Path) -> None:
    """One damaged file must neither stop a study nor slip into it."""
    whole = next((images / "ill").glob("*.png"))
    Image.open(whole).save(images / "ill" / "p901-0.jpg")
    cut = (images / "ill" / "p901-0.jpg").read_bytes()
    (images / "ill" / "p901-0.jpg").write_bytes(cut[: len(cut) // 2])
    answer = done("split", plan_file, "--out", tmp_path / "s")
    assert "1 refused (E_TRUNCATED)" in answer.out
    assert outcomes(tmp_path / "s" / "cohort.csv") == {"ill/p901-0.jpg": "E_TRUNCATED"}


def test_a_truncated_dicom_file_is_set_aside_with_its_code(tmp_path: Path) -> None:
    """A transfer that broke off leaves half a file, whose header still reads well."""
    draw = np.random.default_rng(0)
    for number in range(12):
        path = tmp_path / "exams" / ("normal", "ill")[number % 2] / f"{number}.dcm"
        path.parent.mkdir(parents=True, exist_ok=True)
        uid = f"1.2.3.{number}"
        write_dicom(
            path,
            draw.integers(0, 4096, (32, 32), np.uint16),
            bits_stored=12,
            PatientID=f"A{number}",
            SOPInstanceUID=uid,
            StudyInstanceUID=uid,
            SeriesInstanceUID=uid,
        )
    path.write_bytes(path.read_bytes()[:-700])
    plan = tmp_path / "plan.yaml"
    plan.write_text("task: classification\ndata: {images: exams, image: {size: 32}}\n")
    answer = done("split", plan, "--out", tmp_path / "s")
    assert "1 refused (E_TRUNCATED)" in answer.out
    assert outcomes(tmp_path / "s" / "cohort.csv") == {"ill/11.dcm": "E_TRUNCATED"}


def test_when_no_image_can_be_used_the_codes_say_why(tmp_path: Path, plan_file: Path, images: Path) -> None:
    """A whole folder of damaged files is a fault of the source."""
    for file in images.rglob("*.png"):
        file.write_bytes(file.read_bytes()[:200])
    refused(lucency("run", plan_file, "--out", tmp_path / "s"), 2, "None of the 48 images", "E_TRUNCATED")


def test_a_pattern_that_matches_nothing_is_refused(tmp_path: Path, plan_file: Path) -> None:
    """Without patients there is no split by patient."""
    answer = lucency("run", plan_file, "--out", tmp_path / "s", "--set", "data.patient.pattern=^(case[0-9]+)")
    refused(answer, 2, "`data.patient` (filename) finds no patient", "Correct the rule")
    answer = lucency("run", plan_file, "--out", tmp_path / "s", "--set", "data.patient.pattern=(p")
    refused(answer, 2, "not a regular expression")
    done("split", plan_file, "--out", tmp_path / "s")


def test_a_split_without_a_patient_rule_is_refused(tmp_path: Path, plan_file: Path) -> None:
    """A split by image would let one patient train and test; only `each_image` says that out loud."""
    out = ("--out", tmp_path / "s")
    refused(lucency("run", plan_file, *out, "--set", "data.patient=null"), 2, "do not name their patient", "each_image")
    done("split", plan_file, *out, "--set", "data.patient=each_image")


def test_an_image_without_a_patient_is_set_aside(tmp_path: Path, plan_file: Path, images: Path) -> None:
    """An image that the rule does not know cannot be kept apart from the test set."""
    draw = np.random.default_rng(0).integers(0, 255, (28, 28), np.uint8)
    Image.fromarray(draw).save(images / "ill" / "unknown.png")
    done("split", plan_file, "--out", tmp_path / "s")
    assert outcomes(tmp_path / "s" / "cohort.csv") == {"ill/unknown.png": "E_NO_PATIENT"}


@pytest.mark.parametrize("kind", ["other arrays", "cut short", "no archive"])
def test_an_archive_that_is_not_of_medmnist_is_refused(tmp_path: Path, plan_file: Path, kind: str) -> None:
    """An .npz file can hold anything."""
    path = tmp_path / "images.npz"
    np.savez(path, x=np.zeros((3, 28, 28), np.uint8), y=np.zeros(3))
    if kind == "cut short":
        path.write_bytes(path.read_bytes()[:500])
    if kind == "no archive":
        path.write_text("404 not found")
    answer = lucency("run", plan_file, "--out", tmp_path / "s", "--set", "data.images=images.npz")
    refused(answer, 2, "images.npz")
    refused(lucency("init", path, "--out", tmp_path / "new.yaml"), 2, "images.npz")


# The labels


def test_one_class_is_not_enough(tmp_path: Path, plan_file: Path, images: Path) -> None:
    """The folder of one class was given instead of the one above."""
    shutil.rmtree(images / "healthy")
    answer = lucency("run", plan_file, "--out", tmp_path / "s")
    refused(answer, 2, "All images have the label “ill”", "at least two", "data.labels")
    answer = lucency("run", plan_file, "--out", tmp_path / "s", "--set", "data.images=images/ill")
    refused(answer, 2, "No image has a label", "data.labels")


def test_a_class_with_fewer_patients_than_parts_is_refused(tmp_path: Path, plan_file: Path, images: Path) -> None:
    """Some part would have none of it, and no number could be given."""
    (images / "rare").mkdir()
    for number, file in enumerate(sorted((images / "ill").glob("*-0.png"))[:2]):
        file.rename(images / "rare" / f"p80{number}-0.png")
    answer = lucency("run", plan_file, "--out", tmp_path / "s")
    refused(answer, 1, "The class “rare” has 2 patients", "Add patients")
    assert stages(tmp_path / "s") == ["curate", "label"]


def test_unknown_and_doubled_images_of_a_table_are_told(tmp_path: Path, plan_file: Path, images: Path) -> None:
    """A table that disagrees with itself, or with the folder, must not be believed in silence."""
    files = sorted(file.relative_to(images).as_posix() for file in images.rglob("*.png"))
    lines = [f"{file},{file.split('/')[0]}" for file in files]
    doubled, repeated, absent = files[0], files[1], files[2]
    lines += [f"{doubled},ill", f"{repeated},healthy", "p999-0.png,ill"]
    lines.remove(f"{absent},healthy")
    plan = with_table(plan_file, images, "file,finding\n" + "\n".join(lines) + "\n")
    answer = done("split", plan, "--out", tmp_path / "s")
    assert "1 set aside (E_DOUBLE_LABEL)" in answer.out
    assert "1 set aside (E_NO_LABEL)" in answer.out
    assert "names 1 image" in answer.out
    assert f"(row {len(lines) + 1})" in answer.out.replace("rows", "row")
    source = {row["image_id"]: row["source"] for row in rows_of(tmp_path / "s" / "cohort.csv")}
    refusals = {source[image]: reason for image, reason in outcomes(tmp_path / "s" / "labels.csv").items()}
    assert refusals == {doubled: "E_DOUBLE_LABEL", absent: "E_NO_LABEL"}


def test_an_absent_table_or_column_is_named(tmp_path: Path, plan_file: Path, images: Path) -> None:
    """With the nearest column, because capitals and spaces are what goes wrong."""
    plan = with_table(plan_file, images, "file,Finding\nx.png,ill\n")
    out = ("--out", tmp_path / "s")
    refused(lucency("run", plan, *out), 2, "labels.csv has no column “finding”", "Did you mean “Finding”?")
    refused(lucency("run", plan, *out, "--set", "data.labels.table=labls.csv"), 2, "There is no table", "labls.csv")
    assert stages(tmp_path / "s") == ["curate"]
    (tmp_path / "labels.csv").write_text("")
    refused(lucency("run", plan, *out), 2, "labels.csv cannot be read as a table")
    (tmp_path / "labels.csv").write_text("file,finding\n")
    refused(lucency("run", plan, *out), 2, "labels.csv has a header but no rows")
    (tmp_path / "labels.csv").write_bytes(next(images.rglob("*.png")).read_bytes())
    refused(lucency("run", plan, *out), 2, "labels.csv")
    (tmp_path / "labels.csv").write_text("file,finding\nnobody.png,ill\n")
    refused(lucency("run", plan, *out), 2, "No image has a label")


# Training


def test_a_cost_that_runs_away_stops_the_study(tmp_path: Path, plan_file: Path) -> None:
    """Weights that are not numbers would predict nothing, and look like a result."""
    wild = ("--set", "training.learning_rate=1e30", "--set", "training.optimizer=sgd")
    answer = lucency("run", plan_file, "--out", tmp_path / "s", *wild)
    refused(answer, 1, "diverged", "epoch", "training.learning_rate")
    assert stages(tmp_path / "s") == ["curate", "label", "split", "describe"]
    assert not list((tmp_path / "s").rglob("weights.safetensors"))
    done("evaluate", plan_file, "--out", tmp_path / "s")
    assert stages(tmp_path / "s") == ["curate", "label", "split", "describe", "train", "predict", "evaluate"]


# The study folder


@pytest.fixture
def finished(tmp_path: Path, plan_file: Path) -> Path:
    """Return the folder of a study that was carried out up to the evaluation."""
    done("evaluate", plan_file, "--out", tmp_path / "s")
    return tmp_path / "s"


def test_an_edited_record_is_refused(finished: Path, plan_file: Path) -> None:
    """Nothing may be built upon a history that was changed."""
    path = finished / "record.jsonl"
    whole = path.read_bytes()
    place = whole.index(b'"seconds"')
    path.write_bytes(whole[:place] + b'"sEconds"' + whole[place + 9 :])
    for arguments in (("run", plan_file, "--out", finished), ("run", finished), ("audit", finished)):
        refused(lucency(*arguments), 1, "record.jsonl was changed at line 1", "backup")
    path.write_bytes(whole)
    done("evaluate", plan_file, "--out", finished)
    done("audit", finished)


def test_an_edited_split_never_reaches_the_training(finished: Path, plan_file: Path) -> None:
    """A patient moved by hand into two parts is found by the audit and undone by the next run."""
    path = finished / "split.csv"
    whole = path.read_text()
    path.write_text(re.sub(",test,", ",training,", whole, count=1))
    answer = lucency("audit", finished)
    assert answer.code == 1
    assert "The split leaks: 1 patients stand in more than one part" in answer.out
    assert "split.csv was changed or removed" in answer.out
    done("evaluate", plan_file, "--out", finished)
    assert path.read_text() == whole
    done("audit", finished)


@pytest.mark.parametrize("kind", ["spreadsheet", "cut", "bytes", "absent"])
def test_a_mangled_file_is_found_and_made_again(finished: Path, plan_file: Path, kind: str) -> None:
    """A spreadsheet saves with semicolons, a disk loses half a file, a tidy person deletes one."""
    for path in (finished / "split.csv", finished / "cohort.csv", finished / "labels.csv", finished / "classes.json"):
        whole = path.read_bytes()
        if kind == "absent":
            path.unlink()
        else:
            half = whole[: len(whole) // 2 - 3]
            path.write_bytes({"spreadsheet": whole.replace(b",", b";"), "cut": half, "bytes": b"\xff\0\xfe"}[kind])
        answer = lucency("audit", finished)
        assert answer.code == 1, answer
        assert f"{path.name} was changed or removed" in answer.out
        done("evaluate", plan_file, "--out", finished)
        assert path.read_bytes() == whole
        done("audit", finished)


def test_edited_weights_are_found_and_made_again(finished: Path, plan_file: Path) -> None:
    """The test result must be that of the recorded weights."""
    path = finished / "training" / "member-0" / "weights.safetensors"
    whole = path.read_bytes()
    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    answer = lucency("audit", finished)
    assert answer.code == 1
    assert "weights.safetensors was changed or removed" in answer.out
    metrics = (finished / "metrics.json").read_bytes()
    done("evaluate", plan_file, "--out", finished)
    assert path.read_bytes() == whole
    assert (finished / "metrics.json").read_bytes() == metrics
    done("audit", finished)


def test_a_changed_image_is_found_by_the_audit(finished: Path, images: Path) -> None:
    """A study can only be repeated on the same images."""
    image = sorted(images.rglob("*.png"))[0]
    image.write_bytes(image.read_bytes() + b"\0")
    answer = lucency("audit", finished)
    assert answer.code == 1
    assert "images: 47 of 48 are as recorded" in answer.out


def test_a_folder_with_other_files_is_left_alone(tmp_path: Path, plan_file: Path) -> None:
    """`--out .` must not mix a study into a home folder."""
    before = sorted(tmp_path.rglob("*"))
    refused(lucency("run", plan_file, "--out", tmp_path), 2, "not a study folder", "--out")
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("name", ["holiday.jpg", "holiday.jpg/study"])
def test_an_out_that_is_a_file_is_refused(tmp_path: Path, plan_file: Path, name: str) -> None:
    """A file stands where the folder should be."""
    (tmp_path / "holiday.jpg").write_text("x")
    refused(lucency("run", plan_file, "--out", tmp_path / name), 2, "--out")
    assert (tmp_path / "holiday.jpg").read_text() == "x"


def test_two_at_once_in_one_folder_are_kept_apart(tmp_path: Path, plan_file: Path) -> None:
    """Two programs writing one record would break its chain; the first one must not even notice."""
    out = tmp_path / "s"
    many = ("run", plan_file, "--out", out, "--set", "training.epochs=100", "--set", "training.early_stopping=null")
    first = Running(*many, log=tmp_path / "log")
    first.wait_until(lambda: stages(out)[-1:] == ["split"])
    refused(lucency("run", plan_file, "--out", out), 2, "Another lucency is working", "--out")
    assert first.end().code == 0
    done("audit", out)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Mount a disk in memory, to be filled or locked, or skip where that is not allowed."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", disk], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("only root may mount a small disk")
    yield disk
    subprocess.run(["umount", "-l", disk], check=True)


def remount(disk: Path, options: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{options}", disk], check=True, capture_output=True)


@pytest.mark.parametrize("kilobytes", [4, 12, 40, 64, 100, 160, 240])
def test_a_full_disk_loses_nothing(small_disk: Path, plan_file: Path, kilobytes: int) -> None:
    """Wherever the disk runs full, the same command goes on once there is space."""
    remount(small_disk, f"size={kilobytes}k")
    refused(lucency("run", plan_file, "--out", small_disk / "s"), 1, "The disk is full", "same command again")
    before = stages(small_disk / "s")
    remount(small_disk, "size=16m")
    done("run", plan_file, "--out", small_disk / "s")
    assert stages(small_disk / "s")[: len(before)] == before
    assert sorted(set(stages(small_disk / "s"))) == sorted(stages(small_disk / "s")), "nothing was done twice"
    assert not list(small_disk.rglob(".*.tmp"))
    done("audit", small_disk / "s")


@pytest.mark.parametrize("kilobytes", [1, 8, 16, 30])
def test_a_quota_is_a_full_disk(tmp_path: Path, plan_file: Path, kilobytes: int) -> None:
    """A limit on the size of files stops the study in the same words, for everybody and not only for root."""
    out, log = tmp_path / "s", tmp_path / "log"
    answer = Running("run", plan_file, "--out", out, log=log, most_bytes=kilobytes * 1024).end()
    refused(answer, 1, "The disk is full", "same command again")
    done("run", plan_file, "--out", out)
    done("audit", out)


def test_a_read_only_folder_is_told(small_disk: Path, plan_file: Path) -> None:
    """A finished study on a read-only share can be looked at, and a new one is refused."""
    refusal = (1, "cannot be written", "--out")
    done("split", plan_file, "--out", small_disk / "s")
    remount(small_disk, "ro")
    refused(lucency("run", plan_file, "--out", small_disk / "s"), *refusal)
    refused(lucency("run", plan_file, "--out", small_disk / "t"), *refusal)
    refused(lucency("init", small_disk / "s" / "figures" / "..", "--out", small_disk / "new.yaml"), 2)
    assert lucency("audit", small_disk / "s").code == 0
    remount(small_disk, "rw")
    done("evaluate", plan_file, "--out", small_disk / "s")


def test_a_folder_without_permission_is_told(tmp_path: Path, plan_file: Path) -> None:
    """The administrator decides where one may write."""
    if os.geteuid() == 0:
        pytest.skip("permissions do not bind root")
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o500)
    with contextlib.ExitStack() as afterwards:
        afterwards.callback(locked.chmod, 0o700)
        refused(lucency("run", plan_file, "--out", locked / "s"), 1, "cannot be written", "--out")


def test_a_reader_who_has_gone_does_not_stop_the_study(tmp_path: Path, plan_file: Path) -> None:
    """`lucency run … | head -1`, or a log whose disk is full: the study is worth more than its log."""
    words = [sys.executable, "-m", "lucency", "split", str(plan_file), "--out"]
    gone = subprocess.Popen([*words, tmp_path / "s"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert gone.stdout is not None
    gone.stdout.close()
    _, err = gone.communicate(timeout=60)
    assert (gone.returncode, err) == (0, "")
    done("audit", tmp_path / "s")
    if Path("/dev/full").exists():
        with Path("/dev/full").open("w") as full:
            deaf = subprocess.run([*words, tmp_path / "t"], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
        assert (deaf.returncode, deaf.stderr) == (0, "")
        done("audit", tmp_path / "t")


def test_the_record_grows_only_by_what_is_done(finished: Path, plan_file: Path) -> None:
    """A refused command leaves the record as it was."""
    before = record(finished)
    refused(lucency("run", plan_file, "--out", finished, "--set", "network.architecture=vgg"), 2, "vgg")
    refused(lucency("run", plan_file, "--out", finished, "--set", "training.epoch=2"), 2, "epoch")
    assert record(finished) == before
