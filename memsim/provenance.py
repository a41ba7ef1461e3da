"""What a result was made with: program, versions, machine."""

import functools
import platform
import sys
from importlib.metadata import PackageNotFoundError, version

from .kernels.arithmetic import ARITHMETIC

PACKAGES = ("numba", "llvmlite", "numpy", "h5py")


def program_version() -> str:
    """The installed version of memsim."""
    try:
        return version("memsim")
    except PackageNotFoundError:
        return "not installed"


def environment() -> dict[str, str | int]:
    """Versions and machine, for a file's attributes."""
    return dict(_environment())


@functools.cache
def _environment() -> dict[str, str | int]:
    """Found once: reading what is installed takes milliseconds."""
    found = {f"{package}_version": version(package) for package in PACKAGES}
    return {
        "program": "memsim",
        "program_version": program_version(),
        "arithmetic_version": ARITHMETIC,
        "python_version": sys.version.split()[0],
        "machine": platform.machine(),
        "processor": platform.processor() or "unknown",
        "system": platform.platform(),
        **found,
    }
