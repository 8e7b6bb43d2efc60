"""What the conformance tests have called: functions of a module, from bytes to bytes, as remote executors want them."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from pathlib import Path
from typing import NoReturn


class Stubborn(LookupError):
    """An error that cannot be pickled."""

    def __init__(self, one: str, other: str) -> None:
        super().__init__(f"{one} and {other}")
        self.held = lambda: one


def echo(content: bytes) -> bytes:
    """Return what is given."""
    return content


def join(*parts: object) -> bytes:
    """Return what is given as text, in order."""
    return "|".join(map(repr, parts)).encode()


def fail(message: str) -> NoReturn:
    """Raise a plain error."""
    raise ValueError(message)


def fail_stubbornly(one: str, other: str) -> NoReturn:
    """Raise an error that cannot be pickled."""
    raise Stubborn(one, other)


def leave(message: str) -> NoReturn:
    """Raise what ends a program."""
    raise SystemExit(message)


def wait_at_door(folder: str) -> bytes:
    """Write down that it was begun, wait until there is a token, and take it."""
    note(str(Path(folder) / "begun"), "begun")
    while True:
        for token in Path(folder).glob("token-*"):
            with suppress(OSError):  # somebody else was first
                token.unlink()
                return b"through"
        time.sleep(0.005)


def note(mark: str, text: str) -> bytes:
    """Write down that it was made."""
    with Path(mark).open("ab") as file:
        file.write(text.encode() + b"\n")
    return text.encode()


def note_and_die(mark: str) -> NoReturn:
    """Write down that it was begun, and end the process."""
    note(mark, "begun")
    os._exit(7)


def die_until(mark: str, times: int) -> bytes:
    """End the process the first so many times."""
    note(mark, "begun")
    if len(Path(mark).read_bytes().splitlines()) <= times:
        os._exit(7)
    return b"at last"
