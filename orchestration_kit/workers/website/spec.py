"""The specification of a site: what the product manager hands to the coder, as data.

Free text may say anything (templates escape it); whatever reaches a file name, an attribute name or
the stylesheet is restricted to a pattern or a choice here.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Hex = Annotated[str, Field(pattern=r"^#[0-9a-f]{6}$")]
Slug = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,39}$")]
Target = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,39}(#[a-z][a-z0-9-]{0,39})?$")]
Line = Annotated[str, Field(max_length=200)]
Prose = Annotated[str, Field(max_length=1_200)]

Block = Literal[
    "hero", "intro", "cards", "split", "statement", "steps", "menu", "products", "gallery", "posts",
    "schedule", "pricing", "faq", "facts", "form", "newsletter", "cta",
]  # fmt: skip
Field_ = Literal["name", "email", "phone", "date", "guests", "subject", "message"]
Layout = Literal["split", "poster", "centered", "editorial"]
Cards = Literal["boxed", "ruled", "tinted"]
Font = Literal["grotesque", "humanist", "geometric", "transitional", "oldstyle", "slab", "didone"]
Art = Literal[
    "tiles", "arches", "rays", "orbits", "hills", "botanica", "waves", "table", "shelf", "books",
    "dashboard",
]  # fmt: skip


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Link(_Model):
    """A link to a page of the site."""

    label: Line
    to: Target
    """The slug of a page, or `slug#section`."""


class Item(_Model):
    """One card, dish, picture, question, slot, tariff: what a section lists."""

    title: Line
    text: Prose = ""
    meta: Line = ""
    """A time, a category, a unit."""
    price: Line = ""
    group: Line = ""
    """The heading it is listed under, in a menu."""
    points: tuple[Line, ...] = ()


class Section(_Model):
    """One block of a page. What each field becomes is the template's choice."""

    block: Block
    id: Slug
    heading: Line
    eyebrow: Line = ""
    text: Prose = ""
    items: tuple[Item, ...] = ()
    links: tuple[Link, ...] = ()
    fields: tuple[Field_, ...] = ()
    tone: Literal["plain", "tint", "bold"] = "plain"


class Page(_Model):
    """One HTML file."""

    slug: Slug
    nav: Line
    """Its name in the navigation."""
    title: Line
    description: Line
    sections: Annotated[tuple[Section, ...], Field(min_length=1)]


class Theme(_Model):
    """The colours of one colour scheme. Every `on_` and text colour is readable where it is used."""

    bg: Hex
    surface: Hex
    tint: Hex
    line: Hex
    text: Hex
    muted: Hex
    primary: Hex
    on_primary: Hex
    bold: Hex
    on_bold: Hex
    bold_muted: Hex


class Design(_Model):
    """How the site looks."""

    layout: Layout
    cards: Cards
    radius: Annotated[int, Field(ge=0, le=40)]
    """Corner radius in pixels."""
    heading_font: Font
    body_font: Font
    art: Art
    art_seed: Annotated[int, Field(ge=0)]
    light: Theme
    dark: Theme
    art_colours: Annotated[tuple[Hex, ...], Field(min_length=6, max_length=6)]
    """Backdrop, main, deep, accent, pale, ink."""


class SiteSpec(_Model):
    """Everything the coder needs to know."""

    name: Annotated[str, Field(min_length=1, max_length=60)]
    tagline: Line
    goal: Prose
    kind: Slug
    place: Line
    lang: Annotated[str, Field(pattern=r"^[a-zA-Z]{2,3}(-[a-zA-Z0-9]{2,8})*$")]
    """The language tag of the name and other words taken from the goal."""
    direction: Literal["ltr", "rtl"]
    email: Annotated[str, Field(pattern=r"^[a-z0-9.@-]+$")]
    features: tuple[Slug, ...]
    design: Design
    pages: Annotated[tuple[Page, ...], Field(min_length=1, max_length=8)]
