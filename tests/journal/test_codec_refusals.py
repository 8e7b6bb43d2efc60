"""What cannot be put on record: refused by name, with what to do instead."""

import array
import collections
import dataclasses
import datetime as dt
import enum
import sys
import types
from collections import defaultdict

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pydantic import BaseModel, SecretBytes, SecretStr
from sklearn.linear_model import LinearRegression

from orchestration_kit.errors import AttemptError
from orchestration_kit.journal.codec import dumps, encode, loads
from orchestration_kit.journal.errors import JournalUnavailable, NotRecordable
from tests.journal.codec_cases import Finding, Point


class Client:
    pass


class Text(str):
    __slots__ = ()


class Numbers(list):
    pass


class Config(dict):
    pass


class Table(pd.DataFrame):
    pass


@dataclasses.dataclass
class Failed(Exception):
    code: int


class Login(BaseModel):
    user: str
    token: SecretStr


class Zone(dt.tzinfo):
    def utcoffset(self, when):
        return dt.timedelta(0)

    def tzname(self, when):
        return "mine"

    def dst(self, when):
        return None


class Odd(enum.Flag):
    A = 1

    @classmethod
    def _missing_(cls, value):
        return cls.A


@dataclasses.dataclass
class Hidden:
    x: int

    @property
    def y(self):
        return 1


def refusal(value, where="output of step 'draft'"):
    with pytest.raises(NotRecordable) as caught:
        encode(value, where)
    return caught.value


def test_a_fitted_model_goes_to_a_file():
    error = refusal(LinearRegression().fit([[0.0], [1.0]], [0.0, 1.0]))
    assert "LinearRegression" in str(error)
    assert "Write it to a file, with joblib.dump(value, path); return the path." in str(error)


async def _never():
    pass


def _generator():
    yield 1


CASES = [
    (Client(), "Client", "no exact way", "a dataclass or a pydantic model"),
    (object(), "object", "no exact way", "Use plain data"),
    (Text("x"), "Text", "a subclass of str", "Use str(value)"),
    (Numbers([1]), "Numbers", "a subclass of list", "Use list(value)"),
    (Config(a=1), "Config", "a subclass of dict", "Use dict(value)"),
    (type("I", (int,), {})(3), "I", "a subclass of int", "Use int(value)"),
    (type("F", (float,), {})(3), "F", "a subclass of float", "Use float(value)"),
    (type("B", (bytes,), {})(b"x"), "B", "a subclass of bytes", "Use bytes(value)"),
    (sys.version_info, "version_info", "a subclass of tuple", "Use tuple(value)"),
    (type("O", (collections.OrderedDict,), {})(), "O", "a subclass of dict", "Use dict(value)"),
    (defaultdict(lambda: 1), "defaultdict", "its default_factory is code", "Use dict(value)"),
    (defaultdict(Client), "defaultdict", "its default_factory is code", "Use dict(value)"),
    (_generator(), "generator", "read only once", "list(value)"),
    (iter([1]), "list_iterator", "read only once", "list(value)"),
    (map(str, [1]), "map", "read only once", "list(value)"),
    (len, "builtin_function_or_method", "it is code", "its name"),
    (lambda: 1, "function", "it is code", "its name"),
    (Client, "type", "it is code", "its name"),
    (Point, "type", "it is code", "its name"),
    (Finding, "ModelMetaclass", "it is code", "its name"),
    (sys, "module", "it is code", "its name"),
    (ValueError("x"), "ValueError", "an error holds its stack", "str(error)"),
    (Failed(3), "Failed", "a subclass of Exception", "a field of its own"),
    (memoryview(b"x"), "memoryview", "a window", "bytes(value)"),
    (types.MappingProxyType({}), "mappingproxy", "no exact way", "dict(value)"),
    (types.SimpleNamespace(a=1), "SimpleNamespace", "no exact way", "vars(value)"),
    (array.array("i", [1]), "array.array", "no exact way", "value.tolist()"),
    (SecretStr("s"), "SecretStr", "a secret must not reach a journal", "from the environment"),
    (SecretBytes(b"s"), "SecretBytes", "a secret must not reach a journal", "from the environment"),
    (Zone(), "Zone", "only the time zones of the standard library", "zoneinfo.ZoneInfo"),
    (Table({"a": [1]}), "Table", "a subclass of DataFrame", "pandas.DataFrame(value)"),
    (np.ma.array([1]), "MaskedArray", "a subclass of numpy.ndarray", "value.filled(...)"),
    (np.rec.array([(1,)]), "recarray", "a subclass of numpy.ndarray", "numpy.array(value, subok=False)"),
    (np.zeros(2, dtype="i4,f8"), "numpy.ndarray", "its dtype has fields", "pandas.DataFrame(value)"),
    (np.zeros(2, dtype="V8"), "numpy.ndarray", "no exact form", "astype(object)"),
    (np.array(["a"], dtype=np.dtypes.StringDType()), "numpy.ndarray", "no exact form", "astype(object)"),
    (pd.arrays.SparseArray([0, 1]), "SparseArray", "no exact form", "sparse.to_dense()"),
    (pd.Series(pd.arrays.SparseArray([0, 1])), "SparseArray", "no exact form", "sparse.to_dense()"),
    (pd.offsets.Day(), "Day", "no exact way", "plain data"),
    (pa.scalar(1), "Int64Scalar", "scalars of Arrow", "value.as_py()"),
    (pa.array([b"0" * 16], pa.uuid()), "UuidArray", "an extension type", "storage type"),
]  # fmt: skip


@pytest.mark.parametrize(("value", "name", "reason", "hint"), CASES)
def test_a_value_without_an_exact_form_is_refused_with_what_to_do(value, name, reason, hint):
    error = refusal({"a": value})
    assert error.where == "output of step 'draft' at ['a']"
    assert error.type_name.rpartition(".")[2] == name.rpartition(".")[2]
    assert reason in error.reason
    assert hint in error.hint
    assert isinstance(error, AttemptError)
    if type(value).__name__ == "generator":
        value.close()


def test_a_coroutine_is_refused():
    coroutine = _never()
    error = refusal(coroutine)
    coroutine.close()
    assert "it was not awaited" in str(error)


def test_the_message_names_the_place_the_type_and_what_to_do():
    error = refusal({"rows": [1, 2, 3, {"client": Client()}]})
    assert str(error) == (
        "output of step 'draft' at ['rows'][3]['client'] is tests.journal.test_codec_refusals.Client, which cannot be put on "
        "record: there is no exact way to write it. Use plain data instead (dict, list, text, numbers), a dataclass or a "
        "pydantic model; keep clients, open files and connections out of outputs and of the data bus."
    )


@pytest.mark.parametrize(
    ("value", "place"),
    [
        (Client(), ""),
        ([Client()], " at [0]"),
        ((1, Client()), " at [1]"),
        ({1: {2.5: Client()}}, " at [1][2.5]"),
        ({"$a": Client()}, " at ['$a']"),
        ({("a", 1): Client()}, " at [('a', 1)]"),
        ({Client(): 1}, " at key tests.journal.test_codec_refusals.Client"),
        (Point(1.0, [Client()]), " at .y[0]"),
        (Finding.model_construct(text=Client()), " at .text"),
        (Login(user="u", token="t"), " at .token"),
        (pd.DataFrame({"n": [1, 2], "c": [None, Client()]}), " at ['c'][1]"),
        (pd.Series([Client()]), " at [0]"),
        (np.array([[1, Client()]], dtype=object), " at [1]"),
        (dt.datetime(2026, 1, 1, tzinfo=Zone()), " at .tzinfo"),
        ({"x" * 100: Client()}, " at ['" + "x" * 100 + "']"),
        ({("x" * 100,): Client()}, " at [('" + "x" * 57 + "…]"),
    ],
)
def test_the_path_leads_to_the_part(value, place):
    assert refusal(value).where == "output of step 'draft'" + place


def test_attrs_of_a_frame_are_named_too():
    frame = pd.DataFrame({"a": [1]})
    frame.attrs["client"] = {"of": "x"}
    frame.attrs["client"]["of"] = Text("x")
    assert refusal(frame, "data['t']").where == "data['t'] at .attrs['client']['of']"


def test_a_value_that_contains_itself_is_refused():
    around = {}
    around["again"] = [around]
    error = refusal(around)
    assert "more than 200 levels deep, or contains itself" in str(error)
    assert len(str(error)) < 500


def test_a_flag_whose_class_makes_up_members_is_refused():
    made = object.__new__(Odd)
    made._name_, made._value_ = None, 6
    assert "no member of its own Enum" in refusal(made).reason


def test_a_model_without_one_of_its_fields_is_refused():
    assert "its field 'text' has no value" in str(refusal(Finding.model_construct()))


def test_a_model_with_attributes_of_no_field_is_refused():
    model = Finding(text="x")
    model.__dict__["more"] = 1
    assert "attributes beside its fields (more)" in str(refusal(model))


def test_a_dataclass_without_one_of_its_fields_is_refused():
    point = Point(1.0)
    del point.x
    assert "its field 'x' has no value" in str(refusal(point))


def test_a_frequency_that_its_name_does_not_tell_is_refused():
    index = pd.date_range("2026-01-01", periods=2, freq=pd.offsets.CustomBusinessDay(holidays=["2026-01-02"]))
    assert "has no exact form" in str(refusal(index))
    index.freq = None
    assert loads(dumps(encode(index, "x"))).equals(index)


def test_plain_data_is_needed_by_dumps():
    with pytest.raises(TypeError, match=r"object is not plain data; give it to encode\(\) first"):
        dumps({"a": object()})


@pytest.fixture
def no_pyarrow(monkeypatch):
    def hide():
        for name in [name for name in sys.modules if name.partition(".")[0] == "pyarrow"]:
            monkeypatch.setitem(sys.modules, name, None)

    return hide


def test_without_pyarrow_its_values_are_refused_with_what_to_install(no_pyarrow):
    table = pa.table({"a": [1]})
    body = dumps(encode(table, "x"))
    no_pyarrow()
    error = refusal(table)
    assert error.hint == "Install it: pip install 'orchestration-kit[arrow]'."
    with pytest.raises(JournalUnavailable, match=r"pip install 'orchestration-kit\[arrow\]'"):
        loads(body)


def test_without_pyarrow_frames_of_texts_and_numbers_are_kept(no_pyarrow):
    frame = pd.DataFrame({"a": [1, 2], "b": pd.array(["x", None], dtype=pd.StringDtype("python"))})
    no_pyarrow()
    assert loads(dumps(encode(frame, "x"))).equals(frame)
