"""Every public function and class has an example in its own docstring, and pytest runs it (`--doctest-modules`)."""

from __future__ import annotations

import doctest
import importlib
import inspect
import sys
from functools import cache

import pytest

from tests.docs.sources import extension

areas = extension("areas")


def has_example(value):
    """Whether its docstring has an example of which at least one line is run."""
    lines = doctest.DocTestParser().get_examples(inspect.cleandoc(value.__doc__ or ""))
    return any(not line.options.get(doctest.SKIP) for line in lines)


@cache
def run_in(module):
    """The names in a module whose examples pytest finds: it looks with this finder, too."""
    found = doctest.DocTestFinder().find(sys.modules[module], module)
    return {one.name.removeprefix(f"{module}.") for one in found if one.examples}


def needs_one(value):
    """Functions and classes of the kit; errors are in the catalogue of errors instead."""
    is_error = isinstance(value, type) and issubclass(value, BaseException)
    return (inspect.isfunction(value) or isinstance(value, type)) and not is_error


@pytest.mark.parametrize("package", areas.public_packages())
def test_every_public_name_has_an_example_that_runs(package):
    module = importlib.import_module(package)
    values = {name: getattr(module, name) for name in module.__all__}
    ours = {
        name: value for name, value in values.items() if needs_one(value) and "orchestration_kit" in value.__module__
    }
    missing = sorted(name for name, value in ours.items() if not has_example(value))
    assert missing == [], "give each a few lines of >>> that show what it is for, with what comes out"
    unseen = sorted(name for name, value in ours.items() if value.__qualname__ not in run_in(value.__module__))
    assert unseen == [], "pytest does not find their examples: a decorator hides the module that they are of"
