"""Packs: points whose configurations are equal but for their seeds, side by side in one run."""

import copy
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import datasets
from ..configuration.sections import Configuration, RunSection
from ..datasets import Dataset
from ..errors import InputError
from ..files.reading import parse_toml
from ..network.architectures import units_of
from ..network.sizes import refuse_memory, refuse_samples
from ..runs.channels import numbered
from ..user_models.loading import load_again, own_files
from .design import Point, points_of
from .sweep_configuration import SweepConfiguration, put

LANES_A_PACK = 128  # at most, where the sweep does not say


@dataclass(frozen=True)
class Pack:
    """Points that share a run.

    Attributes
    ----------
    number : int
    points : tuple of int
        Their numbers in the sweep.
    seeds : tuple of int
        ``run.seed`` of each.
    config : Configuration
        Of the first point; the others differ in the seed only.
    data : Dataset
    """

    number: int
    points: tuple[int, ...]
    seeds: tuple[int, ...]
    config: Configuration
    data: Dataset

    @property
    def name(self) -> str:
        """Of its run file, without the ending."""
        return f"pack-{self.number:05d}"

    def __reduce__(self) -> tuple[Any, ...]:
        """As a worker gets it, which must know the user's own models first."""
        return _received, (own_files(), self.number, self.points, self.seeds, self.config.to_toml(), self.data)

    def configuration(self, kept: Sequence[int]) -> Configuration:
        """The run of some of the points.

        Parameters
        ----------
        kept : sequence of int
            Which, counted within the pack.
        """
        run, trace = self.config.run, self.config.trace
        seeds = tuple(self.seeds[k] for k in kept)
        together = RunSection(seeds=seeds, realisations=run.realisations, threads=1)
        chosen = tuple(k * run.realisations + lane for k in range(len(kept)) for lane in trace.realisations)
        traced = trace.model_copy(update={"realisations": chosen})
        return self.config.model_copy(update={"run": together, "trace": traced})


def _received(
    files: dict[str, str], number: int, points: tuple[int, ...], seeds: tuple[int, ...], text: str, data: Dataset
) -> Pack:
    """A pack in a worker."""
    load_again(files)
    return Pack(number, points, seeds, Configuration(**parse_toml(text, "the pack's configuration")), data)


@dataclass(frozen=True)
class Plan:
    """A sweep, laid out.

    Attributes
    ----------
    config : SweepConfiguration
        With ``lanes`` and ``samples`` filled in.
    points : list of dict
        Dotted name of a field to its value, ``run.seed`` included.
    realisations : list of int
        Of each point.
    packs : list of Pack
    """

    config: SweepConfiguration
    points: list[Point]
    realisations: list[int]
    packs: list[Pack]


@dataclass(frozen=True)
class _Group:
    """Points that are equal but for their seeds."""

    config: Configuration
    data: Dataset
    points: list[int]


def plan(config: SweepConfiguration, processes: int) -> Plan:
    """Check every point, and pack those that can share a run.

    Parameters
    ----------
    config : SweepConfiguration
    processes : int
        For as many there is a pack, where the points are enough; ``sweep.lanes``
        goes before it.

    Raises
    ------
    InputError
        A point's configuration cannot be; the message has its number.
    """
    points = points_of(config)
    groups = _groups(config.base, points)
    lanes = config.sweep.lanes
    if lanes is None:
        total = sum(len(group.points) * group.config.run.realisations for group in groups)
        lanes = min(LANES_A_PACK, -(-total // processes))
    packs: list[Pack] = []
    realisations = [0] * len(points)
    for group in groups:
        each = group.config.run.realisations
        # Beside others a point that ends early would go on.
        together = 1 if group.config.learning.patience else max(1, lanes // each)
        for part in np.array_split(np.array(group.points), -(-len(group.points) // together)):
            members = tuple(part.tolist())
            packs.append(
                Pack(len(packs), members, tuple(points[k]["run.seed"] for k in members), group.config, group.data)
            )
        for k in group.points:
            realisations[k] = each
    section = config.sweep.model_copy(update={"lanes": lanes, "samples": _digest([g.data for g in groups])})
    if config.sweep.samples not in (None, section.samples):
        raise InputError("sweep.samples: the samples are not those that the sweep was made with; give the same ones")
    return Plan(config.model_copy(update={"sweep": section}), points, realisations, packs)


def _groups(base: dict[str, Any], points: list[Point]) -> list[_Group]:
    """Points by their values but the seed, in the order of the first of each; gives all their ``run.seed``."""
    found: dict[str, _Group] = {}
    loaded: dict[str, Dataset] = {}
    for number, point in enumerate(points):
        key = json.dumps({k: v for k, v in point.items() if k != "run.seed"}, sort_keys=True, default=repr)
        try:
            if key not in found:
                config = _configuration(base, point)
                source = config.data.model_dump_json()
                if source not in loaded:
                    refuse_samples(config)
                    loaded[source] = datasets.load(config.data)
                refuse_memory(config, loaded[source], units_of(config), config.run.realisations)
                found[key] = _Group(config, loaded[source], [])
            seed = point.setdefault("run.seed", found[key].config.run.seed)
            _check_seed(seed)
        except InputError as error:
            raise InputError(f"point {number}: {error}") from None
        found[key].points.append(number)
    return list(found.values())


def _configuration(base: dict[str, Any], point: Point) -> Configuration:
    """A point's whole configuration, checked."""
    values = copy.deepcopy(base)
    for name, value in point.items():
        put(values, name, value)
    config = Configuration(**values)
    if config.trace.realisations:  # each point's own; of none, all would be counted up, of which there may be too many
        numbered("trace.realisations", config.trace.realisations, config.run.realisations)
    return config


def _check_seed(seed: Any) -> None:
    try:
        RunSection(seed=seed)
    except InputError as error:
        raise InputError(*(f"run.{clause}" for clause in error.clauses)) from None


def _digest(data: Sequence[Dataset]) -> str:
    """SHA-256 of the samples of all groups, 64 hexadecimal digits."""
    digest = hashlib.sha256()
    for samples in data:
        for values in samples.arrays:
            digest.update(str(values.shape).encode())
            digest.update(values.tobytes())
    return digest.hexdigest()
