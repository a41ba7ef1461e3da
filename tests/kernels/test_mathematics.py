"""Elementary functions: their error, their limits, and the same bits however they are run."""

import decimal
import math

import naive
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from memsim.kernels import mathematics
from memsim.kernels.mathematics import (
    exponential,
    hyperbolic_sine,
    hyperbolic_tangent,
    inverse_hyperbolic_sine,
    logarithm_of_one_plus,
    logistic,
    power,
)

TWINS = [
    (exponential, naive.exponential),
    (logistic, naive.logistic),
    (hyperbolic_tangent, naive.hyperbolic_tangent),
    (hyperbolic_sine, naive.hyperbolic_sine),
    (inverse_hyperbolic_sine, naive.inverse_hyperbolic_sine),
]
names = pytest.mark.parametrize(("compiled", "twin"), TWINS, ids=lambda function: function.__name__)


def true_exponential(x):
    """e**x to 50 digits."""
    with decimal.localcontext(decimal.Context(prec=50)):
        return decimal.Decimal(x).exp()


def relative_error(value, truth):
    """Relative error of a float against a Decimal."""
    with decimal.localcontext(decimal.Context(prec=50)):
        return abs(float(decimal.Decimal(float(value)) / truth - 1))


def samples():
    """Numbers over the whole range, near 0, and around the points where the multiple of ln 2 changes."""
    rng = np.random.default_rng(1)
    boundaries = (np.arange(-1009, 1009) + 0.5) * math.log(2.0)
    return np.concatenate([rng.uniform(-700.0, 700.0, 2000), rng.normal(0.0, 1.0, 1000), boundaries, [0.0, -0.0]])


@names
def test_same_bits_compiled_and_plain_and_naive(compiled, twin):
    source = naive.plain(compiled)
    for x in samples():
        expected = naive.bits(twin(float(x)))
        assert naive.bits(compiled(x)) == expected
        assert naive.bits(source(float(x))) == expected


@names
@given(x=st.floats(-1e4, 1e4))
def test_same_bits_for_any_argument(compiled, twin, x):
    assert naive.bits(compiled(x)) == naive.bits(twin(x))


def test_exponential_is_right_to_2e_16_of_its_value():
    # The largest error in 271000 arguments, half of them around the multiples of ln 2, was 1.74e-16.
    worst = max(relative_error(exponential(x), true_exponential(float(x))) for x in samples())
    assert worst < 2e-16


def test_exponential_agrees_with_the_c_library_to_the_last_bit_but_one():
    for x in samples():
        assert exponential(x) == pytest.approx(math.exp(x), rel=2.3e-16, abs=0.0)


def test_exponential_never_falls_where_its_multiple_of_ln_2_changes():
    for k in range(-1000, 1001, 7):
        x = (k + 0.5) * math.log(2.0)
        for _ in range(10):
            x = math.nextafter(x, -math.inf)
        values = []
        for _ in range(20):
            values.append(exponential(x))
            x = math.nextafter(x, math.inf)
        assert values == sorted(values)


def test_exponential_is_exact_at_zero_and_stays_finite_beyond_its_range():
    assert exponential(0.0) == 1.0
    assert exponential(709.0) == exponential(708.0) == exponential(math.inf)
    assert exponential(-709.0) == exponential(-708.0) == exponential(-math.inf)
    assert 0.0 < exponential(-math.inf) < 1e-307
    assert 1e307 < exponential(math.inf) < math.inf


@given(x=st.floats(-700.0, 700.0), y=st.floats(-700.0, 700.0))
def test_exponential_is_monotone(x, y):
    assert (x <= y) <= (exponential(x) <= exponential(y))


def test_logistic_goes_from_zero_to_one():
    assert logistic(0.0) == 0.5
    assert 0.0 < logistic(-math.inf) < 1e-307
    assert logistic(math.inf) == 1.0


@given(x=st.floats(-36.0, 36.0))
def test_logistic_lies_between_zero_and_one_and_is_symmetric(x):
    assert 0.0 < logistic(x) < 1.0
    assert logistic(x) + logistic(-x) == pytest.approx(1.0, abs=3e-16)


def test_hyperbolic_tangent_goes_from_minus_one_to_one():
    assert hyperbolic_tangent(0.0) == 0.0
    assert hyperbolic_tangent(-math.inf) == -1.0
    assert hyperbolic_tangent(math.inf) == 1.0


@given(x=st.floats(-50.0, 50.0))
def test_hyperbolic_tangent_is_right_to_an_absolute_error(x):
    assert -1.0 <= hyperbolic_tangent(x) <= 1.0
    assert hyperbolic_tangent(x) == pytest.approx(math.tanh(x), abs=4e-16)


def sizes():
    """Numbers above 0 of all sizes, and around the points where a logarithm's exponent changes."""
    rng = np.random.default_rng(2)
    edges = np.ldexp(1.0, np.arange(-40, 300, 3)) * math.sqrt(2.0) - 1.0
    around = np.concatenate([np.nextafter(edges, 0.0), edges, np.nextafter(edges, np.inf)])
    return np.concatenate([10.0 ** rng.uniform(-300.0, 300.0, 1000), rng.uniform(0.0, 4.0, 1000), around[around > 0.0]])


def test_the_logarithm_of_one_plus_has_the_same_bits_compiled_and_plain_and_naive():
    source = naive.plain(logarithm_of_one_plus)
    for x in [*sizes().tolist(), 0.0]:
        expected = naive.bits(naive.logarithm_of_one_plus(x))
        assert naive.bits(logarithm_of_one_plus(x)) == naive.bits(source(x)) == expected
    assert logarithm_of_one_plus(0.0) == 0.0


def test_the_logarithm_of_one_plus_is_right_to_3e_16_of_its_value():
    with decimal.localcontext(decimal.Context(prec=700)):
        for x in sizes().tolist():
            truth = (decimal.Decimal(x) + 1).ln(decimal.Context(prec=50)) if x > 1e-30 else decimal.Decimal(x)
            assert relative_error(logarithm_of_one_plus(x), truth) < 3e-16, x


def test_the_inverse_hyperbolic_sine_is_right_to_4e_16_of_its_value_odd_and_exact_at_zero():
    for x in sizes().tolist():
        with decimal.localcontext(decimal.Context(prec=80)):
            exact = decimal.Decimal(x)
            truth = (exact + (exact * exact + 1).sqrt()).ln() if x > 1e-30 else exact
        assert relative_error(inverse_hyperbolic_sine(x), truth) < 4e-16, x
        assert inverse_hyperbolic_sine(-x) == -inverse_hyperbolic_sine(x)
    assert inverse_hyperbolic_sine(0.0) == 0.0


def test_the_hyperbolic_sine_is_right_to_4e_16_of_its_value_odd_and_exact_at_zero():
    for x in [*np.abs(samples()[:3000]).tolist(), *(10.0 ** np.linspace(-300.0, 2.8, 400)).tolist()]:
        with decimal.localcontext(decimal.Context(prec=80)):
            exact = decimal.Decimal(x)
            truth = (exact.exp() - (-exact).exp()) / 2 if x > 1e-30 else exact
        if x > 0.0:
            assert relative_error(hyperbolic_sine(x), truth) < 4e-16, x
        assert hyperbolic_sine(-x) == -hyperbolic_sine(x)
    assert hyperbolic_sine(0.0) == 0.0
    assert hyperbolic_sine(1e4) == hyperbolic_sine(708.0) < math.inf


@given(x=st.floats(-30.0, 30.0))
def test_the_inverse_hyperbolic_sine_undoes_the_hyperbolic_sine(x):
    assert inverse_hyperbolic_sine(hyperbolic_sine(x)) == pytest.approx(x, rel=1e-14, abs=0.0)


def test_ln_2_is_split_so_that_its_multiples_are_exact():
    # Cody and Waite: the high part's last 21 bits are 0, so power * high is exact for |power| < 2**21.
    high = mathematics._LN2_HIGH
    assert int(naive.bits(high)) % (1 << 21) == 0
    assert high + mathematics._LN2_LOW == pytest.approx(math.log(2.0), rel=1e-16, abs=0.0)


@pytest.mark.parametrize("exponent", range(16))
def test_powers_are_exact_for_integers_and_right_for_others(exponent):
    for x in (-3.0, 0.0, 2.0, 5.0):
        assert power(x, exponent) == naive.plain(power)(x, exponent) == x**exponent
    assert power(0.7, exponent) == pytest.approx(0.7**exponent, rel=2e-15)
