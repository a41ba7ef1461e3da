"""Looks at run files as a user does, one path a line of stdin, and answers one line of JSON each.

It runs in a process of its own, which a broken file may take with it.
"""

import contextlib
import io
import json
import os
import re
import resource
import sys
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from memsim.cli import main
from memsim.driving.drive_trace import DriveTrace, open_drive
from memsim.errors import MemsimError
from memsim.runs.opening import open_run
from memsim.runs.run import Run
from memsim.traces.errors import NotARunFileError

MEMORY = 64 << 20  # bytes that a small file may take
LIMIT = 4 << 30  # what it is stopped at, for the machine's sake
PROPERTIES = (
    "path", "live", "finished", "stopped", "configuration_text", "configuration", "config", "banks", "dataset", "seeds",
    "total_error", "validation_error", "learning_rate", "best_epoch", "best_error",
    "order", "slots", "dt", "sample_steps", "samples", "realisations", "samples_done", "steps", "traced",
    "calibration", "margins", "weights", "energy", "phase_time", "simulated_time", "device_steps", "wall_seconds",
)  # fmt: skip
DRIVE_PROPERTIES = (
    "finished", "steps", "dt", "drive", "model", "variables", "labels", "notes", "configuration_text", "configuration",
    "config", "time", "current", "voltage", "state", "initial_state", "energy", "peak_response", "lowest", "highest",
    "rows_at_bound",
)  # fmt: skip
Questioned = Iterator[tuple[str, Callable[[], Any]]]
Questions = Callable[[Any], Questioned]
NO_MEMORY = re.compile("Unable to allocate|MemoryError")  # NumPy's: asked for more than there is


def questions(run: Run) -> Questioned:
    """All that a reader can be asked, by name; what is long is asked of a short stretch."""
    for name in PROPERTIES:
        yield name, lambda name=name: getattr(run, name)
    for name in ("epoch_energy", "best_state", "initial_state", "final_state", "keyframes"):
        yield name, lambda name=name: dict(getattr(run, name))
    for bank in run.banks:
        yield f"bank({bank})", lambda bank=bank: run.bank(bank)
        yield f"diagnostics({bank})", lambda bank=bank: dict(run.diagnostics(bank))
    end = min(run.steps, 2 * run.sample_steps)
    for bank in run.traced:
        for name in run.trace(bank).selection.quantities:
            yield f"kept({bank}, {name})", lambda bank=bank, name=name: run.kept(bank, name, 0, end)
        yield f"holds({bank})", lambda bank=bank: run.holds(bank, 0, end, list(range(run.realisations)))
        yield f"wrong_chunks({bank})", lambda bank=bank: list(run.stored.wrong_chunks(bank))
        yield f"overview({bank})", lambda bank=bank: run.envelope(bank, "state", 0, run.steps, 2)
    for bank in {*run.banks[:1], *run.banks[-1:]}:  # one with a trace and one without
        yield f"window({bank})", lambda bank=bank: run.window(bank, "voltage", max(0, end - 9), end)
        yield f"envelope({bank})", lambda bank=bank: run.envelope(bank, "state", 0, end, 5)


def questions_to_a_drive(trace: DriveTrace) -> Questioned:
    """The same of the file of a drive."""
    for name in DRIVE_PROPERTIES:
        yield name, lambda name=name: getattr(trace, name)


def unexpected(error: BaseException) -> str:
    """What is wrong with an error; nothing where it is one clear line."""
    text = str(error)
    if isinstance(error, MemsimError | NotARunFileError) and text and "\n" not in text:
        return f"asked for memory: {text}" if NO_MEMORY.search(text) else ""
    return "".join(traceback.format_exception(error)[-6:])


def look(path: Path, opened: Callable[[Path], Any] = open_run, asked: Questions = questions) -> tuple[str, list[str]]:
    """How reading a file ended, and what was unexpected on the way."""
    wrong: list[str] = []
    try:
        with opened(path) as file:
            state, refused = "read", 0
            for name, ask in asked(file):
                try:
                    ask()
                except Exception as error:  # any of them is judged
                    refused += 1
                    state = f"refused {refused} questions, the last with: {error}"
                    said = unexpected(error)
                    wrong += [f"{name}: {said}"] if said else []
    except Exception as error:
        said = unexpected(error)
        return f"refused: {error}", wrong + ([said] if said else [])
    return state, wrong


def call(*arguments: str, refusal: str | None = None) -> list[str]:
    """Call the command line; what is unexpected in its answer: where a refusal is expected, all but a line with it."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main(list(arguments))
            status: Any = 0
        except SystemExit as end:
            status = end.code or 0
    said = err.getvalue()
    if refusal is not None:
        as_expected = status == 2 and said.count("\n") == 1 and said.endswith(f"{refusal}\n")
        return [] if as_expected else [f"{' '.join(arguments)}: status {status}, {said!r}, and not {refusal!r}"]
    # `trace verify` has status 1 where it found faults, and a line on stdout for each.
    expected = {(0, 0), (2, 1)} | ({(1, 0)} if arguments[:2] == ("trace", "verify") else set())
    if (status, said.count("\n")) not in expected or "please report" in said:
        return [f"{' '.join(arguments)}: status {status}, {said!r}"]
    return []


def answer(path: str, number: int = 0) -> dict[str, Any]:
    """The answer to one path.

    A file that is refused is shown to one of the commands, by its number; one
    that opens, which takes longest, is shown to two of them every fourth time.
    """
    is_a_drive = Path(path).name.startswith("drive")
    state, wrong = look(Path(path), open_drive, questions_to_a_drive) if is_a_drive else look(Path(path))
    show, verify = ("trace", "info", path), ("trace", "verify", path, "--quiet", "--windows", "1")
    again = ("drive" if is_a_drive else "run", path, "--out", f"{path}.out.h5", "--quiet")
    if state.startswith("refused: "):
        command = again if is_a_drive else (show, verify, again)[number % 3]
        # What is no HDF5 is read as TOML, and refused as that. Numbers of errors are not shown.
        toml = command is again and "is no HDF5 file" in state
        refusal = "" if toml else re.sub(r"\[Errno \d+\] ", "", state.removeprefix("refused: "))
        wrong += call(*command, refusal=refusal)
    elif number % 4 == 0 and not is_a_drive:
        wrong += call(*show) + call(*verify)
    return {"state": state, "wrong": wrong}


def resident(name: str) -> int:
    """This process's memory in bytes: ``VmRSS`` now, ``VmHWM`` at most since it was last forgotten."""
    found = re.search(rf"{name}:\s*(\d+) kB", Path("/proc/self/status").read_text())
    assert found is not None
    return int(found[1]) << 10


def serve(warm: list[str]) -> None:
    """Answer until stdin ends; ``warm`` are good files, to load and compile all that is needed."""
    said = os.fdopen(os.dup(1), "w")
    for path in warm:
        print(json.dumps(answer(path)), file=said, flush=True)
    size = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (size + LIMIT, resource.RLIM_INFINITY))
    for number, line in enumerate(sys.stdin):
        Path("/proc/self/clear_refs").write_text("5")  # forgets the peak
        before = resident("VmRSS")
        answered = answer(line.rstrip("\n"), number)
        taken = resident("VmHWM") - before
        if taken > MEMORY:
            answered["wrong"].append(f"took {taken >> 20} MiB")
        print(json.dumps(answered), file=said, flush=True)


if __name__ == "__main__":
    serve(sys.argv[1:])
