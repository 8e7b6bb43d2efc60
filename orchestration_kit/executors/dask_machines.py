"""Which machines a cluster has now, with what: asked of the scheduler now and then, never waited for."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

FRESH_S = 0.5
"""How old an answer may be."""


class Machines:
    """The workers of a cluster, as they were half a second ago at most, or when it was last heard of."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._asked_at = time.monotonic()
        self._seen: dict[tuple[tuple[str, float], ...], dict[str, float]] = {}
        """What machines had that were there."""
        self._take(client.scheduler_info())

    def _take(self, info: Mapping[str, Any]) -> None:
        workers: dict[str, Any] = dict(info["workers"])
        for one in workers.values():
            offer = _amounts(one.get("resources"))
            self._seen[tuple(sorted(offer.items()))] = offer
        self._threads: int = sum(int(one["nthreads"]) for one in workers.values())
        self._offers: dict[str, dict[str, float]] = {
            name: _amounts(resources)
            for name, resources in sorted(
                (str(one.get("name", address)), one.get("resources")) for address, one in workers.items()
            )
        }

    @property
    def threads(self) -> int:
        """How many calls can be made at once."""
        self._refresh()
        return self._threads

    @property
    def offers(self) -> dict[str, dict[str, float]]:
        """What each machine has, by name."""
        self._refresh()
        return self._offers

    def offer(self, resources: Mapping[str, float]) -> bool:
        """Whether some machine has all of this."""
        return any(all(has.get(name, 0) >= much for name, much in resources.items()) for has in self.offers.values())

    def offered(self, resources: Mapping[str, float]) -> bool:
        """Whether some machine had all of this since the executor was made: one that was lost may come back."""
        return any(all(has.get(name, 0) >= much for name, much in resources.items()) for has in self._seen.values())

    def _refresh(self) -> None:
        now = time.monotonic()
        if now - self._asked_at > FRESH_S:
            self._asked_at = now
            self._client.loop.add_callback(self._ask)

    async def _ask(self) -> None:
        scheduler = self._client.scheduler
        try:
            if scheduler is not None:  # as it is of a client that was closed
                self._take(await scheduler.identity(n_workers=-1))
        except OSError:  # the scheduler is away; calls hear of it
            return


def _amounts(told: Any) -> dict[str, float]:
    resources: dict[str, Any] = told or {}
    return {name: float(amount) for name, amount in resources.items()}
