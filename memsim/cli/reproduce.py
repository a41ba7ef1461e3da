"""``memsim reproduce``."""

from pathlib import Path
from typing import Any

import click

from ..terminal.streams import say
from . import options

EPILOG = """\b
Examples:
  memsim reproduce
  memsim reproduce --figures 4 --data-seed 3 --out seed3
  memsim reproduce --realisations 10 --epochs 200 --out quick
  memsim reproduce --figures gates universality --out beyond
  memsim reproduce --figures carriers --out carriers
"""

PAPER = ("3", "4", "5")
FIGURES = (*PAPER, "gates", "universality", "carriers")


def _figures(ctx: click.Context, parameter: click.Parameter, value: tuple[str, ...]) -> tuple[Any, ...]:
    """Names of figures, as separate words or with commas; the paper's are numbers."""
    from ..errors import InputError
    from ..fields import one_of

    words = [word for text in value for word in text.replace(",", " ").split()]
    unknown = [word for word in words if word not in FIGURES]
    if unknown:
        raise InputError(f"--figures: must be {one_of(FIGURES, unknown[0])}")
    return tuple(int(name) if name in PAPER else name for name in FIGURES if name in (words or PAPER))


class _ManyFigures(click.Command):
    """Lets ``--figures 3 4 5`` take several words."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        joined: list[str] = []
        for word in args:
            if joined and joined[-1].startswith("--figures=") and not word.startswith("-"):
                joined[-1] += f",{word}"
            elif joined and joined[-1] == "--figures":
                joined[-1] = f"--figures={word}"
            else:
                joined.append(word)
        return super().parse_args(ctx, joined)


@click.command(name="reproduce", cls=_ManyFigures, epilog=EPILOG)
@click.option(
    "--figures",
    multiple=True,
    metavar="NAME...",
    callback=_figures,
    help="Of 3, 4, 5, gates, universality, carriers.  [3 4 5]",
)
@click.option("--realisations", type=int, help="Realisations of the starting weights.  [100; universality 8]")
@click.option("--epochs", type=int, help="Epochs.  [1000; universality 8000]")
@click.option("--data-sets", default=4, show_default=True, help="Of all gates: sets of samples, with own weights each.")
@click.option("--reading-realisations", default=20, show_default=True, help="Of each other reading; 0 leaves them out.")
@click.option("--data-seed", default=0, show_default=True, help="Seed of the samples.")
@click.option("--seed", default=0, show_default=True, help="Seed of starting weights and shuffles.")
@click.option(
    "--out", type=click.Path(path_type=Path), default=Path("reproduction"), show_default=True, help="Output folder."
)
@options.overwrite
@options.threads
@options.quiet
def command(
    figures: tuple[Any, ...], realisations: int | None, epochs: int | None, data_sets: int,
    reading_realisations: int, data_seed: int, seed: int, out: Path, overwrite: bool, threads: int | None, quiet: bool,
) -> None:  # fmt: skip
    """Reproduce Figures 3, 4 and 5 of 'Perceptrons from Memristors', every pulse stepped.

    Writes the figures, a report that sets the paper's claims beside what was
    found, and all numbers as JSON. Three figures go beyond the paper's: all
    sixteen two-input gates, functions that networks of 2 to 32 nodes fit, and
    weights that are told apart by carriers.
    """
    import time

    from ..reproduction import reproduction_folder, runs
    from ..reproduction.paper_report import show_findings
    from ..reproduction.reproduction_progress import ReproductionProgress
    from ..reproduction.settings import Reproduction
    from ..terminal.preparing import prepare
    from ..terminal.screen import describe

    sizes = {"realisations": realisations, "fit_realisations": realisations, "epochs": epochs, "fit_epochs": epochs}
    settings = Reproduction(
        figures=figures, data_sets=data_sets, reading_realisations=reading_realisations, data_seed=data_seed, seed=seed,
        threads=threads or 0, **{name: value for name, value in sizes.items() if value is not None},
    )  # fmt: skip
    reproduction_folder.check_folder(out, overwrite)
    planned = runs.plan(settings)
    configurations = planned.configurations
    total = sum(config.learning.epochs for config in configurations)
    with ReproductionProgress(len(configurations), total, quiet) as progress:
        prepare(runs.kernels_needed(planned))
        begun = time.perf_counter()
        found = runs.carry_out(settings, planned, progress.run)
    seconds = time.perf_counter() - begun
    written = reproduction_folder.write(found, out, seconds)
    show_findings(found)
    describe(f"{found.device_steps:.3g} device-steps in {seconds:.1f} s")
    say("wrote " + ", ".join(str(path) for path in written))
