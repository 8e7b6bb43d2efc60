"""The workflow as a model: adding steps, files and schema of it, and what its fingerprint notices."""

from __future__ import annotations

import functools
import os
import subprocess
import sys
from functools import partial

import pytest
from jsonschema import Draft202012Validator
from pydantic import ValidationError

from orchestration_kit import Branch, RetryPolicy, WorkflowDefinition, WorkflowStep, create_build_website_workflow
from orchestration_kit.definition.fingerprints import callable_fingerprint
from orchestration_kit.errors import DuplicateStep, NotSerializable, WorkflowFileError
from tests.support import step, workflow_of


def full() -> WorkflowDefinition:
    """A workflow that uses every field."""
    workflow = WorkflowDefinition("all", "Everything", "A goal")
    workflow.add_step(
        WorkflowStep(
            step_id="a", worker_type="coder", description="first", on_success="b", on_failure="b", max_retries=2, worker="Ada",
            branches=(Branch(when="output.n > 1", to="b", label="big"), Branch(when="visits >= 3", to="b")),
            success_when="output.ok", retry=RetryPolicy(backoff_s=1, jitter=0.5, retry_on=("OSError",)), timeout_s=2.5, reads=("x",), writes=("y",),
        ),
        is_initial=True,
    )  # fmt: skip
    workflow.add_step(WorkflowStep(step_id="b", worker_type="own", is_terminal=True, outcome="failed"))
    return workflow


def test_name_description_and_goal_may_stand_without_their_names():
    assert WorkflowDefinition("n", "d", "g") == WorkflowDefinition(name="n", description="d", goal="g")
    with pytest.raises(TypeError, match="name"):
        WorkflowDefinition("n", name="m")


def test_adding_the_same_step_again_changes_nothing():
    workflow = workflow_of(step("a", "b"), step("b"))
    before = workflow.model_copy(deep=True)
    workflow.add_step(step("a", "b"))
    assert workflow == before
    assert list(workflow.steps) == ["a", "b"]


def test_adding_it_again_may_make_it_the_initial_one():
    workflow = workflow_of(step("a", "b"), step("b"))
    workflow.add_step(step("b"), is_initial=True)
    assert workflow.initial_step == "b"


def test_a_different_step_under_a_used_id_is_refused_and_told_how_to_replace():
    workflow = workflow_of(step("a", "b"), step("b"))
    before = workflow.model_copy(deep=True)
    with pytest.raises(
        DuplicateStep, match=r"already has a different step 'a' .they differ in on_success, max_retries"
    ) as caught:
        workflow.add_step(step("a", "c", max_retries=1), is_initial=True)
    assert "add_step(step, replace=True)" in str(caught.value)
    assert caught.value.differs == ("on_success", "max_retries")
    assert workflow == before


def test_replace_puts_the_new_step_in_the_place_of_the_old():
    workflow = workflow_of(step("a", "b"), step("b"))
    workflow.add_step(step("a", "b", max_retries=1), replace=True)
    assert list(workflow.steps) == ["a", "b"]
    assert (workflow.get_step("a").max_retries, workflow.initial_step) == (1, "a")
    workflow.add_step(step("c"), replace=True)
    assert workflow.get_step("c") is not None
    assert workflow.get_step("nope") is None


def test_a_step_changed_after_it_was_added_stays_as_it_was_added():
    mine = step("a", "b")
    workflow = workflow_of(mine, step("b"))
    mine.on_success = "z"
    assert workflow.steps["a"].on_success == "b"


def test_a_workflow_refuses_wrong_fields_names_and_keys():
    with pytest.raises(
        ValidationError, match=r"WorkflowDefinition has no field 'inital_step'. Did you mean 'initial_step'"
    ):
        WorkflowDefinition(name="x", inital_step="a")
    with pytest.raises(ValidationError, match="the step under 'a' calls itself 'b'; use one id for both"):
        WorkflowDefinition(name="x", steps={"a": step("b")})
    workflow = workflow_of(step("a"))
    with pytest.raises(ValidationError):
        workflow.steps = {"a": step("b")}
    assert workflow == workflow_of(step("a"))
    for name in ("", "x" * 201, 7):
        with pytest.raises(ValidationError):
            WorkflowDefinition(name=name)


def test_validate_gives_the_first_error_and_problems_gives_all():
    assert workflow_of(step("a")).validate() == (True, None)
    broken = workflow_of(step("a", "x"), step("b", "y"))
    valid, message = broken.validate()
    assert not valid
    assert message == "Step 'a' has invalid on_success: 'x' is not a step"
    assert {"missing-target", "unreachable"} <= {problem.code for problem in broken.problems()}
    severities = [problem.severity for problem in broken.problems()]
    assert severities == sorted(severities, key=lambda severity: severity != "error")


def test_a_file_leaves_out_defaults_and_ids_that_repeat_the_key():
    data = full().to_dict()
    assert list(data) == ["name", "description", "goal", "initial_step", "steps"]
    assert data["steps"]["b"] == {"worker_type": "own", "is_terminal": True, "outcome": "failed"}
    assert data["steps"]["a"]["worker_type"] == "coder"
    assert "step_id" not in data["steps"]["a"]


def test_every_field_goes_through_a_file():
    workflow = full()
    for again in (
        WorkflowDefinition.from_dict(workflow.to_dict()),
        WorkflowDefinition.from_json(workflow.to_json()),
        WorkflowDefinition.from_yaml(workflow.to_yaml()),
    ):
        assert again == workflow
        assert again.fingerprint() == workflow.fingerprint()


def test_a_definition_that_holds_code_says_so_when_it_is_asked_to_serialize():
    def is_good(output, context):
        return True

    for fields in ({"success_when": is_good}, {"branches": [Branch(when=is_good, to="b")]}):
        workflow = workflow_of(step("a", "b", **fields), step("b"))
        for write in (workflow.to_dict, workflow.to_json, workflow.to_yaml):
            with pytest.raises(NotSerializable, match=r"is_good is a Python callable.*Write it as CEL text instead"):
                write()


def test_the_schema_takes_what_is_written_and_refuses_what_is_not_a_workflow():
    schema = WorkflowDefinition.json_schema()
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema)
    for workflow in (full(), create_build_website_workflow(), WorkflowDefinition(name="empty")):
        validator.validate(workflow.to_dict())
    for wrong in (
        {},
        {"name": "x", "step": {}},
        {"name": "x", "steps": {"a": {}}},
        {"name": "x", "steps": {"a": {"worker_type": "w", "max_retries": -1}}},
        {"name": "x", "steps": {"a": {"worker_type": "w", "on_sucess": "b"}}},
        {"name": "x", "steps": {"a": {"worker_type": "w", "branches": [{"when": 1, "to": "b"}]}}},
    ):
        assert not validator.is_valid(wrong), wrong
        with pytest.raises(WorkflowFileError):
            WorkflowDefinition.from_dict(wrong)


CHANGES = [
    ("a", {"worker_type": "reviewer"}), ("a", {"description": "x"}), ("a", {"on_success": "a"}), ("a", {"on_failure": None}),
    ("b", {"is_terminal": True, "outcome": "completed"}), ("a", {"max_retries": 3}), ("a", {"worker": "Bob"}), ("a", {"branches": ()}),
    ("a", {"success_when": "output.okay"}), ("a", {"retry": None}), ("a", {"retry": RetryPolicy(backoff_s=2)}), ("a", {"timeout_s": 3}),
    ("a", {"reads": ("y",)}), ("a", {"writes": ()}),
]  # fmt: skip


@pytest.mark.parametrize(("step_id", "change"), CHANGES, ids=lambda value: str(value))
def test_any_change_of_a_step_changes_the_fingerprint(step_id, change):
    workflow = full()
    workflow.add_step(WorkflowStep(**{**dict(workflow.steps[step_id]), **change}), replace=True)
    assert workflow.fingerprint() != full().fingerprint()


@pytest.mark.parametrize("change", [{"name": "x"}, {"description": "x"}, {"goal": "x"}, {"initial_step": "b"}])
def test_any_change_of_the_workflow_changes_the_fingerprint(change):
    workflow = full()
    for name, value in change.items():
        setattr(workflow, name, value)
    assert workflow.fingerprint() != full().fingerprint()


def test_the_order_of_branches_counts_and_that_of_steps_does_not():
    workflow, turned = full(), full()
    turned.steps = dict(reversed(turned.steps.items()))
    assert turned.fingerprint() == workflow.fingerprint()
    turned.steps["a"].branches = tuple(reversed(turned.steps["a"].branches))
    assert turned.fingerprint() != workflow.fingerprint()


def test_a_callable_counts_with_its_code():
    def fingerprint_of(condition):
        return workflow_of(step("a", success_when=condition)).fingerprint()

    one, other = (lambda o, c: o > 1), (lambda o, c: o > 2)
    same = [lambda o, c: o > 1 for _ in range(2)]
    assert fingerprint_of(one) != fingerprint_of(other)
    assert fingerprint_of(same[0]) == fingerprint_of(same[1])
    assert fingerprint_of(one) != fingerprint_of("output > 1")


class Check:
    def __call__(self, output, context):
        return [kind for kind in (1, 2) if kind == output] == [1]

    def method(self, output, context):
        return False


def test_every_kind_of_callable_has_a_fingerprint_that_two_objects_share():
    def inner(limit, output, context):
        return any(part > limit for part in output)

    for make in (Check, lambda: Check().method, lambda: functools.partial(inner, 1), lambda: inner, lambda: len):
        assert callable_fingerprint(make()) == callable_fingerprint(make())
    kinds = [Check(), Check().method, functools.partial(inner, 1), len, sum]
    assert len({callable_fingerprint(kind) for kind in kinds}) == len(kinds)
    assert callable_fingerprint(frozenset({1})) == "frozenset({1})"


def test_a_set_in_the_code_counts_with_what_it_holds():
    same = [lambda o, c: o in {"a", "b", "c"} for _ in range(2)]
    assert callable_fingerprint(same[0]) == callable_fingerprint(same[1])
    assert callable_fingerprint(same[0]) != callable_fingerprint(lambda o, c: o in {"a", "b", "d"})


def test_a_fingerprint_is_the_same_in_every_process():
    code = (
        "from orchestration_kit.definition.fingerprints import callable_fingerprint as f\n"
        "print(f(lambda output, context: output in {'a', 'b', 'c', 'd'}))"
    )
    printed = {
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={**os.environ, "PYTHONHASHSEED": seed}
        ).stdout
        for seed in ("1", "2", "3")
    }  # fmt: skip
    assert len(printed) == 1


def test_a_notebook_shows_a_workflow_as_a_diagram():
    assert "text/plain" in workflow_of(step("a"))._repr_mimebundle_()


def test_a_cell_with_a_lambda_can_be_run_again():
    def cell(workflow, limit):
        workflow.add_step(
            WorkflowStep(
                step_id="a", worker_type="x", success_when=lambda output, context: output > limit, is_terminal=True
            )
        )

    workflow = WorkflowDefinition(name="w")
    cell(workflow, 1)
    cell(workflow, 1)
    with pytest.raises(DuplicateStep, match="success_when"):
        cell(workflow, 2)


def test_what_a_callable_closes_over_counts_in_the_fingerprint():
    def flow(limit, other=partial(max, 1)):
        workflow = WorkflowDefinition(name="w")
        workflow.add_step(
            WorkflowStep(step_id="a", worker_type="x", success_when=lambda o, c: o > limit, is_terminal=True)
        )
        workflow.add_step(WorkflowStep(step_id="b", worker_type="x", success_when=other, is_terminal=True))
        return workflow.fingerprint()

    assert flow(1) == flow(1) != flow(2)
    assert flow(1, partial(max, 1)) != flow(1, partial(max, 2))


def test_error_classes_may_be_given_as_classes():
    assert RetryPolicy(retry_on=(ValueError, "OSError")).retry_on == ("ValueError", "OSError")


def test_a_printed_workflow_is_told_step_by_step():
    flow = WorkflowDefinition.from_edges("news", [("draft", "publish")])
    assert str(flow).splitlines()[0] == "Workflow news: 2 steps"
    assert "→ publish" in str(flow)
