"""Fused multiply-add: rounded once, with the same bits in plain Python and compiled."""

import math
from fractions import Fraction

import naive
import numba
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from memsim.kernels.fused import fma


@numba.njit
def compiled(a, b, c):
    return fma(a, b, c)


def rounded_once(a, b, c):
    return float(Fraction(a) * Fraction(b) + Fraction(c))


def hard_cases(count):
    """Numbers whose sum cancels all but the last places of the product, and others of all sizes."""
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((2, count)) * 10.0 ** rng.integers(-20, 20, (2, count))
    close = -a * b * (1 + rng.integers(-3, 4, count) * 2.0**-52)
    far = rng.standard_normal(count) * 10.0 ** rng.integers(-30, 30, count)
    return zip(a.tolist(), b.tolist(), np.where(rng.random(count) < 0.5, close, far).tolist(), strict=True)


def test_rounded_once_where_two_roundings_differ():
    twice = 0
    for a, b, c in hard_cases(4000):
        expected = rounded_once(a, b, c)
        assert fma(a, b, c) == compiled(a, b, c) == naive.fma(a, b, c) == expected
        twice += a * b + c != expected
    assert twice > 1000


@given(a=st.floats(), b=st.floats(), c=st.floats())
@example(a=0.0, b=-1.0, c=0.0)
@example(a=0.0, b=-1.0, c=-0.0)
@example(a=1e-200, b=1e-200, c=5e-324)
@example(a=1e-200, b=-1e-200, c=0.0)
@example(a=1e200, b=1e200, c=-math.inf)
@example(a=1e200, b=1e200, c=-1e308)
@example(a=2.0**512, b=2.0**512, c=-1.7e308)
@example(a=3.0, b=1e300, c=math.nan)
@example(a=3.0, b=1.0, c=-3.0)
def test_the_same_bits_for_any_numbers(a, b, c):
    values = [fma(a, b, c), compiled(a, b, c), naive.fma(a, b, c)]
    assert len({int(bits) for bits in naive.bits(values)}) == 1 or all(math.isnan(value) for value in values)


def test_the_compiler_takes_the_processors_instruction_or_the_c_library():
    assert "llvm.fma.f64" in "".join(compiled.inspect_llvm().values())
    compiled(1.0, 2.0, 3.0)
    text = "".join(compiled.inspect_asm().values())
    assert "fma" in text.lower() or "fmadd" in text.lower()


def test_integers_count_as_numbers():
    assert compiled(2, 3, 4) == pytest.approx(10.0, abs=0.0)
