"""The plan's part about the ground truth (reference standard): where labels come from and how several become one."""

import re
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from lucency.domain.section import File, Section

THE_QUESTION = "label"
"""What a table is taken to ask that asks one thing only."""


class Readers(Section):
    """Several readers who labelled the same images."""

    tables: Annotated[tuple[File, ...], Field(min_length=1)]
    """One table (CSV or XLSX) for all readers, or one for each. A table has a row for each reading, or a row for each image
    and a column for each reader."""
    image_column: str = "image"
    """Column that names the image, as in `labels.image_column`."""
    reader_column: str = "reader"
    """Column that names the reader. A table without it belongs to one reader, called by the name of its file."""
    label_column: str = "label"
    """Column that holds what the reader said."""
    columns: tuple[str, ...] = ()
    """For a table with a row for each image: the columns of the readers."""
    questions: tuple[str, ...] = ()
    """Columns of several questions (pneumonia, effusion …) that every reading answers, in the place of `label_column`. All
    are compared between readers."""
    question: str | None = None
    """The one of `questions` that the study learns; the first one when left out."""
    date_column: str | None = None
    """Column with the day of the reading, to report when the images were read."""
    blinded_column: str | None = None
    """Column that says whether the reader was blinded (yes or no) to all other information."""
    scale: Literal["nominal", "ordinal", "interval", "ratio"] = "nominal"
    """`nominal`: names without an order. `ordinal`: grades, in the order of `levels`. `interval` and `ratio`: measurements,
    without and with a true zero."""
    levels: tuple[str, ...] = ()
    """The answers there are; of an ordinal scale from lowest to highest. Any other answer is refused. Left out, the answers
    in the tables are taken; grades that are words need their order."""

    @property
    def studied(self) -> str:
        """Return the question that the study learns."""
        return self.question or (self.questions[0] if self.questions else THE_QUESTION)

    @model_validator(mode="after")
    def _refuse_contradictions(self) -> "Readers":
        if self.columns and self.questions:
            raise ValueError("`columns` are readers and `questions` are columns too; a table has the one or the other")
        if self.question is not None and self.question not in self.questions:
            raise ValueError("`question` must be one of `questions`")
        if self.levels and self.scale in ("interval", "ratio"):
            raise ValueError("`levels` are for nominal and ordinal scales; measurements have none")
        if len({" ".join(level.casefold().split()) for level in self.levels}) < len(self.levels):
            raise ValueError("`levels` names an answer twice")
        if len(set(self.tables)) < len(self.tables):
            raise ValueError("`tables` names a table twice")
        return self


class Consensus(Section):
    """How one label is made of what several readers said."""

    rule: Literal["majority", "any", "all", "weighted", "dawid_skene", "one_reader", "mean", "median"] = "majority"
    """`majority`: what most readers say. `any`: positive as soon as one reader says so; `all`: only if every one does (two
    classes). `weighted`: votes count as `weights` say. `dawid_skene`: each reader's error rates are estimated and count
    (Dawid and Skene 1979). `one_reader`: what `reader` says. `mean` and `median`: of grades and measurements; of grades, the
    nearest one, with even distances between them."""
    weights: dict[str, Annotated[float, Field(ge=0)]] = Field({})
    """Weight of each reader's vote, for `rule: weighted`; who is not named counts 1."""
    reader: str | None = None
    """The reader whose word counts, for `rule: one_reader`."""
    least_readers: Annotated[int, Field(ge=1)] = 1
    """Images that fewer readers saw have no label."""
    ties: Literal["refuse", "positive", "negative"] = "refuse"
    """What becomes of an image on which the votes are even: it is set aside until it is adjudicated, or counts as positive
    or negative; of grades, as the higher or the lower one. More than two classes without an order can only be refused."""
    sheet: Literal["ties", "disagreements"] = "ties"
    """Images that go onto the sheet `adjudication.csv` for a person to decide: those that have no label because the votes are
    even or too few, or all on which readers disagree."""
    adjudicated: File | None = None
    """A table of decisions on disputed images: the sheet `adjudication.csv` that lucency writes, filled in. What was decided
    there overrules every vote."""
    soft: bool = False
    """Learn from the share of votes (or the probabilities of `dawid_skene`) instead of one class, under the rules `majority`,
    `weighted`, `dawid_skene` and `mean`; judging always uses one."""

    @model_validator(mode="after")
    def _ask_for_the_reader(self) -> "Consensus":
        if (self.rule == "one_reader") != (self.reader is not None):
            raise ValueError("`rule: one_reader` needs `reader`, and only that rule takes it")
        if self.weights and self.rule != "weighted":
            raise ValueError("`weights` are for `rule: weighted`")
        return self


class Reports(Section):
    """Free-text radiology reports that say what the images show. The text never leaves this computer."""

    folder: File | None = None
    """Folder of reports, one text (.txt, .html, .rtf) each."""
    table: File | None = None
    """Table (CSV or XLSX) that tells which report belongs to an image, and may hold the text itself. Without one, a report
    belongs to the image of the same name, or to all images in the folder of its name."""
    image_column: str = "image"
    """Column of the table that names the image, as in `labels.image_column`."""
    report_column: str = "report"
    """Column of the table that names the report in `folder`."""
    text_column: str | None = None
    """Column of the table that holds the text, where there is no folder."""
    finding: str = "Pneumonia"
    """The finding that makes an image positive: one of the fourteen usual ones, or of your own list."""
    findings: File | None = None
    """Your own list of findings and their words (YAML); null takes the fourteen usual findings of chest radiographs."""
    uncertain: Literal["positive", "negative", "refuse", "soft"] = "refuse"
    """What “possible pneumonia” counts as: `refuse` sets such images aside, `soft` lets them teach with a probability of
    one half."""
    not_mentioned: Literal["negative", "refuse"] = "negative"
    """What a report counts as that does not speak of the finding at all."""
    network: File | None = None
    """Folder of a finished study with `task: report_labelling`, whose networks read the reports; null has them read by rules:
    words, negation and doubt as people wrote them down."""
    reread: File | None = None
    """A sample of reports that a person read again (the sheet `reread.csv` of `lucency reports`, filled in), to measure how
    often the labeller errs."""

    @model_validator(mode="after")
    def _ask_for_texts(self) -> "Reports":
        if self.folder is None and (self.table is None or self.text_column is None):
            raise ValueError("reports need a `folder`, or a `table` with a `text_column`")
        return self


class Drawings(Section):
    """Masks or boxes that people drew: an image in which something is drawn is positive."""

    path: File | None = None
    """Folder of masks (PNG, TIFF, NIfTI, DICOM SEG or RTSTRUCT) or of COCO files, or one COCO file (.json) of boxes and
    outlines."""
    readers: dict[str, File] = Field({})
    """Instead of `path`, where several people drew: the name of each reader and the reader's folder or COCO file, for
    example {A: masks_a, B: masks_b}. Their masks become one by STAPLE (Warfield 2004)."""
    structures: tuple[str, ...] = ()
    """Names that count (segments, structures or categories); empty takes all."""
    names: dict[str, str] = Field({})
    """Names for the grey levels or colours of masks, for example {'1': anterior, '2': posterior} or {'#ff0000': tumour}.
    A level or colour that is not listed then refuses its mask; black and 0 are background."""
    finding: str = "lesion"
    """What a mask shows that does not name it, and what a positive image is called if not a single structure counts."""
    missing: Literal["empty", "refuse"] = "refuse"
    """An image without any drawing: nobody looked, and it has no label (`refuse`), or nothing was there to see (`empty`). A
    mask in which nothing is drawn always says that nothing was there."""
    threshold: Annotated[float, Field(gt=0, lt=1)] | None = None
    """Cut masks with soft or blurred edges (JPEG, grey levels) at this share of full white; null refuses them."""
    split_lesions: bool = False
    """Count each connected part of a mask as a lesion of its own."""
    at_least_pixels: Annotated[int, Field(ge=1)] = 1
    """Pixels or voxels that have to be drawn for an image to be positive."""
    measure: Literal["area_pixels", "area_mm2", "volume_ml", "longest_mm", "count"] | None = None
    """For `task: regression`, the number that is taken from what was drawn: the area in pixels of the original image, the
    area in mm², the volume in ml of a volume, the longest diameter within one slice in mm, or the number of lesions (with
    `split_lesions`, of connected parts). 0 where somebody looked and drew nothing."""

    @field_validator("names", mode="before")
    @classmethod
    def _levels_as_text(cls, names: Any) -> Any:
        """Take {1: lung} as {'1': lung}: who writes YAML by hand leaves the quotes out."""
        return {str(key): name for key, name in names.items()} if isinstance(names, dict) else names

    @model_validator(mode="after")
    def _ask_for_the_folder(self) -> "Drawings":
        if (self.path is None) != bool(self.readers):
            raise ValueError("drawings need `path`, or `readers` with a folder for each, and not both")
        if len(self.readers) == 1:
            raise ValueError("`readers` names only one; give its folder as `path`")
        for key in self.names:
            if not re.fullmatch(r"\d+(\.\d+)?|#[0-9a-fA-F]{6}", key):
                raise ValueError(
                    f"`names` speaks of “{key}”, which is neither a grey level ('1') nor a colour ('#ff0000')"
                )
        return self


class Labels(Section):
    """Where the ground truth (reference standard) comes from."""

    from_: Literal["folder", "table", "archive", "readers", "reports", "masks", "boxes"] = Field("folder", alias="from")
    """`folder`: the name of the folder an image lies in is its class. `table`: a CSV or Excel table names the class of
    each image. `archive`: the labels inside a MedMNIST .npz file. `readers`: several readers, who may disagree. `reports`:
    free-text radiology reports. `masks` and `boxes`: an image in which something is drawn is positive."""
    table: File | None = None
    """The table with the labels (CSV or XLSX), when `from: table`."""
    image_column: str = "image"
    """Column of the table that names the image: file name, path below the image folder, or SOP Instance UID; for a series
    of files also its folder or its Series Instance UID."""
    label_column: str = "label"
    """Column of the table that holds the class, or for `task: regression` the number."""
    findings: tuple[str, ...] = ()
    """Columns of several findings (pneumonia, effusion …) that are learnt at once, in the place of `label_column`; each is
    positive or negative by itself. An empty cell leaves the image or report out for this finding."""
    uncertain: Literal["refuse", "positive", "negative"] = "refuse"
    """What an uncertain finding (“uncertain”, or −1) in a column of `findings` counts as; `refuse` leaves the image or
    report out for this finding."""
    names: dict[str, str] | None = None
    """Names for the codes in a table or archive, for example {'0': normal, '1': pneumonia}."""
    positive: str | None = None
    """For two classes, the one that counts as disease. When left out, it is the one that is not named normal, negative,
    control, healthy, benign or no."""
    readers: Readers | None = None
    """The readers, when `from: readers`."""
    consensus: Consensus = Consensus()
    """How one label is made of what several readers said."""
    reports: Reports | None = None
    """The reports, when `from: reports`."""
    drawings: Drawings | None = None
    """The masks or boxes, when `from: masks` or `from: boxes`."""
    corrections: File | None = None
    """A table of corrected labels (CSV or XLSX) with the columns `image` and `correct_label`: the sheet `suspects.csv` of
    `lucency suspects`, filled in and saved under another name. Where `correct_label` is empty, the label stays. It overrules
    all else; who decided and when (`decided_by`, `decided_on`) is kept."""

    @model_validator(mode="after")
    def _ask_for_the_source(self) -> "Labels":
        wanted = {"readers": self.readers, "reports": self.reports, "masks": self.drawings, "boxes": self.drawings}
        if self.findings and self.from_ != "table":
            raise ValueError("`findings` are columns of a table: set `from: table`")
        if self.from_ in wanted and wanted[self.from_] is None:
            section = "drawings" if self.from_ in ("masks", "boxes") else self.from_
            raise ValueError(f"`from: {self.from_}` needs the section `{section}`")
        return self
