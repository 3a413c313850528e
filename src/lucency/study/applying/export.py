"""Take the networks of a finished study elsewhere: as ONNX, as a bundle of weights and configuration, with a model card.

Each form is a stage of its own: what was written, and from which weights, stands in the study's record.
"""

from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lucency import __version__
from lucency.domain.parts import Part
from lucency.domain.plan import Plan
from lucency.domain.progress import Desk
from lucency.errors import PlanError, StudyError
from lucency.provenance import environment, head_code
from lucency.study.applying.application import EXPORT
from lucency.study.applying.new_images import NOT_A_DEVICE, finished
from lucency.study.cohort import CLASSES as CLASS_NAMES
from lucency.study.cohort import questions_of
from lucency.study.folder import STAGE_DONE
from lucency.study.image_medium import IMAGES
from lucency.study.naming.application import CALIBRATION, CLASSES, read_corrections
from lucency.study.naming.classes import OPERATING_POINT, examples_of, n_outputs, read_operating_points
from lucency.study.naming.classification import NAMING
from lucency.study.plan import as_settings, without_files
from lucency.study.reporting import REPORT, gather
from lucency.study.run import carry_out
from lucency.study.stage import Stage, Study
from lucency.study.training import files_of_networks, load_member, members, weights_file

if TYPE_CHECKING:
    from torch import nn

ONNX, BUNDLE, CARD = "export/onnx", "export/bundle", "export/MODEL_CARD.md"
ONNX_CHECK = f"{ONNX}/check.json"
N_CHECKED = 32
"""Images of the tuning part on which ONNX and network are compared."""
FORMS = ("onnx", "bundle", "card")


def export_study(study: Study, forms: Iterable[str]) -> list[str]:
    """Export the networks in some forms; return what was written, below the study's folder.

    Raises:
        PlanError: packages are missing.
        StudyError: as ONNX the networks answer otherwise, or the card is asked for before the evaluation.
    """
    stages = {"onnx": _ONNX, "bundle": _BUNDLE, "card": _CARD}
    wanted = [form for form in FORMS if form in set(forms)]
    if "card" in wanted:
        _refuse_card_too_early(study)
    if "onnx" in wanted:
        from lucency.training.onnx_export import require_onnx

        require_onnx()
    with study.folder.in_use():
        before = [CLASSES.prepare] if "bundle" in wanted and CLASSES.prepare else []
        carry_out(study, [*before, *(stages[form] for form in wanted)])
    return [{"onnx": ONNX, "bundle": BUNDLE, "card": CARD}[form] for form in wanted]


def exportable(path: Path, desk: Desk) -> Study:
    """Open a finished study whose networks can be exported.

    Raises:
        PlanError: the folder holds none.
        RecordError: the networks were changed after they were trained.
    """
    study, application = finished(path, desk)
    if application is not CLASSES:
        raise PlanError(f"Networks of `task: {study.plan.task}` cannot be exported; those of `classification` can.")
    return study


def _refuse_card_too_early(study: Study) -> None:
    if study.folder.record.last(STAGE_DONE, stage="report") is None:
        raise StudyError(
            f"A model card tells the results on the test part, which {study.folder.path.name} has not got yet. Run "
            f"`lucency run {study.folder.path.name}` first, or leave the card out with --onnx --bundle."
        )


def _write_onnx(study: Study, key: str) -> Iterable[str]:  # noqa: ARG001 - every stage is given its key
    """Write each member, with its grey-level scale and its probabilities, and hold it against the network."""
    import numpy as np

    from lucency.training.device import fix_arithmetic
    from lucency.training.onnx_export import Answering, write_onnx

    fix_arithmetic(study.plan.training)
    tuning = examples_of(IMAGES, study, Part.TUNING)
    images = tuning.inputs(np.arange(min(N_CHECKED, len(tuning))))
    written, checked = [], []
    with study.desk.progress("Writing ONNX", len(members(study.plan))) as progress:
        for member in members(study.plan):
            content, agreement = write_onnx(Answering(load_member(NAMING, study, member), _last_step(study)), images)
            written.append(study.folder.write(f"{ONNX}/{member}.onnx", content))
            checked.append({"member": member, **asdict(agreement)})
            progress.advance()
    largest = max(one["largest_difference"] for one in checked)
    study.desk.say(
        f"ONNX: {len(written)} networks; on {len(images)} tuning images they answer as the networks do, to within {largest:.1g}."
    )
    facts = {"notice": NOT_A_DEVICE, "part": Part.TUNING, "answers": _answer_names(study), "members": checked}
    return [*written, study.folder.write_json(ONNX_CHECK, facts)]


def _last_step(study: Study) -> "nn.Module":
    from lucency.training.bundled import last_step

    return last_step(is_one_of_many=not questions_of(study)[0].finding)


def _answer_names(study: Study) -> list[str]:
    questions = questions_of(study)
    return [question.finding for question in questions] if questions[0].finding else list(questions[0].classes)


def _write_bundle(study: Study, key: str) -> Iterable[str]:  # noqa: ARG001 - every stage is given its key
    """Write weights, configuration and a page for people, in the places where a MONAI bundle has them."""
    folder = study.folder
    weights = [
        folder.write(f"{BUNDLE}/models/{member}.safetensors", (folder.path / weights_file(member)).read_bytes())
        for member in members(study.plan)
    ]
    study.desk.say(f"Bundle: {len(weights)} networks with configuration.")
    return [
        *weights,
        folder.write_json(f"{BUNDLE}/configs/metadata.json", _metadata(study)),
        folder.write_json(f"{BUNDLE}/configs/inference.json", _inference()),
        folder.write(f"{BUNDLE}/docs/README.md", _readme(study)),
        folder.write(f"{BUNDLE}/LICENSE", _LICENSE),
    ]


_LICENSE = (
    "No licence has been chosen. Whoever trained these networks decides, within what the licence of the data and the approval "
    "of the study allow,\nand puts the text of the licence here. Until then nobody else may use them.\n"
)


def _metadata(study: Study) -> dict[str, Any]:
    """Describe the networks in the words of MONAI's bundles, and below `lucency` in our own."""
    plan, image, names = study.plan, study.plan.data.image, _answer_names(study)
    software = environment()
    return {
        "schema": "https://github.com/Project-MONAI/MONAI-extra-test-data/releases/download/0.8.1/meta_schema_20240725.json",
        "version": "1.0.0",
        "changelog": {"1.0.0": "exported from a finished study"},
        "monai_version": software.get("monai", ""),
        "pytorch_version": software["torch"],
        "numpy_version": software["numpy"],
        "required_packages_version": {"lucency": __version__},
        "task": f"Classification: {', '.join(names)}",
        "description": f"{plan.title}. {plan.report.aim or ''}".strip(),
        "authors": plan.report.authors or "",
        "copyright": "",
        "intended_use": NOT_A_DEVICE,
        "network_data_format": {
            "inputs": {
                "image": {
                    "type": "image",
                    "format": "magnitude",
                    "num_channels": image.n_channels,
                    "spatial_shape": list(image.shape),
                    "dtype": "float32",
                    "value_range": [0, 1],
                    "is_patch_data": False,
                    "channel_def": {str(number): "image" for number in range(image.n_channels)},
                }
            },
            "outputs": {
                "pred": {
                    "type": "probabilities",
                    "format": "classes",
                    "num_channels": len(names),
                    "spatial_shape": [],
                    "dtype": "float32",
                    "value_range": [0, 1],
                    "is_patch_data": False,
                    "channel_def": {str(number): name for number, name in enumerate(names)},
                }
            },
        },
        "lucency": _own_metadata(study),
    }


def _own_metadata(study: Study) -> dict[str, Any]:
    """Say all that turns an image into an answer: form, network, correction, threshold."""
    plan, image, questions = study.plan, study.plan.data.image, questions_of(study)
    points, corrections = read_operating_points(study.folder), read_corrections(study.folder)
    return {
        "record": head_code(study.folder.record.head),
        "members": members(plan),
        "network": as_settings(without_files(plan.network)),
        "n_channels": image.n_channels,
        "shape": list(image.shape),
        "n_outputs": n_outputs(study),
        "is_one_of_many": not questions[0].finding,
        "image": as_settings(image),
        "operating_points": {name: asdict(point) if point else None for name, point in points.items()},
        "calibration": {name: asdict(correction) for name, correction in corrections.items()},
    }


def _inference() -> dict[str, Any]:
    """Let MONAI's ConfigParser build the ensemble: images as fractions of white in, probabilities out."""
    return {
        "imports": ["$import torch"],
        "bundle_root": ".",
        "device": "cpu",
        "network_def": {"_target_": "lucency.training.bundled.read_bundle", "folder": "@bundle_root"},
        "network": "$@network_def.to(@device)",
        "infer": "$lambda images: @network(images.to(@device))",
    }


def _readme(study: Study) -> str:
    """Return the model card, or, before the evaluation, what can be said without results."""
    if study.folder.record.last(STAGE_DONE, stage="report"):
        return _card(study)
    return (
        f"# {study.plan.title}\n\n**{NOT_A_DEVICE}**\n\nThe networks are trained and have not been evaluated: nothing is "
        "known of how well they answer.\n"
    )


def _write_card(study: Study, key: str) -> Iterable[str]:  # noqa: ARG001 - every stage is given its key
    study.desk.say("Model card: written from the numbers of the study.")
    return [study.folder.write(CARD, _card(study))]


def _card(study: Study) -> str:
    from lucency.report.model_card import render_model_card

    return render_model_card(gather(study.plan, study.folder), NOT_A_DEVICE)


def _reads_of_bundle(plan: Plan) -> list[str]:
    return [*files_of_networks(NAMING, plan), OPERATING_POINT, CLASS_NAMES, CALIBRATION]


_ONNX = Stage(
    f"{EXPORT}/onnx",
    "The networks are there as ONNX.",
    lambda study: {"n_checked": N_CHECKED, "image": as_settings(study.plan.data.image)},
    lambda plan: [*NAMING.reads(plan), *files_of_networks(NAMING, plan)],
    _write_onnx,
)
_BUNDLE = Stage(
    f"{EXPORT}/bundle",
    "The bundle is there.",
    lambda study: (
        REPORT.settings(study) | {"is_evaluated": study.folder.record.last(STAGE_DONE, stage="report") is not None}
    ),
    _reads_of_bundle,
    _write_bundle,
)
_CARD = Stage(f"{EXPORT}/card", "The model card is there.", REPORT.settings, REPORT.reads, _write_card)
