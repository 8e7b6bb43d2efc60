"""A program of the machine becomes a worker: input on stdin, output from stdout. No shell ever sees the arguments."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Awaitable, Callable, Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, NoReturn, cast, get_args

from orchestration_kit.errors import AttemptError, InvalidWorker, StepTimeout, listed

if TYPE_CHECKING:
    from orchestration_kit.engine.context import WorkflowContext

Output = Literal["text", "json", "lines"]
INPUT = "{input}"
"""The argument in whose place the input is put."""
INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR", "TEMP", "TMP", "SYSTEMROOT", "VIRTUAL_ENV")
"""What a program gets to see of the environment; no key is among it."""
KEY_VARIABLE = "ORCHESTRATION_KIT_IDEMPOTENCY_KEY"
MAX_ARGUMENT = 100_000
"""Bytes of an input that is given as an argument: Linux takes 131,072."""
MAX_TAIL = 2_000
"""Characters of stderr that an error shows."""
MIN_SECRET = 6
"""Characters of a value of `env` that is taken out of what is shown: "1" would be found everywhere."""


class ProgramFailed(AttemptError):
    """A program ended with an exit code that is not 0, or was ended by a signal."""

    def __init__(self, program: str, code: int, stderr: str) -> None:
        super().__init__(program, code, stderr)
        self.program, self.code, self.stderr = program, code, stderr

    def __str__(self) -> str:
        how = f"exit code {self.code}" if self.code >= 0 else f"the signal {_signal_name(-self.code)}"
        said = f" The end of its stderr:\n{self.stderr}" if self.stderr else " It wrote nothing to stderr."
        return f"The program {self.program!r} ended with {how}.{said}"


class ProgramOutputInvalid(AttemptError):
    """A program printed too much, or something else than was asked for."""

    def __init__(self, program: str, reason: str, hint: str) -> None:
        super().__init__(program, reason, hint)
        self.program, self.reason, self.hint = program, reason, hint

    def __str__(self) -> str:
        return f"The program {self.program!r} {self.reason}. {self.hint}"


class ProgramNotStarted(AttemptError):
    """A program could not be started as it is wanted: it would not help to try again."""

    is_final = True

    def __init__(self, program: str, reason: str, hint: str) -> None:
        super().__init__(program, reason, hint)
        self.program, self.reason, self.hint = program, reason, hint

    def __str__(self) -> str:
        return f"The program {self.program!r} could not be started: {self.reason}. {self.hint}"


class _Program(NamedTuple):
    """What makes a program the worker that it is. A tuple of plain values, so that its fingerprint changes with it."""

    argv: tuple[str, ...]
    output: Output
    timeout_s: float | None
    max_output_bytes: int
    cwd: str | None
    inherit: tuple[str, ...]
    envelope: bool

    @property
    def title(self) -> str:
        return Path(self.argv[0]).name


def program(  # noqa: PLR0913 - what a program is given, by name
    argv: Sequence[str | PathLike[str]],
    *,
    output: Output = "text",
    timeout_s: float | None = 600.0,
    env: Mapping[str, str] | None = None,
    inherit: Sequence[str] = (),
    cwd: str | PathLike[str] | None = None,
    max_output_bytes: int = 10_000_000,
    envelope: bool = False,
) -> Callable[[Any, WorkflowContext], Awaitable[Any]]:
    """Return a program as an async worker: `WorkerDefinition(executor=program([...]), ...)`.

    Text and bytes are put on its stdin as they are, all else as JSON. It runs in a process group of its own, which is
    ended with it, whatever ends the call: its time, a cancel, an interrupt. It sees `ORCHESTRATION_KIT_IDEMPOTENCY_KEY`
    and a few harmless variables of the environment (`INHERITED`), nothing else.

    >>> import asyncio, sys
    >>> from orchestration_kit import WorkflowContext
    >>> shout = program([sys.executable, "-c", "print(input().upper())"])
    >>> asyncio.run(shout("ahoy", WorkflowContext("try", "Shout")))
    'AHOY'

    Args:
        argv: The program and its arguments, each a text of its own. An argument `"{input}"` is replaced by the input,
            as one argument, in place of stdin; one that begins with "-" is refused there, unless a "--" stands before.
        output: "text" (UTF-8, without the last line break), "json" or "lines" (a list of texts).
        timeout_s: Seconds that it may take; None: any. The `timeout_s` of the step counts as well.
        env: More variables. Their values are not shown in errors.
        inherit: Names of more variables that it may see as they are here.
        cwd: The folder it runs in.
        max_output_bytes: What it may print; over that it is stopped. Of stderr the end is kept.
        envelope: Give it one JSON object on stdin: `input`, `goal`, `run_id`, `path`, `attempt`, `idempotency_key`, and
            `last_error` (`type` and `message`, or null), so that a retry can do better.

    Raises:
        InvalidWorker: the arguments are no list of texts, or an option is none.
    """
    arguments = _checked(argv)
    if output not in get_args(Output):
        _refuse(arguments[0], f"output={output!r:.80} is unknown", f"It is one of {listed(get_args(Output))}.")
    if timeout_s is not None and not timeout_s > 0:
        _refuse(arguments[0], f"timeout_s={timeout_s!r:.80} is no time", "Give seconds, or None.")
    if isinstance(inherit, str):
        _refuse(arguments[0], f"inherit={inherit!r:.80} is a text", f"Give a list of names: inherit=[{inherit!r:.80}].")
    own = dict(env or {})
    if not all(isinstance(part, str) and "\0" not in part for pair in own.items() for part in pair):
        _refuse(arguments[0], "env holds what is no text", 'Give a dict of texts: env={"MODE": "fast"}.')
    folder = None if cwd is None else os.fspath(cwd)
    parts = _Program(arguments, output, timeout_s, max_output_bytes, folder, tuple(inherit), envelope)

    async def run(input_data: Any, context: WorkflowContext) -> Any:
        return await _run(parts, own, input_data, context)

    run.__name__ = run.__qualname__ = parts.title
    return run


async def _run(parts: _Program, own: Mapping[str, str], given: Any, context: WorkflowContext) -> Any:
    import asyncio

    from orchestration_kit.workers.processes import run_process

    argv, stdin = _placed(parts, given, context)
    seen = {name: os.environ[name] for name in (*INHERITED, *parts.inherit) if name in os.environ}
    env = {**seen, KEY_VARIABLE: context.idempotency_key, **own}
    limit = asyncio.timeout(parts.timeout_s)
    try:
        async with limit:
            ended = await run_process(argv, stdin, env=env, cwd=parts.cwd, max_stdout=parts.max_output_bytes)
    except TimeoutError:
        if not limit.expired() or parts.timeout_s is None:
            raise
        raise StepTimeout(context.current_step, parts.timeout_s, f"timeout_s of the program {parts.title!r}") from None
    except (OSError, ValueError) as error:
        raise _not_started(parts, error) from error
    if ended.code is None:
        raise ProgramOutputInvalid(
            parts.title,
            f"printed more than {parts.max_output_bytes:,} bytes and was stopped",
            "Have it print less, or write to a file and print its name; or set max_output_bytes higher.",
        )
    if ended.code != 0:
        raise ProgramFailed(parts.title, ended.code, _tail(ended.stderr, own, parts.inherit))
    return _read(parts, ended.stdout)


def _placed(parts: _Program, given: Any, context: WorkflowContext) -> tuple[list[str], bytes]:
    """Return the arguments, and what goes on stdin."""
    if INPUT not in parts.argv:
        return list(parts.argv), _as_bytes(parts, _enveloped(given, context) if parts.envelope else given)
    data = _as_bytes(parts, given)
    try:
        text = data.decode()
    except UnicodeDecodeError:
        raise ProgramNotStarted(parts.title, "its input is bytes and no text", "Give it on stdin.") from None
    if len(data) > MAX_ARGUMENT or "\0" in text:
        reason = f"its input, of {len(data):,} bytes, cannot be an argument"
        raise ProgramNotStarted(parts.title, reason, f"Leave {INPUT!r} out: then it is on stdin.")
    if text.startswith("-") and "--" not in parts.argv[: parts.argv.index(INPUT)]:
        raise ProgramNotStarted(
            parts.title,
            f"its input {text!r:.80} would be read as an option",
            f'Put "--" before {INPUT!r} where the program knows that, or leave {INPUT!r} out: then it is on stdin.',
        )
    rest = _as_bytes(parts, _enveloped(given, context)) if parts.envelope else b""
    return [text if one == INPUT else one for one in parts.argv], rest


def _enveloped(given: Any, context: WorkflowContext) -> dict[str, Any]:
    error = context.last_error
    return {
        "input": given,
        "goal": context.goal,
        "run_id": context.workflow_id,
        "path": context.path,
        "attempt": context.attempt,
        "idempotency_key": context.idempotency_key,
        "last_error": None if error is None else {"type": error.type, "message": error.message},
    }


def _as_bytes(parts: _Program, given: Any) -> bytes:
    if given is None:
        return b""
    if isinstance(given, bytes):
        return given
    try:
        return given.encode() if isinstance(given, str) else _as_json(given)
    except (ValueError, TypeError) as error:  # pydantic's serialization error is a ValueError
        reason = f"its input ({type(given).__name__}) cannot be written down ({error!s:.200})"
        raise ProgramNotStarted(parts.title, reason, "Give text, bytes or plain data.") from error


def _as_json(given: Any) -> bytes:
    from pydantic_core import to_json

    def plain(value: Any) -> Any:
        if hasattr(value, "columns") and hasattr(value, "to_dict"):  # a DataFrame
            return value.to_dict("records")
        if hasattr(value, "tolist"):  # an array, a Series, a number of numpy
            return value.tolist()
        raise TypeError(f"{type(value).__name__} is no plain data")

    return to_json(given, fallback=plain, inf_nan_mode="null")


def _read(parts: _Program, stdout: bytes) -> Any:
    try:
        text = stdout.decode()
    except UnicodeDecodeError as error:
        reason = f"printed bytes that are no text in UTF-8, at {error.start:,}"
        raise ProgramOutputInvalid(parts.title, reason, "Have it print text, or write to a file.") from None
    if parts.output == "text":
        return text.removesuffix("\n").removesuffix("\r")
    if parts.output == "lines":
        lines = text.removesuffix("\n").split("\n") if text else []  # splitlines() also splits at a form feed, say
        return [line.removesuffix("\r") for line in lines]

    def refuse(constant: str) -> NoReturn:
        raise ValueError(f"it holds {constant}")

    try:
        return json.loads(text, parse_constant=refuse)
    except (ValueError, RecursionError) as error:
        reason = f"printed what is no JSON ({error!s:.200})"
        raise ProgramOutputInvalid(parts.title, reason, "Messages belong on stderr.") from None


def _tail(stderr: bytes, own: Mapping[str, str], inherit: Sequence[str]) -> str:
    """Return the end of stderr without secrets: they are looked for before it is cut, or half a key would show."""
    from orchestration_kit.secrets.scrubber import Scrubber

    text = stderr.decode(errors="replace")
    values = {*own.values(), *(os.environ.get(name, "") for name in inherit)}
    for value in sorted(values, key=len, reverse=True):
        if len(value) >= MIN_SECRET:
            text = text.replace(value, "[REDACTED]")
    text = Scrubber().text(text).strip()
    return text if len(text) <= MAX_TAIL else f"...{text[-MAX_TAIL:]}"


def _not_started(parts: _Program, error: Exception) -> ProgramNotStarted:
    if parts.cwd is not None and not Path(parts.cwd).is_dir():
        return ProgramNotStarted(parts.title, f"cwd={parts.cwd!r} is no folder", "Make it, or give another one.")
    if isinstance(error, FileNotFoundError):
        first = parts.argv[0]
        hint = "Is it installed, and on the PATH?"
        if " " in first:
            hint = f"Give program and arguments as one text each: {first.split()!r:.200}."
        return ProgramNotStarted(parts.title, "there is no such program", hint)
    if isinstance(error, PermissionError):
        return ProgramNotStarted(parts.title, "the file is not executable", "Run it with its interpreter, or chmod +x.")
    return ProgramNotStarted(parts.title, f"{error!s:.200}", "See that its arguments are what the system takes.")


def _checked(given: Any) -> tuple[str, ...]:
    if isinstance(given, str) or not isinstance(given, Sequence):
        _refuse(f"{given!s:.80}", "it is no list of arguments", 'Write for example ["sort", "--reverse"].')
    argv = cast("Sequence[Any]", given)
    found: list[str] = []
    for one in argv:
        part: Any = os.fspath(cast("PathLike[str]", one)) if isinstance(one, PathLike) else one
        if not isinstance(part, str) or "\0" in part:
            _refuse(str(argv[0]), f"its argument {one!r:.80} is no text", "Give each as text: str(...).")
        if INPUT in part and part != INPUT:
            hint = f'Give {INPUT!r} as an argument of its own, e.g. ["grep", "--", {INPUT!r}], or read stdin.'
            _refuse(str(argv[0]), f"its argument {part!r:.80} has {INPUT!r} within", hint)
        found.append(part)
    if not found or not found[0].strip() or found[0] == INPUT:
        _refuse("program", "no program is named", 'The first of the list is the program: ["sort", "--reverse"].')
    return tuple(found)


def _refuse(name: str, reason: str, hint: str) -> NoReturn:
    raise InvalidWorker(name, reason, hint)


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return str(number)
