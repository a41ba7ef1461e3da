"""Where a run comes from: a configuration file, or the run file of an earlier run."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from .. import datasets
from ..configuration.sections import Configuration, load_configuration, override, resolve_paths
from ..datasets import Dataset
from ..errors import InputError, RunFileError
from ..files.reading import refuse_no_file
from ..network.sizes import refuse_samples
from ..network.starting import Start, stored_start
from ..traces.description import Beginning
from ..traces.files import is_hdf5
from ..traces.samples import StoredDataset
from ..traces.schema import SCHEMA
from .opening import open_run
from .replay import StoredKeyframes
from .run import Run

RUN_FILES = (".h5", ".hdf5")  # broken ones are no configurations, and an empty file would be one


def is_run_file(path: Path) -> bool:
    """Whether a path is taken for a run file, whole or broken, and not for a configuration."""
    return path.suffix.lower() in RUN_FILES or is_hdf5(path)


class Source(NamedTuple):
    """What a run is made from; where it begins, if that is with the devices of another run."""

    config: Configuration
    data: Dataset
    start: Start | None


def load_source(path: Path, assignments: Sequence[str] = ()) -> Source:
    """What a run is made from, by TOML or by a run file.

    A run file gives its effective configuration and its own samples, so that
    running it again gives the same bits, whatever became of a CSV file.
    With other settings of the data the samples are read anew, from a CSV file only where the assignments name it.

    Raises
    ------
    InputError
        Anything that is wrong with either.
    """
    refuse_no_file(path)
    if not is_run_file(path):
        config = load_configuration(path, list(assignments))
        refuse_samples(config)
        return Source(config, datasets.load(config.data), None)
    try:
        with open_run(path) as earlier:
            values, stored, start = earlier.configuration, earlier.dataset, stored_start(earlier.stored)
    except RunFileError as error:
        raise InputError(str(error)) from None
    config, data = _configured_anew(path, values, stored, assignments)
    # Weights that were written are written again: with the same settings by the same pulses.
    return Source(config, data, start if start is not None and start.beginning.after_others else None)


def _configured_anew(
    path: Path, values: dict[str, Any], stored: StoredDataset, assignments: Sequence[str]
) -> tuple[Configuration, Dataset]:
    """Configuration and samples of a run file, some fields of them changed."""
    before = values.get("data")
    values = override(values, list(assignments))
    resolve_paths(values.get("data"), Path.cwd())
    config = Configuration(**values)
    changed = [name for name in (each.partition("=")[0].strip() for each in assignments) if name.startswith("data.")]
    if not changed or not before:
        return config, datasets.of_stored(stored)
    if config.data.csv is not None and "data.csv" not in changed:
        raise InputError(
            f"{changed[0]}: the samples would be read anew from {config.data.csv!r}, which {path} names; "
            f"a path that a run file names is not followed unasked: give it too, --set data.csv=FILE"
        )
    refuse_samples(config)
    return config, datasets.load(config.data)


def refuse_target(source: Path, target: Path, overwrite: bool) -> None:
    """Refuse to write a new run over its own source, and over an unfinished run by mistake.

    Parameters
    ----------
    source, target : Path
        ``source`` was loaded.
    overwrite : bool
        Whether another file that exists may be replaced.

    Raises
    ------
    InputError
    """
    if not target.exists():
        return
    if target.samefile(source):
        if is_run_file(source):
            raise InputError(
                f"{target}: is the run itself; resume=True goes on with it, out=FILE makes it again under another name"
            )
        raise InputError(f"{target}: is the configuration itself; name another file with out=FILE")
    if not overwrite and _goes_on(target):
        raise InputError(
            f"{target}: exists; name another file, go on with its run by resume=True, "
            f"or allow it to be replaced with overwrite=True"
        )


def _goes_on(path: Path) -> bool:
    """Whether a file holds a run that was killed or stopped, which --resume can go on with."""
    try:
        with open_run(path) as run:
            window = run.stored.has_attribute("/", "replayed_from")
            return run.stored.integer("/", "schema_version") == SCHEMA and not (
                run.live or window or (run.finished and not run.stopped)
            )
    except RunFileError:
        return False


def start_of(run: Run) -> Start:
    """The devices of a run as they are at its last keyframe, its end where it is finished.

    Raises
    ------
    InputError
        It is no open run, has no keyframe yet, or its file is of an earlier schema.
    """
    if not isinstance(run, Run):
        raise InputError(f"start: must be a run, as memsim.open_run opens it (got {run!r})")
    if run.closed:
        raise InputError("start: is a run that has been closed; open it again")
    keyframes = StoredKeyframes(run.stored, range(run.realisations))
    at = keyframes.at(len(keyframes.samples) - 1)
    if at.sample == 0 or len(at.bias) == 0:
        raise InputError(f"start: {run.path or 'the run'} has no keyframe of schema version 2 to go on from")
    before = run.stored.beginning
    epochs, steps = at.sample // run.samples, at.sample * run.sample_steps
    if before is not None:
        epochs, steps = epochs + before.epochs, steps + before.steps
    return Start(run.seeds, tuple(at.states), Beginning(epochs, steps, at.bias, tuple(at.past)), run.calibration)
