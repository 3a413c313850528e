"""The rows of the study's tables: one image, its label, its part."""

from dataclasses import dataclass

from lucency.domain.parts import Part

KEPT = "kept"
REFUSED = "refused"


@dataclass(frozen=True)
class CohortRow:
    """One image file, kept or refused (`cohort.csv`). Patients, exams and series are numbered, never named."""

    image_id: str
    """A function of `source` alone, the same on every machine."""
    patient_id: str = ""
    """P0001, P0002 …; the true identifiers are not written down."""
    exam_id: str = ""
    series_id: str = ""
    source: str = ""
    """Path below the image folder, or place in the archive; of a volume, that of its first file."""
    frame: int = 0
    """Number of the frame or page in a file that holds several, from 1; 0 for a file with one image."""
    n_files: int = 1
    """Files that the image was put together from; more than 1 for a volume."""
    sha256: str = ""
    """Hash of the file, or of the hashes of all files of a volume."""
    pixel_sha256: str = ""
    """Hash of the decoded pixels: equal for copies under other names or headers."""
    lookalike: str = ""
    """L0001, L0002 …: images that are one in another encoding, size or crop share a number; empty for the others."""
    instance_sha256: str = ""
    """Hash of the SOP Instance UID, of a volume that of the Series Instance UID, to find the image in a table of labels."""
    modality: str = ""
    slices: int = 1
    """1 unless the image is a volume."""
    rows: int = 0
    columns: int = 0
    spacing_mm: str = ""
    """Spacing of rows and columns, for example "0.14×0.14"; of a volume, that of its slices first. Empty when unknown."""
    site: str = ""
    laterality: str = ""
    view: str = ""
    sex: str = ""
    age_years: str = ""
    official_part: str = ""
    """The part that the data set itself prescribes, if any."""
    store_row: int = -1
    """Row of the decoded image in the store; −1 when refused."""
    status: str = KEPT
    """kept or refused."""
    reason: str = ""
    """Code of the refusal (E_…)."""
    criterion: str = ""
    """The criterion of the plan that an image which was left out did not satisfy, in words."""
    notes: str = ""
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


NOT_METADATA = {
    *("image_id", "patient_id", "exam_id", "series_id", "sha256", "pixel_sha256", "instance_sha256", "store_row"),
    *("lookalike", "status", "reason", "criterion"),
}
"""Columns that say nothing about what an image is, and that no criterion may speak of."""


@dataclass(frozen=True)
class LabelRow:
    """The label of one readable image, or the reason why it has none (`labels.csv`)."""

    image_id: str
    target: str
    """Name of the class to learn from; empty when there is none."""
    source: str
    """Where the label came from: folder, table, archive, readers, reports, masks or boxes."""
    status: str
    """kept, or refused where the image can neither teach nor judge."""
    reason: str
    """Code of the reason why there is no class to learn from."""
    soft: str = ""
    """Probability of each class to learn from, in the order of the classes, separated by spaces; empty for one class alone."""
    votes: str = ""
    """What each reader said, of the labels by which the image is judged."""
    agreement: str = ""
    """Share of the readers who said what counts."""
    reference: str = ""
    """Name of the class to be judged by, where the plan names a reference of its own; empty when it is `target`."""
    reference_reason: str = ""
    """Code of the reason why there is no class to be judged by."""
    notes: str = ""
    """Codes of what was decided or corrected by hand (N_…), separated by spaces."""

    @property
    def judged(self) -> str:
        """Return the class that the image is judged by; empty where there is none."""
        return "" if self.reference_reason else self.reference or self.target

    def in_part(self, part: str) -> str:
        """Return the class that counts in one part of the split: to learn from in training, to be judged by elsewhere."""
        return self.target if part == Part.TRAINING else self.judged


@dataclass(frozen=True)
class SplitRow:
    """The part of one labelled image (`split.csv`)."""

    image_id: str
    patient_id: str
    part: str
    component: str
    """Images that must stay together: linked by patient, exam or equal pixels."""
