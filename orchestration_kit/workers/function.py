"""A function, coroutine function, generator or callable object becomes a worker, as it is."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, cast

from orchestration_kit.definition.fingerprints import callable_fingerprint


def function(thing: Callable[..., Any]) -> Callable[..., Any]:
    """Return the callable itself: the hub calls it with `(input_data, context)` or `(input_data)`.

    >>> function(str.upper) is str.upper
    True
    """
    return thing


def name_of(thing: Any) -> str:
    """Return what to call a callable: a function by its name, a lambda by its code, an object by its class.

    >>> from functools import partial
    >>> name_of(str.upper), name_of(partial(round, ndigits=2))
    ('upper', 'round')
    >>> name_of(lambda text: text + "!") == name_of(lambda text: text + "?")
    False
    """
    while isinstance(thing, functools.partial):
        thing = cast("Any", thing).func
    name = getattr(thing, "__name__", None)
    if not isinstance(name, str) or not name:
        return type(thing).__name__
    return name if name != "<lambda>" else f"lambda_{callable_fingerprint(thing)[-6:]}"
