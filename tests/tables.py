"""The tables of pages that say what files hold and what is counted, from where that is declared.

``python tests/tables.py`` writes them into the pages, after a change of ``traces/schema.py`` or of a counter.
"""

import re
from collections.abc import Iterable
from pathlib import Path

from pages import FORMAT
from places import ROOT

from memsim.runs.counters import COUNTED, COUNTED_OF_PROGRAMMING
from memsim.runs.margins import COUNTS
from memsim.traces.schema import CONDITIONS, DRIVE, DRIVE_ATTRIBUTES, RUN, RUN_ATTRIBUTES, Attribute, Field

TYPES = {
    "f8": "float64", "i8": "int64", "i4": "int32", "i1": "int8", "u8": "uint64", "u4": "uint32", "?": "bool",
    "uint": "uint8, uint16 or uint32", "text": "text",
}  # fmt: skip
UNITS = {"response": "A or V", "drive": "A or V"}
DRIVE_PAGE, PHYSICS = ROOT / "docs" / "drive.md", ROOT / "docs" / "physics.md"


def by_group(fields: Iterable[Field]) -> list[Field]:
    """Fields of a group together, in the order in which the groups come."""
    given = list(fields)
    groups = [field.path.rpartition("/")[0] for field in given]
    return sorted(given, key=lambda field: groups.index(field.path.rpartition("/")[0]))


FIELDS = {FORMAT: by_group((*RUN, *COUNTED_OF_PROGRAMMING, *COUNTED)), DRIVE_PAGE: list(DRIVE)}
ATTRIBUTES = {FORMAT: RUN_ATTRIBUTES, DRIVE_PAGE: DRIVE_ATTRIBUTES}


def table(headings: str, rows: Iterable[Iterable[str]]) -> str:
    """A table of a page."""
    columns = headings.split(" | ")
    lines = [columns, ["---"] * len(columns), *rows]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def table_of_attributes(attributes: Iterable[Attribute]) -> str:
    return table("object | attribute | type | when | what it is", [
        [
            f"`{each.group}`", f"`{each.name}`", TYPES[each.kind] + (f" ({each.axes})" if each.axes else ""),
            each.when, each.meaning,
        ]
        for each in attributes
    ])  # fmt: skip


def table_of_datasets(fields: Iterable[Field]) -> str:
    return table("dataset | type | shape | unit | since | when | what it is", [
        [
            f"`{each.path}`", TYPES[each.kind], f"({', '.join(each.labels)})" if each.labels else "scalar",
            UNITS.get(each.unit, each.unit), f"{each.since}{', later' if each.late else ''}", each.when,
            f"{'axis: ' if each.is_axis else ''}{each.meaning}",
        ]
        for each in fields
    ])  # fmt: skip


def table_of_conditions(parts: Iterable[Attribute | Field]) -> str:
    used = {word for each in parts for word in each.when.split(", ")}
    return table("when | it is there where", [[when, said] for when, said in CONDITIONS.items() if when in used])


def table_of_counts() -> str:
    return table("count | meaning", [[name.replace("_", " "), meaning] for name, meaning in COUNTS.items()])


def tables_of(page: Path) -> dict[str, str]:
    """How a table of a page begins, to the table."""
    if page == PHYSICS:
        return {"count | meaning": table_of_counts()}
    attributes, fields = ATTRIBUTES[page], FIELDS[page]
    return {
        "object | attribute": table_of_attributes(attributes),
        "dataset | type": table_of_datasets(fields),
        "when | it is": table_of_conditions((*attributes, *fields)),
    }


PAGES = (*FIELDS, PHYSICS)


def written(page: Path) -> str:
    """A page with its tables as they are declared."""
    text = page.read_text(encoding="utf-8")
    for heading, made in tables_of(page).items():
        text = re.sub(rf"^\| {re.escape(heading)}.*\n(?:\|.*\n)+", lambda _, made=made: made, text, flags=re.MULTILINE)
    return text


if __name__ == "__main__":
    for page in PAGES:
        page.write_text(written(page), encoding="utf-8")
