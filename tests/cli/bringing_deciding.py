"""What brings about the errors of rules, lessons, reliability and goals."""

from __future__ import annotations

from orchestration_kit import ConstraintEngine, OrchestrationService, Orchestrator, Wisdom, telemetry
from orchestration_kit.reliability import reliability
from orchestration_kit.service.errors import NoChoice, NothingMeasured, PlannerFailed, UnknownRate, WatchdogTripped
from orchestration_kit.service.watchdog import Trip
from orchestration_kit.workers.tools import calculate
from tests.cli.bringing import brings, publish


@brings("PlanRefused")
def _plan():
    from orchestration_kit.governance.rules import CostRule

    engine = ConstraintEngine([CostRule(max_cost=0.10)])
    return engine.checked({"action_type": "send_email", "action_data": {}, "cost": 0.25})


@brings("NotCalculable")
def _calculable():
    return calculate("open('notes.txt')")


@brings("WisdomError")
def _wisdom():
    return _unknown()


@brings("WisdomUnavailable")
def _unavailable():
    wisdom = Wisdom(":memory:")
    wisdom.close()
    return wisdom.lessons()


@brings("InvalidLesson")
def _lesson():
    with_closing = Wisdom("lessons.db")
    try:
        return with_closing.add("Ask for the size first", layer="sales")
    finally:
        with_closing.close()


@brings("UnknownLesson")
def _unknown():
    wisdom = Wisdom("lessons.db")
    try:
        return wisdom.get(7)
    finally:
        wisdom.close()


@brings("LessonState")
def _state():
    wisdom = Wisdom("lessons.db")
    try:
        lesson = wisdom.add("Ask for the size first")
        wisdom.approve(lesson.id, by="Ann")
        return wisdom.reject(lesson.id, by="Ann")
    finally:
        wisdom.close()


@brings("LessonsFileError")
def _lessons_file():
    from pathlib import Path

    Path("lessons.jsonl").write_text("Ask for the size first\n")
    wisdom = Wisdom("lessons.db")
    try:
        return wisdom.load("lessons.jsonl")
    finally:
        wisdom.close()


@brings("InvalidTelemetry")
def _telemetry():
    return telemetry.stream(Orchestrator())


@brings("ChainError")
def _chain():
    return reliability(publish(), rates={"writer": 0.9, "reviewer": 1.2})


@brings("ServiceError")
def _service():
    return _serve()


@brings("CannotServe")
def _serve():
    return OrchestrationService.create(goal="Translate the handbook", target_success=0.9)


@brings("WatchdogTripped")
def _tripped():
    return WatchdogTripped(Trip("success", 0.55, 0.86, 0.97, 20, "publish/20"))


@brings("UnknownRate")
def _rate():
    return UnknownRate("codr", "is said of nobody. Did you mean 'coder'?", ["coder", "reviewer"])


@brings("NothingMeasured")
def _measured():
    return NothingMeasured("P(success)", ["coder", "reviewer"])


@brings("PlannerFailed")
def _planner():
    return PlannerFailed("Translate the handbook", 3, "Invalid workflow: step 'check' is never reached.")


@brings("NoChoice")
def _choice():
    return NoChoice("build_website", (0.99, 0.05), (0.973, 0.21), 0.04, None, 0.81)
