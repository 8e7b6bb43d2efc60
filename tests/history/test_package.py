"""The package as a whole: what it offers, and what importing it costs."""

from __future__ import annotations

import subprocess
import sys

import orchestration_kit.history as history


def test_importing_it_imports_no_pandas():
    code = "import sys, orchestration_kit.history, orchestration_kit.visual.timeline; print({'pandas', 'matplotlib', 'numpy'} & set(sys.modules))"
    found = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert found.strip() == "set()"


def test_every_public_name_is_there_and_documented():
    for name in history.__all__:
        assert getattr(history, name).__doc__


def test_every_frame_documents_its_columns_and_shows_an_example():
    frames = ("history_frame", "runs_frame", "transitions_frame", "data_frame", "usage_frame", "waiting_frame")
    for name in (*frames, "compare_many"):
        text = getattr(history, name).__doc__
        assert "Return one row per" in text
        assert "Columns (dtype):" in text
        assert ">>> " in text
