"""Where an export goes, refused before the work."""

from pathlib import Path

from ..errors import InputError
from ..files.whole import check_output


def check_export_target(path: Path, overwrite: bool, source: Path | None) -> None:
    """Refuse a target before the work: one that exists, lies nowhere, or is the run file itself.

    Raises
    ------
    InputError
    """
    if source is not None and path.exists() and source.exists() and path.samefile(source):
        raise InputError(f"{path}: is the run file itself; name another file with --out")
    check_output(path, overwrite)
