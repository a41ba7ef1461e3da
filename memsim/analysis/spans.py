"""Spans of a run as people write them, ``A:B`` in epochs, samples or steps, turned into steps."""

import re

from ..errors import InputError
from ..runs.run import Run

Span = str | int | tuple[int, int]  # "A:B", A, or (A, B)
UNITS = ("epochs", "samples", "steps")
_SPAN = re.compile(r"(-?[0-9]{1,18})?(?:(:)(-?[0-9]{1,18})?)?")


def steps_of(
    run: Run, *, epochs: Span | None = None, samples: Span | None = None, steps: Span | None = None,
    default: tuple[int, int] | None = None,
) -> tuple[int, int]:  # fmt: skip
    """First step and the step after the last one of a span that is given in one unit at most.

    Parameters
    ----------
    run : Run
    epochs, samples, steps : str or (A, B), optional
        See :func:`parse_span`; one of them at most.
    default : (start, stop), optional
        Steps where none is given; the whole run where there is no default either.

    Raises
    ------
    InputError
        More than one is given, the span is not within the run, or the run has no steps yet.
    """
    if run.steps == 0:
        raise InputError("the run has no complete epoch yet, so there is nothing to look at; wait for one")
    given = {unit: text for unit, text in zip(UNITS, (epochs, samples, steps), strict=True) if text is not None}
    if len(given) > 1:
        names = " and ".join(given)
        raise InputError(f"{names}: a span is given in one unit; leave out all but one")
    for unit, text in given.items():
        return parse_span(text, unit, run)
    return (0, run.steps) if default is None else default


def parse_span(span: Span, unit: str, run: Run) -> tuple[int, int]:
    """First step and the step after the last one of a span.

    Parameters
    ----------
    span : str, int or (A, B)
        ``"A:B"``: from A to B, B not included, counted from 0 at the start of
        the run. ``"A"`` is one; ``"A:"`` ends with the run, and ``":B"``
        begins with it. Below 0 they are counted from the run's end: ``"-3:"``
        are the last three, and ``"-1"`` is the last one.
    unit : {"epochs", "samples", "steps"}
        Samples are counted from the start of the run, not of an epoch.
    run : Run

    Returns
    -------
    (start, stop) : int
        An epoch or a sample that the run did not complete ends where the run does.

    Raises
    ------
    InputError
        The text is no span, or the span is empty or not within the run.
    """
    start, stop = bounds_of(span, unit, -(-run.steps // unit_steps(unit, run)))
    size = unit_steps(unit, run)
    return start * size, min(stop * size, run.steps)


def unit_steps(unit: str, run: Run) -> int:
    """Steps of one epoch, sample or step."""
    sizes = {"epochs": run.samples * run.sample_steps, "samples": run.sample_steps, "steps": 1}
    if unit not in sizes:
        raise InputError(f"unit: must be one of {', '.join(UNITS)} (got {unit!r})")
    return sizes[unit]


def bounds_of(span: Span, unit: str, count: int, what: str = "run") -> tuple[int, int]:
    """The two numbers of a span, in its unit, from the start of what has ``count`` of them.

    Raises
    ------
    InputError
        As :func:`parse_span`; ``what`` says whose span it is.
    """
    text = _text_of(span)
    start, stop = _bounds(text, unit, count, what)
    if stop > count:
        raise InputError(f"{unit}: the {what} has {unit} 0 to {count - 1}, so a span ends at {count} (got {text!r})")
    return start, stop


def _text_of(span: Span) -> str:
    """A span as a person writes it."""
    return f"{span[0]}:{span[1]}" if isinstance(span, tuple | list) else str(span)


def _bounds(text: str, unit: str, count: int, what: str) -> tuple[int, int]:
    found = _SPAN.fullmatch(text.strip())
    if found is None or not any((found[1], found[3])):
        raise InputError(f"{unit}: must be A:B or A, as 0:3 or 7, or -3: for the last three (got {text!r})")
    start = _from_start(int(found[1] or 0), text, unit, count, what)
    if not found[2]:
        return start, start + 1
    stop = _from_start(int(found[3]), text, unit, count, what) if found[3] else count
    if stop <= start:
        raise InputError(f"{unit}: the end must be above the beginning, and below {count + 1} (got {text!r})")
    return start, stop


def _from_start(number: int, text: str, unit: str, count: int, what: str) -> int:
    """A number of a span that may be counted from the run's end."""
    if number < -count:
        raise InputError(f"{unit}: the {what} has {count} {unit}, so -{count} is the first (got {text!r})")
    return number + count if number < 0 else number
