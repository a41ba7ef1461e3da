"""The multilayer perceptron of Algorithm 2 as a classifier and as a regressor."""

from dataclasses import replace
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import RegressorMixin

from ..datasets import Scaling
from ..errors import InputError
from ..runs.run import Run
from .base import MemristorEstimator
from .classifiers import MemristorClassifier
from .currents import scaling_of
from .estimator_options import MultilayerOptions, Options


class _Multilayer(MemristorEstimator):
    """The parameters of both."""

    _options: ClassVar[type[Options]] = MultilayerOptions

    def __init__(
        self, hidden_layer_sizes: Any = (16,), *, weight_limit: float = 3.0, bias_limit: float = 0.1,
        node_drift: float = 0.2, node_threshold: float = 0.8, learning_rate_init: float = 0.01, max_iter: int = 200,
        batch_size: int = 1, shuffle: bool = True, random_state: Any = None, early_stopping: bool = False,
        validation_fraction: float = 0.1, n_iter_no_change: int = 10, scaling: str = "range", beyond: str = "clip",
        synapse: Any = None, realisations: int = 1, imperfections: Any = None, verbose: bool | None = None,
        callback: Any = None,
    ) -> None:  # fmt: skip
        self.hidden_layer_sizes = hidden_layer_sizes
        self.weight_limit = weight_limit
        self.bias_limit = bias_limit
        self.node_drift = node_drift
        self.node_threshold = node_threshold
        self.learning_rate_init = learning_rate_init
        self.max_iter = max_iter
        self.batch_size = batch_size
        self.shuffle = shuffle
        self.random_state = random_state
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.scaling = scaling
        self.beyond = beyond
        self.synapse = synapse
        self.realisations = realisations
        self.imperfections = imperfections
        self.verbose = verbose
        self.callback = callback

    @property
    def run_(self) -> Run:
        """The last run, in memory."""
        if not self.__sklearn_is_fitted__():
            raise AttributeError("run_: there is none before fit or partial_fit")
        return self.runs_[0]


class MemristorMLPClassifier(MemristorClassifier, _Multilayer):
    """A multilayer perceptron of Algorithm 2 that tells classes apart, every pulse stepped.

    Synapses and nodes are memristors. There is one output node for each class, and one
    where there are two; inputs become currents of up to +-1 unit.

    Parameters
    ----------
    hidden_layer_sizes : tuple of int, or int
        Nodes of each hidden layer.
    weight_limit : float
        Weight at the end of a device's range; weights stop there.
    bias_limit : float
        Allowed magnitude of a bias weight, below 1.
    node_drift : float
        Share of half its range that a node without a threshold drifts in a READ of 1.
    node_threshold : float
        Drift threshold of the nodes (Eq. 11), in units of the current that stands for 1;
        above 0 it makes the activation other than a polynomial.
    learning_rate_init : float
        Learning rate eta, above 0.
    max_iter : int
        Number of epochs, 1 or more.
    batch_size : int
        Samples of a mini-batch, whose updates are added up before one write.
        If there are fewer training samples, it is all of them, and a warning says so.
    shuffle : bool
        A new order of the samples in every epoch.
    random_state : int, RandomState or None
        Seed of the starting weights, the shuffles and the validation set.
    early_stopping : bool
        Hold out a validation set, end when its error no longer falls, and predict with
        the states of the best epoch.
    validation_fraction : float
        Share of the samples that is held out; of a classifier, of each class.
    n_iter_no_change : int
        End after so many epochs without a lower validation error.
    scaling : {"range", "standard", "none"}
        How columns become currents: their range to +-1, a mean of 0 and a standard
        deviation of 1, or unchanged, in units of the unit current.
    beyond : {"clip", "refuse"}
        Inputs beyond the range of the first training samples are moved to its end, with a
        warning that counts them, or refused.
    synapse : device or str, optional
        Device model of the synapses, or its name as ``"vteam"``; the paper's by default.
    realisations : int
        Number of networks, each from its own seed; predictions use the mean of their outputs.
    imperfections : ImperfectionsSection or dict, optional
        Imperfections of each kind of bank: ``{"synapse": {"write_noise": 0.1}}``.
    verbose : bool, optional
        Show a progress bar, as :func:`memsim.train` does; if not given, only in a notebook.
    callback : callable, optional
        Called after each epoch, as by :func:`memsim.train`; it may end the training.

    Attributes
    ----------
    classes_ : (n_classes,)
    run_ : Run
        The last run.
    runs_ : tuple of Run
        The last run alone: a multilayer perceptron needs one.
    scaling_ : Scaling
    loss_curve_ : list of float
    n_iter_ : int
    n_features_in_ : int
    feature_names_in_ : (n_features,) of str

    Notes
    -----
    F. Silva, M. Sanz, J. Seixas, E. Solano and Y. Omar, 'Perceptrons from Memristors', arXiv:1807.04912.
    """


class MemristorMLPRegressor(RegressorMixin, _Multilayer):
    """A multilayer perceptron of Algorithm 2 that fits functions, every pulse stepped.

    Synapses and nodes are memristors. There is one output node for each target, whose
    range becomes +-1. Parameters and attributes are those of
    :class:`MemristorMLPClassifier`, but for ``classes_``.

    Attributes
    ----------
    target_scaling_ : Scaling
        How targets become outputs.
    run_ : Run
        The last run.
    runs_ : tuple of Run
        The last run alone: a multilayer perceptron needs one.
    scaling_ : Scaling
    loss_curve_ : list of float
    n_iter_ : int
    n_features_in_ : int
    feature_names_in_ : (n_features,) of str

    Notes
    -----
    F. Silva, M. Sanz, J. Seixas, E. Solano and Y. Omar, 'Perceptrons from Memristors', arXiv:1807.04912.
    """

    target_scaling_: Scaling
    _constant: np.ndarray

    def fit(self, X: Any, y: Any) -> Self:  # noqa: N803
        """Train on samples, from newly drawn weights.

        Parameters
        ----------
        X : (n_samples, n_features) array-like
        y : (n_samples,) or (n_samples, n_targets) array-like
        """
        options = self._checked()
        inputs, values = self._validated(X, y, multi_output=True, y_numeric=True)
        self._begin(inputs, options)
        self._calibrate(_columns(values))
        held_back = self._held_back(len(values), options)
        self._learn(inputs, self._targets(values), options, options.max_iter, held_back)
        return self

    def partial_fit(self, X: Any, y: Any) -> Self:  # noqa: N803
        """Show the samples once more, or for the first time: goes on from the devices' present state.

        Parameters
        ----------
        X : (n_samples, n_features) array-like
        y : (n_samples,) or (n_samples, n_targets) array-like
            In the first call their range is what becomes +-1.
        """
        options, begun = self._gone_on_with()
        inputs, values = self._validated(X, y, multi_output=True, y_numeric=True, reset=not begun)
        if not begun:
            self._begin(inputs, options)
            self._calibrate(_columns(values))
        self._learn(inputs, self._targets(values), options, 1, self._held_back(len(values), options))
        self._constant = self._constant & (_columns(values) == self.target_scaling_.lowest).all(axis=0)
        return self

    def predict(self, X: Any) -> np.ndarray:  # noqa: N803
        """Targets of samples, by READs through a copy of the devices for each."""
        outputs = self._outputs(X)
        scaling = self.target_scaling_
        values = np.where(self._constant, scaling.lowest, outputs / scaling.factor + scaling.offset)
        return values[:, 0] if values.shape[1] == 1 else values

    def _calibrate(self, values: np.ndarray) -> None:
        """Have the range of targets become +-1; of a constant one what is as large as itself."""
        fitted = scaling_of(values, "range", name="y")
        self._constant = fitted.lowest == fitted.highest  # of all targets so far; predicted as it is
        size = np.abs(fitted.lowest)
        with np.errstate(over="ignore", divide="ignore"):
            factor = np.where(self._constant & (size > 0) & np.isfinite(1.0 / size), 1.0 / size, fitted.factor)
        self.target_scaling_ = replace(fitted, factor=factor)

    def _targets(self, values: np.ndarray) -> np.ndarray:
        """Outputs that stand for targets, (samples, outputs); not clipped."""
        scaling, columns = self.target_scaling_, _columns(values)
        if columns.shape[1] != len(scaling.offset):
            raise InputError(f"y: must have {len(scaling.offset)} columns, as before (got {columns.shape[1]})")
        return np.asarray((columns - scaling.offset) * scaling.factor)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags


def _columns(values: np.ndarray) -> np.ndarray:
    """Targets as (samples, targets) float64."""
    return np.asarray(values, dtype=np.float64).reshape(len(values), -1)
