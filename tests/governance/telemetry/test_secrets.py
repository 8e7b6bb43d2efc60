"""Keys in errors, inputs, messages and arguments of tools reach neither spans nor metrics nor lines."""

import asyncio
import logging

import pytest
from pydantic_ai import Agent
from pydantic_ai.capabilities import Instrumentation
from pydantic_ai.messages import ModelResponse, TextPart, ToolCallPart
from pydantic_ai.models.function import FunctionModel

from orchestration_kit.governance import telemetry
from orchestration_kit.governance.telemetry.cleaning import Cleaner

KEY = "sk-proj-Zx81kQpL0vTn3RbYw6Ud2Hs9GmJc4FaEoXi7Kt5N"
PASSWORD = "correct-horse-battery"


@pytest.fixture
def leaking(hub, make_chain, monkeypatch):
    """A workflow that puts keys wherever it can."""
    monkeypatch.setenv("SHOP_API_TOKEN", PASSWORD)

    def leaks(given, context):
        context.data["key"] = KEY
        context.add_usage(input_tokens=1, model=f"model-{KEY}")
        if context.attempt == 1:
            raise type(KEY, (ValueError,), {})(f"401 for api_key={KEY}, password: {PASSWORD}")
        return {"token": KEY, "of": [PASSWORD], "password": "hunter2hunter2"}

    def ends(given):
        raise RuntimeError(f"Authorization: Bearer {KEY}")

    make_chain(hub, "leaks", leaks, ends, max_retries=1)

    def run():
        return hub.execute_workflow(
            "leaks", f"goal with {KEY}", {"entry": KEY, "password": PASSWORD}, verbose=False, run_id=f"run-{KEY}"
        )

    return run


def everything(told):
    spans = "".join(span.to_json() for span in told.spans)
    return spans + told.metrics_data().to_json()


@pytest.mark.parametrize("contents", [False, True])
def test_no_key_reaches_a_span_or_a_metric(leaking, contents):
    with telemetry.enable("memory", contents=contents) as told:
        assert leaking().state.value == "failed"
        found = everything(told)
    assert "[REDACTED]" in found
    assert "401 for" in found
    assert KEY not in found
    assert PASSWORD not in found
    assert "hunter2hunter2" not in found
    assert ("goal with" in found) is contents


@pytest.mark.parametrize("contents", [False, True])
def test_no_key_reaches_a_line(leaking, tmp_path, contents):
    with telemetry.stream(tmp_path / "runs.events.jsonl", contents=contents) as told:
        leaking()
        found = told.path.read_text()
    assert "401 for" in found
    assert KEY not in found
    assert PASSWORD not in found
    assert "hunter2hunter2" not in found
    assert ("goal with" in found) is contents


def test_patterns_of_ones_own_are_secrets_too(hub, make_chain, tmp_path):
    def leaks(given):
        raise ValueError("order ACME-123456 failed")

    make_chain(hub, "leaks", leaks)
    path = tmp_path / "runs.events.jsonl"
    with telemetry.enable("memory", redact=[r"ACME-[0-9]{6}"]) as told, telemetry.stream(path, redact=[r"ACME-\d{6}"]):
        hub.execute_workflow("leaks", "hi", verbose=False, run_id="ACME-654321")
    found = everything(told) + path.read_text()
    assert "order [REDACTED] failed" in found
    assert "ACME-" not in found


def test_a_long_text_is_not_cut_through_a_key():
    cleaner = Cleaner()
    for at in range(0, 9_500, 37):
        for limit in (100, 1_000):
            assert KEY[:12] not in cleaner.text("x " * (at // 2) + KEY + " y" * 10_000, limit)


def test_redaction_can_be_switched_off(leaking):
    with telemetry.enable("memory", redact=False) as told:
        leaking()
        assert KEY in everything(told)


def model_of(*parts):
    answers = iter(parts)
    return FunctionModel(lambda messages, info: ModelResponse(parts=[next(answers)]))


def ask(prompt, context=None, *, raises=False):
    agent = Agent(model_of(ToolCallPart("look_up", {"key": KEY}), TextPart(f"it is {KEY}")), name="doer")

    @agent.tool_plain
    def look_up(key: str) -> str:
        if raises:
            raise RuntimeError(f"{key} is refused, password={PASSWORD}")
        return f"the key is {key}"

    settings = telemetry.instrumentation()
    return agent, {"capabilities": [Instrumentation(settings)] if settings else []}


@pytest.mark.parametrize("contents", [False, True])
@pytest.mark.parametrize("raises", [False, True])
@pytest.mark.parametrize("is_async", [False, True])
def test_model_calls_stand_within_their_attempt_and_tell_no_key(hub, make_chain, tree_of, contents, raises, is_async):
    async def asks(given):
        agent, options = ask(given, raises=raises)
        return (await agent.run(f"what is {KEY}?", **options)).output

    make_chain(hub, "one", asks)
    with telemetry.enable("memory", contents=contents) as told:
        if is_async:
            asyncio.run(hub.aexecute_workflow("one", "hi", verbose=False))
        else:
            hub.execute_workflow("one", "hi", verbose=False)
        found = everything(told)
    spans = tree_of(told.spans)
    agent = spans.one("invoke_agent doer")
    assert spans.parent(agent) is spans.one("invoke_agent asks_worker")
    chats = [span for span in spans.spans if span.attributes.get("gen_ai.operation.name") == "chat"]
    assert len(chats) == (1 if raises else 2)
    assert all(spans.parent(chat) is agent for chat in chats)
    tools = [span for span in spans.spans if span.attributes.get("gen_ai.operation.name") == "execute_tool"]
    assert len(tools) == 1
    assert KEY not in found
    assert PASSWORD not in found
    assert ("[REDACTED]" in found) is (contents or raises)
    assert ("what is " in found) is contents
    assert "Traceback" not in found


def test_while_telemetry_is_off_agents_are_not_instrumented():
    assert telemetry.instrumentation() is None
    agent, options = ask("hi")
    assert KEY in asyncio.run(agent.run("hi", **options)).output


def test_the_settings_for_agents_are_made_once(told):
    assert telemetry.instrumentation() is telemetry.instrumentation()
    assert telemetry.instrumentation().include_content is False


def test_an_environment_that_changes_is_noticed_by_the_next_run(hub, make_chain, monkeypatch, told):
    def leaks(given):
        raise ValueError("it said: a-new-token-of-ours")

    make_chain(hub, "leaks", leaks)
    monkeypatch.setenv("OTHER_TOKEN", "a-new-token-of-ours")
    hub.execute_workflow("leaks", "hi", verbose=False, run_id="a-new-token-of-ours")
    assert "a-new-token-of-ours" not in everything(told)


def test_what_is_logged_of_a_failing_export_has_no_key(leaking, caplog):
    caplog.set_level(logging.DEBUG)
    with telemetry.enable("memory"):
        leaking()
    assert KEY not in caplog.text
