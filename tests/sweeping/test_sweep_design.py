"""The points of a sweep: what each design gives, and what is refused before anything is written."""

import itertools
import sys

import numpy as np
import pytest
from scipy.stats import qmc

from memsim.sweeping.design import points_of, setting_of
from memsim.sweeping.packs import plan
from memsim.sweeping.sweep_configuration import Range, SweepConfiguration, load_sweep

BASE = """
[run]
seed = 7
threads = 1
[time]
pulse_steps = 3
write_steps = 4
gap_steps = 1
[learning]
epochs = 4
[data]
gate = "xor"
samples = 8
"""
RATE = {"low": 1e-3, "high": 1e-1, "scale": "log"}


def sweep_of(fields, **sweep):
    return SweepConfiguration(sweep=sweep, fields=fields, base={"data": {"gate": "xor", "samples": 8}})


# Designs


def test_a_grid_has_all_combinations_the_last_field_fastest():
    fields = {"learning": {"rate": [0.1, 0.2], "shuffle": [True, False]}, "data.seed": [3, 1, 2]}
    expected = [
        {"learning.rate": rate, "learning.shuffle": shuffle, "data.seed": seed}
        for rate, shuffle, seed in itertools.product([0.1, 0.2], [True, False], [3, 1, 2])
    ]
    assert points_of(sweep_of(fields)) == expected


def test_a_list_has_its_rows():
    fields = {"learning.rate": [0.1, 0.2], "network": {"layers": [[2, 2, 1], [2, 3, 1]]}}
    assert points_of(sweep_of(fields, design="list")) == [
        {"learning.rate": 0.1, "network.layers": [2, 2, 1]}, {"learning.rate": 0.2, "network.layers": [2, 3, 1]},
    ]  # fmt: skip


def test_seeds_come_with_every_point():
    points = points_of(sweep_of({"learning.rate": [0.1, 0.2]}, seeds={"first": 3, "last": 5}))
    assert [(p["learning.rate"], p["run.seed"]) for p in points] == list(itertools.product([0.1, 0.2], [3, 4, 5]))
    assert [p["run.seed"] for p in points_of(sweep_of({}, seeds=[4, 2]))] == [4, 2]


def test_each_seed_may_have_samples_of_its_own():
    config = sweep_of({"learning.rate": [0.1, 0.2]}, seeds=[3, 4, 5], data_seeds=[7, 7, 8])
    points = points_of(config)
    assert [(p["learning.rate"], p["run.seed"], p["data.seed"]) for p in points] == [
        (rate, seed, data) for rate in (0.1, 0.2) for seed, data in ((3, 7), (4, 7), (5, 8))
    ]
    assert [setting_of(point, config) for point in points[::3]] == [{"learning.rate": 0.1}, {"learning.rate": 0.2}]
    packs = plan(config, 1).packs
    assert [(pack.seeds, pack.config.data.seed) for pack in packs] == [((3, 4), 7), ((5,), 8)] * 2
    assert not np.array_equal(packs[0].data.inputs, packs[1].data.inputs)
    assert SweepConfiguration(**config.values()) == config


def test_samples_are_a_setting_where_no_list_of_seeds_draws_them():
    config = sweep_of({"data.seed": [1, 2]}, seeds=[3])
    assert [setting_of(point, config) for point in points_of(config)] == [{"data.seed": 1}, {"data.seed": 2}]


DRAWN = {
    "learning.rate": RATE,
    "network.node_drift": {"low": 0.05, "high": 0.15},
    "time.pulse_steps": {"low": 10, "high": 12, "integer": True},
    "learning.bias_rule": ["gradient", "none"],
}


@pytest.mark.parametrize("design", ["random", "sobol"])
def test_drawn_points_are_the_generators_numbers_on_the_ranges(design):
    points = points_of(sweep_of(DRAWN, design=design, points=13, seed=5))
    if design == "random":
        shares = np.random.default_rng(5).random((13, 4))
    else:
        shares = qmc.Sobol(4, scramble=True, seed=np.random.default_rng(5)).random_base2(4)[:13]
    expected = {
        "learning.rate": [float(10 ** (-3 + 2 * u)) for u in shares[:, 0]],
        "network.node_drift": [0.05 + 0.1 * u for u in shares[:, 1]],
        "time.pulse_steps": [10 + int(3 * u) for u in shares[:, 2]],
        "learning.bias_rule": [["gradient", "none"][int(2 * u)] for u in shares[:, 3]],
    }
    for name, values in expected.items():
        found = [point[name] for point in points]
        assert found == (pytest.approx(values, rel=1e-12) if name != "learning.bias_rule" else values), name
    assert all(type(point["time.pulse_steps"]) is int for point in points)
    assert points == points_of(sweep_of(DRAWN, design=design, points=13, seed=5))
    assert points != points_of(sweep_of(DRAWN, design=design, points=13, seed=6))


def test_a_sobol_design_fills_every_cell_of_a_balanced_grid():
    fields = {"learning.rate": {"low": 1, "high": 2}, "network.node_drift": {"low": 0.1, "high": 0.5}}
    points = points_of(sweep_of(fields, design="sobol", points=16))
    cells = {(int(4 * (p["learning.rate"] - 1)), int((p["network.node_drift"] - 0.1) / 0.1)) for p in points}
    assert cells == set(itertools.product(range(4), range(4)))


def test_ranges_meet_their_bounds_and_no_more():
    for values in (Range(low=0.3, high=0.7), Range(low=1e-3, high=0.7, scale="log")):
        assert values.at(0.0) == values.low
        assert values.at(1.0) == pytest.approx(values.high, rel=1e-15)
        assert values.at(1.0) <= values.high
    for scale in ("linear", "log"):
        whole = Range(low=1, high=4, integer=True, scale=scale)
        assert {whole.at(share) for share in np.linspace(0.0, 1.0, 1000)} == {1, 2, 3, 4}
    assert Range(low=1e-4, high=1e-2, scale="log").at(0.5) == pytest.approx(1e-3)


def test_the_effective_file_makes_the_same_points(tmp_path):
    (tmp_path / "base.toml").write_text(BASE)
    (tmp_path / "sweep.toml").write_text(
        '[sweep]\nbase = "base.toml"\ndesign = "sobol"\npoints = 5\nseeds = { first = 1, last = 2 }\n'
        "[fields]\nlearning.rate = { low = 0.001, high = 0.1, scale = 'log' }\n"
        "network.layers = [[2, 2, 1], [2, 3, 1]]\n"
        "[base.learning]\nepochs = 9\n"
    )
    config = load_sweep(tmp_path / "sweep.toml", ["base.data.samples=6", "sweep.seed=3"])
    assert config.base["learning"] == {"epochs": 9}
    assert config.base["data"] == {"gate": "xor", "samples": 6}
    laid_out = plan(config, 2)
    (tmp_path / "again").mkdir()
    (tmp_path / "again" / "sweep.toml").write_text(laid_out.config.to_toml())
    again = plan(load_sweep(tmp_path / "again" / "sweep.toml"), 7)
    assert again.points == laid_out.points
    assert [pack.points for pack in again.packs] == [pack.points for pack in laid_out.packs]
    assert again.config == laid_out.config


def test_samples_lie_beside_the_file_that_names_them(tmp_path, monkeypatch):
    columns = 'inputs = ["a", "b"]\ntargets = ["t"]\n'
    for folder in ("bases", "sweeps", "here"):
        (tmp_path / folder).mkdir()
        for number in (1, 2):
            (tmp_path / folder / f"{number}.csv").write_text(f"a,b,t\n0,{number},1\n1,1,0\n")
    (tmp_path / "bases" / "base.toml").write_text(f'[data]\ncsv = "1.csv"\n{columns}')
    (tmp_path / "sweeps" / "s.toml").write_text('[sweep]\nbase = "../bases/base.toml"\nseeds = [1]\n')
    (tmp_path / "sweeps" / "own.toml").write_text(f'[sweep]\nseeds = [1]\n[base.data]\ncsv = "2.csv"\n{columns}')
    (tmp_path / "sweeps" / "both.toml").write_text(
        f'[sweep]\n[fields]\ndata.csv = ["1.csv", "2.csv"]\n[base.data]\n{columns}'
    )
    (tmp_path / "sweeps" / "quoted.toml").write_text(
        f'[sweep]\n[fields]\n"data.csv" = ["1.csv"]\n[base.data]\n{columns}'
    )
    monkeypatch.chdir(tmp_path / "here")

    def samples(name, *assignments):
        config = load_sweep(tmp_path / "sweeps" / name, assignments)
        (tmp_path / "effective.toml").write_text(config.to_toml())
        again = load_sweep(tmp_path / "effective.toml")
        assert plan(again, 1).config == plan(config, 1).config
        return [pack.config.data.csv for pack in plan(config, 1).packs]

    for found, expected in (
        (samples("s.toml"), ["bases/1.csv"]),
        (samples("own.toml"), ["sweeps/2.csv"]),
        (samples("both.toml"), ["sweeps/1.csv", "sweeps/2.csv"]),
        (samples("quoted.toml"), ["sweeps/1.csv"]),
        (samples("own.toml", "base.data.csv=1.csv"), ["here/1.csv"]),
        (samples("both.toml", 'fields.data.csv=["1.csv"]'), ["here/1.csv"]),
    ):
        assert found == [str(tmp_path / path) for path in expected]


# Packs


def test_points_that_differ_in_their_seed_share_a_pack_wherever_they_are():
    fields = {"run.seed": [5, 6], "learning.rate": [0.1, 0.2], "run.realisations": [3]}
    packs = plan(sweep_of(fields, lanes=100), 1).packs
    assert [(pack.points, pack.seeds) for pack in packs] == [((0, 2), (5, 6)), ((1, 3), (5, 6))]
    config = packs[1].configuration([0, 1])
    assert (config.run.seeds, config.run.realisations, config.run.threads) == ((5, 6), 3, 1)
    assert config.learning.rate == 0.2
    assert packs[1].configuration([1]).run.seeds == (6,)


@pytest.mark.parametrize(
    ("points", "realisations", "lanes", "processes", "sizes"),
    [
        (10, 1, None, 4, [3, 3, 2, 2]),  # as many packs as processes, and evenly
        (300, 1, None, 2, [100, 100, 100]),  # never more than 128 lanes
        (6, 50, None, 1, [2, 2, 2]),
        (4, 200, None, 1, [1, 1, 1, 1]),  # a point is never split
        (10, 1, 4, 1, [4, 3, 3]),
        (1, 1, None, 8, [1]),
    ],
)
def test_packs_are_even_and_as_many_as_the_processes(points, realisations, lanes, processes, sizes):
    chosen = {} if lanes is None else {"lanes": lanes}
    fields = {"run.realisations": [realisations]}
    laid_out = plan(sweep_of(fields, seeds=list(range(points)), **chosen), processes)
    assert [len(pack.points) for pack in laid_out.packs] == sizes
    assert [point for pack in laid_out.packs for point in pack.points] == list(range(points))


def test_a_point_that_may_end_early_shares_no_pack():
    packs = plan(sweep_of({"learning.patience": [0, 5]}, seeds=[1, 2], lanes=100), 1).packs
    assert [pack.points for pack in packs] == [(0, 1), (2,), (3,)]


def test_a_trace_of_some_realisations_is_of_those_of_every_point():
    base = {"run": {"realisations": 3}, "trace": {"mode": "select", "realisations": [0, 2]}, "data": {"gate": "or"}}
    (pack,) = plan(SweepConfiguration(sweep={"seeds": [1, 2, 3]}, base=base), 1).packs
    assert pack.configuration([0, 1, 2]).trace.realisations == (0, 2, 3, 5, 6, 8)
    assert pack.configuration([2]).trace.realisations == (0, 2)


# Bad input


GOOD = '[sweep]\nbase = "base.toml"\n[fields]\nlearning.rate = [0.1, 0.2]\n'
DRAWS = '[sweep]\nbase = "base.toml"\ndesign = "random"\npoints = 4\n[fields]\n'


@pytest.fixture
def wrong(refused, tmp_path, monkeypatch):
    """Have ``memsim sweep`` refuse a sweep file; nothing is written."""
    monkeypatch.chdir(tmp_path)

    def check(text, message, *options):
        (tmp_path / "base.toml").write_text(BASE)
        (tmp_path / "s.toml").write_text(text)
        before = sorted(tmp_path.rglob("*"))
        refused(message, "sweep", "s.toml", "--processes", 1, *options)
        assert sorted(tmp_path.rglob("*")) == before

    return check


BAD = {
    "unknown field": (GOOD.replace("rate", "rat"), r"point 0: learning\.rat: no such setting; did you mean 'rate'\?"),
    "unknown section": (GOOD.replace("learning.rate", "learn.rate"), r"point 0: learn: no such setting; .*'learning'"),
    "value of a point": (GOOD.replace("0.2", "-0.2"), r"point 1: learning\.rate: must be greater than 0 \(got -0\.2\)"),
    "seed of a point": (
        GOOD + "run.seed = [1, -1]", r"point 1: run\.seed: must be greater than or equal to 0 \(got -1\)"
    ),
    "seed that is none": (GOOD + "run.seed = [1, 'one']", r"point 1: run\.seed: must be a valid integer"),
    "gate of a point": (GOOD + "data.gate = ['or', 'mu']", r"point 1: data\.gate: must be one of .* \(got 'mu'\)"),
    "no value": (GOOD.replace("[0.1, 0.2]", "[]"), r"fields\.learning\.rate: has no values; give at least one"),
    "no list": (GOOD.replace("[0.1, 0.2]", "0.1"), r"fields\.learning\.rate: must be a list of values, or a range"),
    "no field": ('[sweep]\nbase = "base.toml"\n', "fields: give at least one field with its values, or sweep.seeds"),
    "unequal lists": (
        GOOD.replace("[fields]", 'design = "list"\n[fields]') + "data.seed = [1, 2, 3]",
        r"fields: lists must be of one length, .* \(learning\.rate has 2, data\.seed has 3\)",
    ),
    "too many": (
        GOOD + "data.seed = " + str(list(range(1000))) + "\ntime.dt = " + str([1e-3 * k for k in range(1, 52)]),
        r"fields: make 102,000 points, and at most 100,000 can be swept",
    ),
    "too many seeds": (
        GOOD.replace("[fields]", "seeds = { first = 0, last = 99_999 }\n[fields]"), "make 200,000 points, and at most"
    ),
    "seeds backwards": (
        GOOD.replace("[fields]", "seeds = { first = 5, last = 4 }\n[fields]"), r"sweep\.seeds: must have last >= first"
    ),
    "seeds twice": (GOOD.replace("[fields]", "seeds = [1]\n[fields]") + "run.seed = [2]", "either sweep.seeds or"),
    "one seed twice": (GOOD.replace("[fields]", "seeds = [3, 1, 3]\n[fields]"), r"seeds: must .* once \(got 3 twice"),
    "data seeds without seeds": (
        GOOD.replace("[fields]", "data_seeds = [1]\n[fields]"), r"data_seeds: must be as many .* \(got 1 and 0\)"
    ),
    "data seeds twice": (
        GOOD.replace("[fields]", "seeds = [1]\ndata_seeds = [1]\n[fields]") + "data.seed = [2]",
        "either sweep.data_seeds or fields.data.seed",
    ),
    "one value twice": (
        GOOD.replace("0.2", "1, 1.0"), r"fields\.learning\.rate: must have each value once \(got 1\.0 twice\)"
    ),
    "one row twice": (
        GOOD.replace("[0.1, 0.2]", "[0.1, 0.2, 0.1]").replace("[fields]", 'design = "list"\n[fields]')
        + "network.layers = [[2, 2, 1], [2, 2, 1], [2, 2, 1]]",
        r"fields: must have each value once \(got 0\.1, \[2, 2, 1\] twice\)",
    ),
    "packs' seeds": (GOOD + "run.seeds = [[1, 2]]", r"run\.seeds: are what a pack puts side by side"),
    "threads": (GOOD + "run.threads = [1, 2]", r"fields\.run\.threads: changes no result; --processes N"),
    "one name": (GOOD.replace("learning.rate", "rate"), r"fields\.rate: must be a dotted name, as learning\.rate"),
    "a section as a value": (
        GOOD + "learning.rate.eta = [1]", "is not valid TOML: Cannot .*"
    ),
    "range in a grid": (
        GOOD.replace("[0.1, 0.2]", "{ low = 1, high = 2 }"), r"rate: a range is for random and Sobol designs; a grid"
    ),
    "range backwards": (
        DRAWS + "learning.rate = { low = 2, high = 1 }", r"rate\.high: must be greater than low = 2 \(got 1\)"
    ),
    "range of logs": (
        DRAWS + "learning.rate = { low = 0, high = 1, scale = 'log' }",
        r"rate\.low: must be greater than 0 for scale = 'log' \(got 0\)",
    ),
    "range of whole numbers": (
        DRAWS + "data.seed = { low = 0.5, high = 2, integer = true }", r"seed\.low: must be a whole number"
    ),
    "half a range": (DRAWS + "learning.rate = { low = 0 }", r"fields\.learning\.rate\.high: is missing"),
    "points in a grid": (
        GOOD.replace("[fields]", "points = 3\n[fields]"), r"sweep\.points: is for design = 'random' or 'sobol'"
    ),
    "no points": (DRAWS.replace("points = 4", "") + "learning.rate = [1]", r"sweep\.points: is missing; say how many"),
    "seed in a grid": (
        GOOD.replace("[fields]", "seed = 3\n[fields]"), r"sweep\.seed: is of a random or a Sobol design \(got 3 with"
    ),
    "design": (DRAWS.replace('"random"', '"latin"') + "data.seed = [1]", r"sweep\.design: must be 'grid', 'list', "),
    "unknown setting": (GOOD.replace("[fields]", "bass = 1\n[fields]"), r"sweep\.bass: no such setting; did you mean"),
    "no section": ("[fields]\nlearning.rate = [0.1]\n", "sweep: is missing"),
    "no base": (GOOD.replace("base.toml", "none.toml"), r"none\.toml: no such file; check the path"),
    "base of another kind": (GOOD.replace("base.toml", "base.h5"), r"sweep\.base: must be a configuration file"),
    "other samples": (
        GOOD.replace("[fields]", "samples = '00'\n[fields]"), r"sweep\.samples: the samples are not those"
    ),
    "trace of a realisation": (
        GOOD + "trace.mode = ['select']\ntrace.realisations = [[1]]", r"trace\.realisations: must be from 0 to 0 "
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_a_sweep_that_cannot_be_is_refused_before_anything_is_written(case, wrong):
    wrong(*BAD[case])


def test_sobol_without_scipy_says_what_to_install(wrong, monkeypatch):
    monkeypatch.setitem(sys.modules, "scipy.stats", None)
    text = DRAWS.replace("random", "sobol") + "learning.rate = { low = 0.1, high = 0.2 }"
    wrong(text, r"sweep\.design: 'sobol' needs SciPy; pip install 'memsim\[sweep\]', or take 'random'")


def test_a_scheduler_without_dask_says_what_to_install(wrong, refused, tmp_path, monkeypatch):
    address = ("--scheduler", "tcp://127.0.0.1:1")
    wrong(GOOD, "--processes: is for this machine; the scheduler's workers are as many as they are", *address)
    monkeypatch.setitem(sys.modules, "distributed", None)
    monkeypatch.delitem(sys.modules, "memsim.sweeping.cluster", raising=False)
    refused(
        r"--scheduler: needs Dask.distributed; pip install 'memsim\[dask\]'", "sweep", tmp_path / "s.toml", *address
    )


def test_a_folder_that_exists_is_refused(wrong, tmp_path, refused):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.tex").write_text("mine")
    wrong(GOOD, "full: exists and holds no sweep; name another folder with --out", "--out", "full")
    (tmp_path / "full" / "sweep.toml").write_text("[sweep]\n")
    wrong(GOOD, "full: holds a sweep; go on with it by --resume, or name another folder", "--out", "full")
    wrong(GOOD, "base.toml: exists and holds no sweep", "--out", "base.toml")
    wrong(GOOD, r"new: holds no sweep \(no sweep\.toml\); run it without --resume", "--out", "new", "--resume")
    refused("s.h5: is a run file; name a sweep file", "sweep", tmp_path / "s.h5")


def test_a_dry_run_shows_points_and_packs_and_writes_nothing(cli, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "base.toml").write_text(BASE)
    (tmp_path / "s.toml").write_text(GOOD.replace("[fields]", "seeds = { first = 0, last = 14 }\n[fields]"))
    before = sorted(tmp_path.rglob("*"))
    shown = cli("sweep", "s.toml", "--dry-run", "--processes", 2)
    assert shown.status == 0
    assert "... and 10 points more" in shown.out
    assert "30 points, 30 realisations in 2 packs of 15 at most; nothing was run" in shown.out
    assert sorted(tmp_path.rglob("*")) == before
