"""Which environment variables hold secrets, and in which forms their values turn up in text."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from urllib.parse import quote, quote_plus

from orchestration_kit.secrets.patterns import is_a_word_instead

MIN_ENV_VALUE = 8
"""Values of environment variables that are shorter could be any word."""

_ENV_WORDS = r"(?:KEYS?|TOKENS?|SECRETS?|PASSWORDS?|PASSWD|PASSPHRASE|CREDENTIALS?|APIKEYS?|AUTH)"
_ENV_NAME = re.compile(rf"{_ENV_WORDS}$|(?:^|_){_ENV_WORDS}_(?!PATH$|FILE$|DIR$|NAME$|URL$)\w+$")


def env_names_a_secret(name: str) -> bool:
    """Whether an environment variable of this name holds a secret.

    >>> [env_names_a_secret(name) for name in ("OPENAI_API_KEY", "AWS_SECRET_ACCESS_KEY", "KEYBOARD", "SSH_KEY_PATH")]
    [True, True, False, False]
    """
    return _ENV_NAME.search(name.upper()) is not None


def secret_values(environ: Mapping[str, str]) -> set[str]:
    """Return the values of the variables whose names announce a secret, also as URLs, JSON, Python and HTML write them.

    >>> sorted(secret_values({"API_KEY": "s3cret/value", "OTHER_KEY": "placeholder", "HOME": "/home/ann/s3cret"}))
    ['s3cret%2Fvalue', 's3cret/value']
    """
    found: set[str] = set()
    for name, value in environ.items():
        if len(value) >= MIN_ENV_VALUE and env_names_a_secret(name) and not _is_no_secret(value):
            from html import escape  # 1.5 ms that most processes can do without

            found |= {value, json.dumps(value)[1:-1], repr(value)[1:-1], escape(value)}
            found |= {quote(value, safe=safe, errors="surrogatepass") for safe in ("", "/")}
            found.add(quote_plus(value, errors="surrogatepass"))
    return found


def _is_no_secret(value: str) -> bool:
    return is_a_word_instead(value) or _is_file(value)


def _is_file(value: str) -> bool:
    """Whether a variable holds the path of a secret rather than the secret."""
    try:
        return value[0] in "/~." and os.path.exists(value)  # noqa: PTH110 - called often
    except ValueError:
        return False
