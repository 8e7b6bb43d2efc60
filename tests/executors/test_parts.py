"""Parts that are kept, places that are taken, and rooms that are waited in."""

from __future__ import annotations

import threading

import pytest

from orchestration_kit.engine.room import Room, room_of
from orchestration_kit.executors import (
    ExecutorClosed,
    InlineExecutor,
    ProcessesExecutor,
    ResourcesMissing,
    ThreadsExecutor,
)
from orchestration_kit.executors.errors import NotSendable
from orchestration_kit.executors.frames import pack_call, unpack_call
from orchestration_kit.executors.parts import Parts
from orchestration_kit.executors.window import Window


def test_what_was_not_needed_for_the_longest_time_is_forgotten_first():
    parts = Parts(max_bytes=10)
    for name in "abc":
        parts.put(name, b"12345")
    assert parts.lacks("ab") == []
    assert parts.take("ab") == {"a": b"12345", "b": b"12345"}
    assert parts.lacks("abc") == ["c"]


def test_what_a_call_needs_is_there_for_it_though_it_is_forgotten_then():
    parts = Parts(max_bytes=1)
    parts.put("a", b"12345")
    assert parts.take(["a"]) == {"a": b"12345"}
    assert parts.lacks(["a"]) == ["a"]


def test_code_is_loaded_once():
    loaded, parts = [], Parts()
    for _ in range(3):
        assert parts.loaded("a", lambda: loaded.append(1) or "function") == "function"
    assert loaded == [1]


def test_a_window_refuses_what_will_never_be_there_and_hears_that_it_is_closed():
    window = Window("Mine", lambda: 1, {"GPU": 1})
    with pytest.raises(ResourcesMissing, match="Mine"):
        window.take({"GPU": 2})
    window.take({"GPU": 1})
    found = []

    def wait():
        try:
            window.take({"GPU": 1})
        except ExecutorClosed as error:
            found.append(error)

    thread = threading.Thread(target=wait)
    thread.start()
    assert window.close()
    thread.join(10)
    assert len(found) == 1
    assert not window.close()


@pytest.mark.parametrize("count", [0, -1, 1.5, True, "2"])
def test_a_count_that_is_none_is_refused(count):
    for kind in (ThreadsExecutor, ProcessesExecutor):
        with pytest.raises(ValueError, match="give a whole number above 0"):
            kind(count)


@pytest.mark.parametrize("amount", [0, -1, True, "1"])
def test_an_amount_that_is_none_is_refused(amount):
    with pytest.raises(ValueError, match="give a number above 0"):
        InlineExecutor(resources={"GPU": amount})


def test_who_comes_first_is_let_in_first_and_who_leaves_the_queue_is_passed_over():
    class Two:
        slots = 1

    room, told = Room(Two()), []
    seats = [room.ask(lambda number=number: told.append(number)) for number in range(6)]
    assert [seat.is_mine for seat in seats] == [True, True, False, False, False, False]
    seats[3].give_back()
    seats[0].give_back()
    seats[0].give_back()
    assert told == [2]
    seats[1].give_back()
    assert told == [2, 4]


def test_a_room_grows_with_its_executor():
    class Growing:
        slots = 1

    executor, told = Growing(), []
    room = Room(executor)
    seats = [room.ask(lambda number=number: told.append(number)) for number in range(5)]
    executor.slots = 2
    seats[0].give_back()
    assert told == [2, 3, 4]


def test_hubs_that_share_an_executor_share_its_room():
    with InlineExecutor() as one, InlineExecutor() as other:
        assert room_of(one) is room_of(one)
        assert room_of(one) is not room_of(other)


def test_a_call_for_another_process_needs_a_function_of_a_module_and_plain_arguments():
    assert unpack_call(pack_call(sorted, (b"ba", "x", 1, 2.5))) == ("builtins", "sorted", [b"ba", "x", 1, 2.5])
    with pytest.raises(NotSendable, match="Call a function of a module"):
        pack_call(lambda: b"", ())
    with pytest.raises(NotSendable, match="of the types list"):
        pack_call(len, ([],))
