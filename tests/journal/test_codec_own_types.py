"""Types of one's own: known by name, restored without their code, and noticed when they change."""

import dataclasses
import enum
import json
import pickle
import subprocess
import sys
from typing import Any, NamedTuple

import pytest
from pydantic import BaseModel, Field, PrivateAttr

from orchestration_kit import WorkerType, WorkflowState
from orchestration_kit.journal.codec import dumps, encode, loads, register_type
from orchestration_kit.journal.codec.registry import TypeChanged, known_types
from orchestration_kit.journal.errors import UnknownType
from tests.journal.codec_cases import Box, Finding, Strict, back, loud, negative


def written(value):
    return dumps(encode(value, "x"))


def test_a_type_is_registered_by_meeting_a_value_of_it():
    @dataclasses.dataclass
    class Met:
        x: int

    assert not any(name.endswith(".Met") for name in known_types())
    assert type(back(Met(1))) is Met
    assert any(name.endswith(".Met") for name in known_types())


def test_a_name_of_ones_own_outlives_a_move():
    @dataclasses.dataclass
    class Before:
        x: int

    @dataclasses.dataclass
    class After:
        x: int

    register_type(Before, "report")
    body = written(Before(1))
    assert json.loads(body) == {"$dataclass": ["report", {"x": 1}]}
    register_type(After, "report")
    assert type(loads(body)) is After


def test_register_type_decorates():
    @register_type
    class Decorated(BaseModel):
        x: int

    assert Decorated(x=1).x == 1
    assert any(name.endswith(".Decorated") for name in known_types())


@pytest.mark.parametrize("wrong", [int, object, dict, type("Plain", (), {}), "Finding", Finding(text="x"), None])
def test_only_types_that_can_be_restored_are_registered(wrong):
    with pytest.raises(
        TypeError, match="cannot be registered: only pydantic models, dataclasses, Enums and NamedTuples"
    ):
        register_type(wrong)


def define(fields, base=None, *, private=()):
    """Define the model of a notebook cell (again)."""
    attributes = {"__annotations__": {name: Any for name in fields}, "__module__": "__main__", "__qualname__": "Cell"}
    attributes |= {name: PrivateAttr(default=7) for name in private}
    return type(BaseModel)("Cell", (base or BaseModel,), attributes)


def test_a_class_that_is_defined_again_takes_the_place_of_the_first():
    first = define(["x"])
    body = written(first(x=1))
    assert type(loads(body)) is first
    second = define(["x"])
    written(second(x=1))
    assert type(loads(body)) is second
    assert loads(body).x == 1


def test_an_old_value_does_not_bring_the_old_class_back(monkeypatch):
    first, second = define(["x"]), define(["x"])
    monkeypatch.setattr(sys.modules["__main__"], "Cell", second, raising=False)
    written(second(x=1))
    assert type(loads(written(first(x=1)))) is second


def test_restoring_runs_none_of_the_users_code():
    assert back(loud("quiet")).text == "quiet"
    assert type(back(negative())) is Strict
    assert back(negative()).x == -1


def test_the_kits_own_enums_are_known_in_a_fresh_process():
    body = written([WorkflowState.COMPLETED, WorkerType.CODER])
    code = "import sys\nfrom orchestration_kit.journal.codec import loads\nprint(*map(repr, loads(sys.argv[1])))\n"
    done = subprocess.run([sys.executable, "-c", code, body.decode()], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == f"{WorkflowState.COMPLETED!r} {WorkerType.CODER!r}"


def test_an_unknown_type_says_what_to_do_and_what_is_known():
    register_type(Finding)
    with pytest.raises(UnknownType) as caught:
        loads('{"$model": ["tests.journal.codec_cases.Findings", {}, null, null, null]}')
    text = str(caught.value)
    assert (
        "The record holds a pydantic model named 'tests.journal.codec_cases.Findings', which is not registered here."
        in text
    )
    assert "Did you mean 'tests.journal.codec_cases.Finding'?" in text
    assert "then register_type(Findings)." in text


def test_the_models_of_a_generic_model_are_types_of_their_own():
    assert type(back(Box[int](content=1))) is Box[int]
    assert type(back(Box[str](content="x"))) is Box[str]
    assert type(back(Box(content="x"))) is Box


# Classes that changed


def test_a_field_that_is_gone_is_noticed():
    body = written(define(["x", "y"])(x=1, y=2))
    register_type(define(["x"]))
    with pytest.raises(TypeChanged, match=r"named '__main__.Cell'.* has changed since: it has no field 'y' any more"):
        loads(body)


def test_a_field_that_is_new_and_required_is_noticed():
    body = written(define(["x"])(x=1))
    register_type(define(["x", "y"]))
    with pytest.raises(TypeChanged, match="the field 'y' is new, and has no plain default"):
        loads(body)


def test_a_field_that_is_new_takes_its_plain_default():
    body = written(define(["x"])(x=1))

    class Wider(BaseModel):
        x: int
        y: str = "new"
        z: list[int] = Field(default_factory=list)
        _p: int = PrivateAttr(default=5)

    register_type(Wider, "__main__.Cell")
    restored = loads(body)
    assert (restored.x, restored.y, restored.z, restored._p) == (1, "new", [], 5)
    assert restored.model_fields_set == {"x"}


def test_a_private_attribute_that_is_gone_is_noticed():
    body = written(define(["x"], private=["_a", "_b"])(x=1))
    register_type(define(["x"], private=["_a"]))
    with pytest.raises(TypeChanged, match="no field '_b' any more"):
        loads(body)


def redefine(name, first, second):
    register_type(first, name)
    body = written(first(1) if first.__name__ != "E" else first.A)
    register_type(second, name)
    return body


def test_a_dataclass_that_changed_is_noticed():
    One = dataclasses.make_dataclass("One", [("x", int)])
    for fields, problem in [
        ([("y", int)], "the field 'y' is new, and has no plain default"),
        ([("x", int), ("y", Any, dataclasses.field(default_factory=lambda: 1))], "the field 'y' is new"),
        ([], "it has no field 'x' any more"),
    ]:
        body = redefine("changing", One, dataclasses.make_dataclass("Two", fields))
        with pytest.raises(TypeChanged, match=problem):
            loads(body)
    body = redefine(
        "changing", One, dataclasses.make_dataclass("Two", [("x", int), ("y", int, 3)], slots=True, frozen=True)
    )
    restored = loads(body)
    assert (restored.x, restored.y) == (1, 3)


def test_a_named_tuple_that_changed_is_noticed():
    First = NamedTuple("First", [("x", int)])

    class Wider(NamedTuple):
        x: int
        y: int = 4

    assert loads(redefine("changing tuple", First, Wider)) == (1, 4)
    for fields, problem in [([("x", int), ("z", int)], "the field 'z' is new"), ([], "no field 'x' any more")]:
        body = redefine("changing tuple", First, NamedTuple("Other", fields))
        with pytest.raises(TypeChanged, match=problem):
            loads(body)


def test_a_member_of_an_enum_that_is_gone_is_noticed():
    body = redefine("changing enum", enum.Enum("E", "A B"), enum.Enum("E", "B C"))
    with pytest.raises(TypeChanged, match="'A' is gone; there are B, C"):
        loads(body)


def test_a_class_that_became_another_kind_is_noticed():
    body = redefine("changing kind", NamedTuple("First", [("x", int)]), dataclasses.make_dataclass("Two", [("x", int)]))
    with pytest.raises(TypeChanged, match="it is a dataclass now"):
        loads(body)


def test_a_class_without_room_for_an_attribute_any_more_is_noticed():
    One = dataclasses.make_dataclass("One", [("x", int)])
    register_type(One, "roomy")
    value = One(1)
    value.more = 2
    body = written(value)
    assert loads(body).more == 2
    register_type(dataclasses.make_dataclass("Two", [("x", int)], slots=True), "roomy")
    with pytest.raises(TypeChanged, match="there is no place for 'more' any more"):
        loads(body)


def test_a_changed_class_survives_pickling_of_its_error():
    error = TypeChanged("a.B", "dataclass", "it has no field 'x' any more")
    assert str(pickle.loads(pickle.dumps(error))) == str(error)
    assert "register_type" in str(error)


@dataclasses.dataclass
class Tricky:
    x: int = 1

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        raise AssertionError("its __getattr__ ran")


def test_a_class_with_a_getattr_of_its_own_is_restored():
    assert back(Tricky(2)) == Tricky(2)
