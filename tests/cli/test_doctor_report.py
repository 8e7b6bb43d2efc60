"""`doctor()` in a notebook: what to do comes first, commands can be copied, and what was found is text."""

from __future__ import annotations

import pytest

from orchestration_kit import SQLiteJournal, doctor
from orchestration_kit.cli.doctor_packages import Finding
from orchestration_kit.cli.doctor_report import Examination
from tests.hostile import PAYLOADS

FOUND = Examination(
    (
        Finding("python", "Python", "ok", "3.11"),
        Finding("extras", "llm", "missing", "needs pydantic-ai", 'pip install "orchestration-kit[llm]"'),
        Finding("journal", "access", "note", "others may read it", "chmod 600 my.db"),
        Finding("package", "orchestration-kit", "broken", "without rich", "pip install -U orchestration-kit"),
    )
)


def test_what_is_broken_is_told_first_and_what_is_well_is_not_in_the_way():
    text = str(FOUND)
    assert text.startswith("1 thing is broken.\nTo mend:\n  orchestration-kit: without rich\n    pip install -U")
    assert text.index("Worth a look") < text.index("To have more")
    assert "Python" not in text
    shown = FOUND._repr_mimebundle_()
    assert shown["text/plain"] == text
    assert "<summary>4 things looked at</summary>" in shown["text/html"]


def test_commands_are_selected_by_a_click():
    shown = FOUND._repr_mimebundle_()["text/html"]
    for command in ("pip install &quot;orchestration-kit[llm]&quot;", "chmod 600 my.db"):
        assert f"<code style='user-select: all'>{command}</code>" in shown


@pytest.mark.parametrize(
    ("fix", "commands"),
    [
        ("pip install --force-reinstall anywidget, then reload the page", ["pip install --force-reinstall anywidget"]),
        (
            "Restore it from a backup, or go on without: orchestration-kit runs check",
            ["orchestration-kit runs check"],
        ),
        ("pip install -e . (in its folder)", ["pip install -e ."]),
        ("Make space: runs stop without.", []),
    ],
)
def test_a_command_ends_where_prose_goes_on(fix, commands):
    shown = Examination((Finding("a", "b", "note", "c", fix),))._repr_mimebundle_()["text/html"]
    assert [part.partition("</code>")[0] for part in shown.split("<code style='user-select: all'>")[1:]] == commands


def test_the_same_as_a_frame():
    frame = doctor().to_frame()
    assert frame.columns.tolist() == ["area", "what", "state", "found", "fix"]
    assert str(frame.dtypes["found"]).startswith("str")
    assert list(frame["state"].cat.categories) == ["ok", "note", "missing", "broken"]
    assert (frame.loc[frame["state"] == "ok", "fix"] == "").all()


def test_a_journal_is_named_by_its_path_or_found_in_the_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert not doctor("gone.db").is_sound
    assert not (tmp_path / "gone.db").exists()
    SQLiteJournal("runs.db").close()
    assert {"runs.db", "content"} <= set(doctor().to_frame()["what"])


def test_hostile_findings_are_text():
    findings = tuple(Finding(text, text, "broken", text, text) for text in PAYLOADS)
    shown = Examination(findings)._repr_mimebundle_()["text/html"]
    harmless = Examination(tuple(Finding("a", "b", "broken", "c", "d") for _ in PAYLOADS))._repr_mimebundle_()
    assert shown.replace("<code style='user-select: all'>", "").replace("</code>", "").count("<") == harmless[
        "text/html"
    ].count("<")
    assert "\x1b" not in str(Examination(findings))
