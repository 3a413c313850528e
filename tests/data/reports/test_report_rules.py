"""What the rules make of the ways in which radiologists state, deny and doubt."""

import pytest

from lucency.data.ground_truth.reports.findings import load_findings
from lucency.data.ground_truth.reports.rules import find_mentions, label_report
from lucency.data.ground_truth.reports.sections import Kind

FINDINGS = load_findings()
NAMES = {
    "heart": "Cardiomegaly",
    "mediastinum": "Enlarged Cardiomediastinum",
    "opacity": "Lung Opacity",
    "lesion": "Lung Lesion",
    "edema": "Edema",
    "consolidation": "Consolidation",
    "pneumonia": "Pneumonia",
    "atelectasis": "Atelectasis",
    "pneumothorax": "Pneumothorax",
    "effusion": "Pleural Effusion",
    "pleura": "Pleural Other",
    "fracture": "Fracture",
    "device": "Support Devices",
    "normal": "No Finding",
}
SIGNS = {"+": "positive", "-": "negative", "?": "uncertain", "0": ""}


def check(text: str, wanted: str) -> None:
    """Compare with "effusion+ pneumothorax-": stated, denied (-), in doubt (?) or not said (0)."""
    labels = label_report(text, FINDINGS)
    pairs = {NAMES[word[:-1]]: SIGNS[word[-1]] for word in wanted.split()}
    assert {name: labels.get(name, "") for name in pairs} == pairs


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("No pneumothorax, effusion or focal consolidation.", "pneumothorax- effusion- consolidation-"),
        ("Neither pneumothorax nor effusion is seen.", "pneumothorax- effusion-"),
        ("Lungs are free of nodules, enlarged hila, effusions and oedema.", "lesion- effusion- edema-"),
        ("There is no enlarged heart, pulmonary edema or pleural plaque.", "heart- edema- pleura-"),
        (
            "No evidence of acute disease, including pneumonia, heart failure, and effusion.",
            "pneumonia- edema- effusion-",
        ),
        ("No consol/collapse/effusion.", "consolidation- atelectasis- effusion-"),
    ],
)
def test_a_denial_reaches_along_a_list(text: str, wanted: str) -> None:
    """Most denials in chest reports are lists; NegEx with a window of five words cuts them."""
    check(text, wanted)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("No pneumothorax, small left effusion.", "pneumothorax- effusion+"),
        ("No focal consolidation, and there is a small effusion.", "consolidation- effusion+"),
        ("No pneumothorax, the heart is enlarged.", "pneumothorax- heart+"),
        ("No pneumonia is seen, but there is atelectasis.", "pneumonia- atelectasis+"),
        ("The effusion has increased and the pneumothorax has resolved.", "effusion+ pneumothorax-"),
        ("Atelectasis, not pneumonia, explains the opacity.", "atelectasis+ pneumonia- opacity+"),
        ("Rather than pneumonia this is atelectasis.", "pneumonia- atelectasis+"),
        ("Possible pneumonia, small effusion.", "pneumonia? effusion+"),
    ],
)
def test_a_cue_does_not_reach_into_a_new_statement(text: str, wanted: str) -> None:
    """A denial that runs on turns disease into health."""
    check(text, wanted)


@pytest.mark.parametrize(
    "text",
    [
        "The pneumothorax has resolved.",
        "Previously seen pneumothorax is not visualised.",
        "Pneumothorax: none.",
        "Pneumothorax - no.",
        "Interval resolution of the pneumothorax.",
        "Pneumothorax is unlikely.",
        "The pneumothorax, seen before, is no longer identified.",
        "Of pneumothorax there is no sign.",
        "Prior pneumothorax has cleared.",
    ],
)
def test_a_denial_may_follow(text: str) -> None:
    """Half of all languages' denials stand behind the word."""
    check(text, "pneumothorax-")


@pytest.mark.parametrize(
    "text",
    [
        "No significant change in the left effusion.",
        "No increase in the effusion.",
        "Unchanged effusion.",
        "The effusion has not resolved.",
        "No evidence that the effusion has resolved.",
        "The left lung is not without a small effusion.",
        "Nearly resolved effusion.",
        "Prior effusion is unchanged.",
        "Compared to the prior exam, the effusion has increased.",
        "There is no question of an effusion.",
        "Improved effusion.",
    ],
)
def test_words_that_look_like_a_denial_deny_nothing(text: str) -> None:
    """NegEx calls them pseudo-negations."""
    check(text, "effusion+")


@pytest.mark.parametrize(
    "text",
    [
        "Possible pneumonia.",
        "Pneumonia cannot be excluded.",
        "It is difficult to exclude pneumonia.",
        "Findings concerning for pneumonia.",
        "This may represent pneumonia.",
        "Atelectasis versus pneumonia.",
        "?pneumonia",
        "Early pneumonia is a consideration.",
        "Rule out pneumonia.",
        "Probable pneumonia.",
        "Pneumonia or aspiration, possibly.",
        "Pneumonia is not excluded.",
        "One cannot say that there is no pneumonia.",
        "Pneumonia in the appropriate clinical setting.",
    ],
)
def test_doubt_is_neither_yes_nor_no(text: str) -> None:
    """CheXpert keeps what the radiologist left open."""
    check(text, "pneumonia?")


def test_likely_counts_as_stated() -> None:
    """As in CheXpert's rules; documented as a decision."""
    check("Left base consolidation, likely pneumonia.", "consolidation+ pneumonia+")
    check("Opacity suggestive of pneumonia.", "opacity+ pneumonia+")


@pytest.mark.parametrize(
    "text",
    [
        "History of pneumonia.",
        "If pneumonia is suspected, CT is recommended.",
        "CT to exclude pneumonia.",
        "Prior pneumonia.",
        "Family history of pneumonia.",
        "Radiographs do not exclude pneumonia.",
        "Follow up after treatment for pneumonia.",
        "Should the patient develop pneumonia, repeat the film.",
    ],
)
def test_history_questions_and_advice_say_nothing_of_the_image(text: str) -> None:
    """ConText: what was, what is feared, and what should be done."""
    check(text, "pneumonia0")


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Heart size is normal.", "heart-"),
        ("The heart, pulmonary vasculature and mediastinum are within normal limits.", "heart- mediastinum- edema-"),
        ("Normal heart size and clear lungs.", "heart- opacity- consolidation-"),
        ("The heart is mildly enlarged.", "heart+"),
        ("The cardiac silhouette is not enlarged.", "heart-"),
        ("Enlargement of the cardiac silhouette.", "heart+"),
        ("Heart size is unchanged.", "heart?"),
        ("Borderline cardiomegaly.", "heart?"),
        ("Heart size is at the upper limits of normal.", "heart-"),
        ("Costophrenic angles are sharp.", "effusion-"),
        ("Blunting of the left costophrenic angle.", "effusion?"),
        ("The lungs are clear except for basilar atelectasis.", "consolidation- atelectasis+"),
        ("Pulmonary vasculature is not engorged.", "edema-"),
        ("The bones are intact.", "fracture-"),
    ],
)
def test_the_state_of_a_part_tells_about_its_finding(text: str, wanted: str) -> None:
    """Hearts are rarely called cardiomegaly; they are normal, enlarged or unchanged."""
    check(text, wanted)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("No pneumotorax or efusion. Atalectasis.", "pneumothorax- effusion- atelectasis+"),
        ("PULMONARY OEDEMA. NO PTX.", "edema+ pneumothorax-"),
        ("RLL PNA with small effs.", "pneumonia+ effusion+"),
        ("Bilateral pneumothoraces and nodular opacities.", "pneumothorax+ lesion+ opacity0"),
        ("Heart failure clinic follow-up. Pericardial effusion on echo.", "edema0 effusion0"),
        ("Pneumothorax after chest tube removal.", "pneumothorax+ device-"),
        ("Status post pacemaker placement.", "device+"),
        ("Hydropneumothorax.", "effusion+ pneumothorax+"),
        ("Post-obstructive collapse; vertebral collapse.", "atelectasis+ fracture+"),
    ],
)
def test_words_are_known_in_their_forms(text: str, wanted: str) -> None:
    """Plurals, spellings, typing errors, abbreviations, and words that only look alike."""
    check(text, wanted)


def test_positive_counts_before_uncertain_before_negative() -> None:
    """As CheXpert aggregates."""
    check("No effusion. Possible effusion.", "effusion?")
    check("Possible effusion. Small left effusion. No right effusion.", "effusion+")


def test_the_impression_counts_before_the_findings() -> None:
    """It is written last; but a silence or a wholesale statement takes nothing back."""
    check("FINDINGS: Small left effusion. IMPRESSION: No effusion.", "effusion-")
    check("FINDINGS: Possible pneumonia. IMPRESSION: Pneumonia.", "pneumonia+")
    check("FINDINGS: Small left effusion. IMPRESSION: No acute disease.", "effusion+ normal-")
    check("FINDINGS: Old rib fractures. IMPRESSION: No acute fracture.", "fracture+")
    check("FINDINGS: The heart is enlarged. IMPRESSION: Heart size is unchanged.", "heart+")


def test_no_finding_needs_a_report_that_says_so() -> None:
    """A report that speaks of nothing is not a healthy patient."""
    check("No acute cardiopulmonary abnormality.", "normal+")
    check("Lungs are clear. Pacemaker in place.", "normal+ device+")
    check("Hyperinflated lungs. No effusion.", "normal- effusion-")
    check("Possible nodule.", "normal-")
    check("Please see the report of the CT.", "normal0")
    assert label_report("", FINDINGS) == {}


def test_every_label_shows_the_words_that_carried_it() -> None:
    """Whoever doubts a label must be able to look."""
    text = "INDICATION: Cough.\n\nIMPRESSION: There is no evidence of pneumonia."
    (mention,) = (one for one in find_mentions(text, FINDINGS) if one.finding == "Pneumonia")
    assert text[mention.start : mention.end] == "pneumonia"
    assert text[mention.cue_start : mention.cue_end] == mention.cue == "no evidence of"
    assert (mention.stated, mention.section) == ("negative", Kind.IMPRESSION)


def test_what_was_feared_before_the_image_is_not_read() -> None:
    """The indication names the disease in most negative reports."""
    check("INDICATION: Pneumonia? Fracture.\nTECHNIQUE: AP.\nFINDINGS: No pneumonia.", "pneumonia- fracture0")
    check("Clinical details: ?rib fracture\nNo fracture is seen.", "fracture-")
