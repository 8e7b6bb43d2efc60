"""Types that workers can see are known, those within their fields too."""

from __future__ import annotations

import sys
import types

from orchestration_kit.journal import codec
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
