"""What stdout and stderr show: lines, tables that fit the terminal, bars. Every text passes :func:`streams.printable`.

Nothing in a text is markup. No number is cut, no word broken and no name
shortened: on a terminal that is too narrow for a table, its rows become lines.
"""

import datetime
import os
import shutil
import sys
import textwrap
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple, TextIO

from rich import box
from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.measure import Measurement
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.table import Column as RichColumn
from rich.table import Table as RichTable
from rich.text import Text

from . import streams

ENDLESS = 100_000  # cells of a line of a file or a pipe
UNKNOWN = 80  # cells of a terminal that does not say how many it has
LEAST_WORDS = 16  # cells that words need to be read beside numbers
LEAST_BAR, WIDEST_BAR = 10, 40


def width_of(stream: TextIO) -> int:
    """Cells of a terminal's line: what COLUMNS says, or else the terminal; without end of a pipe or a file."""
    if not stream.isatty():
        return ENDLESS
    given = os.environ.get("COLUMNS", "")
    if given.isdecimal() and int(given) > 0:
        return int(given)
    try:
        return os.get_terminal_size(stream.fileno()).columns or UNKNOWN
    except OSError:
        return UNKNOWN


def console(stream: TextIO | None = None) -> Console:
    """Rich's terminal, of stdout where no stream is given; for this module, and for what changes in its place."""
    file = stream or sys.stdout
    # A width alone does not count where TERM is dumb.
    height = shutil.get_terminal_size().lines
    return Console(file=file, width=width_of(file), height=height, highlight=False, markup=False, emoji=False)


def _live() -> Console:
    """Where bars are shown: stderr, or a notebook's cell, whose width Rich knows."""
    return Console(file=sys.stderr, highlight=False) if streams.in_notebook() else console(sys.stderr)


def text_of(text: str, style: str = "", stream: TextIO | None = None) -> Text:
    """A text as Rich shows it, with no markup and in characters that the stream has."""
    return Text(streams.printable(text, (stream or sys.stdout).encoding or "utf-8"), style=style)


@dataclass(frozen=True)
class Words:
    """A line, broken between words where a terminal is narrower; its second and later parts are indented further.

    Attributes
    ----------
    text : str
    style : str
        Of Rich, as ``"bold"``.
    """

    text: str
    style: str = ""

    def __rich_console__(self, _: Console, options: ConsoleOptions) -> RenderResult:
        """Break it. A word that is longer than the terminal is left to that."""
        text = text_of(self.text).plain
        indent = text[: len(text) - len(text.lstrip(" "))] + "  "
        broken = textwrap.wrap(
            text, options.max_width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
        )
        for line in broken or [""]:
            yield Text(line, style=self.style, no_wrap=True, overflow="ignore")


def describe(text: str = "", style: str = "") -> None:
    """Print words on stdout; see :class:`Words`."""
    console().print(Words(text, style), crop=False)


class Styled(NamedTuple):
    """A text of a table with a style of Rich, as ``"green"``."""

    text: str
    style: str


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Attributes
    ----------
    heading : str
        Of one line or more.
    number : bool
        Whether it is set to the right.
    words : bool
        Whether its cells may be broken between words.
    """

    heading: str
    number: bool = False
    words: bool = False


def numbers(*headings: str) -> list[Column]:
    """Columns of numbers."""
    return [Column(heading, number=True) for heading in headings]


Cell = str | Styled


class Table:
    """Rows under headings.

    On a terminal that is too narrow for it, words are broken between them; then
    it has no frame; and then each row is a block of ``name: value`` lines.

    Parameters
    ----------
    *columns : Column or str
        A text is the heading of a column of names.
    title : str
    shared : int
        So many first columns are left empty where a row has the same in them as the row above.
    open : bool
        Without a frame, for narrow columns.
    """

    def __init__(self, *columns: Column | str, title: str = "", shared: int = 0, open: bool = False) -> None:
        self._columns = [column if isinstance(column, Column) else Column(column) for column in columns]
        self._title, self._shared, self._open = title, shared, open
        self._rows: list[tuple[Cell, ...]] = []
        self._ends: set[int] = set()  # of sections: how many rows are above

    def row(self, *cells: Cell) -> None:
        """Add a row."""
        self._rows.append(cells)

    def end_section(self) -> None:
        """Draw a line below the last row."""
        self._ends.add(len(self._rows))

    def __rich_console__(self, terminal: Console, options: ConsoleOptions) -> RenderResult:
        """Show it in the form that there is room for."""
        if self._title:
            yield Words(self._title, "bold")
        tables = (self._fitted(terminal, options, framed) for framed in (not self._open, False))
        fitting = next((table for table in tables if table is not None), None)
        yield from self._blocks() if fitting is None else [fitting]

    def _fitted(self, terminal: Console, options: ConsoleOptions, framed: bool) -> RichTable | None:
        """The table, its words broken where it must; None where the terminal is still too narrow."""
        table = self._as_rich(framed)
        excess = Measurement.get(terminal, options.update(max_width=ENDLESS), table).maximum - options.max_width
        widths = {k: _widest(column) for k, column in enumerate(table.columns) if self._columns[k].words}
        least = {k: min(widths[k], max(LEAST_WORDS, _longest_word(table.columns[k]))) for k in widths}
        for _ in range(excess):  # from the widest, cell by cell
            k = max(widths, key=lambda k: (widths[k] > least[k], widths[k]), default=None)
            if k is None or widths[k] <= least[k]:
                return None
            widths[k] -= 1
        for k, width in widths.items():
            table.columns[k].width, table.columns[k].no_wrap = width, False
        return table

    def _as_rich(self, framed: bool) -> RichTable:
        table = RichTable() if framed else RichTable(box=box.SIMPLE_HEAD, show_edge=False, padding=0)
        for column in self._columns:
            heading = Text("\n").join(text_of(line) for line in column.heading.split("\n"))
            table.add_column(heading, justify="right" if column.number else "left", no_wrap=True)
        above: tuple[Cell, ...] = ()
        for number, row in enumerate(self._rows, 1):
            same = self._shared and row[: self._shared] == above[: self._shared]
            shown = ("",) * self._shared + row[self._shared :] if same else row
            table.add_row(*map(_cell, shown), end_section=number in self._ends)
            above = row
        return table

    def _blocks(self) -> Iterator[Words]:
        for row in self._rows:
            for place, (column, cell) in enumerate(zip(self._columns, row, strict=True)):
                shown = _cell(cell)
                if shown.plain:
                    heading = " ".join(column.heading.split("\n"))
                    yield Words(f"{'  ' if place else ''}{heading}: {shown.plain}", str(shown.style))
        yield Words("")


def _cell(cell: Cell) -> Text:
    return text_of(*cell) if isinstance(cell, Styled) else text_of(cell)


def _texts(column: RichColumn) -> list[Text]:
    """Heading and cells."""
    return [text for text in (column.header, *column.cells) if isinstance(text, Text)]


def _longest_word(column: RichColumn) -> int:
    return max(cell_len(word) for text in _texts(column) for word in ("", *text.plain.split()))


def _widest(column: RichColumn) -> int:
    return max(cell_len(line) for text in _texts(column) for line in text.plain.split("\n"))


def show(*shown: Table) -> None:
    """Print tables on stdout."""
    terminal = console()
    for table in shown:
        terminal.print(table, crop=False)


# On stderr, while something goes on


class _Told(TextColumn):
    """A text of a bar."""

    def render(self, task: Task) -> Text:
        """What the format makes of the task."""
        return text_of(self.text_format.format(task=task), stream=sys.stderr)


class _Left(TimeRemainingColumn):
    """The time that is left: as the work itself tells it, or by the pace of its steps."""

    def render(self, task: Task) -> Text:
        """Hours, minutes and seconds."""
        left = task.fields.get("left")
        return super().render(task) if left is None else Text(clock_of(left()), style="progress.remaining")


def clock_of(seconds: float) -> str:
    """A time as a clock shows it, as ``0:07:31``."""
    return str(datetime.timedelta(seconds=max(0, round(seconds))))


class _Bar(Progress):
    """A bar that leaves out, from the least of them, the columns that the terminal has no room for."""

    order: Sequence[ProgressColumn] = ()

    def make_tasks_table(self, tasks: Any) -> RichTable:
        """Lay out the columns."""
        every = self.columns
        table = super().make_tasks_table(tasks)
        for last in range(len(self.order)):
            if self._least_of(table) <= self.console.width:
                break
            self.columns = tuple(column for column in every if column not in self.order[: last + 1])
            table = super().make_tasks_table(tasks)
        self.columns = every
        return table

    def _least_of(self, table: RichTable) -> int:
        """Cells that the columns need."""
        barred = any(isinstance(column, BarColumn) for column in self.columns)
        widest = Measurement.get(self.console, self.console.options.update(max_width=ENDLESS), table).maximum
        return widest - (WIDEST_BAR - LEAST_BAR if barred else 0)


def progress_bar(*formats: str, speed: str | None = None, on: Console | None = None) -> Progress:
    """A bar on stderr that vanishes at its end: what goes on, the bar, its share, columns, the time left.

    The bar takes the room that the others leave. On a narrow terminal the speed
    is left out, then the bar, then the time left, so that no number is cut.

    Parameters
    ----------
    *formats : str
        After the share, as ``"error {task.fields[error]}"``.
    speed : str, optional
        The format of the speed.
    on : Console, optional
        The terminal; stderr, or a notebook's cell, where none is given.
    """
    line = BarColumn(bar_width=None, table_column=RichColumn(min_width=LEAST_BAR, max_width=WIDEST_BAR))
    left, fast = _Left(), [_Told(speed)] if speed else []
    told = [_Told(text) for text in formats]
    bar = _Bar(
        _Told("{task.description}", table_column=RichColumn(no_wrap=True, overflow="ellipsis")),
        line, _Told("{task.percentage:3.0f} %"), *told, *fast, left,
        console=on or _live(), transient=True,
    )  # fmt: skip
    bar.order = (*fast, line, left, *reversed(told))
    return bar


@contextmanager
def waiting(doing: str) -> Iterator[Callable[[str], None]]:
    """A line on stderr that turns while something goes on, and vanishes; what is yielded changes it."""
    with _live().status(text_of(doing, stream=sys.stderr), spinner="line") as status:
        yield lambda text: status.update(text_of(text, stream=sys.stderr))
