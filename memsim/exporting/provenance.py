"""Where an export comes from."""

from ..provenance import program_version
from .excerpt import Kept


def provenance(excerpt: Kept) -> dict[str, str]:
    """What an exported file says of itself: program, run, configuration, and what was chosen."""
    run = excerpt.run
    return {
        "convention": "memsim export",
        "program": "memsim",
        "program_version": program_version(),
        "run_program_version": excerpt.program_version,
        "run_file": run.path.name if run.path is not None else "in memory",
        "dt": repr(run.dt),
        "dt_units": "s",
        "start_step": str(excerpt.start),
        "stop_step": str(excerpt.stop),
        "stride": str(excerpt.stride),
        "configuration": run.configuration_text,
    }
