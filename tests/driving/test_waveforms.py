"""Waveforms: their values at both ends of a step, their grid, and what they refuse."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from memsim.driving.waveforms import Csv, Pulse, Pulses, Sampled, Sinusoid, Sum, Triangle, Waveform
from memsim.errors import InputError

DT = 1e-3


def pulse(start: float, width: float, amplitude: float) -> Pulse:
    return Pulse(start=start, width=width, amplitude=amplitude)


@pytest.fixture
def csv(tmp_path):
    def write(text):
        path = tmp_path / "waveform.csv"
        path.write_text(text)
        return path

    return write


def test_pulses_add_up_where_they_overlap_and_are_held():
    waveform = Pulses(pulses=[pulse(0.0, 4 * DT, 1.0), pulse(2 * DT, 4 * DT, 0.5), pulse(3 * DT, DT, -2.0)])
    starts, ends = waveform.boundaries(0, 8, DT)
    assert starts.tolist() == [1.0, 1.0, 1.5, -0.5, 0.5, 0.5, 0.0, 0.0]
    assert np.array_equal(starts, ends)


@pytest.mark.parametrize(
    ("bad", "field", "value"),
    [(pulse(1.5 * DT, DT, 1.0), "start", "0.0015"), (pulse(DT, 2.5 * DT, 1.0), "width", "0.0025")],
)
def test_a_pulse_off_the_grid_is_refused_with_both_numbers(bad, field, value):
    with pytest.raises(InputError, match=rf"pulses\.1\.{field}: .*dt = 0\.001 s \(got {value} s\)"):
        Pulses(pulses=[pulse(0.0, DT, 1.0), bad]).check(10, DT)


def test_times_that_only_binary_rounding_puts_off_the_grid_are_on_it():
    Pulses(pulses=[pulse(0.3, 0.1 + 0.2, 1.0)]).check(10, 0.1)


def test_a_sinusoid_has_its_value_at_both_ends_of_a_step():
    waveform = Sinusoid(amplitude=2.0, frequency=3.0, phase=0.7, offset=0.25)
    starts, ends = waveform.boundaries(100, 1100, DT)
    at = [0.25 + 2.0 * math.sin(2.0 * math.pi * 3.0 * n * DT + 0.7) for n in range(100, 1101)]
    np.testing.assert_allclose(starts, at[:-1], rtol=0, atol=2e-14)
    np.testing.assert_allclose(ends, at[1:], rtol=0, atol=2e-14)
    assert np.array_equal(starts[1:], ends[:-1])


def test_a_sinusoid_is_exact_at_zeros_and_peaks_after_many_periods():
    starts, _ = Sinusoid(amplitude=3.0, frequency=0.25).boundaries(4_000_000, 4_000_004, 1.0)
    assert starts.tolist() == [0.0, 3.0, 0.0, -3.0]


def test_a_triangle_is_straight_between_its_corners():
    starts, _ = Triangle(amplitude=1.0, frequency=1.0).boundaries(0, 9, 0.125)
    assert starts.tolist() == [0.0, 0.5, 1.0, 0.5, 0.0, -0.5, -1.0, -0.5, 0.0]
    shifted, _ = Triangle(amplitude=1.0, frequency=1.0, phase=math.pi / 2, offset=1.0).boundaries(0, 5, 0.125)
    assert shifted.tolist() == [2.0, 1.5, 1.0, 0.5, 0.0]


@pytest.mark.parametrize("kind", [Sinusoid, Triangle])
def test_a_frequency_that_dt_cannot_follow_is_refused_with_both_numbers(kind):
    with pytest.raises(InputError, match=r"frequency: must be less than .* = 500 Hz.*\(got 500 Hz\)"):
        kind(amplitude=1.0, frequency=500.0).check(10, DT)


def test_samples_are_linear_between_their_times():
    waveform = Sampled(times=[0.0, 2 * DT, 3 * DT], values=[0.0, 1.0, -1.0])
    starts, ends = waveform.boundaries(0, 3, DT)
    np.testing.assert_allclose(starts, [0.0, 0.5, 1.0], rtol=1e-12)
    np.testing.assert_allclose(ends, [0.5, 1.0, -1.0], rtol=1e-12)


def test_a_drive_beyond_the_samples_is_refused_zero_or_held():
    times, values = [2 * DT, 4 * DT], [1.0, 3.0]
    with pytest.raises(InputError, match=r"samples of array of 2 samples lie from 0\.002 s to 0\.004 s.*to 0\.006 s"):
        Sampled(times=times, values=values).check(6, DT)
    with pytest.raises(InputError, match="beyond"):
        Sampled(times=times, values=values).check(3, DT)  # it begins late as well
    held = Sampled(times=times, values=values, beyond="hold")
    held.check(6, DT)
    np.testing.assert_allclose(held.boundaries(0, 6, DT)[1], [1, 1, 2, 3, 3, 3], rtol=1e-12)
    zero = Sampled(times=times, values=values, beyond="zero")
    starts, ends = zero.boundaries(0, 6, DT)
    np.testing.assert_allclose(starts, [0, 0, 1, 2, 0, 0], rtol=1e-12)  # it jumps between steps, not within one
    np.testing.assert_allclose(ends, [0, 0, 2, 3, 0, 0], rtol=1e-12)


def test_samples_within_a_step_are_counted_in_a_note():
    times = [0.0, 0.5 * DT, DT, 1.2 * DT, 5 * DT]
    (note,) = Sampled(times=times, values=[0.0] * 5).notes(5, DT)
    assert "2 of 5 samples" in note
    assert Sampled(times=[0.0, DT, 5 * DT], values=[0.0] * 3).notes(5, DT) == []


def test_a_csv_file_is_the_array_of_its_columns(csv):
    path = csv("t,other,volts\n0,9,0\n1e-3,9,1\n\n4e-3,9,-2\n")
    from_file = Csv(path=path, time="t", amplitude="volts")
    array = Sampled(times=[0, 1e-3, 4e-3], values=[0, 1, -2])
    for ours, theirs in zip(from_file.boundaries(0, 4, DT), array.boundaries(0, 4, DT), strict=True):
        assert np.array_equal(ours, theirs)
    assert from_file.label("V") == "waveform.csv"
    assert from_file == Csv(path=path, time="t", amplitude="volts")
    assert from_file != Csv(path=path, time="t", amplitude="other")
    assert array == Sampled(times=[0, 1e-3, 4e-3], values=[0, 1, -2])
    assert hash(array) == hash(Sampled(times=[0, 1e-3, 4e-3], values=[0, 1, -2]))
    assert array != Sampled(times=[0, 1e-3, 4e-3], values=[0, 1, -1])
    assert array != from_file


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("time,amplitude\n0,0\n1,2,3\n", "line 3: must have 2 cells"),
        ("time,amplitude\n0,0\n1,nan\n", r"line 3: amplitude: the value is missing \(got 'nan'\)"),
        ("time,volts\n0,0\n", "has no column 'amplitude'; it has time, volts"),
        ("time,amplitude\n0,0\n2,1\n1,1\n", "time: must increase .*got 1 s after 2 s"),
        ("time,amplitude\n", "has no rows"),
    ],
)
def test_a_csv_file_that_is_wrong_is_refused(csv, text, message):
    with pytest.raises(InputError, match=message):
        Csv(path=csv(text))


def test_a_csv_file_that_is_missing_is_refused(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        Csv(path=tmp_path / "missing.csv")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"times": [0.0, 1.0], "values": [0.0]}, r"values: must be as many as times, 2 \(got 1\)"),
        ({"times": [0.0, 0.0], "values": [0.0, 1.0]}, "times: must increase"),
        ({"times": [0.0, 1.0], "values": [0.0, math.nan]}, r"values: must be finite \(got nan at sample 1\)"),
        ({"times": [], "values": []}, "must be one-dimensional, with a number at least"),
        ({"times": [[0.0]], "values": [0.0]}, "must be one-dimensional"),
        ({"times": [0.0], "values": ["a"]}, "values"),
        ({"times": [0.0], "valeus": [1.0]}, "did you mean 'values'"),
    ],
)
def test_arrays_that_are_wrong_are_refused(settings, message):
    with pytest.raises(InputError, match=message):
        Sampled(**settings)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"amplitude": math.nan, "frequency": 1.0}, r"amplitude: must be a finite number \(got nan\)"),
        ({"amplitude": 1.0, "frequency": -1.0}, "frequency: must be greater than 0"),
        ({"amplitude": 1.0}, "frequency: is missing"),
        ({"amplitude": 1.0, "frequncy": 1.0}, "no such setting; did you mean 'frequency'"),
    ],
)
def test_settings_that_are_wrong_are_refused(settings, message):
    with pytest.raises(InputError, match=message):
        Sinusoid(**settings)


def test_waveforms_add_up_and_name_their_parts():
    sinusoid, pulses = Sinusoid(amplitude=1.0, frequency=5.0), Pulses(pulses=[pulse(0.0, 2 * DT, 0.5)])
    total = sinusoid + pulses + Triangle(amplitude=2e-3, frequency=5.0)
    assert len(total.parts) == 3
    expected = sum(part.boundaries(0, 9, DT)[1] for part in total.parts)
    np.testing.assert_allclose(total.boundaries(0, 9, DT)[1], expected, rtol=1e-15)
    assert total.label("V") == "sinusoid 1 V, 5 Hz + a pulse of 0.5 V + triangle 2 mV, 5 Hz"
    assert Sum().label("V") == "no drive"
    assert not Sum().boundaries(0, 3, DT)[0].any()
    with pytest.raises(TypeError):
        sinusoid + 1.0


def every_waveform() -> list[Waveform]:
    random = np.random.default_rng(0)
    return [
        Pulses(pulses=[pulse(k * DT, 7 * DT, float(a)) for k, a in enumerate(random.normal(size=20))]),
        Sinusoid(amplitude=1.1, frequency=7.3, phase=0.3, offset=0.1),
        Triangle(amplitude=1.1, frequency=7.3, phase=0.3),
        Sampled(times=np.cumsum(random.uniform(0.1, 3.0, 40)) * DT, values=random.normal(size=40), beyond="zero"),
        Sampled(times=np.cumsum(random.uniform(0.1, 3.0, 40)) * DT, values=random.normal(size=40), beyond="hold"),
    ]


@given(st.integers(0, 100), st.integers(1, 30), st.integers(1, 30))
def test_values_do_not_depend_on_how_steps_are_grouped(first, one, other):
    for waveform in every_waveform():
        whole = waveform.boundaries(first, first + one + other, DT)
        parts = [waveform.boundaries(first, first + one, DT), waveform.boundaries(first + one, first + one + other, DT)]
        for side in (0, 1):
            assert np.array_equal(whole[side], np.concatenate([part[side] for part in parts]))
