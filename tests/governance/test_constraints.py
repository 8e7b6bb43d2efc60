"""The engine: deny by default, what is checked is what is carried out, and the strictest violation decides."""

from __future__ import annotations

import copy
import pickle
import re
import sys
import threading

import pytest

from orchestration_kit import ConstraintEngine, Violation, create_default_engine
from orchestration_kit.engine.outcome import Action
from orchestration_kit.governance.rules import (
    CostRule,
    InvalidRule,
    LabelRule,
    PlanRefused,
    RateRule,
    SequenceRule,
    SqlRule,
    rule,
)
from tests.governance.hostile_actions import BENIGN, Raises, call, email, file, sql, tool
from tests.governance.world import World

WAVE = {"action_type": "wave", "action_data": {"times": [1, 2]}, "cost": 0.5}


@rule("gentle", covers=["wave"])
def gentle(plan):
    return None


@pytest.fixture(name="world")
def a_world(tmp_path):
    return World(tmp_path)


@pytest.fixture(name="engine")
def the_engine(world):
    return world.engine()


def test_without_rules_everything_is_denied():
    verdict = ConstraintEngine([]).validate_plan(WAVE)
    assert not verdict and not verdict.approved
    assert "no rule allows actions of the type 'wave'" in verdict.reason


def test_a_rule_that_only_objects_allows_nothing():
    assert not ConstraintEngine([CostRule(max_cost=9), lambda plan: None]).validate_plan(WAVE)


def test_what_a_rule_covers_and_none_objects_to_is_approved():
    verdict = ConstraintEngine([gentle, CostRule(max_cost=1)]).validate_plan(WAVE)
    assert verdict and verdict.violations == () and verdict.reason == ""
    assert verdict.plan == WAVE


def test_a_near_name_is_told():
    assert "Did you mean 'wave'?" in ConstraintEngine([gentle]).validate_plan({**WAVE, "action_type": "wavee"}).reason


def test_all_objections_are_told_at_once():
    engine = ConstraintEngine([gentle, CostRule(max_cost=0.1), lambda plan: ["one thing", Violation("own", "another")]])
    assert [one.rule for one in engine.validate_plan(WAVE).violations] == ["cost", "<lambda>", "own"]


@pytest.mark.parametrize(
    "broken",
    [
        lambda plan: 1 / 0,
        lambda plan: True,
        lambda plan: False,
        lambda plan: 3,
        lambda plan: [3],
        lambda plan: [None],
        lambda plan: b"no",
        lambda plan: "",
        lambda plan: Raises(),
        lambda plan: (_ for _ in [1 / 0]),
        lambda plan: plan.update(cost=0),
        lambda plan: plan["action_data"]["times"].append(3),
        lambda plan: plan["nothing"],
        lambda plan: sys.setrecursionlimit,
    ],
)
def test_a_rule_that_fails_or_answers_wrongly_is_a_no(broken):
    assert ConstraintEngine([gentle]).validate_plan(WAVE)
    verdict = ConstraintEngine([gentle, broken]).validate_plan(WAVE)
    assert not verdict and verdict.violations


def test_an_error_that_cannot_say_what_it_is_is_a_no():
    class Mute(Exception):
        def __str__(self):
            raise RuntimeError

    def broken(plan):
        raise Mute

    assert "Mute" in ConstraintEngine([gentle, broken]).validate_plan(WAVE).reason


def test_a_rule_of_ones_own_kind_cannot_change_the_plan():
    class Sly(CostRule):
        kind = "sly"

        def check(self, plan, past):
            plan["action_data"]["times"] = []
            return ()

    assert "cannot change it" in ConstraintEngine([gentle, Sly()]).validate_plan(WAVE).reason


def test_a_function_may_ask_what_came_before():
    def only_once(plan, past):
        return "it was done" if past.history and past.now > 3 else None

    engine = ConstraintEngine([gentle, only_once])
    assert engine.validate_plan(WAVE, now=4)
    assert not engine.validate_plan(WAVE, history=[{}], now=4)
    assert engine.validate_plan(WAVE, history=[{}], now=3)


@pytest.mark.parametrize("wrong", [CostRule, 3, None, "x"])
def test_what_is_no_rule_is_refused(wrong):
    with pytest.raises(InvalidRule, match="it is no rule"):
        ConstraintEngine([wrong])


def test_an_async_function_is_no_rule():
    async def later(plan):
        return None

    with pytest.raises(InvalidRule, match="async"):
        ConstraintEngine([later])


def test_a_function_of_three_arguments_is_no_rule():
    with pytest.raises(InvalidRule, match="needs 3"):
        ConstraintEngine([lambda plan, past, more: None])


def test_two_rules_of_one_name_are_refused():
    with pytest.raises(InvalidRule, match="two of this name"):
        ConstraintEngine([CostRule(max_cost=1), CostRule(max_cost=2)])


@pytest.mark.parametrize(
    ("own", "of_engine", "expected"),
    [
        ((None, None), "retry", "retry"),
        (("ask", None), "retry", "ask"),
        (("ask", "fail"), "retry", "fail"),
        ((None, "retry"), "ask", "ask"),
        (("retry", "retry"), "fail", "retry"),
    ],
)
def test_the_strictest_violation_says_what_follows(own, of_engine, expected):
    rules = [gentle, CostRule(max_cost=0.1, on_violation=own[0]), RateRule(most=0, on_violation=own[1])]
    verdict = ConstraintEngine(rules, on_violation=of_engine).validate_plan(WAVE)
    assert verdict.on_violation == expected
    assert all(one.on_violation in ("retry", "ask", "fail") for one in verdict.violations)


def test_nobody_is_asked_about_a_plan_that_cannot_be_shown():
    verdict = ConstraintEngine([gentle], on_violation="ask").validate_plan({"action_type": Raises()})
    assert (verdict.on_violation, verdict.plan) == ("retry", None)


def test_an_action_is_a_plan_too():
    assert ConstraintEngine([gentle]).validate_plan(Action("wave", {"times": [1]}, cost=0.1)).plan["cost"] == 0.1


def test_a_subclass_of_action_is_none():
    class Sly(Action):
        @property
        def plan(self):
            raise RuntimeError

    assert "not Sly" in ConstraintEngine([gentle]).validate_plan(Sly("wave", {})).reason


def test_what_was_checked_is_a_copy_that_later_changes_do_not_reach():
    plan = copy.deepcopy(WAVE)
    verdict = ConstraintEngine([gentle]).validate_plan(plan)
    plan["action_data"]["times"].append(1_000)
    plan["action_type"] = "shoot"
    assert verdict.plan == WAVE


def test_a_plan_that_changes_while_it_is_read_is_denied_or_read_as_it_was():
    data = {str(number): number for number in range(500)}
    plan = {"action_type": "wave", "action_data": data, "cost": 0}
    stop = threading.Event()

    def churn():
        number = 0
        while not stop.is_set():
            number += 1
            data[f"n{number % 100}"] = number
            data.pop(f"n{number % 100}", None)

    thread = threading.Thread(target=churn)
    thread.start()
    try:
        verdicts = [ConstraintEngine([gentle]).validate_plan(plan) for _ in range(50)]
    finally:
        stop.set()
        thread.join()
    assert all(one.approved or "cannot be read" in one.reason for one in verdicts)


def test_no_code_of_a_hostile_object_is_run(world, engine):
    """`Raises` raises whatever is done with it: the violation names its type, and no error of its own."""
    for plan in ({**WAVE, "action_data": {"x": Raises()}}, {**WAVE, "cost": Raises()}, Raises(), [Raises()]):
        verdict = engine.validate_plan(plan)
        assert not verdict and "do not" not in verdict.reason


def test_checked_gives_the_plan_or_raises(engine):
    assert engine.checked(sql("SELECT 1"))["action_data"] == {"query": "SELECT 1"}
    with pytest.raises(PlanRefused, match="was refused, and not carried out") as caught:
        engine.checked(sql("DROP TABLE users"))
    again = pickle.loads(pickle.dumps(caught.value))
    assert str(again) == str(caught.value) and again.verdict == caught.value.verdict


def test_an_approved_plan_has_its_path_resolved(world, engine):
    assert (
        engine.validate_plan(file("read", "./sub//deep.txt")).plan["action_data"]["path"]
        == f"{world.inside}/sub/deep.txt"
    )
    linked = engine.validate_plan(file("read", "inner-link.txt")).plan["action_data"]["path"]
    assert linked == f"{world.inside}/notes.txt"


def test_an_approved_plan_is_approved_again_and_stays_as_it_is(engine):
    for plan in BENIGN:
        settled = engine.validate_plan(plan).plan
        again = engine.validate_plan(settled)
        assert again and again.plan == settled


def test_a_command_is_carried_out_as_a_list(engine):
    plan = {"action_type": "shell_command", "action_data": {"command": "git  log --oneline main"}, "cost": 0.0}
    assert engine.validate_plan(plan).plan["action_data"]["command"] == ["git", "log", "--oneline", "main"]


def test_the_default_engine_needs_no_domains_and_allows_none(tmp_path):
    engine = create_default_engine(root=tmp_path)
    assert not engine.validate_plan(call("https://example.com/"))
    assert not engine.validate_plan(email("ann@example.com"))
    assert engine.validate_plan(sql("SELECT 1"))


def test_the_pure_tools_of_a_doer_may_be_called_and_others_may_be_named(tmp_path):
    engine = create_default_engine(root=tmp_path, tools=["look_up"])
    assert engine.validate_plan(tool("calculate", {"expression": "1"})) and engine.validate_plan(
        tool("look_up", {"a": 1})
    )
    assert not engine.validate_plan(tool("delete", {}))


def test_the_temporary_folder_is_ones_own(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    engine = create_default_engine(root=tmp_path / "work")
    folder = next(tmp_path.iterdir())
    assert folder.stat().st_mode & 0o077 == 0
    assert engine.validate_plan(file("write", str(folder / "x.txt"), content="x"))
    assert not engine.validate_plan(file("write", str(tmp_path / "x.txt"), content="x"))
    assert create_default_engine(root=tmp_path / "work").rules == engine.rules


def test_a_temporary_folder_that_somebody_else_may_write_in_is_not_used(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    create_default_engine(root=tmp_path / "work")
    taken = next(tmp_path.iterdir())
    taken.chmod(0o777)
    roots = create_default_engine(root=tmp_path / "work").rules[1].roots
    assert str(taken) not in roots and len(roots) == 2


def test_everything_there_is_is_no_working_folder():
    with pytest.raises(InvalidRule, match="everything there is"):
        create_default_engine(root="/")


def test_costs_are_capped_each_and_in_all(tmp_path):
    engine = create_default_engine(max_cost=1.0, max_total_cost=1.5, root=tmp_path)
    plan = {**sql("SELECT 1"), "cost": 0.8}
    assert engine.validate_plan(plan)
    assert not engine.validate_plan(plan, history=[{**plan, "at": 1.0}])
    assert not engine.validate_plan({**plan, "cost": 1.01})
    assert not engine.validate_plan(plan, history=[{**plan, "cost": float("nan")}])
    assert not engine.validate_plan(plan, history=[{**plan, "cost": -5}])


def test_a_rule_takes_the_place_of_the_default_one_of_its_name(tmp_path):
    engine = create_default_engine(root=tmp_path, rules=[SqlRule(tables=["users"]), RateRule(most=0)])
    assert [one.name for one in engine.rules].count("sql") == 1
    assert (
        not engine.validate_plan(sql("SELECT * FROM orders")) and "rate" in engine.validate_plan(sql("SELECT 1")).reason
    )


@pytest.mark.parametrize(
    "wrong",
    [
        {"max_cost": -1},
        {"max_cost": "1"},
        {"max_cost": True},
        {"allowed_domains": ["http://x.com"]},
        {"allowed_domains": ["*.example.com"]},
        {"allowed_domains": [""]},
        {"tools": 3},
        {"commands": {"git": "status"}},
        {"on_violation": "shrug"},
    ],
)
def test_a_default_engine_with_something_wrong_is_not_made(tmp_path, wrong):
    with pytest.raises(InvalidRule):
        create_default_engine(root=tmp_path, **wrong)


SECRETS = [LabelRule("secret", where={"path": "payroll/*"}, action_types=["file_operation"]), SequenceRule("secret")]


def test_a_single_text_is_one_type_of_action_in_a_rule_of_a_function():
    never = rule("never", action_types="wave", on_violation="fail")(lambda plan: "it objects")
    assert never.action_types == ("wave",)
    assert rule("yes", covers="wave")(lambda plan: None).covers == ("wave",)
    assert not ConstraintEngine([gentle, never]).validate_plan(WAVE).approved


def test_a_label_that_is_misspelt_is_told_and_one_from_elsewhere_is_not():
    told = "after is 'secert', a label that no rule gives. Did you mean 'secret'? The labels that rules give: secret."
    with pytest.raises(InvalidRule, match=re.escape(told)):
        ConstraintEngine([SECRETS[0], SequenceRule("secert")])
    assert len(ConstraintEngine([SECRETS[0], SequenceRule("payroll")]).rules) == 2
    assert len(ConstraintEngine([SequenceRule("secert")]).rules) == 1
