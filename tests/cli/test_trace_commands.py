"""``memsim trace info``, ``replay``, ``verify`` and ``follow`` on real files."""

import dataclasses
import io
import os
import re
import time

import h5py
import numpy as np
import pytest
from places import ROOT
from rich.console import Console
from rich.filesize import decimal

import memsim
from memsim.analysis.following import Look, look, looks, screen
from memsim.analysis.verification import verify
from memsim.configuration.sections import Configuration
from memsim.errors import ReplayError
from memsim.runs import training
from memsim.terminal.si import with_prefix
from memsim.traces.doubted import DoubtedFile
from memsim.traces.packing import dead_bytes

DATA = memsim.datasets.gate("xor", samples=5)


def configuration(**trace):
    return Configuration(
        run={"realisations": 2, "threads": 1}, time={"pulse_steps": 3}, learning={"epochs": 6},
        data={"arrays": DATA.name}, trace={"keyframe_samples": 5} | trace,
    )  # fmt: skip


@pytest.fixture(scope="module")
def full():
    return training.run(configuration(mode="full"), DATA)


@pytest.fixture(scope="module")
def content(tmp_path_factory):
    """The bytes of a run file."""
    path = tmp_path_factory.mktemp("run") / "run.h5"
    training.run(configuration(), DATA, out=path).close()
    return path.read_bytes()


@pytest.fixture
def path(content, tmp_path):
    """A run file, which may be changed."""
    (tmp_path / "run.h5").write_bytes(content)
    return tmp_path / "run.h5"


def test_info_shows_results_contents_and_where_the_file_comes_from(cli, path):
    result = cli("trace", "info", path)
    assert result.status == 0, result.err
    assert result.out.startswith(f"{path}: finished\n")
    for text in ("Margins", "epoch 6: total error", "schema version 2", "data xor: 5 samples of 33 steps of 250 µs"):
        assert text in result.out
    assert re.search(r"keyframes +│ 6, every epoch", result.out)
    assert re.search(rf"│ whole file +│ +│ +{decimal(path.stat().st_size)} │", result.out)
    assert "network mlp of the layers 2-2-1; devices synapse, node; seed 0\n" in result.out
    assert "no traces are stored" in result.out


def test_info_of_a_run_that_goes_on_is_of_one_look(cli, path, monkeypatch):
    """Epochs that are committed while it is printed are in none of its lines."""
    whole = memsim.runs.run.Run.total_error.fget
    taken = []

    def growing(run):
        taken.append(1)
        return whole(run)[: 2 + len(taken)]

    monkeypatch.setattr("memsim.runs.run.Run.live", True)
    monkeypatch.setattr("memsim.runs.run.Run.finished", False)
    monkeypatch.setattr("memsim.runs.run.Run.total_error", property(growing))
    shown = cli("trace", "info", path).out
    assert shown.startswith(f"{path}: is being written: 3 of 6 epochs so far\n")
    assert "epoch 3: total error" in shown
    assert re.search(r"│ metrics +│ 3 epochs ", shown)


def test_info_counts_one_as_one(cli, tmp_path):
    one = configuration(mode="select", banks=("nodes2",))
    one = one.model_copy(update={"learning": one.learning.model_copy(update={"epochs": 1})})
    training.run(one, DATA, out=tmp_path / "run.h5").close()
    shown = cli("trace", "info", tmp_path / "run.h5").out
    assert re.search(r"│ metrics +│ 1 epoch +│", shown)
    assert re.search(r"│ traces +│ 1 bank +│", shown)


@pytest.mark.parametrize(("compression", "told"), [("gzip", "packed with gzip"), ("none", "not packed")])
def test_info_shows_the_codec_that_the_file_has(cli, tmp_path, compression, told):
    training.run(configuration(mode="full", compression=compression), DATA, out=tmp_path / "run.h5").close()
    shown = cli("trace", "info", tmp_path / "run.h5").out
    assert f"\nTraces, {told}\n" in shown
    assert "variables" not in shown


def test_info_names_the_variables_where_some_are_kept(cli, tmp_path):
    run = Configuration(
        network={"kind": "slp"}, time={"pulse_steps": 3}, learning={"epochs": 1}, data={"arrays": DATA.name},
        run={"threads": 1}, trace={"mode": "select", "variables": ("weight2", "bias")},
    )  # fmt: skip
    training.run(run, DATA, out=tmp_path / "run.h5").close()
    shown = cli("trace", "info", tmp_path / "run.h5").out
    assert re.search(r"│ state, current, voltage │ weight2, bias +│ every", shown)
    assert "network slp of 2 inputs, construction memristor; devices threshold-memristor; seed 0\n" in shown


def test_info_shows_what_was_traced_and_its_compression(cli, tmp_path):
    select = {"mode": "select", "banks": ("nodes2",), "epochs": ((1, 3),), "quantities": ("state",), "stride": 3}
    training.run(configuration(**select), DATA, out=tmp_path / "run.h5").close()
    shown = cli("trace", "info", tmp_path / "run.h5").out
    (line,) = [line for line in shown.splitlines() if line.startswith("│ nodes2 ") and "of 1" in line]
    assert [cell.strip() for cell in line.split("│")[1:-1]] == [
        "nodes2", "110", "1 of 1", "2 of 2", "state", "one of 3 from 165 to 495",
    ]  # fmt: skip
    sizes = next(line for line in shown.splitlines() if line.startswith("│ traces"))
    stored, unpacked, ratio = (cell.strip() for cell in sizes.split("│")[3:6])
    with memsim.open_run(tmp_path / "run.h5") as run:
        group = run.file["traces/nodes2"]
        arrays = [group["state"], group["time"]]
        arrays += [*group["checksums"].values(), *(group[name] for name in ("device", "variable", "realisation"))]
        values = sum(a.size * a.dtype.itemsize for a in arrays)
        held = sum(a.id.get_storage_size() for a in arrays)
    assert (stored, unpacked, ratio) == (decimal(held), decimal(values), f"{values / held:.3g}")


def test_a_replayed_window_is_a_run_file_with_every_step_of_it(cli, path, tmp_path, full):
    result = cli("trace", "replay", path, "--epochs", "2:4", "--out", tmp_path / "window.h5", "--quiet")
    assert result.status == 0, result.err
    assert result.out == f"replayed 330 steps; wrote {tmp_path / 'window.h5'}\n"
    with memsim.open_run(path) as run, memsim.open_run(tmp_path / "window.h5") as window:
        assert window.traced == window.banks == run.banks
        assert window.configuration_text == run.configuration_text
        assert np.array_equal(window.total_error, run.total_error)
        assert np.array_equal(window.order, run.order)
        assert (window.device_steps, window.steps) == (run.device_steps, run.steps)
        for bank in run.banks:
            assert np.array_equal(window.keyframes[bank], run.keyframes[bank])
            for name, values in run.diagnostics(bank).items():
                assert np.array_equal(window.diagnostics(bank)[name], values)
            assert window.holds(bank, 330, 660, [0, 1])
            assert not window.holds(bank, 330, 661, [0, 1])
            for quantity in ("state", "current", "voltage"):
                steps, values = window.kept(bank, quantity)
                assert steps.tolist() == list(range(330, 660))
                assert np.array_equal(values, full.window(bank, quantity, 330, 660))
        assert np.array_equal(window.window("nodes1", "voltage"), full.window("nodes1", "voltage"))
    assert cli("trace", "verify", tmp_path / "window.h5").status == 0
    info = cli("trace", "info", tmp_path / "window.h5").out
    assert "a window that was replayed from run.h5" in info


def test_a_replayed_window_is_as_small_as_what_it_holds(cli, path, tmp_path, full):
    window = tmp_path / "window.h5"
    assert cli("trace", "replay", path, "--samples", "2:3", "--out", window, "--quiet").status == 0
    loose = []

    def visit(name, item):
        if isinstance(item, h5py.Dataset) and item.nbytes >= 4096 and item.compression != "gzip":
            loose.append((name, item.nbytes))

    with h5py.File(window) as file:
        file.visititems(visit)
        held = dead_bytes(DoubtedFile(file))
    assert loose == []
    assert held < 100_000
    assert sorted(tmp_path.iterdir()) == sorted([path, window])


def test_a_replayed_window_of_some_banks_and_realisations(cli, path, tmp_path, full):
    options = ["--samples", "3:5", "--banks", "nodes2,synapses1", "--realisations", "1", "--compression", "none"]
    assert cli("trace", "replay", path, *options, "--out", tmp_path / "few.h5", "--quiet").status == 0
    with memsim.open_run(tmp_path / "few.h5") as window:
        assert window.traced == ("synapses1", "nodes2")
        assert window.trace("nodes2").selection.realisations.tolist() == [1]
        values = window.kept("nodes2", "voltage")[1]
        assert np.array_equal(values, full.window("nodes2", "voltage", 99, 165, realisations=[1]))


def test_a_window_of_an_older_file_is_one_of_the_present_version(cli, tmp_path):

    old = ROOT / "tests" / "data" / "mlp-schema-1.h5"
    assert cli("trace", "replay", old, "--epochs", "1:2", "--out", tmp_path / "new.h5", "--quiet").status == 0
    with memsim.open_run(old) as run, memsim.open_run(tmp_path / "new.h5") as window:
        assert window.file.attrs["schema_version"] == 2
        epoch = 6 * run.sample_steps
        replayed = window.kept("synapses1", "current")[1]
        kept = run.kept("synapses1", "current", epoch, 2 * epoch)[1]
        # Between versions the last bits may change.
        assert np.all(np.abs(replayed - kept) <= 1e-12 * np.abs(kept).max())
        assert np.ptp(replayed) > 1e-3


def test_replays_that_cannot_be_are_refused(refused, path, tmp_path):
    out = ["--out", tmp_path / "window.h5"]
    refused("give one of them", "trace", "replay", path, *out)
    refused("--epochs: the run has epochs 0 to 5", "trace", "replay", path, "--epochs", "7", *out)
    banks = r"banks: must be among synapses1, nodes1, synapses2, nodes2 \(got 'nodes9'\)"
    refused(banks, "trace", "replay", path, "--epochs", "1", "--banks", "nodes9", *out)
    refused("realisations: .*got 4", "trace", "replay", path, "--epochs", "1", "--realisations", "4", *out)
    few = ["--steps", "1:5", "--stride", "7"]
    refused(r"--stride: must keep a step of 1 to 5 \(got 7\)", "trace", "replay", path, *few, *out)
    out[1].write_bytes(b"mine")
    refused("exists; name another file", "trace", "replay", path, "--epochs", "1", *out)
    assert out[1].read_bytes() == b"mine"
    refused("is a window that was replayed", "run", path, "--resume", "--out", _window(path, tmp_path))


def _window(path, tmp_path):
    from memsim.analysis.windows import write_window

    with memsim.open_run(path) as run:
        write_window(run, tmp_path / "part.h5", 0, 33)
    return tmp_path / "part.h5"


@pytest.mark.parametrize("options", [[], ["--overwrite"]])
def test_a_window_is_not_written_over_its_own_run(refused, path, tmp_path, options):
    whole = path.read_bytes()
    (tmp_path / "link.h5").symlink_to(path)
    (tmp_path / "hard.h5").hardlink_to(path)
    for name in ("run", "link", "hard"):
        words = ["--epochs", "1", "--out", tmp_path / f"{name}.h5", *options]
        refused(rf"{name}\.h5: is the run itself; name another file", "trace", "replay", path, *words)
    assert path.read_bytes() == whole


@pytest.mark.parametrize("old", [None, b"mine"])
@pytest.mark.parametrize(
    ("error", "status", "said"),
    [(ReplayError("differs"), 1, "memsim: error: differs"), (KeyboardInterrupt(), 130, "\nmemsim: stopped")],
)
def test_a_window_that_fails_leaves_an_older_file(cli, path, tmp_path, monkeypatch, old, error, status, said):
    target, made = tmp_path / "window.h5", memsim.runs.run.Run.stretches

    def fail(run, *arguments, **options):
        yield next(made(run, *arguments, **options | {"steps": 10}))
        raise error

    if old:
        target.write_bytes(old)
    monkeypatch.setattr("memsim.runs.run.Run.stretches", fail)
    result = cli("trace", "replay", path, "--epochs", "1:3", "--out", target, "--overwrite", "--quiet")
    kept = "keeps what it held" if old else "was not written"
    assert (result.status, result.out) == (status, "")
    assert result.err == f"{target} {kept}\n{said}\n"
    assert (target.read_bytes() if target.exists() else None) == old
    assert [file.name for file in tmp_path.iterdir() if "partial" in file.name] == []


def test_a_replayed_window_of_some_devices_quantities_and_steps(cli, path, tmp_path, full):
    words = ["--samples", "3:9", "--banks", "synapses1", "--devices", "1,3", "--quantities", "state,current"]
    target = tmp_path / "few.h5"
    assert cli("trace", "replay", path, *words, "--stride", "20", "--out", target, "--quiet").status == 0
    with memsim.open_run(target) as window:
        assert window.traced == ("synapses1",)
        for quantity in ("state", "current"):
            steps, values = window.kept("synapses1", quantity)
            assert steps.tolist() == list(range(100, 297, 20))
            expected = full.window("synapses1", quantity, 0, 300)[steps][:, [1, 3]]
            assert np.array_equal(values, expected)
        with pytest.raises(KeyError, match="quantity"):
            window.kept("synapses1", "voltage")
    assert cli("trace", "verify", target).out.endswith(f"{target}: nothing is wrong\n")


def test_verify_says_what_is_wrong_and_exits_with_1(cli, path):
    good = cli("trace", "verify", path, "--windows", "2")
    assert good.status == 0
    assert good.out.splitlines()[-1] == f"{path}: nothing is wrong"
    assert sum("replay of samples" in line for line in good.out.splitlines()) == 2
    with h5py.File(path, "r+") as file:
        file["metrics/order"][0] = file["metrics/order"][0][::-1]
    bad = cli("trace", "verify", path)
    assert bad.status == 1
    assert "  metrics/order is not what the seeds give" in bad.out.splitlines()
    assert bad.out.splitlines()[-1] == f"{path}: 1 fault"
    quiet = cli("trace", "verify", path, "--quiet")
    assert quiet.out.splitlines() == [
        "counters: 1 wrong", "  metrics/order is not what the seeds give", f"{path}: 1 fault",
    ]  # fmt: skip


def test_verify_tells_how_far_it_is(tmp_path):
    training.run(configuration(mode="select", banks=("nodes2",)), DATA, out=tmp_path / "run.h5").close()
    told = []
    with memsim.open_run(tmp_path / "run.h5") as run:
        findings = list(verify(run, windows=2, report=lambda *about: told.append(about)))
    assert len(findings) == 5
    assert [each for each in told if each[0] == "keyframe"] == [("keyframe", k, 6) for k in range(1, 7)]
    # Time, state, current and voltage: 990 rows, which lie in one chunk each.
    assert [each for each in told if each[0] == "chunk"] == [("chunk", k, 4) for k in range(1, 5)]
    steps = [done for what, done, count in told if what == "step" and count == 330]
    assert steps == sorted(steps)
    assert {165, 330} <= set(steps)


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_verify_compares_every_realisation_however_many_threads_there_are(tmp_path, monkeypatch, threads):
    monkeypatch.setattr("os.cpu_count", lambda: threads)
    config = configuration(mode="select", realisations=(1, 3))
    config = config.model_copy(update={"run": config.run.model_copy(update={"realisations": 4})})
    training.run(config, DATA, out=tmp_path / "run.h5").close()
    with memsim.open_run(tmp_path / "run.h5") as run:
        assert [finding for finding in verify(run, windows=1) if finding.wrong] == []
        kept = type(run).kept

        def changed(run, bank, quantity, *span):
            steps, values = kept(run, bank, quantity, *span)
            values[..., 1] += quantity == "current" and bank == "nodes1"
            return steps, values

        monkeypatch.setattr("memsim.runs.run.Run.kept", changed)
        (wrong,) = [finding.wrong for finding in verify(run, windows=1) if finding.wrong]
        assert re.fullmatch(r"traces/nodes1/current differs from the replay of steps \d+ to \d+ by up to 1", wrong[0])


def test_verify_without_a_terminal_tells_in_lines(cli, path, monkeypatch):
    monkeypatch.setattr("memsim.terminal.preparing.LINE_SECONDS", 0.0)
    lines = cli("trace", "verify", path, "--windows", "1").err.splitlines()
    assert re.fullmatch(r"checking: keyframe 1/6  \d+ s left", lines[0])
    assert lines[-1] == "checking: step 165/165  0 s left"
    assert cli("trace", "verify", path, "--quiet").err == ""


def test_looking_at_a_finished_run_looks_once(path):
    with memsim.open_run(path) as run:
        (seen,) = looks(run, every=100.0)
        assert (seen.epoch, seen.epochs, seen.samples) == (6, 6, 30)
        assert np.array_equal(seen.error, run.total_error[-1])
        assert np.array_equal(seen.states["nodes2"], run.final_state["nodes2"][..., 0])
        with pytest.raises(memsim.errors.InputError, match=r"^realisation: must be from 0 to 1"):
            next(looks(run, every=1.0, realisation=2))


# Following


def a_look(run, **about):
    states = {bank: run.final_state[bank][..., 0] for bank in run.banks}
    known = {
        "epoch": 1234, "epochs": 20000, "error": np.array([0.5, 0.25]), "samples": 6170, "all_samples": 100000,
        "device_steps": 6_170_000, "seconds": 100.0, "speed": 2e5, "age": 0.42, "states": states,
    }  # fmt: skip
    return Look(**known | about)


@pytest.mark.parametrize("width", [80, 160])
def test_the_screen_of_a_run_that_goes_on(full, width):
    terminal = Console(file=io.StringIO(), record=True, width=width, force_terminal=True)
    terminal.print(screen(full, a_look(full), 0))
    *lines, end = [line.rstrip() for line in terminal.export_text().splitlines()]
    assert end == ""
    assert lines[0] == "epoch 1,234/20,000  error 0.375"
    assert re.fullmatch("[\u2501\u2578\u257a]{60}", lines[1])
    # 93,830 samples of 1000 device-steps each, at 2e5 a second.
    assert lines[2] == "0:01:40 elapsed  0:07:49 left  2.00e+05 device-steps/s  written 0.4 s ago"
    assert lines[3:5] == ["", "states of realisation 0 after 6,170 samples"]
    assert [line.split()[0] for line in lines[5:]] == list(full.banks)
    state = full.final_state["nodes2"][0, 0, 0]
    assert lines[-1] == f"nodes2     {with_prefix(state, 'm')}"


def test_a_wide_bank_is_shown_in_part_and_its_numbers_keep_their_units(full):
    terminal = Console(file=io.StringIO(), record=True, width=60)
    states = {"synapses1": np.linspace(-900.0, 900.0, 100)[:, None]}
    terminal.print(screen(full, a_look(full, states=states), 0))
    lines = [line.rstrip() for line in terminal.export_text().split("samples\n")[1].rstrip().splitlines()]
    shown = [text for line in lines for text in re.split(" {2,}", line.strip())]
    assert len(lines) > 1
    expected = [with_prefix(value, "ohm") for value in np.linspace(-900.0, 900.0, 100)[:12]]
    assert shown == ["synapses1", *expected, "and 88 more"]


def test_the_speed_is_that_between_two_commits(path):
    with memsim.open_run(path) as run:
        first = look(run, 0)
        assert first.speed == pytest.approx(run.device_steps / run.wall_seconds)
        assert first.seconds_left == 0.0
        before = dataclasses.replace(first, device_steps=run.device_steps - 500, seconds=run.wall_seconds - 0.25)
        after = look(run, 0, before)
        assert after.speed == pytest.approx(2000.0, rel=1e-6)
        assert look(run, 0, after).speed == after.speed  # nothing was committed meanwhile
        os.utime(path, (0, time.time() - 5000))
        assert 5000 <= look(run, 0).age < 9000


def test_following_says_how_a_run_ended(cli, path):
    follow = ["trace", "follow", path]
    assert cli(*follow).out.endswith(f"{path}: finished after 6 epochs\n")
    with h5py.File(path, "r+") as file:
        file["committed/stopped"][()] = 1
    assert cli(*follow).out.endswith(f"{path}: stopped after 6 epochs\n")
    with h5py.File(path, "r+") as file:
        file["committed/finished"][()] = 0
    line, end = cli(*follow).out.splitlines()
    assert re.fullmatch(r"epoch 6/6  error \S+  \S+ elapsed  0:00:00 left  \S+ device-steps/s  written .*", line)
    killed = "nobody writes it any more; 6 of 6 epochs are complete"
    assert end == f"{path}: {killed}, and 'memsim run {path} --resume' goes on"


def test_ctrl_c_ends_the_watching_and_not_the_run(cli, path, monkeypatch):
    def stop(_):
        raise KeyboardInterrupt

    monkeypatch.setattr("memsim.runs.run.Run.live", True)
    monkeypatch.setattr("memsim.runs.run.Run.finished", False)
    monkeypatch.setattr("memsim.analysis.following.time.sleep", stop)
    result = cli("trace", "follow", path)
    assert (result.status, result.err) == (0, "")
    assert result.out.splitlines()[-1] == f"{path}: no longer watching; the run goes on"
