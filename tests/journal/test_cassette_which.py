"""Interruptions and time limits, which cassette it is, and secrets."""

from __future__ import annotations

import asyncio
import dataclasses
import threading
from concurrent.futures import ThreadPoolExecutor

import pandas as pd
import pytest

from orchestration_kit import Failure, Orchestrator, WorkerDefinition
from orchestration_kit.journal.cassette.tape import (
    Cassette,
    CassetteMiss,
    as_cassette,
    cassette,
    current_cassette,
)
from orchestration_kit.journal.errors import NotRecordable
from tests.journal.tapes import chain, history, one_step, run, start
from tests.journal.test_cassette import _no_variable, never, tape_path  # noqa: F401 - fixtures
from tests.journal.test_cassette_workers import answer
from tests.support import step, workflow_of


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
