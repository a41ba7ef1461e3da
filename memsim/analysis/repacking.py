"""A run file without what killed runs left dead in it."""

import os
from pathlib import Path

from ..errors import InputError
from ..files.whole import check_output, written_whole
from ..runs.opening import open_run
from ..traces import locks
from ..traces.packing import pack
from ..traces.reader import refuse_what_is_no_file


def repack(file: Path, out: Path | None = None, *, overwrite: bool = False) -> tuple[int, int]:
    """Copy a run file without dead bytes: the same run, to the bit, which is gone on with from either.

    Parameters
    ----------
    file : Path
        Nobody may be writing it.
    out : Path, optional
        The file itself is replaced where none is given, once the copy is whole and on the disk.
    overwrite : bool
        Whether another file that exists may be replaced.

    Returns
    -------
    before, after : int
        Bytes.

    Raises
    ------
    InputError
        The file is being written, or the other one cannot be.
    RunFileError
    DiskFullError
    """
    refuse_what_is_no_file(file)
    if out is not None:
        if out.exists() and out.samefile(file):
            raise InputError(f"{out}: is the run itself; --in-place replaces it")
        check_output(out, overwrite)
    elif file.stat().st_nlink > 1:
        raise InputError(f"{file}: has other names, hard links that would keep the old file; give out=FILE")
    place = file.resolve()
    target = place.with_name(f".{place.name}.packed") if out is None else out
    with open_run(file) as run:
        try:
            held = locks.lock(place)
        except OSError as error:
            raise InputError(str(error)) from None
        try:
            before = place.stat()
            with written_whole(target, overwrite=out is None or overwrite) as partial:
                pack(run.stored, partial)
                open_run(partial).close()  # or it is no run file, and nothing is replaced
                _sync(partial)
            if out is None:
                target.chmod(before.st_mode)
                target.replace(place)
        finally:
            held.release()
    return before.st_size, (out or place).stat().st_size


def _sync(path: Path) -> None:
    """Have a file on the disk itself: it is to take another one's place."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
