"""What traces cost, as ratios within one run: writing them, and replaying a window against reading it.

Usage: python benchmarks/traces.py [FOLDER]     files go into FOLDER, the present one where not given

The runs of a comparison take turns; minima are shown, and for the windows medians of several places.
"""

import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

import memsim
from memsim import training
from memsim.assembly import assemble
from memsim.configuration import Configuration
from memsim.datasets import Dataset, gate
from memsim.engine import Engine

REPEATS = 5
MODES = {
    "no trace": {"mode": "keyframes"},
    "full, uncompressed": {"mode": "full", "compression": "none"},
    "full, gzip": {"mode": "full", "compression": "gzip"},
    "full, Blosc": {"mode": "full", "compression": "blosc"},
}
RANDOM = np.random.default_rng(0)
WIDE = Dataset(RANDOM.uniform(-1.0, 1.0, (20, 63)), RANDOM.uniform(0.0, 1.0, (20, 1)), "63 random inputs")


def bank_of_64(trace: dict, epochs: int = 30) -> Configuration:
    """A bank of 64 synapses under Algorithm 1: one thread steps it, one writes."""
    return Configuration(
        network={"kind": "slp", "inputs": 63, "construction": "equivalent"}, run={"threads": 1},
        learning={"epochs": epochs}, data={"arrays": WIDE.name}, trace=trace,
    )  # fmt: skip


def network_221(trace: dict, realisations: int) -> Configuration:
    """The 2-2-1 network on XOR, 200 epochs of 100 samples."""
    return Configuration(
        network={"kind": "mlp", "layers": (2, 2, 1)}, run={"realisations": realisations, "threads": 1},
        learning={"epochs": 200, "rate": 0.01}, data={"gate": "xor"}, trace=trace,
    )  # fmt: skip


def seconds(work: Callable[[], object]) -> float:
    """How long something takes."""
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def run_to(path: Path, config: Configuration, data: Dataset) -> None:
    """A run into a file."""
    training.run(config, data, out=path, overwrite=True).close()


def into_memory(config: Configuration, data: Dataset) -> None:
    """The same run with its rows recorded into memory, and dropped."""
    engine = Engine(assemble(config, data), threads=1, epochs=config.learning.epochs, recorded=(0,))
    while engine.position < engine.slots:
        engine.recycle(engine.advance(engine.slots))
    engine.close()


def raw_write(path: Path, size: int) -> None:
    """As many bytes as the rows have, by plain writes."""
    piece = RANDOM.bytes(1 << 20)
    with path.open("wb", buffering=0) as file:
        for _ in range(size >> 20):
            file.write(piece)


def writing(folder: Path) -> None:
    """The time of a run with its trace, over that without, and over a raw write of the same bytes."""
    path, raw = folder / "run.h5", folder / "raw"
    kinds: dict[str, Callable[[], object]] = {
        name: (lambda trace=trace: run_to(path, bank_of_64(trace), WIDE)) for name, trace in MODES.items()
    }
    kinds["rows into memory alone"] = lambda: into_memory(bank_of_64(MODES["no trace"]), WIDE)
    run_to(path, bank_of_64(MODES["full, gzip"], 1), WIDE)
    with training.run(bank_of_64(MODES["no trace"]), WIDE) as run:
        size = run.steps * 64 * 3 * 8
    kinds["raw write of the rows' bytes"] = lambda: raw_write(raw, size)
    times: dict[str, list[float]] = {name: [] for name in kinds}
    sizes = {}
    for _ in range(REPEATS):
        for name, work in kinds.items():
            times[name].append(seconds(work))
            sizes[name] = (raw if name.startswith("raw") else path).stat().st_size
    print(f"Writing: a bank of 64 synapses, {size / 1e6:.0f} MB of rows (state, current, voltage), minima of {REPEATS}")
    none, written = min(times["no trace"]), min(times["raw write of the rows' bytes"])
    for name, taken in times.items():
        held = "" if "memory" in name else f"{sizes[name] / 1e6:8.1f} MB"
        ratios = f"{min(taken) / none:5.1f} x no trace  {min(taken) / written:5.2f} x raw write"
        print(f"  {name:30s} {min(taken):7.3f} s  {size / 1e6 / min(taken):6.0f} MB/s  {ratios}  {held}")


def windows(folder: Path) -> None:
    """The time to replay a window, and to read it from a stored trace."""
    kinds = {"replay": MODES["no trace"], "gzip": MODES["full, gzip"], "uncompressed": MODES["full, uncompressed"]}
    for realisations in (1, 10):
        runs = {}
        for name, trace in kinds.items():
            path = folder / f"{name}.h5"
            runs[name] = training.run(network_221(trace, realisations), gate("xor"), out=path, overwrite=True)
            runs[name].stretch(0, runs[name].sample_steps)
        print(f"A window of the 2-2-1 network, {realisations} realisation(s), all banks and quantities; medians in ms")
        for samples in (1, 10, 100, 1000):
            times = {name: [] for name in kinds}
            for place in RANDOM.integers(0, 20000 - samples, 7):
                start = int(place) * runs["replay"].sample_steps
                stop = start + samples * runs["replay"].sample_steps
                for name, run in runs.items():
                    times[name].append(seconds(lambda run=run, a=start, b=stop: run.stretch(a, b)))
            shown = "  ".join(f"{name} {1e3 * np.median(taken):8.2f}" for name, taken in times.items())
            ratio = np.median(times["gzip"]) / np.median(times["replay"])
            print(f"  {samples:5d} samples: {shown}  gzip over replay {ratio:.2f}")
        for run in runs.values():
            run.close()


def envelopes(folder: Path) -> None:
    """The time to draw a long span, with the overview."""
    from memsim.inspection.channels import choose
    from memsim.inspection.plot import figure_of

    config = network_221(MODES["full, gzip"], 1).model_copy(
        update={"learning": network_221({}, 1).learning.model_copy(update={"epochs": 460})}
    )
    path = folder / "long.h5"
    run_to(path, config, gate("xor"))
    with memsim.open_run(path) as run:
        channels = choose(run)
        figure_of(run, channels, 0, 1000)
        taken = min(seconds(lambda: figure_of(run, channels, 0, 10_000_000)) for _ in range(3))
        print(f"A figure of 10,000,000 steps of all {len(channels)} channels: {taken:.2f} s")


def main() -> None:
    """All of them."""
    parent = Path(sys.argv[1]) if len(sys.argv) > 1 else Path.cwd()
    with tempfile.TemporaryDirectory(dir=parent, prefix="traces-") as folder:
        print(f"memsim {memsim.__version__}, {os.cpu_count()} processors")
        writing(Path(folder))
        windows(Path(folder))
        envelopes(Path(folder))


if __name__ == "__main__":
    main()
