"""``memsim trace info``."""

from pathlib import Path

import click

from .. import options

EPILOG = """\b
Examples:
  memsim trace info xor.h5
  memsim trace info xor.h5 --configuration > again.toml
"""


@click.command(name="info", epilog=EPILOG)
@options.path_argument("file", "RUN.h5")
@click.option("--configuration", is_flag=True, help="Print the effective configuration alone, as TOML.")
def command(file: Path, configuration: bool) -> None:
    """Show what a run file holds: margins, results, what was traced."""
    from ...reporting import show_run
    from ...run import open_run

    with open_run(file) as run:
        if configuration:
            click.echo(run.configuration_text, nl=False)
            return
        if not run.finished:
            click.echo(f"{file}: the run has not finished: {len(run.total_error)} epochs are complete")
            return
        attributes = run.file.attrs
        click.echo(
            f"{file}: memsim {attributes['program_version']}, data {run.dataset.name}, {len(run.seeds)} realisations"
        )
        show_run(run)
        for bank in run.file.get("traces", ()):
            if bank != "committed_rows":
                steps = run.file["traces"][bank]["voltage"].shape[0]
                click.echo(f"traced: {bank}, {steps} rows of state, current and voltage")
