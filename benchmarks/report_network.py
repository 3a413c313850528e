"""Networks that read reports, beside the loops of the textbooks: `python -m benchmarks.report_network`.

The same LSTM (64 units in each direction) on the same made-up reports, one thread, processor time. The peers read the reports
in the order of the file: filled up to the longest of a batch, or as torch's packed sequences.
"""

import csv
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence, pad_sequence

from benchmarks.side_by_side import Candidate, items_per_second, print_table
from lucency.data.phantoms.reports import compose_reports
from lucency.data.texts.curation import read_words
from lucency.data.texts.store import number_words
from lucency.data.texts.vocabulary import learn_vocabulary
from lucency.domain.plan import Network, Training
from lucency.domain.progress import Silence
from lucency.domain.text_plan import Text
from lucency.network.recurrent import Attention, recurrent_network
from lucency.study.folder import StudyFolder
from lucency.study.plan import read_plan
from lucency.study.reading.labelling_texts import label_texts
from lucency.study.run import run
from lucency.training.class_course import class_course
from lucency.training.device import OneDevice
from lucency.training.loop import train_member
from lucency.training.prediction import predict
from lucency.training.reports import ReportExamples

N_TRAINING, N_LABELLED, BATCH, SIZE = 2_000, 10_000, 32, 64

PLAN = """\
task: report_labelling
data:
  reports: reports.csv
  labels: {from: table, table: reports.csv, image_column: report, label_column: stated, names: {uncertain: positive}}
  patient: each_report
training: {epochs: 3}
"""


def examples(texts: list[str], is_positive: list[bool]) -> tuple[ReportExamples, int]:
    """Return reports as numbers of words, and how many words are known."""
    store = number_words([read_words(text.encode(), "text", Text())[0] for text in texts])
    rows = np.arange(len(texts))
    vocabulary = learn_vocabulary(store, rows, [str(row) for row in rows], 2)
    targets = torch.tensor(is_positive).long()
    return ReportExamples(store, vocabulary.numbers_of(store.words), rows, targets, rows.astype(np.uint64)), len(
        vocabulary
    )


class Textbook(nn.Module):
    """The network as tutorials write it; with `packed`, torch skips what fills up."""

    def __init__(self, n_words: int, packed: bool) -> None:
        super().__init__()
        self.packed = packed
        self.embedding = nn.Embedding(n_words, SIZE, padding_idx=0)
        self.memory = nn.LSTM(SIZE, SIZE, batch_first=True, bidirectional=True)
        self.attention = Attention(2 * SIZE, 1)
        self.answer = nn.Linear(2 * SIZE, 2)

    def forward(self, words: Tensor) -> Tensor:
        """Return logits."""
        n_words = (words != 0).sum(1)
        values = self.embedding(words)
        if self.packed:
            packed = pack_padded_sequence(values, n_words, batch_first=True, enforce_sorted=False)
            states, _ = pad_packed_sequence(self.memory(packed)[0], batch_first=True)
        else:
            states = self.memory(values)[0]
        return self.answer(self.attention(states, words != 0))


def textbook_training(some: ReportExamples, network: nn.Module) -> Callable[[], None]:
    """Return one epoch of a plain loop in a shuffled order."""
    reports = [torch.from_numpy(some.words(number)) for number in range(len(some))]

    def epoch() -> None:
        network.train()
        optimizer = torch.optim.AdamW(network.parameters(), 1e-3)
        for batch in torch.randperm(len(reports)).split(BATCH):
            optimizer.zero_grad()
            logits = network(pad_sequence([reports[n] for n in batch], batch_first=True))
            nn.functional.cross_entropy(logits, some.targets[batch]).backward()
            optimizer.step()

    return epoch


def textbook_prediction(some: ReportExamples, network: nn.Module) -> Callable[[], None]:
    """Return a plain loop over all reports in the order of the file."""
    reports = [torch.from_numpy(some.words(number)) for number in range(len(some))]

    def predict_all() -> None:
        network.eval()
        with torch.inference_mode():
            for start in range(0, len(reports), BATCH):
                network(pad_sequence(reports[start : start + BATCH], batch_first=True))

    return predict_all


def our_training(some: ReportExamples, n_words: int) -> Callable[[], None]:
    """Return one epoch of our loop, with its history and checkpoint."""
    settings = Training(epochs=1, batch_size=BATCH, early_stopping=None)
    few = ReportExamples(some.store, some.numbers, some.rows[:2], some.targets[:2], some.sample_keys[:2])
    course = class_course("Training", settings, some, few, 2, None, lambda _targets, _said: 0.5, 1, "key")

    def epoch() -> None:
        with tempfile.TemporaryDirectory() as folder:
            network = recurrent_network(Network(architecture="lstm"), n_words, 2, False)
            train_member(network, course, Path(folder), Silence())

    return epoch


def compare_loops() -> None:
    """Time training and prediction beside the textbook."""
    reports = compose_reports(N_TRAINING, seed=1)
    some, n_words = examples([report.text for report in reports], [report.stated == "positive" for report in reports])
    ours = recurrent_network(Network(architecture="lstm"), n_words, 2, False)
    names = {"plain loop, filled up": False, "plain loop, packed sequences": True}
    peers = {name: Textbook(n_words, packed) for name, packed in names.items()}
    training = [Candidate("**lucency**", our_training(some, n_words), N_TRAINING)]
    training += [Candidate(name, textbook_training(some, one), N_TRAINING) for name, one in peers.items()]
    print_table("Reports a second, training", "reports", training, items_per_second(training, 3))
    prediction = [Candidate("**lucency**", lambda: predict(ours, some, OneDevice("cpu")), N_TRAINING)]
    prediction += [Candidate(name, textbook_prediction(some, one), N_TRAINING) for name, one in peers.items()]
    print_table("Reports a second, prediction", "reports", prediction, items_per_second(prediction, 5))


def label_ten_thousand() -> None:
    """Time the whole way from texts to labels by a finished study, words that carried them included."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        with (folder / "reports.csv").open("w", newline="", encoding="utf-8") as file:
            rows = [(f"R{n}", r.stated, r.text) for n, r in enumerate(compose_reports(600, seed=2))]
            csv.writer(file).writerows([("report", "stated", "text"), *rows])
        (folder / "study.yaml").write_text(PLAN)
        run(read_plan(folder / "study.yaml"), StudyFolder(folder / "out"), Silence())
        texts = [report.text for report in compose_reports(N_LABELLED, seed=3)]
        started, spent = time.perf_counter(), time.process_time()
        label_texts(folder / "out", texts)
        spent, started = time.process_time() - spent, time.perf_counter() - started
    print(f"\n{N_LABELLED:,} texts labelled by a finished study: {started:.1f} s ({spent:.1f} s of one processor).")


def main() -> None:
    """Print the tables."""
    torch.set_num_threads(1)
    print("\n## Networks that read reports")
    compare_loops()
    label_ten_thousand()


if __name__ == "__main__":
    main()
