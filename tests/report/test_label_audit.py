"""The sheet of suspect labels: honest about what its numbers are, and plain about sites with one class."""

from dataclasses import replace

from test_sheet import png

from lucency.domain.description import Source
from lucency.domain.estimate import Estimate
from lucency.domain.label_audit import Doubt, DoubtedLabel, LabelAudit
from lucency.evaluation.intervals import wilson
from lucency.report.label_audit import one_class_warnings, sheet_of
from lucency.report.sheet import render_sheet

CLASSES = ("normal", "pneumonia")
NOISE = Estimate("label noise", 0.06, 0.04, 0.08, 100, "image", "x")
AUC = Estimate("AUC", 0.95, 0.93, 0.97, 100, "image", "x")
SUSPECT = DoubtedLabel(
    "a/1.png", "id-1", "P0001", "training", Doubt.NETWORK, "", "normal", "pneumonia", (0.1, 0.9), -0.8
)
COPIES = [
    DoubtedLabel(f"a/{label}.png", f"id-{label}", "P0002", "", Doubt.EQUAL_IMAGES, "C0001", label) for label in CLASSES
]
AUDIT = LabelAudit(CLASSES, 100, 90, 5, AUC, (NOISE,), (SUSPECT, *COPIES), ())


def source(name: str, *counts: int, kind: str = "site") -> Source:
    n = sum(counts)
    shares = []
    for label, count in zip(CLASSES, counts, strict=True):
        low, high = wilson(count, n)
        shares.append(
            Estimate("prevalence", count / n, low, high, n, "image", "x", group=label, numerator=count, denominator=n)
        )
    return Source(kind, name, n, n, tuple(shares))


def test_a_site_with_one_class_is_named_with_what_follows() -> None:
    """A network that knows the site knows the answer; a site with two images proves nothing."""
    warnings = one_class_warnings([source("North", 60, 50), source("South", 0, 40), source("West", 2, 0)])
    assert len(warnings) == 2
    assert warnings[0].startswith("Site South has only “pneumonia” (40 images of 40 patients). A network can tell")
    assert warnings[1] == "Site West has only “normal” (2 images of 2 patients). With so few, that may be chance."


def test_two_sites_with_a_class_each_are_both_named() -> None:
    """The commonest trap of all: the ill from one hospital, the healthy from another."""
    warnings = one_class_warnings([source("North", 60, 0), source("South", 0, 40)])
    assert ["A network can tell" in warning for warning in warnings] == [True, True]


def test_scanners_do_not_count_twice() -> None:
    """Each image has a site and a scanner; what is common is asked of one kind of source at a time."""
    mixed = [source("North", 95, 5), source("South", 20, 0), source("S", 0, 100, kind="scanner")]
    assert "may be chance" in one_class_warnings(mixed)[0]


def test_the_sheet_shows_suspects_first_and_copies_side_by_side() -> None:
    """Everything that has a row in the table has its picture on the page."""
    sheet = sheet_of(AUDIT, [png(level) for level in range(3)], "suspects.csv")
    assert [card.heading for card in sheet.cards] == ["a/1.png"]
    assert ("Suggested", "pneumonia (90.0\u202f%)") in sheet.cards[0].facts
    page = render_sheet(sheet)
    assert page.count("<img") == 3
    assert "Equal pictures under different labels" in page
    assert "Near-duplicates under different labels" not in page


def test_poor_networks_are_not_believed() -> None:
    """A list made by networks that cannot tell the classes apart is a list of chance, and must say so."""
    poor = replace(AUDIT, auc=replace(AUC, value=0.62))
    pictures = [png(level) for level in range(3)]
    assert "little more than chance" in render_sheet(sheet_of(poor, pictures, "suspects.csv"))
    assert "little more than chance" not in render_sheet(sheet_of(AUDIT, pictures, "suspects.csv"))
