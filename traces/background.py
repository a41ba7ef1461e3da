"""A background thread that does one file's work in order, with a bounded queue; and one that computes beside it."""

import queue
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

QUEUE_LENGTH = 2

Result = TypeVar("Result")


class Beside:
    """A thread that computes beside the one that writes a file: it touches arrays alone, never the file.

    So what is written, and in which order, does not depend on which of the two
    was faster. The thread is there from the first job on, and ends with this.
    """

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(1, "memsim-beside-writer")

    def begin(self, job: Callable[[], Result]) -> Callable[[], Result]:
        """Begin a job; what this returns waits for its result, or does the job where it was not begun yet."""
        begun = self._pool.submit(job)
        return lambda: job() if begun.cancel() else begun.result()

    def results(self, jobs: Iterable[Callable[[], Result]]) -> Iterator[Result]:
        """What jobs return, in their order."""
        for result in [self.begin(job) for job in jobs]:
            yield result()


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
