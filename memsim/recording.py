"""What of a run goes into its file: the description, the chosen traces, the counters."""

from typing import Any

import numpy as np

from .assembly import Assembly
from .calibration import BankCalibration
from .engine import BankRows, Engine
from .errors import InputError
from .kernels.slots import Phase
from .provenance import environment
from .slot_table import structured
from .traces.rows import Selection
from .traces.run_file import BankDescription, RunDescription


def trace_selections(assembly: Assembly) -> dict[str, Selection]:
    """Which banks, devices, realisations and steps the configuration asks to trace."""
    trace, realisations = assembly.config.trace, len(assembly.seeds)
    if trace.mode == "keyframes":
        return {}
    if trace.mode == "full":
        lanes = np.arange(realisations)
        return {bank.name: Selection(np.arange(bank.devices), lanes) for bank in assembly.banks}
    names = [bank.name for bank in assembly.banks]
    for name in trace.banks:
        if name not in names:
            raise InputError(f"trace.banks: must be of {', '.join(names)} (got {name!r})")
    for number in trace.realisations:
        _check_index("trace.realisations", number, realisations)
    lanes = np.array(sorted(set(trace.realisations)) or range(realisations))
    selections = {}
    for bank in assembly.banks:
        if trace.banks and bank.name not in trace.banks:
            continue
        for number in trace.devices:
            _check_index(f"trace.devices of {bank.name}", number, bank.devices)
        devices = np.array(sorted(set(trace.devices)) or range(bank.devices))
        selections[bank.name] = Selection(devices, lanes, trace.stride)
    return selections


def _check_index(name: str, number: int, count: int) -> None:
    if not 0 <= number < count:
        raise InputError(f"{name}: must be from 0 to {count - 1} (got {number})")


def rows_by_bank(rows: list[BankRows], assembly: Assembly) -> dict[str, list[Any]]:
    grouped: dict[str, list[Any]] = {}
    for part in rows:
        name = assembly.banks[part.bank].name
        grouped.setdefault(name, []).append((part.realisations, part.state, part.current, part.voltage))
    return grouped


def describe(assembly: Assembly) -> RunDescription:
    config = assembly.config
    banks = [
        BankDescription(
            bank.name,
            bank.device.model,
            bank.devices,
            [(v.name, v.unit, v.lower, v.upper) for v in bank.device.state_variables()],
        )
        for bank in assembly.banks
    ]
    calibrated = {
        bank.name: {
            "threshold": bank.threshold,
            "read_current": bank.read_current,
            "driver_limit": bank.driver_limit,
            "write_current": bank.write_current,
            "state_per_weight": bank.state_per_weight,
            "unit_current": bank.unit_current,
            "bias_limit": bank.bias_limit,
        }
        for bank in assembly.banks
    }
    return RunDescription(
        program=environment(),
        configuration=config.to_toml(),
        seeds=assembly.seeds,
        inputs=assembly.dataset.inputs,
        targets=assembly.dataset.targets,
        dataset=assembly.dataset.name,
        slots=structured(assembly.schedule),
        dt=config.time.dt,
        sample_steps=assembly.schedule.steps,
        epochs=config.learning.epochs,
        banks=banks,
        initial=[states.transpose(1, 0, 2) for states in assembly.initial],
        calibration=calibrated,
        phases=[phase.name for phase in Phase],
    )


PHASE_LABELS = ("phase", "device", "realisation")
STATE_LABELS = ("device", "variable", "realisation")
DEVICE_LABELS = ("device", "realisation")
EXTREMES = {"highest": "largest state at a pulse's end", "lowest": "smallest state at a pulse's end"}
COUNTERS = {
    "energy": ("J", "energy V I dt, signed", PHASE_LABELS),
    "peak_current": ("A", "largest magnitude of a pulse", PHASE_LABELS),
    "disturbed": ("1", "variables that moved and should not have", PHASE_LABELS),
    "bound": ("1", "pulses that ended with a state at a bound", PHASE_LABELS),
    "residual": ("1", "largest distance after RESTORE over the state's range", DEVICE_LABELS),
    "unrestored": ("1", "RESTOREs with a residual above 1e-12", DEVICE_LABELS),
    "clipped": ("1", "writes cut by the driver's limit", DEVICE_LABELS),
    "shortened": ("1", "bias writes shortened to stay within their range", DEVICE_LABELS),
    "rounded": ("1", "writes rounded to whole steps or pulses", DEVICE_LABELS),
    "rounding": ("A s", "largest charge lost to rounding", DEVICE_LABELS),
}


def diagnostics(engine: Engine, assembly: Assembly) -> dict[str, dict[str, Any]]:
    """What was counted: bank to name to (values, unit, description, labels)."""
    return {bank.name: _bank_diagnostics(engine, k, bank) for k, bank in enumerate(assembly.banks)}


def _bank_diagnostics(engine: Engine, number: int, bank: BankCalibration) -> dict[str, Any]:
    units = {variable.unit for variable in bank.device.state_variables()}
    state_unit = units.pop() if len(units) == 1 else "see variable_units"
    found: dict[str, Any] = {name: (engine.counter(name, number), *about) for name, about in COUNTERS.items()}
    for name, description in EXTREMES.items():
        values = engine.counter(name, number).transpose(1, 0, 2)
        found[name] = (values, state_unit, description, STATE_LABELS)
    return found
