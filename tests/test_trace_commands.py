"""``memsim trace info``, ``replay``, ``verify`` and ``follow`` on real files."""

import re

import h5py
import numpy as np
import pytest

import memsim
from memsim import training
from memsim.configuration import Configuration
from memsim.inspection.following import looks

DATA = memsim.datasets.gate("xor", samples=5)


def configuration(**trace):
    return Configuration(
        run={"realisations": 2, "threads": 1}, time={"pulse_steps": 3}, learning={"epochs": 6},
        data={"arrays": DATA.name}, trace={"keyframe_samples": 5} | trace,
    )  # fmt: skip


@pytest.fixture(scope="module")
def full():
    return training.run(configuration(mode="full"), DATA)


@pytest.fixture
def path(tmp_path):
    training.run(configuration(), DATA, out=tmp_path / "run.h5").close()
    return tmp_path / "run.h5"


def test_info_shows_results_contents_and_where_the_file_comes_from(cli, path):
    result = cli("trace", "info", path)
    assert result.status == 0, result.err
    assert result.out.startswith(f"{path}: finished\n")
    for text in ("Margins", "epoch 6: total error", "schema version 2", "data xor: 5 samples of 33 steps of 250 µs"):
        assert text in result.out
    assert re.search(r"keyframes +│ 6, every epoch", result.out)
    assert "no traces are stored" in result.out


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
        assert unpacked == f"{sum(a.size * a.dtype.itemsize for a in arrays) / 1000:.1f} kB"
    assert float(ratio) > 0
    assert stored.endswith("kB")


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


def test_a_replayed_window_of_some_banks_and_realisations(cli, path, tmp_path, full):
    options = ["--samples", "3:5", "--banks", "nodes2,synapses1", "--realisations", "1", "--compression", "none"]
    assert cli("trace", "replay", path, *options, "--out", tmp_path / "few.h5", "--quiet").status == 0
    with memsim.open_run(tmp_path / "few.h5") as window:
        assert window.traced == ("synapses1", "nodes2")
        assert window.trace("nodes2").selection.realisations.tolist() == [1]
        values = window.kept("nodes2", "voltage")[1]
        assert np.array_equal(values, full.window("nodes2", "voltage", 99, 165, realisations=[1]))


def test_a_window_of_an_older_file_is_one_of_the_present_version(cli, tmp_path):
    from pathlib import Path

    old = Path(__file__).parent / "data" / "mlp-schema-1.h5"
    assert cli("trace", "replay", old, "--epochs", "1:2", "--out", tmp_path / "new.h5", "--quiet").status == 0
    with memsim.open_run(old) as run, memsim.open_run(tmp_path / "new.h5") as window:
        assert window.file.attrs["schema_version"] == 2
        epoch = 6 * run.sample_steps
        assert np.array_equal(
            window.kept("synapses1", "current")[1], run.kept("synapses1", "current", epoch, 2 * epoch)[1]
        )


def test_replays_that_cannot_be_are_refused(refused, path, tmp_path):
    out = ["--out", tmp_path / "window.h5"]
    refused("give one of them", "trace", "replay", path, *out)
    refused("--epochs: the run has epochs 0 to 5", "trace", "replay", path, "--epochs", "7", *out)
    refused("no bank 'nodes9'|nodes9", "trace", "replay", path, "--epochs", "1", "--banks", "nodes9", *out)
    refused("realisations: .*got 4", "trace", "replay", path, "--epochs", "1", "--realisations", "4", *out)
    refused("exists; name another file", "trace", "replay", path, "--epochs", "1", "--out", path)
    refused("is a window that was replayed", "run", path, "--resume", "--out", _window(path, tmp_path))


def _window(path, tmp_path):
    from memsim.inspection.windows import write_window

    with memsim.open_run(path) as run:
        write_window(run, tmp_path / "part.h5", 0, 33)
    return tmp_path / "part.h5"


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
    assert bad.out.splitlines()[-1] == f"{path}: 1 faults"


def test_looking_at_a_finished_run_looks_once(path):
    with memsim.open_run(path) as run:
        (look,) = looks(run, every=100.0)
        assert (look.epoch, look.epochs, look.samples) == (6, 6, 30)
        assert np.array_equal(look.error, run.total_error[-1])
        assert np.array_equal(look.states["nodes2"], run.final_state["nodes2"][..., 0])
        with pytest.raises(memsim.errors.InputError, match="--realisation: must be from 0 to 1"):
            next(looks(run, every=1.0, realisation=2))
