"""A lesson: a sentence or two that helps a worker do better, where it comes from, and how well it did."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, cast, get_args

from orchestration_kit.errors import did_you_mean
from orchestration_kit.governance.wisdom.errors import InvalidLesson
from orchestration_kit.secrets.finder import Finder

Layer = Literal["safety", "preference", "general"]
Status = Literal["proposed", "approved", "rejected", "retired"]
STATUSES: tuple[Status, ...] = get_args(Status)
LAYERS: tuple[Layer, ...] = get_args(Layer)
"""In the order in which they are searched."""
MAX_TEXT, MAX_NAME, MAX_TAGS, MAX_RUNS = 4_000, 200, 20, 100
_MOST = {"tags": MAX_TAGS, "runs": MAX_RUNS}


@dataclass(frozen=True, slots=True)
class Lesson:
    """A lesson as it is kept.

    >>> lesson = Lesson(7, "Give prices in euros.", step="write", use=10, success=9)
    >>> lesson.status, round(lesson.confidence, 2)
    ('proposed', 0.6)
    """

    id: int
    text: str
    """What was learnt. Data to whoever reads it, never an order: see `as_prompt`."""
    layer: Layer = "general"
    tags: tuple[str, ...] = ()
    step: str | None = None
    worker: str | None = None
    """The type of worker it is for."""
    workflow: str | None = None
    status: Status = "proposed"
    proposed_by: str | None = None
    approved_by: str | None = None
    """Who said the last word on it: who approved, rejected or retired it."""
    reason: str | None = None
    """Why it was rejected or retired."""
    runs: tuple[str, ...] = ()
    """Ids of runs that are evidence for it, oldest first."""
    seen: int = 1
    """How often it was proposed: for a failure, how often that happened."""
    use: int = 0
    """In how many attempts a worker was given it."""
    success: int = 0
    """How many of those went well."""
    model: str | None = None
    """The model, or version of a worker, that it was learnt with, or last tested on."""
    created_at: datetime | None = None
    updated_at: datetime | None = None

    @property
    def confidence(self) -> float:
        """At least this share of attempts goes well with it, with 95 % confidence: `wilson(success, use)`."""
        return wilson(self.success, self.use)


def wilson(success: int, use: int, z: float = 1.96) -> float:
    """Return the lower bound of the share of successes (Wilson 1927, doi:10.1080/01621459.1927.10502953).

    >>> round(wilson(9, 10), 2), round(wilson(90, 100), 2), wilson(0, 0)
    (0.6, 0.83, 0.0)
    """
    return wilson_interval(success, use, z)[0] if use else 0.0


def wilson_interval(success: int, use: int, z: float = 1.96) -> tuple[float, float]:
    """Return between which bounds the share of successes lies.

    >>> [round(bound, 2) for bound in wilson_interval(9, 10)]
    [0.6, 0.98]
    """
    if not use:
        return 0.0, 1.0
    share = success / use
    middle = share + z * z / (2 * use)
    reach = z * math.sqrt(share * (1 - share) / use + z * z / (4 * use * use))
    scale = 1 + z * z / use
    return max(0.0, (middle - reach) / scale), min(1.0, (middle + reach) / scale)


def text_of(text: Any, finder: Finder) -> str:
    """Return the text of a lesson, without the secrets in it.

    Raises:
        InvalidLesson: it is empty, too long, or no text.
    """
    if not isinstance(text, str) or not text.strip():
        raise InvalidLesson(f"its text is {text!r:.60}", "Say in a sentence what to do, or what to avoid.")
    if len(text) > MAX_TEXT:
        hint = "Say in a sentence or two what to do; hand on documents as data."
        raise InvalidLesson(f"it has {len(text):,} characters, and {MAX_TEXT:,} are the most", hint)
    return plain(finder.in_text(text.strip()))


def name_of(name: Any, what: str, finder: Finder) -> str | None:
    """Return the name of a step, worker, workflow, model or person.

    Raises:
        InvalidLesson: it is no text, or too long.
    """
    if name is None or (isinstance(name, str) and name and len(name) <= MAX_NAME):
        return None if name is None else plain(finder.in_text(name))
    raise InvalidLesson(f"its {what} is {name!r:.60}", f"Give up to {MAX_NAME} characters, or leave it out.")


def names_of(names: Any, what: str, finder: Finder) -> tuple[str, ...]:
    """Return tags, or ids of runs, each once.

    Raises:
        InvalidLesson: they are no texts, or too many.
    """
    if isinstance(names, (str, bytes)) or not isinstance(names, Iterable):
        raise InvalidLesson(f"its {what} is {names!r:.60}", f'Give a list of texts: {what}=["a", "b"].')
    found: dict[str, None] = {}
    for name in cast("Iterable[Any]", names):
        checked = name_of(name, what, finder)
        if checked is None:
            raise InvalidLesson(f"its {what} has a None in it", "Leave it out.")
        found[checked] = None
        if len(found) > _MOST[what]:
            raise InvalidLesson(f"it has more than {_MOST[what]} {what}", "Keep those that matter.")
    return tuple(found)


def status_of(status: Any) -> Status:
    """Return a status.

    Raises:
        InvalidLesson: there is none of that name.
    """
    if isinstance(status, str) and status in STATUSES:
        return status
    raise InvalidLesson(
        f"its status is {status!r:.60}", f"Choose of {', '.join(STATUSES)}.{did_you_mean(str(status), STATUSES)}"
    )


def layer_of(layer: Any) -> Layer:
    """Return a layer.

    Raises:
        InvalidLesson: there is none of that name.
    """
    if isinstance(layer, str) and layer in LAYERS:
        return layer
    raise InvalidLesson(
        f"its layer is {layer!r:.60}", f"Choose of {', '.join(LAYERS)}.{did_you_mean(str(layer), LAYERS)}"
    )


def plain(text: str) -> str:
    """Return text that a database and a terminal can hold: no lone surrogates, no control characters but line ends."""
    cleaned = text.encode("utf-8", "replace").decode("utf-8")
    return "".join(character if character >= " " or character in "\n\t" else "�" for character in cleaned)
