"""The bar of a set."""

from __future__ import annotations

import io
from types import SimpleNamespace

from orchestration_kit.engine.ticker import Ticker
from orchestration_kit.scale import run_many
from orchestration_kit.scale.bar import SetBar
from tests.scale.sets import GOALS, hub_of


class Shown:
    """What stands for tqdm, and keeps what it is told."""

    def __init__(self, **options):
        self.options, self.told, self.n, self.is_closed = options, [], None, False

    def set_postfix_str(self, text, *, refresh):
        self.text = text

    def refresh(self):
        self.told.append((self.n, self.text))

    def close(self):
        self.is_closed = True


class Now:
    def __init__(self):
        self.time = 0.0

    def __call__(self):
        return self.time


def bar_of(work, before=0, name="set"):
    now, shown = Now(), []
    ticker = Ticker(now)
    ticker._run = lambda: None  # what is due is called by the test

    def make(**options):
        shown.append(Shown(**options))
        return shown[-1]

    return SetBar(work, name, before, ticker=ticker, make=lambda: make), shown, ticker, now


def work_of(**states):
    counts = dict(states)
    return SimpleNamespace(states=counts, todo=[None] * 10, ended=sum(counts.values()))


def test_a_bar_tells_how_many_are_made_and_what_went_wrong():
    work = work_of(completed=1)
    bar, shown, ticker, now = bar_of(work, before=5)
    bar.begin()
    assert shown[0].options == {"total": 15, "initial": 5, "desc": "set", "unit": "run"}
    work.states = {"completed": 6, "failed": 2, "waiting": 1}
    work.ended = 9
    now.time = 1.0
    ticker.call_due()
    work.ended = 10
    bar.end()
    assert shown[0].told == [(6, ""), (14, "2 failed, 1 waiting"), (15, "2 failed, 1 waiting")]
    assert shown[0].is_closed
    now.time = 2.0
    ticker.call_due()
    assert len(shown[0].told) == 3


def test_a_name_that_is_long_or_not_printable_is_shortened():
    bar, shown, *_ = bar_of(work_of(), name="a\x1b[31m" + "b" * 100)
    bar.begin()
    assert shown[0].options["desc"].startswith("a [31mbbb")
    assert len(shown[0].options["desc"]) == 40


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_a_bar_is_shown_on_a_terminal(monkeypatch):
    monkeypatch.delenv("TQDM_DISABLE", raising=False)
    monkeypatch.setattr("sys.stderr", Terminal())
    import sys

    run_many("flow", GOALS, hub=hub_of(), name="tuesday")
    assert "tuesday: 100%" in sys.stderr.getvalue()
    assert "6/6" in sys.stderr.getvalue()


def test_no_bar_is_shown_where_nobody_wants_it(monkeypatch, capsys):
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    run_many("flow", GOALS, hub=hub_of(), progress=False)
    monkeypatch.setenv("TQDM_DISABLE", "1")
    run_many("flow", GOALS, hub=hub_of())
    monkeypatch.undo()
    run_many("flow", GOALS, hub=hub_of())
    assert terminal.getvalue() == ""
    assert capsys.readouterr() == ("", "")


def test_nothing_is_shown_where_nothing_is_left(monkeypatch):
    hub = hub_of()
    run_many("flow", GOALS, hub=hub, name="set")
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    run_many("flow", GOALS, hub=hub, name="set")
    assert terminal.getvalue() == ""
