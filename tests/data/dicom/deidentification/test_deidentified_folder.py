"""A folder: every file is accounted for, nothing of the originals is in the results, and a second run goes on."""

import json
import os
import stat
from pathlib import Path

import numpy as np
import pydicom
import pytest
from deid_files import patient_file, write_file

from lucency.cli.terminal import guarded
from lucency.data.codes import REFUSALS
from lucency.data.dicom.deidentification.account import Fate
from lucency.data.dicom.deidentification.folder import deidentify_folder
from lucency.data.dicom.deidentification.pseudonyms import read_or_make_key
from lucency.domain.data_plan import Deidentification
from lucency.domain.progress import Silence
from lucency.errors import Interrupted, LucencyError, PlanError, SourceError


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Return a folder of two patients with reports, and of everything else that lies around."""
    key = tmp_path / "private" / "key"
    key.parent.mkdir(0o700)
    key.write_text("17" * 32)  # always the same, so that no hash spells a name by chance
    key.chmod(0o600)
    folder = tmp_path / "ZQFOLDER"
    for n in range(3):
        write_file(folder / "doe_jane" / f"ZQIMAGE{n}.dcm", patient_file(SOPInstanceUID=f"1.2.3.{n}", InstanceNumber=n))
    roe = {"PatientID": "77001", "PatientName": "Roe^Richard", "StudyInstanceUID": "1.9", "SeriesInstanceUID": "1.9.1"}
    write_file(folder / "roe" / "a.dcm", patient_file(SOPInstanceUID="1.9.1.1", **roe))
    (folder / "doe_jane" / "ZQIMAGE0.txt").write_text("Jane Doe, born 12.03.1958: no effusion. Seen with R. Roe.")
    (folder / "roe" / "letter.txt").write_text("Mr Roe (77001) is well.")
    (folder / "copy.dcm").write_bytes((folder / "roe" / "a.dcm").read_bytes())
    (folder / "notes.docx").write_bytes(b"PK ZQ")
    (folder / "empty.dcm").write_bytes(b"")
    (folder / "cut.dcm").write_bytes((folder / "roe" / "a.dcm").read_bytes()[:-40])
    screen = patient_file(np.zeros((64, 64), np.uint8), SOPClassUID="1.2.840.10008.5.1.4.1.1.7", SOPInstanceUID="1.5")
    write_file(folder / "screen.dcm", screen)
    return folder


def run(source: Path, out: Path, **settings):
    return deidentify_folder(source, out, Deidentification(**settings), out.with_name("private") / "key", Silence())


def everything_in(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()
    }


def test_every_file_is_accounted_for(source, tmp_path):
    """A file that is silently missing is the worst outcome: nobody looks for it."""
    summary = run(source, tmp_path / "out")
    assert len(summary.files) == sum(path.is_file() for path in source.rglob("*"))
    assert [summary.n_files(fate) for fate in Fate] == [6, 2, 1, 2]
    codes = sorted(row.code for row in summary.files if row.code)
    assert codes == ["E_DEID_OTHER", "E_DUPLICATE", "E_EMPTY_FILE", "E_QUARANTINE", "E_TRUNCATED"]
    assert set(codes) <= REFUSALS.keys()
    written = {row.output for row in summary.files if row.fate == Fate.WRITTEN}
    assert written == set(everything_in(tmp_path / "out")) - {"deidentification.json", "deidentification.html"}


def test_nothing_of_the_originals_is_in_names_files_and_account(source, tmp_path):
    """Names hide in folders, file names, logs and reports of the program itself."""
    run(source, tmp_path / "out")
    for path, content in everything_in(tmp_path / "out").items():
        for secret in (
            "zqfolder",
            "zqimage",
            "jane",
            "roe",
            "8812734",
            "77001",
            "1958",
            "1.2.3.",
            "copy.dcm",
            "screen",
        ):
            assert secret not in path.lower()
            assert secret.encode() not in content.lower(), (path, secret)


def test_a_report_follows_its_image_and_loses_its_names(source, tmp_path):
    """The pair of image and report is what a study needs."""
    summary = run(source, tmp_path / "out")
    reports = {
        row.output: (tmp_path / "out" / row.output).read_text() for row in summary.files if row.output.endswith(".txt")
    }
    beside = next(path for path in reports if (tmp_path / "out" / path).with_suffix(".dcm").exists())
    assert "no effusion" in reports[beside]
    other = next(path for path in reports if path != beside)
    assert other.split("/")[0] in {row.patient for row in summary.files}
    assert "is well" in reports[other]


def test_key_and_private_list_are_for_their_owner_alone(source, tmp_path):
    """Whoever reads them can undo the pseudonyms."""
    summary = run(source, tmp_path / "out")
    for path in (tmp_path / "private" / "key", summary.private_list, summary.review_sheet):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert not path.is_relative_to(tmp_path / "out")


def test_a_new_key_is_secret_and_random(tmp_path):
    """Two keys that agree would link two data sets."""
    keys = [read_or_make_key(tmp_path / name / "key") for name in ("first", "second")]
    assert keys[0] != keys[1]
    assert keys[0] == read_or_make_key(tmp_path / "first" / "key")
    assert stat.S_IMODE((tmp_path / "first").stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "first" / "key").stat().st_mode) == 0o600


def test_a_second_run_changes_nothing(source, tmp_path):
    """The same files, settings and key give the same bytes, done again or not."""
    run(source, tmp_path / "out")
    first = everything_in(tmp_path / "out")
    times = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*.dcm")}
    run(source, tmp_path / "out")
    assert everything_in(tmp_path / "out") == first
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*.dcm")} == times
    run(source, tmp_path / "again")
    assert everything_in(tmp_path / "again") == first


def test_a_damaged_result_is_made_again(source, tmp_path):
    """A disk can lose what was written, and a second run must not vouch for it."""
    run(source, tmp_path / "out")
    first = everything_in(tmp_path / "out")
    damaged = next((tmp_path / "out").rglob("*.dcm"))
    damaged.write_bytes(bytes(damaged.stat().st_size))
    run(source, tmp_path / "out")
    assert everything_in(tmp_path / "out") == first


class StopsAt(Silence):
    """A desk whose user has enough after some files."""

    def __init__(self, n_files: int) -> None:
        self.n_left = n_files

    def advance(self, n_steps: int = 1, detail: str = "") -> None:
        self.n_left -= n_steps
        if self.n_left <= 0:
            raise Interrupted("stopped")


@pytest.mark.parametrize("n_files", [1, 4, 9, 10])
def test_a_stopped_run_goes_on_to_the_same_results(n_files, source, tmp_path):
    """Large archives take hours, and machines stop."""
    run(source, tmp_path / "whole")
    key = tmp_path / "private" / "key"
    with pytest.raises(Interrupted):
        deidentify_folder(source, tmp_path / "out", Deidentification(), key, StopsAt(n_files))
    assert json.loads((tmp_path / "out" / "deidentification.json").read_text())["finished"] is False
    run(source, tmp_path / "out")
    assert everything_in(tmp_path / "out") == everything_in(tmp_path / "whole")


def test_results_of_changed_and_vanished_originals_go(source, tmp_path):
    """A result that nothing stands for would be unaccounted for."""
    before = run(source, tmp_path / "out")
    (source / "doe_jane" / "ZQIMAGE1.dcm").unlink()
    write_file(source / "doe_jane" / "ZQIMAGE2.dcm", patient_file(SOPInstanceUID="1.2.3.99"))
    os.utime(source / "doe_jane" / "ZQIMAGE2.dcm", ns=(1, 1))
    after = run(source, tmp_path / "out")
    assert len(after.files) == len(before.files) - 1
    written = {row.output for row in after.files if row.output}
    assert written == {path for path in everything_in(tmp_path / "out") if path.endswith((".dcm", ".txt"))}


def test_many_files_are_worked_on_in_several_processes(tmp_path):
    """The order of work changes nothing."""
    for n in range(40):
        write_file(tmp_path / "in" / f"{n}.dcm", patient_file(SOPInstanceUID=f"1.2.3.{n}", PatientID=f"{n % 4}"))
    summary = run(tmp_path / "in", tmp_path / "out")
    assert summary.n_files(Fate.WRITTEN) == 40
    assert summary.n_patients == 4


@pytest.mark.parametrize(
    ("out", "key"),
    [("in/out", "key"), ("in", "key"), (".", "key"), ("out", "out/key"), ("out", "in")],
    ids=lambda part: part,
)
def test_entangled_folders_are_refused(out, key, tmp_path):
    """Results among the originals would be read as originals; a key among the results would be given away."""
    write_file(tmp_path / "in" / "a.dcm", patient_file())
    with pytest.raises(LucencyError):
        deidentify_folder(tmp_path / "in", tmp_path / out, Deidentification(), tmp_path / key, Silence())


def test_results_of_two_settings_are_not_mixed(source, tmp_path):
    """Files with true dates among files with moved ones would undo the moving."""
    run(source, tmp_path / "out")
    with pytest.raises(PlanError):
        run(source, tmp_path / "out", dates="keep")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "mine.txt").write_text("mine")
    with pytest.raises(PlanError):
        run(source, tmp_path / "other")
    assert (tmp_path / "other" / "mine.txt").exists()


def test_a_key_that_others_can_read_is_refused(source, tmp_path):
    """A key in the open protects nothing."""
    run(source, tmp_path / "out")
    (tmp_path / "private" / "key").chmod(0o644)
    with pytest.raises(PlanError):
        run(source, tmp_path / "out")


def test_an_empty_folder_is_refused(tmp_path):
    """There is nothing to do, and the user has probably mistyped."""
    (tmp_path / "in").mkdir()
    with pytest.raises(SourceError):
        run(tmp_path / "in", tmp_path / "out")


def test_the_command_tells_counts_and_names_nobody(source, tmp_path, capsys):
    """What is printed ends up in logs."""
    code = guarded(
        [
            "deidentify",
            str(source),
            str(tmp_path / "out"),
            "--key",
            str(tmp_path / "k" / "key"),
            "--set",
            "dates=remove",
        ]
    )
    printed = capsys.readouterr()
    assert code == 0
    assert "11 files: 6 written, 2 refused, 1 quarantined, 2 left out" in printed.out
    for secret in ("ZQ", "jane", "roe", "8812734"):
        assert secret not in printed.out + printed.err


def test_a_wrong_setting_is_refused_with_the_right_one(source, tmp_path, capsys):
    """A misspelt option must not leave the default in silence."""
    assert guarded(["deidentify", str(source), str(tmp_path / "out"), "--set", "date=keep"]) == 2
    assert "Did you mean “dates”" in capsys.readouterr().err


def test_the_page_needs_no_network_and_claims_no_law(source, tmp_path):
    """It can be opened in a hospital, and promises nothing that it cannot hold."""
    run(source, tmp_path / "out")
    page = (tmp_path / "out" / "deidentification.html").read_text()
    assert "://" not in page
    assert "2026c" in page
    assert "rule of three" in page
    assert not {"HIPAA", "GDPR", "compliant", "anonymous"} & set(page.split())


@pytest.mark.real
def test_real_files_are_written_and_readable(real_data, tmp_path):
    """A real series goes through whole, with its pixels."""
    series = real_data / "dicom_mr_structural_64"
    summary = run(series, tmp_path / "out")
    assert summary.n_files(Fate.WRITTEN) == 64
    old = sorted((pydicom.dcmread(path) for path in series.glob("*.dcm")), key=lambda header: header.InstanceNumber)
    new = sorted(
        (pydicom.dcmread(path) for path in (tmp_path / "out").rglob("*.dcm")), key=lambda header: header.InstanceNumber
    )
    for before, after in zip(old, new, strict=True):
        assert before.PixelData == after.PixelData
        assert before.ImagePositionPatient == after.ImagePositionPatient
