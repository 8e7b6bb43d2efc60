"""JSON Schemas that answers of people are held against: looked at first, as they may come from anywhere."""

from __future__ import annotations

import re
from typing import Any, cast

MAX_PARTS = 2_000
"""Parts of a value that is held against a schema: some rules compare each with each."""
MAX_TEXT = 10_000
"""Characters of a text in it."""
_REPEATS = frozenset({"MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"})


def as_json_schema(value: Any) -> Any:
    """Return a JSON Schema as it is; of a type, the one that pydantic makes of it.

    >>> as_json_schema(bool)
    {'type': 'boolean'}

    Raises:
        ValueError: it is neither, or a pattern in it could take for ever.
    """
    if value is None or isinstance(value, dict):
        schema = cast("dict[str, Any] | None", value)
    else:
        from pydantic import TypeAdapter

        try:
            schema = TypeAdapter(value).json_schema()
        except Exception as error:  # noqa: BLE001 - pydantic raises several kinds
            raise ValueError(f"schema is a JSON Schema, or a type that pydantic can make one of ({error})") from None
    if schema is not None:
        from jsonschema import Draft202012Validator, SchemaError

        try:
            Draft202012Validator.check_schema(schema)
        except SchemaError as error:
            raise ValueError(f"it is no JSON Schema: {error.message}") from None
        for pattern in _patterns(schema):
            check_pattern(pattern)
    return schema


def check_pattern(pattern: str) -> None:
    """Refuse a pattern that can take time without end: a repeat within a repeat, or a reference back.

    Raises:
        ValueError: it is such a pattern, or none at all.
    """
    try:
        parsed: Any = re._parser.parse(pattern)  # type: ignore[attr-defined] # noqa: SLF001 # pyright: ignore[reportAttributeAccessIssue]
    except (re.error, RecursionError, OverflowError) as error:
        raise ValueError(f"the pattern {pattern!r:.80} is no regular expression ({error})") from None
    if _is_endless(parsed, within=False):
        raise ValueError(
            f"the pattern {pattern!r:.80} repeats what repeats, which can take for ever. Write it flatter: ^[a-z]+$"
        )


def _is_endless(parsed: Any, *, within: bool) -> bool:
    if isinstance(parsed, tuple) and len(cast("tuple[Any, ...]", parsed)) == 2:
        code, argument = cast("tuple[Any, Any]", parsed)
        name = str(code)
        if name in _REPEATS:
            most = argument[1]
            is_long = int(most) > 1
            return (within and is_long) or _is_endless(argument[2], within=within or is_long)
        if name.startswith("GROUPREF") or (name == "BRANCH" and within):
            return True
        return _is_endless(argument, within=within)
    if isinstance(parsed, (list, tuple)) or type(parsed).__name__ == "SubPattern":
        return any(_is_endless(part, within=within) for part in cast("list[Any]", parsed))
    return False


def _patterns(schema: Any) -> list[str]:
    """Return every pattern in a schema, without recursion."""
    found: list[str] = []
    stack = [schema]
    while stack:
        one = stack.pop()
        if isinstance(one, dict):
            entries = cast("dict[str, Any]", one)
            if isinstance(entries.get("pattern"), str):
                found.append(entries["pattern"])
            if isinstance(entries.get("patternProperties"), dict):
                found += [key for key in entries["patternProperties"] if isinstance(key, str)]
            stack += entries.values()
        elif isinstance(one, list):
            stack += cast("list[Any]", one)
    return found


def too_large(value: Any) -> str | None:
    """Say why a value is too large to be held against a schema; None where it is not."""
    parts, stack = 0, [value]
    while stack:
        one = stack.pop()
        parts += 1
        if parts > MAX_PARTS:
            return f"it has more than {MAX_PARTS:,} parts"
        if isinstance(one, str) and len(one) > MAX_TEXT:
            return f"a text in it has {len(one):,} characters, over {MAX_TEXT:,}"
        if isinstance(one, dict):
            stack += cast("dict[Any, Any]", one).values()
        elif isinstance(one, (list, tuple)):
            stack += cast("list[Any]", one)
    return None
