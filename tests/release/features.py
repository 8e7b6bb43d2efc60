"""What each extra is for, in a few lines, as somebody would use it who has that extra and no other.

python features.py plot              use it, and print what came out
python features.py --without all     hide what the extras bring, and print what each says then, as JSON
"""

from __future__ import annotations

import io
import json
import sys
import tempfile
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

BROUGHT = {
    "demo": ("jinja2", "html5lib", "nbformat", "nbclient"),
    "lab": ("jupyterlab", "sklearn"),
    "arrow": ("pyarrow",),
    "plot": ("matplotlib",),
    "llm": ("pydantic_ai", "openai"),
    "rules": ("sqlglot",),
    "otel": ("opentelemetry",),
    "evals": ("pydantic_evals",),
    "reliability": ("scipy",),
    "processes": ("cloudpickle",),
    "dask": ("distributed", "dask"),
    "dashboard": ("voila",),
}
"""Modules that come with an extra."""


def hub_with(executor=None, **options):
    """Return a hub with a workflow of one step, `flow`, whose worker makes text loud."""
    from orchestration_kit import Orchestrator, WorkerDefinition, WorkflowDefinition

    hub = Orchestrator(executor=executor, **options)
    hub.register_worker(WorkerDefinition(worker_type="loud", name="loud", executor=lambda goal: str(goal).upper()))
    workers = {"loud": "loud", "done": "generic"}
    hub.register_workflow(WorkflowDefinition.from_edges("flow", [("loud", "done")], workers=workers))
    return hub


def demo(folder):
    from orchestration_kit.cli import main

    printed = io.StringIO()  # the way to install what is missing is said there
    with redirect_stdout(printed), redirect_stderr(printed):
        code = main(["demo", "--out", str(folder / "site"), "--seed", "7"])
    if code:
        raise RuntimeError(printed.getvalue())
    return sorted(path.name for path in (folder / "site").iterdir())


def lab(folder):
    import jupyterlab
    import nbformat
    from nbclient import NotebookClient
    from sklearn.linear_model import LogisticRegression

    from orchestration_kit import worker_from

    worker = worker_from(LogisticRegression().fit([[0.0], [1.0]], ["no", "yes"]), worker_type="judge")
    cell = "from orchestration_kit import WorkflowDefinition\nWorkflowDefinition.from_edges('f', [('a', 'b')])"
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell)])
    NotebookClient(notebook, timeout=120).execute()
    return [jupyterlab.__version__, worker.name, sorted(notebook.cells[0].outputs[0]["data"])]


def arrow(folder):
    from orchestration_kit import SQLiteJournal
    from orchestration_kit.journal import codec

    try:
        import pyarrow as pa
    except ImportError:
        return codec.loads(b'{"$arrow": ["table", ""]}')  # what was kept elsewhere, with pyarrow
    with SQLiteJournal(folder / "runs.db") as journal:
        hub = hub_with(journal=journal)
        hub.start("flow", "a table", {"table": pa.table({"price": [80, 90]})}, run_id="r").run()
        return hub.get_run("r").run().data["table"]["price"].to_pylist()


def plot(folder):
    from orchestration_kit import history_frame
    from orchestration_kit.visual import timeline

    result = hub_with().execute_workflow("flow", "hello", verbose=False)
    assert len(history_frame(result)) == 2
    return timeline(result).svg[:4]


def llm(folder):
    from orchestration_kit.workers.llm import agent_worker

    try:
        from pydantic_ai import Agent
        from pydantic_ai.models.test import TestModel
    except ImportError:
        return agent_worker(None)
    from orchestration_kit import worker_from

    hub = hub_with()
    agent = Agent(TestModel(custom_output_text="Ahoy!"), name="sailor")
    hub.register_worker(worker_from(agent, worker_type="loud", name="loud"))
    return hub.execute_workflow("flow", "hello", verbose=False).data["loud_output"]


def rules(folder):
    from orchestration_kit.governance.rules.sql_reading import read_sql

    return read_sql("SELECT name FROM shop.users", "").tables


def otel(folder):
    from orchestration_kit import telemetry

    with telemetry.enable("memory") as enabled:
        hub_with().execute_workflow("flow", "hello", verbose=False)
        return len(enabled.spans) > 0


def evals(folder):
    from pydantic_evals.evaluators import EqualsExpected

    from orchestration_kit import Case, Dataset, evaluate

    frame = evaluate(str.upper, Dataset([Case("a", "a", expected="A")]), EqualsExpected())
    return len(frame)


def reliability(folder):
    from orchestration_kit.reliability import reliability as of

    hub = hub_with()
    runs = [hub.execute_workflow("flow", str(at), verbose=False) for at in range(5)]
    return len(of(runs).decay(5))


def processes(folder):
    from orchestration_kit.executors import ProcessesExecutor

    with ProcessesExecutor(1) as executor:
        return hub_with(executor).execute_workflow("flow", "hello", verbose=False).data["loud_output"]


def dask(folder):
    from orchestration_kit.executors import DaskExecutor, local_cluster

    with local_cluster(1) as client, DaskExecutor(client) as executor:
        return hub_with(executor).execute_workflow("flow", "hello", verbose=False).data["loud_output"]


def dashboard(folder):
    from urllib.request import urlopen

    from orchestration_kit import SQLiteJournal
    from orchestration_kit.widgets.dashboard.serving import served

    with SQLiteJournal(folder / "runs.db") as journal:
        hub_with(journal=journal).start("flow", "hello", run_id="r").run()
    with served(folder / "runs.db") as page, urlopen(page.url, timeout=120) as answer:
        return answer.status


def used(extra):
    """Return what using an extra gives, as text."""
    with tempfile.TemporaryDirectory() as folder:
        return repr(globals()[extra](Path(folder)))


class Veiled:
    """One of Python's finders, which finds all but some modules: they are absent, as where they were never installed."""

    def __init__(self, finder, modules):
        self.finder, self.modules = finder, modules

    def find_spec(self, name, path=None, target=None):
        return None if name.partition(".")[0] in self.modules else self.finder.find_spec(name, path, target)

    def __getattr__(self, name):
        return getattr(self.finder, name)


def said_without():
    """Return what each extra says where nothing of any extra is there, by extra."""
    hidden = frozenset(module for modules in BROUGHT.values() for module in modules)
    sys.meta_path[:] = [Veiled(finder, hidden) for finder in sys.meta_path]
    said = {}
    for extra in BROUGHT:
        try:
            said[extra] = "worked: " + used(extra)
        except Exception as error:
            said[extra] = f"{type(error).__name__}: {error}"
    return said


if __name__ == "__main__":
    if sys.argv[1] == "--without":
        print(json.dumps(said_without()))
    else:
        print(used(sys.argv[1]))
