"""What a model might write for a site."""

from __future__ import annotations

import copy
from typing import Any

GOOD: dict[str, Any] = {
    "name": "Luna Bakery",
    "tagline": "Bread that waited for you",
    "kind": "restaurant",
    "place": "Lisbon",
    "pages": [
        {
            "slug": "index",
            "nav": "Home",
            "sections": [
                {
                    "block": "hero",
                    "heading": "Bread, the slow way",
                    "text": "Our dough rests a night. You taste it.",
                    "links": [{"label": "See the menu", "to": "menu"}],
                },
                {"block": "cards", "heading": "What we bake", "items": [{"title": "Rye", "text": "Dark."}]},
            ],
        },
        {
            "slug": "menu",
            "nav": "Menu",
            "sections": [
                {
                    "block": "menu",
                    "heading": "Today",
                    "items": [
                        {"title": "Pastel de nata", "price": "1.40 EUR", "group": "Sweet"},
                        {"title": "Rye loaf", "price": "4.20 EUR", "group": "Bread"},
                    ],
                },
                {"block": "form", "heading": "Write to us", "text": "We answer before noon."},
            ],
        },
    ],
}


def good(**changes: Any) -> dict[str, Any]:
    return {**copy.deepcopy(GOOD), **changes}


def broken() -> dict[str, Any]:
    draft = good()
    draft["pages"][0]["sections"][0]["links"][0]["to"] = "shop"
    draft["pages"][0]["sections"][1]["items"] = []
    return draft
