"""What pydantic-ai raises becomes an error that says what happened and what to do. No key gets into it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from pydantic import ValidationError
from pydantic_ai import exceptions as raised

from orchestration_kit.errors import AttemptError, counted
from orchestration_kit.secrets.scrubber import Scrubber
from orchestration_kit.workers.llm.client import AnswerTooLong
from orchestration_kit.workers.llm.errors import (
    AnswerUnusable,
    ModelFailed,
    ModelRefused,
    ModelUnavailable,
    ToolBroken,
)

MAX_BODY = 300
"""Characters that are shown of what a server answered."""

_TRY_LATER = "Try again later, or give the step retries: max_retries=2, retry=RetryPolicy(backoff_s=10)."
_ADDRESS = "See that the server runs, and that the address is right."
_MORE_TIME = "Allow it more time (timeout_s=...), or ask it for less."
_PROTOCOL = "Does the address speak OpenAI's protocol? It mostly ends in /v1."


def told(
    error: BaseException, model: str, *, failures: dict[str, list[str]], hide: Callable[[str], str]
) -> Exception | None:
    """Return the error to raise in the place of another one; None where that one should be raised as it is.

    Args:
        error: What came out of the agent's run.
        model: What to call the model.
        failures: By tool, what it raised.
        hide: Takes keys out of a text.
    """
    own = next((cause for cause in _chain(error) if isinstance(cause, AttemptError)), None)
    if own is not None:
        return own
    scrub = Scrubber()

    def text(value: object) -> str:
        return _short(scrub.text(hide(str(value)))).rstrip(".?")  # it stands within a sentence

    if isinstance(error, raised.UnexpectedModelBehavior):
        return _of_behaviour(error, model, failures, text)
    if isinstance(error, raised.ModelAPIError):
        return _of_request(error, model, text)
    if isinstance(error, TimeoutError):
        return ModelUnavailable(model, f"did not answer in time ({text(error)})", _MORE_TIME)
    if isinstance(error, raised.UsageLimitExceeded):
        said = text(str(error).split(". Consider", maxsplit=1)[0])
        return AnswerUnusable(model, f"was stopped: {said}", "Raise limits=UsageLimits(...) where that is meant.")
    if isinstance(error, ImportError):
        hint = "Install what is missing, restart Python, and run the step again."
        return ModelRefused(model, f"cannot be asked: {text(error)}", hint)
    if isinstance(error, raised.UserError):
        return ModelRefused(model, f"cannot be asked: {text(error)}", "Set what is missing, then run the step again.")
    if _is_from_a_library(error):  # it stumbled over an answer that is no answer
        said = f"{type(error).__name__}: {error}"
        return AnswerUnusable(model, f"sent an answer that cannot be read ({text(said)})", _PROTOCOL)
    return None


def _of_request(error: raised.ModelAPIError, model: str, text: Callable[[object], str]) -> ModelFailed:
    if isinstance(error, raised.ModelHTTPError):
        return _of_status(error, model, text)
    too_long = next((cause for cause in _chain(error) if isinstance(cause, AnswerTooLong)), None)
    if too_long is not None:
        hint = "See what the server sends; where it is meant, allow more: patience=Patience(max_bytes=...)."
        return AnswerUnusable(model, f"sent an answer that was not read: {text(too_long)}", hint)
    if isinstance(error, (raised.ModelTimeoutError, raised.ModelRequestTimeout)):
        return ModelUnavailable(model, f"did not answer in time ({text(_deepest(error))})", _MORE_TIME)
    if isinstance(error, raised.ModelConnectionError):
        return ModelUnavailable(model, f"could not be reached, or broke off ({text(_deepest(error))})", _ADDRESS)
    return AnswerUnusable(model, f"sent an answer that cannot be read ({text(error)})", _PROTOCOL)


def _of_status(error: raised.ModelHTTPError, model: str, text: Callable[[object], str]) -> ModelFailed:
    status = error.status_code
    if status in (401, 403):
        reason = f"did not accept the key (HTTP {status})"
        hint = "Set a key that is valid for this server (an address: api_key='A_VARIABLE'). It is not shown here."
        return ModelRefused(model, reason, hint)
    if status == 429:
        reason = f"is over its rate limit (HTTP 429), also after waiting{_asked_to_wait(error)}"
        return ModelUnavailable(model, reason, _TRY_LATER)
    if status >= 500 or status == 408:
        reason = f"is out of order (HTTP {status}{_said(error, text)})"
        return ModelUnavailable(model, reason, _TRY_LATER)
    hint = "See that the name of the model and the address are right; an address mostly ends in /v1."
    return ModelRefused(
        model,
        f"refused the request (HTTP {status}{_said(error, text)})",
        hint if status == 404 else "Change the request.",
    )


def _said(error: raised.ModelHTTPError, text: Callable[[object], str]) -> str:
    """Return what the server said, to stand behind the number; of OpenAI's shape, the message alone."""
    body: Any = error.body
    said = body.get("message", body) if isinstance(body, dict) else body  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType]
    return f": {text(said)}" if said else ""  # pyright: ignore[reportUnknownArgumentType]


def _of_behaviour(
    error: raised.UnexpectedModelBehavior, model: str, failures: dict[str, list[str]], text: Callable[[object], str]
) -> ModelFailed:
    said = str(error.message).split(". Consider", maxsplit=1)[0]
    for tool, raised_by in failures.items():
        if said.startswith(f"Tool {tool!r} "):
            reason = f"called the tool {tool!r}, which failed {counted(len(raised_by), 'time')}: {text(raised_by[-1])}"
            return ToolBroken(model, reason, "Repair the tool, or allow more tries: Agent(..., retries=3).")
    if isinstance(error, raised.IncompleteToolCall):
        reason = f"stopped in the middle of its answer ({text(said)})"
        return AnswerUnusable(model, reason, "Allow a longer answer: settings={'max_tokens': ...}.")
    why = text(next((_wrong_with(cause) for cause in _chain(error.__cause__) if _wrong_with(cause)), ""))
    if said.startswith("Exceeded maximum output retries"):
        reason = f"gave no output that fits, also when it was told so: {why or 'it was empty'}"
        return AnswerUnusable(model, reason, "The step's next attempt, if it has one, is told.")
    if said.startswith("Tool ") and why:
        reason = f"called a tool in a way that cannot be, also when it was told so: {why}"
        return AnswerUnusable(model, reason, "Describe the tool better, or allow more tries: Agent(..., retries=3).")
    if said.startswith("Invalid response"):
        return AnswerUnusable(model, f"sent an answer that cannot be read ({why or text(said)})", _PROTOCOL)
    return AnswerUnusable(model, f"did not do as it should: {text(said)}", "Change the prompt, the tools or the model.")


def _wrong_with(error: BaseException) -> str:
    """Return what was wrong with an output, or with a call of a tool."""
    if isinstance(error, ValidationError):
        found = error.errors(include_url=False, include_context=False, include_input=False)
        return "; ".join(f"{'.'.join(map(str, one['loc'])) or 'output'}: {one['msg']}" for one in found[:10])
    if isinstance(error, raised.ModelRetry):
        return error.message.rstrip(".")
    return ""


def _asked_to_wait(error: Any) -> str:
    seconds = getattr(error, "retry_after", None)
    return "" if seconds is None else f"; it asks for {seconds:g} s more"


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    seen = set[int]()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def _deepest(error: BaseException) -> BaseException:
    *_, last = (one for one in _chain(error) if one is error or (isinstance(one, Exception) and str(one)))
    return last


def _is_from_a_library(error: BaseException) -> bool:
    """Whether an error was raised by the code that reads answers, and not by somebody's function."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    module = "" if trace is None else str(trace.tb_frame.f_globals.get("__name__", ""))
    return module.split(".", maxsplit=1)[0] in ("pydantic_ai", "openai", "httpx2", "httpcore2")


def _short(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= MAX_BODY else f"{flat[:MAX_BODY]}..."
