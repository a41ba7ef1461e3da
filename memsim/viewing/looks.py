"""What a span of a run is shown as: every step, the extremes of all of them, or those of some samples."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

import numpy as np

from ..analysis.curves import Curve, curves
from ..runs.channels import Channel, Channels
from ..runs.run import Run
from ..terminal.si import counted
from ..traces.reader import BankRows
from .sampler import Sampler

SECONDS = 0.1  # that reading or replaying a span may take, about
NUMBERS_A_SECOND = 5e7  # of rows that are replayed, before it was measured
PICK_SECONDS = 1e-3  # of going to a place and beginning to replay there
LEAST_SAMPLES = 3  # in a span of which some are picked
MOST_IN_A_ROW = 16  # samples that are replayed at a place
PASSED_NUMBERS = 4.0  # that are stepped over in the time in which one is recorded
LEAST_MEASURED = 1e6  # numbers whose replay says how fast it goes
KEPT_BANKS = 16  # whose states at all keyframes are held
KEPT_SAMPLERS = 4  # each has an engine
MOST_PARTS = 256  # of a span whose samples are picked


class Kind(Enum):
    """What the points of a look are."""

    STEPS = "every step"
    EXTREMES = "extremes"
    SAMPLED = "extremes of samples"


@dataclass(frozen=True)
class Look:
    """Channels over a span.

    Attributes
    ----------
    start, stop : int
        Steps from the start of the run.
    kind : Kind
        ``SAMPLED``: the points hold the extremes of some samples of each part,
        and of the states at the part's keyframes; others may lie beyond.
    curves : dict
        Channel to its points.
    samples : int
        That were replayed of each part.
    """

    start: int
    stop: int
    kind: Kind
    curves: dict[Channel, Curve]
    samples: int = 0

    def __str__(self) -> str:
        """What a point is, in words."""
        points = len(next(iter(self.curves.values())).low)
        steps = f"{round((self.stop - self.start) / points):,} steps"
        if self.kind is Kind.STEPS:
            return "every step"
        if self.kind is Kind.EXTREMES:
            return f"smallest to largest of each {steps}"
        return f"smallest to largest of {counted(self.samples, 'sample')} in each {steps}"


class Looker:
    """Looks into a run, in about the same short time for any span; close it.

    A short span shows every step. One whose rows are stored, or replayed
    quickly enough, shows the extremes of all its steps. Of a longer one, some
    samples in each part are replayed, right behind keyframes where there are
    enough of them.

    Parameters
    ----------
    run : Run
    """

    def __init__(self, run: Run) -> None:
        self.run = run
        self._samplers: dict[tuple[tuple[str, ...], tuple[int, ...]], Sampler] = {}
        self._numbers_a_second = NUMBERS_A_SECOND
        self._moments: dict[tuple[str, tuple[int, ...]], np.ndarray] = {}

    def close(self) -> None:
        """Give threads back."""
        for sampler in self._samplers.values():
            sampler.close()
        self._samplers.clear()

    def samples_of(self, bank: str, realisation: int, samples: np.ndarray) -> Iterator[BankRows]:
        """Every step of some samples of a bank, ascending, one realisation."""
        for _, rows in self._sampler_of((bank,), (realisation,)).rows(samples.tolist()):
            yield rows[bank]

    def states_of(
        self, bank: str, realisation: int, first: int, last: int, count: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """States of a bank at the beginnings of some samples, spread evenly.

        Parameters
        ----------
        bank : str
        realisation : int
        first, last : int
            Samples, ``last`` not included.
        count : int
            At most; fewer where a replay of more would take too long.

        Returns
        -------
        samples : (moments,) int64
        states : (moments, devices, variables, 1) float64
        """
        samples = self.picks(first, last, count)
        keyframes = self.run.stored.keyframe_samples
        if not np.isin(samples, keyframes).all():
            return samples, self._sampler_of((bank,), (realisation,)).states(samples.tolist())[bank]
        return samples, self._kept_states(bank, (realisation,), len(keyframes))[np.searchsorted(keyframes, samples)]

    def _sampler_of(self, banks: tuple[str, ...], realisations: tuple[int, ...]) -> Sampler:
        wanted = banks, realisations
        if wanted not in self._samplers:
            while len(self._samplers) >= KEPT_SAMPLERS:
                self._samplers.pop(next(iter(self._samplers))).close()
            self._samplers[wanted] = Sampler(self.run, *wanted)
        return self._samplers[wanted]

    def look(self, channels: Channels, start: int, stop: int, columns: int) -> Look:
        """Channels over a span of steps.

        Parameters
        ----------
        channels : Channels
        start, stop : int
            Steps, ``stop`` not included.
        columns : int
            Of pixels; no channel has more numbers than that.
        """
        points = max(1, columns // 2)
        if stop - start <= 2 * points:
            return Look(start, stop, Kind.STEPS, curves(self.run, channels, start, stop, points=points))
        stored = self._is_stored(channels, start, stop, points)
        few = stop - start < LEAST_SAMPLES * self.run.sample_steps
        if stored or few or self.seconds_for_all(channels, start, stop) <= SECONDS:
            begun = time.perf_counter()
            found = curves(self.run, channels, start, stop, points=points, coarsest=max(1, points // 4))
            if not stored and not set(channels.banks) & set(self.run.traced):
                self._measure((stop - start) * self._numbers_a_step(channels), time.perf_counter() - begun)
            return Look(start, stop, Kind.EXTREMES, found)
        return self._sampled(channels, start, stop, points)

    def seconds_for_all(self, channels: Channels, start: int, stop: int) -> float:
        """About how long a replay of every step of a span takes."""
        return (stop - start) * self._numbers_a_step(channels) / self._numbers_a_second

    def _numbers_a_step(self, channels: Channels) -> int:
        """Numbers that a step's rows hold: of all devices of the banks, as these are replayed together."""
        about = [self.run.bank(bank) for bank in channels.banks]
        return len(channels.realisations) * sum(bank.devices * (len(bank.variables) + 2) for bank in about)

    def _is_stored(self, channels: Channels, start: int, stop: int, points: int) -> bool:
        """Whether the overview has the span, for all that is shown."""
        return all(
            self.run.overview(bank, quantity, start, stop, max(1, points // 4)) is not None
            for bank in channels.banks
            for quantity in channels.quantities
        )

    def _measure(self, numbers: int, seconds: float) -> None:
        if numbers >= LEAST_MEASURED:
            self._numbers_a_second = 0.5 * (self._numbers_a_second + numbers / seconds)

    def _sampled(self, channels: Channels, start: int, stop: int, points: int) -> Look:
        """The extremes of some samples in each part, and of the states at keyframes."""
        size = self.run.sample_steps
        samples, in_a_row = self._chosen_samples(channels, start, stop, points)
        # A part reaches half way to the samples beside it.
        middles = (samples[1:] + samples[:-1] + in_a_row) * size // 2
        edges = np.concatenate([[start], middles, [stop]]).astype(np.int64)
        begun = time.perf_counter()
        extremes = _extremes(self._sampler_of(channels.banks, channels.realisations), samples, in_a_row, channels)
        seconds = time.perf_counter() - begun - len(samples) * PICK_SECONDS
        self._measure(len(samples) * in_a_row * size * self._numbers_a_step(channels), max(1e-3, seconds))
        moments = {bank: self._moments_of(bank, channels, edges) for bank in channels.banks}
        found = {}
        for channel in channels:
            low, high = extremes[channel]
            if channel.variable is not None:
                lane = channels.realisations.index(channel.realisation)
                lows, highs = (m[:, channel.device, channel.variable, lane] for m in moments[channel.bank])
                low, high = np.fmin(low, lows), np.fmax(high, highs)
            found[channel] = Curve(edges, low, high)
        return Look(start, stop, Kind.SAMPLED, found, in_a_row)

    def _chosen_samples(self, channels: Channels, start: int, stop: int, points: int) -> tuple[np.ndarray, int]:
        """The first of the samples of each part, and how many in a row."""
        size = self.run.sample_steps
        first, last = -(-start // size), stop // size
        each = size * self._numbers_a_step(channels) / self._numbers_a_second
        in_a_row = int(np.clip(PICK_SECONDS / each, 1, MOST_IN_A_ROW))
        parts = int(np.clip(SECONDS / (PICK_SECONDS + in_a_row * each), 1, min(MOST_PARTS, points)))
        in_a_row = max(1, min(in_a_row, (last - first) // parts))
        picked = self.picks(first, last - in_a_row + 1, parts)
        return picked, min([in_a_row, *np.diff(picked).tolist()])

    def picks(self, first: int, last: int, count: int) -> np.ndarray:
        """Samples that are spread evenly and can be replayed quickly.

        Right behind keyframes, where there are enough of them; anywhere, where
        all of the way from the keyframes to them takes no time; else those
        behind the few keyframes that there are, or the first one alone.

        Parameters
        ----------
        first, last : int
            Samples, ``last`` not included.
        count : int
            At most.

        Returns
        -------
        (samples,) int64
            Ascending.
        """
        keyframes = self.run.stored.keyframe_samples
        among = keyframes[(keyframes >= first) & (keyframes < last)]
        if len(among) < count and self.seconds_to_pass(first, last) <= SECONDS:
            among = np.arange(first, last)
        if len(among) == 0:
            among = np.array([first])
        places = np.linspace(0, len(among), min(count, len(among)), endpoint=False).astype(np.int64)
        picked: np.ndarray = np.unique(among[places])
        return picked

    def seconds_to_pass(self, first: int, last: int) -> float:
        """About how long it takes to step over samples without recording them, from the keyframe before them."""
        keyframes = self.run.stored.keyframe_samples
        before = keyframes[keyframes <= first]
        way = last - (int(before[-1]) if len(before) else 0)
        about = [self.run.bank(bank) for bank in self.run.banks]
        numbers = sum(bank.devices * (len(bank.variables) + 2) for bank in about)
        return way * self.run.sample_steps * numbers / (PASSED_NUMBERS * self._numbers_a_second)

    def _moments_of(self, bank: str, channels: Channels, edges: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Smallest and largest states at the keyframes of each part, (parts, devices, variables, realisations)."""
        steps = self.run.stored.keyframe_samples * self.run.sample_steps - 1  # at whose ends these states are
        states = self._kept_states(bank, channels.realisations, len(steps))
        inside = (steps >= edges[0]) & (steps < edges[-1])
        parts = np.searchsorted(edges, steps[inside], side="right") - 1
        shape = (len(edges) - 1, *states.shape[1:])
        lowest, highest = np.full(shape, np.nan), np.full(shape, np.nan)
        # Parts ascend, so each has a stretch of the keyframes.
        begun, firsts = np.unique(parts, return_index=True)
        if len(begun):
            lowest[begun] = np.minimum.reduceat(states[inside], firsts)
            highest[begun] = np.maximum.reduceat(states[inside], firsts)
        return lowest, highest

    def _kept_states(self, bank: str, realisations: tuple[int, ...], count: int) -> np.ndarray:
        """States of a bank at all keyframes, of some realisations; read once."""
        key = bank, realisations
        known = self._moments.get(key)
        if known is None or len(known) < count:
            while known is None and len(self._moments) >= KEPT_BANKS:
                self._moments.pop(next(iter(self._moments)))
            first = 0 if known is None else len(known)
            new = self.run.stored.keyframe_states(bank, slice(first, count))[..., list(realisations)]
            known = new if known is None else np.concatenate([known, new])
            self._moments[key] = known
        return known[:count]


def _extremes(
    sampler: Sampler, samples: np.ndarray, in_a_row: int, channels: Channels
) -> dict[Channel, tuple[np.ndarray, np.ndarray]]:
    """Smallest and largest values of each channel in some samples and those behind them."""
    keys = [(bank, quantity) for bank in channels.banks for quantity in channels.quantities]
    lows: dict[tuple[str, str], list[np.ndarray]] = {key: [] for key in keys}
    highs: dict[tuple[str, str], list[np.ndarray]] = {key: [] for key in keys}
    for _, rows in sampler.rows(samples.tolist(), in_a_row):
        for bank, quantity in keys:
            values = getattr(rows[bank], quantity)
            lows[bank, quantity].append(values.min(axis=0))
            highs[bank, quantity].append(values.max(axis=0))
    found = {}
    for key in keys:
        low, high = np.array(lows[key]), np.array(highs[key])
        for channel in channels.of(*key):
            lane = channels.realisations.index(channel.realisation)
            place = (channel.device, lane) if channel.variable is None else (channel.device, channel.variable, lane)
            found[channel] = low[:, *place], high[:, *place]
    return found
