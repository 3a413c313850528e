"""Laws of the split, for whatever cohort."""

from collections import Counter, defaultdict
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lucency.data.curation import image_id
from lucency.data.split import PARTS, certify, connected_components, fold_by_component, refuse_overlap, split_by_patient
from lucency.domain.cohort import KEPT, CohortRow, LabelRow, SplitRow
from lucency.domain.plan import Split
from lucency.errors import PatientLeakError, SourceError, StudyError

BLANK = CohortRow(image_id="")
PATIENT = st.tuples(st.integers(1, 4), st.integers(0, 2), st.integers(0, 8))
"""Number of images, class, and a number by which some patients share an image."""


def cohort_of(patients: list[tuple[int, int, int]]) -> tuple[list[CohortRow], list[LabelRow]]:
    cohort, labels = [], []
    for patient, (n_images, target, shared) in enumerate(patients):
        for number in range(n_images):
            source = f"p{patient}/{number}"
            pixels = f"shared {target} {shared}" if shared < 2 and number == 0 else source
            row = replace(
                BLANK, image_id=image_id(source), patient_id=f"P{patient}", source=source, pixel_sha256=pixels
            )
            cohort.append(row)
            labels.append(LabelRow(row.image_id, f"class {target}", "folder", KEPT, ""))
    return cohort, labels


@given(st.lists(PATIENT, min_size=12, max_size=60), st.integers(0, 5))
def test_no_patient_and_no_image_is_on_two_sides(patients: list[tuple[int, int, int]], seed: int) -> None:
    """The promise that everything else hangs on, through links of links too."""
    cohort, labels = cohort_of(patients)
    try:
        rows = split_by_patient(cohort, labels, Split(), seed)
    except StudyError as error:
        assert "fewer than the 3 parts" in str(error)  # noqa: PT017 - small cohorts may be refused, for this reason alone
        return
    parts = {row.image_id: row.part for row in rows}
    sides = defaultdict(set)
    for image in cohort:
        sides[image.patient_id].add(parts[image.image_id])
        sides[image.pixel_sha256].add(parts[image.image_id])
    assert all(len(found) == 1 for found in sides.values())
    assert len(rows) == len(cohort)
    certificate = certify(rows, cohort, labels, Split(), seed)
    assert certificate.n_patients_shared == certificate.n_images_shared == 0
    assert sum(certificate.n_images.values()) == len(cohort)


@given(st.lists(PATIENT, min_size=12, max_size=60), st.integers(0, 5), st.randoms())
def test_the_order_of_the_files_does_not_matter(patients: list[tuple[int, int, int]], seed: int, draw: object) -> None:
    """Another machine may list its files in another order."""
    cohort, labels = cohort_of(patients)
    shuffled = list(cohort)
    draw.shuffle(shuffled)  # type: ignore[attr-defined]
    try:
        one = split_by_patient(cohort, labels, Split(), seed)
    except StudyError:
        return
    other = split_by_patient(shuffled, labels, Split(), seed)
    assert {(row.image_id, row.part) for row in one} == {(row.image_id, row.part) for row in other}


@given(st.integers(0, 20), st.integers(40, 120))
def test_every_part_gets_its_share_of_every_class(seed: int, n_patients: int) -> None:
    """Within two images, when every patient has one."""
    cohort, labels = cohort_of([(1, number % 5 == 0, 5) for number in range(n_patients)])
    parts = {row.image_id: row.part for row in split_by_patient(cohort, labels, Split(), seed)}
    for target in ("class False", "class True"):
        of_class = [row.image_id for row in labels if row.target == target]
        for part, share in zip(PARTS, (0.7, 0.1, 0.2), strict=True):
            n_part = sum(parts[image] == part for image in of_class)
            assert abs(n_part - share * len(of_class)) <= 2
            assert n_part > 0


def test_components_join_by_way_of_others() -> None:
    """A and B share a patient, B and C share an image: all three stay together."""
    rows = [
        replace(BLANK, image_id="a", patient_id="P1", pixel_sha256="x"),
        replace(BLANK, image_id="b", patient_id="P1", pixel_sha256="y"),
        replace(BLANK, image_id="c", patient_id="P2", pixel_sha256="y"),
        replace(BLANK, image_id="d", patient_id="P3", pixel_sha256="z", exam_id="E1"),
        replace(BLANK, image_id="e", patient_id="P4", pixel_sha256="w", exam_id="E1"),
    ]
    assert connected_components(rows) == {"a": "a", "b": "a", "c": "a", "d": "d", "e": "d"}


def test_a_copy_that_was_set_aside_still_links_its_patients() -> None:
    """One picture under two patient ids may well be one patient under two ids."""
    cohort, labels = cohort_of([(2, 0, 0), (2, 0, 0)] + [(1, n % 2, 5) for n in range(12)])
    labels[2] = replace(labels[2], status="refused", reason="E_DUPLICATE")  # the second patient's copy
    for seed in range(20):
        parts = {row.image_id: row.part for row in split_by_patient(cohort, labels, Split(), seed)}
        assert parts[cohort[0].image_id] == parts[cohort[3].image_id]


@pytest.mark.parametrize("column", ["patient_id", "exam_id", "pixel_sha256"])
def test_an_overlap_is_refused_however_the_split_was_made(column: str) -> None:
    """An edited split.csv does not pass."""
    cohort = [replace(BLANK, image_id=name, **{column: "same"}) for name in "ab"]
    rows = [SplitRow("a", "", "training", ""), SplitRow("b", "", "test", "")]
    with pytest.raises(PatientLeakError, match="stand in more than one part"):
        refuse_overlap(rows, cohort)
    refuse_overlap([replace(row, part="test") for row in rows], cohort)
    with pytest.raises(PatientLeakError, match="names an image twice"):
        refuse_overlap([rows[0], rows[0]], cohort)
    with pytest.raises(PatientLeakError, match="names an image twice, or one"):
        refuse_overlap([SplitRow("z", "", "test", "")], cohort)


def test_a_class_with_fewer_patients_than_parts_is_refused() -> None:
    """Two patients cannot train, tune and test."""
    cohort, labels = cohort_of([(3, 1, 5), (3, 1, 5)] + [(1, 0, 5)] * 20)
    with pytest.raises(StudyError, match="“class 1” has 2 patients"):
        split_by_patient(cohort, labels, Split(), 1)


def test_the_official_parts_are_kept_or_refused() -> None:
    """They are kept as they are, unless they leak or do not exist."""
    cohort, labels = cohort_of([(1, n % 2, 5) for n in range(6)])
    official = Split(official=True)
    with pytest.raises(SourceError, match="no official part"):
        split_by_patient(cohort, labels, official, 1)
    cohort = [replace(row, official_part=PARTS[n % 3]) for n, row in enumerate(cohort)]
    assert [row.part for row in split_by_patient(cohort, labels, official, 1)] == [*PARTS, *PARTS]
    cohort[1] = replace(cohort[1], patient_id="P0")
    with pytest.raises(PatientLeakError, match="1 patients"):
        split_by_patient(cohort, labels, official, 1)


@given(st.integers(0, 20))
def test_patients_with_many_images_are_shared_out_too(seed: int) -> None:
    """If all patients with follow-ups were in training, the test part would be another population."""
    cohort, labels = cohort_of([(1 + number % 3, number % 2, 5) for number in range(120)])
    parts = {row.image_id: row.part for row in split_by_patient(cohort, labels, Split(), seed)}
    images = defaultdict(list)
    for row in cohort:
        images[row.patient_id].append(parts[row.image_id])
    means = {part: [len(found) for found in images.values() if found[0] == part] for part in PARTS}
    assert all(abs(sum(sizes) / len(sizes) - 2) < 0.25 for sizes in means.values())


@given(st.lists(PATIENT, min_size=12, max_size=60), st.integers(2, 6), st.integers(0, 5))
def test_folds_keep_components_whole_and_give_each_its_share(
    patients: list[tuple[int, int, int]], n_folds: int, seed: int
) -> None:
    """A network that judges a fold must have seen nobody of it; and every fold needs every class."""
    cohort, labels = cohort_of(patients)
    targets = {row.image_id: row.target for row in labels}
    components = connected_components(cohort)
    rows = [SplitRow(i.image_id, i.patient_id, "training", components[i.image_id]) for i in cohort]
    n_components = Counter(name for name, _ in {(targets[row.image_id], row.component) for row in rows})
    if min(n_components.values()) < n_folds:
        with pytest.raises(StudyError, match="fewer than the"):
            fold_by_component(rows, targets, n_folds, seed, "audit")
        return
    fold = fold_by_component(rows, targets, n_folds, seed, "audit")
    assert fold.keys() == {row.image_id for row in rows}
    for key in ("patient_id", "pixel_sha256"):
        of_key = defaultdict(set)
        for image in cohort:
            of_key[getattr(image, key)].add(fold[image.image_id])
        assert all(len(found) == 1 for found in of_key.values())
    assert set(fold.values()) == set(range(n_folds))
    assert fold_by_component(rows[::-1], targets, n_folds, seed, "audit") == fold


def test_folds_are_stratified_by_class() -> None:
    """With one image a patient, the classes of the folds differ by one at most."""
    cohort, labels = cohort_of([(1, int(number < 33), 9) for number in range(100)])
    targets = {row.image_id: row.target for row in labels}
    rows = [SplitRow(i.image_id, i.patient_id, "training", i.image_id) for i in cohort]
    fold = fold_by_component(rows, targets, 5, 0, "audit")
    counts = Counter((targets[image_id], number) for image_id, number in fold.items())
    assert sorted(counts.values()) == [6, 6, 7, 7, 7, 13, 13, 13, 14, 14]
