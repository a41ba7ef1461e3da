"""Every refusal of settings, samples and devices that do not go together: asked once, where a run is laid out.

A file that is opened is asked :func:`refuse` too. What only one kind of network cannot have is refused by its
:class:`~memsim.network.architecture.Architecture`, and sizes beyond all bounds in :mod:`memsim.network.sizes`.
"""

import math
from collections.abc import Sequence

from ..calibration.bank import BankCalibration
from ..configuration.sections import Configuration
from ..datasets import Dataset
from ..errors import InputError
from ..imperfections import refusals as of_imperfections
from .architecture import architecture_of


def refuse(config: Configuration) -> None:
    """Refuse sections that do not go together, whatever the samples are.

    Raises
    ------
    InputError
        Naming the field that would have to change.
    """
    if config.write.encoding == "width" and config.time.write < 2:
        raise InputError(f"time.write_steps: must be 2 or more for writes by width (got {config.time.write})")
    architecture_of(config).refuse(config)


def refuse_samples(config: Configuration, data: Dataset) -> None:
    """Refuse samples that do not go with the network, or with how it learns from them.

    Raises
    ------
    InputError
        Naming the field or the data set.
    """
    if data.classes is not None:
        _refuse_classes(config, data)
    _refuse_widths(config, data)
    if config.learning.batch > len(data.inputs):
        raise InputError(
            f"learning.batch: must be at most {len(data.inputs)}, the samples of an epoch (got {config.learning.batch})"
        )
    _refuse_within_batches(config.trace.keyframe_samples, len(data.inputs), config.learning.batch)
    for part in ("validation", "test"):
        share = getattr(config.data, part)
        if share and part not in data.held_back:
            raise InputError(
                f"data.{part}: needs samples that were held back, by memsim.datasets.split (got {share:g}, and none)"
            )


def _refuse_classes(config: Configuration, data: Dataset) -> None:
    """Refuse classes that the outputs cannot tell apart, or of which there is nothing to learn."""
    assert data.classes is not None
    names, outputs = data.classes.names, config.network.widths[-1]
    if outputs != len(names) and (outputs, len(names)) != (1, 2):
        raise InputError(architecture_of(config).unfit_classes(config, data.name, len(names), outputs))
    missing = set(range(len(names))) - set(data.class_numbers.tolist())
    if missing:
        name = names[min(missing)]
        raise InputError(f"{data.name}: the class {name!r} has no sample to learn; give it one, or leave it out")


def _refuse_within_batches(interval: int, samples: int, batch: int) -> None:
    """Refuse keyframes that would come between the samples of a mini-batch."""
    if interval % samples and math.gcd(interval, samples) % batch:
        raise InputError(
            f"trace.keyframe_samples: must lie at ends of mini-batches of learning.batch = {batch} samples, in epochs "
            f"of {samples} (got {interval}); take a multiple of {samples}, or 0"
        )


def _refuse_widths(config: Configuration, data: Dataset) -> None:
    """Refuse samples that are wider or narrower than the network; classes come to stand on its outputs."""
    first, *_, last = config.network.widths
    targets = last if data.classes is not None else data.targets.shape[1]
    for side, wanted, found in (("inputs", first, data.inputs.shape[1]), ("targets", last, targets)):
        if found != wanted:
            raise InputError(
                f"network.{config.network.size_field}: gives {wanted} {side} a sample, but {data.name} has {found}; "
                f"make them equal"
            )


def refuse_devices(config: Configuration, banks: Sequence[BankCalibration]) -> None:
    """Refuse a solver and imperfections that the calibrated devices cannot have.

    Raises
    ------
    InputError
        Naming the field.
    """
    for bank in banks:
        if config.time.solver == "exact" and bank.learns and not bank.device.functions().has_closed_form:
            raise InputError(
                f"time.solver: must be 'stepping' for {bank.name}, since a {bank.device.model} has no closed form of a "
                f"pulse (got 'exact')"
            )
    of_imperfections.refuse(banks, config.imperfections, config.periphery, config.time)
