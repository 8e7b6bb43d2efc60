"""Records that somebody else wrote: refused, without running or importing anything."""

import datetime as dt
import json
import random
import sys

import numpy as np
import pytest

from orchestration_kit.journal.codec import content_digest, decode, dumps, encode, loads
from orchestration_kit.journal.codec.reading import READERS
from orchestration_kit.journal.errors import JournalCorrupt, JournalError, UnknownType
from tests.journal.codec_cases import MOMENTS, OWN, PLAIN, Blobs
from tests.journal.codec_tables import ARRAYS, ARROW, TABLES

FORBIDDEN = (
    "import", "open", "exec", "compile", "subprocess.", "os.system", "os.exec", "os.posix_spawn", "os.spawn", "pickle.",
    "marshal.", "ctypes.", "socket.", "code.__new__", "function.__new__",
)  # fmt: skip
SEEN: list[tuple[str, str]] = []
WATCHING = [False]


def _watch(event, arguments):
    if WATCHING[0] and event.startswith(FORBIDDEN):
        SEEN.append((event, repr(arguments)[:200]))


sys.addaudithook(_watch)


@pytest.fixture
def watched():
    """Nothing forbidden happens during the test. What is imported by the first honest value is imported before."""
    for value in (PLAIN, MOMENTS, OWN, ARRAYS, TABLES, ARROW):
        loads(dumps(encode(value, "x")))
    SEEN.clear()
    yield
    WATCHING[0] = False
    assert SEEN == []


def read(body, get_blob=None):
    """Read a hostile body. Either it is a value after all, or it is refused as damaged: nothing else may come out."""
    WATCHING[0] = True
    try:
        return loads(body, get_blob)
    except JournalError as error:
        WATCHING[0] = False
        assert str(error)
        return error
    finally:
        WATCHING[0] = False


def test_the_watch_sees_what_it_watches_for():
    SEEN.clear()
    WATCHING[0] = True
    try:
        compile("1", "x", "eval")
        open("/dev/null").close()
        sys.modules.pop("this_is_nothing", None)
        with pytest.raises(ImportError):
            __import__("this_is_nothing")
    finally:
        WATCHING[0] = False
    assert {event for event, _ in SEEN} >= {"compile", "open", "import"}


TAGS = sorted(READERS)
ODD = [
    None, True, 0, -1, 2**62, 1.5, "", "x", "os.system", "../../etc/passwd", "AAAA", "====", "é", [], {}, [[]], [[], []],
    ["x"], ["x", {}], [1, 2, 3], ["object", [3], [1]], ["<f8", [1], "AAAA"], ["|O8", [1], "AAAAAAAAAAA="],
    ["<f8", [-1], ""], ["<f8", [10**18], ""], ["<f8", [0, 10**18, 10**18], ""], ["V8", [1], "AAAAAAAAAAA="],
    ["f8,f8", [0], ""], ["<U1", [1], "/////w=="], ["|b1", [1], "/w=="], ["<U999999999", [0], ""], {"blob": "x"},
    {"blob": "0" * 32}, {"blob": ["0" * 32]}, {"blob": "0" * 32, "x": 1}, ["os.system", {}], ["builtins.eval", {"x": 1}],
    ["list", [[1, 2]]], ["eval", []], ["table", "AAAA"], ["array", ""], ["masked", 1, 2], ["text", "python", "NA", [1]],
    ["text", "s3://x", "NA", []], ["categorical", 1, 2, True], ["arrow", 1], ["period", "__import__('os')", 1],
    ["period", "D" * 1000, 1], ["datetime", 1, 2], ["timestamp", "ns", 10**30, None], ["timestamp", "D", 1, None],
    ["range", 0, 10, 0, None], ["multi", [], [], [], None], ["multi", [1], [1], [1], 1], ["plain", 1, 2],
    ["posix", "x"], ["pure_posix", 1], [[1, 2, 3]], [[[], 1]], [[{}, 1]], "9" * 5000, "1e999999999999999999999",
    "2026-13-01", "Europe/../../../etc/passwd", "tzdata", "/etc/localtime", ["2026-01-01", {"tzinfo": "UTC"}, 0],
    ["2026-01-01", {"tzinfo": None}, 7], [10**12, 0, 0], [1, 0], ["orchestration_kit.WorkflowState", "nothing"],
    ["orchestration_kit.WorkflowState", ["completed"]], ["orchestration_kit.WorkflowState", {}],
    ["tests.journal.codec_cases.Finding", {}, None, None, None], ["tests.journal.codec_cases.Point", {"x": 1, "z": 2}],
    ["tests.journal.codec_cases.Access", 10**30], ["tests.journal.codec_cases.Key", {"name": "a"}, {"other": 1}],
    ["tests.journal.codec_cases.Place", {}], ["tests.journal.codec_cases.Finding", {"text": 1}, [1], {"x": 1}, {"y": 2}],
]  # fmt: skip


@pytest.mark.usefixtures("watched")
@pytest.mark.parametrize("tag", TAGS)
def test_a_tag_with_an_odd_payload_is_refused_or_harmless(tag):
    for payload in ODD:
        read(json.dumps({tag: payload}).encode())
        read(json.dumps([{tag: {tag: payload}}]).encode())


@pytest.mark.usefixtures("watched")
@pytest.mark.parametrize(
    "body",
    [
        '{"$pickle": "x"}', '{"$": 1}', '{"$py/object": "os.system"}', '{"$import": "os"}', '{"$dict": [], "x": 1}',
        '{"x": 1, "$tuple": []}', '{"\\u0024tuple": 1}', '{"\\u0024os": []}', '{"$tuple": [1], "$set": [1]}',
        '{"a": {"b": [{"$unknown": {}}]}}', '{"$tuple": {"$set": [1]}}', '{"$TUPLE": []}', '{"$dict ": []}',
    ],
)  # fmt: skip
def test_what_is_not_exactly_one_known_tag_is_refused(body):
    assert isinstance(read(body.encode()), JournalCorrupt)
    with pytest.raises(JournalCorrupt):
        decode(json.loads(body))


@pytest.mark.usefixtures("watched")
@pytest.mark.parametrize(
    "body",
    [
        b"", b" ", b"{", b"[1,]", b"{'a': 1}", b"nul", b"\xff\xfe", b"\xef\xbb\xbf{}", b"\xc3\x28", b"[1] [2]", b"NaN", b"[Infinity]",
        b"1e999", b"-1e999", b"[1e999]", b'{"$tuple":[1e999]}', b"9" * 1_000_000, b"[" * 100_000, b'{"a":' * 100_000,
        b"[" * 100_000 + b"]" * 100_000, b'{"$tuple":[' * 50_000 + b"]}" * 50_000, b'"\x00"', b"{1: 2}", b'{"a" 1}',
        '{"a": 1}'.encode("utf-16"), '{"a": 1}'.encode("utf-32"), b"1." + b"9" * 100 + b"e400",
    ],
)  # fmt: skip
def test_what_is_not_our_json_is_refused(body):
    assert isinstance(read(body), JournalCorrupt)


def test_plain_data_of_another_make_is_refused():
    deep = []
    for _ in range(100_000):
        deep = [deep]
    around = []
    around.append(around)
    for plain in ({1: "x"}, [dt.date(2026, 1, 1)], {"a": (1,)}, {"$tuple": (1,)}, object(), deep, around):
        with pytest.raises(JournalCorrupt):
            decode(plain)


def test_a_message_says_that_yaml_made_a_date_of_a_text():
    with pytest.raises(JournalCorrupt, match="a date that is not tagged; put quotes around text"):
        decode({"due": dt.date(2026, 1, 31)})


# Mutations


def _mutations(rng, plain):
    """Changes of a valid record: of its text, and of its parts."""
    text = bytearray(dumps(plain))
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(text))
        how = rng.randrange(4)
        if how == 0:
            text[at] = rng.randrange(256)
        elif how == 1:
            del text[at : at + rng.randint(1, 8)]
        elif how == 2:
            text[at:at] = text[rng.randrange(len(text)) :][: rng.randint(1, 12)]
        else:
            text[at:at] = rng.choice(
                [b'"$', b"[", b"]", b"{}", b"null", b"-", b"0", b'"', b"1e999", b"\\u0024", b"\\ud800"]
            )
        if not text:
            break
    yield bytes(text)
    yield json.dumps(_swapped(rng, plain)).encode()


def _swapped(rng, plain):
    if isinstance(plain, dict) and plain:
        return {
            (rng.choice(TAGS) if key[:1] == "$" and rng.random() < 0.1 else key): _swapped(rng, part)
            for key, part in plain.items()
        }
    if isinstance(plain, list) and plain:
        parts = [_swapped(rng, part) for part in plain]
        if rng.random() < 0.1:
            rng.shuffle(parts)
        if rng.random() < 0.05:
            parts.pop()
        return parts
    return rng.choice(ODD) if rng.random() < 0.08 else plain


@pytest.mark.usefixtures("watched")
@pytest.mark.parametrize("seed", range(8))
def test_a_damaged_record_is_refused_or_harmless(seed):
    rng = random.Random(seed)
    groups = [PLAIN, MOMENTS, OWN, ARRAYS, TABLES, ARROW]
    plains = [encode(value, "x") for group in groups for value in group.values()]
    for _ in range(125):
        for body in _mutations(rng, rng.choice(plains)):
            read(body)


# Blobs


@pytest.mark.usefixtures("watched")
def test_blobs_that_are_missing_or_changed_are_refused():
    blobs = Blobs()
    body = dumps(encode({"a": "x" * 20_000, "b": bytes(20_000)}, "x", blobs.put))
    assert isinstance(read(body), JournalCorrupt)
    assert isinstance(read(body, lambda digest: None), JournalCorrupt)
    assert isinstance(read(body, {}.__getitem__), JournalCorrupt)
    assert isinstance(read(body, lambda digest: b"other"), JournalCorrupt)
    assert isinstance(read(body, lambda digest: blobs.kept[digest] + b"x"), JournalCorrupt)


@pytest.mark.parametrize(
    "digest", ["", "x", "../" * 10 + "xx", "0" * 31, "0" * 33, "G" * 32, "0" * 31 + "\n", 5, None, []]
)
def test_only_a_digest_is_ever_looked_up(digest):
    asked = []
    for body in ({"$blob": digest}, {"$bytes": {"blob": digest}}):
        with pytest.raises(JournalCorrupt):
            loads(json.dumps(body), asked.append)
    assert asked == []


def test_a_blob_cannot_unfold_into_further_blobs():
    blobs = Blobs()
    inner = blobs.put(b"[1]")
    outer = blobs.put(json.dumps([{"$blob": inner}] * 10).encode())
    with pytest.raises(JournalCorrupt, match="a blob in a blob"):
        loads(json.dumps({"$blob": outer}), blobs.kept.get)


def test_the_digest_of_a_blob_stays_the_same():
    assert content_digest(b"") == "cae66941d9efbd404e4d88758ea67670"


# What libraries would do


@pytest.mark.usefixtures("watched")
def test_an_array_of_objects_is_never_made_of_bytes():
    for name in ("O", "|O", "|O8", "object_", "O8", "<O8"):
        assert isinstance(read(json.dumps({"$ndarray": [name, [1], "AAAAAAAAAAA="]})), JournalCorrupt)
        assert isinstance(read(json.dumps({"$numpy": [name, "AAAAAAAAAAA="]})), JournalCorrupt)


@pytest.mark.usefixtures("watched")
@pytest.mark.parametrize("zone", ["os.system", "../../etc/passwd", "tzdata", "dateutil/x", "UTC"])
def test_the_name_of_a_time_zone_is_not_looked_for_among_files_and_modules(zone):
    moments = encode(np.array(["2026-01-01"], "M8[ns]"), "x")
    assert isinstance(read(json.dumps({"$zoneinfo": zone})), JournalCorrupt) or zone == "UTC"
    assert isinstance(read(json.dumps({"$pandas": ["timestamp", "ns", 1, zone]})), JournalCorrupt)
    assert isinstance(read(json.dumps({"$pandas_array": ["datetime", moments, zone]})), JournalCorrupt)


def test_an_array_is_not_made_larger_than_what_it_holds():
    for shape in ([2**40], [2**31, 2**31], [2**61, 2**61, 0], [1] * 65):
        with pytest.raises(JournalCorrupt):
            loads(json.dumps({"$ndarray": ["<f8", shape, ""]}))


def test_a_restored_array_is_ones_own_and_can_be_changed():
    array = loads(dumps(encode(np.arange(3), "x")))
    array[0] = 5
    assert array.flags.owndata or array.base.flags.owndata


def test_an_extension_type_of_arrow_is_not_restored():
    import pyarrow as pa

    ran = []

    class Evil(pa.ExtensionType):
        def __init__(self):
            super().__init__(pa.int64(), "tests.evil")

        def __arrow_ext_serialize__(self):
            return b""

        @classmethod
        def __arrow_ext_deserialize__(cls, storage, serialized):
            ran.append(serialized)
            return cls()

    pa.register_extension_type(Evil())
    try:
        table = pa.table({"a": pa.ExtensionArray.from_storage(Evil(), pa.array([1]))})
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, table.schema) as stream:
            stream.write_table(table)
        ran.clear()
        import base64

        content = base64.b64encode(sink.getvalue().to_pybytes()).decode()
        assert isinstance(read(json.dumps({"$arrow": ["table", content]})), JournalCorrupt)
        assert ran == []
    finally:
        pa.unregister_extension_type("tests.evil")


def test_types_are_not_looked_for_in_modules():
    body = {"$dataclass": ["json.decoder.JSONDecoder", {}]}
    with pytest.raises(UnknownType):
        loads(json.dumps(body))
    with pytest.raises(UnknownType):
        loads(json.dumps({"$enum": ["http.HTTPStatus", "OK"]}))
