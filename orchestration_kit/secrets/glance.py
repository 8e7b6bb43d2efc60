"""Whether a text may hold a key: a glance of about a nanosecond a character, whose "no" is always right.

Every key has a run of at least 14 letters, digits, `_` and `-`; prose and JSON seldom have one. So the text is turned
into runs of one letter, and searching a long run of it leaps from gap to gap (`str` in CPython: bloom filter and
skip). What has long runs is looked at more closely, at those alone.
"""

from __future__ import annotations

RUN = 14
"""`sk-or-` and eight characters: the shortest key has so many in a row."""

_WORD = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-")
_RUNS = bytes(ord("a") if code in _WORD else ord(" ") for code in range(256))
_LONG = b"a" * RUN
_BEFORE = len("ya29.")
"""What of a key can stand before its long run."""
# fmt: off
_TRIGGERS = (
    "sk-", "AKIA", "ASIA", "ABIA", "ACCA", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "glpat-", "xox",
    "xapp-", "AIza", "ya29.", "GOCSPX-", "hf_", "gsk_", "npm_", "r8_", "xai-", "pplx-", "k_live_", "k_test_", "pypi-",
    "SG.", "dop_v1_", "dapi", ":AA",
)
# fmt: on


def may_hold_a_key(text: str, runs: str | None = None) -> bool:
    """Whether it is worth while to look for keys in a text.

    >>> may_hold_a_key("a day like any other"), may_hold_a_key("use hf_aaaaaaaaaaaaaaaaaaaaaaaa")
    (False, True)

    Args:
        text: The text.
        runs: Its `long_runs`, where they are known.
    """
    # Not `in`: in CPython 3.11, `rfind` takes half the time where there is nothing, as its search is the simpler one.
    if (
        ("-" in text and text.rfind("PRIVATE KEY") >= 0)
        or ("/" in text and text.rfind("hooks.slack.com/services/") >= 0)
        or ("J" in text and text.rfind("eyJ") >= 0)
        or ("_" in text and text.rfind("whsec_") >= 0)
    ):
        return True
    if runs is None:
        runs = long_runs(text)
    return bool(runs) and any(trigger in runs for trigger in _TRIGGERS)


def long_runs(text: str) -> str:
    """Return the long runs in a text, each with the little before it that a key may begin with.

    >>> long_runs("for example: SG.abcdefghij0123456789.abcdefghij, and so on")
    ': SG.abcdefghij0123456789'
    """
    runs = text.encode("ascii", "replace").translate(_RUNS)  # a byte a character, so that places are the same in both
    at = runs.rfind(_LONG)
    if at < 0:
        return ""
    long: list[str] = []
    while at >= 0:
        end = runs.find(b" ", at)
        start = runs.rfind(b" ", 0, at) + 1
        long.append(text[max(0, start - _BEFORE) : len(text) if end < 0 else end])
        at = runs.rfind(_LONG, 0, start)
    return "\n".join(long)
