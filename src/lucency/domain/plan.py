"""The plan of a study: every setting of `study.yaml`, its default, and what it means to a radiologist.

Each field's docstring is shown by `lucency schema`, in the commented plan that `lucency init` writes, and beside the
value in the report. Reading a plan from a file is the business of `study/plan.py`.
"""

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from lucency.domain.data_plan import Data
from lucency.domain.detection_plan import BACKBONES, SMALLEST_SIDE_PIXELS, Detection
from lucency.domain.image_sizes import refusal_of_size
from lucency.domain.network_plan import READING, Network
from lucency.domain.outlines import refusal_of_outlines, refusal_without_outlines
from lucency.domain.section import Fraction, Range, Section
from lucency.domain.segmentation_plan import Segmentation
from lucency.domain.synthesis_plan import Synthesis, fits_generator, sides_that_fit
from lucency.domain.training_plan import Training
from lucency.domain.transfer_plan import PACKAGED, PACKAGED_ARCHITECTURE, Transfer, TransferCurve

REPORT_LABELLING = "report_labelling"
DETECTION = "detection"
SEGMENTATION = "segmentation"
SYNTHESIS = "synthesis"
JUDGING_IMAGES = ("classification", "regression", SYNTHESIS)
"""Tasks whose networks look at whole images, and are those of the catalogue."""
DEFAULT_SEED = 20200101
"""Where randomness begins unless somebody says otherwise."""
PLAN_VERSION = 1
"""Raised when a plan of today could be misread by the lucency of yesterday."""


class Split(Section):
    """Training, tuning and test parts, always apart by patient."""

    training: Fraction = 0.7
    """Share of the patients that the network learns from."""
    tuning: Fraction = 0.1
    """Share that chooses the best epoch and the threshold (the article calls it validation)."""
    test: Fraction = 0.2
    """Share that is sealed until the evaluation."""
    official: bool = False
    """Keep the parts that the data set itself prescribes, where it has any (MedMNIST: train, val, test)."""

    @model_validator(mode="after")
    def _add_up_to_one(self) -> "Split":
        if abs(self.training + self.tuning + self.test - 1) > 1e-6:
            raise ValueError("training, tuning and test must add up to 1")
        if min(self.training, self.tuning, self.test) <= 0:
            raise ValueError("training, tuning and test must each be above 0")
        return self


class Describe(Section):
    """What is told of the cohort before training."""

    probes: bool = True
    """Try whether the label can be told from what should not tell it: the header, the border of the image, or a thumbnail
    of 8×8 pixels. The test part is not used."""


class Augmentation(Section):
    """Random changes of training images that leave their label unchanged. Never applied to tuning or test images."""

    flip_horizontal: Fraction = 0.0
    """Probability of mirroring left and right. Off by default: it puts the heart on the wrong side."""
    flip_vertical: Fraction = 0.0
    """Probability of turning upside down."""
    rotate_degrees: Annotated[float, Field(ge=0, le=180)] = 10.0
    """Rotation by up to this angle to either side."""
    tilt_degrees: Annotated[float, Field(ge=0, le=180)] = 0.0
    """Rotation of volumes out of their slices, by up to this angle to either side, about the rows and about the columns. It
    counts in voxels, so it is for volumes that are as fine in every direction; pictures are left as they are."""
    zoom: Range = (0.9, 1.1)
    """Smallest and largest magnification; 1 changes nothing."""
    shift: Fraction = 0.1
    """Move by up to this share of the height and width, so that a lesion stands elsewhere."""
    skew_degrees: Annotated[float, Field(ge=0, le=45)] = 5.0
    """Shear by up to this angle."""
    blur_pixels: Annotated[float, Field(ge=0, le=20)] = 0.0
    """Gaussian blur with a standard deviation of up to this many pixels."""
    contrast: Range = (0.8, 1.25)
    """Smallest and largest factor on the contrast around the mean grey level; 1 changes nothing."""
    brightness: Fraction = 0.1
    """Brighten or darken by up to this share of the full grey scale."""
    resolution: Fraction = 1.0
    """Coarsest resolution, as a share of the original; 0.5 may halve it. 1 changes nothing."""
    noise: Fraction = 0.0
    """Gaussian noise with a standard deviation of up to this share of the full grey scale."""
    erase: Fraction = 0.0
    """Probability of erasing a random rectangle (2 to 20 % of the area)."""

    @field_validator("zoom", "contrast")
    @classmethod
    def _order_the_range(cls, value: Range) -> Range:
        if not 0 < value[0] <= value[1]:
            raise ValueError("give the smallest factor first, both above 0, for example [0.9, 1.1]")
        return value

    @field_validator("resolution")
    @classmethod
    def _keep_something(cls, value: float) -> float:
        if value <= 0:
            raise ValueError("resolution must be above 0")
        return value

    @property
    def is_off(self) -> bool:
        """True when nothing would change."""
        return self == NO_AUGMENTATION


NO_AUGMENTATION = Augmentation(rotate_degrees=0, zoom=(1, 1), shift=0, skew_degrees=0, contrast=(1, 1), brightness=0)


class LabelAudit(Section):
    """The search for wrong labels (`lucency suspects`): networks judge images that they did not learn from."""

    folds: Annotated[int, Field(ge=2, le=20)] = 5
    """Into how many folds the training and tuning parts are cut, by patient; each fold is judged by a network that learnt
    from the others. The test part stays sealed."""
    epochs: Annotated[int, Field(ge=1)] | None = None
    """How often each of these networks sees its images at most; null takes `training.epochs`."""
    order: Literal["margin", "self_confidence"] = "margin"
    """What makes a label more suspect than another: how far its own class lies behind the likeliest other class
    (`margin`), or how improbable its own class is (`self_confidence`)."""


class Threshold(Section):
    """The operating point, chosen on the tuning part alone."""

    rule: Literal["youden", "sensitivity", "specificity", "fixed"] = "youden"
    """`youden`: largest sensitivity + specificity − 1; `sensitivity` or `specificity`: the best point that reaches
    `value` on the tuning part; `fixed`: the probability `value` itself."""
    value: Fraction | None = None
    """The sensitivity, specificity or probability asked for."""

    @model_validator(mode="after")
    def _ask_for_the_value(self) -> "Threshold":
        if (self.rule == "youden") != (self.value is None):
            raise ValueError("`rule: youden` takes no `value`; the other rules need one, for example 0.95")
        return self


class Evaluation(Section):
    """The one opening of the sealed test set, and the statistics."""

    level: Annotated[float, Field(gt=0.5, lt=1)] = 0.95
    """Confidence level of every interval."""
    threshold: Threshold = Threshold()
    """The operating point, chosen on the tuning part alone."""
    prevalence: Annotated[float, Field(gt=0, lt=1)] | None = None
    """Prevalence of disease where the network would be used, for predictive values there; null leaves them out."""


class Explanation(Section):
    """What the network looked at."""

    n_cases: Annotated[int, Field(ge=0, le=64)] = 8
    """Cases shown with a saliency map; 0 for none."""


class Report(Section):
    """What the report shows beside the results."""

    n_worst: Annotated[int, Field(ge=0, le=64)] = 12
    """Most confident errors shown as images."""
    authors: str | None = None
    """Who made the study."""
    aim: str | None = None
    """The clinical question, in the authors' words."""


class Plan(Section):
    """The whole study in one file."""

    lucency: Annotated[int, Field(ge=1)] = PLAN_VERSION
    """Version of the plan's format."""
    title: str = "A deep-learning study"
    """Title of the report."""
    task: Literal["classification", "segmentation", "detection", "synthesis", "report_labelling"]
    """What the network shall do: `classification` tells which class an image belongs to, `segmentation` outlines structures,
    `detection` tells where lesions lie, `synthesis` makes images that look like those of the study, `report_labelling` tells
    what a radiology report says."""
    seed: Annotated[int, Field(ge=0, lt=2**63)] = DEFAULT_SEED
    """The beginning of all randomness; the same seed gives the same study."""
    data: Data
    """The images, their labels and their patients."""
    split: Split = Split()
    """Training, tuning and test parts, always apart by patient."""
    describe: Describe = Describe()
    """What is told of the cohort before training."""
    augmentation: Augmentation | None = Augmentation()
    """Random changes of training images; null for none."""
    network: Network = Network()
    """The network and its architectural hyperparameters."""
    transfer: Transfer | None = None
    """Transfer learning: begin with weights that were trained on other images; null begins at random."""
    training: Training = Training()
    """How the network learns."""
    transfer_curve: TransferCurve = TransferCurve()
    """The learning curve of `lucency transfer-curve`: from scratch against transfer."""
    detection: Detection = Detection()
    """Finding lesions, for `task: detection`."""
    segmentation: Segmentation = Segmentation()
    """How structures are outlined, for `task: segmentation`; what is null is chosen, and the report tells why."""
    synthesis: Synthesis = Synthesis()
    """The two networks that make images (for `task: synthesis`). `network`, `training` and `augmentation` then speak of the
    classifier that judges the images."""
    label_audit: LabelAudit = LabelAudit()
    """The search for wrong labels (`lucency suspects`)."""
    evaluation: Evaluation = Evaluation()
    """The one opening of the sealed test set, and the statistics."""
    explanation: Explanation = Explanation()
    """What the network looked at."""
    report: Report = Report()
    """What the report shows beside the results."""

    @model_validator(mode="before")
    @classmethod
    def _suit_reports(cls, value: Any) -> Any:
        """Choose what suits words where the plan does not say."""
        if not isinstance(value, dict) or value.get("task") != REPORT_LABELLING:
            return value
        # a memory goes from word to word, and further threads would mostly wait; the AUC of a small tuning part is soon 1,
        # and says no more which epoch is best
        suited = {"network": {"architecture": "lstm"}, "training": {"n_threads": 1, "select_by": "cost"}}
        sections = {
            name: defaults | value[name] if isinstance(value.get(name), dict) else value.get(name, defaults)
            for name, defaults in suited.items()
        }
        return {"augmentation": None} | value | sections

    @model_validator(mode="before")
    @classmethod
    def _suit_transfer(cls, value: Any) -> Any:
        """Take the network that the packaged weights are for, where the plan names none."""
        transfer = value.get("transfer") if isinstance(value, dict) else None
        if not isinstance(transfer, dict) or transfer.get("weights") != PACKAGED:
            return value
        network = value.get("network", {})
        return (
            value | {"network": {"architecture": PACKAGED_ARCHITECTURE} | network}
            if isinstance(network, dict)
            else value
        )

    @model_validator(mode="after")
    def _fit_transfer_to_the_task(self) -> "Plan":
        if self.transfer and self.task not in JUDGING_IMAGES:
            raise ValueError(
                f"`transfer` is for networks that look at whole images; leave it out of `task: {self.task}`"
            )
        if self.transfer and self.transfer.weights and self.network.volumes == "3d":
            raise ValueError(
                "published weights have seen flat images, and `network.volumes: 3d` reaches across slices; take "
                "`slice_by_slice` or `channels`, or begin with a `study` of your own"
            )
        return self

    @model_validator(mode="before")
    @classmethod
    def _suit_detection(cls, value: Any) -> Any:
        """Choose what suits the finding of lesions where the plan does not say."""
        if not isinstance(value, dict) or value.get("task") != DETECTION:
            return value
        # heads and proposals take more memory an image, and make larger steps than a classification bears
        training = {"batch_size": 8, "learning_rate": 3e-4, "warmup_epochs": 1.0}
        given = value.get("training", {})
        value = value | {"training": training | given if isinstance(given, dict) else given}
        match value.get("data"):
            case {"labels": {"from": "masks", "drawings": dict(drawings)} as labels} as data:
                split = labels | {"drawings": {"split_lesions": True} | drawings}
                return value | {"data": data | {"labels": split}}
        return value

    @model_validator(mode="after")
    def _fit_detection(self) -> "Plan":
        if self.task != DETECTION:
            if self.detection != Detection():
                raise ValueError(f"`detection` is for `task: detection`, and this is a {self.task}; leave it out")
            return self
        if wrong := next(self._against_detection(), None):
            raise ValueError(wrong)
        return self

    def _against_detection(self) -> Iterator[str]:
        """Say what does not fit the finding of lesions, and the way out."""
        data, training = self.data, self.training
        if data.labels.from_ not in ("masks", "boxes"):
            yield (
                "a detection learns from lesions that somebody drew: set `data.labels.from` to `masks` or `boxes`, with a "
                "section `drawings`; labels of whole images are for `task: classification`"
            )
        if data.reference is not None:
            yield "`data.reference` is for labels of whole images; a detection is judged by the drawings it learns from"
        if data.labels.corrections is not None:
            yield "`data.labels.corrections` changes labels of whole images; for a detection, correct the drawings themselves"
        if data.image.n_slices is not None:
            yield (
                "a detection looks at single images: leave `data.image.n_slices` out, and each slice of a volume is an image of "
                "its own"
            )
        if min(data.image.shape) < SMALLEST_SIDE_PIXELS:
            yield f"`data.image.size` must be at least {SMALLEST_SIDE_PIXELS} for a detection"
        if self.network.architecture not in BACKBONES:
            yield (
                f"`network.architecture: {self.network.architecture}` cannot read images for a detection; take "
                f"{', '.join(BACKBONES[:-1])} or {BACKBONES[-1]}"
            )
        if self.network != Network(architecture=self.network.architecture):
            yield "a detection takes its ResNet as published; leave all of `network` out but its `architecture`"
        if training.class_weights != "none" or training.label_smoothing:
            yield "`training.class_weights` and `training.label_smoothing` are for classes; a detection takes neither"
        if self.evaluation.threshold != Threshold() or self.evaluation.prevalence is not None:
            yield (
                "a detection chooses its threshold by `detection.operating_point`; leave `evaluation.threshold` and "
                "`evaluation.prevalence` out"
            )

    @model_validator(mode="before")
    @classmethod
    def _suit_segmentation(cls, value: Any) -> Any:
        """Choose what suits outlines where the plan does not say."""
        if not isinstance(value, dict) or value.get("task") != SEGMENTATION:
            return value
        # a probe asks what gives a class away; an outline is no class
        suited = {
            "network": {"architecture": "unet"},
            "training": {"cost": "dice_cross_entropy", "epochs": 50},
            "describe": {"probes": False},
        }
        sections = {
            name: defaults | value[name] if isinstance(value.get(name), dict) else value.get(name, defaults)
            for name, defaults in suited.items()
        }
        return value | sections

    @model_validator(mode="after")
    def _fit_segmentation(self) -> "Plan":
        if self.task == SEGMENTATION:
            refusal = refusal_of_outlines(self.data, self.network, self.training, self.segmentation, bool(self.flips))
        else:
            refusal = refusal_without_outlines(self.data, self.network, self.training)
        if refusal:
            raise ValueError(refusal)
        if self.task == SEGMENTATION and self.describe.probes:
            raise ValueError("`describe.probes` ask what gives a class away, and outlines are none; set it to false")
        return self

    @property
    def flips(self) -> tuple[int, ...]:
        """Axes along which training images are mirrored, counted from the last: −1 for columns, −2 for rows."""
        if not self.augmentation:
            return ()
        chances = {-2: self.augmentation.flip_vertical, -1: self.augmentation.flip_horizontal}
        return tuple(axis for axis, chance in chances.items() if chance)

    @model_validator(mode="after")
    def _fit_the_network_to_the_task(self) -> "Plan":
        is_text = self.task == REPORT_LABELLING
        if is_text != (self.network.architecture in READING):
            suited = "`lstm` or `gru`" if is_text else "one for images, such as `resnet18`"
            raise ValueError(
                f"`network.architecture: {self.network.architecture}` does not fit `task: {self.task}`; take {suited}"
            )
        if is_text and self.augmentation is not None:
            raise ValueError("`augmentation` is for images; leave it out, or set it to null")
        if self.data.labels.findings and not is_text:
            raise ValueError("several `data.labels.findings` at once are for `task: report_labelling`")
        if is_text and self.data.labels.from_ not in ("table", "folder", "readers"):
            raise ValueError(
                "the labels of reports come from a table, from readers or from folders (`data.labels.from`)"
            )
        if self.data.labels.findings and self.data.reference:
            raise ValueError(
                "`data.reference` is for one question; leave it out where several `findings` are asked at once"
            )
        return self

    @model_validator(mode="before")
    @classmethod
    def _suit_synthesis(cls, value: Any) -> Any:
        """Let a small network judge synthetic images, where the plan names none."""
        if not isinstance(value, dict) or value.get("task") != SYNTHESIS:
            return value
        network = value.get("network", {})
        return value | {"network": {"architecture": "small_cnn"} | network if isinstance(network, dict) else network}

    @model_validator(mode="after")
    def _fit_synthesis(self) -> "Plan":
        """Refuse what a generator cannot make, and what would not be judged."""
        if self.task != SYNTHESIS:
            if self.synthesis != Synthesis():
                raise ValueError(f"`synthesis` is for `task: synthesis`, and this is a {self.task}; leave it out")
            return self
        image = self.data.image
        if image.n_slices:
            raise ValueError("`task: synthesis` makes single images; leave out `data.image.n_slices`")
        if not fits_generator(image.shape):
            rows, columns = image.shape
            fitting = " or ".join(map(str, sides_that_fit(min(image.shape))))
            raise ValueError(
                f"a generator doubles 4 to 7 pixels again and again, up to 128, and cannot make images of {rows} × {columns}; "
                f"set `data.image.size` to {fitting}"
            )
        if self.training.n_members > 1:
            raise ValueError("one classifier judges synthetic images; leave `training.n_members` at 1")
        if self.training.precision != "32":
            raise ValueError("two networks that compete need 32 bits; leave `training.precision` at 32")
        return self

    @model_validator(mode="after")
    def _fit_the_network_to_the_images(self) -> "Plan":
        image, network = self.data.image, self.network
        if self.task not in JUDGING_IMAGES:
            return self
        if network.volumes != "channels" and image.n_slices is None:
            raise ValueError(
                f"`network.volumes: {network.volumes}` is for volumes, and the images of this plan are single pictures; set "
                "`data.image.n_slices`, or leave `network.volumes` out"
            )
        refusal = refusal_of_size(network, image.n_channels, image.shape)
        if refusal:
            raise ValueError(refusal)
        return self

    @property
    def unit(self) -> str:
        """What the networks look at one by one, in words."""
        return "report" if self.task == REPORT_LABELLING else "image"
