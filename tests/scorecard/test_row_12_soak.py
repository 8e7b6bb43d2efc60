"""Row 12: many runs in one process leave no memory, no open files and no threads behind."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.scorecard.forks import Template
from tests.scorecard.soaking import drive_many


def hold_row_12(folder: Path, template: Template, count: int) -> str:
    assert template.call(drive_many, str(folder), count) == 0
    middle, end = json.loads((folder / "held.json").read_text())
    growth = end["bytes"] / middle["bytes"] - 1
    text = (
        f"row 12: {count:,} runs: memory {growth:+.1%} between two halves ({end['bytes'] / 1e6:.0f} MB), "
        f"files {middle['files']} -> {end['files']}, threads {middle['threads']} -> {end['threads']}"
    )
    assert growth < 0.05, text
    assert end["files"] <= middle["files"], text
    assert end["threads"] <= middle["threads"], text
    return text


def test_many_runs_leave_no_memory_files_or_threads_behind(tmp_path, template, figure):
    figure(hold_row_12(tmp_path, template, 300))


@pytest.mark.soak
def test_ten_thousand_runs_leave_no_memory_files_or_threads_behind(tmp_path, template, figure):
    figure(hold_row_12(tmp_path, template, 10_000))
