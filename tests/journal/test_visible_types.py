"""Types that workers can see are known, those within their fields too."""

from __future__ import annotations

import dataclasses
import sys
import types

from orchestration_kit.journal import codec
from orchestration_kit.journal.codec.registry import known_types
from orchestration_kit.journal.visible_types import register_visible

SOURCE = """
from dataclasses import dataclass
from enum import Enum
from pydantic import BaseModel

class Colour(Enum):
    RED = "red"

@dataclass
class Part:
    colour: Colour

class Inner(BaseModel):
    parts: dict[str, list[Part]]

class Outer(BaseModel):
    inner: Inner | None = None
    again: "Outer | None" = None
"""


def test_types_nested_in_the_fields_of_a_visible_one_are_read_back(monkeypatch):
    module = types.ModuleType("shapes_of_somebody")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    exec(SOURCE, vars(module))
    inner = module.Inner(parts={"a": [module.Part(module.Colour.RED)]})
    plain = codec.encode(module.Outer(inner=inner), "output")

    def made():
        outer = module.Outer

        def work(given):
            return outer()

        return work

    register_visible([made()])
    assert codec.decode(plain).inner.parts["a"][0].colour is module.Colour.RED


def test_a_class_that_is_made_a_dataclass_later_is_read_back(monkeypatch):
    module = types.ModuleType("shapes_of_a_second_thought")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    exec("class Spot:\n    x: int\n\ndef work(given):\n    return Spot", vars(module))
    register_visible([module.work])
    made = dataclasses.dataclass(module.Spot)
    assert made is module.Spot
    register_visible([module.work])
    assert f"{module.__name__}.Spot" in known_types()
