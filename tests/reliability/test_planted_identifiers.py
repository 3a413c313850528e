"""PHI-2000: `lucency deidentify` against 2,150 planted identifiers, as a stranger would run it.

One seed is public; the other is fresh and part of the name of each test: another one each run, or, in continuous
integration, for each change of the cleaner, so that a run can be repeated. PLANTED_SEED sets it.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from planted_identifiers import utility
from planted_identifiers.folder import Folder
from planted_identifiers.generator import COUNTS, N_PLANTED, PUBLIC_SEED, plant
from planted_identifiers.leaks import find_leaks
from planted_identifiers.mint import Mint
from planted_identifiers.outputs import Output, read_outputs
from planted_identifiers.table import EDITION

import lucency.data.dicom.deidentification
from lucency.data.phantoms.cohort import write_cohort
from lucency.data.phantoms.people import INSTITUTIONS, PHYSICIANS, STATIONS, invent_people

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::UserWarning:pydicom")]

CLEANER = Path(lucency.data.dicom.deidentification.__file__).parent


def fresh_seed() -> int:
    if "PLANTED_SEED" in os.environ:
        return int(os.environ["PLANTED_SEED"])
    code = b"".join(path.read_bytes() for path in sorted(CLEANER.glob("*.py")))
    return int.from_bytes(hashlib.sha256(code).digest()[:4])


SEEDS = {"the public seed": PUBLIC_SEED, "a fresh seed": fresh_seed()}
SHARE_OF_VALUES = 0.995
N_CLEAN, N_LINKED, N_REPORTS, N_MASKED = 40, 20, 15, 16
ACCOUNT = "deidentification.json"


@dataclass(frozen=True)
class Cleaned:
    """A planted folder, and what the command made of it."""

    seed: str
    folder: Folder
    out: Path
    key: Path
    outputs: list[Output]


@pytest.fixture(scope="module", params=SEEDS, ids=[f"{name} {seed}" for name, seed in SEEDS.items()])
def cleaned(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Cleaned:
    place = tmp_path_factory.mktemp("planted")
    folder = plant(SEEDS[request.param], place / "in")
    printed = deidentify(folder.path, place / "out", place / "secret" / "key")
    return Cleaned(
        request.param, folder, place / "out", place / "secret" / "key", read_outputs(folder, place / "out", printed)
    )


def deidentify(source: Path, out: Path, key: Path, *options: str) -> bytes:
    """Run the command; return what it printed."""
    if (
        "CI" in os.environ and not key.exists()
    ):  # a new UID or date can equal a planted one by chance: repeat the chance
        key.parent.mkdir(0o700, exist_ok=True)
        key.write_text(hashlib.sha256(key.name.encode()).hexdigest())
        key.chmod(0o600)
    command = [sys.executable, "-m", "lucency", "deidentify", str(source), str(out), "--key", str(key), *options]
    done = subprocess.run(command, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    # the folder of the results is named by the user, who may name it as she likes
    return (done.stdout + done.stderr).replace(str(out).encode(), b"OUT")


def test_no_planted_identifier_comes_through(cleaned: Cleaned, tally):
    """One that does is named here with its class, its attribute and the output in which it was found."""
    leaks = find_leaks(cleaned.folder, cleaned.outputs)
    counted = [leak for leak in leaks if leak.planted.group != "bystander"]
    assert not [str(leak) for leak in leaks if leak not in counted]
    assert not [str(leak) for leak in counted]
    tally(f"planted identifiers not found in any output ({cleaned.seed})", N_PLANTED - len(counted), N_PLANTED)


def test_every_file_is_accounted_for(cleaned: Cleaned, tally):
    """A file that vanishes in silence is missed in the study, and nobody knows."""
    whole_account = json.loads((cleaned.out / ACCOUNT).read_text())
    assert whole_account["edition"] >= EDITION
    account = whole_account["files"]
    n_files = sum(path.is_file() for path in cleaned.folder.path.rglob("*"))
    written = [row["output"] for row in account if row["fate"] == "written"]
    assert len({row["file"] for row in account}) == len(account)
    assert all(row["code"] for row in account if row["fate"] != "written")
    images = {str(path.relative_to(cleaned.out)) for path in cleaned.out.rglob("*.dcm")}
    assert images <= set(written)
    assert all((cleaned.out / output).is_file() for output in written)
    tally(f"de-identified files accounted for ({cleaned.seed})", len(account), n_files)


def test_burned_in_words_are_removed_or_held_back(cleaned: Cleaned, tally):
    """Scored by the mask of the letters, not by another reader of text."""
    counts = utility.count_drawn_words(cleaned.folder, cleaned.outputs)
    assert counts["removed with too much"] == 0
    n_safe = counts["held back"] + counts["removed"]
    tally(f"burned-in text removed or quarantined ({cleaned.seed})", n_safe, sum(counts.values()))


def test_reports_and_safe_private_elements_can_be_kept_without_a_leak(tmp_path: Path, tally):
    """By default structured reports are refused and private elements removed; whoever keeps them keeps no identifier."""
    folder = plant(PUBLIC_SEED, tmp_path / "in")
    shutil.rmtree(folder.path / "burned-in")
    options = ("--set", "structured=clean", "--set", "private=safe", "--set", "burned_in=ignore")
    printed = deidentify(folder.path, tmp_path / "out", tmp_path / "secret" / "key", *options)
    outputs = read_outputs(folder, tmp_path / "out", printed)
    leaks = find_leaks(folder, outputs)
    assert not [str(leak) for leak in leaks]
    assert sum(output.origin is not None and output.dataset.Modality == "SR" for output in outputs) == N_REPORTS
    assert utility.find_unresolved_links(folder, outputs) == []
    n_looked_for = N_PLANTED - COUNTS["burned-in"]
    tally(
        "planted identifiers not found, reports and safe private elements kept", n_looked_for - len(leaks), n_looked_for
    )


def test_masking_covers_the_letters_and_nothing_else(tmp_path: Path, tally):
    """Where the plan asks for masks, a written image has all letters covered; one that is not sure is held back.

    One still image of each kind, size and turn of letters; looking for text in all of them would take many minutes.
    """
    folder = plant(PUBLIC_SEED, tmp_path / "in")
    drawn = [
        planted.file for planted in folder.planted if planted.group == "burned-in" and "multiframe" not in planted.place
    ]
    (tmp_path / "drawn").mkdir()
    for file in drawn[:N_MASKED]:
        shutil.copy(folder.path / file, tmp_path / "drawn")
    printed = deidentify(tmp_path / "drawn", tmp_path / "out", tmp_path / "secret" / "key", "--set", "burned_in=mask")
    counts = utility.count_drawn_words(folder, read_outputs(folder, tmp_path / "out", printed))
    assert counts["removed with too much"] == 0
    assert counts["removed"] >= N_MASKED // 2
    tally("burned-in text masked exactly or quarantined", N_MASKED - counts["left"], N_MASKED)


def test_clean_pixels_stay_equal(cleaned: Cleaned, tally):
    """Not one grey level of an image without letters may change, and none of the plain ones may be held back."""
    assert utility.find_changed_pixels(cleaned.folder, cleaned.outputs) == []
    tally(
        f"clean images with equal pixels ({cleaned.seed})", *utility.count_equal_pixels(cleaned.folder, cleaned.outputs)
    )


def test_technical_values_stay(cleaned: Cleaned):
    """An image without spacing, rescale or kernel is of no use to a study."""
    n_kept, n_all = utility.count_kept_values(cleaned.folder, cleaned.outputs)
    assert n_kept >= SHARE_OF_VALUES * n_all, f"{n_kept} of {n_all}"


def test_intervals_between_exams_stay_to_the_day(cleaned: Cleaned, tally):
    """Each patient has one offset, for all dates and all exams."""
    assert utility.find_inconsistent_dates(cleaned.folder, cleaned.outputs) == []
    tally(f"date intervals kept ({cleaned.seed})", *utility.count_kept_intervals(cleaned.folder, cleaned.outputs))


def test_ages_above_ninety_are_not_told(cleaned: Cleaned):
    """There are so few of them that the age alone may name a person."""
    assert utility.find_high_ages(cleaned.outputs) == []


def test_every_written_file_can_be_read(cleaned: Cleaned):
    """A file that is cut or garbled was not cleaned but lost."""
    assert utility.find_unreadable(cleaned.outputs) == []


def test_what_was_linked_stays_linked(cleaned: Cleaned):
    """The same old UID gives the same new one in every file, so that references find their images."""
    assert utility.find_unresolved_links(cleaned.folder, cleaned.outputs) == []


def test_every_written_file_says_how_it_was_deidentified(cleaned: Cleaned):
    """PS3.15 E.1.1 demands it: (0012,0062), (0012,0063) and (0012,0064)."""
    assert utility.find_unmarked(cleaned.outputs) == []


@pytest.mark.skipif(shutil.which("dciodvfy") is None, reason="dciodvfy (dicom3tools) is not installed")
def test_a_clean_image_is_as_valid_as_before(cleaned: Cleaned):
    """An empty value where one must stand makes other programs refuse the image."""
    assert utility.find_new_errors(cleaned.folder, cleaned.outputs) == []


def test_the_same_key_gives_the_same_bytes_and_another_key_other_uids(tmp_path: Path):
    """A cohort can grow over the years only if a patient stays the same patient."""
    folder = plant(PUBLIC_SEED, tmp_path / "planted")
    source = tmp_path / "in"
    for group in ("clean", "uids"):
        shutil.copytree(folder.path / group, source / group)
    keys = {"first": "key", "again": "key", "other": "other key"}
    for out, key in keys.items():
        deidentify(source, tmp_path / out, tmp_path / "secret" / key, "--set", "burned_in=ignore")
    first, again, other = (utility.tree(tmp_path / out) for out in keys)
    assert sum(name.endswith(".dcm") for name in first) == N_CLEAN + N_LINKED
    assert first == again
    uids = [_uids(read_outputs(folder, tmp_path / out)) for out in ("first", "other")]
    assert not uids[0] & uids[1]
    assert not {name for name in first if name in other and name.endswith(".dcm")}


def _uids(outputs: list[Output]) -> set[str]:
    return {
        output.dataset[attribute].value
        for output in outputs
        if output.dataset
        for attribute in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID")
    }


def test_nobody_of_the_demonstration_is_named(tmp_path: Path):
    """The made-up cohort holds names in headers, in radiology reports and in tables."""
    seed, n_patients = 7, 24
    write_cohort(tmp_path / "cohort", seed, n_patients, image_size=64)
    printed = deidentify(tmp_path / "cohort", tmp_path / "out", tmp_path / "secret" / "key")
    outputs = read_outputs(Folder(tmp_path / "cohort", Mint(0)), tmp_path / "out", printed)
    assert sum(output.dataset is not None for output in outputs) > n_patients
    everything = b"\n".join(view.lower() for output in outputs for _, view in output.views)
    assert [name for name in _names(seed, n_patients) if name.lower().encode() in everything] == []


def _names(seed: int, n_patients: int) -> set[str]:
    """Return all that names somebody or some place: whole names for those that are ordinary words too."""
    people = invent_people(seed, n_patients)
    names = {part for person in people for part in (*person.name.split("^"), person.patient_id)}
    names |= {part for physician in PHYSICIANS for part in physician.split("^") if len(part) > len("Koru")}
    return names | {*INSTITUTIONS.values(), *STATIONS.values()}
