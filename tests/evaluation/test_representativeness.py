"""Tables of patients, sources, protocols and the target population."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import chi2_contingency, fisher_exact

from evaluation.cohorts import row
from lucency.domain.data_plan import Population
from lucency.evaluation.intervals import wilson
from lucency.evaluation.representativeness import (
    AGE,
    METADATA,
    SEX,
    SITE,
    Cohort,
    clinical_variables,
    compare_with_population,
    describe_cohort,
    describe_protocols,
    permutation_test,
)
from lucency.evaluation.table_one import one_value_a_patient, table_one


def cohort_of(n: int = 120, seed: int = 1, **told: str) -> Cohort:
    """Make patients of two sites in three parts; classes are fair coins."""
    random = np.random.default_rng(seed)
    rows = [
        row(
            i,
            site="AB"[i % 2],
            sex="FM"[random.integers(2)],
            age_years=str(random.integers(30, 80)),
            year="2020",
            **told,
        )
        for i in range(n)
    ]
    parts = {"training": rows[: n // 2], "tuning": rows[n // 2 : 3 * n // 4], "test": rows[3 * n // 4 :]}
    return Cohort(parts, {r.image_id: "ill" if random.random() < 0.5 else "well" for r in rows}, ("well", "ill"))


def test_the_patient_is_the_unit() -> None:
    """Ten images of one patient are one patient: the median of a number, the most frequent level of a category."""
    images = [row(i, 0, age_years=str(50 + i), sex="F" if i < 7 else "M") for i in range(10)] + [row(99, 1, sex="M")]
    assert one_value_a_patient(images, AGE) == {"P0000": "54.5", "P0001": ""}
    assert one_value_a_patient(images, SEX) == {"P0000": "F", "P0001": "M"}
    table = table_one({"x": images}, ("x",), [SEX])
    assert (table.groups[0].n_patients, table.groups[0].n_images) == (2, 11)
    assert {line.level: line.cells[0].n for line in table.lines if line.level} == {"F": 1, "M": 1}


def test_what_is_not_recorded_is_counted_and_left_out_of_quartiles() -> None:
    """Median and quartiles are those of NumPy over the known values; a line counts the unknown ones."""
    ages = ["40", "50", "61", "70", ""]
    table = table_one({"x": [row(i, age_years=age) for i, age in enumerate(ages)]}, ("x",), [AGE])
    number, missing = table.lines
    cell = number.cells[0]
    expected = np.quantile([40, 50, 61, 70], [0.25, 0.5, 0.75])
    assert (cell.lower_quartile, cell.median, cell.upper_quartile) == pytest.approx(tuple(expected))
    assert (cell.n, cell.n_group) == (4, 5)
    assert (missing.level, missing.cells[0].n) == ("not recorded", 1)


def test_of_several_classes_the_two_that_differ_most_are_named() -> None:
    """A reader looks for the worst pair, not for an average of all."""
    sexes = {"a": "FM" * 20, "b": "FM" * 19 + "FF", "c": "F" * 36 + "MMMM"}
    groups = {name: [row(ord(name) * 100 + i, sex=s) for i, s in enumerate(text)] for name, text in sexes.items()}
    table = table_one(groups, tuple(groups), [SEX])
    assert table.lines[0].difference.group == "a and c"


def test_rare_levels_share_a_line_and_the_difference_takes_them_as_one() -> None:
    """A hundred sites of one patient each would differ beyond all measure."""
    images = [row(i, site=f"S{i:03d}") for i in range(200)]
    table = table_one({"x": images[:100], "y": images[100:]}, ("x", "y"), [SITE])
    assert table.lines[-1].level == "193 others"
    assert table.lines[-1].cells[-1].n == 193
    assert len(table.lines) == 9


def test_a_clinical_column_is_a_number_or_a_category() -> None:
    """0 and 1 are a category; many different numbers are a number; a patient without a row is not known."""
    table = [{"patient_id": f"P{i:04d}", "crp": str(i / 2), "fever": str(i % 2)} for i in range(9)]
    crp, fever = clinical_variables(["crp", "fever"], table)
    assert (crp.is_number, fever.is_number) == (True, False)
    assert crp.text(row(3)) == "1.5"
    assert crp.text(row(50)) == ""


def test_permutations_agree_with_chi_squared_and_with_fisher() -> None:
    """The asymptotic test for many patients, the exact one for few."""
    random = np.random.default_rng(3)
    source = random.integers(0, 3, 600)
    label = (random.random(600) < 0.4 + 0.05 * source).astype(np.int64)
    table = np.zeros((3, 2))
    np.add.at(table, (source, label), 1)
    assert permutation_test(source, label) == pytest.approx(chi2_contingency(table).pvalue, abs=0.03)
    few_source, few_label = np.repeat([0, 0, 1, 1], [8, 2, 3, 9]), np.repeat([0, 1, 0, 1], [8, 2, 3, 9])
    assert permutation_test(few_source, few_label) == pytest.approx(fisher_exact([[8, 2], [3, 9]]).pvalue, abs=0.02)
    assert permutation_test(source, (source > 0).astype(np.int64)) == pytest.approx(1 / 2001)


def test_classes_of_the_test_part_change_nothing_but_its_counts() -> None:
    """What relates the classes to anything else must not look at the sealed labels."""
    cohort = cohort_of()
    turned = replace(cohort, targets=cohort.targets | {r.image_id: "ill" for r in cohort.parts["test"]})
    ours, theirs = (describe_cohort(one, None, (), None, 0.95) for one in (cohort, turned))
    assert ours.by_part != theirs.by_part
    assert replace(ours, by_part=theirs.by_part) == theirs
    assert cohort.parts["test"][0] not in cohort.open_images


def test_a_source_has_the_share_and_interval_of_its_open_images() -> None:
    """Counted by hand, with Wilson's interval, since each patient has one image."""
    cohort = cohort_of()
    found = next(s for s in describe_cohort(cohort, None, (), None, 0.95).sources if s.name == "A")
    ours = [cohort.targets[r.image_id] for r in cohort.open_images if r.site == "A"]
    n_ill = ours.count("ill")
    ill = next(share for share in found.shares if share.group == "ill")
    assert (found.n_patients, found.n_images) == (60, 60)
    assert (ill.numerator, ill.denominator) == (n_ill, len(ours))
    assert (ill.low, ill.high) == pytest.approx(tuple(wilson(n_ill, len(ours))))


def test_a_protocol_tells_what_is_usual_and_leaves_out_what_nobody_tells() -> None:
    """Numbers by median and range, categories by count."""
    rows = [row(i, site="A", manufacturer="Acme", model="X", kvp=str(k), view=v)
            for i, (k, v) in enumerate([(100, "PA"), (110, "PA"), (125, "AP")])]  # fmt: skip
    (protocol,) = describe_protocols(rows)
    assert protocol.scanner == "Acme X"
    assert protocol.facts == {"View": "PA (2), AP (1)", "Tube voltage in kVp": "110 (100–125)"}


def test_a_volume_is_told_by_its_pixels_and_its_slices() -> None:
    """Its spacing begins with that of the slices, which is no pixel spacing."""
    volume = row(0, slices=40, rows=256, columns=192, spacing_mm="3×0.7×0.8")
    told = {variable.name: variable.text(volume) for variable in METADATA}
    assert told["Pixel spacing in mm"] == "0.7"
    assert told["Size in pixels"] == "40 × 256 × 192"
    assert {v.name: v.text(row(1, rows=5, columns=4)) for v in METADATA}["Size in pixels"] == "5 × 4"


def test_the_target_population_is_compared_in_words() -> None:
    """Different, alike and unknown; what is not declared shares what is left of 1."""
    cohort = cohort_of(n=4000)
    population = Population.model_validate(
        {
            "age": {"mean": 30, "sd": 10, "bands": {"0-54": 0.5, "55-": 0.5}},
            "sex": {"F": 0.5, "M": 0.5},
            "prevalence": {"ill": 0.1},
            "manufacturer": {"Acme": 1},
            "clinical": {"smoker": {"yes": 0.2}},
        }
    )
    found = {one.variable: one for one in compare_with_population(cohort, population)}
    assert found["Age in years"].verdict == "different"
    assert "older (mean 54 instead of 30 years)" in found["Age in years"].text
    assert found["Age band in years"].verdict == "alike"
    assert found["Sex"].verdict == "alike"
    assert "more patients with “ill” (48\u202f% instead of 10\u202f%)" in found["Class"].text
    assert [level.level for level in found["Class"].levels] == ["ill", "others"]
    assert found["Manufacturer"].verdict == found["smoker"].verdict == "unknown"


def test_few_patients_are_unsure() -> None:
    """Twenty patients that look alike may be unlike by chance, and the verdict says so."""
    population = Population.model_validate({"sex": {"F": 0.5, "M": 0.5}})
    (one,) = compare_with_population(cohort_of(n=20), population)
    assert one.verdict == "unsure"
    assert "too few patients" in one.text


def test_every_column_of_the_header_is_described() -> None:
    """A fact that the cohort holds and no table shows would be forgotten."""
    told = {"age_years": "50", "sex": "F", "site": "A", "manufacturer": "Acme", "year": "2020", "modality": "CT",
            "view": "PA", "laterality": "L", "kvp": "120", "field_strength_tesla": "3", "kernel": "B30",
            "slice_thickness_mm": "1", "spacing_mm": "0.5×0.5", "rows": 10, "columns": 10}  # fmt: skip
    assert all(variable.text(row(0, **told)) for variable in METADATA)
