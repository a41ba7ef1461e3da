"""The single-layer perceptron of Algorithm 1 as a classifier."""

from typing import Any, ClassVar

from .classifiers import MemristorClassifier
from .estimator_options import Options, PerceptronOptions


class MemristorPerceptronClassifier(MemristorClassifier):
    """Single-layer perceptrons of Algorithm 1, every pulse stepped.

    Each class has a perceptron of its own, which is trained for it against all
    others; two classes share one. Inputs become currents of up to +-1 unit.

    Parameters
    ----------
    construction : {"equivalent", "memristor"}
        A synapse for each weight and an activation stage, as the paper's equivalent
        construction has it; or one threshold memristor for all weights, whose windows
        are written one after the other (Eqs. 5, 6). Both learn the same curve.
    weight_limit : float
        Weight at the end of a device's range; weights and bias stop there.
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
        Share of the samples that is held out, of each class.
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
    runs_ : tuple of Run
        The last run of each perceptron, in the order of the classes.
    scaling_ : Scaling
    loss_curve_ : list of float
    n_iter_ : int
    n_features_in_ : int
    feature_names_in_ : (n_features,) of str

    Notes
    -----
    F. Silva, M. Sanz, J. Seixas, E. Solano and Y. Omar, 'Perceptrons from Memristors', arXiv:1807.04912.
    """

    _options: ClassVar[type[Options]] = PerceptronOptions

    def __init__(
        self, *, construction: str = "equivalent", weight_limit: float = 20.0, learning_rate_init: float = 0.3,
        max_iter: int = 100, batch_size: int = 1, shuffle: bool = True, random_state: Any = None,
        early_stopping: bool = False, validation_fraction: float = 0.1, n_iter_no_change: int = 10,
        scaling: str = "range", beyond: str = "clip",
        synapse: Any = None, realisations: int = 1, imperfections: Any = None, verbose: bool | None = None,
        callback: Any = None,
    ) -> None:  # fmt: skip
        self.construction = construction
        self.weight_limit = weight_limit
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

    def _parts(self, outputs: int) -> list[slice]:
        return [slice(k, k + 1) for k in range(outputs)]
