"""40 images without anything in their pixels, two exams a patient: what a cleaner has no reason to touch or to hold back."""

import numpy as np
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    RLELossless,
)

from .burned_in import compress
from .drawing import soft_tissue
from .folder import Folder, set_pixels

GROUP = "clean"
KINDS = (
    ("CT", 12, "<u2", "MONOCHROME2", ExplicitVRLittleEndian),
    ("MR", 16, "<u2", "MONOCHROME2", ImplicitVRLittleEndian),
    ("CR", 12, "<u2", "MONOCHROME1", RLELossless),
    ("CT", 16, "<i2", "MONOCHROME2", JPEG2000Lossless),
    ("DX", 8, "u1", "MONOCHROME2", JPEGBaseline8Bit),
    ("CT", 16, "<i2", "MONOCHROME2", DeflatedExplicitVRLittleEndian),
    ("MR", 12, "<u2", "MONOCHROME2", JPEG2000Lossless),
    ("CT", 12, ">u2", "MONOCHROME2", ExplicitVRBigEndian),
    ("DX", 12, "<u2", "MONOCHROME1", ExplicitVRLittleEndian),
    ("MR", 16, "<i2", "MONOCHROME2", RLELossless),
)


def write_clean(folder: Folder) -> None:
    """Write two images of two exams for each kind."""
    for modality, n_bits, dtype, photometric, syntax in KINDS:
        for _ in range(2):
            person = folder.new_person()
            for n_exam in (0, 1):
                draft = folder.draft(GROUP, person, n_exam, modality)
                grey = soft_tissue(64, 64, draft.number)
                scaled = grey * 4000 - 1000 if dtype == "<i2" else grey * (2**n_bits - 1)
                set_pixels(draft.dataset, scaled.astype(np.dtype(dtype)), n_bits, photometric)
                draft.dataset.BurnedInAnnotation = "NO"
                if syntax.is_encapsulated:
                    compress(draft.dataset, syntax)
                folder.write(draft, syntax, is_clean=True)
