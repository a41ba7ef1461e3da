"""Hysteresis loops: closed forms, the fingerprints of devices that have them and of one that has not, bad input."""

import csv
import json
from unittest import mock

import numpy as np
import pytest
from places import EXAMPLES

import memsim
from memsim.cli import main
from memsim.errors import InputError

EXAMPLE = EXAMPLES / "loops.toml"
NODE = memsim.Node()
ACTIVE = memsim.ThresholdMemristor(thresholds=(1e-3, 2e-3, 3e-3), window=1e-3)


def test_lobes_of_ion_drift_under_a_current_have_the_closed_forms_area():
    """For a memristance R + a q and a current i sin(w t) a lobe has the area -2 a i^3 / (3 w)."""
    current, frequencies = 1e-4, [10.0, 100.0, 1000.0]
    sweep = memsim.hysteresis_loops(NODE, frequencies=frequencies, amplitudes=[current], steps_per_period=4000)
    slope = -NODE.mobility * NODE.r_on * (NODE.r_off - NODE.r_on) / NODE.thickness**2
    for loop in sweep.loops:
        expected = -2.0 * slope * current**3 / (3.0 * 2.0 * np.pi * loop.frequency)
        assert loop.positive_area == pytest.approx(expected, rel=1e-5)
        assert loop.negative_area == pytest.approx(-expected, rel=1e-5)
        assert loop.zero_response == 0.0
    pinched, shrinking, line = sweep.fingerprints
    assert shrinking.value == pytest.approx(-1.0, abs=1e-6)
    assert sweep.is_memristor()
    assert line.value == sweep.loops[-1].width
    assert pinched.value == 0.0


def test_an_active_element_fails_the_first_fingerprint():
    sweep = memsim.hysteresis_loops(ACTIVE, frequencies=[1.0, 10.0], amplitudes=[4e-3], initial={"learning_rate": 1e5})
    assert sweep.fingerprints[0].holds is False
    assert sweep.fingerprints[0].value > 0.5
    assert not sweep.is_memristor()


def test_a_device_below_its_threshold_has_no_loop():
    sweep = memsim.hysteresis_loops(memsim.Node(threshold=1e-3), frequencies=[1.0, 10.0], amplitudes=[1e-4])
    assert [fingerprint.holds for fingerprint in sweep.fingerprints] == [False, False, True]
    assert "no loop" in sweep.fingerprints[0].words


def test_the_example_passes_and_writes_its_table_and_figure(tmp_path, capsys):
    table, plot = tmp_path / "loops.json", tmp_path / "loops.png"
    with pytest.raises(SystemExit) as end:
        main(["drive", str(EXAMPLE), "--table", str(table), "--plot", str(plot), "--quiet"])
    assert end.value.code == 0
    assert "FAIL" not in capsys.readouterr().out
    written = json.loads(table.read_text())
    assert len(written["loops"]) == 18
    assert all(fingerprint["holds"] for fingerprint in written["fingerprints"])
    assert plot.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"frequencies": []}, "frequencies: is missing"),
        ({"amplitudes": [1e-4, 1e-4]}, "amplitudes: must differ"),
        ({"periods": 1}, "periods: must be greater than or equal to 2"),
        ({"steps_per_period": 10}, "steps_per_period: must be a multiple of 4"),
        ({"waveform": "csv"}, "path: names the file"),
        (
            {"waveform": "pulses", "pulses": [memsim.waveforms.Pulse(width=0.25, amplitude=1.0)]},
            "both sides of 0",
        ),
    ],
)
def test_bad_input_is_refused(change, message):
    with pytest.raises(InputError, match=message):
        memsim.hysteresis_loops(NODE, **{"frequencies": [1.0], "amplitudes": [1e-4], **change})


def test_a_measured_period_is_scaled_and_said_to_be(tmp_path):
    path = tmp_path / "period.csv"
    path.write_text("time,amplitude\n0,0\n0.5,2\n1.5,-2\n2,0\n")
    sweep = memsim.hysteresis_loops(NODE, waveform="csv", path=path, amplitudes=[1e-4], frequencies=[1.0, 10.0])
    triangle = memsim.hysteresis_loops(NODE, waveform="triangle", amplitudes=[1e-4], frequencies=[1.0, 10.0])
    for loop, other in zip(sweep.loops, triangle.loops, strict=True):
        assert loop.positive_area == pytest.approx(other.positive_area, rel=1e-9)
    assert "4 samples of a period at 0.5 Hz, resampled linearly" in sweep.notes[0]


def test_threads_and_other_amplitudes_change_no_bit():
    amplitudes = np.linspace(1e-5, 1e-4, 150).tolist()
    one = memsim.hysteresis_loops(NODE, frequencies=[1.0], amplitudes=amplitudes, steps_per_period=100)
    two = memsim.hysteresis_loops(NODE, frequencies=[1.0], amplitudes=amplitudes, steps_per_period=100, threads=2)
    alone = memsim.hysteresis_loops(NODE, frequencies=[1.0], amplitudes=amplitudes[-1:], steps_per_period=100)
    assert all(np.array_equal(a.voltage, b.voltage) for a, b in zip(one.loops, two.loops, strict=True))
    assert np.array_equal(alone.loops[0].voltage, one.loops[-1].voltage)


def test_the_table_has_a_line_for_each_loop_with_the_numbers_of_its_unit(cli, tmp_path):
    path = tmp_path / "loops.csv"
    assert cli("drive", EXAMPLE, "--table", path, "--set", "loops.steps_per_period=400", "--quiet").status == 0
    rows = list(csv.DictReader(path.read_text().splitlines()))
    frequencies, amplitudes = [0.5, 1.0, 2.0, 5.0, 10.0, 100.0], [0.3, 0.45, 0.6]
    device = memsim.Node(threshold=0.0)
    sweep = memsim.hysteresis_loops(
        device, frequencies=frequencies, amplitudes=amplitudes, drive="voltage", initial=-4e-9, steps_per_period=400
    )
    assert [(float(row["amplitude_V"]), float(row["frequency_Hz"])) for row in rows] == [
        (amplitude, frequency) for amplitude in amplitudes for frequency in frequencies
    ]
    names = ("relative_area", "zero_response", "width", "off_line", "open_end", "at_bound")
    for row, loop in zip(rows, sweep.loops, strict=True):
        assert (float(row["positive_area_VA"]), float(row["negative_area_VA"])) == (
            loop.positive_area, loop.negative_area,
        )  # fmt: skip
        assert [float(row[name]) for name in names] == [float(getattr(loop, name)) for name in names]


def test_options_of_a_drive_and_of_loops_do_not_mix(refused, tmp_path):
    drive = EXAMPLE.parent / "hysteresis.toml"
    refused(r"--table: is for a file with \[loops\]", "drive", drive, "--table", tmp_path / "loops.csv")
    refused("--check-dt: is for one drive", "drive", EXAMPLE, "--check-dt")
    refused("--out: keeps the rows of one drive", "drive", EXAMPLE, "--out", tmp_path / "rows.h5")
    refused(r"must end in .csv or .json", "drive", EXAMPLE, "--table", tmp_path / "loops.txt")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("section", ["[time]\ndt = 1e-3\nduration = 1.0\n", '[[drive]]\nwaveform = "sinusoid"\n'])
def test_sections_of_a_drive_beside_loops_are_refused(refused, tmp_path, section):
    (tmp_path / "both.toml").write_text(EXAMPLE.read_text() + "\n" + section)
    refused(r"has no place beside \[loops\]", "drive", tmp_path / "both.toml")


def test_a_table_that_exists_is_left_alone(refused, tmp_path):
    (tmp_path / "loops.csv").write_text("mine")
    refused("exists", "drive", EXAMPLE, "--table", tmp_path / "loops.csv")
    assert (tmp_path / "loops.csv").read_text() == "mine"


def test_loops_without_a_finite_area_are_refused(refused):
    message = "loops.amplitudes: the loop at 1e.300, .* has no finite area"
    refused(message, "drive", EXAMPLE, "--set", "loops.amplitudes=[1e300]")


def test_a_loop_says_where_a_step_leads_far():
    coarse, fine = (
        memsim.hysteresis_loops(
            memsim.devices.Vteam(k_on=-4.03e-8, alpha_on=1), frequencies=[1.0], amplitudes=[1.0], drive="voltage",
            initial=5e-9, steps_per_period=steps,
        )
        for steps in (400, 200_000)
    )  # fmt: skip
    for sweep in (coarse, fine):
        (loop,) = sweep.loops
        with memsim.drive(
            sweep.config.device, memsim.waveforms.Sinusoid(amplitude=1.0, frequency=1.0),
            dt=1.0 / sweep.config.loops.steps_per_period, duration=2.0, drive="voltage", initial=5e-9,
            integrator="heun",
        ) as trace:  # fmt: skip
            moved = np.abs(np.diff(trace.state[:, 0], prepend=5e-9)).max() / 1e-8
        assert loop.furthest == pytest.approx(moved, rel=1e-12)
        assert loop.stalled == 0
        assert any("of its range in one step" in note for note in sweep.notes) == (moved > 1e-2)
    assert coarse.loops[0].furthest > 1e-2 > fine.loops[0].furthest


def test_a_loop_says_where_no_step_can_move_a_state():
    """Joglekar's window by the state alone: near its end 1 - x has no digit left, and it stays there."""
    with mock.patch.dict(memsim.devices.MODELS):  # other tests take every model that there is
        (drift,) = memsim.load_models(EXAMPLE.parent / "my_device.py")
    sweep = memsim.hysteresis_loops(
        drift(), frequencies=[5.0, 5e3], amplitudes=[2e-2], initial=0.3, steps_per_period=20_000
    )
    slow, fast = sweep.loops
    assert slow.stalled > 0 == fast.stalled
    assert any(note.startswith("in 1 of 2 drives steps cannot move a state") for note in sweep.notes)
