"""Running ngspice on a netlist, and reading what it wrote."""

import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np

from ..errors import InputError, RunError
from ..exporting.spice import Circuit, write_netlist
from ..exporting.spice.circuit import CircuitRows

ON_GRID = 1e-6  # of a step


class NgspiceError(RunError):
    """ngspice gave up, or wrote something else than was asked for."""


def find_ngspice() -> str:
    """The program.

    Raises
    ------
    InputError
        It is not installed.
    """
    found = shutil.which("ngspice")
    if found is None:
        raise InputError("ngspice: is not on PATH; install it, on Debian and Ubuntu with: apt install ngspice")
    return found


def simulate(circuit: Circuit, keep: Path | None = None) -> CircuitRows:
    """Let ngspice find the rows of a circuit.

    Parameters
    ----------
    circuit : Circuit
    keep : Path, optional
        Folder that gets the netlist and ngspice's output; a folder that is
        removed where none is given, except when ngspice fails.

    Returns
    -------
    CircuitRows
        One row a step, at its end.

    Raises
    ------
    InputError
        ngspice is not installed.
    NgspiceError
        It failed; the message names the netlist, which is kept.
    """
    program = find_ngspice()
    if keep is not None:
        return _simulate(program, circuit, keep)
    folder = Path(tempfile.mkdtemp(prefix="memsim-ngspice-"))
    kept = False
    try:
        return _simulate(program, circuit, folder)
    except NgspiceError:
        kept = True
        raise
    finally:
        if not kept:
            shutil.rmtree(folder, ignore_errors=True)


def _simulate(program: str, circuit: Circuit, folder: Path) -> CircuitRows:
    """Write the netlist into a folder, run it there, and read what came out."""
    write_netlist(circuit, folder / "netlist.cir", "netlist.data")
    # -n: no start-up file of the user's changes what is calculated.
    call = [program, "-n", "-b", "netlist.cir"]
    with (folder / "netlist.log").open("w", encoding="utf-8") as log:
        ended = subprocess.run(call, cwd=folder, stdout=log, stderr=log, check=False)  # noqa: S603
    return _rows(circuit, _table(folder, ended.returncode, circuit.steps))


def _table(folder: Path, status: int, steps: int) -> np.ndarray:
    """The columns that ngspice wrote, (steps, 1 + columns), or an error with ngspice's own words."""
    data = folder / "netlist.data"
    if status == 0 and data.exists():
        table = np.loadtxt(data, skiprows=1, ndmin=2)
        # With given starting states, the first row is the end of the first step.
        if len(table) == steps:
            return table
        raise NgspiceError(
            f"ngspice: stopped after {len(table)} of {steps} rows: {_complaint(folder)} ({folder / 'netlist.cir'}); "
            f"where a state meets a bound at many ranges a step, take a smaller drive or dt"
        )
    raise NgspiceError(f"ngspice: failed with status {status}: {_complaint(folder)} ({folder / 'netlist.cir'})")


def _complaint(folder: Path) -> str:
    """The line of ngspice's log that says what went wrong, or its last one."""
    lines = [line.strip() for line in (folder / "netlist.log").read_text(errors="replace").splitlines() if line.strip()]
    wrong = [
        line for line in lines if any(word in line.lower() for word in ("error", "too small", "abort", "singular"))
    ]
    return (wrong or lines or ["it said nothing"])[-1 if not wrong else 0]


def _rows(circuit: Circuit, table: np.ndarray) -> CircuitRows:
    times, columns = table[:, 0], table[:, 1:].T
    late = np.abs(times / circuit.dt - np.arange(1, circuit.steps + 1)).max()
    if late > ON_GRID or not np.isfinite(table).all():
        raise NgspiceError(f"ngspice: its rows lie {late:g} steps beside memsim's, or are no finite numbers")
    states, currents, voltages, place = [], [], [], 0
    for instance in circuit.instances:
        count = len(instance.kind.variables)
        states.append(columns[place : place + count].T)
        currents.append(columns[place + count])
        voltages.append(columns[place + count + 1])
        place += count + 2
    return CircuitRows(tuple(states), np.stack(currents, axis=1), np.stack(voltages, axis=1))
