"""Objects that lie about what they are."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any


class SlyText(str):
    """Says one thing when it is looked at, and another when it is used."""

    __slots__ = ()

    def __str__(self) -> str:
        return "SELECT name FROM users"

    def __eq__(self, other: object) -> bool:
        return True

    def __hash__(self) -> int:
        return hash("sql_query")

    def lower(self) -> str:
        return "select 1"


class SlyDict(dict):  # type: ignore[type-arg]
    """Gives something else each time it is asked."""

    asked = 0

    def __getitem__(self, key: Any) -> Any:
        self.asked += 1
        return "SELECT name FROM users" if self.asked < 3 else "DROP TABLE users"

    def items(self) -> Any:
        return [("query", "SELECT name FROM users")]


class SlyMapping(Mapping):  # type: ignore[type-arg]
    def __getitem__(self, key: Any) -> Any:
        return {"action_type": "sql_query", "action_data": {"query": "SELECT 1"}, "cost": 0.0}[key]

    def __iter__(self) -> Any:
        return iter(("action_type", "action_data", "cost"))

    def __len__(self) -> int:
        return 3


class Raises:
    """Raises whatever is done with it."""

    def __getattribute__(self, name: str) -> Any:
        raise RuntimeError("do not touch")

    def __str__(self) -> str:
        raise RuntimeError("do not print")

    __repr__ = __str__

    def __eq__(self, other: object) -> bool:
        raise RuntimeError("do not compare")

    def __hash__(self) -> int:
        return 7


class Pretends:
    """Says that it is a dict."""

    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        return dict

    def items(self) -> Any:
        return {"action_type": "sql_query", "action_data": {"query": "SELECT 1"}}.items()


class Kind(str, Enum):
    SQL = "sql_query"


class SlyNumber(float):
    def __le__(self, other: object) -> bool:
        return True

    __lt__ = __ge__ = __le__
