"""Who fills which role, and how that is told."""

from __future__ import annotations

import pickle
import sqlite3
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestration_kit import WorkerDefinition
from orchestration_kit.service.catalogue import CATALOGUE
from orchestration_kit.service.errors import CannotServe
from orchestration_kit.service.fitting import cast
from orchestration_kit.service.goal_words import read, tokens_of
from orchestration_kit.service.index import Index
from orchestration_kit.service.matching import package_workers, plan_goal
from tests.laws import examples


def worker(kind, name=None, description=""):
    return WorkerDefinition(worker_type=kind, name=name or kind, description=description, executor=lambda said: said)


WEBSITE = [worker("product_manager"), worker("coder"), worker("reviewer")]


def step_of(plan, step_id):
    step = plan.workflow.steps[step_id]
    return str(step.worker_type), step.worker


def test_a_worker_of_the_type_goes_before_one_whose_description_says_it():
    team = [worker("translator", "Zoe"), worker("helper", "Ann", "Translates everything"), worker("reviewer")]
    plan = plan_goal("Translate the letter and check it", team)
    assert step_of(plan, "generate") == ("translator", None)
    assert plan.roles["translator"] == ["Zoe"]


@pytest.mark.parametrize(
    "helper",
    [
        worker("german_translator"),
        worker("GermanTranslator"),
        worker("helper", "Translation desk"),
        worker("helper", "Ann", "Translates texts from English into German."),
        worker("helper", "Ann", "Reads what comes in. It is quick. Good at translation and localisation, too."),
    ],
    ids=["type", "camel case", "name", "description", "further on"],
)
def test_a_worker_of_another_type_fits_by_what_is_said_of_it(helper):
    plan = plan_goal("Translate the letter and check it", [helper, worker("reviewer")])
    assert plan.roles["translator"] == [helper.name]
    assert any("by what its type, name and description say" in one for one in plan.words)


@pytest.mark.parametrize(
    "said", ["Never translates.", "Files letters", "Does not translate, files", "Pays for translators"]
)
def test_a_worker_who_only_mentions_it_does_not_fit(said):
    with pytest.raises(CannotServe, match="translate"):
        plan_goal("Translate the letter and check it", [worker("helper", "Ann", said), worker("reviewer")])


def test_all_workers_of_the_type_are_candidates():
    plan = plan_goal("Build a website", [*WEBSITE, worker("coder", "Cy"), worker("coder", "Ada")])
    assert plan.roles["coder"] == ["Ada", "Cy", "coder"]
    assert step_of(plan, "implement_code") == ("coder", None)


def test_workers_of_one_type_that_do_different_things_are_asked_by_name():
    team = [worker("llm", "Translator"), worker("llm", "Critic"), worker("llm", "Poet")]
    plan = plan_goal("Translate the letter and check it", team)
    assert step_of(plan, "generate") == ("llm", "Translator")
    assert step_of(plan, "evaluate") == ("llm", "Critic")
    assert plan.roles == {"translator": ["Translator"], "reviewer": ["Critic"]}


def test_nobody_fills_two_roles():
    both = worker("helper", "Ann", "Translates, reviews")
    entry = next(one for one in CATALOGUE if one.name == "translate_and_check")
    with Index(CATALOGUE, [both]) as index:
        made = cast(entry, index, ["translat", "check"], asks_person=False)
    assert list(made.places) == ["translator"]
    assert [role.name for role in made.missing] == ["reviewer"]


def test_a_generic_worker_is_not_called_where_a_run_ends():
    plan = plan_goal("Build a website", [*WEBSITE, worker("generic", "Odd jobs")])
    ends = {str(one.worker_type) for one in plan.workflow.steps.values() if one.is_terminal}
    assert ends == {"end"}


def test_a_deployer_works_only_where_the_goal_says_so():
    team = [*WEBSITE, worker("deployer", "Dee")]
    silent, said = plan_goal("Build a website", team), plan_goal("Build a website and put it online", team)
    assert step_of(silent, "completed") == ("generic", None)
    assert step_of(said, "completed") == ("deployer", None)
    assert any("'Dee' could deploy as well" in one for one in silent.words)


def test_what_is_asked_besides_and_nobody_does_is_told():
    plan = plan_goal("Build a website and translate it", WEBSITE)
    assert any("nobody here is free to do 'translate'" in one and "'translator'" in one for one in plan.words)
    assert plan.score < 1


@pytest.mark.parametrize(
    "goal",
    [
        "Send the letter after I approve it",
        "Send the letter once it is approved",
        "Send the letter if I approve it",
        "Send the letter, but ask me before",
        "Send the letter with my sign-off",
        "Translate the letter, and after my approval send it",
        "Write the letter, proofread it and send it with my approval",
        "Schicke nichts ohne Grund: send the letter, mit meiner Zustimmung",
    ],
)
def test_nothing_acts_before_a_person_agreed_where_the_goal_says_so(goal):
    team = [worker(kind) for kind in ("writer", "reviewer", "translator", "sender")]
    workflow = plan_goal(goal, team).workflow
    graph = workflow.to_networkx()
    gates = [name for name, one in workflow.steps.items() if one.kind == "approval"]
    sending = [name for name, one in workflow.steps.items() if getattr(one, "worker_type", "") == "sender"]
    assert len(gates) == len(sending) == 1
    graph.remove_node(gates[0])
    assert workflow.initial_step == gates[0] or not _is_path(graph, workflow.initial_step, sending[0])


def _is_path(graph, start, end):
    import networkx as nx

    return nx.has_path(graph, start, end)


@pytest.mark.parametrize("goal", ["Send the letter without my approval", "Send the letter about the approval process"])
def test_no_person_is_asked_where_the_goal_does_not_say_so(goal):
    steps = plan_goal(goal, [worker("sender")]).workflow.steps.values()
    assert not [one for one in steps if one.kind == "approval"]


def test_scores_tell_of_every_entry_why_it_was_not_taken():
    plan = plan_goal("Build a website", WEBSITE)
    names = [name for name, _, _ in plan.scores]
    assert sorted(names) == sorted(one.name for one in CATALOGUE)
    assert plan.scores[0] == ("build_website", 1.0, "")
    assert all(why for _, _, why in plan.scores[1:])
    assert ("vote", 0.0, "none of its words is in the goal") in plan.scores


def test_a_nearer_entry_that_nobody_can_fill_is_told():
    plan = plan_goal("Translate the letter and publish it", [worker("translator"), worker("publisher")])
    assert any("translate_and_check would fit, too, but nobody here can review" in one for one in plan.words)


def test_a_refusal_keeps_its_values_survives_pickling_and_says_what_to_do():
    with pytest.raises(CannotServe) as refused:
        plan_goal("Translate the contract", [worker("coder", "Cy")])
    error = refused.value
    assert list(error.missing) == ["nobody here can translate", "nobody here can review"]
    assert error.nearest[0] == "translate_and_check"
    assert error.known == ["Cy (coder)"]
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), again.missing) == (str(error), error.missing)
    assert "Register a worker whose worker_type is 'translator', or whose description says 'translate'." in str(error)


def test_a_goal_that_says_nothing_is_refused_with_goals_that_can_be_served():
    with pytest.raises(CannotServe) as refused:
        plan_goal("Make me rich", package_workers())
    assert refused.value.examples == ["Build a website for a bakery"]
    assert "goals like these can be served: Build a website for a bakery." in str(refused.value)
    with pytest.raises(CannotServe, match="With the right workers"):
        plan_goal("Make me rich", [])


def test_the_goal_is_not_part_of_the_workflow():
    marked = "Build a website <script>xss</script> {{7*7}} ${HOME}"
    text = plan_goal(marked, WEBSITE).workflow.to_json()
    assert "xss" not in text
    assert "7*7" not in text


def test_the_package_workers_are_those_of_the_website():
    plan = plan_goal("Build a website", package_workers())
    assert {name: plan.roles[name] for name in plan.roles} == {
        "product_manager": ["Product manager"],
        "coder": ["Coder"],
        "reviewer": ["Reviewer"],
    }


def test_what_is_not_wanted_what_it_is_about_and_what_holds_a_sentence_together_is_told_apart():
    text = read("We sell bread. Please write an article about cats and dogs, but don't publish it; never mind")
    wanted = [word.text for word in text.words if word.tells and not word.is_topic]
    assert wanted == ["write", "article"]
    assert "publish" not in text.telling()
    assert {"cats", "dogs"} <= {word.text for word in text.words if word.is_topic}


@settings(deadline=None)
@given(st.text())
def test_any_text_is_read(text):
    said = read(text)
    assert len(said.words) <= 801
    assert all(0 <= word.clause < len(said.clauses) for word in said.words if word.clause >= 0)
    assert tokens_of(text) == tokens_of(text)


@settings(max_examples=examples(25), deadline=None)
@given(
    st.lists(
        st.tuples(st.text(min_size=1, max_size=20), st.text(min_size=1, max_size=20), st.text(max_size=40)),
        max_size=4,
        unique_by=lambda row: row[1],
    )
)
def test_workers_called_anything_are_indexed_and_never_break_a_plan(rows):
    team = [*WEBSITE, *(worker(*row) for row in rows if row[1] not in {one.name for one in WEBSITE})]
    assert plan_goal("Build a website", team).workflow.validate() == (True, None)


def test_british_and_american_spelling_and_forms_of_a_word_have_one_stem():
    with Index((), ()) as index:
        stems = index.stems(["summarise", "summarize", "summarising", "translate", "translations", "translator"])
    assert len(set(stems[:3])) == len(set(stems[3:])) == 1


def test_nothing_is_left_open_and_importing_it_loads_no_database():
    code = "import sys, orchestration_kit.service.matching; print('sqlite3' in sys.modules)"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "False"
    with Index(CATALOGUE, WEBSITE) as index:
        pass
    with pytest.raises(sqlite3.ProgrammingError):
        index.rank_entries(["website"])
