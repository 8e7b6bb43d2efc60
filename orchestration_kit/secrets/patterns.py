"""What secrets look like in text: well-known shapes, names that announce one, and what only looks like one.

Every pattern is linear: what can repeat is bounded, or ends where the pattern ends. Each is tried only on text that
holds one of its triggers, a plain substring in lower case.
"""

from __future__ import annotations

import re
from typing import NamedTuple

PLACEHOLDER = "[REDACTED]"
"""What stands where a secret was. One for all kinds, so that text built from a secret and text built from what
replaced it come out alike."""

_NO_WORD = r"(?<![A-Za-z0-9])"


class Shape(NamedTuple):
    """A well-known shape of a secret."""

    triggers: tuple[str, ...]
    pattern: re.Pattern[str]


def _shape(pattern: str, *triggers: str, flags: int = 0) -> Shape:
    return Shape(triggers, re.compile(pattern, flags))


def _key(pattern: str, *triggers: str, flags: int = 0) -> Shape:
    return _shape(pattern, *triggers, flags=flags | re.ASCII)


KEYS: tuple[Shape, ...] = (
    _key(
        r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----"
        r"(?:(?:(?!-----).){0,20000}-----END [A-Z0-9 ]{0,60}-----|(?:\\[nr]|[A-Za-z0-9+/=\s])*)",
        "private key",
        flags=re.DOTALL,
    ),
    _key(r"(?<![\w-])eyJ[\w-]{8,}\.[\w-]{4,}\.[\w-]*", "eyj"),  # JSON web token
    # OpenAI, Anthropic, OpenRouter; `sk-folding-cube-and-so-on`, a CSS class, is none
    _key(
        _NO_WORD + r"sk-(?:(?:proj|ant|svcacct|admin|or|lf)-[\w-]{8,}"
        r"|[A-Za-z0-9]{20}[\w-]*|(?=[\w-]{0,60}\d)[\w-]{20,})",
        "sk-",
    ),
    _key(_NO_WORD + r"(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16,}", "akia", "asia", "abia", "acca"),  # AWS
    _key(_NO_WORD + r"gh[pousr]_[A-Za-z0-9]{20,}", "ghp_", "gho_", "ghu_", "ghs_", "ghr_"),
    _key(_NO_WORD + r"github_pat_\w{20,}", "github_pat_"),
    _key(_NO_WORD + r"glpat-[\w-]{20,}", "glpat-"),  # GitLab
    _key(_NO_WORD + r"(?:xox[abeoprs]|xapp)-[A-Za-z0-9-]{10,}", "xox", "xapp-"),  # Slack
    _key(r"(?<=hooks\.slack\.com/services/)[\w/]{16,}", "hooks.slack.com/services/"),
    _key(_NO_WORD + r"(?:AIza[\w-]{30,}|ya29\.[\w-]{20,}|GOCSPX-[\w-]{20,})", "aiza", "ya29.", "gocspx-"),  # Google
    _key(_NO_WORD + r"(?:hf|gsk|npm)_[A-Za-z0-9]{20,}", "hf_", "gsk_", "npm_"),  # Hugging Face, Groq, npm
    _key(_NO_WORD + r"(?:r8_|xai-|pplx-)[A-Za-z0-9]{20,}", "r8_", "xai-", "pplx-"),
    _key(_NO_WORD + r"[sr]k_(?:live|test)_[A-Za-z0-9]{10,}", "k_live_", "k_test_"),  # Stripe
    _key(_NO_WORD + r"whsec_[A-Za-z0-9+/=]{16,}", "whsec_"),
    _key(_NO_WORD + r"pypi-[\w-]{40,}", "pypi-"),
    _key(_NO_WORD + r"SG\.[\w-]{16,}\.[\w-]{16,}", "sg."),  # SendGrid
    _key(_NO_WORD + r"dop_v1_[0-9a-f]{32,}", "dop_v1_"),  # DigitalOcean
    _key(_NO_WORD + r"dapi[0-9a-f]{32,}", "dapi"),  # Databricks
    _key(_NO_WORD + r"\d{8,12}:AA[\w-]{30,}", ":aa"),  # Telegram
)  # fmt: skip
"""Keys that tell by their own shape what they are, wherever they stand."""

_SIGNATURE = _shape(
    r"(?<=[?&])(?:sig|signature|x-amz-signature|x-goog-signature)=[^\s&\"'#<>\[\]]{16,}", "sig", flags=re.IGNORECASE
)
SHAPES = (*KEYS, _SIGNATURE)
"""Keys, and signed URLs: those are left in live values, as the next step may have to fetch them."""

NAMED: tuple[Shape, ...] = (
    # what stands before the secret is group 1, the secret is group "value"
    _shape(r"(://[^\s/?#@:\"'<>]{0,256}:)(?P<value>[^\s/?#@\"'<>]{1,256})(?=@)", "://"),
    _shape(
        r"(authorization\\{0,3}[\"']?\s{0,3}[:=]\s{0,3}\\{0,3}[\"']?(?:bearer|basic|token|digest|apikey)\s{1,3})"
        r"(?P<value>[^\s\"',;<>\[\]\\]{4,8000})",
        "authorization",
        flags=re.IGNORECASE,
    ),
    _shape(r"(\bbearer\s{1,3})(?P<value>(?=[\w.~+/=-]{0,200}\d)[\w.~+/=-]{12,8000})", "bearer ", flags=re.IGNORECASE),
)

PAIR_TRIGGERS = ("pass", "pwd", "secret", "key", "token", "credential", "authorization")
PAIR = re.compile(
    r"(?P<name>pass(?:word|wd|phrase)s?|pwd|(?:client|app)?[_-]?secret|"
    r"(?:api|access|secret|private|account|signing|encryption|master)[_-]?key|"
    r"(?:access|refresh|auth|session|bearer|id|api)?[_-]?token|credentials?|authorization)"
    r"(?P<before>\\{0,3}[\"']?\s{0,3}(?P<sign>=>|:=|[:=])\s{0,3}\\{0,3}(?P<quote>[\"']?))"
    r"(?P<value>(?:(?<=[\"'])[^\"'\\\n]{1,2000}|[^\s\"'`,;&<>(){}\[\]|\\]{1,2000}))",
    re.IGNORECASE,
)
"""`name = value`, `name: "value"`, `"name": "value"` and the like, also within quoted JSON."""

_SURE_NAME = re.compile(
    r"(?:password|passwd|passphrase|apikey|secretkey|accesskey|privatekey|accountkey|signingkey|encryptionkey|masterkey"
    r"|clientsecret|appsecret|accesstoken|refreshtoken|authtoken|sessiontoken|bearertoken|apitoken|idtoken"
    r"|authorization)s?$"
)
_LIKELY_NAME = re.compile(r"(?:token|secret|pwd|credential|credentials)$")
_HARMLESS = re.compile(
    r"required|optional|string|str|text|none|null|nil|true|false|undefined|hidden|invalid|missing|empty|unknown|default"
    r"|bearer|basic|placeholder|example|changeme|redacted|bool|int|integer|number|bytes|object|any|uuid"
)
_CODE = re.compile(
    r"(?:\$|%|<|\{|\*|os\.|env|self\.|this\.|process\.|settings\.|config\.|args\.|request\.)", re.IGNORECASE
)
_MASK = re.compile(r"[*x.•#-]{3,}", re.IGNORECASE)


def names_a_secret(name: str) -> bool | None:
    """Whether an entry of this name holds a secret: True surely, None likely, False no.

    >>> names_a_secret("openai_api_key"), names_a_secret("nextToken"), names_a_secret("max_tokens")
    (True, None, False)
    """
    plain = re.sub(r"[^a-z]", "", name[-60:].lower())
    if _SURE_NAME.search(plain):
        return True
    return None if _LIKELY_NAME.search(plain) else False


def is_harmless(value: str, name: str = "") -> bool:
    """Whether what stands in a secret's place is none: a word such as "required", a mask, a piece of code."""
    return (
        is_a_word_instead(value)
        or value == PLACEHOLDER
        or bool(name and name.lower() in value.lower())
        or _CODE.match(value) is not None
    )


def is_a_word_instead(value: str) -> bool:
    """Whether a word or a mask stands where a secret could: `changeme`, `********`."""
    return _HARMLESS.fullmatch(value.strip().lower()) is not None or _MASK.fullmatch(value) is not None


def looks_random(value: str) -> bool:
    """Whether a text could be a made-up secret rather than a word: 8 characters with letters and digits, no blanks."""
    is_long = len(value) >= 8 and not any(c.isspace() for c in value)
    return is_long and any(c.isdigit() for c in value) and any(c.isalpha() for c in value)
