"""The rows of the study's tables: one image, its label, its part."""

from dataclasses import dataclass

KEPT = "kept"
REFUSED = "refused"


@dataclass(frozen=True)
class CohortRow:
    """One image file, kept or refused (`cohort.csv`). Patients, exams and series are numbered, never named."""

    image_id: str
    """A function of `source` alone, the same on every machine."""
    patient_id: str
    """P0001, P0002 …; the true identifiers are not written down."""
    exam_id: str
    series_id: str
    source: str
    """Path below the image folder, or place in the archive."""
    sha256: str
    """Hash of the file."""
    pixel_sha256: str
    """Hash of the decoded pixels: equal for copies under other names or headers."""
    instance_sha256: str
    """Hash of the SOP Instance UID, to find the image in a table of labels."""
    modality: str
    rows: int
    columns: int
    spacing_mm: str
    """Row and column spacing, for example "0.14×0.14"; empty when unknown."""
    site: str
    laterality: str
    view: str
    sex: str
    age_years: str
    official_part: str
    """The part that the data set itself prescribes, if any."""
    store_row: int
    """Row of the decoded image in the store; −1 when refused."""
    status: str
    """kept or refused."""
    reason: str
    """Code of the refusal (E_…)."""
    notes: str
    """Codes of what was repaired or noted (N_…), separated by spaces."""
    manufacturer: str = ""
    model: str = ""
    year: str = ""
    """Year of the exam; no other part of a date is written down."""
    kvp: str = ""
    """Tube voltage in kilovolt."""
    slice_thickness_mm: str = ""
    kernel: str = ""
    """Reconstruction kernel or filter."""
    field_strength_tesla: str = ""


@dataclass(frozen=True)
class LabelRow:
    """The label of one readable image, or the reason why it has none (`labels.csv`)."""

    image_id: str
    target: str
    """Name of the class; empty when refused."""
    source: str
    """Where the label came from: folder, table or archive."""
    status: str
    reason: str


@dataclass(frozen=True)
class SplitRow:
    """The part of one labelled image (`split.csv`)."""

    image_id: str
    patient_id: str
    part: str
    component: str
    """Images that must stay together: linked by patient, exam or equal pixels."""
