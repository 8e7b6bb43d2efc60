"""What came of a recorded attempt, as values and errors again."""

from __future__ import annotations

from typing import Any, NamedTuple, cast

from orchestration_kit.definition.workflow import WorkflowDefinition
from orchestration_kit.engine.outcome import Spawn
from orchestration_kit.engine.refusals import ActionRefused
from orchestration_kit.journal import codec
from orchestration_kit.journal.cassette.errors_again import RecordedError, describe
from orchestration_kit.journal.cassette.recording import Recording

_NO_USAGE = {"input_tokens": 0, "output_tokens": 0, "cost_usd": 0.0, "model": None}
_NOT_GIVEN: Any = object()


class Refused(NamedTuple):
    """A refused action."""

    error: ActionRefused
    is_returned: bool
    """Whether the worker had returned it."""


class Outcome(NamedTuple):
    """What came of an attempt, as values."""

    output: Any = None
    pieces: list[Any] | None = None
    error: RecordedError | None = None
    failure: tuple[str, Any] | None = None
    updated: dict[str, Any] | None = None
    removed: tuple[str, ...] = ()
    usage: dict[str, Any] | None = None
    spawn: Spawn | None = None
    added: tuple[Any, ...] = ()
    """Items for the map that it was in."""
    refused: Refused | None = None
    """Why an action of it was refused, for good or until a person decides."""
    actions: tuple[Any, ...] = ()
    """What it asked the hub to carry out."""
    lessons: tuple[Any, ...] = ()
    """Which lessons it made use of."""
    is_cancelled: bool = False
    """Nobody waited for it any more, before anything came of it."""


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
        spawn=None if "spawn" not in body else _spawn(body["spawn"]),
        added=tuple(codec.decode(body.get("added", []))),
        refused=None if "refused" not in body else _refused(codec.decode(body["refused"])),
        actions=tuple(codec.decode(body.get("actions", []))),
        lessons=tuple(codec.decode(body.get("lessons", []))),
        is_cancelled="cancelled" in body,
    )


def spawn_data(spawn: Spawn, where: str) -> dict[str, Any]:
    """Return a workflow that a worker made, and what it is to get, as plain data.

    Raises:
        NotSerializable: the workflow holds Python callables.
        NotRecordable: the input cannot be put on record.
    """
    data: dict[str, Any] = {"workflow": codec.encode(spawn.workflow.to_dict(), where)}
    given = spawn.input_or(_NOT_GIVEN)
    if given is not _NOT_GIVEN:
        data["input"] = codec.encode(given, where)
    return data


def _spawn(data: dict[str, Any]) -> Spawn:
    workflow = WorkflowDefinition.from_dict(codec.decode(data.get("workflow")))
    return Spawn(workflow, codec.decode(data["input"])) if "input" in data else Spawn(workflow)


def refused_data(error: ActionRefused, *, is_returned: bool) -> dict[str, Any]:
    """Return a refused action as plain data.

    Raises:
        NotRecordable: the action holds what cannot be put on record.
    """
    violations = [list(one) for one in error.violations]
    found = {"plan": dict(error.plan), "violations": violations, "on_violation": error.on_violation}
    return codec.encode({**found, "stage": error.stage, "returned": is_returned}, "the refused action")


def _refused(data: Any) -> Refused:
    violations = tuple((str(rule), str(message), str(hint)) for rule, message, hint in data["violations"])
    plan = cast("dict[str, Any]", data["plan"])
    if not {"action_type", "action_data", "cost"} <= set(plan):
        raise ValueError("its refused action has no action_type, action_data or cost")
    error = ActionRefused(plan, violations, str(data["on_violation"]), str(data["stage"]))
    return Refused(error, data["returned"] is True)


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
