"""A run that goes on with the devices of another one: two runs have the bits of one, as the file of the second says."""

import pickle

import h5py
import naive
import numpy as np
import pytest
from imperfect_runs import configuration as imperfect
from imperfect_runs import same
from short_runs import KINDS, REAL, configuration

import memsim
from memsim.analysis.verification import verify
from memsim.analysis.windows import write_window
from memsim.datasets import Dataset
from memsim.errors import InputError, RunFileError
from memsim.network.assembly import assemble
from memsim.runs import training
from memsim.runs.opening import open_run
from memsim.runs.sources import start_of

FIRST, SECOND = 3, 4  # epochs
OTHER = Dataset(REAL.inputs[::-1].copy() * 0.5, 1.0 - REAL.targets, "other samples")
FALLING = {"schedule": "exponential", "decay_epochs": 5}
CASES = {
    "mlp": configuration("mlp", learning={"rate": 1.0} | FALLING),
    "mlp, in order": configuration("mlp", learning={"shuffle": False}),
    "slp": configuration("slp", learning=FALLING),
    "lines": configuration("lines"),
    "noise, wear and traps": imperfect("telegraph noise", learning={"rate": 0.5}),
    "write noise, stuck devices": imperfect("levels"),
    "memristor": imperfect("memristor"),
    "carriers": configuration(
        "slp", devices={"memristor": {"model": "carrier-memristor"}}, time={"pulse_steps": 8, "write_steps": 8}
    ),
}


def lasting(config, epochs):
    return config.model_copy(update={"learning": config.learning.model_copy(update={"epochs": epochs})})


def two_runs(config, data=REAL, **options):
    """A run, and the one that goes on with its devices."""
    first = training.run(lasting(config, FIRST), REAL)
    return first, training.run(lasting(config, SECOND), data, start=start_of(first), **options)


def assert_same_run(found, wanted, *, results=True):
    """The same results, from the same states."""
    names = ("total_error", "order", "learning_rate") if results else ()
    for name in names:
        assert np.array_equal(getattr(found, name), getattr(wanted, name)), name
    for bank in found.banks:
        assert same([found.final_state[bank]], [wanted.final_state[bank]]), bank
        assert same([found.initial_state[bank]], [wanted.initial_state[bank]]), bank
    assert same(found.stored.beginning.arrays, wanted.stored.beginning.arrays)


@pytest.mark.parametrize("case", CASES)
def test_two_runs_have_the_bits_of_one(case):
    config = CASES[case]
    first, second = two_runs(config)
    whole = training.run(lasting(config, FIRST + SECOND), REAL)
    for name in ("total_error", "order", "learning_rate"):
        parts = [getattr(first, name), getattr(second, name)]
        assert np.array_equal(np.concatenate(parts), getattr(whole, name)), name
    for bank in whole.banks:
        assert same([second.initial_state[bank]], [first.final_state[bank]])
        assert same([second.final_state[bank]], [whole.final_state[bank]])
        assert same(second.window(bank, "voltage"), whole.window(bank, "voltage", first.steps))
    assert same([second.stored.keyframe_bias(-1)], [whole.stored.keyframe_bias(-1)])
    assert same(second.stored.keyframe_past(-1), whole.stored.keyframe_past(-1))
    assert same([memsim.evaluate(second, OTHER.inputs).outputs], [memsim.evaluate(whole, OTHER.inputs).outputs])
    assert (second.epochs_before, first.epochs_before) == (FIRST, 0)


@pytest.mark.parametrize("case", ["mlp", "slp", "noise, wear and traps", "memristor"])
def test_the_second_run_equals_its_twin(case):
    _, run = two_runs(CASES[case], OTHER)
    assembly = run.assembly
    for lane, seed in enumerate(assembly.seeds):
        network = naive.Network(assembly, lane)
        order = [naive.shuffle(seed, FIRST + epoch, len(OTHER.inputs)) for epoch in range(SECOND)]
        assert run.total_error[:, lane].tolist() == network.learn(order)
        for b, bank in enumerate(run.banks):
            assert same([run.final_state[bank][..., lane]], [network.states(b)]), bank


@pytest.mark.parametrize("case", ["mlp", "slp", "noise, wear and traps"])
def test_a_third_run_goes_on_from_the_second(case):
    config = CASES[case]
    _, second = two_runs(config)
    third = training.run(lasting(config, 2), REAL, start=start_of(second))
    whole = training.run(lasting(config, FIRST + SECOND + 2), REAL)
    assert third.epochs_before == FIRST + SECOND
    assert np.array_equal(third.total_error, whole.total_error[FIRST + SECOND :])
    assert all(same([third.final_state[bank]], [whole.final_state[bank]]) for bank in whole.banks)


@pytest.mark.parametrize("case", ["mlp", "slp", "noise, wear and traps"])
def test_its_file_is_replayed_verified_made_again_and_resumed(case, tmp_path, cli):
    config = CASES[case]
    path, again = tmp_path / "second.h5", tmp_path / "again.h5"
    _, run = two_runs(config, OTHER, out=path)
    with run:
        assert [finding for finding in verify(run) if finding.wrong] == []
        write_window(run, tmp_path / "window.h5", 10, 3 * run.sample_steps)
        with open_run(tmp_path / "window.h5") as window:
            assert [finding for finding in verify(window) if finding.wrong] == []
            assert_same_run(window, run)
        assert cli("run", path, "--out", again, "--quiet").status == 0
        with open_run(again) as made_again:
            assert_same_run(made_again, run)
            assert [finding for finding in verify(made_again) if finding.wrong] == []
    more = f"learning.epochs={SECOND + 3}"
    assert cli("run", path, "--resume", "--set", more, "--quiet").status == 0
    assert cli("run", again, "--out", tmp_path / "long.h5", "--set", more, "--quiet").status == 0
    with open_run(path) as resumed, open_run(tmp_path / "long.h5") as long:
        assert len(resumed.total_error) == SECOND + 3
        assert_same_run(resumed, long)


def test_other_samples_leave_the_calibrated_windows_as_they_are():
    first, second = two_runs(CASES["slp"], OTHER)
    assert second.calibration == first.calibration
    assert training.run(CASES["slp"], OTHER).calibration != first.calibration


def test_train_goes_on_with_the_devices_of_a_run(cli, tmp_path):
    network = memsim.MultilayerPerceptron([2, 2, 1])
    first = memsim.train(network, REAL, epochs=FIRST, seed=5, realisations=2, threads=1)
    second = memsim.train(network, REAL, epochs=SECOND, start=first, out=tmp_path / "second.h5")
    whole = memsim.train(network, REAL, epochs=FIRST + SECOND, seed=5, realisations=2)
    assert all(same([second.final_state[bank]], [whole.final_state[bank]]) for bank in whole.banks)
    assert (second.seeds == first.seeds).all()
    shown = cli("trace", "info", tmp_path / "second.h5")
    assert f"after {FIRST} epochs of other runs" in " ".join(shown.out.split())
    checked = cli("run", tmp_path / "second.h5", "--out", tmp_path / "again.h5", "--check-dt", "--quiet")
    assert checked.status == 0, checked.err


def test_other_devices_are_refused():
    first = training.run(CASES["mlp"], REAL)
    start = start_of(first)
    wrong = {
        "threshold of synapses1 is": {"network": {"kind": "mlp", "node_drift": 0.2}},
        "driver_limit of synapses1 is": {"time": {"write_steps": 7, "pulse_steps": 3}},
        "devices of synapses1 is 4 in the run": {"network": {"layers": (2, 3, 1)}},
        "run.realisations: must be the 3 of the run": {"run": {"realisations": 2}},
    }
    for message, sections in wrong.items():
        with pytest.raises(InputError, match=message):
            training.run(configuration("mlp", **sections), REAL, start=start)
    with pytest.raises(InputError, match="start: name of synapses1 is"):
        training.run(configuration("lines"), REAL, start=start)
    memristor = start_of(training.run(CASES["slp"], REAL))
    with pytest.raises(InputError, match=r"learning.rate: is a variable of the memristor"):
        training.run(configuration("slp", learning={"rate": 0.3}), REAL, start=memristor)
    carriers = CASES["carriers"]
    other_rate = carriers.model_copy(update={"learning": carriers.learning.model_copy(update={"rate": 0.3})})
    with pytest.raises(InputError, match=r"learning.rate: is a variable of the memristor"):
        training.run(other_rate, REAL, start=start_of(training.run(carriers, REAL)))


def test_imperfections_are_those_of_the_run_that_is_gone_on_from():
    first = training.run(CASES["noise, wear and traps"], REAL)
    config = first.config
    network = memsim.network.networks.Network(config.network, config.devices)
    second = memsim.train(network, OTHER, epochs=1, start=first, time=config.time, write=config.write)
    assert second.config.imperfections == config.imperfections
    perfect = config.model_copy(update={"imperfections": type(config.imperfections)()})
    with pytest.raises(InputError, match="imperfections: must be those of the run whose states are the start"):
        training.run(perfect, REAL, start=start_of(first))


def test_what_cannot_be_gone_on_from_is_refused(tmp_path):
    network = memsim.MultilayerPerceptron([2, 2, 1])
    first = memsim.train(network, REAL, epochs=1, out=tmp_path / "first.h5")
    for name in ("seed", "realisations"):
        with pytest.raises(InputError, match=f"{name}: is that of the run that start goes on from .got 2."):
            memsim.train(network, REAL, epochs=1, start=first, **{name: 2})
    first.close()
    for start, message in ((first, "has been closed"), (tmp_path / "first.h5", "must be a run")):
        with pytest.raises(InputError, match=f"start: .*{message}"):
            memsim.train(network, REAL, epochs=1, start=start)


def test_other_samples_leave_the_limit_of_carriers_as_it_is():
    first, second = two_runs(CASES["carriers"], OTHER)
    assert second.calibration == first.calibration
    assert training.run(CASES["carriers"], OTHER).calibration != first.calibration


def test_a_file_goes_on_with_its_own_start_only(tmp_path):
    path, config = tmp_path / "second.h5", lasting(CASES["mlp"], SECOND)
    first, second = two_runs(CASES["mlp"], out=path)
    second.close()
    with pytest.raises(InputError, match=r"began from a start, and this one begins from drawn weights"):
        training.run(config, REAL, out=path, resume=True)
    with pytest.raises(InputError, match="its run began from other states"):
        other = start_of(training.run(lasting(CASES["mlp"], FIRST + 1), REAL))
        training.run(config, REAL, out=path, resume=True, start=other)
    training.run(config, REAL, out=path, resume=True, start=start_of(first)).close()


def test_widths_of_pulses_are_not_compared_for_given_devices(tmp_path, refused):
    two_runs(CASES["mlp"], out=tmp_path / "second.h5")[1].close()
    refused("--pulse-widths: .*goes on with the devices of another run", "energy", tmp_path / "second.h5",
            "--pulse-widths", "3,6")  # fmt: skip


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("bias_weight", "start/bias_weight is of the shape"),
        ("synapses1/pulses", "start/synapses1/pulses is of the shape"),
    ],
)
def test_a_start_that_is_broken_is_refused(tmp_path, name, message):
    path = tmp_path / "second.h5"
    two_runs(CASES["noise, wear and traps"], out=path)[1].close()
    with h5py.File(path, "r+") as file:
        values = file[f"start/{name}"][:, :-1]
        del file[f"start/{name}"]
        file[f"start/{name}"] = values
    with pytest.raises(RunFileError, match=message):
        open_run(path)


# Runs in memory


def test_a_run_in_memory_is_saved_and_pickled_with_all_that_it_holds(tmp_path):
    _, run = two_runs(CASES["mlp"])
    run.save(tmp_path / "saved.h5")
    with open_run(tmp_path / "saved.h5") as saved, pickle.loads(pickle.dumps(run)) as pickled:
        for other in (saved, pickled, pickle.loads(pickle.dumps(saved))):
            assert_same_run(other, run)
            assert same([memsim.evaluate(other, REAL.inputs).outputs], [memsim.evaluate(run, REAL.inputs).outputs])
            assert [finding for finding in verify(other) if finding.wrong] == []
    with pytest.raises(InputError, match="exists; name another file"):
        run.save(tmp_path / "saved.h5")
    run.save(tmp_path / "saved.h5", overwrite=True)


@pytest.mark.parametrize("kind", KINDS)
def test_samples_that_are_read_apart_do_not_depend_on_each_other(kind):
    run = training.run(configuration(kind), REAL)
    inputs = np.random.default_rng(1).uniform(-1.0, 1.0, (40, 2))
    apart = memsim.evaluate(run, inputs, apart=True)
    alone = np.concatenate([memsim.evaluate(run, row[None]).outputs for row in inputs])
    assert same([apart.outputs], [alone])
    assert np.allclose(apart.outputs, memsim.evaluate(run, inputs).outputs, rtol=0.0, atol=1e-12)


def test_samples_that_are_read_apart_may_be_many(monkeypatch):
    run = training.run(configuration("mlp"), REAL)
    inputs = np.random.default_rng(1).uniform(-1.0, 1.0, (40, 2))
    wanted = memsim.evaluate(run, inputs, apart=True)
    monkeypatch.setattr(memsim.runs.prediction, "ELEMENTS_TOGETHER", 200)
    found = memsim.evaluate(run, inputs, apart=True)
    assert same([found.outputs], [wanted.outputs])
    assert found.energy == pytest.approx(wanted.energy)


def test_a_start_needs_a_keyframe():
    assert assemble(CASES["mlp"], REAL).start is None
    with (
        memsim.open_run("tests/data/mlp-schema-1.h5") as older,
        pytest.raises(InputError, match="no keyframe of schema version 2"),
    ):
        start_of(older)
