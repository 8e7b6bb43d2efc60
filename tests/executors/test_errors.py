"""What goes wrong where calls are made says what happened and what to do, and survives pickling."""

from __future__ import annotations

import copy
import pickle

import pytest

from orchestration_kit.errors import AttemptError, OrchestrationError
from orchestration_kit.executors import errors

EXAMPLES = {
    "ExecutorClosed": (errors.ExecutorClosed("ThreadsExecutor"), ["The ThreadsExecutor was closed", "Make another"]),
    "ResourcesMissing": (
        errors.ResourcesMissing({"GPU": 2}, {"a": {"GPU": 1}, "b": {}}, "Start one.", 5.0),
        ["No machine offers GPU=2 within 5 s. There are: a: GPU=1, b: no resources. Start one."],
    ),
    "WorkerLost": (errors.WorkerLost("r|a#1|1|0", "it died", times=4), ["r|a#1|1|0 was lost 4 times: it died", "memory"]),
    "ClusterLost": (errors.ClusterLost("tcp://h:1", "closed"), ["tcp://h:1 is lost: closed", "resume the run"]),
    "NotSendable": (errors.NotSendable("The code", "it holds a lock", "Make it within."), ["The code cannot be sent", "it holds a lock. Make it within."]),
    "NotAtTheHub": (errors.NotAtTheHub("context.act(...)", "Return it."), ["context.act(...) is at the hub", "Return it."]),
    "MissingExecutorExtra": (errors.MissingExecutorExtra("DaskExecutor", "distributed", "dask"), ["pip install 'orchestration-kit[dask]'"]),
}  # fmt: skip


def test_every_error_has_an_example_here():
    found = {
        name
        for name, thing in vars(errors).items()
        if isinstance(thing, type) and issubclass(thing, OrchestrationError)
    }
    assert set(EXAMPLES) == found - {"AttemptError", "OrchestrationError"}


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_error_says_what_happened_and_what_to_do(name):
    error, parts = EXAMPLES[name]
    for part in parts:
        assert part in str(error)


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_error_survives_pickling_with_its_values(name):
    error, _ = EXAMPLES[name]
    for again in (pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error)):
        assert (type(again), str(again), vars(again)) == (type(error), str(error), vars(error))
        assert vars(error), "it keeps its values as attributes"


def test_a_call_that_must_not_repeat_is_lost_for_good_and_says_so():
    error = errors.WorkerLost("r|a#1|1|0", "it died", may_repeat=False)
    assert error.is_final
    assert not errors.WorkerLost("r|a#1|1|0", "it died").is_final
    assert "not idempotent" in str(error)
    assert pickle.loads(pickle.dumps(error)).is_final


def test_no_machine_at_all_is_told():
    assert "No machine is there within 5 s. There is no machine at all." in str(
        errors.ResourcesMissing({}, {}, "", 5.0)
    )


def test_what_an_attempt_can_fail_with_is_an_attempt_error():
    assert all(
        isinstance(EXAMPLES[name][0], AttemptError)
        for name in ("WorkerLost", "ResourcesMissing", "NotSendable", "NotAtTheHub", "ClusterLost")
    )
