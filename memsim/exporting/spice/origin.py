"""Where a netlist comes from, in words."""

from pathlib import Path

from ...provenance import program_version


def origin(path: Path | None, made_by: str, start: int, stop: int, configuration: str) -> tuple[str, ...]:
    """Lines for the header: the file, the programs, the steps, and the whole configuration."""
    name = path.name if path is not None else "memory"
    return (
        f"From {name}, made by memsim {made_by}; written by memsim {program_version()}.",
        f"Steps {start} to {stop}, the last one not included. Its configuration:",
        *(f"    {line}" for line in configuration.splitlines()),
    )
