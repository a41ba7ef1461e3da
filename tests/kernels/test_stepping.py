"""Stepping: the pulse and the waveform kernel against their naive twins, closed forms and published figures."""

import math
from dataclasses import dataclass, fields

import naive
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pulses import PulseRows, new_tally, no_rows, pulse_kernel, waveform

from memsim.devices import IonDrift, Node, PershinDiVentra, Synapse, Team, ThresholdMemristor, Vteam, Yakopcic
from memsim.kernels.models import node as node_model
from memsim.kernels.models import synapse as synapse_model
from memsim.kernels.models import threshold_memristor as memristor_model
from memsim.kernels.operands import Job, Tally
from memsim.kernels.stepping import EXACT, INTEGRATORS, stretches_of, tile_kernel
from memsim.kernels.tiles import ANY_VARIABLE, NARROW, NO_VARIABLE, WIDE, new_tile, room_of

DT = 2.5e-4
SYNAPSE = Synapse(threshold=1e-3)
NODE = Node(threshold=2e-4)
HP = Node(threshold=0.0)
MEMRISTOR = ThresholdMemristor(inputs=2, thresholds=(0.02, 0.03, 0.045), window=0.01, weight_limit=2.0)
LARGEST_RATE = 2e6  # of a threshold memristor, 1/(A s): some weights meet their bounds in a few steps

WINDOWED = IonDrift(window="joglekar", exponent=2)
VTEAM = Vteam()
TEAM = Team()
YAKOPCIC = Yakopcic(x_min=0.01)
PERSHIN = PershinDiVentra(beta=1e7)
DEVICES = {
    "synapse": SYNAPSE, "node": NODE, "threshold memristor": MEMRISTOR, "windowed drift": WINDOWED, "vteam": VTEAM,
    "team": TEAM, "yakopcic": YAKOPCIC, "pershin": PERSHIN,
}  # fmt: skip
# A bank's sizes around the edges of tiles.
SIZES = (1, 9, NARROW, NARROW + 1, 2 * NARROW + 1, WIDE, WIDE + 1, 2 * WIDE + NARROW + 2)

# A pulse is compiled in eight seconds, a waveform in one: the default run compares the pulses of devices that networks
# are made of, and the waveforms of all (here and in tests/kernels/test_models.py).
IN_NETWORKS = ("synapse", "node", "threshold memristor", "windowed drift", "vteam")
WITH_HEUN = ("synapse", "node", "windowed drift")


def of_device(name, integrator=None):
    """A test's parameters: a device, and an integrator where one is given."""
    quick = name in IN_NETWORKS if integrator != "heun" else name in WITH_HEUN
    values = (DEVICES[name], integrator) if integrator else (DEVICES[name],)
    identity = f"{integrator}-{name}" if integrator else name
    return pytest.param(*values, id=identity, marks=() if quick else pytest.mark.slow)


of_each_device = pytest.mark.parametrize("device", [of_device(name) for name in DEVICES])
of_each_integrator = pytest.mark.parametrize("integrator", INTEGRATORS)
of_each_device_and_integrator = pytest.mark.parametrize(
    ("device", "integrator"), [of_device(name, integrator) for name in DEVICES for integrator in INTEGRATORS]
)


@dataclass
class Outcome:
    """What a pulse or a waveform did to a bank; the rows' first axis, or second for states, is the steps."""

    states: np.ndarray
    last: np.ndarray  # voltages of the last row
    energies: np.ndarray
    disturbed: np.ndarray
    row_states: np.ndarray
    row_drives: np.ndarray
    row_responses: np.ndarray
    stepped: int = 0
    tally: Tally | None = None

    def differences(self, other, but=()):
        """Names of the arrays that differ in any bit."""
        names = [field.name for field in fields(self) if field.name not in ("stepped", "tally", *but)]
        return [n for n in names if not np.array_equal(naive.bits(getattr(self, n)), naive.bits(getattr(other, n)))]


def bounds_of(device):
    """Lower and upper bounds of a device's states."""
    variables = device.state_variables()
    return np.array([v.lower for v in variables]), np.array([v.upper for v in variables])


def thresholds_of(device):
    """Currents at which a device's drift begins or ends; of one without a threshold, one that moves it well."""
    if isinstance(device, ThresholdMemristor):
        return [*device.thresholds, *(threshold + device.window for threshold in device.thresholds)]
    if isinstance(device, Vteam):
        return [device.v_off / device.r_off, -device.v_on / device.r_off, -device.v_on / device.r_on]
    if isinstance(device, Team):
        return [device.i_off, -device.i_on]
    if isinstance(device, Yakopcic):
        currents = device.a1 * math.sinh(device.b * device.v_p), device.a2 * math.sinh(device.b * device.v_n)
        return [x * current for x in (device.x_min, 1.0) for current in currents]
    if isinstance(device, PershinDiVentra):
        return [device.v_t / device.r_off, device.v_t / device.r_on]
    return [1e-3 if isinstance(device, IonDrift) else device.threshold]


def largest_states(device):
    """Return the range that random states are drawn from."""
    lower, upper = bounds_of(device)
    return lower, np.minimum(upper, LARGEST_RATE)


def random_states(device, elements, rng):
    """States within their range, some at a bound, some near to one, (variables, elements)."""
    lower, upper = largest_states(device)
    states = rng.uniform(lower[:, None], upper[:, None], size=(len(lower), elements))
    states[:, 1::5] = np.nextafter(upper, lower)[:, None]
    states[:, 2::5] = (lower + 1e-9 * (upper - lower))[:, None]
    at_bound = rng.integers(0, 8, size=states.shape)
    states = np.where(at_bound == 0, lower[:, None], states)
    return np.where(at_bound == 1, upper[:, None], states) + 0.0


def random_currents(device, elements, rng):
    """Currents of either sign: none, below, at, just beside and above the thresholds, (elements,)."""
    edges = thresholds_of(device)
    choices = [0.0, 0.5 * min(edges), 3.0 * max(edges), 1000.0 * max(edges)]
    for edge in edges:
        choices += [edge, math.nextafter(edge, 0.0), math.nextafter(edge, 1.0), edge * rng.uniform(0.8, 1.3)]
    return rng.choice(choices, size=elements) * rng.choice([-1.0, 1.0], size=elements)


def run_pulse(
    device, integrator, states, currents, steps, *, dt=DT, addressed=ANY_VARIABLE, held=0, skip=True, record=True
):
    """Run a pulse by the compiled kernel."""
    functions = device.functions()
    variables, elements = states.shape
    kernel = pulse_kernel(functions, integrator)
    rows = no_rows(variables)
    if record:
        rows = PulseRows(
            np.empty((variables, steps, elements)), np.empty((steps, elements)), np.empty((steps, elements))
        )
    result, tally = states.copy(), new_tally(states)
    tally.voltage[:] = np.nan
    stepped = kernel(
        result, currents, elements, steps, dt, np.array(device.kernel_parameters()), *bounds_of(device),
        addressed, held, skip, tally, rows, 0,
    )  # fmt: skip
    return Outcome(result, tally.voltage, tally.energy, tally.disturbed, *rows, stepped=stepped, tally=tally)


def run_naive_pulse(device, integrator, states, currents, steps, *, dt=DT, addressed=ANY_VARIABLE, held=0):
    """Run the same pulse one device after the other."""
    physics = naive.Physics(device.functions())
    lower, upper = (limit.tolist() for limit in bounds_of(device))
    done = [
        naive.pulse(
            physics, integrator, [float(x) for x in states[:, e]], float(currents[e]), steps, dt=dt,
            p=device.kernel_parameters(), lower=lower, upper=upper, addressed=addressed, held=bool(held),
        )
        for e in range(len(currents))
    ]  # fmt: skip
    row_states = np.array([d.states for d in done]).transpose(2, 1, 0)
    row_voltages = np.array([d.voltages for d in done]).T
    energies, disturbed = (np.array([getattr(d, n) for d in done], dtype=float) for n in ("energy", "disturbed"))
    row_currents = np.broadcast_to(currents, row_voltages.shape)
    return Outcome(
        row_states[:, -1], row_voltages[-1], energies + 0.0, disturbed, row_states, row_currents, row_voltages
    )


# The pulse kernel and its twin


@of_each_device_and_integrator
@pytest.mark.parametrize("elements", SIZES)
def test_pulse_equals_its_twin(device, integrator, elements):
    rng = np.random.default_rng(elements)
    states, currents = random_states(device, elements, rng), random_currents(device, elements, rng)
    for addressed, skip in ((ANY_VARIABLE, True), (NO_VARIABLE, False), (0, True), (1, True)):
        done = run_pulse(device, integrator, states, currents, 6, addressed=addressed, skip=skip)
        twin = run_naive_pulse(device, integrator, states, currents, 6, addressed=addressed)
        assert not done.differences(twin)


@of_each_device_and_integrator
def test_the_cases_of_the_twin_tests_move_rest_meet_bounds_and_are_disturbed(device, integrator):
    rng = np.random.default_rng(SIZES[-1])
    states = random_states(device, SIZES[-1], rng)
    done = run_pulse(device, integrator, states, random_currents(device, SIZES[-1], rng), 6, addressed=NO_VARIABLE)
    lower, upper = bounds_of(device)
    moved = done.states != states
    assert moved.any()
    assert not moved.all()
    at_bound = (done.states == lower[:, None]) | (done.states == upper[:, None])
    # Where its drift vanishes a state comes near to a bound and never there.
    assert (moved & at_bound).any() == (device.functions().drift_near is None)
    assert np.array_equal(done.disturbed, moved.sum(axis=0))


@of_each_device_and_integrator
@pytest.mark.parametrize("held", [0, 1])
def test_one_step_pulses_equal_their_twin(device, integrator, held):
    rng = np.random.default_rng(5)
    states, currents = random_states(device, 9, rng), random_currents(device, 9, rng)
    done = run_pulse(device, integrator, states, currents, 1, held=held)
    assert not done.differences(run_naive_pulse(device, integrator, states, currents, 1, held=held))


@of_each_device_and_integrator
@given(data=st.data())
def test_any_pulse_equals_its_twin_and_keeps_its_bounds(device, integrator, data):
    lower, upper = bounds_of(device)
    furthest = largest_states(device)[1]
    elements = data.draw(st.integers(1, 4), "elements")
    # Adding 0 turns -0 into 0: a state of -0 is the one value that a step of no length changes.
    states = np.array(
        [
            data.draw(st.lists(st.floats(low, high), min_size=elements, max_size=elements))
            for low, high in zip(lower, furthest, strict=True)
        ]
    )
    states += 0.0
    most = 4.0 * max(thresholds_of(device))
    currents = np.array(data.draw(st.lists(st.floats(-most, most), min_size=elements, max_size=elements)))
    case = {
        "steps": data.draw(st.integers(1, 5), "steps"),
        "dt": data.draw(st.floats(1e-9, 1.0), "dt"),
        "addressed": data.draw(st.sampled_from([ANY_VARIABLE, NO_VARIABLE, 0, 1]), "addressed"),
        "held": data.draw(st.integers(0, 1), "held"),
    }
    twin = run_naive_pulse(device, integrator, states, currents, **case)
    for skip in (True, False):
        done = run_pulse(device, integrator, states, currents, skip=skip, **case)
        assert not done.differences(twin)
        assert np.all(done.row_states >= lower[:, None, None])
        assert np.all(done.row_states <= upper[:, None, None])


# The closed form of a pulse

of_each_device_of_constant_drift = pytest.mark.parametrize("device", [SYNAPSE, NODE], ids=["synapse", "node"])


@of_each_device_of_constant_drift
@pytest.mark.parametrize("elements", SIZES)
def test_the_closed_form_equals_its_twin(device, elements):
    rng = np.random.default_rng(elements)
    states, currents = random_states(device, elements, rng), random_currents(device, elements, rng)
    done = run_pulse(device, EXACT, states, currents, 7)
    assert not done.differences(run_naive_pulse(device, EXACT, states, currents, 7))


@of_each_device_of_constant_drift
@of_each_integrator
def test_the_closed_form_equals_the_steps_to_1e_12(device, integrator):
    rng = np.random.default_rng(5)
    states, currents = random_states(device, 5000, rng), random_currents(device, 5000, rng)
    # Drifts of all lengths: within the range, to a bound in the pulse's middle, and in its first step.
    currents *= 10.0 ** rng.uniform(-2.0, 2.0, size=5000)
    steps = run_pulse(device, integrator, states, currents, 200)
    leap = run_pulse(device, EXACT, states, currents, 200)
    lower, upper = bounds_of(device)
    met = (leap.states == lower) | (leap.states == upper)
    assert 0.05 < met.mean() < 0.95
    assert np.all(np.abs(leap.row_states - steps.row_states) <= 1e-12 * (upper - lower)[:, None, None])
    voltages = np.abs(currents) * np.abs([device.r_off - device.r_on, device.r_off]).max()
    assert np.all(np.abs(leap.last - steps.last) <= 1e-12 * voltages)
    assert np.all(np.abs(leap.energies - steps.energies) <= 1e-12 * voltages * np.abs(currents) * 200 * DT)
    assert np.array_equal(leap.energies, run_pulse(device, EXACT, states, currents, 200, record=False).energies)


@of_each_device_of_constant_drift
def test_the_closed_form_holds_recorded_held_skipped_and_from_beyond_a_bound(device):
    rng = np.random.default_rng(6)
    states, currents = random_states(device, 146, rng), random_currents(device, 146, rng)
    whole = run_pulse(device, EXACT, states, currents, 9)
    assert not whole.differences(run_pulse(device, EXACT, states, currents, 9, skip=False))
    held = run_pulse(device, EXACT, states, currents, 9, held=1)
    assert not held.differences(run_pulse(device, "euler", states, currents, 9, held=1))
    assert np.array_equal(held.states, states)
    beyond, slow = states.copy(), np.full(146, np.nextafter(device.threshold, 1.0))
    beyond[:] = 1.001 * bounds_of(device)[1]
    leap, steps = (run_pulse(device, solver, beyond, slow, 9) for solver in (EXACT, "euler"))
    assert np.array_equal(leap.states, steps.states)
    assert leap.energies == pytest.approx(steps.energies, rel=1e-12)


@pytest.mark.parametrize(
    ("name", "length", "line"),
    [
        ("currents", 79, "must have room for 80 elements, whole tiles"),
        ("states", 79, "must have room for 80 elements, whole tiles"),
        ("tally", 79, "must have room for 80 elements, whole tiles"),
        ("upper", 0, "extremes, bounds and scratch must be of 1 variables"),
        ("tile", new_tile(1).size - 1, "extremes, bounds and scratch must be of 1 variables"),
        ("parameters", 1, "needs 2 parameters, of 80 elements where each has its own"),
    ],
)
def test_arrays_that_are_too_short_are_refused(name, length, line):
    room = room_of(70)
    assert room == 80
    given = {
        "states": np.zeros((1, room)), "currents": np.full(room, 2e-3), "tally": new_tally(np.zeros((1, room))),
        "parameters": np.array(SYNAPSE.kernel_parameters()), "lower": bounds_of(SYNAPSE)[0],
        "upper": bounds_of(SYNAPSE)[1], "tile": new_tile(1),
    }  # fmt: skip
    job = Job(**given, elements=70, steps=5, dt=DT, addressed=ANY_VARIABLE)
    assert len(stretches_of(SYNAPSE.functions(), "euler", job)) == 2
    short = new_tally(np.zeros((1, length))) if name == "tally" else given[name][..., :length]
    with pytest.raises(ValueError, match=line):
        stretches_of(SYNAPSE.functions(), "euler", job._replace(**{name: short}))


def test_models_without_a_closed_form_are_refused():
    with pytest.raises(ValueError, match="threshold_memristor_logistic_both: has no closed form of a pulse"):
        tile_kernel(MEMRISTOR.functions(), EXACT, NARROW)


# What a caller may rely on


@of_each_device_and_integrator
def test_skipping_resting_tiles_changes_no_bit(device, integrator):
    rng = np.random.default_rng(0)
    elements = 3 * WIDE + 5
    states, currents = random_states(device, elements, rng), random_currents(device, elements, rng)
    currents[:WIDE] = 0.0
    currents[2 * WIDE : 3 * WIDE] = 0.0 if device == WINDOWED else -0.5 * min(thresholds_of(device))
    skipped = run_pulse(device, integrator, states, currents, 7)
    stepped = run_pulse(device, integrator, states, currents, 7, skip=False)
    assert not skipped.differences(stepped)
    assert stepped.stepped == 7 * elements
    assert skipped.stepped == 7 * (WIDE + 5)


@of_each_device_and_integrator
def test_held_devices_conduct_and_do_not_move(device, integrator):
    rng = np.random.default_rng(1)
    states, currents = random_states(device, 70, rng), random_currents(device, 70, rng)
    for skip in (True, False):
        done = run_pulse(device, integrator, states, currents, 5, held=1, skip=skip, addressed=NO_VARIABLE)
        assert not done.differences(run_naive_pulse(device, integrator, states, currents, 5, held=1))
        assert np.array_equal(done.states, states)
        assert done.stepped == 0
        assert not done.disturbed.any()


@of_each_device_and_integrator
@pytest.mark.parametrize("skip", [True, False])
def test_recording_changes_no_result(device, integrator, skip):
    rng = np.random.default_rng(2)
    states, currents = random_states(device, 70, rng), random_currents(device, 70, rng)
    recorded = run_pulse(device, integrator, states, currents, 5, skip=skip)
    unrecorded = run_pulse(device, integrator, states, currents, 5, skip=skip, record=False)
    assert not recorded.differences(unrecorded, but=("row_states", "row_drives", "row_responses"))
    assert recorded.stepped == unrecorded.stepped


@of_each_device
def test_rows_are_written_from_the_first_row_on_and_nowhere_else(device):
    rng = np.random.default_rng(3)
    states, currents = random_states(device, 70, rng), random_currents(device, 70, rng)
    currents[:WIDE] = 0.0  # a resting tile and a moving one
    twin = run_naive_pulse(device, "euler", states, currents, 4)
    variables = len(states)
    rows = PulseRows(np.full((variables, 9, 70), np.nan), np.full((9, 70), np.nan), np.full((9, 70), np.nan))
    parameters, limits = np.array(device.kernel_parameters()), bounds_of(device)
    kernel = pulse_kernel(device.functions(), "euler")
    kernel(states, currents, 70, 4, DT, parameters, *limits, ANY_VARIABLE, 0, True, new_tally(states), rows, 3)
    expected = twin.row_states, twin.row_drives, twin.row_responses
    for filled, wanted in zip((rows[0], rows[1][None], rows[2][None]), expected, strict=True):
        assert np.array_equal(filled[:, 3:7], wanted.reshape(filled[:, 3:7].shape))
        assert np.isnan(filled[:, :3]).all()
        assert np.isnan(filled[:, 7:]).all()


@of_each_device_and_integrator
def test_pulses_one_after_the_other_add_to_energies_and_disturbances(device, integrator):
    rng = np.random.default_rng(4)
    first, currents = random_states(device, 70, rng), random_currents(device, 70, rng)
    parts, states = [], first
    for amplitudes in (currents, -currents, currents[::-1].copy()):
        parts.append(run_pulse(device, integrator, states, amplitudes, 3, addressed=0))
        states = parts[-1].states
    kernel, states = pulse_kernel(device.functions(), integrator), first.copy()
    tally = new_tally(states)
    for amplitudes in (currents, -currents, currents[::-1].copy()):
        kernel(
            states, amplitudes, 70, 3, DT, np.array(device.kernel_parameters()), *bounds_of(device), 0, 0, True,
            tally, no_rows(len(states)), 0,
        )  # fmt: skip
    tallies = [part.tally for part in parts]
    for name in ("energy", "disturbed", "bound"):
        one, two, three = (getattr(part, name) for part in tallies)
        assert np.array_equal(getattr(tally, name), one + two + three), name
    for name in ("highest", "peak_current"):
        assert np.array_equal(getattr(tally, name), np.max([getattr(part, name) for part in tallies], axis=0)), name
    assert np.array_equal(tally.lowest, np.min([part.lowest for part in tallies], axis=0))
    assert np.array_equal(tally.voltage, parts[2].last)
    assert np.array_equal(states, parts[2].states)


@of_each_device
@pytest.mark.parametrize("addressed", [ANY_VARIABLE, 0, NO_VARIABLE])
def test_extremes_and_states_at_a_bound_are_those_of_the_pulses_end(device, addressed):
    rng = np.random.default_rng(8)
    states, currents = random_states(device, 70, rng), random_currents(device, 70, rng)
    done, (lower, upper) = run_pulse(device, "euler", states, currents, 9, addressed=addressed), bounds_of(device)
    assert np.array_equal(done.tally.highest, np.maximum(states, done.states))
    assert np.array_equal(done.tally.lowest, np.minimum(states, done.states))
    assert np.array_equal(done.tally.peak_current, np.abs(currents))
    at_bound = ((done.states <= lower[:, None]) | (done.states >= upper[:, None])) & (currents != 0.0)
    expected = at_bound.sum(axis=0) if addressed != NO_VARIABLE else np.zeros(70)
    assert np.array_equal(done.tally.bound, expected)
    assert at_bound.any()


@of_each_device_and_integrator
@pytest.mark.parametrize("elements", SIZES)
def test_room_beside_the_elements_changes_no_result(device, integrator, elements):
    rng = np.random.default_rng(elements)
    states, currents = random_states(device, elements, rng), random_currents(device, elements, rng)
    expected = run_pulse(device, integrator, states, currents, 5, record=False)
    room = room_of(elements)
    assert elements <= room < elements + WIDE
    wide = np.pad(states, ((0, 0), (0, room - elements)), mode="edge")
    tally = new_tally(wide)
    stepped = pulse_kernel(device.functions(), integrator)(
        wide, np.pad(currents, (0, room - elements)), elements, 5, DT, np.array(device.kernel_parameters()),
        *bounds_of(device), ANY_VARIABLE, 0, True, tally, no_rows(len(states)), 0,
    )  # fmt: skip
    assert stepped == expected.stepped
    assert np.array_equal(naive.bits(wide[:, :elements]), naive.bits(expected.states))
    for name, values in expected.tally._asdict().items():
        assert np.array_equal(naive.bits(getattr(tally, name)[..., :elements]), naive.bits(values)), name


@of_each_device_and_integrator
def test_energy_is_the_sum_over_rows(device, integrator):
    rng = np.random.default_rng(6)
    states, currents = random_states(device, 70, rng), random_currents(device, 70, rng)
    done = run_pulse(device, integrator, states, currents, 50)
    powers = done.row_drives * done.row_responses
    scale = np.abs(powers).sum(axis=0) * DT
    assert np.all(np.abs(done.energies - powers.sum(axis=0) * DT) <= 1e-14 * scale)


@of_each_device_and_integrator
def test_a_devices_result_depends_on_no_other_device(device, integrator):
    rng = np.random.default_rng(7)
    states, currents = random_states(device, 130, rng), random_currents(device, 130, rng)
    together = run_pulse(device, integrator, states, currents, 4)
    for e in (0, 63, 64, 129):
        alone = run_pulse(device, integrator, states[:, e : e + 1].copy(), currents[e : e + 1].copy(), 4)
        assert np.array_equal(naive.bits(alone.states[:, 0]), naive.bits(together.states[:, e]))
        assert naive.bits(alone.energies[0]) == naive.bits(together.energies[e])


# Closed forms


@pytest.mark.parametrize("device", [SYNAPSE, NODE], ids=["synapse", "node"])
@of_each_integrator
def test_drift_of_a_constant_rate_is_linear_in_time(device, integrator):
    half = bounds_of(device)[1][0]
    currents = device.threshold * np.array([1.5, -1.5, 3.0, -10.0, 20.0])
    starts = half * np.array([[0.5, -0.4, 0.1, 0.9, -0.3]])
    done = run_pulse(device, integrator, starts, currents, 8)
    over = np.sign(currents) * (np.abs(currents) - device.threshold)
    for n in range(8):
        expected = starts[0] + (n + 1) * DT * device.drift_coefficient * over
        assert np.all(np.abs(expected) < half)
        assert done.row_states[0, n] == pytest.approx(expected, rel=1e-15, abs=2e-16 * half)


def test_joglekars_window_is_0_at_both_ends_and_1_in_the_middle():
    p = WINDOWED.kernel_parameters()
    drift = naive.Physics(WINDOWED.functions()).drift
    assert [drift(0, [x], 1e-3, p) for x in (0.0, 0.5, 1.0)] == [0.0, 1e-3 * WINDOWED.drift_coefficient, 0.0]
    for exponent in (1, 2, 7, 15):
        device = IonDrift(window="joglekar", exponent=exponent)
        rate = naive.Physics(device.functions()).drift(0, [0.3], 2e-3, p)
        assert rate == pytest.approx(2e-3 * 1e4 * (1.0 - 0.4 ** (2 * exponent)), rel=1e-14)


@pytest.mark.slow
def test_windowed_drift_under_a_current_follows_its_closed_form():
    """With p = 1: x/(1 - x) = x_0/(1 - x_0) * exp(4 k q), q the charge."""
    device, starts = IonDrift(window="joglekar", exponent=1), np.array([[0.05, 0.3, 0.6, 0.99]])
    currents = np.array([1e-4, 2e-4, -1e-4, -3e-4])
    done = run_pulse(device, "heun", starts, currents, 400)
    odds = starts[0] / (1.0 - starts[0]) * np.exp(4.0 * 1e4 * currents * 400 * DT)
    assert done.states[0] == pytest.approx(odds / (1.0 + odds), rel=1e-6)


def test_vteam_rests_between_its_thresholds_and_drifts_as_published_beyond_them():
    """Half way, far from the ends, the window is 1: k * (v / threshold - 1)**alpha is left."""
    p, drift = VTEAM.kernel_parameters(), naive.Physics(VTEAM.functions()).drift
    middle, resistance = 5e-9, 1300.0
    assert naive.Physics(VTEAM.functions()).response([middle], 1.0, p) == pytest.approx(resistance, rel=1e-15)
    assert [drift(0, [middle], v / resistance, p) for v in (-0.52, 0.0, 0.49)] == [0.0, 0.0, 0.0]
    assert drift(0, [middle], 1.5 / resistance, p) == pytest.approx(4.03e-8 * 2.0, rel=1e-13)
    assert drift(0, [middle], -1.59 / resistance, p) == pytest.approx(-80.0 * 8.0, rel=1e-13)


def test_vteams_window_is_one_over_e_where_it_ends_and_falls_beyond():
    device = Vteam(a_off=6e-9, a_on=4e-9, w_c=1e-9)
    p, drift = device.kernel_parameters(), naive.Physics(device.functions()).drift
    for position, direction, k, beyond in ((6e-9, 1.0, 4.03e-8, 1e-9), (4e-9, -1.0, -80.0, -1e-9)):
        threshold = 0.5 if direction > 0 else 0.53
        for at, argument in ((position, 0.0), (position + beyond, 1.0), (position - beyond, -1.0)):
            volts = 2.0 * direction * threshold
            rate = drift(0, [at], volts / (100.0 + 2.4e11 * at), p)
            assert rate == pytest.approx(k * math.exp(-math.exp(argument)), rel=1e-12)


def test_vteams_window_is_exactly_1_far_from_where_it_ends():
    """exp(-exp(-40)) differs from 1 by 4e-18: the bits are those of the formula without a limit."""
    p, drift = VTEAM.kernel_parameters(), naive.Physics(VTEAM.functions()).drift
    volts = 1.0
    for position in np.linspace(0.0, 10e-9 - 40 * 107e-12, 50):
        current = volts / (100.0 + 2.4e11 * position)
        voltage = naive.fma(p[1], position, p[0]) * current
        assert drift(0, [position], current, p) == p[3] * (voltage * p[2] - 1.0)


def test_vteam_under_a_constant_voltage_keeps_its_rate():
    """A voltage of 2 v_off, from 1 nm on: k_off * t, as long as the window is 1."""
    kernel = waveform(VTEAM.functions(), "euler", "voltage")
    states, drive, rows = np.array([[1e-9]]), np.full((50, 1), 1.0), np.empty((3, 50, 1))
    arrays = np.array(VTEAM.kernel_parameters()), *bounds_of(VTEAM), rows[:1], rows[1], rows[2]
    kernel(states, drive, drive, np.zeros(1, dtype=np.int64), 1e-3, *arrays, np.zeros(1))
    assert states[0, 0] == pytest.approx(1e-9 + 4.03e-8 * 0.05, rel=1e-10)
    assert rows[2, 0, 0] == pytest.approx(1.0 / (100.0 + 2.4e11 * rows[0, 0, 0]), rel=1e-13)


@of_each_integrator
def test_a_threshold_memristors_window_moves_its_own_variable_alone(integrator):
    rate, start = 2e5, np.array([0.5, -0.25, 0.125])
    for chosen, threshold in enumerate(MEMRISTOR.thresholds):
        for sign in (1.0, -1.0):
            states = np.array([*start, rate])[:, None]
            done = run_pulse(MEMRISTOR, integrator, states, np.array([sign * (threshold + 0.002)]), 8)
            expected = start + (np.arange(3) == chosen) * sign * 8 * DT * rate * 0.002
            assert done.states[:3, 0] == pytest.approx(expected, rel=1e-12, abs=0.0)
            assert np.array_equal(done.states[:3, 0] != start, np.arange(3) == chosen)
            assert done.states[3, 0] == rate


@of_each_device_and_integrator
def test_nothing_moves_at_or_below_a_threshold_or_beyond_a_window(device, integrator):
    rng = np.random.default_rng(8)
    edges = thresholds_of(device)  # of a threshold memristor the windows' ends too, one of which is a beginning
    resting = [0.0, 0.5 * min(edges), math.nextafter(min(edges), 0.0), *edges]
    if device is WINDOWED:  # has none
        resting = [0.0]
    if device is VTEAM:  # has thresholds of voltage: a current may move one device and leave another
        resting = [0.0, 0.5 * min(edges), math.nextafter(min(edges), 0.0)]
    if device in (
        TEAM,
        YAKOPCIC,
        PERSHIN,
    ):  # one for each direction, or of the voltage, in whose last bit a state counts
        resting = [0.0, 0.5 * min(edges), 0.999 * min(edges)]
    if device is MEMRISTOR:
        resting += [math.nextafter(max(edges), 1.0), 0.0425, 1.0]
    currents = np.array([sign * current for current in resting for sign in (1.0, -1.0)])
    states = random_states(device, len(currents), rng)
    for skip in (True, False):
        done = run_pulse(device, integrator, states, currents, 200, skip=skip)
        assert np.array_equal(naive.bits(done.states), naive.bits(states))
        assert not done.disturbed.any()


@pytest.mark.parametrize("device", [SYNAPSE, NODE], ids=["synapse", "node"])
@of_each_integrator
def test_a_state_stops_at_its_bounds_and_leaves_them_again(device, integrator):
    lower, upper = bounds_of(device)
    currents = 1e3 * device.threshold * np.array([1.0, -1.0])
    done = run_pulse(device, integrator, np.zeros((1, 2)), currents, 500)
    assert done.states[0].tolist() == [upper[0], lower[0]]
    back = run_pulse(device, integrator, done.states, -0.1 * currents, 1)
    moved = DT * device.drift_coefficient * 99.0 * device.threshold
    assert back.states[0] == pytest.approx([upper[0] - moved, lower[0] + moved], rel=1e-12, abs=0.0)


@of_each_integrator
def test_restore_returns_a_state_that_met_no_bound(integrator):
    half = 0.5 * NODE.state_range
    states = half * np.linspace(-0.8, 0.8, 33)[None]
    currents = 5.0 * NODE.threshold * np.linspace(-1.0, 1.0, 33)
    read = run_pulse(NODE, integrator, states, currents, 20)
    restored = run_pulse(NODE, integrator, read.states, -currents, 20)
    assert np.abs(read.states - states).max() > 0.05 * half
    assert np.abs(restored.states - states).max() < 1e-14 * half


@of_each_integrator
def test_restore_loses_what_a_bound_cut_off(integrator):
    half = 0.5 * NODE.state_range
    current = np.array([20.0 * NODE.threshold])
    motion = 20 * DT * NODE.drift_coefficient * 19.0 * NODE.threshold
    start = np.array([[half - 0.25 * motion]])
    read = run_pulse(NODE, integrator, start, current, 20)
    restored = run_pulse(NODE, integrator, read.states, -current, 20)
    assert read.states[0, 0] == half
    assert restored.states[0, 0] == pytest.approx(half - motion, rel=1e-12, abs=0.0)


# The models' equations, as physics.md reads them


def test_synapse_and_node_drift_beyond_their_threshold_in_both_directions_or_as_printed():
    for model, p in ((synapse_model, (3.0, 0.5)), (node_model, (3.0, 0.5, 1.0, 2.0, 1.0))):
        assert [model.drift(0.1, i, p) for i in (2.0, -2.0, 0.5, -0.5, 0.2, 0.0)] == [4.5, -4.5, 0.0, 0.0, 0.0, 0.0]
        assert [model.drift_printed(0.1, i, p) for i in (2.0, -2.0, 0.5, 0.2)] == [4.5, 0.0, 0.0, 0.0]


def test_a_synapses_voltage_has_the_sign_of_its_state():
    assert synapse_model.output(-200.0, 1e-3, (1.0, 1.0)) == -0.2


def test_a_nodes_memristance_goes_from_r_off_to_r_on():
    p, output = (1.0, 0.0, 100.0, 10e3, 10e-9), naive.plain(node_model.output)
    assert output(-5e-9, 1e-3, p) == pytest.approx(10.0, rel=1e-15, abs=0.0)
    assert output(0.0, 1e-3, p) == pytest.approx(5.05, rel=1e-15, abs=0.0)
    assert output(5e-9, 1e-3, p) == pytest.approx(0.1, rel=1e-15, abs=0.0)
    assert output(5e-9, 1e-3, (1.0, 0.0, 0.0, 10e3, 10e-9)) == 0.0  # Eq. 12
    assert naive.plain(node_model.current)(0.0, 5.05, p) == pytest.approx(1e-3, rel=1e-15, abs=0.0)


def test_a_threshold_memristor_drifts_within_half_open_windows():
    p = (1.0, 1.0, 0.25, 1.0, 2.0, 3.0)
    x = np.array([0.5, 0.25, -0.5, 8.0])[:, None]
    drift, printed = memristor_model.drift, memristor_model.drift_printed
    below_the_end = math.nextafter(2.25, 0.0)
    assert [drift(1, x, 0, i, p) for i in (2.125, -2.125, 2.0, 2.25, 3.125, 1.125)] == [1.0, -1.0, 0.0, 0.0, 0.0, 0.0]
    assert drift(1, x, 0, below_the_end, p) == 8.0 * (below_the_end - 2.0)
    assert drift(3, x, 0, 2.125, p) == 0.0  # the learning rate
    assert [printed(1, x, 0, i, p) for i in (2.125, -2.125, 1.125)] == [1.0, -8.0 * 4.125, 0.0]


def test_a_threshold_memristors_voltage_is_the_activation_of_current_and_bias():
    p = (1.0 / 2e-3, 3.0, 0.25, 1.0, 2.0, 3.0)
    x = np.array([9.0, 9.0, -0.5, 8.0])[:, None]
    outputs = memristor_model.output_logistic, memristor_model.output_tanh, memristor_model.output_identity
    logistic, tanh, identity = (naive.plain(output)(x, 0, 4e-3, p) for output in outputs)
    assert logistic == pytest.approx(3.0 / (1.0 + math.exp(-1.5)), rel=1e-15, abs=0.0)
    assert tanh == pytest.approx(3.0 * math.tanh(1.5), rel=1e-15, abs=0.0)
    assert identity == 4.5


# The waveform kernel


def run_waveform(device, integrator, drive, states, samples, *, lines, dt=DT):
    """Run a waveform, given as its samples at the steps' starts and ends, by the compiled kernel."""
    starts, ends = samples
    steps, (variables, elements) = len(starts), states.shape
    rows = np.empty((variables, steps, elements)), np.empty((steps, elements)), np.empty((steps, elements))
    result, energies = states.copy(), np.zeros(elements)
    waveform(device.functions(), integrator, drive)(
        result, starts, ends, lines, dt, np.array(device.kernel_parameters()), *bounds_of(device), *rows, energies
    )
    return Outcome(result, rows[2][-1], energies, np.zeros(elements), *rows)


def run_naive_waveform(device, integrator, drive, states, samples, *, lines, dt=DT):
    """Run the same waveform one device after the other."""
    starts, ends = samples
    physics = naive.Physics(device.functions(), drive)
    lower, upper = (limit.tolist() for limit in bounds_of(device))
    done = [
        naive.waveform(
            physics, integrator, [float(x) for x in states[:, e]], starts[:, line].tolist(), ends[:, line].tolist(),
            dt=dt, p=device.kernel_parameters(), lower=lower, upper=upper,
        )
        for e, line in enumerate(lines)
    ]  # fmt: skip
    row_states = np.array([d.states for d in done]).transpose(2, 1, 0)
    responses, energies = np.array([d.responses for d in done]).T, np.array([d.energy for d in done])
    return Outcome(
        row_states[:, -1], responses[-1], energies, np.zeros(len(lines)), row_states, ends[:, lines], responses
    )


DRIVEN = [(device, "current") for device in DEVICES.values()] + [(NODE, "voltage")]


@pytest.mark.parametrize(("device", "drive"), DRIVEN, ids=lambda value: getattr(value, "model", value))
@of_each_integrator
@pytest.mark.parametrize("elements", [1, NARROW + 1, WIDE + 1])
def test_waveform_equals_its_twin(device, drive, integrator, elements):
    rng = np.random.default_rng(elements)
    most = 3.0 * max(thresholds_of(device)) * (NODE.r_off if drive == "voltage" else 1.0)
    samples = rng.uniform(-most, most, size=(13, 3)) * rng.integers(0, 2, size=(13, 3))
    starts, ends = samples[:-1].copy(), samples[1:].copy()
    ends[5] = starts[5]  # a jump: the next step starts elsewhere
    states, lines = random_states(device, elements, rng), rng.integers(0, 3, size=elements)
    done = run_waveform(device, integrator, drive, states, (starts, ends), lines=lines)
    assert not done.differences(run_naive_waveform(device, integrator, drive, states, (starts, ends), lines=lines))


@of_each_device_and_integrator
def test_a_constant_waveform_equals_a_pulse(device, integrator):
    rng = np.random.default_rng(9)
    states, currents = random_states(device, 70, rng), random_currents(device, 70, rng)
    samples = np.tile(currents, (6, 1))
    driven = run_waveform(device, integrator, "current", states, (samples, samples), lines=np.arange(70))
    pulsed = run_pulse(device, integrator, states, currents, 6)
    assert not driven.differences(pulsed, but=("energies",))
    assert driven.energies == pytest.approx(pulsed.energies, rel=1e-12, abs=0.0)


def test_waveforms_add_to_the_energies_that_are_there():
    samples, states = np.full((4, 1), 1e-3), np.zeros((1, 2))
    rows = np.empty((1, 4, 2)), np.empty((4, 2)), np.empty((4, 2))
    energies = np.array([0.0, 1.0])
    waveform(HP.functions(), "euler", "current")(
        states, samples, samples, np.zeros(2, dtype=np.int64), DT, np.array(HP.kernel_parameters()), *bounds_of(HP),
        *rows, energies,
    )  # fmt: skip
    assert energies[0] > 0.0
    assert energies[1] == pytest.approx(1.0 + energies[0], rel=1e-15, abs=0.0)


def hp_under_a_sine(steps, integrator, *, frequency=1.0, periods=1):
    """HP's device under a sinusoid of 1 V from x = 0.1; times, voltages, currents and x at each step's end."""
    dt = 1.0 / (frequency * steps)
    samples = np.sin(2.0 * np.pi * frequency * dt * np.arange(periods * steps + 1))[:, None]
    states = np.array([[(0.1 - 0.5) * HP.state_range]])
    ends = samples[:-1].copy(), samples[1:].copy()
    done = run_waveform(HP, integrator, "voltage", states, ends, lines=np.zeros(1, dtype=np.int64), dt=dt)
    times = dt * np.arange(1, periods * steps + 1)
    return times, done.row_drives[:, 0], done.row_responses[:, 0], 0.5 + done.row_states[0, :, 0] / HP.state_range


def hp_closed_form(times, frequency=1.0):
    """Joglekar and Wolf, arXiv:0807.3994: the memristance follows from the flux."""
    flux = (1.0 - np.cos(2.0 * np.pi * frequency * times)) / (2.0 * np.pi * frequency)
    first = HP.r_on * 0.1 + HP.r_off * 0.9
    slope = HP.mobility * HP.r_on / HP.thickness**2 * (HP.r_off - HP.r_on)
    memristance = np.sqrt(first**2 - 2.0 * slope * flux)
    return (HP.r_off - memristance) / (HP.r_off - HP.r_on)


@pytest.mark.parametrize(("integrator", "order", "tolerance"), [("euler", 1.0, 0.05), ("heun", 2.0, 0.1)])
def test_hp_devices_error_falls_with_the_integrators_order(integrator, order, tolerance):
    widths, errors = [], []
    for steps in (250, 500, 1000, 2000, 4000):
        times, _, _, x = hp_under_a_sine(steps, integrator)
        widths.append(1.0 / steps)
        errors.append(np.abs(x - hp_closed_form(times)).max())
    slope = np.polyfit(np.log(widths), np.log(errors), 1)[0]
    assert slope == pytest.approx(order, abs=tolerance)


@pytest.mark.parametrize(("integrator", "error"), [("euler", 6.23e-4), ("heun", 6.84e-9)])
def test_hp_device_is_back_at_its_start_after_a_period(integrator, error):
    # Euler's error after a period of 1000 steps is 6.2e-4 by physics.md.
    x = hp_under_a_sine(1000, integrator, periods=3)[3]
    assert abs(x[999] - 0.1) == pytest.approx(error, rel=0.01, abs=0.0)
    assert abs(x[2999] - 0.1) < 3.1 * error


def test_hp_devices_loop_is_pinched_and_shrinks_to_a_line_as_frequency_grows():
    areas = []
    for frequency in (1.0, 3.0, 30.0, 300.0):
        _, voltages, currents, _ = hp_under_a_sine(2000, "heun", frequency=frequency)
        assert np.all(voltages * currents >= 0.0)
        assert np.abs(currents[np.abs(voltages) < 1e-12]).max() < 1e-15
        half = slice(0, 1000)
        areas.append(abs(np.sum(0.5 * (currents[half][1:] + currents[half][:-1]) * np.diff(voltages[half]))))
    assert areas == sorted(areas, reverse=True)
    assert areas[-1] < 0.01 * areas[0]


def test_only_devices_with_a_current_of_their_own_take_a_voltage():
    able = [name for name, device in DEVICES.items() if device.functions().current is not None]
    assert able == ["node", "windowed drift", "vteam", "team", "yakopcic", "pershin"]
