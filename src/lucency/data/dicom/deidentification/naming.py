"""What the owner of the key knows: which de-identified file was which original."""

from pathlib import Path

from lucency.data.dicom.deidentification.account import read_originals
from lucency.data.dicom.deidentification.folder import private_list_of
from lucency.data.dicom.deidentification.pseudonyms import Pseudonyms, read_or_make_key
from lucency.data.naming import Naming
from lucency.domain.data_plan import Deidentification


def read_naming(out: Path, key_file: Path, settings: Deidentification) -> Naming:
    """Return the way from the names in a hospital's tables to those in a folder of results.

    Raises:
        PlanError: the key file is none, or others may read it.
    """
    pseudonyms = Pseudonyms(read_or_make_key(key_file))
    originals = read_originals(private_list_of(out, key_file))
    if settings.uids == "keep":
        return Naming(originals, new_patient=pseudonyms.patient)
    return Naming(originals, pseudonyms.uid, pseudonyms.patient)
