"""Text to plain data and back: JSON and YAML as a workflow file uses them. Builds no Python objects.

YAML is read as a stricter, plainer language than YAML 1.1: no aliases, anchors or tags (so nothing can be
executed or blown up), no duplicate keys, and `on`, `yes`, `no` and dates stay the text that they are.
"""

from __future__ import annotations

import json
import math
from typing import Any, NoReturn

from orchestration_kit.errors import WorkflowFileError

MAX_CHARACTERS = 10_000_000
MAX_DEPTH = 64


def _too_long(text: object, most: int = MAX_CHARACTERS) -> None:
    if not isinstance(text, str):
        kind = type(text).__name__
        raise WorkflowFileError(f"it is {kind}, not text", "Give what the file holds: Path(...).read_text().")
    if len(text) > most:
        raise WorkflowFileError(f"it has {len(text):,} characters", f"A workflow file has at most {most:,}.")


def _mapping(pairs: list[tuple[Any, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise WorkflowFileError(f"the key {key!r} stands twice in one mapping", "Keep one of the two.")
        found[key] = value
    return found


def parse_json(text: str) -> Any:
    """Return the data in a JSON text; duplicate keys and NaN are refused.

    Raises:
        WorkflowFileError: the text is no JSON, or is over a cap.
    """

    def refuse(constant: str) -> NoReturn:
        raise WorkflowFileError(f"it holds {constant}", "JSON numbers are finite.")

    _too_long(text)
    try:
        return json.loads(text, object_pairs_hook=_mapping, parse_constant=refuse)
    except RecursionError:
        raise WorkflowFileError("it is nested too deeply", f"At most {MAX_DEPTH} levels are read.") from None
    except WorkflowFileError:
        raise
    except ValueError as error:  # a JSONDecodeError, or a number of thousands of digits
        raise WorkflowFileError(f"JSON: {error}", "Mend that place and load it again.") from None


def parse_yaml(text: str, *, max_characters: int = MAX_CHARACTERS, max_depth: int = MAX_DEPTH) -> Any:
    """Return the data in a YAML text (one document, plain data only).

    Raises:
        WorkflowFileError: the text is no YAML, uses aliases, anchors or tags, or is over a cap.
    """
    import yaml

    _too_long(text, max_characters)
    try:
        return _build(yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)), max_depth)
    except (yaml.YAMLError, UnicodeError) as error:
        where = " ".join(str(error).split())
        raise WorkflowFileError(f"YAML: {where}", "Mend that place and load it again.") from None


def _build(events: Any, max_depth: int) -> Any:
    """Fold YAML events into dicts, lists and scalars, without recursion."""
    import yaml

    root: list[Any] = []
    open_collections: list[list[Any]] = [root]
    closed_as: list[type] = [list]
    for event in events:
        anchor = getattr(event, "anchor", None)
        if isinstance(event, yaml.AliasEvent) or anchor:
            _refuse(event, f"the alias or anchor {anchor!r}", "Write the value out where it is used.")
        if isinstance(event, yaml.NodeEvent) and (tag := getattr(event, "tag", None)):
            _refuse(event, f"the tag {tag!r}", "Plain text, numbers, lists and mappings are read, nothing else.")
        if isinstance(event, (yaml.MappingStartEvent, yaml.SequenceStartEvent)):
            if len(open_collections) > max_depth:
                _refuse(event, f"more than {max_depth} levels", "Nest less.")
            open_collections.append([])
            closed_as.append(dict if isinstance(event, yaml.MappingStartEvent) else list)
        elif isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
            items = open_collections.pop()
            is_mapping = closed_as.pop() is dict
            open_collections[-1].append(_mapping(_pairs(items, event)) if is_mapping else items)
        elif isinstance(event, yaml.ScalarEvent):
            open_collections[-1].append(_scalar(event.value) if event.implicit[0] else event.value)
        elif isinstance(event, yaml.DocumentStartEvent) and root:
            _refuse(event, "a second document", "One file holds one workflow.")
    return root[0] if root else None


def _pairs(items: list[Any], event: Any) -> list[tuple[Any, Any]]:
    keys = items[::2]
    if bad := [key for key in keys if not isinstance(key, str)]:
        _refuse(event, f"the key {bad[0]!r:.80}, which is not text", "Put the key into quotes.")
    return list(zip(keys, items[1::2], strict=True))


def _refuse(event: Any, what: str, hint: str) -> NoReturn:
    mark = event.start_mark
    raise WorkflowFileError(f"line {mark.line + 1}, column {mark.column + 1} holds {what}", hint)


def _scalar(text: str) -> Any:
    """Read an unquoted scalar as JSON would: null, true, false, a number, else text."""
    if text in ("", "~", "null"):
        return None
    if text in ("true", "false"):
        return text == "true"
    if text[0] in "-.0123456789":
        for number in (int, float):
            try:
                value = number(text)
            except ValueError:
                continue
            return text if math.isnan(value) or "_" in text else value
    return text


def dump_yaml(data: Any) -> str:
    """Return plain data as YAML that `parse_yaml` reads back to the same."""
    import yaml

    class Dumper(yaml.SafeDumper):
        def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - PyYAML's signature
            return True

    def as_text(dumper: Any, text: str) -> Any:
        plain = isinstance(_scalar(text), str) and text.lower() not in _YAML_1_1_WORDS and _BREAKS.isdisjoint(text)
        resolved = dumper.resolve(yaml.ScalarNode, text, (True, False))
        quote = None if plain and resolved == "tag:yaml.org,2002:str" else '"'
        return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=quote)

    Dumper.add_representer(str, as_text)
    return yaml.dump(data, Dumper=Dumper, sort_keys=False, allow_unicode=True, width=100)


_YAML_1_1_WORDS = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null", "~", ""})
_BREAKS = frozenset("\x85\u2028\u2029")
"""Line breaks to a YAML reader, which would fold them into spaces outside of double quotes."""
