"""Send DICOM files to a PACS: the way back for results, such as the masks that `lucency predict` will write."""

from collections.abc import Sequence
from contextlib import closing
from functools import partial
from pathlib import Path

from pydicom import dcmread
from pydicom.errors import InvalidDicomError

from lucency.data.dicom.pacs.address import parse_address
from lucency.data.dicom.pacs.archive import Archive
from lucency.data.dicom.pacs.fetch import open_archive
from lucency.data.dicom.pacs.patience import patiently
from lucency.domain.data_plan import Pacs
from lucency.domain.progress import Desk
from lucency.errors import SourceError


def send(files: Sequence[Path], address: str, settings: Pacs, desk: Desk) -> None:
    """Store files in a PACS, one by one (STOW-RS or C-STORE); storing one twice changes nothing there.

    Raises:
        PlanError: the address is wrong.
        SourceError: a file is not DICOM, the PACS cannot be reached, or it did not take all files.
    """
    n_refused = 0
    with (
        closing(open_archive(parse_address(address), settings)) as archive,
        desk.progress("Sending to the PACS", len(files)) as progress,
    ):
        for file in files:
            n_refused += not patiently(partial(_store, archive, file), settings.n_retries, desk)
            progress.advance()
    if n_refused:
        raise SourceError(
            f"The PACS did not take {n_refused} of {len(files)} files. Ask the PACS administrator whether it accepts objects "
            "of their kind."
        )


def _store(archive: Archive, file: Path) -> bool:
    try:
        return archive.store(dcmread(file))
    except (InvalidDicomError, AttributeError, TypeError, ValueError, OSError):  # OSError: cut short, or not there
        raise SourceError(f"{file.name} is not a DICOM file that can be sent. Leave it out.") from None
