"""A run drawn over its workflow: what happened at each step, on the same drawing."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import pytest

from orchestration_kit import Orchestrator, WorkerDefinition
from orchestration_kit.visual import Overlay, StepOverlay, overlay_of, visualize
from orchestration_kit.visual import diagram as diagram_module
from orchestration_kit.visual.facts import duration, run_lines, spoken
from orchestration_kit.visual.model import Detail
from tests.visual.models import SVG, a_run, build_website, clustered, entry, groups, off_the_list, texts


def run_of(history: list[dict[str, Any]], state: str, current: str | None) -> SimpleNamespace:
    return SimpleNamespace(workflow=build_website(), history=history, state=state, current_step=current)


def states(svg: str) -> dict[str, str]:
    return {g.get("data-step", ""): g.get("data-state", "") for g in groups(svg, "node") if g.get("data-step")}


def test_a_finished_run_shows_what_happened_at_each_step() -> None:
    diagram = visualize(run_of(a_run(), "completed", "completed"), renderer="builtin")
    assert states(diagram.svg) == {
        "create_specs": "succeeded",
        "implement_code": "succeeded",
        "review_code": "succeeded",
        "completed": "succeeded",
        "failed": "skipped",
    }
    assert "\N{CHECK MARK} 2 visits \N{MIDDLE DOT} 3 attempts" in texts(diagram.svg)
    assert "500 ms \N{MIDDLE DOT} 1.2k tok \N{MIDDLE DOT} $0.012" in texts(diagram.svg)


def test_edges_show_how_often_they_were_taken_by_thickness_and_number() -> None:
    svg = visualize(run_of(a_run(), "completed", "completed"), renderer="builtin").svg
    taken = {
        (g.get("data-source"), g.get("data-target"), g.get("data-kind")): int(g.get("data-traversals", "-1"))
        for g in groups(svg, "edge")
    }
    assert taken["implement_code", "review_code", "success"] == 2
    assert taken["review_code", "implement_code", "failure"] == 1
    assert taken["implement_code", "implement_code", "retry"] == 1
    assert taken["create_specs", "failed", "failure"] == 0
    thick = {
        g.get("data-traversals", ""): float(next(g.iter(f"{SVG}path")).get("stroke-width", "0"))
        for g in groups(svg, "success")
    }
    assert thick["2"] > thick["1"]
    assert "\N{MULTIPLICATION SIGN}2" in texts(svg)


@pytest.mark.parametrize(
    ("history", "state", "current", "expected"),
    [
        ([], "initialized", "create_specs", "not visited"),
        ([], "in_progress", "create_specs", "running"),
        ([entry("create_specs", None, success=False)], "in_progress", "create_specs", "retrying"),
        ([], "waiting", "create_specs", "waiting"),
        ([], "blocked", "create_specs", "waiting"),
        ([entry("create_specs", None, success=False)], "failed", "create_specs", "failed"),
        ([], "cancelled", "create_specs", "skipped"),
        ([], "", None, "not visited"),
    ],
)
def test_the_state_of_the_current_step(
    history: list[dict[str, Any]], state: str, current: str | None, expected: str
) -> None:
    overlay = overlay_of(history, state=state, current_step=current)
    assert overlay.step("create_specs").state == expected
    svg = visualize(run_of(history, state, current), renderer="builtin").svg
    assert states(svg)["create_specs"] == expected
    assert any(expected in text for text in texts(svg))  # in words, not by colour alone


def test_the_error_of_a_failed_step_is_its_tooltip() -> None:
    history = [entry("create_specs", "failed", success=False, error="ValueError: <b>no</b>")]
    svg = visualize(run_of(history, "failed", "failed"), renderer="builtin").svg
    tip = next(g for g in groups(svg, "node") if g.get("data-step") == "create_specs").find(f"{SVG}title")
    assert tip is not None and "error: ValueError: <b>no</b>" in (tip.text or "")
    assert states(svg)["failed"] == "failed"
    assert off_the_list(svg) == []


@pytest.mark.parametrize("odd", [math.nan, math.inf, -math.inf, -1.0, None, "long", True, 10**400])
def test_odd_durations_and_usage_are_left_out(odd: object) -> None:
    usage = {"input_tokens": odd, "output_tokens": odd, "cost_usd": odd}
    overlay = overlay_of([entry("a", None, duration_s=odd, usage=usage)], state="completed")
    assert (overlay.step("a").time_s, overlay.step("a").tokens, overlay.step("a").cost_usd) == (
        None,
        None,
        None,
    )
    assert visualize(build_website(), overlay=overlay, renderer="builtin").svg


def test_a_new_state_lays_nothing_out_again(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = visualize(build_website(), renderer="builtin")
    before = drawn.svg

    def refuse(*_: object) -> None:
        raise AssertionError("laid out again")

    monkeypatch.setattr(diagram_module, "layered_layout", refuse)
    monkeypatch.setattr(diagram_module, "dot_layout", refuse)
    running = drawn.with_overlay(overlay_of([], state="in_progress", current_step="create_specs"))
    done = running.with_overlay(run_of(a_run(), "completed", "completed"))
    assert states(running.svg)["create_specs"] == "running"
    assert states(done.svg)["create_specs"] == "succeeded"
    assert done.with_theme("dark").svg != done.svg
    assert done.with_overlay(None).svg == before == drawn.svg


def test_ids_stay_the_same_from_overlay_to_overlay() -> None:
    drawn = visualize(build_website(), renderer="builtin")
    done = drawn.with_overlay(run_of(a_run(), "completed", "completed"))
    assert [g.get("id") for g in groups(drawn.svg, "node")] == [g.get("id") for g in groups(done.svg, "node")]


def test_a_run_whose_definition_is_gone_is_drawn_from_its_history() -> None:
    context = SimpleNamespace(history=a_run(), state="completed", current_step="completed", workflow_id="run-1")
    diagram = visualize(context, renderer="builtin")
    assert states(diagram.svg)["review_code"] == "succeeded"
    assert "failed" not in states(diagram.svg)
    assert visualize(a_run(), renderer="builtin").outline.startswith("Workflow history: 4 steps")


def test_an_empty_history_says_so() -> None:
    diagram = visualize(SimpleNamespace(history=[], state="initialized"), renderer="builtin")
    assert texts(diagram.svg) == ["\N{WARNING SIGN} no steps were run"]


def test_overlay_false_draws_the_workflow_alone() -> None:
    diagram = visualize(run_of(a_run(), "completed", "completed"), overlay=False, renderer="builtin")
    assert set(states(diagram.svg).values()) == {""}


def test_steps_inside_clusters_are_known_by_their_path() -> None:
    history = [
        entry("web", None, path="r#1[0]/web#1"),
        entry("web", None, path="r#1[1]/web#1", success=False, error="e"),
    ]
    assert overlay_of(history).step("r[each]/web").visits == 2
    overlay = Overlay({"r/web": StepOverlay("failed")})
    folded = visualize(clustered(), overlay=overlay, renderer="builtin").fold("r")
    assert states(folded.svg)["r"] == "failed"


def test_a_folded_cluster_adds_up_its_steps() -> None:
    overlay = Overlay({"a": StepOverlay("succeeded", 1, 2, 1.0, 10, 0.1), "b": StepOverlay("failed", 1, 1, 2.0)})
    assert overlay.step("a", "b", "c") == StepOverlay("failed", 2, 3, 3.0, 10, 0.1)


@pytest.mark.parametrize("visits", [1, 2, 40, 1_000_000])
def test_figures_fit_their_box(visits: int) -> None:
    seen = StepOverlay("succeeded", visits, visits * 3, 1e7, 10**9, 12_345.678)
    assert all(len(line) < 45 for line in run_lines(seen, 156))
    assert f"{visits * 3:,} attempts" in spoken(seen)


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0.0, "0 s"),
        (5.41e-6, "5.4 µs"),
        (9.97e-6, "10 µs"),
        (0.000123456, "123 µs"),
        (0.0009996, "1 ms"),
        (0.0123456, "12.3 ms"),
        (0.99996, "1 s"),
    ],
)
def test_a_short_time_has_a_small_unit_and_three_digits_at_most(seconds: float, shown: str) -> None:
    assert duration(seconds) == shown


def test_a_step_without_a_worker_took_no_time() -> None:
    overlay = overlay_of([entry("a", "b"), entry("b", None, worker=None, duration_s=4e-6)], state="completed")
    assert (overlay.step("a").time_s, overlay.step("b").time_s) == (0.5, None)


def test_the_limit_of_retries_and_the_retries_made_are_told_apart() -> None:
    history = [entry("implement_code", None, success=False), entry("implement_code", "review_code", attempt=2)]
    svg = visualize(run_of(history, "in_progress", "review_code"), renderer="builtin").svg
    assert "retry \N{MULTIPLICATION SIGN}1 \N{MIDDLE DOT} taken 1\N{MULTIPLICATION SIGN}" in texts(svg)
    assert "retry \N{MULTIPLICATION SIGN}1" in texts(visualize(build_website(), renderer="builtin").svg)


def given_up() -> list[dict[str, Any]]:
    """A run that ended in `failed`, a terminal without a worker."""
    return [
        entry("create_specs", "failed", success=False, error="no"),
        entry("failed", None, worker=None, duration_s=4e-6),
    ]


@pytest.mark.parametrize("worker", [None, "w"])
@pytest.mark.parametrize("detail", ["full", "compact"])
def test_a_reached_terminal_that_fails_the_run_looks_failed(worker: str | None, detail: Detail) -> None:
    history = [given_up()[0], {**given_up()[1], "worker": worker}]
    for subject, overlay in ((run_of(history, "failed", "failed"), None), (build_website(), history)):
        diagram = visualize(subject, overlay=overlay, detail=detail, renderer="builtin")
        assert states(diagram.svg)["failed"] == "failed"
        assert "\N{BALLOT X} failed" in texts(diagram.svg)
        assert not any("succeeded" in text for text in texts(diagram.svg))
        assert "\N{BALLOT X} ended here: failed" in diagram.outline
        end = next(g for g in groups(diagram.svg, "node") if g.get("data-step") == "failed")
        fills = {rect.get("fill") for rect in end.iter(f"{SVG}rect")}
        assert diagram.theme.states["failed"].fill in fills
        assert diagram.theme.states["succeeded"].fill not in fills


def test_a_terminal_that_completes_the_run_succeeded() -> None:
    history = [*a_run(), entry("completed", None, worker=None)]
    for subject, overlay in ((run_of(history, "completed", "completed"), None), (build_website(), history)):
        diagram = visualize(subject, overlay=overlay, renderer="builtin")
        assert states(diagram.svg)["completed"] == "succeeded"
        assert "ended here" not in diagram.outline


def test_an_end_of_which_the_history_tells_no_outcome_is_neither_good_nor_bad() -> None:
    diagram = visualize(given_up(), renderer="builtin")
    assert "\N{BLACK SQUARE} ended here" in texts(diagram.svg)
    assert "\N{CHECK MARK}" not in diagram.outline
    end = next(g for g in groups(diagram.svg, "node") if g.get("data-step") == "failed")
    assert {rect.get("fill") for rect in end.iter(f"{SVG}rect")} == {diagram.theme.step.fill}


def test_the_state_of_a_run_tells_how_a_history_without_a_definition_ended() -> None:
    context = SimpleNamespace(history=given_up(), state="failed", current_step="failed")
    diagram = visualize(context, renderer="builtin")
    assert "\N{BALLOT X} ended here: failed" in texts(diagram.svg)
    assert states(diagram.svg)["failed"] == "failed"


def test_entries_of_a_context_made_by_hand_are_no_ends() -> None:
    by_hand = [entry("a", None, worker=None), entry("b", None, worker=None)]
    assert "ended here" not in visualize(by_hand, renderer="builtin").outline


def test_a_real_run_draws_itself() -> None:
    hub = Orchestrator()
    for kind in ("product_manager", "coder", "reviewer"):
        hub.register_worker(WorkerDefinition(worker_type=kind, name=kind, executor=lambda data, _: {"ok": True}))
    hub.register_workflow(build_website())
    result = hub.execute_workflow("build_website", "a site", verbose=False)
    diagram = visualize(result, renderer="builtin")
    assert states(diagram.svg)["review_code"] == "succeeded"
    assert states(diagram.svg)["completed"] == "succeeded"
