"""Colours of the page, each a light and a dark one, and the models that wear them; the browser changes them."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from bokeh.model import Model
from bokeh.plotting import figure
from matplotlib import colormaps
from matplotlib.colors import to_hex

from ..figures import MORE_COLOURS


class Colour(NamedTuple):
    """What a property is in either theme: a colour as CSS writes it, or a column with colours."""

    light: Any
    dark: Any

    @property
    def css(self) -> str:
        """For HTML, where the theme of the page chooses."""
        return f"light-dark({self.light}, {self.dark})"


INK = Colour("#1f2430", "#e4e8f0")  # of texts
FAINT = Colour("#7b8494", "#8b95a7")  # of axes, levels and marks
GRID = Colour("#e6e9ef", "#2c3442")
ON_DARK = {
    "#0072B2": "#7FD0FF", "#000000": "#F4F4F4", "#882255": "#E7A0B8", "#999933": "#D9D26A", "#332288": "#A99CF0",
    "#44AA99": "#6EDCCB", "#AA4499": "#F28CE0",
}  # fmt: skip
CURVES = tuple(Colour(light, ON_DARK.get(light, light)) for light in MORE_COLOURS)
SPECTRUM = Colour((0.0, 0.88), (0.28, 1.0))  # the part of the colour map viridis that many curves take
PHASE_OPACITY = 0.28  # of the shading behind the data


def curve_colours(count: int) -> list[Colour]:
    """A colour for each of some curves."""
    if count <= len(CURVES):
        return list(CURVES[:count])
    return [Colour(*(_of_spectrum(part, k / (count - 1)) for part in SPECTRUM)) for k in range(count)]


def _of_spectrum(part: tuple[float, float], place: float) -> str:
    first, last = part
    return to_hex(colormaps["viridis"](first + (last - first) * place))


class Themed:
    """Models whose colours change with the theme.

    They are made in the light one. The browser has the others too, and puts
    them on without a question to the server.

    Attributes
    ----------
    looks : list of [Model, {"light": {property: value}, "dark": {property: value}}]
    """

    def __init__(self) -> None:
        self.looks: list[list[Any]] = []

    def paint(self, model: Model, **colours: Colour) -> None:
        """Give a model's properties colours."""
        light, dark = ({name: getattr(of, theme) for name, of in colours.items()} for theme in Colour._fields)
        model.update(**light)
        self.looks.append([model, {"light": light, "dark": dark}])

    def paint_figures(self, figures: Sequence[figure]) -> None:
        """Give figures their colours, their curves left alone; their ground is the page's."""
        for each in figures:
            each.background_fill_color = each.border_fill_color = None
            self.paint(each, outline_line_color=GRID)
            for axis in each.axis:
                self.paint(axis, axis_label_text_color=INK, major_label_text_color=INK)
                self.paint(axis, axis_line_color=FAINT, major_tick_line_color=FAINT)
                if axis.minor_tick_line_color is not None:
                    self.paint(axis, minor_tick_line_color=FAINT)
            for grid in each.grid:
                self.paint(grid, grid_line_color=GRID)
            if each.title is not None:
                self.paint(each.title, text_color=INK)
