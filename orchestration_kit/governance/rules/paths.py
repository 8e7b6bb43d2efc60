"""The rule for `file_operation`: reads and writes under named folders.

A path is refused as text where programs disagree on what it names (`..`, `~`, backslashes, drives, look-alikes of dots
and slashes), then resolved, and what it resolves to has to lie under a root (OWASP: Path Traversal; CWE-22, CWE-59,
CWE-41, CWE-367). The approved plan holds the resolved path. Between the check and the opening, somebody else may still
put a link in its place; `open_checked` follows none, and so closes that gap.
"""

from __future__ import annotations

import os
import re
import stat
import unicodedata
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path, PurePath
from typing import Any, ClassVar

from orchestration_kit.errors import did_you_mean, listed
from orchestration_kit.governance.rules.base import Findings, Past, Plan, Rule
from orchestration_kit.governance.rules.plain import shown
from orchestration_kit.governance.verdict import Violation

OPERATIONS = ("read", "write")
SECRET_FILES = (
    ".env", ".env.*", "*.env", ".ssh", ".gnupg", ".aws", ".azure", ".kube", ".docker", ".netrc", "_netrc", ".pgpass",
    ".npmrc", ".pypirc", ".git-credentials", ".htpasswd", "id_rsa*", "id_dsa*", "id_ecdsa*", "id_ed25519*", "*.pem",
    "*.key", "*.p12", "*.pfx", "*.jks", "*.keystore", "*.kdbx", "credentials", "credentials.*", "secrets.*", "shadow",
)  # fmt: skip
"""Names of files and folders that hold credentials."""
STARTS = ("sitecustomize.py", "usercustomize.py", "*.pth")
"""Files that Python runs when it starts."""
_REFUSED = (
    ("\\", "a backslash"), (":", "a colon (a drive, a stream or a scheme)"), ("*", "a wildcard"), ("?", "a wildcard"),
    ("$", "a $, which may stand for a variable"), ("<", "a <"), (">", "a >"), ("|", "a |"), ('"', 'a "'),
)  # fmt: skip
_ESCAPED = re.compile(r"%[0-9A-Za-z]")
_DEVICE = re.compile(r"(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$)(?:\..*)?", re.IGNORECASE)
_KNOWN = ("operation", "path", "content", "encoding")


@dataclass(frozen=True)
class PathRule(Rule):
    """Lets files under named folders be read and written.

    `action_data` is `operation` and `path`; `content` and `encoding` may be there. A relative path is under the first
    root, wherever the process stands. The approved plan has the path resolved.

    >>> rule = PathRule(roots=["/srv/work"])
    >>> data = {"operation": "read", "path": "../../etc/passwd"}
    >>> print(rule.check({"action_type": "file_operation", "action_data": data, "cost": 0.0}, Past())[0])
    path: the path '../../etc/passwd' goes up (..). Write it from the root down.
    """

    kind: ClassVar[str] = "path"
    grants: ClassVar[bool] = True

    roots: tuple[str, ...] = ()
    """Folders under which files may be used; what is relative here is from where the process stands now."""
    operations: tuple[str, ...] = OPERATIONS
    hidden: bool = False
    """Whether files and folders whose names begin with a dot may be used: hooks of git, settings of editors."""
    denied: tuple[str, ...] = (*SECRET_FILES, *STARTS)
    """Patterns of names that no file or folder under a root may have, in any case."""
    hard_links: bool = False
    """Whether files that have several names may be used: one of those may be outside of the roots."""
    extra_keys: tuple[str, ...] = ()
    """Further keys of `action_data` that may be there, unchecked."""
    action_types: tuple[str, ...] | None = field(default=("file_operation",), kw_only=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        given: Any = self.roots
        several = (given,) if isinstance(given, (str, PurePath)) else tuple(given)
        self.keep("roots", tuple(os.fspath(one) if isinstance(one, PurePath) else one for one in several))
        for name in ("roots", "operations", "denied", "extra_keys"):
            self.keep(name, self.texts(name))
        resolved = tuple(str(Path(os.path.realpath(root))) for root in self.roots)
        if bad := [root for root in resolved if root == Path(root).anchor]:
            raise self.invalid(f"the root {bad[0]} is everything there is", "Name a folder: root='data'.")
        self.keep("roots", resolved)
        for name in ("hidden", "hard_links"):
            if type(getattr(self, name)) is not bool:
                raise self.invalid(f"{name} is {shown(getattr(self, name))}", "It is true or false.")

    def check(self, plan: Plan, past: Past) -> Findings:
        """Return what is wrong with a use of a file; the first thing is enough."""
        del past
        data = plan["action_data"]
        if found := self.missing_or_extra(data, ("operation", "path"), (*_KNOWN, *self.extra_keys)):
            return found
        operation, path = data["operation"], data["path"]
        if type(operation) is not str or operation not in self.operations:
            near = did_you_mean(operation[:50], self.operations) if type(operation) is str else ""
            reason = f"the operation is {shown(operation)}"
            return (self.violation(reason, f"Allowed: {listed(self.operations)}.{near}"),)
        if type(path) is not str:
            return (self.violation(f"path is {type(path).__name__}", "It is a text."),)
        for key in ("content", "encoding"):
            if data.get(key) is not None and type(data[key]) is not str:
                return (self.violation(f"{key} is {type(data[key]).__name__}", "It is a text."),)
        found = self._text(path) or self._place(self._resolved(path), operation)
        return () if found is None else (found,)

    def settled(self, data: dict[str, Any]) -> dict[str, Any]:
        """Return the data with the path resolved: absolute, and through no link."""
        resolved = self._resolved(data["path"])
        return data if resolved == data["path"] else {**data, "path": resolved}

    def _resolved(self, path: str) -> str:
        base = self.roots[0] if self.roots else os.sep
        return os.path.realpath(os.path.join(base, path))  # noqa: PTH118 - joined as text: a Path would tidy it first

    def _text(self, path: str) -> Violation | None:
        """Refuse what programs may read in two ways."""
        what = f"the path {shown(path)}"
        if not path.strip() or len(path) > 4096:
            return self.violation(f"{what} is empty, or too long", "Name a file.")
        if (strange := _strange(path)) is not None:
            return self.violation(f"{what} {strange}", "Write a plain path with /, in plain letters.")
        for part in path.split("/"):
            if part == "..":
                return self.violation(f"{what} goes up (..)", "Write it from the root down.")
            if (strange := _strange_name(part)) is not None:
                return self.violation(f"{what} has a name that {strange}", "Name a plain file.")
            if not path.startswith("/") and (found := self._name(part, what)) is not None:
                return found
        return None

    def _name(self, part: str, what: str) -> Violation | None:
        if part.startswith(".") and part != "." and not self.hidden:
            return self.violation(f"{what} is hidden ({shown(part)})", "Name a file that is not.")
        folded = part.casefold()
        if any(fnmatchcase(folded, pattern.casefold()) for pattern in self.denied):
            return self.violation(f"{what} has a name that is denied ({shown(part)})", "It may hold credentials.")
        return None

    def _place(self, resolved: str, operation: str) -> Violation | None:
        """Refuse what lies elsewhere, or is no plain file."""
        what = f"the path {shown(resolved)}"
        if operation == "list" and resolved in self.roots:
            return None
        root = next((one for one in self.roots if resolved.startswith(one + os.sep)), None)
        if root is None:
            return self.violation(f"{what} is not under an allowed folder", f"Allowed: {listed(self.roots)}.")
        for part in Path(resolved[len(root) + 1 :]).parts:
            if (found := self._name(part, what)) is not None:
                return found
        try:
            status = os.lstat(resolved)
        except FileNotFoundError:
            return None
        except OSError as error:
            return self.violation(f"{what} cannot be looked at ({type(error).__name__})", "Name another file.")
        if operation == "list" and stat.S_ISDIR(status.st_mode):
            return None
        if not stat.S_ISREG(status.st_mode):
            return self.violation(f"{what} is no plain file", "Name a file.")
        if status.st_nlink > 1 and not self.hard_links:
            return self.violation(f"{what} has several names (hard links)", "PathRule(hard_links=True) allows it.")
        return None


def _strange(path: str) -> str | None:
    for mark, name in _REFUSED:
        if mark in path and not (mark == ":" and os.name == "nt" and path[1:2] == ":" and path.count(":") == 1):
            return f"holds {name}"
    if path.startswith("//") or path.lstrip().startswith("~") or "/~" in path or _ESCAPED.search(path):
        return "means something else to some programs"
    if path.isascii():
        return None if path.isprintable() else "holds a control character"
    for c in path:
        if unicodedata.category(c)[0] == "C" or unicodedata.category(c) in ("Zl", "Zp"):
            return "holds something that is not seen"
        if not c.isascii() and not _LOOKED_LIKE.isdisjoint(unicodedata.normalize("NFKC", c)):
            return "holds a look-alike of a dot or a slash"
    return None


_LOOKED_LIKE = frozenset("./\\:~*?%$")


def _strange_name(part: str) -> str | None:
    if part in ("", "."):
        return None
    if part != part.strip() or part.endswith("."):
        return "begins or ends with a blank, or ends with a dot"
    if _DEVICE.fullmatch(part):
        return "is a device's"
    return "is too long" if len(part.encode()) > 255 else None
