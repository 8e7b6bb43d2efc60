"""A stable name for a piece of user code, so that a change of it is noticed. Never runs it."""

from __future__ import annotations

import functools
import hashlib
from types import CodeType
from typing import Any, cast

from orchestration_kit.definition.steps import callable_name


def callable_fingerprint(function: Any) -> str:
    """Return name and hash of a callable's code; two lambdas on one line differ by what they do."""
    if not callable(function):
        return repr(function)
    while isinstance(function, functools.partial):
        function = function.func
    code = getattr(function, "__code__", None) or getattr(type(function).__call__, "__code__", None)
    digest = hashlib.sha256(_code_text(code).encode()).hexdigest()[:16] if code is not None else "builtin"
    return f"callable:{callable_name(function)}:{digest}"


def _code_text(code: CodeType) -> str:
    constants = [_code_text(one) if isinstance(one, CodeType) else _constant_text(one) for one in code.co_consts]
    return "|".join([code.co_code.hex(), ",".join(code.co_names), *constants])


def _constant_text(constant: Any) -> str:
    if isinstance(constant, frozenset):  # its order changes from process to process
        return f"frozenset({sorted(map(repr, cast('frozenset[Any]', constant)))})"
    return repr(constant)
