"""A person becomes a worker who is asked right here: in the cell that runs, or in the terminal.

The run holds still meanwhile, in this process. Where the answer may come hours later, or from elsewhere, the step is
an `ApprovalStep`: that waits in the journal.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Never, cast

from orchestration_kit.engine.calls import kept_at_hub
from orchestration_kit.errors import AttemptError, InvalidWorker

if TYPE_CHECKING:
    from orchestration_kit.engine.context import WorkflowContext

Ask = Callable[[str], str]
MAX_SHOWN = 4_000
"""Characters of the input that are shown."""

_turn = threading.Lock()
"""Branches may ask at the same time; a person answers one after the other."""


class NobodyToAsk(AttemptError):
    """There is no keyboard to read an answer from."""

    is_final = True

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason

    def __str__(self) -> str:
        return (
            f"A person is to be asked, and nobody can answer here ({self.reason}). Run it in a notebook or a terminal; "
            "or put an ApprovalStep in this place, which waits in the journal until somebody answers from anywhere: "
            "ApprovalStep(step_id='...', prompt='...', schema=...)."
        )


class NoUsableAnswer(AttemptError):
    """A person was asked several times, and no answer fits."""

    def __init__(self, tries: int, reason: str) -> None:
        super().__init__(tries, reason)
        self.tries, self.reason = tries, reason

    def __str__(self) -> str:
        return f"{self.tries} answers were given, and none fits; the last: {self.reason}"


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who is asked: `worker_from(Person("Is this headline good?", schema=bool))`.

    >>> Person("How many?", schema=int)
    Person(prompt='How many?', schema=<class 'int'>)
    """

    prompt: str
    """The question."""
    schema: Any = str
    """What an answer has to be: a type that pydantic can validate, or a JSON Schema. For anything but text, numbers
    and yes or no, the answer is typed as JSON."""


def person(who: Person, *, ask: Ask | None = None, tries: int = 5) -> Callable[[Any, WorkflowContext], Any]:
    """Return a person as a worker. They see the question, the input and, on a retry, what was wrong.

    >>> from orchestration_kit import WorkflowContext
    >>> answers = iter(["many", "3"])
    >>> worker = person(Person("How many?", schema=int), ask=lambda shown: next(answers))
    >>> worker({"shelf": "B"}, WorkflowContext("try", "Count"))
    3

    Args:
        who: What is asked, and what an answer has to be.
        ask: Shows a text and returns what was typed; `input` by default.
        tries: How often they are asked until an answer fits.

    Raises:
        InvalidWorker: there is no question, or the schema is none.
    """
    if not isinstance(who.prompt, str) or not who.prompt.strip():
        raise InvalidWorker("person", "there is no question", 'Write for example Person("Is it good?", schema=bool).')
    check = _checker(who.schema)
    told = (who.prompt, repr(who.schema))  # held by the worker, so that its fingerprint changes with the question

    def answer(input_data: Any, context: WorkflowContext) -> Any:
        _ = told
        shown = _question(who.prompt, input_data, context)
        reason = ""
        for _at in range(tries):
            text = _asked(ask or input, f"{shown}{_again(reason)}\n> ")
            try:
                return check(text)
            except ValueError as error:
                reason = str(error)
        raise NoUsableAnswer(tries, reason)

    return kept_at_hub(answer)  # they sit where the hub is


def _asked(ask: Ask, shown: str) -> str:
    with _turn:
        try:
            return ask(shown)
        except EOFError:
            raise NobodyToAsk("its input is at an end") from None
        except (OSError, NotImplementedError, RuntimeError) as error:
            # pytest, a kernel whose frontend takes no input, and a process without stdin, in this order.
            raise NobodyToAsk(f"{type(error).__name__}: {error!s:.200}") from error


def _question(prompt: str, given: Any, context: WorkflowContext) -> str:
    """Return what is shown: the input as data, every character that could steer a terminal as an escape."""
    lines = [f"{context.current_step}: {prompt}" if context.current_step else prompt]
    if given is not None:
        lines += ["", *(f"  | {line}" for line in _readable(given).splitlines()), ""]
    if context.last_error is not None:
        lines.append(f"Last time: {context.last_error.message}")
    return _escaped("\n".join(lines))


def _again(reason: str) -> str:
    return f"\nThat does not fit: {_escaped(reason)}" if reason else ""


def _readable(given: Any) -> str:
    if isinstance(given, str):
        text = given
    elif hasattr(given, "to_string"):  # a table
        text = given.head(50).to_string() if hasattr(given, "head") else given.to_string()
    else:
        from pydantic_core import to_json

        try:
            text = to_json(given, indent=2, fallback=lambda value: f"{value!r:.400}").decode()
        except ValueError:  # it contains itself, or bytes or halves of characters that are no Unicode
            text = repr(given)
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}\n({len(text):,} characters; the rest is not shown)"


def _escaped(text: str) -> str:
    r"""Return text in which only line breaks and what prints is as it was.

    >>> _escaped("a\x1b[2Jb\u202ec")
    'a\\x1b[2Jb\\u202ec'
    """
    if text.isprintable():
        return text
    return "".join(one if one == "\n" or one.isprintable() else one.encode("unicode_escape").decode() for one in text)


def _checker(schema: Any) -> Callable[[str], Any]:
    """Return what turns a typed text into a value, or raises a ValueError that says what is wrong."""
    return _by_json_schema(cast("Any", schema)) if isinstance(schema, dict) else _by_type(schema)


def _by_type(schema: Any) -> Callable[[str], Any]:
    from pydantic import TypeAdapter, ValidationError

    try:
        adapter: TypeAdapter[Any] = TypeAdapter(schema)
    except Exception as error:
        hint = "Give a type such as bool, int, Literal['yes', 'no'] or a pydantic model; or a JSON Schema."
        raise InvalidWorker("person", f"{schema!r:.80} is no type that pydantic can validate", hint) from error

    def check(text: str) -> Any:
        try:
            return adapter.validate_python(text if schema is str else text.strip())
        except ValidationError as error:
            as_text = error
        try:
            return adapter.validate_json(text)
        except ValidationError as error:
            # What was wrong with it as JSON helps where it is JSON.
            wrong = as_text if error.errors()[0]["type"] == "json_invalid" else error
            found = wrong.errors(include_url=False, include_context=False, include_input=False)[:5]
            said = [f"{'.'.join(map(str, one['loc']))}{': ' if one['loc'] else ''}{one['msg']}" for one in found]
            raise ValueError("; ".join(said)) from None

    return check


def _by_json_schema(schema: dict[str, Any]) -> Callable[[str], Any]:
    from jsonschema import Draft202012Validator

    from orchestration_kit.definition.schemas import as_json_schema, too_large

    try:
        validator: Any = Draft202012Validator(as_json_schema(schema))
    except ValueError as error:
        raise InvalidWorker("person", str(error), "Give a JSON Schema, or a type.") from error

    def refuse(constant: str) -> Never:
        raise ValueError(f"{constant} is no number")

    def check(text: str) -> Any:
        try:
            value = json.loads(text, parse_constant=refuse)
        except RecursionError:
            raise ValueError("it is nested too deeply") from None
        except ValueError:
            value = text.strip()
        if not isinstance(value, str) and not validator.is_valid(value) and validator.is_valid(text.strip()):
            value = text.strip()  # the text "12", where a text is wanted
        if (reason := too_large(value)) is not None:
            raise ValueError(reason)
        error = next(iter(validator.iter_errors(value)), None)
        if error is not None:
            raise ValueError(str(error.message)[:500])
        return value

    return check
