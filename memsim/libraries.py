"""Libraries that only some commands need, and that are installed as extras."""

import importlib
from types import ModuleType

from .errors import InputError


def load_library(module: str, extra: str, purpose: str, distribution: str = "") -> ModuleType:
    """Import a module that comes with an extra.

    Parameters
    ----------
    module : str
        As in ``import module``.
    extra : str
        Its extra in setup.cfg.
    purpose : str
        What needs it.
    distribution : str
        Its name on PyPI, where that is not the module's.

    Raises
    ------
    InputError
        It is not installed; the line says how to install it.
    """
    try:
        return importlib.import_module(module)
    except ImportError:
        name = distribution or module.partition(".")[0]
        raise InputError(f"{purpose} needs {name}, which is not installed; pip install 'memsim[{extra}]'") from None
