"""A run's trace as lazy xarray objects: every step is there, and is read or replayed when it is asked for."""

from types import ModuleType
from typing import Any

import numpy as np

from ..libraries import load_library
from ..traces.schema import QUANTITIES
from .trace_access import TraceAccess


def _xarray() -> ModuleType:
    load_library("xarray.indexes", "xarray", "run.to_xarray()")
    return load_library("xarray", "xarray", "run.to_xarray()")


def tree(run: TraceAccess) -> Any:
    """All banks, one :class:`xarray.Dataset` each, as an :class:`xarray.DataTree`."""
    return _xarray().DataTree.from_dict({bank: dataset(run, bank) for bank in run.banks})


def dataset(run: TraceAccess, bank: str) -> Any:
    """State, current and voltage of a bank at every step, as a lazy :class:`xarray.Dataset`.

    Parameters
    ----------
    run : TraceAccess
        Must stay open while values are read.
    bank : str

    Returns
    -------
    xarray.Dataset
        Dimensions ``time`` (in s, where each row's step begins), ``device``,
        ``variable`` and ``realisation``. Memory is taken for what is selected
        only; the time axis takes none, and is selected from with
        ``method="nearest"``.

    Raises
    ------
    InputError
        xarray is not installed.
    """
    xarray = _xarray()
    about = run.bank(bank)
    channels = {"device": about.devices, "variable": len(about.variables), "realisation": run.realisations}
    units = {unit for _, unit, _, _ in about.variables}
    unit_of = {"current": "A", "voltage": "V", "state": units.pop() if len(units) == 1 else "see variable_units"}
    arrays = {}
    for name in QUANTITIES:
        axes = [axis for axis in channels if name == "state" or axis != "variable"]
        lazy = _backend_array(run, bank, name, (run.steps, *(channels[axis] for axis in axes)))
        arrays[name] = xarray.Variable(("time", *axes), lazy, {"units": unit_of[name]})
    coordinates = xarray.Coordinates.from_xindex(time_index(run.steps, run.dt))
    found = xarray.Dataset(arrays, coords=coordinates)
    found = found.assign_coords(
        device=np.arange(about.devices),
        variable=[name for name, _, _, _ in about.variables],
        realisation=np.arange(run.realisations),
    )
    found.time.attrs.update(units="s", long_name="start of the step")
    found.attrs.update(bank=bank, model=about.model, variable_units=[unit for _, unit, _, _ in about.variables])
    return found


def time_index(steps: int, dt: float) -> Any:
    """The times n * dt of so many steps, as an index that takes no memory, :class:`xarray.indexes.RangeIndex`."""
    return _xarray().indexes.RangeIndex.linspace(0.0, steps * dt, num=steps, endpoint=False, dim="time")


def _backend_array(run: TraceAccess, bank: str, quantity: str, shape: tuple[int, ...]) -> Any:
    """What xarray takes values from when it needs them."""
    from xarray.backends import BackendArray
    from xarray.core import indexing

    class Window(BackendArray):
        """Every step of one quantity of a bank."""

        def __init__(self) -> None:
            self.shape, self.dtype = shape, np.dtype(np.float64)

        def __getitem__(self, key: Any) -> Any:
            return indexing.explicit_indexing_adapter(key, shape, indexing.IndexingSupport.BASIC, self._read)

        def _read(self, key: tuple[Any, ...]) -> np.ndarray:
            time, *channels = key
            steps = range(*time.indices(shape[0])) if isinstance(time, slice) else range(time, time + 1)
            ordered = steps if steps.step > 0 else steps[::-1]
            lanes = np.atleast_1d(np.arange(shape[-1])[channels[-1]])
            values = run.window(
                bank, quantity, ordered.start, min(ordered.stop, shape[0]) if len(ordered) else ordered.start,
                stride=abs(steps.step), realisations=lanes.tolist(),
            ).reshape(len(steps), *shape[1:-1], len(lanes))  # fmt: skip
            values = values if steps.step > 0 else values[::-1]
            last = slice(None) if isinstance(channels[-1], slice) else 0
            first = slice(None) if isinstance(time, slice) else 0
            return values[(first, *channels[:-1], last)]

    return indexing.LazilyIndexedArray(Window())
