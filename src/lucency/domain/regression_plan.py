"""The plan's part about a task whose answer is a number."""

from typing import Annotated

from pydantic import Field

from lucency.domain.section import Section


class Regression(Section):
    """What is measured, for `task: regression`."""

    quantity: str = "value"
    """What the number means, in words: lesion area, volume of the hippocampus, bone age."""
    unit: str = ""
    """Its unit, as it shall stand in the report: mm², ml, months. A unit in the cells of a table must be this one."""
    tolerance: Annotated[float, Field(gt=0)] | None = None
    """How far a prediction may be off, in this unit, and still serve; the share of images within it is reported. Null leaves
    that out."""

    @property
    def in_words(self) -> str:
        """Return the quantity with its unit, as an axis is labelled."""
        return f"{self.quantity} ({self.unit})" if self.unit else self.quantity
