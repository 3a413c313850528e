"""Quality: planted faults are told, sound images are left alone."""

import math
import warnings
from collections.abc import Callable
from dataclasses import astuple
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PillowImage
from PIL import ImageDraw
from scipy.ndimage import gaussian_filter

from films import Film, as_jpeg, draw_films
from lucency.data.codes import EXPLANATIONS
from lucency.data.looks.contact_sheet import choose, thumbnail
from lucency.data.looks.fingerprint import fingerprint
from lucency.data.looks.odd_kinds import odd_kinds
from lucency.data.looks.quality import assess, judge
from lucency.domain.data_plan import Quality

FILMS = draw_films(20, seed=41, size=160)
NOTED = Quality()


def notes(image: np.ndarray, modality: str = "DX") -> tuple[str, ...]:
    judgement = judge(assess(image), NOTED, modality)
    assert not judgement.refusal
    return judgement.notes


def in_bytes(levels: np.ndarray) -> Film:
    return np.clip(np.rint(levels), 0, 255).astype(np.uint8)


def blurred(film: Film) -> Film:
    return in_bytes(gaussian_filter(film.astype(float), 2))


def noisy(film: Film) -> Film:
    return in_bytes(film + np.random.default_rng(1).normal(0, 20, film.shape))


def overexposed(film: Film) -> Film:
    return in_bytes(film * (255 / np.quantile(film, 0.9)))


def on_a_screen(film: Film) -> Film:
    """Put a film below and beside the bars of a window."""
    screen = PillowImage.new("L", (film.shape[1] + 30, film.shape[0] + 30), 180)
    screen.paste(PillowImage.fromarray(film), (30, 30))
    ImageDraw.Draw(screen).text((4, 4), "File  Edit  View", fill=0)
    return np.asarray(screen)


def in_a_coloured_window(film: Film) -> np.ndarray:
    screen = PillowImage.new("RGB", (film.shape[1], film.shape[0] + 24), (40, 90, 160))
    screen.paste(PillowImage.fromarray(film).convert("RGB"), (0, 24))
    return np.asarray(screen)


FAULTS: dict[str, tuple[str, Callable[[Film], np.ndarray]]] = {
    "blurred": ("N_BLURRED", blurred),
    "noisy": ("N_NOISY", noisy),
    "overexposed": ("N_CLIPPED", overexposed),
    "on a screen": ("N_SCREENSHOT", on_a_screen),
    "on a screen, compressed": ("N_SCREENSHOT", lambda film: as_jpeg(on_a_screen(film), 85)),
    "in a coloured window": ("N_SCREENSHOT", in_a_coloured_window),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_noted(fault: str) -> None:
    """On every one of twenty films, and no other fault with it."""
    code, damage = FAULTS[fault]
    assert [notes(damage(film)) for film in FILMS] == [(code,)] * len(FILMS)


def test_sound_films_are_left_alone() -> None:
    """Also dark, compressed, with 16 bits, small, or with much collimation."""
    for film in FILMS:
        collimated = np.zeros((400, 400), np.uint8)
        collimated[70:230, 60 : 60 + film.shape[1]] = film
        for image in (film, film // 2, as_jpeg(film, 75), film.astype(np.uint16) * 257, film[::4, ::4], collimated):
            assert notes(image) == ()


def test_blur_and_noise_are_measured_at_one_size() -> None:
    """A detector with more pixels does not make an image blurred."""
    for film in FILMS[:5]:
        picture = PillowImage.fromarray(film)
        small, large = (
            assess(np.asarray(picture.resize((side, side), PillowImage.Resampling.BICUBIC))) for side in (512, 1536)
        )
        assert abs(large.blur - small.blur) < 0.02
        assert abs(large.noise - small.noise) < 0.002


def test_blank_and_tiny_images_are_refused() -> None:
    """They are of no use to any study."""
    assert judge(assess(np.full((40, 40), 90, np.uint8)), NOTED).refusal == "E_BLANK"
    assert judge(assess(np.full((40, 40), 90, np.uint16)), NOTED).refusal == "E_BLANK"
    assert judge(assess(FILMS[0][:15, :40]), NOTED).refusal == "E_TINY"
    assert judge(assess(FILMS[0][:15, :40]), Quality(smallest_side=15)).refusal == ""
    for shape in ((1, 1), (1, 9), (9, 1), (2, 3)):
        assert judge(assess(np.arange(np.prod(shape), dtype=np.uint8).reshape(shape) * 20), NOTED).refusal


def test_what_the_plan_refuses_is_refused_and_the_rest_noted() -> None:
    """The choice is the researcher's."""
    both = assess(noisy(overexposed(FILMS[0])))
    assert judge(both, NOTED).notes == ("N_CLIPPED", "N_NOISY")
    strict = judge(both, Quality(refuse=("noisy",)))
    assert (strict.refusal, strict.notes) == ("E_NOISY", ("N_CLIPPED",))
    faults = ("clipped", "blurred", "noisy", "screenshot", "odd_modality", "tiny")
    assert {f"E_{name.upper()}" for name in faults} <= EXPLANATIONS.keys()
    assert {f"N_{name.upper()}" for name in faults[:-1]} <= EXPLANATIONS.keys()


def test_ct_is_not_called_clipped() -> None:
    """Bone is white and air is black in its windows, on purpose."""
    assert notes(overexposed(FILMS[0]), "CT") == ()


def test_another_modality_is_told_by_the_header() -> None:
    """A single ultrasound among radiographs; CR and DX are one kind, and half and half is no mistake."""
    shapes, looks = [FILMS[0].shape] * 20, [fingerprint(FILMS[0])] * 20
    assert odd_kinds(["DX"] * 12 + ["US"] + ["CR"] * 7, shapes, looks) == [12]
    assert odd_kinds(["CT"] * 10 + ["MR"] * 10, shapes, looks) == []
    assert odd_kinds([""] * 20, shapes, looks) == []


@pytest.mark.real
def test_another_kind_is_told_by_its_look(real_data: Path) -> None:
    """Twenty ultrasound images among 300 chest radiographs without headers; no radiograph is blamed."""
    radiographs = sorted((real_data / "kermany_cxr224" / "train").rglob("*.jpeg"))[::17][:300]
    ultrasound = sorted((real_data / "busi_gray256" / "images").glob("*.png"))[::29][:20]
    images = [np.asarray(PillowImage.open(file).convert("L")) for file in (*radiographs, *ultrasound)]
    odd = odd_kinds([""] * 320, [image.shape for image in images], [fingerprint(image) for image in images])
    assert odd == list(range(300, 320))


@pytest.mark.real
@pytest.mark.parametrize(
    ("images", "ending"),
    [("kermany_cxr224/train", "*.jpeg"), ("busi_gray256/images", "*.png"), ("covid_cxr_open512/images", "*")],
)
def test_real_images_are_rarely_blamed(real_data: Path, images: str, ending: str) -> None:
    """At most one in a hundred is noted."""
    files = [file for file in sorted((real_data / images).rglob(ending)) if file.is_file()]
    files = files[:: max(1, len(files) // 400)]
    blamed = [file for file in files if notes(np.asarray(PillowImage.open(file).convert("L")))]
    assert len(blamed) <= 0.01 * len(files)


def test_the_contact_sheet_shows_every_code() -> None:
    """However rare; and small pictures of what was seen."""
    codes = [["N_NOISY"]] * 30 + [[]] * 5 + [["E_BLANK"], ["N_NOISY", "N_CLIPPED"]]
    assert choose(codes, n_each=2) == [0, 1, 35, 36]
    assert thumbnail(np.full((1000, 500), 65535, np.uint16)).shape == (160, 80)
    assert thumbnail(np.full((30, 20, 3), 9, np.uint8)).tolist() == np.full((30, 20, 3), 9).tolist()


@pytest.mark.parametrize("shape", [(1, 1), (1, 500), (500, 1), (2, 500), (3, 700), (8, 8), (16, 4000, 3)])
def test_slivers_are_measured_too(shape):
    """Whatever lies in a folder gets numbers, and none that is no number."""
    pixels = np.random.default_rng(0).integers(0, 255, shape, np.uint8)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        measured = assess(pixels)
    assert all(math.isfinite(value) for value in astuple(measured))
