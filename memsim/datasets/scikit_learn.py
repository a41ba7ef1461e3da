"""The data sets that scikit-learn ships, which need no download."""

from typing import NamedTuple

import numpy as np

from ..libraries import load_library

LOADERS = {"iris": "load_iris", "wine": "load_wine", "breast-cancer": "load_breast_cancer", "digits": "load_digits"}


class Shipped(NamedTuple):
    """A data set of scikit-learn.

    Attributes
    ----------
    inputs : (samples, inputs) float64
        In units of their own.
    labels : (samples,) str
    features : tuple of str
        Names of the inputs.
    """

    inputs: np.ndarray
    labels: np.ndarray
    features: tuple[str, ...]


def shipped(name: str) -> Shipped:
    """A data set by its name, one of ``LOADERS``.

    Raises
    ------
    InputError
        scikit-learn is not installed.
    """
    library = load_library("sklearn.datasets", "sklearn", f"data.dataset = {name!r}", distribution="scikit-learn")
    bunch = getattr(library, LOADERS[name])()
    return Shipped(bunch.data, np.asarray(bunch.target_names).astype(str)[bunch.target], tuple(bunch.feature_names))
