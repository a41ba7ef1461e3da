"""``trace``: what keeping a trace costs, and what looking into a run costs with and without one.

A run of 64 synapses is stepped by one thread and written by another. Rows are
state, current and voltage of every step, 24 bytes.
"""

import time
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from ...analysis.plot import figure_of
from ...configuration.sections import Configuration
from ...datasets import Dataset, gate
from ...network.assembly import assemble
from ...runs import training
from ...runs.channels import choose
from ...runs.run import Run
from ...terminal.si import counted
from ...traces.codecs import CodecError, codec
from ...viewing.looks import Looker
from ..bench_networks import SAMPLE_STEPS_221, bank_of_64, carry_out, network_221, unstopped
from ..bench_records import Record, Value, record
from ..case import Case, Setting
from ..limits import write_plainly
from ..timing import Effort, Times, Work, seconds_of, taking_turns

DEVICES, ROW_BYTES = 64, 24
NO_TRACE = {"mode": "keyframes"}
FULL = {kind: {"mode": "full", "compression": kind} for kind in ("none", "gzip", "blosc")}
# Name to trace, and the share of all bytes that it keeps.
MODES: dict[str, tuple[dict[str, Any], float]] = {
    "no trace": (NO_TRACE, 0.0),
    "full, uncompressed": (FULL["none"], 1.0),
    "full, gzip": (FULL["gzip"], 1.0),
    "full, Blosc": (FULL["blosc"], 1.0),
    "select, 8 devices of 64, gzip": ({"mode": "select", "devices": tuple(range(8))}, 1 / 8),
    "select, every 10th step, gzip": ({"mode": "select", "stride": 10}, 1 / 10),
    "select, the state alone, gzip": ({"mode": "select", "quantities": ("state",)}, 1 / 3),
}
WRITING = Effort(turn_seconds=0.0, turns=7, case_seconds=45.0)
PLACES = 9  # where windows are looked at
WINDOWS = (1, 10, 100, 1000)  # samples
DEPTHS = (220, 2_200, 22_000, 220_000, 2_200_000, 22_000_000)  # steps of a look
COLUMNS = 1000  # of pixels that a look is for


def cases(setting: Setting) -> list[Case]:
    """Writing; windows of a run of one realisation, and of ten; a long figure; looks at any depth."""
    lanes = (1,) if setting.quick else (1, 10)
    return [
        Case("writing", partial(_writing, setting), 90.0),
        *(Case(f"windows, {counted(n, 'realisation')}", partial(_windows, setting, n), 10.0 * n) for n in lanes),
        Case("figures", partial(_figures, setting), 30.0),
        Case("looks", partial(_looks, setting), 15.0),
    ]


def _modes(setting: Setting) -> dict[str, tuple[dict[str, Any], float]]:
    """The modes that the installed libraries can write."""
    try:
        codec("blosc")
    except CodecError as error:
        setting.left_out.append(f"Blosc is left out: {error}; pip install 'memsim[blosc]'")
        return {name: mode for name, mode in MODES.items() if mode[0].get("compression") != "blosc"}
    return MODES


def _writing(setting: Setting) -> list[Record]:
    """A run with each trace, without one, with its rows kept in memory alone, and a raw write of the rows' bytes."""
    epochs, path, raw = 1 if setting.quick else 30, setting.folder / "run.h5", setting.folder / "raw"
    modes = _modes(setting)
    _, data = bank_of_64(1)
    configs = {name: bank_of_64(epochs, trace)[0] for name, (trace, _) in modes.items()}
    with unstopped(training.run(configs["no trace"], data)) as run:
        size, device_steps = run.steps * DEVICES * ROW_BYTES, run.device_steps
    works: dict[str, Work] = {name: partial(_run_to, path, config, data) for name, config in configs.items()}
    works["rows into memory, and dropped"] = partial(carry_out, assemble(configs["no trace"], data), 1, (0,))
    works["raw write of the rows' bytes"] = partial(write_plainly, raw, size)
    times = taking_turns(works, setting.effort if setting.quick else WRITING)
    records = []
    for name in works:
        share = modes[name][1] if name in modes else 1.0
        stored = {"file_bytes": _size_of(path, modes[name][0], epochs, data)} if name in modes else {}
        more = {**_against(times, name, share), "row_bytes": round(size * share), **stored}
        more["mb_per_s"] = size * share / times[name].minimum / 1e6
        own = device_steps if not name.startswith("raw") else None
        records.append(record("trace", f"writing: {name}", times[name], device_steps=own, more=more))
    return records


def _run_to(path: Path, config: Configuration, data: Dataset) -> None:
    unstopped(training.run(config, data, out=path, overwrite=True)).close()


def _size_of(path: Path, trace: dict[str, Any], epochs: int, data: Dataset) -> int:
    """Bytes of the file that a trace makes."""
    _run_to(path, bank_of_64(epochs, trace)[0], data)
    return path.stat().st_size


def _against(times: dict[str, Times], name: str, share: float) -> dict[str, Value]:
    """A time over that of no trace, and over that of writing the bytes that the trace keeps."""
    own, raw = times[name].minimum, times["raw write of the rows' bytes"].minimum
    over_raw: dict[str, Value] = {"ratio_to_raw_write": own / (share * raw)} if share else {}
    return {"slow_down": own / times["no trace"].minimum, **over_raw}


def _windows(setting: Setting, realisations: int) -> list[Record]:
    """A window of the 2-2-1 network, all banks and quantities: replayed, and read from stored traces."""
    epochs, wanted = (20, WINDOWS[:2]) if setting.quick else (200, WINDOWS)
    kinds = {"replayed": NO_TRACE, "read from gzip": FULL["gzip"], "read uncompressed": FULL["none"]}
    runs: dict[str, Run] = {}
    try:
        for name, trace in kinds.items():
            config = network_221(epochs, realisations, 1, trace)
            path = setting.folder / f"{name.split()[-1]}.h5"
            runs[name] = unstopped(training.run(config, gate("xor"), out=path, overwrite=True))
            runs[name].stretch(0, SAMPLE_STEPS_221)
        return [r for samples in wanted for r in _window(runs, samples, realisations)]
    finally:
        for run in runs.values():
            run.close()


def _window(runs: dict[str, Run], samples: int, realisations: int) -> list[Record]:
    """Windows of some samples, at several places of the runs in turn: the place matters, so medians are compared."""
    total = len(runs["replayed"].total_error) * 100
    taken: dict[str, list[float]] = {name: [] for name in runs}
    for place in np.random.default_rng(samples).integers(0, total - samples, PLACES):
        start = int(place) * SAMPLE_STEPS_221
        for name, run in runs.items():
            taken[name].append(seconds_of(partial(run.stretch, start, start + samples * SAMPLE_STEPS_221)))
    times = {name: Times(tuple(seconds)) for name, seconds in taken.items()}
    replayed, where = times["replayed"].median, f"{counted(samples, 'sample')}, {counted(realisations, 'realisation')}"
    return [
        record(
            "trace", f"window of {where}: {name}", times[name],
            more={"samples": samples, "realisations": realisations, "ratio_to_replay": times[name].median / replayed},
        )
        for name in runs
    ]  # fmt: skip


def _figures(setting: Setting) -> list[Record]:
    """A figure of all channels over a long span: of a traced run by its overview, of another one replayed."""
    steps = 100_000 if setting.quick else 10_000_000
    epochs = -(-steps // (100 * SAMPLE_STEPS_221))
    records = []
    for name, trace in (("traced", FULL["gzip"]), ("replayed from keyframes", NO_TRACE)):
        path = setting.folder / "long.h5"
        with unstopped(training.run(network_221(epochs, 1, 1, trace), gate("xor"), out=path, overwrite=True)) as run:
            channels = choose(run)
            figure_of(run, channels, 0, 1000)
            work = partial(figure_of, run, channels, 0, steps)
            times = taking_turns({name: work}, Effort(0.0, 3, 60.0), warm=False)
        more: dict[str, Value] = {"steps": steps, "channels": len(channels)}
        records.append(record("trace", f"figure of {steps:,} steps: {name}", times[name], more=more))
    return records


def _looks(setting: Setting) -> list[Record]:
    """What `memsim trace view` does to show all channels at any depth of a long run that keeps its keyframes alone."""
    config = network_221(46 if setting.quick else 4546, 1, 1, NO_TRACE)
    places, records = np.random.default_rng(1), []
    path = setting.folder / "looked-at.h5"
    with unstopped(training.run(config, gate("xor"), out=path, overwrite=True)) as run:
        looker, channels = Looker(run), choose(run)
        looker.look(channels, 0, run.steps, COLUMNS)
        for steps in (*(depth for depth in DEPTHS if depth < run.steps), run.steps):
            taken, found = [], []
            for start in places.integers(0, run.steps - steps + 1, PLACES).tolist():
                begun = time.perf_counter()
                found.append(looker.look(channels, start, start + steps, COLUMNS))
                taken.append(time.perf_counter() - begun)
            points = max(len(curve.low) for look in found for curve in look.curves.values())
            more: dict[str, Value] = {
                "steps": steps, "of_steps": run.steps, "channels": len(channels), "points": points,
                "longest_seconds": max(taken),
            }  # fmt: skip
            name = f"look at {steps:,} of {run.steps:,} steps"
            records.append(record("trace", name, Times(tuple(taken)), more=more))
        looker.close()
    return records
