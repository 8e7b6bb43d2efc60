"""Wait for a person, an event or a time, and go on with what came. An answer is bound to what was asked."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from orchestration_kit.definition.kinds import ApprovalStep, WaitStep
from orchestration_kit.definition.schemas import too_large
from orchestration_kit.engine.attempt import clean, conclude, conclude_failure
from orchestration_kit.engine.branching import is_absent, value_at
from orchestration_kit.engine.context import WorkflowContext
from orchestration_kit.engine.events import Answered, WaitStarted
from orchestration_kit.engine.order import place_of
from orchestration_kit.engine.refusals import AnswerRefused, ApprovalRejected, WaitTimeout
from orchestration_kit.engine.values import isolate
from orchestration_kit.errors import did_you_mean, listed

if TYPE_CHECKING:
    from orchestration_kit.engine.driven import Driven
    from orchestration_kit.engine.visits import Visit


@dataclass(frozen=True, slots=True, repr=False)
class Request:
    """What a run waits for: `run.waiting` lists them."""

    run_id: str
    path: str
    """The visit that waits, e.g. `sign#1`."""
    step: str
    kind: str
    """`approval`, `event`, `time`, or `workflow` for one whose own run waits."""
    prompt: str
    """What is asked, or waited for, in words."""
    shown: dict[str, Any]
    """What a person sees with the question, by name."""
    schema: dict[str, Any] | None
    """JSON Schema of the value that is wanted."""
    hash: str
    """SHA-256 of all of the above: an answer holds for exactly this question."""
    asked_at: float
    """Seconds since the epoch."""
    deadline: float | None
    """When it times out, or the time it waits for; seconds since the epoch."""
    event: str | None = None
    """The name of the event it waits for."""

    def __repr__(self) -> str:
        shown = f", shown {self.shown!r:.200}" if self.shown else ""
        return f"<Request {self.path} of run {self.run_id!r} ({self.kind}): {self.prompt!r:.200}{shown}>"


def ask(run: Driven, visit: Visit, context: WorkflowContext) -> None:
    """Begin to wait; where the event that is waited for was sent before, go on with that."""
    step, now = visit.step.definition, run.clock.time()
    visit.started_at = now
    try:
        shown, digest = _question(run, visit, context)
        if run.log is not None:
            run.log.stage(f"what step {step.step_id!r} shows", shown)
    except Exception as error:  # noqa: BLE001 - the user's code, or data; the run goes on
        conclude_failure(run, visit, context, error)
        return
    if visit.wait is not None and visit.wait.request == digest:
        event = visit.wait._replace(asked_at=visit.wait.asked_at)  # the time that has passed counts
    else:
        event = WaitStarted(visit.path, _kind(step), digest, shown, now, _until(step, now))
    run.machine.wait(visit, event)
    if event.until is not None:
        run.timers[visit.path] = run.clock.monotonic() + max(0.0, event.until - now)
    known = None if run.past is None else run.past.answer_to(visit.path, digest)
    if known is not None:
        put_answer(run, known)
        return
    name = visit.step.event
    if name is not None and run.machine.inbox.get(name):
        payload = run.machine.inbox[name][0]
        put_answer(run, Answered(visit.path, "kept", payload, None, digest, now))


def _kind(step: Any) -> Any:
    if isinstance(step, ApprovalStep):
        return "approval"
    return "event" if cast("WaitStep", step).event is not None else "time"


def _until(step: Any, now: float) -> float | None:
    if step.timeout_s is not None:
        return now + step.timeout_s
    if isinstance(step, WaitStep) and step.for_s is not None:
        return now + step.for_s
    return step.until.timestamp() if isinstance(step, WaitStep) and step.until is not None else None


def _question(run: Driven, visit: Visit, context: WorkflowContext) -> tuple[dict[str, Any], str]:
    """Return what is shown, and the hash of the question."""
    step = visit.step.definition
    shown: dict[str, Any] = {}
    asked: list[Any] = [visit.path, step.kind]
    if isinstance(step, ApprovalStep):
        for path in step.show:
            value = value_at(path, visit.input, context)
            name = path if isinstance(path, str) else getattr(path, "__name__", "shown")
            if is_absent(value):
                raise LookupError(f"there is nothing at {name} to show; a person cannot approve what is not there")
            shown[name] = isolate(value)
        if not step.show:
            shown["input"] = isolate(visit.input)
        shown = clean(run, shown)  # a callable may have looked anywhere
        asked += [step.prompt, step.schema, shown]
    elif isinstance(step, WaitStep):
        asked += [step.event, step.for_s, None if step.until is None else step.until.isoformat()]
    from orchestration_kit.engine.journaled import canonical

    return shown, hashlib.sha256(canonical(asked, f"what step {step.step_id!r} shows")).hexdigest()


def conclude_wait(run: Driven, visit: Visit, context: WorkflowContext) -> None:
    """Settle a visit with the answer that came, if it answers what would be asked now."""
    answer = cast("Answered", visit.answer)
    try:
        _, digest = _question(run, visit, context)
    except Exception as error:  # noqa: BLE001 - the user's code, or data; the run goes on
        conclude_failure(run, visit, context, error)
        return
    if answer.request != digest and answer.kind in ("approved", "rejected"):
        visit.answer = visit.wait = None  # what would happen is another thing now: it is asked anew
        ask(run, visit, context)
        return
    visit.duration_s = 0.0
    visit.detail = {"answer": answer.kind, "request": answer.request, "answered_at": answer.answered_at}
    run.timers.pop(visit.path, None)
    if answer.kind == "rejected":
        conclude_failure(run, visit, context, ApprovalRejected(visit.path, answer.reason or "no reason was given"))
    elif answer.kind == "timeout":
        awaited = "an approval" if visit.step.event is None else f"the event {visit.step.event!r}"
        seconds = cast("Any", visit.step.definition).timeout_s
        conclude_failure(run, visit, context, WaitTimeout(visit.path, seconds, awaited))
    else:
        conclude(run, visit, context, visit.input if answer.kind == "time" else answer.value)


def put_answer(run: Driven, answer: Answered) -> None:
    """Let the visit that waits go on."""
    run.machine.answer(answer)


def requests_of(run: Driven) -> list[Request]:
    """Return what a run waits for, in the order of its positions; of sub-workflows, what their runs wait for."""
    found: list[Request] = []
    if run.is_finished:  # cancelled, say: it is asked again when it goes on
        return found
    for path, visit in sorted(run.machine.waiting.items(), key=lambda one: place_of(one[0])):
        if visit.wait is None:
            child = run.children.get(path)
            found += [] if child is None else requests_of(child)
            continue
        found.append(_request(run, path, visit))
    return found


def _request(run: Driven, path: str, visit: Visit) -> Request:
    wait, step = cast("WaitStarted", visit.wait), visit.step.definition
    is_approval = isinstance(step, ApprovalStep)
    prompt = _awaited(step) if isinstance(step, WaitStep) else prompt_of(wait.shown)
    return Request(
        run_id=run.run_id,
        path=path,
        step=visit.step.step_id,
        kind=wait.kind,
        prompt=step.prompt if isinstance(step, ApprovalStep) else prompt,
        shown=isolate(wait.shown),
        schema=isolate(step.schema) if is_approval else None,
        hash=wait.request,
        asked_at=wait.asked_at,
        deadline=wait.until,
        event=visit.step.event,
    )


def _awaited(step: WaitStep) -> str:
    if step.event is not None:
        return f"the event {step.event!r}"
    return f"{step.for_s:g} s" if step.for_s is not None else f"{step.until:%Y-%m-%d %H:%M:%S %Z}"


def prompt_of(shown: dict[str, Any]) -> str:
    """Return what a person is asked."""
    reasons = "; ".join(f"{one.get('message')} [{one.get('rule')}]" for one in shown.get("violations", ()))
    return f"The constraints refuse this {shown.get('action_type')}: {reasons}. Let exactly this happen nevertheless?"


def meant(run: Driven, request: Any) -> tuple[Driven, Request]:
    """Return the run and the question that an answer is for.

    Args:
        run: The run that was asked.
        request: A `Request`, its hash, its position, or its step where that is asked once; None where one approval is
            waited for.

    Raises:
        AnswerRefused: there is no such question, or it is another one by now.
    """
    if isinstance(request, Request) and request.run_id == run.run_id:  # thousands may be open
        visit = run.machine.waiting.get(request.path)
        wait = None if visit is None else visit.wait
        if visit is not None and wait is not None and (wait.kind, wait.request) == ("approval", request.hash):
            return run, _request(run, request.path, visit)
    open_ones = [one for one in requests_of(run) if one.kind == "approval"]
    if isinstance(request, Request):
        fitting = [one for one in open_ones if one.hash == request.hash and one.run_id == request.run_id]
    elif request is None:
        fitting = open_ones
    else:
        fitting = [one for one in open_ones if request in (one.hash, one.path)]
        fitting = fitting or [one for one in open_ones if request == one.step]
    if len(fitting) == 1:
        return _owner(run, fitting[0]), fitting[0]
    if len(fitting) > 1:
        hint = f"Say which: request={fitting[0].path!r}, or another of {listed((one.path for one in fitting), 5)}."
        raise AnswerRefused(run.run_id, run.state, f"{len(fitting)} approvals are waited for", hint)
    if not open_ones:
        answered = listed((visit.path for visit in tuple(run.machine.ready) if visit.answer is not None), 5)
        told = f": {answered} was answered already" if answered != "none" else ""
        hint = (
            "run.run() goes on with the answer." if told else "run.waiting lists what is waited for; run.run() goes on."
        )
        raise AnswerRefused(run.run_id, run.state, f"no approval is waited for{told}", hint)
    hint = f"Look at run.waiting and answer what is asked now: {listed((one.path for one in open_ones), 5)}."
    raise AnswerRefused(run.run_id, run.state, "that question is not open any more, or was another one", hint)


def _owner(run: Driven, request: Request) -> Driven:
    if request.run_id == run.run_id:
        return run
    return next(one for one in runs_within(run) if one.run_id == request.run_id)


def runs_within(run: Driven) -> list[Driven]:
    """Return the runs of a run's sub-workflows, and theirs."""
    children: list[Driven] = list(run.children.values())
    return [one for child in children for one in (child, *runs_within(child))]


def line_to(run: Driven, owner: Driven) -> list[Driven]:
    """Return a run and those within it that another is within; none where it is the run itself."""
    return [one for one in (run, *runs_within(run)) if owner is not one and owner in runs_within(one)]


def check_value(run: Driven, request: Request, value: Any) -> None:
    """See that an approved value is what was asked for.

    Raises:
        AnswerRefused: it does not fit the schema.
    """
    if request.schema is None:
        return
    if (reason := too_large(value)) is not None:
        hint = "What is approved should be small: give the decision, and put documents on the data bus."
        raise AnswerRefused(run.run_id, run.state, f"the value is too large: {reason}", hint)
    from jsonschema import Draft202012Validator
    from referencing import Registry

    validator: Any = Draft202012Validator(request.schema, registry=Registry())  # resolves nothing from elsewhere
    try:
        problem = next(iter(sorted(validator.iter_errors(value), key=str)), None)
    except Exception as error:  # a reference that leads nowhere, or back to itself; a value nested too deeply
        hint = "Look at the schema of the step: only references within it can be followed."
        reason = f"its schema cannot be held against the value ({type(error).__name__}: {error!s:.200})"
        raise AnswerRefused(run.run_id, run.state, reason, hint) from error
    if problem is not None:
        where = f" at {'.'.join(map(str, problem.path))}" if problem.path else ""
        hint = f"It has to fit the schema {str(request.schema)[:200]}."
        raise AnswerRefused(run.run_id, run.state, f"the value does not fit{where}: {problem.message[:200]}", hint)


def check_yes(owner: Driven, request: Request, value: Any) -> None:
    """See that nobody gives a value for an action that was refused: it would change nothing of what happens.

    Raises:
        AnswerRefused: somebody does.
    """
    visit = owner.machine.waiting.get(request.path)
    if visit is None or visit.step.is_special or value is True or value is None:
        return
    hint = "Approve it as it is: run.approve(), or reject it and say what is wrong: run.reject('...')."
    reason = f"the action at {request.path} happens exactly as it was shown; a value changes nothing of it"
    raise AnswerRefused(owner.run_id, owner.state, reason, hint)


def awaits_event(run: Driven, name: str) -> tuple[Driven, str] | None:
    """Return the run and the position of the first visit that waits for an event; None where none does yet."""
    for path, visit in sorted(run.machine.waiting.items(), key=lambda one: place_of(one[0])):
        if visit.step.event == name:
            return run, path
        child = run.children.get(path)
        if visit.wait is None and child is not None and (found := awaits_event(child, name)) is not None:
            return found
    return None


def check_event(run: Driven, name: str) -> None:
    """See that some step of the workflow can wait for an event.

    Raises:
        AnswerRefused: none can.
    """
    names = list(dict.fromkeys(_events_of(run)))
    if name not in names:
        hint = f"Its events: {listed(names)}.{did_you_mean(name, names)}"
        raise AnswerRefused(run.run_id, run.state, f"no step waits for the event {name!r}", hint)


def keeper_of(run: Driven, name: str) -> Driven:
    """Return the run that keeps an event nobody waits for yet: the run itself, or one within it that knows it."""
    if name not in _own_events(run):
        for child in list(run.children.values()):
            if not child.is_finished and name in _events_of(child):
                return keeper_of(child, name)
    return run


def _events_of(run: Driven) -> list[str]:
    """Return the events that a run, what its workers spawned, and the runs within it can wait for."""
    return [name for one in (run, *runs_within(run)) for name in _own_events(one)]


def _own_events(run: Driven) -> list[str]:
    found = _event_names(run.machine.plan)
    for group in list(run.machine.groups.values()):
        for target in group.targets.values():
            found += [] if target.plan is None else _event_names(target.plan)
    return found


def _event_names(plan: Any) -> list[str]:
    found: list[str] = []
    for step in plan.steps.values():
        found += [] if step.event is None else [step.event]
        for target in () if step.opens is None else step.opens.targets.values():
            found += [] if target.plan is None else _event_names(target.plan)
    return found
