"""Starting weights that are written by pulses: the naive twin, what noise and verifying allow, files, bad input."""

import functools
import json
import tomllib
from dataclasses import replace
from pathlib import Path

import h5py
import naive_state_dependent
import numpy as np
import pytest
import short_runs
from imperfect_runs import CASES as IMPERFECT
from imperfect_runs import SLOW, VTEAM, same
from interrupting import stopped
from short_runs import REAL

import memsim
from memsim.analysis.verification import verify
from memsim.analysis.windows import write_window
from memsim.configuration.sections import Configuration, TraceSection
from memsim.convergence.network_dt import check_dt
from memsim.datasets import Dataset
from memsim.errors import InputError, RunFileError
from memsim.kernels.operands import COUNTERS
from memsim.kernels.slots import Operation, Phase
from memsim.network.assembly import assemble
from memsim.runs import training
from memsim.runs.needed import kernels_of
from memsim.runs.opening import open_run
from memsim.runs.programming import programmed, programming, steps_of_programming
from memsim.runs.sources import start_of
from memsim.stepping.engine import Engine
from memsim.terminal.si import duration
from memsim.traces.schema import PROGRAMMED

COUNTED = [name for name, counter in COUNTERS.items() if counter.programmed]
PROGRAMMED_NETWORK = {"network": {"programmed": True}}
COUNT = {"write": {"encoding": "count", "pulses": 6, "train_steps": 2, "train_gap_steps": 1}}
# Kind of network, and sections that differ.
CASES = {
    "mlp": ("mlp", {}),
    "lines": ("lines", {}),
    "lines, in closed form": ("lines", {"network": {"activation": "controller"}, "time": {"solver": "exact"}}),
    "lines, noise": ("lines", {"imperfections": {"synapse": {"write_noise": 0.2, "stuck": 0.2}}}),
    "writes by count": ("mlp", COUNT),
    "writes by width": ("mlp", {"write": {"encoding": "width"}}),
    "mini-batches, verified writes": ("mlp", {"learning": {"batch": 2}, "write": {"verify": 1}}),
    "kept biases": ("mlp", {"network": {"restore_verify": 1}}),
    "resolution": ("mlp", {"write": {"resolution": 0.03}}),
    "low thresholds": ("mlp", {"imperfections": {"synapse": {"spread": {"threshold": 0.3}}}}),
    "weak drivers": ("mlp", {"write": {"driver_limit": 7.2e-3}}),
    "vteam": ("mlp", VTEAM),
    "joglekar": ("mlp", {"devices": {"synapse": {"model": "ion-drift", "window": "joglekar"}}}),
    **{name: case for name, case in IMPERFECT.items() if case[0] == "mlp"},
}
slow = (*SLOW, "vteam", "joglekar", "lines, in closed form")
of_each_case = pytest.mark.parametrize(
    "case", [pytest.param(case, marks=pytest.mark.slow if case in slow else ()) for case in CASES]
)
FEW = ["mlp", "lines, noise", "telegraph noise", pytest.param("all, writes by count", marks=pytest.mark.slow)]


def configuration(case, *, passes=4, **sections):
    """A short run of a case; the sections are merged in."""
    kind, own = CASES[case]
    names = {*own, *sections, "network"}
    network = {"programmed": True, "programming_passes": passes}
    merged = {name: {**own.get(name, {}), **sections.get(name, {})} for name in names}
    return short_runs.configuration(kind, **merged | {"network": {**network, **merged["network"]}})


@functools.cache
def begun(case):
    """The assembly of a case as its run begins."""
    return programmed(assemble(configuration(case), REAL), threads=1)


def shares(run_or_assembly, states, aims):
    """How far states are from aims as shares of their ranges, a list of (devices, realisations)."""
    ranges = [bank.device.state_variables()[0] for bank in run_or_assembly.banks]
    return [np.abs(x - y) / (r.upper - r.lower) for x, y, r in zip(states, aims, ranges, strict=True)]


def without(config):
    """The same configuration with starting weights that are set."""
    network = config.network.model_copy(update={"programmed": False, "programming_passes": 10})
    return config.model_copy(update={"network": network})


# The twin


@of_each_case
def test_programming_equals_its_twin(case):
    fresh, found = assemble(configuration(case), REAL), begun(case)
    writing, about = programming(fresh), found.start.beginning.programming
    lines = fresh.banks[0].name == "lines"
    learning = [(b, bank) for b, bank in enumerate(fresh.banks) if bank.learns]
    assert [*about.banks] == [bank.name for _, bank in learning]
    for lane in range(len(fresh.seeds)):
        # What a device has of its own is drawn from the seeds of the run, noise from others.
        twin = naive_state_dependent.Network(replace(writing, seeds=fresh.seeds), lane)
        twin.seed = writing.seeds[lane]
        writes = [[0] * len(bank.devices) for bank in twin.banks]
        correct = twin.encode_towards

        def counted(slot, tolerance, twin=twin, writes=writes, correct=correct):
            correct(slot, tolerance)
            for place, device in enumerate(twin.banks[slot.bank].devices):
                writes[slot.bank][place] += device.current != 0.0

        twin.encode_towards = counted
        aims = [about.banks[bank.name]["aim"][:, lane] for _, bank in learning]
        for turn in range(len(twin.banks[0].devices) if lines else 1):
            for (b, _), wanted in zip(learning, aims, strict=True):
                bank = twin.banks[b]
                for place, (device, aim) in enumerate(zip(bank.devices, wanted, strict=True)):
                    device.aim, device.request = float(aim), float(not lines or place == turn)
            twin.show(REAL.inputs[0], REAL.targets[0])
            for bank in twin.banks:
                twin.close_epoch(bank)
        for b, bank in learning:
            values = about.banks[bank.name]
            assert same([found.initial[b][..., lane]], [twin.states(b)]), bank.name
            assert values["writes"][:, lane].tolist() == writes[b]
            assert set(values) == {*COUNTED, *(field.name for field in PROGRAMMED)}
            for name in COUNTED:
                counted_so = twin.counter("complete_energy" if name == "energy" else name, b)
                wanted = counted_so.sum(axis=0) if counted_so.ndim > 1 else counted_so
                assert same([values[name][:, lane]], [wanted]), (bank.name, name)
            if len(found.past):
                device = twin.banks[b].devices
                left = [[d.pulses for d in device], [d.trap for d in device]]
                assert found.past[b][:2, :, lane].tolist() == left
    assert about.seconds == twin.steps * fresh.dt == steps_of_programming(fresh) * fresh.dt
    assert about.passes == 4


def test_what_is_counted_happens_in_some_case():
    found = {name: 0.0 for name in COUNTED}
    for case in ("weak drivers", "resolution", "low thresholds", "periphery", "writes by count"):
        for values in begun(case).start.beginning.programming.banks.values():
            for name in COUNTED:
                found[name] += np.abs(values[name]).sum()
    rare = {"stalled", "bound", "out_of_range"}  # of other devices, or of states at their bounds
    assert {name for name, value in found.items() if value == 0.0} <= rare


# What is written


@pytest.mark.parametrize("case", ["mlp", "lines", "kept biases", pytest.param("vteam", marks=pytest.mark.slow)])
def test_without_noise_the_weights_are_the_drawn_ones(case):
    config = configuration(case, passes=1)
    drawn, written = assemble(without(config), REAL), programmed(assemble(config, REAL), 1)
    found = shares(drawn, [x[:, 0] for x in written.initial], [x[:, 0] for x in drawn.initial])
    for bank, share in zip(drawn.banks, found, strict=True):
        if not bank.learns:
            assert (share == 0.0).all()
            continue
        sent = written.start.beginning.programming.banks[bank.name]["writes"] > 0
        assert sent.any()
        assert share[sent].max() < 1e-12
        assert (share[~sent] <= config.write.tolerance).all()  # so small a weight is not written
    assert (written.initial[0] != assemble(config, REAL).banks[0].states(np.zeros(1))).all()


def test_a_train_ends_within_half_a_pulse_of_its_aim():
    found = begun("writes by count")
    for bank in found.banks:
        values = found.start.beginning.programming.banks[bank.name]
        reached = values["residual"][values["clipped"] < 4]
        pulse = 0.05 / 6 * (0.2 if bank.name.startswith("nodes") else 1.0)  # of the range, by the calibrated driver
        assert len(reached) > 0
        assert reached.max() <= 0.5 * pulse * (1.0 + 1e-9)


LARGE = Dataset(np.ones((2, 24)), np.zeros((2, 24)), "one input")


def large(passes, **sections):
    """States of many synapses after programming, and what they were to be, as shares of the range; what was counted."""
    network = {"layers": (24, 24), "programmed": True, "programming_passes": passes}
    config = Configuration(network=network, run={"realisations": 5}, data={"arrays": "mine"}, **sections)
    found = programmed(assemble(config, LARGE), 1)
    about = found.start.beginning.programming.banks["synapses1"]
    variable = found.banks[0].device.state_variables()[0]
    width = variable.upper - variable.lower
    return found.initial[0][:, 0] / width, about["aim"] / width, about


@pytest.mark.parametrize(("passes", "spread"), [(1, 0.3), (2, 0.09)])
def test_each_pass_leaves_the_share_that_write_noise_makes_of_what_was_missing(passes, spread):
    # One pulse carries a state by its aim times a factor f of mean 1: what is missing is (f - 1) of it, pass by pass.
    reached, aims, _ = large(passes, imperfections={"synapse": {"write_noise": 0.3}}, write={"tolerance": 1e-9})
    missed = reached / aims - 1.0
    assert missed.std() == pytest.approx(spread, rel=0.15)
    assert abs(missed.mean()) < 4.0 * spread / np.sqrt(missed.size)


def test_verifying_takes_write_noise_down_to_the_tolerance():
    for tolerance, noise in ((1e-3, 0.1), (1e-4, 0.2)):
        flaws = {"write_noise": noise, "spread": {"mobility": 0.1}}
        reached, aims, about = large(15, imperfections={"synapse": flaws}, write={"tolerance": tolerance})
        assert np.abs(reached - aims).max() <= tolerance
        assert np.abs(reached - aims).max() > 0.1 * tolerance  # who is within the tolerance gets no pulse more
        assert about["unverified"].sum() == 0.0
        assert 1.0 < about["writes"].mean() < 8.0


def test_read_noise_is_what_is_left_of_the_weights():
    noise, config = 1e-2, Configuration(network={"layers": (24, 24)}, data={"arrays": "mine"})
    reached, aims, about = large(6, periphery={"synapse": {"read_noise": noise}})
    bank = assemble(config, LARGE).banks[0]
    variable = bank.device.state_variables()[0]  # of the paper's synapse the memristance itself, in ohm
    off = noise / (bank.read_current * (variable.upper - variable.lower))
    assert off > 10 * config.write.tolerance
    assert (reached - aims).std() == pytest.approx(off, rel=0.1)
    assert about["unverified"].mean() > 0.9


def test_nodes_are_read_as_strongly_as_their_read_outs_error_asks_for():
    config = short_runs.configuration("mlp", **PROGRAMMED_NETWORK)
    noisy = short_runs.configuration("mlp", **PROGRAMMED_NETWORK, periphery={"node": {"read_noise": 1e-2}})
    quiet = short_runs.configuration("mlp", **PROGRAMMED_NETWORK, periphery={"node": {"read_noise": 1e-7}})
    probe, full, between = (programming(assemble(each, REAL)).banks[1] for each in (config, noisy, quiet))
    assert full.read_current == full.unit_current == probe.unit_current
    assert probe.read_current == pytest.approx(1e-3 * probe.unit_current)
    ohm = probe.device.r_off - (probe.device.output_r_on or probe.device.r_on)
    assert between.read_current == pytest.approx(max(1e-7 / (1e-4 * ohm), probe.read_current))
    synapses = [programming(assemble(each, REAL)).banks[0].read_current for each in (config, noisy)]
    assert synapses[0] == synapses[1]


def test_stuck_devices_stay_as_they_were_handed_over():
    flaws = {"stuck_lower": 0.2, "stuck_upper": 0.2, "stuck": 0.2}
    reached, aims, about = large(2, imperfections={"synapse": flaws})
    at = {place: np.isclose(reached, place, rtol=0.0, atol=1e-15) for place in (-0.5, 0.0, 0.5)}
    for share in at.values():
        assert share.mean() == pytest.approx(0.2, abs=0.03)
    there = np.abs(reached - aims) <= 1e-4
    assert (about["unverified"] == ~there).all()
    assert np.abs(reached - aims)[~np.any([*at.values()], axis=0)].max() < 1e-12


@pytest.mark.parametrize("case", FEW)
def test_threads_and_other_realisations_change_no_bit(case):
    fresh, wanted = assemble(configuration(case), REAL), begun(case)
    for found, lanes in (
        (programmed(fresh, threads=3), slice(None)),
        (programmed(assemble(configuration(case), REAL, fresh.seeds[1:2]), 1), slice(1, 2)),
    ):
        assert same(found.initial, [states[..., lanes] for states in wanted.initial])
        assert same(found.past, [past[..., lanes] for past in wanted.past])
        for bank, values in found.start.beginning.programming.banks.items():
            known = wanted.start.beginning.programming.banks[bank]
            assert all(same([values[name]], [known[name][:, lanes]]) for name in values), bank


def test_noise_of_programming_is_no_noise_of_the_run():
    config = configuration("write noise")
    fresh = assemble(config, REAL)
    assert not set(programming(fresh).seeds.tolist()) & set(fresh.seeds.tolist())
    perfect = assemble(configuration("mlp"), REAL)
    assert (programming(perfect).seeds == perfect.seeds).all()  # nothing is drawn


# Runs


@pytest.mark.parametrize("case", FEW)
def test_its_file_is_replayed_verified_made_again_and_resumed(case, tmp_path, cli):
    config = configuration(case, trace={"mode": "full"}, learning={"epochs": 4, "keep_best": True})
    path, again, window = (tmp_path / name for name in ("run.h5", "again.h5", "window.h5"))
    with training.run(config, REAL, out=path) as run:
        wanted = begun(case)
        about = run.programming
        assert about.passes == 4
        assert about.seconds == wanted.start.beginning.programming.seconds
        assert same([about.energy], [wanted.start.beginning.programming.energy])
        for bank, states in zip(run.banks, wanted.initial, strict=True):
            assert same([run.initial_state[bank][:, 0]], [states[:, 0]])
        assert [*about.banks] == [bank.name for bank in wanted.banks if bank.learns]
        for bank, known in wanted.start.beginning.programming.banks.items():
            assert all(same([values], [known[name]]) for name, values in about.banks[bank].items())
        findings = list(verify(run))
        assert [finding for finding in findings if finding.wrong] == []
        assert [finding.what for finding in findings].count("writing the starting weights again") == 1
        write_window(run, window, 10, 3 * run.sample_steps)
    keyframes = config.model_copy(update={"trace": TraceSection()})
    replayed = training.run(keyframes, REAL)
    assert cli("run", path, "--out", again, "--quiet").status == 0
    with open_run(path) as run, open_run(window) as seen, open_run(again) as made_again:
        for bank in run.banks:
            assert same(replayed.window(bank, "voltage"), run.window(bank, "voltage"))
            for other in (seen, made_again, replayed):
                assert same([other.initial_state[bank]], [run.initial_state[bank]])
                assert same([other.final_state[bank]], [run.final_state[bank]])
        for other in (seen, made_again, replayed):
            assert same([other.programming.energy], [run.programming.energy])
        assert same([memsim.evaluate(run, REAL.inputs).outputs], [memsim.evaluate(replayed, REAL.inputs).outputs])
        assert made_again.epochs_before == 0
    assert cli("run", path, "--resume", "--set", "learning.epochs=7", "--quiet").status == 0
    longer = config.model_copy(update={"learning": config.learning.model_copy(update={"epochs": 7})})
    with training.run(longer, REAL) as whole, open_run(path) as resumed:
        assert same([whole.total_error], [resumed.total_error])
        assert all(same([whole.final_state[bank]], [resumed.final_state[bank]]) for bank in whole.banks)
        assert [finding for finding in verify(resumed) if finding.wrong] == []


@pytest.mark.parametrize("case", FEW)
def test_a_run_that_was_stopped_goes_on_to_the_same_bits(case, tmp_path):
    config, path = configuration(case, learning={"epochs": 30}, trace={"keyframe_samples": 5}), tmp_path / "run.h5"
    with training.run(config, REAL) as whole:
        stopped(config, path, 12, data=REAL)
        with training.run(config, REAL, out=path, resume=True) as resumed:
            assert same([whole.total_error], [resumed.total_error])
            assert all(same([whole.final_state[bank]], [resumed.final_state[bank]]) for bank in whole.banks)
            assert same([whole.programming.energy], [resumed.programming.energy])


def test_the_run_learns_from_what_was_written():
    config = configuration("telegraph noise")
    written = begun("telegraph noise")
    run = training.run(config, REAL)
    twin = naive_state_dependent.naive.Network(written, 1)
    order = [naive_state_dependent.naive.shuffle(run.seeds[1], epoch, len(REAL.inputs)) for epoch in range(4)]
    assert run.total_error[:, 1].tolist() == twin.learn(order)


def test_devices_of_a_programmed_run_are_not_programmed_again(tmp_path, cli):
    config = configuration("telegraph noise", learning={"epochs": 3})
    first = training.run(config, REAL)
    second = training.run(config, REAL, start=start_of(first), out=tmp_path / "second.h5")
    longer = config.model_copy(update={"learning": config.learning.model_copy(update={"epochs": 6})})
    whole = training.run(longer, REAL)
    assert second.programming is None
    assert second.epochs_before == 3
    assert all(same([second.final_state[bank]], [whole.final_state[bank]]) for bank in whole.banks)
    assert [finding for finding in verify(second) if finding.wrong] == []
    second.close()
    assert cli("run", tmp_path / "second.h5", "--out", tmp_path / "again.h5", "--quiet").status == 0
    with open_run(tmp_path / "again.h5") as again:
        assert all(same([again.final_state[bank]], [whole.final_state[bank]]) for bank in whole.banks)


@pytest.mark.slow
def test_xor_is_learned_from_written_weights():
    config = Configuration(
        **tomllib.loads(Path("examples/xor.toml").read_text(encoding="utf-8"))
        | {"run": {"realisations": 10, "threads": 1}}
    )
    network = config.network.model_copy(update={"programmed": True})
    data = memsim.datasets.load(config.data)
    noise = {"synapse": {"write_noise": 0.1}}
    for flaws in ({}, noise):
        noisy = Configuration(**config.model_dump() | {"network": network.model_dump(), "imperfections": flaws})
        with training.run(noisy, data) as run:
            assert (run.total_error[-1] < 0.1).sum() >= 9


# What is shown


def test_what_programming_took_is_shown(tmp_path, cli):
    path = tmp_path / "run.h5"
    training.run(configuration("all, writes by count"), REAL, out=path).close()
    with open_run(path) as run:
        seconds, joules = run.programming.seconds, run.programming.energy.mean()
        missed = sum(int(each["unverified"].sum()) for each in run.programming.banks.values())
    for command in (("trace", "info"), ("energy",)):
        shown = " ".join(cli(*command, path).out.split())
        assert "the starting weights were written in 4 passes" in shown
        assert duration(seconds) in shown
    assert f"{missed} of 27 devices were not within write.tolerance" in " ".join(cli("trace", "info", path).out.split())
    assert cli("energy", path, "--json", tmp_path / "energy.json").status == 0
    found = json.loads((tmp_path / "energy.json").read_text())["programming"]
    assert (found["joules"], found["seconds"]) == (joules, seconds)
    assert sum(found["joules_by_bank"].values()) == pytest.approx(joules, rel=1e-12)
    shown = cli("schedule", path, "--plot", tmp_path / "schedule.png")
    assert shown.status == 0, shown.err
    steps = steps_of_programming(assemble(configuration("all, writes by count"), REAL))
    assert f"before the first: {steps} steps" in shown.out
    widths = cli("energy", path, "--pulse-widths", "3", "--quiet")
    assert widths.status == 0, widths.err


def test_dt_is_checked_from_written_weights():
    check = check_dt(configuration("mlp"), REAL)
    plain = check_dt(without(configuration("mlp")), REAL)
    assert check.lost == plain.lost == ""
    assert check.output == pytest.approx(plain.output, rel=1e-6)


@pytest.mark.parametrize("case", ["mlp", "lines", "writes by count", "spread"])
def test_it_needs_the_kernels_of_verified_writes_and_no_others(case):
    config = configuration(case)
    set_ones, verified = without(config), without(config)
    verified = verified.model_copy(update={"write": verified.write.model_copy(update={"verify": 1})})
    needed, plain, known = ({*kernels_of(assemble(each, REAL))} for each in (config, set_ones, verified))
    assert needed - plain <= known
    assert {"encode_towards", "observe_states", "drive_verify"} <= {kernel.name for kernel in needed - plain}
    assembly = assemble(config, REAL)
    for each in (programming(assembly), programmed(assembly, 1)):
        engine = Engine(each, threads=1, epochs=1)
        assert {*engine.kernels()} <= needed
        engine.close()


def test_the_schedule_reads_before_it_writes():
    config = configuration("vteam", passes=2, network={"restore_verify": 3})
    slots = programming(assemble(config, REAL)).schedule.slots
    read, write, back = Operation.VERIFY, Operation.CORRECT, Operation.RESTORE_VERIFY
    assert [slot.operation for slot in slots if slot.bank == 0] == [read, write, read, write, read]
    assert [slot.operation for slot in slots if slot.bank == 1] == [read, back, write, read, back, write, read, back]
    assert [slot.bank for slot in slots] == sorted(slot.bank for slot in slots)
    assert {slot.phase for slot in slots} == {Phase.WRITE}


# Configurations and files


def test_what_is_not_programmed_has_no_word_of_it():
    for config in (Configuration(), short_runs.configuration("slp")):
        assert "programm" not in config.to_toml()
    assert "programmed = true" in configuration("mlp").to_toml()
    assert Configuration(**tomllib.loads(configuration("mlp").to_toml())) == configuration("mlp")
    assert training.run(short_runs.configuration("mlp"), REAL).programming is None


@pytest.mark.parametrize(
    ("message", "settings"),
    [
        ("network.programmed: needs network.construction = 'equivalent'", ["kind=slp", "programmed=true"]),
        ("network.programming_passes: counts for network.programmed = true alone .got 3.", ["programming_passes=3"]),
        ("network.programming_passes: must be .* to 1 .got 0.", ["programmed=true", "programming_passes=0"]),
        ("network.programmed: ", ["programmed=maybe"]),
    ],
)
def test_what_cannot_be_programmed_is_refused(refused, tmp_path, message, settings):
    path = tmp_path / "config.toml"
    path.write_text('[data]\ngate = "or"\n')
    given = [word for setting in settings for word in ("--set", f"network.{setting}")]
    refused(message, "run", path, *given)


def test_a_file_goes_on_with_the_same_programming_only(tmp_path):
    path, config = tmp_path / "run.h5", configuration("mlp")
    training.run(config, REAL, out=path).close()
    with pytest.raises(InputError, match=r"network.programmed is True in the file, None here"):
        training.run(without(config), REAL, out=path, resume=True)
    with pytest.raises(InputError, match=r"network.programming_passes is 4 in the file, 5 here"):
        training.run(configuration("mlp", passes=5), REAL, out=path, resume=True)
    with pytest.raises(InputError, match=r"run.realisations is 3 in the file, 2 here"):
        training.run(configuration("mlp", run={"realisations": 2}), REAL, out=path, resume=True)
    training.run(without(config), REAL, out=path, overwrite=True).close()
    with pytest.raises(InputError, match=r"network.programmed is None in the file, True here"):
        training.run(config, REAL, out=path, resume=True)


@pytest.mark.parametrize(
    ("name", "values", "message"),
    [
        ("time", -1.0, "programming says that 4 passes took -1 s"),
        ("synapses1/energy", np.zeros((4, 2)), "programming/synapses1/energy is not of the bank's devices"),
        ("nodes1/aim", np.full((2, 3), np.nan), "programming/nodes1/aim holds what no run counts"),
        ("nodes1/residual", None, "programming/nodes1 is not complete"),
    ],
)
def test_a_broken_programming_is_refused(tmp_path, name, values, message):
    path = tmp_path / "run.h5"
    training.run(configuration("mlp"), REAL, out=path).close()
    with h5py.File(path, "r+") as file:
        del file[f"programming/{name}"]
        if values is not None:
            file[f"programming/{name}"] = values
    with pytest.raises(RunFileError, match=message):
        open_run(path)


def test_a_start_that_was_not_written_so_is_found(tmp_path):
    path = tmp_path / "run.h5"
    training.run(configuration("mlp"), REAL, out=path).close()
    with h5py.File(path, "r+") as file:
        file["banks/synapses1/initial_state"][0, 0, 0] *= 1.0 + 1e-12
    with open_run(path) as run:
        found = {finding.what: finding.wrong for finding in verify(run)}
    assert "banks/synapses1/initial_state differs" in found["writing the starting weights again"][0]
