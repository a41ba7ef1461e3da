"""Runs on real data: what they learn, how that is told, and what their files keep of it."""

import functools
import itertools
import re
import shutil
import sys
import warnings
from dataclasses import replace

import numpy as np
import pytest
from places import EXAMPLES
from rich.console import Console

import memsim
from memsim import datasets
from memsim.analysis.windows import write_window
from memsim.configuration.sections import Configuration, load_configuration
from memsim.datasets import Dataset, labelled, scaled, split
from memsim.errors import InputError, RunFileError
from memsim.runs import training
from memsim.scoring.class_figure import figure_of
from memsim.scoring.classification import Classification
from memsim.scoring.names import numbered, shortened
from memsim.scoring.roc import roc_areas, roc_curve
from memsim.scoring.score_report import confusion_tables
from memsim.scoring.turns import stretches
from memsim.terminal.screen import Words

pytest.importorskip("sklearn")

IRIS = {
    "dataset": "iris", "scaling": "range", "input_range": (-1.0, 1.0), "validation": 0.2, "test": 0.2,
}  # fmt: skip
NETWORK = {"layers": (4, 8, 3), "constant_input": True}
REALISATIONS, EPOCHS = 3, 80


def iris(epochs=EPOCHS, **data):
    return Configuration(
        run={"realisations": REALISATIONS, "threads": 1}, time={"pulse_steps": 4}, network=NETWORK,
        learning={"rate": 0.05, "epochs": epochs}, data=IRIS | data,
    )  # fmt: skip


@functools.cache
def iris_run():
    """In memory."""
    config = iris()
    return training.run(config, datasets.load(config.data))


@functools.cache
def own_units():
    """The parts of iris as iris_run() splits them, in cm."""
    return datasets.load(iris(scaling="none").data)


@pytest.fixture(scope="module")
def iris_file(tmp_path_factory):
    config = iris()
    path = tmp_path_factory.mktemp("iris") / "iris.h5"
    training.run(config, datasets.load(config.data), out=path).close()
    return path


def errors_and_states(run):
    return [run.total_error, run.validation_error, *(run.final_state[bank] for bank in run.banks)]


def same_bits(one, other):
    return all(a.tobytes() == b.tobytes() for a, b in zip(map(np.asarray, one), map(np.asarray, other), strict=True))


# What is learned


def test_a_small_network_learns_iris():
    found = memsim.classification(iris_run())
    assert (found.part, found.best, len(found.true)) == ("test", True, 30)
    assert found.accuracy.shape == (REALISATIONS,)
    assert found.accuracy.min() >= 0.9
    assert memsim.classification(iris_run(), "training").accuracy.min() >= 0.9


def test_a_single_layer_tells_two_classes_apart():
    config = Configuration(
        network={"kind": "slp", "inputs": 2, "constant_input": True}, time={"pulse_steps": 4},
        learning={"rate": 0.1, "epochs": 20},
        data={
            "dataset": "breast-cancer", "inputs": ("worst radius", "worst concave points"), "scaling": "range",
            "input_range": (-1.0, 1.0), "test": 0.3,
        },
    )  # fmt: skip
    run = training.run(config, datasets.load(config.data))
    assert run.dataset.targets.shape[1] == run.dataset.test.targets.shape[1] == 1
    found = memsim.classification(run)
    assert found.confusion.shape == (2, 2, 1)
    assert found.scores.shape == (171, 2, 1)
    assert found.accuracy[0] > 0.85
    assert found.auc[0] == found.auc[1] > 0.9


# How it is told


@pytest.mark.parametrize("part", ["training", "validation", "test"])
def test_scores_are_those_of_scikit_learn(part):
    from sklearn.metrics import accuracy_score, confusion_matrix, roc_auc_score
    from sklearn.metrics import roc_curve as curve_of

    found = memsim.classification(iris_run(), part)
    data = own_units().held_back.get(part, own_units())
    assert np.array_equal(found.true, data.class_numbers)
    for r in range(REALISATIONS):
        assert found.accuracy[r] == accuracy_score(found.true, found.predicted[:, r])
        assert np.array_equal(found.confusion[:, :, r], confusion_matrix(found.true, found.predicted[:, r]))
        for number in range(3):
            of_class, scores = found.true == number, found.scores[:, number, r]
            assert found.auc[number, r] == pytest.approx(roc_auc_score(of_class, scores), rel=1e-12)
            theirs = curve_of(of_class, scores, drop_intermediate=False)
            assert all(map(np.array_equal, found.roc(number, r), theirs))
            # The area is the chance that a sample of the class has the larger output.
            pairs = scores[of_class][:, None] - scores[~of_class]
            assert found.auc[number, r] == pytest.approx(np.mean((pairs > 0) + 0.5 * (pairs == 0)), rel=1e-12)


@pytest.mark.parametrize("decimals", [0, 1, 16])
def test_equal_scores_count_by_half(decimals):
    from sklearn.metrics import roc_auc_score
    from sklearn.metrics import roc_curve as curve_of

    random = np.random.default_rng(decimals)
    of_class = random.random(50) < 0.3
    scores = np.round(random.normal(size=(50, 4)) + of_class[:, None], decimals)
    for column, area in zip(scores.T, roc_areas(of_class, scores), strict=True):
        assert area == pytest.approx(roc_auc_score(of_class, column), rel=1e-12)
        curve = roc_curve(of_class, column)
        assert all(map(np.array_equal, curve, curve_of(of_class, column, drop_intermediate=False)))


def test_areas_of_known_order():
    of_class, ascending = np.arange(6) >= 4, np.arange(6.0)
    scores = np.stack([ascending, -ascending, np.zeros(6), [0.0, 0.0, 0.0, 1.0, 0.0, 1.0]], axis=1)
    assert roc_areas(of_class, scores).tolist() == [1.0, 0.0, 0.5, 0.625]
    assert np.isnan(roc_areas(np.ones(6, dtype=bool), scores)).all()


@pytest.mark.parametrize("best", [True, False])
def test_predictions_take_inputs_in_the_datas_own_units(best):
    run, test = iris_run(), own_units().test
    prediction = memsim.evaluate(run, test.inputs, best=best)
    found = memsim.classification(run, best=best)
    assert np.array_equal(prediction.outputs, found.scores)
    assert np.array_equal(prediction.outputs.argmax(axis=1), found.predicted)
    assert prediction.clipped == run.dataset.test.clipped
    lowest, highest = own_units().inputs.min(axis=0), own_units().inputs.max(axis=0)
    assert prediction.clipped == ((test.inputs < lowest) | (test.inputs > highest)).sum()
    assert not np.array_equal(prediction.outputs, memsim.evaluate(run, test.inputs, best=not best).outputs)


def test_inputs_beyond_the_range_are_clipped_and_counted_or_refused():
    run, inputs = iris_run(), own_units().inputs[:4].copy()
    inputs[1, 2], inputs[3, 0] = 70.0, -1.0
    prediction = memsim.evaluate(run, inputs)
    assert prediction.clipped == 2
    scaling = run.dataset.scaling
    within = memsim.evaluate(run, np.clip(inputs, scaling.lowest, scaling.highest), beyond="refuse")
    assert (within.clipped, within.outputs.tobytes()) == (0, prediction.outputs.tobytes())
    message = r"^inputs: petal length \(cm\) must be from 1\S* to 6\.\d, .* \(got 70 in sample 1, and 1 more\); beyond"
    with pytest.raises(InputError, match=message):
        memsim.evaluate(run, inputs, beyond="refuse")


def test_a_run_that_refuses_is_asked_to_clip_by_its_prediction():
    config = iris(1, test=0.0, validation=0.0, beyond="refuse")
    run = training.run(config, datasets.load(config.data))
    inputs = np.full((1, 4), 100.0)
    with pytest.raises(InputError, match="must be from"):
        memsim.evaluate(run, inputs)
    assert memsim.evaluate(run, inputs, beyond="clip").clipped == 4
    with pytest.raises(InputError, match=r"iris\.(test|validation): .* must be from"):
        datasets.load(iris(beyond="refuse", seed=1).data)


def test_samples_of_ones_own_are_scored_with_their_labels():
    run, test = iris_run(), own_units().test
    labels = [test.classes.names[number] for number in test.class_numbers]
    found, expected = memsim.classification(run, inputs=test.inputs, labels=labels), memsim.classification(run)
    assert found.part == "given"
    assert np.array_equal(found.scores, expected.scores)
    assert np.array_equal(found.confusion, expected.confusion)
    with pytest.raises(InputError, match=r"of the classes setosa, versicolor, virginica \(got 'rose' in sample 1\)"):
        memsim.classification(run, inputs=test.inputs[:2], labels=["setosa", "rose"])
    with pytest.raises(InputError, match=r"labels: must be as many as inputs, 2 \(got 1\)"):
        memsim.classification(run, inputs=test.inputs[:2], labels=["setosa"])
    for wrong in (
        {"labels": labels},
        {"inputs": test.inputs},
        {"inputs": test.inputs, "labels": labels, "part": "test"},
    ):
        with pytest.raises(InputError, match="inputs, labels: must be given both, and no part"):
            memsim.classification(run, **wrong)


def test_samples_of_ones_own_are_clipped_and_counted_or_refused():
    run, inputs = iris_run(), own_units().inputs[:4].copy()
    labels = [own_units().classes.names[number] for number in own_units().class_numbers[:4]]
    assert memsim.classification(run, inputs=inputs, labels=labels, beyond="refuse").clipped == 0
    inputs[1, 2], inputs[3, 0] = 70.0, -1.0
    assert memsim.classification(run, inputs=inputs, labels=labels).clipped == 2
    assert memsim.classification(run).clipped == run.dataset.test.clipped > 0
    with pytest.raises(InputError, match=r"petal length \(cm\) must be from .* \(got 70 in sample 1, and 1 more\)"):
        memsim.classification(run, inputs=inputs, labels=labels, beyond="refuse")
    with pytest.raises(InputError, match=r"beyond: is for inputs and labels that are given"):
        memsim.classification(run, "test", beyond="clip")


def test_what_there_is_not_is_refused():
    with pytest.raises(InputError, match=r"part: must be one of test, validation, training \(got 'final'\)"):
        memsim.classification(iris_run(), "final")
    with pytest.raises(InputError, match="keyframe: must be below"):
        memsim.classification(iris_run(), keyframe=10**6)
    run = memsim.train(
        memsim.MultilayerPerceptron(), datasets.gate("xor", 8), epochs=1, time=memsim.Timing(pulse_steps=3)
    )
    with pytest.raises(InputError, match=r"run: must be of samples with classes; xor has none, see memsim.regression"):
        memsim.classification(run)
    assert memsim.regression(run).part == "training"


def test_a_class_that_all_samples_are_of_or_none_has_no_curve():
    whole = memsim.classification(iris_run())
    one = replace(whole, true=np.zeros(30, dtype=np.int64))
    assert np.isnan(one.auc).all()
    with pytest.raises(InputError, match=r"some samples are of and some are not \(got 'setosa'\)"):
        one.roc(0)
    assert one.confusion.sum(axis=(1, 2)).tolist() == [30 * REALISATIONS, 0, 0]


def test_regression_is_scored_as_scikit_learn_does(cli, tmp_path):
    from sklearn.metrics import mean_squared_error, r2_score

    random = np.random.default_rng(0)
    inputs = random.uniform(-1.0, 1.0, (40, 2))
    targets = np.stack([inputs[:, 0] * inputs[:, 1], inputs.sum(axis=1)], axis=1)
    data = scaled(split(Dataset(inputs, targets, "surface"), 0.2, test=0.25), "standard")
    run = memsim.train(
        memsim.MultilayerPerceptron([2, 3, 2]), data, epochs=5, realisations=2, learning_rate=0.02,
        time=memsim.Timing(pulse_steps=4), out=tmp_path / "surface.h5",
    )  # fmt: skip
    found = memsim.regression(run)
    assert found.part == "test"
    for r in range(2):
        assert found.rmse[r] == pytest.approx(np.sqrt(mean_squared_error(data.test.targets, found.outputs[..., r])))
        assert found.r2[r] == pytest.approx(r2_score(data.test.targets, found.outputs[..., r]))
    assert np.isnan(replace(found, targets=np.zeros_like(found.targets)).r2).all()
    run.close()
    shown = cli("trace", "info", tmp_path / "surface.h5")
    assert shown.status == 0
    assert re.search(rf"test +│ +10 │ +{found.rmse.mean():.4g} \(", shown.out)
    assert "R²" in shown.out
    assert "accuracy" not in shown.out


# The summary and the figure


def test_the_summary_of_a_run_has_accuracy_confusion_and_areas(cli, iris_file):
    shown = cli("trace", "info", iris_file)
    assert shown.status == 0, shown.err
    found = memsim.classification(iris_run())
    assert "By READs through a copy of the devices, the best epoch's states:" in shown.out
    for part in ("training", "validation", "test"):
        accuracy = memsim.classification(iris_run(), part).accuracy.mean()
        assert re.search(rf"{part} +│ +\d+ │ +{accuracy:.4g}", shown.out), part
    assert f"{iris_run().dataset.test.clipped} of 120" in shown.out
    assert f"Confusion of the test samples in all {REALISATIONS} realisations" in shown.out
    rows = zip(found.classes.names, found.confusion.sum(axis=2), found.auc, strict=True)
    for number, (name, row, area) in enumerate(rows):
        assert re.search(rf"^{number} {name} +" + " +".join(map(str, row)) + " *$", shown.out, re.MULTILINE), name
        assert re.search(rf"│ {number} {name} +│ +{area.mean():.4g}", shown.out), name


def test_scores_need_no_scikit_learn(cli, iris_file, monkeypatch, tmp_path):
    expected = cli("trace", "info", iris_file).out
    monkeypatch.setitem(sys.modules, "sklearn.metrics", None)
    assert cli("trace", "info", iris_file).out == expected
    assert cli("trace", "plot", iris_file, "--classes", "--out", tmp_path / "iris.png").status == 0


def made_up(names, realisations=3, samples=9):
    """What a run may have made of classes with these names, and of as many samples of each."""
    classes, count = datasets.Classes(tuple(names)), len(names)
    true = np.repeat(np.arange(count), samples)
    noise = np.random.default_rng(0).normal(size=(len(true), count, realisations))
    outputs = 0.6 * np.eye(count)[true][..., None] + 0.35 * noise
    return Classification("test", False, classes, true, classes.decide(outputs), outputs, 0)


LONG = [f"Melospiza melodia subspecies {name}" for name in "abcdefghijkl"]


def lines_of(found):
    """The tables of confusion and areas on a terminal of 80 columns."""
    terminal = Console(width=80, highlight=False)
    with terminal.capture() as captured:
        for part in confusion_tables(found):
            terminal.print(Words(part) if isinstance(part, str) else part)
    return captured.get().splitlines()


def test_tables_of_many_classes_with_long_names_fit_a_terminal():
    found = made_up(LONG)
    lines = lines_of(found)
    for name, row, area in zip(numbered(LONG), found.confusion.sum(axis=2), found.auc, strict=True):
        counts, areas = (line for line in lines if name in line)
        assert counts.removeprefix(name).split() == [str(count) for count in row]
        assert f" {area.mean():.4g} ({area.min():.4g} to {area.max():.4g}) │" in areas
    assert lines_of(made_up(LONG, 1000, 20))[0].startswith("12 classes; memsim.classification(run) has confusion")


def test_long_names_lose_their_middle_and_stay_different():
    assert shortened(["setosa", "a name with sixteen"]) == ["setosa", "a name w…sixteen"]
    assert shortened(["left of the river", "left or the river"], 9) == ["left of… river", "left or… river"]
    assert shortened(["1 of the river", "1 or the river"], 20) == ["1 of the river", "1 or the river"]
    assert len(set(shortened(LONG))) == len(LONG)
    assert max(map(len, shortened(LONG))) == 16
    assert numbered(["0", "1"]) == ["0", "1"]
    assert numbered(["1", "2"]) == ["0 1", "1 2"]


def test_names_of_classes_are_shown_as_they_are(cli, tmp_path):
    labels = ["[red]a", "$b$"] * 10
    data = labelled(np.random.default_rng(1).uniform(size=(20, 2)), labels, "[bold]")
    path = tmp_path / "names.h5"
    memsim.train(
        memsim.MultilayerPerceptron(), data, epochs=1, time=memsim.Timing(pulse_steps=3), out=path
    ).close()  # fmt: skip
    shown = cli("trace", "info", path)
    assert "[red]a" in shown.out
    assert "the final states:" in shown.out
    assert "not scaled" in shown.out
    assert cli("trace", "plot", path, "--classes", "--out", tmp_path / "names.png").status == 0


def test_many_classes_have_no_table(cli, tmp_path):
    data = labelled(np.random.default_rng(1).uniform(size=(26, 2)), [f"c{k}" for k in range(13)] * 2)
    path = tmp_path / "many.h5"
    memsim.train(
        memsim.MultilayerPerceptron([2, 2, 13]), data, epochs=1, time=memsim.Timing(pulse_steps=3), out=path
    ).close()
    assert "13 classes; memsim.classification(run) has confusion" in cli("trace", "info", path).out


def test_the_figure_has_the_confusion_and_a_curve_of_each_class_and_realisation(cli, refused, iris_file, tmp_path):
    left, right = figure_of(memsim.classification(iris_run()), "iris").axes
    assert [text.get_text() for text in left.get_xticklabels()] == ["setosa", "versicolor", "virginica"]
    counts = memsim.classification(iris_run()).confusion.mean(axis=2)
    assert [text.get_text() for text in left.texts] == [f"{count:.3g}" for count in counts.ravel() if count]
    assert (left.get_xlabel(), left.get_ylabel()) == ("predicted class", "true class")
    assert len(right.lines) > 3 * REALISATIONS
    assert len({line.get_color() for line in right.lines}) == 3 + 1
    assert (right.get_xlabel(), right.get_ylabel()) == ("false positive rate", "true positive rate")
    assert len(right.get_legend().texts) == 3
    assert cli("trace", "plot", iris_file, "--classes", "--out", tmp_path / "iris.png").status == 0
    assert (tmp_path / "iris.png").stat().st_size > 10_000
    refused(
        "--classes: is a figure of its own",
        "trace",
        "plot",
        iris_file,
        "--classes",
        "--error",
        "--out",
        tmp_path / "x.png",
    )


def test_curves_that_coincide_are_told_apart():
    perfect, chance = np.array([[0.0, 0.0, 1.0], [0.0, 1.0, 1.0]]), np.array([[0.0, 1.0], [0.0, 1.0]])
    with_points = np.array([[0.0, 0.0, 0.0, 0.6, 1.0], [0.0, 0.3, 1.0, 1.0, 1.0]])  # perfect too
    nearly = np.array([[0.0, 0.0, 0.2, 0.2, 1.0], [0.0, 0.5, 0.5, 1.0, 1.0]])
    curves = {(0, 0): perfect, (1, 0): with_points, (2, 0): nearly, (3, 0): chance, (3, 1): perfect}
    found = {}
    for number, (points, sharing) in stretches(curves):
        found.setdefault(number, []).append((points[0], points[-1], sharing))
    begin, end = ((0.0, 0.0), (0.0, 0.5), (0, 1, 2, 3)), ((0.2, 1.0), (1.0, 1.0), (0, 1, 2, 3))
    middle = ((0.0, 0.5), (0.2, 1.0))
    assert found[0] == found[1] == [begin, (*middle, (0, 1, 3)), end]
    assert found[2] == [begin, (*middle, (2,)), end]
    assert found[3] == [((0.0, 0.0), (1.0, 1.0), (3,)), *found[0]]


@pytest.mark.parametrize("names", [["a", "b"], LONG, [f"class {k} of a long list" for k in range(30)]])
def test_nothing_in_the_figure_overlaps(names):
    figure = figure_of(made_up(names), "made up")
    figure.draw_without_rendering()  # warns where there is no room
    left, right = figure.axes
    few, renderer = len(names) <= 12, figure.canvas.get_renderer()
    assert bool(left.texts) == bool(right.get_legend()) == few
    assert len({line.get_color() for line in right.lines}) == (len(names) if few else 1) + 1
    for labels in (left.get_xticklabels(), left.get_yticklabels()):
        boxes = [label.get_window_extent(renderer) for label in labels]
        assert not any(one.overlaps(other) for one, other in itertools.pairwise(boxes))
    for box in (left.get_tightbbox(renderer), right.get_tightbbox(renderer)):
        assert figure.bbox.count_contains(box.corners()) == 4
    if few:
        assert not right.get_legend().get_window_extent(renderer).overlaps(right.bbox)
        widths = [text.get_window_extent(renderer).width for text in left.texts]
        assert max(widths) < left.bbox.width / len(names)


# What the file keeps


def test_the_file_keeps_classes_names_scaling_and_every_part(iris_file):
    data = datasets.load(iris().data)
    with memsim.open_run(iris_file) as run:
        kept = datasets.of_stored(run.dataset)
        assert kept.name == "iris"
        assert kept.classes == data.classes
        assert kept.features == data.features == own_units().features
        assert kept.same_samples(data)
        for name in ("offset", "factor", "lowest", "highest"):
            assert np.array_equal(getattr(kept.scaling, name), getattr(data.scaling, name))
        assert kept.scaling.kind == "range"
        for name, part in data.held_back.items():
            assert (kept.held_back[name].clipped, kept.held_back[name].name) == (part.clipped, part.name)
        assert same_bits(errors_and_states(run), errors_and_states(iris_run()))


def test_a_test_changes_no_bit_of_a_run():
    config, data = iris(3), datasets.load(iris(3).data)
    with_test = training.run(config, data)
    without = training.run(
        config.model_copy(update={"data": config.data.model_copy(update={"test": 0.0})}), replace(data, test=None)
    )
    assert same_bits(errors_and_states(with_test), errors_and_states(without))
    # Nor do the classes: targets are all that is learned.
    plain = Dataset(data.inputs, data.targets, "iris", Dataset(data.validation.inputs, data.validation.targets))
    arrays = config.model_copy(update={"data": Configuration(data={"arrays": "iris", "validation": 0.2}).data})
    assert same_bits(errors_and_states(training.run(arrays, plain)), errors_and_states(with_test))


def test_runs_on_real_data_go_on_are_replayed_and_made_again_to_the_bit(cli, iris_file, tmp_path):
    assert cli("run", iris_file, "--out", tmp_path / "again.h5", "--quiet").status == 0
    config = iris(7)
    training.run(config, datasets.load(config.data), out=tmp_path / "part.h5").close()
    assert cli("run", tmp_path / "part.h5", "--resume", "--set", f"learning.epochs={EPOCHS}", "--quiet").status == 0
    for name in ("again.h5", "part.h5"):
        assert cli("trace", "verify", tmp_path / name, "--quiet").status == 0
        with memsim.open_run(tmp_path / name) as run:
            assert same_bits(errors_and_states(run), errors_and_states(iris_run()))
            assert run.dataset.test.inputs.tobytes() == iris_run().dataset.test.inputs.tobytes()
            found = memsim.classification(run)
            assert np.array_equal(found.scores, memsim.classification(iris_run()).scores)


def test_a_window_keeps_what_its_run_says_of_the_samples(iris_file, tmp_path):
    with memsim.open_run(iris_file) as run:
        write_window(run, tmp_path / "window.h5", 0, 200)
        with memsim.open_run(tmp_path / "window.h5") as window:
            before, after = (datasets.of_stored(each.dataset) for each in (run, window))
            assert before.same_samples(after)
            assert (after.classes, after.features, after.scaling.kind) == (before.classes, before.features, "range")


def test_another_split_is_drawn_where_the_data_are_changed(cli, iris_file, tmp_path):
    words = ["--set", "data.test=0.4", "--set", "learning.epochs=1", "--out", tmp_path / "more.h5", "--quiet"]
    assert cli("run", iris_file, *words).status == 0
    with memsim.open_run(tmp_path / "more.h5") as run:
        assert len(run.dataset.test.inputs) == 60


def test_other_classes_or_parts_are_another_run(tmp_path):
    config = Configuration(
        time={"pulse_steps": 3}, learning={"epochs": 1}, data={"arrays": "mine"}, run={"threads": 1}
    )  # fmt: skip
    data = split(labelled(np.random.default_rng(1).uniform(size=(20, 2)), list("ab") * 10, "mine"), test=0.2)
    training.run(config, data, out=tmp_path / "run.h5").close()
    longer = config.model_copy(update={"learning": config.learning.model_copy(update={"epochs": 2})})
    renamed = labelled(data.inputs, ["cd"[number] for number in data.class_numbers], "mine")
    for other in (replace(data, test=None), replace(renamed, test=replace(data.test, classes=renamed.classes))):
        with pytest.raises(InputError, match="was made with other samples"):
            training.run(longer, other, out=tmp_path / "run.h5", resume=True)
    training.run(longer, data, out=tmp_path / "run.h5", resume=True).close()


def test_a_file_without_the_test_of_its_configuration_is_refused(iris_file, tmp_path):
    import h5py

    path = shutil.copy(iris_file, tmp_path / "less.h5")
    with h5py.File(path, "r+") as file:
        del file["dataset/test_inputs"]
    with pytest.raises(RunFileError, match=r"no samples that were held back, and its configuration data.test = 0.2"):
        memsim.open_run(path)


# What the command line refuses

SETTINGS = """
[network]
kind = "mlp"
layers = [2, 2, 2]
[data]
csv = "data.csv"
inputs = ["x", "y"]
labels = "kind"
scaling = "range"
test = 0.25
"""
TABLE = "x,y,kind\n0.5,1,a\n1.5,2,b\n2.5,3,a\n3.5,4,b\n"


@pytest.mark.parametrize(
    ("settings", "table", "message"),
    [
        ({}, TABLE.replace("3,a", ",a"), r"data\.csv: line 4: y: the value is missing \(got ''\)"),
        ({}, TABLE.replace("b", "a"), r"data\.labels: must be of two classes or more"),
        ({}, re.sub(r",\d,", ",7,", TABLE), r"data\.scaling: 'range' cannot scale .*: y \(always 7\); leave it out"),
        (
            {},
            TABLE.replace("4,b", "4,c"),
            r"network\.layers: must end with 3, for the 3 classes of data\.csv \(got 2\)",
        ),
        ({'kind = "mlp"\nlayers = [2, 2, 2]': 'kind = "slp"'}, TABLE.replace("4,b", "4,c"), "'slp' has one output"),
        (
            {'"range"': '"range"\nbeyond = "refuse"'},
            TABLE,
            r"data\.csv\.test: x must be from 1\.5 to 3\.5, the range of the .* \(got 0\.5 in sample 0, and 1 more\)",
        ),
        ({'inputs = ["x", "y"]': 'inputs = ["x", "x"]'}, TABLE, r"data\.inputs: must name each column once.*'x' twice"),
        ({}, TABLE.replace("4,b", "4,NA"), r"data\.csv: line 5: kind: the text is missing \(got 'NA'\)"),
        (
            {'"range"': '"none"\nbeyond = "refuse"'},
            TABLE,
            r"data\.beyond: counts for a data\.scaling",
        ),
        ({"0.25": "0.75"}, TABLE, r"data\.test: must leave a sample of each class to learn"),
        ({'labels = "kind"': 'labels = "sort"'}, TABLE, r"data\.csv: has no column 'sort'; it has x, y, kind"),
    ],
)
def test_bad_data_are_refused_in_one_line(refused, tmp_path, settings, table, message):
    text = SETTINGS
    for before, after in settings.items():
        text = text.replace(before, after)
    (tmp_path / "run.toml").write_text(text)
    (tmp_path / "data.csv").write_text(table)
    refused(message, "run", tmp_path / "run.toml", "--out", tmp_path / "out.h5")
    assert not (tmp_path / "out.h5").exists()


def test_a_csv_file_that_a_run_file_names_is_not_read_unasked(refused, cli, tmp_path, monkeypatch):
    """Who sends a run file must not choose what is read here."""
    (tmp_path / "run.toml").write_text(SETTINGS + "[learning]\nepochs = 1\n")
    (tmp_path / "data.csv").write_text(TABLE)
    run, again = tmp_path / "out.h5", tmp_path / "again.h5"
    assert cli("run", tmp_path / "run.toml", "--out", run, "--quiet").status == 0
    said = r"data\.seed: the samples would be read anew from '.*data\.csv', which .*out\.h5 names; .* --set data\.csv="
    for command in (("run", run, "--out", again), ("schedule", run)):
        refused(said, *command, "--set", "data.seed=1")
    monkeypatch.chdir(tmp_path)
    given = cli("run", run, "--out", again, "--quiet", "--set", "data.seed=1", "--set", "data.csv=data.csv")
    assert given.status == 0, given
    with memsim.open_run(again) as made:
        assert made.config.data.csv == str(tmp_path / "data.csv")


def test_classes_of_a_run_without_any_are_refused(cli, refused, tmp_path):
    path = tmp_path / "xor.h5"
    memsim.train(
        memsim.MultilayerPerceptron(), datasets.gate("xor", 8), epochs=1, time=memsim.Timing(pulse_steps=3), out=path
    ).close()
    refused("xor has none, see memsim.regression", "trace", "plot", path, "--classes", "--out", tmp_path / "x.png")
    assert "accuracy" not in cli("trace", "info", path).out


def test_what_is_refused_from_python_stays_refused():
    data = scaled(labelled([[0.0], [1.0], [0.2], [0.7]], "abab", "mine"), "range", beyond="refuse")
    run = memsim.train(memsim.MultilayerPerceptron([1, 2, 2]), data, epochs=1)
    with pytest.raises(InputError, match=r"inputs: column 0 must be from 0 to 1, .* \(got 9 in sample 0\)"):
        memsim.evaluate(run, [[9.0]])
    assert memsim.evaluate(run, [[9.0]], beyond="clip").clipped == 1


def test_inputs_as_they_are_have_a_range_where_it_is_asked_for():
    run = memsim.train(memsim.MultilayerPerceptron([2, 2, 1]), datasets.gate("or", 8), epochs=1)
    far = [[1.0, 0.0], [1e4, -1e4], [1.0, 0.0]]
    taken = memsim.evaluate(run, far)
    assert taken.clipped == 0
    assert taken.bounds > 0  # what comes after it is another output
    assert taken.outputs[0] != taken.outputs[2]
    clipped = memsim.evaluate(run, far, beyond="clip")
    assert (clipped.clipped, clipped.bounds) == (2, 0)
    assert clipped.outputs[0] == pytest.approx(clipped.outputs[2], rel=1e-12)
    with pytest.raises(InputError, match=r"inputs: column 0 must be from 0 to 1, .* \(got 10000 in sample 1, and"):
        memsim.evaluate(run, far, beyond="refuse")
    with pytest.raises(InputError, match=r"inputs: must be finite \(got NaN in row 1, column 1\)"):
        memsim.evaluate(run, [[0.0, 1.0], [1.0, np.nan]])


@pytest.mark.slow
def test_digits_are_told_apart_as_well_as_by_scikit_learn():
    neural_network = pytest.importorskip("sklearn.neural_network")
    found, theirs = [], []
    for seed in range(3):
        changes = [f"data.seed={seed}", f"run.seed={seed}"]
        config = load_configuration(EXAMPLES / "digits.toml", changes)
        run = training.run(config, datasets.load(config.data))
        found.append(memsim.classification(run).accuracy[0])
        assert not any(bank.counts["bounds_in_read"] for bank in run.margins)
        data = run.dataset
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # 200 epochs, its default, end before it has converged
            reference = neural_network.MLPClassifier((32,), random_state=seed)
            reference.fit(data.inputs, data.targets.argmax(axis=1))
        theirs.append(reference.score(data.test.inputs, data.test.targets.argmax(axis=1)))
    assert np.mean(found) >= 0.97
    assert np.mean(found) >= np.mean(theirs) - 0.01
