"""The pages: their blocks run, their links lead somewhere, their tables say what is there."""

import importlib
import re
import runpy
import shlex
import shutil
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest
import tables
from caches import filled
from pages import FORMAT, PAGES, README, blocks, page_id, sections_of, table_rows
from places import ROOT

import memsim
from memsim import cli
from memsim.analysis.windows import write_window
from memsim.cli.fit import command as fit_command
from memsim.configuration.sections import (
    Configuration,
    TraceSection,
    load_configuration,
)
from memsim.devices import Node
from memsim.driving.drive_configuration import load_drive_configuration
from memsim.kernels.operands import COUNTERS
from memsim.reproduction.settings import Reproduction, multilayer
from memsim.sweeping.packs import plan
from memsim.sweeping.sweep_configuration import load_sweep
from memsim.traces.past import PAST
from memsim.traces.schema import RUN_ATTRIBUTES

TOUR = ROOT / "docs" / "tour.md"
OF_THE_CODE = [ROOT / f"{name}.md" for name in ("ARCHITECTURE", "CONTRIBUTING", "CHANGELOG")]
SOURCES = [path for folder in ("memsim", "kernels", "traces", "tests") for path in (ROOT / folder).rglob("*.py")]
# Their kernels are compiled for them alone, of banks to measure, of pairs of models; or they make many runs.
SLOW_PAGES = [
    ROOT / "docs" / f"{name}.md"
    for name in ("benchmark", "beyond", "imperfections", "other-devices", "peers", "performance")
]
IMAGE_BYTES = 200_000

# What makes a command of a page short; the last of two equal options counts.
SHORT = {
    # Euler's loop of each network is one that other tests need too.
    "run": [
        "--set",
        "learning.epochs=2",
        "--set",
        "run.realisations=2",
        "--set",
        "time.integrator=euler",
        "--quiet",
    ],
    "reproduce": ["--realisations", "2", "--epochs", "2", "--reading-realisations", "0", "--quiet"],
    "sweep": [
        "--set",
        "base.learning.epochs=2",
        "--set",
        "base.run.realisations=2",
        "--set",
        "sweep.seeds=[0]",
        "--set",
        "sweep.data_seeds=[0]",
        "--set",
        "sweep.lanes=100",
        "--processes",
        "1",
        "--quiet",
    ],
    "drive": ["--quiet"],
    "fit": ["--quiet"],
    "bench": ["--quick", "--quiet"],
}


def commands(block: str) -> list[list[str]]:
    """The arguments of each ``memsim`` command of a shell block."""
    joined = block.replace("\\\n", " ")
    words = [shlex.split(part, comments=True) for line in joined.splitlines() for part in line.split("&&")]
    return [part[1:] for part in words if part[:1] == ["memsim"]]


def run_command(arguments: list[str]) -> None:
    # Of a benchmark of all suites the shortest stands for them; tests/benchmarking/test_bench.py has each.
    suite = ["tricks"] if arguments[0] == "bench" and arguments[1].startswith("-") else []
    # The exponent of VTEAM's default, whose loop tests/stepping/test_learning_loop.py needs too.
    other = ["--set", "devices.synapse.alpha_on=3"] if arguments[:2] == ["run", "examples/vteam.toml"] else []
    with pytest.raises(SystemExit) as exited:
        cli.main([*arguments, *suite, *other, *SHORT.get(arguments[0], [])])
    assert exited.value.code in (0, None), arguments


def test_no_page_starts_a_scheduler_that_listens_on_all_addresses():
    """Whoever reaches it can run code."""
    lines = [line for page in PAGES for _, _, _, body in blocks(page) for line in body.splitlines()]
    started = [line for line in lines if line.startswith("dask scheduler")]
    assert len(started) == 2
    assert all(" --host " in line for line in started)


def needs_ngspice() -> None:
    """Skip where the referee is missing."""
    if shutil.which("ngspice") is None:
        pytest.skip("ngspice is not installed")


def serve_for_a_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have ``memsim trace view`` end as soon as it serves."""
    server = pytest.importorskip("memsim.viewing.server")
    serve = server.Viewer.serve

    def briefly(viewer, *, show):
        viewer.stop()
        serve(viewer, show=False)

    monkeypatch.setattr(server.Viewer, "serve", briefly)


@pytest.fixture(scope="module")
def small_runs(tmp_path_factory):
    """Run files that hold everything that a run file can hold: traces of both kinds of network."""
    folder = tmp_path_factory.mktemp("runs")
    trace = TraceSection(mode="full")
    common = {"epochs": 2, "realisations": 2, "trace": trace}
    data = memsim.datasets.gate("xor", samples=5)
    networks = {"multi": memsim.MultilayerPerceptron(), "single": memsim.SingleLayerPerceptron()}
    for name, network in networks.items():
        memsim.train(network, data, **common, validation=0.2, out=folder / f"{name}.h5").close()
    return [folder / f"{name}.h5" for name in networks]


@pytest.mark.parametrize(
    "page",
    [pytest.param(page, id=page_id(page), marks=pytest.mark.slow if page in SLOW_PAGES else ()) for page in PAGES],
)
def test_blocks_run(page, tmp_path, monkeypatch, request):
    """Python and shell blocks of a page, in order, in one folder with the examples."""
    found = blocks(page)
    if page == FORMAT:
        shutil.copy(request.getfixturevalue("small_runs")[0], tmp_path / "run.h5")
    if any(options for _, _, options, _ in found):
        # Models of the page's own would stay in the cache for good.
        monkeypatch.setenv("MEMSIM_CACHE_DIR", str(filled(tmp_path / "cache")))
    shell = "\n".join(body for _, language, _, body in found if language == "sh")
    if any(words[:2] == ["trace", "referee"] for words in commands(shell)):
        needs_ngspice()
    if "memsim trace view" in page.read_text(encoding="utf-8"):
        serve_for_a_moment(monkeypatch)
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    modules, models = set(sys.modules), set(memsim.devices.MODELS)
    namespace: dict[str, object] = {"__name__": "page"}
    try:
        for line, language, options, body in found:
            if options.startswith("file="):
                Path(options.removeprefix("file=")).write_text(body, encoding="utf-8")
            elif language == "python":
                exec(compile("\n" * line + body, page_id(page), "exec"), namespace)
            elif language == "sh":
                for arguments in commands(body):
                    run_command(arguments)
    finally:
        for name in set(memsim.devices.MODELS) - models:
            del memsim.devices.MODELS[name]
        for name in set(sys.modules) - modules:
            if (tmp_path / f"{name}.py").exists():
                del sys.modules[name]


def test_every_page_has_its_blocks_found():
    counted = {
        page: sum(len(commands(body)) for _, language, _, body in blocks(page) if language == "sh") for page in PAGES
    }
    assert counted[README] >= 5
    assert counted[TOUR] >= 20
    languages = {language for page in PAGES for _, language, _, _ in blocks(page)}
    assert languages == {"python", "sh", "text", "toml"}
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        of_the_site = len(re.findall(r"^```\{", text, flags=re.MULTILINE))
        assert text.count("```") == 2 * (len(blocks(page)) + of_the_site), page_id(page)


def test_the_two_commands_are_in_the_readme():
    text = README.read_text(encoding="utf-8")
    assert "pip install . && memsim reproduce" in text
    assert "pip install '.[test]' && pytest" in text


def test_the_readme_is_one_screen():
    assert len(README.read_text(encoding="utf-8").splitlines()) <= 50


def test_links_to_pages_say_what_the_page_is_about():
    """On the site pages have titles, and no names of files."""
    for page in [*PAGES, ROOT / "CHANGELOG.md"]:
        if page != README:
            assert not re.findall(
                r"\[[\w/-]+\.md\]\((?!\.\./)", page.read_text("utf-8").replace("(ARCHITECTURE.md)", "")
            ), page


def test_the_reference_has_every_public_name():
    text = (ROOT / "docs" / "reference" / "python.md").read_text(encoding="utf-8")
    listed = re.findall(r"^   ([\w.]+)$", text, flags=re.MULTILINE) + re.findall(r"`(\w+)`", text)
    assert set(memsim.__all__) - {"__version__"} <= set(listed)


@pytest.mark.parametrize("page", [*PAGES, *OF_THE_CODE], ids=page_id)
def test_links_and_images_are_there(page):
    targets = re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8"))
    for target in targets:
        if not target.startswith("https://"):
            path = (page.parent / target).resolve()
            assert path.is_file(), target
            assert path.suffix != ".png" or path.stat().st_size < IMAGE_BYTES, target


def test_every_file_that_pages_and_comments_name_is_there():
    # In a run file traces is a group: of the folder's files those with an ending are meant.
    named = re.compile(r"(?<![\w/.-])(?:(?:memsim|kernels|tests|docs|examples)/[\w/.-]*\w|traces/\w+\.(?:py|md))")
    of_others = {"tests/kat_vectors", "kernels/models/NAME.py", "memsim/devices/NAME.py"}
    for path in [*PAGES, *OF_THE_CODE, *SOURCES, ROOT / "setup.cfg", ROOT / ".ci" / "run"]:
        for name in set(named.findall(path.read_text(encoding="utf-8"))) - of_others:
            assert (ROOT / name).exists(), (path.name, name)


def test_what_pages_say_is_in_a_file_is_defined_there():
    """In sentences such as "`NAME` of `FILE`": a file that imports it is the wrong one."""
    said = re.compile(r"`[\w.]*?(\w+)`(?: of| in| \(|, in) ?`((?:kernels|memsim|traces|tests)/[\w/]+\.py)`")
    found = 0
    for page in (*PAGES, *OF_THE_CODE):
        for name, path in said.findall(re.sub(r"\s+", " ", page.read_text(encoding="utf-8"))):
            if name in ("_OF_MODELLED", "modelled_NAME"):  # which stand for several
                continue
            defined = rf"^ *(?:(?:def|class) {name}\b|(?:self\.|\w+, )*{name}(?:, \w+)*(?::.*)? =|{name}: )"
            assert re.search(defined, (ROOT / path).read_text(encoding="utf-8"), re.MULTILINE), (page.name, name, path)
            found += 1
    assert found > 10


def named_by(name: str) -> object:
    """What a dotted name stands for; a public name before a module of that name."""
    found: object = memsim
    for part in name.split(".")[1:]:
        missing = not hasattr(found, part)
        found = importlib.import_module(f"{found.__name__}.{part}") if missing else getattr(found, part)
    return found


def test_every_module_and_what_is_in_it_that_pages_and_docstrings_name_are_there():
    of_pages = re.compile(r"(?<![\w/.-])memsim(?:\.[A-Za-z_]\w*)+")
    of_roles = re.compile(r":(?:mod|class|func|meth|data|exc):`~?(memsim[\w.]+)`")
    texts = [(path, of_pages) for path in (*PAGES, *OF_THE_CODE, ROOT / "ruff.toml")]
    for path, named in [*texts, *((path, of_roles) for path in SOURCES)]:
        for name in named.findall(path.read_text(encoding="utf-8")):
            assert named_by(name) is not None, (path.name, name)


def test_every_page_and_every_image_is_linked():
    linked = {
        (page.parent / target).resolve()
        for page in PAGES
        for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8"))
    }
    assert {*PAGES, *(ROOT / "docs" / "images").iterdir()} - linked == {README, ROOT / "docs" / "README.md"}


@pytest.mark.parametrize("page", [*PAGES, *(ROOT / "examples").iterdir(), ROOT / "CITATION.cff"], ids=page_id)
def test_no_page_holds_a_path_of_a_machine(page):
    text = page.read_text(encoding="utf-8")
    assert not re.search(r"(?<![\w.~/:])/(home|root|tmp|work|Users|mnt|opt|usr|var|srv)/", text)


def test_the_xor_example_is_the_run_of_figure_4():
    example = load_configuration(ROOT / "examples" / "xor.toml")
    reproduced = multilayer(Reproduction(), "XOR")
    for section in ("network", "devices", "learning", "write", "data"):
        assert getattr(example, section) == getattr(reproduced, section), section
    for name in ("dt", "read", "write", "rest", "integrator"):
        assert getattr(example.time, name) == getattr(reproduced.time, name), name
    assert example.run.realisations == Reproduction().realisations
    assert example.run.seed == Reproduction().seed


def test_the_drive_pages_configuration_is_one(tmp_path):
    shutil.copytree(ROOT / "examples", tmp_path, dirs_exist_ok=True)
    ((_, _, _, body),) = [block for block in blocks(ROOT / "docs" / "drive.md") if block[1] == "toml"]
    (tmp_path / "page.toml").write_text(body)
    assert load_drive_configuration(tmp_path / "page.toml").bank.count == 2


def test_the_drive_page_names_all_that_its_file_holds(tmp_path):
    samples = memsim.waveforms.Sampled(times=[0.0, 1.0], values=[0.0, 1e-4])
    memsim.drive(Node(), samples, dt=0.1, duration=1.0, out=tmp_path / "trace.h5").close()
    found, attributes = contents(tmp_path / "trace.h5")
    section = sections_of(ROOT / "docs" / "drive.md")["The file"]
    rows = {row[0].strip("`"): row for row in table_rows(section) if len(row) == 7}
    assert {name.replace("samples/0", "samples/K") for name in found} == set(rows)
    for name, dataset in found.items():
        _, kind, shape, unit, _, _, _ = rows[name.replace("samples/0", "samples/K")]
        assert ("text" if dataset.dtype.kind == "S" else str(dataset.dtype)) == kind, name
        assert dataset.ndim == (0 if shape == "scalar" else len(shape.split(", "))), name
        units = {"": {""}, "state": {"m"}, "A or V": {"A", "V"}}.get(unit, {unit})
        assert dataset.attrs.get("units", b"").decode() in units, name
    named = {row[1].strip("`") for row in table_rows(section) if row[0] == "`/`"}
    assert {name for _, name in attributes} == {name for name in named if not name.startswith("dt_check")}


def test_the_citation_names_this_version():
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    version = re.search(r"^version = (.+)$", (ROOT / "setup.cfg").read_text(), flags=re.MULTILINE).group(1)
    assert f"\nversion: {version}\n" in citation
    assert "arXiv:1807.04912" in citation


def test_the_iv_pages_options_of_a_fit_are_there():
    given = {flag for option in fit_command.params for flag in option.opts}
    named = {
        flag
        for row in table_rows(sections_of(ROOT / "docs" / "iv.md")["Fitting"])
        for flag in re.findall("--[a-z-]+", row[0])
    }
    assert len(named) == 9
    assert named <= given


def test_the_sweeps_pages_file_is_one(tmp_path):
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    ((_, _, _, body),) = [block for block in blocks(ROOT / "docs" / "sweep.md") if block[1] == "toml"]
    (tmp_path / "page.toml").write_text(body)
    assert len(plan(load_sweep(tmp_path / "page.toml"), 1).points) == 160


# The run file.


def generic(name: str) -> str:
    """A path in a run file with BANK, QUANTITY and ROWS in the place of names."""
    name = re.sub(r"(?<![A-Za-z])(synapses\d+|nodes\d+|memristor|lines)(?![A-Za-z])", "BANK", name)
    name = re.sub(r"(?<=checksums/)(time|state|current|voltage)(?=_)", "QUANTITY", name)
    return re.sub(r"^(overview/BANK)/\d+", r"\1/ROWS", name)


def attribute_type(value: object) -> str:
    array = np.asarray(value)
    kind = {"f": "float64", "i": "int64", "S": "text"}[array.dtype.kind]
    return kind if array.ndim == 0 else f"{kind} ("


def contents(path: Path) -> tuple[dict[str, h5py.Dataset], dict[tuple[str, str], object]]:
    """Datasets, and attributes of groups, by their generic names; the file stays open."""
    file = h5py.File(path)
    datasets: dict[str, h5py.Dataset] = {}
    attributes = {("/", name): value for name, value in file.attrs.items()}

    def add(name: str, item: object) -> None:
        if isinstance(item, h5py.Dataset):
            datasets[generic(name)] = item
        else:
            attributes.update({(generic(name), key): value for key, value in item.attrs.items()})

    file.visititems(add)
    return datasets, attributes


def attributes_when(*words: str) -> set[tuple[str, str]]:
    return {(each.group, each.name) for each in RUN_ATTRIBUTES if each.when and set(each.when.split(", ")) <= {*words}}


IN_WINDOWS = attributes_when("replayed", "windows")
OF_CHECKS = attributes_when("checked")
OF_OWN_MODELS = attributes_when("own model")  # tests/user_models/test_own_models.py
OF_REAL_DATA = attributes_when("classes", "scaled", "validated", "tested")
IN_STARTS = attributes_when("begun", "programmed")
SOMETIMES = IN_WINDOWS | OF_CHECKS | OF_OWN_MODELS | OF_REAL_DATA | IN_STARTS
OF_SMALL_RUNS = {"validated", "watched", "energies", "traced"}
NOT_ALWAYS = {field.path for field in tables.FIELDS[FORMAT] if not set(field.conditions) <= OF_SMALL_RUNS}


@pytest.mark.parametrize("page", tables.PAGES, ids=page_id)
def test_the_pages_of_files_say_what_is_declared(page):
    assert page.read_text(encoding="utf-8") == tables.written(page), "write them anew: python tests/tables.py"


def test_what_is_there_only_sometimes_is_known():
    assert [len(each) for each in (IN_WINDOWS, OF_CHECKS, OF_OWN_MODELS, OF_REAL_DATA, IN_STARTS)] == [2, 9, 1, 5, 3]
    assert {f"{place}/BANK/{name}" for place in ("keyframes", "start") for name in PAST} <= NOT_ALWAYS
    counted = {name for name, counter in COUNTERS.items() if counter.programmed}
    assert {f"programming/BANK/{name}" for name in counted} <= NOT_ALWAYS


@pytest.mark.parametrize("which", [0, 1], ids=["multilayer", "single-layer"])
def test_the_format_page_lists_every_attribute_and_no_other(small_runs, which):
    _, found = contents(small_runs[which])
    rows = {(row[0].strip("`"), row[1].strip("`")): row for row in table_rows(sections_of(FORMAT)["Attributes"])}
    assert set(found) == set(rows) - SOMETIMES
    for name, value in found.items():
        assert rows[name][2].startswith(attribute_type(value)), name


def test_the_attributes_that_are_there_only_sometimes(small_runs, everything, tmp_path):
    with memsim.open_run(small_runs[0]) as run:
        write_window(run, tmp_path / "window.h5", 300, 500)
    _, found = contents(tmp_path / "window.h5")
    assert set(found) >= IN_WINDOWS
    assert found["traces/BANK", "windows"].tolist() == [300, 500]
    assert found["/", "replayed_from"].decode() == small_runs[0].name
    with memsim.open_run(small_runs[0]) as run:
        data = memsim.datasets.of_stored(run.dataset)
        checked = memsim.check_dt(run.config, data, samples=1).attributes()
        memsim.runs.training.run(run.config, data, out=tmp_path / "checked.h5", dt_check=checked).close()
    _, found = contents(tmp_path / "checked.h5")
    assert set(found) >= OF_CHECKS
    rows = {(row[0].strip("`"), row[1].strip("`")): row for row in table_rows(sections_of(FORMAT)["Attributes"])}
    _, begun = contents(everything)
    assert set(begun) >= IN_STARTS
    for name in OF_CHECKS | IN_STARTS:
        assert rows[name][2].startswith(attribute_type((found | begun)[name])), name


@pytest.fixture(scope="module")
def everything(tmp_path_factory):
    """The run file of devices whose past counts, and whose starting weights were written, on scaled samples of classes.

    With a validation and a test.
    """
    telegraph = {"telegraph_amplitude": 0.1, "capture_time": 0.01, "emission_time": 0.02}
    config = Configuration(
        learning={"epochs": 2}, trace={"mode": "full"}, network={"programmed": True},
        devices={"synapse": {"model": "ion-drift", "window": "joglekar"}},
        imperfections={"synapse": telegraph, "node": {"endurance": 9.0}},
        data={
            "csv": str(ROOT / "examples" / "ring.csv"), "inputs": ["x", "y"], "labels": "place", "scaling": "range",
            "validation": 0.5, "test": 0.9,
        },
    )  # fmt: skip
    path = tmp_path_factory.mktemp("everything") / "everything.h5"
    memsim.runs.training.run(config, memsim.datasets.load(config.data), out=path).close()
    return path


def test_the_attributes_of_real_data(everything):
    _, found = contents(everything)
    assert set(found) >= OF_REAL_DATA
    rows = {(row[0].strip("`"), row[1].strip("`")): row for row in table_rows(sections_of(FORMAT)["Attributes"])}
    for name in OF_REAL_DATA:
        assert rows[name][2].startswith(attribute_type(found[name])), name


@pytest.mark.parametrize("which", ["multilayer", "single-layer", "everything"])
def test_the_format_page_lists_every_dataset_with_type_shape_and_unit_and_no_other(small_runs, which, request):
    whole = which == "everything"
    path = request.getfixturevalue("everything") if whole else small_runs[which == "single-layer"]
    found, _ = contents(path)
    rows = {row[0].strip("`"): row for row in table_rows(sections_of(FORMAT)["Datasets"])}
    assert set(found) == set(rows) - (set() if whole else NOT_ALWAYS)
    for name, dataset in found.items():
        _, kind, shape, unit, _, _, _ = rows[name]
        assert ("text" if dataset.dtype.kind == "S" else str(dataset.dtype)) in kind, name
        labels = [] if shape == "scalar" else shape.strip("()").split(", ")
        axes = [dataset] if dataset.is_scale else [dimension[0] for dimension in dataset.dims]
        assert [generic("checksums/" + axis.name.rsplit("/", 1)[-1])[10:] for axis in axes] == labels, name
        if unit == "":
            assert "units" not in dataset.attrs, name
            continue
        states = {"ohm", "m", "1", "see variable_units"}
        assert dataset.attrs["units"].decode() in (states if unit == "state" else {unit}), name
        assert dataset.attrs["long_name"], name


def test_the_format_page_names_the_schema_version(small_runs):
    with h5py.File(small_runs[0]) as file:
        assert f"for schema version {file.attrs['schema_version']}" in FORMAT.read_text(encoding="utf-8")


@pytest.mark.slow
def test_the_search_prints_its_best_setting(monkeypatch, capsys):
    """Of its first 16 settings; a line for each that is better than all before."""
    monkeypatch.setattr(sys, "argv", ["search.py", "and", "--generations", "0"])
    runpy.run_path(str(ROOT / "examples" / "search.py"), run_name="__main__")
    *better, last = capsys.readouterr().out.splitlines()
    assert len(better) >= 2
    assert all("of 100 not learned" in line for line in better)
    best = re.fullmatch(r"16 settings; the best: (\{.*\})", last)
    assert better[-1].startswith(f"{best[1]}: ")
