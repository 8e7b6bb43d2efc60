"""From a terminal: `orchestration-kit demo | validate | render | runs | replay | dashboard | doctor | explain`.

```text
argv
  -> program.py     which command is meant; every error becomes a sentence and an exit code
  -> workflows.py   demo, validate, render: workflow files
     listing.py     runs list
     showing.py     runs show: facts, data; attempts.py: what it did, branches indented
     waiting.py     runs waiting
     answering.py   runs approve, runs reject, runs send: what runs ask is in questions.py
     exporting.py   runs export
     driving.py     runs resume, runs fork, replay: through the Orchestrator of a module (hubs.py)
     keeping.py     runs prune, backup, check: the journal's file
     dashboard.py   dashboard: the monitor as a page
     doctor.py      doctor: what is installed, missing or broken; `orchestration_kit.doctor()` in a notebook
     explain.py    explain: what an error means; the texts are in explained/
  -> terminal.py    what they print: text from journals is data, never markup or control characters
```

A command's module is loaded when the command is called. Nothing here makes a journal: looking changes nothing.
"""

from orchestration_kit.cli.program import main

__all__ = ["main"]
