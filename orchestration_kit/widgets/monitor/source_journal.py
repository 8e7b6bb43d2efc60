"""The runs of a journal, whichever process drives them: only what is new is read, and each row once."""

from __future__ import annotations

import msgspec

from orchestration_kit.definition.workflow import WorkflowDefinition
from orchestration_kit.engine.orchestrator import Orchestrator
from orchestration_kit.errors import JournalError, OrchestrationError
from orchestration_kit.journal.chain import read_totals, verify_rows, verify_run
from orchestration_kit.journal.errors import JournalCorrupt
from orchestration_kit.journal.following import News
from orchestration_kit.journal.glances import Attempt, read
from orchestration_kit.journal.loading import read_rows
from orchestration_kit.journal.port import Journal, Row, StoredRun
from orchestration_kit.journal.processes import judge
from orchestration_kit.journal.skeleton import Skeleton, read_skeleton
from orchestration_kit.widgets.approval_desks import HubDesk, JournalDesk
from orchestration_kit.widgets.monitor.lines import RunLine
from orchestration_kit.widgets.monitor.source import Change, Source

_LAST = 3
"""Rows that are read of a run that is over."""
_JUDGED_EVERY = 5
"""Looks after which it is found out anew which drivers are alive."""


class _Header(msgspec.Struct):
    skeleton: str
    limits: dict[str, float | None]


_header = msgspec.json.Decoder(_Header)


class JournalSource(Source):
    """Follows a journal."""

    def __init__(self, journal: Journal, hub: Orchestrator | None = None, *, is_own: bool = False) -> None:
        """Follow a journal, whose runs go on in `hub` where one is given; one that is its own is closed with it."""
        desk = JournalDesk(journal, is_own=is_own) if hub is None else HubDesk(hub)
        super().__init__(desk.hub, desk)
        self.journal = journal
        self._follower = journal.follow()
        self._stored: dict[str, StoredRun] = {}
        self._ends: dict[str, tuple[int, bytes]] = {}
        """By run: the last row that was taken in, and its check."""
        self._skeletons: dict[str, Skeleton | None] = {}
        self._looks = 0

    def look(self) -> Change:
        """Bring the lines up to date.

        Raises:
            JournalError: the journal cannot be read now.
        """
        news = self._follower.look()
        self.total = self._follower.total
        changed = {*news.gone, *(run.facts.run_id for run in news.runs), *news.rows}
        for run_id in news.gone:
            for known in (self.lines, self._stored, self._ends):
                known.pop(run_id, None)
        anew = self._take_runs(news)
        attempts = {
            run_id: found for run_id, rows in news.rows.items() if (found := self._take_rows(run_id, rows, anew))
        }
        if self._looks % _JUDGED_EVERY == 0 or news.runs:
            changed |= self._judge()
        self._looks += 1
        for run_id in changed & self.lines.keys():
            self.lines[run_id].version += 1
        return Change(changed, attempts, anew)

    def close(self) -> None:
        """Close the desk, and with it a journal of its own."""
        self.desk.close()

    def attempts(self, run_id: str) -> list[Attempt]:
        """Return all attempts that a run made itself."""
        line, end = self.lines.get(run_id), self._ends.get(run_id)
        if line is None or line.state == "damaged":
            return []
        try:
            rows = self.journal.rows(run_id)
            return [
                one for one in read(row for row in rows if end is None or row.seq <= end[0]) if type(one) is Attempt
            ]
        except (JournalError, ValueError):
            return []  # its line tells

    def fill_in(self, line: RunLine) -> bool:
        """Read where a run ended that was over when it was first seen: its last rows tell."""
        stored = self._stored.get(line.run_id)
        if stored is None or line.at or line.state == "damaged" or not line.is_over:
            return False
        line.at = "-"
        try:
            seen = list(read(self.journal.rows(line.run_id, after=stored.standing.seq - _LAST)))
        except (JournalError, ValueError):
            return False
        for one in seen:
            if type(one) is Attempt and not one.scope:
                line.at = one.step if one.next_step is None else one.next_step
                line.error = "" if one.error is None else f"{one.step}: {one.error[1]}"
        line.version += 1
        return True

    def definition(self, line: RunLine) -> WorkflowDefinition | None:
        """Return the workflow as it is on record, or as it is registered here."""
        skeleton = self._skeleton(self._stored[line.run_id]) if line.run_id in self._stored else None
        if skeleton is None or skeleton.definition is None:
            return super().definition(line)
        try:
            return WorkflowDefinition.from_dict(skeleton.definition)
        except (OrchestrationError, ValueError):
            return None

    def _take_runs(self, news: News) -> set[str]:
        """Take in where runs stand; return those that have to be read from the beginning."""
        anew: set[str] = set()
        for stored in news.runs:
            facts, standing, holder = stored
            run_id = facts.run_id
            line = self.lines.get(run_id)
            if line is None:
                line = RunLine(
                    run_id, facts.workflow, facts.started_at, facts.parent, facts.forked_at, dict(facts.tags),
                    last_at=facts.started_at,
                )  # fmt: skip
                self._know_header(line, stored)
                self.lines[run_id] = line
                anew.add(run_id)
            self._stored[run_id] = stored
            line.state, line.reason, line.finished_at = standing.state, standing.reason, standing.finished_at
            line.driver = "" if holder is None else f"process {holder.owner.pid} on {holder.owner.host}"
            try:
                verify_run(stored)
                if standing.finished_at is not None:
                    line.waits = {}
                    line.last_at = max(line.last_at, standing.finished_at)
                    line.take_totals(read_totals(stored)[1])
            except JournalCorrupt as error:
                _damage(line, error.reason)
        return anew

    def _take_rows(self, run_id: str, rows: list[Row], anew: set[str]) -> list[Attempt]:
        """Take in rows that were added; return the attempts among them."""
        line, stored = self.lines.get(run_id), self._stored.get(run_id)
        if line is None or stored is None or line.state == "damaged":
            return []
        end = self._ends.get(run_id)
        try:
            if (
                end is None or rows[0].seq <= end[0]
            ):  # seen first, or gone on after its end: it is told from the beginning
                line.begin_anew()
                anew.add(run_id)
                end = self._take_past(line, stored)
            verify_rows(run_id, rows, *end)
            seen = list(read(rows))
        except JournalCorrupt as error:
            _damage(line, error.reason)
            return []
        except (ValueError, msgspec.MsgspecError) as error:
            _damage(line, f"a row of it cannot be read ({error!s:.200})")
            return []
        self._ends[run_id] = (rows[-1].seq, rows[-1].check)
        line.take(seen)
        if stored.standing.finished_at is not None:
            line.waits = {}
            line.take_totals(read_totals(stored)[1])
        return [one for one in seen if type(one) is Attempt]

    def _take_past(self, line: RunLine, stored: StoredRun) -> tuple[int, bytes]:
        """Count what a fork shares with its parent; return the row before its own first one, and its check."""
        facts = stored.facts
        if not facts.shared:
            return 0, facts.check
        shared = [row for row, _ in read_rows(self.journal, stored)[0][: facts.shared]]
        line.take(read(shared))
        return shared[-1].seq, shared[-1].check

    def _judge(self) -> set[str]:
        """Find out which drivers are alive, each process once; return the runs for which that is news."""
        me = self.journal.owner
        known: dict[str, str] = {}
        changed: set[str] = set()
        for run_id, line in self.lines.items():
            holder = self._stored[run_id].holder
            now = ""
            if holder is not None:
                token = holder.owner.token
                now = known[token] if token in known else known.setdefault(token, judge(holder, me))
                now = "alive" if now == "mine" else now
            if now != line.driver_is:
                line.driver_is = now
                changed.add(run_id)
        return changed

    def _know_header(self, line: RunLine, stored: StoredRun) -> None:
        try:
            header = _header.decode(stored.facts.header)
        except msgspec.MsgspecError:
            return  # whoever opens the run hears of it
        line.limits = dict(header.limits)
        skeleton = self._skeleton(stored)
        definition = None if skeleton is None else skeleton.definition
        if definition is not None:
            line.planned = len(definition.get("steps", ()))
            if stored.standing.finished_at is None:
                line.at = str(definition.get("initial_step") or "")

    def _skeleton(self, stored: StoredRun) -> Skeleton | None:
        try:
            digest = _header.decode(stored.facts.header).skeleton
            if digest not in self._skeletons:
                self._skeletons[digest] = read_skeleton(digest, self.journal.blob)
        except (JournalError, ValueError, TypeError, LookupError):
            return None
        return self._skeletons[digest]


def _damage(line: RunLine, reason: str) -> None:
    line.state, line.reason = "damaged", reason
