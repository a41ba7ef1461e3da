"""Whether what a run file holds is of the run that its configuration describes."""

import numpy as np

from ..devices import HOW_TO_LOAD
from ..errors import InputError, RunFileError
from ..imperfections.device_past import kept_of
from ..kernels.operands import COUNTERS
from ..kernels.slots import Phase
from ..network import schedule
from ..network.refusals import refuse
from ..network.slot_table import structured
from ..traces.doubted import line_of, one_line
from .run import Run


def check_run(run: Run) -> None:
    """Compare a file's configuration with its samples, banks, slots and counters.

    Raises
    ------
    RunFileError
        The configuration is none, or is that of another run.
    """
    try:
        _refuse_another_size(run)
        _refuse_what_is_not_watched(run)
        refuse(run.config)
        _compare(run)
    except InputError as error:
        if HOW_TO_LOAD in str(error):
            raise RunFileError(f"{run.path}: {one_line(str(error))}") from None
        raise _broken(run, f"its configuration: {error}") from None
    except ArithmeticError as error:
        raise _broken(run, f"its configuration cannot be calibrated: {line_of(error)}") from None


def _broken(run: Run, what: str) -> RunFileError:
    return RunFileError(f"{run.path}: is a broken run file: {one_line(what)}")


def _refuse_another_size(run: Run) -> None:
    """Compare numbers first, before anything of their size is made."""
    network, data = run.config.network, run.dataset
    expected = {
        "banks": (network.bank_count, len(run.banks)),
        "inputs": (network.widths[0], data.inputs.shape[1]),
        "targets": (network.widths[-1], data.targets.shape[1]),
    }
    expected["realisations"] = (run.config.run.lanes, run.realisations)
    for name, (wanted, found) in expected.items():
        if found != wanted:
            raise _broken(run, f"it has {found} {name}, and its configuration {wanted}")


def _refuse_what_is_not_watched(run: Run) -> None:
    """Refuse a file without what its configuration has the run look at after each epoch."""
    learning, data = run.config.learning, run.config.data
    for name, share in (("validation", data.validation), ("test", data.test)):
        if share and name not in run.dataset.held_back:
            raise _broken(run, f"it has no samples that were held back, and its configuration data.{name} = {share:g}")
    if (learning.keep_best or learning.patience or data.validation) and not run.stored.is_watched:
        raise _broken(run, "it has no best epoch, and its configuration keeps it")


def _compare(run: Run) -> None:
    for index, bank in enumerate(run.calibration):
        about, variables = run.bank(run.banks[index]), bank.device.state_variables()
        described = about.name, about.devices, about.model, about.variables
        expected = tuple((v.name, v.unit, v.lower, v.upper) for v in variables)
        if described != (bank.name, bank.devices, bank.device.model, expected):
            raise _broken(run, f"its bank {about.name} is not {bank.name} of its configuration")
        if run.stored.has_energies:
            _compare_energies(run, bank.name)
        for kind in kept_of(bank, run.config.imperfections):
            if not run.stored.has(f"keyframes/{bank.name}/{kind.name.lower()}"):
                raise _broken(run, f"its keyframes lack the {kind.name.lower()} of {bank.name}")
        if run.stored.has_counters:
            _compare_counters(run, bank.name, (len(variables), bank.devices, run.realisations))
    planned, dt = schedule.build(run.config), run.config.time.dt
    if (run.sample_steps, run.dt) != (planned.steps, dt):
        raise _broken(
            run, f"it has samples of {run.sample_steps} steps of {run.dt} s, and its configuration "
            f"{planned.steps} of {dt} s",
        )  # fmt: skip
    _compare_slots(run, structured(planned))


def _compare_slots(run: Run, planned: np.ndarray) -> None:
    found = run.slots
    for name in planned.dtype.names or ():
        if found[name].tolist() != planned[name].tolist():
            raise _broken(run, f"its slots have another {name} than its configuration gives them")


def _compare_energies(run: Run, bank: str) -> None:
    found, expected = run.stored.shape(f"metrics/{bank}/energy")[1:], (len(Phase), run.realisations)
    if found != expected:
        raise _broken(run, f"metrics/{bank}/energy has rows of the shape {found}, not {expected}")


def _compare_counters(run: Run, bank: str, shape: tuple[int, int, int]) -> None:
    lengths = dict(zip(("variable", "device", "realisation"), shape, strict=True)) | {"phase": len(Phase)}
    kept = run.stored.counters(bank)
    for name, counter in COUNTERS.items():
        if name == "epoch_energy" and not run.stored.has_energies:  # a file of an earlier version
            continue
        if counter.late and name not in kept:  # a file of an earlier version, too
            continue
        found, expected = run.stored.counter(bank, name).shape, tuple(lengths[label] for label in counter.axes.split())
        if found != expected:
            raise _broken(run, f"diagnostics/{bank}/{name} is of the shape {found}, not {expected}")
