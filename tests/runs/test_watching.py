"""Mini-batches, validation, early stopping, the best states so far: the weights' level, and what changes no bit."""

import functools
import tempfile
from pathlib import Path

import h5py
import numpy as np
import pytest
import reference_learning
from interrupting import DATA, assert_same_contents, configuration, killed_at, stopped, uninterrupted
from test_learning import assert_near, layers_of, single_layer_of

import memsim
from memsim.analysis.timing_diagram import sample_currents
from memsim.analysis.verification import verify
from memsim.analysis.windows import write_window
from memsim.configuration.sections import Configuration
from memsim.datasets import Dataset, gate, load, split
from memsim.errors import InputError
from memsim.kernels.slots import Phase
from memsim.network.assembly import assemble
from memsim.runs import training
from memsim.runs.recording import keyframe_interval
from memsim.runs.sources import load_source
from memsim.stepping import clock
from memsim.traces.run_file import RunWriter

_RNG = np.random.default_rng(5)
NOISY = Dataset(_RNG.uniform(-1.0, 1.0, (40, 2)), _RNG.uniform(0.1, 0.9, (40, 1)), "noise")  # nothing to generalise
SHARE = 0.25
NETWORKS = {"mlp": {"kind": "mlp"}, "slp": {"kind": "slp"}, "lines": {"kind": "slp", "construction": "equivalent"}}
RATES = {"mlp": 0.3, "slp": 2.0, "lines": 2.0}
of_each_network = pytest.mark.parametrize("network", NETWORKS)


def settings(network="mlp", validation=SHARE, realisations=3, **learning):
    """A run on noise, a keyframe at each epoch's end."""
    return Configuration(
        run={"seed": 2, "realisations": realisations, "threads": 1},
        network=NETWORKS[network],
        time={"pulse_steps": 5},
        learning={"rate": RATES[network], "epochs": 30} | learning,
        data={"arrays": "noise", "validation": validation},
        trace={"keyframe_samples": round(40 * (1.0 - validation))},
    )


@functools.cache
def trained(network="mlp", validation=SHARE, **learning):
    return training.run(settings(network, validation, **learning), split(NOISY, validation))


def error_of(prediction, targets):
    """Eq. 20, (realisations,)."""
    return 0.5 * np.sum((targets[:, :, None] - prediction.outputs) ** 2, axis=(0, 1))


def states_at(run, epoch):
    return {bank: run.keyframes[bank][epoch] for bank in run.banks}


# What is held back


def test_a_split_holds_back_a_share_and_keeps_the_order_of_the_rest():
    data = Dataset(np.arange(40.0)[:, None], np.arange(40.0)[:, None] + 0.5, "numbers")
    parted = split(data, SHARE, seed=1)
    assert (len(parted.inputs), len(parted.validation.inputs)) == (30, 10)
    for part in (parted, parted.validation):
        assert np.all(np.diff(part.inputs[:, 0]) > 0)
        assert np.array_equal(part.targets, part.inputs + 0.5)
    assert sorted([*parted.inputs[:, 0], *parted.validation.inputs[:, 0]]) == list(range(40))
    again, other = split(data, SHARE, seed=1), split(data, SHARE, seed=2)
    assert np.array_equal(again.inputs, parted.inputs)
    assert not np.array_equal(other.inputs, parted.inputs)
    assert split(data, 0.0) is data


def test_a_configuration_holds_back_a_share_of_its_data():
    section = Configuration(data={"gate": "xor", "samples": 20, "seed": 3, "validation": 0.2}).data
    data, whole = load(section), gate("xor", 20, 3)
    assert (len(data.inputs), len(data.validation.inputs)) == (16, 4)
    assert sorted(map(tuple, np.vstack([data.inputs, data.validation.inputs]))) == sorted(map(tuple, whole.inputs))


def test_a_run_file_keeps_what_was_held_back_and_makes_the_same_run_again(tmp_path):
    path, again = tmp_path / "run.h5", tmp_path / "again.h5"
    config, data = settings(epochs=3), split(NOISY, SHARE)
    training.run(config, data, out=path).close()
    with memsim.open_run(path) as run:
        assert np.array_equal(run.dataset.inputs, data.inputs)
        assert np.array_equal(run.dataset.validation.inputs, data.validation.inputs)
        assert np.array_equal(run.dataset.validation.targets, data.validation.targets)
        assert run.samples == 30
    training.run(*load_source(path)[:2], out=again).close()
    assert_same_contents(again, path)


# The weights' level


@of_each_network
def test_validation_errors_are_the_references(network):
    run = trained(network)
    held_back = run.dataset.validation
    assert run.validation_error.shape == (30, 3)
    for epoch in (0, 9, 29):
        states = states_at(run, epoch)
        for r in range(3):
            if network == "mlp":
                weights, biases = layers_of(run, states)
                expected = reference_learning.multilayer_error(
                    [w[..., r] for w in weights], [b[..., r] for b in biases], held_back.inputs, held_back.targets,
                    run.config.network.node_drift,
                )  # fmt: skip
            else:
                values = single_layer_of(run, states)[:, r]
                expected = reference_learning.single_layer_error(
                    values[:-1], values[-1], held_back.inputs, held_back.targets[:, 0]
                )
            assert run.validation_error[epoch, r] == pytest.approx(expected, rel=1e-9)


@of_each_network
def test_early_stopping_ends_where_the_reference_does_with_its_best_weights(network):
    """The whole curve is known from a run without patience; the bits up to the end are the same."""
    whole, run = trained(network), trained(network, patience=2)
    expected = [reference_learning.best_of(whole.validation_error[:, r], 2) for r in range(3)]
    assert run.best_epoch.tolist() == [best for best, _ in expected]
    epochs = max(length for _, length in expected)
    assert len(run.total_error) == epochs < 30
    assert run.finished
    assert run.ended_early
    assert not run.stopped
    assert not whole.ended_early
    assert run.total_error.tobytes() == whole.total_error[:epochs].tobytes()
    assert run.validation_error.tobytes() == whole.validation_error[:epochs].tobytes()
    for r, (best, _) in enumerate(expected):
        assert run.best_error[r] == whole.validation_error[best, r]
        for bank in run.banks:
            assert np.array_equal(run.best_state[bank][..., r], whole.keyframes[bank][best][..., r])


def test_without_validation_the_best_epoch_is_that_of_the_lowest_total_error():
    run = trained(validation=0.0, keep_best=True, epochs=12)
    assert run.validation_error.shape == (0, 3)
    for r in range(3):
        best, _ = reference_learning.best_of(run.total_error[:, r])
        assert run.best_epoch[r] == best
        assert run.best_error[r] == run.total_error[best, r]
        assert np.array_equal(run.best_state["nodes1"][..., r], run.keyframes["nodes1"][best][..., r])
    weights, biases = layers_of(run, run.best_state)
    assert_near(run.best_weights["synapses1"].reshape(2, 2, 3), weights[0])
    assert_near(run.best_weights["nodes2"], biases[1])


# By READ pulses, through a copy


@of_each_network
def test_validation_errors_are_those_of_a_prediction_and_change_nothing(network):
    run = trained(network)
    held_back = run.dataset.validation
    for epoch in (0, 17):
        prediction = memsim.evaluate(run, held_back.inputs, keyframe=epoch)
        assert error_of(prediction, held_back.targets) == pytest.approx(run.validation_error[epoch], rel=1e-12)
    best = memsim.evaluate(run, held_back.inputs, best=True)
    assert error_of(best, held_back.targets) == pytest.approx(run.best_error, rel=1e-12)
    data = split(NOISY, SHARE)
    unwatched = training.run(settings(network, validation=0.0), Dataset(data.inputs, data.targets, "noise"))
    assert unwatched.total_error.tobytes() == run.total_error.tobytes()
    for bank in run.banks:
        assert np.array_equal(unwatched.final_state[bank], run.final_state[bank])
        assert np.array_equal(unwatched.diagnostics(bank)["energy"], run.diagnostics(bank)["energy"])
    assert len(unwatched.best_state) == 0
    with pytest.raises(InputError, match="best: the run kept no best epoch; train with"):
        memsim.evaluate(unwatched, held_back.inputs, best=True)


def test_a_realisation_keeps_the_same_best_epoch_alone_as_among_others():
    """Also where the others go on after it would have ended."""
    together, data = trained(patience=2), split(NOISY, SHARE)
    alone = training.run(settings(realisations=1, patience=2), data)
    assert len(alone.total_error) <= len(together.total_error)
    assert alone.best_epoch[0] == together.best_epoch[0]
    assert np.array_equal(alone.best_state["synapses1"][..., 0], together.best_state["synapses1"][..., 0])
    lengths = [reference_learning.best_of(trained().validation_error[:, r], 2)[1] for r in range(3)]
    assert len(set(lengths)) > 1


def test_data_may_bring_samples_for_validation_of_their_own():
    own = Dataset(NOISY.inputs[:20], NOISY.targets[:20], "noise", Dataset(NOISY.inputs[20:], NOISY.targets[20:]))
    run = memsim.train(memsim.MultilayerPerceptron(), own, epochs=2)
    assert run.validation_error.shape == (2, 1)
    with pytest.raises(InputError, match="validation: must be 0 for data that bring samples for validation"):
        memsim.train(memsim.MultilayerPerceptron(), own, epochs=2, validation=0.5)


# Interruptions

WATCHED = {"epochs": 40, "rate": 0.5, "batch": 3, "schedule": "cosine", "decay_epochs": 20}


@functools.cache
def uninterrupted_bytes(patience):
    """A configuration, its data, and the file of its run."""
    config = configuration(
        run={"realisations": 2}, learning=WATCHED | {"patience": patience}, data={"validation": 0.25},
        trace={"keyframe_samples": 3},
    )  # fmt: skip
    data = split(DATA, 0.25)
    with tempfile.TemporaryDirectory() as folder:
        return config, data, uninterrupted(config, Path(folder) / "whole.h5", data).read_bytes()


def watched(tmp_path, patience=0):
    """A configuration, its data, a path, and the path of the uninterrupted run."""
    config, data, content = uninterrupted_bytes(patience)
    (tmp_path / "whole.h5").write_bytes(content)
    return config, data, tmp_path / "run.h5", tmp_path / "whole.h5"


def test_a_watched_run_of_mini_batches_goes_on_with_the_same_bits(tmp_path):
    config, data, path, whole = watched(tmp_path, patience=6)
    with memsim.open_run(whole) as run:
        assert run.ended_early
        epochs = len(run.total_error)
        assert epochs > 7
    stopped(config, path, 4, data=data)
    training.run(config, data, out=path, resume=True).close()
    assert_same_contents(path, whole)
    path.unlink()
    for place, count in (((RunWriter, "commit"), 11), ((RunWriter, "append_epochs"), 5), ((RunWriter, "finish"), 0)):
        assert killed_at(place, count, lambda: training.run(config, data, out=path))
        training.run(config, data, out=path, resume=True).close()
        assert_same_contents(path, whole)
        path.unlink()


def test_a_run_that_ended_early_is_complete(tmp_path, cli):
    config, data, _, whole = watched(tmp_path, patience=6)
    before = whole.read_bytes()
    training.run(config, data, out=whole, resume=True).close()
    assert whole.read_bytes() == before
    result = cli("run", whole, "--resume")
    assert result.status == 0
    assert "learning.patience ended it" in result.out
    shown = cli("trace", "info", whole).out
    assert "best validation error" in shown
    assert "ended early: 6 epochs brought no lower error\n" in shown


def test_a_watched_run_is_verified(tmp_path):
    _, _, _, whole = watched(tmp_path)
    with memsim.open_run(whole) as run:
        assert [line for finding in verify(run) for line in finding.wrong] == []
    with h5py.File(whole, "a") as file:
        file["best/error"][:] += 1e-3
        file["metrics/learning_rate"][3] += 1e-3
    with memsim.open_run(whole) as run:
        assert [line for finding in verify(run) for line in finding.wrong] == [
            "metrics/learning_rate is not what the configuration gives",
            "best/error is not the error of best/epoch",
        ]


def test_a_run_is_not_gone_on_with_on_another_split(tmp_path):
    config, _, _, whole = watched(tmp_path)
    with pytest.raises(InputError, match="was made with other samples"):
        training.run(config, split(DATA, 0.25, seed=9), out=whole, resume=True)


def test_stops_and_keyframes_lie_at_ends_of_mini_batches(tmp_path, monkeypatch):
    """A keyframe is far: the run stops at the end of the mini-batch in progress."""
    path, whole = tmp_path / "run.h5", tmp_path / "whole.h5"
    config = configuration(learning={"epochs": 400, "batch": 3}, trace={"keyframe_samples": 3200})
    uninterrupted(config, whole)
    with monkeypatch.context() as patched:
        patched.setattr(training, "STOP_SECONDS", 0.0)
        patched.setattr(clock, "STRETCH_SECONDS", 1e-4)
        stopped(config, path, 9)
    with memsim.open_run(path) as run:
        assert run.keyframes["sample"][-1] < 3200
        assert run.keyframes["sample"][-1] % 8 in (0, 3, 6)
    training.run(config, DATA, out=path, resume=True).close()
    with memsim.open_run(path) as run, memsim.open_run(whole) as expected:
        assert run.total_error.tobytes() == expected.total_error.tobytes()
        assert all(np.array_equal(run.final_state[bank], expected.final_state[bank]) for bank in run.banks)


@pytest.mark.parametrize(("samples", "batch"), [(8, 3), (100, 7), (100, 10), (12, 12), (97, 5)])
def test_keyframes_of_their_own_choice_lie_at_ends_of_mini_batches(samples, batch):
    config = configuration(learning={"batch": batch, "epochs": 50}, trace={"keyframe_samples": 0})
    every = keyframe_interval(assemble(config, gate("xor", samples)))
    ends = [*range(batch, samples, batch), samples]
    assert {k * every % samples for k in range(1, 200)} <= {end % samples for end in ends}


def test_windows_within_mini_batches_are_replayed_with_the_bits_of_a_trace(tmp_path):
    """Also as a file of their own, which keeps the best states and what was held back."""
    path, window = tmp_path / "run.h5", tmp_path / "window.h5"
    data = split(DATA, 0.25)
    config = configuration(
        learning={"epochs": 4, "batch": 4, "keep_best": True}, data={"validation": 0.25}, trace={"keyframe_samples": 6}
    )
    full = config.model_copy(update={"trace": config.trace.model_copy(update={"mode": "full"})})
    with training.run(full, data) as traced, training.run(config, data, out=path) as run:
        size = run.sample_steps
        for bank in run.banks:
            replayed = run.window(bank, "state", 8 * size + 3, 15 * size)
            assert np.array_equal(replayed, traced.window(bank, "state", 8 * size + 3, 15 * size))
        write_window(run, window, 8 * size, 9 * size)
        with memsim.open_run(window) as part:
            assert np.array_equal(part.best_epoch, run.best_epoch)
            assert np.array_equal(part.best_state["nodes1"], run.best_state["nodes1"])
            assert np.array_equal(part.validation_error, run.validation_error)
            assert np.array_equal(part.learning_rate, run.learning_rate)


def test_write_slots_are_idle_but_in_the_last_sample_of_a_mini_batch():
    assembly = assemble(configuration(learning={"batch": 3}), DATA)
    schedule = assembly.schedule
    for sample in range(8):
        currents = sample_currents(assembly, sample)
        written = [
            np.any(currents[slot.bank][start : start + slot.width] != 0.0)
            for slot, start in zip(schedule.slots, schedule.starts, strict=True)
            if slot.phase == Phase.WRITE
        ]
        assert written == [sample in (2, 5, 7)] * 4


# Bad input


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ("learning.batch=9", r"learning\.batch: must be at most 8, the samples of an epoch \(got 9\)"),
        ("learning.batch=0", r"learning\.batch: must be greater than or equal to 1 \(got 0\)"),
        (
            "learning.batch=3 trace.keyframe_samples=4",
            r"trace\.keyframe_samples: must lie at ends of mini-batches of learning\.batch = 3 samples, in epochs of 8 "
            r"\(got 4\); take a multiple of 8, or 0",
        ),
        (
            'learning.batch=2 network.kind="slp" learning.bias_current="printed"',
            r"learning\.batch: must be 1 for learning\.bias_current = 'printed'",
        ),
        ("data.validation=0.01", r"data\.validation: must hold back at least one of 8 samples, and leave one"),
        ("data.validation=0.99", r"data\.validation: must hold back at least one of 8 samples, and leave one"),
        ("data.validation=1.0", r"data\.validation: must be less than 1 \(got 1\.0\)"),
        ("learning.decay=0", r"learning\.decay: must be greater than 0 \(got 0\)"),
        ('learning.schedule="linear"', r"learning\.schedule: must be 'constant', 'step', 'exponential' or 'cosine'"),
    ],
)
def test_options_that_cannot_work_are_refused(changes, message, refused, tmp_path):
    config = tmp_path / "run.toml"
    config.write_text('[data]\ngate = "xor"\nsamples = 8\n[learning]\nepochs = 2\n')
    assignments = [word for change in changes.split() for word in ("--set", change)]
    refused(message, "run", config, "--out", tmp_path / "run.h5", *assignments)


def test_a_share_without_samples_that_were_held_back_is_refused():
    with pytest.raises(InputError, match=r"data\.validation: needs samples that were held back"):
        assemble(settings(), NOISY)


def test_samples_for_validation_of_another_width_are_refused():
    with pytest.raises(InputError, match=r"noise\.validation\.inputs: must have 2 columns \(got 1\)"):
        Dataset(NOISY.inputs, NOISY.targets, "noise", Dataset(NOISY.inputs[:, :1], NOISY.targets))
