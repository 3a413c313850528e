"""The decoded-once store: every kept image at the plan's size in one memory-mapped array.

`images.bin` is the plain array, axes (image, channel, row, column); `store.json` gives its type and shape. Images of
8 bits stay uint8; as soon as one has more, all are uint16 (an 8-bit level v becomes 257 v, which is exact).
"""

import json
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lucency.data.geometry.placement import place
from lucency.domain.data_plan import Image
from lucency.provenance import storage_errors, write_atomically

IMAGES = "images.bin"
HEADER = "store.json"


@dataclass(frozen=True)
class Store:
    """The decoded images of a cohort."""

    images: NDArray
    """uint8 or uint16, axes (image, channel, row, column); 0 is black, the largest value of the type is white."""

    @property
    def white(self) -> int:
        """The grey level that means white."""
        return int(np.iinfo(self.images.dtype).max)


def open_store(folder: Path) -> Store:
    """Map a finished store into memory."""
    header = json.loads((folder / HEADER).read_text())
    # copy-on-write, so that torch may wrap the array without a warning and nothing can reach the file
    return Store(np.memmap(folder / IMAGES, header["dtype"], mode="c", shape=tuple(header["shape"])))


class StoreWriter:
    """Appends images to a store, and can go on where a crash stopped it."""

    def __init__(self, folder: Path, image: Image, n_done: int, dtype: str) -> None:
        self.folder = folder
        self.shape = (image.n_channels, *image.shape)
        self.dtype = np.dtype(dtype)
        self.n_images = n_done
        self._path = folder / IMAGES
        with storage_errors(self._path):
            folder.mkdir(parents=True, exist_ok=True)
            self._path.touch()
            os.truncate(self._path, n_done * self._bytes_per_image)
            self._file = self._path.open("ab")

    @property
    def _bytes_per_image(self) -> int:
        return int(np.prod(self.shape)) * self.dtype.itemsize

    def append(self, pixels: NDArray) -> int:
        """Add one image with axes (channel, row, column); return its row in the store."""
        with storage_errors(self._path):
            if pixels.dtype.itemsize > self.dtype.itemsize:
                self._widen(pixels.dtype)
            elif pixels.dtype.itemsize < self.dtype.itemsize:
                pixels = pixels.astype(self.dtype) * self.dtype.type(257)
            self._file.write(pixels.tobytes())
        self.n_images += 1
        return self.n_images - 1

    def flush(self) -> None:
        """Hand everything to the operating system."""
        with storage_errors(self._path):
            self._file.flush()

    def finish(self) -> None:
        """Close the store and write its header."""
        with storage_errors(self._path):
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
        shape = [self.n_images, *self.shape]
        write_atomically(self.folder / HEADER, json.dumps({"dtype": str(self.dtype), "shape": shape}) + "\n")

    def _widen(self, dtype: np.dtype) -> None:
        """Rewrite the images so far with 16 bits."""
        self._file.close()
        narrow = np.fromfile(self._path, self.dtype)
        self.dtype = dtype
        write_atomically(self._path, (narrow.astype(dtype) * dtype.type(257)).tobytes())
        self._file = self._path.open("ab")


def fit(pixels: NDArray, image: Image, aspect: float = 1.0) -> NDArray:
    """Bring one image to the plan's shape: axes (row, column[, colour]) in, (channel, row, column) out.

    Of a volume, axes (slice, row, column), the slices become the channels. `aspect` is the distance between rows over
    that between columns; `pad` and `crop` keep the proportions of the patient, not those of the pixels.
    """
    planes = _slices(pixels, image.n_slices) if image.n_slices else _as_planes(pixels, image.n_channels)
    if planes.shape[1:] != image.shape or aspect != 1:
        placement = place((planes.shape[1], planes.shape[2]), image, aspect)
        planes = np.stack([placement.picture(plane) for plane in planes])
    return np.ascontiguousarray(planes)


def _slices(volume: NDArray, n_slices: int) -> NDArray:
    """Cut a volume into slabs of equal thickness and take what lies in the middle of each, between two slices if need be.

    Fewer slices than the volume has are means over their slabs, so that nothing between them is lost.
    """
    if len(volume) == n_slices:
        return volume
    values = volume.astype(np.float32)
    if len(volume) > n_slices:
        edges = np.linspace(0, len(volume), n_slices + 1)
        sums = np.concatenate([np.zeros_like(values[:1], np.float64), np.cumsum(values, axis=0, dtype=np.float64)])
        whole = np.minimum(edges.astype(int), len(volume) - 1)
        until = sums[whole] + (edges - whole)[:, None, None] * values[whole]
        values = np.diff(until, axis=0) / np.diff(edges)[:, None, None]
    else:
        middles = np.clip((np.arange(n_slices) + 0.5) * len(volume) / n_slices - 0.5, 0, len(volume) - 1)
        below = np.minimum(middles.astype(int), max(len(volume) - 2, 0))
        share = (middles - below)[:, None, None].astype(np.float32)
        values = values[below] * (1 - share) + values[np.minimum(below + 1, len(volume) - 1)] * share
    return np.rint(values).astype(volume.dtype)


def _as_planes(pixels: NDArray, n_channels: int) -> NDArray:
    if pixels.ndim == 2:
        return np.repeat(pixels[None], n_channels, axis=0)
    if n_channels == 3:
        return np.moveaxis(pixels, -1, 0)
    luma = pixels.astype(np.float64) @ np.array([0.299, 0.587, 0.114])  # ITU-R BT.601
    return np.rint(luma).astype(pixels.dtype)[None]
