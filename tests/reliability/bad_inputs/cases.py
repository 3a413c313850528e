"""All 120 cases."""

from . import codecs, container, encoding, geometry, grey_and_colour, grouping, hostile, kinds

CASES = (
    *container.CASES,
    *encoding.CASES,
    *codecs.CASES,
    *grey_and_colour.CASES,
    *geometry.CASES,
    *grouping.CASES,
    *kinds.CASES,
    *hostile.CASES,
)
