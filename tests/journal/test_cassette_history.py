"""A cassette of each version of the file is kept, and replays for as long as there are cassettes."""

from __future__ import annotations

from pathlib import Path

from orchestration_kit.journal.cassette import cassette
from tests.journal.tapes import Site, history, run

V1 = Path(__file__).parents[1] / "histories" / "cassette_v1.yaml"


def test_version_1_replays():
    site = Site()
    before = V1.read_bytes()
    with cassette(V1, "replay") as tape:
        context = run(site.hub(), "A bakery in Bonn", "site")
    assert site.calls == []
    assert (tape.hits, len(tape)) == (6, 6)
    assert V1.read_bytes() == before
    assert [(e["path"], e["attempt"], e["success"], e["error"], e["next_step"]) for e in context.history] == [
        ("plan#1", 1, True, None, "code"),
        ("code#1", 1, False, "the model is busy", None),
        ("code#1", 2, True, None, "review"),
        ("review#1", 1, False, "no heading", "code"),
        ("code#2", 1, True, None, "review"),
        ("review#2", 1, True, None, "done"),
        ("done#1", 1, True, None, None),
    ]
    assert context.history[0]["usage"] == {"input_tokens": 3, "output_tokens": 4, "cost_usd": 0.25, "model": "writer-1"}
    assert context.history[3]["output"] == {"error": "no heading", "output": {"findings": ["h1"]}}
    assert context.data["notes"] == "For A bakery in Bonn:\nbe brief.\n"
    assert "draft" not in context.data
    assert context.data["done_output"] == {"approved": True, "score": 0.75}


def test_it_is_what_would_be_recorded_today(tmp_path):
    with cassette(tmp_path / "today.yaml"):
        recorded = run(Site().hub(), "A bakery in Bonn", "site")
    assert (tmp_path / "today.yaml").read_bytes() == V1.read_bytes()
    with cassette(V1, "replay"):
        assert history(run(Site().hub(), "A bakery in Bonn", "site")) == history(recorded)
