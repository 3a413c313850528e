"""Work on many things at once and get the results in their order."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future
from itertools import islice
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def map_in_order(
    pool: Executor, task: Callable[[Item], Result], items: Iterable[Item], n_ahead: int
) -> Iterator[Result]:
    """Do a task for each item in a pool, with a bounded number in flight, so that memory stays bounded too."""
    waiting = iter(items)
    queue: deque[Future[Result]] = deque(pool.submit(task, item) for item in islice(waiting, n_ahead))
    try:
        while queue:
            yield queue.popleft().result()
            queue.extend(pool.submit(task, item) for item in islice(waiting, 1))
    finally:
        pool.shutdown(cancel_futures=True)
