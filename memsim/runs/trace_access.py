"""Access to any stretch of a run, stored or replayed: the same bits, by the same calls."""

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from ..configuration.sections import Configuration
from ..datasets import of_stored
from ..errors import InputError
from ..kernels.random import shuffle
from ..network.assembly import Assembly, assemble
from ..network.starting import stored_start
from ..stepping.row_memory import Recorded
from ..traces.chunks import CHUNK_ROWS
from ..traces.reader import BankRows, Envelope, RunReader, check_quantity
from ..traces.schema import QUANTITIES
from .replay import StoredKeyframes, of_realisations, replay, replaying_engine

STRETCH_BYTES = 16 << 20


class SpanExtremes:
    """Smallest and largest values of a bank's quantity over consecutive spans of steps, from rows as they come.

    Parameters
    ----------
    edges : (spans + 1,) int64
        Steps at which the spans begin, and where the last one ends.

    Attributes
    ----------
    lowest, highest : (spans, ...) float64
        Of the values' shape behind the first axis; without spans before the first rows.
    """

    def __init__(self, edges: np.ndarray) -> None:
        self.edges = edges
        self.lowest = self.highest = np.empty(0)

    def add(self, first: int, values: np.ndarray) -> None:
        """Take rows (steps, ...) from step ``first`` on into account; they lie within the spans."""
        if self.lowest.size == 0:
            shape = (len(self.edges) - 1, *values.shape[1:])
            self.lowest, self.highest = np.full(shape, np.inf), np.full(shape, -np.inf)
        inner = self.edges[(self.edges > first) & (self.edges < first + len(values))]
        begins = np.append(first, inner)
        spans = np.searchsorted(self.edges, begins, side="right") - 1
        self.lowest[spans] = np.minimum(self.lowest[spans], np.minimum.reduceat(values, begins - first))
        self.highest[spans] = np.maximum(self.highest[spans], np.maximum.reduceat(values, begins - first))


class TraceAccess(RunReader):
    """A run's steps: windows, stretches, envelopes, and the samples that were shown."""

    @property
    def configuration(self) -> dict[str, Any]:
        """The effective configuration, as nested dictionaries; with what was so before there was a field for it."""
        values = super().configuration
        network = values.get("network", {})
        if isinstance(network, dict) and network.get("construction") == "equivalent":
            network.setdefault("activation", "controller")  # before the activation stage was a device
        return values

    @cached_property
    def config(self) -> Configuration:
        """The effective configuration."""
        return Configuration(**self.configuration)

    @cached_property
    def assembly(self) -> Assembly:
        """The run laid out anew, for replays; on the samples and seeds of the file."""
        return assemble(self.config, of_stored(self.dataset), self.seeds, stored_start(self.stored))

    def window(
        self, bank: str, quantity: str, start: int = 0, stop: int | None = None, *, stride: int = 1,
        devices: Sequence[int] | None = None, realisations: Sequence[int] | None = None,
    ) -> np.ndarray:  # fmt: skip
        """A stretch of the run at full time resolution, stored or replayed: the same bits either way.

        Parameters
        ----------
        bank : str
        quantity : {"state", "current", "voltage"}
            In the state's unit, A or V.
        start, stop : int
            Steps from the start of the run, ``stop`` not included; to the last
            keyframe where it is not given.
        stride : int
            Every so many of them.
        devices, realisations : sequence of int, optional
            All where not given.

        Returns
        -------
        (steps, devices, realisations) float64
            With (steps, devices, variables, realisations) for states of devices
            with several variables.

        Raises
        ------
        KeyError
            There is no such bank or quantity.
        InputError
            The stretch reaches beyond the run, or there is no such device or realisation.
        ReplayError
            A replay differs from the run's next keyframe.
        """
        check_quantity(quantity)
        start, last = self.checked_steps(start, stop, empty=True)
        about = self.bank(bank)
        every = range(about.devices)
        chosen = list(every) if devices is None else self._indices("devices", devices, about.devices)
        lanes = self._lanes(realisations)
        if chosen and lanes and self.holds(bank, start, last, lanes, devices=chosen, quantities=[quantity]):
            values = self.stored_window(bank, quantity, start, last, stride, chosen, lanes)
            return values[:, :, 0] if quantity == "state" and values.shape[2] == 1 else values
        parts = []
        for first, rows in self.stretches(start, stop, [bank], realisations=realisations):
            values = getattr(rows[bank], quantity)
            parts.append(values[-(first - start) % stride :: stride][:, chosen])
        whole = np.concatenate(parts) if parts else self._no_rows(bank, quantity, realisations)[:, chosen]
        return whole[:, :, 0] if quantity == "state" and whole.shape[2] == 1 else whole

    def stretch(
        self, start: int, stop: int, banks: Sequence[str] | None = None, *, realisations: Sequence[int] | None = None
    ) -> dict[str, BankRows]:
        """All quantities of some banks over a stretch of steps, stored or replayed.

        Parameters
        ----------
        start, stop : int
            Steps from the start of the run, ``stop`` not included.
        banks : sequence of str, optional
            All where not given.
        realisations : sequence of int, optional
            All where not given.

        Raises
        ------
        KeyError, InputError, ReplayError
            As :meth:`window`.
        """
        names = tuple(self.banks if banks is None else banks)
        parts = [rows for _, rows in self.stretches(start, stop, names, realisations=realisations)]
        joined = {}
        for bank in names:
            empty = {q: self._no_rows(bank, q, realisations) for q in QUANTITIES}
            joined[bank] = BankRows(
                *(np.concatenate([empty[q], *(getattr(p[bank], q) for p in parts)]) for q in QUANTITIES)
            )
        return joined

    def stretches(
        self, start: int = 0, stop: int | None = None, banks: Sequence[str] | None = None, *,
        realisations: Sequence[int] | None = None, steps: int = 0,
    ) -> Iterator[tuple[int, dict[str, BankRows]]]:  # fmt: skip
        """Consecutive stretches of bounded size, for what is too long for :meth:`stretch`.

        Parameters
        ----------
        start, stop, banks, realisations
            As :meth:`stretch`.
        steps : int
            Of each at most; as many as take some megabytes where it is 0.

        Yields
        ------
        first_step : int
        rows : dict
            Bank to :class:`~memsim.traces.reader.BankRows`.
        """
        names = tuple(self.banks if banks is None else banks)
        for bank in names:
            self.bank(bank)
        start, last = self.checked_steps(start, stop, empty=True)
        return self._stretches(start, last, names, self._lanes(realisations), steps)

    def checked_steps(
        self, start: int, stop: int | None, *, empty: bool = False, field: str = "start, stop"
    ) -> tuple[int, int]:
        """The steps of a stretch that lies within the run; ``stop`` None is the run's end.

        Raises
        ------
        InputError
            With the field; the stretch has no step, but for ``empty``.
        """
        last = self.steps if stop is None else stop
        if not 0 <= start <= last <= self.steps or (start == last and not empty):
            order = "0 <= start <= stop" if empty else "0 <= start < stop"
            raise InputError(f"{field}: must be {order} <= {self.steps:,} steps (got {start}, {last})")
        return start, last

    def _lanes(self, realisations: Sequence[int] | None) -> list[int]:
        every = range(self.realisations)
        return list(every) if realisations is None else self._indices("realisations", realisations, len(every))

    def _stretches(
        self, start: int, stop: int, banks: tuple[str, ...], lanes: list[int], steps: int
    ) -> Iterator[tuple[int, dict[str, BankRows]]]:
        channels = sum((len(about.variables) + 2) * about.devices for about in map(self.bank, banks)) * len(lanes)
        size = steps or max(1, STRETCH_BYTES // (8 * max(1, channels)))
        if start == stop:
            return
        if not self._all_stored(banks, start, stop, lanes):
            yield from self._replayed(start, stop, banks, lanes, size)
            return
        # Whole chunks are unpacked, so pieces begin and end with them.
        block = max(1, size // CHUNK_ROWS) * CHUNK_ROWS
        for first in range(start // block * block, stop, block):
            begin, end = max(start, first), min(stop, first + block)
            rows = {bank: self.stored_rows(bank, begin, end, lanes) for bank in banks}
            for at in range(begin, end, size):
                yield at, _cut(rows, at - begin, min(end, at + size) - begin)

    def _all_stored(self, banks: tuple[str, ...], start: int, stop: int, lanes: list[int]) -> bool:
        return all(self.holds(bank, start, stop, lanes) for bank in banks)

    def _replayed(
        self, start: int, stop: int, banks: tuple[str, ...], lanes: list[int], size: int
    ) -> Iterator[tuple[int, dict[str, BankRows]]]:
        """Rows of a stretch, made again by a replay."""
        assembly = of_realisations(self.assembly, lanes)
        order = {bank.name: k for k, bank in enumerate(assembly.banks)}
        engine = replaying_engine(assembly, banks)
        samples = start // self.sample_steps, -(-stop // self.sample_steps)
        try:
            for stretch in replay(engine, StoredKeyframes(self.stored, lanes), *samples):
                rows = {bank: joined_rows(stretch.recorded, order[bank], len(lanes)) for bank in banks}
                engine.recycle(stretch.recorded)
                first, last = (min(max(edge - stretch.first_step, 0), stretch.steps) for edge in (start, stop))
                for begin in range(first, last, size):
                    yield stretch.first_step + begin, _cut(rows, begin, min(last, begin + size))
        finally:
            engine.close()

    def envelope(
        self, bank: str, quantity: str, start: int = 0, stop: int | None = None, points: int = 2000
    ) -> Envelope:
        """Smallest and largest values over spans of a stretch of steps, for a plot of any length.

        From the overview where the bank was traced, and then the first and the
        last span may reach beyond the stretch by less than 65,536 steps; else
        from stored or replayed rows.

        Parameters
        ----------
        bank : str
        quantity : {"state", "current", "voltage"}
        start, stop : int
            Steps from the start of the run.
        points : int
            Spans at most.
        """
        check_quantity(quantity)
        last = self.steps if stop is None else stop
        found = self.overview(bank, quantity, start, last, points)
        return found if found is not None else self._envelope_of_rows(bank, quantity, start, last, points)

    def _envelope_of_rows(self, bank: str, quantity: str, start: int, stop: int, points: int) -> Envelope:
        edges = np.unique(np.linspace(start, stop, min(points, stop - start) + 1).astype(np.int64))
        if start == stop:
            nothing = self._no_rows(bank, quantity, None)
            return Envelope(edges[:-1], nothing, nothing)
        extremes = SpanExtremes(edges)
        for first, rows in self.stretches(start, stop, [bank]):
            extremes.add(first, getattr(rows[bank], quantity))
        return Envelope(edges[:-1], extremes.lowest, extremes.highest)

    def _no_rows(self, bank: str, quantity: str, realisations: Sequence[int] | None) -> np.ndarray:
        about = self.bank(bank)
        lanes = self.realisations if realisations is None else len(realisations)
        variables = (len(about.variables),) if quantity == "state" else ()
        return np.empty((0, about.devices, *variables, lanes))

    @staticmethod
    def _indices(name: str, chosen: Sequence[int], count: int) -> list[int]:
        for number in chosen:
            if not 0 <= number < count:
                raise InputError(f"{name}: must be from 0 to {count - 1} (got {number})")
        return list(chosen)

    def samples_shown(self, first: int, last: int) -> np.ndarray:
        """Index of the sample that was shown, drawn anew from the seeds, (samples, realisations) uint32.

        Parameters
        ----------
        first, last : int
            Samples from the start of the run, ``last`` not included.
        """
        samples, epochs = self.samples, (first // self.samples, -(-last // self.samples))
        order = np.empty((epochs[1] - epochs[0], samples, self.realisations), dtype=np.uint32)
        if self.config.learning.shuffle:
            shuffle(self.seeds, self.epochs_before + epochs[0], order)
        else:
            order[:] = np.arange(samples, dtype=np.uint32)[:, None]
        return order.reshape(-1, self.realisations)[first - epochs[0] * samples : last - epochs[0] * samples]


def _cut(rows: dict[str, BankRows], first: int, last: int) -> dict[str, BankRows]:
    """Some of the rows of all banks."""
    part = slice(first, last)
    return {bank: BankRows(each.state[part], each.current[part], each.voltage[part]) for bank, each in rows.items()}


def joined_rows(recorded: Recorded, bank: int, realisations: int) -> BankRows:
    """The rows of a bank, by its place in the network, from all blocks, copied."""
    parts = [rows for rows in recorded.rows if rows.bank == bank]
    count, devices = parts[0].current.shape[:2]
    variables = parts[0].state.shape[2]
    state = np.empty((count, devices, variables, realisations))
    current, voltage = np.empty((2, count, devices, realisations))
    for part in parts:
        state[..., part.realisations] = part.state
        current[..., part.realisations] = part.current
        voltage[..., part.realisations] = part.voltage
    return BankRows(state, current, voltage)
