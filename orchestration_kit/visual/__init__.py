"""Layer 6, see it: a workflow or a run becomes a picture that is safe, readable and always there.

```text
workflow, run, context, history
  -> subject.py       what was given?
     from_workflow.py, frames.py   a definition; bodies.py: which steps stand inside which
     spawned.py, from_history.py   what workers made in a run; a run without its definition
     overlay_fold.py, places.py    what happened, and where in the diagram that was; told.py: by which way
  -> model.py         the neutral diagram model, and an overlay of what happened
  -> a layout         dot_layout.py (Graphviz lays out) or layered.py (we do, exits.py out of frames; always works)
  -> labels.py        the places of the labels, with room for what a run adds
  -> scene.py         boxes, curves, words, in the colours of theme.py
  -> svg.py           SVG in a notebook; positioned.py for PNG and PDF through Graphviz
```

`dot.py`, `mermaid.py` and `outline.py` turn the model into text. Nothing here runs a workflow, and no text
from data becomes markup anywhere.
"""

from orchestration_kit.visual.diagram import Diagram, Renderer, mimebundle, visualize
from orchestration_kit.visual.model import DiagramCluster, DiagramEdge, DiagramModel, DiagramNode
from orchestration_kit.visual.overlay import Overlay, StepOverlay, StepState
from orchestration_kit.visual.overlay_fold import overlay_of
from orchestration_kit.visual.render import DotFailed, DotMissing
from orchestration_kit.visual.theme import THEMES, Theme
from orchestration_kit.visual.timeline import Timeline, timeline

__all__ = [
    "THEMES",
    "Diagram",
    "DiagramCluster",
    "DiagramEdge",
    "DiagramModel",
    "DiagramNode",
    "DotFailed",
    "DotMissing",
    "Overlay",
    "Renderer",
    "StepOverlay",
    "StepState",
    "Theme",
    "Timeline",
    "mimebundle",
    "overlay_of",
    "timeline",
    "visualize",
]
