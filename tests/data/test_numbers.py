"""Numbers as people write them: each cell ends as a value, a value with a note, or a refusal with a code."""

import csv
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lucency.data.codes import NOTES, REFUSALS
from lucency.data.ground_truth.numbers import Column, as_target, numbers_from_table, read_number, read_numbers
from lucency.data.naming import SAME_NAMES
from lucency.domain.cohort import CohortRow
from lucency.domain.labels_plan import Labels
from lucency.errors import SourceError

COMMA = Column(has_decimal_comma=True)
BOTH = Column(has_decimal_comma=True, has_decimal_point=True)


@pytest.mark.parametrize(
    ("cell", "value", "notes"),
    [
        ("12", 12, ()),
        (" 12.50 ", 12.5, ()),
        ("-3", -3, ()),
        ("−3", -3, ()),
        ("+4", 4, ()),
        (".5", 0.5, ()),
        ("3.4e2", 340, ()),
        ("3.4E−2", 0.034, ()),
        ("12,5", 12.5, ("N_LABEL_COMMA",)),
        ("0,123", 0.123, ("N_LABEL_COMMA",)),
        ("1.234,5", 1234.5, ("N_LABEL_COMMA", "N_LABEL_THOUSANDS")),
        ("1,234.5", 1234.5, ("N_LABEL_THOUSANDS",)),
        ("1.234.567", 1234567, ("N_LABEL_THOUSANDS",)),
        ("1 234,5", 1234.5, ("N_LABEL_COMMA", "N_LABEL_THOUSANDS")),
        ("1'234.5", 1234.5, ("N_LABEL_THOUSANDS",)),
        ("1\u202f234", 1234, ("N_LABEL_THOUSANDS",)),
        ("5 mm²", 5, ("N_LABEL_UNIT",)),
        ("3,5ml", 3.5, ("N_LABEL_COMMA", "N_LABEL_UNIT")),
        ("62 %", 62, ("N_LABEL_UNIT",)),
        ("1.2 g/cm3", 1.2, ("N_LABEL_UNIT",)),
    ],
)
def test_a_number_is_read_as_it_is_meant(cell, value, notes):
    """Decimal commas, digits in groups and units are put right, and each repair has its note."""
    said = read_number(cell)
    assert (said.value, said.code, set(said.notes)) == (value, "", set(notes))
    assert set(said.notes) <= NOTES.keys()


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        *((text, "E_NO_LABEL") for text in ("", "  ", "NA", "n/a", "NaN", "null")),
        *((text, "E_NOT_FINITE") for text in ("inf", "-Infinity", "∞", "1e999")),
        *((text, "E_NOT_A_NUMBER") for text in ("<5", "> 5", "~5", "ca. 5", "5-7", "5–7", "5 ± 1", "1/2", "large")),
        *(
            (text, "E_NOT_A_NUMBER")
            for text in ("12 34", "1.2.3", "1,2,3", "1_000", "0x10", "٣", "5 mm x 3 mm", "5;3", "--5")
        ),
        ("1,234", "E_COMMA_UNCLEAR"),
    ],
)
def test_what_is_no_single_number_is_refused(cell, code):
    """Nothing is guessed: below a limit of detection, ranges, two numbers, words."""
    said = read_number(cell)
    assert said.code == code
    assert math.isnan(said.value)
    assert code in REFUSALS


@pytest.mark.parametrize(
    ("cell", "column", "value"),
    [
        ("1,234", COMMA, 1.234),
        ("1,234", BOTH, None),
        ("1.234", COMMA, None),
        ("1.234", Column(), 1.234),
        ("1.234", Column(has_decimal_point=True), 1.234),
        ("0.234", COMMA, 0.234),
        ("12.34", COMMA, 12.34),
    ],
)
def test_the_column_tells_what_three_digits_behind_a_comma_are(cell, column, value):
    """1,234 is 1.234 where all others write decimal commas, and 1.234 may be 1234 there."""
    said = read_number(cell, column)
    assert said.code == ("" if value else "E_COMMA_UNCLEAR")
    assert value is None or said.value == value


def test_a_column_tells_how_it_writes_decimals():
    """One cell that can be read in one way only tells all others."""
    assert [one.value for one in read_numbers(["12,5", "1,234"], "", "size")] == [12.5, 1.234]
    assert [one.code for one in read_numbers(["12,5", "12.5", "1,234", "1.234"], "", "size")] == [
        *("", ""),
        *["E_COMMA_UNCLEAR"] * 2,
    ]


def test_another_unit_is_set_aside_and_never_converted():
    """5 cm² are not 5 mm²; ² and 2 are one way of writing."""
    said = read_numbers(["5 mm²", "5 mm2", "5", "5 cm²"], "mm²", "size")
    assert [one.code for one in said] == ["", "", "", "E_OTHER_UNIT"]


def test_several_units_need_the_plan_to_choose():
    """Without a unit in the plan, nobody knows which of two counts."""
    with pytest.raises(SourceError, match=r"regression\.unit"):
        read_numbers(["5 mm", "5 cm"], "", "size")


def test_a_column_of_classes_is_refused_as_a_whole():
    """Who names the wrong column learns it at once, and not by a cohort without labels."""
    with pytest.raises(SourceError, match="classification"):
        read_numbers(["benign", "malignant", ""], "", "kind")


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_number_reads_back_as_itself(value):
    """What the tables of a study hold loses no digit."""
    said = read_number(as_target(value))
    assert (said.value, said.code, said.notes) == (value, "", ())


@given(st.text(max_size=12))
def test_any_text_is_a_number_or_has_a_code(text):
    """No cell raises, and none is both."""
    said = read_number(text)
    assert math.isnan(said.value) == (said.code in REFUSALS)


def test_each_image_ends_with_a_number_or_a_code(tmp_path: Path):
    """An image in two rows needs one number; an empty second row does not count."""
    rows = [("a.png", "1,5"), ("b.png", "<5"), ("c.png", "2"), ("c.png", "2.0"), ("d.png", "3"), ("d.png", "4")]
    rows += [("e.png", "5"), ("e.png", ""), ("x.png", "9")]
    with (tmp_path / "t.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("image", "label"), *rows])
    kept = [CohortRow(name, source=f"{name}.png") for name in "abcdef"]
    verdicts = numbers_from_table(kept, Labels(table=str(tmp_path / "t.csv")), "", SAME_NAMES)
    assert [one.target or one.code for one in verdicts.verdicts] == [
        *("1.5", "E_NOT_A_NUMBER", "2.0", "E_DOUBLE_LABEL", "5.0", "E_NO_LABEL"),
    ]
    assert verdicts.unknown_rows == (10,)
