import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestration_kit.engine.data import DataView
from orchestration_kit.journal.codec import BLOB_BYTES, dumps, encode, loads
from orchestration_kit.journal.codec.kinds import zone_names
from tests.journal.codec_cases import CASES, DEEP, PLAIN, Blobs, back, back_from_blobs, back_from_plain, nested
from tests.journal.codec_equality import exact
from tests.laws import examples


@pytest.mark.parametrize("through", [back, back_from_blobs, back_from_plain])
@pytest.mark.parametrize("value", CASES.values(), ids=CASES.keys())
def test_a_value_comes_back_equal_and_of_the_same_type(value, through):
    assert exact(value, value)
    assert exact(through(value), value)


@pytest.mark.parametrize("value", CASES.values(), ids=CASES.keys())
def test_the_same_value_is_written_the_same_way(value):
    assert dumps(encode(value, "x")) == dumps(encode(value, "x"))


def test_sets_are_written_in_one_order_whatever_order_they_have():
    assert encode({"b", "a", "c"}, "x") == encode({"c", "b", "a"}, "x") == {"$set": ["a", "b", "c"]}


def test_plain_data_is_not_copied():
    value = {"a": [1, {"b": "x"}]}
    assert encode(value, "x") is value
    assert encode(value, "x", Blobs().put) is value


def test_the_data_bus_comes_back_as_a_plain_dict():
    view = DataView({"n": [1], "t": (1, 2)})
    assert exact(back(view), {"n": [1], "t": (1, 2)})


# Depth


def depth(value):
    count = 0
    while not isinstance(value, str):
        value = (
            next(iter(value.values())) if isinstance(value, dict)
            else value[0] if isinstance(value, (list, tuple))
            else getattr(value, "content", None) or value.y
        )  # fmt: skip
        count += 1
    return count


def far_down(frames, call):
    return call() if frames == 0 else far_down(frames - 1, call)


@pytest.mark.parametrize("value", DEEP.values(), ids=DEEP.keys())
@pytest.mark.parametrize("through", [back, back_from_blobs, back_from_plain])
def test_two_hundred_levels_come_back_even_on_a_full_stack(value, through):
    restored = far_down(300, lambda: through(value))
    assert type(restored) is type(value)
    assert depth(restored) == 200


# Hypothesis

TEXTS = st.text(st.characters(exclude_categories=()), max_size=8)
TAGS = st.sampled_from(
    [
        "$dict",
        "$tuple",
        "$datetime",
        "$blob",
        "$bytes",
        "$str",
        "$model",
        "$ndarray",
        "$dataframe",
        "$",
        "$x",
        "blob",
        "\\u0024",
        '"$',
    ]
)
ZONES = st.timezones().filter(lambda zone: zone.key in zone_names())
LEAVES = (
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS | TAGS | st.binary(max_size=20) | st.complex_numbers()
    | st.datetimes(timezones=st.none() | ZONES) | st.dates() | st.times() | st.timedeltas() | st.decimals()
    | st.fractions() | st.uuids() | st.sampled_from(list(PLAIN["enums"]) + list(PLAIN["surrogates"]))
)  # fmt: skip
HASHABLE = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXTS | TAGS | st.binary(max_size=5) | st.dates(),
    lambda parts: st.tuples(parts, parts) | st.frozensets(parts, max_size=3),
    max_leaves=4,
)
KEYS = TAGS | TEXTS
VALUES = st.recursive(
    LEAVES,
    lambda parts: (
        st.lists(parts, max_size=4) | st.tuples(parts) | st.tuples(parts, parts) | st.dictionaries(KEYS, parts, max_size=4)
        | st.dictionaries(HASHABLE, parts, max_size=3) | st.sets(HASHABLE, max_size=3)
    ),
    max_leaves=20,
)  # fmt: skip
FORGERIES = st.recursive(
    LEAVES,
    lambda parts: st.dictionaries(KEYS, parts, min_size=1, max_size=2) | st.lists(parts, max_size=3),
    max_leaves=12,
)


@settings(max_examples=examples(200), deadline=None)
@given(VALUES)
def test_any_value_comes_back(value):
    assert exact(back(value), value)
    assert exact(back_from_plain(value), value)
    assert exact(back_from_blobs(value), value)


@settings(max_examples=examples(200), deadline=None)
@given(FORGERIES)
def test_data_that_looks_like_a_tag_comes_back_as_the_data_it_was(value):
    assert exact(back(value), value)


@settings(max_examples=examples(200), deadline=None)
@given(VALUES)
def test_a_record_of_a_value_is_itself_data_that_comes_back(value):
    plain = encode(value, "x")
    assert exact(back(plain), plain)
    assert exact(back(encode(plain, "x")), encode(plain, "x"))


# Blobs


def test_each_large_part_is_a_blob_of_its_own_and_stored_once():
    blobs = Blobs()
    value = {"a": "x" * 20_000, "b": "x" * 20_000, "c": bytes(20_000), "d": "short"}
    plain = encode(value, "x", blobs.put)
    assert len(blobs.kept) == 2
    assert len(dumps(plain)) < 300
    assert plain["d"] == "short"
    assert loads(dumps(plain), blobs.kept.get) == value


@pytest.mark.parametrize("more", [{}, {"t": (1, 2)}])
def test_a_value_whose_parts_are_small_but_many_is_one_blob(more):
    blobs = Blobs()
    value = {"rows": [{"n": n, "text": "x" * 50} for n in range(1000)], **more}
    plain = encode(value, "x", blobs.put)
    assert list(plain) == ["$blob"]
    assert len(blobs.kept) == 1
    assert exact(loads(dumps(plain), blobs.kept.get), value)


def test_a_value_under_the_limit_stays_in_place():
    blobs = Blobs()
    assert encode("x" * BLOB_BYTES, "x", blobs.put) == "x" * BLOB_BYTES
    assert not blobs.kept


def test_without_a_place_for_blobs_everything_stays_in_place():
    value = {"text": "x" * 100_000, "bytes": bytes(100_000)}
    assert back(value) == value


def test_an_error_of_the_place_where_blobs_are_kept_is_passed_on():
    class Gone(OSError):
        pass

    def get(digest):
        raise Gone("the disk went away")

    blobs = Blobs()
    body = dumps(encode(bytes(20_000), "x", blobs.put))
    with pytest.raises(Gone):
        loads(body, get)


# Imports


def test_plain_data_imports_none_of_the_heavy_libraries():
    code = (
        "import sys\n"
        "from datetime import datetime\n"
        "from orchestration_kit.journal.codec import decode, dumps, encode, loads\n"
        "value = {'a': [1, 'x', datetime(2026, 1, 1), (1, 2), {1: 2}, b'x']}\n"
        "assert loads(dumps(encode(value, 'x'))) == value\n"
        "assert decode(encode(value, 'x')) == value\n"
        "print([name for name in ('numpy', 'pandas', 'pyarrow') if name in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_numpy_needs_neither_pandas_nor_pyarrow():
    code = (
        "import sys, numpy\n"
        "from orchestration_kit.journal.codec import dumps, encode, loads\n"
        "loads(dumps(encode(numpy.arange(3), 'x')))\n"
        "print([name for name in ('pandas', 'pyarrow') if name in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_nested_value_just_past_the_limit_is_refused():
    from orchestration_kit.journal.errors import NotRecordable

    with pytest.raises(NotRecordable, match="more than 200 levels deep"):
        encode(nested(202, lambda value: [value]), "x")
