"""The drawing surface: shapes in, SVG markup out. Only numbers and checked colours get into it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random


@dataclass(frozen=True, slots=True)
class Canvas:
    """A picture in the making."""

    width: int
    height: int
    colours: Sequence[str]
    """Backdrop, main, deep, accent, pale, ink; each `#rrggbb`."""
    rng: Random
    shapes: list[str] = field(default_factory=list[str])

    def fill(self, number: int) -> str:
        """Return the attribute that fills a shape with colour `number`."""
        return f'fill="{self.colours[number]}"'

    def pick(self, *numbers: int) -> str:
        """Return the fill of one of the colours, drawn."""
        return self.fill(self.rng.choice(numbers or (1, 2, 3, 4)))

    def rect(self, x: float, y: float, *, size: tuple[float, float], paint: str, round_: float = 0) -> None:
        """Add a rectangle with its upper left corner at (x, y)."""
        corner = f' rx="{number(round_)}"' if round_ else ""
        self.shapes.append(
            f'<rect x="{number(x)}" y="{number(y)}" width="{number(size[0])}" '
            f'height="{number(size[1])}"{corner} {paint}/>'
        )

    def circle(self, x: float, y: float, *, radius: float, paint: str) -> None:
        """Add a circle around (x, y)."""
        self.shapes.append(f'<circle cx="{number(x)}" cy="{number(y)}" r="{number(radius)}" {paint}/>')

    def path(self, *parts: str | float, paint: str) -> None:
        """Add a path; letters and numbers are joined as they come."""
        drawn = " ".join(part if isinstance(part, str) else number(part) for part in parts)
        self.shapes.append(f'<path d="{drawn}" {paint}/>')

    def stroke(self, colour: int, width: float) -> str:
        """Return the attributes of a line in colour `colour`."""
        return f'fill="none" stroke="{self.colours[colour]}" stroke-width="{number(width)}" stroke-linecap="round"'


def number(value: float) -> str:
    """Return a coordinate with at most one decimal, the same on every machine."""
    return f"{round(value, 1):g}"
