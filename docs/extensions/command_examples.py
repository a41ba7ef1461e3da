"""The examples at the end of each command's help, as a block of lines."""

import textwrap

import click
from sphinx.application import Sphinx


def as_block(app: Sphinx, context: click.Context, lines: list[str]) -> None:
    """Put the examples of a command in the place of the lines that they would be shown as."""
    _, _, examples = (context.command.epilog or "").partition("Examples:\n")
    if examples:
        lines[:] = ["", ".. rubric:: Examples", "", ".. code-block:: text", ""]
        lines += [*textwrap.indent(textwrap.dedent(examples), "   ").splitlines(), ""]


def setup(app: Sphinx) -> dict[str, bool]:
    """Have what follows a command's options pass :func:`as_block`."""
    app.setup_extension("sphinx_click")
    app.connect("sphinx-click-process-epilog", as_block)
    return {"parallel_read_safe": True}
