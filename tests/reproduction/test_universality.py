"""Functions fitted by one hidden layer of node memristors: a threshold makes it more than a polynomial."""

import dataclasses
import threading
from itertools import pairwise

import numpy as np
import pytest

from memsim.reproduction import universality
from memsim.reproduction.settings import Reproduction
from memsim.reproduction.side_by_side import side_by_side
from memsim.reproduction.universality import DEGREE, TARGETS, Fit, best_polynomial, fit_run, plan_fits, rms
from memsim.runs import training
from memsim.runs.prediction import evaluate

TARGET = {target.name: target for target in TARGETS}
NODES = 8


def fit_of(name, threshold, *, nodes=NODES, epochs=20, realisations=2):
    settings = Reproduction(figures=("universality",), fit_epochs=epochs, fit_realisations=realisations)
    config = universality.configuration(settings, TARGET[name], nodes, threshold)
    return Fit(TARGET[name], nodes, threshold, config)


def fitted(*arguments, **settings):
    return fit_run(fit_of(*arguments, **settings), lambda *_: training.NoProgress())


# The targets and the floor


def test_samples_are_the_functions_on_midpoints():
    x = TARGET["sine"].data.inputs[:, 0]
    assert (x[0], x[-1], len(x)) == (-1 + 1 / 64, 1 - 1 / 64, 64)
    assert np.allclose(TARGET["sine"].data.targets[:, 0], 0.8 * np.sin(np.pi * x))
    assert np.array_equal(TARGET["abs"].data.targets[:, 0], np.abs(x))
    assert set(TARGET["step"].data.targets[:, 0]) == {-0.5, 0.5}
    plane = TARGET["plane"]
    x, y = plane.data.inputs.T
    assert len(x) == 144
    assert np.allclose(plane.data.targets, np.stack([0.8 * np.sin(np.pi * (x + y) / 2), np.abs(x - y) / 2], axis=1))
    assert plane.epochs(9) * 144 <= 9 * 64 < (plane.epochs(9) + 1) * 144


def test_the_best_quartic_leaves_these_errors():
    """Those of the sine and of abs(x) over the whole interval, by Legendre's polynomials, are 0.0531 and 0.0361."""
    assert TARGET["sine"].floor == pytest.approx(0.0527, abs=1e-4)
    assert TARGET["abs"].floor == pytest.approx(0.0359, abs=1e-4)
    assert TARGET["step"].floor == pytest.approx(0.1873, abs=1e-4)


@pytest.mark.parametrize("inputs", [1, 2])
def test_a_polynomial_is_its_own_best_one(inputs):
    points = np.random.default_rng(3).uniform(-1, 1, (60, inputs))
    values = np.stack([(points.sum(axis=1) - 0.3) ** DEGREE, points[:, 0]], axis=1)
    assert np.abs(best_polynomial(points, values) - values).max() < 1e-12
    fifth = points[:, :1] ** 5
    assert np.abs(best_polynomial(points, fifth) - fifth).max() > 1e-3


def test_one_output_node_cannot_be_every_quartic():
    """Without a threshold its output is p (1 - c w_b) - c kappa p^2 of a quadratic p, which is best at 0.098 (sine)."""
    optimize = pytest.importorskip("scipy.optimize")
    x, values = TARGET["sine"].data.inputs[:, 0], TARGET["sine"].data.targets[:, 0]
    contrast, drift = 0.99 / 1.01, 0.28
    rng = np.random.default_rng(0)

    def errors(at):
        p = at[0] + at[1] * x + at[2] * x**2
        return p * (1.0 - contrast * at[3]) - contrast * drift * p**2 - values

    limits = (np.array([-9.0, -9.0, -9.0, -0.1]), np.array([9.0, 9.0, 9.0, 0.1]))
    starts = np.hstack([rng.normal(0.0, 2.0, (30, 3)), np.zeros((30, 1))])
    best = min(np.sqrt(np.mean(optimize.least_squares(errors, at, bounds=limits).fun ** 2)) for at in starts)
    assert best == pytest.approx(0.0982, abs=1e-4)


# The networks


def test_every_size_is_fitted_both_ways():
    fits = plan_fits(Reproduction(figures=("universality",)))
    assert len(fits) == len({fit.name for fit in fits}) == 2 * 4 * 6
    assert plan_fits(Reproduction()) == []
    assert all(a.nodes >= b.nodes for a, b in pairwise(fits))
    for fit in fits:
        assert fit.config.network.layers == (fit.target.inputs, fit.nodes, fit.target.data.targets.shape[1])
        assert fit.config.network.constant_input
        assert (fit.config.devices.node.threshold > 0) == fit.threshold


def test_the_threshold_is_a_share_of_the_current_that_stands_for_1():
    fit = fit_of("abs", True)
    node, time, network = fit.config.devices.node, fit.config.time, fit.config.network
    unit = (
        network.node_drift * 0.5 * node.thickness / (node.mobility * node.r_on / node.thickness * time.read * time.dt)
    )
    assert node.threshold == pytest.approx(TARGET["abs"].threshold * unit, rel=1e-12)


@pytest.mark.parametrize("name", ["sine", "plane"])
def test_without_a_threshold_a_network_is_a_polynomial_of_degree_4(name):
    """And it has all of that degree: the best cubic leaves more than rounding."""
    fit = fit_of(name, False)
    with training.run(fit.config, fit.target.data) as done:
        outputs = evaluate(done, fit.target.grid(2)).outputs
    for realisation in np.moveaxis(outputs, 2, 0):
        grid = fit.target.grid(2)
        assert np.abs(best_polynomial(grid, realisation) - realisation).max() < 1e-9
        assert np.abs(best_polynomial(grid, realisation, DEGREE - 1) - realisation).max() > 1e-6


def test_with_a_threshold_it_is_none():
    fit = fit_of("sine", True)
    with training.run(fit.config, fit.target.data) as done:
        outputs = evaluate(done, fit.target.grid(2)).outputs
    for realisation in np.moveaxis(outputs, 2, 0):
        assert np.abs(best_polynomial(fit.target.grid(2), realisation, 8) - realisation).max() > 1e-3


def test_errors_are_of_the_outputs_after_the_training():
    run = fitted("abs", True)
    fit = run.fit
    with training.run(fit.config, fit.target.data) as done:
        outputs = evaluate(done, fit.target.data.inputs).outputs
    errors = np.sqrt(np.mean((outputs[:, 0] - fit.target.data.targets) ** 2, axis=0))
    assert run.error == pytest.approx(errors, rel=1e-12)
    assert run.median == pytest.approx(np.mean(errors), rel=1e-12)
    assert run.outputs.shape == (256, 1)
    best = rms(run.outputs[:, :, None] - fit.target.values(fit.target.grid(4))[:, :, None])
    assert best == pytest.approx(errors.min(), rel=0.02)
    assert run.bounds_in_read.tolist() == [0, 0]


def test_a_node_that_meets_a_bound_is_counted_in_its_realisation():
    fit = fit_of("abs", False, epochs=2)
    network = fit.config.network.model_copy(update={"node_drift": 0.95})
    wild = dataclasses.replace(fit, config=fit.config.model_copy(update={"network": network}))
    run = fit_run(wild, lambda *_: training.NoProgress())
    assert run.bounds_in_read.shape == (2,)
    assert run.bounds_in_read.sum() == sum(bank.counts["bounds_in_read"] for bank in run.margins) > 0


# Side by side


def test_tasks_side_by_side_keep_their_order():
    tasks = {name: lambda stop, name=name: (name, stop.is_set()) for name in "cab"}
    assert list(side_by_side(tasks, 2).items()) == [(name, (name, False)) for name in "cab"]


def test_a_task_that_fails_stops_the_others():
    waiting = threading.Event()

    def fails(stop):
        waiting.wait(60.0)
        raise ValueError("no")

    def waits(stop):
        waiting.set()
        assert stop.wait(60.0)

    with pytest.raises(ValueError, match="no"):
        side_by_side({"fails": fails, "waits": waits, "never": waits}, 2)


# The figure


@pytest.mark.slow
@pytest.mark.parametrize(("name", "aim"), [("sine", 0.005), ("abs", 0.007)])
def test_24_nodes_with_a_threshold_reach_the_aim(name, aim):
    run = fitted(name, True, nodes=24, epochs=8000, realisations=8)
    assert run.error.min() < aim
    assert run.bounds_in_read[np.argmin(run.error)] == 0


@pytest.mark.slow
def test_24_nodes_without_a_threshold_stay_above_the_best_quartic():
    run = fitted("abs", False, nodes=24, epochs=8000, realisations=8)
    assert run.bounds_in_read.max() == 0
    assert run.fit.target.floor < run.error.min() < 1.05 * run.fit.target.floor
