"""How workers are bound: every kind of callable, looked at once, called never."""

from __future__ import annotations

import functools
import inspect
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from orchestration_kit import WorkerDefinition
from orchestration_kit.engine.calls import bind_worker
from orchestration_kit.errors import InvalidWorker
from orchestration_kit.testing import ScriptedWorker


def bound(executor=str, **fields):
    return bind_worker(WorkerDefinition(worker_type="w", name="Ada", executor=executor, **fields))


def never(*args, **kwargs):
    raise AssertionError("called while it was bound")


class Agent:
    def __call__(self, input_data, context):
        never()

    def one(self, input_data):
        never()

    def two(self, input_data, context):
        never()

    async def later(self, input_data):
        never()

    @classmethod
    def of_class(cls, input_data, context):
        never()

    @staticmethod
    def static(input_data):
        never()

    async def stream(self, input_data):
        yield never()


class AsyncAgent:
    async def __call__(self, input_data):
        never()


class Streaming:
    def __call__(self, input_data):
        yield never()


class AsyncStreaming:
    async def __call__(self, input_data, context):
        yield never()


def plain(input_data): ...
def with_context(input_data, context): ...
def with_default(input_data, context=None): ...
def with_ctx(input_data, ctx=None): ...
def with_option(input_data, times=2): ...
def with_keyword(input_data, *, times=2): ...
def with_many(*args): ...
def with_one_and_many(input_data, *rest): ...
def with_options(input_data, **options): ...
def positional_only(input_data, context, /): ...
def three_with_defaults(input_data, context, more=1): ...


async def coroutine(input_data, context): ...


def generator(input_data):
    yield


async def async_generator(input_data):
    yield


@functools.wraps(with_context)
def wrapped(*args, **kwargs):
    never()


@pytest.mark.parametrize(
    ("executor", "takes_context", "is_async", "is_generator"),
    [
        (plain, False, False, False), (with_context, True, False, False), (with_default, True, False, False), (with_ctx, True, False, False),
        (with_option, False, False, False), (with_keyword, False, False, False), (with_many, True, False, False), (with_one_and_many, True, False, False),
        (with_options, False, False, False), (positional_only, True, False, False), (three_with_defaults, True, False, False), (wrapped, True, False, False),
        (lambda text: text, False, False, False), (lambda text, context: text, True, False, False),
        (coroutine, True, True, False), (generator, False, False, True), (async_generator, False, True, True),
        (Agent(), True, False, False), (Agent().one, False, False, False), (Agent().two, True, False, False), (Agent().later, False, True, False),
        (Agent.of_class, True, False, False), (Agent.static, False, False, False), (Agent().stream, False, True, True),
        (AsyncAgent(), False, True, False), (Streaming(), False, False, True), (AsyncStreaming(), True, True, True),
        (functools.partial(coroutine), True, True, False), (functools.partial(functools.partial(generator)), False, False, True),
        (functools.partial(three_with_defaults, more=2), True, False, False), (functools.partial(with_context, "bound"), False, False, False),
        (functools.partial(AsyncAgent()), False, True, False),
        (str, False, False, False), (str.upper, False, False, False), (len, False, False, False), (dict, False, False, False), (int, False, False, False), (print, True, False, False),
        (ScriptedWorker("x"), True, False, False),
    ],
    ids=lambda value: getattr(value, "__qualname__", type(value).__name__) if callable(value) else str(int(value)),
)  # fmt: skip
def test_every_kind_of_callable_is_recognised(executor, takes_context, is_async, is_generator):
    worker = bound(executor)
    assert (worker.takes_context, worker.is_async, worker.is_generator) == (takes_context, is_async, is_generator)
    assert worker.call is executor
    assert (worker.name, worker.worker_type) == ("Ada", "w")


def test_a_worker_without_transformers_or_schema_has_none():
    worker = bound()
    assert (worker.input_transformer, worker.output_transformer, worker.validate_output) == (None, None, None)
    assert not worker.shapes_output
    assert bound(output_schema=int).shapes_output
    assert bound(output_transformer=str).shapes_output


@pytest.mark.parametrize("executor", ["text", 7, None, ["list"], {"a": 1}])
def test_what_cannot_be_called_is_refused_with_an_example(executor):
    with pytest.raises(
        InvalidWorker, match=f"'Ada'.*its executor is {type(executor).__name__}, which cannot be called"
    ) as caught:
        bound(executor)
    assert "def worker(input_data, context): return output" in str(caught.value)


@pytest.mark.parametrize(
    "executor",
    [lambda: None, lambda a, b, c: None, lambda a, *, key: None, lambda *, key=1: None, lambda **options: None, functools.partial(plain, 1), dict.fromkeys and (lambda a, b, *, c: 1)],
)  # fmt: skip
def test_what_takes_other_parameters_is_refused_with_its_signature(executor):
    with pytest.raises(
        InvalidWorker, match=r"cannot be called with \(input_data, context\) or \(input_data\)"
    ) as caught:
        bound(executor)
    assert str(inspect.signature(executor)) in str(caught.value)


def test_a_class_whose_instances_are_workers_is_refused_with_the_way_to_register_one():
    with pytest.raises(
        InvalidWorker, match=r"its executor is the class Agent.*Register an instance: executor=Agent\(...\)"
    ):
        bound(Agent)

    @dataclass
    class Parsed:
        text: str

    assert bound(Parsed).call is Parsed


@pytest.mark.parametrize("role", ["input_transformer", "output_transformer"])
def test_a_transformer_takes_one_argument_or_two(role):
    one, two = (
        bound(**{role: lambda value: ("one", value)}),
        bound(**{role: lambda value, context: ("two", value, context)}),
    )
    given_to_one = "context" if role == "input_transformer" else "data"
    assert getattr(one, role)("data", "context") == ("one", given_to_one)
    assert getattr(two, role)("data", "context") == ("two", "data", "context")


@pytest.mark.parametrize("role", ["input_transformer", "output_transformer"])
@pytest.mark.parametrize("wrong", [5, lambda: 1, lambda a, b, c: 1, Agent])
def test_a_transformer_that_cannot_be_called_is_named_with_an_example_of_its_own(role, wrong):
    with pytest.raises(InvalidWorker, match=f"its {role} ") as caught:
        bound(**{role: wrong})
    assert f"def {role}(" in str(caught.value) or "Register an instance" in str(caught.value)


class Page(BaseModel):
    title: str


@pytest.mark.parametrize(
    ("schema", "good", "bad"),
    [(Page, {"title": "x"}, {}), (list[int], [1], ["x"]), (int | None, None, "x"), (dict[str, int], {"a": 1}, 5)],
)
def test_a_schema_is_anything_that_pydantic_can_validate(schema, good, bad):
    validate = bound(output_schema=schema).validate_output
    assert validate(good) in (good, Page(title="x"))
    with pytest.raises(ValidationError):
        validate(bad)


@pytest.mark.parametrize("schema", [object(), 5])
def test_a_schema_that_is_none_is_refused_at_registration(schema):
    with pytest.raises(
        InvalidWorker, match=r"its output_schema .* is no type that pydantic can validate. Give a pydantic model"
    ):
        bound(output_schema=schema)


def test_a_schema_that_is_a_text_is_refused_at_registration():
    with pytest.raises(InvalidWorker, match="is no type that pydantic can validate"):
        bound(output_schema="a title and tags")


KINDS = inspect.Parameter


@st.composite
def signatures(draw: st.DrawFn) -> inspect.Signature:
    parameters = []
    has_default = False
    for index in range(draw(st.integers(0, 4))):
        has_default = has_default or draw(st.booleans())
        name = draw(st.sampled_from(["context", "ctx", "other"])) + str(index if draw(st.booleans()) else "")
        if name not in {parameter.name for parameter in parameters}:
            default = None if has_default else KINDS.empty
            parameters.append(KINDS(name, KINDS.POSITIONAL_OR_KEYWORD, default=default))
    if draw(st.booleans()):
        parameters.append(KINDS("args", KINDS.VAR_POSITIONAL))
    if draw(st.booleans()):
        parameters.append(KINDS("key", KINDS.KEYWORD_ONLY, default=draw(st.sampled_from([None, KINDS.empty]))))
    return inspect.Signature(parameters)


@given(signatures())
def test_a_worker_that_is_bound_can_be_called_as_it_is_bound(signature):
    def executor(*args, **kwargs):
        signature.bind(*args, **kwargs)
        return len(args)

    executor.__signature__ = signature
    try:
        worker = bound(executor)
    except InvalidWorker:
        for arguments in ((1,), (1, 2)):
            with pytest.raises(TypeError):
                signature.bind(*arguments)
    else:
        assert worker.call(*(1, 2)[: 1 + worker.takes_context]) == 1 + worker.takes_context
        required = [
            p for p in signature.parameters.values() if p.default is p.empty and p.kind is p.POSITIONAL_OR_KEYWORD
        ]
        assert worker.takes_context or len(required) <= 1
