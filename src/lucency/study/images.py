"""The images of a study on this disk: fetched from a PACS, de-identified, or where the plan says that they lie."""

from dataclasses import asdict
from pathlib import Path

from lucency.data.naming import SAME_NAMES, Naming
from lucency.domain.cohort import REFUSED, CohortRow
from lucency.domain.data_plan import Data, Deidentification
from lucency.errors import PlanError, SourceError
from lucency.study.folder import StudyFolder
from lucency.study.stage import Study

FETCHED, DEIDENTIFIED = "fetched", "deidentified"
"""Folders below that of the study, readable by the owner only: images of a PACS with all that their headers say, and
de-identified copies."""
FILES = "files.csv"
"""The files of each volume."""
ACCOUNT = f"{DEIDENTIFIED}/deidentification.json"
NO_IMAGES = ("E_DICOMDIR", "E_DEID_OTHER")
"""Codes of files that were left out because they are no images at all."""
IMAGES_FETCHED, IMAGES_DEIDENTIFIED = "images fetched", "images de-identified"


def image_path(data: Data, study: Path) -> Path:
    """Return where the images that are read lie on this disk, or will lie."""
    return study / DEIDENTIFIED if data.deidentify else _original_path(data, study)


def images_at_hand(study: Study) -> Data:
    """Return the data with its images on this disk, after fetching and de-identifying what is not there yet.

    Raises:
        SourceError: the PACS cannot be reached, refuses, or does not hand out all that is asked for; no image is there.
        PlanError: the study was begun with de-identified images, and the plan reads the originals.
    """
    data = study.plan.data
    if data.is_in_pacs:
        _fetch(study)
    if data.deidentify:
        _deidentify(study, data.deidentify)
    elif (study.folder.path / ACCOUNT).exists():
        raise PlanError(
            "This study was begun with de-identified images, and the plan reads the originals. Add `deidentify: {}` below "
            "`data`, or choose another folder with --out."
        )
    return data.model_copy(update={"images": str(image_path(data, study.folder.path))})


def fingerprint_of_images(study: Study) -> str:
    """Return a hash that changes when any image does; of de-identified copies, that of their account.

    Raises:
        SourceError, PlanError: as `images_at_hand`.
    """
    from lucency.data.sources import fingerprint

    data = images_at_hand(study)
    return study.folder.hash(ACCOUNT) if data.deidentify else fingerprint(data)


def naming_of(study: Study) -> Naming:
    """Return how tables know the images; what was renamed is known to whoever holds the private list and the key."""
    settings = study.plan.data.deidentify
    if settings is None or not _key_file(study, settings).exists():
        return SAME_NAMES
    from lucency.data.dicom.deidentification.naming import read_naming

    return read_naming(study.folder.path / DEIDENTIFIED, _key_file(study, settings), settings)


def rows_held_back(study: Study) -> list[CohortRow]:
    """Return a row for each file that de-identification did not let through, so that the flow diagram counts it."""
    if study.plan.data.deidentify is None:
        return []
    files = study.folder.read_json(ACCOUNT)["files"]
    return [
        CohortRow(image_id=file["file"], source=file["file"], status=REFUSED, reason=file["code"])
        for file in files
        if file["fate"] != "written" and file["code"] not in NO_IMAGES
    ]


def _original_path(data: Data, study: Path) -> Path:
    return study / FETCHED if data.is_in_pacs else Path(data.images)


def _fetch(study: Study) -> None:
    from lucency.data.dicom.pacs.fetch import fetch

    data, folder = study.plan.data, study.folder
    fetched = asdict(fetch(data.images, data.pacs, folder.path / FETCHED, study.desk))
    _record_once(folder, IMAGES_FETCHED, fetched)


def _deidentify(study: Study, settings: Deidentification) -> None:
    """De-identify what is not done yet; where the originals are gone, go on with what was made of them."""
    from lucency.data.dicom.deidentification.folder import deidentify_folder

    source, out = _original_path(study.plan.data, study.folder.path), study.folder.path / DEIDENTIFIED
    if not source.exists() and (study.folder.path / ACCOUNT).exists():
        study.desk.say(f"{source.name} is not here; going on with its de-identified copies.")
        return
    deidentify_folder(source, out, settings, _key_file(study, settings), study.desk)
    account = study.folder.read_json(ACCOUNT)
    facts: dict[str, object] = {
        name: account[name] for name in ("edition", "settings", "methods", "n_files", "n_patients")
    }
    _record_once(study.folder, IMAGES_DEIDENTIFIED, facts)
    if not account["n_patients"]:
        counts = ", ".join(f"{n} {fate}" for fate, n in account["n_files"].items() if n)
        raise SourceError(
            f"De-identification let no image through ({counts}). Read {DEIDENTIFIED}/deidentification.html in the study's "
            "folder, and look at what was held back beside the key; `data.deidentify.burned_in` decides on text in pictures."
        )


def _key_file(study: Study, settings: Deidentification) -> Path:
    if settings.key:
        return Path(settings.key)
    folder = study.folder.path
    return folder.with_name(f"{folder.name}-private") / "key"


def _record_once(folder: StudyFolder, event: str, facts: dict[str, object]) -> None:
    if folder.record.last(event, **facts) is None:
        folder.record.append(event, **facts)
