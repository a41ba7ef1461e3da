"""``memsim devices``."""

import typing
from typing import TYPE_CHECKING, Any

import click

from . import options

if TYPE_CHECKING:
    from rich.table import Table

    from ..devices import Device

EPILOG = """\b
Examples:
  memsim devices
  memsim devices node
  memsim devices vteam
  memsim devices --models examples/my_device.py my-drift
"""

SIGNS = {"gt": ">", "ge": ">=", "lt": "<", "le": "<="}


@click.command(name="devices", epilog=EPILOG)
@options.models
@click.argument("name", required=False)
def command(name: str | None) -> None:
    """List the device models, or show one: equations, parameters and where they come from, states, source."""
    from ..devices import MODELS
    from ..errors import InputError
    from ..reporting import console

    if name is not None and name not in MODELS:
        raise InputError(f"NAME: must be one of {', '.join(MODELS)} (got {name!r})")
    if name is not None:
        show(name, MODELS[name])
        return
    out = console()
    for key, model in MODELS.items():
        out.print(f"{key:22s}{model.title}")
    out.print("\nmemsim devices NAME shows a model's equations, parameters and sources.")


def show(name: str, model: "type[Device]") -> None:
    """Print all that is known of a model."""
    from ..reporting import console

    out = console()
    out.print(f"{name}: {model.title}\n", style="bold")
    out.print(model.equations, markup=False)
    table, origins = _parameters(model)
    out.print("", table)
    for number, origin in enumerate(origins, 1):
        out.print(f"\\[{number}] {origin}", style="dim")
    if model.presets:
        out.print("", _presets(model))
        for preset, parameters in model.presets.items():
            out.print(f"{preset}: {parameters.origin}", style="dim")
    out.print("", _states(model))
    out.print(f"source: {model.source}")


def _parameters(model: "type[Device]") -> "tuple[Table, list[str]]":
    """The table of a model's parameters, and the origins that its numbers in brackets stand for."""
    table = _table("Parameters", "parameter", "unit", "default", "range", "what it is")
    table.columns[3].max_width = 17  # so that a choice of words leaves room for what they mean
    origins: list[str] = []
    for field, about in model.model_fields.items():
        if field == "model":
            continue
        extra = about.json_schema_extra if isinstance(about.json_schema_extra, dict) else {}
        origin = str(extra.get("origin", ""))
        if origin and origin not in origins:
            origins.append(origin)
        note = f" \\[{origins.index(origin) + 1}]" if origin else ""
        default = "calibrated" if about.default is None else _number(about.default)
        table.add_row(field, str(extra.get("unit", "")), default, _range(about), f"{about.description}{note}")
    return table, origins


def _range(about: Any) -> str:
    """What values a field takes."""
    if typing.get_origin(about.annotation) is typing.Literal:
        return ", ".join(str(choice) for choice in typing.get_args(about.annotation))
    bounds = [
        f"{sign} {getattr(bound, name):g}"
        for bound in about.metadata
        for name, sign in SIGNS.items()
        if hasattr(bound, name)
    ]
    return ", ".join(bounds)


def _presets(model: "type[Device]") -> "Table":
    table = _table("Named sets (preset)", "parameter", *model.presets)
    fields = [field for field in model.model_fields if any(field in each.values for each in model.presets.values())]
    for field in fields:
        table.add_row(field, *(_number(each.values.get(field, "")) for each in model.presets.values()))
    return table


def _states(model: "type[Device]") -> "Table":
    from ..devices import UNBOUNDED

    table = _table("State variables, with the default parameters", "state variable", "unit", "from", "to", "what it is")
    for variable in model().state_variables():
        upper = "none" if variable.upper >= UNBOUNDED else f"{variable.upper:g}"
        table.add_row(variable.name, variable.unit, f"{variable.lower:g}", upper, variable.description)
    return table


def _table(title: str, *columns: str) -> "Table":
    from rich.table import Table

    table = Table(*columns, title=title, title_justify="left")
    table.columns[0].no_wrap = True
    return table


def _number(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
