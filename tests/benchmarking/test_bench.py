"""``memsim bench``: what it measures, writes, draws and compares. No test asks how long anything took."""

import json
import subprocess
import sys
import tomllib
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from places import EXAMPLES

import memsim
from memsim.benchmarking import instructions, running
from memsim.benchmarking.bench_comparison import compare
from memsim.benchmarking.bench_files import draw_figures, figure_files
from memsim.benchmarking.bench_records import Report, read_report, record, reference, write_report
from memsim.benchmarking.case import Case, Setting
from memsim.benchmarking.pace import TRUSTED_SECONDS, Pace
from memsim.benchmarking.releases import read_releases
from memsim.benchmarking.suites import start
from memsim.benchmarking.table import show_report
from memsim.benchmarking.timing import CAREFUL, Effort, Times, taking_turns, times_to_call
from memsim.devices import MODELS
from memsim.errors import RunError
from memsim.runs.sources import load_source

HEADER = {
    "made": "2026-01-01T00:00:00Z", "command": "memsim bench", "quick": True, "complete": True, "compiler": "cc 12",
    "machine": {"processor": "some", "cores": 2, "memory_bytes": 0, "system": "some"},
    "versions": {"memsim": "0", "numba": "0", "numpy": "0"},
    "limits": {},
}  # fmt: skip


def report_of(*records):
    return Report(**HEADER, records=records)


def one(case="a", seconds=(1.0, 1.0, 1.0, 1.0), suite="kernel", **given):
    return record(suite, case, Times(tuple(seconds)), **given)


# Times


def test_noise_is_the_quartiles_distance_or_that_of_the_halves():
    times = Times((1.0, 1.4, 1.2, 1.1, 1.3))
    assert times.minimum == 1.0
    assert times.median == 1.2
    assert times.noise == pytest.approx(0.1)  # the lower quartile is 1.1, the halves' minima 1.0 and 1.1
    assert Times((2.0, 2.0, 3.0, 3.0)).noise == pytest.approx(0.5)  # the halves: 2 and 3
    assert Times((2.0, 3.0, 2.0, 3.0, 2.9, 2.8, 2.9, 2.7)).noise == pytest.approx((2.525 - 2.0) / 2.0, abs=0.2)
    assert Times((1.0,)).noise == 0.0


def test_works_take_turns_and_each_has_three_whatever_they_take():
    called = []
    works = {name: (lambda name=name: called.append(name)) for name in "ab"}
    times = taking_turns(works, Effort(0.0, 7, 0.0))
    assert called == ["a", "b"] * 4  # once uncounted
    assert [len(times[name].seconds) for name in "ab"] == [3, 3]
    assert len(taking_turns(works, Effort(0.0, 7, 1e9))["a"].seconds) == 7


def test_a_short_work_is_called_often_enough_to_be_measured(monkeypatch):
    monkeypatch.setattr("memsim.benchmarking.timing.seconds_of", lambda work: 1e-6 * work.args[0])
    rounds = times_to_call(lambda rounds: None, CAREFUL)
    assert CAREFUL.turn_seconds <= 1e-6 * rounds <= 2.5 * CAREFUL.turn_seconds


def a_child(statement="sum(range(10**6))"):
    return lambda: subprocess.run([sys.executable, "-c", statement], check=True)


def test_processor_time_is_that_of_a_work_and_of_the_processes_that_it_starts():
    works = {"child": a_child(), "own": lambda: sum(range(10**6)), "none": lambda: None}
    times = taking_turns(works, Effort(0.0, 3, 0.0), warm=False)
    assert len(times["child"].processor_seconds) == 3
    assert min(times["child"].processor_seconds) > 0.0
    assert times["own"].work > 100 * times["none"].work
    assert times["own"].work == min(times["own"].processor_seconds)


def test_a_process_that_waits_takes_no_processor_time():
    """The clock goes on; a start that waits for others on a shared machine must not look slower."""
    times = taking_turns({"waiting": a_child("import time; time.sleep(1)")}, Effort(0.0, 1, 0.0), warm=False)["waiting"]
    assert min(times.processor_seconds) < 0.9 < times.minimum


# The time that is left


class Clock:
    """A clock that goes on when it is told to."""

    now = 100.0

    def __call__(self):
        return self.now


def test_the_time_left_goes_by_work_and_does_not_jump_at_a_long_case():
    clock = Clock()
    expected = [1.0] * 50 + [100.0] + [1.0] * 50
    pace = Pace(expected, clock)
    for done, seconds in enumerate(expected):
        for _ in range(4):
            assert pace.left == pytest.approx(sum(expected) - (clock.now - 100.0))
            clock.now += seconds / 4
        pace.next()
        assert pace.done == pytest.approx(sum(expected[: done + 1]))
    assert pace.left == 0.0


def test_the_pace_is_learned_from_what_is_done():
    """A machine of half the speed: what is left nears the truth, without a jump, and the share only grows."""
    clock, expected = Clock(), [10.0] * 20
    pace, errors, shares = Pace(expected, clock), [], []
    for done, seconds in enumerate(expected):
        errors.append(pace.left / (2 * sum(expected[done:])))
        for _ in range(5):
            shares.append(pace.done)
            clock.now += 2 * seconds / 5
        pace.next()
    assert errors[0] == 0.5
    assert errors[-1] == pytest.approx((380.0 + TRUSTED_SECONDS) / (190.0 + TRUSTED_SECONDS) / 2)
    assert errors == sorted(errors)
    assert shares == sorted(shares)


def test_a_case_that_takes_longer_than_expected_has_the_rest_take_longer_without_a_jump():
    clock = Clock()
    pace = Pace([10.0, 10.0], clock)
    clock.now += 10.0
    assert (pace.left, pace.done) == (10.0, 10.0)
    clock.now += 20.0
    late = pace.left
    assert late == pytest.approx(10.0 * (30.0 + TRUSTED_SECONDS) / (10.0 + TRUSTED_SECONDS))
    assert pace.done == 10.0
    pace.next()
    assert pace.left == pytest.approx(late)


# Instructions


def test_a_count_of_perf_is_read_and_what_is_not_supported_is_none():
    line = "3120447,,instructions:u,1204417,100.00,,"
    assert instructions.number_in(f"# started\n\n{line}\n") == 3120447
    assert instructions.number_in("<not supported>,,instructions:u,0,100.00,,\n") is None
    assert instructions.number_in("") is None


def test_without_perf_nothing_is_counted_and_a_word_says_so(monkeypatch):
    instructions.missing.cache_clear()
    monkeypatch.setattr("shutil.which", lambda name: None)
    assert instructions.missing() == "there is no perf"
    assert instructions.instructions_of(lambda: None) is None
    instructions.missing.cache_clear()


def test_a_perf_that_takes_no_orders_is_left_out(tmp_path, monkeypatch):
    perf = tmp_path / "perf"
    perf.write_text(
        f"#!{sys.executable}\n"
        "import sys\n"
        "if '--control' in sys.argv: sys.exit(129)\n"
        "with open(sys.argv[sys.argv.index('-o') + 1], 'w') as file:\n"
        "    file.write('5,,instructions:u,1,100.00,,\\n')\n"
    )
    perf.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    instructions.missing.cache_clear()
    assert instructions.missing() == "this perf does not count a part of a process"
    assert instructions.instructions_of(lambda: None) is None
    instructions.missing.cache_clear()


def test_perf_counts_a_work_between_two_orders(tmp_path, monkeypatch):
    """A stand-in for perf, which answers as perf does."""
    perf = tmp_path / "perf"
    perf.write_text(
        f"#!{sys.executable}\n"
        "import os, signal, sys\n"
        "signal.signal(signal.SIGINT, signal.SIG_IGN)\n"
        "words = sys.argv\n"
        "told, answer = map(int, words[words.index('--control') + 1].removeprefix('fd:').split(','))\n"
        "assert words[words.index('-p') + 1] == str(os.getppid())\n"
        "orders = b''\n"
        "while not orders.endswith(b'disable\\n'):\n"
        "    orders += os.read(told, 16)\n"
        "    os.write(answer, b'ack\\n')\n"
        "with open(words[words.index('-o') + 1], 'w') as file:\n"
        "    file.write(f'{len(orders)},,instructions:u,1,100.00,,\\n')\n"
    )
    perf.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.setattr(instructions, "missing", lambda: "")
    called = []
    assert instructions.instructions_of(lambda: called.append(1)) == len(b"enable\ndisable\n")
    assert called == [1]


# Records


def test_a_records_ratios_are_times_over_times_for_the_same_work():
    made = one(seconds=(2.0, 4.0), device_steps=10, c=(0.1, 0.01), numpy=(2.0, 0.02), more={"x": 1})
    assert made.ns_per_device_step == pytest.approx(2e8)
    assert made.ratio_to_c == pytest.approx(2.0)
    assert made.ratio_to_numpy == pytest.approx(0.1)
    assert (made.median_seconds, made.turns, made.noise_of_numpy) == (3.0, 2, 0.02)


def test_processor_time_is_recorded_with_its_own_noise_where_it_is_known():
    made = record("start", "a", Times((1.0, 9.0), (0.5, 0.75)))
    assert (made.processor_seconds, made.noise_of_processor) == (0.5, 0.5)
    assert (one().processor_seconds, one().noise_of_processor) == (None, None)


def test_ratios_are_of_processor_times_where_these_are_known():
    """Of works on one thread the clock counts the waiting for a processor too."""
    times = Times((8.0, 9.0), (2.0, 3.0))
    assert reference(times, 2) == (1.0, times.noise_of_work)
    made = record("kernel", "a", times, device_steps=10, c=(0.1, 0.0))
    assert made.ratio_to_c == pytest.approx(2.0)
    assert made.ns_per_device_step == pytest.approx(8e8)  # what a user waits for
    assert reference(Times((8.0,))) == (8.0, 0.0)


def test_a_report_of_an_earlier_version_lacks_processor_time_and_is_read(tmp_path):
    values = json.loads(report_of(one()).model_dump_json())
    for name in ("processor_seconds", "noise_of_processor"):
        del values["records"][0][name]
    (tmp_path / "old.json").write_text(json.dumps(values))
    assert read_report(tmp_path / "old.json").records == (one(),)


def test_a_report_is_read_as_it_was_written(tmp_path):
    path = tmp_path / "a.json"
    report = report_of(one(device_steps=3, same_bits=True, more={"model": "node", "share": 0.5, "on": True, "n": 3}))
    write_report(report, path)
    assert read_report(path) == report
    values = json.loads(path.read_text())
    assert values["schema_version"] == 1
    assert values["records"][0]["more"] == {"model": "node", "share": 0.5, "on": True, "n": 3}
    schema = Report.model_json_schema()
    assert set(values) == set(schema["properties"])
    assert set(values["records"][0]) == set(schema["$defs"]["Record"]["properties"])


def broken(**changes):
    values = json.loads(report_of(one()).model_dump_json())
    return json.dumps({**values, **changes})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "no such file; check the path; name a file that 'memsim bench --out' wrote"),
        ("{", r"is no JSON \(.*\); name a file"),
        ("[1]", "is not of memsim bench; name a file"),
        ('{"program": "other"}', "is not of memsim bench"),
        (broken(schema_version=2), r"schema_version: must be 1 \(got 2\); measure it again"),
        (broken(records=[{"suite": "kernel"}]), r"records\.0\.case: is missing"),
        (broken(machine={"cores": 0}), r"machine\.processor: is missing"),
        (broken(surprise=1), "surprise: no such setting"),
        (broken(records=3), "records: must be a list"),
        (broken().replace('"seconds": 1.0', '"seconds": -1.0'), r"records\.0\.seconds: must be greater than 0"),
        (broken().replace('"seconds": 1.0', '"seconds": NaN'), r"records\.0\.seconds: must be"),
    ],
)
def test_a_broken_or_foreign_file_is_refused_in_one_line(text, message, tmp_path, refused):
    path = tmp_path / "old.json"
    if text is not None:
        path.write_text(text)
    refused(f"old.json: {message}", "bench", "start", "--quick", "--compare", path)


def test_a_file_that_is_no_text_is_refused(tmp_path, refused):
    path = tmp_path / "old.json"
    path.write_bytes(b"\x89HDF\xff\xfe")
    refused("old.json: is no text in UTF-8", "bench", "start", "--quick", "--compare", path)


# Comparison


def test_slower_and_faster_are_what_lies_beyond_the_noise_of_both():
    old = report_of(*(one(case, (1.0, 1.0, 1.05, 1.05)) for case in "abcd"))  # noise 0.05
    new = report_of(
        *(one(case, s * np.array([1.0, 1.0, 1.1, 1.1])) for case, s in zip("abcd", (1.0, 1.2, 0.8, 1.14), strict=True))
    )
    found = compare(old, new)
    assert {c.case: c.verdict for c in found.changes} == {
        "a": "within noise", "b": "slower", "c": "faster", "d": "within noise",
    }  # fmt: skip
    assert found.changes[1].noise == pytest.approx(0.15)
    assert found.changes[1].change == pytest.approx(1.2)
    assert [c.case for c in found.of("slower")] == ["b"]


def test_a_ratio_that_both_have_is_compared_before_a_time():
    """The new machine is twice as slow, and so is C on it: nothing became slower."""
    old = one(device_steps=10, c=(0.1, 0.0), numpy=(1.0, 0.0))
    new = one(seconds=(2.0, 2.0, 2.0), device_steps=10, c=(0.2, 0.0), numpy=(1.0, 0.0))
    change = compare(report_of(old), report_of(new)).changes[0]
    assert (change.basis, change.verdict) == ("time over C", "within noise")
    without_c = one(seconds=(2.0, 2.0, 2.0), device_steps=10, numpy=(1.0, 0.0))
    change = compare(report_of(old), report_of(without_c)).changes[0]
    assert (change.basis, change.verdict, change.change) == ("time over NumPy", "slower", pytest.approx(2.0))
    alone = one(seconds=(2.0, 2.0, 2.0), device_steps=40)
    change = compare(report_of(old), report_of(alone)).changes[0]
    assert (change.basis, change.verdict, change.change) == ("time", "faster", pytest.approx(0.5))


def test_the_references_noise_counts_as_well():
    old = one(device_steps=10, c=(0.1, 0.3))
    new = one(seconds=(1.25, 1.25, 1.25), device_steps=10, c=(0.1, 0.0))
    change = compare(report_of(old), report_of(new)).changes[0]
    assert (change.noise, change.verdict) == (pytest.approx(0.3), "within noise")


def test_processor_time_that_both_have_is_compared_before_the_clocks():
    """The clock says twice as slow, as others had the machine; the processor says a tenth faster."""
    old = record("start", "a", Times((1.0, 1.0), (1.0, 1.0)))
    new = record("start", "a", Times((2.0, 2.0), (0.9, 0.9)))
    change = compare(report_of(old), report_of(new)).changes[0]
    assert (change.basis, change.verdict, change.change) == ("processor time", "faster", pytest.approx(0.9))
    # Two threads that take half the clock's time, and a tenth more of the processors'.
    old, new = (record("scaling", "2 threads", Times((t, t), (p, p))) for t, p in ((1.0, 1.0), (0.5, 1.1)))
    change = compare(report_of(old), report_of(new)).changes[0]
    assert (change.basis, change.verdict) == ("time", "faster")


def test_a_time_is_compared_where_one_has_no_processor_time():
    old = record("start", "a", Times((1.0, 1.0), (1.0, 1.0)))
    without = record("start", "a", Times((2.0, 2.0)))
    change = compare(report_of(old), report_of(without)).changes[0]
    assert (change.basis, change.change) == ("time", pytest.approx(2.0))


def test_instructions_that_both_have_are_compared_beside_a_time():
    def counted(instructions, device_steps):
        return record("kernel", "a", Times((1.0,) * 4, (1.0,) * 4, instructions), device_steps=device_steps)

    changes = compare(report_of(counted(1000, 10)), report_of(counted(2100, 20))).changes
    assert [(c.basis, c.verdict) for c in changes] == [("processor time", "faster"), ("instructions", "slower")]
    assert changes[1].change == pytest.approx(1.05)


def test_what_is_not_stable_is_told(capsys):
    show_report(report_of(one("calm"), one("wild", seconds=(1.0, 2.0, 2.0, 2.0))))
    assert (
        "not stable: 1 of 2 records have a noise above 10 %, most of all kernel: wild (100 %)"
        in capsys.readouterr().out
    )
    show_report(report_of(one("calm")))
    assert "not stable" not in capsys.readouterr().out


def test_cases_that_only_one_report_has_are_named():
    old = report_of(one("a"), one("b"), one("t", suite="train"))
    new = report_of(one("a"), one("c"))
    found = compare(old, new)
    assert found.new == (("kernel", "c"),)
    assert found.gone == (("kernel", "b"),)  # of a suite that was not measured nothing is gone
    assert compare(old, new.model_copy(update={"complete": False})).gone == ()


# The command


@pytest.fixture
def two_cases(monkeypatch):
    """Two cases that measure nothing, in place of a suite's; returns what may be put in for the second."""
    second = [lambda: [one("second")]]

    def cases(setting):
        return [Case("first", lambda: [one("first", device_steps=5)]), Case("second", second[0])]

    monkeypatch.setattr("memsim.benchmarking.suites.kernel.cases", cases)
    return second


def test_it_prints_a_table_and_writes_json(two_cases, cli, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = cli("bench", "kernel", "--quick", "--out", "new.json", "--quiet")
    assert done.status == 0, done
    assert "first" in done.out
    assert "wrote new.json" in done.out
    assert "memory copy" in done.out
    report = read_report(tmp_path / "new.json")
    assert [r.case for r in report.records] == ["first", "second"]
    assert report.complete
    assert report.quick
    assert report.machine.cores >= 1
    assert set(report.versions) >= {"memsim", "python", "numba", "numpy"}
    assert all(speed > 0 for speed in report.limits["kernel"].values())
    assert {path.name for path in tmp_path.iterdir()} == {"new.json"}  # the work folder is gone


def test_ctrl_c_keeps_the_records_that_are_done(two_cases, cli, tmp_path):
    def stopped():
        raise KeyboardInterrupt

    two_cases[0] = stopped
    done = cli("bench", "kernel", "--quick", "--out", tmp_path / "new.json", "--quiet")
    assert done.status == 130
    assert "stopped; kept are 1 record" in done.err
    report = read_report(tmp_path / "new.json")
    assert [r.case for r in report.records] == ["first"]
    assert not report.complete


def test_a_case_that_fails_leaves_the_others(two_cases, cli, tmp_path):
    def failing():
        raise OSError(28, "No space left on device")

    two_cases[0] = failing
    done = cli("bench", "kernel", "--quick", "--out", tmp_path / "new.json", "--quiet")
    assert done.status == 1
    assert "kernel: second: failed: [Errno 28] No space left on device" in done.out
    assert [r.case for r in read_report(tmp_path / "new.json").records] == ["first"]


def test_slower_cases_are_told_and_fail_only_where_that_is_asked_for(two_cases, cli, tmp_path):
    old, gone = one("first", (0.1, 0.1, 0.1), device_steps=5), one("gone")
    write_report(report_of(old, gone, one("second")), tmp_path / "old.json")
    for extra, status in ((), 0), (("--fail-on-slower",), 1):
        done = cli("bench", "kernel", "--quick", "--quiet", "--compare", tmp_path / "old.json", *extra)
        assert done.status == status
        assert "1 slower, 0 faster, 1 within noise" in done.out
        assert "gone: kernel: gone" in done.out
    two_cases[0] = lambda: [one("third")]
    assert "new: kernel: third" in cli("bench", "kernel", "--quick", "--compare", tmp_path / "old.json").out


def test_bad_input_is_refused_before_anything_is_measured(two_cases, refused, tmp_path, monkeypatch):
    monkeypatch.setattr(running, "run_suites", None)
    there = tmp_path / "there.json"
    there.write_text("mine")
    refused("there.json: exists; name another file", "bench", "kernel", "--out", there)
    assert there.read_text() == "mine"
    suites = "kernel, tricks, trace, train, scaling, start, peers"
    refused(rf"SUITE: must be one of {suites} \(got 'kernle'\)", "bench", "kernle")
    refused("--fail-on-slower: needs --compare OLD.json", "bench", "--fail-on-slower")
    refused("must end in", "bench", "kernel", "--plot", tmp_path / "figure.xyz")
    (tmp_path / "kernel.png").write_text("mine")
    refused("kernel.png: exists; name another file", "bench", "kernel", "--plot", tmp_path)
    refused("--threads", "bench", "--threads", "0")


def test_releases_are_added_to_their_record_and_drawn(cli, tmp_path, refused):
    record_of, figure = tmp_path / "releases.csv", tmp_path / "figures" / "releases.png"
    about = {"model": "node", "integrator": "euler", "driven_share": 1.0, "pulse_steps": 50, "devices": 100_000}
    for k, release in enumerate(("", "1.1", "")):
        case = one("a, 100,000 devices, 50 steps", device_steps=10, c=(0.1 * (k + 1), 0.01), more=about)
        header = {**HEADER, "limits": {"kernel": {}}}
        write_report(Report(**header, records=(case, one("no C", device_steps=1, more=about))), tmp_path / "a.json")
        words = ("--record", record_of, "--plot", figure.parent, "--overwrite", "--release", release)
        assert cli("bench", "--given", tmp_path / "a.json", *words).status == 0
    rows = read_releases(record_of)
    assert [(row.release, row.ratio_to_c) for row in rows] == [("0", 0.333), ("1.1", 0.5)]
    assert {(row.made, row.suite, row.noise) for row in rows} == {("2026-01-01", "kernel", 0.01)}
    assert figure.stat().st_size > 0
    record_of.write_text("release,made\n0,2026\n")
    refused("releases.csv", "bench", "--given", tmp_path / "a.json", "--record", record_of)
    refused("--given: measures nothing", "bench", "kernel", "--given", tmp_path / "a.json")


def test_help_names_every_suite(cli):
    text = cli("bench", "--help").out
    assert all(name in text for name in running.SUITES)


# The suites, quick


def check(records, suite):
    assert len({r.case for r in records}) == len(records) > 0
    for r in records:
        assert r.suite == suite
        assert 0.0 < r.seconds <= r.median_seconds
        assert r.device_steps is None or r.ns_per_device_step == pytest.approx(1e9 * r.seconds / r.device_steps)


def measured(name, tmp_path):
    """A quick suite, in a process of its own as it is used: what other tests left behind does not count."""
    path = tmp_path / f"{name}.json"
    words = [sys.executable, "-m", "memsim", "bench", name, "--quick", "--threads", "2", "--quiet", "--out", str(path)]
    done = subprocess.run(words, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    report = read_report(path)
    assert not report.failed, report.failed
    assert report.complete
    check(report.records, name)
    return report


def test_without_a_compiler_all_else_is_measured_and_a_word_is_said(cli, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("CC", "")
    monkeypatch.setattr("memsim.benchmarking.suites.kernel.BENCHES", {"node": running_bench()})
    done = cli("bench", "kernel", "--quick", "--out", tmp_path / "k.json", "--quiet")
    assert done.status == 0
    assert done.out.count("C is left out: neither cc, gcc nor clang is there") == 1
    report = read_report(tmp_path / "k.json")
    assert report.compiler == "none"
    of_c = [word for word in report.left_out if not word.startswith("instructions are left out: ")]
    assert of_c == ["C is left out: neither cc, gcc nor clang is there"]
    assert all(r.ratio_to_c is None and r.same_bits is None for r in report.records)
    assert any(r.ratio_to_numpy for r in report.records)


def running_bench():
    from memsim.benchmarking.banks import BENCHES

    return BENCHES["node"]


def test_the_tricks_suite_measures_banks_with_and_without(tmp_path):
    report = measured("tricks", tmp_path)
    assert [r.case for r in report.records] == [
        "synapse, tiles of 64 elements, not 16",
        "synapse, resting tiles are skipped, none driven",
        "synapse, solver = exact, not stepping",
    ]
    for r in report.records:
        without = r.more["ns_per_device_step_without"]
        assert r.more["times_as_fast"] == pytest.approx(without / (1e9 * r.processor_seconds / r.device_steps))
    draw(report, tmp_path)


@pytest.mark.slow
def test_variants_of_the_kernel_give_its_bits():
    """What a trick is measured against does the same work."""
    from memsim.benchmarking.banks import BENCHES, Bank
    from memsim.benchmarking.kernel_loop import kernel_pulses
    from memsim.benchmarking.suites.tricks import TRICKS

    for trick in TRICKS:
        bank = Bank(BENCHES[trick.model], 201)
        other = bank.copy()
        kernel_pulses(bank, "euler", 3, 5)
        without = trick.without(BENCHES[trick.model].device.functions())
        kernel_pulses(other, "euler", 3, 5, cut=without, skip=trick.skip, room=trick.room(201))
        for name in ("states", "voltages", "energies"):
            ours, theirs = getattr(bank, name), getattr(other, name)
            if "C library's" in trick.name or "rounded once" in trick.name:
                assert np.allclose(ours, theirs, rtol=1e-9, atol=0.0)
            else:
                assert np.array_equal(ours.view(np.uint64), theirs.view(np.uint64)), (trick.name, name)


@pytest.mark.slow
def test_pulses_through_the_rows_with_a_signal_give_the_bits_of_all():
    """Voltages of the others alone differ: nobody looks at them."""
    from memsim.benchmarking.kernel_loop import kernel_pulses
    from memsim.benchmarking.suites.tricks import DARK_ROWS, cut_lit, dark_bank

    bank = dark_bank()
    lit, banks = bank.currents[0] != 0.0, [bank.copy() for _ in range(3)]
    for one, how in zip(banks, ({}, *DARK_ROWS.values()), strict=True):
        kernel_pulses(one, "euler", 3, 5, cut=partial(cut_lit, bank, **how))
    assert 0.1 < lit.mean() < 0.3
    for other in banks[1:]:
        for name in ("states", "energies", "counted", "extremes"):
            ours, theirs = getattr(banks[0], name), getattr(other, name)
            assert np.array_equal(ours.view(np.uint64), theirs.view(np.uint64)), name
        assert np.array_equal(banks[0].voltages[lit].view(np.uint64), other.voltages[lit].view(np.uint64))


@pytest.mark.slow
def test_the_train_suite_measures_each_network_with_each_number_of_lanes(tmp_path):
    report = measured("train", tmp_path)
    assert {(r.more["network"], r.more["lanes"]) for r in report.records} == {
        (name, lanes)
        for name in ("2-2-1 network on XOR", "single layer on OR", "64-32-10 network")
        for lanes in (1, 16)
    } | {("784-128-10 network", 1)}
    gates = [r for r in report.records if "XOR" in r.case]
    assert all(r.ratio_to_numpy and r.same_bits is not False for r in gates)
    wide = 784 * 128 + 128 * 10 + 138
    assert {r.more["devices"] for r in report.records} == {9, 1, 64 * 32 + 32 * 10 + 42, wide}
    draw(report, tmp_path)


@pytest.mark.slow
def test_the_trace_suite_measures_every_mode_windows_and_figures(tmp_path):
    report = measured("trace", tmp_path)
    by_case = {r.case: r for r in report.records}
    full, raw = by_case["writing: full, uncompressed"], by_case["writing: raw write of the rows' bytes"]
    assert full.more["row_bytes"] == raw.more["row_bytes"] == 20 * 65 * 20 * 64 * 24
    assert full.more["file_bytes"] > full.more["row_bytes"] > by_case["writing: full, gzip"].more["file_bytes"]
    assert by_case["writing: select, 8 devices of 64, gzip"].more["row_bytes"] * 8 == full.more["row_bytes"]
    assert by_case["writing: no trace"].more["slow_down"] == 1.0
    assert by_case["window of 10 samples, 1 realisation: replayed"].more["ratio_to_replay"] == 1.0
    assert by_case["figure of 100,000 steps: replayed from keyframes"].more["channels"] == 27
    looks = [r for r in report.records if r.case.startswith("look at ")]
    assert [r.more["steps"] for r in looks] == [220, 2_200, 22_000, 220_000, 1_012_000]
    assert all(1 <= r.more["points"] <= 1000 and r.more["longest_seconds"] >= r.median_seconds for r in looks)
    draw(report, tmp_path)


@pytest.mark.slow
def test_the_scaling_suite_measures_threads_steps_and_devices_with_their_memory(tmp_path):
    report = measured("scaling", tmp_path)
    axes = [r.more["axis"] for r in report.records]
    assert axes == ["threads", "threads", "steps", "steps", "devices", "devices"]
    for r in report.records[2:]:
        assert r.more["resident_bytes_at_end"] > 1 << 20
        assert r.more["ns_per_step"] > 0
    assert [r.more["steps"] for r in report.records[2:4]] == [5 * 22_000, 46 * 22_000]
    assert report.records[3].more["keyframes"] >= 2
    draw(report, tmp_path)


@pytest.mark.slow
def test_the_start_suite_measures_fresh_processes(tmp_path):
    report = measured("start", tmp_path)
    assert [r.case for r in report.records][-2:] == ["memsim --help", "memsim run, kernels cached: XOR"]
    assert report.records[0].more["seconds_over_python"] == 0.0
    assert all(r.processor_seconds > 0.0 for r in report.records)
    draw(report, tmp_path)


@pytest.fixture
def calls(monkeypatch):
    """Words, cache and whether that was emptied before, of each process that the suite would have started."""
    made = []

    def call(words, environment=None, emptied=None):
        made.append((words, (environment or {}).get("MEMSIM_CACHE_DIR"), emptied is not None))

    monkeypatch.setattr("memsim.benchmarking.suites.start._call", call)
    return made


def test_each_network_starts_with_an_empty_cache_and_then_with_what_that_left(calls, tmp_path):
    cases = {case.name: case for case in start.cases(Setting(tmp_path, quick=False, threads=1))}
    assert list(cases)[1:] == ["XOR", "VTEAM", "own model", "XOR, write noise", "one after the other"]
    for network in start.NETWORKS:
        calls.clear()
        cold, warm = cases[network.name].measure()
        assert (cold.case, warm.case) == tuple(
            f"memsim run, kernels {what}: {network.name}" for what in ("compiled", "cached")
        )
        runs = [call for call in calls if "run" in call[0]]
        assert {cache for _, cache, _ in runs} == {str(tmp_path / "cache")}
        assert [emptied for _, _, emptied in runs] == [True] * cold.turns + [False] * (1 + warm.turns)
        assert {words for words, _, _ in runs} == {runs[0][0]}


def test_networks_that_share_a_cache_run_in_their_order(calls, tmp_path):
    *_, last = start.cases(Setting(tmp_path, quick=False, threads=1))
    found = last.measure()
    assert [r.case.split(", ", 2)[2] for r in found] == ["1: XOR", "2: VTEAM", "3: XOR, write noise", "4: own model"]
    runs = [(Path(words[3]).stem, emptied) for words, _, emptied in calls if "run" in words]
    later = [(name, False) for name in ("VTEAM", "XOR-write-noise", "own-model")]
    assert runs == [("XOR", True), *later] * found[0].turns


def test_a_quick_start_compiles_nothing_for_itself(calls, tmp_path):
    for case in start.cases(Setting(tmp_path, quick=True, threads=1)):
        case.measure()
    assert {Path(words[3]).stem for words, _, _ in calls if "run" in words} == {"XOR"}
    assert {(cache, emptied) for _, cache, emptied in calls} == {(None, False)}


@pytest.fixture
def _models_as_before():
    before = dict(MODELS)
    yield
    MODELS.clear()
    MODELS.update(before)


@pytest.mark.usefixtures("_models_as_before")
def test_the_networks_that_are_started_are_those_of_the_examples(tmp_path):
    """The model of a user's own is that of the page, and all configurations are accepted."""
    assert (EXAMPLES / "my_device.py").read_text().endswith(start.OWN_MODEL)
    vteam = tomllib.loads((EXAMPLES / "vteam.toml").read_text())
    assert start.VTEAM.sections == {name: vteam[name] for name in start.VTEAM.sections}
    for network in start.NETWORKS:
        words = start._run(tmp_path, network)
        if network.own_model:
            memsim.load_models(words[words.index("--models") + 1])
        config, _, _ = load_source(Path(words[3]))
        assert (config.learning.epochs, config.network.layers) == (1, (2, 2, 1))


def test_a_process_that_fails_or_is_stopped_ends_the_case():
    with pytest.raises(RunError, match=r"failed: .*ZeroDivisionError"):
        start._call(("-c", "1 / 0"))
    with pytest.raises(KeyboardInterrupt):
        start._call(("-c", "raise SystemExit(130)"))


def draw(report, folder):
    """Draw all figures of a report."""
    suites = tuple(report.limits)
    written = draw_figures(report, figure_files(suites, folder / "figures", overwrite=False))
    assert [path.read_bytes()[:4] for path in written] == [b"\x89PNG"] * len(suites)


@pytest.mark.slow
def test_a_long_runs_memory_is_flat_and_a_long_bank_is_carried_to_its_end(tmp_path):
    """Ten times as many steps take no more memory; 10**8 steps, and the 10**10 device-steps of a long bank."""
    from memsim.benchmarking.child import in_fresh_process

    found = [in_fresh_process("network", epochs=epochs, folder=str(tmp_path)) for epochs in (500, 5000)]
    assert found[1]["steps"] == 110_000_000
    ends = [run["marks"][-1][2] for run in found]
    assert ends[1] < ends[0] + (16 << 20)
    bank = in_fresh_process("bank", model="synapse", devices=100_000, device_steps=10**10)
    assert bank["device_steps"] == 10**10
    assert bank["marks"][-1][2] < bank["marks"][1][2] + (4 << 20)
