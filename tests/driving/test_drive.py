"""Driving devices: closed forms, conventions, files, and what is refused."""

import re
import tracemalloc

import h5py
import naive
import numpy as np
import pytest
from places import ROOT

import memsim
from memsim.driving.drive import run
from memsim.driving.drive_configuration import DriveConfiguration
from memsim.driving.waveforms import Csv, Pulse, Pulses, Sampled, Sinusoid, Triangle, Waveform
from memsim.errors import InputError, RunError, RunFileError
from memsim.traces.drive_file import ATTRIBUTES, DriveReader, open_drive_file
from memsim.traces.schema import DRIVE

NODE = memsim.Node()
START = -4e-9  # m: one tenth of the film is doped


def memristance(node: memsim.Node, boundary: np.ndarray | float) -> np.ndarray | float:
    doped = 0.5 + boundary / node.thickness
    return node.r_on * doped + node.r_off * (1.0 - doped)


def boundary_after(node: memsim.Node, start: float, flux: np.ndarray) -> np.ndarray:
    """M = sqrt(R_0^2 - 2 (mu R_ON / D^2) (R_OFF - R_ON) flux), Joglekar & Wolf, arXiv:0807.3994, for the state."""
    slope = node.mobility * node.r_on / node.thickness**2 * (node.r_off - node.r_on)
    after = np.sqrt(memristance(node, start) ** 2 - 2.0 * slope * flux)
    return node.thickness * ((node.r_off - after) / (node.r_off - node.r_on) - 0.5)


def flux_at_ends(waveform: Waveform, steps: int, dt: float) -> np.ndarray:
    """The integral of a waveform whose corners lie on the grid."""
    if isinstance(waveform, Sinusoid):
        w = 2.0 * np.pi * waveform.frequency
        time = np.arange(1, steps + 1) * dt
        swing = np.cos(waveform.phase) - np.cos(w * time + waveform.phase)
        return waveform.amplitude / w * swing + waveform.offset * time
    starts, ends = waveform.boundaries(0, steps, dt)
    return np.cumsum(0.5 * (starts + ends)) * dt


def error(waveform: Waveform, steps: int, integrator: str) -> float:
    """Largest error of the doped share over 1 s."""
    dt = 1.0 / steps
    trace = memsim.drive(
        NODE, waveform, dt=dt, duration=1.0, drive="voltage", initial=START, integrator=integrator
    )  # fmt: skip
    exact = boundary_after(NODE, START, flux_at_ends(waveform, steps, dt))
    return float(np.abs(trace.state[:, 0] - exact).max() / NODE.thickness)


@pytest.fixture(scope="module")
def csv_path(tmp_path_factory):
    path = tmp_path_factory.mktemp("csv") / "waveform.csv"
    path.write_text("time,amplitude\n0,0\n0.3,0.9\n0.5,-0.2\n0.6,0.4\n1.0,-1\n")
    return path


@pytest.fixture(params=["sinusoid", "triangle", "csv", "pulses"])
def waveform(request, csv_path):
    return {
        "sinusoid": lambda: Sinusoid(amplitude=0.9, frequency=1.0, phase=0.3, offset=0.02),
        "triangle": lambda: Triangle(amplitude=1.0, frequency=1.0),
        "csv": lambda: Csv(path=csv_path),
        "pulses": lambda: Pulses(pulses=[Pulse(start=0.1, width=0.3, amplitude=0.8)]),
    }[request.param]()


def observed_order(waveform: Waveform, integrator: str) -> np.ndarray:
    errors = [error(waveform, steps, integrator) for steps in (500, 1000, 2000)]
    return np.log2(np.divide(errors[:-1], errors[1:]))


def test_euler_meets_the_closed_form_of_hp_device_under_a_voltage_in_first_order(waveform):
    np.testing.assert_allclose(observed_order(waveform, "euler"), 1.0, atol=0.08)


def test_heun_meets_the_closed_form_of_hp_device_under_a_voltage_in_second_order(waveform):
    # For dx/dt = V/M(x) Heun's errors of second order cancel, but for those from the waveform's
    # curvature: drives that are linear within a step give third order, a sinusoid second.
    order = 2.0 if isinstance(waveform, Sinusoid) else 3.0
    np.testing.assert_allclose(observed_order(waveform, "heun"), order, atol=0.08)


def test_published_errors_of_the_closed_form():
    # HP's device at 1 Hz, 1 V, x_0 = 0.1, at the end of the period: physics.md's measured figures.
    for integrator, steps, expected in (("euler", 1000, 6.2e-4), ("euler", 10_000, 6.2e-5)):
        trace = memsim.drive(
            NODE, Sinusoid(amplitude=1.0, frequency=1.0), dt=1 / steps, duration=1.0, drive="voltage",
            initial=START, integrator=integrator,
        )  # fmt: skip
        assert abs(trace.state[-1, 0] - START) / NODE.thickness == pytest.approx(expected, rel=0.02)


def test_hp_device_under_a_current_moves_linearly_with_charge():
    trace = memsim.drive(NODE, Pulses(pulses=[Pulse(width=0.2, amplitude=1e-4)]), dt=1e-3, duration=0.3)
    charge = 1e-4 * np.minimum(trace.time, 0.2)
    np.testing.assert_allclose(trace.state[:, 0], NODE.drift_coefficient * charge, rtol=1e-12, atol=1e-24)


def loops(*frequencies: float, integrator: str = "heun") -> DriveReader:
    """One period of each sinusoid would differ in length, so all last two seconds."""
    waveforms = [Sinusoid(amplitude=0.6, frequency=f) for f in frequencies]
    return memsim.drive(
        NODE, waveforms, dt=1e-4, duration=2.0, drive="voltage", initial=START, integrator=integrator
    )  # fmt: skip


def test_the_loop_is_pinched_its_lobes_shrink_with_frequency_and_it_becomes_a_line():
    frequencies = (0.5, 1.0, 2.0, 10.0, 50.0)
    trace = loops(*frequencies)
    current, voltage = trace.current, trace.voltage
    assert np.abs(current[voltage == 0.0]).max() == 0.0
    assert (np.sign(current) == np.sign(voltage)).all()
    areas, spreads = [], []
    for k, frequency in enumerate(frequencies):
        half = round(0.5 / frequency / trace.dt)
        areas.append(abs(np.trapezoid(current[:half, k], voltage[:half, k])))
        resistance = voltage[: half - 1, k] / current[: half - 1, k]
        spreads.append(np.ptp(resistance) / resistance.mean())
    assert all(np.diff(areas) < 0)
    assert areas[0] > 5 * areas[1]
    assert spreads[-1] < 0.01 < spreads[0]


def test_the_state_is_back_after_a_whole_period():
    trace = loops(0.5, 1.0)
    np.testing.assert_allclose(trace.state[-1], START, atol=1e-6 * NODE.thickness)


def test_a_drive_says_what_it_is():
    pulse = Pulses(pulses=[Pulse(width=1e-3, amplitude=1e-6)])
    with memsim.drive(memsim.Node(), pulse, dt=1e-4, duration=1e-2) as trace:
        assert repr(trace) == "<DriveTrace: node, 100 steps of 0.0001 s; .time, .current, .voltage, .state>"
    assert repr(trace) == "<DriveTrace: closed>"


def test_nothing_moves_below_the_threshold():
    device = memsim.Node(threshold=1e-4)
    trace = memsim.drive(device, Sinusoid(amplitude=1e-4, frequency=10.0), dt=1e-3, duration=1.0, initial=START)
    assert (trace.state == START).all()


def test_rows_hold_the_drive_at_each_steps_end_and_the_response_to_it():
    waveform = Sinusoid(amplitude=1e-4, frequency=2.0, phase=0.4)
    trace = memsim.drive(NODE, waveform, dt=1e-3, duration=1.0, initial=START)
    assert trace.steps == 1000
    assert trace.time[0] == 1e-3
    assert np.array_equal(trace.current[:, 0], waveform.boundaries(0, 1000, 1e-3)[1])
    resistance = memristance(NODE, trace.state)
    np.testing.assert_allclose(trace.voltage, resistance * trace.current, rtol=1e-13)
    assert trace.initial_state.tolist() == [START]


def test_energy_is_the_sum_of_v_i_dt():
    trace = loops(0.5, 1.0)
    rows = np.cumsum(trace.voltage * trace.current * trace.dt, axis=0)
    np.testing.assert_allclose(trace.energy, rows[-1], rtol=1e-14)
    assert (trace.energy > 0).all()


def test_an_active_device_gives_energy():
    waveform = Sinusoid(amplitude=1e-6, frequency=10.0)
    trace = memsim.drive(memsim.Synapse(threshold=1e-3), waveform, dt=1e-3, duration=0.1, initial=-1000.0)
    assert trace.energy[0] == pytest.approx(-1000.0 * 0.5 * 1e-12 * 0.1, rel=1e-12)


def twin(device: memsim.devices.Device, waveform: Waveform, steps: int, dt: float, integrator: str) -> np.ndarray:
    """The same steps in plain Python, for a model with one variable under a current; (steps,)."""
    functions, p = device.functions(), device.kernel_parameters()
    (variable,) = device.state_variables()
    (x,) = device.resting_state()

    def clipped(value: float) -> float:
        return min(max(value, variable.lower), variable.upper)

    states = []
    for start, end in zip(*(side.tolist() for side in waveform.boundaries(0, steps, dt)), strict=True):
        rate = functions.drift(x, start, p)
        if integrator == "euler":
            x = clipped(naive.fma(dt, rate, x))
        else:
            rate = rate + functions.drift(clipped(naive.fma(dt, rate, x)), end, p)
            x = clipped(naive.fma(0.5 * dt, rate, x))
        states.append(x)
    return np.array(states)


@pytest.mark.parametrize("integrator", ["euler", "heun"])
@pytest.mark.parametrize("device", [memsim.Node(threshold=1e-4), memsim.Synapse(threshold=1e-4)])
def test_steps_are_those_of_plain_python_to_the_bit(device, integrator):
    waveform = Sinusoid(amplitude=2e-3, frequency=9.0) + Pulses(pulses=[Pulse(start=0.05, width=0.1, amplitude=5e-4)])
    trace = memsim.drive(device, waveform, dt=1e-4, duration=0.2, integrator=integrator)
    assert np.array_equal(trace.state[:, 0], twin(device, waveform, 2000, 1e-4, integrator))
    assert trace.rows_at_bound[0, 0] == (np.abs(trace.state) == device.state_variables()[0].upper).sum()
    assert trace.lowest[0, 0] == min(trace.state.min(), 0.0)
    assert trace.highest[0, 0] == trace.state.max()
    assert trace.peak_response[0] == np.abs(trace.voltage).max()


def test_a_device_with_several_variables_moves_the_one_in_whose_window_the_current_lies():
    device = memsim.ThresholdMemristor(thresholds=(1e-3, 2e-3, 3e-3), window=1e-3)
    pulses = Pulses(pulses=[Pulse(start=0.0, width=0.01, amplitude=2.5e-3)])
    trace = memsim.drive(device, pulses, dt=1e-3, duration=0.02, initial={"learning_rate": 1e5}, devices=2)
    assert trace.state.shape == (20, 2, 4)
    assert [name for name, _ in trace.variables] == ["weight1", "weight2", "bias", "learning_rate"]
    np.testing.assert_allclose(trace.state[-1, 0], [0.0, 1e5 * 0.5e-3 * 0.01, 0.0, 1e5], rtol=1e-12)
    assert trace.initial_state.shape == (2, 4)


@pytest.fixture(scope="module")
def many():
    """Devices with starts and waveforms of their own, in more than one tile."""
    random = np.random.default_rng(1)
    waveforms = [Sinusoid(amplitude=a, frequency=f) for a, f in random.uniform(0.3, 0.9, size=(150, 2))]
    settings = {"dt": 1e-2, "duration": 0.5, "drive": "voltage", "initial": random.uniform(-4e-9, 4e-9, size=150)}
    return waveforms, settings, memsim.drive(NODE, waveforms, **settings)


@pytest.mark.parametrize(
    "how",
    [{"chunk_steps": 1}, {"chunk_steps": 7}, {"threads": 2}, {"threads": 3, "chunk_steps": 11}, {"threads": 0}],
)
def test_chunks_and_threads_change_no_bit(many, how):
    waveforms, settings, expected = many
    assert_same(memsim.drive(NODE, waveforms, **settings, **how), expected)


def test_a_file_changes_no_bit_and_can_be_driven_again(many, tmp_path):
    waveforms, settings, expected = many
    with memsim.drive(NODE, waveforms, **settings, out=tmp_path / "trace.h5", chunk_steps=13) as trace:
        assert_same(trace, expected)
    with memsim.open_drive(tmp_path / "trace.h5") as trace:
        assert trace.finished
        assert trace.config == expected.config
        assert_same(trace, expected)


def assert_same(trace: DriveReader, expected: DriveReader) -> None:
    for name in ("current", "voltage", "state", "energy", "lowest", "highest", "rows_at_bound", "peak_response"):
        assert np.array_equal(getattr(trace, name), getattr(expected, name)), name


def test_a_window_is_a_stretch_of_the_rows(many):
    *_, trace = many
    assert np.array_equal(trace.window("state", start=10, stop=30, stride=4), trace.state[10:30:4])
    assert trace.window("current", stop=10_000).shape == trace.current.shape
    with pytest.raises(KeyError, match="must be one of state, current, voltage"):
        trace.window("power")


def test_one_array_drives_all_devices_and_columns_drive_each():
    ramp = np.linspace(0.0, 1e-4, 51)
    trace = memsim.drive(NODE, ramp, dt=1e-3, devices=2, integrator="heun")
    assert trace.steps == 50
    assert np.array_equal(trace.current, np.stack([ramp[1:], ramp[1:]], axis=1))
    each = memsim.drive(NODE, np.stack([ramp, -ramp], axis=1), dt=1e-3, integrator="heun")
    assert np.array_equal(each.current, np.stack([ramp[1:], -ramp[1:]], axis=1))
    np.testing.assert_allclose(each.state[:, 0], trace.state[:, 0], rtol=1e-14)
    np.testing.assert_allclose(each.state[:, 1], -each.state[:, 0], rtol=1e-14)


def test_a_long_drive_to_a_file_takes_bounded_memory(tmp_path):
    def peak(steps: int) -> int:
        tracemalloc.start()
        waveform = Sinusoid(amplitude=1e-4, frequency=100.0)
        out = tmp_path / f"{steps}.h5"
        memsim.drive(NODE, waveform, dt=1e-4, duration=steps * 1e-4, out=out, chunk_steps=20_000).close()
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    peak(20_000)
    # The rows that wait to be written are some more or some fewer; all of them would be eight times as many.
    assert peak(800_000) < 1.5 * peak(100_000)


def test_a_drive_too_long_for_memory_asks_for_a_file():
    with pytest.raises(InputError, match=r"out: is needed, since 10000000000 steps of 1 devices take 224 GiB"):
        memsim.drive(NODE, Sinusoid(amplitude=1.0, frequency=1.0), dt=1e-4, duration=1e6)


def test_a_state_that_is_no_number_stops_the_drive_and_names_the_step(tmp_path):
    device = memsim.Node(equation=12)  # memristance 0 at the upper bound
    settings = {"dt": 1e-3, "duration": 4.0, "drive": "voltage"}
    waveform = Sinusoid(amplitude=1.0, frequency=0.1)
    steps = set()
    for chunk_steps in (100, 1000):
        with pytest.raises(RunError, match=r"device 0: the current is inf A") as caught:
            memsim.drive(
                device, waveform, **settings, chunk_steps=chunk_steps, out=tmp_path / "trace.h5", overwrite=True
            )  # fmt: skip
        steps.add(int(re.match(r"step (\d+) ", str(caught.value)).group(1)))
    (step,) = steps
    with memsim.open_drive(tmp_path / "trace.h5") as trace:
        assert not trace.finished
        assert trace.steps == step // 1000 * 1000
        assert np.isfinite(trace.current).all()


@pytest.mark.parametrize("device", [memsim.Synapse(), memsim.ThresholdMemristor()])
def test_a_model_without_an_inverse_refuses_a_voltage_and_says_what_to_do(device):
    with pytest.raises(InputError, match=rf"a {type(device).__name__} cannot be driven by a voltage.*'current'"):
        memsim.drive(device, Sinusoid(amplitude=1.0, frequency=1.0), dt=1e-3, duration=1.0, drive="voltage")


SINUSOID = Sinusoid(amplitude=1e-4, frequency=1.0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"dt": -1e-3}, r"dt: must be greater than 0 \(got -0.001\)"),
        ({"dt": float("nan")}, r"dt: must be a finite number \(got nan\)"),
        ({"duration": None}, "duration: is missing"),
        ({"duration": 0.0105}, r"duration: must be a multiple of dt = 0\.001 s \(got 0\.0105 s\)"),
        ({"drive": "power"}, "drive: must be 'current' or 'voltage'"),
        ({"integrator": "rk4"}, "integrator: must be 'euler' or 'heun'"),
        ({"devices": 0}, r"devices: must be 1 or more.*\(got 0\)"),
        ({"devices": 3, "waveform": [SINUSOID, SINUSOID]}, r"devices: .*as many as waveforms in a list \(got 3\)"),
        ({"threads": -1}, "threads: must be 0, for all processors, or more"),
        ({"chunk_steps": 0}, "chunk_steps: must be 1 or more"),
        ({"device": 3}, "device: must be"),
        ({"device": "nod"}, r"device\.model: must be one of .*did you mean .node."),
        ({"device": memsim.ThresholdMemristor()}, "ThresholdMemristor.thresholds: give thresholds and a window"),
        ({"waveform": "sinusoid"}, "waveform: must be a waveform of memsim.waveforms, an array, or a list"),
        ({"waveform": []}, "waveform: must be a waveform"),
        ({"waveform": [SINUSOID, 1.0]}, "waveform: must be a waveform"),
        ({"waveform": np.array([0.0, np.nan]), "duration": None}, r"must be finite \(got nan at sample 1\)"),
        ({"waveform": np.zeros((2, 2, 2))}, "waveform: must be a waveform"),
        ({"waveform": Sampled(times=[0.0, 0.5], values=[0.0, 1.0])}, "beyond: samples of array of 2 samples"),
        ({"initial": 1.0}, r"initial.boundary: must lie from -5e-09 to 5e-09 m \(got 1 for device 0\)"),
        ({"initial": np.nan}, r"initial.boundary: must lie .*\(got nan for device 0\)"),
        ({"initial": [0.0, 0.0]}, r"initial: must be a number or shape \(1,\)"),
        ({"initial": "high"}, "initial: must be a number or an array of numbers"),
        ({"initial": {"x": 0.0}}, "initial.x: no such state variable; the model has boundary"),
        ({"initial": {"boundary": [0.0, 0.0]}}, r"initial.boundary: must be a number or shape \(1,\)"),
    ],
)
def test_bad_input_is_refused_before_anything_is_written(change, message, tmp_path):
    settings = {"device": NODE, "waveform": SINUSOID, "dt": 1e-3, "duration": 1.0, **change}
    with pytest.raises(InputError, match=message):
        memsim.drive(**settings, out=tmp_path / "trace.h5")
    assert not list(tmp_path.iterdir())


def test_long_samples_are_refused_in_one_short_line():
    entry = {"waveform": "sampled", "times": np.r_[np.arange(500.0), 0.0], "values": np.zeros(501)}
    sections = {"time": {"dt": 1e-3, "duration": 0.5}, "device": {"model": "node"}}
    with pytest.raises(InputError) as error:
        DriveConfiguration(**sections, drive=[entry])
    wrong = "times: must increase from sample to sample (got 0 s after 499 s at sample 500, counted from 0)"
    assert str(error.value) == f"drive.0.{wrong}"
    with pytest.raises(InputError) as error:
        DriveConfiguration(**sections, drive=entry | {"times": np.arange(500.0)})
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 400


def test_several_variables_start_as_one_row_for_all_or_one_for_each():
    device = memsim.ThresholdMemristor(thresholds=(1e-3, 2e-3, 3e-3), window=1e-3)
    row = [1.0, 2.0, 3.0, 4.0]
    settings = {"dt": 1e-3, "duration": 1e-2, "devices": 2}
    trace = memsim.drive(device, SINUSOID, **settings, initial=row)
    assert trace.initial_state.tolist() == [row, row]
    trace = memsim.drive(device, SINUSOID, **settings, initial=[row, row[::-1]])
    assert trace.initial_state.tolist() == [row, row[::-1]]


@pytest.fixture
def written(tmp_path):
    path = tmp_path / "trace.h5"
    samples = Sampled(times=[0.0, 1.0], values=[0.0, 1e-4], beyond="hold")
    memsim.drive(NODE, SINUSOID + samples, dt=1e-2, duration=2.0, out=path).close()
    return path


def test_a_file_explains_itself(written):
    with h5py.File(written) as file:
        assert file.attrs["convention"] == b"memsim drive"
        assert file.attrs["schema_version"] == 2
        assert {"program", "program_version", "dt", "dt_units", "drive", "model"} <= set(file.attrs)
        names: list[str] = []
        file.visititems(lambda name, item: names.append(name) if isinstance(item, h5py.Dataset) else None)
        for name in set(names) - {"configuration", "labels", "notes"}:
            assert file[name].attrs["units"], name
            assert file[name].attrs["long_name"], name
        assert file["committed_rows"][()] == 200


def test_texts_are_of_a_fixed_length(written):
    """Others lie in a heap, which has to be looked through before it is read."""
    with h5py.File(written) as file:
        kinds = {name: file[name].dtype for name in ("configuration", "labels", "notes")}
        kinds |= {name: file.attrs.get_id(name).dtype for name in file.attrs}
        assert [name for name, kind in kinds.items() if kind.hasobject] == []


def test_a_file_of_the_first_schema_holds_the_drive_that_is_made_today():
    today = memsim.drive(
        memsim.Node(threshold=1e-4, direction="both"),
        Csv(path=ROOT / "examples" / "waveform.csv", time="time", amplitude="amplitude")
        + Pulses(pulses=[Pulse(start=0.4, width=0.05, amplitude=2.5e-4)]),
        dt=1e-3, duration=0.5, integrator="heun",
    )  # fmt: skip
    with memsim.open_drive(ROOT / "tests" / "data" / "drive-schema-1.h5") as earlier:
        for made in (today, run(earlier.config)):
            for name in ("current", "voltage", "state", "energy"):
                expected = getattr(made, name)  # between versions the last bits may change
                assert np.allclose(getattr(earlier, name), expected, rtol=0.0, atol=1e-12 * np.abs(expected).max()), (
                    name
                )
        assert np.array_equal(earlier.initial_state, today.initial_state)
        assert np.array_equal(earlier.time, today.time)
        assert (earlier.finished, earlier.steps, earlier.dt, earlier.drive) == (True, 500, 1e-3, "current")
        assert (earlier.model, earlier.variables) == (today.model, today.variables)
        assert (earlier.labels, earlier.notes) == (today.labels, today.notes)
        assert earlier.config.device == today.config.device
    assert np.ptp(today.state) > 1e-10


def test_a_file_gives_the_same_drive_again(written):
    with memsim.open_drive(written) as trace:
        repeated = run(trace.config)
        assert_same(repeated, trace)
        assert repeated.labels == trace.labels


def test_a_file_that_exists_is_refused_and_left_as_it_is(written):
    before = written.read_bytes()
    with pytest.raises(InputError, match="exists; name another file"):
        memsim.drive(NODE, SINUSOID, dt=1e-2, duration=1.0, out=written)
    assert written.read_bytes() == before
    memsim.drive(NODE, SINUSOID, dt=1e-2, duration=1.0, out=written, overwrite=True).close()
    assert open_drive_file(written)["committed_rows"][()] == 100


@pytest.mark.parametrize("place", ["/dev/null/trace.h5", "/missing/folder/trace.h5"])
def test_a_file_that_cannot_be_written_is_refused(place):
    with pytest.raises(InputError, match="there is no folder"):
        memsim.drive(NODE, SINUSOID, dt=1e-2, duration=1.0, out=place)


def test_files_that_are_no_drives_are_refused(written, tmp_path):
    with pytest.raises(RunFileError, match="no such file"):
        memsim.open_drive(tmp_path / "missing.h5")
    (tmp_path / "text.h5").write_text("no HDF5")
    with pytest.raises(RunFileError, match="is no HDF5 file, or a broken one"):
        memsim.open_drive(tmp_path / "text.h5")
    for attribute, value in (("schema_version", 99), ("convention", "other")):
        with h5py.File(written, "r+") as file:
            file.attrs[attribute] = value
        with pytest.raises(RunFileError, match=f"{value}"):
            memsim.open_drive(written)


def test_a_file_that_lacks_something_says_what(written):
    with h5py.File(written) as file:
        names = [*file.keys(), *(name for name in file.attrs if name in ATTRIBUTES)]
    tops = {field.path.split("/")[0] for field in DRIVE}
    later = {field.path.split("/")[0] for field in DRIVE if field.late or field.since > 1} - {"samples"}
    assert later == {"stalled", "largest_step", "time", "device", "variable", "checksums"}
    assert set(names) == tops | {*ATTRIBUTES}
    for name in (*(tops - later), *ATTRIBUTES):
        broken = written.with_name("broken.h5")
        broken.write_bytes(written.read_bytes())
        with h5py.File(broken, "r+") as file:
            del (file if name in tops else file.attrs)[name]
        with pytest.raises(RunFileError, match=f"broken drive file: it has no {name}"):
            memsim.open_drive(broken)


def test_a_file_that_is_cut_short_is_refused(written):
    written.write_bytes(written.read_bytes()[:4000])
    with pytest.raises(RunFileError, match=r"is cut off: 4\.0 of .* kB are there; copy it again"):
        memsim.open_drive(written)
