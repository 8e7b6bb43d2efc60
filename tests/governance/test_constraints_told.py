"""The engine of constraints: sequences, outcomes, and what it tells."""

from __future__ import annotations

import pickle
import threading

import pytest

from orchestration_kit import ConstraintEngine, Verdict, Violation, create_default_engine
from orchestration_kit.governance.rules import (
    FunctionRule,
    InvalidRule,
    LabelRule,
    LeakRule,
    OutcomeRule,
    PlanRefused,
    RateRule,
    SqlRule,
    UrlRule,
    rule,
)
from tests.governance.hostile_actions import Raises, call, email, file, hostile, sql, tool
from tests.governance.test_constraints import SECRETS, WAVE, a_world, gentle, the_engine  # noqa: F401 - fixtures
from tests.hostile import PAYLOADS


def test_nothing_goes_out_after_a_secret_was_read(world):
    engine = world.engine(rules=SECRETS)
    read = engine.checked(file("read", "payroll/may.csv"))
    history = [{**read, "at": 1.0, "labels": engine.labels_of(read, "1,2,3")}]
    assert history[0]["labels"] == ["secret"]
    for plan in (call("https://example.com/"), email("ann@example.com"), tool("calculate", {})):
        assert engine.validate_plan(plan) and not engine.validate_plan(plan, history=history)
    assert engine.validate_plan(sql("SELECT 1"), history=history)
    assert engine.labels_of(engine.checked(file("read", "notes.txt"))) == []


def test_labels_come_from_tables_and_from_results_too():
    engine = ConstraintEngine(
        [
            SqlRule(),
            LabelRule("pii", tables=["people"], action_types=["sql_query"]),
            LabelRule("card", results=["card"], name="cards"),
        ]
    )
    assert engine.labels_of(sql("SELECT 1 FROM shop.People"), []) == ["pii"]
    assert engine.labels_of(sql("SELECT 1 FROM orders"), [["4111 1111 1111 1111"]]) == ["card"]


def test_where_it_cannot_be_told_the_run_is_labelled():
    engine = ConstraintEngine([gentle, LabelRule("card", results=["card"])])
    assert engine.labels_of(WAVE, {"x": Raises()}) == ["card"]
    assert engine.labels_of({"action_type": Raises()}, None) == ["card"]
    assert engine.labels_of(WAVE, None) == []


def test_outcomes_are_held_against_limits():
    engine = ConstraintEngine([gentle, OutcomeRule(max_rows=2, max_bytes=50, find=["card"], schema={"type": "array"})])
    assert engine.check_outcome(WAVE, ["a", "b"])
    assert "3 rows" in engine.check_outcome(WAVE, [1, 2, 3]).reason
    assert "50 bytes" in engine.check_outcome(WAVE, ["x" * 51]).reason
    assert "card" in engine.check_outcome(WAVE, ["4111111111111111"]).reason
    assert "array" in engine.check_outcome(WAVE, {"a": 1}).reason
    assert not engine.check_outcome(WAVE, Raises()) and not engine.check_outcome({"action_type": Raises()}, [])


def test_an_outcome_without_rules_is_approved(engine):
    assert engine.check_outcome(sql("SELECT 1"), object())


def test_what_is_sent_carries_no_key(engine):
    verdict = engine.validate_plan(email("ann@example.com", "Hi", "use ghp_abcdefghijklmnopqrstuvwxyz0123456789"))
    assert "a key" in verdict.reason and "ghp_" not in verdict.reason


def test_values_of_the_environment_are_keys_too(engine, monkeypatch):
    monkeypatch.setenv("SHOP_TOKEN", "correct horse battery")
    assert not engine.validate_plan(email("ann@example.com", "Hi", "it is: correct horse battery"))


def test_personal_data_is_looked_for_where_it_is_asked_for():
    engine = ConstraintEngine(
        [UrlRule(domains=["example.com"]), LeakRule(find=["iban", "card", "phone", "email", "ssn"])]
    )
    for text in (
        "DE89 3704 0044 0532 0130 00",
        "4111-1111-1111-1111",
        "+351 912 345 678",
        "ann@example.com",
        "078-05-1120",
    ):
        assert not engine.validate_plan(call("https://example.com/", "POST", body=f"it is {text}, I think"))
    for text in (
        "version 1.2.3",
        "order 12345678",
        "2024-01-02 10:30",
        "DE00 0000 0000 0000 0000 00",
        "4111 1111 1111 1112",
    ):
        assert engine.validate_plan(call("https://example.com/", "POST", body=f"it is {text}, I think"))


@pytest.mark.parametrize("text", ["AA11" + "x" * 40 + " ", "4111 ", "+351 ", "a@", "a.b-c@d.e.", "(020) "])
def test_looking_for_personal_data_takes_time_in_proportion(text):
    engine = ConstraintEngine(
        [UrlRule(domains=["example.com"]), LeakRule(find=["iban", "card", "phone", "email", "ssn", "keys"])]
    )
    body = text * (500_000 // len(text))
    assert engine.validate_plan(call("https://example.com/", "POST", body=body)) is not None


def test_a_session_keeps_the_history(world):
    session = world.engine(rules=[*SECRETS, RateRule(most=3, within_s=60)]).session(clock=iter(range(1, 999)).__next__)
    assert session.carry_out(file("read", "payroll/x.csv"), lambda data: data["path"]).endswith("payroll/x.csv")
    with pytest.raises(PlanRefused, match="labelled 'secret'"):
        session.carry_out(email("ann@example.com"), lambda data: pytest.fail("it was carried out"))
    reserved = session.reserve(sql("SELECT 1"))
    assert len(session.history) == 2
    session.release(reserved)
    assert len(session.history) == 1


def test_what_came_of_it_is_judged_in_a_session_and_what_raises_counts(world):
    session = world.engine(rules=[OutcomeRule(max_rows=1)]).session()
    with pytest.raises(PlanRefused, match="2 rows"):
        session.carry_out(sql("SELECT 1"), lambda data: [1, 2])
    with pytest.raises(ZeroDivisionError):
        session.carry_out(sql("SELECT 1"), lambda data: 1 / 0)
    assert len(session.history) == 2


def test_what_a_hand_does_to_its_data_does_not_change_the_history(world):
    session = world.engine().session()
    session.carry_out(sql("SELECT 1"), lambda data: data.clear())
    assert session.history[0]["action_data"] == {"query": "SELECT 1"}


def test_threads_cannot_both_spend_the_last_dollar(tmp_path):
    session = create_default_engine(max_cost=1.0, max_total_cost=10.0, root=tmp_path).session()
    begin, done = threading.Barrier(16), []

    def spend():
        begin.wait()
        for _ in range(5):
            try:
                session.carry_out({**sql("SELECT 1"), "cost": 1.0}, done.append)
            except PlanRefused:
                pass

    threads = [threading.Thread(target=spend) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(done) == 10


def test_a_verdict_says_what_it_means():
    with pytest.raises(ValueError):
        Verdict(True, (Violation("a", "b"),))
    with pytest.raises(ValueError):
        Verdict(False)
    with pytest.raises(ValueError):
        Verdict(False, (Violation("a", "b"),), "shrug")


@pytest.mark.parametrize("payload", PAYLOADS[::7])
def test_what_a_plan_says_is_escaped_where_it_is_shown(engine, payload):
    verdict = engine.validate_plan({"action_type": payload[:100] or "x", "action_data": {payload: 1}, "cost": 0.0})
    page = verdict._repr_html_()
    for mark in "<script <img <svg onerror= <iframe".split():
        assert mark not in page or mark == "onerror="
    assert page.count("<td>") == 3 * len(verdict.violations)


def test_verdicts_and_engines_are_readable(engine):
    assert repr(engine.validate_plan(sql("SELECT 1"))) == "Verdict(approved)"
    assert repr(engine.validate_plan(sql("DROP TABLE users"))).startswith("Verdict(denied, retry: sql: ")
    assert "8 rules" in repr(engine) and "sql_query" in repr(engine)
    assert engine.validate_plan(sql("SELECT 1"))._repr_html_() == "<b>approved</b>"


def test_engines_and_verdicts_survive_pickling(world, engine):
    again = pickle.loads(pickle.dumps(engine))
    for plan in (sql("SELECT 1"), sql("DROP TABLE x")):
        verdict = again.validate_plan(plan)
        assert pickle.loads(pickle.dumps(verdict)) == verdict == engine.validate_plan(plan)


def test_messages_are_short_whatever_the_plan_says(world, engine):
    for _, plan in hostile(world.outside, world.inside):
        for violation in engine.validate_plan(plan).violations:
            assert len(violation.message) < 400 and len(violation.hint) < 600 and violation.message.isprintable()


def test_a_rule_of_a_function_is_named_after_it():
    def no_fridays(plan):
        return "it is Friday."

    made = FunctionRule(no_fridays)
    assert str(ConstraintEngine([gentle, made]).validate_plan(WAVE).violations[0]) == "no_fridays: it is Friday."


def test_a_rule_without_brackets_is_refused_where_it_is_written():
    with pytest.raises(InvalidRule, match="Write @rule\\(\\)"):

        @rule
        def careless(plan):
            return None
