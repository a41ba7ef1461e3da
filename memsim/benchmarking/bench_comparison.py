"""Two reports beside each other: what became slower or faster, beyond the noise that both measured."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from .bench_records import Record, Report, noise_of_work

NOISE_OF_INSTRUCTIONS = 0.01  # the same work, counted again, differs by less

Verdict = Literal["slower", "faster", "within noise"]


@dataclass(frozen=True)
class Change:
    """How a case changed.

    Attributes
    ----------
    suite, case : str
    basis : str
        What was compared: ``"time over C"``, ``"time over NumPy"``, ``"processor time"`` or ``"time"``;
        and ``"instructions"``.
    change : float
        New over old; above 1 is slower.
    noise : float
        Of both together, relative.
    """

    suite: str
    case: str
    basis: str
    change: float
    noise: float

    @property
    def verdict(self) -> Verdict:
        """Slower or faster by more than the noise, or neither."""
        if self.change > 1.0 + self.noise:
            return "slower"
        return "faster" if self.change * (1.0 + self.noise) < 1.0 else "within noise"


@dataclass(frozen=True)
class Comparison:
    """All changes, and the cases that only one of the reports has, as suite and case."""

    changes: tuple[Change, ...]
    new: tuple[tuple[str, str], ...]
    gone: tuple[tuple[str, str], ...]

    def of(self, verdict: Verdict) -> list[Change]:
        """Changes of one kind, the greatest first."""
        return sorted((c for c in self.changes if c.verdict == verdict), key=lambda c: c.change, reverse=True)


def compare(old: Report, new: Report) -> Comparison:
    """Compare the cases that both reports have.

    A ratio to a reference that was measured beside, in the same run, says more
    than a time: the machine may have been busier, or may be another one. The
    processor's time says more than the clock's, which counts the waiting for
    others where a machine is shared. Instructions are compared beside a time: they
    tell small changes, but not those of memory.
    """
    before = {(r.suite, r.case): r for r in old.records}
    after = {(r.suite, r.case): r for r in new.records}
    both = [(before[key], after[key]) for key in after if key in before]
    changes = [change for pair in both for change in (_change(*pair), *_change_of_instructions(*pair))]
    # Of a suite that was not measured, or not to its end, nothing is gone.
    suites = {r.suite for r in new.records} if new.complete else set()
    return Comparison(
        tuple(changes),
        tuple(key for key in after if key not in before),
        tuple(key for key in before if key not in after and key[0] in suites),
    )


def _change(old: Record, new: Record) -> Change:
    for basis, figure, noise_of in _BASES:
        before, after = figure(old), figure(new)
        if before is not None and after is not None:
            return Change(new.suite, new.case, basis, after / before, noise_of(old) + noise_of(new))
    change = _time_of(new) / _time_of(old)
    return Change(new.suite, new.case, "time", change, old.noise + new.noise)


def _change_of_instructions(old: Record, new: Record) -> Iterator[Change]:
    """Instructions over instructions, where both have counted them."""
    if old.instructions and new.instructions:
        change = new.instructions / (new.device_steps or 1) / (old.instructions / (old.device_steps or 1))
        yield Change(new.suite, new.case, "instructions", change, NOISE_OF_INSTRUCTIONS)


BY_THE_CLOCK = ("trace", "scaling")  # suites whose works have several threads, or wait for a disk


def _processor_of(record: Record) -> float | None:
    """The processor's time a device-step where there is one, and says how long something takes."""
    if record.suite in BY_THE_CLOCK:
        return None
    return record.processor_seconds and record.processor_seconds / (record.device_steps or 1)


# What is compared before a time, and its noise.
_BASES: tuple[tuple[str, Callable[[Record], float | None], Callable[[Record], float]], ...] = (
    ("time over C", lambda r: r.ratio_to_c, lambda r: noise_of_work(r) + (r.noise_of_c or 0.0)),
    ("time over NumPy", lambda r: r.ratio_to_numpy, lambda r: noise_of_work(r) + (r.noise_of_numpy or 0.0)),
    ("processor time", _processor_of, noise_of_work),
)


def _time_of(record: Record) -> float:
    """The time a device-step where there is one: a turn may have more of them in another run."""
    return record.ns_per_device_step or record.seconds
