"""Files name the arithmetic that made them; of another one no replay has the bits, and that is no fault."""

import h5py
import pytest

import memsim
from memsim.errors import OtherArithmeticError
from memsim.kernels.arithmetic import ARITHMETIC
from memsim.runs.replay import arithmetic_of
from memsim.traces.run_file import keyframe_checksum

XOR = """
[run]
seed = 4
realisations = 2
[network]
layers = [2, 2, 1]
[learning]
epochs = 6
[trace]
keyframe_samples = 4
"""


@pytest.fixture
def path(cli, tmp_path):
    """A run file."""
    (tmp_path / "xor.toml").write_text(XOR)
    assert cli("run", tmp_path / "xor.toml", "--out", tmp_path / "xor.h5", "--quiet").status == 0
    return tmp_path / "xor.h5"


def of_the_first_arithmetic(path):
    """Take the version from a file, as those of earlier versions have none."""
    with h5py.File(path, "r+") as file:
        del file.attrs["arithmetic_version"]


def move_last_keyframe(path, by):
    """Move a state of the last keyframe by a share of its range, with a checksum to it."""
    with memsim.open_run(path) as run:
        index = len(run.stored.keyframe_samples) - 1
        states = [run.stored.keyframe_states(bank, index).copy() for bank in run.banks]
        bias, past = run.stored.keyframe_bias(index), run.stored.keyframe_past(index)
        about, name = run.assembly.banks[0].device.state_variables()[0], run.banks[0]
    states[0][0, 0, 0] += by * (about.upper - about.lower)
    with h5py.File(path, "r+") as file:
        file[f"keyframes/{name}/state"][index] = states[0]
        file["keyframes/crc32"][index] = keyframe_checksum(states, bias, past)


def test_a_file_names_its_arithmetic(cli, path):
    with memsim.open_run(path) as run:
        assert run.stored.integer("/", "arithmetic_version") == arithmetic_of(run.stored) == ARITHMETIC
    assert f"arithmetic version {ARITHMETIC}" in cli("trace", "info", path).out
    shown = cli("trace", "verify", path)
    assert shown.status == 0
    assert ": open" not in shown.out


def test_a_file_without_one_was_made_with_the_first(cli, path):
    of_the_first_arithmetic(path)
    with memsim.open_run(path) as run:
        assert arithmetic_of(run.stored) == 1
    assert "arithmetic version 1" in cli("trace", "info", path).out


def test_a_difference_in_the_last_digits_is_a_fault_of_the_same_arithmetic_alone(cli, path):
    move_last_keyframe(path, 1e-12)
    assert cli("trace", "verify", path, "--windows", "200").status == 1
    of_the_first_arithmetic(path)
    shown = cli("trace", "verify", path, "--windows", "200")
    assert shown.status == 0
    assert (
        "replays: open\n  made with version 1 of memsim's arithmetic; this is version 2, which rounds differently, so "
        "that no replay has the same bits; they are compared to 1e-09 of each range\n"
    ) in shown.out
    assert shown.out.endswith("nothing is wrong, 1 check open\n")


def test_a_larger_one_is_open_and_a_replay_of_it_ends_with_the_reason(cli, path, tmp_path):
    move_last_keyframe(path, 1e-6)
    same = cli("trace", "verify", path, "--windows", "200")
    assert same.status == 1
    assert "is the file changed, or was the run made with another memsim?" in same.out
    of_the_first_arithmetic(path)
    shown = cli("trace", "verify", path, "--windows", "200")
    assert shown.status == 0
    assert shown.out.endswith("nothing is wrong, 2 checks open\n")
    assert "replay of samples 596 to 599: open\n  the replay differs from the keyframe after 600 samples" in shown.out
    with (
        memsim.open_run(path) as run,
        pytest.raises(OtherArithmeticError, match="what a threshold decides may come out"),
    ):
        run.window(run.banks[0], "state")
    replayed = cli("trace", "replay", path, "--epochs", "5:6", "--out", tmp_path / "window.h5", "--quiet")
    assert replayed.status != 0
    assert "the run was made with version 1 of memsim's arithmetic" in replayed.err


def test_a_window_of_an_older_file_has_keyframes_of_its_arithmetic(cli, path, tmp_path):
    move_last_keyframe(path, 1e-12)
    of_the_first_arithmetic(path)
    window = tmp_path / "window.h5"
    assert cli("trace", "replay", path, "--epochs", "5:6", "--out", window, "--quiet").status == 0
    with memsim.open_run(window) as run:
        assert arithmetic_of(run.stored) == 1
    assert cli("trace", "verify", window, "--windows", "200").status == 0


def test_damage_of_an_older_file_is_still_a_fault(cli, path):
    of_the_first_arithmetic(path)
    with h5py.File(path, "r+") as file:
        states = file["keyframes/synapses1/state"]
        values = states[1]
        values[0, 0, 0] *= 0.5
        states[1] = values
    shown = cli("trace", "verify", path, "--windows", "200")
    assert shown.status == 1
    assert "keyframe 1 has the checksum" in shown.out


def test_an_older_file_goes_on(cli, path):
    of_the_first_arithmetic(path)
    words = ["--resume", "--out", path, "--set", "learning.epochs=8", "--quiet"]
    assert cli("run", path, *words).status == 0
    with memsim.open_run(path) as run:
        assert len(run.total_error) == 8
        assert arithmetic_of(run.stored) == 1  # a file says no more than what holds of all its epochs
