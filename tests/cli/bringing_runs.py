"""What brings about errors of runs, by hand, from a terminal and cell by cell."""

from __future__ import annotations

from orchestration_kit import CellSession, WorkflowDefinition
from orchestration_kit.cli import hubs
from orchestration_kit.cli.answering import NotAsked
from orchestration_kit.widgets.cells.body import body_of_code
from orchestration_kit.widgets.cells.errors import BadCommand, OtherRun
from tests.cli.bringing import brings, hub_of, publish, write


def begun(run_id: str = "tuesday"):
    return hub_of(publish()).start("publish", "A slogan", run_id=run_id)


@brings("InvalidGoal")
def _goal():
    return hub_of(publish()).start("publish", " ")


@brings("DuplicateRun")
def _again():
    hub = hub_of(publish())
    hub.start("publish", "A slogan", run_id="tuesday").run()
    return hub.start("publish", "A slogan", run_id="tuesday")


@brings("UnknownRun")
def _run():
    hub = hub_of(publish())
    hub.start("publish", "A slogan", run_id="tuesday")
    return hub.get_run("teusday")


@brings("UnknownVisit")
def _visit():
    run = begun()
    run.run()
    return run.fork(at="review#2")


@brings("MissingEntry")
def _entry():
    run = begun()
    run.run()
    return run.context.data["write_ouput"]


@brings("DefinitionChanged")
def _changed():
    hub = hub_of(publish(), hub={"journal": "runs.db"})
    hub.start("publish", "A slogan", run_id="tuesday").step()
    hub.journal.close()
    other = WorkflowDefinition.from_edges(
        "publish", [("write", "edit")], workers={"write": "writer", "edit": "reviewer"}
    )
    hub = hub_of(other, hub={"journal": "runs.db"})
    try:
        return hub.resume("tuesday", verbose=False)
    finally:
        hub.journal.close()


@brings("RunStateError")
def _state():
    runs = []
    hub = hub_of(publish(), writer=lambda given: runs[0].step())
    runs.append(hub.start("publish", "A slogan", run_id="tuesday"))
    runs[0].run()
    return f"{runs[0].history[0]['error_type']}: {runs[0].history[0]['error']}"


@brings("AnswerRefused")
def _answer():
    run = begun()
    run.run()
    return run.approve()


@brings("NotAsked")
def _not_asked():
    return NotAsked("tuesday", "2 approvals are open", "Say which, with --request: release#1, refund#1.")


@brings("NoHub")
def _hub():
    return hubs.hub_at("my_flow:hub", None).__enter__()


@brings("NoSession")
def _session():
    from orchestration_kit import step

    return step("write")(write)


@brings("CellError")
def _cell():
    return _order()


@brings("BadCommand")
def _command():
    return BadCommand("Say which step the cell is for. Steps: write, review.", "%%step NAME [--again]")


@brings("BadBody")
def _body():
    return body_of_code("write", "", filename="<cell>", namespace=dict)


@brings("OutOfOrder")
def _order():
    session = CellSession(hub_of(publish(), reviewer=write), "publish", goal="A slogan")
    return session.step("review")(write)


@brings("NoCell")
def _no_cell():
    session = CellSession(hub_of(publish(), reviewer=write), "publish", goal="A slogan")
    return session.run_next()


@brings("OtherRun")
def _other():
    return OtherRun("tuesday", "goal", "'A slogan'", "'A poem'")
