"""Teams: threads that share the large banks of one block, and where they wait for each other.

Each member of a team carries out a program of its own over the same slots. In a
slot that is shared it takes its share of the rows; the first member alone
carries out all others. Between what one member writes and another one reads
lies a *meeting*, which nobody leaves before everybody has come.
"""

import ctypes
import functools
import platform
import sys
import time

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic
from numba.np.arrayobj import make_array

from .compiling import JIT, Kernel
from .operands import Meeting, instruction_on
from .records import call_plain
from .tiles import aligned

APART = 8  # numbers between those of two members: each has a line of the cache of its own
PATIENCE = 2000  # looks, after which a member that waits lets other threads run
_PAUSES: dict[str, tuple] = dict.fromkeys(("x86_64", "AMD64"), ("llvm.x86.sse2.pause",))
_PAUSES |= dict.fromkeys(("aarch64", "arm64"), ("llvm.aarch64.hint", 1))


def _place(context, builder, signature, arguments):
    """The address of a number of an array."""
    array = make_array(signature.args[0])(context, builder, arguments[0])
    return builder.gep(array.data, [context.cast(builder, arguments[1], signature.args[1], types.intp)])


@intrinsic
def _compiled_tell(typing_context, values, index, number):
    def generate(context, builder, signature, arguments):
        number = context.cast(builder, arguments[2], signature.args[2], types.int64)
        builder.store_atomic(number, _place(context, builder, signature, arguments), "release", 8)
        return context.get_dummy_value()

    return types.void(values, index, number), generate


@intrinsic
def _compiled_ask(typing_context, values, index):
    def generate(context, builder, signature, arguments):
        return builder.load_atomic(_place(context, builder, signature, arguments), "acquire", 8)

    return types.int64(values, index), generate


@intrinsic
def _compiled_pause(typing_context):
    def generate(context, builder, signature, arguments):
        for name, *numbers in [_PAUSES[platform.machine()]] if platform.machine() in _PAUSES else []:
            given = [ir.Constant(ir.IntType(32), number) for number in numbers]
            kind = ir.FunctionType(ir.VoidType(), [number.type for number in given])
            builder.call(cgutils.get_or_insert_function(builder.module, kind, name), given)
        return context.get_dummy_value()

    return types.void(), generate


def _plain_tell(values, index, number):
    values[index] = number


tell = _compiled_tell if JIT else _plain_tell
"""``tell(values, index, number)``: write a number after all that was written before it, as other threads see it."""

ask = _compiled_ask if JIT else lambda values, index: values[index]
"""``ask(values, index)``: a number that another thread may write, before all that is read after it."""

pause = _compiled_pause if JIT else lambda: time.sleep(0.0)
"""``pause()``: tell the processor that a thread is waiting."""


def meet(m, rows, step):
    """Wait until every member of the team has come here, or the team is broken up."""
    turn = ask(m.arrived, m.member * APART) + 1
    tell(m.arrived, m.member * APART, turn)
    for other in range(m.members):
        looks = 0
        while ask(m.arrived, other * APART) < turn:
            looks += 1
            if looks < PATIENCE:
                pause()
            elif ask(m.arrived, m.members * APART) == 0:
                call_plain(m.give_way)
            else:
                break
    return 0


MEET = Kernel(meet, instruction_on(Meeting))


@functools.cache
def give_way_address() -> int:
    """The address of the system's function by which a thread lets others run."""
    windows = sys.platform == "win32"
    library = ctypes.CDLL("kernel32" if windows else None)
    function = library.SwitchToThread if windows else library.sched_yield
    return int(ctypes.cast(function, ctypes.c_void_p).value or 0)


def new_meeting_place(members: int) -> np.ndarray:
    """How often each member has come to a meeting; behind these, whether the team is broken up."""
    return aligned((members + 1) * APART).view(np.int64)


def break_up(arrived: np.ndarray) -> None:
    """Let nobody wait any more: some member was not started, or failed."""
    arrived[-APART] = 1
