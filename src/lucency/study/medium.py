"""What networks look at, images or reports, and who may see which part of them."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lucency.domain.cohort import CohortRow
from lucency.domain.parts import Part
from lucency.domain.plan import Plan
from lucency.study.cohort import COHORT, split_rows_of
from lucency.study.folder import Opening, refuse_sealed
from lucency.study.stage import Study

if TYPE_CHECKING:  # torch takes seconds to import; only stages that need it do
    from torch import Tensor, nn

    from lucency.network.layer_table import LayerRow
    from lucency.training.examples import Augment, Examples


@dataclass(frozen=True)
class Medium:
    """What the networks of a task look at, images or reports, and all that depends on it whatever they answer."""

    store: tuple[str, ...]
    """Files of the folder that hold the examples."""
    learnt: tuple[str, ...]
    """Files that were learnt from the training part and belong to the weights."""
    settings: Callable[[Study], dict[str, Any]]
    """What the networks of this medium depend on, beyond what all networks do."""
    prepare: Callable[[Study], Iterable[str]]
    """Learn from the training part what has to be known before it can be read; return the files written."""
    examples: Callable[[Study, Sequence[CohortRow], "Tensor", "Tensor | None"], "Examples"]
    """Put together images or reports, their targets, and the probabilities that teach in their place where there are any."""
    untrained: Callable[[Study, int, int], "nn.Module"]
    """Build the network of the plan with so many outputs, of (study, seed, outputs); its initial weights depend on the seed."""
    fit: Callable[[Study, "nn.Module", "Examples"], None]
    """Give the network what is measured and not learnt."""
    augment: Callable[[Plan, int], "Augment | None"]
    show_samples: Callable[[Study, "Examples"], Iterable[str]]
    """Write what the report shows of the training part; return the files written."""
    layers: Callable[[Study, int], Sequence["LayerRow"]]
    """List the layers of the network with so many outputs."""


def labelled_images(study: Study, part: Part, opening: Opening | None = None) -> list[CohortRow]:
    """Return the images of one part in the order of their identifiers; the test part only to who holds its opening.

    Raises:
        SealError: the test part was asked for without an opening.
        PatientLeakError: the split leaks.
    """
    refuse_sealed(part, opening)
    chosen = {row.image_id for row in split_rows_of(study.folder) if row.part == part}
    rows = study.folder.read_rows(COHORT, CohortRow)
    return sorted((row for row in rows if row.image_id in chosen), key=lambda row: row.image_id)
