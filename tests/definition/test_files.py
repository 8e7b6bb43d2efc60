"""Workflow files: what is written is read back, and nothing that is read is executed."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from orchestration_kit import Branch, RetryPolicy, WorkerType, WorkflowDefinition, WorkflowStep
from orchestration_kit.definition.files import MAX_CHARACTERS, MAX_DEPTH, dump_yaml, parse_json, parse_yaml
from orchestration_kit.definition.ids import FORBIDDEN_IN_STEP_IDS
from orchestration_kit.errors import WorkflowFileError
from tests.hostile import PAYLOADS
from tests.laws import examples

GOOD = "name: a\ninitial_step: s\nsteps:\n  s:\n    worker_type: generic\n    is_terminal: true\n"

NASTY = (
    "on", "off", "yes", "no", "y", "n", "Y", "N", "On", "NO", "true", "True", "TRUE", "false", "null", "Null", "NULL", "~", "", " ", "1", "-1", "+1",
    "0", "00", "01", "1e3", "1E3", "1.", ".5", "-.5", "1.5", "1_000", "0x10", "0o17", "017", "0b1", "12:30", "12:30:45", "190:20:30", "2024-01-01",
    "2024-01-01 10:00:00", "2024-01-01T10:00:00Z", ".inf", "-.inf", "inf", "-inf", ".nan", ".NaN", "nan", "NaN", "-", "--", "---", "...", "=", "<<",
    "- a", "a: b", "a:", ": a", "? a", "# a", "a # b", "a #b", "&a", "*a", "!a", "!!str a", "%a", "@a", "`a", "|", "|-", ">", ">+", "[a]", "{a: b}", "{", "]", ",",
    "'", '"', "'a'", '"a"', "it's", 'say "x"', "\\", "\\n", "a\\", "  two", "two  ", "\ttab", "a\tb", "a\nb", "\na", "a\n", "a\n\n", "\n", "  a\n b\n",
    "line one\nline two: yes\n# three\n", "a\r\nb", "a\rb", "\x85", "\u2028", "\u2029", "\ufeff", "\ufeffa", "\xa0", "é", "日本", "👩‍🚀", "\x00", "\x07", "\x1b[31m",
    "\x7f", "\ud7ff", "\ue000", "\ufffd", "\ufffe", "\U0010ffff", "1\u0663", "x" * 500, "word " * 200, "-\n-\n",
)  # fmt: skip

TEXT = st.sampled_from(NASTY) | st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
NAMES = TEXT.map(lambda text: text[:200] or "x")
STEP_IDS = NAMES.map(lambda text: "".join(c for c in text if c.isprintable() and c not in FORBIDDEN_IN_STEP_IDS) or "x")
FLOATS = st.floats(0, 1e9)
POLICIES = st.builds(
    RetryPolicy,
    backoff_s=FLOATS,
    multiplier=st.floats(1, 10),
    max_backoff_s=FLOATS,
    jitter=st.floats(0, 1),
    retry_on=st.lists(TEXT, max_size=2).map(tuple),
)


@st.composite
def steps(draw: st.DrawFn, step_id: str) -> WorkflowStep:
    is_terminal = draw(st.booleans())
    return WorkflowStep(
        step_id=step_id,
        worker_type=draw(st.sampled_from(WorkerType) | NAMES),
        description=draw(TEXT),
        on_success=draw(st.none() | STEP_IDS),
        on_failure=draw(st.none() | STEP_IDS),
        is_terminal=is_terminal,
        max_retries=draw(st.integers(0, 1_000_000)),
        worker=draw(st.none() | TEXT),
        branches=tuple(draw(st.lists(st.builds(Branch, when=TEXT, to=STEP_IDS, label=TEXT), max_size=2))),
        success_when=draw(st.none() | TEXT),
        retry=draw(st.none() | POLICIES),
        timeout_s=draw(st.none() | st.floats(1e-6, 1e9)),
        outcome=draw(st.sampled_from(["completed", "failed"])) if is_terminal else "completed",
        reads=tuple(draw(st.lists(TEXT, max_size=2))),
        writes=tuple(draw(st.lists(TEXT, max_size=2))),
    )


@st.composite
def definitions(draw: st.DrawFn) -> WorkflowDefinition:
    ids = draw(st.lists(STEP_IDS, max_size=3, unique=True))
    return WorkflowDefinition(
        name=draw(NAMES),
        description=draw(TEXT),
        goal=draw(TEXT),
        initial_step=draw(st.none() | STEP_IDS),
        steps={step_id: draw(steps(step_id)) for step_id in ids},
    )


@settings(max_examples=examples(100), deadline=None)
@given(definitions())
def test_what_is_written_is_read_back_the_same(workflow):
    assert WorkflowDefinition.from_json(workflow.to_json()) == workflow
    assert WorkflowDefinition.from_yaml(workflow.to_yaml()) == workflow
    assert WorkflowDefinition.from_dict(workflow.to_dict()) == workflow
    assert WorkflowDefinition.from_dict(json.loads(json.dumps(workflow.to_dict()))) == workflow


@pytest.mark.parametrize("text", NASTY, ids=ascii)
def test_nasty_text_stays_the_text_it_is_everywhere(text):
    data = {"k": text, "list": [text], text: {text: [[text]]}}
    assert parse_yaml(dump_yaml(data)) == data
    assert parse_json(json.dumps(data)) == data


@pytest.mark.parametrize("text", [text for text in NASTY if "\r" not in text], ids=ascii)
def test_other_readers_of_yaml_find_the_same_text_in_what_is_written(text):
    assert yaml.safe_load(dump_yaml({"k": text})) == {"k": text}


@settings(max_examples=examples(200), deadline=None)
@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers(-(10**30), 10**30)
        | st.floats(allow_nan=False, allow_infinity=False)
        | TEXT,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
        max_leaves=10,
    )
)
@example([1e22, 1e-7, 5e-324, 1.7976931348623157e308, -0.0, 123456789012345678])
def test_plain_data_goes_through_yaml_unchanged(data):
    assert parse_yaml(dump_yaml(data)) == data
    assert str(parse_yaml(dump_yaml(data))) == str(data)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("on", "on"), ("yes", "yes"), ("No", "No"), ("2024-01-01", "2024-01-01"), ("0x10", "0x10"), ("1_000", "1_000"), ("12:30", "12:30"), ("Null", "Null"),
        ("TRUE", "TRUE"), (".inf", ".inf"), ("nan", "nan"), ("<<", "<<"), ("=", "="), ("null", None), ("~", None), ("", None), ("true", True), ("false", False),
        ("7", 7), ("-7", -7), ("1e3", 1000.0), (".5", 0.5), ("'7'", "7"), ('"true"', "true"), ("'~'", "~"), ("|-\n  a\n  b", "a\nb"), ("-.nan", "-.nan"), ("-nan", "-nan"),
    ],
)  # fmt: skip
def test_unquoted_scalars_are_read_as_json_reads_them(written, read):
    value = parse_yaml(f"k: {written}\n")["k"]
    assert (value, type(value)) == (read, type(read))


def test_a_file_may_begin_with_a_comment_a_directive_or_a_byte_order_mark():
    workflow = WorkflowDefinition.from_yaml(GOOD)
    for text in (
        "# ours\n" + GOOD,
        "%YAML 1.1\n---\n" + GOOD,
        "\ufeff" + GOOD,
        "---\n" + GOOD,
        GOOD.replace("\n", "\r\n"),
    ):
        assert WorkflowDefinition.from_yaml(text) == workflow


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name: &x y\ndescription: *x\n", "line 1, column 7 holds the alias or anchor 'x'. Write the value out"),
        ("name: *x\n", "line 1, column 7 holds the alias or anchor 'x'"),
        ("&a [1]\n", "the alias or anchor 'a'"),
        ("!!python/object/apply:os.system ['id']\n", "the tag 'tag:yaml.org,2002:python/object/apply:os.system'. Plain text"),
        ("name: !!python/name:os.system\n", "line 1, column 7 holds the tag"),
        ("name: !!str x\n", "holds the tag 'tag:yaml.org,2002:str'"),
        ("name: !mine x\n", "holds the tag '!mine'"),
        ("name: ! x\n", "holds the tag '!'"),
        ("steps: !!map {}\n", "holds the tag"),
        ("name: !!binary aGk=\n", "holds the tag"),
        (GOOD + "---\nname: b\n", "line 7, column 1 holds a second document. One file holds one workflow."),
        ("name: a\nname: b\n", "the key 'name' stands twice in one mapping. Keep one of the two."),
        ("steps: {s: {worker_type: a, worker_type: b}}", "the key 'worker_type' stands twice"),
        ("1: x\n", "holds the key 1, which is not text. Put the key into quotes."),
        ("0: x\n", "holds the key 0, which is not text"),
        ("null: x\n", "holds the key None, which is not text"),
        ("false: x\n", "holds the key False, which is not text"),
        ("? []\n: x\n", "holds the key [], which is not text"),
        ("? {}\n: x\n", "holds the key {}, which is not text"),
        ("? [a]\n: x\n", "holds the key ['a'], which is not text"),
        ("name: [\n", "YAML: while parsing a flow node"),
        ("name: 'a\x00b'", "YAML: unacceptable character #x0000"),
        ("name: \ud800", "YAML: 'utf-8' codec can't encode"),
        ("name: a\n\tb: c", "found a tab character"),
        ("[" * (MAX_DEPTH + 1), f"line 1, column 65 holds more than {MAX_DEPTH} levels. Nest less."),
        ("{a: " * 1000, f"more than {MAX_DEPTH} levels"),
        ("- " * 100_000, f"more than {MAX_DEPTH} levels"),
        ("x" * (MAX_CHARACTERS + 1), "it has 10,000,001 characters. A workflow file has at most 10,000,000."),
    ],
    ids=lambda value: ascii(value[:30]),
)  # fmt: skip
def test_yaml_that_is_more_than_plain_data_is_refused_with_place_and_remedy(text, said):
    with pytest.raises(WorkflowFileError) as caught:
        WorkflowDefinition.from_yaml(text)
    assert said in str(caught.value)
    assert str(caught.value).startswith("This is not a workflow file: ")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"name": "a", "name": "b"}', "the key 'name' stands twice"),
        ('{"name": NaN}', "it holds NaN. JSON numbers are finite."),
        ('{"name": -Infinity}', "it holds -Infinity"),
        ("", "JSON: Expecting value: line 1 column 1"),
        ('{"name": "a"', "JSON: Expecting ',' delimiter"),
        ('{"name": "a"} {"name": "b"}', "JSON: Extra data"),
        ("{'name': 'a'}", "JSON: Expecting property name"),
        ('\ufeff{"name": "a"}', "JSON: Unexpected UTF-8 BOM"),
        ("[" * 1_000_000, "it is nested too deeply. At most 64 levels are read."),
        ('{"a":' * 1_000_000, "it is nested too deeply"),
        ('{"name": ' + "9" * 5_000 + "}", "JSON: Exceeds the limit"),
        (" " * (MAX_CHARACTERS + 1), "10,000,001 characters"),
        ('{"name": "\\ud800"}', "name: Input should be a valid string"),
    ],
    ids=lambda value: ascii(value[:30]),
)
def test_text_that_is_no_json_is_refused_with_place_and_remedy(text, said):
    with pytest.raises(WorkflowFileError) as caught:
        WorkflowDefinition.from_json(text)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (None, "it holds NoneType. It is a mapping with name, initial_step, steps."), ([], "it holds list"), ("text", "it holds str"), (7, "it holds int"),
        ({}, "name: Field required. Mend these fields"), ({1: 2}, "it holds the key 1, which is not text. Its keys are field names."), ({None: 2}, "the key None"),
        ({"name": "a", "step": {}}, "WorkflowDefinition has no field 'step'. Did you mean 'steps'"), ({"name": 5}, "name: Input should be a valid string"),
        ({"name": "a", "steps": []}, "steps: Input should be a valid dictionary"), ({"name": "a", "steps": None}, "steps: Input should be"),
        ({"name": "a", "steps": {"s": 1}}, "steps.s: Input should be a valid dictionary"), ({"name": "a", "steps": {"s": {}}}, "steps.s.worker_type: Field required"),
        ({"name": "a", "steps": {"s": {"worker_type": "w", 1: 2}}}, "WorkflowStep has no field '1'"), ({"name": "a", "steps": {1: {"worker_type": "w"}}}, "steps.1"),
        ({"name": "a", "steps": {"s": {"worker_typ": "w"}}}, "steps.s: WorkflowStep has no field 'worker_typ'. Did you mean 'worker_type'"),
        ({"name": "a", "steps": {"s": {"worker_type": "w", "step_id": "t"}}}, "the workflow: the step under 's' calls itself 't'"),
        ({"name": "a", "steps": {"s": {"worker_type": "w", "branches": [{"wen": "true", "to": "b"}]}}}, "steps.s.branches.0: Branch has no field 'wen'. Did you mean 'when'"),
        ({"name": "a", "steps": {"s": {"worker_type": "w", "retry": {"backoff": 1}}}}, "steps.s.retry: RetryPolicy has no field 'backoff'. Did you mean 'backoff_s'"),
        ({"name": "a", "steps": {"s": {"worker_type": "w", "timeout_s": 1e999}}}, "steps.s.timeout_s: Input should be a finite number"),
        ({"name": "a", "steps": {"s#": {"worker_type": "w"}}}, "step id 's#' holds '#'"),
    ],
    ids=lambda value: ascii(value)[:40],
)  # fmt: skip
def test_data_that_is_no_workflow_is_refused_naming_each_wrong_field(data, said):
    with pytest.raises(WorkflowFileError) as caught:
        WorkflowDefinition.from_dict(data)
    assert said in str(caught.value)


def test_all_wrong_fields_are_told_at_once_but_not_hundreds_of_them():
    few = {"name": "a", "steps": {f"s{n}": {"worker_type": "w", "max_retries": "x"} for n in range(3)}}
    many = {"name": "a", "steps": {f"s{n}": {"worker_type": "w", "max_retries": "x"} for n in range(300)}}
    with pytest.raises(WorkflowFileError) as caught:
        WorkflowDefinition.from_dict(few)
    assert all(f"steps.s{n}.max_retries" in str(caught.value) for n in range(3))
    with pytest.raises(WorkflowFileError, match="and 290 more"):
        WorkflowDefinition.from_dict(many)


def test_hostile_files_are_read_or_refused_and_nothing_is_executed():
    """200 files in a process of their own, watched by an audit hook, which cannot be taken off again."""
    hostile = [
        *[f"!!python/{kind}:{target} ['id']" for kind in ("object/apply", "object/new", "name", "module", "object") for target in ("os.system", "subprocess.Popen", "builtins.eval", "builtins.open", "antigravity")],
        *[f"name: !!python/{kind} x" for kind in ("tuple", "bytes", "str", "int", "complex", "dict")],
        "a: &a [1]\nb: [*a, *a]", "&a [*a]", "\n".join(["a0: &a0 [x, x]", *[f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]" for n in range(1, 30)]]),
        "<<: {name: x}", "__class__: x", "name: {__class__: os}", "name: '{{ 7*7 }}'", "steps: {s: {worker_type: w, success_when: '__import__(\"os\").system(\"id\")'}}",
        '{"__reduce__": ["os.system", "id"]}', '{"py/object": "os.system"}', '{"__main__": {"py/reduce": []}}', '{"$ref": "file:///etc/passwd"}',
        "name: !include /etc/passwd", "%TAG ! tag:x,2000:\n---\nname: !y z", "name: @import(x)", "cos\nsystem\n(S'id'\ntR.", "\x80\x04\x95", "[" * 5000, "{" * 5000, "? " * 3000,
        "name: x\nsteps: {s: {worker_type: w, branches: [{when: 'data.__class__.__bases__[0]', to: s}]}}", "name: x\nexecutor: os.system", "name: x\nsteps: {s: {worker_type: w, executor: os.system}}",
        *PAYLOADS[:120], *[f"name: {payload!r}\nsteps: {{}}" for payload in PAYLOADS[:40]],
    ]  # fmt: skip
    assert len(hostile) >= 200
    code = """
        import json, sys
        from orchestration_kit import WorkflowDefinition
        from orchestration_kit.errors import WorkflowFileError
        hostile = json.loads(sys.stdin.read())
        # Load every module that reading, checking and refusing needs, so that only what a file does is seen.
        for text in ("name: x\\nsteps: {s: {worker_type: w, is_terminal: true, success_when: 'output.x'}}\\ninitial_step: s", "name: ["):
            try:
                good = WorkflowDefinition.from_yaml(text)
                good.validate()
            except WorkflowFileError as error:
                str(error)
        for text in ('{"name": "x"}', "{"):
            try:
                WorkflowDefinition.from_json(text)
            except WorkflowFileError as error:
                str(error)
        good.to_yaml(), good.fingerprint(), str(good.problems())
        seen = []
        WATCHED = ("import", "exec", "compile", "open", "subprocess", "os.", "socket", "pickle", "shutil", "ctypes", "marshal", "code.")
        sys.addaudithook(lambda event, args: event.startswith(WATCHED) and seen.append((event, repr(args)[:200])))
        read = refused = 0
        for text in hostile:
            for load in (WorkflowDefinition.from_yaml, WorkflowDefinition.from_json):
                try:
                    load(text).problems()
                    read += 1
                except WorkflowFileError as error:
                    assert str(error)
                    refused += 1
        print(json.dumps({"seen": seen, "read": read, "refused": refused}))
    """
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(code)], input=json.dumps(hostile), capture_output=True, text=True, timeout=60
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["seen"] == []
    assert told["refused"] > 200
    assert told["read"] + told["refused"] == 2 * len(hostile)
    print(
        f"{len(hostile)} hostile files: {told['refused']} refused, {told['read']} read as plain text, nothing executed"
    )
