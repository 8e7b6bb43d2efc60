"""Bring into the source tree of the site what lives elsewhere: notebooks as they are saved, README, changelog.

Copies are git-ignored. Links are turned round, so that what is right on a code host or in JupyterLab is right here too.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from posixpath import normpath, relpath
from typing import Any

from outputs import shown

ROOT = Path(__file__).parents[2]
PROJECT = ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")
"""Files beside the package that are pages of the site, where they exist."""

PICTURES = "_static/made/images/"
"""Where pictures are that HTML within Markdown shows: Sphinx does not see those, so all of them are put there."""

LINK = re.compile(r"(?P<image>!?)\[(?P<text>(?:[^\[\]]|\[[^\]]*\])*)\]\((?P<target>[^()\s]+)(?P<title> \"[^\"]*\")?\)")
TAG = re.compile(r"\b(?P<name>src|href)=\"(?P<target>(?![a-z][a-z0-9+.-]*:)[^\"]+)\"")
CODE = re.compile(r"(^ *(```+|~~~+).*?^ *\2 *$|(`+)(?!`).*?(?<!`)\3(?!`))", flags=re.MULTILINE | re.DOTALL)


def page_of(path: str) -> str | None:
    """Return where in `docs/` a file of the project is a page or a picture, if it is."""
    if path.startswith("docs/"):
        return path.removeprefix("docs/")
    if path.startswith("notebooks/") and path.endswith(".ipynb"):
        return f"tutorials/{PurePosixPath(path).name}"
    if path in ("notebooks", "notebooks/"):
        return "tutorials/index.md"
    return f"project/{path.lower()}" if path in PROJECT else None


def relink(text: str, origin: str, page: str) -> str:
    """Turn the links of a Markdown text of the file `origin` into those of the page `page`.

    A link to a file that is no page, such as a module, becomes its text: the site has nothing to show there.
    """

    def one(found: re.Match[str]) -> str:
        target, _, anchor = found["target"].partition("#")
        if not target or re.match(r"[a-z][a-z0-9+.-]*:", target):
            return found[0]
        path = normpath(f"{PurePosixPath(origin).parent}/{target}")
        place = page_of(path)
        if place is None:
            return found["text"] if (ROOT / path).exists() else found[0]
        if (ROOT / path).is_dir():
            place = f"{place}/index.md"
        new = relpath(place, str(PurePosixPath(page).parent))
        return f"{found['image']}[{found['text']}]({new}{f'#{anchor}' if anchor else ''}{found['title'] or ''})"

    def tag(found: re.Match[str]) -> str:
        target, _, anchor = found["target"].partition("#")
        path = normpath(f"{PurePosixPath(origin).parent}/{target}")
        place = page_of(path)
        if not target or place is None:
            return found[0]
        place = re.sub(r"\.(md|ipynb)$", ".html", place).replace("images/", PICTURES, 1)
        new = relpath(place, str(PurePosixPath(page).parent))
        return f'{found["name"]}="{new}{f"#{anchor}" if anchor else ""}"'

    # The text of a link may hold code: links are looked for when code is put aside, and comes back within them.
    return beside_code(text, lambda part: TAG.sub(tag, LINK.sub(one, part)))


def beside_code(text: str, change: Callable[[str], str]) -> str:
    """Apply a change to Markdown, but not to what is code in it."""
    kept: list[str] = []

    def keep(found: re.Match[str]) -> str:
        kept.append(found[0])
        return f"\x00{len(kept) - 1}\x00"

    changed = change(CODE.sub(keep, text))
    return re.sub(r"\x00(\d+)\x00", lambda found: kept[int(found[1])], changed)


def write(path: Path, text: str) -> None:
    """Write a file if that changes it, so that an unchanged page is not built again."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")


def notebook(path: Path) -> str:
    """Return a notebook as the site shows it."""
    saved: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    states = saved["metadata"].pop("widgets", {}).get("application/vnd.jupyter.widget-state+json", {}).get("state", {})
    for cell in saved["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            cell["source"] = relink(source, f"notebooks/{path.name}", f"tutorials/{path.name}")
        else:
            cell["source"] = source
            cell["outputs"] = [shown(output, states) for output in cell.get("outputs", [])]
    return json.dumps(saved, ensure_ascii=False, indent=1)


def stage(docs: Path) -> None:
    """Write every copy, and remove those whose original is gone."""
    wanted = {docs / "tutorials" / path.name: notebook(path) for path in sorted((ROOT / "notebooks").glob("*.ipynb"))}
    for name in PROJECT:
        if (ROOT / name).exists():
            text = (ROOT / name).read_text(encoding="utf-8")
            wanted[docs / "project" / name.lower()] = relink(text, name, f"project/{name.lower()}")
    for path, text in wanted.items():
        write(path, text)
    for old in {*(docs / "tutorials").glob("*.ipynb"), *(docs / "project").glob("*.md")} - set(wanted):
        old.unlink()
