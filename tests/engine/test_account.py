"""The printed account of a run: readable, on one line each, and never more than text."""

from __future__ import annotations

import io
import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from orchestration_kit import Branch, RetryPolicy, RunLimits, WorkerDefinition, create_generic_pipeline
from orchestration_kit.engine.account import MAX_SHOWN, Account, duration, shown
from orchestration_kit.testing import FakeClock, ScriptedWorker
from tests.hostile import PAYLOADS
from tests.support import hub_of, step, workflow_of

OWN_STYLES = re.compile(r"\x1b\[[0-9;]*m")
"""What rich writes for colours; a terminal's other codes are rich's progress line or an intruder."""


class Ascii(io.TextIOWrapper):
    """A file that takes ASCII only, as on a terminal with LANG=C."""

    def __init__(self) -> None:
        super().__init__(io.BytesIO(), encoding="ascii", errors="strict")

    def text(self) -> str:
        self.flush()
        return self.buffer.getvalue().decode("ascii")


def account_of(workflow, workers, goal="g", *, file=None, run_id="r1", **console) -> str:
    """Run a workflow under an account and return what it printed."""
    file = file or io.StringIO()
    options = {"force_jupyter": False, "highlight": False, "soft_wrap": True, "width": 100, **console}
    account = Account(workflow, Console(file=file, **options))
    hub = hub_of(workflow, workers, clock=FakeClock(), observers=[account])
    hub.start("flow", goal, run_id=run_id).run()
    return file.text() if isinstance(file, Ascii) else file.getvalue()


LOOP = workflow_of(
    step("write", "check", on_failure="end", max_retries=1),
    step("check", "end", on_failure="write", success_when="output.ok", branches=[Branch(when="visits > 5", to="end")]),
    step("end"),
)


def loop_workers():
    return {
        "write": ScriptedWorker("draft", OSError("disk full"), "better"),
        "check": ScriptedWorker({"ok": False}, {"ok": True}),
    }


def test_in_a_pipe_it_is_plain_text_one_attempt_after_the_other():
    assert account_of(LOOP, loop_workers()).splitlines() == [
        "flow: g",
        "run r1",
        "   1 ✓ write#1      0 s [write]  → check",
        "       draft",
        "   2 ✗ check#1      0 s [check]  → write",
        "       OutputRejected: success_when was false: output.ok  {'ok': False}",
        "   3 ↻ write#2      0 s [write]",
        "       OSError: disk full",
        "   4 ✓ write#2      0 s [write] attempt 2  → check",
        "       better",
        "   5 ✓ check#2      0 s [check]  → end",
        "       {'ok': True}",
        "   6 ✓ end#1        0 s [no worker: passed on]",
        "       {'ok': True}",
        "completed after 6 attempts in 0 s",
    ]


def test_a_last_step_that_somebody_works_on_or_that_is_generic_is_not_said_to_be_passed_on():
    workflow = workflow_of(step("a", "end"), step("end"))
    assert "passed on" not in account_of(workflow, {"a": lambda given: "x", "end": lambda given: "y"})
    assert "passed on" not in account_of(
        workflow_of(step("a", "end"), step("end", worker_type="generic")), {"a": lambda given: "x"}
    )


def test_tables_and_arrays_are_told_by_their_size():
    table = pd.DataFrame({"plan": ["pro"] * 400, "age": range(400)})
    assert shown(table) == "<DataFrame 400 x 2>"
    assert shown({"kept": table, "missing": table.isna().mean(), "ok": True}) == (
        "{'kept': <DataFrame 400 x 2>, 'missing': <Series 2>, 'ok': True}"
    )
    assert shown(np.zeros((3, 4))) == "<ndarray 3 x 4>"
    assert shown(np.array([1, 2])) == "array([1, 2])"
    assert shown(np.float64(0.5)) == "np.float64(0.5)"


def test_on_a_terminal_it_has_colours_and_a_progress_line_and_says_the_same():
    printed = account_of(LOOP, loop_workers(), force_terminal=True, color_system="standard", legacy_windows=False)
    assert "\x1b[32m   1 ✓ write#1" in printed
    assert "\x1b[33m   3 ↻ write#2" in printed
    assert "\x1b[31m   2 ✗ check#1" in printed
    assert "\x1b[1;32mcompleted after 6 attempts" in printed
    assert "\x1b[?25l" in printed
    assert printed.rindex("\x1b[?25h") > printed.rindex("\x1b[?25l"), "the cursor is shown again"
    for text in ("flow: g", "OSError: disk full", "attempt 2"):
        assert text in OWN_STYLES.sub("", printed)


def test_the_progress_line_shows_worker_and_attempt_while_it_works():
    file = io.StringIO()
    console = Console(file=file, force_terminal=True, force_jupyter=False, width=100, legacy_windows=False)
    workflow = workflow_of(step("a", "end", max_retries=1), step("end"))
    account = Account(workflow, console)
    statuses = []

    def watch(event):
        account(event)
        statuses.append(None if account._status is None else str(account._status.status))

    worker = ScriptedWorker(OSError("again"), "done")
    hub_of(workflow, {"a": worker}, clock=FakeClock(), observers=[watch]).start("flow", "g").run()
    assert statuses == [
        None,
        "a#1 → a",
        None,
        "a#1 → a (attempt 2)",
        None,
        "end#1 → pass on",
        None,
        None,
    ]
    assert "\x1b[?25h" in file.getvalue(), "the cursor is shown again"


def test_notes_on_doubtful_workflows_are_told_at_the_start():
    printed = account_of(workflow_of(step("a", "end", on_failure="a"), step("end")), {"a": str})
    assert "  note: Only the run's limits bound the loop a" in printed.splitlines()[2]


def test_a_failed_run_says_why_in_red():
    printed = account_of(
        workflow_of(step("a")), {"a": ScriptedWorker(OSError("full"))}, force_terminal=True, legacy_windows=False
    )
    assert "\x1b[1;31mfailed after 1 attempt in 0 s: a#1 failed: OSError: full" in printed


def test_a_cancelled_run_and_a_limit_are_told():
    file = io.StringIO()
    workflow = workflow_of(step("a", "b"), step("b"))
    account = Account(workflow, Console(file=file, force_jupyter=False, soft_wrap=True))
    hub = hub_of(workflow, {"a": str, "b": str}, clock=FakeClock(), observers=[account])
    run = hub.start("flow", "g")
    run.step()
    run.cancel("lunch")
    hub.start("flow", "g", limits=RunLimits(max_steps=1)).run()
    assert "cancelled after 1 attempt in 0 s: lunch" in file.getvalue()
    assert "failed after 1 attempt in 0 s: limit max_steps reached before b#1: 1 attempt" in file.getvalue()


def test_a_wait_counts_into_the_time_of_the_run():
    workflow = workflow_of(step("a", max_retries=1, retry=RetryPolicy(backoff_s=75, max_backoff_s=100)))
    assert "completed after 2 attempts in 1 min 15 s" in account_of(workflow, {"a": ScriptedWorker(OSError, 1)})


def test_on_a_terminal_without_unicode_it_is_ascii():
    printed = account_of(LOOP, {**loop_workers(), "write": ScriptedWorker("naïve → 日本", OSError, "x")}, file=Ascii())
    assert "   1 ok write#1" in printed
    assert "FAILED check#1" in printed
    assert "RETRY write#2" in printed
    assert "-> check" in printed
    assert "na?ve ? ??" in printed
    assert printed.isascii()


@pytest.mark.parametrize(
    ("terminal", "every"),
    [(False, 3), (True, 3), *(pytest.param(one, 1, marks=pytest.mark.soak) for one in (False, True))],
)
def test_hostile_text_stays_text_wherever_it_comes_from(terminal, every):
    """ANSI escapes, rich markup, line breaks, control characters, lone surrogates: from goal, output, error and name."""
    payloads = [*PAYLOADS[::every], "[bold red]markup[/]", "[link=https://evil.example]x[/link]", ":smile:", "[/]", "\r overwritten", "\x9b31m", "\x1b]0;title\x07", "\x08" * 5]  # fmt: skip
    file = io.StringIO()
    for payload in payloads:
        workflow = workflow_of(step("a", "end", on_failure="end"), step("b", "end"), step("end"))
        workflow.add_step(step("a", "b", on_failure="b"), replace=True)
        hub = hub_of(
            workflow, {}, clock=FakeClock(),
            observers=[Account(workflow, Console(file=file, force_terminal=terminal, color_system="standard" if terminal else None, force_jupyter=False, soft_wrap=True, legacy_windows=False))],
        )  # fmt: skip
        name = payload[:200].encode("utf-8", "replace").decode() or "x"
        hub.register_worker(WorkerDefinition(worker_type="a", name=name, executor=ScriptedWorker({"text": payload})))
        hub.register_worker(WorkerDefinition(worker_type="b", name="b", executor=ScriptedWorker(ValueError(payload))))
        goal = payload if payload.strip() else "g"
        run = hub.start("flow", goal, run_id=f"run {payload}")
        run.run()
        assert run.exception is None or isinstance(run.exception, ValueError)
        assert len(run.audience.observers) == 1, f"the account failed on {payload!r}"
    printed = file.getvalue()
    left = OWN_STYLES.sub("", printed)
    if terminal:
        left = re.sub(r"\x1b\[(\?25[lh]|2K|1A)|\r", "", left)
    assert not re.search(r"[^\n\x20-\x7e\xa0-\U0010ffff]", left), "control characters"
    assert not re.search(r"[\ud800-\udfff\u202a-\u202e\u2066-\u2069\u2028\u2029]", left)
    assert "[bold red]markup[/]" in left
    assert ":smile:" in left
    assert "evil.example" in left
    assert max(map(len, left.splitlines())) < 500


class Broken:
    def __repr__(self):
        raise RuntimeError("no")


class Endless:
    def __repr__(self):
        return "x" * 10_000_000


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("plain", "plain"), ("", ""), ("two\nlines\r\n\tand  tabs", "two lines and tabs"), ("\x1b[31mred\x1b[0m", "[31mred[0m"), ("a\x00b\x07c\x9bd", "abcd"),
        ("\ud800", ""), ("\u202eabc", "abc"), ("[bold]x[/]", "[bold]x[/]"), (None, "None"), (1.5, "1.5"), ({"a": "\x1b"}, "{'a': '\\x1b'}"), (["\n"], "['\\n']"),
        (Broken(), "<Broken, whose repr raises RuntimeError>"), ([Broken()], "<list, whose repr raises RuntimeError>"),
        ("x" * 100, "x" * 100), ("x" * 101, "x" * 97 + "..."), (Endless(), "x" * 97 + "..."), ("日本", "日本"),
    ],
    ids=lambda value: "value",
)  # fmt: skip
def test_a_value_is_shown_as_one_short_line(value, expected):
    assert shown(value) == expected


@given(st.text() | st.binary() | st.lists(st.text()), st.integers(10, 300))
def test_whatever_is_shown_fits_on_a_line_and_can_be_printed(value, limit):
    text = shown(value, limit)
    assert len(text) <= limit
    assert text.isprintable()
    assert len(shown(value)) <= MAX_SHOWN


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"), (1e-9, "0 µs"), (1.5e-5, "15 µs"), (0.0009, "900 µs"), (0.001, "1 ms"), (0.0123, "12 ms"), (0.9, "900 ms"), (1, "1.0 s"), (59.9, "59.9 s"),
        (60, "1 min 0 s"), (75, "1 min 15 s"), (3600, "60 min 0 s"), (-1, "0 s"),
    ],
)  # fmt: skip
def test_durations_have_a_readable_unit(seconds, text):
    assert duration(seconds) == text


def test_the_default_goes_to_standard_output_and_other_events_are_passed_over(capsys):
    def pieces(text):
        yield "a"
        yield "b"

    workflow = create_generic_pipeline([("a", "a", "")])
    hub_of(workflow, {"a": pieces}).execute_workflow("a", "g")
    printed = capsys.readouterr().out
    assert "       ab" in printed.splitlines()
    assert "\x1b" not in printed
