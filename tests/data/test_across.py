"""A cohort is looked at as a whole: near-duplicates, images of another kind, and the sheet of what was set aside."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PillowImage
from test_curation import cohort_of, data_of

from lucency.data.curation import curate
from lucency.data.looks.contact_sheet import contact_sheet
from lucency.data.sources import find_images
from lucency.data.split import split_by_patient
from lucency.domain.cohort import KEPT, CohortRow, LabelRow
from lucency.domain.plan import Split
from lucency.domain.progress import Silence

SIZE = 128


def picture(seed: int) -> np.ndarray:
    """Draw smooth blobs, as different from each other as two patients."""
    draw = np.random.default_rng(seed)
    coarse = PillowImage.fromarray(draw.integers(20, 230, (9, 9), dtype=np.uint8))
    return np.asarray(coarse.resize((SIZE, SIZE), PillowImage.Resampling.BICUBIC))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return images of 20 patients; the last is the first one again, compressed and smaller, under another patient."""
    for patient in range(20):
        path = tmp_path / "images" / ("ill" if patient % 2 else "healthy") / f"p{patient:03d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        PillowImage.fromarray(picture(patient)).save(path)
    copy = PillowImage.fromarray(picture(0)).resize((100, 100))
    copy.save(tmp_path / "images" / "healthy" / "p900.jpg", quality=80)
    return tmp_path / "images"


def lookalikes(rows: list[CohortRow]) -> set[str]:
    return {row.source for row in rows if row.lookalike}


def test_a_near_duplicate_is_linked_and_goes_to_the_same_part(folder: Path, tmp_path: Path) -> None:
    """Its patient number differs, so that only the look can tell."""
    rows = cohort_of(folder, tmp_path / "store")
    assert lookalikes(rows) == {"healthy/p000.png", "healthy/p900.jpg"}
    assert all("N_NEAR_DUPLICATE" in row.notes and row.status == KEPT for row in rows if row.lookalike)
    labels = [LabelRow(row.image_id, row.source.split("/")[0], "folder", KEPT, "") for row in rows]
    pair = {row.image_id for row in rows if row.lookalike}
    for seed in range(8):
        split = split_by_patient(rows, labels, Split(training=0.4, tuning=0.3, test=0.3), seed)
        assert len({row.part for row in split if row.image_id in pair}) == 1


def test_a_plan_may_refuse_near_duplicates_or_ignore_them(folder: Path, tmp_path: Path) -> None:
    """The first by its path stays."""
    refused = cohort_of(folder, tmp_path / "a", near_duplicates={"action": "refuse"})
    reasons = {row.source: row.reason for row in refused if row.reason}
    assert reasons == {"healthy/p900.jpg": "E_NEAR_DUPLICATE"}
    assert next(row.store_row for row in refused if row.reason) == -1
    assert not lookalikes(cohort_of(folder, tmp_path / "b", near_duplicates={"action": "ignore"}))


def test_poor_images_are_noted_or_refused_and_shown_on_a_sheet(folder: Path, tmp_path: Path) -> None:
    """A person must be able to see what the program objected to."""
    noisy = np.clip(picture(50) + np.random.default_rng(1).normal(0, 40, (SIZE, SIZE)), 0, 255).astype(np.uint8)
    PillowImage.fromarray(noisy).save(folder / "ill" / "p050.png")
    PillowImage.fromarray(np.full((SIZE, SIZE), 9, np.uint8)).save(folder / "ill" / "p051.png")
    PillowImage.fromarray(picture(52)[:12, :12].copy()).save(folder / "ill" / "p052.png")
    data = data_of(folder)
    source = find_images(data)
    rows = curate(source, data, tmp_path / "store", "key", Silence()).rows
    codes = {row.source: (row.reason, row.notes) for row in rows}
    assert codes["ill/p050.png"] == ("", "N_NOISY")
    assert codes["ill/p051.png"][0] == "E_BLANK"
    assert codes["ill/p052.png"][0] == "E_TINY"
    shown = {one.row.source: one.codes for one in contact_sheet(rows, source.candidates)}
    assert shown["ill/p050.png"] == ("N_NOISY",)
    assert shown["ill/p051.png"] == ("E_BLANK",)
    assert "N_NEAR_DUPLICATE" in shown["healthy/p900.jpg"]
    strict = cohort_of(folder, tmp_path / "strict", quality={"refuse": ["noisy"]})
    assert {row.source: row.reason for row in strict}["ill/p050.png"] == "E_NOISY"


def test_denoising_changes_what_is_stored_and_nothing_else(folder: Path, tmp_path: Path) -> None:
    """The hash of the pixels stays that of the file, so that copies are still found."""
    plain = cohort_of(folder, tmp_path / "a")
    denoised = cohort_of(folder, tmp_path / "b", quality={"denoise": "median"})
    assert plain == denoised
    assert (tmp_path / "a" / "images.bin").read_bytes() != (tmp_path / "b" / "images.bin").read_bytes()
