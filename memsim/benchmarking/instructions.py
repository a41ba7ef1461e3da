"""How many instructions a work takes, as ``perf stat`` counts them; other programs change them hardly at all.

Memory is not in it: work that waits for memory takes longer with the same instructions.
"""

import functools
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

EVENT = "instructions:u"  # the user's alone: the system's depend on what else runs


@functools.cache
def missing() -> str:
    """Why instructions cannot be counted here; empty where they can."""
    perf = shutil.which("perf")
    if perf is None:
        return "there is no perf"
    with tempfile.NamedTemporaryFile() as file:
        words = [perf, "stat", "-x", ",", "-e", EVENT, "-o", file.name, "--", perf, "--version"]
        done = subprocess.run(words, capture_output=True, check=False)  # noqa: S603
        found = number_in(Path(file.name).read_text(encoding="utf-8"))
    if done.returncode or found is None:
        return "perf does not count them on this machine"
    try:
        counted = _counted(lambda: None)
    except OSError:  # it has ended: before Linux 5.10 it takes no orders
        counted = None
    return "" if counted is not None else "this perf does not count a part of a process"


def number_in(text: str) -> int | None:
    """The count in what ``perf stat -x ,`` wrote; None where it has none, as ``<not supported>``."""
    for line in text.splitlines():
        value, _, rest = line.partition(",")
        if EVENT in rest and value.isdigit():
            return int(value)
    return None


def instructions_of(work: Callable[[], object]) -> int | None:
    """Instructions of a work, of all threads, and of the processes that it starts; None where nothing counts them."""
    return None if missing() else _counted(work)


def _counted(work: Callable[[], object]) -> int | None:
    (told, tell), (answered, answer) = os.pipe(), os.pipe()
    with tempfile.NamedTemporaryFile() as file:
        words = [
            "perf", "stat", "-x", ",", "-e", EVENT, "-o", file.name, "-p", str(os.getpid()), "--delay", "-1",
            "--control", f"fd:{told},{answer}",
        ]  # fmt: skip
        with subprocess.Popen(words, pass_fds=(told, answer), stderr=subprocess.DEVNULL) as perf:  # noqa: S603
            os.close(told)
            os.close(answer)
            try:
                _order(tell, answered, b"enable\n")
                work()
                _order(tell, answered, b"disable\n")
            finally:
                os.close(tell)
                os.close(answered)
                perf.send_signal(signal.SIGINT)
        return number_in(Path(file.name).read_text(encoding="utf-8"))


def _order(tell: int, answered: int, word: bytes) -> None:
    """Tell perf something, and wait until it has done so, or has ended."""
    os.write(tell, word)
    os.read(answered, 16)
