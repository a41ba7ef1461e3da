"""The configuration of a sweep: a base, a design, and the fields that differ from point to point."""

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

import tomli_w
from pydantic import Field, field_validator, model_validator

from ..configuration.sections import override, resolve_paths
from ..errors import InputError
from ..fields import Settings
from ..files.reading import read_toml
from ..runs.sources import is_run_file

POINTS_AT_MOST = 100_000
DRAWN = ("random", "sobol")


class Range(Settings):
    """Values of a field of a random or a Sobol design: ``{ low = ..., high = ... }``."""

    low: float = Field(..., description="smallest value")
    high: float = Field(..., description="largest value")
    scale: Literal["linear", "log"] = Field(default="linear", description="what is uniform: the value or its logarithm")
    integer: bool = Field(default=False, description="whole numbers, both bounds included")

    @model_validator(mode="after")
    def _usable(self) -> "Range":
        if not self.low < self.high:
            raise ValueError(f"high: must be greater than low = {self.low:g} (got {self.high:g})")
        if self.scale == "log" and self.low <= 0:
            raise ValueError(f"low: must be greater than 0 for scale = 'log' (got {self.low:g})")
        for name in ("low", "high") if self.integer else ():
            if not float(getattr(self, name)).is_integer():
                raise ValueError(f"{name}: must be a whole number for integer = true (got {getattr(self, name):g})")
        return self

    def at(self, share: float) -> int | float:
        """The value at a share of the range, from 0 up to 1."""
        high = self.high + 1 if self.integer else self.high
        value = self.low * (high / self.low) ** share if self.scale == "log" else self.low + share * (high - self.low)
        bounded = min(max(value, self.low), self.high)
        return math.floor(bounded) if self.integer else bounded


class SweepSection(Settings):
    """``[sweep]``: where the points start from, and how they are laid out."""

    base: str | None = Field(
        default=None, description="configuration file that the points change; sections under [base] go over it"
    )
    design: Literal["grid", "list", "random", "sobol"] = Field(
        default="grid", description="all combinations, rows, or points drawn at random or by Sobol"
    )
    points: int | None = Field(default=None, ge=1, le=POINTS_AT_MOST, description="random, sobol: how many are drawn")
    seed: int = Field(default=0, ge=0, lt=2**63, description="random, sobol: seed of the design")
    seeds: tuple[int, ...] = Field(
        default=(), description="values of run.seed that each point is run with; or { first, last }, both included"
    )
    data_seeds: tuple[int, ...] = Field(
        default=(), description="values of data.seed, one for each of seeds; or { first, last }, both included"
    )
    lanes: int | None = Field(
        default=None, ge=1, description="realisations side by side in a pack at most; chosen where it is not given"
    )
    samples: str | None = Field(
        default=None, description="SHA-256 of the samples; in the sweep.toml of an output folder"
    )

    @field_validator("seeds", "data_seeds", mode="before")
    @classmethod
    def _range_of_seeds(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        first, last = value.get("first"), value.get("last")
        if set(value) != {"first", "last"} or type(first) is not int or type(last) is not int:
            raise ValueError("must be a list, or { first = N, last = N } of whole numbers")
        if not 0 <= last - first < POINTS_AT_MOST:
            raise ValueError(f"must have last >= first, and at most {POINTS_AT_MOST} (got {first} to {last})")
        return tuple(range(first, last + 1))

    @field_validator("seeds")
    @classmethod
    def _each_seed_once(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        _refuse_repeated(value)
        return value

    @model_validator(mode="after")
    def _of_its_design(self) -> "SweepSection":
        if self.design in DRAWN and self.points is None:
            raise ValueError(f"points: is missing; say how many points a {self.design} design draws")
        if self.design not in DRAWN and self.points is not None:
            raise ValueError(f"points: is for design = 'random' or 'sobol' (got {self.points} with {self.design!r})")
        if self.data_seeds and len(self.data_seeds) != len(self.seeds):
            raise ValueError(
                f"data_seeds: must be as many as seeds, one for each (got {len(self.data_seeds)} and {len(self.seeds)})"
            )
        if self.design not in DRAWN and self.seed != 0:
            raise ValueError(
                f"seed: is of a random or a Sobol design (got {self.seed} with {self.design!r}); "
                f"seeds of the runs are sweep.seeds or fields.run.seed"
            )
        return self


class SweepConfiguration(Settings):
    """All of a sweep.

    Attributes
    ----------
    sweep : SweepSection
    fields : dict
        Dotted name of a field to its values: a tuple, or a :class:`Range`.
    base : dict
        The configuration that the points change, as nested dictionaries.
    """

    sweep: SweepSection
    fields: dict[str, Any] = Field(default={}, description="dotted names of fields, with their values")
    base: dict[str, Any] = Field(default={}, description="the configuration that the points change")

    @field_validator("fields", mode="before")
    @classmethod
    def _by_dotted_names(cls, value: Any) -> Any:
        return dict(_flattened(value, "")) if isinstance(value, dict) else value

    @model_validator(mode="after")
    def _laid_out(self) -> "SweepConfiguration":
        if not self.fields and not self.sweep.seeds:
            raise ValueError("fields: give at least one field with its values, or sweep.seeds")
        _refuse_fields_of_the_sweep(self)
        design = self.sweep.design
        for name, values in self.fields.items():
            if isinstance(values, Range):
                if design not in DRAWN:
                    raise ValueError(f"fields.{name}: a range is for random and Sobol designs; a {design} takes a list")
            elif not values:
                raise ValueError(f"fields.{name}: has no values; give at least one")
        lengths = {name: len(values) for name, values in self.fields.items() if not isinstance(values, Range)}
        if design == "list" and len(set(lengths.values())) > 1:
            shown = ", ".join(f"{name} has {length}" for name, length in lengths.items())
            raise ValueError(f"fields: lists must be of one length, a value for each point ({shown})")
        if self.count > POINTS_AT_MOST:
            raise ValueError(f"fields: make {self.count:,} points, and at most {POINTS_AT_MOST:,} can be swept")
        if design == "grid":
            for name, values in self.fields.items():
                _refuse_repeated(values, f"fields.{name}: ")
        if design == "list":
            _refuse_repeated(list(zip(*self.fields.values(), strict=True)), "fields: ")
        return self

    @property
    def count(self) -> int:
        """How many points there are."""
        lengths = [len(values) for values in self.fields.values() if not isinstance(values, Range)]
        if self.sweep.design == "grid":
            laid_out = math.prod(lengths)
        else:
            laid_out = self.sweep.points or (lengths[0] if lengths else 1)
        return laid_out * max(1, len(self.sweep.seeds))

    def values(self) -> dict[str, Any]:
        """The sweep as nested dictionaries, as TOML has them."""
        nested: dict[str, Any] = {}
        for name, values in self.fields.items():
            put(nested, name, values.model_dump() if isinstance(values, Range) else list(values))
        sweep = self.sweep.model_dump(mode="json", exclude_none=True, exclude_defaults=True)
        return {"sweep": {"design": self.sweep.design, **sweep}, "fields": nested, "base": self.base}

    def to_toml(self) -> str:
        """The effective configuration as TOML, its base included."""
        return tomli_w.dumps(self.values())


def _flattened(values: dict[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    """Dotted names with a tuple or a range each."""
    for key, value in values.items():
        name = f"{prefix}{key}"
        if isinstance(value, Range | tuple):
            yield name, value
        elif isinstance(value, list):
            yield name, tuple(value)
        elif isinstance(value, dict) and {"low", "high"} & set(value):
            try:
                yield name, Range(**value)
            except InputError as error:
                raise InputError(*(f"{name}.{clause}" for clause in error.clauses)) from None
        elif isinstance(value, dict):
            yield from _flattened(value, f"{name}.")
        else:
            raise ValueError(f"{name}: must be a list of values, or a range {{ low, high }} (got {value!r})")


def _refuse_fields_of_the_sweep(config: SweepConfiguration) -> None:
    """Refuse what packs need for themselves, and a seed that is given twice."""
    run = config.base.get("run")
    own = run if isinstance(run, dict) else {}
    if "run.seeds" in config.fields or "seeds" in own:
        raise ValueError("run.seeds: are what a pack puts side by side; give sweep.seeds, or fields.run.seed")
    if "run.threads" in config.fields:
        raise ValueError("fields.run.threads: changes no result; processes=N says how many packs run side by side")
    if "run.seed" in config.fields and config.sweep.seeds:
        raise ValueError("sweep.seeds: give either sweep.seeds or fields.run.seed, not both")
    if "data.seed" in config.fields and config.sweep.data_seeds:
        raise ValueError("sweep.data_seeds: give either sweep.data_seeds or fields.data.seed, not both")
    for name in config.fields:
        if len(name.split(".")) < 2:
            raise ValueError(f"fields.{name}: must be a dotted name, as learning.rate")


def _refuse_repeated(values: Sequence[Any], of: str = "") -> None:
    """Refuse a value, or a row of a list design, that would be run twice."""
    seen: set[Any] = set()
    for value in values:
        key = _hashable(value)
        if key in seen:
            raise ValueError(f"{of}must have each value once (got {_shown(value)} twice)")
        seen.add(key)


def _hashable(value: Any) -> Any:
    if isinstance(value, dict):
        return tuple((name, _hashable(each)) for name, each in sorted(value.items()))
    return tuple(map(_hashable, value)) if isinstance(value, list | tuple) else value


def _shown(value: Any) -> str:
    return ", ".join(map(repr, value)) if isinstance(value, tuple) else repr(value)


def put(values: dict[str, Any], name: str, value: Any) -> None:
    """Set a field by its dotted name in nested dictionaries."""
    *sections, field = name.split(".")
    for section in sections:
        values = values.setdefault(section, {})
        if not isinstance(values, dict):
            raise InputError(f"{name}: {section} is a value, not a section")
    values[field] = value


def load_sweep(path: Path, assignments: Sequence[str] = ()) -> SweepConfiguration:
    """Read and check a sweep file.

    Paths in it and in its base are relative to their files' folders, those of
    assignments to where the program was started.

    Parameters
    ----------
    path : Path
    assignments : sequence of str
        ``section.field=value``: ``sweep.points=8``, ``fields.learning.rate=[0.1]``,
        ``base.learning.epochs=5``.

    Raises
    ------
    InputError
    """
    of_base = [assignment for assignment in assignments if assignment.startswith("base.")]
    if is_run_file(path):
        raise InputError(f"{path}: is a run file; name a sweep file (TOML) or the folder of a sweep")
    values = read_toml(path, "sweep")
    _resolve_samples(values, path.parent)
    values = override(values, [a for a in assignments if a not in of_base])
    section = values.get("sweep")
    named = section.pop("base", None) if isinstance(section, dict) else None
    if named is not None:
        if not isinstance(named, str):
            raise InputError(f"sweep.base: must be the name of a configuration file (got {named!r})")
        values["base"] = _merged(_base_of(path.parent / named), values.get("base", {}))
    values = override(values, of_base)
    _resolve_samples(values, Path.cwd())
    return SweepConfiguration(**values)


def _resolve_samples(values: dict[str, Any], folder: Path) -> None:
    """Make the paths of samples absolute: in ``[base.data]``, and of ``data.csv`` where that is a field."""
    base, fields = values.get("base"), values.get("fields")
    for table in (base, fields):
        if isinstance(table, dict):
            resolve_paths(table.get("data"), folder)
    resolve_paths(fields, folder, "data.csv")  # a name in quotes


def _merged(values: Any, changes: Any) -> Any:
    """Nested dictionaries with those of others put over them."""
    if not (isinstance(values, dict) and isinstance(changes, dict)):
        return changes
    return values | {name: _merged(values.get(name), change) for name, change in changes.items()}


def _base_of(path: Path) -> dict[str, Any]:
    """A configuration file as nested dictionaries, with the path of its samples made absolute."""
    if is_run_file(path):
        raise InputError(f"sweep.base: must be a configuration file (TOML), not a run file (got {path})")
    values = read_toml(path, "run")
    resolve_paths(values.get("data"), path.parent)
    return values
