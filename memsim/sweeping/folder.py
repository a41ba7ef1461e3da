"""The output folder of a sweep: its sweep file, a run file for each pack, and what failed in them."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..errors import InputError, RunFileError
from ..files.reading import read_text
from ..runs.opening import open_run
from ..runs.resuming import differences_of
from ..traces import locks
from .packs import Pack
from .sweep_configuration import SweepConfiguration, load_sweep

SWEEP_FILE = "sweep.toml"
BEGUN_FILE = ".{}.new"  # a file that is not whole yet


class Folder:
    """The folder of a sweep.

    Parameters
    ----------
    path : Path
    """

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()  # of workers, which may be started elsewhere

    def run_file(self, name: str) -> Path:
        """The run file of a pack."""
        return self.path / "packs" / f"{name}.h5"

    def failures(self, name: str) -> dict[int, str]:
        """Points of a pack that cannot work, with their errors; none of a record that is damaged."""
        return self._recorded(name) or {}

    def _recorded(self, name: str) -> dict[int, str] | None:
        """What a pack's record says; None where it is damaged."""
        path = self._failures_file(name)
        if not path.exists():
            return {}
        try:
            return {int(point): str(error) for point, error in json.loads(read_text(path)).items()}
        except (InputError, ValueError, RecursionError, AttributeError):
            return None

    def mend_failures(self, pack: Pack) -> None:
        """Put a record that is damaged right: the pack's run file lacks the points that cannot work.

        Without a run file that can be read all points are tried again.
        """
        if self._recorded(pack.name) is not None:
            return
        self._failures_file(pack.name).unlink()
        try:
            with open_run(self.run_file(pack.name)) as run:
                seeds = run.config.run.every_seed
        except RunFileError:
            return
        lost = [point for point, seed in zip(pack.points, pack.seeds, strict=True) if seed not in seeds]
        if lost:
            self.record_failures(
                pack.name, dict.fromkeys(lost, "failed before; why is lost, as its record was damaged")
            )

    def record_failures(self, name: str, failures: dict[int, str]) -> None:
        """Record the points of a pack that cannot work."""
        write_whole(self._failures_file(name), json.dumps(failures, indent=1) + "\n")

    def _failures_file(self, name: str) -> Path:
        return self.path / "packs" / f"{name}.failed.json"

    @property
    def sweep_file(self) -> Path:
        """The effective configuration of the sweep."""
        return self.path / SWEEP_FILE

    def kept(self, pack: Pack) -> list[int]:
        """The points of a pack that are not known to fail, counted within it."""
        failed = self.failures(pack.name)
        return [k for k, point in enumerate(pack.points) if point not in failed]

    def create(self, config: SweepConfiguration) -> locks.Lock:
        """Make the folder, with its sweep file, which is locked from its first byte on.

        Raises
        ------
        InputError
            It cannot be written, holds anything, or another sweep is making it.
        """
        with self._written():
            self.path.mkdir(parents=True, exist_ok=True)
            begun = self.path / BEGUN_FILE.format(SWEEP_FILE)
            held = locks.new(begun, self.sweep_file)
            try:
                self.refuse_existing()  # another sweep may have begun here since it was last looked at
                (self.path / "packs").mkdir(exist_ok=True)
                write_whole(self.sweep_file, config.to_toml())  # under that name first: the lock goes with it
                held.move(self.sweep_file)
            except BaseException:
                begun.unlink(missing_ok=True)
                held.release()
                raise
        return held

    def refuse_existing(self) -> None:
        """Refuse a folder that holds anything, but what a sweep leaves that was killed before it began."""
        if self.sweep_file.exists():
            raise InputError(
                f"{self.path}: holds a sweep; go on with it by resume=True, or name another folder with out=DIR"
            )
        if self.path.exists() and not self._is_empty():
            raise InputError(f"{self.path}: exists and holds no sweep; name another folder with out=DIR")

    def _is_empty(self) -> bool:
        packs, begun = self.path / "packs", BEGUN_FILE.format(SWEEP_FILE)
        left = {"packs", begun, f".{begun}.lock", ".sweep.lock"}  # the last of an earlier version
        if not self.path.is_dir() or any(path.name not in left for path in self.path.iterdir()):
            return False
        return not packs.exists() or (packs.is_dir() and not any(packs.iterdir()))

    def stored(self) -> SweepConfiguration:
        """The sweep that the folder is of.

        Raises
        ------
        InputError
            There is none.
        """
        if not self.sweep_file.exists():
            raise InputError(
                f"{self.path}: holds no sweep (no {SWEEP_FILE}); run it without resume=True, or check the path"
            )
        return load_sweep(self.sweep_file)

    @contextmanager
    def locked(self, config: SweepConfiguration | None = None) -> Iterator[None]:
        """Be the only sweep that writes the folder, which is made where a configuration is given.

        Its sweep file is locked itself, whatever leads to the folder.
        """
        if config is not None:
            held = self.create(config)
        else:
            with self._written():
                held = locks.lock(self.sweep_file)
        try:
            yield
        finally:
            held.release()

    @contextmanager
    def _written(self) -> Iterator[None]:
        try:
            yield
        except locks.InUseError:
            raise InputError(f"{self.path}: another sweep is writing it; wait for its end") from None
        except OSError as error:
            raise InputError(
                f"out: {self.path} cannot be written: {error.strerror or error}; name another folder"
            ) from None


def refuse_another_sweep(folder: Folder, wanted: SweepConfiguration) -> SweepConfiguration:
    """The sweep of a folder, which must be the wanted one; lanes that are not given are the folder's.

    Raises
    ------
    InputError
        Naming what differs.
    """
    stored = folder.stored()
    before, now = stored.values(), wanted.values()
    for name in ("lanes", "samples"):
        if getattr(wanted.sweep, name) is None:
            before["sweep"].pop(name, None)
    differing = differences_of(before, now)
    if differing:
        shown = "; ".join(f"{name} is {one!r} in the folder, {other!r} here" for name, one, other in differing)
        raise InputError(f"{folder.path}: holds another sweep: {shown}; name another folder with out=DIR")
    return stored


def write_whole(path: Path, text: str) -> None:
    """Write a file that is there whole, or as it was before."""
    begun = path.with_name(BEGUN_FILE.format(path.name))
    with begun.open("w", encoding="utf-8", newline="") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    begun.replace(path)
