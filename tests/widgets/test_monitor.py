"""A monitor shows how every run stands, of this process and of others, and takes what a person wants done."""

from __future__ import annotations

import json

import pytest

from orchestration_kit import ApprovalStep, MemoryJournal, Monitor, SQLiteJournal
from orchestration_kit.testing import FakeClock
from orchestration_kit.widgets.monitor.table import MOST_ROWS
from tests.support import hub_of, step, workflow_of
from tests.widgets.hands import ByHand, click

USAGE = {"input_tokens": 100, "output_tokens": 20, "cost_usd": 0.5}


def work(given, context):
    context.add_usage(**USAGE)
    if given == "break":
        raise ValueError("the source is down")
    return given


def a_workflow(name="flow"):
    return workflow_of(
        step("look", "sign", on_failure="bad"),
        ApprovalStep(step_id="sign", prompt="Pay?", on_success="pay", on_failure="bad"),
        step("pay"),
        step("bad", outcome="failed"),
        name=name,
    )


def a_hub(journal=None, **options):
    workers = {"look": work, "pay": lambda given: given, "bad": lambda given: given}
    return hub_of(a_workflow(), workers, journal=journal, **options)


class Page:
    """What a page knows after every message."""

    def __init__(self, monitor):
        self.rows, self.order, self.around, self.graph, self.messages = {}, [], {}, {}, []
        self.monitor = monitor
        monitor.send = self.take
        click(monitor, "hello")

    def take(self, message, buffers=None):
        json.dumps(message, allow_nan=False, ensure_ascii=False).encode("utf-8")
        self.messages.append(message)
        self.rows |= message.get("rows", {})
        self.order = message.get("order", self.order)
        self.around = message.get("around", self.around)
        self.graph |= message.get("graph", {})

    @property
    def shown(self):
        return [self.rows[name] for name in self.order]

    def row(self, run_id):
        return next(row for row in self.shown if row["name"] == run_id)

    def click(self, intent, run_id=None, **args):
        click(self.monitor, intent, **(args if run_id is None else {"id": self.row(run_id)["id"], **args}))


def a_page(source, **options):
    monitor = Monitor(source, ticker=ByHand(), **options)
    return Page(monitor), monitor


@pytest.fixture(params=["no journal", "memory", "sqlite", "another process"], name="watched")
def a_watched_hub(request, tmp_path):
    """A hub, and where to watch it from."""
    if request.param == "no journal":
        hub = a_hub()
        yield hub, hub
        return
    if request.param == "memory":
        hub = a_hub(MemoryJournal())
        yield hub, hub
        return
    with SQLiteJournal(tmp_path / "runs.db") as journal:
        hub = a_hub(journal)
        yield hub, hub if request.param == "sqlite" else tmp_path / "runs.db"


# --- how runs stand


def test_runs_stand_in_the_table_the_newest_first(watched):
    hub, source = watched
    hub.start("flow", "go", run_id="asks").run()
    hub.start("flow", "break", run_id="breaks").run()
    page, monitor = a_page(source)
    assert monitor.shown == ["breaks", "asks"]
    asks, breaks = page.row("asks"), page.row("breaks")
    assert (asks["state"], asks["mark"], asks["step"], asks["asks"]) == ("waiting", "…", "sign", 1)
    assert (asks["done"], asks["of"], asks["tokens"], asks["cost"], asks["errors"]) == (1, 4, 120, 0.5, 0)
    assert (breaks["state"], breaks["mark"], breaks["step"], breaks["errors"]) == ("failed", "✗", "bad", 1)
    assert "failed" in breaks["error"] or "the source is down" in breaks["error"]
    assert page.around["counts"] == {"waiting": 1, "failed": 1}


def test_it_keeps_up_and_sends_what_has_changed_alone(watched):
    hub, source = watched
    others = [hub.start("flow", "go", run_id=f"other {number}") for number in range(3)]
    for other in others:
        other.run()
    run = hub.start("flow", "go", run_id="r")
    run.step()
    page, monitor = a_page(source)
    page.messages.clear()
    monitor.refresh()
    assert [message for message in page.messages if "rows" in message] == []
    run.run()
    monitor.refresh()
    (sent,) = [message["rows"] for message in page.messages if "rows" in message]
    assert [row["name"] for row in sent.values()] == ["r"]
    assert page.row("r")["state"] == "waiting"
    names = {row["name"]: row["id"] for row in page.shown}
    hub.start("flow", "go", run_id="new").run()
    monitor.refresh()
    assert {row["name"]: row["id"] for row in page.shown if row["name"] != "new"} == names


def test_the_sums_are_those_of_a_list_of_runs(watched):
    hub, source = watched
    run = hub.start("flow", "go", run_id="r")
    page, monitor = a_page(source)
    for _ in range(2):
        run.step()
        monitor.refresh()
    run.approve()
    run.run()
    monitor.refresh()
    assert monitor._source.lines["r"].totals == hub.runs()[0].totals
    fresh = Monitor(source, ticker=ByHand())
    assert fresh._source.lines["r"].totals == hub.runs()[0].totals


def test_a_run_that_is_driven_is_in_progress_where_it_stands(tmp_path):
    with SQLiteJournal(tmp_path / "runs.db") as journal:
        run = a_hub(journal).start("flow", "go", run_id="r")
        run.step()
        stored = journal.find_run("r")
        journal.claim("r", stored.holder)
        page, _ = a_page(tmp_path / "runs.db")
        row = page.row("r")
        assert (row["state"], row["step"]) == ("in_progress", "sign")
        assert row["driver"].endswith(", alive")


def test_two_hundred_rows_are_sent_and_the_others_counted():
    hub = a_hub(MemoryJournal())
    for number in range(MOST_ROWS + 30):
        hub.start("flow", "go", run_id=f"r{number:03}").run()
    page, _ = a_page(hub)
    assert len(page.order) == len(page.rows) == MOST_ROWS
    assert (page.around["found"], page.around["shown"], page.around["total"]) == (230, 200, 230)


def test_a_fork_counts_the_past_it_shares(watched):
    hub, source = watched
    run = hub.start("flow", "go", run_id="r")
    run.run()
    fork = run.fork("sign#1", run_id="fork")
    fork.run()
    page, _ = a_page(source)
    assert page.row("fork")["attempts"] == 1
    assert page.row("fork")["origin"] == "fork of r at sign#1"


def test_a_run_that_is_forgotten_leaves_the_table(tmp_path):
    hub = a_hub(MemoryJournal())
    hub.start("flow", "go", run_id="r").run()
    page, monitor = a_page(hub)
    hub.forget("r")
    monitor.refresh()
    assert page.order == []


def test_runs_that_nobody_named_or_held_are_seen_without_a_journal():
    hub = a_hub()
    page, monitor = a_page(hub)
    for _ in range(5):
        hub.execute_workflow("flow", "break", verbose=False)
    monitor.refresh()
    assert [row["state"] for row in page.shown] == ["failed"] * 5


# --- what is shown


def test_runs_are_filtered_by_text_workflow_and_state(watched):
    hub, source = watched
    hub.register_workflow(workflow_of(step("pay"), name="other"))
    hub.start("other", "go", run_id="tea", tags={"team": "blue"}).run()
    hub.start("flow", "break", run_id="coffee").run()
    hub.start("flow", "go", run_id="cocoa").run()
    page, _ = a_page(source)
    for wanted, found in (
        ({"text": "COFF"}, ["coffee"]),
        ({"text": "team=blue"}, ["tea"]),
        ({"text": "", "workflow": "flow"}, ["cocoa", "coffee"]),
        ({"state": "failed"}, ["coffee"]),
        ({"state": "", "workflow": "", "text": "nothing like it"}, []),
    ):
        page.click("show", **wanted)
        assert [row["name"] for row in page.shown] == found
    assert page.around["found"] == 0
    assert sum(page.around["counts"].values()) == 3


@pytest.mark.parametrize(
    ("column", "ascending"),
    [("run", ["a", "b", "c"]), ("errors", ["c", "a", "b"]), ("state", ["b", "c", "a"]), ("started", ["b", "a", "c"])],
)
def test_runs_are_sorted(column, ascending):
    clock = FakeClock()
    hub = a_hub(MemoryJournal(), clock=clock)
    for name, goal in (("b", "break"), ("a", "go"), ("c", "go")):
        hub.start("flow", goal, run_id=name).run()
        clock.advance(1)
    hub.get_run("c").cancel()
    expected = {"run": ["a", "b", "c"], "errors": ["c", "a", "b"], "state": ["c", "b", "a"], "started": ["b", "a", "c"]}
    page, _ = a_page(hub)
    page.click("show", sort=column, descending=False)
    assert [row["name"] for row in page.shown] == expected[column]
    page.click("show", descending=True)
    assert page.shown[0]["name"] == expected[column][-1]
    assert page.around["view"]["sort"] == column


@pytest.mark.parametrize("wish", [{"sort": "__class__"}, {"state": "dead"}, {"sort": 3}])
def test_a_wish_that_makes_no_sense_is_told(wish):
    page, monitor = a_page(a_hub())
    page.click("show", **wish)
    assert monitor.notice["level"] == "error"


def test_the_graph_has_counts_and_times_of_the_runs_that_are_shown(watched):
    hub, source = watched
    for number in range(3):
        hub.start("flow", "go", run_id=f"good {number}").run()
    hub.start("flow", "break", run_id="bad").run()
    page, monitor = a_page(source)
    assert page.graph["workflow"] == "flow"
    assert page.graph["runs"] == 4
    look, sign = (next(one for one in page.graph["steps"] if one["step"] == name) for name in ("look", "sign"))
    assert (look["visits"], look["failures"], look["rate"]) == (4, 1, 0.25)
    assert look["p95"] >= look["p50"] >= 0
    assert look["cost"] == 2.0
    assert (sign["here"], sign["waiting"]) == (3, 3)
    assert 'data-traversals="3"' in page.graph["svg"]
    page.click("show", text="bad")
    assert page.graph["runs"] == 1


def test_a_workflow_in_code_that_is_not_known_has_no_graph_and_says_so(tmp_path):
    with SQLiteJournal(tmp_path / "runs.db") as journal:
        workflow = workflow_of(
            step("a", success_when=lambda output, _: True, on_success="b", is_terminal=False), step("b")
        )
        hub = hub_of(workflow, {"a": str, "b": str}, journal=journal)
        hub.start("flow", "go", run_id="r").run()
        page, _ = a_page(tmp_path / "runs.db")
        assert "Python callables" in page.graph["why"]
        assert page.row("r")["state"] == "completed"
        page, _ = a_page(hub)
        assert "why" not in page.graph
