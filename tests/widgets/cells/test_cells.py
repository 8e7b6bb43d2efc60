"""Cells as a person writes them, in a real shell: three forms, loops, slips, edits, order."""

from __future__ import annotations

import pytest

from orchestration_kit import CellSession
from orchestration_kit.errors import UnknownStep, UnknownWorkflow
from orchestration_kit.widgets.cells import current
from orchestration_kit.widgets.cells.errors import BadBody, BadCommand, NoCell, NoSession, OutOfOrder
from tests.support import step, workflow_of
from tests.widgets.cells.flows import CHAIN, REVIEW, hub_with, outputs, paths


@pytest.fixture
def chain(new_notebook):
    notebook = new_notebook(hub=hub_with(CHAIN))
    notebook.run('%workflow chain --goal "g"')
    return notebook


@pytest.fixture
def review(new_notebook):
    notebook = new_notebook(hub=hub_with(REVIEW))
    notebook.run('%workflow review --goal "g"')
    return notebook


def run_of(_notebook):
    return current.current().run


FORMS = {
    "directive": "#| step {}\nword = input + '{}'\nword",
    "magic": "%%step {}\nword = input + '{}'\nword",
    "function": "from orchestration_kit import step\n@step('{}')\ndef f(input, context):\n    return input + '{}'",
}


@pytest.mark.parametrize("form", FORMS)
def test_each_form_of_a_cell_makes_the_visit_of_its_step(chain, form):
    for name in "abc":
        chain.run(FORMS[form].format(name, name))
    assert outputs(run_of(chain)) == {"a#1": "ga", "b#1": "gab", "c#1": "gabc"}
    assert run_of(chain).state == "completed"


def test_forms_can_be_mixed_and_all_show_the_output_and_where_the_run_stands(chain):
    shown = [chain.run(FORMS[form].format(name, name)) for form, name in zip(FORMS, "abc", strict=True)]
    assert [cell.shown[0] for cell in shown] == ["'ga'", "'gab'", "'gabc'"]
    assert shown[0].text.splitlines() == [
        "a#1 was made.",
        "chain:  a ✓ → b ?",
        "Next: b, which has no worker. Write a cell for it:  #| step b",
    ]
    assert shown[2].shown[1].splitlines() == ["c#1 was made.", "chain:  a ✓ → b ✓ → c ✓", "The run is completed."]


def test_the_bare_decorator_takes_the_functions_name_and_leaves_the_function_as_it_is(chain):
    chain.run("from orchestration_kit import step\n@step\ndef a(input):\n    return input * 2")
    assert outputs(run_of(chain)) == {"a#1": "gg"}
    assert chain["a"]("x") == "xx"


def test_functions_may_be_async_and_yield_and_cells_may_await(chain):
    chain.run("from orchestration_kit import step\n@step('a')\nasync def f(input, context):\n    return input + '1'")
    chain.run("@step('b')\ndef f(input, context):\n    yield input\n    yield '2'")
    chain.run("#| step c\nimport asyncio\nawait asyncio.sleep(0)\ninput + '3'")
    assert outputs(run_of(chain))["c#1"] == "g123"


def test_a_function_redefined_by_hand_changes_nothing_until_it_is_given_to_the_step(chain):
    chain.run("from orchestration_kit import step\n@step\ndef a(input):\n    return 1")
    chain.run("def a(input):\n    return 2")
    chain.run("%goto a")
    assert "1" in chain.run("%run_next").shown
    chain.run("@step\ndef a(input):\n    return 2")
    assert outputs(run_of(chain)) == {"a#1": 2}


def test_magics_and_shell_commands_work_within_a_cell(chain):
    cell = chain.run("#| step a\nfound = !echo hello\n%time x = 1\nfound[0]")
    assert outputs(run_of(chain)) == {"a#1": "hello"}
    assert cell.error is None


def test_braces_and_dollars_in_a_line_stay_as_they_are(chain):
    chain.run("braces = 5")
    chain.run('%workflow chain --goal "{braces} costs $braces"')
    assert run_of(chain).context.goal == "{braces} costs $braces"


def test_what_a_cell_assigns_or_changes_in_its_input_stays_out_of_the_notebook_and_of_the_record(chain):
    chain.run("word = 'mine'")
    chain.run("#| step a\nword = 'theirs'\n{'items': [1]}")
    chain.run("#| step b\ninput['items'].append(2)\ncontext.data['b'] = input\ninput")
    chain.run("#| step c\nimport json\njson.dumps([word, input, context.data['a_output']])")
    assert chain["word"] == "mine"
    assert outputs(run_of(chain))["c#1"] == '["mine", {"items": [1, 2]}, {"items": [1]}]'
    assert "input" not in chain.shell.user_ns


def test_cells_of_other_kinds_are_not_disturbed(chain):
    assert chain.run("#| label: fig\n6 * 7").value == 42
    assert chain.run("%%python\nprint('hi')").error is None
    assert chain.run("x = 3 # | step a\nx").value == 3
    assert paths(run_of(chain)) == []


# --- out of order


def test_out_of_order_says_where_the_run_stands_and_what_to_type(new_notebook):
    notebook = new_notebook(hub=hub_with(CHAIN, a=str.upper, b=str.title))
    notebook.run("%workflow chain --goal g")
    error = notebook.run("#| step c\ninput + '!'").refusal
    assert isinstance(error, OutOfOrder)
    assert str(error).splitlines() == [
        "'c' is not next: the run stands before 'a'. Nothing was run; the cell is kept for when its turn comes.",
        "You can:",
        "  %run_until c  runs what comes before it; then run this cell again",
        "  %run_next     runs a alone",
    ]
    notebook.run("%run_until c")
    assert paths(run_of(notebook)) == ["a#1", "b#1"]
    notebook.run("%run_next")
    assert outputs(run_of(notebook))["c#1"] == "G!"


def test_out_of_order_names_the_cells_that_are_missing_before_it(chain):
    error = chain.run("#| step c\n1").refusal
    assert [typed for typed, _ in error.ways] == ["#| step a", "#| step b"]


def test_after_the_end_it_says_how_to_go_back(chain):
    for name in "abc":
        chain.run(f"#| step {name}\n'{name}'")
    with pytest.raises(BadCommand, match="The run is completed: nothing is left to run") as caught:
        chain.run("%run_next").value
    assert "%goto c#1" in str(caught.value)


@pytest.mark.parametrize("line", ["#| step c\n1", "%run_until nope", "%workflow nope --goal g", "%goto x", "%approve"])
def test_a_message_is_shown_without_our_traceback(chain, line):
    cell = chain.run(line)
    assert cell.error._render_traceback_() == [f"{type(cell.error).__name__}: {cell.error}"]
    assert "Traceback" not in cell.printed


def test_hostile_names_and_errors_are_text(new_notebook):
    hostile = "<img src=x onerror=pwned()>"
    notebook = new_notebook(hub=hub_with(workflow_of(step(hostile, "b"), step("b"), name=hostile)))
    notebook.run(f"%workflow '{hostile}' --goal g")
    cell = notebook.run(f"#| step '{hostile}'\nraise ValueError(input + '{hostile}')")
    shown = current.current().standing(hostile)._repr_mimebundle_()["text/html"]
    assert cell.error is not None
    assert "<img" not in shown
    assert shown.count("&lt;img") >= 3


# --- editing


def test_an_edited_cell_makes_its_visit_again_in_a_fork_and_what_follows_is_stale(chain):
    for name in "abc":
        chain.run(f"#| step {name}\ninput + '{name}'")
    first = run_of(chain)
    told = chain.run("#| step b\ninput + 'B'").text
    assert told.splitlines() == [
        "Edition 2 of the run begins at b#1; the one before stays on record.",
        "b#1 was made.",
        "chain:  a ✓ → b ✓ → c ?",
        "Next: c, by its cell. Run the cell, or type  %run_next",
        "Stale: c#1. To make again what has changed:  %refresh",
    ]
    second = run_of(chain)
    assert (first.state, outputs(first)["c#1"]) == ("completed", "gabc")
    assert outputs(second) == {"a#1": "ga", "b#1": "gaB"}
    assert current.current().stale == ["c#1"]
    assert chain.run("%refresh").text.splitlines()[0] == ("Made again: 1. Taken over, as nothing changed there: 0.")
    assert outputs(second)["c#1"] == "gaBc"
    assert current.current().stale == []


def test_refresh_takes_over_what_met_the_same(chain):
    chain.run("calls = []")
    for name in "abc":
        chain.run(f"#| step {name}\ncalls.append('{name}')\n'x'")
    chain.run("#| step a\ncalls.append('A')\n'x'")
    assert "Taken over, as nothing changed there: 2." in chain.run("%refresh").text
    assert chain["calls"] == ["a", "b", "c", "A"]
    assert [entry["cached"] for entry in run_of(chain).history] == [False, True, True]


def test_refresh_makes_again_what_a_worker_registered_anew_does(new_notebook):
    notebook = new_notebook(hub=hub_with(CHAIN, a=str.upper, b=str.title, c=str.lower))
    notebook.run("%workflow chain --goal g")
    notebook.run("%run_until")
    assert "Nothing is stale" in notebook.run("%refresh").text
    notebook.run(
        "from orchestration_kit import WorkerDefinition\n"
        "hub.register_worker(WorkerDefinition(worker_type='b', name='B', executor=lambda text: text + '!'))"
    )
    assert "Made again: 2." in notebook.run("%refresh").text
    assert outputs(run_of(notebook)) == {"a#1": "G", "b#1": "G!", "c#1": "g!"}


def test_an_unedited_cell_is_not_made_twice_unless_asked(chain):
    chain.run("calls = []")
    source = "#| step a{}\ncalls.append(1)\nlen(calls)"
    chain.run(source.format(""))
    told = chain.run(source.format(""))
    assert told.text.splitlines()[:2] == [
        "a#1 is on record, by this very code.",
        "To make it again:  #| step a --again",
    ]
    assert (told.shown, chain["calls"]) == (["1"], [1])
    chain.run(source.format(" --again"))
    assert (outputs(run_of(chain)), chain["calls"]) == ({"a#1": 2}, [1, 1])


def test_a_cell_whose_version_was_there_before_takes_its_old_output_over(chain):
    chain.run("calls = []")
    for name in ("x", "y", "x"):
        cell = chain.run(f"#| step a\ncalls.append('{name}')\n'{name}'")
    assert chain["calls"] == ["x", "y"]
    assert "a#1 met the same as before: taken over, not executed." in cell.text
    assert outputs(run_of(chain)) == {"a#1": "x"}


def test_an_edit_of_a_comment_is_none(chain):
    chain.run("#| step a\n1 # one")
    assert "is on record, by this very code" in chain.run("#| step a\n# one\n1").text


def test_a_constant_or_a_helper_that_it_reaches_is_part_of_a_cell(chain):
    """A parameter in the first cell of a notebook: changed and run from the top, the steps that use it are made anew."""
    chain.run("limit, calls = 60, []\ndef helper(x):\n    return inner(x)\ndef inner(x):\n    return x + 1")
    source = "#| step a\ncalls.append(1)\nhelper(limit)"
    for change, output in [("", 61), ("limit = 70", 71), ("def inner(x):\n    return x - 1", 69), ("other = 5", 69)]:
        chain.run(change)
        chain.run(source)
        assert outputs(run_of(chain)) == {"a#1": output}
    assert chain["calls"] == [1, 1, 1]


def test_what_a_function_reaches_is_part_of_it_too(chain):
    chain.run("from orchestration_kit import step\nlimit = 60")
    source = "@step('a')\ndef f(input):\n    return limit"
    chain.run(source)
    chain.run("limit = 70")
    chain.run(source)
    assert outputs(run_of(chain)) == {"a#1": 70}


def test_a_cell_called_later_is_on_record_as_what_it_was_then(new_notebook):
    notebook = new_notebook(hub=hub_with(CHAIN, a=str.upper))
    notebook.run("%workflow chain --goal g\n")
    notebook.run("word = 'old'")
    notebook.run("#| step b\nword")
    notebook.run("word = 'new'")
    notebook.run("%run_next\n%run_next")
    made = run_of(notebook).history[-1]["worker"]
    assert outputs(run_of(notebook))["b#1"] == "new"
    assert "is on record, by this very code" in notebook.run("#| step b\nword").text
    notebook.run("word = 'old'")
    notebook.run("#| step b\nword")
    assert run_of(notebook).history[-1]["worker"] != made


def test_a_workflow_that_was_registered_anew_is_followed_where_it_fits_and_can_be_gone_back_to_where_not(new_notebook):
    notebook = new_notebook(hub=hub_with(CHAIN), step=step, workflow_of=workflow_of)
    notebook.all("%workflow chain --goal g", "#| step a\n'a'", "#| step b\n'b'")
    notebook.run(
        "hub.register_workflow(workflow_of(step('a', 'b'), step('b', 'c'), step('c', 'd'), step('d'), name='chain'))"
    )
    assert notebook.run("#| step c\n'c'").error is None
    notebook.run("%run_next")
    assert paths(run_of(notebook)) == ["a#1", "b#1", "c#1", "d#1"]
    notebook.run("hub.register_workflow(workflow_of(step('a', 'c'), step('c', 'd'), step('d'), name='chain'))")
    notebook.run("%goto a")
    notebook.all("%run_next", "%run_next", "%run_next")
    assert paths(run_of(notebook)) == ["a#1", "c#1", "d#1"]


# --- loops


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
