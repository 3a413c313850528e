"""Images on which readers disagree: a sheet to look at, and a table to fill in."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from lucency.study.stage import Study

if TYPE_CHECKING:  # pandas takes time to import; only stages that need it do
    from lucency.data.ground_truth.adjudication import Disputed

ADJUDICATION, ADJUDICATION_SHEET = "adjudication.csv", "adjudication.html"
N_SHOWN = 60
"""Disputed images on the sheet; the table lists all."""


def write_disputes(study: Study, disputed: "Sequence[Disputed]") -> list[str]:
    """Write the sheet of disputed images and the table to fill in; nothing where all is settled."""
    from lucency.data.ground_truth.adjudication import HEADER, refuse_to_overwrite, rows_to_decide
    from lucency.report.sheet import Card, Sheet, render_sheet
    from lucency.study.pictures import pictures_of

    refuse_to_overwrite(study.folder.path / ADJUDICATION)
    for name in (ADJUDICATION, ADJUDICATION_SHEET):
        (study.folder.path / name).unlink(missing_ok=True)  # of a time when more was disputed
    if not disputed:
        return []
    shown = disputed[:N_SHOWN]
    pictures = pictures_of(study, [one.image.image_id for one in shown])
    cards = [
        Card(
            png,
            one.image.source,
            (("Readers", one.votes), ("Image", one.image.image_id)),
            "Without a label until it is decided." if one.is_open else "Has a label by the rule of the plan.",
        )
        for one, png in zip(shown, pictures, strict=True)
    ]
    n_open = sum(one.is_open for one in disputed)
    instructions = (
        f"The readers disagree on these {len(disputed)} images; {n_open} of them have no label until somebody decides. "
        "A decision should be made by a reader who was not one of them, without knowing what a network says.",
        f"Open {ADJUDICATION} in a spreadsheet and save a copy under another name.",
        "Write the right class into the column “decision”, and who decided and when beside it. Leave open what stays open.",
        "Name the copy in the plan: data.labels.consensus.adjudicated (or data.reference.consensus.adjudicated), and run "
        "the study again.",
    )
    sheet = Sheet("Images on which the readers disagree", instructions, tuple(cards), ("Decision", "Decided by"))
    return [
        study.folder.write_table(ADJUDICATION, HEADER, rows_to_decide(disputed)),
        study.folder.write(ADJUDICATION_SHEET, render_sheet(sheet)),
    ]
