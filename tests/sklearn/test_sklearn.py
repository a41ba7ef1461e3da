"""Estimators: scikit-learn's own checks; READs that change nothing, and states that partial fits go on from."""

import functools
import pickle
import subprocess
import sys
import warnings

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import load_diabetes, load_iris, load_wine
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import estimator_checks_generator, parametrize_with_checks

import memsim
from memsim.analysis.verification import verify
from memsim.datasets import Dataset
from memsim.errors import InputError
from memsim.runs.opening import open_run
from memsim.sklearn import MemristorMLPClassifier, MemristorMLPRegressor, MemristorPerceptronClassifier
from memsim.sklearn.estimator_options import PerceptronOptions

ESTIMATORS = (MemristorPerceptronClassifier, MemristorMLPClassifier, MemristorMLPRegressor)
CLASSIFIERS = ESTIMATORS[:2]
IRIS, KINDS = load_iris(return_X_y=True)
DIABETES, PROGRESS = load_diabetes(return_X_y=True)
WINE = load_wine(return_X_y=True)
of_each_estimator = pytest.mark.parametrize("estimator", ESTIMATORS)
of_each_classifier = pytest.mark.parametrize("estimator", CLASSIFIERS)


# scikit-learn's checks


QUICK = (
    "check_classifiers_train", "check_estimators_pickle", "check_methods_subset_invariance",
    "check_n_features_in_after_fitting", "check_dict_unchanged",
)  # fmt: skip


@pytest.mark.slow
@parametrize_with_checks([estimator() for estimator in ESTIMATORS])
def test_it_passes_the_checks_of_scikit_learn(estimator, check):
    check(estimator)


@pytest.mark.parametrize("name", QUICK)
def test_it_passes_some_checks_of_scikit_learn(name):
    checks = [
        (estimator, check)
        for estimator, check in estimator_checks_generator(MemristorMLPClassifier())
        if check.func.__name__ == name
    ]
    assert checks
    for estimator, check in checks:
        check(estimator)


# Bits


def bits(run):
    return {bank: run.final_state[bank].tobytes() for bank in run.banks}


def samples_of(estimator):
    return (DIABETES[:60], PROGRESS[:60]) if estimator is MemristorMLPRegressor else (IRIS, KINDS)


def fitted(estimator, **parameters):
    return estimator(**{"max_iter": 3, "random_state": 0} | parameters).fit(*samples_of(estimator))


learned = functools.cache(fitted)  # for tests that change nothing of it


def same_bits(one, other):
    """Whether two estimators have the same devices in the same states, and learned the same."""
    states = [[bits(run) for run in each.runs_] for each in (one, other)]
    return states[0] == states[1] and one.loss_curve_ == other.loss_curve_


@of_each_estimator
def test_predicting_changes_nothing_and_repeats_itself(estimator):
    model, inputs = learned(estimator), samples_of(estimator)[0]
    before = [run.image for run in model.runs_]
    first = model.predict(inputs)
    assert [run.image for run in model.runs_] == before
    assert np.array_equal(model.predict(inputs), first)
    outputs = model._outputs(inputs)
    assert outputs.tobytes() == model._outputs(inputs).tobytes()
    assert outputs.tobytes() == np.concatenate([model._outputs(row[None]) for row in inputs]).tobytes()


def test_a_node_at_its_bound_does_not_touch_other_rows():
    """Of samples that follow each other through one copy, one changes those after it."""
    model = fitted(MemristorMLPClassifier, node_drift=0.9)
    outputs = model._outputs(IRIS)
    (run,) = model.runs_
    one_copy = memsim.evaluate(run, IRIS).outputs[:, :, 0]
    assert np.abs(outputs - one_copy).max() > 1e-3
    assert outputs[::-1].tobytes() == model._outputs(IRIS[::-1]).tobytes()


@of_each_estimator
def test_a_copy_predicts_the_same_bits(estimator):
    model, inputs = learned(estimator), samples_of(estimator)[0]
    image = pickle.dumps(model)
    copied = pickle.loads(image)
    assert copied._outputs(inputs).tobytes() == model._outputs(inputs).tobytes()
    assert len(image) < 200_000
    assert not hasattr(clone(model), "runs_")


@of_each_estimator
def test_the_seed_is_honoured(estimator):
    assert same_bits(learned(estimator), fitted(estimator))
    assert not same_bits(learned(estimator), fitted(estimator, random_state=1))
    state, other = np.random.RandomState(0), np.random.RandomState(0)
    first = fitted(estimator, random_state=state)
    assert same_bits(first, fitted(estimator, random_state=other))
    assert not same_bits(first, fitted(estimator, random_state=state))
    assert not same_bits(fitted(estimator, random_state=None), fitted(estimator, random_state=None))


@of_each_estimator
@pytest.mark.parametrize("shuffle", [False, True])
def test_partial_fits_have_the_bits_of_one_fit(estimator, shuffle):
    inputs, targets = samples_of(estimator)
    whole = fitted(estimator, shuffle=shuffle, max_iter=5)
    model = estimator(shuffle=shuffle, random_state=0)
    for call in range(5):
        classes = {"classes": np.unique(targets)} if estimator in CLASSIFIERS and call == 0 else {}
        model.partial_fit(inputs, targets, **classes)
    assert same_bits(model, whole)
    assert model.n_iter_ == whole.n_iter_ == 5
    assert model._outputs(inputs).tobytes() == whole._outputs(inputs).tobytes()
    after_fit = fitted(estimator, shuffle=shuffle, max_iter=4).partial_fit(inputs, targets)
    assert same_bits(after_fit, whole)


def test_partial_fits_may_bring_other_samples_and_fewer_classes(tmp_path):
    model = MemristorMLPClassifier(random_state=0)
    model.partial_fit(IRIS[::2], KINDS[::2], classes=[0, 1, 2])
    with pytest.warns(UserWarning, match="inputs are beyond the range"):
        model.partial_fit(IRIS[KINDS < 2] * 2.0, KINDS[KINDS < 2])
    assert model.run_.epochs_before == 1
    model.run_.save(tmp_path / "partial.h5")
    with open_run(tmp_path / "partial.h5") as run:
        assert [finding for finding in verify(run) if finding.wrong] == []
        assert run.samples == 100
    with pytest.raises(InputError, match=r"y: must be of the classes \[0 1 2\] \(got .*3.* in sample 1\)"):
        model.partial_fit(IRIS[:2], [0, 3])
    with pytest.raises(InputError, match="classes: must be those of the first call"):
        model.partial_fit(IRIS[:2], [0, 1], classes=[0, 1])


@pytest.mark.slow
def test_both_constructions_of_the_perceptron_learn_the_same_curve():
    memristor, lines = (
        MemristorPerceptronClassifier(construction=construction, max_iter=3, random_state=0).fit(IRIS, KINDS)
        for construction in ("memristor", "equivalent")
    )
    assert memristor.loss_curve_ == pytest.approx(lines.loss_curve_, rel=1e-9)
    assert memristor.decision_function(IRIS) == pytest.approx(lines.decision_function(IRIS), abs=1e-9)
    partial = MemristorPerceptronClassifier(construction="memristor", random_state=0)
    for _ in range(3):
        partial.partial_fit(IRIS, KINDS, classes=[0, 1, 2])
    assert same_bits(partial, memristor)


# In the company of scikit-learn


@of_each_classifier
def test_it_works_in_pipelines_grids_and_cross_validation(estimator):
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*inputs are beyond the range")
        chain = make_pipeline(StandardScaler(), estimator(max_iter=20, random_state=0))
        assert cross_val_score(chain, *WINE, cv=3).mean() > 0.9
        name = chain.steps[-1][0]
        grid = GridSearchCV(chain, {f"{name}__learning_rate_init": np.array([1e-6, 0.03])}, cv=3).fit(*WINE)
        assert grid.best_params_[f"{name}__learning_rate_init"] == 0.03
        assert CalibratedClassifierCV(chain, cv=3).fit(*WINE).predict_proba(WINE[0]).shape == (178, 3)


def test_names_of_columns_and_classes_are_kept():
    pandas = pytest.importorskip("pandas")
    data = load_iris(as_frame=True)
    names = np.array(data.target_names)[data.target]
    model = MemristorPerceptronClassifier(max_iter=20, random_state=0).fit(data.data, names)
    assert isinstance(data.data, pandas.DataFrame)
    assert model.feature_names_in_.tolist() == list(data.data.columns)
    assert model.classes_.tolist() == ["setosa", "versicolor", "virginica"]
    assert set(model.predict(data.data)) <= set(names)
    assert model.score(data.data, names) > 0.9
    assert len(model.runs_) == 3
    assert model.runs_[0].dataset.inputs.shape == (150, 4)


def test_two_classes_share_an_output():
    two = KINDS < 2
    for estimator in CLASSIFIERS:
        model = estimator(max_iter=10, random_state=0).fit(IRIS[two], KINDS[two])
        decision = model.decision_function(IRIS[two])
        assert decision.shape == (100,)
        assert np.array_equal(model.predict(IRIS[two]), (decision > 0).astype(int))
        assert model.score(IRIS[two], KINDS[two]) == 1.0
        assert not hasattr(model, "predict_proba")


def test_several_targets_have_an_output_each():
    targets = np.stack([PROGRESS, -2.0 * PROGRESS, np.full(len(PROGRESS), 7.0)], axis=1)
    model = MemristorMLPRegressor(max_iter=20, random_state=0).fit(DIABETES, targets)
    found = model.predict(DIABETES)
    assert found.shape == targets.shape
    assert np.corrcoef(found[:, 0], PROGRESS)[0, 1] > 0.6
    assert np.corrcoef(found[:, 1], PROGRESS)[0, 1] < -0.6
    assert np.abs(found[:, 2] - 7.0).max() < 0.5


def test_defaults_learn_small_standard_data():
    parts = train_test_split(*WINE, test_size=0.25, random_state=0)
    for estimator in CLASSIFIERS:
        model = estimator(random_state=0)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=".*inputs are beyond the range")
            assert model.fit(parts[0], parts[2]).score(parts[1], parts[3]) > 0.93
        assert model.loss_curve_[-1] < 0.5 * model.loss_curve_[0]


# Early stopping


@of_each_estimator
def test_early_stopping_ends_early_and_takes_the_best_states(estimator):
    inputs, targets = samples_of(estimator)
    model = fitted(estimator, early_stopping=True, n_iter_no_change=2, max_iter=60, validation_fraction=0.2)
    for run in model.runs_:
        assert run.samples == 0.8 * len(inputs)
        assert run.best_error[0] == run.validation_error.min()
    assert any(run.ended_early and len(run.validation_error) < 60 for run in model.runs_)
    if estimator in CLASSIFIERS:
        held_back = model.runs_[0].dataset.validation.inputs
        assert len(held_back) == 30
    wanted = np.concatenate(
        [memsim.evaluate(run, inputs, best=True, apart=True).outputs[:, :, 0] for run in model.runs_], axis=1
    )
    assert model._outputs(inputs).tobytes() == wanted.tobytes()
    assert same_bits(
        model, fitted(estimator, early_stopping=True, n_iter_no_change=2, max_iter=60, validation_fraction=0.2)
    )
    with pytest.raises(InputError, match="early_stopping: must be False for partial_fit"):
        model.partial_fit(inputs, targets)


@of_each_classifier
@pytest.mark.parametrize(
    ("share", "message"),
    [
        (0.04, "validation_fraction: holds back 2 of 50 samples, fewer than the 3 classes; hold back a larger"),
        (0.95, "validation_fraction: leaves 2 of 50 samples to learn, fewer than the 3 classes; hold back a smaller"),
    ],
)
def test_each_class_needs_samples_to_learn_and_to_hold_back(estimator, share, message):
    model = estimator(early_stopping=True, validation_fraction=share)
    with pytest.raises(InputError, match=message):
        model.fit(IRIS[::3], KINDS[::3])
    with pytest.raises(InputError, match=r"y: must have two samples or more of each class, .* \(got 1 of 1\)"):
        model.fit(IRIS[:51], KINDS[:51])
    with pytest.raises(InputError, match="validation_fraction: leaves 0 of 10 samples to learn, fewer than 1"):
        MemristorMLPRegressor(early_stopping=True, validation_fraction=0.95).fit(IRIS[:10], IRIS[:10, 0])


# Currents


def test_inputs_beyond_the_range_are_clipped_and_counted_or_refused():
    model = fitted(MemristorMLPClassifier)
    beyond = IRIS[:3].copy()
    beyond[1, 2], beyond[2, 0] = 99.0, -5.0
    ends = beyond.copy()
    ends[1, 2], ends[2, 0] = IRIS[:, 2].max(), IRIS[:, 0].min()
    with pytest.warns(UserWarning, match="2 of 12 inputs are beyond the range"):
        found = model.decision_function(beyond)
    assert np.array_equal(found, model.decision_function(ends))
    model.set_params(beyond="refuse")
    with pytest.raises(
        InputError, match=r"^X: column 0 must be from 4.3 to 7.9.* in sample 2|^X: column 2 .* in sample 1"
    ):
        model.predict(beyond)
    for value, name in ((np.nan, "NaN"), (-np.inf, "-inf")):
        beyond[1, 2] = value
        with pytest.raises(InputError, match=f"X: must be finite .got {name} in row 1, column 2"):
            model.predict(beyond)


@of_each_estimator
@pytest.mark.parametrize("scaling", ["range", "standard"])
def test_constant_columns_carry_no_information(estimator, scaling):
    inputs, targets = samples_of(estimator)
    constant = np.column_stack([inputs, np.full(len(inputs), 3.0)])
    model = estimator(max_iter=3, random_state=0, scaling=scaling).fit(constant, targets)
    assert (model.runs_[0].dataset.inputs[:, -1] == 0.0).all()
    with pytest.warns(UserWarning, match=f"{len(inputs)} of"):
        found = model._outputs(constant + np.eye(constant.shape[1])[-1])
    assert np.array_equal(found, model._outputs(constant))


@pytest.mark.parametrize("value", [1e-9, -3e12, 0.0, 1e-300])
def test_a_constant_target_is_predicted_as_it_is_until_there_is_another(value):
    inputs, targets = samples_of(MemristorMLPRegressor)
    both = np.column_stack([targets, np.full(len(inputs), value)])
    model = MemristorMLPRegressor(max_iter=2, random_state=0).fit(inputs, both)
    assert (model.predict(inputs)[:, 1] == value).all()
    assert len(np.unique(model.predict(inputs)[:, 0])) > 1
    one = MemristorMLPRegressor(random_state=0).partial_fit(inputs, np.full(len(inputs), value))
    assert (one.predict(inputs) == value).all()
    other = one.partial_fit(inputs[:2], [value, 1.5 * value or 1.0]).predict(inputs)
    assert len(np.unique(other)) > 1
    assert (np.abs(other - value) <= (2.0 * abs(value) or 2.0)).all()


def test_inputs_may_be_currents_already_and_have_a_range_as_well():
    inputs = np.clip(StandardScaler().fit_transform(IRIS) / 3.0, -1.0, 1.0)
    model = MemristorPerceptronClassifier(scaling="none", max_iter=5, random_state=0).fit(inputs, KINDS)
    assert np.array_equal(model.runs_[0].dataset.inputs, inputs)
    assert model.runs_[0].dataset.scaling is None
    evaluated = [memsim.evaluate(run, inputs, apart=True).outputs[:, 0, 0] for run in model.runs_]
    assert np.array_equal(model._outputs(inputs), np.transpose(evaluated))
    beyond, ends = inputs[:5].copy(), inputs[:5].copy()
    beyond[3, 1], ends[3, 1] = 2.0, inputs[:, 1].max()
    with pytest.warns(UserWarning, match="1 of 20 inputs are beyond the range"):
        assert np.array_equal(model._outputs(beyond), model._outputs(ends))
    model.set_params(beyond="refuse")
    with pytest.raises(InputError, match=r"^X: column 1 must be from .* \(got 2 in sample 3\)"):
        model.predict(beyond)


@pytest.mark.parametrize("scaling", ["range", "standard"])
@pytest.mark.parametrize(("ends", "size"), [((-1e308, 1e308), "large"), ((0.0, 1e-320), "small")])
def test_ranges_that_no_factor_scales_are_refused(scaling, ends, size):
    inputs = np.column_stack([np.full(150, 3.0), IRIS])
    inputs[:2, 3] = ends
    inputs[2:, 3] = ends[0]
    with pytest.raises(InputError, match=f"^X: the range of column 3, from .*, is too {size} to scale"):
        MemristorMLPClassifier(scaling=scaling).fit(inputs, KINDS)
    with pytest.raises(InputError, match=f"^y: the range of column 0, from .*, is too {size} to scale"):
        MemristorMLPRegressor(scaling=scaling).fit(IRIS, inputs[:, 3])


# What is refused


@of_each_estimator
@pytest.mark.parametrize(
    ("parameter", "value", "message"),
    [
        ("max_iter", 0, "max_iter: must be greater than or equal to 1"),
        ("max_iter", 2.5, "max_iter: must be a"),
        ("learning_rate_init", -1.0, "learning_rate_init: must be greater than 0"),
        ("learning_rate_init", np.nan, "learning_rate_init: must be"),
        ("batch_size", 0, "batch_size: must be greater than or equal to 1"),
        ("validation_fraction", 1.0, "validation_fraction: must be less than 1"),
        ("scaling", "log", "scaling: must be"),
        ("beyond", "ignore", "beyond: must be"),
        ("weight_limit", 0.0, "weight_limit: must be greater than 0"),
    ],
)
def test_parameters_that_cannot_work_are_refused_with_one_line(estimator, parameter, value, message):
    with pytest.raises(ValueError, match=message) as refused:
        estimator(**{parameter: value}).fit(*samples_of(estimator))
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("sizes", [8, np.int64(8), np.array([8]), [8]])
def test_one_hidden_layer_may_be_a_number(sizes):
    model = fitted(MemristorMLPClassifier, hidden_layer_sizes=sizes)
    assert model.run_.config.network.layers == (4, 8, 3)
    assert same_bits(model, learned(MemristorMLPClassifier, hidden_layer_sizes=(8,)))


@pytest.mark.parametrize("sizes", ["8", 2.5, True, None])
def test_hidden_layers_are_whole_numbers(sizes):
    with pytest.raises(InputError, match="hidden_layer_sizes: must be a whole number of nodes, or one for each hidden"):
        fitted(MemristorMLPClassifier, hidden_layer_sizes=sizes)


@of_each_estimator
def test_a_mini_batch_is_of_all_samples_at_most(estimator):
    samples = len(samples_of(estimator)[0])
    with pytest.warns(UserWarning, match=f"batch_size: 1000 is more than the {samples} samples .* taken for {samples}"):
        model = fitted(estimator, batch_size=1000)
    assert same_bits(model, fitted(estimator, batch_size=samples))
    with pytest.warns(UserWarning, match="than the 54 samples to learn" if samples == 60 else "than the 135 samples"):
        fitted(estimator, batch_size=samples, early_stopping=True)


def test_errors_name_parameters_of_the_estimator():
    for name, value in (("bias_limit", 0.01), ("weight_limit", 0.01)):
        with pytest.raises(InputError, match=f"^{name}: must hold the starting weights of"):
            fitted(MemristorMLPClassifier, **{name: value})


CHANGES = {
    "weight_limit": 10.0, "scaling": "standard", "construction": "memristor", "hidden_layer_sizes": 3,
    "bias_limit": 0.2, "node_drift": 0.3, "node_threshold": 0.5,
}  # fmt: skip


@of_each_estimator
def test_parameters_of_the_devices_last_as_long_as_these(estimator):
    samples, model = samples_of(estimator), fitted(estimator)
    before = model.get_params()
    for name in CHANGES.keys() & before.keys():
        model.set_params(**{name: CHANGES[name]})
        with pytest.raises(InputError, match=f"^{name}: must stay .*; fit makes new ones$"):
            model.partial_fit(*samples)
        assert model.n_iter_ == 3
        model.set_params(**{name: before[name]})
    model.set_params(learning_rate_init=1e-3, batch_size=5, shuffle=False, beyond="refuse")
    model.partial_fit(*samples)
    (learning,) = {run.config.learning for run in model.runs_}
    assert (learning.rate, learning.batch, learning.shuffle) == (1e-3, 5, False)
    assert same_bits(model.set_params(weight_limit=10.0).fit(*samples), model.fit(*samples))


def test_the_rate_of_the_threshold_memristor_is_a_parameter_of_the_device():
    first, now = (
        PerceptronOptions.of(
            MemristorPerceptronClassifier(construction="memristor", learning_rate_init=rate).get_params()
        )
        for rate in (0.3, 0.1)
    )
    first.refuse_other_devices(first)
    with pytest.raises(InputError, match=r"^learning_rate_init: must stay 0.3, .* \(got 0.1\)"):
        now.refuse_other_devices(first)


@of_each_estimator
def test_missing_targets_are_named_by_their_row(estimator):
    inputs, targets = samples_of(estimator)
    for value, name in ((np.nan, "NaN"), (np.inf, "inf"), (None, "None")):
        given = targets.astype(object if value is None else float)
        given[7] = value
        for y in (given, given.tolist()):
            with pytest.raises(InputError, match=f"^y: must be given and finite .got {name} in row 7.; give the value"):
                estimator().fit(inputs, y)
    several = np.stack([PROGRESS, PROGRESS], axis=1)
    several[2, 1] = np.nan
    with pytest.raises(InputError, match=r"^y: must be given and finite .got NaN in row 2, column 1.;"):
        MemristorMLPRegressor().fit(DIABETES, several)


def test_what_has_not_learned_does_not_predict():
    for estimator in ESTIMATORS:
        with pytest.raises(NotFittedError):
            estimator().predict(IRIS)
    with pytest.raises(AttributeError, match="run_"):
        MemristorMLPClassifier().run_  # noqa: B018
    with pytest.raises(InputError, match="classes: must be given in the first call"):
        MemristorMLPClassifier().partial_fit(IRIS, KINDS)
    with pytest.raises(InputError, match="y: must be of two classes or more"):
        MemristorMLPClassifier().fit(IRIS, np.zeros(150))
    with pytest.raises(InputError, match="construction: must be"):
        MemristorPerceptronClassifier(construction="other").fit(IRIS, KINDS)


def test_without_scikit_learn_one_line_says_what_to_install():
    hidden = "import sys; sys.modules['sklearn'] = None; import memsim.sklearn"
    found = subprocess.run([sys.executable, "-c", hidden], capture_output=True, text=True, check=False)
    assert found.returncode == 1
    assert (
        found.stderr.splitlines()[-1] == "ImportError: memsim.sklearn needs scikit-learn: pip install 'memsim[sklearn]'"
    )


# The run file


def test_a_run_is_saved_and_looked_into(tmp_path, cli):
    model = learned(MemristorMLPClassifier)
    model.run_.save(tmp_path / "iris.h5")
    assert cli("trace", "info", tmp_path / "iris.h5").status == 0
    assert cli("trace", "verify", tmp_path / "iris.h5").status == 0
    with open_run(tmp_path / "iris.h5") as run:
        given = memsim.evaluate(run, IRIS, apart=True).outputs[:, :, 0]
    assert given.tobytes() == model._outputs(IRIS).tobytes()


# What the runs are made of and told by


def _bits(model):
    return model.decision_function(FLOWERS[0][::10])


FLOWERS = (IRIS, KINDS)
SMALL = {"max_iter": 2, "random_state": 0}


@pytest.mark.parametrize("estimator", [MemristorMLPClassifier, MemristorPerceptronClassifier])
def test_realisations_predict_by_the_mean_of_their_outputs(estimator):
    several = estimator(realisations=3, **SMALL).fit(*FLOWERS)
    run = several.runs_[0]
    assert run.realisations == 3
    currents, _ = several.scaling_.apply(FLOWERS[0][::10], "clip", "X")
    outputs = memsim.runs.prediction.read_through(
        run, Dataset(currents, np.zeros((15, run.dataset.targets.shape[1]))), apart=True, seed=0
    ).outputs
    np.testing.assert_array_equal(_bits(several)[:, : outputs.shape[1]], outputs.mean(axis=2) - 0.5)
    one = estimator(**SMALL).fit(*FLOWERS).runs_[0]
    np.testing.assert_array_equal(run.total_error[:, 0], one.total_error[:, 0])
    assert several.loss_curve_ == pytest.approx(
        [sum(r.total_error[k].mean() for r in several.runs_) / len(FLOWERS[0]) for k in range(2)]
    )


def test_devices_go_by_their_names_and_imperfections_by_a_dictionary():
    model = MemristorMLPClassifier(synapse="vteam", imperfections={"synapse": {"write_noise": 0.1}}, **SMALL)
    model.fit(*FLOWERS)
    config = model.run_.config
    assert config.devices.synapse == memsim.devices.Vteam()
    assert config.imperfections.synapse.write_noise == 0.1
    model.partial_fit(*FLOWERS)
    with pytest.raises(InputError, match=r"^synapse: must stay .*; fit makes new ones"):
        model.set_params(synapse=None).partial_fit(*FLOWERS)
    with pytest.raises(InputError, match=r"^synapse\.model: must be one of .*did you mean 'vteam'"):
        MemristorMLPClassifier(synapse="vtem").fit(*FLOWERS)
    with pytest.raises(InputError, match=r"^imperfections\.synapse\.write_nois: no such setting"):
        MemristorMLPClassifier(imperfections={"synapse": {"write_nois": 0.1}}).fit(*FLOWERS)
    with pytest.raises(InputError, match="synapse: counts for construction='equivalent' alone"):
        MemristorPerceptronClassifier(construction="memristor", synapse="synapse").fit(*FLOWERS)


def test_a_callback_is_told_of_the_epochs_and_ends_the_training():
    epochs = []

    def callback(report):
        epochs.append(report.epoch)
        return len(epochs) < 3

    model = MemristorMLPClassifier(max_iter=50, random_state=0, verbose=False, callback=callback).fit(*FLOWERS)
    assert epochs[:3] == [1, 2, 3]
    assert 3 <= model.n_iter_ < 50
    assert model.predict(FLOWERS[0]).shape == (150,)
