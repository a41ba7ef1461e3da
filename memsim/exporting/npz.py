"""Plain arrays for NumPy, one for each bank and quantity."""

import zipfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO

import numpy as np

from ..runs.channels import UNITS
from ..runs.timeline import PHASES
from .excerpt import Excerpt, Report, provenance

STEP_ARRAYS = {"step": "<i8", "time": "<f8", "epoch": "<i8", "sample": "<i8", "phase": "i1"}


def write_npz(excerpt: Excerpt, path: Path, report: Report) -> None:
    """Write arrays that ``numpy.load`` reads without pickle; docs/export.md lists them.

    An archive takes one array after the other, a run gives all at once: they
    are gathered in files of their own beside the target, and packed then.

    Parameters
    ----------
    excerpt : Excerpt
    path : Path
        Replaced where it exists.
    report : callable
        Called with rows done and in all.
    """
    with TemporaryDirectory(dir=path.parent, prefix=f"{path.name}.") as folder:
        gathered = _gather(excerpt, Path(folder), report)
        with path.open("wb") as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            for name, values in _small_arrays(excerpt):
                with archive.open(f"{name}.npy", "w") as member:
                    np.lib.format.write_array(member, values, allow_pickle=False)
            for name, part in gathered.items():
                archive.write(part, f"{name}.npy")
                part.unlink()


def _small_arrays(excerpt: Excerpt) -> Iterator[tuple[str, np.ndarray]]:
    """What does not grow with the rows."""
    channels = excerpt.channels
    units = [("time", "s")]
    for bank in channels.banks:
        variables = excerpt.variables(bank)
        yield f"{bank}/device", np.array(channels.devices[bank], dtype="<i8")
        yield f"{bank}/variable", np.array([name for name, _ in variables])
        yield f"{bank}/variable_unit", np.array([unit for _, unit in variables])
        for quantity in channels.quantities:
            of_states = {unit for _, unit in variables}
            unit = UNITS.get(quantity) or (of_states.pop() if len(of_states) == 1 else "see variable_unit")
            units.append((f"{bank}/{quantity}", unit))
    yield "realisation", np.array(channels.realisations, dtype="<i8")
    yield "phase_names", np.array(PHASES)
    yield "units", np.array(units)
    yield (
        "provenance",
        np.array([(name, text) for name, text in provenance(excerpt).items() if name != "configuration"]),
    )
    yield "configuration", np.array(excerpt.run.configuration_text)


def _gather(excerpt: Excerpt, folder: Path, report: Report) -> dict[str, Path]:
    """Write the arrays that grow with the rows, each to a file of its own; name to file."""
    shapes = dict.fromkeys(STEP_ARRAYS, ()) | _shapes(excerpt)
    gathered = {name: folder / f"{number}.npy" for number, name in enumerate(shapes)}
    with ExitStack() as opened:
        files = {name: opened.enter_context(part.open("wb")) for name, part in gathered.items()}
        for name, shape in shapes.items():
            _write_header(files[name], STEP_ARRAYS.get(name, "<f8"), (excerpt.rows, *shape))
        for block in excerpt.blocks(report):
            arrays = dict(zip(STEP_ARRAYS, excerpt.columns(block.steps), strict=True))
            arrays |= {f"{bank}/{quantity}": values for (bank, quantity), values in block.values.items()}
            for name, values in arrays.items():
                files[name].write(np.ascontiguousarray(values, dtype=STEP_ARRAYS.get(name, "<f8")).data)
    return gathered


def _shapes(excerpt: Excerpt) -> dict[str, tuple[int, ...]]:
    """Shape of one row of each bank and quantity."""
    channels = excerpt.channels
    shapes: dict[str, tuple[int, ...]] = {}
    for bank in channels.banks:
        for quantity in channels.quantities:
            variables = (len(channels.variables[bank]),) if quantity == "state" else ()
            shapes[f"{bank}/{quantity}"] = (len(channels.devices[bank]), *variables, len(channels.realisations))
    return shapes


def _write_header(file: BinaryIO, kind: str, shape: tuple[int, ...]) -> None:
    about = {"descr": kind, "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_2_0(file, about)
