"""The least a fan takes in Python: a fixed pool of coroutines, `gather` with a semaphore, plain threads.

Nothing is recorded, no branch has data of its own, nobody can watch, stop or resume. The measure of our branches.
"""

from __future__ import annotations

import asyncio
import threading
from time import perf_counter

from benchmarks.branches_cases import Clock, Fan, check_fan, wait_async, wait_sync
from benchmarks.harness import quiet_collector


def pool(fan: Fan, *, clock: Clock = perf_counter) -> float:
    """Let as many coroutines as may be at once take one item after another."""

    async def run() -> tuple[list[int], float]:
        with quiet_collector():
            began = clock()
            found: list[int] = [0] * fan.count
            items = iter(enumerate(fan.items))

            async def take() -> None:
                for at, item in items:
                    found[at] = await wait_async(fan, item)

            await asyncio.gather(*(take() for _ in range(fan.at_once)))
            return found, clock() - began

    found, took_s = asyncio.run(run())
    return check_fan(fan, found, took_s, clock=clock)


def gather(fan: Fan, *, clock: Clock = perf_counter) -> float:
    """Make a task of each item, and let a semaphore hold them back."""

    async def run() -> tuple[list[int], float]:
        with quiet_collector():
            began = clock()
            gate = asyncio.Semaphore(fan.at_once)

            async def one(item: int) -> int:
                async with gate:
                    return await wait_async(fan, item)

            found = await asyncio.gather(*map(one, fan.items))
            return found, clock() - began

    found, took_s = asyncio.run(run())
    return check_fan(fan, found, took_s, clock=clock)


def threads(fan: Fan, *, clock: Clock = perf_counter) -> float:
    """Let as many threads as may be at once take one item after another."""
    with quiet_collector():
        began = clock()
        found: list[int] = [0] * fan.count
        items = iter(enumerate(fan.items))
        turn = threading.Lock()

        def take() -> None:
            while True:
                with turn:
                    at, item = next(items, (-1, 0))
                if at < 0:
                    return
                found[at] = wait_sync(fan, item)

        crowd = [threading.Thread(target=take) for _ in range(fan.at_once)]
        for one in crowd:
            one.start()
        for one in crowd:
            one.join()
        took_s = clock() - began
    return check_fan(fan, found, took_s, clock=clock)
