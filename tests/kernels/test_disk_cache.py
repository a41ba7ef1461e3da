"""Machine code from the disk: it is run only where it is whole and nobody else can have put it there."""

import os
import pickle
import resource
import stat
import sys
import warnings
from pathlib import Path

import numba
import pytest
from interrupting import ENVIRONMENT, finish, killed_at, start
from places import EXAMPLES
from sweeps import source as sweep_source  # noqa: F401 (a fixture)

from memsim.kernels import compiling, disk_cache
from memsim.kernels.compiling import Kernel
from memsim.kernels.disk_cache import CacheWarning, NotKeptWarning, RefusedError

ROOT = os.geteuid() == 0
SOMEBODY = os.geteuid() + 1
COMMAND = "import sys; from memsim.cli import main; main(sys.argv[1:])"

pytestmark = pytest.mark.skipif(bool(numba.config.DISABLE_JIT), reason="nothing is compiled")


def tripled(x):
    return 3.0 * x


def kernel():
    """A small kernel that is not in memory."""
    return Kernel(tripled, numba.float64(numba.float64))


def value_of(made):
    return made._code.ctypes(7.0)


@pytest.fixture(autouse=True)
def folder(monkeypatch, tmp_path):
    """A cache of the test's own, and nothing said yet."""
    monkeypatch.setenv("MEMSIM_CACHE_DIR", str(tmp_path / "cache"))
    disk_cache._warn_once.cache_clear()
    return tmp_path / "cache"


@pytest.fixture
def kept(folder):
    """The file of a small kernel."""
    made = kernel()
    made.compile()
    (file,) = folder.glob("*/*.nbc")
    return file


@pytest.fixture
def give_away(monkeypatch):
    """Have a file or a folder belong to somebody else: root can, and for others it is as if they were another."""

    def give(path):
        if ROOT:
            os.chown(path, SOMEBODY, -1)
        else:
            monkeypatch.setattr(os, "geteuid", lambda: SOMEBODY)

    return give


def compiled_anew(message, kind=CacheWarning):
    """Ask for the kernel: it is not taken from the disk, a warning says why, and its value is right."""
    disk_cache._warn_once.cache_clear()
    made = kernel()
    with pytest.warns(kind, match=message) as told:
        assert not made.load()
        made.compile()
    assert len(told) == 1
    assert not made.was_on_disk
    assert value_of(made) == 21.0


def taken_from_the_disk():
    made = kernel()
    assert made.load()
    assert value_of(made) == 21.0
    return made.was_on_disk


# Damage


def is_read(kept, content):
    kept.write_bytes(content)
    disk_cache._warn_once.cache_clear()
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        found = kernel().load()
    assert [str(each.message) for each in told] == ([] if found else [f"{kept}: is damaged; it is compiled anew"])
    return found


def test_one_bit_that_is_not_as_it_was_anywhere_is_seen_before_anything_is_unpickled(kept, monkeypatch):
    whole = kept.read_bytes()
    assert is_read(kept, whole)
    monkeypatch.setattr(pickle, "loads", lambda _: pytest.fail("unpickled"))
    for place in [*range(64), *range(64, len(whole), 101), len(whole) - 1]:
        changed = bytearray(whole)
        changed[place] ^= 1 << place % 8
        assert not is_read(kept, changed), place


@pytest.mark.parametrize("part", [0.0, 0.001, 0.5, 0.999, 1.001], ids=str)
def test_a_file_that_is_empty_cut_or_longer_is_compiled_anew_with_a_word_and_then_whole(kept, part):
    whole = kept.read_bytes()
    length = int(part * len(whole))
    kept.write_bytes((whole + b"\0" * length)[:length])
    compiled_anew(f"^{kept}: is damaged; it is compiled anew$")
    assert taken_from_the_disk()
    assert not list(kept.parent.glob("*.tmp"))


class Trap:
    """What a foreign pickle does to whoever loads it."""

    def __init__(self, marker):
        self.marker = marker

    def __reduce__(self):
        return Path.touch, (self.marker,)


def test_a_foreign_pickle_is_not_loaded(kept, tmp_path):
    marker = tmp_path / "marker"
    trap = pickle.dumps(Trap(marker))
    for content in (trap, kept.read_bytes()[:32] + trap, disk_cache._digest(b"another key", trap) + trap):
        assert not is_read(kept, content)
    assert not marker.exists()
    pickle.loads(trap)  # it would have been there
    assert marker.exists()


def test_code_that_was_compiled_from_something_else_is_not_taken_under_its_name(kept):
    other = Kernel(compiling.specialise(tripled, "other", compiler=compiling.plain), numba.float64(numba.float64))
    other.compile()
    (wrong,) = set(kept.parent.glob("*.nbc")) - {kept}
    assert not is_read(kept, wrong.read_bytes())


def test_a_pipe_in_the_place_of_a_file_is_not_waited_for(kept):
    kept.unlink()
    os.mkfifo(kept)
    compiled_anew(f"^{kept}: is no file; it is compiled anew$")
    assert taken_from_the_disk()


def test_an_end_of_file_that_nobody_expected_is_no_ctrl_c(cli, monkeypatch):
    def cut(*_):
        raise EOFError("Ran out of input")

    monkeypatch.setattr("memsim.cli.ahead.compile_ahead", cut)
    result = cli("compile")
    assert result.status == 1
    assert result.err.strip() == "memsim: error: EOFError: Ran out of input (please report this; --debug shows where)"


# Others


def test_folders_and_files_are_for_the_user_alone_whatever_the_umask(folder):
    before = os.umask(0)
    try:
        kernel().compile()
    finally:
        os.umask(before)
    made = [folder, *folder.iterdir(), *folder.glob("*/*.nbc")]
    assert [oct(stat.S_IMODE(path.stat().st_mode)) for path in made] == ["0o700", "0o700", "0o600"]


@pytest.mark.parametrize("mode", [0o770, 0o707, 0o777])
@pytest.mark.parametrize("above", [False, True])
def test_a_folder_that_others_may_write_to_is_refused_and_chmod_helps(kept, mode, above):
    folder = kept.parents[above]
    folder.chmod(mode)
    compiled_anew(
        f"^{folder}: others may write to it: .*: chmod go-w {folder}, or set MEMSIM_CACHE_DIR", NotKeptWarning
    )
    folder.chmod(mode & 0o755)
    assert taken_from_the_disk()


def test_a_folder_that_is_somebody_elses_is_refused(kept, give_away):
    give_away(kept.parent)
    compiled_anew(r"belongs to somebody else \(user \d+\): .*: set MEMSIM_CACHE_DIR to a folder of", NotKeptWarning)


def test_a_file_that_others_may_write_to_is_compiled_anew_for_the_user_alone(kept):
    kept.chmod(0o666)
    compiled_anew(f"^{kept}: others may write to it; it is compiled anew$")
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert taken_from_the_disk()


@pytest.mark.skipif(not ROOT, reason="only root can give a file away")
def test_a_file_that_is_somebody_elses_is_compiled_anew(kept, give_away):
    """As one that was put there before the folder's rights were mended."""
    give_away(kept)
    compiled_anew(f"^{kept}: belongs to somebody else")
    assert kept.stat().st_uid == 0
    assert taken_from_the_disk()


ME = 1000


@pytest.mark.parametrize(
    ("mode", "owner", "sticky", "doubt"),
    [
        (0o700, ME, False, ""),
        (0o755, 0, False, ""),  # an administrator made it for all
        (0o755, 1001, False, "belongs to somebody else (user 1001)"),
        (0o775, ME, False, "others may write to it"),
        (0o757, 0, False, "others may write to it"),
        (0o1777, 0, True, ""),  # /tmp
        (0o1777, 0, False, "others may write to it"),
        (0o777, 0, True, "others may write to it"),
    ],
)
def test_who_could_change_something(mode, owner, sticky, doubt, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: ME)
    assert disk_cache._doubt_of(os.stat_result((mode, 0, 0, 1, owner, 0, 0, 0, 0, 0)), sticky=sticky) == doubt


@pytest.mark.skipif(not ROOT, reason="only root can make a folder of root's")
def test_what_root_made_for_all_is_read_by_others(kept, monkeypatch):
    for path in (*kept.parents[:2], kept):
        path.chmod(0o755)
    monkeypatch.setattr(os, "geteuid", lambda: SOMEBODY)
    assert taken_from_the_disk()


# Nowhere to keep it


def no_room(monkeypatch):
    """A limit on the size of files, which fails as a full disk does: in the midst of a file."""
    monkeypatch.setattr(sys, "dont_write_bytecode", True)  # Python would leave files that are cut
    _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, most))
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))


def test_on_a_full_disk_nothing_is_kept_nothing_is_left_and_the_work_goes_on(folder, monkeypatch):
    made, room_again = kernel(), no_room(monkeypatch)
    try:
        with pytest.warns(
            NotKeptWarning, match=f"^{folder}/kernels-.*: compiled kernels cannot be kept there: File too"
        ):
            made.compile()
    finally:
        room_again()
    assert value_of(made) == 21.0
    assert [path.suffix for path in folder.glob("*/*")] == [".lock"]


def nowhere(monkeypatch):
    """Neither HOME nor an entry in the list of users, as in a container that has a user by number."""

    def unknown(_):
        raise KeyError

    for name in ("MEMSIM_CACHE_DIR", "NUMBA_CACHE_DIR", "XDG_CACHE_HOME", "HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("pwd.getpwuid", unknown)


def test_without_a_home_kernels_are_compiled_and_one_line_says_where_to_put_them(monkeypatch):
    nowhere(monkeypatch)
    compiled_anew("^there is no home folder: .*: set MEMSIM_CACHE_DIR to a folder of your own$", NotKeptWarning)


@pytest.mark.skipif(not ROOT, reason="only root has the home of others")
def test_root_leaves_nothing_in_the_home_of_somebody_else(monkeypatch, tmp_path, give_away):
    nowhere(monkeypatch)
    monkeypatch.setenv("HOME", str(tmp_path))
    kernel().compile()
    assert [path.name for path in tmp_path.iterdir()] == [".cache"]
    give_away(tmp_path)
    with pytest.raises(RefusedError, match=f"^{tmp_path}: belongs to somebody else"):
        disk_cache.cache_folder()


@pytest.mark.parametrize("spoil", [lambda folder: folder.touch(), lambda folder: folder.symlink_to(folder)])
def test_a_folder_that_cannot_be_made_is_gone_without(folder, spoil):
    spoil(folder)
    compiled_anew(
        f"^{folder}/kernels-.*: compiled kernels cannot be kept there: .*: set MEMSIM_CACHE_DIR", NotKeptWarning
    )


def test_a_writer_that_is_killed_leaves_no_file_that_counts(folder):
    assert killed_at((os, "replace"), 0, lambda: kernel().compile())
    assert not list(folder.glob("*/*.nbc"))
    assert not kernel().load()
    made = kernel()
    made.compile()
    assert taken_from_the_disk()


def test_a_function_that_lies_in_no_file_is_compiled_and_not_kept(folder):
    names = {}
    exec("def typed(x):\n    return x + 1.0", names)
    assert compiling.compiled(names["typed"])(1.0) == 2.0
    assert not folder.exists()


# As a user sees it


def told(*words, cache):
    """Exit status of a command in a process of its own, and what it says on stderr."""
    process = start(*words, quiet=False, driver=COMMAND, environment=ENVIRONMENT | {"MEMSIM_CACHE_DIR": str(cache)})
    status, _, err = finish(process)
    return status, err


def test_a_command_says_in_one_line_that_it_goes_on_without_a_cache_that_others_may_write_to(folder, tmp_path):
    folder.mkdir()
    folder.chmod(0o777)
    known = folder / disk_cache.cache_folder().name
    known.mkdir(0o700)
    words = ("drive", EXAMPLES / "hysteresis.toml", "--quiet", "--out", tmp_path / "drive.h5")
    status, err = told(*words, cache=folder)
    assert (status, err.count("\n")) == (0, 1)
    assert err.startswith(f"warning: {folder}: others may write to it: ")
    assert list(known.iterdir()) == []


@pytest.mark.slow
def test_a_sweep_says_once_what_all_of_its_processes_do_without(sweep_source, folder, tmp_path):  # noqa: F811
    folder.touch()
    status, err = told("sweep", sweep_source, "--out", tmp_path / "swept", "--processes", "2", cache=folder)
    assert status == 0
    assert err.count("warning: ") == err.count("compiled kernels cannot be kept there") == 1
