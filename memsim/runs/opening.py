"""Files of runs and drives, and images of runs, opened; what is broken is refused before anybody reads it."""

import contextlib
import copyreg
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..driving.drive_trace import DriveTrace, open_drive
from ..errors import RunFileError
from ..traces.doubted import FAILURES
from ..traces.errors import NotARunFileError
from ..traces.files import is_hdf5
from ..traces.hdf5 import opened
from ..traces.reader import open_file
from ..traces.run_file import open_image
from ..traces.schema import DRIVE_CONVENTION
from ..traces.stored import Stored
from .consistency import check_run
from .run import Run


def _of_image(compressed: bytes) -> Run:
    """A run in memory, from the bytes of its file."""
    return Run(Stored(open_image(zlib.decompress(compressed))))


def open_run(path: str | Path) -> Run:
    """Open a run file for reading, also one that is still being written.

    Raises
    ------
    RunFileError
        No such file, no run file, one of a schema version that is not known,
        or one whose parts do not fit each other.
    """
    try:
        run = Run(open_file(Path(path)))
    except NotARunFileError as error:
        raise RunFileError(str(error)) from None
    try:
        check_run(run)
    except BaseException:
        run.close()
        raise
    return run


def open_recorded(path: str | Path) -> Run | DriveTrace:
    """Open the file of a run or of a drive for reading.

    Raises
    ------
    RunFileError
        It is neither, or broken.
    """
    return open_drive(path) if _is_of_a_drive(Path(path)) else open_run(path)


def _is_of_a_drive(path: Path) -> bool:
    with contextlib.suppress(*FAILURES):
        if is_hdf5(path):
            with opened(path) as file:
                convention = file.attrs.get("convention")
                return convention in (DRIVE_CONVENTION, DRIVE_CONVENTION.encode())
    return False


def _reduced(run: Run) -> tuple[Callable[..., Run], tuple[Any, ...]]:
    """A run in memory is pickled as the bytes of its file, one on a disk as its name."""
    return (open_run, (run.path,)) if run.path is not None else (_of_image, (zlib.compress(run.image),))


copyreg.pickle(Run, _reduced)
