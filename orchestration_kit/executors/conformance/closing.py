"""An end, after which nothing is made."""
# ruff: noqa: D102, S101 - a test's name says what it shows, and asserts

from __future__ import annotations

import threading

import pytest

from orchestration_kit.executors.conformance import calls
from orchestration_kit.executors.conformance.making import PATIENCE_S, Door, Made, MakeExecutor, a_call
from orchestration_kit.executors.errors import ExecutorClosed


class Closing(Made):
    """Closing, once and twice."""

    def test_a_closed_executor_makes_no_more_calls(self, make_executor: MakeExecutor) -> None:
        executor = make_executor()
        executor.submit(a_call(calls.echo, b"1")).result(PATIENCE_S)
        executor.close()
        with pytest.raises(ExecutorClosed):
            executor.submit(a_call(calls.echo, b"2"))

    def test_one_that_was_never_used_can_be_closed(self, make_executor: MakeExecutor) -> None:
        make_executor().close()

    def test_closing_twice_is_once(self, make_executor: MakeExecutor) -> None:
        executor = make_executor()
        executor.submit(a_call(calls.echo, b"1")).result(PATIENCE_S)
        executor.close()
        executor.close()
        with pytest.raises(ExecutorClosed):
            executor.submit(a_call(calls.echo, b"2"))

    def test_closing_one_leaves_another_alone(self, make_executor: MakeExecutor) -> None:
        one, other = make_executor(), make_executor()
        one.close()
        assert other.submit(a_call(calls.echo, b"1")).result(PATIENCE_S) == b"1"
        other.close()

    def test_who_waits_for_a_place_hears_that_it_was_closed(self, make_executor: MakeExecutor, door: Door) -> None:
        if not self.is_concurrent:
            pytest.skip("a call is over when submit returns")
        executor = make_executor()
        slots, found = executor.slots, list[BaseException]()

        def wait_for_a_place() -> None:
            try:
                executor.submit(door.call())
            except BaseException as error:  # noqa: BLE001 - looked at below
                found.append(error)

        for _ in range(2 * slots):
            executor.submit(door.call())
        door.await_begun(slots)
        thread = threading.Thread(target=wait_for_a_place)
        thread.start()
        executor.close()
        thread.join(PATIENCE_S)
        assert not thread.is_alive()
        assert [type(error) for error in found] == [ExecutorClosed]
        door.open(2 * slots)  # what cannot be ended goes on
