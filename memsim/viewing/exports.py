"""What is in view, to take away: figures, tables, and the lines of Python that read the same window."""

import csv
import io
import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import quote, urlencode

from tornado.ioloop import IOLoop
from tornado.web import RequestHandler

from ..analysis.plot import figure_of
from ..errors import InputError
from ..exporting.csv_table import write_csv
from ..exporting.excerpt import Excerpt
from ..figures import show_as_it_is
from ..runs.channels import choose, unit_of
from ..runs.opening import open_run
from ..runs.run import Run
from ..terminal.si import counted
from .choice import Choice
from .failures import said_of
from .looks import Kind, Look, Looker

TYPES = {
    "png": "image/png", "svg": "image/svg+xml", "csv": "text/csv; charset=utf-8", "py": "text/x-python; charset=utf-8"
}  # fmt: skip
MOST_READ = 2_000_000  # steps whose every number is read at once
MOST_COLUMNS = 10_000  # of pixels, whatever an address says
POINT_COLUMNS = (
    "step", "steps", "time_s", "bank", "device", "variable", "realisation", "quantity", "unit", "smallest", "largest",
    "of",
)  # fmt: skip


@dataclass(frozen=True)
class View:
    """What is in view: channels over a span of steps, in so many columns of pixels."""

    choice: Choice
    start: int
    stop: int
    columns: int

    def query(self) -> str:
        """As the query of an address; :func:`view_of` reads it."""
        channels = self.choice.channels
        return urlencode({
            "start": self.start, "stop": self.stop, "columns": self.columns, "banks": ",".join(channels.banks),
            "devices": json.dumps(dict(channels.devices)), "realisations": ",".join(map(str, channels.realisations)),
            "quantities": ",".join(channels.quantities), "weights": int(self.choice.weights),
        })  # fmt: skip


def view_of(run: Run, fields: dict[str, str]) -> View:
    """The view that the fields of an address ask for.

    Raises
    ------
    InputError
        A field is missing, is no number, or asks for what the run does not have.
    """
    try:
        start, stop, columns, weights = (int(fields[name]) for name in ("start", "stop", "columns", "weights"))
        devices = {bank: tuple(map(int, numbers)) for bank, numbers in json.loads(fields["devices"]).items()}
        banks, quantities, realisations = (fields[name].split(",") for name in ("banks", "quantities", "realisations"))
        known = choose(run, banks, (), [int(number) for number in realisations], quantities)
        theirs = {bank: choose(run, [bank], devices[bank]).devices[bank] for bank in known.banks}
    except (KeyError, ValueError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise InputError(f"export: the address is not one that the page gave ({error}); take it from there") from None
    run.checked_steps(start, stop, field="export")
    return View(Choice(replace(known, devices=theirs), bool(weights)), start, stop, max(2, min(columns, MOST_COLUMNS)))


def snippet(run: Run, view: View) -> str:
    """Lines of Python that read what is in view: every step of the same window, or the extremes of a long one."""
    channels = view.choice.channels
    lanes = list(channels.realisations)
    path = str(run.path) if run.path is not None else "run.h5"
    short = view.stop - view.start <= MOST_READ
    held = (
        "window = {}  # (bank, quantity) to (steps, devices, [variables,] realisations)" if short
        else "envelope = {}  # (bank, quantity) to steps, minimum, maximum of all devices and realisations"
    )  # fmt: skip
    lines = ["import memsim", "", f"with memsim.open_run({path!r}) as run:"]
    lines.append(f"    start, stop = {view.start}, {view.stop}  # steps of {run.dt:g} s, stop not included")
    lines += [f"    realisations = {lanes}"] * short + [f"    {held}"]
    read = "window" if short else "envelope"
    for bank in channels.banks:
        for quantity in channels.quantities:
            units = ", ".join(dict.fromkeys(unit_of(run, channel) for channel in channels.of(bank, quantity)))
            lines.append(f"    {read}[{bank!r}, {quantity!r}] = run.{read}(  # {units}")
            if read == "window":
                devices = list(channels.devices[bank])
                lines.append(
                    f"        {bank!r}, {quantity!r}, start, stop, devices={devices}, realisations=realisations"
                )  # fmt: skip
            else:
                lines.append(f"        {bank!r}, {quantity!r}, start, stop, points={max(1, view.columns // 2)}")
            lines.append("    )")
    if view.choice.weights:
        banks = ", ".join(repr(bank) for bank in channels.banks)
        lines.append(f"    banks = [bank for bank in run.calibration if bank.name in ({banks},)]")
        lines.append("    weights_of = {bank.name: bank.weights for bank in banks}  # of a bank: states to weights")
    return "\n".join(lines) + "\n"


def points_table(run: Run, look: Look) -> str:
    """The points that are in view as CSV: a row for each point of each channel, with its smallest and largest value."""
    out = io.StringIO()
    table = csv.writer(out, lineterminator="\n")
    table.writerow(POINT_COLUMNS)
    seen = "all steps" if look.kind is not Kind.SAMPLED else counted(look.samples, "sample")
    for channel, curve in look.curves.items():
        variables = run.bank(channel.bank).variables
        name = variables[channel.variable][0] if channel.variable is not None else ""
        same = (channel.bank, channel.device, name, channel.realisation, channel.quantity, unit_of(run, channel))
        edges = curve.edges.tolist()
        for first, end, low, high in zip(edges[:-1], edges[1:], curve.low.tolist(), curve.high.tolist(), strict=True):
            table.writerow((first, end - first, first * run.dt, *same, low, high, seen))
    return out.getvalue()


def exported(run: Run, view: View, kind: str, look: Look | None = None) -> bytes:
    """What is in view in a format: ``png``, ``svg``, ``csv`` or ``py``; ``look`` is what a page shows of it.

    A CSV has every step where the page shows every step, in the tidy table of
    ``memsim trace export``; else the points that the page shows.
    """
    channels = view.choice.channels
    if kind == "py":
        return snippet(run, view).encode()
    if kind == "csv":
        return _table(run, view, look).encode()
    figure = figure_of(run, channels, view.start, view.stop, weights=view.choice.weights)
    show_as_it_is(figure)
    out = io.BytesIO()
    figure.savefig(out, format=kind)
    return out.getvalue()


def _table(run: Run, view: View, look: Look | None) -> str:
    if look is None:
        looker = Looker(run)
        try:
            look = looker.look(view.choice.channels, view.start, view.stop, view.columns)
        finally:
            looker.close()
    if look.kind is not Kind.STEPS:
        return points_table(run, look)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "view.csv"
        write_csv(Excerpt(run, view.choice.channels, view.start, view.stop, 1), path, lambda done, rows: None)
        return path.read_text(encoding="utf-8")


class ExportHandler(RequestHandler):
    """Answers ``export.FORMAT?...`` with a file to save."""

    def initialize(self, path: Path, looks: Mapping[str, Look]) -> None:
        """Take the run's file, and what pages show now, by their views' addresses."""
        self._path, self._looks = path, looks

    async def get(self, kind: str) -> None:
        """Send what the address asks for, or one line that says what is wrong with it."""
        try:
            # A long span takes a while; pages are answered meanwhile.
            name, content = await IOLoop.current().run_in_executor(None, self._made, kind)
        except Exception as error:
            self.set_status(400)
            self.set_header("Content-Type", "text/plain; charset=utf-8")
            self.finish(f"memsim: {said_of(error)}\n")
            return
        self.set_header("Content-Type", TYPES[kind])
        self.set_header(
            "Content-Disposition", f"attachment; filename=\"{_plain(name)}\"; filename*=UTF-8''{quote(name, safe='')}"
        )
        self.finish(content)

    def _made(self, kind: str) -> tuple[str, bytes]:
        fields = {name: self.get_query_argument(name) for name in self.request.query_arguments}
        with open_run(self._path) as run:
            view = view_of(run, fields)
            return f"{self._path.stem}-{view.start}-{view.stop}.{kind}", exported(
                run, view, kind, self._looks.get(view.query())
            )


def _plain(name: str) -> str:
    """A file's name without signs that mean something in a header."""
    return "".join(sign if sign.isascii() and (sign.isalnum() or sign in "-._") else "_" for sign in name)


def links(view: View, address: str) -> str:
    """Links to all formats, as HTML."""
    query = view.query().replace("&", "&amp;")
    names = {"png": "PNG", "svg": "SVG", "csv": "CSV", "py": "Python"}
    return " ".join(f'<a href="{address}/export.{kind}?{query}" download>{names[kind]}</a>' for kind in TYPES)
