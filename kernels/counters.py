"""What is counted of each device while it is stepped; each counter is declared where it lies, a field of ``Bank``."""

import typing
from typing import Any, NamedTuple

PHASES, STATES, DEVICES = "phase device realisation", "device variable realisation", "device realisation"


class Counter(NamedTuple):
    """A counter, which begins with 0, or with the first state.

    Attributes
    ----------
    axes : str
        Of the values that a run keeps, one of :data:`PHASES`, :data:`STATES` and :data:`DEVICES`.
    unit : str
        ``state`` stands for that of the bank's state variables.
    meaning : str
        In run files, in what a run shows, and on pages.
    shown : str
        What a run calls the sum of it, where it shows that.
    programmed : bool
        Whether it is kept of the writing of starting weights too.
    late : bool
        Whether run files of earlier versions lack it.
    """

    axes: str
    unit: str
    meaning: str
    shown: str = ""
    programmed: bool = False
    late: bool = False


def declared_in(record: Any) -> dict[str, Counter]:
    """The counters among the fields of a record's class, by name."""
    hints = typing.get_type_hints(record, include_extras=True)
    said = {name: getattr(hint, "__metadata__", ())[-1:] for name, hint in hints.items()}
    return {name: found[0] for name, found in said.items() if found and isinstance(found[0], Counter)}
