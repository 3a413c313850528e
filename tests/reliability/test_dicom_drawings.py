"""Count what segmentations and structure sets become: the masks that others see too, or a reason."""

from pathlib import Path

import highdicom as hd
import numpy as np
import pydicom
import pytest

from data.drawn_files import in_order, save, segmentation, series, structure_set
from lucency.data.codes import EXPLANATIONS
from lucency.data.dicom.drawings.drawn import Drawn
from lucency.data.dicom.drawings.grids import grid_of_series
from lucency.data.dicom.drawings.segmentation import read_segmentation
from lucency.data.dicom.drawings.structure_set import read_structure_set
from lucency.domain.masks import ImageGrid

N_MUTATIONS = 150


@pytest.mark.real
def test_segments_are_those_that_highdicom_reads(real_data, tally):
    """An independent reader, asked for each instance or slide by itself."""
    folder = real_data / "dicom_seg_sr_rt" / "highdicom"
    n_equal = n_all = 0
    for name, images in images_of(folder).items():
        grid = grid_of_series(images)
        found = read_segmentation(folder / name, grid)
        oracle = hd.seg.segread(folder / name)
        n_all += len(oracle.segment_numbers)
        for number, mask in zip(oracle.segment_numbers, found.masks, strict=False):
            if oracle.is_tiled:
                theirs = oracle.get_total_pixel_matrix(segment_numbers=[number])[..., 0]
            else:
                uids = list(grid.instance_uids)
                theirs = oracle.get_pixels_by_source_instance(uids, segment_numbers=[number])[..., 0]
            n_equal += bool(np.allclose(mask.voxels, theirs, atol=1e-6))
    tally("DICOM segments equal to highdicom's reading", n_equal, n_all)


def images_of(folder: Path) -> dict[str, list[Path]]:
    """Return the images of each segmentation; one that was drawn on slices that form no volume is left out."""
    bundled = Path(pydicom.__file__).parent / "data" / "test_files" / "dicomdirtests" / "77654033"
    ct = [bundled / "CT2" / name for name in ("17136", "17166", "17196")]
    images = dict.fromkeys(("ct_binary", "ct_binary_fractional", "ct_true_fractional"), ct)
    images |= {"cr_binary": [bundled / "CR1" / "6154"], "ct_binary_single_frame": [folder / "ct_image.dcm"]}
    named = {f"seg_image_{name}.dcm": files for name, files in images.items()}
    return named | {path.name: [folder / "sm_image_control.dcm"] for path in folder.glob("seg_image_sm_*.dcm")}


@pytest.mark.real
def test_drawings_of_other_images_are_refused(real_data, tally):
    """Each segmentation and structure set with the images of all the others, and those that are broken with their own."""
    folder = real_data / "dicom_seg_sr_rt"
    own = images_of(folder / "highdicom")
    grids = {tuple(images): grid_of_series(images) for images in own.values()}
    rt_images = (folder / "rt_utils" / "ct_1.dcm", folder / "rt_utils" / "ct_2.dcm")
    grids[rt_images] = grid_of_series(rt_images)
    n_refused = n_all = 0
    for name, images in own.items():
        for others in grids.keys() - {tuple(images)}:
            n_refused += bool(read_segmentation(folder / "highdicom" / name, grids[others]).code)
            n_all += 1
    for name in ("rt_utils/invalid_reference_rt.dcm", "rt_utils/non_existent_reference_rt.dcm", "dicompyler/rtss.dcm"):
        for grid in grids.values():
            n_refused += bool(read_structure_set(folder / name, grid).code)
            n_all += 1
    tally("drawings of another image, or with broken references, refused", n_refused, n_all)


def test_damaged_drawings_end_in_a_code(tmp_path, tally, capfd):
    """Whatever is in a file, it becomes masks of the right size or a reason in words."""
    files = series(tmp_path / "ct", (4, 9, 8))
    grid = grid_of_series(files)
    sources = in_order(files)
    labels = np.random.default_rng(2).integers(0, 3, (4, 9, 8)).astype(np.uint8)
    square = np.array([[-30.0, 13, 40], [-26, 13, 40], [-26, 16, 40], [-30, 16, 40]])
    bases = {
        "binary": segmentation(files, np.stack([labels > 0, labels > 1], axis=-1).astype(np.uint8)),
        "label map": segmentation(files, labels, "LABELMAP", transfer_syntax_uid="1.2.840.10008.1.2.5"),
        "structures": structure_set({"a": [square, np.add(square, (0, 0, 2.5))], "b": [square]}, sources),
    }
    n_kept = 0
    for name, header in bases.items():
        path = save(tmp_path / "base.dcm", header)
        content = path.read_bytes()
        draw = np.random.default_rng(7)
        for _ in range(N_MUTATIONS):
            path.write_bytes(damaged(content, draw))
            found = read_structure_set(path, grid) if name == "structures" else read_segmentation(path, grid)
            n_kept += ends_well(found, grid)
    assert capfd.readouterr() == ("", "")  # a remark of a library on the terminal may quote the header
    tally("damaged DICOM drawings that end in masks or a code", n_kept, N_MUTATIONS * len(bases))


def damaged(content: bytes, draw: np.random.Generator) -> bytes:
    """Change, cut out or double some bytes behind the preamble."""
    changed = bytearray(content)
    for _ in range(int(draw.integers(1, 4))):
        at = int(draw.integers(132, len(changed)))
        match draw.integers(4):
            case 0:
                changed[at] ^= 1 << int(draw.integers(8))
            case 1:
                changed[at : at + 4] = b"\xff\xff\xff\xff"
            case 2:
                del changed[at : at + int(draw.integers(1, 40))]
            case _:
                changed[at:at] = changed[at : at + int(draw.integers(1, 40))]
        if len(changed) < 140:
            break
    return bytes(changed)


def ends_well(found: Drawn, grid: ImageGrid) -> bool:
    if found.code:
        return found.code in EXPLANATIONS and not found.masks
    return all(note in EXPLANATIONS for note in found.notes) and all(
        mask.voxels.shape == grid.shape for mask in found.masks
    )
