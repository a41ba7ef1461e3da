"""Wilson's interval, beside its closed forms, its definition, and SciPy's."""

import math

import pytest

from memsim.proportions import interval, proportion, wilson

Z = 1.959963984540054  # the normal distribution is within this of its mean with 95 %


@pytest.mark.parametrize("trials", [1, 2, 10, 100, 1000])
def test_where_all_draws_agree_one_end_is_closed(trials):
    beyond = Z**2 / (trials + Z**2)
    assert wilson(trials, trials) == (pytest.approx(1.0 - beyond, rel=1e-12), 1.0)
    assert wilson(0, trials) == (0.0, pytest.approx(beyond, rel=1e-12))


@pytest.mark.parametrize(("successes", "trials"), [(1, 2), (3, 7), (45, 50), (985, 1000)])
def test_the_ends_are_z_standard_deviations_from_what_was_seen(successes, trials):
    """Its definition: the rates p with (share - p)² = z² p (1 - p) / trials."""
    for end in wilson(successes, trials):
        assert abs(successes / trials - end) == pytest.approx(Z * math.sqrt(end * (1.0 - end) / trials), rel=1e-9)


@pytest.mark.parametrize(("successes", "trials"), [(0, 5), (1, 9), (97, 100), (400, 400)])
@pytest.mark.parametrize("confidence", [0.5, 0.95, 0.999])
def test_it_is_scipys(successes, trials, confidence):
    stats = pytest.importorskip("scipy.stats")
    expected = stats.binomtest(successes, trials).proportion_ci(confidence, method="wilson")
    assert wilson(successes, trials, confidence) == pytest.approx((expected.low, expected.high), rel=1e-9, abs=1e-12)


@pytest.mark.parametrize(("successes", "trials"), [(0, 0), (3, 2), (-1, 4)])
def test_what_is_no_proportion_is_refused(successes, trials):
    with pytest.raises(ValueError, match="successes must be from 0 to trials"):
        wilson(successes, trials)


def test_it_is_shown_in_per_cent():
    assert interval(985, 1000) == "97.5 to 99.1 %"
    assert interval(399, 400) == "98.6 to 99.96 %"
    assert interval(0, 400) == "0 to 0.951 %"
    assert proportion(985, 1000) == "985 of 1,000 (97.5 to 99.1 %)"
    assert proportion(100, 100) == "100 of 100 (96.3 to 100 %)"
