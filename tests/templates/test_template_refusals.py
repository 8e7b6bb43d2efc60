"""Who can work at a step of a template, and what makes no template: refused, saying what to write."""

from __future__ import annotations

import pytest

from orchestration_kit import WorkflowDefinition
from orchestration_kit.definition import ApprovalStep, Branch, ParallelStep, WorkerDefinition, WorkflowStep
from orchestration_kit.errors import ConditionSyntaxError
from orchestration_kit.templates import (
    create_debate,
    create_evaluator_optimizer,
    create_fallback_cascade,
    create_gated_chain,
    create_human_gate,
    create_map_reduce,
    create_orchestrator_workers,
    create_plan_execute_replan,
    create_reflexion,
    create_routing,
    create_sectioning,
    create_software_pipeline,
    create_voting,
)
from tests.templates.grid import BAYES, FOREST, TWO

# Who works at a step.


def test_a_text_is_a_type_and_a_definition_is_one_particular_worker():
    workflow = create_voting(voters=[BAYES, FOREST])
    assert {s: (workflow.steps[s].worker_type, workflow.steps[s].worker) for s in ("bayes", "forest")} == {
        "bayes": ("classifier", "bayes"),
        "forest": ("classifier", "forest"),
    }
    assert create_routing("router", ["a"]).steps["a"].worker is None


def test_a_step_brings_its_retries_and_gets_its_place():
    given = WorkflowStep(step_id="x", worker_type="coder", max_retries=3, timeout_s=9, description="Mine")
    steps = create_evaluator_optimizer(given, "critic", min_rating=1).steps
    assert steps["generate"] == WorkflowStep(
        step_id="generate",
        worker_type="coder",
        max_retries=3,
        timeout_s=9,
        description="Mine",
        on_success="evaluate",
        on_failure="failed",
    )
    assert given.step_id == "x"


def test_a_person_can_stand_where_a_worker_does():
    person = ApprovalStep(step_id="ask", prompt="Whose is it?")
    fallback = create_routing("router", TWO, 0.8, fallback=person).steps["fallback"]
    assert (fallback.kind, fallback.prompt, fallback.on_success) == ("approval", "Whose is it?", "done")


@pytest.mark.parametrize(
    ("worker", "error", "said"),
    [
        (
            None,
            TypeError,
            "Step 'generate' takes a worker type such as 'coder', a WorkerDefinition, or a step, not None",
        ),
        (
            len,
            TypeError,
            "not a function. Write WorkerDefinition.worker_type='generate', name='generate', executor=len.",
        ),
        (["coder"], TypeError, "not .'coder'."),
        ("", ValueError, "at least 1 character"),
        (WorkflowStep(step_id="x", worker_type="c", on_success="y"), ValueError, "sets on_success, which the template"),
        (WorkflowStep(step_id="x", worker_type="c", is_terminal=True), ValueError, "sets is_terminal"),
        (
            WorkflowStep(step_id="x", worker_type="c", branches=(Branch(when="true", to="a"),)),
            ValueError,
            "sets branches",
        ),
    ],
)
def test_what_is_no_worker_is_refused(worker, error, said):
    with pytest.raises(error, match=said):
        create_evaluator_optimizer(worker, "critic", min_rating=1)


def test_a_parallel_step_cannot_stand_where_the_output_chooses():
    both = ParallelStep(step_id="x", branches={"a": WorkflowDefinition(name="a")})
    assert create_debate(TWO, both).steps["judge"].kind == "parallel"
    with pytest.raises(TypeError, match="A ParallelStep cannot stand at 'route'"):
        create_routing(both, TWO)


def test_a_step_for_a_redone_gate_cannot_judge_for_itself():
    mine = WorkflowStep(step_id="x", worker_type="c", success_when="output == 1")
    assert create_gated_chain({"x": mine}, {"x": "output == 2"}).steps["x"].success_when == "output == 1"
    with pytest.raises(ValueError, match="sets success_when, which the template needs itself"):
        create_gated_chain({"x": mine}, {"x": "output == 2"}, "redo")
    with pytest.raises(TypeError, match="ApprovalStep cannot stand at 'x': it has no max_retries"):
        create_gated_chain({"x": ApprovalStep(step_id="x", prompt="?")}, {"x": "output == 2"}, "redo")


# What makes no template.

REFUSED = {
    "no steps": (create_gated_chain, ([],), {}, ValueError, "steps holds 0: at least 1 is needed, e.g. steps="),
    "one worker": (create_gated_chain, ("coder",), {}, TypeError, "steps is a list or a mapping of workers"),
    "a number": (create_gated_chain, (3,), {}, TypeError, "steps is a list or a mapping of workers"),
    "no names": (create_gated_chain, ({1: "coder"},), {}, TypeError, "a name is text, not 1"),
    "twice": (create_gated_chain, (["coder", "coder"],), {}, ValueError, "steps names 'coder' twice. Give each a name"),
    "taken": (create_gated_chain, ({"failed": "c"},), {}, ValueError, "the name 'failed' is taken"),
    "bad id": (create_gated_chain, ({"a#1": "c"},), {}, ValueError, "step id 'a#1' holds '#'"),
    "no such gate": (create_gated_chain, (TWO, {"oen": "true"}), {}, ValueError, "'oen'.*Did you mean 'one'"),
    "bad gate": (create_gated_chain, (TWO, {"one": "output >"}), {}, ConditionSyntaxError, "does not parse"),
    "no gate": (create_gated_chain, (TWO, {"one": 3}), {}, TypeError, r"gates\['one'\] is a condition, not 3"),
    "gate fail": (
        create_gated_chain,
        (TWO, {}, "retry"),
        {},
        ValueError,
        "on_gate_fail is one of 'fail', 'stop', 'redo'",
    ),
    "redos": (create_gated_chain, (TWO,), {"max_redos": 0}, ValueError, "max_redos=0: at least 1 is needed"),
    "no routes": (create_routing, ("router", {}), {}, ValueError, "routes holds 0"),
    "route taken": (create_routing, ("router", ["fallback"]), {}, ValueError, "the name 'fallback' is taken"),
    "confidence": (create_routing, ("r", TWO, 80), {}, ValueError, "min_confidence=80: it is from 0 to 1"),
    "confidence text": (create_routing, ("r", TWO, "high"), {}, TypeError, "min_confidence is a number, not 'high'"),
    "no sections": (create_sectioning, ([], "m"), {}, ValueError, "fan_out holds 0"),
    "concurrency": (create_sectioning, (TWO, "m"), {"max_concurrency": 0}, ValueError, "max_concurrency=0"),
    "failure mode": (
        create_sectioning,
        (TWO, "m"),
        {"failure_mode": "go_on"},
        ValueError,
        "failure_mode is one of 'fail_fast', 'continue', 'all_or_nothing', not 'go_on'",
    ),
    "n": (create_voting, (0,), {"voters": "c"}, ValueError, "n=0: at least 1 is needed"),
    "n missing": (create_voting, (), {"voters": "c"}, ValueError, "n is missing: how often is the one voter asked"),
    "n true": (create_voting, (True,), {"voters": "c"}, TypeError, "n is a whole number, not True"),
    "n and voters": (create_voting, (3,), {"voters": TWO}, ValueError, "n=3, and there are 2 voters"),
    "aggregator": (create_voting, (3, "majorty"), {"voters": "c"}, ValueError, "Did you mean 'majority'"),
    "threshold": (create_voting, (3,), {"voters": "c", "threshold": 4}, ValueError, "threshold=4: there are only 3"),
    "no threshold": (create_voting, (3,), {"voters": "c", "threshold": 0}, ValueError, "at least 1"),
    "no share": (create_voting, (3,), {"voters": "c", "threshold": 0.0}, ValueError, "a share is over 0"),
    "share": (create_voting, (3,), {"voters": "c", "threshold": 1.5}, ValueError, "it is from 0 to 1"),
    "tie": (create_voting, (3,), {"voters": "c", "tie_break": "judges"}, ValueError, "Did you mean 'judge'"),
    "no judge": (create_voting, (3, "judge"), {"voters": "c"}, ValueError, "aggregator='judge' needs a judge"),
    "no tie judge": (create_voting, (3,), {"voters": "c", "tie_break": "judge"}, ValueError, "tie_break='judge' needs"),
    "idle judge": (create_voting, (3,), {"voters": "c", "judge": "j"}, ValueError, "would never be asked"),
    "judge and tie": (
        create_voting,
        (3, "judge"),
        {"voters": "c", "judge": "j", "tie_break": "fail"},
        ValueError,
        "is for votes that are counted",
    ),
    "judge, early": (
        create_voting,
        (3, "judge"),
        {"voters": "c", "judge": "j", "early_stop": True},
        ValueError,
        "needs threshold",
    ),
    "judge, late": (
        create_voting,
        (3, "judge"),
        {"voters": "c", "judge": "j", "threshold": 2},
        ValueError,
        "needs early_stop=True",
    ),
    "path": (create_map_reduce, ("data.a + 1", "w"), {}, ConditionSyntaxError, "a path is wanted"),
    "items": (create_map_reduce, ("s", "w"), {"max_items": 0}, ValueError, "max_items=0"),
    "plans": (create_orchestrator_workers, ("p", TWO, "s"), {"max_plans": 0}, ValueError, "max_plans=0"),
    "tasks": (
        create_orchestrator_workers,
        ("p", TWO, "s"),
        {"max_tasks": 1.5},
        TypeError,
        "max_tasks is a whole number",
    ),
    "no workers": (create_orchestrator_workers, ("p", {}, "s"), {}, ValueError, "workers holds 0"),
    "rating": (
        create_evaluator_optimizer,
        ("g", "e"),
        {"min_rating": float("nan")},
        ValueError,
        "min_rating=nan: it is a finite number",
    ),
    "refinements": (
        create_evaluator_optimizer,
        ("g", "e"),
        {"min_rating": 1, "max_refinements": -1},
        ValueError,
        "max_refinements=-1: at least 0",
    ),
    "replans": (create_plan_execute_replan, ("p", "e"), {"max_replans": -1}, ValueError, "max_replans=-1"),
    "replan when": (create_plan_execute_replan, ("p", "e", "outptu.x"), {}, ConditionSyntaxError, "names 'outptu'"),
    "accept": (create_fallback_cascade, (["a"], 0.8), {}, TypeError, "accept is a condition, not 0.8"),
    "budget": (create_fallback_cascade, (["a"],), {"budget": 5}, TypeError, "budget is a Budget, not 5"),
    "no prompt": (create_human_gate, ("",), {}, ValueError, "at least 1 character"),
    "schema": (create_human_gate, ("?", {"type": "txt"}), {}, ValueError, "it is no JSON Schema"),
    "timeout": (create_human_gate, ("?", None, 0), {}, ValueError, "timeout=0: it is over 0"),
    "timeout text": (create_human_gate, ("?", None, "1h"), {}, TypeError, "timeout is a number, not '1h'"),
    "no timeout": (
        create_human_gate,
        ("?",),
        {"on_timeout": "proceed"},
        ValueError,
        "on_timeout='proceed' needs timeout",
    ),
    "on timeout": (create_human_gate, ("?", None, 1), {"on_timeout": "procede"}, ValueError, "Did you mean 'proceed'"),
    "escalate": (create_human_gate, ("?", None, 1), {"on_timeout": "escalate"}, ValueError, "go together"),
    "escalate to": (create_human_gate, ("?", None, 1), {"escalate_to": "boss"}, ValueError, "go together"),
    "alone": (create_debate, (["a"], "judge"), {}, ValueError, "participants holds 1: at least 2"),
    "rounds": (create_debate, (TWO, "judge"), {"max_rounds": 0}, ValueError, "max_rounds=0"),
    "attempts": (create_reflexion, ("a", "e", "l"), {"attempts": 0}, ValueError, "attempts=0"),
    "top_k": (create_reflexion, ("a", "e", "l"), {"top_k": 0}, ValueError, "top_k=0"),
    "reviews": (create_software_pipeline, (), {"max_reviews": 0}, ValueError, "max_reviews=0"),
    "tests": (create_software_pipeline, (), {"max_test_rounds": 0}, ValueError, "max_test_rounds=0"),
    "rollback": (create_software_pipeline, (), {"rollback": "r"}, ValueError, "rollback needs a verifier"),
    "approval": (create_software_pipeline, (), {"approval": ""}, ValueError, "at least 1 character"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_makes_no_template_is_refused(case):
    function, arguments, options, error, said = REFUSED[case]
    with pytest.raises(error, match=said):
        function(*arguments, **options)


def test_a_definition_that_is_no_worker_names_the_others():
    with pytest.raises(TypeError, match="Step 'voters' takes a worker type"):
        create_voting(voters=["a", 3])
    assert WorkerDefinition(worker_type="a", name="a", executor=str).name == "a"
