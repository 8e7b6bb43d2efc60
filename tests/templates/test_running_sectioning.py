"""Sectioning, run: every section, then the whole; and what one failure means."""

from __future__ import annotations

import asyncio

import pytest

from orchestration_kit.definition import WorkflowStep
from orchestration_kit.templates import create_sectioning
from orchestration_kit.testing import ScriptedWorker
from tests.templates.conftest import hub_with, way

SECTIONS = {"style": "editor", "law": "lawyer"}


def team(**others):
    return {
        "editor": lambda text: f"style of {text}",
        "lawyer": lambda text: f"law of {text}",
        "merger": lambda sections: sections,
        **others,
    }


def test_all_sections_get_the_goal_and_their_outputs_come_by_name_in_order(perform):
    result = perform(create_sectioning(SECTIONS, "merger"), team())
    assert (result.state, way(result)) == ("completed", ["style", "law", "sections", "fan_in", "done"])
    assert list(result.data["done_output"].items()) == [("style", "style of the goal"), ("law", "law of the goal")]


@pytest.mark.parametrize("mode", ["fail_fast", "all_or_nothing"])
def test_a_failed_section_fails_the_run(perform, mode):
    workflow = create_sectioning(SECTIONS, "merger", failure_mode=mode)
    result = perform(workflow, team(lawyer=ScriptedWorker(ValueError("no law")), merger=ScriptedWorker()))
    assert (result.state, way(result)[-2:]) == ("failed", ["sections", "failed"])


def test_a_failed_section_may_be_passed_over(perform):
    workflow = create_sectioning(SECTIONS, "merger", failure_mode="continue")
    result = perform(workflow, team(lawyer=ScriptedWorker(ValueError("no law"))))
    assert result.state == "completed"
    assert result.data["done_output"]["style"] == "style of the goal"
    assert list(result.data["done_output"]["law"]) == ["error"]
    assert "no law" in result.data["done_output"]["law"]["error"]


def test_where_all_sections_fail_there_is_nothing_to_put_together(perform):
    failing = {name: ScriptedWorker(ValueError("no")) for name in ("editor", "lawyer")}
    workflow = create_sectioning(SECTIONS, "merger", failure_mode="continue")
    result = perform(workflow, team(**failing, merger=ScriptedWorker()))
    assert (result.state, way(result)[-1]) == ("failed", "failed")


def test_all_or_nothing_undoes_what_was_done(perform):
    editor = WorkflowStep(step_id="x", worker_type="editor", compensate="restore")
    workflow = create_sectioning(
        {"style": editor, "law": "lawyer"}, "merger", failure_mode="all_or_nothing", max_concurrency=1
    )
    workflow.add_step(WorkflowStep(step_id="restore", worker_type="restorer", is_terminal=True))
    restorer = ScriptedWorker("as it was")
    result = perform(workflow, team(lawyer=ScriptedWorker(ValueError("no law")), restorer=restorer))
    assert (result.state, restorer.calls) == ("failed", ["style of the goal"])


@pytest.mark.parametrize("at_once", [1, 2, None])
def test_only_so_many_sections_are_under_way_at_once(at_once):
    under_way, most = 0, 0

    async def section(_):
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0.01)
        under_way -= 1

    workflow = create_sectioning([f"s{index}" for index in range(4)], "merger", max_concurrency=at_once)
    hub = hub_with(workflow, {f"s{index}": section for index in range(4)} | {"merger": str})
    result = asyncio.run(hub.aexecute_workflow("sectioning", "x", verbose=False))
    assert (result.state, most) == ("completed", at_once or 4)
