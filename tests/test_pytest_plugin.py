"""The `cassette` fixture, as somebody's test suite uses it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import textwrap
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from orchestration_kit.pytest_plugin import cassette_path

ROOT = Path(__file__).parents[1]
INSTALLED = any(found.value == "orchestration_kit.pytest_plugin" for found in entry_points(group="pytest11"))

ALONE = {
    "PYTHONPATH": str(ROOT),
    "COLUMNS": "200",
    "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
    "PYTEST_PLUGINS": "orchestration_kit.pytest_plugin",
}
"""No other plugin is loaded, which is quicker by far."""

SUITE = textwrap.dedent(
    """
    import pytest
    from orchestration_kit import Orchestrator, WorkerDefinition, create_generic_pipeline

    def ask(goal):
        with open("calls.txt", "a") as calls:
            calls.write(goal + "\\n")
        return goal.upper()

    def run(goal):
        hub = Orchestrator()
        hub.register_worker(WorkerDefinition(worker_type="generic", name="ask", executor=ask))
        hub.register_workflow(create_generic_pipeline([("ask", "generic", "")]))
        return hub.execute_workflow("ask", goal, verbose=False).data["ask_output"]

    def test_one(cassette):
        assert run("one") == "ONE"
        assert cassette.hits + cassette.recorded == 1

    class TestMore:
        @pytest.mark.parametrize("goal", ["a/b", "a b", "x" * 200])
        def test_two(self, cassette, goal):
            assert run(goal) == goal.upper()

    def test_without(request):
        assert "cassette" not in request.fixturenames

    @pytest.fixture
    def made(cassette):
        return run("made by a fixture")

    def test_a_fixture_may_run_too(made):
        assert made == "MADE BY A FIXTURE"

    def test_that_fails(cassette):
        run("kept")
        assert False
    """
)


def written(folder):
    """The suite, in a folder."""
    (folder / "pytest.ini").write_text("[pytest]\nfilterwarnings = error\n")
    (folder / "tests").mkdir()
    (folder / "tests" / "test_site.py").write_text(SUITE)
    return folder


@pytest.fixture
def suite(tmp_path):
    return written(tmp_path)


@pytest.fixture(scope="module")
def recorded_once(tmp_path_factory):
    folder = written(tmp_path_factory.mktemp("recorded"))
    invoke(folder, "-k", "test_one")
    return folder


@pytest.fixture
def recorded(recorded_once, tmp_path):
    """The suite, after one of its tests was recorded."""
    return shutil.copytree(recorded_once, tmp_path / "suite")


def invoke(folder, *arguments, **environment):
    clean = {k: v for k, v in os.environ.items() if k not in ("CI", "ORCHESTRATION_KIT_CASSETTE", "PYTEST_ADDOPTS")}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q", *arguments],
        cwd=folder, env={**clean, **ALONE, **environment}, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    return done.stdout + done.stderr


def calls(folder):
    found = folder / "calls.txt"
    return found.read_text().splitlines() if found.exists() else []


def test_the_first_run_records_and_the_second_replays(suite):
    assert "1 failed, 6 passed" in invoke(suite)
    assert len(calls(suite)) == 6
    made = suite / "tests" / "cassettes" / "test_site"
    names = sorted(path.name for path in made.iterdir())
    assert len(names) == 6
    assert {"test_one.yaml", "test_a_fixture_may_run_too.yaml", "test_that_fails.yaml"} < set(names)
    assert all(name.startswith("TestMore.test_two[") for name in names[:3])
    assert "1 failed, 6 passed" in invoke(suite)
    assert len(calls(suite)) == 6


def test_where_ci_is_set_nothing_is_called(suite):
    said = invoke(suite, CI="true")
    assert "6 failed, 1 passed" in said or "5 failed, 1 passed, 1 error" in said
    assert "CassetteMiss" in said
    assert "The file does not exist yet." in said
    assert calls(suite) == []
    assert not (suite / "tests" / "cassettes").exists()
    assert "passed" in invoke(suite, "-k", "test_one", CI="false")
    assert calls(suite) == ["one"]


@pytest.mark.parametrize(
    ("arguments", "environment", "times"),
    [
        ([], {}, 1),
        pytest.param(["--cassette-mode=record"], {}, 2, marks=pytest.mark.soak),
        pytest.param(["--cassette-mode=off"], {}, 2, marks=pytest.mark.soak),
        pytest.param(["--cassette-mode=replay"], {}, 1, marks=pytest.mark.soak),
        pytest.param([], {"ORCHESTRATION_KIT_CASSETTE": "record"}, 2, marks=pytest.mark.soak),
        ([], {"ORCHESTRATION_KIT_CASSETTE": "record", "CI": "1"}, 2),
        (["--cassette-mode=auto"], {"ORCHESTRATION_KIT_CASSETTE": "record"}, 1),
        pytest.param(["--cassette-mode=auto"], {"CI": "1"}, 1, marks=pytest.mark.soak),
    ],
)
def test_what_decides_the_mode(recorded, arguments, environment, times):
    said = invoke(recorded, "-k", "test_one", *arguments, **environment)
    assert calls(recorded) == ["one"] * times
    assert ("failed" in said) is ("--cassette-mode=off" in arguments)  # that test counts


def test_auto_by_option_records_even_where_ci_is_set(suite):
    assert "1 passed" in invoke(
        suite, "-k", "test_one", "--cassette-mode=auto", CI="1", ORCHESTRATION_KIT_CASSETTE="replay"
    )
    assert calls(suite) == ["one"]


def test_a_wrong_mode_is_refused_at_once(suite):
    assert "invalid choice: 'reply'" in invoke(suite, "--cassette-mode=reply")
    assert "Did you mean 'replay'" in invoke(suite, "-k", "test_one", ORCHESTRATION_KIT_CASSETTE="reply")
    assert calls(suite) == []


def test_help_and_fixtures_name_it(suite):
    assert "--cassette-mode={record,replay,auto,off}" in invoke(suite, "--help")
    assert "A cassette for this test, open" in invoke(suite, "--fixtures")


def test_it_loads_nothing_until_a_test_asks(suite):
    (suite / "tests" / "test_site.py").write_text(
        textwrap.dedent(
            """
            import sys

            def test_nothing():
                loaded = [name for name in sys.modules if name.startswith("orchestration_kit")]
                assert sorted(loaded) == ["orchestration_kit", "orchestration_kit.pytest_plugin"], loaded
                assert not {"pandas", "numpy", "networkx", "pydantic", "yaml", "asyncio"} & {name for name in sys.modules}
            """
        )
    )
    assert "1 passed" in invoke(suite)


def test_it_may_be_named_in_a_conftest(suite):
    (suite / "conftest.py").write_text('pytest_plugins = ["orchestration_kit.pytest_plugin"]\n')
    assert "1 passed" in invoke(suite, "-k", "test_one", PYTEST_PLUGINS="")


@pytest.mark.skipif(not INSTALLED, reason="the package was installed before it had the plugin")
@pytest.mark.soak
def test_it_is_found_where_the_package_is_installed(suite):
    assert "1 passed" in invoke(suite, "-k", "test_one", PYTEST_PLUGINS="", PYTEST_DISABLE_PLUGIN_AUTOLOAD="")


def test_every_test_has_a_file_of_its_own():
    tests = ["test_a", "test_a[x]", "test_a[x/y]", "test_a[x y]", "test_a[x_y]", "T::test_a", "T.test_a ", "test_a[" + "x" * 300 + "]", "test_a[" + "x" * 301 + "]", "test_a[../../x]", "test_a[ü]", "TEST_A"]  # fmt: skip
    paths = [cassette_path(Path("tests/test_x.py"), f"tests/test_x.py::{name}") for name in tests]
    assert len({str(path) for path in paths}) == len(tests)
    assert {path.parent for path in paths} == {Path("tests/cassettes/test_x")}
    assert all(len(path.name.encode()) < 200 for path in paths)
