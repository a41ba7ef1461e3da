"""Timing: works that take turns, so that what disturbs the machine disturbs them all; minima, medians and noise.

Of each turn the clock and the processor's time are taken. Ratios of works on one thread are of processor times: on a
machine with other programs the clock counts the waiting for a processor as well. What works on several threads, or
waits for a disk, is compared by the clock.

pyperf's methods are here: loops as long as they must be (:func:`times_to_call`), turns that do not count, a warning
where a time is not stable (:mod:`memsim.benchmarking.table`). pyperf itself is not: its t-test takes turns as
independent of each other, which those of a busy machine are not, and calls one work different from itself. The ratio
of minima to a reference that took turns with it, beyond the noise of both, does not.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np

from .instructions import instructions_of

Work = Callable[[], object]


@dataclass(frozen=True)
class Times:
    """How long one work took in each of its turns, in s.

    Attributes
    ----------
    seconds : tuple of float
        By the clock.
    processor_seconds : tuple of float
        Of this process, all its threads, and of the processes that the work started; empty where it was not taken.
    instructions : int, optional
        Of a turn more, where they can be counted.
    """

    seconds: tuple[float, ...]
    processor_seconds: tuple[float, ...] = ()
    instructions: int | None = None

    @property
    def minimum(self) -> float:
        """The shortest: the one that was disturbed least."""
        return min(self.seconds)

    @property
    def median(self) -> float:
        """The one in the middle."""
        return float(np.median(self.seconds))

    @property
    def work(self) -> float:
        """The least processor time, which works on one thread are compared by; the clock's where it was not taken."""
        return min(self.processor_seconds or self.seconds)

    @property
    def noise_of_work(self) -> float:
        """How far that can be trusted."""
        return noise_of(self.processor_seconds or self.seconds)

    @property
    def noise(self) -> float:
        """How far the minimum can be trusted, see :func:`noise_of`."""
        return noise_of(self.seconds)


def noise_of(seconds: tuple[float, ...]) -> float:
    """How far the minimum of some times can be trusted, relative to it.

    The greater of two: how far the lower quartile lies above the minimum, and
    how far the minima of the first and of the second half lie apart.
    """
    if len(seconds) < 2:
        return 0.0
    half = len(seconds) // 2
    apart = abs(min(seconds[:half]) - min(seconds[half:]))
    return max(float(np.quantile(seconds, 0.25)) - min(seconds), apart) / min(seconds)


@dataclass(frozen=True)
class Effort:
    """How much measuring is worth.

    Attributes
    ----------
    turn_seconds : float
        How long one turn of a work should take at least.
    turns : int
        Of each work, at most.
    case_seconds : float
        No more turns are begun after this; each work has three in any case.
    """

    turn_seconds: float
    turns: int
    case_seconds: float


CAREFUL = Effort(turn_seconds=0.02, turns=11, case_seconds=4.0)
QUICK = Effort(turn_seconds=0.001, turns=5, case_seconds=0.1)


def seconds_of(work: Work) -> float:
    """How long a work takes, once."""
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def processor_seconds() -> float:
    """Processor time, the user's and the system's, of this process and of all that it started and that have ended.

    Of this process alone where the system tells no more.
    """
    try:
        import resource
    except ImportError:  # Windows
        return time.process_time()
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + used.ru_utime + used.ru_stime


def processor_seconds_of(work: Work) -> float:
    """Processor time of a work, once."""
    before = processor_seconds()
    work()
    return processor_seconds() - before


def taking_turns(works: Mapping[str, Work], effort: Effort, *, warm: bool = True) -> dict[str, Times]:
    """Let works take turns; none of them may depend on how often it was called.

    Parameters
    ----------
    works : dict
        Name to work.
    effort : Effort
    warm : bool
        Call each once before, uncounted.

    Returns
    -------
    dict
        Name to times.
    """
    if warm:
        for work in works.values():
            work()
    taken: dict[str, list[float]] = {name: [] for name in works}
    used: dict[str, list[float]] = {name: [] for name in works}
    begun = time.perf_counter()
    for turn in range(effort.turns):
        if turn >= 3 and time.perf_counter() - begun > effort.case_seconds:
            break
        for name, work in works.items():
            before = processor_seconds()
            taken[name].append(seconds_of(work))
            used[name].append(processor_seconds() - before)
    counts = {name: instructions_of(work) for name, work in works.items()}
    return {name: Times(tuple(taken[name]), tuple(used[name]), counts[name]) for name in works}


def times_to_call(work: Callable[[int], object], effort: Effort) -> int:
    """How many rounds ``work(rounds)`` needs so that a turn takes as long as it should, also an undisturbed one."""
    rounds = 1
    while (seconds := min(seconds_of(partial(work, rounds)) for _ in range(2))) < effort.turn_seconds:
        wanted = rounds * effort.turn_seconds / max(seconds, 1e-7)
        rounds = max(2 * rounds, min(int(1.2 * wanted), 100 * rounds))
    return rounds
