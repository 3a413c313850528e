"""The stage of training, whatever the networks answer: prepare, show, and teach every member."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from lucency.domain.plan import Plan
from lucency.domain.speed import Speed
from lucency.errors import StudyError
from lucency.randomness import key as counted_key
from lucency.study.plan import as_settings, without_files
from lucency.study.stage import Stage, Study
from lucency.study.transfer import paces_of_plan

if TYPE_CHECKING:  # torch takes seconds to import; only stages that need it do
    from torch import nn

    from lucency.network.layer_table import LayerRow
    from lucency.training.course import Course
    from lucency.training.freezing import Pace

LAYERS = "tables/layers.json"
SPEED = "training/speed.json"
"""How steps are computed, and what a trial measured."""


@dataclass(frozen=True)
class Task:
    """What the networks of a task learn from, and how; its examples are whatever its course can deal."""

    reads: Callable[[Plan], list[str]]
    """Files that hold the examples and what they are compared with."""
    learnt: tuple[str, ...]
    """Files that were learnt from the training part and belong to the weights."""
    settings: Callable[[Study], dict[str, Any]]
    """What the networks depend on, beyond what all networks do."""
    prepare: Callable[[Study], Iterable[str]]
    """Learn from the training part what has to be known before it can be read; return the files written."""
    parts: Callable[[Study], tuple[Any, Any]]
    """Return the examples of the training and the tuning part; refuse those from which nothing can be learnt."""
    untrained: Callable[[Study, int], "nn.Module"]
    """Build the network of the plan with initial weights that depend on the seed alone."""
    fit: Callable[[Study, "nn.Module", Any], None]
    """Give the network what is measured on the training examples and not learnt."""
    course: Callable[[Study, str, tuple[Any, Any], int, str], "Course"]
    """Put together what a network learns from, of (study, title, training and tuning examples, seed, key)."""
    show_samples: Callable[[Study, Any], Iterable[str]]
    """Write what the report shows of the training examples; return the files written."""
    layers: Callable[[Study], Sequence["LayerRow"]]


def train_stage(task: Task) -> Stage:
    """Return the stage that trains the networks of a task."""
    return Stage(
        "train", "The networks are trained.", partial(settings_of_training, task), task.reads, partial(_train, task)
    )


def course_of(task: Task, study: Study, title: str, parts: tuple[Any, Any], seed: int, key: str) -> "Course":
    """Put together what a network of a task learns from, and which of its stages learn when."""
    return replace(task.course(study, title, parts, seed, key), paces=paces_of_plan(study.plan))


def settings_of_training(task: Task, study: Study) -> dict[str, object]:
    """Return all of the plan that the weights of a network depend on."""
    plan = study.plan
    training = as_settings(plan.training)
    del training["checkpoint_minutes"]  # how often to save changes nothing that is saved
    return {
        "network": as_settings(without_files(plan.network)),
        "training": training,
        **task.settings(study),
        "seed": plan.seed,
    }


def files_of_networks(task: Task, plan: Plan) -> list[str]:
    """Name the files that make up the trained networks."""
    return [*map(weights_file, members(plan)), *task.learnt]


def members(plan: Plan) -> list[str]:
    """Name the members of the ensemble."""
    return [f"member-{number}" for number in range(plan.training.n_members)]


def weights_file(member: str) -> str:
    """Say where the weights of a member's best epoch lie."""
    return f"training/{member}/weights.safetensors"


def history_file(member: str) -> str:
    """Say where the history of a member lies."""
    return f"training/{member}/history.csv"


def outcome_file(member: str) -> str:
    """Say where it stands which epoch of a member was best, and why it stopped."""
    return f"training/{member}/outcome.json"


def load_member(task: Task, study: Study, member: str) -> "nn.Module":
    """Build a member's network with the weights of its best epoch."""
    from safetensors.torch import load_file

    network = task.untrained(study, 0)
    network.load_state_dict(load_file(study.folder.path / weights_file(member)))
    return network


def _train(task: Task, study: Study, key: str) -> Iterable[str]:
    """Train every member on the training part; each keeps the weights of its best epoch on the tuning part."""
    written = [*task.prepare(study)]
    parts = task.parts(study)
    written += [*task.show_samples(study, parts[0])]
    written.append(study.folder.write_json(LAYERS, [asdict(row) for row in task.layers(study)]))
    for number, member in enumerate(members(study.plan)):
        seed = counted_key(study.plan.seed, "member", number) >> 1
        title = f"Training {member}" if study.plan.training.n_members > 1 else "Training"
        course = course_of(task, study, title, parts, seed, key)
        if number == 0:
            written.append(_choose_speed(task, study, course))
        written += _train_member(task, study, member, course)
    return written


def _choose_speed(task: Task, study: Study, course: "Course") -> str:
    """Try how steps are computed fastest, and write it down; an interrupted training goes on as it was chosen."""
    from lucency.training.trial import try_speed, use_speed

    folder = study.folder
    known = folder.read_json(SPEED) if (folder.path / SPEED).exists() else {}
    if known.pop("key", "") == course.key:
        use_speed(Speed(**known))
        return SPEED
    speed = try_speed(task.untrained(study, course.seed), course)
    if speed.is_tried:
        study.desk.say(
            f"{course.title}: a step takes {speed.chosen_seconds:.2f} s of processor time, {speed.gain:.2f} times as fast as "
            "PyTorch by itself."
        )
    return folder.write_json(SPEED, {"key": course.key, **asdict(speed)})


def _train_member(task: Task, study: Study, member: str, course: "Course") -> Iterable[str]:
    """Train one network and write its weights, its history and how it ended."""
    from safetensors.torch import save

    from lucency.training.freezing import count_frozen, hash_of, names_of_frozen
    from lucency.training.loop import train_member

    folder = study.folder
    network = task.untrained(study, course.seed)
    task.fit(study, network, course.training)
    paces = course.paces(network)
    frozen = names_of_frozen(network, paces)
    before = hash_of(network.state_dict(), frozen)
    outcome = train_member(network, course, (folder.path / weights_file(member)).parent, study.desk)
    best = outcome.history[outcome.best_epoch - 1]
    by = "which" if study.plan.training.select_by == "measure" else "whose cost"
    study.desk.say(
        f"{course.title}: {len(outcome.history)} epochs, {outcome.stopped_because}; the best is epoch "
        f"{outcome.best_epoch} ({course.measure.name} {best.tuning_measure:.3f} on the tuning part, {by} chose it)."
    )
    facts = {
        "best_epoch": outcome.best_epoch,
        "stopped_because": outcome.stopped_because,
        "measure": course.measure.name,
        "seed": course.seed,
        "stages": [_stage_in_words(pace) for pace in paces],
        **_proof_of_frozen(count_frozen(paces), before, hash_of(outcome.weights, frozen)),
    }
    return [
        folder.write(weights_file(member), save(outcome.weights)),
        folder.write_rows(history_file(member), outcome.history),
        folder.write_json(outcome_file(member), facts),
    ]


def _stage_in_words(pace: "Pace") -> dict[str, Any]:
    """Tell how one stage learnt; people count epochs from 1."""
    return {
        "name": pace.name,
        "n_parameters": sum(parameter.numel() for parameter in pace.parameters),
        "rate_factor": pace.rate_factor,
        "from_epoch": None if pace.from_epoch is None else pace.from_epoch + 1,
    }


def _proof_of_frozen(n_parameters: int, before: str, after: str) -> dict[str, Any]:
    """Prove that what was frozen did not change; nothing where nothing was frozen.

    Raises:
        StudyError: it did change.
    """
    if n_parameters == 0:
        return {}
    if after != before:
        raise StudyError("Frozen parameters changed in training. This is a fault of lucency; please report it.")
    return {"frozen": {"n_parameters": n_parameters, "sha256_before": before, "sha256_after": after}}
