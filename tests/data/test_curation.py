"""Curation: from files to a cohort."""

import random
import shutil
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PillowImage
from truths import labelling_of, verdicts_on

from lucency.data.curation import curate
from lucency.data.sources import archive_labels, find_images
from lucency.data.store import fit, open_store
from lucency.domain.cohort import KEPT, CohortRow
from lucency.domain.data_plan import Data, Image
from lucency.domain.labels_plan import Labels
from lucency.domain.progress import Silence
from lucency.errors import Interrupted, PlanError, SourceError

NAME_RULE = {"from": "filename", "pattern": r"^(p\d+)"}


def data_of(images: Path, **settings: object) -> Data:
    return Data.model_validate({"images": str(images), "patient": NAME_RULE, "image": {"size": 28}} | settings)


def cohort_of(images: Path, store: Path, **settings: object) -> list[CohortRow]:
    data = data_of(images, **settings)
    return curate(find_images(data), data, store, "key", Silence()).rows


def labelled(cohort: list[CohortRow], **settings: object) -> dict[str, tuple[str, str]]:
    rows = labelling_of(cohort, Labels.model_validate(settings)).rows
    source = {row.image_id: row.source for row in cohort}
    return {source[row.image_id]: (row.target, row.reason) for row in rows}


def save(path: Path, pixels: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    PillowImage.fromarray(pixels).save(path)


def test_every_file_becomes_a_row(images: Path, tmp_path: Path) -> None:
    """Kept or refused with a reason: nothing is dropped in silence."""
    some = sorted(images.rglob("*.png"))
    some[0].write_bytes(b"")
    some[1].write_bytes(some[1].read_bytes()[:150])
    some[2].write_bytes(b"\x89PNG\r\n\x1a\n" + b"garbage" * 20)
    save(some[3], np.full((28, 28), 7, np.uint8))
    rows = cohort_of(images, tmp_path / "store")
    assert len(rows) == 48
    reasons = {row.source: row.reason for row in rows if row.status != KEPT}
    assert len(reasons) == 4
    assert reasons[some[0].relative_to(images).as_posix()] == "E_EMPTY_FILE"
    assert reasons[some[3].relative_to(images).as_posix()] == "E_BLANK"
    assert sorted(row.store_row for row in rows if row.status == KEPT) == list(range(44))


def test_the_store_holds_what_the_files_hold(images: Path, tmp_path: Path) -> None:
    """Images that already have the plan's size are kept bit for bit."""
    rows = cohort_of(images, tmp_path / "store")
    store = open_store(tmp_path / "store")
    assert store.images.dtype == np.uint8
    for row in rows:
        assert np.array_equal(store.images[row.store_row, 0], np.asarray(PillowImage.open(images / row.source)))


def test_one_deep_image_makes_the_store_deep_without_changing_a_level(images: Path, tmp_path: Path) -> None:
    """An 8-bit level v is exactly 257 v of 16 bits."""
    deep = np.arange(28 * 28, dtype=np.uint16).reshape(28, 28) * 80
    save(images / "ill" / "p900-0.png", deep)
    rows = cohort_of(images, tmp_path / "store", image={"size": 28, "window": "full"})
    store = open_store(tmp_path / "store")
    assert store.images.dtype == np.uint16
    shallow = next(row for row in rows if row.status == KEPT and "p900" not in row.source)
    pixels = np.asarray(PillowImage.open(images / shallow.source))
    assert np.array_equal(store.images[shallow.store_row, 0], pixels.astype(np.uint16) * 257)


def test_order_and_names_do_not_matter(images: Path, tmp_path: Path) -> None:
    """The same files in another folder give the same rows."""
    shutil.copytree(images, tmp_path / "elsewhere")
    assert cohort_of(images, tmp_path / "a") == cohort_of(tmp_path / "elsewhere", tmp_path / "b")


def test_a_stopped_curation_goes_on_and_ends_the_same(images: Path, tmp_path: Path) -> None:
    """Wherever it is stopped, the rows and the store are those of an unstopped one."""

    class Impatient(Silence):
        left = 0

        def advance(self, n_steps: int = 1, detail: str = "") -> None:
            self.left -= 1
            if self.left < 0:
                raise Interrupted("stop")

    expected = cohort_of(images, tmp_path / "whole")
    data = data_of(images)
    draw = random.Random(1)
    rows = None
    while rows is None:
        desk = Impatient()
        desk.left = draw.randint(1, 20)
        try:
            rows = curate(find_images(data), data, tmp_path / "stopped", "key", desk).rows
        except Interrupted:
            continue
    assert rows == expected
    whole, stopped = (open_store(tmp_path / name).images for name in ("whole", "stopped"))
    assert np.array_equal(whole, stopped)


def test_true_identifiers_are_not_written(images: Path, tmp_path: Path) -> None:
    """Patients are numbered."""
    rows = cohort_of(images, tmp_path / "store")
    assert {row.patient_id for row in rows} == {f"P{number:04d}" for number in range(1, 25)}
    patients = {row.source.split("/")[1][:4]: row.patient_id for row in rows}
    assert len(set(patients.values())) == 24


@pytest.mark.parametrize(
    ("settings", "error", "said"),
    [
        ({"patient": None}, SourceError, "do not name their patient"),
        ({"patient": {"from": "filename", "pattern": "^(q\\d+)"}}, SourceError, "finds no patient"),
        ({"patient": {"from": "filename", "pattern": "^(q"}}, PlanError, "not a regular expression"),
        ({"patient": {"from": "table"}}, PlanError, "come from a table"),
    ],
)
def test_unknown_patients_are_refused_before_the_work(
    images: Path, tmp_path: Path, settings: dict[str, object], error: type[Exception], said: str
) -> None:
    """Without the patient there is no honest split."""
    with pytest.raises(error, match=said):
        cohort_of(images, tmp_path / "store", **settings)
    assert not (tmp_path / "store").exists()


def test_sources_that_hold_no_images_are_refused(tmp_path: Path) -> None:
    """Missing folder, empty folder, folder of texts, a single text file, a broken archive."""
    empty, texts = tmp_path / "empty", tmp_path / "texts"
    empty.mkdir()
    texts.mkdir()
    (texts / "a.txt").write_text("x")
    (tmp_path / "b.npz").write_bytes(b"PK\x03\x04 broken")
    np.savez(tmp_path / "c.npz", other=np.zeros(3))
    for path, said in [
        (tmp_path / "absent", "There is no"),
        (empty, "is empty"),
        (texts, "None of the 1 files"),
        (texts / "a.txt", "neither a folder nor"),
        (tmp_path / "b.npz", "cannot be read"),
        (tmp_path / "c.npz", "no train_images"),
    ]:
        with pytest.raises(SourceError, match=said):
            find_images(data_of(path))


def test_all_unreadable_is_refused(tmp_path: Path) -> None:
    """A cohort of nothing is no cohort."""
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "p1.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    with pytest.raises(SourceError, match="None of the 1 images"):
        cohort_of(tmp_path / "images", tmp_path / "store")


def test_copies_are_set_aside_and_conflicts_refused(images: Path, tmp_path: Path) -> None:
    """A copy would count twice; a copy with another label means that one of the two labels is wrong."""
    ill, healthy = sorted((images / "ill").iterdir()), sorted((images / "healthy").iterdir())
    shutil.copy(ill[0], images / "ill" / "p800-0.png")
    shutil.copy(healthy[0], images / "ill" / "p801-0.png")
    rows = labelled(cohort_of(images, tmp_path / "store"))
    assert rows["ill/p800-0.png"][1] == "E_DUPLICATE"
    assert rows["ill/p801-0.png"][1] == rows[f"healthy/{healthy[0].name}"][1] == "E_CONFLICT"
    assert Counter(reason for _, reason in rows.values()) == {"": 47, "E_DUPLICATE": 1, "E_CONFLICT": 2}


def test_a_table_names_images_by_path_name_or_stem(images: Path, tmp_path: Path) -> None:
    """Tables come from many hands; what they do not know, contradict or invent is told."""
    files = [path.relative_to(images).as_posix() for path in sorted(images.rglob("*.png"))]
    lines = ["image,label", f"{files[0]},a", f"{files[1].split('/')[1]},b", f"{files[2].split('/')[1][:-4]},a"]
    lines += [f"{files[3]},a", f"{files[3]},b", f"{files[4]},b", f"{files[4]},b", "unknown.png,a"]
    (tmp_path / "labels.csv").write_text("\n".join(lines))
    cohort = cohort_of(images, tmp_path / "store")
    settings = {"from": "table", "table": str(tmp_path / "labels.csv")}
    rows = labelled(cohort, **settings)
    assert [rows[file] for file in files[:5]] == [("a", ""), ("b", ""), ("a", ""), ("", "E_DOUBLE_LABEL"), ("b", "")]
    assert rows[files[5]] == ("", "E_NO_LABEL")
    assert verdicts_on(cohort, Labels.model_validate(settings)).unknown_rows == (9,)


def test_an_excel_table_is_read(images: Path, tmp_path: Path) -> None:
    """Clinicians keep their labels in Excel."""
    import pandas

    files = [path.relative_to(images).as_posix() for path in sorted(images.rglob("*.png"))]
    frame = pandas.DataFrame({"image": files, "grade": [str(n % 3) for n in range(len(files))]})
    frame.to_excel(tmp_path / "labels.xlsx", index=False)
    settings = {"from": "table", "table": str(tmp_path / "labels.xlsx"), "label_column": "grade"}
    rows = labelled(cohort_of(images, tmp_path / "store"), **settings)
    assert [rows[file][0] for file in files[:4]] == ["0", "1", "2", "0"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "There is no table"),
        ("image,labell\na,b\n", "Did you mean “labell”"),
        ("image,label\n", "no rows"),
        ("", "cannot be read"),
    ],
)
def test_a_wrong_table_is_refused(images: Path, tmp_path: Path, content: str | None, said: str) -> None:
    """Each fault of a table has its sentence."""
    if content is not None:
        (tmp_path / "labels.csv").write_text(content)
    cohort = cohort_of(images, tmp_path / "store")
    with pytest.raises(SourceError, match=said):
        labelled(cohort, **{"from": "table", "table": str(tmp_path / "labels.csv")})


def test_one_class_is_refused(images: Path, tmp_path: Path) -> None:
    """There is nothing to tell apart."""
    cohort = cohort_of(images / "ill", tmp_path / "store")
    with pytest.raises(SourceError, match="All images have the label"):
        labelled(cohort, names={"": "ill"})


@pytest.mark.parametrize(
    ("names", "positive", "expected"),
    [
        (("NORMAL", "PNEUMONIA"), None, "PNEUMONIA"),
        (("ill", "healthy"), None, "ill"),
        (("0", "1"), None, "1"),
        (("benign", "malignant"), None, "malignant"),
        (("no_pneumonia", "pneumonia"), None, "pneumonia"),
        (("a", "b"), "a", "a"),
    ],
)
def test_the_positive_class_is_the_disease(
    images: Path, tmp_path: Path, names: tuple[str, str], positive: str | None, expected: str
) -> None:
    """Sensitivity must speak of disease, whatever comes first in the alphabet."""
    cohort = cohort_of(images, tmp_path / "store")
    labels = Labels.model_validate({"names": {"healthy": names[0], "ill": names[1]}, "positive": positive})
    assert labelling_of(cohort, labels).classes[1] == expected


def test_a_medmnist_archive_is_read_with_its_parts(tmp_path: Path) -> None:
    """Grey and colour arrays, with labels of shape (n, 1); of copies in two parts, the test image stays."""
    draw = np.random.default_rng(1)
    arrays = {}
    for part, n in (("train", 6), ("val", 4), ("test", 4)):
        arrays[f"{part}_images"] = draw.integers(0, 255, (n, 28, 28, 3), dtype=np.uint8)
        arrays[f"{part}_labels"] = np.arange(n).reshape(-1, 1) % 2
    arrays["train_images"][0] = arrays["test_images"][0]
    np.savez(tmp_path / "a.npz", **arrays)
    settings = {"patient": "each_image", "labels": {"from": "archive"}}
    data = data_of(tmp_path / "a.npz", **settings)
    cohort = cohort_of(tmp_path / "a.npz", tmp_path / "store", **settings)
    assert Counter(row.official_part for row in cohort) == {"training": 6, "tuning": 4, "test": 4}
    rows = labelling_of(cohort, data.labels, archive_labels(data)).rows
    assert [row.target for row in rows[1:4]] == ["1", "0", "1"]
    refused = [row for row in rows if row.status != KEPT]
    assert [(row.image_id, row.reason) for row in refused] == [(cohort[0].image_id, "E_DUPLICATE")]


@pytest.mark.parametrize("fit_rule", ["pad", "crop", "stretch"])
@pytest.mark.parametrize("shape", [(40, 20), (20, 40), (15, 15), (64, 64), (1, 7)])
def test_fitting_gives_the_shape_and_keeps_the_middle(fit_rule: str, shape: tuple[int, int]) -> None:
    """Padding is black and outside; the centre of an image stays its centre."""
    settings = Image.model_validate({"size": [32, 24], "fit": fit_rule})
    fitted = fit(np.full(shape, 200, np.uint8), settings)
    assert fitted.shape == (1, 32, 24)
    assert fitted[0, 16, 12] == 200
    if fit_rule != "pad":
        assert (fitted == 200).all()


def test_padding_keeps_proportions() -> None:
    """A 40 × 20 image on 32 × 32 is 32 × 16 with black on both sides."""
    fitted = fit(np.full((40, 20), 255, np.uint8), Image(size=32))[0]
    assert (fitted[:, 8:24] == 255).all()
    assert (fitted[:, :8] == 0).all()
    assert (fitted[:, 24:] == 0).all()


def test_colour_turns_grey_by_luma_and_grey_fills_three_channels() -> None:
    """ITU-R BT.601."""
    pixels = np.zeros((8, 8, 3), np.uint8)
    pixels[..., 1] = 100
    assert (fit(pixels, Image(size=8)) == 59).all()
    assert fit(pixels[..., 1], Image(size=8, channels="colour")).shape == (3, 8, 8)


def test_slices_of_a_volume_are_means_of_their_slabs() -> None:
    """Nothing between two slices is lost, and more slices than there are lie between those that are."""
    volume = np.arange(8, dtype=np.uint16)[:, None, None] * np.full((1, 6, 6), 100, np.uint16)
    four = fit(volume, Image(size=8, n_slices=4, fit="stretch"))
    assert four.shape == (4, 8, 8)
    assert four[:, 0, 0].tolist() == [50, 250, 450, 650]
    five = fit(volume, Image(size=8, n_slices=5, fit="stretch"))[:, 0, 0]
    first = 100 * 0.6 / 1.6  # the whole of slice 0 and 0.6 of slice 1
    assert np.allclose(five[[0, 2, 4]], [first, 350, 700 - first], atol=0.5)
    sixteen = fit(volume, Image(size=8, n_slices=16, fit="stretch"))[:, 0, 0]
    assert sixteen[[0, 1, 2, -1]].tolist() == [0, 25, 75, 700]
    assert np.array_equal(fit(volume, Image(size=8, n_slices=8, fit="stretch"))[:, 0, 0], volume[:, 0, 0])


def test_pixels_that_are_not_square_keep_the_proportions_of_the_patient() -> None:
    """A square of 20 × 20 mm stays a square, whatever its pixels."""
    pixels = np.zeros((20, 40), np.uint8)
    pixels[5:15, 10:30] = 200  # rows 2 mm apart, columns 1 mm: 20 × 20 mm
    fitted = fit(pixels, Image(size=40), aspect=2.0)[0]
    rows, columns = np.nonzero(fitted > 100)
    assert np.ptp(rows) == np.ptp(columns) == 19
