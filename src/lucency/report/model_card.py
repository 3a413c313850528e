"""A model card of a finished study, under the headings of Mitchell et al. (2019), from the study's own numbers."""

import re

from lucency.provenance import head_code
from lucency.report import ground_truth, words
from lucency.report.counts import count_flow, n_refused
from lucency.report.html import plain_template
from lucency.report.limitations import find_limitations
from lucency.report.material import Material
from lucency.report.representativeness import verdict_on_shortcuts
from lucency.report.tables import cohort_table, estimate_groups


def render_model_card(material: Material, notice: str) -> str:
    """Write the model card as Markdown; `notice` says what the model is not."""
    text = plain_template("model_card.md.j2").render(
        material=material,
        plan=material.plan,
        answers=material.answers,
        notice=notice,
        words=words,
        flow=count_flow(material),
        n_refused=n_refused(material),
        ground_truth=ground_truth,
        cohort_lines=cohort_table(material),
        estimate_groups=estimate_groups(material),
        limitations=find_limitations(material),
        shortcuts=verdict_on_shortcuts(material.description),
        head_code=head_code(material.record_head),
        trained=next((stage.time for stage in material.stages if stage.name == "train"), ""),
        text=_text,
    )
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


def _text(value: object) -> str:
    """Disarm what Markdown would take for a sign of its own: names of classes and sites are text."""
    return re.sub(r"([\\`*_{}\[\]<>|#])", r"\\\1", " ".join(str(value).split()))
