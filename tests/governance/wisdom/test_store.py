"""Lessons are proposed, judged by a person or a policy, and only then in use."""

from __future__ import annotations

import pickle
from datetime import UTC, datetime

import pytest

from orchestration_kit.governance.wisdom import Wisdom
from orchestration_kit.governance.wisdom import errors as wisdom_errors
from orchestration_kit.governance.wisdom.errors import InvalidLesson, LessonState, UnknownLesson
from tests.governance.wisdom.support import StoppedClock

KEY = "sk-proj-q7Zp2Vd9Kx4Lm8Rt5Wn3Hs6Yb1Jc0Fg7Ua"


@pytest.fixture
def wisdom():
    return Wisdom(clock=StoppedClock())


def test_what_was_kept_is_read_back_as_it_was(wisdom):
    about = dict(
        layer="preference",
        tags=("prices", "style"),
        step="write",
        worker="writer",
        workflow="shop",
        runs=("r-1", "r-2"),
        model="m-1",
    )
    lesson = wisdom.add("Give prices in euros", by="Ann", **about)
    assert wisdom.get(lesson.id) == lesson
    assert {name: getattr(lesson, name) for name in about} == about
    assert (lesson.text, lesson.status, lesson.proposed_by, lesson.approved_by) == (
        "Give prices in euros",
        "proposed",
        "Ann",
        None,
    )
    assert lesson.created_at == lesson.updated_at == datetime.fromtimestamp(1_700_000_000, UTC)


def test_a_lesson_is_used_only_while_it_is_approved(wisdom):
    lesson = wisdom.propose("Give prices in euros")
    assert wisdom.search("prices") == []
    wisdom.approve(lesson.id, by="Ann")
    assert [found.id for found in wisdom.search("prices")] == [lesson.id]
    wisdom.retire(lesson.id, by="Ann", reason="the model knows by now")
    assert wisdom.search("prices") == []
    wisdom.approve(lesson.id, by="Ann")
    assert [found.id for found in wisdom.search("prices")] == [lesson.id]


def test_a_rejected_proposal_is_never_used_however_often_it_comes(wisdom):
    lesson = wisdom.propose("Give prices in dollars")
    wisdom.reject(lesson.id, by="Ann", reason="we sell in Europe")
    again = wisdom.propose("Give prices in dollars", runs=["r-9"])
    assert (again.id, again.status, again.reason, again.seen, again.runs) == (
        lesson.id,
        "rejected",
        "we sell in Europe",
        2,
        ("r-9",),
    )
    assert wisdom.search("prices") == []


def test_the_same_lesson_is_kept_once_and_its_evidence_grows(wisdom):
    first = wisdom.propose("Give prices in euros", step="write", runs=["r-1"])
    again = wisdom.propose("Give prices in euros", step="write", runs=["r-1", "r-2"])
    other = wisdom.propose("Give prices in euros", step="check")
    assert (again.id, again.runs, again.seen) == (first.id, ("r-1", "r-2"), 2)
    assert other.id != first.id
    assert len(wisdom) == 2


def test_evidence_is_capped(wisdom):
    for number in range(150):
        lesson = wisdom.propose("Give prices in euros", runs=[f"r-{number}"])
    assert lesson.seen == 150
    assert lesson.runs == tuple(f"r-{number}" for number in range(50, 150))


def test_what_was_retired_and_comes_again_is_a_proposal_anew(wisdom):
    lesson = wisdom.add("Give prices in euros", approve=True)
    wisdom.retire(lesson.id, by="purge")
    again = wisdom.propose("Give prices in euros", model="m-2")
    assert (again.id, again.status, again.approved_by, again.model) == (lesson.id, "proposed", None, "m-2")


def test_a_policy_approves_and_its_name_is_kept():
    def short_ones(lesson):
        return len(lesson.text) < 20

    wisdom = Wisdom(policy=short_ones)
    assert wisdom.propose("Be brief").approved_by.endswith("short_ones")
    assert wisdom.propose("Write long and winding sentences").status == "proposed"
    assert [lesson.text for lesson in wisdom.search("be brief long sentences")] == ["Be brief"]


@pytest.mark.parametrize("answer", [1, "yes", object(), None, False])
def test_only_a_true_from_the_policy_approves(answer):
    assert Wisdom(policy=lambda lesson: answer).propose("Be brief").status == "proposed"


def test_an_error_in_the_policy_approves_nothing_and_the_proposal_stays():
    def broken(lesson):
        raise ZeroDivisionError

    wisdom = Wisdom(policy=broken)
    with pytest.raises(ZeroDivisionError):
        wisdom.propose("Be brief")
    assert [lesson.status for lesson in wisdom.lessons()] == ["proposed"]


def test_a_lesson_goes_only_where_it_can_go(wisdom):
    proposed = wisdom.propose("a lesson")
    with pytest.raises(LessonState, match="is proposed, so it cannot become retired"):
        wisdom.retire(proposed.id, by="Ann")
    wisdom.approve(proposed.id, by="Ann")
    with pytest.raises(LessonState, match="is approved, so it cannot become rejected"):
        wisdom.reject(proposed.id, by="Ann")
    assert wisdom.approve(proposed.id, by="Ben").approved_by == "Ann"


@pytest.mark.parametrize("lesson_id", [0, 7, -1, 2**70, "1", None, 1.0])
def test_an_id_that_is_none_is_refused(wisdom, lesson_id):
    with pytest.raises(UnknownLesson, match="to_frame"):
        wisdom.approve(lesson_id, by="Ann")


@pytest.mark.parametrize(
    "wrong",
    [
        dict(text=""), dict(text="  \n"), dict(text=None), dict(text=b"bytes"), dict(text="x" * 4_001), dict(layer="saftey"), dict(layer=None), dict(tags="one"),
        dict(tags=[1]), dict(tags=[None]), dict(tags=["x" * 201]), dict(tags=map(str, range(21))), dict(tags=3), dict(step=""), dict(step=7), dict(worker="x" * 201),
        dict(runs=["r"] + list("abc") * 2 + [f"r{n}" for n in range(200)]), dict(model=[]), dict(by=5),
    ],
)  # fmt: skip
def test_what_is_no_lesson_is_refused_and_nothing_is_kept(wisdom, wrong):
    with pytest.raises(InvalidLesson):
        wisdom.propose(**{"text": "a lesson", **wrong})
    assert len(wisdom) == 0


def test_who_judges_is_named(wisdom):
    lesson = wisdom.propose("a lesson")
    with pytest.raises(InvalidLesson, match="nobody is named"):
        wisdom.approve(lesson.id, by=None)


def test_secrets_are_taken_out_of_whatever_is_kept(wisdom, monkeypatch, tmp_path):
    monkeypatch.setenv("SHOP_TOKEN", "correct horse")
    wisdom = Wisdom(tmp_path / "lessons.db")
    lesson = wisdom.propose(
        f"Call it with {KEY} and password=hunter2hunter2",
        tags=[KEY],
        step=KEY,
        runs=["correct horse"],
        by=KEY,
        model=KEY,
    )
    wisdom.reject(lesson.id, by="correct horse", reason=f"holds {KEY}")
    wisdom.close()
    content = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert b"[REDACTED]" in content
    for secret in (KEY, "hunter2hunter2", "correct horse"):
        assert secret.encode() not in content


def test_text_of_every_kind_is_kept(wisdom):
    for text in ("ünï – 東京 🔑", "line\nline\ttab", "'; DROP TABLE lessons; --", "{}[]\"'`", "a" * 4_000):
        assert wisdom.propose(text).text == text
    assert wisdom.propose("nul \0 and \ud800 and \x1b[2J").text == "nul � and ? and �[2J"


def test_errors_survive_pickling():
    made = [
        wisdom_errors.WisdomUnavailable("a.db", "reason", "hint"),
        InvalidLesson("reason", "hint"),
        UnknownLesson(7, 3),
        LessonState(7, "approved", "rejected", ("proposed",)),
        wisdom_errors.LessonsFileError("a.jsonl", "reason", "hint"),
    ]
    for error in made:
        again = pickle.loads(pickle.dumps(error))
        assert (type(again), str(again), vars(again)) == (type(error), str(error), vars(error))


def test_a_status_that_is_none_is_refused_with_the_nearest(wisdom, tmp_path):
    with pytest.raises(InvalidLesson, match="'propose'.*Did you mean 'proposed'"):
        wisdom.lessons("propose")
    with pytest.raises(InvalidLesson):
        wisdom.export(tmp_path / "lessons.jsonl", status="open")
    assert not (tmp_path / "lessons.jsonl").exists()


def test_a_lesson_in_the_place_of_its_number_is_told_of_in_short(wisdom):
    lesson = wisdom.propose("Give prices in euros")
    with pytest.raises(UnknownLesson, match=r"Write lesson\.id: 1\."):
        wisdom.approve(lesson, by="Ann")
