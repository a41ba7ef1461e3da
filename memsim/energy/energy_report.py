"""What a person sees of a run's energy on the terminal."""

from collections.abc import Sequence

from ..kernels.slots import Phase
from ..runs.description import cost_of_programming
from ..terminal.screen import Table, describe, numbers, show
from ..terminal.si import duration, with_prefix
from .summary import EnergySummary
from .widths import AtWidth, law

SIGN = (
    "energy is the sum of V I dt; it is negative where a device gives energy: signed synapses and the threshold "
    "memristor are active elements (docs/physics.md)"
)


def show_energy(summary: EnergySummary, realisations: int) -> None:
    """Energy a sample for each bank, read against write; time of each phase; power; totals."""
    of = "" if realisations == 1 else f", mean of {realisations} realisations"
    phases = [phase for phase in Phase if phase != Phase.IDLE]
    headings = (*(phase.name for phase in phases), "reading", "writing", "together")
    table = Table("bank", *numbers(*headings), title=f"Energy a sample{of}")
    mean = summary.joules.mean(axis=-1)
    for k, bank in enumerate(summary.banks):
        parts = [*mean[k, phases], summary.read[k], summary.write[k], mean[k].sum()]
        table.row(bank, *(with_prefix(value, "J") for value in parts))
    whole = [*mean[:, phases].sum(axis=0), summary.read.sum(), summary.write.sum(), mean.sum()]
    table.end_section()
    table.row("all", *(with_prefix(value, "J") for value in whole))
    show(table)
    describe("reading is READ, RESTORE and BACKREAD; " + SIGN, style="dim")
    spent = [f"{phase.name} {with_prefix(t, 's')}" for phase, t in zip(Phase, summary.seconds, strict=True) if t > 0]
    describe(f"simulated time a sample: {with_prefix(summary.sample_time, 's')}: {', '.join(spent)}")
    joules, seconds = summary.sample_energy * summary.samples, summary.sample_time * summary.samples
    describe(
        f"mean power {with_prefix(summary.power, 'W')}; in all {summary.samples:,} samples, "
        f"{with_prefix(joules, 'J')} and {duration(seconds)} a realisation"
    )
    if summary.programming is not None:
        describe(f"{cost_of_programming(summary.programming)}, beside that")


def show_widths(found: Sequence[AtWidth]) -> None:
    """A line for each width, and the law that they follow."""
    headings = (
        "steps", "width", "current\nof 1", "reading\na sample", "writing\na sample", "time\na sample", "mean power",
        "total error", "learned",
    )  # fmt: skip
    table = Table(*numbers(*headings), title="The same run at other widths of pulses")
    for each in found:
        energy = each.energy
        table.row(
            str(each.steps), with_prefix(each.width, "s"), with_prefix(each.current, "A"),
            with_prefix(float(energy.read.sum()), "J"), with_prefix(float(energy.write.sum()), "J"),
            with_prefix(energy.sample_time, "s"), with_prefix(energy.power, "W"),
            f"{each.error.mean():.4g}", f"{each.learned} of {len(each.error)}",
        )  # fmt: skip
    show(table)
    if len(found) > 1:
        describe(law(found))
