"""What was measured: times, voltages and currents, as arrays or from a CSV file."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import InputError
from ..files.tables import read_columns

UNITS = {"time": "s", "current": "A", "voltage": "V"}
FEWEST = 4  # samples that a fit needs, whatever is free


@dataclass(frozen=True)
class Measurement:
    """A measured I-V curve or pulse response.

    Attributes
    ----------
    time, current, voltage : (samples,) float64
        In s, A and V; the times increase.
    name : str
        Where it is from, for messages and figures.
    columns : mapping of str to str
        The names that the three have in a CSV file.
    path : Path, optional
        That file.
    """

    time: np.ndarray
    current: np.ndarray
    voltage: np.ndarray
    name: str = "measurement"
    columns: Mapping[str, str] | None = None
    path: Path | None = None

    def __len__(self) -> int:
        """How many samples there are."""
        return len(self.time)


def measured(time: Any, current: Any, voltage: Any, **about: Any) -> Measurement:
    """Check arrays and make them a measurement.

    Raises
    ------
    InputError
        Arrays of different lengths, a number that is not finite, times that do
        not increase, too few samples.
    """
    arrays = {"time": time, "current": current, "voltage": voltage}
    checked = {name: _array(name, values) for name, values in arrays.items()}
    lengths = {len(values) for values in checked.values()}
    where = f"{about['name']}: " if "name" in about else ""
    if len(lengths) != 1:
        raise InputError(f"{where}time, current, voltage: must have one length (got {sorted(lengths)})")
    later = np.diff(checked["time"])
    if len(later) and later.min() <= 0.0:
        k = int(np.flatnonzero(later <= 0.0)[0])
        raise InputError(
            f"{where}time: must increase from sample to sample (got {checked['time'][k + 1]:.9g} s after "
            f"{checked['time'][k]:.9g} s at sample {k + 1}, counted from 0); sort the rows, or leave repeated ones out"
        )
    if len(later) + 1 < FEWEST:
        raise InputError(f"{where}must have {FEWEST} samples at the least (got {len(checked['time'])})")
    return Measurement(checked["time"], checked["current"], checked["voltage"], **about)


def _array(name: str, values: Any) -> np.ndarray:
    try:
        array = np.array(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise InputError(f"{name}: must be an array of numbers (got {values!r:.80})") from None
    if array.ndim != 1:
        raise InputError(f"{name}: must have one dimension (got shape {array.shape})")
    if not np.isfinite(array).all():
        k = int(np.flatnonzero(~np.isfinite(array))[0])
        raise InputError(f"{name}: must be finite (got {array[k]} at sample {k}, counted from 0)")
    return array


def load_measurement(path: Path, columns: Mapping[str, str] | None = None) -> Measurement:
    """Read a CSV file whose first row names the columns.

    Parameters
    ----------
    path : Path
    columns : mapping of str to str, optional
        What "time", "current" and "voltage" are called in the file, where they
        are called otherwise.

    Raises
    ------
    InputError
        With the line of the file where there is one.
    """
    names = {**{name: name for name in UNITS}, **(columns or {})}
    for unknown in names.keys() - UNITS.keys():
        raise InputError(f"columns: must rename time, current or voltage (got {unknown!r})")
    table = read_columns(path, names.values())
    arrays = {name: table[names[name]] for name in UNITS}
    return measured(**arrays, name=path.name, columns=names, path=path)
