"""One recorded attempt of a worker: what it was given, and what came of it. Plain data, made by the codec."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, cast

from orchestration_kit.errors import did_you_mean, listed
from orchestration_kit.journal import codec
from orchestration_kit.journal.recorded_errors import RecordedError, describe

Slot = tuple[str, int, str]
"""Path, attempt, worker."""
Key = tuple[str, int, str, str]
"""The slot, and the hash of the input."""

_FIELDS = ("path", "attempt", "worker", "hash")
_BODY = ("input", "reads", "pieces", "output", "error", "failure", "data", "usage")
_INSIDE: dict[str, tuple[str, ...]] = {
    "error": ("type", "message", "bases", "final"),
    "failure": ("reason", "output"),
    "data": ("set", "removed"),
    "usage": ("input_tokens", "output_tokens", "cost_usd", "model"),
}
_HASH = re.compile(r"[0-9a-f]{16}")
_UNORDERED = {"$dict", "$counter", "$set", "$frozenset"}


@dataclass(frozen=True, slots=True)
class Recording:
    """What a worker was given in one attempt, and what came of it.

    >>> body = {"input": "a bakery in Bonn", "output": {"title": "Bread"}}
    >>> recording = Recording("draft#1", 1, "writer", body)
    >>> recording.step, recording.output, recording.hash
    ('draft', {'title': 'Bread'}, '5a1e3f0c6f9f4a51')
    """

    path: str
    """Position in the graph and visit number, e.g. `review_code#2`."""
    attempt: int
    worker: str
    body: Mapping[str, Any]
    """`input`, and of `reads`, `pieces`, `output`, `error`, `failure`, `data` and `usage` what there is, as the file has
    them."""
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
    def slot(self) -> Slot:
        """What it is found by, without the input."""
        return (self.path, self.attempt, self.worker)

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
        """Return it without the secrets that are known by now; it is found by the same key."""
        open_parts = {name: part for name, part in self.body.items() if name != "error"}
        error = self.body.get("error")
        if error is not None:  # names of classes stay as they are
            open_parts["error"] = {"message": error.get("message", "")}
        body = redact(open_parts)
        if error is not None:
            body["error"] = {**error, "message": body["error"]["message"]}
        return self if body == self.body else Recording(self.path, self.attempt, self.worker, body, self.hash)

    def as_data(self) -> dict[str, Any]:
        """Return it as plain data, in the order in which it is written."""
        head = {"path": self.path, "attempt": self.attempt, "worker": self.worker, "hash": self.hash}
        return head | {name: self.body[name] for name in _BODY if name in self.body}

    def __repr__(self) -> str:
        what = "fails" if "error" in self.body or "failure" in self.body else "returns"
        return f"<Recording {self.path}, attempt {self.attempt}, of {self.worker!r}: it {what}>"


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
    return tuple((int(part), "") if part.isdecimal() and part.isascii() else (-1, part) for part in re.split(r"(\d{1,18})", text))


def input_hash(given: Any, reads: Any = None) -> str:
    """Return the hash of an input: the same on every machine, whatever the order of keys and members of sets.

    >>> input_hash({"a": 1, "b": 2}) == input_hash({"b": 2, "a": 1})
    True
    """
    parts = [given] if reads is None else [given, reads]
    text = _canonical_text(parts)
    if '"$' in text:
        text = _canonical_text(_sorted(parts))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _canonical_text(plain: Any) -> str:
    return json.dumps(plain, sort_keys=True, separators=(",", ":"))


def _sorted(plain: Any) -> Any:
    """Sort what the codec writes in a list although it has no order."""
    if isinstance(plain, list):
        return [_sorted(part) for part in cast("list[Any]", plain)]
    if isinstance(plain, dict):
        made = {key: _sorted(part) for key, part in cast("dict[str, Any]", plain).items()}
        for tag in _UNORDERED & made.keys():
            if isinstance(made[tag], list):
                made[tag] = sorted(made[tag], key=_canonical_text)
        return made
    return plain


class Malformed(ValueError):
    """A recording in a file is not one; `args` are what is wrong and what to do."""


def from_data(plain: Any) -> Recording:
    """Return a recording from what a file holds.

    Raises:
        Malformed: it is none.
    """
    fields = _mapping(plain, "a recording", (*_FIELDS, *_BODY))
    for name, kind in (("path", str), ("attempt", int), ("worker", str)):
        if type(fields.get(name)) is not kind or not fields[name]:
            raise Malformed(f"its {name} is {fields.get(name)!r:.60}", f"A {name} is {_WANTED[name]}.")
    outcomes = [name for name in ("output", "error", "failure") if name in fields]
    if len(outcomes) > 1 or not (outcomes or "pieces" in fields):
        raise Malformed(f"it has {listed(outcomes)} as outcome", "Give one of output, error and failure.")
    if "input" not in fields or fields["attempt"] < 1:
        raise Malformed("it has no input" if "input" not in fields else "its attempt is below 1", "Mend it.")
    if not isinstance(fields.get("pieces", []), list):
        raise Malformed("its pieces are no list", 'Write "pieces:" and a list below.')
    for name, known in _INSIDE.items():
        if name in fields:
            _mapping(fields[name], f"its {name}", known)
    _check_error(fields.get("error"))
    _check_usage(fields.get("usage"))
    given_hash = fields.get("hash", "")
    if not isinstance(given_hash, str) or (given_hash and not _HASH.fullmatch(given_hash)):
        raise Malformed(f"its hash is {given_hash!r:.60}", "Leave the line out, and it is made from the input.")
    body = {name: fields[name] for name in _BODY if name in fields}
    return Recording(fields["path"], fields["attempt"], fields["worker"], body, given_hash)


_WANTED = {"path": "a position such as draft#1", "attempt": "a number from 1", "worker": "the name of a worker"}


def _mapping(plain: Any, what: str, known: tuple[str, ...]) -> dict[str, Any]:
    if not isinstance(plain, dict):
        raise Malformed(f"{what} is {type(plain).__name__}, not a mapping", f"It has {listed(known, 20)}.")
    found = cast("dict[str, Any]", plain)
    for name in found:
        if name not in known:
            raise Malformed(f"{what} has {name!r:.60}.{did_you_mean(name[:60], known)}", f"It may have {listed(known, 20)}.")
    return found


def _check_error(error: Any) -> None:
    if error is None:
        return
    bases = error.get("bases", [])
    names = [error.get("type"), *(bases if isinstance(bases, list) and len(cast("Any", bases)) <= 64 else [None])]
    if not all(isinstance(name, str) and name.isprintable() and 0 < len(name) <= 200 for name in names):
        raise Malformed("its error has no name", "Give type (the name of a class) and bases (a list of names).")


def _check_usage(usage: Any) -> None:
    for name, value in (usage or {}).items():
        if name == "model":
            is_fine = value is None or isinstance(value, str)
        else:
            numbers = (int, float) if name == "cost_usd" else int
            is_fine = isinstance(value, numbers) and not isinstance(value, bool) and 0 <= value < 1e18
        if not is_fine:
            raise Malformed(f"its usage has {name} {value!r:.60}", "Tokens are whole numbers, costs numbers of dollars.")


class Outcome(NamedTuple):
    """What came of an attempt, as values."""

    output: Any = None
    has_output: bool = False
    pieces: list[Any] | None = None
    error: RecordedError | None = None
    failure: tuple[str, Any] | None = None
    updated: dict[str, Any] | None = None
    removed: tuple[str, ...] = ()
    usage: dict[str, Any] | None = None


def outcome_of(recording: Recording) -> Outcome:
    """Return what a recording holds as values of their own.

    Raises:
        JournalError: a value cannot be read here, for example because its type is not registered.
        ValueError: the recording holds something else than it should.
    """
    body = recording.body
    error, failure, data = body.get("error"), body.get("failure"), body.get("data", {})
    updated, removed = codec.decode(data.get("set", {})), codec.decode(data.get("removed", []))
    if not isinstance(updated, dict) or not isinstance(removed, list) or not all(isinstance(k, str) for k in [*updated, *removed]):
        raise ValueError("its data changes are no mapping of names")
    return Outcome(
        output=codec.decode(body.get("output")),
        has_output="output" in body,
        pieces=codec.decode(body["pieces"]) if "pieces" in body else None,
        error=None
        if error is None
        else RecordedError(
            error["type"], _as_text(error.get("message", "")), tuple(error.get("bases", ())), error.get("final") is True
        ),
        failure=None if failure is None else (_as_text(failure.get("reason", "")), codec.decode(failure.get("output"))),
        updated=updated,
        removed=tuple(removed),
        usage={"input_tokens": 0, "output_tokens": 0, "cost_usd": 0.0, "model": None} | body["usage"] if "usage" in body else None,
    )


def _as_text(plain: Any) -> str:
    """Return a message; one with half a surrogate pair is tagged, one edited by hand may be a number."""
    return str(codec.decode(plain))


def error_data(error: BaseException) -> dict[str, Any]:
    """Return an error as plain data."""
    recorded = describe(error)
    data: dict[str, Any] = {"type": recorded.type, "message": codec.encode(recorded.message, "message")}
    if recorded.bases:
        data["bases"] = list(recorded.bases)
    if recorded.is_final:
        data["final"] = True
    return data
