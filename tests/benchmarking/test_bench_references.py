"""The references of ``memsim bench``: C gives the bits of the kernels, NumPy their values."""

import ctypes
import shutil
import subprocess

import numpy as np
import pytest
from test_bench import check

from memsim.benchmarking import banks, bench_networks, case, compiler, kernel_loop
from memsim.benchmarking.bench_records import read_report
from memsim.benchmarking.c_banks import TILES, CBanks
from memsim.benchmarking.c_network import LANES, CNetwork
from memsim.benchmarking.case import Setting
from memsim.benchmarking.compiler import NoCompilerError, build, find_compiler
from memsim.benchmarking.numpy_banks import STEPPERS, numpy_pulses
from memsim.benchmarking.numpy_network import NumpyTraining
from memsim.benchmarking.suites import kernel, train
from memsim.datasets import gate
from memsim.devices import MODELS
from memsim.kernels.stepping import INTEGRATORS
from memsim.network.assembly import assemble

ALONE = [name for name, model in MODELS.items() if model.alone]
of_each_model = pytest.mark.parametrize("model", ALONE)
of_each_integrator = pytest.mark.parametrize("integrator", INTEGRATORS)
needs_a_compiler = pytest.mark.skipif(
    not any(shutil.which(name) for name in ("cc", "gcc", "clang")), reason="there is no C compiler"
)


@pytest.fixture(scope="module")
def libraries(tmp_path_factory):
    """A folder of compiled C files."""
    return tmp_path_factory.mktemp("c")


@pytest.fixture(scope="module")
def c_banks(libraries):
    return CBanks(find_compiler(), libraries)


@pytest.fixture(scope="module")
def c_network(libraries):
    return CNetwork(find_compiler(), libraries)


def same_bits(ours, theirs):
    return np.array_equal(np.ascontiguousarray(ours).view(np.uint64), np.ascontiguousarray(theirs).view(np.uint64))


def test_every_model_is_measured():
    assert set(banks.BENCHES) == set(STEPPERS) == set(ALONE)
    assert all(bench.model == name for name, bench in banks.BENCHES.items())


# Banks


@of_each_model
def test_every_driven_device_moves_in_every_pulse_and_no_other_one(model):
    for active in (1.0, 0.25):
        bank = banks.Bank(banks.BENCHES[model], 400, active)
        driven = bank.currents[0] != 0.0
        assert driven.sum() == 400 * active
        assert np.array_equal(bank.currents[1], -bank.currents[0])
        for _ in range(30):
            before = bank.states.copy()
            stepped = kernel_loop.kernel_pulses(bank, "euler", 1, 5)
            bank.currents = bank.currents[::-1].copy()
            moved = (bank.states != before).any(axis=0)
            at_bound = ((bank.states == bank.lower[:, None]) | (bank.states == bank.upper[:, None])).any(axis=0)
            assert not moved[~driven].any()
            assert (moved | at_bound)[driven].all()
            assert stepped == 5 * 400


def test_stretches_are_driven_whole():
    bank = banks.Bank(banks.BENCHES["synapse"], 20 * banks.STRETCH, 0.1, stretches=True)
    shares = (bank.currents[0] != 0.0).reshape(20, banks.STRETCH).mean(axis=1)
    assert sorted(shares) == [0.0] * 18 + [1.0] * 2
    assert kernel_loop.kernel_pulses(bank, "euler", 2, 3) < 2 * 3 * 2.2 * banks.STRETCH


@needs_a_compiler
@of_each_model
@of_each_integrator
def test_c_gives_the_states_voltages_and_energies_of_the_kernel_to_the_last_bit(model, integrator, c_banks):
    for elements, active, pulses, steps in ((1, 1.0, 3, 3), (1003, 0.5, 5, 20), (64, 1.0, 41, 1)):
        ours = banks.Bank(banks.BENCHES[model], elements, active)
        theirs, before = ours.copy(), ours.states.copy()
        kernel_loop.kernel_pulses(ours, integrator, pulses, steps)
        c_banks.exact(theirs, integrator, pulses, steps)
        assert not np.array_equal(ours.states, before)
        assert np.any(ours.energies != 0.0)
        for name in ("states", "voltages", "energies"):
            assert same_bits(getattr(ours, name), getattr(theirs, name)), name


@needs_a_compiler
@of_each_model
def test_fast_c_does_the_same_work(model, c_banks):
    for tile in TILES:
        ours = banks.Bank(banks.BENCHES[model], 203)
        theirs = ours.copy()
        kernel_loop.kernel_pulses(ours, "euler", 4, 20)
        c_banks.fast(tile, theirs, "euler", 4, 20)
        span = (np.minimum(ours.upper, 1e3) - ours.lower)[:, None]
        assert np.all(np.abs(ours.states - theirs.states) <= 1e-12 * span)
        assert theirs.energies == pytest.approx(ours.energies, rel=1e-9)


@of_each_model
def test_numpy_does_the_same_work(model):
    ours = banks.Bank(banks.BENCHES[model], 203)
    theirs = ours.copy()
    kernel_loop.kernel_pulses(ours, "euler", 5, 20)
    numpy_pulses(theirs, 5, 20)
    span = (np.minimum(ours.upper, 1e3) - ours.lower)[:, None]
    assert np.all(np.abs(ours.states - theirs.states) <= 1e-12 * span)
    assert theirs.voltages == pytest.approx(ours.voltages, rel=1e-10)
    assert theirs.energies == pytest.approx(ours.energies, rel=1e-10)


def test_the_kernel_suite_measures_every_model_beside_c_and_numpy(cli, libraries, monkeypatch, tmp_path):
    monkeypatch.setattr(case, "CBanks", lambda compiler, _: CBanks(compiler, libraries))  # they are there by now
    done = cli("bench", "kernel", "--quick", "--out", tmp_path / "k.json", "--plot", tmp_path / "k.svg", "--quiet")
    assert done.status == 0, done.err
    report = read_report(tmp_path / "k.json")
    check(report.records, "kernel")
    models = {r.more["model"] for r in report.records}
    assert models == {name for name, model in MODELS.items() if model.alone}
    assert all(r.same_bits is (None if report.compiler == "none" else True) for r in report.records)
    assert all(
        r.ratio_to_numpy for r in report.records if r.more["integrator"] == "euler" and r.more["driven_share"] == 1
    )
    assert (tmp_path / "k.svg").read_text().count("time a device-step (ns)") == 1


@needs_a_compiler
def test_fast_c_leaves_the_processs_arithmetic_as_it_was(c_banks, c_network):
    """A library that is linked with -ffast-math may switch subnormal numbers off, for everybody."""
    smallest = np.full(64, 5e-324)  # whose bits are those of the integer 1
    # Compared by bits: with subnormal numbers switched off, each of them equals 0.
    assert np.all((smallest * 1.0).view(np.uint64) == 1)
    assert np.all((smallest + smallest).view(np.uint64) == 2)


# Networks


@needs_a_compiler
def test_c_trains_the_network_with_the_bits_of_the_emulator(c_network):
    assembly = assemble(bench_networks.network_221(4, 37), gate("xor"))
    engine = bench_networks.carry_out(assembly)
    order, errors = engine.order.between(0, 4), engine.take_errors()
    states, total = c_network.exact(assembly, order)
    assert same_bits(errors, total)
    for ours, theirs, initial in zip(engine.blocks.states(), states, assembly.initial, strict=True):
        assert same_bits(ours[:, 0], theirs)
        assert not np.array_equal(theirs, initial[:, 0])
    for lanes in LANES:
        assert c_network.fast(lanes, assembly, order)[1] == pytest.approx(errors, rel=1e-6)


def test_numpy_trains_the_network_to_the_emulators_states():
    for config, data in (
        (bench_networks.network_221(3, 5), gate("xor")),
        bench_networks.digits_sized(1, 2, 4),
    ):
        assembly = assemble(config, data)
        engine = bench_networks.carry_out(assembly)
        training = NumpyTraining(assembly)
        errors = training.learn(engine.order.between(0, config.learning.epochs))
        assert errors == pytest.approx(engine.take_errors(), rel=1e-9)
        for bank, ours, theirs in zip(assembly.banks, engine.blocks.states(), training.states, strict=True):
            upper = bank.device.state_variables()[0].upper
            assert np.abs(ours[:, 0] - theirs).max() <= 1e-9 * upper


# The compiler


def test_a_compiler_is_taken_from_cc_and_else_from_the_path(monkeypatch, tmp_path):
    for name in ("gcc", "clang"):
        (tmp_path / name).write_text("#!/bin/sh\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CC", raising=False)
    assert find_compiler() == ["gcc"]
    monkeypatch.setenv("CC", "clang -m64")
    assert find_compiler() == ["clang", "-m64"]
    monkeypatch.setenv("CC", "nonsuch")
    with pytest.raises(NoCompilerError, match="CC is 'nonsuch', which is not there"):
        find_compiler()
    monkeypatch.setenv("CC", "")
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    with pytest.raises(NoCompilerError, match="neither cc, gcc nor clang is there"):
        find_compiler()


@needs_a_compiler
def test_a_compiler_that_refuses_says_why(tmp_path):
    with pytest.raises(NoCompilerError, match=r"refuses it: .*error"):
        build(find_compiler(), "banks.c", tmp_path, ("-DTILE=nothing",))


@needs_a_compiler
def test_the_c_files_compile_without_a_warning(tmp_path):
    alphas = [f"-D{model}_ALPHA_{way}=3" for model in ("TEAM", "VTEAM") for way in ("ON", "OFF")]
    defines = ["-DWINDOW_EXPONENT=1", *alphas, "-DINPUTS=2", "-DSIZES=2,2,1", "-DLAYERS=2"]
    folder = compiler.__file__.removesuffix("compiler.py")
    for name in ("banks.c", "network.c"):
        done = subprocess.run(
            [*find_compiler(), "-Wall", "-O1", *defines, "-c", "-o", str(tmp_path / "x.o"), folder + name],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert done.stderr == ""


def test_libraries_are_built_once_for_all_cases(monkeypatch, tmp_path):
    built = []
    monkeypatch.setattr("memsim.benchmarking.case.find_compiler", lambda: ["true"])
    monkeypatch.setattr("memsim.benchmarking.c_banks.build", lambda *_, **__: built.append(1) or ctypes.CDLL(None))
    setting = Setting(tmp_path, quick=True, threads=1)
    assert setting.c_banks is setting.c_banks
    assert len(built) == 1 + len(TILES)


@needs_a_compiler
def test_a_difference_from_c_is_seen(monkeypatch, libraries):
    setting = Setting(libraries, quick=True, threads=1)
    assert kernel.same_bits(setting, "node", "heun")
    assert train.same_bits(setting.c_network)
    exact = CBanks.exact

    def off_by_a_bit(self, bank, *given):
        exact(self, bank, *given)
        bank.energies[-1] = np.nextafter(bank.energies[-1], 1.0)

    monkeypatch.setattr(CBanks, "exact", off_by_a_bit)
    assert kernel.same_bits(setting, "node", "heun") is False
