"""``peers``: work and precision of memsim and of other people's tools, on the same devices under the same pulses.

Each peer has a process of its own, with one thread on one processor. Times are processor times of the integration
alone; what is compiled before, and what is imported, is part of the starts.
"""

import shutil
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from ...errors import RunError
from ..bench_records import Record, Value, record
from ..case import Case, Setting
from ..child import in_fresh_process
from ..peers import NAMES, peer_of
from ..peers.problems import DEVICES
from ..timing import Effort, Times, taking_turns

BANK = 1000  # devices of which errors are measured
SIZES = (1, 10, 100, 1000, 10_000, 100_000, 1_000_000)
SCALED = "ion-drift"
DEVICE_STEPS = 100_000_000  # of a run over the number of devices
RUN_SECONDS = 0.5
STARTED = 100  # devices of a start
WARM_TURNS = 3


def cases(setting: Setting) -> list[Case]:
    """Starts, errors of each device, and sizes, of every peer that is there; the others are left out with a word."""
    there = []
    for name in NAMES:
        word = peer_of(name).missing()
        if word is None:
            there.append(name)
        else:
            setting.left_out.append(word)
    kinds: list[tuple[str, Callable[[Setting, str], list[Record]]]] = [("start", _starts)]
    kinds += [(device, partial(_errors, device)) for device in DEVICES if device == SCALED or not setting.quick]
    kinds += [("devices", _sizes)]
    return [
        Case(f"{kind}, {name}", partial(measure, setting, name), peer_of(name).case_seconds)
        for kind, measure in kinds
        for name in there
    ]


def _errors(device: str, setting: Setting, name: str) -> list[Record]:
    """A record for each method and level."""
    seconds = 0.02 if setting.quick else RUN_SECONDS
    found = _asked(
        setting, "peer_errors", peer=name, device=device, devices=BANK // 10 if setting.quick else BANK,
        seconds=seconds, levels=2 if setting.quick else 99,
    )  # fmt: skip
    return [_record(f"error, {device}", device, name, one) for one in found]


def _sizes(setting: Setting, name: str) -> list[Record]:
    """A record for each number of devices."""
    counts = [size for size in SIZES if size <= (1000 if setting.quick else peer_of(name).most_devices)]
    found = _asked(
        setting, "peer_sizes", peer=name, device=SCALED, counts=counts[-2:] if setting.quick else counts,
        device_steps=100_000 if setting.quick else DEVICE_STEPS, seconds=0.02 if setting.quick else RUN_SECONDS,
    )  # fmt: skip
    return [_record("devices", SCALED, name, one) for one in found]


def _asked(setting: Setting, work: str, **given: Any) -> list[dict[str, Any]]:
    """What a process of its own found; nothing, and a word, of a peer that cannot be imported."""
    folder = setting.folder / "peers"
    folder.mkdir(exist_ok=True)
    told = in_fresh_process(work, folder=str(folder), **given)
    if "missing" in told:
        _leave_out(setting, told["missing"])
    found: list[dict[str, Any]] = told.get("found", [])
    return found


def _leave_out(setting: Setting, word: str) -> None:
    if word not in setting.left_out:
        setting.left_out.append(word)


def _record(kind: str, device: str, name: str, one: dict[str, Any]) -> Record:
    """A result of a child. A time of 0 is one that the processor's clock does not resolve."""
    runs = tuple(max(seconds, 1e-9) for seconds in one["processor_seconds"])
    by_tolerance = peer_of(name).methods[one["method"]].by_tolerance
    at = f"tolerance {one['level']:g}" if by_tolerance else f"{one['level']:g} steps"
    return record(
        "peers", f"{kind}, {name}, {one['method']}, {at}, {one['devices']:,} devices", Times(runs, runs),
        device_steps=one["steps"] * one["devices"],
        more={
            "kind": kind.partition(",")[0], "device": device, "peer": name, "method": one["method"],
            "tolerance" if by_tolerance else "steps_of_pulse": one["level"], "devices": one["devices"],
            "error": one["error"], "prepare_seconds": one["prepare_seconds"],
        },
    )  # fmt: skip


def _starts(setting: Setting, name: str) -> list[Record]:
    """A peer's first result with nothing compiled before, and with what the first start left."""
    peer, folder, told = peer_of(name), setting.folder / "start", {}
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()

    def start() -> None:
        told.update(in_fresh_process("peer_start", peer=name, device=SCALED, devices=STARTED, folder=str(folder)))

    once = Effort(0.0, 1, 0.0)
    # What is counted takes a turn more, which is not cold.
    cold = replace(taking_turns({"start": start}, once, warm=False)["start"], instructions=None)
    if "missing" in told:
        _leave_out(setting, told["missing"])
        return []
    if told.get("states") != STARTED:
        raise RunError(f"{name} gave no states")
    warm = taking_turns({"start": start}, Effort(0.0, 1 if setting.quick else WARM_TURNS, 60.0), warm=False)["start"]
    about: dict[str, Value] = {
        "kind": "start", "peer": name, "device": SCALED, "devices": STARTED, "method": peer.scaled, "threads": 1,
        "manual": peer.manual, "settings": peer.settings, "install": peer.install,
        **{f"version of {package}": number for package, number in told["versions"].items()},
    }  # fmt: skip
    return [
        record("peers", f"start, {name}, {what}", times, more={**about, "start": what})
        for what, times in (("first", cold), ("later", warm))
    ]
