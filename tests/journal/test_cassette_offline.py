"""Recorded with the network, replayed without: in another process, where no socket can be opened."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

SCRIPT = textwrap.dedent(
    """
    import json, os, sys
    path, url, mode = sys.argv[1:]
    from orchestration_kit import Orchestrator, WorkerDefinition
    from orchestration_kit.journal.cassette import cassette
    from tests.support import hub_of, step, workflow_of

    if mode == "replay":
        import socket

        def refuse(*_, **__):
            raise OSError("there is no network here")

        # a loop wakes itself up through a pair of connected sockets, which is no network
        socket.socket.connect = socket.socket.connect_ex = socket.create_connection = socket.getaddrinfo = refuse

    def ask(question, context):
        import urllib.request
        request = urllib.request.Request(url, json.dumps({"q": sorted(question)}).encode(), {"Authorization": "Bearer " + os.environ["ACME_TOKEN"]})
        with urllib.request.urlopen(request, timeout=10) as answer:
            found = json.load(answer)
        context.add_usage(input_tokens=found["tokens"])
        context.data["seen"] = {found["text"], "x", "y", "z"}
        return {"set": {found["text"], "a", "b", "c"}, "text": found["text"]}

    async def ask_async(question, context):
        return ask(question["set"], context)

    def stream(question, context):
        for word in ask(question["set"], context)["text"].split():
            yield word

    flow = workflow_of(step("a", "b"), step("b", "c"), step("c", timeout_s=20.0), name="flow")
    hub = hub_of(flow, {"a": lambda goal, context: ask(set(goal.split()), context), "b": ask_async, "c": stream})
    with cassette(path) as tape:
        context = hub.execute_workflow("flow", "what is the answer", verbose=False)
    keys = ("path", "input", "output", "error", "usage", "next_step", "success")
    plain = lambda value: sorted(map(plain, value)) if isinstance(value, set) else {k: plain(v) for k, v in value.items()} if isinstance(value, dict) else value
    print(json.dumps([[plain({key: entry[key] for key in keys}) for entry in context.history], plain(dict(context.data)), tape.hits, tape.mode]))
    """
)


class Server(BaseHTTPRequestHandler):
    asked = 0

    def do_POST(self):
        type(self).asked += 1
        body = json.dumps(
            {
                "text": f"answer {self.asked} to {len(self.rfile.read(int(self.headers['Content-Length'])))}",
                "tokens": self.asked,
            }
        )
        self.send_response(200)
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    Server.asked = 0
    found = HTTPServer(("127.0.0.1", 0), Server)
    thread = threading.Thread(target=found.serve_forever, daemon=True)
    thread.start()
    yield found
    found.shutdown()
    found.server_close()
    thread.join()


def in_another_process(path, url, mode, seed):
    environment = {
        **os.environ,
        "PYTHONHASHSEED": seed,
        "ORCHESTRATION_KIT_CASSETTE": mode,
        "ACME_TOKEN": f"canary-{seed}-secret",
    }
    done = subprocess.run([sys.executable, "-c", SCRIPT, str(path), url, mode], capture_output=True, text=True, timeout=60, env=environment, cwd=Path(__file__).parents[2])  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_cassette_replays_without_the_network_in_another_process(tmp_path, server):
    path, url = tmp_path / "tape.yaml", f"http://127.0.0.1:{server.server_port}/"
    live = in_another_process(path, url, "auto", "1")
    assert Server.asked == 3
    server.shutdown()
    server.server_close()
    for seed in ("2", "3"):
        replayed = in_another_process(path, url, "replay", seed)
        assert replayed[:2] == live[:2]
        assert replayed[2:] == [3, "replay"]
    assert Server.asked == 3
    assert "canary" not in path.read_text()
