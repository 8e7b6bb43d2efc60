"""What importing the package costs, and what its results are like."""

from __future__ import annotations

import subprocess
import sys

from orchestration_kit import WorkflowDefinition
from orchestration_kit.interchange import Imported, Note, from_mermaid


def test_no_other_library_is_imported_with_it():
    code = "import sys, orchestration_kit.interchange; print([m for m in ('langgraph', 'burr', 'networkx', 'pandas', 'numpy') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_notes_are_a_frame_with_a_row_each():
    made = from_mermaid('graph TD; a -->|yes| b; a -->|no| c; b["B/b"] --> d')
    frame = made.to_frame()
    assert frame["code"].tolist() == ["routing", "name"]
    assert frame["steps"].tolist() == ["a", "B-b"]
    assert {str(dtype) for dtype in frame.dtypes} == {"string"}
    assert Imported(WorkflowDefinition(name="w")).to_frame().empty


def test_without_a_picture_the_notes_are_text():
    made = Imported(WorkflowDefinition(name="w\x1b[2J"), (Note("code", (), "It is so", "Do that."),))
    assert str(made) == "Workflow 'w\\x1b[2J': 0 steps\n- [code] It is so. Do that."
    assert "text/plain" in made._repr_mimebundle_()
