"""What the fields of a model mean: the text under each field in its source, for the help beside a form's field."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from functools import cache
from itertools import pairwise
from typing import cast

from pydantic import BaseModel

_SPACE = re.compile(r"\s+")


@cache
def field_docs(model: type[BaseModel]) -> dict[str, str]:
    """Return the text under each field of a model and of its bases, by field.

    >>> from orchestration_kit import RetryPolicy
    >>> field_docs(RetryPolicy)["give_up_on"]
    'Error classes that are never retried.'
    """
    found: dict[str, str] = {}
    for kind in reversed(model.__mro__):
        if not issubclass(kind, BaseModel) or kind is BaseModel:
            continue
        try:
            source = inspect.getsource(kind)
        except OSError:  # run from compiled files alone: forms have no help then
            continue
        body = ast.parse(textwrap.dedent(source)).body[0]
        statements = body.body if isinstance(body, ast.ClassDef) else []
        for field, text in pairwise(statements):
            told = _told(text)
            if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and told:
                found[field.target.id] = told
    return found


def _told(statement: ast.stmt) -> str:
    """The text that a statement is, on one line; nothing where it is another statement."""
    if not isinstance(statement, ast.Expr) or not isinstance(statement.value, ast.Constant):
        return ""
    return _SPACE.sub(" ", str(cast("object", statement.value.value))).strip()
