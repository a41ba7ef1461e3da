"""The package as it is installed: every folder listed, one way to import each, one version."""

import ast
import configparser
import importlib
import importlib.metadata
import re
import subprocess
import sys

import pytest
from places import ROOT

import memsim
from memsim._old_names import PUBLIC

SETUP = configparser.ConfigParser()
SETUP.read(ROOT / "setup.cfg", encoding="utf-8")
LISTED = set(SETUP["options"]["packages"].split())
DISTRIBUTIONS = {"sklearn": "scikit-learn", "tomli_w": "tomli-w", "vcd": "pyvcd"}  # of modules with another name
# Files that may import what an extra installs.
OF_EXTRAS = {
    "memsim/viewing": "view",
    "memsim/benchmarking/peers": "peers",
    "memsim/sklearn": "sklearn",
    "memsim/fitting": "fit",
    "memsim/sweeping/design.py": "sweep",
    "memsim/sweeping/cluster.py": "dask",
    "memsim/runs/lazy_arrays.py": "xarray",
    "memsim/runs/history.py": "pandas",
    "memsim/runs/run.py": "pandas",
    "memsim/sweeping/results.py": "pandas",
    "memsim/analysis/frames.py": "pandas",
    "traces/codecs.py": "blosc",
    "tests": "test",
}


def python(code, folder=ROOT):
    """Run Python where it finds the packages of a checkout first."""
    return subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=False)


def test_the_root_has_ten_modules_at_most():
    """What is more than that belongs into a package."""
    assert len(list((ROOT / "memsim").glob("*.py"))) <= 10


def test_every_package_is_listed_and_every_listed_one_is_there():
    """kernels and traces lie at the root and install as memsim.kernels and memsim.traces."""
    found = set()
    for base, name in (("memsim", "memsim"), ("kernels", "memsim.kernels"), ("traces", "memsim.traces")):
        for path in (ROOT / base).rglob("__init__.py"):
            inner = path.parent.relative_to(ROOT / base).parts
            if base != "memsim" or not inner or inner[0] not in ("kernels", "traces"):
                found.add(".".join((name, *inner)))
    assert found == LISTED
    folders = dict(line.split(" = ") for line in SETUP["options"]["package_dir"].strip().splitlines())
    assert folders == {"memsim": "memsim", "memsim.kernels": "kernels", "memsim.traces": "traces"}


def declared(lines):
    """Names of the distributions of a list of requirements."""
    return {re.match(r"[\w.-]+", line).group().lower() for line in lines.split("\n") if line}


def imported(tree):
    """Top-level modules that a file imports."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield node.module.partition(".")[0]


def sources():
    """Every file of Python with its name from the root, parsed."""
    for folder in ("memsim", "kernels", "traces", "tests"):
        for path in (ROOT / folder).rglob("*.py"):
            yield path.relative_to(ROOT).as_posix(), ast.parse(path.read_text(encoding="utf-8"))


def test_what_a_file_imports_is_declared_in_the_core_or_in_its_extra():
    core, extras = declared(SETUP["options"]["install_requires"]), SETUP["options.extras_require"]
    own_files = [*(ROOT / "tests").rglob("*.py"), *(ROOT / "docs" / "extensions").iterdir()]
    known = {*sys.stdlib_module_names, "memsim", *(path.stem for path in own_files)}
    missing = set()
    for name, tree in sources():
        own = [declared(extras[extra]) for part, extra in OF_EXTRAS.items() if f"{name}/".startswith(f"{part}/")]
        for module in set(imported(tree)) - known:
            if DISTRIBUTIONS.get(module, module) not in core.union(*own):
                missing.add((name, module))
    assert missing == set()


def test_what_is_loaded_by_name_is_of_the_extra_that_the_error_names():
    loaded = 0
    for name, tree in sources():
        for node in ast.walk(tree):
            called = isinstance(node, ast.Call) and getattr(node.func, "id", "") == "load_library"
            if called and all(isinstance(given, ast.Constant) for given in node.args[:2]):
                module, extra = (given.value for given in node.args[:2])
                top = module.partition(".")[0]
                listed = declared(SETUP["options.extras_require"][extra])
                assert DISTRIBUTIONS.get(top, top) in listed, name
                loaded += 1
    assert loaded > 3


def test_every_data_file_that_is_listed_is_there():
    for package, names in SETUP["options.package_data"].items():
        folder = ROOT / package.replace("memsim.traces", "traces").replace(".", "/")
        for name in names.split():
            assert (folder / name).is_file(), f"{package}: {name}"


def test_every_data_file_of_the_page_is_listed():
    there = {path.name for path in (ROOT / "memsim" / "viewing").iterdir() if path.suffix in (".html", ".css", ".js")}
    assert there == set(SETUP["options.package_data"]["memsim.viewing"].split())


@pytest.mark.parametrize("name", ["kernels", "traces"])
def test_bare_imports_are_refused(name):
    done = python(f"import {name}")
    assert done.returncode != 0
    assert done.stderr.splitlines()[-1].startswith(f"ImportError: import memsim.{name}, not {name}")


def test_importing_memsim_loads_nothing_else():
    heavy = ("numba", "numpy", "h5py", "matplotlib", "pydantic")
    done = python(f"import sys, memsim; print([name for name in {heavy} if name in sys.modules])")
    assert done.stdout.strip() == "[]", done.stderr


def test_every_public_name_loads():
    for name in memsim.__all__:
        if name != "__version__":
            assert getattr(memsim, name) is not None
    assert dir(memsim) == sorted(memsim.__all__)
    with pytest.raises(AttributeError, match=r"no attribute 'MemristorMLPClassifier'; memsim\.sklearn has the est"):
        _ = memsim.MemristorMLPClassifier
    with pytest.raises(AttributeError, match="module 'memsim' has no attribute 'perceptron'"):
        memsim.perceptron  # noqa: B018


@pytest.mark.parametrize("name", ["memsim.datasets", "memsim.devices", "memsim.sklearn"])
def test_a_package_offers_only_its_own_names_to_complete(name):
    package = importlib.import_module(name)
    assert dir(package) == sorted([*package.__all__, "__all__"])


def test_version_is_the_installed_ones():
    listed = SETUP["metadata"]["version"]
    try:
        installed = importlib.metadata.version("memsim")
    except importlib.metadata.PackageNotFoundError:
        pytest.skip("memsim is not installed: it is imported from a checkout")
    assert memsim.__version__ == installed == listed


def test_the_map_of_the_code_has_every_package_in_the_order_of_the_layers():
    lines = SETUP["importlinter:contract:layers"]["layers"].split("\n")
    layers = [re.split(r" \| ", line.strip()) for line in lines if line.strip()]
    level = {name: -k for k, names in enumerate(layers) for name in names}
    table = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8").split("| package |")[1].split("\n\n")[0]
    named = [re.findall(r"`(\w+)`", row.split("|")[1]) for row in table.splitlines()[2:]]
    assert {name for row in named for name in row} == set(level) - {"__main__", "_old_names"}
    order = [level[name] for row in named for name in row]
    assert sorted(order) == order


@pytest.mark.parametrize("room", ["kernels", "traces"])
def test_the_map_of_a_room_has_every_module(room):
    page = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    table = page.split(f"| module of `{room}` |")[1].split("\n\n")[0]
    named = [name for row in table.splitlines()[2:] for name in re.findall(r"`(\w+)`", row.split("|")[1])]
    modules = {path.stem for path in (ROOT / room).iterdir() if path.suffix == ".py" or path.name == "models"}
    assert sorted(named) == sorted(modules - {"__init__"})


def test_tests_lie_in_folders_of_the_packages():
    folders = {path.parent for path in (ROOT / "tests").glob("**/test_*.py")} - {ROOT / "tests"}
    packages = {name.split(".")[1] for name in LISTED if "." in name}
    assert {str(path.relative_to(ROOT / "tests")) for path in folders} <= packages


def test_each_public_name_is_what_checkers_of_types_find_in_its_home():
    tree = ast.parse((ROOT / "memsim" / "__init__.pyi").read_text(encoding="utf-8"))
    imports = [node for node in tree.body if isinstance(node, ast.ImportFrom)]
    typed = [(node.module, alias.name) for node in imports for alias in node.names]
    # Only what is imported under its own name is public for them.
    assert all(alias.asname == alias.name for node in imports for alias in node.names)
    assert len({name for _, name in typed}) == len(typed)
    assert {name for _, name in typed} == set(memsim.__all__) - {"__version__"}
    for home, name in typed:
        found = getattr(memsim, name)
        if home is None or name in PUBLIC:
            assert dir(found) == dir(importlib.import_module(f"memsim.{f'{home}.' if home else ''}{name}"))
        else:
            assert found is getattr(importlib.import_module(f"memsim.{home}"), name)


def test_a_users_script_has_real_types(tmp_path):
    """By mypy, strictly; it is no requirement of the tests."""
    api = pytest.importorskip("mypy.api")
    script = tmp_path / "script.py"
    script.write_text(
        "import memsim\n"
        "run = memsim.train(memsim.MultilayerPerceptron(), memsim.datasets.gate('xor'), epochs=2)\n"
        "reveal_type(run)\n"
        "reveal_type(memsim.open_run)\n"
        "memsim.nothing\n"
        "memsim.train(3)\n"
        "config = memsim.load('xor.toml', {'run.seed': 1})\n"
        "reveal_type(config)\n"
        "reveal_type(memsim.run(config, out='xor.h5'))\n"
        "network = memsim.MultilayerPerceptron(inputs=4, hidden=8, outputs=3, synapse='vteam')\n"
        "memsim.train(network, [[0.0, 1.0]], [1], epochs=2, scaling='range')\n"
        "memsim.train(network, [[0.0, 1.0]], [1], scaling='linear')\n"
        "memsim.run(3)\n"
        "reveal_type(run.plot())\n"
        "reveal_type(run.weights_over_epochs['nodes1'].weights)\n"
        "reveal_type(memsim.export('xor.h5', 'xor.csv', epochs=(0, 1)))\n"
        "memsim.train(network, [[0.0, 1.0]], [1], lr=0.1)\n"
        "memsim.train(network, [[0.0, 1.0]], [1], patience=10, schedule='linear')\n"
        "memsim.train(network, [[0.0, 1.0]], [1], patience=10, schedule='cosine', batch=4)\n"
        "run.plot_trace(['nodes1'], sample='0:2')\n"
        "run.to_pandas('nodes1', samples=(0, 2), device=[0])\n"
        "run.to_pandas('nodes1', samples='0:2', devices=[0])\n"
    )
    out, err, _ = api.run(
        ["--strict", "--config-file=", "--ignore-missing-imports", "--follow-imports=silent", str(script)]
    )
    assert err == ""
    assert 'script.py:3: note: Revealed type is "memsim.runs.run.Run"' in out
    assert "def (path: str | pathlib.Path) -> memsim.runs.run.Run" in out
    assert 'script.py:5: error: Module has no attribute "nothing"' in out
    assert "script.py:6: error: " in out
    assert 'script.py:8: note: Revealed type is "memsim.configuration.sections.Configuration"' in out
    assert 'script.py:9: note: Revealed type is "memsim.runs.run.Run"' in out
    assert 'script.py:14: note: Revealed type is "matplotlib.figure.Figure"' in out
    assert 'script.py:15: note: Revealed type is "numpy.ndarray' in out
    assert 'script.py:16: note: Revealed type is "pathlib.Path"' in out
    assert {line for line in re.findall(r"script.py:(\d+): error", out)} == {
        "5",
        "6",
        "12",
        "13",
        "17",
        "18",
        "20",
        "21",
    }
