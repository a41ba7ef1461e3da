"""Estimators of scikit-learn whose fitting and predicting are pulses through memristors.

They need scikit-learn. Each is trained by the algorithms of Silva et al., 'Perceptrons from Memristors',
arXiv:1807.04912, every pulse stepped.
"""

import importlib.util

if importlib.util.find_spec("sklearn") is None:
    raise ImportError("memsim.sklearn needs scikit-learn: pip install 'memsim[sklearn]'")

from .multilayer import MemristorMLPClassifier, MemristorMLPRegressor
from .perceptron import MemristorPerceptronClassifier

__all__ = ["MemristorMLPClassifier", "MemristorMLPRegressor", "MemristorPerceptronClassifier"]


def __dir__() -> list[str]:
    return sorted([*__all__, "__all__"])  # the pages of the reference look for __all__ here
