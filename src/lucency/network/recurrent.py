"""Networks that read a report word by word: LSTM and GRU, in one direction or two, with attention over the words.

A report is a row of word numbers, axes (report, word), filled up with 0 behind its end. The memory stops at the end of each
report, and attention never looks behind it, so that a network says the same however far a report is filled up.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from lucency.domain.network_plan import Network
from lucency.domain.text_plan import Recurrent
from lucency.network.layer_table import LayerRow

PADDING = 0
RECURRENT: dict[str, type[nn.LSTM] | type[nn.GRU]] = {"lstm": nn.LSTM, "gru": nn.GRU}
"""Long short-term memory (Hochreiter and Schmidhuber 1997) and gated recurrent units (Cho et al. 2014)."""


def recurrent_network(settings: Network, n_words: int, n_outputs: int, asks_findings: bool) -> "ReadingNetwork":
    """Build the plan's network for a vocabulary of `n_words`; `asks_findings` where each output is a finding of its own."""
    chosen, dropout = settings.recurrent, settings.dropout or 0.0
    memory = memory_of(settings.architecture, chosen, chosen.embedding_size, dropout)
    # with attention, each finding looks at words of its own (Mullenbach et al. 2018)
    n_looks = n_outputs if asks_findings and chosen.pooling == "attention" else 1
    n_features = memory.n_features
    return ReadingNetwork(
        embedding=nn.Embedding(n_words, chosen.embedding_size, padding_idx=PADDING),
        embedding_dropout=nn.Dropout(chosen.embedding_dropout),
        memory=memory,
        pooling=pooling_of(chosen, n_features, n_looks),
        dropout=nn.Dropout(dropout),
        answer=OneEach(n_looks, n_features) if n_looks > 1 else nn.Linear(n_features, n_outputs),
    )


def memory_of(kind: str, settings: Recurrent, n_inputs: int, dropout: float) -> "Memory":
    """Build the memory that the plan describes, for so many numbers a word or slice."""
    return Memory(RECURRENT[kind], n_inputs, settings, dropout)


def pooling_of(settings: Recurrent, n_features: int, n_looks: int = 1) -> "Attention | Strongest | Mean | LastState":
    """Build the pooling that the plan names, for so many features a word or slice."""
    pooling: dict[str, Callable[[], Attention | Strongest | Mean | LastState]] = {
        "attention": lambda: Attention(n_features, n_looks),
        "max": Strongest,
        "mean": Mean,
        "last": lambda: LastState(settings.hidden_units),
    }
    return pooling[settings.pooling]()


class ReadingNetwork(nn.Module):
    """Embedding → memory → pooling → answer."""

    def __init__(
        self,
        embedding: nn.Embedding,
        embedding_dropout: nn.Dropout,
        memory: "Memory",
        pooling: "Attention | Strongest | Mean | LastState",
        dropout: nn.Dropout,
        answer: "OneEach | nn.Linear",
    ) -> None:
        super().__init__()
        self.embedding = embedding
        self.embedding_dropout = embedding_dropout
        self.memory = memory
        self.pooling = pooling
        self.dropout = dropout
        self.answer = answer

    def forward(self, words: Tensor) -> Tensor:
        """Return logits, axes (report, class or finding), for numbers of words, axes (report, word)."""
        return self.answer_from(self.embedding(words), words)

    def answer_from(self, embedded: Tensor, words: Tensor) -> Tensor:
        """Return logits for embeddings, axes (report, word, number), of these words."""
        states, is_word = self.states(embedded, words)
        logits: Tensor = self.answer(self.dropout(self.pooling(states, is_word)))
        return logits

    def states(self, embedded: Tensor, words: Tensor) -> tuple[Tensor, Tensor]:
        """Return what the memory holds at each word, axes (report, word, unit), and which places hold a word."""
        n_words = (words != PADDING).sum(1).clamp(min=1)
        is_word = torch.arange(words.shape[1], device=words.device) < n_words[:, None]
        return self.memory(self.embedding_dropout(embedded), n_words), is_word

    def attention(self, words: Tensor) -> Tensor | None:
        """Return how much each look attends to each word, axes (report, look, word); None without attention.

        The weights of one report and look sum to 1 over its words and are 0 behind its end.
        """
        if not isinstance(self.pooling, Attention):
            return None
        return self.pooling.weights(*self.states(self.embedding(words), words))


class Memory(nn.Module):
    """Recurrent layers that read forwards, or forwards and backwards (Schuster and Paliwal 1997).

    What is read backwards is turned round within its own length, so that every report begins with a word and what fills it
    up comes last, where no memory looks back from. Torch's packed sequences do the same four times slower.
    """

    def __init__(self, kind: type[nn.LSTM] | type[nn.GRU], n_inputs: int, settings: Recurrent, dropout: float) -> None:
        super().__init__()
        self.n_features = (2 if settings.bidirectional else 1) * settings.hidden_units
        sizes = [n_inputs, *[self.n_features] * (settings.layers - 1)]
        self.forwards = nn.ModuleList(kind(size, settings.hidden_units, batch_first=True) for size in sizes)
        self.backwards = nn.ModuleList(
            kind(size, settings.hidden_units, batch_first=True) for size in (sizes if settings.bidirectional else [])
        )
        self.dropout = nn.Dropout(dropout)

    def forward(self, values: Tensor, n_words: Tensor) -> Tensor:
        """Return the states, axes (report, word, unit), for axes (report, word, number) and the words of each report."""
        turned = (n_words[:, None] - 1 - torch.arange(values.shape[1], device=values.device)).clamp(min=0)
        for number, forwards in enumerate(self.forwards):
            values = self.dropout(values) if number else values
            states = [forwards(values)[0]]
            if self.backwards:
                states.append(_taken(self.backwards[number](_taken(values, turned))[0], turned))
            values = torch.cat(states, dim=2)
        return values


def _taken(values: Tensor, places: Tensor) -> Tensor:
    """Take the words at some places, axes (report, word), out of values with axes (report, word, number)."""
    return values.gather(1, places[:, :, None].expand(-1, -1, values.shape[2]))


class Attention(nn.Module):
    """Attention over words (Bahdanau et al. 2015; Yang et al. 2016): a mean of the states, weighted by what was learnt.

    The weight of word t is softmax_t(v · tanh(W h_t + b)), with a vector v for each look.
    """

    def __init__(self, n_features: int, n_looks: int) -> None:
        super().__init__()
        self.key = nn.Linear(n_features, n_features)
        self.look = nn.Linear(n_features, n_looks, bias=False)

    def weights(self, states: Tensor, is_word: Tensor) -> Tensor:
        """Return the weight of each word, axes (report, look, word)."""
        scores = self.look(torch.tanh(self.key(states))).masked_fill(~is_word[:, :, None], -torch.inf)
        return scores.softmax(1).transpose(1, 2)

    def forward(self, states: Tensor, is_word: Tensor) -> Tensor:
        """Return the weighted mean, axes (report, feature), or (report, look, feature) where there are several looks."""
        means = self.weights(states, is_word) @ states
        return means.squeeze(1) if means.shape[1] == 1 else means


class Strongest(nn.Module):
    """The strongest value of each unit over all words (max pooling over time; Collobert et al. 2011)."""

    def forward(self, states: Tensor, is_word: Tensor) -> Tensor:
        """Return axes (report, feature)."""
        return states.masked_fill(~is_word[:, :, None], -torch.inf).amax(1)


class Mean(nn.Module):
    """The mean of each unit over all words."""

    def forward(self, states: Tensor, is_word: Tensor) -> Tensor:
        """Return axes (report, feature)."""
        return (states * is_word[:, :, None]).sum(1) / is_word.sum(1, keepdim=True)


class LastState(nn.Module):
    """What is remembered at the end: behind the last word, and read backwards, before the first."""

    def __init__(self, n_forwards: int) -> None:
        super().__init__()
        self.n_forwards = n_forwards

    def forward(self, states: Tensor, is_word: Tensor) -> Tensor:
        """Return axes (report, feature)."""
        last = is_word.sum(1) - 1
        forwards = states[torch.arange(len(states), device=states.device), last, : self.n_forwards]
        return torch.cat([forwards, states[:, 0, self.n_forwards :]], dim=1)


class OneEach(nn.Module):
    """A weighted sum for each finding, of the features that its own look has gathered."""

    def __init__(self, n_findings: int, n_features: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(n_findings, n_features))
        self.bias = nn.Parameter(torch.empty(n_findings))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw initial weights as a fully connected layer does."""
        bound = self.weight.shape[1] ** -0.5
        nn.init.uniform_(self.weight, -bound, bound)
        nn.init.uniform_(self.bias, -bound, bound)

    def forward(self, features: Tensor) -> Tensor:
        """Return axes (report, finding) for features with axes (report, finding, feature)."""
        return (features * self.weight).sum(2) + self.bias


POOLED: dict[type[nn.Module], str] = {
    Attention: "attention over the words",
    Strongest: "max pooling over the words",
    Mean: "mean over the words",
    LastState: "the last state",
}


def reading_layers(network: ReadingNetwork) -> list[LayerRow]:
    """List the layers with their parameters; the outputs are numbers a word up to the pooling, and a report from there on."""
    memory, n_numbers = network.memory, network.embedding.embedding_dim
    rows = [_row("embedding", "embedding: numbers for each word", n_numbers, [network.embedding])]
    for number, forwards in enumerate(memory.forwards):
        kind = "long short-term memory (LSTM)" if isinstance(forwards, nn.LSTM) else "gated recurrent units (GRU)"
        both = [forwards, *memory.backwards[number : number + 1]]
        n_features = sum(layer.hidden_size for layer in both)
        words = f"{kind}{', forwards and backwards' if len(both) > 1 else ''}"
        rows.append(_row(f"memory {number + 1}", words, n_features, both))
    pooled = POOLED[type(network.pooling)]
    rows.append(_row("pooling", pooled, n_features, [network.pooling]))
    n_outputs = len(network.answer.bias)
    rows.append(_row("answer", "fully connected", n_outputs, [network.answer]))
    return rows


def _row(name: str, kind: str, n_numbers: int, layers: Sequence[nn.Module]) -> LayerRow:
    """Count the parameters of what stands in one row of the table."""
    parameters = [(key, p) for layer in layers for key, p in layer.named_parameters()]
    n_biases = sum(p.numel() for key, p in parameters if "bias" in key)
    n_all = sum(p.numel() for _, p in parameters)
    return LayerRow(
        name=name,
        kind=kind,
        output_shape=(n_numbers,),
        n_kernels=None,
        kernel_size=None,
        stride=None,
        padding=None,
        n_weights=n_all - n_biases,
        n_biases=n_biases,
        n_parameters=n_all,
        n_trainable=sum(p.numel() for _, p in parameters if p.requires_grad),
        receptive_field_pixels=None,
    )
