"""Whatever is done to a draft, in whatever order: it stays consistent, undo brings back exactly what was, its code makes it anew."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from orchestration_kit import Orchestrator, WorkerDefinition, WorkflowDefinition
from orchestration_kit.errors import DefinitionError
from orchestration_kit.widgets.composing.code import code_of
from orchestration_kit.widgets.composing.desk import Desk
from orchestration_kit.widgets.composing.palette import KINDS
from orchestration_kit.widgets.composing.ways import START
from tests.kinds_support import workflows
from tests.laws import examples

HUB = Orchestrator()
HUB.register_worker(WorkerDefinition(worker_type="coder", name="Coder", executor=lambda given: given))
IDS = st.sampled_from(["s0", "s1", "s2", "step", "parallel", "map", "approval", "coder", "gone"])
ENDS = IDS | st.just(START)
WAYS = st.sampled_from(["success", "failure", "branch", "timeout", "budget", "compensate", "body", "nonsense"])
FIELDS = st.sampled_from(["on_success", "branches[0]", "branches['left']", "body", "budget.on_budget", "compensate", "initial_step", "?"])  # fmt: skip
PUTS = st.sampled_from([
    (("description",), "text"), (("step_id",), "s9"), (("step_id",), "s0"), (("max_retries",), 2), (("max_retries",), -1), (("outcome",), "failed"), (("is_terminal",), True),
    (("retry",), {}), (("retry", "jitter"), 0.5), (("budget",), {"max_tokens": 5}), (("event",), "paid"), (("for_s",), None), (("branches",), []), (("name",), "other"), (("join",), 1),
    (("body",), {"name": "inner"}), (("success_when",), "data.s0_output.ok"), (("nothing",), 1),
])  # fmt: skip
EDITS = st.one_of(
    st.tuples(st.just("add"), st.just("kind"), st.sampled_from(sorted(KINDS))),
    st.tuples(st.just("add"), st.just("worker"), st.just("Coder")),
    st.tuples(st.just("connect"), ENDS, WAYS, IDS),
    st.tuples(st.just("lead"), ENDS, FIELDS, st.none() | IDS),
    st.tuples(st.just("remove"), st.lists(IDS, max_size=2), st.lists(st.tuples(ENDS, FIELDS), max_size=1)),
    st.tuples(st.just("put"), st.none() | IDS, PUTS),
    st.tuples(st.just("move"), st.dictionaries(ENDS, st.tuples(st.integers(0, 900), st.integers(0, 900)), max_size=2)),
    st.tuples(st.just("copy"), st.lists(IDS, max_size=3)),
    st.tuples(st.just("paste")),
    st.tuples(st.just("tidy")),
    st.tuples(st.just("undo")),
    st.tuples(st.just("redo")),
    st.tuples(st.just("open"), IDS, st.just("each")),
    st.tuples(st.just("leave"), st.just(0)),
    st.tuples(st.just("select"), st.none() | IDS),
)


def do(desk: Desk, edit: tuple) -> bool:
    """Make an edit; False where it was refused."""
    name, *given = edit
    try:
        if name == "put":
            subject, (path, value) = given
            desk.put(subject, path, value)
        else:
            getattr(desk, name)(*given)
    except (DefinitionError, ValidationError):
        return False
    return True


def steps_back(desk: Desk) -> int:
    """How often it could be undone."""
    return len(desk.history._before)


@given(workflows(max_size=3), st.lists(EDITS, max_size=12))
@settings(max_examples=examples(40), deadline=None)
def test_any_edits_leave_a_draft_that_is_whole_and_can_be_undone(workflow, edits):
    desk = Desk(workflow, HUB)
    desk.shown()
    first = desk.draft
    states = [first]
    for edit in edits:
        before = desk.draft
        was_done = do(desk, edit)
        if not was_done:
            assert desk.draft == before, f"{edit} was refused and changed something"
        canvas, panel = desk.shown()
        now = desk.draft
        if not desk.history.can_undo:
            first = now  # what was opened has found its spots
        if edit[0] not in ("undo", "redo") and now.workflow != before.workflow:
            states.append(now)
        # Whole: ids under their own names, the canvas shows every step, all of it is plain data that can be kept.
        assert all(key == step.step_id for key, step in now.workflow.steps.items())
        assert {box["id"] for box in canvas["nodes"]} >= {START, *desk.here.steps}
        assert WorkflowDefinition.from_dict(now.workflow.to_dict()) == now.workflow
        assert panel["subject"] is None or panel["subject"] in desk.here.steps
        known = {box["id"] for box in canvas["nodes"]}
        assert all(line["source"] in known and line["target"] in known for line in canvas["edges"])
        assert len({line["id"] for line in canvas["edges"]}) == len(canvas["edges"])
    last = desk.workflow
    space: dict = {}
    exec(code_of(last), space)
    assert space["workflow"] == last
    steps = 0
    while desk.undo():
        steps += 1
    assert desk.workflow == workflow
    assert desk.draft == first
    for _ in range(steps):
        assert desk.redo()
    while desk.redo():
        pass
    if not any(edit[0] == "undo" for edit in edits):
        assert desk.workflow == last


@given(workflows(max_size=4, missing=False), st.data())
@settings(max_examples=examples(20), deadline=None)
def test_undo_goes_back_through_every_state_one_by_one(workflow, data):
    desk = Desk(workflow, HUB)
    desk.shown()
    states = {0: desk.draft}
    for _ in range(6):
        do(desk, data.draw(EDITS.filter(lambda edit: edit[0] not in ("undo", "redo"))))
        desk.shown()
        states[steps_back(desk)] = desk.draft
    while desk.undo():
        if (then := states.get(steps_back(desk))) is not None:  # a field that fits at last makes two steps of one
            assert desk.draft == then
    assert desk.draft == states[0]
