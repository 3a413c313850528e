"""Transfer learning in a study: which weights its networks begin with, and which of their stages learn when."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lucency.domain.cohort import CohortRow, SplitRow
from lucency.domain.parts import Part
from lucency.domain.plan import Plan
from lucency.domain.transfer_plan import Transfer
from lucency.errors import PatientLeakError, SourceError
from lucency.study.cohort import COHORT, SPLIT, recorded_or_measured
from lucency.study.folder import StudyFolder
from lucency.study.plan import as_settings, without_files
from lucency.study.stage import Study

if TYPE_CHECKING:  # torch takes seconds to import; only stages that need it do
    from torch import Tensor, nn

    from lucency.network.pretrained import Weights
    from lucency.network.transfer import Scale
    from lucency.training.examples import ImageExamples
    from lucency.training.freezing import Pace
    from lucency.training.standardised import Standardised

TRANSFER = "training/transfer.json"
"""Which weights the networks began with, and how many of their parameters were frozen."""
FIRST_MEMBER = "training/member-0/weights.safetensors"


@dataclass(frozen=True)
class Beginning:
    """Weights to begin with, and what is known about them."""

    tensors: "dict[str, Tensor]"
    scale: "Scale | None"
    """How grey levels were scaled for them; None where that is not known."""
    by_order: bool
    facts: dict[str, Any]
    """For the record and the report: source, licence, hash."""


def transfer_settings(study: Study) -> dict[str, Any]:
    """Return what the weights of a network depend on where it begins with others'; nothing where it does not."""
    transfer = study.plan.transfer
    if transfer is None:
        return {}
    settings = as_settings(without_files(transfer))
    del settings["folder"]  # where a download is kept changes nothing in it
    return {"transfer": settings, "transfer_sha256": _hash_of_beginning(study, transfer)}


def files_of_transfer(plan: Plan) -> list[str]:
    """Name what training writes about where its networks began."""
    return [TRANSFER] if plan.transfer else []


def write_beginning(study: Study) -> Iterable[str]:
    """Fetch the weights that the networks begin with, and write down what they are."""
    transfer = study.plan.transfer
    if transfer is None:
        return []
    return [study.folder.write_json(TRANSFER, _read(study, transfer).facts)]


def begin(study: Study, network: "Standardised", training: "ImageExamples") -> None:
    """Scale grey levels by the training part; with transfer, take over others' weights, and their scale if the plan says so."""
    from lucency.network.stages import head_of
    from lucency.network.transfer import take_over
    from lucency.network.volumes import SliceBySlice

    transfer = study.plan.transfer
    network.fit(training)
    if transfer is None:
        return
    beginning = _read(study, transfer)
    scale = None if transfer.normalisation == "own" else beginning.scale
    if transfer.normalisation == "weights" and scale is None:
        raise SourceError(
            "It is not known how grey levels were scaled for these weights. Set `transfer.normalisation` to `own`."
        )
    taking, head = network.network, head_of(network.network)
    if isinstance(taking, SliceBySlice) and not transfer.study:
        taking, head = taking.network, ()  # what is published has seen single images
    scale = take_over(taking, head, beginning.tensors, scale, beginning.by_order)
    if scale:
        network.rescale(scale)


def paces_of_plan(plan: Plan) -> "Callable[[nn.Module], Sequence[Pace]]":
    """Return the function that tells which layers of a network learn from which epoch on, and how fast."""

    def paces(network: "nn.Module") -> "Sequence[Pace]":
        from lucency.network.stages import stages_of
        from lucency.training.freezing import Pace
        from lucency.training.standardised import Standardised

        if plan.transfer is None:
            return ()
        # what answers with numbers stands behind a scale of its own
        inner = next(layer for layer in network.modules() if isinstance(layer, Standardised)).network
        stages = stages_of(inner)
        return [
            Pace(
                stage.name,
                tuple(map(inner.get_parameter, stage.parameters)),
                tuple(map(inner.get_submodule, stage.layers)),
                rate_factor(plan.transfer, n_behind),
                first_epoch(plan.transfer, n_behind),
            )
            for n_behind, stage in zip(reversed(range(len(stages))), stages, strict=True)
        ]

    return paces


def rate_factor(transfer: Transfer, n_behind: int) -> float:
    """Return the share of the learning rate of the stage so many places before the head."""
    return float(transfer.rate_factor**n_behind)


def first_epoch(transfer: Transfer, n_behind: int) -> int | None:
    """Return the epoch in which the stage so many places before the head begins to learn; None for never."""
    if n_behind == 0:
        return 0
    if transfer.unfreeze == "head" or (transfer.unfreeze != "all" and n_behind > transfer.unfreeze):
        return None
    return n_behind * transfer.thaw_epochs if transfer.thaw_epochs else 0


def _hash_of_beginning(study: Study, transfer: Transfer) -> str:
    """Hash what the plan names outside the folder; published weights are known by their name and their own hash."""
    from lucency.network.pretrained import weights_for
    from lucency.provenance import sha256_of_file

    if transfer.weights:
        return weights_for(transfer.weights, study.plan.network.architecture).sha256

    def measure() -> str:
        path = _file_of(transfer)
        if not path.is_file():
            raise _missing(transfer, path)
        return sha256_of_file(path)

    named = transfer.study or transfer.file or ""
    return recorded_or_measured(study, "train", "transfer_sha256", named, measure)


def _file_of(transfer: Transfer) -> Path:
    return Path(transfer.study or "") / FIRST_MEMBER if transfer.study else Path(transfer.file or "")


def _missing(transfer: Transfer, path: Path) -> SourceError:
    if transfer.study:
        return SourceError(
            f"{transfer.study} holds no finished networks ({FIRST_MEMBER} is not there). Check `transfer.study` in the plan, "
            "and finish that study first."
        )
    return SourceError(f"There is no file {path}. Check `transfer.file` in the plan.")


def _read(study: Study, transfer: Transfer) -> Beginning:
    """Read the weights that the plan names; download them if need be.

    Raises:
        SourceError: they are not to be had, or not what they should be.
        PatientLeakError: they were learnt from images of this study's tuning or test part.
    """
    if transfer.weights:
        return _published(study, transfer)
    return _from_study(study, transfer) if transfer.study else _from_file(study, transfer)


def _published(study: Study, transfer: Transfer) -> Beginning:
    from lucency.network.pretrained import folder_of_weights, obtain, weights_for

    weights = weights_for(transfer.weights or "", study.plan.network.architecture)
    return _of_weights(weights, obtain(weights, folder_of_weights(transfer.folder), study.desk))


def _of_weights(weights: "Weights", path: Path) -> Beginning:
    from lucency.network.pretrained import read_tensors
    from lucency.network.transfer import Scale
    from lucency.provenance import sha256_of_file

    facts = {
        "name": weights.name,
        "source": weights.source,
        "trained_on": weights.trained_on,
        "licence": weights.licence,
        "citation": weights.citation,
        "sha256": sha256_of_file(path),
    }
    return Beginning(read_tensors(path), Scale(weights.mean, weights.deviation), weights.by_order, facts)


def _from_file(study: Study, transfer: Transfer) -> Beginning:
    from lucency.network.pretrained import read_tensors, recognised
    from lucency.provenance import sha256_of_file

    path = _file_of(transfer)
    if not path.is_file():
        raise _missing(transfer, path)
    weights = recognised(path, study.plan.network.architecture)
    if weights:
        return _of_weights(weights, path)
    facts = {
        "name": path.name,
        "source": "a file of one's own",
        "trained_on": "not known",
        "licence": "not known",
        "citation": "",
        "sha256": sha256_of_file(path),
    }
    return Beginning(read_tensors(path), None, False, facts)


def _from_study(study: Study, transfer: Transfer) -> Beginning:
    """Take the first network of a finished study, out of its scale of grey levels."""
    from lucency.network.pretrained import read_tensors
    from lucency.provenance import sha256_of_file
    from lucency.study.plan import read_plan

    path = _file_of(transfer)
    if not path.is_file():
        raise _missing(transfer, path)
    other = StudyFolder(Path(transfer.study or ""))
    _refuse_leak(study.folder, other)
    inner, scale = _out_of_scale(read_tensors(path))
    title = read_plan(other.path / "study.yaml").title
    facts = {
        "name": title,
        "source": f"the finished study “{title}”",
        "trained_on": "the training part of that study",
        "licence": "as that of its images",
        "citation": "",
        "sha256": sha256_of_file(path),
    }
    return Beginning(inner, scale, False, facts)


def _out_of_scale(tensors: "dict[str, Tensor]") -> "tuple[dict[str, Tensor], Scale]":
    """Take a trained network out of its scale of grey levels; one that measures stands behind a scale of its own besides."""
    from lucency.network.transfer import Scale

    if "network.mean" in tensors:
        tensors = {name.removeprefix("network."): tensor for name, tensor in tensors.items()}
    if "mean" not in tensors:
        raise SourceError(
            "The networks of `transfer.study` do not look at whole images. Begin with a study of `task: classification` or "
            "`regression`."
        )
    scale = Scale(*(tuple(tensors[name].flatten().tolist()) for name in ("mean", "deviation")))
    return {n.removeprefix("network."): tensor for n, tensor in tensors.items() if n.startswith("network.")}, scale


def _refuse_leak(folder: StudyFolder, other: StudyFolder) -> None:
    """Refuse a network that has already learnt from images by which this study will judge it."""
    learnt = _pixels(other, (Part.TRAINING, Part.TUNING))
    judging = _pixels(folder, (Part.TUNING, Part.TEST))
    n_shared = len(learnt & judging)
    if n_shared:
        raise PatientLeakError(
            f"The network of `transfer.study` has learnt from {n_shared} images that stand in the tuning or test part here. "
            "Begin with a study of other patients."
        )


def _pixels(folder: StudyFolder, parts: Sequence[Part]) -> set[str]:
    """Return the hashes of the pixels of some parts."""
    part_of = {row.image_id: row.part for row in folder.read_rows(SPLIT, SplitRow)}
    return {row.pixel_sha256 for row in folder.read_rows(COHORT, CohortRow) if part_of.get(row.image_id) in parts}


def weights_in_words(plan: Plan) -> str:
    """Say what the networks of a plan begin with."""
    transfer = plan.transfer
    if transfer is None:
        return "random parameters"
    if transfer.study:
        return "the network of an earlier study"
    if transfer.file:
        return f"the weights in {Path(transfer.file).name}"
    return "the ImageNet weights" if transfer.weights == "imagenet" else f"the weights {transfer.weights}"
