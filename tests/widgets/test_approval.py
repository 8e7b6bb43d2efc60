"""An approval box shows exactly what is asked, takes one answer for exactly that, and explains every other one."""

from __future__ import annotations

import json

from orchestration_kit import (
    ApprovalBox,
    ApprovalStep,
    Branch,
    SQLiteJournal,
)
from orchestration_kit.widgets.approval_questions import MOST_TEXT
from tests.hostile import PAYLOADS
from tests.support import hub_of, step, workflow_of
from tests.widgets.hands import ByHand, click

SCHEMA = {"type": "object", "properties": {"amount": {"type": "number", "maximum": 500}}, "required": ["amount"]}
ECHO = {name: (lambda given: given) for name in ("look", "pay", "explain", "done", "refused")}


def sign(**fields):
    return ApprovalStep(
        step_id="sign", **{"prompt": "Send it back?", "on_success": "pay", "on_failure": "explain", **fields}
    )


def a_hub(ask=None, journal=None, **workers):
    workflow = workflow_of(
        step("look", "sign", description="Looks at it"),
        ask or sign(),
        step("pay", "done", description="Sends the money"),
        step("explain", "refused"),
        step("done"),
        step("refused", outcome="failed"),
    )
    return hub_of(workflow, {**ECHO, **workers}, journal=journal)


def waiting(hub, run_id="r", **options):
    run = hub.start("flow", "the cup is broken", run_id=run_id, **options)
    run.run()
    return run


def a_box(source, **options):
    return ApprovalBox(source, ticker=ByHand(), **options)


def key_in(box, at=0):
    return box.questions[at]["key"]


def said(box):
    return box.notice.get("text", "")


# --- what is shown


def test_it_shows_what_is_asked_of_whom_and_until_when():
    run = waiting(a_hub(sign(description="A person decides", timeout_s=60.0)))
    (question,) = a_box(run).questions
    assert (question["run"], question["workflow"], question["path"]) == ("r", "flow", "sign#1")
    assert (question["prompt"], question["about"]) == ("Send it back?", "A person decides")
    assert question["hash"] == run.waiting[0].hash
    assert question["deadline"] == question["asked_at"] + 60.0


def test_it_shows_the_data_that_the_answer_is_bound_to():
    hub = a_hub(sign(show=("data.claim", "data.letter", "data.items")))
    data = {"claim": {"amount": 20.5, "paid": None}, "letter": "Dear shop,\nit broke.", "items": [{"id": 1}, {"id": 2}]}
    (question,) = a_box(waiting(hub, initial_data=data)).questions
    claim, letter, items = question["shown"]
    assert claim["fields"] == [["amount", "20.5"], ["paid", "null"]]
    assert (letter["kind"], letter["text"]) == ("text", "Dear shop,\nit broke.")
    assert json.loads(items["text"]) == [{"id": 1}, {"id": 2}]


def test_what_does_not_print_is_seen():
    hub = a_hub(sign(prompt="Pay \u202e001\u202c Euro?\x07", show=("data.to",)))
    (question,) = a_box(waiting(hub, initial_data={"to": "a\u200bb@example.org"})).questions
    assert question["prompt"] == "Pay \\u202e001\\u202c Euro?\\x07"
    assert question["shown"][0]["text"] == "a\\u200bb@example.org"


def test_of_a_long_value_it_says_how_much_is_not_shown():
    hub = a_hub(sign(show=("data.letter",)))
    (question,) = a_box(waiting(hub, initial_data={"letter": "x" * (MOST_TEXT + 5)})).questions
    assert (len(question["shown"][0]["text"]), question["shown"][0]["cut"]) == (MOST_TEXT, 5)


def test_it_says_what_follows_on_each_answer():
    (question,) = a_box(waiting(a_hub(sign(timeout_s=9.0, on_timeout="explain")))).questions
    ways = question["ways"]
    assert [one["step"] for one in ways["approve"][0]["steps"]] == ["pay", "done"]
    assert ways["approve"][0]["steps"][0]["about"] == "Sends the money (pay)"
    assert ways["approve"][0]["end"] == "the run ends: completed"
    assert ([one["step"] for one in ways["reject"][0]["steps"]], ways["reject"][0]["end"]) == (
        ["explain", "refused"],
        "the run ends: failed",
    )
    assert [one["step"] for one in ways["timeout"][0]["steps"]] == ["explain", "refused"]


def test_ways_with_conditions_are_told_with_them():
    branches = (Branch(when="output.amount > 100", to="look", label=""), Branch(when="true", to="done", label="small"))
    (question,) = a_box(waiting(a_hub(sign(branches=branches)))).questions
    assert [way["when"] for way in question["ways"]["approve"]] == ["output.amount > 100", "small", "otherwise"]
    loop = question["ways"]["approve"][0]
    assert ([one["step"] for one in loop["steps"]], loop["end"]) == (
        ["look", "sign"],
        "then it depends on what comes out",
    )


def test_without_a_way_for_a_no_the_run_fails_and_what_was_done_is_undone():
    workflow = workflow_of(
        step("look", "sign", compensate="undo"),
        sign(on_failure=None, on_success="done"),
        step("done"),
        step("undo", is_terminal=False),
    )
    hub = hub_of(workflow, {**ECHO, "undo": lambda given: given})
    (question,) = a_box(waiting(hub)).questions
    assert question["ways"]["reject"][0]["end"] == "the run fails, and what was done at look is undone"


def test_every_message_can_be_sent_whatever_the_texts():
    for at in range(0, len(PAYLOADS), 30):
        some = PAYLOADS[at : at + 30]
        schema = {"type": "object", "properties": {text[:50]: {"title": text} for text in some}}
        safe = json.loads(json.dumps(schema).encode("utf-8", "replace").decode())
        hub = a_hub(
            sign(prompt=" ".join(some).encode("utf-8", "replace").decode()[:9_000], schema=safe, show=("data.texts",))
        )
        run = waiting(hub, run_id=some[0].strip() or "r", initial_data={"texts": list(some)})
        (question,) = a_box(run).questions
        assert json.dumps(question, ensure_ascii=False).encode("utf-8")


# --- answers


def test_a_yes_lets_the_run_go_on():
    run = waiting(a_hub())
    box = a_box(run)
    click(box, "approve", key=key_in(box), go_on=True)
    assert run.wait(10).state == "completed"
    assert run.context.data["sign_output"] is True
    assert said(box) == "Approved: sign#1 of run 'r'. The run goes on."


def test_a_yes_alone_is_put_on_record_and_says_how_to_go_on():
    run = waiting(a_hub())
    box = a_box(run)
    click(box, "approve", key=key_in(box))
    assert run.state == "in_progress"
    assert "run.run()" in said(box)
    assert box.questions == []
    assert run.run().state == "completed"


def test_a_no_takes_the_failure_path_with_its_reason():
    run = waiting(a_hub())
    box = a_box(run)
    click(box, "reject", key=key_in(box), reason=" too dear ", go_on=True)
    assert run.wait(10).state == "failed"
    assert run.history[1]["error"].endswith("too dear")


def test_a_no_needs_a_reason():
    run = waiting(a_hub())
    box = a_box(run)
    click(box, "reject", key=key_in(box), reason="  ")
    assert box.notice["level"] == "error"
    assert "Say why" in said(box)
    assert (run.state, len(box.questions)) == ("waiting", 1)


def test_a_value_that_does_not_fit_is_told_at_its_place():
    run = waiting(a_hub(sign(schema=SCHEMA)))
    box = a_box(run)
    click(box, "approve", key=key_in(box), value={"amount": 900})
    assert box.problems == {"key": key_in(box), "at": {"/amount": "900 is greater than the maximum of 500"}}
    assert run.state == "waiting"
    click(box, "approve", key=key_in(box), value={"amount": 9}, go_on=True)
    assert run.wait(10).data["sign_output"] == {"amount": 9}


def test_a_second_click_is_harmless():
    run = waiting(a_hub())
    box = a_box(run)
    key = key_in(box)
    click(box, "approve", key=key, go_on=True)
    run.wait(10)
    click(box, "approve", key=key, go_on=True)
    assert "was approved already" in said(box)
    click(box, "reject", key=key, reason="no")
    assert run.state == "completed"


def test_what_was_answered_elsewhere_goes_away_and_is_explained():
    run = waiting(a_hub())
    box = a_box(run)
    run.reject("not today")
    box.refresh()
    assert box.questions == []
    assert said(box) == "sign#1 of run 'r' was rejected already."
    assert box.about == "Run 'r' asks nothing now: it is in progress."


def test_a_run_that_is_cancelled_asks_nothing_any_more():
    run = waiting(a_hub())
    box = a_box(run)
    run.cancel("never mind")
    box.refresh()
    assert box.questions == []
    assert "the run is cancelled" in said(box)


def test_a_time_that_is_up_is_explained():
    from orchestration_kit.testing import FakeClock

    clock = FakeClock()
    hub = a_hub(sign(timeout_s=60.0))
    hub.clock = clock
    run = waiting(hub)
    box = a_box(run)
    clock.advance(61)
    click(box, "approve", key=key_in(box))
    assert box.notice["level"] == "error"
    assert "the time for sign#1 is up" in said(box)


def test_a_question_that_changed_meanwhile_is_refused_and_the_new_one_shown(tmp_path):
    with SQLiteJournal(tmp_path / "runs.db") as journal:
        waiting(a_hub(sign(prompt="Send 20 Euro?"), journal=journal))
        hub = a_hub(sign(prompt="Send 2,000 Euro?"), journal=journal)
        box = a_box(a_hub(sign(prompt="Send 20 Euro?"), journal=journal))
        old = key_in(box)
        click(box, "approve", key=old)
        assert hub.get_run("r").run().state == "waiting"  # what would happen is another thing now
        box = a_box(hub)
        assert [(one["prompt"], one["bar"]) for one in box.questions] == [("Send 2,000 Euro?", "")]
        click(box, "reject", key=old, reason="too late")
        assert "Nothing was changed" in said(box)
        click(box, "approve", key=key_in(box), go_on=True)
        assert hub.get_run("r").wait(10).state == "completed"


def test_words_that_the_run_does_not_use_cannot_be_approved(tmp_path):
    with SQLiteJournal(tmp_path / "runs.db") as journal:
        waiting(a_hub(sign(prompt="Send 20 Euro?"), journal=journal)).approve()
        a_hub(sign(prompt="Send 2,000 Euro?"), journal=journal).get_run("r").run()
        box = a_box(a_hub(sign(prompt="Send 20 Euro?"), journal=journal))  # a kernel with the workflow of yesterday
        assert "another version of its workflow" in box.questions[0]["bar"]
        click(box, "approve", key=key_in(box))
        assert box.notice["level"] == "error"
        assert journal.find_run("r").standing.state == "waiting"


def test_a_key_that_was_made_up_answers_nothing():
    run = waiting(a_hub())
    box = a_box(run)
    click(box, "approve", key="0" * 24)
    assert "not asked any more" in said(box)
    click(box, "approve", key={"a": 1})
    assert run.state == "waiting"


def test_going_on_without_workers_says_that_the_answer_is_on_record(tmp_path):
    with SQLiteJournal(tmp_path / "runs.db") as journal:
        waiting(a_hub(journal=journal))
        other = hub_of(workflow_of(step("a")), {"a": str}, journal=journal)
        box = a_box(other)
        click(box, "approve", key=key_in(box), go_on=True)
        assert box.notice["level"] == "error"
        assert "It is on record, but the run cannot go on here" in said(box)
        assert a_hub(journal=journal).resume("r", verbose=False).state == "completed"
