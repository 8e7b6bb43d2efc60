"""A key that gets into a run by any door is on no record, no observer hears of it, and no journal or tape holds it."""

from __future__ import annotations

import asyncio

import pytest

from orchestration_kit import (
    ApprovalStep,
    MapStep,
    Orchestrator,
    ParallelStep,
    SubworkflowStep,
    WaitStep,
    WorkerDefinition,
)
from orchestration_kit.definition.steps import Branch
from orchestration_kit.engine.events import PartialOutput
from orchestration_kit.engine.outcome import Action, Failure, Spawn
from tests.engine.gatekeeping import FakeGate
from tests.support import step, workflow_of

KEY = "sk-proj-" + "Ab3dE5" * 8


class Place:
    """A hub whose every trace can be searched."""

    def __init__(self, tmp_path, *steps, workers=None, transformers=None, is_taped=False, **options):
        self.path, self.heard = tmp_path, []
        tape = {"cassette": tmp_path / "tape.yaml"} if is_taped else {}
        self.hub = Orchestrator(journal=tmp_path / "runs.db", observers=[self.heard.append], **tape, **options)
        for name, executor in (workers or {}).items():
            more = (transformers or {}).get(name, {})
            self.hub.register_worker(WorkerDefinition(worker_type=name, name=name, executor=executor, **more))
        self.hub.register_workflow(workflow_of(*steps))

    def start(self, **options):
        run = self.hub.start("flow", **{"goal": "goal", **options})
        run.run()
        return run

    def has_none(self, run):
        traces = {"history": run.context.history, "data": run.context.data.copy(), "heard": self.heard,
                  "waiting": run.waiting, "error": run.context.error, "started": run.machine.started,
                  "marks": run.machine.marks, "children": [one.context.history for one in run.children.values()]}  # fmt: skip
        found = [name for name, value in traces.items() if KEY in repr(value)]
        found += [one.name for one in self.path.iterdir() if KEY.encode() in one.read_bytes()]
        assert found == []
        assert "[REDACTED]" in repr(traces)


def raises(*_):
    raise ValueError(f"401 for {KEY}")


def pieces(_):
    yield "the key is "
    yield KEY
    yield {"key": KEY}


async def async_pieces(_):
    yield KEY


async def in_loop(_):
    return KEY


def on_the_bus(_, context):
    context.data["found"] = {"key": KEY, KEY: 1}
    context.data[KEY] = 1
    return "x"


def models(_, context):
    context.add_usage(input_tokens=1, model=KEY)
    return "x"


WORKERS = {
    "text": lambda _: KEY,
    "bytes": lambda _: KEY.encode(),
    "parts": lambda _: {"a": [KEY], KEY: 1},
    "async": in_loop,
    "raises": raises,
    "failure": lambda _: Failure(f"no {KEY}", output={"key": KEY}),
    "pieces": pieces,
    "async pieces": async_pieces,
    "data bus": on_the_bus,
    "usage": models,
}


@pytest.mark.parametrize("is_taped", [False, True], ids=["", "taped"])
@pytest.mark.parametrize("worker", WORKERS.values(), ids=WORKERS)
def test_what_a_worker_says(worker, is_taped, tmp_path):
    place = Place(tmp_path, step("a", max_retries=1), workers={"a": worker}, is_taped=is_taped)
    place.has_none(place.start())


@pytest.mark.parametrize("worker", WORKERS.values(), ids=WORKERS)
def test_what_a_worker_says_in_an_event_loop(worker, tmp_path):
    place = Place(tmp_path, step("a"), workers={"a": worker})
    run = place.hub.start("flow", "goal")
    asyncio.run(run.arun())
    place.has_none(run)


@pytest.mark.parametrize("is_async", [False, True])
@pytest.mark.parametrize("worker", WORKERS.values(), ids=WORKERS)
def test_what_a_worker_says_in_a_branch(worker, is_async, tmp_path):
    place = Place(
        tmp_path, ParallelStep(step_id="p", branches={"x": "a", "y": "b"}, is_terminal=True), step("a"), step("b"),
        workers={"a": worker, "b": lambda _: 1},
    )  # fmt: skip
    run = place.hub.start("flow", "goal")
    asyncio.run(run.arun()) if is_async else run.run()
    place.has_none(run)


@pytest.mark.parametrize(
    "more",
    [
        {"input_transformer": raises}, {"output_transformer": raises},
        {"input_transformer": lambda _: KEY}, {"output_transformer": lambda _: {"k": KEY}},
        {"output_schema": int},
    ],
)  # fmt: skip
def test_what_transformers_and_schemas_say(more, tmp_path):
    place = Place(tmp_path, step("a"), workers={"a": lambda given: KEY}, transformers={"a": more})
    place.has_none(place.start(goal=f"use {KEY}"))


def writes(_, context):
    context.data["token"] = KEY
    return {"key": KEY}


CONDITIONS = {
    "success_when": {"success_when": "data.token != 'x' && output.key != 'y'"},
    "success_when is false": {"success_when": "data.token == 'x' || output.key == 'y'"},
    "edge": {"branches": [Branch(when="data.token != 'x' && output.key != 'y'", to="b")]},
    "edge raises": {"branches": [Branch(when=raises, to="b")]},
    "success_when raises": {"success_when": raises},
    "edge of another type": {"branches": [Branch(when="data.token > 5", to="b")]},
    "edge gives no bool": {"branches": [Branch(when=lambda *_: KEY, to="b")]},
}


@pytest.mark.parametrize("fields", CONDITIONS.values(), ids=CONDITIONS)
def test_what_conditions_see_and_say(fields, tmp_path):
    place = Place(tmp_path, step("a", "b", **fields), step("b"), workers={"a": writes, "b": lambda _: 1})
    place.has_none(place.start())


def test_what_a_person_is_shown_and_says(tmp_path):
    def token(*_):
        return {"key": KEY}

    for how in ("approve", "reject"):
        (tmp_path / how).mkdir()
        place = Place(tmp_path / how, ApprovalStep(step_id="ask", prompt="ok?", show=[token], is_terminal=True))
        run = place.start()
        assert KEY not in repr(run.waiting)
        getattr(run, how)({"token": KEY} if how == "approve" else f"no, {KEY}")
        run.run()
        assert run.state == ("completed" if how == "approve" else "failed")
        place.has_none(run)


@pytest.mark.parametrize("is_early", [False, True])
def test_what_an_event_says(is_early, tmp_path):
    wait = WaitStep(step_id="wait", event="paid", on_success="b")
    place = Place(tmp_path, wait, step("b"), workers={"b": lambda given: given})
    run = place.hub.start("flow", "goal")
    if not is_early:
        run.run()
    run.send("paid", {"key": KEY})
    run.run()
    assert run.state == "completed"
    place.has_none(run)


def test_what_goal_data_and_tags_say(tmp_path):
    place = Place(tmp_path, step("a"), workers={"a": lambda given: given})
    run = place.start(goal=f"use {KEY}", initial_data={"key": [KEY]}, tags={"key": KEY})
    place.has_none(run)
    place.has_none(run.fork(at="a#1", data={"other": KEY}, input=KEY))
    place.has_none(run.refresh(goal=f"now {KEY}"))


def test_what_a_cancel_says(tmp_path):
    place = Place(
        tmp_path,
        step("a", "b"),
        step("b"),
        workers={"a": lambda _: place.hub.last_run.cancel(f"not with {KEY}"), "b": lambda _: 1},
    )
    run = place.start()
    assert run.state == "cancelled"
    place.has_none(run)
    other = place.hub.start("flow", "goal")
    other.cancel(KEY)
    place.has_none(other)


def test_what_a_person_puts_out(tmp_path):
    place = Place(tmp_path, step("a", "b"), step("b"), workers={"a": lambda _: 1, "b": lambda _: 1})
    run = place.hub.start("flow", "goal")
    run.skip(KEY)
    run.use("b", lambda _: KEY)
    run.run()
    place.has_none(run)


@pytest.mark.parametrize("how", ["items", "body raises", "reducer raises", "reducer", "conflict", "added"])
def test_what_branches_say(how, tmp_path):
    def body(given, context):
        context.data["found"] = f"{given}{context.branch}"
        if how == "added" and context.branch == "0":
            context.add_item(KEY)
        return raises() if how == "body raises" else given

    over = (lambda *_: [KEY, {"k": KEY}]) if how in ("items", "conflict") else (lambda *_: ["a", "b"])
    reducer = {"reducer raises": raises, "reducer": lambda values: [KEY]}.get(
        how, None if how == "conflict" else "last"
    )
    place = Place(
        tmp_path,
        MapStep(step_id="m", over=over, body="a", reducer=reducer, is_terminal=True),
        step("a"),
        workers={"a": body},
    )
    place.has_none(place.start())


def test_what_runs_within_say(tmp_path):
    def token(*_):
        return KEY

    for number, (given, worker) in enumerate(((token, lambda g: g), ({"k": token}, raises), (None, lambda _: KEY))):
        (tmp_path / str(number)).mkdir()
        place = Place(
            tmp_path / str(number), step("b", "sub"), SubworkflowStep(step_id="sub", workflow="inner", input=given, is_terminal=True),
            workers={"a": worker, "b": lambda _: 1},
        )  # fmt: skip
        place.hub.register_workflow(workflow_of(step("a"), name="inner"))
        run = place.start()
        place.has_none(run)
        for child in run.children.values():
            assert KEY not in repr(child.machine.started)


def test_what_spawned_workflows_say(tmp_path):
    def spawns(_):
        return Spawn(workflow_of(step("b", description=f"use {KEY}"), name="made"), input={"key": KEY})

    place = Place(tmp_path, step("a"), workers={"a": spawns, "b": lambda given: given})
    place.has_none(place.start())


@pytest.mark.parametrize("is_taped", [False, True])
@pytest.mark.parametrize("way", ["done", "refused", "raises", "kept back", "asked"])
def test_what_actions_say(way, is_taped, tmp_path):
    def hand(data):
        return raises() if way == "raises" else KEY

    gate = FakeGate(
        {"refused": {"send": "retry"}, "asked": {"send": "ask"}}.get(way, {}),
        keeps_back={"send": "fail"} if way == "kept back" else {},
    )
    place = Place(
        tmp_path, step("a", max_retries=0), constraints=gate, actions={"send": hand}, is_taped=is_taped,
        workers={"a": lambda _: Action("send", {"header": KEY, KEY: "x"})},
    )  # fmt: skip
    place.has_none(place.start())


def test_what_notes_on_errors_say(tmp_path):
    def noted(_):
        error = ValueError(f"see {KEY}")
        error.add_note(f"with {KEY}")
        raise error from ValueError(KEY)

    place = Place(tmp_path, step("a"), workers={"a": noted})
    place.has_none(place.start())


@pytest.mark.parametrize("size", [1, 3, 7, 30])
@pytest.mark.parametrize("is_async", [False, True])
def test_a_key_that_comes_in_parts_is_told_of_no_further_than_it_could_be_known(is_async, size, tmp_path):
    text = f"the key is {KEY}, and that is all; it is long. "

    def worker(_):
        for start in range(0, len(text), size):
            yield text[start : start + size]

    async def in_loop(_):
        for piece in worker(None):
            yield piece

    place = Place(tmp_path, step("a"), workers={"a": in_loop if is_async else worker}, is_taped=True)
    run = place.start()
    place.has_none(run)
    told = "".join(one.piece for one in place.heard if isinstance(one, PartialOutput))
    assert KEY[: len(KEY) * 3 // 4] not in told
    assert told.startswith("the key is ") and told.endswith(", and that is all; it is long. ")
    tape = (tmp_path / "tape.yaml").read_text()
    assert KEY[-6:] not in "".join(line.strip().lstrip("- ").strip("'") for line in tape.splitlines())


def test_a_clean_stream_is_told_of_as_it_came(tmp_path):
    pieces = [f"word {number} " * (number % 7) for number in range(3_000)]

    def worker(_):
        yield from pieces

    place = Place(tmp_path, step("a", "b"), step("b"), workers={"a": worker, "b": lambda _: KEY})
    place.has_none(place.start())
    assert [one.piece for one in place.heard if isinstance(one, PartialOutput)] == pieces


def test_a_failure_whose_output_cannot_be_on_record_fails_its_attempt_only(tmp_path):
    deep = []
    for _ in range(500):
        deep = [deep]

    def fails(_):
        raise Failure("no", output=deep)

    place = Place(
        tmp_path, step("a", on_failure="b", max_retries=0), step("b"), workers={"a": fails, "b": lambda _: KEY}
    )
    run = place.start()
    assert (run.state, run.context.history[0]["error_type"]) == ("completed", "OutputRejected")
    place.has_none(run)
