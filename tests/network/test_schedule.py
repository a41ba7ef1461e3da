"""The slot tables of both algorithms, and the currents that they lead to."""

import numpy as np
import pytest

from memsim.analysis.timing_diagram import sample_currents
from memsim.configuration.sections import Configuration
from memsim.datasets import Dataset
from memsim.errors import InputError
from memsim.kernels.slots import Operation, Phase
from memsim.network.assembly import assemble
from memsim.network.schedule import build
from memsim.network.slot_table import structured
from memsim.runs import training

MLP = {"kind": "mlp"}
SLP = {"kind": "slp"}
LINES = {"kind": "slp", "construction": "equivalent"}
WIDTHS = {"pulse_steps": 5, "write_steps": 8}

# Algorithm 2 for two layers: operation, bank (synapses 0 and 2, nodes 1 and 3), layer.
TWO_LAYERS = [
    (Phase.READ, Operation.READ_SYNAPSES, 0, 1),
    (Phase.READ, Operation.READ_NODES, 1, 1),
    (Phase.RESTORE, Operation.RESTORE_NODES, 1, 1),
    (Phase.READ, Operation.READ_SYNAPSES, 2, 2),
    (Phase.READ, Operation.READ_NODES, 3, 2),
    (Phase.RESTORE, Operation.RESTORE_NODES, 3, 2),
    (Phase.BACKREAD, Operation.BACKREAD_SYNAPSES, 2, 2),
    (Phase.WRITE, Operation.WRITE_SYNAPSES, 0, 1),
    (Phase.WRITE, Operation.WRITE_NODES, 1, 1),
    (Phase.WRITE, Operation.WRITE_SYNAPSES, 2, 2),
    (Phase.WRITE, Operation.WRITE_NODES, 3, 2),
]

CASES = {
    "mlp": {"network": MLP, "time": WIDTHS},
    "mlp, four layers": {"network": MLP | {"layers": (2, 4, 3, 2, 1)}, "time": WIDTHS},
    "mlp, one layer": {"network": MLP | {"layers": (2, 1)}, "time": WIDTHS},
    "mlp, gaps": {"network": MLP, "time": WIDTHS | {"gap_steps": 3}},
    "mlp, by width": {"network": MLP, "time": WIDTHS | {"gap_steps": 1}, "write": {"encoding": "width"}},
    "mlp, by count": {
        "network": MLP,
        "time": WIDTHS,
        "write": {"encoding": "count", "pulses": 6, "train_steps": 2, "train_gap_steps": 3},
    },
    "slp": {"network": SLP, "time": WIDTHS},
    "slp, by count": {"network": SLP, "time": WIDTHS | {"gap_steps": 2}, "write": {"encoding": "count", "pulses": 4}},
    "lines": {"network": LINES, "time": WIDTHS},
    "carriers": {
        "network": SLP,
        "time": {"pulse_steps": 5, "write_steps": 8, "gap_steps": 2},
        "devices": {"memristor": {"model": "carrier-memristor", "whole_periods": False}},
    },
}
of_each_case = pytest.mark.parametrize("case", CASES)


def steps_of(slots):
    return [(slot.phase, slot.operation, slot.bank, slot.layer) for slot in slots]


def config_of(case, **sections):
    return Configuration(**CASES[case] | sections)


def data(samples=3):
    rng = np.random.default_rng(2)
    return Dataset(rng.uniform(-1.0, 1.0, (samples, 2)), rng.uniform(0.0, 1.0, (samples, 1)))


# The tables


def test_algorithm_2_reads_forwards_backreads_and_writes():
    assert steps_of(build(config_of("mlp")).slots) == TWO_LAYERS


def test_algorithm_2_of_one_layer_has_nothing_to_backread():
    phases = [slot.phase for slot in build(config_of("mlp, one layer")).slots]
    assert phases == [Phase.READ, Phase.READ, Phase.RESTORE, Phase.WRITE, Phase.WRITE]


def test_algorithm_2_takes_layers_forwards_then_backwards_then_writes_them():
    slots = build(config_of("mlp, four layers")).slots
    layers = {phase: [slot.layer for slot in slots if slot.phase == phase] for phase in Phase}
    assert layers[Phase.READ] == [1, 1, 2, 2, 3, 3, 4, 4]
    assert layers[Phase.RESTORE] == [1, 2, 3, 4]
    assert layers[Phase.BACKREAD] == [4, 3, 2]
    assert layers[Phase.WRITE] == [1, 1, 2, 2, 3, 3, 4, 4]
    order = [slot.phase for slot in slots]
    assert order[:12] == [Phase.READ, Phase.READ, Phase.RESTORE] * 4
    assert order[12:] == [Phase.BACKREAD] * 3 + [Phase.WRITE] * 8


OF_MEMRISTOR = [(Phase.READ, Operation.READ_MEMRISTOR, 0, 1)]
OF_LINES = [(Phase.READ, Operation.READ_LINES, 0, 1)]


@pytest.mark.parametrize(
    ("case", "changes", "reads", "write", "held"),
    [
        ("slp", {}, OF_MEMRISTOR, Operation.WRITE_VARIABLE, [False]),
        (
            "lines", {}, [*OF_LINES, (Phase.READ, Operation.READ_ACTIVATION, 1, 1)], Operation.WRITE_LINE,
            [True, False],
        ),
        ("lines", {"activation": "controller"}, OF_LINES, Operation.WRITE_LINE, [True]),
    ],
    ids=["memristor", "lines", "lines, activation by the controller"],
)  # fmt: skip
@pytest.mark.parametrize("constant", [False, True])
def test_algorithm_1_reads_and_writes_each_variable_in_turn(case, changes, reads, write, held, constant):
    network = CASES[case]["network"] | {"inputs": 4, "constant_input": constant} | changes
    slots = build(config_of(case, network=network)).slots
    lines = 6 if constant else 5
    assert steps_of(slots) == reads + [(Phase.WRITE, write, 0, 1)] * lines
    assert [slot.variable for slot in slots] == [-1] * len(reads) + [*range(lines)]
    assert [slot.held for slot in slots] == held + [False] * lines


def test_all_variables_with_carriers_are_written_in_one_slot():
    slots = build(config_of("carriers")).slots
    assert steps_of(slots) == [
        (Phase.READ, Operation.READ_MEMRISTOR, 0, 1),
        (Phase.WRITE, Operation.WRITE_CARRIERS, 0, 1),
    ]
    assert [slot.variable for slot in slots] == [-1, -1]


@of_each_case
def test_slots_follow_each_other_with_a_rest_after_each(case):
    schedule = build(config_of(case))
    step = 0
    for slot, start in zip(schedule.slots, schedule.starts, strict=True):
        assert start == step
        step += slot.width + schedule.rest_steps
    assert schedule.steps == step
    assert schedule.rest_steps == CASES[case]["time"].get("gap_steps", 0)


@of_each_case
def test_reads_and_writes_have_their_widths(case):
    config = config_of(case)
    train = (1, 8, 0)
    if config.write.encoding == "width":
        train = (8, 1, 0)
    elif config.write.encoding == "count":
        train = (config.write.pulses, config.write.train_steps, config.write.train_gap_steps)
    for slot in build(config).slots:
        pulses = train if slot.phase == Phase.WRITE else (1, 5, 0)
        assert (slot.pulses, slot.pulse_steps, slot.gap_steps) == pulses
        assert slot.width == pulses[0] * pulses[1] + (pulses[0] - 1) * pulses[2]


def test_a_train_of_pulses_ends_with_its_last_pulse():
    assert {slot.width for slot in build(config_of("mlp, by count")).slots} == {5, 6 * 2 + 5 * 3}


@of_each_case
def test_every_slot_drives_a_bank_that_exists_and_every_bank_is_driven(case):
    assembly = assemble(config_of(case), data())
    assert {slot.bank for slot in assembly.schedule.slots} == set(range(len(assembly.banks)))
    for slot in assembly.schedule.slots:
        name = assembly.banks[slot.bank].name
        kind = {0: "synapses", 1: "nodes"}[slot.bank % 2] + str(slot.layer)
        assert name == kind if case.startswith("mlp") else name in ("memristor", "lines", "activation")


@of_each_case
def test_steps_of_all_phases_add_up(case):
    schedule = build(config_of(case))
    steps = schedule.phase_steps()
    assert sum(steps.values()) == schedule.steps
    assert steps[Phase.IDLE] == len(schedule.slots) * schedule.rest_steps
    assert steps[Phase.READ] == 5 * sum(slot.phase == Phase.READ for slot in schedule.slots)


@of_each_case
def test_a_prediction_reads_and_restores_and_writes_nothing(case):
    schedule = build(config_of(case))
    forward = schedule.forward()
    assert forward.slots == tuple(s for s in schedule.slots if s.phase not in (Phase.WRITE, Phase.BACKREAD))
    assert forward.rest_steps == schedule.rest_steps
    assert {Phase.READ} <= {slot.phase for slot in forward.slots} <= {Phase.READ, Phase.RESTORE}


@of_each_case
def test_the_files_table_says_what_the_slots_are(case):
    schedule = build(config_of(case))
    named = structured(schedule)
    assert len(named) == len(schedule.slots)
    for record, slot in zip(named, schedule.slots, strict=True):
        assert record["phase"].decode() == slot.phase.name
        assert record["operation"].decode() == slot.operation.name
        for name in ("bank", "layer", "variable", "pulses", "pulse_steps", "gap_steps", "held"):
            assert record[name] == getattr(slot, name), name
        assert record["rest_steps"] == schedule.rest_steps
    assert named["start"].tolist() == list(schedule.starts)


# The currents


@of_each_case
def test_the_timing_diagram_shows_the_recorded_currents(case):
    config = config_of(case, run={"realisations": 2, "seed": 3}, learning={"epochs": 1}, trace={"mode": "full"})
    run = training.run(config, data())
    steps = build(config).steps
    for sample in (0, 2):
        currents = sample_currents(assemble(config, data()), sample)
        assert len(currents) == len(run.banks)
        for values, bank in zip(currents, run.banks, strict=True):
            assert values.shape[0] == steps
            assert np.array_equal(values, run.window(bank, "current", sample * steps, (sample + 1) * steps)[..., 0])
            assert np.any(values != 0.0)


@of_each_case
def test_a_bank_carries_current_in_its_own_slots_only(case):
    assembly = assemble(config_of(case), data())
    currents = sample_currents(assembly, 1)
    for index, values in enumerate(currents):
        driven = np.zeros(len(values), dtype=bool)
        for slot, start in zip(assembly.schedule.slots, assembly.schedule.starts, strict=True):
            if slot.bank == index:
                for pulse in range(slot.pulses):
                    first = start + pulse * (slot.pulse_steps + slot.gap_steps)
                    driven[first : first + slot.pulse_steps] = True
        assert not np.any(values[~driven])


@of_each_case
def test_a_restore_sends_the_reads_current_back(case):
    assembly = assemble(config_of(case), data())
    currents = sample_currents(assembly, 1)
    slots, starts = assembly.schedule.slots, assembly.schedule.starts
    for before, after in zip(range(len(slots)), range(1, len(slots)), strict=False):
        if slots[after].phase == Phase.RESTORE:
            bank = currents[slots[after].bank]
            read, restore = (bank[starts[k] : starts[k] + slots[k].width] for k in (before, after))
            assert np.array_equal(read, -restore)


def test_a_sample_that_is_not_there_cannot_be_drawn():
    with pytest.raises(InputError, match=r"^sample: must be below the number of samples, 3 \(got 3\)"):
        sample_currents(assemble(config_of("mlp"), data()), 3)
