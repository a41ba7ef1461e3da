"""A run in memory answers all that is asked of it as the file does that it would be saved as."""

from dataclasses import replace

import h5py
import numpy as np
import pytest
from interrupting import DATA, configuration

from memsim.configuration.sections import DataSection
from memsim.datasets import load, split
from memsim.runs import training
from memsim.runs.sources import start_of
from memsim.traces.hdf5 import as_text
from memsim.traces.held import HeldRun
from memsim.traces.run_file import open_image
from memsim.traces.stored import Stored

TABLE = {"network": {"layers": (4, 3, 3)}, "learning": {"epochs": 2}, "data": {"arrays": "iris"}}
VTEAM = {"devices": {"synapse": {"model": "vteam"}}}
CASES = {
    "paper": {},
    "single layer": {"network": {"kind": "slp"}, "run": {"seed": 12, "realisations": 2}},
    "watched": {"learning": {"keep_best": True}, "data": {"validation": 0.25}},
    "a past": VTEAM | {"imperfections": {"synapse": {"endurance": 1e4}}},
    "weights that are written": VTEAM | {"network": {"programmed": True}},
}


def trained(case):
    if case == "classes":
        table = load(DataSection(dataset="iris", test=0.2))
        return training.run(configuration(**TABLE), table)
    if case == "begun":
        first = trained("a past")
        return training.run(first.config, split(DATA, 0.0), start=start_of(first))
    config = configuration(**CASES[case])
    return training.run(config, split(DATA, config.data.validation))


def same(found, expected):
    found, expected = np.asarray(found), np.asarray(expected)
    return (found.dtype, found.shape) == (expected.dtype, expected.shape) and found.tobytes() == expected.tobytes()


@pytest.mark.parametrize("case", [*CASES, "classes", "begun"])
def test_a_run_in_memory_says_what_its_file_says(case):
    with trained(case) as run, open_image(run.image) as file:
        held, stored = run.stored, Stored(file)
        assert isinstance(held, HeldRun)
        paths = []
        file.visit(paths.append)
        for path in paths:
            item = file[path]
            assert held.has(path)
            if isinstance(item, h5py.Group):
                assert held.names(path) == stored.names(path)
            elif h5py.check_string_dtype(item.dtype) is None:
                assert same(held.read(path), stored.read(path)), path
                assert held.shape(path) == stored.shape(path)
                assert len(item) == 0 if not item.size else same(held.read(path, ..., kind="fiu"), item[()])
            elif item.shape:
                assert held.texts(path) == stored.texts(path)
            else:
                assert held.text(path) == stored.text(path)
        assert held.names("/") == stored.names("/")


@pytest.mark.parametrize("case", [*CASES, "classes", "begun"])
def test_attributes_in_memory_are_those_of_the_file(case):
    with trained(case) as run, open_image(run.image) as file:
        held, stored = run.stored, Stored(file)
        paths = ["/"]
        file.visit(paths.append)
        for path in paths:
            for name in file[path].attrs:
                if name in ("DIMENSION_LIST", "REFERENCE_LIST", "CLASS", "NAME"):  # how HDF5 names axes
                    continue
                assert held.has_attribute(path, name)
                found, expected = held.attribute(path, name), stored.attribute(path, name)
                assert type(found) is type(expected), (path, name)
                assert same(found, expected) if not isinstance(found, np.ndarray) else list(found) == list(expected)
            assert not held.has_attribute(path, "something")


def test_what_is_not_there_is_refused_as_of_a_file():
    with trained("paper") as run:
        for ask in (
            lambda: run.stored.read("metrics/nothing"),
            lambda: run.stored.read("metrics/total_error", ndim=3),
            lambda: run.stored.read("metrics/total_error", kind="i"),
            lambda: run.stored.attribute("/", "nothing"),
        ):
            with pytest.raises(run.stored.error, match="broken run file"):
                ask()
        assert not run.stored.has("metrics/nothing")
        assert run.stored.names("nothing") == []


def test_what_is_read_is_a_copy_and_what_was_given_may_change():
    data = split(DATA, 0.0)
    inputs = np.array(data.inputs)
    given = replace(data, inputs=inputs)
    with training.run(configuration(), given) as run:
        kept = run.dataset.inputs.copy()
        inputs[:] = 7.0
        run.dataset.inputs[:] = 5.0
        run.total_error[:] = -1.0
        run.final_state["nodes1"][:] = 0.5
        run.initial_state["nodes1"][:] = 0.5
        assert (run.dataset.inputs == kept).all()
        assert (run.total_error >= 0.0).all()
        with open_image(run.image) as file:
            assert (Stored(file).final_state("nodes1") == run.final_state["nodes1"]).all()
            assert (Stored(file).initial_state("nodes1") == run.initial_state["nodes1"]).all()


def test_no_file_is_made_before_it_is_asked_for(monkeypatch):
    with trained("paper") as run:
        monkeypatch.setattr("memsim.traces.held.new_file", None)
        _ = (run.margins, run.weights, run.energy, run.order, run.config, run.assembly, run.slots, f"{run}")
        monkeypatch.undo()
        assert as_text(run.file.attrs["convention"]) == "memsim run"
        assert run.file is run.file
    assert run.closed


def test_a_closed_run_asks_for_its_file_to_be_opened_again():
    run = trained("paper")
    run.close()
    assert repr(run) == "<Run: closed>"
    with pytest.raises(ValueError, match="the run is closed"):
        _ = run.total_error
    with pytest.raises(ValueError, match="the run is closed"):
        _ = run.file
