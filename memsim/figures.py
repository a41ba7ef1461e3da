"""What all figures share: size, style, colours, units, saving."""

from pathlib import Path

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from .errors import InputError
from .traces.run_file import check_target

# Okabe and Ito's colours, told apart by everyone.
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#56B4E9", "#000000")
PHASE_COLOURS = {
    "READ": "#56B4E9",
    "RESTORE": "#009E73",
    "BACKREAD": "#CC79A7",
    "WRITE": "#E69F00",
    "IDLE": "#BBBBBB",
}


def new_figure(width: float, height: float) -> Figure:
    """An empty figure of a size in inches, laid out by itself."""
    figure = Figure(figsize=(width, height), layout="constrained", dpi=150)
    FigureCanvasAgg(figure)
    return figure


def save(figure: Figure, path: Path, overwrite: bool) -> None:
    """Write a figure; the format is the file's ending.

    Raises
    ------
    InputError
        The file exists, cannot be written, or has an ending that is not known.
    """
    check_plot_target(path, overwrite)
    figure.savefig(path)


def check_plot_target(path: Path, overwrite: bool) -> None:
    """Refuse a plot's file before the work, not after it."""
    known = FigureCanvasAgg.get_supported_filetypes()
    if path.suffix.removeprefix(".") not in known:
        raise InputError(f"{path}: a figure's file must end in .{', .'.join(sorted(known))}")
    try:
        check_target(path, overwrite)
    except ValueError as error:
        raise InputError(str(error)) from None
