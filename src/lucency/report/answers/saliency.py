"""Maps of what a network looked at, for every task whose answers they can explain."""

from dataclasses import dataclass

from lucency.domain.estimate import Estimate


@dataclass(frozen=True)
class SaliencyCase:
    """A map of what the network looked at, and how much of the map survives random parameters."""

    png: bytes
    caption: str
    similarity_after_randomisation: float | None = None
    """Rank correlation with the map of the randomised network; near 0 the map depends on what was learnt."""


@dataclass(frozen=True)
class Explanation:
    """The saliency maps of a study and the verdict of the sanity check (Adebayo 2018)."""

    method: str
    cases: tuple[SaliencyCase, ...]
    verdict: str
    """What the sanity check says, in plain words."""
    similarity: Estimate | None = None
    """Median over the cases of the likeness to maps of networks with random parameters."""
