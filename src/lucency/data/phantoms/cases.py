"""Who is ill with what: the invented course of every patient, exam by exam, before anything is drawn."""

from dataclasses import dataclass, replace
from datetime import date, time, timedelta
from typing import Literal

import numpy as np

from lucency import randomness
from lucency.data.phantoms.anatomy import Body, Findings, Lesion, Pose, Side
from lucency.data.phantoms.people import Person
from lucency.data.phantoms.texture import N_TREES

PNEUMONIA_SHARE = 0.45
"""Share of patients with pneumonia at their first exam."""

View = Literal["PA", "AP", "LL"]


@dataclass(frozen=True)
class Exam:
    """One visit: one or two views of the same findings."""

    number: int
    day: date
    clock: time
    views: tuple[View, ...]
    findings: Findings


@dataclass(frozen=True)
class Case:
    """One patient's body and exams, in order of time."""

    person: Person
    body: Body
    exams: tuple[Exam, ...]


def invent_cases(people: list[Person], seed: int) -> list[Case]:
    """Give every patient a body, a disease or none, and one to three images."""
    draw = randomness.generator(seed, "phantom disease")
    is_ill = np.zeros(len(people), bool)
    is_ill[: round(PNEUMONIA_SHARE * len(people))] = True
    draw.shuffle(is_ill)
    return [
        _invent_case(person, bool(ill), randomness.generator(seed, f"phantom case {person.key}"))
        for person, ill in zip(people, is_ill, strict=True)
    ]


def _invent_case(person: Person, is_ill: bool, draw: np.random.Generator) -> Case:
    findings = _invent_findings(is_ill, draw)
    n_images = int(draw.choice((1, 2, 3), p=(0.4, 0.35, 0.25)))
    exams: list[Exam] = []
    day = person.first_exam
    while n_images:
        is_pair = n_images > 1 and draw.random() < 0.22
        frontal: View = "AP" if draw.random() < (0.3 if findings.opacities else 0.18) else "PA"
        clock = time(int(draw.integers(7, 20)), int(draw.integers(60)), int(draw.integers(60)))
        exams.append(Exam(len(exams) + 1, day, clock, (frontal, "LL") if is_pair else (frontal,), findings))
        n_images -= 2 if is_pair else 1
        day += timedelta(days=int(draw.integers(3, 45) if findings.opacities else draw.integers(60, 600)))
        findings = _follow(findings, draw)
    return Case(person, _invent_body(person, draw), tuple(exams))


def _invent_body(person: Person, draw: np.random.Generator) -> Body:
    is_woman = person.sex == "F"
    ratio = draw.normal(0.56, 0.025) if draw.random() < 0.14 else draw.normal(0.445, 0.03)
    return Body(
        sex=person.sex,
        size=float(np.clip(draw.normal(0.94 if is_woman else 1.02, 0.04), 0.82, 1.12)),
        depth_cm=float(np.clip(draw.normal(21, 1.9), 17, 27)),
        cardiothoracic_ratio=float(np.clip(ratio, 0.36, 0.64)),
        dome_cm=float(draw.normal(21, 0.8)),
        dome_step_cm=float(draw.normal(1.2, 0.4)),
        rib_spacing_cm=float(draw.normal(2.85, 0.12)),
        rib_phase=float(draw.uniform()),
        rib_drop_cm=float(draw.normal(4.6, 0.5)),
        breast_cm=float(np.clip(draw.normal(2.8, 1.2), 0.4, 6)) if is_woman else 0.0,
        aorta_cm=float(draw.uniform(0.4, 1.6)),
        stomach_cm=float(draw.uniform(1.5, 3.4)) if draw.random() < 0.85 else 0.0,
        tree=int(draw.integers(N_TREES)),
    )


def invent_pose(view: View, draw: np.random.Generator) -> Pose:
    """Place the patient before the detector; bedridden patients lie askew and breathe in less."""
    is_lying = view == "AP"
    return Pose(
        view=view,
        roll_degrees=float(draw.normal(0, 3.0 if is_lying else 1.3)),
        turn_degrees=float(np.clip(draw.normal(0, 7 if is_lying else 3), -15, 15)),
        shift_cm=(float(draw.normal(0, 0.6)), float(draw.normal(0, 0.7))),
        inspiration_cm=float(draw.normal(-1.3 if is_lying else 0.0, 0.6)),
    )


def _invent_findings(is_ill: bool, draw: np.random.Generator) -> Findings:
    lesions: list[Lesion] = []
    if is_ill:
        lesions = [_invent_opacity(draw) for _ in range(2 if draw.random() < 0.3 else 1)]
    if draw.random() < 0.08:
        lesions.append(_invent_nodule(draw))
    effusion = (0.0, 0.0)
    if draw.random() < (0.22 if is_ill else 0.08):
        height = float(draw.uniform(2.5, 7.5))
        side = lesions[0].side if is_ill else _side(draw)
        effusion = (height, 0.0) if side == "right" else (0.0, height)
    return Findings(
        lesions=tuple(lesions),
        effusion_cm=effusion,
        pneumothorax=_side(draw) if draw.random() < 0.03 else None,
        band=_side(draw) if draw.random() < 0.14 else None,
    )


def _side(draw: np.random.Generator) -> Side:
    return "right" if draw.random() < 0.5 else "left"


_LOBES: tuple[tuple[Side, str, tuple[float, float], tuple[float, float]], ...] = (
    ("right", "upper lobe", (0.25, 0.75), (0.2, 0.42)),
    ("right", "middle lobe", (0.2, 0.5), (0.6, 0.78)),
    ("right", "lower lobe", (0.35, 0.85), (0.7, 0.98)),
    ("left", "upper lobe", (0.25, 0.75), (0.2, 0.42)),
    ("left", "lingula", (0.45, 0.75), (0.55, 0.72)),
    ("left", "lower lobe", (0.55, 0.85), (0.72, 1.0)),
)
"""Side, lobe, and the lobe's span across and down the lung, in fractions."""


def _invent_opacity(draw: np.random.Generator) -> Lesion:
    side, lobe, across, down = _LOBES[draw.choice(6, p=(0.14, 0.15, 0.28, 0.11, 0.1, 0.22))]
    radius = float(draw.uniform(2.4, 4.4))
    return Lesion(
        kind="opacity",
        side=side,
        lobe=lobe,
        across=float(draw.uniform(*across)),
        down=float(draw.uniform(*down)),
        radius_cm=(radius * float(draw.uniform(0.8, 1.3)), radius * float(draw.uniform(0.75, 1.25))),
        depth_cm=float(np.clip(np.exp(draw.normal(np.log(7.2), 0.42)), 2.8, 11.0)),
    )


def _invent_nodule(draw: np.random.Generator) -> Lesion:
    side, lobe, across, down = _LOBES[draw.integers(6)]
    radius = float(draw.uniform(0.5, 1.1))
    return Lesion(
        "nodule", side, lobe, float(draw.uniform(*across)), float(draw.uniform(*down)), (radius, radius), 2.4 * radius
    )


def _follow(findings: Findings, draw: np.random.Generator) -> Findings:
    """Let the disease go on: a pneumonia clears or thins, and a healthy lung rarely catches one."""
    fate = draw.random()
    nodules = tuple(lesion for lesion in findings.lesions if lesion.kind == "nodule")
    if not findings.opacities:
        return replace(findings, lesions=(_invent_opacity(draw), *nodules)) if fate < 0.04 else findings
    if fate < 0.4:
        return replace(findings, lesions=nodules, effusion_cm=(0.0, 0.0))
    thinner = tuple(
        replace(lesion, depth_cm=max(lesion.depth_cm * (0.5 + fate * 0.6), 2.8)) for lesion in findings.opacities
    )
    return replace(findings, lesions=(*thinner, *nodules))
