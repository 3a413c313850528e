"""Reports and descriptions lose what identifies, and keep what is medicine."""

from datetime import date

import pytest

from lucency.data.dicom.deidentification.text import Identifiers, names_somebody, scrub

DOE = Identifiers(
    names=frozenset({"DOE^JANE^A", "Miller^Robert^^Dr"}),
    numbers=frozenset({"0088127-34", "ACC-2020/117"}),
    places=frozenset({"St. Elsewhere Hospital"}),
    dates=frozenset({date(1958, 3, 12)}),
)


@pytest.mark.parametrize(
    "secret",
    [
        *("Jane Doe", "DOE, JANE", "doe_jane", "Doe's", "janedoe", "ENAJ", "J. A. Doe", "J.A.D.", "JAD"),
        *("0088127-34", "8812734", "88127 34 and 008812734", "ACC-2020/117", "acc2020117", "Elsewhere"),
        *(
            "12.03.1958",
            "03/12/58",
            "1958-03-12",
            "19580312",
            "120358",
            "March 12, 1958",
            "12. März 1958",
            "12-MAR-1958",
        ),
        *("jane.doe@example.org", "+49 170 1234567", "(030) 123 4567 89", "Dr. Miller", "Prof. Dr. Hans Unbekannt"),
        *("Mrs. Smith-Jones", "Dictated by: Paula Peters", "93-year-old", "a woman of 102 years"),
    ],
)
def test_a_secret_does_not_stay(secret):
    """Each is a form in which identifiers stood in reports."""
    text, n_replaced = scrub(f"Findings in {secret} today.", DOE)
    assert n_replaced >= 1
    assert secret not in text
    assert "today." in text


@pytest.mark.parametrize(
    "finding",
    [
        "No pleural effusion. Heart size is normal (CTR 0.48).",
        "Nodule of 12 x 14 mm in segment 6, SUVmax 7.4, HU 35 to 62.",
        "L4/L5 disc protrusion; T2 hyperintense; BI-RADS 4; TNM pT2 N0 M0.",
        "Compared with the prior CT, stable. 45-year-old man with cough for 3 weeks.",
        "MR with TR 500 ms, TE 15 ms, 3 mm slices, 256 x 256.",
    ],
)
def test_medicine_stays(finding):
    """A report from which the findings were scrubbed is worth nothing."""
    assert scrub(finding, DOE) == (finding, 0)


def test_names_in_scripts_without_spaces_are_found_inside_sentences():
    """Japanese and Chinese put no space around a name."""
    known = Identifiers(names=frozenset({"Yamada^Tarou=山田^太郎=やまだ^たろう"}))
    text, _ = scrub("患者は山田太郎さん。胸部に異常なし。", known)
    assert text == "患者は[removed]さん。胸部に異常なし。"


def test_a_short_name_is_no_word_of_the_language():
    """Mr An and Ms So must not empty a report of its small words."""
    known = Identifiers(names=frozenset({"An^So"}))
    assert scrub("an effusion, so large", known)[1] == 0
    assert names_somebody("AN SO", known)


def test_initials_of_a_whole_cohort_are_not_looked_for():
    """Among a thousand patients every abbreviation is somebody's."""
    many = Identifiers(names=frozenset({"Doe^Jane^Ann"}), has_initials=False)
    assert scrub("JAD", many)[1] == 0
