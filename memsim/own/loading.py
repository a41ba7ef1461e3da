"""Loading a user's file of device models: only what is named on the command line or in Python."""

import hashlib
import linecache
import sys
import traceback
import types
from collections.abc import Mapping
from pathlib import Path

from ..devices import MODELS, Device
from ..errors import InputError


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
    path = Path(path).resolve()
    before = dict(MODELS)
    for name, model in before.items():
        if getattr(getattr(model, "declared", None), "path", None) == path:
            del MODELS[name]
    others = set(MODELS)
    try:
        _execute(path)
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


def _execute(path: Path) -> None:
    linecache.checkcache(str(path))
    # Numba looks a cached function's module up by name.
    name = f"memsim_own_{path.stem}_{hashlib.sha256(str(path).encode()).hexdigest()[:8]}"
    module = sys.modules[name] = types.ModuleType(name)
    module.__file__ = str(path)
    try:
        code = compile(path.read_text("utf-8"), str(path), "exec")
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None
    except SyntaxError as error:
        text = f"{(error.text or '').strip()}: {error.msg}"
        raise InputError(f"{path.name}:{error.lineno}: {text.removeprefix(': ')}") from None
    except ValueError as error:
        raise InputError(f"{path.name}:1: is not a Python file in UTF-8: {error}") from None
    try:
        exec(code, vars(module))  # noqa: S102 (the user named it)
    except (Exception, SystemExit) as error:
        if isinstance(error, InputError) and str(error).startswith(f"{path.name}:"):
            raise
        lines = [f.lineno for f in traceback.extract_tb(error.__traceback__) if f.filename == str(path)]
        text = " ".join(str(error).split()) or type(error).__name__
        raise InputError(f"{path.name}:{lines[-1] if lines else 1}: {text}") from None
