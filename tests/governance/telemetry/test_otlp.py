"""Against a receiver that speaks OTLP over HTTP, as collectors do: what comes over the wire is parsed."""

import gzip
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from orchestration_kit.governance import telemetry

KINDS = {"/v1/traces": ExportTraceServiceRequest, "/v1/metrics": ExportMetricsServiceRequest}


class Receiver(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.requests = []
        self.status = 200
        self.hold = None
        self.asked = threading.Event()

    @property
    def address(self):
        return f"http://127.0.0.1:{self.server_port}"

    def spans(self):
        return [
            (resource.resource, span)
            for path, request in self.requests
            if path == "/v1/traces"
            for resource in request.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]

    def metrics(self):
        return {
            metric.name: metric
            for path, request in self.requests
            if path == "/v1/metrics"
            for resource in request.resource_metrics
            for scope in resource.scope_metrics
            for metric in scope.metrics
        }


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        self.server.asked.set()
        if self.server.hold is not None:
            self.server.hold.wait(20)
        request = KINDS[self.path]()
        request.ParseFromString(body)
        self.server.requests.append((self.path, request))
        self.send_response(self.server.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def receiver():
    with Receiver() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        if server.hold is not None:
            server.hold.set()
        server.shutdown()
        thread.join()


def plain(attributes):
    return {one.key: getattr(one.value, one.value.WhichOneof("value")) for one in attributes}


def work(given, context):
    context.add_usage(input_tokens=70, output_tokens=30, cost_usd=0.5, model="tiny-1")
    if context.attempt == 1:
        raise ValueError("once")
    return given


def test_spans_and_metrics_come_over_the_wire(hub, make_chain, receiver):
    make_chain(hub, "one", work, max_retries=1)
    with telemetry.enable(receiver.address, service="shop") as told:
        context = hub.execute_workflow("one", "a secret goal", verbose=False)
        assert told.flush()
        assert len(receiver.spans()) == 3  # without waiting for the end
    names = {span.name for _, span in receiver.spans()}
    assert names == {"invoke_workflow one", "invoke_agent work_worker"}
    run = next(span for _, span in receiver.spans() if span.name == "invoke_workflow one")
    attempts = [span for _, span in receiver.spans() if span.name == "invoke_agent work_worker"]
    assert {span.parent_span_id for span in attempts} == {run.span_id}
    assert {span.trace_id for span in attempts} == {run.trace_id}
    assert plain(run.attributes)["orchestration_kit.run.id"] == context.workflow_id
    assert [span.status.code for span in sorted(attempts, key=lambda one: one.start_time_unix_nano)] == [2, 0]
    assert {plain(resource.attributes)["service.name"] for resource, _ in receiver.spans()} == {"shop"}
    assert b"secret goal" not in b"".join(request.SerializeToString() for _, request in receiver.requests)

    metrics = receiver.metrics()
    points = metrics["orchestration_kit.attempt.duration"].histogram.data_points
    assert {plain(point.attributes)["orchestration_kit.outcome"]: point.count for point in points} == {
        "retried": 1,
        "completed": 1,
    }
    tokens = metrics["gen_ai.client.token.usage"].histogram.data_points
    assert {plain(p.attributes)["gen_ai.token.type"] for p in tokens} == {"input", "output"}
    assert sum(point.sum for point in tokens) == 200
    assert sum(point.as_double for point in metrics["orchestration_kit.cost"].sum.data_points) == 1.0
    assert metrics["orchestration_kit.failures"].sum.data_points[0].as_int == 1
    assert plain(metrics["orchestration_kit.runs"].sum.data_points[0].attributes) == {
        "orchestration_kit.workflow": "one",
        "orchestration_kit.run.state": "completed",
    }
    every = [plain(p.attributes) for m in metrics.values() for p in (*m.histogram.data_points, *m.sum.data_points)]
    assert not [one for one in every if context.workflow_id in one.values()]


def test_a_receiver_that_refuses_harms_no_run(hub, make_chain, receiver, caplog):
    receiver.status = 400
    make_chain(hub, "one", work, max_retries=1)
    with telemetry.enable(receiver.address, metrics=False):
        assert hub.execute_workflow("one", "hi", verbose=False).state.value == "completed"
    assert "400" in caplog.text


def test_a_receiver_that_hangs_holds_up_neither_run_nor_end(hub, make_chain, receiver, caplog):
    receiver.hold = threading.Event()
    make_chain(hub, "one", work, max_retries=1)
    told = telemetry.enable(receiver.address, timeout_s=0.05)
    assert hub.execute_workflow("one", "hi", verbose=False).state.value == "completed"
    assert told.disable() is False
    assert "not shut down within 0.05 s" in caplog.text
    receiver.hold.set()


def test_nobody_at_the_address_harms_no_run(hub, make_chain, caplog):
    with Receiver() as gone:
        address = gone.address
    make_chain(hub, "one", work, max_retries=1)
    told = telemetry.enable(address, timeout_s=0.05)
    assert hub.execute_workflow("one", "hi", verbose=False).state.value == "completed"
    told.disable()


def test_the_address_may_name_the_path_of_traces(hub, make_chain, receiver):
    make_chain(hub, "one", work, max_retries=1)
    with telemetry.enable(receiver.address + "/v1/traces", metrics=False):
        hub.execute_workflow("one", "hi", verbose=False)
    assert len(receiver.spans()) == 3
    assert receiver.metrics() == {}


def test_texts_of_any_kind_come_over_the_wire(hub, make_chain, receiver):
    def odd(given):
        raise ValueError("half \ud83d of a pair")

    make_chain(hub, "one", odd)
    with telemetry.enable(receiver.address, contents=True):
        hub.execute_workflow("one", "Grüße \udc80", verbose=False, run_id="id \ud83d")
    assert len(receiver.spans()) == 2
    run = next(span for _, span in receiver.spans() if span.name == "invoke_workflow one")
    assert plain(run.attributes)["orchestration_kit.goal"] == "Grüße ?"
