"""Adapters behind the worker's signature: what somebody has becomes a worker.

```text
adapt.py       worker_from: looks at what it is given, and takes one of these
function.py    functions, coroutines, generators, objects
llm/           pydantic-ai agents, addresses that speak OpenAI's protocol
doer.py        DoerAgent: a model with tools (tools.py)
invoking.py    anything with LangChain's invoke
estimator.py   scikit-learn
program.py     programs, ended with their children (processes.py)
person.py      somebody who is asked
patterns/      the workers that the templates need: they count, keep, compare
website/       those of the demo
```
"""
