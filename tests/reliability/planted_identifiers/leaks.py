"""Look for planted identifiers in what a cleaner left behind: 0 is the aim, and the input itself must show all of them."""

import base64
import warnings
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from pydicom.dataset import Dataset
from pydicom.pixels import pixel_array

from .folder import SHORTEST_FORM, Folder, Person, Picture, Planted, read_day
from .outputs import Output, pair_up

WINDOW = SHORTEST_FORM
"""Forms are found by their first bytes; shorter ones are looked for one by one in what became of their own file."""
LENGTH_OF_DATE, LENGTH_OF_CLOCK = 8, 13
ALL_LETTERS, FEW_OTHERS = 0.999, 0.02
"""Share of the letters' pixels that must change, and of the other pixels that may."""


@dataclass(frozen=True)
class Leak:
    """One identifier that came through."""

    planted: Planted
    output: str
    """Name of the output."""
    where: str

    def __str__(self) -> str:
        """Say what came through, from where to where."""
        return f"{self.planted.group}: {self.planted.place} of {self.planted.file} is in {self.output} ({self.where})"


def find_leaks(folder: Folder, outputs: list[Output]) -> list[Leak]:
    """Return one leak for each planted identifier that an output shows."""
    calendar = Calendar(folder, outputs)
    leaks: dict[int, Leak] = {}
    for i, leak in (*_find_written(folder.planted, outputs, calendar), *_find_drawn(folder, outputs)):
        leaks.setdefault(i, leak)
    return [leaks[i] for i in sorted(leaks)]


class Calendar:
    """The days of each patient, and by how much a cleaner moved them.

    A date of the input may stand in an output without having leaked: where another date of the same patient has been
    moved onto it.
    """

    def __init__(self, folder: Folder, outputs: list[Output]) -> None:
        self._days: dict[str, set[date]] = defaultdict(set)
        for person in folder.persons:
            self._days[person.number] = {person.birth, *(exam.day for exam in person.exams)}
        owners = {origin.file: origin.person.number for origin in folder.inputs.values()}
        for planted in folder.planted:
            if planted.day and planted.file in owners:
                self._days[owners[planted.file]].add(planted.day)
        self.moved_by: dict[str, timedelta] = {}
        for output in outputs:
            origin, day = output.origin, read_day(output.dataset, "StudyDate")
            if origin and origin.study_day and day:
                self.moved_by.setdefault(origin.person.number, day - origin.study_day)

    def explains(self, day: date, person: Person | None) -> bool:
        """Say whether a day is that of another event of the patient (of any, if it is not known whose), moved."""
        numbers = [person.number] if person else list(self.moved_by)
        moves = [(self.moved_by[number], self._days[number]) for number in numbers if number in self.moved_by]
        return any(move and day - move in days for move, days in moves)


def needles(planted: Planted) -> Iterator[bytes]:
    """Yield all byte strings, in small letters, that would give an identifier away."""
    for form in planted.forms:
        if isinstance(form, bytes):
            yield form.lower()
            continue
        for encoding in ("utf-8", "utf-16-le", "utf-16-be", *planted.encodings):
            yield form.encode(encoding).lower()
        plain = form.encode()
        yield plain[::-1].lower()
        if planted.is_short:
            continue
        yield _swap_pairs(plain).lower()
        for shift in (0, 1, 2):
            coded = base64.b64encode(bytes(shift) + plain)
            yield coded[-(-shift * 8 // 6) : len(coded) - 4].lower()
        yield plain.hex().encode()


def _swap_pairs(content: bytes) -> bytes:
    even = content[: len(content) // 2 * 2]
    return np.frombuffer(even, "<u2").byteswap().tobytes()


def _find_written(planted: list[Planted], outputs: list[Output], calendar: Calendar) -> Iterator[tuple[int, Leak]]:
    by_window: dict[int, list[tuple[bytes, int]]] = defaultdict(list)
    short: dict[str, list[tuple[bytes, int]]] = defaultdict(list)
    for i, one in enumerate(planted):
        for needle in set(needles(one)):
            if one.is_short:
                short[one.file].append((needle, i))
            elif len(needle) >= WINDOW:
                by_window[int.from_bytes(needle[:WINDOW], "little")].append((needle, i))
    wanted = np.fromiter(by_window, np.uint64, len(by_window))
    wanted.sort()
    for output in outputs:
        own = short[output.origin.file] if output.origin else []
        for where, view in output.views:
            small = view.lower()
            for begin in _find_windows(small, wanted):
                for needle, i in by_window[int.from_bytes(small[begin : begin + WINDOW], "little")]:
                    if small.startswith(needle, begin) and _is_proof(
                        planted[i], needle, small, begin, output, calendar
                    ):
                        yield i, Leak(planted[i], output.name, where)
            for needle, i in own:
                if needle in small and where != "its name":
                    yield i, Leak(planted[i], output.name, where)


def _find_windows(content: bytes, wanted: np.ndarray) -> Iterable[int]:
    """Return the places at which one of the wanted windows begins."""
    letters = np.frombuffer(content, np.uint8).astype(np.uint64)
    n = len(letters) - WINDOW + 1
    if n <= 0:
        return ()
    windows = np.zeros(n, np.uint64)
    for i in range(WINDOW):
        windows |= letters[i : i + n] << np.uint64(8 * i)
    places = np.searchsorted(wanted, windows)
    places[places == len(wanted)] = 0
    return np.flatnonzero(wanted[places] == windows).tolist()


def _is_proof(planted: Planted, needle: bytes, content: bytes, begin: int, output: Output, calendar: Calendar) -> bool:
    """Say whether a match cannot be anything else: a date must not be a piece of a long number, nor another date moved."""
    if planted.day is None or _is_clock(needle):
        return True
    if needle.isdigit() and len(needle) == LENGTH_OF_DATE and _is_within_number(content, begin):
        return False
    return not calendar.explains(planted.day, output.origin.person if output.origin else None)


def _is_clock(needle: bytes) -> bool:
    return len(needle) == LENGTH_OF_CLOCK and needle[6:7] == b"."


def _is_within_number(content: bytes, begin: int) -> bool:
    """Say whether digits at a place belong to a number longer than a date with its time of the day."""
    end = begin
    while content[end : end + 1].isdigit():
        end += 1
    return content[max(begin - 1, 0) : begin].isdigit() or end - begin > LENGTH_OF_DATE + 6


def _find_drawn(folder: Folder, outputs: list[Output]) -> Iterator[tuple[int, Leak]]:
    pairs = pair_up(folder, outputs)
    for i, planted in enumerate(folder.planted):
        pair = pairs.get(planted.file)
        if planted.picture and pair and _shows(planted.picture, pair.before, pair.after):
            yield i, Leak(planted, pair.output.name, planted.picture.plane)


def _shows(picture: Picture, original: Dataset, cleaned: Dataset) -> bool:
    if picture.plane == "pixels":
        return share_changed(picture, original, cleaned)[0] < ALL_LETTERS
    if picture.plane == "overlay":
        return _still_drawn(picture, _overlay(cleaned, picture))
    if picture.plane == "icon":
        icons = cleaned.get("IconImageSequence") or []
        return any(_still_drawn(picture, _icon(icon) > 200) for icon in icons)
    stored = pixels_of(cleaned, as_stored=True).view(np.uint16)
    return bool((stored >> cleaned.BitsStored).any())


def _still_drawn(picture: Picture, plane: np.ndarray) -> bool:
    """Say whether at least half of the letters stand in a plane, and little else."""
    if plane.shape != picture.letters.shape:
        return bool(plane.any())
    return bool(plane[picture.letters].mean() >= 0.5 > plane[~picture.letters].mean())


def _overlay(dataset: Dataset, picture: Picture) -> np.ndarray:
    planes = [element.value for element in dataset if element.tag.group >> 8 == 0x60 and element.tag.element == 0x3000]
    bits = [np.unpackbits(np.frombuffer(plane, "u1"), bitorder="little") for plane in planes]
    n_bits = picture.letters.size
    return (
        np.any([plane[:n_bits].reshape(picture.letters.shape) for plane in bits], axis=0)
        if bits
        else np.zeros((1, 1), bool)
    )


def _icon(icon: Dataset) -> np.ndarray:
    return np.frombuffer(icon.PixelData, "u1")[: icon.Rows * icon.Columns].reshape(icon.Rows, icon.Columns)


def share_changed(picture: Picture, original: Dataset, cleaned: Dataset) -> tuple[float, float]:
    """Return which share of the letters' pixels changed, and which share of the pixels well outside of them.

    A box around the letters that holds one value has nothing to read in it, whatever the value.
    """
    before, after = (pixels_of(dataset, picture.frame) for dataset in (original, cleaned))
    if before.shape != after.shape:
        return 0.0, 1.0
    is_changed = np.abs(before.astype(int) - after.astype(int)) > 0
    after = after if after.ndim == 3 else after[..., None]
    is_changed = is_changed if is_changed.ndim == 2 else is_changed.any(-1)
    rows, columns = np.flatnonzero(picture.letters.any(1)), np.flatnonzero(picture.letters.any(0))
    around = after[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    margin = picture.letter_height_px
    others = np.ones_like(picture.letters)
    others[max(0, rows[0] - margin) : rows[-1] + 1 + margin, max(0, columns[0] - margin) : columns[-1] + 1 + margin] = (
        False
    )
    share_of_letters = 1.0 if (around == around[0, 0]).all() else float(is_changed[picture.letters].mean())
    return share_of_letters, float(is_changed[others].mean()) if others.any() else 0.0


def pixels_of(dataset: Dataset, frame: int = 0, as_stored: bool = False) -> np.ndarray:
    """Decode a frame: as RGB where it has colours, or exactly as stored, unused bits included."""
    if as_stored and not dataset.file_meta.TransferSyntaxUID.is_encapsulated:
        stored = np.frombuffer(dataset.PixelData, f"<u{dataset.BitsAllocated // 8}")
        return stored[: dataset.Rows * dataset.Columns].reshape(dataset.Rows, dataset.Columns)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        index = frame if int(dataset.get("NumberOfFrames", 1) or 1) > 1 else None
        return np.asarray(pixel_array(dataset, index=index, raw=as_stored))
