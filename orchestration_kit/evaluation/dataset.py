"""Golden cases: what is given, and what is expected of it. As data, so that they can be kept beside the code."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from os import PathLike
from typing import TYPE_CHECKING, Any, Self, cast

from orchestration_kit.errors import did_you_mean, listed
from orchestration_kit.evaluation.errors import DatasetError

if TYPE_CHECKING:
    import pandas as pd

MAX_CASES = 100_000
MAX_NAME = 200


@dataclass(frozen=True, slots=True)
class Case:
    """One case.

    >>> Case("ada", "Ada", "Hello, Ada!", ("short",)).expected
    'Hello, Ada!'
    """

    name: str
    input: Any
    """What the worker is given. For a workflow: a text is its goal, a mapping its initial data, with `goal` in it."""
    expected: Any = None
    """What should come out, as far as the rubric needs it; None: nothing in particular."""
    tags: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name.strip() or len(self.name) > MAX_NAME:
            raise DatasetError(
                f"the name {self.name!r:.80} is none", f"A name is a text of 1 to {MAX_NAME} characters."
            )
        tags: Any = self.tags
        if (
            isinstance(tags, str)
            or not isinstance(tags, Sequence)
            or not all(isinstance(tag, str) for tag in self.tags)
        ):
            raise DatasetError(f"case {self.name!r} has the tags {tags!r:.80}", "Tags are a list of texts.")
        object.__setattr__(self, "tags", tuple(self.tags))


class Dataset:
    """Cases in order, under one name.

    >>> greetings = Dataset([{"input": "Ada", "expected": "Hello, Ada!"}, Case("empty", "")], name="greetings")
    >>> greetings, [case.name for case in greetings]
    (Dataset('greetings', 2 cases), ['case_1', 'empty'])

    Args:
        cases: `Case`s, or mappings with `input` and maybe `name`, `expected`, `tags`.
        name: What its runs are tagged with.

    Raises:
        DatasetError: (a ValueError) there is none, two have one name, or one is neither.
    """

    def __init__(self, cases: Iterable[Case | Mapping[str, Any]], *, name: str = "dataset") -> None:
        if not isinstance(name, str) or not name.strip() or len(name) > MAX_NAME:
            raise DatasetError(f"its name is {name!r:.80}", f"A name is a text of 1 to {MAX_NAME} characters.")
        if isinstance(cases, (str, bytes, Mapping)) or not isinstance(cases, Iterable):
            hint = 'Give a list: Dataset([{"input": ..., "expected": ...}]); text is read by Dataset.from_yaml(text).'
            raise DatasetError(f"its cases are {type(cast('Any', cases)).__name__}", hint)
        if hasattr(cases, "columns"):
            raise DatasetError("its cases are a table", "Write Dataset.from_frame(table), and name the columns there.")
        self.name = name
        self.cases: tuple[Case, ...] = tuple(_case(one, at) for at, one in enumerate(cases, start=1))
        if not self.cases:
            raise DatasetError("it has no cases", "Give at least one.")
        if len(self.cases) > MAX_CASES:
            raise DatasetError(f"it has {len(self.cases):,} cases", f"At most {MAX_CASES:,} are taken; take a sample.")
        seen = set[str]()
        for case in self.cases:
            if case.name in seen:
                raise DatasetError(f"two cases are called {case.name!r}", "Give each a name of its own.")
            seen.add(case.name)

    def __len__(self) -> int:
        return len(self.cases)

    def __iter__(self) -> Iterator[Case]:
        return iter(self.cases)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Dataset) and (self.name, self.cases) == (other.name, other.cases)

    __hash__ = None  # pyright: ignore[reportAssignmentType] - inputs may be lists

    def __repr__(self) -> str:
        return f"Dataset({self.name!r}, {len(self)} case{'' if len(self) == 1 else 's'})"

    def tagged(self, *tags: str) -> Dataset:
        """Return the cases that have one of these tags.

        >>> [case.name for case in Dataset([Case("ada", "Ada", tags=("short",)), Case("b", "Bo")]).tagged("short")]
        ['ada']

        Raises:
            DatasetError: none has.
        """
        known = sorted({tag for case in self for tag in case.tags})
        found = [case for case in self if set(case.tags) & set(tags)]
        if not found:
            near = did_you_mean(tags[0], known) if tags else ""
            raise DatasetError(f"no case is tagged {listed(tags)}", f"The tags are: {listed(known)}.{near}")
        return Dataset(found, name=self.name)

    # --- as text and files

    @classmethod
    def from_yaml(cls, text: str) -> Self:
        r"""Return the dataset in a YAML text: `name`, and `cases` with `name`, `input`, `expected`, `tags`.

        Plain data is read, and nothing else: no tags, anchors or aliases of YAML.

        >>> text = "cases:\n- input: Ada\n  expected: Hello, Ada!\n"
        >>> Dataset.from_yaml(text).cases[0].expected
        'Hello, Ada!'

        Raises:
            DatasetError: it is no YAML, holds something else, or is too large.
        """
        from orchestration_kit.evaluation.files import from_text

        return cls._of_parts(from_text(text, "yaml"))

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Return the dataset in a JSON text; as `from_yaml`."""
        from orchestration_kit.evaluation.files import from_text

        return cls._of_parts(from_text(text, "json"))

    @classmethod
    def load(cls, path: str | PathLike[str]) -> Self:
        """Return the dataset in a file that ends in .yaml, .yml or .json.

        Raises:
            DatasetError: there is no such file, or it holds none.
        """
        from orchestration_kit.evaluation.files import from_file

        return cls._of_parts(from_file(path))

    def to_yaml(self) -> str:
        """Return the dataset as YAML.

        >>> print(Dataset([Case("ada", "Ada", "Hello, Ada!")], name="greetings").to_yaml(), end="")
        name: greetings
        cases:
        - name: ada
          input: Ada
          expected: Hello, Ada!

        Raises:
            DatasetError: a case holds something else than plain data; it names the case.
        """
        from orchestration_kit.evaluation.files import to_text

        return to_text(self, "yaml")

    def to_json(self) -> str:
        """Return the dataset as JSON; as `to_yaml`."""
        from orchestration_kit.evaluation.files import to_text

        return to_text(self, "json")

    def save(self, path: str | PathLike[str]) -> None:
        """Write the dataset to a file that ends in .yaml, .yml or .json."""
        from orchestration_kit.evaluation.files import to_file

        to_file(self, path)

    @classmethod
    def from_frame(  # noqa: PLR0913 - a column each
        cls,
        frame: pd.DataFrame,
        *,
        input: str | Sequence[str] = "input",  # noqa: A002 - the case's word for it
        expected: str | None = "expected",
        case: str = "case",
        tags: str = "tags",
        name: str = "dataset",
    ) -> Self:
        """Return one case per row of a DataFrame.

        Args:
            frame: The rows.
            input: The column that is given; several: a mapping of them.
            expected: The column of what is expected; None, or where there is none: nothing in particular.
            case: The column of names; made up where there is none.
            tags: The column of tags: lists of texts, or texts with commas.
            name: The dataset's.

        >>> import pandas as pd
        >>> Dataset.from_frame(pd.DataFrame({"input": [1, 2], "expected": [2, 4]})).cases[1]
        Case(name='case_2', input=2, expected=4, tags=())

        Raises:
            DatasetError: there is no such column.
        """
        from orchestration_kit.evaluation.files import cases_of_frame

        return cls(cases_of_frame(frame, input, expected=expected, case=case, tags=tags), name=name)

    def to_frame(self) -> pd.DataFrame:
        """Return a DataFrame with the columns case, input, expected, tags (all of dtype object)."""
        import pandas as pd

        rows = [(case.name, case.input, case.expected, list(case.tags)) for case in self]
        return pd.DataFrame(rows, columns=["case", "input", "expected", "tags"], dtype=object)

    @classmethod
    def _of_parts(cls, parts: tuple[str, list[Any]]) -> Self:
        name, cases = parts
        return cls(cases, name=name)


_FIELDS = tuple(field.name for field in fields(Case))


def _case(given: Any, number: int) -> Case:
    if isinstance(given, Case):
        return given
    if not isinstance(given, Mapping):
        hint = 'A case is Case(name, input, expected) or {"input": ..., "expected": ...}.'
        raise DatasetError(f"case {number} is {given!r:.80}", hint)
    entries = cast("Mapping[Any, Any]", given)
    for key in entries:
        if key not in _FIELDS:
            near = did_you_mean(str(key), _FIELDS)
            raise DatasetError(f"case {number} has {key!r:.80}", f"A case has {listed(_FIELDS)}.{near}")
    if "input" not in entries:
        raise DatasetError(f"case {number} has no input", 'Give at least {"input": ...}.')
    name = entries.get("name")
    tags = entries.get("tags")
    return Case(
        f"case_{number}" if name is None else name,
        entries["input"],
        entries.get("expected"),
        () if tags is None else tags,
    )
