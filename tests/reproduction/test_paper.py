"""What the paper claims, on its own settings: Figures 3, 4 and 5."""

import functools

import numpy as np
import pytest

from memsim.datasets import balanced_gate, gate_truth, load
from memsim.reproduction.runs import Job, gate_run, rates_after
from memsim.reproduction.settings import ROC_EPOCH, Reproduction, multilayer, single_layer
from memsim.runs import training
from memsim.runs.prediction import evaluate
from memsim.runs.run import LEARNED

GATES = ("OR", "AND", "XOR")
of_each_gate = pytest.mark.parametrize("gate", GATES)
NETWORKS = {"MLP": multilayer, "SLP": single_layer}


@functools.cache
def found(network, gate, data_seed=0, realisations=100, epochs=1000):
    """A run of Figure 3 or 4, or one on other data, and what the report reads off it."""
    settings = Reproduction(realisations=realisations, epochs=epochs, data_seed=data_seed, threads=1)
    config = NETWORKS[network](settings, gate)
    return gate_run(Job(f"{network} {gate}", config, load(config.data)), settings, lambda *_: training.NoProgress())


def bounds_in_read(run):
    return sum(bank.counts["bounds_in_read"] for bank in run.margins)


def read_disturbs(run):
    return sum(bank.counts["read_disturbs"] for bank in run.margins)


# Quick looks: a few realisations, a few epochs


@of_each_gate
def test_multilayer_perceptrons_error_falls(gate):
    run = found("MLP", gate, realisations=8, epochs=60)
    assert run.mean[-1] < {"OR": 0.1, "AND": 0.6, "XOR": 0.8}[gate] * run.mean[0]
    assert bounds_in_read(run) == read_disturbs(run) == 0


@pytest.mark.parametrize("gate", ["OR", "AND"])
def test_single_layer_perceptrons_error_falls(gate):
    run = found("SLP", gate, realisations=8, epochs=60)
    assert run.mean[-1] < 0.15 * run.mean[0]
    assert np.all(run.total_error[-1] < run.total_error[0])
    assert read_disturbs(run) == 0


def test_single_layer_perceptron_does_not_begin_to_learn_xor():
    run = found("SLP", "XOR", realisations=8, epochs=60)
    assert run.total_error.min() > 5.0


@pytest.mark.parametrize("network", NETWORKS)
def test_or_is_soon_classified(network):
    run = found(network, "OR", realisations=8, epochs=60)
    right = ((run.patterns > 0.5) == (gate_truth("OR") > 0.5)[:, None]).all(axis=0)
    assert right.all()
    assert np.all(run.rates[0.5].true_positive == 1.0)


# Figure 4


@pytest.mark.slow
@of_each_gate
def test_every_multilayer_perceptron_learns(gate):
    run = found("MLP", gate)
    assert run.learned == 100
    assert bounds_in_read(run) == read_disturbs(run) == 0
    assert run.mean[199] <= {"OR": 0.01, "AND": 1.0, "XOR": 5.0}[gate]
    right = (run.patterns > 0.5) == (gate_truth(gate) > 0.5)[:, None]
    assert right.all()


@pytest.mark.slow
@of_each_gate
@pytest.mark.parametrize("data_seed", range(1, 6))
def test_nearly_every_multilayer_perceptron_learns_other_data(gate, data_seed):
    run = found("MLP", gate, data_seed)
    assert run.learned >= 95
    assert bounds_in_read(run) == read_disturbs(run) == 0


@pytest.mark.slow
def test_multilayer_perceptrons_learn_or_faster_than_single_layers():
    assert found("MLP", "OR").mean[199] < 0.01 * found("SLP", "OR").mean[199]


# Figure 3


@pytest.mark.slow
@pytest.mark.parametrize("gate", ["OR", "AND"])
def test_every_single_layer_perceptron_learns_or_and_and(gate):
    run = found("SLP", gate)
    assert run.mean[199] < 0.5
    assert run.learned == 100
    assert read_disturbs(run) == 0
    assert ((run.patterns > 0.5) == (gate_truth(gate) > 0.5)[:, None]).all()


@pytest.mark.slow
def test_no_single_layer_perceptron_learns_xor():
    run = found("SLP", "XOR")
    assert run.total_error[-1].min() > 5.0
    assert read_disturbs(run) == 0
    right = ((run.patterns > 0.5) == (gate_truth("XOR") > 0.5)[:, None]).sum(axis=0)
    assert right.max() <= 3


# Figure 5


@pytest.mark.slow
def test_single_layer_perceptron_classifies_every_sample_of_or():
    for threshold, point in found("SLP", "OR").rates.items():
        assert np.all(point.false_positive == 0.0), threshold
        assert np.all(point.true_positive == 1.0), threshold


@pytest.mark.slow
def test_multilayer_perceptron_classifies_xor():
    for threshold, point in found("MLP", "XOR").rates.items():
        assert point.false_positive.mean() < 0.05, threshold
        assert point.true_positive.mean() > 0.95, threshold


@pytest.mark.slow
def test_single_layer_perceptron_guesses_on_balanced_xor():
    settings = Reproduction(threads=1)
    data = balanced_gate("xor")
    config = single_layer(settings, "XOR", data={"gate": None, "arrays": data.name})
    run = gate_run(Job("balanced", config, data), settings, lambda *_: training.NoProgress())
    for threshold, point in run.rates.items():
        assert abs(point.true_positive.mean() - point.false_positive.mean()) < 0.1, threshold


def test_rates_come_from_the_epoch_of_figure_5():
    settings = Reproduction(realisations=4, epochs=3, threads=1)
    config = multilayer(settings, "OR", trace={"keyframe_samples": 100})
    run = training.run(config, load(config.data))
    samples = load(config.data)
    after = {epoch: rates_after(run, epoch, samples) for epoch in (1, 3)}
    for epoch, keyframe in ((1, 0), (3, 2)):
        outputs = evaluate(run, samples.inputs, keyframe=keyframe).outputs[:, 0]
        positive = samples.targets[:, 0] > 0.5
        for threshold, point in after[epoch].items():
            assert np.array_equal(point.true_positive, (outputs[positive] > threshold).mean(axis=0))
            assert np.array_equal(point.false_positive, (outputs[~positive] > threshold).mean(axis=0))
    assert Reproduction().roc_epoch == ROC_EPOCH == 500
    assert settings.roc_epoch == 3


@pytest.mark.slow
def test_the_count_of_learned_realisations_is_those_under_a_tenth():
    run = found("MLP", "XOR")
    assert run.learned == (run.total_error[-1] < LEARNED).sum()
