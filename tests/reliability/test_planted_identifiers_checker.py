"""The checker of PHI-2000 sees every planted identifier, in every class, and under every disguise."""

import pkgutil
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest
from dicomanonymizer import dicom_anonymization_databases
from planted_identifiers import mock_cleaners
from planted_identifiers.folder import Folder
from planted_identifiers.generator import COUNTS, N_PLANTED, PUBLIC_SEED, plant
from planted_identifiers.leaks import find_leaks
from planted_identifiers.mint import Mint, tell_day
from planted_identifiers.outputs import Output, read_original, read_outputs
from planted_identifiers.table import EDITION
from planted_identifiers.utility import (
    count_drawn_words,
    count_equal_pixels,
    count_kept_intervals,
    count_kept_values,
    find_inconsistent_dates,
    find_unresolved_links,
)

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::UserWarning:pydicom")]


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    return plant(PUBLIC_SEED, tmp_path_factory.mktemp("planted") / "in")


def count_leaks(folder: Folder, outputs: list[Output]) -> Counter[str]:
    counts = Counter(leak.planted.group for leak in find_leaks(folder, outputs))
    del counts["bystander"]
    return counts


def test_every_planted_identifier_is_in_the_input(planted: Folder, tmp_path: Path, tally):
    """What cannot be found where it certainly is would not be found in an output either."""
    mock_cleaners.copy_everything(planted, tmp_path / "out")
    counts = count_leaks(planted, read_outputs(planted, tmp_path / "out"))
    assert counts == COUNTS
    tally("planted identifiers found by the checker when nothing is cleaned", sum(counts.values()), N_PLANTED)


@pytest.mark.parametrize("group", COUNTS)
def test_a_cleaner_that_forgets_one_class_is_caught_with_all_of_it_and_nothing_else(planted, group, tmp_path):
    """Tokens are unique, so that a leak names its class."""
    mock_cleaners.copy_class(planted, tmp_path / "out", group)
    assert count_leaks(planted, read_outputs(planted, tmp_path / "out")) == {group: COUNTS[group]}


@pytest.mark.parametrize("disguise", mock_cleaners.DISGUISES)
def test_a_word_is_found_under_every_disguise(planted: Folder, disguise: str, tmp_path: Path):
    """Logs, caches and archives leak as well as images do."""
    word = next(one for one in planted.planted if one.group == "names").forms[0]
    mock_cleaners.DISGUISES[disguise](word, tmp_path / "trace")
    leaks = find_leaks(planted, read_outputs(planted, tmp_path))
    assert [leak.planted.forms[0] for leak in leaks] == [word]


def test_a_word_that_is_printed_is_found(planted: Folder, tmp_path: Path):
    """An error message on the terminal ends up in somebody's log."""
    word = next(one for one in planted.planted if one.group == "names").forms[0]
    leaks = find_leaks(planted, read_outputs(planted, tmp_path, printed=f"cannot read {word}.dcm".encode()))
    assert [(leak.output, leak.planted.forms[0]) for leak in leaks] == [("(printed)", word)]


def test_a_cleaner_that_writes_nothing_leaks_nothing_and_keeps_nothing(planted: Folder, tmp_path: Path):
    """Holding everything back must not look like a success."""
    outputs = read_outputs(planted, tmp_path)
    assert find_leaks(planted, outputs) == []
    assert count_equal_pixels(planted, outputs) == (0, 40)
    assert count_kept_values(planted, outputs)[0] == 0
    assert count_drawn_words(planted, outputs)["held back"] == COUNTS["burned-in"]


def test_a_copy_keeps_everything(planted: Folder, tmp_path: Path):
    """The counts of utility are right where nothing was changed."""
    mock_cleaners.copy_everything(planted, tmp_path / "out")
    outputs = read_outputs(planted, tmp_path / "out")
    n_kept, n_all = count_kept_values(planted, outputs)
    assert n_kept == n_all > 5000
    assert count_equal_pixels(planted, outputs) == (40, 40)
    n_kept, n_all = count_kept_intervals(planted, outputs)
    assert n_kept == n_all == 40
    assert count_drawn_words(planted, outputs)["left"] == COUNTS["burned-in"]


def test_the_same_seed_gives_the_same_files_and_another_gives_others(planted: Folder, tmp_path: Path):
    """A leak can be looked into only if its files can be made again."""
    again, other = plant(PUBLIC_SEED, tmp_path / "again"), plant(PUBLIC_SEED + 1, tmp_path / "other")
    assert [one.forms for one in again.planted] == [one.forms for one in planted.planted]
    contents = [
        {path.relative_to(folder.path): path.read_bytes() for path in folder.path.rglob("*") if path.is_file()}
        for folder in (planted, again, other)
    ]
    assert contents[0] == contents[1] != contents[2]
    words = [{form for one in folder.planted if not one.is_short for form in one.forms} for folder in (planted, other)]
    assert len(words[0] & words[1]) < 100  # dates may recur


@pytest.fixture
def two_exams(tmp_path: Path) -> Folder:
    """One patient, two exams, whose dates are planted."""
    folder = Folder(tmp_path / "in", Mint(1))
    person = folder.new_person()
    for n_exam in (0, 1):
        draft = folder.draft("dates", person, n_exam)
        folder.plant(draft, "(0008,0020) DA", tell_day(person.exams[n_exam].day))
        folder.write(draft)
    return folder


def write_moved(folder: Folder, out: Path, days: tuple[int, int], uid: str = "") -> list[Output]:
    """Move the dates of both exams, and nothing else; with a UID, give it to the second exam."""
    out.mkdir()
    for origin, n_days, study_uid in zip(folder.inputs.values(), days, ("", uid), strict=True):
        dataset = read_original(folder, origin)
        for attribute in ("StudyDate", "SeriesDate", "ContentDate"):
            setattr(dataset, attribute, f"{origin.study_day + timedelta(days=n_days):%Y%m%d}")
        dataset.StudyInstanceUID = study_uid or dataset.StudyInstanceUID
        dataset.save_as(out / f"{origin.number}.dcm")
    return read_outputs(folder, out)


def test_a_date_that_another_one_was_moved_onto_is_no_leak(two_exams: Folder, tmp_path: Path):
    """The second exam may come to stand on the true day of the first, which tells nobody anything."""
    first, second = (origin.study_day for origin in two_exams.inputs.values())
    interval = (second - first).days
    assert count_leaks(two_exams, write_moved(two_exams, tmp_path / "moved", (-interval, -interval)))["dates"] == 0
    assert count_leaks(two_exams, write_moved(two_exams, tmp_path / "kept", (0, -5)))["dates"] == 1


def test_a_patient_with_two_offsets_is_noticed(two_exams: Folder, tmp_path: Path):
    """A follow-up after 91 days must not become one after 90."""
    same, other = (write_moved(two_exams, tmp_path / str(days), (-40, days)) for days in (-40, -41))
    assert count_kept_intervals(two_exams, same) == (1, 1)
    assert count_kept_intervals(two_exams, other) == (0, 1)
    assert find_inconsistent_dates(two_exams, same) == []
    assert find_inconsistent_dates(two_exams, other) == [list(two_exams.inputs.values())[1].file]


def test_two_exams_under_one_new_uid_are_noticed(two_exams: Folder, tmp_path: Path):
    """Exams that were apart must not be one afterwards, nor one exam two."""
    uid = read_original(two_exams, next(iter(two_exams.inputs.values()))).StudyInstanceUID
    assert find_unresolved_links(two_exams, write_moved(two_exams, tmp_path / "apart", (-1, -1))) == []
    assert find_unresolved_links(two_exams, write_moved(two_exams, tmp_path / "merged", (-1, -1), uid)) != []


def test_the_table_is_not_more_than_one_edition_old():
    """PS3.15 gains rows every year; what is not planted is not looked for."""
    editions = sorted(
        module.name.removeprefix("dicomfields_")
        for module in pkgutil.iter_modules(dicom_anonymization_databases.__path__)
        if module.name.startswith("dicomfields_2")
    )
    assert EDITION in editions[-2:]
