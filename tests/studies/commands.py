"""Run lucency as a user does: in this process for speed, in a process of its own for signals, disks and locks."""

import contextlib
import io
import json
import multiprocessing
import os
import re
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from lucency.cli.terminal import guarded

SECONDS_TO_WAIT = 120
"""Longer than anything here takes on a busy machine; a test that waits so long has failed."""


@dataclass(frozen=True)
class Answer:
    """What a command left behind."""

    code: int
    out: str
    err: str


def lucency(*arguments: str | Path) -> Answer:
    """Run a command in this process."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = guarded([str(argument) for argument in arguments])
    return Answer(code, out.getvalue(), err.getvalue())


def done(*arguments: str | Path) -> Answer:
    """Run a command that has to succeed without a complaint."""
    answer = lucency(*arguments)
    assert answer.code == 0, answer
    assert not answer.err, answer
    return answer


def refused(answer: Answer, code: int, *said: str) -> None:
    """Check that a command said no as lucency promises to: the right code, a sentence or three, no traceback."""
    assert answer.code == code, answer
    assert "Traceback" not in answer.out + answer.err
    assert "fault of its own" not in answer.err, answer.err
    assert 1 <= len(re.findall(r"[.!?”…](?=\s|$)", answer.err)) <= 4, answer.err
    assert len(answer.err) < 600, answer.err
    for words in said:
        assert words in answer.err, answer.err


class Running:
    """A command in a process of its own, forked from a server that has torch in memory already."""

    def __init__(self, *arguments: str | Path, log: Path, die_at_write: int = 0, most_bytes: int = 0) -> None:
        self.log = log
        log.unlink(missing_ok=True)
        words = [str(argument) for argument in arguments]
        self._process: BaseProcess = _context().Process(  # type: ignore[attr-defined]  # forkserver has one
            target=_carry_out, args=(words, log, die_at_write, most_bytes)
        )
        self._process.start()

    def send(self, number: signal.Signals) -> None:
        """Send a signal, unless the command has ended."""
        if self._process.is_alive() and self._process.pid:
            os.kill(self._process.pid, number)

    def wait_until(self, is_so: Callable[[], bool]) -> None:
        """Wait for something that the command does; stop waiting when it has ended."""
        limit = time.monotonic() + SECONDS_TO_WAIT
        while not is_so() and self._process.is_alive():
            assert time.monotonic() < limit, self.log.read_text()
            time.sleep(0.005)

    def sleep(self, seconds: float) -> None:
        """Let the command work for some time."""
        self._process.join(seconds)

    def end(self) -> Answer:
        """Wait for the end; what went to the log stands in both `out` and `err`."""
        self._process.join(SECONDS_TO_WAIT)
        assert self._process.exitcode is not None, "the command hangs"
        text = self.log.read_text() if self.log.exists() else ""
        return Answer(self._process.exitcode, text, text)


def _context() -> Any:
    context = multiprocessing.get_context("forkserver")
    # torch._dynamo is what an optimizer imports first
    context.set_forkserver_preload(["lucency.cli.app", "lucency.study.run", "lucency.training.loop", "torch._dynamo"])
    return context


def _carry_out(arguments: list[str], log: Path, die_at_write: int, most_bytes: int) -> None:
    """Run a command with its output in a file; die at the n-th durable write, or let no file grow above a size."""
    with log.open("w", buffering=1) as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
        sys.stdout = sys.stderr = file
        if die_at_write:
            _die_at_write(die_at_write)
        if most_bytes:
            import resource

            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, most_bytes))
        code = guarded(arguments)
    os._exit(code)


def _die_at_write(number: int) -> None:
    """Kill this process just before its n-th call of fsync, as a power cut would."""
    fsync, calls = os.fsync, 0

    def counted(descriptor: int) -> None:
        nonlocal calls
        calls += 1
        if calls == number:
            os.kill(os.getpid(), signal.SIGKILL)
        fsync(descriptor)

    os.fsync = counted


def record(folder: Path) -> list[dict[str, Any]]:
    """Return the entries of a study's record as they stand in the file."""
    path = folder / "record.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def stages(folder: Path) -> list[str]:
    """Return the stages that the record says were done, in order and with repetitions."""
    return [entry["payload"]["stage"] for entry in record(folder) if entry["event"] == "stage done"]
