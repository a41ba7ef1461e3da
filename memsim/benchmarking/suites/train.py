"""``train``: whole networks in memory, from 1 to 1000 lanes; one thread.

A device-step is one that was integrated. Times include the shuffling and all
that a run counts of its devices; the references do without.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np

from ...datasets import gate
from ...network.assembly import Assembly, assemble
from ...terminal.si import counted
from ..bench_networks import carry_out, digits_sized, mnist_sized, network_221, single_layer_or
from ..bench_records import Record, Value, record, reference
from ..c_network import LANES as SIDE_BY_SIDE
from ..c_network import CNetwork
from ..case import Case, Setting
from ..numpy_network import NumpyTraining
from ..timing import Times, Work, processor_seconds_of, taking_turns, times_to_call

LANES = (1, 10, 100, 1000)
STARTS = 5  # times as long as other turns: a run has a start
SAMPLES_OF_DIGITS = 4  # of an epoch
COMPARED_EPOCHS, COMPARED_LANES = 3, 11


def cases(setting: Setting) -> list[Case]:
    """The 2-2-1 network, a single layer, one of digits' size, each with some lanes; and one of MNIST's."""
    lanes = (1, 16) if setting.quick else LANES
    return [
        *(Case(f"2-2-1 network on XOR, {counted(n, 'lane')}", partial(_gate, setting, n), 5.0) for n in lanes),
        *(Case(f"single layer on OR, {counted(n, 'lane')}", partial(_single_layer, setting, n)) for n in lanes),
        *(Case(f"64-32-10 network, {counted(n, 'lane')}", partial(_digits, setting, n)) for n in lanes),
        Case("784-128-10 network, 1 lane", partial(_wide, setting)),
    ]


def _long_enough(setting: Setting, of: Callable[[int], Assembly]) -> Assembly:
    """A network with as many epochs as make a turn so long that its start does not count."""
    turn = replace(setting.effort, turn_seconds=STARTS * setting.effort.turn_seconds)
    return of(times_to_call(lambda epochs: carry_out(of(epochs)), turn))


def _gate(setting: Setting, lanes: int) -> list[Record]:
    assembly = _long_enough(setting, lambda epochs: assemble(network_221(epochs, lanes), gate("xor")))
    epochs = assembly.config.learning.epochs
    engine = carry_out(assembly)
    order = engine.order.between(0, epochs)
    rounds = times_to_call(lambda n: NumpyTraining(assembly).learn(order[:n]), setting.effort)
    few = order[: min(rounds, epochs)]  # NumPy takes long
    works: dict[str, Work] = {
        "memsim": partial(carry_out, assembly),
        "numpy": lambda: NumpyTraining(assembly).learn(few),
    }
    c = setting.c_network
    if c is not None:
        works["c"] = partial(c.fast, _fastest(c, assembly, order), assembly, order)
    times = taking_turns(works, setting.effort)
    own = engine.device_steps
    given = {"c": reference(times["c"], own)} if c is not None else {}
    same = None if c is None else same_bits(c)
    return [
        _record(
            f"2-2-1 network on XOR, {counted(lanes, 'lane')}", times["memsim"], assembly, own, c=given.get("c"),
            numpy=reference(times["numpy"], own * len(few) // epochs), same_bits=same,
        )
    ]  # fmt: skip


def _fastest(c: CNetwork, assembly: Assembly, order: np.ndarray) -> int:
    """How many lanes side by side C is fastest with."""
    taken = {n: min(processor_seconds_of(partial(c.fast, n, assembly, order)) for _ in range(3)) for n in SIDE_BY_SIDE}
    return min(SIDE_BY_SIDE, key=lambda n: taken[n])


def same_bits(c: CNetwork) -> bool:
    """Whether C and the emulator end with the same states and errors, all bits of them."""
    assembly = assemble(network_221(COMPARED_EPOCHS, COMPARED_LANES), gate("xor"))
    engine = carry_out(assembly)
    states, errors = c.exact(assembly, engine.order.between(0, COMPARED_EPOCHS))
    pairs = [(engine.take_errors(), errors), *zip((s[:, 0] for s in engine.blocks.states()), states, strict=True)]
    return all(np.array_equal(ours.copy().view(np.uint64), theirs.copy().view(np.uint64)) for ours, theirs in pairs)


def _single_layer(setting: Setting, lanes: int) -> list[Record]:
    assembly = _long_enough(setting, lambda epochs: assemble(single_layer_or(epochs, lanes), gate("or")))
    return [_alone(setting, f"single layer on OR, {counted(lanes, 'lane')}", assembly)]


def _digits(setting: Setting, lanes: int) -> list[Record]:
    assembly = _long_enough(setting, lambda epochs: assemble(*digits_sized(epochs, lanes, SAMPLES_OF_DIGITS)))
    return [_alone(setting, f"64-32-10 network, {counted(lanes, 'lane')}", assembly)]


def _wide(setting: Setting) -> list[Record]:
    config, data = mnist_sized(2 if setting.quick else 3000)
    return [_alone(setting, "784-128-10 network, 1 lane", assemble(config, data))]


def _alone(setting: Setting, case: str, assembly: Assembly) -> Record:
    """A network without references."""
    device_steps = carry_out(assembly).device_steps
    times = taking_turns({"memsim": partial(carry_out, assembly)}, setting.effort)
    return _record(case, times["memsim"], assembly, device_steps)


def _record(
    case: str, times: Times, assembly: Assembly, device_steps: int, *, c: tuple[float, float] | None = None,
    numpy: tuple[float, float] | None = None, same_bits: bool | None = None,
) -> Record:  # fmt: skip
    """A record with the time a sample of one lane."""
    lanes, samples = len(assembly.seeds), assembly.config.learning.epochs * len(assembly.inputs)
    more: dict[str, Value] = {
        "network": case.split(",", maxsplit=1)[0],
        "lanes": lanes,
        "samples": samples,
        "devices": sum(bank.devices for bank in assembly.banks),
        "ns_per_sample_and_lane": 1e9 * times.minimum / (samples * lanes),
    }
    return record("train", case, times, device_steps=device_steps, c=c, numpy=numpy, same_bits=same_bits, more=more)
