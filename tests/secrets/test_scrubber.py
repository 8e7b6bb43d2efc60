"""Secrets leave live values; what holds none is the very object it was."""

from __future__ import annotations

import dataclasses
import html
import json
import threading
from collections import OrderedDict, defaultdict, deque, namedtuple
from enum import Enum
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import quote, quote_plus

import numpy as np
import pandas as pd
import pyarrow as pa
import pydantic
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestration_kit.errors import ValueTooDeep
from orchestration_kit.secrets.patterns import PLACEHOLDER
from orchestration_kit.secrets.scrubber import Scrubber
from tests.laws import examples

TAIL = "q7Zp2Vd9Kx4Lm8Rt5Wn3Hs6Yb1Jc0Fg7Ua"
KEY = "sk-proj-" + TAIL
ENV = {
    "SHOP_TOKEN": "correct horse",
    "OTHER_KEY": "tür/schlüssel-1",
    "HOME": "/home/ann",
    "SSH_KEY_PATH": "/x/y/z/id_rsa",
}
Point = namedtuple("Point", "x label")


@dataclasses.dataclass(frozen=True)
class Note:
    text: str
    more: Any = None


@dataclasses.dataclass(slots=True)
class Slotted:
    text: str


class Model(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="allow", frozen=True)
    text: str
    hidden: pydantic.SecretStr | None = None
    _private: str = "nothing"


class Kind(str, Enum):
    KEYED = KEY


@pytest.fixture
def scrubber():
    return Scrubber(environ=ENV)


SECRETS = [
    KEY,
    "correct horse",
    "tür/schlüssel-1",
    "t%C3%BCr%2Fschl%C3%BCssel-1",
    "t\\u00fcr/schl\\u00fcssel-1",
    "AKIAIOSFODNN7EXAMPLE",
    "hf_" + TAIL,
    "xoxb-1234567890-" + TAIL,
]


@pytest.mark.parametrize("secret", SECRETS)
def test_a_secret_leaves_a_text_wherever_it_stands(scrubber, secret):
    for text in (secret, f"use {secret}, please", f'{{"a": "{secret}"}}', f"\n{secret}\n", f"{secret} {secret}"):
        assert secret not in scrubber.text(text)
        assert PLACEHOLDER in scrubber.text(text)
        assert scrubber.text(scrubber.text(text)) == scrubber.text(text)


def test_nothing_is_guessed_from_names(scrubber):
    for text in (
        "password=hunter2hunter2",
        "Authorization: Bearer abcdef123456",
        "https://ann:s3cret@x.example",
        "https://x.example/a?sig=c2lnbmF0dXJlLXZhbHVl1",
    ):
        assert scrubber(text) is text
    entries = {"password": "hunter2hunter2"}
    assert scrubber(entries) is entries


HOLDERS = {
    "list": lambda s: [1, s],
    "dict": lambda s: {"a": s},
    "key": lambda s: {s: 1},
    "tuple": lambda s: (1, s),
    "set": lambda s: {1, s},
    "frozenset": lambda s: frozenset({s}),
    "deque": lambda s: deque([s], maxlen=3),
    "namedtuple": lambda s: Point(1, s),
    "defaultdict": lambda s: defaultdict(list, a=s),
    "ordered": lambda s: OrderedDict(a=s),
    "dataclass": lambda s: Note(s),
    "slots": lambda s: Slotted(s),
    "model": lambda s: Model(text=s),
    "model extra": lambda s: Model(text="a", other=[s]),
    "model secret": lambda s: Model(text="a", hidden=pydantic.SecretStr(s)),
    "deep": lambda s: {"a": [({"b": Note("x", more=[s])},)]},
    "bytes": lambda s: b"a " + s.encode(),
    "bytearray": lambda s: bytearray(b"a " + s.encode()),
    "path": lambda s: PurePosixPath("/tmp") / s.replace("/", "_"),
    "series": lambda s: pd.Series(["a", s]),
    "objects": lambda s: pd.Series(["a", {"b": s}], dtype=object),
    "category": lambda s: pd.Series(["a", s, s], dtype="category"),
    "arrow series": lambda s: pd.Series(["a", s], dtype=pd.ArrowDtype(pa.string())),
    "frame": lambda s: pd.DataFrame({"n": [1, 2], "t": ["a", s]}),
    "columns": lambda s: pd.DataFrame({s: [1, 2]}),
    "index": lambda s: pd.DataFrame({"n": [1, 2]}, index=["a", s]),
    "multi index": lambda s: pd.DataFrame({"n": [1]}, index=pd.MultiIndex.from_tuples([("a", s)])),
    "index name": lambda s: pd.DataFrame({"n": [1]}, index=pd.Index([1], name=s)),
    "series name": lambda s: pd.Series([1], name=s),
    "attrs": lambda s: _with_attrs(s),
    "array": lambda s: np.array(["a", s]),
    "bytes array": lambda s: np.array([b"a", s.encode()]),
    "object array": lambda s: np.array([["a", s]], dtype=object),
    "structured": lambda s: np.array([(1, s)], dtype=[("n", int), ("t", "U60")]),
    "arrow": lambda s: pa.table({"n": [1, 2], "t": ["a", s]}),
    "arrow bytes": lambda s: pa.table({"t": [b"a", s.encode()]}),
    "arrow lists": lambda s: pa.table({"t": [["a", s]]}),
    "arrow dictionary": lambda s: pa.table({"t": pa.array(["a", s]).dictionary_encode()}),
    "arrow metadata": lambda s: pa.table({"n": [1]}).replace_schema_metadata({"note": s}),
    "batch": lambda s: pa.RecordBatch.from_pydict({"t": [s]}),
}  # fmt: skip


def _with_attrs(secret):
    frame = pd.DataFrame({"n": [1]})
    frame.attrs["note"] = secret
    return frame


def _seen(value: Any) -> str:
    """All there is to see of a value."""
    if isinstance(value, pd.DataFrame):
        return f"{value.to_dict()} {value.index.tolist()} {value.index.names} {value.columns.tolist()} {value.attrs}"
    if isinstance(value, pd.Series):
        return f"{value.tolist()} {value.name}"
    if isinstance(value, (pa.Table, pa.RecordBatch)):
        return f"{value.to_pydict()} {value.schema.metadata}"
    if isinstance(value, np.ndarray):
        return str(value.tolist())
    if isinstance(value, Model):
        return f"{value!r} {value.hidden and value.hidden.get_secret_value()}"
    return str(value)


@pytest.mark.parametrize("secret", [KEY, "correct horse"])
@pytest.mark.parametrize("holder", HOLDERS)
def test_a_secret_leaves_every_kind_of_value_and_the_value_itself_stays_as_it_was(scrubber, holder, secret):
    value = HOLDERS[holder](secret)
    before = _seen(value)
    assert secret in before
    cleaned = scrubber(value)
    assert secret not in _seen(cleaned)
    assert PLACEHOLDER in _seen(cleaned)
    assert type(cleaned) is type(value)
    assert _seen(value) == before


@pytest.mark.parametrize("holder", HOLDERS)
def test_a_value_without_a_secret_is_the_very_object_it_was(scrubber, holder):
    value = HOLDERS[holder]("nothing to hide")
    assert scrubber(value) is value


def test_what_holds_no_secret_is_shared_with_the_original(scrubber):
    clean, other = {"big": [1, 2]}, object()
    cleaned = scrubber({"a": clean, "b": [KEY, other]})
    assert cleaned["a"] is clean
    assert cleaned["b"] == [PLACEHOLDER, other]


def test_other_columns_and_types_of_columns_stay(scrubber):
    frame = pd.DataFrame({"n": [1, 2], "t": ["a", KEY], "c": pd.Categorical(["x", "y"])})
    cleaned = scrubber(frame)
    assert cleaned.dtypes.tolist() == frame.dtypes.tolist()
    assert cleaned["t"].tolist() == ["a", PLACEHOLDER]
    assert cleaned["n"].tolist() == [1, 2]


def test_two_secrets_may_be_keys_of_one_mapping(scrubber):
    assert scrubber({KEY: 1, "correct horse": 2}) == {PLACEHOLDER: 1, f"{PLACEHOLDER}#2": 2}


def test_a_value_that_contains_itself_is_looked_through(scrubber):
    clean: list[Any] = ["nothing"]
    clean.append(clean)
    assert scrubber(clean) is clean
    circle: dict[str, Any] = {"key": KEY}
    circle["again"] = (circle,)
    cleaned = scrubber(circle)
    assert cleaned["key"] == PLACEHOLDER
    assert cleaned["again"][0] is cleaned


def test_depth_is_no_danger(scrubber):
    clean: Any = "nothing"
    hidden: Any = KEY
    for _ in range(2_000):
        clean, hidden = [clean], [hidden]
    assert scrubber(clean) is clean
    with pytest.raises(ValueTooDeep):
        scrubber(hidden)


@pytest.mark.parametrize(
    "write",
    [
        str,
        repr,
        json.dumps,
        quote,
        quote_plus,
        lambda text: quote(text, safe=""),
        html.escape,
        lambda text: repr({"a": [text]}),
    ],
)
def test_values_of_the_environment_are_found_as_programs_write_them(write):
    secret = 'qu"otes\\and/slashes & <signs> ü'
    scrubber = Scrubber(environ={"A_KEY": secret})
    assert scrubber(write(secret)).strip("\"'") in {PLACEHOLDER, f"{{'a': ['{PLACEHOLDER}']}}"}


def test_members_of_an_enum_and_objects_of_ones_own_are_handed_on_as_they_are(scrubber):
    thing = object()
    for value in (Kind.KEYED, thing, len, Note):
        assert scrubber(value) is value


def test_the_environment_is_looked_at_anew_when_a_run_starts(monkeypatch):
    scrubber = Scrubber()
    assert scrubber("squeamish ossifrage") == "squeamish ossifrage"
    monkeypatch.setenv("NEW_API_KEY", "squeamish ossifrage")
    scrubber.refresh()
    assert scrubber("squeamish ossifrage") == PLACEHOLDER
    monkeypatch.delenv("NEW_API_KEY")
    scrubber.refresh()
    assert scrubber("squeamish ossifrage") == "squeamish ossifrage"


def test_words_that_stand_in_for_a_secret_and_paths_are_no_secrets(tmp_path):
    file = tmp_path / "key.pem"
    file.touch()
    scrubber = Scrubber(
        environ={
            "API_KEY": "changeme",
            "B_KEY": "placeholder",
            "C_TOKEN": "********",
            "D_KEY": str(file),
            "E_KEY": "short",
        }
    )
    for text in ("changeme", "a placeholder", "********", str(file), "short"):
        assert scrubber(text) is text


def test_patterns_of_ones_own_count_however_short_they_are():
    scrubber = Scrubber([r"^#\d$", r"ACME-\d{6}"], environ={})
    assert scrubber("#7") == PLACEHOLDER
    assert scrubber("order ACME-123456") == f"order {PLACEHOLDER}"
    assert scrubber(pd.Series(["a", "#7"])).tolist() == ["a", PLACEHOLDER]


@pytest.mark.parametrize("pattern", ["(", "x*", b"abc", 5])
def test_a_pattern_that_is_none_or_matches_everywhere_is_refused(pattern):
    with pytest.raises(ValueError, match="redact="):
        Scrubber([pattern])


def test_a_secret_that_is_part_of_the_placeholder_does_no_harm():
    scrubber = Scrubber(environ={"A_KEY": "REDACTED", "B_KEY": "[REDACTED]", "C_KEY": "REDACTED]x"})
    assert scrubber("it is [REDACTED]") == "it is [REDACTED]"


VALUES = st.recursive(
    st.none() | st.integers() | st.text() | st.binary() | st.sampled_from([KEY, "correct horse"]),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.just(KEY), inner) | st.tuples(inner, inner),
    max_leaves=12,
)


@settings(max_examples=examples(200), deadline=None)
@given(VALUES)
def test_whatever_the_value_no_secret_is_left_and_a_second_time_changes_nothing(value):
    scrubber = Scrubber(environ=ENV)
    cleaned = scrubber(value)
    assert KEY not in repr(cleaned)
    assert "correct horse" not in repr(cleaned)
    assert scrubber(cleaned) is cleaned
    if KEY not in repr(value) and "correct horse" not in repr(value):
        assert cleaned is value


def test_threads_may_share_one(scrubber):
    wrong: list[Any] = []

    def work():
        for _ in range(200):
            scrubber.refresh()
            if scrubber([KEY]) != [PLACEHOLDER]:
                wrong.append(1)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
