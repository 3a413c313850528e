"""The plan's part about the evaluation: the operating point, and what the statistics need to know."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from lucency.domain.section import Fraction, Section


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
    surface_tolerance: Annotated[float, Field(gt=0)] = 1.0
    """For masks: how far two outlines may lie apart and still count as the same, in millimetres (in pixels where the spacing is
    not known). As far as two readers differ is a good choice."""
