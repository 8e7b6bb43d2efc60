"""Cells as a person writes them, in a real shell: three forms, loops, slips, edits, order."""

from __future__ import annotations

import pytest

from orchestration_kit.widgets.cells import current
from orchestration_kit.widgets.cells.errors import BadCommand, OutOfOrder
from tests.support import step, workflow_of
from tests.widgets.cells.flows import CHAIN, REVIEW, hub_with, outputs, paths


@pytest.fixture(name="chain")
def the_chain(new_notebook):
    notebook = new_notebook(hub=hub_with(CHAIN))
    notebook.run('%workflow chain --goal "g"')
    return notebook


@pytest.fixture(name="review")
def the_review(new_notebook):
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
    told, note = cell.error._render_traceback_()
    assert told == f"{type(cell.error).__name__}: {cell.error}"
    assert note.startswith(f"What it means, and what helps: orchestration-kit explain {type(cell.error).__name__}")
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
