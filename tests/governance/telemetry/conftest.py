"""Hubs to be told of, and spans to be looked at by name."""

import pytest
from opentelemetry.trace import format_span_id

from orchestration_kit import Orchestrator, WorkerDefinition, WorkflowDefinition, WorkflowStep
from orchestration_kit.engine.around import WATCHING
from orchestration_kit.governance import telemetry


@pytest.fixture(autouse=True)
def nothing_leaks():
    """No test leaves anybody behind who watches the runs of the next one."""
    assert WATCHING.watchers == ()
    yield
    telemetry.disable()
    assert WATCHING.watchers == ()


@pytest.fixture
def told():
    with telemetry.enable("memory") as made:
        yield made


def chain(hub, name, *workers, **options):
    """Register a chain of workers as a workflow; the options are of each step."""
    workflow = WorkflowDefinition(name=name)
    for number, worker in enumerate(workers):
        step_id = worker.__name__
        hub.register_worker(WorkerDefinition(worker_type=step_id, name=f"{step_id}_worker", executor=worker))
        last = number == len(workers) - 1
        following = {} if last else {"on_success": workers[number + 1].__name__}
        step = WorkflowStep(step_id=step_id, worker_type=step_id, is_terminal=last, **following, **options)
        workflow.add_step(step, is_initial=number == 0)
    hub.register_workflow(workflow)


@pytest.fixture
def make_chain():
    return chain


class Tree:
    """Spans by name, and who is within whom."""

    def __init__(self, spans):
        self.spans = list(spans)
        self.by_id = {span.context.span_id: span for span in self.spans}

    def one(self, name):
        (found,) = self.all(name)
        return found

    def all(self, name):
        return [span for span in self.spans if span.name == name]

    def parent(self, span):
        return None if span.parent is None else self.by_id.get(span.parent.span_id)

    def __str__(self):
        return "\n".join(f"{span.name} {format_span_id(span.context.span_id)} in {span.parent}" for span in self.spans)


@pytest.fixture
def tree(told):
    return lambda: Tree(told.spans)


@pytest.fixture
def tree_of():
    return Tree


@pytest.fixture
def hub():
    return Orchestrator()
