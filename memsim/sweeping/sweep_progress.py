"""How far a sweep is, over all its packs."""

from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import Self

from ..terminal.progress import Progress
from ..terminal.si import counted
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
        self._shown = Progress(
            "looking", ("packs {task.fields[packs]}",), speed="{task.fields[steps]:.3g} device-steps", quiet=quiet
        )
        self._packs = self._ended = self._failed = 0
        self._epochs: dict[int, int] = {}  # of each pack, to do
        self._done: dict[int, int] = {}  # of each pack, complete
        self._first: dict[int, int] = {}  # epochs at the first word of each pack: it may go on from earlier ones
        self._steps: dict[int, int] = {}
        self._compiling = ""

    def __enter__(self) -> Self:
        self._shown.__enter__()
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None) -> None:
        self._shown.__exit__(kind, value, at)

    def looking(self, packs: Sequence[Pack]) -> Iterator[Pack]:
        """Go through packs whose run files are looked into, and show how far that is."""
        for number, pack in enumerate(packs, 1):
            yield pack
            shown = f"{number}/{len(packs)}"
            self._shown.show(number, len(packs), f"sweep: looked into packs {shown}", packs=shown, steps=0)
        self._shown.clear()

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
        self._shown.next("sweeping")
        done = f", {before} done before" if before else ""
        self._shown.say(f"sweep: {counted(points, 'point')} in {counted(self._packs, 'pack')}{done}")
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
        if text and not self._compiling:
            self._shown.say(f"sweep: {text}")
        if self._compiling and not text and not self._done:
            self._shown.start_clock()
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
        left = self._shown.left(done - sum(self._first.values()), total - done)
        parts = f"sweep: packs {shown}", f"{100 * done / total:.0f} %", f"{steps:.3g} device-steps", left
        line = "  ".join(filter(None, parts))
        self._shown.show(done, total, line, doing=self._compiling or "sweeping", packs=shown, steps=steps)
