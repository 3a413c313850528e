"""Do dangerous or long work in child processes that are asked through their standard input.

A child may crash, hang or be killed; whoever asked it learns of that as `ChildLost` and goes on. It ends by itself when
this program does, because its standard input then ends.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import IO, Any

Child = subprocess.Popen[bytes]
Fields = dict[str, Any]
"""What JSON can hold."""


class ChildLost(Exception):  # noqa: N818 - what the child was asked failed, not the program
    """The child ended, or took too long, before it had answered."""


def start_child(serving: str) -> Child:
    """Start a child that runs a line of Python, which shall call `serve`."""
    pipe, nowhere = subprocess.PIPE, subprocess.DEVNULL
    return subprocess.Popen([sys.executable, "-c", serving], stdin=pipe, stdout=pipe, stderr=nowhere)


def ask(child: Child, fields: Fields, content: bytes, most_seconds: float) -> tuple[Fields, bytes]:
    """Return the answer of a child; a child that fails is ended.

    Raises:
        ChildLost: it ended, or did not answer in time.
    """
    assert child.stdin is not None
    assert child.stdout is not None
    alarm = threading.Timer(most_seconds, child.kill)
    alarm.start()
    try:
        _send(child.stdin, fields, content)
        return _receive(child.stdout)
    except (OSError, EOFError):
        end_child(child)
        raise ChildLost from None
    except BaseException:  # interrupted half-way: what the child answers next would belong to this question
        end_child(child)
        raise
    finally:
        alarm.cancel()


def end_child(child: Child) -> None:
    """Stop a child and close its pipes."""
    child.kill()
    for pipe in (child.stdin, child.stdout):
        if pipe is not None:
            with contextlib.suppress(OSError):
                pipe.close()
    child.wait()


def serve(answer: Callable[[Fields, bytes], tuple[Fields, bytes]]) -> None:
    """Answer requests from standard input until it ends: the life of a child."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # ctrl-C reaches the whole group; the parent decides what it means
    requests = sys.stdin.buffer
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints must not end up between the answers
    with contextlib.suppress(EOFError, BrokenPipeError):
        while True:
            _send(answers, *answer(*_receive(requests)))


def _send(pipe: IO[bytes], fields: Fields, content: bytes) -> None:
    """Write one message: the lengths of both parts, the fields as JSON, the content."""
    text = json.dumps(fields).encode()
    pipe.write(len(text).to_bytes(8) + len(content).to_bytes(8) + text)
    pipe.write(content)
    pipe.flush()


def _receive(pipe: IO[bytes]) -> tuple[Fields, bytes]:
    """Read one message.

    Raises:
        EOFError: the other side has ended.
    """
    lengths = _read(pipe, 16)
    fields = json.loads(_read(pipe, int.from_bytes(lengths[:8])))
    return fields, _read(pipe, int.from_bytes(lengths[8:]))


def _read(pipe: IO[bytes], n_bytes: int) -> bytes:
    content = pipe.read(n_bytes)
    if len(content) < n_bytes:
        raise EOFError
    return content
