"""Near-duplicates: found whatever happened to the copy, and nothing else is."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PillowImage

from films import CHANGES, Film, as_jpeg, cropped, draw_films, shaded
from lucency.data.looks.duplicates import Pair, grouped, near_duplicates
from lucency.data.looks.fingerprint import fingerprint, from_text


@pytest.fixture(scope="module")
def films() -> list[Film]:
    return draw_films(30, seed=11)


def found_in(images: list[np.ndarray]) -> list[Pair]:
    return near_duplicates([fingerprint(image) for image in images])


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_copy_is_found(films: list[Film], change: str) -> None:
    """One copy among films of other patients; nothing else is linked."""
    copy = CHANGES[change](films[5])
    assert [(pair.first, pair.second) for pair in found_in([*films, copy])] == [(5, 30)]


def test_the_kind_of_copy_is_told(films: list[Film]) -> None:
    """A reader wants to know what happened to it."""
    mirrored, inverted = found_in([*films, films[3][:, ::-1]]), found_in([*films, 255 - films[3]])
    assert [pair.kind for pair in mirrored + inverted] == ["mirrored", "inverted"]
    assert [pair.kind for pair in found_in([*films, cropped(films[3], 0.05, 0.05, 0.05, 0.05)])] == ["crop"]


def test_many_copies_are_linked_by_few_pairs(films: list[Film]) -> None:
    """A hundred copies of one film make one group of 100 with 99 pairs, and no bit of the hashes is spoilt by them."""
    copies = [as_jpeg(films[0], quality) for quality in range(40, 95)] + [films[0]] * 45
    pairs = found_in([*copies, *films[1:]])
    assert len(pairs) == 99
    assert grouped(pairs, 129) == [list(range(100))]


def test_a_cohort_of_copies_is_recognised_as_one(films: list[Film]) -> None:
    """What all images have in common must not be taken from the copies alone, or their hashes would be noise."""
    draw = np.random.default_rng(1)
    copies = [
        as_jpeg(cropped(shaded(films[0], lambda level: level ** draw.uniform(0.7, 1.4)), *draw.uniform(0, 0.015, 4)))
        for _ in range(150)
    ]
    assert grouped(found_in([*copies, *films[1:4]]), 153) == [list(range(150))]


def test_groups_follow_links_of_links() -> None:
    """What is linked by way of another is one group."""
    pairs = [Pair(1, 4, "copy", 1.0), Pair(0, 2, "copy", 1.0), Pair(2, 4, "crop", 0.9)]
    assert grouped(pairs, 6) == [[0, 1, 2, 4]]
    assert grouped([], 3) == []


def test_images_without_detail_are_not_linked() -> None:
    """Nothing can be said about an even image, or two different ramps of grey."""
    even = [np.full((40, 40), level, np.uint8) for level in (0, 90)]
    assert found_in([]) == []
    assert len(found_in(even)) == 1  # both fingerprints are blank, hence equal
    ramp = np.tile(np.arange(64, dtype=np.uint8), (64, 1))
    assert found_in([ramp, ramp.T]) == []


def test_images_of_28_pixels_are_told_apart() -> None:
    """MedMNIST's images are smaller than the fingerprint."""
    small = [np.asarray(PillowImage.fromarray(film).resize((28, 28))) for film in draw_films(30, seed=12)]
    copy = (small[7] * 0.9 + 10).astype(np.uint8)
    assert [(pair.first, pair.second) for pair in found_in([*small, copy])] == [(7, 30)]


def test_a_fingerprint_survives_the_journal(films: list[Film]) -> None:
    """Text and back."""
    taken = fingerprint(films[0])
    assert np.array_equal(from_text(taken.text).thumbnail, taken.thumbnail)


@pytest.mark.slow
@pytest.mark.real
def test_kermany_has_no_near_duplicates_beyond_its_exact_ones(real_data: Path) -> None:
    """24 groups of equal images among 5,216 chest radiographs of children; no two other films are taken for one."""
    files = sorted((real_data / "kermany_cxr224" / "train").rglob("*.jpeg"))
    images = [np.asarray(PillowImage.open(file).convert("L")) for file in files]
    pairs = found_in(images)
    assert len(grouped(pairs, len(images))) == 24
    assert all(np.array_equal(images[pair.first], images[pair.second]) for pair in pairs)


@pytest.mark.real
def test_the_same_picture_under_two_diagnoses_is_found_in_busi(real_data: Path) -> None:
    """Seven pairs that are one picture to the eye, as benign and malignant, or benign and normal; all were looked at."""
    files = sorted((real_data / "busi_gray256" / "images").glob("*.png"))
    pairs = found_in([np.asarray(PillowImage.open(file).convert("L")) for file in files])
    classes = Counter(
        tuple(sorted(files[place].name.split("_")[0] for place in (pair.first, pair.second))) for pair in pairs
    )
    contradictions = sum(n for names, n in classes.items() if len(set(names)) == 2)
    assert contradictions == 7
