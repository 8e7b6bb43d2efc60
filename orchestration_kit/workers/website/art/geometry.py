"""Abstract pictures: tiles, arches, rays and orbits."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from orchestration_kit.workers.website.art.canvas import Canvas


def tiles(canvas: Canvas) -> None:
    """Cover the picture with quarter circles, leaves, discs and triangles on a grid."""
    across = 4 if canvas.width <= canvas.height * 1.2 else 6
    side = canvas.width / across
    for row in range(math.ceil(canvas.height / side)):
        for column in range(across):
            _tile(canvas, column * side, row * side, side)


def _tile(canvas: Canvas, x: float, y: float, side: float) -> None:
    ground, shape = canvas.rng.sample((0, 1, 2, 3, 4), 2)
    paint = canvas.fill(shape)
    canvas.rect(x, y, size=(side + 0.5, side + 0.5), paint=canvas.fill(ground))
    far_x, far_y = x + side, y + side
    match canvas.rng.randrange(7):
        case 0:
            canvas.path("M", x, y, "H", far_x, "A", side, side, "0 0 1", x, far_y, "Z", paint=paint)
        case 1:
            canvas.path("M", far_x, far_y, "H", x, "A", side, side, "0 0 1", far_x, y, "Z", paint=paint)
        case 2:
            canvas.path(
                "M", x, y, "A", side, side, "0 0 1", far_x, far_y, "A", side, side, "0 0 1", x, y, "Z",
                paint=paint,
            )  # fmt: skip
        case 3:
            canvas.circle(x + side / 2, y + side / 2, radius=side * 0.34, paint=paint)
        case 4:
            canvas.path("M", x, far_y, "L", far_x, y, "V", far_y, "Z", paint=paint)
        case 5:
            half = side / 2
            canvas.path("M", x, y + half, "A", half, half, "0 0 1", far_x, y + half, "Z", paint=paint)
            canvas.path("M", x, far_y, "A", half, half, "0 0 1", far_x, far_y, "Z", paint=paint)
        case _:
            for stripe in range(3):
                canvas.rect(x, y + stripe * side / 3, size=(side, side / 6), paint=paint)


def arches(canvas: Canvas) -> None:
    """Set nested arches on a ground line, under a sun."""
    width, height, rng = canvas.width, canvas.height, canvas.rng
    canvas.circle(
        width * rng.uniform(0.2, 0.8), height * rng.uniform(0.18, 0.28),
        radius=min(width, height) * 0.1, paint=canvas.fill(3),
    )  # fmt: skip
    count = 2 if width <= height * 1.2 else 3
    ground = height * 0.86
    for index in range(count):
        radius = min(width / count * rng.uniform(0.5, 0.64), height * 0.5)
        middle = width * (index + 0.5) / count + rng.uniform(-0.04, 0.04) * width
        rise = radius + height * rng.uniform(0.0, 0.16)
        for band, colour in enumerate(rng.sample((1, 2, 3, 4), 4)):
            inner = radius * (1 - band * 0.23)
            canvas.path(
                "M", middle - inner, ground, "V", ground - rise + radius, "A", inner, inner, "0 0 1",
                middle + inner, ground - rise + radius, "V", ground, "Z", paint=canvas.fill(colour),
            )  # fmt: skip
    canvas.rect(0, ground, size=(width, height - ground), paint=canvas.fill(2))


def rays(canvas: Canvas) -> None:
    """Spread rays from a point near the ground and set discs before them, like a poster."""
    width, height, rng = canvas.width, canvas.height, canvas.rng
    middle, base = width * rng.uniform(0.35, 0.65), height * rng.uniform(0.62, 0.8)
    reach, count = width + height, rng.choice((10, 12, 14))
    turn = rng.uniform(0, math.pi)
    for index in range(count):
        start = turn + index * 2 * math.pi / count
        end = start + math.pi / count
        canvas.path(
            "M", middle, base, "L", middle + reach * math.cos(start), base + reach * math.sin(start),
            "L", middle + reach * math.cos(end), base + reach * math.sin(end), "Z",
            paint=canvas.fill(1 if index % 2 else 4),
        )  # fmt: skip
    radius = min(width, height) * 0.32
    for share, colour in ((1, 2), (0.74, 3), (0.46, 0), (0.22, 2)):
        canvas.circle(middle, base, radius=radius * share, paint=canvas.fill(colour))
    for _ in range(14):
        canvas.circle(
            rng.uniform(0, width),
            rng.uniform(0, height * 0.5),
            radius=rng.uniform(4, 15),
            paint=canvas.pick(0, 2, 3),
        )


def orbits(canvas: Canvas) -> None:
    """Let small bodies circle a large one."""
    width, height, rng = canvas.width, canvas.height, canvas.rng
    canvas.rect(0, 0, size=(width, height), paint=canvas.fill(2))
    x, y = width * rng.uniform(0.4, 0.6), height * rng.uniform(0.44, 0.56)
    unit = min(width, height) / 11
    for ring in range(2, 8):
        radius = unit * (ring * 0.95 + 0.6)
        canvas.circle(x, y, radius=radius, paint=canvas.stroke(1 if ring % 2 else 4, 1.6))
        angle = rng.uniform(0, 2 * math.pi)
        canvas.circle(
            x + radius * math.cos(angle), y + radius * math.sin(angle),
            radius=unit * rng.uniform(0.16, 0.52), paint=canvas.pick(0, 1, 3, 4),
        )  # fmt: skip
    canvas.circle(x, y, radius=unit * 1.7, paint=canvas.fill(3))
    canvas.path(
        "M", x, y - unit * 1.7, "A", unit * 1.7, unit * 1.7, "0 0 1", x, y + unit * 1.7, "Z",
        paint=canvas.fill(1),
    )  # fmt: skip
