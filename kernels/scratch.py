"""Memory tricks, all in one place: scratch on the stack, copies of a tile, and views without checks.

A tile of states lives on the stack rather than in an array from ``np.empty``:
the compiler then knows that nothing else points there, drops its overlap checks
and keeps a tile's loop in vector registers. A slice and a reshape of an array
each cost a dozen instructions, some of them divisions, to clip and compare
what the caller knows; the views below take a start and a shape as they are.
With JIT switched off the same names give plain arrays, slices and tuples.
"""

import math

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.errors import TypingError
from numba.extending import intrinsic
from numba.np.arrayobj import make_array, populate_array

from .compiling import JIT

ALIGNMENT = 64
VECTOR = 8  # numbers


def _populated(context, builder, array_type, data, shape):
    """An array of float64 that points to ``data``, in C order, and owns nothing."""
    array = make_array(array_type)(context, builder)
    strides = [context.get_constant(types.intp, 8)]
    for length in reversed(shape[1:]):
        strides.insert(0, builder.mul(strides[0], length))
    itemsize = context.get_constant(types.intp, 8)
    populate_array(array, data=data, shape=shape, strides=strides, itemsize=itemsize, meminfo=None)
    return array._getvalue()


def _stack_intrinsic(dimensions):
    """An intrinsic that makes scratch of a shape that is fixed at compile time."""

    def stack(typing_context, *lengths):
        if not all(isinstance(length, types.IntegerLiteral) for length in lengths):
            return None
        shape = [length.literal_value for length in lengths]
        array_type = types.Array(types.float64, dimensions, "C")

        def generate(context, builder, signature, arguments):
            numbers = [context.get_constant(types.intp, length) for length in shape]
            size = context.get_constant(types.intp, math.prod(shape))
            memory = cgutils.alloca_once(builder, context.get_value_type(types.float64), size=size)
            memory.align = ALIGNMENT
            return _populated(context, builder, array_type, memory, numbers)

        return array_type(*lengths), generate

    return stack


def _require(values, dimensions=None, *, written=False):
    """Refuse, while compiling, an array that the copies and views below would misread."""
    fits = isinstance(values, types.Array) and values.dtype == types.float64 and values.layout == "C"
    if not fits or values.ndim != (dimensions or values.ndim) or (written and not values.mutable):
        raise TypingError(f"must be a contiguous float64 array{', not read-only' if written else ''} (got {values})")


def _view_intrinsic(dimensions):
    """An intrinsic that makes a view of a part of a contiguous array."""

    def view(typing_context, values, first, *lengths):
        _require(values)
        array_type = types.Array(types.float64, dimensions, "C")

        def generate(context, builder, signature, arguments):
            source = make_array(signature.args[0])(context, builder, arguments[0])
            whole = [
                context.cast(builder, given, kind, types.intp)
                for given, kind in zip(arguments[1:], signature.args[1:], strict=True)
            ]
            data = builder.gep(source.data, [whole[0]])
            return _populated(context, builder, array_type, data, whole[1:])

        return array_type(values, first, *lengths), generate

    return view


def _copy(builder, target, source, count):
    cgutils.raw_memcpy(builder, target, source, count, 8, align=8)


def _copying(into_scratch):
    """The code of a copy between scratch and an array's elements from ``first`` on."""

    def generate(context, builder, signature, arguments):
        scratch, values = (make_array(signature.args[k])(context, builder, arguments[k]).data for k in (0, 1))
        first, length = (context.cast(builder, arguments[k], signature.args[k], types.intp) for k in (2, 3))
        part = builder.gep(values, [first])
        target, source = (scratch, part) if into_scratch else (part, scratch)
        known = signature.args[3]
        if isinstance(known, types.IntegerLiteral) and known.literal_value % VECTOR == 0:
            _copy_vectors(builder, target, source, known.literal_value)
        else:
            _copy(builder, target, source, length)
        return context.get_dummy_value()

    return generate


def _copy_vectors(builder, target, source, length):
    """Copy so many numbers in vectors: a copy of so many bytes would be a call, which takes as long as a step."""
    vector = ir.VectorType(ir.DoubleType(), VECTOR).as_pointer()
    for place in range(0, length, VECTOR):
        parts = [
            builder.bitcast(builder.gep(pointer, [ir.Constant(ir.IntType(64), place)]), vector)
            for pointer in (source, target)
        ]
        builder.store(builder.load(parts[0], align=8), parts[1], align=8)


# Numba wants the arguments by name.
_stack_1d, _stack_2d = _stack_intrinsic(1), _stack_intrinsic(2)
_view_1d, _view_2d, _view_3d = _view_intrinsic(1), _view_intrinsic(2), _view_intrinsic(3)


@intrinsic(prefer_literal=True)
def _stack_line(typing_context, length):
    return _stack_1d(typing_context, length)


@intrinsic(prefer_literal=True)
def _stack_array(typing_context, rows, columns):
    return _stack_2d(typing_context, rows, columns)


@intrinsic
def _compiled_align_stack(typing_context):
    def generate(context, builder, signature, arguments):
        vector = cgutils.alloca_once(builder, ir.ArrayType(ir.DoubleType(), 8))
        vector.align = ALIGNMENT
        builder.asm(ir.FunctionType(ir.VoidType(), [vector.type]), "", "r", [vector], side_effect=True)
        return context.get_dummy_value()

    return types.void(), generate


@intrinsic
def _compiled_unknown(typing_context, number):
    def generate(context, builder, signature, arguments):
        value = context.cast(builder, arguments[0], signature.args[0], types.intp)
        return builder.asm(ir.FunctionType(value.type, [value.type]), "", "=r,0", [value], side_effect=False)

    return types.intp(number), generate


@intrinsic(prefer_literal=True)
def _compiled_load(typing_context, scratch, values, first, length):
    _require(scratch, 1, written=True)
    _require(values)
    return types.void(scratch, values, first, length), _copying(into_scratch=True)


@intrinsic(prefer_literal=True)
def _compiled_store(typing_context, scratch, values, first, length):
    _require(scratch, 1)
    _require(values, None, written=True)
    return types.void(scratch, values, first, length), _copying(into_scratch=False)


@intrinsic
def _compiled_show(typing_context, tile, place, row, first, count):
    def generate(context, builder, signature, arguments):
        tile, row = (make_array(signature.args[k])(context, builder, arguments[k]).data for k in (0, 2))
        place, first, count = (context.cast(builder, arguments[k], signature.args[k], types.intp) for k in (1, 3, 4))
        _copy(builder, builder.gep(row, [first]), builder.gep(tile, [place]), count)
        return context.get_dummy_value()

    return types.void(tile, place, row, first, count), generate


@intrinsic(prefer_literal=True)
def _compiled_fetch(typing_context, values, first, length):
    _require(values)
    if not isinstance(length, types.IntegerLiteral):
        return None

    def generate(context, builder, signature, arguments):
        source = make_array(signature.args[0])(context, builder, arguments[0])
        first = context.cast(builder, arguments[1], signature.args[1], types.intp)
        byte = ir.IntType(8).as_pointer()
        kinds = ir.FunctionType(ir.VoidType(), [byte, *[ir.IntType(32)] * 3])
        fetch = builder.module.declare_intrinsic("llvm.prefetch", [byte], kinds)
        for place in range(0, signature.args[2].literal_value, VECTOR):
            where = builder.gep(source.data, [builder.add(first, ir.Constant(first.type, place))])
            builder.call(fetch, [builder.bitcast(where, byte), *(ir.Constant(ir.IntType(32), n) for n in (0, 3, 1))])
        return context.get_dummy_value()

    return types.void(values, first, length), generate


@intrinsic
def _line(typing_context, values, first, length):
    return _view_1d(typing_context, values, first, length)


@intrinsic
def _sheet(typing_context, values, first, rows, columns):
    return _view_2d(typing_context, values, first, rows, columns)


@intrinsic
def _cube(typing_context, values, first, layers, rows, columns):
    return _view_3d(typing_context, values, first, layers, rows, columns)


def _plain_scratch(*shape):
    return np.empty(shape)


def _plain_load(scratch, values, first, length):
    scratch[:length] = np.ravel(values)[first : first + length]


def _plain_store(scratch, values, first, length):
    np.ravel(values)[first : first + length] = np.ravel(scratch)[:length]


def _plain_show(tile, place, row, first, count):
    np.ravel(row)[first : first + count] = np.ravel(tile)[place : place + count]


def _plain_view(values, first, *shape):
    return np.ravel(values)[first : first + math.prod(shape)].reshape(shape)


stack_line = _stack_line if JIT else _plain_scratch
"""``stack_line(length)``: uninitialised float64 scratch; the length is fixed at compile time."""

stack_array = _stack_array if JIT else _plain_scratch
"""``stack_array(rows, columns)``: the same with two axes."""

align_stack = _compiled_align_stack if JIT else lambda: None
"""``align_stack()``: have what does not fit into registers lie at whole vectors, not across lines of the cache."""

unknown = _compiled_unknown if JIT else lambda number: number
"""``unknown(number)``: the number, as one that the compiler does not know.

A loop of few turns, with little in it, stays a loop that way, and becomes vector instructions; it
would else be unrolled before that."""

show = _compiled_show if JIT else _plain_show
"""``show(tile, place, row, first, count)``: elements of a tile into a row of the trace."""

load = _compiled_load if JIT else _plain_load
"""``load(scratch, values, first, length)``: fill scratch with so many of an array's elements, from ``first`` on."""

store = _compiled_store if JIT else _plain_store
"""``store(scratch, values, first, length)``: put so many numbers of scratch back into an array, from ``first`` on."""

fetch = _compiled_fetch if JIT else lambda values, first, length: None
"""``fetch(values, first, length)``: have so many of an array's elements on their way into the cache."""

line = _line if JIT else _plain_view
"""``line(values, first, length)``: a stretch of a contiguous float64 array, counted flat, as (length,)."""

sheet = _sheet if JIT else _plain_view
"""``sheet(values, first, rows, columns)``: a stretch as (rows, columns)."""

cube = _cube if JIT else _plain_view
"""``cube(values, first, layers, rows, columns)``: a stretch as (layers, rows, columns)."""


def _plain_tuple(values, length):
    return tuple(values[:length])


@intrinsic(prefer_literal=True)
def _compiled_tuple(typing_context, values, length):
    if not isinstance(length, types.IntegerLiteral) or values.ndim != 1:
        return None
    size = length.literal_value
    kind = types.UniTuple(values.dtype, size)

    def generate(context, builder, signature, arguments):
        array = make_array(signature.args[0])(context, builder, arguments[0])
        stride = builder.extract_value(array.strides, 0)
        first = builder.ptrtoint(array.data, stride.type)
        numbers = []
        for k in range(size):
            place = builder.add(first, builder.mul(stride, context.get_constant(types.intp, k)))
            numbers.append(builder.load(builder.inttoptr(place, array.data.type)))
        return context.make_tuple(builder, kind, numbers)

    return kind(values, length), generate


fixed_tuple = _compiled_tuple if JIT else _plain_tuple
"""``fixed_tuple(values, length)``: the first values of an array as a tuple, which the compiler keeps in registers."""
