from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from orchestration_kit.scale.goals import goals_of
from orchestration_kit.scale.plan import SetPlan, run_id, seed_of

names = st.text(min_size=1).filter(lambda text: "/" not in text)


def plan_of(**fields):
    return SetPlan(
        **{"name": "set", "workflow": "flow", "goals": goals_of(["a", "b"]), "repeats": 2, "seed": 0} | fields
    )


def test_runs_stand_in_the_order_of_goals_and_repeats():
    assert [run.run_id for run in plan_of().runs] == ["set/1/1", "set/1/2", "set/2/1", "set/2/2"]


def test_a_run_is_found_by_its_tags():
    plan = plan_of(more_tags={"team": "a"})
    assert plan.tags(plan.runs[3]) == {"team": "a", "many": "set", "goal": "2", "repeat": "2"}


def test_seeds_follow_from_the_set_the_goal_and_the_repeat_alone():
    plan, more = plan_of(), plan_of(name="other", repeats=5, goals=goals_of(["a", "b", "c"]))
    seeds = {(run.goal.id, run.repeat): plan.seed_of(run) for run in plan.runs}
    again = {(run.goal.id, run.repeat): more.seed_of(run) for run in more.runs}
    assert seeds == {place: again[place] for place in seeds}
    assert len(set(again.values())) == len(again)
    assert plan_of(seed=1).seed_of(plan.runs[0]) != seeds["1", 1]


def test_seeds_are_the_same_in_every_version():
    assert seed_of(0, "shop", 1) == 3149824285546453552
    assert 0 <= seed_of(-5, "\ud800", 10**9) < 2**63


@given(names, st.text(min_size=1), st.integers(1), names, st.text(min_size=1), st.integers(1))
def test_no_two_runs_share_an_id(name, goal, repeat, other_name, other_goal, other_repeat):
    same = (name, goal, repeat) == (other_name, other_goal, other_repeat)
    assert (run_id(name, goal, repeat) == run_id(other_name, other_goal, other_repeat)) == same
