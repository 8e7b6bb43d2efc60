"""Workflows as different as those that agents are built as, and runs of them, drawn one by one without the package."""

import random
from collections import Counter

import numpy as np

from orchestration_kit.reliability.chain import COMPLETED, FAILED, Chain, ChainStep
from orchestration_kit.reliability.counting import Counts, Path, Way


def step(success, on, *, off=FAILED, retries=0):
    """A step whose ways on are a target, or targets with their shares."""
    as_shares = lambda to: {to: 1.0} if isinstance(to, str) else to
    return ChainStep(success=success, after_success=as_shares(on), after_failure=as_shares(off), retries=retries)


def chain_with_retries():
    return Chain("retries", "fetch", {
        "fetch": step(0.7, "parse", retries=2), "parse": step(0.9, "answer", retries=1), "answer": step(0.85, COMPLETED),
    })  # fmt: skip


def review_loop():
    return Chain("review_loop", "specify", {
        "specify": step(0.97, "implement"),
        "implement": step(0.85, "review", retries=1),
        "review": step(0.6, "deploy", off={"implement": 0.9, FAILED: 0.1}),
        "deploy": step(0.95, COMPLETED, retries=1),
    })  # fmt: skip


def router():
    return Chain("router", "route", {
        "route": step(0.98, {"code": 0.5, "search": 0.3, "ask": 0.2}),
        "code": step(0.75, "check", retries=1), "search": step(0.9, "check"), "ask": step(0.6, COMPLETED),
        "check": step(0.8, COMPLETED, off={"route": 0.6, FAILED: 0.4}),
    })  # fmt: skip


def gated_with_fallback():
    return Chain("gate", "draft", {
        "draft": step(0.95, "gate", off="fallback"), "gate": step(0.7, "publish", off="fallback"),
        "fallback": step(0.8, "publish"), "publish": step(0.93, COMPLETED, retries=1),
    })  # fmt: skip


def planner():
    return Chain("planner", "plan", {
        "plan": step(0.9, "execute", retries=1),
        "execute": step(0.8, {"execute": 0.55, "verify": 0.45}, off="replan"),
        "replan": step(0.75, "execute", off={FAILED: 0.7, "plan": 0.3}),
        "verify": step(0.85, COMPLETED, off="replan"),
    })  # fmt: skip


def debate():
    return Chain("debate", "propose", {
        "propose": step(0.95, "attack"), "attack": step(0.65, "defend", off="judge"),
        "defend": step(0.7, {"attack": 0.6, "judge": 0.4}, off={"propose": 0.5, "judge": 0.5}),
        "judge": step(0.72, COMPLETED, off={"propose": 0.35, FAILED: 0.65}),
    })  # fmt: skip


def long_pipeline(length=30, success=0.985):
    steps = {f"s{at}": step(success, f"s{at + 1}" if at + 1 < length else COMPLETED) for at in range(length)}
    return Chain("long_pipeline", "s0", steps)


def pair_programming():
    return Chain("pairs", "write_tests", {
        "write_tests": step(0.9, "write_code", retries=1), "write_code": step(0.88, "run_tests"),
        "run_tests": step(0.45, "review", off={"write_code": 0.8, "write_tests": 0.1, FAILED: 0.1}),
        "review": step(0.75, COMPLETED, off="write_code"),
    })  # fmt: skip


def hand_offs():
    return Chain("hand_offs", "triage", {
        "triage": step(0.97, {"billing": 0.4, "support": 0.6}),
        "billing": step(0.8, {COMPLETED: 0.8, "support": 0.2}, off="support", retries=1),
        "support": step(0.7, {COMPLETED: 0.75, "billing": 0.25}, off={"person": 0.7, FAILED: 0.3}),
        "person": step(0.9, COMPLETED),
    })  # fmt: skip


WORKFLOWS = (
    chain_with_retries, review_loop, router, gated_with_fallback, planner, debate, long_pipeline, pair_programming, hand_offs,
)  # fmt: skip


def runs_of(chain, count, *, seed, memory=None):
    """Draw runs. `memory(step, visits so far, step before, it succeeded)` may change how likely an attempt succeeds,
    and where a visit that failed leads: it returns a pair, of which either may be None.

    Returns paths, as they are counted: each a list of (step, succeeded, attempts, target).
    """
    draw = random.Random(seed)
    runs = []
    for _ in range(count):
        at, path, seen, before = chain.initial, [], Counter(), (None, None)
        while at in chain.steps:
            one = chain.steps[at]
            success, target = (memory and memory(at, seen[at], *before)) or (None, None)
            success = one.success if success is None else success
            attempts = 1
            while not (succeeded := draw.random() < success) and attempts <= one.retries:
                attempts += 1
            ways = one.after_success if succeeded else one.after_failure
            on = draw.choices(list(ways), list(ways.values()))[0] if target is None or succeeded else target
            path.append((at, succeeded, attempts, on))
            seen[at] += 1
            before, at = (at, succeeded), on
        runs.append(path)
    return runs


def counts_from(chain, runs, *, cut_after=None):
    """Count runs as `counts_of` would, given that only the ways of the chain and those taken are possible."""
    names = tuple(chain.steps)
    order = {name: at for at, name in enumerate(names)}
    good, bad, taken, paths = Counter(), Counter(), Counter(), []
    for step_id, one in chain.steps.items():
        taken.update({(step_id, True, to): 0 for to in one.after_success})
        taken.update({(step_id, False, to): 0 for to in one.after_failure})
    for number, whole in enumerate(runs):
        cut = None if cut_after is None else cut_after[number]
        run = whole[:cut] if cut else whole
        for at, succeeded, attempts, _ in run:
            good[at] += succeeded
            bad[at] += attempts - succeeded
        over = len(run) == len(whole)
        taken.update((at, succeeded, to) for at, succeeded, _, to in (run if over else run[:-1]))
        end = run[-1][3] if over else None
        visits = tuple((order[at], succeeded) for at, succeeded, _, _ in run)
        paths.append(Path(visits, end, sum(attempts for _, _, attempts, _ in run), run=str(number)))
    return Counts(
        workflow=chain.workflow, initial=chain.initial, steps=names,
        success=np.array([good[name] for name in names]), failure=np.array([bad[name] for name in names]),
        retries=tuple(one.retries for one in chain.steps.values()),
        ways=tuple(Way(*key, size) for key, size in sorted(taken.items(), key=lambda one: (order[one[0][0]], not one[0][1]))),
        took=np.zeros((len(names), 2, 3)), took_error=np.zeros((len(names), 2, 3)),
        workers=(None,) * len(names), worker_types=(None,) * len(names), certain=(False,) * len(names), paths=paths,
    )  # fmt: skip
