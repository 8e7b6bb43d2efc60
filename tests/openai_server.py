"""A real HTTP server on loopback that speaks OpenAI's protocol, and says what a test has it say.

    with OpenAIServer([text("Hello"), status(429, headers={"Retry-After": "3"})]) as server:
        server.url          # http://127.0.0.1:PORT/v1
        server.requests     # what was sent: path, headers (lower case), body

Answers are given in order, one a request; a function `(Request) -> answer` answers as often as it is asked. Nothing
sleeps: a slow body waits for an event, and is let go when the server closes.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Request:
    """What a client sent."""

    path: str
    headers: dict[str, str]
    body: dict

    @property
    def messages(self) -> list[dict]:
        return self.body.get("messages", [])

    @property
    def told(self) -> str:
        """All that the model reads, as text."""
        return "\n".join(str(message.get("content") or "") for message in self.messages)


@dataclass
class Answer:
    """What the server says: a message of the model, or anything else that a server may send."""

    content: str | None = None
    calls: Sequence[tuple[str, dict | str]] = ()
    tokens: tuple[int, int] = (20, 10)
    finish: str | None = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    raw: bytes | None = None
    """Sent as it is, in the place of a message."""
    content_type: str = "application/json"
    claimed: int | None = None
    """The length that the server says the body has, where that is not so."""
    until: threading.Event | None = None
    """The body stops half way until this is set."""


def text(content: str, tokens: tuple[int, int] = (20, 10)) -> Answer:
    return Answer(content=content, tokens=tokens)


def call(name: str, tokens: tuple[int, int] = (20, 10), /, **arguments) -> Answer:
    return Answer(calls=[(name, arguments)], tokens=tokens)


def calls(*named: tuple[str, dict | str]) -> Answer:
    return Answer(calls=named)


def status(code: int, message: str = "no", headers: dict[str, str] | None = None) -> Answer:
    body = {"error": {"message": message, "type": "error", "code": None}}
    return Answer(status=code, headers=headers or {}, raw=json.dumps(body).encode())


def raw(body: bytes, content_type: str = "application/json", **more) -> Answer:
    return Answer(raw=body, content_type=content_type, **more)


def slow(until: threading.Event) -> Answer:
    return Answer(content="late", until=until)


class OpenAIServer:
    """Listens while it is open. With a key, requests without it get a 401 that shows the key they came with."""

    def __init__(self, answers: Sequence[Answer] | Callable[[Request], Answer] = (), key: str | None = None) -> None:
        self.answers = answers if callable(answers) else list(answers)
        self.key = key
        self.requests: list[Request] = []
        self._lock = threading.Lock()
        self._held: list[threading.Event] = []
        self._http = _Server(("127.0.0.1", 0), _Handler)
        self._http.kit = self
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_port}/v1"

    def __enter__(self) -> OpenAIServer:
        self._thread.start()
        return self

    def __exit__(self, *_) -> None:
        for event in self._held:
            event.set()
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()

    def answer(self, request: Request) -> Answer:
        with self._lock:
            self.requests.append(request)
            if self.key is not None and request.headers.get("authorization") != f"Bearer {self.key}":
                return status(401, f"Incorrect API key provided: {request.headers.get('authorization')}")
            if callable(self.answers):
                return self.answers(request)
            if not self.answers:
                return status(400, f"the test has no answer for request {len(self.requests)}")
            return self.answers.pop(0)

    def hold(self, event: threading.Event) -> None:
        self._held.append(event)
        event.wait()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256  # many workers may ask at once


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        given = self.rfile.read(int(self.headers.get("content-length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request(self.path, headers, json.loads(given))
        if self.path != "/v1/chat/completions":
            self._send(status(404, f"nothing at {self.path}"), b"{}")
            return
        answer = self.server.kit.answer(request)
        model = request.body["model"]
        if answer.raw is not None:
            self._send(answer, answer.raw)
        elif request.body.get("stream"):
            answer.content_type = "text/event-stream"
            self._send(answer, _events(answer, model))
        else:
            self._send(answer, json.dumps(_completion(answer, model)).encode())

    def _send(self, answer: Answer, body: bytes) -> None:
        try:
            self.send_response(answer.status)
            self.send_header("content-type", answer.content_type)
            self.send_header("content-length", str(len(body) if answer.claimed is None else answer.claimed))
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.end_headers()
            if answer.until is not None:
                self.wfile.write(body[:9])
                self.wfile.flush()
                body = body[9:]
                self.server.kit.hold(answer.until)
            self.wfile.write(body)
            self.wfile.flush()
            if answer.claimed is not None:
                self.close_connection = True
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True  # the client has read enough

    def log_message(self, *_) -> None:
        """Say nothing."""


def _tool_calls(answer: Answer) -> list[dict]:
    return [
        {
            "index": index,
            "id": f"call_{index}",
            "type": "function",
            "function": {"name": name, "arguments": given if isinstance(given, str) else json.dumps(given)},
        }
        for index, (name, given) in enumerate(answer.calls)
    ]


def _usage(answer: Answer) -> dict:
    into, out = answer.tokens
    return {"prompt_tokens": into, "completion_tokens": out, "total_tokens": into + out}


def _completion(answer: Answer, model: str) -> dict:
    message: dict = {"role": "assistant", "content": answer.content}
    if answer.calls:
        message["tool_calls"] = [
            {key: part for key, part in one.items() if key != "index"} for one in _tool_calls(answer)
        ]
    finish = answer.finish or ("tool_calls" if answer.calls else "stop")
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1_700_000_000,
        "model": model,
        "choices": [{"index": 0, "message": message, "finish_reason": finish}],
        "usage": _usage(answer),
    }


def _events(answer: Answer, model: str) -> bytes:
    head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1_700_000_000, "model": model}
    content = answer.content or ""
    words = content.replace(" ", "\0 ").split("\0") if content else []
    deltas: list[dict] = [{"role": "assistant", "content": ""}, *({"content": word} for word in words)]
    deltas += [{"tool_calls": [one]} for one in _tool_calls(answer)]
    finish = answer.finish or ("tool_calls" if answer.calls else "stop")
    chunks = [{**head, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]} for delta in deltas]
    chunks.append({**head, "choices": [{"index": 0, "delta": {}, "finish_reason": finish}]})
    chunks.append({**head, "choices": [], "usage": _usage(answer)})
    return b"".join(b"data: %s\n\n" % json.dumps(chunk).encode() for chunk in chunks) + b"data: [DONE]\n\n"
