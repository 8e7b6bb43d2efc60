"""The law: in whatever order cells are run, edited and gone back to, the record is that of a run made in order."""

from __future__ import annotations

import itertools
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from orchestration_kit import CellSession, MapStep, Orchestrator, SQLiteJournal, replay
from orchestration_kit.engine.events import RunForked
from orchestration_kit.testing import assert_same_flow, flow
from orchestration_kit.widgets.cells.body import body_of_code
from orchestration_kit.widgets.cells.errors import BadCommand, NoCell, OutOfOrder
from orchestration_kit.widgets.cells.turns import turns_of
from tests.laws import examples
from tests.support import step, workflow_of

CHAIN = workflow_of(step("a", "b"), step("b", "c"), step("c", "d"), step("d"), name="chain")
LOOP = workflow_of(
    step("a", "b"),
    step("b", "c"),
    step("c", "d", success_when="output.ok == true", on_failure="b"),
    step("d"),
    name="loop",
)
BRANCHED = workflow_of(
    step("a", "m"),
    MapStep(step_id="m", over="output", body="b", on_success="d"),
    step("b", "c", is_terminal=False),
    step("c", None, is_terminal=False, on_success=None),
    step("d"),
    name="branched",
)
WORKFLOWS = {workflow.name: workflow for workflow in (CHAIN, LOOP, BRANCHED)}
STEPS = "abcd"
VERSIONS = (0, 1, 2)


def code(workflow, name, version):
    """Cells that tell who wrote them, write to the data bus, and sometimes make no difference to what follows."""
    if workflow == "branched" and name == "a":
        return f"[context.goal + 'a{version % 2}', 'x', 'y'][: {version} + 1]"
    if workflow == "branched":
        return f"f'{{input}}{name}{version % 2}'"
    if workflow == "loop" and name == "c":
        return f"{{'ok': context.visit > {version}, 'text': str(input)}}"
    return f"""
context.data['seen'] = [*context.data.get('seen', []), '{name}{version % 2}']
text = f'{{input}}{name}{version % 2}'  # version {version}
text
"""


def body(workflow, name, version):
    source = code(workflow, name, version)
    return body_of_code(name, source, filename=f"<{name}>", namespace=dict)


BODIES = {
    body(workflow, name, version).worker.name: body(workflow, name, version)
    for workflow, name, version in itertools.product(WORKFLOWS, STEPS, VERSIONS)
}


def hub_with(journal=None):
    hub = Orchestrator(journal=journal)
    for workflow in WORKFLOWS.values():
        hub.register_workflow(workflow)
    return hub


def made_in_order(session):
    """A run made turn by turn, in order, by the same cells."""
    name = session.run.workflow.name
    other = CellSession(hub_with(), name, "g", seed=1)
    perform_again(other, session.run)
    return other.run


def perform_again(session, run):
    """Run the cells that made a run, in order; a last step without one is passed by `%run_next`."""
    for turn in turns_of(run):
        if turn.worker is None:
            session.run_next()
        else:
            session.perform(BODIES[turn.worker])


def assert_same_record(run, other):
    """The same attempts with the same outcomes, in the same order; of branches, in the same order within each.

    A fork parts the record: what the branches did before it is told before what they did after it.
    """
    if not run.machine.is_branched:
        assert_same_flow(run, other)
        return
    ours, theirs = (by_branch(one) for one in (run, other))
    assert ours == theirs
    assert run.state == other.state
    assert dict(run.context.data) == dict(other.context.data)


def by_branch(run):
    found = {}
    for entry in flow(run):
        scope = entry["path"].rpartition("/")[0]
        found.setdefault(scope, []).append({key: value for key, value in entry.items() if key != "seq"})
    return found


class Cells(RuleBasedStateMachine):
    journal = None

    @initialize(workflow=st.sampled_from(sorted(WORKFLOWS)))
    def begin(self, workflow):
        self.hub = hub_with(self.journal and self.journal())
        self.workflow = workflow
        self.session = CellSession(self.hub, workflow, "g", seed=1, run_id="r")

    @rule(name=st.sampled_from(STEPS), version=st.sampled_from(VERSIONS), again=st.booleans())
    def run_a_cell(self, name, version, again):
        try:
            self.session.perform(body(self.workflow, name, version), again=again)
        except OutOfOrder:
            pass

    @rule()
    def run_next(self):
        try:
            self.session.run_next()
        except (BadCommand, NoCell):
            pass

    @rule(name=st.sampled_from(STEPS))
    def run_until(self, name):
        try:
            self.session.run_until(name)
        except (BadCommand, NoCell):
            pass

    @precondition(lambda self: turns_of(self.session.run))
    @rule(data=st.data())
    def go_back(self, data):
        turn = data.draw(st.sampled_from(turns_of(self.session.run)), label="turn")
        self.session.goto(turn.records[0].path)

    @rule()
    def refresh(self):
        self.session.refresh()

    @invariant()
    def the_record_is_that_of_a_run_made_in_order(self):
        if not hasattr(self, "session"):
            return
        assert_same_record(self.session.run, made_in_order(self.session))
        assert replay(self.session.run).is_same
        forks = [event for event in self.session.run.events if isinstance(event, RunForked)]
        assert len(forks) < len(self.session.editions)

    @invariant()
    def nothing_is_both_stale_and_made(self):
        if hasattr(self, "session"):
            made = {turn.key for turn in turns_of(self.session.run)}
            assert not made & set(self.session.stale)

    @invariant()
    def editions_before_stay_as_they_were(self):
        if not hasattr(self, "session"):
            return
        for run in self.session.editions:
            assert replay(run).is_same


class CellsAndRestarts(Cells):
    """The same with a journal, and kernels that are restarted."""

    def __init__(self):
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name, "runs.db")

    def journal(self):
        return SQLiteJournal(self.path)

    @precondition(lambda self: turns_of(self.session.run))
    @rule()
    def restart(self):
        before = self.session.run
        self.session = CellSession(hub_with(self.journal()), self.workflow, "g", run_id="r")
        assert self.session.run.run_id == before.run_id
        assert_same_flow(self.session.run, before)

    @precondition(lambda self: turns_of(self.session.run))
    @rule()
    def restart_and_run_from_the_top(self):
        """Nothing is executed: cells as they were when their visits were made are taken over."""
        before = self.session.run
        session = CellSession(hub_with(self.journal()), self.workflow, "g", run_id="r")
        perform_again(session, before)
        assert session.run.run_id == before.run_id
        assert session.run.machine.count == before.machine.count
        self.session = session

    def teardown(self):
        self.folder.cleanup()


TestCells = Cells.TestCase
TestCells.settings = settings(max_examples=examples(60), stateful_step_count=12, deadline=None)
TestCellsAndRestarts = CellsAndRestarts.TestCase
TestCellsAndRestarts.settings = settings(max_examples=examples(30), stateful_step_count=12, deadline=None)


@given(
    st.lists(st.tuples(st.sampled_from(STEPS), st.sampled_from(VERSIONS)), max_size=12),
    st.fixed_dictionaries({name: st.sampled_from(VERSIONS) for name in STEPS}),
)
@settings(max_examples=examples(60), deadline=None)
def test_running_all_cells_from_the_top_ends_like_a_run_of_their_last_versions(edits, last):
    """Whatever was done before."""
    session = CellSession(hub_with(), "chain", "g", seed=1)
    for name, version in edits:
        try:
            session.perform(body("chain", name, version))
        except OutOfOrder:
            pass
    for name in STEPS:
        session.perform(body("chain", name, last[name]))
    straight = CellSession(hub_with(), "chain", "g", seed=1)
    for name in STEPS:
        straight.perform(body("chain", name, last[name]))
    assert_same_flow(session.run, straight.run)
    assert session.run.is_finished
    assert session.stale == []


@pytest.mark.soak
@pytest.mark.parametrize("machine", [Cells, CellsAndRestarts])
def test_the_laws_hold_for_long(machine):
    run_state_machine_as_test(machine, settings=settings(max_examples=400, stateful_step_count=30, deadline=None))
