"""The plan's part about data: images, labels, patients, and what becomes of them before anything is learnt."""

import re
from datetime import date
from typing import Annotated, Literal

from pydantic import AliasChoices, Field, field_validator, model_validator

from lucency.domain.labels_plan import Labels
from lucency.domain.section import File, Fraction, Section
from lucency.domain.text_plan import Text


class Patient(Section):
    """How the patient of an image is known. The patient is the unit of the split, of the bootstrap and of the count."""

    from_: Literal["dicom", "table", "filename", "each_image"] = Field("dicom", alias="from")
    """`dicom`: Patient ID and issuer in the header. `table`: a column of the label table. `filename`: the part of the
    path that `pattern` matches. `each_image` (or `each_report`): says out loud that every image is from another patient."""
    pattern: str | None = None
    """Regular expression searched in the file name, then in the path below the image folder, when `from: filename`;
    the patient is what its groups caught, or else the whole match."""
    column: str = "patient"
    """Column that names the patient, when `from: table`: of the table of reports if there is one that has it, else of the
    table of labels."""

    @model_validator(mode="before")
    @classmethod
    def _accept_one_word(cls, value: object) -> object:
        named = {"from": value} if isinstance(value, str) else value
        if isinstance(named, dict) and named.get("from") == "each_report":
            return {**named, "from": "each_image"}
        return named

    @model_validator(mode="after")
    def _ask_for_the_pattern(self) -> "Patient":
        if self.from_ == "filename" and not self.pattern:
            raise ValueError("`from: filename` needs a `pattern`, for example '^(patient\\d+)'")
        return self


class Image(Section):
    """The one form that every image is brought to."""

    size: Annotated[int, Field(ge=8, le=4096)] | tuple[int, int] = 224
    """Height and width in pixels; one number means square."""
    channels: Literal["grey", "colour"] = "grey"
    """Radiographs, CT and MR are grey; colour is for photographs, slides and Doppler."""
    n_slices: Annotated[int, Field(ge=4, le=512)] | None = None
    """Null: every file, frame or slice is an image of its own. A number: the slices of a series are put together as a
    volume by their place in the patient, and each volume is brought to this many slices, which the network sees side by
    side, as channels (2.5-D)."""
    volumes: Literal["slices", "whole"] = "slices"
    """`whole`: series and files that hold a volume are stored as volumes of their own shape, with their own values, for
    three-dimensional segmentation; `size`, `fit` and `n_slices` say nothing then. `slices`: as `n_slices` says."""
    spacing_mm: Literal["auto"] | tuple[float, float, float] = "auto"
    """Distance between slices, rows and columns in millimetres that whole volumes are brought to before a network sees them.
    `auto` takes the median of the training part; where slices are more than three times as thick as pixels are wide, their
    10th percentile."""
    fit: Literal["pad", "stretch", "crop"] = "pad"
    """How another shape is brought to `size`: `pad` keeps proportions and adds black, `crop` keeps proportions and cuts
    the long sides, `stretch` distorts."""
    window: Literal["auto", "full"] | tuple[float, float] = "auto"
    """Grey levels to show: `auto` takes the window of the DICOM header (without one, a deep image is shown from its darkest
    to its brightest 0.1 %), `full` takes everything, or [centre, width], for example [40, 400] for soft tissue on CT."""

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns in pixels."""
        return (self.size, self.size) if isinstance(self.size, int) else self.size

    @property
    def n_channels(self) -> int:
        """1 for grey, 3 for colour, or the slices of a volume."""
        return self.n_slices or (1 if self.channels == "grey" else 3)

    @property
    def puts_slices_together(self) -> bool:
        """Tell whether the slices of a series or file are one image."""
        return self.n_slices is not None or self.volumes == "whole"

    @model_validator(mode="after")
    def _keep_volumes_whole(self) -> "Image":
        if self.volumes == "whole" and (self.n_slices or self.channels == "colour"):
            raise ValueError(
                "whole volumes are grey and keep their slices: leave out `n_slices` and `channels: colour`"
            )
        if self.spacing_mm != "auto" and (self.volumes != "whole" or min(self.spacing_mm) <= 0):
            raise ValueError("`spacing_mm` is for `volumes: whole`, and takes three distances above 0")
        return self

    @model_validator(mode="after")
    def _keep_volumes_grey(self) -> "Image":
        if self.n_slices and self.channels == "colour":
            raise ValueError("volumes are grey: leave out `channels: colour` or `n_slices`")
        return self


class Criterion(Section):
    """One condition on what is known of an image: a column of `cohort.csv` or of the clinical table."""

    column: str
    """What is looked at, for example `age_years`, `view`, `modality`, `site`, or a column of the clinical table."""
    at_least: float | None = None
    """Smallest value that meets the condition."""
    at_most: float | None = None
    """Largest value that meets the condition."""
    one_of: tuple[str, ...] | None = None
    """Values that meet the condition, whatever their case."""
    or_unknown: bool = False
    """Whether an image that does not tell meets the condition too."""
    because: str | None = None
    """The reason in the words that the flow diagram shall show, for example "younger than 18 years"."""

    @field_validator("one_of", mode="before")
    @classmethod
    def _accept_numbers_as_text(cls, value: object) -> object:
        return [str(choice) for choice in value] if isinstance(value, (list, tuple)) else value

    @model_validator(mode="after")
    def _ask_for_a_condition(self) -> "Criterion":
        if self.at_least is None and self.at_most is None and not self.one_of:
            raise ValueError("a criterion needs `at_least`, `at_most` or `one_of`, for example at_least: 18")
        return self


class ClinicalTable(Section):
    """A table of clinical data with one row a patient: age, symptoms, laboratory values and the like."""

    table: File
    """CSV or XLSX file. Relative to the folder of the plan."""
    patient_column: str = "patient"
    """Column that names the patient as the images do: the Patient ID, or what `data.patient` finds in the file name or in
    the label table. The names are used for joining and are not written down."""
    issuer: str | None = None
    """Issuer of the Patient IDs of the table, where the DICOM headers name one (Issuer of Patient ID). For a table with
    patients of several issuers, write ID@ISSUER into the patient column."""
    columns: tuple[str, ...] | None = None
    """Columns to join; null takes all. Columns that could lead back to a person (names, dates, numbers of files, free
    text) are left out in any case, and named."""


class PopulationAge(Section):
    """Age in the target population: mean and standard deviation, or shares of bands, or both."""

    mean: Annotated[float, Field(gt=0, lt=120)] | None = None
    """Mean age in years."""
    sd: Annotated[float, Field(gt=0, lt=60)] | None = None
    """Standard deviation of the age in years."""
    bands: dict[str, Fraction] = Field({})
    """Share of each band of completed years, for example {'0-17': 0.1, '18-64': 0.5, '65-': 0.4}."""

    @model_validator(mode="after")
    def _ask_for_something(self) -> "PopulationAge":
        if (self.mean is None) != (self.sd is None):
            raise ValueError("give `mean` and `sd` together")
        if self.mean is None and not self.bands:
            raise ValueError("give `mean` and `sd`, or `bands`")
        if wrong := [band for band in self.bands if not re.fullmatch(r"\d+-\d*", band)]:
            raise ValueError(f"“{wrong[0]}” is no band of ages; write '18-64', or '65-' for all from 65")
        return self


class Population(Section):
    """The population that the network is meant for, as a register or an earlier study describes it.

    Each entry gives shares of patients between 0 and 1; what they leave of 1 counts as “others”. What is left out is not
    compared.
    """

    name: str | None = None
    """Who they are and where the numbers come from, for example “adults with a chest radiograph, register 2024”."""
    age: PopulationAge | None = None
    """Age of the patients."""
    sex: dict[str, Fraction] = Field({})
    """Shares by sex, for example {F: 0.52, M: 0.48}."""
    prevalence: dict[str, Fraction] = Field({})
    """Share of patients of each class, for example {pneumonia: 0.1}."""
    site: dict[str, Fraction] = Field({})
    """Shares by site, as the images name it."""
    manufacturer: dict[str, Fraction] = Field({})
    """Shares by manufacturer of the scanner, as the images name it."""
    view: dict[str, Fraction] = Field({})
    """Shares by view, for example {PA: 0.8, AP: 0.2}."""
    clinical: dict[str, dict[str, Fraction]] = Field({})
    """Shares by a column of the clinical table, for example {smoker: {'yes': 0.2, 'no': 0.8}}."""

    @model_validator(mode="after")
    def _stay_within_one(self) -> "Population":
        bands = self.age.bands if self.age else {}
        declared = [bands, self.sex, self.prevalence, self.site, self.manufacturer, self.view, *self.clinical.values()]
        if any(sum(shares.values()) > 1 + 1e-6 for shares in declared):
            raise ValueError("the shares of one characteristic must not add up to more than 1")
        return self


class ExamList(Section):
    """A table that lists what to fetch, one row each. Numbers of patients stay in it: the report prints the plan."""

    table: File
    """The table (CSV or XLSX), for example a list that the hospital's information system gave out."""
    column: str = "patient_id"
    """Its column that counts here."""
    holds: Literal["patient_id", "accession_number", "study_uid", "series_uid"] = "patient_id"
    """What stands in the column: the Patient ID as the PACS knows it, the Accession Number of the exam, or the Study or
    Series Instance UID."""


class Pacs(Section):
    """Which exams are fetched from a PACS, and how. All filters must fit; descriptions do not mind capital letters."""

    exams: ExamList | None = None
    """A table of the patients, exams or series to fetch; null asks for all that fit the filters below."""
    study_dates: tuple[date | None, date | None] = (None, None)
    """First and last day of the exams, for example [1999-01-01, 1999-12-31]; null leaves a side open."""
    modality: tuple[str, ...] = ()
    """Kinds of series, for example [CT] or [CR, DX]; an empty list takes all."""
    study_description: tuple[str, ...] = ()
    """Descriptions of the exam, one of which must fit; * stands for any letters, ? for one, for example ['*thorax*']."""
    series_description: tuple[str, ...] = ()
    """Descriptions of the series, one of which must fit, for example ['*lung*']."""
    body_part: tuple[str, ...] = ()
    """Body parts as the scanner names them, for example [CHEST]. Many scanners leave them out: those do not fit then."""
    most_exams: Annotated[int, Field(ge=1)] | None = None
    """Fetch no more exams than this, for a trial. They are drawn by a hash of their UIDs: the same ones each time."""
    calling_ae_title: Annotated[str, Field(pattern=r"^[!-\[\]-~]{1,16}$")] = "LUCENCY"
    """The name by which lucency presents itself to a `pacs://` address; the PACS administrator must enter it."""
    retrieve: Literal["get", "move"] = "get"
    """How a `pacs://` address sends images: `get` through the connection that lucency opened, `move` through a second one
    that the PACS opens towards this computer."""
    receiver_port: Annotated[int, Field(ge=1, le=65535)] = 11112
    """Port on which this computer receives images, when `retrieve: move`; open only while images are fetched."""
    timeout_seconds: Annotated[float, Field(gt=0, le=3600)] = 60.0
    """How long the PACS may stay silent."""
    n_retries: Annotated[int, Field(ge=0, le=20)] = 5
    """How often to try again, after 1, 2, 4 … at most 30 seconds, before giving up. What arrives resets the count."""
    login_file: File | None = None
    """File with the user's name in its first line and the password in the second, readable by you alone. Without one, the
    environment variables LUCENCY_PACS_USER and LUCENCY_PACS_PASSWORD are used, if they are set."""
    certificate: File | None = None
    """File (PEM) with the certificate of the authority that the hospital's own encrypted servers are signed by, for
    `dicomwebs://`; null trusts the usual ones."""

    @field_validator("study_dates")
    @classmethod
    def _order_the_days(cls, value: tuple[date | None, date | None]) -> tuple[date | None, date | None]:
        if value[0] and value[1] and value[0] > value[1]:
            raise ValueError("give the first day first, for example [2020-01-01, 2020-12-31]")
        return value


PACS_SCHEMES = ("dicomweb://", "dicomwebs://", "pacs://")
"""How an address of a PACS begins."""


class Deidentification(Section):
    """What is taken out of DICOM files before anybody else sees them: the Basic Profile of PS3.15, Annex E, and its options."""

    dates: Literal["shift", "remove", "keep"] = "shift"
    """`shift`: all dates of a patient move back by the same secret number of days (1 to 365), so that intervals stay
    exact, and times of day by a secret number of minutes (1 to 180) away from midnight. `remove`: no date and no time stays.
    `keep`: true dates stay. The date of birth always goes."""
    uids: Literal["replace", "keep"] = "replace"
    """Unique identifiers of exams, series and images: `replace` by new ones that still link what belongs together, or
    `keep`, which lets anybody with access to the archive find the patient."""
    device: Literal["remove", "keep"] = "remove"
    """Serial number, station name and other identity of the scanner. Manufacturer and model stay in any case."""
    institution: Literal["remove", "keep"] = "remove"
    """Name and address of the hospital and department. `remove` leaves a code in place of the name, the same for all images
    of one hospital, so that sites can still be compared."""
    patient_characteristics: Literal["keep", "remove"] = "keep"
    """Sex, age (all above 89 years become 90), height, weight, smoking and pregnancy. A cohort cannot be described
    without sex and age; `remove` takes them out for the strictest sharing."""
    private: Literal["remove", "safe"] = "remove"
    """Manufacturers' own elements: `remove` all, or keep the few that are `safe` by PS3.15 and needed to use the image
    (b-values, SUV and scale factors)."""
    descriptors: Literal["remove", "clean"] = "remove"
    """Descriptions of exam, series and protocol: `remove` them, or `clean` them of every name, number and date that the
    header holds. Cleaning can miss what the header does not know."""
    structured: Literal["refuse", "clean"] = "refuse"
    """Structured reports (DICOM SR): `refuse` them, or `clean` them down to codes, measurements and references."""
    burned_in: Literal["quarantine", "mask", "ignore"] = "quarantine"
    """Text in the picture itself. `quarantine`: images of risky kinds (secondary capture, ultrasound, fluoroscopy,
    photographs) and images in which text is found are held back for a person to look at. `mask`: text that is found is
    covered, and what cannot be covered surely is held back (needs the extra `ocr`). `ignore`: pixels are not looked at."""
    key: File | None = None
    """File with the secret key, made if absent. Keep it apart from the images: whoever has it can link pseudonyms to
    patients. The same key gives the same pseudonyms in every run. When left out, it lies beside the results' folder."""


class Quality(Section):
    """Which images are too poor to be kept, and whether noise is taken away. What is not refused is noted."""

    smallest_side: Annotated[int, Field(ge=1)] = 16
    """Pixels of the shorter side below which an image is refused."""
    refuse: tuple[Literal["clipped", "blurred", "noisy", "screenshot", "odd_modality"], ...] = ()
    """Faults for which an image is refused and not only noted: `clipped` (too much of the exposed field is all white or all
    black), `blurred`, `noisy`, `screenshot` (toolbars, windows), `odd_modality` (another kind of image than the rest)."""
    denoise: Literal["none", "median", "diffusion"] = "none"
    """Takes noise away before an image is stored: `median` against single wrong pixels, `diffusion` against grain, which
    spares edges. Both also take fine detail away."""


class NearDuplicates(Section):
    """Images that are one: re-encoded, resized, windowed anew, mirrored, inverted, padded or cropped a little."""

    action: Literal["link", "refuse", "ignore"] = "link"
    """`link` keeps all of them and puts them into the same part of the split; `refuse` keeps the first of each group and
    refuses its later copies; `ignore` does not look for any."""
    similarity: Annotated[float, Field(gt=0.5, le=1)] = 0.9
    """Least correlation of fine details between two copies, after one is laid over the other. Different chest radiographs
    reach 0.81; a lower value finds copies that were changed more, and links more images that only look alike."""


class Data(Section):
    """The images, their labels and their patients."""

    images: Annotated[str, Field(validation_alias=AliasChoices("images", "reports"))]
    """Folder of images (DICOM, NIfTI, NRRD, MetaImage, PNG, JPEG, TIFF), or a MedMNIST .npz file, relative to the folder of
    the plan; or the address of a PACS: `dicomweb://host:port/path` (`dicomwebs://` encrypted) or `pacs://AE@host:port`. For
    `task: report_labelling` the folder or table (CSV or XLSX) of the radiology reports; it may be called `reports` then."""
    text: Text = Text()
    """How reports are read, for `task: report_labelling`."""
    pacs: Pacs = Pacs()
    """Which exams are fetched, and how, when `images` is the address of a PACS."""
    labels: Labels = Labels()
    """Where the ground truth comes from."""
    reference: Labels | None = None
    """A better ground truth by which the tuning and test parts are judged, where the one to learn from is only cheap: labels
    from reports to learn from, for example, and readers to be judged by. Null: `labels` serves for both."""
    patient: Patient | None = None
    """How the patient of an image is known. DICOM images say it themselves; for others it must be told, because a split
    by image would let the same patient train and test."""
    image: Image = Image()
    """The one form that every image is brought to."""
    quality: Quality = Quality()
    """Which images are too poor to be kept, and whether noise is taken away."""
    near_duplicates: NearDuplicates = NearDuplicates()
    """What to do with images that are one, although their files and pixels differ."""
    clinical: ClinicalTable | None = None
    """A table of clinical data to join with the patients; null for none."""
    population: Population | None = None
    """The population that the network is meant for, to compare the cohort with; null where none is declared."""
    include: tuple[Criterion, ...] = ()
    """Inclusion criteria: an image must meet all of them, for example {column: age_years, at_least: 18}."""
    exclude: tuple[Criterion, ...] = ()
    """Exclusion criteria: an image that meets one of them leaves the study."""
    deidentify: Deidentification | None = None
    """What is taken out of DICOM files by `lucency curate --deidentify`; null leaves them as they are."""

    @property
    def is_in_pacs(self) -> bool:
        """Tell whether the images are to be fetched from a PACS."""
        return self.images.startswith(PACS_SCHEMES)

    @model_validator(mode="after")
    def _ask_no_names_of_a_pacs(self) -> "Data":
        if not self.is_in_pacs and self.pacs != Pacs():
            raise ValueError("`pacs` is for images from a PACS; `images` names none, as in pacs://AE@host:104")
        if self.is_in_pacs and self.labels.from_ in ("folder", "archive"):
            raise ValueError("images of a PACS lie in no named folders; take `labels` from a table by SOP Instance UID")
        if self.is_in_pacs and self.patient and self.patient.from_ == "filename":
            raise ValueError("images of a PACS have no file names; leave `patient` out: their headers tell it")
        return self
