"""Run files that earlier versions of the project made are read, replayed, shown and continued."""

import functools
import shutil
from pathlib import Path

import numpy as np
import pytest

import memsim
from memsim import training
from memsim.datasets import Dataset

DATA = Path(__file__).with_name("data")
SCHEMAS = {"mlp-schema-1.h5": 1, "slp-schema-1.h5": 1, "mlp-schema-2.h5": 2}
EPOCHS = 5
of_each_file = pytest.mark.parametrize("name", SCHEMAS)
QUANTITIES = ("state", "current", "voltage")


@functools.cache
def made_again(name, epochs=EPOCHS):
    """The same run by the present program, in memory."""
    with memsim.open_run(DATA / name) as older:
        learning = older.config.learning.model_copy(update={"epochs": epochs})
        config = older.config.model_copy(update={"learning": learning})
        return training.run(config, Dataset(older.dataset.inputs, older.dataset.targets, older.dataset.name))


@of_each_file
def test_an_older_file_holds_what_the_present_program_makes(name):
    again = made_again(name)
    with memsim.open_run(DATA / name) as older:
        assert older.file.attrs["schema_version"] == SCHEMAS[name]
        assert older.finished
        assert older.config == again.config
        assert older.config.learning.epochs == len(older.total_error) == EPOCHS
        assert np.array_equal(older.total_error, again.total_error)
        assert np.array_equal(older.order, again.order)
        assert np.array_equal(older.seeds, again.seeds)
        assert np.array_equal(older.slots, again.slots)
        assert (older.dt, older.sample_steps, older.steps) == (again.dt, again.sample_steps, again.steps)
        for bank in again.banks:
            assert older.bank(bank) == again.bank(bank)
            assert np.array_equal(older.initial_state[bank], again.initial_state[bank])
            assert np.array_equal(older.final_state[bank], again.final_state[bank])
            for counter, values in again.diagnostics(bank).items():
                assert np.array_equal(older.diagnostics(bank)[counter], values), counter
        assert older.device_steps == again.device_steps
        assert older.margins == again.margins


@of_each_file
def test_an_older_files_trace_and_its_replay_are_those_of_the_present_program(name):
    again = made_again(name)
    with memsim.open_run(DATA / name) as older:
        assert older.traced
        for bank in older.banks:
            for quantity in QUANTITIES:
                expected = again.window(bank, quantity)
                assert np.array_equal(older.window(bank, quantity), expected)
                if bank in older.traced:
                    steps, kept = older.kept(bank, quantity)
                    assert steps.tolist() == list(range(older.steps))
                    assert np.array_equal(kept, expected)


@of_each_file
def test_the_commands_take_older_files(cli, name, tmp_path):
    shown = cli("trace", "info", DATA / name)
    assert shown.status == 0, shown.err
    assert f"schema version {SCHEMAS[name]}" in shown.out
    assert cli("trace", "verify", DATA / name).status == 0
    assert cli("run", DATA / name, "--out", tmp_path / "again.h5", "--quiet").status == 0
    with memsim.open_run(DATA / name) as older, memsim.open_run(tmp_path / "again.h5") as again:
        assert np.array_equal(older.total_error, again.total_error)


def test_a_file_of_the_present_schema_goes_on(cli, tmp_path):
    name = "mlp-schema-2.h5"
    path, longer = shutil.copy(DATA / name, tmp_path / "run.h5"), made_again(name, EPOCHS + 3)
    words = ["--resume", "--out", path, "--set", f"learning.epochs={EPOCHS + 3}", "--quiet"]
    assert cli("run", path, *words).status == 0
    with memsim.open_run(path) as run:
        assert len(run.total_error) == EPOCHS + 3
        assert run.total_error.tobytes() == longer.total_error.tobytes()
        assert run.order.tobytes() == longer.order.tobytes()
        assert run.kept("nodes2", "voltage")[1].tobytes() == longer.kept("nodes2", "voltage")[1].tobytes()
        for bank in run.banks:
            assert run.final_state[bank].tobytes() == longer.final_state[bank].tobytes()
            for counter, values in longer.diagnostics(bank).items():
                assert run.diagnostics(bank)[counter].tobytes() == values.tobytes(), counter
