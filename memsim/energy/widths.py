"""What the width of pulses does to energy, time and error: the same configuration again at other widths."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from ..configuration.sections import Configuration, Timing, TraceSection
from ..datasets import Dataset
from ..errors import InputError
from ..network.assembly import assemble
from ..runs import training
from ..runs.run import LEARNED
from ..runs.training import Progress
from .summary import EnergySummary, summarise


@dataclass(frozen=True)
class AtWidth:
    """A run at one width of pulses.

    Attributes
    ----------
    steps : int
        Width of READ, RESTORE and BACKREAD in steps.
    width : float
        Width of READ, RESTORE and BACKREAD in s.
    current : float
        The current that stands for a signal of 1 in A, as it was calibrated for this width.
    energy : EnergySummary
    error : (realisations,) float64
        Total error of the last epoch.
    carriers : bool
        Whether WRITEs are sums of carriers, which no threshold is below.
    """

    steps: int
    width: float
    current: float
    energy: EnergySummary
    error: np.ndarray
    carriers: bool = False

    @property
    def learned(self) -> int:
        """Realisations with a total error under 0.1."""
        return int((self.error < LEARNED).sum())


def at_width(config: Configuration, steps: int) -> Configuration:
    """A configuration with READs of so many steps, and WRITEs and their trains longer or shorter in the same ratio.

    Raises
    ------
    InputError
        A WRITE would not be of whole steps.
    """
    time, ratio = config.time, steps / config.time.read
    timing = time.model_dump(exclude={"pulse_width", "write_width", "pulse_steps", "write_steps"}, exclude_none=True)
    timing |= {"pulse_steps": steps, "write_steps": _scaled("time.write_steps", time.write, ratio)}
    write = config.write
    if write.encoding == "count":
        write = write.model_copy(
            update={
                "train_steps": _scaled("write.train_steps", write.train_steps, ratio),
                "train_gap_steps": _scaled("write.train_gap_steps", write.train_gap_steps, ratio),
            }
        )
    trace = TraceSection(compression="none")
    return config.model_copy(update={"time": Timing(**timing), "write": write, "trace": trace})


def _scaled(name: str, steps: int, ratio: float) -> int:
    scaled = round(steps * ratio)
    if abs(scaled - steps * ratio) > 1e-9 or (steps and not scaled):
        raise InputError(
            f"{name}: {steps} steps times {ratio:g} are no whole steps; take other widths, or a smaller time.dt"
        )
    return scaled


def run_at_widths(
    config: Configuration, data: Dataset, widths: Sequence[int], progress: Callable[[int], Progress] | None = None
) -> list[AtWidth]:
    """Make the same run at several widths of pulses, in memory.

    Parameters
    ----------
    config : Configuration
    data : Dataset
    widths : sequence of int
        Of READs, in steps of the configuration's dt.
    progress : callable, optional
        Of a width's number: who is told how its run goes on.

    Raises
    ------
    InputError
        A width below 1, given twice, or at which the configuration cannot be calibrated; before the first run.
    """
    if not widths or min(widths) < 1 or len(set(widths)) != len(widths):
        raise InputError(f"pulse widths: must be different numbers of steps, 1 or more (got {list(widths)})")
    configs = [at_width(config, steps) for steps in widths]
    assemblies = [assemble(each, data) for each in configs]
    found = []
    for k, (each, assembly) in enumerate(zip(configs, assemblies, strict=True)):
        with training.run(each, data, progress=progress(k) if progress else None) as run:
            energy = summarise(run)
            if run.stopped or energy is None:
                raise KeyboardInterrupt  # what a run in memory has been stopped by
            width = each.time.read * each.time.dt
            first, error = assembly.banks[0], run.total_error[-1]
            carriers = first.carried
            found.append(AtWidth(widths[k], width, first.unit_current, energy, error, carriers))
    return found


def exponent(widths: Sequence[float], values: Sequence[float]) -> float:
    """The p of values ~ widths^p, by least squares of the logarithms of magnitudes; NaN where a value is 0."""
    sizes = np.abs(np.asarray(values, dtype=np.float64))
    if len(sizes) < 2 or not (sizes > 0.0).all():
        return float("nan")
    return float(np.polyfit(np.log(np.asarray(widths, dtype=np.float64)), np.log(sizes), 1)[0])


def law(found: Sequence[AtWidth]) -> str:
    """What was found, in a sentence: how current and energies go with the width, and why."""
    widths = [each.width for each in found]
    current = exponent(widths, [each.current for each in found])
    read = exponent(widths, [float(each.energy.read.sum()) for each in found])
    write = exponent(widths, [float(each.energy.write.sum()) for each in found])
    why = (
        "a READ of 1 moves a node by the same share of its range at any width, so currents are calibrated to I ~ 1/T, "
        "and E ~ I^2 T ~ 1/T"
        if current < -0.5
        else "a READ's and a carrier's currents are the device's own at any width, so E ~ I^2 T ~ T"
        if found[0].carriers
        else "a READ's current is the device's own at any width, so its E ~ I^2 T ~ T; of a WRITE the threshold's part "
        "goes as T too, and what is beyond it, as much charge at any width, as 1/T"
    )
    return f"found: I ~ T^{current:.2f}, E_read ~ T^{read:.2f}, E_write ~ T^{write:.2f}; {why}"
