"""Open the branches of a step, and join them: what user code says to both, and what goes on record."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, cast

from orchestration_kit.definition.condition_text import read_path
from orchestration_kit.definition.steps import callable_name
from orchestration_kit.engine.attempt import clean, conclude, conclude_failure
from orchestration_kit.engine.context import WorkflowContext
from orchestration_kit.engine.events import BranchesOpened
from orchestration_kit.engine.order import SPAWN
from orchestration_kit.engine.refusals import JoinFailed, MergeConflict, NotAList, in_words
from orchestration_kit.engine.values import isolate, same
from orchestration_kit.errors import did_you_mean

if TYPE_CHECKING:
    from orchestration_kit.engine.driven import Driven
    from orchestration_kit.engine.groups import Group
    from orchestration_kit.engine.plan import Opening
    from orchestration_kit.engine.visits import Visit

_ABSENT: Any = object()


def open_branches(run: Driven, visit: Visit, context: WorkflowContext) -> None:
    """Work out which branches there are, and open them."""
    opens = cast("Opening", visit.step.opens)
    visit.started_at = run.clock.time()
    try:
        if opens.over is None:
            keys: tuple[str, ...] | None = _activated(visit, opens, context)
            inputs = None
        else:
            keys, inputs = None, isolate(_items(visit, opens, context))
            inputs = clean(run, inputs) if callable(opens.over) else inputs  # what is on record already has none
        if run.log is not None and inputs is not None:
            run.log.stage(f"the items of step {visit.step.step_id!r}", inputs)
    except Exception as error:  # noqa: BLE001 - the user's code, or data; the run goes on
        conclude_failure(run, visit, context, error)
        return
    event = BranchesOpened(visit.path, keys, inputs, visit.evaluated, visit.started_at)
    run.machine.open(visit, event)


def _activated(visit: Visit, opens: Opening, context: WorkflowContext) -> tuple[str, ...]:
    """Return the branches without a condition, and those whose condition holds, in order."""
    keys: list[str] = []
    for key in opens.targets:
        condition = opens.conditions.get(key)
        if condition is not None:
            seen = isolate(visit.input) if condition.calls_code else visit.input
            evaluated = condition.evaluate(visit.step.step_id, seen, context)
            visit.evaluated = (*visit.evaluated, evaluated)
            if not evaluated.result:
                continue
        keys.append(key)
    return tuple(keys)


def _items(visit: Visit, opens: Opening, context: WorkflowContext) -> list[Any]:
    step_id = visit.step.step_id
    told = opens.over if isinstance(opens.over, str) else callable_name(opens.over)
    found = value_at(opens.over, visit.input, context)
    if found is _ABSENT:
        path = told.split(".")
        near = did_you_mean(path[1], context.data) if path[0] == "data" and len(path) > 1 else ""
        hint = f"Let an earlier step write it, or give it as initial_data.{near}"
        raise NotAList(step_id, told, "there is nothing there", hint)
    if not isinstance(found, (list, tuple, range)):
        kind = type(found).__name__
        hint = {
            "DataFrame": 'Put a list on the bus, for example frame.to_dict("records").',
            "dict": "Put a list on the bus, for example list(mapping.items()).",
            "str": "Put a list on the bus, for example text.splitlines().",
        }.get(kind, "Put a list on the bus; sets and generators have no order that could be repeated.")
        raise NotAList(step_id, told, f"that is {kind}, not a list", hint)
    items = cast("list[Any]", found)
    if len(items) > opens.max_items:
        hint = f"Set max_items={len(items)} where that is meant, or map over parts."
        raise NotAList(step_id, told, f"that has {len(items):,} items, over max_items={opens.max_items:,}", hint)
    return list(items)


def value_at(path: Any, output: Any, context: WorkflowContext) -> Any:
    """Return what is at a path, or what a callable gives; `_ABSENT` where there is nothing."""
    if callable(path):
        return path(isolate(output), context)
    root, *keys = read_path(path)
    value: Any = output
    if root == "goal":
        value = context.goal
    elif root == "data":
        data, first = context.data, keys.pop(0)
        value = data.get(first, _ABSENT)
    for key in keys:
        if isinstance(value, Mapping):
            value = cast("Mapping[str, Any]", value).get(key, _ABSENT)
        else:
            value = getattr(value, key, _ABSENT) if not key.startswith("_") and hasattr(value, "__dict__") else _ABSENT
    return value


def is_absent(value: Any) -> bool:
    """Whether `value_at` found nothing."""
    return value is _ABSENT


def join_branches(run: Driven, visit: Visit, context: WorkflowContext) -> None:
    """Put together what the branches gave, and settle the visit that opened them."""
    group = cast("Group", visit.group)
    begun = run.clock.monotonic()
    visit.started_at = run.clock.time()
    visit.given = visit.input
    visit.detail = {"branches": group.statuses()}
    try:
        if not group.verdict:
            raise _join_failed(group)
        output = _output(group)
        changed = _merged(group)
        if changed:
            view = context.data
            for key, value in changed.items():
                if value is _ABSENT:
                    view.pop(key, None)
                else:
                    view[key] = value
    except Exception as error:  # noqa: BLE001 - the user's code, or data; the run goes on
        visit.duration_s = run.clock.monotonic() - begun
        conclude_failure(run, visit, context, error)
        return
    visit.duration_s = run.clock.monotonic() - begun
    conclude(run, visit, context, output)


def _join_failed(group: Group) -> JoinFailed:
    opens = group.visit.step.opens
    join = "all" if opens is None else opens.join
    need = group.total if join == "all" else 1 if join == "any" else join
    scopes = [group.scopes[key] for key in group.in_order() if key in group.scopes]
    failures = [f"{scope.error}" for scope in scopes if scope.end == "failed"]
    return JoinFailed(group.path, in_words(need, group.total), tuple(failures), tuple(group.problems))


def _output(group: Group) -> Any:
    """Return the last outputs of the branches that count, in order."""
    keeps_failures = group.visit.step.opens is not None and group.visit.step.opens.failure == "continue"
    found: dict[str, Any] = {}
    for key in group.in_order():
        scope = group.scopes.get(key)
        if scope is None or scope.end is None:
            continue
        if scope.end == "completed":
            found[key] = scope.output
        elif keeps_failures and scope.end == "failed":
            found[key] = {"error": scope.error}
    if group.keys is None:
        return list(found.values())
    return found[SPAWN] if group.visit.step.opens is None else found


def _merged(group: Group) -> dict[str, Any]:
    """Return what the branches wrote, made one; `_ABSENT` where all that touched an entry removed it.

    Raises:
        MergeConflict: several wrote different values, and no reducer is named; or the reducer failed.
    """
    opens = group.visit.step.opens
    reducer = None if opens is None else opens.reducer
    written: dict[str, list[tuple[str, Any]]] = {}
    outputs: dict[str, list[Any]] = {}
    for branch in group.in_order():
        scope = group.scopes.get(branch)
        if scope is None or scope.end != "completed" or scope.changes is None:
            continue
        for key, value in scope.changes.updated.items():
            if key in (scope.written or ()):
                written.setdefault(key, []).append((branch, value))
            else:
                outputs.setdefault(key, []).append(value)
        for key in scope.changes.removed:
            written.setdefault(key, []).append((branch, _ABSENT))
    found = {key: _one(group.path, key, wrote, reducer) for key, wrote in written.items()}
    if group.keys is not None:  # the outputs of a map's steps are in its own output; here each has one writer
        found |= {key: values[0] for key, values in outputs.items() if len(values) == 1 and key not in found}
    return found


def _one(path: str, key: str, wrote: list[tuple[str, Any]], reducer: Any) -> Any:
    """Return one value for what several branches wrote."""
    named = cast("Mapping[str, Any]", reducer).get(key) if isinstance(reducer, Mapping) else reducer
    values = [value for _, value in wrote]
    if named is not None:
        there = [value for value in values if value is not _ABSENT]
        try:
            return reduced(named, there) if there else _ABSENT
        except Exception as error:
            reason = f"{type(error).__name__}: {error}"
            raise MergeConflict(path, key, tuple(branch for branch, _ in wrote), reason) from error
    first = values[0]
    if all(
        value is first or (value is not _ABSENT and first is not _ABSENT and same(first, value)) for value in values
    ):
        return first
    raise MergeConflict(path, key, tuple(branch for branch, _ in wrote))


def reduced(reducer: str | Callable[[list[Any]], Any], values: list[Any]) -> Any:
    """Return values, in the order of their branches, made one.

    >>> reduced("concat", [[1], [2, 3]]), reduced("sum", [0.5, 1]), reduced("list", ["a", "b"])
    ([1, 2, 3], 1.5, ['a', 'b'])
    """
    if callable(reducer):
        return reducer(isolate(values))
    if reducer == "merge":
        return {key: value for one in values for key, value in one.items()}
    if reducer == "concat":
        return [item for one in values for item in one]
    simple: dict[str, Callable[[list[Any]], Any]] = {
        "first": lambda some: some[0],
        "last": lambda some: some[-1],
        "sum": sum,
        "min": min,
        "max": max,
        "list": list,
    }
    return simple[reducer](values)
