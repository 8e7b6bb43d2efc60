"""The rules for files, URLs, e-mail and commands, by option."""

from __future__ import annotations

import os

import pytest

from orchestration_kit.governance.constraints import ConstraintEngine
from orchestration_kit.governance.rules import (
    CommandRule,
    EmailRule,
    InvalidRule,
    PathRule,
    ToolRule,
    UrlRule,
    open_checked,
)
from tests.governance.hostile_actions import call, command, email, file, tool
from tests.governance.world import World


def allowed(rule, plan):
    return ConstraintEngine([rule]).validate_plan(plan).approved


@pytest.fixture
def world(tmp_path):
    return World(tmp_path)


def test_a_relative_path_is_under_the_first_root_wherever_the_process_stands(world, monkeypatch):
    engine = world.engine()
    monkeypatch.chdir(world.outside)
    assert engine.validate_plan(file("read", "canary.txt")).plan["action_data"]["path"] == f"{world.inside}/canary.txt"


def test_a_root_that_is_a_link_is_the_folder_it_leads_to(world, tmp_path):
    (tmp_path / "alias").symlink_to(world.inside)
    rule = PathRule(roots=[tmp_path / "alias"])
    assert rule.roots == (world.inside,)
    assert allowed(rule, file("read", str(tmp_path / "alias" / "notes.txt")))


def test_hidden_files_hard_links_and_operations_are_options(world):
    assert allowed(PathRule(roots=[world.inside], hidden=True), file("read", ".git/config"))
    assert not allowed(PathRule(roots=[world.inside], hidden=True), file("read", ".env"))
    assert allowed(PathRule(roots=[world.inside], hidden=True, denied=[]), file("read", ".env"))
    assert allowed(PathRule(roots=[world.inside], hard_links=True), file("read", "hard.txt"))
    assert allowed(PathRule(roots=[world.inside], operations=["list"]), file("list", "sub"))
    assert allowed(PathRule(roots=[world.inside], operations=["list"]), file("list", "."))
    assert not allowed(PathRule(roots=[world.inside], operations=["read"]), file("write", "x.txt"))
    assert not allowed(PathRule(roots=[world.inside], denied=["*.db"]), file("read", "RUNS.DB"))
    assert not allowed(PathRule(), file("read", "notes.txt"))


def test_a_link_that_is_put_there_after_the_check_is_not_followed(world):
    plan = world.engine().checked(file("read", "sub/deep.txt"))
    path = plan["action_data"]["path"]
    with open_checked(path) as opened:
        assert "deep" in opened.read()
    os.remove(path)
    os.symlink(f"{world.outside}/canary.txt", path)
    with pytest.raises(OSError):
        open_checked(path)
    os.rename(f"{world.inside}/sub", f"{world.inside}/away")
    os.symlink(world.outside, f"{world.inside}/sub")
    with pytest.raises(OSError):
        open_checked(f"{world.inside}/sub/canary.txt")


@pytest.mark.parametrize(("path", "mode"), [("relative.txt", "r"), ("/tmp/x", "r+"), ("/tmp/x", "")])
def test_only_absolute_paths_are_opened_in_plain_modes(path, mode):
    with pytest.raises(ValueError):
        open_checked(path, mode)


def test_a_file_is_written_appended_and_made_once(world):
    path = f"{world.inside}/new.bin"
    for mode, content in (("xb", b"a"), ("ab", b"b")):
        with open_checked(path, mode) as opened:
            opened.write(content)
    with open_checked(path, "rb") as opened:
        assert opened.read() == b"ab"
    with pytest.raises(FileExistsError):
        open_checked(path, "x")


def test_a_link_that_is_swapped_while_it_is_checked_is_a_no(world, monkeypatch):
    """The check resolves the path again, and what it resolves to is checked, too."""
    real, answers = (
        os.path.realpath,
        iter([f"{world.inside}/notes.txt", f"{world.outside}/canary.txt", f"{world.outside}/canary.txt"]),
    )
    engine = world.engine()
    monkeypatch.setattr("os.path.realpath", lambda path: next(answers, None) or real(path))
    assert not engine.validate_plan(file("read", "notes.txt"))


def test_domains_ports_methods_and_schemes_are_options():
    rule = UrlRule(
        domains=["example.com", "Bücher.example", "127.0.0.1", "localhost"],
        ports=[8443],
        methods=["delete"],
        schemes=["https"],
    )
    assert allowed(rule, call("https://example.com:8443/", "DELETE"))
    assert allowed(rule, call("https://xn--bcher-kva.example/", "DELETE"))
    assert allowed(rule, call("https://127.0.0.1/", "DELETE")) and allowed(rule, call("https://localhost/", "DELETE"))
    for url in (
        "http://example.com/",
        "https://1.127.0.0.1/",
        "https://x.localhost/",
        "https://example.com:8444/",
        "https://127.1/",
    ):
        assert not allowed(rule, call(url, "DELETE"))
    assert not allowed(rule, call("https://example.com/", "GET"))
    assert not allowed(UrlRule(domains=["example.com"], subdomains=False), call("https://api.example.com/"))
    assert not allowed(UrlRule(), call("https://example.com/"))
    assert allowed(UrlRule(domains="example.com", extra_keys=["verify"]), call("https://example.com/", verify=False))


def test_mail_to_subdomains_and_how_many_are_options():
    assert allowed(EmailRule(domains=["example.com"], subdomains=True), email("ann@mail.example.com"))
    assert not allowed(EmailRule(domains=["example.com"], max_recipients=1), email("a@example.com,b@example.com"))
    assert not allowed(EmailRule(domains=["example.com"], max_recipients=1), email("a@example.com", cc="b@example.com"))
    assert not allowed(EmailRule(), email("ann@example.com"))
    assert allowed(
        EmailRule(domains=["example.com"], extra_keys=["attachments"]), email("a@example.com", attachments=[])
    )


def test_a_free_argument_is_never_an_option_whatever_its_pattern_says():
    rule = CommandRule({"grep": [["-n", {"pattern": ".*"}, "notes.txt"]]})
    assert allowed(rule, command(["grep", "-n", "a b; c", "notes.txt"]))
    assert not allowed(rule, command(["grep", "-n", "--file=/etc/passwd", "notes.txt"]))
    assert not allowed(rule, command(["grep", "-n", "a\nb", "notes.txt"]))


def test_programs_by_path_are_allowed_as_written():
    rule = CommandRule({"/usr/bin/git": [["status"]]})
    assert allowed(rule, command("/usr/bin/git status")) and not allowed(rule, command("git status"))


def test_a_program_without_arguments_is_an_empty_list():
    assert allowed(CommandRule({"date": [[]]}), command("date")) and not allowed(
        CommandRule({"date": []}), command("date")
    )


@pytest.mark.parametrize(
    "wrong",
    [
        3,
        "git",
        ["git"],
        {3: []},
        {"git": [["a", 3]]},
        {"git": [[{}]]},
        {"git": [[""]]},
        {"git": [[{"choice": []}]]},
        {"git": 3},
    ],
)
def test_commands_that_are_written_wrongly_are_refused(wrong):
    with pytest.raises(InvalidRule):
        CommandRule(wrong)


def test_the_schema_of_a_tool_says_what_it_may_get():
    rule = ToolRule(
        {"add": {"type": "object", "properties": {"a": {"type": "integer"}}, "additionalProperties": False}}
    )
    assert allowed(rule, tool("add", {"a": 1}))
    assert not allowed(rule, tool("add", {"a": "1"})) and not allowed(rule, tool("add", {"b": 1}))
    assert not allowed(ToolRule({"x": {"$ref": "https://evil.test/schema"}}), tool("x", {}))
    assert not allowed(ToolRule({"x": {"$ref": "#"}}), tool("x", {}))
    with pytest.raises(InvalidRule):
        ToolRule("add")
