"""Hysteresis loops of a device over frequencies and amplitudes: driving, measuring, judging."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np

from ..devices import UNBOUNDED, Device
from ..driving import drive as driving
from ..driving.drive_configuration import BankSection
from ..driving.drive_trace import FAR, DriveTrace, largest_shares
from ..driving.waveforms import Pulse
from ..errors import InputError
from ..traces.drive_file import RESPONSES, UNITS
from . import measures
from .fingerprints import Fingerprint, judge
from .loop import Loop
from .loop_configuration import LoopsConfiguration, LoopsSection

NOT_CLOSED = 1e-3  # of a state's swing: a period that ends farther from where it began is no loop yet


class LoopSweep(NamedTuple):
    """The loops of a device, and what they say about it.

    Attributes
    ----------
    config : LoopsConfiguration
    loops : tuple of Loop
        Amplitude by amplitude, frequencies rising.
    fingerprints : tuple of Fingerprint
        The three of each amplitude.
    notes : tuple of str
    """

    config: LoopsConfiguration
    loops: tuple[Loop, ...]
    fingerprints: tuple[Fingerprint, ...]
    notes: tuple[str, ...]

    @property
    def drive(self) -> str:
        """``"current"`` or ``"voltage"``."""
        return self.config.bank.drive

    @property
    def unit(self) -> str:
        """Of the drive: A or V."""
        return UNITS[self.drive]

    @property
    def response(self) -> str:
        """The other of current and voltage."""
        return RESPONSES[self.drive]

    def of_amplitude(self, amplitude: float) -> tuple[Loop, ...]:
        """The loops of one amplitude, frequencies rising."""
        return tuple(loop for loop in self.loops if loop.amplitude == amplitude)

    def is_memristor(self) -> bool:
        """Whether every fingerprint was judged and holds at every amplitude."""
        return all(fingerprint.holds is True for fingerprint in self.fingerprints)


def hysteresis_loops(
    device: Device,
    *,
    frequencies: Sequence[float] = (),
    amplitudes: Sequence[float] = (),
    waveform: Literal["sinusoid", "triangle", "pulses", "csv"] = "sinusoid",
    drive: Literal["current", "voltage"] = "current",
    initial: float | Sequence[Any] | np.ndarray | Mapping[str, Any] | None = None,
    periods: int = 2,
    steps_per_period: int = 1000,
    integrator: Literal["euler", "heun"] = "heun",
    pulses: Sequence[Pulse] | None = None,
    path: str | Path | None = None,
    threads: int = 1,
    progress: driving.Progress | None = None,
    **settings: Any,
) -> LoopSweep:
    """Drive a device at every frequency and amplitude, measure the loops, and judge the fingerprints.

    The fingerprints are those of Adhikari, Sah, Kim and Chua, 'Three
    fingerprints of memristor', IEEE Trans. Circuits and Systems I 60, 3008
    (2013): a loop that is pinched at the origin under a bipolar periodic drive,
    lobes that shrink from some frequency on, and a single-valued function in
    the limit of high frequency.

    Parameters
    ----------
    device : Device
    frequencies : sequence of float
        In Hz. The step is 1/(frequency * steps_per_period).
    amplitudes : sequence of float
        Largest magnitudes of the drive in A or V.
    waveform : {"sinusoid", "triangle", "pulses", "csv"}
    drive : {"current", "voltage"}
    initial : number, array or mapping, optional
        Starting state of every device; see :func:`memsim.drive`.
    periods : int
        2 or more; the last is the loop.
    steps_per_period : int
        A multiple of 4.
    integrator : {"euler", "heun"}
    pulses : sequence of Pulse, optional
        Of a train; starts and widths in shares of the period.
    path : path, optional
        CSV of one measured period, whose own frequency and amplitude stand
        where none are given.
    threads : int
        Threads that share the devices; 0 takes all processors.
    progress : callable, optional
        Called with the steps that are done and the steps in all.
    **settings
        ``time``, ``amplitude``, ``pinch_tolerance``, ``line_tolerance`` of
        :class:`~memsim.hysteresis.loop_configuration.LoopsSection`.

    Returns
    -------
    LoopSweep

    Raises
    ------
    InputError
        Bad input.
    RunError
        A state or a response that is no finite number.
    """
    given: dict[str, Any] = {"pulses": tuple(pulses)} if pulses is not None else {}
    section = LoopsSection(
        waveform=waveform, frequencies=tuple(frequencies), amplitudes=tuple(amplitudes), periods=periods,
        steps_per_period=steps_per_period, integrator=integrator,
        path=None if path is None else Path(path), **given, **settings,
    )  # fmt: skip
    config = LoopsConfiguration(loops=section, device=device, bank=BankSection(drive=drive, initial=initial))
    return run(config, threads=threads, progress=progress)


def run(config: LoopsConfiguration, *, threads: int = 1, progress: driving.Progress | None = None) -> LoopSweep:
    """Carry out the configuration of a sweep of loops; see :func:`hysteresis_loops`."""
    frequencies = config.loops.all_frequencies()
    steps = config.loops.periods * config.loops.steps_per_period
    found: list[Loop] = []
    for k, frequency in enumerate(frequencies):
        report = _part_of(progress, k * steps, len(frequencies) * steps)
        with driving.run(config.at(frequency), threads=threads, progress=report) as trace:
            found.extend(_loops(config, frequency, trace))
    loops = tuple(sorted(found, key=lambda loop: (loop.amplitude, loop.frequency)))
    amplitudes = config.loops.all_amplitudes()
    fingerprints = tuple(
        fingerprint
        for amplitude in amplitudes
        for fingerprint in judge([loop for loop in loops if loop.amplitude == amplitude], config)
    )
    return LoopSweep(config, loops, fingerprints, (*config.loops.notes(), *_notes(loops)))


def _part_of(progress: driving.Progress | None, before: int, total: int) -> driving.Progress | None:
    return (lambda done, _: progress(before + done, total)) if progress else None


def _loops(config: LoopsConfiguration, frequency: float, trace: DriveTrace) -> Iterator[Loop]:
    """The loop of each amplitude at one frequency."""
    first = trace.steps - config.loops.steps_per_period - 1
    voltage, current = (trace.window(name, start=first) for name in ("voltage", "current"))
    state = trace.window("state", start=first)
    state = state[:, :, None] if state.ndim == 2 else state
    furthest, stalled = largest_shares(trace).max(axis=1), trace.stalled
    for k, amplitude in enumerate(config.loops.all_amplitudes()):
        doubts = float(furthest[k]), int(stalled[k])
        yield _measured(config, frequency, amplitude, voltage[:, k], current[:, k], state[:, k], *doubts)


def _measured(
    config: LoopsConfiguration,
    frequency: float,
    amplitude: float,
    voltage: np.ndarray,
    current: np.ndarray,
    state: np.ndarray,
    furthest: float,
    stalled: int,
) -> Loop:
    drive, response = (current, voltage) if config.bank.drive == "current" else (voltage, current)
    continuous = config.loops.shape.continuous
    with np.errstate(over="ignore", invalid="ignore"):
        positive, negative = measures.lobe_areas(voltage, current)
    if not np.isfinite([positive, negative]).all():
        raise InputError(
            f"loops.amplitudes: the loop at {amplitude:g}, {frequency:g} Hz, has no finite area; take smaller ones"
        )
    lower, upper = np.array([(v.lower, v.upper) for v in config.device.state_variables()]).T
    swing = np.ptp(state, axis=0)
    ends = np.abs(state[-1] - state[0])
    return Loop(
        frequency, amplitude, voltage.copy(), current.copy(), state.copy(), positive, negative,
        zero_response=measures.response_at_zero(drive, response, continuous),
        width=measures.width(drive, response, continuous),
        off_line=measures.off_line(drive, response),
        open_end=float((ends[swing > 0] / swing[swing > 0]).max(initial=0.0)),
        at_bound=bool((((state <= lower) | (state >= upper)) & (upper < UNBOUNDED) & (swing > 0)).any()),
        furthest=furthest,
        stalled=stalled,
    )  # fmt: skip


def _notes(loops: tuple[Loop, ...]) -> list[str]:
    """What a reader of the numbers should know, one line each."""
    notes = []
    still = [loop for loop in loops if loop.open_end > NOT_CLOSED]
    if still:
        worst = max(still, key=lambda loop: loop.open_end)
        notes.append(
            f"{len(still)} of {len(loops)} periods do not end where they began (up to {worst.open_end:.2g} of the "
            f"state's swing, at {worst.frequency:g} Hz): the response is not periodic yet; take more periods"
        )
    stopped = sum(loop.at_bound for loop in loops)
    if stopped:
        notes.append(f"in {stopped} of {len(loops)} periods a state came to a bound and stopped there")
    furthest = max(loops, key=lambda loop: loop.furthest)
    if furthest.furthest > FAR:
        notes.append(
            f"a state moves by up to {furthest.furthest:.2g} of its range in one step, at {furthest.amplitude:g} and "
            f"{furthest.frequency:g} Hz; take more loops.steps_per_period, or see how much it matters with a drive's "
            "--check-dt"
        )
    stalled = sum(loop.stalled > 0 for loop in loops)
    if stalled:
        notes.append(
            f"in {stalled} of {len(loops)} drives steps cannot move a state, whose drift has vanished below its last "
            "digit: it stays for good"
        )
    return notes
