"""Errors on tape, and the errors of tapes."""

from __future__ import annotations

import json
import pickle

import pytest

from orchestration_kit import RetryPolicy
from orchestration_kit.errors import MissingEntry, OrchestrationError, StepTimeout
from orchestration_kit.journal.cassette.errors import CassetteError, CassetteMiss
from orchestration_kit.journal.cassette.errors_again import RecordedError, describe, rebuild
from orchestration_kit.journal.cassette.recording import Recording, input_hash, natural, step_of


class Mixin:
    pass


class Own(ValueError, Mixin):
    def __init__(self, a, b):
        super().__init__(a, b)


class Both(OSError, LookupError):
    pass


class Silent(Exception):
    def __str__(self):
        raise RuntimeError("no")


def caught(call):
    try:
        call()
    except Exception as error:
        return error
    raise AssertionError("nothing was raised")


ERRORS = [
    ValueError("x"), ValueError(), KeyError("x"), OSError(2, "No such file"), FileNotFoundError("x"), StopIteration("x"), SyntaxError("bad"), Own(1, 2), Both("x"), Silent(),
    StepTimeout("a", 2.0), MissingEntry("a", ["b"]), ExceptionGroup("several", [ValueError("x")]), caught(lambda: b"\xff".decode()), caught(lambda: json.loads("{")),
    type("weird name", (Exception,), {})("x"), AssertionError("\ud800"), type("ValueError", (Exception,), {})("not the builtin"),
]  # fmt: skip


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_an_error_comes_back_with_its_name_message_and_bases(error):
    again = rebuild(describe(error))
    assert type(again).__name__ == type(error).__name__
    assert str(again) == (describe(error).message if isinstance(error, Silent) else str(error))
    names = [base.__name__ for base in type(error).__mro__]
    assert set(names) <= {base.__name__ for base in type(again).__mro__}
    for name in ("ValueError", "OSError", "TimeoutError", "LookupError", "Mixin", "KeyError"):
        policy = RetryPolicy(retry_on=(name,))
        assert policy.allows(tuple(base.__name__ for base in type(again).__mro__)) == policy.allows(tuple(names))
    assert isinstance(again, Exception)
    assert describe(again).message == describe(error).message
    if type(again) is SyntaxError:  # Python's own; once Dask is imported, its message is lost when it is pickled
        return
    copy = pickle.loads(pickle.dumps(again))
    assert (type(copy).__name__, str(copy)) == (type(again).__name__, str(again))


def test_builtin_errors_are_themselves():
    assert type(rebuild(RecordedError("ValueError", "x"))) is ValueError
    assert isinstance(rebuild(describe(KeyError("x"))), KeyError)
    assert isinstance(rebuild(describe(caught(lambda: b"\xff".decode()))), UnicodeDecodeError)


@pytest.mark.parametrize(
    "name", ["KeyboardInterrupt", "SystemExit", "GeneratorExit", "BaseException", "CassetteMiss", "eval", "__import__"]
)
def test_a_name_from_a_file_makes_no_more_than_an_error(name):
    error = rebuild(RecordedError(name, "x", (name, "object", "type")))
    assert isinstance(error, Exception)
    assert not isinstance(error, (KeyboardInterrupt, SystemExit, GeneratorExit))


def test_an_error_that_is_final_says_so():
    class Final(ValueError):
        is_final = True

    again = rebuild(describe(Final("x")))
    assert again.is_final
    assert isinstance(again, ValueError)


def test_errors_of_cassettes_survive_pickling_and_say_what_to_do():
    error = CassetteError("x.yaml", "it is no cassette", "Mend it.")
    again = pickle.loads(pickle.dumps(error))
    assert str(again) == str(error) == "The cassette x.yaml cannot be used: it is no cassette. Mend it."
    assert isinstance(error, (OrchestrationError, ValueError))
    miss = CassetteMiss("a#1", 2, "w", "x.yaml", "Nothing is recorded in it.")
    assert str(pickle.loads(pickle.dumps(miss))) == str(miss)
    assert not isinstance(miss, Exception)
    assert "no recording for a#1, attempt 2, of worker 'w'" in str(miss)


def test_hashes_are_those_that_files_have():
    """A change here would make every cassette there is useless."""
    assert input_hash("a bakery") == "0a70510c2c572c34"
    assert input_hash({"b": [1, 2.5, None, True], "a": "ü"}) == "00e93d2cb7f770e8"
    assert input_hash({"$dict": [[1, "x"], ["y", {"$set": [2, 1]}]]}) == input_hash(
        {"$dict": [["y", {"$set": [1, 2]}], [1, "x"]]}
    )
    assert input_hash({"$defaultdict": ["int", [["a", 1], ["b", 2]]]}) == input_hash(
        {"$defaultdict": ["int", [["b", 2], ["a", 1]]]}
    )
    assert input_hash({"$ordered_dict": [["a", 1], ["b", 2]]}) != input_hash({"$ordered_dict": [["b", 2], ["a", 1]]})
    assert len({input_hash(value) for value in ("1", 1, 1.0, True, None, [1], {"a": 1})}) == 7
    assert input_hash("x") != input_hash("x", {})


def test_recordings_have_an_order_and_a_step():
    paths = ["b#1", "a#10", "a#2", "a#1[10]/x#1", "a#1[2]/x#1", "a#1"]
    assert sorted(paths, key=natural) == ["a#1", "a#1[2]/x#1", "a#1[10]/x#1", "a#2", "a#10", "b#1"]
    assert step_of("a#1[2]/x#3") == "x"
    one = Recording("a#1", 1, "w", {"input": 1, "error": {"type": "X"}})
    assert repr(one) == "<Recording a#1, attempt 1, of 'w': it fails>"
    assert (one.input, one.output, one.key[:3]) == (1, None, ("a#1", 1, "w"))
