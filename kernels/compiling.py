"""The one place that compiles: decorators, kernels that are called by address, and the compiler's switches.

Two things about Numba's caches shape this module. They let two processes compile
the same function side by side, so each function has a lock. And they miss
closures and functions passed as arguments, so a kernel that is special to a
device model is a *copy* of a template function, under a name of its own, with
the model's functions among its globals.
"""

import contextlib
import gc
import hashlib
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import filelock
import llvmlite.binding
import numba
from numba import config
from numba.core.ccallback import CFunc
from numba.core.compiler_lock import global_compiler_lock

from .disk_cache import cache_of, locked

JIT = not config.DISABLE_JIT
# No fastmath and no fused multiply-add: the same bits everywhere. No reference counts: kernels allocate nothing.
_SWITCHES = {"fastmath": False, "error_model": "numpy", "_nrt": False}


@contextlib.contextmanager
def _no_collection() -> Iterator[None]:
    """Leave garbage alone: a compiler makes millions of objects, and looking through them takes a fifth of its time."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


@contextlib.contextmanager
def _alone(function: Any, *, wait: bool = True) -> Iterator[None]:
    """Let one process at a time compile a function.

    The lock of the process's own compiler comes first. A thread that held a
    function's lock and waited for the compiler could otherwise meet another that
    has the compiler and waits for the function.

    Raises
    ------
    filelock.Timeout
        Another process compiles it, and ``wait`` is false.
    """
    with global_compiler_lock, locked(function, wait=wait), _no_collection():
        yield


@contextlib.contextmanager
def _interleaving(vectors: int) -> Iterator[None]:
    """Have loops work on so many vectors side by side; 0 leaves it to the compiler. Under the compiler's lock alone.

    Each operation of an exponential waits for the one before it: of several vectors, one works while others wait
    (``memsim bench tricks``). The compiler mostly takes one vector of so long a loop at a time.
    """
    if vectors:
        llvmlite.binding.set_option("memsim", f"-force-vector-interleave={vectors}")
    try:
        yield
    finally:
        if vectors:
            llvmlite.binding.set_option("memsim", "-force-vector-interleave=0")


# Functions that Python calls, or that compiled code has in its own.


def compiled(function, **options):
    """Compile a function that Python calls, without Python's lock while it runs; it is kept on the disk."""
    dispatcher = numba.njit(function, nogil=True, **_SWITCHES, **options)
    cache = cache_of(function) if JIT else None
    if cache is None:
        return dispatcher
    compile_now, dispatcher._cache = dispatcher.compile, cache

    def compile_or_wait(signature):
        with _alone(function):
            return compile_now(signature)

    dispatcher.compile = compile_or_wait
    return dispatcher


def elementwise(function):
    """Compile a function of one element's numbers, without loops, that Python and compiled code call.

    It is always part of the loop that calls it, which else would not become
    vector instructions.
    """
    return compiled(function, forceinline=True)


# Python cannot call what follows, and the disk keeps it as part of its callers alone: half the work for the compiler.


def merged(function):
    """Compile device physics: as :func:`elementwise`, for compiled code alone."""
    return _part(function, forceinline=True)


def part(function):
    """Compile a function for other compiled ones, which call it."""
    return _part(function)


def inlined(function):
    """Compile a small function into its callers, before they are optimised; the only kind that may return a view."""
    return numba.njit(function, inline="always", nogil=True, **_SWITCHES)


def _part(function, **options):
    return numba.njit(function, no_cpython_wrapper=True, no_cfunc_wrapper=True, nogil=True, **_SWITCHES, **options)


def plain(function):
    """Leave a function to the interpreter, or to whatever compiles it as a part of something else."""
    return function


def file_digest(*functions) -> str:
    """Digest of functions from outside this package, and of what they use; empty where there are none.

    It goes into the names of kernels that such functions are compiled into: an
    edit in a user's file, or in one that its functions take helpers or constants
    from, then compiles them anew, and two models that share a key stay apart.
    """
    own = Path(__file__).resolve().parent
    outside = [f for f in functions if f is not None and own not in Path(f.__code__.co_filename).resolve().parents]
    if not outside:
        return ""
    digest = hashlib.sha256()
    for function in outside:
        _digest_code(function, digest, set())
    return digest.hexdigest()[:16]


def _digest_code(function: Any, digest: Any, seen: set[int]) -> None:
    """Add a function to a digest, with the files and the numbers that it uses; of helpers without a file their code."""
    code = function.__code__
    seen.add(id(code))
    digest.update(f"{function.__module__} {function.__qualname__} {code.co_consts}".encode())
    digest.update(code.co_code)
    used = [function, *(function.__globals__.get(name) for name in code.co_names)]
    for path in sorted({str(_file_of(thing)) for thing in used}):
        digest.update(Path(path).read_bytes() if Path(path).is_file() else b"")
    digest.update(repr([thing for thing in used if isinstance(thing, int | float)]).encode())
    for thing in (getattr(thing, "py_func", thing) for thing in used):
        typed = isinstance(thing, types.FunctionType) and not Path(thing.__code__.co_filename).is_file()
        if typed and id(thing.__code__) not in seen:
            _digest_code(thing, digest, seen)


def _file_of(thing: Any) -> str:
    """The file that a function, a compiled function or a module lies in; empty for anything else."""
    thing = getattr(thing, "py_func", thing)
    code = getattr(thing, "__code__", None)
    return str(code.co_filename if code is not None else getattr(thing, "__file__", None) or "")


def specialise(template: Any, name: str, *, compiler=compiled, **bindings):
    """Compile a copy of a template with some of its globals bound: device physics, or the width of a tile.

    Parameters
    ----------
    template : function
        A plain function that uses names which its module only declares.
    name : str
        The copy's name. It is the key of the disk cache: two copies that
        differ in any binding must have different names.
    **bindings
        What the template's open names stand for: compiled functions or
        numbers.
    compiler : function
        :func:`compiled` or one of those that follow it.
    """
    copy = types.FunctionType(template.__code__, {**template.__globals__, **bindings}, name)
    copy.__qualname__ = name
    copy.__module__ = template.__module__
    copy.__doc__ = template.__doc__
    return compiler(copy)


# Functions that compiled code calls by their address.


class _NotCachedError(Exception):
    """The disk has no compiled code of a kernel."""


class Kernel:
    """A function that compiled code calls by its address: compiled on its own, once for all who call it.

    Its arguments and its result are of fixed types, so that no caller has to be
    compiled for it. Nothing is compiled before :meth:`load` or :meth:`compile`
    is called, or :attr:`address` asked for.

    Parameters
    ----------
    function : function
        Its name is the key of the disk cache.
    signature : numba signature
        Of the result and the arguments.
    interleave : int
        Vectors that its loops work on side by side; 0 leaves it to the compiler. It changes no bit.
    """

    def __init__(self, function: Any, signature: Any, *, interleave: int = 0) -> None:
        self.function = function
        self.signature = signature
        self.interleave = interleave
        self._code: Any = None

    @property
    def name(self) -> str:
        """The function's name."""
        return str(self.function.__name__)

    @property
    def ready(self) -> bool:
        """Whether its code is in memory."""
        return not JIT or self._code is not None

    @property
    def was_on_disk(self) -> bool:
        """Whether its code, which is in memory, came from the disk."""
        return self._code is not None and self._code.cache_hits > 0

    def load(self) -> bool:
        """Take the code from the disk; whether it was there."""

        def give_up():
            raise _NotCachedError

        with global_compiler_lock:  # of two threads one makes the code: it is never replaced, as long as this lives
            if not self.ready:
                code = self._new()
                code._compile_uncached = give_up
                with contextlib.suppress(_NotCachedError):
                    code.compile()
                    self._code = code
        return self.ready

    def compile(self, *, wait: bool = True) -> bool:
        """Compile the function; whether its code is in memory then.

        Parameters
        ----------
        wait : bool
            Where another process compiles it: wait for that, or leave it.
        """
        if self.ready:
            return True
        with contextlib.suppress(filelock.Timeout), _alone(self.function, wait=wait):
            if not self.ready:
                code = self._new()
                with _interleaving(self.interleave):
                    code.compile()
                self._code = code
        return self.ready

    def _new(self) -> Any:
        code: Any = CFunc(self.function, (self.signature.args, self.signature.return_type), {}, dict(_SWITCHES))
        code._cache = cache_of(self.function) or code._cache
        return code

    @property
    def address(self) -> int:
        """Where its code lies in memory; with the compiler switched off a number that stands for the function."""
        if not JIT:
            _interpreted[id(self.function)] = self.function
            return id(self.function)
        self.compile()
        return int(self._code.address)

    @property
    def code_bytes(self) -> int:
        """The size of its machine code, with all that it has in its own, in bytes; not known of code from the disk."""
        self.compile()
        return len(self._code._library._get_compiled_object())


_interpreted: dict[int, Any] = {}


def function_at(address: int) -> Any:
    """The function that an address stands for, with the compiler switched off."""
    return _interpreted[int(address)]
