"""Fill a folder with the 2,150 planted identifiers and with clean images beside them."""

from collections import Counter
from pathlib import Path

import pydicom.config

from .burned_in import plant_burned_in
from .charsets import plant_charsets
from .clean import write_clean
from .containers import plant_containers
from .dates import plant_dates
from .documents import plant_documents
from .folder import Folder
from .free_text import plant_free_text
from .graphics import plant_graphics
from .mint import Mint
from .names import plant_names
from .nested import plant_nested
from .private import plant_private
from .table import plant_table
from .uids import plant_uids

PUBLIC_SEED = 2150
COUNTS = {
    "table": 620,
    "nested": 300,
    "private": 200,
    "uids": 150,
    "dates": 200,
    "free text": 250,
    "burned-in": 120,
    "graphics": 60,
    "documents": 60,
    "container": 80,
    "names": 60,
    "charsets": 50,
}
N_PLANTED = 2150


def plant(seed: int, path: Path) -> Folder:
    """Write the input files below a path; the same seed gives the same bytes."""
    folder = Folder(path, Mint(seed))
    classes = (
        plant_table,
        plant_nested,
        plant_private,
        plant_uids,
        plant_dates,
        plant_free_text,
        plant_burned_in,
        plant_graphics,
        plant_documents,
        plant_containers,
        plant_names,
        plant_charsets,
        write_clean,
    )
    mode = pydicom.config.settings.writing_validation_mode
    pydicom.config.settings.writing_validation_mode = pydicom.config.IGNORE
    try:
        for write_class in classes:
            write_class(folder)
    finally:
        pydicom.config.settings.writing_validation_mode = mode
    counts = Counter(planted.group for planted in folder.planted)
    assert {group: counts[group] for group in COUNTS} == COUNTS
    assert sum(COUNTS.values()) == N_PLANTED
    return folder
