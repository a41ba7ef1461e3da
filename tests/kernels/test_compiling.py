"""The disk cache of compiled kernels: it is used again, and never for sources that have changed."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numba
import numpy as np
import pytest

import memsim
from memsim.kernels import compiling, disk_cache
from memsim.kernels.disk_cache import source_digest

ROOT = Path(memsim.__file__).parents[1]
KERNELS = Path(compiling.__file__).resolve().parent
SOURCES = sorted(path.relative_to(KERNELS).as_posix() for path in KERNELS.rglob("*.py"))

compiles = pytest.mark.skipif(bool(numba.config.DISABLE_JIT), reason="nothing is compiled")

# What follows is run by processes of their own, from folders that have no tests.
STEP = """
import json
import numpy as np
from memsim.kernels.operands import Job, Rows, Tally
from memsim.kernels.records import Packed, from_python
from memsim.kernels.stepping import ModelFunctions, stretches_of
from memsim.kernels.tiles import ANY_VARIABLE, new_tile, room_of


def step(model, current, parameters, steps, dt):
    room = np.zeros((8, room_of(1)))
    tally = Tally(*room[:6], room[6:7], room[7:8])
    job = Job(np.zeros((1, room_of(1))), np.full(room_of(1), current), parameters, np.array([-9.0]), np.array([9.0]),
              tally, new_tile(1), 1, steps, dt, ANY_VARIABLE)
    (stretch,) = stretches_of(model, "euler", job)
    nothing = np.empty(0)
    packed = Packed(stretch.job._replace(model=stretch.tile.address))
    from_python(stretch.pulse)(packed, Packed(Rows(nothing, nothing, nothing, 0)), 0)
    return job.states[0, 0], [stretch.pulse, stretch.tile]
"""

STEP_ONE_SYNAPSE = (
    STEP
    + """
from memsim.kernels.models import synapse

model = ModelFunctions("synapse_both", synapse.VARIABLES, synapse.PARAMETERS, synapse.drift, synapse.output)
state, kernels = step(model, 3.0, np.array([1.0, 1.0]), 5, 0.125)
print(json.dumps({"state": state, "hits": [kernel.was_on_disk for kernel in kernels]}))
"""
)

ACTIVATE = """
import json
from memsim.kernels.controller import activated
from memsim.kernels.slots import Activation

print(json.dumps({"value": activated(int(Activation.LOGISTIC), 0.0)}))
"""


@pytest.fixture
def copied_kernels(tmp_path):
    """Copy the kernels' sources as a package memsim.kernels of its own."""
    package = tmp_path / "copy" / "memsim"
    shutil.copytree(KERNELS, package / "kernels", ignore=shutil.ignore_patterns("__pycache__"))
    (package / "__init__.py").touch()
    return package / "kernels"


def output_of(program, folder, cache):
    """Run a program in a process of its own, from a folder and with a cache folder; return what it prints."""
    return outputs_of(program, folder, cache, processes=1)[0]


def outputs_of(program, folder, cache, processes):
    """Run a program in processes of its own at the same time; return what each prints."""
    environment = {**os.environ, "MEMSIM_CACHE_DIR": str(cache)}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    begun = [
        subprocess.Popen([sys.executable, "-c", program], cwd=folder, env=environment, **pipes)
        for _ in range(processes)
    ]
    printed = [process.communicate() for process in begun]
    assert [process.returncode for process in begun] == [0] * processes, printed
    return [json.loads(out) for out, _ in printed]


def test_a_copy_of_the_kernels_shares_their_cache_folder(copied_kernels):
    assert disk_cache.cache_folder().name == f"kernels-{source_digest(copied_kernels)[:16]}"


@pytest.mark.parametrize("source", SOURCES)
def test_an_edit_in_any_kernel_file_changes_the_cache_folder(source, copied_kernels):
    original = source_digest(copied_kernels)
    with (copied_kernels / source).open("a") as file:
        file.write("# edited\n")
    assert source_digest(copied_kernels) != original


def test_a_renamed_or_a_new_kernel_file_changes_the_cache_folder(copied_kernels):
    original = source_digest(copied_kernels)
    (copied_kernels / "models" / "new.py").touch()
    added = source_digest(copied_kernels)
    (copied_kernels / "models" / "new.py").rename(copied_kernels / "models" / "newer.py")
    renamed = source_digest(copied_kernels)
    assert len({original, added, renamed}) == 3


def test_the_cache_folder_lies_where_the_environment_says(monkeypatch, tmp_path):
    for name in ("MEMSIM_CACHE_DIR", "NUMBA_CACHE_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "user"))
    assert disk_cache.cache_folder().parent == tmp_path / "user" / "memsim"
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "numba"))
    assert disk_cache.cache_folder().parent == tmp_path / "numba"
    monkeypatch.setenv("MEMSIM_CACHE_DIR", str(tmp_path / "own"))
    assert disk_cache.cache_folder().parent == tmp_path / "own"


@compiles
def test_of_two_processes_one_compiles_and_the_other_takes_the_kernel_from_the_disk(tmp_path):
    done = outputs_of(STEP_ONE_SYNAPSE, ROOT, tmp_path, processes=2)
    hits = np.array([one["hits"] for one in done])
    assert hits.sum(axis=0).tolist() == [1, 1]  # of each of its two kernels one process takes what the other compiled
    assert [one["state"] for one in done] == [1.25, 1.25]  # 5 steps of 0.125 s at 3 A - 1 A


@compiles
@pytest.mark.parametrize("kept", [True, False])
def test_an_edit_in_another_file_reaches_a_cached_kernel(kept, copied_kernels, tmp_path, monkeypatch):
    folder, cache = copied_kernels.parent.parent, tmp_path / "cache"
    if not kept:  # nor anywhere else
        cache.touch()
        monkeypatch.setenv("NUMBA_CACHE_LOCATOR_CLASSES", "InTreeCacheLocator")
    assert output_of(ACTIVATE, folder, cache)["value"] == 0.5
    source = copied_kernels / "mathematics.py"
    text = source.read_text()
    assert "    smaller = exponential(-abs(x))\n" in text
    source.write_text(
        text.replace("    smaller = exponential(-abs(x))\n", "    smaller = 3.0 * exponential(-abs(x))\n")
    )
    assert output_of(ACTIVATE, folder, cache)["value"] == 0.25
    assert bool(list(tmp_path.rglob("*.nbc"))) == kept
    assert not list(folder.rglob("*.nb[ic]"))


def test_specialised_copies_keep_their_own_bindings():
    def template(x):
        return x * factor  # noqa: F821

    double, triple = (compiling.specialise(template, f"times_{n}", factor=float(n)) for n in (2, 3))
    assert (double(1.5), triple(1.5)) == (3.0, 4.5)
    assert double.__name__ == "times_2"


XOR = """
import json
import memsim
from memsim.network.assembly import assemble
from memsim.configuration import Configuration
from memsim.stepping.engine import Engine

engine = Engine(assemble(Configuration(run={"realisations": 4}), memsim.datasets.gate("xor")), threads=1, epochs=1)
print(json.dumps({kernel.name: kernel.code_bytes for kernel in engine.kernels()}))
engine.close()
"""
MOST_KERNELS, MOST_BYTES = 20, 110_000


@compiles
def test_the_first_network_compiles_few_kernels_and_little_machine_code(tmp_path):
    """What a first step waits for; a ceiling, so that nobody raises it unseen."""
    sizes = output_of(XOR, ROOT, tmp_path)
    print(f"XOR compiles {len(sizes)} kernels, {sum(sizes.values()):,} bytes of machine code")
    assert len(sizes) <= MOST_KERNELS
    assert sum(sizes.values()) <= MOST_BYTES
    assert max(sizes.values()) <= MOST_BYTES / 5


OWN_MODEL = """
from memsim.kernels.stepping import ModelFunctions


def drift(x, i, p):
    return {factor} * i


def output(x, i, p):
    return x * i


FUNCTIONS = ModelFunctions("own_model", 1, 1, drift, output)
"""

STEP_OWN_MODEL = (
    STEP
    + """
from own import FUNCTIONS

print(step(FUNCTIONS, 1.0, np.zeros(1), 1, 1.0)[0])
"""
)


@compiles
def test_an_edit_in_a_users_own_model_reaches_a_cached_kernel(tmp_path):
    """The kernels that a user's functions are compiled into are named by a digest of their file."""
    found = []
    for factor in ("2.0", "3.0"):
        (tmp_path / "own.py").write_text(OWN_MODEL.format(factor=factor))
        program = f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n" + STEP_OWN_MODEL
        found.append(output_of(program, ROOT, tmp_path / "cache"))
    assert found == [2.0, 3.0]
