"""A study that is stopped, killed or changed ends in the same numbers as one that was left in peace."""

import json
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from lucency.domain.progress import Silence
from lucency.study.folder import StudyFolder
from lucency.study.plan import read_plan
from lucency.study.run import run
from studies.commands import Running, done, lucency, record, stages

ALL_STAGES = ["curate", "label", "split", "describe", "train", "predict", "evaluate", "explain", "report"]
SETTINGS = ("training.epochs=40", "training.early_stopping=null", "training.checkpoint_minutes=0.0005")
"""Long enough to be stopped in the middle; a checkpoint every 30 milliseconds."""


def command(plan_file: Path, out: Path, *settings: str, verb: str = "run") -> list[str | Path]:
    sets = [word for setting in (*SETTINGS, *settings) for word in ("--set", setting)]
    return [verb, plan_file, "--out", out, *sets]


def results(folder: Path) -> dict[str, object]:
    """Return all that must not depend on interruptions: everything but times, checkpoints and the record."""
    files = ["cohort.csv", "labels.csv", "classes.json", "split.csv", "certificate.json", "store/images.bin"]
    files += ["tuning_predictions.csv", "operating_point.json", "predictions.csv", "metrics.json"]
    files += [str(path.relative_to(folder)) for path in folder.glob("training/*/weights.safetensors")]
    files += [str(path.relative_to(folder)) for path in folder.glob("figures/*")]
    content: dict[str, object] = {file: (folder / file).read_bytes() for file in files}
    for history in folder.glob("training/*/history.csv"):
        # the last column is the seconds that an epoch took
        content[str(history.relative_to(folder))] = [
            line.rsplit(",", 1)[0] for line in history.read_text().splitlines()
        ]
    return content


def assert_same_study(folder: Path, undisturbed: Path) -> None:
    """Compare bit by bit, and make sure that nothing was left lying about."""
    ours, theirs = results(folder), results(undisturbed)
    assert ours.keys() == theirs.keys()
    assert [file for file in ours if ours[file] != theirs[file]] == []
    assert any(file.endswith("weights.safetensors") for file in ours)
    assert not [path for path in folder.rglob("*") if path.name.endswith(".tmp") or path.name == "journal.jsonl"]
    done("audit", folder)


@pytest.fixture
def undisturbed(tmp_path: Path, plan_file: Path) -> Path:
    """Return the folder of a study that nobody stopped."""
    done(*command(plan_file, tmp_path / "undisturbed"))
    return tmp_path / "undisturbed"


def is_training(folder: Path) -> bool:
    return any(folder.glob("training/*/checkpoint-*.safetensors"))


# Stopped by the user


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_training_goes_on_to_the_same_end(
    tmp_path: Path, plan_file: Path, undisturbed: Path, number: signal.Signals
) -> None:
    """Ctrl-C and a shutdown lose nothing: the checkpoint holds all that training needs."""
    out = tmp_path / "s"
    running = Running(*command(plan_file, out), log=tmp_path / "log")
    running.wait_until(lambda: is_training(out))
    running.send(number)
    asked = time.monotonic()
    answer = running.end()
    assert time.monotonic() - asked < 5
    assert answer.code == 130, answer
    assert "Stopping at the next safe place" in answer.err
    assert "Stopped. What was finished is kept; run the same command again to go on." in answer.err
    assert "Traceback" not in answer.err
    assert stages(out) == ALL_STAGES[:4]
    done("audit", out)
    done(*command(plan_file, out))
    assert stages(out) == ALL_STAGES
    assert_same_study(out, undisturbed)


def test_a_second_signal_stops_at_once(tmp_path: Path, plan_file: Path, undisturbed: Path) -> None:
    """Who presses ctrl-C twice does not want to wait, and still loses nothing that was finished."""
    out = tmp_path / "s"
    running = Running(*command(plan_file, out), log=tmp_path / "log")
    running.wait_until(lambda: is_training(out))
    running.send(signal.SIGINT)
    running.send(signal.SIGINT)
    answer = running.end()
    assert answer.code == 130, answer
    assert "run the same command again" in answer.err
    assert "Traceback" not in answer.err
    done(*command(plan_file, out))
    assert_same_study(out, undisturbed)


def test_a_stopped_curation_goes_on_where_it_was(tmp_path: Path, plan_file: Path) -> None:
    """Reading a large archive takes hours; those must not be read again."""
    out = tmp_path / "s"
    plan = read_plan(plan_file)

    class Stop(Silence):
        """A desk whose user loses patience after ten images."""

        n = 0

        def advance(self, n_steps: int = 1, detail: str = "") -> None:
            self.n += n_steps
            if self.n == 10:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(plan, StudyFolder(out), Stop(), "split")
    begun = Beginnings()
    run(plan, StudyFolder(out), begun, "split")
    assert begun.n_done == {"Reading images": 10}
    done("split", plan_file, "--out", tmp_path / "undisturbed")
    for file in ("cohort.csv", "split.csv", "store/images.bin"):
        assert (out / file).read_bytes() == (tmp_path / "undisturbed" / file).read_bytes()


class Beginnings(Silence):
    """A desk that notes how much of each job was done already when it began."""

    def __init__(self) -> None:
        self.n_done: dict[str, int] = {}

    @contextmanager
    def progress(self, title: str, n_steps: int, n_done: int = 0) -> Iterator[Silence]:
        self.n_done[title] = n_done
        yield self


@pytest.mark.slow
def test_the_program_itself_stops_at_ctrl_c(tmp_path: Path, plan_file: Path) -> None:
    """The whole way: a shell, a process, a signal, an exit code."""
    out = tmp_path / "s"
    words = [sys.executable, "-m", "lucency", *map(str, command(plan_file, out, "training.epochs=100000"))]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while not is_training(out) and process.poll() is None:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "Traceback" not in err
    assert "run the same command again" in err


# Killed


def kill_until_done(plan_file: Path, out: Path, log: Path, kills: Iterator[dict[str, float]]) -> list[list[str]]:
    """Kill and start again as long as there are kills, then let the study end; return the stages done at each kill."""
    done_at_kill = []
    for kill in kills:
        running = Running(*command(plan_file, out), log=log, die_at_write=int(kill.get("write", 0)))
        if "seconds" in kill:
            running.wait_until(lambda: (out / ".lock").exists())
            running.sleep(kill["seconds"])
            running.send(signal.SIGKILL)
        answer = running.end()
        if answer.code == 0:
            break
        assert answer.code == -signal.SIGKILL, answer
        done_at_kill.append(stages(out))
    done(*command(plan_file, out))
    return done_at_kill


def n_durable_writes(plan_file: Path, out: Path, monkeypatch: pytest.MonkeyPatch) -> int:
    """Count how often an undisturbed study makes something durable."""
    import os

    calls, fsync = [], os.fsync
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", lambda descriptor: (calls.append(1), fsync(descriptor)))
        done(*command(plan_file, out))
    return len(calls)


@pytest.mark.parametrize(
    "seed", [1, 2, pytest.param(3, marks=pytest.mark.slow), pytest.param(4, marks=pytest.mark.slow)]
)
def test_a_study_killed_at_random_moments_ends_the_same(
    tmp_path: Path, plan_file: Path, undisturbed: Path, seed: int
) -> None:
    """`kill -9` five times in a row, each time somewhere else in the run, and again until it is done."""
    seconds = sum(entry["payload"].get("seconds", 0) for entry in record(undisturbed))
    draw = random.Random(seed)
    kills = iter([{"seconds": draw.uniform(0, max(0.3, seconds))} for _ in range(5)])
    out = tmp_path / "s"
    kill_until_done(plan_file, out, tmp_path / "log", kills)
    assert_same_study(out, undisturbed)
    assert StudyFolder(out).n_openings() == 1


@pytest.mark.parametrize("seed", [1, 2, *(pytest.param(n, marks=pytest.mark.slow) for n in range(3, 7))])
def test_a_study_killed_while_it_writes_ends_the_same(
    tmp_path: Path, plan_file: Path, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The moments that hurt are those between two writes: die just before one of them, five times in a row."""
    n_writes = n_durable_writes(plan_file, tmp_path / "undisturbed", monkeypatch)
    assert n_writes > 50
    draw = random.Random(seed)
    kills = iter([{"write": draw.randint(1, n_writes // 2)} for _ in range(5)])
    out = tmp_path / "s"
    assert kill_until_done(plan_file, out, tmp_path / "log", kills)
    assert_same_study(out, tmp_path / "undisturbed")
    assert StudyFolder(out).n_openings() == 1


@pytest.mark.parametrize("stage", ["train", "predict", "evaluate", "explain"])
def test_a_kill_at_the_end_of_a_stage_costs_only_that_stage(
    tmp_path: Path, plan_file: Path, undisturbed: Path, stage: str
) -> None:
    """All files of a stage are there, but the record does not say so yet: the stage is done again, to the same end."""
    out = tmp_path / "s"
    done(*command(plan_file, out, verb=ALL_STAGES[ALL_STAGES.index(stage) - 1] if stage != "evaluate" else "train"))
    before = stages(out)
    running = Running(*command(plan_file, out), log=tmp_path / "log", die_at_write=3)
    assert running.end().code == -signal.SIGKILL
    done(*command(plan_file, out))
    assert stages(out)[: len(before)] == before
    assert stages(out) == ALL_STAGES
    assert_same_study(out, undisturbed)


def test_training_goes_on_from_its_checkpoint(tmp_path: Path, plan_file: Path) -> None:
    """A killed night of training must not begin again at its first image."""
    out = tmp_path / "s"
    running = Running(*command(plan_file, out), log=tmp_path / "log")
    running.wait_until(lambda: is_training(out))
    running.send(signal.SIGKILL)
    running.end()
    begun = Beginnings()
    run(read_plan(plan_file, SETTINGS), StudyFolder(out), begun, "train")
    assert begun.n_done["Training"] > 0
    assert "Reading images" not in begun.n_done


# Run again


def test_a_run_that_ended_a_moment_ago_is_seen(tmp_path: Path, plan_file: Path) -> None:
    """Who opened the folder while another lucency worked in it must not go on from a record that is out of date."""
    out = tmp_path / "s"
    early = StudyFolder(out)
    done("label", plan_file, "--out", out)
    run(read_plan(plan_file), early, Silence(), "split")
    assert stages(out) == ALL_STAGES[:3]
    done("audit", out)


def snapshot(folder: Path) -> dict[str, tuple[int, bytes]]:
    return {
        str(path.relative_to(folder)): (path.stat().st_mtime_ns, path.read_bytes())
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != ".lock"
    }


def test_a_second_run_does_nothing(undisturbed: Path, plan_file: Path) -> None:
    """What is done is done: no file is touched, and the record does not grow."""
    before = snapshot(undisturbed)
    answer = done(*command(plan_file, undisturbed))
    assert "The images are read." in answer.out
    assert "it stays as it was" in answer.out
    assert snapshot(undisturbed) == before
    done("run", undisturbed)
    assert snapshot(undisturbed) == before


@pytest.mark.parametrize(
    ("setting", "redone"),
    [
        ("report.n_worst=2", ["explain", "report"]),
        ("evaluation.level=0.9", ["describe", "evaluate", "explain", "report"]),
        ("evaluation.threshold={rule: sensitivity, value: 0.9}", ["predict", "evaluate", "explain", "report"]),
        ("training.epochs=41", ["train", "predict", "evaluate", "explain", "report"]),
        ("split.training=0.4", ["split", "describe", "train", "predict", "evaluate", "explain", "report"]),
        ("data.image.size=24", ALL_STAGES),
    ],
)
def test_a_changed_setting_redoes_what_depends_on_it_and_nothing_else(
    undisturbed: Path, plan_file: Path, setting: str, redone: list[str]
) -> None:
    """Changing the confidence level must not cost a night of training, and changing the split must."""
    n_before = len(stages(undisturbed))
    more = ("split.tuning=0.35",) if setting.startswith("split") else ()
    done(*command(plan_file, undisturbed, setting, *more))
    again = stages(undisturbed)[n_before:]
    # a stage whose files came out the same stops the wave there
    assert again == [stage for stage in redone if stage in again]
    assert set(redone) - set(again) <= {"label", "split", "explain", "report"}
    assert again[0] == redone[0]
    done("audit", undisturbed)


def test_results_of_an_earlier_split_are_found_by_the_audit(undisturbed: Path, plan_file: Path) -> None:
    """Who makes another split and stops there must not be left with numbers that seem to belong to it."""
    other = ("split.training=0.4", "split.tuning=0.35")
    done(*command(plan_file, undisturbed, *other, verb="split"))
    answer = lucency("audit", undisturbed)
    assert answer.code == 1
    assert "train: made from an earlier split.csv; `lucency run` brings it up to date" in answer.out
    done(*command(plan_file, undisturbed, *other))
    done("audit", undisturbed)


def test_openings_of_the_test_set_are_counted(tmp_path: Path, plan_file: Path) -> None:
    """Each look at the test set is stated; one that was interrupted and went on is one look."""
    out = tmp_path / "s"
    done(*command(plan_file, out, verb="train"))
    assert StudyFolder(out).n_openings() == 0
    assert "sealed, never opened" in done("audit", out).out
    # the second write of the evaluation comes after the opening was written down
    for _ in range(2):
        killed = Running(*command(plan_file, out, verb="evaluate"), log=tmp_path / "log", die_at_write=7)
        assert killed.end().code == -signal.SIGKILL
    events = [entry["event"] for entry in record(out)]
    assert events.count("test set opened") >= 1
    assert "evaluate" not in stages(out)
    done(*command(plan_file, out))
    assert StudyFolder(out).n_openings() == 1
    assert "opened for 1 evaluation " in done("audit", out).out
    answer = done(*command(plan_file, out, "evaluation.level=0.9"))
    assert "evaluation no. 2" in answer.out
    assert StudyFolder(out).n_openings() == 2
    assert "opened for 2 evaluations" in done("audit", out).out


def test_a_study_goes_on_without_its_images(undisturbed: Path, plan_file: Path, images: Path) -> None:
    """The store holds all that training needs, so that a study can be moved to another machine."""
    images.rename(images.with_name("elsewhere"))
    answer = done(*command(plan_file, undisturbed, "training.epochs=2"))
    assert "is not here; going on with what was read from it" in answer.out
    assert stages(undisturbed)[len(ALL_STAGES)] == "train"
    assert json.loads((undisturbed / "metrics.json").read_text())
    assert lucency("audit", undisturbed).code == 0
