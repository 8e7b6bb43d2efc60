"""The engine: deny by default, what is checked is what is carried out, and the strictest violation decides."""

from __future__ import annotations

import copy
import pickle
import sys
import threading

import pytest

from orchestration_kit import ConstraintEngine, Verdict, Violation, create_default_engine
from orchestration_kit.engine.outcome import Action
from orchestration_kit.governance.rules import (
    CostRule,
    FunctionRule,
    InvalidRule,
    LabelRule,
    LeakRule,
    OutcomeRule,
    PlanRefused,
    RateRule,
    SequenceRule,
    SqlRule,
    UrlRule,
    rule,
)
from tests.governance.hostile_actions import BENIGN, Raises, call, email, file, hostile, sql, tool
from tests.governance.world import World
from tests.hostile import PAYLOADS

WAVE = {"action_type": "wave", "action_data": {"times": [1, 2]}, "cost": 0.5}


@rule("gentle", covers=["wave"])
def gentle(plan):
    return None


@pytest.fixture
def world(tmp_path):
    return World(tmp_path)


@pytest.fixture
def engine(world):
    return world.engine()


def test_without_rules_everything_is_denied():
    verdict = ConstraintEngine([]).validate_plan(WAVE)
    assert not verdict and not verdict.approved
    assert "no rule allows actions of the type 'wave'" in verdict.reason


def test_a_rule_that_only_objects_allows_nothing():
    assert not ConstraintEngine([CostRule(max_cost=9), lambda plan: None]).validate_plan(WAVE)


def test_what_a_rule_covers_and_none_objects_to_is_approved():
    verdict = ConstraintEngine([gentle, CostRule(max_cost=1)]).validate_plan(WAVE)
    assert verdict and verdict.violations == () and verdict.reason == ""
    assert verdict.plan == WAVE


def test_a_near_name_is_told():
    assert "Did you mean 'wave'?" in ConstraintEngine([gentle]).validate_plan({**WAVE, "action_type": "wavee"}).reason


def test_all_objections_are_told_at_once():
    engine = ConstraintEngine([gentle, CostRule(max_cost=0.1), lambda plan: ["one thing", Violation("own", "another")]])
    assert [one.rule for one in engine.validate_plan(WAVE).violations] == ["cost", "<lambda>", "own"]


@pytest.mark.parametrize(
    "broken",
    [
        lambda plan: 1 / 0,
        lambda plan: True,
        lambda plan: False,
        lambda plan: 3,
        lambda plan: [3],
        lambda plan: [None],
        lambda plan: b"no",
        lambda plan: "",
        lambda plan: Raises(),
        lambda plan: (_ for _ in [1 / 0]),
        lambda plan: plan.update(cost=0),
        lambda plan: plan["action_data"]["times"].append(3),
        lambda plan: plan["nothing"],
        lambda plan: sys.setrecursionlimit,
    ],
)
def test_a_rule_that_fails_or_answers_wrongly_is_a_no(broken):
    assert ConstraintEngine([gentle]).validate_plan(WAVE)
    verdict = ConstraintEngine([gentle, broken]).validate_plan(WAVE)
    assert not verdict and verdict.violations


def test_an_error_that_cannot_say_what_it_is_is_a_no():
    class Mute(Exception):
        def __str__(self):
            raise RuntimeError

    def broken(plan):
        raise Mute

    assert "Mute" in ConstraintEngine([gentle, broken]).validate_plan(WAVE).reason


def test_a_rule_of_ones_own_kind_cannot_change_the_plan():
    class Sly(CostRule):
        kind = "sly"

        def check(self, plan, past):
            plan["action_data"]["times"] = []
            return ()

    assert "cannot change it" in ConstraintEngine([gentle, Sly()]).validate_plan(WAVE).reason


def test_a_function_may_ask_what_came_before():
    def only_once(plan, past):
        return "it was done" if past.history and past.now > 3 else None

    engine = ConstraintEngine([gentle, only_once])
    assert engine.validate_plan(WAVE, now=4)
    assert not engine.validate_plan(WAVE, history=[{}], now=4)
    assert engine.validate_plan(WAVE, history=[{}], now=3)


@pytest.mark.parametrize("wrong", [CostRule, 3, None, "x"])
def test_what_is_no_rule_is_refused(wrong):
    with pytest.raises(InvalidRule, match="it is no rule"):
        ConstraintEngine([wrong])


def test_an_async_function_is_no_rule():
    async def later(plan):
        return None

    with pytest.raises(InvalidRule, match="async"):
        ConstraintEngine([later])


def test_a_function_of_three_arguments_is_no_rule():
    with pytest.raises(InvalidRule, match="needs 3"):
        ConstraintEngine([lambda plan, past, more: None])


def test_two_rules_of_one_name_are_refused():
    with pytest.raises(InvalidRule, match="two of this name"):
        ConstraintEngine([CostRule(max_cost=1), CostRule(max_cost=2)])


@pytest.mark.parametrize(
    ("own", "of_engine", "expected"),
    [
        ((None, None), "retry", "retry"),
        (("ask", None), "retry", "ask"),
        (("ask", "fail"), "retry", "fail"),
        ((None, "retry"), "ask", "ask"),
        (("retry", "retry"), "fail", "retry"),
    ],
)
def test_the_strictest_violation_says_what_follows(own, of_engine, expected):
    rules = [gentle, CostRule(max_cost=0.1, on_violation=own[0]), RateRule(most=0, on_violation=own[1])]
    verdict = ConstraintEngine(rules, on_violation=of_engine).validate_plan(WAVE)
    assert verdict.on_violation == expected
    assert all(one.on_violation in ("retry", "ask", "fail") for one in verdict.violations)


def test_nobody_is_asked_about_a_plan_that_cannot_be_shown():
    verdict = ConstraintEngine([gentle], on_violation="ask").validate_plan({"action_type": Raises()})
    assert (verdict.on_violation, verdict.plan) == ("retry", None)


def test_an_action_is_a_plan_too():
    assert ConstraintEngine([gentle]).validate_plan(Action("wave", {"times": [1]}, cost=0.1)).plan["cost"] == 0.1


def test_a_subclass_of_action_is_none():
    class Sly(Action):
        @property
        def plan(self):
            raise RuntimeError

    assert "not Sly" in ConstraintEngine([gentle]).validate_plan(Sly("wave", {})).reason


def test_what_was_checked_is_a_copy_that_later_changes_do_not_reach():
    plan = copy.deepcopy(WAVE)
    verdict = ConstraintEngine([gentle]).validate_plan(plan)
    plan["action_data"]["times"].append(1_000)
    plan["action_type"] = "shoot"
    assert verdict.plan == WAVE


def test_a_plan_that_changes_while_it_is_read_is_denied_or_read_as_it_was():
    data = {str(number): number for number in range(500)}
    plan = {"action_type": "wave", "action_data": data, "cost": 0}
    stop = threading.Event()

    def churn():
        number = 0
        while not stop.is_set():
            number += 1
            data[f"n{number % 100}"] = number
            data.pop(f"n{number % 100}", None)

    thread = threading.Thread(target=churn)
    thread.start()
    try:
        verdicts = [ConstraintEngine([gentle]).validate_plan(plan) for _ in range(50)]
    finally:
        stop.set()
        thread.join()
    assert all(one.approved or "cannot be read" in one.reason for one in verdicts)


def test_no_code_of_a_hostile_object_is_run(world, engine):
    """`Raises` raises whatever is done with it: the violation names its type, and no error of its own."""
    for plan in ({**WAVE, "action_data": {"x": Raises()}}, {**WAVE, "cost": Raises()}, Raises(), [Raises()]):
        verdict = engine.validate_plan(plan)
        assert not verdict and "do not" not in verdict.reason


def test_checked_gives_the_plan_or_raises(engine):
    assert engine.checked(sql("SELECT 1"))["action_data"] == {"query": "SELECT 1"}
    with pytest.raises(PlanRefused, match="was refused, and not carried out") as caught:
        engine.checked(sql("DROP TABLE users"))
    again = pickle.loads(pickle.dumps(caught.value))
    assert str(again) == str(caught.value) and again.verdict == caught.value.verdict


def test_an_approved_plan_has_its_path_resolved(world, engine):
    assert (
        engine.validate_plan(file("read", "./sub//deep.txt")).plan["action_data"]["path"]
        == f"{world.inside}/sub/deep.txt"
    )
    linked = engine.validate_plan(file("read", "inner-link.txt")).plan["action_data"]["path"]
    assert linked == f"{world.inside}/notes.txt"


def test_an_approved_plan_is_approved_again_and_stays_as_it_is(engine):
    for plan in BENIGN:
        settled = engine.validate_plan(plan).plan
        again = engine.validate_plan(settled)
        assert again and again.plan == settled


def test_a_command_is_carried_out_as_a_list(engine):
    plan = {"action_type": "shell_command", "action_data": {"command": "git  log --oneline main"}, "cost": 0.0}
    assert engine.validate_plan(plan).plan["action_data"]["command"] == ["git", "log", "--oneline", "main"]


def test_the_default_engine_needs_no_domains_and_allows_none(tmp_path):
    engine = create_default_engine(root=tmp_path)
    assert not engine.validate_plan(call("https://example.com/"))
    assert not engine.validate_plan(email("ann@example.com"))
    assert engine.validate_plan(sql("SELECT 1"))


def test_the_pure_tools_of_a_doer_may_be_called_and_others_may_be_named(tmp_path):
    engine = create_default_engine(root=tmp_path, tools=["look_up"])
    assert engine.validate_plan(tool("calculate", {"expression": "1"})) and engine.validate_plan(
        tool("look_up", {"a": 1})
    )
    assert not engine.validate_plan(tool("delete", {}))


def test_the_temporary_folder_is_ones_own(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    engine = create_default_engine(root=tmp_path / "work")
    folder = next(tmp_path.iterdir())
    assert folder.stat().st_mode & 0o077 == 0
    assert engine.validate_plan(file("write", str(folder / "x.txt"), content="x"))
    assert not engine.validate_plan(file("write", str(tmp_path / "x.txt"), content="x"))
    assert create_default_engine(root=tmp_path / "work").rules == engine.rules


def test_a_temporary_folder_that_somebody_else_may_write_in_is_not_used(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    create_default_engine(root=tmp_path / "work")
    taken = next(tmp_path.iterdir())
    taken.chmod(0o777)
    roots = create_default_engine(root=tmp_path / "work").rules[1].roots
    assert str(taken) not in roots and len(roots) == 2


def test_everything_there_is_is_no_working_folder():
    with pytest.raises(InvalidRule, match="everything there is"):
        create_default_engine(root="/")


def test_costs_are_capped_each_and_in_all(tmp_path):
    engine = create_default_engine(max_cost=1.0, max_total_cost=1.5, root=tmp_path)
    plan = {**sql("SELECT 1"), "cost": 0.8}
    assert engine.validate_plan(plan)
    assert not engine.validate_plan(plan, history=[{**plan, "at": 1.0}])
    assert not engine.validate_plan({**plan, "cost": 1.01})
    assert not engine.validate_plan(plan, history=[{**plan, "cost": float("nan")}])
    assert not engine.validate_plan(plan, history=[{**plan, "cost": -5}])


def test_a_rule_takes_the_place_of_the_default_one_of_its_name(tmp_path):
    engine = create_default_engine(root=tmp_path, rules=[SqlRule(tables=["users"]), RateRule(most=0)])
    assert [one.name for one in engine.rules].count("sql") == 1
    assert (
        not engine.validate_plan(sql("SELECT * FROM orders")) and "rate" in engine.validate_plan(sql("SELECT 1")).reason
    )


@pytest.mark.parametrize(
    "wrong",
    [
        {"max_cost": -1},
        {"max_cost": "1"},
        {"max_cost": True},
        {"allowed_domains": ["http://x.com"]},
        {"allowed_domains": ["*.example.com"]},
        {"allowed_domains": [""]},
        {"tools": 3},
        {"commands": {"git": "status"}},
        {"on_violation": "shrug"},
    ],
)
def test_a_default_engine_with_something_wrong_is_not_made(tmp_path, wrong):
    with pytest.raises(InvalidRule):
        create_default_engine(root=tmp_path, **wrong)


SECRETS = [LabelRule("secret", where={"path": "payroll/*"}, action_types=["file_operation"]), SequenceRule("secret")]


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
