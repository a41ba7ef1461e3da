"""The emulator, pulse by pulse, against both learning algorithms at the level of weights in plain NumPy."""

import functools
import itertools

import numpy as np
import pytest
import reference_learning

from memsim.configuration.sections import Configuration
from memsim.datasets import Dataset, gate, load
from memsim.devices import Node, ThresholdMemristor
from memsim.reproduction.settings import Reproduction, multilayer, single_layer
from memsim.runs import training

SETTINGS = Reproduction(realisations=3, epochs=20, threads=1)
GATES = ("OR", "AND", "XOR")
PRECISION = 1e-9
NODE_THRESHOLD = 1e-3  # A, half of what stands for a net input of 1 in wide()

_RNG = np.random.default_rng(11)
WIDE = Dataset(_RNG.uniform(-1.0, 1.0, (40, 5)), _RNG.uniform(-0.8, 0.8, (40, 3)), "random")
SIGNED = Dataset(_RNG.uniform(-1.0, 1.0, (40, 2)), _RNG.uniform(0.1, 0.9, (40, 1)), "signed")

of_each_gate = pytest.mark.parametrize("name", GATES)


def run(config, data=None):
    """Run a configuration on its own data, or on arrays."""
    return training.run(config, load(config.data) if data is None else data)


def shown_inputs(done):
    """Inputs of all samples, with the constant line where the network has one."""
    inputs = done.dataset.inputs
    return np.hstack([inputs, np.ones((len(inputs), 1))]) if done.config.network.constant_input else inputs


# From states of devices to weights, by the equations and not by the emulator's calibration


def layers_of(done, states):
    """Weights (n_in, n_out, realisations) and bias weights (n_out, realisations) of each layer."""
    network, devices = done.config.network, done.config.devices
    sizes = [network.layers[0] + network.constant_input, *network.layers[1:]]
    synapse, node = 0.5 * (devices.synapse.r_off - devices.synapse.r_on), 0.5 * devices.node.thickness
    weights, biases = [], []
    for layer, shape in enumerate(itertools.pairwise(sizes), start=1):
        memristances = states[f"synapses{layer}"][:, 0].reshape(*shape, -1)
        weights.append(memristances / synapse * network.weight_limit)
        biases.append(states[f"nodes{layer}"][:, 0] / node)
    return weights, biases


def single_layer_of(done, states):
    """Weights and bias, (inputs + 1, realisations)."""
    if done.config.network.construction == "memristor":
        return states["memristor"][0, :-1]
    synapse = done.config.devices.synapse
    limit = (done.config.devices.memristor or ThresholdMemristor()).weight_limit
    return states["lines"][:, 0] / (0.5 * (synapse.r_off - synapse.r_on)) * limit


def assert_near(ours, theirs, precision=PRECISION):
    """Weights agree to a share of the largest."""
    largest = np.abs(theirs).max()
    assert np.abs(ours - theirs).max() <= precision * largest


def assert_multilayer_is_the_references(done, precision=PRECISION):
    """Weights, bias weights and total errors of all realisations."""
    config = done.config
    network, node = config.network, config.devices.node
    before, after = layers_of(done, done.initial_state), layers_of(done, done.final_state)
    # A READ of a unit current takes the node's state through node_drift of half its range.
    drift = node.mobility * node.r_on / node.thickness * config.time.read * config.time.dt
    unit_current = network.node_drift * 0.5 * node.thickness / drift
    for r in range(len(done.seeds)):
        weights, biases, errors = reference_learning.train_multilayer(
            [w[..., r] for w in before[0]],
            [b[..., r] for b in before[1]],
            shown_inputs(done),
            done.dataset.targets,
            done.order[:, :, r],
            done.learning_rate,
            network.node_drift,
            ratio=node.r_on / node.r_off if node.equation == 10 else 0.0,
            node_threshold=node.threshold / unit_current,
            weight_limit=network.weight_limit,
            # The limit is one of writes: biases that are not written may drift beyond it where READs meet bounds.
            bias_limit=np.inf if config.learning.bias_rule == "none" else network.bias_limit,
            bias_rule=config.learning.bias_rule,
            batch=config.learning.batch,
        )
        for layer in range(len(weights)):
            assert_near(after[0][layer][..., r], weights[layer], precision)
            assert_near(after[1][layer][..., r], biases[layer], precision)
        assert np.abs(done.total_error[:, r] - errors).max() <= precision * errors[0]
        assert np.ptp(errors) > 1e-3 * errors[0]  # it learns, or at least moves


def assert_single_layer_is_the_references(done, activation="logistic"):
    """Weights, bias and total errors of all realisations."""
    before, after = single_layer_of(done, done.initial_state), single_layer_of(done, done.final_state)
    for r in range(len(done.seeds)):
        weights, bias, errors = reference_learning.train_single_layer(
            before[:-1, r], before[-1, r], shown_inputs(done), done.dataset.targets[:, 0], done.order[:, :, r],
            done.learning_rate, activation, done.config.learning.batch,
        )  # fmt: skip
        assert_near(after[:, r], np.append(weights, bias))
        assert np.abs(done.total_error[:, r] - errors).max() <= PRECISION * errors[0]
        assert np.ptp(errors) > 1e-3 * errors[0]


def count(done, name):
    """A count over all banks."""
    return sum(bank.counts[name] for bank in done.margins)


# Algorithm 2


@of_each_gate
def test_multilayer_perceptron_learns_a_gate_as_the_reference_does(name):
    done = run(multilayer(SETTINGS, name))
    assert_multilayer_is_the_references(done)
    assert count(done, "bounds_in_read") == 0


def wide(**sections):
    """A 5-7-3 network with a constant input and thresholds of its nodes, on random data."""
    network = {"kind": "mlp", "layers": (5, 7, 3), "constant_input": True, "weight_limit": 6.0, "node_drift": 0.05}
    base = {
        "run": {"seed": 3, "realisations": 3, "threads": 1},
        "time": {"pulse_steps": 5},
        "network": network | sections.pop("network", {}),
        "devices": {"node": Node(threshold=NODE_THRESHOLD)},
        "learning": {"rate": 0.02, "epochs": 20} | sections.pop("learning", {}),
        "data": {"arrays": "random"},
    }
    return Configuration(**base | sections)


def test_a_wide_network_learns_random_data_as_the_reference_does():
    done = run(wide(), WIDE)
    assert_multilayer_is_the_references(done)
    assert count(done, "bounds_in_read") == count(done, "bounds_in_write") == 0
    peak = done.diagnostics("nodes1")["peak_current"][0]
    assert np.all(peak > NODE_THRESHOLD)
    without = run(wide(devices={"node": Node()}), WIDE)
    assert not np.allclose(without.total_error, done.total_error, rtol=1e-3)


@pytest.mark.parametrize(
    "sections",
    [
        {"network": {"read_scale": 8.0}},
        {"time": {"pulse_steps": 3, "write_steps": 7, "gap_steps": 2}},
        {"devices": {"node": Node(threshold=NODE_THRESHOLD, equation=12)}},
        {"learning": {"shuffle": False}},
        {"learning": {"batch": 7}},
        {"learning": {"batch": 40, "shuffle": False}},
        {"learning": {"schedule": "step", "decay": 0.5, "decay_epochs": 6}},
        {"learning": {"schedule": "exponential", "decay_epochs": 15}},
        {"learning": {"schedule": "cosine", "decay_epochs": 15, "batch": 3}},
    ],
    ids=[
        "fixed read scale",
        "other widths",
        "Eq. 12",
        "unshuffled",
        "mini-batches",
        "one batch an epoch",
        "step",
        "exponential",
        "cosine, mini-batches",
    ],
)
def test_a_wide_network_of_other_settings_learns_as_the_reference_does(sections):
    assert_multilayer_is_the_references(run(wide(**sections), WIDE))


@pytest.mark.parametrize("rule", ["gradient", "printed", "none"])
def test_each_bias_rule_learns_as_the_reference_does(rule):
    done = run(wide(learning={"bias_rule": rule}, network={"bias_limit": 0.5}), WIDE)
    assert_multilayer_is_the_references(done)
    before, after = layers_of(done, done.initial_state)[1], layers_of(done, done.final_state)[1]
    moved = max(np.abs(a - b).max() for a, b in zip(after, before, strict=True))
    assert moved < 1e-9 if rule == "none" else moved > 1e-3


@pytest.mark.parametrize("rule", ["gradient", "none"])
def test_a_network_that_meets_its_bounds_learns_as_the_reference_does(rule):
    network = {"weight_limit": 0.6, "initial_weight": 0.6, "node_drift": 0.6, "bias_limit": 0.3}
    write = {"driver_limit": 1.0}  # A: no write is clipped
    done = run(wide(network=network, learning={"rate": 0.1, "bias_rule": rule}, write=write), WIDE)
    assert_multilayer_is_the_references(done)
    counts = {bank.bank: bank.counts for bank in done.margins}
    assert counts["nodes1"]["bounds_in_read"] > 10
    assert counts["synapses1"]["bounds_in_write"] > 100
    assert (counts["nodes2"]["shortened_writes"] > 100) == (rule == "gradient")


def test_nodes_that_drift_through_their_whole_range_learn_as_the_reference_does():
    network = {"weight_limit": 0.9, "initial_weight": 0.8, "node_drift": 0.9, "bias_limit": 0.3}
    write = {"driver_limit": 1.0, "resolution": 0.0}  # A: no write is clipped
    done = run(wide(network=network, learning={"rate": 0.1, "epochs": 8}, devices={"node": Node()}, write=write), WIDE)
    # What meets bounds is sensitive: the digits that a RESTORE loses there grow from epoch to epoch.
    assert_multilayer_is_the_references(done, 1e-7)
    assert count(done, "clipped_writes") == 0
    node = done.config.devices.node
    longest = done.diagnostics("nodes1")["peak_current"][0].max() * node.mobility * node.r_on / node.thickness
    assert longest * done.config.time.read * done.dt > 1.0 * node.thickness


@pytest.mark.slow
def test_heuns_method_learns_as_the_reference_does():
    done = run(wide(time={"pulse_steps": 5, "integrator": "heun"}), WIDE)
    assert_multilayer_is_the_references(done)


def test_a_network_of_several_outputs_learns_as_the_reference_does():
    data = Dataset(WIDE.inputs[:, :2], WIDE.targets[:, :2], "two outputs")
    done = run(wide(network={"layers": (2, 3, 2), "constant_input": False}), data)
    assert_multilayer_is_the_references(done)
    assert done.final_state["nodes2"].shape == (2, 1, 3)


# Algorithm 1


@of_each_gate
def test_threshold_memristor_learns_a_gate_as_the_reference_does(name):
    done = run(single_layer(SETTINGS, name))
    assert_single_layer_is_the_references(done)
    assert count(done, "read_disturbs") == count(done, "clipped_writes") == 0


@of_each_gate
def test_equivalent_construction_learns_the_memristors_curve(name):
    lines = run(single_layer(SETTINGS, name, network={"construction": "equivalent"}))
    assert_single_layer_is_the_references(lines)
    memristor = run(single_layer(SETTINGS, name))
    first = memristor.total_error[0].min()
    assert np.abs(lines.total_error - memristor.total_error).max() <= PRECISION * first
    assert_near(single_layer_of(lines, lines.final_state), single_layer_of(memristor, memristor.final_state))


@pytest.mark.parametrize("construction", ["memristor", "equivalent"])
def test_single_layer_learns_signed_inputs_as_the_reference_does(construction):
    config = single_layer(
        SETTINGS, "OR", network={"construction": construction}, learning={"rate": 0.5, "epochs": 20},
        data={"gate": None, "arrays": "signed"}, time={"pulse_steps": 7, "write_steps": 4, "gap_steps": 1},
    )  # fmt: skip
    assert_single_layer_is_the_references(run(config, SIGNED))


@pytest.mark.parametrize("construction", ["memristor", "equivalent"])
def test_single_layer_learns_mini_batches_as_the_reference_does(construction):
    config = single_layer(
        SETTINGS, "OR", network={"construction": construction}, learning={"rate": 0.5, "epochs": 20, "batch": 7},
        data={"gate": None, "arrays": "signed"},
    )  # fmt: skip
    done = run(config, SIGNED)
    assert_single_layer_is_the_references(done)
    assert count(done, "clipped_writes") == 0


@pytest.mark.parametrize("construction", ["memristor", "equivalent"])
def test_single_layer_learns_at_falling_rates_as_the_reference_does(construction):
    config = single_layer(
        SETTINGS, "OR", network={"construction": construction},
        learning={"rate": 0.5, "epochs": 20, "schedule": "step", "decay": 0.3, "decay_epochs": 7},
        data={"gate": None, "arrays": "signed"},
    )  # fmt: skip
    done = run(config, SIGNED)
    assert done.learning_rate == pytest.approx([0.5] * 7 + [0.15] * 7 + [0.045] * 6, rel=1e-15)
    assert_single_layer_is_the_references(done)


@pytest.mark.slow
@pytest.mark.parametrize("construction", ["memristor", "equivalent"])
@pytest.mark.parametrize("activation", ["tanh", "identity"])
def test_each_activation_learns_as_the_reference_does(construction, activation):
    memristor = ThresholdMemristor(inputs=2, activation=activation).model_dump()
    config = single_layer(
        SETTINGS, "AND", network={"construction": construction}, devices={"memristor": memristor},
        learning={"rate": 0.05},
    )  # fmt: skip
    assert_single_layer_is_the_references(run(config), activation)


@pytest.mark.slow
@pytest.mark.parametrize("construction", ["memristor", "equivalent"])
def test_single_layer_with_a_constant_input_learns_as_the_reference_does(construction):
    config = single_layer(SETTINGS, "OR", network={"construction": construction, "constant_input": True})
    assert_single_layer_is_the_references(run(config))


# Other encodings of a write

NETWORKS = {
    "multilayer": {"network": {"kind": "mlp", "bias_limit": 0.5}, "learning": {"rate": 0.01, "epochs": 10}},
    "memristor": {"network": {"kind": "slp"}, "learning": {"rate": 0.1, "epochs": 10}},
    "equivalent": {"network": {"kind": "slp", "construction": "equivalent"}, "learning": {"rate": 0.1, "epochs": 10}},
}


@functools.cache
def trained(network, encoding="amplitude", pulses=20):
    """A short run on OR whose writes have so many sizes."""
    write = {"encoding": encoding}
    time = {"pulse_steps": 5, "write_steps": pulses if encoding == "width" else 5}
    if encoding == "count":
        write |= {"pulses": pulses, "train_steps": 2, "train_gap_steps": 1}
    config = Configuration(**NETWORKS[network], time=time, write=write, run={"realisations": 2, "threads": 1})
    return run(config, gate("or", 40, seed=5))


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("encoding", ["width", "count"])
def test_trains_of_more_pulses_come_nearer_to_writes_by_amplitude(network, encoding):
    exact = trained(network)
    assert count(exact, "rounded_writes") == 0
    apart = []
    for pulses in (10, 100, 1000):
        done = trained(network, encoding, pulses)
        apart.append(np.abs(done.total_error - exact.total_error).max() / exact.total_error[0].max())
        assert count(done, "clipped_writes") == 0
        assert count(done, "rounded_writes") > 0
        steps = 2 if encoding == "count" else 1
        for bank, margins in zip(done.calibration, done.margins, strict=True):
            if not bank.learns:
                assert margins.rounding == 0.0
                continue
            charge = bank.write_current * steps * done.dt
            assert 0.0 < margins.rounding <= 0.5 * charge * (1.0 + 1e-9)
    assert apart == sorted(apart, reverse=True)
    assert apart[-1] < 0.02
    assert apart[-1] < 0.05 * apart[0]
