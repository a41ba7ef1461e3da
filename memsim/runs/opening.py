"""Run files and images of them, opened as runs; what is broken is refused before anybody reads it."""

import copyreg
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..errors import RunFileError
from ..traces.errors import NotARunFileError
from ..traces.reader import open_file
from ..traces.run_file import open_image
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


def _reduced(run: Run) -> tuple[Callable[..., Run], tuple[Any, ...]]:
    """A run in memory is pickled as the bytes of its file, one on a disk as its name."""
    return (open_run, (run.path,)) if run.path is not None else (_of_image, (zlib.compress(run.image),))


copyreg.pickle(Run, _reduced)
