"""A run file that is a copy of a template has what one that was made dataset by dataset has."""

from dataclasses import replace

import h5py
import numpy as np
import pytest
from interrupting import DATA, configuration

from memsim.configuration.sections import DataSection
from memsim.datasets import load, split
from memsim.network.assembly import assemble
from memsim.runs.recording import describe, trace_plan
from memsim.traces import templates
from memsim.traces.description import Beginning, TracePlan
from memsim.traces.hdf5 import memory_file
from memsim.traces.layout import CONFIGURATION_ROOM, create_layout

SEED = {"run": {"seed": 12, "realisations": 2}}
CASES = {
    "paper": (SEED, {"run": {"seed": 13, "realisations": 2}}),
    "watched": (
        {"learning": {"keep_best": True}, "data": {"validation": 0.25}},
        {"learning": {"keep_best": True, "rate": 0.03}, "data": {"validation": 0.25}},
    ),
    "traced": (
        {"trace": {"mode": "select", "stride": 3, "banks": ("nodes1",)}},
        {"trace": {"mode": "select", "stride": 3, "banks": ("nodes1",)}, "run": {"seed": 8}},
    ),
    "a configuration of another length": ({}, {"learning": {"rate": 0.012345678901234567, "epochs": 40}}),
    "other devices with a past": (
        {"devices": {"synapse": {"model": "vteam"}}, "imperfections": {"synapse": {"endurance": 1e4}}},
        {"devices": {"synapse": {"model": "vteam"}}, "imperfections": {"synapse": {"endurance": 2e4}}},
    ),
}


@pytest.fixture(autouse=True)
def no_templates(monkeypatch):
    monkeypatch.setattr(templates, "_templates", {})


def described(sections):
    """What a run's file is made from."""
    config = configuration(**sections)
    assembly = assemble(config, split(DATA, config.data.validation))
    return describe(assembly, 8), trace_plan(assembly)


def contents(file):
    """Everything in a file: values, kinds, attributes, the axes' names, and how datasets grow."""
    found = {"/": attributes(file)}

    def visit(name, item):
        found[name] = attributes(item)
        if isinstance(item, h5py.Dataset):
            scales = [[scale.name for scale in dim.values()] for dim in item.dims]
            kind = item.dtype, item.dtype.metadata, item.shape, item.maxshape, item.chunks
            found[name] |= {"": (*kind, item[()].tobytes(), scales)}

    file.visititems(visit)
    return found


def attributes(item):
    references = ("DIMENSION_LIST", "REFERENCE_LIST")
    values = {name: item.attrs[name] for name in item.attrs if name not in references}
    return {name: (np.asarray(value).dtype, np.asarray(value).tobytes()) for name, value in values.items()}


def test_a_configuration_that_needs_more_room_has_another_template():
    run, plan = described({})
    for longer in (run, replace(run, configuration=run.configuration + "#" * CONFIGURATION_ROOM)):
        with memory_file() as made, templates.new_file(longer, plan) as copied:
            create_layout(made, longer, plan)
            assert contents(copied) == contents(made)
    assert len(templates._templates) == 2


def test_samples_of_classes_with_a_part_for_a_test_are_copied():
    table = load(DataSection(dataset="iris", test=0.2))
    for inputs in (table.inputs, table.inputs[::-1].copy()):
        config = configuration(network={"layers": (4, 3, 3)}, data={"arrays": "iris"})
        run, plan = describe(assemble(config, replace(table, inputs=inputs)), 150), TracePlan()
        assert run.data.classes is not None
        assert run.data.test is not None
        with memory_file() as made, templates.new_file(run, plan) as copied:
            create_layout(made, run, plan)
            assert contents(copied) == contents(made)
    assert len(templates._templates) == 1


@pytest.mark.parametrize("past", [False, True])
def test_what_a_run_begins_from_is_copied(past):
    run, plan = described(CASES["other devices with a past"][0] if past else {})
    for number in (1.0, 2.0):
        shapes = [bank.initial.shape for bank in run.banks]
        kept = tuple(np.full((2, devices, lanes), number) for devices, _, lanes in shapes) if past else ()
        bias = np.full((run.units, len(run.seeds)), number)
        begun = replace(run, beginning=Beginning(int(number), 10 * int(number), bias, kept))
        with memory_file() as made, templates.new_file(begun, plan) as copied:
            create_layout(made, begun, plan)
            assert contents(copied) == contents(made)
            assert ("start/synapses1/pulses" in copied) == past
    assert len(templates._templates) == 1


@pytest.mark.parametrize("case", CASES)
def test_a_copy_of_a_template_is_the_file_that_would_have_been_made(case):
    for sections in CASES[case]:
        run, plan = described(sections)
        with memory_file() as made, templates.new_file(run, plan) as copied:
            create_layout(made, run, plan)
            assert contents(copied) == contents(made)
    assert len(templates._templates) == 1


def test_another_shape_has_another_template():
    for number, sections in enumerate(
        ({}, {"run": {"realisations": 2}}, {"learning": {"epochs": 3}}, {"time": {"write_steps": 5}}), 1
    ):
        templates.new_file(*described(sections)).close()
        assert len(templates._templates) == number


def test_few_templates_are_kept_and_none_that_is_large(monkeypatch):
    monkeypatch.setattr(templates, "KEPT", 2)
    for epochs in range(1, 5):
        templates.new_file(*described({"learning": {"epochs": epochs}})).close()
    assert len(templates._templates) == 2
    monkeypatch.setattr(templates, "KEPT_BYTES", 1000)
    templates.new_file(*described({"learning": {"epochs": 9}})).close()
    assert len(templates._templates) == 2
