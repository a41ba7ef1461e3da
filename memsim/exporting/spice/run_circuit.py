"""A stretch of a run as a circuit: every device under the currents that it got."""

from collections.abc import Sequence

import numpy as np

from ...analysis import spans
from ...analysis.stored_states import state_before
from ...errors import InputError
from ...runs.channels import choose
from ...runs.run import Run
from ...runs.timeline import slot_widths
from ...traces.reader import BankRows
from .circuit import EDGE, Circuit, CircuitRows, Instance, Kind, check_size, origin, scales_of
from .circuit_sources import Span, held_source
from .models import equations_of


def circuit_of_run(
    run: Run, *, banks: Sequence[str] = (), devices: Sequence[int] = (), realisations: Sequence[int] = (),
    epochs: spans.Span | None = None, samples: spans.Span | None = None, steps: spans.Span | None = None,
    any_size: bool = False,
) -> Circuit:  # fmt: skip
    """Chosen devices over a stretch of a run, with their states at its start.

    Parameters
    ----------
    run : Run
    banks, devices, realisations : sequence
        All where not given.
    epochs, samples, steps : "A:B", optional
        One of them at most; the whole run where none is given.
    any_size : bool
        Lift the limits on devices and device-steps.

    Raises
    ------
    InputError
        Something is chosen that the run does not have, or it is too much for a netlist.
    """
    _refuse_imperfect(run)
    channels = choose(run, banks, devices, realisations)
    start, stop = spans.steps_of(run, epochs=epochs, samples=samples, steps=steps)
    lanes = channels.realisations
    check_size(sum(map(len, channels.devices.values())) * len(lanes), stop - start, any_size)
    calibrated = {bank.name: bank.device for bank in run.calibration}
    for bank in channels.banks:
        equations_of(calibrated[bank])
    span = Span(start, stop, run.dt, EDGE * run.dt)
    rows = run.stretch(start, stop, channels.banks, realisations=lanes)
    instances: list[Instance] = []
    places: list[tuple[BankRows, int, int]] = []
    for bank in channels.banks:
        initial = state_before(run, bank, start, lanes)[list(channels.devices[bank])]
        scales = scales_of(calibrated[bank], np.moveaxis(initial, 1, 2).reshape(-1, initial.shape[1]))
        kind = Kind(bank, calibrated[bank], scales, _hold(run, bank, span))
        for k, device in enumerate(channels.devices[bank]):
            for lane, realisation in enumerate(lanes):
                source = held_source(rows[bank].current[:, device, lane], span)
                instances.append(
                    Instance(f"{bank}_d{device}_r{realisation}", kind, initial[k, :, lane], (source,))
                )  # fmt: skip
                places.append((rows[bank], device, lane))
    return Circuit(
        title=f"memsim: {', '.join(channels.banks)} of a run, steps {start} to {stop}",
        about=origin(run.path, run.stored.label("/", "program_version"), start, stop, run.configuration_text),
        dt=run.dt,
        steps=stop - start,
        drive="current",
        instances=tuple(instances),
        rows=_rows(places),
    )


def _refuse_imperfect(run: Run) -> None:
    """A netlist has one set of parameters for a bank, and no noise."""
    for name in ("imperfections", "periphery"):
        if getattr(run.config, name) != type(run.config).model_fields[name].default:
            raise InputError(
                f"format='spice': the run has [{name}], which a netlist cannot hold: its devices would differ, or its "
                f"drivers and read-outs are not perfect; export the rows as CSV, or run it without"
            )


def _hold(run: Run, bank: str, span: Span) -> str | None:
    """The source that is 0 while external control holds a bank's states, or None where it never does."""
    number, moves = run.banks.index(bank), np.ones(run.sample_steps)
    for slot, width in zip(run.slots, slot_widths(run.slots), strict=True):
        if slot["bank"] == number and slot["held"]:
            moves[slot["start"] : slot["start"] + width] = 0.0
    if moves.all():
        return None
    return held_source(moves[np.arange(span.start, span.stop) % run.sample_steps], span)


def _rows(places: list[tuple[BankRows, int, int]]) -> CircuitRows:
    return CircuitRows(
        state=tuple(rows.state[:, device, :, lane] for rows, device, lane in places),
        current=np.stack([rows.current[:, device, lane] for rows, device, lane in places], axis=1),
        voltage=np.stack([rows.voltage[:, device, lane] for rows, device, lane in places], axis=1),
    )
