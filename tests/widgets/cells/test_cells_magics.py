"""Cell by cell: loops and magics."""

from __future__ import annotations

import pytest

from orchestration_kit import CellSession
from orchestration_kit.errors import UnknownStep, UnknownWorkflow
from orchestration_kit.widgets.cells import current
from orchestration_kit.widgets.cells.errors import BadBody, BadCommand, NoCell, NoSession
from tests.widgets.cells.flows import CHAIN, REVIEW, hub_with, outputs, paths
from tests.widgets.cells.test_cells import run_of, the_chain, the_review  # noqa: F401 - fixtures


def test_a_loop_comes_back_to_the_same_cell_or_to_run_next(review):
    write, check = "#| step write\n{'draft': context.visit}", "#| step review\n{'approved': input['draft'] > 2}"
    review.all(write, check, write, check, "%run_next", "%run_next")
    assert paths(run_of(review)) == ["write#1", "review#1", "write#2", "review#2", "write#3", "review#3"]
    assert "Next: publish, which needs no worker:  %run_next" in review.run("%workflow").text


def test_within_a_loop_an_edited_cell_makes_the_visit_that_comes_next(review):
    review.run("#| step write\n'bad'")
    review.run("#| step review\n{'approved': input == 'good'}")
    review.run("#| step write\n'good'")
    review.run("%run_next")
    assert paths(run_of(review)) == ["write#1", "review#1", "write#2", "review#2"]
    assert len(current.current().editions) == 1


def test_goto_goes_back_to_a_visit_of_a_loop(review):
    review.run("#| step write\ncontext.visit")
    review.run("#| step review\n{'approved': input > 1}")
    review.run("%run_until")
    told = review.run("%goto write#2").text
    assert "Next: write" in told
    assert "Stale: write#2, review#2, publish#1." in told
    assert paths(run_of(review)) == ["write#1", "review#1"]


def test_run_until_stops_before_a_step_each_time_the_loop_comes_back(review):
    review.run("#| step write\ncontext.visit")
    review.run("#| step review\n{'approved': input > 2}")
    for expected in (["write#1", "review#1"], ["write#1", "review#1"]):
        review.run("%run_until write")
        assert paths(run_of(review)) == expected
    review.run("%run_next")
    review.run("%run_until write")
    assert paths(run_of(review)) == ["write#1", "review#1", "write#2", "review#2"]


# --- magics


@pytest.mark.parametrize(
    ("line", "error", "words"),
    [
        ("%workflow nope --goal g", UnknownWorkflow, "Registered: chain"),
        ("%workflow chain", None, ""),
        ("%workflow chain --gaol g", BadCommand, "Did you mean '--goal'?"),
        ("%workflow chain --goal", BadCommand, "--goal needs a value"),
        ("%workflow chain --goal g --seed x", BadCommand, "whole number"),
        ("%workflow chain --goal g --data nothing", BadCommand, "there is no such variable"),
        ("%workflow chain --goal g --hub nothing", BadCommand, "is not there"),
        ("%workflow chain --seed 3", BadCommand, "give a --goal"),
        ("%workflow chain --resume --goal g", BadCommand, "leave out --goal"),
        ("%step a", BadCommand, "the code of the step belongs below it"),
        ("%%step\n1", BadCommand, "Say which step the cell is for. Steps: a, b, c"),
        ("%%step aa\n1", UnknownStep, "Did you mean 'a'?"),
        ("%%step a", BadBody, "it is empty"),
        ("#| step a", BadBody, "it is empty"),
        ("#| step a --agian\n1", BadCommand, "Did you mean '--again'?"),
        ("#| step a b\n1", BadCommand, "'b' is one word too many"),
        ("%run_next b", BadCommand, "It takes no words"),
        ("%run_next", NoCell, "#| step a"),
        ("%run_until b", NoCell, "#| step a"),
        ("%run_until nope", UnknownStep, "Its steps: a, b, c"),
        ("%goto", BadCommand, "Say which visit"),
        ("%goto c", ValueError, "has no visit 'c'"),
        ("%reject", BadCommand, "Say why"),
        ("%approve {", BadCommand, "neither Python nor JSON"),
        ("%approve", ValueError, None),
        ("%refresh all", BadCommand, "It takes no words"),
        ("%cassette x.yaml replya", BadCommand, "Did you mean 'replay'?"),
        ("#| step a\nreturn 1", BadBody, "no `return`"),
        ("#| step a\nx = 1", BadBody, "as the last line: `x`"),
    ],
)
def test_a_slip_says_what_was_possible_and_changes_nothing(chain, line, error, words):
    cell = chain.run(line)
    assert type(cell.error).__name__ not in ("UsageError", "SystemExit")
    if error is None:
        assert cell.error is None
    else:
        assert words is None or (isinstance(cell.error, error) and words in str(cell.error)), cell.error
    assert run_of(chain).events[1:] == []


def test_before_any_workflow_every_door_says_how_to_begin_one(new_notebook):
    notebook = new_notebook(hub=hub_with(CHAIN))
    for source in (
        "%%step a\n1",
        "#| step a\n1",
        "%run_next",
        "%run_until",
        "%goto a",
        "%refresh",
        "%workflow",
        "%approve",
    ):
        error = notebook.run(source).refusal
        assert isinstance(error, NoSession)
        assert '%workflow chain --goal "..."' in str(error)
    assert isinstance(notebook.run("from orchestration_kit import step\n@step\ndef a(x): pass").error, NoSession)


def test_without_an_orchestrator_it_says_how_to_make_one(notebook):
    assert "hub = Orchestrator()" in str(notebook.run("%workflow chain --goal g").refusal)


def test_of_several_orchestrators_the_one_with_the_workflow_is_meant_or_the_one_named(new_notebook):
    one, other = hub_with(CHAIN), hub_with(CHAIN, REVIEW)
    notebook = new_notebook(one=one, other=other)
    notebook.run("%workflow review --goal g")
    assert run_of(notebook).hub is other
    assert "Several orchestrators" in str(notebook.run("%workflow chain --goal g").refusal)
    notebook.run("%workflow chain --goal g --hub one")
    assert run_of(notebook).hub is one


def test_two_sessions_in_one_notebook_are_chosen_by_workflow(new_notebook):
    notebook = new_notebook(hub=hub_with(CHAIN, REVIEW))
    notebook.run("%workflow chain --goal c")
    notebook.run("%workflow review --goal r")
    notebook.run("#| step write\ninput")
    notebook.run("%workflow chain")
    notebook.run("#| step a\ninput")
    assert [paths(session.run) for session in current.sessions()] == [["write#1"], ["a#1"]]


def test_two_sessions_can_be_named_in_code(new_notebook):
    notebook = new_notebook(hub=hub_with(CHAIN), CellSession=CellSession)
    notebook.run("one = CellSession(hub, 'chain', 'one')\nother = CellSession(hub, 'chain', 'other')")
    notebook.run("@one.step\ndef a(input):\n    return input")
    assert (outputs(notebook["one"].run), outputs(notebook["other"].run)) == ({"a#1": "one"}, {})


def test_history_is_ours_while_a_run_is_there_and_ipythons_otherwise(new_notebook):
    notebook = new_notebook(hub=hub_with(CHAIN))
    assert notebook.run("%history").value is None
    notebook.run("%workflow chain --goal g")
    notebook.run("#| step a\n1")
    frame = notebook.run("%history").value
    assert frame[["path", "success", "next_step"]].to_dict("records") == [
        {"path": "a#1", "success": True, "next_step": "b"}
    ]
    assert "duration_s" in notebook.run("%history --all").value
    assert notebook.run("%history -n 1").value is None


def test_the_view_of_a_session_is_the_diagram_and_text_that_is_the_same_each_time(chain):
    chain.run("#| step a\n1")
    bundle = chain.run("%workflow").value._repr_mimebundle_()
    assert bundle["image/svg+xml"].startswith("<svg")
    assert bundle["text/plain"].startswith("chain:  a ✓ → b ?")


def test_the_extension_can_be_loaded_twice_and_taken_away(chain):
    own = chain.shell.find_line_magic("history")
    chain.run("%load_ext orchestration_kit\n%reload_ext orchestration_kit")
    chain.run("%unload_ext orchestration_kit")
    assert chain.shell.find_cell_magic("step") is None
    assert chain.shell.find_line_magic("history") is not own
    assert chain.run("#| step a\n5").value == 5
    chain.run("%load_ext orchestration_kit")
    chain.run("#| step a\n5")
    assert paths(run_of(chain)) == ["a#1"]
