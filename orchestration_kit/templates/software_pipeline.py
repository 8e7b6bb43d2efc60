"""The software pipeline: specify, code, review, test, deploy; what is found goes back to the coder."""

from __future__ import annotations

from typing import Any

from orchestration_kit.definition import ApprovalStep, Branch, WorkerType, WorkflowDefinition
from orchestration_kit.definition.workflow import AnyStep
from orchestration_kit.templates.parameters import whole
from orchestration_kit.templates.parts import AnyWorker, assemble, done, end, failed, step


def create_software_pipeline(  # noqa: PLR0913 - one for each worker type, and the options
    *,
    product_manager: AnyWorker = WorkerType.PRODUCT_MANAGER,
    coder: AnyWorker = WorkerType.CODER,
    reviewer: AnyWorker = WorkerType.REVIEWER,
    tester: AnyWorker = WorkerType.TESTER,
    deployer: AnyWorker = WorkerType.DEPLOYER,
    max_reviews: int = 3,
    max_test_rounds: int = 3,
    approval: str | None = None,
    verifier: AnyWorker | None = None,
    rollback: AnyWorker | None = None,
    name: str = "software_pipeline",
) -> WorkflowDefinition:
    """Return product manager -> coder -> reviewer -> tester -> deployer; review and tests lead back to the coder.

    ```text
    specify --> code --> review --> test --> [approve] --> deploy --> [verify] --> done
                 ^         |         |                       :           |
                 +---------+---------+                   [rollback] <--- failed
    ```

    Use it for work that is made, judged by somebody else, tested and put into use: code, a site, a report. Do not use
    it where one look is enough (`create_gated_chain`), or where quality is a matter of degree
    (`create_evaluator_optimizer`).

    Args:
        product_manager: Gets the goal, gives a specification.
        coder: Gets the specification; later what the reviewer or the tester found (the specification is
            `data["specify_output"]`, its own last work `data["code_output"]`). Gives the work.
        reviewer: Gets the work. Gives a mapping with `"approved"`, true or false, and what it found.
        tester: Gets the review (the work is `data["code_output"]`). Gives a mapping with `"passed"`, true or false,
            and what it found.
        deployer: Gets the test's output, or the approved value (the work is `data["code_output"]`).
        max_reviews: Reviews in all, those after a failed test included; where the last one does not approve, the run
            fails at `not_approved`.
        max_test_rounds: Tests in all; where the last one fails, so does the run, at `not_passed`.
        approval: What a person is asked before the deployment, with the work and the test's output; None: nobody is.
        verifier: Who looks at the deployment: gets its output, gives a mapping with `"passed"`.
        rollback: Who undoes the deployment where the run fails after it, as its compensation. Gets its output.
        name: The workflow's name.

    The result is the output of `done`: that of the deployment, or the verifier's. A worker that raises
    fails the run; to send the work back, a reviewer gives `{"approved": False}`.

    Raises:
        ValueError: a number under 1, an empty `approval`, or a `rollback` that nothing can lead to.

    >>> workflow = create_software_pipeline(max_reviews=2, approval="Deploy it?")
    >>> list(workflow.steps)[:6], workflow.validate()
    (['specify', 'code', 'review', 'test', 'approve', 'deploy'], (True, None))
    """
    whole("max_reviews", max_reviews)
    whole("max_test_rounds", max_test_rounds)
    if rollback is not None and verifier is None:
        raise ValueError("rollback needs a verifier: after the deployment nothing else could fail. Give verifier=...")
    steps: list[AnyStep] = [
        step("specify", product_manager, "Turn the goal into a specification", on_success="code", on_failure="failed"),
        step("code", coder, "Do the work, or repair what was found", on_success="review", on_failure="failed"),
        step(
            "review",
            reviewer,
            "Judge the work",
            branches=_judged("output.approved == true", "test", max_reviews, "not_approved"),
            on_success="code",
            on_failure="failed",
        ),
        step(
            "test",
            tester,
            "Test the work",
            branches=_judged(
                "output.passed == true", "deploy" if approval is None else "approve", max_test_rounds, "not_passed"
            ),
            on_success="code",
            on_failure="failed",
        ),
    ]
    if approval is not None:
        shown = ("data.code_output", "data.test_output")
        approve = ApprovalStep(
            step_id="approve",
            description="A person agrees to the deployment",
            prompt=approval,
            show=shown,
            on_success="deploy",
            on_failure="rejected",
        )
        steps.append(approve)
    undone: dict[str, Any] = {} if rollback is None else {"compensate": "rollback"}
    following = "done" if verifier is None else "verify"
    steps.append(step("deploy", deployer, "Put it into use", on_success=following, on_failure="failed", **undone))
    if verifier is not None:
        steps += _verified(verifier)
    if rollback is not None:
        steps.append(step("rollback", rollback, "Undo the deployment"))
    steps += [done("In use"), failed()]
    steps += [end("not_approved", "The last review did not approve"), end("not_passed", "The last test failed")]
    if approval is not None:
        steps.append(end("rejected", "A person did not agree to the deployment"))
    if verifier is not None:
        steps.append(end("not_verified", "What is in use does not work"))
    return assemble(name, "Specify, code, review, test, deploy", "Software that is reviewed, tested and in use", steps)


def _judged(good: str, after: str, most: int, given_up: str) -> tuple[Branch, Branch]:
    """Return the ways on from a judgement: on, or no more; else back to the coder."""
    label = good.removeprefix("output.").removesuffix(" == true")
    return Branch(when=good, to=after, label=label), Branch(when=f"visits >= {most}", to=given_up, label="the last one")


def _verified(verifier: AnyWorker) -> list[AnyStep]:
    return [
        step(
            "verify",
            verifier,
            "Look at what is in use",
            branches=(Branch(when="output.passed == true", to="done", label="passed"),),
            on_success="not_verified",
            on_failure="failed",
        )
    ]
