"""Threads that share one realisation's large banks: the bits of one thread, and whether they are worth it."""

import contextlib

import numpy as np
import pytest

from memsim.configuration import Configuration
from memsim.datasets import Dataset
from memsim.network.assembly import assemble, realisation_seeds
from memsim.stepping.engine import Engine
from memsim.stepping.teams import FEWEST_STRETCHES, MOST_STRETCHES, Choice, size_of_team

COUNTED = ("energy", "peak_current", "disturbed", "bound", "highest", "lowest", "unsent", "clipped", "shortened")
_RNG = np.random.default_rng(5)
LIT = _RNG.uniform(-1.0, 1.0, (6, 30)) * (_RNG.random((6, 30)) < 0.3)
LIT[:, [0, 7]] = 0.0, -0.0
DARK = np.zeros((6, 30))


@pytest.fixture(autouse=True)
def small_banks_are_shared(monkeypatch):
    monkeypatch.setattr("memsim.stepping.teams.ELEMENTS_A_MEMBER", 16)


def engine_of(layers, inputs, *, threads, lanes=1, **sections):
    """The engine of a short run."""
    data = Dataset(inputs, np.eye(layers[-1])[np.arange(6) % layers[-1]], "six samples")
    config = Configuration(
        network={"kind": "mlp", "layers": layers}, time={"pulse_steps": 4}, data={"arrays": data.name},
        **{"learning": {"epochs": 3, "rate": 0.5}, **sections},
    )  # fmt: skip
    return Engine(assemble(config, data, realisation_seeds(2, lanes)), threads=threads, epochs=3)


def results_of(layers, inputs, *, threads, lanes=1, together=True, stretch=None, **sections):
    """All that a run leaves, by name, and how many threads there are for each block."""
    engine = engine_of(layers, inputs, threads=threads, lanes=lanes, **sections)
    engine._choice.together = lambda: bool(together) and threads > 1
    outputs = np.zeros((18, layers[-1], lanes))
    while not engine.clock.is_over:
        limit = engine.clock.slots if stretch is None else engine.clock.position + stretch
        engine.advance(limit, outputs[engine.clock.sample :])
    engine.close()
    found = {"errors": engine.take_errors(), "energies": engine.take_energies(), "outputs": outputs}
    found |= {f"states of {b}": states for b, states in enumerate(engine.blocks.states())}
    found |= {(name, b): engine.blocks.counter(name, b) for name in COUNTED for b in range(len(engine.assembly.banks))}
    return found | {"steps": np.array([engine.device_steps])}, [len(team) for team in engine._teams]


def assert_same_bits(one, other):
    for name in one:
        assert one[name].tobytes() == other[name].tobytes(), name


@pytest.mark.parametrize("threads", [2, 3])
@pytest.mark.parametrize("layers", [(30, 64, 2), (30, 9, 2), (30, 20, 24, 10)])
def test_a_team_has_the_bits_of_one_thread(layers, threads):
    """Rows that are whole tiles, rows across tiles with a narrow one behind them, and a BACKREAD that is shared."""
    alone, _ = results_of(layers, LIT, threads=1)
    shared, teams = results_of(layers, LIT, threads=threads)
    assert teams == [threads]
    assert_same_bits(alone, shared)


@pytest.mark.parametrize("stretch", [1, 7, 16])
def test_a_team_may_stop_in_any_slot(stretch):
    alone, _ = results_of((30, 20, 2), LIT, threads=1)
    assert_same_bits(alone, results_of((30, 20, 2), LIT, threads=2, stretch=stretch)[0])


def test_a_team_may_change_to_one_thread_and_back(monkeypatch):
    alone, _ = results_of((30, 20, 2), LIT, threads=1)
    turns = iter([True, False, False, True] * 20)

    class Turns:
        def __bool__(self):
            return next(turns)

    assert_same_bits(alone, results_of((30, 20, 2), LIT, threads=2, together=Turns(), stretch=13)[0])


@pytest.mark.parametrize(
    "sections",
    [{"learning": {"epochs": 3, "batch": 2}}, {"write": {"encoding": "count", "pulses": 3}},
     {"imperfections": {"synapse": {"spread": {"mobility": 0.1}}}}],
)  # fmt: skip
def test_slots_that_cannot_be_shared_are_the_first_members(sections):
    alone, _ = results_of((30, 20, 2), LIT, threads=1, **sections)
    shared, teams = results_of((30, 20, 2), LIT, threads=2, **sections)
    assert teams == [2]
    assert_same_bits(alone, shared)


def test_a_team_of_dark_samples_has_nothing_to_share():
    assert_same_bits(results_of((30, 20, 2), DARK, threads=1)[0], results_of((30, 20, 2), DARK, threads=3)[0])


def test_two_realisations_have_a_team_each():
    alone, apart = results_of((30, 20, 2), LIT, threads=2, lanes=2)
    shared, teams = results_of((30, 20, 2), LIT, threads=5, lanes=2)
    assert (apart, teams) == ([1, 1], [2, 2])
    assert_same_bits(alone, shared)


def test_teams_are_of_threads_that_are_worth_it(monkeypatch):
    monkeypatch.setattr("memsim.stepping.teams.ELEMENTS_A_MEMBER", 1000)
    assert [size_of_team([100, 5000], threads) for threads in (1, 4, 9)] == [1, 4, 5]
    assert size_of_team([], 4) == size_of_team([999], 4) == 1


@pytest.mark.parametrize(
    "sections", [{"periphery": {"synapse": {"read_noise": 1e-4}}}, {"devices": {"synapse": {"model": "vteam"}}}]
)
def test_a_bank_that_others_look_at_is_not_shared(sections):
    with contextlib.closing(engine_of((30, 20, 2), LIT, threads=2, **sections)) as engine:
        assert [len(team) for team in engine._teams] == [1]


def engine_of_two():
    data = Dataset(LIT, np.eye(2)[np.arange(6) % 2], "six samples")
    config = Configuration(network={"kind": "mlp", "layers": (30, 20, 2)}, data={"arrays": data.name})
    return Engine(assemble(config, data), threads=2, epochs=1)


@pytest.mark.parametrize("error", [RuntimeError("can't start new thread"), KeyboardInterrupt()])
def test_a_member_that_could_not_be_started_leaves_nobody_waiting(error, monkeypatch):
    engine, given = engine_of_two(), []
    submit = engine._pool.submit

    def fails_once(function, *arguments):
        if given:
            raise error
        given.append(submit(function, *arguments))
        return given[0]

    monkeypatch.setattr(engine._pool, "submit", fails_once)
    with pytest.raises(type(error)):
        engine.advance(engine.clock.slots)
    assert given[0].result(timeout=60) >= 0
    engine.close()


@pytest.mark.parametrize("failing", ["program.helping.Helper.given", "engine.Results"])
def test_a_member_that_fails_leaves_nobody_waiting(failing, monkeypatch):
    """The second member, and the first."""

    def fails(*given, **named):
        raise MemoryError

    monkeypatch.setattr(f"memsim.stepping.{failing}", fails)
    engine = engine_of_two()
    with pytest.raises(MemoryError):
        engine.advance(engine.clock.slots)
    engine.close()


def carried_out(choice, stretches, seconds):
    """Which stretches are a team's, where one of it and one alone take so long."""
    chosen = []
    for number in range(stretches):
        chosen.append(choice.together())
        taken = seconds(number) if callable(seconds) else seconds
        choice.measure(chosen[-1], 10, taken[chosen[-1]])
    return chosen


@pytest.mark.parametrize(("seconds", "better"), [({True: 1.0, False: 2.0}, True), ({True: 1.0, False: 1.05}, False)])
def test_what_takes_longer_is_tried_ever_less_often(seconds, better):
    """A team that is hardly faster than one thread is not worth the others."""
    chosen = np.array(carried_out(Choice(possible=True), 2000, seconds))
    tried = np.flatnonzero(chosen != better)
    assert np.all(np.diff(tried[2:]) >= FEWEST_STRETCHES)
    assert np.diff(tried).max() == MOST_STRETCHES + 1
    assert len(tried) < 20


def test_a_team_that_has_become_slow_is_left():
    chosen = carried_out(
        Choice(possible=True), 200, lambda number: {True: 1.0 if number < 100 else 9.0, False: 2.0}
    )  # fmt: skip
    assert np.mean(chosen[10:100]) > 0.8
    assert np.mean(chosen[110:]) < 0.2


def test_without_a_team_there_is_no_choice():
    assert not any(carried_out(Choice(possible=False), 20, {True: 1.0, False: 2.0}))
