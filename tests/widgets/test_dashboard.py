"""What the dashboard is served with: no keys, no settings of others, and a clear word where Voila is missing."""

from __future__ import annotations

import importlib.util

import pytest

from orchestration_kit import SQLiteJournal
from orchestration_kit.widgets import dashboard
from orchestration_kit.widgets.dashboard import serving
from tests.support import hub_of, step, workflow_of


def test_keys_and_settings_of_others_are_not_handed_on(monkeypatch, tmp_path):
    for name in ("OPENAI_API_KEY", "AWS_SECRET_ACCESS_KEY", "VOILA_TOKEN", "JUPYTER_TOKEN", "IPYTHON_SECRET"):
        monkeypatch.setenv(name, "sk-secret")
    monkeypatch.setenv("JUPYTER_CONFIG_DIR", "/somewhere")
    environment = serving._environment(tmp_path)
    assert "sk-secret" not in environment.values()
    assert environment["JUPYTER_CONFIG_DIR"] == str(tmp_path)
    assert "PATH" in environment


@pytest.mark.parametrize(
    ("gone", "words"), [({"voila"}, "voila is"), ({"voila", "ipykernel"}, "voila and ipykernel are")]
)
def test_without_voila_it_says_what_to_install(monkeypatch, tmp_path, gone, words):
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name in gone else find(name))
    with pytest.raises(serving.NoDashboard) as raised, serving.served(tmp_path / "runs.db"):
        pass
    assert str(raised.value) == (
        f"The dashboard cannot be served: {words} not installed. Install it with: pip install 'orchestration-kit[dashboard]'"
    )


def test_a_port_that_is_none_is_refused():
    with pytest.raises(serving.NoDashboard, match="70000 is no port"):
        serving._port(70_000)


def test_the_page_shows_the_journal_that_the_environment_names(monkeypatch, tmp_path):
    with SQLiteJournal(tmp_path / "runs.db") as journal:
        hub_of(workflow_of(step("a")), {"a": str}, journal=journal).start("flow", "go", run_id="r").run()
    monkeypatch.setenv(dashboard.JOURNAL, str(tmp_path / "runs.db"))
    monitor = dashboard.shown()
    assert (monitor.shown, monitor.may_change) == (["r"], True)
    monitor.close()
    monkeypatch.setenv(dashboard.READ_ONLY, "1")
    monitor = dashboard.shown()
    assert monitor.may_change is False
    monitor.close()


def test_the_page_says_why_there_is_nothing_to_show(monkeypatch, tmp_path):
    monkeypatch.setenv(dashboard.JOURNAL, str(tmp_path / "none.db"))
    assert "there is no such file, and none was made" in repr(dashboard.shown())
