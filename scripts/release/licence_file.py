"""Turn what is bundled and what is asked for into THIRD_PARTY_LICENSES.txt."""

from __future__ import annotations

from collections.abc import Sequence

from scripts.release.bundled import Bundled
from scripts.release.declared import Declared

_RULE = "=" * 80
_HEAD = f"""\
What others wrote in orchestration-kit, and what it works with
{_RULE}

Made by `python -m scripts.release.third_parties`; `make check` says where it is out of date.

1. In the wheel: parts of these JavaScript packages, bundled in orchestration_kit/widgets/static/. No font, no icon and
   no picture of anybody else is in it. The templates and texts of the website workers are our own, under our LICENSE.

"""
_BESIDE = f"""\
{_RULE}

2. Not in the wheel: what pip installs beside it, under licences of its own. An extra's packages come with it alone.
   tqdm has files under MPL-2.0: whoever changes those files shares the changes. Nothing else of the core is copyleft.
   What these packages need in turn is not listed.

"""


def licence_file(bundled: Sequence[Bundled], declared: Sequence[Declared]) -> str:
    """Return the whole text."""
    lines = [f"   {one.name} {one.version}: {one.licence}, in {', '.join(one.bundles)}" for one in bundled]
    rows = [
        (one.name + one.range, one.licence, f"extra {', '.join(one.for_extras)}" if one.for_extras else "core")
        for one in sorted(declared, key=lambda one: (bool(one.for_extras), one.name))
    ]
    wide, mid = (max(len(row[at]) for row in rows) for at in (0, 1))
    beside = [f"   {name:<{wide}}  {licence:<{mid}}  {use}" for name, licence, use in rows]
    texts = [f"{_RULE}\n{one.name} {one.version} ({one.licence})\n{one.homepage}\n\n{one.text}\n\n" for one in bundled]
    return _HEAD + "\n".join(lines) + "\n\n" + "".join(texts) + _BESIDE + "\n".join(beside) + "\n"
