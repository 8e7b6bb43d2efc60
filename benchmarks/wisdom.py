"""What it costs a worker to look for lessons: the time of a search among 100,000 of them."""

from __future__ import annotations

import json
import random
import statistics
import tempfile
import time
from pathlib import Path

from benchmarks.harness import WrongResult
from benchmarks.table import Row
from orchestration_kit.governance.wisdom import Wisdom

LESSONS, SEARCHES, LIMIT_MS, WORDS, STEPS = 100_000, 600, 5.0, 30_000, 20_000
_LAYERS = ("safety", "preference", "general", "general", "general", "general")


def rows(*, lessons: int = LESSONS, searches: int = SEARCHES) -> list[Row]:
    """Measure, and return the rows of the table."""
    with tempfile.TemporaryDirectory() as folder:
        wisdom = Wisdom(Path(folder) / "lessons.db")
        try:
            fill(wisdom, Path(folder) / "lessons.jsonl", lessons)
            return [_row(wisdom, kind, lessons, searches) for kind in ("words", "a goal of 300 words", "common words")]
        finally:
            wisdom.close()


def fill(wisdom: Wisdom, file: Path, lessons: int) -> None:
    """Keep approved lessons whose words come as often as words do (Zipf's law)."""
    dice = random.Random(7)
    lines = [json.dumps({"format": "orchestration-kit lessons", "version": 1})]
    for number in range(lessons):
        about = {"text": f"{_text(dice, 22)} no{number}", "layer": _LAYERS[number % 6], "status": "approved"}
        if number % 6 < 3:
            about["step"] = f"step_{dice.randrange(STEPS)}"
        lines.append(json.dumps({**about, "tags": [f"tag_{dice.randrange(200)}"], "use": 9, "success": number % 10}))
    file.write_text("\n".join(lines), encoding="utf-8")
    if wisdom.load(file, trusted=True) != lessons:
        raise WrongResult("not all lessons were taken")


def _row(wisdom: Wisdom, kind: str, lessons: int, searches: int) -> Row:
    dice = random.Random(11)
    times: list[float] = []
    for _ in range(searches):
        query = {
            "words": lambda: _text(dice, 8),
            "a goal of 300 words": lambda: _text(dice, 300),
            "common words": lambda: " ".join(f"w{dice.randrange(6)}" for _ in range(6)),
        }[kind]()
        step = f"step_{dice.randrange(STEPS)}"
        began = time.perf_counter()
        found = wisdom.search(query, step=step, tags=[f"tag_{dice.randrange(200)}"], k=10)
        times.append(time.perf_counter() - began)
        if not found:
            raise WrongResult("a search found nothing")
    p50, p99 = 1e3 * statistics.median(times), 1e3 * statistics.quantiles(times, n=100)[98]
    title = f"a search among {lessons:,} lessons, by {kind}"
    figure = f"p50 {p50:.2f} ms, p99 {p99:.2f} ms"
    return Row(title, figure=figure, goal=f"p50 <= {LIMIT_MS:g} ms", met=p50 <= LIMIT_MS)


def _text(dice: random.Random, words: int) -> str:
    return " ".join(f"w{min(WORDS, int(dice.paretovariate(0.7)) - 1)}" for _ in range(words))
