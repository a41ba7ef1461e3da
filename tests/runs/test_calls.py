"""What a Python user calls: configurations loaded and carried out, networks trained on arrays, and what is refused."""

import inspect
import typing

import numpy as np
import pytest
from scipy.sparse import csr_matrix

import memsim
from memsim.analysis.frames import to_pandas
from memsim.analysis.run_figures import plot_trace
from memsim.configuration import LearningSection
from memsim.datasets import Dataset, gate
from memsim.devices import Vteam
from memsim.errors import InputError
from memsim.runs.calls import LearningFields

INPUTS = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
CLASSES = [0, 1, 1, 0]
SHORT = {"run.realisations": 2, "learning.epochs": 2, "time.integrator": "euler"}


@pytest.fixture
def network():
    return memsim.MultilayerPerceptron((2, 2, 1))


@pytest.fixture
def xor(tmp_path):
    """A configuration file."""
    path = tmp_path / "xor.toml"
    path.write_text('[data]\ngate = "xor"\nsamples = 8\n[learning]\nrate = 0.5\n')
    return path


# Configurations


def test_a_configuration_that_is_not_there_is_missed_whatever_its_name():
    with pytest.raises(InputError, match=r"^nothing\.h5: no such file"):
        memsim.load("nothing.h5")


def test_a_configuration_is_loaded_with_what_goes_over_it(xor):
    plain, other = memsim.load(xor), memsim.load(str(xor), {"run.seed": 3, "devices.synapse": "vteam"})
    assert (plain.run.seed, plain.learning.rate) == (0, 0.5)
    assert (other.run.seed, other.learning.rate) == (3, 0.5)
    assert isinstance(other.devices.synapse, Vteam)


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"epochs": 3}, r"^overrides: must be by dotted names, as 'run.seed' \(got 'epochs'\)$"),
        ({3: 3}, r"^overrides: must be by dotted names"),
        ({"learning.epoch": 3}, r"^learning.epoch: no such setting; did you mean 'epochs'\?$"),
        ({"learning.epochs.more": 3}, "^overrides: epochs in 'learning.epochs.more' is a value, not a section$"),
    ],
)
def test_what_goes_over_a_configuration_is_named_where_it_is_wrong(xor, overrides, message):
    xor.write_text(xor.read_text() + "epochs = 4\n")
    with pytest.raises(InputError, match=message):
        memsim.load(xor, overrides)


def test_a_configuration_is_carried_out_as_the_command_line_does(xor, tmp_path, cli):
    config = memsim.load(xor, SHORT)
    options = [word for name, value in SHORT.items() for word in ("--set", f"{name}={value}")]
    assert cli("run", xor, "--out", tmp_path / "cli.h5", "--quiet", *options).status == 0
    with memsim.open_run(tmp_path / "cli.h5") as by_command, memsim.run(config) as in_memory:
        assert in_memory.path is None
        np.testing.assert_array_equal(in_memory.total_error, by_command.total_error)
    with memsim.run(config, out=tmp_path / "python.h5") as done:
        assert done.path == tmp_path / "python.h5"


def test_a_run_goes_on_and_is_made_again_from_its_file(xor, tmp_path):
    file = tmp_path / "run.h5"
    memsim.run(memsim.load(xor, SHORT), out=file).close()
    more = memsim.load(xor, {**SHORT, "learning.epochs": 4})
    with memsim.run(more, out=file, resume=True) as longer, memsim.run(more) as whole:
        np.testing.assert_array_equal(longer.total_error, whole.total_error)
    with memsim.run(file) as again, memsim.run(str(file), resume=True) as finished:
        np.testing.assert_array_equal(again.total_error, finished.total_error)


def test_samples_may_be_given_beside_a_configuration(xor):
    config = memsim.load(xor, SHORT)
    values = config.model_dump() | {"data": {"arrays": "mine"}}
    config = memsim.Configuration(**values)
    with memsim.run(config, gate("and", 4)) as done:
        assert done.samples == 4
    with pytest.raises(InputError, match=r"^data\.arrays: were given from Python"):
        memsim.run(config)


def test_what_cannot_be_carried_out_is_refused(xor, tmp_path):
    config, file = memsim.load(xor, SHORT), tmp_path / "run.h5"
    memsim.run(config, out=file).close()
    for message, arguments in {
        r"run\.h5: exists; .*": {"out": file},
        "^resume: goes on with a run file; name it with out=": {"resume": True},
        "^resume: goes on with the file, overwrite=True replaces it; give one": {
            "out": file, "resume": True, "overwrite": True,
        },
    }.items():  # fmt: skip
        with pytest.raises(InputError, match=message):
            memsim.run(config, **arguments)
    with pytest.raises(InputError, match=r"run\.h5: is a run file; memsim\.open_run\('.*'\)\.config is its"):
        memsim.load(file)
    with pytest.raises(InputError, match=r"^path: must be the path of a file \(got 3\)$"):
        memsim.load(3)
    with pytest.raises(InputError, match="is the configuration itself"):
        memsim.run(xor, out=xor, overwrite=True)
    memsim.run(config, out=file, overwrite=True).close()


# Networks


def test_sizes_are_given_together_or_one_by_one():
    assert memsim.MultilayerPerceptron().section.layers == (2, 2, 1)
    assert memsim.MultilayerPerceptron([3, 1]).section.layers == (3, 1)
    assert memsim.MultilayerPerceptron(inputs=4, hidden=[8, 7], outputs=3).section.layers == (4, 8, 7, 3)
    assert memsim.MultilayerPerceptron(hidden=np.int64(5)).section.layers == (2, 5, 1)
    with pytest.raises(InputError, match=r"^inputs: is among layers already \(got 2\); give either$"):
        memsim.MultilayerPerceptron((2, 1), inputs=2)
    with pytest.raises(InputError, match=r"^layers: must"):
        memsim.MultilayerPerceptron("2,1")


def test_devices_go_by_the_names_of_their_models():
    by_name, by_object = (memsim.MultilayerPerceptron(synapse=each) for each in ("vteam", Vteam()))
    assert by_name == by_object
    single = memsim.SingleLayerPerceptron(3, memristor="carrier-memristor")
    assert isinstance(single.devices.memristor, memsim.CarrierMemristor)
    with pytest.raises(InputError, match=r"^synapse\.model: must be one of .* \(got 'vtem'\); did you mean 'vteam'\?"):
        memsim.MultilayerPerceptron(synapse="vtem")


# Samples


def trained(network, *samples, **settings):
    with memsim.train(network, *samples, epochs=2, **settings) as run:
        return run.total_error, run.dataset


def test_arrays_are_the_data_set_that_they_make(network):
    """Classes by whole numbers, texts or booleans; targets by real numbers."""
    labelled = memsim.datasets.labelled(INPUTS, CLASSES)
    expected, _ = trained(network, labelled)
    for y in (CLASSES, np.array(CLASSES), ["no", "yes", "yes", "no"], [False, True, True, False]):
        error, dataset = trained(network, INPUTS.tolist(), y)
        np.testing.assert_array_equal(error, expected)
        assert dataset.classes is not None
    targets = np.array([0.1, 0.9, 0.8, 0.2])
    expected, _ = trained(network, Dataset(INPUTS, targets[:, None]))
    for y in (targets, targets[:, None]):
        error, dataset = trained(network, INPUTS, y)
        np.testing.assert_array_equal(error, expected)
        assert dataset.classes is None


def test_a_table_of_pandas_names_its_columns(network):
    pandas = pytest.importorskip("pandas")
    table = pandas.DataFrame(INPUTS, columns=["left", "right"])
    error, dataset = trained(network, table, pandas.Series(CLASSES))
    assert tuple(dataset.features) == ("left", "right")
    np.testing.assert_array_equal(error, trained(network, INPUTS, CLASSES)[0])


def test_inputs_are_scaled_by_the_samples_to_learn(network):
    error, dataset = trained(network, 300.0 * INPUTS - 7.0, CLASSES, scaling="range")
    np.testing.assert_array_equal(dataset.inputs, INPUTS)
    np.testing.assert_array_equal(error, trained(network, INPUTS, CLASSES)[0])
    data = memsim.datasets.scaled(memsim.datasets.labelled(300.0 * INPUTS - 7.0, CLASSES), "range")
    np.testing.assert_array_equal(error, trained(network, data)[0])
    with pytest.raises(InputError, match=r"^data\.scaling: must be 'none' for data that are scaled already \(got 'ran"):
        memsim.train(network, data, scaling="range")


def test_sections_may_be_dictionaries(network):
    objects = {"time": memsim.Timing(dt=1e-4), "trace": memsim.TraceSection(keyframe_samples=2)}
    dictionaries = {"time": {"dt": 1e-4}, "trace": {"keyframe_samples": 2}}
    noise = {"synapse": {"write_noise": 0.1}}
    found = [memsim.train(network, INPUTS, CLASSES, epochs=2, imperfections=noise, **each)
             for each in (objects, dictionaries)]  # fmt: skip
    assert found[0].config == found[1].config
    assert found[0].config.imperfections.synapse.write_noise == 0.1


@pytest.mark.parametrize(
    ("samples", "message"),
    [
        (((INPUTS, CLASSES),), r"^data: is a pair; give inputs and targets one after the other: train\(network"),
        (("xor",), r"^data: must be a data set or inputs, not a text; memsim\.datasets\.gate\('xor'\) has"),
        ((INPUTS,), r"^y: is missing; give the classes or targets of the inputs \(got ndarray alone\)$"),
        ((gate("xor", 4), CLASSES), "^y: a data set has its targets already; leave it out"),
        ((INPUTS, CLASSES[:3]), r"^y: must have a row for each of the 4 samples \(got shape \(3,\)\)$"),
        ((INPUTS, 3), r"^y: must have a row for each of the 4 samples \(got shape \(\)\)$"),
        ((INPUTS[:, 0], CLASSES), r"^data: must have shape \(samples, n\), none 0 \(got \(4,\)\); reshape\("),
        (([INPUTS], CLASSES), r"^data: must have shape \(samples, n\), none 0 \(got \(1, 4, 2\)\)$"),
        ((csr_matrix(INPUTS), CLASSES), r"^data: must be .* \(got csr_matrix\); toarray\(\) makes one of it$"),
        ((INPUTS[:1], CLASSES[:1]), r"^y: must be of two classes or more \(got 1 class, '0'\)$"),
        ((1e30 * INPUTS, CLASSES), r"^data: inputs are in units .* at most 1e\+06 \(got 1e\+30 in row 1, column 1\)"),
        ((Dataset(1e30 * INPUTS, INPUTS[:, :1]),), r"^data: inputs are in units .*; scaling='range' takes"),
        ((INPUTS * np.nan, CLASSES), r"^data: must be finite \(got NaN in row 0, column 0\)"),
        ((INPUTS, [0.1, np.inf, 0.2, 0.3]), r"^y: must be finite \(got inf in row 1, column 0\)"),
    ],
)  # fmt: skip
def test_samples_that_are_none_are_refused_with_what_to_write(network, samples, message):
    with pytest.raises(InputError, match=message):
        memsim.train(network, *samples)


def test_real_targets_of_one_dimension_are_for_one_output():
    with pytest.raises(InputError, match=r"^y: has one dimension, but the network has 2 outputs; give targets of shap"):
        memsim.train(memsim.MultilayerPerceptron((2, 2)), INPUTS, [0.1, 0.2, 0.3, 0.4])


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("lr", r"^lr: is called learning_rate here; write learning_rate=0\.1$"),
        ("rate", r"^rate: is called learning_rate here; write learning_rate=0\.1$"),
        ("max_iter", "^max_iter: is called epochs here"),
        ("batch_size", "^batch_size: is called batch here"),
        ("early_stopping", "^early_stopping: is called patience here; write patience=10$"),
        ("n_jobs", "^n_jobs: is called threads here; write threads=0 for all processors$"),
        ("patiense", r"^patiense: train has no such parameter; did you mean 'patience'\?"),
    ],
)
def test_parameters_under_other_names_are_refused_with_theirs(network, name, message):
    with pytest.raises(InputError, match=message):
        memsim.train(network, INPUTS, CLASSES, **{name: 0.1})


def test_the_parameters_of_train_that_checkers_know_are_the_fields_of_the_section():
    fields = {name: field.annotation for name, field in LearningSection.model_fields.items()}
    parameters = {"learning_rate": fields.pop("rate"), "epochs": fields.pop("epochs")}
    assert typing.get_type_hints(LearningFields) == fields
    assert parameters.items() <= typing.get_type_hints(memsim.train).items()


def test_what_a_run_is_asked_by_its_methods_has_the_parameters_of_what_answers():
    for method, answers in ((memsim.Run.plot_trace, plot_trace), (memsim.Run.to_pandas, to_pandas)):
        asked, answered = (inspect.signature(function).parameters for function in (method, answers))
        assert [p.replace(annotation=str) for p in list(asked.values())[1:]] == [
            p.replace(annotation=str) for p in list(answered.values())[1:]
        ]


def test_columns_without_numbers_are_named(network):
    pandas = pytest.importorskip("pandas")
    table = pandas.DataFrame({"width": [1.0, 2.0, 3.0, 4.0], "species": list("abab")})
    with pytest.raises(
        InputError, match=r"^data: must be a table of numbers, .*; leave out, or write as numbers, species$"
    ):
        memsim.train(network, table, CLASSES)


@pytest.mark.parametrize("value", [0, -1, np.nan, "adaptive"])
def test_a_wrong_learning_rate_is_refused_by_the_name_that_it_was_given_by(network, value):
    with pytest.raises(InputError, match=r"^learning_rate: must be .* \(got"):
        memsim.train(network, INPUTS, CLASSES, learning_rate=value)


def test_raw_features_are_warned_of_and_scaled_ones_are_not(network):
    raw = 7.5 * INPUTS
    with pytest.warns(UserWarning, match=r"^data: inputs are from 0 to 7.5, .*: scaling='range' takes") as said:
        memsim.train(network, raw, CLASSES, epochs=1)
    assert said[0].filename == __file__
    memsim.train(network, raw, CLASSES, epochs=1, scaling="range")
    memsim.train(network, 4.0 * INPUTS - 2.0, CLASSES, epochs=1)


def test_help_names_types_as_they_are_written():
    assert str(inspect.signature(memsim.train)).startswith("(network: 'Network', data: 'Dataset | ArrayLike'")


def test_a_device_that_is_a_class_is_refused_with_what_to_write():
    with pytest.raises(
        InputError, match=r"^synapse: is a class, not a device; write Vteam\(\), with parameters in it$"
    ):
        memsim.MultilayerPerceptron(synapse=Vteam)


def test_a_network_is_one_line(network):
    assert repr(network) == "<Network: multilayer perceptron 2-2-1; its settings are .section and .devices>"


def test_what_is_no_network_is_refused(network):
    with pytest.raises(InputError, match=r"^network: must be a network, as memsim\.Multilayer.* \(got ndarray\)$"):
        memsim.train(INPUTS, CLASSES, network)
