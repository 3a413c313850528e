"""Which parts of a report are about the image, and where its sentences end."""

import pytest

from lucency.data.ground_truth.reports.sections import Kind, split_sections, telling_sections
from lucency.data.ground_truth.reports.sentences import split_sentences


def told(text: str) -> str:
    return " | ".join(" ".join(text[section.start : section.end].split()) for section in telling_sections(text))


def sentences(text: str) -> list[str]:
    return [" ".join(text[start:end].split()) for start, end in split_sentences(text)]


@pytest.mark.parametrize(
    "text",
    [
        "INDICATION: Cough.\nFINDINGS: Clear.\nIMPRESSION: Normal.",
        "Indication: Cough. Findings: Clear. Impression: Normal.",
        "**Indication**\nCough.\n**Findings**\nClear.\n## Impression\nNormal.",
        "CLINICAL HISTORY:\nCough.\n\nFINDINGS:\nClear.\n\nCONCLUSION:\nNormal.",
        "FINAL REPORT\nREASON FOR EXAM: Cough.\nFINDINGS\nClear.\nOPINION\nNormal.",
        "HISTORY Cough. FINDINGS Clear. IMPRESSION Normal.",
        "Fragestellung: Husten. Befund: Clear. Beurteilung: Normal.",
    ],
)
def test_findings_and_impression_are_found_however_they_are_headed(text: str) -> None:
    """Each hospital writes its headings in its own way."""
    assert told(text) == "Clear. | Normal."


def test_a_report_without_findings_begins_below_its_history() -> None:
    """Short reports name the question and then simply begin."""
    assert told("Hx: cough, fever. ?PNA\nRLL consolidation.\nNo effusion.") == "RLL consolidation. No effusion."
    assert told("The lungs are clear.") == "The lungs are clear."
    assert told("INDICATION: Cough and\nfever since a week.\n\nLungs clear.") == "Lungs clear."


def test_words_inside_a_sentence_open_no_section() -> None:
    """“History of” and “in comparison” are words, too."""
    text = "The findings are in comparison with the prior study: no change in the impression of effusion."
    assert [section.kind for section in split_sections(text)] == [Kind.BODY]


def test_an_addendum_and_a_wet_read_count() -> None:
    """They correct or anticipate the impression."""
    assert told("FINDINGS: Clear.\nADDENDUM: Nodule in the left apex.") == "Clear. | Nodule in the left apex."


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Seen by Dr. Smith. No effusion.", ["Seen by Dr. Smith.", "No effusion."]),
        ("A 2.5 cm. nodule vs. artefact.", ["A 2.5 cm.", "nodule vs. artefact."]),
        ("1. No effusion. 2. Stable nodule.", ["No effusion.", "Stable nodule."]),
        ("Old fracture of T12. No effusion.", ["Old fracture of T12.", "No effusion."]),
        ("Clear lungs.No effusion.", ["Clear lungs.", "No effusion."]),
        ("No effusion or\npneumothorax.", ["No effusion or pneumothorax."]),
        ("Heart normal\nNo effusion", ["Heart normal", "No effusion"]),
        ("- Heart normal\n* No effusion", ["Heart normal", "No effusion"]),
        ("Effusion: small right\nConsolidation: none", ["Effusion: small right", "Consolidation: none"]),
        ("No focal consolidation,\n\npleural effusion.", ["No focal consolidation, pleural effusion."]),
        ("Is there ?pneumonia. Yes.", ["Is there ?pneumonia.", "Yes."]),
        ("Effusions e.g. at the base.", ["Effusions e.g. at the base."]),
    ],
)
def test_sentences_end_where_they_end(text: str, wanted: list[str]) -> None:
    """A cue must neither leave its sentence nor lose half of it."""
    assert sentences(text) == wanted


def test_lines_that_were_wrapped_are_joined_in_capitals_too() -> None:
    """Capitals hide where a sentence begins; the length of the line tells."""
    text = (
        "THERE IS NO EVIDENCE OF ACUTE DISEASE SUCH AS\nPNEUMOTHORAX. THE HEART IS ENLARGED AND THERE\nARE EFFUSIONS."
    )
    assert sentences(text)[0].endswith("SUCH AS PNEUMOTHORAX.")
