"""Plain data that nobody can change by mistake: rules that are functions see a plan so, and each sees the same."""

from __future__ import annotations

from typing import Any, NoReturn, cast


def _refuse(self: Any, *_: Any, **__: Any) -> NoReturn:
    del self
    raise TypeError("a rule looks at a plan, and cannot change it")


class FrozenDict(dict[str, Any]):
    """A dict that stays as it is."""

    __setitem__ = __delitem__ = __ior__ = _refuse
    pop = popitem = clear = update = setdefault = _refuse

    def __reduce__(self) -> Any:
        return dict, (dict(self),)


class FrozenList(list[Any]):
    """A list that stays as it is."""

    __setitem__ = __delitem__ = __iadd__ = __imul__ = _refuse
    append = extend = insert = pop = remove = clear = sort = reverse = _refuse

    def __reduce__(self) -> Any:
        return list, (list(self),)


def frozen(value: Any) -> Any:
    """Return plain data as a copy that refuses changes.

    >>> frozen({"to": ["ann"]})["to"].append("eve")
    Traceback (most recent call last):
    TypeError: a rule looks at a plan, and cannot change it
    """
    if type(value) is dict:
        return FrozenDict({key: frozen(part) for key, part in cast("dict[str, Any]", value).items()})
    if type(value) is list:
        return FrozenList(frozen(part) for part in cast("list[Any]", value))
    return value
