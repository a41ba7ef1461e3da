"""What a run file says, compared: each dataset with its declaration (:mod:`.schema`), and its parts with each other."""

import re

import numpy as np

from .doubted import DoubtedFile
from .overview import LEVELS
from .schema import CHECKPOINTS, COMMITTED, QUANTITIES, STEPS_AT_MOST, Field
from .stored import Stored

BANK_NAME = re.compile("[A-Za-z0-9_-]{1,64}")
KINDS = {"f": "f", "i": "iu", "u": "u"}  # NumPy's of what is in a file, by those that are declared
READ_WHOLE = ("dataset/", "slots/")  # groups whose values are looked at, as soon as anything is


def check_run(file: Stored) -> None:
    """Read everything that a run file must have, but the long datasets.

    Raises
    ------
    NotARunFileError
        With one line that says what is wrong.
    """
    lanes, samples = len(file.seeds), len(file.data.inputs)
    if lanes == 0:
        raise file.broken("its realisations are missing")
    if not (file.dt > 0 and 0 < file.sample_steps <= STEPS_AT_MOST):
        raise file.broken("dt and sample_steps must be above 0")
    for field in COMMITTED:
        file.committed(field.name)
    for bank in file.banks:
        if not BANK_NAME.fullmatch(bank):
            raise file.broken(f"a bank has the name {bank!r}")
    _check_slots(file)
    counts = _checked_counts(file, samples)
    for bank in file.traced:
        _check_selection(file, bank)
    _check_fields(file, counts, {"sample": samples, "realisation": lanes, "slot": CHECKPOINTS, "extreme": 2})
    file.look_at_states()
    if file.goes_on:
        _check_end(file)


def _check_slots(file: Stored) -> None:
    """Slots follow each other and fill a sample."""
    slots = file.slots
    if len(slots) == 0 or not 0 <= slots["bank"].min() <= slots["bank"].max() < len(file.banks):
        raise file.broken("slots names a bank that is not there")
    for name, least in (("pulses", 1), ("pulse_steps", 1), ("gap_steps", 0), ("rest_steps", 0)):
        if slots[name].min() < least or slots[name].max() > STEPS_AT_MOST:
            raise file.broken(f"slots/{name} is not from {least} on")
    ends = np.cumsum([_slot_steps(slot) for slot in slots])
    if ends[-1] != file.sample_steps or slots["start"].tolist() != [0, *ends[:-1].tolist()]:
        raise file.broken(f"its slots do not fill the {file.sample_steps} steps of a sample")


def _slot_steps(slot: np.void) -> int:
    """Steps of a slot, the idle ones after it included."""
    pulses = int(slot["pulses"])
    return pulses * int(slot["pulse_steps"]) + (pulses - 1) * int(slot["gap_steps"]) + int(slot["rest_steps"])


# Datasets of numbers, as the table declares them.


def _checked_counts(file: Stored, samples: int) -> dict[str, int]:
    """How many epochs and keyframes were counted."""
    keyframes = file.keyframe_samples  # before the epochs, of which a writer may add more meanwhile
    epochs = file.committed("epochs")
    if epochs < int(keyframes[-1] if len(keyframes) else 0) // samples and not file.live:
        raise file.broken(f"{epochs} epochs were counted, and its last keyframe is after {keyframes[-1]} samples")
    return {"epoch": epochs, "keyframe": len(keyframes)}


def _check_fields(file: Stored, counts: dict[str, int], lengths: dict[str, int]) -> None:
    """Every dataset of numbers that the file has, or must have, is as it is declared."""
    conditions = {
        "validated": file.is_validated, "watched": file.is_watched, "energies": file.has_energies,
        "begun": file.has("start"), "programmed": file.has("programming"), "finished": file.finished,
    }  # fmt: skip
    for field in file.fields:
        if field.kind == "text" or field.path.startswith(READ_WHOLE) or "checksums" in field.path:
            continue
        for bank in file.banks if "BANK" in field.path else ("",):
            if field.when == "traced":
                _check_of_trace(file, field, bank, lengths)
            else:
                own = field.at(BANK=bank)
                if _is_there(file, own, bank, conditions):
                    check_field(file, own, counts | {"time": counts["keyframe"]}, lengths | _lengths_of(file, bank))


def _lengths_of(file: Stored, bank: str) -> dict[str, int]:
    return {"device": file.bank(bank).devices, "variable": len(file.bank(bank).variables)} if bank else {}


def _is_there(file: Stored, field: Field, bank: str, conditions: dict[str, bool]) -> bool:
    """Whether the file has, or must have, a dataset."""
    if field.is_axis:  # no reader needs it
        return False
    of_some_banks = not set(field.conditions) <= set(conditions) or (field.when == "programmed" and bank)
    if of_some_banks or (field.late and not field.when):
        return file.has(field.path)
    return all(conditions[each] for each in field.conditions)


def _check_of_trace(file: Stored, field: Field, bank: str, lengths: dict[str, int]) -> None:
    """A quantity of a trace, or of its overview."""
    if bank not in file.traced or (field.is_axis and field.name != "time"):
        return
    kept, rows = file.trace(bank).selection, file.trace(bank).rows
    if field.name in QUANTITIES and field.name not in kept.quantities:
        return
    known = {"device": len(kept.devices), "variable": len(kept.variables), "realisation": len(kept.realisations)}
    if "ROWS" not in field.path:
        check_field(file, field.at(BANK=bank), {"time": rows}, lengths | known)
        return
    for level, each in enumerate(LEVELS):
        entries = file.overview_entries(bank, level)
        check_field(file, field.at(BANK=bank, ROWS=f"{each}"), {"time": entries}, lengths | known)


def check_field(file: DoubtedFile, field: Field, counts: dict[str, int], lengths: dict[str, int]) -> None:
    """Refuse a dataset of another type or shape than is declared.

    Parameters
    ----------
    file : DoubtedFile
    field : Field
        With names in its path.
    counts : dict
        Axis that grows to what was counted along it.
    lengths : dict
        Other axes to their lengths; those that are not known are taken from the dataset.
    """
    kind = "u" if field.kind == "uint" else KINDS[np.dtype(field.kind).kind]
    found, labels = file.shape(field.path, kind), field.labels
    if not field.grows:
        for label, length in zip(labels, found, strict=False):
            lengths.setdefault(label, length)
        if found != (expected := tuple(lengths.get(label) for label in labels)):
            raise file.broken(f"{field.path} is of the shape {found}, not {expected}")
        return
    for label, length in zip(labels[1:], found[1:], strict=False):
        lengths.setdefault(label, length)
    row, count = tuple(lengths.get(label) for label in labels[1:]), counts[labels[0]]
    if not found or found[1:] != row:
        raise file.broken(f"{field.path} has rows of the shape {found[1:]}, not {row}")
    if found[0] < count:
        raise file.broken(f"{field.path} has {found[0]} rows, and {count} were counted")
    file.justify(field.path, count * int(np.prod(found[1:], dtype=np.int64)))


# What follows from more than one of them.


def _check_selection(file: Stored, bank: str) -> None:
    """A bank's trace is of what the bank has."""
    path, kept = f"traces/{bank}", file.trace(bank).selection
    lengths = _lengths_of(file, bank) | {"realisation": len(file.seeds)}
    chosen = {"device": kept.devices, "variable": kept.variables, "realisation": kept.realisations}
    for name, indices in chosen.items():
        rising = (indices[1:] > indices[:-1]).all()
        if not (len(indices) and 0 <= indices[0] and indices[-1] < lengths[name] and rising):
            raise file.broken(f"{path}/{name} does not name {name}s of the bank")
    edges = np.array([0, *np.ravel(np.array(kept.windows, dtype=np.int64))])
    if not 0 < kept.stride <= STEPS_AT_MOST or (edges[1:] < edges[:-1]).any():
        raise file.broken(f"{path} has a stride or windows that no trace has")


def _check_end(file: Stored) -> None:
    """What the run would go on from, and the rows of one that is finished."""
    if not file.has_counters:
        return
    keyframes = file.keyframe_samples
    samples, at = int(file.checkpoint("sample")), int(file.checkpoint("keyframes"))
    if at > len(keyframes) and not file.live:
        raise file.broken(f"its checkpoint is after {at} keyframes, and {len(keyframes)} were counted")
    if at and not file.live and samples != keyframes[at - 1]:
        raise file.broken(f"its checkpoint is after {samples} samples, and its keyframe is not")
    for name in ("total_error", "device_steps", "wall_seconds"):
        file.checkpoint(name)
    for bank in file.traced if file.finished and not file.live else ():
        trace = file.trace(bank)
        wanted = trace.selection.row_of(samples * file.sample_steps)
        if trace.rows != wanted:
            raise file.broken(f"it is said to be finished, with {trace.rows} rows of traces/{bank}, not {wanted}")
