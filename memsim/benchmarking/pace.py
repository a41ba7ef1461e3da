"""The time that is left of a benchmark, by the work of what remains."""

import time
from collections.abc import Callable, Sequence

TRUSTED_SECONDS = 60.0  # of expected work: until more than that is done, the estimates count for more than the pace


class Pace:
    """How far some works are that follow each other, whose lengths were estimated.

    The estimates say how long works are beside each other. How long a second of
    an estimate takes here is learned from those that are done. So one long work
    among many short ones changes the time that is left by what it takes, and not
    by its share of their number.

    Parameters
    ----------
    expected : sequence of float
        Estimates, in s, in the order of the works.
    clock : function
        The time, in s.
    """

    def __init__(self, expected: Sequence[float], clock: Callable[[], float] = time.monotonic) -> None:
        self._expected, self._clock = expected, clock
        self._done, self._taken = 0, 0.0  # works, and the seconds that they took
        self._begun = clock()

    def next(self) -> None:
        """Tell that a work is done, and the next one begins."""
        now = self._clock()
        self._taken += now - self._begun
        self._done, self._begun = self._done + 1, now

    @property
    def total(self) -> float:
        """All of the work, in seconds of the estimates."""
        return sum(self._expected)

    @property
    def done(self) -> float:
        """What is done, in seconds of the estimates; of a work that goes on, no more than its estimate."""
        return sum(self._expected[: self._done]) + self._of_this()

    @property
    def left(self) -> float:
        """The time that is left, in s."""
        return (self.total - self.done) * self._factor()

    def _of_this(self) -> float:
        """What is done of the work that goes on, in seconds of the estimates."""
        if self._done >= len(self._expected):
            return 0.0
        return min((self._clock() - self._begun) / self._factor_of_done(), self._expected[self._done])

    def _factor_of_done(self) -> float:
        """How long a second of an estimate took here."""
        return (self._taken + TRUSTED_SECONDS) / (sum(self._expected[: self._done]) + TRUSTED_SECONDS)

    def _factor(self) -> float:
        """How long a second of an estimate takes here, by what is done and by work that takes longer than expected.

        It grows while that goes on, so that what is left does not jump at its end.
        """
        known = self._factor_of_done()
        if self._done >= len(self._expected) or self._of_this() < self._expected[self._done]:
            return known
        taken = self._taken + self._clock() - self._begun
        return (taken + TRUSTED_SECONDS) / (sum(self._expected[: self._done + 1]) + TRUSTED_SECONDS)
