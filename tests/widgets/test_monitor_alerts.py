"""Rules find what a person should look at, and nothing else."""

from __future__ import annotations

import pytest

from orchestration_kit.journal.glances import Wait
from orchestration_kit.widgets.monitor.alerts import AlertRules, alerts_of
from orchestration_kit.widgets.monitor.figures import StepFigures
from orchestration_kit.widgets.monitor.lines import RunLine

NOW = 100_000.0


def found(line=None, steps=None, **rules):
    lines = [] if line is None else [line]
    return [(alert.kind, alert.text) for alert in alerts_of(lines, AlertRules(**rules), NOW, steps)]


def a_line(**fields):
    return RunLine("r", "flow", **{"started_at": NOW - 10, "last_at": NOW - 5, **fields})


def test_a_run_that_goes_well_raises_none():
    assert found(a_line(driver="process 1", driver_is="alive")) == []
    assert found(a_line(state="completed", finished_at=NOW)) == []
    assert found(a_line(state="cancelled", finished_at=NOW)) == []


def test_a_run_that_failed_a_while_ago_is_no_news():
    assert found(a_line(state="failed", finished_at=NOW - 60, reason="no way on")) == [("failed", "no way on")]
    assert found(a_line(state="failed", finished_at=NOW - 4_000, reason="no way on")) == []
    assert found(a_line(state="failed", finished_at=NOW, reason="no way on"), failed_within_s=None) == []


def test_a_run_in_which_nothing_happens_is_silent_only_while_somebody_drives_it():
    silent = {"last_at": NOW - 400, "started_at": NOW - 900, "at": "look"}
    assert found(a_line(driver="process 1", driver_is="alive", **silent)) == [
        ("silent", "nothing happened for 6 min 40 s, at look")
    ]
    assert found(a_line(**silent)) == []
    assert found(a_line(driver="process 1", driver_is="alive", **silent), silent_s=None) == []
    asked = {"sign#1": Wait("sign#1", "approval", NOW - 400, None)}
    assert found(a_line(driver="process 1", driver_is="alive", waits=asked, **silent)) == []


def test_a_driver_that_is_gone_is_told_at_once():
    ((kind, text),) = found(a_line(driver="process 1 on vm", driver_is="dead"))
    assert (kind, text) == ("driver is gone", "process 1 on vm is gone; orchestrator.resume(...) goes on with the run")


@pytest.mark.parametrize(("kind", "since", "told"), [("approval", 3_700, 1), ("approval", 60, 0), ("event", 9_999, 0)])
def test_a_person_who_lets_a_run_wait_is_reminded(kind, since, told):
    line = a_line(state="waiting", waits={"sign#1": Wait("sign#1", kind, NOW - since, None)})
    assert len(found(line)) == told


@pytest.mark.parametrize(
    ("limits", "fields", "told"),
    [
        ({"max_steps": 100}, {"attempts": 89}, 0),
        ({"max_steps": 100}, {"attempts": 90}, 1),
        ({"max_seconds": 10.0}, {"busy_s": 9.5}, 1),
        ({"max_tokens": 1000}, {"input_tokens": 500, "output_tokens": 450}, 1),
        ({"max_cost_usd": 1.0}, {"cost_usd": None}, 0),
        ({"max_cost_usd": None}, {"cost_usd": 5.0}, 0),
        ({"max_steps": 100}, {"attempts": 100, "state": "completed"}, 0),
    ],
)
def test_a_limit_that_is_nearly_used_is_told(limits, fields, told):
    assert len(found(a_line(limits=limits, **fields))) == told


def test_a_step_that_fails_often_is_told_where_there_were_enough_attempts():
    assert found(steps={"look": StepFigures(attempts=10, failures=6)}) == [
        ("step fails often", "6 of 10 attempts at look failed (60%)")
    ]
    assert found(steps={"look": StepFigures(attempts=9, failures=9)}) == []
    assert found(steps={"look": StepFigures(attempts=20, failures=6, cancelled=11)}) == []
    assert found(steps={"look": StepFigures(attempts=10, failures=4)}) == []


def test_a_damaged_run_is_told_for_ever():
    line = a_line(state="damaged", reason="row 2 is missing", started_at=0.0)
    assert found(line) == [("damaged", "its record is not what was written: row 2 is missing")]


def test_the_most_recent_comes_first():
    lines = [
        RunLine(name, "flow", 1.0, state="failed", finished_at=ended)
        for name, ended in (("a", NOW - 9), ("b", NOW - 1))
    ]
    assert [alert.run_id for alert in alerts_of(lines, AlertRules(), NOW)] == ["b", "a"]


@pytest.mark.parametrize("rules", [{"limit_share": 0.0}, {"failure_rate": 1.5}])
def test_a_share_that_is_none_is_refused(rules):
    with pytest.raises(ValueError, match="give a share"):
        AlertRules(**rules)
