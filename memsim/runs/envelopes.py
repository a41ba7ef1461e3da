"""The envelope of consecutive rows: the smallest and the largest value of each span of them."""

import numpy as np


class SpanExtremes:
    """Smallest and largest values of a bank's quantity over consecutive spans of steps, from rows as they come.

    Parameters
    ----------
    edges : (spans + 1,) int64
        Steps at which the spans begin, and where the last one ends.

    Attributes
    ----------
    lowest, highest : (spans, ...) float64
        Of the values' shape behind the first axis; without spans before the first rows.
    """

    def __init__(self, edges: np.ndarray) -> None:
        self.edges = edges
        self.lowest = self.highest = np.empty(0)

    def add(self, first: int, values: np.ndarray) -> None:
        """Take rows (steps, ...) from step ``first`` on into account; they lie within the spans."""
        if self.lowest.size == 0:
            shape = (len(self.edges) - 1, *values.shape[1:])
            self.lowest, self.highest = np.full(shape, np.inf), np.full(shape, -np.inf)
        inner = self.edges[(self.edges > first) & (self.edges < first + len(values))]
        begins = np.append(first, inner)
        spans = np.searchsorted(self.edges, begins, side="right") - 1
        self.lowest[spans] = np.minimum(self.lowest[spans], np.minimum.reduceat(values, begins - first))
        self.highest[spans] = np.maximum(self.highest[spans], np.maximum.reduceat(values, begins - first))
