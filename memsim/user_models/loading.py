"""Loading a user's file of device models: only what is named on the command line or in Python."""

import hashlib
import linecache
import signal
import sys
import threading
import traceback
import types
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..devices import MODELS, Device
from ..errors import InputError
from ..fields import SHOWN
from ..files.reading import read_text
from ..traces.files import absolute

OTHERS = (".toml", ".csv", ".h5", ".hdf5")  # endings of what is no Python file


def load_models(path: str | Path) -> tuple[type[Device], ...]:
    """Run a Python file that declares device models; the models are then known by their names.

    A file that is loaded again takes the place of its former models.

    Parameters
    ----------
    path : path

    Returns
    -------
    tuple of classes
        The models in the file's order.

    Raises
    ------
    InputError
        With file and line; no model has changed then.
    """
    path = absolute(Path(path))
    before = dict(MODELS)
    for name, model in before.items():
        if getattr(getattr(model, "declared", None), "path", None) == path:
            del MODELS[name]
    others = set(MODELS)
    try:
        code = _compiled(path)
        with _new_module(path) as module:
            _execute(code, module, path)
            loaded = tuple(model for name, model in MODELS.items() if name not in others)
            if not loaded:
                raise InputError(f"{path.name}:1: has no device model; write a class with @device_model(...)")
    except BaseException:
        MODELS.clear()
        MODELS.update(before)
        raise
    return loaded


def own_files() -> dict[str, str]:
    """The files of the user's own models that are known here: path to SHA-256."""
    declared = [model.declared for model in MODELS.values() if hasattr(model, "declared")]
    return {str(each.path): each.digest for each in declared}


def load_again(files: Mapping[str, str]) -> None:
    """In another process, load the files that are not known here yet.

    Parameters
    ----------
    files : dict
        As :func:`own_files` gives them.

    Raises
    ------
    InputError
        A file cannot be read here, or was edited since.
    """
    known = own_files()
    for path, digest in files.items():
        if known.get(path) != digest:
            load_models(path)
            if own_files()[path] != digest:
                raise InputError(f"{path}: was edited since the sweep began; begin another sweep with it")


def _compiled(path: Path) -> types.CodeType:
    """A file's code; nothing of it is run."""
    if path.suffix.lower() in OTHERS:
        raise InputError(f"{path}: is no Python file; name one with device models")
    linecache.checkcache(str(path))
    try:
        return compile(read_text(path), str(path), "exec")
    except InputError:
        raise
    except SyntaxError as error:
        text = f"{(error.text or '').strip()[:SHOWN]}: {error.msg}"
        raise InputError(f"{path.name}:{error.lineno or 1}: {text.removeprefix(': ')}") from None
    except (ValueError, RecursionError, MemoryError) as error:  # a byte 0, or brackets within brackets
        raise InputError(f"{path.name}:1: is not a Python file: {str(error) or 'it is nested too deeply'}") from None


@contextmanager
def _new_module(path: Path) -> Iterator[types.ModuleType]:
    """The module of a file, by whose name Numba finds it again; of a file that fails, the one that was there before."""
    name = f"memsim_own_{path.stem}_{hashlib.sha256(str(path).encode()).hexdigest()[:8]}"
    before = sys.modules.get(name)
    module = sys.modules[name] = types.ModuleType(name)
    module.__file__ = str(path)
    try:
        yield module
    except BaseException:
        del sys.modules[name]
        if before is not None:
            sys.modules[name] = before
        raise


def _execute(code: types.CodeType, module: types.ModuleType, path: Path) -> None:
    with _ctrl_c() as pressed:
        try:
            exec(code, vars(module))  # noqa: S102 (the user named it)
        except BaseException as error:
            if pressed.is_set() or (isinstance(error, InputError) and str(error).startswith(f"{path.name}:")):
                raise
            lines = [f.lineno for f in traceback.extract_tb(error.__traceback__) if f.filename == str(path)]
            raise InputError(f"{path.name}:{lines[-1] if lines else 1}: {_said_by(error)}") from None


def _said_by(error: BaseException) -> str:
    """What an error of a user's file says, in one line."""
    try:
        text = " ".join(str(error).split()) or type(error).__name__
    except Exception:  # its own text fails
        return type(error).__name__
    return text if isinstance(error, Exception) or text == type(error).__name__ else f"{type(error).__name__}: {text}"


@contextmanager
def _ctrl_c() -> Iterator[threading.Event]:
    """Set where somebody presses Ctrl-C: a KeyboardInterrupt without it is the file's own."""
    pressed = threading.Event()
    before = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(before):
        yield pressed
        return

    def press(number: int, frame: Any) -> None:
        pressed.set()
        before(number, frame)

    signal.signal(signal.SIGINT, press)
    try:
        yield pressed
    finally:
        signal.signal(signal.SIGINT, before)
