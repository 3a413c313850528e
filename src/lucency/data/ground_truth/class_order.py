"""Which of two classes is the disease."""

from collections.abc import Collection, Sequence

NEGATIVE_NAMES = {
    *("0", "0.0", "no", "none", "normal", "negative", "control", "healthy", "benign", "absent", "false", "no_finding"),
    *("nein", "ohne", "gesund", "unauffällig", "negativ", "normale", "négatif", "sain", "sano", "negativo"),
}
"""What the class without disease is usually called."""


def in_order(classes: Collection[str], positive: str | None = None) -> tuple[str, ...]:
    """Order classes by name, but of two put the one that means disease last: `positive`, or the likely one."""
    names = sorted(classes)
    if len(names) != 2:
        return tuple(names)
    disease = positive or _likely_positive(names)
    return tuple(sorted(names, key=lambda name: name == disease))


def healthy(names: Sequence[str]) -> list[str]:
    """Return those of the classes that are called as the class without disease usually is."""
    return [name for name in names if name.lower() in NEGATIVE_NAMES or name.lower().startswith(("no_", "no ", "non"))]


def _likely_positive(names: Sequence[str]) -> str:
    """Take the one that is not called healthy; if that does not tell, the last by name."""
    without_disease = healthy(names)
    return next(name for name in names if name not in without_disease) if len(without_disease) == 1 else names[-1]
