"""Files that are there whole, or as they were before: figures, tables, exports, reports."""

import json
import math
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..errors import InputError
from ..traces.files import absolute
from ..traces.run_file import check_target
from ..traces.space import DiskFullError, is_full


@contextmanager
def written_whole(path: Path, overwrite: bool) -> Iterator[Path]:
    """A name beside ``path`` to write to; it gets its own name when all went well, and is removed otherwise.

    What is no regular file, as a pipe, is written to as it is. Of a link, the file that it leads to is replaced.

    Raises
    ------
    InputError
        Somebody else made ``path`` meanwhile.
    DiskFullError
    """
    place = path.resolve()
    regular = place.is_file() or not place.exists()
    partial = place.with_name(f".{place.name}.{os.getpid()}.partial") if regular else place
    try:
        yield partial
        if regular:
            check_output(path, overwrite)  # somebody else may have made it meanwhile
            partial.replace(place)
    except OSError as error:
        if not is_full(error):
            raise
        raise DiskFullError(f"{path}: the disk is full; make room, or name a file on another disk") from error
    finally:
        if regular:
            partial.unlink(missing_ok=True)


def write_text(path: Path, text: str, overwrite: bool = True) -> None:
    """Write a text file, whole."""
    with written_whole(path, overwrite) as partial:
        partial.write_text(text, encoding="utf-8")


def write_json(path: Path, values: Any, overwrite: bool = True) -> None:
    """Write values for other programs, whole."""
    write_text(path, json.dumps(for_json(values), indent=2, allow_nan=False) + "\n", overwrite)


def for_json(values: Any) -> Any:
    """Values as JSON has them: a number that is none, or infinite, is null."""
    if isinstance(values, dict):
        return {name: for_json(value) for name, value in values.items()}
    if isinstance(values, list | tuple):
        return list(map(for_json, values))
    return None if isinstance(values, float) and not math.isfinite(values) else values


def refuse_one_twice(names: str, *paths: Path | None) -> None:
    """Refuse two names for one file, of which the later would replace the earlier.

    Parameters
    ----------
    names : str
        What the paths were given as, for the message.
    *paths : Path or None

    Raises
    ------
    InputError
    """
    given = [absolute(path) for path in paths if path is not None]
    if len(set(given)) != len(given):
        raise InputError(f"{names}: must be different files")


def check_output(
    path: Path, overwrite: bool, endings: Sequence[str] = (), what: str = "", source: Path | None = None
) -> None:
    """Refuse a file before the work: one that exists, or that cannot be written, in a line that says what to do.

    Parameters
    ----------
    path : Path
    overwrite : bool
        Whether a file that exists may be replaced.
    endings : sequence of str
        Of its name, with their dots; any where not given.
    what : str
        What the file is, where the message about its ending shall say it.
    source : Path, optional
        The file that is read, which is not to be written.

    Raises
    ------
    InputError
    """
    if endings and path.suffix not in endings:
        *others, last = endings
        known = f"{', '.join(others)} or {last}" if others else last
        raise InputError(f"{path}: {f'{what} ' if what else ''}must end in {known}")
    if source is not None and path.exists() and source.exists() and path.samefile(source):
        raise InputError(f"{path}: is the run file itself; name another file with out=FILE")
    try:
        check_target(path, overwrite)
    except ValueError as error:
        raise InputError(str(error)) from None
