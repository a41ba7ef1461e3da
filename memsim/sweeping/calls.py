"""What a Python user calls to have a sweep made."""

import multiprocessing
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from ..configuration.sections import Configuration
from ..errors import InputError
from ..fields import in_one_line
from ..runs.calls import load
from ..terminal.streams import in_notebook
from .results import Sweep, open_sweep
from .sweep import run, workers_of
from .sweep_configuration import SweepConfiguration, SweepSection
from .sweep_progress import SweepProgress


def sweep(
    config: Configuration | str | Path,
    fields: Mapping[str, Any] | None = None,
    *,
    out: str | Path,
    seeds: Sequence[int] = (),
    data_seeds: Sequence[int] = (),
    design: Literal["grid", "list", "random", "sobol"] = "grid",
    points: int | None = None,
    seed: int = 0,
    processes: int | None = None,
    scheduler: str | None = None,
    resume: bool = False,
    verbose: bool | None = None,
) -> Sweep:
    """Carry out a configuration with other values of some fields, packed and in parallel.

    It starts processes: a script calls it below ``if __name__ == "__main__":``.

    Parameters
    ----------
    config : Configuration or path
        What all points share.
    fields : mapping, optional
        Dotted names of fields to their values: ``{"learning.rate": [0.05, 0.1]}``; of a random or a Sobol design to
        ranges, ``{"low": 0.01, "high": 1.0, "scale": "log"}``.
    out : path
        The sweep's folder.
    seeds : sequence of int
        Each point is run with each of them.
    data_seeds : sequence of int
        Of the samples, one for each of ``seeds``.
    design : {"grid", "list", "random", "sobol"}
        All combinations, rows, or points drawn at random or by Sobol.
    points : int, optional
        How many a random or a Sobol design draws.
    seed : int
        Of such a design.
    processes : int, optional
        Side by side; all processors where not given.
    scheduler : str, optional
        Address of a Dask scheduler, whose workers make the runs.
    resume : bool
        Go on with the sweep of the folder.
    verbose : bool, optional
        Whether a bar is shown; only in a notebook where it is not given.

    Returns
    -------
    Sweep
        Its points and results; ``to_pandas()`` has them as a table.

    Raises
    ------
    InputError
        Anything that is wrong with a field, a point or the folder; nothing has been written then.
    """
    _refuse_a_script_read_again()
    if isinstance(config, str | Path):
        config = load(config)
    elif not isinstance(config, Configuration):
        raise InputError(f"config: must be a configuration, as memsim.load gives it (got {in_one_line(config)})")
    section = SweepSection(
        seeds=tuple(seeds), data_seeds=tuple(data_seeds), design=design, points=points, seed=seed
    )  # fmt: skip
    values = {name: list(each) if isinstance(each, Sequence) else each for name, each in (fields or {}).items()}
    wanted = SweepConfiguration(sweep=section, fields=values, base=tomllib.loads(config.to_toml()))
    quiet = not (in_notebook() if verbose is None else verbose)
    with workers_of(processes, scheduler) as workers, SweepProgress(quiet) as progress:
        run(wanted, Path(out), workers, resume=resume, progress=progress)
    return open_sweep(out)


def _refuse_a_script_read_again() -> None:
    """Refuse a call in a process of a sweep, which reads the script that began it as it starts."""
    if getattr(multiprocessing.current_process(), "_inheriting", False):  # as multiprocessing itself finds out
        raise InputError(
            "sweep: starts processes, which read this script again; call it below if __name__ == '__main__':"
        )
