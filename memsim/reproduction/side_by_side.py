"""Runs side by side on threads, which stop together."""

import os
import threading
from collections.abc import Callable, Hashable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import TypeVar

from ..runs.training import Progress

ProgressMaker = Callable[[str, int], Progress]  # of a run, from its name and its epochs
Key = TypeVar("Key", bound=Hashable)
Result = TypeVar("Result")


def side_by_side(
    tasks: Mapping[Key, Callable[[threading.Event], Result]], threads: int
) -> dict[Key, Result]:  # fmt: skip
    """Carry out tasks, as many at once as there are threads.

    Parameters
    ----------
    tasks : mapping
        Each is called with an event that asks it to stop.
    threads : int
        0 takes all processors.

    Returns
    -------
    dict
        Key to result, in the order of the tasks.
    """
    stop = threading.Event()
    with ThreadPoolExecutor(max_workers=threads or os.cpu_count() or 1) as pool:
        begun = {key: pool.submit(copy_context().run, task, stop) for key, task in tasks.items()}
        try:
            return {key: task.result() for key, task in begun.items()}
        except BaseException:
            stop.set()
            pool.shutdown(cancel_futures=True)
            raise
