"""Serves a directory on this machine only, for a moment, and compares what arrives with what should."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.error import URLError
from urllib.parse import quote
from urllib.request import ProxyHandler, build_opener

from orchestration_kit.workers.website.errors import SiteNotServed

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping
    from pathlib import Path

_PATIENCE_S = 10.0
_OK = 200


class _QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is inherited
        """Say nothing: a deployment is told by its output."""


@contextmanager
def serve(directory: Path) -> Generator[str]:
    """Serve a directory on 127.0.0.1 at a free port while the body runs; gives the base address."""
    handler = partial(_QuietHandler, directory=str(directory))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


def fetch_all(directory: Path, files: Mapping[str, str]) -> list[dict[str, Any]]:
    """Fetch every file over HTTP and return `{"path", "bytes", "status"}` for each.

    Raises:
        SiteNotServed: a file came back with another status than 200, or with other bytes.
    """
    opener = build_opener(ProxyHandler({}))  # a proxy has no part in this
    fetched: list[dict[str, Any]] = []
    with serve(directory) as base:
        for path in sorted(files):
            try:
                with opener.open(f"{base}/{quote(path)}", timeout=_PATIENCE_S) as answer:
                    status, body = answer.status, answer.read()
            except URLError as error:
                reason = f"could not be fetched: {error.reason}"
                if hasattr(error, "close"):
                    error.close()  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
                raise SiteNotServed(path, reason) from error
            if status != _OK or body != files[path].encode("utf-8"):
                reason = f"came back with status {status} and {len(body)} bytes, not as it was written"
                raise SiteNotServed(path, reason)
            fetched.append({"path": path, "bytes": len(body), "status": status})
    return fetched
