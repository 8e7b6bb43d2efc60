"""Pictures of things: a laid table, vessels on a shelf, books, a dashboard."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from orchestration_kit.workers.website.art.canvas import Canvas


def table(canvas: Canvas) -> None:
    """Look down on a table: plates, bowls and cups."""
    width, height, rng = canvas.width, canvas.height, canvas.rng
    canvas.rect(0, 0, size=(width, height), paint=canvas.fill(rng.choice((1, 2, 4))))
    unit = min(width, height)
    placed: list[tuple[float, float, float]] = []
    for radius in (0.27, 0.2, 0.17, 0.14, 0.12, 0.1, 0.1, 0.08, 0.08, 0.06, 0.06):
        size = unit * radius
        for _ in range(60):
            x, y = rng.uniform(0, width), rng.uniform(0, height)
            if all(math.dist((x, y), (a, b)) > size + other + unit * 0.03 for a, b, other in placed):
                placed.append((x, y, size))
                _plate(canvas, x, y, size)
                break


def _plate(canvas: Canvas, x: float, y: float, radius: float) -> None:
    rng = canvas.rng
    canvas.circle(x + radius * 0.06, y + radius * 0.09, radius=radius, paint=canvas.fill(5) + ' opacity="0.22"')
    canvas.circle(x, y, radius=radius, paint=canvas.fill(0))
    canvas.circle(x, y, radius=radius * 0.74, paint=canvas.pick(0, 3, 4))
    match rng.randrange(4):
        case 0:
            canvas.circle(x, y, radius=radius * 0.56, paint=canvas.pick(1, 2, 3))
            for leaf in range(5):
                angle = leaf * 1.26 + rng.uniform(0, 1)
                canvas.circle(
                    x + radius * 0.3 * math.cos(angle), y + radius * 0.3 * math.sin(angle),
                    radius=radius * 0.12, paint=canvas.pick(0, 2, 4),
                )  # fmt: skip
        case 1:
            turn = rng.uniform(0, 6.3)
            for slice_ in range(6):
                start = turn + slice_ * math.pi / 3
                canvas.path(
                    "M", x, y, "L", x + radius * 0.6 * math.cos(start), y + radius * 0.6 * math.sin(start),
                    "A", radius * 0.6, radius * 0.6, "0 0 1",
                    x + radius * 0.6 * math.cos(start + 0.85), y + radius * 0.6 * math.sin(start + 0.85), "Z",
                    paint=canvas.pick(1, 3),
                )  # fmt: skip
        case 2:
            canvas.circle(x, y, radius=radius * 0.6, paint=canvas.fill(2))
            canvas.circle(x - radius * 0.12, y - radius * 0.12, radius=radius * 0.3, paint=canvas.fill(1))
        case _:
            for line in range(-2, 3):
                canvas.path(
                    "M", x - radius * 0.45, y + line * radius * 0.18, "q", radius * 0.22, -radius * 0.2,
                    radius * 0.45, 0, "t", radius * 0.45, 0, paint=canvas.stroke(1, radius * 0.09),
                )  # fmt: skip


def shelf(canvas: Canvas) -> None:
    """Stand vases, bowls and bottles on shelves."""
    width, height, rng = canvas.width, canvas.height, canvas.rng
    close = width == height  # the picture of one product
    rows = 2 if height >= width * 0.7 and not close else 1
    if close:
        canvas.rect(0, 0, size=(width, height), paint=canvas.pick(0, 0, 4, 3))
    for row in range(rows):
        board = height * (row + 0.86) / rows
        count = rng.choice((1, 2, 3)) if close else max(3, round(width / (height / rows) * 2.4))
        for index in range(count):
            middle = width * (index + 0.5) / count
            half = width / max(count, 2) * rng.uniform(0.26, 0.42)
            _vessel(canvas, middle, board, (half, height / rows * rng.uniform(0.3, 0.64)))
        canvas.rect(0, board, size=(width, height * 0.022), paint=canvas.fill(5))


def _vessel(canvas: Canvas, x: float, foot: float, size: tuple[float, float]) -> None:
    half, tall = size
    neck, belly = half * canvas.rng.uniform(0.3, 0.8), foot - tall * canvas.rng.uniform(0.25, 0.55)
    base, top = half * 0.55, foot - tall
    paint = canvas.pick(1, 2, 3, 4)
    canvas.path(
        "M", x - base, foot, "C", x - half * 1.3, belly, x - half * 1.1, top + tall * 0.3, x - neck, top,
        "H", x + neck, "C", x + half * 1.1, top + tall * 0.3, x + half * 1.3, belly, x + base, foot, "Z",
        paint=paint,
    )  # fmt: skip
    canvas.path(
        "M", x - base * 0.9, foot - tall * 0.22, "Q", x, foot - tall * 0.16,
        x + base * 0.9, foot - tall * 0.22,
        paint=canvas.stroke(0, 3),
    )  # fmt: skip
    canvas.rect(x - neck * 1.1, top - 3, size=(neck * 2.2, 7), paint=canvas.fill(5), round_=3)


def books(canvas: Canvas) -> None:
    """Fill shelves with book spines."""
    width, height, rng = canvas.width, canvas.height, canvas.rng
    rows = 3 if height >= width * 0.7 else 2
    deep = height / rows
    for row in range(rows):
        board, x = deep * (row + 0.93), width * 0.03
        while x < width * 0.95:
            thick, tall = width * rng.uniform(0.03, 0.075), deep * rng.uniform(0.5, 0.8)
            if rng.random() < 0.12:
                canvas.circle(x + deep * 0.14, board - deep * 0.12, radius=deep * 0.12, paint=canvas.fill(3))
                x += deep * 0.3
                continue
            canvas.rect(x, board - tall, size=(thick, tall), paint=canvas.pick(1, 1, 2, 3, 4, 5), round_=2)
            canvas.rect(x, board - tall * 0.82, size=(thick, tall * 0.06), paint=canvas.fill(0))
            x += thick + width * 0.004
        canvas.rect(0, board, size=(width, deep * 0.07), paint=canvas.fill(2))


def dashboard(canvas: Canvas) -> None:
    """Show an app window with bars, a curve and a list."""
    width, height, rng = canvas.width, canvas.height, canvas.rng
    left, top, wide, tall = width * 0.1, height * 0.13, width * 0.8, height * 0.74
    canvas.circle(width * 0.86, height * 0.16, radius=height * 0.22, paint=canvas.fill(3))
    canvas.circle(width * 0.1, height * 0.9, radius=height * 0.26, paint=canvas.fill(4))
    canvas.rect(left + 8, top + 14, size=(wide, tall), paint=canvas.fill(5) + ' opacity="0.2"', round_=18)
    canvas.rect(left, top, size=(wide, tall), paint='fill="#ffffff"', round_=18)
    canvas.rect(left, top, size=(wide * 0.2, tall), paint=canvas.fill(2), round_=18)
    for entry in range(6):
        paint = canvas.fill(3 if entry == 1 else 1)
        canvas.rect(
            left + wide * 0.04,
            top + tall * (0.12 + entry * 0.1),
            size=(wide * 0.12, tall * 0.035),
            paint=paint,
            round_=5,
        )
    for card in range(3):
        x = left + wide * (0.25 + card * 0.245)
        canvas.rect(x, top + tall * 0.09, size=(wide * 0.21, tall * 0.2), paint=canvas.fill(0), round_=10)
        canvas.rect(x + 12, top + tall * 0.13, size=(wide * 0.08, tall * 0.03), paint=canvas.fill(4), round_=4)
        canvas.rect(x + 12, top + tall * 0.19, size=(wide * 0.13, tall * 0.055), paint=canvas.pick(1, 2), round_=5)
    for bar, colour in enumerate((1,) * 10 + (3, 1)):
        high = tall * (0.1 + 0.026 * bar + rng.uniform(0, 0.12))
        x = left + wide * (0.26 + bar * 0.036)
        place = (x, top + tall * 0.88 - high)
        canvas.rect(*place, size=(wide * 0.022, high), paint=canvas.fill(colour), round_=4)
    for line in range(5):
        y = top + tall * (0.42 + line * 0.1)
        canvas.circle(left + wide * 0.755, y, radius=tall * 0.024, paint=canvas.pick(1, 3, 4))
        canvas.rect(
            left + wide * 0.79, y - tall * 0.014,
            size=(wide * rng.uniform(0.08, 0.16), tall * 0.03), paint=canvas.fill(4), round_=4,
        )  # fmt: skip
