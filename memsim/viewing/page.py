"""The page of one run: its places, what is in view, and what the figures show of it."""

import contextlib
import html
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from bokeh.document import Document
from bokeh.events import MouseMove
from bokeh.models import (
    Column,
    CrosshairTool,
    CustomJS,
    Div,
    Range1d,
    Row,
    Span,
    TabPanel,
    Tabs,
    TextInput,
    UIElement,
)  # fmt: skip
from jinja2 import Environment, PackageLoader

from ..analysis.spans import unit_steps
from ..analysis.time_axis import duration
from ..figures import PHASE_COLOURS
from ..runs.channels import Channels
from ..runs.run import Run
from ..runs.timeline import PHASES, Timeline
from ..terminal.si import counted
from .choice import Choice
from .controls import TEXTS, Controls, dress_all
from .details import LoopFigure, WeightFigure, loop_of, weight_image
from .exports import View, links, snippet
from .failures import said_of
from .looks import Kind, Look, Looker
from .marks import MarkLines, marks_between
from .moves import LEAST_STEPS, Moves
from .panels import Panel, groups_of
from .refining import Refiner, Replay
from .themes import FAINT, INK, Themed
from .timing_lanes import NO_PULSES, NO_SLOTS, TimingDiagram, pulses_between, slots_between
from .whole_run import Overview

FIRST_COLUMNS = 1000  # of pixels, before the browser has told how many there are
PULSED_SAMPLES = 12  # in view whose pulses are drawn
REST_MS = 700  # that a span is in view before all its steps are replayed
HEARING_MS = 150  # between looks at how far that is
MOST_REFINED = 120.0  # seconds that the replay of all steps of a span may take
POLL_TIMES = 4.0  # the time that a look takes; so long after it a growing file is left alone
GATHERING_MS = 30  # in which zooms are gathered to one
POLL_MS = 1000  # between looks at a file that grows

# The files are the project's own; what they are given is escaped where it is written.
_TEMPLATES = Environment(loader=PackageLoader("memsim.viewing", "."), autoescape=False)  # noqa: S701


class Page:
    """One browser's page.

    Parameters
    ----------
    document : Document
    run : Run
        Open; the page closes it.
    choice : Choice
    span : (start, stop), optional
        Steps that are in view first; all there are where it is not given.
    address : str
        The page's own, for its links.
    looks : dict
        Gets what the page shows, under its view's address, for who exports it.
    """

    def __init__(
        self, document: Document, run: Run, choice: Choice, span: tuple[int, int] | None, address: str,
        looks: dict[str, Look],
    ) -> None:  # fmt: skip
        self.document, self.run, self.choice, self.address = document, run, choice, address
        self.looker = Looker(run)
        self.refiner = Refiner(run.path) if run.path is not None else None
        self.moves = Moves(self)
        self._steps = run.steps  # that were known when the page looked last
        start, stop = span or (0, max(1, self._steps))
        self.along = Range1d(
            float(start), float(stop), bounds=(0, max(1, self._steps)), min_interval=LEAST_STEPS, name="along"
        )
        self._columns = FIRST_COLUMNS
        self._due = False
        self._said = ""  # of a place that was jumped to
        self._looked: Look | None = None
        self._looks, self._query = looks, ""
        # One for all figures that are ever made: the browser finds it by its name.
        self._marker = Span(dimension="height", name="marker", line_dash="dashed", visible=False)
        self._closed = False
        self._moving = False  # the page itself changes what is in view
        self._looked_at, self._took = 0.0, 0.0  # when, and how long it took, in s
        self.controls = Controls(run, choice, self._choose, self._answer, self._go)
        self._make_places()
        self._build()
        for end in ("start", "end"):
            self.along.on_change(end, self._on_span)

    def add_to_document(self) -> None:
        """Put the page into its document."""
        for root in self._roots:
            dress_all(root)
            self.document.add_root(root)
        name = self.run.path.name if self.run.path is not None else "run"
        fill(self.document, name, "", script=_source("page.js"))
        if self.run.live or self.run.steps == 0:
            self.document.add_periodic_callback(self._poll, POLL_MS)

    def close(self) -> None:
        """Close the run's file."""
        self._closed = True
        self._looks.pop(self._query, None)
        self.moves.stop()
        if self.refiner is not None:
            self.refiner.stop()
        self.looker.close()
        self.run.close()

    # The places of the page, and the figures in them

    def _make_places(self) -> None:
        stretch = {"sizing_mode": "stretch_width"}
        self._overview_place, self._figures_place = (Column(name=name, **stretch) for name in ("overview", "channels"))
        self._status, self._progress, self._cursor, self._export, self._help, self._about = (
            Div(name=name, stylesheets=[TEXTS], **stretch)
            for name in ("status", "progress", "cursor", "export", "help", "about")
        )
        self._about.margin = 0
        self._about.text = f'<p class="said">{html.escape(about(self.run))}</p>'
        self._progress.visible = False
        self._help.visible, self._help.text = False, _TEMPLATES.get_template("help.html").render()
        request = TextInput(name="request", visible=False)
        request.on_change("value", lambda attr, old, new: self._answer(new.split()[0]))
        self._tabs = Tabs(tabs=[], name="details", **stretch)
        self._tabs.on_change("active", self._refresh_on_change)
        self.controls.loop_bank.on_change("value", lambda attr, old, new: self.controls.offer_devices(self.choice))
        for field in (self.controls.loop_bank, self.controls.loop_device, self.controls.image_bank):
            field.on_change("value", self._refresh_on_change)
        sidebar = self.controls.sidebar()
        sidebar.name = "controls"
        self._roots = [
            sidebar, self._overview_place, self._figures_place, self._tabs, self._status, self._progress, self._cursor,
            self._export, self._help, self._about, request,
        ]  # fmt: skip

    def _build(self) -> None:
        """Make the figures anew, for another choice."""
        run, choice, themed = self.run, self.choice, Themed()
        self._overview = Overview(run, self.along, themed)
        self._timing = TimingDiagram(run, choice.channels, self.along, themed)
        self._panels = [
            Panel(run, choice, group, self.along, self._timing.slots, themed) for group in groups_of(run, choice)
        ]
        self._loop, self._image = LoopFigure(themed), WeightFigure(self.along, themed)
        figures = [*(panel.figure for panel in self._panels), self._timing.figure]
        strips = [self._overview.error_figure, self._overview.weight_figure]
        self._marks = MarkLines(figures, themed)
        themed.paint_figures([*figures, *strips, self._loop.figure, self._image.figure])
        self._read_out(figures, themed)
        self.controls.offer(choice)
        self._cursor.text = self._legend()
        self._overview.show(run, choice)
        # The figures have their values before the browser hears of them.
        self._update()
        self._overview_place.children, self._figures_place.children = strips, figures
        fields, active = self.controls, self._tabs.active
        self._tabs.tabs = [
            TabPanel(title="Loop", child=_below([fields.loop_bank, fields.loop_device], self._loop)),
            TabPanel(title="Weights over time", child=_below([fields.image_bank], self._image)),
        ]
        self._tabs.active = active

    def _read_out(self, figures: Sequence[Any], themed: Themed) -> None:
        """Show the values under the pointer, which the browser knows already."""
        run = self.run
        line = Span(dimension="height", line_width=1)
        themed.paint(line, line_color=FAINT)
        themed.paint(self._marker, line_color=INK)
        phases = [PHASES[code] for code in Timeline(run).phases(np.arange(run.sample_steps))]
        clock = {
            "dt": run.dt, "sample_steps": run.sample_steps, "samples": run.samples, "phases": phases,
            "legend": self._legend(),
        }  # fmt: skip
        panels = [
            {
                "name": p.group.name, "unit": p.group.unit, "names": p.names,
                "colours": [colour.css for colour in p.colours], "sources": p.sources,
            }
            for p in self._panels
        ]  # fmt: skip
        moved = CustomJS(code="window.memsim.readout(cb_obj.x)")
        for figure in figures:
            figure.add_tools(CrosshairTool(overlay=line))
            figure.js_on_event(MouseMove, moved)
        # What the pointer is over changes with what is drawn.
        self._panels[0].sources[-1].js_on_change("data", CustomJS(code="window.memsim.again()"))
        # What page.js reads out, and paints.
        self._marker.tags = [{"cursor": self._cursor, "clock": clock, "panels": panels, "looks": themed.looks}]
        for figure in figures:
            figure.add_layout(self._marker)
        figures[0].on_change("inner_width", self._on_width)

    def _legend(self) -> str:
        """Which colour is which, until the pointer is over an axis."""
        parts = ["<p class=said>Values appear here under the pointer, or with the keys , and .</p>"]
        for panel in self._panels:
            rows = "".join(
                f'<tr><td><i style="background:{colour.css}"></i>{html.escape(name)}</td></tr>'
                for name, colour in zip(panel.names, panel.colours, strict=True)
            )
            parts.append(f"<table><caption>{html.escape(panel.group.name)}</caption>{rows}</table>")
        return "".join(parts)

    # What is in view

    @property
    def channels(self) -> Channels:
        """What is looked at."""
        return self.choice.channels

    @property
    def span(self) -> tuple[int, int]:
        """Steps that are in view."""
        start = min(max(int(self.along.start), 0), max(0, self.run.steps - 1))
        return start, max(start + 1, min(self.run.steps, -int(-self.along.end // 1)))

    def look_at(self, start: int, stop: int, said: str = "") -> None:
        """Bring a span into view, and say what is there."""
        start = max(0, min(start, self.run.steps - LEAST_STEPS))
        stop = max(start + LEAST_STEPS, min(stop, self.run.steps))
        self._moving = True
        self.along.update(start=float(start), end=float(stop))
        self._moving = False
        self._said = said
        self._refresh()

    def say(self, text: str, *, failed: bool = False) -> None:
        """Say something in the page's line."""
        self._status.text = f'<p class="{"failed" if failed else "said"}" role="status">{html.escape(text)}</p>'

    def soon(self, action: Callable[[], None]) -> None:
        """Do something once the page has answered what waits."""
        if not self._closed:
            self.document.add_next_tick_callback(lambda: None if self._closed else action())

    def _refresh_on_change(self, attribute: str, old: object, new: object) -> None:
        self._refresh()

    def _on_span(self, attribute: str, old: object, new: object) -> None:
        if not self._moving:  # somebody looks elsewhere
            self.controls.follow.active = False
        self._refresh()

    def _on_width(self, attribute: str, old: object, new: object) -> None:
        if abs(self._panels[0].columns - self._columns) > 0.1 * self._columns:
            self._refresh()

    def _refresh(self) -> None:
        """Show what is in view, once what the browser sends in one go is taken in."""
        if not self._due:
            self._due = True
            self.document.add_timeout_callback(self._update, GATHERING_MS)

    def _update(self) -> None:
        self._due = False
        if self._closed:
            return
        if self.run.steps == 0:
            self.say("the run has no keyframe yet, so there is nothing to look at; this page waits for one")
            return
        self.document.hold("combine")
        with self._failures_said():
            self._show(time.perf_counter())
        self.document.unhold()

    @contextlib.contextmanager
    def _failures_said(self) -> Iterator[None]:
        """Have the page say what goes wrong."""
        try:
            yield
        except Exception as error:
            self.say(said_of(error), failed=True)

    def _show(self, begun: float) -> None:
        if self.refiner is not None:
            self.refiner.stop()
        self._tell("")
        start, stop = self.span
        self._columns = self._panels[0].columns or self._columns
        self._looked = look = self.looker.look(self.channels, start, stop, self._columns)
        for panel in self._panels:
            panel.show(look.curves, sampled=look.kind is Kind.SAMPLED)
        self._cursor.tags = [f"of {counted(look.samples, 'sample')} in each part"] if look.kind is Kind.SAMPLED else []
        self._marks.show(marks_between(self.run, start, stop))
        self._show_timing(start, stop)
        if self._tabs.active == 0:
            self._show_loop(start, stop)
        else:
            self._show_image(start, stop)
        view = View(self.choice, start, stop, self._columns)
        self._keep(view, look)
        python = html.escape(snippet(self.run, view))
        self._export.text = (
            f"<nav>Export what is in view: {links(view, self.address)}</nav>"
            f"<details><summary>Python for this window</summary><pre>{python}</pre></details>"
        )
        said, self._said = self._said, ""
        self._looked_at, self._took = time.perf_counter(), time.perf_counter() - begun
        self.say(f"{said or self._described(look)} [{1e3 * self._took:.0f} ms]{self._state()}")
        if look.kind is Kind.SAMPLED:
            # Not while somebody zooms on.
            self.document.add_timeout_callback(lambda: self._refine(look), REST_MS)

    def _show_timing(self, start: int, stop: int) -> None:
        slots = slots_between(self.run, start, stop, self._columns)
        few = slots is not NO_SLOTS and stop - start <= PULSED_SAMPLES * self.run.sample_steps
        self._timing.show(slots, pulses_between(self.run, self.channels, start, stop) if few else NO_PULSES)

    def _show_loop(self, start: int, stop: int) -> None:
        bank, device = self.controls.loop_bank.value, int(self.controls.loop_device.value)
        lane = self.channels.realisations[0]
        data = loop_of(self.looker, bank, device, lane, start, stop)
        self._loop.show(data, f"{bank} {device}, realisation {lane}")

    def _show_image(self, start: int, stop: int) -> None:
        bank, lane = self.controls.image_bank.value, self.channels.realisations[0]
        known = self.run.bank(bank)
        names = [v[0] for v in known.variables] if len(known.variables) > 1 else [str(n) for n in range(known.devices)]
        self._image.show(weight_image(self.looker, bank, lane, start, stop), f"{bank}, realisation {lane}", names)

    def _keep(self, view: View, look: Look) -> None:
        """Have what is shown at hand for an export."""
        self._looks.pop(self._query, None)
        self._query = view.query()
        self._looks[self._query] = look

    def _described(self, look: Look) -> str:
        first, last = (step // unit_steps("epochs", self.run) for step in (look.start, look.stop - 1))
        epochs = f"epoch {first:,}" if first == last else f"epochs {first:,} to {last:,}"
        length = duration((look.stop - look.start) * self.run.dt)
        return f"steps {look.start:,} to {look.stop:,} ({length}), {epochs}: {look}"

    def _state(self) -> str:
        """How far a run is that goes on."""
        if not self.run.live:
            return ""
        return f"; the run goes on: epoch {len(self.run.total_error):,} of {self.run.config.learning.epochs:,}"

    # All steps of a long span, replayed beside the page

    def _refine(self, look: Look) -> None:
        """Have every step replayed where the look has only some, if that does not take too long."""
        if self.refiner is None or look is not self._looked:
            return
        if self.looker.seconds_for_all(self.channels, look.start, look.stop) <= MOST_REFINED:
            self._hear(self.refiner.begin(self.channels, look.start, look.stop, self._columns), look)

    def _tell(self, text: str) -> None:
        """Say how far a replay beside the page is; nothing for an empty text."""
        self._progress.text, self._progress.visible = f'<p class="said">{text}</p>', bool(text)

    def _hear(self, replay: Replay, coarse: Look) -> None:
        """Say how far a replay is, or show what it found, while the page still shows what it is of."""
        if self._closed or coarse is not self._looked:
            return
        if replay.found is not None:
            self._take(replay.found)
        elif replay.failed:
            self._tell("")
            self.say(replay.failed, failed=True)
        else:
            self._tell(f"all steps are being replayed: {replay.share:.0%}")
            self.document.add_timeout_callback(lambda: self._hear(replay, coarse), HEARING_MS)

    def _take(self, found: Look) -> None:
        """Show the extremes of all steps, where those of some of them were."""
        self._looked = self._looks[self._query] = found
        self.document.hold("combine")
        for panel in self._panels:
            panel.show(found.curves)
        self._cursor.tags = []
        self._tell("")
        self.say(f"{self._described(found)}{self._state()}")
        self.document.unhold()

    # What the browser asks for

    def _choose(self) -> None:
        """Take the fields over."""
        with self._failures_said():
            self.choice = self.controls.choice()
            self._build()

    def _go(self, unit: str, number: int) -> None:
        """Go to a number."""
        self.controls.follow.active = False
        if self.run.steps:
            self.moves.go(unit, number)

    def _answer(self, word: str) -> None:
        """Do what a button or a key stands for."""
        with self._failures_said():
            self._do(word)

    def _do(self, word: str) -> None:
        if word == "help":
            self._help.visible = not self._help.visible
        elif word == "follow":
            self.controls.follow.active = self.run.live and not self.controls.follow.active
        elif word == "following":
            self._poll()
        elif word in self.moves.words and self.run.steps:
            self.controls.follow.active = False
            self.moves.phase = self.controls.phase.value
            self.moves.words[word]()

    def _poll(self) -> None:
        """Look at what has been written since, but leave time for other things."""
        if self._closed or time.perf_counter() - self._looked_at < POLL_TIMES * self._took:
            return
        with self._failures_said():
            self._take_growth()

    def _take_growth(self) -> None:
        before, self._steps = self._steps, self.run.steps
        if self._steps > before:
            start, end = self.along.start, self.along.end
            self._moving = True
            self.along.bounds = (0, self._steps)
            self._moving = False
            self._overview.show(self.run, self.choice)
            if (start, end) == (0, max(1, before)):  # all of it was in view, and is to be
                self.look_at(0, self._steps)
            elif self.controls.follow.active:
                self.look_at(self._steps - int(end - start), self._steps)
        text = f'<p class="said">{html.escape(about(self.run))}</p>'
        if text != self._about.text:
            self._about.text = text
        self.controls.follow.visible = self.run.live


def fill(document: Document, headline: str, text: str, *, script: str = "", **more: object) -> None:
    """Give a document the page's frame: its style, its script, and its headline."""
    document.title = f"{headline} - memsim"
    document.template = _TEMPLATES.get_template("page.html")
    document.template_variables.update(
        css=_source("page.css"),
        script=script,
        headline=html.escape(headline),
        about=html.escape(text),
        phases=PHASE_COLOURS,
        **more,
    )


def fill_broken(document: Document, message: str) -> None:
    """A page that says what is wrong with the file."""
    fill(document, "This run cannot be looked at", message, broken=True)
    document.add_root(Div(text="", name="broken"))


def about(run: Run) -> str:
    """A run in a line: its data, its network, its size."""
    network = run.config.network
    layers = getattr(network, "layers", None)
    parts = [
        run.dataset.name,
        "-".join(map(str, layers)) if layers else str(network.kind),
        f"{counted(len(run.total_error), 'epoch')} of {counted(run.samples, 'sample')}",
        counted(run.realisations, "realisation"),
        f"{run.steps:,} steps of {duration(run.dt)}",
        "running" if run.live else "stopped" if run.stopped else "finished" if run.finished else "interrupted",
        "all steps are in the file" if set(run.banks) <= set(run.traced) else "steps are replayed from keyframes",
    ]
    return " · ".join(parts)


def _below(fields: Sequence[UIElement], look: LoopFigure | WeightFigure) -> Column:
    return Column(Row(*fields), look.title, look.figure, sizing_mode="stretch_width")


def _source(name: str) -> str:
    return (Path(__file__).parent / name).read_text(encoding="utf-8")
