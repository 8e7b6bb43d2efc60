"""The neutral form of a workflow from elsewhere: nodes under their step ids, and what leads where."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

from orchestration_kit.definition.condition_text import read_path
from orchestration_kit.definition.ids import FORBIDDEN_IN_STEP_IDS
from orchestration_kit.interchange.imported import Note

END = ""
"""The target of a way that ends the run, or the branch it is in: no step has this id."""
ROUTE = "output.next"
"""Where a worker says by default which way to go."""

WayKind = Literal["on", "choice", "each", "failure", "timeout", "budget", "compensate", "body"]
"""`on`: taken after a success where no choice holds; several of them are taken at once, and those with a condition
where it holds. `each`: taken once for each item of the list at the path in `condition`."""
_LONGEST = 200


@dataclass(slots=True)
class Way:
    """What leads from one node to another."""

    source: str
    target: str
    kind: WayKind = "on"
    condition: str = ""
    """CEL text; of `each`, a path."""
    label: str = ""
    inner: Any = None
    """Of a body: a workflow of its own, instead of the target."""


@dataclass(slots=True)
class Shape:
    """Nodes, ways, where a run begins, and what was noticed so far.

    A node is a dict of the fields of its step; `kind` says of which kind it is, "step" where there is none.
    """

    name: str
    nodes: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    ways: list[Way] = field(default_factory=list[Way])
    starts: list[str] = field(default_factory=list[str])
    notes: list[Note] = field(default_factory=list[Note])

    def note(self, code: str, steps: str | Iterable[str], message: str, hint: str) -> None:
        """Add a note; `steps` is one id or several, empty for the whole."""
        named = (steps,) if isinstance(steps, str) else tuple(steps)
        self.notes.append(Note(code, tuple(one for one in named if one), message, hint))

    def leading(self, source: str, kind: WayKind | None = None) -> list[Way]:
        """Return the ways out of a node, of one kind or of all, in their order."""
        return [way for way in self.ways if way.source == source and kind in (None, way.kind)]

    def add(self, wanted: str, fields: dict[str, Any], *, after: str = "") -> str:
        """Add a node under an id like the wanted one, last or after another; return the id."""
        step_id = free_id(wanted, self.nodes)
        nodes = list(self.nodes.items())
        place = list(self.nodes).index(after) + 1 if after else len(nodes)
        nodes.insert(place, (step_id, fields))
        self.nodes = dict(nodes)
        return step_id


def free_id(wanted: str, taken: Iterable[str]) -> str:
    """Return an id that a step can have and none has yet.

    >>> free_id("ask / answer", []), free_id("end", ["end"])
    ('ask - answer', 'end-2')
    """
    text = "".join(c if c.isprintable() and c not in FORBIDDEN_IN_STEP_IDS else "-" for c in wanted)
    base = text[:_LONGEST] or "step"
    known, step_id, number = set(taken), base, 1
    while step_id in known:
        number += 1
        step_id = f"{base[: _LONGEST - 8]}-{number}"
    return step_id


def step_ids(names: Iterable[str]) -> dict[str, str]:
    """Return a step id for each name.

    >>> step_ids(["plan", "ask/answer"])
    {'plan': 'plan', 'ask/answer': 'ask-answer'}
    """
    found: dict[str, str] = {}
    taken: set[str] = set()
    for name in names:
        found[name] = free_id(name, taken)
        taken.add(found[name])
    return found


def literal(value: Any) -> str:
    r"""Return a plain value as CEL text.

    >>> literal('say "hi"'), literal(True), literal(None), literal([1, 2.5])
    ('"say \\"hi\\""', 'true', 'null', '[1, 2.5]')

    Raises:
        ValueError: CEL has no such value.
    """
    if isinstance(value, (list, tuple, set, frozenset)):
        parts = [literal(one) for one in value]  # pyright: ignore[reportUnknownVariableType]
        return f"[{', '.join(sorted(parts) if isinstance(value, (set, frozenset)) else parts)}]"
    if value is None or isinstance(value, (bool, int, str)):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, float) and math.isfinite(value):
        return repr(value)
    raise ValueError(f"CEL has no way to write {value!r:.60}")


def checked_route(route: str) -> str:
    """Return the path at which workers say where to go, after a look whether it is one.

    Raises:
        ConditionSyntaxError: it is no path.
    """
    read_path(route)
    return route


def route_after(route: str, step_id: str) -> str:
    """Return the path to the same place once another step came in between: then the output is on the data bus.

    >>> route_after("output.next", "agent"), route_after("data.way", "agent")
    ('data.agent_output.next', 'data.way')
    """
    rest = route.removeprefix("output")
    return route if rest == route else f"{entry(f'{step_id}_output')}{rest}"


def entry(key: str) -> str:
    """Return the CEL path of an entry of the data bus.

    >>> entry("tries"), entry("in")
    ('data.tries', 'data["in"]')
    """
    plain = re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", key, re.ASCII) and key not in _RESERVED
    return f"data.{key}" if plain else f"data[{literal(key)}]"


_RESERVED = frozenset(
    {
        "as", "break", "const", "continue", "else", "false", "for", "function", "if", "import", "in", "let", "loop",
        "namespace", "null", "package", "return", "true", "var", "void", "while",
    }
)  # fmt: skip
"""https://github.com/google/cel-spec/blob/master/doc/langdef.md#syntax"""
