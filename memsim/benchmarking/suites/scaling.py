"""``scaling``: threads, steps and devices; time a step and memory over the longest runs."""

import itertools
from functools import partial
from typing import Any, NamedTuple

from ...datasets import gate
from ...network.assembly import assemble
from ...terminal.si import counted
from ..bench_networks import SAMPLE_STEPS_221, carry_out, network_221
from ..bench_records import Record, Value, record
from ..case import Case, Setting
from ..child import in_fresh_process
from ..timing import Times, taking_turns

LANES = 1000
EPOCHS = 4  # of the runs that threads are measured with
HORIZONS = (10**6, 10**7, 10**8, 10**9)  # steps of the 2-2-1 network
BANKS = (100, 1000, 10_000, 100_000, 1_000_000)  # devices
BANK_DEVICE_STEPS = 10**9
LONG_BANK = (100_000, 10**10)  # devices, device-steps
MODEL = "synapse"


class Mark(NamedTuple):
    """A place in a long run, as :mod:`memsim.benchmarking.child` tells of it."""

    steps: int
    seconds: float
    resident_bytes: int


def cases(setting: Setting) -> list[Case]:
    """Threads in one case, each length and each bank in one of its own."""
    horizons = (10**5, 10**6) if setting.quick else HORIZONS
    banks = [(100, 10**6), (10_000, 10**7)] if setting.quick else [*((n, BANK_DEVICE_STEPS) for n in BANKS), LONG_BANK]
    return [
        Case("threads", partial(_threads, setting), 10.0),
        *(Case(_horizon_name(n), partial(_horizon, setting, n), 1.5 + 7e-9 * n) for n in horizons),
        *(Case(_bank_name(*bank), partial(_bank, *bank), 1.5 + 1e-10 * bank[1]) for bank in banks),
    ]


def _horizon_name(steps: int) -> str:
    return f"{steps:.0e} steps of the 2-2-1 network"


def _bank_name(devices: int, device_steps: int) -> str:
    return f"{device_steps:.0e} device-steps, {devices:,} synapses"


def _threads(setting: Setting) -> list[Record]:
    """The 2-2-1 network with many lanes, by one thread up to all."""
    lanes, epochs = (100, 2) if setting.quick else (LANES, EPOCHS)
    assembly = assemble(network_221(epochs, lanes), gate("xor"))
    counts = range(1, setting.threads + 1)
    device_steps = carry_out(assembly).device_steps
    times = taking_turns({str(n): partial(carry_out, assembly, n) for n in counts}, setting.effort)
    one = times["1"].minimum
    return [
        record(
            "scaling", f"{counted(n, 'thread')}, {lanes:,} lanes of the 2-2-1 network", times[str(n)],
            device_steps=device_steps,
            more={"axis": "threads", "threads": n, "times_as_fast_as_one": one / times[str(n)].minimum},
        )
        for n in counts
    ]  # fmt: skip


def _horizon(setting: Setting, steps: int) -> list[Record]:
    """A run of the 2-2-1 network in a fresh process, keyframes on."""
    epochs = -(-steps // (100 * SAMPLE_STEPS_221))
    found = in_fresh_process("network", epochs=epochs, folder=str(setting.folder))
    more: dict[str, Value] = {"axis": "steps", "file_bytes": found["file_bytes"], "keyframes": found["keyframes"]}
    return [_record(_horizon_name(steps), found, more)]


def _bank(devices: int, device_steps: int) -> list[Record]:
    found = in_fresh_process("bank", model=MODEL, devices=devices, device_steps=device_steps)
    return [_record(_bank_name(devices, device_steps), found, {"axis": "devices", "devices": devices, "model": MODEL})]


def _record(case: str, found: dict[str, Any], more: dict[str, Value]) -> Record:
    """A record of one long run, whose noise is that of its ten tenths."""
    tenths = [Mark(*mark) for mark in found["marks"]]
    each = [(b.seconds - a.seconds) / (b.steps - a.steps) for a, b in itertools.pairwise(tenths)]
    first, last = tenths[0], tenths[-1]
    measured: dict[str, Value] = {
        "steps": found["steps"],
        "ns_per_step": 1e9 * (last.seconds - first.seconds) / (last.steps - first.steps),
        "ns_per_step_first_tenth": 1e9 * each[0],
        "ns_per_step_last_tenth": 1e9 * each[-1],
        "resident_bytes_at_start": first.resident_bytes,
        "resident_bytes_after_a_tenth": tenths[1].resident_bytes,
        "resident_bytes_at_end": last.resident_bytes,
    }
    return record(
        "scaling", case, Times((found["seconds"],)), device_steps=found["device_steps"], noise=Times(tuple(each)).noise,
        more={**more, **measured},
    )  # fmt: skip
