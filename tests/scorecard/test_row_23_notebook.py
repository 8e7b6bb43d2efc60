"""Row 23, further: a notebook that was run, and the key of a model."""

from __future__ import annotations

import json
import logging
import os

import nbformat
import pytest

from orchestration_kit import (
    SQLiteJournal,
    WorkflowState,
)
from orchestration_kit.governance import telemetry
from tests.scorecard.canaries import CANARIES, hits
from tests.scorecard.test_row_23_canaries import ROOT, _spans_as_text
from tests.support import hub_of, step, workflow_of

NOTEBOOK = """
from tests.scorecard.canaries import CANARIES, ENVIRONMENT, play
import os
os.environ.update(ENVIRONMENT)
runs = [play(secret, run_id=name.replace(" ", "-"), journal="runs.db", wisdom="lessons.db", verbose=True) for name, secret in CANARIES.items()]
runs[0]
---
runs[0].context
---
from orchestration_kit import data_frame, history_frame, timeline, visualize
history_frame(runs)
---
data_frame(runs).astype(str)
---
[run.context.error for run in runs], [run.context.goal for run in runs]
---
visualize(runs[0])
---
timeline(runs[0])
---
from IPython.display import display
for run in runs:
    display(run.context, run)
---
from orchestration_kit.governance.wisdom import Wisdom
from tests.scorecard.test_row_23_canaries import _environment  # noqa: F401 - fixtures
Wisdom("lessons.db")
---
Wisdom("lessons.db").to_frame()
"""


def test_a_notebook_that_was_run_holds_none(tmp_path, figure):
    from nbclient import NotebookClient

    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(source.strip()) for source in NOTEBOOK.split("---\n")]
    )
    environ = {**os.environ, "IPYTHONDIR": str(tmp_path / "ipython"), "PYTHONPATH": str(ROOT)}
    NotebookClient(notebook, timeout=180, resources={"metadata": {"path": str(tmp_path)}}).execute(env=environ)
    content = nbformat.writes(notebook)
    assert len(content) > 50_000
    assert hits(content) == []
    for file in tmp_path.iterdir():
        if file.is_file():
            assert hits(file.read_bytes()) == [], file.name
    figure(f"row 23: a notebook of {len(content) / 1e3:.0f} kB with {len(CANARIES)} canaries: 0 hits")


async def _at_once(seconds: float) -> None:
    """Instead of a wait."""


@pytest.mark.parametrize("status", [200, 401, 429, 500])
def test_the_key_of_a_model_is_nowhere_even_if_the_server_says_it(status, tmp_path, caplog, capsys):
    """Of no known shape: it is known as a key only from where it was given."""
    from orchestration_kit.workers.llm import Endpoint, endpoint_worker
    from orchestration_kit.workers.llm.client import Patience
    from tests.openai_server import Answer, OpenAIServer

    key = {"the key": "my very own key of no known shape".replace(" ", "_")}
    secret = key["the key"]
    said = (
        Answer(content=f"your key is {secret}")
        if status == 200
        else Answer(
            status=status, raw=json.dumps({"error": {"message": f"wrong key {secret}", "code": secret}}).encode()
        )
    )
    caplog.set_level(logging.DEBUG)
    with (
        OpenAIServer(lambda request: said) as server,
        telemetry.enable("memory", contents=True) as told,
        SQLiteJournal(tmp_path / "runs.db") as journal,
    ):
        worker = endpoint_worker(server.url, model="tiny", api_key=secret, patience=Patience(sleep=_at_once))
        hub = hub_of(workflow_of(step("a", max_retries=1)), {"a": worker}, journal=journal)
        context = hub.execute_workflow("flow", "say hello", run_id="r")
        sent = [request.headers["authorization"] for request in server.requests]
        files = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert sent and all(header == f"Bearer {secret}" for header in sent)
    assert context.state == (WorkflowState.COMPLETED if status == 200 else WorkflowState.FAILED)
    printed = capsys.readouterr()
    shown = [
        repr(worker),
        repr(Endpoint.at(f"{server.url}#tiny", api_key=secret)),
        repr(context.history),
        str(context.error),
        repr(hub),
        printed.out,
        printed.err,
    ]
    assert hits("\n".join(shown), key) == []
    assert hits(files, key) == []
    assert hits(caplog.text, key) == []
    assert hits(_spans_as_text(told.spans), key) == []
