"""What came of a recorded attempt, as values and errors again."""

from __future__ import annotations

from typing import Any, NamedTuple, cast

from orchestration_kit.journal import codec
from orchestration_kit.journal.cassette.errors_again import RecordedError, describe
from orchestration_kit.journal.cassette.recording import Recording

_NO_USAGE = {"input_tokens": 0, "output_tokens": 0, "cost_usd": 0.0, "model": None}


class Outcome(NamedTuple):
    """What came of an attempt, as values."""

    output: Any = None
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
    if not isinstance(updated, dict) or not isinstance(removed, list):
        raise ValueError("its data changes are no mapping and list")  # noqa: TRY004 - the file's fault
    changes, dropped = cast("dict[Any, Any]", updated), cast("list[Any]", removed)
    if not all(isinstance(name, str) for name in [*changes, *dropped]):
        raise ValueError("its data changes have names that are not text")
    return Outcome(
        output=codec.decode(body.get("output")),
        pieces=codec.decode(body["pieces"]) if "pieces" in body else None,
        error=None
        if error is None
        else RecordedError(
            error["type"], _as_text(error.get("message", "")), tuple(error.get("bases", ())), error.get("final") is True
        ),
        failure=None if failure is None else (_as_text(failure.get("reason", "")), codec.decode(failure.get("output"))),
        updated=changes,
        removed=tuple(dropped),
        usage=None if "usage" not in body else _NO_USAGE | body["usage"],
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
