"""Pictures of the outdoors: hills, plants and water."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from orchestration_kit.workers.website.art.canvas import Canvas


def hills(canvas: Canvas) -> None:
    """Lay rolling hills behind one another, with a sun and a few trees."""
    width, height, rng = canvas.width, canvas.height, canvas.rng
    canvas.circle(
        width * rng.uniform(0.25, 0.75), height * rng.uniform(0.24, 0.36),
        radius=min(width, height) * 0.13, paint=canvas.fill(3),
    )  # fmt: skip
    for layer, colour in enumerate((4, 1, 1, 2, 5)):
        base = height * (0.46 + layer * 0.12)
        _wave(canvas, base, height * 0.09, colour, opacity=0.72 if layer == 1 else 1)
        if layer in {1, 2}:
            for _ in range(5):
                x, tall = rng.uniform(0, width), height * rng.uniform(0.05, 0.09)
                foot = base + height * 0.05
                canvas.path(
                    "M", x - tall * 0.3, foot, "L", x, foot - tall * 1.5, "L", x + tall * 0.3, foot, "Z",
                    paint=canvas.fill(2),
                )  # fmt: skip


def waves(canvas: Canvas) -> None:
    """Layer long waves from light to deep."""
    for layer, colour in enumerate((4, 3, 1, 4, 1, 2, 5)):
        base = canvas.height * (0.24 + layer * 0.115)
        _wave(canvas, base, canvas.height * 0.055, colour)
    canvas.circle(
        canvas.width * canvas.rng.uniform(0.2, 0.8), canvas.height * 0.13,
        radius=min(canvas.width, canvas.height) * 0.07, paint=canvas.fill(2),
    )  # fmt: skip


def _wave(canvas: Canvas, base: float, swing: float, colour: int, *, opacity: float = 1) -> None:
    phase, length = canvas.rng.uniform(0, 6.3), canvas.rng.uniform(0.7, 1.6)
    parts: list[str | float] = ["M", 0, canvas.height]
    for step in range(25):
        x = canvas.width * step / 24
        swell = math.sin(phase + step / 24 * 6.3 * length) + 0.4 * math.sin(phase * 2 + step / 4)
        parts += ["L", x, base - swing * swell]
    see_through = f' opacity="{opacity:g}"' if opacity < 1 else ""
    canvas.path(*parts, "L", canvas.width, canvas.height, "Z", paint=canvas.fill(colour) + see_through)


def botanica(canvas: Canvas) -> None:
    """Grow stems with paired leaves from the lower edge."""
    width, height, rng = canvas.width, canvas.height, canvas.rng
    canvas.circle(width * rng.uniform(0.3, 0.7), height * 0.42, radius=min(width, height) * 0.34, paint=canvas.fill(4))
    count = 5 if width <= height * 1.2 else 8
    for index in range(count):
        x = width * (index + 0.5) / count + rng.uniform(-0.03, 0.03) * width
        tall, lean = height * rng.uniform(0.5, 0.86), rng.uniform(-0.06, 0.06) * width
        colour = rng.choice((1, 2, 2, 5))
        canvas.path(
            "M", x, height, "Q", x, height - tall / 2, x + lean, height - tall,
            paint=canvas.stroke(colour, 4),
        )  # fmt: skip
        pairs = rng.randint(4, 6)
        for pair in range(1, pairs + 1):
            share = pair / (pairs + 0.6)
            root_x, root_y = x + lean * share * share, height - tall * share
            leaf = height * 0.115 * (1.25 - share)
            for side in (-1, 1):
                tip_x, tip_y = root_x + side * leaf * 1.5, root_y - leaf * 0.9
                canvas.path(
                    "M", root_x, root_y, "Q", root_x + side * leaf * 0.3, tip_y, tip_x, tip_y,
                    "Q", root_x + side * leaf * 1.3, root_y, root_x, root_y, "Z",
                    paint=canvas.fill(colour),
                )  # fmt: skip
        canvas.circle(x + lean, height - tall, radius=height * rng.uniform(0.02, 0.045), paint=canvas.pick(3, 3, 1))
