"""What holds of every engine and every plan."""

from __future__ import annotations

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from orchestration_kit.governance.constraints import ConstraintEngine
from orchestration_kit.governance.rules import (
    CommandRule,
    CostRule,
    EmailRule,
    LeakRule,
    PathRule,
    RateRule,
    SequenceRule,
    SqlRule,
    ToolRule,
    UrlRule,
    rule,
)
from orchestration_kit.governance.rules.frozen import frozen
from orchestration_kit.governance.rules.plain import NotPlain, plain
from tests.governance.hostile_actions import BENIGN, GIT_RULE, hostile
from tests.laws import examples

ROOT = "/srv/nowhere-to-be-found"
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary() | st.complex_numbers()
VALUES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner) | st.tuples(inner) | st.dictionaries(st.text() | st.integers(), inner) | st.sets(st.text())
    ),
    max_leaves=12,
)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner),
    max_leaves=20,
)
TYPES = ("sql_query", "file_operation", "api_call", "send_email", "shell_command", "tool_call", "wave")
KEYS = (
    "query",
    "parameters",
    "operation",
    "path",
    "content",
    "url",
    "method",
    "headers",
    "to",
    "cc",
    "subject",
    "body",
    "command",
    "tool",
    "arguments",
)
PLANS = st.fixed_dictionaries(
    {
        "action_type": st.sampled_from(TYPES),
        "action_data": st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=5),
        "cost": st.floats() | st.integers(),
    }
)


def make_rules():
    objections = [rule(f"odd {n}")(lambda plan, n=n: "no" if len(str(plan)) % (n + 2) == 0 else None) for n in range(3)]
    return [
        SqlRule(),
        SqlRule(tables=["users"], name="only users"),
        PathRule(roots=[ROOT]),
        UrlRule(domains=["example.com"]),
        UrlRule(domains=["example.com"], subdomains=False, name="no subdomains"),
        EmailRule(domains=["example.com"]),
        CommandRule(GIT_RULE),
        ToolRule(["calculate", "look_up"]),
        CostRule(max_cost=1.0),
        RateRule(most=2),
        LeakRule(),
        SequenceRule("secret"),
        rule("waving", covers=["wave"])(lambda plan: None),
        *objections,
    ]


RULES = make_rules()
KNOWN = BENIGN + [plan for _, plan in hostile("/srv/outside", ROOT)]
KNOWN_PLANS = st.integers(0, len(KNOWN) - 1).map(lambda number: KNOWN[number])
"""By number: some raise when they are looked at."""
HISTORIES = st.lists(
    st.fixed_dictionaries(
        {
            "action_type": st.sampled_from(TYPES),
            "cost": st.floats(0, 2),
            "at": st.floats(0, 100),
            "labels": st.lists(st.sampled_from(["secret", "pii"])),
        }
    ),
    max_size=4,
)


@given(VALUES)
@settings(max_examples=examples(300), deadline=None)
def test_no_value_makes_it_raise_and_none_is_approved_by_accident(value):
    verdict = ConstraintEngine(RULES).validate_plan(value)
    assert not verdict and verdict.violations and verdict.reason


@given(PLANS, HISTORIES)
@settings(max_examples=examples(150), deadline=None)
def test_no_plan_makes_it_raise_and_what_is_approved_is_plain(plan, history):
    verdict = ConstraintEngine(RULES).validate_plan(plan, history=history, now=50.0)
    if verdict:
        json.dumps(verdict.plan, allow_nan=False).encode()
        assert ConstraintEngine(RULES).validate_plan(verdict.plan, history=history, now=50.0).plan == verdict.plan


@given(PLANS | KNOWN_PLANS, st.lists(st.sampled_from(RULES), unique=True), st.sampled_from(RULES), HISTORIES)
@settings(max_examples=examples(250), deadline=None)
def test_a_further_rule_never_allows_what_a_rule_objected_to(plan, rules, more, history):
    """It may only be the first to allow a type of action at all."""
    before = ConstraintEngine(rules).validate_plan(plan, history=history, now=50.0)
    after = ConstraintEngine([*(one for one in rules if one is not more), more]).validate_plan(
        plan, history=history, now=50.0
    )
    if after and not before:
        assert [one.rule for one in before.violations] == ["deny by default"]


@given(PLANS | KNOWN_PLANS, st.permutations(RULES), HISTORIES)
@settings(max_examples=examples(150), deadline=None)
def test_the_order_of_the_rules_makes_no_difference(plan, rules, history):
    one, other = (ConstraintEngine(order).validate_plan(plan, history=history, now=50.0) for order in (RULES, rules))
    assert (one.approved, one.on_violation, one.plan) == (other.approved, other.on_violation, other.plan)
    assert set(one.violations) == set(other.violations)


@given(KNOWN_PLANS, KNOWN_PLANS)
@settings(max_examples=examples(200), deadline=None)
def test_a_verdict_does_not_depend_on_what_was_asked_before(first, second):
    engine = ConstraintEngine(RULES)
    alone = ConstraintEngine(RULES).validate_plan(second)
    engine.validate_plan(first)
    assert engine.validate_plan(second) == alone


@given(JSON)
def test_plain_data_is_copied_as_it_is(value):
    try:
        copied = plain(value)
    except NotPlain:
        return
    assert copied == value and json.dumps(copied) == json.dumps(value)
    assert frozen(copied) == copied and json.dumps(frozen(copied)) == json.dumps(copied)


@given(st.text(max_size=200))
@settings(max_examples=examples(500), deadline=None)
def test_no_text_leads_out_of_the_root(path):
    engine = ConstraintEngine([PathRule(roots=[ROOT])])
    verdict = engine.validate_plan(
        {"action_type": "file_operation", "action_data": {"operation": "read", "path": path}}
    )
    if verdict:
        assert verdict.plan["action_data"]["path"].startswith(ROOT + "/")


AUTHORITY = st.text(st.sampled_from("example.comevil@:/\\#?%.[]0127 \t\u3002ｅ-_"), max_size=30)


@given(
    AUTHORITY,
    st.sampled_from(
        ["https://{}", "https://{}/", "https://{}.example.com/", "https://example.com{}", "https://example.com@{}/"]
    ),
)
@settings(max_examples=examples(500), deadline=None)
def test_every_url_that_is_allowed_goes_to_the_domain_by_other_readings_too(text, shape):
    import urllib.parse

    import httpx

    url = shape.format(text)
    verdict = ConstraintEngine([UrlRule(domains=["example.com"])]).validate_plan(
        {"action_type": "api_call", "action_data": {"url": url, "method": "GET"}}
    )
    if verdict:
        for host in (urllib.parse.urlsplit(url).hostname, httpx.URL(url).host):
            assert host == "example.com" or host.endswith(".example.com")


@given(st.text(st.sampled_from("anexmpl.co@, ;:<>\"'()\\\n\r%!=?[]evit"), max_size=60))
@settings(max_examples=examples(500), deadline=None)
def test_every_recipient_that_is_allowed_is_one_by_other_readings_too(text):
    import email.utils

    to = f"{text}ann@example.com"
    verdict = ConstraintEngine([EmailRule(domains=["example.com"])]).validate_plan(
        {"action_type": "send_email", "action_data": {"to": to, "subject": "", "body": ""}}
    )
    if verdict:
        found = [address for _, address in email.utils.getaddresses([to.replace(";", ",")])]
        assert found and all(address.endswith("@example.com") for address in found)
