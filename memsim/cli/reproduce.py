"""``memsim reproduce``."""

from pathlib import Path

import click

from . import options

EPILOG = """\b
Examples:
  memsim reproduce
  memsim reproduce --figures 4 --data-seed 3 --out seed3
  memsim reproduce --realisations 10 --epochs 200 --out quick
"""


def _figures(ctx: click.Context, parameter: click.Parameter, value: tuple[str, ...]) -> tuple[int, ...]:
    """Figures 3, 4, 5, as separate words or with commas."""
    from ..errors import InputError

    words = [word for text in value for word in text.replace(",", " ").split()]
    unknown = [word for word in words if word not in ("3", "4", "5")]
    if unknown:
        raise InputError(f"--figures: must be of 3, 4, 5 (got {unknown[0]!r})")
    return tuple(sorted({int(word) for word in words})) or (3, 4, 5)


class _ManyFigures(click.Command):
    """Lets ``--figures 3 4 5`` take several words."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        joined: list[str] = []
        for word in args:
            if joined and joined[-1].startswith("--figures=") and word.isdigit():
                joined[-1] += f",{word}"
            elif joined and joined[-1] == "--figures":
                joined[-1] = f"--figures={word}"
            else:
                joined.append(word)
        return super().parse_args(ctx, joined)


@click.command(name="reproduce", cls=_ManyFigures, epilog=EPILOG)
@click.option(
    "--figures", multiple=True, metavar="N...", callback=_figures, help="Figures to make; all where not given."
)
@click.option("--realisations", default=100, show_default=True, help="Realisations of the starting weights.")
@click.option("--epochs", default=1000, show_default=True, help="Epochs.")
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
    figures: tuple[int, ...], realisations: int, epochs: int, reading_realisations: int, data_seed: int, seed: int,
    out: Path, overwrite: bool, threads: int | None, quiet: bool,
) -> None:  # fmt: skip
    """Reproduce Figures 3, 4 and 5 of 'Perceptrons from Memristors', every pulse stepped.

    Writes the figures, a report that sets the paper's claims beside what was
    found, and all numbers as JSON.
    """
    import time

    from ..reporting import ReproductionProgress
    from ..reproduction import output, runs
    from ..reproduction.settings import Reproduction

    settings = Reproduction(
        figures=figures, realisations=realisations, epochs=epochs, reading_realisations=reading_realisations,
        data_seed=data_seed, seed=seed, threads=threads or 0,
    )  # fmt: skip
    output.check_folder(out, overwrite)
    jobs = runs.plan_jobs(settings)
    begun = time.perf_counter()
    with ReproductionProgress(len(jobs), settings.epochs, quiet) as progress:
        found = runs.carry_out(settings, jobs, progress.run)
    seconds = time.perf_counter() - begun
    written = output.write(found, out, seconds)
    for run in found.runs():
        last = run.total_error[-1]
        click.echo(f"{run.name:18s}learned {run.learned:4d} of {len(last)}   mean total error {run.mean[-1]:.3g}")
    click.echo(f"{found.device_steps:.3g} device-steps in {seconds:.1f} s")
    click.echo("wrote " + ", ".join(str(path) for path in written))
