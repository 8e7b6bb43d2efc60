"""The errors of the website workers. Each says what happened, what was possible and what to do.

```text
OrchestrationError
├── MissingDemoExtra (ImportError)    a library of the extra `demo` is not installed
└── WebsiteError
    ├── UnreadableSpec (ValueError)   the coder was given no specification it can build
    ├── MissingSite (ValueError)      a worker was given no files to work on
    ├── UnapprovedSite                the deployer was given files that no review approved
    ├── UnsafePath (ValueError)       a file of the site would land outside its directory
    ├── ForeignDirectory              the target holds files that no deployment wrote
    └── SiteNotServed                 what the web server sent is not what was written
```
"""

from __future__ import annotations

from orchestration_kit.errors import OrchestrationError


class MissingDemoExtra(OrchestrationError, ImportError):
    """A library that only the website workers need is not installed."""

    def __init__(self, library: str) -> None:
        super().__init__(library)  # args alone rebuild it after pickling
        self.library = library

    def __str__(self) -> str:
        return (
            f"The website workers need {self.library!r}, which is not installed.\n"
            'Install it with: pip install "orchestration-kit[demo]"'
        )


class WebsiteError(OrchestrationError):
    """A website worker cannot do its work."""


class UnreadableSpec(WebsiteError, ValueError):
    """The coder was given something that is not a specification of a site."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason

    def __str__(self) -> str:
        return (
            f"The coder cannot read its specification: {self.reason}\n"
            "It takes the output of the product manager from data['create_specs_output'], or as its "
            "input.\nRun the step create_specs first, or hand over a dict shaped like "
            "orchestration_kit.workers.website.spec.SiteSpec."
        )


class MissingSite(WebsiteError, ValueError):
    """A worker that works on the files of a site was given none."""

    def __init__(self, worker: str, reason: str) -> None:
        super().__init__(worker, reason)
        self.worker, self.reason = worker, reason

    def __str__(self) -> str:
        return (
            f"The {self.worker} has no site to work on: {self.reason}\n"
            "It takes {'files': {'index.html': '...'}} from data['implement_code_output'], or as its "
            "input.\nRun the step implement_code first."
        )


class UnapprovedSite(WebsiteError):
    """The deployer was about to publish files that the review did not approve."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason

    def __str__(self) -> str:
        return (
            f"Nothing was deployed: {self.reason}\n"
            "Only the very files that review_code approved are published.\n"
            "Send the site through review_code again, then deploy it."
        )


class UnsafePath(WebsiteError, ValueError):
    """A file of the site has a path that would not stay inside the site's directory."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(path, reason)
        self.path, self.reason = path, reason

    def __str__(self) -> str:
        return (
            f"Nothing was deployed: the file path {self.path!r} {self.reason}.\n"
            "A site holds relative paths with forward slashes, such as 'images/hero.svg'.\n"
            "Rename the file and its links, and review the site again."
        )


class ForeignDirectory(WebsiteError):
    """The target directory holds something that a deployment would destroy."""

    def __init__(self, directory: str, reason: str) -> None:
        super().__init__(directory, reason)
        self.directory, self.reason = directory, reason

    def __str__(self) -> str:
        return (
            f"Nothing was deployed: {self.directory!r} {self.reason}.\n"
            "A site goes to a new directory, an empty one, or over an untouched earlier deployment.\n"
            "Choose another directory, or move those files away first."
        )


class SiteNotServed(WebsiteError):
    """A page came back from the web server with a wrong status or other bytes."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(path, reason)
        self.path, self.reason = path, reason

    def __str__(self) -> str:
        return (
            f"Nothing was deployed: {self.path!r} {self.reason}.\n"
            "Every file is fetched over HTTP and compared with what the review approved.\n"
            "Check the disk and any program that touches the directory, then deploy again."
        )
