"""Verdicts on the paper's claims: each of the three, from numbers that give it; and where the report says them."""

from dataclasses import dataclass

import numpy as np
import pytest

from memsim.reproduction import verdicts
from memsim.reproduction.gate_rates import MULTI, OTHER, SINGLE
from memsim.reproduction.learning_curves import LearningCurves
from memsim.reproduction.runs import RatePoint
from memsim.reproduction.verdicts import speeds

HOLDS, PART, NOT = "holds", "in part", "does not hold"


@dataclass
class Curves(LearningCurves):
    """Total errors, (epochs, realisations)."""

    total_error: np.ndarray


@dataclass
class Rates:
    """Points of one threshold after another: false and true positive rates of each realisation."""

    rates: dict


def curves(*epochs):
    return Curves(np.array(epochs, dtype=float))


def rates(*points):
    return Rates({number: RatePoint(np.array(false), np.array(true)) for number, (false, true) in enumerate(points)})


@pytest.mark.parametrize(
    ("last", "approaches", "stays"),
    [((0.0, 0.09), HOLDS, NOT), ((0.09, 0.1), PART, PART), ((0.1, 12.0), NOT, HOLDS)],
)
def test_an_error_approaches_0_where_all_realisations_learn(last, approaches, stays):
    run = curves((20.0, 20.0), last)
    assert (verdicts.approaches_zero(run), verdicts.stays_up(run)) == (approaches, stays)


@pytest.mark.parametrize(
    ("second", "last", "verdict"),
    [
        ((0.01, 0.02), (0.0, 0.0), HOLDS),
        ((0.01, 0.2), (0.0, 0.0), PART),  # one of them later
        ((0.2, 0.2), (0.0, 0.0), PART),  # all of them later
        ((0.2, 0.2), (0.0, 5.0), PART),
        ((0.2, 0.2), (0.2, 0.2), NOT),
    ],
)
def test_an_error_falls_to_0_by_an_epoch(second, last, verdict):
    assert verdicts.falls_to_zero(curves((9.0, 9.0), second, last), 2) == verdict


@pytest.mark.parametrize(
    ("run", "verdict"),
    [(((9.0, 1.0), (1.0, 1.0)), HOLDS), (((9.0, 9.0), (0.0, 0.1)), PART), (((7.0, 7.0), (2.0, 2.0)), NOT)],
)
def test_faster_is_a_lower_mean_at_each_epoch(run, verdict):
    assert verdicts.learns_faster(curves(*run), curves((6.0, 8.0), (2.0, 2.0)), (1, 2)) == verdict


@pytest.mark.parametrize(
    ("points", "verdict"),
    [
        ([((0.0, 0.0), (1.0, 1.0)), ((0.0, 0.0), (1.0, 1.0))], HOLDS),
        ([((0.0, 0.0), (1.0, 0.9)), ((0.0, 0.0), (1.0, 1.0))], PART),
        ([((0.1, 0.0), (1.0, 0.9)), ((0.0, 0.2), (0.5, 1.0))], NOT),
    ],
)
def test_all_samples_are_classified_where_every_point_is_in_the_corner(points, verdict):
    assert verdicts.classifies(rates(*points)) == verdict


@pytest.mark.parametrize(
    ("points", "verdict"),
    [
        ([((0.0, 1.0), (0.1, 1.0)), ((0.5, 0.5), (0.45, 0.45))], HOLDS),
        ([((0.0, 1.0), (0.1, 1.0)), ((0.5, 0.5), (0.0, 0.0))], PART),  # it would be better the other way round
        ([((0.0, 0.0), (1.0, 1.0))], NOT),
    ],
)
def test_guessing_calls_both_classes_1_as_often(points, verdict):
    assert verdicts.guesses(rates(*points)) == verdict


def test_the_table_of_speeds_compares_each_perceptron_with_the_single_layer():
    slow, middle, fast = (curves((9.0,), (last,)) for last in (3.0, 2.0, 1.0))
    runs = {(SINGLE, "AND"): middle, (MULTI, "AND"): slow, (OTHER, "AND"): fast, (MULTI, "OR"): fast}
    runs |= {(SINGLE, "XOR"): slow, (MULTI, "XOR"): fast}
    assert speeds(runs, epochs=2)[2:] == [
        "| MLP AND | learns faster than the single layer | does not hold | 3, 2 |",
        "| MLP AND, searched | learns faster than the single layer | holds | 1, 2 |",
    ]
