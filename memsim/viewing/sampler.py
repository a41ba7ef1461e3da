"""Some samples of a long run again, each from the keyframe before it: what a span holds, without its every step."""

from collections.abc import Iterator, Sequence

import numpy as np

from ..runs.replay import StoredKeyframes, of_realisations, replaying_engine, with_units
from ..runs.run import Run
from ..runs.trace_access import joined_rows
from ..traces.reader import BankRows


class Sampler:
    """Replays single samples; close it.

    The engine is kept from question to question, as making one costs as much as
    a sample does.

    Parameters
    ----------
    run : Run
    banks : sequence of str
        Whose rows are recorded.
    realisations : sequence of int
    """

    def __init__(self, run: Run, banks: Sequence[str], realisations: Sequence[int]) -> None:
        self.banks, self.realisations = tuple(banks), tuple(realisations)
        self._run = run
        assembly = of_realisations(run.assembly, realisations)
        self._order = {bank.name: k for k, bank in enumerate(assembly.banks)}
        self._engine = replaying_engine(assembly, self.banks)
        self._keyframes = StoredKeyframes(run.stored, realisations)
        self._restored = False

    def close(self) -> None:
        """Give the engine's threads back."""
        self._engine.close()

    def rows(self, samples: Sequence[int], in_a_row: int = 1) -> Iterator[tuple[int, dict[str, BankRows]]]:
        """Every step of some samples, and of those behind each of them.

        Parameters
        ----------
        samples : sequence of int
            From the start of the run, ascending.
        in_a_row : int
            How many, from each of them on.

        Yields
        ------
        sample : int
        rows : dict
            Bank to rows of the chosen realisations.
        """
        self._keyframes.samples = self._run.stored.keyframe_samples  # a live run has more and more of them
        for sample in samples:
            self._go_to(sample)
            parts: list[dict[str, BankRows]] = []
            limit = (sample + in_a_row) * self._engine.clock.slots_a_sample
            while self._engine.clock.position < limit:
                recorded = self._engine.advance(limit)
                parts.append({b: joined_rows(recorded, self._order[b], len(self.realisations)) for b in self.banks})
                self._engine.recycle(recorded)
            yield sample, {bank: _stacked([part[bank] for part in parts]) for bank in self.banks}

    def states(self, samples: Sequence[int]) -> dict[str, np.ndarray]:
        """States at the beginning of some samples.

        Parameters
        ----------
        samples : sequence of int
            From the start of the run, ascending; the number of all of them stands for the run's end.

        Returns
        -------
        dict of str to (samples, devices, variables, realisations) float64
            All banks, in the units of their state variables.
        """
        found: dict[str, list[np.ndarray]] = {bank: [] for bank in self._order}
        self._keyframes.samples = self._run.stored.keyframe_samples
        for sample in samples:
            self._go_to(sample)
            for bank, states in zip(found, self._engine.blocks.states(), strict=True):
                found[bank].append(states)
        return {bank: np.array(states) for bank, states in found.items()}

    def _go_to(self, sample: int) -> None:
        """Bring the engine to the beginning of a sample: on from where it is, or from a keyframe that is nearer."""
        engine = self._engine
        before = int(np.searchsorted(self._keyframes.samples, sample, side="right")) - 1
        nearest = int(self._keyframes.samples[before]) if before >= 0 else 0
        if not self._restored or not nearest <= engine.clock.sample <= sample:
            engine.restore(with_units(self._keyframes.at(before), engine))
            self._restored = True
        while engine.clock.position < sample * engine.clock.slots_a_sample:
            engine.advance(sample * engine.clock.slots_a_sample, record=False)


def _stacked(parts: Sequence[BankRows]) -> BankRows:
    if len(parts) == 1:
        return parts[0]
    joined = (np.concatenate([getattr(part, name) for part in parts]) for name in ("state", "current", "voltage"))
    return BankRows(*joined)
