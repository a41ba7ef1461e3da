"""The disk cache of compiled kernels: machine code, which is run only where it is whole, and this user's own.

Numba's disk cache does not see an edit in another file of the package, runs
whatever it finds, and where it may not write it takes another folder. This one
lies in a folder whose name is a digest of every kernel's source. Each file
begins with a digest of its content and of what it was compiled from, which is
checked before anything is unpickled: it is against damage. Against others there
are owners and rights: who may write there could have code run here. What cannot
be taken is compiled anew, and what cannot be kept is not; a warning says so.
"""

import contextlib
import functools
import hashlib
import os
import pickle
import shlex
import stat
import sys
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import filelock
import llvmlite
import numba
from numba.core.caching import NullCache
from numba.core.compiler import CompileResult
from numba.core.serialize import dumps

_PRIVATE = 0o700
_DIGEST_BYTES = 32
# Of whatever reads and writes compiled code.
_VERSIONS = numba.__version__, llvmlite.__version__, sys.implementation.cache_tag, getattr(sys, "abiflags", "")


class CacheWarning(UserWarning):
    """Compiled code that is not taken from the disk."""


class NotKeptWarning(CacheWarning):
    """Compiled code that is not kept on the disk."""


class RefusedError(OSError):
    """A folder that is not used; the message says why, and what to do."""


@functools.cache
def _warn_once(text: str, kind: type[CacheWarning]) -> None:
    warnings.warn(text, kind, stacklevel=2)


def warn_of(error: OSError) -> None:
    """Say that nothing is kept, and why; each reason once."""
    if isinstance(error, RefusedError):
        _warn_once(str(error), NotKeptWarning)
    else:
        _warn_once(
            f"{cache_folder()}: compiled kernels cannot be kept there: {error.strerror or error}; each process "
            f"compiles anew what is not there: set MEMSIM_CACHE_DIR to a folder that can be written to",
            NotKeptWarning,
        )


# The folder.


def source_digest(folder: Path) -> str:
    """Digest of the sources in a folder (64 hexadecimal digits, SHA-256)."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*.py")):
        digest.update(path.relative_to(folder).as_posix().encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


# Taken before any kernel is imported: an edit that comes later is not in what this process compiles.
_SOURCE_DIGEST = source_digest(Path(__file__).resolve().parent)


def cache_folder() -> Path:
    """Folder of the compiled kernels.

    It lies in ``MEMSIM_CACHE_DIR`` or ``NUMBA_CACHE_DIR`` where one of them is
    set, else in the user's cache folder.

    Raises
    ------
    RefusedError
        There is no home folder, or root has that of somebody else.
    """
    chosen = os.environ.get("MEMSIM_CACHE_DIR") or os.environ.get("NUMBA_CACHE_DIR")
    base = Path(chosen) if chosen else Path(os.environ.get("XDG_CACHE_HOME") or _home() / ".cache") / "memsim"
    return base / f"kernels-{_SOURCE_DIGEST[:16]}"


def _home() -> Path:
    try:
        home = Path.home()
    except RuntimeError:
        raise _refused("there is no home folder") from None
    if _user() == 0 and home.exists() and home.stat().st_uid != 0:
        raise _refused(f"{home}: belongs to somebody else (user {home.stat().st_uid})")
    return home


def _checked_folder() -> Path:
    """The folder of the compiled kernels, which nobody else may write to.

    Raises
    ------
    RefusedError
    OSError
        It is not there, or cannot be looked at.
    """
    folder = cache_folder()
    # In one like /tmp, which has the sticky bit, nobody takes away what is another's.
    for each, sticky in ((folder.parent, True), (folder, False)):
        about = each.stat()
        doubt = _doubt_of(about, sticky=sticky)
        if doubt:
            remedy = f"chmod go-w {shlex.quote(str(each))}, or " if about.st_uid == _user() else ""
            raise _refused(f"{each}: {doubt}", remedy)
    return folder


def _made_folder() -> Path:
    """The folder of the compiled kernels; where it is not there, it is made for this user alone.

    Raises
    ------
    RefusedError
    OSError
        It cannot be made.
    """
    folder = cache_folder()
    for each in reversed([each for each in (folder, *folder.parents) if not each.exists()]):
        each.mkdir(_PRIVATE, exist_ok=True)
    return _checked_folder()


def _refused(reason: str, remedy: str = "") -> RefusedError:
    return RefusedError(
        f"{reason}: compiled kernels are neither taken from the disk nor kept, and each process compiles its own: "
        f"{remedy}set MEMSIM_CACHE_DIR to a folder of your own"
    )


def _doubt_of(about: os.stat_result, *, sticky: bool = False) -> str:
    """Why somebody else could change a folder or a file; empty where nobody could but root."""
    if _user() is None:
        return ""
    if about.st_uid not in (_user(), 0):
        return f"belongs to somebody else (user {about.st_uid})"
    guarded = sticky and about.st_mode & stat.S_ISVTX
    return "others may write to it" if about.st_mode & (stat.S_IWGRP | stat.S_IWOTH) and not guarded else ""


def _user() -> int | None:
    """Who this process works for; None on Windows, where owners and rights are no numbers."""
    return None if sys.platform == "win32" else os.geteuid()


# Its files.


def _read(path: Path, key: bytes) -> bytes | None:
    """What a file was written with, if it is all there; otherwise it is as if there were none, with a word."""
    try:
        with open(path, "rb", opener=_open_at_once) as file:
            about = os.fstat(file.fileno())
            doubt = _doubt_of(about) if stat.S_ISREG(about.st_mode) else "is no file"
            content = b"" if doubt else file.read()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        doubt, content = f"cannot be read: {error.strerror}", b""
    if not doubt and content[:_DIGEST_BYTES] != _digest(key, content[_DIGEST_BYTES:]):
        doubt = "is damaged"
    if doubt:
        _warn_once(f"{path}: {doubt}; it is compiled anew", CacheWarning)
    return None if doubt else content[_DIGEST_BYTES:]


def _open_at_once(path: str, flags: int) -> int:
    """Open without waiting for somebody to write into a pipe that has a file's name."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def _write(path: Path, key: bytes, payload: bytes) -> None:
    """Write a file that is there whole or not at all, for this user alone.

    Raises
    ------
    OSError
    """
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f"{path.stem}.", suffix=".tmp", delete=False) as file:
        try:
            file.write(_digest(key, payload) + payload)
            file.close()
            os.replace(file.name, path)
        except BaseException:
            Path(file.name).unlink(missing_ok=True)
            raise


def _digest(key: bytes, payload: bytes) -> bytes:
    return hashlib.sha256(hashlib.sha256(key).digest() + payload).digest()


class DiskCache(NullCache):
    """The compiled code of a function: a file for each of its signatures and each kind of processor.

    Before it takes a function from the disk Numba's own loads all that it knows of
    types and libraries, for half a second. A function that is there needs none of
    it, and a compiler that begins loads it.

    Parameters
    ----------
    function : function
        Its name tells it from others of the same code.

    Raises
    ------
    OSError
        It lies in no file.
    """

    def __init__(self, function: Any) -> None:
        code = function.__code__
        self._name = _name_of(function)
        self._made_from = (
            hashlib.sha256(Path(code.co_filename).read_bytes()).hexdigest(), code.co_firstlineno,
            hashlib.sha256(code.co_code).hexdigest(), _VERSIONS,
        )  # fmt: skip

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """Take what was compiled for a signature from the disk; None where it is not there."""
        key = self._key(sig, target_context.codegen())
        try:
            payload = _read(_checked_folder() / self._file(key), key)
        except RefusedError as error:
            warn_of(error)
            return None
        except OSError:  # a folder that is not there, or cannot be looked at, has nothing
            return None
        if payload is None:
            return None
        # Numba's own form: it is whole, and nobody else can have written it.
        return CompileResult._rebuild(target_context, *pickle.loads(payload))  # noqa: S301

    def save_overload(self, sig: Any, data: Any) -> None:
        """Keep what was compiled for a signature."""
        if data.lifted or data.library.has_dynamic_globals:  # addresses of this process
            return
        key = self._key(sig, data.codegen)
        try:
            _write(_made_folder() / self._file(key), key, dumps(data._reduce()))
        except OSError as error:
            warn_of(error)

    def _key(self, sig: Any, codegen: Any) -> bytes:
        return repr((self._name, self._made_from, sig, codegen.magic_tuple())).encode()

    def _file(self, key: bytes) -> str:
        return f"{self._name}-{hashlib.sha256(key).hexdigest()[:16]}.nbc"


def cache_of(function: Any) -> DiskCache | None:
    """The disk cache of a function; None where it lies in no file, as at a prompt, or could stand for several."""
    if function.__closure__:  # what that holds is no part of the code
        return None
    try:
        return DiskCache(function)
    except OSError:
        return None


def _name_of(function: Any) -> str:
    return f"{function.__module__}.{function.__qualname__}".replace("<", "").replace(">", "")


# One process at a time.


@functools.cache
def _lock_of(path: Path) -> filelock.BaseFileLock:
    """One lock for a path, which whoever holds it may take again: functions of one name may call each other."""
    return filelock.FileLock(path)


@contextlib.contextmanager
def locked(function: Any, *, wait: bool = True) -> Iterator[None]:
    """Let one process at a time compile a function: one that waited takes it from the disk.

    Raises
    ------
    filelock.Timeout
        Another process compiles it, and ``wait`` is false.
    """
    with contextlib.ExitStack() as locks:
        try:
            path = _made_folder() / f"{_name_of(function)}.lock"
            locks.enter_context(_lock_of(path).acquire(blocking=wait))
        except filelock.Timeout:
            raise
        except OSError as error:  # nothing is kept there, so nobody else waits for it
            warn_of(error)
        yield
