"""How well a fit determines its parameters: standard errors, correlations, pairs that cannot be told apart."""

from collections.abc import Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np

NO_INFLUENCE = 1e-9  # change of the response, as a share of its range, for a parameter's unit of scale
SINGULAR = 1e-6  # of the largest singular value: below, a combination of parameters is not determined
CORRELATED = 0.99
INVOLVED = 0.1  # share of a combination from which on a parameter belongs to it


class Uncertainty(NamedTuple):
    """What the Jacobian says.

    Attributes
    ----------
    deviations : (free,) float64
        Standard errors on the fit's scales; infinite where nothing determines them.
    correlations : (free, free) float64
        On the fit's scales; not a number where nothing determines them.
    singular_values : (free,) float64
        Of the Jacobian with columns of length 1, falling.
    warnings : list of str
    """

    deviations: np.ndarray
    correlations: np.ndarray
    singular_values: np.ndarray
    warnings: list[str]


def without_influence(jacobian: np.ndarray) -> np.ndarray:
    """Which parameters do not change the response, (free,) bool."""
    return np.sqrt(np.mean(jacobian**2, axis=0)) < NO_INFLUENCE


def uncertainty_of(
    jacobian: np.ndarray, residuals: np.ndarray, weights: np.ndarray, names: Sequence[str]
) -> Uncertainty:
    """Standard errors and correlations from the weighted Jacobian at the fit's end.

    The covariance is s^2 (J^T W J)^-1, s^2 the weighted sum of squares over the
    degrees of freedom: residuals count as independent.

    Parameters
    ----------
    jacobian : (samples, free) float64
    residuals, weights : (samples,) float64
        A loss other than least squares weighs far residuals less.
    names : sequence of str
    """
    free = len(names)
    weighted = jacobian * np.sqrt(weights)[:, None]
    variance = float(np.sum(weights * residuals**2) / max(len(residuals) - free, 1))
    lengths = np.linalg.norm(weighted, axis=0)
    dead = without_influence(jacobian) | (lengths == 0.0)
    _, singular, directions = np.linalg.svd(weighted / np.where(dead, 1.0, lengths), full_matrices=False)
    weak = singular <= SINGULAR * singular[0]
    inverse = np.where(weak, 0.0, 1.0 / np.where(weak, 1.0, singular))
    covariance = (directions.T * inverse**2) @ directions
    undetermined = dead | (np.abs(directions[weak]) > INVOLVED).any(axis=0)
    root = np.sqrt(np.diagonal(covariance))
    correlations = covariance / np.where(root > 0.0, root, 1.0)[:, None] / np.where(root > 0.0, root, 1.0)
    correlations[undetermined] = correlations[:, undetermined] = np.nan
    np.fill_diagonal(correlations, 1.0)
    deviations = np.where(undetermined, np.inf, np.sqrt(variance) * root / np.where(dead, 1.0, lengths))
    warnings = [
        *(
            f"{name} has no influence where the fit ended; fix it"
            for name, none in zip(names, dead, strict=True)
            if none
        ),
        *(_combined(direction, names) for direction in directions[weak] if not np.abs(direction)[dead].any()),
        *_correlated(correlations, names),
    ]
    return Uncertainty(deviations, correlations, singular, warnings)


def _combined(direction: np.ndarray, names: Sequence[str]) -> str:
    """The parameters that move together without changing the response."""
    involved = [names[k] for k in range(len(names)) if abs(direction[k]) > INVOLVED]
    return f"{' and '.join(involved)} cannot be told apart by these data: only a combination of them; fix one"


def _correlated(correlations: np.ndarray, names: Sequence[str]) -> list[str]:
    pairs = combinations(range(len(names)), 2)
    return [
        f"{names[a]} and {names[b]} are correlated by {correlations[a, b]:.4f}: these data hardly tell them apart"
        for a, b in pairs
        if abs(correlations[a, b]) > CORRELATED
    ]
