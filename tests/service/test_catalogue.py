"""The catalogue: every entry builds sound workflows, of required workers alone and of all; and is found by its example."""

from __future__ import annotations

import itertools

import pytest

from orchestration_kit import ApprovalStep, WorkerDefinition, WorkflowDefinition
from orchestration_kit.errors import InvalidWorkflow
from orchestration_kit.service.catalogue import CATALOGUE
from orchestration_kit.service.catalogue.entry import Entry, Filled, Role, phrases_of
from orchestration_kit.service.errors import CannotServe
from orchestration_kit.service.fitting import cast
from orchestration_kit.service.index import Index
from orchestration_kit.service.matching import plan_goal
from orchestration_kit.templates import create_gated_chain

EACH = pytest.mark.parametrize("entry", CATALOGUE, ids=lambda one: one.name)


def worker(kind, name=None, description=""):
    return WorkerDefinition(worker_type=kind, name=name or kind, description=description, executor=lambda said: said)


def whole_team(entry, required_only=False):
    roles = entry.required if required_only else entry.roles
    named = []
    taken = set()
    for role in roles:
        free = [kind for kind in role.types if kind not in taken]
        for kind in free[: max(role.least, 1)]:
            taken.add(kind)
            named.append(worker(kind))
    return named


@EACH
@pytest.mark.parametrize("required_only", [True, False], ids=["required", "all"])
@pytest.mark.parametrize("asks_person", [True, False], ids=["asking", "not_asking"])
def test_an_entry_builds_a_sound_workflow_of_whoever_fills_its_roles(entry, required_only, asks_person):
    team = whole_team(entry, required_only)
    with Index(CATALOGUE, team) as index:
        asked = [order for role in entry.roles for order in index.orders(role.words)]
        made = cast(entry, index, asked, asks_person=asks_person)
    assert made.missing == ()
    workflow = entry.build(made.filled())
    assert workflow.validate() == (True, None)
    types = {str(one.worker_type) for one in workflow.steps.values() if hasattr(one, "worker_type")}
    assert {place.taken[0].kind for place in made.places.values()} <= types


@EACH
def test_an_entry_is_found_by_its_own_example(entry):
    plan = plan_goal(entry.example, whole_team(entry))
    assert plan.entry is entry
    assert plan.score > 0.85


@EACH
def test_an_entry_whose_worker_is_missing_says_so_with_what_to_register(entry):
    with pytest.raises(CannotServe) as refused:
        plan_goal(entry.example, [worker("astrologer")])
    assert refused.value.missing
    assert entry.name in refused.value.nearest
    assert "Register" in str(refused.value)


@EACH
def test_entries_that_ask_a_person_hold_a_step_for_it(entry):
    with Index(CATALOGUE, whole_team(entry)) as index:
        made = cast(entry, index, (), asks_person=True)
    has_gate = any(isinstance(one, ApprovalStep) for one in entry.build(made.filled()).steps.values())
    assert has_gate or not entry.asks_person


def test_names_are_unique_and_no_cue_asks_for_two_entries_of_one_family_alike():
    names = [one.name for one in CATALOGUE]
    assert len(set(names)) == len(names)
    for one, other in itertools.combinations(CATALOGUE, 2):
        assert set(one.cues) != set(other.cues)


def test_roles_of_an_entry_have_names_of_their_own():
    for entry in CATALOGUE:
        names = [role.name for role in entry.roles]
        assert len(set(names)) == len(names), entry.name
        assert all(role.least <= role.most for role in entry.roles)
        assert entry.required


def test_an_own_entry_goes_before_those_that_come_with_the_kit_and_replaces_one_of_its_name():
    def bake(filled: Filled):
        return create_gated_chain({"bake": filled.one("baker")}, name="bakery")

    baker = Role(name="baker", types=("baker",), does="bake", words="bake, baker, cake")
    cake = Entry(name="bake", about="Bake", example="Bake a cake", words="cake, bake", roles=(baker,), build=bake)
    plan = plan_goal("Bake a birthday cake for Ann", [worker("baker")], entries=[cake])
    assert (plan.entry.name, plan.workflow.name, plan.roles) == ("bake", "bakery", {"baker": ["baker"]})

    site = Entry(name="build_website", about="Bake", example="x", words="website", roles=(baker,), build=bake)
    plan = plan_goal("Build a website", [worker("baker")], entries=[site])
    assert plan.entry is site
    assert [name for name, _, _ in plan.scores].count("build_website") == 1


def test_an_entry_that_is_none_is_refused():
    with pytest.raises(TypeError, match="no Entry"):
        plan_goal("Build a website", [worker("coder")], entries=["website"])


def test_an_own_entry_that_builds_an_unsound_workflow_is_refused_by_the_checks():
    role = Role(name="baker", types=("baker",), does="bake")
    entry = Entry(
        name="bad",
        about="x",
        example="x",
        words="cake",
        roles=(role,),
        build=lambda _filled: WorkflowDefinition(name="bad"),
    )
    with pytest.raises(InvalidWorkflow):
        plan_goal("A cake", [worker("baker")], entries=[entry])


def test_phrases_are_read_as_words_and_filled_roles_as_what_they_are():
    assert phrases_of("landing page, , Sign-off") == (("landing", "page"), ("sign", "off"))
    filled = Filled({"coder": "coder", "voters": {"a": "x", "b": "y"}})
    assert filled.one("coder") == "coder"
    assert filled.maybe("tester") is None
    assert filled.several("voters") == {"a": "x", "b": "y"}
    assert filled.several("coder") == {"coder": "coder"}
    with pytest.raises(TypeError, match="several"):
        filled.one("voters")
