"""``memsim reproduce``: its files, their structure, and what they do not depend on."""

import json
from types import SimpleNamespace

import numpy as np
import pytest

from memsim import datasets
from memsim.cli import main
from memsim.proportions import wilson
from memsim.reproduction import reproduction_folder
from memsim.reproduction.gate_rates import plan_gates
from memsim.reproduction.paper_figures import learning_curves
from memsim.reproduction.runs import plan_jobs, rate_point
from memsim.reproduction.settings import SEARCHED, Reproduction

GATES = ("OR", "AND", "XOR")
CURVES = ("SLP OR", "SLP XOR", "SLP XOR balanced", "MLP XOR")
REALISATIONS, EPOCHS = 3, 30
FILES = ["figure3.png", "figure4.png", "figure5.png", "report.md", "results.json"]


@pytest.fixture
def reproduce(cli, tmp_path):
    """Reproduce into a folder; its results."""

    def call(folder, *arguments, epochs=EPOCHS, readings=0):
        out = tmp_path / folder
        done = cli(
            "reproduce", "--realisations", REALISATIONS, "--epochs", epochs, "--reading-realisations", readings,
            "--out", out, "--quiet", "--threads", 1, *arguments,
        )  # fmt: skip
        assert (done.status, done.err) == (0, ""), done.err
        for path in sorted(out.iterdir()):
            assert str(path) in done.out
        return json.loads((out / "results.json").read_text())

    return call


@pytest.fixture
def undrawn(monkeypatch):
    """Figures are empty files: drawing them takes most of the time of a short run."""
    monkeypatch.setattr("matplotlib.figure.Figure.savefig", lambda figure, out, **about: out.write(b"drawn"))


def numbers(results):
    """All that a run computes, without its duration and how it was asked for."""
    return {name: value for name, value in results.items() if name not in ("settings", "wall_seconds")}


def assert_structure(results, epochs=EPOCHS):
    for figure in ("figure3", "figure4"):
        assert list(results[figure]) == list(GATES)
        for curve in results[figure].values():
            assert set(curve) == {"mean_total_error", "final_total_error"}
            assert len(curve["mean_total_error"]) == epochs
            assert len(curve["final_total_error"]) == REALISATIONS
            assert np.mean(curve["final_total_error"]) == pytest.approx(curve["mean_total_error"][-1], rel=1e-12)
            assert all(0.0 <= error < 100.0 for error in curve["mean_total_error"])
    assert list(results["figure5"]) == list(CURVES)
    for points in results["figure5"].values():
        assert list(points) == ["0.3", "0.5", "0.7"]
        for point in points.values():
            assert set(point) == {"false_positive_rate", "true_positive_rate"}
            assert all(0.0 <= rate <= 1.0 for rate in point.values())
    assert results["device_steps"] > 0
    assert results["wall_seconds"] > 0.0
    assert results["settings"]["realisations"] == REALISATIONS
    assert results["settings"]["epochs"] == epochs


def test_all_figures_a_report_and_the_documented_numbers(reproduce, tmp_path):
    results = reproduce("out")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == FILES
    figures = ("figure3", "figure4", "figure5")
    assert list(results) == ["settings", *figures, "device_steps", "wall_seconds", "runs"]
    assert_structure(results)
    for name in FILES[:3]:
        assert (tmp_path / "out" / name).read_bytes().startswith(b"\x89PNG")
    report = (tmp_path / "out" / "report.md").read_text()
    assert report.startswith("# Figures 3, 4 and 5 of 'Perceptrons")
    for name in ("Figure 3", "Figure 4", "Figure 5", "Margins"):
        assert f"## {name}" in report
    assert "Equations read both ways" not in report
    for run in ("SLP OR", "MLP XOR"):
        assert f"| {run} |" in report
    assert set(results["runs"]) == {f"{kind} {gate}" for kind in ("SLP", "MLP") for gate in GATES} | {CURVES[2]}


def test_learning_is_drawn_on_both_axes():
    errors = np.geomspace(10.0, 1e-12, 50)[:, None] * np.array([1.0, 2.0, 0.0])  # one knows it all from the start
    runs = {gate: SimpleNamespace(total_error=errors, mean=errors.mean(axis=1)) for gate in GATES}
    figure = learning_curves("Figure", runs)
    linear, logarithmic = figure.axes
    assert (linear.get_yscale(), linear.get_ylim()[0], logarithmic.get_yscale()) == ("linear", 0.0, "log")
    assert 0.0 < logarithmic.get_ylim()[0] < errors[errors > 0].min()
    for axes in figure.axes:
        for line in axes.lines[: len(GATES)]:
            assert np.array_equal(line.get_ydata(), errors.mean(axis=1))
    figure.draw_without_rendering()
    renderer = figure.canvas.get_renderer()
    (legend,) = figure.legends
    assert not any(legend.get_window_extent(renderer).overlaps(axes.bbox) for axes in figure.axes)


@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize(("figure", "others"), [(3, (4, 5)), (4, (3, 5)), (5, (3, 4))])
def test_one_figure_alone_is_made_alone(reproduce, tmp_path, figure, others):
    results = reproduce("out", "--figures", figure, epochs=3)
    names = [f"figure{figure}.png", "report.md", "results.json"]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == names
    assert f"figure{figure}" in results
    assert (tmp_path / "out" / "report.md").read_text().startswith(f"# Figure {figure} of 'Perceptrons")
    assert not {f"figure{other}" for other in others} & set(results)


@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize("words", [("3", "4"), ("3,4",), ("4", "3", "3")])
def test_figures_are_words_or_a_list(reproduce, words):
    results = reproduce("out", "--figures", *words, epochs=2)
    assert {name for name in results if name.startswith("figure")} == {"figure3", "figure4"}


@pytest.fixture(scope="module")
def gates(tmp_path_factory):
    """The folder of all gates, each on two sets of samples, drawn."""
    out = tmp_path_factory.mktemp("gates") / "out"
    words = ("--figures", "gates", "--realisations", REALISATIONS, "--epochs", 2, "--data-sets", 2, "--threads", 1)
    with pytest.raises(SystemExit) as end:
        main([str(word) for word in ("reproduce", *words, "--out", out, "--quiet")])
    assert end.value.code in (0, None)
    return out


def test_the_gates_are_a_figure_of_their_own(gates):
    assert Reproduction().data_sets == 4
    results = json.loads((gates / "results.json").read_text())
    assert sorted(path.name for path in gates.iterdir()) == ["gates.png", "report.md", "results.json"]
    assert list(results) == ["settings", "gates", "device_steps", "wall_seconds", "runs"]
    *usual, searched = results["gates"].values()
    for curves in usual:
        assert [name.lower() for name in curves] == list(datasets.GATES)
    assert list(searched) == list(SEARCHED)
    assert usual[1]["XOR"]["learned_realisations_by_data_seed"] == {"0": 0, "1": 0}
    assert usual[1]["XOR"]["learned_share_wilson_95"] == list(wilson(0, 2 * REALISATIONS))
    assert len(usual[1]["XOR"]["final_total_error"]) == 2 * REALISATIONS
    report = (gates / "report.md").read_text()
    assert report.startswith("# Beyond the figures")
    nothing = "| SLP CONVERSE-IMPLY | 1, 0, 1, 1 | 0 of 6 (0, 0) | 0 to 39 % | 0 | is learned | does not hold |"
    assert nothing in report


def test_sets_of_samples_have_starting_weights_of_their_own():
    settings = Reproduction(figures=("gates",), data_seed=5, seed=8, data_sets=3)
    seeds = {}
    for planned in plan_gates(settings):
        config = planned.config
        seeds.setdefault((planned.perceptron, planned.gate), []).append((config.data.seed, config.run.seed))
    assert len(seeds) == 2 * len(datasets.GATES) + len(SEARCHED)
    assert all(each == [(5, 8), (6, 9), (7, 10)] for each in seeds.values())
    assert plan_gates(Reproduction()) == []


@pytest.mark.usefixtures("undrawn")
def test_the_first_set_is_the_one_of_the_papers_figures(reproduce, gates):
    results = reproduce("out", "--figures", 4, epochs=2)
    found = json.loads((gates / "results.json").read_text())["gates"]
    for gate, curve in results["figure4"].items():
        both = found["multilayer"][gate]["final_total_error"]
        assert both[:REALISATIONS] == curve["final_total_error"]
        assert both[REALISATIONS:] != curve["final_total_error"]


def test_the_carriers_are_a_figure_of_their_own(reproduce, tmp_path):
    results = reproduce("out", "--figures", "carriers", epochs=2)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["carriers.png", "report.md", "results.json"]
    assert list(results) == ["settings", "carriers", "device_steps", "wall_seconds", "runs"]
    runs = results["carriers"]
    assert len(runs) == 3 * len(GATES) + 5
    for gate in GATES:
        amplitudes, *others = (runs[f"SLP {gate}, {scheme}"] for scheme in ("amplitudes", "frequencies", "codes"))
        for other in others:
            assert other["mean_total_error"] == pytest.approx(amplitudes["mean_total_error"], rel=1e-12)
            assert other["write_seconds_a_sample"] == pytest.approx(amplitudes["write_seconds_a_sample"] / 3, rel=1e-12)
    report = (tmp_path / "out" / "report.md").read_text()
    assert "| XOR | codes | " in report
    assert "\n| 0.375 | " in report


@pytest.mark.usefixtures("undrawn")
def test_threads_change_no_number(reproduce):
    one = reproduce("one", epochs=4)
    two = reproduce("two", "--threads", 2, epochs=4)
    assert numbers(one) == numbers(two)


@pytest.mark.usefixtures("undrawn")
def test_seeds_change_data_and_starting_weights(reproduce):
    base = numbers(reproduce("base", "--figures", 4, epochs=3))
    again = numbers(reproduce("again", "--figures", 4, epochs=3))
    data = numbers(reproduce("data", "--figures", 4, "--data-seed", 1, epochs=3))
    seed = numbers(reproduce("seed", "--figures", 4, "--seed", 1, epochs=3))
    assert base == again
    firsts = [found["figure4"]["XOR"]["mean_total_error"][0] for found in (base, data, seed)]
    assert len(set(firsts)) == 3


def test_all_runs_of_a_gate_learn_the_same_samples():
    jobs = plan_jobs(Reproduction(data_seed=7, reading_realisations=0))
    names = {key[:2]: job for key, job in jobs.items()}
    assert len(jobs) == 7
    assert np.array_equal(names["single", "XOR"].data.inputs, names["multi", "XOR"].data.inputs)
    other = plan_jobs(Reproduction(data_seed=8, reading_realisations=0))
    assert not np.array_equal(names["multi", "XOR"].data.inputs, other["multi", "XOR", None].data.inputs)
    counts = np.unique(names["balanced", "XOR"].data.inputs, axis=0, return_counts=True)[1]
    assert counts.tolist() == [25, 25, 25, 25]


@pytest.mark.usefixtures("undrawn")
def test_results_that_are_there_are_kept_without_overwrite(refused, reproduce, tmp_path):
    reproduce("out", "--figures", 3, epochs=2)
    before = {path: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    refused(
        r"--out: .*out holds figure3\.png, report\.md, results\.json already; .*--overwrite",
        "reproduce", "--out", tmp_path / "out",
    )  # fmt: skip
    assert {path: path.read_bytes() for path in (tmp_path / "out").iterdir()} == before
    assert reproduce("out", "--figures", 3, "--overwrite", epochs=3)["settings"]["epochs"] == 3


def test_a_folder_with_other_files_takes_results(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    reproduction_folder.check_folder(tmp_path, overwrite=False)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


@pytest.mark.parametrize("figures", [("6",), ("3,x",), ("3", "2"), ("3", "gate")])
def test_figures_that_there_are_not_are_refused(refused, tmp_path, figures):
    refused(
        r"--figures: must be one of 3, 4, 5, gates, universality, carriers \(got '([6x2]|gate)'\)",
        "reproduce", "--out", tmp_path / "out", "--figures", *figures,
    )  # fmt: skip
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--realisations", 0, r"realisations: must be greater than or equal to 1 \(got 0\)"),
        ("--epochs", -2, r"epochs: must be greater than or equal to 1 \(got -2\)"),
        ("--data-sets", 0, r"--data-sets: must be greater than or equal to 1 \(got 0\)"),
        ("--data-seed", -1, r"--data-seed: must be greater than or equal to 0 \(got -1\)"),
    ],
)
def test_numbers_out_of_their_bounds_are_refused(refused, tmp_path, option, value, message):
    refused(message, "reproduce", "--out", tmp_path / "out", option, value)
    assert not (tmp_path / "out").exists()


def test_a_folder_that_cannot_be_made_is_refused(refused, tmp_path):
    (tmp_path / "file").write_text("mine")
    refused(r"--out: .*below cannot be written: .*; name another folder", "reproduce", "--out", tmp_path / "file/below")
    assert (tmp_path / "file").read_text() == "mine"


def test_rates_are_shares_of_each_class():
    positive = np.array([True, True, False, False, False, True])
    first = [True, False, True, False, False, True]  # 2 of 3 positives, 1 of 3 negatives
    second = [True, True, True, True, True, True]
    third = [False, False, False, False, True, False]
    point = rate_point(np.array([first, second, third]).T, positive)
    assert point.false_positive.tolist() == [1 / 3, 1.0, 1 / 3]
    assert point.true_positive.tolist() == [2 / 3, 1.0, 0.0]


def test_a_rate_of_a_class_without_samples_is_no_number():
    point = rate_point(np.array([[True], [False]]), np.array([True, True]))
    assert np.isnan(point.false_positive).all()
    assert point.true_positive.tolist() == [0.5]


@pytest.mark.slow
def test_the_report_reads_equations_both_ways(reproduce, tmp_path):
    results = reproduce("out", readings=2)
    assert_structure(results)
    report = (tmp_path / "out" / "report.md").read_text()
    assert "## Equations read both ways" in report
    table = report.partition("## Equations read both ways")[2].partition("\n## ")[0]
    for equation in ("Eq. 6 as printed", "Eqs. 11 and 15 as printed", "Eq. 16", "Eq. 18", "Eq. 12 for Eq. 10"):
        assert f"| {equation}" in table
    alone = reproduce("alone")
    assert alone["figure4"] == results["figure4"]
