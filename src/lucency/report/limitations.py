"""The limitations that the facts of a study give away by themselves."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from lucency.domain.cohort import KEPT
from lucency.domain.estimate import Estimate
from lucency.domain.ground_truth import LabelError
from lucency.domain.parts import Part
from lucency.report import ground_truth, words
from lucency.report.counts import DUPLICATE, PartCount, count_parts, reasons_of_refusal
from lucency.report.material import Material, Member

MANY_REFUSED = 0.05
MUCH_DISAGREEMENT = 0.05
"""Share of the images that several readers saw."""
LABEL_PROBES = {
    "header": "the header of the image",
    "border": "the border alone",
    "thumbnail": "a thumbnail of 8×8 pixels",
}
"""Probes that ask for the label, and what they ask it from."""


@dataclass(frozen=True)
class Limitation:
    """One weakness of the study: a title and what follows from it."""

    title: str
    text: str


def find_limitations(material: Material) -> list[Limitation]:
    """Look for every known weakness, the gravest first."""
    checks: tuple[Callable[[Material], Iterator[Limitation]], ...] = (
        _leak, _lookalikes, _opened_again, _shortcut, _uneven_sources, _other_population,
        _no_external_test, _each_image_a_patient, _of_the_answers, _one_site,
        _one_label_source, _labels_err, _readers_disagree, _several_images,
        _overfitting, _undertrained, _flipped, _refused, _duplicates, _official_split,
    )  # fmt: skip
    return [limitation for check in checks for limitation in check(material)]


def wide_intervals(estimates: Iterable[Estimate], widest: float) -> Iterator[Limitation]:
    """Name the estimates whose interval is wider than a task can live with."""
    wide = [e for e in estimates if _width(e) > widest]
    if wide:
        listed = "; ".join(f"{e.name} {words.quote(e)}" for e in wide)
        yield Limitation(
            "Wide confidence intervals", f"The truth may lie far from the value that is printed: {listed}."
        )


def sides_are_known(material: Material) -> bool:
    """Tell whether any image says which side it shows."""
    return any(row.laterality for row in material.cohort)


def flips_across(material: Material) -> bool:
    """Tell whether training mirrors left and right."""
    augmentation = material.plan.augmentation
    return augmentation is not None and augmentation.flip_horizontal > 0


def _leak(material: Material) -> Iterator[Limitation]:
    parts_of_patient: dict[str, set[str]] = {}
    for row in material.split:
        parts_of_patient.setdefault(row.patient_id, set()).add(row.part)
    n_patients = max(material.certificate.n_patients_shared, sum(len(parts) > 1 for parts in parts_of_patient.values()))
    shared = words.of_units(material.certificate.n_images_shared, material.plan.unit)
    if n_patients or material.certificate.n_images_shared:
        yield Limitation(
            "The parts are not apart",
            f"{words.of_patients(n_patients)} and {shared} stand in more than one part. The network may have recognised them, "
            "and every result below is too good by an unknown amount.",
        )


def _lookalikes(material: Material) -> Iterator[Limitation]:
    n_groups = material.certificate.n_lookalikes_shared
    if n_groups:
        yield Limitation(
            "Near-duplicates stand in more than one part",
            f"{n_groups} groups of images that are one in another encoding, size or crop are spread over the parts that the "
            "data set prescribes. The network may have recognised some test images.",
        )


def _opened_again(material: Material) -> Iterator[Limitation]:
    if words.is_exploratory(material):
        yield Limitation(
            "The test set was opened more than once",
            f"It was opened {material.n_openings} times. Whatever was changed between the openings may have been chosen "
            "because it did better on these very images, so the results are exploratory and need a fresh test set.",
        )


def _no_external_test(_: Material) -> Iterator[Limitation]:
    yield Limitation(
        "No external test set",
        "The test patients come from the same source as the training patients. Expect a lower performance at another "
        "hospital, on other scanners and in other populations, until it has been measured there.",
    )


def _shortcut(material: Material) -> Iterator[Limitation]:
    label_told = [p for p in material.description.probes if p.verdict == "found" and p.name in LABEL_PROBES]
    if label_told:
        listed = "; ".join(f"{LABEL_PROBES[p.name]}, AUC {words.aside(p.estimate)}" for p in label_told)
        yield Limitation(
            "Something else than the finding tells the label (shortcut)",
            f"A simple model tells the label from {listed}. The network may have learnt the same, and will fail where this "
            "is different; the test patients come from the same source and cannot show it.",
        )


def _uneven_sources(material: Material) -> Iterator[Limitation]:
    found = {one.name for one in material.description.probes if one.verdict == "found"}
    for kind in ("site", "scanner"):
        if kind in found:
            yield Limitation(
                f"The {kind} goes with the label, and the image tells the {kind}",
                f"The labels are unevenly spread over the {kind}s, and coarse features of an image tell which it comes "
                f"from. The network can know the {kind} instead of the disease.",
            )


def _other_population(material: Material) -> Iterator[Limitation]:
    different = [one for one in material.description.comparisons if one.verdict == "different"]
    if different:
        listed = " ".join(f"{one.variable}: {one.text}" for one in different)
        yield Limitation("The cohort differs from the target population", f"{listed} The results speak of the cohort.")


def _each_image_a_patient(material: Material) -> Iterator[Limitation]:
    patient, unit = material.plan.data.patient, material.plan.unit
    if patient is not None and patient.from_ == "each_image":
        yield Limitation(
            "Patients are not known",
            f"The plan declares every {unit} to be another patient. If a patient has several {unit}s, the same patient may "
            "have trained and tested the network, and the results are too good.",
        )


def _of_the_answers(material: Material) -> Iterator[Limitation]:
    yield from material.answers.limitations(material)


def _one_site(material: Material) -> Iterator[Limitation]:
    sites, unit = {row.site for row in material.cohort if row.status == KEPT}, material.plan.unit
    if sites == {""}:
        yield Limitation(
            "Sites are not recorded",
            f"The {unit}s do not tell where they were made, so it cannot be checked whether the network works equally well "
            "at each site, or knows the site instead of the disease.",
        )
    elif len(sites) == 1:
        yield Limitation(
            "One site", f"All {unit}s come from {sites.pop()}; its scanners and habits are part of the result."
        )


def _one_label_source(material: Material) -> Iterator[Limitation]:
    sources = {row.source for row in material.labels if row.status == KEPT}
    truth = material.ground_truth
    if len(sources) == 1 and not truth.readers and not truth.errors:
        yield Limitation(
            "One source of the ground truth",
            f"Every label comes from one source ({sources.pop()}). No second reading tells how often the labels "
            "themselves are wrong.",
        )


def _labels_err(material: Material) -> Iterator[Limitation]:
    """Carry the error of the labels into the study that learnt from them."""
    told = [f"{ground_truth.error_title(error)}: {_rates(error)}" for error in material.ground_truth.errors]
    if told:
        yield Limitation(
            "Labels err",
            f"{'. '.join(told)}. What was learnt from labels that err was learnt with their errors, and errors of one "
            "direction cannot be averaged out by more images.",
        )


def _rates(error: LabelError) -> str:
    of_two = [e for e in error.estimates if e.name in ("sensitivity", "specificity") and e.group == "all"]
    rates = of_two or [e for e in error.estimates if e.name == "accuracy"]
    return " and ".join(
        f"{rate.name} {words.value(rate)} ({words.level(rate)} {words.interval(rate)})" for rate in rates
    )


def _readers_disagree(material: Material) -> Iterator[Limitation]:
    for one in material.ground_truth.readers:
        n_several = one.consensus.n_disputed + one.consensus.n_unanimous
        if n_several and one.consensus.n_disputed / n_several > MUCH_DISAGREEMENT:
            yield Limitation(
                "Readers disagree",
                f"The readers disagree on {words.count(one.consensus.n_disputed)} of {words.of_images(n_several)} that "
                "several of them saw. The network cannot be measured more finely than its readers agree.",
            )


def _several_images(material: Material) -> Iterator[Limitation]:
    test = _part(material, Part.TEST)
    clustered = any(e.n_clusters is not None for e in material.estimates if e.part == Part.TEST)
    unit = material.plan.unit
    if test.n_images > test.n_patients:
        care = (
            "The intervals allow for this where the table says so."
            if clustered
            else "The intervals do not allow for this and are too narrow."
        )
        yield Limitation(
            f"Several {unit}s a patient",
            f"The {words.of_units(test.n_images, unit)} of the test part are of {words.of_patients(test.n_patients)}; {unit}s of "
            f"one patient resemble each other and tell less than as many patients would. {care}",
        )


def _overfitting(material: Material) -> Iterator[Limitation]:
    unit = material.plan.unit
    gaps = [_gap(member) for member in material.members]
    n_wide = sum(gap > 0.5 for gap in gaps)
    if n_wide:
        yield Limitation(
            "A gap between training and tuning (overfitting)",
            "At the epoch that was kept, the cost on the tuning part stood clearly above that on the training part"
            + (f" in {n_wide} of {len(gaps)} networks" if len(gaps) > 1 else "")
            + f": the network knows its training {unit}s better than new ones. More data"
            + (", more augmentation" if unit == "image" else "")
            + " or a smaller network may help.",
        )


def _undertrained(material: Material) -> Iterator[Limitation]:
    at_the_end = [m for m in material.members if m.best_epoch == m.epochs[-1].epoch]
    if at_the_end:
        yield Limitation(
            "The best epoch was the last",
            (
                f"In {len(at_the_end)} of {len(material.members)} networks the tuning part was still gaining"
                if len(material.members) > 1
                else "The tuning part was still gaining"
            )
            + " when training ended; more epochs may give a better network.",
        )


def _flipped(material: Material) -> Iterator[Limitation]:
    if flips_across(material) and sides_are_known(material):
        yield Limitation(
            "Training mirrors left and right",
            "The images tell their side, yet augmentation flips them horizontally, so the network cannot learn what "
            "differs between the sides: the heart, the stomach, a marker.",
        )


def _refused(material: Material) -> Iterator[Limitation]:
    n = sum(n for reason, n in reasons_of_refusal(material).items() if reason != DUPLICATE)
    n_found, unit = len(material.cohort), material.plan.unit
    if n > MANY_REFUSED * n_found:
        yield Limitation(
            f"Many {unit}s were refused",
            f"{words.count(n)} of {words.of_units(n_found, unit)} ({words.proportion(n / n_found)}) could not be used. If they "
            "differ from the others, for example because they are more difficult, the results are too good.",
        )


def _duplicates(material: Material) -> Iterator[Limitation]:
    n, plan = reasons_of_refusal(material)[DUPLICATE], material.plan
    if plan.unit != "image":
        unlike = " Copies with other words are not recognised."
    elif plan.data.near_duplicates.action == "ignore":
        unlike = " Copies that were cropped or compressed anew were not looked for."
    else:
        unlike = ""
    if n:
        yield Limitation(
            "The source repeats itself",
            f"{words.of_units(n, plan.unit)} {'was' if n == 1 else 'were'} an exact copy of another and left out.{unlike}",
        )


def _official_split(material: Material) -> Iterator[Limitation]:
    if material.plan.split.official:
        yield Limitation(
            "The data set prescribes the split",
            "Its official parts were kept, so that the result compares with others; whether the patients are apart rests "
            "on the makers of the data set wherever patients are not known.",
        )


def _part(material: Material, part: Part) -> PartCount:
    return count_parts(material)[list(Part).index(part)]


def _width(estimate: Estimate) -> float:
    return 0.0 if estimate.low is None or estimate.high is None else estimate.high - estimate.low


def _gap(member: Member) -> float:
    """Return how far the tuning cost stands above the training cost at the kept epoch, as a share of the latter."""
    kept = member.epochs[member.best_epoch - 1]
    return (kept.tuning_cost - kept.training_cost) / kept.training_cost if kept.training_cost else 0.0
