"""What brings about the errors of models, programs, people and machines; those of elsewhere are made by hand."""

from __future__ import annotations

from typing import Any

from orchestration_kit import worker_from
from orchestration_kit.executors.errors import ClusterLost, NotAtTheHub, ResourcesMissing, WorkerLost
from orchestration_kit.executors.frames import pack_call
from orchestration_kit.workers.estimator import InputUnfit
from orchestration_kit.workers.llm.errors import AnswerUnusable, ModelRefused, ModelUnavailable, ToolBroken
from orchestration_kit.workers.llm.told import _TRY_LATER
from orchestration_kit.workers.person import NobodyToAsk, NoUsableAnswer
from tests.cli.bringing import at_one_step, brings

MODEL = "openai:gpt-5-mini"


@brings("ResourcesMissing")
def _resources():
    how = "Start workers that offer it: dask worker ADDRESS --resources GPU=1."
    return ResourcesMissing({"GPU": 1}, {"tcp://10.0.0.4:39271": {}, "tcp://10.0.0.5:40119": {"memory": 16}}, how, 30.0)


@brings("WorkerLost")
def _lost():
    reason = "its process was ended by the signal SIGKILL"
    return WorkerLost("tuesday/charge#1/1", reason, may_repeat=False)


@brings("ClusterLost")
def _cluster():
    return ClusterLost("tcp://10.0.0.2:8786", "its client was closed")


@brings("NotSendable")
def _send():
    return pack_call(print, (object(),))


@brings("NotAtTheHub")
def _hub():
    hint = "Return the action: the hub carries it out. Or keep the worker there: WorkerDefinition(..., at_hub=True)."
    return NotAtTheHub("context.act(...)", hint)


@brings("InputUnfit")
def _unfit():
    hint = "Did you mean 'Age'? It was fitted with: age, income; given: Age, income."
    return InputUnfit("LogisticRegression", "the column 'age' is missing", hint)


@brings("ModelFailed")
def _failed():
    return _busy()


@brings("ModelRefused")
def _refused():
    hint = "Set a key that is valid for this server (an address: api_key='A_VARIABLE'). It is not shown here."
    return ModelRefused(MODEL, "did not accept the key (HTTP 401)", hint)


@brings("ModelUnavailable")
def _busy():
    reason = "is over its rate limit (HTTP 429), also after waiting"
    return ModelUnavailable(MODEL, reason, _TRY_LATER)


@brings("AnswerUnusable")
def _unusable():
    reason = "gave no output that fits, also when it was told so: score: Input should be a valid number"
    return AnswerUnusable(MODEL, reason, "The step's next attempt, if it has one, is told.")


@brings("ToolBroken")
def _tool():
    reason = "called the tool 'search', which failed 2 times: ConnectionError: no route to host"
    return ToolBroken(MODEL, reason, "Repair the tool, or allow more tries: Agent(..., retries=3).")


@brings("NobodyToAsk")
def _nobody():
    return NobodyToAsk("stdin is no terminal")


@brings("NoUsableAnswer")
def _no_answer():
    return NoUsableAnswer(3, "Input should be a valid boolean")


def _program(*words: str, **options: Any) -> str:
    return at_one_step(None, worker_from(list(words), worker_type="writer", **options))


@brings("ProgramFailed")
def _program_failed():
    return _program("sort", "missing.txt")


@brings("ProgramOutputInvalid")
def _program_output():
    return _program("echo", "hello", output="json")


@brings("ProgramNotStarted")
def _not_started():
    return _program("pandocc", "--to", "html")
