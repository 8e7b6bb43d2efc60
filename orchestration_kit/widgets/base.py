"""`KitWidget`: what all widgets share. A widget renders state and emits intentions; it never decides.

The browser sends `{"intent": name, "args": {...}}`; the method marked `@intent` of that name does it. What that raises
is shown in the widget, with what to do. Everything else (state) goes the other way, in synced traits.
"""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar, Literal, TypeVar, cast

import anywidget
import traitlets

STATIC = Path(__file__).parent / "static"
"""Bundles for the browser, built from `frontend/`."""

MOST_TEXT = 4_000
"""Characters of a message to the browser."""

_log = logging.getLogger("orchestration_kit")
_Method = TypeVar("_Method", bound=Callable[..., Any])


def intent(method: _Method) -> _Method:
    """Mark a method that the browser may call by its name, with JSON values by name."""
    method.__dict__["is_intent"] = True
    return method


class KitWidget(anywidget.AnyWidget):
    """A widget of the kit. Subclasses set `_esm` and `_css` to files in `STATIC`."""

    notice = traitlets.Dict(default_value={}).tag(sync=True)
    """The last thing to tell the person: `level` ("info" or "error"), `text`, and `number`, which counts them."""
    theme = traitlets.Unicode("light").tag(sync=True)
    """"light" or "dark": set by the browser, which knows."""

    _intents: ClassVar[dict[str, Callable[..., Any]]] = {}

    def __init_subclass__(cls, **options: Any) -> None:
        for name in ("_esm", "_css"):
            if isinstance(path := cls.__dict__.get(name), Path):
                # Given the file, anywidget would watch it, and hold every widget there ever was, closed or not.
                setattr(cls, name, path.read_text(encoding="utf-8"))
        super().__init_subclass__(**options)  # pyright: ignore[reportUnknownMemberType]
        found = {name: method for name, method in inspect.getmembers_static(cls) if getattr(method, "is_intent", False)}
        cls._intents = found

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.on_msg(self._hear)  # pyright: ignore[reportUnknownMemberType]
        allow_during_blocking_cell(self)

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"

    def tell(self, text: str, *, level: Literal["info", "error"] = "info") -> None:
        """Show a message in the widget."""
        before: dict[str, Any] = self.notice
        number = int(before.get("number", 0)) + 1
        self.notice = {"level": level, "text": text[:MOST_TEXT], "number": number}

    def _hear(self, _widget: Any, content: Any, _buffers: Any) -> None:
        """Do what the browser asks for. It is not trusted: names and arguments are checked, errors are shown."""
        message = cast("dict[str, Any]", content) if isinstance(content, dict) else {}
        name: Any = message.get("intent")
        given: Any = message.get("args") or {}
        if name is None:
            return
        method = self._intents.get(name) if isinstance(name, str) else None
        if method is None or not isinstance(given, dict):
            self.tell(f"This widget cannot do {name!r:.60}. It can: {', '.join(sorted(self._intents))}.", level="error")
            return
        arguments = cast("dict[str, Any]", given)
        try:
            inspect.signature(method).bind(self, **arguments)
        except TypeError as error:
            self.tell(f"{name}: {error}.", level="error")
            return
        try:
            method(self, **arguments)
        except Exception as error:  # noqa: BLE001 - shown to the person who clicked
            _log.debug("Intent %r of %r failed", name, self, exc_info=True)
            self.tell(f"{type(error).__name__}: {error}", level="error")


def allow_during_blocking_cell(widget: Any) -> None:
    """Let clicks be heard while a cell is running.

    JupyterLab sends the messages of each widget to a thread of its own in the kernel. ipykernel 7.4 sends them back to
    the main one, which the cell blocks, once a message of the widget was sent from there; this undoes that, through a
    private name, for this widget alone. Other versions have no such name and need nothing.
    """
    comm: Any = getattr(widget, "comm", None)
    if hasattr(comm, "_reply_subshell_for"):
        comm._reply_subshell_for = _as_it_came  # noqa: SLF001 - there is no public way


def _as_it_came(_data: Any, default: Any) -> Any:
    return default
