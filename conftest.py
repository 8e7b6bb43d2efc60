"""`make test` has the notebooks replay their cassettes; tests of cassettes say themselves what they want."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def _no_cassette_mode_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ORCHESTRATION_KIT_CASSETTE", raising=False)
