"""A sweep from its configuration to its folder: begun, or gone on with."""

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from threading import Event
from types import TracebackType
from typing import Protocol

from ..terminal.interrupts import interrupts
from .folder import Folder, refuse_another_sweep
from .index import Index
from .local import Ended, LocalProcesses
from .pack_run import Told
from .packs import Pack, Plan, plan
from .sweep_configuration import SweepConfiguration
from .sweep_progress import SweepProgress


class Workers(Protocol):
    """Where packs are carried out; a context that ends what goes on there, and may be left more than once.

    Attributes
    ----------
    capacity : int
        Packs that go on side by side.
    """

    capacity: int

    def __enter__(self) -> "Workers": ...

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None
    ) -> None: ...

    def carry_out(
        self, packs: Sequence[Pack], folder: Folder, stop: Event, tell: Callable[[Told], None]
    ) -> Iterator[Ended | None]:
        """See :meth:`memsim.sweeping.local.LocalProcesses.carry_out`."""
        ...


def workers_of(processes: int | None, scheduler: str | None) -> Workers:
    """Processes of this machine, or the workers of a cluster.

    Parameters
    ----------
    processes : int, optional
        All processors where not given.
    scheduler : str, optional
        Address of a Dask scheduler.

    Raises
    ------
    InputError
        The scheduler does not answer, or Dask is not installed.
    """
    if scheduler is None:
        return LocalProcesses(processes or os.cpu_count() or 1)
    from .cluster import DaskCluster

    return DaskCluster(scheduler)


def run(
    config: SweepConfiguration,
    out: Path,
    workers: Workers,
    *,
    resume: bool = False,
    progress: SweepProgress | None = None,
) -> Index:
    """Carry out a sweep, or go on with it.

    Parameters
    ----------
    config : SweepConfiguration
    out : Path
        The sweep's folder.
    workers : Workers
    resume : bool
        Go on with the sweep of the folder, which must be the same one.
    progress : SweepProgress, optional

    Returns
    -------
    Index
        As it was written.

    Raises
    ------
    InputError
        Anything that is wrong with the configuration, a point or the folder;
        nothing has been written then.
    """
    folder, progress = Folder(out), progress or SweepProgress(quiet=True)
    if resume:
        config = refuse_another_sweep(folder, config)
    else:
        folder.refuse_existing()
    laid_out = plan(config, workers.capacity)
    with folder.locked(None if resume else laid_out.config):
        for pack in laid_out.packs if resume else ():
            folder.mend_failures(pack)
        index = Index(laid_out, folder, progress.looking)
        try:
            with workers:  # which have ended before the index tells how far they came
                _carry_out(laid_out, folder, index, workers, progress)
        finally:
            index.look_at_open()
            index.write()
    return index


def _carry_out(plan: Plan, folder: Folder, index: Index, workers: Workers, progress: SweepProgress) -> None:
    left = [pack for pack in plan.packs if not index.is_done(pack)]
    if not left:
        return
    index.write()
    progress.start(left, len(plan.packs) - len(left), len(plan.points))
    with interrupts() as interrupted:
        for ended in workers.carry_out(left, folder, interrupted, progress.tell):
            if ended is not None:
                index.look(ended.pack, ended.error)
                progress.ended(ended.pack, ended.error is not None, index.is_done(ended.pack))
            progress.look()
            index.write_when_due()
