"""Why a goal cannot be served, or a pipeline begins nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestration_kit.errors import OrchestrationError, counted, listed

if TYPE_CHECKING:
    from orchestration_kit.service.watchdog import Trip


class ServiceError(OrchestrationError):
    """A goal, a plan or a pipeline cannot be served."""


class CannotServe(ServiceError, LookupError):
    """Nobody here can do what a goal asks for, or it does not say what that is."""

    def __init__(  # noqa: PLR0913, PLR0917 - what is missing, and what there is
        self,
        goal: str,
        missing: dict[str, str],
        nearest: list[str],
        known: list[str],
        examples: list[str],
        others: list[str],
        hint: str = "",
    ) -> None:
        super().__init__(goal, missing, nearest, known, examples, others, hint)  # args alone rebuild it after pickling
        self.goal = goal
        self.missing = missing
        """What nobody here can do, and whom to register for it."""
        self.nearest = nearest
        """Names of the entries of the catalogue that come nearest, the best first."""
        self.known = known
        """The workers who are there."""
        self.examples = examples
        """Goals that can be served with them."""
        self.others = others
        """Goals that can be served with others."""
        self.hint = hint

    def __str__(self) -> str:
        goal = f"{self.goal!r:.120}"
        if self.missing:
            lines = [f"Nobody here can serve the goal {goal}. What is missing:"]
            lines += [f"  {what}: {how}" for what, how in self.missing.items()]
            if self.nearest:
                lines.append(f"What comes nearest in the catalogue: {listed(self.nearest, 3)}.")
        else:
            lines = [
                f"What is to be done is not clear from the goal {goal}: no word in it is one of a task known here."
            ]
        if self.hint:
            lines.append(self.hint)
        lines.append(f"Workers here: {listed(self.known)}.")
        if self.examples:
            lines.append(f"With them, goals like these can be served: {'; '.join(self.examples[:4])}.")
        elif self.others:
            lines.append(f"With the right workers, goals like these can be served: {'; '.join(self.others[:4])}.")
        lines.append("Or give a planner that drafts the workflow (planner=).")
        return "\n".join(lines)


class WatchdogTripped(ServiceError, RuntimeError):
    """Runs of a pipeline are not as expected, so that no new one is begun."""

    def __init__(self, trip: Trip) -> None:
        super().__init__(trip)  # args alone rebuild it after pickling
        self.trip = trip

    def __str__(self) -> str:
        return (
            f"The watchdog has tripped: {self.trip}. No new run is begun. Look at the last ones "
            '(pipeline.watchdog.frame()), and when it is seen to: pipeline.watchdog.reset("what was done").'
        )


class UnknownRate(ServiceError, ValueError):
    """What is said of a worker's success, time or cost makes no sense, or is said of nobody."""

    def __init__(self, key: str, reason: str, known: list[str]) -> None:
        super().__init__(key, reason, known)
        self.key, self.reason, self.known = key, reason, known

    def __str__(self) -> str:
        return f"rates[{self.key!r}] {self.reason} There is: {listed(self.known, 20)}."


class NothingMeasured(ServiceError, LookupError):
    """How likely a workflow succeeds cannot be told, as nobody knows how its workers do."""

    def __init__(self, wanted: str, unknown: list[str], reason: str = "") -> None:
        super().__init__(wanted, unknown, reason)
        self.wanted, self.unknown, self.reason = wanted, unknown, reason

    def __str__(self) -> str:
        what = f"nothing is on record of: {listed(self.unknown)}" if self.unknown else self.reason
        return (
            f"{self.wanted} cannot be told: {what}. Run the pipeline some times with a journal, as what is on record "
            'counts; or say what you know: rates={"coder": {"success": 0.9, "cost_usd": 0.02}}.'
        )


class PlannerFailed(ServiceError, RuntimeError):
    """A planner came up with no sound workflow."""

    def __init__(self, goal: str, attempts: int, last: str) -> None:
        super().__init__(goal, attempts, last)
        self.goal, self.attempts, self.last = goal, attempts, last

    def __str__(self) -> str:
        return (
            f"No sound workflow was drafted for {self.goal!r:.120} in {counted(self.attempts, 'attempt')}; what was "
            f"wrong with the last one: {self.last:.2000}\nLet it try more often (plan_attempts=), ask another planner, "
            "or do without: the templates need none."
        )


class NoChoice(ServiceError, ValueError):
    """No choice of workers and retries reaches the target within the budget."""

    def __init__(  # noqa: PLR0913, PLR0917 - what was wanted, and what could be had
        self,
        workflow: str,
        wanted: tuple[float | None, float | None],
        best: tuple[float, float],
        cheapest_usd: float,
        target_usd: float | None = None,
        budget_success: float | None = None,
        is_proven: bool = True,  # noqa: FBT001, FBT002 - args alone rebuild it after pickling
    ) -> None:
        super().__init__(workflow, wanted, best, cheapest_usd, target_usd, budget_success, is_proven)
        self.workflow = workflow
        self.target_success, self.budget_usd = wanted
        self.best_success, self.best_success_usd = best
        """The highest P(success) there is, and the least that it costs."""
        self.cheapest_usd = cheapest_usd
        """What the cheapest choice costs, however seldom it succeeds."""
        self.target_usd = target_usd
        """What the target costs at least; None if it cannot be reached."""
        self.budget_success = budget_success
        """The highest P(success) within the budget; None if nothing is within it."""
        self.is_proven = is_proven
        """False where the search stopped before that was known for certain."""

    def __str__(self) -> str:
        target, budget = self.target_success, self.budget_usd
        wanted = [f"succeeds with a probability of {target:.6g} or more"] if target is not None else []
        wanted += [f"costs {budget:.4g} USD a run or less"] if budget is not None else []
        text = f"No choice of workers and retries for {self.workflow!r} {' and '.join(wanted) or 'ever succeeds'}"
        text += "." if self.is_proven else ", as far as the search went: it stopped at max_nodes, so there may be one."
        text += (
            f" The highest P(success) there is, {self.best_success:.6g}, costs {self.best_success_usd:.4g} USD a run."
        )
        if target is not None and budget is not None and self.target_usd is not None:
            text += f" {target:.6g} costs {self.target_usd:.4g} USD at least."
        if budget is not None and self.budget_success is None:
            text += f" The cheapest choice costs {self.cheapest_usd:.4g} USD."
        elif budget is not None:
            text += f" Within {budget:.4g} USD, P(success) is {self.budget_success:.6g} at best."
        return f"{text} Ask for less, allow more (budget_usd, max_retries), or add a worker that does better."
