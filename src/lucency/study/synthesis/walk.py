"""The stage of explanation: what the generator that was kept makes, and a walk from one noise to another.

A generator that had learnt images by heart would jump from one to the next; one that has learnt what images are made of changes
them little by little (Radford 2016, section 6.1). The way turns from the one noise to the other, so that its length stays usual.
"""

from collections.abc import Iterable

import numpy as np

from lucency.study.cohort import CLASSES, classes_of
from lucency.study.plan import as_settings
from lucency.study.stage import Stage, Study
from lucency.study.synthesis.contest import OUTCOME, caption_of_sheet, sheet_of
from lucency.study.synthesis.files import KEPT, WALK
from lucency.study.synthesis.generator import WEIGHTS, load_maker
from lucency.study.synthesis.sheets import mosaic, sheet_png

N_STEPS, N_WALKS = 10, 3


def _explain(study: Study, key: str) -> Iterable[str]:  # noqa: ARG001 - every stage is given its key
    """Write the sheet of the generator that was kept, and a sheet of walks for each class."""
    from lucency.training.imagining import noise_of

    maker = load_maker(study)
    ends = noise_of(np.arange(2 * N_WALKS), study.plan.seed, "ends of walks", maker.noise_size)
    turn = np.linspace(0, np.pi / 2, N_STEPS)[:, None]
    noise = np.concatenate(
        [np.cos(turn) * first + np.sin(turn) * last for first, last in zip(ends[::2], ends[1::2], strict=True)]
    )
    kept = study.folder.write("figures/kept.png", sheet_of(study, maker))
    caption = caption_of_sheet(study, study.folder.read_json(OUTCOME)["best_epoch"])
    facts, files = [], [kept, study.folder.write_json(KEPT, [{"file": kept, "caption": caption}])]
    for number, name in enumerate(classes_of(study) if study.plan.synthesis.conditional else ("",)):
        images = maker.images(noise, np.full(len(noise), number))
        files.append(study.folder.write(f"figures/walk-{number}.png", sheet_png(mosaic(images, N_STEPS))))
        facts.append({"file": files[-1], "caption": name or "all classes"})
    return [*files, study.folder.write_json(WALK, facts)]


EXPLAIN = Stage(
    "explain",
    "The walks through the noise are drawn.",
    lambda study: {"synthesis": as_settings(study.plan.synthesis), "seed": study.plan.seed},
    lambda _: [CLASSES, WEIGHTS, OUTCOME],
    _explain,
)
