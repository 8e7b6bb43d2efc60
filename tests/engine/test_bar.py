"""A bar shows that a long call goes on: where somebody looks, and not before it takes long."""

from __future__ import annotations

import gc
import subprocess
import sys
import threading
import weakref

import pytest

from orchestration_kit import MapStep
from orchestration_kit.engine import bar as bars
from orchestration_kit.engine.bar import AFTER_S, EVERY_S, Bar, progress_of
from tests.support import hub_of, step, workflow_of


class ByHand:
    """A ticker whose time is set."""

    def __init__(self):
        self.now, self.due = 0.0, []

    def monotonic(self):
        return self.now

    def at(self, when, call):
        self.due.append((when, call))

    def pass_time(self, seconds):
        self.now += seconds
        ready = [call for when, call in self.due if when <= self.now]
        self.due = [(when, call) for when, call in self.due if when > self.now]
        for call in ready:
            call()


class FakeTqdm:
    made: list = []

    def __init__(self, desc="", total=None, **options):
        self.desc, self.total, self.options, self.n, self.is_open = desc, total, options, 0, True
        self.seen = []
        FakeTqdm.made.append(self)

    def set_description_str(self, desc, refresh):
        self.desc = desc

    def refresh(self):
        self.seen.append((self.desc, self.n, self.total))

    def close(self):
        self.is_open = False


@pytest.fixture
def made(monkeypatch):
    monkeypatch.setattr(FakeTqdm, "made", [])
    return FakeTqdm.made


def bar_of(run, ticker):
    return Bar(run, ticker=ticker, make=lambda: FakeTqdm)


def chain():
    return hub_of(workflow_of(step("a", "b"), step("b")), {"a": str.upper, "b": str.lower})


def test_a_quick_call_shows_nothing(made):
    ticker = ByHand()
    bar = bar_of(chain().start("flow", "g"), ticker)
    bar.begin()
    ticker.pass_time(AFTER_S / 2)
    bar.end()
    ticker.pass_time(AFTER_S)
    assert made == []
    assert ticker.due == []


def test_a_run_that_has_ended_is_not_kept_alive_by_its_bar():
    ticker, run = ByHand(), chain().start("flow", "g")
    bar = bar_of(run, ticker)
    bar.begin()
    bar.end()
    gone = weakref.ref(run)
    del run
    gc.collect()
    assert ticker.due
    assert gone() is None


def test_a_long_call_shows_step_and_attempts_and_goes_when_it_ends(made):
    ticker, run = ByHand(), chain().start("flow", "g")
    bar = bar_of(run, ticker)
    bar.begin()
    ticker.pass_time(AFTER_S)
    run.step()
    ticker.pass_time(EVERY_S)
    (shown,) = made
    assert shown.seen == [("flow, at a", 0, None), ("flow, at b", 1, None)]
    assert shown.options["leave"] is False
    bar.end()
    assert not shown.is_open
    ticker.pass_time(EVERY_S)
    assert len(shown.seen) == 2


def test_branches_have_a_bar_of_their_own_while_they_are_open(made):
    each = MapStep(step_id="each", body="one", over="data.items", on_success="end")
    hub = hub_of(workflow_of(each, step("one"), step("end")), {"one": lambda x: x, "end": lambda x: x})
    ticker, run = ByHand(), hub.start("flow", "g", {"items": [1, 2, 3]})
    bar = bar_of(run, ticker)
    bar.begin()
    run.step()
    run.step()
    ticker.pass_time(AFTER_S)
    _, branches = made
    assert (branches.desc, branches.n, branches.total) == ("each#1", 2, 3)
    run.run()
    ticker.pass_time(EVERY_S)
    assert not branches.is_open
    bar.end()


def test_names_are_shown_as_one_short_line(made):
    hub = hub_of(workflow_of(step("a"), name="x" * 200), {"a": str.upper})
    ticker = ByHand()
    bar_of(hub.start("x" * 200, "g"), ticker).begin()
    ticker.pass_time(AFTER_S)
    assert len(made[0].desc) == 60


def test_no_bar_in_a_pipe():
    code = (
        "from orchestration_kit.engine import bar\n"
        "bar.AFTER_S = 0.0\n"
        "import threading\n"
        "from tests.support import hub_of, step, workflow_of\n"
        "hub = hub_of(workflow_of(step('a')), {'a': lambda x: threading.Event().wait(0.05) or x})\n"
        "hub.start('flow', 'g').run()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("", "")


def test_a_bar_on_a_terminal_comes_and_goes(monkeypatch, capsys):
    """With the real tqdm, on what says that it is a terminal."""
    monkeypatch.delenv("TQDM_DISABLE", raising=False)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(bars, "AFTER_S", 0.0)
    shown, free = threading.Event(), threading.Event()
    monkeypatch.setattr(bars.Bar, "_draw", lambda self, run, draw=bars.Bar._draw: (draw(self, run), shown.set()))
    hub = hub_of(workflow_of(step("a")), {"a": lambda x: shown.wait(30) and x})
    hub.start("flow", "g").run()
    free.set()
    said = capsys.readouterr().err
    assert "flow, at a: 0 attempts" in said


def test_an_account_or_false_means_no_bar(monkeypatch):
    monkeypatch.setattr(bars, "is_seen", lambda: True)
    hub = chain()
    told = hub.start("flow", "g", verbose=True)
    assert progress_of(told, None) is bars._NOTHING
    assert progress_of(hub.start("flow", "g"), False) is bars._NOTHING
    assert progress_of(hub.start("flow", "g"), None) is not bars._NOTHING
    monkeypatch.setattr(bars, "is_seen", lambda: False)
    assert progress_of(hub.start("flow", "g"), None) is bars._NOTHING
    assert progress_of(hub.start("flow", "g"), True) is not bars._NOTHING


def test_tqdms_own_switch_turns_it_off(monkeypatch):
    monkeypatch.setattr(bars, "is_in_notebook", lambda: True)
    monkeypatch.delenv("TQDM_DISABLE", raising=False)
    assert bars.is_seen()
    monkeypatch.setenv("TQDM_DISABLE", "1")
    assert not bars.is_seen()


def test_of_runs_that_go_on_at_once_one_shows_a_bar_unless_another_is_asked_for(monkeypatch):
    monkeypatch.setattr(bars, "is_seen", lambda: True)
    begun = []
    monkeypatch.setattr(bars.Bar, "begin", lambda bar: begun.append(bar._run.run_id))
    hub = chain()
    one, other, third = (hub.start("flow", "g", run_id=name) for name in ("one", "other", "third"))
    with progress_of(one, None):
        with progress_of(other, None), progress_of(third, True):
            assert begun == ["one", "third"]
    with progress_of(other, None):
        assert begun == ["one", "third", "other"]
