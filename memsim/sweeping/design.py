"""The points of a sweep: which value each field has in each of them."""

import itertools
from typing import Any

import numpy as np

from ..errors import InputError
from .sweep_configuration import Range, SweepConfiguration

Point = dict[str, Any]  # dotted name of a field to its value


def points_of(config: SweepConfiguration) -> list[Point]:
    """The points in their order; the same on every call.

    Returns
    -------
    list of dict
        Dotted name to value. With ``sweep.seeds`` each point of the design comes
        once for each seed, which follow each other; with ``sweep.data_seeds`` each
        of them has samples of its own.
    """
    laid_out = _laid_out(config)
    return [point | seeds for point in laid_out for seeds in _seeds(config)]


def _seeds(config: SweepConfiguration) -> list[Point]:
    """The fields of the seeds that each point of the design is run with."""
    of_runs: list[Point] = [{"run.seed": seed} for seed in config.sweep.seeds] or [{}]
    of_data: list[Point] = [{"data.seed": seed} for seed in config.sweep.data_seeds] or [{}] * len(of_runs)
    return [of_run | of_samples for of_run, of_samples in zip(of_runs, of_data, strict=True)]


def setting_of(point: Point, config: SweepConfiguration) -> Point:
    """A point without what is drawn anew to see how much is chance: its seeds."""
    drawn = ("run.seed", "data.seed") if config.sweep.data_seeds else ("run.seed",)
    return {name: value for name, value in point.items() if name not in drawn}


def _laid_out(config: SweepConfiguration) -> list[Point]:
    names, values = list(config.fields), list(config.fields.values())
    if config.sweep.design == "grid" or not names:
        rows: Any = itertools.product(*values)
    elif config.sweep.design == "list":
        rows = zip(*values, strict=True)
    else:
        shares = _shares(config.sweep.design, int(config.sweep.points or 0), len(names), config.sweep.seed)
        rows = ([_value(v, share) for v, share in zip(values, row, strict=True)] for row in shares.tolist())
    return [dict(zip(names, row, strict=True)) for row in rows]


def _value(values: Range | tuple[Any, ...], share: float) -> Any:
    """A range's value at a share of it, or one of several choices."""
    if isinstance(values, Range):
        return values.at(share)
    return values[min(int(share * len(values)), len(values) - 1)]


def _shares(design: str, points: int, fields: int, seed: int) -> np.ndarray:
    """Numbers from 0 up to 1, (points, fields)."""
    if design == "random":
        return np.random.default_rng(seed).random((points, fields))
    try:
        from scipy.stats import qmc
    except ImportError:
        raise InputError("sweep.design: 'sobol' needs SciPy; pip install 'memsim[sweep]', or take 'random'") from None
    try:
        sobol = qmc.Sobol(fields, scramble=True, seed=np.random.default_rng(seed))
    except ValueError as error:
        raise InputError(f"fields: {error}") from None
    # The first of a power of two, whose balance the design is there for.
    drawn: np.ndarray = sobol.random_base2((points - 1).bit_length())[:points]
    return drawn
