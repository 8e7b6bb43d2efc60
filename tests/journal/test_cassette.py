"""What is recorded is replayed, and nobody can tell the difference; what is not, is called or ends the run."""

from __future__ import annotations

import asyncio
import dataclasses
import threading
from concurrent.futures import ThreadPoolExecutor

import pandas as pd
import pytest
from pydantic import BaseModel

from orchestration_kit import Failure, Orchestrator, RetryPolicy, RunLimits, WorkerDefinition
from orchestration_kit.journal.cassette.tape import (
    ENVIRONMENT,
    Cassette,
    CassetteError,
    CassetteMiss,
    as_cassette,
    cassette,
    current_cassette,
)
from orchestration_kit.journal.errors import NotRecordable
from tests.journal.tapes import Site, chain, history, one_step, run, start
from tests.support import hub_of, step, workflow_of


@pytest.fixture(autouse=True)
def _no_variable(monkeypatch):
    monkeypatch.delenv(ENVIRONMENT, raising=False)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "tape.yaml"


def never(*_):
    raise AssertionError("a worker was called")


# --- modes


def test_a_second_run_is_free_and_has_the_same_history(path):
    live, again = Site(), Site()
    with cassette(path) as first:
        recorded = run(live.hub(), "bakery", "site")
    with cassette(path, "replay") as second:
        replayed = run(again.hub(), "bakery", "site")
    assert (first.hits, first.misses, first.recorded) == (0, 6, 6)
    assert (second.hits, second.misses, second.recorded) == (6, 0, 0)
    assert live.calls == ["plan#1", "code#1", "code#1", "review#1", "code#2", "review#2"]
    assert again.calls == []
    assert history(replayed) == history(recorded)
    assert dict(replayed.data) == dict(recorded.data)
    assert (replayed.state, replayed.error) == (recorded.state, recorded.error) == ("completed", None)
    assert "lost" not in replayed.data
    assert [entry["cached"] for entry in recorded.history] == [False] * 7
    assert [entry["cached"] for entry in replayed.history] == [True] * 6 + [False]  # the last step has no worker


def test_equal_attempts_of_several_runs_share_a_recording(path):
    site = Site()
    with cassette(path) as tape:
        run(site.hub(), "bakery", "site")
        run(site.hub(), "bakery", "site")
        run(site.hub(), "butcher", "site")
    assert tape.hits == 6 + 3  # from the first review on, the third run is given what the others were
    assert tape.recorded == 6 + 3 == len(tape)
    assert [one.path for one in tape].count("plan#1") == 2


def test_auto_calls_only_what_is_missing(path):
    calls = []
    with cassette(path):
        run(chain(lambda x: calls.append("a") or "A", lambda x: calls.append("b") or "B"))
    with cassette(path) as tape:
        run(chain(never, never, lambda x: calls.append("c") or "C"))
    assert calls == ["a", "b", "c"]
    assert (tape.hits, tape.recorded) == (2, 1)


def test_record_calls_again_and_replaces(path):
    for answer in ("old", "new"):
        with cassette(path, "record") as tape:
            run(one_step(lambda x, answer=answer: answer))
        assert (tape.hits, tape.misses, tape.recorded) == (0, 0, 1)
    with cassette(path, "record"):
        run(one_step(lambda x: "other"), "another goal")
    with cassette(path, "replay") as tape:
        assert run(one_step(never)).data["work_output"] == "new"
        assert run(one_step(never), "another goal").data["work_output"] == "other"
    assert len(tape) == 2


def test_off_leaves_everything_alone(path):
    with cassette(path, "off") as tape:
        run(one_step(lambda x: "live"))
    assert not path.exists()
    path.write_text("not a cassette: at all\n")
    with cassette(path, "off"):
        run(one_step(lambda x: "live"))
    assert repr(tape) == f"<Cassette {str(path)!r}, mode 'off': 0 replayed, 0 not found, 0 recorded>"


def test_nothing_recorded_leaves_no_file(path):
    with cassette(path):
        pass
    assert not path.exists()


@pytest.mark.parametrize(("code", "variable", "mode"), [("auto", "replay", "replay"), ("auto", " Record ", "record"), ("auto", "", "auto"), ("record", "replay", "record"), ("off", "replay", "off")])  # fmt: skip
def test_the_environment_decides_where_the_code_says_auto(path, monkeypatch, code, variable, mode):
    monkeypatch.setenv(ENVIRONMENT, variable)
    assert Cassette(path, code).mode == mode


def test_a_wrong_mode_names_those_there_are(path, monkeypatch):
    with pytest.raises(
        CassetteError, match=r"mode is 'reply'\. Did you mean 'replay'\?\. There are 'auto', 'record', 'replay', 'off'"
    ):
        cassette(path, "reply")
    monkeypatch.setenv(ENVIRONMENT, "recrod")
    with pytest.raises(CassetteError, match=r"ORCHESTRATION_KIT_CASSETTE is 'recrod'\. Did you mean 'record'"):
        cassette(path)


# --- misses


def miss(path, hub, goal="goal", **options):
    with cassette(path, "replay"), pytest.raises(CassetteMiss) as caught:
        run(hub, goal, **options)
    return caught.value


def test_a_miss_ends_the_run_and_reaches_the_caller(path):
    with cassette(path):
        run(one_step(lambda x: "yes"))
    hub = hub_of(workflow_of(step("work", "after", on_failure="rescue", max_retries=5), step("after"), step("rescue")), {"work": never, "rescue": never})  # fmt: skip
    error = miss(path, hub, "other goal")
    assert (error.path, error.attempt, error.worker, error.cassette) == ("work#1", 1, "work", str(path))
    last = hub.last_run
    assert (last.state, len(last.history)) == ("cancelled", 1)
    assert "CassetteMiss" in last.context.error


def test_a_miss_is_no_error_that_anybody_handles_by_accident(path):
    def outer(goal, context):
        try:
            return run(one_step(never), "inner goal").data["work_output"]
        except Exception:
            return "swallowed"

    with cassette(path):
        run(chain(lambda x: "A"), "goal")
    with pytest.raises(CassetteMiss), cassette(path, "replay"):
        outer("goal", None)


@pytest.mark.parametrize("kind", ["sync", "async", "pieces", "async pieces", "limited"])
def test_every_kind_of_worker_misses_alike(path, kind):
    worker, fields = KINDS[kind]
    error = miss(path, one_step(worker, **fields))
    assert "The file does not exist yet." in str(error)


def test_a_miss_in_a_running_loop(path):
    async def main():
        with cassette(path, "replay"), pytest.raises(CassetteMiss):
            await one_step(never).aexecute_workflow("flow", "goal", verbose=False)

    asyncio.run(main())


def test_a_miss_shows_what_differs(path):
    with cassette(path):
        run(chain(lambda x: {"goal": x, "pages": 3, "text": "word " * 100 + "end"}, lambda x: "B"), "a bakery in Bonn")
    with cassette(path, "record"):
        run(chain(lambda x: {"goal": x, "pages": 3}), "a bakery in Berlin")
    error = miss(path, chain(never, never), "a bakery in Berlin")
    text = str(error)
    assert "no recording for b#1 of worker 'b' with this input" in text
    assert "Nearest is b#1, with another input. What differs (- recorded, + now):" in text
    assert "  - goal: a bakery in Bonn\n  + goal: a bakery in Berlin" in text
    assert "  - text: word word" in text
    assert 'mode="auto"' in text
    assert "ORCHESTRATION_KIT_CASSETTE=auto" in text
    assert max(map(len, text.splitlines())) < 250


def test_a_miss_cuts_long_lines_to_where_they_differ(path):
    before = "the same words over and over " * 40
    with cassette(path):
        run(one_step(lambda x: x), before + "red" + " and on" * 40)
    text = str(miss(path, one_step(never), before + "blue" + " and on" * 40))
    assert "red and on" in text
    assert "blue and on" in text
    assert max(map(len, text.splitlines())) < 250


def test_a_miss_names_the_same_input_elsewhere(path):
    with cassette(path):
        run(one_step(lambda x: x))
    hub = hub_of(workflow_of(step("work", worker="other", worker_type="t")), {})
    hub.register_worker(WorkerDefinition(worker_type="t", name="other", executor=never))
    assert "The same input is recorded for work#1, worker 'work'." in str(miss(path, hub))


def test_a_miss_names_the_steps_there_are(path):
    with cassette(path):
        run(chain(lambda x: x, lambda x: x))
    assert "It has no recording of step 'work'. Recorded steps: a, b." in str(miss(path, one_step(never)))


def test_a_miss_of_a_second_attempt_says_so(path):
    def worker(x, context):
        raise ValueError("no")

    with cassette(path):
        run(one_step(worker))
    text = str(miss(path, one_step(never, max_retries=1)))
    assert "no recording for work#1, attempt 2, of worker 'work'" in text
    assert "The same input is recorded for work#1, attempt 1." in text


# --- every kind of worker


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


# --- interruptions and time limits


def test_interruptions_are_not_recorded(path):
    def worker(x):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), cassette(path) as tape:
        run(one_step(worker))
    assert len(tape) == 0


def test_what_was_recorded_before_an_interruption_is_kept(path):
    def worker(x):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), cassette(path):
        run(chain(lambda x: "costly", worker))
    assert [one.output for one in Cassette(path)] == ["costly"]


RELEASE = threading.Event()
"""Lets workers end whose time was up."""


def slow(x):
    RELEASE.wait(30)
    return "late"


async def slow_async(x):
    await asyncio.sleep(5)


def slow_pieces(x):
    yield "a"
    RELEASE.wait(30)
    yield "b"


@pytest.mark.parametrize("worker", [slow, slow_async, slow_pieces])
@pytest.mark.parametrize("in_loop", [False, True])
def test_a_time_limit_is_replayed_as_one(path, worker, in_loop):
    def once(mode, worker):
        hub = one_step(worker, timeout_s=0.1)
        with cassette(path, mode):
            return run(hub, in_loop=in_loop)

    RELEASE.clear()
    recorded = once("record", worker)
    RELEASE.set()
    for thread in threading.enumerate():  # what comes late changes nothing
        if thread.name == "orchestration_kit worker":
            thread.join(30)
    replayed = once("replay", never)
    assert history(recorded) == history(replayed)
    assert replayed.history[0]["error_type"] == "StepTimeout"
    assert replayed.history[0]["cached"]


def test_a_late_result_does_not_reach_the_file(path):
    RELEASE.clear()
    with cassette(path) as tape:
        run(one_step(slow, timeout_s=0.05))
        RELEASE.set()
        for thread in threading.enumerate():
            if thread.name == "orchestration_kit worker":
                thread.join(30)
    assert ["error" in one.body for one in Cassette(path)] == [True]
    assert tape.recorded == 1


def test_a_cancelled_run_records_what_was_done(path):
    with cassette(path) as tape:
        hub = chain(lambda x: "A", lambda x, context: hub.last_run.cancel() or "B", lambda x: "C")
        run(hub)
    assert [one.path for one in tape] == ["a#1", "b#1"]


# --- which cassette


def test_the_innermost_one_is_used(tmp_path):
    outer, inner = Cassette(tmp_path / "outer.yaml"), Cassette(tmp_path / "inner.yaml")
    assert current_cassette() is None
    with outer:
        with inner:
            assert current_cassette() is inner
            run(one_step(lambda x: x))
        assert current_cassette() is outer
        with cassette(tmp_path / "off.yaml", "off"):
            run(one_step(lambda x: x))
    assert current_cassette() is None
    assert (len(outer), len(inner)) == (0, 1)


def test_a_run_keeps_the_cassette_it_was_started_under(path):
    with cassette(path) as tape:
        started = start(one_step(lambda x: x))
    thread = threading.Thread(target=started.run)
    thread.start()
    thread.join()
    assert tape.recorded == 1
    assert len(Cassette(path)) == 1  # saved, although the block was left before


def test_threads_started_in_a_block_are_in_it(path):
    with cassette(path) as tape, ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda n: run(one_step(lambda x: x), f"goal {n}"), range(20)))
    assert tape.recorded == 20 == len(Cassette(path))


def test_two_threads_with_a_cassette_each(tmp_path):
    both = threading.Barrier(2)

    def work(name):
        with cassette(tmp_path / f"{name}.yaml") as tape:
            both.wait()
            run(one_step(lambda x: x), name)
            both.wait()
        return [one.input for one in tape]

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(work, ["one", "two"])) == [["one"], ["two"]]


def test_tasks_are_in_the_block_they_were_made_in(tmp_path):
    async def work(name):
        with cassette(tmp_path / f"{name}.yaml") as tape:
            await asyncio.sleep(0.01)
            await one_step(answer).aexecute_workflow("flow", name, verbose=False)
            await asyncio.sleep(0.01)
        return [one.input for one in tape]

    async def main():
        return await asyncio.gather(work("one"), work("two"))

    assert asyncio.run(main()) == [["one"], ["two"]]


def test_a_block_can_be_entered_again(path):
    tape = Cassette(path)
    with tape, tape:
        run(one_step(lambda x: x), "first")
    assert current_cassette() is None
    with tape:
        run(one_step(lambda x: x), "first")
        run(one_step(lambda x: x), "second")
    assert (tape.hits, tape.recorded) == (1, 2)


def test_a_hub_may_have_one(path):
    for hits in (0, 1):
        tape = Cassette(path)
        hub = Orchestrator(cassette=tape)
        hub.register_worker(WorkerDefinition(worker_type="work", name="work", executor=lambda x: x))
        hub.register_workflow(workflow_of(step("work")))
        run(hub)
        assert tape.hits == hits
        assert len(Cassette(path)) == 1
    assert len(as_cassette(path)) == 1
    assert as_cassette(None) is None
    assert as_cassette(tape) is tape
    with pytest.raises(TypeError, match=r"cassette is a path such as"):
        as_cassette(7)


def test_runs_started_by_a_worker_are_recorded_and_not_made_in_a_replay(path):
    inner = one_step(lambda x: x.upper())

    def outer(x):
        return run(inner, "inner goal").data["work_output"]

    with cassette(path) as tape:
        run(chain(outer))
    assert [one.path for one in tape] == ["a#1", "work#1"]
    with cassette(path, "replay") as tape:
        assert run(chain(outer)).data["a_output"] == "INNER GOAL"
    assert tape.hits == 1


def test_a_recording_that_cannot_be_read_is_a_miss(path):
    @dataclasses.dataclass
    class Gone:
        n: int

    with cassette(path):
        run(one_step(lambda x: Gone(1)))
    path.write_text(path.read_text().replace("Gone", "Lost"))
    with cassette(path, "replay"), pytest.raises(CassetteMiss, match=r"There is one, and it cannot be used.*Lost"):
        run(one_step(never))
    with cassette(path) as tape:
        run(one_step(lambda x: Gone(2)))
    assert (tape.hits, tape.misses, tape.recorded) == (0, 1, 1)


def test_what_could_not_be_recorded_may_be_next_time(path):
    def worker(x):
        raise NotRecordable("x", "y", "z", "w")

    with cassette(path) as tape:
        run(one_step(worker, max_retries=3))
    assert len(tape) == 0


def test_a_file_that_is_damaged_while_a_run_goes_on_does_not_change_the_run(path):
    with cassette(path):
        recorded = run(chain(lambda x: "A", lambda x: "B"))
    with cassette(path, "replay") as tape:
        started = start(chain(never, never))
        started.step()
        path.write_text("a: [")
        assert history(started.run()) == history(recorded)
    assert tape.hits == 2


# --- secrets


KEY = "sk-proj-q7Zp2Vd9Kx4Lm8Rt5Wn3Hs6Yb1Jc0Fg7"


def test_no_canary_reaches_the_file(path, monkeypatch):
    monkeypatch.setenv("ACME_API_KEY", "canary-from-the-environment")
    canaries = [
        KEY,
        "canary-from-the-environment",
        "canary-password-1",
        "ACME-000001",
        "AKIAIOSFODNN7EXAMPLE",
        "canary9in8url7",
    ]
    everything = (
        " ".join(canaries)
        .replace("canary-password-1", "password=canary-password-1")
        .replace("canary9in8url7", "https://u:canary9in8url7@h/")
    )

    @dataclasses.dataclass
    class Holder:
        note: str
        password: str = "canary-password-1"

    def worker(x, context):
        context.data["note"] = everything
        context.data[f"key {KEY}"] = {"password": "canary-password-1", "deep": [(everything, everything.encode())]}
        context.add_usage(input_tokens=1, model=f"model {KEY}")
        if context.attempt == 1:
            raise ValueError(everything)
        if context.attempt == 2:
            return Failure(everything, {"token": KEY, "all": {everything}})
        yield everything
        yield {"api_key": "canary-password-1"}
        return {
            "plain": everything,
            "holder": Holder(everything),
            "frame": pd.DataFrame({"x": [everything]}),
            KEY: everything.encode(),
        }

    def build(executor):
        return chain(executor, lambda x: x, lambda x, context: context.data["note"], max_retries=2)

    def once(mode, executor):
        with cassette(path, mode, redact=[r"ACME-\d{6}"]) as tape:
            return run(build(executor), f"the goal is {everything}"), tape

    recorded, _ = once("auto", worker)
    assert recorded.state == "completed"
    text = path.read_text()
    assert [canary for canary in canaries if canary in text] == []
    for block in text.split():
        try:
            content = __import__("base64").b64decode(block.strip("'\""), validate=True)
        except ValueError:
            continue
        assert not any(canary.encode() in content or canary.encode("utf-32-le") in content for canary in canaries)

    replayed, tape = once("replay", worker)
    assert tape.hits == len(recorded.history) == 5
    assert replayed.state == "completed"
    assert [entry["next_step"] for entry in replayed.history] == [entry["next_step"] for entry in recorded.history]
    assert KEY not in str(replayed.history[3:])


def test_a_secret_that_shows_itself_later_is_taken_out_of_what_came_before(path):
    with cassette(path) as tape:
        run(chain(lambda x: "log in with plain9key8", lambda x: {"api_key": "plain9key8"}))
    assert "plain9key8" not in path.read_text()
    assert len(tape) == 2
    with cassette(path, "replay"):
        run(chain(never, never))


def test_a_pattern_added_later_cleans_the_file_and_still_finds_what_is_there(path):
    with cassette(path):
        run(one_step(lambda x: f"about {x}"), "order ACME-000001")
    with cassette(path, redact=["ACME-[0-9]+"]) as tape:
        assert run(one_step(never), "order ACME-000001").data["work_output"] == "about order [REDACTED]"
        run(one_step(lambda x: x), "another")
    assert tape.hits == 1
    assert "ACME-0" not in path.read_text()
