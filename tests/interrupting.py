"""Runs that are interrupted, and what must be true of their files: shared by the tests of resuming."""

import contextlib
import functools
import os
import signal
import subprocess
import sys
import threading
import traceback
from pathlib import Path
from unittest import mock

import h5py
import numpy as np

import memsim
from memsim.cli import main
from memsim.configuration.sections import Configuration
from memsim.datasets import Dataset
from memsim.runs import training
from memsim.traces import chunks

# Where memsim was imported from: a process of its own must find the same one.
ENVIRONMENT = os.environ | {"PYTHONPATH": str(Path(memsim.__file__).parents[1])}
COMMIT_SECONDS, STAGED_ROWS = 0.05, 4096  # of processes: short runs write on their way
DRIVER = f"""
import sys
from memsim.runs import training
from memsim.traces import chunks
training.COMMIT_SECONDS, chunks.STAGED_ROWS = {COMMIT_SECONDS}, {STAGED_ROWS}
from memsim.cli import main
main(sys.argv[1:])
"""
RNG = np.random.default_rng(8)
DATA = Dataset(RNG.uniform(-1.0, 1.0, (8, 2)), RNG.uniform(0.0, 1.0, (8, 1)), "two real inputs")
# Slots of checkpoints, and their number.
OF_THE_INTERRUPTIONS = ("checkpoint", "diagnostics", "best", "committed/checkpoint")


def configuration(**sections):
    """A small run, a keyframe every epoch; ``sections`` are merged in."""
    base = {
        "run": {"seed": 7, "threads": 1},
        "time": {"pulse_steps": 3, "write_steps": 4, "gap_steps": 1},
        "learning": {"epochs": 40},
        "data": {"arrays": DATA.name},
        "trace": {"keyframe_samples": 8},
    }
    return Configuration(**base | {name: base.get(name, {}) | fields for name, fields in sections.items()})


def uninterrupted(config, path, data=DATA):
    """The file of the same run without an interruption."""
    training.run(config, data, out=path).close()
    return path


class StopAt(training.NoProgress):
    """Do something once, when so many epochs are complete."""

    def __init__(self, epoch, action):
        self._epoch, self._action = epoch, action

    def update(self, epoch, error, device_steps):
        if self._action and epoch >= self._epoch:
            action, self._action = self._action, None
            action()


def committing():
    """Commits at each keyframe."""
    return mock.patch.object(training, "COMMIT_SECONDS", 0.0)


def stopped(config, path, epoch, *, data=DATA, **options):
    """A run that Ctrl-C stops soon after an epoch."""
    stop = StopAt(epoch, lambda: signal.raise_signal(signal.SIGINT))
    with committing(), training.run(config, data, out=path, progress=stop, **options) as run:
        assert run.stopped
    return path


# In a process of its own


def start(*arguments, quiet=True, driver=DRIVER, environment=ENVIRONMENT, **options):
    """Begin ``memsim ARGUMENTS`` in a process of its own."""
    words = [str(word) for word in (*arguments, *(("--quiet",) if quiet else ()))]
    return subprocess.Popen(
        [sys.executable, "-c", driver, *words], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True, **options,
    )  # fmt: skip


def finish(process, seconds=300):
    """Wait for its end: exit status, stdout, stderr."""
    try:
        out, err = process.communicate(timeout=seconds)
    finally:
        process.kill()
    return process.returncode, out, err


class Forked:
    """``memsim ARGUMENTS`` in a forked process: what :func:`start` begins, without the start of an interpreter.

    Attributes
    ----------
    stderr : file
        What it says.
    returncode : int or None
        Its exit status, or minus the signal that ended it; None before :meth:`communicate`.
    """

    def __init__(self, *arguments, quiet=True):
        read, write = os.pipe()
        sys.stdout.flush()
        self.pid, self.returncode = os.fork(), None
        if self.pid == 0:
            os.close(read)
            self._serve(write, [str(word) for word in (*arguments, *(("--quiet",) if quiet else ()))])
        os.close(write)
        self.stderr = os.fdopen(read)

    @staticmethod
    def _serve(write, words):
        """What the forked process does; it does not return."""
        status = 99
        with os.fdopen(write, "w", buffering=1) as err, open(os.devnull, "w") as out:
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
                try:
                    training.COMMIT_SECONDS, chunks.STAGED_ROWS = COMMIT_SECONDS, STAGED_ROWS
                    main(words)
                except SystemExit as end:
                    status = int(end.code or 0)
                except BaseException:
                    traceback.print_exc()
                err.flush()
                os._exit(status)

    def poll(self):
        """None while it goes on."""
        if self.returncode is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            self.returncode = os.waitstatus_to_exitcode(status) if pid else None
        return self.returncode

    def send_signal(self, number):
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self):
        self.send_signal(signal.SIGKILL)

    def wait(self, seconds=300):
        """Wait for its end, which is forced where it does not come; its exit status."""
        if self.returncode is None:
            timer = threading.Timer(seconds, self.kill)
            timer.start()
            status = os.waitpid(self.pid, 0)[1]
            timer.cancel()
            self.returncode = os.waitstatus_to_exitcode(status)
        return self.returncode

    def communicate(self, timeout=300):
        """Wait for its end; stdout, which nobody reads, and the rest of stderr."""
        timer = threading.Timer(timeout, self.kill)
        timer.start()
        err = "" if self.stderr.closed else self.stderr.read()
        timer.cancel()
        self.stderr.close()
        self.wait(timeout)
        return "", err


def called_in_fork(folder, *arguments, prepare=lambda: None):
    """``memsim ARGUMENTS --quiet`` in a forked process, which needs no start of an interpreter.

    Parameters
    ----------
    folder : Path
        For what it writes.
    *arguments : object
    prepare : callable
        Called in that process before.

    Returns
    -------
    status : int
    out, err : str
    """
    said = folder / "forked.out", folder / "forked.err"

    def call():
        training.COMMIT_SECONDS, chunks.STAGED_ROWS = COMMIT_SECONDS, STAGED_ROWS
        prepare()
        with said[0].open("w") as out, said[1].open("w") as err:
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
                main([*map(str, arguments), "--quiet"])

    status = forked(call)
    assert os.WIFEXITED(status), status
    return os.WEXITSTATUS(status), *(path.read_text() for path in said)


def kill_self(*_, **__):
    """What SIGKILL does, at this very place."""
    os.kill(os.getpid(), signal.SIGKILL)


def forked(work):
    """Do something in a forked process; returns how it ended, as :func:`os.waitpid` does."""
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        try:
            work()
        except SystemExit as end:
            os._exit(end.code or 0)
        except BaseException:
            traceback.print_exc()
            os._exit(99)
        os._exit(0)
    return os.waitpid(child, 0)[1]


def in_fork(work):
    """Do something in a forked process; returns the signal that ended it, or 0."""
    status = forked(work)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0
    return os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0


def killed_at(place, count, work):
    """Do something in a forked process that is killed at a call of a function, counted from 0; whether it came to that.

    Parameters
    ----------
    place : (object, str)
        Whose attribute the function is.
    count : int
        0 kills it before the first call, 1 after the first, ...
    work : callable
    """
    return killed_at_one_of([place], count, work)


def killed_at_one_of(places, count, work):
    """The same at a call of any of some functions."""
    done = [0]

    def counting(original):
        def counted(*arguments, **options):
            if done[0] == count:
                kill_self()
            done[0] += 1
            return original(*arguments, **options)

        return counted

    def run():
        for owner, name in places:
            setattr(owner, name, counting(getattr(owner, name)))
        training.COMMIT_SECONDS = 0.0
        work()

    return in_fork(run) == signal.SIGKILL


# What must be true of a file


def contents(path):
    """Everything that is in a file, as bytes with shapes, but what tells of its interruptions."""
    about = path.stat()
    return _contents(path, about.st_ino, about.st_size, about.st_mtime_ns)


@functools.lru_cache(maxsize=4)  # uninterrupted runs are compared with many
def _contents(path, *_):
    found = {}

    def visit(name, item):
        if isinstance(item, h5py.Dataset) and not name.startswith(OF_THE_INTERRUPTIONS):
            found[name] = (item.shape, str(item.dtype), item[()].tobytes())

    with h5py.File(path) as file:
        file.visititems(visit)
    with memsim.open_run(path) as run:
        for bank in run.banks:
            found |= {f"{bank}/{name}": values.tobytes() for name, values in run.diagnostics(bank).items()}
            if bank in run.traced:
                assert list(run.stored.wrong_chunks(bank)) == []
        found |= {f"best/{bank}": states.tobytes() for bank, states in run.best_state.items()}
        found["best"] = run.best_epoch.tobytes(), run.best_error.tobytes()
        found["device_steps"] = run.device_steps
        found["finished"], found["stopped"], found["steps"] = run.finished, run.stopped, run.steps
    return found


def assert_same_contents(path, whole, but=()):
    """A file holds the same bits as that of an uninterrupted run."""
    one, other = contents(path), contents(whole)
    assert one.keys() == other.keys()
    differing = [name for name in one if one[name] != other[name] and not name.startswith(but)]
    assert differing == []


def assert_consistent(path, whole):
    """A file that was left at any moment can be read, and what counts is what an uninterrupted run has there."""
    with memsim.open_run(path) as run, memsim.open_run(whole) as expected:
        assert not run.live
        epochs, keyframes = len(run.total_error), len(run.keyframes["sample"])
        assert run.total_error.tobytes() == expected.total_error[:epochs].tobytes()
        assert run.order.tobytes() == expected.order[:epochs].tobytes()
        assert run.keyframes["sample"].tolist() == expected.keyframes["sample"][:keyframes].tolist()
        for bank in run.banks:
            assert run.keyframes[bank].tobytes() == expected.keyframes[bank][:keyframes].tobytes()
            assert run.initial_state[bank].tobytes() == expected.initial_state[bank].tobytes()
        for name in ("crc32", "bias_weight"):
            kept = run.stored.read(f"keyframes/{name}", slice(0, keyframes))
            assert kept.tobytes() == expected.stored.read(f"keyframes/{name}", slice(0, keyframes)).tobytes()
        _assert_traces_consistent(run, expected)
        if run.stored.committed("checkpoint"):
            kept = int(run.stored.checkpoint("keyframes"))
            assert kept <= keyframes
            at = int(run.keyframes["sample"][kept - 1]) if kept else 0
            assert run.stored.checkpoint("sample") == at
            assert run.stored.committed("epochs") >= at // run.samples
        return run.steps


def _assert_traces_consistent(run, expected):
    for bank in run.traced:
        assert list(run.stored.wrong_chunks(bank)) == []
        rows = run.trace(bank).rows
        steps = expected.stored.trace_steps(bank, 0, rows)
        assert run.stored.trace_steps(bank, 0, rows).tobytes() == steps.tobytes()
        for quantity in run.trace(bank).selection.quantities:
            found = run.stored.trace_rows(bank, quantity, 0, rows)
            assert found.tobytes() == expected.stored.trace_rows(bank, quantity, 0, rows).tobytes()
        for level in range(2):
            entries = run.stored.overview_entries(bank, level)
            for quantity in run.trace(bank).selection.quantities if entries and not run.finished else ():
                found = run.stored.overview(bank, quantity, level, 0, entries)
                assert found.tobytes() == expected.stored.overview(bank, quantity, level, 0, entries).tobytes()
