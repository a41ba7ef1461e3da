"""A drive goes out by the same door as a run, as the same table without the columns that only runs have."""

import csv

import numpy as np
import pandas
import pytest

import memsim
from memsim.driving.waveforms import Sinusoid
from memsim.exporting import export

COLUMNS = ["step", "time_s", "device", "variable", "quantity", "unit", "value"]
UNITS = {"current": "A", "voltage": "V", "state": "m"}
DT = 1e-3


@pytest.fixture(scope="module")
def drive_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("drive") / "drive.h5"
    waves = [Sinusoid(amplitude=size, frequency=1.0) for size in (1e-4, -2e-4, 3e-4)]
    memsim.drive(memsim.Node(), waves, dt=DT, duration=0.2, out=path).close()
    return path


def read(path):
    """A table from CSV, its numbers to the bit: not every version of pandas reads them so."""
    with path.open(newline="") as file:
        names, *rows = csv.reader(file)
    kinds = {"step": int, "device": int, "time_s": float, "value": float}
    columns = zip(names, zip(*rows, strict=True), strict=True)
    return pandas.DataFrame({name: list(map(kinds.get(name, str), cells)) for name, cells in columns})


def assert_of_drive(table, path, devices=(0, 1, 2), quantities=("state", "current", "voltage"), steps=range(200)):
    """Every number of the drive in the table, to the bit, in the table's order."""
    assert list(table.columns) == COLUMNS
    with memsim.open_drive(path) as trace:
        found = iter(table.itertuples(index=False))
        values = {name: trace.window(name) for name in quantities}
        for step in steps:
            for name in quantities:
                for device in devices:
                    row = next(found)
                    assert (row.step, row.time_s, row.device) == (step, trace.time[step], device)
                    assert (row.quantity, row.unit) == (name, UNITS[name])
                    assert (row.variable == "boundary") == (name == "state")
                    assert row.value == values[name][step, device]
        assert next(found, None) is None


def test_csv_and_parquet_hold_every_number_of_a_drive(drive_file, tmp_path, cli):
    for name in ("csv", "parquet"):
        out = tmp_path / f"drive.{name}"
        done = cli("trace", "export", drive_file, "--out", out)
        assert done.status == 0
        assert done.err.startswith("exporting 1,800 rows (200 steps of 9 channels), about ")
        said = float(done.err.partition("about ")[2].split()[0]) * 1000
        assert 0.6 * out.stat().st_size < said < 1.6 * out.stat().st_size or name == "parquet"
    assert_of_drive(read(tmp_path / "drive.csv"), drive_file)
    assert_of_drive(pandas.read_parquet(tmp_path / "drive.parquet"), drive_file)


def test_devices_quantities_steps_and_a_stride_choose_what_of_a_drive(drive_file, tmp_path, monkeypatch):
    monkeypatch.setattr("memsim.exporting.drive_excerpt.BLOCK_VALUES", 12)
    with memsim.open_drive(drive_file) as trace:
        export(
            trace, tmp_path / "some.csv", devices=[2, 0], quantities=["voltage", "state"], steps=(10, 50), stride=7,
            report=lambda done, rows: None,
        )  # fmt: skip
    table = read(tmp_path / "some.csv")
    assert_of_drive(table, drive_file, (0, 2), ("state", "voltage"), range(10, 50, 7))


def test_a_device_of_several_variables_has_each_by_its_name(tmp_path):
    path = tmp_path / "drive.h5"
    device = memsim.devices.ThresholdMemristor(inputs=2, thresholds=(1.0, 2.0, 3.0), window=0.5)
    with memsim.drive(device, Sinusoid(amplitude=1e-4, frequency=1.0), dt=DT, duration=0.01, out=path) as trace:
        export(trace, tmp_path / "several.csv", quantities=["state"])
        names = [name for name, _ in trace.variables]
        table = read(tmp_path / "several.csv")
        assert table["variable"].tolist() == names * 10
        assert np.array_equal(table["value"].to_numpy().reshape(10, 1, -1), trace.window("state"))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--out", "x.npz"), r"--format: must be one of csv, parquet, spice \(got 'npz'\), for a drive"),
        (("--out", "x.vcd"), r"--format: must be one of csv, parquet, spice \(got 'vcd'\)"),
        (("--out", "x.csv", "--epochs", "0"), r"--epochs: is of a run, and .*drive\.h5 is of a drive; leave it out"),
        (("--out", "x.csv", "--realisations", "0"), r"--realisations: is of a run"),
        (("--out", "x.csv", "--devices", "3"), r"--devices: must be from 0 to 2 \(got 3\)"),
        (("--out", "x.csv", "--quantities", "curent"), r"\(got 'curent'\); did you mean 'current'\?"),
        (("--out", "x.csv", "--steps", "0:201"), r"--steps: the drive has steps 0 to 199"),
    ],
)
def test_what_a_drive_has_not_is_refused(drive_file, refused, tmp_path, monkeypatch, words, message):
    monkeypatch.chdir(tmp_path)
    refused(message, "trace", "export", drive_file, *words)
    assert list(tmp_path.iterdir()) == []
