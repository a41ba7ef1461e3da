"""All sixteen gates of two inputs: their names, their settings, and which perceptron learns them."""

import functools
import itertools

import pytest

from memsim.datasets import GATES, PATTERNS, gate_truth, load
from memsim.reproduction.runs import Job, gate_run
from memsim.reproduction.settings import (
    ALL_GATES,
    MULTILAYER,
    NOT_SEPARABLE,
    SINGLE_LAYER_RATE,
    Reproduction,
    multilayer,
    single_layer,
)
from memsim.runs import training

SEPARABLE = tuple(gate for gate in ALL_GATES if gate not in NOT_SEPARABLE)
NETWORKS = {"MLP": multilayer, "SLP": single_layer}
of_each_other_gate = pytest.mark.parametrize("gate", [gate for gate in ALL_GATES if gate not in ("OR", "AND", "XOR")])


@functools.cache
def found(network, gate, data_seed=0, realisations=100, epochs=1000):
    """A run of the figure, or one on other data."""
    settings = Reproduction(realisations=realisations, epochs=epochs, data_seed=data_seed, threads=1)
    config = NETWORKS[network](settings, gate)
    return gate_run(Job(f"{network} {gate}", config, load(config.data)), settings, lambda *_: training.NoProgress())


def counted(run, name):
    return sum(bank.counts[name] for bank in run.margins)


def right(run, gate):
    """Patterns that each realisation classifies right, of 4."""
    return ((run.patterns > 0.5) == (gate_truth(gate) > 0.5)[:, None]).sum(axis=0)


# The gates


def test_every_function_of_two_inputs_has_one_name():
    assert sorted(GATES.values()) == sorted(itertools.product((0, 1), repeat=4))


@pytest.mark.parametrize(
    ("gate", "function"),
    [
        ("contradiction", lambda a, b: False),
        ("and", lambda a, b: a and b),
        ("nimply", lambda a, b: a and not b),
        ("x1", lambda a, b: a),
        ("converse-nimply", lambda a, b: b and not a),
        ("x2", lambda a, b: b),
        ("xor", lambda a, b: a != b),
        ("or", lambda a, b: a or b),
    ],
)
def test_names_say_what_a_gate_does(gate, function):
    opposites = {"contradiction": "tautology", "x1": "not-x1", "x2": "not-x2", "xor": "xnor"}
    opposites |= {"nimply": "imply", "converse-nimply": "converse-imply"}
    truth = [float(function(*pattern)) for pattern in PATTERNS.astype(bool).tolist()]
    assert gate_truth(gate).tolist() == truth
    assert gate_truth(opposites.get(gate, f"n{gate}")).tolist() == [1.0 - value for value in truth]


def test_two_gates_have_no_line_between_their_outputs():
    """A gate is separable if weights of -1, 0, 1 and a bias of half numbers give it."""
    weights = itertools.product((-1, 0, 1), (-1, 0, 1), (-1.5, -0.5, 0.5, 1.5))
    reached = {tuple((PATTERNS @ (w1, w2) + bias > 0).astype(int)) for w1, w2, bias in weights}
    assert {name.upper() for name, truth in GATES.items() if truth not in reached} == set(NOT_SEPARABLE)


def test_a_gate_that_is_1_for_no_input_has_the_constant_line():
    settings = Reproduction()
    for gate in ALL_GATES:
        assert multilayer(settings, gate).network.constant_input == bool(GATES[gate.lower()][0])
        assert not single_layer(settings, gate).network.constant_input
    assert set(MULTILAYER) == set(ALL_GATES)
    assert SINGLE_LAYER_RATE == 0.1


# Quick looks: a few realisations, a few epochs


@pytest.mark.parametrize("gate", ["NAND", "IMPLY", "TAUTOLOGY"])
def test_a_single_layer_begins_to_learn_gates_that_are_1_for_no_input(gate):
    run = found("SLP", gate, realisations=8, epochs=60)
    assert run.mean[-1] < 0.15 * run.mean[0]
    assert right(run, gate).tolist() == [4] * 8
    assert counted(run, "read_disturbs") == 0


def test_a_single_layer_does_not_begin_to_learn_xnor():
    run = found("SLP", "XNOR", realisations=8, epochs=60)
    assert run.total_error.min() > 5.0
    assert right(run, "XNOR").max() <= 3


@pytest.mark.parametrize("gate", ["NAND", "NOR", "NOT-X1", "CONVERSE-IMPLY"])
def test_two_layers_begin_to_learn_with_the_constant_line(gate):
    run = found("MLP", gate, realisations=8, epochs=60)
    assert run.mean[-1] < 0.5 * run.mean[0]
    assert right(run, gate).min() >= 3
    assert counted(run, "bounds_in_read") == counted(run, "read_disturbs") == 0


# The figure; tests/reproduction/test_paper.py asks the same of OR, AND and XOR


@pytest.mark.slow
@of_each_other_gate
def test_two_layers_learn_every_gate(gate):
    run = found("MLP", gate)
    assert run.learned == 100
    assert right(run, gate).tolist() == [4] * 100
    assert counted(run, "bounds_in_read") == counted(run, "read_disturbs") == 0


@pytest.mark.slow
@of_each_other_gate
def test_a_single_layer_learns_the_separable_gates(gate):
    run = found("SLP", gate)
    assert run.learned == (100 if gate in SEPARABLE else 0)
    assert counted(run, "read_disturbs") == 0


@pytest.mark.slow
@pytest.mark.parametrize("data_seed", [1, 2])
@of_each_other_gate
def test_two_layers_learn_other_samples(gate, data_seed):
    run = found("MLP", gate, data_seed)
    assert run.learned >= 95
    assert counted(run, "bounds_in_read") == counted(run, "read_disturbs") == 0
