"""Keys: where they come from, and that nothing shows them."""

from __future__ import annotations

import pickle

import pytest
from pydantic import SecretStr

from orchestration_kit.errors import AttemptError, OrchestrationError
from orchestration_kit.workers.llm import Endpoint, ModelRefused, endpoint_worker, errors
from orchestration_kit.workers.llm.keys import Remover, is_name, key_of, sealed
from tests.openai_server import OpenAIServer, call, text
from tests.workers.llm.support import KEY, ask_once


@pytest.mark.parametrize(
    ("key", "is_one"),
    [
        ("OPENAI_API_KEY", True),
        ("HOUSE_TOKEN", True),
        ("sk-abcDEF123", False),
        ("AKIAABCDEFGHIJKLMNOP", False),
        ("gsk_abc", False),
        ("", False),
    ],
)
def test_a_name_of_a_variable_is_told_from_a_key(key, is_one):
    assert is_name(key) is is_one


def test_any_variable_that_is_set_may_be_named(monkeypatch):
    monkeypatch.setenv("MYMODEL", "made-up")
    assert key_of("MYMODEL", "m").get_secret_value() == "made-up"
    assert sealed("MYMODEL") == "MYMODEL"


def test_a_variable_that_is_empty_is_not_set(monkeypatch):
    monkeypatch.setenv("HOUSE_TOKEN", "")
    with pytest.raises(ModelRefused, match="HOUSE_TOKEN is not set"):
        key_of("HOUSE_TOKEN", "m")


def test_no_key_stays_no_key():
    assert key_of(None, "m") is None
    assert sealed(SecretStr("x")) == SecretStr("x")


def test_an_endpoint_takes_its_key_out_of_texts():
    endpoint = Endpoint("http://127.0.0.1:1/v1", "m", "made-up-key")
    assert endpoint.hide("you sent made-up-key.") == "you sent [REDACTED]."
    assert Endpoint("http://127.0.0.1:1/v1", "m").hide("text") == "text"


@pytest.mark.parametrize("kind", [getattr(errors, name) for name in errors.__all__])
def test_every_error_belongs_to_the_tree_and_survives_pickling(kind):
    made = kind(*("model", "does not answer", "Wait.")[: kind.__init__.__code__.co_argcount - 1])
    again = pickle.loads(pickle.dumps(made))
    assert isinstance(made, OrchestrationError)
    assert (type(again), str(again), again.args) == (kind, str(made), made.args)
    assert issubclass(kind, AttemptError) == issubclass(kind, errors.ModelFailed)


@pytest.mark.parametrize("cut", range(1, 40))
def test_a_key_is_taken_out_wherever_the_text_is_cut(cut):
    text = "ma made-up/key, mamade-up/key made-up/ke"
    remover = Remover("made-up/key")
    pieces = [text[at : at + cut] for at in range(0, len(text), cut)]
    assert "".join([*map(remover.feed, pieces), remover.flush()]) == "ma [REDACTED], ma[REDACTED] made-up/ke"


@pytest.mark.parametrize("word", ["token", "none", "x", "EMPTY", "ollama", "null", "changeme"])
@pytest.mark.parametrize("stream", [False, True])
def test_a_word_in_the_place_of_a_key_spoils_no_answer(word, stream):
    said = f"The {word} of a text, ex nihilo: null, EMPTY, none."
    with OpenAIServer([text(said, tokens=(7, 3))], key=word) as server:
        entry = ask_once(endpoint_worker(server.url, model="tiny", api_key=word, stream=stream))
    assert entry["output"] == said
    assert (entry["usage"]["input_tokens"], entry["usage"]["output_tokens"]) == (7, 3)


def test_without_a_key_pieces_come_as_they_are():
    assert [Remover(None).feed(piece) for piece in ("a", "", "b")] == ["a", "", "b"]
    assert Remover("").feed("abc") == "abc"


@pytest.mark.parametrize("stream", [False, True])
def test_a_server_that_says_the_key_back_is_not_heard(stream):
    key = "made up key/of words"  # a stream sends it word by word
    with OpenAIServer([text(f"Your key is {key}, isn't it?")], key=key) as server:
        entry = ask_once(endpoint_worker(server.url, model="tiny", api_key=key, stream=stream))
    assert entry["output"] == "Your key is [REDACTED], isn't it?"


def test_nor_is_it_in_a_call_of_a_tool():
    seen = []

    def look(at: str) -> str:
        seen.append(at)
        return "ok"

    with OpenAIServer([call("look", at=f"{KEY}!"), text("done")], key=KEY) as server:
        entry = ask_once(endpoint_worker(server.url, model="tiny", api_key=KEY, tools=[look]))
    assert seen == ["[REDACTED]!"]
    assert KEY not in str(entry)
