"""How networks read radiology reports: their vocabulary, and the words that carried their answers."""

from collections.abc import Mapping
from dataclasses import dataclass

from lucency.domain.estimate import Estimate


@dataclass(frozen=True)
class ShownWord:
    """One word of a report on the page."""

    text: str
    """The word, or ▢ where it might tell who the patient is."""
    shade: int
    """From −3 (spoke against the answer) to 3 (carried it)."""
    attention: int
    """From 0 to 3."""


@dataclass(frozen=True)
class ReadReport:
    """A test report with what the network said of it, and the words that carried the answer."""

    image_id: str
    finding: str
    """Empty where the study asks one thing only."""
    target: str
    predicted: str
    probability: float
    words: tuple[ShownWord, ...]


@dataclass(frozen=True)
class KnownWords:
    """The vocabulary of the networks."""

    n_words: int
    n_shown: int
    """Words that the page may show."""
    least_count: int
    unknown: Mapping[str, tuple[int, int]]
    """Part → unknown words, and all words."""


@dataclass(frozen=True)
class Reading:
    """How networks read reports: their vocabulary, the words that carried answers, and whether to believe those."""

    vocabulary: KnownWords
    errors: tuple[ReadReport, ...]
    cases: tuple[ReadReport, ...]
    method: str = ""
    verdict: str = ""
    similarity: Estimate | None = None
    """Median over the cases of the likeness to the shading by networks with random parameters."""
    attention: Estimate | None = None
    """Median over the cases of the likeness of attention and shading; None without attention."""

    @property
    def likeness(self) -> str:
        """Say how much attention orders the words as the shading does."""
        value = (self.attention.value if self.attention else None) or 0.0
        return "much as" if value >= 0.5 else "somewhat as" if value >= 0.3 else "hardly as"
