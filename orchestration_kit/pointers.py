"""The last line of a traceback: where cause and remedy of the error are told."""

from __future__ import annotations

from functools import cache


class Pointer:
    """`__notes__` of an error, which is where Python and IPython look for what to add to a traceback (PEP 678).

    Made when somebody looks, so that an error that is caught and put on record costs nothing more, and is its message
    alone. Notes of one's own (`add_note`) come after it.
    """

    def __get__(self, error: BaseException | None, kind: type) -> list[str]:
        """Return the notes of an error."""
        if error is None:
            raise AttributeError(f"{kind.__name__} has no __notes__; its instances have.")
        if "_notes" not in vars(error):
            known = next(one for one in kind.__mro__ if one.__module__.partition(".")[0] == "orchestration_kit")
            self.__set__(error, [note_of(known.__name__)])
        return vars(error)["_notes"]

    def __set__(self, error: BaseException, notes: list[str]) -> None:
        """Replace the notes of an error: what copies it, or brings it here from elsewhere, does."""
        vars(error)["_notes"] = notes


def note_of(name: str) -> str:
    """Return where an error of the package is explained: the command, and the place in the documentation.

    >>> note_of("UnknownStep").partition(" (")[0]
    'What it means, and what helps: orchestration-kit explain UnknownStep'
    """
    return f"What it means, and what helps: orchestration-kit explain {name} ({page()}#{name.lower()})"


@cache
def page() -> str:
    """Return where the page of errors is: on the site that the installed package names, or in what `make docs` builds.

    >>> page().endswith("errors.html")
    True
    """
    # Nothing of it is loaded before the first traceback.
    from importlib.metadata import PackageNotFoundError, metadata

    try:
        urls = metadata("orchestration-kit").get_all("Project-URL") or []
    except PackageNotFoundError:  # a copy on the path that nobody installed
        urls = []
    named = (one.partition(",") for one in urls)
    sites = [address.strip().rstrip("/") for label, _, address in named if label.strip().lower() == "documentation"]
    return f"{sites[0]}/errors.html" if sites else "docs: errors.html"
