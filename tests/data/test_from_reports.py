"""Which report belongs to which image, and what its statement counts as."""

from pathlib import Path

import pytest

from lucency.data.ground_truth.from_reports import link_reports, read_reread, verdicts_from
from lucency.data.naming import SAME_NAMES
from lucency.domain.cohort import CohortRow
from lucency.domain.labels_plan import Reports
from lucency.errors import SourceError


def image(source: str, n_files: int = 1) -> CohortRow:
    return CohortRow(image_id=source.replace("/", "-"), patient_id=source[:2], source=source, n_files=n_files)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    reports = tmp_path / "reports"
    reports.mkdir()
    for name, text in (("e1.txt", "No pneumonia."), ("e2.txt", "Pneumonia."), ("e3.txt", " \n"), ("e4.txt", "Spare.")):
        (reports / name).write_text(text)
    return reports


def test_a_table_joins_images_and_reports(folder: Path, tmp_path: Path) -> None:
    """One exam has one report and several images; what is missing, double or empty is told apart."""
    table = tmp_path / "reports.csv"
    table.write_text("image,report\np1/a.dcm,e1.txt\np1/b.dcm,e1.txt\np2/c.dcm,e2.txt\np3/d.dcm,e3.txt\np4/e.dcm,e1.txt\n"
                     "p4/e.dcm,e2.txt\ngone.dcm,e1.txt\n")  # fmt: skip
    kept = [image(f"{name}.dcm") for name in ("p1/a", "p1/b", "p2/c", "p3/d", "p4/e", "p5/f")]
    linked = link_reports(kept, Reports(folder=str(folder), table=str(table)), SAME_NAMES)
    assert linked.of_image == {"p1-a.dcm": "e1.txt", "p1-b.dcm": "e1.txt", "p2-c.dcm": "e2.txt"}
    assert linked.codes == {"p3-d.dcm": "E_EMPTY_REPORT", "p4-e.dcm": "E_TWO_REPORTS", "p5-f.dcm": "E_NO_REPORT"}
    assert linked.unknown_rows == (8,)
    assert linked.n_unused == 1


def test_without_a_table_names_join(folder: Path) -> None:
    """A report is called like its image, or like the folder of all images of its exam."""
    kept = [image("p1/e1.png"), image("e2/slice-1.dcm"), image("e2/slice-2.dcm")]
    linked = link_reports(kept, Reports(folder=str(folder)), SAME_NAMES)
    assert linked.of_image == {"p1-e1.png": "e1.txt", "e2-slice-1.dcm": "e2.txt", "e2-slice-2.dcm": "e2.txt"}


def test_the_text_may_stand_in_the_table(tmp_path: Path) -> None:
    """Many departments export one table, report and all."""
    table = tmp_path / "reports.csv"
    table.write_text('image,text\na.png,"No effusion.\nPneumonia."\nb.png,\n')
    linked = link_reports([image("a.png"), image("b.png")], Reports(table=str(table), text_column="text"), SAME_NAMES)
    assert linked.texts["row 2"] == "No effusion.\nPneumonia."
    assert linked.codes == {"b.png": "E_NO_REPORT"}


def test_a_report_that_is_not_there_is_named_by_its_table(folder: Path, tmp_path: Path) -> None:
    """A typing error in a table must not look like an image without a report."""
    table = tmp_path / "reports.csv"
    table.write_text("image,report\na.png,e9.txt\n")
    with pytest.raises(SourceError, match="names “e9.txt”, which is not in reports"):
        link_reports([image("a.png")], Reports(folder=str(folder), table=str(table)), SAME_NAMES)


def test_nothing_that_belongs_together_is_an_error(folder: Path) -> None:
    """Otherwise every image would leave the study without a word of the cause."""
    with pytest.raises(SourceError, match="No radiology report belongs to any image"):
        link_reports([image("x.png")], Reports(folder=str(folder)), SAME_NAMES)


@pytest.mark.parametrize(
    ("settings", "stated", "expected"),
    [
        ({}, "positive", ("pleural_effusion", "")),
        ({}, "negative", ("no_pleural_effusion", "")),
        ({}, "", ("no_pleural_effusion", "")),
        ({"not_mentioned": "refuse"}, "", ("", "E_NOT_MENTIONED")),
        ({}, "uncertain", ("", "E_UNCERTAIN")),
        ({"uncertain": "positive"}, "uncertain", ("pleural_effusion", "")),
        ({"uncertain": "negative"}, "uncertain", ("no_pleural_effusion", "")),
        ({"uncertain": "soft"}, "uncertain", ("pleural_effusion", "")),
    ],
)
def test_doubt_and_silence_count_as_the_plan_says(
    folder: Path, settings: dict[str, str], stated: str, expected: tuple[str, str]
) -> None:
    """What “possible pneumonia” means is the researcher's decision, and never ours."""
    plan = Reports.model_validate({"folder": str(folder), "finding": "Pleural Effusion", **settings})
    kept = [image("e1.png")]
    verdict = verdicts_from(kept, plan, link_reports(kept, plan, SAME_NAMES), {"e1.txt": stated}).verdicts[0]
    assert (verdict.target, verdict.code) == expected
    is_soft = settings.get("uncertain") == "soft"
    assert verdict.probabilities == ({"no_pleural_effusion": 0.5, "pleural_effusion": 0.5} if is_soft else None)


def test_a_second_reading_is_read_back(folder: Path, tmp_path: Path) -> None:
    """Only the finding of the study counts; empty cells are still to be read."""
    sheet = tmp_path / "reread.csv"
    sheet.write_text("report,finding,reading,drawn\ne1.txt,Pneumonia,Negative,by answer\ne2.txt,Pneumonia,,by answer\n"
                     "e3.txt,Pneumonia,not mentioned,by answer\ne1.txt,Edema,positive,by answer\n")  # fmt: skip
    read = read_reread(Reports(folder=str(folder)), sheet)
    assert read.stated == {"e1.txt": "negative", "e3.txt": ""}
    assert read.is_drawn_by_answer
    sheet.write_text("report,finding,reading\ne1.txt,Pneumonia,perhaps\n")
    with pytest.raises(SourceError, match="Row 2 of reread.csv says “perhaps”"):
        read_reread(Reports(folder=str(folder)), sheet)
