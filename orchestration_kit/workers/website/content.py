"""Loads what is known of each kind of site and fills its pages with the words of a goal.

A kind is one YAML file in `content/`: the words it is recognised by, how it may look, and its pages.
In the pages `{name}`, `{place}`, `{subject}`, `{topic}` and their like are filled in, and two shapes
are worked out:

    {one_of: [...]}                                one of them, drawn
    {each_topic: {...}, or_else: [...], count: 3}  one item for each topic of the goal, filled up
"""

from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from random import Random
from typing import Any, cast

import yaml
from pydantic import BaseModel, ConfigDict

from orchestration_kit.workers.website.spec import Art, Font, Layout
from orchestration_kit.workers.website.text import capitalized

KINDS = (
    "restaurant", "shop", "portfolio", "blog", "event", "nonprofit", "startup", "school", "generic",
)  # fmt: skip
"""In the order in which equally good matches win; `generic` takes what nothing else matches."""


class KindContent(BaseModel):
    """One kind of site, as its YAML file describes it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: str
    noun: str
    """What such a site is for, in a word."""
    place: str
    when: str
    """What stands in for a place or a date that the goal does not give."""
    suffix: bool
    """Whether the matched keyword belongs in a made-up name: 'Rust Conference', but not 'Drones App'."""
    subject_is_theme: bool
    """Whether the subject is a matter (a blog about bread) rather than the thing itself (a bakery)."""
    names: tuple[str, ...]
    """Names for goals that say nothing to name a site by."""
    keywords: tuple[str, ...] = ()
    hints: tuple[str, ...] = ()
    """Words that weigh less: they often stand beside another kind's keyword."""
    hues: tuple[tuple[float, float], ...]
    layouts: tuple[Layout, ...]
    art: tuple[Art, ...]
    fonts: tuple[tuple[Font, Font], ...]
    topics: tuple[str, ...]
    taglines: tuple[str, ...]
    pages: tuple[dict[str, Any], ...]


@cache
def load_kind(kind: str) -> KindContent:
    """Return the content of one of `KINDS`."""
    return KindContent.model_validate(_load(kind))


@cache
def load_features() -> dict[str, Any]:
    """Return what each feature adds to a site whose kind does not have it anyway."""
    return _load("features")


def _load(name: str) -> dict[str, Any]:
    path = files(__package__ or "") / "content" / f"{name}.yaml"
    return cast("dict[str, Any]", yaml.safe_load(path.read_text(encoding="utf-8")))


def fill(raw: object, values: Mapping[str, str], *, topics: Sequence[str], rng: Random) -> Any:
    """Return `raw` with its choices drawn, its topics spread out and its `{words}` filled in.

    Values are put in as they are and never read as templates again.
    """
    if isinstance(raw, str):
        return raw.format_map(dict(values))
    if isinstance(raw, list):
        return [fill(part, values, topics=topics, rng=rng) for part in cast("list[object]", raw)]
    if not isinstance(raw, dict):
        return raw
    shape = cast("dict[str, Any]", raw)
    if "one_of" in shape:
        return fill(rng.choice(shape["one_of"]), values, topics=topics, rng=rng)
    if "each_topic" in shape:
        return _each_topic(shape, values, topics=topics, rng=rng)
    return {key: fill(part, values, topics=topics, rng=rng) for key, part in shape.items()}


def _each_topic(
    shape: Mapping[str, Any], values: Mapping[str, str], *, topics: Sequence[str], rng: Random
) -> list[Any]:
    count = cast("int", shape["count"])
    patterns = shape["each_topic"]
    items: list[Any] = []
    for index, topic in enumerate(topics[:count]):
        words = {**values, "topic": topic, "Topic": capitalized(topic)}
        items.append(fill(patterns[index % len(patterns)], words, topics=topics, rng=rng))
    spare = fill(shape.get("or_else", []), values, topics=topics, rng=rng)
    return items + spare[: max(0, count - len(items))]
