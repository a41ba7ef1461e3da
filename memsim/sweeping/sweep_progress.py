"""How far a sweep is, over all its packs."""

import sys
import time
from collections.abc import Iterator, Sequence
from types import TracebackType

from ..reporting import PLAIN_SECONDS
from ..terminal.screen import progress_bar
from ..terminal.si import counted
from ..terminal.streams import tell
from .pack_run import Told
from .packs import Pack


class SweepProgress:
    """A bar over all packs on a terminal, a line every ten seconds elsewhere, nothing when quiet.

    Parameters
    ----------
    quiet : bool

    Attributes
    ----------
    started : bool
        Whether packs are being carried out.
    """

    def __init__(self, quiet: bool = False) -> None:
        self.started = False
        self._plain = not quiet and not sys.stderr.isatty()
        self._bar = progress_bar(
            "packs {task.fields[packs]}",
            speed="{task.fields[steps]:.3g} device-steps",
            disable=quiet or self._plain,
        )
        self._packs = self._ended = self._failed = 0
        self._epochs: dict[int, int] = {}  # of each pack, to do
        self._done: dict[int, int] = {}  # of each pack, complete
        self._first: dict[int, int] = {}  # epochs at the first word of each pack: it may go on from earlier ones
        self._steps: dict[int, int] = {}
        self._begun = self._told = time.monotonic()
        self._compiling = ""

    def __enter__(self) -> "SweepProgress":
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None) -> None:
        self._bar.stop()

    def looking(self, packs: Sequence[Pack]) -> Iterator[Pack]:
        """Go through packs whose run files are looked into, and show how far that is."""
        self._bar.start()
        self._told = time.monotonic()
        task = self._bar.add_task("looking", total=len(packs), packs="", steps=0)
        for number, pack in enumerate(packs, 1):
            yield pack
            shown = f"{number}/{len(packs)}"
            self._bar.update(task, completed=number, packs=shown)
            if self._plain and time.monotonic() - self._told >= PLAIN_SECONDS:
                self._told = time.monotonic()
                tell(f"sweep: looked into packs {shown}")
        self._bar.remove_task(task)

    def start(self, packs: Sequence[Pack], before: int, points: int) -> None:
        """The sweep begins.

        Parameters
        ----------
        packs : sequence of Pack
            That are to be carried out.
        before : int
            Packs that were done before.
        points : int
            Of the whole sweep.
        """
        self.started = True
        self._packs, self._ended = len(packs) + before, before
        self._epochs = {pack.number: pack.config.learning.epochs for pack in packs}
        self._begun = self._told = time.monotonic()
        if self._plain:
            done = f", {before} done before" if before else ""
            tell(f"sweep: {counted(points, 'point')} in {counted(self._packs, 'pack')}{done}")
        self._bar.start()
        self._task = self._bar.add_task("sweeping", total=sum(self._epochs.values()), packs="", steps=0)
        self.look()

    def tell(self, told: Told) -> None:
        """A pack is so far."""
        self._tell_of_compiling(told.compiling)
        if told.compiling:
            return
        self._done[told.pack] = told.epoch
        self._first.setdefault(told.pack, told.epoch)
        self._steps[told.pack] = told.device_steps

    def _tell_of_compiling(self, text: str) -> None:
        """Show what a worker compiles in the bar, or in one line; the time that is left does not count it."""
        if text and not self._compiling and self._plain:
            tell(f"sweep: {text}")
        if self._compiling and not text and not self._done:
            self._begun = time.monotonic()
        self._compiling = text

    def ended(self, pack: Pack, failed: bool, finished: bool) -> None:
        """A pack ended."""
        if finished or failed:
            self._ended += 1
            self._failed += failed
            self._done[pack.number] = self._epochs[pack.number]

    def look(self) -> None:
        """Show how far everything is, where it is time to."""
        done, total = sum(self._done.values()), sum(self._epochs.values())
        steps = sum(self._steps.values())
        shown = f"{self._ended}/{self._packs}" + (f", {self._failed} failed" if self._failed else "")
        doing = self._compiling or "sweeping"
        self._bar.update(self._task, completed=done, packs=shown, steps=steps, description=doing)
        now = time.monotonic()
        if self._plain and now - self._told >= PLAIN_SECONDS:
            self._told = now
            made = done - sum(self._first.values())
            left = f"  {(now - self._begun) / made * (total - done):.0f} s left" if made else ""
            tell(f"sweep: packs {shown}  {100 * done / total:.0f} %  {steps:.3g} device-steps{left}")
