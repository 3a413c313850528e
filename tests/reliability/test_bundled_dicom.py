"""Files of real scanners, and the collected trouble of twenty years: each ends as value, repaired or refused."""

import shutil
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pydicom
import pytest
from bad_inputs.case import disagreement
from bad_inputs.phantom import LPS_TO_RAS, Truth
from pydicom.data import get_testdata_files
from pydicom.dataset import Dataset

from lucency.data.codes import NOTES, REFUSALS
from lucency.data.volumes import Outcome, read_folder

BUNDLED = Path(pydicom.__file__).parent / "data"


def is_one_of_three(outcome: Outcome) -> bool:
    """Tell whether an outcome is a value, a value with documented notes, or a documented refusal."""
    return (outcome.volume is None) == (outcome.code in REFUSALS) and set(outcome.notes) <= set(NOTES)


def is_object(path: Path) -> bool:
    """Tell whether a file is a DICOM object: the directory of a disc is a table of contents and may be passed over."""
    return pydicom.misc.is_dicom(path) and not path.name.startswith("DICOMDIR")


def every_file(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.is_file())


def lone(path: Path, folder: Path) -> list[Outcome]:
    """Read a file alone: a copy in a folder of its own."""
    folder.mkdir()
    shutil.copy(path, folder / path.name)
    return list(read_folder(folder))


@pytest.fixture(scope="module")
def bundled(tmp_path_factory: pytest.TempPathFactory) -> dict[Path, list[Outcome]]:
    """Read each file that comes with pydicom alone."""
    top = tmp_path_factory.mktemp("bundled")
    files = [Path(name) for name in get_testdata_files() if Path(name).is_file()]
    charsets = list(every_file(BUNDLED / "charset_files"))
    return {path: lone(path, top / str(number)) for number, path in enumerate((*files, *charsets))}


def test_each_bundled_file_has_an_outcome(bundled: dict[Path, list[Outcome]]):
    """None raises, none is passed over but what is no DICOM at all."""
    assert not {path.name for path, outcomes in bundled.items() if not outcomes and is_object(path)}
    assert all(is_one_of_three(outcome) for outcomes in bundled.values() for outcome in outcomes)


def test_bundled_images_have_the_values_of_pydicom(bundled: dict[Path, list[Outcome]]):
    """Single images of CT, MR and CR, against pydicom's own decoding, rescale and geometry."""
    n_compared = 0
    for path, outcomes in bundled.items():
        truth = truth_by_pydicom(path)
        if truth is None or len(outcomes) != 1 or outcomes[0].volume is None:
            continue
        volume = outcomes[0].volume
        assert not disagreement(truth, volume.values, volume.affine), path.name
        n_compared += 1
    assert n_compared >= 30


def truth_by_pydicom(path: Path) -> Truth | None:
    """Return what pydicom makes of a single grey image of CT, MR or CR; None for all else."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            header = pydicom.dcmread(path)
            is_single = header.Modality in ("CT", "MR", "CR") and int(header.get("NumberOfFrames") or 1) == 1
            if not is_single or header.PhotometricInterpretation != "MONOCHROME2":
                return None
            values = header.pixel_array * float(header.get("RescaleSlope", 1)) + float(
                header.get("RescaleIntercept", 0)
            )
            return Truth(values[np.newaxis], affine_by_pydicom(header))
        except Exception:  # pydicom raises anything on what is damaged
            return None


def affine_by_pydicom(header: Dataset) -> np.ndarray | None:
    """Return the affine of a single image by PS3.3, C.7.6.2.1.1; its slices are as far apart as they are thick."""
    if not all(header.get(keyword) for keyword in ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing")):
        return None
    along_row, along_column = np.reshape(np.array(header.ImageOrientationPatient, float), (2, 3))
    affine = np.eye(4)
    affine[:3, 0] = np.cross(along_row, along_column)
    affine[:3, 1] = along_column * float(header.PixelSpacing[0])
    affine[:3, 2] = along_row * float(header.PixelSpacing[1])
    affine[:3, 3] = header.ImagePositionPatient
    affine[:3] = LPS_TO_RAS @ affine[:3]
    return affine


@pytest.mark.parametrize("name", ["test_files", "charset_files"])
def test_a_bundled_folder_is_read_whole(name: str):
    """Files of many studies, some with the same UIDs in other encodings, lie in one folder."""
    assert_all_have_outcomes(BUNDLED / name)


def test_the_trees_of_dicomdir_are_read_whole():
    """Studies as they come on a disc, with their directory."""
    assert_all_have_outcomes(BUNDLED / "test_files" / "dicomdirtests")


def assert_all_have_outcomes(folder: Path) -> None:
    outcomes = list(read_folder(folder))
    assert all(is_one_of_three(outcome) for outcome in outcomes)
    told = {(folder / file).resolve() for outcome in outcomes for file in outcome.files}
    assert not {path.name for path in every_file(folder) if is_object(path) and path.resolve() not in told}


def test_bundled_files_are_counted(bundled: dict[Path, list[Outcome]], tally):
    """The count that the documentation shows."""
    is_right = [
        bool(outcomes) and all(map(is_one_of_three, outcomes)) for path, outcomes in bundled.items() if is_object(path)
    ]
    tally("bundled DICOM files with an outcome", sum(is_right), len(is_right))


@pytest.mark.real
@pytest.mark.parametrize("name", ["dicom_mr_structural_64", "dicom_seg_sr_rt", "dicom_deid"])
def test_real_folders_have_outcomes(name: str, real_data: Path, tally):
    """Series of real scanners, with segmentations, reports and structure sets among them."""
    folder = real_data / name
    outcomes = list(read_folder(folder))
    told = {(folder / file).resolve() for outcome in outcomes if is_one_of_three(outcome) for file in outcome.files}
    files = [path for path in every_file(folder) if is_object(path)]
    tally(f"real DICOM files with an outcome ({name})", sum(path.resolve() in told for path in files), len(files))
