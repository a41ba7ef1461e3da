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
        are written one after the other (Eqs. 5, 6). Both learn the same curve. The
        second is compiled anew for each number of inputs, and takes time with its square.
    weight_limit : float
        Weights and bias stop at +- this.
    learning_rate_init : float
        eta, above 0.
    max_iter : int
        Epochs, 1 or more.
    batch_size : int
        Samples of a mini-batch, whose updates are added up before one write.
        No more than there are to learn; more are taken for all of them, with a warning.
    shuffle : bool
        A new order of the samples in every epoch.
    random_state : int, RandomState or None
        Of starting weights, shuffles, and of what is held back.
    early_stopping : bool
        Hold samples back, end where their error no longer falls, and predict with the
        states of the best epoch.
    validation_fraction : float
        Share that is held back, of each class.
    n_iter_no_change : int
        Epochs without a lower validation error that end the training.
    scaling : {"range", "standard", "none"}
        How columns become currents: their range to +-1, a mean of 0 and a standard
        deviation of 1, or as they are, in units of the unit current.
    beyond : {"clip", "refuse"}
        What becomes of inputs beyond the range of the samples that were learned first:
        taken for its end, with a warning that counts them, or refused.
    synapse : device or str, optional
        Device model of the synapses, or its name as ``"vteam"``; the paper's by default.
    realisations : int
        Networks side by side, from seeds of their own; predictions are by the mean of their outputs.
    imperfections : ImperfectionsSection or dict, optional
        Of each kind of bank: ``{"synapse": {"write_noise": 0.1}}``.
    verbose : bool, optional
        As of :func:`memsim.train`: a bar; only in a notebook where not given.
    callback : callable, optional
        As of :func:`memsim.train`: told of each epoch, it may end the training.

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
