from __future__ import annotations

from orchestration_kit import MapStep
from tests.branches.doors import ends_of, flow_of, paths, run_flow
from tests.support import step

FLOW = flow_of(
    MapStep(step_id="m", over="data.pages", body="crawl", on_success="end"),
    step("crawl", is_terminal=False),
    step("end"),
)
LINKS = {"home": ["news", "shop"], "shop": ["cart"], "help": ["faq"]}


def crawl(page, context):
    for link in LINKS.get(page, []):
        context.add_item(link)
    return page.upper()


def test_15_a_worker_adds_instances_while_others_are_under_way(door):
    run = run_flow(FLOW, {"crawl": crawl, "end": lambda given: given}, door, data={"pages": ["home", "help"]})
    assert run.state == "completed"
    keys = ["0", "1", "0.0", "0.1", "1.0", "0.1.0"]
    assert paths(run) == [*(f"m#1[{key}]/crawl#1" for key in keys), "m#1", "end#1"]
    assert run.context.data["end_output"] == ["HOME", "HELP", "NEWS", "SHOP", "FAQ", "CART"]
    assert ends_of(run, "m#1") == dict.fromkeys(keys, "completed")
    added = {
        entry["path"]: entry["detail"]["added"] for entry in run.history if entry["step"] == "crawl" and entry["detail"]
    }
    assert added == {"m#1[0]/crawl#1": ["news", "shop"], "m#1[1]/crawl#1": ["faq"], "m#1[0.1]/crawl#1": ["cart"]}
