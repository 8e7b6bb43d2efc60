"""Row 16: user data that looks like our own type tags comes back as the plain data it was, through a whole run."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import orchestration_kit.journal.codec
from orchestration_kit import Orchestrator, WorkerDefinition
from orchestration_kit.engine.run import Run
from orchestration_kit.journal.codec.reading import READERS
from orchestration_kit.journal.memory import MemoryJournal
from orchestration_kit.journal.sqlite import SQLiteJournal
from tests.support import step, workflow_of

assert orchestration_kit.journal.codec  # it installs the readers

TAGS = [*sorted(READERS), "$", "$$", "$dict", "$unknown", "$Datetime", "\\u0024dict", "=", "d", "l", "i", "error"]
ATOMS = (
    st.none()
    | st.booleans()
    | st.integers(-5, 2**70)
    | st.sampled_from(["2026-01-31", "AAAA", "builtins.dict", "0" * 64])
)


def lookalikes() -> st.SearchStrategy[Any]:
    """Plain data whose keys are tags, whose lists look like patches and rows, and whose texts look like digests."""
    return st.recursive(
        ATOMS | st.sampled_from(TAGS),
        lambda parts: (
            st.dictionaries(st.sampled_from(TAGS), parts, max_size=3)
            | st.lists(parts, max_size=5)
            | st.builds(
                lambda head, rest: [head, *rest], st.sampled_from(["=", "d", "l", "i"]), st.lists(parts, max_size=3)
            )
        ),
        max_leaves=12,
    )


def hub_of(journal: Any, values: list[Any]) -> Orchestrator:
    """A hub whose workers return the values, put them on the data bus, change them there, and reject them."""

    def first(given, context):
        context.data["set"] = values[0]
        context.data["nested"] = {"list": [0, 1, 2, 3, 4, values[0]], "kept": values[1]}
        return values[1]

    def second(given, context):
        context.data["nested"]["list"].append(values[2])
        context.data["nested"]["kept"] = values[0]
        context.data["given"] = given
        return {"rejected": values[2]}

    def third(given, context):
        del context.data["set"]
        return [given, values[0]]

    hub = Orchestrator(journal=journal)
    for name, executor in (("first", first), ("second", second), ("third", third)):
        hub.register_worker(WorkerDefinition(worker_type=name, name=name, executor=executor))
    hub.register_workflow(
        workflow_of(
            step("first", "second"), step("second", "third", success_when="false", on_failure="third"), step("third")
        )
    )
    return hub


def seen(run: Run) -> str:
    """Everything that a person sees of a run, as text that tells types apart."""
    context = run.context
    return repr((run.events, context.history, dict(context.data), run.machine.started.data))


def hold_row_16(journal: Any, values: list[Any], figures: dict[str, int]) -> None:
    figures["runs"] += 1
    run_id = f"r{figures['runs']}"
    plain = hub_of(None, values)
    expected = plain.start("flow", "g", {"lookalike": values[0], **_named(values[1])}, run_id=run_id)
    expected.run()
    hub = hub_of(journal, values)
    run = hub.start("flow", "g", {"lookalike": values[0], **_named(values[1])}, run_id=run_id)
    run.step()
    context = hub_of(journal, values).resume(run_id, verbose=False)  # elsewhere
    loaded = hub_of(journal, values).get_run(run_id)
    for one in (context, loaded.context):
        assert repr([entry["output"] for entry in one.history]) == repr([e["output"] for e in expected.history])
        assert repr([entry["input"] for entry in one.history]) == repr([e["input"] for e in expected.history])
        assert repr(dict(one.data)) == repr(dict(expected.context.data))
    fork = loaded.fork("second", {"forked": values[2]}, input=values[0])
    fork.run()
    again = hub_of(journal, values).get_run(fork.run_id)
    assert seen(again) == seen(fork)
    assert repr(again.context.data["forked"]) == repr(values[2])
    assert repr(again.context.data["given"] if "given" in again.context.data else values[0]) == repr(values[0])


def _named(value: Any) -> dict[str, Any]:
    """Entries of the data bus that are named like tags."""
    return {"$dict": value, "$blob": value, "$": value}


def figure_of(journal: Any, examples: int) -> str:
    figures = {"runs": 0}

    @settings(max_examples=examples, deadline=None, derandomize=True, database=None)
    @given(values=st.lists(lookalikes(), min_size=3, max_size=3))
    def hold(values):
        hold_row_16(journal, values, figures)

    with journal:
        hold()
    return f"row 16: {figures['runs']} runs full of lookalikes of tags: all plain data came back as it was"


def test_data_that_looks_like_tags_comes_back_as_it_was(figure):
    figure(figure_of(MemoryJournal(), 80))


@pytest.mark.soak
def test_much_data_that_looks_like_tags_comes_back_as_it_was(tmp_path, figure):
    figure(figure_of(SQLiteJournal(tmp_path / "runs.db"), 3_000))


def test_a_value_that_is_both_returned_and_put_on_the_bus_is_stored_as_both():
    same = ["one", "and", "the", "same", "list"]

    def first(given, context):
        context.data["text"] = context.data["none too"] = "text"
        context.data["grows"] = same
        return "text"

    def second(given, context):
        context.data["other"] = context.data["grows"] = [*same, "longer"]
        context.data["none"] = None

    hub = Orchestrator(journal=MemoryJournal())
    for name, executor in (("first", first), ("second", second)):
        hub.register_worker(WorkerDefinition(worker_type=name, name=name, executor=executor))
    hub.register_workflow(workflow_of(step("first", "second"), step("second")))
    run = hub.start("flow", "g", run_id="r")
    run.run()
    with hub.journal as journal:
        assert seen(Orchestrator(journal=journal).get_run("r")) == seen(run)
