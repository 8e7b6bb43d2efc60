"""Follow every link and picture of the texts, without a network.

python -m scripts.docs.links              files and anchors exist; addresses are well formed
python -m scripts.docs.links --external   list the addresses of other hosts
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

from scripts.docs.pages import ROOT, Page, pages, read

SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:", flags=re.IGNORECASE)


def external(page: Page) -> list[str]:
    """Return the addresses of other hosts that a page names."""
    return [target for target in page.targets if SCHEME.match(target)]


def ill_formed(address: str) -> str | None:
    """Say what is wrong with an address, if anything is."""
    parts = urlsplit(address)
    if parts.scheme == "mailto":
        return None if "@" in parts.path else "it has no @"
    if parts.scheme not in ("https", "http"):
        return f"{parts.scheme}: is neither https nor mailto"
    host = parts.hostname or ""
    if parts.scheme == "http" and host not in ("localhost", "127.0.0.1"):
        return "http is for this machine alone; write https"
    return None if "." in host or host == "localhost" else "it names no host"


def broken(page: Page) -> Iterator[str]:
    """Say of each link of a page that leads nowhere what is wrong with it."""
    for target in page.targets:
        if SCHEME.match(target):
            if wrong := ill_formed(target):
                yield f"{page.path}: {target}: {wrong}"
            continue
        path, _, anchor = unquote(target).partition("#")
        place = (ROOT / page.path).parent / path if path else ROOT / page.path
        if path and not place.exists():
            yield f"{page.path}: {target}: there is no such file{near(place)}"
        elif anchor and place.suffix in (".md", ".ipynb"):
            known = (read(place) if path else page).anchors
            if anchor not in known:
                there = ", ".join(sorted(known)) or "none"
                yield f"{page.path}: {target}: there is no such heading. There are: {there}"


def near(place: Path) -> str:
    """Return what stands in the folder that was meant."""
    folder = place.parent
    return f"; {folder.name} has {', '.join(sorted(one.name for one in folder.iterdir()))}" if folder.is_dir() else ""


def main() -> int:
    """Follow the links; return how the process ends."""
    all_pages = list(pages())
    if "--external" in sys.argv[1:]:
        print("\n".join(sorted({address for page in all_pages for address in external(page)})))
        return 0
    wrong = [line for page in all_pages for line in broken(page)]
    count = sum(len(page.targets) for page in all_pages)
    print("\n".join(wrong) or f"Links: {count} on {len(all_pages)} pages lead somewhere.")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
