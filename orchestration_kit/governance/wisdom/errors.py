"""What can go wrong with lessons: what happened, what was possible, what to do.

```text
WisdomError (OrchestrationError)
├── WisdomUnavailable (OSError)        the file cannot be opened, read or written; nothing was half-written
├── InvalidLesson (ValueError)         a lesson that cannot be kept
├── UnknownLesson (LookupError)        no lesson has this number
├── LessonState (RuntimeError)         a lesson cannot go from where it stands to where it was sent
└── LessonsFileError (ValueError)      a file that is no file of lessons; nothing of it was taken
```
"""

from __future__ import annotations

from orchestration_kit.errors import OrchestrationError


class WisdomError(OrchestrationError):
    """Base of what can go wrong with lessons."""


class WisdomUnavailable(WisdomError, OSError):
    """The lessons cannot be opened, read or written now. What was kept is safe."""

    def __init__(self, path: str, reason: str, hint: str) -> None:
        super().__init__(path, reason, hint)
        self.path, self.reason, self.hint = path, reason, hint

    def __str__(self) -> str:
        return f"The lessons in {self.path} cannot be used: {self.reason}. {self.hint}"


class InvalidLesson(WisdomError, ValueError):
    """A lesson that cannot be kept."""

    def __init__(self, reason: str, hint: str) -> None:
        super().__init__(reason, hint)
        self.reason, self.hint = reason, hint

    def __str__(self) -> str:
        return f"This cannot be kept as a lesson: {self.reason}. {self.hint}"


class UnknownLesson(WisdomError, LookupError):
    """No lesson has this number."""

    def __init__(self, lesson_id: object, count: int) -> None:
        super().__init__(lesson_id, count)
        self.lesson_id, self.count = lesson_id, count

    def __str__(self) -> str:
        if (number := getattr(self.lesson_id, "id", None)) is not None:
            return f"A lesson is named by its number, and this is the lesson itself. Write lesson.id: {number!r:.20}."
        return (
            f"There is no lesson {self.lesson_id!r} among the {self.count:,} that are kept. "
            "wisdom.to_frame() lists all, with their ids."
        )


class LessonState(WisdomError, RuntimeError):
    """A lesson cannot go from where it stands to where it was sent."""

    def __init__(self, lesson_id: int, status: str, wanted: str, possible: tuple[str, ...]) -> None:
        super().__init__(lesson_id, status, wanted, possible)
        self.lesson_id, self.status, self.wanted, self.possible = lesson_id, status, wanted, possible

    def __str__(self) -> str:
        return (
            f"Lesson {self.lesson_id} is {self.status}, so it cannot become {self.wanted}; "
            f"that is for lessons that are {' or '.join(self.possible)}."
        )


class LessonsFileError(WisdomError, ValueError):
    """A file that is no file of lessons. Nothing of it was taken."""

    def __init__(self, path: str, reason: str, hint: str) -> None:
        super().__init__(path, reason, hint)
        self.path, self.reason, self.hint = path, reason, hint

    def __str__(self) -> str:
        return f"No lessons were taken from {self.path}: {self.reason}. {self.hint}"
