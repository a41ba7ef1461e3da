"""Bad input: one line that names the field, the bound and the value, status 2, and no file touched."""

import numpy as np
import pytest

from memsim.configuration.sections import Configuration, load_configuration
from memsim.datasets import Dataset, gate
from memsim.errors import InputError
from memsim.runs.sources import load_source

TOML = """
[run]
realisations = 2
threads = 1

[time]
dt = 1e-3
pulse_steps = 4

[network]
kind = "mlp"
layers = [2, 2, 1]

[devices.synapse]
model = "synapse"

[devices.node]
model = "node"

[learning]
rate = 0.1
epochs = 2

[data]
gate = "xor"
samples = 8
"""
SLP = TOML.replace('kind = "mlp"\nlayers = [2, 2, 1]', 'kind = "slp"\ninputs = 2')
MEMRISTOR = '\n[devices.memristor]\nmodel = "threshold-memristor"\ninputs = 2\n'
CSV = TOML.replace('gate = "xor"\nsamples = 8', 'csv = "data.csv"\ninputs = ["a", "b"]\ntargets = ["t"]')


def change(old, new, text=TOML):
    assert old in text
    return text.replace(old, new)


def setting(section, line, text=TOML):
    """The configuration with a line more in a section."""
    return change(f"[{section}]\n", f"[{section}]\n{line}\n", text)


@pytest.fixture
def wrong(refused, tmp_path):
    """Have ``memsim run`` refuse a configuration; what would have been replaced stays as it is."""

    def check(text, message, *options):
        source, target = tmp_path / "run.toml", tmp_path / "kept.h5"
        source.write_text(text)
        target.write_bytes(b"not to be touched")
        before = sorted(tmp_path.iterdir())
        refused(message, "run", source, "--out", target, "--overwrite", *options)
        assert target.read_bytes() == b"not to be touched"
        refused(message, "run", source, "--out", tmp_path / "new.h5", *options)
        assert sorted(tmp_path.iterdir()) == before

    return check


def test_the_configuration_that_is_spoilt_below_is_good(tmp_path):
    for text in (TOML, SLP, SLP + MEMRISTOR):
        (tmp_path / "run.toml").write_text(text)
        config, data, _ = load_source(tmp_path / "run.toml")
        assert config.time.read == 4
        assert len(data.inputs) == 8


NUMBERS = [
    (change("dt = 1e-3", "dt = -1e-3"), r"time\.dt: must be greater than 0 \(got -0\.001\)"),
    (change("dt = 1e-3", "dt = 0.0"), r"time\.dt: must be greater than 0 \(got 0\.0\)"),
    (change("dt = 1e-3", "dt = nan"), r"time\.dt: must be a finite number \(got nan\)"),
    (change("dt = 1e-3", "dt = inf"), r"time\.dt: must be a finite number \(got inf\)"),
    (change("rate = 0.1", "rate = nan"), r"learning\.rate: must be a finite number \(got nan\)"),
    (change("rate = 0.1", "rate = -inf"), r"learning\.rate: must be a finite number \(got -inf\)"),
    (change("rate = 0.1", "rate = 0"), r"learning\.rate: must be greater than 0 \(got 0\)"),
    (change("rate = 0.1", 'rate = "fast"'), r"learning\.rate: must be a valid number.*\(got 'fast'\)"),
    (change("epochs = 2", "epochs = 0"), r"learning\.epochs: must be greater than or equal to 1 \(got 0\)"),
    (change("epochs = 2", "epochs = 2.5"), r"learning\.epochs: must be a valid integer.*\(got 2\.5\)"),
    (change("realisations = 2", "realisations = 0"), r"run\.realisations: .* equal to 1 \(got 0\)"),
    (setting("run", "seed = -1"), r"run\.seed: must be greater than or equal to 0 \(got -1\)"),
    (change("samples = 8", "samples = 0"), r"data\.samples: must be greater than or equal to 1 \(got 0\)"),
    (change("pulse_steps = 4", "pulse_steps = 0"), r"time\.pulse_steps: .* equal to 1 \(got 0\)"),
    (setting("network", "bias_limit = 1.0"), r"network\.bias_limit: must be less than 1 \(got 1\.0\)"),
    (setting("network", "node_drift = inf"), r"network\.node_drift: must be a finite number \(got inf\)"),
    (change("[2, 2, 1]", "[2, 0, 1]"), r"network\.layers\.1: must be greater than or equal to 1 \(got 0\)"),
    (change("[2, 2, 1]", "[2]"), r"network\.layers: .*at least 2"),
    (setting("devices.synapse", "threshold = nan"), r"devices\.synapse\.threshold: must be a finite number \(got nan"),
    (setting("devices.node", "mobility = 0"), r"devices\.node\.mobility: must be greater than 0 \(got 0\)"),
    (setting("devices.node", "r_on = 2e4"), r"devices\.node\.r_off: .*r_on = 20000 ohm \(got 10000\)"),
    (setting("time", 'integrator = "rk4"'), r"time\.integrator: must be 'euler' or 'heun' \(got 'rk4'\)"),
    (change('"mlp"', '"cnn"'), r"network\.kind: must be 'slp' or 'mlp'"),
]


@pytest.mark.parametrize(("text", "message"), NUMBERS, ids=lambda value: value[:40] if value[0] != "\n" else "")
def test_a_value_out_of_its_bounds_is_refused(wrong, text, message):
    wrong(text, message)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            change("pulse_steps = 4", "pulse_width = 4.5e-3"),
            r"time\.pulse_width: .*dt = 0\.001 s \(got 0\.0045 s\).* 0\.004 s or 0\.005 s",
        ),
        (setting("time", "write_width = 0.3e-3"), r"time\.write_width: .*dt = 0\.001 s \(got 0\.0003 s\)"),
        (setting("time", "gap = 2.1e-3"), r"time\.gap: .*dt = 0\.001 s \(got 0\.0021 s\)"),
        (setting("time", "pulse_width = 4e-3"), "pulse_width: give either pulse_width or pulse_steps, not both"),
    ],
)
def test_a_width_off_the_grid_is_refused_with_both_numbers(wrong, text, message):
    wrong(text, message)


def test_widths_in_seconds_and_in_steps_give_the_same_run():
    seconds = Configuration(time={"dt": 1e-3, "pulse_width": 7e-3, "write_width": 3e-3, "gap": 2e-3}).time
    assert (seconds.read, seconds.write, seconds.rest) == (7, 3, 2)


def memristor(thresholds, window=None, text=SLP):
    window = "" if window is None else f"window = {window}\n"
    return text + MEMRISTOR + f"thresholds = {thresholds}\n{window}"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        # Windows that overlap, with a window of their own and with a calibrated one.
        (
            memristor([0.1, 0.101, 0.3], 2e-3),
            r"devices\.memristor\.thresholds: windows overlap: \[0\.1, 0\.102\) A .* 0\.101 A; .* window = 0\.002 A",
        ),
        (memristor([0.1, 0.1001, 0.3]), r"thresholds: windows overlap: \[0\.1, .* window = 0\.00026\d* A"),
        # A READ beyond a threshold.
        (
            setting("devices.synapse", "threshold = 1e-6"),
            r"devices\.synapse\.threshold: .* network\.read_current = .* A.*\(got 1e-06 A\)",
        ),
        (
            setting("network", "read_current = 2.0", setting("devices.synapse", "threshold = 2.0")),
            r"devices\.synapse\.threshold: must be above .*network\.read_current = 2 A.*\(got 2 A\)",
        ),
        (
            memristor([1e-4, 0.1, 0.2]),
            r"devices\.memristor\.thresholds: the lowest must be above .* A, .*\(got 0\.0001 A\)",
        ),
        (
            setting("devices.synapse", "threshold = 1.0") + "[write]\ndriver_limit = 0.5\n",
            r"write\.driver_limit: .* devices\.synapse\.threshold = 1 A.*\(got 0\.5 A\)",
        ),
        # Shapes that do not match.
        (change("[2, 2, 1]", "[3, 2, 1]"), r"network\.layers: gives 3 inputs a sample, but xor has 2"),
        (change("[2, 2, 1]", "[2, 2, 4]"), r"network\.layers: gives 4 targets a sample, but xor has 1"),
        (change("inputs = 2", "inputs = 5", SLP), r"network\.inputs: gives 5 inputs a sample, but xor has 2"),
        (memristor([0.1, 0.2]), r"devices\.memristor\.thresholds: needs 3 values.*\(got 2\)"),
        (
            (SLP + MEMRISTOR).replace("inputs = 2\n", "inputs = 3\n").replace('"slp"\ninputs = 3', '"slp"\ninputs = 2'),
            r"devices\.memristor\.inputs: must be the network's 2.*\(got 3\)",
        ),
        # What cannot work together.
        (
            setting("network", "weight_limit = 0.01"),
            r"network\.weight_limit: must hold the starting weights of synapses1, up to .*\(got 0\.01\)",
        ),
        (
            setting("time", "write_steps = 1") + '[write]\nencoding = "width"\n',
            r"time\.write_steps: must be 2 or more.*\(got 1\)",
        ),
        (
            setting("learning", 'bias_current = "printed"', SLP) + '[write]\nencoding = "count"\n',
            r"write\.encoding: must be 'amplitude' for learning\.bias_current = 'printed' \(got 'count'\)",
        ),
        (change('gate = "xor"', 'gate = "maybe"'), r"data\.gate: must be one of .*xor, .*\(got 'maybe'\)"),
        (setting("data", 'csv = "x.csv"'), r"data\.gate: give exactly one of gate, csv, dataset \(got gate, csv\)"),
        (change('gate = "xor"\n', ""), r"data\.gate: give exactly one of gate, csv, dataset \(got none\)"),
        (TOML + '[trace]\nmode = "select"\nbanks = ["synapse1"]\n', r"trace\.banks: .*synapses1.*\(got 'synapse1'\)"),
        (TOML + '[trace]\nmode = "select"\ndevices = [9]\n', r"trace\.devices of synapses1: .*0 to 3 \(got 9\)"),
        (TOML + '[trace]\nmode = "select"\nrealisations = [2]\n', r"trace\.realisations: .*0 to 1 \(got 2\)"),
    ],
)
def test_settings_that_cannot_work_are_refused_with_their_numbers(wrong, text, message):
    wrong(text, message)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (change("[time]", "[tme]"), "tme: no such setting; did you mean 'time'"),
        (change("pulse_steps", "pulse_stps"), r"time\.pulse_stps: no such setting; did you mean 'pulse_steps'"),
        (setting("network", "node_drfit = 0.1"), r"network\.node_drfit: no such setting; did you mean 'node_drift'"),
        (setting("network", "constant_inputs = true", SLP), r"network\.constant_inputs: .* 'constant_input'"),
        (change("[devices.synapse]", "[devices.sinapse]"), r"devices\.sinapse: .*did you mean 'synapse'"),
        (setting("devices.synapse", "treshold = 1.0"), r"devices\.synapse\.treshold: .*did you mean 'threshold'"),
        (setting("devices.node", "equatoin = 12"), r"devices\.node\.equatoin: .*did you mean 'equation'"),
        (SLP + MEMRISTOR + "activatoin = 1\n", r"devices\.memristor\.activatoin: .*did you mean 'activation'"),
        (setting("learning", "zzz = 1"), r"learning\.zzz: no such setting; known are: .*epochs, .*rate"),
    ],
)
def test_an_unknown_key_is_refused_with_the_nearest_known_one(wrong, text, message):
    wrong(text, message)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[time\n", r"run\.toml: is not valid TOML: .*line 1"),
        ("time = 3\n", "time: must be"),
        ("[time]\ndt = 1e-3\ndt = 1e-3\n", "is not valid TOML"),
        (b"\xff\xfe", "is no text in UTF-8: byte 0"),
    ],
)
def test_a_file_that_is_no_configuration_is_refused(refused, tmp_path, text, message):
    (tmp_path / "run.toml").write_bytes(text if isinstance(text, bytes) else text.encode())
    refused(message, "run", tmp_path / "run.toml", "--out", tmp_path / "out.h5")
    assert not (tmp_path / "out.h5").exists()


@pytest.mark.parametrize("command", ["run", "schedule", "drive"])
def test_a_missing_configuration_is_refused(refused, tmp_path, command):
    refused(r"missing\.toml: no such file; check the path", command, tmp_path / "missing.toml")
    refused("is a folder; name a file in it", command, tmp_path)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("a,b,t\n0,0,0\n0,1\n", r"data\.csv: line 3: must have 3 cells \(got 2\)"),
        ("a,b,t\n0,0,0\n\n0,1,1,1\n", r"data\.csv: line 4: must have 3 cells \(got 4\)"),
        ("a,b,t\n0,0,0\n0,nan,0\n", r"data\.csv: line 3: b: the value is missing \(got 'nan'\); give it one"),
        ("a,b,t\n0,0,inf\n", r"data\.csv: line 2: t: must be a finite number \(got 'inf'\)"),
        ("a,b,t\n0,0,one\n", r"data\.csv: line 2: t: must be a finite number \(got 'one'\)"),
        ("0,0,0\n", r"data\.csv: line 1: must name the columns"),
        ("a,b,b\n0,0,0\n", r"data\.csv: line 1: must name the column 'b' once"),
        ("a,c,t\n0,0,0\n", r"data\.csv: has no column 'b'; it has a, c, t"),
        ("a,b,t\n", r"data\.csv: has no rows below its header"),
        (None, r"data\.csv: no such file"),
    ],
)
def test_wrong_data_is_refused_with_its_line(wrong, tmp_path, table, message):
    if table is not None:
        (tmp_path / "data.csv").write_text(table)
    wrong(CSV, message)


def test_data_in_a_csv_file_lie_beside_the_configuration(tmp_path, monkeypatch):
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "data.csv").write_text("t,b,a\n0,1,2\n3,4,5\n")
    (tmp_path / "deep" / "run.toml").write_text(CSV)
    monkeypatch.chdir(tmp_path)
    _, data, _ = load_source(tmp_path / "deep" / "run.toml")
    assert data.inputs.tolist() == [[2.0, 1.0], [5.0, 4.0]]
    assert data.targets.tolist() == [[0.0], [3.0]]
    (tmp_path / "data.csv").write_text("t,b,a\n0,8,9\n")
    _, data, _ = load_source(tmp_path / "deep" / "run.toml", ["data.csv=data.csv"])
    assert data.inputs.tolist() == [[9.0, 8.0]]


@pytest.mark.parametrize(
    ("assignment", "message"),
    [
        ("epochs=3", r"--set: must be section\.field=value \(got 'epochs=3'\)"),
        ("learning.epochs", r"--set: must be section\.field=value \(got 'learning\.epochs'\)"),
        ("learning..epochs=3", "--set: must be section"),
        ("learning.rate.deep=3", "--set: rate in 'learning.rate.deep' is a value, not a section"),
        ("learning.epochs=many", r"learning\.epochs: must be a valid integer.*\(got 'many'\)"),
        ("learning.epoch=3", r"learning\.epoch: no such setting; did you mean 'epochs'"),
        ("time.dt=-1", r"time\.dt: must be greater than 0 \(got -1\)"),
        ("time.dt=nan", r"time\.dt: must be a finite number \(got nan\)"),
    ],
)
def test_a_wrong_assignment_is_refused(wrong, assignment, message):
    wrong(TOML, message, "--set", assignment)


def test_assignments_override_the_file(tmp_path):
    (tmp_path / "run.toml").write_text(TOML)
    config = load_configuration(
        tmp_path / "run.toml",
        ["learning.epochs=7", "network.layers=[2, 3, 1]", "data.gate=and", "write.encoding='width'", "time.gap=2e-3"],
    )
    assert config.learning.epochs == 7
    assert config.network.layers == (2, 3, 1)
    assert config.data.gate == "and"
    assert config.write.encoding == "width"
    assert config.time.rest == 2
    assert config.learning.rate == 0.1


def test_the_effective_configuration_says_the_same_again(tmp_path):
    for text in (TOML, SLP + MEMRISTOR, memristor([0.1, 0.2, 0.3], 1e-3)):
        (tmp_path / "run.toml").write_text(text)
        config = load_configuration(tmp_path / "run.toml")
        (tmp_path / "again.toml").write_text(config.to_toml())
        assert load_configuration(tmp_path / "again.toml") == config
        assert config.learning.shuffle is True
        assert "shuffle = true" in config.to_toml()


def test_a_configuration_cannot_be_changed():
    with pytest.raises(Exception, match="frozen"):
        Configuration().learning.epochs = 3


@pytest.mark.parametrize(
    ("inputs", "targets", "message"),
    [
        ([[0.0, np.nan]], [[0.0]], r"mine\.inputs: must be finite \(got NaN in row 0, column 1\)"),
        ([[0.0, 1.0]] * 3, [[0.0], [np.inf], [0.0]], r"mine\.targets: must be finite \(got inf in row 1, column 0\)"),
        ([[0.0, 1.0]] * 3, [[0.0]] * 2, r"mine\.targets: must have as many samples as inputs, 3 \(got 2\)"),
        ([0.0, 1.0], [[0.0]], r"mine\.inputs: must have shape \(samples, n\).*\(got \(2,\)\)"),
        (np.empty((0, 2)), np.empty((0, 1)), r"mine\.inputs: must have shape .*\(got \(0, 2\)\)"),
    ],
)
def test_wrong_arrays_are_refused(inputs, targets, message):
    with pytest.raises(InputError, match=message):
        Dataset(inputs, targets, "mine")


def test_a_gate_is_drawn_from_its_seed_and_labelled_by_its_table():
    data = gate("XNOR", 50, seed=3)
    assert data.inputs.tolist() == gate("xnor", 50, seed=3).inputs.tolist()
    assert data.inputs.tolist() != gate("xnor", 50, seed=4).inputs.tolist()
    assert data.targets[:, 0].tolist() == [float(a == b) for a, b in data.inputs]
    with pytest.raises(InputError, match=r"samples: must be 1 or more \(got 0\)"):
        gate("or", 0)


@pytest.mark.parametrize("field", ["pulse_width", "write_width", "gap"])
@pytest.mark.parametrize(
    ("seconds", "said"), [(1e-12, "at least one step"), (1e300, "must be below"), (0.3, "a multiple of dt = 0.25 s")]
)
def test_a_time_that_is_no_whole_number_of_steps_is_refused_with_both_numbers(field, seconds, said):
    with pytest.raises(InputError, match=said) as error:
        Configuration(time={"dt": 0.25, field: seconds})
    assert str(error.value).startswith(f"time.{field}: ")
    assert "0.25 s" in str(error.value)
    assert f"{seconds:.12g} s" in str(error.value)
