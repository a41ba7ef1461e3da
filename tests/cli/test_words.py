"""What the library says of its parameters is said of options on the command line."""

import click
import pytest

from memsim.cli.words import in_options

COMMAND = click.Command(
    "export",
    params=[
        click.Argument(["file"]),
        *(click.Option([f"--{name}"]) for name in ("out", "format", "stride", "epochs", "steps", "devices", "samples")),
        *(click.Option([f"--{name}"], is_flag=True) for name in ("overwrite", "resume", "any-size")),
        click.Option(["--set", "assignments"]),
    ],
)


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("x.h5: exists; allow it with overwrite=True", "x.h5: exists; allow it with --overwrite"),
        ("run again with resume=True", "run again with --resume"),
        ("lift the limit with any_size=True, or", "lift the limit with --any-size, or"),
        ("name another file with out=FILE", "name another file with --out FILE"),
        ("name it with out='FILE.h5'", "name it with --out FILE.h5"),
        ("stride: must be at least 1 (got 0)", "--stride: must be at least 1 (got 0)"),
        ("devices of nodes1: must be from 0", "--devices of nodes1: must be from 0"),
        ("epochs and steps: are two spans", "--epochs and --steps: are two spans"),
        ("format='spice': a netlist holds", "--format spice: a netlist holds"),
        # What is no parameter of the command stays as it is.
        ("learning.epochs: must be 1 or more", "learning.epochs: must be 1 or more"),
        ("data.samples: 3 samples", "data.samples: 3 samples"),
        ("allow_missing=True leaves them out", "allow_missing=True leaves them out"),
        ("give it too, --set data.out=FILE", "give it too, --set data.out=FILE"),
        ("file: is none", "file: is none"),
        ("epochs of these steps are few: take more", "epochs of these steps are few: take more"),
    ],
)
def test_parameters_become_the_options_of_the_command(said, shown):
    assert in_options(said, COMMAND) == shown


def test_a_command_without_options_changes_nothing():
    assert in_options("out: is missing", click.Command("info")) == "out: is missing"
