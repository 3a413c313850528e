"""How a room tells the desk that work goes on, and learns that it should stop."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol


class Progress(Protocol):
    """A bar with time left."""

    def advance(self, n_steps: int = 1, detail: str = "") -> None:
        """Count finished steps.

        Raises:
            Interrupted: the user asked to stop.
        """


class Desk(Protocol):
    """Whoever started the work and wants to hear of it."""

    def say(self, message: str) -> None:
        """Tell one sentence."""

    @contextmanager
    def progress(self, title: str, n_steps: int, n_done: int = 0) -> Iterator[Progress]:
        """Show a bar for a long job."""


class Silence:
    """A desk that hears nothing, for use from Python."""

    def say(self, message: str) -> None:
        """Let a sentence pass."""

    def advance(self, n_steps: int = 1, detail: str = "") -> None:
        """Let a step pass."""

    @contextmanager
    def progress(self, title: str, n_steps: int, n_done: int = 0) -> Iterator[Progress]:  # noqa: ARG002 - silent
        """Show no bar."""
        yield self
