"""The rules of the default engine."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, cast

from orchestration_kit.governance.rules.amounts import CostRule
from orchestration_kit.governance.rules.base import Rule
from orchestration_kit.governance.rules.commands import CommandRule
from orchestration_kit.governance.rules.leaks import LeakRule
from orchestration_kit.governance.rules.mail import EmailRule
from orchestration_kit.governance.rules.paths import PathRule
from orchestration_kit.governance.rules.sql import SqlRule
from orchestration_kit.governance.rules.tools import PURE_TOOLS, ToolRule
from orchestration_kit.governance.rules.urls import UrlRule

Folder = str | os.PathLike[str] | None


def default_rules(  # noqa: PLR0913 - what the default engine is asked for
    *,
    max_cost: float | None,
    max_total: float | None,
    domains: Iterable[str],
    folders: tuple[Folder, Folder],
    tools: Any,
    commands: Mapping[str, Any],
) -> list[Rule]:
    """Return the rules of `create_default_engine`."""
    allowed: Any = (domains,) if isinstance(domains, str) else tuple(domains)
    root, temporary = folders
    where = (os.fspath(root or Path.cwd()), os.fspath(temporary) if temporary is not None else temporary_folder())
    named: dict[str, Any] = (
        dict(cast("Any", tools)) if isinstance(tools, Mapping) else dict.fromkeys(ToolRule(tools).tools)
    )
    return [
        SqlRule(),
        PathRule(roots=where),
        UrlRule(domains=allowed),
        EmailRule(domains=allowed),
        CommandRule(commands),
        ToolRule({**PURE_TOOLS, **named}),
        CostRule(max_cost=max_cost, max_total=max_total),
        LeakRule(),
    ]


def temporary_folder() -> str:
    """Return a folder of one's own for temporary files, made if it is not there: nobody else reads or writes in it.

    Not the system's own: what other programs put there is theirs, and what they put there as links could lead anywhere
    (CWE-377, CWE-379).
    """
    user = os.getuid() if hasattr(os, "getuid") else os.environ.get("USERNAME", "user")
    folder = Path(tempfile.gettempdir()) / f"orchestration-kit-{user}"
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        status = folder.lstat()
        is_own = not hasattr(os, "getuid") or (status.st_uid == os.getuid() and not status.st_mode & 0o022)
        if not (stat.S_ISDIR(status.st_mode) and is_own):
            return tempfile.mkdtemp(prefix="orchestration-kit-")
    return str(folder)
