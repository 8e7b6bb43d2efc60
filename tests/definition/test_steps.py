"""Steps, branches, retry policies and workers as models: what they take, and what they refuse with a word of help."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from pydantic_core import PydanticSerializationError

from orchestration_kit import Branch, RetryPolicy, WorkerDefinition, WorkerType, WorkflowStep
from orchestration_kit.definition.ids import FORBIDDEN_IN_STEP_IDS
from orchestration_kit.definition.steps import callable_name


def make(**fields):
    return WorkflowStep(**{"step_id": "s", "worker_type": "w", **fields})


def is_done(output, context):
    return True


def test_a_step_needs_no_description_and_has_plain_defaults():
    step = make()
    assert (step.kind, step.description, step.max_retries, step.branches, step.outcome) == (
        "step", "", 0, (), "completed",
    )  # fmt: skip
    assert (step.on_success, step.on_failure, step.is_terminal, step.worker, step.timeout_s) == (
        None,
        None,
        False,
        None,
        None,
    )


@pytest.mark.parametrize("known", list(WorkerType))
def test_the_name_of_a_known_type_becomes_the_type(known):
    assert make(worker_type=known.value).worker_type is known
    assert make(worker_type=known) == make(worker_type=known.value)


def test_users_add_types_of_their_own():
    assert make(worker_type="translator").worker_type == "translator"
    assert WorkerDefinition(worker_type="translator", name="t", executor=str).worker_type == "translator"


@pytest.mark.parametrize(
    ("wrong", "meant"),
    [("on_sucess", "on_success"), ("maxretries", "max_retries"), ("OnFailure", "on_failure"), ("branch", "branches"), ("timeout", "timeout_s"), ("write", "writes")],
)  # fmt: skip
def test_a_wrong_field_is_refused_with_the_one_that_was_meant_and_all_there_are(wrong, meant):
    with pytest.raises(ValidationError, match=f"WorkflowStep has no field '{wrong}'. Did you mean '{meant}'") as caught:
        make(**{wrong: 1})
    assert "Its fields: kind, step_id, description, on_success" in str(caught.value)


@pytest.mark.parametrize(
    ("model", "fields", "said"),
    [
        (Branch, {"wen": "true", "to": "b"}, "Branch has no field 'wen'. Did you mean 'when'"),
        (RetryPolicy, {"backoff": 1}, "RetryPolicy has no field 'backoff'. Did you mean 'backoff_s'"),
        (WorkerDefinition, {"executer": str}, "Did you mean 'executor'"),
        (WorkerDefinition, {"zzz": 1}, r"has no field 'zzz'\. Its fields: worker_type"),
    ],
)
def test_every_model_names_the_field_that_was_meant(model, fields, said):
    with pytest.raises(ValidationError, match=said):
        model(**fields)


@pytest.mark.parametrize(
    "fields",
    [
        {"step_id": ""}, {"step_id": "x" * 201}, {"step_id": 5}, {"worker_type": ""}, {"worker_type": 5}, {"worker_type": "x" * 201},
        {"max_retries": -1}, {"max_retries": 1.5}, {"max_retries": 1_000_001}, {"timeout_s": 0}, {"timeout_s": -1}, {"timeout_s": float("nan")},
        {"timeout_s": float("inf")}, {"outcome": "cancelled"}, {"kind": "map"}, {"reads": "abc"}, {"branches": [{"when": "true"}]},
        {"on_success": ""}, {"branches": [{"when": "true", "to": "a#b"}]}, {"is_terminal": "perhaps"},
    ],
)  # fmt: skip
def test_values_that_make_no_sense_are_refused(fields):
    with pytest.raises(ValidationError) as caught:
        make(**fields)
    assert next(iter(fields)) in str(caught.value)


@pytest.mark.parametrize("bad", [*FORBIDDEN_IN_STEP_IDS, "\n", "\x00", "\x1b", "\u202e", "\u2028"])
def test_a_step_id_holds_nothing_that_positions_or_terminals_give_a_meaning(bad):
    with pytest.raises(ValidationError, match=r"step id 'a.*b' holds") as caught:
        make(step_id=f"a{bad}b")
    assert "printable text without any of # / [ ]" in str(caught.value)


@given(
    st.text(min_size=1, max_size=200).filter(
        lambda text: text.isprintable() and not set(text) & set(FORBIDDEN_IN_STEP_IDS)
    )
)
def test_any_other_printable_text_is_a_step_id(step_id):
    assert make(step_id=step_id).step_id == step_id


def test_only_a_terminal_step_has_another_outcome():
    assert make(is_terminal=True, outcome="failed").outcome == "failed"
    with pytest.raises(
        ValidationError, match="step 's' has outcome='failed' but is not terminal; set is_terminal=True"
    ):
        make(outcome="failed")


def test_a_refused_assignment_leaves_the_step_as_it_was():
    step = make()
    before = step.model_copy()
    for name, value in (("outcome", "failed"), ("max_retries", "many"), ("nope", 1)):
        with pytest.raises(ValidationError):
            setattr(step, name, value)
        assert step == before
    step.on_success = "next"
    assert step.on_success == "next"


@pytest.mark.parametrize("condition", [5, None, ["true"], {"when": 1}])
def test_a_condition_is_text_or_a_callable(condition):
    with pytest.raises(ValidationError, match=r"a condition is CEL text or a callable .output, context. -> bool, not"):
        Branch(when=condition, to="b")
    assert Branch(when=is_done, to="b").when is is_done
    assert make(success_when="output.ok").success_when == "output.ok"


def test_a_step_that_holds_code_cannot_be_dumped_as_json():
    with pytest.raises(PydanticSerializationError, match="is_done is a Python callable"):
        make(success_when=is_done).model_dump_json()
    assert make(success_when=is_done).model_dump()["success_when"] is is_done


def test_transitions_come_in_the_order_in_which_they_are_tried():
    step = make(
        branches=[
            Branch(when="visits > 3", to="c"),
            Branch(when=is_done, to="d"),
            Branch(when="true", to="e", label="else"),
        ],
        on_success="f",
        on_failure="g",
    )
    assert [(t.kind, t.field, t.target) for t in step.transitions()] == [
        ("branch", "branches[0]", "c"), ("branch", "branches[1]", "d"), ("branch", "branches[2]", "e"), ("success", "on_success", "f"),
        ("failure", "on_failure", "g"),
    ]  # fmt: skip
    labels = [t.label for t in step.transitions()]
    assert (labels[0], labels[2:]) == ("visits > 3", ["else", "", ""])
    assert labels[1].endswith("is_done")


def test_a_terminal_step_leads_on_only_after_a_failure():
    step = make(is_terminal=True, on_success="a", on_failure="b", branches=[Branch(when="true", to="c")])
    assert [t.target for t in step.transitions()] == ["b"]
    assert make().transitions() == []


def test_waits_grow_by_the_multiplier_up_to_the_bound():
    policy = RetryPolicy(backoff_s=1, multiplier=2, max_backoff_s=5)
    assert [policy.wait_s(n, spread=0) for n in (1, 2, 3, 4, 10**9)] == [1, 2, 4, 5, 5]
    assert RetryPolicy().wait_s(7, spread=1) == 0


@given(
    policy=st.builds(
        RetryPolicy,
        backoff_s=st.floats(0, 1e6),
        multiplier=st.floats(1, 1e6),
        max_backoff_s=st.floats(0, 1e6),
        jitter=st.floats(0, 1),
    ),
    retry=st.integers(1, 10**9),
    spread=st.floats(-1, 1),
)
def test_a_wait_is_never_negative_nor_past_its_bound(policy, retry, spread):
    assert 0 <= policy.wait_s(retry, spread=spread) <= policy.max_backoff_s * (1 + policy.jitter)


@pytest.mark.parametrize(
    "fields",
    [{"backoff_s": -1}, {"multiplier": 0.5}, {"jitter": 2}, {"backoff_s": float("inf")}, {"max_backoff_s": float("nan")}, {"multiplier": float("inf")}],
)  # fmt: skip
def test_a_policy_refuses_figures_that_make_no_wait(fields):
    with pytest.raises(ValidationError):
        RetryPolicy(**fields)


@pytest.mark.parametrize(
    ("policy", "types", "allowed"),
    [
        (RetryPolicy(), ("ValueError",), True),
        (RetryPolicy(retry_on=("OSError",)), ("ConnectionError", "OSError"), True),
        (RetryPolicy(retry_on=("OSError",)), ("ValueError",), False),
        (RetryPolicy(give_up_on=("OSError",)), ("ConnectionError", "OSError"), False),
        (RetryPolicy(retry_on=("OSError",), give_up_on=("ConnectionError",)), ("ConnectionError", "OSError"), False),
    ],
)
def test_a_policy_knows_errors_by_their_own_name_and_their_bases(policy, types, allowed):
    assert policy.allows(types) is allowed


def test_a_callable_has_a_name_whatever_it_is():
    class Check:
        def __call__(self, output, context):
            return True

    assert callable_name(is_done).endswith(".is_done")
    assert callable_name(Check()).endswith("Check")
    assert callable_name(len) == "builtins.len"
