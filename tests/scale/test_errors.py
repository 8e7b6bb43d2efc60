"""What the errors of sets say, also after they were pickled; and what the package exports."""

from __future__ import annotations

import pickle

import pytest

import orchestration_kit.scale as scale
from orchestration_kit.errors import OrchestrationError
from orchestration_kit.scale import GoalsError, NotMadeElsewhere, RunSetBusy, RunSetChanged, WorkflowTaken

EXAMPLES = [
    (GoalsError("there are none", "Give some."), ["These goals cannot be run: there are none. Give some."]),
    (
        RunSetChanged("tuesday", {"tuesday/1/1": "its goal was 'a', now it is 'b'"}, 3),
        [
            "The set 'tuesday' is on record, and 3 runs of it",
            "  tuesday/1/1: its goal was 'a'",
            "and 2 more",
            "another name",
        ],
    ),
    (WorkflowTaken("flow"), ["under the name 'flow'", "run_many('flow', ...)", "hub.register_workflow(workflow)"]),
    (NotMadeElsewhere("a cassette", "Close it."), ["it has a cassette, and that is here. Close it."]),
    (RunSetBusy("tuesday"), ["'tuesday' are being made", ".wait()", ".cancel()", "hub.last_many"]),
]


@pytest.mark.parametrize(("error", "parts"), EXAMPLES, ids=[type(error).__name__ for error, _ in EXAMPLES])
def test_errors_say_what_happened_and_what_to_do(error, parts):
    assert isinstance(error, OrchestrationError)
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), vars(again)) == (str(error), vars(error))
    for part in parts:
        assert part in str(error)


def test_every_public_name_is_there():
    for name in scale.__all__:
        assert getattr(scale, name).__name__ == name
    with pytest.raises(AttributeError, match="no attribute 'run_few'"):
        scale.run_few
