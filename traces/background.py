"""A background thread that does one file's work in order, with a bounded queue."""

import queue
import threading
from collections.abc import Callable
from typing import Any

QUEUE_LENGTH = 2


class BackgroundWriter:
    """Run jobs one after the other in a thread of their own.

    The queue is bounded: whoever puts jobs in faster than they are done waits,
    so memory stays flat. After a job has failed all others are dropped, also
    those that are put in later, and the error is raised at each :meth:`submit`
    and at :meth:`close`.
    """

    def __init__(self) -> None:
        self._jobs: queue.Queue[tuple[Callable[..., None], tuple[Any, ...]] | None] = queue.Queue(QUEUE_LENGTH)
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._work, name="memsim-writer", daemon=True)
        self._thread.start()

    def submit(self, job: Callable[..., None], *arguments: Any) -> None:
        """Queue a job; waits while the queue is full."""
        self._raise_error()
        self._jobs.put((job, arguments))

    def close(self) -> None:
        """Finish all jobs and end the thread."""
        if self._thread.is_alive():
            self._jobs.put(None)
            self._thread.join()
        self._raise_error()

    def _work(self) -> None:
        while (item := self._jobs.get()) is not None:
            job, arguments = item
            if self._error is None:
                try:
                    job(*arguments)
                except BaseException as error:  # raised in the thread that submits
                    self._error = error

    def _raise_error(self) -> None:
        # It stays: a job that was queued before it was raised must not be done either.
        if self._error is not None:
            raise self._error
