"""`Composer`: a workflow is composed on a canvas in the notebook. Python keeps the draft, the browser draws it.

The browser sends what the person wants (`add`, `connect`, `put`, `undo`, ...); each is done at a `Desk`, and what there
is to see goes back in the synced traits. The large bundle is sent when a browser first asks for it, and
stands in no notebook.
"""

from __future__ import annotations

import json
import secrets
import threading
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import traitlets
from pydantic import ValidationError

from orchestration_kit.definition.base import fields_of
from orchestration_kit.definition.files import parse_json
from orchestration_kit.definition.workflow import WorkflowDefinition
from orchestration_kit.engine.orchestrator import Orchestrator
from orchestration_kit.errors import DefinitionError, NotSerializable, UnknownWorkflow, WorkflowFileError
from orchestration_kit.widgets.base import STATIC, KitWidget, intent
from orchestration_kit.widgets.composing.code import code_of
from orchestration_kit.widgets.composing.desk import Desk
from orchestration_kit.widgets.composing.draft import Spot
from orchestration_kit.widgets.composing.fields import MOVES, FieldRefused, Path, told
from orchestration_kit.widgets.composing.form import forms
from orchestration_kit.widgets.composing.palette import items_of
from orchestration_kit.widgets.composing.view import colours, sendable

MOST_TEXT = 2_000_000
"""Characters of a workflow that is pasted or kept as text."""


class Composer(KitWidget):
    """Compose a workflow by mouse or by keyboard, in a notebook.

    Drag workers, kinds of steps and registered workflows from the palette, draw lines between them, fill in the form of
    what is selected. What the checks find is shown at once. Nothing runs here, and nothing is registered until you
    press "Register".

    >>> from orchestration_kit import Orchestrator, create_build_website_workflow
    >>> composer = Composer(Orchestrator(), create_build_website_workflow())
    >>> composer.workflow == create_build_website_workflow(), composer
    (True, <Composer>)
    >>> print(composer.to_code().splitlines()[0])
    from orchestration_kit import WorkflowDefinition, WorkflowStep

    Args:
        orchestrator: whose workers and workflows the palette shows, and where "Register" registers.
        workflow: to begin with: a definition (it stays as it is), or the name of a registered workflow; without one, an
            empty workflow.
        name: of a new workflow; also what the browser keeps a copy under, in case the kernel is lost.

    Raises:
        UnknownWorkflow: no such workflow is registered.
    """

    _esm = STATIC / "composer.js"
    _css = STATIC / "composer.css"

    boxes = traitlets.Any().tag(sync=True)
    """The boxes of the canvas."""
    lines = traitlets.Any().tag(sync=True)
    """The lines between them."""
    view = traitlets.Dict(default_value={}).tag(sync=True)
    """What else the canvas shows, and what can be done now."""
    panel = traitlets.Dict(default_value={}).tag(sync=True)
    """What the form shows."""
    palette = traitlets.Any().tag(sync=True)
    """What can be added."""
    kept = traitlets.Unicode("").tag(sync=True)
    """The draft as text, for the browser to keep; empty where it holds Python that no text can hold."""
    name = traitlets.Unicode("").tag(sync=True)
    session = traitlets.Unicode("").tag(sync=True)
    """Tells this composer from earlier ones of the same name."""

    def __init__(
        self, orchestrator: Orchestrator, workflow: WorkflowDefinition | str | None = None, *, name: str | None = None
    ) -> None:
        if not isinstance(orchestrator, Orchestrator):
            raise TypeError(f"Composer takes an Orchestrator first, not {orchestrator!r:.80}. Write Composer(hub).")
        definition = _begin_with(orchestrator, workflow, name)
        self._lock = threading.RLock()
        self._desk = Desk(definition, orchestrator)
        super().__init__(name=sendable(name or definition.name), session=secrets.token_hex(8))
        self._publish()

    @property
    def workflow(self) -> WorkflowDefinition:
        """The workflow as it stands now: a copy of your own, sound or not."""
        with self._lock:
            return self._desk.draft.own_workflow()

    def to_code(self, variable: str = "workflow") -> str:
        """Return the Python that makes the workflow anew.

        Args:
            variable: what it is called there.

        Raises:
            NotSerializable: it holds a callable that code cannot name, such as a lambda.
        """
        if not variable.isidentifier():
            raise ValueError(f"variable={variable!r:.60} is no name in Python. Give for example 'workflow'.")
        return code_of(self.workflow, variable)

    def to_yaml(self) -> str:
        """Return the workflow as YAML; see `WorkflowDefinition.to_yaml`."""
        return self.workflow.to_yaml()

    def insert(self, variable: str = "workflow") -> None:
        """Put the code below the cell that calls this, as a new cell.

        Raises:
            RuntimeError: this is not called in a notebook's cell.
            NotSerializable: as `to_code`.
        """
        from IPython.core.getipython import get_ipython

        shell = get_ipython()
        if shell is None:
            raise RuntimeError("There is no notebook to insert a cell into. Print composer.to_code() instead.")
        shell.set_next_input(self.to_code(variable), replace=False)

    def load(self, workflow: WorkflowDefinition | str) -> None:
        """Put another workflow on the canvas; undo brings back the one before.

        Args:
            workflow: a definition, or text: YAML, or JSON where it begins with a brace.

        Raises:
            WorkflowFileError: the text is no workflow; nothing was changed.
        """
        made = workflow if isinstance(workflow, WorkflowDefinition) else _read(workflow)
        self._do(lambda: self._desk.replace(made))

    def refresh(self) -> None:
        """Show again what the orchestrator has: workers and workflows that were registered since."""
        self._do(lambda: None)

    @intent
    def bundle(self) -> None:
        """Send the code of the canvas, and what it needs once."""
        parts = [(STATIC / name).read_bytes() for name in ("composer_app.js", "composer_app.css")]
        self._say({"bundle": {"forms": forms(), "colours": colours()}}, buffers=parts)
        self.refresh()

    @intent
    def add(self, group: str, name: str, at: list[float] | None = None, to: dict[str, str] | None = None) -> None:
        """Add something of the palette; `to` names the box and the kind of way that lead to it."""

        def change() -> None:
            desk = self._desk
            step_id = desk.add(group, name, None if at is None else _spot(at))
            if to is not None:
                desk.connect(to["source"], to["kind"], step_id)

        self._do(change)

    @intent
    def add_missing(self, step: str) -> None:
        """Make a step of an id that is named and missing."""
        self._do(lambda: self._desk.add_missing(step))

    @intent
    def put(self, step: str | None, path: list[str | int], value: Any = None, move: str = "put") -> None:
        """Change a field of a step, or of the workflow."""
        if move not in MOVES:
            raise DefinitionError(f"There is no move {move!r:.40}.")
        where: Path = tuple(path)

        def change() -> None:
            try:
                self._desk.put(step, where, value, move)
            except FieldRefused as error:
                if move != "put":  # what is put is shown at its field
                    raise DefinitionError(f"{'.'.join(map(str, where))}: {error.reason}") from None

        self._do(change)

    @intent
    def forget(self, step: str | None, path: list[str | int]) -> None:
        """Drop a value that was refused."""
        self._do(lambda: self._desk.forget(step, tuple(path)))

    @intent
    def connect(self, source: str, kind: str, target: str) -> None:
        """Draw a line."""
        self._do(lambda: self._desk.connect(source, kind, target))

    @intent
    def lead(self, source: str, field: str, target: str | None) -> None:
        """Draw the end of a line elsewhere, or take it away."""
        self._do(lambda: self._desk.lead(source, field, target))

    @intent
    def remove(self, steps: list[str], lines: list[list[str]]) -> None:
        """Take steps and lines away."""
        self._do(lambda: self._desk.remove(steps, [(source, field) for source, field in lines]))

    @intent
    def shift(self, spots: dict[str, list[float]]) -> None:
        """Put boxes elsewhere."""
        self._do(lambda: self._desk.move({key: _spot(spot) for key, spot in spots.items()}))

    @intent
    def tidy(self) -> None:
        """Put all boxes where the static diagram has them."""
        self._do(self._desk.tidy)

    @intent
    def select(self, step: str | None, pick: str | None = None) -> None:
        """Show the form of a step, or of the workflow; `pick` goes back, so that a browser knows that it was heard."""
        self._do(lambda: self._desk.select(step, pick))

    @intent
    def copy(self, steps: list[str], *, cut: bool = False) -> None:
        """Keep steps to be pasted; `cut` takes them away."""

        def change() -> None:
            number = self._desk.copy(steps)
            if number and cut:
                self._desk.remove(steps)
            self.tell(f"{number} step{'' if number == 1 else 's'} {'cut' if cut else 'copied'}." if number else
                      "Select steps first, then copy them.")  # fmt: skip

        self._do(change)

    @intent
    def paste(self) -> None:
        """Add what was copied."""
        self._do(self._desk.paste)

    @intent
    def undo(self) -> None:
        """Go back by one edit."""
        self._do(lambda: None if self._desk.undo() else self.tell("There is nothing to undo."))

    @intent
    def redo(self) -> None:
        """Go forward by one edit."""
        self._do(lambda: None if self._desk.redo() else self.tell("There is nothing to do again."))

    @intent
    def enter(self, step: str, name: str) -> None:
        """Show the workflow that stands in a step."""
        self._do(lambda: self._desk.open(step, name))

    @intent
    def leave(self, depth: int) -> None:
        """Show an outer workflow again."""
        self._do(lambda: self._desk.leave(depth))

    @intent
    def write(self, what: str, ticket: str) -> None:
        """Send the workflow as text: "code" or "yaml"."""
        text = self.to_code() if what == "code" else self.to_yaml()
        self._say({"text": {"what": what, "text": sendable(text), "ticket": ticket}})

    @intent
    def read(self, text: str) -> None:
        """Take over a workflow from text."""
        self.load(text)
        self.tell(
            f"Loaded {self._desk.workflow.name!r}, {len(self._desk.workflow.steps)} steps. Undo brings back what was."
        )

    @intent
    def take_over(self, text: str) -> None:
        """Take over what a browser kept."""
        data = fields_of(parse_json(text[:MOST_TEXT]))
        workflow = WorkflowDefinition.from_dict(data.get("workflow"))
        placed = {key: _spot(spot) for key, spot in fields_of(data.get("spots")).items()}
        self._do(lambda: self._desk.replace(workflow, placed))
        self.tell(f"Took over {workflow.name!r}, {len(workflow.steps)} steps.")

    @intent
    def register(self) -> None:
        """Register the workflow with the orchestrator."""
        workflow = self.workflow
        hub = self._hub
        is_known = workflow.name in hub.workflows
        hub.register_workflow(workflow)
        self.refresh()
        again = "again, in place of the one before" if is_known else f"now: hub.start({workflow.name!r}, goal=...)"
        self.tell(f"Registered {workflow.name!r} {again}.")

    @property
    def _hub(self) -> Orchestrator:
        hub = self._desk.hub
        if hub is None:
            raise DefinitionError("This composer has no orchestrator.")
        return hub

    def _say(self, content: dict[str, Any], buffers: list[bytes] | None = None) -> None:
        self.send(content, buffers=buffers)  # pyright: ignore[reportUnknownMemberType] - ipywidgets is untyped

    def _do(self, change: Callable[[], Any]) -> None:
        """Make a change at the desk, and show how things stand; a mistake is told and changes nothing."""
        with self._lock:
            try:
                change()
            except ValidationError as error:
                raise DefinitionError(told(error, ())) from None
            finally:
                self._publish()

    def _publish(self) -> None:
        canvas, panel = self._desk.shown()
        with self.hold_sync():
            self.boxes, self.lines = canvas.pop("nodes"), canvas.pop("edges")
            self.view, self.panel = canvas, panel
            self.palette = [asdict(item) for item in items_of(self._desk.hub)]
            self.kept = self._as_kept()

    def _as_kept(self) -> str:
        draft = self._desk.draft
        try:
            data = {"workflow": draft.workflow.to_dict(), "spots": dict(draft.spots)}
        except NotSerializable:
            return ""
        return json.dumps(data, separators=(",", ":"))


def _begin_with(hub: Orchestrator, workflow: WorkflowDefinition | str | None, name: str | None) -> WorkflowDefinition:
    if workflow is None:
        return WorkflowDefinition(name=name or "workflow")
    if isinstance(workflow, WorkflowDefinition):
        return workflow
    if not isinstance(workflow, str):
        raise TypeError(f"workflow is a WorkflowDefinition or the name of a registered one, not {workflow!r:.80}.")
    if workflow not in hub.workflows:
        raise UnknownWorkflow(workflow, list(hub.workflows))
    return hub.workflows[workflow]


def _read(text: str) -> WorkflowDefinition:
    if len(text) > MOST_TEXT:
        raise WorkflowFileError(f"it has {len(text):,} characters", f"A composer reads at most {MOST_TEXT:,}.")
    is_json = text.lstrip().startswith("{")
    return WorkflowDefinition.from_json(text) if is_json else WorkflowDefinition.from_yaml(text)


def _spot(given: Any) -> Spot:
    """A spot as a browser gives it: two finite numbers."""
    x, y = (float(number) for number in given)
    if not (abs(x) < 1e6 and abs(y) < 1e6):
        raise DefinitionError(f"A box cannot stand at {x:g}, {y:g}.")
    return (round(x, 1), round(y, 1))
