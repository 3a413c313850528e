"""The study folder and its record."""

import json
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lucency.errors import PlanError, RecordError, SealError, StorageError
from lucency.provenance import Record, atomic_file, write_atomically
from lucency.study.folder import StudyFolder, refuse_sealed


def begin(path: Path) -> StudyFolder:
    folder = StudyFolder(path)
    folder.path.mkdir(parents=True, exist_ok=True)
    return folder


def test_a_stage_is_done_once(tmp_path: Path) -> None:
    """A second run does nothing."""
    folder = begin(tmp_path / "study")
    calls = []

    def work(key: str) -> list[str]:
        calls.append(key)
        return [folder.write("a.txt", "content")]

    assert folder.stage("one", {"x": 1}, [], work)
    assert not folder.stage("one", {"x": 1}, [], work)
    assert not StudyFolder(folder.path).stage("one", {"x": 1}, [], work)
    assert len(calls) == 1


def test_a_changed_setting_or_file_redoes_only_what_depends_on_it(tmp_path: Path) -> None:
    """Stages are keyed by settings and by the content of what they read."""
    folder = begin(tmp_path / "study")

    def carry_out(x: int, y: int) -> list[bool]:
        return [
            folder.stage("first", x, [], lambda _: [folder.write("first.txt", str(x // 2))]),
            folder.stage("second", y, ["first.txt"], lambda _: [folder.write("second.txt", str(y))]),
        ]

    assert carry_out(2, 1) == [True, True]
    assert carry_out(2, 2) == [False, True]
    assert carry_out(3, 2) == [True, False]  # the first stage was redone but wrote the same
    assert carry_out(4, 2) == [True, True]


def test_a_changed_output_is_made_again(tmp_path: Path) -> None:
    """An edited or deleted table must not live on."""
    folder = begin(tmp_path / "study")
    folder.stage("one", 1, [], lambda _: [folder.write("a.txt", "right")])
    (folder.path / "a.txt").write_text("wrong")
    assert folder.stage("one", 1, [], lambda _: [folder.write("a.txt", "right")])
    (folder.path / "a.txt").unlink()
    assert folder.stage("one", 1, [], lambda _: [folder.write("a.txt", "right")])


def test_a_stage_that_fails_leaves_no_entry(tmp_path: Path) -> None:
    """What did not end well is done again."""
    folder = begin(tmp_path / "study")

    def fail(_key: str) -> list[str]:
        raise ValueError

    with pytest.raises(ValueError):  # noqa: PT011 - our own, from two lines above
        folder.stage("one", 1, [], fail)
    assert not folder.record.entries


def test_the_seal_holds_until_an_opening(tmp_path: Path) -> None:
    """The test part is for the evaluation alone, and every opening is written down."""
    folder = begin(tmp_path / "study")
    with pytest.raises(SealError):
        refuse_sealed("test", None)
    with pytest.raises(SealError):
        folder.last_opening()
    refuse_sealed("tuning", None)
    opening = folder.open_test_set("key one")
    refuse_sealed("test", opening)
    assert opening.n_openings == 1
    assert folder.open_test_set("key one").n_openings == 1  # the same evaluation, interrupted and resumed
    assert folder.open_test_set("key two").n_openings == 2
    assert StudyFolder(folder.path).n_openings() == 2


def test_a_foreign_folder_is_refused(tmp_path: Path) -> None:
    """A study never mixes with other files."""
    (tmp_path / "holiday.jpg").write_text("x")
    with pytest.raises(PlanError, match="not a study folder"), StudyFolder(tmp_path).in_use():
        pass


def test_two_at_once_are_refused(tmp_path: Path) -> None:
    """Two programs writing one record would break its chain."""
    with StudyFolder(tmp_path / "s").in_use(), pytest.raises(PlanError, match="Another lucency"):  # noqa: SIM117
        with StudyFolder(tmp_path / "s").in_use():
            pass


@dataclass(frozen=True)
class Line:
    """A row with every type that tables hold."""

    name: str
    number: int


@given(st.lists(st.tuples(st.text(alphabet=st.characters(exclude_categories=["Cs", "Cc"])), st.integers()), min_size=1))
def test_tables_read_back_as_written(tmp_path_factory: pytest.TempPathFactory, values: list[tuple[str, int]]) -> None:
    """Whatever a label or a site is called, its table says the same when it is read."""
    folder = StudyFolder(tmp_path_factory.mktemp("study"))
    rows = [Line(*value) for value in values]
    folder.write_rows("t.csv", rows)
    assert folder.read_rows("t.csv", Line) == rows


def test_a_cell_cannot_become_a_formula(tmp_path: Path) -> None:
    """A file name such as =HYPERLINK(…) must stay a text in a spreadsheet."""
    folder = begin(tmp_path)
    folder.write_rows("t.csv", [Line("=1+1", -3)])
    assert (folder.path / "t.csv").read_text().splitlines()[1] == "'=1+1,-3"


def chain(path: Path, n: int = 6) -> Record:
    record = Record(path)
    for number in range(n):
        record.append("event", number=number, text="µ")
    return record


def test_the_record_reads_back(tmp_path: Path) -> None:
    """The chain goes on where it ended."""
    record = chain(tmp_path / "r.jsonl")
    assert Record(record.path).entries == record.entries
    assert Record(record.path).head == record.head


@given(st.data())
def test_any_edit_of_the_record_is_noticed(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    """Flip a byte, delete, repeat or swap lines: the chain breaks."""
    record = chain(tmp_path_factory.mktemp("record") / "r.jsonl")
    content = record.path.read_bytes()
    lines = content.splitlines(keepends=True)
    kind = data.draw(st.sampled_from(["flip", "delete", "repeat", "swap"]))
    if kind == "flip":
        place = data.draw(st.integers(0, len(content) - 2))
        bit = data.draw(st.integers(0, 7))
        changed = content[:place] + bytes([content[place] ^ (1 << bit)]) + content[place + 1 :]
    else:
        i = data.draw(st.integers(0, len(lines) - 2))
        if kind == "delete":
            del lines[i]
        elif kind == "repeat":
            lines.insert(i + 1, lines[i])
        else:
            lines[i], lines[i + 1] = lines[i + 1], lines[i]
        changed = b"".join(lines)
    record.path.write_bytes(changed)
    try:
        survivor = Record(record.path)
    except RecordError:
        return
    # the only edit that a chain cannot see by itself is a lost tail; the head code in the report shows that one
    assert survivor.entries == record.entries[: len(survivor.entries)]
    assert survivor.head != record.head


def test_a_torn_last_line_is_dropped(tmp_path: Path) -> None:
    """A crash in the middle of an append leaves a valid prefix."""
    record = chain(tmp_path / "r.jsonl", 3)
    whole = record.path.read_bytes()
    record.path.write_bytes(whole + b'{"n":3,"time":"20')
    again = Record(record.path)
    assert len(again.entries) == 3
    again.append("event", number=3)
    assert len(Record(record.path).entries) == 4


def test_a_failed_write_keeps_the_old_file(tmp_path: Path) -> None:
    """At any moment the old or the new content is there, never half of one."""
    path = tmp_path / "a.txt"
    write_atomically(path, "old")

    def half() -> None:
        with atomic_file(path) as file:
            file.write(b"ne")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        half()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_full_disk_is_told_in_a_sentence() -> None:
    """/dev/full is a disk that is always full."""
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("this system has no /dev/full")
    from lucency.provenance import storage_errors

    def fill() -> None:
        with storage_errors(Path("weights.safetensors")), full.open("w") as file:
            file.write("x" * 100_000)

    with pytest.raises(StorageError, match="disk is full"):
        fill()


def test_json_in_the_folder_is_plain(tmp_path: Path) -> None:
    """NaN is not JSON, and must not be written as if it were."""
    folder = begin(tmp_path)
    folder.write_json("a.json", {"x": 1})
    assert json.loads((tmp_path / "a.json").read_text()) == {"x": 1}
    with pytest.raises(ValueError, match="not JSON compliant"):
        folder.write_json("b.json", {"x": float("nan")})
