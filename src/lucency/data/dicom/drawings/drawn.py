"""What became of a file that something was drawn in."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from lucency.data.reading import RefusedImage
from lucency.domain.masks import Mask


@dataclass(frozen=True)
class Drawn:
    """The masks of one file, or the reason why there are none."""

    masks: tuple[Mask, ...]
    """On the grid of the image; one for each structure of the file, empty ones too."""
    code: str = ""
    """Why the file was refused (E_…); there are no masks then."""
    notes: tuple[str, ...] = ()
    """What was repaired or should be known (N_…)."""


def outcome_of(read: Callable[[list[str]], tuple[Mask, ...]]) -> Drawn:
    """Run a reader that adds to a list of notes; whatever is wrong with its file becomes a code."""
    notes: list[str] = []
    try:
        masks = read(notes)
    except RefusedImage as reason:
        return Drawn((), reason.code)
    except MemoryError:
        return Drawn((), "E_SIZEBOMB")
    except Exception:  # a parser can raise anything on a damaged file
        return Drawn((), "E_UNREADABLE")
    return Drawn(masks, notes=tuple(dict.fromkeys(notes)))


def numbered(names: Iterable[str]) -> Iterator[int]:
    """Count the masks of each name from 1, in their order."""
    seen = Counter[str]()
    for name in names:
        seen[name] += 1
        yield seen[name]
