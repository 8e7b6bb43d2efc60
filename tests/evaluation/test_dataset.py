"""Cases: as data, as text, as tables; wrong and hostile files."""

from __future__ import annotations

import pickle

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestration_kit.evaluation import Case, Dataset, DatasetError
from tests.laws import examples

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
NAMES = st.text(min_size=1, max_size=30).filter(lambda name: name.strip())
DATASETS = st.builds(
    Dataset,
    st.lists(
        st.builds(Case, NAMES, PLAIN, PLAIN, st.lists(st.text(max_size=8), max_size=3).map(tuple)),
        min_size=1,
        max_size=4,
        unique_by=lambda case: case.name,
    ),
    name=NAMES,
)


@settings(max_examples=examples(60), deadline=None)
@given(DATASETS)
def test_text_reads_back_to_the_same(dataset):
    assert Dataset.from_json(dataset.to_json()) == dataset
    assert Dataset.from_yaml(dataset.to_yaml()) == dataset


def test_a_file_reads_back_to_the_same(tmp_path):
    dataset = Dataset([Case("ä", {"n": [1, 2.5, None]}, "x", ("t",)), Case("b", "")], name="two")
    for name in ("cases.yaml", "cases.yml", "cases.json"):
        dataset.save(tmp_path / name)
        assert Dataset.load(tmp_path / name) == dataset


def test_a_file_without_a_name_is_called_as_the_file_is(tmp_path):
    (tmp_path / "greetings.yaml").write_text("- input: Ada\n- input: Bob\n  name: bob\n")
    dataset = Dataset.load(tmp_path / "greetings.yaml")
    assert (dataset.name, [case.name for case in dataset], len(dataset)) == ("greetings", ["case_1", "bob"], 2)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("", "the text holds nothing"),
        ("hello", "the text holds str"),
        ("cases: 3", "no list of cases"),
        ("cases: []", "no cases"),
        ("name: x", "no list of cases"),
        ("cases:\n- expected: 3\n", "case 1 has no input"),
        ("cases:\n- input: 1\n  expcted: 3\n", "Did you mean 'expected'?"),
        ("cases:\n- 3\n", "case 1 is 3"),
        ("cases:\n- input: 1\n  tags: short\n", "Tags are a list"),
        ("cases:\n- input: 1\n  tags: [3]\n", "Tags are a list"),
        ("cases:\n- input: 1\n  name: ''\n", "A name is a text"),
        ("cases:\n- input: 1\n  name: a\n- input: 2\n  name: a\n", "two cases are called 'a'"),
        ("case: []\n", "Did you mean 'cases'?"),
        ("name: 3\ncases:\n- input: 1\n", "its name is 3"),
        ("cases:\n- input: !!python/object/apply:os.system ['touch /tmp/never']\n", "the tag"),
        ("a: &a [1]\ncases: [*a]\n", "alias or anchor"),
        ("cases:\n- input: 1\n  input: 2\n", "stands twice"),
        ("cases: [" * 100, "levels"),
        ("cases:\n\t- x", "YAML"),
        (b"cases: []", "not text"),
    ],
)
def test_a_wrong_or_hostile_text_is_refused_with_its_reason(text, part):
    with pytest.raises(DatasetError) as caught:
        Dataset.from_yaml(text)
    assert str(caught.value).startswith("This is no dataset: ")
    assert part in str(caught.value)
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


@pytest.mark.parametrize("text", ["{", "[NaN]", "[" * 100_000, '{"cases": [], "cases": []}', "[" + "9" * 5_000 + "]"])
def test_wrong_json_is_refused(text):
    with pytest.raises(DatasetError):
        Dataset.from_json(text)


def test_a_text_without_end_is_refused():
    with pytest.raises(DatasetError, match="10,000,001 characters"):
        Dataset.from_yaml("x" * 10_000_001)


def test_files_that_are_none_are_refused(tmp_path):
    (tmp_path / "bytes.yaml").write_bytes(b"\xff\xfe")
    for path, part in [
        (tmp_path / "none.yaml", "there is no file"),
        (tmp_path, "has the ending ''"),
        ("cases.toml", "Known endings: .yaml, .yml, .json"),
        (tmp_path / "bytes.yaml", "no text in UTF-8"),
        ("/dev/zero", "has the ending"),
    ]:
        with pytest.raises(DatasetError, match=part):
            Dataset.load(path)


@pytest.mark.parametrize("value", [object(), (1, 2), float("nan"), float("inf"), {1: 2}, [[{"a": {1, 2}}]], b"x"])
def test_what_no_file_can_hold_is_refused_with_the_name_of_its_case(value):
    with pytest.raises(DatasetError, match="case 'second'.*in its expected"):
        Dataset([Case("first", 1), Case("second", 1, value)]).to_yaml()


def test_what_contains_itself_is_refused():
    value: list = []
    value.append(value)
    with pytest.raises(DatasetError, match="50 levels"):
        Dataset([Case("loop", value)]).to_json()


def test_a_table_becomes_cases():
    frame = pd.DataFrame(
        {"case": ["a", "b"], "input": [1, 2], "expected": ["x", None], "tags": ["short, easy", float("nan")]}
    )
    assert Dataset.from_frame(frame).cases == (Case("a", 1, "x", ("short", "easy")), Case("b", 2))
    two = Dataset.from_frame(frame, input=["input", "tags"], expected="case", tags="none")
    assert (two.cases[0].input, two.cases[0].expected) == ({"input": 1, "tags": "short, easy"}, "a")


def test_cells_of_a_table_are_plain_values():
    case = Dataset.from_frame(pd.DataFrame({"input": [1], "expected": [2.5]})).cases[0]
    assert (type(case.input), type(case.expected)) == (int, float)


def test_a_table_reads_back_to_the_same():
    dataset = Dataset([Case("a", [1, 2], {"x": 1}, ("t", "u")), Case("b", "text")])
    assert Dataset.from_frame(dataset.to_frame()) == dataset


def test_a_column_that_is_not_there_is_named_with_the_nearest():
    with pytest.raises(DatasetError, match="no column 'quesion'.*Did you mean 'question'?"):
        Dataset.from_frame(pd.DataFrame({"question": [1]}), input="quesion")
    with pytest.raises(DatasetError, match="no column 'answer'"):
        Dataset.from_frame(pd.DataFrame({"input": [1]}), expected="answer")
    with pytest.raises(DatasetError, match="it is list"):
        Dataset.from_frame([1])


def test_cases_with_a_tag_can_be_taken_alone():
    dataset = Dataset([Case("a", 1, tags=("x",)), Case("b", 2, tags=("y", "z")), Case("c", 3)], name="d")
    assert [case.name for case in dataset.tagged("x", "z")] == ["a", "b"]
    assert dataset.tagged("x").name == "d"
    with pytest.raises(DatasetError, match="The tags are: x, y, z"):
        dataset.tagged("none")


@pytest.mark.parametrize("cases", ["text", {"input": 1}, 3, None])
def test_what_is_no_list_of_cases_is_refused(cases):
    with pytest.raises(DatasetError, match="Give a list"):
        Dataset(cases)


def test_of_a_table_its_rows_are_asked_for():
    table = pd.DataFrame({"input": ["ada"], "expected": ["Ada"]})
    with pytest.raises(DatasetError, match="from_frame"):
        Dataset(table)
    assert Dataset.from_frame(table).cases[0].expected == "Ada"
