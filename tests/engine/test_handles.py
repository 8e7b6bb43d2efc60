from __future__ import annotations

import gc

from orchestration_kit.engine.handles import Handles


class Held:
    """Stands for a run."""


def test_what_nobody_holds_is_not_found_and_not_counted():
    known, kept = Handles(), {}
    for number in range(1_000):
        run = Held()
        known.put(str(number), run)
        if number % 100 == 0:
            kept[str(number)] = run
    del run
    gc.collect()
    assert known.held() == list(kept.values())
    assert known.get("100") is kept["100"]
    assert known.get("101") is None
    assert len(known._known) < 200


def test_a_run_that_was_put_again_or_dropped_is_the_last_one_or_none():
    known, one, other = Handles(), Held(), Held()
    known.put("a", one)
    known.put("b", other)
    known.put("a", other)
    assert known.get("a") is other
    known.drop("a")
    known.drop("a")
    assert known.held() == [other]
