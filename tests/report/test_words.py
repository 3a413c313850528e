"""Numbers and sentences as a journal prints them."""

from dataclasses import replace

import material_factory
import pytest

from lucency.domain.data_plan import Patient
from lucency.domain.estimate import Estimate
from lucency.domain.network_plan import Network
from lucency.report import words

SENSITIVITY = Estimate(
    "sensitivity", 108 / 120, 0.833, 0.942, 120, "image", "Wilson 1927", numerator=108, denominator=120, n_clusters=97
)
SPECIFICITY = Estimate(
    "specificity", 72 / 80, 0.815, 0.948, 80, "image", "Wilson 1927", numerator=72, denominator=80, n_clusters=70
)
AUC = Estimate("AUC", 0.9412, 0.9134, 0.9618, 200, "image", "DeLong 1988")


def test_a_proportion_is_quoted_with_its_interval() -> None:
    """90.0 % alone would hide that 120 images stand behind it."""
    assert words.quote(SENSITIVITY) == "90.0\u202f% (95\u202f%\u00a0CI 83.3–94.2\u202f%)"
    assert words.sample_size(SENSITIVITY) == "108/120 (97 patients)"


def test_an_auc_is_quoted_with_three_digits() -> None:
    """The AUC is not a percentage."""
    assert words.quote(AUC) == "0.941 (95\u202f%\u00a0CI 0.913–0.962)"
    assert words.sample_size(AUC) == "n = 200"


def test_an_interval_below_zero_is_readable() -> None:
    """−0.638–0.032 would read as a subtraction."""
    intercept = Estimate("calibration intercept", -0.303, -0.638, 0.032, 250, "image", "Wald")
    assert words.value(intercept) == "−0.303"
    assert words.interval(intercept) == "−0.638 to 0.032"


def test_a_value_that_does_not_exist_gives_its_reason() -> None:
    """The reader learns why instead of meeting a blank."""
    missing = Estimate("AUC", None, None, None, 20, "image", "DeLong 1988", note="All images are of one class.")
    assert words.quote(missing) == "not computable: All images are of one class."


def test_the_summary_counts_patients_with_disease_as_a_radiologist_would() -> None:
    """Of so many with the disease, so many were found: the sentence that everyone understands."""
    material = replace(material_factory.two_classes(), estimates=(AUC, SENSITIVITY, SPECIFICITY))
    found, cleared, auc = material.answers.result_sentences(material)
    assert found == (
        "Of 120 test images with pneumonia, the network found 108 (sensitivity 90.0\u202f%, 95\u202f%\u00a0CI "
        "83.3–94.2\u202f%)."
    )
    assert cleared.startswith("Of 80 test images without it (normal), the network cleared 72 (specificity 90.0")
    assert "AUC was 0.941 (95\u202f%\u00a0CI 0.913–0.962)" in auc


def test_the_summary_of_several_classes_names_the_best_and_the_worst() -> None:
    """A mean over classes hides the one that fails."""
    material = material_factory.four_classes()
    sentences = " ".join(material.answers.result_sentences(material))
    recalls = {e.group: e.value for e in material.estimates if e.name == "sensitivity" and e.part == "test"}
    worst = min(recalls, key=lambda name: recalls[name] or 0)
    assert f"and {worst} least (sensitivity" in sentences
    assert "test images (accuracy" in sentences


def test_every_result_in_the_summary_carries_an_interval() -> None:
    """No percentage and no AUC stands alone in the sentences."""
    for material in (material_factory.two_classes(), material_factory.four_classes()):
        for sentence in material.answers.result_sentences(material):
            n_values = sum(sentence.count(name) for name in ("sensitivity ", "specificity ", "accuracy ", "AUC was "))
            assert sentence.count("CI") == n_values >= 1


def test_the_data_sentence_adds_up() -> None:
    """Found, not used, and used must be the same images."""
    material = material_factory.two_classes()
    sentence = words.data_sentence(material)
    n_found, n_used = len(material.cohort), len(material.split)
    assert f"{n_found:,} images were found; {n_found - n_used} were not used" in sentence
    assert f"The {n_used:,} images of 1,000 patients" in sentence


def test_times_are_written_for_people() -> None:
    """A record's time stamp is for machines; what is no time stamp stays as it is."""
    assert words.moment("2026-03-14T10:22:05+00:00") == "14 March 2026, 10:22 UTC"
    assert words.moment("yesterday") == "yesterday"
    assert words.duration(12.84) == "12.8 s"
    assert words.duration(4837.0) == "1 h 20 min"


def test_unknown_patients_are_not_called_a_split_by_patient() -> None:
    """With `patient: each_image` nobody knows whether one patient stands on two sides, and the summary must say so."""
    material = material_factory.two_classes()
    data = material.plan.data.model_copy(update={"patient": Patient.model_validate("each_image")})
    sentence = words.data_sentence(replace(material, plan=material.plan.model_copy(update={"data": data})))
    assert "Patients are not known" in sentence
    assert "split by patient" not in sentence
    assert "split by patient" in words.data_sentence(material)


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        ({"architecture": "resnet50"}, "ResNet-50"),
        ({"architecture": "vgg16", "batch_norm": True}, "VGG-16 with batch normalisation"),
        ({"architecture": "timm:convnext_tiny"}, "convnext_tiny (timm)"),
        ({"architecture": "densenet121", "volumes": "3d"}, "DenseNet-121 in three dimensions"),
        (
            {"architecture": "resnet18", "volumes": "slice_by_slice", "slice_memory": "none"},
            "ResNet-18, on each slice, with their features pooled,",
        ),
        ({"architecture": "gru"}, "a network of gated recurrent units (GRU)"),
    ],
)
def test_a_network_is_called_by_its_published_name(settings: dict[str, object], name: str):
    """The methods section names what was trained as a reader would look it up."""
    assert words.name_of_network(Network(**settings)) == name
