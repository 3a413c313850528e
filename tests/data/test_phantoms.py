"""The made-up cohort: the same for the same seed, true to its own tables, and faulty only where it says so."""

import csv
import hashlib
import json
import re
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pydicom
import pytest
from PIL import Image

from lucency import randomness
from lucency.data.phantoms import CohortSummary, planted_identifiers, report_phrases, write_cohort
from lucency.data.phantoms.anatomy import Findings, Lesion, draw_radiograph
from lucency.data.phantoms.cases import invent_cases, invent_pose
from lucency.data.phantoms.cohort import DETECTORS
from lucency.data.phantoms.people import invent_people
from lucency.data.phantoms.readers import Reading, decide_disputes, read_images
from lucency.data.phantoms.report_phrases import NOUNS, choices
from lucency.data.phantoms.report_sentences import Occasion
from lucency.data.phantoms.reports import ERROR_SHARE, compose_report, compose_reports
from lucency.data.phantoms.texture import draw_textures
from lucency.errors import PlanError

N_PATIENTS = 24
SIZE = 64


class Cohort(NamedTuple):
    """A small cohort on disk."""

    folder: Path
    summary: CohortSummary

    def table(self, name: str) -> list[dict[str, str]]:
        """Read one of the cohort's tables."""
        with (self.folder / name).open(newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file))

    def readable(self) -> dict[str, pydicom.FileDataset]:
        """Read every file that decodes and is not blank, by its path below the image folder."""
        images = {}
        for path in sorted((self.folder / "images").rglob("*.dcm")):
            try:
                dataset = pydicom.dcmread(path)
                pixels = dataset.pixel_array
            except (pydicom.errors.InvalidDicomError, ValueError, AttributeError, EOFError):
                continue
            if pixels.std() > 0:
                images[path.relative_to(self.folder / "images").as_posix()] = dataset
        return images


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Cohort:
    folder = tmp_path_factory.mktemp("cohort")
    return Cohort(folder, write_cohort(folder, seed=1, n_patients=N_PATIENTS, image_size=SIZE))


@pytest.fixture(scope="module")
def images(cohort: Cohort) -> dict[str, pydicom.FileDataset]:
    return cohort.readable()


def hashes(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def brightness(dataset: pydicom.FileDataset) -> np.ndarray:
    """Return the image with bone bright, 0 to 1, whatever the site stores."""
    pixels = dataset.pixel_array.astype(float) / (2**dataset.BitsStored - 1)
    return 1 - pixels if dataset.PhotometricInterpretation == "MONOCHROME1" else pixels


def test_same_seed_gives_the_same_bytes(cohort: Cohort, tmp_path: Path) -> None:
    """A demo that differs between machines cannot be discussed."""
    summary = write_cohort(tmp_path, seed=1, n_patients=N_PATIENTS, image_size=SIZE)
    assert summary == cohort.summary
    assert hashes(tmp_path) == hashes(cohort.folder)


def test_another_seed_gives_other_people_and_pixels(cohort: Cohort, tmp_path: Path) -> None:
    """The seed must reach everything that is invented."""
    write_cohort(tmp_path, seed=2, n_patients=16, image_size=SIZE)
    assert not {person.name for person in invent_people(1, 24)} & {person.name for person in invent_people(2, 24)}
    first = "images/site-a/a0000-1.dcm"
    assert hashes(tmp_path)[first] != hashes(cohort.folder)[first]


def test_too_few_patients_are_refused(tmp_path: Path) -> None:
    """Every fault needs its own patient."""
    with pytest.raises(PlanError, match="takes 16 to"):
        write_cohort(tmp_path, n_patients=5)


def test_files_are_as_many_as_the_summary_says(cohort: Cohort, images: dict[str, pydicom.FileDataset]) -> None:
    """The flow diagram of the demo is checked against these counts."""
    summary = cohort.summary
    n_files = len(list((cohort.folder / "images").rglob("*.dcm")))
    n_broken = summary.n_truncated + summary.n_empty + summary.n_not_dicom
    assert len(images) == summary.n_images
    assert n_files == summary.n_images + summary.n_blank + n_broken
    labels = cohort.table("labels.csv")
    assert len(labels) == n_files - summary.n_not_dicom
    assert sum(row["label"] == "pneumonia" for row in labels) == summary.n_pneumonia
    assert len({row["patient"] for row in labels}) == summary.n_patients
    assert len({row["exam"] for row in labels}) == summary.n_exams == summary.n_reports
    assert len(list((cohort.folder / "reports").glob("*.txt"))) == summary.n_reports
    assert len(list((cohort.folder / "masks").glob("*.png"))) == summary.n_lesion_masks
    assert len(cohort.table("readers.csv")) == summary.n_readings
    assert sum(row["is_wrong"] == "1" for row in cohort.table("reports.csv")) == summary.n_wrong_reports


def test_headers_are_whole(images: dict[str, pydicom.FileDataset]) -> None:
    """Curation, de-identification and the split read these elements."""
    needed = [
        "PatientName",
        "PatientID",
        "IssuerOfPatientID",
        "PatientBirthDate",
        "PatientSex",
        "PatientAge",
        "StudyDate",
        "AccessionNumber",
        "ReferringPhysicianName",
        "InstitutionName",
        "StationName",
        "ViewPosition",
        "PatientOrientation",
        "PixelSpacing",
        "StudyInstanceUID",
        "SeriesInstanceUID",
    ]
    for name, dataset in images.items():
        assert all(dataset.get(keyword) for keyword in needed), name
        assert dataset.file_meta.MediaStorageSOPInstanceUID == dataset.SOPInstanceUID
        assert dataset.file_meta.MediaStorageSOPClassUID == dataset.SOPClassUID
        assert dataset.SOPInstanceUID.is_valid
        assert int(dataset.PatientAge[:3]) >= 18
    assert len({dataset.SOPInstanceUID for dataset in images.values()}) == len(images)


def test_sites_store_differently(images: dict[str, pydicom.FileDataset]) -> None:
    """One reader must cope with both polarities, both depths and compressed files."""
    kinds = {
        (name[:6], dataset.PhotometricInterpretation, dataset.BitsStored, dataset.Modality)
        for name, dataset in images.items()
    }
    assert kinds == {("site-a", "MONOCHROME2", 12, "CR"), ("site-b", "MONOCHROME1", 8, "DX")}
    syntaxes = {dataset.file_meta.TransferSyntaxUID.name for dataset in images.values()}
    assert syntaxes == {
        "Explicit VR Little Endian",
        "Implicit VR Little Endian",
        "RLE Lossless",
        "JPEG 2000 Image Compression (Lossless Only)",
    }


def test_bone_is_bright_and_lung_dark_at_both_sites(cohort: Cohort, images: dict[str, pydicom.FileDataset]) -> None:
    """Once MONOCHROME1 is inverted, the spine must be brighter than the lungs in every frontal view."""
    for name, dataset in images.items():
        if dataset.ViewPosition == "LL":
            continue
        lung = np.asarray(Image.open(cohort.folder / "lungs" / f"{Path(name).stem}.png")) > 0
        image = brightness(dataset)
        middle = image[SIZE // 2 : SIZE * 3 // 4, image.shape[1] // 2 - 1 : image.shape[1] // 2 + 1]
        assert lung.shape == image.shape
        assert 0.1 < lung.mean() < 0.5
        assert middle.mean() > image[lung].mean() + 0.15, name


def test_the_heart_lies_on_the_left_as_the_orientation_says(
    cohort: Cohort, images: dict[str, pydicom.FileDataset]
) -> None:
    """A cohort with hearts on the wrong side would teach that flipping is harmless."""
    shares = []
    for name, dataset in images.items():
        if dataset.ViewPosition == "LL":
            continue
        lung = np.asarray(Image.open(cohort.folder / "lungs" / f"{Path(name).stem}.png")) > 0
        assert list(dataset.PatientOrientation) == ["L", "F"]
        shares.append(lung[:, : lung.shape[1] // 2].sum() / lung.sum())
    assert np.median(shares) > 0.53


def test_no_two_patients_share_a_number_unless_planted() -> None:
    """Only one number is given out twice, by two issuers; a space is the other planted trap."""
    people = invent_people(1, 300)
    assert len({person.patient_id for person in people}) == 299
    assert len({(person.patient_id, person.site) for person in people}) == 300
    assert len({person.name.split("^")[0] for person in people}) == 300
    assert people[3].patient_id == people[0].patient_id


def test_headers_name_as_many_patients_as_there_are(cohort: Cohort, images: dict[str, pydicom.FileDataset]) -> None:
    """Number and issuer tell patients apart once the stray space is taken off."""
    spelt = {(dataset.PatientID, dataset.IssuerOfPatientID) for dataset in images.values()}
    told_apart = {(number.strip(), issuer) for number, issuer in spelt}
    assert len(told_apart) == N_PATIENTS
    assert len({number for number, _ in told_apart}) == N_PATIENTS - cohort.summary.n_ids_shared_between_sites
    spellings = [name for name, dataset in images.items() if dataset.PatientID.startswith(" ")]
    assert spellings == ["site-b/b0004-1.dcm"]


def test_duplicates_have_the_same_pixels_under_another_identity(
    cohort: Cohort, images: dict[str, pydicom.FileDataset]
) -> None:
    """Finding duplicates by file hash alone must fail; by pixels it must succeed."""
    label = {row["image"]: row["label"] for row in cohort.table("labels.csv")}
    by_pixels: dict[bytes, list[str]] = {}
    for name, dataset in images.items():
        by_pixels.setdefault(dataset.pixel_array.tobytes(), []).append(name)
    pairs = [names for names in by_pixels.values() if len(names) > 1]
    assert len(pairs) == cohort.summary.n_duplicates
    across = [pair for pair in pairs if len({images[name].PatientID for name in pair}) == 2]
    conflicting = [pair for pair in pairs if len({label[name] for name in pair}) == 2]
    assert len(across) == cohort.summary.n_duplicates_between_patients
    assert len(conflicting) == cohort.summary.n_conflicting_duplicates
    assert not {tuple(pair) for pair in across} & {tuple(pair) for pair in conflicting}


def test_masks_boxes_and_areas_agree(cohort: Cohort) -> None:
    """Segmentation, detection and regression must tell the same story about a lesion."""
    coco = json.loads((cohort.folder / "boxes.json").read_text())
    name_of = {image["id"]: image["file_name"] for image in coco["images"]}
    boxes: dict[str, list[list[int]]] = {}
    for annotation in coco["annotations"]:
        if annotation["category_id"] == 1:
            boxes.setdefault(name_of[annotation["image_id"]], []).append(annotation["bbox"])
    n_seen = 0
    for row in cohort.table("labels.csv"):
        path = cohort.folder / "masks" / f"{Path(row['image']).stem}.png"
        assert path.exists() == (row["image"] in boxes)
        if not path.exists():
            continue
        mask = np.asarray(Image.open(path))
        assert set(np.unique(mask)) == {0, 255}
        rows, columns = np.nonzero(mask)
        spacing = pydicom.dcmread(cohort.folder / "images" / row["image"]).PixelSpacing
        assert float(row["lesion_area_cm2"]) == pytest.approx(len(rows) * spacing[0] * spacing[1] / 100, abs=0.01)
        left, top = np.min(boxes[row["image"]], axis=0)[:2]
        right, bottom = np.max([[x + w, y + h] for x, y, w, h in boxes[row["image"]]], axis=0)
        assert (left, top, right, bottom) == (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
        assert row["label"] == "pneumonia"
        assert int(row["severity"]) > 0
        n_seen += 1
    assert n_seen == cohort.summary.n_lesion_masks > 5


def test_frontal_pneumonia_always_has_a_mask(cohort: Cohort, images: dict[str, pydicom.FileDataset]) -> None:
    """A lesion hidden altogether would be a label that no one could learn."""
    for row in cohort.table("labels.csv"):
        if row["image"] in images and row["view"] != "LL" and row["label"] == "pneumonia":
            assert float(row["lesion_area_cm2"]) > 0, row["image"]


def test_an_opacity_brightens_the_lung_where_its_mask_is() -> None:
    """The mask must mark the lesion and not a place beside it."""
    case = invent_cases(invent_people(1, 16), 1)[0]
    textures = draw_textures(1, pixels_per_cm=3.2)
    lesion = Lesion("opacity", "right", "lower lobe", 0.6, 0.75, (3.0, 3.0), 6.0)
    pose = invent_pose("PA", randomness.generator(1, "pose"))

    def radiograph(findings: Findings):
        draw = randomness.generator(1, "image")
        return draw_radiograph(case.body, pose, findings, DETECTORS["site-a"], (128, 128), textures, draw)

    clear, ill = radiograph(Findings()), radiograph(Findings(lesions=(lesion,)))
    (mask,) = ill.lesions
    healthy_side = clear.lung & ~mask
    added = ill.brightness - clear.brightness
    assert mask[:, :64].sum() > 50
    assert not mask[:, 70:].any()
    assert added[mask].mean() > 0.1
    assert added[mask].mean() > added[healthy_side].mean() + 0.1


def test_the_heart_is_as_wide_as_its_ratio_says() -> None:
    """The regression target must be visible: a larger ratio leaves less lung."""
    case = invent_cases(invent_people(1, 16), 1)[0]
    textures = draw_textures(1, pixels_per_cm=3.2)
    pose = replace(invent_pose("PA", randomness.generator(1, "pose")), turn_degrees=0.0, roll_degrees=0.0)
    lungs = []
    for ratio in (0.40, 0.50, 0.60):
        body = replace(case.body, cardiothoracic_ratio=ratio)
        draw = randomness.generator(1, "image")
        drawn = draw_radiograph(body, pose, Findings(), DETECTORS["site-a"], (128, 128), textures, draw)
        assert drawn.cardiothoracic_ratio == ratio
        lungs.append(int(drawn.lung.sum()))
    assert lungs[0] > lungs[1] > lungs[2]


def test_about_45_percent_of_patients_have_pneumonia() -> None:
    """Both classes must be common enough to learn from a small cohort."""
    cases = invent_cases(invent_people(1, 300), 1)
    assert sum(bool(case.exams[0].findings.opacities) for case in cases) == 135
    n_images = [sum(len(exam.views) for exam in case.exams) for case in cases]
    assert set(n_images) == {1, 2, 3}
    assert all(
        earlier.day < later.day for case in cases for earlier, later in zip(case.exams, case.exams[1:], strict=False)
    )


def test_readers_disagree_as_real_ones_do() -> None:
    """Cohen's kappa between 0.6 and 0.8, each reader imperfect, and the subtle ones missed more often."""
    draw = np.random.default_rng(4)
    truth = draw.random(4000) < 0.4
    conspicuity = np.where(truth, draw.lognormal(np.log(3.9), 0.5, 4000), 0.0)
    names = [f"{i}.dcm" for i in range(4000)]
    readings = read_images(names, list(conspicuity), [0.0] * 4000, seed=3)
    verdicts = {reader: {r.image: r.has_pneumonia for r in readings if r.reader == reader} for reader in "AB"}
    assert 0.9 * 4000 < len(verdicts["A"].keys() & verdicts["B"].keys()) < 4000
    seen = [i for i, name in enumerate(names) if name in verdicts["A"] and name in verdicts["B"]]
    a, b = (np.array([verdicts[reader][names[i]] for i in seen]) for reader in "AB")
    observed = (a == b).mean()
    expected = a.mean() * b.mean() + (1 - a.mean()) * (1 - b.mean())
    assert 0.6 < (observed - expected) / (1 - expected) < 0.8
    for verdict in (a, b):
        assert 0.6 < verdict[truth[seen]].mean() < 0.97
        assert 0.85 < (~verdict[~truth[seen]]).mean() < 1
    subtle = conspicuity[seen] < np.median(conspicuity[truth])
    assert a[truth[seen] & subtle].mean() < a[truth[seen] & ~subtle].mean()


def test_readers_of_the_cohort_name_only_its_images(cohort: Cohort) -> None:
    """A reading of an unknown image would stop the labelling stage."""
    known = {row["image"] for row in cohort.table("labels.csv")}
    readings = cohort.table("readers.csv")
    assert {row["image"] for row in readings} <= known
    assert {row["reader"] for row in readings} == {"A", "B"}
    assert {row["label"] for row in readings} == {"pneumonia", "no_pneumonia"}
    assert {int(row["confidence"]) for row in readings} <= {1, 2, 3, 4, 5}


PNEUMONIA = Lesion("opacity", "right", "lower lobe", 0.5, 0.8, (2.0, 2.0), 4.0)
MENTIONED = re.compile(r"pneumonia|infection|infectious|pneumonic|\bPNA\b", re.IGNORECASE)
DENIED = re.compile(
    r"^(no|there is no|negative)\b|without|resolved\.|cleared|clearing|resolution|disappeared|longer|none|not seen",
    re.I,
)
DOUBTED = re.compile(r"exclude|may|possible|question|ruled|suspected|\?|equivocal|versus|vs|either|differential", re.I)


def stance(report: str) -> str:
    """Read every sentence on pneumonia below the indication as a person would; empty where there is none."""
    body = re.split(r"findings:\s|cxr:\s", report, maxsplit=1, flags=re.IGNORECASE)[1]
    sentences = re.split(
        r"(?<!\bvs)\.(?:\s|$)|:\s", re.sub(r"\s+(- |\d\. )?", " ", body).lower().replace(": none", " none")
    )
    said = set()
    for sentence in (part.strip() for part in sentences):
        if MENTIONED.search(sentence):
            is_denied = DENIED.search(re.sub("has not resolved|no change", "", f"{sentence}.", flags=re.IGNORECASE))
            said.add("uncertain" if DOUBTED.search(sentence) else "negative" if is_denied else "positive")
    return said.pop() if len(said) == 1 else "/".join(sorted(said))


@pytest.mark.parametrize("findings", [Findings(lesions=(PNEUMONIA,)), Findings()], ids=["pneumonia", "healthy"])
@pytest.mark.parametrize("prior_had_pneumonia", [True, False])
def test_reports_say_what_is_there_but_for_the_stated_share(findings: Findings, prior_had_pneumonia: bool) -> None:
    """Labelling from text is judged against this share, so the text must carry exactly what the key says."""
    occasion = Occasion(findings, False, False, ("PA",), date(2020, 1, 1), prior_had_pneumonia)
    draw = randomness.generator(1, "reports")
    reports = [compose_report(occasion, draw) for _ in range(1500)]
    disagreements = [r.text for r in reports if stance(r.text) != r.statements.get("Pneumonia", "")]
    assert not disagreements, disagreements[0]
    truth, opposite = ("positive", "negative") if findings.lesions else ("negative", "positive")
    assert all(report.statements.get("Pneumonia", "negative") == report.stated for report in reports)
    assert all(report.is_wrong == (report.stated == opposite) for report in reports)
    assert np.mean([report.is_wrong for report in reports]) == pytest.approx(ERROR_SHARE, abs=0.02)
    assert np.mean([report.stated == truth for report in reports]) > 0.8
    assert len({report.text for report in reports}) > 1000


def test_reports_mention_the_other_findings() -> None:
    """A multi-label reader of reports needs every finding that the image shows, in words."""
    occasion = Occasion(Findings(effusion_cm=(4.0, 0.0)), False, True, ("PA", "LL"), None, False)
    draw = randomness.generator(2, "reports")
    for _ in range(200):
        report = compose_report(occasion, draw)
        assert report.statements["Pleural Effusion"] == "positive"
        assert report.statements["Cardiomegaly"] == "positive"
        assert "No Finding" not in report.statements
        assert re.search(r"\bright\b", report.text, re.IGNORECASE)
        assert re.search(r"cardi|heart", report.text, re.IGNORECASE)


def test_thousands_of_reports_are_a_function_of_the_seed_and_differ() -> None:
    """A network learns from thousands; a study that is repeated must learn from the same."""
    reports = compose_reports(1000, seed=3)
    assert reports == compose_reports(1000, seed=3)
    assert reports[:10] == compose_reports(10, seed=3)
    assert reports != compose_reports(1000, seed=4)
    assert len({report.text for report in reports}) > 990
    for finding in NOUNS:
        stances = {report.statements.get(finding) for report in reports}
        assert stances >= {"positive", "negative", None}, finding
        assert "uncertain" in stances or finding == "Support Devices"
    is_free = [report.statements.get("No Finding") == "positive" for report in reports]
    assert 0.02 < np.mean(is_free) < 0.3


def test_the_two_vocabularies_share_no_phrase() -> None:
    """A labeller that knows the phrases of one must not have seen those of the other."""
    tables = [value for value in vars(report_phrases).values() if isinstance(value, dict) and value]
    words = [table for table in tables if "training" in table]
    words += [
        inner for table in tables if "training" not in table for inner in table.values() if isinstance(inner, dict)
    ]
    assert len(words) > 30
    training, test = ({phrase for table in words for phrase in table[half] if phrase} for half in ("training", "test"))
    assert min(len(training), len(test)) > 70
    assert not training & test
    reports = compose_reports(300, seed=1, vocabulary="training")
    for phrase in ("ETT", "no longer", "Negative for", "air-space opacification", "not ruled out", "zone"):
        assert not [report.text for report in reports if is_in(report.text.lower(), phrase)], phrase


def test_every_mentioned_finding_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """The key for fourteen findings must be in the words: present findings are named, and what is not mentioned is not."""
    monkeypatch.setattr("lucency.data.phantoms.reports.TYPING_ERROR_SHARE", 0)
    for report in compose_reports(500, seed=5):
        body = re.split(r"findings:|cxr:", report.text.lower(), maxsplit=1)[1]
        body = re.sub(r"\s+(- |\d\. )?", " ", body)
        named = {
            finding for finding, nouns in NOUNS.items() if any(is_in(body, noun) for noun in choices(nouns, "all"))
        }
        assert {finding for finding, said in report.statements.items() if said == "positive"} - named <= {"No Finding"}
        assert not named - {*report.statements, "Edema"}, report.text


def is_in(body: str, noun: str) -> bool:
    """Look for a noun without its article."""
    return re.search(rf"(?<!\w){re.escape(re.sub('^an? ', '', noun).lower())}(?!\w)", body) is not None


def test_a_senior_reader_decides_where_two_disagree(cohort: Cohort) -> None:
    """Adjudication needs a decision on each disputed image and on no other, made after the readings, and mostly right."""
    said: dict[str, set[str]] = {}
    for row in cohort.table("readers.csv"):
        said.setdefault(row["image"], set()).add(row["label"])
    decisions = cohort.table("adjudication.csv")
    assert [row["image"] for row in decisions] == [image for image, labels in said.items() if len(labels) == 2]
    assert len(decisions) == cohort.summary.n_disputes
    assert {row["decided_by"] for row in decisions} <= {"C"}
    last_reading = max(row["date"] for row in cohort.table("readers.csv"))
    assert all(row["date"] > last_reading for row in decisions)

    truth = {f"{i}": i % 2 == 0 for i in range(2000)}
    readings = [Reading(image, reader, reader == "A", 1, date(2024, 3, 4)) for image in truth for reader in ("A", "B")]
    decided = decide_disputes(readings, truth, seed=1)
    assert np.mean([decision.has_pneumonia == truth[decision.image] for decision in decided]) == pytest.approx(
        0.94, abs=0.02
    )


def test_every_image_has_the_report_of_its_exam(cohort: Cohort) -> None:
    """A label from a report is only as good as the table that says which report belongs to the image."""
    report_of_image = {row["image"]: row["report"] for row in cohort.table("report_of_image.csv")}
    labels = cohort.table("labels.csv")
    assert list(report_of_image) == [row["image"] for row in labels]
    assert all(report_of_image[row["image"]] == f"{row['exam']}.txt" for row in labels)
    assert {row["report"] for row in cohort.table("reports.csv")} == set(report_of_image.values())
    assert all((cohort.folder / "reports" / name).exists() for name in report_of_image.values())


def test_the_person_who_read_again_slips_twice(cohort: Cohort) -> None:
    """The error of a labeller is measured against a person, who is not perfect either."""
    stated = {row["report"]: row for row in cohort.table("reports.csv")}
    readings = cohort.table("reread.csv")
    assert len({row["report"] for row in readings}) == min(80, cohort.summary.n_reports)
    slips = [row for row in readings if row["reading"] != (stated[row["report"]][row["finding"]] or "not mentioned")]
    assert [row["finding"] for row in slips] == ["Pneumonia", "Pneumonia"]


def test_every_name_number_and_date_in_headers_is_known(cohort: Cohort, images: dict[str, pydicom.FileDataset]) -> None:
    """A scan for leaks is only as good as its list."""
    known = set(planted_identifiers(cohort.folder))
    for dataset in images.values():
        assert str(dataset.PatientName) in known
        assert str(dataset.PatientName.family_name) in known
        assert str(dataset.ReferringPhysicianName) in known
        assert dataset.PatientID.strip() in known
        assert {dataset.PatientBirthDate, dataset.StudyDate, dataset.AccessionNumber} <= known
        assert {dataset.InstitutionName, dataset.StationName} <= known
    for path in (cohort.folder / "reports").glob("*.txt"):
        text = path.read_text(encoding="utf-8")
        assert set(re.findall(r"\d{4}-\d\d-\d\d", text)) <= known
        assert any(word in text for word in known)


def test_tables_for_a_study_carry_no_identifier(cohort: Cohort) -> None:
    """What a study reads besides the headers and reports must be pseudonymous."""
    known = planted_identifiers(cohort.folder)
    tables = ("labels.csv", "readers.csv", "adjudication.csv", "reports.csv", "report_of_image.csv", "reread.csv")
    for name in (*tables, "boxes.json", "README.txt"):
        text = (cohort.folder / name).read_text(encoding="utf-8")
        assert not [word for word in known if re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text)], name


def test_readme_says_that_all_is_invented(cohort: Cohort) -> None:
    """No one must ever take a phantom for a patient."""
    text = (cohort.folder / "README.txt").read_text()
    assert "is invented" in text
    assert re.search(rf"n_duplicates +{cohort.summary.n_duplicates}\n", text)
