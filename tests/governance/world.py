"""A small world with real hands: a SQLite file, a folder, and recorders of calls, e-mails and commands."""

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

from orchestration_kit import create_default_engine
from orchestration_kit.governance.constraints import ConstraintEngine
from tests.governance.hostile_actions import ALLOWED, GIT_RULE, TOOL_SCHEMAS

CANARY = "the canary sings"


class World:
    """What actions could do harm to. `state()` is the same as long as none did."""

    def __init__(self, folder: Path) -> None:
        folder = folder.resolve()
        self.folder = str(folder)
        self.inside, self.outside = str(folder / "work"), str(folder / "outside")
        self.temporary = str(folder / "temporary")
        self._database = folder / "shop.db"
        self.calls: list[Any] = []
        self.leaks = 0
        self._make_files(folder / "work", folder / "outside")
        self._make_tables()
        self._begun = self.state()

    def _make_files(self, work: Path, outside: Path) -> None:
        for one in (work / "sub", work / ".git", outside, Path(self.temporary)):
            one.mkdir(parents=True)
        (outside / "canary.txt").write_text(CANARY)
        for name in ("notes.txt", "sub/deep.txt", "server.pem", ".env", ".git/config", "Bericht für Ölpreise (2).txt"):
            (work / name).write_text(f"this is {name}")
        (work / "link").symlink_to(outside)
        (work / "link.txt").symlink_to(outside / "canary.txt")
        (work / "inner-link.txt").symlink_to(work / "notes.txt")
        (work / "masked.txt").symlink_to(work / ".env")
        (work / "loop").symlink_to(work / "loop")
        (work / "sub" / "up").symlink_to("../../outside")
        (work / "hard.txt").hardlink_to(outside / "canary.txt")
        os.mkfifo(work / "pipe")

    def _make_tables(self) -> None:
        self._database.unlink(missing_ok=True)
        with closing(sqlite3.connect(self._database)) as connection, connection:
            connection.executescript(
                "CREATE TABLE users (id INTEGER, name TEXT, is_admin INTEGER);"
                "CREATE TABLE orders (user_id INTEGER, total REAL, day TEXT);"
                "INSERT INTO users VALUES (1, 'ann', 0), (2, 'bob', 1);"
                f"CREATE TABLE secrets (value TEXT); INSERT INTO secrets VALUES ('{CANARY}');"
            )
        connection.close()

    def engine(self, **options: Any) -> ConstraintEngine:
        """Return the default engine for this world."""
        settings: dict[str, Any] = {"commands": GIT_RULE, "tools": TOOL_SCHEMAS, **options}
        return create_default_engine(1.0, [ALLOWED], root=self.inside, temporary=self.temporary, **settings)

    def state(self) -> Any:
        """Return all that could be changed."""
        return self._tables(), self._files()

    def _tables(self) -> list[str]:
        connection = sqlite3.connect(self._database)
        dump = list(connection.iterdump())
        connection.close()
        return dump

    def _files(self) -> dict[str, Any]:
        files: dict[str, Any] = {}
        for place in (self.inside, self.outside, self.temporary):
            for path in sorted(Path(place).rglob("*")):
                is_plain = path.is_file() and not path.is_symlink()
                files[str(path)] = path.read_bytes() if is_plain else path.lstat().st_mode
        return files

    def harm(self, plan: Any) -> bool:
        """Carry out a plan without asking anybody, and say whether it did something; tables are mended after."""
        before = (len(self.calls), self.leaks)
        is_query = plan["action_type"] == "sql_query"
        with suppress(sqlite3.Error, sqlite3.Warning, OSError, ValueError, TypeError, KeyError, AttributeError):
            self.hands()[plan["action_type"]](plan["action_data"])
        done = (len(self.calls), self.leaks) != before
        if is_query and self._tables() != self._begun[0]:
            self._make_tables()
            return True
        return done or (plan["action_type"] == "file_operation" and self._files() != self._begun[1])

    @property
    def effects(self) -> int:
        """How many times something was done."""
        return len(self.calls) + self.leaks + (self.state() != self._begun)

    def hands(self) -> dict[str, Any]:
        """Return who carries out each type of action, as somebody would write it who trusts what is asked.

        Whatever they are asked, they touch nothing outside of this world: what would, is counted instead.
        """
        kinds = ("api_call", "send_email", "shell_command", "tool_call")
        return {
            "sql_query": self._query,
            "file_operation": self._file,
            **{kind: lambda data, kind=kind: self.calls.append((kind, data)) or "done" for kind in kinds},
        }

    def _query(self, data: Any) -> Any:
        query, parameters = data["query"], data.get("parameters") or ()
        connection = sqlite3.connect(self._database)
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, 100_000)
        connection.set_authorizer(self._may)
        began = time.monotonic()
        connection.set_progress_handler(lambda: time.monotonic() - began > 1, 10_000)
        try:
            if ";" in query.rstrip().rstrip(";") or not query.lstrip().lower().startswith(("select", "with", "(")):
                connection.executescript(query)
                rows: list[Any] = []
            else:
                rows = connection.execute(query, parameters).fetchmany(100)
            connection.commit()
        finally:
            connection.close()
        self.leaks += CANARY in str(rows)
        return rows

    def _may(self, action: int, *about: Any) -> int:
        """Keep SQLite from other files: ATTACH, and VACUUM INTO."""
        if action == sqlite3.SQLITE_ATTACH:
            self.calls.append(("attach", about))
            return sqlite3.SQLITE_DENY
        return sqlite3.SQLITE_OK

    def _file(self, data: Any) -> Any:
        path = os.path.realpath(os.path.join(self.inside, data["path"]))
        if not path.startswith(self.folder + os.sep) or Path(path).is_fifo():
            self.calls.append(("file", data))
            return "not here"
        if data["operation"] == "write":
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            Path(path).write_text(data.get("content", ""))
            return "written"
        if data["operation"] == "read":
            text = Path(path).read_text(errors="replace")
            self.leaks += CANARY in text
            return text
        os.remove(path)
        return "removed"
