"""The names of timm's networks, without the seconds that its import takes."""

import difflib
import re
from functools import cache
from importlib.util import find_spec
from pathlib import Path

REGISTERED = re.compile(r"^@register_model\s*\ndef (\w+)\(", re.MULTILINE)


@cache
def timm_names() -> frozenset[str]:
    """Return the name of every network of the installed timm, as its source files register them."""
    package = find_spec("timm")
    folders = package.submodule_search_locations if package else None
    files = Path(next(iter(folders)), "models").glob("*.py") if folders else ()
    return frozenset(name for file in files for name in REGISTERED.findall(file.read_text(encoding="utf-8")))


def unknown_to_timm(name: str) -> str:
    """Say what is wrong with a name, and which one is nearest; nothing where timm has a network of that name."""
    if name in timm_names():
        return ""
    close = difflib.get_close_matches(name.lower(), sorted(timm_names()), n=1, cutoff=0.5)
    nearest = f"Did you mean “timm:{close[0]}”?" if close else "Its documentation lists them."
    return f"timm has no network “{name}”. {nearest}"
