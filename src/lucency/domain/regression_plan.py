"""The plan's part about a task whose answer is a number."""

from typing import Annotated, Any

from pydantic import Field

from lucency.domain.section import Section

OF_DRAWINGS = {
    "area_pixels": {"quantity": "area", "unit": "pixels"},
    "area_mm2": {"quantity": "area", "unit": "mm²"},
    "volume_ml": {"quantity": "volume", "unit": "ml"},
    "longest_mm": {"quantity": "longest diameter", "unit": "mm"},
    "count": {"quantity": "number", "unit": "lesions"},
}
"""What `data.labels.drawings.measure` gives, unless the plan has better words for it; the unit is fixed."""


class Regression(Section):
    """What is measured, for `task: regression`."""

    quantity: str = "value"
    """What the number means, in words: lesion area, volume of the hippocampus, bone age."""
    unit: str = ""
    """Its unit, as it shall stand in the report: mm², ml, months. A unit in the cells of a table must be this one."""
    tolerance: Annotated[float, Field(gt=0)] | None = None
    """How far a prediction may be off, in this unit, and still serve; the share of images within it is reported. Null leaves
    that out."""

    lowest: float | None = None
    """No answer goes below this number: 0 for what cannot be negative. Null sets no limit; what is measured on drawings has 0."""

    @property
    def in_words(self) -> str:
        """Return the quantity with its unit, as an axis is labelled."""
        return f"{self.quantity} ({self.unit})" if self.unit else self.quantity

    @property
    def as_title(self) -> str:
        """Return the quantity with its unit, as a line of a table begins."""
        return self.in_words[:1].upper() + self.in_words[1:]


def measured_on_drawings(plan: Any) -> dict[str, Any]:
    """Return the words for what a plan, not yet checked, measures on drawings; nothing where it does not."""
    found = plan
    for name in ("data", "labels", "drawings", "measure"):
        found = found.get(name) if isinstance(found, dict) else None
    return {**OF_DRAWINGS[found], "lowest": 0.0} if isinstance(found, str) and found in OF_DRAWINGS else {}
