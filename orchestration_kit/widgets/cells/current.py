"""Which session the cells of a notebook belong to: the one begun or chosen last."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestration_kit.widgets.cells.errors import NoSession

if TYPE_CHECKING:
    from orchestration_kit.widgets.cells.session import CellSession

_sessions: list[CellSession] = []
"""One per workflow, the current one last."""


def choose(session: CellSession) -> None:
    """Let cells belong to this session from now on; one of the same workflow is left."""
    name = session.run.workflow.name
    _sessions[:] = [one for one in _sessions if one is not session and one.run.workflow.name != name]
    _sessions.append(session)


def current() -> CellSession:
    """Return the session that cells belong to.

    Raises:
        NoSession: there is none.
    """
    if not _sessions:
        raise NoSession
    return _sessions[-1]


def sessions() -> list[CellSession]:
    """Return those that can be chosen, the current one last."""
    return list(_sessions)


def leave_all() -> None:
    """Let cells belong to no session. Runs stay where they are."""
    _sessions.clear()
