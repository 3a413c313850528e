"""Ever larger groups of patients: nested, whole, and each with its share of every class."""

from collections import Counter

import pytest

from lucency.data.split import growing_cohort
from lucency.domain.cohort import SplitRow


def cohort(n_patients: int, share_ill: float) -> tuple[list[SplitRow], dict[str, str]]:
    """Return two images a patient; every tenth patient is linked to the next one."""
    rows, target = [], {}
    for patient in range(n_patients):
        component = f"i{patient - (patient % 10 == 1):04d}-0"
        for number in range(2):
            image_id = f"i{patient:04d}-{number}"
            rows.append(SplitRow(image_id, f"p{patient:04d}", "training", component))
            target[image_id] = "ill" if patient < share_ill * n_patients else "well"
    return rows, target


def patients(rows: list[SplitRow]) -> set[str]:
    return {row.patient_id for row in rows}


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_smaller_groups_are_part_of_larger_ones(seed: int) -> None:
    """So that a curve grows by what is added, and not by who was drawn."""
    rows, target = cohort(300, 0.3)
    groups = growing_cohort(rows, target, [20, 50, 200, 300], seed, "curve")
    sizes = [len(patients(group)) for group in groups]
    assert all(wanted - 1 <= got <= wanted for wanted, got in zip([20, 50, 200, 300], sizes, strict=True))
    assert patients(groups[0]) < patients(groups[1]) < patients(groups[2]) < patients(groups[3])
    assert growing_cohort(rows[::-1], target, [50], seed, "curve")[0] == groups[1]


def test_what_is_linked_stays_together() -> None:
    """Linked patients may be one person under two numbers."""
    rows, target = cohort(300, 0.3)
    for group in growing_cohort(rows, target, [20, 50, 200], 1, "curve"):
        inside, all_of = Counter(row.component for row in group), Counter(row.component for row in rows)
        assert all(inside[component] == all_of[component] for component in inside)


@pytest.mark.parametrize("share", [0.1, 0.3, 0.5])
def test_each_group_has_its_share_of_every_class(share: float) -> None:
    """Otherwise a small group may lack a class, and a curve would show that and not the number of patients."""
    rows, target = cohort(1000, share)
    for size, group in zip([20, 100, 500], growing_cohort(rows, target, [20, 100, 500], 1, "curve"), strict=True):
        n_ill = sum(target[row.image_id] == "ill" for row in group) / 2
        assert abs(n_ill - share * size) <= 3


def test_another_purpose_draws_other_patients() -> None:
    """Repeats must differ."""
    rows, target = cohort(300, 0.3)
    one, other = (growing_cohort(rows, target, [50], 1, purpose)[0] for purpose in ("repeat 0", "repeat 1"))
    assert len(patients(one) & patients(other)) < 25
