"""Do declared reads and writes fit together? Against every path there is, on small graphs."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from orchestration_kit import Branch, WorkflowDefinition, WorkflowStep
from orchestration_kit.checks.data_flow import data_flow
from tests.laws import examples
from tests.support import step, workflow_of


def early(workflow: WorkflowDefinition) -> dict[str, str]:
    """The messages of reads before writes, by step."""
    return {p.steps[0]: p.message for p in data_flow(workflow) if p.code == "read-before-write"}


def test_what_every_path_wrote_may_be_read():
    workflow = workflow_of(
        step("a", "b", writes=("x",), branches=[Branch(when="true", to="c")]),
        step("b", "d", writes=("y",)),
        step("c", "d", writes=("y",)),
        step("d", reads=("x", "y", "a_output")),
    )
    assert list(data_flow(workflow)) == []


def test_what_one_path_did_not_write_is_named_with_the_reader():
    workflow = workflow_of(
        step("a", "b", branches=[Branch(when="true", to="c")]),
        step("b", "d", writes=("x", "y")),
        step("c", "d", writes=("y",)),
        step("d", reads=("x", "y", "b_output", "z")),
    )
    problem = next(iter(data_flow(workflow)))
    assert (problem.code, problem.severity, problem.steps) == ("read-before-write", "warning", ("d",))
    assert problem.message == "Step 'd' reads x, b_output, z, which not every path to it has written"
    assert problem.hint == "Give it as initial_data, or let an earlier step write it (writes=...)."


def test_a_step_does_not_write_before_it_reads():
    assert early(workflow_of(step("a", reads=("x",), writes=("x",)))) == {
        "a": "Step 'a' reads x, which not every path to it has written"
    }


def test_the_first_visit_of_a_loop_counts():
    workflow = workflow_of(step("a", "b", reads=("b_output",)), step("b", "a", on_failure="end"), step("end"))
    assert list(early(workflow)) == ["a"]


def test_a_failed_attempt_leaves_its_output_and_no_writes():
    workflow = workflow_of(
        step("a", "end", on_failure="fix", writes=("x",)),
        step("fix", "end", reads=("a_output", "x"), writes=("x",)),
        step("end", reads=("x",)),
    )
    assert early(workflow) == {"fix": "Step 'fix' reads x, which not every path to it has written"}


def test_one_edge_for_success_and_failure_carries_what_both_leave():
    workflow = workflow_of(step("a", "b", on_failure="b", writes=("x",)), step("b", reads=("x", "a_output")))
    assert early(workflow) == {"b": "Step 'b' reads x, which not every path to it has written"}


def test_what_nobody_reads_is_named_with_its_writers():
    workflow = workflow_of(
        step("a", "b", writes=("x", "y")), step("b", "c", writes=("z", "x")), step("c", reads=("y",))
    )
    problems = [p for p in data_flow(workflow) if p.code == "never-read"]
    assert [(p.severity, p.steps, p.message) for p in problems] == [
        ("warning", ("a", "b"), "Written but never read by a step: x, z")
    ]
    assert problems[0].hint.startswith("Declare who reads it")


def test_without_declarations_or_an_initial_step_there_is_nothing_to_say():
    assert list(data_flow(workflow_of(step("a", "b"), step("b")))) == []
    lost = workflow_of(step("a", reads=("x",)))
    lost.initial_step = "gone"
    assert list(data_flow(lost)) == []


def test_what_cannot_be_reached_reads_nothing_early():
    assert early(workflow_of(step("a"), step("island", reads=("x",)))) == {}


KEYS = st.lists(st.sampled_from(["x", "y", "s0_output", "s1_output"]), max_size=2, unique=True).map(tuple)


@st.composite
def acyclic(draw: st.DrawFn) -> WorkflowDefinition:
    """Transitions lead to later steps only, so that there are finitely many paths."""
    size = draw(st.integers(1, 6))
    workflow = WorkflowDefinition(name="dag", initial_step="s0")
    for n in range(size):
        later = [f"s{m}" for m in range(n + 1, size)]
        target = st.sampled_from(later) if later else st.nothing()
        optional = st.none() | target if later else st.none()
        workflow.steps[f"s{n}"] = WorkflowStep(
            step_id=f"s{n}",
            worker_type="w",
            is_terminal=not later or draw(st.booleans()),
            on_success=draw(optional),
            on_failure=draw(optional),
            branches=tuple(
                Branch(when="true", to=draw(target)) for _ in range(draw(st.integers(0, 2)) if later else 0)
            ),
            reads=draw(KEYS),
            writes=draw(KEYS),
        )
    return workflow


def written_on_every_path(workflow: WorkflowDefinition) -> dict[str, frozenset[str]]:
    """Walk every path from the start, one transition after another."""
    found: dict[str, frozenset[str]] = {}

    def walk(step_id: str, written: frozenset[str]) -> None:
        found[step_id] = found.get(step_id, written) & written
        step = workflow.steps[step_id]
        for transition in step.transitions():
            left = {f"{step_id}_output"} | (set() if transition.kind == "failure" else set(step.writes))
            walk(transition.target, written | left)

    walk("s0", frozenset())
    return found


@settings(max_examples=examples(150), deadline=None)
@given(acyclic())
def test_reads_before_writes_are_those_that_some_path_has_not_written(workflow):
    written = written_on_every_path(workflow)
    expected = {
        step_id: [key for key in step.reads if key not in written[step_id]]
        for step_id, step in workflow.steps.items()
        if step_id in written
    }
    told = early(workflow)
    assert set(told) == {step_id for step_id, keys in expected.items() if keys}
    for step_id, message in told.items():
        assert f"reads {', '.join(expected[step_id])}, which" in message
