"""``memsim devices``."""

from typing import TYPE_CHECKING, Any

import click

from . import options

if TYPE_CHECKING:
    from ..devices import Device
    from ..terminal.screen import Table

EPILOG = """\b
Examples:
  memsim devices
  memsim devices node
  memsim devices vteam
  memsim devices --models examples/my_device.py my-drift
"""


@click.command(name="devices", epilog=EPILOG)
@options.models
@click.argument("name", required=False)
def command(name: str | None) -> None:
    """List the device models, or show one: equations, parameters and where they come from, states, source."""
    from ..devices import MODELS
    from ..errors import InputError
    from ..fields import one_of
    from ..terminal.screen import Column, Table, describe, show

    if name is not None and name not in MODELS:
        raise InputError(f"NAME: must be {one_of(MODELS, name)}")
    if name is not None:
        show_model(name, MODELS[name])
        return
    table = Table("model", Column("what it is", words=True), open=True)
    for key, model in MODELS.items():
        table.row(key, model.title)
    show(table)
    describe()
    describe("memsim devices NAME shows a model's equations, parameters and sources.")


def show_model(name: str, model: "type[Device]") -> None:
    """Print all that is known of a model."""
    from ..terminal.screen import describe, show

    describe(f"{name}: {model.title}", style="bold")
    describe()
    for line in model.equations.splitlines():
        describe(line)
    table, origins = _parameters(model)
    describe()
    show(table)
    for number, origin in enumerate(origins, 1):
        describe(f"[{number}] {origin}", style="dim")
    if model.presets:
        describe()
        show(_presets(model))
        for preset, parameters in model.presets.items():
            describe(f"{preset}: {parameters.origin}", style="dim")
    describe()
    show(_states(model))
    describe(f"source: {model.source}")


def _parameters(model: "type[Device]") -> "tuple[Table, list[str]]":
    """The table of a model's parameters, and the origins that its numbers in brackets stand for."""
    from ..fields import facts_of
    from ..terminal.screen import Column, Table

    words = Column("range", words=True), Column("what it is", words=True)
    table = Table("parameter", "unit", "default", *words, title="Parameters")
    origins: list[str] = []
    for name, field in model.model_fields.items():
        if name == "model":
            continue
        facts = facts_of(field)
        if facts.origin and facts.origin not in origins:
            origins.append(facts.origin)
        note = f" [{origins.index(facts.origin) + 1}]" if facts.origin else ""
        default = "calibrated" if field.default is None else _number(field.default)
        values = ", ".join(map(str, facts.choices)) or facts.bounds
        table.row(name, facts.unit, default, values, f"{facts.description}{note}")
    return table, origins


def _presets(model: "type[Device]") -> "Table":
    from ..terminal.screen import Table

    table = Table("parameter", *model.presets, title="Named sets (preset)")
    fields = [field for field in model.model_fields if any(field in each.values for each in model.presets.values())]
    for field in fields:
        table.row(field, *(_number(each.values.get(field, "")) for each in model.presets.values()))
    return table


def _states(model: "type[Device]") -> "Table":
    from ..devices import UNBOUNDED
    from ..terminal.screen import Column, Table

    title, words = "State variables, with the default parameters", Column("what it is", words=True)
    table = Table("state variable", "unit", "from", "to", words, title=title)
    for variable in model().state_variables():
        upper = "none" if variable.upper >= UNBOUNDED else f"{variable.upper:g}"
        table.row(variable.name, variable.unit, f"{variable.lower:g}", upper, variable.description)
    return table


def _number(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
