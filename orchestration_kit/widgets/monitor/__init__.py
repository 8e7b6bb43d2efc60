"""`Monitor`: many runs at a glance, of this process and of others.

```text
source.py          where runs come from:
source_hub.py      of this process
source_journal.py  of a journal, whoever drives them
lines.py           a run as a line, and how it grows
figures.py         figures per step over the runs that are shown
graph.py           the graph of one workflow with these figures
alerts.py          plain rules: what a person should look at
table.py           lines filtered, sorted and cut: rows for the page
looking.py         the player below the table
widget.py          the widget
```
"""

from orchestration_kit.widgets.monitor.alerts import Alert, AlertRules
from orchestration_kit.widgets.monitor.widget import Monitor

__all__ = ["Alert", "AlertRules", "Monitor"]
