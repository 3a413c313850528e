"""From drawings to labels and rows: readers, lesions, what is missing, what is refused."""

import json

import numpy as np
import pytest
from made_up import picture, shape_mask, volume, volume_mask, write_nii, write_png

from lucency.data.ground_truth.drawings.consensus import consensus_of
from lucency.data.ground_truth.drawings.labels import labels_from_drawings
from lucency.data.ground_truth.drawings.marks import Marks
from lucency.domain.labels_plan import Drawings
from lucency.domain.masks import Mask
from lucency.domain.progress import Silence
from lucency.errors import SourceError

TRUTH = shape_mask()
LEVELS = TRUTH.astype(np.uint8) * 255
NOTHING = np.zeros_like(LEVELS)


def labels(images, **settings):
    return labels_from_drawings(images, Drawings(**settings), Silence())


def targets(found):
    return {label.image_id: label.target or label.code for label in found.labels}


@pytest.fixture
def three(tmp_path):
    """Return three images: drawn on, looked at, and without any file."""
    write_png(tmp_path / "masks" / "p1_mask.png", LEVELS)
    write_png(tmp_path / "masks" / "p2.png", NOTHING)
    return [picture(tmp_path, name) for name in ("p1.png", "p2.png", "p3.png")]


def test_an_empty_mask_is_an_answer_and_no_mask_is_none(three, tmp_path):
    """Whether a missing file means “nothing there” only the people who drew can know."""
    found = labels(three, path=str(tmp_path / "masks"), finding="nodule")
    assert targets(found) == {"p1.png": "nodule", "p2.png": "no_nodule", "p3.png": "E_NO_LABEL"}
    found = labels(three, path=str(tmp_path / "masks"), structures=["nodule"], missing="empty")
    assert targets(found)["p3.png"] == "no_nodule"


def test_rows_measure_what_was_drawn(three, tmp_path):
    """Against sums by hand: pixels of 0.5 by 0.25 mm; the longest diameter runs from the disc to the bar."""
    row = labels(three, path=str(tmp_path / "masks")).rows[0]
    assert (row.n_voxels, row.area_mm2) == (TRUTH.sum(), f"{TRUTH.sum() * 0.125:g}")
    rows, columns = np.nonzero(TRUTH)
    assert (row.left, row.top) == (str(columns.min()), str(rows.min()))
    assert (row.width, row.height) == (str(np.ptp(columns) + 1), str(np.ptp(rows) + 1))
    points = np.stack([rows * 0.5, columns * 0.25], axis=1)
    farthest = max(np.hypot(*(points - point).T).max() for point in points)
    assert float(row.longest_mm) == pytest.approx(farthest + 0.375, rel=1e-5)


def test_connected_parts_become_lesions_with_numbers(three, tmp_path):
    """A lesion each, if the plan says so."""
    found = labels(three, path=str(tmp_path / "masks"), split_lesions=True)
    assert [(row.image_id, row.number, row.n_voxels > 0) for row in found.rows] == [
        ("p1.png", 1, True),
        ("p1.png", 2, True),
        ("p2.png", 1, False),
    ]


def test_pixels_that_touch_at_a_corner_are_one_lesion(tmp_path):
    """A thin oblique line is not twenty lesions."""
    write_png(tmp_path / "masks" / "p1.png", np.eye(40, 56, dtype=np.uint8) * 255)
    found = labels([picture(tmp_path)], path=str(tmp_path / "masks"), split_lesions=True)
    assert [row.n_voxels for row in found.rows] == [40]


def test_several_files_of_an_image_are_several_lesions(tmp_path):
    """BUSI keeps further lesions of an image in files of their own."""
    for name, part in (("p1_mask.png", slice(0, 25)), ("p1_mask_1.png", slice(25, 40))):
        levels = np.zeros_like(LEVELS)
        levels[part] = LEVELS[part]
        write_png(tmp_path / "masks" / name, levels)
    found = labels([picture(tmp_path)], path=str(tmp_path / "masks"))
    assert [row.number for row in found.rows] == [1, 2]
    assert found.labels[0].n_voxels == TRUTH.sum()


def test_a_refused_drawing_takes_the_label_of_its_image(three, tmp_path):
    """Without it, one cannot know what it would have shown; the other images keep theirs."""
    write_png(tmp_path / "masks" / "p2.png", NOTHING[:-1])
    write_png(tmp_path / "masks" / "stranger.png", LEVELS)
    found = labels(three, path=str(tmp_path / "masks"))
    assert targets(found) == {"p1.png": "lesion", "p2.png": "E_MASK_SIZE", "p3.png": "E_NO_LABEL"}
    assert [(one.file, one.code) for one in found.found.unmatched] == [("stranger.png", "E_NO_IMAGE")]


def test_drawings_of_refused_images_go_to_no_neighbour(three, tmp_path):
    """The image p1-2 was refused; its mask is not the second mask of p1."""
    from dataclasses import replace

    write_png(tmp_path / "masks" / "p1-2_mask.png", LEVELS)
    refused = replace(picture(tmp_path, "p1-2.png"), is_kept=False)
    found = labels([*three, refused], path=str(tmp_path / "masks"))
    assert [row.image_id for row in found.rows] == ["p1.png", "p2.png"]
    assert not found.found.unmatched


def test_only_structures_that_count_make_an_image_positive(tmp_path):
    """Names are the same whatever their capitals and hyphens."""
    labels_of = np.where(TRUTH, 1, 0).astype(np.uint8)
    write_png(tmp_path / "masks" / "p1.png", labels_of)
    write_png(tmp_path / "masks" / "p2.png", labels_of * 2)
    images = [picture(tmp_path, "p1.png"), picture(tmp_path, "p2.png")]
    settings = {"path": str(tmp_path / "masks"), "names": {"1": "Left_Lung", "2": "nodule"}}
    assert targets(labels(images, **settings, structures=["left lung"])) == {
        "p1.png": "left lung",
        "p2.png": "no_left lung",
    }
    with pytest.raises(SourceError, match="Nothing in the drawings is called left lng"):
        labels(images, **settings, structures=["left lng"])


def test_a_mask_without_a_name_is_refused_where_several_names_count(three, tmp_path):
    """Nothing tells whether it shows the one or the other."""
    found = labels(three, path=str(tmp_path / "masks"), structures=["nodule", "mass"])
    assert targets(found)["p1.png"] == "E_UNKNOWN_NAME"


def test_a_mask_that_fills_the_image_is_noted(tmp_path):
    """Black on white instead of white on black is a common slip."""
    write_png(tmp_path / "masks" / "p1.png", 255 - np.where(np.roll(TRUTH, -4, 1), 255, 0).astype(np.uint8))
    found = labels([picture(tmp_path)], path=str(tmp_path / "masks"))
    assert found.labels[0].notes == ("N_MASK_MOST",)


def test_readers_become_one_mask_and_their_agreement_is_counted(tmp_path):
    """Two of three readers draw the disc; the consensus is that disc, and each pair is counted."""
    disc = LEVELS.copy()
    disc[28:] = 0
    shifted = np.roll(disc, 2, axis=1)
    for reader, levels in (("A", disc), ("B", disc), ("C", shifted)):
        write_png(tmp_path / reader / "p1.png", levels)
        write_png(tmp_path / reader / "p2.png", NOTHING)
    images = [picture(tmp_path, "p1.png"), picture(tmp_path, "p2.png")]
    found = labels(images, readers={reader: str(tmp_path / reader) for reader in "ABC"}, finding="disc")
    assert targets(found) == {"p1.png": "disc", "p2.png": "no_disc"}
    assert found.labels[0].votes == {"A": True, "B": True, "C": True}
    assert found.labels[0].n_voxels == (disc > 0).sum()
    pair = next(pair for pair in found.pairs if (pair.first, pair.second) == ("A", "C"))
    assert (pair.n_first, pair.n_second, pair.n_both) == (
        (disc > 0).sum(),
        (shifted > 0).sum(),
        ((disc > 0) & (shifted > 0)).sum(),
    )
    assert {row.reader for row in found.rows} == {"A", "B", "C", "consensus"}


def test_boxes_label_images_too(tmp_path):
    """An image in the file without a box is negative; one that the file does not list has no label."""
    content = {
        "images": [{"id": 1, "file_name": "p1.png"}, {"id": 2, "file_name": "p2.png"}],
        "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [3, 4, 10, 6]}],
        "categories": [{"id": 1, "name": "nodule"}],
    }
    (tmp_path / "boxes.json").write_text(json.dumps(content))
    images = [picture(tmp_path, name) for name in ("p1.png", "p2.png", "p3.png")]
    found = labels(images, path=str(tmp_path / "boxes.json"), structures=["nodule"])
    assert targets(found) == {"p1.png": "nodule", "p2.png": "no_nodule", "p3.png": "E_NO_LABEL"}
    assert (found.rows[0].area_mm2, found.rows[0].left, found.rows[0].height) == ("7.5", "3", "6")


def test_volumes_and_their_slices_are_labelled_by_one_mask(tmp_path):
    """As a whole, or each slice for itself: then only the slices on which something was drawn are positive."""
    mask = volume_mask()
    image = write_nii(tmp_path / "p1.nii.gz", mask.astype(np.int16), np.diag([1.5, 2, 3, 1]))
    write_nii(tmp_path / "masks" / "p1_seg.nii.gz", mask.astype(np.uint8), np.diag([1.5, 2, 3, 1]))
    found = labels([volume(image)], path=str(tmp_path / "masks"))
    assert found.rows[0].volume_mm3 == f"{mask.sum() * 9:g}"
    from dataclasses import replace

    n_slices, n_rows, n_columns = mask.T.shape
    one = replace(volume(image), shape=(1, n_rows, n_columns))
    frames = [replace(one, image_id=str(k), frame=k + 1) for k in range(n_slices)]
    found = labels(frames, path=str(tmp_path / "masks"))
    # slices run to the head in both; rows and columns may be turned
    assert [label.n_voxels for label in found.labels] == mask.sum(axis=(0, 1)).tolist()


def test_what_is_missing_is_said_in_words(tmp_path):
    """No folder, or a folder of something else."""
    with pytest.raises(SourceError, match=r"Check `data\.labels\.drawings`"):
        labels([picture(tmp_path)], path=str(tmp_path / "nowhere"))
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "a.txt").write_text("no drawing")
    with pytest.raises(SourceError, match="None of the 1 files"):
        labels([picture(tmp_path)], path=str(tmp_path / "texts"))


def test_masks_that_agree_by_chance_alone_carry_a_note() -> None:
    """What STAPLE has not settled is no consensus; readers who agree need no word."""
    chance, shape = np.random.default_rng(591), (9, 12, 12)
    wild = {reader: Marks((Mask("lesion", chance.random(shape) < 0.5),)) for reader in "ABC"}
    sure = {reader: Marks((Mask("lesion", np.indices(shape).sum(0) < 12),)) for reader in "ABC"}
    assert consensus_of(sure, shape).notes == ()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("lucency.data.ground_truth.staple.MOST_ITERATIONS", 2)
        assert consensus_of(wild, shape).notes == ("N_STAPLE",)
