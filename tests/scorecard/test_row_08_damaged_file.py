"""Row 8: whatever is damaged in a journal's file, it gives what was written, or an error; never something else."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from orchestration_kit.errors import JournalError, UnknownRun
from orchestration_kit.journal.errors import JournalCorrupt, LeaseLost, RunLocked
from orchestration_kit.journal.listing import summaries
from orchestration_kit.journal.loading import load_run
from orchestration_kit.journal.port import Journal, RunQuery
from orchestration_kit.journal.sqlite import SQLiteJournal
from tests.scorecard.crashing import CRASHED, drive_until
from tests.scorecard.damage import DAMAGES
from tests.scorecard.publishing import GOAL, hub_of

LISTS = (
    RunQuery(),
    RunQuery(state="completed"),
    RunQuery(state="in_progress"),
    RunQuery(workflow="publishing"),
    RunQuery(tags={"team": "a"}),
    RunQuery(parent="r"),
)


@pytest.fixture(scope="module")
def library(tmp_path_factory, template) -> Path:
    """A journal with runs of every kind: finished, forked, let go of in the middle, and left by a driver that died."""
    folder = tmp_path_factory.mktemp("library")
    assert template.call(drive_until, str(folder), 11, "before") == CRASHED
    (folder / "runs.db").rename(folder / "journal.db")  # its driver's run is called r; the next one too
    for suffix in ("-wal", "-shm"):
        (folder / f"runs.db{suffix}").rename(folder / f"journal.db{suffix}")
    with SQLiteJournal(folder / "journal.db") as journal:
        hub = hub_of(journal)
        hub.start("publishing", GOAL, {"n": 1}, run_id="done", tags={"team": "a", "env": "x"}).run()
        run = hub.start("publishing", "another book", run_id="let go of")
        run.step()
        run.step()
        run = hub.start("publishing", "a third", {"big": "b" * 50_000}, run_id="cancelled", tags={"team": "a"})
        run.step()
        run.cancel("enough")
        hub.get_run("done").fork("review#2", {"n": 2}, run_id="forked").run()
        hub.get_run("forked").fork("polish", run_id="forked again").step()
    return folder / "journal.db"


def everything(path: Path) -> dict[str, str]:
    """What can be read of each run and list, as text; or that it could not be."""
    found: dict[str, str] = {}
    try:
        journal = SQLiteJournal(path)
    except JournalError as error:
        return {"": _refusal(error)}
    with journal:
        for run_id in ("r", "done", "let go of", "cancelled", "forked", "forked again"):
            found[run_id] = _answer(lambda run_id=run_id: _told(journal, run_id))
        for query in LISTS:
            found[f"list {query.state} {query.workflow} {query.parent} {dict(query.tags)}"] = _answer(
                lambda query=query: repr([_without_driver(summary) for summary in _sound(summaries(journal, query))])
            )
    return found


def _without_driver(summary):
    """Who drives a run now is no part of its record: it has no checksum, and a fence of its own.

    Nor are the totals of a run whose driver died: they are counted from its rows, which the test of runs is about.
    """
    totals = None if summary.run_id == LEFT_BY_THE_DEAD else summary.totals
    return tuple(summary._replace(driver=None, totals=totals))


def _sound(summaries):
    """The runs of a list, where none of them is shown as damaged."""
    for summary in summaries:
        if summary.state == "damaged":
            raise JournalCorrupt(summary.run_id, str(summary.reason))
    return summaries


REFUSED = "refused: "
LEFT_BY_THE_DEAD = "r"
"""Its last row is written down nowhere else: nobody let go of it in order."""


def _answer(read) -> str:
    try:
        return read()
    except (JournalError, UnknownRun) as error:
        return _refusal(error)


def _refusal(error: Exception) -> str:
    assert str(error)
    assert not isinstance(error, (RunLocked, LeaseLost))
    return f"{REFUSED}{type(error).__name__}"


def _told(journal: Journal, run_id: str) -> str:
    loaded = load_run(journal, run_id)
    return "\n".join(map(repr, [(loaded.started, loaded.limits, loaded.definition), *loaded.events]))


class Damaged:
    """What came of damaging copies of a journal."""

    def __init__(self, library: Path, folder: Path, count: int, seed: int) -> None:
        truth, draw = everything(library), random.Random(seed)
        assert not [answer for answer in truth.values() if answer.startswith(REFUSED)]
        original, path = library.read_bytes(), folder / "damaged.db"
        self.count = self.refused = self.cut = 0
        self.wrong: dict[str, list[str]] = {"run": [], "list": []}
        while self.count < count:
            path.write_bytes(original)
            what = draw.choice(DAMAGES)(path, draw)
            if not what:
                continue
            self.count += 1
            answers = everything(path)
            for suffix in ("-wal", "-shm"):
                Path(f"{path}{suffix}").unlink(missing_ok=True)
            self.refused += any(answer.startswith(REFUSED) for answer in answers.values())
            for key, answer in answers.items():
                if answer.startswith(REFUSED) or answer == truth[key]:
                    continue
                if key == LEFT_BY_THE_DEAD and truth[key].startswith(f"{answer}\n"):
                    self.cut += 1  # its last rows were deleted: as if its driver had died earlier
                else:
                    self.wrong["list" if key.startswith("list ") else "run"].append(f"{what}: {key}")

    def hold(self, kind: str) -> str:
        text = (
            f"row 8: {self.count} damaged files: {len(self.wrong[kind])} {kind}s silently wrong, {self.refused} refused, "
            f"{self.cut} times the end of a run whose driver died was cut off"
        )
        assert not self.wrong[kind], "\n".join([text, *self.wrong[kind]])
        return text


@pytest.fixture(scope="module")
def damaged(library, tmp_path_factory) -> Damaged:
    return Damaged(library, tmp_path_factory.mktemp("damaged"), 150, seed=8)


@pytest.fixture(scope="module")
def often_damaged(library, tmp_path_factory) -> Damaged:
    return Damaged(library, tmp_path_factory.mktemp("often"), 1_000, seed=88)


def test_a_run_of_a_damaged_file_is_refused_or_read_as_it_was_written(damaged, figure):
    figure(damaged.hold("run"))


def test_a_list_of_a_damaged_file_is_refused_or_read_as_it_was_written(damaged, figure):
    figure(damaged.hold("list"))


@pytest.mark.soak
def test_a_run_of_a_thousand_damaged_files_is_refused_or_read_as_it_was_written(often_damaged, figure):
    figure(often_damaged.hold("run"))


@pytest.mark.soak
def test_a_list_of_a_thousand_damaged_files_is_refused_or_read_as_it_was_written(often_damaged, figure):
    figure(often_damaged.hold("list"))


def test_a_damaged_log_gives_what_was_committed_up_to_some_moment(tmp_path, template, figure):
    """SQLite's log ends where its checksums end: what comes after the damage was never committed, as after a crash."""
    assert template.call(drive_until, str(tmp_path), 14, "before") == CRASHED
    original = {suffix: (tmp_path / f"runs.db{suffix}").read_bytes() for suffix in ("", "-wal")}
    draw, path, shorter, refused = random.Random(9), tmp_path / "damaged.db", 0, 0

    def events() -> list[str] | None:
        try:
            with SQLiteJournal(path) as journal:
                return [repr(event) for event in load_run(journal, "r").events]
        except (JournalError, UnknownRun):
            return None

    def restore(log: bytes) -> None:
        for suffix in ("", "-wal", "-shm"):
            Path(f"{path}{suffix}").unlink(missing_ok=True)
        path.write_bytes(original[""])
        Path(f"{path}-wal").write_bytes(log)

    restore(original["-wal"])
    truth = events()
    assert truth
    for _ in range(100):
        log = bytearray(original["-wal"])
        for _ in range(draw.choice([1, 1, 8])):
            log[draw.randrange(len(log))] ^= 1 << draw.randrange(8)
        restore(bytes(log[: draw.choice([len(log), draw.randrange(len(log))])]))
        found = events()
        refused += found is None
        assert found is None or found == truth[: len(found)]
        shorter += found is not None and len(found) < len(truth)
    figure(f"row 8: 100 damaged logs: 0 silently wrong, {shorter} end at an earlier commit, {refused} refused")
