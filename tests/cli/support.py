"""Short ways to call the program, and the module whose runs the tests look at."""

from __future__ import annotations

import os
import pty
import struct
import subprocess
import sys
import termios
from fcntl import ioctl

from orchestration_kit import SQLiteJournal
from orchestration_kit.testing import FakeClock

FLOW = """
import os
from orchestration_kit import Orchestrator, WorkerDefinition, WorkflowDefinition, WorkflowStep

def write(value, context):
    context.data["tone"] = context.data.get("tone", "dry")
    context.add_usage(input_tokens=10, cost_usd=0.5)
    return f"{context.data['tone']} draft {context.visit}"

def review(value):
    return {"ok": "2" in value or "lively" in value}

def publish(value, context):
    if os.path.exists("offline"):
        raise OSError("offline")
    if os.path.exists("kill"):
        os.kill(os.getpid(), 9)
    return "published " + context.data["write_output"]

def hub(journal=None):
    workflow = WorkflowDefinition(name="article")
    workflow.add_step(WorkflowStep(step_id="write", worker_type="write", on_success="review"), is_initial=True)
    workflow.add_step(WorkflowStep(step_id="review", worker_type="review", success_when="output.ok", on_success="publish", on_failure="write"))
    workflow.add_step(WorkflowStep(step_id="publish", worker_type="publish", is_terminal=True))
    made = Orchestrator(journal=journal)
    for worker in (write, review, publish):
        made.register_worker(WorkerDefinition(worker_type=worker.__name__, name=worker.__name__, executor=worker))
    made.register_workflow(workflow)
    return made

ready = hub()

def broken():
    raise KeyError("settings")

def needy(path):
    return hub()

async def later():
    return hub()

def number():
    return 3
"""


def hub_at(folder, journal="runs.db"):
    sys.path.insert(0, str(folder))
    import flow_under_test

    hub = flow_under_test.hub(SQLiteJournal(folder / journal))
    hub.clock = FakeClock()
    return hub


def command(*arguments, env=None, **options):
    """Run the real program."""
    return subprocess.run(
        [sys.executable, "-m", "orchestration_kit.cli", *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": os.getcwd(), **(env or {})},
        timeout=60,
        **options,
    )


def in_terminal(width, *arguments):
    """Run the real program in a terminal of a width, and return what it wrote to it."""
    try:
        ours, theirs = pty.openpty()
    except OSError:  # a container without terminal devices: the same program, told that it writes to one
        code = "import sys; from orchestration_kit.cli import main; sys.stdout.isatty = lambda: True; sys.exit(main())"
        env = os.environ | {"COLUMNS": str(width), "TERM": "xterm-256color"}
        env.pop("NO_COLOR", None)
        done = subprocess.run(
            [sys.executable, "-c", code, *arguments], capture_output=True, text=True, env=env, timeout=60, check=False
        )
        return done.returncode, done.stdout.replace("\n", "\r\n")
    ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, width, 0, 0))
    env = {key: value for key, value in os.environ.items() if key not in ("COLUMNS", "NO_COLOR")} | {
        "TERM": "xterm-256color"
    }
    with subprocess.Popen(
        [sys.executable, "-m", "orchestration_kit.cli", *arguments],
        stdin=theirs,
        stdout=theirs,
        stderr=subprocess.DEVNULL,
        env=env,
    ) as process:
        os.close(theirs)
        parts = []
        while True:
            try:
                part = os.read(ours, 65_536)
            except OSError:  # how Linux says that the other end was closed
                break
            if not part:
                break
            parts.append(part)
        process.wait(timeout=60)
    os.close(ours)
    return process.returncode, b"".join(parts).decode()


def lines(capsys):
    return capsys.readouterr().out.splitlines()


def is_safe(text):
    return all(character.isprintable() or character == "\n" for character in text)


BRANCHED = """
from orchestration_kit import (
    ApprovalStep, MapStep, Orchestrator, ParallelStep, SubworkflowStep, WaitStep, WorkerDefinition, WorkflowDefinition, WorkflowStep,
)

def price(item):
    if item == 33:
        raise ValueError("no price")
    return item * 2

def quote(value):
    return {"amount": 120, "for": value}

def ship(value, context):
    return f"shipped at {value}"

def _workflow(name, *steps):
    made = WorkflowDefinition(name=name)
    for at, step in enumerate(steps):
        made.add_step(step, is_initial=at == 0)
    return made

def _step(step_id, worker_type, to=None, **fields):
    return WorkflowStep(step_id=step_id, worker_type=worker_type, on_success=to, is_terminal=to is None, **fields)

def hub(journal=None):
    made = Orchestrator(journal=journal)
    for worker in (price, quote, ship):
        made.register_worker(WorkerDefinition(worker_type=worker.__name__, name=worker.__name__, executor=worker))
    made.register_workflow(_workflow(
        "order",
        _step("quote", "quote", "sign"),
        ApprovalStep(step_id="sign", prompt="Send the offer?", show=("output.amount", "goal"), timeout_s=3600, on_success="paid"),
        WaitStep(step_id="paid", event="paid", on_success="ship"),
        _step("ship", "ship"),
    ))
    made.register_workflow(_workflow("shop", SubworkflowStep(step_id="order", workflow="order", on_success="end"), _step("end", "ship")))
    made.register_workflow(_workflow(
        "many",
        MapStep(step_id="each", over="data.items", body="price", failure="continue", on_success="both"),
        _step("price", "price"),
        ParallelStep(step_id="both", branches={"law": "law", "style": "style"}, on_success="end"),
        ApprovalStep(step_id="law", prompt="Lawful?", schema={"type": "object", "required": ["ok"]}),
        ApprovalStep(step_id="style", prompt="Well written?", schema=bool),
        _step("end", "ship"),
    ))
    made.register_workflow(_workflow(
        "code", ApprovalStep(step_id="sign", prompt="Really?", on_success="ship", success_when=lambda output, context: True), _step("ship", "ship")
    ))
    return made
"""
"""A module of workflows that wait, and of one with many branches."""
