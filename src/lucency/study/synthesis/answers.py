"""Read what a generator made, and what it is worth, back from a study's folder."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from lucency.domain.estimate import Estimate
from lucency.domain.plan import Plan
from lucency.study.answer_files import AnswerFiles, only_fields, read_png
from lucency.study.cohort import CLASSES
from lucency.study.folder import StudyFolder
from lucency.study.synthesis.contest import DISCRIMINATOR_LAYERS, GENERATOR_LAYERS, HISTORY, OUTCOME, SHEETS
from lucency.study.synthesis.files import FACTS, KEPT, NEAREST, WALK

if TYPE_CHECKING:
    from lucency.report.answers.synthesis import Arm, Round, SyntheticImages
    from lucency.report.material import Picture

N_SHEETS = 4
"""Sheets of earlier epochs that the page shows; all are in the folder."""


def _gather(plan: Plan, folder: StudyFolder) -> "SyntheticImages":
    from lucency.report.answers.synthesis import Nearness, SyntheticImages
    from lucency.report.material import Layer

    facts = folder.read_json(FACTS)
    generator, discriminator = (
        tuple(only_fields(Layer, row) for row in folder.read_json(file))
        for file in (GENERATOR_LAYERS, DISCRIMINATOR_LAYERS)
    )
    return SyntheticImages(
        classes=tuple(folder.read_json(CLASSES)["classes"]),
        model=plan.synthesis.model,
        rounds=tuple(map(_round, folder.read_table(HISTORY))),
        best_epoch=folder.read_json(OUTCOME)["best_epoch"],
        generator_layers=generator,
        discriminator_layers=discriminator,
        kept=_pictures(folder, KEPT),
        sheets=_some(_pictures(folder, SHEETS)),
        pairs=_pictures(folder, NEAREST),
        walks=_pictures(folder, WALK),
        nearness=Nearness(
            tuple(facts["distance_of_synthetic"]),
            tuple(facts["distance_of_unseen"]),
            facts["suspect_below"],
            facts["n_identical"],
        ),
        arms=tuple(map(_arm, facts["arms"])),
        verdicts=facts["verdicts"],
    )


def _round(row: Mapping[str, str]) -> "Round":
    from lucency.report.answers.synthesis import Round

    numbers: dict[str, Any] = {name: float(cell) if cell else None for name, cell in row.items()}
    return only_fields(Round, numbers | {"epoch": int(row["epoch"])})


def _arm(facts: dict[str, Any]) -> "Arm":
    from lucency.report.answers.synthesis import Arm

    difference = Estimate(**facts["difference"]) if facts["difference"] else None
    return Arm(facts["name"], Estimate(**facts["auc"]), tuple(facts["of_seeds"]), difference)


def _pictures(folder: StudyFolder, index: str) -> "tuple[Picture, ...]":
    from lucency.report.material import Picture

    return tuple(Picture(read_png(folder, facts["file"]), facts["caption"]) for facts in folder.read_json(index))


def _some(sheets: "tuple[Picture, ...]") -> "tuple[Picture, ...]":
    """Choose sheets that lie apart, the first and the last among them."""
    if len(sheets) <= N_SHEETS:
        return sheets
    return tuple(sheets[round(place * (len(sheets) - 1) / (N_SHEETS - 1))] for place in range(N_SHEETS))


SYNTHETIC_IMAGES = AnswerFiles(
    lambda _: [
        *(CLASSES, HISTORY, OUTCOME, GENERATOR_LAYERS, DISCRIMINATOR_LAYERS),
        *(SHEETS, FACTS, NEAREST, WALK, KEPT),
    ],
    _gather,
)
