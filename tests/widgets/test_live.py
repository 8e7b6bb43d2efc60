"""A live picture is the static picture, and what is sent of it is what has changed."""

from __future__ import annotations

import json
import re
import threading
from pathlib import Path

import pytest

from orchestration_kit import MapStep, ParallelStep, Spawn, visualize
from orchestration_kit.visual import Overlay, StepOverlay
from orchestration_kit.visual.svg import ALLOWED
from orchestration_kit.widgets.live import LivePicture, packed, steady
from tests.hostile import PAYLOADS
from tests.support import hub_of, step, workflow_of

DIAGRAM = Path(__file__).parents[2] / "orchestration_kit/widgets/frontend/src/lib/diagram.js"
_GROUP = re.compile(r'<g id="([^"]+)".*?</g>\n', re.DOTALL)


def chain_run(length=3, **workers):
    ids = [chr(ord("a") + at) for at in range(length)]
    steps = [step(one, other) for one, other in zip(ids, [*ids[1:], None], strict=True)]
    hub = hub_of(workflow_of(*steps), {one: workers.get(one, lambda given: given) for one in ids})
    return hub.start("flow", "go", run_id="r")


def groups_in(svg):
    return {match[1]: match[0] for match in _GROUP.finditer(svg)}


def test_the_live_picture_is_the_static_picture():
    run = chain_run()
    picture = LivePicture(run)
    picture.full()
    run.run()
    picture.changes()
    assert picture.full() == visualize(run).svg


def test_what_changed_put_into_what_was_sent_is_the_whole_picture():
    run = chain_run()
    picture = LivePicture(run)
    seen = groups_in(picture.full())
    while run.step() is not None:
        changed = picture.changes()
        assert changed
        assert set(changed) <= set(seen)
        seen |= changed
    assert seen == groups_in(picture.full())


def test_nothing_is_sent_where_nothing_happened():
    run = chain_run()
    picture = LivePicture(run)
    picture.full()
    assert picture.changes() == {}
    run.step()
    assert picture.changes()
    assert picture.changes() == {}


def test_a_step_changes_few_groups_of_a_large_picture():
    ids = [f"s{at}" for at in range(200)]
    steps = [step(one, other) for one, other in zip(ids, [*ids[1:], None], strict=True)]
    run = hub_of(workflow_of(*steps), {one: lambda given: given for one in ids}).start("flow", "go")
    picture = LivePicture(run)
    picture.full()
    run.step()
    assert len(picture.changes()) == 3  # the way in, the way on, the step


def test_a_run_that_nobody_drives_works_at_nothing():
    run = chain_run()
    run.step()
    assert 'data-state="running"' not in LivePicture(run).full()


def test_a_step_that_is_worked_on_is_running():
    seen = []
    run = chain_run(b=lambda given: seen.append(picture.full()))
    picture = LivePicture(run)
    run.run()
    assert re.search(r'data-step="b" data-state="running"', seen[0])


def test_branches_that_are_worked_on_are_running():
    seen, both = [], threading.Barrier(2, timeout=10)

    def work(given):
        if both.wait() == 0:
            seen.append(picture.full())
        both.wait()
        return given

    steps = [
        ParallelStep(step_id="fan", branches={"left": "x", "right": "y"}, on_success="end"),
        step("x"), step("y"), step("end"),
    ]  # fmt: skip
    run = hub_of(workflow_of(*steps), {"x": work, "y": work, "end": lambda given: given}).start("flow", "go")
    picture = LivePicture(run)
    run.run()
    running = re.findall(r'data-step="([^"]+)" data-state="running"', seen[0])
    assert sorted(running) == ["fan", "x", "y"]
    assert picture.full() == visualize(run).svg


def test_items_of_a_map_are_counted_as_in_the_static_picture():
    steps = [MapStep(step_id="each", over="output", body="x", on_success="end"), step("x"), step("end")]
    hub = hub_of(
        workflow_of(step("first", "each"), *steps), {"first": lambda _: [1, 2, 3], "x": lambda n: n, "end": len}
    )
    run = hub.start("flow", "go")
    picture = LivePicture(run)
    picture.full()
    run.run()
    assert picture.changes()
    assert picture.full() == visualize(run).svg


def test_steps_that_a_worker_spawned_make_it_another_picture():
    inner = workflow_of(step("deep"), name="inner")
    hub = hub_of(workflow_of(step("boss", "end"), step("end")), {
        "boss": lambda given: Spawn(inner, given), "deep": lambda given: given, "end": lambda given: given,
    })  # fmt: skip
    run = hub.start("flow", "go")
    picture = LivePicture(run)
    before = picture.full()
    run.run()
    assert picture.changes() is None
    after = picture.full()
    assert "deep" in after
    assert "deep" not in before
    assert after == visualize(run).svg
    assert picture.changes() == {}


def test_another_theme_is_another_picture():
    picture = LivePicture(chain_run())
    picture.full()
    picture.use_theme("dark")
    assert picture.changes() is None
    assert picture.full() == visualize(picture._run, theme="dark", overlay=picture.overlay).svg
    picture.use_theme("dark")
    assert picture.changes() == {}


def test_a_fork_is_followed_in_the_same_layout():
    run = chain_run()
    run.run()
    picture = LivePicture(run)
    before = picture.full()
    fork = run.fork(at="c#1")
    picture.follow(fork)
    changed = picture.changes()
    assert changed
    assert set(changed) <= set(groups_in(before))
    assert picture.full() == visualize(fork, overlay=picture.overlay).svg


def test_over_a_workflow_any_overlay_is_shown():
    picture = LivePicture(chain_run().workflow)
    assert "data-state" not in picture.full()
    picture.overlay = Overlay({"a": StepOverlay("failed", visits=7)})
    assert any('data-state="failed"' in text for text in picture.changes().values())


def test_it_keeps_up_while_others_drive_the_run():
    run = chain_run(3)
    picture = LivePicture(run)
    seen = groups_in(picture.full())
    driver = threading.Thread(target=run.run)
    driver.start()
    while driver.is_alive():
        seen |= picture.changes()
    driver.join()
    seen |= picture.changes()
    assert seen == groups_in(visualize(run).svg)


def test_a_container_that_changes_under_the_reader_is_read_again():
    tries = iter([RuntimeError("changed size during iteration"), RuntimeError("again"), None])

    def read():
        if (error := next(tries)) is not None:
            raise error
        return "found"

    assert steady(read) == "found"


@pytest.mark.parametrize("payload", PAYLOADS[::9])
def test_hostile_text_stays_text_in_what_is_sent(payload):
    run = chain_run(2, a=lambda given: payload, b=lambda given: (_ for _ in ()).throw(ValueError(payload)))
    picture = LivePicture(run)
    picture.full()
    run.run()
    for text in picture.changes().values():
        assert set(re.findall(r"<(\w+)", text)) <= set(ALLOWED)
        assert "<script" not in text.lower()


def test_what_the_page_lets_in_is_what_the_painter_promises():
    listed = re.search(r"export const ALLOWED = (\{.*?\n\});", DIAGRAM.read_text(encoding="utf-8"), re.DOTALL)
    allowed = json.loads(re.sub(r",(\s*[}\]])", r"\1", listed[1]))
    assert {name: frozenset(names) for name, names in allowed.items()} == dict(ALLOWED)


def test_a_packed_picture_is_small():
    svg = LivePicture(chain_run(20)).full()
    assert len(packed(svg)) < len(svg) / 4
