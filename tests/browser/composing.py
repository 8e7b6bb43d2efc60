"""What people do with a composer, by mouse and by keyboard."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Locator, expect

from tests.browser.notebooks import Notebook

HUB = """
from orchestration_kit import *
hub = Orchestrator()
for name, worker_type in [("Product manager", "product_manager"), ("Coder", "coder"), ("Reviewer", "reviewer")]:
    hub.register_worker(WorkerDefinition(worker_type=worker_type, name=name, executor=lambda given: given))
"""
SHOWN = """
from orchestration_kit.widgets.composer import Composer
composer = Composer(hub)
composer
"""
FIELDS: list[tuple[str, dict[str, Any]]] = [
    ("product_manager", {"step_id": "create_specs", "description": "Turn the goal into a specification"}),
    ("coder", {"step_id": "implement_code", "description": "Write the website, or repair what the review found", "max_retries": 1}),
    ("reviewer", {"step_id": "review_code", "description": "Check the website", "success_when": "!has(output.approved) || output.approved == true"}),
    ("step", {"step_id": "completed", "description": "The website is approved", "is_terminal": True}),
    ("step", {"step_id": "failed", "description": "The website could not be built", "is_terminal": True, "outcome": "failed"}),
]  # fmt: skip
"""What the steps of the build-website workflow say, by the id that they have at first."""
OWN = {"name": "build_website", "description": "Specify, write and review a website", "goal": "A website that fits its requirements and passes review"}  # fmt: skip
WAYS = [
    ("create_specs", "success", "implement_code"), ("create_specs", "failure", "failed"),
    ("implement_code", "success", "review_code"), ("implement_code", "failure", "failed"),
    ("review_code", "success", "completed"), ("review_code", "failure", "implement_code"),
]  # fmt: skip
IS_BUILD_WEBSITE = "composer.workflow == create_build_website_workflow()"


class Composing:
    """A composer in a notebook, at somebody's hand."""

    def __init__(self, notebook: Notebook, at: Locator) -> None:
        self.notebook, self.page, self.at = notebook, notebook.page, at
        expect(at.locator(".react-flow__node").first).to_be_visible()

    def box(self, step: str) -> Locator:
        """A step on the canvas."""
        return self.at.locator(f'.react-flow__node[data-id="{step}"]')

    def field(self, path: str) -> Locator:
        """A control of the form."""
        return self.at.locator(f'.okc-form [data-path="{path}"]')

    def tool(self, name: str) -> Locator:
        """A button above the canvas."""
        return self.at.get_by_role("toolbar").get_by_role("button", name=name, exact=True)

    def item(self, name: str) -> Locator:
        """Something of the palette."""
        return self.at.get_by_role("navigation", name="Palette").get_by_role("button", name=name).first

    # By mouse.

    def drag_in(self, name: str, step: str, x: float, y: float) -> None:
        """Drag something of the palette to the canvas, where it becomes a step of this id."""
        self.item(name).drag_to(self.at.locator(".okc-canvas"), target_position={"x": x, "y": y})
        expect(self.box(step)).to_be_visible()

    def draw(self, source: str, way: str, target: str) -> None:
        """Draw a line from a handle of a box to another box."""
        self.box(source).hover()
        handle = _middle(self.box(source).locator(f'.react-flow__handle[data-handleid="{way}"]'))
        self.page.mouse.move(*handle)
        self.page.mouse.down()
        self.page.mouse.move(handle[0] + 6, handle[1] + 12, steps=2)
        self.page.mouse.move(*_middle(self.box(target)), steps=6)
        self.page.mouse.up()

    def fill(self, fields: dict[str, Any]) -> None:
        """Fill in the form of what is selected."""
        for path, value in fields.items():
            control = self.field(path)
            if isinstance(value, bool):
                control.set_checked(value)
            elif control.evaluate("node => node.tagName") == "SELECT":
                control.select_option(value)
            else:
                control.fill(str(value))
                control.press("Tab")

    # By keyboard.

    def go_to(self, path: str) -> None:
        """Press Tab until the focus is in this control of the form."""
        for _ in range(80):
            if self.field(path).evaluate("node => node === document.activeElement"):
                return
            self.page.keyboard.press("Tab")
        raise AssertionError(f"Tab does not lead to {path}")

    def type_in(self, fields: dict[str, Any]) -> None:
        """Fill in the form from its beginning, by keys alone."""
        for path, value in fields.items():
            self.go_to(path)
            if isinstance(value, bool):
                self.page.keyboard.press("Space")
            elif self.field(path).evaluate("node => node.tagName") == "SELECT":
                self.page.keyboard.type(str(value), delay=5)
            else:
                self.page.keyboard.press("Control+A")
                self.page.keyboard.type(str(value)[:3])
                self.page.keyboard.insert_text(str(value)[3:])  # as a paste does: hundreds of keys take long
            self.page.keyboard.press("Tab")


def _middle(of: Locator) -> tuple[float, float]:
    box = of.bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
