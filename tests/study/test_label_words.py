"""The words that carried labels from radiology reports."""

import csv
from pathlib import Path

from lucency.domain.cohort import CohortRow
from lucency.domain.ground_truth import CarryingWords
from lucency.study.folder import StudyFolder
from lucency.study.ground_truth.label_words import (
    HIDDEN,
    LABEL_WORDS,
    Carried,
    Statement,
    count_words,
    write_label_words,
)

IMAGES = [CohortRow(f"image-{n}", patient_id=f"P{n // 2}") for n in range(8)]
"""Two images of each of four patients; the last has no report."""
REPORT_OF = {f"image-{n}": f"report-{n}" for n in range(7)}


def test_words_are_counted_by_report_and_patient() -> None:
    """Positive before doubt and denial; of each the most frequent first; case does not matter."""
    plain, denied = Carried("Pneumonia"), Carried("pneumonia", "No evidence of")
    said = {
        f"report-{n}": Statement("positive", (plain,)) if n < 3 else Statement("negative", (denied,)) for n in range(7)
    }
    assert count_words(IMAGES, REPORT_OF, said) == (
        CarryingWords("positive", "pneumonia", "", 3, 2),
        CarryingWords("negative", "pneumonia", "no evidence of", 4, 3),
    )


def test_two_images_of_one_report_count_it_once() -> None:
    """A report on two views is one report."""
    said = {"report-0": Statement("positive", (Carried("opacity"),))}
    counted = count_words(IMAGES[:2], {"image-0": "report-0", "image-1": "report-0"}, said)
    assert counted == (CarryingWords("positive", "opacity", "", 1, 1),)


def test_a_word_that_might_be_a_name_is_hidden(tmp_path: Path) -> None:
    """A network can go by any word: one that few patients' reports hold, or that is written with capitals, is not shown."""
    own = [Carried(word, is_listed=False) for word in ("opacity", "moreau", "Moreau")]
    said = {f"report-{n}": Statement("positive", (own[0], *([own[1]] if n < 2 else []), own[2])) for n in range(7)}
    counted = {one.words: one.n_patients for one in count_words(IMAGES, REPORT_OF, said)}
    assert counted == {"opacity": 4, HIDDEN: 4}
    folder = StudyFolder(tmp_path)
    assert write_label_words(folder, IMAGES, REPORT_OF, said) == LABEL_WORDS
    assert "moreau" not in (tmp_path / LABEL_WORDS).read_text().lower()


def test_every_image_with_a_report_has_its_words(tmp_path: Path) -> None:
    """So that a wrong label can be traced to what was read."""
    said = {f"report-{n}": Statement("uncertain", (Carried("infection", "may be"),)) for n in range(7)}
    write_label_words(StudyFolder(tmp_path), IMAGES, REPORT_OF, said)
    rows = list(csv.DictReader((tmp_path / LABEL_WORDS).open()))
    assert [row["image_id"] for row in rows] == list(REPORT_OF)
    assert {(row["stated"], row["words"], row["cue"]) for row in rows} == {("uncertain", "infection", "may be")}
