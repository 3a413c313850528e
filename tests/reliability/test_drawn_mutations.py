"""Damaged drawings: every one is read, or refused with a documented code; none raises, none is believed at a wrong size."""

import gzip
import json
from pathlib import Path

import nibabel
import numpy as np
from PIL import Image

from lucency.data.codes import NOTES, REFUSALS
from lucency.data.ground_truth.drawings.finding import find_drawings
from lucency.data.ground_truth.drawings.images import ImageOnDisk
from lucency.data.ground_truth.drawings.reading import DrawnOn, read_drawings
from lucency.domain.labels_plan import Drawings
from lucency.domain.progress import Silence

N_EACH = 150
SHAPE = (24, 31)


def whole_files(folder: Path) -> dict[str, bytes]:
    """Return one sound file of each kind that one image may have."""
    mask = np.zeros(SHAPE, np.uint8)
    mask[5:12, 8:20] = 255
    Image.fromarray(mask).save(folder / "p.png")
    Image.fromarray(mask).save(folder / "p.tif")
    nibabel.save(nibabel.Nifti1Image((mask.T[..., None] > 0).astype(np.uint8), np.eye(4)), folder / "p.nii")
    coco = {
        "images": [{"id": 1, "file_name": "p.png", "height": 24, "width": 31}],
        "annotations": [
            {"id": 1, "image_id": 1, "category_id": 1, "bbox": [8, 5, 12, 7], "segmentation": [[8, 5, 20, 5, 20, 12]]},
            {"id": 2, "image_id": 1, "category_id": 1, "segmentation": {"size": [24, 31], "counts": [300, 20, 424]}},
        ],
        "categories": [{"id": 1, "name": "nodule"}],
    }
    (folder / "a.json").write_text(json.dumps(coco))
    sound = {file.name: file.read_bytes() for file in sorted(folder.iterdir())}
    return sound | {"p.nii.gz": gzip.compress(sound["p.nii"])}


def mutated(content: bytes, draw: np.random.Generator) -> bytes:
    """Change a few bytes, and now and then cut the end off."""
    damaged = bytearray(content)
    for place in draw.integers(0, len(damaged), draw.integers(1, 6)):
        damaged[place] = draw.integers(256)
    return bytes(damaged[: draw.integers(1, len(damaged))]) if draw.random() < 0.2 else bytes(damaged)


def is_one_of_three(drawn: DrawnOn) -> bool:
    """Tell whether an image has marks of its own size, with documented notes, or a documented refusal."""
    masks = [mask for marks in drawn.marks.values() for mask in marks.masks]
    return (
        bool(drawn.code) != (drawn.by_reader is not None)
        and (not drawn.code or drawn.code in REFUSALS)
        and set(drawn.notes) <= set(NOTES)
        and all(mask.voxels.shape == (1, *SHAPE) for mask in masks)
    )


def test_damaged_drawings_have_an_outcome(tmp_path, tally):
    """A mask that came through a bad disc must not stop a study of thousands."""
    draw = np.random.default_rng(11)
    (tmp_path / "sound").mkdir()
    image = ImageOnDisk("p", "p.png", (tmp_path / "p.png",), (1, *SHAPE))
    Image.fromarray(np.zeros(SHAPE, np.uint8)).save(tmp_path / "p.png")
    n_kept = n_all = 0
    for name, content in whole_files(tmp_path / "sound").items():
        for number in range(N_EACH):
            folder = tmp_path / "damaged" / f"{name}-{number}"
            folder.mkdir(parents=True)
            (folder / name).write_bytes(mutated(content, draw))
            settings = Drawings(path=str(folder))
            found = find_drawings([image], settings)
            drawn = next(read_drawings([image], found, settings, Silence()))
            is_listed = bool(found.unmatched) and all(one.code in REFUSALS for one in found.unmatched)
            n_kept += is_one_of_three(drawn) or is_listed
            n_all += 1
    tally("damaged drawings with an outcome", n_kept, n_all)
