"""Row 14 in a real kernel: an interrupt stops a blocking cell within a second, whatever it waits for and however."""

from __future__ import annotations

import time

import pytest
from jupyter_client.manager import start_new_kernel

from tests.scorecard.forks import PATIENCE_S, ROOT, until
from tests.scorecard.kernel_cells import DOORS, KINDS, Blocking

WITHIN_S = 1.0


class Kernel:
    """A kernel as a notebook has it: cells are sent, and answered some time."""

    def __init__(self, folder) -> None:
        self.manager, self.client = start_new_kernel(startup_timeout=PATIENCE_S, cwd=str(folder))

    def send(self, code, expressions=None):
        return self.client.execute(code, user_expressions=expressions or {}, stop_on_error=False)

    def answer(self, sent):
        while True:
            reply = self.client.get_shell_msg(timeout=PATIENCE_S)
            if reply["parent_header"].get("msg_id") == sent:
                return reply["content"]

    def value(self, expression):
        content = self.answer(self.send("", {"value": expression}))
        assert content["status"] == "ok", content
        found = content["user_expressions"]["value"]
        assert found["status"] == "ok", found
        return found["data"]["text/plain"]

    def do(self, code):
        content = self.answer(self.send(code))
        assert content["status"] == "ok", content

    def interrupt(self):
        self.manager.interrupt_kernel()

    def close(self):
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("row14")


@pytest.fixture(scope="module")
def kernel(folder):
    kernel = Kernel(folder)
    kernel.do(
        f"import sys; sys.path.insert(0, {str(ROOT)!r})\n"
        "from tests.scorecard.kernel_cells import Blocking\n"
        f"blocking = Blocking({str(folder)!r})"
    )
    yield kernel
    kernel.close()


@pytest.mark.parametrize("door", DOORS)
def test_an_interrupt_stops_a_cell_in_a_kernel_and_the_run_goes_on(kernel, folder, figure, door):
    slowest_s = 0.0
    for kind in KINDS:
        name = f"{door}-{kind.replace(' ', '-')}"
        both = ("slow#1[left].one#1", "slow#1[right].two#1") if kind.endswith("branches") else ("slow#1",)
        calls = [folder / f"{name}.{path}.calls" for path in both]
        kernel.do(f"hub = blocking.hub({kind!r}); blocking.go_on.clear()")
        cell = kernel.send(DOORS[door].replace("NAME", repr(name)))
        until(lambda calls=calls[: 1 if door == "step" else 2]: all(file.exists() for file in calls), f"{name} blocks")
        begun = time.monotonic()
        kernel.interrupt()
        reply = kernel.answer(cell)
        took_s = time.monotonic() - begun
        slowest_s = max(slowest_s, took_s)
        print(name, f"{took_s * 1e3:.0f} ms", reply.get("ename"), kernel.value("hub.last_run.state.value"))
        assert reply["status"] == "error"
        assert reply["ename"] in ("KeyboardInterrupt", "CancelledError")
        assert took_s < WITHIN_S, f"{name} took {took_s:.2f} s to stop"
        assert kernel.value("hub.last_run.state.value") == "'cancelled'"
        assert kernel.value("hub.last_run.is_driven") == "False"
        kernel.do("blocking.go_on.set()")  # threads cannot be stopped, but what they give is nobody's any more
        assert kernel.value("blocking.left()") == "[]"
        elsewhere = Blocking(str(folder))
        elsewhere.go_on.set()
        with elsewhere.journal:
            assert elsewhere.hub(kind).resume(name, verbose=False).state == "completed"
        for file in calls:
            first, *again = file.read_text(encoding="utf-8").splitlines()
            assert again in ([first], [])  # the same key
    figure(f"row 14: {len(KINDS)} interrupts in a kernel, {door}: the slowest stops after {slowest_s * 1e3:.0f} ms")
