"""Speak to the terminal: progress with time left, clean stops, and failures in one sentence."""

import contextlib
import os
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from types import FrameType
from typing import Any

from lucency.errors import Interrupted, LucencyError

STOPPED = "Stopped. What was finished is kept; run the same command again to go on."


def guarded(arguments: Sequence[str]) -> int:
    """Run the command line; return its exit code, and never show a traceback unless asked."""
    debug, quiet = "--debug" in arguments, "--quiet" in arguments
    arguments = [argument for argument in arguments if argument not in ("--debug", "--quiet")]
    try:
        return _dispatch(arguments, TerminalDesk(quiet))
    except LucencyError as error:
        if debug:
            raise
        complain(str(error))
        return error.exit_code
    except KeyboardInterrupt:
        complain(STOPPED)
        return Interrupted.exit_code
    except BrokenPipeError:
        return 0  # whoever read our output has seen enough
    except Exception as error:
        if debug:
            raise
        complain(
            f"lucency met a fault of its own ({type(error).__name__}). Nothing that was finished is lost. Run the command "
            "again with --debug and report what it shows."
        )
        return 1


def _dispatch(arguments: Sequence[str], desk: "TerminalDesk") -> int:
    """Hand the arguments to typer, and let it show what is wrong with them."""
    import typer

    from lucency.cli.app import app

    # typer carries a click of its own, and shows of its errors only the kinds
    usage_error: Any = next(kind for kind in typer.BadParameter.__mro__ if kind.__name__ == "ClickException")
    try:
        code = app(list(arguments), standalone_mode=False, obj=desk)
    except typer.Exit as leaving:
        return leaving.exit_code
    except usage_error as error:
        error.show()
        return error.exit_code
    except typer.Abort:
        raise KeyboardInterrupt from None
    if code == Interrupted.exit_code:  # typer has caught a ctrl-C and kept quiet about it
        raise KeyboardInterrupt
    return code if isinstance(code, int) else 0


def complain(message: str) -> None:
    """Write a message to standard error, without control characters that a file name could smuggle in."""
    lines = "".join(c if c.isprintable() or c == "\n" else "�" for c in message)
    print(lines, file=sys.stderr)  # noqa: T201 - this is the desk


def tell(message: str) -> None:
    """Write a line to standard output; once nobody can read it any more, the work goes on in silence."""
    try:
        print(message, flush=True)  # noqa: T201 - this is the desk
    except OSError:
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115 - for the rest of the process


class TerminalDesk:
    """Tells a person at a terminal, or a log file, how the work goes, and lets ctrl-C stop it at the next safe place."""

    def __init__(self, quiet: bool) -> None:
        self._quiet = quiet
        self._stop_asked = False

    @contextlib.contextmanager
    def stoppable(self) -> Iterator[None]:
        """Turn the first ctrl-C (or SIGTERM, or a lost terminal) into a clean stop; a second one stops at once."""

        def ask(_number: int, _frame: FrameType | None) -> None:
            if self._stop_asked:
                raise KeyboardInterrupt
            self._stop_asked = True
            complain("Stopping at the next safe place … (ctrl-C again stops at once)")

        before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def say(self, message: str) -> None:
        """Tell one sentence."""
        self.refuse_to_go_on_if_stopped()
        if not self._quiet:
            tell(message)

    @contextlib.contextmanager
    def progress(self, title: str, n_steps: int, n_done: int = 0) -> Iterator[Any]:
        """Show a bar with time left on a terminal, now and then a line elsewhere."""
        self.refuse_to_go_on_if_stopped()
        if self._quiet:
            yield _Bar(self)
        elif sys.stdout and sys.stdout.isatty():
            with _rich_bar(self, title, n_steps, n_done) as bar:
                yield bar
        else:
            yield _LogBar(self, title, n_steps, n_done)

    def refuse_to_go_on_if_stopped(self) -> None:
        """Raise Interrupted once a stop was asked for."""
        if self._stop_asked:
            raise Interrupted(STOPPED)


class _Bar:
    """Counts without a word."""

    def __init__(self, desk: TerminalDesk) -> None:
        self._desk = desk

    def advance(self, n_steps: int = 1, detail: str = "") -> None:
        self._show(n_steps, detail)
        self._desk.refuse_to_go_on_if_stopped()

    def _show(self, n_steps: int, detail: str) -> None:
        pass


class _LogBar(_Bar):
    """Writes a line at most every ten seconds."""

    SECONDS = 10.0

    def __init__(self, desk: TerminalDesk, title: str, n_steps: int, n_done: int) -> None:
        super().__init__(desk)
        self._title, self._n_steps, self._n_done = title, n_steps, n_done
        self._first = n_done
        self._started = self._last = time.monotonic()

    def _show(self, n_steps: int, detail: str) -> None:
        self._n_done += n_steps
        now = time.monotonic()
        if now - self._last < self.SECONDS:
            return
        self._last = now
        left = (now - self._started) / (self._n_done - self._first) * (self._n_steps - self._n_done)
        words = f" ({detail})" if detail else ""
        tell(f"{self._title}: {self._n_done} of {self._n_steps}, about {_duration(left)} left{words}")


@contextlib.contextmanager
def _rich_bar(desk: TerminalDesk, title: str, n_steps: int, n_done: int) -> Iterator[_Bar]:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[detail]}", markup=False),
    )
    with Progress(*columns, transient=True) as shown:
        task = shown.add_task(title, total=n_steps, completed=n_done, detail="")

        class RichBar(_Bar):
            """Draws a bar with time left."""

            def _show(self, n_steps: int, detail: str) -> None:
                shown.update(task, advance=n_steps, detail=detail)

        yield RichBar(desk)


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
