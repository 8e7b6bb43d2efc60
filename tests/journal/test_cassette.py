"""What is recorded is replayed, and nobody can tell the difference; what is not, is called or ends the run."""

from __future__ import annotations

import asyncio

import pytest

from orchestration_kit import WorkerDefinition
from orchestration_kit.journal.cassette.tape import (
    ENVIRONMENT,
    Cassette,
    CassetteError,
    CassetteMiss,
    cassette,
)
from tests.journal.tapes import Site, chain, history, one_step, run
from tests.support import hub_of, step, workflow_of


@pytest.fixture(autouse=True)
def _no_variable(monkeypatch):
    monkeypatch.delenv(ENVIRONMENT, raising=False)


@pytest.fixture(name="path")
def tape_path(tmp_path):
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
        CassetteError, match=r"mode is 'reply'\. There are 'auto', 'record', 'replay', 'off'\. Did you mean 'replay'\?"
    ):
        cassette(path, "reply")
    monkeypatch.setenv(ENVIRONMENT, "recrod")
    with pytest.raises(CassetteError, match=r"ORCHESTRATION_KIT_CASSETTE is 'recrod'\. .* Did you mean 'record'"):
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
