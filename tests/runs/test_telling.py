"""Who is told how a run goes on that Python started: a bar, and a function that may stop it."""

import signal
import subprocess
import sys

import numpy as np
import pytest
from short_runs import REAL

import memsim
from memsim.errors import InputError
from memsim.terminal import streams

NETWORK = memsim.MultilayerPerceptron()


def test_a_callback_is_told_of_each_epoch_and_changes_no_bit():
    reports = []
    with memsim.train(NETWORK, REAL, epochs=7, realisations=2) as plain:
        heard = memsim.train(NETWORK, REAL, epochs=7, realisations=2, callback=reports.append)
        np.testing.assert_array_equal(heard.total_error, plain.total_error)
        np.testing.assert_array_equal(heard.final_state["synapses1"], plain.final_state["synapses1"])
    assert [(report.epoch, report.epochs) for report in reports] == [(k, 7) for k in range(1, 8)]
    assert [report.error for report in reports] == heard.total_error.mean(axis=1).tolist()
    assert reports[-1].device_steps == heard.device_steps
    with pytest.raises(AttributeError):
        reports[0].epoch = 3


def raising(report):
    """Stop as a generator does."""
    if report.epoch == 5:
        raise memsim.StopTraining


@pytest.mark.parametrize("callback", [lambda report: report.epoch < 5, raising])
def test_a_callback_stops_a_run_in_good_order_and_it_is_gone_on_with(callback, tmp_path):
    settings = {"out": tmp_path / "run.h5", "trace": {"keyframe_samples": 5}}
    stopped = memsim.train(NETWORK, REAL, epochs=50, callback=callback, **settings)
    assert stopped.stopped
    assert len(stopped.total_error) == 6  # the keyframe after the callback
    assert "6 of 50 epochs, stopped; " in repr(stopped)
    stopped.close()
    with memsim.run(tmp_path / "run.h5", resume=True) as whole, memsim.train(NETWORK, REAL, epochs=50) as plain:
        assert not whole.stopped
        np.testing.assert_array_equal(whole.total_error, plain.total_error)


def test_a_callback_that_fails_is_heard():
    def failing(report):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        memsim.train(NETWORK, REAL, epochs=5, callback=failing)
    with pytest.raises(InputError, match=r"^callback: must be a function of a memsim\.EpochReport \(got 3\)$"):
        memsim.train(NETWORK, REAL, epochs=5, callback=3)


def test_nothing_or_something_is_shown_as_it_is_asked_for(capsys, monkeypatch):
    memsim.train(NETWORK, REAL, epochs=2, verbose=False)
    assert capsys.readouterr() == ("", "")
    memsim.train(NETWORK, REAL, epochs=2, verbose=True)
    assert capsys.readouterr() == ("", "training: 2 epochs\n")
    memsim.train(NETWORK, REAL, epochs=2)
    assert capsys.readouterr() == ("", "")


def test_a_notebook_has_a_bar_unless_it_wants_none(monkeypatch):
    asked = []
    monkeypatch.setattr("memsim.runs.telling.in_notebook", lambda: True)
    monkeypatch.setattr("memsim.terminal.progress.progress_bar", lambda *_, **__: asked.append(1))
    monkeypatch.setattr(streams, "in_notebook", lambda: True)
    memsim.train(NETWORK, REAL, epochs=2)
    assert len(asked) == 1
    memsim.train(NETWORK, REAL, epochs=2, verbose=False)
    assert len(asked) == 1


TERMINATED = """
import os, signal, sys
import memsim

def end(report):
    if report.epoch == 3:
        os.kill(os.getpid(), signal.SIGTERM)

data = memsim.datasets.gate("xor", samples=4)
for seed in range(3):
    memsim.train(memsim.MultilayerPerceptron(), data, epochs=10**6, seed=seed, out=f"{seed}.h5", callback=end)
"""


def test_sigterm_keeps_the_run_and_ends_the_program(tmp_path):
    command = [sys.executable, "-c", TERMINATED]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 128 + signal.SIGTERM, done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["0.h5"]
    with memsim.open_run(tmp_path / "0.h5") as run:
        assert run.stopped
        assert len(run.total_error) >= 3
