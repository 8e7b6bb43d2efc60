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
from types import CodeType, FunctionType
from typing import Any

from orchestration_kit.definition.fingerprints import callable_fingerprint
from orchestration_kit.definition.workers import WorkerDefinition
from orchestration_kit.widgets.cells.errors import BadBody
from orchestration_kit.widgets.cells.reach import reached

OUTPUT = "__step_output__"
"""Where the value of the last expression is put."""
Namespace = Callable[[], dict[str, Any]]
_FLAGS = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
_OWN_SCOPE = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)


@dataclass(frozen=True, slots=True)
class Body:
    """What a cell makes the worker of its step."""

    step: str
    worker: WorkerDefinition
    """Its name tells the version: a cell that is edited is another worker, and so is one that reaches other values."""
    version: Callable[[], str]
    """Tells the version as it is now."""

    def now(self) -> Body:
        """Return it as it is now: a constant or a function that it reaches may be another one."""
        name = _name(self.version())
        if name == self.worker.name:
            return self
        return Body(self.step, self.worker.model_copy(update={"name": name}), self.version)


def body_of_function(step: str, function: Callable[..., Any]) -> Body:
    """Return a function as the worker of a step. A change of a comment in it makes no other version of it."""

    def version() -> str:
        reaches = reached(function.__code__, function.__globals__) if isinstance(function, FunctionType) else ""
        return f"{callable_fingerprint(function)}\n{reaches}"

    return _body(step, function, version)


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
    tree = _parsed(step, source, filename, flags)
    text, own = ast.unparse(tree), _assigned(tree)
    code = _compiled(tree, filename, flags)

    def version() -> str:
        return f"{text}\n{reached(code, namespace(), own)}"

    def run(given: Any, context: Any) -> Any:
        __tracebackhide__ = True
        space = _space(namespace, given, context)
        exec(code, space)  # noqa: S102 - the person's own cell, which they are running
        return space.get(OUTPUT)

    async def run_awaiting(given: Any, context: Any) -> Any:
        __tracebackhide__ = True
        space = _space(namespace, given, context)
        await eval(code, space)  # noqa: S307 - as above
        return space.get(OUTPUT)

    awaits = bool(code.co_flags & inspect.CO_COROUTINE)
    return _body(step, run_awaiting if awaits else run, version)


def _body(step: str, executor: Callable[..., Any], version: Callable[[], str]) -> Body:
    worker = WorkerDefinition(worker_type=step, name=_name(version()), executor=executor)
    return Body(step, worker, version)


def _name(version: str) -> str:
    return f"cell {hashlib.sha256(version.encode('utf-8', 'backslashreplace')).hexdigest()[:8]}"


def _space(namespace: Namespace, given: Any, context: Any) -> dict[str, Any]:
    return {**namespace(), "input": given, "context": context}


def _parsed(step: str, source: str, filename: str, flags: int) -> ast.Module:
    """Return the code of a cell as a tree that can be a worker.

    Raises:
        BadBody: it cannot be one.
    """
    tree = compile(source, filename, "exec", flags | _FLAGS | ast.PyCF_ONLY_AST, dont_inherit=True)
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
    last = tree.body[-1]
    if not isinstance(last, (ast.Expr, ast.Raise)):
        raise BadBody(
            step,
            last.lineno,
            f"it ends with `{ast.unparse(last).splitlines()[0]:.60}`, no expression, so it would put out nothing",
            f"Add the output as the last line{_suggested(last)}; `None` where there is none.",
        )
    return tree


def _compiled(tree: ast.Module, filename: str, flags: int) -> CodeType:
    """Return code that leaves the value of the last expression under `OUTPUT`."""
    last = tree.body[-1]
    if isinstance(last, ast.Expr):
        target = ast.Name(OUTPUT, ast.Store())
        tree.body[-1] = ast.copy_location(ast.Assign([target], last.value), last)
        ast.fix_missing_locations(tree)
    return compile(tree, filename, "exec", flags | _FLAGS, dont_inherit=True)


def _assigned(tree: ast.Module) -> set[str]:
    """Return the names that the cell itself gives a value to: those of the notebook are not meant."""
    found = {"input", "context"}
    for node in _at_the_top(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            found.add(node.name)
        elif isinstance(node, ast.alias):
            found.add((node.asname or node.name).partition(".")[0])
    return found


def _at_the_top(tree: ast.AST) -> Iterator[ast.AST]:
    """Go through what is run by the cell itself, not by functions that it defines."""
    for child in ast.iter_child_nodes(tree):
        yield child
        if not isinstance(child, _OWN_SCOPE):
            yield from _at_the_top(child)


def _suggested(last: ast.stmt) -> str:
    targets = last.targets if isinstance(last, ast.Assign) else [last.target] if isinstance(last, ast.AugAssign) else []
    return f": `{targets[0].id}`" if len(targets) == 1 and isinstance(targets[0], ast.Name) else ""
