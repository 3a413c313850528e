"""Tables of readers become readings: who saw what, when, and what cannot be understood is refused by its place."""

from pathlib import Path

import numpy as np
import pandas
import pytest
from pydantic import ValidationError

from lucency.data.ground_truth.readings import read_readings
from lucency.data.naming import Naming
from lucency.domain.cohort import CohortRow
from lucency.domain.labels_plan import Readers
from lucency.domain.readings import ReaderTables, Readings
from lucency.errors import PlanError, SourceError
from lucency.provenance import sha256_of

UID = "1.2.840.99.1.7"


KEPT = [
    CohortRow("i1", "P0001", source="site-a/one.dcm", instance_sha256=sha256_of(UID)),
    CohortRow("i2", "P0001", source="site-a/two.dcm", instance_sha256=sha256_of("1.2.840.99.1.8")),
    CohortRow("i3", "P0002", source="site-b/three.dcm", instance_sha256=sha256_of("1.2.840.99.1.9")),
    CohortRow("i4", "P0003", source="ct/series-4/0001.dcm", instance_sha256=sha256_of("1.2.840.99.2"), n_files=30),
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def read(folder: Path, text: str, names: dict[str, str] | None = None, **settings) -> ReaderTables:
    (folder / "readers.csv").write_text(text, "utf-8")
    settings.setdefault("tables", (str(folder / "readers.csv"),))
    return read_readings(Readers(**settings), names, KEPT)


def said(readings: Readings) -> list[list[str]]:
    """Return the answers as texts, axes (image, reader); "" where the reader did not see the image."""
    return [["" if np.isnan(v) else readings.levels[int(v)] for v in row] for row in readings.values]


LONG = """image,reader,label,date,blinded
site-a/one.dcm,A,pneumonia,2024-03-05,yes
site-a/one.dcm,B,no_pneumonia,2024-03-07,no
two,A,no_pneumonia,2024-03-04,yes
three.dcm,B,,2024-03-04,
nowhere.dcm,B,pneumonia,2024-03-04,
"""


def test_a_row_for_each_reading(folder):
    """The commonest table: image, reader, label."""
    tables = read(folder, LONG, date_column="date", blinded_column="blinded")
    readings = tables.of("label")
    assert readings.readers == ("A", "B")
    assert readings.levels == ("no_pneumonia", "pneumonia")
    assert readings.patient_ids == ("P0001", "P0001", "P0002", "P0003")
    assert said(readings) == [["pneumonia", "no_pneumonia"], ["no_pneumonia", ""], ["", ""], ["", ""]]
    a, b = tables.facts.readers
    assert (a.n_images, a.first_day, a.last_day, a.n_blinded, a.n_blinding_known) == (
        2,
        "2024-03-04",
        "2024-03-05",
        2,
        2,
    )
    assert (b.n_images, b.first_day, b.last_day, b.n_blinded, b.n_blinding_known) == (
        1,
        "2024-03-07",
        "2024-03-07",
        0,
        1,
    )
    assert tables.facts.unread == ("i3", "i4")
    assert tables.facts.unknown_rows == {"readers.csv": (6,)}


def test_all_shapes_of_tables_say_the_same(folder):
    """A table for all readers, one for each, and one with a column for each hold the same readings."""
    long = "image;reader;label\none.dcm;A;0\none.dcm;B;1\ntwo.dcm;A;1\nthree.dcm;B;0\n"
    wide = "image,A,B\none.dcm,0,1\ntwo.dcm,1,\nthree.dcm,,0\n"
    pandas.DataFrame({"image": ["one.dcm", "two.dcm"], "label": [0, 1]}).to_excel(folder / "A.xlsx", index=False)
    (folder / "B.csv").write_text("image\tlabel\none.dcm\t1.0\nthree.dcm\t0.0\n")
    one = read(folder, long)
    two = read(folder, wide, columns=("A", "B"))
    three = read(folder, "", tables=(str(folder / "A.xlsx"), str(folder / "B.csv")))
    for tables in (one, two, three):
        assert tables.readings[0].readers == ("A", "B")
        assert tables.readings[0].levels == ("0", "1")
        assert said(tables.readings[0]) == [["0", "1"], ["1", ""], ["", "0"], ["", ""]]


def test_images_are_named_by_path_name_uid_and_series(folder):
    """Each reader may name the images in another way."""
    text = f"image,reader,label\nsite-a\\one.dcm,A,x\n{UID},B,y\n1.2.840.99.2,A,y\nct/series-4,B,x\nseries-4,C,x\n./three,C,y\n"
    assert said(read(folder, text).readings[0]) == [["x", "y", ""], ["", "", ""], ["", "", "y"], ["y", "x", "x"]]


def test_tables_that_speak_of_originals_find_the_copies(folder):
    """Tables are older than de-identification."""
    (folder / "readers.csv").write_text(f"image,reader,label\nold/name.dcm,A,x\n{UID}.0,A,y\n")
    naming = Naming({"site-a/two.dcm": "old/name.dcm"}, lambda uid: uid.removesuffix(".0"))
    tables = read_readings(Readers(tables=(str(folder / "readers.csv"),)), None, KEPT, naming)
    assert said(tables.readings[0]) == [["y"], ["x"], [""], [""]]


def test_capitals_and_spaces_make_no_disagreement(folder):
    """“Pneumonia ” and “pneumonia” are one answer, and a reader keeps one name."""
    tables = read(folder, "image,reader,label\none,A,Pneumonia\none,B,pneumonia\ntwo,a,pneumonia\ntwo,B,no  finding\n")
    assert tables.readings[0].readers == ("A", "B")
    assert said(tables.readings[0])[:2] == [["pneumonia", "pneumonia"], ["pneumonia", "no finding"]]
    assert tables.facts.n_respelled == 3


def test_codes_get_their_names_and_a_code_without_a_name_is_not_read(folder):
    """The names of the plan hold for every reader; an empty name says that the code is no answer."""
    tables = read(
        folder, "image,reader,label\none,A,1\none,B,0.0\ntwo,A,?\ntwo,B,9\n", {"0": "no", "1": "yes", "9": ""}
    )
    assert said(tables.readings[0])[:2] == [["yes", "no"], ["?", ""]]
    assert tables.readings[0].levels == ("?", "no", "yes")


def test_words_for_missing_are_not_answers_unless_the_plan_says_so(folder):
    """Programs write NA where nothing is; counted as an answer it would become a class."""
    text = "image,reader,label\none,A,yes\none,B,NA\ntwo,A,no\ntwo,B,nan\n"
    tables = read(folder, text)
    assert said(tables.readings[0])[:2] == [["yes", ""], ["no", ""]]
    assert tables.facts.n_named_missing == 2
    assert read(folder, text, levels=("no", "yes", "NA", "nan")).facts.n_named_missing == 0


@pytest.mark.parametrize(
    ("dates", "counts", "is_settled"),
    [
        (("2024-03-01", "2024-02-01"), "yes", True),
        (("01.02.2024", "01.03.2024"), "no", True),
        (("2024-03-01 09:30", "2024-03-01 09:31:00"), "no", True),
        (("3/31/2024", "2/1/2024"), "yes", True),
        (("31/1/2024", "1/2/2024"), "no", True),
        (("2024-03-01", "2024-03-01"), "", False),
        (("2024-03-01", ""), "", False),
    ],
)
def test_an_image_read_again_with_another_answer(folder, dates, counts, is_settled):
    """The later answer counts; without days neither does, and the change is kept either way."""
    text = f"image,reader,label,date\none,A,yes,{dates[0]}\none,A,no,{dates[1]}\none,B,no,\ntwo,A,no,\ntwo,A,no,\n"
    tables = read(folder, text, date_column="date")
    assert said(tables.readings[0])[0] == [counts, "no"]
    (repeat,) = tables.repeats
    assert (repeat.image_id, repeat.reader, repeat.is_settled) == ("i1", "A", is_settled)
    assert sorted(repeat.answers) == ["no", "yes"]
    assert not is_settled or repeat.answers[-1] == counts
    a = tables.facts.readers[0]
    assert (a.n_repeated, a.n_changed, a.n_contradicted) == (1, int(is_settled), int(not is_settled))


def test_several_questions(folder):
    """Multi-label: every reading answers several questions; a finding that nobody saw still can be positive."""
    tables = read(
        folder,
        "image,reader,pneumonia,mass\none,A,yes,no\none,B,no,no\ntwo,A,,no\n",
        questions=("pneumonia", "mass"),
        question="mass",
    )
    assert [readings.question for readings in tables.readings] == ["pneumonia", "mass"]
    assert all(readings.levels == ("no", "yes") for readings in tables.readings)
    assert said(tables.of("mass"))[:2] == [["no", "no"], ["no", ""]]
    assert tables.facts.readers[0].n_images == 2
    assert Readers(tables=("a.csv",), questions=("pneumonia", "mass")).studied == "pneumonia"


def test_grades_have_an_order(folder):
    """A grade that nobody gave is a step all the same; words are ordered by the plan alone."""
    numbers = read(folder, "image,reader,label\none,A,5\none,B,1\ntwo,A,2\ntwo,B,10\n", scale="ordinal")
    assert numbers.readings[0].levels == tuple(map(str, range(1, 11)))
    words = "image,reader,label\none,A,Severe\none,B,none\n"
    levels = ("none", "mild", "severe")
    assert said(read(folder, words, scale="ordinal", levels=levels).readings[0])[0] == ["severe", "none"]
    numbers = read(folder, "image,reader,label\none,A,1.0\none,B,2\n", levels=("1.0", "2.0"))
    assert said(numbers.readings[0])[0] == ["1.0", "2.0"]
    with pytest.raises(SourceError, match="are words.*from lowest to highest"):
        read(folder, words, scale="ordinal")


def test_measurements_with_commas_and_units(folder):
    """Spreadsheets of many countries write decimal commas; a unit is taken off and told."""
    tables = read(folder, "image;reader;label\none;A;12,5 mm\none;B;1,234 mm\ntwo;A;7\ntwo;B;\n", scale="ratio")
    readings = tables.readings[0]
    assert np.array_equal(readings.values[:2], [[12.5, 1.234], [7, np.nan]], equal_nan=True)
    assert readings.levels == ()
    assert tables.facts.units == ("mm",)


def test_the_plan_says_which_of_two_classes_is_the_disease(folder):
    """Of two levels the second is the positive one, as everywhere in lucency."""
    (folder / "readers.csv").write_text("image,reader,label\none,A,benign\ntwo,A,adenoma\n")
    settings = Readers(tables=(str(folder / "readers.csv"),))
    assert read_readings(settings, None, KEPT).readings[0].levels == ("benign", "adenoma")
    assert read_readings(settings, None, KEPT, positive="benign").readings[0].levels == ("adenoma", "benign")


@pytest.mark.parametrize(
    ("text", "settings", "message"),
    [
        ("image,label\none,yes\n", {"reader_column": "who"}, "no column “who”.*Add it"),
        ("image,Readers,label\none,A,yes\n", {}, "no column “reader”.*one called “Readers”"),
        ("image,reader,label\none,,yes\n", {}, "readers.csv, row 2: .*“reader” is empty"),
        ("image,reader,label\none,A,yes\n,A,yes\n", {}, "readers.csv, row 3: .*“image” is empty"),
        ("image,reader,diagnosis\none,A,yes\n", {}, "no column “label”"),
        (
            "image,reader,label\none,A,yes\ntwo,A,ye\n",
            {"levels": ("no", "yes")},
            "row 3, column “label”.*Did you mean “yes”",
        ),
        ("image,reader,label\none,A,Smith John\n", {"levels": ("no", "yes")}, "The answers are: no, yes"),
        ("image,reader,label\none,A,<5\n", {"scale": "ratio"}, "row 2, column “label”: this is no number"),
        ("image,reader,label\none,A,5-7\n", {"scale": "ratio"}, "this is no number"),
        ("image,reader,label\none,A,inf\n", {"scale": "ratio"}, "this is no number"),
        ("image,reader,label\none,A,5 mm\ntwo,A,1 cm\n", {"scale": "ratio"}, "row 3.*the unit is another"),
        ('image,reader,label\none,A,"1,234"\n', {"scale": "ratio"}, "decimals or for thousands"),
        ("image,reader,label\none,A,-2\n", {"scale": "ratio"}, "the number is negative"),
        (
            "image,reader,label,day\none,A,yes,1/2/2024\n",
            {"date_column": "day"},
            "row 2, column “day”: day and month cannot",
        ),
        ("image,reader,label,day\none,A,yes,31.2.2024\n", {"date_column": "day"}, "this is no day"),
        ("image,reader,label,day\none,A,yes,soon\n", {"date_column": "day"}, "this is no day"),
        ("image,reader,label,blinded\none,A,yes,perhaps\n", {"blinded_column": "blinded"}, "neither yes nor no"),
        (
            "image,reader,label\n" + "".join(f"one,A,text {n}\n" for n in range(101)),
            {},
            "101 different answers. Is it free text",
        ),
    ],
)
def test_what_cannot_be_understood_is_refused_by_its_place(folder, text, settings, message):
    """The person who mends the table must find the cell, and the message must not carry what stands in it."""
    with pytest.raises(SourceError, match=message) as caught:
        read(folder, text, **settings)
    assert "Smith" not in str(caught.value)


def test_two_tables_of_one_name_are_refused(folder):
    """They would be one reader."""
    for name in ("x", "y"):
        (folder / name).mkdir()
        (folder / name / "anna.csv").write_text("image,label\none,yes\n")
    with pytest.raises(PlanError, match="Two tables of readers are called “anna”"):
        read(folder, "", tables=(str(folder / "x/anna.csv"), str(folder / "y/anna.csv")))


@pytest.mark.parametrize(
    "settings",
    [
        {"tables": ()},
        {"tables": ("a.csv", "a.csv")},
        {"columns": ("A",), "questions": ("b",)},
        {"question": "b"},
        {"levels": ("a", "b"), "scale": "ratio"},
        {"levels": ("a", "A ")},
    ],
)
def test_settings_that_contradict_each_other_are_refused(settings):
    """Before any table is read."""
    with pytest.raises(ValidationError):
        Readers(**({"tables": ("a.csv",)} | settings))


@pytest.mark.parametrize(
    ("word", "blinded"), [("Ja", 1), ("oui", 1), ("sí", 1), ("1.0", 1), ("X", 1), ("nein", 0), ("não", 0), ("FALSE", 0)]
)
def test_yes_and_no_in_several_languages(folder, word, blinded):
    """Readers answer in their own language."""
    tables = read(folder, f"image,reader,label,blinded\none,A,x,{word}\n", blinded_column="blinded")
    assert (tables.facts.readers[0].n_blinded, tables.facts.readers[0].n_blinding_known) == (blinded, 1)
