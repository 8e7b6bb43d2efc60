"""Routing, run: the specialist that the router names, or the fallback."""

from __future__ import annotations

import pytest

from orchestration_kit.templates import create_routing
from orchestration_kit.testing import ScriptedWorker
from tests.templates.conftest import way

ROUTES = {"billing": "accountant", 'say "hi"': "greeter"}


def workers(decision):
    return {
        "router": lambda goal: decision,
        "accountant": lambda given: f"paid {given['route']}",
        "greeter": lambda given: "hi",
        "person": lambda given: "asked",
    }


@pytest.mark.parametrize(("route", "answer"), [("billing", "paid billing"), ('say "hi"', "hi")])
def test_the_specialist_that_is_named_works(perform, route, answer):
    result = perform(create_routing("router", ROUTES), workers({"route": route}))
    assert (result.state, way(result)) == ("completed", ["route", route, "done"])
    assert result.data["done_output"] == answer


@pytest.mark.parametrize(
    ("decision", "to"),
    [
        ({"route": "billing", "confidence": 0.8}, "billing"),
        ({"route": "billing", "confidence": 1}, "billing"),
        ({"route": "billing", "confidence": 0.79}, "fallback"),
        ({"route": "nowhere", "confidence": 1.0}, "fallback"),
    ],
)
def test_little_confidence_or_an_unknown_route_goes_to_the_fallback(perform, decision, to):
    result = perform(create_routing("router", ROUTES, 0.8, fallback="person"), workers(decision))
    assert (result.state, way(result)) == ("completed", ["route", to, "done"])


def test_without_a_fallback_no_route_fails_the_run(perform):
    result = perform(create_routing("router", ROUTES), workers({"route": "nowhere"}))
    assert (result.state, way(result)) == ("failed", ["route", "no_route"])


@pytest.mark.parametrize("decision", ["billing", {}, {"route": "billing"}, None])
def test_a_decision_that_cannot_be_read_fails_and_is_not_taken_for_low_confidence(perform, decision):
    result = perform(create_routing("router", ROUTES, 0.5, fallback="person"), workers(decision))
    assert (result.state, way(result)) == ("failed", ["route", "failed"])
    assert "error" in result.data["failed_output"]


def test_a_failing_specialist_fails_the_run(perform):
    team = workers({"route": "billing"}) | {"accountant": ScriptedWorker(OSError("no book"))}
    assert way(perform(create_routing("router", ROUTES, fallback="person"), team)) == ["route", "billing", "failed"]
