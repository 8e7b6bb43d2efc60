"""Two runs side by side: aligned by position, with what differs, in one layout."""

from __future__ import annotations

import base64
import json
import re
import zlib

import pytest

from orchestration_kit import Branch, Comparison, RunLimits
from orchestration_kit.visual.svg import ALLOWED
from tests.history.runs import NO, OK, site_hub, site_run
from tests.hostile import PAYLOADS
from tests.support import hub_of, step, workflow_of
from tests.widgets.hands import ByHand, click


def a_run():
    run = site_hub([NO, OK, OK]).start("site", "goal", run_id="a")
    run.run()
    return run


def a_view(a=None, b=None):
    a = a or a_run()
    b = b or forked(a)
    ticker = ByHand()
    return Comparison(a, b, ticker=ticker), ticker


def forked(run):
    fork = run.fork(at="code#1", input={"pages": ["other"]}, run_id="b")
    fork.run()
    return fork


def pictures(view):
    return {side: zlib.decompress(base64.b64decode(text)).decode() for side, text in view.pictures.items()}


def test_a_run_that_rests_in_the_middle_is_not_drawn_at_work():
    run = a_run()
    fork = run.fork(at="code#1", input={"pages": ["other"]}, run_id="b")
    fork.step()
    view, _ = a_view(run, fork)
    assert 'data-state="running"' not in pictures(view)["b"]
    assert 'data-state="succeeded"' in pictures(view)["b"]


def places(svg):
    return re.findall(r'data-step="([^"]+)".*?<rect x="([^"]+)" y="([^"]+)"', svg, re.DOTALL)


def test_a_run_and_its_fork_are_drawn_in_one_layout():
    view, _ = a_view()
    both = pictures(view)
    assert places(both["a"]) == places(both["b"])
    assert both["a"].split("\n")[0] == both["b"].split("\n")[0]


def test_where_they_part_is_told_and_marked():
    view, _ = a_view()
    parts = view.shown["parts"]
    assert (parts["node"], parts["words"]) == ("code", "code#1, attempt 1: input")
    assert [row["where"] for row in parts["rows"]] == ["input['pages'][0]"]
    assert view.shown["notes"]["code"].endswith("they part here")


def test_runs_that_are_alike_part_nowhere():
    view, _ = a_view(site_run(OK, run_id="a"), site_run(OK, run_id="b"))
    assert view.shown["parts"] is None
    assert view.shown["notes"] == {}
    assert view.shown["verdict"] == "the same way, the same outcome"
    click(view, "turn_page", only=True)
    assert view.table["rows"] == []


def test_visits_are_aligned_with_time_and_cost():
    view, _ = a_view(site_run(NO, NO, NO, OK, run_id="a"), site_run(OK, run_id="b"))
    rows = {row["path"]: row for row in view.table["rows"]}
    assert rows["plan#1"]["sign"] == "="
    assert rows["review#1"]["sign"] == "\N{NOT EQUAL TO}"
    assert rows["code#2"]["sign"] == "A"
    assert rows["code#2"]["b"] == "\N{EN DASH}"
    assert [row[0] for row in view.shown["totals"]][:2] == ["attempts", "steps"]


def test_time_and_cost_of_one_visit_are_compared():
    def work(cost):
        def worker(given, context):
            context.add_usage(cost_usd=cost)
            return given

        hub = hub_of(workflow_of(step("a")), {"a": worker})
        return hub.execute_workflow("flow", "go", verbose=False)

    view, _ = a_view(work(0.25), work(1.0))
    assert view.table["rows"][0]["cost"] == "+$0.75"


def test_a_selected_visit_is_shown_as_both_made_it():
    view, _ = a_view()
    click(view, "choose", node="code")
    assert view.detail["path"] == "code#1"
    assert [row["where"] for row in view.detail["rows"]] == ["input['pages'][0]"]
    assert json.loads(view.detail["sides"]["b"]["input"]) == {"pages": ["other"]}
    at = view.shown["parts"]["at"]
    click(view, "choose", at=at)
    assert view.detail["at"] == at
    click(view, "choose")
    assert view.detail == {}


def test_what_only_one_run_made_is_empty_on_the_other_side():
    view, _ = a_view(site_run(NO, NO, NO, OK, run_id="a"), site_run(OK, run_id="b"))
    at = next(row["at"] for row in view.table["rows"] if row["path"] == "code#2")
    click(view, "choose", at=at)
    assert view.detail["sides"]["b"] is None
    assert view.detail["sides"]["a"]["output"]


def test_a_node_that_no_run_came_to_says_so():
    view, _ = a_view(site_run(OK, run_id="a"), site_run(OK, run_id="b"))
    click(view, "choose", node="nowhere")
    assert view.notice["text"] == "Neither run came to nowhere."


def test_a_run_that_rests_is_compared_anew():
    a = a_run()
    fork = a.fork(at="review#1", run_id="b")
    view, ticker = a_view(a, fork)
    assert "has not ended" in " ".join(view.shown["facts"])
    fork.run()
    ticker.call_all()
    assert view.shown["sides"]["b"]["state"] == "completed"
    click(view, "look_again")
    view.close()
    assert fork.resting_observers == []


def test_runs_of_different_workflows_are_drawn_as_they_are():
    other = hub_of(workflow_of(step("a"), name="other"), {"a": lambda given: given}).start("other", "go")
    other.run()
    view, _ = a_view(a_run(), other)
    both = pictures(view)
    assert "review" in both["a"]
    assert "review" not in both["b"]
    assert "Different workflows" in view.shown["facts"][0]


def test_long_runs_are_sent_a_window_at_a_time():
    loop = [step("a", "a", branches=[Branch(when="visits >= 300", to="b")]), step("b")]
    hub = hub_of(workflow_of(*loop), {"a": lambda given: given, "b": lambda given: given})
    runs = [hub.start("flow", "go", limits=RunLimits(max_steps=1_000)) for _ in range(2)]
    for run in runs:
        run.run()
    view, _ = a_view(*runs)
    assert (len(view.table["rows"]), view.table["total"]) == (60, 301)
    click(view, "turn_page", first=60)
    assert view.table["rows"][0]["path"] == "a#61"
    click(view, "turn_page", first=10**9)
    assert view.table["rows"][-1]["path"] == "b#1"


def test_the_dark_page_has_dark_pictures():
    view, _ = a_view()
    light = view.pictures
    view.theme = "dark"
    assert view.pictures != light


def test_its_repr_is_fixed():
    assert repr(a_view()[0]) == "<Comparison>"


def test_what_has_no_history_is_refused():
    with pytest.raises(TypeError):
        Comparison(a_run(), 7)


@pytest.mark.parametrize("payload", PAYLOADS[::9])
def test_hostile_text_stays_text(payload):
    def run_with(output):
        hub = hub_of(
            workflow_of(step("a", "b"), step("b")), {"a": lambda given: {payload: output}, "b": _raise(payload)}
        )
        run = hub.start("flow", payload or "goal")
        run.run()
        return run

    view, _ = a_view(run_with(payload), run_with([payload]))
    click(view, "choose", node="a")
    sent = json.dumps([view.shown, view.table, view.detail])
    assert len(sent) < 60_000
    assert "\\u001b" not in sent
    for svg in pictures(view).values():
        assert set(re.findall(r"<(\w+)", svg)) <= set(ALLOWED)


def _raise(payload):
    def worker(given):
        raise ValueError(payload)

    return worker
