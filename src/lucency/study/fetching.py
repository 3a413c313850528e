"""Images from a PACS: brought into the study folder once, and from then on read there."""

from dataclasses import asdict
from pathlib import Path

from lucency.domain.plan import Data
from lucency.study.stage import Study

FOLDER = "fetched"
"""Holds the images of a PACS with all that their headers say; readable by the owner only."""
IMAGES_FETCHED = "images fetched"


def image_path(data: Data, study: Path) -> Path:
    """Return where the images of a plan lie on this disk, or will lie."""
    return study / FOLDER if data.is_in_pacs else Path(data.images)


def images_at_hand(study: Study) -> Data:
    """Return the data with its images on this disk, after fetching what is not there yet, and record that.

    Raises:
        SourceError: the PACS cannot be reached, refuses, or does not hand out all that is asked for.
    """
    data = study.plan.data
    if not data.is_in_pacs:
        return data
    from lucency.data.dicom.pacs.fetch import fetch

    folder = image_path(data, study.folder.path)
    fetched = asdict(fetch(data.images, data.pacs, folder, study.desk))
    if study.folder.record.last(IMAGES_FETCHED, **fetched) is None:
        study.folder.record.append(IMAGES_FETCHED, **fetched)
    return data.model_copy(update={"images": str(folder)})
