"""Networks that read, against torch's own packed sequences and the formulas of the papers."""

import pytest
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from lucency.domain.network_plan import Network
from lucency.domain.text_plan import Recurrent
from lucency.network.recurrent import Memory, ReadingNetwork, reading_layers, recurrent_network

N_WORDS, E, H = 50, 7, 5
REPORTS = torch.tensor([[3, 4, 5, 6, 7, 8], [9, 3, 4, 0, 0, 0], [5, 0, 0, 0, 0, 0]])
KINDS = [
    (kind, both, layers, pooling)
    for kind in ("lstm", "gru")
    for both in (True, False)
    for layers in (1, 2)
    for pooling in ("attention", "max", "mean", "last")
]


def network(
    kind: str = "lstm",
    both: bool = True,
    layers: int = 1,
    pooling: str = "attention",
    n_outputs: int = 3,
    findings: bool = False,
) -> ReadingNetwork:
    torch.manual_seed(1)
    recurrent = Recurrent(
        embedding_size=E, hidden_units=H, layers=layers, bidirectional=both, pooling=pooling, embedding_dropout=0.3
    )
    settings = Network(architecture=kind, dropout=0.2, recurrent=recurrent)
    return recurrent_network(settings, N_WORDS, n_outputs, findings).eval()


@pytest.mark.parametrize(("kind", "gates"), [("lstm", 4), ("gru", 3)])
@pytest.mark.parametrize("both", [True, False])
@pytest.mark.parametrize("layers", [1, 2, 3])
def test_parameters_are_those_of_the_formula_and_of_torch(kind: str, gates: int, both: bool, layers: int) -> None:
    """Each layer and direction has gates · (h · (e + h) + 2h) of them; above the first layer, e is what lies below."""
    n = 2 if both else 1
    one = network(kind, both, layers)
    rows = {row.name: row for row in reading_layers(one)}
    below = [E, *[n * H] * (layers - 1)]
    for number, e in enumerate(below, start=1):
        assert rows[f"memory {number}"].n_parameters == n * gates * (H * (e + H) + 2 * H)
    theirs = {"lstm": nn.LSTM, "gru": nn.GRU}[kind](E, H, num_layers=layers, bidirectional=both)
    in_memory = sum(row.n_parameters for name, row in rows.items() if name.startswith("memory"))
    assert in_memory == sum(p.numel() for p in theirs.parameters())
    assert rows["embedding"].n_parameters == N_WORDS * E
    assert rows["pooling"].n_parameters == (n * H) ** 2 + n * H + n * H
    assert rows["answer"].n_parameters == 3 * n * H + 3
    assert sum(row.n_parameters for row in rows.values()) == sum(p.numel() for p in one.parameters())
    assert all(row.n_weights + row.n_biases == row.n_parameters for row in rows.values())


@pytest.mark.parametrize("kind", [nn.LSTM, nn.GRU])
@pytest.mark.parametrize("layers", [1, 2])
def test_reading_is_that_of_packed_sequences(kind: type[nn.LSTM] | type[nn.GRU], layers: int) -> None:
    """Torch's packed sequences are slower and beyond doubt: forwards and backwards within each report's own length."""
    torch.manual_seed(2)
    theirs = kind(E, H, num_layers=layers, batch_first=True, bidirectional=True)
    ours = Memory(kind, E, Recurrent(hidden_units=H, layers=layers), 0.0)
    for layer in range(layers):
        for name, one in (("", ours.forwards[layer]), ("_reverse", ours.backwards[layer])):
            state = {
                f"{p}_l0": getattr(theirs, f"{p}_l{layer}{name}")
                for p in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
            }
            one.load_state_dict(state)
    values, n_words = torch.randn(3, 6, E), torch.tensor([6, 3, 1])
    packed = pack_padded_sequence(values, n_words, batch_first=True, enforce_sorted=False)
    expected, _ = pad_packed_sequence(theirs(packed)[0], batch_first=True)
    is_word = (torch.arange(6) < n_words[:, None])[:, :, None]
    assert torch.allclose(ours(values, n_words) * is_word, expected * is_word, atol=1e-6)


@pytest.mark.parametrize(("kind", "both", "layers", "pooling"), KINDS)
def test_filling_up_changes_no_answer(kind: str, both: bool, layers: int, pooling: str) -> None:
    """What a network says of a report must not depend on its neighbours in the batch."""
    one = network(kind, both, layers, pooling)
    filled = torch.cat([REPORTS, torch.zeros(3, 9, dtype=torch.int64)], dim=1)
    with torch.no_grad():
        together = one(REPORTS)
        assert torch.allclose(one(filled), together, atol=1e-6)
        for row, n_words in enumerate((6, 3, 1)):
            assert torch.allclose(one(REPORTS[row : row + 1, :n_words])[0], together[row], atol=1e-6)
        assert torch.isfinite(together).all()


@pytest.mark.parametrize("findings", [True, False])
def test_attention_sums_to_one_over_words_and_is_zero_behind_them(findings: bool) -> None:
    """Several findings have a look each."""
    weights = network(findings=findings).attention(REPORTS)
    assert weights is not None
    assert weights.shape == (3, 3 if findings else 1, 6)
    assert torch.allclose(weights.sum(2), torch.ones(weights.shape[:2]))
    assert (weights[1, :, 3:] == 0).all()
    assert (weights[2, :, 0] == 1).all()


def test_each_finding_has_an_answer_of_its_own() -> None:
    """A change of one finding's weights leaves the others as they were."""
    one = network(n_outputs=3, findings=True)
    with torch.no_grad():
        before = one(REPORTS)
        one.answer.weight[1] += 1
        after = one(REPORTS)
    assert before.shape == (3, 3)
    assert (before[:, 1] != after[:, 1]).all()
    assert torch.equal(before[:, [0, 2]], after[:, [0, 2]])


def test_a_report_without_words_gives_a_number() -> None:
    """Whoever filters them is asked elsewhere; here nothing may become undefined."""
    assert torch.isfinite(network()(torch.zeros(2, 4, dtype=torch.int64))).all()


def test_the_filling_teaches_nothing() -> None:
    """The embedding of no word stays zero."""
    one = network().train()
    one(REPORTS).sum().backward()
    assert (one.embedding.weight.grad[0] == 0).all()
