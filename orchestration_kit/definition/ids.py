"""What a step may be called."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

FORBIDDEN_IN_STEP_IDS = "#/[]"
"""Characters that separate the parts of a position, as in `research#1[3]/draft#1`."""


def _check_step_id(step_id: str) -> str:
    bad = sorted({c for c in step_id if c in FORBIDDEN_IN_STEP_IDS or not c.isprintable()})
    if bad:
        raise ValueError(
            f"step id {step_id[:80]!r} holds {', '.join(map(repr, bad))}. "
            f"A step id is printable text without any of {' '.join(FORBIDDEN_IN_STEP_IDS)}."
        )
    return step_id


StepId = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_check_step_id)]
