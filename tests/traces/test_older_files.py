"""Run files that earlier versions of the project made are read, replayed, shown and continued.

Between versions the order of a formula's operations may change, and with it the last bits of its results.
"""

import functools
import shutil

import numpy as np
import pytest
from places import DATA

import memsim
from memsim.datasets import Dataset
from memsim.kernels.operands import COUNTERS
from memsim.runs import training

SCHEMAS = {"mlp-schema-1.h5": 1, "slp-schema-1.h5": 1, "mlp-schema-2.h5": 2, "lines-schema-2.h5": 2}
EPOCHS = 5
of_each_file = pytest.mark.parametrize("name", SCHEMAS)
QUANTITIES = ("state", "current", "voltage")


def same_but_for_rounding(one, other):
    """Whether two arrays are equal but for a billionth of their largest value."""
    return one.shape == other.shape and np.allclose(one, other, rtol=0.0, atol=1e-9 * np.abs(other).max())


def same_counts(one, other):
    """Whether all counters are; the residual of a RESTORE is itself a rounding, as a share of the range."""
    residuals = one.pop("residual", np.zeros(1)), other.pop("residual", np.zeros(1))
    known = [name for name in other if name in one]  # earlier versions counted less
    alike = [name for name in known if same_but_for_rounding(one[name], other[name])]
    return (
        alike == known
        and set(other) - set(known) <= {"epoch_energy", *(name for name, counter in COUNTERS.items() if counter.late)}
        and max(values.max() for values in residuals) < 1e-15
    )


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
        assert same_but_for_rounding(older.total_error, again.total_error)
        assert np.array_equal(older.order, again.order)
        assert np.array_equal(older.seeds, again.seeds)
        assert np.array_equal(older.slots, again.slots)
        assert (older.dt, older.sample_steps, older.steps) == (again.dt, again.sample_steps, again.steps)
        for bank in again.banks:
            assert older.bank(bank) == again.bank(bank)
            assert np.array_equal(older.initial_state[bank], again.initial_state[bank])
            assert same_but_for_rounding(older.final_state[bank], again.final_state[bank])
            assert same_counts(dict(older.diagnostics(bank)), dict(again.diagnostics(bank)))
        # Earlier versions sent a pulse for a write of the last bit's size, too.
        assert again.device_steps == pytest.approx(older.device_steps, rel=0.02)


@of_each_file
def test_an_older_files_trace_and_its_replay_are_those_of_the_present_program(name):
    again = made_again(name)
    with memsim.open_run(DATA / name) as older:
        assert older.traced
        for bank in older.banks:
            for quantity in QUANTITIES:
                expected = again.window(bank, quantity)
                assert same_but_for_rounding(older.window(bank, quantity), expected)
                if bank in older.traced:
                    steps, kept = older.kept(bank, quantity)
                    assert steps.tolist() == list(range(older.steps))
                    assert same_but_for_rounding(kept, expected)


@of_each_file
def test_the_commands_take_older_files(cli, name, tmp_path):
    shown = cli("trace", "info", DATA / name)
    assert shown.status == 0, shown.err
    assert f"schema version {SCHEMAS[name]}" in shown.out
    assert cli("trace", "verify", DATA / name).status == 0
    assert cli("run", DATA / name, "--out", tmp_path / "again.h5", "--quiet").status == 0
    with memsim.open_run(DATA / name) as older, memsim.open_run(tmp_path / "again.h5") as again:
        assert same_but_for_rounding(older.total_error, again.total_error)


@pytest.mark.parametrize(("name", "bank"), [("mlp-schema-2.h5", "nodes2"), ("lines-schema-2.h5", "lines")])
def test_a_file_of_the_present_schema_goes_on(cli, tmp_path, name, bank):
    path, longer = shutil.copy(DATA / name, tmp_path / "run.h5"), made_again(name, EPOCHS + 3)
    words = ["--resume", "--out", path, "--set", f"learning.epochs={EPOCHS + 3}", "--quiet"]
    assert cli("run", path, *words).status == 0
    with memsim.open_run(path) as run:
        assert len(run.total_error) == EPOCHS + 3
        assert same_but_for_rounding(run.total_error, longer.total_error)
        assert same_but_for_rounding(run.order, longer.order)
        assert same_but_for_rounding(run.kept(bank, "voltage")[1], longer.kept(bank, "voltage")[1])
        for each in run.banks:
            assert same_but_for_rounding(run.final_state[each], longer.final_state[each])
            assert same_counts(dict(run.diagnostics(each)), dict(longer.diagnostics(each)))
