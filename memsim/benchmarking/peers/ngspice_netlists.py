"""ngspice: each device a capacitor of 1 F that a behavioural source charges with the drift, a hundred in a netlist."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import ClassVar

import numpy as np

from ...errors import RunError
from .contract import Method, Peer, Prepared, adaptive
from .problems import PULSES, Problem

# A source has no jumps. An edge takes this share of the tolerance of a pulse, half of it in each of two: a longer one
# costs accuracy, a shorter one steps, since ngspice begins anew with short ones behind it.
EDGE = 0.01
TOGETHER = 100  # devices: a thousand in one netlist take several times as long
TOLERANCES = (1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8)


class Ngspice(Peer):
    """Transient analysis by the trapezoidal rule, and by Gear's method of order 2."""

    name = "ngspice"
    install = "apt install ngspice"
    manual = "https://ngspice.sourceforge.io/docs/ngspice-html-manual/manual.xhtml"
    settings = (
        f"batch mode, netlists of {TOGETHER} devices, one after the other; a device is a capacitor and a behavioural "
        "source, a state on a scale from 0 to 1; reltol, and a thousandth of it as abstol, vntol, chgtol; the time is "
        "that of the analysis, which it reports"
    )
    methods: ClassVar[dict[str, Method]] = {"trap": adaptive(*TOLERANCES), "gear": adaptive(*TOLERANCES)}
    scaled = "trap"
    most_devices = 1000

    def missing(self) -> str | None:
        """Whether the program is there."""
        return None if shutil.which("ngspice") else f"ngspice is left out: it is not on PATH; {self.install}"

    def versions(self) -> dict[str, str]:
        """The program's."""
        told = subprocess.run(["ngspice", "--version"], capture_output=True, text=True, check=False).stdout  # noqa: S607
        found = re.search(r"ngspice-\S+", told)
        return {"ngspice": found[0] if found else "unknown"}

    def prepare(self, problem: Problem, method: str, level: float, folder: Path) -> Prepared:
        """Write the netlists."""
        return _Netlists(problem, method, level, folder)


class _Netlists(Prepared):
    def __init__(self, problem: Problem, method: str, tolerance: float, folder: Path) -> None:
        self._about, self._folder = problem.about, folder
        parts = [problem.part(first, TOGETHER) for first in range(0, problem.devices, TOGETHER)]
        self._names = [f"peer-{number}" for number in range(len(parts))]
        for name, part in zip(self._names, parts, strict=True):
            (folder / f"{name}.cir").write_text(_netlist(part, method, tolerance), encoding="ascii")
        self.steps = 0

    def integrate(self) -> None:
        self._told = [self._simulated(name) for name in self._names]

    def _simulated(self, name: str) -> str:
        """What ngspice says of one netlist."""
        raw = self._folder / f"{name}.raw"
        raw.unlink(missing_ok=True)
        command = ["ngspice", "-n", "-b", "-r", raw.name, f"{name}.cir"]
        done = subprocess.run(command, cwd=self._folder, capture_output=True, text=True, check=False)  # noqa: S603
        if done.returncode or not raw.exists():
            raise RunError(f"ngspice failed: {(done.stdout + done.stderr).strip().splitlines()[-1]}")
        return done.stdout + done.stderr

    def run(self) -> float:
        """What it says that its analyses took, without reading the netlists."""
        whole = super().run()
        self.steps = round(np.mean([_told(words, r"Accepted timepoints\s*=\s*(\S+)") for words in self._told]))
        taken = sum(_told(words, r"Total analysis time \(seconds\)\s*=\s*(\S+)") for words in self._told)
        return taken or whole  # it counts milliseconds

    def states(self) -> np.ndarray:
        rows = [_last_row((self._folder / f"{name}.raw").read_bytes())[1:] for name in self._names]
        return self._about.span[0] + self._about.scale * np.concatenate(rows)


def _told(words: str, pattern: str) -> float:
    found = re.search(pattern, words)
    if found is None:
        raise RunError(f"ngspice said something else than was expected: {words.strip().splitlines()[-1]}")
    return float(found[1])


def _last_row(raw: bytes) -> np.ndarray:
    """The last row of a raw file: the time, and what was saved."""
    header, _, values = raw.partition(b"Binary:\n")
    found = re.search(rb"No\. Variables:\s*(\d+)", header)
    if found is None:
        raise RunError("ngspice wrote a file without variables")
    return np.frombuffer(values, dtype=np.float64)[-int(found[1]) :]


def _netlist(problem: Problem, method: str, tolerance: float) -> str:
    about, end = problem.about, PULSES * problem.about.pulse
    corners = [f"0 {problem.factors[0]}"]
    for k in range(1, PULSES):
        edge, half = k * about.pulse, 0.5 * EDGE * tolerance * about.pulse
        corners += [f"{edge - half!r} {problem.factors[k - 1]}", f"{edge + half!r} {problem.factors[k]}"]
    lines = ["memsim bench peers", f"Vf f 0 PWL({' '.join(corners)})"]
    for j, (start, current) in enumerate(zip(problem.starts, problem.currents, strict=True)):
        share = (float(start) - about.span[0]) / about.scale
        lines += [f"B{j} 0 x{j} I={_DRIFTS[problem.device](about.parameters, f'x{j}', float(current))}"]
        lines += [f"C{j} x{j} 0 1 IC={share!r}"]
    return "\n".join([
        *lines, f".options method={method} reltol={tolerance!r} abstol={tolerance * 1e-3!r} vntol={tolerance * 1e-3!r} "
        f"chgtol={tolerance * 1e-3!r} trtol=1 acct numdgt=15",
        f".save {' '.join(f'v(x{j})' for j in range(problem.devices))}",
        f".tran {about.pulse / 50!r} {end!r} 0 {about.pulse!r} uic", ".end", "",
    ])  # fmt: skip


def _ion_drift(p: dict[str, float], x: str, current: float) -> str:
    return f"{p['k'] * current!r}*V(f)*(1-(2*V({x})-1)*(2*V({x})-1))"


def _vteam(p: dict[str, float], x: str, current: float) -> str:
    volts = f"({current!r}*V(f)*({p['r_on']!r}+{p['r_off'] - p['r_on']!r}*V({x})))"
    up, down = f"max({volts}/{p['v_off']!r}-1,0)", f"max({volts}/({p['v_on']!r})-1,0)"
    wide = p["x_off"] / p["w_c"]
    growing, falling = f"exp(-exp(min({wide!r}*(V({x})-1),5)))", f"exp(-exp(min({-wide!r}*V({x}),5)))"
    speeds = p["k_off"] / p["x_off"], p["k_on"] / p["x_off"]
    return f"V(f) > 0 ? {speeds[0]!r}*{up}*{growing} : ({speeds[1]!r})*({down})^3*{falling}"


def _synapse(p: dict[str, float], x: str, current: float) -> str:
    span = p["mobility"] * p["r_on"] / p["thickness"] ** 2  # k over the range of the state
    drive, threshold = f"({current!r}*V(f))", repr(p["threshold"])
    return f"{span!r}*(max({drive}-{threshold},0)+min({drive}+{threshold},0))"


_DRIFTS = {"ion-drift": _ion_drift, "vteam": _vteam, "synapse": _synapse}
PEERS = {"ngspice": Ngspice()}
