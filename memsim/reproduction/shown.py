"""What a person sees of a reproduction on the terminal: how many realisations of each run learned, and how well."""

from ..proportions import interval
from ..runs.run import LEARNED
from ..terminal.screen import Table, describe, numbers, show
from .learning_curves import LearningCurves
from .runs import Findings


def show_findings(found: Findings) -> None:
    """A table of the runs that are to learn, one of the functions that are to be met, and what they mean."""
    runs: list[tuple[str, LearningCurves]] = [(run.name, run) for run in found.runs()]
    runs += [(run.name, run) for run in found.gates.values()]
    runs += [(tried.trial.name, tried) for tried in found.carriers]
    if runs:
        table = Table("run", *numbers("learned", "95 % interval", "mean total error"))
        for name, run in runs:
            rate = interval(run.learned, run.realisations)
            table.row(name, f"{run.learned} of {run.realisations}", rate, f"{run.mean[-1]:.3g}")
        show(table)
        describe(f"learned is a total error under {LEARNED:g} after the last epoch")
    if found.fits:
        table = Table("function", *numbers("least root mean\nsquare error", "median"))
        for fit in found.fits:
            table.row(fit.fit.name, f"{fit.error.min():.3g}", f"{fit.median:.3g}")
        show(table)
