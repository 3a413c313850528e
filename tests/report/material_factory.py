"""Fabricate the material of a study that could have happened: numbers, histories and images are made up."""

import hashlib
import io
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lucency.domain.cohort import CohortRow, LabelRow, SplitRow
from lucency.domain.description import Description
from lucency.domain.estimate import Estimate
from lucency.domain.parts import Part
from lucency.domain.plan import Plan
from lucency.domain.predictions import Predictions
from lucency.evaluation.classification import evaluate_classification
from lucency.evaluation.operating_point import choose_operating_point
from lucency.evaluation.representativeness import Cohort, describe_cohort
from lucency.report.answers.classes import Classes, ErrorCase
from lucency.report.answers.saliency import Explanation, SaliencyCase
from lucency.report.material import (
    Certificate,
    Epoch,
    Layer,
    Material,
    Member,
    Opening,
    Picture,
    Stage,
)

REASONS = {
    "E_UNREADABLE": "The file could not be decoded.",
    "E_BLANK": "Every pixel has the same value.",
    "E_LOCALIZER": "A localizer, made to plan the exam.",
    "E_DUPLICATE": "Pixel for pixel the same as another image.",
    "E_NO_LABEL": "The label table does not name the image.",
    "E_CONFLICT": "Two labels contradict each other.",
}
N_PATIENTS = {"training": 700, "tuning": 100, "test": 200}


def two_classes(seed: int = 7, n_members: int = 1) -> Material:
    """Make a study of pneumonia with two sites, several images a patient, and some overfitting."""
    plan = Plan.model_validate(
        {
            "title": "Pneumonia on chest radiographs: a made-up cohort",
            "task": "classification",
            "data": {"images": "images/cxr", "labels": {"from": "table", "table": "labels.csv"}, "patient": "dicom"},
            "augmentation": {"rotate_degrees": 8, "erase": 0.1, "flip_horizontal": 0.5},
            "network": {"architecture": "resnet18", "stem": "large"},
            "training": {"learning_rate": 3e-4, "n_members": n_members},
            "report": {
                "authors": "A. Example, B. Sample and C. Instance",
                "aim": "Can a network tell chest radiographs with pneumonia from those without?",
            },
        }
    )
    return _material(plan, ("normal", "pneumonia"), (0.6, 0.4), seed, n_members)


def four_classes(seed: int = 9) -> Material:
    """Make a study with four classes and an ensemble of three networks."""
    plan = Plan.model_validate(
        {
            "title": "Four findings on chest radiographs",
            "task": "classification",
            "data": {"images": "images", "patient": "each_image"},
            "training": {"n_members": 3, "class_weights": "balanced"},
            "network": {"architecture": "small_cnn"},
        }
    )
    return _material(plan, ("normal", "pneumonia", "effusion", "pneumothorax"), (0.4, 0.3, 0.2, 0.1), seed, 3)


def _material(plan: Plan, classes: tuple[str, ...], shares: tuple[float, ...], seed: int, n_members: int) -> Material:
    random = np.random.default_rng(seed)
    cohort, labels, split = _cohort(classes, shares, random)
    predictions = {part: _predictions(part, classes, labels, split, random) for part in ("tuning", "test")}
    test = predictions["test"]
    point = choose_operating_point(predictions["tuning"], plan.evaluation.threshold)
    estimates = [e for part in predictions.values() for e in evaluate_classification(part, point, plan.evaluation)]
    estimates.append(Estimate("likelihood ratio", None, None, None, len(test), "image", "Simel 1991", part="test",
                              note="No false alarm among the images: the ratio has no bound."))  # fmt: skip
    members = tuple(_member(i, random) for i in range(n_members))
    samples = tuple(
        Picture(radiograph(random, c), f"{name}, {site}")
        for site in ("site A", "site B")
        for c, name in enumerate(classes)
        for _ in range(12 // (2 * len(classes)) + 1)
    )
    augmentations = tuple(Picture(radiograph(random, i % 2), "as it is" if i == 0 else f"draw {i}") for i in range(12))
    errors = _errors(test, point.threshold if point else None, random)
    answers = Classes(predictions["tuning"], test, point, errors=errors, explanation=_explanation(classes, random))
    return Material(
        plan=plan,
        cohort=tuple(cohort),
        labels=tuple(labels),
        split=tuple(split),
        certificate=Certificate(
            "stratified by class, at random by patient", plan.seed, _hash("split"), n_components=1000
        ),
        layers=_resnet18_layers() if plan.network.architecture == "resnet18" else _small_layers(len(classes)),
        members=members,
        answers=answers,
        estimates=tuple(estimates),
        description=_description(cohort, labels, split, classes),
        record_head=_hash("record"),
        openings=(Opening("2026-03-14T10:22:05+00:00", 1),),
        stages=tuple(
            Stage(name, f"2026-03-14T{hour}+00:00", seconds)
            for name, hour, seconds in (
                ("curate", "09:01:10", 41.2), ("label", "09:01:12", 0.4), ("split", "09:01:13", 0.9),
                ("train", "10:21:50", 4837.0), ("predict", "10:22:03", 12.8), ("evaluate", "10:22:07", 3.1),
                ("explain", "10:22:25", 17.9),
            )
        ),
        environment={
            "python": "3.12.4", "system": "Linux 6.8.0", "processor": "AMD EPYC 7B13", "n_cores": "2",
            "lucency": "0.1.0", "torch": "2.15.0", "torchvision": "0.30.0", "numpy": "2.3.1", "pydicom": "3.0.2",
        },
        reasons=REASONS,
        samples=samples,
        augmentations=augmentations,
    )  # fmt: skip


def answers_of(material: Material) -> Classes:
    """Return the answers of a made-up study, which are classes."""
    assert isinstance(material.answers, Classes)
    return material.answers


def with_answers(material: Material, **changed: object) -> Material:
    """Change something of the answers."""
    return replace(material, answers=replace(answers_of(material), **changed))  # type: ignore[arg-type]


def described(material: Material) -> Material:
    """Describe a changed cohort anew."""
    description = _description(material.cohort, material.labels, material.split, answers_of(material).classes)
    return replace(material, description=description)


def _description(
    cohort: Sequence[CohortRow], labels: Sequence[LabelRow], split: Sequence[SplitRow], classes: tuple[str, ...]
) -> Description:
    row_of = {row.image_id: row for row in cohort}
    parts = {part: [row_of[r.image_id] for r in split if r.part == part and r.image_id in row_of] for part in Part}
    target = {row.image_id: row.target for row in labels}
    return describe_cohort(Cohort(parts, target, classes), None, (), None, 0.95)


def _cohort(
    classes: tuple[str, ...], shares: tuple[float, ...], random: np.random.Generator
) -> tuple[list[CohortRow], list[LabelRow], list[SplitRow]]:
    cohort, labels, split = [], [], []
    n = 0
    for part, n_patients in N_PATIENTS.items():
        for _ in range(n_patients):
            n += 1
            patient, site = f"P{n:04d}", "Site A" if random.random() < 0.65 else "Site B"
            target = str(random.choice(classes, p=shares))
            sex, age = str(random.choice(["F", "M"])), float(np.clip(random.normal(58, 17), 18, 95).round())
            for k in range(int(random.choice([1, 2, 3], p=[0.8, 0.15, 0.05]))):
                age_known = random.random() > 0.03
                row = cohort_row(
                    f"{patient}-{k + 1}", patient, exam_id=f"E{n}", modality=str(random.choice(["CR", "DX"])),
                    columns=1024 if random.random() < 0.8 else 840, site=site, sex=sex,
                    age_years=f"{age:g}" if age_known else "",
                    laterality=str(random.choice(["L", "R"])) if random.random() < 0.3 else "",
                )  # fmt: skip
                cohort.append(row)
                labels.append(LabelRow(row.image_id, target, "radiologist’s reading", "kept", ""))
                split.append(SplitRow(row.image_id, patient, part, patient))
    for reason, n_rows in (("E_UNREADABLE", 7), ("E_BLANK", 3), ("E_LOCALIZER", 2)):
        cohort += [refused_row(f"X{reason}{i}", f"P{i:04d}", reason) for i in range(1, n_rows + 1)]
    cohort += [refused_row(f"D{i}", cohort[i].patient_id, "E_DUPLICATE") for i in range(1, 10)]
    for reason, n_rows in (("E_NO_LABEL", 11), ("E_CONFLICT", 4)):
        for i in range(n_rows):
            cohort.append(cohort_row(f"L{reason}{i}", f"Q{i:04d}", sex="F", site="Site A", modality="CR"))
            labels.append(LabelRow(f"L{reason}{i}", "", "radiologist’s reading", "refused", reason))
    return cohort, labels, split


def cohort_row(image_id: str, patient_id: str, **told: str | int) -> CohortRow:
    """Make a kept image of which nothing is known but what is told."""
    row = CohortRow(
        image_id=image_id, patient_id=patient_id, source=f"{image_id}.dcm", sha256=_hash(image_id),
        pixel_sha256=_hash(f"pixels of {image_id}"), rows=1024, columns=1024, spacing_mm="0.17×0.17", store_row=0,
    )  # fmt: skip
    return replace(row, **told)


def refused_row(image_id: str, patient_id: str, reason: str) -> CohortRow:
    """Make a refused image."""
    return cohort_row(image_id, patient_id, status="refused", reason=reason, store_row=-1)


def _predictions(
    part: str, classes: tuple[str, ...], labels: list[LabelRow], split: list[SplitRow], random: np.random.Generator
) -> Predictions:
    target = {row.image_id: row.target for row in labels}
    rows = [row for row in split if row.part == part]
    targets = np.array([classes.index(target[row.image_id]) for row in rows])
    logits = random.normal(0, 1.15, (len(rows), len(classes)))
    logits[np.arange(len(rows)), targets] += 2.9 if part == "tuning" else 2.5
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    ids, patients = tuple(row.image_id for row in rows), tuple(row.patient_id for row in rows)
    return Predictions(part, "ensemble", classes, ids, patients, targets, probabilities)


def _member(i: int, random: np.random.Generator) -> Member:
    n_epochs, epochs = 24 + i, []
    for e in range(1, n_epochs + 1):
        rate = 3e-4 * 0.5 * (1 + np.cos(np.pi * (e - 1) / 30))
        training = 0.62 * np.exp(-e / 7) + 0.06 + random.normal(0, 0.006)
        tuning = 0.5 * np.exp(-e / 5) + 0.21 + 0.0065 * max(e - 10, 0) + random.normal(0, 0.012)
        auc = 0.945 - 0.17 * np.exp(-e / 4) - 0.0012 * max(e - 13, 0) + random.normal(0, 0.004)
        epochs.append(Epoch(e, float(rate), float(training), float(tuning), float(auc), 201.5))
    best = max(epochs, key=lambda epoch: epoch.tuning_measure or 0).epoch
    return Member(f"member-{i}", tuple(epochs), best, "the tuning part had not gained for 10 epochs", "AUC")


def _resnet18_layers() -> tuple[Layer, ...]:
    layers = [Layer("conv1", "convolution", (64, 112, 112), 64, (7, 7), (2, 2), (3, 3), 3136, 0, 3136, (7, 7)),
              Layer("bn1", "batch normalisation", (64, 112, 112), n_weights=64, n_biases=64, n_parameters=128),
              Layer("maxpool", "max pooling", (64, 56, 56), None, (3, 3), (2, 2), (1, 1),
                    receptive_field_pixels=(11, 11))]  # fmt: skip
    channels, size, field, jump = 64, 56, 11, 4
    for stage, width in enumerate((64, 128, 256, 512), start=1):
        for block in range(2):
            for conv in (1, 2):
                stride = 2 if stage > 1 and block == 0 and conv == 1 else 1
                field, jump, size = field + 2 * jump, jump * stride, size // stride
                n = channels * width * 9
                name = f"layer{stage}.{block}.conv{conv}"
                layers.append(Layer(name, "convolution", (width, size, size), width, (3, 3), (stride, stride), (1, 1),
                                    n, 0, n, (field, field)))  # fmt: skip
                channels = width
    layers.append(Layer("avgpool", "average pooling", (512, 1, 1), receptive_field_pixels=(field, field)))
    layers.append(Layer("fc", "fully connected", (2,), 2, n_weights=1024, n_biases=2, n_parameters=1026))
    return tuple(layers)


def _small_layers(n_classes: int) -> tuple[Layer, ...]:
    layers, channels, size, field = [], 1, 28, 1
    for i, width in enumerate((32, 64, 128)):
        field += 2 * 2**i
        layers.append(Layer(f"stage{i}.conv", "convolution", (width, size, size), width, (3, 3), (1, 1), (1, 1),
                            channels * width * 9, width, channels * width * 9 + width, (field, field)))  # fmt: skip
        channels, size = width, size // 2
    layers.append(Layer("head", "fully connected", (n_classes,), n_classes, n_weights=128 * n_classes,
                        n_biases=n_classes, n_parameters=129 * n_classes))  # fmt: skip
    return tuple(layers)


def _explanation(classes: tuple[str, ...], random: np.random.Generator) -> Explanation:
    return Explanation(
        "Grad-CAM",
        tuple(
            SaliencyCase(radiograph(random, 1, heat=True), f"{classes[-1]}, found with 9{i} %", 0.04 + 0.03 * i)
            for i in range(4)
        ),
        "Passed. With random parameters the maps lose their likeness (median rank correlation below 0.2), so they "
        "depend on what the network learnt.",
    )


def _errors(test: Predictions, threshold: float | None, random: np.random.Generator) -> tuple[ErrorCase, ...]:
    p = test.probabilities
    answers = p.argmax(axis=1) if threshold is None else (p[:, 1] >= threshold).astype(int)
    wrong = np.flatnonzero(answers != test.targets)
    wrong = wrong[np.argsort(-p[wrong, answers[wrong]])][:12]
    return tuple(
        ErrorCase(test.image_ids[i], test.classes[test.targets[i]], test.classes[answers[i]], float(p[i, answers[i]]),
                  radiograph(random, int(test.targets[i] > 0)))
        for i in wrong
    )  # fmt: skip


def radiograph(random: np.random.Generator, finding: int, *, heat: bool = False, size: int = 160) -> bytes:
    """Draw something that looks from afar like a chest radiograph, as PNG bytes."""
    y, x = np.mgrid[-1 : 1 : size * 1j, -1 : 1 : size * 1j]
    wobble = random.uniform(-0.04, 0.04, 4)
    body = 1 / (1 + np.exp(18 * ((x / 0.92) ** 2 + (y / 1.25) ** 4 - 1)))
    image = 0.62 * body
    for side in (-1, 1):
        lung = ((x - side * (0.42 + wobble[0])) / (0.29 + wobble[1])) ** 2 + ((y + 0.05) / (0.66 + wobble[2])) ** 2
        image -= 0.42 / (1 + np.exp(9 * (lung - 1)))
    image += 0.16 * np.exp(-((x / 0.13) ** 2)) * body
    image += 0.3 * np.exp(-(((x - 0.18) / 0.3) ** 2 + ((y - 0.42) / 0.3) ** 2))
    ribs = np.sin(15 * (y + 0.35 * np.abs(x) + wobble[3])) * (np.abs(x) > 0.12)
    image += 0.035 * ribs * body
    centre = (random.choice([-0.45, 0.42]), random.uniform(0, 0.35))
    blob = np.exp(-(((x - centre[0]) / 0.17) ** 2 + ((y - centre[1]) / 0.2) ** 2))
    if finding:
        image += 0.3 * blob
    image = np.clip(image + random.normal(0, 0.018, image.shape), 0, 1)
    if heat:
        colour = np.stack([image + 0.55 * blob, image + 0.12 * blob, image * (1 - 0.5 * blob)], axis=-1)
        return _png((np.clip(colour, 0, 1) * 255).astype(np.uint8))
    return _png((image * 255).astype(np.uint8))


def _png(pixels: NDArray[np.uint8]) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG", optimize=True)
    return file.getvalue()


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
