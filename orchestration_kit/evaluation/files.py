"""Datasets as text, files and tables. Builds no Python objects but plain data, whoever wrote the file."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

from orchestration_kit.definition.files import MAX_CHARACTERS, dump_yaml, parse_json, parse_yaml
from orchestration_kit.errors import WorkflowFileError, did_you_mean, listed
from orchestration_kit.evaluation.errors import DatasetError

if TYPE_CHECKING:
    import pandas as pd

    from orchestration_kit.evaluation.dataset import Dataset

Format = Literal["yaml", "json"]
_SUFFIXES: dict[str, Format] = {".yaml": "yaml", ".yml": "yaml", ".json": "json"}
MAX_DEPTH = 50


def from_text(text: str, kind: Format) -> tuple[str, list[Any]]:
    """Return name and cases that a text holds.

    Raises:
        DatasetError: it holds none.
    """
    if isinstance(text, str) and len(text) > MAX_CHARACTERS:
        raise DatasetError(f"the text has {len(text):,} characters", f"At most {MAX_CHARACTERS:,} are read.")
    try:
        data: Any = parse_yaml(text) if kind == "yaml" else parse_json(text)
    except WorkflowFileError as error:
        raise DatasetError(error.reason, error.hint) from None
    if isinstance(data, list):
        return "dataset", cast("list[Any]", data)
    example = "Write a mapping with `cases`, a list of mappings with `name`, `input`, `expected`, `tags`."
    if not isinstance(data, dict):
        raise DatasetError(f"the text holds {'nothing' if data is None else type(data).__name__}", example)
    entries = cast("dict[str, Any]", data)
    for key in entries:
        if key not in ("name", "cases"):
            near = did_you_mean(key, ["name", "cases"])
            raise DatasetError(f"it has {key!r:.80}", f"A dataset has name and cases.{near}")
    cases = entries.get("cases")
    if not isinstance(cases, list):
        raise DatasetError("it has no list of cases", example)
    return entries.get("name", "dataset"), cast("list[Any]", cases)


def from_file(path: str | PathLike[str]) -> tuple[str, list[Any]]:
    """Return name and cases that a file holds; without a name of its own, that of the file.

    Raises:
        DatasetError: there is no such file, or it holds none.
    """
    file, kind = Path(path), _format(path)
    if not file.is_file():
        raise DatasetError(f"there is no file {str(file)!r}", "Give the path of a .yaml or .json file.")
    if file.stat().st_size > 4 * MAX_CHARACTERS:
        raise DatasetError(f"{file.name} has {file.stat().st_size:,} bytes", f"At most {MAX_CHARACTERS:,} are read.")
    try:
        text = file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise DatasetError(f"{file.name} is no text in UTF-8, at byte {error.start:,}", "Save it as UTF-8.") from None
    name, cases = from_text(text, kind)
    return (file.stem if name == "dataset" else name), cases


def to_text(dataset: Dataset, kind: Format) -> str:
    """Return a dataset as text that `from_text` reads back to the same.

    Raises:
        DatasetError: a case holds something else than plain data.
    """
    cases: list[dict[str, Any]] = []
    for case in dataset:
        for part, value in (("input", case.input), ("expected", case.expected)):
            if (found := _foreign(value)) is not None:
                hint = "A file holds text, numbers, true, false, null, lists and mappings with text keys."
                raise DatasetError(f"case {case.name!r} has {found} in its {part}, which no file can hold", hint)
        parts: dict[str, Any] = {"name": case.name, "input": case.input}
        if case.expected is not None:
            parts["expected"] = case.expected
        if case.tags:
            parts["tags"] = list(case.tags)
        cases.append(parts)
    data = {"name": dataset.name, "cases": cases}
    return dump_yaml(data) if kind == "yaml" else json.dumps(data, indent=2, ensure_ascii=False) + "\n"


def to_file(dataset: Dataset, path: str | PathLike[str]) -> None:
    """Write a dataset to a file."""
    text = to_text(dataset, _format(path))
    Path(path).write_text(text, encoding="utf-8")


def cases_of_frame(
    frame: pd.DataFrame, given: str | Sequence[str], *, expected: str | None, case: str, tags: str
) -> list[dict[str, Any]]:
    """Return the cases in a DataFrame, one per row.

    Raises:
        DatasetError: there is no such column.
    """
    import pandas as pd

    if not isinstance(frame, pd.DataFrame):
        raise DatasetError(f"it is {type(frame).__name__}", "Give a DataFrame with a column `input`.")
    columns = [given] if isinstance(given, str) else list(given)
    wanted = list(columns)
    if expected is not None and expected != "expected":
        wanted.append(expected)
    known = [str(column) for column in frame.columns]
    for column in wanted:
        if column not in frame.columns:
            raise DatasetError(f"it has no column {column!r}", f"It has: {listed(known)}.{did_you_mean(column, known)}")
    found: list[dict[str, Any]] = []
    for at, row in enumerate(cast("list[dict[str, Any]]", frame.to_dict("records")), start=1):
        name = _value(row.get(case))
        found.append(
            {
                "name": f"case_{at}" if name is None else str(name),
                "input": row[given] if isinstance(given, str) else {column: row[column] for column in columns},
                "expected": None if expected is None else _value(row.get(expected)),
                "tags": _tags(_value(row.get(tags))),
            }
        )
    return found


def _value(cell: Any) -> Any:
    """Return a cell; None where it is missing."""
    import pandas as pd

    return None if pd.api.types.is_scalar(cell) and pd.isna(cell) else cell


def _tags(cell: Any) -> Any:
    if cell is None:
        return ()
    return tuple(tag.strip() for tag in cell.split(",") if tag.strip()) if isinstance(cell, str) else tuple(cell)


def _format(path: str | PathLike[str]) -> Format:
    suffix = Path(path).suffix.lower()
    if suffix not in _SUFFIXES:
        raise DatasetError(f"{str(path)!r} has the ending {suffix!r}", f"Known endings: {listed(_SUFFIXES)}.")
    return _SUFFIXES[suffix]


def _foreign(value: Any) -> str | None:
    """Say what in a value is no plain data; None where all of it is."""
    stack: list[tuple[Any, int]] = [(value, 0)]
    while stack:
        one, depth = stack.pop()
        if depth > MAX_DEPTH:
            return f"more than {MAX_DEPTH} levels"
        kind = cast("Any", type(one))
        if kind is float and not math.isfinite(one):
            return repr(one)
        if kind is dict:
            entries = cast("Mapping[Any, Any]", one)
            if not all(type(key) is str for key in entries):
                return "a key that is no text"
            stack += [(part, depth + 1) for part in entries.values()]
        elif kind is list:
            stack += [(part, depth + 1) for part in one]
        elif kind not in (str, int, float, bool, type(None)):
            return f"{kind.__name__} (of Python)"
    return None
