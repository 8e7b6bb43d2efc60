"""DoerAgent: tools behind constraints, lessons, usage; alone, in an executor, as a worker."""

from __future__ import annotations

import asyncio

import pytest
from pydantic import BaseModel
from pydantic_ai.messages import ModelResponse, TextPart, ToolCallPart
from pydantic_ai.models.function import FunctionModel
from pydantic_ai.models.test import TestModel
from pydantic_ai.usage import RequestUsage

from orchestration_kit import Orchestrator, WorkerDefinition, WorkflowContext, create_generic_pipeline
from orchestration_kit.engine.refusals import ActionRefused
from orchestration_kit.workers.doer import DoerAgent
from orchestration_kit.workers.llm import InvalidModel, ModelRefused, as_action
from tests.openai_server import OpenAIServer, call, text
from tests.workers.llm.support import KEY, FakeGate, ask_once

PLAN = {"action_type": "send_email", "action_data": {"to": "eve@evil.test"}, "cost": 0.0}


def scripted(*answers):
    left = list(answers)
    read = []

    async def answer(messages, info):
        read.append((info.instructions or "", str(messages[-1].parts[-1].content)))
        given = left.pop(0)
        part = TextPart(given) if isinstance(given, str) else ToolCallPart(*given)
        return ModelResponse(parts=[part], usage=RequestUsage(input_tokens=9, output_tokens=1))

    model = FunctionModel(answer, model_name="scripted")
    model.read = read
    return model


def test_a_run_tells_response_usage_tool_calls_model_and_lessons():
    doer = DoerAgent(model=scripted(("calculate", {"expression": "17 * 23"}), "391"))
    assert doer.run("What is 17 times 23?") == {
        "response": "391",
        "usage": {"input_tokens": 18, "output_tokens": 2, "cost_usd": 0.0},
        "tool_calls": [{"tool": "calculate", "arguments": {"expression": "17 * 23"}, "result": 391}],
        "model": "scripted",
        "lessons": [],
    }


def test_the_built_in_tools_are_there_and_ones_own_come_on_top_or_in_their_place():
    def weight_of(thing: str) -> float:
        return 4.5

    def calculate(expression: str) -> str:
        return "mine"

    names = lambda doer: [tool.__name__ for tool in doer.tools]
    assert names(DoerAgent(tools=[weight_of])) == ["calculate", "get_current_time", "string_length", "weight_of"]
    doer = DoerAgent(model=scripted(("calculate", {"expression": "1"}), "ok"), tools=[calculate])
    assert names(doer) == ["get_current_time", "string_length", "calculate"]
    assert doer.run("?")["tool_calls"][0]["result"] == "mine"


def test_a_wrong_calculation_is_told_to_the_model():
    model = scripted(("calculate", {"expression": "2 ^ 3"}), ("calculate", {"expression": "2 ** 3"}), "8")
    answer = DoerAgent(model=model).run("2 to the third?")
    assert "written ** here" in answer["tool_calls"][0]["error"]
    assert answer["tool_calls"][1]["result"] == 8
    assert "written ** here" in model.read[1][1]


def test_it_runs_inside_an_executor_of_the_users_own():
    doer = DoerAgent(model=TestModel(call_tools=[], custom_output_text="done"))
    hub = Orchestrator()
    hub.register_worker(
        WorkerDefinition(
            worker_type="generic", name="Doer", executor=lambda input_data, context: doer.run(input_data)["response"]
        )
    )
    hub.register_workflow(create_generic_pipeline([("act", "generic", "")]).replace(name="flow"))
    result = hub.execute_workflow("flow", "Do it.", verbose=False)
    assert result.get_last_output() == "done"


@pytest.mark.parametrize("query", ["text", {"a": 1}, [1, 2], 7, None, 2.5])
def test_a_query_may_be_any_value(query):
    assert DoerAgent(model=TestModel(call_tools=[], custom_output_text="ok")).run(query)["response"] == "ok"


def test_it_runs_where_an_event_loop_runs_and_in_async_code():
    doer = DoerAgent(model=TestModel(call_tools=[], custom_output_text="ok"))

    async def main():
        return doer.run("sync, within a loop")["response"], (await doer.arun("async"))["response"]

    assert asyncio.run(main()) == ("ok", "ok")


def test_as_a_worker_its_usage_and_its_actions_are_on_record():
    doer = DoerAgent(model=scripted(("string_length", {"text": "abc"}), "three"), name="Dora")
    entry = ask_once(doer.as_worker(), "How long?")
    assert entry["output"] == "three"
    assert entry["usage"] == {"input_tokens": 18, "output_tokens": 2, "cost_usd": 0.0, "model": "scripted"}
    assert entry["detail"]["actions"][0]["action_data"] == {"tool": "string_length", "arguments": {"text": "abc"}}
    assert doer.as_worker().__name__ == "Dora"


def test_with_a_context_usage_goes_on_record_there():
    doer = DoerAgent(model=scripted("ok"))
    entry = ask_once(lambda given, context: doer.run(given, context=context)["response"])
    assert entry["usage"]["input_tokens"] == 9


def test_a_query_may_give_structured_output():
    class Sum(BaseModel):
        value: int

    doer = DoerAgent(model=scripted(("final_result", {"value": 3})), output=Sum)
    assert doer.run("1 + 2")["response"] == Sum(value=3)


# --- constraints


def mailer():
    sent = []

    @as_action("send_email", lambda to: {"to": to, "subject": "", "body": ""})
    def send(to: str) -> str:
        sent.append(to)
        return "sent"

    return sent, send


def no_evil(plan):
    return "it goes to evil.test" if plan["action_data"].get("to", "").endswith("evil.test") else None


def test_tools_are_checked_before_they_run():
    sent, send = mailer()
    model = scripted(("send", {"to": "eve@evil.test"}), ("send", {"to": "ada@example.org"}), "Mailed Ada.")
    gate = FakeGate(no_evil, labels=lambda plan: ["mailed"])
    answer = DoerAgent(model=model, tools=[send], constraints=gate).run("Mail them.")
    assert sent == ["ada@example.org"]
    assert "it goes to evil.test" in model.read[1][1]
    assert "it goes to evil.test" in answer["tool_calls"][0]["error"]
    assert answer["response"] == "Mailed Ada."


@pytest.mark.parametrize("on_violation", ["ask", "fail"])
def test_alone_there_is_nobody_to_ask_so_a_refusal_ends_the_run(on_violation):
    sent, send = mailer()
    doer = DoerAgent(
        model=scripted(("send", {"to": "eve@evil.test"})), tools=[send], constraints=FakeGate(no_evil, on_violation)
    )
    with pytest.raises(ActionRefused, match="evil"):
        doer.run("Mail Eve.")
    assert sent == []


def test_its_own_constraints_and_the_hubs_both_hold():
    sent, send = mailer()
    model = scripted(
        ("send", {"to": "a@evil.test"}), ("send", {"to": "b@rival.test"}), ("send", {"to": "c@ok.test"}), "done"
    )
    doer = DoerAgent(model=model, tools=[send], constraints=FakeGate(no_evil))
    no_rival = lambda plan: "a rival" if plan["action_data"]["to"].endswith("rival.test") else None
    entry = ask_once(doer.as_worker(), constraints=FakeGate(no_rival))
    assert sent == ["c@ok.test"], entry


def test_in_a_hub_what_its_own_constraints_ask_about_fails_as_no_approval_would_reach_them():
    sent, send = mailer()
    doer = DoerAgent(
        model=scripted(("send", {"to": "eve@evil.test"})), tools=[send], constraints=FakeGate(no_evil, "ask")
    )
    entry = ask_once(doer.as_worker())
    assert (entry["success"], sent) == (False, [])
    assert "give them to the hub" in entry["output"]["error"]


def test_an_action_that_raised_counts_for_its_own_constraints_too():
    seen = []

    class Gate(FakeGate):
        def validate_plan(self, plan, *, history=(), now=None):
            seen.append([one["labels"] for one in history])
            return super().validate_plan(plan, history=history, now=now)

    def leak(text: str) -> str:
        raise OSError("the disk is full")

    model = scripted(("leak", {"text": "a"}), ("leak", {"text": "b"}), "I give up.")
    DoerAgent(model=model, tools=[leak], constraints=Gate(labels=lambda plan: ["secret"])).run("Go.")
    assert seen == [[], [["secret"]]]


def test_what_the_hub_refused_does_not_count_for_its_own_constraints():
    seen = []

    class Gate(FakeGate):
        def validate_plan(self, plan, *, history=(), now=None):
            seen.append(len(history))
            return super().validate_plan(plan, history=history, now=now)

    sent, send = mailer()
    model = scripted(("send", {"to": "a@evil.test"}), ("send", {"to": "c@ok.test"}), "done")
    ask_once(DoerAgent(model=model, tools=[send], constraints=Gate()).as_worker(), constraints=FakeGate(no_evil))
    assert (seen, sent) == ([0, 0], ["c@ok.test"])


def test_constraints_that_validate_plans_and_no_more_have_each_tool_called_once():
    class Plain:
        def validate_plan(self, plan, *, history=(), now=None):
            return FakeGate().validate_plan(plan, history=history, now=now)

    sent, send = mailer()
    model = scripted(("send", {"to": "ada@example.org"}), "Mailed Ada.")
    assert DoerAgent(model=model, tools=[send], constraints=Plain()).run("Mail Ada.")["response"] == "Mailed Ada."
    assert sent == ["ada@example.org"]


def test_an_error_of_its_own_constraints_after_the_action_does_not_have_it_done_again():
    class Broken(FakeGate):
        def check_outcome(self, plan, result, *, history=()):
            raise KeyError("a rule with a bug")

    sent, send = mailer()
    model = scripted(("send", {"to": "ada@example.org"}), ("send", {"to": "ada@example.org"}), "Mailed Ada.")
    with pytest.raises(ActionRefused, match="KeyError"):
        DoerAgent(model=model, tools=[send], constraints=Broken()).run("Mail Ada.")
    assert sent == ["ada@example.org"]


def test_what_a_tool_returned_may_be_kept_back():
    gate = FakeGate(outcome=lambda result: "no numbers" if result == 6 else None)
    model = scripted(("calculate", {"expression": "2 * 3"}), "I may not say.")
    answer = DoerAgent(model=model, constraints=gate).run("2 * 3?")
    assert "result" not in answer["tool_calls"][0]
    assert "kept back" in model.read[1][1]


def test_a_plan_is_approved_or_refused_with_a_reason():
    doer = DoerAgent(constraints=FakeGate(no_evil))
    assert doer.validate_action_plan(PLAN) == (False, "house_rule: it goes to evil.test")
    approved, reason = doer.validate_action_plan({**PLAN, "action_data": {"to": "ada@example.org"}})
    assert approved
    assert reason


def test_what_cannot_be_checked_is_not_approved():
    assert DoerAgent().validate_action_plan(PLAN)[0] is False
    assert "No constraints are set" in DoerAgent().validate_action_plan(PLAN)[1]
    approved, reason = DoerAgent(constraints=object()).validate_action_plan(PLAN)
    assert (approved, "could not be asked" in reason) == (False, True)


# --- lessons


class Lore:
    def __init__(self, *texts) -> None:
        self.texts, self.asked = texts, []

    def search(self, query="", *, k=3):
        self.asked.append((query, k))
        return [type("Lesson", (), {"text": one})() for one in self.texts[:k]]


def test_lessons_are_read_and_told_as_data():
    lore, model = Lore("Always name the currency.", "second"), scripted("5 EUR")
    answer = DoerAgent(model=model, wisdom=lore, lessons=1).run("What is the price?")
    assert answer["lessons"] == ["Always name the currency."]
    assert lore.asked == [("What is the price?", 1)]
    assert "Always name the currency." in model.read[0][0]
    assert "second" not in model.read[0][0]


def test_lessons_come_from_a_wisdom_file(tmp_path):
    from orchestration_kit.governance.wisdom import Wisdom

    path = tmp_path / "lessons.db"
    wisdom = Wisdom(path)
    wisdom.approve(wisdom.propose("Prices are named in EUR.").id, by="Ada")
    model = scripted("5 EUR")
    assert DoerAgent(model=model, wisdom=path).run("prices?")["lessons"] == ["Prices are named in EUR."]
    assert "Prices are named in EUR." in model.read[0][0]


# --- models


def test_without_a_model_the_error_names_what_may_be_given():
    with pytest.raises(InvalidModel) as caught:
        DoerAgent().run("Hello?")
    for option in ("openai:", "http://127.0.0.1:11434/v1#", "TestModel", "FunctionModel"):
        assert option in str(caught.value)


def test_an_address_is_a_model():
    with OpenAIServer([call("calculate", expression="6 * 7"), text("42")] * 2, key=KEY) as server:
        for doer in (
            DoerAgent(model=f"{server.url}#tiny", api_key=KEY),
            DoerAgent(model=server.url, model_name="tiny", api_key=KEY),
        ):
            answer = doer.run("6 * 7?")
            assert (answer["response"], answer["model"]) == ("42", "tiny")
            assert KEY not in repr(doer) + repr(vars(doer))
    assert "calculate" in str(server.requests[0].body["tools"])


def test_a_wrong_key_is_a_clear_error_without_the_key():
    with OpenAIServer(key="another") as server:
        with pytest.raises(ModelRefused, match="did not accept the key") as caught:
            DoerAgent(model=f"{server.url}#tiny", api_key=KEY).run("?")
    assert KEY not in str(caught.value)


def test_a_key_that_is_not_set_is_named(monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(ModelRefused, match="OPENAI_API_KEY"):
        DoerAgent(model="openai:gpt-5-mini").run("?")


def test_a_key_without_an_address_is_refused():
    with pytest.raises(InvalidModel, match="go with an address"):
        DoerAgent(model="openai:gpt-5-mini", api_key=KEY)


def test_telemetry_traces_the_run_without_its_contents():
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
    from pydantic_ai import InstrumentationSettings

    spans = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(spans))
    settings = InstrumentationSettings(tracer_provider=provider, include_content=False)
    DoerAgent(model=scripted("the answer"), telemetry=settings).run("the question")
    DoerAgent(model=scripted("the answer"), telemetry=False).run("the question")
    DoerAgent(model=scripted("the answer"), telemetry=True).run("the question")
    finished = spans.get_finished_spans()
    assert len([span for span in finished if "chat" in span.name]) == 1
    assert "the question" not in str([dict(span.attributes) for span in finished])


def test_its_repr_says_what_it_is():
    context = WorkflowContext("r", "g")
    assert context.workflow_id == "r"
    assert repr(DoerAgent(model="openai:gpt-5-mini")) == "<DoerAgent 'doer': model 'openai:gpt-5-mini', 3 tools>"


def test_an_async_worker_may_run_it_too():
    doer = DoerAgent(model=TestModel(call_tools=[], custom_output_text="ok"))

    async def work(given, context):
        return doer.run(given)["response"]

    assert ask_once(work)["output"] == "ok"


def test_with_the_default_engine_its_own_tools_run_and_foreign_ones_do_not():
    from orchestration_kit.governance.constraints import create_default_engine

    sent, send = mailer()
    calls = [("calculate", {"expression": "1 + 1"}), ("get_current_time", {}), ("string_length", {"text": "ab"})]
    model = scripted(*calls, ("send", {"to": "eve@evil.test"}), ("send", {"to": "ada@example.org"}), "done")
    doer = DoerAgent(model=model, tools=[send], constraints=create_default_engine(allowed_domains=["example.org"]))
    answer = doer.run("Do it all.")
    assert [("error" in one) for one in answer["tool_calls"]] == [False, False, False, True, False]
    assert sent == ["ada@example.org"]


def test_the_missions_snippet_runs_as_written():
    from orchestration_kit import DoerAgent, create_default_engine

    engine = create_default_engine(max_cost=1.0, allowed_domains=["example.org"])
    doer = DoerAgent(constraints=engine)
    query = {"action_type": "sql_query", "action_data": {"query": "SELECT name FROM users WHERE id = ?"}, "cost": 0.0}
    assert doer.validate_action_plan(query)[0] is True
    approved, reason = doer.validate_action_plan({**query, "action_data": {"query": "DROP TABLE users"}})
    assert (approved, bool(reason)) == (False, True)
