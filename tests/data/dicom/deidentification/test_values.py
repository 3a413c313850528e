"""Single values under de-identification: coded strings, moved times, initials in technical texts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lucency.data.dicom.deidentification.pseudonyms import Offset, Pseudonyms
from lucency.data.dicom.deidentification.terms import is_term
from lucency.data.dicom.deidentification.text import Identifiers, names_somebody, scrub
from lucency.data.dicom.deidentification.values import checked_number, shifted


@pytest.mark.parametrize(
    "term",
    [
        "ORIGINAL",
        "PRIMARY",
        "AXIAL",
        "YBR_FULL_422",
        "PALETTE COLOR",
        "ISO_10918_1",
        "CT_SOM5 SPI",
        "DIS2D",
        "FAST_GEMS",
        "",
    ],
)
def test_a_term_of_the_trade_passes(term):
    """Defined terms, and what manufacturers make of them, tell how to read the image."""
    assert is_term(term)


@pytest.mark.parametrize("name", ["MILLER", "MARY MILLER", "CHEST_MILLER", "MILLER2"])
def test_a_word_that_no_term_contains_does_not_pass(name):
    """Technicians type into every field that lets them."""
    assert not is_term(name)


def test_only_the_part_that_is_no_term_is_taken_out():
    """The first three values of ImageType are needed to tell an image from a localizer."""
    kind = checked_number(0x00080008, "CS", b"ORIGINAL\\PRIMARY\\AXIAL\\MILLER")
    assert kind == b"ORIGINAL\\PRIMARY\\AXIAL\\REMOVED"
    assert checked_number(0x00180015, "CS", b"MILLER") == b"REMOVED"


@pytest.mark.parametrize(
    ("vr", "before", "after"),
    [
        ("DA", "20200301", "20200131"),
        ("TM", "101530.25", "085530.25"),
        ("TM", "10:15:30", "085530"),
        ("TM", "1015", "0855"),
        ("TM", "10", "08"),
        ("TM", "000500", "224500"),
        ("DT", "20200301101530.25", "20200131085530.25"),
        ("DT", "20200301", "20200131"),
        ("DT", "20200301101530+0100", "20200131085530"),
    ],
)
def test_dates_and_times_move_by_the_patients_offset(vr, before, after):
    """The exact time of an exam finds the patient in any archive; as precise as before, it still orders the images."""
    assert shifted(vr, before, Offset(days=30, minutes=80)) == after


@given(st.binary(min_size=32, max_size=32), st.text(max_size=20))
def test_the_offset_is_never_nothing_and_never_more_than_a_year_and_three_hours(key, identity):
    """A patient whose dates stayed would be told by them."""
    offset = Pseudonyms(key).offset(identity)
    assert 1 <= offset.days <= 365
    assert 1 <= offset.minutes <= 180


def test_initials_in_a_technical_text_are_found_only_with_dots():
    """Coils and filters are full of two letters that mean something else."""
    patient = Identifiers(names=frozenset({"MILLER^BODIL"}))
    assert names_somebody("coil of B.M.", patient)
    assert not names_somebody("BM 32", patient)


def test_a_uid_in_a_text_is_taken_out():
    """A comment may say which other image to look at, and the archive knows whose it is."""
    assert scrub("see image 1.2.826.0.1.3680043.10.154.31965163258227.", Identifiers())[0] == "see image [number]."
    assert scrub("measures 1.2 x 3.4 cm, section 1.2.3", Identifiers())[0] == "measures 1.2 x 3.4 cm, section 1.2.3"


def test_initials_that_are_a_word_of_the_trade_are_found_with_dots():
    """RV is the right ventricle; R.V. is Rosalind Vane."""
    patient = Identifiers(names=frozenset({"VANE^ROSALIND"}))
    assert scrub("RV dilated, informed R.V.", patient)[0] == "RV dilated, informed [removed]"
    assert names_somebody("coil R.V.", patient)
