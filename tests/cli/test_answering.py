"""`runs approve`, `reject`, `send`: an answer is bound to the question that is open, and nothing else is done."""

from __future__ import annotations

import json
import time

import pytest

from orchestration_kit.cli import main
from orchestration_kit.testing import FakeClock


def asked(capsys, run_id):
    assert main(["runs", "waiting", run_id, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_an_approval_is_put_on_record_without_any_worker(asking, capsys):
    assert main(["runs", "approve", "offer"]) == 0
    assert capsys.readouterr().out == (
        "Approved: sign#1 of run offer: Send the offer?\n"
        "  output.amount: 120\n"
        "  goal: 'for offer'\n"
        "  value: true\n"
        "It is on record. The run goes on with: orchestration-kit runs resume offer --hub ...\n"
    )
    assert asked(capsys, "offer") == []
    assert main(["runs", "show", "offer"]) == 0
    assert "approved; it goes on when the run is resumed" in capsys.readouterr().out
    assert main(["runs", "approve", "offer"]) == 1
    assert "Run offer: it waits for no approval" in capsys.readouterr().err


def test_with_a_hub_the_run_goes_on_at_once_and_code_3_says_that_it_waits_again(asking, capsys):
    assert main(["runs", "approve", "offer", "--value", "7", "--hub", "asking_flow:hub"]) == 3
    text = capsys.readouterr().out
    assert "value: 7" in text
    assert "order: run offer goes on" in text
    assert "It waits for an answer: `orchestration-kit runs waiting offer`" in text
    assert main(["runs", "send", "offer", "paid", "--payload", '"noon"', "--hub", "asking_flow:hub"]) == 0
    text = capsys.readouterr().out
    assert "Sent paid to paid#1 of run offer." in text
    assert "shipped at noon" in text


def test_a_rejection_takes_the_way_of_a_failure(asking, capsys):
    assert main(["runs", "reject", "offer", "--reason", "too dear", "--hub", "asking_flow:hub"]) == 1
    text = capsys.readouterr().out
    assert "Rejected: sign#1 of run offer" in text
    assert "sign#1 was rejected: too dear" in text


def test_a_sub_workflow_is_answered_through_its_parent_which_goes_on(asking, capsys):
    assert main(["runs", "send", "shop", "paid", "--payload", "1"]) == 1  # only its sub-workflow knows such an event
    assert "no step waits for the event 'paid'" in capsys.readouterr().err
    assert main(["runs", "approve", "shop"]) == 0
    text = capsys.readouterr().out
    assert "Approved: sign#1 of run shop/order#1" in text
    assert "runs resume shop --hub" in text
    assert main(["runs", "resume", "shop", "--hub", "asking_flow:hub"]) == 3
    assert main(["runs", "send", "shop/order#1", "paid", "--payload", "1", "--hub", "asking_flow:hub"]) == 0
    assert "shop: run shop goes on" in capsys.readouterr().out
    assert main(["runs", "list", "--state", "completed", "--json"]) == 0
    assert {run["run_id"] for run in json.loads(capsys.readouterr().out)} == {"shop", "shop/order#1"}


def test_where_two_are_open_it_has_to_be_said_which(asking, capsys):
    law, style = asked(capsys, "many")
    assert main(["runs", "approve", "many"]) == 1
    said = capsys.readouterr().err
    assert "Run many: 2 approvals are open. Say which, with --request: both#1[law]/law#1" in said
    assert main(["runs", "approve", "many", "--request", "both#1[style]/style#1", "--value", "false"]) == 0
    assert main(["runs", "approve", "many", "--request", law["hash"][:12], "--value", '{"ok": true}']) == 0
    assert main(["runs", "approve", "many", "--request", style["hash"]]) == 1
    assert "it waits for no approval" in capsys.readouterr().err
    assert main(["runs", "resume", "many", "--hub", "asking_flow:hub"]) == 0
    capsys.readouterr()
    assert main(["runs", "show", "many", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["data"]["both_output"] == {"law": {"ok": True}, "style": False}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["approve", "many", "--request", "both#1[law]/law#1"], "True is not of type 'object'"),
        (
            ["approve", "many", "--request", "abcdef123456"],
            "no approval 'abcdef123456' is open. These are: both#1[law]",
        ),
        (["approve", "many", "--request", ""], "no approval '' is open"),
        (["approve", "nobody"], "No run 'nobody' is on record"),
        (["approve", "coded"], "holds Python callables, which are not on record. Say where it is: --hub"),
        (["send", "offer", "payed"], "no step waits for the event 'payed'. Its events: paid. Did you mean 'paid'?"),
    ],
)
def test_an_answer_that_does_not_fit_changes_nothing(asking, capsys, arguments, said):
    before = (asking / "runs.db").read_bytes()
    assert main(["runs", *arguments]) == 1
    assert said in capsys.readouterr().err
    assert main(["runs", "list", "--state", "waiting", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)) == 5
    assert main(["runs", "waiting", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)) == 5
    assert before[:16] == b"SQLite format 3\x00"


def test_a_workflow_in_code_is_answered_through_its_hub(asking, capsys):
    assert main(["runs", "approve", "coded", "--hub", "asking_flow:hub"]) == 0
    assert "Approved: sign#1 of run coded: Really?" in capsys.readouterr().out


def test_an_event_that_nothing_waits_for_yet_is_kept(asking, capsys):
    assert main(["runs", "send", "offer", "paid", "--payload", '"noon"']) == 0
    assert "no step waits for it yet, so it is kept" in capsys.readouterr().out
    assert main(["runs", "show", "offer"]) == 0
    assert "the event paid came" in capsys.readouterr().out
    assert main(["runs", "approve", "offer", "--hub", "asking_flow:hub"]) == 0
    assert "shipped at noon" in capsys.readouterr().out


def test_what_has_timed_out_cannot_be_approved_any_more(asking, capsys):
    import asking_flow

    hub = asking_flow.hub("runs.db")
    hub.clock = FakeClock(time.time() - 7_200)
    with hub.journal:
        hub.start("order", "too late", run_id="late").run()
    assert main(["runs", "approve", "late"]) == 1
    assert "the time for sign#1 is up" in capsys.readouterr().err
    assert main(["runs", "resume", "late", "--hub", "asking_flow:hub"]) == 1
    assert "waited 3600 s for an approval, which did not come" in capsys.readouterr().out


def test_a_reason_is_needed_to_reject(asking, capsys):
    with pytest.raises(SystemExit) as raised:
        main(["runs", "reject", "offer"])
    assert raised.value.code == 2
    assert "--reason" in capsys.readouterr().err


def test_a_hub_without_the_workers_is_refused_and_nothing_is_answered(asking, capsys):
    import asking_flow

    made = asking_flow.hub
    asking_flow.bare = lambda: type(made())()
    assert main(["runs", "approve", "offer", "--hub", "asking_flow:bare"]) == 1
    assert "Workflow not found: 'order'" in capsys.readouterr().err
    assert len(asked(capsys, "offer")) == 1
