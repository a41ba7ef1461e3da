"""Kernels are compiled before anything else begins, with a word on it, and Ctrl-C may come at any time."""

import contextlib
import io
import re
import signal
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import numba
import pytest
from interrupting import ENVIRONMENT, finish, start
from places import EXAMPLES
from sweeps import source as sweep_source  # noqa: F401 (a fixture)

import memsim
from memsim.cli.ahead import compile_ahead
from memsim.driving.drive import kernels_of as kernels_of_drive
from memsim.driving.drive_trace import load_drive_source
from memsim.errors import InputError, StoppedCompilingError
from memsim.kernels import compiling, disk_cache
from memsim.kernels.controller import find_gradient, keep_states, rule
from memsim.kernels.disk_cache import NotKeptWarning
from memsim.kernels.learning import CLOSE_EPOCH
from memsim.network.assembly import assemble
from memsim.runs import training
from memsim.runs.needed import kernels_of
from memsim.runs.prediction import reading
from memsim.runs.sources import load_source
from memsim.stepping.engine import Engine
from memsim.sweeping.folder import Folder
from memsim.sweeping.pack_run import Told, carry_out
from memsim.sweeping.packs import plan
from memsim.sweeping.sweep_configuration import load_sweep
from memsim.sweeping.sweep_progress import SweepProgress
from memsim.terminal import preparing
from memsim.terminal.preparing import on_stderr, prepare, silently, told_to

XOR, SLP = EXAMPLES / "xor.toml", EXAMPLES / "slp.toml"
FEW = ("run.realisations=4", "learning.epochs=2")
SET = [word for assignment in FEW for word in ("--set", assignment)]

compiles = pytest.mark.skipif(bool(numba.config.DISABLE_JIT), reason="nothing is compiled")


class FakeKernel:
    """A kernel that another process may be compiling when it is first asked for."""

    def __init__(self, name, *, on_disk=False, busy=False, error=None):
        self.name, self.ready, self._on_disk, self._busy, self._error = name, False, on_disk, busy, error

    def load(self):
        self.ready = self._on_disk
        return self.ready

    def compile(self, *, wait=True):
        if self._error is not None:
            raise self._error
        self.ready = wait or not self._busy
        return self.ready


@pytest.fixture
def told():
    """What an observer is told: totals, and lines of name and number."""
    said = []

    @contextlib.contextmanager
    def observer(total):
        said.append(total)
        yield lambda name, done: said.append((name, done))
        said.append("over")

    with told_to(observer):
        yield said


@pytest.fixture
def forgotten(monkeypatch, tmp_path):
    """Two small kernels of a multilayer network, which are neither in memory nor on the disk."""
    with told_to(silently):
        network = memsim.MultilayerPerceptron([2, 2, 1])
        memsim.train(network, memsim.datasets.gate("xor", samples=4), epochs=1).close()
    kernels = [rule(find_gradient), rule(keep_states)]
    for kernel in kernels:
        monkeypatch.setattr(kernel, "_code", None)
    monkeypatch.setenv("MEMSIM_CACHE_DIR", str(tmp_path / "cache"))
    return sorted(kernel.name for kernel in kernels)


def names_in(text):
    """Kernels that lines name."""
    return re.findall(r"compiling kernels \(once\)  \d+/\d+ (\w+)", text)


# Who is told


def test_what_is_on_the_disk_is_not_told(told):
    prepare([FakeKernel("one", on_disk=True)])
    assert told == []


def test_an_observer_is_told_each_kernel_and_how_many_are_there(told):
    kernels = [FakeKernel("one"), FakeKernel("there", on_disk=True), FakeKernel("two")]
    prepare(kernels)
    assert told == [2, ("one", 0), ("two", 1), "over"]
    assert all(kernel.ready for kernel in kernels)


def test_what_another_process_compiles_comes_last(told):
    prepare([FakeKernel("busy", busy=True), FakeKernel("free")])
    assert told == [2, ("busy", 0), ("free", 0), ("busy", 1), "over"]


@pytest.mark.parametrize("error", [KeyboardInterrupt, StoppedCompilingError])
def test_an_interrupt_says_that_nothing_has_begun(error):
    with told_to(silently), pytest.raises(StoppedCompilingError, match="compiled so far are kept"):
        prepare([FakeKernel("one", error=error())])


def test_another_thread_stops_it_before_the_next_kernel(told):
    stop, kernels = threading.Event(), [FakeKernel("one"), FakeKernel("two")]
    stop.set()
    with pytest.raises(StoppedCompilingError):
        prepare(kernels, stop)
    assert not any(kernel.ready for kernel in kernels)


@compiles
def test_where_nothing_can_be_kept_a_run_goes_on_and_says_so_once(cli, forgotten, monkeypatch, tmp_path):
    (tmp_path / "file").touch()
    monkeypatch.setenv("MEMSIM_CACHE_DIR", str(tmp_path / "file"))
    disk_cache._warn_once.cache_clear()
    message = "file/kernels-.*: compiled kernels cannot be kept there: .*: set MEMSIM_CACHE_DIR to a folder that can be"
    with pytest.warns(NotKeptWarning, match=message) as warned:
        result = cli("run", XOR, *SET, "--out", tmp_path / "run.h5")
    assert result.status == 0
    assert len(warned) == 1


@compiles
def test_a_folder_that_cannot_be_written_to_is_read(monkeypatch, tmp_path):
    """What was compiled ahead, into an image for one: nobody may write there later."""
    monkeypatch.setenv("MEMSIM_CACHE_DIR", str(tmp_path))
    kernel = compiling.Kernel(CLOSE_EPOCH.function, CLOSE_EPOCH.signature)
    kernel.compile()

    for name in ("os.mkdir", "tempfile.NamedTemporaryFile", "filelock.FileLock"):
        monkeypatch.setattr(name, lambda *_, **__: pytest.fail("written to"))
    again = compiling.Kernel(CLOSE_EPOCH.function, CLOSE_EPOCH.signature)
    assert again.load()
    assert again.was_on_disk


@compiles
def test_of_two_threads_one_makes_the_code(monkeypatch, tmp_path):
    """Its address is in programs: code that was replaced would be given back under them."""
    monkeypatch.setenv("MEMSIM_CACHE_DIR", str(tmp_path))
    kernel = compiling.Kernel(CLOSE_EPOCH.function, CLOSE_EPOCH.signature)
    made = []
    new = compiling.Kernel._new
    monkeypatch.setattr(compiling.Kernel, "_new", lambda self: made.append(self) or new(self))
    with ThreadPoolExecutor(4) as threads:
        addresses = list(threads.map(lambda _: kernel.address, range(4)))
    assert len(set(addresses)) == 1
    assert made == [kernel]


def test_elsewhere_than_on_a_terminal_it_is_one_line(capsys):
    with told_to(on_stderr):
        prepare([FakeKernel("one"), FakeKernel("two")])
    assert capsys.readouterr().err == "compiling kernels (once)  1/2 one\n"


def test_long_work_has_a_line_from_time_to_time(capsys, monkeypatch):
    monkeypatch.setattr(preparing, "LINE_SECONDS", 0.0)
    with told_to(on_stderr):
        prepare([FakeKernel("one"), FakeKernel("two")])
    assert capsys.readouterr().err == "compiling kernels (once)  1/2 one\ncompiling kernels (once)  2/2 two\n"


def test_on_a_terminal_the_line_changes_and_vanishes(monkeypatch):
    terminal = io.StringIO()
    terminal.isatty = lambda: True
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    with on_stderr(2) as tell:
        tell("one", 0)
        tell("two", 1)
    shown = terminal.getvalue()
    assert "compiling kernels (once)  2/2 two" in shown
    assert shown.endswith("\x1b[2K")  # erased


@compiles
def test_training_from_python_says_it_and_only_once(forgotten, capsys, monkeypatch):
    monkeypatch.setattr(preparing, "LINE_SECONDS", 0.0)
    network, data = memsim.MultilayerPerceptron([2, 2, 1]), memsim.datasets.gate("xor", samples=4)
    memsim.train(network, data, epochs=1).close()
    assert sorted(names_in(capsys.readouterr().err)) == forgotten
    memsim.train(network, data, epochs=1).close()
    assert capsys.readouterr().err == ""


@compiles
@pytest.mark.parametrize("quiet", [True, False])
def test_a_command_says_it_unless_it_is_quiet(forgotten, quiet, cli, capsys, tmp_path):
    words = ["run", str(XOR), *SET, "--out", str(tmp_path / "run.h5"), *(["--quiet"] if quiet else [])]
    with pytest.raises(SystemExit):
        memsim.cli.main(words)
    lines = capsys.readouterr().err.splitlines()
    assert lines == [] if quiet else (names_in(lines[0]), lines[1:]) == ([lines[0].split()[-1]], ["training: 2 epochs"])


@compiles
def test_a_drive_says_it(capsys, monkeypatch, tmp_path):
    config = load_drive_source(EXAMPLES / "hysteresis.toml")
    for kernel in kernels_of_drive(config):
        monkeypatch.setattr(kernel, "_code", None)
    monkeypatch.setenv("MEMSIM_CACHE_DIR", str(tmp_path / "cache"))
    memsim.driving.drive.run(config).close()
    assert names_in(capsys.readouterr().err) == [kernels_of_drive(config)[0].name]


@compiles
def test_workers_of_a_sweep_have_the_sweep_say_it(forgotten, sweep_source, tmp_path):  # noqa: F811
    config = load_sweep(sweep_source)
    pack, said = plan(config, 1).packs[0], []
    folder = Folder(tmp_path / "swept")
    folder.create(config).release()
    stop = threading.Event()

    def stop_at_once(told):
        said.append(told)
        stop.set()

    assert not carry_out(pack, folder, stop, stop_at_once)  # between two kernels
    assert not folder.run_file(pack.name).exists()
    stop.clear()
    assert carry_out(pack, folder, stop, said.append)
    assert sorted(name for told in said for name in names_in(told.compiling)) == forgotten
    assert said[-1] == Told(pack.number, 4, said[-1].device_steps)


def test_a_sweep_shows_what_is_compiled_in_a_line(sweep_source, capsys):  # noqa: F811
    progress, packs = SweepProgress(), plan(load_sweep(sweep_source), 1).packs
    progress.start(packs, 0, 6)
    for name in ("one", "two"):
        progress.tell(Told(0, 0, 0, preparing.progress_of(name, 0, 2)))
        progress.look()
    assert capsys.readouterr().err.splitlines()[1:] == ["sweep: compiling kernels (once)  1/2 one"]


# When


@pytest.mark.parametrize("watched", [False, True])
def test_a_run_is_prepared_before_it_has_a_file_and_a_clock(watched, monkeypatch, tmp_path):
    path, seen, original = tmp_path / "run.h5", [], Engine.prepare

    class Seen(training.NoProgress):
        def start(self):
            seen.append("started")

    def noted(engine, stop=None):
        seen.append(path.exists())
        original(engine, stop)

    monkeypatch.setattr(Engine, "prepare", noted)
    more = ("data.validation=0.25",) if watched else ()
    config, data, _ = load_source(XOR, (*FEW, *more))
    training.run(config, data, out=path, progress=Seen()).close()
    prepared = 2 if watched else 1  # engines
    assert seen[: prepared + 1] == [False] * prepared + ["started"]


def test_what_is_refused_is_refused_before_anything_is_compiled(monkeypatch, tmp_path):
    monkeypatch.setattr(Engine, "prepare", lambda *_: pytest.fail("compiled"))
    config, data, _ = load_source(XOR, FEW)
    (tmp_path / "run.h5").touch()
    with pytest.raises(InputError, match="exists"):
        training.run(config, data, out=tmp_path / "run.h5")


def test_a_stop_before_the_run_leaves_nothing(monkeypatch, tmp_path):
    def interrupted(*_):
        raise StoppedCompilingError

    monkeypatch.setattr(Engine, "prepare", interrupted)
    config, data, _ = load_source(XOR, FEW)
    with pytest.raises(StoppedCompilingError):
        training.run(config, data, out=tmp_path / "run.h5")
    assert list(tmp_path.iterdir()) == []


def test_a_drive_that_is_stopped_before_it_begins_keeps_no_rows(cli, monkeypatch, tmp_path):
    def interrupted(*_):
        raise StoppedCompilingError

    monkeypatch.setattr("memsim.driving.drive.prepare", interrupted)
    result = cli("drive", EXAMPLES / "hysteresis.toml", "--out", tmp_path / "drive.h5")
    said = "memsim: stopped; kernels that were compiled so far are kept"
    assert (result.status, result.err.strip()) == (130, said)
    assert list(tmp_path.iterdir()) == []


# Ahead


@pytest.mark.parametrize("name", ["xor", "slp", "digits"])
def test_kernels_ahead_are_those_of_runs_of_any_size_and_of_predictions(name):
    config, data, _ = load_source(EXAMPLES / f"{name}.toml", ["run.realisations=3"])
    needed = {kernel.name for kernel in kernels_of(assemble(config, data))}
    for lanes in (1, 3, 5, 100):
        config = config.model_copy(update={"run": config.run.model_copy(update={"realisations": lanes})})
        assembly = assemble(config, data)
        for each in (assembly, reading(assembly, data, assembly.initial)):
            engine = Engine(each, threads=2, epochs=1)
            assert {kernel.name for kernel in engine.kernels()} <= needed
            engine.close()


def test_names_of_kernels_differ():
    flaws = ("imperfections.synapse.write_noise=0.1", "periphery.synapse.read_noise=0.1")
    kernels = kernels_of(assemble(*load_source(XOR, flaws)[:2]))
    assert len({(kernel.function.__module__, kernel.name) for kernel in kernels}) == len(kernels)


def test_any_kind_of_configuration_is_taken(tmp_path):
    with told_to(silently):
        made = compile_ahead([EXAMPLES / f"{name}.toml" for name in ("xor", "hysteresis", "loops", "sweep")], ())
        again = compile_ahead([XOR])
    assert again.compiled == 0
    assert made.compiled + made.there > again.there


def test_compile_refuses_bad_input(refused, tmp_path):
    refused("nowhere.toml: no such file", "compile", tmp_path / "nowhere.toml")
    refused("learning.rate", "compile", XOR, "--set", "learning.rate=-1")
    refused("--jobs", "compile", "--jobs", "0")


@compiles
def test_nothing_is_compiled_ahead_where_it_cannot_be_kept(refused, forgotten, monkeypatch, tmp_path):
    folder = tmp_path / "refused"
    monkeypatch.setenv("MEMSIM_CACHE_DIR", str(folder))
    folder.touch()
    refused("refused/kernels-.* kept there: Not a directory; .*: set MEMSIM_CACHE_DIR", "compile", XOR, "--jobs", "1")
    folder.unlink()
    folder.mkdir()
    folder.chmod(0o777)
    refused("refused: others may write to it: .*: chmod go-w /.*/refused, or", "compile", XOR, "--jobs", "1")


# With a cache that is empty


def cached(folder):
    """The compiled code of a cache, by its file's name."""
    return {path: path.read_bytes() for path in folder.rglob("*.nbc")}


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    """A cache of this module's processes, which is filled by one after the other."""
    return tmp_path_factory.mktemp("cache")


def begin(cache, *words, **more):
    environment = ENVIRONMENT | {"MEMSIM_CACHE_DIR": str(cache)} | more
    return start(*words, quiet=False, driver="import sys; from memsim.cli import main; main(sys.argv[1:])",
                 environment=environment)  # fmt: skip


@compiles
@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, -signal.SIGTERM)])
def test_a_signal_ends_the_compiler_and_leaves_a_sound_cache(number, status, cache, tmp_path):
    before = cached(cache)
    process = begin(cache, "run", SLP, *SET, "--out", tmp_path / "run.h5")
    assert names_in(process.stderr.readline())
    while len(cached(cache)) < len(before) + 4:  # it comes in the midst of another one
        assert process.poll() is None
    process.send_signal(number)
    ended, out, err = finish(process)
    assert (ended, out) == (status, "")
    if number == signal.SIGINT:
        assert err.splitlines()[-1] == "memsim: stopped; kernels that were compiled so far are kept"
    assert list(tmp_path.iterdir()) == []
    assert before.items() <= cached(cache).items()


@compiles
def test_the_next_command_goes_on_with_what_was_compiled_and_the_one_after_finds_all(cache, tmp_path):
    before = cached(cache)
    status, out, err = finish(begin(cache, "compile", SLP, "--jobs", "2"))
    compiled, there = map(int, re.search(r"compiled (\d+) kernels, (\d+) were there: ", out).groups())
    assert status == 0, err
    assert compiled > 0
    if before:
        assert there > 0
        assert before.items() <= cached(cache).items()
    made = cached(cache)
    status, out, err = finish(begin(cache, "run", SLP, *SET, "--out", tmp_path / "run.h5"))
    assert (status, err) == (0, "training: 2 epochs\n")
    assert cached(cache) == made
    with memsim.open_run(tmp_path / "run.h5") as run:
        assert run.finished
    status, out, _ = finish(begin(cache, "compile", SLP))
    assert (status, out.split(":")[0]) == (0, f"compiled 0 kernels, {compiled + there} were there")


@compiles
def test_a_sweep_that_is_stopped_while_its_workers_compile_has_begun_no_pack(sweep_source, tmp_path):  # noqa: F811
    process = begin(tmp_path / "cache", "sweep", sweep_source, "--out", tmp_path / "swept", "--processes", "2")
    assert process.stderr.readline().startswith("sweep: 6 points")
    assert names_in(process.stderr.readline())
    process.send_signal(signal.SIGINT)
    status, _, err = finish(process)
    assert status == 130
    assert "Traceback" not in err
    assert list((tmp_path / "swept" / "packs").glob("*.h5")) == []
