"""Work in a process of its own, whose memory and start count: ``python -m memsim.benchmarking.child JSON``.

It prints one line of JSON. :func:`in_fresh_process` calls it.
"""

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from ..errors import RunError


def in_fresh_process(work: str, **given: Any) -> dict[str, Any]:
    """Carry out one of the works below in a new process.

    Parameters
    ----------
    work : str
        A name of :data:`WORKS`.
    **given
        Its arguments, numbers and texts.

    Raises
    ------
    RunError
        It failed.
    KeyboardInterrupt
        It was stopped with Ctrl-C.
    """
    command = [sys.executable, "-m", __name__, json.dumps({"work": work, **given})]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode == 130:
        raise KeyboardInterrupt
    if done.returncode:
        raise RunError(f"a process of its own failed: {(done.stderr.splitlines() or ['no word'])[-1]}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def resident_bytes() -> int:
    """Memory of this process that lies in RAM; its peak where the system tells no more."""
    try:
        return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak if sys.platform == "darwin" else 1024 * peak


class _Marks:
    """Steps, seconds and memory at ten places of a run."""

    def __init__(self, epochs: int, epoch_steps: int) -> None:
        self._wanted = [max(1, epochs * k // 10) for k in range(1, 11)]
        self._epoch_steps = epoch_steps
        self.marks: list[tuple[int, float, int]] = []

    def start(self) -> None:
        """Take the first mark when the first stretch begins."""
        self._mark(0)

    def update(self, epoch: int, error: float, device_steps: int) -> None:
        """Take a mark when a tenth of the run is done."""
        if self._wanted and epoch >= self._wanted[0]:
            self._wanted = [epochs for epochs in self._wanted if epochs > epoch]
            self._mark(epoch * self._epoch_steps)

    def _mark(self, steps: int) -> None:
        self.marks.append((steps, time.perf_counter(), resident_bytes()))


def network(epochs: int, folder: str) -> dict[str, Any]:
    """The 2-2-1 network, one realisation and one thread, into a file with keyframes."""
    from ..datasets import gate
    from ..runs import training
    from .bench_networks import SAMPLE_STEPS_221, network_221, unstopped

    path = Path(folder) / "horizon.h5"
    unstopped(training.run(network_221(1, 1), gate("xor"), out=path, overwrite=True)).close()  # the kernel is loaded
    marks = _Marks(epochs, 100 * SAMPLE_STEPS_221)
    begun = time.perf_counter()
    with unstopped(training.run(network_221(epochs, 1), gate("xor"), out=path, overwrite=True, progress=marks)) as run:
        seconds = time.perf_counter() - begun
        found = {"device_steps": run.device_steps, "steps": run.steps, "keyframes": len(run.keyframes["epoch"])}
    return {**found, "seconds": seconds, "file_bytes": path.stat().st_size, "marks": marks.marks}


def bank(model: str, devices: int, device_steps: int) -> dict[str, Any]:
    """A bank of many devices, in pulses of 50 steps, one thread."""
    from .banks import BENCHES, Bank
    from .kernel_loop import Pulses

    pulses = Pulses(Bank(BENCHES[model], devices), "euler", 50)
    pulses(2)
    tenth = max(2, device_steps // (500 * devices))
    marks = [(0, time.perf_counter(), resident_bytes())]
    for k in range(10):
        pulses(tenth)
        marks.append(((k + 1) * tenth * 50, time.perf_counter(), resident_bytes()))
    steps = marks[-1][0]
    return {"device_steps": steps * devices, "steps": steps, "seconds": marks[-1][1] - marks[0][1], "marks": marks}


def one_thread() -> None:
    """Let libraries that are imported later take one thread, on one processor where a process may choose."""
    os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"))
    os.environ["JAX_PLATFORMS"] = "cpu"
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


def peer(work: str, **given: Any) -> dict[str, Any]:
    """Something of :mod:`memsim.benchmarking.peers.measuring`, with one thread."""
    one_thread()
    from .peers import measuring

    found: dict[str, Any] = getattr(measuring, work)(**given)
    return found


WORKS: dict[str, Callable[..., dict[str, Any]]] = {
    "network": network, "bank": bank, "peer_errors": partial(peer, "errors"), "peer_sizes": partial(peer, "sizes"),
    "peer_start": partial(peer, "first_result"),
}  # fmt: skip


def main() -> None:
    """Carry out what the first argument says, and print what was found."""
    given = json.loads(sys.argv[1])
    try:
        print(json.dumps(WORKS[given.pop("work")](**given)))
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
