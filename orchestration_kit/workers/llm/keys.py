"""Where the key of an endpoint comes from, and where it may go. It is never part of a text."""

from __future__ import annotations

import json
import os
import re

from pydantic import SecretStr

from orchestration_kit.secrets.environment import MIN_ENV_VALUE
from orchestration_kit.secrets.patterns import PLACEHOLDER, is_a_word_instead
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


def is_secret(key: str) -> bool:
    """Whether a key is one that nobody may see, and no word that stands where a key has to.

    >>> is_secret("sk-made-up"), is_secret("none"), is_secret("changeme")
    (True, False, False)
    """
    return len(key) >= MIN_ENV_VALUE and not is_a_word_instead(key)


def sealed(key: Key) -> Key:
    """Return a key so that its `repr` does not show it. A name may be seen."""
    return SecretStr(key) if isinstance(key, str) and not is_name(key) else key


class Remover:
    """Takes a key out of a text that comes in pieces, wherever it is cut. Holds back what may be the key's beginning.

    >>> remover = Remover("made-up-key")
    >>> remover.feed("the key is made"), remover.feed("-up-key, or ma"), remover.flush()
    ('the key is ', '[REDACTED], or ', 'ma')

    Servers of one's own often take any word for a key: such a word ("token", "none") is left where it stands.
    """

    def __init__(self, key: str | None) -> None:
        plain = [] if not key or not is_secret(key) else [key, json.dumps(key)[1:-1], key.replace("/", "\\/")]
        as_bytes = [one.encode("utf-8", "surrogatepass").decode("latin-1") for one in plain]
        self._forms = sorted(dict.fromkeys([*plain, *as_bytes]), key=len, reverse=True)
        """The key as it is, as JSON has it, and as bytes that were read as Latin-1."""
        self._held = ""

    def feed(self, piece: str) -> str:
        """Return what is known not to be the key, as far as the text has come."""
        if not self._forms:
            return piece
        text = self._held + piece
        for form in self._forms:
            text = text.replace(form, PLACEHOLDER)
        held = max(_beginning_at_the_end(text, form) for form in self._forms)
        self._held = text[len(text) - held :]
        return text[: len(text) - held]

    def flush(self) -> str:
        """Return what was held back: the text has ended, and it is not the key."""
        held, self._held = self._held, ""
        return held


def _beginning_at_the_end(text: str, key: str) -> int:
    return next((n for n in range(min(len(key) - 1, len(text)), 0, -1) if text.endswith(key[:n])), 0)
