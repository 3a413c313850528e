"""A page about radiology reports that were read by rules: what was found how often, and the words behind it.

One HTML file without script or network, every text escaped.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from lucency.report.html import styles, template


@dataclass(frozen=True)
class FindingCount:
    """How often one finding was stated."""

    finding: str
    n_positive: int
    n_uncertain: int
    n_negative: int
    n_not_mentioned: int


@dataclass(frozen=True)
class MarkedReport:
    """A report with the words that carried its labels."""

    name: str
    text: str
    marks: tuple[tuple[int, int, str, str], ...]
    """First and last character, finding, and what is stated of it."""
    labels: tuple[tuple[str, str], ...]

    @property
    def pieces(self) -> list[tuple[str, str, str]]:
        """Cut the text at its marks: (text, finding, stated), the last two empty between marks."""
        pieces, place = [], 0
        for start, end, finding, stated in sorted(self.marks):
            if start < place:  # two findings in the same words: the first mark is shown
                continue
            pieces += [(self.text[place:start], "", ""), (self.text[start:end], finding, stated)]
            place = end
        return [piece for piece in [*pieces, (self.text[place:], "", "")] if piece[0]]


def render_reports_page(
    n_reports: int, n_unread: int, counts: Sequence[FindingCount], shown: Sequence[MarkedReport]
) -> str:
    """Write the page as one self-contained HTML file."""
    return template("reports_page.html.j2").render(
        styles=styles("reports_page.css"), n_reports=n_reports, n_unread=n_unread, counts=counts, shown=shown
    )
