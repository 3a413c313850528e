"""Which image a drawing belongs to: sure, or not at all."""

import pytest

from lucency.data.ground_truth.drawings.names import ImageNames, Match

IMAGES = [
    "a/p1.png",
    "a/p10.png",
    "a/p1-2.png",
    "benign (1).png",
    "case_0000.nii.gz",
    "case_0001.nii.gz",
    "1.2.840.77.3",
]


@pytest.mark.parametrize(
    ("drawing", "source", "structure"),
    [
        ("a/p1.png", "a/p1.png", ""),
        ("p1.nii.gz", "a/p1.png", ""),
        ("p1_mask.png", "a/p1.png", ""),
        ("p1-lung.png", "a/p1.png", "lung"),
        ("p1_left_lung_mask.png", "a/p1.png", "left lung"),
        ("mask_p10.tif", "a/p10.png", ""),
        ("p10.seg.nrrd", "a/p10.png", ""),
        ("p1-2_seg.png", "a/p1-2.png", ""),
        ("lungs/p1.png", "a/p1.png", "lungs"),
        ("p1/liver.png", "a/p1.png", "liver"),
        ("p1/3.png", "a/p1.png", ""),
        ("benign (1)_mask.png", "benign (1).png", ""),
        ("benign (1)_mask_1.png", "benign (1).png", ""),
        ("1.2.840.77.3.png", "1.2.840.77.3", ""),
        ("p1_ggo.png", "a/p1.png", "ggo"),
    ],
)
def test_usual_names_find_their_image(drawing, source, structure):
    """As data sets in circulation write them."""
    assert ImageNames(IMAGES, structures=["GGO"]).match(drawing) == Match((source,), structure)


@pytest.mark.parametrize(
    "drawing", ["p1_followup.png", "p1_2_mask.png", "p100.png", "xp1.png", "p.png", "p1_final2.png"]
)
def test_a_name_that_may_be_another_image_finds_none(drawing):
    """A mask on the wrong patient is worse than none."""
    assert ImageNames(IMAGES).match(drawing) == Match()


def test_channels_of_one_case_share_a_mask():
    """NnU-Net writes case_0000 and case_0001 for two sequences, and one label map `case`."""
    assert ImageNames(IMAGES).match("case.nii.gz").sources == ("case_0000.nii.gz", "case_0001.nii.gz")


def test_equal_names_in_two_folders_are_told_apart_by_folder_only():
    """IM0001 exists in every exam."""
    names = ImageNames(["x/im1.png", "y/im1.png"])
    assert names.match("im1.png") == Match()
    assert names.match("y/im1_mask.png").sources == ("y/im1.png",)
    assert names.match_file_name("x/im1.png").sources == ("x/im1.png",)
    assert names.match_file_name("im1.png") == Match()


def test_a_series_goes_by_the_name_of_its_folder():
    """Files of a series have numbers for names; the mask is named after the series."""
    names = ImageNames(["exams/ct7/IM001.dcm"], series=["exams/ct7/IM001.dcm"])
    assert names.match("ct7_seg.nii.gz").sources == ("exams/ct7/IM001.dcm",)
    assert names.match("exams/ct7.nii.gz").sources == ("exams/ct7/IM001.dcm",)
