"""Verification of a run file: checksums, counters, and replays of a sample of its windows."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np

from ..datasets import of_stored
from ..errors import InputError, ReplayError, RunError, RunFileError
from ..kernels.arithmetic import ARITHMETIC
from ..network.assembly import assemble
from ..network.learning_rates import rates_of
from ..runs.programming import programmed
from ..runs.replay import (
    OTHER_ARITHMETIC,
    StoredKeyframes,
    arithmetic_of,
    check,
    replay,
    replaying_engine,
    rounds_otherwise,
    tolerance_of,
)
from ..runs.run import Run
from ..stepping.row_memory import BankRows
from ..traces.errors import NotARunFileError
from ..traces.run_file import keyframe_checksum

Report = Callable[[str, int, int], None]  # what is looked at, as "chunk" or "step", how many are done, and all


def _shown_nowhere(_: str, __: int, ___: int) -> None:
    """Show no progress."""


@dataclass(frozen=True)
class Finding:
    """The result of one check.

    Attributes
    ----------
    what : str
        What was looked at, and how much of it.
    wrong : tuple of str
        A line for each fault; empty where all is well.
    open : tuple of str
        A line for what cannot be decided here.
    """

    what: str
    wrong: tuple[str, ...]
    open: tuple[str, ...] = ()


def verify(run: Run, *, windows: int = 10, seed: int = 0, report: Report = _shown_nowhere) -> Iterator[Finding]:
    """Check a run file.

    Parameters
    ----------
    run : Run
    windows : int
        Stretches between keyframes that are replayed, chosen at random; all where
        there are fewer.
    seed : int
        Of that choice.
    report : callable, optional
        Told what is being looked at ("keyframe", "chunk", "step" of the replays),
        how many are done, and how many there are.

    Yields
    ------
    Finding
    """
    yield Finding("counters", tuple(_counters(run)))
    if run.programming is not None:
        yield Finding("writing the starting weights again", tuple(_programming(run)))
    yield _keyframes(run, report)
    for bank in run.traced:
        rows = run.trace(bank).rows
        wrong = tuple(run.stored.wrong_chunks(bank, partial(report, "chunk")))
        yield Finding(f"chunks of {bank}, {rows:,} rows", wrong)
    yield from _replays(run, windows, seed, report)


def _programming(run: Run) -> Iterator[str]:
    """Whether the starting weights that are written again are those of the file."""
    again = programmed(assemble(run.config, of_stored(run.dataset), run.seeds), threads=1)
    tolerance = tolerance_of(arithmetic_of(run.stored))
    for bank, states in zip(again.banks, again.initial, strict=True):
        about = bank.device.state_variables()[0]
        differences = np.abs(states[:, 0] - run.initial_state[bank.name][:, 0]) / (about.upper - about.lower)
        if not (differences <= tolerance).all():
            yield f"banks/{bank.name}/initial_state differs by up to {differences.max():.2g} of the range"


def _counters(run: Run) -> Iterator[str]:
    """Whether what was counted is what the run must have made; that it is there was seen when the file was opened."""
    order = run.order
    if not np.array_equal(order.reshape(-1, run.realisations), run.samples_shown(0, len(order) * run.samples)):
        yield "metrics/order is not what the seeds give"
    if not np.array_equal(run.learning_rate, _rates(run, len(order))):
        yield "metrics/learning_rate is not what the configuration gives"
    if run.best_state:
        errors = run.validation_error if run.stored.is_validated else run.total_error
        if not np.array_equal(errors[run.best_epoch, np.arange(run.realisations)], run.best_error):
            yield "best/error is not the error of best/epoch"
    for bank in run.traced:
        trace = run.trace(bank)
        if run.finished and not run.stopped and not run.stored.has_attribute("/", "replayed_from"):
            expected = trace.selection.row_of(run.steps)
            if trace.rows != expected:
                yield f"traces/{bank} has {trace.rows:,} rows, and {expected:,} were made"


def _rates(run: Run, epochs: int) -> np.ndarray:
    """The learning rates that the configuration gives."""
    return rates_of(run.config.learning, run.epochs_before, run.epochs_before + epochs)


def _keyframes(run: Run, report: Report) -> Finding:
    """Checksums of all keyframes."""
    stored, count = run.stored, len(run.stored.keyframe_samples)
    wrong = []
    for k in range(count):
        wanted, bias = stored.keyframe_checksum(k), stored.keyframe_bias(k)
        if wanted is None or bias is None:
            return Finding(f"keyframes, {count} without checksums (schema version 1)", ())
        try:
            states = [stored.keyframe_states(bank, k) for bank in run.banks]
        except RunFileError as error:
            wrong.append(f"keyframe {k}: {error}")
            continue
        found = keyframe_checksum(states, bias, stored.keyframe_past(k))
        if found != wanted:
            wrong.append(f"keyframe {k} has the checksum {found:08x}, not {wanted:08x}")
        report("keyframe", k + 1, count)
    return Finding(f"checksums of {count} keyframes", tuple(wrong))


def _replays(run: Run, windows: int, seed: int, report: Report) -> Iterator[Finding]:
    """Replay stretches between keyframes, and compare with the next keyframe and with what was stored."""
    if windows < 0:
        raise InputError(f"windows: must be 0 or more (got {windows})")
    samples = run.stored.keyframe_samples
    candidates = _with_rows(run, samples)
    count = min(windows, len(candidates))
    chosen = np.sort(np.random.default_rng(seed).choice(candidates, count, replace=False))
    spans = [(int(samples[k - 1]) if k else 0, int(samples[k])) for k in chosen]
    done, steps = 0, sum(last - first for first, last in spans) * run.sample_steps
    if arithmetic_of(run.stored) != ARITHMETIC and spans:
        compared = f"they are compared to {OTHER_ARITHMETIC:g} of each range"
        yield Finding("replays", (), (f"{rounds_otherwise(arithmetic_of(run.stored))}; {compared}",))
    for first, last in spans:
        told = partial(_tell_of_part, report, done, steps)
        wrong, differing = _replay_of(run, first, last, told)
        what = f"replay of samples {first} to {last - 1}"
        same = arithmetic_of(run.stored) == ARITHMETIC
        yield Finding(what, (*wrong, *differing)) if same else Finding(what, wrong, differing)
        done += (last - first) * run.sample_steps


def _tell_of_part(report: Report, before: int, steps: int, done: int) -> None:
    """Tell how far all replays are by how far one is."""
    report("step", before + done, steps)


def _with_rows(run: Run, samples: np.ndarray) -> np.ndarray:
    """Keyframes whose stretch before them has stored rows; all where none has."""
    ends = samples * run.sample_steps
    begins = np.concatenate([[0], ends[:-1]])
    kept = np.zeros(len(samples), dtype=bool)
    for bank in run.traced:
        for first, last in run.trace(bank).selection.spans(0, run.steps):
            kept |= (begins < last) & (ends > first)
    return np.flatnonzero(kept) if kept.any() else np.arange(len(samples))


def _replay_of(
    run: Run, first: int, last: int, report: Callable[[int], None]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What is wrong with the file, and how a replay of it differs."""
    differing: list[str] = []
    engine = replaying_engine(run.assembly, run.traced)
    keyframes = StoredKeyframes(run.stored, range(run.realisations))
    try:
        for stretch in replay(engine, keyframes, first, last):
            for rows in stretch.recorded.rows:
                name = run.banks[rows.bank]
                here = slice(stretch.first_step, stretch.first_step + stretch.steps)
                differing += _compare(run, name, here, rows)
            engine.recycle(stretch.recorded)
            report(stretch.first_step + stretch.steps - first * run.sample_steps)
        check(engine, keyframes.at(int(np.searchsorted(keyframes.samples, last))), keyframes.arithmetic)
    except ReplayError as error:
        differing.append(str(error))
    except (RunError, NotARunFileError) as error:
        return (str(error),), tuple(differing)
    finally:
        engine.close()
    return (), tuple(differing)


def _compare(run: Run, bank: str, here: slice, rows: BankRows) -> Iterator[str]:
    """Replayed rows of some realisations with the ones that the file keeps of the same steps."""
    selection = run.trace(bank).selection
    _, lanes, stored = np.intersect1d(rows.realisations, selection.realisations, return_indices=True)
    if len(lanes) == 0:
        return
    for quantity in selection.quantities:
        steps, kept = run.kept(bank, quantity, here.start, here.stop)
        if len(steps) == 0:
            continue
        made = getattr(rows, quantity)
        if quantity == "state":
            made = made[:, :, selection.variables]
            made = made[:, :, 0] if made.shape[2] == 1 else made
        made, kept = made[steps - here.start][:, selection.devices][..., lanes], kept[..., stored]
        if not np.array_equal(made, kept) and not _near(made, kept, tolerance_of(arithmetic_of(run.stored))):
            worst = float(np.nanmax(np.abs(made - kept)))
            span = f"steps {here.start} to {here.stop}"
            yield f"traces/{bank}/{quantity} differs from the replay of {span} by up to {worst:.3g}"


def _near(made: np.ndarray, kept: np.ndarray, tolerance: float) -> bool:
    """Whether rows, (steps, devices, ...), are as near to each other as a share of what each channel holds at most."""
    return bool((np.abs(made - kept) <= tolerance * np.abs(kept).max(axis=(0, 1))).all())
