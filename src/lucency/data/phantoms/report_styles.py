"""The look of the made-up reports: five houses' templates, wrapped lines, capitals, and typing errors."""

import textwrap
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Sections:
    """What was dictated, before it is laid out."""

    indication: str
    technique: str
    comparison: str
    findings: tuple[str, ...]
    impression: tuple[str, ...]


Layout = Callable[[Sections], str]


def prose(sections: Sections) -> str:
    """Write every section as a paragraph."""
    return (
        f"INDICATION: {sections.indication}\n\nTECHNIQUE: {sections.technique}\n\nCOMPARISON: {sections.comparison}\n\n"
        f"FINDINGS: {' '.join(sections.findings)}\n\nIMPRESSION: {' '.join(sections.impression)}\n"
    )


def wrapped(sections: Sections) -> str:
    """Break the lines of a prose report at 60 characters and indent them, as old systems print."""
    wrapper = textwrap.TextWrapper(60, initial_indent=" ", subsequent_indent=" ", break_on_hyphens=False)
    return "\n\n".join(map(wrapper.fill, prose(sections).strip().split("\n\n"))) + "\n"


def numbered(sections: Sections) -> str:
    """Put a bullet before every finding and number the impression."""
    findings = "\n".join(f"- {sentence}" for sentence in sections.findings)
    impression = "\n".join(f"{i}. {sentence}" for i, sentence in enumerate(sections.impression, start=1))
    return (
        f"Reason for exam: {sections.indication}\nExam: {sections.technique}\nComparison: {sections.comparison}\n\n"
        f"Findings:\n{findings}\n\nImpression:\n{impression}\n"
    )


def telegraphic(sections: Sections) -> str:
    """Leave out all that can be left out."""
    text = " ".join((*sections.findings, *sections.impression))
    for long, short in (("There is no ", "No "), ("There is ", ""), ("No evidence of ", "No "), (" is seen.", ".")):
        text = text.replace(long, short)
    return f"Clin: {sections.indication}\nCXR: {text}\n"


def shouted(sections: Sections) -> str:
    """Write a prose report in capitals."""
    return prose(sections).upper()


LAYOUTS: tuple[Layout, ...] = (prose, wrapped, numbered, telegraphic, shouted)


def mistype(text: str, draw: np.random.Generator) -> str:
    """Swap two neighbouring letters inside one long word, or leave out or double one."""
    words = text.split(" ")
    long_words = [i for i, word in enumerate(words) if len(word) > 6 and word.isalpha()]
    if not long_words:
        return text
    i = long_words[int(draw.integers(len(long_words)))]
    word, k = words[i], int(draw.integers(2, len(words[i]) - 2))
    slips = (
        word[:k] + word[k + 1] + word[k] + word[k + 2 :],
        word[:k] + word[k + 1 :],
        word[:k] + word[k] + word[k:],
    )
    words[i] = slips[int(draw.integers(len(slips)))]
    return " ".join(words)
