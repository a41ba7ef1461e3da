"""The one place that compiles: the decorator, its switches, and the disk cache.

Three things about Numba's disk cache shape this module. It does not see an edit
in another file of the package, so the cache lives in a folder whose name is a
digest of every kernel's source. It lets two processes compile the same kernel
side by side, so each function has a lock there. And it misses closures and functions passed as
arguments, so a kernel that is special to a device model is a *copy* of a
template function, under a name of its own, with the model's functions among
its globals.
"""

import contextlib
import functools
import hashlib
import os
import threading
import types
from pathlib import Path
from typing import Any

import filelock
import numba
from numba.core.compiler_lock import global_compiler_lock

_CACHE_DIR_LOCK = threading.RLock()


@functools.cache
def source_digest() -> str:
    """Digest of the sources of all kernels (64 hexadecimal digits, SHA-256)."""
    folder = Path(__file__).resolve().parent
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*.py")):
        digest.update(path.relative_to(folder).as_posix().encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def cache_folder() -> Path:
    """Folder of the compiled kernels.

    It lies in ``MEMSIM_CACHE_DIR`` or ``NUMBA_CACHE_DIR`` where one of them is
    set, else in the user's cache folder.
    """
    chosen = os.environ.get("MEMSIM_CACHE_DIR") or os.environ.get("NUMBA_CACHE_DIR")
    base = Path(chosen) if chosen else Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "memsim"
    return base / f"kernels-{source_digest()[:16]}"


@contextlib.contextmanager
def _own_cache_folder():
    """Have Numba choose this package's cache folder, and leave other libraries theirs."""
    with _CACHE_DIR_LOCK:
        before = numba.config.CACHE_DIR
        numba.config.CACHE_DIR = str(cache_folder())
        try:
            yield
        finally:
            numba.config.CACHE_DIR = before


def _jit(function, **options):
    """Numba's compiler with a disk cache; without one for a function that lies in no file."""
    with _own_cache_folder():
        try:
            cached = numba.njit(function, cache=True, nogil=True, fastmath=False, error_model="numpy", **options)
        except RuntimeError as error:
            if "no locator" not in str(error):
                raise
            # No place to cache: defined at a prompt.
            return numba.njit(function, nogil=True, fastmath=False, error_model="numpy", **options)
    return cached if numba.config.DISABLE_JIT else _compiled_once(cached)


def _compiled_once(function):
    """Have one process at a time compile a function: one that waited takes it from the disk.

    The lock of the process's own compiler comes first. A thread that held a
    function's lock and waited for the compiler could otherwise meet another that
    has the compiler and waits for the function.
    """
    name = f"{function.__module__}.{function.__qualname__}.lock".replace("<", "").replace(">", "")
    lock = _lock_of(Path(function.stats.cache_path) / name)
    compile_now = function.compile

    def compile_or_wait(signature):
        with global_compiler_lock, lock:
            return compile_now(signature)

    function.compile = compile_or_wait
    return function


@functools.cache
def _lock_of(path: Path) -> filelock.BaseFileLock:
    """One lock for a path, which whoever holds it may take again: functions of one name may call each other."""
    return filelock.FileLock(path)


def compiled(function):
    """Compile a function with the switches that all kernels share.

    No fastmath and no fused multiply-add: the same bits everywhere. No Python
    lock while it runs, so that blocks of lanes run as threads. And no reference
    counts: kernels allocate nothing, and counting the arrays of a network in
    every call took more time than stepping them.
    """
    return _jit(function, _nrt=False)


def elementwise(function):
    """Compile a function of one element's numbers, without loops: device physics, elementary functions.

    It is always part of the loop that calls it, which else would not become
    vector instructions.
    """
    return _jit(function, _nrt=False, forceinline=True)


def merged(function):
    """Compile a function that is always part of its caller's code, after both have been optimised.

    What it has of loops stays as it was; no call with a hundred arguments is left.
    """
    return _jit(function, _nrt=False, forceinline=True)


def inlined(function):
    """Compile a small function into its callers; the only kind that may return a view."""
    return _jit(function, inline="always")


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
        code = function.__code__
        digest.update(f"{function.__module__} {function.__qualname__} {code.co_consts}".encode())
        digest.update(code.co_code)
        used = [function, *(function.__globals__.get(name) for name in code.co_names)]
        for path in sorted({str(_file_of(thing)) for thing in used}):
            digest.update(Path(path).read_bytes() if Path(path).is_file() else b"")
        digest.update(repr([thing for thing in used if isinstance(thing, int | float)]).encode())
    return digest.hexdigest()[:16]


def _file_of(thing: Any) -> str:
    """The file that a function, a compiled function or a module lies in; empty for anything else."""
    thing = getattr(thing, "py_func", thing)
    code = getattr(thing, "__code__", None)
    return str(code.co_filename if code is not None else getattr(thing, "__file__", None) or "")


def specialise(template: Any, name: str, *, compiler=compiled, **bindings):
    """Compile a copy of a template with some of its globals bound.

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
        :func:`compiled`, :func:`elementwise`, :func:`merged` or :func:`inlined`.
    """
    copy = types.FunctionType(template.__code__, {**template.__globals__, **bindings}, name)
    copy.__qualname__ = name
    copy.__module__ = template.__module__
    copy.__doc__ = template.__doc__
    return compiler(copy)
