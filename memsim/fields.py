"""Checked settings: the base of every section of a configuration and of every device."""

import difflib
import re
import typing
from collections.abc import Collection, Iterable
from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator
from pydantic.fields import FieldInfo

from .errors import InputError
from .terminal.si import without_prefix

SHOWN = 200  # characters of a value in a message
NAMED = 20  # names in a message, of many
DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+")
COMPARED = 1000  # names, and characters of one, among which a near one is looked for


def quantity(default: Any, unit: str, description: str, *, origin: str = "", **bounds: Any) -> Any:
    """A field with a unit; ``bounds`` are pydantic's (``gt``, ``ge``, ``lt``, ``le``).

    ``origin`` says where the default comes from.
    """
    extra: Any = {"unit": unit, "origin": origin}
    return Field(default=default, description=description, json_schema_extra=extra, **bounds)


SIGNS = {"gt": ">", "ge": ">=", "lt": "<", "le": "<=", "min_length": "length >="}


class Facts(NamedTuple):
    """What a field says of itself, as words for a table."""

    choices: tuple[object, ...]  # of a field that takes one of some values
    bounds: str
    unit: str
    description: str
    origin: str  # where the default is from


def facts_of(field: FieldInfo) -> Facts:
    """What is declared with a field of a section or of a device."""
    declared = field.json_schema_extra
    extra: dict[str, Any] = dict(declared) if isinstance(declared, dict) else {}
    return Facts(
        choices=_choices_of(field.annotation),
        bounds=", ".join(_bounds_of(field.metadata)),
        unit=str(extra.get("unit", "")),
        description=field.description or "",
        origin=str(extra.get("origin", "")),
    )


def _choices_of(annotation: Any) -> tuple[object, ...]:
    """Of a type that may be none as well, or of a list, those of the type within."""
    if typing.get_origin(annotation) is typing.Literal:
        return typing.get_args(annotation)
    others = [part for part in typing.get_args(annotation) if part not in (type(None), ...)]
    return _choices_of(others[0]) if len(others) == 1 else ()


def _bounds_of(metadata: Iterable[Any]) -> Iterable[str]:
    for bound in metadata:
        for name, sign in SIGNS.items():
            value = getattr(bound, name, None)
            if value is not None:
                yield f"{sign} {_shown(value)}"


def _shown(bound: float) -> str:
    """A bound, a large power of two as such."""
    exact = isinstance(bound, int) and bound.bit_count() == 1 and bound >= 2**31
    return f"2^{int(bound).bit_length() - 1}" if exact else f"{bound:g}"


class Settings(BaseModel):
    """A group of checked settings.

    Unknown names, wrong types, values out of bounds, NaN and infinities are
    refused with an :class:`~memsim.errors.InputError` that names the field.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, validate_default=True)

    def __init__(self, /, **values: Any) -> None:
        try:
            super().__init__(**values)
        except ValidationError as error:
            raise InputError(*explain(error, type(self))) from None

    @field_validator("*", mode="before")
    @classmethod
    def _true_is_no_number(cls, value: Any, info: ValidationInfo) -> Any:
        """Python takes true for 1, and has whole numbers of any size."""
        types = _types_of(cls.model_fields[str(info.field_name)].annotation)
        if types & {int, float}:
            listed_ones = enumerate(value) if isinstance(value, list | tuple) else [("", value)]
            for place, each in listed_ones:
                where = f"{place}: " if place != "" else ""
                if isinstance(each, bool) and bool not in types:
                    raise ValueError(f"{where}must be a number (got {str(each).lower()})")
                if isinstance(each, int) and each.bit_length() > (1023 if float in types else 63):
                    raise ValueError(f"{where}must be a smaller number (got {in_one_line(each)})")
        return value


def _types_of(annotation: Any) -> set[Any]:
    """The types that an annotation is made of."""
    parts = typing.get_args(annotation)
    return {annotation}.union(*map(_types_of, parts)) if typing.get_origin(annotation) is not typing.Literal else set()


def listed(names: Collection[str], most: int = NAMED) -> str:
    """Names for a message, of many the first ones."""
    shown = ", ".join(str(name)[:SHOWN] for name, _ in zip(names, range(most), strict=False))
    return shown + (f", ... ({len(names):,})" if len(names) > most else "") or "none"


def did_you_mean(got: Any, known: Iterable[str]) -> str:
    """``; did you mean a?`` where a known name is near, else nothing."""
    compared = [name for name, _ in zip(known, range(COMPARED), strict=False) if len(name) <= COMPARED]
    near = difflib.get_close_matches(str(got)[:COMPARED], compared, n=1, cutoff=0.5)
    return f"; did you mean {near[0]!r}?" if near else ""


def one_of(known: Iterable[str], got: Any) -> str:
    """``one of a, b (got c); did you mean a?``, for a name that must be known."""
    known = list(known)
    return f"one of {listed(known)} (got {in_one_line(got)}){did_you_mean(got, known)}"


def explain(error: ValidationError, model: type[BaseModel]) -> list[str]:
    """All that is wrong, one clause a field, with the nearest known name for an unknown one."""
    details = error.errors()
    # A list whose entries were refused is "too short" as well, which nobody needs to hear.
    counted = [d for d in details if d["type"] != "too_short" or not any(_is_within(o, d) for o in details)]
    return [clause for detail in counted for clause in _explain_one(detail, model)]


def _is_within(one: Any, other: Any) -> bool:
    """Whether an error is of a part of what another is of."""
    at = other["loc"]
    return len(one["loc"]) > len(at) and one["loc"][: len(at)] == at


def _explain_one(detail: Any, model: type[BaseModel]) -> list[str]:
    path = [str(part) for part in detail["loc"]]
    shown = ".".join(path) or model.__name__
    if detail["type"] == "extra_forbidden":
        known = sorted(model.model_fields)
        near = difflib.get_close_matches(path[-1], known, n=1, cutoff=0.4)
        hint = f"did you mean {near[0]!r}?" if near else f"known are: {', '.join(known)}"
        return [f"{shown}: no such setting; {hint}"]
    if detail["type"] == "missing":
        return [f"{shown}: is missing; give it a value"]
    message = detail["msg"].removeprefix("Value error, ").replace("a valid tuple", "a list")
    if detail["type"] == "value_error":
        # Raised by a section of its own, whose clauses begin with the field; or of the field itself.
        inner = detail.get("ctx", {}).get("error")
        clauses = inner.clauses if isinstance(inner, InputError) else [message]
        joints = (": " if re.match(r"must |[^ ]+\.py:\d+: ", clause) else "." for clause in clauses)
        return [f"{shown}{joint}{clause}" if path else clause for joint, clause in zip(joints, clauses, strict=True)]
    got = f"(got {in_one_line(detail['input'])}){_hint(detail)}"
    if detail["type"] == "int_parsing_size":
        return [f"{shown}: must be a whole number of at most 64 bits {got}"]
    asked = re.fullmatch("(Input|Tuple|List|String) should (.*?)( after validation, not .*)?", message)
    if asked:
        return [f"{shown}: must {asked[2]} {got}"]
    return [f"{shown}: {message[0].lower()}{message[1:]} {got}"]


def _hint(detail: Any) -> str:
    """How what was given may have been meant."""
    kind, given = detail["type"], detail["input"]
    if kind == "literal_error":
        return did_you_mean(given, re.findall("'([^']*)'", detail["ctx"]["expected"]))
    if kind in ("float_parsing", "int_parsing", "int_from_float"):
        number = without_prefix(str(given)) or (DECIMAL_COMMA.fullmatch(str(given)) and str(given).replace(",", "."))
        return f"; write {number}" if number else ""
    if kind == "tuple_type" and isinstance(given, str | int | float):
        parts = [part.strip() for part in str(given).strip("[]()").split(",")]
        return f"; write [{', '.join(part if _is_number(part) else repr(part) for part in parts)}]"
    return ""


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def in_one_line(value: Any) -> str:
    """What was given, as Python writes it; of much the beginning."""
    try:
        shown = " ".join(repr(value).split())
    except (ValueError, RecursionError):  # thousands of digits, or of brackets
        shown = f"a number of {value.bit_length()} bits" if isinstance(value, int) else "what is nested too deeply"
    return shown if len(shown) <= SHOWN else f"{shown[:SHOWN]} ..."
