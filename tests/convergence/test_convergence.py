"""Checks of dt: nothing but rounding for linear devices, the integrator's order else, warnings with both numbers."""

from typing import Any, ClassVar, Literal

import h5py
import numpy as np
import pytest
from short_runs import REAL, configuration, of_each_kind

import memsim
from memsim.convergence.dt_check import Comparison, DtCheck, StateDifference, remaining
from memsim.convergence.dt_report import sentence
from memsim.convergence.network_dt import refined
from memsim.convergence.writes import CHANGE, FINER, coarse_writes
from memsim.datasets import Dataset
from memsim.devices import Device, IonDrift, StateVariable, Synapse, Vteam
from memsim.driving.drive_configuration import BankSection, DriveConfiguration, DriveTiming
from memsim.driving.waveforms import Pulse, Pulses, Sinusoid
from memsim.errors import InputError
from memsim.fields import quantity
from memsim.kernels.stepping import ModelFunctions
from memsim.network.assembly import assemble
from memsim.stepping.engine import Engine


def relaxing(x, i, p):
    return (p[1] * i - x) / p[0]


def following(x, i, p):
    return (1000.0 + 500.0 * x) * i


class Relaxing(Device):
    """A state that falls to what the current holds it at, within a time constant."""

    title: ClassVar[str] = "relaxation"
    source: ClassVar[str] = "none: a test's own"
    rests: ClassVar[bool] = False

    model: Literal["relaxing"] = "relaxing"
    time_constant: float = quantity(1e-2, "s", "time constant", gt=0)

    def state_variables(self) -> tuple[StateVariable, ...]:
        return (StateVariable("level", "1", "level", -1.0, 1.0),)

    def kernel_parameters(self) -> tuple[float, ...]:
        return (self.time_constant, 500.0)

    def functions(self) -> Any:
        return ModelFunctions("test_relaxing", 1, 2, relaxing, following)


def windowed(x, i, p):
    return p[0] * i * 4.0 * x * (1.0 - x)


def film(x, i, p):
    return (1e4 - 9.9e3 * x) * i


class Windowed(Device):
    """Linear ion drift with Joglekar's window, p = 1."""

    title: ClassVar[str] = "a window"
    source: ClassVar[str] = "Joglekar and Wolf, arXiv:0807.3994"
    rests: ClassVar[bool] = True

    model: Literal["test-windowed"] = "test-windowed"

    def state_variables(self) -> tuple[StateVariable, ...]:
        return (StateVariable("doped", "1", "doped share of the film", 0.0, 1.0),)

    def kernel_parameters(self) -> tuple[float, ...]:
        return (1e4,)

    def functions(self) -> Any:
        return ModelFunctions("test_windowed", 1, 1, windowed, film)


def a_drive(device, waveform, dt, *, duration=0.2, integrator="euler", initial=0.3, drive="current"):
    return DriveConfiguration(
        time=DriveTiming(dt=dt, duration=duration, integrator=integrator), device=device,
        bank=BankSection(initial=initial, drive=drive), drive=({**waveform.model_dump()},),
    )  # fmt: skip


WINDOWED = Windowed()
SINE = Sinusoid(amplitude=1e-4, frequency=5.0)
HELD = Pulses(pulses=[Pulse(width=0.2, amplitude=1e-3)])


# Networks


@of_each_kind
def test_devices_whose_drift_the_current_alone_decides_are_exact_up_to_rounding(kind):
    check = memsim.check_dt(configuration(kind), REAL)
    assert check.verdict == "exact"
    assert max(bank.half for bank in check.banks) < 1e-13
    assert all(bank.constant_drift and bank.order is None for bank in check.banks)
    assert check.output < 1e-12
    assert "the current alone decides" in sentence(check)


def test_the_closed_form_says_that_it_is_one():
    check = memsim.check_dt(configuration("mlp", time={"solver": "exact"}), REAL, samples=3)
    assert check.verdict == "exact"
    assert "closed form" in sentence(check)


def test_the_pulses_of_finer_steps_are_the_same_to_the_bit():
    """Writes by width have a quantum of one step, which stays as many seconds: only the integration changes."""
    write = {"encoding": "count", "pulses": 5, "train_steps": 2, "train_gap_steps": 1}
    for encoding in (write, {"encoding": "width"}):
        check = memsim.check_dt(configuration("mlp", write=encoding), REAL)
        assert check.verdict == "exact"


@pytest.mark.slow
def test_a_network_of_windowed_synapses_has_eulers_order():
    config = configuration(
        "mlp", time={"pulse_steps": 4, "write_steps": 4}, learning={"rate": 1.0, "epochs": 4},
        devices={"synapse": {"model": "ion-drift", "window": "joglekar"}}, write={"law": "slope"},
    )  # fmt: skip
    check = memsim.check_dt(config, REAL, tolerance=0.5)
    synapses = [bank for bank in check.banks if bank.bank.startswith("synapses")]
    assert max(bank.half for bank in synapses) > 1e-7
    for bank in synapses:
        assert not bank.constant_drift
        assert bank.order == pytest.approx(1.0, abs=0.15)
    assert check.verdict == "fine"
    # The same numbers, against a tolerance that they are above.
    coarse = memsim.check_dt(config, REAL, tolerance=0.5 * check.worst.half)
    assert coarse.verdict == "coarse"
    assert f"{check.worst.half:.2e}" in sentence(coarse)
    assert f"{check.worst.quarter:.2e}" in sentence(coarse)


def test_a_controller_that_works_with_the_model_keeps_its_steps():
    """The published VTEAM falls so fast that a step passes the threshold; other pulses at each dt would hide that."""
    check = memsim.check_dt(configuration("mlp", devices={"synapse": {"model": "vteam"}}), REAL)
    assert check.verdict == "coarse"
    assert check.worst.half > 1e-3


def test_noise_is_the_same_at_each_dt():
    """What is drawn belongs to the controller's steps, so that only the integration differs."""
    noise = {"imperfections": {"synapse": {"write_noise": 0.3}}, "periphery": {"synapse": {"read_noise": 1e-3}}}
    config = configuration("mlp", **noise)
    assert memsim.check_dt(config, REAL).verdict == "exact"
    assert not np.array_equal(memsim.runs.training.run(config, REAL).total_error,
                              memsim.runs.training.run(configuration("mlp"), REAL).total_error)  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("law", ["slope", "integral"])
def test_writes_are_the_same_pulses_at_each_dt(law):
    """Devices in the same states get the same currents, to the bit, whether they are stepped at dt, dt/2 or dt/4."""
    config = configuration(
        "lines", devices={"synapse": {"model": "vteam"}}, write={"law": law}, learning={"epochs": 1},
        run={"realisations": 1},
    )  # fmt: skip
    first = Dataset(REAL.inputs[:1], REAL.targets[:1], REAL.name)
    sent = [currents_of(refined(assemble(config, first), factor))[::factor] for factor in (1, 2, 4)]
    assert np.abs(sent[0]).max() > 1e-5
    for currents in sent[1:]:
        assert np.array_equal(currents, sent[0])


def currents_of(assembly):
    """Currents in A of a network of lines in each step of a run, (steps, devices, realisations)."""
    engine = Engine(assembly, threads=1, epochs=1, recorded=(0,))
    found = []
    while not engine.clock.is_over:
        for part in engine.advance(engine.clock.slots).rows:
            found.append(part.current.copy())
    engine.close()
    return np.concatenate(found)


def test_a_run_warns_where_writes_are_not_what_dt_makes_of_them(cli, tmp_path):
    """The published VTEAM falls within a step below its threshold; as slow downwards as upwards, it does not."""
    published = {"devices": {"synapse": {"model": "vteam"}}}
    slow = {"devices": {"synapse": Vteam(k_on=-4.03e-8, alpha_on=1.0)}}
    assert coarse_writes(assemble(configuration("mlp"), REAL)) == []
    assert coarse_writes(assemble(configuration("mlp", write={"verify": 1}), REAL)) == []  # no drift of its own
    assert coarse_writes(assemble(configuration("mlp", **slow), REAL)) == []
    found = coarse_writes(assemble(configuration("mlp", **published), REAL))
    assert [write.bank for write in found] == ["synapses1", "synapses2"]
    assert found[0].change == pytest.approx(-CHANGE)
    assert -0.5 * CHANGE < found[0].finer < 0.0
    words = ["--set", "run.realisations=1", "--set", "learning.epochs=1", "--set", "devices.synapse.model=vteam"]
    warned = cli("run", "examples/xor.toml", *words, "--out", tmp_path / "run.h5", "--quiet")
    assert warned.status == 0
    assert "a pulse that moves a vteam by -1.00% of its range moves it by -0.09%" in warned.err
    assert f"with steps of dt/{FINER}; take a smaller time.dt, and see --check-dt" in warned.err


@pytest.mark.parametrize("bad", [{"samples": 0}, {"samples": 10**6}, {"tolerance": 0.0}, {"tolerance": float("nan")}])
def test_what_cannot_be_checked_is_refused(bad):
    with pytest.raises(InputError, match=f"{next(iter(bad))}: must be"):
        memsim.check_dt(configuration("mlp"), REAL, **bad)


# Drives


@pytest.mark.parametrize(("integrator", "order"), [("euler", 1.0), ("heun", 2.0)])
def test_a_windowed_drive_has_the_integrators_order(integrator, order):
    check = memsim.check_drive_dt(a_drive(WINDOWED, HELD, 1e-3, integrator=integrator))
    assert check.worst.order == pytest.approx(order, abs=0.1)
    assert not check.worst.constant_drift


def test_what_is_left_is_estimated_by_richardsons_extrapolation():
    """A relaxation to 0.5 from 0.3 has a closed form; the estimate is right to a fifth."""
    device, dt = Relaxing(time_constant=0.05), 1e-3
    check = memsim.check_drive_dt(a_drive(device, HELD, dt))
    states = memsim.drive(device, HELD, dt=dt, duration=0.2, initial=0.3).state[:, 0]
    exact = 0.5 - 0.2 * np.exp(-dt * np.arange(1, len(states) + 1) / 0.05)
    error = np.abs(states - exact).max() / 2.0
    assert check.worst.remaining == pytest.approx(error, rel=0.2)


def test_an_estimate_of_a_known_series_is_its_error():
    for order in (1.0, 2.0):
        errors = [0.01 * 2.0 ** (-order * k) for k in range(3)]
        assert remaining(errors[0] - errors[1], errors[1] - errors[2]) == pytest.approx(errors[0], rel=1e-12)


def test_a_coarse_dt_warns_with_both_numbers():
    check = memsim.check_drive_dt(a_drive(Relaxing(time_constant=0.05), SINE, 1e-2))
    assert check.verdict == "coarse"
    said = sentence(check)
    assert said.startswith("warning: dt = 10 ms is too coarse")
    assert f"{check.worst.half:.2e}" in said
    assert f"{check.worst.quarter:.2e}" in said


@pytest.mark.parametrize("time_constant", [1e-4, 3e-4])
def test_a_stiff_model_warns_that_dt_is_unstable(time_constant):
    """Euler's steps grow where dt is above twice the time constant; the bounds stop them."""
    check = memsim.check_drive_dt(a_drive(Relaxing(time_constant=time_constant), HELD, 1e-3))
    assert check.verdict == "unstable"
    assert sentence(check).startswith("warning: dt = 1 ms is unstable")
    finer = memsim.check_drive_dt(a_drive(Relaxing(time_constant=time_constant), HELD, 1e-6))
    assert finer.verdict in ("fine", "coarse")


@pytest.mark.parametrize("integrator", ["euler", "heun"])
def test_states_that_stall_are_not_vouched_for(integrator):
    """It depends on the flux alone, but so near to its end 1 - x has no digit left: it stays there for a while."""
    config = a_drive(WINDOWED, Sinusoid(amplitude=2e-2, frequency=5.0), 1e-5, integrator=integrator)
    check = memsim.check_drive_dt(config)
    assert check.stalled > 0
    assert check.verdict == "stalled"
    assert "cannot move a state, whose drift has vanished" in sentence(check)
    held = memsim.drive(WINDOWED, Sinusoid(amplitude=2e-2, frequency=5.0), dt=1e-5, duration=0.2, initial=0.3,
                        integrator=integrator)  # fmt: skip
    assert held.stalled[0] == check.stalled
    assert abs(held.state[-1, 0] - 0.3) > 0.05
    built_in = a_drive(IonDrift(window="joglekar"), Sinusoid(amplitude=2e-2, frequency=5.0), 1e-5, integrator="heun")
    assert memsim.check_drive_dt(built_in).verdict == "fine"


def test_a_state_in_an_equilibrium_and_a_drive_through_0_do_not_stall():
    for device, wave in ((Relaxing(time_constant=0.005), HELD), (WINDOWED, SINE), (Synapse(threshold=0.0), SINE)):
        assert memsim.check_drive_dt(a_drive(device, wave, 1e-4)).stalled == 0


def test_a_linear_drive_is_exact_up_to_rounding():
    check = memsim.check_drive_dt(
        a_drive(Synapse(threshold=0.0), Pulses(pulses=[Pulse(width=0.2, amplitude=1e-4)]), 1e-3, initial=0.0)
    )
    assert check.verdict == "exact"
    assert check.worst.half < 1e-13


# Verdicts


@pytest.mark.parametrize(
    ("half", "quarter", "jumps", "verdict"),
    [
        (1e-14, 1e-14, 0, "exact"), (5e-4, 2.5e-4, 0, "fine"), (2e-3, 1e-3, 0, "coarse"), (2e-3, 1.9e-3, 0, "unstable"),
        (2e-3, 1e-3, 1, "unstable"), (2e-3, 4e-3, 0, "unstable"), (1.2e-7, 0.58, 0, "unstable"),
        (1e-7, 5e-4, 0, "unstable"), (1e-7, 1.5e-7, 0, "fine"), (9e-4, 6.7e-4, 0, "coarse"),
        (1e-14, 1e-4, 0, "unstable"),
    ],
)  # fmt: skip
def test_the_verdict_follows_from_the_differences(half, quarter, jumps, verdict):
    bank = StateDifference("b", half, quarter, jumps, constant_drift=False)
    assert DtCheck(1e-3, "euler", "", (bank,), 0.0, 0.0).verdict == verdict


@pytest.mark.parametrize(
    ("about", "verdict"),
    [
        ({"output": 2e-3, "output_quarter": 1e-3}, "coarse"), ({"output": 1e-7, "output_quarter": 0.1}, "unstable"),
        ({"energy": 5e-3, "energy_quarter": 2.5e-3}, "exact"), ({"energy": 2e-2, "energy_quarter": 1e-2}, "coarse"),
        ({"energy": 1e-7, "energy_quarter": 0.1}, "unstable"), ({"output": float("nan")}, "unstable"),
    ],
)  # fmt: skip
def test_the_verdict_looks_at_outputs_and_energy_too(about, verdict):
    bank = StateDifference("b", 1e-14, 1e-14, 0, constant_drift=False)
    assert DtCheck(1e-3, "euler", "", (bank,), **{"output": 0.0, "output_quarter": 0.0, **about}).verdict == verdict


def test_a_warning_names_what_does_not_fall():
    bank = StateDifference("b", 4e-7, 2e-7, 0, constant_drift=False)
    said = sentence(DtCheck(1e-3, "heun", "", (bank,), 1e-7, 0.1, energy=5e-9, energy_quarter=2e-4))
    assert "outputs by 1.00e-07, then 1.00e-01; energies by 5.00e-09, then 2.00e-04" in said
    said = sentence(DtCheck(1e-3, "heun", "", (bank,), 1e-7, 0.1))
    assert "outputs by" in said
    assert "energies" not in said


def test_an_order_below_the_methods_is_said():
    bank = StateDifference("b", 4e-4, 2e-4, 0, constant_drift=False)
    said = sentence(DtCheck(1e-3, "heun", "", (bank,), 0.0, 0.0))
    assert said.startswith("fine")
    assert "the order is 1.0 and not 2" in said


def test_states_without_an_upper_bound_are_compared_with_their_size():
    compared = Comparison(np.array([[0.0], [1e300]]), 1e-3)
    compared.add(np.array([[200.0]]), np.array([[199.0]]), np.array([[198.5]]))
    assert compared.shares == pytest.approx((1.0 / 200.0, 0.5 / 200.0), rel=1e-15)


# The commands, and what the files keep


def test_the_run_command_checks_first_and_keeps_the_result(cli, tmp_path):
    words = ["--set", "run.realisations=2", "--set", "learning.epochs=2", "--out", tmp_path / "run.h5", "--quiet"]
    done = cli("run", "examples/xor.toml", *words, "--check-dt", "--check-dt-samples", 3)
    assert done.status == 0, done.err
    assert "3 samples of 2 realisations" in done.out
    assert done.out.index("exact up to rounding") < done.out.index("Margins")
    with h5py.File(tmp_path / "run.h5") as file:
        assert file.attrs["dt_check"] == b"exact"
        assert file.attrs["dt_check_tolerance"] == 1e-3
        assert file.attrs["dt_check_state_difference"] < 1e-13
    plain = tmp_path / "plain.h5"
    assert cli("run", "examples/xor.toml", *words[:5], plain, "--quiet").status == 0
    with memsim.open_run(plain) as one, memsim.open_run(tmp_path / "run.h5") as other:
        assert np.array_equal(one.total_error, other.total_error)
        assert "dt_check" not in one.file.attrs


def test_the_drive_command_checks_first_and_keeps_the_result(cli, tmp_path):
    out = tmp_path / "drive.h5"
    done = cli("drive", "examples/hysteresis.toml", "--check-dt", "--out", out, "--set", "time.dt=1e-2", "--quiet")
    assert done.status == 0, done.err
    with h5py.File(out) as file:
        assert file.attrs["dt_check"] in (b"fine", b"coarse")
        assert 1e-6 < file.attrs["dt_check_state_difference"] < 1e-2
    assert "dt = 10 ms against 5 ms and 2.5 ms" in done.out


def test_a_tolerance_out_of_bounds_is_refused(cli):
    done = cli("run", "examples/xor.toml", "--check-dt", "--check-dt-tolerance", "2")
    assert done.status == 2
    assert "tolerance: must be above 0 and below 1" in done.err
