"""An endpoint as a worker, against a real server on loopback: what is sent, and what comes back."""

from __future__ import annotations

import json

import pytest
from pydantic import BaseModel, SecretStr

from orchestration_kit import Orchestrator, WorkflowContext
from orchestration_kit.errors import InvalidWorker
from orchestration_kit.workers.llm import Endpoint, InvalidModel, endpoint_worker
from tests.openai_server import Answer, OpenAIServer, call, calls, text
from tests.workers.llm.support import KEY, ask, ask_once, hub_with


class Colour(BaseModel):
    name: str
    warmth: float


def test_text_comes_back_with_tokens_and_the_models_name():
    with OpenAIServer([text("blue", tokens=(31, 4))]) as server:
        entry = ask_once(endpoint_worker(server.url, model="tiny", instructions="One word."))
    assert entry["output"] == "blue"
    assert entry["usage"] == {"input_tokens": 31, "output_tokens": 4, "cost_usd": 0.0, "model": "tiny"}
    [request] = server.requests
    assert [(one["role"], one["content"]) for one in request.messages] == [
        ("system", "One word."),
        ("user", "Name a colour."),
    ]


def test_a_model_that_has_a_price_costs_what_it_costs():
    with OpenAIServer([text("blue", tokens=(1_000_000, 0))]) as server:
        entry = ask_once(endpoint_worker(server.url, model="gpt-4o-mini"))
    assert entry["usage"]["cost_usd"] == pytest.approx(0.15)


def test_the_key_is_sent_and_is_nowhere_in_the_worker():
    worker = endpoint_worker("http://127.0.0.1:1/v1", model="tiny", api_key=KEY)
    cells = [repr(cell.cell_contents) for cell in worker.__closure__]
    assert not [cell for cell in cells if KEY in cell]
    assert KEY not in repr(Endpoint("http://127.0.0.1:1/v1", "tiny", KEY))
    with OpenAIServer([text("blue")], key=KEY) as server:
        assert ask_once(endpoint_worker(server.url, model="tiny", api_key=KEY))["output"] == "blue"
    with OpenAIServer([text("blue")], key=KEY) as server:
        assert ask_once(endpoint_worker(server.url, model="tiny", api_key=SecretStr(KEY)))["output"] == "blue"


def test_a_server_that_needs_no_key_gets_none_whatever_the_environment_holds(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    with OpenAIServer([text("blue")]) as server:
        ask_once(endpoint_worker(server.url, model="tiny"))
    assert "authorization" not in server.requests[0].headers
    assert KEY not in str(server.requests[0])


def test_a_key_may_be_named_by_its_variable_which_is_looked_up_when_it_is_needed(monkeypatch):
    with OpenAIServer([text("blue")], key=KEY) as server:
        worker = endpoint_worker(server.url, model="tiny", api_key="HOUSE_MODEL_API_KEY")
        entry = ask_once(worker, retries=2)
        assert entry["error_type"] == "ModelRefused"
        assert "HOUSE_MODEL_API_KEY is not set" in entry["error"]
        monkeypatch.setenv("HOUSE_MODEL_API_KEY", KEY)
        assert ask_once(worker)["output"] == "blue"


def test_structured_output_is_validated_and_on_record_as_the_model_it_is(tmp_path):
    worker_of = lambda url: endpoint_worker(url, model="tiny", output=Colour)
    with OpenAIServer([call("final_result", name="blue", warmth=0.2)]) as server:
        hub = hub_with(worker_of(server.url), journal=tmp_path / "runs.db")
        run = hub.start("ask", "Name a colour.", verbose=False, run_id="one")
        run.run()
    assert run.history[0]["output"] == Colour(name="blue", warmth=0.2)
    again = Orchestrator(journal=tmp_path / "runs.db").get_run("one")
    assert again.history[0]["output"] == Colour(name="blue", warmth=0.2)


def test_a_wrong_output_goes_back_to_the_model_within_the_attempt_and_all_tokens_count():
    answers = [call("final_result", name="blue"), call("final_result", name="blue", warmth=0.2)]
    with OpenAIServer(answers) as server:
        entry = ask_once(endpoint_worker(server.url, model="tiny", output=Colour))
    assert entry["output"].warmth == 0.2
    assert (entry["usage"]["input_tokens"], entry["usage"]["output_tokens"]) == (40, 20)
    assert "warmth" in json.dumps(server.requests[1].messages[-1])


def test_a_retry_is_told_what_was_wrong_and_the_failed_attempt_was_paid_for():
    wrong = call("final_result", name="blue")
    with OpenAIServer([wrong, wrong, call("final_result", name="blue", warmth=0.2)]) as server:
        first, second = ask(endpoint_worker(server.url, model="tiny", output=Colour), retries=1)
    assert (first["success"], second["success"]) == (False, True)
    assert first["usage"] == {"input_tokens": 40, "output_tokens": 20, "cost_usd": 0.0, "model": "tiny"}
    assert "warmth: Field required" in first["error"]
    told = server.requests[2].told
    assert "<what_was_wrong>\nAnswerUnusable: " in told
    assert "warmth: Field required" in told


def test_pieces_of_text_come_while_the_model_writes():
    with OpenAIServer([text("blue and green", tokens=(7, 3))]) as server:
        seen = []
        hub = hub_with(endpoint_worker(server.url, model="tiny", stream=True), observers=[seen.append])
        run = hub.start("ask", "Name two colours.", verbose=False)
        run.run()
    pieces = [event.piece for event in seen if type(event).__name__ == "PartialOutput"]
    assert pieces == ["blue", " and", " green"]
    assert run.history[0]["output"] == "blue and green"
    assert run.history[0]["usage"] == {"input_tokens": 7, "output_tokens": 3, "cost_usd": 0.0, "model": "tiny"}
    assert server.requests[0].body["stream"] is True


def test_tools_are_called_with_what_the_model_gave_and_it_reads_what_they_returned():
    asked = []

    def weight_of(thing: str) -> float:
        """Return what a thing weighs, in kg."""
        asked.append(thing)
        return 4.5

    with OpenAIServer([call("weight_of", thing="cat"), text("4.5 kg")]) as server:
        entry = ask_once(endpoint_worker(server.url, model="tiny", tools=[weight_of]))
    assert (entry["output"], asked) == ("4.5 kg", ["cat"])
    [tool] = server.requests[0].body["tools"]
    assert tool["function"]["name"] == "weight_of"
    assert server.requests[1].messages[-1] == {"role": "tool", "tool_call_id": "call_0", "content": "4.5"}
    [action] = entry["detail"]["actions"]
    assert action["action_type"] == "tool_call"
    assert action["action_data"] == {"tool": "weight_of", "arguments": {"thing": "cat"}}


def test_two_calls_in_one_answer_are_made_and_recorded_in_their_order():
    order = []

    async def slow(n: int) -> int:
        order.append(n)
        return n

    with OpenAIServer([calls(*[("slow", {"n": n}) for n in range(5)]), text("done")]) as server:
        entry = ask_once(endpoint_worker(server.url, model="tiny", tools=[slow]))
    assert order == [0, 1, 2, 3, 4]
    assert [one["action_data"]["arguments"]["n"] for one in entry["detail"]["actions"]] == order


def test_one_worker_serves_several_runs_and_event_loops():
    import asyncio

    with OpenAIServer(lambda request: text(f"seen: {request.messages[-1]['content']}")) as server:
        worker = endpoint_worker(server.url, model="tiny")
        context = WorkflowContext("by-hand", "goal")
        assert asyncio.run(worker("a", context)) == "seen: a"
        assert asyncio.run(worker("b", context)) == "seen: b"
        assert ask_once(worker, "c")["output"] == "seen: c"


def test_a_redirect_is_not_followed_so_that_the_key_stays_here():
    with OpenAIServer([text("blue")]) as elsewhere:
        away = Answer(status=307, headers={"location": f"{elsewhere.url}/chat/completions"}, raw=b"")
        with OpenAIServer([away]) as server:
            entry = ask_once(endpoint_worker(server.url, model="tiny", api_key=KEY))
    assert entry["error_type"] in ("ModelRefused", "AnswerUnusable")
    assert elsewhere.requests == []


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("ftp://host/v1", "no http"),
        ("nowhere", "no http"),
        ("http://", "no http"),
        ("http://ann:secretpw@host/v1", "holds a user or a password"),
        ("http://[::1/v1", "cannot be read"),
        ("http://host:99999999/v1", "cannot be read"),
        (None, "no http"),
    ],
)
def test_an_address_that_is_none_is_refused_at_once(url, reason):
    with pytest.raises(InvalidModel, match=reason) as caught:
        endpoint_worker(url, model="tiny")
    assert "secretpw" not in str(caught.value)


def test_a_model_must_be_named():
    with pytest.raises(InvalidModel, match="no model is named"):
        Endpoint.at("http://127.0.0.1:11434/v1")
    assert Endpoint.at("http://127.0.0.1:11434/v1", model="qwen3").model == "qwen3"


def test_structured_output_cannot_be_streamed():
    with pytest.raises(InvalidWorker, match="it streams"):
        endpoint_worker("http://127.0.0.1:1/v1", model="tiny", output=Colour, stream=True)


def test_sixty_four_items_of_a_map_ask_at_once_and_each_gets_its_answer():
    from orchestration_kit import MapStep, WorkerDefinition, WorkflowDefinition, WorkflowStep

    with OpenAIServer(lambda request: text(request.messages[-1]["content"].upper())) as server:
        hub = Orchestrator()
        worker = endpoint_worker(server.url, model="tiny")
        hub.register_worker(WorkerDefinition(worker_type="asked", name="Asked", executor=worker))
        flow = WorkflowDefinition("many", initial_step="each")
        flow.add_step(MapStep(step_id="each", over="data.words", body="ask", max_concurrency=64, on_success="end"))
        flow.add_step(WorkflowStep(step_id="ask", worker_type="asked", is_terminal=True))
        flow.add_step(WorkflowStep(step_id="end", worker_type="nobody", is_terminal=True))
        hub.register_workflow(flow)
        words = [f"word {n}" for n in range(64)]
        result = hub.execute_workflow("many", "Shout.", verbose=False, initial_data={"words": words})
    assert result.data["each_output"] == [word.upper() for word in words]
