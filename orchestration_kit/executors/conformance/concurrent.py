"""Calls at the same time: as many as there are slots, twice as many sent, and no more."""
# ruff: noqa: D102, S101 - a test's name says what it shows, and asserts

from __future__ import annotations

import threading
from concurrent.futures import Future, wait
from typing import Any

import pytest

from orchestration_kit.engine.executor_port import Executor
from orchestration_kit.executors.conformance import calls
from orchestration_kit.executors.conformance.making import PATIENCE_S, Door, Made, a_call


class Concurrent(Made):
    """Slots, the window, threads, and letting go."""

    def test_many_threads_may_submit_at_once(self, executor: Executor) -> None:
        found: dict[int, list[Any]] = {}

        def work(number: int) -> None:
            futures = [executor.submit(a_call(calls.echo, f"{number}.{index}".encode())) for index in range(20)]
            found[number] = [future.result(PATIENCE_S) for future in futures]

        threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(PATIENCE_S)
        assert found == {number: [f"{number}.{index}".encode() for index in range(20)] for number in range(8)}

    def test_as_many_calls_are_made_at_once_as_there_are_slots(self, executor: Executor, door: Door) -> None:
        self._needs_concurrency()
        slots = executor.slots
        futures = [executor.submit(door.call()) for _ in range(2 * slots)]
        door.await_begun(slots)
        assert door.begun == slots
        door.open(2 * slots)
        assert not wait(futures, PATIENCE_S).not_done

    def test_twice_as_many_calls_are_sent_as_there_are_slots_and_then_submit_waits(
        self, executor: Executor, door: Door
    ) -> None:
        self._needs_concurrency()
        most = 2 * executor.slots
        futures = [executor.submit(door.call()) for _ in range(most)]
        more: list[Future[Any]] = []
        thread = threading.Thread(target=lambda: more.append(executor.submit(door.call())))
        thread.start()
        door.await_begun(executor.slots)
        thread.join(0.2)
        assert thread.is_alive(), f"{most + 1} calls were sent"
        door.open(1)
        thread.join(PATIENCE_S)
        assert not thread.is_alive(), "there was room for one more"
        door.open(most)
        assert not wait([*futures, *more], PATIENCE_S).not_done

    def test_a_call_that_was_not_begun_never_is_once_it_is_let_go_of(self, executor: Executor, door: Door) -> None:
        self._needs_concurrency()
        if not self.withdraws:
            pytest.skip("calls that come next are handed out before")
        slots = executor.slots
        futures = [executor.submit(door.call()) for _ in range(2 * slots - 1)]  # some take the next one along
        door.await_begun(slots)
        late = executor.submit(a_call(calls.note, str(door.mark), "late"))
        self.await_known(executor, 2 * slots)
        executor.cancel(late)
        self.await_known(executor, 2 * slots - 1)
        door.open(2 * slots - 1)
        assert not wait(futures, PATIENCE_S).not_done
        executor.submit(a_call(calls.echo, b"after it")).result(PATIENCE_S)
        assert b"late" not in door.mark.read_bytes()

    def test_letting_go_of_calls_makes_room_for_others(self, executor: Executor, door: Door) -> None:
        self._needs_concurrency()
        slots = executor.slots
        held = [executor.submit(door.call()) for _ in range(slots)]
        door.await_begun(slots)
        for _ in range(4 * slots):
            executor.cancel(executor.submit(a_call(calls.echo, b"nobody wants it")))
        door.open(slots)
        assert not wait(held, PATIENCE_S).not_done
        assert executor.submit(a_call(calls.echo, b"next")).result(PATIENCE_S) == b"next"

    def test_letting_go_of_what_is_over_changes_nothing(self, executor: Executor) -> None:
        future = executor.submit(a_call(calls.echo, b"done"))
        assert future.result(PATIENCE_S) == b"done"
        executor.cancel(future)
        executor.cancel(future)
        assert future.result() == b"done"

    def test_letting_go_twice_is_once(self, executor: Executor, door: Door) -> None:
        self._needs_concurrency()
        slots = executor.slots
        held = [executor.submit(door.call()) for _ in range(slots)]
        door.await_begun(slots)
        late = executor.submit(a_call(calls.echo, b"late"))
        executor.cancel(late)
        executor.cancel(late)
        door.open(slots)
        assert not wait(held, PATIENCE_S).not_done
        futures = [executor.submit(a_call(calls.echo, b"1")) for _ in range(4 * slots)]
        assert not wait(futures, PATIENCE_S).not_done

    def _needs_concurrency(self) -> None:
        if not self.is_concurrent:
            pytest.skip("a call is over when submit returns")
