"""Fill the pages of the reference: a line `<!-- reference: AREA -->` becomes what that area documents.

A page names its area and says what it is for; which names are on it follows from `areas.py`. Docstrings are written in
Markdown's way (single backquotes, fences), and are turned into reStructuredText here, where Sphinx reads them.
"""

from __future__ import annotations

import ast
import inspect
import re
from typing import Any

from areas import Public, reference
from docstrings import to_rst
from sphinx.application import Sphinx
from sphinx.ext.napoleon import Config, GoogleDocstring
from sphinx.pycode import ModuleAnalyzer
from sphinx.util.inspect import signature as of_callable
from sphinx.util.inspect import stringify_signature

HANDED = "Nobody imports these: they are what methods return, and what functions are called with.\n"
MARK = re.compile(r"^<!-- reference: (\w+) -->$", flags=re.MULTILINE)


def about(public: Public) -> str:
    """Return the first paragraph of what is told about a name, for a cell of a table."""
    value = public.value
    told = inspect.getdoc(value) if inspect.isroutine(value) or isinstance(value, type) else None
    text = told if told is not None else "\n".join(told_below(public.module, public.name))
    return " ".join(text.partition("\n\n")[0].split()).replace("|", "\\|")


def directive(public: Public) -> str:
    """Return the autodoc directive of one name."""
    value = public.value
    if isinstance(value, type):
        kind = "autoexception" if issubclass(value, BaseException) else "autoclass"
    elif inspect.isroutine(value):
        kind = "autofunction"
    else:
        kind = "autodata"
    if kind == "autodata":  # aliases of types, too: autodoc would write out what they stand for
        lines = "\n".join(f"   {line}" for line in to_rst(told_below(public.module, public.name)))
        return f".. py:data:: {public.path}\n\n{lines}\n"
    return f".. {kind}:: {public.path}\n"


def told_below(module: str, name: str) -> list[str]:
    """Return the docstring under a value of a module, wherever the module has it from."""
    analyzer = ModuleAnalyzer.for_module(module)
    analyzer.analyze()
    if found := analyzer.attr_docs.get(("", name)):
        return list(found)
    for line in ast.walk(ast.parse(analyzer.code)):
        if isinstance(line, ast.ImportFrom) and line.module and any(one.name == name for one in line.names):
            return told_below(line.module, name)
    return []


def area_text(area: str) -> str:
    """Return the Markdown of one area: a table of its names, then each, by where it is imported from."""
    names = reference()[area]
    rows = [f"| {{py:obj}}`{one.name} <{one.path}>` | {about(one)} |" for one in names]
    parts = ["| Name | What it is |\n|---|---|", *rows, ""]
    groups: dict[str, list[Public]] = {}
    for one in names:
        title = "Each of them" if area == "errors" else "Handed to you" if one.handed else f"From `{one.module}`"
        groups.setdefault(title, []).append(one)
    for title, chosen in groups.items():
        parts += [f"\n## {title}\n", *([HANDED] if title == "Handed to you" else [])]
        parts += ["```{eval-rst}", *(directive(one) for one in chosen), "```\n"]
    return "\n".join(parts)


def fill(_app: Sphinx, _docname: str, source: list[str]) -> None:
    """Replace the mark of a page."""
    source[0] = MARK.sub(lambda found: area_text(found[1]), source[0])


def docstring(app: Sphinx, what: str, name: str, *given: Any) -> None:
    """Rewrite one docstring in place.

    Napoleon is called from here, as by itself it would take what stands before a colon under a field for its type.
    """
    obj, options, lines = given
    told = "" if what in ("attribute", "data", "property") else what
    sections = Config(napoleon_numpy_docstring=False, napoleon_use_rtype=False)
    lines[:] = GoogleDocstring(to_rst(lines), sections, app, told, name, obj, options).lines()


def signature(
    _app: Sphinx, what: str, _name: str, obj: Any, _options: Any, _arguments: str | None, _returns: str | None
) -> tuple[str, None] | None:
    """Write the signature of a model or a widget with its types: what Python tells of these has none."""
    if what not in ("class", "exception"):
        return None
    if fields := getattr(obj, "__pydantic_fields__", None):
        told: dict[str, str] = {}
        for base in reversed(obj.__mro__):
            told |= {
                name: kind for name, kind in vars(base).get("__annotations__", {}).items() if isinstance(kind, str)
            }
        return f"(*, {', '.join(field_text(name, field, told) for name, field in fields.items())})", None
    if "KitWidget" in {base.__name__ for base in obj.__mro__}:
        return stringify_signature(of_callable(obj.__init__, bound_method=True), short_literals=True), None
    return None


def field_text(name: str, field: Any, told: dict[str, str]) -> str:
    """Return one field of a model as a parameter."""
    kind = re.sub(r"Annotated\[(.+?), Field\([^)]*\)\]", r"\1", told.get(name, "")).replace('"', "'")
    typed = f"{name}: {kind}" if kind else name
    if field.is_required():
        return typed
    made = field.default_factory
    default = repr(field.default) if made is None else f"{getattr(made, '__name__', made)}()"
    return f"{typed} = {re.sub(r'<(?:[A-Za-z]+[.])?([^:]+): .*>', '...', default)}"


def skip(_app: Sphinx, what: str, name: str, obj: Any, *_given: Any) -> bool | None:
    """Leave out what classes have from other projects, such as the forty methods of every widget."""
    function = getattr(obj, "__func__", None) or getattr(obj, "fget", None) or obj
    home = getattr(function, "__module__", None) if inspect.isroutine(function) else None
    foreign = what in ("class", "exception") and home is not None and not home.startswith("orchestration_kit")
    return True if foreign or name in {"model_config", "tabbable", "tooltip", "cross_validation_lock"} else None


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx."""
    app.connect("source-read", fill, priority=400)
    app.connect("autodoc-process-docstring", docstring, priority=400)
    app.connect("autodoc-process-signature", signature)
    app.connect("autodoc-skip-member", skip)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
