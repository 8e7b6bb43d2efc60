"""The dashboard: a page for whoever has the token, on this machine alone; it shows runs and takes answers."""

from __future__ import annotations

import http.client
import socket
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from playwright.sync_api import expect

from orchestration_kit import ApprovalStep, SQLiteJournal
from orchestration_kit.widgets.dashboard.serving import NoDashboard, served
from tests.browser.notebooks import Shown
from tests.support import hub_of, step, workflow_of

MISTAKES = (
    "",
    "?token=",
    "?token=wrong",
    "api/kernels",
    "voila/render/dashboard.ipynb",
    "voila/tree",
    "voila/files/serving.py",
)


@pytest.fixture
def journal(tmp_path):
    return journal_in(tmp_path)


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """A dashboard for tests that change nothing; who has started it has a key."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OPENAI_API_KEY", "sk-secret")
        with served(journal_in(tmp_path_factory.mktemp("dashboard"))) as page:
            yield page


def journal_in(folder):
    path = folder / "runs with a ' quote.db"
    workflow = workflow_of(
        step("look", "sign"),
        ApprovalStep(step_id="sign", prompt="Publish it?", on_success="done", on_failure="done"),
        step("done"),
    )
    with SQLiteJournal(path) as journal:
        hub = hub_of(workflow, {"look": lambda given: given, "done": lambda given: given}, journal=journal)
        hub.start("flow", "go", run_id="asks").run()
    return path


def ask(page, path, method="GET"):
    connection = http.client.HTTPConnection("127.0.0.1", page.port, timeout=60)
    connection.request(method, f"/{path}")
    answer = connection.getresponse()
    found = answer.status, answer.getheader("Location") or "", answer.read()
    connection.close()
    return found


def opened(browser, page):
    shown = Shown(
        browser.new_page(viewport={"width": 1400, "height": 1200}),
        SimpleNamespace(base=f"http://127.0.0.1:{page.port}"),
    )
    shown.page.goto(page.url)
    return shown


def test_without_the_token_nothing_is_to_be_had(page):
    for path in MISTAKES:
        status, location, body = ask(page, path)
        assert (status, location[:6]) == (302, "/login") or status == 403, path
        assert b"asks" not in body
        assert page.token.encode() not in body
    assert ask(page, f"api/kernels/{'0' * 8}-0000-0000-0000-{'0' * 12}/channels")[0] == 403
    assert ask(page, f"?token={page.token}")[0] == 200
    assert ask(page, f"voila/files/serving.py?token={page.token}")[0] == 403  # nor is any file, with it


def test_it_listens_on_loopback_alone_and_shows_its_token_to_no_other_user(page):
    for line in (line.split() for line in Path("/proc/net/tcp").read_text("ascii").splitlines()[1:]):
        if line[1].endswith(f":{page.port:04X}") and line[3] == "0A":
            assert line[1].startswith("0100007F:")
    assert page.token not in Path(f"/proc/{page.process.pid}/cmdline").read_text("utf-8")


def test_nobodys_keys_reach_its_kernel(page, browser):
    shown = opened(browser, page)
    expect(shown.page.locator(".okit-monitor tbody tr").first).to_be_visible()
    seen = subprocess.run(
        ["pgrep", "-P", str(page.process.pid)], capture_output=True, text=True, check=True
    ).stdout.split()
    assert seen
    for pid in (str(page.process.pid), *seen):
        assert b"sk-secret" not in Path(f"/proc/{pid}/environ").read_bytes()
    shown.close()


def test_a_run_is_seen_and_answered_on_the_page(journal, browser):
    with served(journal) as page:
        shown = opened(browser, page)
        monitor = shown.page.locator(".okit-monitor")
        expect(monitor.locator("tbody tr").first).to_contain_text("waiting")
        shown.shot("dashboard")
        monitor.get_by_role("button", name="Answer what run asks asks").click()
        monitor.locator(".okit-approval").get_by_role("button", name="Approve").click()
        expect(monitor).to_contain_text("orchestrator.resume('asks')")
        expect(monitor.get_by_role("button", name="Answer what run asks asks")).to_be_hidden()
        assert (shown.errors, shown.outside) == ([], [])
        shown.close()
    with pytest.raises(ConnectionRefusedError):
        ask(page, "")
    with SQLiteJournal(journal) as kept:
        assert kept.find_run("asks").standing.state == "in_progress"


@pytest.mark.soak
def test_a_page_that_only_looks_has_nothing_to_change(journal, browser):
    with served(journal, read_only=True, theme="dark") as page:
        shown = opened(browser, page)
        monitor = shown.page.locator(".okit-monitor")
        expect(monitor.locator("tbody tr").first).to_contain_text("waiting")
        expect(monitor).to_have_attribute("data-theme", "dark")
        assert (
            monitor.get_by_role("button", name="Answer").count()
            == monitor.get_by_role("button", name="Cancel").count()
            == 0
        )
        monitor.get_by_role("button", name="Open run asks").click()
        expect(monitor.locator(".okit-player").get_by_role("button", name="Stop")).to_be_disabled()
        assert (shown.errors, shown.outside) == ([], [])
        shown.close()


@pytest.mark.soak
def test_a_journal_that_is_gone_is_told_on_the_page(journal, browser):
    with served(journal) as page:
        journal.unlink()
        shown = opened(browser, page)
        expect(shown.page.locator("body")).to_contain_text("there is no such file, and none was made")
        shown.close()


def test_a_port_that_is_taken_is_refused_with_a_hint(journal):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(NoDashboard, match=f"port {port} cannot be used"), served(journal, port=port):
            pass


def test_the_command_prints_the_address_and_ends_with_its_server(journal):
    command = [sys.executable, "-m", "orchestration_kit.cli", "dashboard", "--journal", str(journal), "--read-only"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    said = process.stdout.readline()
    address = said.rpartition(" ")[2].strip()
    port = int(address.split(":")[2].partition("/")[0])
    assert address.startswith(f"http://127.0.0.1:{port}/?token=")
    page = SimpleNamespace(port=port)
    assert ask(page, "")[0] == 302
    process.terminate()
    assert process.wait(30) == 130
    process.stdout.close()
    with pytest.raises(ConnectionRefusedError):
        ask(page, "")
