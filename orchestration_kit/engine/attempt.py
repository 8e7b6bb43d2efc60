"""One attempt around the worker's call: what goes in, and what is made of what comes out.

Order: input transformer, worker, output schema, `success_when`, output transformer, data changes. Drivers call
the worker itself, each in its own way; everything else about an attempt is here, once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from orchestration_kit.engine.acting import canonical_plan, services_of, take_actions
from orchestration_kit.engine.context import WorkflowContext, notes_of
from orchestration_kit.engine.events import ErrorInfo
from orchestration_kit.engine.groups import Group
from orchestration_kit.engine.outcome import Action, Failure, Parked, Spawn
from orchestration_kit.engine.refusals import ActionRefused, NotAList
from orchestration_kit.engine.spawning import spawned
from orchestration_kit.engine.values import isolate
from orchestration_kit.errors import AttemptError, ConditionError, OutputInvalid, OutputRejected, TransformerError

if TYPE_CHECKING:
    from orchestration_kit.engine.driven import Driven
    from orchestration_kit.engine.notes import Notes
    from orchestration_kit.engine.ports import RunLog
    from orchestration_kit.engine.services import Scrub
    from orchestration_kit.engine.visits import Visit


REJECTED = "success_when was false"
_TOO_LATE = (
    "The output is an Action that the worker did not return itself, and what a transformer makes or a stream yields is "
    "not carried out. Return the Action from the worker."
)
_NO_HANDS = (
    "The worker returned an Action, and the hub has nobody to carry it out. Write Orchestrator(constraints="
    "create_default_engine(...), actions={...})."
)


def prepare(run: Driven, visit: Visit, context: WorkflowContext) -> None:
    """Work out what the worker is given (`visit.given`) where it is not simply the visit's input.

    Raises:
        TransformerError: the input transformer raised.
        AttemptError: what it returned cannot be put on record.
    """
    worker = visit.step.worker
    if worker is None or worker.input_transformer is None:
        return
    try:
        given = isolate(worker.input_transformer(isolate(visit.input), context))
    except Exception as error:
        raise TransformerError(worker.name, "input_transformer", _told(error)) from error
    given = clean(run, given)
    if run.log is not None:
        with run.turn:
            run.log.stage(f"what the input_transformer of worker {worker.name!r} returned", given)
    visit.given = given


def conclude(run: Driven, visit: Visit, context: WorkflowContext, output: Any) -> None:
    """Judge what a worker returned, collect what it changed, and settle the visit."""
    try:
        if output is Failure:
            output = Failure("the worker returned the class Failure; return Failure('why')")
        if isinstance(output, Failure):
            conclude_failure(run, visit, context, output)
            return
        _check_refusal(context, output)
        is_spawn = isinstance(output, Spawn) and visit.group is None
        output = spawned(run, visit, output) if is_spawn else clean(run, isolate(output))
        if visit.step.is_judged and not is_spawn:
            output = _shaped(visit, output)
            if not _is_success(run, visit, context, output):
                return
            output = clean(run, _transformed(visit, output, context))
        if any(isinstance(one, Action) for one in (cast("list[Any]", output) if type(output) is list else (output,))):
            raise AttemptError(_TOO_LATE)
        if visit.step.branches:
            visit.facts, visit.output = context, output
        _take_work(run, visit, context)
        _check_refusal(context, output)  # by a thread of the worker's, or a transformer
        with run.turn:
            if visit in run.machine.taken:  # else its time was up, or its branch is not wanted any more
                _check_added(visit)
                if run.log is not None:
                    _stage(run.log, visit, output)
                run.machine.settle(visit, output)
    except Exception as error:  # noqa: BLE001 - the worker's value or the user's code; the run goes on
        conclude_failure(run, visit, context, error)


def _check_refusal(context: WorkflowContext, output: Any) -> None:
    """See that nothing was refused whatever the worker made of it, and that no action is left over.

    Raises:
        ActionRefused: an action was, for good.
        AttemptError: there is nobody to carry out an action.
    """
    notes = notes_of(context)
    if notes is not None and notes.refused is not None:
        raise notes.refused
    if isinstance(output, Action):
        raise AttemptError(_NO_HANDS)


def conclude_failure(run: Driven, visit: Visit, context: WorkflowContext, error: BaseException) -> None:
    """Settle a visit whose attempt failed. What it wrote on the data bus is dropped."""
    if isinstance(error, Parked):
        with run.turn:
            run.machine.park(visit)
        return
    notes = notes_of(context)
    if notes is not None and notes.refused is not None:
        error = notes.refused
    if isinstance(error, Failure):
        try:
            reason, rejected = error.reason, isolate(error.output)
        except AttemptError as unfit:
            reason, rejected = f"{error.reason} ({unfit})", None
        _fail(run, visit, context, OutputRejected, reason, rejected)
        return
    if isinstance(error, ActionRefused) and error.on_violation == "ask" and visit.step.worker is not None:
        error = _blocked(run, visit, error, is_returned=notes is not None and notes.is_returned)
    run.exception = error
    is_final = getattr(error, "is_final", False) is True
    _fail(run, visit, context, type(error), _message(error), None, is_final=is_final)


def _blocked(run: Driven, visit: Visit, error: ActionRefused, *, is_returned: bool) -> ActionRefused:
    """Have a person asked about an action; return why it fails, which is for good where nobody can be asked."""
    refused = [{"rule": rule, "message": message} for rule, message, _ in error.violations]
    shown = clean(run, isolate(dict(error.plan)))
    try:
        is_whole = canonical_plan(shown) == canonical_plan(error.plan)
        told = "it holds a secret, which is not shown, so that nobody can approve it"
    except Exception as failed:  # noqa: BLE001 - no plain data
        is_whole, told = False, f"it cannot be shown to a person as it is ({_told(failed)})"
    if not is_whole:
        hint = "Let who carries it out add the secret."
        return ActionRefused(error.plan, (*error.violations, ("approval", told, hint)), "fail")
    blocked = {**shown, "violations": clean(run, refused), "is_returned": is_returned}
    visit.detail = {**(visit.detail or {}), "blocked": blocked}
    return error


def _stage(log: RunLog, visit: Visit, output: Any) -> None:
    """See that what an attempt gave can be put on record, before the step counts as done."""
    log.stage(f"the output of step {visit.step.step_id!r}", output)
    if visit.detail is not None:
        log.stage(f"what step {visit.step.step_id!r} added or made", visit.detail)
    if visit.changes is not None:
        log.stage_changes(visit.changes, visit.scope.prefix)


def _check_added(visit: Visit) -> None:
    """See that there is room for the items that an attempt adds to the map it is in.

    Raises:
        NotAList: the map would have more than it may.
    """
    added = (visit.detail or {}).get("added", ())
    scope = visit.scope if added else None
    while scope is not None and scope.group is not None:
        group = scope.group
        if isinstance(group, Group) and group.keys is None:
            most = group.visit.step.opens.max_items if group.visit.step.opens is not None else group.total
            if group.total + len(added) > most:
                what = f"it would have {group.total + len(added):,} items, over max_items={most:,}"
                hint = "Set max_items higher where that is meant, or add fewer."
                raise NotAList(group.visit.step.step_id, "context.add_item(...)", what, hint)
            return
        scope = group.within


def take_notes(visit: Visit, context: WorkflowContext) -> None:
    """Put what the attempt used and did so far on its visit, and where its output came from."""
    notes = notes_of(context)
    if notes is None:
        visit.usage, visit.cached = None, False
        return
    put_notes(visit, notes, services_of(context).scrub)


def put_notes(visit: Visit, notes: Notes, scrub: Scrub | None) -> None:
    """Put what an attempt used and did on its visit. It can do no more after that."""
    visit.usage, visit.cached = notes.usage, notes.cached
    if scrub is not None and notes.usage is not None and notes.usage["model"] is not None:
        visit.usage = {**notes.usage, "model": scrub.text(notes.usage["model"])}
    actions = take_actions(notes)
    if actions or notes.lessons:
        more = {"actions": actions, "lessons": notes.lessons}
        kept = {key: isolate(value) for key, value in more.items() if value}
        visit.detail = {**(visit.detail or {}), **(kept if scrub is None else scrub(kept))}


def clean(run: Driven, value: Any) -> Any:
    """Return a value without secrets, as it goes on record."""
    scrub = run.machine.plan.services.scrub
    return value if scrub is None else scrub(value)


def _take_work(run: Driven, visit: Visit, context: WorkflowContext) -> None:
    """Put all that an attempt leaves on its visit: what it used, changed and added."""
    take_notes(visit, context)
    notes = notes_of(context)
    if notes is None:
        return
    if notes.view is not None:
        changes = notes.view.changes()
        if changes is not None:
            cleaned = clean(run, changes.updated)
            if cleaned is not changes.updated:
                notes.view.update(isolate(cleaned))  # conditions put on record what they see
            changes = changes._replace(updated=cleaned)
        visit.changes = changes
    if notes.added:
        visit.detail = {**(visit.detail or {}), "added": clean(run, isolate(notes.added))}


def _is_success(run: Driven, visit: Visit, context: WorkflowContext, output: Any) -> bool:
    """Whether the output counts as success; where not, the visit is settled."""
    condition = visit.step.success_when
    if condition is None:
        return True
    judged = isolate(output) if condition.calls_code else output
    try:
        evaluated = condition.evaluate(visit.step.step_id, judged, context)
    except ConditionError as error:
        # Deterministic, so that another attempt would only cost: no retry.
        run.exception = error
        _fail(run, visit, context, ConditionError, str(error), output, is_final=True)
        return False
    visit.evaluated = clean(run, (evaluated,))  # it saw what the worker wrote on the data bus, as it was
    if not evaluated.result:
        _fail(run, visit, context, OutputRejected, f"{REJECTED}: {evaluated.text}", output)
    return evaluated.result


def _fail(  # noqa: PLR0913, PLR0917 - one way for all failures
    run: Driven,
    visit: Visit,
    context: WorkflowContext,
    error_type: type[BaseException],
    message: str,
    rejected: Any,
    *,
    is_final: bool = False,
) -> None:
    """Settle a failed attempt; what was rejected goes on record beside the reason."""
    message, rejected = clean(run, message), clean(run, rejected)
    take_notes(visit, context)
    visit.changes = None
    if visit.detail is not None:
        visit.detail = {key: value for key, value in visit.detail.items() if key not in ("spawn", "added")} or None
    if rejected is not None and run.log is not None:
        try:
            with run.turn:
                run.log.stage(f"the rejected output of step {visit.step.step_id!r}", rejected)
        except AttemptError as error:
            message, rejected = f"{message} ({error})", None
    output: dict[str, Any] = {"error": message} if rejected is None else {"error": message, "output": rejected}
    types = () if visit.step.retry is None else tuple(base.__name__ for base in error_type.__mro__)
    info = ErrorInfo(error_type.__name__, message, is_final)
    with run.turn:
        if visit in run.machine.taken:
            run.machine.settle(visit, output, info, None if is_final else types)


def _shaped(visit: Visit, output: Any) -> Any:
    worker = None if visit.group is not None else visit.step.worker  # a join is no output of its worker
    if worker is None or worker.validate_output is None:
        return output
    from pydantic import ValidationError

    try:
        return worker.validate_output(output)
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False, include_input=False)
        parts = [f"{'.'.join(map(str, one['loc'])) or 'output'}: {one['msg']}" for one in found[:10]]
        raise OutputInvalid(worker.name, "; ".join(parts)) from error
    except Exception as error:
        raise OutputInvalid(worker.name, f"its validation raised {_told(error)}") from error


def _transformed(visit: Visit, output: Any, context: WorkflowContext) -> Any:
    worker = None if visit.group is not None else visit.step.worker
    if worker is None or worker.output_transformer is None:
        return output
    try:
        return isolate(worker.output_transformer(output, context))
    except Exception as error:
        raise TransformerError(worker.name, "output_transformer", _told(error)) from error


def _told(error: Exception) -> str:
    return f"{type(error).__name__}: {_message(error)}"


def _message(error: BaseException) -> str:
    """Return what an error says; one whose own text fails must not take the run down."""
    try:
        return str(error) or type(error).__name__
    except Exception as failed:  # noqa: BLE001 - somebody else's __str__
        return f"{type(error).__name__} (its message cannot be read: {type(failed).__name__})"


__all__ = ["clean", "conclude", "conclude_failure", "prepare", "put_notes", "take_notes"]
