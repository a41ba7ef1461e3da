"""Records: what a kernel works on, handed to it as one pointer.

Numba passes a named tuple of arrays as hundreds of numbers, to every function
that takes it. A record is the same named tuple written out as words of eight
bytes, of each array a pointer and its lengths; compiled code takes the address
of its first word, and reads of it what it uses. The kinds of a record's fields
are those that its class declares, so that one compiled function serves all.

The memory that the pointers lead to belongs to the :class:`Packed` record, and
lives as long as that. Addresses belong to a process: none is ever stored, or
taken from a file.
"""

import ctypes
import functools
import struct
import typing
import weakref
from collections.abc import Callable
from typing import Annotated, Any, NamedTuple

import numpy as np
from llvmlite import ir
from numba import types
from numba.core.datamodel import models
from numba.core.errors import TypingError
from numba.core.typing.templates import AttributeTemplate
from numba.extending import infer_getattr, intrinsic, lower_getattr_generic, register_model
from numba.np.arrayobj import make_array, populate_array
from numba.np.numpy_support import from_dtype

from .compiling import JIT, Kernel, function_at

# Kinds of fields beside int, float, bool and records: contiguous arrays, by their number of axes.
Line = Annotated[np.ndarray, np.float64, 1]
Sheet = Annotated[np.ndarray, np.float64, 2]
Cube = Annotated[np.ndarray, np.float64, 3]
Stack = Annotated[np.ndarray, np.float64, 4]
Integers = Annotated[np.ndarray, np.int64, 1]
Code = Annotated[np.ndarray, np.int64, 2]
Seeds = Annotated[np.ndarray, np.uint64, 1]
Order = Annotated[np.ndarray, np.uint32, 3]

_WORD = ir.IntType(64)
_NUMBERS = {int: types.int64, float: types.float64, bool: types.boolean}


class Field(NamedTuple):
    """A field of a record: its first word, and what it is: a record, a number, or an array (dtype, axes)."""

    first: int
    kind: Any
    axes: int

    @property
    def is_record(self) -> bool:
        """Whether it is a record itself, whose words lie within."""
        return hasattr(self.kind, "_fields")

    @property
    def words(self) -> int:
        """How many it has."""
        return sum(field.words for field in layout_of(self.kind).values()) if self.is_record else 1 + self.axes


@functools.cache
def layout_of(record: Any) -> dict[str, Field]:
    """The fields of a record's class, by name."""
    fields, first = {}, 0
    for name, hint in typing.get_type_hints(record, include_extras=True).items():
        is_array = typing.get_origin(hint) is Annotated
        _, kind, axes, *_ = typing.get_args(hint) if is_array else (None, hint, 0)  # counters say more
        fields[name] = Field(first, kind, axes)
        first += fields[name].words
    return fields


@functools.cache
def _packing_of(record: Any) -> list[tuple[str, Any, int, bool]]:
    """Of a record's fields: name, kind or dtype, axes, and whether it is a record itself."""
    return [
        (name, np.dtype(field.kind) if field.axes else field.kind, field.axes, field.is_record)
        for name, field in layout_of(record).items()
    ]


def _words_of(record: Any, known: dict[int, list[int]]) -> list[int]:
    words: list[int] = []
    for (name, kind, axes, is_record), value in zip(_packing_of(record.__class__), record, strict=True):
        if is_record:
            if id(value) not in known:
                known[id(value)] = _words_of(value, known)
            words += known[id(value)]
        elif axes:
            if value.dtype != kind or value.ndim != axes or not value.flags.c_contiguous:
                raise TypeError(
                    f"{type(record).__name__}.{name}: must be a contiguous array of {kind} with "
                    f"{axes} axes (got {value.dtype} with {value.ndim})"
                )
            words.append(value.__array_interface__["data"][0])
            words += value.shape
        else:
            words.append(_FLOAT_BITS.unpack(_FLOAT.pack(value))[0] if kind is float else int(value))
    return words


_FLOAT, _FLOAT_BITS = struct.Struct("=d"), struct.Struct("=q")


class Packed:
    """A record in memory for compiled code.

    It holds the record, and with it all arrays that its words point to, so that
    compiled code may use :attr:`address` as long as this object lives.

    Parameters
    ----------
    record : NamedTuple
        Of a class whose annotations are kinds of fields.
    known : dict, optional
        Words of records within records by their identity, to be looked up and
        added to: many operands hold the same bank. Whoever gives it keeps those
        records as long.
    """

    def __init__(self, record: Any, known: dict[int, list[int]] | None = None) -> None:
        self.record = record
        self._words = np.array(_words_of(record, {} if known is None else known), dtype=np.int64)
        self.address = int(self._words.__array_interface__["data"][0]) if JIT else id(self)
        if not JIT:
            _interpreted[id(self)] = self


_interpreted: weakref.WeakValueDictionary[int, Packed] = weakref.WeakValueDictionary()


# What compiled code sees of a record.


class RecordType(types.Type):
    """A pointer to a record of a class."""

    def __init__(self, record: Any) -> None:
        self.record = record
        super().__init__(f"Record({record.__module__}.{record.__qualname__})")


@register_model(RecordType)
class _RecordModel(models.PrimitiveModel):
    def __init__(self, manager, kind):
        super().__init__(manager, kind, _WORD.as_pointer())


@infer_getattr
class _RecordAttributes(AttributeTemplate):
    key = RecordType

    def generic_resolve(self, record, name):
        field = layout_of(record.record).get(name)
        if field is None:
            return None
        if field.is_record:
            return RecordType(field.kind)
        if field.axes:
            return types.Array(from_dtype(np.dtype(field.kind)), field.axes, "C")
        return _NUMBERS[field.kind]


def _word(builder, words, index):
    """A word of a record. Compiled code never changes one, so that it may be read ahead of a loop."""
    word = builder.load(builder.gep(words, [ir.Constant(_WORD, index)]))
    word.set_metadata("invariant.load", builder.module.add_metadata([]))
    return word


@lower_getattr_generic(RecordType)
def _read_field(context, builder, record, words, name):
    field = layout_of(record.record)[name]
    if field.is_record:
        return builder.gep(words, [ir.Constant(_WORD, field.first)])
    first = _word(builder, words, field.first)
    if field.axes:
        shape = [_word(builder, words, field.first + 1 + axis) for axis in range(field.axes)]
        return _array_at(context, builder, field, first, shape)
    if field.kind is float:
        return builder.bitcast(first, ir.DoubleType())
    return first if field.kind is int else builder.icmp_signed("!=", first, ir.Constant(_WORD, 0))


def _array_at(context, builder, field, address, shape):
    """A contiguous array at an address, which owns nothing."""
    kind = types.Array(from_dtype(np.dtype(field.kind)), field.axes, "C")
    itemsize = context.get_constant(types.intp, np.dtype(field.kind).itemsize)
    strides = [itemsize]
    for length in reversed(shape[1:]):
        strides.insert(0, builder.mul(strides[0], length))
    array = make_array(kind)(context, builder)
    data = builder.inttoptr(address, array.data.type)
    populate_array(array, data=data, shape=shape, strides=strides, itemsize=itemsize, meminfo=None)
    return array._getvalue()


# Calls by address.


def _call(address, arguments, values_of, result=types.int64):
    """The signature of a call by address that returns a number, and the code for it."""
    if address != types.int64:
        raise TypingError(f"must be an address (got {address})")
    whole = types.Integer, types.IntEnumMember
    kinds = [types.int64 if isinstance(kind, whole) else kind for kind in arguments]

    def generate(context, builder, signature, values):
        given = values_of(builder, values[1:])
        callee = ir.FunctionType(context.get_value_type(result), [value.type for value in given])
        return builder.call(builder.inttoptr(values[0], callee.as_pointer()), given)

    return result(address, *kinds), generate


@intrinsic
def _compiled_instruction(typing_context, address, operand, rows, step):
    return _call(
        address,
        (operand, rows, step),
        lambda builder, values: [builder.inttoptr(values[0], _WORD.as_pointer()), *values[1:]],
    )


@intrinsic
def _compiled_tile(typing_context, address, job, first, done, steps):
    return _call(address, (job, first, done, steps), lambda builder, values: values)


@intrinsic
def _compiled_step(typing_context, address, waveform):
    return _call(address, (waveform,), lambda builder, values: values)


@intrinsic
def _compiled_answer(typing_context, address, question, what, x, y):
    return _call(address, (question, what, x, y), lambda builder, values: values, types.float64)


@intrinsic
def _compiled_plain(typing_context, address):
    return _call(address, (), lambda builder, values: [], types.int32)


def _interpreted_instruction(address, operand, rows, step):
    return function_at(address)(_interpreted[int(operand)].record, rows, step)


def _interpreted_tile(address, job, first, done, steps):
    return function_at(address)(job, first, done, steps)


def _interpreted_step(address, waveform):
    return function_at(address)(waveform)


def _interpreted_answer(address, question, what, x, y):
    return function_at(address)(question, what, x, y)


call_instruction = _compiled_instruction if JIT else _interpreted_instruction
"""``call_instruction(address, operand, rows, step)``: with the operand's address; what the instruction returns."""

call_tile = _compiled_tile if JIT else _interpreted_tile
"""``call_tile(address, job, first, done, steps)``: what a model's tile function returns."""

call_step = _compiled_step if JIT else _interpreted_step
"""``call_step(address, waveform)``: what a model's function for a step of a waveform returns."""

call_plain = _compiled_plain if JIT else lambda address: 0
"""``call_plain(address)``: a function of the system's without arguments, what it returns."""

call_answer = _compiled_answer if JIT else _interpreted_answer
"""``call_answer(address, question, what, x, y)``: what a model answers, a float."""


def from_python(kernel: Kernel) -> Callable[..., int]:
    """A kernel for Python, without Python's lock while it runs; it takes packed records and integers."""
    if kernel.signature.return_type != types.int64:
        raise TypeError(f"{kernel.name}: must return an integer (got {kernel.signature.return_type})")
    if not JIT:
        return lambda *given: kernel.function(*[one.record if isinstance(one, Packed) else one for one in given])
    kinds = [
        ctypes.c_void_p if isinstance(kind, RecordType) else ctypes.c_int64 for kind in kernel.signature.args
    ]  # fmt: skip
    call = ctypes.CFUNCTYPE(ctypes.c_int64, *kinds)(kernel.address)

    def carry_out(*given: Any, kernel: Kernel = kernel) -> int:  # whose code lives as long as this
        return call(*[one.address if isinstance(one, Packed) else one for one in given])

    return carry_out
