"""The code of a cell as a worker: what it sees, what it gives, what it leaves behind."""

from __future__ import annotations

import asyncio

import pytest

from orchestration_kit.widgets.cells.body import body_of_code, body_of_function
from orchestration_kit.widgets.cells.errors import BadBody


def made(source, **variables):
    return body_of_code("s", source, filename="<cell>", namespace=lambda: variables)


def call(source, given=None, context=None, **variables):
    return made(source, **variables).worker.executor(given, context)


def test_the_last_expression_is_the_output():
    assert call("x = input * 2\nx + 1", 20) == 41


def test_it_sees_input_context_and_the_variables_of_the_notebook():
    assert call("(input, context, factor)", 1, "context", factor=3) == (1, "context", 3)


def test_what_it_assigns_is_gone_with_the_visit():
    space = {"count": 0}
    body = body_of_code("s", "count = count + 1\ncount", filename="<cell>", namespace=lambda: space)
    assert [body.worker.executor(None, None) for _ in range(3)] == [1, 1, 1]
    assert space == {"count": 0}


def test_it_sees_variables_as_they_are_when_it_is_called():
    space = {"word": "old"}
    body = body_of_code("s", "word", filename="<cell>", namespace=lambda: space)
    space["word"] = "new"
    assert body.worker.executor(None, None) == "new"


def test_functions_comprehensions_and_classes_in_it_see_its_own_names():
    source = "base = 10\ndef add(x):\n    return x + base\nclass C:\n    y = base\n[add(x) + C.y for x in range(2)]"
    assert call(source) == [20, 21]


def test_it_may_await():
    source = "import asyncio\nawait asyncio.sleep(0)\nasync def f():\n    return 5\n(await f()) + input"
    body = made(source)
    assert asyncio.iscoroutinefunction(body.worker.executor)
    assert asyncio.run(body.worker.executor(1, None)) == 6


def test_none_may_be_put_out_where_that_is_said():
    assert call("x = 1\nNone") is None


@pytest.mark.parametrize(
    ("source", "line", "words"),
    [
        ("", None, ["it is empty"]),
        ("# nothing\n", None, ["it is empty"]),
        ("x = 1\nresult = x + 1", 2, ["`result = x + 1`", "would put out nothing", "as the last line: `result`"]),
        ("for x in []:\n    x", 1, ["`for x in []:`"]),
        ("if True:\n    return 1\n2", 2, ["no `return`", "its last expression is the output", '@step("s")']),
        ("[1]\nyield 2", 2, ["no `yield`"]),
    ],
)
def test_what_cannot_be_a_worker_is_refused_before_anything_runs(source, line, words):
    with pytest.raises(BadBody) as caught:
        made(source)
    assert caught.value.line == line
    for word in words:
        assert word in str(caught.value)


def test_functions_within_it_may_return_and_yield():
    assert call("def f():\n    return 1\ndef g():\n    yield 2\n[f(), *g()]") == [1, 2]


def test_a_slip_in_python_is_a_syntax_error_with_its_line():
    with pytest.raises(SyntaxError) as caught:
        made("x = 1\nx ==== 2")
    assert (caught.value.filename, caught.value.lineno) == ("<cell>", 2)


def test_flags_of_the_compiler_are_the_notebooks_and_not_ours():
    source = "def f(x: undefined): pass\nf"
    with pytest.raises(NameError):
        call(source)
    import __future__

    body = body_of_code("s", source, filename="<cell>", namespace=dict, flags=__future__.annotations.compiler_flag)
    assert callable(body.worker.executor(None, None))


def test_a_version_is_what_the_code_says_whatever_its_comments_and_layout():
    name = made("x = {'a': 1}\nx").worker.name
    assert made("# why\nx = { 'a' : 1 }   # what\n\nx").worker.name == name
    assert made('x = {"a": 1}\nx').worker.name == name
    assert made("x = {'a': 2}\nx").worker.name != name


def test_a_version_is_the_same_in_every_process():
    """Records of a journal name it: a change here has every cell executed again."""
    assert made("input + 1").worker.name == "cell 47ff44f1"


def test_versions_of_functions_differ_by_what_they_do_and_hold():
    def making(number, text="x"):
        def f(input, context):
            return number, text

        return f

    names = {body_of_function("s", making(*held)).worker.name for held in [(1,), (1,), (2,), (1, "y")]}
    assert len(names) == 3
