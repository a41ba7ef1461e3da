"""``start``: what a command takes before it works, each in a fresh process; kernels compiled, and loaded."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from ...errors import RunError
from ..case import Case, Setting
from ..networks import network_221, single_layer_or
from ..records import Record, record
from ..timing import Effort, Times, Work, taking_turns

TURNS = 7
COLD_TURNS = 2  # each compiles all kernels of a network


def cases(setting: Setting) -> list[Case]:
    """Starts that take turns, and those with an empty cache."""
    found = [Case("warm", partial(_warm, setting))]
    return (
        found if setting.quick else [*found, *(Case(f"cold {k}", partial(_cold, setting, k)) for k in ("mlp", "slp"))]
    )


def _warm(setting: Setting) -> list[Record]:
    """Everything that the kernels' cache has been filled for."""
    config = _written(setting.folder, "mlp")
    works = {
        "python -c pass": ("-c", "pass"),
        "python -c 'import numba'": ("-c", "import numba"),
        "python -c 'import memsim'": ("-c", "import memsim"),
        "memsim --help": ("-m", "memsim", "--help"),
        "memsim run, one epoch, kernels in the cache": _run(config),
    }
    effort = Effort(0.0, 3 if setting.quick else TURNS, 30.0)
    times = taking_turns({name: partial(_call, words) for name, words in works.items()}, effort)
    return [_record(name, times[name], times["python -c pass"]) for name in works]


def _cold(setting: Setting, kind: str) -> list[Record]:
    """A one-epoch run that compiles its kernels first."""
    config = _written(setting.folder, kind)

    def work() -> None:
        with tempfile.TemporaryDirectory(dir=setting.folder) as cache:
            _call(_run(config), {"MEMSIM_CACHE_DIR": cache})

    works: dict[str, Work] = {"cold": work, "python": partial(_call, ("-c", "pass"))}
    times = taking_turns(works, Effort(0.0, COLD_TURNS, 0.0), warm=False)
    return [_record(f"memsim run, one epoch, kernels compiled, {kind}", times["cold"], times["python"])]


def _written(folder: Path, kind: str) -> Path:
    """A one-epoch configuration in a file."""
    path = folder / f"{kind}.toml"
    config = network_221(1, 1) if kind == "mlp" else single_layer_or(1, 1)
    path.write_text(config.to_toml(), encoding="utf-8")
    return path


def _run(config: Path) -> tuple[str, ...]:
    return ("-m", "memsim", "run", str(config), "--out", str(config.with_suffix(".h5")), "--overwrite", "--quiet")


def _call(words: tuple[str, ...], environment: Mapping[str, str] | None = None) -> None:
    """Python in a fresh process."""
    command = [sys.executable, *words]
    done = subprocess.run(  # noqa: S603
        command, capture_output=True, text=True, check=False, env={**os.environ, **(environment or {})}
    )
    if done.returncode == 130:
        raise KeyboardInterrupt
    if done.returncode:
        raise RunError(f"{' '.join(words)} failed: {(done.stderr.splitlines() or ['no word'])[-1]}")


def _record(case: str, times: Times, python: Times) -> Record:
    return record("start", case, times, more={"seconds_over_python": max(0.0, times.minimum - python.minimum)})
