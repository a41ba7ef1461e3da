"""From a run or a drive to a netlist's file."""

from collections.abc import Sequence
from pathlib import Path

from ...analysis.spans import Span
from ...driving.drive_trace import DriveTrace
from ...errors import InputError
from ...files.whole import check_output, written_whole
from ...runs.run import Run
from .circuit import Circuit
from .drive_circuit import circuit_of_drive
from .netlist import data_name, netlist
from .run_circuit import circuit_of_run


def circuit_of(
    source: Run | DriveTrace,
    *,
    banks: Sequence[str] = (),
    devices: Sequence[int] = (),
    realisations: Sequence[int] = (),
    epochs: Span | None = None,
    samples: Span | None = None,
    steps: Span | None = None,
    any_size: bool = False,
) -> Circuit:
    """A stretch of a run or of a drive as a circuit.

    Parameters
    ----------
    source : Run or DriveTrace
    banks, devices, realisations : sequence, optional
        All where not given; a drive has devices alone.
    epochs, samples, steps : "A:B" or (A, B), optional
        One of them at most; everything where none is given. A drive has steps alone.
    any_size : bool
        Lift the limits on devices and device-steps.

    Raises
    ------
    InputError
        Something is chosen that the source does not have, or its model cannot
        be written for ngspice, or it is too much.
    """
    spans = {"epochs": epochs, "samples": samples, "steps": steps}
    if isinstance(source, Run):
        return circuit_of_run(
            source, banks=banks, devices=devices, realisations=realisations, any_size=any_size, **spans
        )
    given = {"banks": banks, "realisations": realisations, "epochs": epochs, "samples": samples}
    for flag, value in given.items():
        if value:
            raise InputError(f"{flag}: a drive has none; choose of its devices and steps")
    return circuit_of_drive(source, devices=devices, steps=spans["steps"], any_size=any_size)


def export_spice(
    source: Run | DriveTrace, out: str | Path, *, overwrite: bool = False, **chosen: object
) -> Path:  # fmt: skip
    """Write a netlist that ``ngspice -b`` runs as it is; the file is there whole or not at all.

    Parameters
    ----------
    source : Run or DriveTrace
    out : str or Path
    overwrite : bool
        Replace a file that exists.
    **chosen
        As :func:`circuit_of` takes it.

    Returns
    -------
    Path
        Of the netlist.

    Raises
    ------
    InputError
        As :func:`circuit_of`; or the target exists or cannot be written.
    """
    path = Path(out)
    check_output(path, overwrite, source=source.path)
    circuit = circuit_of(source, **chosen)  # type: ignore[arg-type]
    with written_whole(path, overwrite) as partial:
        write_netlist(circuit, partial, data_name(path.stem))
    return path


def write_netlist(circuit: Circuit, path: Path, data: str) -> None:
    """Write a circuit's netlist; ngspice is to write the file ``data``."""
    path.write_text(netlist(circuit, data), encoding="utf-8")
