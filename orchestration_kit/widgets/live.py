"""A run that goes on becomes a picture that keeps up: whole once, then only the groups in which something changed.

The live picture is the static one of `visualize`, painted again where something happened; what the page does with it
is in `frontend/src/lib/diagram.js`. Nothing here waits for the run or changes it.
"""

from __future__ import annotations

import base64
import threading
import zlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

from orchestration_kit.engine.events import AttemptFinished
from orchestration_kit.engine.run import Run
from orchestration_kit.visual.diagram import Diagram, visualize
from orchestration_kit.visual.model import DiagramModel
from orchestration_kit.visual.overlay import Overlay
from orchestration_kit.visual.overlay_fold import Fold
from orchestration_kit.visual.spawned import with_spawned
from orchestration_kit.visual.theme import Theme

_MOST_TRIES = 50
_Found = TypeVar("_Found")


class LivePicture:
    r"""The picture of a workflow or a run, for a page that shows it while it changes.

    A widget sends `full()` when a page asks for it and where `changes()` is None, and else what `changes()` gives;
    in the page, `diagram()` of `lib/diagram.js` has `show(svg)` for the one and `swap(groups)` for the other. Of a run,
    every call looks at how it stands; over a workflow, `overlay` is what to show (a monitor sets it). From any thread.

    >>> from orchestration_kit import Orchestrator, WorkerDefinition, create_generic_pipeline
    >>> hub = Orchestrator()
    >>> hub.register_worker(WorkerDefinition(worker_type="generic", name="shout", executor=str.upper))
    >>> hub.register_workflow(create_generic_pipeline([("a", "generic", ""), ("b", "generic", "")]))
    >>> run = hub.start("a_b", "hello")
    >>> picture = LivePicture(run)
    >>> picture.full()[:4], picture.changes()
    ('<svg', {})
    >>> _ = run.step()
    >>> [text.count("data-state=\"succeeded\"") for text in picture.changes().values()]
    [0, 0, 1]

    Args:
        subject: A `Run`, a `WorkflowDefinition`, a history, or a `Diagram` to be drawn on.
        theme: "light", "dark", or a `Theme`.
        overlay: What happened, where `subject` is no run; None draws the workflow alone.
    """

    def __init__(self, subject: Any, *, theme: str | Theme = "light", overlay: Overlay | None = None) -> None:
        self._turn = threading.RLock()
        self._run = subject if isinstance(subject, Run) else None
        self._sent: dict[str, str] = {}
        self._is_other = True
        if isinstance(subject, Diagram):
            self._diagram = subject.with_theme(theme)
        else:
            self._diagram = visualize(subject, theme=theme, overlay=False)
        self._base = self._diagram.model
        self._definition: Any = None if self._run is None else self._run.workflow
        self._fold = Fold(self._base)
        self._told = 0
        self._spawns: list[dict[str, Any]] = []
        self.overlay = overlay
        """What is shown on the workflow; of a run it is worked out at every look."""
        if self._run is not None:
            self._base = visualize(self._run.workflow, overlay=False).model
            self._look()

    @property
    def diagram(self) -> Diagram:
        """The picture as it is now, as a static one."""
        with self._turn:
            self._look()
            return replace(self._diagram, overlay=self.overlay)

    @property
    def model(self) -> DiagramModel:
        """What the picture says of the workflow."""
        return self._diagram.model

    @property
    def theme(self) -> str:
        """The name of its theme."""
        return self._diagram.theme.name

    def use_theme(self, theme: str | Theme) -> None:
        """Paint in other colours from now on: what follows is another picture."""
        with self._turn:
            if self._diagram.theme != (other := self._diagram.with_theme(theme)).theme:
                self._diagram, self._is_other = other, True

    def full(self) -> str:
        """Return the whole picture as one `<svg>`."""
        with self._turn:
            found = self.diagram
            self._sent, self._is_other = found.groups, False
            return found.svg

    def changes(self) -> dict[str, str] | None:
        """Return the groups that are other ones since the last call of this or `full()`, as `<g>` by their id.

        None where the picture itself is another one (a worker spawned steps, another theme): send `full()`.
        """
        with self._turn:
            groups = self.diagram.groups
            if self._is_other:
                return None
            changed = {name: text for name, text in groups.items() if self._sent.get(name) != text}
            self._sent = groups
            return changed

    def place(self, path: str) -> str:
        """Return the id of the node or frame that stands for a position: `data-step` of its group."""
        return self._fold.place(path)

    def follow(self, run: Run) -> None:
        """Show another run from now on, e.g. a fork. What was laid out is used again where it fits."""
        with self._turn:
            other = LivePicture(run, theme=self._diagram.theme)
            if other.model == self.model:
                other._diagram = replace(self._diagram, overlay=None)  # its layout, and what was painted
                other._is_other = self._is_other
            names = ("_run", "_diagram", "_base", "_definition", "_fold", "_told", "_spawns", "overlay", "_is_other")
            for name in names:
                setattr(self, name, getattr(other, name))

    # --- looking at a run

    def _look(self) -> None:
        run = self._run
        if run is None:
            return
        machine = run.machine
        if machine.is_branched or machine.recorded < self._told or run.workflow is not self._definition:
            self._begin_anew(run.workflow)
        records = steady(lambda: machine.records_since(self._told))
        entries = [_entry(record) for record in records]
        self._told += len(records)
        spawns = [entry for entry in entries if entry["detail"] and "spawn" in entry["detail"]]
        if len(spawns) > len(self._spawns):  # then there are branches, and `entries` are all of them
            self._spawns = spawns
            self._redraw(with_spawned(self._base, spawns))
        for entry in entries:
            self._fold.add(entry)
        self.overlay = self._overlay_of(run)

    def _begin_anew(self, definition: Any) -> None:
        if definition is not self._definition:
            self._definition, self._spawns = definition, []
            self._base = visualize(definition, overlay=False).model
            self._redraw(self._base)
        self._fold, self._told = Fold(self._diagram.model), 0

    def _redraw(self, model: DiagramModel) -> None:
        if model != self._diagram.model:
            self._diagram = visualize(model, theme=self._diagram.theme, overlay=False)
            self._is_other = True
        self._fold = Fold(model)

    def _overlay_of(self, run: Run) -> Overlay:
        machine = run.machine
        is_driven, state = run.is_driven, run.state.value
        taken = steady(lambda: [visit.path for visit in machine.taken])
        opened = steady(lambda: list(machine.groups)) if is_driven else []
        coming = steady(machine.coming)
        at = coming.path if coming is not None else (taken[0] if taken else machine.current_step)
        shown = "initialized" if state == "in_progress" and not is_driven else state
        over = self._fold.overlay(
            shown,
            machine.current_step if "/" not in at else None,
            waiting=steady(lambda: list(machine.waiting)),
            under_way=[*taken, *opened],
        )
        return replace(over, state=state)


def packed(text: str) -> str:
    """Return a text made small, for a trait, as notebooks save those. `unpack()` of `lib/diagram.js` undoes it.

    >>> import base64, zlib
    >>> zlib.decompress(base64.b64decode(packed("<svg/>"))).decode()
    '<svg/>'
    """
    return base64.b64encode(zlib.compress(text.encode("utf-8", "replace"))).decode("ascii")


def steady(read: Callable[[], _Found]) -> _Found:
    """Return what `read` finds in a run that others work on: a container that changes under it is read again."""
    for _ in range(_MOST_TRIES):
        try:
            return read()
        except RuntimeError:  # "changed size during iteration"
            continue
    return read()


def _entry(record: AttemptFinished) -> dict[str, Any]:
    """A record as a history entry whose values are looked at, not copied."""
    error = record.error
    return {
        "worker_type": record.worker_type,
        "step": record.step,
        "input": record.input,
        "visit": record.visit,
        "attempt": record.attempt,
        "worker": record.worker,
        "success": error is None,
        "error": None if error is None else error.message,
        "error_type": None if error is None else error.type,
        "duration_s": record.duration_s,
        "next_step": record.next_step,
        "retry_in_s": record.retry_in_s,
        "usage": record.usage,
        "path": record.path,
        "detail": record.detail,
        "why": [{"text": one.text, "result": one.result} for one in record.evaluated],
    }
