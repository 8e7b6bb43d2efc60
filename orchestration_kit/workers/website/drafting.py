"""What a language model writes for a site, as data, and how it becomes a specification that a coder can build.

A model chooses pages, blocks and words. Colours, type, pictures, ids and addresses stay with the design: no text of a
model gets into a file name, an attribute's name or the stylesheet. The templates escape all of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from orchestration_kit.workers.website.content import load_kind
from orchestration_kit.workers.website.design import design_for
from orchestration_kit.workers.website.goal import LONGEST_GOAL
from orchestration_kit.workers.website.product_manager import email_of
from orchestration_kit.workers.website.spec import Block, Item, Link, Page, Section, SiteSpec
from orchestration_kit.workers.website.text import clean, script_of, shorten

Kind = Literal["restaurant", "shop", "portfolio", "blog", "event", "nonprofit", "startup", "school", "generic"]
Words = Annotated[str, Field(max_length=90), AfterValidator(clean)]
Text = Annotated[str, Field(max_length=900), AfterValidator(clean)]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,29}$")]

LISTING = frozenset({"cards", "steps", "menu", "products", "gallery", "posts", "schedule", "pricing", "faq", "facts"})
"""Blocks that are nothing without items."""


class _Drafted(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ItemDraft(_Drafted):
    """One card, dish, picture, question, slot or tariff."""

    title: Words
    text: Text = ""
    meta: Words = Field(default="", description="a time, a category, a unit")
    price: Words = ""
    group: Words = Field(default="", description="for a menu: the heading it stands under")


class LinkDraft(_Drafted):
    """A button that leads to a page of the site."""

    label: Words
    to: Name = Field(description="the slug of a page")


class SectionDraft(_Drafted):
    """One block of a page."""

    block: Block
    heading: Words
    eyebrow: Words = Field(default="", description="a few words above the heading")
    text: Text = ""
    items: tuple[ItemDraft, ...] = Field(default=(), max_length=12)
    links: tuple[LinkDraft, ...] = Field(default=(), max_length=3)


class PageDraft(_Drafted):
    """One page; the first is the index."""

    slug: Name
    nav: Words = Field(description="its name in the navigation")
    sections: tuple[SectionDraft, ...] = Field(min_length=1, max_length=8)


class SiteDraft(_Drafted):
    """A whole site: pages, blocks and words."""

    name: Words
    tagline: Words
    kind: Kind
    place: Words = ""
    pages: tuple[PageDraft, ...] = Field(min_length=1, max_length=6)

    @model_validator(mode="after")
    def _is_sound(self) -> SiteDraft:
        """See that what the model wrote makes a site; all that is wrong is told at once."""
        wrong = list(_faults(self))
        if wrong:
            raise ValueError("; ".join(wrong[:8]))
        return self


def _faults(draft: SiteDraft) -> Iterator[str]:
    slugs = [page.slug for page in draft.pages]
    if not draft.name:
        yield "name: is empty"
    if slugs[0] != "index":
        yield f"pages.0.slug: is {slugs[0]!r}; the first page is 'index'"
    for slug in sorted({slug for slug in slugs if slugs.count(slug) > 1}):
        yield f"pages: two are called {slug!r}"
    for at, page in enumerate(draft.pages):
        if not page.nav:
            yield f"pages.{at}.nav: is empty"
        for number, section in enumerate(page.sections):
            where = f"pages.{at}.sections.{number}"
            yield from (f"{where}.{fault}" for fault in _faults_of(section, slugs))


def _faults_of(section: SectionDraft, slugs: list[str]) -> Iterator[str]:
    if not section.heading:
        yield "heading: is empty"
    if section.block in LISTING and not section.items:
        yield f"items: a {section.block!r} block needs some"
    if any(not item.title for item in section.items):
        yield "items: one has no title"
    for link in section.links:
        if link.to not in slugs:
            yield f"links: {link.to!r} is no page; there are {', '.join(slugs)}"
        if not link.label:
            yield "links: one has no label"


def spec_of(draft: SiteDraft, goal: str) -> SiteSpec:
    """Return the specification of a draft. The design comes from the goal, as it does without a model."""
    text = clean(goal)[:LONGEST_GOAL]
    name = shorten(draft.name, 48)
    language, direction = script_of(name)
    return SiteSpec(
        name=name,
        tagline=draft.tagline,
        goal=shorten(text, 400),
        kind=draft.kind,
        place=draft.place,
        lang=language,
        direction="rtl" if direction == "rtl" else "ltr",
        email=email_of(name),
        features=(),
        design=design_for(text, load_kind(draft.kind)),
        pages=tuple(_page(page, name, draft.tagline) for page in draft.pages),
    )


def _page(page: PageDraft, name: str, tagline: str) -> Page:
    used: dict[str, int] = {}
    sections: list[Section] = []
    all_drafted = page.sections
    if (
        all_drafted[0].block in LISTING
    ):  # their items have headings of the third level, and one of the second comes first
        all_drafted = (SectionDraft(block="intro", heading=page.nav), *all_drafted)
    for drafted in all_drafted:
        used[drafted.block] = number = used.get(drafted.block, 0) + 1
        sections.append(_section(drafted, f"{drafted.block}-{number}" if number > 1 else drafted.block))
    title = f"{name}: {tagline}" if page.slug == "index" else f"{page.nav} · {name}"
    first = sections[0]
    return Page(
        slug=page.slug,
        nav=page.nav,
        title=shorten(title, 80),
        description=shorten(first.text or first.heading, 155),
        sections=tuple(sections),
    )


def _section(drafted: SectionDraft, ident: str) -> Section:
    return Section(
        block=drafted.block,
        id=ident,
        heading=drafted.heading,
        eyebrow=drafted.eyebrow,
        text=drafted.text,
        items=tuple(Item(**item.model_dump()) for item in drafted.items),
        links=tuple(Link(label=link.label, to=link.to) for link in drafted.links),
        fields=("name", "email", "message") if drafted.block == "form" else (),
        tone="bold" if drafted.block == "cta" else "plain",
    )
