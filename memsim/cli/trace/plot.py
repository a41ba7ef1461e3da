"""``memsim trace plot``."""

from pathlib import Path

import click

from ...terminal.streams import say
from .. import options

EPILOG = """\b
Examples:
  memsim trace plot xor.h5
  memsim trace plot xor.h5 --samples 8:10 --banks nodes1,nodes2 --out nodes.svg
  memsim trace plot xor.h5 --epochs -3:
  memsim trace plot xor.h5 --epochs 0: --quantities state --weights --error --out learning.png
  memsim trace plot iris.h5 --classes --out classes.png
  memsim trace plot xor.h5 --steps 0:220 --devices 0 --realisations 0:5 --quantities voltage
"""


@click.command(name="plot", epilog=EPILOG)
@options.models
@options.path_argument("file", "RUN.h5")
@options.path_option("--out", "Where to draw (PNG, SVG or PDF); RUN.png in this folder where not given.")
@options.spans
@options.channels
@click.option("--weights", is_flag=True, help="Show states as the weights that they stand for.")
@click.option("--error", is_flag=True, help="Put the total error of each epoch above.")
@click.option("--classes", is_flag=True, help="Draw the confusion matrix and the ROC curves of its classes instead.")
@options.overwrite
@options.quiet
def command(
    file: Path, out: Path | None, epochs: str | None, samples: str | None, steps: str | None,
    banks: tuple[str, ...], devices: tuple[int, ...], realisations: tuple[int, ...], quantities: tuple[str, ...],
    weights: bool, error: bool, classes: bool, overwrite: bool, quiet: bool,
) -> None:  # fmt: skip
    """Draw any channels of a run over any span of it.

    A short span shows every step, with its phases shaded; a long one the
    smallest and largest values of a thousand equal parts. Where nothing is
    chosen: state and current of the first 8 devices of each bank, in
    realisation 0, through the first three samples, of the run or of the first
    window that its file stores. What the file does not have is replayed.

    With --classes: what was taken for what, and the ROC curve of each class, of
    the test samples or else of those for validation or training, by READs
    through a copy of the devices.
    """
    from ...analysis import plot
    from ...analysis.spans import steps_of
    from ...errors import InputError
    from ...figures import check_plot_target
    from ...runs.channels import choose
    from ...runs.opening import open_run
    from ...terminal.progress import Progress
    from ...terminal.screen import describe

    target = Path(f"{file.stem}.png") if out is None else out
    check_plot_target(target, overwrite, plot.FORMATS)
    if classes and (weights or error or any((epochs, samples, steps, banks, devices, realisations, quantities))):
        raise InputError(
            "--classes: is a figure of its own, of all realisations; leave out what chooses channels or a span"
        )
    with open_run(file) as run:
        if classes:
            from ...scoring import class_figure, classification

            class_figure.draw(classification.classification(run), target, run.dataset.name, overwrite=overwrite)
            say(f"wrote {target}")
            return
        channels = choose(run, banks, devices, realisations or (0,), quantities or plot.FIRST_QUANTITIES)
        first = plot.first_look(run, channels, every_device=bool(devices))
        channels = first.channels
        start, stop = steps_of(run, epochs=epochs, samples=samples, steps=steps, default=(first.start, first.stop))
        with Progress("drawing", quiet=quiet) as progress:
            plot.draw(
                run, channels, start, stop, target,
                weights=weights, error=error, progress=progress, overwrite=overwrite,
            )  # fmt: skip
        if first.window and epochs is None and samples is None and steps is None:
            describe(f"no span is given: the beginning of the first window that {file.name} stores")
        describe(plot.summary(run, channels, start, stop))
    say(f"wrote {target}")
