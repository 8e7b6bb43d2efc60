"""What an import comes to: a workflow, and notes on all that it says in another way or not at all."""

from __future__ import annotations

import html
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from orchestration_kit.definition.workflow import WorkflowDefinition
from orchestration_kit.errors import counted
from orchestration_kit.visual import visualize
from orchestration_kit.visual.text import clean

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class Note:
    """One thing that the original says and the definition does not, or says in another way.

    >>> print(Note("retry", ("ask",), "Step 'ask' retries every error", "Name those worth one in its RetryPolicy."))
    Step 'ask' retries every error. Name those worth one in its RetryPolicy.
    """

    code: str
    """What it is about, e.g. `routing`, `fan-out`, `retry`."""
    steps: tuple[str, ...]
    """The steps it concerns; none: the whole."""
    message: str
    hint: str

    def __str__(self) -> str:
        return f"{self.message}. {self.hint}"


@dataclass(frozen=True)
class Imported:
    """A workflow from elsewhere. In a notebook it shows its diagram and its notes.

    >>> from orchestration_kit.interchange import from_mermaid
    >>> made = from_mermaid("graph TD; draft --> check; check -->|again| draft; check --> publish")
    >>> made.workflow.validate(), [note.code for note in made.notes]
    ((True, None), ['routing'])
    """

    workflow: WorkflowDefinition
    notes: tuple[Note, ...] = ()
    """What a person has to know or to provide, in the order of the steps, what concerns the whole last."""
    subworkflows: tuple[WorkflowDefinition, ...] = ()
    """Workflows that steps of it run: to be registered beside it."""

    def to_frame(self) -> pd.DataFrame:
        """Return one row per note.

        Columns (dtype): code, steps, message, hint (string); steps are joined by ", ", and "" for the whole.

        >>> Imported(WorkflowDefinition(name="w")).to_frame().columns.tolist()
        ['code', 'steps', 'message', 'hint']
        """
        import pandas as pd

        columns = {
            "code": [note.code for note in self.notes],
            "steps": [", ".join(note.steps) for note in self.notes],
            "message": [note.message for note in self.notes],
            "hint": [note.hint for note in self.notes],
        }
        return pd.DataFrame({name: pd.array(texts, dtype="string") for name, texts in columns.items()})

    def __str__(self) -> str:
        lines = [f"Workflow {self.workflow.name!r}: {counted(len(self.workflow.steps), 'step')}"]
        lines += [f"  runs {inner.name!r}: {counted(len(inner.steps), 'step')}" for inner in self.subworkflows]
        lines += [f"- [{note.code}] {note}" for note in self.notes]
        return clean("\n".join(lines))

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        bundle = {"text/plain": str(self)}
        picture = visualize(self.workflow)._repr_mimebundle_().get("image/svg+xml")
        if picture is not None:
            notes = "".join(_item(note) for note in self.notes)
            bundle["text/html"] = f"<div>{picture}{notes and f'<ul>{notes}</ul>'}</div>"
        return bundle


def in_order(notes: Iterable[Note], workflow: WorkflowDefinition) -> tuple[Note, ...]:
    """Return notes in the order of the steps they concern, those on the whole last."""
    places = {step_id: at for at, step_id in enumerate(workflow.steps)}
    return tuple(sorted(notes, key=lambda note: places.get(note.steps[0] if note.steps else "", len(places))))


def _item(note: Note) -> str:
    return f"<li><b>{html.escape(clean(note.code))}</b>: {html.escape(clean(str(note)))}</li>"
