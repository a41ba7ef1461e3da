"""Checked settings: the base of every section of a configuration and of every device."""

import difflib
import re
from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from .errors import InputError

SHOWN = 200  # characters of a value in a message


def quantity(default: Any, unit: str, description: str, *, origin: str = "", **bounds: Any) -> Any:
    """A field with a unit; ``bounds`` are pydantic's (``gt``, ``ge``, ``lt``, ``le``).

    ``origin`` says where the default comes from.
    """
    extra: Any = {"unit": unit, "origin": origin}
    return Field(default=default, description=description, json_schema_extra=extra, **bounds)


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


def one_of(known: Iterable[str], got: Any) -> str:
    """``one of a, b (got c); did you mean a?``, for a name that must be known."""
    known = list(known)
    near = difflib.get_close_matches(str(got), known, n=1, cutoff=0.5)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    return f"one of {', '.join(known)} (got {got!r}){hint}"


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
    # The tag of a union of sections stands in the path; no user wrote it.
    path = [str(part) for part in detail["loc"] if not str(part).startswith("kind=")]
    shown = ".".join(path) or model.__name__
    if detail["type"] == "extra_forbidden":
        known = sorted(model.model_fields)
        near = difflib.get_close_matches(path[-1], known, n=1, cutoff=0.4)
        hint = f"did you mean {near[0]!r}?" if near else f"known are: {', '.join(known)}"
        return [f"{shown}: no such setting; {hint}"]
    if detail["type"] == "missing":
        return [f"{shown}: is missing; give it a value"]
    message = detail["msg"].removeprefix("Value error, ")
    if detail["type"] in ("value_error", "network_kind"):
        # Raised by a section of its own, whose clauses begin with the field; or of the field itself.
        inner = detail.get("ctx", {}).get("error")
        clauses = inner.clauses if isinstance(inner, InputError) else [message]
        joints = (": " if re.match(r"must |[^ ]+\.py:\d+: ", clause) else "." for clause in clauses)
        return [f"{shown}{joint}{clause}" if path else clause for joint, clause in zip(joints, clauses, strict=True)]
    got = _in_one_line(detail["input"])
    if message.startswith("Input should "):
        return [f"{shown}: must {message.removeprefix('Input should ')} (got {got})"]
    return [f"{shown}: {message[0].lower()}{message[1:]} (got {got})"]


def _in_one_line(value: Any) -> str:
    """What was given, as Python writes it; of much the beginning."""
    shown = " ".join(repr(value).split())
    return shown if len(shown) <= SHOWN else f"{shown[:SHOWN]} ..."
