"""Find what should not leave in texts: keys, e-mail addresses, phone numbers, IBANs, payment cards, US social security.

Numbers are held against their check digits, so that few others are taken for them: IBANs by ISO 7064 (modulo 97, as ISO
13616 has it), cards by Luhn's formula (ISO/IEC 7812-1). What is encoded, split or drawn is not found.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from functools import lru_cache
from typing import Any, cast

MAX_CHARACTERS = 5_000_000
MAX_PARTS = 200_000
_EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@(?:[\w-]{1,63}\.){1,8}[A-Za-z]{2,24}(?![\w-])")
_PHONE = re.compile(
    r"(?<![\w.,/-])(?<!\d )(?:(?:\+|00)[1-9][\d ().-]{7,22}\d|\(?0?\d{2,4}\)?[ -]\d{3,4}[ -]\d{3,6})"
    r"(?![ -]?\d)(?![\w-])"
)
_IBAN = re.compile(
    r"(?<![A-Za-z0-9])[A-Za-z]{2}\d{2}(?:[A-Za-z0-9]{11,30}|(?:[ -][A-Za-z0-9]{4}){2,7}(?:[ -][A-Za-z0-9]{1,4})?)"
    r"(?![A-Za-z0-9])"
)
_CARD = re.compile(r"(?<![\d.-])[2-6]\d{3}(?:[ -]?\d){9,15}(?![\d-])")
_SSN = re.compile(r"(?<![\w-])(?!000|666|9\d\d)\d{3}-(?!00)\d{2}-(?!0000)\d{4}(?![\w-])")


def is_card(text: str) -> bool:
    """Whether digits are the number of a payment card.

    >>> is_card("4111 1111 1111 1111"), is_card("4111 1111 1111 1112")
    (True, False)
    """
    digits = [int(c) for c in text if c in "0123456789"]
    if not 13 <= len(digits) <= 19 or len(set(digits)) < 2:
        return False
    doubled = [2 * digit - 9 * (digit > 4) for digit in digits[-2::-2]]
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


def is_iban(text: str) -> bool:
    """Whether a text is an IBAN.

    >>> is_iban("DE89 3704 0044 0532 0130 00"), is_iban("DE88 3704 0044 0532 0130 00")
    (True, False)
    """
    plain = re.sub(r"[ -]", "", text).upper()
    if not (15 <= len(plain) <= 34 and plain.isascii() and plain.isalnum()):
        return False
    return int("".join(str(int(c, 36)) for c in plain[4:] + plain[:4])) % 97 == 1


def _ibans(text: str) -> bool:
    for match in _IBAN.finditer(text):
        found = match[0]
        while len(found) >= 15:  # words that follow may have been taken along
            if is_iban(found):
                return True
            found = found[: max(found.rfind(" "), found.rfind("-"), 0)]
    return False


def _has_key(text: str) -> bool:
    return _scrubber().text(text) is not text


@lru_cache(maxsize=1)
def _scrubber() -> Any:
    from orchestration_kit.secrets.scrubber import Scrubber

    return Scrubber()


_FINDERS: dict[str, Callable[[str], bool]] = {
    "keys": _has_key,
    "email": lambda text: "@" in text and _EMAIL.search(text) is not None,
    "phone": lambda text: _PHONE.search(text) is not None,
    "iban": _ibans,
    "card": lambda text: any(is_card(match[0]) for match in _CARD.finditer(text)),
    "ssn": lambda text: _SSN.search(text) is not None,
}
NAMES = {
    "keys": "a key or another secret",
    "email": "an e-mail address",
    "phone": "a phone number",
    "iban": "an IBAN",
    "card": "a payment card's number",
    "ssn": "a social security number",
}
"""What can be looked for, in words."""


class Unreadable(ValueError):
    """A value that cannot be looked through; never leaves this package."""


def found_in(value: Any, kinds: Iterable[str]) -> list[str]:
    """Return which kinds of sensitive data are in a value, however it is nested.

    >>> found_in({"note": ["write to ann@example.com", 4111111111111111]}, ["email", "card", "iban"])
    ['email', 'card']

    Raises:
        Unreadable: it is too large, or of a type that cannot be looked into.
    """
    wanted = list(kinds)
    found: dict[str, None] = {}
    if "keys" in wanted:
        _scrubber().refresh()
    for text in texts_of(value):
        for kind in wanted:
            if kind not in found and _FINDERS[kind](text):
                found[kind] = None
    return [kind for kind in wanted if kind in found]


def texts_of(value: Any) -> Iterator[str]:
    """Give every text and whole number in a value, as text.

    Raises:
        Unreadable: it is too large, or of a type that cannot be looked into.
    """
    stack: list[Any] = [value]
    seen: set[int] = set()
    parts = characters = 0
    while stack:
        one = stack.pop()
        parts += 1
        if parts > MAX_PARTS:
            raise Unreadable(f"it has over {MAX_PARTS:,} parts")
        if type(one) is str:
            characters += len(one)
            if characters > MAX_CHARACTERS:
                raise Unreadable(f"it has over {MAX_CHARACTERS:,} characters")
            yield one
            continue
        if type(one) is dict:
            stack += cast("dict[Any, Any]", one).keys()
            stack += cast("dict[Any, Any]", one).values()
            continue
        if one is None or isinstance(one, (bool, float)):
            continue
        if isinstance(one, (str, int, bytes, bytearray)):
            text = bytes(one).decode("utf-8", "replace") if isinstance(one, (bytes, bytearray)) else str(one)
            characters += len(text)
            if characters > MAX_CHARACTERS:
                raise Unreadable(f"it has over {MAX_CHARACTERS:,} characters")
            yield text
        elif id(one) not in seen:
            seen.add(id(one))
            stack += reversed(_parts(one))


def _parts(value: Any) -> list[Any]:
    if isinstance(value, Mapping):
        entries = cast("Mapping[Any, Any]", value)
        return [part for entry in entries.items() for part in entry]
    if isinstance(value, (list, tuple, set, frozenset, deque)):
        return list(cast("Iterable[Any]", value))
    if is_dataclass(value) and not isinstance(value, type):
        return [getattr(value, field.name) for field in fields(value)]
    for name in ("model_dump", "to_pylist", "to_dict", "tolist"):  # pydantic, Arrow, pandas, numpy
        method = getattr(cast("Any", value), name, None)
        if callable(method):
            return [method()]
    return [str(value)]
