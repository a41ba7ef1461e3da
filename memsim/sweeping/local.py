"""Packs on processes of this machine, one pack and one thread each; a process that dies is replaced.

The pool is written by hand, after pools of libraries were tried with two processes of which one was killed. Those of
``concurrent.futures`` and loky 3.7 break as a whole, lose what the other process did, and do not tell whose fault it
was; loky's processes take the terminal's Ctrl-C as their own, and live on where their parent is killed.
``distributed.LocalCluster`` tells the pack, but not the signal that out of memory is seen by; its first answer takes
1.2 s, a process here 0.2 s, and whoever installs memsim would install Dask.
"""

import contextlib
import multiprocessing
import os
import queue
import signal
import threading
import time
import warnings
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from types import TracebackType
from typing import Any, NamedTuple

from .folder import Folder
from .pack_run import Told, carry_out
from .packs import Pack

ATTEMPTS = 3  # to bring a pack to its end, where its process dies
LOOK_SECONDS = 0.2
END_SECONDS = 10.0  # for a process that has nothing more to do
ORPHAN_SECONDS = 60.0  # for a process whose parent is gone, to come to a keyframe
SPAWN = multiprocessing.get_context("spawn")


@dataclass(frozen=True)
class Ended:
    """A pack that is no longer worked on.

    Attributes
    ----------
    pack : Pack
    error : str or None
        Why it could not be brought to its end.
    """

    pack: Pack
    error: str | None = None


class _Warned(NamedTuple):
    """A process's warning, which this one gives: what several say it says once."""

    text: str
    kind: type[Warning]
    file: str
    line: int


_given: dict[Any, Any] = {}  # warnings so far


class LocalProcesses:
    """Processes of this machine.

    Parameters
    ----------
    processes : int
    """

    def __init__(self, processes: int) -> None:
        self.capacity = processes
        self._workers: list[_Worker] = []

    def __enter__(self) -> "LocalProcesses":
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None) -> None:
        with contextlib.ExitStack() as stack:  # closes the others also where one is interrupted
            for worker in self._workers:
                stack.callback(worker.close, at_once=kind is not None)

    def carry_out(
        self, packs: Sequence[Pack], folder: Folder, stop: threading.Event, tell: Callable[[Told], None]
    ) -> Iterator[Ended | None]:
        """Carry packs out.

        Parameters
        ----------
        packs : sequence of Pack
        folder : Folder
        stop : threading.Event
            Set, has all stop at the next keyframe.
        tell : callable
            Of a :class:`Told`, as it comes.

        Yields
        ------
        Ended or None
            Each pack that was begun, once it has ended; None from time to time.
        """
        waiting, attempts, told_to_stop = deque(packs), Counter[int](), False
        self._workers = [_Worker() for _ in range(min(self.capacity, len(packs)))]
        while True:
            if stop.is_set() and not told_to_stop:
                told_to_stop = True
                waiting.clear()
                for worker in self._workers:
                    worker.stop()
            for worker in self._workers:
                if waiting and worker.pack is None:
                    worker.begin(waiting.popleft(), folder)
            busy = [worker for worker in self._workers if worker.pack is not None]
            if not busy:
                return
            wait([worker.pipe for worker in busy], timeout=LOOK_SECONDS)
            for worker in busy:
                ended = worker.look(tell)
                if ended is not None and ended.again and not told_to_stop:
                    attempts[ended.pack.number] += 1
                    if attempts[ended.pack.number] < ATTEMPTS:
                        waiting.appendleft(ended.pack)
                        continue
                if ended is not None:
                    yield Ended(ended.pack, None if ended.again and told_to_stop else ended.error)
            yield None


@dataclass(frozen=True)
class _Attempt:
    """How an attempt at a pack ended; ``again`` where its process ended before it."""

    pack: Pack
    error: str | None
    again: bool


class _Worker:
    """A place for a process that carries out one pack after the other; it has one from its first pack on."""

    pipe: Connection

    def __init__(self) -> None:
        self.pack: Pack | None = None
        self._process: SpawnProcess | None = None
        self._compiling = False

    def begin(self, pack: Pack, folder: Folder) -> None:
        """Have it begin a pack."""
        if self._process is None:
            self._start()
        self.pack = pack
        with contextlib.suppress(OSError):  # it has died, which is seen when it is looked at
            self.pipe.send((pack, folder))

    def _start(self) -> None:
        ours, theirs = SPAWN.Pipe()
        process = SPAWN.Process(target=_serve, args=(theirs,), daemon=True)
        with without_ctrl_c():
            process.start()
            self.pipe, self._process = ours, process
        theirs.close()  # so that the pipe ends with the process

    def stop(self) -> None:
        """Have it stop at the next keyframe, or at once where its pack has not begun yet."""
        if self._process is not None and self._compiling:
            self._process.kill()
        elif self._process is not None:
            with contextlib.suppress(OSError):
                self.pipe.send(None)

    def look(self, tell: Callable[[Told], None]) -> _Attempt | None:
        """Take what it has said; how its pack ended, if it has."""
        pack, process = self.pack, self._process
        if pack is None or process is None:
            return None
        try:
            while self.pipe.poll():
                said = self.pipe.recv()
                if isinstance(said, _Warned):
                    warnings.warn_explicit(*said, registry=_given)
                    continue
                if isinstance(said, Told):
                    self._compiling = bool(said.compiling)
                    tell(said)
                    continue
                self.pack, self._compiling = None, False
                finished, error = said
                if finished or error:
                    return _Attempt(pack, error, again=False)
                self.close()  # somebody stopped it alone: it takes no more work
                return _tried(pack, "was stopped")
        except (EOFError, OSError):
            process.join()
            code = process.exitcode or 0
            self.pack, self._compiling = None, False
            self.close()
            memory = ", as happens without enough memory" if code == -9 else ""
            return _tried(pack, f"was killed by signal {-code}{memory}" if code < 0 else f"ended with status {code}")
        return None

    def close(self, at_once: bool = False) -> None:
        """End the process, if there is one; it has no pack, or is not to bring it to a keyframe."""
        if self._process is None:
            return
        self.pipe.close()
        if not at_once:
            self._process.join(END_SECONDS)
        if self._process.is_alive():
            self._process.kill()
        self._process.join()
        process, self._process = self._process, None
        process.close()


def _tried(pack: Pack, how: str) -> _Attempt:
    """An attempt whose process ended before the pack."""
    return _Attempt(pack, f"its process {how}, {ATTEMPTS} times; resume=True tries again", again=True)


@contextlib.contextmanager
def without_ctrl_c() -> Iterator[None]:
    """Have processes that are started here never see Ctrl-C; this one sees it afterwards."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    resource_tracker.ensure_running()  # with the first process it would let Ctrl-C in again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _serve(pipe: Connection) -> None:
    """The process: packs from the pipe, until that ends with the parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent says when to stop
    stop: threading.Event = threading.Event()
    tasks: queue.SimpleQueue[tuple[Pack, Folder] | None] = queue.SimpleQueue()

    def end(*_: Any) -> None:
        stop.set()
        tasks.put(None)

    signal.signal(signal.SIGTERM, end)
    warnings.showwarning = lambda message, kind, file, line, *_: _send(pipe, _Warned(str(message), kind, file, line))
    threading.Thread(target=_listen, args=(pipe, tasks, end), daemon=True).start()
    while (task := tasks.get()) is not None:
        finished, error = attempt(*task, stop, lambda told: _send(pipe, told))
        _send(pipe, (finished, error))


def _listen(pipe: Connection, tasks: "queue.SimpleQueue[Any]", end: Callable[[], None]) -> None:
    """Take packs from the pipe until the parent says to end, or is gone: then nobody waits for what does not end."""
    try:
        while (task := pipe.recv()) is not None:
            tasks.put(task)
        end()
    except (EOFError, OSError):
        end()
        time.sleep(ORPHAN_SECONDS)
        os._exit(1)  # its run files are as after a kill


def attempt(pack: Pack, folder: Folder, stop: threading.Event, tell: Callable[[Told], None]) -> tuple[bool, str | None]:
    """Carry a pack out on a worker: whether it was finished, and what kept it from that."""
    try:
        return carry_out(pack, folder, stop, tell), None
    except Exception as error:  # a pack that cannot be carried out keeps none of the others from it
        return False, line_of_failure(error)


def line_of_failure(error: Exception) -> str:
    """An error in one line; of one that nobody expected with its kind."""
    from ..errors import MemsimError

    text = (str(error).splitlines() or [""])[0]
    return text if isinstance(error, MemsimError | OSError) and text else f"{type(error).__name__}: {text}"


def _send(pipe: Connection, message: Any) -> None:
    with contextlib.suppress(OSError):  # the parent is gone: the listener ends this process
        pipe.send(message)
