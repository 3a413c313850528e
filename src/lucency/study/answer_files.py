"""Where the answers of a task lie in a study's folder, and how the report reads them back."""

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from lucency.domain.estimate import Estimate
from lucency.domain.plan import Plan
from lucency.study.folder import StudyFolder

if TYPE_CHECKING:
    from lucency.report.answers.answers import Answers
    from lucency.report.answers.saliency import Explanation


@dataclass(frozen=True)
class AnswerFiles:
    """What the report reads of the answers of one task."""

    reads: Callable[[Plan], list[str]]
    """The files that the report depends on, beyond those of every study."""
    gather: Callable[[Plan, StudyFolder], "Answers"]


def read_explanation(folder: StudyFolder, index: str) -> "Explanation | None":
    """Read maps of what a network looked at; None where the plan asked for none."""
    from lucency.report.answers.saliency import Explanation, SaliencyCase

    facts = folder.read_json(index)
    if not facts:
        return None
    cases = [
        SaliencyCase(read_png(folder, case["file"]), case["caption"], case["similarity_after_randomisation"])
        for case in facts["cases"]
    ]
    return Explanation(facts["method"], tuple(cases), facts["verdict"], Estimate(**facts["similarity"]))


def read_png(folder: StudyFolder, file: str) -> bytes:
    """Read a picture of the folder."""
    return (folder.path / file).read_bytes()


def only_fields(kind: Any, facts: dict[str, Any]) -> Any:
    """Build a dataclass from the facts that it has a field for; JSON's lists become tuples."""
    names = {field.name for field in fields(kind)}
    return kind(**{n: tuple(v) if isinstance(v, list) else v for n, v in facts.items() if n in names})
