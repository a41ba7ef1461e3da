"""How well a score tells the samples of a class from the rest: ROC curves, and the areas under them."""

from typing import NamedTuple

import numpy as np


class RocCurve(NamedTuple):
    """Rates of false and of true positives, (points,) float64 each, at thresholds of the score, which fall."""

    false_positives: np.ndarray
    true_positives: np.ndarray
    thresholds: np.ndarray


def roc_curve(of_class: np.ndarray, scores: np.ndarray) -> RocCurve:
    """The curve from (0, 0), at a threshold of infinity, to (1, 1), with a point for each value of the score.

    Parameters
    ----------
    of_class : (samples,) bool
        Some are, and some are not.
    scores : (samples,) float64
    """
    values, place = np.unique(-scores, return_inverse=True)
    positives = np.cumsum(np.bincount(place[of_class], minlength=len(values)))
    negatives = np.cumsum(np.bincount(place[~of_class], minlength=len(values)))
    return RocCurve(
        np.append(0.0, negatives / negatives[-1]), np.append(0.0, positives / positives[-1]), np.append(np.inf, -values)
    )


def roc_areas(of_class: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Area under the curve of each realisation, (realisations,) float64.

    It is the chance that a sample of the class has the larger score than one of the rest, where equal scores count by
    half: the statistic of Mann and Whitney, Ann. Math. Stat. 18, 50 (1947), from sums of ranks. NaN where all samples
    are of the class, or none.

    Parameters
    ----------
    of_class : (samples,) bool
    scores : (samples, realisations) float64
    """
    inside = np.count_nonzero(of_class)
    outside = len(of_class) - inside
    if not inside or not outside:
        return np.full(scores.shape[1], np.nan)
    order = np.argsort(scores, axis=0)
    ranks = _ranks(np.take_along_axis(scores, order, axis=0))
    wins = np.sum(ranks, axis=0, where=of_class[order]) - 0.5 * inside * (inside + 1)
    return wins / (inside * outside)


def _ranks(ascending: np.ndarray) -> np.ndarray:
    """Ranks from 1 of sorted columns; equal values have the mean of theirs."""
    places = np.arange(len(ascending))[:, None]
    changes = ascending[1:] != ascending[:-1]
    ends = np.ones((1, ascending.shape[1]), dtype=bool)
    first = np.maximum.accumulate(np.where(np.concatenate([ends, changes]), places, 0), axis=0)
    last = np.where(np.concatenate([changes, ends]), places, len(ascending))
    last = np.minimum.accumulate(last[::-1], axis=0)[::-1]
    return 0.5 * (first + last) + 1.0
