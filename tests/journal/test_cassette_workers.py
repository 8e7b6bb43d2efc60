"""Cassettes of every kind of worker."""

from __future__ import annotations

import asyncio
import dataclasses
import threading

import pandas as pd
import pytest
from pydantic import BaseModel

from orchestration_kit import Failure, Orchestrator, RetryPolicy, RunLimits, WorkerDefinition
from orchestration_kit.journal.cassette.tape import (
    Cassette,
    CassetteMiss,
    cassette,
)
from tests.journal.tapes import chain, history, one_step, run
from tests.journal.test_cassette import _no_variable, miss, never, tape_path  # noqa: F401 - fixtures
from tests.support import step, workflow_of


def pieces(x):
    yield "a"
    yield "b"


def pieces_and_more(x):
    yield {"n": 1}
    yield {"n": 2}
    return {"all": [1, 2]}


def no_pieces(x):
    return
    yield


async def answer(x):
    await asyncio.sleep(0)
    return {"answer": x}


async def async_pieces(x):
    yield [1]
    await asyncio.sleep(0)
    yield [2]


class Callable_:
    def __call__(self, x, context):
        return f"called {x}"


KINDS = {
    "sync": (lambda x: x.upper(), {}),
    "async": (answer, {}),
    "pieces": (pieces, {}),
    "pieces and more": (pieces_and_more, {}),
    "no pieces": (no_pieces, {}),
    "async pieces": (async_pieces, {}),
    "object": (Callable_(), {}),
    "limited": (lambda x: x.upper(), {"timeout_s": 30.0}),
    "limited async": (answer, {"timeout_s": 30.0}),
    "nothing": (lambda x: None, {}),
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("in_loop", [False, True])
def test_every_kind_of_worker_is_replayed(path, kind, in_loop):
    worker, fields = KINDS[kind]

    def once(mode):
        told = []
        hub = one_step(worker, **fields)
        hub.observers.append(told.append)
        with cassette(path, mode):
            context = run(hub, in_loop=in_loop)
        return context, [(type(event).__name__, getattr(event, "piece", None)) for event in told]

    (recorded, live_events), (replayed, events) = once("record"), once("replay")
    assert history(recorded) == history(replayed)
    assert live_events == events
    assert dict(recorded.data) == dict(replayed.data)
    assert replayed.history[0]["cached"]


def test_pieces_are_recorded_as_they_were_when_they_were_yielded(path):
    def growing(x):
        items = []
        for n in range(3):
            items.append(n)
            yield items

    with cassette(path):
        recorded = run(one_step(growing))
    with cassette(path, "replay"):
        replayed = run(one_step(growing))
    assert replayed.data["work_output"] == recorded.data["work_output"] == [[0], [0, 1], [0, 1, 2]]


def test_an_output_that_is_changed_later_is_recorded_as_it_was(path):
    kept = []

    def worker(x):
        kept.append({"n": 1})
        return kept[-1]

    tape = Cassette(path)
    with tape:
        hub = one_step(worker)
        hub.start("flow", "goal").run()
        kept[0]["n"] = 2
    assert [one.output for one in tape] == [{"n": 1}]


def test_errors_come_back_as_they_were(path):
    class RateLimited(ConnectionError):
        pass

    def boom(kind):
        def worker(x):
            if kind == "json":
                __import__("json").loads("{")
            if kind == "unicode":
                b"\xff".decode()
            if kind == "key":
                raise KeyError("price")
            if kind == "empty":
                raise ValueError
            if kind == "own":
                raise RateLimited("slow down")
            if kind == "group":
                raise ExceptionGroup("several", [ValueError("x")])
            raise Failure("not yet", {"n": 1})

        return worker

    for kind in ("json", "unicode", "key", "empty", "own", "group", "failure"):
        hub = one_step(boom(kind), max_retries=1, retry=RetryPolicy(retry_on=("ConnectionError", "LookupError")))
        with cassette(path, "record"):
            recorded = run(hub, kind)
        with cassette(path, "replay"):
            replayed = run(hub, kind)
        assert history(replayed) == history(recorded)
        assert len(replayed.history) == (2 if kind in ("own", "key") else 1)
        assert (replayed.error, replayed.state) == (recorded.error, recorded.state)


def test_usage_counts_towards_the_limits_of_a_replay_too(path):
    def worker(x, context):
        context.add_usage(cost_usd=0.4)
        return x

    with cassette(path):
        recorded = run(chain(worker, worker, worker), limits=RunLimits(max_cost_usd=0.5))
    with cassette(path, "replay"):
        replayed = run(chain(never, never, never), limits=RunLimits(max_cost_usd=0.5))
    assert recorded.error == replayed.error
    assert "max_cost_usd" in replayed.error


def test_usage_and_data_of_an_input_transformer_are_its_own(path):
    def transformer(context):
        context.add_usage(input_tokens=10, cost_usd=0.1)
        context.data["n"] = context.data.get("n", 0) + 1
        return "given"

    def worker(x, context):
        context.add_usage(output_tokens=1, cost_usd=0.2)
        context.data["m"] = context.data["n"] * 10
        return x

    def build():
        hub = Orchestrator()
        hub.register_worker(WorkerDefinition(worker_type="work", name="w", executor=worker, input_transformer=transformer, output_transformer=lambda out, context: f"{out}!", output_schema=str))  # fmt: skip
        hub.register_workflow(workflow_of(step("work", success_when=lambda output, context: context.data["m"] == 10)))
        return hub

    with cassette(path) as tape:
        recorded = run(build())
    with cassette(path, "replay"):
        replayed = run(build())
    assert history(recorded) == history(replayed)
    assert replayed.data["m"] == 10
    assert replayed.history[0]["usage"] == {"input_tokens": 10, "output_tokens": 1, "cost_usd": 0.1 + 0.2, "model": None}  # fmt: skip
    assert [(one.input, one.output) for one in tape] == [("given", "given")]  # before the output transformer


def test_a_rejected_output_is_judged_anew(path):
    with cassette(path):
        run(one_step(lambda x: {"approved": False}, success_when="output.approved == true"))
    with cassette(path, "replay"):
        assert run(one_step(never, success_when="output.approved == true")).state == "failed"
        assert run(one_step(never, success_when="output.approved == false")).state == "completed"


class Page(BaseModel):
    title: str
    words: set[str] = set()


@dataclasses.dataclass
class Finding:
    text: str


def test_values_of_many_kinds(path):
    def worker(x, context):
        context.data["frame"] = pd.DataFrame({"n": [1, 2]})
        context.data["finding"] = Finding("x")
        return [Page(title="T", words={"b", "a"}), Finding("y"), (1, 2), b"\x00", float("inf"), {3: 4}, "\ud800"]

    with cassette(path):
        recorded = run(chain(worker, lambda x: repr(x)))
    with cassette(path, "replay"):
        replayed = run(chain(never, never))
    assert replayed.data["a_output"] == recorded.data["a_output"]
    assert replayed.data["frame"].equals(recorded.data["frame"])
    assert replayed.data["finding"] == Finding("x")


def test_what_cannot_be_recorded_fails_the_attempt_and_says_why(path):
    with cassette(path) as tape:
        context = run(one_step(lambda x: threading.Lock(), max_retries=3))
    assert context.state == "failed"
    assert "output of step 'work' is _thread.lock, which cannot be put on record" in context.error
    assert len(tape) == 0

    def worker(x, context):
        context.data["client"] = threading.Lock()

    with cassette(path):
        assert "data['client']" in run(one_step(worker)).error


def test_a_coroutine_that_nobody_awaits_is_the_engines_to_refuse(path):
    with cassette(path):
        recorded = run(one_step(lambda x: answer(x)))
    with cassette(path, "replay"):
        replayed = run(one_step(never))
    assert recorded.error == replayed.error
    assert "nobody awaits" in replayed.error


def test_the_order_of_keys_and_sets_does_not_matter(path):
    with cassette(path):
        run(chain(lambda x: {"a": 1, "b": {"x", "y", "z"}, 3: 4}, lambda x: "B"))
    text = path.read_text()
    hub = chain(lambda x: {3: 4, "b": {"z", "y", "x"}, "a": 1}, never)
    path.write_text(text.replace("path: a#1", "path: q#1"))
    with cassette(path) as tape:
        assert run(hub).data["b_output"] == "B"
    assert tape.hits == 1


def test_declared_reads_are_part_of_what_is_looked_for(path):
    def worker(x, context):
        return context.data["colour"]

    def once(mode, colour, **fields):
        with cassette(path, mode):
            return run(one_step(worker, **fields), initial_data={"colour": colour, "other": 1}).data["work_output"]

    assert once("auto", "red") == "red"
    assert once("auto", "blue") == "red"  # as documented: not declared, not seen
    assert once("auto", "red", reads=("colour",)) == "red"
    assert once("auto", "blue", reads=("colour",)) == "blue"
    assert once("replay", "red", reads=("colour",)) == "red"
    with pytest.raises(CassetteMiss, match=r"- +colour: (red|blue)\n +\+ +colour: green"):
        once("replay", "green", reads=("colour",))


def test_a_declared_read_that_cannot_be_written_counts_by_its_type(path):
    for _ in range(2):
        with cassette(path) as tape:
            run(one_step(lambda x: x, reads=("lock",)), initial_data={"lock": threading.Lock()})
    assert tape.hits == 1


@pytest.mark.parametrize("kind", ["sync", "async", "pieces", "async pieces", "limited"])
def test_every_kind_of_worker_misses_alike(path, kind):
    worker, fields = KINDS[kind]
    error = miss(path, one_step(worker, **fields))
    assert "The file does not exist yet." in str(error)
