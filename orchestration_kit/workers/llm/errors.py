"""What can go wrong between a worker and a language model: what happened, what was possible, what to do.

```text
OrchestrationError
├── MissingLlmExtra (ImportError)      pydantic-ai is not installed
├── InvalidModel (ValueError)          no model was named, or its address is none
└── AttemptError                       why an attempt failed
    └── ModelFailed                    a model was asked, and it came to nothing
        ├── ModelRefused               the key, the model's name or the request is wrong: asking again would not help
        ├── ModelUnavailable           busy, broken, out of reach or too slow
        └── AnswerUnusable             an answer came: malformed, cut off, too long, or not what was asked for
            └── ToolBroken             a tool of the agent failed, and failed again
```

No key is in any of them. Each survives pickling.
"""

from __future__ import annotations

from orchestration_kit.errors import AttemptError, OrchestrationError


class MissingLlmExtra(OrchestrationError, ImportError):
    """Workers that ask language models need pydantic-ai, and it is not installed."""

    def __init__(self, library: str = "pydantic_ai") -> None:
        super().__init__(library)
        self.library = library

    def __str__(self) -> str:
        return (
            f"Workers that ask language models need {self.library!r}, which is not installed. "
            "Install it with: pip install 'orchestration-kit[llm]'"
        )


class InvalidModel(OrchestrationError, ValueError):
    """No model was named, or what was named cannot be one."""

    def __init__(self, reason: str, hint: str) -> None:
        super().__init__(reason, hint)
        self.reason, self.hint = reason, hint

    def __str__(self) -> str:
        return f"There is no model to ask: {self.reason}.\n{self.hint}"


class ModelFailed(AttemptError):
    """A model was asked, and it came to nothing."""

    def __init__(self, model: str, reason: str, hint: str) -> None:
        super().__init__(model, reason, hint)
        self.model, self.reason, self.hint = model, reason, hint

    def __str__(self) -> str:
        return f"The model {self.model!r} {self.reason}. {self.hint}"


class ModelRefused(ModelFailed):
    """The key, the name of the model or the request is wrong. Asking again would come to the same."""

    is_final = True


class ModelUnavailable(ModelFailed):
    """The model is busy, broken, out of reach or too slow. Later, it may answer."""


class AnswerUnusable(ModelFailed):
    """An answer came: malformed, cut off, too long, or not what was asked for."""


class ToolBroken(AnswerUnusable):
    """A tool of the agent failed, and failed again when the model had been told."""


__all__ = [
    "AnswerUnusable",
    "InvalidModel",
    "MissingLlmExtra",
    "ModelFailed",
    "ModelRefused",
    "ModelUnavailable",
    "ToolBroken",
]
