"""What both classifiers share: classes as outputs, and the other way."""

from typing import Any, Self

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets, unique_labels

from ..datasets import Classes
from ..errors import InputError
from .base import MemristorEstimator


class MemristorClassifier(ClassifierMixin, MemristorEstimator):
    """A classifier: one output for each class, trained for it against the rest; two classes share one.

    Attributes
    ----------
    classes_ : (n_classes,)
    """

    def fit(self, X: Any, y: Any) -> Self:  # noqa: N803
        """Train on samples, from newly drawn weights.

        Parameters
        ----------
        X : (n_samples, n_features) array-like
        y : (n_samples,) array-like
            Classes.
        """
        options = self._checked()
        inputs, labels = self._validated(X, y)
        check_classification_targets(labels)
        self._set_classes(labels)
        held_back = self._held_back(len(labels), options, stratify=labels)
        self._begin(inputs, options)
        self._learn(inputs, self._targets(labels), options, options.max_iter, held_back)
        return self

    def partial_fit(self, X: Any, y: Any, classes: Any = None) -> Self:  # noqa: N803
        """Show the samples once more, or for the first time: goes on from the devices' present state.

        Parameters
        ----------
        X : (n_samples, n_features) array-like
        y : (n_samples,) array-like
        classes : array-like, optional
            All classes that there will be; needed in the first call.
        """
        options, begun = self._gone_on_with()
        if not begun and classes is None:
            raise InputError("classes: must be given in the first call of partial_fit (got None)")
        inputs, labels = self._validated(X, y, reset=not begun)
        check_classification_targets(labels)
        if not begun:
            self._set_classes(classes)
            self._begin(inputs, options)
        elif classes is not None and not np.array_equal(unique_labels(classes), self.classes_):
            raise InputError(f"classes: must be those of the first call, {self.classes_} (got {classes})")
        self._learn(inputs, self._targets(labels), options, 1, self._held_back(len(labels), options))
        return self

    def decision_function(self, X: Any) -> np.ndarray:  # noqa: N803
        """How far each output is above midway, by READs through a copy of the devices for each sample.

        Returns
        -------
        (n_samples,) or (n_samples, n_classes) float64
            One output where there are two classes: above 0 for the second.
        """
        above = self._outputs(X) - self._code.middle
        return above[:, 0] if above.shape[1] == 1 else above

    def predict(self, X: Any) -> np.ndarray:  # noqa: N803
        """The class of each sample: the one with the largest output."""
        outputs = self._outputs(X)
        return np.asarray(self.classes_[self._code.decide(outputs)])

    @property
    def _code(self) -> Classes:
        """Classes by their numbers, as outputs."""
        count = len(self.classes_)
        return Classes(tuple(map(str, range(count))), outputs=1 if count == 2 else count)

    def _set_classes(self, labels: Any) -> None:
        classes = unique_labels(labels)
        if len(classes) < 2:
            raise InputError(f"y: must be of two classes or more (got 1 class, {classes[0]!r})")
        self.classes_ = classes

    def _targets(self, labels: np.ndarray) -> np.ndarray:
        """Outputs that stand for labels, (samples, outputs)."""
        unknown = ~np.isin(labels, self.classes_)
        if unknown.any():
            sample = int(np.argmax(unknown))
            raise InputError(f"y: must be of the classes {self.classes_} (got {labels[sample]!r} in sample {sample})")
        return self._code.targets(np.searchsorted(self.classes_, labels))
