"""Workflows from elsewhere: a graph of LangGraph, an application of Burr or a Mermaid flowchart becomes a definition.

```text
a compiled graph -> langgraph.py (ways of nodes: langgraph_ways.py)  \
an application   -> burr.py (conditions: python_conditions.py)        > shape.py -> fan_out.py -> building.py
Mermaid's text   -> mermaid_lines.py -> mermaid_reading.py           /                              |
                                                                                                     v
a definition     -> mermaid_writing.py -> Mermaid's text                     Imported: workflow + notes
```

The *shape* is taken, never the code: nothing of what is imported is called, and no library is needed but the one that
made it. What a definition cannot say stands in the notes.
"""

from orchestration_kit.interchange.burr import from_burr
from orchestration_kit.interchange.errors import MermaidError, NotImportable
from orchestration_kit.interchange.imported import Imported, Note
from orchestration_kit.interchange.langgraph import from_langgraph
from orchestration_kit.interchange.mermaid_reading import from_mermaid
from orchestration_kit.interchange.mermaid_writing import to_mermaid

__all__ = [
    "Imported",
    "MermaidError",
    "NotImportable",
    "Note",
    "from_burr",
    "from_langgraph",
    "from_mermaid",
    "to_mermaid",
]
