"""A position of a run (`m#1[3]/draft#1`) becomes the id of what stands for it in a diagram.

All items of a map are one place there, and so are all visits of a step. Steps of inline and spawned workflows have the
id of their frame before their own; steps of the workflow itself have their own id, whichever branch came there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, cast

from orchestration_kit.visual.model import DiagramModel

EACH, SPAWN, UNDO = "each", "spawn", "undo"
"""The body of a map, a spawned workflow, and a step that undoes another: what stands between the brackets."""
_FRAME = re.compile(r"(.*)\[([^\[\]]*)\]/", re.DOTALL)
_VISIT = re.compile(r"#\d+$")
_ITEM = re.compile(r"\d+(\.[\d-]+)*")


class Places:
    """Which id of a diagram stands for which position; without a diagram, for a picture of the history alone.

    >>> Places().step("research#1[3]/", "draft"), Places().step("p#2[law]/m#1[0]/", "draft")
    ('research[each]/draft', 'p[law]/m[each]/draft')
    """

    def __init__(self, model: DiagramModel | None = None) -> None:
        self._known: set[str] | None = None
        self._inside: set[str] = set()
        """What ids begin with, up to their last "/"."""
        self._frames: dict[str, str] = {}
        """Frames whose id does not say their position: of workflows that workers spawned."""
        self._prefixes: dict[str, str | None] = {"": ""}
        self._above: dict[str, str] = {}
        self._undone: dict[str, str] = {}
        """By the scope of what undoes: the scope of what it undoes now."""
        if model is not None:
            self._known = {one.id for one in (*model.nodes, *model.clusters)}
            self._inside = {name.rpartition("/")[0] for name in self._known}
            self._frames = {position: one.id for one in model.clusters for position in one.positions}

    def add(self, position: str, frame: str, ids: set[str]) -> None:
        """Take note of the frame of a spawned workflow, and of what stands in it."""
        self._frames[position] = frame
        if self._known is not None:
            self._known |= ids | {frame}
            self._inside |= {name.rpartition("/")[0] for name in ids}
        self._prefixes, self._above = {"": ""}, {}

    def step(self, scope: str, step: str) -> str:
        """Return the id of a step in a scope; of what hides it, where the diagram does not show it itself."""
        prefix = self._prefix(scope)
        if prefix is None:
            return self._above[scope]
        name = prefix + step
        if self._known is None or not prefix or name in self._known:
            return name
        return prefix[:-1]

    def entry(self, entry: Mapping[str, Any]) -> str:
        """Return the id of the step of a history entry.

        >>> Places().entry({"step": "draft", "path": "research#1[3]/draft#1"})
        'research[each]/draft'
        """
        return self.step(self.where(entry), str(entry.get("step", "")))

    def where(self, entry: Mapping[str, Any]) -> str:
        """Return the scope whose workflow the step of an entry belongs to.

        What undoes a visit runs in a scope of its own, and is a step of the workflow of what it undoes.
        """
        scope = scope_of(entry)
        if scope.endswith(f"[{UNDO}]/"):
            undone = undone_by(entry)
            if undone is not None:
                self._undone[scope] = scope_in(undone)
            return self._undone.get(scope, scope)
        return scope

    def frame(self, scope: str) -> str:
        """Return the id of the frame of the workflow that a scope belongs to; empty where it has none of its own."""
        opener = opener_of(scope)
        prefix = self._prefix(scope)
        if opener is None or prefix is None or prefix == self._prefix(opener[0]):
            return ""
        frame = prefix[:-1]
        if self._known is not None:
            return frame if frame in self._known else ""
        return frame if opener[2] == SPAWN else ""  # else steps stand in the frame of what opened the branch

    def opener(self, scope: str) -> str:
        """Return the id of the step that opened a scope."""
        opener = opener_of(scope)
        return "" if opener is None else self.step(opener[0], opener[1])

    def _prefix(self, scope: str) -> str | None:
        """What the ids of the steps in a scope begin with; None where all of it is hidden by one thing."""
        todo = [scope]
        while todo[-1] not in self._prefixes and (opener := opener_of(todo[-1])) is not None:
            todo.append(opener[0])
        for one in reversed(todo):  # from the outside to the inside: no recursion, however deep it is
            if one not in self._prefixes:
                self._prefixes[one] = self._find(one)
        return self._prefixes[scope]

    def _find(self, scope: str) -> str | None:
        opener = opener_of(scope)
        if opener is None:
            return ""
        outer, step, key = opener
        prefix = self._prefix(outer)
        if prefix is None:
            self._above[scope] = self._above[outer]
            return None
        spawned = self._frames.get(scope[:-1])
        if spawned is not None:
            return f"{spawned}/"
        if key == UNDO:
            return prefix
        if self._known is None:
            return f"{prefix}{step}[{EACH if is_item(key) else key}]/"
        for name in (f"{prefix}{step}[{key}]", f"{prefix}{step}[{EACH}]"):
            if name in self._known or name in self._inside:
                return f"{name}/"
        if key == SPAWN:
            self._above[scope] = self.step(outer, step)
            return None
        return prefix


def is_item(key: str) -> bool:
    """Whether the key of a branch is that of an item of a map.

    >>> is_item("3.0"), is_item("law")
    (True, False)
    """
    return _ITEM.fullmatch(key) is not None


def scope_of(entry: Mapping[str, Any]) -> str:
    """Return the scope of a history entry: its path without its step.

    >>> scope_of({"step": "draft", "visit": 1, "path": "research#1[3]/draft#1"})
    'research#1[3]/'
    """
    path, step = entry.get("path"), str(entry.get("step", ""))
    if not isinstance(path, str):
        return ""
    for end in (f"{step}#{entry.get('visit', 1)}", step):
        if end and path.endswith(end):
            scope = path[: -len(end)]
            return scope if scope.endswith("]/") else ""
    before, slash, _ = path.rpartition("/")
    return before + slash if before.endswith("]") else ""


def scope_in(path: str) -> str:
    """Return the scope of a path.

    >>> scope_in("research#1[3]/draft#1"), scope_in("draft#1")
    ('research#1[3]/', '')
    """
    return path[: path.rfind("]/") + 2] if "]/" in path else ""


def undone_by(entry: Mapping[str, Any]) -> str | None:
    """Return the path of the visit that an attempt undoes; None for other attempts."""
    detail = entry.get("detail")
    undone = cast("Mapping[str, Any]", detail).get("undoes") if isinstance(detail, Mapping) else None
    return undone if isinstance(undone, str) else None


def opener_of(scope: str) -> tuple[str, str, str] | None:
    """Return the scope, the step and the key that a scope was opened by; None for the run itself.

    >>> opener_of("m#1[3]/p#2[law]/")
    ('m#1[3]/', 'p', 'law')
    """
    found = _FRAME.fullmatch(scope)
    if found is None:
        return None
    path, key = found[1], found[2]
    at = path.rfind("]/") + 2 if "]/" in path else 0
    return path[:at], _VISIT.sub("", path[at:]), key
