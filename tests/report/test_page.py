"""The page: safe, self-contained, the same every time, and no number without its interval."""

import re
from dataclasses import replace
from html.parser import HTMLParser

import material_factory
import pytest
from material_factory import answers_of, with_answers

from lucency.domain.cohort import CohortRow, LabelRow
from lucency.domain.plan import Plan
from lucency.provenance import head_code
from lucency.report import words
from lucency.report.answers.classes import ErrorCase
from lucency.report.answers.saliency import Explanation, SaliencyCase
from lucency.report.glossary import GLOSSARY
from lucency.report.material import (
    Material,
    Opening,
    Picture,
    Stage,
)
from lucency.report.page import IMAGE_BUDGET_BYTES, render, render_with_figures

VOID = {"meta", "link", "br", "img", "hr", "input", "col", "wbr"}


@pytest.fixture(scope="module")
def two() -> Material:
    return material_factory.two_classes()


@pytest.fixture(scope="module")
def four() -> Material:
    return material_factory.four_classes()


@pytest.fixture(scope="module")
def page_of_two(two: Material) -> str:
    return render(two)


@pytest.fixture(scope="module")
def page_of_four(four: Material) -> str:
    return render(four)


@pytest.fixture(params=["two", "four"])
def page(request: pytest.FixtureRequest) -> str:
    return str(request.getfixturevalue(f"page_of_{request.param}"))


class Structure(HTMLParser):
    """Collect tags, attributes and text, and complain about a tag that is closed in the wrong place."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.texts: list[str] = []
        self._open: list[str] = []
        self.feed(html)
        self.close()
        assert self._open == [], f"never closed: {self._open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Open a tag."""
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take a tag without content."""
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        """Close the tag that was opened last."""
        assert self._open, f"</{tag}> closes nothing"
        assert self._open.pop() == tag, f"</{tag}> closes another tag at {self.getpos()}"

    def handle_data(self, data: str) -> None:
        """Keep a text."""
        self.texts.append(data)

    def values(self, name: str) -> list[str]:
        """Return every value of an attribute."""
        return [value for _, attribute, value in self.attributes if attribute == name]


def test_every_tag_is_closed_where_it_belongs(page: str) -> None:
    """A reader's browser repairs broken HTML in its own way, and every browser in another."""
    structure = Structure(page)
    assert {"main", "nav", "h1", "svg", "table", "figure"} <= set(structure.tags)


def test_every_id_is_unique_and_every_link_arrives(page: str) -> None:
    """A link into nowhere is a promise that the page does not keep."""
    structure = Structure(page)
    ids = structure.values("id")
    assert len(ids) == len(set(ids))
    targets = [href.removeprefix("#") for href in structure.values("href")]
    assert set(targets) <= set(ids)
    assert set(structure.values("aria-describedby")) <= set(ids)


def test_nothing_is_loaded_from_anywhere(page: str) -> None:
    """The page opens on a hospital computer without a network, and tells nobody that it was opened."""
    structure = Structure(page)
    assert all(href.startswith("#") for href in structure.values("href"))
    assert all(source.startswith("data:image/png;base64,") for source in structure.values("src"))
    assert not {"script", "link", "iframe", "object", "embed", "base", "form"} & set(structure.tags)
    assert not re.search(r"https?:|@import|url\(", page)
    assert "default-src 'none'; style-src 'unsafe-inline'; img-src data:" in structure.values("content")


def test_the_same_material_gives_the_same_bytes(two: Material, page_of_two: str) -> None:
    """A report that changes by itself cannot be vouched for by a hash."""
    assert render(material_factory.two_classes()) == page_of_two
    assert render_with_figures(two).figures == render_with_figures(two).figures


def test_a_whole_report_stays_below_three_megabytes(two: Material) -> None:
    """It must fit into an e-mail, however many and large its pictures are."""
    large = Picture(b"\x89PNG\r\n\x1a\n" + b"\0" * 8 + (200).to_bytes(4) * 2 + b"x" * (IMAGE_BUDGET_BYTES // 4), "c")
    error = ErrorCase("i", "normal", "pneumonia", 0.9, large.png)
    saliency = Explanation("Grad-CAM", (SaliencyCase(large.png, "c"),) * 20, "Passed.")
    heavy = replace(two, samples=(large,) * 20, augmentations=(large,) * 20)
    heavy = with_answers(heavy, errors=(error,) * 20, explanation=saliency)
    html = render(heavy)
    assert len(html.encode()) < 3_000_000
    assert html.count("17 more are in the study folder") == 4


def test_the_page_speaks_of_tuning_and_says_once_why(page: str) -> None:
    """The word validation means two things; the reader is told once which one is meant (CLAIM 2024)."""
    assert page.count("is called tuning here (CLAIM 2024)") == 1
    assert "reference standard (ground truth)" in page


def test_sections_stand_in_the_order_of_a_study(page_of_two: str, two: Material) -> None:
    """Contents and page agree, and a part that a study does not have leaves no gap in the numbers."""
    order = ["data", "ground-truth", "split", "representativeness", "augmentation", "network", "training", "results", "errors",
             "explanation", "limitations", "hyperparameters", "reproducibility", "glossary"]  # fmt: skip
    assert re.findall(r'<section id="([a-z-]+)"', page_of_two) == order
    without = render(with_answers(two, explanation=None))
    assert re.findall(r'<section id="([a-z-]+)"', without) == [s for s in order if s != "explanation"]
    assert '<span class="n">13</span>Glossary' in without


def test_every_estimate_shows_value_interval_size_and_method(page: str, two: Material, four: Material) -> None:
    """A number travels with its interval, its n and its method."""
    material = two if two.plan.title in page else four
    rows = re.findall(r'<tr class="estimate">(.*?)</tr>', page, re.S)
    footnotes = dict(re.findall(r"<li><sup>([a-z]+)</sup> (.*?)</li>", page))
    shown = [cells for row in rows for cells in re.findall(
        r'<td class="value">(.*?)</td><td class="interval">(.*?)<sup>(.*?)</sup></td><td class="count">(.*?)</td>', row
    )]  # fmt: skip
    assert len(shown) == len(material.estimates)
    for estimate in material.estimates:
        assert any(
            value == words.value(estimate)
            and (estimate.value is None or interval == words.interval(estimate))
            and size == words.sample_size(estimate)
            and any(footnotes[letter] == str(_escaped(estimate.method)) for letter in letters.split())
            for value, interval, letters, size in shown
        ), estimate


def test_a_value_that_could_not_be_computed_says_why(page_of_two: str, two: Material) -> None:
    """An empty cell would be read as a zero or as an oversight."""
    missing = next(e for e in two.estimates if e.value is None)
    assert missing.note in page_of_two
    assert "not computable" in page_of_two


def test_the_key_box_quotes_auc_sensitivity_and_specificity(two: Material, four: Material) -> None:
    """Two classes are summed up by three numbers, several classes by AUC and accuracy."""
    assert [e.name for e in two.answers.key_estimates(two)] == ["AUC", "sensitivity", "specificity"]
    assert [e.name for e in four.answers.key_estimates(four)] == ["macro-average AUC", "accuracy", "balanced accuracy"]


def test_every_setting_of_the_plan_is_listed_with_its_meaning(page_of_two: str, two: Material) -> None:
    """Another group must be able to repeat the study from its report alone."""
    shown = set(re.findall(r'<th class="mono">([\w.]+)</th>', page_of_two))
    assert {"training.learning_rate", "training.early_stopping.patience", "data.labels.from", "seed"} <= shown
    assert re.search(r"training\.learning_rate</th><td class=\"mono l\"><b>0\.0003</b>", page_of_two)
    assert "Images per iteration." in page_of_two


def test_iterations_are_epochs_times_batches(page_of_two: str, two: Material) -> None:
    """The last, smaller batch counts too (the article's figure 8)."""
    n_images = sum(row.part == "training" for row in two.split)
    per_epoch = -(-n_images // 32)
    n_epochs = len(two.members[0].epochs)
    assert f"<td>{n_epochs}</td><td>{n_epochs * per_epoch:,}</td>" in page_of_two


def test_the_head_of_the_record_is_in_the_report(page_of_two: str, two: Material) -> None:
    """Whoever holds the study folder can check that this report belongs to it."""
    assert head_code(two.record_head) in page_of_two
    assert two.record_head in page_of_two


def test_a_second_opening_makes_the_report_exploratory(two: Material, page_of_two: str) -> None:
    """Numbers that were looked at before the last choice are no longer a test."""
    again = replace(two, openings=(*two.openings, Opening("2026-03-20T08:00:00+00:00", 2)))
    assert "Exploratory</a>" in render(again)
    assert "opened 2 times" in render(again)
    assert "Exploratory</a>" not in page_of_two


def test_every_explained_term_has_its_entry_and_its_tip(page: str) -> None:
    """What is underlined can be looked up, with the mouse, the keyboard or a finger."""
    used = re.findall(r'<a href="#term-([a-z0-9-]+)" aria-describedby="means-\1">', page)
    tips = re.findall(r'<span class="tip" aria-hidden="true"><b>(.*?)</b>', page)
    entries = set(re.findall(r'<div id="term-([a-z0-9-]+)">', page))
    assert len(used) == len(tips) > 40
    assert set(used) == entries
    assert entries <= {term.slug for term in GLOSSARY.values()}


def test_a_flip_that_contradicts_laterality_is_pointed_out(page_of_two: str, page_of_four: str) -> None:
    """The fabricated study of two classes flips images whose side is known; the other does not flip."""
    assert "<b>Left and right.</b>" in page_of_two
    assert "<b>Left and right.</b>" not in page_of_four


def test_a_study_without_augmentation_says_so(two: Material) -> None:
    """The section stays, so that nobody has to guess."""
    plan = two.plan.model_copy(update={"augmentation": None})
    html = render(replace(two, plan=plan, augmentations=()))
    assert "the network saw every training image as it is" in html


PAYLOADS = [
    "<script>alert(1)</script>",
    '"><script>alert(1)</script>',
    "'><img src=x onerror=alert(1)>",
    "<svg onload=alert(1)>",
    "<svg/onload=alert(1)>",
    '" onmouseover="alert(1)',
    "' onfocus='alert(1)' autofocus='",
    "<iframe src=javascript:alert(1)>",
    "javascript:alert(1)",
    "<a href='javascript:alert(1)'>x</a>",
    "</style><script>alert(1)</script>",
    "</title><script>alert(1)</script>",
    "<!--<script>alert(1)</script>-->",
    "--><script>alert(1)</script>",
    "<![CDATA[<script>alert(1)</script>]]>",
    "]]><script>alert(1)</script>",
    "<body onload=alert(1)>",
    "<input autofocus onfocus=alert(1)>",
    "<details open ontoggle=alert(1)>",
    "<video src=x onerror=alert(1)>",
    "<audio src=x onerror=alert(1)>",
    "<math><mi//xlink:href='data:x'>",
    "<object data=javascript:alert(1)>",
    "<embed src=javascript:alert(1)>",
    "<form action=javascript:alert(1)><button>",
    "<link rel=stylesheet href=//x>",
    "<meta http-equiv=refresh content='0;url=//x'>",
    "<base href=//x/>",
    "<style>@import'//x'</style>",
    "<style>*{background:url(//x)}</style>",
    "{{ 7 * 7 }}",
    "{% for x in range(9) %}x{% endfor %}",
    "{{ self.__init__ }}",
    "{# comment #}",
    "${7*7}",
    "<%= 7*7 %>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "&#60;script&#62;",
    "&amp;lt;script&amp;gt;",
    "\u202e<script>",
    "\ufeff<script>alert(1)</script>",
    "<ScRiPt>alert(1)</sCrIpT>",
    "<scr<script>ipt>alert(1)</scr</script>ipt>",
    "<script\n>alert(1)</script\n>",
    "<script/src=//x>",
    "<img src='x' onerror='alert(1)'",
    '<img """><script>alert(1)</script>">',
    "<p style='background:url(//x)'>",
    "</text></svg><script>alert(1)</script>",
    "</td></tr></table><script>alert(1)</script>",
    "</figcaption></figure><script>alert(1)</script>",
    "<foreignObject><script>alert(1)</script>",
    "<animate onbegin=alert(1)>",
    "<use href='data:image/svg+xml,x'>",
    "<marquee onstart=alert(1)>",
    "<template><script>alert(1)</script></template>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "`onmouseover=alert(1)",
    "`<script>alert(1)</script>`",
    "\"'<>&`=/",
]


def test_sixty_payloads_are_only_text(two: Material, page_of_two: str) -> None:
    """A header, a file name or a label may say anything; the page shows it and never obeys it."""
    assert len(PAYLOADS) == 60
    honest = Structure(page_of_two)
    for i in range(0, 60, 6):
        html = render(_poisoned(two, PAYLOADS[i : i + 6]))
        structure = Structure(html)
        assert set(structure.tags) <= set(honest.tags)
        assert {name for _, name, _ in structure.attributes} <= {name for _, name, _ in honest.attributes}
        assert all(href.startswith("#") for href in structure.values("href"))
        assert all(source.startswith("data:image/png;base64,") for source in structure.values("src"))
        assert structure.values("style") == []
        text = "".join(structure.texts)
        assert "49" not in re.findall(r"<h1>(.*?)</h1>", html)
        for payload in PAYLOADS[i : i + 6]:
            assert _without_space(payload) in _without_space(text)


def _poisoned(material: Material, payloads: list[str]) -> Material:
    """Put the payloads wherever a text from outside can stand."""
    first, second, third, fourth, fifth, sixth = payloads
    classes = (f"a {first}", f"b {second}")
    names = dict(zip(answers_of(material).classes, classes, strict=True))
    plan = Plan.model_validate(
        {"title": third, "task": "classification", "data": {"images": sixth, "patient": "dicom"},
         "report": {"authors": fourth, "aim": fifth + sixth}}
    )  # fmt: skip

    def cohort_row(row: CohortRow) -> CohortRow:
        return replace(row, site=fifth, modality=fourth, sex=third, laterality=second, source=first)

    def label_row(row: LabelRow) -> LabelRow:
        return replace(row, target=names.get(row.target, row.target), source=sixth)

    refused = material_factory.refused_row("x", "y", f"E_{first}")
    error, point = answers_of(material).errors[0], answers_of(material).operating_point
    assert point is not None
    answers = replace(
        answers_of(material),
        tuning=replace(answers_of(material).tuning, classes=classes),
        test=replace(answers_of(material).test, classes=classes),
        operating_point=replace(point, rule=third),
        errors=(replace(error, image_id=first, target=second, predicted=third),),
        explanation=Explanation(fourth, (SaliencyCase(error.png, fifth),), sixth),
    )
    return replace(
        material,
        plan=plan,
        cohort=(*(cohort_row(row) for row in material.cohort[-300:]), refused),
        labels=tuple(label_row(row) for row in material.labels),
        split=material.split[-240:],
        certificate=replace(material.certificate, method=first),
        layers=(replace(material.layers[0], name=second, kind=third),),
        members=(replace(material.members[0], name=fourth, stopped_because=fifth),),
        answers=answers,
        estimates=tuple(replace(e, method=f"{e.method} {first}", note=second, group=sixth) for e in material.estimates),
        reasons={f"E_{first}": fourth},
        environment={second: third},
        stages=(Stage(fourth, fifth, 1.0),),
        samples=(replace(material.samples[0], caption=sixth),),
    )


def _without_space(text: str) -> str:
    return re.sub(r"\s+", "", text)


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;")
