"""Options that several commands share."""

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


def overwrite(function: Callable[..., Any]) -> Callable[..., Any]:
    """``--overwrite``."""
    return click.option("--overwrite", is_flag=True, help="Replace files that exist.")(function)


def quiet(function: Callable[..., Any]) -> Callable[..., Any]:
    """``--quiet``."""
    return click.option("--quiet", is_flag=True, help="Show no progress.")(function)


def threads(function: Callable[..., Any]) -> Callable[..., Any]:
    """``--threads``."""
    return click.option(
        "--threads",
        type=click.IntRange(min=1),
        help="Threads; all processors where not given. Results do not depend on it.",
    )(function)


def path_argument(name: str, metavar: str) -> Decorator:
    """A file that the command reads; whether it exists is checked with the rest of the input."""
    return click.argument(name, metavar=metavar, type=click.Path(path_type=Path))


def path_option(flag: str, text: str) -> Decorator:
    """A file that the command writes."""
    return click.option(flag, type=click.Path(path_type=Path), metavar="FILE", help=text)
