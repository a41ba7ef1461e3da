"""A file that is there whole or not at all."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ...errors import InputError
from ...traces.run_file import check_target
from ...traces.space import DiskFullError, is_full


def check_export_target(path: Path, overwrite: bool, source: Path | None) -> None:
    """Refuse a target before the work: one that exists, lies nowhere, or is the run file itself.

    Raises
    ------
    InputError
    """
    if source is not None and path.exists() and source.exists() and path.samefile(source):
        raise InputError(f"{path}: is the run file itself; name another file with --out")
    try:
        check_target(path, overwrite)
    except ValueError as error:
        raise InputError(str(error)) from None


@contextmanager
def written_whole(path: Path, overwrite: bool) -> Iterator[Path]:
    """A name beside ``path`` to write to; it gets its own name when all went well, and is removed otherwise.

    Raises
    ------
    InputError
        Somebody else made ``path`` meanwhile.
    DiskFullError
    """
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        yield partial
        # Somebody else may have made the file meanwhile.
        check_export_target(path, overwrite, None)
        os.replace(partial, path)
    except OSError as error:
        if not is_full(error):
            raise
        raise DiskFullError(f"{path}: the disk is full; make room, or name a file on another disk") from error
    finally:
        partial.unlink(missing_ok=True)
