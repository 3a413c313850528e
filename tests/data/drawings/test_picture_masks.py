"""Masks as pictures: every way in which tools write them, and those that must not be believed."""

import io

import numpy as np
import pytest
from made_up import shape_mask, write_png
from PIL import Image

from lucency.data.ground_truth.drawings.marks import Legend
from lucency.data.ground_truth.drawings.pictures import read_picture, write_picture
from lucency.data.reading import RefusedImage
from lucency.domain.masks import ImageGrid

TRUTH = shape_mask()
GRID = ImageGrid((1, *TRUTH.shape))
LABELS = np.where(TRUTH, 1, 0).astype(np.uint8)
LABELS[TRUTH & (np.arange(56) > 30)] = 3
NAMES = {"1": "anterior", "3": "posterior"}


def colours_of(labels):
    picture = np.zeros((*labels.shape, 3), np.uint8)
    picture[labels == 1] = (255, 0, 0)
    picture[labels == 3] = (0, 128, 255)
    return picture


def palette(values, colours=((0, 0, 0), (255, 0, 0), (9, 9, 9), (0, 128, 255))):
    image = Image.fromarray(values, "P") if values.dtype == np.uint8 else Image.fromarray(values)
    image.putpalette([level for colour in colours for level in colour])
    return image


def alpha(values):
    picture = np.zeros((*values.shape, 4), np.uint8)
    picture[..., 3] = values
    return picture


BINARY = {
    "0-255.png": TRUTH.astype(np.uint8) * 255,
    "0-1.png": TRUTH.astype(np.uint8),
    "0-7.bmp": TRUTH.astype(np.uint8) * 7,
    "16-bit.png": TRUTH.astype(np.uint16) * 65535,
    "16-bit-1.tif": TRUTH.astype(np.uint16),
    "float.tif": TRUTH.astype(np.float32),
    "one-bit.png": TRUTH,
    "one-bit.tif": TRUTH,
    "grey-in-colour.png": np.repeat(TRUTH[..., None].astype(np.uint8) * 255, 3, axis=2),
    "one-colour.png": colours_of(TRUTH * np.uint8(1)),
    "black-in-alpha.png": alpha(TRUTH.astype(np.uint8) * 255),
    "white-on-nothing.png": np.dstack([np.full((*TRUTH.shape, 3), 255, np.uint8), TRUTH.astype(np.uint8) * 255]),
    "opaque.png": np.dstack(
        [np.repeat(TRUTH[..., None].astype(np.uint8) * 255, 3, 2), np.full(TRUTH.shape, 255, "u1")]
    ),
}


@pytest.mark.parametrize("name", BINARY)
def test_one_structure_is_read_however_it_is_stored(name, tmp_path):
    """Tools write foreground as 1, 255, 65,535, a colour or an opacity; all of them mean the same."""
    marks = read_picture(write_png(tmp_path / name, BINARY[name]), GRID, Legend("tumour"))
    assert [mask.name for mask in marks.masks] == ["tumour"]
    assert (marks.masks[0].voxels[0] == TRUTH).all()
    assert not marks.notes


@pytest.mark.parametrize("kind", ["grey", "palette", "colour", "tiff"])
def test_labels_get_the_names_that_were_given_to_them(kind, tmp_path):
    """Two structures in one file stay two."""
    legend, path = Legend(names=NAMES), tmp_path / "mask.png"
    if kind == "palette":
        palette(LABELS).save(path)
    elif kind == "colour":
        legend = Legend(names={"#ff0000": "anterior", "#0080FF": "posterior"})
        write_png(path, colours_of(LABELS))
    else:
        path = write_png(tmp_path / ("mask.tif" if kind == "tiff" else "mask.png"), LABELS)
    found = {mask.name: mask.voxels[0] for mask in read_picture(path, GRID, legend).masks}
    assert set(found) == {"anterior", "posterior"}
    assert (found["anterior"] == (LABELS == 1)).all()
    assert (found["posterior"] == (LABELS == 3)).all()


def test_small_whole_numbers_are_labels_even_without_names(tmp_path):
    """They cannot be grey levels; they get numbers for names."""
    marks = read_picture(write_png(tmp_path / "m.png", LABELS), GRID, Legend())
    assert [mask.name for mask in marks.masks] == ["label 1", "label 3"]


def test_an_empty_mask_says_that_nothing_is_there(tmp_path):
    """Somebody looked: this is an answer, and another one than no file."""
    marks = read_picture(write_png(tmp_path / "m.png", np.zeros(TRUTH.shape, np.uint8)), GRID, Legend("tumour"))
    assert [(mask.name, mask.voxels.any()) for mask in marks.masks] == [("tumour", False)]
    named = read_picture(tmp_path / "m.png", GRID, Legend(names=NAMES))
    assert [mask.voxels.any() for mask in named.masks] == [False, False]


def test_a_palette_that_only_saves_room_is_read_by_its_colours(tmp_path):
    """Some programs store black and white as colours 1 and 0 of a palette."""
    palette((~TRUTH).astype(np.uint8), ((255, 255, 255), (0, 0, 0))).save(tmp_path / "m.png")
    assert (read_picture(tmp_path / "m.png", GRID, Legend()).masks[0].voxels[0] == TRUTH).all()


def blurred():
    small = Image.fromarray(TRUTH.astype(np.uint8) * 255).resize((28, 20), Image.Resampling.BILINEAR)
    return np.asarray(small.resize((56, 40), Image.Resampling.BILINEAR))


def test_soft_edges_are_cut_only_where_the_plan_says_at_which_level(tmp_path):
    """A mask that was resized or saved as JPEG has no edge that could be known without asking."""
    path = write_png(tmp_path / "m.png", blurred())
    jpeg = write_png(tmp_path / "m.jpg", TRUTH.astype(np.uint8) * 255)
    for file, code in ((path, "E_MASK_VALUES"), (jpeg, "E_MASK_LOSSY")):
        with pytest.raises(RefusedImage, match=code):
            read_picture(file, GRID, Legend())
    cut = read_picture(path, GRID, Legend(threshold=0.5))
    assert cut.notes == ("N_MASK_THRESHOLD",)
    assert (cut.masks[0].voxels[0] == (blurred() >= 127.5)).all()
    assert (read_picture(jpeg, GRID, Legend(threshold=0.5)).masks[0].voxels[0] == TRUTH).mean() > 0.999


def test_pages_are_slices_of_an_image_without_geometry(tmp_path):
    """A multi-page TIFF belongs to a multi-page image; a volume that knows its place needs a mask that does."""
    pages = [Image.fromarray((np.roll(TRUTH, k, 1) * 255).astype(np.uint8)) for k in range(3)]
    pages[0].save(tmp_path / "m.tif", save_all=True, append_images=pages[1:])
    marks = read_picture(tmp_path / "m.tif", ImageGrid((3, *TRUTH.shape)), Legend())
    assert marks.notes == ("N_MASK_UNPLACED",)
    assert all((marks.masks[0].voxels[k] == np.roll(TRUTH, k, 1)).all() for k in range(3))
    with pytest.raises(RefusedImage, match="E_MASK_PLACE"):
        read_picture(tmp_path / "m.tif", ImageGrid((3, *TRUTH.shape), np.eye(4)), Legend())


def whole_file():
    buffer = io.BytesIO()
    Image.fromarray(TRUTH.astype(np.uint8) * 255).save(buffer, "PNG")
    return buffer.getvalue()


def huge_claim():
    """Return a PNG whose header claims 60,000 by 60,000 pixels, with a right checksum."""
    import struct
    import zlib

    header = b"IHDR" + struct.pack(">IIBBBBB", 60000, 60000, 8, 0, 0, 0, 0)
    content = whole_file()
    return content[:8] + struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header)) + content[33:]


BAD = {
    "other size": (np.zeros((40, 55), np.uint8), {}, "E_MASK_SIZE"),
    "turned": (TRUTH.T.astype(np.uint8), {}, "E_MASK_SIZE"),
    "a level without a name": (LABELS, {"names": {"1": "anterior"}}, "E_MASK_VALUES"),
    "a colour without a name": (colours_of(LABELS), {"names": {"#ff0000": "anterior"}}, "E_MASK_VALUES"),
    "two colours and no names": (colours_of(LABELS), {}, "E_MASK_VALUES"),
    "grey levels": ((LABELS * 85), {}, "E_MASK_VALUES"),
    "negative": (TRUTH.astype(np.float32) * -1, {}, "E_MASK_VALUES"),
    "no numbers": (np.where(TRUTH, np.nan, 0).astype(np.float32), {}, "E_MASK_VALUES"),
    "half see-through": (np.dstack([np.full((40, 56, 3), 200, np.uint8), blurred()]), {}, "E_MASK_VALUES"),
    "empty file": (b"", {}, "E_EMPTY_FILE"),
    "cut short": (whole_file()[:-40], {}, "E_TRUNCATED"),
    "text": (b"this is no picture", {}, "E_UNREADABLE"),
    "huge claim": (huge_claim(), {}, "E_SIZEBOMB"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_does_not_fit_is_refused(name, tmp_path):
    """A mask is never resized, and a level never guessed."""
    content, legend, code = BAD[name]
    path = tmp_path / ("m.tif" if isinstance(content, np.ndarray) and content.dtype == np.float32 else "m.png")
    path.write_bytes(content) if isinstance(content, bytes) else write_png(path, content)
    with pytest.raises(RefusedImage, match=code):
        read_picture(path, GRID, Legend(**legend))


@pytest.mark.parametrize("labels", [TRUTH, LABELS], ids=["binary", "labels"])
def test_what_is_written_is_read_again(labels, tmp_path):
    """Exporting and reading must not move a pixel."""
    write_picture(tmp_path / "m.png", labels)
    legend = Legend() if labels.dtype == bool else Legend(names=NAMES)
    masks = read_picture(tmp_path / "m.png", GRID, legend).masks
    for mask, level in zip(masks, (1, 3), strict=False):
        assert (mask.voxels[0] == (labels == level)).all()
