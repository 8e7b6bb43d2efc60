"""Find what a name in a docstring or a signature refers to, without its full path.

Docstrings say `Run.step`, signatures `orchestration_kit.engine.run.Run`; the reference knows `orchestration_kit.Run`.
Text in single backquotes is code; it is also a link if it is the name of something documented.
"""

from __future__ import annotations

import builtins
import re
from typing import Any

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util.docutils import SphinxRole

OURS = "orchestration_kit"
NAME = re.compile(r"[A-Za-z_][\w.]*(?:\(\))?")


class CodeRole(SphinxRole):
    """Text in single backquotes: code, and a link where it names something."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        """Return the node, which is resolved when every page is read."""
        code = nodes.literal(self.rawtext, self.text, classes=["xref", "py"])
        if not NAME.fullmatch(self.text):
            return [nodes.literal(self.rawtext, self.text)], []
        reference = addnodes.pending_xref(
            self.rawtext, code, refdomain="py", reftype="obj", reftarget=self.text.removesuffix("()"), kit_code=True
        )
        reference["refdoc"] = self.env.docname
        reference["py:module"] = self.env.ref_context.get("py:module")
        reference["py:class"] = self.env.ref_context.get("py:class")
        return [reference], []


def by_short_name(env: BuildEnvironment) -> dict[str, list[str]]:
    """Return the full names of what is documented, by the last one and the last two parts of them."""
    found: dict[str, list[str]] = {}
    for full, entry in env.domains.python_domain.objects.items():
        if not entry.aliased:
            parts = full.split(".")
            for short in {".".join(parts[-1:]), ".".join(parts[-2:])}:
                found.setdefault(short, []).append(full)
    return found


def candidates(target: str, scope: str, known: dict[str, list[str]]) -> list[str]:
    """Return what a name may refer to: in the class around it first, then anywhere."""
    parts = target.split(".")
    shorts = [f"{scope.rpartition('.')[2]}.{target}"] if scope else []
    shorts += [target] if len(parts) == 1 else [".".join(parts[-2:]), parts[-1]]
    for short in shorts:
        if one := known.get(short):
            # A class or function counts more than a field of the same name somewhere.
            return [full for full in one if full.split(".")[-2][:1].islower()] or (one if "." in short else [])
    return []


def resolve(app: Sphinx, env: BuildEnvironment, node: Any, content: nodes.Element) -> nodes.Node | None:
    """Resolve what Sphinx could not."""
    if node.get("refdomain") != "py":
        return None
    target = node["reftarget"]
    if hasattr(builtins, target) or (node["reftype"] == "exc" and "." in target and not target.startswith(OURS)):
        return content  # Python's own, or of another project, said in full
    if node.get("kit_code") or target.startswith(OURS) or "." not in target:
        known = getattr(env, "kit_names", None)
        if known is None:
            known = env.kit_names = by_short_name(env)
        full = candidates(target.removeprefix(f"{OURS}."), node.get("py:class") or "", known)
        if len(full) == 1 and not (node.get("kit_code") and full[0].split(".")[-1] in {"step", "rule", "goal", "main"}):
            entry = env.domains.python_domain.objects[full[0]]
            uri = app.builder.get_relative_uri(node["refdoc"], entry.docname) + f"#{entry.node_id}"
            return nodes.reference("", "", content, internal=True, refuri=uri, reftitle=full[0])
    return content if node.get("kit_code") else None


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx."""
    app.add_role("code-or-link", CodeRole())
    app.connect("missing-reference", resolve)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
