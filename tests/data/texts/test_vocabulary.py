"""The words that a network knows."""

import json

import pytest

from lucency.data.texts.store import number_words
from lucency.data.texts.tokens import tokens_of
from lucency.data.texts.vocabulary import PADDING, UNKNOWN, Vocabulary, learn_vocabulary, share_unknown

TRAINING = [
    "No pneumothorax. Seen by Smith.",
    "Pneumothorax. Opacities, opacity. 12 mm. RUL",
    "no opacities. Smith. RUL no pneumothorax",
]
OUTSIDE = "Zebra zebra zebra pneumothorax"


def vocabulary(*more: str, least_count: int = 2) -> Vocabulary:
    store = number_words([list(tokens_of(text)) for text in (*more, *TRAINING)])
    rows = range(len(more), len(more) + len(TRAINING))
    return learn_vocabulary(store, rows, ["P1", "P2", "P3"], least_count)


def test_words_are_counted_in_one_form() -> None:
    """A plural or a capital is no other finding."""
    known = {one.word: (one.n, one.n_patients) for one in vocabulary().known}
    assert known["pneumothorax"] == (3, 3)
    assert known["opacity"] == (3, 2)
    assert known["no"] == (3, 2)
    assert "zebra" not in known


def test_reports_outside_the_training_part_change_nothing() -> None:
    """Neither which words are known, nor their numbers: a network must not see the test set in its word list."""
    assert vocabulary(OUTSIDE, "Before all others") == vocabulary()


def test_rare_words_are_not_learnt() -> None:
    """A word that stands once teaches nothing and may name a patient."""
    assert {one.word for one in vocabulary(least_count=1).known} > {one.word for one in vocabulary().known}
    assert "mm" not in {one.word for one in vocabulary().known}


def test_a_slip_of_the_pen_does_not_matter_and_other_words_are_unknown() -> None:
    """Every hospital mistypes; but a short word is soon another one."""
    known = vocabulary()
    numbers = known.numbers_of(["pneumothorax", "pneumothroax", "Pneumothoraxes", "rul", "rl", "zebra"]).tolist()
    assert numbers[0] == numbers[1] == numbers[2]
    assert numbers[4:] == [UNKNOWN, UNKNOWN]
    assert PADDING not in numbers


@pytest.mark.parametrize(("word", "shown"), [("pneumothorax", True), ("smith", False), ("rul", True)])
def test_what_looks_like_a_name_is_not_shown(word: str, shown: bool) -> None:
    """Smith is written with a capital in two reports and never without; RUL is an abbreviation."""
    known = vocabulary()
    assert bool(known.shown(int(known.numbers_of([word])[0]))) == shown


def test_a_word_of_one_patient_is_not_shown() -> None:
    """However often that patient's reports repeat it."""
    store = number_words([["kinnikuman", "kinnikuman", "no"], ["no"]])
    known = learn_vocabulary(store, [0, 1], ["P1", "P2"], 2)
    assert {one.word: one.is_shown for one in known.known} == {"kinnikuman": False, "no": True}


def test_numbers_dates_and_unknown_words_are_not_shown() -> None:
    """They could lead back to a person."""
    texts = ["5 mm on 2020-01-01 by Dr. Smith", "6 mm on 2021-01-01 by Dr. Jones"]
    store = number_words([list(tokens_of(text)) for text in texts])
    known = learn_vocabulary(store, [0, 1], ["P1", "P2"], 2)
    assert {one.word for one in known.known if one.is_shown} == {"mm", "on", "by"}
    assert known.shown(UNKNOWN) == known.shown(PADDING) == ""


def test_the_vocabulary_survives_as_json() -> None:
    """It is saved beside the weights, without pickle."""
    assert Vocabulary.from_json(json.loads(json.dumps(vocabulary().as_json()))) == vocabulary()


def test_unknown_words_are_counted() -> None:
    """The report tells how much of the test part the network could not read."""
    known = vocabulary()
    assert share_unknown(iter([known.numbers_of(["zebra", "no"]), known.numbers_of(["rul"])])) == (1, 3)
