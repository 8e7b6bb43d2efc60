"""The printed account of branches, waits and what else happens besides attempts."""

from __future__ import annotations

import io
import threading

import pytest
from rich.console import Console

from orchestration_kit import (
    ApprovalStep,
    Branch,
    MapStep,
    ParallelStep,
    RunLimits,
    Spawn,
    SubworkflowStep,
    WaitStep,
)
from orchestration_kit.engine.account import Account
from orchestration_kit.engine.events import (
    Answered,
    AttemptFinished,
    AttemptStarted,
    BranchesOpened,
    EventReceived,
    LimitReached,
    RunFinished,
    WaitStarted,
)
from orchestration_kit.testing import FakeClock
from tests.hostile import PAYLOADS
from tests.support import hub_of, step, workflow_of


def fails(_):
    raise OSError("full")


def told(workflow, workers, data=None, drive=None) -> list[str]:
    """Run a workflow under an account; return its lines, without notes and times."""
    file = io.StringIO()
    account = Account(workflow, Console(file=file, force_jupyter=False, highlight=False, soft_wrap=True, width=100))
    hub = hub_of(workflow, workers, clock=FakeClock(), observers=[account])
    run = hub.start("flow", "g", data or {}, run_id="r", limits=RunLimits())
    run.run()
    if drive is not None:
        drive(run)
    assert len(run.audience.observers) == 1, "the account failed"
    lines = [line for line in file.getvalue().splitlines()[2:] if not line.startswith("  note:")]
    return [" ".join(line.split()).replace(" 0 s", "") for line in lines]


def account_of(workflow=None, **console):
    file = io.StringIO()
    options = {"force_jupyter": False, "highlight": False, "soft_wrap": True, "width": 100, **console}
    return Account(workflow or workflow_of(step("a")), Console(file=file, **options)), file


def numbers_apart(lines):
    """The lines without what hangs on who ended first."""
    return [line.partition(" ")[2] if line[:1].isdigit() else line for line in lines]


def same(x):
    return x


def test_a_map_is_told_by_its_items_and_its_join():
    workflow = workflow_of(
        MapStep(step_id="m", over="data.items", body="x", on_success="end", failure="continue", max_concurrency=1),
        step("x", max_retries=1),
        step("end"),
    )
    assert told(workflow, {"x": lambda x: 1 / x, "end": same}, {"items": [1, 0]}) == [
        "⇉ m#1 opened 2 branches",
        "1 ✓ m#1[0]/x#1 [x]",
        "1.0",
        "2 ↻ m#1[1]/x#1 [x]",
        "ZeroDivisionError: division by zero",
        "3 ✗ m#1[1]/x#1 [x] attempt 2",
        "ZeroDivisionError: division by zero",
        "4 ✓ m#1 joined: 1 completed, 1 failed → end",
        "[1.0, {'error': 'm#1[1]/x#1 failed: ZeroDivisionError: division by zero'}]",
        "5 ✓ end#1 [end]",
        "[1.0, {'error': 'm#1[1]/x#1 failed: ZeroDivisionError: division by zero'}]",
        "completed after 5 attempts in",
    ]


def test_named_branches_are_named_and_no_branch_is_told():
    def workflow(when):
        return workflow_of(
            ParallelStep(
                step_id="p",
                branches={"law": "x", "style": Branch(when=when, to="x")},
                on_success="end",
                max_concurrency=1,
            ),
            step("x"),
            step("end"),
        )

    workers = {"x": same, "end": same}
    assert told(workflow("true"), workers)[0] == "⇉ p#1 opened 2 branches: law, style"
    assert told(workflow("false"), workers)[0] == "⇉ p#1 opened 1 branch: law"
    empty = workflow_of(MapStep(step_id="m", over="data.items", body="x", on_success="end"), step("x"), step("end"))
    lines = told(empty, workers, {"items": []})
    assert lines[:2] == ["⇉ m#1 opened 0 branches", "1 ✓ m#1 joined: no branches → end"]


def test_of_many_items_the_first_are_told_then_failures_and_progress():
    def x(item):
        if item == 150:
            raise OSError("unlucky")
        return item

    workflow = workflow_of(
        MapStep(step_id="m", over="data.items", body="x", on_success="end", failure="continue"), step("x"), step("end")
    )
    lines = told(workflow, {"x": x, "end": len}, {"items": list(range(200))})
    assert len(lines) < 70
    assert lines[:2] == ["⇉ m#1 opened 200 branches", "told: the first 20, failures and progress"]
    assert sum("✓ m#1[" in line for line in lines) == 20
    assert any("✗ m#1[150]/x#1" in line for line in lines)
    assert "m#1: 100 of 200 branches ended" in lines
    assert "m#1: 200 of 200 branches ended, 1 failed" in lines
    assert any("joined: 199 completed, 1 failed" in line for line in lines)


def test_losers_are_told_as_stopped():
    begun, stop = threading.Event(), threading.Event()

    def fast(_):
        assert begun.wait(5)
        return "won"

    def slow(_):
        begun.set()
        stop.wait(5)

    workflow = workflow_of(
        ParallelStep(step_id="p", branches={"fast": "x", "slow": "y", "late": "y"}, join="any", max_concurrency=2, on_success="end"),
        step("x"), step("y"), step("end"),
    )  # fmt: skip
    lines = numbers_apart(told(workflow, {"x": fast, "y": slow, "end": same}))
    stop.set()
    assert "■ p#1[slow]/y#1 [y]" in lines
    assert "BranchCancelled: cancelled: the join of p#1 was reached, 1 of 3 branches had completed" in lines
    assert "✓ p#1 joined: 1 completed, 1 cancelled, 1 not started → end" in lines


def test_what_is_undone_is_told():
    workflow = workflow_of(step("charge", "ship", compensate="refund"), step("ship"), step("refund"))
    lines = told(workflow, {"charge": same, "ship": fails, "refund": same})
    assert "3 ✓ [undo]/refund#1 [refund] undoing charge#1" in lines


def test_a_spawned_workflow_is_told_from_its_making_to_its_end():
    made = workflow_of(step("x", "y"), step("y"), name="made")
    workflow = workflow_of(step("plan", "end"), step("end"))
    lines = told(workflow, {"plan": lambda x: Spawn(made), "x": same, "y": same, "end": same})
    assert lines[0] == "1 ✓ plan#1 [plan] spawned workflow made, 2 steps"
    assert "2 ✓ plan#1[spawn]/x#1 [x] → y" in lines
    assert "4 ✓ plan#1 attempt 2 the workflow it spawned: completed → end" in lines


def test_items_that_a_worker_adds_are_told():
    def x(item, context):
        if item == 1:
            context.add_item(7)
        return item

    workflow = workflow_of(
        MapStep(step_id="m", over="data.items", body="x", on_success="end", max_concurrency=1), step("x"), step("end")
    )
    lines = told(workflow, {"x": x, "end": same}, {"items": [1]})
    assert "1 ✓ m#1[0]/x#1 [x] added 1 item" in lines
    assert "2 ✓ m#1[0.0]/x#1 [x]" in lines


def test_an_approval_is_told_with_what_is_shown_and_how_to_answer():
    workflow = workflow_of(
        ApprovalStep(step_id="sign", prompt="Send it?", timeout_s=60, on_success="end", on_failure="end"), step("end")
    )

    def approve(run):
        run.approve("yes")
        run.run()

    assert told(workflow, {"end": same}, drive=approve) == [
        "… sign#1 waits for approval, for 1 min at most: Send it? → run.approve() or run.reject('why')",
        "input: g",
        "→ sign#1 approved",
        "1 ✓ sign#1 approved → end",
        "yes",
        "2 ✓ end#1 [end]",
        "yes",
        "completed after 2 attempts in",
    ]

    def reject(run):
        run.reject("too dear")
        run.run()

    lines = told(workflow, {"end": str}, drive=reject)
    assert lines[2:5] == [
        "→ sign#1 rejected: too dear",
        "1 ✗ sign#1 rejected → end",
        "ApprovalRejected: sign#1 was rejected: too dear",
    ]

    def oversleep(run):
        run.clock.advance(61)
        run.run()

    lines = told(workflow, {"end": str}, drive=oversleep)
    assert lines[2:4] == ["→ sign#1 timed out", "1 ✗ sign#1 timed out → end"]


def test_an_approval_in_a_branch_says_which_request_to_answer():
    inner = workflow_of(ApprovalStep(step_id="sign", prompt="This one?", is_terminal=True), name="inner")
    workflow = workflow_of(MapStep(step_id="m", over="data.items", body=inner, on_success="end"), step("end"))
    lines = told(workflow, {"end": same}, {"items": [1, 2]})
    how = "run.approve(..., request='m#1[1]/sign#1') or run.reject('why', request='m#1[1]/sign#1')"
    assert f"… m#1[1]/sign#1 waits for approval: This one? → {how}" in lines


def test_events_and_times_are_told():
    workflow = workflow_of(
        WaitStep(step_id="rest", for_s=90, on_success="paid"),
        WaitStep(step_id="paid", event="payment", on_success="again"),
        WaitStep(step_id="again", event="payment", is_terminal=True),
    )

    def pay(run):
        run.send("payment", 1)
        run.run()
        run.send("payment", 2)
        run.run()

    lines = told(workflow, {}, drive=pay)
    assert lines[:4] == ["… rest#1 waits 1 min 30 s", "1 ✓ rest#1 waited → paid", "g", "… paid#1 waits for event payment → run.send('payment', ...)"]  # fmt: skip
    assert lines[4:6] == ["→ paid#1 the event came", "2 ✓ paid#1 the event came → again"]


def test_a_sub_workflow_is_one_step_of_its_parent():
    file = io.StringIO()
    workflow = workflow_of(SubworkflowStep(step_id="ship", workflow="shipping", is_terminal=True))
    hub = hub_of(workflow_of(step("x"), name="shipping"), {"x": same}, clock=FakeClock())
    hub.register_workflow(workflow)
    account = Account(workflow, Console(file=file, force_jupyter=False, soft_wrap=True))
    hub.start("flow", "g", observers=[account]).run()
    assert "   1 ✓ ship#1" in file.getvalue()


def test_limits_and_events_that_nobody_waits_for_are_told():
    account, file = account_of()
    account(LimitReached("budget max_cost_usd", ": $3.00 of $2.50", "wrap_up", 1.0))
    account(LimitReached("max_steps", " before a#1: 5 attempts", None, 1.0))
    account(EventReceived("payment", 1, 1.0))
    assert file.getvalue().splitlines() == [
        "     limit budget max_cost_usd reached: $3.00 of $2.50; the run goes to wrap_up",
        "     limit max_steps reached before a#1: 5 attempts; what was done is undone",
        "     event payment came; nobody waits for it yet",
    ]


def finished(path, **fields):
    scope, _, visit = path.rpartition("/")
    name, _, number = visit.partition("#")
    plain = {
        "seq": 1, "scope": f"{scope}/" if scope else "", "step": name, "visit": int(number), "attempt": 1, "worker": "w",
        "worker_type": "t", "input": None, "output": None, "error": None, "started_at": 0.0, "duration_s": 0.0,
        "next_step": None, "retry_in_s": None, "changes": None, "evaluated": (), "usage": None,
    }  # fmt: skip
    return AttemptFinished(**{**plain, **fields})


def started(path):
    return AttemptStarted(path, "x", 1, 1, "w", None, 0.0)


def test_on_a_terminal_the_progress_line_counts_what_is_under_way():
    account, file = account_of(force_terminal=True, legacy_windows=False)
    account(BranchesOpened("m#1", ("a", "b"), None, (), 0.0))
    account(started("m#1[a]/x#1"))
    assert str(account._status.status) == "m#1[a]/x#1 → w"
    account(started("m#1[b]/x#1"))
    assert str(account._status.status) == "m#1[b]/x#1 → w and 1 more"
    account(finished("m#1[b]/x#1"))
    assert str(account._status.status) == "m#1[a]/x#1 → w"
    account(finished("m#1[a]/x#1"))
    assert account._status is None
    account(started("m#1"))
    account(RunFinished("r", "cancelled", "lunch", 1.0, 2))
    assert account._status is None
    assert file.getvalue().rindex("\x1b[?25h") > file.getvalue().rindex("\x1b[?25l"), "the cursor is shown again"


def test_waits_and_answers_of_branches_that_are_left_out_are_too():
    account, file = account_of()
    account(BranchesOpened("m#1", None, list(range(50)), (), 0.0))
    for key in range(50):
        account(WaitStarted(f"m#1[{key}]/sign#1", "approval", "hash", {}, 0.0, None))
    account(BranchesOpened("m#1[49]/p#1", ("a",), None, (), 0.0))
    account(Answered("m#1[49]/sign#1", "approved", 1, None, "hash", 1.0))
    assert len(file.getvalue().splitlines()) == 2 + 20


@pytest.mark.parametrize("payload", PAYLOADS)
def test_hostile_text_stays_text(payload):
    account, file = account_of()
    account(BranchesOpened(f"{payload}#1", (payload,), None, (), 0.0))
    account(WaitStarted("a#1", "approval", "hash", {payload: payload}, 0.0, 9.0))
    account(WaitStarted("a#1", "event", "hash", {}, 0.0, None))
    account(Answered("a#1", "rejected", payload, payload, "hash", 1.0))
    account(EventReceived(payload, payload, 1.0))
    account(LimitReached(payload, payload, payload, 1.0))
    for detail in (
        {"undoes": payload, "answer": payload, "added": [payload], "branches": {payload: payload}},
        {"branches": {"spawn": payload}},
        {"spawn": {"workflow": {"name": payload, "steps": {}}}},
    ):
        account(finished("a#1", detail=detail))
    left = file.getvalue()
    assert all(char.isprintable() or char == "\n" for char in left)
    assert max(map(len, left.splitlines())) < 700


def test_branches_on_threads_may_tell_at_the_same_time():
    account, file = account_of()
    account(BranchesOpened("m#1", None, list(range(20)), (), 0.0))

    def tell(key):
        for visit in range(1, 21):
            account(finished(f"m#1[{key}]/x#{visit}", next_step="x"))

    threads = [threading.Thread(target=tell, args=(key,)) for key in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    lines = file.getvalue().splitlines()[1:]
    assert len(lines) == 2 * 400
    assert all(("✓" in line) == (at % 2 == 0) for at, line in enumerate(lines))
