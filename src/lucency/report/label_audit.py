"""The sheet of suspect labels: what to do, the images, how many labels are wrong, contradictions, classes by site."""

from collections.abc import Sequence

from lucency.domain.description import Source
from lucency.domain.estimate import Estimate
from lucency.domain.label_audit import Doubt, DoubtedLabel, LabelAudit
from lucency.report import words
from lucency.report.sheet import Card, Chapter, Sheet, Table

BLANKS = ("Correct label", "Decided by")
POOR_AUC = 0.7
"""Below this the networks hardly tell the classes apart, and a list of suspects is little more than chance."""


def sheet_of(audit: LabelAudit, pictures: Sequence[bytes], table: str) -> Sheet:
    """Put the sheet together; `pictures` are PNG files in the order of the doubted labels, `table` the file to fill in."""
    cards = [_card(one, png, audit.classes) for one, png in zip(audit.doubted, pictures, strict=True)]
    by_doubt = {
        doubt: tuple(card for card, one in zip(cards, audit.doubted, strict=True) if one.doubt == doubt)
        for doubt in Doubt
    }
    n_suspects = len(by_doubt[Doubt.NETWORK])
    return Sheet(
        "Suspect labels",
        (
            f"Networks doubt the labels of {words.count(n_suspects)} of {words.of_images(audit.n_images)}. Each image was "
            "judged by a network that had learned from neither the image nor any other of the same patient. The images of "
            "the test part were not looked at. A doubt is not an error: the network may be wrong, and the label right.",
            "Decide beforehand how far down the list you will go, and look at all images up to there, not only at those "
            "that are easy.",
            "Judge the picture, in full size at the workstation where that matters, before you read what the network "
            "suggests.",
            f"Open {table} in a spreadsheet. Where a label is wrong, write the right one into the column correct_label "
            f"({', '.join(audit.classes)}); where it is right, leave the cell empty. Write your name into decided_by and "
            "the day into decided_on in either case.",
            "Save the table under another name, and name it in the plan: data.labels.corrections. The next lucency run "
            "uses the corrected labels, and the report says how many there are.",
        ),
        by_doubt[Doubt.NETWORK],
        BLANKS,
        tuple(
            chapter
            for chapter in (
                _noise(audit),
                _conflicts(by_doubt[Doubt.EQUAL_IMAGES], "Equal pictures under different labels", _EQUAL),
                _conflicts(by_doubt[Doubt.NEAR_DUPLICATES], "Near-duplicates under different labels", _ALIKE),
                _sources(audit),
            )
            if chapter
        ),
    )


_EQUAL = (
    "These files hold the same picture, pixel for pixel, and have different labels. At least one label is wrong; all of "
    "them were set aside. Write the right label beside each, and one of them comes back into the study."
)
_ALIKE = (
    "These images show the same picture in another encoding, size or crop, and have different labels. Both stand in the "
    "same part of the split. At least one label is wrong, unless what differs is what the label speaks of."
)


def _card(one: DoubtedLabel, png: bytes, classes: Sequence[str]) -> Card:
    facts = [("Label", one.label)]
    if one.suggested:
        probability = dict(zip(classes, one.probabilities, strict=True))
        facts[0] = ("Label", f"{one.label} ({words.proportion(probability.get(one.label, 0.0))})")
        facts.append(("Suggested", f"{one.suggested} ({words.proportion(probability[one.suggested])})"))
    facts += [("Patient", one.patient_id), ("Image", one.image_id)]
    return Card(png, one.image, tuple(facts), group=one.group)


def _noise(audit: LabelAudit) -> Chapter:
    noise = audit.noise[0]
    auc = audit.auc
    return Chapter(
        "How many labels are wrong",
        f"If every confident mistake of the networks is a wrong label, {words.quote(noise)} of the labels are wrong "
        f"(confident learning, {audit.n_folds}-fold cross-validation by patient). The {auc.name} of the networks for the labels "
        f"as they are is {words.quote(auc)}: the lower it is, the more of these are mistakes of the networks. Errors that the "
        "labels repeat wherever an image looks alike are not seen at all. So this is a hint and not a measurement; only "
        "readers can measure.",
        tables=(
            Table(
                ("Labels", "Estimate", f"{100 * noise.level:g}{words.NARROW_SPACE}% interval"),
                tuple((_in_words(one), words.value(one), words.interval(one)) for one in audit.noise),
            ),
        ),
        warnings=tuple(warnings_of_networks(audit)),
    )


def warnings_of_networks(audit: LabelAudit) -> list[str]:
    """Say when the networks are too poor to be believed."""
    if audit.auc.value is not None and audit.auc.value >= POOR_AUC:
        return []
    return [
        "The networks hardly tell the classes apart, so that the suspects are little more than chance, and the estimate of "
        "wrong labels says nothing. Train for more epochs or with more images first."
    ]


def _in_words(estimate: Estimate) -> str:
    return "all labels, wrong" if estimate.group == "all" else estimate.group


def _conflicts(cards: tuple[Card, ...], title: str, text: str) -> Chapter | None:
    return Chapter(title, text, cards, blanks=BLANKS) if cards else None


def _sources(audit: LabelAudit) -> Chapter:
    if not audit.sources:
        return Chapter("Classes by site and scanner", "No image tells its site or its scanner.")
    tables = [
        Table(
            (kind.capitalize(), "Patients", "Images", *audit.classes),
            tuple(
                (source.name, words.count(source.n_patients), words.count(source.n_images), *map(_share, source.shares))
                for source in audit.sources
                if source.kind == kind
            ),
        )
        for kind in dict.fromkeys(source.kind for source in audit.sources)
    ]
    return Chapter(
        "Classes by site and scanner",
        "Images of the training and tuning parts, with the share of each class and its interval. Where a class comes from one "
        "site only, a network can learn the site instead of the finding, and the suspects of that site tell little.",
        tables=tuple(tables),
        warnings=tuple(one_class_warnings(audit.sources)),
    )


def _share(share: Estimate) -> str:
    return f"{words.count(share.numerator or 0)} ({words.value(share)}, {words.interval(share)})"


def one_class_warnings(sources: Sequence[Source]) -> list[str]:
    """Say in plain words which sites and scanners sent images of one class only."""
    warnings = []
    for source in sources:
        of_kind = [other for other in sources if other.kind == source.kind]
        sent = [share for share in source.shares if share.numerator]
        if len(sent) != 1:
            continue
        kind = source.kind.capitalize()
        counts = f"{words.of_images(source.n_images)} of {words.of_patients(source.n_patients)}"
        missing = [share for share in source.shares if not share.numerator and _is_less_than_elsewhere(share, of_kind)]
        meaning = (
            f"A network can tell the class by the {source.kind} there. Add images of other classes from it, or leave it out."
            if missing
            else "With so few, that may be chance."
        )
        warnings.append(f"{kind} {source.name} has only “{sent[0].group}” ({counts}). {meaning}")
    return warnings


def _is_less_than_elsewhere(share: Estimate, sources: Sequence[Source]) -> bool:
    """Tell whether a class that a site lacks is commoner in all images than its interval allows for."""
    everywhere = [one for other in sources for one in other.shares if one.group == share.group]
    n_class = sum(one.numerator or 0 for one in everywhere)
    n_images = sum(one.denominator or 0 for one in everywhere)
    return share.high is not None and n_class / n_images > share.high
