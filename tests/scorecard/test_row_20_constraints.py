"""Row 20: actions that break a constraint: none is approved, and none has an effect in a world with real hands."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress

import pytest

from orchestration_kit.engine.outcome import Action
from orchestration_kit.governance.rules import rule
from tests.governance.hostile_actions import BENIGN, hostile
from tests.governance.world import World
from tests.support import hub_of, step, workflow_of

WANTED = 300


@pytest.fixture
def world(tmp_path):
    return World(tmp_path)


def hub_like(gate, world, plan):
    """Ask, and carry out what was approved, as it was approved."""
    verdict = gate.validate_plan(plan)
    if not verdict:
        assert not verdict.approved and verdict.violations and verdict.reason
        return False
    world.hands()[verdict.plan["action_type"]](verdict.plan["action_data"])
    return True


def test_no_hostile_action_is_approved_and_none_has_an_effect(world, figure):
    gate = world.engine()
    cases = hostile(world.outside, world.inside)
    approved = [plan for _, plan in cases if hub_like(gate, world, plan)]
    assert approved == []
    assert world.effects == 0
    families = Counter(family for family, _ in cases)
    assert sum(families.values()) >= WANTED and len(families) == 7
    told = ", ".join(f"{count} {family}" for family, count in families.items())
    figure(f"row 20: {len(cases)} hostile actions ({told}): 0 approved, 0 effects")


def test_the_default_engine_allows_no_command_at_all(world):
    gate = world.engine(commands=None)
    commands = [
        one for family, one in hostile(world.outside, world.inside, without_commands=True) if family == "command"
    ]
    assert [plan for plan in commands if hub_like(gate, world, plan)] == []
    assert world.effects == 0


def test_the_same_actions_do_have_effects_where_nobody_asks(world, figure):
    """Else the row would prove nothing."""
    harmed = Counter()
    for family, plan in hostile(world.outside, world.inside):
        if family != "plan":
            harmed[family] += world.harm(plan)
    assert sum(harmed.values()) >= 400 and all(harmed[family] >= 15 for family in harmed)
    figure(f"row 20: where nobody asks, {sum(harmed.values())} of them have an effect")


def test_a_firewall_that_denies_everything_is_none(world, figure):
    gate = world.engine()
    assert [(plan, verdict.reason) for plan in BENIGN if not (verdict := gate.validate_plan(plan))] == []
    assert len(BENIGN) >= 80
    done = 0
    for plan in BENIGN:
        if plan["action_type"] != "sql_query":
            with suppress(FileNotFoundError):
                done += hub_like(gate, world, plan)
    assert world.leaks == 0 and done > 50
    figure(f"row 20: {len(BENIGN)} harmless actions: all approved")


@rule("broken")
def broken(plan):
    raise RuntimeError("a bug in a rule")


def test_an_error_inside_a_rule_is_a_no(world):
    gate = world.engine(rules=[broken])
    assert [plan for plan in BENIGN if hub_like(gate, world, plan)] == []
    assert world.effects == 0


def is_an_action(plan):
    """Whether an `Action` can be made of it, whatever is in it."""
    if type(plan) is not dict or set(map(type, plan)) != {str}:
        return False
    return {"action_type", "action_data"} <= set(plan) <= {"action_type", "action_data", "cost"}


def test_through_a_hub_no_hostile_action_has_an_effect(world, figure):
    """Every plan that can be an action goes through a run: a worker returns it, or gives it to its context."""
    plans = [plan for _, plan in hostile(world.outside, world.inside) if is_an_action(plan)]

    def wants(_, context):
        number = context.data["number"]
        plan = plans[number]
        action = Action(plan["action_type"], plan["action_data"], plan.get("cost", 0.0))
        return action if number % 2 else context.act(action)

    workflow = workflow_of(step("a", max_retries=0))
    hub = hub_of(workflow, {"a": wants}, constraints=world.engine(), actions=world.hands())
    states = Counter()
    for number in range(len(plans)):
        result = hub.execute_workflow("flow", "do harm", {"number": number}, verbose=False)
        states[result.state.value] += 1
        for attempt in result.history:
            assert not any(action["approved"] for action in (attempt["detail"] or {}).get("actions", ()))
    assert states == {"failed": len(plans)}
    assert world.effects == 0
    assert len(plans) >= WANTED
    figure(f"row 20: {len(plans)} of them through runs of a hub: 0 approved, 0 effects")
