"""The plan's part about radiology reports that networks read (`task: report_labelling`)."""

from typing import Annotated, Literal

from pydantic import Field

from lucency.domain.section import File, Section


class Text(Section):
    """How reports are read and turned into words. The text never leaves this computer."""

    text_column: str = "text"
    """Column that holds the text, when the reports lie in a table."""
    id_column: str = "report"
    """Column that names each report of a table. A table of labels names the reports in the same way; reports in a folder are
    named by their files."""
    sections: Literal["findings_and_impression", "all"] = "findings_and_impression"
    """Parts of a report that are read. Indication, history and technique say what was feared, not what was seen; a report
    without headings is read whole."""
    most_words: Annotated[int, Field(ge=8, le=100_000)] = 400
    """Of a longer report, the first and the last half of so many words are read."""
    least_count: Annotated[int, Field(ge=1)] = 2
    """Words that stand less often in the training part are not learnt; they count as unknown."""


class Recurrent(Section):
    """A network that reads a report word by word, or a volume slice by slice (a slice then takes the place of a word)."""

    embedding_size: Annotated[int, Field(ge=1, le=4096)] = 64
    """Numbers that stand for a word (embedding); not for slices."""
    hidden_units: Annotated[int, Field(ge=1, le=4096)] = 64
    """Units of the memory, in each direction and layer."""
    layers: Annotated[int, Field(ge=1, le=3)] = 1
    """Recurrent layers on top of each other."""
    bidirectional: bool = True
    """Read forwards and backwards, so that a word is understood by what follows it, too."""
    pooling: Literal["attention", "max", "mean", "last"] = "attention"
    """How the words of a report become one answer: `attention` learns which words count, `max` takes the strongest value of
    each unit, `mean` their mean, `last` what is remembered at the end."""
    embedding_dropout: Annotated[float, Field(ge=0, lt=1)] = 0.2
    """Share of the embeddings' numbers that are silenced at random while training; not for slices."""
    vectors: File | None = None
    """File of word vectors to begin with (text format of word2vec, GloVe or fastText, also .gz); `embedding_size` must be
    theirs. Null begins at random."""
