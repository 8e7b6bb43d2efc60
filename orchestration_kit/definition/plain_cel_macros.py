"""CEL's macros: what they say of each item of a list, or of each key of a mapping."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, cast

from orchestration_kit.definition.plain_cel_values import no_overload, truth

_Value = Callable[[dict[str, Any]], Any]
_Macro = Callable[[Any, dict[str, Any]], Any]
"""Takes what it is called on, and the values of the names."""


def macro_of(name: str, variable: str, bodies: list[_Value]) -> _Macro:
    """Return the macro that looks at each item under the name of a variable.

    >>> macro_of("all", "x", [lambda names: names["x"] > 0])([1, 2], {})
    True

    Raises:
        ValueError: it has too many arguments, or too few.
    """
    if len(bodies) != 1 and not (name == "map" and len(bodies) == 2):
        raise ValueError(f"{name}(...) takes a name and an expression")
    make = _MACROS.get(name, _map)

    def apply(value: Any, names: dict[str, Any]) -> Any:
        if not isinstance(value, (list, dict)):
            raise no_overload(name, value)
        items = list(cast("list[Any]", value))
        if name == "filter":
            return [one for one in items if truth(bodies[0]({**names, variable: one}))]
        return make(({**names, variable: one} for one in items), *bodies)

    return apply


def _all(scopes: Iterator[dict[str, Any]], body: _Value) -> bool:
    return all(truth(body(scope)) for scope in scopes)


def _exists(scopes: Iterator[dict[str, Any]], body: _Value) -> bool:
    return any(truth(body(scope)) for scope in scopes)


def _exists_one(scopes: Iterator[dict[str, Any]], body: _Value) -> bool:
    return sum([truth(body(scope)) for scope in scopes]) == 1


def _map(scopes: Iterator[dict[str, Any]], *bodies: _Value) -> list[Any]:
    *wanted, last = bodies
    return [last(scope) for scope in scopes if all(truth(body(scope)) for body in wanted)]


_MACROS: dict[str, Callable[..., Any]] = {
    "all": _all, "exists": _exists, "exists_one": _exists_one, "map": _map,
}  # fmt: skip
