"""Pictures that contradict each other are named, and no others."""

from lucency.data.ground_truth.conflicts import find_conflicts
from lucency.domain.cohort import KEPT, REFUSED, CohortRow, LabelRow
from lucency.domain.label_audit import Doubt


def image(name: str, pixels: str, lookalike: str = "") -> CohortRow:
    return CohortRow(name, source=f"{name}.png", pixel_sha256=pixels, lookalike=lookalike)


def test_contradicting_copies_are_named_with_all_their_labels() -> None:
    """Whoever decides needs to see every copy with its label."""
    cohort = [image("a", "x"), image("b", "x"), image("c", "y"), image("d", "z"), image("e", "z")]
    labels = [LabelRow(name, label, "table", REFUSED, "E_CONFLICT") for name, label in (("a", "ill"), ("b", "well"))]
    labels += [LabelRow("c", "ill", "table", KEPT, ""), LabelRow("d", "ill", "table", KEPT, "")]
    labels += [LabelRow("e", "ill", "table", REFUSED, "E_DUPLICATE")]
    (conflict,) = find_conflicts(cohort, labels, {"c": "ill", "d": "ill"})
    assert conflict.doubt == Doubt.EQUAL_IMAGES
    assert [one.image_id for one in conflict.images] == ["a", "b"]
    assert conflict.labels == ("ill", "well")


def test_near_duplicates_of_the_test_part_stay_sealed() -> None:
    """What the labels of the test part say is nobody's business before the evaluation."""
    cohort = [image(name, name, "L1" if name in "ab" else "L2") for name in "abcd"]
    labels = [
        LabelRow(name, label, "table", KEPT, "") for name, label in zip("abcd", ("i", "w", "i", "w"), strict=True)
    ]
    found = find_conflicts(cohort, labels, {"a": "i", "b": "w"})
    assert [[one.image_id for one in conflict.images] for conflict in found] == [["a", "b"]]
    assert found[0].doubt == Doubt.NEAR_DUPLICATES


def test_near_duplicates_of_one_label_are_no_conflict() -> None:
    """They are kept together by the split, and need no decision."""
    cohort = [image(name, name, "L1") for name in "ab"]
    labels = [LabelRow(name, "ill", "table", KEPT, "") for name in "ab"]
    assert find_conflicts(cohort, labels, {"a": "ill", "b": "ill"}) == []
