"""What the scan says of headers, beside what pydicom says: every element of every file that can be had."""

import logging
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pydicom
import pydicom.data
import pytest
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue

from lucency.data.dicom.scan import SCANNED, scan

Tally = Callable[[str, int, int], None]


def test_every_element_of_a_header_is_what_pydicom_says(tally: Tally) -> None:
    """Pydicom's own files hold every encoding, many character sets and many a fault."""
    n_equal, n_all = compared(Path(pydicom.data.__file__).parent)
    assert n_all > 3000
    tally("header elements equal to pydicom's, its own test files", n_equal, n_all)


@pytest.mark.real
def test_every_element_of_a_real_header_is_what_pydicom_says(real_data: Path, tally: Tally) -> None:
    """Scanners write what no test file foresees."""
    n_equal, n_all = compared(real_data)
    assert n_all > 3000
    tally("header elements equal to pydicom's, real files", n_equal, n_all)


def compared(folder: Path) -> tuple[int, int]:
    """Count the elements that agree, and all that either of the two found in a file that is not refused."""
    logging.getLogger("pydicom").disabled = True
    n_equal = n_all = 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for file in scan(sorted(path for path in folder.rglob("*") if path.is_file())):
            if file.code:
                continue
            said = said_by_pydicom(file.path)
            n_all += len(said.keys() | file.elements.keys())
            n_equal += len(said.items() & file.elements.items())
    return n_equal, n_all


def said_by_pydicom(path: Path) -> dict[str, str]:
    """Read the elements with pydicom alone, converted as its users see them."""
    header = pydicom.dcmread(path, stop_before_pixels=True, force=True)
    texts = {}
    for keyword in SCANNED:
        group = header.file_meta if keyword == "TransferSyntaxUID" else header
        if keyword in group:
            texts[keyword] = "\\".join(str(value).strip(" \0") for value in values_of(group, keyword))
    return {keyword: text for keyword, text in texts.items() if text}


def values_of(header: Dataset, keyword: str) -> list[Any]:
    """Return the values of an element; if pydicom cannot convert it, its text as it stands in the file."""
    try:
        value = header[keyword].value
    except Exception:
        value = header.get_item(keyword).value.decode("latin-1")
    values = list(value) if isinstance(value, (list, MultiValue)) else [value]
    return ["" if value is None else value for value in values]
