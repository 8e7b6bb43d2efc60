from __future__ import annotations

import pytest

from tests.branches.doors import DOORS


@pytest.fixture(params=DOORS)
def door(request):
    """How the run is driven: `run.run()`, `await run.arun()`, or one `run.step()` after another."""
    return request.param
