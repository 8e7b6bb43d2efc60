"""A traceback ends with where its error is explained, and nothing else of an error changes by that."""

from __future__ import annotations

import copy
import importlib.metadata
import pickle
import traceback
from email.message import Message

import pytest

from orchestration_kit import OrchestrationError, history_frame
from orchestration_kit.errors import MissingEntry, UnknownStep
from orchestration_kit.journal import CassetteMiss
from orchestration_kit.pointers import note_of, page
from tests.support import hub_of, step, workflow_of

NOTE = "What it means, and what helps: orchestration-kit explain UnknownStep (docs: errors.html#unknownstep)"


def an_error() -> UnknownStep:
    return UnknownStep("flow", "reviw", ["review"])


def test_a_traceback_ends_with_where_it_is_explained():
    try:
        raise an_error()
    except UnknownStep:
        assert traceback.format_exc().rstrip().splitlines()[-1] == NOTE


def test_so_does_that_of_a_notebook():
    import IPython
    from IPython.core.ultratb import VerboseTB

    plain = {"theme_name": "nocolor"} if IPython.version_info >= (9,) else {"color_scheme": "NoColor"}
    try:
        raise an_error()
    except UnknownStep as error:
        shown = VerboseTB(**plain).text(type(error), error, error.__traceback__)
    assert shown.rstrip().splitlines()[-1] == NOTE


def test_a_miss_on_a_cassette_which_nothing_may_catch_has_one_too():
    assert CassetteMiss("a#1", 1, "Ada", "tape.yaml", "").__notes__ == [note_of("CassetteMiss")]


def test_a_class_of_somebody_elses_is_explained_by_the_nearest_of_ours():
    class Mine(MissingEntry):
        """Of a user."""

    class OfMine(Mine, RuntimeError):
        """Of another."""

    assert Mine("a", []).__notes__ == OfMine("a", []).__notes__ == [note_of("MissingEntry")]


@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, lambda error: pickle.loads(pickle.dumps(error))])
def test_a_note_of_ones_own_stands_after_it_and_travels(again):
    error = an_error()
    error.add_note("mine")
    assert error.__notes__ == [NOTE, "mine"]
    assert again(error).__notes__ == [NOTE, "mine"]
    assert again(again(an_error())).__notes__ == [NOTE]


def test_what_an_error_tells_of_does_not_get_into_the_note():
    hostile = "\x1b[2J<script>alert(1)</script> orchestration-kit explain Evil"
    assert UnknownStep(hostile, hostile, [hostile]).__notes__ == [NOTE]


def test_an_error_that_nobody_looks_at_has_no_note_made():
    error = an_error()
    assert str(error).startswith("Workflow 'flow' has no step 'reviw'")
    assert set(vars(error)) == {"workflow", "step", "known"}


def test_what_is_on_record_of_an_error_is_its_message_alone():
    def quiet(given):
        raise an_error()

    def looked_at(given):
        error = an_error()
        error.add_note("seen")
        raise error

    histories = []
    for worker in (quiet, looked_at):
        workflow = workflow_of(step("a"))
        histories.append(hub_of(workflow, {"a": worker}).execute_workflow("flow", "goal", verbose=False))
    first, second = histories
    assert first.history[0]["error"] == second.history[0]["error"] == str(an_error())
    assert first.history[0]["output"] == second.history[0]["output"]
    assert "orchestration-kit explain" not in history_frame(second).to_csv()


def test_a_project_that_says_where_its_documentation_is_has_its_address_in_the_note(monkeypatch):
    found = Message()
    found["Project-URL"] = "Source, https://code.test/kit"
    found["Project-URL"] = "Documentation, https://kit.test/docs/"
    monkeypatch.setattr(importlib.metadata, "metadata", lambda name: found)
    page.cache_clear()
    try:
        assert an_error().__notes__[0].endswith("explain UnknownStep (https://kit.test/docs/errors.html#unknownstep)")
    finally:
        page.cache_clear()


def test_a_copy_that_nobody_installed_has_a_note_too(monkeypatch):
    def missing(name):
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "metadata", missing)
    page.cache_clear()
    try:
        assert an_error().__notes__ == [NOTE]
    finally:
        page.cache_clear()


def test_the_class_itself_has_no_notes():
    assert not hasattr(OrchestrationError, "__notes__")
