"""The product manager: turns any goal text into a specification of a site.

It decides nothing about markup. The look comes from the goal alone; the wording is drawn with the run's
random numbers, so that another run of the same goal words it anew.
"""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, Any

from orchestration_kit.workers.website.content import KindContent, fill, load_features
from orchestration_kit.workers.website.design import design_for
from orchestration_kit.workers.website.goal import GoalReading, read_goal
from orchestration_kit.workers.website.recognition import (
    Recognised,
    is_feature,
    recognise_features,
    recognise_kind,
)
from orchestration_kit.workers.website.spec import Page, SiteSpec
from orchestration_kit.workers.website.text import capitalized, script_of, shorten

if TYPE_CHECKING:
    from random import Random

    from orchestration_kit.workers.website.bus import WorkContext

_MOST_PAGES = 6
_LONGEST_GOAL_SHOWN = 400


def product_manager(input_data: object, context: WorkContext) -> dict[str, Any]:
    """Return the specification of the site that `context.goal` asks for, as plain data.

    >>> from orchestration_kit import Orchestrator, WorkerDefinition, create_generic_pipeline
    >>> hub = Orchestrator()
    >>> hub.register_worker(WorkerDefinition(worker_type="product_manager", name="Ann", executor=product_manager))
    >>> hub.register_workflow(create_generic_pipeline([("plan", "product_manager", "")]))
    >>> context = hub.execute_workflow("plan", "Build a website for Luna Bakery in Lisbon", verbose=False)
    >>> spec = context.data["plan_output"]
    >>> spec["name"], [page["title"] for page in spec["pages"]][1:3]
    ('Luna Bakery', ['Menu · Luna Bakery', 'Our story · Luna Bakery'])
    """
    del input_data  # the goal is all it needs
    return write_spec(context.goal, context.random).model_dump(mode="json")


def write_spec(goal: str, rng: Random) -> SiteSpec:
    """Return the specification for a goal; `rng` draws the wording.

    >>> from random import Random
    >>> write_spec("Build a website for Luna Bakery in Lisbon", Random(7)).name
    'Luna Bakery'
    """
    reading = read_goal(goal)
    recognised = recognise_kind(reading.text)
    kind = recognised.kind
    subject = _subject(reading, kind)
    name = _name(reading, recognised, subject, rng)
    topics = [
        topic
        for topic in reading.topics
        if not is_feature(topic) and topic.casefold() not in {name.casefold(), recognised.word}
    ]
    values = _values(reading, recognised, name=name, subject=subject, topics=topics)
    tagline = fill(rng.choice(kind.taglines), values, topics=topics, rng=rng)
    values["tagline"] = shorten(capitalized(tagline), 90)
    raw_pages = fill(list(kind.pages), values, topics=topics, rng=rng)
    features = recognise_features(reading.text)
    _add_features(raw_pages, features, values, topics=topics, rng=rng)
    return SiteSpec(
        name=name,
        tagline=values["tagline"],
        goal=shorten(reading.text, _LONGEST_GOAL_SHOWN),
        kind=kind.kind,
        place=values["place"],
        lang=script_of(name)[0],
        direction="rtl" if script_of(name)[1] == "rtl" else "ltr",
        email=email_of(name),
        features=tuple(feature.replace("_", "-") for feature in features),
        design=design_for(reading.text, kind),
        pages=tuple(_page(raw, name) for raw in raw_pages),
    )


def _subject(reading: GoalReading, kind: KindContent) -> str:
    """Return what the site is about: more than the word that says what kind of site it is."""
    common = {*kind.keywords, *kind.hints}
    telling = [subject for subject in reading.subjects if subject.casefold() not in common and not is_feature(subject)]
    return telling[0] if telling else ""


def _name(reading: GoalReading, recognised: Recognised, subject: str, rng: Random) -> str:
    """Return the goal's own name, or one made of its subject, or a neutral one."""
    if reading.name and reading.name.casefold() != recognised.word:
        return reading.name
    if not subject:
        return rng.choice(recognised.kind.names)
    word = recognised.word
    if recognised.kind.suffix and word.isascii() and word not in subject.casefold():
        subject = f"{subject} {word}"
    small = {"and", "of", "for", "the", "in", "to", "on"}
    titled = [part if part in small else capitalized(part) for part in subject.split()]
    return shorten(" ".join(titled), 48)


def _values(
    reading: GoalReading, recognised: Recognised, *, name: str, subject: str, topics: list[str]
) -> dict[str, str]:
    """Return the words that stand for `{name}`, `{place}` and their like in the content."""
    kind, word = recognised.kind, recognised.word if recognised.word.isascii() else ""
    about = subject.removesuffix(f" {word}") if word and kind.subject_is_theme else subject
    about = " ".join(about.replace(name, "").split()) or about
    if script_of(about)[0] != "en":  # the sentences around it are English
        about, topics = "", []
    if not about or (about.casefold() in name.casefold() and about[0].isupper()):
        about = " and ".join(topics[:2]) or (kind.noun if kind.subject_is_theme else word or kind.noun)
    values = {
        "name": name,
        "place": reading.place or kind.place,
        "when": reading.when or kind.when,
        "subject": about,
    }
    filled = [*topics, *(topic for topic in kind.topics if topic not in topics)]
    values |= {f"topic_{number}": capitalized(filled[number - 1]) for number in (1, 2, 3)}
    return values | {key.capitalize(): capitalized(values[key]) for key in ("place", "when", "subject")}


def _add_features(
    pages: list[dict[str, Any]],
    features: tuple[str, ...],
    values: dict[str, str],
    *,
    topics: list[str],
    rng: Random,
) -> None:
    """Add a page or a section for each feature that the kind's own pages do not give."""
    known = load_features()
    for name in features:
        feature = known[name]
        given = {section["block"] for page in pages for section in page["sections"]}
        if given & set(feature["given_by"]):
            continue
        if "section" in feature:
            pages[0]["sections"].insert(-1, fill(feature["section"], values, topics=topics, rng=rng))
        elif len(pages) < _MOST_PAGES and feature["page"]["slug"] not in [p["slug"] for p in pages]:
            pages.insert(-1, fill(feature["page"], values, topics=topics, rng=rng))


def _page(raw: dict[str, Any], name: str) -> Page:
    """Return the page with an id for every section and headings that start with a capital."""
    used: dict[str, int] = {}
    sections: list[dict[str, Any]] = []
    for section in raw["sections"]:
        block = section["block"]
        used[block] = used.get(block, 0) + 1
        ident = block if used[block] == 1 else f"{block}-{used[block]}"
        sections.append({**section, "id": ident, "heading": capitalized(section["heading"])})
    first = sections[0]
    title = f"{name}: {raw['title']}" if raw["slug"] == "index" else f"{raw['title']} · {name}"
    return Page.model_validate(
        {
            "slug": raw["slug"],
            "nav": raw["nav"],
            "title": shorten(title, 80),
            "description": shorten(first.get("text") or first["heading"], 155),
            "sections": sections,
        }
    )


def email_of(name: str) -> str:
    """Return an address for a site of this name, under a domain that is reserved for examples."""
    return f"hello@{_ascii_slug(name)}.example"


def _ascii_slug(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    slug = "-".join("".join(char if char.isalnum() else " " for char in plain).lower().split())
    return slug[:30].strip("-") or "our-site"
