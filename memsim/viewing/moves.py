"""Where the page looks: the words of buttons and keys, numbers to go to, and searches that go on in the background."""

import time
from collections.abc import Callable, Iterator
from typing import Protocol

from ..analysis.spans import unit_steps
from ..runs.channels import Channels
from ..runs.run import Run
from .failures import said_of
from .jumps import ANY_PHASE, Found, Searched, counted_disturbs, next_disturb, next_slot, next_switching

SEARCH_SECONDS = 0.15  # after which the page answers what waits
LEAST_STEPS = 8  # in view
TRIED_SAMPLES = 16  # of a long span, until one has a current


class Shown(Protocol):
    """What moves need of the page."""

    run: Run

    @property
    def span(self) -> tuple[int, int]:
        """Steps in view."""

    @property
    def channels(self) -> Channels:
        """What is looked at."""

    def look_at(self, start: int, stop: int, said: str = "") -> None:
        """Bring a span into view, and say what is there."""

    def say(self, text: str, *, failed: bool = False) -> None:
        """Say something in the page's line."""

    def soon(self, action: Callable[[], None]) -> None:
        """Do something once the page has answered what waits."""


class Moves:
    """Changes what is in view.

    Parameters
    ----------
    page : Shown
    """

    def __init__(self, page: Shown) -> None:
        self._page, self._run = page, page.run
        self._marked = -1  # the step that was jumped to
        self._search: Iterator[Searched | Found] | None = None
        self.phase = ANY_PHASE
        self.words: dict[str, Callable[[], None]] = {
            "all": lambda: page.look_at(0, self._run.steps),
            "begin": lambda: page.look_at(0, self._length()),
            "end": lambda: page.look_at(self._run.steps - self._length(), self._run.steps),
            "epoch": lambda: self._around("epochs", self._middle()),
            "sample": lambda: self._around("samples", self._busy_middle()),
            "slot": lambda: self._arrive(next_slot(self._run, self._slot_before()), "no slot begins there"),
            "next-phase": lambda: self._arrive(
                next_slot(self._run, self._place(), self.phase), f"{self.phase} does not come again"
            ),
            "next-switching": lambda: self._begin(next_switching(self._run, page.channels, self._place())),
            "next-disturb": self._find_disturb,
            "stop": self.stop,
        }

    @property
    def searching(self) -> bool:
        """Whether a search goes on."""
        return self._search is not None

    def go(self, unit: str, number: int) -> None:
        """Look at an epoch, at a sample of the epoch in view, or at a step in its surroundings.

        Parameters
        ----------
        unit : {"epoch", "sample", "step"}
        number : int
            From 0.
        """
        run = self._run
        start, stop = self._page.span
        epoch = unit_steps("epochs", run)
        if unit == "epoch":
            at, length = number * epoch, epoch
        elif unit == "sample":
            at, length = (start + stop) // 2 // epoch * epoch + number * run.sample_steps, run.sample_steps
        else:
            at, length = number, run.sample_steps
        if not 0 <= at < run.steps:
            self._page.say(
                f"{unit}: the run has steps 0 to {run.steps - 1:,} so far, {run.sample_steps:,} of each sample "
                f"(got {unit} {number:,})", failed=True,
            )  # fmt: skip
            return
        first = at - length // 2 if unit == "step" else at
        self._marked = at
        self._page.look_at(first, first + length)

    def stop(self) -> None:
        """End a search."""
        if self._search is not None:
            self._search = None
            self._page.say("the search was stopped")

    def _length(self) -> int:
        start, stop = self._page.span
        return stop - start

    def _place(self) -> int:
        """The step that jumps go on behind: the one that was jumped to while it is in view, else the one before it."""
        start, stop = self._page.span
        return self._marked if start <= self._marked < stop else start - 1

    def _slot_before(self) -> int:
        """The step before the last slot that begins up to the middle of what is in view."""
        sample, within = divmod(self._busy_middle(), self._run.sample_steps)
        begun = self._run.slots["start"][self._run.slots["start"] <= within]
        return int(sample * self._run.sample_steps + (begun.max() if len(begun) else 0)) - 1

    def _middle(self) -> int:
        start, stop = self._page.span
        return (start + stop) // 2

    def _busy_middle(self) -> int:
        """The middle of what is in view; of a span in which samples are too small to be meant, a sample with a current.

        That is the first one from there on, as far as some were tried; where
        nothing flows in any of them, the one in the middle.
        """
        start, stop = self._page.span
        size = self._run.sample_steps
        if stop - start < unit_steps("epochs", self._run):
            return self._middle()
        first = self._middle() // size
        tried = range(first, min(first + TRIED_SAMPLES, stop // size))
        return next(filter(self._has_current, tried), first) * size

    def _has_current(self, sample: int) -> bool:
        """Whether a current flows in a shown device within a sample."""
        channels, size = self._page.channels, self._run.sample_steps
        rows = self._run.stretch(
            sample * size, (sample + 1) * size, channels.banks, realisations=channels.realisations
        )  # fmt: skip
        return any(rows[bank].current[:, list(channels.devices[bank])].any() for bank in channels.banks)

    def _around(self, unit: str, step: int) -> None:
        """Look at the epoch or sample that has a step."""
        size = unit_steps(unit, self._run)
        first = step // size * size
        self._page.look_at(first, first + size)

    def _find_disturb(self) -> None:
        if counted_disturbs(self._run, self._page.channels) == 0:
            self._page.say("no read disturb was counted in this run so far, of what is shown")
            return
        self._begin(next_disturb(self._run, self._page.channels, self._place()))

    def _begin(self, search: Iterator[Searched | Found]) -> None:
        going_on = self._search is not None
        self._search = search
        if not going_on:
            self._search_on()

    def _search_on(self) -> None:
        """Search one piece further; the page answers in between."""
        if self._search is None:
            return
        until = time.perf_counter() + SEARCH_SECONDS
        try:
            found = next(self._search, None)
            while isinstance(found, Searched) and time.perf_counter() < until:
                found = next(self._search, None)
        except Exception as error:
            self._search = None
            self._page.say(said_of(error), failed=True)
            return
        if isinstance(found, Searched):
            self._page.say(f"searching: nothing up to step {found.step:,} of {self._run.steps:,}; Esc stops")
            self._page.soon(self._search_on)
        else:
            self._search = None
            self._arrive(found, "nothing more up to the run's end")

    def _arrive(self, found: Found | None, otherwise: str) -> None:
        """Bring a place into view: with half its length about it, and a step with half a sample."""
        if found is None:
            self._page.say(otherwise)
            return
        self._marked = found.start
        length = found.stop - found.start
        around = self._run.sample_steps // 2 if length < LEAST_STEPS else length // 2
        self._page.look_at(found.start - around, found.stop + around, f"step {found.start:,}: {found.said}")
