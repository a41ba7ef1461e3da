"""Options that several commands share."""

import functools
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


def assignments(function: Callable[..., Any]) -> Callable[..., Any]:
    """``--set section.field=value``."""
    return click.option(
        "--set", "assignments", multiple=True, metavar="SECTION.FIELD=VALUE", help="Change a field; repeatable."
    )(function)


def _load_models(_: click.Context, __: click.Parameter, value: tuple[Path, ...]) -> None:
    if value:
        from ..user_models.loading import load_models

        for path in value:
            load_models(path)


def models(function: Callable[..., Any]) -> Callable[..., Any]:
    """``--models``: files of the user's own device models, loaded before anything else."""
    return click.option(
        "--models", type=click.Path(path_type=Path), multiple=True, expose_value=False, is_eager=True,
        callback=_load_models, metavar="FILE.py", help="Python file with device models of one's own; repeatable.",
    )(function)  # fmt: skip


def overwrite(function: Callable[..., Any]) -> Callable[..., Any]:
    """``--overwrite``."""
    return click.option("--overwrite", is_flag=True, help="Replace files that exist.")(function)


def quiet(function: Callable[..., Any]) -> Callable[..., Any]:
    """``--quiet``: no progress, and no word on what is compiled."""

    @functools.wraps(function)
    def told(*, quiet: bool, **given: Any) -> Any:
        if not quiet:
            return function(quiet=False, **given)
        from ..terminal.preparing import silently, told_to

        with told_to(silently):
            return function(quiet=True, **given)

    return click.option("--quiet", is_flag=True, help="Show no progress.")(told)


def any_size(function: Callable[..., Any]) -> Callable[..., Any]:
    """``--any-size``."""
    return click.option("--any-size", is_flag=True, help="Lift the limits on the size of a netlist.")(function)


def threads(function: Callable[..., Any]) -> Callable[..., Any]:
    """``--threads``."""
    return click.option(
        "--threads",
        type=click.IntRange(min=1),
        help="Threads; all processors where not given. Results do not depend on it.",
    )(function)


def check_dt(function: Callable[..., Any]) -> Callable[..., Any]:
    """``--check-dt`` and ``--check-dt-tolerance``."""
    function = click.option(
        "--check-dt-tolerance", type=float, default=1e-3, show_default=True,
        help="Largest difference that is fine: of states as a share of their range, of outputs.",
    )(function)  # fmt: skip
    return click.option(
        "--check-dt", is_flag=True, help="First repeat the beginning at dt/2 and dt/4, and say how much differs."
    )(function)


def path_argument(name: str, metavar: str) -> Decorator:
    """A file that the command reads; whether it exists is checked with the rest of the input."""
    return click.argument(name, metavar=metavar, type=click.Path(path_type=Path))


def path_option(flag: str, text: str) -> Decorator:
    """A file that the command writes."""
    return click.option(flag, type=click.Path(path_type=Path), metavar="FILE", help=text)


class NameList(click.ParamType):
    """Names with commas between them."""

    name = "names"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """A text to its names."""
        if not isinstance(value, str):
            return value
        names = tuple(part.strip() for part in value.split(","))
        if not all(names):
            self.fail(f"must be names with commas between them (got {value!r})", param, ctx)
        return names


class NumberList(NameList):
    """Numbers and ranges with commas between them: ``0,2,5:8`` is 0, 2, 5, 6, 7."""

    name = "numbers"
    longest = 1_000_000

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """A text to its numbers."""
        if not isinstance(value, str):
            return value
        return tuple(number for part in super().convert(value, param, ctx) for number in self._range(part, param, ctx))

    def _range(self, text: str, param: click.Parameter | None, ctx: click.Context | None) -> range:
        if not re.fullmatch("[0-9]{1,9}(:[0-9]{1,9})?", text):
            self.fail(f"must be numbers, or ranges A:B, with commas between them (got {text!r})", param, ctx)
        first, _, last = text.partition(":")
        numbers = range(int(first), int(last) if last else int(first) + 1)
        if not 0 < len(numbers) <= self.longest:
            self.fail(f"a range A:B must have 1 to {self.longest} numbers, B not included (got {text!r})", param, ctx)
        return numbers


def _joined(_: click.Context, __: click.Parameter, value: tuple[tuple[Any, ...], ...]) -> tuple[Any, ...]:
    return tuple(item for part in value for item in part)


def channels(function: Callable[..., Any]) -> Callable[..., Any]:
    """``--banks``, ``--devices``, ``--realisations``, ``--quantities``: tuples, empty where not given."""
    for flag, kind, metavar, text in reversed((
        ("--banks", NameList(), "NAME,...", "Banks, as nodes1,nodes2."),
        ("--devices", NumberList(), "N,A:B,...", "Devices of each bank, from 0, as 0,2 or 0:4."),
        ("--realisations", NumberList(), "N,A:B,...", "Realisations, from 0."),
        ("--quantities", NameList(), "NAME,...", "Of state, current, voltage."),
    )):  # fmt: skip
        option = click.option(flag, type=kind, multiple=True, metavar=metavar, callback=_joined, help=text)
        function = option(function)
    return function


def spans(function: Callable[..., Any]) -> Callable[..., Any]:
    """``--epochs``, ``--samples``, ``--steps``: texts for :func:`memsim.analysis.spans.steps_of`."""
    for flag, text in (
        ("--steps", "Steps A to B, counted from the run's start."),
        ("--samples", "Samples A to B, counted from the run's start."),
        ("--epochs", "Epochs A to B, counted from 0, B not included; A alone is one, A: goes on to the end."),
    ):
        function = click.option(flag, metavar="A:B", help=text)(function)
    return function
