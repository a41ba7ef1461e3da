"""Scratch memory on the stack: the tricks that make tiles fast, and nothing else.

A tile of states lives on the stack rather than in an array from ``np.empty``:
the compiler then knows that nothing else points there, drops its overlap checks
and vectorises the loop over the tile. With JIT switched off the same names give
plain arrays and tuples.
"""

import numpy as np
from numba import config, types
from numba.core import cgutils
from numba.extending import intrinsic, overload
from numba.np.arrayobj import make_array, populate_array
from numba.np.unsafe.ndarray import to_fixed_tuple

ALIGNMENT = 64


@intrinsic(prefer_literal=True)
def _stack_array(typing_context, rows, columns):
    if not (isinstance(rows, types.IntegerLiteral) and isinstance(columns, types.IntegerLiteral)):
        return None
    shape = rows.literal_value, columns.literal_value
    array_type = types.Array(types.float64, 2, "C")

    def generate(context, builder, signature, arguments):
        def number(value):
            return context.get_constant(types.intp, value)

        double = context.get_value_type(types.float64)
        memory = cgutils.alloca_once(builder, double, size=number(shape[0] * shape[1]))
        memory.align = ALIGNMENT
        array = make_array(array_type)(context, builder)
        populate_array(
            array,
            data=memory,
            shape=[number(length) for length in shape],
            strides=[number(8 * shape[1]), number(8)],
            itemsize=number(8),
            meminfo=None,
        )
        return array._getvalue()

    return array_type(rows, columns), generate


def _plain_array(rows, columns):
    return np.empty((rows, columns))


stack_array = _plain_array if getattr(config, "DISABLE_JIT", 0) else _stack_array
"""``stack_array(rows, columns)``: uninitialised float64 scratch; the shape is fixed at compile time."""


def fixed_tuple(values, length):
    """The first ``length`` values as a tuple, which the compiler keeps in registers."""
    return tuple(values[:length])


@overload(fixed_tuple, prefer_literal=True)
def _fixed_tuple(values, length):
    if not isinstance(length, types.IntegerLiteral):
        return None
    size = length.literal_value

    def convert(values, length):
        return to_fixed_tuple(values, size)

    return convert
