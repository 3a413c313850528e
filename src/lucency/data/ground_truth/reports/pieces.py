"""Which of the phrases found in a sentence count, and which are only pieces of longer ones."""

from collections import defaultdict
from collections.abc import Sequence

from lucency.data.ground_truth.reports.phrases import Hit

CONTENT = {"finding", "hint", "not", "part", "state", "normal", "other"}
"""Kinds of phrases that are no cues."""


def drop_pieces(hits: Sequence[Hit]) -> list[Hit]:
    """Drop what is only a piece of a longer phrase, in the order of the sentence."""
    covering: defaultdict[int, list[Hit]] = defaultdict(list)
    hits = list(dict.fromkeys(hits))
    for hit in hits:
        for place in hit.places:
            covering[place].append(hit)
    kept = [hit for hit in hits if not any(_swallows(other, hit) for other in covering[hit.first])]
    begun = {(hit.first, hit.meaning.finding) for hit in kept if hit.meaning.kind == "finding"}
    # of two names in a row (“ground-glass opacity”) the second is the noun that “or” and “versus” stand beside
    kept = [hit for hit in kept if hit.meaning.kind != "finding" or (hit.last + 1, hit.meaning.finding) not in begun]
    return sorted(kept, key=lambda hit: (hit.first, hit.last))


def _swallows(longer: Hit, hit: Hit) -> bool:
    by, what = longer.meaning.kind, hit.meaning.kind
    is_same = longer.meaning.finding == hit.meaning.finding
    if by == "not":
        return is_same and what in ("finding", "hint", "part")
    if longer is hit or len(longer.places) < len(hit.places) or not set(hit.places) <= set(longer.places):
        return False
    if len(longer.places) == len(hit.places):
        return False
    if by in ("finding", "hint"):
        return what not in ("finding", "hint") or is_same
    if by == "part":
        return what not in ("finding", "hint", "not") and (what != "part" or is_same)
    if by in ("normal", "other"):
        return what in ("normal", "other")
    if by == "state":
        return what == "state"
    return what == "state" or what not in CONTENT
