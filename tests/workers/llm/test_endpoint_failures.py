"""An endpoint that is busy, broken, slow or hostile: a clear error, and no key in it."""

from __future__ import annotations

import asyncio
import io
import pickle
import re
import threading
import traceback

import httpx2
import pytest
from pydantic import BaseModel
from pydantic_ai import Agent
from pydantic_ai.exceptions import UserError
from pydantic_ai.models.function import FunctionModel
from rich.console import Console
from rich.traceback import Traceback

from orchestration_kit import WorkflowContext
from orchestration_kit.workers.llm import ModelFailed, ModelRefused, Patience, agent_worker, endpoint_worker
from orchestration_kit.workers.llm.client import retry_after_s
from tests.openai_server import Answer, OpenAIServer, raw, slow, status, text
from tests.workers.llm.support import KEY, ask, ask_once


class Naps:
    """Sleeps not at all, and remembers how long it should have."""

    def __init__(self) -> None:
        self.taken: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.taken.append(seconds)


class Colour(BaseModel):
    name: str


def worker_for(server, naps=None, **more):
    patience = Patience(sleep=naps or Naps(), timeout_s=more.pop("timeout_s", 20.0))
    return endpoint_worker(server.url, model="tiny", api_key=KEY, patience=patience, **more)


def test_retry_after_is_waited_for():
    naps = Naps()
    with OpenAIServer([status(429, headers={"Retry-After": "7"}), text("blue")]) as server:
        assert ask_once(worker_for(server, naps))["output"] == "blue"
    assert naps.taken == [7.0]
    assert len(server.requests) == 2


def test_a_server_that_wants_too_long_a_wait_is_not_asked_again_and_the_error_says_how_long():
    naps = Naps()
    with OpenAIServer([status(429, headers={"Retry-After": "3600"})]) as server:
        entry = ask_once(worker_for(server, naps))
    assert (naps.taken, len(server.requests)) == ([], 1)
    assert entry["error_type"] == "ModelUnavailable"
    assert "rate limit (HTTP 429)" in entry["error"]
    assert "3600 s" in entry["error"]


@pytest.mark.parametrize("code", [429, 500, 503])
def test_a_busy_server_is_asked_four_times_in_all(code):
    naps = Naps()
    with OpenAIServer(lambda _: status(code, "busy")) as server:
        entry = ask_once(worker_for(server, naps))
    assert naps.taken == [0.5, 1.0, 2.0]
    assert len(server.requests) == 4
    assert entry["error_type"] == "ModelUnavailable"
    assert str(code) in entry["error"]
    assert entry["usage"]["model"] == "tiny"


def test_a_wrong_key_is_one_attempt_and_a_clear_error_without_the_key():
    with OpenAIServer([text("never")], key="another key") as server:
        [entry] = ask(worker_for(server), retries=3)  # asking again would come to the same
    assert entry["error_type"] == "ModelRefused"
    assert "did not accept the key (HTTP 401)" in entry["error"]
    assert "Set a key that is valid" in entry["error"]
    assert server.requests[0].headers["authorization"] == f"Bearer {KEY}"  # so it was sent,
    assert KEY not in str(entry)  # and the server's answer, which shows it, is not on record


@pytest.mark.parametrize("code", [400, 401, 404, 418, 500])
def test_no_traceback_shows_a_key_not_even_one_with_all_variables(code):
    with OpenAIServer(lambda request: status(code, f"you sent {request.headers['authorization']}")) as server:
        worker = worker_for(server)
        with pytest.raises(ModelFailed) as caught:
            asyncio.run(worker("Name a colour.", WorkflowContext("try", "goal")))
    error = caught.value
    shown = Console(file=io.StringIO(), width=200)
    shown.print(Traceback.from_exception(type(error), error, error.__traceback__, show_locals=True))
    whole = shown.file.getvalue() + "".join(traceback.format_exception(error)) + repr(error) + repr(vars(error))
    assert "tiny" in whole
    assert KEY not in whole
    assert error.__cause__ is None
    assert error.__context__ is None


ANSWERS = {
    "malformed JSON": (raw(b'{"id": "x", "choi'), "AnswerUnusable", "cannot be read"),
    "nothing": (raw(b""), "AnswerUnusable", "cannot be read"),
    "cut off": (raw(b'{"id"', claimed=500), "ModelUnavailable", "broke off"),
    "a list": (raw(b"[1, 2]"), "AnswerUnusable", "cannot be read"),
    "null": (raw(b"null"), "AnswerUnusable", "cannot be read"),
    "another shape": (raw(b'{"choices": "x"}'), "AnswerUnusable", "cannot be read"),
    "no choices": (raw(b'{"choices": []}'), "AnswerUnusable", "cannot be read"),
    "a page": (raw(b"<html>Welcome</html>", "text/html"), "AnswerUnusable", "cannot be read"),
    "no text": (text(""), "AnswerUnusable", "gave no output|did not"),
    "no UTF-8": (raw(b'{"id": "\xff\xfe"}'), "AnswerUnusable", "cannot be read"),
    "10 MB": (raw(b'"' + b"x" * 10_000_000 + b'"'), "AnswerUnusable", "longer than 8,000,000 bytes"),
    "packed": (raw(b"PK", headers={"content-encoding": "gzip"}), "AnswerUnusable", "packed"),
    "unknown model": (status(404, "no such model"), "ModelRefused", "no such model"),
}


@pytest.mark.parametrize("kind", ANSWERS)
def test_what_is_no_answer_fails_the_attempt_with_a_clear_error(kind):
    answer, error_type, reason = ANSWERS[kind]
    with OpenAIServer(lambda _: answer) as server:
        entry = ask_once(worker_for(server))
    assert entry["error_type"] == error_type
    assert re.search(reason, entry["error"])
    assert entry["error"].startswith("The model 'tiny' ")
    assert len(entry["error"]) < 900
    assert KEY not in str(entry)


@pytest.mark.parametrize("body", [b'data: {"id": "x", "cho\n\n', b"data: []\n\n", b"", b"data: 7\n\ndata: [DONE]\n\n"])
def test_a_stream_that_is_none_fails_the_attempt(body):
    with OpenAIServer(lambda _: raw(body, "text/event-stream")) as server:
        entry = ask_once(worker_for(server, stream=True))
    assert not entry["success"]
    assert "AnswerUnusable" in entry["error_type"]


def test_a_stream_of_10_mb_is_not_read_to_its_end():
    chunk = b'data: {"id": "x", "choices": [{"index": 0, "delta": {"content": "' + b"y" * 100_000 + b'"}}]}\n\n'
    with OpenAIServer([raw(chunk * 100, "text/event-stream")]) as server:
        entry = ask_once(worker_for(server, stream=True))
    assert entry["error_type"] == "AnswerUnusable"
    assert "longer than" in entry["error"]


@pytest.mark.parametrize("stream", [False, True])
def test_a_body_that_does_not_end_is_given_up_after_the_clients_timeout(stream):
    with OpenAIServer([slow(threading.Event())]) as server:
        entry = ask_once(worker_for(server, timeout_s=0.1, stream=stream))
    assert entry["error_type"] == "ModelUnavailable"
    assert "no whole answer within 0.1 s" in entry["error"]
    assert "timeout_s" in entry["error"]


@pytest.mark.parametrize("stream", [False, True])
def test_the_steps_own_timeout_ends_a_request_that_hangs(stream):
    with OpenAIServer([slow(threading.Event())]) as server:
        entry = ask_once(worker_for(server, stream=stream), timeout_s=0.2)
    assert entry["error_type"] == "StepTimeout"
    assert "0.2 s" in entry["error"]
    assert entry["usage"]["model"] == "tiny"


def test_an_answer_that_ran_out_of_tokens_says_so():
    cut = Answer(calls=[("final_result", '{"name": "bl')], finish="length")
    with OpenAIServer(lambda _: cut) as server:
        entry = ask_once(worker_for(server, output=Colour))
    assert entry["error_type"] == "AnswerUnusable"
    assert "max_tokens" in entry["error"]


def test_nobody_listens():
    with OpenAIServer() as server:
        url = server.url
    naps = Naps()
    entry = ask_once(endpoint_worker(url, model="tiny", patience=Patience(sleep=naps)))
    assert entry["error_type"] == "ModelUnavailable"
    assert "could not be reached" in entry["error"]
    assert len(naps.taken) == 3


def test_errors_survive_pickling():
    error = ModelRefused("tiny", "did not accept the key (HTTP 401)", "Set one.")
    again = pickle.loads(pickle.dumps(error))
    assert str(again) == str(error) == "The model 'tiny' did not accept the key (HTTP 401). Set one."
    assert again.is_final


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("3", 3.0), ("0.5", 0.5), ("-4", 0.0), ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0), ("soon", None), ("", None)],
)
def test_retry_after_is_read_as_seconds_or_as_a_date(value, seconds):
    assert retry_after_s(httpx2.Response(429, headers={"retry-after": value})) == seconds


def nested(depth):
    return '{"a":' * depth + "1" + "}" * depth


HOSTILE = {
    "a tool that is not there": Answer(calls=[("rm_rf", {"path": "/"})]),
    "arguments that are no JSON": Answer(calls=[("look", "{not json")]),
    "arguments that are a list": Answer(calls=[("look", "[1, 2]")]),
    "arguments of another type": Answer(calls=[("look", {"at": {"$ne": 1}})]),
    "arguments too many": Answer(calls=[("look", {"at": "x", "sudo": True})]),
    "arguments nested deeply": Answer(calls=[("look", nested(50_000))]),
    "a name with code in it": Answer(calls=[("look'); import os; os.system('x", {"at": "x"})]),
    "an empty name": Answer(calls=[("", {})]),
    "content filter": Answer(content=None, finish="content_filter"),
    "neither text nor call": Answer(content=None),
    "surrogates": raw(b'{"id":"x","object":"chat.completion","created":1,"model":"tiny","choices":[{"index":0,'
                      b'"finish_reason":"stop","message":{"role":"assistant","content":"\\ud800"}}]}'),
    "negative tokens": raw(b'{"id":"x","object":"chat.completion","created":1,"model":"tiny","choices":[{"index":0,'
                           b'"finish_reason":"stop","message":{"role":"assistant","content":"ok"}}],'
                           b'"usage":{"prompt_tokens":-5,"completion_tokens":-5,"total_tokens":-10}}'),
}  # fmt: skip


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_answer_has_no_effect_and_leaves_a_run_that_can_go_on(kind, tmp_path):
    looked = []

    def look(at: str) -> str:
        looked.append(at)
        return "nothing"

    with OpenAIServer(lambda _: HOSTILE[kind]) as server:
        entry = ask_once(worker_for(server, tools=[look]), journal=tmp_path / "runs.db")
    assert looked == []
    if entry["success"]:
        assert kind in ("surrogates", "negative tokens")
    else:
        assert entry["error_type"] in ("AnswerUnusable", "ToolBroken"), entry["error"]
        assert entry["error"].startswith("The model 'tiny' ")
    assert entry["usage"]["input_tokens"] >= 0


def test_what_a_server_says_of_an_unknown_model_is_told_without_its_wrapping():
    with OpenAIServer([status(404, "model 'tiny' not found.")]) as server:
        entry = ask_once(worker_for(server))
    assert "(HTTP 404: model 'tiny' not found). See that the name of the model" in entry["error"]


def test_an_address_without_its_v1_is_hinted_at():
    with OpenAIServer([text("never")]) as server:
        worker = endpoint_worker(server.url.removesuffix("/v1"), model="tiny")
        with pytest.raises(ModelRefused, match=r"\(HTTP 404\)\. .* an address mostly ends in /v1\."):
            asyncio.run(worker("Name a colour.", WorkflowContext("try", "goal")))


def test_a_question_of_the_library_is_told_within_a_sentence():
    def of_a_provider(*_):
        raise UserError("Unknown model: opnai:tiny. Did you mean 'openai:tiny'?")

    worker = agent_worker(Agent(FunctionModel(of_a_provider)))
    with pytest.raises(ModelRefused, match=r"Did you mean 'openai:tiny'\. Set what is missing"):
        asyncio.run(worker("Name a colour.", WorkflowContext("try", "goal")))


def test_a_library_that_is_missing_is_no_unreadable_answer():
    def of_a_provider(*_):
        raise ImportError("Please install the `some` package.")

    worker = agent_worker(Agent(FunctionModel(of_a_provider)))
    with pytest.raises(
        ModelRefused, match="cannot be asked: Please install the `some` package. Install what is"
    ) as caught:
        asyncio.run(worker("Name a colour.", WorkflowContext("try", "goal")))
    assert ".." not in str(caught.value)
