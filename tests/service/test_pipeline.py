"""Pipelines: who is chosen, what is expected, how runs are watched, and how a new worker takes over."""

from __future__ import annotations

import json

import pytest

from orchestration_kit import Budget, Orchestrator, WorkflowDefinition, WorkflowStep, worker_from
from orchestration_kit.service.creating import OrchestrationService
from orchestration_kit.service.errors import NothingMeasured, PlannerFailed, UnknownRate, WatchdogTripped
from orchestration_kit.service.measuring import given, measured
from orchestration_kit.service.rollout import Rollout, Tried

GOAL = "Write a text and have it reviewed"
FLOW = {
    "name": "texts",
    "initial_step": "write",
    "steps": {
        "write": {"step_id": "write", "worker_type": "writer", "on_success": "review", "on_failure": "failed"},
        "review": {"step_id": "review", "worker_type": "reviewer", "on_success": "done", "on_failure": "write"},
        "done": {"step_id": "done", "worker_type": "end", "is_terminal": True},
        "failed": {"step_id": "failed", "worker_type": "end", "is_terminal": True, "outcome": "failed"},
    },
}


def draft(request):
    return FLOW


def seeded(success, cost_usd, **about):
    def work(given, context):
        context.add_usage(cost_usd=cost_usd)
        if context.random.random() > success:
            raise ValueError("no sense")
        return "text"

    return worker_from(work, **about)


def team():
    return [
        seeded(0.6, 0.001, worker_type="writer", name="Flash"),
        seeded(0.9, 0.006, worker_type="writer", name="Solid"),
        seeded(0.99, 0.04, worker_type="writer", name="Grand"),
        seeded(0.9, 0.002, worker_type="reviewer", name="Rita"),
    ]


RATES = {
    "Flash": {"success": 0.6, "cost_usd": 0.001, "time_s": 1},
    "Solid": {"success": 0.9, "cost_usd": 0.006, "time_s": 2},
    "Grand": {"success": 0.99, "cost_usd": 0.04, "time_s": 9},
    "reviewer": {"success": 0.9, "cost_usd": 0.002, "time_s": 1},
}


def create(**options):
    return OrchestrationService.create(GOAL, team(), planner=draft, **options)


def chosen(pipeline):
    frame = pipeline.choices
    rows = frame[frame["chosen"]]
    return dict(zip(rows["step"], rows["worker"], strict=True)), dict(zip(rows["step"], rows["retries"], strict=True))


def test_where_nothing_is_known_it_says_so_and_invents_nothing():
    pipeline = create()
    assert chosen(pipeline)[0] == {"write": "Grand", "review": "Rita"}
    assert "Nothing is on record of Flash, Grand, Rita, Solid" in pipeline.explain()
    assert pipeline.watchdog is None
    with pytest.raises(NothingMeasured, match="rates="):
        pipeline.estimate()
    with pytest.raises(NothingMeasured, match=r"target_success=0\.9"):
        create(target_success=0.9)


@pytest.mark.parametrize(
    ("prefer", "writer"), [("cheapest", "Flash"), ("fastest", "Flash"), ("most_reliable", "Grand")]
)
def test_step_by_step_a_preference_decides(prefer, writer):
    assert chosen(create(rates=RATES, prefer=prefer))[0]["write"] == writer


def test_the_best_choice_reaches_the_target_at_the_least_cost():
    pipeline = create(rates=RATES, target_success=0.97)
    found = pipeline.estimate()
    assert found.p_success.value >= 0.97
    others = [create(rates=RATES, target_success=target).estimate() for target in (0.98, 0.999)]
    assert found.cost_usd.value <= min(one.cost_usd.value for one in others)
    assert "proven to be the best" in pipeline.explain()
    workers, retries = chosen(pipeline)
    assert pipeline.workflow.steps["write"].worker == workers["write"]
    assert pipeline.workflow.steps["write"].max_retries == retries["write"]


def test_a_larger_budget_never_gives_less_success():
    found = [create(rates=RATES, budget=budget).estimate().p_success.value for budget in (0.005, 0.01, 0.05, 0.2)]
    assert found == sorted(found)


def test_what_cannot_be_reached_is_refused_with_what_can():
    with pytest.raises(Exception, match=r"0\.\d+") as caught:
        create(rates=RATES, target_success=0.9999999, budget=0.002)
    assert type(caught.value).__name__ == "NoChoice"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"budget": 0}, "budget is USD"),
        ({"budget": True}, "budget is USD"),
        ({"target_success": 1}, "Nothing that errs"),
        ({"target_success": 95}, "between 0 and 1"),
        ({"prefer": "cheap"}, "Did you mean 'cheapest'"),
        ({"max_retries": -1}, "max_retries"),
        ({"rates": {"Gran": 0.9}}, "Did you mean 'Grand'"),
        ({"rates": {"Grand": 1.2}}, "a probability"),
        ({"rates": {"Grand": {"cost_usd": 1}}}, "has no success"),
        ({"rates": {"Grand": {"success": 1, "price": 1}}}, "has 'price'"),
    ],
)
def test_what_makes_no_sense_is_refused(options, message):
    with pytest.raises((ValueError, UnknownRate), match=message):
        create(**options)


@pytest.mark.parametrize(
    ("workers", "message"), [("Ada", "is a list"), ([str], "worker_from"), ([*team(), *team()], "several called")]
)
def test_workers_that_are_none_are_refused(workers, message):
    with pytest.raises((TypeError, ValueError), match=message):
        OrchestrationService.create(GOAL, workers, planner=draft)


def test_what_is_on_record_decides_the_next_time(tmp_path):
    journal = tmp_path / "runs.db"
    first = create(journal=journal)
    for at in range(30):
        first.run(seed=at)
    again = create(journal=journal, rates={"Flash": 0.6, "Solid": 0.9})
    rated = again.choices.set_index("worker")
    assert rated.loc["Grand", "source"] == "measured"
    assert rated.loc["Grand", "attempts"] >= 30
    assert rated.loc["Grand", "cost_usd"] == pytest.approx(0.04)
    assert rated.loc["Solid", "source"] == "given"
    assert first.estimate().counts is not None


def test_another_code_under_the_same_name_is_another_worker():
    run = Orchestrator()
    for worker in team():
        run.register_worker(worker)
    run.register_workflow(WorkflowDefinition.from_dict(FLOW))
    run.execute_workflow("texts", "g", verbose=False, seed=1)
    assert "Grand" in measured([run.last_run])
    assert "Grand" not in measured([run.last_run], {"Grand": "other code"})


def test_of_a_name_is_before_of_its_type():
    found = given({"writer": 0.5, "Grand": 0.9}, team())
    assert {name: one.success for name, one in found.items()} == {"Flash": 0.5, "Solid": 0.5, "Grand": 0.9}


# --- a planner


def test_a_planner_is_told_what_is_wrong_until_it_is_right():
    said = []
    drafts = [
        "this is no JSON",
        json.dumps({**FLOW, "steps": {**FLOW["steps"], "write": {**FLOW["steps"]["write"], "worker_type": "wizard"}}}),
        json.dumps({**FLOW, "steps": {**FLOW["steps"], "write": {**FLOW["steps"]["write"], "on_success": None}}}),
        "```json\n" + json.dumps(FLOW) + "\n```",
    ]

    def planner(request, context):
        said.append(context.last_error and str(context.last_error))
        assert request["goal"] == GOAL
        assert {"name", "worker_type", "description"} == set(request["workers"][0])
        assert "properties" in request["schema"]
        return drafts[len(said) - 1]

    pipeline = OrchestrationService.create(GOAL, team(), planner=planner, rates=RATES)
    assert list(pipeline.workflow.steps) == list(FLOW["steps"])
    assert said[0] is None
    assert "no JSON" in said[1]
    assert "'wizard'" in said[2]
    assert "not sound" in said[3]


@pytest.mark.parametrize(
    "said",
    [
        "__import__('os').system('touch pwned')",
        {"name": "x", "steps": {}, "executor": "os.system"},
        {**FLOW, "steps": {**FLOW["steps"], "write": {**FLOW["steps"]["write"], "worker": "Eve"}}},
        {
            **FLOW,
            "steps": {
                **FLOW["steps"],
                "sub": {"kind": "workflow", "step_id": "sub", "workflow": "other", "is_terminal": True},
            },
        },
        "[" * 100_000,
        "x" * 300_000,
        None,
        7,
    ],
)
def test_what_is_no_sound_workflow_of_these_workers_is_never_run(said, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(PlannerFailed, match="in 2 attempts"):
        OrchestrationService.create(GOAL, team(), planner=lambda request: said, plan_attempts=2)
    assert list(tmp_path.iterdir()) == []


def test_attempts_of_a_planner_are_on_record(tmp_path):
    pipeline = create(journal=tmp_path / "runs.db")
    assert [one.workflow for one in pipeline.hub.runs()] == ["plan a workflow"]


# --- watching and rolling out


def test_runs_that_are_worse_than_expected_trip_the_watchdog_and_a_new_process_knows(tmp_path):
    rates = {**RATES, "Grand": {"success": 0.99, "cost_usd": 0.001, "time_s": 1}}

    def failing(given):
        raise ValueError("the model was exchanged")

    workers = [worker_from(failing, worker_type="writer", name="Grand"), team()[3]]
    made = {"journal": tmp_path / "runs.db", "planner": draft, "rates": {"Grand": rates["Grand"], "Rita": 0.9}}
    pipeline = OrchestrationService.create(GOAL, workers, **made)
    with pytest.raises(WatchdogTripped, match="No new run is begun"):
        for at in range(20):
            pipeline.run(seed=at)
    with pytest.raises(WatchdogTripped):
        OrchestrationService.create(GOAL, workers, **made).start()
    pipeline.watchdog.reset("mended", by="Ann")
    assert pipeline.start().machine.started.tags["watch"] == "1"


def test_a_worse_worker_is_rolled_back_and_a_good_one_takes_over(tmp_path):
    pipeline = create(rates=RATES, journal=tmp_path / "runs.db", prefer="most_reliable")
    good = pipeline.rollout(
        seeded(0.99, 0.01, worker_type="writer", name="Grand 2"), stages=(0.5, 1.0), runs_per_stage=5
    )
    for at in range(60):
        pipeline.run(run_id=f"good {at}", seed=at)
    assert good.state == "complete"
    assert set(good.frame()["version"]) == {"new", "old"}
    bad = pipeline.rollout(seeded(0.2, 0.01, worker_type="writer", name="Grand 3"), stages=(0.5, 1.0), runs_per_stage=5)
    for at in range(40):
        pipeline.run(run_id=f"bad {at}", seed=at)
    assert bad.state == "rolled back"
    assert "Rolled back in stage 0" in bad.explain()
    again = create(rates=RATES, journal=tmp_path / "runs.db", prefer="most_reliable")
    folded = again.rollout(seeded(0.2, 0.01, worker_type="writer", name="Grand 3"), stages=(0.5, 1.0), runs_per_stage=5)
    assert folded.state == "rolled back"


@pytest.mark.parametrize("seed", range(5))
def test_one_that_is_as_good_is_seldom_rolled_back(seed):
    import random

    draw = random.Random(seed)
    rolled = 0
    for trial in range(20):
        rollout = Rollout(team()[0], ("write",), baseline=0.9, margin=0.0, alpha=0.05)
        rollout.note(Tried(f"{trial} {at}", "new", rollout.stage, draw.random() < 0.9) for at in range(300))
        rolled += rollout.state == "rolled back"
    assert rolled <= 3


def test_a_run_keeps_its_version_as_the_share_grows():
    rollout = Rollout(team()[0], ("write",), baseline=0.9)
    first = {at for at in range(2_000) if rollout.version_of(f"run {at}") == "new"}
    rollout.stage = 2
    later = {at for at in range(2_000) if rollout.version_of(f"run {at}") == "new"}
    assert first < later
    assert 300 < len(later) < 500


@pytest.mark.parametrize(
    "options", [{"stages": ()}, {"stages": (0.5, 0.2)}, {"stages": (2,)}, {"baseline": 2}, {"runs_per_stage": 0}]
)
def test_a_rollout_that_makes_no_sense_is_refused(options):
    with pytest.raises(ValueError, match="from 0 to 1|shares of runs|whole number"):
        Rollout(team()[0], ("write",), **{"baseline": 0.9, **options})


def test_a_new_worker_needs_a_step(tmp_path):
    with pytest.raises(ValueError, match="no step of 'texts' asks for a 'painter'"):
        create(rates=RATES).rollout(worker_from(str, worker_type="painter"))


# --- showing it


def test_a_goal_is_data_wherever_it_is_shown():
    hostile = "<img src=x onerror=alert(1)> Write a text"
    pipeline = OrchestrationService.create(hostile, team(), planner=draft, rates=RATES)
    assert "<img" not in pipeline._repr_html_()
    assert "&lt;img" in pipeline._repr_html_()
    assert hostile in pipeline.explain()


def test_it_explains_itself():
    text = create(rates=RATES, target_success=0.9).explain()
    assert "Goal: Write a text" in text
    assert "- write: " in text
    assert "as given" in text
    assert "a run succeeds with a probability of" in text
    assert "Pipeline 'texts': write -> review" in repr(create(rates=RATES))


def test_the_workflow_of_a_pipeline_can_be_kept_as_text():
    pipeline = create(rates=RATES, budget=Budget(max_cost_usd=0.05))
    made = {}
    exec(pipeline.to_code(), made)
    assert made["workflow"].steps["write"] == pipeline.workflow.steps["write"]
    assert WorkflowDefinition.from_yaml(pipeline.workflow.to_yaml()).steps["write"] == pipeline.workflow.steps["write"]
    assert isinstance(pipeline.workflow.steps["write"], WorkflowStep)
