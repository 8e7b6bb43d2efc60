"""Everything that decides what a machine does next, as plain data to be compared."""

from __future__ import annotations

from typing import Any

from orchestration_kit.engine.machine import Machine


def state_of(machine: Machine) -> dict[str, Any]:
    """Everything that decides what a machine does next."""
    scopes: dict[str, Any] = {}
    groups: dict[str, Any] = {}

    def see_scope(scope: Any) -> None:
        scopes[scope.prefix] = {
            "data": scope.data, "visits": scope.visits, "count": scope.count, "end": scope.end, "error": scope.error,
            "output": scope.output, "written": sorted(scope.written or ()), "changes": scope.changes, "added": scope.added or {},
            "stuck": None if scope.stuck is None else seen(scope.stuck),
        }  # fmt: skip

    def see_group(group: Any) -> None:
        groups[group.path] = {
            "statuses": group.statuses(), "started": group.started, "completed": group.completed, "ended": group.ended,
            "failed": group.failed, "added": group.added, "is_over": group.is_over, "is_joining": group.is_joining,
            "parked": sorted(group.parked), "problems": group.problems, "verdict": group.verdict, "idle": group.idle,
            "queue": [one.path for one in group.queue], "is_undone": group.is_undone,
        }  # fmt: skip
        for scope in group.scopes.values():
            see_scope(scope)

    def seen(visit: Any) -> Any:
        return (
            visit.path, visit.attempt, visit.input, visit.interrupted, visit.last_error, visit.wait_s,
            visit.group and visit.group.path, visit.wait, visit.answer,
        )  # fmt: skip

    see_scope(machine.root)
    for group in machine.groups.values():
        see_group(group)
    for undo in machine.undos:
        if undo.scope is not None:
            see_scope(undo.scope)
    return {
        "scopes": scopes,
        "groups": groups,
        "to do": sorted(map(seen, (*machine.ready, *machine.taken)), key=lambda one: one[:2]),
        "earlier": machine.earlier,
        "waiting": sorted(machine.waiting),
        "inbox": {name: list(kept) for name, kept in machine.inbox.items() if kept},
        "undoable": sorted((path, step_id) for path, _, step_id, _ in machine.undoable),
        "undos": [(undo.group and undo.group.path, [one[0] for one in undo.left], undo.problems) for undo in machine.undos],
        "closing": sorted(group.path for group in machine.closing),
        "finished": machine.finished and machine.finished[:3],
        "left": sorted(map(seen, machine._left), key=lambda one: one[:2]),
        "state": "under way" if machine.taken or machine.ready else str(machine.state),
    }  # fmt: skip
