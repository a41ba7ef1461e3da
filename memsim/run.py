"""A finished, or stopped, run: its results, with the configuration as an object."""

from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path

import numpy as np

from . import calibration
from .calibration import BankCalibration
from .configuration import Configuration
from .datasets import with_constant_line
from .errors import RunFileError
from .kernels.slots import Phase
from .margins import BankMargins, bank_margins
from .traces.reader import Envelope, NotARunFileError, Rows, RunReader, open_file


class Run(RunReader):
    """A run, read from its file or from memory; see :class:`~memsim.traces.reader.RunReader` for the arrays."""

    @cached_property
    def config(self) -> Configuration:
        """The effective configuration."""
        return Configuration(**self.configuration)

    @cached_property
    def calibration(self) -> tuple[BankCalibration, ...]:
        """Currents and thresholds of each bank, chosen anew from the configuration and the samples."""
        inputs = with_constant_line(self.dataset.inputs, self.config.network.constant_input)
        return calibration.calibrate(self.config, inputs, self.dataset.targets)

    @property
    def margins(self) -> tuple[BankMargins, ...]:
        """Margins and counts of each bank."""
        banks = self.file["banks"]
        return tuple(
            bank_margins(
                bank,
                self.diagnostics(bank.name),
                banks[bank.name].attrs["lower_bounds"],
                banks[bank.name].attrs["upper_bounds"],
            )
            for bank in self.calibration
        )

    @property
    def weights(self) -> dict[str, np.ndarray]:
        """Final weights and bias weights as numbers, bank to (devices, realisations).

        Of a threshold memristor the rows are its weights and its bias.
        """
        weights = {}
        for bank in self.calibration:
            states = self.final_state[bank.name]
            values = states[:, 0] if states.shape[1] == 1 else states[0, :-1]
            weights[bank.name] = values / bank.state_per_weight
        return weights

    @property
    def energy(self) -> dict[str, dict[str, np.ndarray]]:
        """Bank to phase to energy in J, (realisations,); signed: an active device may give energy back."""
        return {
            bank.name: {phase.name: self.diagnostics(bank.name)["energy"][phase].sum(axis=0) for phase in Phase}
            for bank in self.calibration
        }

    @property
    def simulated_time(self) -> float:
        """Seconds that the hardware would have taken."""
        samples = len(self.dataset.inputs)
        return float(len(self.total_error) * samples * int(self.file.attrs["sample_steps"]) * self.dt)

    def stretch(
        self, start: int, stop: int, banks: Sequence[str] | None = None, *, realisations: Sequence[int] | None = None
    ) -> dict[str, Rows]:
        """All quantities of some banks over a stretch of steps, stored or replayed.

        Parameters
        ----------
        start, stop : int
            Steps from the start of the run, ``stop`` not included.
        banks : sequence of str, optional
            All where not given.
        realisations : sequence of int, optional
            All where not given.
        """
        lanes = list(range(self.realisations) if realisations is None else realisations)
        found = {}
        for bank in self.banks if banks is None else banks:
            group = self.file["traces"][bank]
            found[bank] = Rows(*(group[name][start:stop][..., lanes] for name in ("state", "current", "voltage")))
        return found

    def stretches(
        self, start: int = 0, stop: int | None = None, banks: Sequence[str] | None = None, *,
        realisations: Sequence[int] | None = None, steps: int = 0,
    ) -> Iterator[tuple[int, dict[str, Rows]]]:  # fmt: skip
        """Consecutive stretches of bounded size: (first step, stretch) each."""
        last = self.steps if stop is None else min(stop, self.steps)
        for first in range(start, last, steps or 4096):
            yield first, self.stretch(first, min(last, first + (steps or 4096)), banks, realisations=realisations)

    def envelope(self, bank: str, quantity: str, start: int, stop: int, points: int = 2000) -> Envelope:
        """Smallest and largest values over at most about ``points`` equal spans of a stretch of steps."""
        values = getattr(self.stretch(start, stop, [bank])[bank], quantity)
        edges = np.unique(np.linspace(0, len(values), min(points, len(values)) + 1).astype(int))[:-1]
        return Envelope(start + edges, np.minimum.reduceat(values, edges), np.maximum.reduceat(values, edges))

    @property
    def device_steps(self) -> int:
        """Device-steps that were integrated; resting devices are skipped."""
        return int(self.file["metrics"].attrs["device_steps"])


def open_run(path: str | Path) -> Run:
    """Open a run file for reading.

    Raises
    ------
    RunFileError
        No such file, no run file, or one of another schema version.
    """
    try:
        return Run(open_file(Path(path)))
    except NotARunFileError as error:
        raise RunFileError(str(error)) from None
