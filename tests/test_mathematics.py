"""Elementary functions: their error, their limits, and the same bits however they are run."""

import decimal
import math

import naive
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from memsim.kernels import mathematics
from memsim.kernels.mathematics import exponential, hyperbolic_tangent, logistic, power

TWINS = [
    (exponential, naive.exponential),
    (logistic, naive.logistic),
    (hyperbolic_tangent, naive.hyperbolic_tangent),
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
