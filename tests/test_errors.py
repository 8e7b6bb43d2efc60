"""The error tree: as drawn, with values that survive pickling, and messages that say what to do."""

from __future__ import annotations

import copy
import inspect
import pickle
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestration_kit import Problem, errors
from orchestration_kit.errors import did_you_mean, listed, nearest

PROBLEMS = (
    Problem("dead-end", ("a",), "Dead end: step 'a'", "Set on_success"),
    Problem("unreachable", ("b",), "Unreachable: b", "Remove it"),
)

EXAMPLES = {
    "InvalidWorkflow": (errors.InvalidWorkflow("flow", PROBLEMS), ["Invalid workflow: Dead end: step 'a'. Set on_success", "\n  Unreachable: b. Remove it"]),
    "DuplicateStep": (errors.DuplicateStep("flow", "a", ("on_success",)), ["'flow' already has a different step 'a'", "differ in on_success", "add_step(step, replace=True)"]),
    "WorkflowFileError": (errors.WorkflowFileError("line 3 holds a tag", "Write it out."), ["not a workflow file: line 3 holds a tag. Write it out."]),
    "NotSerializable": (errors.NotSerializable("mine.is_good"), ["mine.is_good is a Python callable", 'Write it as CEL text instead, for example "output.approved == true"']),
    "ConditionSyntaxError": (errors.ConditionSyntaxError("a b", "it names 'a'", "Text goes into quotes."), ["'a b' cannot be used: it names 'a'. Text goes into quotes."]),
    "InvalidWorker": (errors.InvalidWorker("Ada", "its executor is str", "Write a function."), ["'Ada'", "its executor is str", "Write a function."]),
    "MissingWorkers": (errors.MissingWorkers("flow", {"a worker of type 'coder'": ["a", "b"]}, ["Ada (writer)"]), ["'flow' needs workers", "type 'coder': needed by a, b", "Registered: Ada (writer).", "register_worker(WorkerDefinition("]),
    "UnknownWorkflow": (errors.UnknownWorkflow("gret", ["greet"]), ["Workflow not found: 'gret'. Did you mean 'greet'?", "Registered: greet.", "register_workflow(workflow)"]),
    "UnknownStep": (errors.UnknownStep("flow", "reviw", ["review", "write"]), ["'flow' has no step 'reviw'. Did you mean 'review'?", "Its steps: review, write."]),
    "MissingEntry": (errors.MissingEntry("spcs", ["specs", "x"]), ["no entry 'spcs'. Did you mean 'specs'?", "It has: specs, x."]),
    "InvalidGoal": (errors.InvalidGoal("is empty"), ["The goal is empty. Give a sentence", "initial_data={...}"]),
    "DuplicateRun": (errors.DuplicateRun("mine", "completed"), ["'mine' exists already (it is completed)", "orchestrator.get_run('mine')", "another run_id"]),
    "UnknownRun": (errors.UnknownRun("mne", ["mine"]), ["No run 'mne' is known here. Did you mean 'mine'?", "Known: mine.", "orchestrator.runs() lists those that are", "those that were given a run_id, and the last one."]),
    "UnknownVisit": (errors.UnknownVisit("mine", "reviw#2", ["review#1", "review#2"]), ["Run 'mine' has no visit 'reviw#2'. Did you mean 'review#2'?", "Its visits: review#1, review#2."]),
    "DefinitionChanged": (errors.DefinitionChanged("mine", "a#2", "it goes on to 'b'", "the run ends there"), ["does not fit run 'mine' any more; they part at a#2", "on record, it goes on to 'b'; by this workflow, the run ends there", "Nothing was done.", ".fork(at='a#2')"]),
    "RunStateError": (errors.RunStateError("mine", "failed", "it cannot go on", "Start another."), ["Run 'mine' (failed): it cannot go on. Start another."]),
    "ConditionError": (errors.ConditionError("review", "output.x > 1", "there is no entry 'x'"), ["'output.x > 1' of step 'review' could not be evaluated: there is no entry 'x'."]),
    "OutputRejected": (errors.OutputRejected("success_when was false: output.ok"), ["success_when was false: output.ok"]),
    "OutputInvalid": (errors.OutputInvalid("Ada", "title: Field required"), ["worker 'Ada' does not fit its output_schema: title: Field required"]),
    "StepTimeout": (errors.StepTimeout("a", 2.5), ["Step 'a' was stopped: its timeout_s of 2.5 s was reached"]),
    "TransformerError": (errors.TransformerError("Ada", "input_transformer", "KeyError: 'x'"), ["The input_transformer of worker 'Ada' raised KeyError: 'x'"]),
    "ValueTooDeep": (errors.ValueTooDeep(200), ["more than 200 levels deep, or contains itself.", "Return plain data"]),
}  # fmt: skip

ABSTRACT = {"OrchestrationError", "DefinitionError", "AttemptError", "JournalError"}
CLASSES = {
    name: thing
    for name, thing in vars(errors).items()
    if inspect.isclass(thing) and issubclass(thing, errors.OrchestrationError)
}


def drawn() -> dict[str, tuple[str | None, str | None]]:
    """The tree in the docstring: for each class its parent, and the builtin error it is besides."""
    tree: dict[str, tuple[str | None, str | None]] = {}
    above: list[str] = []
    for line in re.search(r"```text\n(.*?)```", errors.__doc__, re.DOTALL)[1].splitlines():
        match = re.match(r"^([│├└─ ]*)(\w+)(?: \((\w+)\))?", line)
        depth = len(match[1]) // 4
        above[depth:] = [match[2]]
        tree[match[2]] = (above[depth - 1] if depth else None, match[3])
    return tree


def test_the_tree_in_the_docstring_is_the_tree_of_classes():
    tree = drawn()
    assert set(tree) == set(CLASSES)
    for name, (parent, builtin) in tree.items():
        bases = [base.__name__ for base in CLASSES[name].__bases__]
        assert bases == [base for base in (parent or "Exception", builtin) if base], name


def test_the_docstring_says_a_word_about_each():
    lines = re.search(r"```text\n(.*?)```", errors.__doc__, re.DOTALL)[1].splitlines()
    assert all(re.search(r"\w+(?: \(\w+\))? {2,}\S", line) for line in lines[1:])
    assert all(cls.__doc__ for cls in CLASSES.values())


def test_every_error_has_an_example_here():
    assert set(EXAMPLES) == set(CLASSES) - ABSTRACT


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_error_says_what_happened_and_what_to_do(name):
    error, parts = EXAMPLES[name]
    for part in parts:
        assert part in str(error)
    assert str(error)[0].isupper() or str(error).startswith(("success_when", "its"))


@pytest.mark.parametrize("name", EXAMPLES)
@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_every_error_survives_pickling_with_its_values(name, protocol):
    error, _ = EXAMPLES[name]
    for again in (pickle.loads(pickle.dumps(error, protocol)), copy.copy(error), copy.deepcopy(error)):
        assert type(again) is type(error)
        assert str(again) == str(error)
        assert vars(again) == vars(error)
        assert vars(error), "it keeps its values as attributes"
        assert again.args == error.args


def test_a_timeout_keeps_which_limit_it_was():
    error = errors.StepTimeout("a", 2.0, "the run's limit max_seconds")
    again = pickle.loads(pickle.dumps(error))
    assert str(again) == str(error) == "Step 'a' was stopped: the run's limit max_seconds of 2 s was reached"


def test_an_error_can_be_caught_as_the_builtin_it_is_too():
    for name, (_, builtin) in drawn().items():
        if builtin and name in EXAMPLES:
            assert isinstance(EXAMPLES[name][0], getattr(__import__("builtins"), builtin))
    assert isinstance(EXAMPLES["DuplicateStep"][0], ValueError)
    assert isinstance(EXAMPLES["StepTimeout"][0], OSError)  # as TimeoutError is


def test_an_invalid_workflow_holds_all_its_problems():
    error = errors.InvalidWorkflow("flow", PROBLEMS)
    assert error.problems == PROBLEMS
    assert str(errors.InvalidWorkflow("flow", PROBLEMS[:1])) == "Invalid workflow: Dead end: step 'a'. Set on_success"


def test_messages_stay_short_whatever_they_tell_of():
    names = [f"step_{n}" for n in range(10_000)]
    for error in (
        errors.UnknownStep("w", "zzz", names),
        errors.UnknownWorkflow("zzz", names),
        errors.MissingWorkers("w", {"a worker": names}, names),
        errors.DuplicateStep("w", "a", tuple(names)),
        errors.ConditionSyntaxError("x" * 100_000, "it is long", "Write less."),
    ):
        assert len(str(error)) < 1_000


@pytest.mark.parametrize(
    ("name", "known", "expected"),
    [
        ("review", ["review_code", "deploy"], "review_code"), ("REVIEW", ["review"], "review"), ("revew", ["review", "renew"], "review"), ("zzz", ["review"], None),
        ("d", ["deploy", "draft"], "deploy"), ("", ["a"], None), ("a", [], None), ("Draft", ["draft", "DRAFT"], "draft"),
    ],
)  # fmt: skip
def test_the_nearest_name_is_found_whatever_its_case(name, known, expected):
    assert nearest(name, known) == expected
    assert did_you_mean(name, known) == (f" Did you mean {expected!r}?" if expected else "")


@given(st.text(max_size=20), st.lists(st.text(max_size=20), max_size=8))
def test_what_is_near_is_one_of_what_is_known(name, known):
    assert nearest(name, known) in (None, *known)


def test_lists_of_names_are_cut():
    assert listed([]) == "none"
    assert listed(["a", "b"]) == "a, b"
    assert listed(map(str, range(14))) == "0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 and 2 more"
    assert listed("abc", limit=2) == "a, b and 1 more"
