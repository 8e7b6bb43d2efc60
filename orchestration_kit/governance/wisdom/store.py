"""Lessons kept in SQLite: proposed, approved by a person or a policy, found, counted, retired."""

from __future__ import annotations

import logging
import os
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from orchestration_kit.engine.ports import Clock, SystemClock
from orchestration_kit.errors import counted
from orchestration_kit.governance.wisdom import table
from orchestration_kit.governance.wisdom.bound import BoundWisdom, Note
from orchestration_kit.governance.wisdom.database import MEMORY, Database
from orchestration_kit.governance.wisdom.errors import InvalidLesson, LessonState
from orchestration_kit.governance.wisdom.lesson import (
    MAX_NAME,
    MAX_RUNS,
    MAX_TEXT,
    Lesson,
    Status,
    layer_of,
    name_of,
    names_of,
    plain,
    status_of,
    text_of,
)
from orchestration_kit.governance.wisdom.observing import Outcome, outcome_of
from orchestration_kit.governance.wisdom.rows import SELECT, lesson_of, sameness_of
from orchestration_kit.governance.wisdom.search import Wanted, search
from orchestration_kit.secrets.finder import Finder

if TYPE_CHECKING:
    import pandas as pd

    from orchestration_kit.engine.context import WorkflowContext
    from orchestration_kit.engine.events import Event

_log = logging.getLogger("orchestration_kit")

Policy = Callable[[Lesson], bool]
MAX_FOUND = 50
_SHOWN = 20


class Wisdom:
    """Lessons from runs, for later runs. Safe to use from several threads and processes.

    >>> wisdom = Wisdom()
    >>> lesson = wisdom.propose("Give prices in euros, with two decimals", tags=["prices"], step="write")
    >>> wisdom.search("which prices?")
    []
    >>> wisdom.approve(lesson.id, by="Ann").status
    'approved'
    >>> [found.text for found in wisdom.search("which prices?")]
    ['Give prices in euros, with two decimals']

    Args:
        path: An SQLite file on a disk of this machine, which is made if it is not there; or ":memory:".
        policy: Asked about each lesson that is proposed; True approves it. Without one, persons approve.
        clock: Tells the time, for `created_at` and `updated_at`.

    Raises:
        WisdomUnavailable: the file cannot be opened or made, or is another kind of file.
    """

    def __init__(
        self, path: str | os.PathLike[str] = MEMORY, *, policy: Policy | None = None, clock: Clock | None = None
    ) -> None:
        self.path = os.fspath(path)
        self._policy = policy
        self._clock: Clock = clock or SystemClock()
        self._database = Database(self.path if self.path == MEMORY else os.path.abspath(self.path))  # noqa: PTH100 - no link resolved

    # --- lessons come

    def add(self, text: str, *, approve: bool = False, by: str | None = None, **about: Any) -> Lesson:
        """Keep a lesson that a person wrote, and approve it at once if `approve`.

        Args:
            text: What was learnt, in a sentence or two; at most 4,000 characters. Secrets in it are taken out.
            approve: Whether it is used from now on.
            by: Who says so.
            about: What it is about, as in `propose`.

        Raises:
            InvalidLesson: the text is empty or too long, or one of the rest is not what it should be.
        """
        lesson = self.propose(text, by=by, **about)
        return self.approve(lesson.id, by=by or "a person") if approve else lesson

    def propose(  # noqa: PLR0913 - what a lesson is about, in words
        self,
        text: str,
        *,
        layer: str = "general",
        tags: Iterable[str] = (),
        step: str | None = None,
        worker: str | None = None,
        workflow: str | None = None,
        runs: Iterable[str] = (),
        model: str | None = None,
        by: str | None = None,
    ) -> Lesson:
        """Propose a lesson; it is used only after a person or the policy approved it.

        The same lesson for the same step, worker and workflow is kept once: its evidence grows.

        Args:
            text: What was learnt, in a sentence or two; at most 4,000 characters. Secrets in it are taken out.
            layer: "safety", "preference" or "general": in this order they are searched.
            tags: What to find it by besides its words.
            step: The step it is for; a preference without one is for all steps.
            worker: The type of worker it is for.
            workflow: The workflow it is for.
            runs: Ids of runs that are evidence for it.
            model: The model that it was learnt with: after a change, `purge` tests it again.
            by: Who proposes it.

        Raises:
            InvalidLesson: the text is empty or too long, or one of the rest is not what it should be.
        """
        finder = learned()
        about: dict[str, Any] = {
            "text": text_of(text, finder),
            "layer": layer_of(layer),
            "tags": names_of(tags, "tags", finder),
            "step": name_of(step, "step", finder),
            "worker": name_of(worker, "worker", finder),
            "workflow": name_of(workflow, "workflow", finder),
            "runs": names_of(runs, "runs", finder),
            "model": name_of(model, "model", finder),
            "proposed_by": name_of(by, "by", finder),
        }
        parts = (about["layer"], about["text"], about["step"], about["worker"], about["workflow"])
        lesson = self._database.write(lambda file: self._put(file, about, sameness_of(*parts)))
        return self._asked(lesson)

    def observe(self, event: Event, workflow: str, run_id: str) -> None:
        """Learn from an event of a run: the hub calls this. A failure is proposed as a lesson, never approved here.

        The same event counts once, however often it is told. How attempts went that were given lessons is counted.
        """
        outcome = outcome_of(event)
        if outcome is not None:
            lesson = self._database.write(lambda file: self._learn(file, outcome, workflow, run_id))
            try:
                if lesson is not None:
                    self._asked(lesson)
            except Exception:  # noqa: BLE001 - or the hub would tell no more of this run; the proposal is kept
                _log.exception("The policy could not judge %r; it stays a proposal", lesson)

    # --- lessons are judged

    def approve(self, lesson_id: int, *, by: str) -> Lesson:
        """Let workers find a lesson from now on.

        Raises:
            UnknownLesson: there is none of this id.
        """
        return self._judge(lesson_id, "approved", by, None)

    def reject(self, lesson_id: int, *, by: str, reason: str | None = None) -> Lesson:
        """Refuse a proposal. It is not proposed again, whatever fails.

        Raises:
            UnknownLesson: there is none of this id.
            LessonState: it was approved before; then `retire` it.
        """
        return self._judge(lesson_id, "rejected", by, reason, of=("proposed", "rejected"))

    def retire(self, lesson_id: int, *, by: str, reason: str | None = None) -> Lesson:
        """Take a lesson out of use. What fails again in that way is proposed anew.

        Raises:
            UnknownLesson: there is none of this id.
            LessonState: it was not in use.
        """
        return self._judge(lesson_id, "retired", by, reason, of=("approved", "retired"))

    def purge(self, *, model: str, retest: Callable[[Lesson], bool | None] | None = None) -> pd.DataFrame:
        """Test lessons again after a change of the model, and retire those that it needs no more: see `purged`."""
        from orchestration_kit.governance.wisdom.purge import purged

        return purged(self, model, retest)

    # --- lessons are found

    def get(self, lesson_id: int) -> Lesson:
        """Return a lesson, whatever its status.

        Raises:
            UnknownLesson: there is none of this id.
        """
        return self._database.read(lambda file: table.get(file, lesson_id))

    def search(  # noqa: PLR0913 - what is asked for, in words
        self,
        query: str = "",
        *,
        step: str | None = None,
        worker: str | None = None,
        workflow: str | None = None,
        tags: Iterable[str] = (),
        k: int = 3,
    ) -> list[Lesson]:
        """Return the approved lessons that fit best: at most `k`, the same ones for the same question.

        Safety comes first (failures of this very step), then preferences, then general lessons. Within each, those
        with the words of the query (BM25), for this step, worker and tags, and that were followed by success
        (Wilson's lower bound). Safety and preferences for other steps, workers or workflows are left out.

        Args:
            query: Any text; its words count, nothing in it is an operator.
            step: The step a lesson is wanted for.
            worker: The type of worker.
            workflow: The workflow it runs in.
            tags: Lessons with these are preferred.
            k: How many at most, up to 50.

        Raises:
            ValueError: `k` is less than 1, or more than 50.
        """
        if not 1 <= k <= MAX_FOUND:
            raise ValueError(f"k={k!r:.20}: ask for 1 to {MAX_FOUND} lessons; wisdom.to_frame() lists all.")
        names = [None if name is None else plain(name) for name in (step, worker, workflow)]
        wanted = Wanted(str(query), names[0], names[1], names[2], tuple(dict.fromkeys(map(plain, tags))), k)
        return self._database.read(lambda file: search(file, wanted))

    def bound(self, context: WorkflowContext, note: Note | None = None) -> BoundWisdom:
        """Return the lessons as a worker sees them in an attempt.

        Args:
            context: The attempt's.
            note: Told the ids of lessons that were found; by default `context.note_lessons`.
        """
        return BoundWisdom(self, context, note)

    def lessons(self, status: Status | None = None) -> list[Lesson]:
        """Return all lessons, or those of a status, in the order in which they came.

        Raises:
            InvalidLesson: there is no such status.
        """
        condition, values = ("", ()) if status is None else (" WHERE status = ?", (status_of(status),))
        return self._database.read(
            lambda file: [lesson_of(row) for row in file.execute(f"{SELECT}{condition} ORDER BY id", values)]
        )

    def to_frame(self) -> pd.DataFrame:
        """Return one row per lesson: see `lessons_frame` for the columns."""
        from orchestration_kit.governance.wisdom.frames import lessons_frame

        return lessons_frame(self.lessons())

    # --- lessons travel

    def export(self, path: str | os.PathLike[str], *, status: Status | None = None) -> int:
        """Write the lessons, or those of a status, to a file of JSON lines; return how many.

        Raises:
            WisdomUnavailable: the file cannot be written; what was there before is still there.
            InvalidLesson: there is no such status.
        """
        from orchestration_kit.governance.wisdom.files import write_lessons

        return write_lessons(self.lessons(status), path)

    def load(self, path: str | os.PathLike[str], *, trusted: bool = False) -> int:
        """Take the lessons of a file that `export` wrote, and return how many were new here.

        They are proposals here, whatever they were there, unless the file is `trusted`. A file with anything wrong in
        it is refused as a whole.

        Raises:
            LessonsFileError: it is no such file, or too large, or a line of it is wrong.
        """
        from orchestration_kit.governance.wisdom.files import read_lessons

        taken = read_lessons(path, self._clock.time())
        return self._database.write(lambda file: sum(self._take(file, about, trusted=trusted) for about in taken))

    def close(self) -> None:
        """Close the file; lessons in memory are gone."""
        self._database.close()

    def __len__(self) -> int:
        return self._database.read(table.count)

    def __repr__(self) -> str:
        return f"<Wisdom {self.path}: {counted(len(self), 'lesson')}>"

    def _repr_html_(self) -> str:
        from orchestration_kit.governance.wisdom.frames import lessons_html

        newest, counts = self._database.read(lambda file: (table.newest(file, _SHOWN), table.counts(file)))
        return lessons_html(newest, counts)

    # --- inside

    def _asked(self, lesson: Lesson) -> Lesson:
        """Return a proposal after the policy, if there is one, was asked about it. An error in it approves nothing."""
        if self._policy is None or lesson.status != "proposed" or self._policy(lesson) is not True:
            return lesson
        name = getattr(self._policy, "__qualname__", type(self._policy).__name__)
        return self.approve(lesson.id, by=f"policy {name}"[:MAX_NAME])

    def _put(self, file: sqlite3.Connection, about: dict[str, Any], sameness: str) -> Lesson:
        """Keep a proposal, or add to the evidence of one that is kept."""
        now = self._clock.time()
        row = file.execute(f"{SELECT} WHERE sameness = ?", (sameness,)).fetchone()
        if row is None:
            return table.insert(file, {**about, "created_at": now, "updated_at": now}, sameness)
        kept = lesson_of(row)
        runs = tuple(dict.fromkeys((*kept.runs, *about["runs"])))[-MAX_RUNS:]
        change: dict[str, Any] = {"runs": runs, "seen": kept.seen + 1, "updated_at": now}
        if kept.status == "retired":
            change |= {"status": "proposed", "approved_by": None, "reason": None, "model": about["model"] or kept.model}
        return table.update(file, kept, change)

    def _learn(self, file: sqlite3.Connection, outcome: Outcome, workflow: str, run_id: str) -> Lesson | None:
        key = (plain(run_id), plain(outcome.path), outcome.attempt)
        if not file.execute("INSERT OR IGNORE INTO counted(run, path, attempt) VALUES (?, ?, ?)", key).rowcount:
            return None
        file.executemany(
            "UPDATE lessons SET use = use + 1, success = success + ? WHERE id = ?",
            [(int(outcome.went_well), lesson_id) for lesson_id in outcome.used],
        )
        found = outcome.finding
        if found is None:
            return None
        finder = learned()

        def clean(text: str | None) -> str | None:
            return plain(finder.in_text(text))[:MAX_NAME] if text else None

        about: dict[str, Any] = {
            "text": text_of(found.text[:MAX_TEXT], finder),
            "layer": found.layer,
            "tags": (),
            "step": clean(found.step),
            "worker": clean(found.worker),
            "workflow": clean(workflow),
            "runs": (clean(run_id) or "",),
            "model": clean(found.model),
            "proposed_by": "a failure" if found.layer == "safety" else "a review",
        }
        return self._put(file, about, sameness_of("observed", workflow, found.step, plain(found.sameness)))

    def _take(self, file: sqlite3.Connection, about: dict[str, Any], *, trusted: bool) -> bool:
        """Keep a lesson of a file, if it is not kept already."""
        sameness = sameness_of(about["layer"], about["text"], about["step"], about["worker"], about["workflow"])
        if file.execute("SELECT 1 FROM lessons WHERE sameness = ?", (sameness,)).fetchone():
            return False
        if not trusted:
            about = {**about, "status": "proposed", "approved_by": None, "reason": None, "use": 0, "success": 0}
        table.insert(file, about, sameness)
        return True

    def _judge(
        self, lesson_id: int, status: Status, by: str, reason: str | None, *, of: Sequence[Status] = ()
    ) -> Lesson:
        finder = learned()
        name = name_of(by, "by", finder)
        if name is None:
            raise InvalidLesson("nobody is named who judges it", 'Give a name: by="Ann".')
        why = None if reason is None else text_of(reason, finder)

        def judge(file: sqlite3.Connection) -> Lesson:
            kept = table.get(file, lesson_id)
            if of and kept.status not in of:
                raise LessonState(kept.id, kept.status, status, (of[0],))
            if kept.status == status:
                return kept
            change = {"status": status, "approved_by": name, "reason": why, "updated_at": self._clock.time()}
            return table.update(file, kept, change)

        return self._database.write(judge)

    def tested(self, lesson_id: int, model: str) -> Lesson:
        """Note that a lesson was tested on a model, and is still of use."""
        change = {"model": name_of(model, "model", learned()), "updated_at": self._clock.time()}
        return self._database.write(lambda file: table.update(file, table.get(file, lesson_id), change))


def learned() -> Finder:
    """Return what finds secrets, with the environment as it is now."""
    finder = Finder()
    finder.learn()
    return finder
