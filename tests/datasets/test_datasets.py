"""Data sets: classes on outputs, scaling, splitting, CSV files, those of scikit-learn, and what is wrong with them."""

import math
import sys
from dataclasses import replace

import numpy as np
import pytest

import memsim
from memsim import datasets
from memsim.configuration.sections import Configuration
from memsim.datasets import Classes, Dataset, Scaling, labelled, scaled, split
from memsim.errors import InputError
from memsim.network.assembly import assemble

RNG = np.random.default_rng(3)
INPUTS = RNG.normal(5.0, 2.0, (40, 3)) * [1.0, 10.0, 0.1]
OTHERS = RNG.normal(5.0, 3.0, (15, 3)) * [1.0, 10.0, 0.1]


def load(**data):
    return datasets.load(Configuration(data=data).data)


# Classes


@pytest.mark.parametrize(
    ("labels", "names"),
    [
        (["b", "a", "b"], ("a", "b")),
        (["10", "9", "1e1x"], ("10", "1e1x", "9")),
        (["10", "9", "-1"], ("-1", "9", "10")),
        (["2", "1.0", "1"], ("1", "1.0", "2")),
        (np.array([10, 9, 10]), ("9", "10")),
        (np.array([1.0, 0.5, -2.0]), ("-2", "0.5", "1")),
        ([" red  wine", "red wine", "white"], ("red wine", "white")),
        ([True, False], ("False", "True")),
    ],
)
def test_classes_are_named_by_their_labels(labels, names):
    classes = Classes.of(labels)
    assert classes.names == names
    assert [classes.names[number] for number in classes.numbers(labels)] == [
        datasets.classes.name_of(x) for x in labels
    ]


def test_each_class_has_an_output_and_the_largest_decides():
    classes = Classes.of("abc", low=-0.5, high=0.25)
    targets = classes.targets(np.array([2, 0]))
    assert targets.tolist() == [[-0.5, -0.5, 0.25], [0.25, -0.5, -0.5]]
    assert classes.decide(targets).tolist() == [2, 0]
    assert classes.decide(np.array([[0.1, 0.3, 0.2], [0.2, 0.2, 0.1]])).tolist() == [1, 0]
    outputs = RNG.normal(size=(7, 3, 4))
    assert classes.decide(outputs).shape == (7, 4)
    assert np.array_equal(classes.scores(outputs), outputs)


def test_two_classes_may_share_an_output():
    classes = Classes.of("ab", low=0.2, high=0.6).on(1)
    assert classes.targets(np.array([0, 1])).tolist() == [[0.2], [0.6]]
    outputs = np.array([[0.39], [0.41], [-3.0], [0.4]])
    assert classes.decide(outputs).tolist() == [0, 1, 0, 0]
    scores = classes.scores(outputs[:2])
    assert scores == pytest.approx(np.array([[0.41, 0.39], [0.39, 0.41]]))
    assert np.array_equal(classes.decide(outputs[:3]), classes.on(2).decide(classes.scores(outputs[:3])))


def test_a_data_set_of_two_classes_fits_one_output_and_two():
    data = split(labelled(INPUTS, ["ja", "nein"] * 20), 0.25, test=0.2)
    one = data.on(1)
    assert data.on(2) is data
    for before, after in ((data, one), (data.validation, one.validation), (data.test, one.test)):
        assert after.targets.shape == (len(before.targets), 1)
        assert np.array_equal(before.class_numbers, after.class_numbers)
        assert np.array_equal(after.targets[:, 0], before.targets[:, 1])
    assert np.array_equal(one.on(2).targets, data.targets)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: labelled(INPUTS[:2], ["a", "a"]), "data.labels: must be of two classes or more, .*got a"),
        (lambda: Classes(("a", "b", "a")), "data.labels: must be of two classes or more, each named once"),
        (lambda: Classes(("a", "b\x1b[1m")), r"data.labels: must be of characters that can be printed \(got 'b\\x1b"),
        (lambda: Classes(("a", "b"), 1.0, 1.0), r"data.low: must be below data.high, 1 \(got 1\)"),
        (lambda: Classes(("a", "b"), 0.0, np.inf), "data.low: must be below data.high, inf"),
        (lambda: Classes(("a", "b", "c"), outputs=1), r"outputs: must be 3, for the classes a, b, c \(got 1\)"),
        (lambda: Classes(("a", "b"), outputs=3), r"outputs: must be 2, or 1 for both, .*\(got 3\)"),
        (lambda: Classes.of("ab").numbers("abca"), r"labels: must be of the classes a, b \(got 'c' in sample 2\)"),
        (lambda: Classes.of(range(50)).numbers([50]), r"0, 1, .*, 9, \.\.\. \(50\) \(got '50' in sample 0\)"),
        (
            lambda: labelled(INPUTS, ["a", None]),
            r"labels: the label of sample 1 is missing \(got None\); leave the sample",
        ),
        (lambda: Classes.of([1.0, np.nan]), r"labels: the label of sample 1 is missing \(got nan\)"),
        (lambda: Classes.of(["a", " ", "b"]), r"labels: the label of sample 1 is missing \(got ' '\)"),
        (lambda: labelled(INPUTS, ["a", "b"]), r"arrays.targets: must have as many samples as inputs, 40 \(got 2\)"),
        (lambda: Dataset(INPUTS, INPUTS, features=("a",)), r"arrays.features: must be 3, one for each input \(got 1\)"),
        (lambda: Dataset(INPUTS, INPUTS, classes=Classes.of("ab")), "must have 2 columns, as its classes have outputs"),
        (
            lambda: Dataset(INPUTS, INPUTS, scaling=Scaling.fit(INPUTS[:, :2], "range")),
            r"arrays.scaling: must be of 3 inputs \(got 2\)",
        ),
        (lambda: scaled(scaled(Dataset(INPUTS, INPUTS), "range"), "range"), "must be 'none' for data that are scaled"),
    ],
)
def test_wrong_classes_and_what_does_not_fit_are_refused(make, message):
    with pytest.raises(InputError, match=message):
        make()


@pytest.mark.parametrize(
    ("network", "labels", "message"),
    [
        ({"kind": "slp", "inputs": 3}, "abc" * 13 + "a", "network.kind: 'slp' has one output, .* but mine has 3"),
        (
            {"layers": (3, 2, 2)},
            "abc" * 13 + "a",
            r"network.layers: must end with 3, for the 3 classes of mine \(got 2",
        ),
        ({"layers": (3, 2, 3)}, "ab" * 20, r"network.layers: must end with 1 or 2, for the 2 classes of mine \(got 3"),
    ],
)
def test_outputs_that_do_not_fit_the_classes_are_refused(network, labels, message):
    with pytest.raises(InputError, match=message):
        assemble(Configuration(network=network, data={"arrays": "mine"}), labelled(INPUTS, labels, "mine"))


def test_a_class_without_a_sample_to_learn_is_refused():
    classes = Classes.of("abc")
    data = Dataset(0.01 * INPUTS, classes.targets(np.arange(40) % 2), "mine", classes=classes)
    with pytest.raises(InputError, match="mine: the class 'c' has no sample to learn"):
        memsim.train(memsim.MultilayerPerceptron([3, 2, 3]), data, epochs=1)


# Scaling


@pytest.mark.parametrize("ends", [(0.0, 1.0), (-1.0, 1.0), (-0.25, 3.0)])
def test_a_range_goes_to_its_ends(ends):
    scaling = Scaling.fit(INPUTS, "range", ends=ends)
    inputs, clipped = scaling.apply(INPUTS)
    low, high = INPUTS.min(axis=0), INPUTS.max(axis=0)
    assert inputs == pytest.approx(ends[0] + (INPUTS - low) / (high - low) * (ends[1] - ends[0]), rel=1e-12, abs=1e-12)
    assert inputs.min(axis=0) == pytest.approx(np.full(3, ends[0]), abs=1e-12)
    assert inputs.max(axis=0) == pytest.approx(np.full(3, ends[1]), abs=1e-12)
    assert clipped == 0


def test_a_common_range_is_that_of_all_columns_and_takes_constant_ones():
    pixels = np.array([[0.0, 4.0, 0.0], [0.0, 16.0, 8.0]])
    scaling = Scaling.fit(pixels, "common-range")
    assert scaling.apply(pixels)[0].tolist() == [[0.0, 0.25, 0.0], [0.0, 1.0, 0.5]]
    # A pixel that was never lit may be: the range is that of all.
    assert scaling.apply(np.array([[16.0, 0.0, 17.0]]))[0].tolist() == [[1.0, 0.0, 1.0]]
    assert scaling.apply(np.array([[16.0, 0.0, 17.0]]))[1] == 1


def test_scaling_is_scikit_learns():
    preprocessing = pytest.importorskip("sklearn.preprocessing")
    within = np.clip(OTHERS, INPUTS.min(axis=0), INPUTS.max(axis=0))
    for kind, scaler in (
        ("standard", preprocessing.StandardScaler()),
        ("range", preprocessing.MinMaxScaler()),
    ):
        expected = scaler.fit(INPUTS).transform(within)
        assert Scaling.fit(INPUTS, kind).apply(OTHERS)[0] == pytest.approx(expected, rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("kind", ["range", "common-range", "standard"])
def test_what_is_beyond_the_range_is_clipped_and_counted_or_refused(kind):
    scaling = Scaling.fit(INPUTS, kind, features=("a", "b", "c"))
    outside = (OTHERS < scaling.lowest) | (OTHERS > scaling.highest)
    inputs, clipped = scaling.apply(OTHERS)
    assert clipped == outside.sum() > 0
    expected = (np.clip(OTHERS, scaling.lowest, scaling.highest) - scaling.offset) * scaling.factor
    assert np.array_equal(inputs, expected)
    sample, column = np.argwhere(outside)[0]
    with pytest.raises(
        InputError,
        match=rf"mine: {'abc'[column]} must be from .* to .*training samples \(got .* in sample {sample}[,)]",
    ):
        scaling.apply(OTHERS, "refuse", "mine")
    assert np.array_equal(scaling.apply(OTHERS[~outside.any(axis=1)], "refuse")[0], inputs[~outside.any(axis=1)])


def test_no_scaling_leaves_everything_and_refuses_nothing():
    inputs, clipped = Scaling.fit(INPUTS, "none").apply(OTHERS, "refuse")
    assert np.array_equal(inputs, OTHERS)
    assert clipped == 0
    data = Dataset(INPUTS, INPUTS)
    assert scaled(data, "none") is data


def test_constant_columns_are_named_and_refused():
    constant = INPUTS.copy()
    constant[:, 1], constant[:, 2] = 0.1, 7.0
    for kind in ("range", "standard"):
        with pytest.raises(
            InputError, match=rf"data.scaling: '{kind}' cannot scale .*: b \(always 0.1\), c \(always 7\)"
        ):
            Scaling.fit(constant, kind, features=("a", "b", "c"))
        with pytest.raises(
            InputError, match=r"column 1 \(always 0.1\), column 2 .*leave them out of the inputs, or take"
        ):
            Scaling.fit(constant, kind)
    with pytest.raises(InputError, match=r"data\.scaling: 'common-range' cannot scale inputs that are all 2"):
        Scaling.fit(np.full((3, 2), 2.0), "common-range")


@pytest.mark.parametrize("kind", ["range", "common-range"])
def test_a_range_beyond_all_numbers_is_refused(kind):
    with pytest.raises(InputError, match=f"data.scaling: '{kind}' cannot scale"):
        Scaling.fit(np.array([[-1e308, 0.0], [1e308, 1.0]]), kind)


def test_only_the_samples_to_learn_calibrate():
    data = split(labelled(INPUTS, ["a", "b"] * 20), 0.2, seed=5, test=0.3)
    for kind in ("range", "standard", "common-range"):
        done = scaled(data, kind)
        alone = Scaling.fit(data.inputs, kind)
        for part, before in ((done, data), (done.validation, data.validation), (done.test, data.test)):
            expected, clipped = alone.apply(before.inputs)
            assert np.array_equal(part.inputs, expected)
            assert part.clipped == clipped
            assert np.array_equal(part.scaling.factor, alone.factor)
        assert done.clipped == 0
        assert done.test.clipped > 0
    with pytest.raises(InputError, match=r"arrays\.(test|validation): column \d must be from"):
        scaled(data, "range", beyond="refuse")


# Splitting


@pytest.mark.parametrize("test", [0.1, 0.2, 0.25, 0.5])
@pytest.mark.parametrize("sizes", [(50, 50, 50), (5, 40, 90), (1, 2, 30)])
def test_a_split_takes_as_large_a_part_of_each_class(test, sizes):
    labels = np.random.default_rng(0).permutation(np.repeat(list("abc"), sizes))
    inputs = np.arange(len(labels), dtype=float)[:, None]
    whole = labelled(inputs, labels)
    data = split(whole, 0.2, seed=1, test=test)
    wanted = int(np.ceil(test * len(labels)))
    assert len(data.test.inputs) == wanted
    assert len(data.validation.inputs) == round(0.2 * (len(labels) - wanted))
    numbers = np.concatenate([part.inputs[:, 0] for part in (data, data.validation, data.test)])
    assert sorted(numbers) == list(range(len(labels)))
    for part in (data, data.validation, data.test):
        assert (np.diff(part.inputs[:, 0]) > 0).all()
        assert [whole.classes.names[number] for number in part.class_numbers] == labels[
            part.inputs[:, 0].astype(int)
        ].tolist()
    assert set(data.class_numbers) == {0, 1, 2}
    for number, size in enumerate(sizes):
        assert abs((data.test.class_numbers == number).sum() - test * size) <= 1.0 + len(sizes) / len(labels)


def test_splits_are_drawn_by_their_seed_and_apart_from_each_other():
    whole = labelled(INPUTS, ["a", "b"] * 20)
    data = [split(whole, 0.25, seed=seed, test=0.2) for seed in (1, 1, 2)]
    assert np.array_equal(data[0].test.inputs, data[1].test.inputs)
    assert not np.array_equal(data[0].test.inputs, data[2].test.inputs)
    # The test is held back first: it does not depend on the validation.
    assert np.array_equal(split(whole, seed=1, test=0.2).test.inputs, data[0].test.inputs)


def test_splits_that_cannot_be_are_refused():
    whole = labelled(INPUTS[:4], "abcd", "mine")
    with pytest.raises(
        InputError, match=r"data.test: must leave a sample of each class to learn \(got 0.3, that is 2\)"
    ):
        split(whole, test=0.3)
    with pytest.raises(InputError, match=r"data\.test: must hold back at least one of 4 samples, and leave one"):
        split(Dataset(INPUTS[:4], INPUTS[:4]), test=0.99)
    data = split(Dataset(INPUTS, INPUTS), test=0.2)
    with pytest.raises(InputError, match=r"data\.test: must be 0 for data that bring samples for test"):
        split(data, test=0.2)
    with pytest.raises(InputError, match=r"mine.test.inputs: must have 3 columns \(got 2\)"):
        Dataset(INPUTS, INPUTS, "mine", test=Dataset(INPUTS[:, :2], INPUTS))
    with pytest.raises(InputError, match=r"data.test: needs samples that were held back"):
        assemble(Configuration(data={"arrays": "mine", "test": 0.2}), Dataset(INPUTS[:, :2], INPUTS[:, :1]))


# The data sets of scikit-learn


@pytest.mark.parametrize(
    ("name", "samples", "features", "classes"),
    [("iris", 150, 4, 3), ("wine", 178, 13, 3), ("breast-cancer", 569, 30, 2), ("digits", 1797, 64, 10)],
)
def test_the_data_sets_of_scikit_learn(name, samples, features, classes):
    library = pytest.importorskip("sklearn.datasets")
    shipped = getattr(library, f"load_{name.replace('-', '_')}")()
    data = load(dataset=name, low=-0.5, high=0.5)
    assert data.inputs.shape == (samples, features)
    assert np.array_equal(data.inputs, shipped.data)
    assert data.features == tuple(shipped.feature_names)
    assert data.name == name
    assert data.targets.shape == (samples, classes)
    assert set(np.unique(data.targets)) == {-0.5, 0.5}
    found = [data.classes.names[number] for number in data.class_numbers]
    assert found == [str(shipped.target_names[target]) for target in shipped.target]


def test_columns_of_a_data_set_can_be_chosen():
    pytest.importorskip("sklearn")
    whole = load(dataset="iris")
    data = load(dataset="iris", inputs=("petal width (cm)", "sepal length (cm)"), scaling="range", test=0.2)
    assert data.features == ("petal width (cm)", "sepal length (cm)")
    assert len(data.test.inputs) == 30
    assert np.array_equal(data.scaling.highest <= whole.inputs[:, [3, 0]].max(axis=0), [True, True])
    with pytest.raises(InputError, match=r"data\.inputs: iris has no column 'petals'; it has sepal length"):
        load(dataset="iris", inputs=("petals",))


def test_never_lit_pixels_are_named_with_what_to_do():
    pytest.importorskip("sklearn")
    with pytest.raises(InputError, match=r"pixel_0_0 \(always 0\), .*leave them out .*, or take 'common-range'"):
        load(dataset="digits", scaling="range")
    data = load(dataset="digits", scaling="common-range", test=0.2)
    assert (len(data.inputs), len(data.test.inputs)) == (1437, 360)
    assert (data.inputs.min(), data.inputs.max()) == (0.0, 1.0)
    assert data.test.clipped == 0


def test_without_scikit_learn_one_line_says_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(
        InputError, match=r"^data.dataset = 'iris' needs scikit-learn, .*; pip install 'memsim\[sklearn\]'$"
    ):
        load(dataset="iris")


# CSV files with labels

TABLE = "id,length,width,kind\nx1,1.5,2,yes\nx2,2.5,3,no\n\nx3,3.5,1,  yes \nx4,0.5,2,no\n"


def csv(tmp_path, text, **data):
    (tmp_path / "data.csv").write_text(text)
    return load(csv=str(tmp_path / "data.csv"), inputs=("width", "length"), **data)


def test_a_csv_file_with_labels(tmp_path):
    data = csv(tmp_path, TABLE, labels="kind", high=0.8)
    assert data.inputs.tolist() == [[2.0, 1.5], [3.0, 2.5], [1.0, 3.5], [2.0, 0.5]]
    assert data.features == ("width", "length")
    assert data.classes.names == ("no", "yes")
    assert data.class_numbers.tolist() == [1, 0, 1, 0]
    assert data.targets.max() == 0.8
    assert data.on(1).targets[:, 0].tolist() == [0.8, 0.0, 0.8, 0.0]


def test_a_csv_file_with_targets_scaled_and_tested(tmp_path):
    data = csv(tmp_path, TABLE.replace("yes", "1").replace("no", "-1"), targets=("kind",), scaling="range", test=0.25)
    assert (data.targets.shape, data.test.targets.shape) == ((3, 1), (1, 1))
    assert data.classes is None
    assert data.inputs.max() == 1.0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            TABLE.replace("2.5", ""),
            r"data\.csv: line 3: length: the value is missing \(got ''\); give it one, or leave",
        ),
        (TABLE.replace("3.5", " NA "), r"data\.csv: line 5: length: the value is missing \(got 'NA '\)"),
        (TABLE.replace("3.5", "?"), r"data\.csv: line 5: length: the value is missing \(got '\?'\)"),
        (TABLE.replace("3.5", "long"), r"data\.csv: line 5: length: must be a finite number \(got 'long'\)"),
        (TABLE.replace("3.5", "-inf"), r"data\.csv: line 5: length: must be a finite number \(got '-inf'\)"),
        (
            TABLE.replace(",no\n", ",\n", 1),
            r"data\.csv: line 3: kind: the text is missing \(got ''\)",
        ),
        (TABLE.replace("no", "yes"), r"data\.labels: must be of two classes or more, each named once \(got yes\)"),
        (TABLE.replace("kind", "sort"), r"data\.csv: has no column 'kind'; it has id, length, width, sort"),
        (TABLE.replace("x3,3.5", "x3"), r"data\.csv: line 5: must have 4 cells \(got 3\)"),
    ],
)
def test_missing_values_and_labels_are_named_by_row_and_column(tmp_path, text, message):
    with pytest.raises(InputError, match=message):
        csv(tmp_path, text, labels="kind")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"dataset": "mnist"}, "data.dataset: must be 'iris', 'wine', 'breast-cancer' or 'digits'"),
        ({"dataset": "iris", "gate": "xor"}, r"exactly one of gate, csv, dataset \(got gate, dataset\)"),
        ({"dataset": "iris", "labels": "a"}, "data.labels: names columns of data.csv"),
        ({"dataset": "iris", "targets": ("a",)}, "data.targets: names columns of data.csv"),
        ({"csv": "x.csv", "inputs": ("a",)}, "data.inputs: csv needs .* of the target columns or the labels"),
        ({"csv": "x.csv", "labels": "a"}, "data.inputs: csv needs the names of the input columns"),
        (
            {"csv": "x.csv", "inputs": ("a",), "labels": "b", "targets": ("c",)},
            "give either targets or labels, not both",
        ),
        (
            {"csv": "x.csv", "inputs": ("a",), "labels": "a"},
            r"data.inputs: must name each column once, .* \(got 'a' twice\)",
        ),
        ({"dataset": "iris", "low": 1.0}, r"data.low: must be below high, 1 \(got 1\)"),
        ({"dataset": "iris", "input_range": (1.0, 0.0)}, r"data.input_range: must be \[smallest, largest\]"),
        ({"dataset": "iris", "scaling": "log"}, "data.scaling: must be 'none', 'range', 'common-range' or 'standard'"),
        ({"dataset": "iris", "beyond": "ignore"}, "data.beyond: must be 'clip' or 'refuse'"),
        ({"dataset": "iris", "test": 1.0}, "data.test: must be less than 1"),
    ],
)
def test_settings_of_data_that_cannot_work_are_refused(data, message):
    with pytest.raises(InputError, match=message):
        Configuration(data=data)


LABELLED = labelled([[1.0, 2.0], [3.0, 5.0], [2.0, 4.0]], ["a", "b", "a"], "mine", features=("x", "y"))


@pytest.mark.parametrize(
    ("attempt", "message"),
    [
        (
            lambda: labelled([[1, 2]] * 2, ["a", "b"], features=("x", "x")),
            r"features: must be given once each \(got x, x\)",
        ),
        (
            lambda: labelled([[1, 2], [3, np.nan]], ["a", "b"], features=("x", "y")),
            r"arrays\.inputs: must be finite \(got NaN in row 1, 'y'\); give the value, or leave the row out",
        ),
        (lambda: labelled([["u", 2]] * 2, ["a", "b"]), r"arrays\.inputs: must be a table of numbers"),
        (lambda: labelled([[1, 2]] * 2, [["a"], ["b"]]), r"labels: must be of shape \(samples,\)"),
        (
            lambda: replace(LABELLED, test=labelled([[1, 2]] * 2, ["a", "c"], features=("x", "y"))),
            r"mine\.test\.classes: must be those of the samples to learn \(got a, c on 2, not a, b on 2\)",
        ),
        (
            lambda: replace(scaled(LABELLED, "range"), test=LABELLED),
            r"mine\.test\.scaling: must be that of the samples to learn",
        ),
        (lambda: labelled([[1, 2]], ["c"], classes=LABELLED.classes), r"labels: must be of the classes a, b \(got 'c'"),
        (lambda: scaled(LABELLED, "minmax"), r"scaling: must be one of none, range, common-range, standard"),
        (
            lambda: scaled(labelled([[1.0, -1e308], [2.0, 1e308]], "ab", features=("x", "y")), "range"),
            r"'range' cannot scale y, whose range from -1e\+308 to 1e\+308 is too large or too small",
        ),
        (lambda: scaled(LABELLED, "range", ends=(1.0, 0.0)), r"ends: must be the smallest and the largest"),
        (lambda: scaled(LABELLED, "range", beyond="drop"), r"beyond: must be one of refuse, clip \(got 'drop'\)"),
        (lambda: split(LABELLED, test=math.nan), r"data\.test: must be from 0 up to 1"),
        (lambda: split(LABELLED, 0.3, seed=-1), r"data\.seed: must be 0 or more \(got -1\)"),
    ],
)
def test_what_makes_no_data_set_is_refused(attempt, message):
    with pytest.raises(InputError, match=message):
        attempt()


def test_known_classes_label_samples_of_one_class_alone():
    part = labelled([[9.0, 9.0]], ["b"], classes=LABELLED.classes, features=("x", "y"))
    assert part.targets.tolist() == [[0.0, 1.0]]
    assert replace(LABELLED, test=part).test.class_numbers.tolist() == [1]


def test_samples_are_named_by_their_numbers_before_the_split():
    inputs = np.arange(20.0)[:, None]
    inputs[[3, 11], 0] = 99.0, -99.0
    parted = replace(Dataset(inputs, inputs), name="mine")
    rest = parted.only(~np.isin(np.arange(20), [3, 11]))
    held = replace(parted.only(np.isin(np.arange(20), [3, 11])), name="mine.test")
    with pytest.raises(InputError, match=r"mine\.test: column 0 .* \(got 99 in sample 3, and 1 more\)"):
        scaled(replace(rest, test=held), "range", beyond="refuse")
