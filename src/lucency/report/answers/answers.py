"""What the page asks of the answers of a task."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Protocol

from lucency.domain.estimate import Estimate
from lucency.domain.parts import Part

if TYPE_CHECKING:  # the material holds the answers
    from lucency.report.limitations import Limitation
    from lucency.report.material import Material


class Answers(Protocol):
    """The answers of a finished study: a frozen dataclass in a file of this folder, with a template beside it."""

    @property
    def template(self) -> str:
        """A template of this folder, such as "answers/classes.html.j2", which extends `page.html.j2` and fills its blocks."""

    @property
    def ensemble(self) -> str:
        """How the answers of several networks become one: "the mean of their probabilities is the answer"."""

    @property
    def shares_told(self) -> tuple[str, ...]:
        """Classes whose share the table of sites and scanners tells; empty where there are no classes."""

    def sections(self) -> tuple[tuple[str, str], ...]:
        """List identifier and title of the sections that follow the results; the template writes them."""

    def counts(self, material: "Material", part: Part) -> dict[str, int]:
        """Count what stands below the name of a part in the flow diagram; empty where images are all that is counted."""

    def n_iterations(self, material: "Material") -> int:
        """Count the batches of one epoch."""

    def aim(self) -> str:
        """Say what the network learnt to do: "tell normal and pneumonia apart"."""

    def decision_sentence(self, material: "Material") -> str:
        """Say how what the network gives becomes an answer, and that the test part had no say in it."""

    def result_sentences(self, material: "Material") -> list[str]:
        """Say the results of the test part in words that need no statistics; no value without its interval."""

    def key_estimates(self, material: "Material") -> tuple[Estimate, ...]:
        """Choose the two or three numbers of the key box."""

    def ruler(self, estimate: Estimate) -> tuple[float, float] | None:
        """Return the ends of the ruler below a number of the key box; None where a ruler would say nothing."""

    def everything(self, material: "Material") -> str:
        """Name what the estimates of the group "all" speak of: "All images"."""

    def figures(self, material: "Material") -> dict[str, str]:
        """Draw the figures of the results as inline SVG, by name."""

    def limitations(self, material: "Material") -> "Iterator[Limitation]":
        """Look for the weaknesses that the results give away, the gravest first."""
