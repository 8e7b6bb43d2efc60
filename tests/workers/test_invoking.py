"""Real runnables of langchain-core as workers."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest
from langchain_core.language_models import GenericFakeChatModel
from langchain_core.messages import AIMessage
from langchain_core.output_parsers import JsonOutputParser, StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import RunnableLambda
from pydantic import BaseModel

from orchestration_kit import Orchestrator, WorkerDefinition, usage_frame
from orchestration_kit.engine.calls import bind_worker
from orchestration_kit.errors import InvalidWorker
from orchestration_kit.workers.adapt import worker_from
from orchestration_kit.workers.invoking import invoking
from tests.support import step, workflow_of


def answer(content: Any, tokens: tuple[int, int] = (7, 3), **fields: Any) -> AIMessage:
    usage = {"input_tokens": tokens[0], "output_tokens": tokens[1], "total_tokens": sum(tokens)}
    return AIMessage(content, usage_metadata=usage, response_metadata={"model_name": "fake-1"}, **fields)


def model(*answers: Any) -> GenericFakeChatModel:
    return GenericFakeChatModel(messages=iter([one if isinstance(one, AIMessage) else answer(one) for one in answers]))


def run_with(worker: WorkerDefinition, given: object = "goal", **fields: Any) -> Any:
    hub = Orchestrator()
    hub.register_worker(WorkerDefinition(worker_type="give", name="give", executor=lambda _: given))
    hub.register_worker(worker)
    hub.register_workflow(workflow_of(step("give", "work"), step("work", worker_type="generic", **fields)))
    return hub.execute_workflow("flow", "the goal", verbose=False)


def test_a_chat_model_gives_text_and_its_tokens_are_on_record():
    context = run_with(worker_from(model("Ahoy!"), prices_usd=(1.0, 10.0)))
    assert context.data["work_output"] == "Ahoy!"
    assert context.history[-1]["usage"] == {
        "input_tokens": 7,
        "output_tokens": 3,
        "cost_usd": pytest.approx(37e-6),
        "model": "fake-1",
    }


def test_tokens_of_every_model_within_a_chain_are_counted_once():
    chain = (
        ChatPromptTemplate([("user", "Say {word}")])
        | model("one")
        | StrOutputParser()
        | RunnableLambda(lambda text: f"again {text}")
        | model(answer("two", (10, 20)))
    )
    context = run_with(worker_from(chain), {"word": "ahoy"})
    assert context.data["work_output"] == "two"
    usage = usage_frame(context).iloc[-1]
    assert (usage["input_tokens"], usage["output_tokens"], usage["model"]) == (17, 23, "fake-1")


def test_tokens_of_a_failed_attempt_are_on_record():
    context = run_with(worker_from(model("no json") | JsonOutputParser()))
    assert not context.history[-1]["success"]
    assert context.history[-1]["usage"]["input_tokens"] == 7


class Recorder:
    """Has `invoke` as LangChain has it, and nothing else of it."""

    def __init__(self, *outputs: Any) -> None:
        self.outputs, self.given = list(outputs), []

    def invoke(self, input: Any) -> Any:
        self.given.append(input)
        return self.outputs.pop(0)


@pytest.mark.parametrize(
    ("given", "seen"),
    [
        ("Write", "Write\n\nYour last answer was not accepted. Why: too short"),
        ([("user", "Write")], [("user", "Write"), ("user", "Your last answer was not accepted. Why: too short")]),
        ({"topic": "sea"}, {"topic": "sea", "last_error": "too short"}),
        (
            {"messages": [("user", "Write")]},
            {"messages": [("user", "Write"), ("user", "Your last answer was not accepted. Why: too short")]},
        ),
        (7, 7),
    ],
)
def test_a_retry_is_told_what_was_wrong(given, seen):
    from orchestration_kit import Failure

    recorder = Recorder(Failure("too short"), "fine")
    assert run_with(worker_from(recorder), given, max_retries=1).data["work_output"] == "fine"
    assert recorder.given == [given, seen]


def test_a_retry_is_told_nothing_where_that_is_not_wanted():
    from orchestration_kit import Failure

    recorder = Recorder(Failure("too short"), "fine")
    run_with(worker_from(recorder, tell_errors=False), max_retries=1)
    assert recorder.given == ["goal", "goal"]


def test_blocks_become_text_and_calls_of_tools_plain_data():
    blocks = answer([{"type": "text", "text": "a"}, {"type": "image", "url": "x"}, {"type": "text", "text": "b"}])
    assert run_with(worker_from(Recorder(blocks))).data["work_output"] == "ab"
    calls = AIMessage("", tool_calls=[{"name": "add", "args": {"a": 1}, "id": "1"}])
    assert run_with(worker_from(Recorder(calls))).data["work_output"] == {
        "text": "",
        "tool_calls": [{"name": "add", "args": {"a": 1}, "id": "1"}],
    }


def test_a_state_of_messages_becomes_the_text_of_the_last():
    recorder = Recorder({"messages": [answer("first"), answer("last")]})
    context = run_with(worker_from(recorder, messages=True), "Hello")
    assert recorder.given == [{"messages": [("user", "Hello")]}]
    assert context.data["work_output"] == "last"
    assert context.history[-1]["usage"]["output_tokens"] == 3


def test_structured_output_and_prompts_pass():
    class Point(BaseModel):
        x: int

    assert run_with(worker_from(RunnableLambda(lambda _: Point(x=1)))).data["work_output"] == Point(x=1)
    filled = run_with(worker_from(ChatPromptTemplate([("user", "Say {word}")])), {"word": "ahoy"})
    assert filled.data["work_output"] == "Human: Say ahoy"


def test_raw_gives_what_it_returned():
    message = run_with(worker_from(model("Ahoy!"), raw=True)).data["work_output"]
    assert (type(message), message.content) == (AIMessage, "Ahoy!")


def test_a_cancelled_run_stops_it():
    begun, stopped = threading.Event(), threading.Event()

    async def hang(_: Any) -> str:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            stopped.set()
        return "never"

    hub = Orchestrator()
    hub.register_worker(worker_from(RunnableLambda(hang)))
    hub.register_workflow(workflow_of(step("work", worker_type="generic")))
    run = hub.start("flow", "goal")
    thread = threading.Thread(target=run.run)
    thread.start()
    assert begun.wait(20)
    run.cancel("enough")
    assert stopped.wait(20)
    thread.join(20)
    assert run.state == "cancelled"


def test_the_run_is_told_as_metadata():
    from langchain_core.runnables import RunnableConfig

    def look(_: Any, config: RunnableConfig) -> Any:
        return {key: config["metadata"][key] for key in config["metadata"] if key.startswith("orchestration_kit")}

    context = run_with(worker_from(RunnableLambda(look)))
    assert context.data["work_output"] == {
        "orchestration_kit_run": context.workflow_id,
        "orchestration_kit_path": "work#1",
    }


def test_the_name_is_its_own_or_its_models_or_its_class():
    assert worker_from(model("a")).name == "GenericFakeChatModel"
    assert worker_from(model("a").with_config(run_name="x") | StrOutputParser()).name == "RunnableSequence"
    assert worker_from(RunnableLambda(str.upper, name="shout")).name == "shout"


def test_another_prompt_is_another_worker():
    def fingerprint(text: str) -> str:
        return bind_worker(worker_from(ChatPromptTemplate([("user", text)]) | model("a"))).fingerprint

    assert fingerprint("Say {word}") == fingerprint("Say {word}") != fingerprint("Sing {word}")


@pytest.mark.parametrize("thing", [GenericFakeChatModel, object(), 3])
def test_what_cannot_be_invoked_is_refused(thing):
    with pytest.raises(InvalidWorker, match="invoke"):
        invoking(thing)
