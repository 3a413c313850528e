"""Laws of de-identification that hold for all inputs."""

import io
from datetime import date, datetime, time

import numpy as np
import pydicom
from deid_files import KEY, as_bytes, cleaned, patient_file
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from lucency.data.dicom.deidentification.pseudonyms import Offset
from lucency.data.dicom.deidentification.text import _NO_NAMES, Identifiers, scrub
from lucency.data.dicom.deidentification.values import capped_age, shifted

DAYS = st.dates(date(1902, 1, 1), date(2099, 12, 31))
NAMES = st.text(st.characters(whitelist_categories=["Lu", "Ll"], max_codepoint=0x24F), min_size=4, max_size=12)


@given(DAYS, DAYS, st.text(min_size=1, max_size=20))
def test_intervals_between_dates_stay_exact_to_the_day(first, second, patient):
    """A follow-up after 91 days is one after 91 days."""
    offset = KEY.offset(patient)
    moved = [shifted("DA", day.strftime("%Y%m%d"), offset) for day in (first, second)]
    new = [date(int(text[:4]), int(text[4:6]), int(text[6:])) for text in moved]
    assert new[1] - new[0] == second - first
    assert 1 <= (first - new[0]).days <= 365


@given(DAYS, st.times(time(3)), st.times(time(3)), st.integers(1, 365), st.integers(1, 180))
def test_times_of_a_day_keep_their_distance_and_their_day(day, first, second, days, minutes):
    """Contrast that came ninety seconds before the scan still did; the offset from UTC, which tells the place, goes."""
    offset = Offset(days, minutes)
    texts = [f"{day:%Y%m%d}{at:%H%M%S}.{at.microsecond:06d}" for at in (first, second)]
    moved = [shifted("DT", f"{text}+0200", offset) for text in texts]
    assert {text[:8] for text in moved} == {shifted("DA", f"{day:%Y%m%d}", offset)}
    assert [text[8:] for text in moved] == [shifted("TM", text[8:], offset) for text in texts]
    before, after = ([datetime.strptime(text, "%Y%m%d%H%M%S.%f") for text in pair] for pair in (texts, moved))
    assert after[1] - after[0] == before[1] - before[0]


@settings(max_examples=25)
@given(arrays(st.sampled_from(["<u1", "<u2", "<i2"]), st.tuples(st.integers(1, 9), st.integers(1, 9))))
def test_pixels_are_equal_for_all_values(stored):
    """De-identification of a clean image changes no value."""
    header = patient_file(stored)
    if stored.nbytes % 2:
        header.PixelData = stored.tobytes() + b"\0"
    content = cleaned(as_bytes(header)).content
    new = pydicom.dcmread(io.BytesIO(content)).pixel_array
    assert np.array_equal(new, stored)


@settings(max_examples=25)
@given(st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1, max_size=16), NAMES)
def test_the_same_file_and_key_give_the_same_bytes(number, name):
    """A second run must add nothing and change nothing."""
    header = patient_file(PatientID=number, PatientName=name, SpecificCharacterSet="ISO_IR 192")
    assert cleaned(header).content == cleaned(header).content


@given(st.integers(0, 999), st.sampled_from("DWMY"))
def test_no_age_above_89_years_passes(number, unit):
    """So few people are older that their age names them."""
    age = capped_age(f"{number:03d}{unit}")
    days = int(age[:3]) * {"D": 1, "W": 7, "M": 30.44, "Y": 365.25}[age[3]]
    assert days <= 90 * 365.25 + 31


@given(
    NAMES,
    NAMES,
    st.sampled_from(["{0} {1}", "{1}, {0}", "{0}_{1}", "{0}-{1}", "({1})", "{0}^{1}", "{1}{0}"]),
    st.booleans(),
)
def test_a_name_is_found_in_any_order_and_case(family, given_name, form, upper):
    """Headers write DOE^JANE, people write Jane Doe; titles and placeholders (NULL) are no names."""
    assume(not {family.casefold(), given_name.casefold()} & _NO_NAMES)
    text = form.format(family, given_name)
    text = text.upper() if upper else text.lower()
    known = Identifiers(names=frozenset({f"{family}^{given_name}"}))
    new, n_replaced = scrub(f"before {text} after", known)
    assert n_replaced >= 1
    assert new.startswith("before ")
    assert new.endswith(" after")
    assert given_name.casefold() not in new.casefold().replace("before", "").replace("after", "").replace("removed", "")
