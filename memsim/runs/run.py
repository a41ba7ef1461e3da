"""A finished, stopped or running run: its results, its trace at any place, with the configuration as an object."""

import importlib
import itertools
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..calibration.bank import BankCalibration
from ..datasets import with_constant_line
from ..errors import InputError, RunFileError
from ..kernels.slots import Phase
from ..network.architectures import calibrate
from ..network.learning_rates import rates_of
from ..traces.reader import Arrays
from ..traces.run_file import write_image
from ..traces.stored import Stored
from .description import as_html, in_a_line
from .margins import BankMargins, bank_margins
from .recording import phase_seconds
from .trace_access import TraceAccess

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from pandas import DataFrame

    from ..analysis.curves import Progress
    from ..analysis.spans import Span
    from ..analysis.weights import StoredWeights

LEARNED = 0.1  # a total error below this counts as learned


# What models of other libraries have, and what to write here.
_OUTPUTS = "memsim.evaluate(run, X).outputs are the network's outputs; estimators of memsim.sklearn have predict"
_SCORES = "write memsim.classification(run, inputs=X, labels=y).accuracy, or memsim.regression(run).r2"
_ERRORS = "run.total_error has the error of each epoch, and run.history more"
ELSEWHERE = {
    **dict.fromkeys(("predict", "predict_proba", "transform", "forward", "evaluate", "outputs"), _OUTPUTS),
    **dict.fromkeys(("score", "accuracy", "accuracy_"), _SCORES),
    **dict.fromkeys(("loss", "losses", "loss_", "loss_curve_", "errors", "error"), _ERRORS),
    **dict.fromkeys(("coefs_", "coef_", "weights_", "intercepts_"), "run.weights has the weights of each bank"),
    **dict.fromkeys(("fit", "train", "partial_fit"), "memsim.train(network, X, y, start=run) trains it further"),
}


def _above(module: str) -> Any:
    """A module that asks questions of runs, and lies above them: imported where a run is asked, and only there.

    It is named as text, so that the linter's rule of who imports whom holds for all else.
    """
    return importlib.import_module(f"memsim.{module}")


class Run(TraceAccess):
    """A trained network, or one in training: what it learned, and what each of its devices did.

    ``history``, ``total_error`` and ``plot()`` say how it learned, ``weights`` and ``plot_weights()`` what,
    ``to_pandas(bank)`` and ``plot_trace()`` show its devices step by step, and ``save(path)`` keeps it as a file, which
    :func:`memsim.open_run` reads. :func:`memsim.evaluate` gives the network's outputs for any inputs,
    :func:`memsim.classification` its accuracy, and :func:`memsim.train` with ``start=run`` trains it further.

    See :class:`~memsim.traces.reader.RunReader` for its arrays, and
    :class:`~memsim.runs.trace_access.TraceAccess` for its steps.
    """

    def __init__(self, stored: Stored) -> None:
        super().__init__(stored)
        self.readings = itertools.count()  # numbers of the evaluations, whose noise is drawn by them
        stored.error = RunFileError

    @property
    def image(self) -> bytes:
        """The bytes of the run file."""
        return self.stored.image()

    def save(self, path: str | Path, *, overwrite: bool = False) -> None:
        """Write a run that is kept in memory as a run file.

        Parameters
        ----------
        path : path
        overwrite : bool
            Whether a file that exists may be replaced.

        Raises
        ------
        InputError
            The file cannot be written.
        """
        try:
            write_image(Path(path), self.image, overwrite)
        except (ValueError, OSError) as error:
            raise InputError(str(error).splitlines()[0]) from None

    def __getattr__(self, name: str) -> Any:
        """Say what to write for what a model of another library has; anything else fails as it would without this."""
        if name in ELSEWHERE:
            raise AttributeError(f"a run has no {name!r}; {ELSEWHERE[name]}", name=name, obj=self)
        return super().__getattribute__(name)

    def __repr__(self) -> str:
        return in_a_line(self)

    def _repr_html_(self) -> str:
        return as_html(self)

    @property
    def history(self) -> "DataFrame":
        """Error, energy and accuracy of each epoch, as a table of pandas; see :func:`memsim.runs.history.history`."""
        return _above("runs.history").history(self)

    @property
    def weights_over_epochs(self) -> "dict[str, StoredWeights]":
        """Bank that learns to its weights at the run's start, at its keyframes and at its end.

        See :class:`~memsim.analysis.StoredWeights`: ``epochs`` (moments,) and ``weights`` (moments, devices,
        realisations).
        """
        weights = _above("analysis.weights")
        return {bank: weights.stored_weights(self, bank) for bank in weights.learning_banks(self)}

    def plot(self) -> "Figure":
        """How the run learned; see :func:`memsim.analysis.run_figures.plot_learning`."""
        return _above("analysis.run_figures").plot_learning(self)

    def plot_weights(self, banks: Sequence[str] = (), *, realisation: int = 0) -> "Figure":
        """Each weight over the epochs; see :func:`memsim.analysis.run_figures.plot_weights`."""
        return _above("analysis.run_figures").plot_weights(self, banks, realisation=realisation)

    def plot_trace(
        self, banks: Sequence[str] = (), *, epochs: "Span | None" = None, samples: "Span | None" = None,
        steps: "Span | None" = None, devices: Sequence[int] = (), realisations: Sequence[int] = (),
        quantities: Sequence[str] = (), weights: bool = False, error: bool = False,
        progress: "Progress | None" = None,
    ) -> "Figure":  # fmt: skip
        """Any channels over any span; see :func:`memsim.analysis.run_figures.plot_trace`."""
        return _above("analysis.run_figures").plot_trace(
            self, banks, epochs=epochs, samples=samples, steps=steps, devices=devices, realisations=realisations,
            quantities=quantities, weights=weights, error=error, progress=progress,
        )  # fmt: skip

    def to_pandas(
        self, bank: str, *, epochs: "Span | None" = None, samples: "Span | None" = None, steps: "Span | None" = None,
        devices: Sequence[int] = (), realisations: Sequence[int] = (),
    ) -> "DataFrame":  # fmt: skip
        """Every step of a stretch of a bank, as a table of pandas; see :func:`memsim.analysis.frames.to_pandas`."""
        return _above("analysis.frames").to_pandas(
            self, bank, epochs=epochs, samples=samples, steps=steps, devices=devices, realisations=realisations
        )

    @cached_property
    def calibration(self) -> tuple[BankCalibration, ...]:
        """Currents and thresholds of each bank, chosen anew from the configuration and the samples."""
        inputs = with_constant_line(self.dataset.inputs, self.config.network.constant_input)
        return calibrate(self.config, inputs, self.dataset.targets)

    @property
    def margins(self) -> tuple[BankMargins, ...]:
        """Margins and counts of each bank."""
        bounds = {name: np.array([v[2:] for v in self.bank(name).variables]).T for name in self.banks}
        return tuple(bank_margins(bank, self.diagnostics(bank.name), *bounds[bank.name]) for bank in self.calibration)

    @property
    def weights(self) -> dict[str, np.ndarray]:
        """Final weights and bias weights as numbers, bank to (devices, realisations).

        Of a threshold memristor the rows are its weights and its bias.
        """
        return self._weights_of(self.final_state)

    @property
    def best_weights(self) -> dict[str, np.ndarray]:
        """The weights of each realisation's best epoch; no banks, where no best epoch was kept."""
        return self._weights_of(self.best_state)

    def _weights_of(self, by_bank: Arrays) -> dict[str, np.ndarray]:
        weights = {}
        for bank in [bank for bank in self.calibration if bank.learns] if by_bank else []:
            states = by_bank[bank.name]
            values = states[:, 0] if states.shape[1] == 1 else states[0, :-1]
            weights[bank.name] = bank.weights(values)
        return weights

    @property
    def learning_rate(self) -> np.ndarray:
        """The learning rate in force in each complete epoch, (epochs,) float64."""
        if self.stored.has_learning_rates:
            return self.stored.learning_rate
        first, count = self.epochs_before, self.stored.committed("epochs")
        return rates_of(self.config.learning, first, first + count)

    @property
    def ended_early(self) -> bool:
        """Whether the run ended before its last epoch because no error fell any more."""
        return self.finished and not self.stopped and len(self.total_error) < self.config.learning.epochs

    @property
    def energy(self) -> dict[str, dict[str, np.ndarray]]:
        """Bank to phase to energy in J, (realisations,); signed: an active device may give energy back."""
        counted = {bank: self.stored.counter(bank, "energy") for bank in self.banks}
        return {bank: {phase.name: energy[phase].sum(axis=0) for phase in Phase} for bank, energy in counted.items()}

    @property
    def phase_time(self) -> dict[str, float]:
        """Phase to the seconds that the hardware would have spent in it, in one epoch; every epoch takes as long."""
        stored = self.stored
        seconds = stored.phase_time if stored.has_energies else phase_seconds(self.assembly)
        return {phase.name: float(seconds[phase]) for phase in Phase}

    @property
    def simulated_time(self) -> float:
        """Seconds that the hardware would have taken, from the first sample on."""
        return self.steps * self.dt

    def pulses(
        self, start: int = 0, stop: int | None = None, banks: Sequence[str] | None = None, *,
        realisations: Sequence[int] | None = None,
    ) -> np.ndarray:  # fmt: skip
        """Every pulse that a device got in a stretch of steps; see :func:`memsim.runs.pulses.pulse_table`."""
        from .pulses import pulse_table

        return pulse_table(self, start, stop, banks, realisations)

    def to_xarray(self, bank: str | None = None) -> Any:
        """The run's trace as a lazy xarray object; see :func:`memsim.runs.lazy_arrays.dataset`.

        Parameters
        ----------
        bank : str, optional
            Gives an :class:`xarray.Dataset` of that bank; without it an
            :class:`xarray.DataTree` of all.
        """
        from . import lazy_arrays

        return lazy_arrays.tree(self) if bank is None else lazy_arrays.dataset(self, bank)

    @property
    def device_steps(self) -> int:
        """Device-steps that were integrated; resting devices are skipped."""
        return int(self.stored.checkpoint("device_steps"))

    @property
    def wall_seconds(self) -> float:
        """Duration of the run in s, interruptions left out."""
        return float(self.stored.checkpoint("wall_seconds"))
