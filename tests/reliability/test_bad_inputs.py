"""120 folders with something wrong in them: each gives right volumes, or volumes with a note, or a reason.

The files, the truth and the judge (`bad_inputs/`) share no code with lucency.
"""

from dataclasses import dataclass
from pathlib import Path

import pytest
from bad_inputs.case import Case, Expected, first_fault, first_fault_of_peer, write_alone, write_with_neighbour
from bad_inputs.cases import CASES
from bad_inputs.readers import Reading, read_folders

from lucency.data.codes import NOTES, REFUSALS

pytestmark = pytest.mark.slow

SIMPLEITK_IS_WRONG = {
    "twelve_bits_on_top": "takes the lower twelve bits",
    "rescale_of_its_own": "rounds to whole numbers",
    "ct_to_be_shown_inverted": "inverts Hounsfield units",
    "modality_table": "leaves the table out",
    "comma_in_spacing": "reads up to the comma",
    "comma_in_position_and_rescale": "reads up to the comma",
    "slice_sent_twice": "keeps both",
    "gantry_tilt": "stacks them upright",
    "uneven_spacing": "takes the mean",
    "enhanced_shuffled": "stacks the frames as they are stored",
    "copied_folder": "reads both",
    "junk_beside": "reads each folder by itself",
    "scattered_over_folders": "reads each folder by itself",
    "localizer_inside": "stacks it with the slices",
    "localizer_series": "stacks them",
    "radiographs": "stacks them",
    **dict.fromkeys(("two_acquisitions", "two_times", "two_diffusion_weightings", "two_echoes"), "makes one volume"),
    **dict.fromkeys(("two_kernels", "two_patients", "two_orientations"), "makes one volume"),
}
"""Where SimpleITK cannot vouch for the truth, with what it does."""


@dataclass(frozen=True)
class Read:
    """A case, what must come out of it, and what did."""

    expected: list[Expected]
    reading: Reading

    @property
    def fault(self) -> str:
        """What is wrong; empty where nothing is."""
        if self.reading.end:
            return f"did not come to its end: {self.reading.end} {self.reading.said[-200:]}"
        return first_fault(self.expected, self.reading.found)


@pytest.fixture(scope="module")
def read_cases(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Read]:
    """Write all cases, each with a healthy neighbour, and read them."""
    top = tmp_path_factory.mktemp("bad")
    expected = {}
    for case in CASES:
        (top / case.name).mkdir()
        expected[case.name] = write_with_neighbour(case, top / case.name)
    readings = read_folders("lucency", {case.name: top / case.name for case in CASES}, top / "results")
    return {name: Read(expected[name], readings[name]) for name in expected}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_bad_input_has_the_right_outcome(case: Case, read_cases: dict[str, Read]):
    """A volume at its place in the patient, or a refusal for a right reason; the neighbour is never harmed."""
    assert not read_cases[case.name].fault, case.wrong


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_no_code_or_message_names_the_patient(case: Case, read_cases: dict[str, Read]):
    """Codes go into tables and reports, what is said goes into logs."""
    reading = read_cases[case.name].reading
    said = reading.said + repr([(one.code, one.notes) for one in reading.found])
    assert not [word for word in case.person.words if word in said]
    assert not reading.said, "a remark of a library, which may quote the header"


def test_every_code_and_note_is_explained(read_cases: dict[str, Read]):
    """An outcome is a volume or one of the documented reasons, and its notes are documented."""
    for read in read_cases.values():
        for one in read.reading.found:
            assert (one.values is None) == (one.code in REFUSALS)
            assert set(one.notes) <= set(NOTES)


def test_nothing_deceives_in_silence(read_cases: dict[str, Read]):
    """A wrong volume without a word is the one fault that nobody would find."""
    assert not {name: read.fault for name, read in read_cases.items() if read.fault.startswith("silent")}


def test_every_bad_input_has_the_right_outcome(read_cases: dict[str, Read], tally):
    """The count that the documentation shows."""
    assert len(read_cases) == 120
    tally("bad inputs with the right outcome", sum(not read.fault for read in read_cases.values()), 120)


def test_simpleitk_agrees_with_the_truth(tmp_path: Path):
    """An independent reader vouches for the files and the truth; where it cannot, the reason is known."""
    cases = [case for case in CASES if case.group not in ("hostile", "container")]
    expected, folders = {}, {case.name: tmp_path / case.name for case in cases}
    for case in cases:
        folders[case.name].mkdir()
        expected[case.name] = write_alone(case, folders[case.name])
    has_truth = {name for name, each in expected.items() if all(one.truth is not None for one in each)}
    readings = read_folders("SimpleITK", {name: folders[name] for name in has_truth}, tmp_path / "results")
    faults = {
        name: first_fault_of_peer(expected[name], reading.found, bool(reading.end))
        for name, reading in readings.items()
    }
    assert {name for name, fault in faults.items() if fault == "silent"} <= set(SIMPLEITK_IS_WRONG)
    assert sum(not fault for fault in faults.values()) >= 55
