"""Energy and time of each epoch: equal to the integral over the trace, and the same bits however a run is cut."""

import math

import h5py
import numpy as np
import pytest
from interrupting import stopped
from places import DATA
from short_runs import EPOCHS, REAL, configuration, of_each_kind

import memsim
from memsim.errors import RunFileError
from memsim.kernels.slots import Phase
from memsim.runs import training

WRITES = {
    "amplitude": {},
    "train with gaps": {"encoding": "count", "pulses": 5, "train_steps": 2, "train_gap_steps": 1},
}
of_each_write = pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)


def energies(run):
    """The energy of all epochs by bank, as bytes."""
    return {bank: values.tobytes() for bank, values in run.epoch_energy.items()}


def phases_of_steps(run):
    """The phase of each step of a sample, from its slots."""
    phases = []
    for slot in run.slots:
        width = slot["pulses"] * slot["pulse_steps"] + (slot["pulses"] - 1) * slot["gap_steps"]
        phases += [Phase[slot["phase"].decode()]] * width + [Phase.IDLE] * slot["rest_steps"]
    return np.array(phases)


@of_each_write
@of_each_kind
def test_the_energy_of_an_epoch_is_the_integral_over_its_rows(kind, write):
    run = training.run(configuration(kind, write=write, trace={"mode": "full"}), REAL)
    phases = np.tile(phases_of_steps(run), run.samples)
    assert set(run.epoch_energy) == set(run.banks)
    for bank in run.banks:
        current, voltage = (run.stored.read(f"traces/{bank}/{name}") for name in ("current", "voltage"))
        joules = (current * voltage * run.dt).reshape(EPOCHS, len(phases), -1, run.realisations)
        counted = run.epoch_energy[bank]
        assert counted.shape == (EPOCHS, len(Phase), run.realisations)
        for epoch, phase, lane in np.ndindex(counted.shape):
            rows = joules[epoch, phases == phase, :, lane].ravel()
            # Signed synapses give energy too: what is small is small against what went in and out.
            assert abs(counted[epoch, phase, lane] - math.fsum(rows)) <= 1e-12 * np.abs(rows).sum()
        assert np.abs(counted[:, Phase.READ]).min() > 0.0 or bank.startswith("nodes")
        assert not counted[:, Phase.IDLE].any()


@of_each_kind
def test_the_epochs_add_up_to_the_runs_energy(kind):
    run = training.run(configuration(kind), REAL)
    for bank in run.banks:
        for phase in Phase:
            parts, total = run.epoch_energy[bank][:, phase], run.energy[bank][phase.name]
            assert np.allclose(parts.sum(axis=0), total, rtol=1e-11, atol=1e-13 * np.abs(parts).max())


def test_an_energy_far_below_the_total_before_it_keeps_its_digits():
    """The same epoch has the same energy, late in a run as early; a difference of totals would lose digits."""
    still = {"learning": {"rate": 1e-300, "shuffle": False, "bias_rule": "none", "epochs": 300}}
    run = training.run(configuration("lines", **still), REAL)
    reads = run.epoch_energy[run.banks[0]][:, Phase.READ]
    assert np.array_equal(reads, np.broadcast_to(reads[0], reads.shape))


@of_each_kind
def test_threads_change_no_bit_of_an_epochs_energy(kind):
    one = training.run(configuration(kind), REAL)
    two = training.run(configuration(kind, run={"threads": 2}), REAL)
    alone = training.run(configuration(kind, run={"realisations": 1}), REAL)
    assert energies(one) == energies(two)
    for bank in one.banks:
        assert np.array_equal(one.epoch_energy[bank][..., :1], alone.epoch_energy[bank])


@of_each_kind
@pytest.mark.parametrize("threads", [1, 2])
def test_a_run_that_was_stopped_in_an_epoch_goes_on_with_the_same_bits(kind, threads, tmp_path):
    path = tmp_path / "run.h5"
    sections = {"trace": {"keyframe_samples": 4}, "learning": {"epochs": 12}}
    config = configuration(kind, **sections, run={"threads": threads})
    stopped(config, path, 5, data=REAL)
    with memsim.open_run(path) as part:
        assert part.stopped
        assert part.samples_done % part.samples != 0
        assert any(part.diagnostics(bank)["epoch_energy"].any() for bank in part.banks)
    with training.run(config, REAL, out=path, resume=True) as run:
        assert energies(run) == energies(training.run(configuration(kind, **sections), REAL))


@of_each_write
@of_each_kind
def test_the_time_of_the_phases_is_that_of_the_steps(kind, write):
    run = training.run(configuration(kind, write=write), REAL)
    phases = phases_of_steps(run)
    for phase in Phase:
        steps = int((phases == phase).sum()) * run.samples
        assert run.phase_time[phase.name] == pytest.approx(steps * run.dt, rel=1e-15)
    assert sum(run.phase_time.values()) * EPOCHS == pytest.approx(run.simulated_time, rel=1e-14)
    assert run.phase_time["IDLE"] > 0.0


def test_a_replayed_window_keeps_the_energies(cli, tmp_path):
    source, window = tmp_path / "run.h5", tmp_path / "window.h5"
    training.run(configuration("mlp"), REAL, out=source).close()
    assert cli("trace", "replay", source, "--samples", "3:5", "--out", window).status == 0
    with memsim.open_run(source) as run, memsim.open_run(window) as replayed:
        assert energies(run) == energies(replayed)
        assert run.phase_time == replayed.phase_time


def test_an_energy_that_is_no_number_is_refused_where_it_is_read(tmp_path):
    path = tmp_path / "run.h5"
    training.run(configuration("mlp"), REAL, out=path).close()
    with h5py.File(path, "r+") as file:
        file["metrics/nodes2/energy"][1, 0, 0] = np.nan
    with memsim.open_run(path) as run, pytest.raises(RunFileError, match="metrics/nodes2/energy holds what no run"):
        run.epoch_energy["nodes2"]


def test_a_window_of_an_older_file_has_no_energies_of_epochs(cli, tmp_path):
    window = tmp_path / "window.h5"
    older = DATA / "mlp-schema-2.h5"
    assert cli("trace", "replay", older, "--samples", "1:2", "--out", window).status == 0
    with memsim.open_run(window) as run:
        assert dict(run.epoch_energy) == {}
        assert sum(run.phase_time.values()) == pytest.approx(run.samples * run.sample_steps * run.dt, rel=1e-12)
