"""The software pipeline, run: what is found goes back to the coder, so often and no more."""

from __future__ import annotations

from orchestration_kit import WorkerDefinition
from orchestration_kit.templates import create_software_pipeline
from orchestration_kit.testing import ScriptedWorker
from tests.templates.conftest import hub_with, visits, way

APPROVED, REJECTED = {"approved": True}, {"approved": False, "findings": ["no tests"]}
PASSED, FAILED = {"passed": True}, {"passed": False, "failing": 2}


def team(reviews=(APPROVED,), tests=(PASSED,), **others):
    return {
        "product_manager": lambda goal: f"spec of {goal}",
        "coder": ScriptedWorker(*(f"code {number + 1}" for number in range(9))),
        "reviewer": ScriptedWorker(*reviews),
        "tester": ScriptedWorker(*tests),
        "deployer": lambda given, context: f"deployed {context.data['code_output']}",
        **others,
    }


def test_good_work_goes_straight_through(perform):
    result = perform(create_software_pipeline(), team())
    assert (result.state, way(result)) == (
        "completed",
        ["specify", "code", "review", "test", "deploy", "done"],
    )
    assert result.data["done_output"] == "deployed code 1"


def test_what_a_review_or_a_test_finds_goes_back_to_the_coder(perform):
    workers = team([REJECTED, APPROVED, APPROVED], [FAILED, PASSED])
    result = perform(create_software_pipeline(), workers)
    assert result.state == "completed"
    assert workers["coder"].calls == ["spec of the goal", REJECTED, FAILED]
    assert workers["reviewer"].calls == ["code 1", "code 2", "code 3"]
    assert result.data["done_output"] == "deployed code 3"


def test_reviews_are_bounded(perform):
    result = perform(create_software_pipeline(max_reviews=2), team([REJECTED] * 2))
    assert (result.state, way(result)[-1]) == ("failed", "not_approved")
    assert (visits(result, "review"), result.get_last_output()) == (2, REJECTED)


def test_tests_are_bounded(perform):
    result = perform(create_software_pipeline(max_test_rounds=2), team([APPROVED] * 2, [FAILED] * 2))
    assert (result.state, way(result)[-1], visits(result, "test")) == ("failed", "not_passed", 2)


def test_a_worker_that_fails_fails_the_run(perform):
    result = perform(create_software_pipeline(), team([OSError("no network")]))
    assert way(result) == ["specify", "code", "review", "failed"]


def test_a_verdict_that_is_missing_fails_and_is_not_taken_for_a_rejection(perform):
    assert way(perform(create_software_pipeline(), team([{"ok": True}])))[-2:] == ["review", "failed"]


def test_what_does_not_work_in_use_is_rolled_back(perform):
    rollback = ScriptedWorker("rolled back")
    workflow = create_software_pipeline(verifier="verifier", rollback="undoer")
    result = perform(workflow, team(verifier=lambda given: FAILED, undoer=rollback))
    assert (result.state, rollback.calls) == ("failed", ["deployed code 1"])
    assert "not_verified" in result.error


def test_what_works_in_use_stays(perform):
    workflow = create_software_pipeline(verifier="verifier", rollback="undoer")
    result = perform(workflow, team(verifier=lambda given: PASSED, undoer=ScriptedWorker()))
    assert (result.state, way(result)[-2:]) == ("completed", ["verify", "done"])


def test_a_person_decides_before_the_deployment():
    hub = hub_with(create_software_pipeline(approval="Deploy it?"), team())
    run = hub.start("software_pipeline", "the goal")
    assert run.run().state == "waiting"
    assert run.waiting[0].prompt == "Deploy it?"
    run.approve()
    result = run.run()
    assert (result.state, result.data["done_output"]) == ("completed", "deployed code 1")


def test_a_person_may_say_no_to_the_deployment():
    hub = hub_with(create_software_pipeline(approval="Deploy it?"), team(deployer=ScriptedWorker()))
    run = hub.start("software_pipeline", "the goal")
    run.run()
    run.reject("not on a Friday")
    result = run.run()
    assert (result.state, way(result)[-1]) == ("failed", "rejected")
    assert "not on a Friday" in str(result.data["rejected_output"])


def test_two_particular_workers_of_one_type_can_be_told_apart():
    slow = WorkerDefinition(worker_type="reviewer", name="slow", executor=lambda code: APPROVED)
    hub = hub_with(create_software_pipeline(reviewer=slow), team())
    hub.register_worker(slow)
    hub.register_worker(WorkerDefinition(worker_type="reviewer", name="strict", executor=lambda code: REJECTED))
    result = hub.execute_workflow("software_pipeline", "x", verbose=False)
    assert (result.state, result.history[2]["worker"]) == ("completed", "slow")
