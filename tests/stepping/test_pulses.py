"""The pulse table lists what every device really got: beside the naive network, and the encoder's closed form."""

import functools
import itertools
import math

import naive
import numpy as np
import pytest

from memsim.configuration.sections import Configuration
from memsim.datasets import Dataset
from memsim.errors import InputError
from memsim.kernels.slots import Phase
from memsim.network.assembly import assemble
from memsim.runs import training
from memsim.runs.pulses import pulse_table

_RNG = np.random.default_rng(11)
DATA = Dataset(_RNG.uniform(-1.0, 1.0, (3, 2)), _RNG.uniform(0.0, 1.0, (3, 1)), "three real samples")
EPOCHS, REALISATIONS = 2, 2
MLP = {"kind": "mlp"}
SHORT = {"pulse_steps": 3, "write_steps": 4}
COUNT = {"encoding": "count", "pulses": 6, "train_steps": 2}
CASES = {
    "amplitude": {"network": MLP},
    "amplitude, rests": {"network": MLP, "time": SHORT | {"gap_steps": 2}},
    "width": {"network": MLP, "write": {"encoding": "width"}, "time": SHORT | {"write_steps": 8, "gap_steps": 1}},
    "count": {"network": MLP, "write": COUNT},
    "count, gaps": {"network": MLP, "write": COUNT | {"train_gap_steps": 3}, "time": SHORT | {"gap_steps": 1}},
    "slp": {"network": {"kind": "slp"}},
    "slp, count, gaps": {"network": {"kind": "slp"}, "write": COUNT | {"train_gap_steps": 1}},
    "carriers": {
        "network": {"kind": "slp"},
        "devices": {"memristor": {"model": "carrier-memristor", "carriers": "code"}},
        "time": {"pulse_steps": 8, "write_steps": 8},
    },
    "lines, width": {
        "network": {"kind": "slp", "construction": "equivalent"},
        "write": {"encoding": "width"},
        "learning": {"epochs": EPOCHS, "rate": 5.0},
    },
}
of_each_case = pytest.mark.parametrize("case", CASES)


def configuration(case):
    base = {
        "run": {"seed": 5, "realisations": REALISATIONS, "threads": 1},
        "time": SHORT,
        "learning": {"epochs": EPOCHS},
        "data": {"arrays": DATA.name},
        "trace": {"mode": "full"},
    }
    return Configuration(**base | CASES[case])


@functools.cache
def traced(case):
    return training.run(configuration(case), DATA)


@functools.cache
def pulses_of(case):
    return pulse_table(traced(case))


FIELDS = (
    "epoch", "sample", "shown", "phase", "layer", "bank", "device", "variable", "realisation", "pulses",
    "start_step", "width_steps", "start_time", "width", "amplitude", "charge",
)  # fmt: skip


def naive_pulses(case):
    """Records of the table from the naive network's rows: slot by slot, device by device, in plain Python."""
    assembly, order = assemble(configuration(case), DATA), traced(case).order
    schedule, dt = assembly.schedule, assembly.config.time.dt
    found = []
    for realisation in range(REALISATIONS):
        network = naive.Network(assembly, realisation)
        network.learn(order[:, :, realisation].tolist())
        for number, (slot, start) in itertools.product(
            range(EPOCHS * len(DATA.inputs)), zip(schedule.slots, schedule.starts, strict=True)
        ):
            epoch, sample = divmod(number, len(DATA.inputs))
            for device, rows in enumerate(network.banks[slot.bank].devices):
                step = number * schedule.steps + start
                currents = [current for _, current, _ in rows.rows[step : step + slot.width]]
                for amplitude, equal in itertools.groupby(currents):
                    width = len(list(equal))
                    if amplitude != 0.0:
                        found.append((
                            epoch, sample, order[epoch, sample, realisation], slot.phase.name, slot.layer,
                            assembly.banks[slot.bank].name, device, slot.variable, realisation,
                            max(width // slot.pulse_steps, 1), step, width, step * dt, width * dt, amplitude,
                            amplitude * (width * dt),
                        ))  # fmt: skip
                    step += width
    return sorted(found, key=lambda pulse: (pulse[10], pulse[6], pulse[8]))


@of_each_case
def test_the_table_is_that_of_the_naive_network(case):
    table = pulses_of(case)
    assert table.dtype.names == FIELDS
    assert table.tolist() == naive_pulses(case)
    assert set(table["phase"]) == {phase.name for phase in Phase if phase.name.encode() in traced(case).slots["phase"]}


@of_each_case
def test_the_charges_add_up_to_the_recorded_currents(case):
    run, table = traced(case), pulses_of(case)
    for bank in run.banks:
        currents = run.window(bank, "current")
        for device, realisation in np.ndindex(currents.shape[1:]):
            mine = (table["bank"] == bank) & (table["device"] == device) & (table["realisation"] == realisation)
            assert np.sum(table["width_steps"][mine]) == np.count_nonzero(currents[:, device, realisation])
            for sign in (1, -1):
                wanted = run.dt * np.maximum(sign * currents[:, device, realisation], 0.0).sum()
                charge = np.maximum(sign * table["charge"][mine], 0.0).sum()
                assert charge == pytest.approx(wanted, rel=1e-12, abs=0.0)


def first_writes(case):
    """WRITE pulses of the first sample: bank, device and realisation to its pulses."""
    table = pulses_of(case)
    table = table[(table["epoch"] == 0) & (table["sample"] == 0) & (table["phase"] == "WRITE")]
    found = {}
    for pulse in table:
        found.setdefault((str(pulse["bank"]), int(pulse["device"]), int(pulse["realisation"])), []).append(pulse)
    return found


def test_a_write_by_amplitude_is_the_encoders_closed_form():
    """The charge beyond the threshold moves the state by k times it (docs/schedule.md)."""
    case = "amplitude"
    run, compared = traced(case), 0
    assembly = assemble(configuration(case), DATA)
    for (bank, device, realisation), (pulse,) in first_writes(case).items():
        calibration = assembly.banks[run.banks.index(bank)]
        states = run.window(bank, "state")[:, device, realisation]
        begin, end = pulse["start_step"], pulse["start_step"] + pulse["width_steps"]
        beyond = math.copysign(abs(pulse["amplitude"]) - calibration.threshold, pulse["amplitude"])
        _, _, lower, upper = run.bank(bank).variables[0]
        if lower < states[end - 1] < upper:
            moved = calibration.device.drift_coefficient * beyond * pulse["width"]
            assert states[end - 1] - states[begin - 1] == pytest.approx(moved, rel=1e-6)
            compared += 1
    assert compared > 10


@pytest.mark.parametrize("case", ["width", "count", "count, gaps"])
def test_a_train_is_the_number_of_quanta_that_comes_nearest(case):
    """n = round(q / q1) of I_th + I_w (docs/schedule.md), q from the same write by amplitude."""
    run = traced(case)
    assembly = assemble(configuration(case), DATA)
    trains, compared = first_writes(case), []
    for key, (whole,) in first_writes("amplitude").items():
        calibration = assembly.banks[run.banks.index(key[0])]
        slot = next(s for s in assembly.schedule.slots if s.phase == Phase.WRITE)
        charge = (abs(whole["amplitude"]) - calibration.threshold) * whole["width"]
        quanta = charge / (calibration.write_current * slot.pulse_steps * run.dt)
        if abs(quanta % 1.0 - 0.5) < 1e-6:
            continue
        wanted = min(math.floor(quanta + 0.5), slot.pulses)
        train = trains.get(key, [])
        compared.append(wanted)
        assert sum(pulse["pulses"] for pulse in train) == wanted
        assert len(train) == (wanted if slot.gap_steps else min(wanted, 1))
        amplitude = math.copysign(calibration.threshold + calibration.write_current, whole["amplitude"])
        assert all(pulse["amplitude"] == amplitude for pulse in train)
        distances = np.diff([pulse["start_step"] for pulse in train])
        assert np.all(distances == slot.pulse_steps + slot.gap_steps)
    assert len(set(compared)) > 2


@of_each_case
def test_tables_of_consecutive_stretches_add_up(case):
    run, whole = traced(case), pulses_of(case)
    edges = [0, 1, 2, run.sample_steps - 1, run.sample_steps + 5, 3 * run.sample_steps, run.steps - 1, run.steps]
    parts = [pulse_table(run, start, stop) for start, stop in itertools.pairwise(edges)]
    assert np.array_equal(np.concatenate(parts), whole)
    assert len(whole) > 0


def test_the_size_of_a_read_does_not_matter(monkeypatch):
    run = traced("count, gaps")
    whole, stretches = pulses_of("count, gaps"), run.stretches
    for steps in (1, 7, run.sample_steps + 1):
        monkeypatch.setattr(run, "stretches", functools.partial(stretches, steps=steps))
        assert np.array_equal(pulse_table(run), whole)


def test_banks_and_realisations_are_parts_of_the_whole():
    run, whole = traced("width"), pulses_of("width")
    table = pulse_table(run, banks=["nodes2", "synapses1"], realisations=[1])
    kept = np.isin(whole["bank"], ["synapses1", "nodes2"]) & (whole["realisation"] == 1)
    assert table.tolist() == whole[kept].tolist()
    assert 0 < len(table) < len(whole)


def test_a_stretch_without_a_pulse_gives_an_empty_table():
    run = traced("amplitude, rests")
    idle = int(run.slots["start"][1]) - 1
    table = pulse_table(run, idle, idle + 1)
    assert (len(table), table.dtype.names) == (0, FIELDS)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"start": -1}, r"start, stop: must be 0 <= start < stop <= [\d,]+ steps \(got -1, \d+\)"),
        ({"start": 4, "stop": 4}, r"\(got 4, 4\)"),
        ({"start": 9, "stop": 4}, r"\(got 9, 4\)"),
        ({"stop": 10**9}, r"\(got 0, 1000000000\)"),
        ({"banks": ["synapses9"]}, "banks: must be among synapses1, nodes1, synapses2, nodes2 .*'synapses9'"),
        ({"realisations": [2]}, r"realisations: must be from 0 to 1 \(got 2\)"),
    ],
)
def test_bad_input_is_refused(arguments, message):
    with pytest.raises(InputError, match=message):
        pulse_table(traced("amplitude"), **arguments)
