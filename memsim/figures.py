"""What all figures share: size, style, colours, units, saving."""

import io
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.ticker import Formatter, FuncFormatter, LogFormatter, ScalarFormatter

from .files.whole import check_output, written_whole
from .terminal.streams import printable

# Okabe and Ito's colours, told apart by everyone; and some of Tol's, where seven are not enough.
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#56B4E9", "#000000")
MORE_COLOURS = (*COLOURS, "#882255", "#999933", "#332288", "#44AA99", "#AA4499")
PHASE_COLOURS = {
    "READ": "#56B4E9",
    "RESTORE": "#009E73",
    "BACKREAD": "#CC79A7",
    "WRITE": "#E69F00",
    "IDLE": "#BBBBBB",
}


class ShownFigure(Figure):
    """A figure that a notebook shows where it is the last thing of a cell."""

    def _repr_png_(self) -> bytes:
        show_as_it_is(self)
        drawn = io.BytesIO()
        self.savefig(drawn, format="png")
        return drawn.getvalue()


def new_figure(width: float, height: float) -> Figure:
    """An empty figure of a size in inches, laid out by itself."""
    figure = ShownFigure(figsize=(width, height), layout="constrained", dpi=150)
    FigureCanvasAgg(figure)
    return figure


def with_origin(panel: Axes, volt: str, ampere: str) -> None:
    """Have axes of currents over voltages in their units, and lines through the origin, where a loop is pinched."""
    panel.axhline(0.0, color="0.75", linewidth=0.7, zorder=0)
    panel.axvline(0.0, color="0.75", linewidth=0.7, zorder=0)
    panel.set_xlabel(f"voltage ({volt})")
    panel.set_ylabel(f"current ({ampere})")


def save(figure: Figure, path: Path, overwrite: bool) -> None:
    """Write a figure; the format is the file's ending.

    Raises
    ------
    InputError
        The file exists, cannot be written, or has an ending that is not known.
    """
    check_plot_target(path, overwrite)
    show_as_it_is(figure)
    drawn = io.BytesIO()
    figure.savefig(drawn, format=path.suffix.removeprefix("."))
    with written_whole(path, overwrite) as begun:
        begun.write_bytes(drawn.getvalue())


def show_as_it_is(figure: Figure) -> None:
    """Have nothing in a text be a formula, or a character that cannot be shown: names are from files.

    Matplotlib's own powers of ten beside an axis are formulas, and stay.
    """
    numbers = set()
    for axis in (axis for axes in figure.axes for axis in (axes.xaxis, axes.yaxis)):
        formatter = axis.get_major_formatter()
        if not isinstance(formatter, LogFormatter | ScalarFormatter):
            axis.set_major_formatter(FuncFormatter(partial(_name, formatter)))
        else:
            numbers |= {id(label) for label in axis.get_ticklabels(which="both")} | {id(axis.get_offset_text())}
    for text in figure.findobj(Text):
        if id(text) not in numbers:
            text.set_parse_math(False)
            text.set_text(_printable(text.get_text()))


def _name(formatter: Formatter, value: float, place: int | None) -> str:
    """What stands at a tick that has a name."""
    return _printable(formatter(value, place))


def _printable(text: str) -> str:
    return "\n".join(map(printable, text.split("\n")))


def check_plot_target(path: Path, overwrite: bool, endings: Sequence[str] = ()) -> None:
    """Refuse a figure's file before the work; its name has one of the endings, or any that there is."""
    known = endings or [f".{name}" for name in sorted(FigureCanvasAgg.get_supported_filetypes())]
    check_output(path, overwrite, known, "a figure's file")
