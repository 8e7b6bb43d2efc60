"""A run laid out in time: as data, as a picture, as text."""

from __future__ import annotations

import dataclasses
import io
import math
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from typing import Any

import html5lib
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestration_kit import RetryPolicy, WorkflowContext
from orchestration_kit.engine.events import AttemptFinished, ErrorInfo, RunStarted
from orchestration_kit.history import recorded
from orchestration_kit.testing import FakeClock, ScriptedWorker
from orchestration_kit.visual.timeline import timeline
from orchestration_kit.visual.timeline_rows import MOST_BRANCHES, end_of, in_words
from orchestration_kit.visual.timeline_spans import STATES
from tests.hostile import PAYLOADS, one_in
from tests.laws import examples
from tests.support import hub_of, step, workflow_of

FRAME = {
    "seq": "Int64", "path": "string", "lane": "category", "step": "category", "attempt": "Int64", "worker": "category",
    "state": "category", "start_s": "float64", "end_s": "float64",
}  # fmt: skip


def attempt(seq: int, step: str, start_s: float, end_s: float, **fields: Any) -> AttemptFinished:
    plain: dict[str, Any] = {
        "seq": seq, "scope": "", "step": step, "visit": 1, "attempt": 1, "worker": step, "worker_type": "t", "input": None,
        "output": None, "error": None, "started_at": 100.0 + start_s, "duration_s": end_s - start_s, "next_step": None,
        "retry_in_s": None, "changes": None, "evaluated": (), "usage": None,
    }  # fmt: skip
    return AttemptFinished(**{**plain, **fields})


def run_of(*records: AttemptFinished, state: str = "in_progress", run: str = "run") -> Any:
    events = [RunStarted(run, "flow", "f", "goal", {}, "s", 100.0), *records]
    return dataclasses.replace(recorded(events), state=state)


NO = ErrorInfo("E", "no")


def spans(subject: Any) -> list[tuple[Any, ...]]:
    frame = timeline(subject).frame
    return [
        (None if pd.isna(path) else path, lane, state, start, end)
        for path, lane, state, start, end in frame[["path", "lane", "state", "start_s", "end_s"]].itertuples(
            index=False
        )
    ]


def test_attempts_and_waits_for_retries_stand_in_time():
    clock = FakeClock()
    worker = ScriptedWorker(OSError("net"), OSError("net"), "ok")

    def work(given):
        clock.advance(1)
        return worker(given)

    policy = RetryPolicy(backoff_s=2.0)
    hub = hub_of(workflow_of(step("a", max_retries=2, retry=policy)), {"a": work}, clock=clock)
    assert spans(hub.execute_workflow("flow", "g", verbose=False)) == [
        ("a#1", "main", "failed", 0.0, 1.0),
        ("a#1", "main", "retry wait", 1.0, 3.0),
        ("a#1", "main", "failed", 3.0, 4.0),
        ("a#1", "main", "retry wait", 4.0, 8.0),
        ("a#1", "main", "success", 8.0, 9.0),
    ]


def test_branches_have_lanes_of_their_own():
    found = spans(
        run_of(
            attempt(1, "x", 0, 2, scope="m#1[0]/"), attempt(2, "x", 0, 3, scope="m#1[1]/"), attempt(3, "j", 0.001, 4)
        )
    )
    assert [lane for _, lane, *_ in found] == ["m#1[0]", "m#1[1]", "main"]
    assert {state for _, _, state, *_ in found} == {"success"}


def joined(seq: int, step: str, start_s: float, **fields: Any) -> AttemptFinished:
    """The record of a join."""
    return attempt(
        seq, step, start_s, start_s, worker=None, worker_type="map", detail={"branches": {"0": "completed"}}, **fields
    )


def test_the_time_before_a_join_is_that_of_its_branches():
    found = spans(run_of(attempt(1, "a", 0, 1), attempt(2, "x", 1, 3, scope="m#1[0]/"), joined(3, "m", 3)))
    assert ("m#1", "main", "branches", 1.0, 3.0) in found
    assert "2 s of branches" in str(timeline(run_of(attempt(1, "a", 0, 1), joined(2, "m", 3))))


def test_the_time_of_an_answer_is_waiting_of_the_step_that_asked():
    asked = attempt(2, "sign", 1, 1, worker=None, worker_type="approval", detail={"answer": "approved"})
    run = run_of(attempt(1, "a", 0, 1), asked, attempt(3, "b", 5, 6))
    assert ("sign#1", "main", "waiting", 1.0, 5.0) in spans(run)
    assert "4 s of waiting" in str(timeline(run))


def test_an_attempt_that_was_cut_off_is_cancelled_not_failed():
    lost = attempt(1, "x", 0, 1, scope="p#1[a]/", error=ErrorInfo("BranchCancelled", "the join was reached"))
    shown = timeline(run_of(lost))
    assert list(shown.frame["state"]) == ["cancelled"]
    assert "1 cancelled" in str(shown)
    assert "cancelled" in shown.svg


def test_the_run_itself_stands_above_its_branches():
    run = run_of(attempt(1, "x", 0, 1, scope="m#1[0]/"), joined(2, "m", 1), attempt(3, "undo", 2, 3, scope="[undo]/"))
    assert [row.lane for row in timeline(run).rows] == ["main", "m#1[0]", "undo"]


def many_branches(count: int, bad: int) -> Any:
    found = [attempt(1, "a", 0, 1, next_step="m")]
    for at in range(count):
        error = NO if at == bad else None
        found.append(attempt(2, "x", 1 + at, 2 + at, scope=f"m#1[{at}]/", error=error))
        found.append(attempt(2, "y", 2 + at, 3 + at, scope=f"m#1[{at}]/"))
    return run_of(*found, joined(3, "m", 3 + count))


def test_of_many_branches_there_is_a_row_each():
    rows = timeline(many_branches(22, 5)).rows
    assert [row.label for row in rows[:3]] == ["a", "m", "m#1[0]"]
    assert len(rows) == 2 + 22


def test_of_very_many_branches_the_first_and_the_failed_have_a_row_and_the_others_one():
    shown = timeline(many_branches(1_000, 777))
    assert len(shown.rows) == 2 + MOST_BRANCHES + 1
    assert [row.label for row in shown.rows[-2:]] == ["m#1[777]", f"and {1_000 - MOST_BRANCHES} more"]
    assert len(shown.frame) == 2_003  # nothing is left out there
    assert f"and {1_000 - MOST_BRANCHES} more" in shown.outline
    assert len(shown.svg) < 300_000


def test_a_run_that_waits_inside_its_branches_has_open_branches():
    first = attempt(1, "a", 0, 1, next_step="m")
    inside = attempt(2, "x", 1, 2, scope="m#1[0]/", next_step="ask")
    found = spans(run_of(first, inside, state="waiting"))
    assert [(lane, state) for path, lane, state, *_ in found if path is None] == [
        ("main", "branches"),
        ("m#1[0]", "waiting"),
    ]
    assert "branches at work" in str(timeline(run_of(first, inside, state="waiting")))


def test_a_gap_that_no_retry_explains_is_waiting():
    found = spans(run_of(attempt(1, "a", 0, 1, next_step="b"), attempt(2, "b", 5, 6)))
    assert found[1] == ("b#1", "main", "waiting", 1.0, 5.0)


def test_the_time_of_the_engine_itself_is_no_wait():
    assert len(spans(run_of(attempt(1, "a", 0.001, 1), attempt(2, "b", 1.009, 2)))) == 2


def test_the_time_before_the_first_attempt_is_waiting():
    assert spans(run_of(attempt(1, "a", 3, 4)))[0] == ("a#1", "main", "waiting", 0.0, 3.0)


def test_a_run_that_waits_for_somebody_has_an_open_span():
    found = spans(run_of(attempt(1, "a", 0, 1, next_step="approve"), state="waiting"))
    path, lane, state, start, end = found[-1]
    assert (path, lane, state, start) == (None, "main", "waiting", 1.0)
    assert math.isnan(end)
    timeline(run_of(attempt(1, "a", 0, 1, next_step="approve"), state="waiting")).svg


def test_a_retry_that_is_still_to_come_is_shown():
    going = run_of(attempt(1, "a", 0, 1, error=NO, retry_in_s=4.0))
    assert spans(going)[-1] == ("a#1", "main", "retry wait", 1.0, 5.0)
    assert len(spans(dataclasses.replace(going, state="cancelled"))) == 1


def test_a_clock_that_was_set_back_makes_no_negative_time():
    frame = timeline(run_of(attempt(1, "a", 50, 51), attempt(2, "b", -1_000, -999))).frame
    assert frame["start_s"].min() == 0.0


def test_an_attempt_without_a_time_is_in_the_frame_and_not_in_the_picture():
    shown = timeline([{"step": "a"}, {"step": "b", "success": False}])
    assert shown.frame["start_s"].isna().all()
    assert "b" in shown.svg
    assert "no time on record" in shown.outline


@pytest.mark.parametrize(
    "source", [[], run_of(), run_of(attempt(1, "a", 0, 1)), [{"step": "a"}], WorkflowContext("mine", "g")]
)
def test_dtypes_are_as_documented_and_survive_parquet(source):
    frame = timeline(source).frame
    assert {name: str(dtype) for name, dtype in frame.dtypes.items()} == FRAME
    file = io.BytesIO()
    frame.to_parquet(file)
    assert {name: str(dtype) for name, dtype in pd.read_parquet(io.BytesIO(file.getvalue())).dtypes.items()} == FRAME


BUSY = run_of(
    attempt(1, "plan", 0, 1, next_step="write"),
    attempt(2, "write", 2, 3, error=NO, retry_in_s=1.0),
    attempt(3, "write", 4, 5, attempt=2, scope=""),
    attempt(4, "check", 2, 6, scope="m#1[0]/"),
)


@pytest.mark.parametrize("theme", ["light", "dark", "print"])
def test_states_have_a_pattern_as_well_as_a_colour(theme):
    root = ET.fromstring(timeline(BUSY, theme=theme).svg)
    patterns = [element for element in root.iter() if element.tag.endswith("}pattern")]
    assert len(patterns) >= 3  # failed, retry wait, waiting
    words = {"".join(element.itertext()) for element in root.iter() if element.tag.endswith("}text")}
    assert {"success", "failed", "retry wait", "waiting", "plan", "write", "m#1[0]/check"} <= words
    assert "2 s, 2 attempts, 1 failed" in words


def test_the_same_run_gives_the_same_svg_without_a_date():
    one, other = timeline(BUSY).svg, timeline(BUSY).svg
    assert one == other
    assert "<metadata" not in one
    assert "<style" not in one  # inside a notebook it would apply to the whole page
    assert one.startswith("<svg")
    assert 'role="img"' in one
    assert "<title>" in one


def test_a_notebook_gets_svg_and_text():
    shown = timeline(BUSY)._repr_mimebundle_()
    assert set(shown) == {"image/svg+xml", "text/plain"}
    assert shown["text/plain"] == str(timeline(BUSY))


def test_the_text_form_has_a_line_per_row_and_a_legend():
    lines = str(timeline(BUSY)).splitlines()
    assert lines[0] == "Timeline of run · flow · in_progress: 6 s"
    assert [line.split("|")[0].strip() for line in lines[1:-1]] == ["plan", "write", "m#1[0]/check"]
    assert lines[1].split("|")[1] == "█" * 10 + " " * 50
    assert "xxxxxxxxxx~~~~~~~~~~██████████" in lines[2]
    assert lines[-1].strip() == "█ success   x failed   ~ retry wait   . waiting"


@pytest.mark.parametrize("at", one_in(4, places=34))
def test_text_from_runs_stays_text(at):
    payloads = PAYLOADS[at::34]
    events = [
        attempt(
            2 * n + 1, said, 2 * n, 2 * n + 1, error=ErrorInfo(said, said), scope=f"m#1[{said}]/", detail={said: said}
        )
        for n, said in enumerate(payloads)
    ]
    events += [joined(2 * n + 2, said, 2 * n + 2) for n, said in enumerate(payloads)]
    run = run_of(*sorted(events, key=lambda event: event.seq), run=" ".join(payloads), state=" ".join(payloads))
    shown = timeline(run)
    bundle = shown._repr_mimebundle_()
    svg = bundle["image/svg+xml"]
    ET.fromstring(svg)
    harmless = {
        "svg", "g", "defs", "path", "use", "text", "tspan", "title", "desc", "clippath", "rect", "pattern", "image",
    }  # fmt: skip
    for element in html5lib.parseFragment(svg, namespaceHTMLElements=False).iter():
        tag = str(element.tag).rsplit("}", 1)[-1].lower()
        assert tag in harmless | {"document_fragment"}
        for name, value in element.attrib.items():
            key = str(name).lower()
            assert not key.rsplit("}", 1)[-1].startswith("on")
            if key.endswith("href"):
                assert value.startswith("#")
            assert "url(" not in value or "url(#" in value


@pytest.mark.parametrize("name", ["$x^2$", "a_1 $\\frac{1}{2}$", "\\$5 and $6", "$\\invalid{$"])
def test_dollars_are_not_mathematics(name):
    root = ET.fromstring(timeline(run_of(attempt(1, name, 0, 1), run=name)).svg)
    words = ["".join(element.itertext()) for element in root.iter() if element.tag.endswith("}text")]
    assert name in words
    assert any(word.startswith(f"{name} · flow") for word in words)


def test_what_a_notebook_has_set_does_not_change_the_picture():
    import matplotlib as mpl

    plain = timeline(BUSY).svg
    with mpl.rc_context({"text.usetex": True, "font.size": 30, "axes.grid": True, "svg.fonttype": "path"}):
        assert timeline(BUSY).svg == plain
        assert mpl.rcParams["font.size"] == 30


def test_the_figure_is_unknown_to_pyplot():
    code = (
        "import sys; from orchestration_kit.visual.timeline import timeline;"
        "timeline([{'step': 'a', 'timestamp': 0, 'duration_s': 1}]).svg; print('matplotlib.pyplot' in sys.modules)"
    )
    assert (
        subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.strip()
        == "False"
    )


def test_without_matplotlib_there_is_data_text_and_the_way_to_install_it():
    code = (
        "import sys; sys.modules['matplotlib'] = None;"
        "from orchestration_kit.visual.timeline import timeline;"
        "shown = timeline([{'step': 'a', 'timestamp': 0, 'duration_s': 1}]);"
        "print(len(shown.frame)); bundle = shown._repr_mimebundle_(); print(sorted(bundle)); print(bundle['text/plain'])\n"
        "try: shown.figure\n"
        "except ImportError as error: print(type(error).__name__, error)"
    )
    said = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert said.startswith("1\n['text/plain']\nTimeline of history")
    assert "MissingPlotExtra The picture of a timeline needs matplotlib" in said
    assert said.count("pip install 'orchestration-kit[plot]'") == 2


def test_thousands_of_attempts_are_a_picture_that_a_notebook_can_hold():
    many = run_of(*(attempt(i, f"s{i % 50}", i, i + 0.9, error=NO if i % 7 == 0 else None) for i in range(5_000)))
    shown = timeline(many)
    assert len(shown.svg) < 250_000
    assert len(shown.frame) == 2 * 5_000 - 1
    assert len(shown.outline) < 20_000


def test_a_bar_is_a_few_numbers_in_the_svg():
    def svg(bars: int) -> str:
        return timeline(run_of(*(attempt(i, f"s{i % 20}", i, i + 0.9) for i in range(bars)))).svg

    few, many = svg(40), svg(140)
    assert (len(many) - len(few)) / 100 < 110  # with the wait before each, and its line in the text form
    assert len(few) < 20_000
    assert "<image" not in many
    assert not re.search(r' (d|x|y|transform|viewBox)="[^"]*\.\d\d', many)


def test_every_state_together_is_a_small_svg():
    cut = attempt(5, "lost", 2, 3, scope="m#1[1]/", error=ErrorInfo("BranchCancelled", "late"))
    records = [*BUSY.records, cut, joined(6, "m", 7)]
    shown = timeline(dataclasses.replace(BUSY, records=records))
    assert {span.state for span in shown.spans} == set(STATES)
    assert len(shown.svg) < 20_000  # the pattern of a state counts as well


def test_a_long_label_keeps_its_beginning_and_its_end():
    (row,) = timeline(run_of(attempt(1, "begin" + "x" * 200 + "end", 0, 1))).rows
    assert len(row.label) == 36
    assert row.label.startswith("begin")
    assert row.label.endswith("end")


def test_themes_are_named_or_refused():
    assert timeline(BUSY).with_theme("dark").theme.name == "dark"
    with pytest.raises(ValueError, match="No theme 'neon'"):
        timeline(BUSY, theme="neon")


def test_what_has_no_history_is_refused():
    with pytest.raises(TypeError, match="There is no history in an int"):
        timeline(7)


def test_a_display_that_breaks_shows_its_reason():
    broken = dataclasses.replace(timeline(BUSY), run=None)
    assert broken._repr_mimebundle_()["text/plain"].startswith("This timeline could not be shown: AttributeError")


@settings(deadline=None, max_examples=examples(50))  # the first one imports pandas
@given(st.floats(0, 1e9))
def test_a_time_in_words_is_short(seconds):
    assert len(in_words(seconds)) <= 13


@settings(deadline=None, max_examples=examples(50))  # the first one imports pandas
@given(st.lists(st.tuples(st.floats(), st.floats(0, 1e6), st.sampled_from(["a", "b"])), max_size=6))
def test_any_times_have_a_frame_and_a_text(times):
    records = [attempt(i, name, start, start + took) for i, (start, took, name) in enumerate(times, 1)]
    shown = timeline(run_of(*records))
    assert (shown.frame["seq"].notna()).sum() == len(times)
    assert end_of(shown.rows) >= 0
    assert str(shown)
