"""``memsim devices``."""

import click

EPILOG = """\b
Examples:
  memsim devices
  memsim devices node
"""


@click.command(name="devices", epilog=EPILOG)
@click.argument("name", required=False)
def command(name: str | None) -> None:
    """List the device models, or show one: equations, states, parameters, source."""
    from rich.table import Table

    from ..devices import MODELS, UNBOUNDED
    from ..errors import InputError
    from ..reporting import console

    out = console()
    if name is None:
        for key, model in MODELS.items():
            out.print(f"{key:22s}{model.title}")
        out.print("\nmemsim devices NAME shows a model's equations and parameters.")
        return
    if name not in MODELS:
        raise InputError(f"NAME: must be one of {', '.join(MODELS)} (got {name!r})")
    model = MODELS[name]
    out.print(f"{name}: {model.title}\n", style="bold")
    out.print(model.equations, markup=False)
    parameters = Table("parameter", "unit", "default", "what it is", title="Parameters", title_justify="left")
    for field, about in model.model_fields.items():
        if field == "model":
            continue
        extra = about.json_schema_extra
        unit = str(extra["unit"]) if isinstance(extra, dict) else ""
        default = "calibrated" if about.default is None else str(about.default)
        parameters.add_row(field, unit, default, about.description)
    states = Table("state variable", "unit", "lower bound", "upper bound", "what it is", title_justify="left")
    states.title = "State variables, with the default parameters"
    for variable in model().state_variables():
        upper = "none" if variable.upper >= UNBOUNDED else f"{variable.upper:g}"
        states.add_row(variable.name, variable.unit, f"{variable.lower:g}", upper, variable.description)
    out.print(parameters)
    out.print(states)
    out.print(f"source: {model.source}")
