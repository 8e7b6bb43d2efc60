"""Draw which package of the kit imports which: a picture for the page about layers, made from the sources.

    python -m scripts.docs.layers

Rows import columns. In the order of the layers, what is allowed is below the diagonal. Methods of convenience,
which open the door to a higher layer when somebody calls them, are rings above it.
"""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterator
from html import escape

from scripts.docs.pages import ROOT

PICTURE = ROOT / "docs" / "images" / "imports.svg"
PACKAGE = "orchestration_kit"
LAYERS = {
    1: ("definition", "checks", "templates"),
    2: ("engine", "workers", "governance"),
    3: ("journal", "executors"),
    4: ("history", "evaluation"),
    5: ("visual", "interchange"),
    6: ("reliability", "scale"),
    7: ("widgets", "service", "cli"),
}
"""Packages of the picture by how high they are. Errors, secrets, demo and testing are left out."""
_CELL, _LEFT, _TOP = 30, 178, 118
_STYLE = """<style>
text { font: 13px system-ui, sans-serif; fill: #1f2933; }
.quiet { fill: #616e7c; font-size: 12px; }
.grid { stroke: #cbd2d9; stroke-width: 1; }
.band { fill: #52606d; fill-opacity: .07; }
.own { fill: #cbd2d9; }
.import { fill: #0f6e84; }
.call { fill: none; stroke: #b44d12; stroke-width: 2; }
</style>"""


def in_order() -> list[str]:
    """Return the packages of the picture, the lowest first, in the order of the contract that `make check` holds."""
    contract = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"][0]
    lowest = [name.strip().rpartition(".")[2] for line in reversed(contract["layers"]) for name in line.split("|")]
    shown = {name for names in LAYERS.values() for name in names}
    return [name for name in lowest if name in shown]


def imports(*, when_called: bool = True) -> set[tuple[str, str]]:
    """Return who imports whom, by package; for type checkers alone does not count.

    Args:
        when_called: Also what is imported within functions.
    """
    found: set[tuple[str, str]] = set()
    for path in sorted((ROOT / PACKAGE).rglob("*.py")):
        parts = path.relative_to(ROOT / PACKAGE).parts
        if len(parts) > 1:
            tree = ast.parse(path.read_text("utf-8"))
            found |= {(parts[0], name) for name in _imported(tree, when_called=when_called) if name != parts[0]}
    return found


def _imported(tree: ast.AST, *, when_called: bool) -> Iterator[str]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        if not isinstance(node, (ast.Import, ast.ImportFrom)):
            if when_called or not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                yield from _imported(node, when_called=when_called)
            continue
        names = [alias.name for alias in node.names]
        for module in [node.module or ""] if isinstance(node, ast.ImportFrom) else names:
            package, _, rest = module.partition(".")
            if package == PACKAGE:
                yield from [rest.partition(".")[0]] if rest else names


def picture() -> str:
    """Return the picture as SVG."""
    names, found = in_order(), imports()
    level = {name: number for number, group in LAYERS.items() for name in group}
    size = _CELL * len(names)
    width, height = _LEFT + size + 20, _TOP + size + 70
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}">',
        _STYLE,
        f'<rect width="{width}" height="{height}" fill="#fff"/>',
    ]
    for at, name in enumerate(names):
        y = _TOP + at * _CELL
        if level[name] % 2:
            parts.append(f'<rect class="band" x="0" y="{y}" width="{_LEFT + size}" height="{_CELL}"/>')
        label = f'<tspan class="quiet">{level[name]}</tspan> {escape(name)}'
        parts.append(f'<text x="{_LEFT - 10}" y="{y + 20}" text-anchor="end">{label}</text>')
        x = _LEFT + at * _CELL + 20
        parts.append(f'<text transform="translate({x} {_TOP - 10}) rotate(-60)">{escape(name)}</text>')
    for at in range(len(names) + 1):
        x, y = _LEFT + at * _CELL, _TOP + at * _CELL
        parts.append(f'<path class="grid" d="M{x} {_TOP}V{_TOP + size}M{_LEFT} {y}H{_LEFT + size}"/>')
    for row, who in enumerate(names):
        for column, whom in enumerate(names):
            x, y = _LEFT + column * _CELL + _CELL // 2, _TOP + row * _CELL + _CELL // 2
            if row == column:
                parts.append(f'<rect class="own" x="{x - 14.5}" y="{y - 14.5}" width="29" height="29"/>')
            elif (who, whom) in found:
                kind = "import" if column < row else "call"
                title = f"<title>{who} imports {whom}</title>"
                parts.append(
                    f'<circle class="{kind}" cx="{x}" cy="{y}" r="{8 if column < row else 7}">{title}</circle>'
                )
    y = _TOP + size + 30
    parts += [
        f'<circle class="import" cx="{_LEFT + 10}" cy="{y - 4}" r="8"/>',
        f'<text class="quiet" x="{_LEFT + 26}" y="{y}">the row imports the column</text>',
        f'<circle class="call" cx="{_LEFT + 10}" cy="{y + 20}" r="7"/>',
        f'<text class="quiet" x="{_LEFT + 26}" y="{y + 24}">only when a method of convenience is called</text>',
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


if __name__ == "__main__":
    PICTURE.write_text(picture(), encoding="utf-8")
    print(f"Drew {PICTURE.relative_to(ROOT)}.")
