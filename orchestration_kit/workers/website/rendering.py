"""Renders a specification to the files of a site. Pure: the same specification, the same bytes.

Every value goes through Jinja2 with autoescape on; the only markup let through is the site's own art.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from orchestration_kit.workers.website.art.gallery import describe, draw, style_for
from orchestration_kit.workers.website.extras import require
from orchestration_kit.workers.website.fonts import STACKS

if TYPE_CHECKING:
    from orchestration_kit.workers.website.bus import Files
    from orchestration_kit.workers.website.spec import Page, Section, SiteSpec

_PICTURED = frozenset({"products", "gallery", "posts"})
_SIZES: dict[str, tuple[int, int]] = {
    "products": (640, 640),
    "gallery": (640, 800),
    "posts": (640, 400),
    "split": (800, 640),
}
_HERO_SIZES: dict[str, tuple[int, int]] = {
    "split": (800, 960),
    "poster": (900, 960),
    "centered": (1440, 620),
    "editorial": (1440, 720),
}


def render_site(spec: SiteSpec) -> Files:
    """Return the files of the site: its pages, the stylesheet, the pictures and an icon."""
    environment = _environment()
    site: Files = {
        "style.css": environment.get_template("style.css.j2").render(spec=spec, stacks=STACKS),
        "favicon.svg": draw(spec.design, "icon", style="tiles", size=(64, 64)),
    }
    for page in spec.pages:
        pictures = _pictures(spec, page, site)
        template = environment.get_template("page.html.j2")
        site[file_of(page.slug)] = template.render(spec=spec, page=page, pictures=pictures, href=href)
    return dict(sorted(site.items()))


def file_of(slug: str) -> str:
    """Return the file of the page with a slug."""
    return f"{slug}.html"


def href(target: str) -> str:
    """Return the address of a link target of the specification.

    >>> href("menu#today")
    'menu.html#today'
    """
    slug, hash_, anchor = target.partition("#")
    return file_of(slug) + hash_ + anchor


def _pictures(spec: SiteSpec, page: Page, site: Files) -> dict[str, dict[str, Any]]:
    """Draw the pictures of a page, put them among the files and return them by `section/number`."""
    markup = require("markupsafe").Markup
    pictures: dict[str, dict[str, Any]] = {}
    for section in page.sections:
        for index in range(_count(section)):
            hero = section.block == "hero"
            size = _HERO_SIZES[spec.design.layout] if hero else _SIZES[section.block]
            style = style_for(spec.design, index, varied=section.block in {"gallery", "posts"})
            path = f"images/{page.slug}-{section.id}-{index + 1}.svg"
            picture = draw(spec.design, path, style=style, size=size)
            if hero:  # inline: it is there with the first paint
                pictures[f"{section.id}/{index}"] = {"inline": markup(picture.strip())}
                continue
            site[path] = picture
            pictures[f"{section.id}/{index}"] = {
                "src": path, "width": size[0], "height": size[1], "alt": describe(style)
            }  # fmt: skip
    return pictures


def _count(section: Section) -> int:
    if section.block in _PICTURED:
        return len(section.items)
    return 1 if section.block in {"hero", "split"} else 0


@cache
def _environment() -> Any:
    jinja2 = require("jinja2")
    return jinja2.Environment(
        loader=jinja2.PackageLoader("orchestration_kit.workers.website", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
