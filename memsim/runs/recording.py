"""What of a run goes into its file: the description, the chosen traces, keyframes, the counters."""

from collections.abc import Sequence

import numpy as np

from ..configuration.sections import TraceSection
from ..datasets.dataset import to_store
from ..errors import InputError
from ..fields import one_of
from ..imperfections.device_past import kept_of
from ..kernels.slots import Operation, Phase
from ..network.assembly import Assembly
from ..network.slot_table import structured
from ..provenance import environment
from ..stepping.block_set import KeyframeStates
from ..stepping.blocks import channels
from ..stepping.row_memory import Recorded
from ..traces.codecs import CodecError, codec
from ..traces.description import BankDescription, RunDescription, TracePlan
from ..traces.rows import RowsPart, Selection
from ..traces.schema import CALIBRATION, QUANTITIES, STEPS_AT_MOST
from .channels import numbered
from .counters import COUNTED, COUNTED_OF_PROGRAMMING

KEYFRAME_BYTES = 32 << 20  # of all keyframes of a run, where their distance is not given
KEYFRAMES_AT_LEAST = 20
WINDOWS_AT_MOST = 1000  # of a trace
SAMPLES_AT_LEAST = 100  # between keyframes that nobody asked for


def keyframe_interval(assembly: Assembly) -> int:
    """Samples between keyframes: as configured, or as many keyframes as fit into :data:`KEYFRAME_BYTES`.

    Without a configured one the interval divides an epoch or is a whole number
    of epochs, so that keyframes lie at epochs' ends. All lie at ends of
    mini-batches: between them the controller holds updates that it has not
    written yet.
    """
    config, samples = assembly.config, len(assembly.inputs)
    if config.trace.keyframe_samples:
        return config.trace.keyframe_samples
    states, _ = channels(assembly)
    size = 8 * (states + sum(assembly.sizes)) * len(assembly.seeds)
    total = config.learning.epochs * samples
    wanted = max(min(SAMPLES_AT_LEAST, samples), -(-total // max(KEYFRAMES_AT_LEAST, KEYFRAME_BYTES // size)))
    if wanted < samples:
        whole = (n for n in range(wanted, samples) if samples % n == 0 and n % config.learning.batch == 0)
        return next(whole, samples)
    return -(-wanted // samples) * samples


def trace_plan(assembly: Assembly) -> TracePlan:
    """Which banks, devices, realisations and steps the configuration asks to trace, and how they are stored."""
    trace = assembly.config.trace
    try:
        codec(trace.compression)
    except CodecError as error:
        raise InputError(f"{error}; pip install 'memsim[blosc]', or take 'gzip'") from None
    return TracePlan(trace_selections(assembly), trace.compression)


def trace_selections(assembly: Assembly) -> dict[str, Selection]:
    """The selection of each traced bank."""
    trace, realisations = assembly.config.trace, len(assembly.seeds)
    if trace.mode == "keyframes":
        return {}
    names = [bank.name for bank in assembly.banks]
    for name in trace.banks:
        if name not in names:
            raise InputError(f"trace.banks: must be {one_of(names, name)}")
    lanes = np.array(numbered("trace.realisations", trace.realisations, realisations))
    quantities = tuple(name for name in QUANTITIES if name in (trace.quantities or QUANTITIES))
    _check_variables(trace, assembly)
    selections = {}
    for bank in assembly.banks:
        if trace.banks and bank.name not in trace.banks:
            continue
        devices = np.array(numbered(f"trace.devices of {bank.name}", trace.devices, bank.devices))
        own = [v.name for v in bank.device.state_variables()]
        variables = np.array([k for k, name in enumerate(own) if name in (trace.variables or own)], dtype=np.int64)
        windows = _windows(trace, assembly)
        selections[bank.name] = Selection(devices, lanes, variables, quantities, trace.stride, windows)
    return selections


def _check_variables(trace: TraceSection, assembly: Assembly) -> None:
    known = {v.name for bank in assembly.banks for v in bank.device.state_variables()}
    for name in trace.variables:
        if name not in known:
            raise InputError(f"trace.variables: must be {one_of(sorted(known), name)}")


def _windows(trace: TraceSection, assembly: Assembly) -> tuple[tuple[int, int], ...]:
    """The chosen epochs and samples as stretches of steps, in order and joined; none for the whole run."""
    samples, epochs = len(assembly.inputs), assembly.config.learning.epochs
    asked = [("epochs", span, samples) for span in trace.epochs] + [("samples", span, 1) for span in trace.samples]
    found: list[tuple[int, int]] = []
    for name, (first, end), size in sorted(asked, key=lambda each: each[1][0] * each[2]):
        last = epochs if name == "epochs" else epochs * samples
        if first >= last:
            raise InputError(f"trace.{name}: must begin below {last}, the end of the run (got [{first}, {end}))")
        # Not cut at the run's end: it may go on for more epochs.
        begin, stop = (min(k * size * assembly.schedule.steps, STEPS_AT_MOST) for k in (first, end))
        if found and begin <= found[-1][1]:
            begin, stop = found[-1][0], max(stop, found.pop()[1])
        found.append((begin, stop))
    if len(found) > WINDOWS_AT_MOST:
        raise InputError(
            f"trace.epochs, trace.samples: must be at most {WINDOWS_AT_MOST} spans that do not touch "
            f"(got {len(found)}); take fewer and longer ones, or a stride"
        )
    return tuple(found)


def parts_by_bank(recorded: Recorded, assembly: Assembly) -> dict[str, list[RowsPart]]:
    """What a stretch recorded, as the trace writer takes it."""
    grouped: dict[str, list[RowsPart]] = {}
    for rows in recorded.rows:
        grouped.setdefault(assembly.banks[rows.bank].name, []).append(rows)
    return grouped


def describe(assembly: Assembly, keyframe_samples: int) -> RunDescription:
    """What is known of a run before its first step."""
    config = assembly.config
    banks = [
        BankDescription(
            bank.name,
            bank.device.model,
            bank.device.digest,
            bank.devices,
            [(v.name, v.unit, v.lower, v.upper) for v in bank.device.state_variables()],
            {each.name: getattr(bank, each.name) for each in CALIBRATION},
            states,
            tuple(kind.name.lower() for kind in kept_of(bank, config.imperfections)),
        )
        for bank, states in zip(assembly.banks, assembly.initial, strict=True)
    ]
    return RunDescription(
        program=environment(),
        configuration=config.to_toml(),
        seeds=assembly.seeds,
        data=to_store(assembly.dataset),
        watched=assembly.watched,
        slots=structured(assembly.schedule),
        dt=config.time.dt,
        sample_steps=assembly.schedule.steps,
        epochs=config.learning.epochs,
        banks=banks,
        phases=[phase.name for phase in Phase],
        operations=[operation.name for operation in Operation],
        counters=COUNTED,
        programmed=COUNTED_OF_PROGRAMMING,
        units=sum(assembly.sizes),
        keyframe_samples=keyframe_samples,
        phase_seconds=phase_seconds(assembly),
        beginning=assembly.start.beginning if assembly.start is not None else None,
    )


def phase_seconds(assembly: Assembly) -> np.ndarray:
    """Simulated time of each phase in one epoch, in s, (phases,): the schedule is the same for every sample."""
    steps = assembly.schedule.phase_steps()
    return np.array([steps[phase] for phase in Phase]) * len(assembly.inputs) * assembly.config.time.dt


def joined_keyframes(parts: Sequence[KeyframeStates]) -> KeyframeStates:
    """Keyframes of several stretches, one after the other."""
    return KeyframeStates(
        np.concatenate([part.samples for part in parts]),
        [np.concatenate(states) for states in zip(*(part.states for part in parts), strict=True)],
        np.concatenate([part.bias for part in parts]),
        [np.concatenate(past) for past in zip(*(part.past for part in parts), strict=True)],
    )
