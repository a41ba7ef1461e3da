"""Opening a file of a run or of a drive, whichever it is."""

import contextlib
from pathlib import Path

from ..driving.drive_trace import DriveTrace, open_drive
from ..runs.opening import open_run
from ..runs.run import Run
from ..traces.doubted import FAILURES
from ..traces.files import is_hdf5
from ..traces.hdf5 import opened
from ..traces.schema import DRIVE_CONVENTION


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
