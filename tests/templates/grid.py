"""Every template with the parameters that change its shape: what the tests of definitions go through."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from orchestration_kit.definition import ApprovalStep, Budget, SubworkflowStep, WorkerDefinition, WorkflowStep
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

BAYES = WorkerDefinition(worker_type="classifier", name="bayes", executor=str)
FOREST = WorkerDefinition(worker_type="classifier", name="forest", executor=str)
CAREFUL = WorkflowStep(step_id="careful", worker_type="coder", max_retries=2, timeout_s=5)
PERSON = ApprovalStep(step_id="person", prompt="What do you think?")
TWO = {"one": "coder", "two": "coder"}
GATES = {"one": "size(output) > 3"}


def grid() -> dict[str, Any]:
    """By a name for the test: a template's function, and its arguments."""
    return {
        "chain": (create_gated_chain, (TWO,), {}),
        "chain of one": (create_gated_chain, (["coder"],), {"gates": {"coder": "output.ok == true"}}),
        "chain, fail": (create_gated_chain, (TWO, GATES), {}),
        "chain, last gate": (create_gated_chain, (TWO, {"two": "output == 'x'"}, "stop"), {}),
        "chain, redo": (create_gated_chain, (TWO, GATES, "redo"), {"max_redos": 1}),
        "chain of steps": (create_gated_chain, ({"a": CAREFUL, "b": PERSON, "c": BAYES}, {"b": "output == true"}), {}),
        "routing": (create_routing, ("router", TWO), {}),
        "routing, sure": (create_routing, ("router", TWO, 0.8), {"fallback": PERSON}),
        "routing, quotes": (create_routing, ("router", {'say "hi"': "a", "back\\slash": "b", "grün": "c"}, 1), {}),
        "sectioning": (create_sectioning, (TWO, "merger"), {}),
        "sectioning, all or nothing": (
            create_sectioning,
            ([BAYES, FOREST], "merger"),
            {"failure_mode": "all_or_nothing", "max_concurrency": 1},
        ),
        "sectioning, go on": (create_sectioning, (TWO, "merger"), {"failure_mode": "continue"}),
        "voting": (create_voting, (5,), {"voters": "classifier"}),
        "voting of one": (create_voting, (1,), {"voters": "classifier", "early_stop": True}),
        "voting, many": (create_voting, (100,), {"voters": BAYES, "threshold": 0.5, "early_stop": True}),
        "voting, judge breaks ties": (
            create_voting,
            (),
            {"voters": [BAYES, FOREST], "tie_break": "judge", "judge": PERSON},
        ),
        "voting, ties fail": (create_voting, (3, "majority"), {"voters": "c", "tie_break": "fail", "early_stop": True}),
        "voting, threshold": (create_voting, (3, "majority"), {"voters": "c", "threshold": 2, "early_stop": True}),
        "voting, all": (create_voting, (3, "majority"), {"voters": "c", "threshold": 1.0, "early_stop": True}),
        "voting, quorum": (create_voting, (5, "quorum"), {"voters": "c"}),
        "voting, quick quorum": (create_voting, (5, "quorum"), {"voters": "c", "threshold": 2, "early_stop": True}),
        "voting, whole quorum": (create_voting, (5, "quorum"), {"voters": "c", "threshold": 5, "early_stop": True}),
        "voting, judge": (create_voting, (), {"aggregator": "judge", "voters": TWO, "judge": "judge"}),
        "voting, quick judge": (
            create_voting,
            (5, "judge"),
            {"voters": "c", "judge": "judge", "early_stop": True, "threshold": 2},
        ),
        "map-reduce": (create_map_reduce, ("lister", "worker", "reducer"), {}),
        "map": (create_map_reduce, ("data.rows", "worker"), {"failure_mode": "continue", "max_items": 3}),
        "orchestrator": (create_orchestrator_workers, ("planner", TWO, "writer"), {}),
        "orchestrator, plans": (
            create_orchestrator_workers,
            ("planner", ["coder"], "writer"),
            {"max_plans": 3, "max_concurrency": 2, "failure_mode": "fail_fast"},
        ),
        "optimizer": (create_evaluator_optimizer, ("writer", "critic"), {"min_rating": 8}),
        "optimizer, last": (
            create_evaluator_optimizer,
            ("writer", "critic"),
            {"min_rating": -0.5, "keep_best": False, "max_refinements": 0},
        ),
        "replan": (create_plan_execute_replan, ("planner", "executor"), {}),
        "replan when": (create_plan_execute_replan, ("planner", "executor", "output.bad == true"), {"max_replans": 5}),
        "no replan": (create_plan_execute_replan, ("planner", "executor"), {"max_replans": 0, "max_tasks": 1}),
        "cascade": (create_fallback_cascade, (["a", "b", "c"], "output.confidence >= 0.8"), {}),
        "cascade of one": (create_fallback_cascade, (["a"],), {}),
        "cascade, budget": (
            create_fallback_cascade,
            (TWO, "output == 1"),
            {"budget": Budget(max_cost_usd=1, reserve_usd=0.1)},
        ),
        "cascade, on budget": (
            create_fallback_cascade,
            (TWO,),
            {"budget": Budget(max_tokens=10, on_budget="none_accepted")},
        ),
        "gate": (create_human_gate, ("Go on?",), {}),
        "gate, late": (create_human_gate, ("Go on?", bool, 60), {"propose": "a", "act": "b"}),
        "gate, proceed": (create_human_gate, ("?", None, timedelta(hours=1)), {"on_timeout": "proceed", "act": "b"}),
        "gate, escalate": (
            create_human_gate,
            ("?", {"type": "string"}, 1.5),
            {"on_timeout": "escalate", "escalate_to": PERSON},
        ),
        "debate": (create_debate, (TWO, "judge"), {}),
        "short debate": (create_debate, (["a", "b", "c"], PERSON), {"max_rounds": 1, "stop_when_agreed": False}),
        "reflexion": (create_reflexion, ("coder", "tester", "critic"), {}),
        "reflexion, once": (create_reflexion, (CAREFUL, "tester", "critic"), {"attempts": 1, "top_k": 1}),
        "software": (create_software_pipeline, (), {}),
        "software, approved": (create_software_pipeline, (), {"approval": "Deploy?", "max_reviews": 1}),
        "software, undone": (
            create_software_pipeline,
            (),
            {"verifier": "tester", "rollback": "deployer", "approval": "Deploy?"},
        ),
        "sub-workflow": (create_sectioning, ({"a": SubworkflowStep(step_id="x", workflow="other")}, "merger"), {}),
    }
