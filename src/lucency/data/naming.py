"""How tables and patterns know the images, where de-identification has given everything a new name."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field


def _as_it_is(name: str) -> str:
    return name


@dataclass(frozen=True)
class Naming:
    """The way from old names to new ones, in memory only; a study whose images keep their names needs none."""

    original_paths: Mapping[str, str] = field(default_factory=dict)
    """New path below the image folder → the path that tables and patterns know."""
    new_uid: Callable[[str], str] = _as_it_is
    """Gives the new UID for the one that a table names."""
    new_patient: Callable[[str], str] = _as_it_is
    """Gives the new Patient ID for the one that a table names."""

    def path(self, source: str) -> str:
        """Return the path by which tables and patterns know an image."""
        return self.original_paths.get(source, source)


SAME_NAMES = Naming()
"""Nothing was renamed."""
