"""A person who is asked right here."""

from __future__ import annotations

import io
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Literal

import pytest
from pydantic import BaseModel

from orchestration_kit import Orchestrator, WorkerDefinition
from orchestration_kit.engine.context import WorkflowContext
from orchestration_kit.errors import InvalidWorker
from orchestration_kit.workers.adapt import worker_from
from orchestration_kit.workers.person import NobodyToAsk, NoUsableAnswer, Person, person
from tests.support import step, workflow_of


class Desk:
    """Types answers in turn, and keeps what was shown."""

    def __init__(self, *answers: str) -> None:
        self.answers, self.shown = list(answers), []

    def __call__(self, shown: str) -> str:
        self.shown.append(shown)
        return self.answers.pop(0)


def ask(desk: Desk, schema: object = str, given: object = None, **options: object) -> object:
    return person(Person("Well?", schema), ask=desk, **options)(given, WorkflowContext("try", "Ask"))


class Refund(BaseModel):
    amount: float
    why: str


@pytest.mark.parametrize(
    ("schema", "typed", "value"),
    [
        (str, " as it is ", " as it is "),
        (int, " 3 ", 3),
        (float, "2.5", 2.5),
        (bool, "yes", True),
        (bool, "n", False),
        (Literal["a", "b"], "b", "b"),
        (list[int], "[1, 2]", [1, 2]),
        (Refund, '{"amount": 3, "why": "late"}', Refund(amount=3, why="late")),
        ({"type": "integer"}, "3", 3),
        ({"type": "string"}, "12", "12"),
        ({"enum": ["yes", "no"]}, "no", "no"),
        ({"type": "object"}, '{"a": [1]}', {"a": [1]}),
    ],
)
def test_an_answer_becomes_what_was_asked_for(schema, typed, value):
    assert ask(Desk(typed), schema) == value


@pytest.mark.parametrize(
    ("schema", "wrong", "right", "why"),
    [
        (int, "many", "3", "valid integer"),
        (Refund, '{"amount": "x", "why": "y"}', '{"amount": 1, "why": "y"}', "amount: Input should be a valid number"),
        (Literal["a", "b"], "c", "a", "'a' or 'b'"),
        ({"type": "integer", "minimum": 1}, "0", "1", "minimum"),
        ({"type": "integer"}, "[" * 100_000, "1", ""),
    ],
)
def test_one_who_answers_wrong_is_told_why_and_asked_again(schema, wrong, right, why):
    desk = Desk(wrong, right)
    ask(desk, schema)
    assert "That does not fit" not in desk.shown[0]
    assert why in desk.shown[1].partition("That does not fit: ")[2]


def test_after_so_many_answers_the_attempt_fails():
    with pytest.raises(NoUsableAnswer, match="3 answers were given, and none fits; the last: .*valid integer"):
        ask(Desk("a", "b", "c"), int, tries=3)


def test_what_was_given_is_shown_readably_and_cannot_steer_the_terminal():
    desk = Desk("ok")
    ask(desk, given={"text": "a\x1b[2J\u202eb", "n": 1})
    assert "Well?" in desk.shown[0]
    assert '  |   "n": 1' in desk.shown[0]
    ask(escaped := Desk("ok"), given="one\ntwo\x1b[2J\x07\r\u202e\ud800")
    assert "  | one\n  | two\\x1b[2J\\x07" in escaped.shown[0]
    for shown in (*desk.shown, *escaped.shown):
        assert all(one == "\n" or one.isprintable() for one in shown)


def test_a_table_and_a_long_text_are_shown_in_part():
    import pandas as pd

    ask(desk := Desk("ok"), given=pd.DataFrame({"a": range(1_000)}))
    assert "49" in desk.shown[0]
    assert "500" not in desk.shown[0]
    ask(desk := Desk("ok"), given="x" * 100_000)
    assert "100,000 characters" in desk.shown[0]
    assert len(desk.shown[0]) < 5_000


def run_with(worker: WorkerDefinition, **fields: object):
    hub = Orchestrator()
    hub.register_worker(worker)
    hub.register_workflow(workflow_of(step("sign", worker_type="generic", **fields)))
    return hub.execute_workflow("flow", "goal", verbose=False)


def test_in_a_run_the_answer_is_the_output_and_a_retry_says_what_was_wrong():
    desk = Desk("2", "12")
    worker = worker_from(Person("How many?", int), ask=desk)
    context = run_with(worker, success_when="output > 10", max_retries=1)
    assert context.data["sign_output"] == 12
    assert "sign: How many?" in desk.shown[0]
    assert "Last time: success_when was false: output > 10" in desk.shown[1]


def test_without_a_keyboard_the_error_names_the_approval_step_and_is_final(monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO(""))
    context = run_with(worker_from(Person("Sign?")), max_retries=3)
    assert [entry["error_type"] for entry in context.history] == ["NobodyToAsk"]
    assert "ApprovalStep(step_id='...', prompt='...'" in context.error


@pytest.mark.parametrize("error", [EOFError(), OSError("captured"), NotImplementedError(), RuntimeError("lost")])
def test_every_way_of_having_no_keyboard_is_one_error(error):
    def raises(_: str) -> str:
        raise error

    with pytest.raises(NobodyToAsk):
        person(Person("Sign?"), ask=raises)(None, WorkflowContext("try", "Ask"))


def test_in_a_terminal_it_reads_a_line():
    script = (
        "from orchestration_kit import Orchestrator, create_generic_pipeline\n"
        "from orchestration_kit.workers.adapt import worker_from\n"
        "from orchestration_kit.workers.person import Person\n"
        "hub = Orchestrator()\n"
        "hub.register_worker(worker_from(Person('How many?', int)))\n"
        "hub.register_workflow(create_generic_pipeline([('count', 'generic', '')]))\n"
        "print(hub.execute_workflow('count', 'apples', verbose=False).data['count_output'] + 1)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        input="some\n41\n",
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
    )
    assert done.stdout.splitlines()[-1].endswith("42")
    assert "  | apples" in done.stdout


@pytest.mark.parametrize(
    ("who", "part"),
    [(Person(" "), "no question"), (Person("x", 3), "no type"), (Person("x", {"type": "nonsense"}), "no JSON Schema")],
)
def test_a_question_that_is_none_is_refused_at_once(who, part):
    with pytest.raises(InvalidWorker, match=part):
        worker_from(who)


@pytest.mark.parametrize("error", [NobodyToAsk("why"), NoUsableAnswer(3, "why")])
def test_errors_survive_pickling(error):
    assert str(pickle.loads(pickle.dumps(error))) == str(error)


def test_in_a_notebook_the_cell_asks_and_without_an_input_box_it_says_so():
    from jupyter_client.manager import start_new_kernel

    code = (
        "from orchestration_kit import Orchestrator, create_generic_pipeline\n"
        "from orchestration_kit.workers.adapt import worker_from\n"
        "from orchestration_kit.workers.person import Person\n"
        "hub = Orchestrator()\n"
        "hub.register_worker(worker_from(Person('How many?', int)))\n"
        "hub.register_workflow(create_generic_pipeline([('count', 'generic', '')]))\n"
        "context = hub.execute_workflow('count', 'apples', verbose=False)\n"
        "print(context.history[-1]['output'] == 41, context.history[-1]['error_type'])\n"
    )
    printed, asked, answers = [], [], ["some", "41"]

    def hear(message):
        if message["msg_type"] == "stream":
            printed.append(message["content"]["text"])

    def answer(message):
        asked.append(message["content"]["prompt"])
        client.input(answers.pop(0))

    manager, client = start_new_kernel(cwd=str(Path(__file__).parents[2]))
    try:
        run = client.execute_interactive(code, output_hook=hear, stdin_hook=answer, timeout=60)
        assert run["content"]["status"] == "ok"
        assert "  | apples" in asked[0]
        assert "That does not fit" in asked[1]
        client.execute_interactive(code, output_hook=hear, allow_stdin=False, timeout=60)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    assert "".join(printed).split() == ["True", "None", "False", "NobodyToAsk"]


@pytest.mark.parametrize("given", [b"\xff\x00", {"half": "of \ud83d"}, {"bytes": b"\xff"}])
def test_what_is_no_unicode_is_shown_all_the_same(given):
    desk = Desk("fine")
    assert ask(desk, given=given) == "fine"
    assert "\\xff" in desk.shown[0] or "\\ud83d" in desk.shown[0]


def test_what_contains_itself_is_shown_all_the_same():
    given: dict[str, object] = {"shelf": "B"}
    given["again"] = given
    desk = Desk("fine")
    assert ask(desk, given=given) == "fine"
    assert "shelf" in desk.shown[0]
