"""The layout of a run file: every group and dataset that a run will ever write, made before its first step.

A file that is read while it is written cannot get new datasets. What there is
to be made is declared in :mod:`.schema`; here is which of it a run has, how
large it is, and what is known of it before.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import h5py
import numpy as np

from .chunks import chunk_rows, make_checksums, make_chunked
from .description import BankDescription, RunDescription, TracePlan
from .hdf5 import text, texts
from .making import Maker, put_attributes
from .overview import LEVELS, entries_of_chunk
from .past import PAST
from .rows import Selection
from .samples import KINDS, LINES, path_of
from .schema import (
    CHECKPOINTS,
    CONVENTION,
    OPEN_UNIT,
    QUANTITIES,
    RUN,
    RUN_ATTRIBUTES,
    SCHEMA,
    SLOT_COLUMNS,
    TRACED,
    Field,
)

CONFIGURATION_ROOM = 256  # bytes at least; a run that goes on for more epochs has a longer configuration


def create_layout(file: h5py.File, run: RunDescription, trace: TracePlan) -> None:
    """Fill an empty file with all groups and datasets of a run."""
    make_layout(file, run, trace)
    fill_layout(file, run)


def make_layout(file: h5py.File, run: RunDescription, trace: TracePlan) -> None:
    """Make all groups and datasets of a run, without what is its own."""
    for values_of_groups in (_attributes(run, trace), _own_attributes(run)):
        put_attributes(file, RUN_ATTRIBUTES, values_of_groups)
    maker, values = Maker(file), _values(run, trace)
    places = list(fields_of(run, trace))
    for field, bank in sorted(places, key=lambda place: not place[0].is_axis):
        given = values.get(field.path)
        if given is None and field.is_axis and not field.grows:
            given = lengths_of(run, bank)[field.name]
        made = _made(maker, field, run, trace, bank, given)
        for name, value in _further_attributes(field, run).items():
            made.attrs[name] = text(value) if isinstance(value, str) else value


def _made(
    maker: Maker, field: Field, run: RunDescription, trace: TracePlan, bank: BankDescription | None, given: Any
) -> h5py.Dataset:
    """A dataset, which grows as what it is of does."""
    top = field.path.partition("/")[0]
    if not field.grows:
        return maker.make(field, given)
    if top == "traces" and bank is not None:
        return _made_of_trace(maker, field, trace.selections[bank.name], trace.compression)
    if top == "overview" and not field.is_axis:
        return maker.grow(field, chunk=entries_of_chunk(maker.shape_of(field)[2:], int(field.path.split("/")[2])))
    return maker.grow(field, {"metrics": run.epochs, "keyframes": run.keyframes}.get(top, 0))


def _made_of_trace(maker: Maker, field: Field, selection: Selection, compression: str) -> h5py.Dataset:
    """Rows of a trace, and room for their checksums."""
    widths = [_width(TRACED[name][0], selection) for name in selection.quantities]
    made = make_chunked(maker, field, chunk_rows(max(widths)), "gzip" if field.is_axis else compression)
    make_checksums(maker, made)
    return made


def _width(axes: str, selection: Selection) -> int:
    """Channels of a quantity."""
    chosen = {"device": selection.devices, "variable": selection.variables, "realisation": selection.realisations}
    return int(np.prod([len(chosen[axis]) for axis in axes.split()]))


def _further_attributes(field: Field, run: RunDescription) -> dict[str, Any]:
    """Attributes of a dataset beside its unit and its meaning; codes and what they stand for, as the CF conventions."""
    meanings = {"phase": run.phases, "operation": run.operations}.get(field.name)
    if meanings is not None:
        return {"flag_values": np.arange(len(meanings), dtype=np.int8), "flag_meanings": " ".join(meanings)}
    return {"scale_factor": np.float64(run.dt)} if field.name == "time" and field.is_axis else {}


def attributes_of_field(field: Field, run: RunDescription) -> dict[str, Any]:
    """Attributes of a dataset, but for those that name its axes."""
    said = {"units": field.unit, "long_name": field.meaning} if field.unit else {}
    return said | _further_attributes(field, run)


# What a run has.


def fields_of(run: RunDescription, trace: TracePlan) -> Iterator[tuple[Field, BankDescription | None]]:
    """The fields of a run with names in their paths, units and types, and the bank that each is of."""
    of_run = _conditions(run)
    of_banks = {bank.name: of_run | _conditions_of(bank, run, trace) for bank in run.banks}
    order = np.min_scalar_type(len(run.data.inputs) - 1).str
    for field in (*RUN, *run.counters, *run.programmed):
        if "checksums" in field.path:  # made with what they are of
            continue
        if "BANK" not in field.path:
            if all(of_run[each] for each in field.conditions):
                yield replace(field, kind=order if field.kind == "uint" else field.kind), None
            continue
        for bank in run.banks:
            holds = all(of_banks[bank.name][each] for each in field.conditions)
            if holds and _is_wanted(field, bank, run, trace):
                unit = _state_unit(field, bank, trace) if field.unit == "state" else field.unit
                for rows in LEVELS if "ROWS" in field.path else ("",):
                    yield replace(field.at(BANK=bank.name, ROWS=f"{rows}"), unit=unit), bank


def _conditions(run: RunDescription) -> dict[str, bool]:
    """Which of the conditions hold, as far as they are of the whole run."""
    data, begun = run.data, run.beginning
    return {
        "validated": data.validation is not None,
        "tested": data.test is not None,
        "classes": data.classes is not None,
        "named": bool(data.features),
        "scaled": data.scaling is not None,
        "watched": run.watched,
        "energies": run.epoch_energy,
        "begun": begun is not None,
        "programmed": begun is not None and begun.programming is not None,
    }


def _conditions_of(bank: BankDescription, run: RunDescription, trace: TracePlan) -> dict[str, bool]:
    """Which of them hold for a bank."""
    begun = run.beginning
    past = begun is not None and bool(begun.past)
    written = begun.programming.banks if begun is not None and begun.programming is not None else {}
    return {"traced": bank.name in trace.selections, "programmed": bank.name in written, "past": past} | {
        name: name in bank.past for name in PAST
    }


def _is_wanted(field: Field, bank: BankDescription, run: RunDescription, trace: TracePlan) -> bool:
    """Whether a quantity is traced; whether a number of how weights were written is known."""
    if field.when == "traced" and field.name in QUANTITIES:
        return field.name in trace.selections[bank.name].quantities
    if field.when == "programmed" and not field.is_axis and run.beginning and run.beginning.programming:
        return field.name in run.beginning.programming.banks[bank.name]
    return True


def _state_unit(field: Field, bank: BankDescription, trace: TracePlan) -> str:
    """The unit of a bank's variables, or of those that are traced."""
    units = [unit for _, unit, _, _ in bank.variables]
    if field.when == "traced":
        units = [units[k] for k in trace.selections[bank.name].variables]
    return units[0] if len(set(units)) == 1 else OPEN_UNIT


def lengths_of(run: RunDescription, bank: BankDescription | None) -> dict[str, int]:
    """Axes by name to their lengths, for what is of a bank or of none; those that grow are not among them."""
    data = run.data
    held_back = {f"{name}_sample": len(part.inputs) for name, part in data.held_back.items()}
    of_bank = {} if bank is None else {"device": bank.devices, "variable": len(bank.variables)}
    return {
        "realisation": len(run.seeds), "sample": len(data.inputs), "input": data.inputs.shape[1],
        "output": data.targets.shape[1], "class": len(data.classes.names) if data.classes else 0,
        "phase": len(run.phases), "unit": run.units, "slot": CHECKPOINTS, "extreme": 2, **held_back, **of_bank,
    }  # fmt: skip


def values_of(run: RunDescription, trace: TracePlan) -> dict[str, Any]:
    """Path to values of all that is neither zeros nor the numbers of an axis; of an axis its length."""
    return _values(run, trace) | _own_values(run)


def attributes_of(run: RunDescription, trace: TracePlan) -> dict[str, dict[str, Any]]:
    """Path of a group to its attributes."""
    said = _attributes(run, trace)
    for path, own in _own_attributes(run).items():
        said[path] = said.get(path, {}) | own
    return said


def _values(run: RunDescription, trace: TracePlan) -> dict[str, Any]:
    """Path to values of what is in all files of such runs, where they are neither zeros nor the numbers of an axis."""
    data, slots = run.data, run.slots
    values: dict[str, Any] = {
        "configuration": configuration_text(" " * len(run.configuration.encode())),
        "slots/slot": len(slots),
        "metrics/phase_time": run.phase_seconds,
        "best/epoch": np.full((CHECKPOINTS, len(run.seeds)), -1),
    }
    if data.classes is not None:
        values["dataset/class_name"] = texts(data.classes.names)
    if data.features:
        values["dataset/input_name"] = texts(data.features)
    names = {"phase": run.phases, "operation": run.operations}
    for column, _ in SLOT_COLUMNS:
        coded = [names[column].index(name.decode()) for name in slots[column]] if column in names else slots[column]
        values[f"slots/{column}"] = coded
    for bank, kept in trace.selections.items():
        chosen = {"device": kept.devices, "variable": kept.variables, "realisation": kept.realisations}
        values |= {f"{top}/{bank}/{name}": each for top in ("traces", "overview") for name, each in chosen.items()}
    return values


def _attributes(run: RunDescription, trace: TracePlan) -> dict[str, dict[str, Any]]:
    """Path of a group to its attributes, but for those of the run's own."""
    of_file = {"convention": CONVENTION, "schema_version": SCHEMA, "dt": run.dt, "dt_units": "s"}
    replayed = {"replayed_from": run.replayed_from} if run.replayed_from else {}
    return {
        "/": {**run.program, **of_file, "sample_steps": run.sample_steps, **run.dt_check, **replayed},
        "dataset": _attributes_of_samples(run),
        "keyframes": {"samples": run.keyframe_samples},
        **{f"banks/{bank.name}": _attributes_of_bank(index, bank) for index, bank in enumerate(run.banks)},
        **{
            f"traces/{bank.name}": _attributes_of_trace(bank, trace.selections[bank.name])
            for bank in run.banks
            if bank.name in trace.selections
        },
    }


def _attributes_of_samples(run: RunDescription) -> dict[str, Any]:
    data = run.data
    said: dict[str, Any] = {"name": data.name}
    if data.classes is not None:
        said |= {"low": data.classes.low, "high": data.classes.high}
    if data.scaling is not None:
        said["scaling"] = data.scaling.kind
        said |= {f"{name}_clipped": part.clipped for name, part in data.held_back.items()}
    return said


def _attributes_of_bank(index: int, bank: BankDescription) -> dict[str, Any]:
    names, units, lower, upper = zip(*bank.variables, strict=True)
    return {
        "index": index, "model": bank.model, "devices": bank.devices, "variables": names, "variable_units": units,
        "lower_bounds": lower, "upper_bounds": upper, **({"model_sha256": bank.digest} if bank.digest else {}),
    }  # fmt: skip


def _attributes_of_trace(bank: BankDescription, kept: Selection) -> dict[str, Any]:
    chosen = [bank.variables[k] for k in kept.variables]
    said = {"variables": [v[0] for v in chosen], "variable_units": [v[1] for v in chosen], "stride": kept.stride}
    return said | ({"windows": np.ravel(kept.windows)} if kept.windows else {})


# What is the run's own: put into a file that is made.


def fill_layout(file: h5py.File, run: RunDescription) -> None:
    """Put a run's own values into a file with all groups and datasets."""
    put_attributes(file, RUN_ATTRIBUTES, _own_attributes(run))
    for path, values in _own_values(run).items():
        file[path][...] = values


def _own_attributes(run: RunDescription) -> dict[str, dict[str, Any]]:
    begun = run.beginning
    said: dict[str, dict[str, Any]] = {f"banks/{bank.name}": dict(bank.calibration) for bank in run.banks}
    if begun is not None:
        said["start"] = {"epochs": begun.epochs, "steps": begun.steps}
        if begun.programming is not None:
            said["programming"] = {"passes": begun.programming.passes}
    return said


def _own_values(run: RunDescription) -> dict[str, Any]:
    values: dict[str, Any] = {"configuration": configuration_text(run.configuration), "seeds": run.seeds}
    for part, data in {"": run.data, **run.data.held_back}.items():
        values |= {path_of(part, name): getattr(data, name) for name in KINDS}
    if run.data.scaling is not None:
        values |= {f"dataset/{name}": getattr(run.data.scaling, name) for name in LINES}
    for bank in run.banks:
        values[f"banks/{bank.name}/initial_state"] = bank.initial
        if run.watched:
            values[f"best/{bank.name}/state"] = bank.initial
    return values | _values_of_beginning(run)


def _values_of_beginning(run: RunDescription) -> dict[str, Any]:
    begun = run.beginning
    if begun is None:
        return {}
    values: dict[str, Any] = {"start/bias_weight": begun.bias}
    for bank, past in zip(run.banks, begun.past, strict=bool(begun.past)):
        values |= {f"start/{bank.name}/{name}": past[list(PAST).index(name)] for name in bank.past}
    if begun.programming is not None:
        values["programming/time"] = begun.programming.seconds
        for written, found in begun.programming.banks.items():
            values |= {f"programming/{written}/{name}": array for name, array in found.items()}
    return values


def configuration_text(configuration: str) -> np.ndarray:
    """A configuration as the file has it, with room."""
    encoded = configuration.encode()
    room = (len(encoded) // CONFIGURATION_ROOM + 2) * CONFIGURATION_ROOM
    return np.array(encoded, dtype=h5py.string_dtype("utf-8", room))
