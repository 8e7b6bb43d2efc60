"""A watcher looks for as long as a page shows it, seldom where a look takes long, and never after it was closed."""

from __future__ import annotations

import heapq

from orchestration_kit.widgets.watching import Watcher


class Clockwork:
    """A ticker whose time is moved by hand."""

    def __init__(self):
        self.now, self._due, self._number = 0.0, [], 0

    def monotonic(self):
        return self.now

    def at(self, when, call):
        self._number += 1
        heapq.heappush(self._due, (when, self._number, call))

    def run_to(self, moment):
        while self._due and self._due[0][0] <= moment:
            when, _, call = heapq.heappop(self._due)
            self.now = max(self.now, when)
            call()
        self.now = max(self.now, moment)


def a_watcher(took_s=0.0, **options):
    ticker, looks = Clockwork(), []

    def look():
        looks.append(ticker.now)
        ticker.now += took_s

    watcher = Watcher(look, every_s=1.0, ticker=ticker, **options)
    watcher.start()
    return watcher, ticker, looks


def test_it_looks_at_once_and_then_every_second():
    _, ticker, looks = a_watcher()
    ticker.run_to(3.5)
    assert looks == [0.0, 1.0, 2.0, 3.0]


def test_without_a_page_it_falls_asleep_and_a_page_wakes_it():
    watcher, ticker, looks = a_watcher(patience_s=5.0)
    ticker.run_to(100.0)
    assert (len(looks), watcher.is_awake) == (6, False)
    watcher.seen()
    ticker.run_to(101.5)
    assert looks[6:] == [100.0, 101.0]


def test_a_page_that_is_seen_again_and_again_keeps_it_awake():
    watcher, ticker, looks = a_watcher(patience_s=5.0)
    for moment in range(0, 40, 4):
        ticker.run_to(float(moment))
        watcher.seen()
    assert len(looks) == 37


def test_what_happens_is_looked_at_soon_however_much_it_is():
    watcher, ticker, looks = a_watcher(soonest_s=0.25)
    ticker.run_to(0.5)
    for _ in range(1_000):
        watcher.soon()
    ticker.run_to(0.6)
    assert looks == [0.0, 0.5]
    watcher.soon()
    ticker.run_to(0.9)
    assert looks == [0.0, 0.5, 0.75]


def test_looks_that_take_long_come_seldom():
    watcher, ticker, looks = a_watcher(took_s=0.2, most_share=0.04)
    ticker.run_to(29.0)
    assert len(looks) == 6  # a 25th of the time
    watcher.soon()
    ticker.run_to(29.1)
    assert len(looks) == 6


def test_a_look_that_fails_is_followed_by_others(caplog):
    ticker, looks = Clockwork(), []

    def look():
        looks.append(ticker.now)
        raise OSError("the disk is gone")

    watcher = Watcher(look, every_s=1.0, ticker=ticker)
    watcher.start()
    for moment in (0.0, 1.0):
        try:
            ticker.run_to(moment)
        except OSError:
            pass
    ticker.run_to(0.0)
    assert looks == [0.0, 1.0]


def test_after_it_was_closed_nothing_is_looked_at():
    watcher, ticker, looks = a_watcher()
    ticker.run_to(1.5)
    watcher.close()
    watcher.soon()
    watcher.seen()
    watcher.look_now()
    ticker.run_to(10.0)
    assert looks == [0.0, 1.0]
