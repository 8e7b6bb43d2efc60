"""The rule for `shell_command`: nothing, until programs are named with the arguments that they may get.

A command is a list of arguments; no shell ever reads it. A text is taken apart at its blanks, and only where it holds
nothing that any shell would read as more than a word (OWASP: OS Command Injection Defense; CWE-78). A free argument
never begins with a hyphen, so that it cannot become an option (CWE-88).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, cast

from orchestration_kit.definition.schemas import check_pattern
from orchestration_kit.errors import did_you_mean, listed
from orchestration_kit.governance.rules.base import Findings, Past, Plan, Rule
from orchestration_kit.governance.rules.plain import shown

MAX_ARGUMENTS = 100
MAX_ARGUMENT = 4_000
_TEXT = re.compile(r"[A-Za-z0-9 ._/:=@,+-]+", re.ASCII)
_SLOTS = ("pattern", "int", "choice")
_WHOLE = re.compile(r"0|-?[1-9]\d{0,17}", re.ASCII)

Slot = Any
"""A text, which is itself; `{"pattern": regular expression}`; `{"int": [least, most]}`; `{"choice": [texts]}`."""


@dataclass(frozen=True)
class CommandRule(Rule):
    """Lets programs run whose arguments are as one of their schemas says.

    `action_data` is `command`: a list of arguments, or a text without quotes. The approved plan has the list.

    >>> rule = CommandRule({"git": [["status"], ["log", "--oneline", {"pattern": "[a-z/]+"}]]})
    >>> def ask(command):
    ...     return rule.check({"action_type": "shell_command", "action_data": {"command": command}}, Past())
    >>> ask("git log --oneline main"), len(ask("git push"))
    ((), 1)

    Args:
        commands: By program, as it is written in the command, the lists of arguments that it may get.
    """

    kind: ClassVar[str] = "command"
    grants: ClassVar[bool] = True

    commands: Mapping[str, Sequence[Sequence[Slot]]] = field(default_factory=dict[str, Any])
    action_types: tuple[str, ...] | None = field(default=("shell_command",), kw_only=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        given: Any = self.commands
        if not isinstance(given, Mapping):
            raise self.invalid(f"commands is {shown(given)}", 'Write {"git": [["status"]]}.')
        kept: dict[str, list[list[Slot]]] = {}
        for program, schemas in cast("Mapping[Any, Any]", given).items():
            if type(program) is not str or not program or program.startswith("-"):
                raise self.invalid(f"the program {shown(program)} is no name", 'Write {"git": [["status"]]}.')
            if not isinstance(schemas, (list, tuple)):
                raise self.invalid(f"{program} has {shown(schemas)}", "Give a list of lists of arguments.")
            kept[program] = [self._schema(program, one) for one in cast("list[Any]", schemas)]
        self.keep("commands", kept)

    def __hash__(self) -> int:
        return hash((self.name, self.kind))

    def _schema(self, program: str, schema: Any) -> list[Slot]:
        if not isinstance(schema, (list, tuple)):
            raise self.invalid(f"{program} has {shown(schema)} for arguments", "Give a list, such as ['status'].")
        return [self._slot(program, slot) for slot in cast("list[Any]", schema)]

    def _slot(self, program: str, slot: Any) -> Slot:
        if type(slot) is str and slot:
            return slot
        if type(slot) is dict and len(cast("dict[Any, Any]", slot)) == 1:
            key, value = next(iter(cast("dict[Any, Any]", slot).items()))
            if key == "pattern" and type(value) is str:
                try:
                    check_pattern(value)
                except ValueError as error:
                    raise self.invalid(str(error), "Write a plain one: [a-z]+.") from None
                return {key: value}
            if key == "int" and _is_range(value):
                return {key: list(value)}
            if key == "choice" and isinstance(value, (list, tuple)):
                texts = list(cast("list[Any]", value))
                if texts and all(type(one) is str for one in texts):
                    return {key: texts}
        hint = (
            f"A text, or one of {listed(_SLOTS)}: {{'pattern': '[a-z]+'}}, {{'int': [1, 9]}}, {{'choice': ['a', 'b']}}."
        )
        raise self.invalid(f"{program} has the argument {shown(slot)}", hint)

    def check(self, plan: Plan, past: Past) -> Findings:
        """Return what is wrong with a command; the first thing is enough."""
        del past
        data = plan["action_data"]
        if found := self.missing_or_extra(data, ("command",), ("command",)):
            return found
        arguments = _arguments(data["command"])
        if arguments is None:
            reason = f"the command {shown(data['command'])} is no plain list of arguments"
            hint = "Give a list of texts; a text may hold letters, digits, blanks and ._/:=@,+- only."
            return (self.violation(reason, hint),)
        program, *rest = arguments
        if program not in self.commands:
            hint = "Allowed: " + listed(self.commands) + "." + did_you_mean(program[:50], self.commands)
            if not self.commands:
                hint = 'No command is allowed yet: create_default_engine(commands={"git": [["status"]]}).'
            return (self.violation(f"the program {shown(program)} may not be run", hint),)
        if any(_fits(schema, rest) for schema in self.commands[program]):
            return ()
        hint = f"Allowed: {listed(_written(program, schema) for schema in self.commands[program])}."
        return (self.violation(f"{shown(program)} may not be run with {shown(rest)}", hint),)

    def settled(self, data: dict[str, Any]) -> dict[str, Any]:
        """Return the data with the command as a list."""
        return data if type(data["command"]) is list else {**data, "command": _arguments(data["command"])}


def _is_range(value: Any) -> bool:
    if not isinstance(value, (list, tuple)):
        return False
    several = cast("list[Any]", value)
    return len(several) == 2 and all(type(one) is int for one in several) and several[0] <= several[1]


def _arguments(command: Any) -> list[str] | None:
    """Return a command as a list; None where it is none, or could be read as more than words."""
    if type(command) is str:
        found: Any = command.split(" ") if _TEXT.fullmatch(command) else None
        return [part for part in found if part] or None if found is not None else None
    if type(command) is not list or not 0 < len(cast("list[Any]", command)) <= MAX_ARGUMENTS:
        return None
    for one in cast("list[Any]", command):
        if type(one) is not str or len(one) > MAX_ARGUMENT or any(ord(c) < 32 or ord(c) == 127 for c in one):
            return None
    return cast("list[str]", command) if command[0] else None


def _fits(schema: Sequence[Slot], arguments: Sequence[str]) -> bool:
    if len(schema) != len(arguments):
        return False
    return all(_matches(slot, argument) for slot, argument in zip(schema, arguments, strict=True))


def _matches(slot: Slot, argument: str) -> bool:
    if type(slot) is str:
        return slot == argument
    key, value = next(iter(slot.items()))
    if key == "choice":
        return argument in value
    if key == "int":
        return _WHOLE.fullmatch(argument) is not None and value[0] <= int(argument) <= value[1]
    is_option = argument.startswith("-")
    return not is_option and len(argument) <= MAX_ARGUMENT and re.fullmatch(value, argument) is not None


def _written(program: str, schema: Sequence[Slot]) -> str:
    return " ".join([program, *(slot if type(slot) is str else f"<{next(iter(slot))}>" for slot in schema)])
