import json
import math
import os
import stat
import subprocess
import sys

import pandas as pd
import pytest

from orchestration_kit import (
    ApprovalStep,
    MapStep,
    Orchestrator,
    RunLimits,
    WorkerDefinition,
    WorkflowDefinition,
    WorkflowStep,
)
from orchestration_kit.governance import telemetry
from orchestration_kit.governance.telemetry.event_file import EventFile, put_aside


@pytest.fixture
def path(tmp_path):
    return tmp_path / "runs.events.jsonl"


def shaky(given, context):
    context.add_usage(input_tokens=7, output_tokens=3, cost_usd=0.25, model="tiny-1")
    if context.attempt == 1:
        raise KeyError("price")
    return given


def work(given):
    return given


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_line_is_told_of_each_event(hub, make_chain, path):
    make_chain(hub, "two", shaky, work, max_retries=1)
    with telemetry.stream(path) as told:
        context = hub.execute_workflow("two", "a very particular goal", verbose=False)
    started, failed, again, after, finished = lines(path)
    assert [line["event"] for line in lines(path)] == ["started", "attempt", "attempt", "attempt", "finished"]
    assert {line["v"] for line in lines(path)} == {1}
    assert {line["run_id"] for line in lines(path)} == {context.workflow_id}
    assert {line["workflow"] for line in lines(path)} == {"two"}
    assert {line["pid"] for line in lines(path)} == {os.getpid()}
    record = context.history[0]
    assert failed == {
        **{key: started[key] for key in ("v", "run_id", "workflow", "pid")},
        "event": "attempt",
        "ts": pytest.approx(failed["started_at"] + failed["duration_s"]),
        "seq": 1,
        "path": "shaky#1",
        "step": "shaky",
        "visit": 1,
        "attempt": 1,
        "worker": "shaky_worker",
        "worker_type": "shaky",
        "success": False,
        "error": record["error"],
        "error_type": "KeyError",
        "started_at": pytest.approx(pd.Timestamp(record["timestamp"]).timestamp()),
        "duration_s": record["duration_s"],
        "retry_in_s": 0.0,
        "cached": False,
        "input_tokens": 7,
        "output_tokens": 3,
        "cost_usd": 0.25,
        "model": "tiny-1",
    }
    assert again["success"] is True
    assert again["next_step"] == "work"
    assert (finished["state"], finished["steps"]) == ("completed", 3)
    assert "particular" not in path.read_text()
    assert repr(told) == f"<Stream to {str(path)!r}, closed>"


def test_a_frame_has_real_dtypes(hub, make_chain, path):
    make_chain(hub, "two", shaky, work, max_retries=1)
    with telemetry.stream(path) as told:
        hub.execute_workflow("two", "hi", verbose=False)
        frame = told.frame()
    dtypes = {name: str(dtype) for name, dtype in frame.dtypes.items()}
    assert {name: dtypes[name] for name in ("ts", "started_at")} == dict.fromkeys(
        ("ts", "started_at"), "datetime64[ns, UTC]"
    )
    assert dtypes["duration_s"] == dtypes["retry_in_s"] == "float64"
    assert {dtypes[name] for name in ("event", "step", "worker", "workflow", "error_type", "state")} == {"category"}
    assert {dtypes[name] for name in ("visit", "attempt", "seq", "input_tokens", "steps")} == {"Int64"}
    assert dtypes["cost_usd"] == "Float64"
    assert dtypes["success"] == dtypes["cached"] == "boolean"
    assert dtypes["run_id"] == dtypes["error"] == "string"
    attempts = frame[frame["event"] == "attempt"]
    assert attempts["success"].tolist() == [False, True, True]
    assert attempts["input_tokens"].sum() == 14
    assert (attempts["ts"] - attempts["started_at"]).dt.total_seconds().tolist() == pytest.approx(
        attempts["duration_s"].tolist(), abs=1e-6
    )
    assert frame.attrs["skipped"] == 0


def test_the_frame_of_nothing_has_the_same_dtypes(hub, make_chain, path):
    make_chain(hub, "one", work)
    with telemetry.stream(path) as told:
        empty = told.frame()
        hub.execute_workflow("one", "hi", verbose=False)
        full = told.frame()
    assert len(empty) == 0
    same = [name for name in full if str(full[name].dtype) != str(empty[name].dtype)]
    assert same == []


def test_a_frame_goes_to_parquet_and_back(hub, make_chain, path, tmp_path):
    make_chain(hub, "two", shaky, work, max_retries=1)
    with telemetry.stream(path) as told:
        hub.execute_workflow("two", "hi", verbose=False)
    frame = telemetry.events_frame(told.path)
    frame.to_parquet(tmp_path / "events.parquet")
    assert len(pd.read_parquet(tmp_path / "events.parquet")) == 5


def test_waits_answers_branches_and_limits_are_told(path):
    hub = Orchestrator()
    hub.register_worker(WorkerDefinition(worker_type="work", name="work", executor=work))
    workflow = WorkflowDefinition(name="asks")
    workflow.add_step(ApprovalStep(step_id="ask", prompt="Go on?", on_success="each"), is_initial=True)
    workflow.add_step(MapStep(step_id="each", over="data.items", body="one", on_success="end"))
    workflow.add_step(WorkflowStep(step_id="one", worker_type="work"))
    workflow.add_step(WorkflowStep(step_id="end", worker_type="work", is_terminal=True))
    hub.register_workflow(workflow)
    with telemetry.stream(path) as told:
        run = hub.start("asks", "hi", {"items": [1, 2, 3]}, limits=RunLimits(max_cost_usd=1.0))
        run.run()
        run.approve()
        run.run()
        frame = told.frame()
    events = frame["event"].tolist()
    assert events[:3] == ["started", "wait", "answered"]
    assert events.count("attempt") == 6  # the approval, three items, their join, the end
    assert frame.loc[frame["event"] == "branches", "count"].tolist() == [3]
    assert frame.loc[frame["event"] == "wait", "kind"].tolist() == ["approval"]
    assert frame.loc[frame["event"] == "answered", "kind"].tolist() == ["approved"]
    assert events[-1] == "finished"


def test_a_fork_and_a_resumed_run_are_told_as_such(hub, make_chain, path):
    calls = []

    def once(given):
        calls.append(given)
        if len(calls) == 1:
            raise ValueError("once")

    make_chain(hub, "two", work, once)
    with telemetry.stream(path) as told:
        first = hub.execute_workflow("two", "hi", verbose=False, run_id="r")
        assert first.state.value == "failed"
        hub.resume("r", verbose=False)
        hub.get_run("r").fork("once#1").run()
        frame = told.frame()
    assert frame["event"].tolist() == [
        *("started", "attempt", "attempt", "finished", "resumed", "attempt", "finished"),
        *("started", "attempt", "finished"),
    ]
    fork = frame.iloc[7]
    assert (fork["parent"], fork["forked_at"]) == ("r", "once#1")


def test_a_hub_has_its_stream_next_to_its_journal(tmp_path, make_chain):
    hub, other = Orchestrator(journal=tmp_path / "runs.db"), Orchestrator()
    for one in (hub, other):
        make_chain(one, "one", work)
    with telemetry.stream(hub) as told:
        other.execute_workflow("one", "hi", verbose=False)
        hub.execute_workflow("one", "hi", verbose=False, run_id="mine")
        assert told.path == tmp_path / "runs.events.jsonl"
        assert set(told.frame()["run_id"]) == {"mine"}
    hub.journal.close()


def test_without_a_file_there_is_nothing_to_be_next_to(hub):
    with pytest.raises(telemetry.InvalidTelemetry, match="no journal in a file"):
        telemetry.stream(hub)


def test_a_journal_is_not_written_over(tmp_path, make_chain):
    hub = Orchestrator(journal=tmp_path / "runs.db")
    make_chain(hub, "one", work)
    hub.execute_workflow("one", "hi", verbose=False)
    before = (tmp_path / "runs.db").read_bytes()
    with pytest.raises(telemetry.InvalidTelemetry, match="something else than lines of JSON"):
        telemetry.stream(tmp_path / "runs.db")
    assert (tmp_path / "runs.db").read_bytes() == before
    hub.journal.close()


@pytest.mark.parametrize("name", ["missing/runs.jsonl", ".", "\0"])
def test_what_cannot_be_opened_is_said_at_once(tmp_path, name):
    with pytest.raises((telemetry.InvalidTelemetry, ValueError), match="Give a|null"):
        telemetry.stream(tmp_path / name)


def test_a_stream_goes_on_where_it_ended(hub, make_chain, path):
    make_chain(hub, "one", work)
    for _ in range(2):
        with telemetry.stream(path):
            hub.execute_workflow("one", "hi", verbose=False)
    assert [line["event"] for line in lines(path)] == ["started", "attempt", "finished"] * 2


def test_streamed_to_twice_each_line_is_there_once(hub, make_chain, path):
    make_chain(hub, "one", work)
    former = telemetry.stream(path)
    with telemetry.stream(path):
        hub.execute_workflow("one", "hi", verbose=False)
        assert not former.is_open
    assert len(lines(path)) == 3
    former.disable()


def test_a_torn_line_is_left_out_and_spoils_no_other(hub, make_chain, path):
    make_chain(hub, "one", work)
    with telemetry.stream(path):
        hub.execute_workflow("one", "hi", verbose=False)
    with path.open("ab") as file:  # a process died here
        file.write(b'{"v":1,"event":"attem')
    assert len(telemetry.events_frame(path)) == 3
    with telemetry.stream(path):
        hub.execute_workflow("one", "hi", verbose=False)
    frame = telemetry.events_frame(path)
    assert len(frame) == 6
    assert frame.attrs["skipped"] == 1


def test_lines_that_somebody_else_wrote_are_taken_as_far_as_they_fit(path):
    odd = [
        {"event": "attempt", "ts": 1e300, "duration_s": "long", "visit": 1.5, "success": "yes", "attempt": 2**70},
        {"event": "attempt", "ts": None, "cost_usd": 1, "worker": 7, "more": [1]},
        ["event"],
        {"no": "event"},
        {"event": "finished", "ts": -3.5, "duration_s": math.nan},
    ]
    path.write_bytes(
        b"".join(json.dumps(line).encode() + b"\n" for line in odd) + b"\xff\xfe\n\n" + b"[" * 100_000 + b"\n"
    )
    frame = telemetry.events_frame(path)
    assert len(frame) == 3
    assert frame.attrs["skipped"] == 4
    assert frame["ts"].isna().tolist() == [True, True, False]
    assert frame["cost_usd"].tolist()[1] == 1.0
    assert frame["visit"].isna().all()


def test_texts_of_any_kind_are_told(hub, make_chain, path):
    def odd(given):
        raise ValueError("half \ud83d of a pair\nand a \u2028 line")

    make_chain(hub, "one", odd)
    with telemetry.stream(path, contents=True) as told:
        hub.execute_workflow("one", "Grüße, 世界 \udc80", verbose=False)
        frame = told.frame()
    assert "half" in frame["error"][1]
    assert frame["goal"][0].startswith("Grüße, 世界")


def test_only_its_owner_can_read_it(path):
    with telemetry.stream(path):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_large_file_is_put_aside_and_nothing_is_lost(hub, make_chain, path):
    make_chain(hub, "one", work)
    with telemetry.stream(path, rotate_bytes=2_000) as told:
        for number in range(20):
            hub.execute_workflow("one", "hi", verbose=False, run_id=f"r{number}")
        frame = told.frame()
    assert len(put_aside(path)) > 3
    assert max(one.stat().st_size for one in put_aside(path)) < 2_600
    assert frame["run_id"].tolist() == [f"r{number}" for number in range(20) for _ in range(3)]


def test_so_many_old_files_stay(hub, make_chain, path):
    make_chain(hub, "one", work)
    with telemetry.stream(path, rotate_bytes=500, keep=2):
        for _ in range(20):
            hub.execute_workflow("one", "hi", verbose=False)
    assert len(put_aside(path)) == 2
    with telemetry.stream(path, rotate_bytes=1, keep=0):
        hub.execute_workflow("one", "hi", verbose=False)
    assert put_aside(path) == []


@pytest.mark.parametrize("options", [{"rotate_bytes": 0}, {"keep": -1}])
def test_sizes_that_are_none_are_refused(path, options):
    with pytest.raises(telemetry.InvalidTelemetry, match="Write for example"):
        telemetry.stream(path, **options)


WRITES = """
import sys
from pathlib import Path
from orchestration_kit.governance.telemetry.event_file import EventFile
file = EventFile(Path(sys.argv[1]), rotate_bytes=int(sys.argv[3]) or None)
for number in range(500):
    file.write(b'{"event": "attempt", "run_id": "%s", "seq": %d, "error": "%s"}' % (sys.argv[2].encode(), number, b"x" * (number % 300)))
"""


@pytest.mark.parametrize("rotate_bytes", [0, 20_000])
def test_several_processes_share_a_file(path, rotate_bytes):
    command = [sys.executable, "-c", WRITES, str(path)]
    children = [subprocess.Popen([*command, name, str(rotate_bytes)]) for name in "abcd"]
    assert [child.wait(60) for child in children] == [0] * 4
    frame = telemetry.events_frame(path)
    assert frame.attrs["skipped"] == 0
    for name in "abcd":
        own = frame.loc[frame["run_id"] == name, "seq"].tolist()
        assert sorted(own) == list(range(500))
        assert rotate_bytes or own == list(range(500))


FULL = """
import resource, signal, sys
from orchestration_kit import Orchestrator, WorkerDefinition, create_generic_pipeline
from orchestration_kit.governance import telemetry
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
hub = Orchestrator()
hub.register_worker(WorkerDefinition(worker_type="generic", name="shout", executor=str.upper))
hub.register_workflow(create_generic_pipeline([("a", "generic", ""), ("b", "generic", "")]))
with telemetry.stream(sys.argv[1]):
    resource.setrlimit(resource.RLIMIT_FSIZE, (200, resource.RLIM_INFINITY))
    print(hub.execute_workflow("a_b", "hi", verbose=False).state.value)
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    print(hub.execute_workflow("a_b", "hi", verbose=False, run_id="later").state.value)
"""


def test_a_full_disk_harms_no_run_and_the_next_is_told_of_again(path):
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(path)], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stdout == "completed\ncompleted\n"
    assert "no room left" in done.stderr
    frame = telemetry.events_frame(path)
    assert frame.loc[frame["run_id"] == "later", "event"].tolist() == ["started", "attempt", "attempt", "finished"]
    assert frame.attrs["skipped"] == 1


def test_what_is_written_after_the_end_is_left_out(path):
    file = EventFile(path)
    file.close()
    file.write(b"{}")
    file.close()
    assert path.read_bytes() == b""


def test_a_missing_file_is_said(tmp_path):
    with pytest.raises(FileNotFoundError):
        telemetry.events_frame(tmp_path / "none.jsonl")


def test_the_frame_of_a_stream_or_of_its_hub_is_that_of_its_file(tmp_path, make_chain):
    hub = Orchestrator(journal=tmp_path / "runs.db")
    make_chain(hub, "one", work)
    with telemetry.stream(hub) as told:
        hub.execute_workflow("one", "goal", verbose=False)
    whole = telemetry.events_frame(told.path)
    assert len(whole) == 3
    pd.testing.assert_frame_equal(telemetry.events_frame(told), whole)
    pd.testing.assert_frame_equal(telemetry.events_frame(hub), whole)
    with pytest.raises(telemetry.InvalidTelemetry):
        telemetry.events_frame(3)
