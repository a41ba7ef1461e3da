"""``memsim bench peers``: the reference, every peer's physics, and what is said of peers that are not there.

No test asks how long anything took. Peers that are not installed are skipped; none of them is needed.
"""

import configparser
import importlib.util
import shutil

import numpy as np
import pytest
from places import ROOT
from scipy.integrate import solve_ivp

import memsim
from memsim.benchmarking import running, timing
from memsim.benchmarking.bench_files import draw_figures
from memsim.benchmarking.bench_records import read_report, record, write_report
from memsim.benchmarking.case import Setting
from memsim.benchmarking.peers import NAMES, measuring, peer_of
from memsim.benchmarking.peers.numpy_equations import drift_of
from memsim.benchmarking.peers.problems import DEVICES, PULSES, problem_of
from memsim.benchmarking.peers.reference import reference
from memsim.benchmarking.peers_comparison import front, seconds_for
from memsim.benchmarking.suites import peers
from memsim.benchmarking.table import show_report
from memsim.benchmarking.timing import Times
from memsim.errors import RunError

FEW = 7  # devices

# The reference


def test_the_reference_is_the_closed_form_of_ion_drift():
    problem = problem_of("ion-drift", FEW)  # the charge of a pulse moves the logit of the state
    charge = sum(problem.factors) * problem.about.pulse * problem.currents
    logit = np.log(problem.starts / (1 - problem.starts)) + 4 * problem.about.parameters["k"] * charge
    assert problem.error(reference(problem), 1 / (1 + np.exp(-logit))) < 1e-15


def test_the_reference_is_the_closed_form_of_the_synapse():
    problem = problem_of("synapse", FEW)
    p, right = problem.about.parameters, problem.starts.copy()
    for factor in problem.factors:
        over = np.maximum(abs(factor) * problem.currents - p["threshold"], 0.0)
        right += p["k"] * np.sign(factor) * over * problem.about.pulse
    assert problem.error(reference(problem), right) < 1e-15


@pytest.mark.parametrize("device", DEVICES)
def test_the_reference_is_what_dop853_finds(device):
    problem = problem_of(device, FEW)
    x, scale = problem.starts, problem.about.scale
    for factor in problem.factors:
        drift = drift_of(device, problem.about.parameters, factor * problem.currents)

        def rate(t, state, drift=drift):
            out = np.empty_like(state)
            drift(state, out)
            return out

        x = solve_ivp(rate, (0, problem.about.pulse), x, "DOP853", rtol=1e-13, atol=1e-14 * scale).y[:, -1]
    assert problem.error(x, reference(problem)) < 1e-13


@pytest.mark.parametrize("device", DEVICES)
def test_shorter_parts_do_not_change_the_reference(device):
    problem = problem_of(device, FEW)
    assert problem.error(reference(problem, 8), reference(problem)) < 5e-16


@pytest.mark.parametrize("device", DEVICES)
def test_every_device_moves_and_none_meets_a_bound(device):
    problem = problem_of(device, 1000)
    low, high = problem.about.span
    x = problem.starts.copy()
    for factor in problem.factors:
        before = x.copy()
        drift = drift_of(device, problem.about.parameters, factor * problem.currents)
        rate = np.empty_like(x)
        for _ in range(100):
            drift(x, rate)
            x += 0.01 * problem.about.pulse * rate
            assert low + 0.01 * (high - low) < x.min() <= x.max() < high - 0.01 * (high - low)
        assert (np.sign(x - before) == np.sign(factor)).all()


def test_a_problem_is_the_same_whenever_it_is_asked_for():
    one, other = problem_of("vteam", FEW), problem_of("vteam", FEW)
    assert (one.starts == other.starts).all()
    assert (one.currents == other.currents).all()


# The peers: their physics

# What Brian2 warns of is in its own imports. Its compilers take their time.
OF_BRIAN2 = {name: [pytest.mark.filterwarnings("ignore")] for name in NAMES if "Brian2" in name}
OF_BRIAN2["Brian2, C++"].append(pytest.mark.slow)
OF_BRIAN2["Brian2, Cython"].append(pytest.mark.slow)
USED = [pytest.param(name, marks=OF_BRIAN2.get(name, [])) for name in NAMES]


def installed(name):
    tool = peer_of(name)
    if word := measuring.missing(tool):
        pytest.skip(word)
    return tool


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("name", USED)
def test_a_peer_converges_to_the_reference_with_its_order(name, device, tmp_path):
    tool, problem = installed(name), problem_of(device, FEW)
    right = reference(problem)
    for method, known in tool.methods.items():
        if known.devices and device not in known.devices:
            continue
        levels = known.levels if known.by_tolerance else (8.0, 32.0)
        found = []
        for level in (levels[0], levels[-1]):
            prepared = tool.prepare(problem, method, level, tmp_path)
            prepared.run()
            found.append(problem.error(prepared.states(), right))
        if device == "synapse":
            assert max(found) < 2e-5  # its drift is constant: exact in one step, but for the edges of ngspice's sources
        elif known.by_tolerance:
            assert found[1] < min(1e-2 * found[0], 1e-4) or found[1] < 1e-11
        else:
            assert np.log(found[0] / found[1]) / np.log(4.0) == pytest.approx(known.order, abs=0.5)


@pytest.mark.parametrize("name", USED)
def test_a_second_run_begins_at_the_starting_states(name, tmp_path):
    tool, problem = installed(name), problem_of("ion-drift", FEW)
    level = 1e-4 if tool.methods[tool.scaled].by_tolerance else 4.0
    prepared = tool.prepare(problem, tool.scaled, level, tmp_path)
    assert prepared.run() >= 0.0
    first = prepared.states().copy()
    prepared.run()
    assert (prepared.states() == first).all()
    assert prepared.steps >= PULSES


def test_netlists_of_ngspice_come_one_after_the_other(monkeypatch, tmp_path):
    tool, problem = installed("ngspice"), problem_of("ion-drift", FEW)
    monkeypatch.setattr("memsim.benchmarking.peers.ngspice_netlists.TOGETHER", 3)
    prepared = tool.prepare(problem, "trap", 1e-6, tmp_path)
    prepared.run()
    assert len(list(tmp_path.glob("*.raw"))) == 3
    assert problem.error(prepared.states(), reference(problem)) < 1e-3


@pytest.mark.parametrize("devices", [1, 65, 5000])  # one, a tile and one, more than NumPy takes together
@pytest.mark.parametrize("name", ["memsim", "C", "NumPy"])
def test_any_number_of_devices_is_taken(name, devices, tmp_path):
    tool, problem = installed(name), problem_of("vteam", devices)
    prepared = tool.prepare(problem, "heun", 30.0, tmp_path)
    prepared.run()
    assert problem.error(prepared.states(), reference(problem)) < 1e-4


# The peers: what is said of them


@pytest.mark.parametrize("name", NAMES)
def test_a_peer_says_what_it_is(name):
    tool = peer_of(name)
    assert tool.name == name
    assert tool.scaled in tool.methods
    assert tool.settings
    assert tool.manual.startswith(("https://", "docs/"))
    if tool.manual.startswith("docs/"):
        assert (ROOT / tool.manual).exists()
    if tool.missing() is None:
        assert all(tool.versions().values())


@pytest.mark.parametrize("name", [name for name in NAMES if name != "C"])
def test_a_peer_that_is_not_there_is_left_out_with_the_way_to_install_it(name, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda package: None)
    monkeypatch.setattr(shutil, "which", lambda program: None)
    tool = peer_of(name)
    assert tool.missing().startswith(f"{name} is left out: ")
    assert tool.missing().endswith(tool.install)


def test_without_a_compiler_c_is_left_out(monkeypatch):
    monkeypatch.setenv("CC", "no-such-compiler")
    assert peer_of("C").missing() == "C is left out: CC is 'no-such-compiler', which is not there; apt install gcc"


def test_a_peer_whose_import_fails_is_left_out_with_the_reason(monkeypatch, tmp_path):
    (tmp_path / "unfitting.py").write_text("raise AttributeError('an older NumPy is needed')")
    monkeypatch.syspath_prepend(tmp_path)
    tool = type(peer_of("NumPy"))()
    tool.packages = ("unfitting",)
    said = "NumPy is left out: unfitting cannot be imported (an older NumPy is needed); pip install numpy"
    assert measuring.missing(tool) == said


def test_the_extra_has_what_peers_import():
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    lines = setup["options.extras_require"]["peers"].split("\n")
    extra = {line.partition(">")[0].partition("<")[0] for line in lines if line}
    tools = [tool for tool in map(peer_of, NAMES) if "memsim[" in tool.install]
    wanted = {package.lower() for tool in tools for package in tool.packages}
    assert wanted - {"jaxlib"} <= extra


# Measuring


def test_a_method_has_no_further_levels_once_it_takes_too_long(tmp_path):
    found = measuring.errors("NumPy", "ion-drift", FEW, 1e-12, 99, str(tmp_path))["found"]
    assert [(one["method"], one["level"]) for one in found] == [("euler", 1.0), ("heun", 1.0), ("rk4", 1.0)]


def test_a_method_has_no_further_levels_once_its_error_is_that_of_rounding(tmp_path):
    found = measuring.errors("NumPy", "synapse", FEW, 10.0, 99, str(tmp_path))["found"]
    assert [one["level"] for one in found] == [1.0, 1.0, 1.0]
    assert all(one["error"] < measuring.ENOUGH for one in found)


def test_levels_are_measured_up_to_the_number_asked_for(tmp_path):
    found = measuring.errors("NumPy", "ion-drift", FEW, 10.0, 2, str(tmp_path))["found"]
    assert [one["level"] for one in found if one["method"] == "euler"] == [1.0, 10.0]
    assert all(len(one["processor_seconds"]) == measuring.RUNS for one in found)


def test_the_first_devices_of_a_large_bank_are_checked(monkeypatch, tmp_path):
    monkeypatch.setattr(measuring, "CHECKED", 2)
    found = measuring.sizes("NumPy", "ion-drift", [1, FEW], 1000, 10.0, str(tmp_path))["found"]
    assert [(one["devices"], one["steps"] // PULSES) for one in found] == [(1, 100), (FEW, 14)]
    problem = problem_of("ion-drift", FEW)
    prepared = peer_of("NumPy").prepare(problem, "euler", 14.0, tmp_path)
    prepared.run()
    assert found[1]["error"] == problem.error(prepared.states()[:2], reference(problem)[:2])


def test_few_devices_take_more_steps_and_none_too_many():
    tool = peer_of("NumPy")
    levels = [measuring.level_of(tool, problem_of("synapse", devices), 10**6) for devices in (1, 1000, 100_000)]
    assert levels == [1000.0, 100.0, 10.0]
    assert measuring.level_of(peer_of("SciPy"), problem_of("synapse", 1), 10**6) == 1e-6


def test_processor_time_is_of_processes_that_ended_as_well():
    before = timing.processor_seconds()
    sum(range(10**6))
    assert timing.processor_seconds() > before


# The suite


def setting_in(folder):
    return Setting(folder, quick=True, threads=1)


def test_the_suite_measures_the_peers_that_are_there(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(peers, "NAMES", ("memsim", "NumPy"))
    report = running.run_suites(("peers",), setting_in(tmp_path), "memsim bench peers", lambda *_: None)
    assert report.complete
    assert not report.failed
    kinds = {(found.more["kind"], found.more["peer"]) for found in report.records}
    assert kinds == {(kind, name) for kind in ("start", "error", "devices") for name in ("memsim", "NumPy")}
    start = next(found for found in report.records if found.more["kind"] == "start")
    assert start.more["version of memsim"] == memsim.__version__
    assert start.more["threads"] == 1
    assert len({found.case for found in report.records}) == len(report.records)
    write_report(report, tmp_path / "peers.json")
    assert read_report(tmp_path / "peers.json") == report
    assert draw_figures(report, {"peers": tmp_path / "peers.png"}) == [tmp_path / "peers.png"]
    show_report(report)
    assert "for an error at most of" in capsys.readouterr().out


def test_peers_that_are_not_there_make_no_cases(monkeypatch, tmp_path):
    monkeypatch.setattr(peers, "NAMES", ("JAX", "NumPy"))
    monkeypatch.setattr(type(peer_of("JAX")), "missing", lambda self: "JAX is left out: ...; pip install ...")
    setting = setting_in(tmp_path)
    assert {case.name for case in peers.cases(setting)} == {"start, NumPy", "ion-drift, NumPy", "devices, NumPy"}
    assert "JAX is left out: ...; pip install ..." in setting.left_out


def test_a_word_of_a_process_of_its_own_is_told_once(monkeypatch, tmp_path):
    monkeypatch.setattr(peers, "NAMES", ("NumPy",))
    monkeypatch.setattr(peers, "in_fresh_process", lambda work, **given: {"missing": "NumPy is left out: it is broken"})
    report = running.run_suites(("peers",), setting_in(tmp_path), "memsim bench peers", lambda *_: None)
    assert report.records == ()
    assert report.left_out.count("NumPy is left out: it is broken") == 1


def test_ctrl_c_keeps_what_was_measured(monkeypatch, tmp_path):
    monkeypatch.setattr(peers, "NAMES", ("NumPy",))
    real = peers.in_fresh_process

    def stopped(work, **given):
        if work == "peer_sizes":
            raise KeyboardInterrupt
        return real(work, **given)

    monkeypatch.setattr(peers, "in_fresh_process", stopped)
    report = running.run_suites(("peers",), setting_in(tmp_path), "memsim bench peers", lambda *_: None)
    assert not report.complete
    assert {found.more["kind"] for found in report.records} == {"start", "error"}


def test_a_peer_that_fails_is_told_and_the_others_are_measured(monkeypatch, tmp_path):
    monkeypatch.setattr(peers, "NAMES", ("NumPy",))
    real = peers.in_fresh_process

    def failing(work, **given):
        if work == "peer_errors":
            raise RunError("a process of its own failed: ValueError: no")
        return real(work, **given)

    monkeypatch.setattr(peers, "in_fresh_process", failing)
    report = running.run_suites(("peers",), setting_in(tmp_path), "memsim bench peers", lambda *_: None)
    assert report.failed == ("peers: ion-drift, NumPy: failed: a process of its own failed: ValueError: no",)
    assert {found.more["kind"] for found in report.records} == {"start", "devices"}


def test_peers_are_measured_only_where_they_are_named():
    assert "peers" not in running.suites_of(())
    assert running.suites_of(("peers",)) == ("peers",)


# What records say


def one(seconds, error):
    return record("peers", f"{seconds}", Times((seconds,)), more={"kind": "error", "error": error})


def test_a_front_has_what_nothing_faster_equals():
    records = [one(3.0, 1e-8), one(1.0, 1e-2), one(2.0, 1e-1), one(4.0, 1e-8)]
    assert [(found.seconds, found.more["error"]) for found in front(records)] == [(1.0, 1e-2), (3.0, 1e-8)]


def test_the_least_time_for_an_error_is_that_of_the_fastest_that_keeps_it():
    records = [one(3.0, 1e-8), one(1.0, 1e-2), one(2.0, 1e-1)]
    assert seconds_for(records, 1e-2) == 1.0
    assert seconds_for(records, 1e-4) == 3.0
    assert seconds_for(records, 1e-10) is None
