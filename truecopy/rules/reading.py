"""Reads facts back from their JSON form: what `Record.to_dict` wrote, as records again.

JSON has no tuples, no records and no NaN. The annotations of the records say what each value
was; a number that must be there and isn't was not finite.
"""

import math
import types
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from truecopy.errors import InvalidArgument, suggest
from truecopy.rules.facts import AuditFacts
from truecopy.rules.finding import Finding

T = TypeVar("T")


def read_facts(plain: Mapping[str, Any]) -> AuditFacts:
    """Return the facts of an audit from their JSON form.

    Raises:
        InvalidArgument: It isn't the JSON form of an audit's facts.
    """
    return read_record(AuditFacts, plain)


def read_finding(plain: Mapping[str, Any]) -> Finding:
    """Return a finding from its JSON form.

    Raises:
        InvalidArgument: It isn't the JSON form of a finding.
    """
    return read_record(Finding, plain)


def read_record(kind: type[T], plain: Any) -> T:
    """Return the record of the class `kind` whose `to_dict` gave `plain`.

    Args:
        kind: A frozen dataclass of plain values, tuples, mappings and other such records.
        plain: Its JSON form; fields with a default may be missing.

    Raises:
        InvalidArgument: A field is unknown or missing, or a value isn't what the field holds.

    Example:
        >>> from truecopy.rules.modelfacts import Where
        >>> read_record(Where, {"file": "train.py", "line": 14})
        Where(file='train.py', line=14)
    """
    if not isinstance(plain, Mapping):
        raise InvalidArgument("plain", kind.__name__, "a mapping", got=plain)
    hints = get_type_hints(kind)
    known = [f.name for f in fields(kind)]  # type: ignore[arg-type]  # T is a dataclass
    for name in plain:
        if name not in known:
            hint = suggest(str(name), known).lstrip()
            raise InvalidArgument("plain", kind.__name__, "of its fields only", got=name, hint=hint)
    try:
        return kind(**{n: _read(hints[n], v, f"{kind.__name__}.{n}") for n, v in plain.items()})
    except TypeError as error:  # a field without a default is missing
        raise InvalidArgument("plain", kind.__name__, "complete", got=str(error)) from error


def _read(hint: Any, value: Any, name: str) -> Any:
    """Return `value` as what the annotation `hint` says; `name` is for the message."""
    origin, inner = get_origin(hint), get_args(hint)
    read = value
    if origin in {Union, types.UnionType}:
        kinds = [kind for kind in inner if kind is not type(None)]
        read = None if value is None and len(kinds) < len(inner) else _read(kinds[0], value, name)
    elif is_dataclass(hint) and isinstance(hint, type):
        read = read_record(hint, value)
    elif origin is tuple:
        read = _read_tuple(inner, value, name)
    elif origin is Mapping:
        _require(Mapping, value, name)
        read = {str(key): _read(inner[1], item, name) for key, item in value.items()}
    elif hint is float:
        read = _read_float(value, name)
    elif hint is not Any and isinstance(hint, type):
        _require(hint, value, name)
    return read


def _require(kind: type, value: Any, name: str) -> None:
    """Refuse a value of another type; True is no number."""
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise InvalidArgument("plain", name, f"a value of type {kind.__name__}", got=value)


def _read_tuple(hints: tuple[Any, ...], value: Any, name: str) -> tuple[Any, ...]:
    if not isinstance(value, list | tuple):
        raise InvalidArgument("plain", name, "a list", got=value)
    if len(hints) == 2 and hints[1] is Ellipsis:  # noqa: PLR2004 (tuple[X, ...])
        return tuple(_read(hints[0], item, name) for item in value)
    if len(hints) != len(value):
        raise InvalidArgument("plain", name, f"{len(hints)} values", got=value)
    return tuple(_read(hint, item, name) for hint, item in zip(hints, value, strict=True))


def _read_float(value: Any, name: str) -> float:
    if value is None:  # not finite, or JSON would have had a word for it
        return math.nan
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InvalidArgument("plain", name, "a number", got=value)
    return float(value)
