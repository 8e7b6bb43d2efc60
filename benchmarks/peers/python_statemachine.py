"""python-statemachine: a StateMachine class with one event, one instance set back before each run.

No state is final: a machine that reached one cannot be set back, and a new instance for each run costs
far more. The event `again`, never sent, is there because every other state has to lead somewhere.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

from statemachine import State, StateMachine

from benchmarks.harness import Build, Case, Outcome, counting_worker


def chain(size: int) -> Case:
    """States s0 -> s1 -> ...; each transition does one step's work."""
    work, reset = counting_worker()

    def on_advance(self: Any) -> None:
        self.n = work(self)

    machine = _machine(**_chain(size), on_advance=on_advance)
    return _case(machine, ("s0", f"s{size}"), reset)


def async_chain(size: int) -> Case:
    """The same with an async callback, which picks the async engine."""
    work, reset = counting_worker()

    async def on_advance(self: Any) -> None:
        self.n = work(self)

    machine = _machine(**_chain(size), on_advance=on_advance)
    last = f"s{size}"

    async def run() -> Any:
        reset()
        machine.n = 0
        machine.current_state_value = "s0"
        while machine.current_state_value != last:
            await machine.advance()
        return machine

    return Case(run, _outcome, is_async=True)


def ping_pong(size: int) -> Case:
    """Two states in a loop, left by a condition when the worker has counted to `size`."""
    work, reset = counting_worker()
    start, ping, pong, done = State(initial=True), State(), State(), State()

    def step(self: Any) -> None:
        self.n = work(self)

    def enough(self: Any) -> bool:
        return bool(self.n >= size)

    advance = (
        start.to(ping, on="step") | ping.to(pong, on="step") | pong.to(done, cond="enough") | pong.to(ping, on="step")
    )
    states = {"start": start, "ping": ping, "pong": pong, "done": done}
    machine = _machine(**states, step=step, enough=enough, advance=advance, again=done.to(start))
    return _case(machine, ("start", "done"), reset)


def review(size: int) -> Case:
    """Let a reviewer turn a coder down `size` times: a condition is his verdict."""
    work, reset = counting_worker()
    start, code, look, done = State(initial=True), State(), State(), State()

    def step(self: Any) -> None:
        self.n = work(self)

    def approved(self: Any) -> bool:
        return bool(self.n > size)

    advance = start.to(code, on="step") | code.to(look) | look.to(done, cond="approved") | look.to(code, on="step")
    states = {"start": start, "code": code, "look": look, "done": done}
    machine = _machine(**states, step=step, approved=approved, advance=advance, again=done.to(start))
    return _case(machine, ("start", "done"), reset)


def _chain(size: int) -> dict[str, Any]:
    states = [State(initial=i == 0) for i in range(size + 1)]
    advance = states[0].to(states[1])
    for source, target in pairwise(states[1:]):
        advance |= source.to(target)
    body: dict[str, Any] = {f"s{i}": state for i, state in enumerate(states)}
    return body | {"advance": advance, "again": states[-1].to(states[0])}


def _machine(**body: Any) -> Any:
    kind: Any = type("Bench", (StateMachine,), body)
    return kind()


def _case(machine: Any, ends: tuple[str, str], reset: Callable[[], None]) -> Case:
    first, last = ends

    def run() -> Any:
        reset()
        machine.n = 0
        machine.current_state_value = first
        while machine.current_state_value != last:
            machine.advance()
        return machine

    return Case(run, _outcome)


def _outcome(machine: Any) -> Outcome:
    return Outcome(machine.n)


CASES: dict[str, Build] = {
    "chain": chain,
    "async_chain": async_chain,
    "ping_pong": ping_pong,
    "review": review,
}
