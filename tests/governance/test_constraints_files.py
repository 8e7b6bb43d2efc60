"""Rules as text: what is written is read back, and a wrong, huge or hostile file is an error that changes nothing."""

from __future__ import annotations

import os
import pickle

import pytest

from orchestration_kit.governance.constraints import ConstraintEngine, create_default_engine
from orchestration_kit.governance.rule_files import MAX_CHARACTERS, dump_rules, load_rules
from orchestration_kit.governance.rules import (
    KINDS,
    CommandRule,
    CostRule,
    EmailRule,
    InvalidRule,
    LabelRule,
    LeakRule,
    MissingRulesExtra,
    OutcomeRule,
    PathRule,
    RateRule,
    RuleFileError,
    SequenceRule,
    SqlRule,
    ToolRule,
    UrlRule,
    rule,
)
from tests.governance.hostile_actions import GIT_RULE, TOOL_SCHEMAS, sql

EVERY = [
    SqlRule(
        tables=["orders"],
        dialect="postgres",
        statements=["select", "union"],
        literals="any",
        functions=["f"],
        on_violation="ask",
    ),
    PathRule(roots=["/srv/work"], operations=["read"], hidden=True, denied=["*.db"]),
    UrlRule(domains=["example.com", "Bücher.example"], ports=[8443], methods=["get"], subdomains=False),
    EmailRule(domains=["example.com"], subdomains=True, max_recipients=3),
    CommandRule(GIT_RULE),
    ToolRule(TOOL_SCHEMAS),
    CostRule(max_cost=0.5, max_total=2.0),
    RateRule(most=3, within_s=9.5, action_types=["send_email"]),
    LeakRule(find=["keys", "iban"], action_types=["send_email"]),
    LabelRule("secret", where={"path": ["payroll/*"]}, action_types=["file_operation"]),
    SequenceRule("secret", deny=["api_call"], on_violation="fail"),
    OutcomeRule(max_rows=10, max_bytes=1000, find=["card"], schema={"type": "array"}),
]


def test_there_is_a_rule_of_every_kind_here():
    assert {one.kind for one in EVERY} == set(KINDS)


def test_what_is_written_is_read_back():
    text = dump_rules(EVERY, "ask")
    loaded = load_rules(text)
    assert list(loaded.rules) == EVERY and loaded.on_violation == "ask"
    assert dump_rules(*loaded) == text


def test_rules_that_are_as_they_come_are_read_back_too():
    rules = [
        SqlRule(),
        PathRule(),
        UrlRule(),
        EmailRule(),
        CommandRule(),
        ToolRule(),
        CostRule(),
        RateRule(),
        LeakRule(),
        OutcomeRule(),
    ]
    assert list(load_rules(dump_rules(rules)).rules) == rules


def test_the_default_engine_can_be_written_and_read(tmp_path):
    engine = create_default_engine(0.5, ["example.com"], root=tmp_path, commands=GIT_RULE, tools=TOOL_SCHEMAS)
    path = tmp_path / "rules.yaml"
    path.write_text(engine.to_yaml(), encoding="utf-8")
    for source in (path, str(path), path.read_text("utf-8")):
        again = ConstraintEngine.from_yaml(source)
        assert again.rules == engine.rules and again.on_violation == engine.on_violation


def test_functions_are_added_where_a_file_is_loaded():
    @rule("own")
    def own(plan):
        return "no"

    engine = ConstraintEngine.from_yaml("rules: [{kind: sql}]", rules=[own])
    assert engine.validate_plan(sql("SELECT 1")).reason == "own: no."
    with pytest.raises(InvalidRule, match="code cannot be written"):
        engine.to_yaml()


def test_rules_and_errors_survive_pickling():
    for one in EVERY:
        assert pickle.loads(pickle.dumps(one)) == one and hash(one) == hash(pickle.loads(pickle.dumps(one)))
    for error in (InvalidRule("a", "b", "c"), RuleFileError("a", "b"), MissingRulesExtra()):
        again = pickle.loads(pickle.dumps(error))
        assert str(again) == str(error) and type(again) is type(error)
    assert "pip install 'orchestration-kit[rules]'" in str(MissingRulesExtra())


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("rules: [{kind: sql, tabels: [a]}]", "Did you mean 'tables'?"),
        ("rules: [{kind: sqll}]", "Did you mean 'sql'?"),
        ("rulez: []", "Did you mean 'rules'?"),
        ("rules: [{kind: function, function: os.system}]", "There are sql"),
        ("rules: [{kind: rule}]", "There are sql"),
        ("rules: [{tables: [a]}]", "kind None"),
        ("rules: [sql]", "rule 1 is 'sql'"),
        ("rules: {kind: sql}", "no list of rules"),
        ("rules:", "no list of rules"),
        ("", "not a mapping"),
        ("[]", "not a mapping"),
        ("just text", "not a mapping"),
        ("version: 2\nrules: []", "version 1"),
        ("on_violation: shrug\nrules: []", "retry, ask, fail"),
        ("rules: [{kind: sql, on_violation: shrug}]", "retry, ask, fail"),
        ("rules: [{kind: sql, literals: all}]", "parameters, numbers, any"),
        ("rules: [{kind: sql, statements: [drop]}]", "select, union"),
        ("rules: [{kind: sql, statements: [delete]}]", "Name the tables"),
        ("rules: [{kind: sql, statements: []}]", "select, union"),
        ("rules: [{kind: sql, tables: {a: b}}]", "Give a list of texts"),
        ("rules: [{kind: sql, tables: [1]}]", "Give a list of texts"),
        ("rules: [{kind: sql, dialect: 3}]", "dialect"),
        ("rules: [{kind: sql, name: {a: b}}]", "name"),
        ("rules: [{kind: path, roots: [/]}]", "everything there is"),
        ("rules: [{kind: path, hidden: 'yes'}]", "true or false"),
        ("rules: [{kind: path, roots: 7}]", "rule 1"),
        ("rules: [{kind: url, domains: ['*']}]", "no name of a host"),
        ("rules: [{kind: url, domains: ['https://example.com']}]", "no name of a host"),
        ("rules: [{kind: url, domains: ['2130706433']}]", "an address"),
        ("rules: [{kind: url, ports: [0]}]", "65535"),
        ("rules: [{kind: url, ports: [x]}]", "65535"),
        ("rules: [{kind: url, schemes: [ftp]}]", "http and https"),
        ("rules: [{kind: email, domains: ['a@b.com']}]", "no name of a host"),
        ("rules: [{kind: command, commands: {git: status}}]", "list of lists"),
        ("rules: [{kind: command, commands: {git: [[{pattern: '(a+)+'}]]}}]", "take for ever"),
        ("rules: [{kind: command, commands: {git: [[{pattern: '('}]]}}]", "no regular expression"),
        ("rules: [{kind: command, commands: {git: [[{shell: x}]]}}]", "pattern, int, choice"),
        ("rules: [{kind: command, commands: {git: [[{int: [3, 1]}]]}}]", "pattern, int, choice"),
        ("rules: [{kind: command, commands: {-x: [[a]]}}]", "no name"),
        ("rules: [{kind: tool, tools: {a: {type: nonsense}}}]", "no JSON Schema"),
        ("rules: [{kind: cost, max_cost: -1}]", "at least 0"),
        ("rules: [{kind: cost, max_cost: .inf}]", "at least 0"),
        ("rules: [{kind: cost, max_cost: 1e999}]", "at least 0"),
        ("rules: [{kind: cost, max_cost: true}]", "at least 0"),
        ("rules: [{kind: rate, most: 1.5}]", "whole number"),
        ("rules: [{kind: rate, within_s: 0}]", "more than 0"),
        ("rules: [{kind: leak, find: [dna]}]", "keys, email"),
        ("rules: [{kind: label}]", "Give a word"),
        ("rules: [{kind: label, label: a, where: {path: 3}}]", "patterns by key"),
        ("rules: [{kind: sequence}]", "Give a label"),
        ("rules: [{kind: outcome, schema: 3}]", "schema"),
        ("rules: &a [*a]", "anchor"),
        ("a: &a [x]\nb: [*a, *a]\nrules: []", "anchor"),
        ("rules: !!python/object/apply:os.system ['id']", "tag"),
        ("rules: [!!python/name:os.system x]", "tag"),
        ("rules: [{kind: sql, kind: cost}]", "stands twice"),
        ("rules: []\n---\nrules: []", "second document"),
        ("rules: [" * 40 + "]" * 40, "levels"),
        ("rules: [{kind: sql\n", "YAML"),
        ("\x00", "YAML"),
        ("rules:\n" + "  - {kind: cost}\n" * 1_001, "At most 1,000"),
        ("#" + "x" * MAX_CHARACTERS, "at most 500,000"),
    ],
)
def test_a_wrong_file_says_what_is_wrong(text, told):
    with pytest.raises(RuleFileError) as caught:
        load_rules(text)
    assert told in str(caught.value) and len(str(caught.value)) < 700
    with pytest.raises(RuleFileError):
        ConstraintEngine.from_yaml(text)


def test_two_rules_of_one_name_in_a_file_are_refused():
    with pytest.raises(InvalidRule, match="two of this name"):
        ConstraintEngine.from_yaml("rules: [{kind: sql}, {kind: sql}]")


@pytest.mark.parametrize("wrong", [None, 3, b"rules: []", ["rules"]])
def test_what_is_no_text_is_refused(wrong):
    with pytest.raises(RuleFileError, match="not text"):
        load_rules(wrong)


def test_a_file_that_cannot_be_read_is_an_error(tmp_path):
    (tmp_path / "bytes.yaml").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "folder.yaml").mkdir()
    (tmp_path / "huge.yaml").write_text("#" * (5 * MAX_CHARACTERS))
    for name in ("missing.yaml", "bytes.yaml", "folder.yaml", "huge.yaml"):
        with pytest.raises(RuleFileError):
            load_rules(tmp_path / name)


def test_a_pipe_is_no_file(tmp_path):
    os.mkfifo(tmp_path / "pipe.yaml")
    with pytest.raises(RuleFileError, match="is no file"):
        load_rules(tmp_path / "pipe.yaml")
