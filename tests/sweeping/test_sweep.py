"""Sweeps that are carried out: the bits of runs alone, whichever way; failures recorded."""

import contextlib
import json
import re
import threading

import numpy as np
import pandas
import pytest
from sweeps import (
    assert_each_once,
    assert_points_have_the_bits_of_runs_alone,
    assert_same_sweeps,
    long_sweep,
    packs_of,
    source,
)

import memsim
from memsim.errors import InputError
from memsim.proportions import interval
from memsim.runs import training
from memsim.stepping.finite import check_finite
from memsim.sweeping import sweep_progress
from memsim.sweeping.folder import Folder
from memsim.sweeping.index import Index
from memsim.sweeping.pack_run import Told, carry_out
from memsim.sweeping.packs import plan
from memsim.sweeping.sweep_configuration import load_sweep
from memsim.terminal import preparing

__all__ = ["long_sweep", "source"]  # fixtures


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The small sweep."""
    from sweeps import TOML

    folder = tmp_path_factory.mktemp("small")
    (folder / "s.toml").write_text(TOML)
    with contextlib.suppress(SystemExit):
        memsim.cli.main(["sweep", str(folder / "s.toml"), "--out", str(folder / "s"), "--quiet", "--processes", "2"])
    return folder / "s"


def carried_out(source, out, assignment):
    """A sweep that this process carries out alone: its plan, its folder and the index of it."""
    laid_out, folder = plan(load_sweep(source, [assignment]), 1), Folder(out)
    folder.create(laid_out.config).release()
    for pack in laid_out.packs:
        assert carry_out(pack, folder, threading.Event(), lambda told: None)
    index = Index(laid_out, folder)
    index.write()
    return laid_out, folder, index


# Results


def test_every_point_has_the_bits_of_its_run_alone(whole):
    assert [path.name for path in packs_of(whole)] == [f"pack-{k:05d}.h5" for k in range(4)]
    assert_points_have_the_bits_of_runs_alone(whole, list(range(6)))
    assert_each_once(whole)


def test_the_tables_open_in_pandas_without_a_number_that_is_missing(whole):
    points, results = pandas.read_csv(whole / "points.csv"), pandas.read_csv(whole / "results.csv")
    assert not points.isna().any(axis=None)
    assert not results.isna().any(axis=None)
    assert points["status"].tolist() == ["finished"] * 6
    assert points["run.seed"].tolist() == [0, 1, 2] * 2
    assert list(results.groupby("learning.rate")["total_error"].count()) == [6, 6]
    assert results["learned"].dtype == bool
    for name, values in memsim.open_sweep(whole).results().items():
        assert results[name].tolist() == values.tolist(), name
    raw = (whole / "results.csv").read_bytes()
    assert raw.count(b"\r\n") == raw.count(b"\n") == 13


def test_the_results_are_the_same_for_any_processes_and_packs(cli, source, whole, tmp_path):
    for lanes, processes in ((1, 1), (100, 3)):
        out = tmp_path / f"{lanes}"
        words = ("--set", f"sweep.lanes={lanes}", "--processes", processes, "--quiet")
        assert cli("sweep", source, "--out", out, *words).status == 0
        one, other = (pandas.read_csv(folder / "results.csv") for folder in (out, whole))
        of_the_packs = ["pack", "lane"]
        pandas.testing.assert_frame_equal(
            one.drop(columns=of_the_packs), other.drop(columns=of_the_packs), check_exact=True
        )
        assert len(packs_of(out)) == (6 if lanes == 1 else 2)


def test_a_pack_is_an_ordinary_run_file(cli, whole, tmp_path):
    pack = packs_of(whole)[0]
    assert cli("run", pack, "--out", tmp_path / "again.h5", "--quiet").status == 0
    with memsim.open_run(pack) as one, memsim.open_run(tmp_path / "again.h5") as other:
        assert one.total_error.tobytes() == other.total_error.tobytes()
    assert cli("trace", "verify", pack, "--quiet").status == 0


def test_the_folders_own_file_makes_the_same_sweep(cli, whole, tmp_path):
    words = ("--out", tmp_path / "again", "--processes", 1, "--quiet")
    assert cli("sweep", whole / "sweep.toml", *words).status == 0
    assert_same_sweeps(tmp_path / "again", whole)


# Failures


# Glorot's range is 1.22 here: a limit of 1 does not hold the starting weights of most seeds.
SMALL_LIMIT = ("--set", "base.network.weight_limit=1.16", "--set", "base.run.realisations=1")


def test_points_that_cannot_work_are_recorded_and_the_rest_goes_on(cli, source, tmp_path):
    out, words = tmp_path / "out", ("--quiet", "--processes", 1, *SMALL_LIMIT, "--set", "sweep.lanes=100")
    called = cli("sweep", source, "--out", out, *words, "--set", "sweep.seeds=[0,1,2,3,4,5,6,7]")
    assert called.status == 1
    sweep = memsim.open_sweep(out)
    failed = sorted(sweep.failed)
    assert 0 < len(failed) < 16
    assert [p - 8 for p in failed if p >= 8] == [p for p in failed if p < 8]  # the seed decides, not the rate
    for text in sweep.failed.values():
        assert re.fullmatch(r"network\.weight_limit: must hold the starting weights of synapses\d, up to .*", text)
    assert called.err.startswith(f"memsim: failed: points {', '.join(map(str, failed[:10]))}")
    assert sweep.missing == ()
    assert_points_have_the_bits_of_runs_alone(out, [p for p in range(16) if p not in failed])
    points = pandas.read_csv(out / "points.csv")
    assert not points.isna().any(axis=None)
    assert points["point"][points["status"] == "failed"].tolist() == failed
    before = [path.stat().st_mtime_ns for path in packs_of(out)]
    assert cli("sweep", out, "--resume", "--quiet").status == 1
    assert [path.stat().st_mtime_ns for path in packs_of(out)] == before
    # Which points cannot work is in the run files as well.
    records = sorted((out / "packs").glob("*.failed.json"))
    for record, damage in zip(records * 3, (b"", b"[" * 100_000, b'["0"]', b"\xff", b'{"a": 1}'), strict=False):
        record.write_bytes(damage)
        memsim.open_sweep(out).results(allow_missing=True)
        assert cli("sweep", out, "--resume", "--quiet").status == 1
        assert sorted(memsim.open_sweep(out).failed) == failed
        assert "its record was damaged" in record.read_text()
        assert [path.stat().st_mtime_ns for path in packs_of(out)] == before


def test_a_point_whose_state_is_lost_leaves_its_pack(cli, source, tmp_path, monkeypatch):
    """Point 1, of the second lanes of its pack: its pack begins again without it."""
    lost = memsim.train(memsim.MultilayerPerceptron(), memsim.datasets.gate("xor"), epochs=1, seed=1).seeds[0]
    original = training.Engine.advance

    def advance(engine, *arguments, **options):
        recorded = original(engine, *arguments, **options)
        for block in engine.blocks:
            lanes = np.flatnonzero(block.seeds == lost)
            if len(lanes) and engine.clock.epoch >= 2:
                block.of_elements(block.banks[0].state, 0)[0, 0, lanes] = np.nan
        check_finite(engine.assembly, engine.blocks, engine.clock.epoch)
        return recorded

    monkeypatch.setattr(training.Engine, "advance", advance)
    laid_out, folder, index = carried_out(source, tmp_path / "out", "sweep.lanes=100")
    monkeypatch.undo()
    assert index.points_of("failed") == [1, 4]
    assert "is no longer finite in epoch" in index.error_of(4)
    assert index.points_of("finished") == [0, 2, 3, 5]
    assert all(map(index.is_done, laid_out.packs))
    assert_points_have_the_bits_of_runs_alone(folder.path, [0, 2, 3, 5])
    failures = json.loads((folder.path / "packs" / "pack-00001.failed.json").read_text())
    assert list(failures) == ["4"]


@pytest.mark.slow
def test_a_broken_pack_is_named_and_keeps_no_other_from_going_on(cli, source, tmp_path):
    out = tmp_path / "out"
    assert cli("sweep", source, "--out", out, "--quiet").status == 0
    results = (out / "results.csv").read_bytes()
    broken, gone, other, _ = packs_of(out)
    broken.write_bytes(b"not a run")
    gone.unlink()
    other.write_bytes((packs_of(out)[-1]).read_bytes())
    sweep = memsim.open_sweep(out)
    assert sweep.missing == ("pack-00001",)
    with pytest.raises(InputError, match=r"of 4 packs 1 are missing: pack-00001; memsim.sweep with resume=True makes"):
        sweep.results()
    with pytest.raises(InputError, match=r"pack-00001\.h5: is missing; memsim.sweep with resume=True makes it"):
        sweep.run("pack-00001")
    assert set(sweep.results(allow_missing=True)["pack"]) == {"pack-00000", "pack-00002", "pack-00003"}
    called = cli("sweep", out, "--resume", "--quiet")
    assert called.status == 1
    assert "memsim: failed: points 0, 1, 3, 4: " in called.err
    failed = memsim.open_sweep(out).failed
    assert "pack-00000.h5: is no HDF5 file, or a broken one" in failed[0]
    assert "pack-00002.h5: was made with another configuration: run.seeds is" in failed[3]
    assert gone.exists()
    broken.unlink()
    other.unlink()
    assert cli("sweep", out, "--resume", "--quiet").status == 0
    assert (out / "results.csv").read_bytes() == results


# Progress


def test_the_lines_of_progress_are_over_all_packs(source, capsys, monkeypatch):
    laid_out = plan(load_sweep(source), 2)
    monkeypatch.setattr(preparing, "LINE_SECONDS", 0.0)
    now = [100.0]
    monkeypatch.setattr("memsim.terminal.progress.time.monotonic", lambda: now[0])
    with sweep_progress.SweepProgress() as told:
        told.start(laid_out.packs[1:], 1, 6)
        told.tell(Told(1, 1, 1000))  # goes on from an epoch that was complete before
        told.tell(Told(1, 3, 3000))
        now[0] = 110.0
        told.look()
        told.tell(Told(1, 4, 4000))
        told.ended(laid_out.packs[1], failed=False, finished=True)
        told.ended(laid_out.packs[2], failed=True, finished=False)
        now[0] = 120.0
        told.look()
    assert capsys.readouterr().err.splitlines() == [
        "sweep: 6 points in 4 packs, 1 done before",
        "sweep: packs 1/4  0 %  0 device-steps",
        "sweep: packs 1/4  25 %  3e+03 device-steps  45 s left",
        "sweep: packs 3/4, 1 failed  67 %  4e+03 device-steps  11 s left",
    ]


def test_packs_that_are_looked_into_are_counted(source, capsys, monkeypatch):
    packs = plan(load_sweep(source), 2).packs
    monkeypatch.setattr(preparing, "LINE_SECONDS", 0.0)
    with sweep_progress.SweepProgress() as told:
        assert list(told.looking(packs)) == packs
    assert capsys.readouterr().err.splitlines() == [f"sweep: looked into packs {k}/4" for k in (1, 2, 3, 4)]


# Going on


def test_another_sweep_is_not_gone_on_with(refused, source, whole):
    words = ("sweep", source, "--out", whole, "--resume")
    for assignment, message in (
        ("fields.learning.rate=[0.1]", r"fields\.learning\.rate is \[0\.05, 0\.1\] in the folder, \[0\.1\] here"),
        ("base.learning.epochs=5", r"base\.learning\.epochs is 4 in the folder, 5 here"),
        ("sweep.lanes=5", r"sweep\.lanes is 4 in the folder, 5 here"),
        ("base.write.pulses=3", r"base\.write\.pulses is None in the folder, 3 here"),
    ):
        refused("holds another sweep: " + message, *words, "--set", assignment)


def test_a_finished_sweep_is_left_as_it_is(cli, source, whole):
    before = {path: path.stat().st_mtime_ns for path in packs_of(whole)}
    called = cli("sweep", source, "--out", whole, "--resume")
    assert called.status == 0
    assert re.search(
        r"\n6 points finished, 0 failed, 0 open; learned \d+ of 12 realisations, to a total error under 0\.1\n",
        called.out,
    )
    with memsim.open_run(packs_of(whole)[0]) as first, memsim.open_run(packs_of(whole)[1]) as second:
        last = np.concatenate([first.total_error[-1], second.total_error[-1]])
    learned = int((last < 0.1).sum())
    rate = rf"{learned} of 6 │ +{re.escape(interval(learned, 6))}"
    row = rf"│ 0\.05 +│ +{rate} │ +{last.mean():.4g} │ +{last.max():.4g} │"
    assert re.search(row, called.out), called.out
    assert {path: path.stat().st_mtime_ns for path in packs_of(whole)} == before


def test_other_samples_are_refused(refused, cli, tmp_path, source):
    data = tmp_path / "data.csv"
    data.write_text("a,b,t\n0,1,1\n1,1,0\n")
    base = tmp_path / "base.toml"
    base.write_text('[data]\ncsv = "data.csv"\ninputs = ["a", "b"]\ntargets = ["t"]\n[learning]\nepochs = 2\n')
    sweep = tmp_path / "c.toml"
    sweep.write_text('[sweep]\nbase = "base.toml"\nseeds = [1, 2]\n')
    assert cli("sweep", sweep, "--out", tmp_path / "c", "--quiet").status == 0
    data.write_text("a,b,t\n0,1,1\n1,1,1\n")
    refused(r"sweep\.samples: the samples are not those", "sweep", tmp_path / "c", "--resume")


def test_the_python_side_says_what_is_wrong(tmp_path, whole):
    with pytest.raises(InputError, match="holds no sweep; name the folder"):
        memsim.open_sweep(tmp_path)
    with pytest.raises(InputError, match=r"pack: must be one of the sweep's, as pack-00000 \(got 'pack-9'\)"):
        memsim.open_sweep(whole).run("pack-9")
