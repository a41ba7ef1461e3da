"""What the user named, read: files that end, texts, TOML, and what a TOML file is the configuration of."""

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from ..errors import InputError
from ..terminal.si import without_prefix
from ..traces.errors import NotARunFileError
from ..traces.files import refuse_what_is_no_file
from .memory import require_memory

DEEPEST = 50  # sections within sections; what checks and writes them goes down as deep
TOO_DEEP = f"is nested too deeply; sections and lists may be {DEEPEST} deep"
NUMBERS = range(-(2**63), 2**63)  # whole ones, as TOML has them

Kind = Literal["run", "drive", "loops", "sweep"]
# What a TOML file may be: what it configures, the command for it, and its sections.
KINDS: dict[Kind, tuple[str, str, tuple[str, ...]]] = {
    "run": (
        "a run", "memsim run",
        ("run", "time", "network", "devices", "learning", "write", "imperfections", "periphery", "data", "trace"),
    ),
    "drive": ("a drive", "memsim drive", ("time", "device", "bank", "drive")),
    "loops": ("a sweep of loops", "memsim drive", ("loops", "device", "bank")),
    "sweep": ("a sweep", "memsim sweep", ("sweep", "fields", "base")),
}  # fmt: skip


def refuse_no_file(path: Path) -> None:
    """Refuse what the user named as a file and is none: a folder, a pipe, a device, a link to itself, or nothing.

    Raises
    ------
    InputError
    """
    try:
        refuse_what_is_no_file(path)
    except NotARunFileError as error:
        raise InputError(str(error)) from None


def read_text(path: Path) -> str:
    """A text file that the user named.

    Raises
    ------
    InputError
        There is none, or a folder, a pipe or a device in its place, or it is no text in UTF-8, or larger than the
        memory.
    """
    refuse_no_file(path)
    try:
        require_memory(path.stat().st_size, f"{path}: is too large to be read: its text")
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: is no text in UTF-8: byte {error.start} is none of any character") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None


def read_toml(path: Path, kind: Kind) -> dict[str, Any]:
    """A TOML file that should configure something, as nested dictionaries.

    Raises
    ------
    InputError
        It cannot be read, or configures something else.
    """
    values = parse_toml(read_text(path), str(path))
    found = kind_of(values, kind)
    if found != kind:
        what, command, sections = KINDS[found]
        named = ", ".join(f"[{name}]" for name in sections if name in values)
        raise InputError(f"{path}: is the configuration of {what}, with {named}; '{command} {path}' takes it")
    return values


def kind_of(values: Mapping[str, Any], wanted: Kind = "run") -> Kind:
    """What nested dictionaries configure; ``wanted`` where their sections may be of that as well."""
    decided: tuple[Kind, ...] = ("sweep", "loops")  # whatever is beside these
    for kind in decided:
        if kind in values:
            return kind
    return max(KINDS, key=lambda kind: (len(values.keys() & set(KINDS[kind][2])), kind == wanted))


def parse_toml(text: str, source: str) -> dict[str, Any]:
    """TOML as nested dictionaries; ``source`` names the file in the error."""
    try:
        values = _loaded(text, source)
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{source}: is not valid TOML: {error}{_hint(text, str(error))}") from None
    _refuse_what_toml_has_not(values, source)
    return values


def toml_value(flag: str, name: str, text: str) -> Any:
    """The value of ``name=text`` of a flag: TOML, or else a plain string."""
    try:
        value = _loaded(f"value = {text}", f"{flag}: {name}")["value"]
    except tomllib.TOMLDecodeError:
        return text.strip()
    _refuse_what_toml_has_not({name: value}, flag)
    return value


def _loaded(text: str, source: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        raise
    except RecursionError:
        raise InputError(f"{source}: {TOO_DEEP}") from None
    except ValueError:  # of Python, which counts the digits
        raise InputError(f"{source}: is not valid TOML: a whole number in it has thousands of digits") from None


def _hint(text: str, message: str) -> str:
    """What to write where a line has a number with a unit."""
    line = re.search(r"at line (\d+)", message)
    value = text.split("\n")[int(line[1]) - 1].partition("=")[2].partition("#")[0] if line else ""
    number = without_prefix(value.strip())
    return f"; write {number}" if number else ""


def _refuse_what_toml_has_not(values: dict[str, Any], source: str) -> None:
    """Refuse whole numbers of more than 64 bits, which TOML has not, and more depth than anything here has."""
    waiting: list[tuple[str, Any, int]] = [("", values, 0)]
    while waiting:
        name, value, depth = waiting.pop()
        if depth > DEEPEST:
            raise InputError(f"{source}: {TOO_DEEP}")
        for key, part in value.items() if isinstance(value, dict) else enumerate(value):
            if isinstance(part, dict | list):
                waiting.append((f"{name}{key}.", part, depth + 1))
            elif isinstance(part, int) and part not in NUMBERS:
                raise InputError(
                    f"{source}: {name}{key}: must be a whole number of at most 64 bits (got one of "
                    f"{part.bit_length()}); take a smaller one, or write it with a point"
                )
