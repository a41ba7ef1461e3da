"""Fitting: known parameters come back from data with and without noise; what data cannot tell; bad input."""

import json
import re
import sys
import tomllib

import lmfit
import numpy as np
import pytest
from places import EXAMPLES

import memsim
from memsim.devices import IonDrift, Vteam, Yakopcic
from memsim.errors import InputError
from memsim.fitting.measurement import load_measurement, measured
from memsim.fitting.parameters import FreeParameter, Model, free_model
from memsim.fitting.search import Search
from memsim.fitting.simulation import Simulation
from memsim.fitting.uncertainty import uncertainty_of

EXAMPLE = EXAMPLES / "iv.csv"
WINDOWED = IonDrift(r_on=1e3, r_off=12e3, mobility=8e-15, window="joglekar")
BEGIN = IonDrift(window="joglekar")
DT = 2e-3
TIME = DT * np.arange(501)
SINE = 0.6 * np.sin(2.0 * np.pi * 3.0 * TIME)
FREE = ("r_on", "r_off", "mobility", "initial")


def response(device, driven, initial, drive="voltage", dt=DT, substeps=1):
    """The response at the boundaries of an array's intervals; the first at a drive of 0."""
    assert driven[0] == 0.0
    times = dt * np.arange(len(driven))
    samples = memsim.waveforms.Sampled(times=times, values=driven)
    trace = memsim.drive(
        device, samples, dt=dt / substeps, duration=times[-1], drive=drive, initial=initial, integrator="heun"
    )
    rows = np.asarray(trace.current if drive == "voltage" else trace.voltage)[substeps - 1 :: substeps, 0]
    return np.concatenate([[0.0], rows])


def with_noise(values, share, seed=1):
    return values + np.random.default_rng(seed).normal(0.0, share * np.ptp(values), len(values))


def truth_of(device, initial):
    return {"initial.doped": initial, **device.model_dump()}


@pytest.fixture(scope="module")
def exact():
    """The current of a known device, without noise."""
    return response(WINDOWED, SINE, 0.2)


def test_the_known_device_has_no_residual(exact):
    """Simulated as the drive is: the same steps, so the same numbers but for the order of additions."""
    simulation = Simulation(measured(TIME, exact, SINE), "voltage", "linear", 1, "heun")
    fitted, states = simulation.run(WINDOWED, np.array([[0.2]]))
    assert np.abs(fitted - exact).max() <= 1e-12 * np.ptp(exact)
    assert states[0, 0] == 0.2
    assert simulation.regular


def test_exact_data_give_the_parameters_back(exact):
    fit = memsim.fit(BEGIN, TIME, SINE, exact, free=FREE)
    assert fit.converged
    assert fit.relative_rms < 1e-9
    assert 1.0 - fit.r_squared < 1e-15
    for name in ("r_on", "r_off", "mobility", "initial.doped"):
        assert fit[name].value == pytest.approx(truth_of(WINDOWED, 0.2)[name], rel=1e-5)
    assert fit.initial == {"doped": fit["initial.doped"].value}
    assert fit.device.r_off == fit["r_off"].value
    assert fit.device.thickness == BEGIN.thickness


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_noisy_data_give_the_parameters_back_within_three_standard_errors(exact, seed):
    fit = memsim.fit(BEGIN, TIME, SINE, with_noise(exact, 0.005, seed), free=FREE)
    for parameter in fit.parameters:
        known = truth_of(WINDOWED, 0.2)[parameter.name]
        assert abs(parameter.value - known) <= 3.0 * parameter.error, parameter
        assert parameter.error <= 0.2 * known
    assert fit.relative_rms == pytest.approx(0.005, rel=0.1)
    assert fit.r_squared == pytest.approx(1.0 - fit.rms**2 / np.var(fit.measured), abs=1e-12)


def test_a_fit_is_the_same_every_time(exact):
    noisy = with_noise(exact, 0.01)
    one, again = (memsim.fit(BEGIN, TIME, SINE, noisy, free=FREE, starts=8) for _ in range(2))
    assert one.parameters == again.parameters
    assert np.array_equal(one.fitted, again.fitted)


def test_vteam_comes_back_from_its_pulse_response():
    """Pulses of growing size to both sides, each with a READ after it, as rows of a pulse response have them."""
    known = Vteam(v_off=0.62, v_on=-0.73, k_off=1e-6, k_on=-1.5e-6, alpha_off=1, alpha_on=1, window="none")
    sizes = np.linspace(0.3, 1.2, 10)
    writes = np.concatenate([sizes, -sizes])
    held = np.concatenate([[0.0], *(np.r_[np.full(10, size), np.full(5, 0.1)] for size in writes)])
    dt = 1e-4
    time = dt * np.arange(len(held))
    trace = memsim.drive(
        known,
        memsim.waveforms.Pulses(
            pulses=[
                memsim.waveforms.Pulse(start=dt * k, width=dt, amplitude=value)
                for k, value in enumerate(held[1:])
                if value
            ]
        ),
        dt=dt, duration=dt * (len(held) - 1), drive="voltage", initial=1e-9, integrator="heun",
    )  # fmt: skip
    current = np.concatenate([[0.0], np.asarray(trace.current)[:, 0]])
    begin = known.model_copy(update={"v_off": 0.5, "v_on": -0.5, "k_off": 5e-7, "k_on": -5e-7})
    free = ("v_off", "v_on", "k_off", "k_on")
    fit = memsim.fit(begin, time, held, current, free=free, between="held", initial=1e-9)
    assert fit.relative_rms < 1e-9
    for name in free:
        assert fit[name].value == pytest.approx(getattr(known, name), rel=1e-6)
        assert np.sign(fit[name].value) == np.sign(getattr(known, name))


def test_yakopcics_conductances_come_back_under_a_voltage():
    known = Yakopcic(preset="miao", b=0.6, a1=0.08, a2=0.15)
    current = response(known, SINE, 0.11)
    fit = memsim.fit(
        Yakopcic(preset="miao"), TIME, SINE, with_noise(current, 0.002), free=("a1", "a2", "b"), initial=0.11
    )
    for parameter in fit.parameters:
        assert abs(parameter.value - getattr(known, parameter.name)) <= 3.0 * parameter.error, parameter


def test_a_response_beyond_all_bounds_is_none():
    """At b = 1000 1/V and 0.6 V, sinh(600) is 10^260: its square is no number any more."""
    known = Yakopcic(preset="miao")
    model = free_model(known, ["b"], 0.11)
    simulation = Simulation(measured(TIME, response(known, SINE, 0.11), SINE), "voltage", "linear", 1, "heun")
    search = Search(model, simulation, "linear", 0.05)
    assert np.isinf(search.residuals(np.log10([1000.0]))).all()
    assert search.best[0] == np.inf
    assert np.abs(search.residuals(model.start())).max() < 1e-9


def test_a_current_drives_as_well():
    current = 1e-4 * np.sin(2.0 * np.pi * 3.0 * TIME)
    voltage = response(WINDOWED, current, 0.3, drive="current")
    fit = memsim.fit(BEGIN, TIME, voltage, current, free=FREE, drive="current")
    assert fit.relative_rms < 1e-9
    assert fit["r_off"].value == pytest.approx(12e3, rel=1e-5)


def test_substeps_are_the_drives_steps():
    current = response(WINDOWED, SINE, 0.2, substeps=4)
    simulation = Simulation(measured(TIME, current, SINE), "voltage", "linear", 4, "heun")
    assert np.abs(simulation.run(WINDOWED, np.array([[0.2]]))[0] - current).max() <= 1e-12 * np.ptp(current)
    assert simulation.dt == pytest.approx(DT / 4, rel=1e-12)


def test_irregular_samples_are_met_each_at_its_own_time():
    """The drive is linear from kept sample to kept sample, in the reference as well."""
    kept = np.r_[0, np.sort(np.random.default_rng(0).permutation(np.arange(1, 500))[:250]), 500]
    current = response(WINDOWED, np.interp(TIME, TIME[kept], SINE[kept]), 0.2, substeps=8)
    simulation = Simulation(measured(TIME[kept], current[kept], SINE[kept]), "voltage", "linear", 8, "heun")
    assert not simulation.regular
    fitted, _ = simulation.run(WINDOWED, np.array([[0.2]]))
    assert np.abs(fitted - current[kept]).max() < 1e-6 * np.ptp(current)
    fit = memsim.fit(WINDOWED, TIME[kept], SINE[kept], current[kept], free=["mobility"], initial=0.2, starts=0)
    assert "not on a regular grid" in fit.notes[0]


def test_parameters_that_only_go_together_are_named(exact):
    fit = memsim.fit(WINDOWED, TIME, SINE, exact, free=("mobility", "thickness", "r_off"), initial=0.2, starts=0)
    assert any(line.startswith("mobility and thickness cannot be told apart") for line in fit.warnings)
    assert fit["mobility"].error == fit["thickness"].error == np.inf
    assert np.isfinite(fit["r_off"].error)
    assert fit.singular_values[-1] < 1e-6


def test_standard_errors_of_a_straight_line_are_the_textbooks():
    """For y = a + b x the covariance is s^2 (X^T X)^-1."""
    x = np.linspace(0.0, 1.0, 20)
    design = np.stack([np.ones(20), x], axis=1)
    residuals = np.random.default_rng(0).normal(size=20)
    found = uncertainty_of(design, residuals, np.ones(20), ["a", "b"])
    variance = residuals @ residuals / 18
    slope = np.sqrt(variance / np.sum((x - x.mean()) ** 2))
    offset = np.sqrt(variance * np.mean(x**2) / np.sum((x - x.mean()) ** 2))
    assert found.deviations == pytest.approx([offset, slope], rel=1e-12)
    assert found.correlations[0, 1] == pytest.approx(-x.mean() / np.sqrt(np.mean(x**2)), rel=1e-12)


def test_lmfits_report_has_what_the_fit_says(exact):
    fit = memsim.fit(BEGIN, TIME, SINE, with_noise(exact, 0.005), free=FREE, starts=0)
    known = dict(zip(("r_on", "r_off", "mobility", "_initial_doped"), fit.parameters, strict=True))
    for k, (name, parameter) in enumerate(known.items()):
        assert fit.estimates[name].value == parameter.value
        assert fit.estimates[name].stderr == parameter.error
        assert [fit.estimates[name].correl.get(other, 1.0) for other in known] == list(fit.correlations[k])
        assert f"{name}: " in fit.report()
    assert re.search(r"C\(_log10_r_on, _log10_mobility\) += -0\.9", fit.report())


def test_plain_least_squares_have_lmfits_own_errors(exact, monkeypatch):
    results, original = [], lmfit.Minimizer.least_squares

    def kept(*given, **settings):
        results.append(original(*given, **settings))
        return results[-1]

    monkeypatch.setattr(lmfit.Minimizer, "least_squares", kept)
    fit = memsim.fit(BEGIN, TIME, SINE, with_noise(exact, 0.005), free=FREE, starts=0)
    for name in ("_log10_r_on", "_log10_r_off", "_log10_mobility", "_scaled__initial_doped"):
        assert fit.estimates[name].stderr == pytest.approx(results[0].params[name].stderr, rel=1e-6)
        assert fit.estimates[name].correl == pytest.approx(results[0].params[name].correl, rel=1e-6)


def test_a_parameter_may_have_any_name_that_python_takes():
    """lmfit takes plain letters alone."""
    known = FreeParameter("β", "1", 2.0, 0.0, np.inf, "log")
    model = Model(None, None, (known, FreeParameter("exp", "1", -2.0, -np.inf, np.inf, "linear")))
    parameters = model.put(np.array([1.0, -0.25]))
    assert [parameters[p.symbol].value for p in model.free] == pytest.approx([10.0, -0.5])


def test_outliers_weigh_less_in_another_loss(exact):
    spoilt = exact.copy()
    spoilt[50::50] += 0.5 * np.ptp(exact)
    errors = {}
    for loss in ("linear", "soft_l1", "huber", "cauchy"):
        fit = memsim.fit(BEGIN, TIME, SINE, spoilt, free=FREE, loss=loss, loss_scale=0.01)
        errors[loss] = abs(fit["r_off"].value - WINDOWED.r_off)
    assert errors["linear"] > 10.0 * max(errors["soft_l1"], errors["huber"], errors["cauchy"])


def test_bounds_hold(exact):
    fit = memsim.fit(
        WINDOWED.model_copy(update={"r_off": 10e3}),
        TIME,
        SINE,
        exact,
        free=["r_off"],
        bounds={"r_off": (8e3, 11e3)},
        initial=0.2,
    )
    assert fit["r_off"].value == pytest.approx(11e3, rel=1e-6)
    assert any("ended at its bound" in line for line in fit.warnings)


def test_a_step_that_is_too_coarse_is_said(exact):
    fit = memsim.fit(BEGIN, TIME[::25], SINE[::25], exact[::25], free=["r_off"], initial=0.2, starts=0)
    assert any("substeps" in line for line in fit.warnings)


def test_an_interrupted_fit_keeps_the_best_so_far(exact):
    def interrupt(done, limit, unit):
        if done == 6:
            raise KeyboardInterrupt

    begun = memsim.fit(BEGIN, TIME, SINE, exact, free=FREE, starts=0, evaluations=1)
    fit = memsim.fit(BEGIN, TIME, SINE, exact, free=FREE, starts=0, progress=interrupt)
    assert fit.stopped
    assert not fit.converged
    assert fit.rms < begun.rms
    assert any("before it converged" in line for line in begun.warnings)


# Files and the command line.


def written(path, time=TIME, current=None, voltage=SINE, header="time,current,voltage"):
    rows = np.stack([time, np.zeros(len(time)) if current is None else current, voltage], axis=1)
    path.write_text(header + "\n" + "\n".join(",".join(map(repr, row.tolist())) for row in rows) + "\n")
    return path


@pytest.fixture(scope="module")
def data(exact, tmp_path_factory):
    return written(tmp_path_factory.mktemp("data") / "data.csv", current=exact)


def test_the_example_is_what_the_page_says(exact):
    """Rounded as the file is: times to 0.1 ms, voltages to 10 uV, currents to six digits."""
    measurement = load_measurement(EXAMPLE)
    assert np.allclose(measurement.time, TIME, rtol=0.0, atol=1e-9)
    assert np.allclose(measurement.voltage, SINE, rtol=0.0, atol=5.1e-6)
    assert np.allclose(measurement.current, with_noise(exact, 0.005), rtol=1e-5, atol=0.0)


def test_the_example_is_fitted_and_driven_again(cli, tmp_path):
    plot, toml, table = (tmp_path / name for name in ("fit.png", "fit.toml", "fit.json"))
    result = cli(
        "fit", EXAMPLE, "--model", "ion-drift", "--fix", "window=joglekar", "--free", "r_on,r_off,mobility,initial",
        "--plot", plot, "--out", toml, "--json", table, "--quiet",
    )  # fmt: skip
    assert result.status == 0, result
    assert "R2 = 0.99" in result.out
    assert plot.read_bytes().startswith(b"\x89PNG")
    found = json.loads(table.read_text())
    assert found["relative_rms"] == pytest.approx(0.005, rel=0.1)
    for parameter in found["parameters"]:
        known = truth_of(WINDOWED, 0.2)[parameter["name"]]
        assert abs(parameter["value"] - known) <= 3.0 * parameter["error"], parameter
    assert tomllib.loads(toml.read_text())["device"] == found["device"]
    assert cli("drive", toml, "--out", tmp_path / "again.h5", "--quiet").status == 0
    measurement = load_measurement(EXAMPLE)
    with memsim.open_drive(tmp_path / "again.h5") as trace:
        again = np.asarray(trace.current)[:, 0]
    rms = np.sqrt(np.mean((again - measurement.current[1:]) ** 2)) / np.ptp(measurement.current)
    assert rms == pytest.approx(found["relative_rms"], rel=0.01)


def test_columns_may_have_other_names(cli, tmp_path, exact):
    path = written(tmp_path / "data.csv", current=exact, header="t (s),I,V")
    result = cli(
        "fit", path, "--model", "ion-drift", "--fix", "window=joglekar", "--free", "r_on,r_off,mobility,initial.doped",
        "--column", "time=t (s)", "--column", "voltage=V", "--column", "current=I", "--start", "r_off=2e4", "--quiet",
    )  # fmt: skip
    assert result.status == 0, result
    assert "12000" in result.out


GIVEN = ("--model", "ion-drift", "--fix", "window=joglekar", "--quiet")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--free", "r_of"), "free: must be one of .*did you mean 'r_off'"),
        (("--free", "r_off,r_off"), "free: must name each parameter once"),
        (("--free", "exponent"), "exponent: is no continuous number"),
        (("--free", "r_off", "--start", "r_off=-1"), "r_off: must be greater than 0"),
        (("--free", "r_off", "--start", "r_off=50"), "r_off: must be greater than r_on = 100 ohm"),
        (("--free", "r_off", "--bounds", "r_off=100:5e3"), r"r_off: must start .* 100 to 5000 ohm \(got 10000\)"),
        (("--free", "r_off", "--bounds", "r_off=-5:5e4"), "bounds.r_off: must rise, within"),
        (("--free", "r_off", "--bounds", "r_on=1:2"), "bounds.r_on: is for a free parameter"),
        (("--free", "r_off", "--bounds", "r_off=1"), "must be NAME=LOWER:UPPER"),
        (("--free", "r_off", "--fix", "r_off=1e4"), "r_off: is free as well"),
        (("--free", "r_off", "--start", "r_on=1e4"), "r_on: is not free"),
        (("--free", "r_off", "--fix", "r_ox=1"), "r_ox: no such setting"),
        (("--free", "r_off", "--preset", "hpp"), "preset: must be one of"),
        (("--free", "r_off", "--initial", "1.5"), "initial.doped: must lie from 0 to 1"),
        (("--free", "r_off", "--initial", "half"), "must be a number"),
        (("--free", "r_off,initial.dope"), "free: must be one of"),
        (("--free", "r_off", "--column", "current=I"), "has no column 'I'; it has time, current, voltage"),
        (("--free", "r_off", "--substeps", "0"), "substeps: must be a whole number of 1 or more"),
        (("--free", "r_off", "--loss-scale", "0"), "--loss-scale: must be greater than 0"),
        (("--free", "r_off", "--out", "fit.json"), "must end in .toml"),
    ],
)
def test_bad_options_give_one_line(refused, data, options, message):
    refused(message, "fit", data, *GIVEN, *options)


def test_a_parameter_without_influence_is_refused(refused, data):
    plain = ("--model", "vteam", "--fix", "v_on=-5.0", "--quiet")
    refused("k_on: has no influence on the response from this start", "fit", data, *plain, "--free", "r_off,k_on")


def test_an_unknown_model_gives_one_line(refused, data):
    refused("--model: must be one of .*'ion-drift'", "fit", data, "--model", "ion-drif", "--free", "r_on")


def test_a_model_that_a_voltage_cannot_drive_is_refused(refused, data):
    refused("cannot be driven by a voltage", "fit", data, "--model", "synapse", "--free", "r_on")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("time,current,voltage\n0,0,0\n1,1,1\n2,2,2\n", "must have 4 samples at the least .got 3."),
        ("time,current,voltage\n0,0,0\n2,1,1\n1,2,2\n3,3,3\n", "time: must increase .*got 1 s after 2 s at sample 2"),
        ("time,current,voltage\n0,0,0\n1,1,1\n1,2,2\n3,3,3\n", "time: must increase .*got 1 s after 1 s"),
        (
            "time,current,voltage\n0,0,0\n1,5,1\n2,1,2\n3,3,3\n1e12,2,3\n",
            "the gap of 1e.12 s after sample 3 would take .* steps of 1 s",
        ),
        ("time,current\n0,0\n1,1\n2,2\n3,3\n", "has no column 'voltage'; it has time, current"),
        (
            "time,current,voltage\n0,0,0\n1,nan,1\n2,2,2\n3,3,3\n",
            "line 3: current: the value is missing",
        ),
        ("time,current,voltage\n0,0,0\n1,5,1\n2,,2\n3,3,3\n", "line 4: current: the value is missing"),
        ("time,current,voltage\n0,2,0\n1,2,1\n2,2,2\n3,2,3\n", "current: is 2 throughout"),
        ("0,0,0\n1,1,1\n", "line 1: must name the columns"),
        ("", "line 1: must name the columns"),
    ],
)
def test_bad_files_give_one_line(refused, tmp_path, text, message):
    (tmp_path / "bad.csv").write_text(text)
    refused(message, "fit", tmp_path / "bad.csv", *GIVEN, "--free", "r_off")


def test_more_free_parameters_than_samples_are_refused(refused, tmp_path):
    (tmp_path / "few.csv").write_text("time,current,voltage\n0,0,0\n1,1,1\n2,3,2\n3,3,3\n")
    refused("more samples than free parameters, 4", "fit", tmp_path / "few.csv", *GIVEN, "--free", ",".join(FREE))


def test_a_missing_file_gives_one_line(refused, tmp_path):
    refused("none.csv", "fit", tmp_path / "none.csv", *GIVEN, "--free", "r_off")


def test_files_that_exist_are_left_alone(refused, data, tmp_path):
    (tmp_path / "fit.toml").write_text("mine")
    refused("exists", "fit", data, *GIVEN, "--free", "r_off", "--out", tmp_path / "fit.toml")
    assert (tmp_path / "fit.toml").read_text() == "mine"


def test_without_lmfit_it_says_what_to_install(refused, data, monkeypatch):
    monkeypatch.setitem(sys.modules, "lmfit", None)
    refused(r"pip install 'memsim\[fit\]'", "fit", data, *GIVEN, "--free", "r_off")


def test_bad_arrays_are_refused():
    with pytest.raises(InputError, match=r"must have one length \(got \[3, 4\]\)"):
        measured(np.arange(4.0), np.arange(3.0), np.arange(4.0))
    with pytest.raises(InputError, match=r"current: must be finite \(got inf at sample 2"):
        measured(np.arange(4.0), [0.0, 1.0, np.inf, 2.0], np.arange(4.0))


def test_ctrl_c_writes_the_best_so_far(cli, data, tmp_path, monkeypatch):
    residuals = Search.residuals

    def interrupted(search, positions):
        if search.simulations > 60:
            raise KeyboardInterrupt
        return residuals(search, positions)

    monkeypatch.setattr(Search, "residuals", interrupted)
    result = cli("fit", data, *GIVEN, "--free", "r_on,r_off,mobility,initial", "--json", tmp_path / "fit.json")
    assert result.status == 130
    assert "stopped before its end" in result.out
    assert json.loads((tmp_path / "fit.json").read_text())["stopped"] is True
