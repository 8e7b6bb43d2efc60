import subprocess
import sys
import threading

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from orchestration_kit.engine.around import WATCHING
from orchestration_kit.governance import telemetry


def work(given):
    return given


def run_code(code):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)


def test_importing_the_package_imports_no_opentelemetry():
    code = (
        "import sys, orchestration_kit; from orchestration_kit.governance import telemetry; telemetry.instrumentation(); "
        "print([name for name in sys.modules if name.startswith('opentelemetry')])"
    )
    assert run_code(code).stdout == "[]\n"


def test_without_the_extra_it_is_said_how_to_get_it():
    code = (
        "import sys; sys.modules['opentelemetry'] = None\n"
        "from orchestration_kit.governance import telemetry\n"
        "with telemetry.stream('/dev/null') as told: print(told.is_open)\n"
        "telemetry.enable('memory')"
    )
    done = run_code(code)
    assert done.stdout == "True\n"
    assert "MissingOtelExtra" in done.stderr
    assert "pip install 'orchestration-kit[otel]'" in done.stderr


def test_what_was_not_sent_is_sent_at_exit():
    code = (
        "from orchestration_kit import Orchestrator, WorkerDefinition, create_generic_pipeline\n"
        "from orchestration_kit.governance import telemetry\n"
        "from opentelemetry.sdk.trace.export import ConsoleSpanExporter\n"
        "telemetry.enable(ConsoleSpanExporter())\n"  # given, so sent by a thread of its own, every few seconds
        "hub = Orchestrator()\n"
        "hub.register_worker(WorkerDefinition(worker_type='generic', name='shout', executor=str.upper))\n"
        "hub.register_workflow(create_generic_pipeline([('a', 'generic', ''), ('b', 'generic', '')]))\n"
        "run = hub.start('a_b', 'hi'); run.step()\n"
    )
    done = run_code(code)
    assert done.returncode == 0, done.stderr
    assert '"name": "invoke_agent shout"' in done.stdout
    assert '"name": "invoke_workflow a_b"' in done.stdout
    assert '"orchestration_kit.run.state": "in_progress"' in done.stdout


def test_off_nothing_is_wrapped(hub, make_chain):
    make_chain(hub, "one", work)
    telemetry.enable("memory").disable()
    assert WATCHING.watchers == ()
    assert hub.plan_of("one").steps["work"].worker.call is work


def test_enabled_again_the_one_before_is_disabled(hub, make_chain):
    make_chain(hub, "one", work)
    former = telemetry.enable("memory")
    with telemetry.enable("memory") as latter:
        assert not former.is_enabled
        hub.execute_workflow("one", "hi", verbose=False)
        former.disable()  # changes nothing
        assert latter.is_enabled
    assert (len(former.spans), len(latter.spans)) == (0, 2)
    assert repr(former) == "<Telemetry to memory, disabled>"
    telemetry.disable()  # nor does this


def test_disabled_during_a_run_its_spans_end(hub, make_chain):
    seen = []

    def stops(given):
        seen.append(telemetry.disable())
        return given

    make_chain(hub, "two", stops, work)
    told = telemetry.enable("memory")
    assert hub.execute_workflow("two", "hi", verbose=False).state.value == "completed"
    assert [span.name for span in told.spans] == ["invoke_agent stops_worker", "invoke_workflow two"]
    assert told.spans[0].attributes["orchestration_kit.outcome"] == "left"


def test_an_application_may_give_its_own_providers(hub, make_chain):
    exporter, reader = InMemorySpanExporter(), InMemoryMetricReader()
    tracers, meters = TracerProvider(), MeterProvider([reader])
    tracers.add_span_processor(SimpleSpanProcessor(exporter))
    make_chain(hub, "one", work)
    with telemetry.enable(tracers, metrics=meters) as told:
        hub.execute_workflow("one", "hi", verbose=False)
        hub.last_run.fork("work#1").run()
    assert len(exporter.get_finished_spans()) == 4
    assert told.spans == ()
    (resource,) = reader.get_metrics_data().resource_metrics
    assert "orchestration_kit.runs" in [metric.name for metric in resource.scope_metrics[0].metrics]
    tracers.shutdown()  # it was left to its owner
    meters.shutdown()


def test_no_provider_and_no_exporter_is_said_at_once():
    with pytest.raises(telemetry.InvalidTelemetry, match="none is set(.|\n)*exporter='memory'"):
        telemetry.enable()


@pytest.mark.parametrize("exporter", ["memroy", "127.0.0.1:4318", "ftp://host", "http://", "http://[", 7, object])
def test_what_is_no_exporter_is_refused(exporter):
    with pytest.raises(telemetry.InvalidTelemetry, match="Give exporter="):
        telemetry.enable(exporter)


def test_what_is_no_place_for_metrics_is_refused():
    with pytest.raises(telemetry.InvalidTelemetry, match="metrics='all'"):
        telemetry.enable(InMemorySpanExporter(), metrics="all")
    assert WATCHING.watchers == ()


def test_a_pattern_that_is_none_is_refused():
    with pytest.raises(ValueError, match="regular expression"):
        telemetry.enable("memory", redact=["("])


def test_errors_survive_pickling():
    import pickle

    for error in (telemetry.MissingOtelExtra(), telemetry.InvalidTelemetry("reason", "hint")):
        again = pickle.loads(pickle.dumps(error))
        assert (type(again), str(again)) == (type(error), str(error))


class Broken(SpanExporter):
    def __init__(self):
        self.calls = 0

    def export(self, spans):
        self.calls += 1
        raise RuntimeError("the disk is gone")

    def shutdown(self):
        raise RuntimeError("and so is the exporter")


def test_an_exporter_that_raises_harms_no_run(hub, make_chain, caplog):
    make_chain(hub, "one", work)
    exporter = Broken()
    told = telemetry.enable(exporter)
    assert hub.execute_workflow("one", "hi", verbose=False).state.value == "completed"
    assert told.disable() is False
    assert exporter.calls == 1
    assert "was not shut down: RuntimeError" in caplog.text


def test_a_sampler_that_wants_nothing_is_obeyed(hub, make_chain):
    from opentelemetry.sdk.trace.sampling import ALWAYS_OFF

    exporter = InMemorySpanExporter()
    tracers = TracerProvider(sampler=ALWAYS_OFF)
    tracers.add_span_processor(SimpleSpanProcessor(exporter))
    make_chain(hub, "one", work)
    with telemetry.enable(tracers, metrics=False):
        assert hub.execute_workflow("one", "hi", verbose=False).state.value == "completed"
    assert exporter.get_finished_spans() == ()


def test_series_of_metrics_have_an_end(hub):
    from orchestration_kit.governance.telemetry.cleaning import OTHER, Cleaner

    cleaner = Cleaner()
    labels = {cleaner.label(f"made up {number}") for number in range(5_000)}
    assert OTHER in labels
    assert len(labels) == 1_001


def test_the_providers_of_the_process_are_set_where_that_is_asked_for():
    code = (
        "from opentelemetry import metrics, trace\n"
        "from orchestration_kit.governance import telemetry\n"
        "before = type(trace.get_tracer_provider()).__name__\n"
        "telemetry.enable('memory').disable()\n"
        "assert type(trace.get_tracer_provider()).__name__ == before == 'ProxyTracerProvider'\n"
        "told = telemetry.enable('memory', set_global=True)\n"
        "assert trace.get_tracer_provider() is told.provider\n"
        "trace.get_tracer('mine').start_span('one').end()\n"
        "print([span.name for span in told.spans], type(metrics.get_meter_provider()).__name__)\n"
        "with telemetry.enable() as again: print(again)\n"
    )
    done = run_code(code)
    assert done.stdout == "['one'] MeterProvider\n<Telemetry to the provider of this process>\n", done.stderr


def test_on_the_console_metrics_come_once_at_the_end():
    code = (
        "from orchestration_kit import Orchestrator, WorkerDefinition, create_generic_pipeline, telemetry\n"
        "hub = Orchestrator()\n"
        "hub.register_worker(WorkerDefinition(worker_type='generic', name='shout', executor=str.upper))\n"
        "hub.register_workflow(create_generic_pipeline([('a', 'generic', ''), ('b', 'generic', '')]))\n"
        "with telemetry.enable('console'): hub.execute_workflow('a_b', 'hi', verbose=False)\n"
    )
    done = run_code(code)
    assert done.stdout.count('"name": "invoke_agent shout"') == 2
    assert done.stdout.count('"name": "orchestration_kit.attempt.duration"') == 1
    assert done.stderr == ""


def test_the_environment_may_name_the_service(hub, make_chain, monkeypatch):
    monkeypatch.setenv("OTEL_SERVICE_NAME", "by the environment")
    make_chain(hub, "one", work)
    with telemetry.enable("memory", service="by the code") as told:
        hub.execute_workflow("one", "hi", verbose=False)
    assert told.spans[0].resource.attributes["service.name"] == "by the environment"


def test_a_password_in_the_address_is_never_shown():
    with telemetry.enable("http://ann:pass-word-1@127.0.0.1:9/otlp", metrics=False, timeout_s=0.1) as told:
        assert repr(told) == "<Telemetry to http://127.0.0.1:9/otlp>"
    with pytest.raises(telemetry.InvalidTelemetry) as refused:
        telemetry.enable("ftp://ann:pass-word-1@127.0.0.1/")
    assert "pass-word-1" not in str(refused.value)


def test_where_the_metrics_are_refused_no_thread_of_the_spans_is_left():
    before = set(threading.enumerate())
    with pytest.raises(telemetry.InvalidTelemetry, match="metrics"):
        telemetry.enable(TracesOnly(), metrics=object())
    assert set(threading.enumerate()) <= before


class TracesOnly(SpanExporter):
    def export(self, spans):
        return None
