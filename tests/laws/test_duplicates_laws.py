"""Laws of the fingerprint: gain and offset do not change it, and a copy is found at any place."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from films import draw_films
from lucency.data.looks.duplicates import near_duplicates
from lucency.data.looks.fingerprint import fingerprint

FILMS = draw_films(12, seed=21, size=96)


@given(number=st.integers(0, 11), gain=st.integers(1, 200), offset=st.integers(0, 10000))
@settings(max_examples=40)
def test_gain_and_offset_leave_the_fingerprint_as_it_was(number: int, gain: int, offset: int) -> None:
    """Windows and rescales differ between exports; a level may be rounded to its neighbour."""
    changed = (FILMS[number].astype(np.uint32) * gain + offset).astype(np.uint16)
    one, other = (fingerprint(image).thumbnail.astype(int) for image in (FILMS[number], changed))
    assert np.abs(one - other).max() <= 1


@given(number=st.integers(0, 11), place=st.integers(0, 12), mirror=st.booleans(), gain=st.floats(0.5, 1.0))
@settings(max_examples=25)
def test_a_copy_is_found_wherever_it_stands(number: int, place: int, mirror: bool, gain: float) -> None:
    """The order of a cohort does not matter."""
    copy = np.rint(FILMS[number] * gain).astype(np.uint8)[:, :: -1 if mirror else 1]
    images = [*FILMS[:place], copy, *FILMS[place:]]
    pairs = near_duplicates([fingerprint(image) for image in images])
    original = number + (number >= place)
    assert [(pair.first, pair.second) for pair in pairs] == [tuple(sorted((original, place)))]
