"""Rules as text: YAML to a list of rules and back. Nothing in a file is executed, and a wrong one changes nothing.

```yaml
version: 1
on_violation: retry
rules:
  - kind: sql
    tables: [orders, customers]
  - kind: cost
    max_cost: 0.5
```
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any, NamedTuple, cast

from orchestration_kit.definition.files import dump_yaml, parse_yaml
from orchestration_kit.errors import WorkflowFileError, did_you_mean, listed
from orchestration_kit.governance.rules import KINDS, InvalidRule, Rule, RuleFileError
from orchestration_kit.governance.rules.plain import shown
from orchestration_kit.governance.verdict import WAYS, OnViolation

MAX_CHARACTERS = 500_000
MAX_DEPTH = 20
MAX_RULES = 1_000
VERSION = 1
_KEYS = ("version", "on_violation", "rules")


class RuleSet(NamedTuple):
    """What is in a file."""

    rules: tuple[Rule, ...]
    on_violation: OnViolation = "retry"


def load_rules(source: str | os.PathLike[str]) -> RuleSet:
    """Return the rules in a YAML text, or in the file of a path (a `Path`, or a text of one line that ends in .yaml).

    >>> load_rules("rules: [{kind: cost, max_cost: 0.5}]").rules
    (CostRule(name='cost', on_violation=None, action_types=None, max_cost=0.5, max_total=None),)

    Raises:
        RuleFileError: it holds no rules, or a wrong one; or the file cannot be read.
    """
    text = _text(source)
    try:
        data: Any = parse_yaml(text, max_characters=MAX_CHARACTERS, max_depth=MAX_DEPTH)
    except WorkflowFileError as error:
        raise RuleFileError(error.reason, error.hint) from None
    hint = "Write rules: and a list, each with its kind."
    if not isinstance(data, dict):
        raise RuleFileError(f"they are {type(data).__name__}, not a mapping", hint)
    given = cast("dict[str, Any]", data)
    _known("a file of rules", given, _KEYS)
    if given.get("version", VERSION) != VERSION:
        raise RuleFileError(f"the version is {shown(given['version'])}", f"This package reads version {VERSION}.")
    on_violation: Any = given.get("on_violation", "retry")
    if on_violation not in WAYS:
        raise RuleFileError(f"on_violation is {shown(on_violation)}", f"It is one of {listed(WAYS)}.")
    rules: Any = given.get("rules")
    if not isinstance(rules, list):
        raise RuleFileError("there is no list of rules", hint)
    several = cast("list[Any]", rules)
    if len(several) > MAX_RULES:
        raise RuleFileError(f"there are {len(several):,} rules", f"At most {MAX_RULES:,} are read.")
    return RuleSet(tuple(_rule(number, one) for number, one in enumerate(several, 1)), on_violation)


def dump_rules(rules: Sequence[Rule], on_violation: OnViolation = "retry") -> str:
    """Return rules as YAML that `load_rules` reads back to the same.

    >>> from orchestration_kit.governance.rules import CostRule
    >>> print(dump_rules([CostRule(max_cost=0.5)]), end="")
    version: 1
    on_violation: retry
    rules:
    - kind: cost
      max_cost: 0.5

    Raises:
        InvalidRule: one is a function.
    """
    return dump_yaml(
        {"version": VERSION, "on_violation": on_violation, "rules": [_listed(one.data()) for one in rules]}
    )


def _listed(value: Any) -> Any:
    """Return data with lists for tuples."""
    if isinstance(value, dict):
        return {key: _listed(part) for key, part in cast("dict[Any, Any]", value).items()}
    if isinstance(value, (list, tuple)):
        return [_listed(part) for part in cast("Sequence[Any]", value)]
    return value


def _text(source: Any) -> str:
    is_path = isinstance(source, os.PathLike)
    if isinstance(source, str) and "\n" not in source and source.endswith((".yaml", ".yml")):
        is_path = True
    if not is_path:
        if not isinstance(source, str):
            raise RuleFileError(f"they are {type(source).__name__}, not text", "Give YAML, or the path of a file.")
        return source
    path = Path(source)
    try:
        if path.exists() and not path.is_file():  # a pipe would wait for ever
            raise RuleFileError(f"{str(path)!r:.200} is no file", "Give the path of a YAML file.")
        with path.open("rb") as file:
            text = file.read(4 * MAX_CHARACTERS + 1).decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = f"{str(path)!r:.200} cannot be read ({type(error).__name__}: {error!s:.100})"
        raise RuleFileError(reason, "Give the path of a YAML file.") from None
    return text


def _rule(number: int, data: Any) -> Rule:
    if not isinstance(data, dict):
        raise RuleFileError(f"rule {number} is {shown(data)}", "A rule is a mapping with its kind.")
    given = cast("dict[str, Any]", data)
    kind: Any = given.get("kind")
    if not isinstance(kind, str) or kind not in KINDS:
        near = did_you_mean(kind[:50], KINDS) if isinstance(kind, str) else ""
        raise RuleFileError(f"rule {number} is of the kind {shown(kind)}", f"There are {listed(KINDS, 20)}.{near}")
    made = KINDS[kind]
    options = {key: value for key, value in given.items() if key != "kind"}
    _known(f"rule {number} ({kind})", options, [field.name for field in fields(made) if field.init])
    try:
        return made(**options)
    except InvalidRule as error:
        raise RuleFileError(f"rule {number}: {error.reason}", error.hint) from None
    except (TypeError, ValueError, RecursionError) as error:
        raise RuleFileError(f"rule {number} ({kind}): {error!s:.200}", "Mend that rule and load it again.") from None


def _known(what: str, given: dict[str, Any], known: Sequence[str]) -> None:
    for key in given:
        if key not in known:
            hint = f"It can have {listed(known, 20)}.{did_you_mean(key[:50], known)}"
            raise RuleFileError(f"{what} has the unknown key {shown(key)}", hint)
