"""Measuring a peer, in the process that it has to itself."""

import importlib
import os
import time
from pathlib import Path
from typing import Any

import numpy as np

from . import peer_of
from .contract import Method, Peer
from .problems import Problem, problem_of
from .reference import reference

ENOUGH = 1e-12  # an error of which no smaller one is looked for
RUNS = 7  # of a task, at most
CHECKED = 100  # devices of a large bank whose states are compared with the reference


def missing(peer: Peer) -> str | None:
    """Why a peer cannot be measured here, when its packages are imported as well; None where it can."""
    word = peer.missing()
    for package in peer.packages if word is None else ():
        try:
            importlib.import_module(package)
        except Exception as error:
            return f"{peer.name} is left out: {package} cannot be imported ({error}); {peer.install}"
    return word


def errors(peer: str, device: str, devices: int, seconds: float, levels: int, folder: str) -> dict[str, Any]:
    """The error of each method and level, and the processor time that it takes.

    Parameters
    ----------
    peer, device : str
    devices : int
    seconds : float
        That runs of a level take; of a method whose run takes four times as long no further level is measured.
    levels : int
        Of a method, at most.
    folder : str
        For what is compiled.

    Returns
    -------
    dict
        ``found``, a list of results; or ``missing``, a word.
    """
    tool = peer_of(peer)
    if word := missing(tool):
        return {"missing": word}
    problem = problem_of(device, devices)
    right, found = reference(problem), []
    for name, method in tool.methods.items():
        if not method.devices or device in method.devices:
            found += _levels(tool, problem, name, method, levels, right, seconds, Path(folder))
    return {"found": found}


def _levels(
    peer: Peer, problem: Problem, name: str, method: Method, levels: int, right: np.ndarray, seconds: float,
    folder: Path,
) -> list[dict[str, Any]]:  # fmt: skip
    """Levels of one method, until one is as good as can be or takes too long."""
    found: list[dict[str, Any]] = []
    for level in method.levels[:levels]:
        found.append(_measured(peer, problem, name, level, right, seconds, folder))
        if found[-1]["error"] < ENOUGH or max(found[-1]["processor_seconds"]) > 4 * seconds:
            break
    return found


def _measured(
    peer: Peer, problem: Problem, name: str, level: float, right: np.ndarray, seconds: float, folder: Path
) -> dict[str, Any]:
    """One method at one level: prepared once, run some times."""
    begun = time.perf_counter()
    prepared = peer.prepare(problem, name, level, folder)
    ready = time.perf_counter() - begun
    runs = [prepared.run()]
    while len(runs) < RUNS and sum(runs) < (10 * seconds if len(runs) < 2 else seconds):
        runs.append(prepared.run())
    error = problem.error(prepared.states()[: len(right)], right)
    return {
        "method": name, "level": level, "error": error, "processor_seconds": runs, "steps": prepared.steps,
        "prepare_seconds": ready, "devices": problem.devices,
    }  # fmt: skip


def sizes(peer: str, device: str, counts: list[int], device_steps: int, seconds: float, folder: str) -> dict[str, Any]:
    """Processor time over the number of devices, with the method that the peer names for it.

    Parameters
    ----------
    peer, device : str
    counts : list of int
        Devices.
    device_steps : int
        That a run has, about; with 10 to 1000 steps of a pulse, or a tolerance of 1e-6.
    seconds, folder
        As for :func:`errors`.
    """
    tool = peer_of(peer)
    if word := missing(tool):
        return {"missing": word}
    found: list[dict[str, Any]] = []
    for devices in counts:
        problem = problem_of(device, devices)
        level = level_of(tool, problem, device_steps)
        right = reference(problem.part(0, CHECKED))
        found.append(_measured(tool, problem, tool.scaled, level, right, seconds, Path(folder)))
        if max(found[-1]["processor_seconds"]) > 10 * seconds:
            break
    return {"found": found}


def level_of(peer: Peer, problem: Problem, device_steps: int) -> float:
    """The level at which a peer is measured with so many devices."""
    if peer.methods[peer.scaled].by_tolerance:
        return 1e-6
    return float(np.clip(device_steps // (problem.devices * len(problem.factors)), 10, 1000))


def first_result(peer: str, device: str, devices: int, folder: str) -> dict[str, Any]:
    """All that a peer needs for its first states: imports, what is compiled, and one run.

    memsim's cache is in the folder as well, whose emptiness makes a start cold.
    """
    os.environ["MEMSIM_CACHE_DIR"] = str(Path(folder) / "memsim")
    tool = peer_of(peer)
    if word := missing(tool):
        return {"missing": word}
    problem = problem_of(device, devices)
    prepared = tool.prepare(problem, tool.scaled, level_of(tool, problem, 100_000), Path(folder))
    prepared.run()
    return {"states": len(prepared.states()), "versions": tool.versions()}
