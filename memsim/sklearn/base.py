"""What all estimators share: training runs from samples, and READs of samples."""

from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.model_selection import train_test_split
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from ..datasets import Dataset, Scaling, table_of
from ..errors import InputError
from ..runs import training
from ..runs.prediction import read_through
from ..runs.run import Run
from ..runs.sources import start_of
from ..runs.telling import Callback, ended_by_callback, told
from .currents import scaling_of, warn_of_clipped
from .estimator_options import SAMPLES, Options, by_own_names
from .estimator_samples import refuse_few, refuse_missing


class MemristorEstimator(BaseEstimator):
    """Networks of memristors that samples train, each in a run of its own.

    Attributes
    ----------
    runs_ : tuple of Run
        The last run of each network, in memory; see :meth:`memsim.runs.run.Run.save`.
    scaling_ : Scaling
        How inputs become currents.
    loss_curve_ : list of float
        Mean over the samples of each epoch's error, (T - V)^2 / 2 summed over outputs (Eq. 19).
    n_iter_ : int
        Epochs so far.
    n_features_in_ : int
    feature_names_in_ : (n_features,) of str
        Only where the samples have names that are all texts.
    """

    _options: ClassVar[type[Options]]
    verbose: bool | None
    callback: Callback | None

    def _checked(self) -> Options:
        """The parameters, checked."""
        return self._options.of(self.get_params(deep=False))

    def _gone_on_with(self) -> tuple[Options, bool]:
        """The parameters for a part of a fit, checked, and whether it is not the first part."""
        options, begun = self._checked(), self.__sklearn_is_fitted__()
        options.refuse_early_stopping()
        if begun:
            options.refuse_other_devices(self._made_by)
        return options, begun

    def _validated(self, X: Any, *y: Any, **rules: Any) -> Any:  # noqa: N803 (scikit-learn's name)
        """Samples as scikit-learn checks them; a missing value is named by its row and column."""
        for targets in y:
            refuse_missing(targets)
        found = validate_data(self, X, *y, dtype=np.float64, ensure_all_finite=False, **rules)
        table_of("X", found[0] if y else found, tuple(getattr(self, "feature_names_in_", ())))
        return found

    def _parts(self, outputs: int) -> list[slice]:
        """The outputs of each network."""
        return [slice(0, outputs)]

    def _begin(self, inputs: np.ndarray, options: Options) -> None:
        """Forget what was learned, and calibrate currents."""
        features = tuple(getattr(self, "feature_names_in_", ()))
        self.scaling_: Scaling = scaling_of(inputs, options.scaling, features)
        self._made_by = options
        self.runs_: tuple[Run, ...] = ()
        self.loss_curve_: list[float] = []
        self.n_iter_ = 0

    def _held_back(self, samples: int, options: Options, stratify: np.ndarray | None = None) -> np.ndarray:
        """Samples that are held back for validation, (samples,) bool; none without early stopping."""
        chosen = np.zeros(samples, dtype=bool)
        if options.early_stopping:
            refuse_few(samples, options.validation_fraction, stratify)
            random = check_random_state(self.random_state)
            split = train_test_split(
                np.arange(samples), test_size=options.validation_fraction, stratify=stratify, random_state=random
            )
            chosen[split[1]] = True
        return chosen

    def _learn(
        self, inputs: np.ndarray, targets: np.ndarray, options: Options, epochs: int, held_back: np.ndarray
    ) -> None:
        """Train each network, where there are devices already from their present state on.

        Parameters
        ----------
        inputs : (samples, inputs) float64
            In their own units.
        targets : (samples, outputs) float64
            Of all networks.
        options : Options
        epochs : int
        held_back : (samples,) bool
            Those for validation.
        """
        currents, clipped = self.scaling_.apply(inputs, options.beyond, "X")
        warn_of_clipped(clipped, inputs)
        options = options.of_samples(int(np.sum(~held_back)))
        parts = self._parts(targets.shape[1])
        seeds = check_random_state(self.random_state).randint(2**31, size=len(parts))
        runs = [
            self._run(currents, targets[:, part], options, epochs, held_back, int(seed), before)
            for part, seed, before in zip(parts, seeds, self.runs_ or [None] * len(parts), strict=True)
        ]
        self.runs_ = tuple(runs)
        self.loss_curve_ += _mean_loss(runs).tolist()
        self.n_iter_ = len(self.loss_curve_)

    def _run(
        self, currents: np.ndarray, targets: np.ndarray, options: Options, epochs: int, held_back: np.ndarray,
        seed: int, before: Run | None,
    ) -> Run:  # fmt: skip
        scaling = None if options.scaling == "none" else self.scaling_
        data = Dataset(currents, targets, SAMPLES, features=self.scaling_.features, scaling=scaling)
        if held_back.any():
            data = replace(data.only(~held_back), validation=data.only(held_back))
        config = options.configuration(
            currents.shape[1], targets.shape[1], seed=seed, epochs=epochs, samples=len(data.inputs)
        )
        start = None if before is None else start_of(before)
        if before is not None:
            config = config.model_copy(update={"run": before.config.run})
        try:
            with told(epochs, self.verbose, self.callback) as telling:
                run = training.run(config, data, start=start, **telling)
        except InputError as error:
            raise by_own_names(error) from None
        if run.stopped and not ended_by_callback(telling):
            raise KeyboardInterrupt
        return run

    def _outputs(self, X: Any) -> np.ndarray:  # noqa: N803
        """What the networks give for samples by READs through copies of their devices, (samples, outputs)."""
        check_is_fitted(self)
        inputs = self._validated(X, reset=False)
        options = self._checked()
        currents, clipped = self.scaling_.apply(inputs, options.beyond, "X")
        warn_of_clipped(clipped, inputs)
        return np.concatenate([_given(run, currents) for run in self.runs_], axis=1)

    def __sklearn_is_fitted__(self) -> bool:
        return bool(getattr(self, "runs_", ()))


def _given(run: Run, currents: np.ndarray) -> np.ndarray:
    """What a network gives for samples, each through a copy of its own: mean over realisations, (samples, outputs)."""
    data = Dataset(currents, np.zeros((len(currents), run.dataset.targets.shape[1])), "X")
    return read_through(run, data, best=run.stored.is_watched, apart=True, seed=0).outputs.mean(axis=2)


def _mean_loss(runs: list[Run]) -> np.ndarray:
    """Mean error of each epoch over all networks; one that stopped earlier stays at its last, (epochs,)."""
    epochs = max(len(run.total_error) for run in runs)
    curves = [np.pad(run.total_error.mean(axis=1), (0, epochs - len(run.total_error)), mode="edge") for run in runs]
    return np.asarray(np.sum(curves, axis=0) / runs[0].samples)
