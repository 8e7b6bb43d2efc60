"""The code of a cell, or a function, becomes the worker of a step. Compiles; runs nothing.

The code sees the notebook's variables as they are when it is called, and `input` and `context` besides. It works on a
copy of that namespace: what it assigns is gone with the visit, so that it neither changes the notebook nor hangs on
what an earlier call left behind. What a later step needs goes through the output or `context.data`.
"""

from __future__ import annotations

import ast
import hashlib
import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import CodeType
from typing import Any

from orchestration_kit.definition.fingerprints import callable_fingerprint
from orchestration_kit.definition.workers import WorkerDefinition
from orchestration_kit.widgets.cells.errors import BadBody

OUTPUT = "__step_output__"
"""Where the value of the last expression is put."""
Namespace = Callable[[], dict[str, Any]]
_OWN_SCOPE = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)


@dataclass(frozen=True, slots=True)
class Body:
    """What a cell makes the worker of its step."""

    step: str
    worker: WorkerDefinition
    """Its name tells the version: a cell that is edited is another worker."""


def body_of_function(step: str, function: Callable[..., Any]) -> Body:
    """Return a function as the worker of a step. A change of a comment in it makes no other version of it."""
    return _body(step, callable_fingerprint(function), function)


def body_of_code(step: str, source: str, *, filename: str, namespace: Namespace, flags: int = 0) -> Body:
    """Return the code of a cell as the worker of a step: its last expression is the output.

    Args:
        step: The step's id.
        source: The code, with its lines where they stand in the cell.
        filename: What tracebacks call the cell.
        namespace: Gives the notebook's variables.
        flags: Of the compiler, e.g. for a `from __future__ import ...` in an earlier cell.

    Raises:
        BadBody: it has no last expression, or a `return`.
        SyntaxError: it is no Python.
    """
    code, version = _compiled(step, source, filename, flags)

    def run(given: Any, context: Any) -> Any:
        __tracebackhide__ = True
        _ = version  # held by the closure, so that the engine can tell one version from another
        space = _space(namespace, given, context)
        exec(code, space)  # noqa: S102 - the person's own cell, which they are running
        return space.get(OUTPUT)

    async def run_awaiting(given: Any, context: Any) -> Any:
        __tracebackhide__ = True
        _ = version
        space = _space(namespace, given, context)
        await eval(code, space)  # noqa: S307 - as above
        return space.get(OUTPUT)

    awaits = bool(code.co_flags & inspect.CO_COROUTINE)
    return _body(step, version, run_awaiting if awaits else run)


def _body(step: str, version: str, executor: Callable[..., Any]) -> Body:
    name = f"cell {hashlib.sha256(version.encode()).hexdigest()[:8]}"
    return Body(step, WorkerDefinition(worker_type=step, name=name, executor=executor))


def _space(namespace: Namespace, given: Any, context: Any) -> dict[str, Any]:
    return {**namespace(), "input": given, "context": context}


def _compiled(step: str, source: str, filename: str, flags: int) -> tuple[CodeType, str]:
    """Return the code of a cell, and its version: what it says, whatever its comments and layout."""
    flags |= ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    tree = compile(source, filename, "exec", flags | ast.PyCF_ONLY_AST, dont_inherit=True)
    if not tree.body:
        raise BadBody(step, None, "it is empty", "Write what the step does; the last expression is its output.")
    for node in _at_the_top(tree):
        if isinstance(node, (ast.Return, ast.Yield, ast.YieldFrom)):
            word = "return" if isinstance(node, ast.Return) else "yield"
            raise BadBody(
                step,
                node.lineno,
                f"a cell has no `{word}`; its last expression is the output",
                f'End it with the output itself, or write a function below  @step("{step}")',
            )
    version = hashlib.sha256(ast.unparse(tree).encode("utf-8", "backslashreplace")).hexdigest()[:16]
    last = tree.body[-1]
    if isinstance(last, ast.Raise):
        return compile(tree, filename, "exec", flags, dont_inherit=True), version
    if not isinstance(last, ast.Expr):
        raise BadBody(
            step,
            last.lineno,
            f"it ends with `{ast.unparse(last).splitlines()[0]:.60}`, no expression, so it would put out nothing",
            f"Add the output as the last line{_suggested(last)}; `None` where there is none.",
        )
    target = ast.Name(OUTPUT, ast.Store())
    tree.body[-1] = ast.copy_location(ast.Assign([target], last.value), last)
    ast.fix_missing_locations(tree)
    return compile(tree, filename, "exec", flags, dont_inherit=True), version


def _at_the_top(tree: ast.AST) -> Iterator[ast.AST]:
    """Go through what is run by the cell itself, not by functions that it defines."""
    for child in ast.iter_child_nodes(tree):
        yield child
        if not isinstance(child, _OWN_SCOPE):
            yield from _at_the_top(child)


def _suggested(last: ast.stmt) -> str:
    targets = last.targets if isinstance(last, ast.Assign) else [last.target] if isinstance(last, ast.AugAssign) else []
    return f": `{targets[0].id}`" if len(targets) == 1 and isinstance(targets[0], ast.Name) else ""
