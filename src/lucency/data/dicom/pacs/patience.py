"""Try again what may pass, waiting longer each time."""

from collections.abc import Callable
from time import sleep
from typing import TypeVar

from lucency.data.dicom.pacs.archive import PassingFault
from lucency.domain.progress import Desk
from lucency.errors import SourceError

LONGEST_WAIT_SECONDS = 30

Result = TypeVar("Result")


def patiently(work: Callable[[], Result], n_retries: int, desk: Desk) -> Result:
    """Do a piece of work, and again after each passing fault, at most `n_retries` times.

    Raises:
        SourceError: the fault did not pass.
        Interrupted: the user asked to stop.
    """
    n_failed = 0
    while True:
        try:
            return work()
        except PassingFault as fault:
            n_failed += 1
            wait_or_give_up(fault, n_failed, n_retries, desk)


def wait_or_give_up(fault: PassingFault, n_failed: int, n_retries: int, desk: Desk) -> None:
    """Wait 1, 2, 4 … at most 30 seconds after the n-th fault in a row, or let it be the end.

    Raises:
        SourceError: there were more faults than retries.
    """
    if n_failed > n_retries:
        raise SourceError(str(fault)) from None
    n_seconds = min(2 ** (n_failed - 1), LONGEST_WAIT_SECONDS)
    desk.say(f"{str(fault).split('. ')[0].rstrip('.')}; trying again in {n_seconds} s ({n_failed} of {n_retries}).")
    sleep(n_seconds)
