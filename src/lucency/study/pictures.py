"""Images for the report: samples, augmented samples, errors, and what the network looked at."""

import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lucency.domain.cohort import CohortRow
from lucency.domain.predictions import Predictions
from lucency.domain.questions import Question
from lucency.randomness import generator
from lucency.study.stage import Study

if TYPE_CHECKING:  # torch takes seconds to import; only stages that need it do
    from torch import nn

    from lucency.data.looks.contact_sheet import SetAside
    from lucency.training.examples import ImageExamples

SET_ASIDE, DRAWN, SAMPLES, AUGMENTED, ERRORS, SALIENCY = (
    "figures/set-aside.json",
    "figures/drawings.json",
    "figures/samples.json",
    "figures/augmented.json",
    "figures/errors.json",
    "figures/saliency.json",
)
N_SAMPLES = 8
N_DRAWS = 7
"""How often the augmentation sheet changes one image."""
LARGEST_SIDE = 256
"""Pixels of a picture in the report; a larger one would only make the page heavy."""


def show_samples(study: Study, training: "ImageExamples", questions: Sequence[Question]) -> list[str]:
    """Write a few training images of each class, or of each finding, and two images augmented several times."""
    targets = training.targets.numpy()
    draw = generator(study.plan.seed, "sample sheet")
    kinds = list(_kinds(targets, questions))
    n_each = max(1, N_SAMPLES // len(kinds))
    chosen, captions = [], []
    for name, members in kinds:
        some = np.sort(draw.permutation(members)[:n_each]).tolist()
        chosen += some
        captions += [name] * len(some)
    return show_chosen(study, training, chosen, captions, chosen[:: max(1, n_each)][:2])


def _kinds(targets: NDArray, questions: Sequence[Question]) -> Iterator[tuple[str, NDArray[np.int64]]]:
    """Yield the name of each class, or of each finding that is there, with the places of its images."""
    for number, question in enumerate(questions):
        if question.finding:
            yield question.finding, np.flatnonzero(targets[:, number] == 1)
            continue
        yield from ((name, np.flatnonzero(targets == label)) for label, name in enumerate(question.classes))


def show_chosen(
    study: Study,
    training: "ImageExamples",
    chosen: Sequence[int],
    captions: Sequence[str],
    augmented: Sequence[int] | None = None,
) -> list[str]:
    """Write chosen training images, and some of them (the first and the middle one by default) augmented several times."""
    import torch

    from lucency.data.augmentation import Batch, make_augmenter

    images = training.inputs(np.array(chosen)).numpy()
    pictures = [(image, {"caption": caption}) for image, caption in zip(images, captions, strict=True)]
    files = write_pictures(study, SAMPLES, "sample", pictures)
    if not study.plan.augmentation:
        return [*files, study.folder.write_json(AUGMENTED, [])]
    augment = make_augmenter(study.plan.augmentation, study.plan.seed)
    sheet = []
    for number in [chosen[0], chosen[len(chosen) // 2]] if augmented is None else augmented:
        original = training.stored(np.array([number]))
        sheet.append((training.inputs(np.array([number])).numpy()[0], {"caption": "original"}))
        for epoch in range(N_DRAWS):
            changed = augment(Batch(original), training.sample_keys[[number]], epoch).images
            sheet.append((torch.clamp(changed, 0, 1).numpy()[0], {"caption": f"epoch {epoch + 1}"}))
    return [*files, *write_pictures(study, AUGMENTED, "augmented", sheet)]


@dataclass(frozen=True)
class Said:
    """What the ensemble said about one question on the test part."""

    test: Predictions
    called: NDArray[np.int64]
    """Class that each image is called, axis (image)."""
    places: NDArray[np.int64]
    """Place of each image among the examples: where several findings are asked, not every image is known for each."""
    output: int | None
    """Output of the network that speaks of the finding; None where each class has its own."""

    def name(self, label: int) -> str:
        """Name a class, or whether the finding is there."""
        if not self.test.finding:
            return self.test.classes[label]
        return f"{self.test.finding} {'present' if label == 1 else 'absent'}"


def show_errors(study: Study, said: Sequence[Said], examples: "ImageExamples") -> list[str]:
    """Write the errors that the network was most sure of, over all findings where there are several."""
    worst = sorted(
        (error for number in range(len(said)) for error in _errors(said, number)), key=lambda error: error[:3]
    )
    chosen = [(said[number], place) for _, number, place in worst[: study.plan.report.n_worst]]
    places = np.array([one.places[place] for one, place in chosen], np.int64)
    pictures = [
        (
            image,
            {
                "image_id": one.test.image_ids[place],
                "target": one.name(int(one.test.targets[place])),
                "predicted": one.name(int(one.called[place])),
                "probability": float(one.test.probabilities[place, one.called[place]]),
            },
        )
        for (one, place), image in zip(chosen, examples.inputs(places).numpy(), strict=True)
    ]
    return write_pictures(study, ERRORS, "error", pictures)


def _errors(said: Sequence[Said], number: int) -> Iterator[tuple[float, int, int]]:
    """Yield minus the margin of each error, the question, and the image.

    How far the named class is above the true one orders the errors whatever the threshold is.
    """
    one = said[number]
    each = np.arange(len(one.test))
    margin = one.test.probabilities[each, one.called] - one.test.probabilities[each, one.test.targets]
    yield from ((-float(margin[place]), number, int(place)) for place in np.flatnonzero(one.called != one.test.targets))


def show_saliency(study: Study, said: Sequence[Said], examples: "ImageExamples", network: "nn.Module") -> list[str]:
    """Write saliency maps of the surest answers of each class or finding, with the check by randomised weights."""
    from lucency.explanation.saliency import saliency
    from lucency.explanation.sanity_check import check_by_randomisation

    chosen = _surest_of_each(said, study.plan.explanation.n_cases)
    if not chosen:
        return [study.folder.write_json(SALIENCY, None)]
    images = examples.inputs(np.array([one.places[place] for one, place in chosen]))
    explained = [int(one.called[place]) if one.output is None else one.output for one, place in chosen]
    maps = saliency(network, images, explained)
    patients = [one.test.patient_ids[place] for one, place in chosen]
    check = check_by_randomisation(
        network, images, study.plan.seed, patients, study.plan.evaluation.level, classes=explained
    )
    pictures = [
        (
            overlay(image, heat),
            {
                "caption": _caption(one, place),
                "similarity_after_randomisation": None if np.isnan(similar) else float(similar),
            },
        )
        for (one, place), image, heat, similar in zip(chosen, images.numpy(), maps.maps, check.similarity, strict=True)
    ]
    files = write_pictures(study, SALIENCY, "saliency", pictures)
    cases = study.folder.read_json(SALIENCY)
    facts = {"method": maps.method, "verdict": check.verdict, "similarity": asdict(check.median), "cases": cases}
    study.folder.write_json(SALIENCY, facts)
    return files


def _surest_of_each(said: Sequence[Said], n_cases: int) -> list[tuple[Said, int]]:
    """Return the surest right answers of each class, or of each finding that is there, up to so many in all."""
    kinds = [(one, label) for one in said for label in ([1] if one.output is not None else _from_last(one.test))]
    n_each = -(-n_cases // len(kinds))
    return [(one, int(place)) for one, label in kinds for place in _surest(one.test, label, n_each)][:n_cases]


def _from_last(test: Predictions) -> list[int]:
    return list(reversed(range(len(test.classes))))


def _caption(one: Said, place: int) -> str:
    said = one.called[place]
    return (
        f"{one.test.image_ids[place]}: truth {one.name(int(one.test.targets[place]))}, network {one.name(int(said))} "
        f"(probability {one.test.probabilities[place, said]:.2f})"
    )


def show_set_aside(study: Study, sheet: Sequence["SetAside"]) -> list[str]:
    """Write the contact sheet of what was refused for its look, or noted."""
    pictures = []
    for one in sheet:
        levels = one.picture.astype(np.float32) / np.float32(255)
        image = levels[None] if levels.ndim == 2 else np.moveaxis(levels, -1, 0)
        fate = "refused" if one.row.reason else "kept"
        group = f" ({one.row.lookalike})" if one.row.lookalike else ""
        pictures.append((image, {"caption": f"{one.row.image_id}, {fate}: {', '.join(one.codes)}{group}"}))
    return write_pictures(study, SET_ASIDE, "set-aside", pictures)


def pictures_of(study: Study, image_ids: Sequence[str]) -> list[bytes]:
    """Return the images of the store as PNG files, in the order asked for.

    People look at them; whoever shows them to a network asks `examples_of`, which keeps the test part sealed.
    """
    from lucency.data.store import open_store

    store = open_store(study.folder.path / "store")
    places = {row.image_id: row.store_row for row in study.folder.read_rows("cohort.csv", CohortRow)}
    return [png(store.images[places[image_id]] / np.float32(store.white)) for image_id in image_ids]


def png(image: NDArray[np.float32]) -> bytes:
    """Encode an image of fractions of white, axes (channel, row, column); of a volume, the slice in the middle."""
    levels = np.rint(np.clip(_shown(image), 0, 1) * 255).astype(np.uint8)
    picture = Image.fromarray(levels[0] if len(levels) == 1 else np.moveaxis(levels, 0, -1))
    if max(picture.size) > LARGEST_SIDE:
        picture.thumbnail((LARGEST_SIDE, LARGEST_SIDE), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def _surest(test: Predictions, label: int, n_cases: int) -> NDArray[np.int64]:
    """Return the images of one class to which the network gave that class most firmly."""
    of_class = np.flatnonzero(test.targets == label)
    return of_class[np.argsort(-test.probabilities[of_class, label], kind="stable")][:n_cases]


def overlay(image: NDArray[np.float32], heat: NDArray[np.float32]) -> NDArray[np.float32]:
    """Lay a map, axes (row, column), over an image, axes (channel, row, column), from red to yellow."""
    image = _shown(image)
    grey = np.repeat(image, 3, axis=0) if len(image) == 1 else image
    colour = np.stack([np.ones_like(heat), 0.15 + 0.8 * heat, 0.1 * heat])
    return grey + (colour - grey) * (0.65 * heat)


def _shown(image: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return an image that can be shown: of a volume, the slice in the middle."""
    return image if len(image) in (1, 3) else image[len(image) // 2 :][:1]


def write_pictures(
    study: Study, index: str, name: str, pictures: Sequence[tuple[NDArray[np.float32], Mapping[str, object]]]
) -> list[str]:
    """Write pictures and an index of them with their facts; return the names of all files."""
    files = [study.folder.write(f"figures/{name}-{n:02d}.png", png(image)) for n, (image, _) in enumerate(pictures)]
    facts = [{"file": file, **about} for file, (_, about) in zip(files, pictures, strict=True)]
    return [*files, study.folder.write_json(index, facts)]
