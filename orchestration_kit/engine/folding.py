"""Find what is on record next, whether events come as they arrived or in the order of the workflow. Decides nothing.

In the order of the workflow, what the other branches did comes after what decided the join. So while a record is
folded, groups are closed only when their join, or what undoes them, is on record.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestration_kit.engine.order import UNDO, opener_of, scope_of

if TYPE_CHECKING:
    from orchestration_kit.engine.branches import Branches
    from orchestration_kit.engine.visits import Visit


def visit_on_record(machine: Branches, path: str, attempt: int | None = None) -> Visit | None:
    """Return the visit that is on record next, of a group that is closed for it if need be; None where it is none."""
    visit = machine.find(path, attempt)
    if visit is not None:
        return visit
    opener, key = opener_of(scope_of(path)) if "/" in path else ("", "")
    group = machine.groups.get(opener if key == UNDO else path)
    if group is None:
        return None
    if group in machine.closing:
        machine.join(group, is_on_record=True)
    if group.path != path:
        if not any(undo.group is group for undo in machine.undos):  # undone before its branch was cut off
            group.is_over = True
            machine.park_all(group)
            machine.undo(group, "")
        return machine.find(path, attempt)
    if not group.is_joining:  # it is within a branch that nobody waits for
        group.is_joining = True
        machine.park_all(group)
    return group.visit if attempt in (None, group.visit.attempt) else None
