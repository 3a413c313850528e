"""Split a cohort into training, tuning and test so that no patient, exam or image stands on two sides.

Images are linked when they share a patient, an exam or their pixels, or are near-duplicates; what is linked, directly or
by way of others, is one component and goes to one part as a whole. Each part gets its share of every class, or of small
and large numbers.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from lucency.data.strata import strata_of_numbers
from lucency.domain.cohort import KEPT, CohortRow, LabelRow, SplitRow
from lucency.domain.parts import Part, Targets
from lucency.domain.plan import Split
from lucency.errors import PatientLeakError, SourceError, StudyError
from lucency.randomness import generator

Pile = TypeVar("Pile", Part, int)
"""What components are dealt to: parts of a split, or numbered folds."""

PARTS = (Part.TRAINING, Part.TUNING, Part.TEST)


@dataclass(frozen=True)
class Certificate:
    """The proof that a split does not leak, with the counts that a reader asks for."""

    method: str
    seed: int
    n_components: int
    n_patients: dict[str, int]
    """Patients in each part."""
    n_images: dict[str, int]
    """Images in each part."""
    n_images_by_class: dict[str, dict[str, int]]
    """Images of each class, or of each fifth of numbers, in each part."""
    n_patients_by_class: dict[str, dict[str, int]]
    """Patients with at least one image of a class, or of a fifth, in each part."""
    n_patients_shared: int
    """Patients in more than one part: 0, or training refuses."""
    n_exams_shared: int
    n_images_shared: int
    """Pixel-equal images in more than one part."""
    n_lookalikes_shared: int
    """Groups of near-duplicates in more than one part; 0 unless the data set prescribes its parts."""
    n_without_label: int = 0
    """Images with a label to learn from and none to be judged by, or the other way round, in a part that needs the other."""


def split_by_patient(
    cohort: Sequence[CohortRow],
    labels: Sequence[LabelRow],
    settings: Split,
    seed: int,
    targets_are: Targets = Targets.CLASSES,
) -> list[SplitRow]:
    """Give each labelled image its part: training for those to learn from, tuning and test for those to be judged by.

    An image that lacks the kind of label that the part of its patient needs has no part. Structures that are
    rarely drawn are dealt as they come.

    Raises:
        StudyError: a class, or the whole cohort, has fewer patients than there are parts.
        SourceError: the official parts are asked for and the data set has none.
        PatientLeakError: the official parts share a patient or an image.
    """
    usable = {row.image_id: row for row in labels if row.status == KEPT}
    images = [row for row in cohort if row.image_id in usable]
    # images set aside still link: one picture under two patient ids may well be one patient
    components = connected_components([row for row in cohort if row.status == KEPT])
    targets = _strata(usable, components, targets_are)
    parts: Mapping[str, str]
    if settings.official:
        parts = _official_parts(images)
    else:
        if targets_are != Targets.STRUCTURES:
            _refuse_rare_classes(images, targets)
        component_of = {image.image_id: components[image.image_id] for image in images}
        can_judge = {component_of[image_id] for image_id, row in usable.items() if row.judged}
        judging = {image_id: component for image_id, component in component_of.items() if component in can_judge}
        shares = _shares_of(settings, len(component_of), len(judging))
        parts = dict.fromkeys(component_of, Part.TRAINING) | _stratified(judging, targets, shares, seed, "split")
    rows = [
        SplitRow(image.image_id, image.patient_id, part, components[image.image_id])
        for image in images
        if usable[image.image_id].in_part(part := parts[image.image_id])
    ]
    refuse_overlap(rows, cohort)
    return rows


def _strata(usable: Mapping[str, LabelRow], components: Mapping[str, str], targets_are: Targets) -> dict[str, str]:
    """Return what each image counts as when parts are dealt: its class, or the fifth of its number."""
    targets = {image_id: row.judged or row.target for image_id, row in usable.items()}
    if targets_are != Targets.NUMBERS:
        return targets
    own = {image_id: components[image_id] for image_id in targets}
    return strata_of_numbers(own, {image_id: float(target) for image_id, target in targets.items()})


def _shares_of(settings: Split, n_images: int, n_judging: int) -> dict[Part, float]:
    """Return the share that each part gets of the images that can be judged; all others can only teach."""
    if n_judging == n_images:
        return dict(zip(PARTS, (settings.training, settings.tuning, settings.test), strict=True))
    wanted = (settings.tuning + settings.test) * n_images / max(n_judging, 1)
    scale = min(wanted, 1) / (settings.tuning + settings.test)
    tuning, test = settings.tuning * scale, settings.test * scale
    return {Part.TRAINING: max(1 - tuning - test, 0), Part.TUNING: tuning, Part.TEST: test}


def fold_by_component(
    rows: Sequence[SplitRow], targets: Mapping[str, str], n_folds: int, seed: int, purpose: str
) -> dict[str, int]:
    """Deal images to folds of about equal size, from 0, each with its share of every class; components stay whole.

    Raises:
        StudyError: a class has fewer components than there are folds.
    """
    for name in sorted({targets[row.image_id] for row in rows}):
        n_components = len({row.component for row in rows if targets[row.image_id] == name})
        if n_components < n_folds:
            raise StudyError(
                f"The class “{name}” has {n_components} patients outside the test part, fewer than the {n_folds} folds of "
                "the cross-validation. Take fewer folds, merge the class with another, or add patients."
            )
    shares = dict.fromkeys(range(n_folds), 1 / n_folds)
    return _stratified({row.image_id: row.component for row in rows}, targets, shares, seed, purpose)


def connected_components(images: Sequence[CohortRow]) -> dict[str, str]:
    """Name the component of each image: the smallest image id among all that are linked to it."""
    parent: dict[str, str] = {}

    def root(node: str) -> str:
        while parent.setdefault(node, node) != node:
            parent[node] = parent[parent[node]]
            node = parent[node]
        return node

    for image in images:
        for link in _links(image):
            parent[root(link)] = root(image.image_id)
    smallest: dict[str, str] = {}
    for image in sorted(images, key=lambda image: image.image_id):
        smallest.setdefault(root(image.image_id), image.image_id)
    return {image.image_id: smallest[root(image.image_id)] for image in images}


def certify(
    rows: Sequence[SplitRow],
    cohort: Sequence[CohortRow],
    labels: Sequence[LabelRow],
    settings: Split,
    seed: int,
    targets_are: Targets = Targets.CLASSES,
) -> Certificate:
    """Count what a reader of the study wants to know about its split."""
    label_of = {row.image_id: row for row in labels}
    targets = {row.image_id: label_of[row.image_id].in_part(row.part) for row in rows}
    if targets_are == Targets.NUMBERS:
        own = {row.image_id: label_of[row.image_id] for row in rows}
        targets = _strata(own, {row.image_id: row.component for row in rows}, targets_are)
    classes = sorted(set(targets.values()))
    of_class = {
        (part, name): [r for r in rows if r.part == part and targets[r.image_id] == name]
        for part in PARTS
        for name in classes
    }
    return Certificate(
        method="official parts of the data set"
        if settings.official
        else f"stratified by {targets_are}, at random by patient",
        seed=seed,
        n_components=len({row.component for row in rows}),
        n_patients={part: len({row.patient_id for row in rows if row.part == part}) for part in PARTS},
        n_images={part: sum(row.part == part for row in rows) for part in PARTS},
        n_images_by_class={part: {name: len(of_class[part, name]) for name in classes} for part in PARTS},
        n_patients_by_class={
            part: {name: len({row.patient_id for row in of_class[part, name]}) for name in classes} for part in PARTS
        },
        n_patients_shared=_n_shared(rows, cohort, "patient_id"),
        n_exams_shared=_n_shared(rows, cohort, "exam_id"),
        n_images_shared=_n_shared(rows, cohort, "pixel_sha256"),
        n_lookalikes_shared=_n_shared(rows, cohort, "lookalike"),
        n_without_label=sum(row.status == KEPT for row in labels) - len(rows),
    )


def refuse_overlap(rows: Sequence[SplitRow], cohort: Iterable[CohortRow]) -> None:
    """Stop when a patient, an exam or an image stands in more than one part, however the split was made.

    Raises:
        PatientLeakError: with the numbers of what is shared.
    """
    cohort = list(cohort)
    unknown = {row.image_id for row in rows} - {row.image_id for row in cohort}
    if unknown or len({row.image_id for row in rows}) < len(rows):
        raise PatientLeakError(
            "split.csv names an image twice, or one that the cohort does not have. Run `lucency split`."
        )
    columns = {"patient_id": "patients", "exam_id": "exams", "pixel_sha256": "equal images"}
    shared = {words: _n_shared(rows, cohort, column) for column, words in columns.items()}
    if any(shared.values()):
        counts = ", ".join(f"{n} {words}" for words, n in shared.items() if n)
        raise PatientLeakError(
            f"The split leaks: {counts} stand in more than one part. Split by patient, not by image: remove "
            "`split.official` from the plan, or correct split.csv."
        )


def _n_shared(rows: Sequence[SplitRow], cohort: Iterable[CohortRow], column: str) -> int:
    parts: defaultdict[str, set[str]] = defaultdict(set)
    value = {row.image_id: getattr(row, column) for row in cohort}
    for row in rows:
        if value[row.image_id]:
            parts[value[row.image_id]].add(row.part)
    return sum(len(found) > 1 for found in parts.values())


def _links(image: CohortRow) -> list[str]:
    links = {"patient": image.patient_id, "exam": image.exam_id, "pixels": image.pixel_sha256, "look": image.lookalike}
    return [f"{kind}:{value}" for kind, value in links.items() if value]


def _official_parts(images: Sequence[CohortRow]) -> dict[str, str]:
    without = sum(not image.official_part for image in images)
    if without:
        raise SourceError(
            f"`split.official` is true, but {without} images have no official part. Only MedMNIST archives have; leave it out."
        )
    return {image.image_id: image.official_part for image in images}


def _refuse_rare_classes(images: Sequence[CohortRow], targets: dict[str, str]) -> None:
    patients: defaultdict[str, set[str]] = defaultdict(set)
    for image in images:
        patients[targets[image.image_id]].add(image.patient_id)
    for name, found in sorted(patients.items()):
        if len(found) < len(PARTS):
            raise StudyError(
                f"The class “{name}” has {len(found)} patients, fewer than the {len(PARTS)} parts of the split. "
                "Add patients, merge the class with another, or leave it out."
            )


def _stratified(
    component_of: Mapping[str, str], targets: Mapping[str, str], shares: Mapping[Pile, float], seed: int, purpose: str
) -> dict[str, Pile]:
    """Deal components at random, so that each pile gets its share of every class and of large and small components.

    Components with equally many images of one class are one stratum. Of each stratum every pile gets the whole number
    of components that its share allows; the rest of all strata of a class go to the pile that lacks most images.
    """
    members: defaultdict[str, list[str]] = defaultdict(list)
    for image_id, component in component_of.items():
        members[component].append(image_id)
    frequency = Counter(targets[image_id] for image_id in component_of)
    strata: defaultdict[str, defaultdict[int, list[str]]] = defaultdict(lambda: defaultdict(list))
    for component in sorted(members):
        # a patient with images of several classes counts for the rarest of them
        names = {targets[image_id] for image_id in members[component]}
        rarest = min(names, key=lambda name: (frequency[name], name))
        strata[rarest][len(members[component])].append(component)
    pile_of: dict[str, Pile] = {}
    for name in sorted(strata):
        pile_of |= _deal(strata[name], shares, generator(seed, f"{purpose}/{name}"))
    return {image_id: pile_of[component] for component, found in members.items() for image_id in found}


def _deal(strata: dict[int, list[str]], shares: Mapping[Pile, float], draw: np.random.Generator) -> dict[str, Pile]:
    """Deal the components of one class, given by their number of images."""
    dealt: dict[str, Pile] = {}
    n_images = dict.fromkeys(shares, 0)
    rest: list[tuple[int, str]] = []
    for size in sorted(strata, reverse=True):
        order = [strata[size][position] for position in draw.permutation(len(strata[size]))]
        for pile, share in shares.items():
            whole = int(share * len(strata[size]))
            dealt |= dict.fromkeys(order[:whole], pile)
            n_images[pile] += whole * size
            order = order[whole:]
        rest += [(size, component) for component in order]
    n_all = sum(size * len(components) for size, components in strata.items())
    for position, (size, component) in enumerate(rest):
        pile = _furthest_behind(n_images, shares, n_all, n_left=len(rest) - position)
        dealt[component] = pile
        n_images[pile] += size
    return dealt


def _furthest_behind(n_images: dict[Pile, int], shares: Mapping[Pile, float], n_all: int, n_left: int) -> Pile:
    """Choose the pile that lacks most of its images; when components run out, an empty one comes first."""
    empty = [pile for pile in shares if not n_images[pile] and shares[pile]]
    if empty and n_left <= len(empty):
        return empty[0]
    return max(shares, key=lambda pile: (shares[pile] * n_all - n_images[pile], shares[pile]))


def growing_cohort(
    rows: Sequence[SplitRow], targets: Mapping[str, str], sizes: Sequence[int], seed: int, purpose: str
) -> list[list[SplitRow]]:
    """Return the images of so many patients, for each of `sizes` (rising); each group holds the smaller ones.

    Components stay whole, so that a group may have a few patients less; each has its share of every class.
    """
    members: defaultdict[str, list[SplitRow]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: row.image_id):
        members[row.component].append(row)
    strata: defaultdict[tuple[str, ...], list[str]] = defaultdict(list)
    for component in sorted(members):
        strata[tuple(sorted({targets[row.image_id] for row in members[component]}))].append(component)
    draw = generator(seed, purpose)
    place: dict[str, float] = {}
    for names in sorted(strata):
        # the middles of equal shares of a line: whatever piece of it is cut off at the left has its share of each stratum
        places = (draw.permutation(len(strata[names])) + 0.5) / len(strata[names])
        place |= dict(zip(strata[names], places.tolist(), strict=True))
    ordered = [members[component] for component in sorted(members, key=lambda component: (place[component], component))]
    n_patients = np.cumsum([len({row.patient_id for row in component}) for component in ordered])
    return [
        [row for component in ordered[: np.searchsorted(n_patients, size, "right")] for row in component]
        for size in sizes
    ]
