"""What a Python user calls to have runs made: a configuration loaded, carried out, or a network trained on samples."""

from __future__ import annotations  # help() then shows types as they are written here

import inspect
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, TypedDict, Unpack

from numpy.typing import ArrayLike

from .. import datasets
from ..configuration.imperfections import ImperfectionsSection, PeripherySection
from ..configuration.sections import (
    Configuration,
    DataSection,
    LearningSection,
    RunSection,
    Timing,
    TraceSection,
    WriteEncoding,
    load_configuration,
)
from ..datasets import Dataset, split
from ..errors import InputError
from ..fields import did_you_mean, in_one_line
from ..files.reading import refuse_no_file
from ..network.networks import Network
from ..network.sizes import refuse_samples
from . import training
from .given_samples import samples_of, warn_of_raw
from .run import Run
from .sources import is_run_file, load_source, refuse_target, start_of
from .telling import Callback, told

# What other libraries call the parameters of train.
KNOWN_AS = {
    **dict.fromkeys(("lr", "rate", "eta", "learning_rate_init"), "learning_rate"),
    **dict.fromkeys(("max_iter", "n_epochs", "num_epochs", "nb_epoch"), "epochs"),
    **dict.fromkeys(("random_state", "rng"), "seed"),
    **dict.fromkeys(("batch_size", "mini_batch"), "batch"),
    **dict.fromkeys(("validation_split", "validation_fraction"), "validation"),
    **dict.fromkeys(("n_iter_no_change", "early_stopping"), "patience"),
    **dict.fromkeys(("n_jobs", "workers"), "threads"),
    **dict.fromkeys(("targets", "labels", "classes"), "y"),
    **dict.fromkeys(("path", "file", "filename"), "out"),
}
# What to write for those whose value means something else here.
WRITTEN = {"early_stopping": "patience=10", "n_jobs": "threads=0 for all processors"}


class LearningFields(TypedDict, total=False):
    """The fields of :class:`~memsim.configuration.LearningSection` that are no parameters of :func:`train` by name.

    Checkers of types read them here; a test holds them to the section's.
    """

    shuffle: bool
    batch: int
    schedule: Literal["constant", "step", "exponential", "cosine"]
    decay: float
    decay_epochs: int
    patience: int
    keep_best: bool
    bias_rule: Literal["gradient", "printed", "none"]
    output_gradient: Literal["error", "printed"]
    bias_current: Literal["update", "printed"]


def load(path: str | Path, overrides: Mapping[str, Any] | None = None) -> Configuration:
    """Read and check a configuration file.

    Parameters
    ----------
    path : path
        TOML. Paths in it are relative to its folder.
    overrides : mapping, optional
        Fields to change, by their dotted names: ``{"run.seed": 1, "learning.epochs": 50}``.

    Raises
    ------
    InputError
        Anything that is wrong with either, by the name of the field.
    """
    file = _path("path", path)
    refuse_no_file(file)
    if is_run_file(file):
        raise InputError(f"{file}: is a run file; memsim.open_run({str(file)!r}).config is its configuration")
    return load_configuration(file, overrides=overrides or {})


def run(
    config: Configuration | str | Path,
    data: Dataset | None = None,
    *,
    out: str | Path | None = None,
    overwrite: bool = False,
    resume: bool = False,
    start: Run | None = None,
    verbose: bool | None = None,
    callback: Callback | None = None,
) -> Run:
    """Carry out a configuration, every pulse stepped.

    Parameters
    ----------
    config : Configuration or path
        From :func:`load`; or a configuration file; or a run file, whose run is made again on its own samples.
    data : Dataset, optional
        Samples, for a configuration that says ``data.arrays``; those that the configuration names where not given.
    out : path, optional
        A run file; the run is kept in memory where none is given.
    overwrite : bool
        Whether a file that exists may be replaced.
    resume : bool
        Go on from the last keyframe of ``out``, where that exists: the same bits as without the interruption.
    start : Run, optional
        Go on with the devices of another run, as :func:`train` does.
    verbose, callback
        As of :func:`train`.

    Returns
    -------
    Run

    Raises
    ------
    InputError
        Settings or data that cannot work, or a file that cannot be continued with them; nothing has been written then.
    """
    begun = None if start is None else start_of(start)
    if not isinstance(config, Configuration):
        source = _path("config", config)
        config, named, earlier = load_source(source)
        data, begun = data or named, begun or earlier
        out = source if resume and out is None and is_run_file(source) else out
        if out is not None and not resume:
            refuse_target(source, _path("out", out), overwrite)
    if resume and out is None:
        raise InputError("resume: goes on with a run file; name it with out='FILE.h5'")
    if resume and overwrite:
        raise InputError("resume: goes on with the file, overwrite=True replaces it; give one of them")
    if data is None:
        refuse_samples(config)
        data = datasets.load(config.data)
    with told(config.learning.epochs, verbose, callback) as telling:
        return training.run(config, data, start=begun, out=out, overwrite=overwrite, resume=resume, **telling)


def train(
    network: Network,
    data: Dataset | ArrayLike,
    y: ArrayLike | Sequence[str] | None = None,
    *,
    epochs: int = 1000,
    learning_rate: float = 0.1,
    seed: int | None = None,
    realisations: int | None = None,
    threads: int = 0,
    validation: float = 0.0,
    scaling: datasets.Kind = "none",
    time: Timing | dict[str, Any] | None = None,
    write: WriteEncoding | dict[str, Any] | None = None,
    trace: TraceSection | dict[str, Any] | None = None,
    imperfections: ImperfectionsSection | dict[str, Any] | None = None,
    periphery: PeripherySection | dict[str, Any] | None = None,
    out: str | Path | None = None,
    overwrite: bool = False,
    start: Run | None = None,
    verbose: bool | None = None,
    callback: Callback | None = None,
    **learning: Unpack[LearningFields],
) -> Run:
    """Train a network on samples, every pulse stepped.

    Parameters
    ----------
    network : Network
        From :func:`~memsim.MultilayerPerceptron` or :func:`~memsim.SingleLayerPerceptron`.
    data : Dataset or (samples, inputs) array-like
        A data set, or inputs in units of the network's unit current: about 0 to 1, or -1 to 1. A warning tells of
        inputs beyond -2 to 2, as raw features: they need ``scaling``.
    y : (samples,) or (samples, outputs) array-like, optional
        Of inputs: a class for each sample, as texts, booleans or whole numbers; or targets, which are real numbers.
        Classes 0.0 and 1.0 are targets too: ``y.astype(int)`` makes classes of them.
    epochs : int
        Passes over all samples.
    learning_rate : float
        eta, above 0. Where the error grows, try a tenth of it.
    seed : int, optional
        Of starting weights and shuffles; 0 where not given.
    realisations : int, optional
        Runs from seeds of their own, side by side; 1 where not given.
    threads : int
        0 takes all processors. The results do not depend on it.
    validation : float
        Share of the samples that is held back, to validate after each epoch.
        A data set may bring such samples of its own instead.
    scaling : {"none", "range", "common-range", "standard"}
        How inputs become currents, by the samples to learn: as they are, each column by its range to 0 to 1, all
        columns by one range, or each by its mean and standard deviation. ``"range"`` suits most data; standardised
        inputs go beyond -1 to 1, and need a small learning rate.
    time : Timing or dict, optional
        The step in s, widths of pulses, the integrator: ``{"dt": 1e-4}``.
    write : WriteEncoding or dict, optional
        How a change of a weight becomes pulses: ``{"encoding": "width"}``.
    trace : TraceSection or dict, optional
        What is kept of every step: ``{"mode": "full"}``. Whatever is not kept is computed again when it is asked for.
    imperfections : ImperfectionsSection or dict, optional
        Of each kind of bank: ``{"synapse": {"write_noise": 0.1}}``.
    periphery : PeripherySection or dict, optional
        Of drivers and read-outs, alike: ``{"synapse": {"driver_bits": 8, "driver_range": 0.01}}``.
    out : path, optional
        A run file; the run is kept in memory where none is given.
    overwrite : bool
        Whether a file that exists may be replaced.
    start : Run, optional
        Go on with the devices of another run as they are at its last keyframe, on these samples: their states, their
        past, and the currents that were calibrated for them. Seeds, realisations, imperfections and periphery are that
        run's.
    verbose : bool, optional
        Whether a bar is shown, or lines where there is no terminal; only in a notebook where it is not given. False
        says nothing of what is compiled, either.
    callback : callable, optional
        Is given an :class:`~memsim.EpochReport` after each epoch. Where it returns False or raises
        :class:`~memsim.StopTraining`, the run ends in good order at its next keyframe, and is ``stopped``.
    **learning
        Other fields of :class:`~memsim.configuration.LearningSection`, as ``batch``, ``shuffle``, and ``patience``,
        epochs without a lower error after which the run ends.

    Returns
    -------
    Run
        Its ``history``, ``plot()`` and ``weights`` tell how it went. Ctrl-C, or the stop button of a notebook, ends the
        training early: what was learned until then is returned, and is ``stopped``.

    Raises
    ------
    InputError
        Settings or data that cannot work; nothing has been written then.

    See Also
    --------
    memsim.evaluate : Outputs of the trained network for any inputs.
    memsim.classification : Accuracy on samples of known classes.

    Examples
    --------
    >>> network = memsim.MultilayerPerceptron([4, 8, 3])
    >>> run = memsim.train(network, X, y, scaling="range", learning_rate=0.01, epochs=100)
    >>> memsim.classification(run, inputs=X_test, labels=y_test).accuracy
    """
    _refuse_no_network(network)
    _refuse_names_of_others(learning)
    samples = samples_of(data, y, _outputs(network))
    begun = None if start is None else start_of(start)
    flaws = {"imperfections": imperfections, "periphery": periphery}
    sections: dict[str, Any] = {"time": time, "write": write, "trace": trace}
    config = Configuration(
        **_taken_over(start, {"seed": seed, "realisations": realisations, **flaws}, threads),
        **{name: section for name, section in sections.items() if section is not None},
        network=network.section,
        devices=network.devices,
        learning=_learning(learning_rate, epochs, learning),
        data=DataSection(arrays=samples.name, validation=validation, beyond=samples.beyond),
    )
    parted = datasets.scaled(split(samples, validation), scaling)
    warn_of_raw(parted)
    with told(epochs, verbose, callback) as telling:
        return training.run(config, parted, start=begun, out=out, overwrite=overwrite, **telling)


def _learning(rate: float, epochs: int, others: Mapping[str, Any]) -> LearningSection:
    """The section of learning; what is wrong with it is said by the names that ``train`` has."""
    try:
        return LearningSection(rate=rate, epochs=epochs, **others)
    except InputError as error:
        raise InputError(*(re.sub("^rate:", "learning_rate:", clause) for clause in error.clauses)) from None


def _taken_over(start: Run | None, given: dict[str, Any], threads: int) -> dict[str, Any]:
    """The sections that a run has from the one that it goes on from, or from what was given."""
    if start is None:
        lanes = 1 if given["realisations"] is None else given["realisations"]
        flaws = {name: given[name] for name in ("imperfections", "periphery") if given[name] is not None}
        return {"run": RunSection(seed=given["seed"] or 0, realisations=lanes, threads=threads), **flaws}
    for name, value in given.items():
        if value is not None:
            raise InputError(
                f"{name}: is that of the run that start goes on from (got {in_one_line(value)}); leave it out"
            )
    return {
        "run": start.config.run.model_copy(update={"threads": threads}),
        "imperfections": start.config.imperfections,
        "periphery": start.config.periphery,
    }


def _outputs(network: Network) -> int:
    return network.section.widths[-1]


def _refuse_no_network(network: Any) -> None:
    """Refuse what is no network, where the order of the arguments was another."""
    if not isinstance(network, Network):
        raise InputError(
            f"network: must be a network, as memsim.MultilayerPerceptron((2, 2, 1)) makes it (got "
            f"{type(network).__name__})"
        )


def _refuse_names_of_others(learning: Mapping[str, Any]) -> None:
    """Refuse a parameter under the name that it has elsewhere, with the one that it has here."""
    for name, value in learning.items():
        if name in KNOWN_AS:
            written = WRITTEN.get(name, f"{KNOWN_AS[name]}={in_one_line(value)}")
            raise InputError(f"{name}: is called {KNOWN_AS[name]} here; write {written}")
        if name not in LearningSection.model_fields:
            known = [*inspect.signature(train).parameters, *LearningSection.model_fields]
            raise InputError(f"{name}: train has no such parameter{did_you_mean(name, known)}; see help(memsim.train)")


def _path(name: str, given: Any) -> Path:
    """What the user named, as a path."""
    if not isinstance(given, str | Path):
        raise InputError(f"{name}: must be the path of a file (got {in_one_line(given)})")
    return Path(given)
