"""Fetch from a real PACS: whole, once, in spite of interruptions, and never in silence less than was asked for."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pydicom
import pytest
from pacs_ways import PLANTED, WAYS, Way, way_to
from pydicom.data import get_testdata_file
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian
from pynetdicom import AE

from lucency.data.dicom.pacs import patience
from lucency.data.dicom.pacs.fetch import MISSING, NOTE, fetch
from lucency.data.dicom.pacs.store import send
from lucency.domain.data_plan import Pacs
from lucency.domain.progress import Silence
from lucency.errors import Interrupted, PlanError, SourceError
from orthanc import Listener, Orthanc, free_ports, listens, running
from planted_exams import PlantedSeries, write_series

SIXTY = PlantedSeries(9, 1, "P9", n_instances=60)
ALL = {"modality": ["CT", "DX"]}


@pytest.fixture
def own_pacs(tmp_path: Path) -> Iterator[Orthanc]:
    """Run an Orthanc with one series of 60 slices, for tests that stop it or change what it holds."""
    with running(tmp_path / "orthanc") as server:
        send(write_series(SIXTY, tmp_path / "files"), server.dicomweb, Pacs(), Silence())
        yield server


@pytest.mark.parametrize("name", WAYS)
def test_a_stopped_fetch_goes_on_and_fetches_nothing_twice(name: str, own_pacs: Orthanc, exam_folder: Path) -> None:
    """What had arrived keeps its file, to the inode; only the rest is asked for."""
    way = way_to(own_pacs, name)
    with pytest.raises(Interrupted):
        fetch(way.address, way.query(**ALL), exam_folder, Listener("Fetching images", 17, stop))
    before = stamps(exam_folder)
    assert 17 <= len(before) < 60
    assert not (exam_folder / NOTE).exists()
    desk = Listener()
    assert fetch(way.address, way.query(**ALL), exam_folder, desk).n_instances == 60
    assert desk.n_steps["Fetching images"] == 60 - len(before)
    after = stamps(exam_folder)
    assert len(after) == 60
    assert before.items() <= after.items()


@pytest.mark.parametrize("name", WAYS)
def test_a_server_that_dies_and_comes_back_is_waited_for(
    name: str, own_pacs: Orthanc, exam_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed after 20 of 60 images; back at the third attempt."""
    waits: list[float] = []

    def wait(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 3:
            own_pacs.start()

    monkeypatch.setattr(patience, "sleep", wait)
    way = way_to(own_pacs, name)
    desk = Listener("Fetching images", 20, lambda: own_pacs.stop())
    fetch(way.address, way.query(**ALL), exam_folder, desk)
    assert waits == [1, 2, 4]
    assert desk.n_steps["Fetching images"] in (59, 60)  # the last before the blow may be kept and not yet counted
    assert len(stamps(exam_folder)) == 60


@pytest.mark.parametrize("name", WAYS)
def test_an_image_that_vanishes_after_the_search_stops_the_run(name: str, own_pacs: Orthanc, exam_folder: Path) -> None:
    """A thinner cohort would be a wrong cohort. The list for the administrator names it; the next run goes on."""
    way = way_to(own_pacs, name)
    gone = SIXTY.instance_uids()[30]
    desk = Listener()
    on_say = {"Found": lambda: delete(own_pacs, gone)}  # said when the search is over
    desk.say = lambda sentence: on_say.pop(sentence.split()[0])()  # type: ignore[method-assign]
    with pytest.raises(SourceError, match=r"1 of 60 images could not be fetched \(1 not (found any more|sent)\)"):
        fetch(way.address, way.query(**ALL), exam_folder, desk)
    assert not (exam_folder / NOTE).exists()
    listed = (exam_folder / MISSING).read_text().splitlines()
    assert listed[0] == "study_uid,series_uid,instance_uid,reason"
    assert [line.split(",")[2] for line in listed[1:]] == [gone]
    before = stamps(exam_folder)
    assert len(before) == 59
    assert fetch(way.address, way.query(**ALL), exam_folder, Silence()).n_instances == 59  # the PACS lists 59 by now
    assert stamps(exam_folder) == before
    assert not (exam_folder / MISSING).exists()


def test_what_was_fetched_completely_needs_no_pacs(own_pacs: Orthanc, exam_folder: Path) -> None:
    """The images of a study do not change behind its back, and a closed PACS does not stop it."""
    way = way_to(own_pacs, "dicomweb")
    fetched = fetch(way.address, way.query(**ALL), exam_folder, Silence())
    own_pacs.stop()
    desk = Listener()
    assert fetch(way.address, way.query(**ALL), exam_folder, desk) == fetched
    assert not desk.said
    next(exam_folder.rglob("*.dcm")).unlink()
    with pytest.raises(SourceError, match="cannot be reached"):
        fetch(way.address, way.query(**ALL), exam_folder, Silence())


def test_another_question_keeps_what_it_asks_for_and_removes_the_rest(way: Way, exam_folder: Path) -> None:
    """Otherwise images that the new filters leave out would slip into the cohort."""
    fetch(way.address, way.query(**ALL), exam_folder, Silence())
    before = stamps(exam_folder)
    desk = Listener()
    fetched = fetch(way.address, way.query(modality=["DX"]), exam_folder, desk)
    assert fetched.n_instances == 1
    assert desk.n_steps["Fetching images"] == 0
    assert stamps(exam_folder).items() <= before.items()
    assert len(stamps(exam_folder)) == 1


def test_a_table_of_exams_that_grew_is_asked_for_again(pacs: Orthanc, exam_folder: Path, tmp_path: Path) -> None:
    """And one that is here no more, as on another machine, does not stop a study that has its images."""
    table = tmp_path / "exams.csv"
    table.write_text("patient_id\nP2\n")
    way = way_to(pacs, "dicomweb")
    query = way.query(exams={"table": str(table)})
    assert fetch(way.address, query, exam_folder, Silence()).n_exams == 1
    table.write_text("patient_id\nP2\nP3\n")
    assert fetch(way.address, query, exam_folder, Silence()).n_exams == 2
    table.unlink()
    assert fetch(way.address, query, exam_folder, Silence()).n_exams == 2


def test_names_on_the_disk_tell_nothing_and_only_the_owner_reads_them(way: Way, exam_folder: Path) -> None:
    fetch(way.address, way.query(modality=["DX"]), exam_folder, Silence())
    assert exam_folder.stat().st_mode & 0o777 == 0o700
    planted = {text for s in PLANTED for text in (s.patient, s.accession, s.exam_uid, s.uid, *s.instance_uids())}
    for path in exam_folder.rglob("*"):
        assert not [text for text in planted if text in path.name and len(text) > 2]
    assert not [text for text in planted if text in (exam_folder / NOTE).read_text() and len(text) > 2]


@pytest.mark.parametrize("name", WAYS)
def test_a_port_where_nobody_listens_is_told_after_all_retries(
    name: str, exam_folder: Path, waits: list[float], tmp_path: Path
) -> None:
    """Waiting longer each time, at most half a minute, and not for ever."""
    (port,) = free_ports(1)
    nobody = Orthanc(tmp_path / "never-started")
    nobody.http_port = nobody.dicom_port = port
    way = way_to(nobody, name)
    with pytest.raises(SourceError, match=f"127.0.0.1:{port} cannot be reached") as refusal:
        fetch(way.address, way.query(n_retries=7, **ALL), exam_folder, Silence())
    assert waits == [1, 2, 4, 8, 16, 30, 30]
    assert refusal.value.exit_code == 2


def test_an_unknown_host_is_told(exam_folder: Path) -> None:
    """No name below .invalid ever exists (RFC 2606)."""
    for address in ("dicomweb://nowhere.invalid:80", "pacs://PACS@nowhere.invalid:104"):
        with pytest.raises(SourceError, match=r"nowhere\.invalid:\d+ cannot be reached"):
            fetch(address, Pacs.model_validate({"n_retries": 1, **ALL}), exam_folder, Silence())


def test_a_wrong_called_title_is_told(pacs: Orthanc, exam_folder: Path) -> None:
    """Now and then Orthanc hangs up before its answer is read; the next attempt hears it."""
    address = f"pacs://WRONG@127.0.0.1:{pacs.dicom_port}"
    with pytest.raises(SourceError, match="does not go by the AE title WRONG"):
        fetch(address, Pacs.model_validate(ALL), exam_folder, Silence())


def test_an_unknown_calling_title_is_told(pacs: Orthanc, exam_folder: Path) -> None:
    """Orthanc accepts the association of a stranger, and breaks it off as soon as it asks for something."""
    query = way_to(pacs, "get").query(calling_ae_title="STRANGER", n_retries=1, **ALL)
    with pytest.raises(SourceError, match="may not know the AE title"):
        fetch(pacs.dimse, query, exam_folder, Silence())


def test_a_stranger_to_c_move_is_told_what_to_have_entered(tmp_path: Path, exam_folder: Path) -> None:
    """Orthanc lets a stranger search here, but knows no place to send its images to."""
    open_to_all = {"DicomAlwaysAllowFind": True, "DicomAlwaysAllowMove": True, "DicomModalities": {}}
    with running(tmp_path / "orthanc", **open_to_all) as server:
        send(write_series(PLANTED[3], tmp_path / "files"), server.dicomweb, Pacs(), Silence())
        query = way_to(server, "move").query(n_retries=1, **ALL)
        with pytest.raises(SourceError, match="must know this computer's address, AE title and port"):
            fetch(server.dimse, query, exam_folder, Silence())


def test_a_wrong_path_of_dicomweb_is_told(pacs: Orthanc, exam_folder: Path, waits: list[float]) -> None:
    """Orthanc answers elsewhere, with its own pages and errors."""
    for path in ("", "/nowhere", "/app/explorer.html", "/system"):
        with pytest.raises(SourceError, match="Check the path in `data.images`"):
            fetch(f"dicomweb://127.0.0.1:{pacs.http_port}{path}", Pacs.model_validate(ALL), exam_folder, Silence())
    assert not waits


def test_dicomweb_spoken_to_dimse_and_the_other_way_round_end_in_a_sentence(pacs: Orthanc, exam_folder: Path) -> None:
    query = Pacs.model_validate({"n_retries": 0, "timeout_seconds": 2, **ALL})
    for address in (f"pacs://ORTHANC@127.0.0.1:{pacs.http_port}", f"dicomweb://127.0.0.1:{pacs.dicom_port}/dicom-web"):
        with pytest.raises(SourceError):
            fetch(address, query, exam_folder, Silence())


def test_a_server_without_encryption_is_told(pacs: Orthanc, exam_folder: Path, waits: list[float]) -> None:
    with pytest.raises(SourceError, match="does not speak https"):
        fetch(f"dicomwebs://127.0.0.1:{pacs.http_port}/dicom-web", Pacs.model_validate(ALL), exam_folder, Silence())
    assert not waits


@pytest.mark.parametrize("content", ["doctor\nright\n", "doctor\nwrong\n", None])
def test_a_login_is_asked_for_and_used(
    content: str | None, tmp_path: Path, exam_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From a file or from the environment; it stands in no message."""
    users = {"AuthenticationEnabled": True, "RegisteredUsers": {"doctor": "right"}}
    with running(tmp_path / "orthanc", **users) as server:
        send(write_series(PLANTED[3], tmp_path / "files"), server.dimse, Pacs(), Silence())
        settings: dict[str, object] = {"n_retries": 0, **ALL}
        if content:
            login = tmp_path / "login"
            login.write_text(content)
            login.chmod(0o600)
            settings["login_file"] = str(login)
        if content is None or "wrong" in content:
            with pytest.raises(SourceError, match="asks for a user and a password") as refusal:
                fetch(server.dicomweb, Pacs.model_validate(settings), exam_folder, Silence())
            assert "doctor" not in str(refusal.value)
        else:
            assert fetch(server.dicomweb, Pacs.model_validate(settings), exam_folder, Silence()).n_instances == 1
            monkeypatch.setenv("LUCENCY_PACS_USER", "doctor")
            monkeypatch.setenv("LUCENCY_PACS_PASSWORD", "right")
            again = fetch(server.dicomweb, Pacs.model_validate(ALL), exam_folder / "again", Silence())
            assert again.n_instances == 1


@pytest.mark.parametrize(
    ("content", "mode", "words"),
    [
        ("a\nb\n", 0o644, "Others may read login"),
        ("only one line\n", 0o600, "must have two lines"),
        (None, 0, "cannot be read"),
    ],
)
def test_a_careless_login_file_is_refused(
    content: str | None, mode: int, words: str, tmp_path: Path, exam_folder: Path
) -> None:
    login = tmp_path / "login"
    if content:
        login.write_text(content)
        login.chmod(mode)
    query = Pacs.model_validate({"login_file": str(login), **ALL})
    with pytest.raises(PlanError, match=words):
        fetch("dicomweb://127.0.0.1:9/x", query, exam_folder, Silence())


def test_the_receiver_is_open_only_while_images_come(own_pacs: Orthanc, exam_folder: Path) -> None:
    """To the address by which the PACS is reached, here that of this computer itself, and to no other."""
    seen: list[tuple[bool, bool]] = []
    port = own_pacs.receiver_port
    way = way_to(own_pacs, "move")

    def look() -> None:
        seen.append((listens(port), is_bound_elsewhere(port)))

    assert not listens(port)
    fetch(way.address, way.query(**ALL), exam_folder, Listener("Fetching images", 5, look))
    assert seen == [(True, False)]
    assert not listens(port)


def test_the_receiver_takes_only_what_was_asked_for_and_only_from_the_pacs(
    own_pacs: Orthanc, exam_folder: Path, tmp_path: Path
) -> None:
    """Whoever else reaches the port is turned away by name; the PACS itself cannot plant an image of another exam."""
    (other,) = write_series(PLANTED[3], tmp_path / "other")
    header = pydicom.dcmread(other)
    header.SOPClassUID = header.file_meta.MediaStorageSOPClassUID = CTImageStorage
    refusals: list[object] = []

    def intrude() -> None:
        for calling, called in (("INTRUDER", "LUCENCY"), ("ORTHANC", "SOMEBODY"), ("ORTHANC", "LUCENCY")):
            entity = AE(calling)
            entity.add_requested_context(CTImageStorage, ExplicitVRLittleEndian)
            association = entity.associate("127.0.0.1", own_pacs.receiver_port, ae_title=called)
            refusals.append(association.send_c_store(header).Status if association.is_established else "rejected")
            association.abort()

    way = way_to(own_pacs, "move")
    fetched = fetch(way.address, way.query(**ALL), exam_folder, Listener("Fetching images", 5, intrude))
    assert refusals == ["rejected", "rejected", 0xA900]
    assert fetched.n_instances == len(stamps(exam_folder)) == 60


def test_a_taken_receiver_port_is_told(pacs: Orthanc, exam_folder: Path) -> None:
    way = way_to(pacs, "move")
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # connections of earlier tests linger
        other.bind(("127.0.0.1", pacs.receiver_port))
        other.listen()
        with pytest.raises(PlanError, match=f"Port {pacs.receiver_port} of this computer is taken"):
            fetch(way.address, way.query(**ALL), exam_folder, Silence())


def test_what_is_no_dicom_file_is_not_sent(pacs: Orthanc, tmp_path: Path) -> None:
    """Nor one whose values cannot be written, nor one that is not there."""
    (tmp_path / "notes.txt").write_text("no image")
    unwritable = Path(get_testdata_file("SC_rgb_jpeg.dcm", download=False))
    for address in (pacs.dicomweb, pacs.dimse):
        for file in (tmp_path / "notes.txt", unwritable, tmp_path / "absent.dcm"):
            with pytest.raises(SourceError, match=f"{file.name} is not a DICOM file that can be sent"):
                send([file], address, Pacs(), Silence())


def test_without_its_packages_the_extra_is_named(exam_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Most studies need no PACS, so that its packages come on request."""
    monkeypatch.setitem(__import__("sys").modules, "lucency.data.dicom.pacs.dimse", None)
    with pytest.raises(PlanError, match=r"pip install 'lucency\[pacs\]'"):
        fetch("pacs://A@127.0.0.1:104", Pacs.model_validate(ALL), exam_folder, Silence())


def stop() -> None:
    raise Interrupted("Stopped.")


def stamps(folder: Path) -> dict[str, tuple[int, int]]:
    """Return inode and time of every image."""
    return {str(file): (file.stat().st_ino, file.stat().st_mtime_ns) for file in folder.rglob("*.dcm")}


def delete(server: Orthanc, instance: str) -> None:
    """Delete an instance by Orthanc's own interface."""
    import json
    from urllib.request import Request, urlopen

    base = f"http://127.0.0.1:{server.http_port}"
    (found,) = json.load(urlopen(Request(f"{base}/tools/lookup", data=instance.encode())))
    urlopen(Request(f"{base}{found['Path']}", method="DELETE")).read()


def is_bound_elsewhere(port: int) -> bool:
    """Tell whether a port listens on another address of this computer than 127.0.0.1."""
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.2", port)) == 0
