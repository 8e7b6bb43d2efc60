from __future__ import annotations

import pytest
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from orchestration_kit.widgets.cells import current
from tests.widgets.cells.notebook import Notebook


@pytest.fixture
def new_notebook():
    """Makes a notebook with a kernel of its own: the one before it is gone, as after a restart."""

    def make(**variables):
        current.leave_all()
        InteractiveShell.clear_instance()
        config = Config()
        config.HistoryManager.enabled = False
        config.InteractiveShell.colors = "nocolor"
        shell = InteractiveShell.instance(config=config)
        shell.run_line_magic("load_ext", "orchestration_kit")
        return Notebook(shell, **variables)

    yield make
    current.leave_all()
    InteractiveShell.clear_instance()


@pytest.fixture
def notebook(new_notebook):
    return new_notebook()
