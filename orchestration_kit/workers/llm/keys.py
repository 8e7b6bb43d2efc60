"""Where the key of an endpoint comes from, and where it may go. It is never part of a text."""

from __future__ import annotations

import os
import re

from pydantic import SecretStr

from orchestration_kit.workers.llm.errors import ModelRefused

Key = str | SecretStr | None
"""A key, the name of the environment variable that holds one, or None where the server needs none."""

_NAME = re.compile(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)*_(KEY|TOKEN|SECRET)")


def key_of(key: Key, model: str) -> SecretStr | None:
    """Return the key itself; an environment variable is looked at now.

    >>> key_of("sk-made-up", "some-model")
    SecretStr('**********')

    Raises:
        ModelRefused: the environment variable is not set.
    """
    if key is None or isinstance(key, SecretStr):
        return key
    if not is_name(key):
        return SecretStr(key)
    value = os.environ.get(key)
    if not value:
        reason = f"needs a key, and the environment variable {key} is not set"
        raise ModelRefused(model, reason, f"Set it before Python starts: export {key}=...")
    return SecretStr(value)


def is_name(key: str) -> bool:
    """Whether a text names an environment variable: it is set, or reads like MY_API_KEY.

    >>> is_name("EXAMPLE_API_KEY"), is_name("sk-made-up")
    (True, False)
    """
    return _NAME.fullmatch(key) is not None or (key.isidentifier() and key in os.environ)


def sealed(key: Key) -> Key:
    """Return a key so that its `repr` does not show it. A name may be seen."""
    return SecretStr(key) if isinstance(key, str) and not is_name(key) else key
