"""The C reference: found compiler, compiled on the spot, loaded with ctypes."""

import hashlib
import os
import shlex
import shutil
import subprocess
from ctypes import CDLL
from importlib import resources
from pathlib import Path

EXACT = ("-O2", "-ffp-contract=off")  # the same bits as the kernels
FAST = ("-O3", "-march=native", "-ffast-math")  # as fast as the compiler can


class NoCompilerError(Exception):
    """There is no compiler, or it cannot compile the reference; the message says which."""


def find_compiler() -> list[str]:
    """The system's C compiler as the words of a command: ``$CC``, or else cc, gcc or clang.

    Raises
    ------
    NoCompilerError
    """
    chosen = shlex.split(os.environ.get("CC", ""))
    for words in [chosen] if chosen else (["cc"], ["gcc"], ["clang"]):
        if shutil.which(words[0]):
            return words
    raise NoCompilerError(
        f"CC is {chosen[0]!r}, which is not there" if chosen else "neither cc, gcc nor clang is there"
    )


def version_of(compiler: list[str]) -> str:
    """The first line of the compiler's own words on its version."""
    told = subprocess.run([*compiler, "--version"], capture_output=True, text=True, check=False).stdout  # noqa: S603
    return told.splitlines()[0] if told else "unknown"


def build(compiler: list[str], source: str, folder: Path, flags: tuple[str, ...], **defines: int) -> CDLL:
    """Compile a C file of this package, where the folder does not have it yet, and load it.

    Parameters
    ----------
    compiler : list of str
    source : str
        Name of the file.
    folder : Path
        Where the library goes.
    flags : tuple of str
    **defines
        Integers for the preprocessor.

    Raises
    ------
    NoCompilerError
        The compiler refused.
    """
    defined = [f"-D{name}={number}" for name, number in defines.items()]
    digest = hashlib.sha256(" ".join([*compiler, *flags, *defined]).encode()).hexdigest()[:16]
    target = folder / f"{Path(source).stem}-{digest}"
    if target.with_suffix(".so").exists():
        return CDLL(f"{target}.so")
    with resources.as_file(resources.files(__package__) / source) as path:
        _call([*compiler, *flags, *defined, "-fPIC", "-c", "-o", f"{target}.o", str(path)])
    # Linked without the flags: with -ffast-math some compilers add code that has the whole process lose subnormal
    # numbers as soon as the library is loaded, and with them the bits of everything else.
    _call([*compiler, "-shared", "-o", f"{target}.so", f"{target}.o", "-lm"])
    return CDLL(f"{target}.so")


def _call(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        said = next((line for line in done.stderr.splitlines() if "error" in line), done.stderr.strip())
        raise NoCompilerError(f"{command[0]} refuses it: {said}")
