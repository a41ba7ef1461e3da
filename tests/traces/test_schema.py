"""What is declared is what a file holds: one declaration makes, checks and describes a field or a counter."""

from dataclasses import replace
from typing import Annotated, NamedTuple

import h5py
import numpy as np
import pytest
import tables
from interrupting import DATA, configuration
from places import ROOT

import memsim
from memsim.errors import RunFileError
from memsim.kernels.counters import PHASES, Counter, declared_in
from memsim.kernels.operands import COUNTERS, Bank
from memsim.kernels.records import Line, Sheet, layout_of
from memsim.kernels.slots import Past
from memsim.network.assembly import assemble
from memsim.runs import training
from memsim.runs.counters import COUNTED
from memsim.runs.recording import describe
from memsim.stepping.blocks import OF_ELEMENTS, OF_PHASES, OF_STATES
from memsim.traces import checking, layout, stored
from memsim.traces.description import TracePlan
from memsim.traces.hdf5 import memory_file
from memsim.traces.past import PAST, of_checksum
from memsim.traces.schema import CONDITIONS, DRIVE, DRIVE_ATTRIBUTES, RUN, RUN_1, RUN_ATTRIBUTES, Field

NEW = Field("metrics/BANK/gain", "f8", "epoch phase realisation", "V", "a gain that nobody needs")


def test_a_new_field_is_one_declaration(monkeypatch, tmp_path):
    """Files have it, along its axes; one in which it is otherwise is refused; the page says it."""
    monkeypatch.setattr(layout, "RUN", (*RUN, NEW))
    path = tmp_path / "run.h5"
    training.run(configuration(learning={"epochs": 2}), DATA, out=path).close()
    with h5py.File(path) as file:
        made, lanes = file["metrics/nodes1/gain"], len(file["realisation"])
        assert (made.shape, made.maxshape, made.dtype) == ((0, 5, lanes), (None, 5, lanes), np.float64)
        assert [axis[0].name for axis in made.dims] == ["/metrics/epoch", "/metrics/phase", "/realisation"]
        assert made.attrs["units"] == b"V"
        assert made.attrs["long_name"].decode() == NEW.meaning
    monkeypatch.setattr(stored.Stored, "fields", (*RUN, NEW))
    with pytest.raises(RunFileError, match="metrics/synapses1/gain has 0 rows, and 2 were counted"):
        memsim.open_run(path)
    row = "| `metrics/BANK/gain` | float64 | (epoch, phase, realisation) | V | 2 |  | a gain that nobody needs |"
    assert row in tables.table_of_datasets([NEW]).splitlines()


def test_what_a_past_leaves_is_declared_in_the_order_of_the_kernels():
    """Else keyframes would hold it under another name."""
    assert list(PAST) == [kind.name.lower() for kind in Past]


@pytest.mark.parametrize(
    ("kind", "value", "can_be"),
    [
        ("pulses", 0.0, True), ("pulses", 12.0, True), ("pulses", 2.0**53, True), ("pulses", 2.0**54, False),
        ("pulses", -1.0, False), ("pulses", 1.5, False), ("pulses", np.inf, False), ("pulses", np.nan, False),
        ("trap", 1.0, True), ("trap", 2.0, False), ("trap", 0.5, False),
        ("logit", -3.7, True), ("logit", np.inf, False), ("logit", np.nan, False),
    ],
)  # fmt: skip
def test_what_no_past_leaves_is_known(kind, value, can_be):
    assert PAST[kind].can_be(np.array([0.0, value])) is can_be


def test_a_kind_of_past_that_is_new_leaves_the_checksums_of_earlier_files():
    known = np.zeros((2, 3, 4))
    more = np.zeros((4, 3, 4))
    assert np.array_equal(of_checksum(more), known)
    more[3, 1, 2] = 0.5
    assert np.array_equal(of_checksum(more), more[[0, 1, 3]])


def test_a_new_counter_is_one_declaration():
    """A field of a record: its kind for the kernels, its axes, unit and words for a file."""

    class Counting(NamedTuple):
        idle: Line
        missed: Annotated[Sheet, Counter(PHASES, "1", "pulses that nobody saw")]

    counter = Counter(PHASES, "1", "pulses that nobody saw")
    assert declared_in(Counting) == {"missed": counter}
    assert [field.axes for field in layout_of(Counting).values()] == [1, 2]
    run = describe(assemble(configuration(), DATA), 8)
    field = Field("diagnostics/BANK/missed", "f8", f"slot {counter.axes}", counter.unit, counter.meaning)
    with memory_file() as file:
        layout.create_layout(file, replace(run, counters=(*COUNTED, field)), TracePlan())
        made = file["diagnostics/nodes2/missed"]
        assert made.shape == (2, 5, 1, len(run.seeds))
        assert made.attrs["long_name"].decode() == counter.meaning


def test_every_counter_has_its_memory_and_its_field():
    rows = {"phase device realisation": OF_PHASES, "device variable realisation": OF_STATES}
    assert set(COUNTERS) - {"energy"} == {*declared_in(Bank)}
    assert [field.name for field in COUNTED] == [*COUNTERS]
    for name, counter in declared_in(Bank).items():
        assert name in rows.get(counter.axes, OF_ELEMENTS), name
    lines = {name for name, field in layout_of(Bank).items() if field.axes == 1}
    assert {name for name, counter in declared_in(Bank).items() if counter.axes == "device realisation"} <= lines


@pytest.mark.parametrize("fields", [(*RUN, *COUNTED), RUN_1, DRIVE], ids=["run", "schema 1", "drive"])
def test_a_table_declares_each_path_once_and_all_axes_that_it_names(fields):
    paths = [field.path for field in fields]
    assert len(set(paths)) == len(paths)
    axes = {field.path for field in fields if field.is_axis}
    for field in fields if fields is not RUN_1 else ():  # schema 1 had none
        folders = field.path.split("/")[:-1]
        above = ["/".join((*folders[:depth], "")) for depth in range(len(folders) + 1)]
        for label in field.labels if field.unit else ():
            assert any(path + label in axes for path in above), (field.path, label)
    for each in (*fields, *RUN_ATTRIBUTES, *DRIVE_ATTRIBUTES):
        assert {*filter(None, each.when.split(", "))} <= {*CONDITIONS}, each
    assert all(np.dtype(field.kind).kind in checking.KINDS for field in fields if field.kind not in ("text", "uint"))


def test_what_contributing_shows_of_a_counter_and_a_field_is_in_the_code():
    blocks = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").split("```diff\n")[1:]
    shown = [line for block in blocks for line in block.split("```")[0].splitlines()]
    assert len(blocks) == 2
    assert sum(line.startswith("+") for line in shown) == 8
    for line in shown:
        if line.startswith("# "):
            lines = (ROOT / line[2:]).read_text(encoding="utf-8").splitlines()
        else:
            assert line[1:] in lines, line
