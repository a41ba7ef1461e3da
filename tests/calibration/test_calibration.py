"""Calibration: what is chosen lies where it must, what cannot work is refused, and margins are what was counted."""

import itertools

import numpy as np
import pytest
import short_runs
from hypothesis import given
from hypothesis import strategies as st

from memsim.calibration.bank import READ_MARGIN, WRITE_RANGE
from memsim.configuration.sections import Configuration
from memsim.datasets import Dataset, balanced_gate
from memsim.devices import Node, Synapse, ThresholdMemristor
from memsim.errors import InputError
from memsim.network.assembly import assemble
from memsim.runs import training
from memsim.runs.margins import COUNTS

MLP = {"kind": "mlp"}
SLP = {"kind": "slp"}
LINES = {"kind": "slp", "construction": "equivalent"}
XOR = balanced_gate("xor", 4)


def banks_of(data=XOR, **sections):
    """Calibrated banks by name."""
    return {bank.name: bank for bank in assemble(Configuration(**sections), data).banks}


# Algorithm 1


@given(
    size=st.floats(0.1, 30.0),
    weight_limit=st.floats(3.0, 50.0),
    inputs=st.integers(1, 5),
    activation=st.sampled_from(["logistic", "tanh", "identity"]),
    constant=st.booleans(),
    seed=st.integers(0, 99),
)
def test_no_read_of_any_weights_reaches_a_threshold_and_windows_stay_apart(
    size, weight_limit, inputs, activation, constant, seed
):
    rng = np.random.default_rng(seed)
    data = Dataset(size * rng.uniform(-1.0, 1.0, (7, inputs)), rng.uniform(-1.0, 1.0, (7, 1)))
    memristor = ThresholdMemristor(inputs=inputs + constant, weight_limit=weight_limit, activation=activation)
    network = SLP | {"inputs": inputs, "constant_input": constant}
    bank = banks_of(data, network=network, devices={"memristor": memristor})["memristor"]
    device = bank.device
    # The largest net input of all: every weight at its bound with the sign of its input.
    largest = weight_limit * (np.abs(data.inputs).sum(axis=1).max() + constant) * device.reference_current
    assert largest < min(device.thresholds) == bank.threshold
    ordered = sorted(device.thresholds)
    assert all(upper - lower > device.window for lower, upper in itertools.pairwise(ordered))
    # The largest update of Algorithm 1 fits its window, and the driver reaches the end of the last. (An identity has
    # no largest output.)
    if activation != "identity":
        lowest, slope = (0.0, 0.25) if activation == "logistic" else (-1.0, 1.0)
        error = np.abs(data.targets - np.array([lowest, 1.0])).max()
        largest_input = max(np.abs(data.inputs).max(), 1.0)
        assert device.window > error * largest_input * slope * device.reference_current
    assert bank.driver_limit == pytest.approx(max(device.thresholds) + device.window, rel=1e-12)


def test_no_update_of_a_gate_leaves_its_window():
    """Delta within 1 and g' within 1/4: |u| is at most a quarter of the unit current."""
    device = banks_of(network=SLP)["memristor"].device
    assert device.window > 0.25 * device.reference_current


def test_given_thresholds_are_kept():
    memristor = ThresholdMemristor(inputs=2, thresholds=(0.3, 0.1, 0.2), window=5e-2)
    bank = banks_of(network=SLP, devices={"memristor": memristor})["memristor"]
    assert bank.device == memristor
    assert bank.threshold == 0.1
    assert bank.driver_limit == pytest.approx(0.35, rel=1e-12)


def test_thresholds_under_the_first_reads_are_refused_with_both_currents():
    memristor = ThresholdMemristor(inputs=2, thresholds=(1e-4, 0.1, 0.2))
    config = Configuration(network=SLP, devices={"memristor": memristor}, run={"seed": 4})
    weights = assemble(Configuration(network=SLP, run={"seed": 4}), XOR).initial[0][0, :2]
    largest = np.abs(XOR.inputs @ weights).max() * memristor.reference_current
    with pytest.raises(InputError, match="the lowest must be above") as error:
        assemble(config, XOR)
    assert f"{largest:g} A" in str(error.value)
    assert "(got 0.0001 A)" in str(error.value)


@pytest.mark.parametrize(
    ("thresholds", "window", "message"),
    [
        ((0.1, 0.15, 0.3), 0.06, r"\[0\.1, 0\.16\) A reaches into the one from 0\.15 A; .*window = 0\.06 A"),
        ((0.3, 0.1, 0.31), 0.06, r"\[0\.3, 0\.36\) A reaches into the one from 0\.31 A"),
        ((0.1, 0.1, 0.3), 0.06, "windows overlap"),
        ((0.1, 0.2), None, r"needs 3 values, one for each weight and the bias \(got 2\)"),
        ((-0.1, 0.2, 0.3), None, r"must be greater than 0 A \(got -0\.1\)"),
    ],
)
def test_thresholds_that_cannot_tell_variables_apart_are_refused(thresholds, window, message):
    with pytest.raises(InputError, match=message):
        ThresholdMemristor(inputs=2, thresholds=thresholds, window=window)


def test_windows_that_touch_do_not_overlap():
    assert ThresholdMemristor(inputs=2, thresholds=(0.25, 0.5, 0.75), window=0.25).window == 0.25


# Algorithm 2


@given(
    drift=st.floats(1e-3, 0.9),
    pulse=st.integers(1, 50),
    write=st.integers(1, 50),
    weight_limit=st.floats(2.5, 50.0),
    bias_limit=st.floats(0.15, 0.9),
)
def test_synapses_and_nodes_get_the_currents_of_their_equations(drift, pulse, write, weight_limit, bias_limit):
    dt = 1e-4
    banks = banks_of(
        network=MLP | {"node_drift": drift, "weight_limit": weight_limit, "bias_limit": bias_limit},
        time={"dt": dt, "pulse_steps": pulse, "write_steps": write},
    )
    assert list(banks) == ["synapses1", "nodes1", "synapses2", "nodes2"]
    synapse, node = banks["synapses1"], banks["nodes1"]
    # A READ of the unit current takes a node through node_drift of half its range.
    moved = node.device.drift_coefficient * node.unit_current * pulse * dt
    assert moved == pytest.approx(drift * 0.5 * node.device.state_range, rel=1e-12)
    # READs stay below the threshold of synapses, and the driver can carry a state through its range in one WRITE.
    assert synapse.read_current == synapse.unit_current == node.unit_current
    assert synapse.threshold == pytest.approx(READ_MARGIN * synapse.read_current, rel=1e-12)
    assert synapse.threshold > synapse.read_current
    for bank, range_ in ((synapse, synapse.device.state_range), (node, bias_limit * node.device.state_range)):
        written = bank.device.drift_coefficient * (bank.driver_limit - bank.threshold) * write * dt
        assert written == pytest.approx(range_, rel=1e-9)
    # Weights lie within +-weight_limit, bias weights within +-1 of the range.
    assert synapse.state_per_weight * weight_limit == pytest.approx(0.5 * synapse.device.state_range, rel=1e-12)
    assert node.state_per_weight == 0.5 * node.device.state_range
    assert node.bias_limit == bias_limit


@pytest.mark.parametrize("write", [{"encoding": "width"}, {"encoding": "count", "pulses": 40, "train_steps": 3}])
def test_a_whole_train_carries_a_state_through_its_share_of_the_range(write):
    banks = banks_of(network=MLP | {"bias_limit": 0.4}, write=write, time={"write_steps": 30})
    seconds = (30 if write["encoding"] == "width" else 120) * 2.5e-4
    for bank, range_ in ((banks["synapses1"], 1.0), (banks["nodes2"], 0.4)):
        written = bank.device.drift_coefficient * bank.write_current * seconds
        assert written == pytest.approx(WRITE_RANGE[write["encoding"]] * range_ * bank.device.state_range, rel=1e-12)
        assert bank.driver_limit == pytest.approx(bank.threshold + bank.write_current, rel=1e-12)


def test_a_given_driver_limit_holds_for_pulses_and_trains():
    for encoding in ("amplitude", "width"):
        banks = banks_of(network=MLP, write={"encoding": encoding, "driver_limit": 0.011})
        for bank in banks.values():
            assert bank.driver_limit == 0.011
            assert bank.threshold + bank.write_current <= 0.011


def test_a_read_at_its_threshold_is_refused_and_one_below_is_not():
    synapse = Synapse(threshold=1e-3)
    network = MLP | {"read_current": 1e-3}
    with pytest.raises(InputError, match=r"devices\.synapse\.threshold: must be above .*= 0\.001 A.*\(got 0\.001 A\)"):
        banks_of(network=network, devices={"synapse": synapse})
    banks_of(network=MLP | {"read_current": 0.999e-3}, devices={"synapse": synapse})


def test_a_driver_that_cannot_write_is_refused_with_both_currents():
    with pytest.raises(InputError, match=r"driver_limit: .*devices\.synapse\.threshold = 1 A.*\(got 0\.5 A\)"):
        banks_of(network=MLP, devices={"synapse": Synapse(threshold=1.0)}, write={"driver_limit": 0.5})
    with pytest.raises(InputError, match=r"driver_limit: .*devices\.node\.threshold = 0\.5 A.*\(got 0\.5 A\)"):
        banks_of(network=MLP, devices={"node": Node(threshold=0.5)}, write={"driver_limit": 0.5})
    with pytest.raises(InputError, match=r"driver_limit: .*devices\.memristor\.thresholds = .*\(got 0\.01 A\)"):
        banks_of(network=SLP, write={"driver_limit": 0.01})


def test_starting_weights_beyond_the_limit_are_refused_with_the_largest():
    config = Configuration(network=MLP | {"weight_limit": 0.1})
    wide = assemble(Configuration(network=MLP), XOR)
    largest = np.abs(wide.initial[0] / wide.banks[0].state_per_weight).max()
    with pytest.raises(InputError, match="weight_limit: must hold the starting weights of synapses1") as error:
        assemble(config, XOR)
    assert f"up to {largest:.3g} (got 0.1)" in str(error.value)
    with pytest.raises(InputError, match=r"bias_limit: .* of nodes1, up to .*\(got 0\.05\)"):
        assemble(Configuration(network=MLP | {"bias_limit": 0.05, "initial_bias": 1.0}), XOR)


@pytest.mark.parametrize(
    ("sections", "field"),
    [({"write": {"verify": 1}}, "write.verify"), ({"devices": {"synapse": {"model": "vteam"}}}, "devices.synapse.mod")],
)
def test_what_one_threshold_memristor_has_not_is_refused(sections, field):
    with pytest.raises(InputError, match=f"^{field}.*: needs network.construction = 'equivalent'"):
        assemble(short_runs.configuration("slp", **sections), short_runs.REAL)


def test_lines_that_are_held_while_they_are_read_need_no_threshold():
    bank = banks_of(network=LINES)["lines"]
    assert (bank.threshold, bank.devices) == (0.0, 3)
    assert bank.read_current == bank.unit_current == ThresholdMemristor().reference_current


# Glorot's starting weights


def test_starting_weights_are_glorots():
    data = Dataset(np.zeros((1, 30)), np.zeros((1, 10)))
    config = Configuration(network=MLP | {"layers": (30, 20, 10)}, run={"realisations": 20})
    assembly = assemble(config, data)
    for index, fans in enumerate([30 + 20, 30 + 20, 20 + 10, 20 + 10]):
        weights = assembly.initial[index].ravel() / assembly.banks[index].state_per_weight
        limit = np.sqrt(6.0 / fans) * (0.1 if index % 2 else 1.0)
        assert np.abs(weights).max() <= limit
        assert np.abs(weights).max() > 0.97 * limit
        assert abs(weights.mean()) < 5.0 * limit / np.sqrt(3.0 * weights.size)
        assert weights.var() == pytest.approx(limit**2 / 3.0, rel=0.15)


def test_starting_weights_of_a_bank_do_not_depend_on_other_banks():
    narrow = assemble(Configuration(network=MLP), XOR)
    deep = assemble(Configuration(network=MLP | {"layers": (2, 2, 3, 1)}), XOR)
    assert np.array_equal(narrow.initial[0], deep.initial[0])
    assert not np.array_equal(narrow.initial[2].ravel(), deep.initial[2].ravel()[:2])


# Margins

TINY = Dataset(np.array([[0.5, -1.0]]), np.array([[0.25]]))


def fully_traced(**sections):
    """A run of one sample or a few with all its rows."""
    data = sections.pop("data", TINY)
    base = {"time": {"pulse_steps": 4}, "learning": {"epochs": 1}, "run": {"realisations": 2, "threads": 1}}
    return training.run(Configuration(**base | sections, trace={"mode": "full"}), data)


def rows_of(run, phases, bank):
    """Currents in a run's slots of some phases, (rows, devices, realisations)."""
    steps = int(run.file.attrs["sample_steps"])
    index = int(run.file["banks"][bank].attrs["index"])
    chosen = np.zeros(steps, dtype=bool)
    for slot in run.slots:
        width = slot["pulses"] * slot["pulse_steps"] + (slot["pulses"] - 1) * slot["gap_steps"]
        if slot["bank"] == index and slot["phase"].decode() in phases:
            chosen[slot["start"] : slot["start"] + width] = True
    current = run.window(bank, "current")
    return current[np.tile(chosen, len(current) // steps)]


@pytest.mark.parametrize("network", [MLP, SLP, LINES], ids=["mlp", "slp", "lines"])
def test_margins_are_the_peaks_of_the_trace(network):
    run = fully_traced(network=network, learning={"epochs": 3, "rate": 2.0})
    for bank, margins in zip(run.calibration, run.margins, strict=True):
        states = np.concatenate([run.initial_state[bank.name][None], run.file["traces"][bank.name]["state"][()]])
        variables = bank.device.state_variables()
        bounded = [v for v, variable in enumerate(variables) if variable.upper < 1e300]
        excursion = max(np.abs(states[:, :, v]).max() / variables[v].upper for v in bounded)
        assert margins.peak_state == pytest.approx(excursion, rel=1e-12)
        writes = np.abs(rows_of(run, ("WRITE",), bank.name)).max(initial=0.0)
        assert margins.peak_write == pytest.approx(writes / bank.driver_limit, rel=1e-12)
        reads = np.abs(rows_of(run, ("READ", "BACKREAD"), bank.name)).max()
        if bank.name.startswith("nodes") or bank.name == "lines":
            assert margins.peak_read is None
        else:
            assert margins.peak_read == pytest.approx(reads / bank.threshold, rel=1e-12)
        assert set(margins.counts) == set(COUNTS)
        assert margins.counts["read_disturbs"] == 0


def test_margins_of_one_sample_by_hand():
    """A READ of the inputs 0.5 and -1 through two synapses drives one node, in two realisations."""
    run = fully_traced(network=MLP | {"layers": (2, 1), "weight_limit": 4.0, "node_drift": 0.1})
    synapses, nodes = run.margins
    assert synapses.bank == "synapses1"
    assert synapses.peak_read == pytest.approx(1.0 / READ_MARGIN, rel=1e-12)  # scaled to its own largest input
    weights = run.initial_state["synapses1"][:, 0] / (0.5 * run.config.devices.synapse.state_range) * 4.0
    net = 0.5 * weights[0] - 1.0 * weights[1]
    bias = run.initial_state["nodes1"][0, 0] / 5e-9
    reached = np.abs(bias + 0.1 * net).max()
    assert nodes.peak_state == pytest.approx(max(reached, np.abs(bias).max(), peak_after(run)), rel=1e-9)
    assert nodes.restore_residual < 1e-12
    assert sum(nodes.counts.values()) == sum(synapses.counts.values()) == 0


def peak_after(run):
    """Largest bias weight after the write."""
    return np.abs(run.final_state["nodes1"]).max() / 5e-9


def test_a_write_that_the_driver_clips_is_counted_each_time():
    run = fully_traced(network=SLP, learning={"epochs": 1, "rate": 1.0})
    assert run.margins[0].counts["clipped_writes"] == 0
    device = run.calibration[0].device
    middle = sorted(device.thresholds)[-1]
    clipped = fully_traced(network=SLP, learning={"epochs": 1, "rate": 1.0}, write={"driver_limit": middle * 1.0000001})
    amplitude = np.abs(rows_of(clipped, ("WRITE",), "memristor")).max()
    assert amplitude == pytest.approx(middle * 1.0000001, rel=1e-12)
    assert clipped.margins[0].counts["clipped_writes"] == 2  # the bias of both realisations
    assert clipped.margins[0].peak_write == 1.0


def test_a_fixed_read_scale_under_which_the_inputs_disturb_is_refused_with_the_numbers():
    data = Dataset(np.array([[1.0, 0.3]]), np.array([[0.5]]))
    # The input 1 would be read at twice the full scale, 1.6 of the threshold; 0.8 is the least scale that is safe.
    with pytest.raises(InputError, match=r"network.read_scale: must be above 0.8, .* \(got 0.5\)"):
        fully_traced(network=MLP | {"read_scale": 0.5}, data=data, learning={"epochs": 1, "rate": 1e-6})
    run = fully_traced(network=MLP | {"read_scale": 0.81}, data=data, learning={"epochs": 1, "rate": 1e-6})
    assert run.margins[0].peak_read == pytest.approx(1.0 / 0.81 / READ_MARGIN, rel=1e-12)
    assert run.margins[0].counts["read_disturbs"] == 0


def test_a_restore_that_cannot_restore_is_counted_with_its_residual():
    run = fully_traced(
        network=MLP | {"layers": (2, 1), "node_drift": 0.9, "initial_weight": 2.0},
        data=Dataset(np.array([[3.0, 3.0]]), np.array([[0.5]])), run={"realisations": 6, "threads": 1},
    )  # fmt: skip
    nodes = run.margins[1]
    weights = run.initial_state["synapses1"][:, 0] / (0.5 * run.config.devices.synapse.state_range) * 8.0
    bias = run.initial_state["nodes1"][0, 0] / 5e-9
    moved = 0.9 * 3.0 * weights.sum(axis=0)
    met = np.abs(bias + moved) > 1.0
    assert 0 < met.sum() < 6
    assert nodes.counts["bounds_in_read"] == nodes.counts["restore_residuals"] == met.sum()
    left = np.clip(np.clip(bias + moved, -1.0, 1.0) - moved, -1.0, 1.0) - bias
    assert nodes.restore_residual == pytest.approx(np.abs(left).max() / 2.0, rel=1e-9)
