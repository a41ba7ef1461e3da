"""What a field of a configuration takes, in words."""

import types
import typing
from pathlib import Path
from typing import Any

from pydantic import BaseModel

WORDS = {bool: "true, false", int: "whole number", float: "number", str: "text", Path: "path", dict: "table"}
PLURALS = {int: "whole numbers", float: "numbers", str: "texts", tuple: "pairs"}


def words_of(annotation: Any) -> str:
    """The type of a field, as a person says it; empty where its description says it."""
    kind, parts = typing.get_origin(annotation), typing.get_args(annotation)
    if kind is typing.Annotated:
        return words_of(parts[0])
    if kind in (typing.Union, types.UnionType):
        return words_of(next(part for part in parts if part is not type(None)))
    if kind is tuple:
        return words_of_list(parts)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return "table"
    return WORDS.get(kind or annotation, "")


def words_of_list(parts: tuple[Any, ...]) -> str:
    """A list of any length, or a pair."""
    item = parts[0]
    while typing.get_origin(item) is typing.Annotated:
        item = typing.get_args(item)[0]
    several = PLURALS.get(typing.get_origin(item) or item, "tables")
    if typing.get_origin(item) is typing.Literal:
        return "list of"
    return f"list of {several}" if parts[-1] is ... else f"pair of {several}"


def as_toml(value: Any) -> str:
    """A value as a configuration has it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, tuple):
        return f"[{', '.join(map(as_toml, value))}]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name} = {as_toml(part)}" for name, part in value.items()) + "}"
    return as_toml(value.model_dump()) if isinstance(value, BaseModel) else str(value)
