"""Large parts of values on their way to a journal: those that the rows about to be written are the first to name."""

from __future__ import annotations

from collections.abc import Mapping

from orchestration_kit.journal import codec


class NewBlobs:
    """Blobs of one run that are not on record yet."""

    __slots__ = ("_known", "waiting")

    def __init__(self) -> None:
        self.waiting: dict[str, bytes] = {}
        """By digest: to be committed with the next rows."""
        self._known: set[str] = set()
        """Digests that the run has named already."""

    def put(self, content: bytes) -> str:
        """Keep a blob, and return its digest."""
        digest = codec.content_digest(content)
        self._keep(digest, content)
        return digest

    def put_all(self, blobs: Mapping[str, bytes]) -> None:
        """Keep blobs whose digests are known."""
        for digest, content in blobs.items():
            self._keep(digest, content)

    def committed(self) -> None:
        """Forget what is on record now."""
        if self.waiting:
            self.waiting.clear()

    def _keep(self, digest: str, content: bytes) -> None:
        if digest not in self._known:
            self.waiting[digest] = content
            self._known.add(digest)
