"""What a call gives is what the future gives: its result, or its error."""
# ruff: noqa: D102, S101 - a test's name says what it shows, and asserts

from __future__ import annotations

from concurrent.futures import Future, wait

import pytest

from orchestration_kit.engine.executor_port import Executor
from orchestration_kit.executors.conformance import calls
from orchestration_kit.executors.conformance.making import PATIENCE_S, Made, a_call
from orchestration_kit.executors.errors import ResourcesMissing

NO_BODY_HAS = {"a resource that nobody offers": 1.0}


class Results(Made):
    """Results, errors, keys and resources."""

    def test_it_says_whether_calls_leave_this_process(self, executor: Executor) -> None:
        assert executor.is_remote in (True, False)

    def test_the_slots_are_a_whole_number_above_0(self, executor: Executor) -> None:
        assert isinstance(executor.slots, int)
        assert executor.slots >= 1

    def test_a_future_of_the_standard_library_gives_the_result(self, executor: Executor) -> None:
        future = executor.submit(a_call(calls.echo, b"content"))
        assert isinstance(future, Future)
        assert future.result(PATIENCE_S) == b"content"
        assert future.done()
        assert future.exception() is None

    @pytest.mark.parametrize("content", [b"", b"\x00\xff\n", b"x" * 3_000_000], ids=["empty", "binary", "3 MB"])
    def test_bytes_come_back_as_they_went(self, executor: Executor, content: bytes) -> None:
        assert executor.submit(a_call(calls.echo, content)).result(PATIENCE_S) == content

    def test_arguments_are_bytes_text_and_numbers(self, executor: Executor) -> None:
        arguments = (b"\x00", "ÿ 日本語 🦄", 2**60, -1.5, True, "")
        expected = "|".join(map(repr, arguments)).encode()
        assert executor.submit(a_call(calls.join, *arguments)).result(PATIENCE_S) == expected

    def test_what_a_call_raises_the_future_raises(self, executor: Executor) -> None:
        future = executor.submit(a_call(calls.fail, "no draft"))
        error = future.exception(PATIENCE_S)
        assert isinstance(error, ValueError)
        assert str(error) == "no draft"
        with pytest.raises(ValueError, match="no draft"):
            future.result()

    def test_an_error_that_cannot_be_pickled_keeps_its_name_message_and_bases(self, executor: Executor) -> None:
        error = executor.submit(a_call(calls.fail_stubbornly, "this", "that")).exception(PATIENCE_S)
        assert type(error).__name__ == "Stubborn"
        assert str(error) == "this and that"
        assert isinstance(error, LookupError)

    def test_a_call_that_raises_leaves_the_executor_whole(self, executor: Executor) -> None:
        for _ in range(3 * executor.slots):
            assert executor.submit(a_call(calls.fail, "again")).exception(PATIENCE_S) is not None
        assert executor.submit(a_call(calls.echo, b"fine")).result(PATIENCE_S) == b"fine"

    def test_a_call_that_wants_to_end_the_program_does_not(self, executor: Executor) -> None:
        error = executor.submit(a_call(calls.leave, "bye")).exception(PATIENCE_S)
        assert isinstance(error, SystemExit)
        assert executor.submit(a_call(calls.echo, b"fine")).result(PATIENCE_S) == b"fine"

    def test_each_future_gives_what_came_of_its_own_call(self, executor: Executor) -> None:
        futures = [executor.submit(a_call(calls.echo, str(number).encode())) for number in range(100)]
        assert [future.result(PATIENCE_S) for future in futures] == [str(number).encode() for number in range(100)]

    @pytest.mark.parametrize("key", ["a#1", "run/with ä, 🦄 and \n|research#1[3]/draft#2|1|7", "x" * 500])
    def test_any_text_can_be_a_key(self, executor: Executor, key: str) -> None:
        call = a_call(calls.echo, b"1", key=f"{key}{a_call(calls.echo).key}")
        assert executor.submit(call).result(PATIENCE_S) == b"1"

    def test_calls_of_different_keys_are_different_calls_whatever_else_is_equal(self, executor: Executor) -> None:
        assert [executor.submit(a_call(calls.echo, b"same")).result(PATIENCE_S) for _ in range(5)] == [b"same"] * 5

    def test_a_resource_that_nobody_offers_is_refused_and_named(self, executor: Executor) -> None:
        with pytest.raises(ResourcesMissing, match="a resource that nobody offers") as caught:
            executor.submit(a_call(calls.echo, b"1", resources=NO_BODY_HAS))
        assert caught.value.needed == NO_BODY_HAS
        assert caught.value.offered, "it names what each machine offers"
        assert caught.value.is_final, "another attempt would come to the same"

    def test_a_refused_call_takes_no_place(self, executor: Executor) -> None:
        for _ in range(3 * executor.slots):
            with pytest.raises(ResourcesMissing):
                executor.submit(a_call(calls.echo, b"1", resources=NO_BODY_HAS))
        futures = [executor.submit(a_call(calls.echo, b"1")) for _ in range(2 * executor.slots)]
        assert not wait(futures, PATIENCE_S).not_done
