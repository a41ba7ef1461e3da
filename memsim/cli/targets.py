"""The files that a command is to write, looked at before its work."""

from collections.abc import Mapping
from pathlib import Path


def check_targets(
    overwrite: bool, *, source: tuple[str, Path] | None = None, endings: Mapping[str, tuple[str, ...]] | None = None,
    **files: Path | None,
) -> None:  # fmt: skip
    """Refuse files that cannot be written, and two names for one file.

    Parameters
    ----------
    overwrite : bool
        Whether files that exist may be replaced.
    source : (str, Path), optional
        What is read, which no file may replace, and its name in the usage.
    endings : mapping, optional
        Option to the endings that its file can have.
    **files : Path or None
        By the options that they were given with; ``plot`` is a figure.

    Raises
    ------
    InputError
    """
    from ..files.whole import check_output, refuse_one_twice

    name, path = source or ("", None)
    refuse_one_twice(", ".join(filter(None, (name, *(f"--{option}" for option in files)))), path, *files.values())
    for option, target in files.items():
        if target is None:
            continue
        if option == "plot":
            from ..figures import check_plot_target

            check_plot_target(target, overwrite)
        else:
            what = "a table's file" if option == "table" else ""
            check_output(target, overwrite, (endings or {}).get(option, ()), what)
