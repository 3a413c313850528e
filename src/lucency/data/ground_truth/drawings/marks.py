"""What one file has drawn on one image."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from lucency.domain.labels_plan import Drawings
from lucency.domain.masks import Box, Mask


@dataclass(frozen=True)
class Marks:
    """Masks and boxes on the grid of their image; both empty where somebody looked and drew nothing."""

    masks: tuple[Mask, ...] = ()
    boxes: tuple[Box, ...] = ()
    """Of lesions that have no mask."""
    notes: tuple[str, ...] = ()
    """Codes of what was repaired or should be known, from `codes.NOTES`."""

    @property
    def names(self) -> list[str]:
        """Names of all masks, then of all boxes."""
        return [mask.name for mask in self.masks] + [box.name for box in self.boxes]


@dataclass(frozen=True)
class Legend:
    """What the levels and colours of a mask stand for."""

    finding: str = "lesion"
    """What a mask shows that holds nothing but foreground and background."""
    names: Mapping[str, str] = field(default_factory=dict)
    """Level ("1") or colour ("#ff0000") → name."""
    threshold: float | None = None
    """Share of full white from which on a soft mask counts as drawn."""


def legend_of(settings: Drawings, structure: str = "") -> Legend:
    """Return the legend that a plan writes down, for a file whose name may tell the structure.

    Where several structures count and nothing tells which one a mask shows, it has no name.
    """
    unnamed = settings.finding if not settings.structures else ""
    finding = settings.structures[0] if len(settings.structures) == 1 else unnamed
    return Legend(structure or finding, settings.names, settings.threshold)
