"""An interrupt leads out of a sync worker that blocks the loop of a notebook, wherever in the worker's call it hits."""

from __future__ import annotations

import asyncio
import signal
import sys
import threading
import time

import pytest

from orchestration_kit.engine import keyboard
from tests.support import hub_of, step, workflow_of

FOREVER_S = 60.0

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="signals are sent to a thread"),
    pytest.mark.usefixtures("notebook"),
]


@pytest.fixture
def notebook(monkeypatch):
    monkeypatch.setattr(keyboard, "is_in_notebook", lambda: True)


def interrupt():
    signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)


def through(*modules):
    """Calls from module to module, to look at; the innermost is interrupted, and says whether it was let come back."""
    call, said = interrupt, []
    for module in modules:
        space = {"__name__": module, "inner": call, "said": said}
        exec("def call():\n    inner()\n    said.append(__name__)\n    return said", space)
        call = space["call"]
    return call


def cancelled(worker):
    """The run of a workflow whose sync worker was interrupted while it was awaited."""
    hub = hub_of(workflow_of(step("slow", "done"), step("done")), {"slow": worker, "done": str})
    before = signal.getsignal(signal.SIGINT)
    run = hub.start("flow", "g")

    async def cell():
        await run.arun()

    begun = time.monotonic()
    with pytest.raises(KeyboardInterrupt):  # as asyncio.run() has it
        asyncio.run(cell())
    assert time.monotonic() - begun < FOREVER_S / 2
    assert run.state == "cancelled"
    assert run.cancel_reason == keyboard.REASON
    assert signal.getsignal(signal.SIGINT) is before
    return run


def test_it_leads_out_of_the_workers_own_code_at_once():
    said = []

    def worker(_):
        interrupt()
        said.append("came back")

    cancelled(worker)
    assert said == []


@pytest.mark.parametrize(
    "modules",
    [
        ("orchestration_kit.engine.context",),
        ("json", "orchestration_kit.engine.context"),
        ("orchestration_kit.engine.context", "json", "orchestration_kit.engine.context"),
    ],
    ids=len,
)
def test_what_the_engine_does_for_a_worker_is_not_broken_off_but_the_worker_is_right_after(modules):
    call, said = through(*modules), []

    def worker(_):
        said.extend(call())
        threading.Event().wait(FOREVER_S)
        said.append("waited")

    cancelled(worker)
    assert said == list(modules)


def test_a_worker_that_is_in_the_engine_nearly_all_the_time_is_led_out_of():
    def worker(_, context):
        threading.Timer(0.05, interrupt).start()
        end = time.monotonic() + FOREVER_S
        while time.monotonic() < end:
            context.idempotency_key

    cancelled(worker)


def test_a_worker_that_returns_before_the_interrupt_comes_again_is_let_be():
    call = through("orchestration_kit.engine.context")
    run = cancelled(lambda _: call())
    heard = []
    before = signal.signal(signal.SIGINT, lambda *_: heard.append(True))
    try:
        keyboard._interrupt(run)
    finally:
        signal.signal(signal.SIGINT, before)
    assert heard == []
