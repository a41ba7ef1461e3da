"""Kernels ahead of the runs that need them: for images and clusters, in parallel processes."""

import contextlib
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from .. import datasets
from ..configuration.sections import Configuration, RunSection, override
from ..driving.drive import kernels_of as kernels_of_drive
from ..driving.drive_trace import load_drive_source
from ..errors import InputError
from ..files.reading import Kind, kind_of, parse_toml, read_text
from ..hysteresis.loop_configuration import load_loops
from ..kernels.compiling import Kernel
from ..kernels.disk_cache import CacheWarning, NotKeptWarning
from ..network.assembly import assemble
from ..reproduction.settings import Reproduction, multilayer, single_layer
from ..runs.needed import kernels_of
from ..runs.sources import is_run_file, load_source
from ..sweeping.local import SPAWN, without_ctrl_c
from ..sweeping.packs import plan
from ..sweeping.sweep_configuration import load_sweep
from ..terminal.preparing import prepare, silently, told_to
from ..traces.hdf5 import opened
from ..user_models.loading import load_again, own_files


class Made(NamedTuple):
    """How many kernels were compiled, and how many were there."""

    compiled: int
    there: int


def compile_ahead(sources: Sequence[Path], assignments: Sequence[str] = (), jobs: int = 1) -> Made:
    """Compile the kernels that configurations need, and keep them on the disk.

    Parameters
    ----------
    sources : sequence of Path
        Configurations of runs, sweeps, drives or loops, run files, or files of
        drives; the paper's perceptrons where there are none.
    assignments : sequence of str
        ``section.field=value``, for each of them.
    jobs : int
        Processes that share the work.

    Raises
    ------
    InputError
        Anything that is wrong with a configuration; nothing has been compiled then.
        Or a kernel cannot be kept.
    StoppedCompilingError
    """
    with _kept_or_refused():
        kernels = _kernels(sources, assignments)
        missing = [kernel for kernel in kernels if not kernel.load()]
        with _helpers(min(jobs, len(missing)) - 1, sources, assignments):
            prepare(missing)
    return Made(len(missing), len(kernels) - len(missing))


@contextlib.contextmanager
def _kept_or_refused() -> Iterator[None]:
    """What a run goes on without is an error here: nothing is compiled ahead where it is not kept."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", NotKeptWarning)
        try:
            yield
        except NotKeptWarning as warning:
            raise InputError(str(warning)) from None


@contextlib.contextmanager
def _helpers(count: int, sources: Sequence[Path], assignments: Sequence[str]) -> Iterator[None]:
    """Processes that compile what no other is busy with; none of them is waited for."""
    given = own_files(), sources, assignments
    processes = [SPAWN.Process(target=_help, args=given, daemon=True) for _ in range(count)]
    with without_ctrl_c():
        for process in processes:
            process.start()
    try:
        yield
    finally:
        for process in processes:
            process.terminate()
            process.join()


def _help(files: dict[str, str], sources: Sequence[Path], assignments: Sequence[str]) -> None:
    warnings.simplefilter("ignore", CacheWarning)  # whom it helps says so
    load_again(files)
    with told_to(silently):
        prepare(_kernels(sources, assignments))


def _kernels(sources: Sequence[Path], assignments: Sequence[str]) -> list[Kernel]:
    """Every kernel that the sources need, each once, in the same order in every process."""
    each = [_of_source(path, assignments) for path in sources] if sources else _of_the_paper(assignments)
    return list(dict.fromkeys(kernel for kernels in each for kernel in kernels))


def _of_the_paper(assignments: Sequence[str]) -> Iterator[list[Kernel]]:
    """Those of the multilayer perceptron, and of the single-layer one in both constructions."""
    settings = Reproduction(realisations=1)
    for config in (
        multilayer(settings, "XOR"),
        single_layer(settings, "OR"),
        single_layer(settings, "OR", network={"construction": "equivalent"}),
    ):
        changed = Configuration(**override(config.model_dump(), tuple(assignments)))
        yield kernels_of(assemble(changed, datasets.load(changed.data)))


def _of_source(path: Path, assignments: Sequence[str]) -> list[Kernel]:
    kind = _kind_of(path)
    if kind == "drive":
        return kernels_of_drive(load_drive_source(path, assignments))
    if kind == "loops":
        sweep = load_loops(path, assignments)
        return kernels_of_drive(sweep.at(sweep.loops.all_frequencies()[0]))
    if kind == "sweep":
        return _of_sweep(path, assignments)
    config, data, start = load_source(path, assignments)
    # Kernels do not depend on how many realisations there are, and the machine of the run may be a larger one.
    one = config.model_copy(update={"run": RunSection(seed=config.run.every_seed[0])})
    return kernels_of(assemble(one, data, start=start.of([0]) if start else None))


def _kind_of(path: Path) -> Kind:
    """What a file holds: ``"sweep"``, ``"loops"``, ``"drive"``, or else a run."""
    if is_run_file(path):
        if path.is_file():
            with contextlib.suppress(OSError), opened(path) as file:
                return "drive" if "drive" in file.attrs else "run"
        return "run"  # for its reader to say what is wrong with it
    return kind_of(parse_toml(read_text(path), str(path)))


def _of_sweep(path: Path, assignments: Sequence[str]) -> list[Kernel]:
    """Those of all points; points that cannot be assembled are for the sweep to report."""
    found: list[Kernel] = []
    error: InputError | None = None
    for pack in plan(load_sweep(path, assignments), processes=1).packs:
        try:
            found += kernels_of(assemble(pack.configuration([0]), pack.data))
        except InputError as unfit:
            error = unfit
    if error is not None and not found:
        raise error
    return found
