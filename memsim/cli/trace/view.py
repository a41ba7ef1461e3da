"""``memsim trace view``."""

from pathlib import Path

import click

from ...terminal.streams import say
from .. import options

EPILOG = """\b
Examples:
  memsim trace view xor.h5
  memsim trace view xor.h5 --samples 8:10 --banks nodes1,nodes2
  memsim trace view xor.h5 --realisations 0,1 --quantities state --weights
  memsim trace view xor.h5 --port 8765 --no-browser
"""


@click.command(name="view", epilog=EPILOG)
@options.models
@options.path_argument("file", "RUN.h5")
@options.spans
@options.channels
@click.option("--weights", is_flag=True, help="Show states as the weights that they stand for.")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Of 127.0.0.1; a free one where not given.")
@click.option("--no-browser", is_flag=True, help="Only print the address.")
def command(
    file: Path, epochs: str | None, samples: str | None, steps: str | None, banks: tuple[str, ...],
    devices: tuple[int, ...], realisations: tuple[int, ...], quantities: tuple[str, ...], weights: bool, port: int,
    no_browser: bool,
) -> None:  # fmt: skip
    """Look at a run on a page in the browser, from the whole of it down to single steps.

    The page is served by this machine for this machine alone, at an address
    that holds a random token, until Ctrl-C. It reads the file and writes
    nothing. A run that goes on can be looked at while it grows. Needs
    pip install 'memsim[view]'.
    """
    from ...analysis.spans import steps_of
    from ...libraries import load_library
    from ...runs.opening import open_run
    from ...runs.run import Run

    load_library("bokeh", "view", "trace view")
    from ...viewing.choice import Choice, first_choice
    from ...viewing.server import Viewer, get_ready

    def begin(run: Run) -> tuple[Choice, tuple[int, int] | None]:
        choice = first_choice(run, banks, devices, realisations, quantities, weights=weights)
        given = any(span is not None for span in (epochs, samples, steps))
        return choice, steps_of(run, epochs=epochs, samples=samples, steps=steps) if given else None

    with open_run(file) as run:
        get_ready(run, *begin(run))
    viewer = Viewer(file.absolute(), begin, port)
    say(f"{file} is shown at {viewer.address}")
    say("on this machine alone; Ctrl-C ends it")
    viewer.serve(show=not no_browser)
    say("memsim: the page is no longer served")
