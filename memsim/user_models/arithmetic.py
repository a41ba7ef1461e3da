"""``min`` and ``max`` of two numbers, as Python takes them: the first, unless the second is beyond it."""

from ..kernels.compiling import elementwise


@elementwise
def smaller(a, b):  # type: ignore[no-untyped-def]
    """``min(a, b)``."""
    return b if b < a else a


@elementwise
def larger(a, b):  # type: ignore[no-untyped-def]
    """``max(a, b)``."""
    return b if b > a else a
