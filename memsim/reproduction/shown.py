"""What a person sees of a reproduction on the terminal: how many realisations of each run learned, and how well."""

from ..run import LEARNED
from ..terminal import Table, describe, numbers, show
from .runs import Findings


def show_findings(found: Findings) -> None:
    """A table of the runs that are to learn, one of the functions that are to be met, and what they mean."""
    runs = [(run.name, run) for run in found.runs()] + [(tried.trial.name, tried) for tried in found.carriers]
    if runs:
        table = Table("run", *numbers("learned", "mean total error"))
        for name, run in runs:
            table.row(name, f"{run.learned} of {len(run.total_error[-1])}", f"{run.mean[-1]:.3g}")
        show(table)
        describe(f"learned is a total error under {LEARNED:g} after the last epoch")
    if found.fits:
        table = Table("function", *numbers("least root mean\nsquare error", "median"))
        for fit in found.fits:
            table.row(fit.fit.name, f"{fit.error.min():.3g}", f"{fit.median:.3g}")
        show(table)
