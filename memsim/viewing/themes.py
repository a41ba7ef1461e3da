"""Colours of the page: a light and a dark theme, and how figures wear them."""

from collections.abc import Sequence
from dataclasses import dataclass

from bokeh.plotting import figure
from matplotlib import colormaps
from matplotlib.colors import to_hex

# Okabe and Ito's colours; the others, some of them Tol's, suit each ground.
_SHARED = ("#E69F00", "#009E73", "#CC79A7", "#D55E00", "#56B4E9")


@dataclass(frozen=True)
class Theme:
    """Colours, as CSS writes them.

    Attributes
    ----------
    name : str
    ink, faint, grid : str
        Of texts; of axes, levels and marks; of lines behind the data.
    curves : tuple of str
        Told apart by everyone; for a few curves.
    spectrum : (float, float)
        Part of the colour map viridis that many curves take.
    phase_opacity : float
        Of the shading behind the data.
    """

    name: str
    ink: str
    faint: str
    grid: str
    curves: tuple[str, ...]
    spectrum: tuple[float, float]
    phase_opacity: float

    def colours(self, count: int) -> list[str]:
        """A colour for each of some curves."""
        if count <= len(self.curves):
            return list(self.curves[:count])
        first, last = self.spectrum
        places = (first + (last - first) * k / (count - 1) for k in range(count))
        return [to_hex(colormaps["viridis"](place)) for place in places]


LIGHT = Theme(
    "light", "#1f2430", "#7b8494", "#e6e9ef",
    ("#0072B2", *_SHARED, "#000000", "#882255", "#999933", "#332288", "#44AA99", "#AA4499"), (0.0, 0.88), 0.28,
)  # fmt: skip
DARK = Theme(
    "dark", "#e4e8f0", "#8b95a7", "#2c3442",
    ("#7FD0FF", *_SHARED, "#F4F4F4", "#E7A0B8", "#D9D26A", "#A99CF0", "#6EDCCB", "#F28CE0"), (0.28, 1.0), 0.30,
)  # fmt: skip
THEMES = {theme.name: theme for theme in (LIGHT, DARK)}


def paint(figures: Sequence[figure], theme: Theme) -> None:
    """Give figures the colours of a theme; their ground is the page's."""
    for each in figures:
        each.background_fill_color = each.border_fill_color = None
        each.outline_line_color = theme.grid
        for axis in each.axis:
            axis.axis_label_text_color = axis.major_label_text_color = theme.ink
            axis.axis_line_color = axis.major_tick_line_color = axis.minor_tick_line_color = theme.faint
        for grid in each.grid:
            grid.grid_line_color = theme.grid
        for legend in each.legend:
            legend.label_text_color = theme.ink
        if each.title is not None:
            each.title.text_color = theme.ink
