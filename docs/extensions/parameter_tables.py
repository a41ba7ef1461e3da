"""Tables of what classes take, written from their docstrings and signatures.

``parameters`` shows the classes side by side: a column of defaults for each.
"""

import importlib
import inspect
import re
from typing import Any

from docutils import nodes
from docutils.parsers.rst import Directive
from field_tables import Cell, code, table_of, words
from numpydoc.docscrape import NumpyDocString
from sphinx.application import Sphinx

CODE = re.compile(r"(?::\w+:`|``)([^`]+)`{1,2}")


class ParametersDirective(Directive):
    """``parameters`` and lines of a heading, a colon, and the path of a class."""

    has_content = True

    def run(self) -> list[nodes.Node]:
        """The table."""
        named = dict(line.split(": ") for line in self.content)
        shown = {heading: class_at(path) for heading, path in named.items()}
        signatures = [inspect.signature(each).parameters for each in shown.values()]
        rows = [
            [code(name), *(default_in(signature, name) for signature in signatures), with_code(description)]
            for name, description in descriptions_of(list(shown.values())).items()
        ]
        return [table_of(["parameter", *shown, "what it is"], rows)]


def class_at(path: str) -> type:
    """The class that a dotted path names."""
    module, _, name = path.rpartition(".")
    found: type = getattr(importlib.import_module(module), name)
    return found


def descriptions_of(classes: list[type]) -> dict[str, str]:
    """What the docstrings say of each parameter; of one that several classes have, what the last one says."""
    parts = [part for each in classes for part in NumpyDocString(inspect.getdoc(each) or "")["Parameters"]]
    return {part.name: " ".join(part.desc) for part in parts}


def default_in(signature: Any, name: str) -> Cell:
    """The default of a parameter, if it is there."""
    return code(repr(signature[name].default)) if name in signature else words("")


def with_code(text: str) -> Cell:
    """A sentence of a docstring, with its code and its references as code."""
    parts = CODE.split(text)
    return [node for n, part in enumerate(parts) for node in (code(part) if n % 2 else words(part))]


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directive."""
    app.add_directive("parameters", ParametersDirective)
    return {"parallel_read_safe": True}
