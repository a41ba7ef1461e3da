"""``start``: what a command takes before it works, each in a fresh process; kernels compiled, and loaded."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import tomli_w

from ...errors import RunError
from ..bench_networks import GATE_221
from ..bench_records import Record, record
from ..case import Case, Setting
from ..timing import Effort, Times, Work, taking_turns

TURNS = 7
COLD_TURNS = 2  # each compiles all kernels of a network
PYTHON = ("-c", "pass")

# As in examples/my_device.py, which is not installed.
OWN_MODEL = '''\
from memsim import device_model, parameter, state


@device_model("my-drift", source="Joglekar and Wolf, arXiv:0807.3994")
class MyDrift:
    """Linear ion drift with Joglekar's window, p = 1."""

    doped = state("1", 0.0, 1.0, "doped share of the film")
    r_on = parameter(100.0, "ohm", "memristance of the doped film", gt=0)
    r_off = parameter(10e3, "ohm", "memristance of the undoped film", gt=0)
    speed = parameter(1e4, "1/(A s)", "drift coefficient k", gt=0)

    def drift(doped, current, speed):
        return speed * current * (1.0 - (2.0 * doped - 1.0) ** 2)

    def memristance(doped, r_on, r_off):
        return r_off - (r_off - r_on) * doped
'''


@dataclass(frozen=True)
class Network:
    """A 2-2-1 network on XOR.

    Attributes
    ----------
    name : str
    sections : dict
        Of its configuration, beside those that all of them share.
    own_model : str
        A file with a device model of a user's own; empty where there is none.
    """

    name: str
    sections: dict[str, Any] = field(default_factory=dict)
    own_model: str = ""


XOR = Network("XOR")
VTEAM = Network(
    "VTEAM",
    {
        "time": {"integrator": "heun"},
        "devices": {"synapse": {"model": "vteam", "k_on": -4.03e-8, "alpha_on": 1}},  # as in examples/vteam.toml
    },
)
OWN = Network("own model", {"devices": {"synapse": {"model": "my-drift"}}}, OWN_MODEL)
NOISE = Network("XOR, write noise", {"imperfections": {"synapse": {"write_noise": 0.05}}})
NETWORKS = (XOR, VTEAM, OWN, NOISE)
SEQUENCE = (XOR, VTEAM, NOISE, OWN)  # what one user runs, one after the other


def cases(setting: Setting) -> list[Case]:
    """Processes that take turns; each network with an empty cache and a full one; several with one cache."""
    first = Case("processes", partial(_processes, setting), 10.0)
    if setting.quick:
        # The user's own cache: it is most likely full.
        return [first, Case("warm", partial(_warm, setting, XOR, {}))]
    each = [Case(network.name, partial(_cold_and_warm, setting, network), 45.0) for network in NETWORKS]
    return [first, *each, Case("one after the other", partial(_one_after_the_other, setting), 60.0)]


def _effort(setting: Setting) -> Effort:
    return Effort(0.0, 3 if setting.quick else TURNS, 30.0)


def _processes(setting: Setting) -> list[Record]:
    """Starts that need no kernels."""
    works = {
        "python -c pass": PYTHON,
        "python -c 'import numba'": ("-c", "import numba"),
        "python -c 'import memsim'": ("-c", "import memsim"),
        "memsim --help": ("-m", "memsim", "--help"),
    }
    times = taking_turns({name: partial(_call, words) for name, words in works.items()}, _effort(setting))
    return [_record(name, times[name], times["python -c pass"]) for name in works]


def _cold_and_warm(setting: Setting, network: Network) -> list[Record]:
    """A network whose kernels are compiled, and then taken from the cache that this left."""
    cache = setting.folder / "cache"
    environment = {"MEMSIM_CACHE_DIR": str(cache)}
    works: dict[str, Work] = {
        "run": partial(_call, _run(setting.folder, network), environment, emptied=cache),
        "python": partial(_call, PYTHON),
    }
    times = taking_turns(works, Effort(0.0, COLD_TURNS, 0.0), warm=False)
    cold = _record(f"memsim run, kernels compiled: {network.name}", times["run"], times["python"], network)
    return [cold, *_warm(setting, network, environment)]


def _warm(setting: Setting, network: Network, environment: Mapping[str, str]) -> list[Record]:
    """A network whose kernels the cache has, or else has after an uncounted run."""
    works: dict[str, Work] = {
        "run": partial(_call, _run(setting.folder, network), environment),
        "python": partial(_call, PYTHON),
    }
    times = taking_turns(works, _effort(setting))
    return [_record(f"memsim run, kernels cached: {network.name}", times["run"], times["python"], network)]


def _one_after_the_other(setting: Setting) -> list[Record]:
    """Networks that share a cache, which is empty before the first: what each of them adds to it."""
    cache = setting.folder / "cache"
    environment = {"MEMSIM_CACHE_DIR": str(cache)}
    works: dict[str, Work] = {
        network.name: partial(_call, _run(setting.folder, network), environment, emptied=None if place else cache)
        for place, network in enumerate(SEQUENCE)
    }
    times = taking_turns({**works, "python": partial(_call, PYTHON)}, Effort(0.0, COLD_TURNS, 0.0), warm=False)
    return [
        _record(f"memsim run, in one cache, {place}: {network.name}", times[network.name], times["python"], network)
        for place, network in enumerate(SEQUENCE, start=1)
    ]


def _run(folder: Path, network: Network) -> tuple[str, ...]:
    """Words of a run of one epoch; its files are written."""
    path = folder / f"{network.name.replace(', ', '-').replace(' ', '-')}.toml"
    sections: dict[str, Any] = {
        "run": {"threads": 1}, "network": {**GATE_221, "initial_bias": 0.03},
        "learning": {"epochs": 1, "rate": 0.01}, "data": {"gate": "xor"}, **network.sections,
    }  # fmt: skip
    path.write_text(tomli_w.dumps(sections), encoding="utf-8")
    models: tuple[str, ...] = ()
    if network.own_model:
        path.with_suffix(".py").write_text(network.own_model, encoding="utf-8")
        models = ("--models", str(path.with_suffix(".py")))
    words = ("--out", str(path.with_suffix(".h5")), "--overwrite", "--quiet")
    return ("-m", "memsim", "run", str(path), *models, *words)


def _call(words: tuple[str, ...], environment: Mapping[str, str] | None = None, emptied: Path | None = None) -> None:
    """Python in a fresh process, after a folder was emptied."""
    if emptied is not None:
        shutil.rmtree(emptied, ignore_errors=True)
    command = [sys.executable, *words]
    done = subprocess.run(  # noqa: S603
        command, capture_output=True, text=True, check=False, env={**os.environ, **(environment or {})}
    )
    if done.returncode == 130:
        raise KeyboardInterrupt
    if done.returncode:
        raise RunError(f"{' '.join(words)} failed: {(done.stderr.splitlines() or ['no word'])[-1]}")


def _record(case: str, times: Times, python: Times, network: Network | None = None) -> Record:
    more: dict[str, Any] = {"seconds_over_python": max(0.0, times.minimum - python.minimum)}
    return record("start", case, times, more=more | ({"network": network.name} if network else {}))
