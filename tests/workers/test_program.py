"""Programs as workers, with real processes."""

from __future__ import annotations

import json
import os
import pickle
import sys
import textwrap
import threading
import time
from pathlib import Path

import pytest

from orchestration_kit import Orchestrator, RetryPolicy, WorkerDefinition
from orchestration_kit.errors import InvalidWorker
from orchestration_kit.workers.adapt import worker_from
from orchestration_kit.workers.program import (
    ProgramFailed,
    ProgramNotStarted,
    ProgramOutputInvalid,
)
from tests.support import step, workflow_of


def python(code: str, *arguments: str) -> list[str]:
    return [sys.executable, "-c", textwrap.dedent(code), *arguments]


def run_with(worker: WorkerDefinition, given: object = "goal", **fields: object) -> object:
    """The entry of the last attempt of a run of one step; its input is `given`."""
    hub = Orchestrator()
    hub.register_worker(WorkerDefinition(worker_type="give", name="give", executor=lambda _: given))
    hub.register_worker(worker)
    hub.register_workflow(workflow_of(step("give", "work"), step("work", worker_type="generic", **fields)))
    return hub.execute_workflow("flow", "the goal", verbose=False)


def output_of(worker: WorkerDefinition, given: object = "goal", **fields: object) -> object:
    context = run_with(worker, given, **fields)
    assert context.state == "completed", context.error
    return context.data["work_output"]


def error_of(worker: WorkerDefinition, given: object = "goal", **fields: object) -> tuple[str, str]:
    entry = run_with(worker, given, **fields).history[-1]
    assert not entry["success"]
    return entry["error_type"], entry["error"]


ECHO = "import sys; sys.stdout.write(sys.stdin.read())"


@pytest.mark.parametrize(
    ("given", "seen"),
    [
        ("text, äöü", "text, äöü"),
        (b"bytes", "bytes"),
        (None, ""),
        ({"a": [1, 2.5, None]}, '{"a":[1,2.5,null]}'),
        (float("nan"), "null"),
    ],
)
def test_input_is_on_stdin_text_as_it_is_and_data_as_json(given, seen):
    assert output_of(worker_from(python(ECHO)), given) == seen


def test_a_table_is_given_as_records():
    import pandas as pd

    table = pd.DataFrame({"a": [1, 2], "b": ["x", "y"]})
    assert output_of(worker_from(python(ECHO), output="json"), table) == [{"a": 1, "b": "x"}, {"a": 2, "b": "y"}]


def test_output_can_be_text_lines_or_json():
    assert output_of(worker_from(python("print('a'); print('b')"))) == "a\nb"
    assert output_of(worker_from(python("print('a'); print('b')"), output="lines")) == ["a", "b"]
    assert output_of(worker_from(python("print('{\"a\": 1}')"), output="json")) == {"a": 1}


@pytest.mark.parametrize(
    ("printed", "lines"),
    [
        ("one\u2028two\x0cthree\x85", ["one\u2028two\x0cthree\x85"]),
        ("a\r\nb\r\n", ["a", "b"]),
        ("a\n\nb", ["a", "", "b"]),
        ("", []),
        ("\n", [""]),
    ],
)
def test_lines_end_where_a_program_ends_them(printed, lines):
    code = f"import sys; sys.stdout.buffer.write({printed.encode()!r})"
    assert output_of(worker_from(python(code), output="lines")) == lines


def test_no_shell_sees_an_argument():
    hostile = "x; touch /tmp/never $(id) `id` | cat > y && *"
    worker = worker_from(python("import sys; print(sys.argv[1])", "{input}"))
    assert output_of(worker, hostile) == hostile


@pytest.mark.parametrize("hostile", ["-rf", "--output=/etc/passwd", "-"])
def test_an_input_that_looks_like_an_option_is_refused_as_argument(hostile):
    worker = worker_from(python("import sys; print(sys.argv[1:])", "{input}"))
    kind, message = error_of(worker, hostile)
    assert kind == "ProgramNotStarted"
    assert f"its input {hostile!r} would be read as an option. Put \"--\" before '{{input}}'" in message
    behind = worker_from(python("import sys; print(sys.argv[1:])", "--", "{input}"))
    assert output_of(behind, hostile) == str(["--", hostile])


@pytest.mark.parametrize("given", ["a\0b", "x" * 100_001, b"\xff"])
def test_what_cannot_be_an_argument_is_refused(given):
    kind, message = error_of(worker_from(python("", "{input}")), given)
    assert kind == "ProgramNotStarted"
    assert "stdin" in message


def test_an_exit_code_fails_the_attempt_with_the_end_of_stderr():
    code = "import sys; sys.stderr.write('x' * 5_000 + 'the reason'); sys.exit(3)"
    kind, message = error_of(worker_from(python(code)))
    assert kind == "ProgramFailed"
    assert "exit code 3" in message
    assert message.endswith("the reason")
    assert len(message) < 2_200


def test_a_signal_is_named():
    kind, message = error_of(worker_from(python("import os; os.kill(os.getpid(), 9)")))
    assert (kind, "SIGKILL" in message) == ("ProgramFailed", True)


def test_secrets_are_not_shown_in_what_stderr_said(monkeypatch):
    monkeypatch.setenv("MINE", "inherited-value")
    code = (
        """
        import os, sys
        sys.exit(f"{os.environ['PLAIN']} {os.environ['MINE']} sk-ant-api03-"""
        + "a1B2" * 12
        + """-x")
    """
    )
    kind, message = error_of(worker_from(python(code), env={"PLAIN": "correct horse"}, inherit=["MINE"]))
    assert kind == "ProgramFailed"
    assert message.endswith("[REDACTED] [REDACTED] [REDACTED]")


def test_the_environment_is_not_handed_on(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "a-key-of-somebody")
    monkeypatch.setenv("WANTED", "yes")
    code = "import json, os; print(json.dumps(dict(os.environ)))"
    seen = output_of(worker_from(python(code), output="json", env={"MODE": "fast"}, inherit=["WANTED"]))
    assert "OPENAI_API_KEY" not in seen
    assert (seen["MODE"], seen["WANTED"], seen["PATH"]) == ("fast", "yes", os.environ["PATH"])
    assert len(seen["ORCHESTRATION_KIT_IDEMPOTENCY_KEY"]) == 32


def test_every_attempt_of_a_visit_has_the_same_key(tmp_path):
    code = f"""
        import os
        with open({str(tmp_path / "keys")!r}, "a") as keys:
            print(os.environ["ORCHESTRATION_KIT_IDEMPOTENCY_KEY"], file=keys)
        raise SystemExit(1)
    """
    run_with(worker_from(python(code)), max_retries=2)
    keys = (tmp_path / "keys").read_text().split()
    assert (len(keys), len(set(keys))) == (3, 1)


def test_a_retry_is_told_what_was_wrong_in_the_envelope():
    code = """
        import json, sys
        told = json.load(sys.stdin)
        if told["last_error"] is None:
            sys.exit("no capitals")
        print(json.dumps(told))
    """
    told = output_of(worker_from(python(code), output="json", envelope=True), {"n": 1}, max_retries=1)
    assert (told["input"], told["goal"], told["attempt"], told["path"]) == ({"n": 1}, "the goal", 2, "work#1")
    assert told["last_error"]["type"] == "ProgramFailed"
    assert "no capitals" in told["last_error"]["message"]


def test_printing_without_end_is_stopped():
    kind, message = error_of(worker_from(["yes"], max_output_bytes=100_000))
    assert kind == "ProgramOutputInvalid"
    assert "more than 100,000 bytes" in message


def test_stderr_without_end_fills_no_memory_and_does_not_block():
    code = "import sys; sys.stderr.write('x' * 3_000_000); print('done')"
    assert output_of(worker_from(python(code))) == "done"


@pytest.mark.parametrize("printed", ["{'a': 1}", "", "NaN", "[" * 100_000])
def test_what_is_no_json_fails_the_attempt(printed):
    kind, message = error_of(worker_from(python(f"print({printed!r})"), output="json"))
    assert kind == "ProgramOutputInvalid"
    assert "no JSON" in message


def test_bytes_that_are_no_text_fail_the_attempt():
    kind, message = error_of(worker_from(python(r"import sys; sys.stdout.buffer.write(b'ab\xff')")))
    assert (kind, "no text in UTF-8, at 2" in message) == ("ProgramOutputInvalid", True)


def test_a_program_that_reads_nothing_gets_a_large_input_all_the_same():
    assert output_of(worker_from(python("print('done')")), "x" * 2_000_000) == "done"


@pytest.mark.parametrize(
    ("argv", "options", "part"),
    [
        (["no-such-program-here"], {}, "there is no such program. Is it installed"),
        (["ls -l"], {}, "['ls', '-l']"),
        ([sys.executable, "-c", ""], {"cwd": "/no/such/folder"}, "cwd='/no/such/folder' is no folder"),
        ([__file__], {}, "not executable"),
    ],
)
def test_what_cannot_be_started_is_not_tried_again(argv, options, part):
    context = run_with(worker_from(argv, **options), max_retries=3)
    assert len(context.history) == 2
    assert context.history[-1]["error_type"] == "ProgramNotStarted"
    assert part in context.error


def test_what_cannot_be_written_down_is_refused():
    kind, message = error_of(worker_from(python("")), {"x": object()})
    assert kind == "ProgramNotStarted"
    assert "object" in message


@pytest.mark.parametrize(
    ("argv", "options", "part"),
    [
        ([], {}, "no program is named"),
        (["sleep", 5], {}, "its argument 5 is no text"),
        (["echo", "a\0b"], {}, "is no text"),
        (["grep", "--regexp={input}"], {}, "has '{input}' within"),
        (["ls"], {"output": "yaml"}, "text, json, lines"),
        (["ls"], {"timeout_s": 0}, "timeout_s=0"),
        (["ls"], {"inherit": "HOME"}, "inherit=['HOME']"),
        (["ls"], {"env": {"A": 1}}, "env holds"),
    ],
)
def test_a_program_that_is_written_wrong_is_refused_at_once(argv, options, part):
    with pytest.raises(InvalidWorker) as caught:
        worker_from(argv, **options)
    assert part in str(caught.value)


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and was not waited for yet does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in ("Z", "X")
    except FileNotFoundError:
        return False


FAMILY = """
    import os, subprocess, sys
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    with open(sys.argv[1] + ".new", "w") as file:
        print(os.getpid(), child.pid, file=file)
    os.rename(sys.argv[1] + ".new", sys.argv[1])
    {then}
"""
STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"


def pids_in(path: Path) -> list[int]:
    wait_until(path.exists)
    return [int(pid) for pid in path.read_text().split()]


def wait_until(condition) -> None:
    limit = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < limit, "it did not happen"
        threading.Event().wait(0.01)


def test_another_argument_is_another_worker_and_a_value_of_env_is_not_in_its_fingerprint():
    from orchestration_kit.engine.calls import bind_worker

    def fingerprint(*argv, **options):
        return bind_worker(worker_from(list(argv), name="p", **options)).fingerprint

    assert fingerprint("sort", "-r") == fingerprint("sort", "-r")
    assert len({fingerprint("sort"), fingerprint("sort", "-r"), fingerprint("sort", output="lines")}) == 3
    assert fingerprint("sort", env={"KEY": "one"}) == fingerprint("sort", env={"KEY": "other"})


@pytest.mark.parametrize(
    "error",
    [
        ProgramFailed("sort", 1, "tail"),
        ProgramOutputInvalid("sort", "printed", "Do."),
        ProgramNotStarted("sort", "reason", "Do."),
    ],
)
def test_errors_survive_pickling(error):
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), vars(again)) == (str(error), vars(error))


def test_a_retry_policy_can_name_its_errors():
    policy = RetryPolicy(retry_on=(ProgramFailed,))
    context = run_with(worker_from(python("print('{')"), output="json"), max_retries=2, retry=policy)
    assert len(context.history) == 2
    assert json.dumps(context.history[-1]["output"])
