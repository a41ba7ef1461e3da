"""Tables of what can be configured, written from the fields themselves.

``fields`` shows a section of a configuration, ``device`` a device model: its
fields, where the defaults are from, its named sets of parameters.
"""

import importlib
import re
import typing
from collections.abc import Iterator
from typing import Any

from docutils import nodes
from docutils.parsers.rst import Directive, directives
from field_words import as_toml, words_of
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from sphinx.application import Sphinx

from memsim.devices import MODELS, Device
from memsim.fields import Facts, facts_of

Cell = list[nodes.Node]
RAISED = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


def default_of(field: FieldInfo) -> Cell:
    """What a field is where it is not given."""
    if field.is_required():
        return words("required")
    return words("not given") if field.default is None else code(as_toml(field.default))


def values_of(field: FieldInfo, facts: Facts) -> Cell:
    """What a field takes: some values, or a type and bounds."""
    named = words_of(field.annotation)
    if facts.choices:
        return [*words(f"{named} " if named else ""), *listed([as_toml(choice) for choice in facts.choices])]
    return words(", ".join(part for part in (named, shown_bounds(facts.bounds)) if part))


def shown_bounds(bounds: str) -> str:
    """Bounds as they are set, each in one piece."""
    signs = bounds.replace(">=", "≥").replace("<=", "≤")
    powers = re.sub(r"2\^(\d+)", lambda power: "2" + power[1].translate(RAISED), signs)
    return re.sub(r"(?<=[≥≤<>]) ", "\N{NO-BREAK SPACE}", powers)


def words(text: str) -> Cell:
    """A cell of plain words."""
    return [nodes.Text(text.replace("+-", "±"))]


def code(text: str) -> Cell:
    """A cell of one word of code."""
    return [nodes.literal(text, text)]


def listed(texts: list[str]) -> Cell:
    """Words of code, with commas between them."""
    between = [part for text in texts for part in (nodes.Text(", "), nodes.literal(text, text))]
    return between[1:]


def table_of(heads: list[str], rows: list[list[Cell]]) -> nodes.table:
    """A table with a line of headings."""
    group = nodes.tgroup("", *(nodes.colspec(colwidth=1) for _ in heads), cols=len(heads))
    group += nodes.thead("", row_of([words(head) for head in heads]))
    group += nodes.tbody("", *map(row_of, rows))
    return nodes.table("", group, classes=["fields", "colwidths-auto"])


def row_of(cells: list[Cell]) -> nodes.row:
    """A line of a table."""
    return nodes.row("", *(nodes.entry("", nodes.paragraph("", "", *cell)) for cell in cells))


def shown_fields(model: type[BaseModel], left_out: list[str]) -> Iterator[tuple[str, FieldInfo, Facts]]:
    """Names, declarations and facts of the fields that a table has."""
    for name, field in model.model_fields.items():
        if name not in left_out:
            yield name, field, facts_of(field)


def unit_of(facts: Facts) -> str:
    """A unit, where there is one to say."""
    return facts.unit.replace("m2", "m²").replace(" ", "\N{NO-BREAK SPACE}") if facts.unit != "1" else ""


class FieldsDirective(Directive):
    """``fields`` and the name of a class: the table of its fields."""

    required_arguments = 1
    option_spec: typing.ClassVar[dict[str, Any]] = {"leave-out": directives.unchanged}

    def run(self) -> list[nodes.Node]:
        """The table."""
        module, _, name = self.arguments[0].rpartition(".")
        model = getattr(importlib.import_module(module), name)
        rows = [
            [code(name), values_of(field, facts), words(unit_of(facts)), default_of(field), words(facts.description)]
            for name, field, facts in shown_fields(model, self.options.get("leave-out", "").split())
        ]
        return [table_of(["field", "values", "unit", "default", "what it is"], rows)]


class DeviceDirective(Directive):
    """``device`` and the name of a model: its fields, their origins, its named sets."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """The tables and lists."""
        model = MODELS[self.arguments[0]]
        origins = list(dict.fromkeys(facts.origin for _, _, facts in shown_fields(model, ["model"]) if facts.origin))
        shown: list[nodes.Node] = [parameters_of(model, origins)]
        if origins:
            shown += [
                nodes.paragraph("", "Where the defaults are from:"),
                nodes.enumerated_list("", *map(item_of, origins), enumtype="arabic", suffix="."),
            ]
        if model.presets:
            shown += presets_of(model)
        return shown


def parameters_of(model: type[Device], origins: list[str]) -> nodes.table:
    """The table of a model's parameters; the last column has the numbers of their origins."""
    rows = []
    for name, field, facts in shown_fields(model, ["model"]):
        origin = str(origins.index(facts.origin) + 1) if facts.origin else ""
        first = [code(name), values_of(field, facts), words(unit_of(facts)), default_of(field)]
        rows.append([*first, words(facts.description), words(origin)])
    return table_of(["field", "values", "unit", "default", "what it is", "from"], rows)


def presets_of(model: type[Device]) -> list[nodes.Node]:
    """The named sets: a column for each, and where they are from."""
    sets = model.presets
    names = [name for name in model.model_fields if any(name in each.values for each in sets.values())]
    rows = [[code(name), *(set_value(each.values.get(name)) for each in sets.values())] for name in names]
    items = [
        nodes.list_item("", nodes.paragraph("", "", *code(name), *words(f": {each.origin}.")))
        for name, each in sets.items()
    ]
    title = nodes.paragraph("", "Named sets of parameters:")
    return [title, table_of(["field", *sets], rows), nodes.bullet_list("", *items)]


def set_value(value: Any) -> Cell:
    """What a named set gives a field, if anything."""
    return words("") if value is None else code(as_toml(value))


def item_of(text: str) -> nodes.list_item:
    """A sentence of a numbered list."""
    sentence = f"{text[:1].upper()}{text[1:]}."
    return nodes.list_item("", nodes.paragraph("", sentence))


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directives."""
    app.add_directive("fields", FieldsDirective)
    app.add_directive("device", DeviceDirective)
    return {"parallel_read_safe": True}
