"""One recorded attempt of a worker: what it was given, and what came of it. Plain data, made by the codec."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from orchestration_kit.journal import codec
from orchestration_kit.journal.codec.room import with_room

Key = tuple[str, int, str, str]
"""Path, attempt, worker, and the hash of the input."""

OUTCOMES = ("output", "error", "failure", "spawn", "cancelled")
"""What may have come of an attempt: one of them, or pieces alone."""
BODY = ("input", "reads", "pieces", *OUTCOMES, "refused", "data", "added", "actions", "lessons", "usage")
"""What a recording may hold, in the order of the file."""
_UNORDERED = {"$dict", "$counter", "$set", "$frozenset"}


@dataclass(frozen=True, slots=True)
class Recording:
    """What a worker was given in one attempt, and what came of it.

    >>> body = {"input": "a bakery in Bonn", "output": {"title": "Bread"}}
    >>> recording = Recording("draft#1", 1, "writer", body)
    >>> recording.step, recording.output, recording.hash
    ('draft', {'title': 'Bread'}, '7e2099b772d2efad')
    """

    path: str
    """Position in the graph and visit number, e.g. `review_code#2`."""
    attempt: int
    worker: str
    body: Mapping[str, Any]
    """`input`, and what there is of `reads`, `pieces`, `output`, `error`, `failure`, `spawn`, `cancelled`, `refused`,
    `data`, `added`, `actions`, `lessons` and `usage`, as in the file."""
    hash: str = ""
    """Of the input, and of the entries of the data bus that the step declares to read; made where none is given."""

    def __post_init__(self) -> None:
        if not self.hash:
            object.__setattr__(self, "hash", input_hash(self.body["input"], self.body.get("reads")))

    @property
    def key(self) -> Key:
        """What it is found by."""
        return (self.path, self.attempt, self.worker, self.hash)

    @property
    def step(self) -> str:
        """The step's id."""
        return step_of(self.path)

    @property
    def input(self) -> Any:
        """What the worker was given, without secrets."""
        return codec.decode(self.body["input"])

    @property
    def output(self) -> Any:
        """What the worker returned, without secrets; None where it failed, or only yielded pieces."""
        return codec.decode(self.body.get("output"))

    @property
    def order(self) -> tuple[Any, ...]:
        """Where it stands among others: `step#10` after `step#2`."""
        return (natural(self.path), self.attempt, self.worker, self.hash)

    def without_secrets(self, redact: Callable[[Any], Any]) -> Recording:
        """Return a copy without the secrets that are known by now; it is found by the same key."""
        open_parts = {name: part for name, part in self.body.items() if name != "error"}
        error = self.body.get("error")
        if error is not None:  # names of classes stay as they are
            open_parts["error"] = {"message": error.get("message", "")}
        body = redact(open_parts)
        if "pieces" in body:
            body["pieces"] = _whole(self.body["pieces"], body["pieces"], redact)
        if error is not None:
            body["error"] = {**error, "message": body["error"]["message"]}
        return Recording(self.path, self.attempt, self.worker, body, self.hash)

    def as_data(self) -> dict[str, Any]:
        """Return it as plain data, in the order in which it is written."""
        head = {"path": self.path, "attempt": self.attempt, "worker": self.worker, "hash": self.hash}
        return head | {name: self.body[name] for name in BODY if name in self.body}

    def __repr__(self) -> str:
        what = "fails" if "error" in self.body or "failure" in self.body else "returns"
        what = "is cancelled" if "cancelled" in self.body else what
        return f"<Recording {self.path}, attempt {self.attempt}, of {self.worker!r}: it {what}>"


def _whole(pieces: Any, redacted: Any, redact: Callable[[Any], Any]) -> Any:
    """Return redacted pieces; those of a text in one where a secret is cut in two by them."""
    texts: list[Any] = cast("list[Any]", pieces) if isinstance(pieces, list) else []
    if len(texts) < 2 or not all(isinstance(one, str) for one in texts):
        return redacted
    text = "".join(texts)
    cleaned = redact(text)
    return redacted if cleaned in (text, "".join(redacted)) else [cleaned]


def step_of(path: str) -> str:
    """Return the step of a path.

    >>> step_of("research#1[3]/draft#2")
    'draft'
    """
    return path.rpartition("/")[2].partition("#")[0]


def natural(text: str) -> tuple[Any, ...]:
    """Return what sorts text with numbers as people would.

    >>> sorted(["step#10", "step#2"], key=natural)
    ['step#2', 'step#10']
    """
    return tuple(
        (int(part), "") if part.isdecimal() and part.isascii() else (-1, part) for part in re.split(r"(\d{1,18})", text)
    )


def input_hash(given: Any, reads: Any = None) -> str:
    """Return the hash of an input: the same on every machine, whatever the order of keys and members of sets.

    >>> input_hash({"a": 1, "b": 2}) == input_hash({"b": 2, "a": 1})
    True
    """
    parts = [given] if reads is None else [given, reads]
    text = _canonical_text(parts)
    if '"$' in text:
        text = _canonical_text(with_room(_sorted, parts))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _canonical_text(plain: Any) -> str:
    return with_room(_dumps, plain)


def _dumps(plain: Any) -> str:
    return json.dumps(plain, sort_keys=True, separators=(",", ":"))


def _sorted(plain: Any) -> Any:
    """Sort what the codec writes in a list although it has no order."""
    if isinstance(plain, list):
        return [_sorted(part) for part in cast("list[Any]", plain)]
    if not isinstance(plain, dict):
        return plain
    made: dict[str, Any] = {key: _sorted(part) for key, part in cast("dict[str, Any]", plain).items()}
    for tag in _UNORDERED & made.keys():
        made[tag] = _in_order(made[tag])
    if isinstance(made.get("$defaultdict"), list):
        made["$defaultdict"] = [_in_order(part) for part in made["$defaultdict"]]
    return made


def _in_order(parts: Any) -> Any:
    return sorted(cast("list[Any]", parts), key=_dumps) if isinstance(parts, list) else parts
