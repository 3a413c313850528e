"""Send DICOM files to a PACS: the way back for results, such as the masks that `lucency predict` will write."""

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from pydicom import Dataset, dcmread

from lucency.data.dicom.pacs.address import parse_address
from lucency.data.dicom.pacs.fetch import open_archive
from lucency.data.dicom.pacs.patience import patiently
from lucency.domain.plan import Pacs
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
            dataset = _read(file)
            n_refused += not patiently(lambda dataset=dataset: archive.store(dataset), settings.n_retries, desk)  # type: ignore[misc]
            progress.advance()
    if n_refused:
        raise SourceError(
            f"The PACS did not take {n_refused} of {len(files)} files. Ask the PACS administrator whether it accepts objects "
            "of their kind."
        )


def _read(file: Path) -> Dataset:
    try:
        return dcmread(file)
    except Exception:  # pydicom raises anything on what is no DICOM file
        raise SourceError(f"{file.name} is not a DICOM file, so that no PACS takes it. Leave it out.") from None
