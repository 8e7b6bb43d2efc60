"""Runs with branches, driven by hand in any order: what drivers do, without workers, threads, loops or clocks.

A `Driver` takes what is ready and ends what is under way as a random source says, and keeps a log as a driver does.
"""

from __future__ import annotations

from random import Random
from typing import Any

from orchestration_kit import RunLimits, WorkerDefinition, WorkflowDefinition
from orchestration_kit.definition.kinds import ApprovalStep, MapStep, ParallelStep, WaitStep
from orchestration_kit.engine.branching import _ABSENT, _join_failed, _merged, _output
from orchestration_kit.engine.calls import bind_worker
from orchestration_kit.engine.data import Changes
from orchestration_kit.engine.events import (
    Answered,
    BranchesOpened,
    ErrorInfo,
    EventReceived,
    RunResumed,
    RunStarted,
    WaitStarted,
)
from orchestration_kit.engine.machine import Machine
from orchestration_kit.engine.plan import Plan, bind, compile_plan
from orchestration_kit.engine.values import isolate
from orchestration_kit.engine.visits import Visit
from tests.support import step, workflow_of

FAILURES = ("fail_fast", "continue", "all_or_nothing")
MAX_DEPTH = 3


class Facts:
    goal, data, visit, attempt = "g", {}, 1, 1


def never(input_data: Any) -> Any:
    raise AssertionError("a worker was called")


def plan_of(workflow: WorkflowDefinition) -> Plan:
    """A plan with a worker at each step that may have one."""
    workers = {}

    def find(planned: Any) -> Any:
        kind = planned.worker_type
        if kind not in workers:
            workers[kind] = bind_worker(WorkerDefinition(worker_type=kind, name=f"W{kind}", executor=never))
        return workers[kind]

    return bind(compile_plan(workflow), find, [])


def workflow(  # noqa: C901 - one kind of step after the other
    draw: Random, name: str = "flow", depth: int = 0, waits: bool = True
) -> WorkflowDefinition:
    """A random workflow: a chain of steps of all kinds, that opens workflows like itself, and its own steps."""
    kinds = ["work", "work", "work", *(["wait", "approve", "time"] if waits else ())]
    if depth < MAX_DEPTH:
        kinds += ["map", "map", "parallel", "parallel"] if depth else ["map", "parallel"] * 3
    chosen = [draw.choice(kinds) for _ in range(draw.randint(1, 3))]
    ids = [f"{'abcdef'[at]}{depth}" for at in range(len(chosen))]
    steps: list[Any] = []
    extra: list[Any] = [step(f"undo{depth}"), step(f"rescue{depth}")]

    def body(label: str) -> Any:
        if draw.random() < 0.6:
            return workflow(draw, f"{label}_w", depth + 1, waits)
        first, second = step(f"{label}x", f"{label}y", max_retries=draw.randint(0, 1)), step(f"{label}y")
        extra.extend([first.model_copy(update={"compensate": f"undo{depth}"}), second])
        return f"{label}x"

    for at, (kind, step_id) in enumerate(zip(chosen, ids, strict=True)):
        to = ids[at + 1] if at + 1 < len(ids) else None
        common: dict[str, Any] = {"step_id": step_id, "on_success": to, "is_terminal": to is None}
        if draw.random() < 0.3:
            common["on_failure"] = f"rescue{depth}"
        if draw.random() < 0.3 and kind == "work":
            common["compensate"] = f"undo{depth}"
        split = {
            "join": draw.choice(["all", "all", "any", 2]),
            "failure": draw.choice(FAILURES),
            "max_concurrency": draw.choice([1, 2, 10]),
            "reducer": "list",
        }
        if kind == "work":
            steps.append(
                step(
                    step_id,
                    to,
                    max_retries=draw.randint(0, 2),
                    **{k: v for k, v in common.items() if k in ("on_failure", "compensate")},
                )
            )
        elif kind == "map":
            steps.append(MapStep(body=body(step_id), **common, **split))
        elif kind == "parallel":
            names = [f"b{n}" for n in range(draw.randint(2, 3))]
            steps.append(ParallelStep(branches={name: body(f"{step_id}{name}") for name in names}, **common, **split))
        elif kind == "approve":
            steps.append(ApprovalStep(prompt="Well?", timeout_s=9, **common))
        elif kind == "wait":
            steps.append(WaitStep(event="news", timeout_s=9, **common))
        else:
            steps.append(WaitStep(for_s=1, **common))
    named = {target for one in (*steps, *extra) for target in (one.compensate, one.on_failure)}
    return workflow_of(*steps, *(one for one in extra if one.step_id in named or one.step_id[0] not in "ur"), name=name)


def value(draw: Random, depth: int = 0) -> Any:
    """A random value, large ones among them."""
    kinds = ["int", "text", "none"] + (["list", "dict", "large"] if depth < 2 else [])
    kind = draw.choice(kinds)
    if kind == "int":
        return draw.randint(0, 9)
    if kind == "text":
        return draw.choice(["", "a", "zwölf", "$dict"])
    if kind == "list":
        return [value(draw, depth + 1) for _ in range(draw.randint(0, 3))]
    if kind == "dict":
        return {draw.choice("abc"): value(draw, depth + 1) for _ in range(draw.randint(0, 3))}
    return f"{draw.randint(0, 3)}" * 20_000 if kind == "large" else None


class Driver:
    """Drives a machine by hand, and its log."""

    generations = 3
    """Items may be added by items that were added, so often."""

    def __init__(self, draw: Random, plan: Plan, log: Any = None, *, spawns: bool = True, fails: float = 0.15) -> None:
        self.draw = draw
        self.fails = fails
        self.spawns = spawns
        self.at = 1_000.0
        started = RunStarted(
            "r", plan.workflow, plan.fingerprint, "the goal", {"notes": ["n"] * 9, "n": 1}, "seed", 1_000.0,
            input=draw.choice([None, ([1, 2],)]), depth=draw.choice([0, 1]),
        )  # fmt: skip
        self.machine = Machine(plan, RunLimits(), started)
        self.log = log(self.machine) if log is not None else None
        self.under_way: list[Visit] = []
        self.added = 0

    def drive(self, actions: int) -> None:
        """Do so many things, or fewer where nothing is left to do."""
        if self.log is not None:
            self.log.claim()
        for _ in range(actions):
            if not self.act():
                break
            if self.log is not None and self.draw.random() < 0.6:
                self.log.sync()

    def finish(self) -> None:
        """Settle what is under way, and let go of the run."""
        while self.under_way and self.machine.finished is None:
            self.settle_one()
        if self.log is not None:
            self.log.release()

    def act(self) -> bool:
        machine, draw = self.machine, self.draw
        self.at += 1.0
        if machine.finished is not None:
            if machine.may_resume and draw.random() < 0.5:
                self.under_way.clear()
                if self.log is not None:
                    self.log.sync()
                    self.log.claim()
                machine.reopen(RunResumed("r", self.at))
                return True
            return False
        choices = []
        choices += ["take"] * 3 if machine.ready else []
        choices += ["settle"] * 3 if self.under_way else []
        choices += ["answer"] if machine.waiting else []
        if not choices:
            return False
        if draw.random() < 0.03:
            choices = ["news"]
        getattr(self, draw.choice(choices))()
        return True

    def news(self) -> None:
        self.machine.receive(EventReceived("news", value(self.draw), self.at))

    def answer(self) -> None:
        self.answer_at(self.draw.choice(sorted(self.machine.waiting)))

    def answer_at(self, path: str) -> None:
        wait = self.machine.waiting[path].wait
        assert wait is not None
        kinds = {
            "approval": ["approved", "approved", "rejected", "timeout"],
            "event": ["event", "timeout"],
            "time": ["time"],
        }
        kind = self.draw.choice(kinds[wait.kind])
        given = value(self.draw) if kind in ("approved", "event") else None
        self.machine.answer(Answered(path, kind, given, "no" if kind == "rejected" else None, wait.request, self.at))

    def take(self) -> None:
        visit = self.machine.next()
        if visit is None:
            return
        visit.started_at = self.at
        if visit.step.is_special and visit.group is None and visit.answer is None:
            self.begin(visit)
        else:
            self.under_way.append(visit)

    def begin(self, visit: Visit) -> None:
        """Open the branches of a visit, or let it wait."""
        opens, path, draw = visit.step.opens, visit.path, self.draw
        if visit.scope.group is not None and self.machine.is_unwanted(visit.scope):
            self.cancel(visit)
            return
        if opens is None:
            kind = {"approval": "approval", "wait": "event" if visit.step.event else "time"}[visit.step.worker_type]
            self.machine.wait(
                visit, WaitStarted(path, kind, "h", {"input": isolate(visit.input)}, self.at, self.at + 9)
            )
            inbox = self.machine.inbox.get("news")
            if kind == "event" and inbox:
                self.machine.answer(Answered(path, "kept", inbox[0], None, "h", self.at))
        elif opens.over is None:
            keys = tuple(key for key in opens.targets if draw.random() < 0.9)
            self.machine.open(visit, BranchesOpened(path, keys, None, (), self.at))
        else:
            items = [value(draw) for _ in range(draw.randint(0, 4))]
            if self.log is not None:
                self.log.stage("items", items)
            self.machine.open(visit, BranchesOpened(path, None, items, (), self.at))

    def settle(self) -> None:
        if self.machine.doomed and self.draw.random() < 0.7:
            doomed = self.machine.doomed.pop()
            if doomed in self.under_way:
                self.cancel(doomed)
                return
        self.settle_one()

    def cancel(self, visit: Visit) -> None:
        """Put on record that an attempt was stopped whose branch nobody waits for."""
        if visit in self.under_way:
            self.under_way.remove(visit)
        visit.changes = None
        self.machine.settle(visit, None, ErrorInfo("BranchCancelled", "cancelled"), None)

    def settle_unwanted(self) -> None:
        """Put on record that attempts were stopped, all of them; the others stay under way."""
        for visit in list(self.under_way):
            if visit in self.machine.taken and visit.scope.group is not None and self.machine.is_unwanted(visit.scope):
                self.cancel(visit)

    def settle_one(self) -> None:
        visit = self.under_way.pop(self.draw.randrange(len(self.under_way)))
        if visit in self.machine.taken:  # else nobody waits for it any more
            self.settle_visit(visit)

    def settle_visit(self, visit: Visit) -> None:
        """Do what comes of an attempt."""
        visit.duration_s = float(self.draw.randint(0, 3))
        visit.facts = Facts()
        if visit.group is not None:
            self.join(visit)
        elif visit.answer is not None:
            self.conclude_wait(visit, visit.answer)
        elif self.draw.random() < self.fails:
            self.fail(visit, "OSError", "disk full")
        else:
            self.succeed(visit)

    def succeed(self, visit: Visit) -> None:
        """What a worker might do."""
        draw, data = self.draw, visit.scope.data
        output: Any = value(draw)
        if draw.random() < 0.5:
            updated: dict[str, Any] = {}
            if draw.random() < 0.7:
                updated["notes"] = [*isolate(data.get("notes", [])), visit.path]
            if draw.random() < 0.5:
                updated[f"k{draw.randint(0, 3)}"] = value(draw)
            removed = tuple(key for key in ("n", "k0") if key in data and key not in updated and draw.random() < 0.3)
            visit.changes = Changes(updated, removed) if updated or removed else None
        is_in_map = visit.scope.prefix and not self.is_undoing(visit) and visit.path.count(".") < self.generations
        if is_in_map and self.added < 8 and draw.random() < 0.3:
            items = [value(draw) for _ in range(draw.randint(1, 2))]
            self.added += len(items)
            visit.detail = {**(visit.detail or {}), "added": items}
        depth = visit.scope.prefix.count("[spawn]")
        if self.spawns and not visit.step.definition.is_terminal and depth < 1 and draw.random() < 0.15:
            visit.detail = {**(visit.detail or {}), "spawn": {"workflow": self.made().to_dict(), "input": value(draw)}}
            output = {"spawned": "made"}
        self.stage(visit, output)
        self.machine.settle(visit, output)

    def made(self) -> WorkflowDefinition:
        return workflow(self.draw, "made", MAX_DEPTH - 1, waits=False)

    def is_undoing(self, visit: Visit) -> bool:
        return "[undo]" in visit.scope.prefix

    def stage(self, visit: Visit, output: Any) -> None:
        if self.log is not None and self.draw.random() < 0.8:
            self.log.stage("output", output)
            if visit.changes is not None:
                self.log.stage_changes(visit.changes, self.draw.choice([visit.scope.prefix, ""]))
            if visit.detail is not None:
                self.log.stage("detail", visit.detail)

    def fail(self, visit: Visit, kind: str, message: str) -> None:
        visit.changes = None
        if visit.detail is not None:
            visit.detail = {k: v for k, v in visit.detail.items() if k not in ("spawn", "added")} or None
        output: dict[str, Any] = {"error": message}
        if self.draw.random() < 0.2:
            output["output"] = value(self.draw)
        self.machine.settle(visit, output, ErrorInfo(kind, message), (kind,))

    def join(self, visit: Visit) -> None:
        group = visit.group
        assert group is not None
        visit.given, visit.changes = visit.input, None
        visit.detail = {"branches": group.statuses()}
        if not group.verdict:
            self.fail(visit, "JoinFailed", str(_join_failed(group)))
            return
        try:
            merged = _merged(group)
        except Exception as error:
            self.fail(visit, "MergeConflict", str(error))
            return
        updated = {k: isolate(v) for k, v in merged.items() if v is not _ABSENT}
        removed = tuple(sorted(k for k, v in merged.items() if v is _ABSENT and k in visit.scope.data))
        visit.changes = Changes(updated, removed) if updated or removed else None
        output = isolate(_output(group))
        self.stage(visit, output)
        self.machine.settle(visit, output)

    def conclude_wait(self, visit: Visit, answer: Answered) -> None:
        visit.detail = {"answer": answer.kind, "request": answer.request}
        if answer.kind == "rejected":
            self.fail(visit, "ApprovalRejected", "no")
        elif answer.kind == "timeout":
            self.fail(visit, "WaitTimeout", "too late")
        else:
            self.machine.settle(visit, visit.input if answer.kind == "time" else answer.value)
