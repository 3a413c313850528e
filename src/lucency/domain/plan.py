"""The plan of a study: every setting of `study.yaml`, its default, and what it means to a radiologist.

Each field's docstring is shown by `lucency schema`, in the commented plan that `lucency init` writes, and beside the
value in the report. Reading a plan from a file is the business of `study/plan.py`.
"""

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from lucency.domain.augmentation_plan import Augmentation
from lucency.domain.data_plan import Data
from lucency.domain.detection_plan import Detection
from lucency.domain.evaluation_plan import Evaluation
from lucency.domain.fitting.every_task import against
from lucency.domain.network_plan import Network
from lucency.domain.regression_plan import Regression
from lucency.domain.section import Fraction, Section
from lucency.domain.segmentation_plan import Segmentation
from lucency.domain.suited import suited
from lucency.domain.synthesis_plan import Synthesis
from lucency.domain.tasks import REPORT_LABELLING
from lucency.domain.training_plan import Training
from lucency.domain.transfer_plan import Transfer, TransferCurve

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
    task: Literal["classification", "regression", "segmentation", "detection", "synthesis", "report_labelling"]
    """What the network shall do: `classification` tells which class an image belongs to (or which of several findings are
    there), `regression` measures a number on an image, `segmentation` outlines structures, `detection` tells where lesions
    lie, `synthesis` makes images that look like those of the study, `report_labelling` tells what a radiology report says."""
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
    regression: Regression | None = None
    """What is measured, for `task: regression` alone."""
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
    def _suit(cls, value: Any) -> Any:
        """Choose what suits the task where the plan does not say."""
        return suited(value)

    @model_validator(mode="after")
    def _fit(self) -> "Plan":
        """Refuse what does not go together."""
        if refusal := next(against(self), None):
            raise ValueError(refusal)
        return self

    @property
    def flips(self) -> tuple[int, ...]:
        """Axes along which training images are mirrored, counted from the last: −1 for columns, −2 for rows."""
        if not self.augmentation:
            return ()
        chances = {-2: self.augmentation.flip_vertical, -1: self.augmentation.flip_horizontal}
        return tuple(axis for axis, chance in chances.items() if chance)

    @property
    def unit(self) -> str:
        """What the networks look at one by one, in words."""
        return "report" if self.task == REPORT_LABELLING else "image"
