"""Row 23: canary secrets, let out wherever a worker, a person or a caller can: none is on record, on a page or in a log."""

from __future__ import annotations

import json
import logging
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from orchestration_kit import (
    MapStep,
    MemoryJournal,
    Spawn,
    SQLiteJournal,
    SubworkflowStep,
    WorkerDefinition,
    WorkflowState,
    cassette,
    compare,
    create_generic_pipeline,
    data_frame,
    history_frame,
    runs_frame,
    timeline,
    transitions_frame,
    usage_frame,
    visualize,
    waiting_frame,
    write_csv,
)
from orchestration_kit.cli import main
from orchestration_kit.governance import telemetry
from orchestration_kit.governance.wisdom import Wisdom, as_prompt
from orchestration_kit.secrets.patterns import KEYS
from tests.scorecard.canaries import CANARIES, ENVIRONMENT, SHAPED, hits, leaky_hub, play, play_all
from tests.support import hub_of, step, workflow_of

ROOT = Path(__file__).parents[2]
FRAMES = (history_frame, data_frame, transitions_frame, usage_frame, waiting_frame)
CONTROL = "openai"


@pytest.fixture(scope="module", autouse=True)
def _environment():
    """Some canaries are values of variables."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in ENVIRONMENT.items():
            patch.setenv(name, value)
        yield


@pytest.fixture(scope="module")
def kept(tmp_path_factory, _environment):
    """Every canary played once, kept in files and in memory; and what was printed and logged meanwhile."""
    folder = tmp_path_factory.mktemp("canaries")
    log = (folder / "all.log").open("w", encoding="utf-8")
    handler = logging.StreamHandler(log)
    logging.getLogger().addHandler(handler)
    level = logging.getLogger().level
    logging.getLogger().setLevel(logging.DEBUG)
    wisdom = Wisdom(folder / "lessons.db", policy=lambda lesson: True)
    journal = SQLiteJournal(folder / "runs.db")
    try:
        with telemetry.enable("memory", contents=True) as told, telemetry.stream(folder / "runs.jsonl", contents=True):
            runs = play_all(journal=journal, wisdom=wisdom)
        spans, metrics = told.spans, told.metrics_data()
    finally:
        logging.getLogger().removeHandler(handler)
        logging.getLogger().setLevel(level)
        log.close()
    files = {file.name: file.read_bytes() for file in folder.iterdir()}  # also the -wal, before it is folded in
    yield SimpleNamespace(
        folder=folder, journal=journal, wisdom=wisdom, runs=runs, spans=spans, metrics=metrics, files=files
    )
    journal.close()
    wisdom.close()


@pytest.fixture(scope="module")
def control(tmp_path_factory):
    """One canary played with redaction switched off: the places that are looked at do show it."""
    folder = tmp_path_factory.mktemp("control")
    with SQLiteJournal(folder / "runs.db") as journal:
        run = play(CANARIES[CONTROL], run_id="control", journal=journal, redact=False)
        yield SimpleNamespace(
            folder=folder, runs=[run], files={file.name: file.read_bytes() for file in folder.iterdir()}
        )


def test_there_is_a_canary_of_every_shape():
    for shape in KEYS:
        assert any(shape.pattern.search(secret) for secret in SHAPED.values()), shape.pattern.pattern


def test_every_canary_was_let_out_everywhere(kept):
    assert len(kept.runs) == len(CANARIES)
    for run in kept.runs:
        assert run.state == WorkflowState.FAILED
        assert [entry["path"] for entry in run.context.history] == [
            "write#1", "write#1", "pieces#1", "act#1", "act#1", "each#1[0]/item#1", "each#1[1]/item#1", "each#1", "sign#1", "paid#1", "refuse#1", "last#1",
        ]  # fmt: skip


def test_files_of_journals_lessons_telemetry_and_logs_hold_none(kept, control, figure):
    assert {"runs.db", "runs.db-wal", "lessons.db", "lessons.db-wal", "runs.jsonl", "all.log"} <= kept.files.keys()
    assert hits(control.files["runs.db"] + control.files["runs.db-wal"]) == [CONTROL]
    found = {name: hits(content) for name, content in kept.files.items()}
    assert {name: names for name, names in found.items() if names} == {}
    size = sum(map(len, kept.files.values()))
    figure(
        f"row 23: {len(CANARIES)} canaries in {len(kept.files)} files ({size / 1e6:.1f} MB) and {len(kept.spans)} spans: 0 hits"
    )


def test_a_copy_of_the_journal_and_its_export_hold_none(kept, tmp_path, monkeypatch, capsys):
    kept.journal.backup(tmp_path / "copy.db")
    assert hits((tmp_path / "copy.db").read_bytes()) == []


def _spans_as_text(spans: Any) -> str:
    return "\n".join(span.to_json() for span in spans)


def test_spans_and_metrics_hold_none(kept):
    assert len(kept.spans) > len(CANARIES)
    assert hits(_spans_as_text(kept.spans)) == []
    assert hits(kept.metrics.to_json()) == []


def _shown(runs: list[Any]) -> str:
    """All that a notebook shows of runs."""
    told: list[str] = []
    for run in runs:
        context = run.context
        told += [
            repr(run),
            repr(context),
            repr(context.history),
            repr(dict(context.data)),
            context.goal,
            str(context.error),
            repr(context.metadata),
        ]
        told += [repr(run.events)]
    for run in [*runs[:4], *runs[4:][-4:]]:
        told += [*(str(bundle) for bundle in (run._repr_mimebundle_(), run.context._repr_mimebundle_()))]
        diagram = visualize(run)
        told += [diagram.svg, diagram.dot, diagram.mermaid, diagram.outline, str(timeline(run)), timeline(run).svg]
    return "\n".join(told)


def test_nothing_that_a_notebook_shows_of_a_run_holds_one(kept, control):
    assert hits(_shown(control.runs)) == [CONTROL]
    assert hits(_shown(kept.runs)) == []


def _tables(runs: list[Any], folder: Path) -> str:
    told: list[str] = []
    for make in FRAMES:
        frame = make(runs)
        told += [
            frame.to_csv(),
            frame.to_html(),
            frame.to_json(default_handler=str, date_format="iso"),
            write_csv(frame, folder / "out.csv").read_text(),
        ]
    return "\n".join(told)


def test_frames_and_exports_hold_none(kept, control, tmp_path):
    assert hits(_tables(control.runs, tmp_path)) == [CONTROL]
    assert hits(_tables(kept.runs, tmp_path)) == []
    assert hits(runs_frame(kept.runs).to_csv()) == []
    assert (
        hits(
            kept.wisdom.to_frame().to_csv()
            + kept.wisdom._repr_html_()
            + repr(kept.wisdom.lessons())
            + as_prompt(kept.wisdom.lessons())
        )
        == []
    )
    assert sum(lesson.seen for lesson in kept.wisdom.lessons()) > 5 * len(CANARIES)
    assert hits(str(telemetry.events_frame(kept.folder / "runs.jsonl").to_csv())) == []


def test_comparisons_and_widgets_hold_none(kept):
    one, other = kept.runs[:2]
    assert hits(str(compare(one, other)._repr_mimebundle_())) == []
    for run in kept.runs:
        with closing(run.player()) as player:
            assert hits(json.dumps(player.get_state(), default=str)) == []


def test_runs_that_are_read_back_hold_none(kept):
    hub = leaky_hub("nothing", journal=kept.journal)
    for name in CANARIES:
        assert hits(repr(hub.get_run(name.replace(" ", "-")).context.history)) == []


def _other_ways(secret: str, journal: Any) -> list[Any]:
    """Ways that lead past the plain worker: forks, runs inside runs, made workflows, items, pieces, loops, transformers."""

    def spawns(given, context):
        return Spawn(create_generic_pipeline([("inner", "generic", f"about {secret}")]), input={"key": secret})

    async def fails(given, context):
        context.data["deep"] = {"er": [secret]}
        raise OSError(2, f"no file {secret}", f"/tmp/{secret}")

    async def streams(given, context):
        yield secret
        yield {"part": secret}

    def adds(given, context):
        if given == "first":
            context.add_item(f"more {secret}")
        return given

    def breaks(given):
        raise LookupError(f"transformed {secret}")

    workers = {
        "spawns": spawns,
        "generic": lambda given: [given, secret],
        "fails": fails,
        "streams": streams,
        "adds": adds,
        "plain": str,
    }
    inner = workflow_of(step("fails", worker_type="fails", max_retries=1), name="inner_flow")
    hub = hub_of(
        workflow_of(
            step("spawns", "streams"),
            step("streams", "many"),
            MapStep(step_id="many", over="data.items", body="adds", on_success="sub", on_failure="sub"),
            step("adds", is_terminal=False),
            SubworkflowStep(step_id="sub", workflow="inner_flow", on_success="broken", on_failure="broken"),
            step("broken", "end", on_failure="end"),
            step("end", worker_type="plain"),
            name="ways",
        ),
        workers,
        journal=journal,
    )
    hub.register_worker(WorkerDefinition(worker_type="broken", name="broken", executor=str, output_transformer=breaks))
    hub.register_workflow(inner)
    run = hub.start("ways", secret, {"items": ["first", secret]}, run_id="ways")
    run.run()
    fork = run.fork("broken#1", {"note": secret, secret: 1}, run_id="fork")
    fork.run()
    return [run, fork]


@pytest.mark.parametrize("name", [CONTROL, "pem", *ENVIRONMENT])
def test_forks_runs_inside_runs_and_made_workflows_hold_none(name, tmp_path):
    with SQLiteJournal(tmp_path / "runs.db") as journal:
        runs = _other_ways(CANARIES[name], journal)
        assert {run.state for run in runs} == {WorkflowState.COMPLETED}
        paths = [entry["path"] for entry in runs[0].context.history]
        assert {"spawns#1", "many#1[0.0]/adds#1", "sub#1", "broken#1", "end#1"} <= set(paths)
        assert hits(_shown(runs)) == []
        for file in tmp_path.iterdir():
            assert hits(file.read_bytes()) == [], file.name


@pytest.mark.parametrize("name", CANARIES)
def test_what_is_asked_of_a_person_shows_none(name):
    hub = leaky_hub(CANARIES[name])
    run = hub.start("leaky", CANARIES[name], {"secret": CANARIES[name], "items": []})
    run.run()
    assert run.waiting
    assert hits(repr(run.waiting) + str(run.waiting) + waiting_frame([run]).to_csv()) == []


def test_the_printed_account_holds_none(capsys):
    for name, secret in CANARIES.items():
        play(secret, run_id=f"told-{name}", verbose=True)
    told = capsys.readouterr()
    assert "write" in told.out
    assert hits(told.out + told.err) == []
    play(CANARIES[CONTROL], run_id="told", verbose=True, redact=False)
    assert hits(capsys.readouterr().out) == [CONTROL]


def test_a_cassette_holds_none_and_replays(tmp_path):
    for name in SHAPED:
        path = tmp_path / f"{name}.yaml"
        for mode in ("record", "replay"):
            with cassette(path, mode):
                run = play(CANARIES[name], run_id="taped")
            assert hits(repr(run.context.history)) == []
        assert hits(path.read_bytes()) == []


def test_the_command_line_shows_none(kept, capsys, monkeypatch):
    monkeypatch.chdir(kept.folder)
    calls = [["list"], ["list", "--json"], ["list", "--csv"], ["waiting"], ["waiting", "--json"]]
    endings = ("json", "jsonl", "yaml", "csv")
    for name, ending in zip([*list(SHAPED)[:5], *ENVIRONMENT], endings * 2, strict=True):
        run_id = name.replace(" ", "-")
        calls += [
            ["show", run_id, "--data"],
            ["show", run_id, "--json"],
            ["export", run_id, "-o", f"{run_id}.{ending}"],
        ]
    for call in calls:
        assert main(["runs", *call, "--journal", "runs.db"]) in (0, None), call
    told = capsys.readouterr()
    assert len(told.out) > 10_000
    assert hits(told.out + told.err) == []
    exports = [file for file in kept.folder.iterdir() if file.suffix.removeprefix(".") in endings]
    assert len(exports) >= 8
    for file in exports:
        assert hits(file.read_bytes()) == [], file.name


def test_runs_that_are_kept_in_memory_hold_none():
    journal = MemoryJournal()
    for name, secret in CANARIES.items():
        play(secret, run_id=name, journal=journal)
    rows = [row for name in CANARIES for row in journal.rows(name)]
    assert rows
    assert hits(repr(rows)) == []
