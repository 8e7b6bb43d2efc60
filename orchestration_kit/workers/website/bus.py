"""What the website workers read from the run around them: the goal, the data bus, the random numbers.

The names of the steps are those of the build-website workflow.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, Protocol, cast

from orchestration_kit.workers.website.errors import MissingSite

if TYPE_CHECKING:
    from collections.abc import Mapping
    from random import Random

SPEC = "create_specs_output"
SITE = "implement_code_output"
REVIEW = "review_code_output"

Files = dict[str, str]
"""The files of a site: path with forward slashes -> text."""


class WorkContext(Protocol):
    """The part of a workflow's context that the website workers look at."""

    @property
    def goal(self) -> str:
        """What the person asked for. Untrusted text."""
        ...

    @property
    def data(self) -> Mapping[str, Any]:
        """The data bus: `<step_id>_output` of every earlier step."""
        ...

    @property
    def random(self) -> Random:
        """Seeded by run, step, visit and attempt: the only randomness a worker uses."""
        ...


def as_mapping(value: object) -> Mapping[str, Any] | None:
    """Return `value` if it is a dict with text keys, else None."""
    if not isinstance(value, dict):
        return None
    mapping = cast("dict[object, Any]", value)
    if not all(isinstance(key, str) for key in mapping):
        return None
    return cast("dict[str, Any]", mapping)


def files_of(output: object, *, worker: str) -> Files:
    """Return the files in the output of a coder.

    Raises:
        MissingSite: there is no dict `files` of path -> text in it; it says what was found.
    """
    site = as_mapping(output)
    if site is None or "files" not in site:
        raise MissingSite(worker, f"expected a dict with 'files', got {type(output).__name__}")
    files = as_mapping(site["files"])
    if not files:
        raise MissingSite(worker, "'files' is not a dict of path -> text, or it is empty")
    wrong = [path for path, text in files.items() if not isinstance(text, str)]
    if wrong:
        raise MissingSite(worker, f"the file {wrong[0]!r} is not text")
    return dict(files)


def site_digest(files: Mapping[str, str]) -> str:
    """Return the SHA-256 of paths and texts, so that an approval names exactly what it approved."""
    digest = hashlib.sha256()
    for path in sorted(files):
        for part in (path, files[path]):
            encoded = part.encode("utf-8", "surrogatepass")
            digest.update(len(encoded).to_bytes(8, "big"))
            digest.update(encoded)
    return digest.hexdigest()
