"""Which words of a report carried an answer, and whether that can be believed.

A word's weight is how much the answer falls when the word is left out (Li, Monroe and Jurafsky 2016): it asks the network
itself, without trusting what attention says (Jain and Wallace 2019). The weights are computed in evaluation mode.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lucency.domain.estimate import Estimate
from lucency.explanation.sanity_check import (
    N_RANDOM_NETWORKS,
    median_over_cases,
    randomised,
    rank_correlation,
    verdict_on,
)
from lucency.network.recurrent import ReadingNetwork
from lucency.network.watching import at_rest
from lucency.randomness import key

LEFT_OUT = "the fall of the answer when a word is left out (Li 2016)"
_AT_ONCE = 128
"""Shortened reports that are read at a time."""


@dataclass(frozen=True)
class Answer:
    """What is explained of a report: one class of several, or one finding that is there or not."""

    output: int
    """Number of the class or finding among the outputs of the network."""
    is_finding: bool = False
    is_there: bool = True
    """Of a finding, whether its presence or its absence is explained."""


@dataclass(frozen=True)
class WordWeights:
    """What the words of one report did to one answer, axis (word)."""

    weights: NDArray[np.float64]
    """Fall of the log odds of the answer when the word is left out; below zero, the word spoke against it."""
    attention: NDArray[np.float64] | None
    """What the network's attention gave to each word; None without attention."""


def weigh_words(network: ReadingNetwork, words: NDArray[np.int64], answer: Answer) -> WordWeights:
    """Weigh each word of a report, given as numbers of the vocabulary; the network is left as it was."""
    report = torch.from_numpy(words)[None]
    with at_rest(network), torch.no_grad():
        whole = _log_odds(network(report), answer)
        if len(words) == 1:
            fall = np.zeros(1)
        else:
            rows = _each_left_out(report[0])
            fall = (
                torch.cat([whole - _log_odds(network(some), answer) for some in rows.split(_AT_ONCE)]).double().numpy()
            )
        attention = network.attention(report)
    if attention is None:
        return WordWeights(fall, None)
    look = answer.output if attention.shape[1] > 1 else 0
    return WordWeights(fall, attention[0, look].double().numpy())


def gradient_times_input(network: ReadingNetwork, reports: Tensor, answers: Sequence[Answer]) -> NDArray[np.float64]:
    """Estimate the weights of all words of many reports at once (Shrikumar 2016), axes (report, word).

    It is the straight line through what `weigh_words` measures, and much quicker.
    """
    with at_rest(network), torch.backends.cudnn.flags(enabled=False), torch.enable_grad():
        embedded = network.embedding(reports).detach().requires_grad_()
        logits = network.answer_from(embedded, reports)
        odds = torch.cat([_log_odds(row[None], answer) for row, answer in zip(logits, answers, strict=True)])
        (gradient,) = torch.autograd.grad(odds.sum(), embedded)
    return (gradient * embedded).sum(2).detach().double().cpu().numpy()


@dataclass(frozen=True)
class WordCheck:
    """Whether the weights of words can be believed."""

    similarity: NDArray[np.float64]
    """Rank correlation of the weights' sizes with those of networks that know nothing, axis (case)."""
    median: Estimate
    verdict: str
    attention: Estimate | None
    """Median rank correlation of attention with the weights' sizes; None without attention."""


def check_words(
    network: ReadingNetwork,
    reports: Sequence[NDArray[np.int64]],
    answers: Sequence[Answer],
    patient_ids: Sequence[str],
    seed: int,
    level: float = 0.95,
) -> WordCheck:
    """Weigh the words again with randomised copies of the network, and compare attention with the weights.

    The test of Adebayo et al. (NeurIPS 2018), made for words: weights that networks without knowledge give as well speak of
    the text and not of what was learnt.
    """
    trained = [weigh_words(network, words, answer) for words, answer in zip(reports, answers, strict=True)]
    similarity = np.zeros((N_RANDOM_NETWORKS, len(reports)))
    for number in range(N_RANDOM_NETWORKS):
        ignorant = randomised(network, key(seed, "sanity check weights", number))
        for case, (words, answer, known) in enumerate(zip(reports, answers, trained, strict=True)):
            other = weigh_words(ignorant, words, answer)
            similarity[number, case] = rank_correlation(np.abs(known.weights), np.abs(other.weights))
    is_empty = np.array([not one.weights.any() for one in trained])
    per_case = np.where(is_empty, np.nan, similarity.mean(0))
    median = median_over_cases(per_case, patient_ids, seed, level)
    attended = [rank_correlation(np.abs(one.weights), one.attention) for one in trained if one.attention is not None]
    return WordCheck(
        per_case,
        median,
        verdict_on(median, int(is_empty.sum()), "shading"),
        _agreement(np.array(attended), patient_ids, seed, level) if attended else None,
    )


def _agreement(similarity: NDArray[np.float64], patient_ids: Sequence[str], seed: int, level: float) -> Estimate:
    median = median_over_cases(similarity, patient_ids, seed, level)
    return replace(median, name="median rank correlation of attention with leaving words out")


def _each_left_out(words: Tensor) -> Tensor:
    """Return the report without its first word, without its second, and so on, axes (report, word)."""
    n_words = len(words)
    places = torch.arange(n_words).expand(n_words, n_words)
    return words.expand(n_words, n_words)[places != places.T].view(n_words, n_words - 1)


def _log_odds(logits: Tensor, answer: Answer) -> Tensor:
    """Return the log odds of an answer, axis (report), for logits with axes (report, class or finding)."""
    said = logits[:, answer.output]
    if answer.is_finding:
        return said if answer.is_there else -said
    others = torch.cat([logits[:, : answer.output], logits[:, answer.output + 1 :]], dim=1)
    return said - others.logsumexp(1)
