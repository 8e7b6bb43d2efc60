"""A search finds what fits, in layers, the same each time; its query is data."""

from __future__ import annotations

import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestration_kit.governance.wisdom import Wisdom
from orchestration_kit.governance.wisdom.lesson import wilson
from orchestration_kit.governance.wisdom.words import words_of
from tests.governance.wisdom.support import attempt
from tests.hostile import PAYLOADS

SYNTAX = ('"', '""', "'", "a AND", "OR OR", "NOT a", "NEAR(a b, 2)", "words:a", "{words} : a", "- words : a", "a*", "^a", "a + b", "(", ")", "((a)", "*", "a^2", "\0", "%", "_", ";",
          "' OR 1=1 --", "x' UNION SELECT text FROM lessons --", "found_general", "rank", "\ud800", "🔑", "a\nb", "", "   ")  # fmt: skip


def added(wisdom, text, **about):
    return wisdom.add(text, approve=True, **about).id


def ids(found):
    return [lesson.id for lesson in found]


@pytest.fixture
def wisdom():
    return Wisdom()


def test_layers_come_in_order_whatever_fits_better(wisdom):
    general = added(wisdom, "prices prices prices")
    preference = added(wisdom, "prices in euros", layer="preference")
    safety = added(wisdom, "the step failed over many other things and prices", layer="safety")
    assert ids(wisdom.search("prices")) == [safety, preference, general]
    assert ids(wisdom.search("prices", k=2)) == [safety, preference]


def test_words_are_found_whatever_their_capitals_and_accents_and_the_rarer_ones_count_more(wisdom):
    for number in range(20):
        added(wisdom, f"write about topic {number}")
    cafe = added(wisdom, "write about the Café")
    assert wisdom.search("WRITE cafe")[0].id == cafe
    assert ids(wisdom.search("東京")) == []
    tokyo = added(wisdom, "東京都の天気を調べる")
    assert ids(wisdom.search("天気")) == [tokyo]


def test_tags_are_found_as_words_and_preferred_as_tags(wisdom):
    plain = added(wisdom, "some advice on titles")
    tagged = added(wisdom, "more advice on titles", tags=["html"])
    assert ids(wisdom.search("html")) == [tagged]
    assert ids(wisdom.search("titles advice on", tags=["html"])) == [tagged, plain]
    assert ids(wisdom.search(tags=["html"])) == [tagged]


def test_failures_of_this_very_step_come_first_and_those_of_others_not_at_all(wisdom):
    other = added(wisdom, "step check failed: no euros", layer="safety", step="check")
    own = added(wisdom, "step write failed: no title", layer="safety", step="write")
    anywhere = added(wisdom, "never print euros twice", layer="safety")
    assert ids(wisdom.search("euros", step="write")) == [own, anywhere]
    assert ids(wisdom.search("euros", step="check")) == [other, anywhere]
    assert set(ids(wisdom.search("euros"))) == {other, anywhere}


def test_the_same_step_of_another_workflow_is_another_step(wisdom):
    added(wisdom, "failed: no title", layer="safety", step="write", workflow="blog")
    assert wisdom.search("title", step="write", workflow="shop") == []
    assert len(wisdom.search("title", step="write", workflow="blog")) == 1


def test_preferences_without_a_step_are_for_all_steps(wisdom):
    everywhere = added(wisdom, "Write British English", layer="preference")
    added(wisdom, "Sign with your name", layer="preference", step="letter")
    assert ids(wisdom.search("a page about bread", step="write")) == [everywhere]


def test_a_step_and_a_worker_that_match_lift_a_lesson(wisdom):
    plain = added(wisdom, "check the title")
    workers = added(wisdom, "check the title now", worker="writer")
    steps = added(wisdom, "check the title twice", step="write")
    assert ids(wisdom.search("check title", step="write", worker="writer")) == [steps, workers, plain]


def test_success_that_was_measured_lifts_a_lesson(wisdom):
    good = added(wisdom, "check the title")
    bad = added(wisdom, "check the title!")
    for number in range(12):
        wisdom.observe(attempt(visit=number, detail={"lessons": [good]}), "shop", "r")
    assert ids(wisdom.search("check title")) == [good, bad]
    assert wisdom.get(good).confidence == wilson(12, 12)


def test_of_lessons_that_fit_alike_the_newest_comes_first(wisdom):
    found = [added(wisdom, f"check the title{'!' * number}") for number in range(5)]
    assert ids(wisdom.search("title", k=5)) == found[::-1]


def test_an_empty_query_finds_the_newest(wisdom):
    found = [added(wisdom, f"lesson {number}") for number in range(5)]
    assert ids(wisdom.search()) == found[:1:-1]


def test_words_that_stand_in_every_lesson_still_find_the_newest(wisdom, monkeypatch):
    monkeypatch.setattr("orchestration_kit.governance.wisdom.search.MAX_SCORED", 10)
    found = [added(wisdom, f"the page {number}") for number in range(30)]
    assert ids(wisdom.search("the page")) == found[:-4:-1]
    assert wisdom.search("the 7")[0].id == found[7]


@pytest.mark.parametrize("k", [0, -1, 51, 10**9])
def test_an_amount_that_is_none_is_refused(wisdom, k):
    with pytest.raises(ValueError, match="ask for 1 to 50"):
        wisdom.search("x", k=k)


@pytest.mark.parametrize("query", [*SYNTAX, *PAYLOADS])
def test_no_syntax_in_a_query_does_anything(wisdom, query):
    secret = wisdom.propose("not approved").id
    known = added(wisdom, "known")
    assert secret not in ids(wisdom.search(query))
    assert known in ids(wisdom.search(f"known {query}"))
    wisdom.search(query, step=query, worker=query, workflow=query, tags=[query])
    assert len(wisdom) == 2


@pytest.mark.parametrize(
    "amount", [pytest.param(200, id="short"), pytest.param(10_000, id="long", marks=pytest.mark.soak)]
)
def test_a_search_agrees_with_what_the_words_say(amount):
    wisdom = Wisdom()
    texts = ["alpha beta", "beta gamma", "or and not near", "gamma delta rank", "words found general"]
    for text in texts:
        added(wisdom, text)
    wisdom.propose("alpha secret")

    @settings(max_examples=amount, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(
        st.lists(
            st.one_of(st.sampled_from(SYNTAX), st.sampled_from(" ".join(texts).split()), st.text(max_size=20)),
            max_size=6,
        ).map(" ".join)
    )
    def check(query):
        found = {lesson.text for lesson in wisdom.search(query, k=50)}
        wanted = set(words_of(query))
        expected = {text for text in texts if wanted & set(words_of(text))}
        assert found == (expected if query.strip() else set(texts))

    check()


def test_the_order_is_the_same_however_often_and_wherever_it_is_asked(tmp_path):
    dice = random.Random(3)
    lessons = [
        (" ".join(dice.choices("abcdefgh", k=5)), dice.choice(["safety", "preference", "general"])) for _ in range(200)
    ]
    stores = [Wisdom(), Wisdom(tmp_path / "lessons.db")]
    for wisdom in stores:
        for number, (text, layer) in enumerate(lessons):
            added(wisdom, f"{text} {number}", layer=layer)
    for _ in range(40):
        query = " ".join(dice.choices("abcdefgh", k=3))
        first, second = (ids(wisdom.search(query, k=20)) for wisdom in stores)
        assert first == second == ids(stores[0].search(query, k=20))


def test_what_goes_out_of_use_leaves_the_index_as_if_it_had_never_been_there(wisdom):
    added(wisdom, "a page on bread")
    one = added(wisdom, "a page on wine", tags=["drinks"])
    wisdom.retire(one, by="Ann")
    fresh = Wisdom()
    added(fresh, "a page on bread")
    tables = "SELECT * FROM words", "SELECT * FROM tagged", "SELECT rowid, * FROM found_general"
    for table in tables:
        left, right = (each._database.read(lambda file: file.execute(table).fetchall()) for each in (wisdom, fresh))
        assert left == right
