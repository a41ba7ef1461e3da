"""The report of energy and time, and the law that the width of pulses follows."""

import csv
import itertools
import json

import numpy as np
import pytest
from places import DATA
from short_runs import EPOCHS, REAL, REALISATIONS, configuration, of_each_kind

import memsim
from memsim.energy.energy_figures import figure_of
from memsim.energy.summary import summarise
from memsim.energy.widths import AtWidth, at_width, exponent, law, run_at_widths
from memsim.errors import InputError
from memsim.kernels.slots import Phase
from memsim.runs import training

# Nothing learns: states stay, and a READ of synapses meets plain resistors.
STILL = {
    "learning": {"rate": 1e-300, "bias_rule": "none", "epochs": 2, "shuffle": False},
    "time": {"gap_steps": 0, "write_steps": 3},
}


@of_each_kind
def test_the_summary_is_of_one_sample(kind):
    run = training.run(configuration(kind), REAL)
    summary = summarise(run)
    samples = EPOCHS * len(REAL.inputs)
    whole = sum(joules.mean() for bank in run.energy.values() for joules in bank.values())
    assert summary.samples == samples
    assert summary.sample_energy * samples == pytest.approx(whole, rel=1e-12)
    assert summary.read.sum() + summary.write.sum() == pytest.approx(summary.sample_energy, rel=1e-9)
    assert summary.sample_time * samples == pytest.approx(run.simulated_time, rel=1e-12)
    assert summary.power == pytest.approx(whole / run.simulated_time, rel=1e-12)
    of_epochs = sum(values.sum() for values in run.epoch_energy.values())
    assert of_epochs / REALISATIONS / samples == pytest.approx(summary.sample_energy, rel=1e-11)


def test_a_read_of_still_synapses_is_i_squared_r_t():
    """Closed form: every synapse is a resistor V = R(x) I then, and takes I^2 R T in each READ."""
    config = configuration("mlp", **STILL, network={"read_scale": 1.0}, run={"realisations": 1})
    run = training.run(config, REAL)
    bank = run.calibration[0]
    resistance = bank.device.functions().memristance
    currents = REAL.inputs * bank.read_current  # (samples, inputs)
    states = run.initial_state["synapses1"][:, 0, 0].reshape(REAL.inputs.shape[1], -1)
    parameters = bank.device.kernel_parameters()
    ohms = np.array([[resistance(x, parameters) for x in row] for row in states])
    time = config.time.read * config.time.dt
    expected = np.einsum("si,ij->", currents**2, ohms) * time
    assert run.epoch_energy["synapses1"][:, Phase.READ, 0] == pytest.approx(expected, rel=1e-12)


def test_energy_goes_as_one_over_the_width_where_currents_are_calibrated_to_it():
    found = run_at_widths(configuration("mlp", **STILL), REAL, [5, 10, 20, 40])
    widths = [each.width for each in found]
    assert [each.current * each.width for each in found] == pytest.approx([found[0].current * widths[0]] * 4, rel=1e-12)
    synapses = [each.energy.joules[0, Phase.READ] * each.width for each in found]
    for product in synapses[1:]:
        assert product == pytest.approx(synapses[0], rel=1e-11)
    assert exponent(widths, [each.current for each in found]) == pytest.approx(-1.0, abs=1e-12)
    assert [each.energy.sample_time / each.width for each in found] == pytest.approx([11.0] * 4, rel=1e-12)
    assert "E ~ I^2 T ~ 1/T" in law(found)


def test_energy_goes_as_the_width_where_currents_are_the_devices_own():
    found = run_at_widths(configuration("lines", **STILL), REAL, [5, 20])
    reads = [each.energy.joules[0, Phase.READ] / each.width for each in found]
    assert reads[1] == pytest.approx(reads[0], rel=1e-11)
    assert found[0].current == found[1].current
    assert "of a WRITE the threshold's part" in law(found)


def test_energy_of_carriers_goes_as_the_width():
    config = configuration("slp", devices={"memristor": {"model": "carrier-memristor"}}, **STILL)
    found = run_at_widths(config, REAL, [8, 32])
    writes = [each.energy.joules[0, Phase.WRITE] / each.width for each in found]
    assert writes[1] == pytest.approx(writes[0], rel=1e-3)
    assert "a READ's and a carrier's currents" in law(found)
    assert "threshold" not in law(found)


def test_an_exponent_of_a_power_law_is_its_power():
    assert exponent([1.0, 2.0, 8.0], [3.0, 0.75, 3.0 / 64.0]) == pytest.approx(-2.0, rel=1e-12)
    assert exponent([1.0, 2.0], [-3.0, -6.0]) == pytest.approx(1.0, rel=1e-12)
    assert np.isnan(exponent([1.0, 2.0], [0.0, 1.0]))


def test_the_same_width_is_the_same_run():
    config = configuration("mlp", time={"pulse_steps": 4, "write_steps": 6})
    (one,) = run_at_widths(config, REAL, [4])
    run = training.run(config, REAL)
    assert np.array_equal(one.error, run.total_error[-1])
    assert np.array_equal(one.energy.joules, summarise(run).joules)


def test_writes_keep_their_ratio_to_reads():
    config = configuration(
        "mlp", time={"pulse_steps": 4, "write_steps": 6}, write={"encoding": "count", "train_steps": 2}
    )
    wide = at_width(config, 8)
    assert (wide.time.read, wide.time.write, wide.write.train_steps, wide.time.rest) == (8, 12, 4, config.time.rest)
    with pytest.raises(InputError, match="are no whole steps"):
        at_width(config, 5)


@pytest.mark.parametrize("widths", [[], [0, 5], [5, 5]])
def test_widths_that_are_none_are_refused(widths):
    with pytest.raises(InputError, match="pulse widths: must be different numbers of steps"):
        run_at_widths(configuration("mlp"), REAL, widths)


# The command


@pytest.fixture
def stored(tmp_path):
    path = tmp_path / "run.h5"
    training.run(configuration("mlp"), REAL, out=path).close()
    return path


def test_the_command_shows_and_writes_the_energies(stored, cli, tmp_path):
    names = {name: tmp_path / f"energy.{name}" for name in ("png", "json", "csv")}
    words = ["--plot", names["png"], "--json", names["json"], "--csv", names["csv"], "--pulse-widths", "3,6", "--quiet"]
    done = cli("energy", stored, *words)
    assert done.status == 0, done.err
    for word in ("BACKREAD", "active elements", "simulated time a sample", "mean power", "E_read ~ T^-1.0"):
        assert word in done.out
    assert names["png"].read_bytes().startswith(b"\x89PNG")
    with memsim.open_run(stored) as run:
        summary = summarise(run)
        said = json.loads(names["json"].read_text())
        assert said["joules_a_sample"] == summary.sample_energy
        assert said["joules_a_sample_by_bank"]["nodes1"]["READ"] == summary.joules[1, Phase.READ].mean()
        assert [each["steps"] for each in said["pulse_widths"]] == [3, 6]
        with names["csv"].open() as file:
            rows = list(csv.DictReader(file))
        assert len(rows) == EPOCHS * 4 * len(Phase) * REALISATIONS
        for row in rows:
            values = run.epoch_energy[row["bank"]]
            at = int(row["epoch"]), Phase[row["phase"]], int(row["realisation"])
            assert float(row["energy_joules"]) == values[at]
            assert float(row["time_seconds"]) == run.phase_time[row["phase"]]
    again = cli("energy", stored, "--json", names["json"])
    assert again.status == 2
    assert "exists" in again.err


@of_each_kind
def test_legends_lie_beside_the_data(kind):
    run = training.run(configuration(kind), REAL)
    summary = summarise(run)
    widths = [AtWidth(steps, steps * 1e-3, 1e-3, summary, run.total_error[-1]) for steps in (2, 4)]
    figure = figure_of(run, summary, widths)
    figure.draw_without_rendering()
    renderer = figure.canvas.get_renderer()
    for axes in figure.axes:
        legend = axes.get_legend().get_window_extent(renderer)
        assert not any(legend.overlaps(box) for box in (axes.bbox, axes.xaxis.get_tightbbox(renderer)))
        assert figure.bbox.count_contains(legend.corners()) == 4
    assert not any(
        one.get_tightbbox(renderer).overlaps(other.get_tightbbox(renderer))
        for one, other in itertools.pairwise(figure.axes)
    )


def test_the_command_refuses_what_it_cannot_do(stored, cli, tmp_path):
    assert "--pulse-widths; give that too" in cli("energy", stored, "--set", "learning.epochs=3").err
    both = cli("energy", stored, "--json", tmp_path / "a", "--csv", tmp_path / "a")
    assert both.status == 2
    assert "must be different files" in both.err
    assert cli("energy", tmp_path / "none.h5").status == 2


def test_a_file_of_an_earlier_version_has_totals_but_no_epochs(cli, tmp_path):
    older = DATA / "mlp-schema-2.h5"
    done = cli("energy", older)
    assert done.status == 0, done.err
    assert "mean power" in done.out
    refused = cli("energy", older, "--csv", tmp_path / "e.csv")
    assert refused.status == 2
    assert "an earlier version made it" in refused.err


def test_the_closing_summary_has_energy_shares_and_time(stored, cli):
    shown = cli("trace", "info", stored).out
    with memsim.open_run(stored) as run:
        share = summarise(run).read_share
    assert f"(reading {share:.0%}, writing {1.0 - share:.0%})" in shown
    assert "of hardware time" in shown
