"""The one writer of a file: locks on the file itself, whatever its names are, and whoever deletes what lies beside it.

There are two. A *mark* says who the writer is: a record lock on one byte far
beyond the end, which anyone can ask for without taking it. It is a lock of the
open descriptor (fcntl(2), "open file description locks"): a lock of the process
would be lost as soon as HDF5 closed the file anywhere in it. The other one is
flock(2), which is what HDF5 takes: exclusive while HDF5's marks are cleared, so
that nobody else has the file open; shared while the file is written, so that
readers can come, and no other program's writer. HDF5 itself keeps none while a
file is written and read at once.

HDF5 locks a descriptor of its own, with which our flock would clash in the same
process, exclusive or shared. With ``locking=False`` it does not, but then no
reader of this process could open the file. So ours is given back for the moment
in which HDF5 opens the file and takes its own; the mark stays.
"""

import contextlib
import errno
import os
import struct
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import filelock

try:
    import fcntl
except ImportError:  # no Unix
    fcntl = None  # type: ignore[assignment]

BEING_WRITTEN = "is being written by another run, here or on another machine; wait for its end, or name another file"
NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL)  # of a file system without locks
TAKEN = (errno.EAGAIN, errno.EACCES)
WAIT_SECONDS = 2.0  # for who looks into a file, and for a killed process to be gone
LOOK_SECONDS = 0.02
MARKED_BYTE = 1 << 62
RECORD = "hhqqi4x"  # struct flock
QUERIED = hasattr(fcntl, "F_OFD_SETLK")  # else the mark is a lock on a file beside


class InUseError(OSError):
    """Another program has the file open, or writes it."""


class GoneError(OSError):
    """A file that is being written is no longer where it was."""


class Lock:
    """A file whose one writer this is, until it is released or this process ends.

    Attributes
    ----------
    path : Path
    descriptor : int
    excluding : bool
        Whether nobody else has the file open.
    """

    def __init__(self, path: Path, descriptor: int, shown: Path) -> None:
        self.path, self.descriptor, self.excluding, self._shown = path, descriptor, False, shown
        self._beside = None if QUERIED else filelock.FileLock(_beside(path))

    def mark(self) -> None:
        """Become the writer; where the file system refuses locks nobody can tell.

        Raises
        ------
        InUseError
        """
        beside = self._beside
        if beside is not None:
            taken = _poll(lambda: _acquired(beside))
        else:
            taken = _poll(lambda: _locked(lambda: _record_lock(self.descriptor, fcntl.F_OFD_SETLK, fcntl.F_WRLCK)))
        if taken is False:
            raise InUseError(f"{self._shown}: {BEING_WRITTEN}")

    def exclude_readers(self) -> None:
        """Wait until nobody else has the file open.

        Raises
        ------
        InUseError
            Somebody keeps it open.
        """
        taken = _poll(lambda: self._flock("LOCK_EX"))
        if taken is False:
            raise InUseError(f"{self.path}: {_open_elsewhere(self.descriptor)}")
        self.excluding = bool(taken)

    def admit_readers(self) -> None:
        """Let others read the file, and keep those out who would write it."""
        self.excluding = False
        self._flock("LOCK_SH")

    def leave_to_hdf5(self) -> None:
        """Let HDF5 lock the file by itself; the mark stays."""
        self.excluding = False
        self._flock("LOCK_UN")

    def move(self, path: Path) -> None:
        """Keep the lock of a file that has got another name.

        Raises
        ------
        InUseError
            Where the mark is a lock on a file beside, and is taken there.
        """
        before, self.path, self._shown = self._beside, path, path
        if before is not None:
            self._beside = filelock.FileLock(_beside(path))
            before.release()
            Path(before.lock_file).unlink(missing_ok=True)
            self.mark()

    def release(self) -> None:
        """Let others write the file; no harm where that was done."""
        if self.descriptor < 0:
            return
        with contextlib.suppress(OSError):
            self._flock("LOCK_UN")
            if QUERIED:  # told, and not left to the end of the descriptor, which a forked process may have too
                _record_lock(self.descriptor, fcntl.F_OFD_SETLK, fcntl.F_UNLCK)
        if self._beside is not None:
            # Removed while it is held: whoever opened it meanwhile finds it taken, or gone.
            Path(self._beside.lock_file).unlink(missing_ok=True)
            self._beside.release()
        os.close(self.descriptor)
        self.descriptor = -1

    def _flock(self, kind: str) -> bool | None:
        if fcntl is None:
            return None
        return _locked(lambda: fcntl.flock(self.descriptor, getattr(fcntl, kind) | fcntl.LOCK_NB))


def lock(path: Path) -> Lock:
    """Become the one writer of a file that exists; waits a little for another one's end.

    Raises
    ------
    InUseError
        Another process, or another run of this one, is writing it.
    OSError
        It cannot be written.
    """
    return _marked(path, 0, path)


def new(path: Path, shown: Path) -> Lock:
    """Make an empty file and become its one writer; what an earlier writer left under this name is emptied.

    Parameters
    ----------
    path : Path
    shown : Path
        The name that it is to have in the end, for what is said.

    Raises
    ------
    InUseError, OSError
        As :func:`lock`.
    """
    held = _marked(path, os.O_CREAT, shown)
    os.truncate(held.descriptor, 0)
    return held


def _marked(path: Path, flags: int, shown: Path) -> Lock:
    while True:
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC | flags, 0o666)
        except OSError:
            raise OSError(f"{shown}: cannot be written; check the permissions of {path.parent}") from None
        held = Lock(path, descriptor, shown)
        try:
            held.mark()
            if is_at(path, descriptor):  # else it was moved while this waited
                return held
        except BaseException:
            held.release()
            raise
        held.release()


def is_at(path: Path, descriptor: int) -> bool:
    """Whether a path leads to an open file."""
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except (FileNotFoundError, NotADirectoryError):
        return False


def refuse_gone(path: Path, descriptor: int) -> None:
    """Refuse to write on where an open file was moved or deleted: nobody would find what is written.

    Raises
    ------
    GoneError
        With a line that says what became of it.
    """
    if is_at(path, descriptor):
        return
    if os.fstat(descriptor).st_nlink == 0:
        raise GoneError(f"{path}: was deleted while it was written, and what it held is lost; start again")
    found = _name_of(descriptor)
    if found is None:
        raise GoneError(f"{path}: was moved while it was written; what was committed is where it is now")
    raise GoneError(f"{path}: was moved to {found} while it was written; what was committed is there")


def _name_of(descriptor: int) -> Path | None:
    """Where an open file is now, as far as Linux tells."""
    with contextlib.suppress(OSError):
        found = Path(os.readlink(f"/proc/self/fd/{descriptor}"))
        if is_at(found, descriptor):
            return found
    return None


def is_being_written(path: Path) -> bool:
    """Whether a process holds a file's mark; False where that cannot be seen."""
    with contextlib.suppress(OSError):
        if not QUERIED:
            return _is_taken(path)
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            return _record_lock(descriptor, fcntl.F_OFD_GETLK, fcntl.F_WRLCK) != fcntl.F_UNLCK
        finally:
            os.close(descriptor)
    return False


def _record_lock(descriptor: int, command: int, kind: int) -> int:
    """Take, give back or ask for the mark; the kind of lock that is in its way."""
    wanted = struct.pack(RECORD, kind, os.SEEK_SET, MARKED_BYTE, 1, 0)
    return int(struct.unpack(RECORD, fcntl.fcntl(descriptor, command, wanted))[0])


def _locked(take: Callable[[], object]) -> bool | None:
    """Whether a lock could be taken; None where the file system has none."""
    try:
        take()
    except OSError as error:
        if error.errno in TAKEN:
            return False
        if error.errno in NO_LOCKS:
            return None
        raise
    return True


def _poll(ask: Callable[[], bool | None]) -> bool | None:
    """Ask again and again while the answer is no, for :data:`WAIT_SECONDS`."""
    deadline = time.monotonic() + WAIT_SECONDS
    while (answer := ask()) is False and time.monotonic() < deadline:
        time.sleep(LOOK_SECONDS)
    return answer


def _beside(path: Path) -> Path:
    return path.with_name(f".{path.name}.lock")


def _acquired(beside: filelock.BaseFileLock) -> bool:
    try:
        beside.acquire(blocking=False)
    except filelock.Timeout:
        return False
    return True


def _is_taken(path: Path) -> bool:
    """Whether the lock beside a file is held."""
    if not _beside(path).exists():
        return False
    probe = filelock.FileLock(_beside(path))
    if not _acquired(probe):
        return True
    probe.release()
    return False


def _open_elsewhere(descriptor: int) -> str:
    """Who keeps a file open, and what to do."""
    who = sorted(_holders(descriptor))
    if os.getpid() in who:
        return "is open in this process; close it first, as by run.close()"
    shown = f" (process {', '.join(map(str, who))})" if who else ""
    return f"is open in another program{shown}, as a view or a notebook that reads it; close it there first"


def _holders(descriptor: int) -> Iterator[int]:
    """Processes of this machine that have locked a file by flock, as far as Linux tells."""
    about = os.fstat(descriptor)
    place = f"{os.major(about.st_dev):02x}:{os.minor(about.st_dev):02x}:{about.st_ino}"
    with contextlib.suppress(OSError):
        for line in Path("/proc/locks").read_text().splitlines():
            # 1: FLOCK  ADVISORY  READ  4242 fe:00:1234 0 EOF
            words = [word for word in line.split() if word != "->"]
            if len(words) > 5 and words[1] == "FLOCK" and words[5] == place and words[4].isdecimal():
                yield int(words[4])
