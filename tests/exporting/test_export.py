"""Exports hold the numbers of the run to the bit, and are whole or not there."""

import csv
import errno
import functools
import importlib
import itertools
import math
import os
import re
import shutil
import signal
import sys
import tomllib

import naive
import numpy as np
import pandas
import pyarrow.parquet
import pytest

import memsim
from memsim.configuration.sections import Configuration
from memsim.datasets import Dataset
from memsim.errors import InputError
from memsim.exporting import FORMATS, excerpt, export
from memsim.exporting.size import in_bytes
from memsim.exporting.vcd import check_timescale, timescale
from memsim.runs import training
from memsim.terminal.progress import Progress

_RNG = np.random.default_rng(12)
DATA = Dataset(_RNG.uniform(-1.0, 1.0, (3, 2)), _RNG.uniform(0.0, 1.0, (3, 1)), "three real samples")
EPOCHS, REALISATIONS = 2, 2
KINDS = {
    "mlp": {"network": {"kind": "mlp"}},
    "slp": {"network": {"kind": "slp"}},
    "carriers": {
        "network": {"kind": "slp"},
        "devices": {"memristor": {"model": "carrier-memristor"}},
        "time": {"pulse_steps": 8, "write_steps": 8, "gap_steps": 1},
    },
}
UNITS = {"current": "A", "voltage": "V"}
TABLE = (
    "step", "time_s", "epoch", "sample", "phase", "bank", "device", "variable", "realisation", "quantity", "unit",
    "value",
)  # fmt: skip
of_each_kind = pytest.mark.parametrize("kind", KINDS)
of_each_format = pytest.mark.parametrize("name", FORMATS)


def configuration(kind, **sections):
    base = {
        "run": {"seed": 7, "realisations": REALISATIONS, "threads": 1},
        "time": {"pulse_steps": 3, "write_steps": 4, "gap_steps": 1},
        "learning": {"epochs": EPOCHS},
        "data": {"arrays": DATA.name},
        "trace": {"mode": "full"},
    }
    return Configuration(**base | KINDS[kind] | sections)


@functools.cache
def traced(kind):
    return training.run(configuration(kind), DATA)


@pytest.fixture(scope="module")
def run_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("export") / "run.h5"
    training.run(configuration("mlp"), DATA, out=path).close()
    return path


def phase_of(run, step):
    """Phase of a step, from the slot table."""
    within = step % run.sample_steps
    for slot in run.slots:
        width = slot["pulses"] * slot["pulse_steps"] + (slot["pulses"] - 1) * slot["gap_steps"]
        if slot["start"] <= within < slot["start"] + width:
            return slot["phase"].decode()
    return "IDLE"


def wanted_rows(run, steps, banks=None, devices=None, realisations=None, quantities=("state", "current", "voltage")):
    """The tidy table of some steps, cell by cell from ``run.window``."""
    values = {(b, q): run.window(b, q) for b in run.banks for q in quantities}
    for step in steps:
        epoch, rest = divmod(step, run.samples * run.sample_steps)
        about = (step, step * run.dt, epoch, rest // run.sample_steps, phase_of(run, step))
        for bank, quantity in itertools.product(banks or run.banks, quantities):
            info = run.bank(bank)
            variables = [(v[0], v[1]) for v in info.variables] if quantity == "state" else [("", UNITS[quantity])]
            row = values[bank, quantity][step].reshape(info.devices, len(variables), run.realisations)
            for device in devices or range(info.devices):
                for number, (variable, unit) in enumerate(variables):
                    for realisation in realisations or range(run.realisations):
                        value = float(row[device, number, realisation])
                        yield (*about, bank, device, variable, realisation, quantity, unit, value)


def csv_rows(path):
    """A CSV file by the standard library: names, and rows with numbers as numbers."""
    with path.open(newline="", encoding="utf-8") as file:
        names, *rows = csv.reader(file)
    kinds = (int, float, int, int, str, str, int, str, int, str, str, float)
    return tuple(names), [tuple(kind(cell) for kind, cell in zip(kinds, row, strict=True)) for row in rows]


def assert_same_bits(one, other):
    """Cells are equal, and floats to the last bit: a plain == takes -0.0 for 0.0."""
    one, other = list(one), list(other)
    assert one == other
    for column in (1, 11):
        assert np.array_equal(naive.bits([row[column] for row in one]), naive.bits([row[column] for row in other]))


# The tidy table


@of_each_kind
def test_csv_is_the_tidy_table_with_exact_floats(kind, tmp_path):
    run = traced(kind)
    names, rows = csv_rows(export(run, tmp_path / "run.csv"))
    assert names == TABLE
    assert_same_bits(rows, wanted_rows(run, range(run.steps)))
    # Sixteen digits would not do.
    assert any(float(f"{row[-1]:.16g}") != row[-1] for row in rows)


@of_each_kind
def test_parquet_is_the_same_table_as_csv(kind, tmp_path):
    run = traced(kind)
    _, rows = csv_rows(export(run, tmp_path / "run.csv"))
    frame = pandas.read_parquet(export(run, tmp_path / "run.parquet"))
    assert tuple(frame.columns) == TABLE
    assert frame["variable"].isna().equals(frame["quantity"] != "state")
    frame["variable"] = frame["variable"].cat.add_categories("").fillna("")
    assert_same_bits(frame.itertuples(index=False, name=None), rows)


def test_parquet_has_types_units_and_provenance(tmp_path):
    run = traced("mlp")
    schema = pyarrow.parquet.read_schema(export(run, tmp_path / "run.parquet", steps=(4, 90), stride=2))
    kinds = {name: str(schema.field(name).type) for name in TABLE}
    texts = {name for name, kind in kinds.items() if kind.startswith("dictionary<values=string")}
    assert texts == {"phase", "bank", "variable", "quantity", "unit"}
    assert {name for name, kind in kinds.items() if kind == "double"} == {"time_s", "value"}
    assert {name for name in TABLE if schema.field(name).nullable} == {"variable"}
    assert schema.field("time_s").metadata == {b"units": b"s"}
    about = {key.decode(): value.decode() for key, value in schema.metadata.items() if key != b"ARROW:schema"}
    assert Configuration(**tomllib.loads(about["configuration"])) == configuration("mlp")
    assert (about["program"], about["run_program_version"]) == ("memsim", run.stored.label("/", "program_version"))
    assert (float(about["dt"]), about["dt_units"]) == (run.dt, "s")
    assert (about["start_step"], about["stop_step"], about["stride"]) == ("4", "90", "2")


# Arrays


@of_each_kind
def test_npz_holds_the_arrays_and_what_they_are(kind, tmp_path):
    run = traced(kind)
    with np.load(export(run, tmp_path / "run.npz"), allow_pickle=False) as data:
        steps = np.arange(run.steps)
        assert np.array_equal(data["step"], steps)
        assert np.array_equal(naive.bits(data["time"]), naive.bits(steps * run.dt))
        assert np.array_equal(data["epoch"] * run.samples + data["sample"], steps // run.sample_steps)
        assert data["sample"].max() == run.samples - 1
        assert data["phase_names"][data["phase"]].tolist() == [phase_of(run, step) for step in steps]
        units = dict(data["units"].tolist())
        for bank in run.banks:
            info = run.bank(bank)
            assert data[f"{bank}/variable"].tolist() == [v[0] for v in info.variables]
            assert data[f"{bank}/variable_unit"].tolist() == [v[1] for v in info.variables]
            assert data[f"{bank}/device"].tolist() == list(range(info.devices))
            state = data[f"{bank}/state"]
            assert state.shape == (run.steps, info.devices, len(info.variables), REALISATIONS)
            wanted = run.window(bank, "state").reshape(state.shape)
            assert np.array_equal(naive.bits(state), naive.bits(wanted))
            for quantity in ("current", "voltage"):
                assert np.array_equal(naive.bits(data[f"{bank}/{quantity}"]), naive.bits(run.window(bank, quantity)))
                assert units[f"{bank}/{quantity}"] == UNITS[quantity]
            single = {v[1] for v in info.variables}
            assert units[f"{bank}/state"] == (single.pop() if len(single) == 1 else "see variable_unit")
        assert units["time"] == "s"
        assert data["realisation"].tolist() == [0, 1]
        assert str(data["configuration"]) == run.configuration_text
        assert dict(data["provenance"].tolist())["stop_step"] == str(run.steps)


# Waveforms


@pytest.fixture(scope="module")
def vcdvcd():
    """A reader of VCD that has no part in the writing; importing it lets a broken pipe end the process."""
    before = signal.getsignal(signal.SIGPIPE)
    module = importlib.import_module("vcdvcd")
    signal.signal(signal.SIGPIPE, before)
    return module


def held(changes, times, kind=float):
    """Values of a signal at some times, from its changes."""
    moments = [time for time, _ in changes]
    return [kind(changes[k - 1][1]) for k in np.searchsorted(moments, times, side="right")]


def signal_names(run):
    """Name of each signal, with its values over all steps."""
    for bank in run.banks:
        info = run.bank(bank)
        states = run.window(bank, "state").reshape(run.steps, info.devices, len(info.variables), run.realisations)
        for device, realisation in itertools.product(range(info.devices), range(run.realisations)):
            scope = f"{bank}.device{device}.realisation{realisation}"
            for number, variable in enumerate(info.variables):
                yield f"{scope}.{variable[0]}", states[:, device, number, realisation]
            for quantity in UNITS:
                yield f"{scope}.{quantity}", run.window(bank, quantity)[:, device, realisation]


@of_each_kind
@pytest.mark.parametrize(("start", "stride"), [(0, 1), (7, 3)])
def test_vcd_read_by_another_reader_gives_the_exact_values(kind, start, stride, tmp_path, vcdvcd):
    run = traced(kind)
    dump = vcdvcd.VCDVCD(str(export(run, tmp_path / "run.vcd", steps=f"{start}:", stride=stride)))
    # dt = 0.25 ms is 25 units of 10 us.
    assert (dump.timescale["magnitude"], dump.timescale["unit"]) == (10, "us")
    steps = np.arange(start, run.steps, stride)
    assert (dump.begintime, dump.endtime) == (25 * start, 25 * run.steps)
    names = [name for name, _ in signal_names(run)]
    assert set(dump.signals) == {*names, *(f"schedule.{name}" for name in ("epoch", "sample", "phase", "phase_code"))}
    sharp = 0
    for name, wanted in signal_names(run):
        assert dump[name].var_type == "real"
        values = held(dump[name].tv, 25 * steps)
        assert values == wanted[steps].tolist(), name
        changes = [float(value) for _, value in dump[name].tv]
        assert all(one != other for one, other in itertools.pairwise(changes)), name
        assert len(changes) == 1 + np.count_nonzero(np.diff(wanted[steps]))
        sharp += sum(float(f"{value:.16g}") != value for value in changes)
    assert sharp > 0  # sixteen digits would not do


def test_vcd_marks_epochs_samples_and_phases(tmp_path, vcdvcd):
    run = traced("mlp")
    path = export(run, tmp_path / "run.vcd", quantities=["current"])
    dump = vcdvcd.VCDVCD(str(path))
    steps = np.arange(run.steps)
    binary = functools.partial(int, base=2)
    codes = held(dump["schedule.phase_code"].tv, 25 * steps, binary)
    phases = [phase_of(run, step) for step in steps]
    assert [("READ", "RESTORE", "BACKREAD", "WRITE", "IDLE")[code] for code in codes] == phases
    assert held(dump["schedule.epoch"].tv, 25 * steps, binary) == (steps // run.sample_steps // run.samples).tolist()
    assert held(dump["schedule.sample"].tv, 25 * steps, binary) == (steps // run.sample_steps % run.samples).tolist()
    # GTKWave's strings, which the reader leaves out.
    time, shown = 0, []
    for line in path.read_text().split("$enddefinitions")[1].splitlines():
        time = int(line[1:]) if line.startswith("#") else time
        if line.startswith("s"):
            shown.append((time, line[1:].split()[0]))
    assert held(shown, 25 * steps, str) == phases


def test_vcd_says_its_units_in_a_comment(tmp_path):
    text = export(traced("slp"), tmp_path / "run.vcd").read_text().split("$enddefinitions")[0]
    for line in ("units of current: A", "units of voltage: V", "units of memristor bias: 1", "dt = 0.00025"):
        assert f"\t{line}\n" in text


@pytest.mark.parametrize(
    ("dt", "wanted"),
    [
        (2.5e-4, (10, "us", 25)),
        (1.0, (1, "s", 1)),
        (300.0, (100, "s", 3)),
        (0.1, (100, "ms", 1)),
        (1e-6, (1, "us", 1)),
        (1.25e-9, (10, "ps", 125)),
        (1e-15, (1, "fs", 1)),
    ],
)
def test_a_step_is_a_whole_number_of_the_coarsest_unit(dt, wanted):
    assert timescale(dt) == wanted


@pytest.mark.parametrize("dt", [0.1 + 0.2, 1 / 3000, 2.5e-16])
def test_a_step_that_is_no_whole_number_of_femtoseconds_is_refused(dt):
    with pytest.raises(InputError, match=rf"time.dt: VCD counts in femtoseconds .* {dt!r} s is no whole number"):
        timescale(dt)


def test_vcd_refuses_times_beyond_its_counter():
    class Endless:
        dt = 1.000000000000001  # 1e15 + 1 units of a femtosecond

    most = (2**63 - 1) // (10**15 + 1)
    check_timescale(excerpt.Excerpt(Endless, None, 0, most))
    with pytest.raises(InputError, match=rf"ends at step {most} at most \(got {most + 1}\)"):
        check_timescale(excerpt.Excerpt(Endless, None, 0, most + 1))


# What is chosen


@pytest.mark.parametrize(
    ("chosen", "steps"),
    [
        ({"steps": "3:20"}, range(3, 20)),
        ({"samples": (1, 2), "stride": 5}, range(48, 96, 5)),
        ({"epochs": "1", "stride": 50}, range(144, 288, 50)),
    ],
)
def test_a_span_and_a_stride_choose_steps(chosen, steps, tmp_path):
    run = traced("mlp")
    assert (run.sample_steps, run.steps) == (48, 288)
    _, rows = csv_rows(export(run, tmp_path / "run.csv", **chosen))
    assert_same_bits(rows, wanted_rows(run, steps))


def test_banks_devices_realisations_and_quantities_choose_channels(tmp_path):
    run = traced("mlp")
    chosen = {
        "banks": ("synapses1", "nodes1"),
        "devices": (1,),
        "realisations": (1,),
        "quantities": ("state", "voltage"),
    }
    _, rows = csv_rows(export(run, tmp_path / "run.csv", **chosen, steps=(0, 60)))
    assert_same_bits(rows, wanted_rows(run, range(60), **chosen))


def assert_same_export(name, one, other):
    if name == "parquet":
        pandas.testing.assert_frame_equal(pandas.read_parquet(one), pandas.read_parquet(other))
    elif name == "npz":
        with np.load(one) as first, np.load(other) as second:
            assert first.files == second.files
            assert all(np.array_equal(first[key], second[key]) for key in first.files)
    else:
        assert one.read_bytes() == other.read_bytes()


@of_each_format
@pytest.mark.parametrize("values", [1, 200])
@pytest.mark.parametrize("stored", [True, False])
def test_the_size_of_a_block_does_not_matter(name, values, stored, tmp_path, monkeypatch):
    """What is read at a time is bounded, so a file of any length takes the same memory."""
    run, sizes = traced("mlp"), []
    chosen = {"steps": (5, 105), "stride": 3}
    whole = export(run, tmp_path / f"whole.{name}", **chosen)
    monkeypatch.setattr(excerpt, "BLOCK_VALUES", values)
    monkeypatch.setattr(excerpt, "chunk_rows", lambda width: 8)
    monkeypatch.setattr(excerpt, "PIECE_BYTES", 1)
    monkeypatch.setattr(run, "stretches", functools.partial(_stretches, run, 7))
    if not stored:
        monkeypatch.setattr(run, "holds", lambda *_, **__: False)
    matrix = excerpt.Block.matrix
    monkeypatch.setattr(excerpt.Block, "matrix", lambda block: sizes.append(len(block.steps)) or matrix(block))
    parts = export(run, tmp_path / f"parts.{name}", **chosen)
    assert_same_export(name, whole, parts)
    assert all(size <= max(1, values // 60) for size in sizes)


def _stretches(run, size, start, stop, banks, *, realisations, steps):
    """What ``run.stretches`` gives, a few steps at a time."""
    return type(run).stretches(run, start, stop, banks, realisations=realisations, steps=size)


def test_of_a_stored_trace_only_what_is_chosen_is_read(tmp_path, monkeypatch):
    run, read = traced("mlp"), []
    trace_rows = run.stored.trace_rows

    def counted(bank, quantity, first, last, **channels):
        read.append((bank, quantity, first, last, channels["devices"], channels["realisations"]))
        return trace_rows(bank, quantity, first, last, **channels)

    monkeypatch.setattr(run.stored, "trace_rows", counted)
    monkeypatch.setattr(run, "stretches", None)
    monkeypatch.setattr(excerpt, "chunk_rows", lambda width: 64)
    monkeypatch.setattr(excerpt, "PIECE_BYTES", 1)
    chosen = {"banks": ["synapses1"], "devices": [1, 2], "realisations": [1], "quantities": ["state"]}
    export(run, tmp_path / "states.npz", **chosen, steps=(5, 280), stride=100)
    # From the first to the last kept row of each piece of 64 rows, and no piece without one.
    places = slice(1, 3), slice(1, 2)
    assert read == [("synapses1", "state", step, step + 1, *places) for step in (5, 105, 205)]
    read.clear()
    export(run, tmp_path / "more.npz", **chosen, steps=(5, 160), stride=10)
    assert [rows[2:4] for rows in read] == [(5, 56), (65, 126), (135, 156)]
    with np.load(tmp_path / "more.npz") as data:
        kept = np.arange(5, 160, 10)
        assert np.array_equal(data["synapses1/state"], run.stored.trace_rows(
            "synapses1", "state", 0, 160, devices=slice(1, 3), realisations=slice(1, 2))[kept])  # fmt: skip


@of_each_kind
@pytest.mark.parametrize("trace", [
    {"mode": "keyframes"},
    {"mode": "select", "quantities": ["state"], "epochs": [(1, 2)]},
])  # fmt: skip
def test_what_is_not_stored_is_replayed(kind, trace, tmp_path):
    run = training.run(configuration(kind, trace=trace), DATA)
    for number, chosen in enumerate(({"steps": "5:", "stride": 7}, {"epochs": "1", "quantities": ["state"]})):
        one = export(traced(kind), tmp_path / f"full{number}.npz", **chosen)
        other = export(run, tmp_path / f"part{number}.npz", **chosen)
        with np.load(one) as first, np.load(other) as second:
            for key in set(first.files) - {"configuration", "provenance"}:
                assert np.array_equal(first[key], second[key]), key


# The file


@of_each_format
def test_the_command_writes_what_the_function_does(name, run_file, tmp_path, cli, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = cli(
        "trace", "export", run_file, "--format", name, "--samples", "1:3", "--realisations", "1", "--stride", "2"
    )
    assert (done.status, done.out) == (0, f"wrote run.{name}\n")
    # Two banks of synapses and two of nodes, 4 + 2 + 2 + 1 devices with three numbers each.
    assert re.fullmatch(r"exporting 1,296 rows \(48 steps of 27 channels\), about .* (kB|bytes|packed)\n", done.err)
    with memsim.open_run(run_file) as run:
        wanted = export(run, tmp_path / f"wanted.{name}", samples="1:3", realisations=[1], stride=2)
    assert (tmp_path / f"run.{name}").read_bytes()[:4] == wanted.read_bytes()[:4]
    if name in ("csv", "vcd"):
        assert (tmp_path / f"run.{name}").read_bytes() == wanted.read_bytes()
    else:
        assert (tmp_path / f"run.{name}").stat().st_size == wanted.stat().st_size


def test_the_suffix_says_the_format(run_file, tmp_path, cli):
    assert cli("trace", "export", run_file, "--out", tmp_path / "a.CSV", "--steps", "0:2").status == 0
    assert (
        cli("trace", "export", run_file, "--out", tmp_path / "a.txt", "--format", "csv", "--steps", "0:2").status == 0
    )
    assert (tmp_path / "a.CSV").read_bytes() == (tmp_path / "a.txt").read_bytes()


@of_each_format
@pytest.mark.parametrize("old", [None, b"precious"])
def test_ctrl_c_leaves_no_half_file_and_says_so(name, old, run_file, tmp_path, cli, monkeypatch):
    target = tmp_path / f"run.{name}"
    if old is not None:
        target.write_bytes(old)
    blocks, partial = excerpt.Excerpt.blocks, []

    def stopped(self, report):
        yield next(blocks(self, report))
        partial.extend(os.listdir(tmp_path))
        raise KeyboardInterrupt

    monkeypatch.setattr(excerpt.Excerpt, "blocks", stopped)
    done = cli("trace", "export", run_file, "--out", target, "--overwrite", "--quiet")
    assert (done.status, done.out) == (130, "")
    kept = "was not written" if old is None else "keeps what it held"
    assert done.err.split("\n") == [f"{target} {kept}", "", "memsim: stopped", ""]
    assert any(path.startswith(f".run.{name}.") for path in partial)
    assert os.listdir(tmp_path) == ([] if old is None else [target.name])
    assert old is None or target.read_bytes() == old


@of_each_format
@pytest.mark.parametrize("error", [
    OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)),
    OSError(f"Error writing bytes to file. Detail: [errno {errno.ENOSPC}] {os.strerror(errno.ENOSPC)}"),
])  # fmt: skip
def test_a_full_disk_leaves_no_half_file(name, error, run_file, tmp_path, cli, monkeypatch):
    blocks = excerpt.Excerpt.blocks

    def full(self, report):
        yield next(blocks(self, report))
        raise error

    monkeypatch.setattr(excerpt.Excerpt, "blocks", full)
    target = tmp_path / f"run.{name}"
    done = cli("trace", "export", run_file, "--out", target, "--quiet")
    assert (done.status, done.out) == (1, "")
    assert done.err == f"memsim: error: {target}: the disk is full; make room, or name a file on another disk\n"
    assert os.listdir(tmp_path) == []


def test_another_failure_of_the_system_is_told_as_it_is(run_file, tmp_path, cli, monkeypatch):
    def broken(self, report):
        raise OSError(errno.EIO, os.strerror(errno.EIO))
        yield

    monkeypatch.setattr(excerpt.Excerpt, "blocks", broken)
    done = cli("trace", "export", run_file, "--out", tmp_path / "run.csv", "--quiet")
    assert done.status == 1
    assert os.strerror(errno.EIO) in done.err
    assert "full" not in done.err
    assert os.listdir(tmp_path) == []


@of_each_kind
@pytest.mark.parametrize("stride", [1, 48])
def test_the_size_is_told_before_anything_is_read(kind, stride, tmp_path):
    run, told = traced(kind), []
    for name in FORMATS:
        target = tmp_path / f"run.{name}"
        export(run, target, stride=stride, begin=lambda size, target=target: told.append((size, target.exists())))
        size, existed = told.pop()
        channels = sum(run.bank(b).devices * (len(run.bank(b).variables) + 2) for b in run.banks) * REALISATIONS
        steps = len(range(0, run.steps, stride))
        assert (size.steps, size.channels, size.numbers, existed) == (steps, channels, steps * channels, False)
        if name == "csv":
            assert size.size == pytest.approx(target.stat().st_size, rel=0.2)
        if name == "npz":
            with np.load(target) as data:
                grows = [v for v in data.values() if v.ndim and len(v) == steps and v.dtype.kind != "U"]
                assert size.size == sum(v.nbytes for v in grows)


@of_each_format
def test_what_the_disk_has_no_room_for_is_refused(name, run_file, tmp_path, refused, cli, monkeypatch):
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: usage._replace(free=500))
    target = tmp_path / f"run.{name}"
    advice = "choose a span, fewer channels or a stride, or name a file on another disk"
    rows = r"15,552 rows \(288 steps of 54 channels\), about [0-9.]+ .B"
    refused(
        rf"{target}: {rows}.*, and 500 bytes are free there; {advice}", "trace", "export", run_file, "--out", target
    )
    assert os.listdir(tmp_path) == []
    few = ("--steps", "0:1", "--banks", "nodes2", "--realisations", "0", "--quantities", "state")
    assert cli("trace", "export", run_file, "--out", target, *few, "--quiet").err == ""
    assert os.listdir(tmp_path) == [target.name]


@pytest.mark.parametrize(
    ("size", "text"), [(0, "0 bytes"), (999, "999 bytes"), (1e3, "1 kB"), (2.345e9, "2.35 GB"), (7e15, "7e+03 TB")]
)
def test_bytes_in_words(size, text):
    assert in_bytes(size) == text


def test_a_target_that_appears_meanwhile_is_kept(tmp_path):
    target = tmp_path / "run.csv"

    def appear(done, rows):
        target.write_text("somebody else's")

    with pytest.raises(InputError, match="exists"):
        export(traced("mlp"), target, report=appear)
    assert target.read_text() == "somebody else's"
    assert os.listdir(tmp_path) == ["run.csv"]


@of_each_format
def test_progress_ends_with_all_rows(name, tmp_path):
    told = []
    export(traced("mlp"), tmp_path / f"run.{name}", steps=(0, 50), stride=3, report=lambda *rows: told.append(rows))
    assert told[-1] == (17, 17)
    assert all(rows == 17 for _, rows in told)
    assert [done for done, _ in told] == sorted({done for done, _ in told})


def test_progress_is_lines_where_there_is_no_terminal(capsys, monkeypatch):
    monkeypatch.setattr("memsim.terminal.preparing.LINE_SECONDS", 0.0)
    for quiet in (False, True):
        with Progress("exporting", quiet=quiet) as progress:
            progress(1000, 4000)
    assert capsys.readouterr().err.startswith("exporting: step 1,000/4,000  ")


# Bad input


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--steps", "4:4"], "--steps: .*'4:4'"),
        (["--steps", "9:4"], "--steps: .*'9:4'"),
        (["--samples", "0:7"], "--samples: the run has samples 0 to 5.*'0:7'"),
        (["--epochs", "2:3"], "--epochs: .*'2:3'"),
        (["--epochs", "one"], "--epochs: must be A:B or A"),
        (["--epochs", "0:1", "--steps", "0:1"], "--epochs and --steps: a span is given in one unit"),
        (["--banks", "nodes9"], "--banks: must be among synapses1, .*'nodes9'"),
        (["--devices", "0,7"], r"--devices of synapses1: must be from 0 to 3 \(got 7\); choose banks with --banks"),
        (["--realisations", "2"], r"--realisations: must be from 0 to 1 \(got 2\)"),
        (["--quantities", "power"], "--quantities: must be among state, current, voltage .*'power'"),
        (["--stride", "0"], r"--stride: must be at least 1 \(got 0\)"),
        (["--format", "xlsx"], "--format: must be one of csv, parquet, vcd, npz, spice .*'xlsx'"),
        (["--format", "vcd"], r"--format: is vcd, but --out .*out.csv ends in .csv"),
    ],
)
def test_bad_choices_are_refused(arguments, message, run_file, tmp_path, refused):
    refused(message, "trace", "export", run_file, "--out", tmp_path / "out.csv", *arguments)
    assert os.listdir(tmp_path) == []


def test_bad_targets_are_refused(run_file, tmp_path, refused):
    before = run_file.read_bytes()
    exists = tmp_path / "there.csv"
    exists.write_text("precious")
    refused("exists; .*--overwrite", "trace", "export", run_file, "--out", exists)
    refused("there is no folder", "trace", "export", run_file, "--out", tmp_path / "no" / "x.csv")
    refused("is a folder", "trace", "export", run_file, "--out", tmp_path, "--format", "csv", "--overwrite")
    ends = "error: give --format NAME, or --out FILE that ends in .csv, .parquet, .vcd, .npz or .cir"
    refused(f"{ends}$", "trace", "export", run_file)
    refused(rf"{ends} \(got .*x.dat\)$", "trace", "export", run_file, "--out", tmp_path / "x.dat")
    itself = ("--out", run_file, "--format", "csv", "--overwrite")
    refused("is the run file itself", "trace", "export", run_file, *itself)
    assert exists.read_text() == "precious"
    assert run_file.read_bytes() == before
    assert os.listdir(tmp_path) == ["there.csv"]


@pytest.mark.parametrize(
    ("name", "module", "message"),
    [
        ("parquet", "pyarrow", "Parquet needs pyarrow, which is not installed; pip install 'memsim.parquet.'"),
        ("vcd", "vcd", "VCD needs pyvcd, which is not installed; pip install 'memsim.vcd.'"),
    ],
)
def test_a_missing_library_is_named_with_its_extra(name, module, message, run_file, tmp_path, refused, monkeypatch):
    monkeypatch.setitem(sys.modules, module, None)
    if name == "parquet":
        monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    refused(message, "trace", "export", run_file, "--out", tmp_path / f"run.{name}")
    assert os.listdir(tmp_path) == []


def test_a_step_that_vcd_cannot_count_is_refused(tmp_path):
    run = training.run(configuration("mlp", time={"dt": 1 / 3000, "pulse_steps": 2}, learning={"epochs": 1}), DATA)
    with pytest.raises(InputError, match=r"time.dt: VCD counts in femtoseconds"):
        export(run, tmp_path / "run.vcd")
    assert os.listdir(tmp_path) == []
    _, rows = csv_rows(export(run, tmp_path / "run.csv", steps="1", banks=["nodes2"], realisations=[0]))
    assert math.isclose(rows[0][1], 1 / 3000)


def test_a_file_is_exported_as_its_run_is(run_file, tmp_path):
    with memsim.open_run(run_file) as run:
        memsim.export(run, tmp_path / "of-run.csv", steps=(0, 5), banks=["nodes1"])
    assert (
        memsim.export(str(run_file), tmp_path / "of-file.csv", steps="0:5", banks=["nodes1"])
        == tmp_path / "of-file.csv"
    )
    assert (tmp_path / "of-file.csv").read_bytes() == (tmp_path / "of-run.csv").read_bytes()


def test_a_netlist_is_an_export_too(run_file, tmp_path):
    path = memsim.export(run_file, tmp_path / "run.cir", samples=(0, 1), realisations=[0])
    assert path.read_text(encoding="utf-8").startswith("*")
    for name, value in {"stride": 2, "quantities": ["state"]}.items():
        with pytest.raises(InputError, match=rf"^{name}: is not for format=spice, as .*; leave it out$"):
            memsim.export(run_file, tmp_path / "other.cir", samples=(0, 1), **{name: value})
    with pytest.raises(InputError, match=r"^any_size: is not for format=csv, as it lifts"):
        memsim.export(run_file, tmp_path / "other.csv", any_size=True)
