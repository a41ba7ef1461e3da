"""Packs on an existing Dask cluster, whose workers see the sweep's folder under the same path."""

import copy
import queue
import re
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from types import TracebackType
from typing import Any

from ..errors import InputError, RunError
from .folder import Folder
from .local import Ended, attempt, line_of_failure
from .pack_run import Told
from .packs import Pack

try:
    from distributed import Client, Future, Variable, get_client, get_worker
except ImportError:
    raise InputError(
        "scheduler: needs Dask.distributed; pip install 'memsim[dask]', or leave it out to run on this machine"
    ) from None

CONNECT_SECONDS = 5.0
LOOK_SECONDS = 0.2
BEAT_SECONDS = 2.0  # between signs of life for the workers, and between their looks at them
SILENCE_SECONDS = 60.0  # without a sign of life, after which workers stop
IN_HAND = 2  # packs that the scheduler has for each thread of the workers
STOP = "stop"


class DaskCluster:
    """The workers of an existing scheduler.

    Parameters
    ----------
    address : str
        Of the scheduler, as ``tcp://HOST:PORT``.

    Raises
    ------
    InputError
        It does not answer, or has no workers.
    """

    def __init__(self, address: str) -> None:
        if not re.fullmatch(r"((tcp|tls|ucx|wss?)://)?[^\s/:]+:\d{1,5}|(tcp|tls)://\[[0-9a-fA-F:]+\]:\d{1,5}", address):
            raise InputError(f"scheduler: must be an address as tcp://HOST:PORT (got {address!r})")
        try:
            self._client = Client(address, timeout=CONNECT_SECONDS, set_as_default=False)
        except (OSError, TimeoutError):
            raise InputError(
                f"scheduler: no Dask scheduler answers at {address}; check the address, "
                f"or leave it out to run on this machine"
            ) from None
        self._address = address
        self.capacity = self._threads()
        if self.capacity == 0:
            self._client.close()
            raise InputError(f"scheduler: {address} has no workers; start some with 'dask worker {address}'")

    def __enter__(self) -> "DaskCluster":
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None) -> None:
        self._client.close()

    def carry_out(
        self, packs: Sequence[Pack], folder: Folder, stop: threading.Event, tell: Callable[[Told], None]
    ) -> Iterator[Ended | None]:
        """Carry packs out; see :meth:`memsim.sweeping.local.LocalProcesses.carry_out`."""
        try:
            yield from self._carried_out(packs, folder, stop, tell)
        except OSError as error:  # a connection that is closed while it is used
            raise self._went_away() from error

    def _went_away(self) -> RunError:
        return RunError(f"the Dask scheduler at {self._address} went away; finished packs are kept")

    def _carried_out(
        self, packs: Sequence[Pack], folder: Folder, stop: threading.Event, tell: Callable[[Told], None]
    ) -> Iterator[Ended | None]:
        name = f"memsim-sweep-{uuid.uuid4().hex}"
        heard: queue.SimpleQueue[list[Any]] = queue.SimpleQueue()
        self._client.subscribe_topic(name, lambda event: heard.put(event[1]))
        heart = _Heart(Variable(name, client=self._client))
        waiting, running = deque(packs), dict[Future, Pack]()
        while waiting or running:
            if stop.is_set():
                waiting.clear()
            if heart.beat(stop.is_set()):
                self.capacity = self._threads()
            if stop.is_set() and self.capacity == 0:
                return  # nobody is left who would end the packs
            if self._client.status != "running":
                raise self._went_away()
            while waiting and len(running) < IN_HAND * self.capacity:
                pack = waiting.popleft()
                key = f"{name}-{pack.name}"
                running[self._client.submit(_carry_out_here, pack, folder, name, key=key, pure=False)] = pack
            while not heard.empty():
                tell(Told(*heard.get()))
            for future in [future for future in running if future.done()]:
                yield _ended(future, running.pop(future), stop.is_set())
            yield None
            time.sleep(LOOK_SECONDS)
        heart.end()

    def _threads(self) -> int:
        return int(sum(self._client.nthreads().values()))


class _Heart:
    """Signs of life for the workers, which stop without them, and where they are told to."""

    def __init__(self, variable: Variable) -> None:
        self._variable, self._beats, self._next, self._stopped = variable, 0, 0.0, False

    def beat(self, stop: bool) -> bool:
        """Give a sign where it is time to; whether it was."""
        if time.monotonic() < self._next and stop == self._stopped:
            return False
        self._next = time.monotonic() + BEAT_SECONDS
        self._beats, self._stopped = self._beats + 1, stop
        self._variable.set(STOP if stop else str(self._beats))
        return True

    def end(self) -> None:
        """Leave nothing on the scheduler."""
        self._variable.delete()


def _ended(future: Future, pack: Pack, stopping: bool) -> Ended:
    """How a task ended. Dask itself tries one whose worker died again, on another worker."""
    if future.status == "finished":
        finished, error = future.result()
        if not finished and error is None and not stopping:
            error = "its worker was stopped; resume=True goes on"
        return Ended(pack, error)
    if future.status == "error":
        return Ended(pack, line_of_failure(future.exception()))
    return Ended(pack, None if stopping else f"its task was {future.status} by the scheduler; resume=True goes on")


def _carry_out_here(pack: Pack, folder: Folder, name: str) -> tuple[bool, str | None]:
    """The task, on a worker: whether the pack was finished, and what kept it from that."""
    worker, stop, ended = get_worker(), threading.Event(), threading.Event()
    if not folder.sweep_file.exists():
        raise InputError(f"the worker {worker.address} sees no {folder.path}; all must see it under the same path")
    variable = Variable(name, client=get_client())
    threading.Thread(target=_listen, args=(variable, stop, ended), daemon=True).start()
    # Arrays that came over a wire may be read-only, for which the kernels would be compiled once more.
    data = copy.deepcopy(pack.data)
    try:
        return attempt(replace(pack, data=data), folder, stop, lambda told: worker.log_event(name, list(told)))
    finally:
        ended.set()


def _listen(variable: Variable, stop: threading.Event, ended: threading.Event) -> None:
    """Set ``stop`` where the sweep says so, or is no longer there."""
    last, heard = "", time.monotonic()
    while not ended.wait(BEAT_SECONDS if last else 0.0):
        try:
            said = str(variable.get(timeout=BEAT_SECONDS))
        except Exception:  # whatever is wrong with the connection, it is no sign of life
            said = last
        if said != last:
            last, heard = said, time.monotonic()
        if said == STOP or time.monotonic() - heard > SILENCE_SECONDS:
            stop.set()
            return
